package acceptance_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/proto"

	"muster/internal/audit"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/codec"
	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/node"
	"muster/starter/api"
	"muster/workflows"
)

// What nobody but Muster may read.
const (
	personName = "Annabella Quillfeather"
	alertText  = "the ledger of Wintergreen is out by a thousand"
	noteText   = "asked the treasurer of Larkspur"
)

// An incident is worked while payloads are switched from clear to encrypted, and their key is rotated. People notice nothing, and
// whoever reads Temporal itself reads nothing.
func TestPayloadsAreEncrypted(t *testing.T) {
	t.Parallel()
	folder, sink := t.TempDir(), newReceiver(t)
	organise(t, folder, sink.url, nil)
	people := filepath.Join(folder, "organisation", "people.yaml")
	text, err := os.ReadFile(people)
	must(t, err)
	must(t, os.WriteFile(people, bytes.Replace(text, []byte("name: Ann\n"), []byte("name: "+personName+"\n"), 1), 0o600))

	// In clear, as before.
	v := &veiled{folder: folder}
	s := v.start(t, sink)
	must(t, deliver(t.Context(), s.url, body("shop", "old", "firing", 1, alertText)))
	old, err := opened(t.Context(), s.api, "old")
	must(t, err)
	s.state(t, old, "somebody is paged", func(i *incident.Incident) bool { return i.Escalation.Reached && settled(i) })
	v.running.Stop()

	v.keys = filepath.Join(folder, "payload-keys.json")
	first, err := keyring.NewPayloads(v.keys, time.Now())
	must(t, err)
	s = v.start(t, sink)
	must(t, deliver(t.Context(), s.url, body("shop", "new", "firing", 2, alertText)))
	fresh, err := opened(t.Context(), s.api, "new")
	must(t, err)
	v.isSentForgeries(t, groupID("shop", "new"), first.ID)
	for _, id := range []incident.ID{old, fresh} {
		must(t, do(t.Context(), s.api, id, incident.Acknowledge{}, "ack-"+string(id)))
	}
	second, err := keyring.RotatePayloads(v.keys, time.Now())
	must(t, err)
	for _, id := range []incident.ID{old, fresh} {
		must(t, do(t.Context(), s.api, id, incident.Note{Text: noteText}, "note-"+string(id)))
		must(t, do(t.Context(), s.api, id, incident.Resolve{Note: noteText}, "resolve-"+string(id)))
		s.state(t, id, "the customers have heard that it is over", settled)
		must(t, do(t.Context(), s.api, id, incident.Close{Note: noteText}, "close-"+string(id)))
		s.state(t, id, "it is over", func(i *incident.Incident) bool { return i.Ended() && settled(i) })
	}
	s.readsAsBefore(t, old, fresh)
	v.isOpaque(t, fresh, first.ID, second.ID)
	v.isArchived(t, old, fresh, second.ID)
}

// veiled is a node whose payloads are encrypted, or are to be.
type veiled struct {
	folder, keys string
	running      *node.Running
}

func (v *veiled) start(t *testing.T, sink *receiver) *system {
	t.Helper()
	data := filepath.Join(v.folder, "data")
	var err error
	v.running, err = node.Start(t.Context(), node.DevConfig{
		Config: node.Config{
			Data: data, Org: filepath.Join(v.folder, "organisation"), Listen: "127.0.0.1:0", Out: io.Discard, Log: newJournal(t).logger(),
			PayloadKeys: v.keys, Archive: node.ArchiveConfig{Settle: time.Millisecond, Encrypted: v.keys != ""},
		},
		NormalSync: true,
	})
	must(t, err)
	t.Cleanup(v.running.Stop)
	return &system{url: v.running.URL, api: administrator(t, v.running.URL, data), sink: sink}
}

// readsAsBefore asks what people see of incidents.
func (s *system) readsAsBefore(t *testing.T, all ...incident.ID) {
	t.Helper()
	for _, id := range all {
		i, err := s.api.Incident(t.Context(), id)
		must(t, err)
		if got := i.Alerts.Full[0].Annotations.Value("description"); got != alertText {
			t.Errorf("%s: the alert says %q", id, got)
		}
		checkTimeline(t, s.api, id, s.sink)
		told, err := s.api.Timeline(t.Context(), id, "en", 0)
		must(t, err)
		for _, word := range []string{personName, noteText} {
			if !slices.ContainsFunc(told.Entries, func(e api.Entry) bool { return strings.Contains(e.Sentence, word) }) {
				t.Errorf("%s: no word of %q in its timeline", id, word)
			}
		}
		checkReplay(t, s.api, id)
		_, err = s.api.Do(t.Context(), id, incident.Acknowledge{}, "late-"+string(id))
		if status(err) != http.StatusConflict || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: after its end: %v", id, err)
		}
	}
}

// raw is a client as Temporal's UI and its command are: it encrypts and decrypts nothing.
func (v *veiled) raw(t *testing.T) client.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(v.folder, "data", devserver.TokenFile))
	must(t, err)
	raw, err := client.DialContext(t.Context(), client.Options{
		HostPort: v.running.TemporalURL, Logger: log.NewStructuredLogger(newJournal(t).logger()), HeadersProvider: devserver.Token(bytes.TrimSpace(token)),
	})
	must(t, err)
	t.Cleanup(raw.Close)
	return raw
}

// isSentForgeries sends an incident a Signal that says that a key has encrypted it. The incident goes on.
func (v *veiled) isSentForgeries(t *testing.T, workflowID, key string) {
	t.Helper()
	_, err := v.raw(t).WorkflowService().SignalWorkflowExecution(t.Context(), &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID}, SignalName: workflows.AlertsSignal,
		Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{"encoding": []byte(codec.Encoding), codec.KeyID: []byte(key)}, Data: bytes.Repeat([]byte("forged"), 20),
		}}},
	})
	must(t, err)
}

// isOpaque reads what Temporal holds, as its UI and its command do.
func (v *veiled) isOpaque(t *testing.T, fresh incident.ID, keys ...string) {
	t.Helper()
	raw := v.raw(t)
	list, err := raw.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	must(t, err)
	wantOpaque(t, "the list", list)
	clear, decoded, used := 0, 0, map[string]int{}
	for _, run := range list.GetExecutions() {
		at := run.GetExecution()
		if run.GetType().GetName() == workflows.ArchiveWorkflow { // of each start, also of the one before the switch; it says nothing of anybody
			continue
		}
		h := rawHistory(t, raw, at)
		if run.GetType().GetName() == workflows.ContactsWorkflow { // it goes on from before the switch, and knows people by their ids alone
			wantOpaque(t, at.GetWorkflowId(), h)
			continue
		}
		is, err := raw.DescribeWorkflowExecution(t.Context(), at.GetWorkflowId(), at.GetRunId())
		must(t, err)
		plain := 0
		must(t, eachPayload(t.Context(), h, func(p *commonpb.Payload) {
			if string(p.GetMetadata()["encoding"]) != codec.Encoding {
				plain++
				return
			}
			used[string(p.GetMetadata()[codec.KeyID])]++
		}))
		if plain > 0 { // begun before the switch
			if clear++; !strings.Contains(string(marshalled(t, h)), personName) {
				t.Errorf("%s is in clear, and does not hold what it should", at.GetWorkflowId())
			}
			continue
		}
		wantOpaque(t, at.GetWorkflowId(), h)
		wantOpaque(t, at.GetWorkflowId()+" described", is)
		if run.GetType().GetName() == workflows.IncidentWorkflow {
			decoded++
			v.isDecoded(t, h)
		}
	}
	if clear != 1 || decoded != 1 || len(used) != len(keys) || used[keys[0]] == 0 || used[keys[1]] == 0 {
		t.Errorf("%d of %d runs are in clear, want the old one; %d incidents are not; payloads by key: %v, want some of %v", clear, len(list.GetExecutions()), decoded, used, keys)
	}
	// Temporal still finds them by what it may know.
	found, err := raw.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: fmt.Sprintf("%s = '%s'", workflows.IDAttribute.GetName(), fresh)})
	if err != nil || len(found.GetExecutions()) == 0 {
		t.Errorf("%s is not found by its id: %v", fresh, err)
	}
}

func rawHistory(t *testing.T, raw client.Client, of *commonpb.WorkflowExecution) *historypb.History {
	t.Helper()
	h := &historypb.History{}
	for events := raw.GetWorkflowHistory(t.Context(), of.GetWorkflowId(), of.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		must(t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

// eachPayload visits all payloads but search attributes.
func eachPayload(ctx context.Context, m proto.Message, visit func(*commonpb.Payload)) error {
	return proxy.VisitPayloads(ctx, m, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for _, p := range all {
				visit(p)
			}
			return all, nil
		},
	})
}

func marshalled(t *testing.T, m proto.Message) []byte {
	t.Helper()
	wire, err := proto.Marshal(m)
	must(t, err)
	return wire
}

// wantOpaque asks that a message holds no word that it should not.
func wantOpaque(t *testing.T, what string, m proto.Message) {
	t.Helper()
	wire := marshalled(t, m)
	for _, word := range []string{"Wintergreen", "thousand", "treasurer", "Larkspur", "Quillfeather", "trouble in"} {
		if bytes.Contains(wire, []byte(word)) {
			t.Errorf("%s: %q is in clear", what, word)
		}
	}
}

// isDecoded asks the node for the payloads of a history, as Temporal's command does.
func (v *veiled) isDecoded(t *testing.T, h *historypb.History) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(v.folder, "data", api.AdminTokenFile))
	must(t, err)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: v.running.URL + strings.TrimSuffix(api.CodecPath, "/"),
		ModifyRequest: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
			r.Header.Set("X-Namespace", "default")
			r.Header.Set("Origin", v.running.UIURL) // its own UI may ask
			return nil
		},
	})
	var said bytes.Buffer
	must(t, eachPayload(t.Context(), h, func(p *commonpb.Payload) {
		plain, err := remote.Decode([]*commonpb.Payload{p})
		must(t, err)
		if bytes.HasPrefix(p.GetData(), []byte("forged")) {
			if !proto.Equal(plain[0], p) {
				t.Errorf("a forged payload is decoded: %v", plain[0])
			}
			return
		}
		said.Write(plain[0].GetData())
	}))
	for _, word := range []string{alertText, noteText, personName} {
		if !bytes.Contains(said.Bytes(), []byte(word)) {
			t.Errorf("decoded, it has no word of %q", word)
		}
	}
	if _, err := remote.Encode([]*commonpb.Payload{{}}); err == nil || !strings.Contains(err.Error(), "nothing is encrypted for others") {
		t.Errorf("encoding: %v", err)
	}
}

// isArchived makes a pass of the archive, and reads what it has kept.
func (v *veiled) isArchived(t *testing.T, old, fresh incident.ID, key string) {
	t.Helper()
	ctx := t.Context()
	schedule := v.running.Temporal.ScheduleClient().GetHandle(ctx, workflows.ArchiveSchedule)
	public, err := os.ReadFile(filepath.Join(v.folder, "data", "archive.pub"))
	must(t, err)
	known, err := bundle.ParseKeys("archive.pub", public)
	must(t, err)
	where := filepath.Join(v.folder, "data", node.ArchiveFolder)
	files, err := bucket.Open(ctx, where)
	must(t, err)
	kept := map[string]audit.Listed{}
	must(t, until(ctx, "both are archived", func() error {
		if err := schedule.Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
			return err
		}
		r, err := audit.OpenArchive(ctx, files, known)
		if err != nil {
			return err
		}
		all, err := r.List(ctx, audit.Filter{Kind: workflows.IncidentWorkflow})
		for _, x := range all {
			kept[x.ID] = x
		}
		if err == nil && len(kept) < 2 {
			err = fmt.Errorf("archived are %d", len(kept))
		}
		return err
	}))
	ring, err := keyring.OpenPayloads(v.keys, time.Now)
	must(t, err)
	for _, id := range []incident.ID{old, fresh} {
		x := kept[string(id)]
		file := filepath.Join(where, filepath.FromSlash(x.File))
		content, err := os.ReadFile(file)
		must(t, err)
		for _, word := range []string{alertText, noteText, personName} {
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s: %q is in clear", x.File, word)
			}
		}
		if x.PayloadKey != key {
			t.Errorf("%s is encrypted with %q, want %s", x.File, x.PayloadKey, key)
		}
		k, err := audit.Open(file, ring)
		must(t, err)
		replayed, err := k.Replay()
		must(t, err)
		must(t, replayed.Differences.Err())
		if !replayed.Compared || len(replayed.Timeline) == 0 {
			t.Errorf("%s replays to %d entries", x.File, len(replayed.Timeline))
		}
		if _, err := audit.Open(file, nil); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is read without a key: %v", x.File, err)
		}
	}
}
