package acceptance_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"muster/activities"
	"muster/internal/action"
	alerts "muster/internal/alert"
	"muster/internal/audit"
	"muster/internal/devserver"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/starter"
	"muster/worker"
	"muster/workflows"
)

var update = flag.Bool("update", false, "record the histories that workflows/testdata lacks")

// Histories are what this code has done. Each is recorded once and then replayed by every later build, so a file that is
// there stays: with -update only those that are missing are written.
const (
	histories   = "../../workflows/testdata/histories/unreleased"
	mostHistory = 400_000 // bytes of one file
)

// The histories that workflows/replay_test.go replays, played once more on a real engine and replayed at once.
func TestHistoriesAsRecorded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays whole incidents")
	}
	sink := newReceiver(t)
	short := &shortRuns{workflow: groupID("till", "continues"), events: 60}
	organisation := organise(t, t.TempDir(), sink.url, nil)
	b := newBare(t, sink, organisation, devserver.Options{Memory: true},
		grpc.WithUnaryInterceptor(short.suggest))
	b.effects.Archives = &activities.Archives{Archivist: &inTwo{}}
	w := worker.New(b.temporal, b.effects, worker.Deployment{})
	must(t, w.Start())
	t.Cleanup(w.Stop)

	t.Run("happy", func(t *testing.T) {
		id := b.begin(t, "shop", "happy", "/ann/app")
		must(t, command(t.Context(), b, id, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
		must(t, command(t.Context(), b, id, workflows.NoteUpdate, incident.Note{Text: "The new release is slow."}))
		must(t, command(t.Context(), b, id, workflows.AssignUpdate, incident.Assign{Role: incident.CommunicationsManager, Person: "cat", Name: "Cat"}))
		must(t, command(t.Context(), b, id, workflows.SendUpdateUpdate, incident.SendUpdate{Text: "We are on it."}))
		b.tell(t, "shop", "happy", alerts.Firing, 2)
		must(t, command(t.Context(), b, id, workflows.MitigateUpdate, incident.Mitigate{Note: "Rolled back."}))
		b.tell(t, "shop", "happy", alerts.Resolved, 3)
		keep(t, "incident-happy", b.ended(t, "shop", "happy"))
		keep(t, "review-published", b.reviewed(t, id))
	})
	t.Run("action item", func(t *testing.T) { keep(t, "action", b.improved(t)) })
	t.Run("problem", func(t *testing.T) { keep(t, "problem", b.solved(t)) })
	t.Run("escalation", func(t *testing.T) { keep(t, "escalation", b.escalated(t)) })
	t.Run("timed out", func(t *testing.T) {
		b.tellUntil(t, "shop", "fades", alerts.Firing, 1, time.Now().Add(2*time.Second))
		b.tellUntil(t, "shop", "fades", alerts.Firing, 2, time.Now().Add(4*time.Second))
		keep(t, "incident-timed-out", b.ended(t, "shop", "fades"))
	})
	t.Run("refused", func(t *testing.T) {
		gone := failing(99, http.StatusNotFound, nil)
		sink.answer("/eve/app", gone)
		sink.answer("/eve/desk", gone)
		id := b.begin(t, "gone", "refused", "/fay/app")
		must(t, command(t.Context(), b, id, workflows.EscalateUpdate, incident.Escalate{Reason: "Nobody knows this system."}))
		b.awaitPage(t, "/cat/app", id)
		must(t, command(t.Context(), b, id, workflows.ResolveUpdate, incident.Resolve{Note: "It was the power supply."}))
		must(t, command(t.Context(), b, id, workflows.CloseUpdate, incident.Close{}))
		keep(t, "incident-refused", b.ended(t, "gone", "refused"))
	})
	t.Run("reopened", func(t *testing.T) {
		id := b.begin(t, "till", "reopened", "/ann/app")
		must(t, command(t.Context(), b, id, workflows.ResolveUpdate, incident.Resolve{Note: "Restarted."}))
		b.state(t, "till", "reopened", "every send has its outcome", settled)
		must(t, command(t.Context(), b, id, workflows.ReopenUpdate, incident.Reopen{Reason: "It is slow again."}))
		b.awaitPage(t, "/bob/app", id)
		must(t, command(t.Context(), b, id, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
		must(t, command(t.Context(), b, id, workflows.SetPriorityUpdate, incident.SetPriority{Urgency: "low", Reason: "One till only."}))
		must(t, command(t.Context(), b, id, workflows.ResolveUpdate, incident.Resolve{Note: "Replaced."}))
		b.state(t, "till", "reopened", "the customers have heard that it is over", settled)
		must(t, command(t.Context(), b, id, workflows.CloseUpdate, incident.Close{Note: "Done."}))
		keep(t, "incident-reopened", b.ended(t, "till", "reopened"))
		r, err := (&starter.Reviews{Temporal: b.temporal}).State(t.Context(), id)
		must(t, err)
		if again := entriesOf(r.Timeline.Entries, timeline.ReviewExtended, "", ""); len(again) != 1 || r.Facts.Reopened != 1 {
			t.Errorf("the review was extended %d times, of %d reopenings: want that the incident was resolved once more", len(again), r.Facts.Reopened)
		}
	})
	t.Run("continued", func(t *testing.T) {
		away := failing(1_000, http.StatusServiceUnavailable, nil)
		for _, path := range []string{"/ann/app", "/ann/desk"} {
			sink.answer(path, away)
		}
		b.tell(t, "till", "continues", alerts.Firing, 1)
		i := b.state(t, "till", "continues", "the run continues as new", func(i *incident.Incident) bool { return len(i.Runs) == 1 })
		for _, path := range []string{"/ann/app", "/ann/desk"} {
			sink.answer(path, nil)
		}
		b.awaitPage(t, "/ann/app", i.ID)
		must(t, command(t.Context(), b, i.ID, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
		must(t, command(t.Context(), b, i.ID, workflows.ResolveUpdate, incident.Resolve{Note: "The receiver is back."}))
		b.state(t, "till", "continues", "the customers have heard that it is over", settled)
		must(t, command(t.Context(), b, i.ID, workflows.CloseUpdate, incident.Close{}))
		runs := b.ended(t, "till", "continues")
		if len(runs) != 2 {
			t.Errorf("%d runs, want 2", len(runs))
		}
		i = b.state(t, "till", "continues", "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed })
		if len(entriesOf(i.Timeline.Entries, timeline.Resent, "what", "page")) == 0 {
			t.Error("no page was under way when the run continued: this history shows nothing")
		}
		keep(t, "incident-continued", runs)
	})
	t.Run("reported", func(t *testing.T) {
		phone, merged := b.reported(t)
		keep(t, "incident-reported", phone)
		keep(t, "incident-merged", merged)
	})
	t.Run("composed elsewhere", func(t *testing.T) { keep(t, "incident-composed-elsewhere", b.lagged(t, organisation)) })
	t.Run("handed over", func(t *testing.T) { keep(t, "handover", b.handedOver(t)) })
	t.Run("used", func(t *testing.T) { keep(t, "usage", b.used(t)) })
	t.Run("reminded", func(t *testing.T) {
		run, err := b.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "certificates", TaskQueue: workflows.TaskQueue},
			workflows.CertificateRemindersWorkflow)
		must(t, err)
		keep(t, "certificates", b.run(t, run.GetID()))
	})
	t.Run("archived", func(t *testing.T) {
		run, err := b.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflows.ArchiveSchedule, TaskQueue: workflows.TaskQueue},
			workflows.ArchiveWorkflow)
		must(t, err)
		keep(t, "archive", b.run(t, run.GetID()))
	})
	sink.check(t)
}

// lagged opens an incident with a newer folder than its worker has, which gets that folder when it has failed to compose a page, and
// returns the history.
func (b *bare) lagged(t *testing.T, organisation string) []*historypb.History {
	t.Helper()
	newer := organise(t, t.TempDir(), b.sink.url, nil)
	change := func(folder string) {
		file := filepath.Join(folder, "routes.yaml")
		text, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(file, append(text, "# and nothing else\n"...), 0o600))
	}
	change(newer)
	folder, err := org.Load(newer)
	must(t, err)
	b.tellBy(t, folder, "till", "newer", alerts.Firing, 1, time.Time{})
	id := b.state(t, "till", "newer", "the incident opens", func(*incident.Incident) bool { return true }).ID
	b.recorded(t, groupID("till", "newer"), func(h *historypb.History) error {
		for _, e := range h.GetEvents() {
			if e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == "Compose" {
				return nil
			}
		}
		return errors.New("no other worker is asked to compose")
	})
	change(organisation)
	if changed, err := b.live.Reload(); err != nil || !changed || b.live.Current().Revision != folder.Revision {
		t.Fatalf("reload the folder: changed %t, revision %s, %v; want revision %s", changed, b.live.Current().Revision, err, folder.Revision)
	}
	b.awaitPage(t, "/ann/app", id)
	must(t, command(t.Context(), b, id, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
	must(t, command(t.Context(), b, id, workflows.ResolveUpdate, incident.Resolve{Note: "Replaced."}))
	b.state(t, "till", "newer", "the customers have heard that it is over", settled)
	must(t, command(t.Context(), b, id, workflows.CloseUpdate, incident.Close{}))
	return b.ended(t, "till", "newer")
}

// inTwo needs two passes.
type inTwo struct{ done int }

func (x *inTwo) Pass(_ context.Context, at time.Time) (activities.ArchivedPass, error) {
	x.done++
	return activities.ArchivedPass{From: at.Add(-time.Hour), Until: at, Kept: 2, Logged: 2, More: x.done < 2}, nil
}

// handedOver hands a schedule over from bob to ann, who confirms it, and returns the history.
func (b *bare) handedOver(t *testing.T) []*historypb.History {
	t.Helper()
	const schedule = "primary"
	ann := somebody("ann")
	handovers := starter.Handovers{Temporal: b.temporal, Keys: b.incidents.Keys}
	terms := handover.Terms{
		Schedule: schedule, Outgoing: bob(), Incoming: ann, Note: "The new release is slow.", Within: handover.Usual, Zone: "UTC",
		Items: []handover.Item{{
			Incident: "INC-7K3M9QX2PA", Title: "Trouble", Service: "Shop", Status: incident.Acknowledged, Priority: priority.P2,
			Roles: []incident.Role{incident.IncidentManager},
		}},
		LastResort: []escalation.Target{{Kind: escalation.Person, ID: "cat"}},
	}
	for range 2 { // the same request finds what it has started
		_, err := handovers.Start(t.Context(), starter.Request{ID: "start", By: bob()}, terms)
		must(t, err)
	}
	if _, err := handovers.Start(t.Context(), starter.Request{ID: "another", By: bob()}, terms); err == nil || !strings.Contains(err.Error(), "from Bob to Ann") {
		t.Errorf("a second hand-over of the same schedule: got %v, want it refused with whose is under way", err)
	}
	must(t, until(t.Context(), "ann is asked", func() error {
		h, err := handovers.State(t.Context(), schedule)
		if err == nil && len(entriesOf(h.Timeline.Entries, timeline.Delivered, "to", "Ann")) == 0 {
			err = errors.New("nothing was delivered to her")
		}
		return err
	}))
	for _, asked := range []handover.Command{
		handover.Note{Text: "On the train."}, handover.Confirm{Note: "Good night."}, handover.Pass{Roles: 1},
	} {
		must(t, handovers.Ask(t.Context(), schedule, starter.Request{ID: fmt.Sprintf("%T", asked), By: ann}, asked))
	}
	return b.run(t, workflows.HandoverWorkflowID(schedule))
}

// used counts what a customer has used, and returns the history of its ledger, which goes on.
func (b *bare) used(t *testing.T) []*historypb.History {
	t.Helper()
	usages, now := b.incidents.Usages(), time.Now()
	one := usage.Window{Count: 1, From: now.Add(-time.Hour), To: now.Add(time.Hour)}
	claim := func(request string, take usage.Taking) usage.Counts {
		counts, err := usages.Claim(t.Context(), usage.Claim{Customer: "globex", Request: request, Feature: "review", At: now, Quota: &one, Take: take})
		must(t, err)
		return counts
	}
	if first, second, anyway := claim("REQ-1", usage.IfLeft), claim("REQ-2", usage.IfLeft), claim("REQ-2", usage.Anyway); !first.Taken || second.Taken || !anyway.Taken {
		t.Errorf("got %+v, %+v, %+v; want that one was left", first, second, anyway)
	}
	must(t, usages.Return(t.Context(), "globex", "REQ-1"))
	if left := claim("REQ-3", usage.Look); left.Used != 1 {
		t.Errorf("got %+v; want one use, the other was given back", left)
	}
	return b.recorded(t, workflows.UsageWorkflowID("globex"), func(*historypb.History) error { return nil })
}

// begin opens an incident and waits until somebody has taken its page.
func (b *bare) begin(t *testing.T, service, group, path string) incident.ID {
	t.Helper()
	b.tell(t, service, group, alerts.Firing, 1)
	i := b.state(t, service, group, "the incident opens", func(*incident.Incident) bool { return true })
	b.awaitPage(t, path, i.ID)
	must(t, until(t.Context(), "lists know it", func() error {
		_, err := b.incidents.Find(t.Context(), i.ID)
		return err
	}))
	return i.ID
}

func (b *bare) awaitPage(t *testing.T, path string, id incident.ID) {
	t.Helper()
	must(t, until(t.Context(), path+" is paged", func() error {
		if len(b.sink.got(taken(func(a attempt) bool { return pages(path)(a) && a.Message.Incident == string(id) }))) == 0 {
			return errors.New("no page was taken")
		}
		return nil
	}))
}

// ended waits until an incident is over, and returns its histories.
func (b *bare) ended(t *testing.T, service, group string) (runs []*historypb.History) {
	t.Helper()
	i := b.state(t, service, group, "the incident is closed", func(i *incident.Incident) bool { return i.Ended() })
	must(t, until(t.Context(), "the run is over", func() (err error) {
		if runs, err = b.incidents.History(t.Context(), i.ID); err != nil {
			return err
		}
		return over(runs[len(runs)-1])
	}))
	return runs
}

// over tells whether a history has its end.
func over(h *historypb.History) error {
	if last := h.GetEvents()[len(h.GetEvents())-1].GetEventType(); last != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED {
		return fmt.Errorf("the last event is %s", last)
	}
	return nil
}

// reviewed takes the review of an incident to published texts and to its end, and returns its history.
func (b *bare) reviewed(t *testing.T, id incident.ID) []*historypb.History {
	t.Helper()
	reviews := starter.Reviews{Temporal: b.temporal, Keys: b.incidents.Keys}
	asked := 0
	ask := func(by string, c review.Command) error {
		asked++
		return reviews.Ask(t.Context(), id, starter.Request{ID: fmt.Sprint("review", asked), By: somebody(by)}, c)
	}
	must(t, until(t.Context(), "the review knows what was changed before", func() error {
		r, err := reviews.State(t.Context(), id)
		if err == nil && !r.Sought {
			err = errors.New("it does not")
		}
		return err
	}))
	for _, k := range review.Wanted() {
		must(t, ask("bob", review.Write{Section: k, Text: "What is known of " + string(k) + "."}))
	}
	must(t, ask("bob", review.AddFactor{Kind: review.Technical, Text: "The pool was too small."}))
	must(t, ask("bob", review.AddFactor{Kind: review.Process, Text: "Nobody tests under load."}))
	must(t, ask("bob", review.RemoveFactor{Number: 2}))
	must(t, ask("bob", review.SetPattern{Symptom: "It is slow.", Cause: "The pool of connections is empty.", Remedy: "Restart the pool."}))
	must(t, ask("bob", review.Submit{}))
	r, err := reviews.State(t.Context(), id)
	must(t, err)
	sum := r.Text(review.Internal).SHA256
	if ask("bob", review.Approve{Audience: review.Internal, SHA256: sum, Sides: []review.Side{review.TechnicalSide}}) == nil {
		t.Error("whoever has written the review may approve it")
	}
	must(t, ask("ann", review.Approve{Audience: review.Internal, SHA256: sum, Sides: []review.Side{review.TechnicalSide}}))
	must(t, ask("bob", review.HoldMeeting{Who: []string{"Ann", "Bob"}, Minutes: "Agreed."}))
	must(t, ask("bob", review.PublishText{Audience: review.Internal, SHA256: sum}))
	must(t, ask("bob", review.AddAction{ID: "ACT-0000000001", Title: "A larger pool"}))
	must(t, ask("bob", review.Note{Text: "Well done."}))
	must(t, ask("bob", review.Close{Text: "All said."}))
	return b.run(t, workflows.ReviewWorkflowID(id))
}

// improved takes an action item from its opening until it has helped, and returns its history.
func (b *bare) improved(t *testing.T) []*historypb.History {
	t.Helper()
	actions := b.incidents.Actions()
	a, err := actions.Start(t.Context(), starter.Request{ID: "improve", By: bob()}, action.Terms{
		Asked: action.Asked{
			Title: "A larger pool", Kind: action.Prevent, Priority: priority.P3, Owner: "bob", Group: "night", Due: time.Now().Add(365 * 24 * time.Hour),
			Effect: 30, Origin: action.Origin{Kind: action.OfReview, ID: "INC-7K3M9QX2PA", Service: "shop"},
		},
		Pinned: action.Pinned{Organisation: "Night", Zone: "UTC", OwnerName: "Bob"},
	})
	must(t, err)
	asked := 0
	ask := func(by string, c action.Command) error {
		asked++
		return actions.Ask(t.Context(), a.ID, starter.Request{ID: fmt.Sprint("action", asked), By: somebody(by)}, c)
	}
	must(t, ask("bob", action.Note{Text: "Ordered."}))
	must(t, ask("bob", action.Extend{Due: time.Now().Add(400 * 24 * time.Hour), Reason: "It comes by ship."}))
	must(t, ask("bob", action.Complete{Evidence: "changes/204"}))
	if ask("bob", action.Verify{Result: action.Yes}) == nil {
		t.Error("whoever has done it may verify it")
	}
	must(t, ask("ann", action.Verify{Result: action.No, Note: "It is the old one."}))
	must(t, ask("bob", action.Complete{Evidence: "changes/205"}))
	must(t, ask("ann", action.Verify{Result: action.Yes}))
	must(t, ask("ann", action.CheckEffect{Result: action.Yes}))
	return b.run(t, workflows.ActionWorkflowID(a.ID))
}

// solved takes a problem from its opening by hand to its end, and returns its history.
func (b *bare) solved(t *testing.T) []*historypb.History {
	t.Helper()
	problems := b.incidents.Problems()
	key := problem.Key{By: incident.SameAlert, Value: "Trouble"}
	p, err := problems.Open(t.Context(), starter.Request{ID: "solve", By: bob()}, problem.Terms{
		Title: "The pool runs dry", Key: key,
		Pinned: problem.Pinned{
			Organisation: "Night", Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"}, Watch: 30 * 24 * time.Hour,
			Owner: problem.Owner{Name: "Bob", Targets: []escalation.Target{{Kind: escalation.Person, ID: "bob"}}}, Remind: problem.Idle{Within: 7 * 24 * time.Hour},
		},
	})
	must(t, err)
	for n, c := range []problem.Command{
		problem.SetKnownError{Text: "The pool runs dry at night.", Workaround: "Restart it."},
		problem.SetCause{Text: "Connections are not given back."},
		problem.SetFix{Text: "They are given back.", Actions: []string{"ACT-0000000001"}},
		problem.Note{Text: "Since release 4.2."},
		problem.Close{Reason: "It has not come back."},
	} {
		must(t, problems.Ask(t.Context(), p.ID, starter.Request{ID: fmt.Sprint("problem", n), By: bob()}, c))
	}
	return b.run(t, workflows.ProblemWorkflowID("shop", key))
}

// escalated takes a risk from whoever sees it until it is in hand, and returns the history.
func (b *bare) escalated(t *testing.T) []*historypb.History {
	t.Helper()
	escalations := b.incidents.Escalations()
	to := func(id string) risk.Level {
		return risk.Level{Targets: []escalation.Target{{Kind: escalation.Person, ID: id}}, Wait: time.Hour}
	}
	e, err := escalations.Start(t.Context(), starter.Request{ID: "escalate", By: bob()}, risk.Terms{
		Asked: risk.Asked{
			Situation: "The disks fill up.", Importance: "The shop stops when they are full.", Affected: "Every customer of the shop.", Scale: "All sales.",
			Urgency: "At once.", Remedy: "Buy disks, and delete old logs until then.", Priority: priority.P2, Service: "shop",
		},
		Pinned: risk.Pinned{Organisation: "Night", Zone: "UTC", ServiceName: "Shop", Policy: "management", Levels: []risk.Level{to("ann"), to("cat")}},
	})
	must(t, err)
	asked := 0
	ask := func(by string, c risk.Command) error {
		asked++
		return escalations.Ask(t.Context(), e.ID, starter.Request{ID: fmt.Sprint("escalation", asked), By: somebody(by)}, c)
	}
	must(t, ask("ann", risk.Take{Note: "I look at it."}))
	must(t, ask("ann", risk.Answer{Text: "There is a week left."}))
	must(t, ask("bob", risk.Raise{Reason: "There are two days left."}))
	if ask("cat", risk.Confirm{}) == nil {
		t.Error("somebody else than its originator may say that it is in hand")
	}
	must(t, ask("cat", risk.Take{}))
	must(t, ask("cat", risk.Answer{Text: "The disks come tomorrow."}))
	must(t, ask("bob", risk.Confirm{Note: "They are here."}))
	return b.run(t, workflows.EscalationWorkflowID(e.ID))
}

func somebody(id string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: strings.ToUpper(id[:1]) + id[1:]}
}

// run waits until the newest run of a workflow is over, and returns its history.
func (b *bare) run(t *testing.T, name string) []*historypb.History {
	t.Helper()
	return b.recorded(t, name, over)
}

// recorded waits until the history of the newest run of a workflow is whole, and returns it.
func (b *bare) recorded(t *testing.T, name string, whole func(*historypb.History) error) []*historypb.History {
	t.Helper()
	var run *historypb.History
	must(t, until(t.Context(), name+" is over", func() (err error) {
		if run, err = b.historyOf(t.Context(), name, ""); err != nil {
			return err
		}
		return whole(run)
	}))
	return []*historypb.History{run}
}

// historyOf reads the history of a run of a workflow, the newest one where none is named.
func (b *bare) historyOf(ctx context.Context, name, run string) (*historypb.History, error) {
	h := &historypb.History{}
	events := b.temporal.GetWorkflowHistory(ctx, name, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, err
		}
		h.Events = append(h.Events, e)
	}
	return h, nil
}

// keep replays histories as an auditor would read them, and records them where there is none of that name yet.
func keep(t *testing.T, name string, runs []*historypb.History) {
	t.Helper()
	var text bytes.Buffer
	must(t, audit.Encode(&text, runs))
	read, err := audit.Decode(bytes.NewReader(text.Bytes()))
	must(t, err)
	replayed, err := audit.Replay(read)
	must(t, err)
	must(t, replayed.Differences.Err())
	if text.Len() > mostHistory {
		t.Errorf("history %s has %d bytes, want at most %d", name, text.Len(), mostHistory)
	}
	path := filepath.Join(histories, name+".json")
	switch _, err := os.Stat(path); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	case *update:
		must(t, os.MkdirAll(histories, 0o755))
		must(t, os.WriteFile(path, text.Bytes(), 0o644))
		t.Logf("recorded %s: %d runs, %d bytes", path, len(runs), text.Len())
	default:
		t.Errorf("%s is missing: record it with -update", path)
	}
}

// shortRuns makes the server's suggestion to continue as new come early in the first run of one workflow: a server would
// make it after 4,096 events or 4 MB, which is no size for a file. Worker and history see the same.
type shortRuns struct {
	workflow string
	events   int64

	mu    sync.Mutex
	first string // run
}

func (s *shortRuns) suggest(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
		return err
	}
	switch r := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		if r.GetWorkflowExecution().GetWorkflowId() == s.workflow {
			s.mark(r.GetWorkflowExecution().GetRunId(), r.GetHistory())
		}
	case *workflowservice.RespondWorkflowTaskCompletedResponse: // may carry the next task with it
		if t := r.GetWorkflowTask(); t.GetWorkflowExecution().GetWorkflowId() == s.workflow {
			s.mark(t.GetWorkflowExecution().GetRunId(), t.GetHistory())
		}
	case *workflowservice.GetWorkflowExecutionHistoryResponse:
		if x := req.(*workflowservice.GetWorkflowExecutionHistoryRequest).GetExecution(); x.GetWorkflowId() == s.workflow {
			s.mark(x.GetRunId(), r.GetHistory())
		}
	}
	return nil
}

func (s *shortRuns) mark(run string, h *historypb.History) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == "" {
		s.first = run
	}
	for _, e := range h.GetEvents() {
		if a := e.GetWorkflowTaskStartedEventAttributes(); a != nil && run == s.first && e.GetEventId() >= s.events {
			a.SuggestContinueAsNew = true
		}
	}
}
