package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"muster/internal/audit"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
)

const chain, first = "incident/a", "run-1"

var (
	noon  = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	prom  = timeline.Actor{Kind: timeline.Source, ID: "prometheus"}
	words = map[string]string{"text": "<롤백> & done"}
)

// A recorder writes the events that runs would have.
type recorder struct {
	*testing.T
	ring *keyring.Ring
	file string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{T: t, file: filepath.Join(t.TempDir(), keyring.File)}
	var err error
	if r.ring, err = keyring.Open(r.file, func() time.Time { return noon }); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recorder) payloads(v any) *commonpb.Payloads {
	p, err := converter.GetDefaultDataConverter().ToPayloads(v)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

func (r *recorder) sealed(s signature.Statement, via string) *commonpb.Payloads {
	m, err := signature.New(s.By, words)
	if err != nil {
		r.Fatal(err)
	}
	s.Digest = m.Digest()
	seal, err := r.ring.Sign(s, via)
	if err != nil {
		r.Fatal(err)
	}
	m.Seal = &seal
	return r.payloads(m)
}

func started(in *commonpb.Payloads, own, before string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{
		EventId: 1, EventTime: timestamppb.New(noon), EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowId: chain, FirstExecutionRunId: first, WorkflowType: &commonpb.WorkflowType{Name: "Incident"}, Input: in, OriginalExecutionRunId: own, ContinuedExecutionRunId: before,
		}},
	}
}

func signalled(in *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{
		EventId: 2, EventTime: timestamppb.New(noon), EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{
			SignalName: "Alerts", Input: in,
		}},
	}
}

func updated(id string, in *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{
		EventId: 3, EventTime: timestamppb.New(noon), EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateAcceptedEventAttributes{WorkflowExecutionUpdateAcceptedEventAttributes: &historypb.WorkflowExecutionUpdateAcceptedEventAttributes{
			AcceptedRequest: &updatepb.Request{Meta: &updatepb.Meta{UpdateId: id}, Input: &updatepb.Input{Name: "Note", Args: in}},
		}},
	}
}

// record is what two runs of a chain were sent.
func (r *recorder) record() []*historypb.History {
	start := signature.Statement{Workflow: chain, Message: "Incident", By: prom}
	alerts := signature.Statement{Workflow: chain, Message: "Alerts", By: prom}
	note := signature.Statement{Workflow: chain, FirstRun: first, Message: "Note", ID: "k1", By: park}
	state := signature.Statement{Workflow: chain, FirstRun: first, Message: "Incident", By: timeline.Muster()}
	return []*historypb.History{
		{Events: []*historypb.HistoryEvent{
			started(r.sealed(start, "intake"), first, ""), signalled(r.sealed(alerts, "intake")), updated("k1", r.sealed(note, "token:tok_1")),
		}},
		{Events: []*historypb.HistoryEvent{started(r.sealed(state, "workflow"), "run-2", first), signalled(r.sealed(alerts, "intake"))}},
	}
}

func (r *recorder) keys() audit.PublicKeys {
	text, err := os.ReadFile(r.file)
	if err != nil {
		r.Fatal(err)
	}
	keys, err := audit.DecodeKeys(bytes.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	return keys
}

// said is what the verdicts say.
func said(all []audit.Verdict) string {
	var lines []string
	for _, v := range all {
		line := fmt.Sprintf("%s of %s by %s", v.Message, v.By.ID, v.Via)
		if v.Err != nil {
			line = fmt.Sprintf("%s of %s: %v", v.Message, v.By.ID, v.Err)
		}
		if v.Refused {
			line += ", not taken"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestAHistoryProvesItsActors(t *testing.T) {
	r := newRecorder(t)
	// As an auditor gets it: exported, and read again.
	var text bytes.Buffer
	if err := audit.Encode(&text, r.record()); err != nil {
		t.Fatal(err)
	}
	runs, err := audit.Decode(&text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.Actors(runs, r.keys())
	if err != nil {
		t.Fatal(err)
	}
	want := "Incident of prometheus by intake\nAlerts of prometheus by intake\nNote of park by token:tok_1\nIncident of muster by workflow\nAlerts of prometheus by intake"
	if said(got) != want || !got[2].At.Equal(noon) {
		t.Errorf("got\n%s\nwant\n%s", said(got), want)
	}
}

func TestAChangedHistoryProvesNothing(t *testing.T) {
	const forged = "the signature does not fit"
	edit := func(p *commonpb.Payloads, old, new string) {
		p.Payloads[0].Data = bytes.Replace(p.Payloads[0].Data, []byte(old), []byte(new), 1)
	}
	note := func(runs []*historypb.History) *updatepb.Request {
		return runs[0].Events[2].GetWorkflowExecutionUpdateAcceptedEventAttributes().AcceptedRequest
	}
	for name, tc := range map[string]struct {
		change func(runs []*historypb.History)
		want   string
	}{
		"other words":        {func(runs []*historypb.History) { edit(note(runs).Input.Args, "done", "d0ne") }, "Note of park: " + forged},
		"another person":     {func(runs []*historypb.History) { edit(note(runs).Input.Args, `"id":"park"`, `"id":"lark"`) }, "Note of lark: " + forged},
		"another way in":     {func(runs []*historypb.History) { edit(note(runs).Input.Args, "tok_1", "tok_2") }, "Note of park: " + forged},
		"another update":     {func(runs []*historypb.History) { note(runs).Input.Name = "Close" }, "Close of park: " + forged},
		"another request":    {func(runs []*historypb.History) { note(runs).Meta.UpdateId = "k2" }, "Note of park: " + forged},
		"no seal":            {func(runs []*historypb.History) { edit(note(runs).Input.Args, `"seal"`, `"sea1"`) }, "Note of park: nobody has signed it"},
		"a key of who knows": {func(runs []*historypb.History) { edit(note(runs).Input.Args, `"key":"key-`, `"key":"kez-`) }, "Note of park: its key is not among those given"},
		"of another workflow": {func(runs []*historypb.History) {
			for _, h := range runs {
				h.Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowId = "incident/b"
			}
		}, "Incident of prometheus: " + forged},
		"of another chain": {func(runs []*historypb.History) {
			for n, h := range runs {
				start := h.Events[0].GetWorkflowExecutionStartedEventAttributes()
				start.FirstExecutionRunId = "run-9"
				start.OriginalExecutionRunId, start.ContinuedExecutionRunId = []string{"run-9", "run-2"}[n], []string{"", "run-9"}[n]
			}
		}, "Note of park: " + forged},
		"an unsigned batch": {func(runs []*historypb.History) {
			runs[1].Events[1].GetWorkflowExecutionSignaledEventAttributes().Input.Payloads[0].Data = []byte(`{"source":"x"}`)
		}, "Alerts of : nobody has signed it, not taken"},
		"a state that was made up": {func(runs []*historypb.History) {
			edit(runs[1].Events[0].GetWorkflowExecutionStartedEventAttributes().Input, "done", "d0ne")
		}, "Incident of muster: " + forged},
		"a batch to a run that takes all": {func(runs []*historypb.History) {
			runs[1].Events[0].GetWorkflowExecutionStartedEventAttributes().Input.Payloads[0].Data = []byte(`{"state":{}}`)
			runs[1].Events[1].GetWorkflowExecutionSignaledEventAttributes().Input.Payloads[0].Data = []byte(`{"source":"x"}`)
		}, "Alerts of : nobody has signed it"},
	} {
		r := newRecorder(t)
		runs := r.record()
		tc.change(runs)
		got, err := audit.Actors(runs, r.keys())
		if err != nil || !strings.Contains(said(got), tc.want) {
			t.Errorf("%s: got %v\n%s\nwant %s", name, err, said(got), tc.want)
		}
	}
}

func TestARevokedKeyProvesThePastAlone(t *testing.T) {
	r := newRecorder(t)
	for after, want := range map[time.Duration]string{time.Second: "Note of park by token:tok_1", 0: "Note of park: its key was revoked before"} {
		keys := r.keys()
		for id, k := range keys {
			keys[id] = audit.PublicKey{Key: k.Key, Revoked: noon.Add(after)}
		}
		if got, err := audit.Actors(r.record(), keys); err != nil || !strings.Contains(said(got), want) {
			t.Errorf("revoked %s later: got %v\n%s", after, err, said(got))
		}
	}
}

func TestWhatIsNoHistoryOfOursIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(runs []*historypb.History)
		want   string
	}{
		"no workflow": {func(runs []*historypb.History) {
			runs[0].Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowId = ""
		}, "check history 1: its first event does not name the workflow and its runs"},
		"without its first run": {func(runs []*historypb.History) { runs[0], runs[1] = runs[1], runs[0] }, "check history 1: it begins with run run-2, and the chain with run run-1: want all of them"},
		"a run twice":           {func(runs []*historypb.History) { runs[1] = runs[0] }, "check history 2: run run-1 does not continue run run-1"},
		"another chain's run": {func(runs []*historypb.History) {
			runs[1].Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowId = "incident/b"
		}, "check history 2: run run-2 does not continue run run-1"},
		"encrypted": {func(runs []*historypb.History) {
			runs[1].Events[1].GetWorkflowExecutionSignaledEventAttributes().Input.Payloads[0].Data = []byte{1, 2}
		}, "check history 2, event 2: want JSON that is not encrypted"},
		"two payloads": {func(runs []*historypb.History) {
			p := runs[0].Events[1].GetWorkflowExecutionSignaledEventAttributes().Input
			p.Payloads = append(p.Payloads, p.Payloads[0])
		}, "check history 1, event 2: want one payload"},
	} {
		r := newRecorder(t)
		runs := r.record()
		tc.change(runs)
		if _, err := audit.Actors(runs, r.keys()); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

func TestKeysAreReadAsTheyAreListed(t *testing.T) {
	r := newRecorder(t)
	listed, err := json.Marshal(map[string]any{"keys": r.ring.Keys()})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := audit.DecodeKeys(bytes.NewReader(listed)); err != nil || len(keys) != 1 {
		t.Errorf("got %v, %v", keys, err)
	}
	one := r.ring.Keys()[0].ID
	for text, want := range map[string]string{
		``:                                "want the JSON of muster keys list -o json",
		`[]`:                              "want the JSON of muster keys list -o json",
		`{}`:                              "none in the list",
		`{"keys":[{"id":"` + one + `"}]}`: "key 1: want an id of its own and a public key of Ed25519",
		strings.Replace(string(listed), `[{`, `[`+strings.TrimSuffix(strings.TrimPrefix(string(listed), `{"keys":[`), `]}`)+`,{`, 1): "key 2: want an id of its own",
	} {
		if _, err := audit.DecodeKeys(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %s", text, err, want)
		}
	}
}
