package acceptance_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	alerts "muster/internal/alert"
	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/worker"
	"muster/workflows"
)

// commands are all Updates that an incident takes.
func commands() map[string]incident.Command {
	return map[string]incident.Command{
		workflows.AcknowledgeUpdate: incident.Acknowledge{},
		workflows.AssignUpdate:      incident.Assign{Role: incident.IncidentManager, Person: "cat", Name: "Cat"},
		workflows.NoteUpdate:        incident.Note{Text: "forged"},
		workflows.EscalateUpdate:    incident.Escalate{Reason: "forged"},
		workflows.SetPriorityUpdate: incident.SetPriority{Urgency: "low", Reason: "forged"},
		workflows.PauseClockUpdate:  incident.PauseClock{Customer: "acme", Target: "resolve", Reason: "forged"},
		workflows.ResumeClockUpdate: incident.ResumeClock{Customer: "acme", Target: "resolve"},
		workflows.MitigateUpdate:    incident.Mitigate{Note: "forged"},
		workflows.ResolveUpdate:     incident.Resolve{Note: "forged"},
		workflows.ReopenUpdate:      incident.Reopen{Reason: "forged"},
		workflows.CloseUpdate:       incident.Close{},
		workflows.SendUpdateUpdate:  incident.SendUpdate{Text: "forged"},
	}
}

// refusals are the log of what the worker did not take.
type refusals struct {
	mu  sync.Mutex
	all []worker.Refusal
}

func (r *refusals) add(one worker.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

// of counts those of a message whose cause has a text.
func (r *refusals) of(message, cause string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		if one.Message == message && strings.Contains(one.Detail, cause) {
			n++
		}
	}
	return n
}

// An outsider is whoever reaches Temporal without the keys of the installation: a client, the temporal command, its UI.
type outsider struct {
	*bare
	refused *refusals
	keys    *keyring.Ring // of another installation
	id      incident.ID
	at      string // workflow id of the incident
}

func newOutsider(t *testing.T) *outsider {
	t.Helper()
	sink := newReceiver(t)
	o := &outsider{bare: newBare(t, sink, organise(t, t.TempDir(), sink.url, nil), devserver.Options{Memory: true}), refused: &refusals{}}
	o.effects.Admission.Refused = o.refused.add
	w := worker.New(o.temporal, o.effects, worker.Deployment{})
	must(t, w.Start())
	t.Cleanup(w.Stop)
	var err error
	o.keys, err = keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	must(t, err)
	o.id, o.at = o.begin(t, "shop", "target", "/ann/app"), groupID("shop", "target")
	return o
}

// update sends an Update as nobody of the installation would.
func (o *outsider) update(ctx context.Context, workflowID, name, id string, arg any) error {
	h, err := o.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: id, WorkflowID: workflowID, UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return h.Get(ctx, nil)
}

// forged is a message in somebody's name with a seal that the keys make.
func forged[T any](t *testing.T, keys *keyring.Ring, s signature.Statement, body T) signature.Signed[T] {
	t.Helper()
	m, err := signature.New(s.By, body)
	must(t, err)
	s.Digest = m.Digest()
	seal, err := keys.Sign(s, "token:tok_1")
	must(t, err)
	m.Seal = &seal
	return m
}

func wantRefused(t *testing.T, what string, err error, cause string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), cause) {
		t.Errorf("%s: got %v, want it refused: %s", what, err, cause)
	}
}

func TestNobodyActsThroughTemporal(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	before := o.state(t, "shop", "target", "it is open", func(*incident.Incident) bool { return true })
	first := o.first(t)
	for name, c := range commands() {
		plain := map[string]any{"by": bob(), "command": c}
		wantRefused(t, name+" as before there were signatures", o.update(t.Context(), o.at, name, name+"1", plain), "it is not signed")
		wantRefused(t, name+" without an envelope", o.update(t.Context(), o.at, name, name+"2", c), "it is not signed")
		m := forged(t, o.keys, signature.Statement{Workflow: o.at, FirstRun: first, Message: name, ID: name + "3", By: bob()}, c)
		wantRefused(t, name+" with the seal of another installation", o.update(t.Context(), o.at, name, name+"3", m), "none of this installation's")
		ours := o.incidents.Keys.(*keyring.Ring)
		m.Seal.Key = ours.Keys()[0].ID
		wantRefused(t, name+" under our key's name", o.update(t.Context(), o.at, name, name+"4", m), "the signature does not fit")
		if n := o.refused.of(name, ""); n != 4 {
			t.Errorf("%s: %d refusals are logged, want 4", name, n)
		}
	}
	after := o.state(t, "shop", "target", "it is open", func(*incident.Incident) bool { return true })
	if after.Status != before.Status || after.Priority != before.Priority || slices.ContainsFunc(after.Timeline.Entries, func(e timeline.Entry) bool {
		return e.Actor.Kind == timeline.Person
	}) {
		t.Errorf("the incident has become %s, %s: %+v", after.Status, after.Priority, after.Timeline.Entries)
	}
}

// first is the id of the first run of the incident.
func (o *outsider) first(t *testing.T) string {
	t.Helper()
	run, err := o.temporal.DescribeWorkflowExecution(t.Context(), o.at, "")
	must(t, err)
	return run.GetWorkflowExecutionInfo().GetFirstRunId()
}

// What the installation has signed for one request is worth nothing for another.
func TestASealIsForOneRequestOfOneRunInTime(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	ours, first := o.incidents.Keys.(*keyring.Ring), o.first(t)
	s := signature.Statement{Workflow: o.at, FirstRun: first, Message: workflows.NoteUpdate, ID: "k1", By: bob()}
	note := forged(t, ours, s, incident.Note{Text: "mine"})
	must(t, o.update(t.Context(), o.at, workflows.NoteUpdate, "k1", note))
	must(t, o.update(t.Context(), o.at, workflows.NoteUpdate, "k1", note)) // the server knows this id: nothing happens

	const changed = "the signature does not fit"
	other := note
	other.By.ID = "cat"
	wantRefused(t, "in another's name", o.update(t.Context(), o.at, workflows.NoteUpdate, "k2", other), changed)
	wantRefused(t, "once more under another id", o.update(t.Context(), o.at, workflows.NoteUpdate, "k3", note), changed)
	wantRefused(t, "as another command", o.update(t.Context(), o.at, workflows.ResolveUpdate, "k1-resolve", note), changed)
	text := forged(t, ours, s, incident.Note{Text: "yours"})
	text.Seal = note.Seal
	wantRefused(t, "with other words", o.update(t.Context(), o.at, workflows.NoteUpdate, "k4", text), changed)
	o.begin(t, "till", "neighbour", "/ann/app")
	wantRefused(t, "to another incident", o.update(t.Context(), groupID("till", "neighbour"), workflows.NoteUpdate, "k1", note), changed)

	past, err := keyring.Open(filepath.Join(o.folder, keyring.File), func() time.Time { return time.Now().Add(-time.Hour) })
	must(t, err)
	s.ID = "k5"
	if _, err := keyring.Rotate(filepath.Join(o.folder, keyring.File), time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "an hour later", o.update(t.Context(), o.at, workflows.NoteUpdate, "k5", forged(t, past, s, incident.Note{Text: "late"})),
		"an old message was sent again, or a clock is wrong")
	i := o.state(t, "shop", "target", "it is open", func(*incident.Incident) bool { return true })
	if notes := entriesOf(i.Timeline.Entries, timeline.Noted, "text", "mine"); len(notes) != 1 || notes[0].Actor != bob() {
		t.Errorf("the timeline has %+v", notes)
	}
}

func TestNobodyStartsOrSignalsThroughTemporal(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	o.tell(t, "shop", "target", alerts.Firing, 2)
	stolen := o.stolen(t) // the start and a batch of alerts, as the history of the incident has them

	// A Signal has no one who waits: the incident says what it did not take.
	storm := alerts.Batch{Source: "alertmanager", ReceivedAt: time.Now(), Alerts: []alerts.Received{{Times: 1, Alert: alerts.Alert{Fingerprint: "forged", State: alerts.Firing}}}}
	for _, arg := range []any{storm, map[string]any{"by": bob(), "body": storm}} {
		must(t, o.temporal.SignalWorkflow(t.Context(), o.at, "", workflows.AlertsSignal, arg))
	}
	i := o.state(t, "shop", "target", "it has refused both", func(i *incident.Incident) bool {
		refused := entriesOf(i.Timeline.Entries, timeline.MessageRefused, "message", workflows.AlertsSignal)
		return len(refused) > 0 && o.refused.of(workflows.AlertsSignal, "it is not signed") == 2
	})
	if i.Alerts.Distinct() != 1 {
		t.Errorf("the incident has %d alerts, want the one that was told", i.Alerts.Distinct())
	}
	shown, err := o.incidents.Alerts(t.Context(), o.id, starter.AlertFilter{})
	if err != nil || len(shown.Found) != 1 {
		t.Errorf("the alerts are %+v, %v", shown, err)
	}

	// A batch that was sent to one incident is none for another.
	neighbour := o.begin(t, "till", "neighbour", "/ann/app")
	must(t, o.temporal.SignalWorkflow(t.Context(), groupID("till", "neighbour"), "", workflows.AlertsSignal, stolen.batch))
	o.state(t, "till", "neighbour", "it has refused the batch of another", func(i *incident.Incident) bool {
		return i.ID == neighbour && len(entriesOf(i.Timeline.Entries, timeline.MessageRefused, "message", workflows.AlertsSignal)) == 1
	})

	i.Times.Closed = time.Now()
	for what, start := range map[string]struct {
		id    string
		in    any
		cause string
	}{
		"not signed":          {"incident/forged/1", workflows.IncidentInput{ID: "INC-FORGED", Definition: &i.Definition}, "it is not signed"},
		"with a state":        {"incident/forged/2", workflows.IncidentInput{State: i}, "a state comes from the run before"},
		"copied from another": {"incident/forged/3", stolen.start, "the signature does not fit"},
		"signed by somebody else's": {"incident/forged/4", forged(t, o.keys, signature.Statement{
			Workflow: "incident/forged/4", Message: workflows.IncidentWorkflow, By: bob(),
		}, workflows.IncidentInput{ID: "INC-FORGED", Definition: &i.Definition}), "none of this installation's"},
	} {
		run, err := o.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: start.id, TaskQueue: workflows.TaskQueue}, workflows.IncidentWorkflow, start.in)
		must(t, err)
		wantRefused(t, "a start "+what, run.Get(t.Context(), nil), start.cause)
	}
	review, err := o.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "review/forged", TaskQueue: workflows.TaskQueue},
		workflows.ReviewWorkflow, workflows.ReviewInput{Due: time.Now()})
	must(t, err)
	wantRefused(t, "a review", review.Get(t.Context(), nil), "it is not signed")
	if pages := o.sink.got(taken(func(a attempt) bool { return a.Message.Incident == "INC-FORGED" })); len(pages) > 0 {
		t.Errorf("somebody was paged: %+v", pages)
	}
}

// A schedule has a run before, and so has whatever continues as an incident: neither hands on a state of ours.
func TestNobodyHandsOnAState(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	i := o.state(t, "shop", "target", "it is open", func(*incident.Incident) bool { return true })
	i.ID = "INC-FORGED"
	i.Timeline.Add(time.Now(), timeline.Acknowledged, bob())
	_, err := o.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "incident/forged/cron", TaskQueue: workflows.TaskQueue, CronSchedule: "@every 1s",
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.IDAttribute.ValueSet("INC-FORGED")),
	}, workflows.IncidentWorkflow, workflows.IncidentInput{State: i, Signed: true})
	must(t, err)
	must(t, until(t.Context(), "a run with a run before is refused", func() error {
		if o.refused.of(workflows.IncidentWorkflow, "it is not signed") == 0 {
			return errors.New("not yet")
		}
		return nil
	}))
	if got := o.sink.got(func(a attempt) bool { return a.Message.Incident == "INC-FORGED" }); len(got) > 0 {
		t.Errorf("somebody was told: %+v", got)
	}
	must(t, o.temporal.TerminateWorkflow(t.Context(), "incident/forged/cron", "", "the test is over"))
}

// Lists show what whoever starts a run has written there. Under the id of an incident, people still reach the incident.
func TestNobodyTakesTheIDOfAnIncident(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	_, err := o.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "incident/forged/id", TaskQueue: "nobody-polls", TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.IDAttribute.ValueSet(string(o.id)), workflows.StatusAttribute.ValueSet("closed"), workflows.CustomersAttribute.ValueSet([]string{"globex"}),
		),
	}, workflows.IncidentWorkflow, workflows.IncidentInput{ID: o.id})
	must(t, err)
	must(t, until(t.Context(), "lists have the forged run", func() error {
		n, err := o.temporal.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: o.engine.Namespace, Query: "WorkflowId = 'incident/forged/id'",
		})
		if err == nil && n.GetCount() == 0 {
			err = errors.New("not yet")
		}
		return err
	}))
	if ref, err := o.incidents.Find(t.Context(), o.id); err != nil || ref.WorkflowID != o.at {
		t.Errorf("found %+v, %v", ref, err)
	}
	must(t, command(t.Context(), o.bare, o.id, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
	if rows, _, err := o.incidents.List(t.Context(), starter.Filter{Customers: []string{"globex"}}); err != nil || len(rows) > 0 {
		t.Errorf("a customer is shown %+v, %v", rows, err)
	}
}

// stolen is what an outsider can read in Temporal and send again.
type stolen struct{ start, batch converter.RawValue }

func (o *outsider) stolen(t *testing.T) (s stolen) {
	t.Helper()
	must(t, until(t.Context(), "the history has both", func() error {
		runs, err := o.incidents.History(t.Context(), o.id)
		if err != nil {
			return err
		}
		for _, e := range runs[0].GetEvents() {
			if start := e.GetWorkflowExecutionStartedEventAttributes(); start != nil {
				s.start = converter.NewRawValue(start.GetInput().GetPayloads()[0])
			}
			if told := e.GetWorkflowExecutionSignaledEventAttributes(); told != nil {
				s.batch = converter.NewRawValue(told.GetInput().GetPayloads()[0])
			}
		}
		if s.start.Payload() == nil || s.batch.Payload() == nil {
			return errors.New("not yet")
		}
		return nil
	}))
	return s
}
