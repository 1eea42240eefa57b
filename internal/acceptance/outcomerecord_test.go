package acceptance_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/grpc"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/devserver"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/risk"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/starter"
	"muster/worker"
	"muster/workflows"
)

// ends plays what has come of a run otherwise than in the stories of TestHistoriesAsRecorded.
type ends struct {
	*bare
	*testing.T
	leaps *leaps
	asks  int
}

func (e *ends) request(by string) starter.Request {
	e.asks++
	return starter.Request{ID: fmt.Sprintf("%s-%d", e.Name(), e.asks), By: somebody(by), Via: "token:test"}
}

// comes lets instants come in a workflow, which a nudge wakes.
func (e *ends) comes(workflow string, nudge func(), at ...time.Time) {
	e.Helper()
	e.leap(e.T, e.leaps, workflow, nudge, at...)
}

// becomes waits until what a workflow shows of itself is as it has to be.
func becomes[S any](e *ends, workflow, what string, ok func(*S) bool) *S {
	e.Helper()
	var s *S
	must(e.T, until(e.Context(), what, func() error {
		v, err := e.temporal.QueryWorkflow(e.Context(), workflow, "", workflows.StateQuery)
		if err != nil {
			return err
		}
		s = new(S)
		if err := v.Get(s); err != nil {
			return err
		}
		if !ok(s) {
			return fmt.Errorf("%s is otherwise", workflow)
		}
		return nil
	}))
	return s
}

// The histories of all other ends, played once more on a real engine and replayed at once.
func TestOutcomeHistoriesAsRecorded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays whole lives")
	}
	sink, ahead := newReceiver(t), &leaps{}
	short, quiet := &shortRuns{workflow: workflows.UsageWorkflowID("initech"), events: 30}, &shortRuns{workflow: continuingSilence(), events: 20}
	grown := &shortRuns{workflow: growingSilence(), events: 20}
	often := &shortRuns{workflow: workflows.AutomaticResponseWorkflowID("often"), events: 20}
	busy, long := &shortRuns{workflow: workflows.HeartbeatWorkflowID("busy"), events: 30}, &shortRuns{workflow: workflows.RoutineWorkflowID("long"), events: 40}
	b := newBare(t, sink, organise(t, t.TempDir(), sink.url, nil), devserver.Options{Memory: true},
		grpc.WithChainUnaryInterceptor(short.suggest, quiet.suggest, grown.suggest, busy.suggest, long.suggest, often.suggest, ahead.intercept))
	b.effects.Deliveries.Senders[delivery.Console] = blackboard{}
	b.effects.Rooms.Keeper = lobby{}
	weekly := newRoster()
	weekly.keep(&b.effects)
	b.effects.Runbooks.Runner = mechanic{b.effects.Runbooks.Runner}
	refused := b.effects.Admission.Refused
	b.effects.Admission.Refused = func(r worker.Refusal) {
		if forged := r.Workflow == groupID("bank", "vendor") && r.Message == workflows.AlertsSignal; !forged && !strings.HasPrefix(r.Workflow, unsigned) {
			refused(r)
		}
	}
	w := worker.New(b.temporal, b.effects, worker.Deployment{})
	must(t, w.Start())
	t.Cleanup(w.Stop)
	for name, play := range map[string]func(*ends) []*historypb.History{
		"handover-declined":     (*ends).handoverDeclined,
		"handover-lapsed":       (*ends).handoverLapsed,
		"handover-unknown":      (*ends).handoverUnknown,
		"request-declined":      (*ends).requestDeclined,
		"request-withdrawn":     (*ends).requestWithdrawn,
		"request-closed":        (*ends).requestClosed,
		"request-lapsed":        (*ends).requestLapsed,
		"action-cancelled":      (*ends).actionCancelled,
		"problem-held":          (*ends).problemHeld,
		"change-done":           (*ends).changeDone,
		"change-announced":      (*ends).changeAnnounced,
		"change-rejected":       (*ends).changeRejected,
		"change-withdrawn":      (*ends).changeWithdrawn,
		"change-lapsed":         (*ends).changeLapsed,
		"change-planned":        (*ends).changePlanned,
		"change-out-of-scope":   (*ends).changeOutOfScope,
		"change-emergency":      (*ends).changeEmergency,
		"change-excepted":       (*ends).changeExcepted,
		"escalation-unheard":    (*ends).escalationUnheard,
		"usage-continued":       (*ends).usageContinued,
		"heartbeat":             (*ends).heartbeat,
		"heartbeat-continued":   (*ends).heartbeatContinued,
		"routine":               func(e *ends) []*historypb.History { return e.routine(weekly, "check") },
		"routine-continued":     func(e *ends) []*historypb.History { return e.routine(weekly, "long") },
		"routine-visited":       func(e *ends) []*historypb.History { return e.routine(weekly, "visited") },
		"incident-responded":    (*ends).incidentResponded,
		"response":              (*ends).response,
		"response-continued":    (*ends).responseContinued,
		"go-live-cancelled":     (*ends).goLiveCancelled,
		"maintenance-cancelled": (*ends).maintenanceCancelled,
		"maintenance-items":     (*ends).maintenanceItems,
		"upgrade-overridden":    (*ends).upgradeOverridden,
		"incident-split":        (*ends).incidentSplit,
		"incident-nearby":       (*ends).incidentNearby,
		"incident-vendor":       (*ends).incidentVendor,
		"incident-ticket":       (*ends).incidentTicket,
		"incident-chat":         (*ends).incidentChat,
		"incident-room":         (*ends).incidentRoom,
		"incident-unanswered":   (*ends).incidentUnanswered,
		"silence-ended":         (*ends).silenceEnded,
		"silence-over":          (*ends).silenceOver,
		"silence-too-many":      (*ends).silenceFull,
		"silence-continued":     (*ends).silenceContinued,
		"silence-goes-on":       (*ends).silenceGoesOn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keep(t, name, play(&ends{bare: b, T: t, leaps: ahead}))
		})
	}
	t.Run("unsigned", func(t *testing.T) { (&ends{bare: b, T: t}).refusedStarts() })
	t.Cleanup(func() { sink.check(t) })
}

// handsOver begins the hand-over of a schedule from bob to somebody.
func (e *ends) handsOver(schedule, to string, items ...handover.Item) (handovers *starter.Handovers, workflow string, h *handover.Handover) {
	e.Helper()
	handovers, workflow = &starter.Handovers{Temporal: e.temporal, Keys: e.incidents.Keys}, workflows.HandoverWorkflowID(schedule)
	h, err := handovers.Start(e.Context(), e.request("bob"), handover.Terms{
		Schedule: schedule, Outgoing: bob(), Incoming: somebody(to), Note: "All quiet.", Within: handover.Usual, Zone: "UTC", Items: items,
		LastResort: []escalation.Target{{Kind: escalation.Person, ID: "cat"}},
	})
	must(e.T, err)
	return handovers, workflow, h
}

func (e *ends) handoverDeclined() []*historypb.History {
	e.sink.answer("/fay/app", failing(1_000, http.StatusServiceUnavailable, nil)) // so that what she is asked is under way, and taken back
	handovers, workflow, _ := e.handsOver("primary", "fay")
	must(e.T, until(e.Context(), "she is asked", func() error {
		if len(e.sink.got(func(a attempt) bool { return a.path == "/fay/app" })) == 0 {
			return errors.New("she is not")
		}
		return nil
	}))
	must(e.T, handovers.Ask(e.Context(), "primary", e.request("fay"), handover.Decline{Reason: "I am ill."}))
	return e.run(e.T, workflow)
}

func (e *ends) handoverLapsed() []*historypb.History {
	handovers, workflow, h := e.handsOver("secondary", "ann")
	e.comes(workflow, func() {
		must(e.T, handovers.Ask(e.Context(), "secondary", e.request("bob"), handover.Note{Text: "Ann, are you there?"}))
	}, h.Due)
	becomes(e, workflow, "it is escalated", func(h *handover.Handover) bool { return h.Rounds == 1 })
	e.comes(workflow, func() {
		must(e.T, handovers.Ask(e.Context(), "secondary", e.request("bob"), handover.Note{Text: "Nobody is there."}))
	}, h.Ends)
	return e.run(e.T, workflow)
}

func (e *ends) handoverUnknown() []*historypb.History {
	const schedule = "tertiary"
	handovers, workflow, _ := e.handsOver(schedule, "ann", handover.Item{
		Incident: "INC-7K3M9QX2PA", Title: "Trouble", Service: "Shop", Status: incident.Acknowledged, Priority: priority.P2,
		Roles: []incident.Role{incident.IncidentManager},
	})
	must(e.T, handovers.Ask(e.Context(), schedule, e.request("cat"), handover.Confirm{InsteadOf: "ann"}))
	h := becomes(e, workflow, "it is confirmed", func(h *handover.Handover) bool { return h.Status == handover.Confirmed })
	e.comes(workflow, func() {
		must(e.T, handovers.Ask(e.Context(), schedule, e.request("cat"), handover.Note{Text: "Ann is ill."}))
	}, h.NextDue())
	return e.run(e.T, workflow)
}

// asking is a request of a customer, of which its plan grants so much.
func asking(customer string, grant supportplan.Grant) request.Terms {
	now := time.Now().UTC()
	e := supportplan.Entitlement{
		Terms: supportplan.Terms{Coverage: supportplan.AroundTheClock, Column: "basic"},
		Table: supportplan.Table{Columns: []supportplan.Column{{ID: "basic"}}, Groups: []supportplan.Group{{Features: []supportplan.Feature{
			{ID: "tuning", In: []supportplan.Grant{grant}},
		}}}},
	}
	return request.Terms{
		Asked: request.Asked{Customer: customer, Kind: "tuning", Feature: "tuning", Received: now, Text: "It is slow."},
		Pinned: request.Pinned{
			Organisation: "Trial", CustomerName: customer, Zone: "UTC", Entitlement: e, AtRisk: 75, Confirm: &supportplan.Confirmation{Days: 2},
			Promises: []supportplan.Promise{{Target: supportplan.Respond, Within: time.Hour}},
			Uncounted: e.Check(supportplan.Request{
				Feature: "tuning", At: now, Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: true},
			}),
			Needs: []request.Need{{ID: "logs", Name: supportplan.Text{English: "Logs", Korean: "로그"}}},
		},
	}
}

// requests receives a request that bob records, waits until it stands somewhere, and returns how to ask of it.
func (e *ends) requests(terms request.Terms, want request.Status) (workflow string, ask func(by string, c request.Command) error) {
	e.Helper()
	all := e.incidents.Requests()
	r, err := all.Start(e.Context(), e.request("bob"), terms)
	must(e.T, err)
	workflow = workflows.RequestWorkflowID(r.ID)
	becomes(e, workflow, "the request is "+string(want), func(r *request.Request) bool { return r.Status == want })
	return workflow, func(by string, c request.Command) error { return all.Ask(e.Context(), r.ID, e.request(by), c) }
}

func (e *ends) requestDeclined() []*historypb.History {
	terms := asking("acme", supportplan.Grant{Kind: supportplan.AddOn})
	terms.Promises = append(terms.Promises, supportplan.Promise{Target: supportplan.Resolve, Days: 1, Calendar: "lost"})
	workflow, ask := e.requests(terms, request.Waiting)
	if ask("bob", request.Decline{Reason: "Mine."}) == nil {
		e.Error("whoever has recorded it may decide on it")
	}
	must(e.T, ask("ann", request.Decline{Reason: "It is not in the plan.", Offer: "The larger plan has it."}))
	return e.run(e.T, workflow)
}

func (e *ends) requestWithdrawn() []*historypb.History {
	once := supportplan.Grant{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: 1, Per: supportplan.Month}}
	workflow, ask := e.requests(asking("globex", once), request.Accepted)
	second, askSecond := e.requests(asking("globex", once), request.Waiting) // for the first one has used it up
	must(e.T, ask("ann", request.Withdraw{Reason: "It is fast again."}))
	e.run(e.T, workflow)
	must(e.T, askSecond("ann", request.Approve{Reason: "As a favour."}))
	becomes(e, second, "it is counted", func(r *request.Request) bool {
		return len(entriesOf(r.Timeline.Entries, timeline.RequestCounted, "", "")) == 1
	})
	must(e.T, askSecond("ann", request.Withdraw{Reason: "It is fast again."}))
	return e.run(e.T, second)
}

func (e *ends) requestClosed() []*historypb.History {
	workflow, ask := e.requests(asking("acme", supportplan.Grant{Kind: supportplan.Included}), request.Accepted)
	chase := time.Now().Add(48 * time.Hour)
	for _, c := range []request.Command{
		request.Take{Note: "I look at it."},
		request.Collect{Need: "logs", Text: "logs/204"},
		request.HandOver{Person: "cat", Name: "Cat", Note: "You know it.", Engineer: true},
		request.RecordCase{Vendor: "skyhost", Name: "Skyhost", Ref: "SR-1", Chase: chase},
	} {
		must(e.T, ask("ann", c))
	}
	e.comes(workflow, func() { must(e.T, ask("ann", request.Note{Text: "They are slow."})) }, chase)
	becomes(e, workflow, "the vendor is to be asked again, and the promise is missed", func(r *request.Request) bool {
		return r.Case.Chased && r.Clocks[0].Late
	})
	for _, c := range []struct {
		by string
		request.Command
	}{
		{"cat", request.Meet{Purpose: "What it needs", Who: []string{"Cat"}, Text: "More memory."}},
		{"cat", request.Promote{Incident: "INC-7K3M9QX2PA"}},
		{"cat", request.Answer{Text: "Restart it."}},
		{"ann", request.Judge{Result: request.Incomplete, Note: "It is still slow."}},
		{"cat", request.Answer{Text: "It has more memory."}},
		{"ann", request.Judge{Result: request.Complete, Score: 4, Note: "Thank you."}},
	} {
		must(e.T, ask(c.by, c.Command))
	}
	return e.run(e.T, workflow)
}

func (e *ends) requestLapsed() []*historypb.History {
	terms := asking("acme", supportplan.Grant{Kind: supportplan.Included})
	terms.Begun = request.WithVendor
	workflow, ask := e.requests(terms, request.Answered)
	r := becomes(e, workflow, "it is known until when the customer may object", func(r *request.Request) bool { return !r.Closes.IsZero() })
	e.comes(workflow, func() { must(e.T, ask("ann", request.Note{Text: "They know it."})) }, r.Closes)
	return e.run(e.T, workflow)
}

// actionCancelled is done, has not helped, is late, and is given up.
func (e *ends) actionCancelled() []*historypb.History {
	actions := e.incidents.Actions()
	a, err := actions.Start(e.Context(), e.request("bob"), action.Terms{
		Asked: action.Asked{
			Title: "A larger pool", Kind: action.Prevent, Priority: priority.P3, Owner: "zoe", Group: "night", Due: time.Now().Add(24 * time.Hour), Effect: 30,
		},
		Pinned: action.Pinned{Organisation: "Night", Zone: "UTC", OwnerName: "Zoe"},
	})
	must(e.T, err)
	workflow := workflows.ActionWorkflowID(a.ID)
	ask := func(by string, c action.Command) { must(e.T, actions.Ask(e.Context(), a.ID, e.request(by), c)) }
	becomes(e, workflow, "its owner is not found", func(a *action.Action) bool { return a.Ownerless })
	ask("ann", action.Assign{Owner: "cat", Name: "Cat", Reason: "Zoe has left."})
	ask("cat", action.Complete{Evidence: "changes/204"})
	ask("ann", action.Verify{Result: action.Yes})
	a = becomes(e, workflow, "it is verified", func(a *action.Action) bool { return a.Status == action.Verified })
	e.comes(workflow, func() { ask("ann", action.Note{Text: "It is quiet."}) }, a.CheckAt)
	becomes(e, workflow, "it is asked whether it has helped", func(a *action.Action) bool { return a.Asking })
	ask("ann", action.CheckEffect{Result: action.No, Note: "It has run dry again."})
	a = becomes(e, workflow, "it is open again", func(a *action.Action) bool { return a.Status == action.Open })
	e.comes(workflow, func() { ask("ann", action.Note{Text: "It waits for disks."}) }, a.Due)
	becomes(e, workflow, "it is overdue", func(a *action.Action) bool { return a.Late })
	if actions.Ask(e.Context(), a.ID, e.request("cat"), action.Cancel{Reason: "I do not want to."}) == nil {
		e.Error("its owner may cancel it")
	}
	ask("ann", action.Cancel{Reason: "The pool is gone."})
	return e.run(e.T, workflow)
}

// problemHeld comes back after its first fix, and does not after its second.
func (e *ends) problemHeld() []*historypb.History {
	problems, key := e.incidents.Problems(), problem.Key{By: incident.SameAlert, Value: "Held"}
	person := func(id string) []escalation.Target { return []escalation.Target{{Kind: escalation.Person, ID: id}} }
	p, err := problems.Open(e.Context(), e.request("bob"), problem.Terms{
		Title: "The pool runs dry", Key: key,
		Incidents: []problem.Occurrence{{Incident: "INC-7K3M9QX2PA", Title: "Slow", Started: time.Now().Add(-time.Hour)}},
		Rule:      &problem.Rule{Times: 1, Within: 24 * time.Hour},
		Pinned: problem.Pinned{
			Organisation: "Night", Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"}, Watch: 30 * 24 * time.Hour,
			Owner: problem.Owner{Name: "Bob", Targets: person("bob")}, Remind: problem.Idle{Within: 7 * 24 * time.Hour}, Escalate: person("cat"),
		},
	})
	must(e.T, err)
	workflow := workflows.ProblemWorkflowID("shop", key)
	ask := func(c problem.Command) { must(e.T, problems.Ask(e.Context(), p.ID, e.request("bob"), c)) }
	e.comes(workflow, func() { ask(problem.Note{Text: "Nobody has time."}) }, time.Now().Add(10*24*time.Hour), time.Now().Add(20*24*time.Hour))
	becomes(e, workflow, "it is escalated", func(p *problem.Problem) bool { return p.Reminders == 2 })
	ask(problem.Assign{Owner: problem.Owner{Name: "Cat", Targets: person("cat")}})
	ask(problem.UnlinkIncident{Incident: "INC-7K3M9QX2PA", Reason: "It was the network."})
	ask(problem.SetKnownError{Text: "The pool runs dry at night.", Workaround: "Restart it."})
	ask(problem.SetFix{Text: "A larger pool.", Planned: true})
	ask(problem.SetCause{Text: "Connections are not given back."})
	ask(problem.SetFix{Text: "A larger pool."})
	fixed := becomes(e, workflow, "it is fixed", func(p *problem.Problem) bool { return p.Status == problem.Fixed })
	ask(problem.LinkIncident{Occurrence: problem.Occurrence{Incident: "INC-7K3M9QX2PB", Title: "Slow", Started: fixed.FixedAt.Add(time.Hour)}})
	ask(problem.SetFix{Text: "They are given back."})
	fixed = becomes(e, workflow, "it is fixed anew", func(p *problem.Problem) bool { return p.Status == problem.Fixed && p.Reopened == 1 })
	e.comes(workflow, func() { ask(problem.Note{Text: "It is quiet."}) }, fixed.WatchUntil)
	return e.run(e.T, workflow)
}

// escalationUnheard is answered by nobody, and its originator has left, until a successor has an answer.
func (e *ends) escalationUnheard() []*historypb.History {
	escalations := e.incidents.Escalations()
	to := func(id string) risk.Level {
		return risk.Level{Targets: []escalation.Target{{Kind: escalation.Person, ID: id}}, Wait: time.Hour}
	}
	r, err := escalations.Start(e.Context(), e.request("zoe"), risk.Terms{
		Asked: risk.Asked{
			Situation: "The disks fill up.", Importance: "The shop stops when they are full.", Affected: "Every customer of the shop.", Scale: "All sales.",
			Urgency: "At once.", Remedy: "Buy disks.", Priority: priority.P2, Service: "shop",
		},
		Pinned: risk.Pinned{Organisation: "Night", Zone: "UTC", ServiceName: "Shop", Policy: "management", Levels: []risk.Level{to("ann"), to("cat")}},
	})
	must(e.T, err)
	workflow := workflows.EscalationWorkflowID(r.ID)
	ask := func(by string, c risk.Command) { must(e.T, escalations.Ask(e.Context(), r.ID, e.request(by), c)) }
	e.comes(workflow, func() { ask("bob", risk.Note{Text: "Nobody answers."}) }, r.Deadline)
	r = becomes(e, workflow, "the next level has it, and its originator is not found", func(r *risk.Escalation) bool { return r.Level == 1 && r.Gone })
	e.comes(workflow, func() { ask("bob", risk.Note{Text: "Still nobody."}) }, r.Deadline)
	becomes(e, workflow, "nobody hears it", func(r *risk.Escalation) bool { return r.Round == 1 })
	ask("bob", risk.Succeed{Person: "dan", Name: "Dan", Reason: "Zoe has left."})
	ask("cat", risk.Answer{Text: "The disks come tomorrow."})
	ask("dan", risk.Confirm{})
	return e.run(e.T, workflow)
}

// usageContinued goes on in a second run.
func (e *ends) usageContinued() []*historypb.History {
	usages, now, workflow := e.incidents.Usages(), time.Now(), workflows.UsageWorkflowID("initech")
	claim := func(n int) {
		_, err := usages.Claim(e.Context(), usage.Claim{
			Customer: "initech", Request: fmt.Sprintf("REQ-%d", n), Feature: "review", At: now, Take: usage.Anyway,
		})
		must(e.T, err)
	}
	for n := range 100 {
		if claim(n); len(e.chain(workflow)) == 2 {
			break
		}
	}
	claim(100) // of the second run, which has begun then
	kept := usages.States(e.Context(), []string{"initech", "nobody"})
	if must(e.T, kept[0].Err); !slices.ContainsFunc(kept[0].State.Uses, func(u usage.Use) bool { return u.Request == "REQ-0" }) ||
		kept[0].State.Uses[len(kept[0].State.Uses)-1].Request != "REQ-100" {
		e.Errorf("the ledger has %+v; want what was counted in both runs", kept[0].State.Uses)
	}
	if _, none := errors.AsType[*starter.NotFoundError](kept[1].Err); !none {
		e.Errorf("of who has used nothing: %+v; want that there is no ledger", kept[1])
	}
	return e.chain(workflow)
}

// chain is the histories of all runs of a workflow, the oldest first.
func (e *ends) chain(workflow string) (runs []*historypb.History) {
	e.Helper()
	for run := ""; ; {
		h, err := e.historyOf(e.Context(), workflow, run)
		must(e.T, err)
		runs = append([]*historypb.History{h}, runs...)
		if run = h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); run == "" {
			return runs
		}
	}
}
