package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/timeline"
	"muster/workflows"
)

// Problem writes what can be told apart: what it is about, and where the problem stands.
func (writer) Problem(t problem.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Problem, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}, nil
}

// causes know the problems behind incidents.
type causes struct {
	mu     sync.Mutex
	open   *problem.Found       // the problem that is open
	before []problem.Occurrence // incidents that are closed
	away   bool
	heard  []string // incidents that the open problem was told of
	begun  []problem.Terms
}

func (c *causes) Problem(service string) (problem.Pinned, error) { return leak().Pinned, nil }

func (c *causes) Occurred(_ context.Context, service string, o problem.Occurrence) (*problem.Found, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return nil, errors.New("lists are away")
	}
	c.heard = append(c.heard, fmt.Sprintf("%s %s %v %v", service, o.Incident, o.Keys, !o.Closed.IsZero()))
	return c.open, nil
}

func (c *causes) Before(context.Context, string, time.Time) ([]problem.Occurrence, error) {
	return c.before, nil
}

func (c *causes) Begin(_ context.Context, terms problem.Terms, _ problem.Occurrence) (*problem.Found, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = append(c.begun, terms)
	return &problem.Found{ID: "PRB-0000000001", Title: terms.Title, Status: string(problem.Open)}, nil
}

const leaking = problem.ID("PRB-7K3M9QX2PA")

// leak is a problem that kim has opened, and that choi owns.
func leak() problem.Terms {
	return problem.Terms{
		ID: leaking, Request: "r", Opener: kim, Title: "It leaks", Key: problem.Key{By: incident.SameAlert, Value: "Slow"},
		Pinned: problem.Pinned{
			Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"},
			Owner:    problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}, Name: "Choi"},
			Escalate: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Watch: problem.Usual, Remind: problem.Idle{Days: 5},
		},
	}
}

func leaks(on time.Duration) problem.Occurrence {
	return problem.Occurrence{Incident: "INC-0000000001", Title: "Down", Started: start.Add(on)}
}

// suggest asks something of a problem when so much time has passed.
func suggest[C problem.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String()+by.ID, update, by, c) })
	return a
}

func (r *rehearsal) occurs(after time.Duration, by timeline.Actor, o problem.Occurrence) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, fmt.Sprint("occurs", after), workflows.OccurUpdate, by, o) })
	return a
}

// solve runs a problem to its end and returns it.
func (r *rehearsal) solve(terms problem.Terms) problem.Problem {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.ProblemWorkflow, sealed(r, workflows.ProblemWorkflow, "", terms.Opener, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var p problem.Problem
	if err := v.Get(&p); err != nil {
		r.Fatal(err)
	}
	return p
}

func TestAProblemIsClosedWhenNothingRecurs(t *testing.T) {
	r := rehearse(t)
	suggest(r, aDay, workflows.SetKnownErrorUpdate, kim, problem.SetKnownError{Text: "It leaks.", Workaround: "Restart it."})
	early := suggest(r, 2*aDay, workflows.SetFixUpdate, kim, problem.SetFix{Text: "Mended."})
	suggest(r, 2*aDay+time.Hour, workflows.SetCauseUpdate, kim, problem.SetCause{Text: "A seal."})
	suggest(r, 3*aDay, workflows.SetFixUpdate, park, problem.SetFix{Text: "Mended.", Actions: []string{"ACT-0000000001"}})
	known := r.occurs(4*aDay, timeline.Muster(), leaks(time.Hour)) // from before the fix
	p := r.solve(leak())
	r.wantTold("opened choi", "closed choi")
	if p.Status != problem.Closed || !p.Ended.Equal(start.Add(33*aDay)) || p.Reopened != 0 || len(p.Links) != 1 || p.FixedBy != park.Shown() {
		t.Errorf("got %+v", p)
	}
	if early.rejected == nil || !strings.Contains(early.rejected.Error(), "want its cause first") {
		t.Errorf("a fix without a cause: %+v", early)
	}
	if known.rejected != nil || known.failed != nil {
		t.Errorf("an incident is not taken in: %+v", known)
	}
}

func TestAProblemThatRecursIsOpenAgain(t *testing.T) {
	r := rehearse(t)
	suggest(r, aDay, workflows.SetCauseUpdate, kim, problem.SetCause{Text: "A seal."})
	suggest(r, 2*aDay, workflows.SetFixUpdate, kim, problem.SetFix{Text: "Mended."})
	r.occurs(20*aDay, timeline.Muster(), leaks(20*aDay-time.Hour))
	suggest(r, 21*aDay, workflows.SetFixUpdate, kim, problem.SetFix{Text: "Mended for good."})
	p := r.solve(leak())
	r.wantTold("opened choi", "recurred choi", "closed choi")
	if p.Reopened != 1 || !p.Ended.Equal(start.Add(51*aDay)) || count(p.Timeline, timeline.ProblemReopened) != 1 {
		t.Errorf("reopened %d times, closed at %s", p.Reopened, p.Ended)
	}
}

// Over a year nobody moves it: who owns it is reminded, then somebody else as well, until a person ends it.
func TestAProblemThatNobodyMoves(t *testing.T) {
	r := rehearse(t)
	suggest(r, 13*aDay, workflows.CloseUpdate, park, problem.Close{Reason: "the service is gone"})
	p := r.solve(leak())
	r.wantTold("opened choi", "stale choi", "stale choi", "escalated park")
	if p.Status != problem.Closed || p.EndedBy != park.Shown() {
		t.Errorf("got %s by %s", p.Status, p.EndedBy)
	}

	r = rehearse(t)
	suggest(r, 364*aDay, workflows.CloseUpdate, park, problem.Close{Reason: "enough"})
	if p := r.solve(leak()); count(p.Timeline, timeline.ProblemStale) != 72 {
		t.Errorf("reminded %d times", count(p.Timeline, timeline.ProblemStale))
	}
}

func TestAReminderWhenNobodyKnowsTheWorkingDays(t *testing.T) {
	r := rehearse(t)
	terms := leak()
	terms.Remind.Calendar = "gone"
	suggest(r, 6*aDay, workflows.CloseUpdate, park, problem.Close{Reason: "x"})
	p := r.solve(terms)
	r.wantTold("opened choi", "stale choi")
	if count(p.Timeline, timeline.Undetermined) != 2 {
		t.Errorf("got %+v", p.Timeline.Entries)
	}
}

func TestWhatAProblemRefuses(t *testing.T) {
	r := rehearse(t)
	person := r.occurs(time.Hour, kim, leaks(0))
	unsigned := &answer{}
	r.at(2*time.Hour, func() { unsigned.to(r, "u1", workflows.CloseUpdate, problem.Close{Reason: "x"}) })
	twice := suggest(r, 3*time.Hour, workflows.UnlinkIncidentUpdate, kim, problem.UnlinkIncident{Incident: "INC-0000000001", Reason: "x"})
	suggest(r, 4*time.Hour, workflows.CloseUpdate, kim, problem.Close{Reason: "x"})
	p := r.solve(leak())
	for want, a := range map[string]*answer{"want Muster itself": person, "is not linked": twice, "it is not signed": unsigned} {
		if a.rejected == nil || !strings.Contains(a.rejected.Error(), want) {
			t.Errorf("got %+v, want %q", a.rejected, want)
		}
	}
	if len(p.Links) != 0 || !p.Ended.Equal(start.Add(4*time.Hour)) {
		t.Errorf("got %+v", p)
	}
}

func TestACancelledProblemGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Hour, r.env.CancelWorkflow)
	suggest(r, 2*time.Hour, workflows.CloseUpdate, kim, problem.Close{Reason: "x"})
	if p := r.solve(leak()); count(p.Timeline, timeline.CancelRefused) != 1 || p.Reason != "x" {
		t.Errorf("got %+v", p)
	}
}

func TestAProblemTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":        {func(*rehearsal) any { return leak() }, "it is not signed"},
		"by a stranger":     {func(r *rehearsal) any { return as(r, r.stranger(), workflows.ProblemWorkflow, leak()) }, "none of this installation's"},
		"in another's name": {func(r *rehearsal) any { return sealed(r, workflows.ProblemWorkflow, "", park, leak()) }, "김민수 opens it, and 박서준 asks for it"},
		"of nothing": {func(r *rehearsal) any {
			return sealed(r, workflows.ProblemWorkflow, "", kim, problem.Terms{Opener: kim})
		}, "want one such as"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.ProblemWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
}

// recurring is a definition with a rule for problems.
func recurring(times int) *incident.Definition {
	def := definition()
	def.Recurrence = &incident.Recurrence{Times: times, Within: 30 * aDay, By: incident.Samenesses()}
	return def
}

// An incident asks when it comes and when it is over, and tells its responders what is known.
func TestAnIncidentOfAKnownProblem(t *testing.T) {
	r := rehearse(t)
	r.causes.open = &problem.Found{ID: string(leaking), Title: "It leaks", Status: "known-error", KnownError: "A seal.", Workaround: "Restart it."}
	r.alerts(0, firing("a", 0))
	r.at(time.Minute, func() {
		if i := r.query(); i.Problem == nil || i.Problem.Workaround != "Restart it." || i.Facts().Problem == nil {
			t.Errorf("it knows %+v", i.Problem)
		}
	})
	ask(r, 2*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "restarted"})
	r.run(workflows.IncidentInput{Definition: recurring(3)})
	r.wantDone()
	want := []string{"checkout INC-TEST [{alert Slow}] false", "checkout INC-TEST [{alert Slow}] true"}
	if !slices.Equal(r.causes.heard, want) || len(r.causes.begun) != 0 || count(r.query().Timeline, timeline.ProblemFound) != 1 {
		t.Errorf("the problem hears %q, opened %+v", r.causes.heard, r.causes.begun)
	}
}

func TestTheThirdIncidentOpensAProblem(t *testing.T) {
	for times, want := range map[int]int{3: 1, 4: 0, 0: 0} {
		r := rehearse(t)
		for n := range 2 {
			r.causes.before = append(r.causes.before, problem.Occurrence{
				Incident: incident.NewID(uint64(n + 1)), Started: start.Add(-aDay), Closed: start.Add(-aDay), Keys: []problem.Key{leak().Key},
			})
		}
		r.alerts(0, firing("a", 0))
		ask(r, 2*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "restarted"})
		r.run(workflows.IncidentInput{Definition: recurring(times)})
		r.wantDone()
		if len(r.causes.begun) != want {
			t.Errorf("after %d times: opened %+v", times, r.causes.begun)
			continue
		}
		if want == 1 {
			if got := r.causes.begun[0]; len(got.Incidents) != 3 || got.Key != leak().Key || got.Service.ID != "shop" || r.query().Problem.ID != "PRB-0000000001" {
				t.Errorf("opened %+v", got)
			}
		}
	}
}

// Lists that are away keep no incident from its end, and one without a rule does not ask.
func TestNobodyKnowsWhetherThereIsAProblem(t *testing.T) {
	r := rehearse(t)
	r.causes.away = true
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "restarted"})
	r.run(workflows.IncidentInput{Definition: recurring(3)})
	r.wantDone()
	if i := r.query(); i.Problem != nil || count(i.Timeline, timeline.Undetermined) == 0 {
		t.Errorf("got %+v", i.Timeline.Entries)
	}

	r = rehearse(t)
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "restarted"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if len(r.causes.heard) != 0 {
		t.Errorf("without a rule it asks: %q", r.causes.heard)
	}
}
