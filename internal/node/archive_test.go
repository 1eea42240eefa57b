//go:build !slim

package node_test

import (
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
	settings, err := os.ReadFile(filepath.Join(organisation, "organisation.yaml"))
	must(t, err)
	anchor := strings.Replace(string(settings), "\n  keep: 5y\n", "\n  anchor: {type: file, address: anchor.jsonl}\n", 1)
	must(t, os.WriteFile(filepath.Join(organisation, "organisation.yaml"), []byte(anchor), 0o600))
	cfg := node.Config{
		Data: data, Org: organisation, Listen: "127.0.0.1:0", Out: io.Discard, Log: slog.New(slog.DiscardHandler), Archive: node.ArchiveConfig{Settle: time.Millisecond},
	}
	ctx := t.Context()
	r, err := node.Start(ctx, node.DevConfig{Config: cfg, UIPort: -1, NormalSync: true})
	must(t, err)
	defer r.Stop()
	trigger := func(schedule string) {
		h := r.Temporal.ScheduleClient().GetHandle(ctx, schedule)
		done := func(least int) (times int) {
			eventually(t, schedule+" is done", func() bool {
				is, err := h.Describe(ctx)
				if err != nil || len(is.Info.RunningWorkflows) > 0 || len(is.Info.RecentActions) < least {
					return false
				}
				times = len(is.Info.RecentActions)
				return true
			})
			return times
		}
		before := done(map[bool]int{true: 1}[schedule == workflows.ArchiveSchedule]) // a pass is made at the start
		must(t, h.Trigger(ctx, client.ScheduleTriggerOptions{}))
		done(before + 1)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/api/v1/incidents", nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer muster_nobody")
	refused, err := http.DefaultClient.Do(request)
	must(t, err)
	must(t, refused.Body.Close())
	trigger(workflows.CertificateSchedule)
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
	trigger(workflows.ArchiveSchedule)
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
	checkpoints, err := keys.CheckpointsIn("anchor.jsonl", anchored)
	must(t, err)
	for _, c := range checkpoints {
		must(t, log.Continues("anchor.jsonl", c))
	}
	content, err := archive.Get(ctx, first[0], bundle.MaxSize)
	must(t, err)
	p, err := bundle.Verify(first[0], content, log)
	must(t, err)
	if p.Bundle.Kind != workflows.CertificateRemindersWorkflow || p.Bundle.Outcome != "completed" || p.Bundle.Closed.IsZero() {
		t.Errorf("the bundle is of %+v", p.Bundle.Facts)
	}
	trigger(workflows.CertificateSchedule)
	second := first
	for pass := 2; len(second) < 2 && pass < 9; pass++ { // lists lag, and Settle is next to nothing here
		trigger(workflows.ArchiveSchedule)
		second, _ = bundles()
	}
	if again, err := os.ReadFile(filepath.Join(data, "deliveries", "anchor.jsonl")); err != nil || string(again) != string(anchored) {
		t.Errorf("a second pass on the same day has anchored once more: %s, %v", again, err)
	}
	if len(second) != 2 || second[0] != first[0] {
		t.Errorf("after another pass there are %v", second)
	}
}

// A folder without which nothing begins is part of the record too.
func TestAFolderThatIsRefusedAtTheStartIsArchived(t *testing.T) {
	data, organisation := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(organisation, "organisation.yaml"), []byte("id: Nobody!\n"), 0o600))
	cfg := node.Config{Data: data, Org: organisation, Listen: "127.0.0.1:0", Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	for range 2 { // somebody tries again
		if r, err := node.Start(t.Context(), node.DevConfig{Config: cfg, UIPort: -1}); err == nil {
			r.Stop()
			t.Fatal("it has started")
		}
	}
	names, err := filepath.Glob(filepath.Join(data, node.ArchiveFolder, bundle.OrganisationsFolder, "*.refused.json"))
	must(t, err)
	if len(names) != 1 {
		t.Fatalf("archived are %v, want the refused folder, once", names)
	}
	text, err := os.ReadFile(names[0])
	must(t, err)
	if !strings.Contains(string(text), `id: Nobody!`) || !strings.Contains(string(text), `"fault":`) {
		t.Errorf("it says %s", text)
	}
}
