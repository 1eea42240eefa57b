//go:build !slim

package node_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"muster/examples"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/node"
	"muster/workflows"
)

// What has ended is in the archive at the next pass, once, and nobody has to be asked to believe it.
func TestWhatHasEndedIsArchived(t *testing.T) {
	data, organisation := t.TempDir(), t.TempDir()
	example, err := fs.Sub(examples.FS, "org")
	must(t, err)
	must(t, os.CopyFS(organisation, example))
	settings, err := os.OpenFile(filepath.Join(organisation, "organisation.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = settings.WriteString("\nrecords: {keep: 5y, anchor: {type: file, address: anchor.jsonl}}\n")
	must(t, errors.Join(err, settings.Close()))
	cfg := node.Config{
		Data: data, Org: organisation, Listen: "127.0.0.1:0", Out: io.Discard, Log: slog.New(slog.DiscardHandler), Archive: node.ArchiveConfig{Settle: time.Millisecond},
	}
	ctx := t.Context()
	r, err := node.Start(ctx, node.DevConfig{Config: cfg, UIPort: -1, NormalSync: true})
	must(t, err)
	defer r.Stop()
	trigger := func(schedule string, times int) {
		h := r.Temporal.ScheduleClient().GetHandle(ctx, schedule)
		eventually(t, "there is a schedule "+schedule, func() bool { return h.Trigger(ctx, client.ScheduleTriggerOptions{}) == nil })
		eventually(t, schedule+" is done", func() bool {
			is, err := h.Describe(ctx)
			return err == nil && len(is.Info.RecentActions) == times && len(is.Info.RunningWorkflows) == 0
		})
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/api/v1/incidents", nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer muster_nobody")
	refused, err := http.DefaultClient.Do(request)
	must(t, err)
	must(t, refused.Body.Close())
	trigger(workflows.CertificateSchedule, 1)
	pub, err := os.ReadFile(filepath.Join(data, "archive.pub"))
	must(t, err)
	keys, err := bundle.ParseKeys("archive.pub", pub)
	must(t, err)
	archive, err := bucket.Open(ctx, filepath.Join(data, node.ArchiveFolder))
	must(t, err)
	bundles := func() (names []string, log *bundle.Log) {
		log, err := bundle.Open(ctx, bucket.Part{Bucket: archive, Folder: bundle.LogFolder, Most: bundle.MaxLogFile}, keys)
		must(t, err)
		for _, rec := range log.Records() {
			if rec.Kind == bundle.OfBundle {
				names = append(names, rec.Name)
			}
		}
		return names, log
	}
	trigger(workflows.ArchiveSchedule, 1)
	first, log := bundles()
	if len(first) != 1 {
		t.Fatalf("archived are %v, want the reminders of certificates", first)
	}
	for kind, want := range map[bundle.RecordKind]string{bundle.OfOrganisation: `"organisation.yaml":`, bundle.OfRefusals: "/api/v1/incidents"} {
		n := slices.IndexFunc(log.Records(), func(rec bundle.Record) bool { return rec.Kind == kind })
		if n < 0 {
			t.Fatalf("of %s nothing is archived", kind)
		}
		content, err := archive.Get(ctx, log.Records()[n].Name, bundle.MaxSize)
		must(t, err)
		if !strings.Contains(string(content), want) {
			t.Errorf("%s says %.300s, want %s", log.Records()[n].Name, content, want)
		}
	}
	// Somebody else has a checkpoint now, and sees what is done to the log afterwards.
	anchored, err := os.ReadFile(filepath.Join(data, "deliveries", "anchor.jsonl"))
	must(t, err)
	var sent struct {
		Message struct {
			Text string `json:"text"`
		} `json:"message"`
	}
	must(t, json.Unmarshal(anchored, &sent))
	checkpoint, err := keys.CheckpointIn("anchor.jsonl", []byte(sent.Message.Text))
	must(t, err)
	must(t, log.Continues("anchor.jsonl", checkpoint))
	content, err := archive.Get(ctx, first[0], bundle.MaxSize)
	must(t, err)
	p, err := bundle.Verify(first[0], content, log)
	must(t, err)
	if p.Bundle.Kind != workflows.CertificateRemindersWorkflow || p.Bundle.Outcome != "completed" || p.Bundle.Closed.IsZero() {
		t.Errorf("the bundle is of %+v", p.Bundle.Facts)
	}
	trigger(workflows.CertificateSchedule, 2)
	trigger(workflows.ArchiveSchedule, 2)
	if again, err := os.ReadFile(filepath.Join(data, "deliveries", "anchor.jsonl")); err != nil || string(again) != string(anchored) {
		t.Errorf("a second pass on the same day has anchored once more: %s, %v", again, err)
	}
	if second, _ := bundles(); len(second) != 2 || second[0] != first[0] {
		t.Errorf("after another pass there are %v", second)
	}
}
