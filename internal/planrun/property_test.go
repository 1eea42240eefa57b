package planrun_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A driver lets anything happen at any time: people say what they like, outcomes come late, wrong or never, and windows open and
// close.
type driver struct {
	rt      *rapid.T
	w       *world
	pending []planrun.Work
	begunAt map[string]int // attempts by task
}

// Whatever happens: nothing begins before what it needs, nothing changes an environment that may not be changed, whoever votes is
// not who does, a step never runs twice by itself, and the run is never lost.
func TestAnySequence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.SampledFrom([]func(*testing.T) *world{
			func(t *testing.T) *world { return begun(t, upgrade()) }, rehearsed, approved, deployed, inWaves,
		}).Draw(rt, "from")
		d := &driver{rt: rt, w: from(t), begunAt: map[string]int{}}
		for _, x := range d.w.run.Tasks {
			if !x.Begun.IsZero() {
				d.begunAt[x.ID] = x.Attempt
			}
		}
		d.advance()
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				d.w.now = d.w.now.Add(time.Duration(rapid.IntRange(0, 3*24*60).Draw(rt, "minutes")) * time.Minute)
			case 1:
				if due := d.w.run.NextDue(); !due.IsZero() {
					d.w.now = due
				}
			case 2:
				until := d.w.now.Add(time.Duration(rapid.IntRange(0, 48).Draw(rt, "hours")) * time.Hour)
				if rapid.Bool().Draw(rt, "closed") {
					d.w.closed["production"] = until
				} else {
					d.w.closes["production"] = until
				}
			case 3, 4:
				d.outcome()
			case 5:
				d.outside()
			default:
				d.command()
			}
			d.advance()
			d.restore()
		}
	})
}

func (d *driver) advance() {
	works := d.w.run.Advance(d.w.now)
	for _, x := range works {
		switch underWay := slices.IndexFunc(d.pending, func(p planrun.Work) bool { return p.Do == planrun.RunStep && p.Task == x.Task }); {
		case x.Do != planrun.RunStep:
		case d.w.run.Status == planrun.Halted:
			d.rt.Fatalf("a step begins although the run is halted: %+v", x)
		case underWay >= 0 && d.w.run.MayBegin(d.pending[underWay].Number):
			d.rt.Fatalf("a step begins although another one of %s is under way: %+v", x.Task, d.pending[underWay])
		case !d.w.run.MayBegin(x.Number):
			d.rt.Fatalf("a step begins that may not: %+v", x)
		}
	}
	d.pending = append(d.pending, works...)
	d.invariants()
}

// outcome answers one thing that is under way, rightly or not, or lets it be lost.
func (d *driver) outcome() {
	if len(d.pending) == 0 {
		return
	}
	n := rapid.IntRange(0, len(d.pending)-1).Draw(d.rt, "which")
	x := d.pending[n]
	d.pending = append(d.pending[:n:n], d.pending[n+1:]...)
	bad := rapid.IntRange(0, 4).Draw(d.rt, "bad") == 0
	d.w.measured = func() planrun.Verdict {
		return rapid.SampledFrom([]planrun.Verdict{planrun.Pass, planrun.Pass, planrun.Miss, planrun.Inconclusive}).Draw(d.rt, "verdict")
	}
	d.w.result = func(planrun.Work) runbook.State {
		return rapid.SampledFrom([]runbook.State{runbook.Passed, runbook.Passed, runbook.Failed, runbook.Unknown}).Draw(d.rt, "state")
	}
	if !bad {
		d.w.answer(x)
		return
	}
	switch x.Do {
	case planrun.RunStep:
		if !d.w.run.MayBegin(x.Number) { // no worker has taken it: it is taken back
			d.w.run.Withdrawn(x.Number, x.Task, d.w.now)
			return
		}
		d.w.answer(x)
	case planrun.ComputeDue:
		d.w.run.DueComputed(x.Task, time.Time{}, "no calendar", d.w.now)
	case planrun.LookWindow:
		d.w.run.Looked(x.Number, planrun.Look{Environment: x.Window.Environment}, "no zone", d.w.now)
	case planrun.FindVoters:
		if x.Task == "" {
			d.w.run.ElectedChange(nil, "no folder", d.w.now)
			return
		}
		d.w.run.Elected(x.Task, nil, "no folder", d.w.now)
	case planrun.WriteReport:
		d.w.run.Written(x.Number, x.Task, nil, "disk full", d.w.now)
	case planrun.TakeLock:
		d.w.run.LockTaken(x.Number, false, rapid.SampledFrom([]string{"", "RUN-7K3M9QX2PA"}).Draw(d.rt, "holder"), "", d.w.now)
	case planrun.HoldAlerts:
		d.w.run.Silenced(x.Number, planrun.HeldAlerts{}, "it could not be started", d.w.now)
	default:
		d.w.answer(x)
	}
}

// outside takes a lock away, or lets alerts arrive or a silence overflow.
func (d *driver) outside() {
	env := rapid.SampledFrom([]string{"staging", "production"}).Draw(d.rt, "where")
	switch rapid.IntRange(0, 2).Draw(d.rt, "outside") {
	case 0:
		d.w.run.LockLost(env, d.w.now)
	case 1:
		d.w.run.AlertHeld(env, planrun.HeldAlert{Name: rapid.StringMatching("[A-C]").Draw(d.rt, "alert")}, d.w.now)
	default:
		if number, there := d.w.silences[env]; there {
			d.w.run.Silenced(number, planrun.HeldAlerts{Alerts: []planrun.HeldAlert{{Name: "A"}}, Full: true}, "", d.w.now)
			delete(d.w.silences, env)
		}
	}
	d.advance()
}

func (d *driver) command() {
	who := rapid.SampledFrom([]timeline.Actor{lena, dora, dave, mark, carol}).Draw(d.rt, "who")
	capacity := as(who)
	if rapid.IntRange(0, 5).Draw(d.rt, "more") == 0 { // a small shop: one person has several roles
		capacity.Roles = append(capacity.Roles[:1:1], "deployer", "change-manager")
	}
	var ids []string
	for _, t := range d.w.run.Tasks {
		ids = append(ids, t.ID)
	}
	task := rapid.SampledFrom(ids).Draw(d.rt, "task")
	target := rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(d.rt, "target")
	yes := rapid.IntRange(0, 3).Draw(d.rt, "yes") > 0
	env := rapid.SampledFrom([]string{"staging", "production"}).Draw(d.rt, "environment")
	v := d.w.votes(who, approval.Approve, "fine")
	v.Capacity, v.Task = capacity, task
	if !yes {
		v.Choice = approval.Reject
	}
	c := rapid.SampledFrom([]planrun.Command{
		planrun.Begin{Capacity: capacity, Task: task},
		planrun.Begin{Capacity: capacity, Task: task},
		planrun.Complete{Capacity: capacity, Task: task, Evidence: evidence("log")},
		planrun.Complete{Capacity: capacity, Task: task, Target: target},
		planrun.Fail{Capacity: capacity, Task: task, Target: target, Reason: "r"},
		planrun.CheckEvidence{Capacity: capacity, Task: task, OK: yes, Note: "n"},
		planrun.CheckEvidence{Capacity: capacity, Task: task, OK: true},
		planrun.AddEvidence{Capacity: capacity, Task: task, Evidence: evidence("log")},
		v, v, v,
		planrun.Skip{Capacity: capacity, Task: task, Reason: "r", Control: "c"},
		planrun.Waive{Capacity: capacity, Task: task, Grant: yes, Note: "n"},
		planrun.Retry{Capacity: capacity, Task: task, Reason: "r"},
		planrun.Settle{Capacity: capacity, Task: task, Status: rapid.SampledFrom([]planrun.TaskStatus{planrun.Done, planrun.Failed, planrun.Begun}).Draw(d.rt, "as"), Reason: "r"},
		planrun.DoStep{Capacity: capacity, Task: task, Step: rapid.IntRange(1, 2).Draw(d.rt, "step")},
		planrun.Halt{Capacity: capacity, Reason: "r"},
		planrun.Continue{Capacity: capacity, Reason: "r"},
		planrun.RollBack{Capacity: capacity, Environment: env, Reason: "r"},
		planrun.SettleUndo{
			Capacity: capacity, Task: task, Note: "n",
			State: rapid.SampledFrom([]planrun.UndoState{planrun.Undone, planrun.UndoFail, planrun.UndoRunning, planrun.Forward}).Draw(d.rt, "undo"),
		},
		planrun.AskOverride{Capacity: capacity, Environment: env, Freeze: "year-end", Reason: "r", Until: d.w.now.Add(time.Hour)},
		planrun.ConfirmOverride{Capacity: capacity, Environment: env, Grant: yes, Note: "n"},
		planrun.Assign{Capacity: capacity, Task: task, Person: rapid.SampledFrom([]timeline.Actor{dora, dave, mark}).Draw(d.rt, "person")},
		planrun.Note{Capacity: capacity, Task: task, Text: "t"},
	}).Draw(d.rt, "command")
	before := d.state()
	if err := c.Check(d.w.run, who); err != nil {
		if after := d.state(); after != before {
			d.rt.Fatalf("%T was refused, and has changed the run:\n%s\n%s", c, before, after)
		}
		return
	}
	d.separation(c, who, c.Apply(d.w.run, who, d.w.now))
}

// separation checks that nobody has decided what they have done.
func (d *driver) separation(c planrun.Command, who timeline.Actor, err error) {
	if err != nil {
		return
	}
	switch c := c.(type) {
	case planrun.Begin:
		if t, _, _ := d.w.run.Task("approve"); c.Task == "deploy" && t.Ballot != nil {
			for _, v := range t.Ballot.Votes {
				if v.By == who.ID && v.Fate == approval.Counted {
					d.rt.Fatalf("%s has voted and begins to deploy", who.ID)
				}
			}
		}
	case planrun.Vote:
		if who.ID == lena.ID {
			d.rt.Fatal("whoever has started the run has voted")
		}
		if t, _, _ := d.w.run.Task("rehearse"); contains(t.Hands, who.ID) {
			d.rt.Fatalf("%s has rehearsed and votes", who.ID)
		}
	}
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

func (d *driver) state() string {
	b, err := json.Marshal(d.w.run)
	if err != nil {
		d.rt.Fatal(err)
	}
	return string(b)
}

// restore lets the run go on from its state as a history would: nothing that matters is kept elsewhere.
func (d *driver) restore() {
	var r *planrun.Run
	if err := json.Unmarshal([]byte(d.state()), &r); err != nil {
		d.rt.Fatal(err)
	}
	d.w.run = r
}

func (d *driver) invariants() {
	r := d.w.run
	if due := r.NextDue(); !due.IsZero() && !due.After(d.w.now) {
		d.rt.Fatalf("due at %s although it is %s", due, d.w.now)
	}
	before := d.state()
	if again := r.Advance(d.w.now); len(again) > 0 || d.state() != before {
		d.rt.Fatalf("asked twice at one instant, it goes on: %+v", again)
	}
	for n, e := range r.Timeline.Entries {
		if e.Seq != n+1 {
			d.rt.Fatalf("timeline entry %d has number %d", n, e.Seq)
		}
	}
	for _, t := range r.Tasks {
		def, _ := r.Plan.Task(t.ID)
		d.began(t, def)
	}
	d.quiet()
	if r.Over() != (r.Status == planrun.Completed || r.Status == planrun.Cancelled) {
		d.rt.Fatalf("it is %s and ended at %s", r.Status, r.Ended)
	}
	if r.Status == planrun.Completed {
		for _, t := range r.Tasks {
			if !t.Status.Ended() {
				d.rt.Fatalf("it is completed, and %s is %s", t.ID, t.Status)
			}
		}
	}
	if r.Status == planrun.RollingBack {
		running := 0
		for _, i := range r.Undoing.Items {
			if i.State == planrun.UndoRunning || i.State == planrun.UndoFail {
				running++
			}
		}
		if running > 1 {
			d.rt.Fatalf("%d components are rolled back at once", running)
		}
	}
}

// quiet checks that alerts are held back only where something is being changed, and that whoever works there is the one who hears.
func (d *driver) quiet() {
	r := d.w.run
	for _, s := range r.Silences {
		changes := slices.ContainsFunc(r.Tasks, func(t planrun.Task) bool {
			def, _ := r.Plan.Task(t.ID)
			return def.Changes && def.Environment == s.Environment && t.Status == planrun.Begun && r.Status == planrun.Running
		})
		undoes := r.Status == planrun.RollingBack && r.Undoing.Environment == s.Environment
		if !s.Ending && !changes && !undoes {
			d.rt.Fatalf("alerts of %s are held back, and nothing changes it: the run is %s", s.Environment, r.Status)
		}
	}
}

// began checks a task at the moment at which an attempt of it begins.
func (d *driver) began(t planrun.Task, def plan.Task) {
	if t.Status != planrun.Begun || d.begunAt[t.ID] == t.Attempt {
		return
	}
	d.begunAt[t.ID] = t.Attempt
	if def.Changes && !slices.ContainsFunc(d.w.run.Locks, func(l planrun.Lock) bool { return l.Environment == def.Environment && l.Held }) {
		d.rt.Fatalf("%s has begun without the lock of %s", t.ID, def.Environment)
	}
	for _, id := range def.Needs {
		if n, _, _ := d.w.run.Task(id); !n.Status.Ended() {
			d.rt.Fatalf("%s has begun, and %s is %s", t.ID, id, n.Status)
		}
	}
	if l := d.w.look(planrun.WindowOf{Environment: def.Environment, At: t.Begun, Overrides: nil}); def.Changes && !l.Open {
		for _, o := range d.w.run.Override {
			if o.Environment == def.Environment && o.Asked.Approver.ID != "" && o.Asked.Approver.ID != o.Asked.By.ID {
				return
			}
		}
		known := false // it was open when it was looked up, and that still counted
		for _, x := range d.w.run.Windows {
			known = known || x.Environment == def.Environment && x.Open && (x.Until.IsZero() || t.Begun.Before(x.Until))
		}
		if !known {
			d.rt.Fatalf("%s has begun at %s although %s may not be changed", t.ID, t.Begun, def.Environment)
		}
	}
}

// A timer and a person in the same moment: exactly one of them decides, whatever comes first, and the other is told.
func TestAVoteAndItsDeadlineHaveOneWinner(t *testing.T) {
	for n := range 10_000 {
		r, err := planrun.Start(terms(upgrade()), start)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, run: r, now: start, closed: map[string]time.Time{}, closes: map[string]time.Time{}}
		w.settle()
		w.rehearse()
		w.do(w.votes(mark, approval.Approve, ""), mark)
		w.now = start.Add(48*time.Hour + time.Duration(n%3-1)*time.Nanosecond) // before, at and after the deadline
		if n%2 == 0 {
			w.run.Advance(w.now)
		}
		err = w.try(w.votes(carol, approval.Approve, ""), carol)
		task, _, _ := w.run.Task("approve")
		if won := task.Status == planrun.Done; won != (err == nil) || won != (n%3 == 0) {
			t.Fatalf("%d: at %s the task is %s, and the vote: %v", n, w.now, task.Status, err)
		}
		if got := w.has(timeline.VoteDecided); got != 1 {
			t.Fatalf("%d: decided %d times", n, got)
		}
	}
}
