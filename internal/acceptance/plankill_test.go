package acceptance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A plan of 200 tasks for three parties in a node that is killed twenty times, and whose workflows keep nothing in memory: it ends as it
// does in a node that nobody disturbs, and no step of a runbook runs twice by itself. It takes a minute and a half of two cores: each
// question, deed and task replays the whole history, and a step that was lost is missed after half a minute.
func TestKilledNodeEndsAPlanAsUndisturbed(t *testing.T) {
	t.Parallel()
	lives, weeks := 20, planWeeks
	if testing.Short() {
		lives, weeks = 3, 1
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 3))

	site := newSite(t, time.Second) // so that a kill finds steps under way
	sink := newReceiver(t)
	s, life, now := mortal(t, "node without a cache", sink, site)
	c := s.hire(t, site)
	var ended atomic.Int64
	c.saw = func(r *planrun.Run) { ended.Store(int64(endedTasks(r))) }
	must(t, c.begins(t.Context(), weeks))
	killed, undisturbed := c.goes(t.Context()), undisturbed(t, weeks)

	var at []int64 // so many tasks had ended when it was killed
	for n := range lives {
		if dice.IntN(2) > 0 { // else while it starts
			now.awaitReady(t)
			// Further than it was, or stuck: a task of the workflow that was lost takes ten seconds to be missed.
			for stuck := time.Now().Add(4 * time.Second); ended.Load() < int64(n*weeks*tasksOfWeek/lives) && time.Now().Before(stuck); {
				time.Sleep(20 * time.Millisecond)
			}
		}
		select {
		case <-time.After(time.Duration(dice.IntN(700)) * time.Millisecond):
		case <-now.ended:
			t.Fatalf("life %d ended by itself: %v", n+1, now.state)
		}
		now.kill()
		at = append(at, ended.Load())
		now = life()
	}
	now.awaitReady(t)
	after, calm := <-killed, <-undisturbed
	t.Logf("killed when %v of %d tasks had ended", at, weeks*tasksOfWeek)
	must(t, after.err)
	must(t, calm.err)
	sink.check(t)
	if d := cmp.Diff(facesOf(calm.run), facesOf(after.run)); d != "" {
		t.Errorf("the run that was killed ends otherwise than the one that was not (-undisturbed +killed):\n%s", d)
	}
	c.checkSteps(t, after.run)
	history, err := s.api.PlanRunHistory(t.Context(), c.run)
	must(t, err)
	replays(t, string(c.run), history)
}

func endedTasks(r *planrun.Run) (n int) {
	for _, t := range r.Tasks {
		if t.Status.Ended() {
			n++
		}
	}
	return n
}

// An ending is how a run has ended.
type ending struct {
	run *planrun.Run
	err error
}

// goes lets the crew work.
func (c *crew) goes(ctx context.Context) <-chan ending {
	over := make(chan ending, 1)
	go func() {
		r, err := c.works(ctx)
		over <- ending{r, err}
	}()
	return over
}

// undisturbed is the same plan in a node of this process, to which nothing happens.
func undisturbed(t *testing.T, weeks int) <-chan ending {
	t.Helper()
	sink, site, folder := newReceiver(t), newSite(t, 0), t.TempDir()
	equip(t, organise(t, folder, sink.url, nil), site.url)
	c := nodeAt(t, folder, sink).hire(t, site)
	must(t, c.begins(t.Context(), weeks))
	return c.goes(t.Context())
}

// checkSteps wants every step to have been done once, and to have been begun anew only where a person has said so.
func (c *crew) checkSteps(t *testing.T, r *planrun.Run) {
	t.Helper()
	settled := entriesOf(r.Timeline.Entries, timeline.TaskSettled, "", "")
	for _, def := range r.Plan.All() {
		begun, again := len(entriesOf(r.Timeline.Entries, timeline.StepBegun, "task", def.ID)), 0
		for _, e := range settled {
			if e.Fact("task") == def.ID && e.Fact("outcome") == string(planrun.Begun) {
				again++
			}
		}
		if n := c.site.times(def.Runs); def.Runs != "" && (n != 1 || begun != 1+again) {
			t.Errorf("%s: its step was done %d times and begun %d times, want once and as often as a person has let it be tried again, %d", def.ID, n, begun, again)
		}
		want := 0
		if def.Rollback != nil && r.Undoing.Items[0].Task == def.ID {
			want = 1
		}
		if n := c.site.times("undo-" + def.ID); n != want {
			t.Errorf("%s: it was undone %d times, want %d", def.ID, n, want)
		}
	}
	t.Logf("people have settled %d steps and checks that were lost", len(settled))
}

// facesOf is how a run has ended, task by task, in lines of text: without instants and ids, without what came of messages, and without
// what only a loss leaves, that something was unclear and what the lead has said of it. The run as a whole has no name.
func facesOf(r *planrun.Run) map[string][]string {
	faces := map[string][]string{"": {
		fmt.Sprintf("%s by %s %q, %d tasks, revised %d times, %d refusals", r.Status, r.By.ID, r.Reason, len(r.Tasks), r.Revised, r.Refusals),
	}}
	if u := r.Undoing; u != nil {
		faces[""] = append(faces[""], fmt.Sprintf("rollback of %s by %s %q", u.Environment, u.By.ID, u.Reason))
		for _, i := range u.Items {
			faces[""] = append(faces[""], fmt.Sprintf("rollback of %s, %s: %s, late %t", i.Task, i.Component, i.State, i.Late))
		}
	}
	for n := range r.Tasks {
		faces[r.Tasks[n].ID] = faceOf(&r.Tasks[n])
	}
	for _, e := range r.Timeline.Entries {
		if line := remembered(e); line != "" {
			faces[e.Fact("task")] = append(faces[e.Fact("task")], line)
		}
	}
	for _, lines := range faces {
		slices.Sort(lines) // people act at the same time
	}
	return faces
}

func faceOf(x *planrun.Task) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	add("%s by %s %q, attempt %d, for %q, due %t, overdue %t, escalated %t", x.Status, x.By.ID, x.Reason, x.Attempt, x.Person.ID, !x.Due.IsZero(),
		x.Overdue, x.Escalated)
	for _, id := range x.Hands {
		if id != "ben" {
			add("hand of %s", id)
		}
	}
	for _, g := range x.Evidence {
		ref := g.Ref
		if g.SHA256 != "" { // a document: its name has the id of the run
			ref = "a document"
		}
		add("evidence %s: %s %q by %s, checked %t by %s", g.Item, ref, g.Note, g.By.ID, !g.Checked.IsZero(), g.Checker.ID)
	}
	if w := x.Waiver; w != nil {
		add("waiver: %q, %q by %s, granted %t by %s, expired %t", w.Reason, w.Control, w.By.ID, !w.Granted.IsZero(), w.Approver.ID, w.Expired)
	}
	if b := x.Ballot; b != nil {
		add("vote: %s, %s, round %d", b.Outcome.Verdict, b.Outcome.Why, 1+len(b.Past)+b.Dropped)
		for _, v := range b.Votes {
			add("vote of %s for %s: %s, %s", v.By, v.For, v.Choice, v.Fate)
		}
	}
	for _, g := range x.Targets {
		add("target %s in wave %d: %s by %s %q", g.Name, g.Wave, g.Status, g.By, g.Reason)
	}
	if m := x.Measures; m.Last != "" {
		add("check: %d passed, %d failed, at last %s, %q", m.Passed, m.Failed, m.Last, m.LastSeen)
	}
	return lines
}

// remembered is an entry of a timeline as one line, empty where it does not matter.
func remembered(e timeline.Entry) string {
	switch e.Kind {
	case timeline.Sending, timeline.Delivered, timeline.Refused, timeline.Withdrawn, timeline.Resent, timeline.NextMethod,
		timeline.StepBegun, timeline.StepEnded, timeline.Measured, timeline.TaskSettled, timeline.RollbackMoved:
		return ""
	case timeline.TaskMoved:
		if e.Fact("from") == string(planrun.Unclear) || e.Fact("to") == string(planrun.Unclear) {
			return ""
		}
	default:
	}
	by := e.Actor.ID
	if e.Kind == timeline.TaskMoved && e.Fact("to") == string(planrun.RolledBack) {
		by = "anybody" // whose step back was lost is said to be back by a person
	}
	line := fmt.Sprintf("timeline: %s by %s", e.Kind, by)
	for _, f := range e.Facts {
		switch f.Name {
		case "task", "run", "revision", "sha256", "due", "until", "since", "paths":
		default:
			line += fmt.Sprintf(", %s %q", f.Name, f.Value)
		}
	}
	return line
}
