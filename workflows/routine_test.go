package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/routine"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/workflows"
)

// Routine writes what it is about.
func (writer) Routine(t routine.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Routine, Language: to.Language, Subject: fmt.Sprintf("%s %d", t.About, days(t.Occurrence.Planned))}, nil
}

func days(at time.Time) int { return int(at.Sub(start).Hours() / 24) }

// A roster is a folder with a check that comes back every day, is due after four hours, and is told to kim; and what its runs come to.
type roster struct {
	directory

	mu      sync.Mutex // attempts run beside each other
	gone    bool
	away    bool
	refuses string
	started []string
	over    map[string]routine.Outcome
	visit   bool
	deaf    bool // the ledger does not answer
	claims  []usage.Claim
}

func (x *roster) Routine(id string, after, now time.Time) routine.Seen {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := routine.Seen{Folder: x.Folder(), Gone: x.gone, Definition: routine.Definition{
		ID: id, Name: "Daily check", Customer: "nuri", Plan: "daily-check", Tell: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Visit: x.visit,
	}}
	for at := start.AddDate(0, 0, 1); at.Before(now.AddDate(0, 0, 3)); at = at.AddDate(0, 0, 1) {
		if at.After(after) {
			s.Slots = append(s.Slots, routine.Slot{Begins: at, Due: at.Add(4 * time.Hour)})
		}
	}
	return s
}

func (x *roster) StartRoutine(_ context.Context, _ string, planned time.Time) (routine.Begun, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.away {
		return routine.Begun{}, errors.New("no connection")
	}
	if x.refuses != "" {
		return routine.Begun{Refused: x.refuses}, nil
	}
	run := fmt.Sprint("RUN-", days(planned))
	x.started = append(x.started, run)
	return routine.Begun{Run: run}, nil
}

func (x *roster) RoutineRun(_ context.Context, run string) (routine.Outcome, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.away {
		return routine.Outcome{}, errors.New("no connection")
	}
	return x.over[run], nil
}

// VisitsBought is one a year.
func (*roster) VisitsBought(string, time.Time) usage.Window {
	return usage.Window{Count: 1, From: start.AddDate(0, 0, -60), To: start.AddDate(0, 0, 60)}
}

func (x *roster) Claim(_ context.Context, c usage.Claim) (usage.Counts, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.deaf {
		return usage.Counts{}, errors.New("no connection")
	}
	x.claims = append(x.claims, c)
	return usage.Counts{Visited: len(x.claims) - 1, Taken: true}, nil
}

func (*roster) Return(context.Context, string, string) error {
	return errors.New("no visit is given back")
}

func (x *roster) change(do func()) func() {
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		do()
	}
}

func (x *roster) ends(run string, status string, after time.Duration) func() {
	return x.change(func() {
		x.over[run] = routine.Outcome{Over: true, Done: status == "completed", Ended: start.Add(after), Status: status}
	})
}

// A keeping is a rehearsal of a routine.
type keeping struct {
	*rehearsal

	roster *roster
}

func tryRoutine(t *testing.T) *keeping {
	t.Helper()
	r := rehearse(t)
	x := &keeping{rehearsal: r, roster: &roster{directory: directory{r}, over: map[string]routine.Outcome{}}}
	r.under(workflows.RoutineWorkflowID("check"))
	r.env.RegisterActivity(&activities.Routines{
		Directory: func() activities.Directory { return x.roster }, Folder: func() activities.RoutineFolder { return x.roster }, Writer: writer{},
		Runs: x.roster, Counter: x.roster, Now: r.env.Now,
	})
	return x
}

// until runs the routine for so long, then the folder has it no more.
func (x *keeping) until(after time.Duration) *routine.Routine {
	x.Helper()
	x.at(after, x.roster.change(func() { x.roster.gone = true }))
	x.env.ExecuteWorkflow(workflows.RoutineWorkflow, sealed(x.rehearsal, workflows.RoutineWorkflow, "", timeline.Muster(), workflows.RoutineInput{ID: "check"}))
	if err := x.env.GetWorkflowError(); err != nil {
		x.Fatal(err)
	}
	return x.state()
}

func (x *keeping) state() *routine.Routine {
	x.Helper()
	v, err := x.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		x.Fatal(err)
	}
	var r routine.Routine
	if err := v.Get(&r); err != nil {
		x.Fatal(err)
	}
	return &r
}

func (x *keeping) want(r *routine.Routine, past string, got ...string) {
	x.Helper()
	var all []string
	for _, o := range r.Past {
		all = append(all, fmt.Sprintf("%d %s", days(o.Planned), o.Fate))
	}
	if strings.Join(all, ", ") != past || r.Status != routine.Retired {
		x.Errorf("%s: %v; want %s, and retired", r.Status, all, past)
	}
	var subjects []string
	for _, d := range x.sender.Delivered() {
		subjects = append(subjects, d.Recipient.ID+": "+d.Message.Subject)
	}
	if d := gocmp.Diff(got, subjects); d != "" {
		x.Errorf("told (-want +got):\n%s", d)
	}
}

const aday = 24 * time.Hour

// Three days: one check is done, one is late, and one is cancelled.
func TestARoutineStartsItsRunsAndSaysWhatIsMissed(t *testing.T) {
	x := tryRoutine(t)
	x.at(aday+time.Hour, x.roster.ends("RUN-1", "completed", aday+time.Hour))
	x.at(2*aday+6*time.Hour, x.roster.ends("RUN-2", "completed", 2*aday+6*time.Hour))
	x.at(3*aday+time.Hour, x.roster.ends("RUN-3", "cancelled", 3*aday+time.Hour))
	x.want(x.until(3*aday+6*time.Hour), "1 done, 2 done, 3 missed", "kim: missed 2", "kim: ended 3")
}

// A visit that was done is counted in the year of its time, under one id however often it is tried; one that was cancelled is not. Of one more
// than was bought those hear who hear of what is missed.
func TestVisitsOfARoutineAreCounted(t *testing.T) {
	x := tryRoutine(t)
	x.at(0, x.roster.change(func() { x.roster.visit = true }))
	x.at(aday, x.roster.change(func() { x.roster.deaf = true }))
	x.at(aday+time.Hour, x.roster.ends("RUN-1", "completed", aday+time.Hour))
	x.at(2*aday+time.Hour, x.roster.ends("RUN-2", "cancelled", 2*aday+time.Hour))
	x.at(2*aday+2*time.Hour, x.roster.change(func() { x.roster.deaf = false }))
	x.at(3*aday+6*time.Hour, x.roster.ends("RUN-3", "completed", 3*aday+6*time.Hour))
	r := x.until(3*aday + 7*time.Hour)
	x.want(r, "1 done, 2 missed, 3 done", "kim: ended 2", "kim: missed 3", "kim: too-many 3")
	var claimed, said []string
	for _, c := range x.roster.claims {
		claimed = append(claimed, fmt.Sprintf("%s %s %d %s", c.Customer, c.Request, days(c.At), c.Take))
	}
	for _, e := range r.Timeline.Entries {
		if e.Kind == timeline.RoutineCounted || e.Kind == timeline.RoutineUncounted {
			said = append(said, string(e.Kind)+" "+e.Fact("number")+" "+e.Fact("beyond"))
		}
	}
	at := func(n int) string { return start.AddDate(0, 0, n).UTC().Format(time.RFC3339) }
	if d := gocmp.Diff([]string{"nuri routine/check/" + at(1) + " 1 anyway", "nuri routine/check/" + at(3) + " 3 anyway"}, claimed); d != "" {
		t.Errorf("claimed (-want +got):\n%s", d)
	}
	if d := gocmp.Diff([]string{"routine.uncounted  ", "routine.counted 1 ", "routine.counted 2 yes"}, said); d != "" {
		t.Errorf("said (-want +got):\n%s", d)
	}
}

// What cannot be started is tried until it is due. While nobody can be asked, nothing is lost.
func TestARunThatCannotBeStartedIsTriedAgain(t *testing.T) {
	x := tryRoutine(t)
	x.at(0, x.roster.change(func() { x.roster.refuses = "the environment is another one's" }))
	x.at(aday+2*time.Hour, x.roster.change(func() { x.roster.refuses = "" }))
	x.at(aday+3*time.Hour, x.roster.ends("RUN-1", "completed", aday+3*time.Hour))
	x.at(aday+20*time.Hour, x.roster.change(func() { x.roster.away = true }))
	x.at(2*aday+5*time.Minute, x.roster.change(func() { x.roster.away = false }))
	x.at(2*aday+time.Hour, x.roster.ends("RUN-2", "completed", 2*aday+time.Hour))
	r := x.until(2*aday + 6*time.Hour)
	for _, o := range r.Past {
		if o.Late {
			t.Errorf("%+v is late", o)
		}
	}
	x.want(r, "1 done, 2 done", "kim: blocked 1")
}

// People move a time and leave one out, as long as it is still to come. Nobody else may.
func TestTimesOfARoutineAreMoved(t *testing.T) {
	x := tryRoutine(t)
	move := &answer{}
	x.at(time.Hour, func() {
		tell(x.rehearsal, move, "move", workflows.MoveUpdate, kim, routine.Move{Planned: start.Add(aday), To: start.Add(aday + 5*time.Hour), Reason: "A holiday"})
	})
	skip, again, stranger := &answer{}, &answer{}, &answer{}
	x.at(2*time.Hour, func() {
		tell(x.rehearsal, skip, "skip", workflows.SkipUpdate, kim, routine.Skip{Planned: start.Add(2 * aday), Reason: "It is off"})
	})
	x.at(3*time.Hour, func() {
		tell(x.rehearsal, again, "again", workflows.SkipUpdate, kim, routine.Skip{Planned: start.Add(2 * aday), Reason: "It is off"})
		stranger.to(x.rehearsal, "other", workflows.SkipUpdate, sealed(x.rehearsal, workflows.MoveUpdate, "other", kim, routine.Skip{Planned: start.Add(3 * aday), Reason: "x"}))
	})
	x.at(aday+6*time.Hour, x.roster.ends("RUN-1", "completed", aday+6*time.Hour))
	x.at(3*aday+time.Hour, x.roster.ends("RUN-3", "completed", 3*aday+time.Hour))
	x.want(x.until(3*aday+6*time.Hour), "1 done, 2 skipped, 3 done")
	if move.rejected != nil || move.failed != nil || skip.rejected != nil || skip.failed != nil {
		t.Errorf("moved: %+v, skipped: %+v", move, skip)
	}
	if again.rejected == nil && again.failed == nil || stranger.rejected == nil && stranger.failed == nil {
		t.Errorf("skipped twice: %+v, by what was signed for something else: %+v; want both refused", again, stranger)
	}
}

// A long history hands the routine to the next run, in which nothing begins a second time.
func TestARoutineGoesOnInAnotherRun(t *testing.T) {
	x := tryRoutine(t)
	x.at(aday+time.Hour, func() { x.env.SetContinueAsNewSuggested(true) })
	x.env.ExecuteWorkflow(workflows.RoutineWorkflow, sealed(x.rehearsal, workflows.RoutineWorkflow, "", timeline.Muster(), workflows.RoutineInput{ID: "check"}))
	next, ok := errors.AsType[*workflow.ContinueAsNewError](x.env.GetWorkflowError())
	var in signature.Signed[workflows.RoutineInput]
	if !ok || converter.GetDefaultDataConverter().FromPayloads(next.Input, &in) != nil || in.Seal == nil {
		t.Fatalf("got %v, want that it continues", x.env.GetWorkflowError())
	}
	second := tryRoutine(t)
	second.env.SetStartTime(start.Add(aday + 2*time.Hour))
	second.env.SetContinuedExecutionRunID("run-before")
	second.at(0, second.roster.ends("RUN-1", "completed", aday+time.Hour))
	second.at(time.Hour, second.roster.change(func() { second.roster.gone = true }))
	second.env.ExecuteWorkflow(workflows.RoutineWorkflow, sealed(second.rehearsal, workflows.RoutineWorkflow, "", timeline.Muster(), in.Body))
	if err := second.env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	second.want(second.state(), "1 done")
	if len(second.roster.started) > 0 {
		t.Errorf("started once more: %v", second.roster.started)
	}
}

func TestWhoMayNotKeepARoutine(t *testing.T) {
	for name, tc := range map[string]struct {
		by   timeline.Actor
		in   workflows.RoutineInput
		want string
	}{
		"a person":             {kim, workflows.RoutineInput{ID: "check"}, "want Muster itself"},
		"another id":           {timeline.Muster(), workflows.RoutineInput{ID: "other"}, "want the one of routine/check"},
		"a state from nowhere": {timeline.Muster(), workflows.RoutineInput{ID: "check", State: &routine.Routine{}}, "comes from the run before"},
	} {
		t.Run(name, func(t *testing.T) {
			x := tryRoutine(t)
			x.env.ExecuteWorkflow(workflows.RoutineWorkflow, sealed(x.rehearsal, workflows.RoutineWorkflow, "", tc.by, tc.in))
			err, refused := errors.AsType[*temporal.ApplicationError](x.env.GetWorkflowError())
			if !refused || err.Type() != workflows.RefusedError || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", x.env.GetWorkflowError(), tc.want)
			}
		})
	}
}
