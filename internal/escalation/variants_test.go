package escalation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/escalation"
	"muster/internal/priority"
)

// targets parses what definitions write.
func targets(written ...string) (all []escalation.Target) {
	for _, s := range written {
		t, err := escalation.ParseTarget(s)
		if err != nil {
			panic(err)
		}
		all = append(all, t)
	}
	return all
}

// step pages its targets at once.
func step(wait time.Duration, written ...string) escalation.Step {
	return escalation.Step{Targets: targets(written...), Wait: wait}
}

// inOrder pages them two minutes apart.
func inOrder(wait time.Duration, written ...string) escalation.Step {
	s := step(wait, written...)
	s.Every = 2 * time.Minute
	return s
}

// climbed goes up a policy at one priority and says what begins when.
func climbed(p escalation.Policy, at priority.Priority, times int) (said []string) {
	run, now := escalation.Run{}, start
	for range times {
		r, _ := run.Climb(p, escalation.At(at), now)
		said = append(said, fmt.Sprintf("%s step %d %d/%d round %d: %s", now.Sub(start), r.Step, r.Turn, r.Turns, r.Round, escalation.Shown(r.Targets)))
		now = run.Due(p)
	}
	return said
}

func TestAStepThatPagesInOrderTakesATurnForEachTarget(t *testing.T) {
	p := policy()
	p.Steps[0] = inOrder(5*time.Minute, "vendor:first", "person:a", "vendor:second", "person:b", "person:c")
	want := []string{
		"0s step 1 1/3 round 1: vendor:first, person:a, vendor:second",
		"2m0s step 1 2/3 round 1: person:b",
		"4m0s step 1 3/3 round 1: person:c",
		"9m0s step 2 0/0 round 1: person:park",
		"19m0s step 1 1/3 round 2: vendor:first, person:a, vendor:second",
		"21m0s step 1 2/3 round 2: person:b",
		"23m0s step 1 3/3 round 2: person:c",
		"28m0s step 2 0/0 round 2: person:park",
		"38m0s step 0 0/0 round 3: person:lee",
		"58m0s step 0 0/0 round 3: person:lee",
	}
	if diff := cmp.Diff(want, climbed(p, priority.P3, 10)); diff != "" {
		t.Error(diff)
	}
}

func TestATurnThatReachesNobodyIsFollowedByTheNextAtOnce(t *testing.T) {
	p, run := policy(), escalation.Run{}
	p.Steps[0] = inOrder(5*time.Minute, "person:a", "person:b")
	run.Climb(p, escalation.At(priority.P3), start)
	run.Hasten(p, 1, start)
	if r, ok := run.Climb(p, escalation.At(priority.P3), start); !ok || escalation.Shown(r.Targets) != "person:b" || r.Wait != 5*time.Minute {
		t.Errorf("got %+v, %v", r, ok)
	}
}

// strict has own steps a and b, and three for P1, the second of them in order.
func strict() escalation.Policy {
	p := policy()
	p.Steps = []escalation.Step{step(15*time.Minute, "person:a"), step(15*time.Minute, "person:b")}
	p.Variants = []escalation.Variant{{
		Priorities: []priority.Priority{priority.P1, priority.P2},
		Steps: []escalation.Step{
			step(5*time.Minute, "person:a", "role:incident-manager"), inOrder(5*time.Minute, "group:noc", "person:c"), step(5*time.Minute, "person:d"),
		},
	}}
	return p
}

func TestTheVariantForThePriorityReplacesTheSteps(t *testing.T) {
	want := []string{
		"0s step 1 0/0 round 1: person:a, role:incident-manager",
		"5m0s step 2 1/2 round 1: group:noc",
		"7m0s step 2 2/2 round 1: person:c",
		"12m0s step 3 0/0 round 1: person:d",
	}
	if diff := cmp.Diff(want, climbed(strict(), priority.P2, 4)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"0s step 1 0/0 round 1: person:a", "15m0s step 2 0/0 round 1: person:b"}, climbed(strict(), priority.P3, 2)); diff != "" {
		t.Error(diff)
	}
}

func TestAChangeOfPriorityClimbsOnByOtherStepsAndPassesNobodyOver(t *testing.T) {
	for _, tc := range []struct {
		name     string
		from, to priority.Priority
		after    int // rungs begun with the first
		then     []string
	}{
		{"raised after the first step", priority.P3, priority.P1, 1, []string{
			"step 2 1/2 round 1: role:incident-manager, group:noc", "step 2 2/2 round 1: person:c", "step 3 0/0 round 1: person:d",
		}},
		{"raised after the second", priority.P3, priority.P1, 2, []string{
			"step 3 0/0 round 1: role:incident-manager, group:noc, person:c, person:d", "step 1 0/0 round 2: person:a, role:incident-manager",
		}},
		{"raised in the second round", priority.P3, priority.P1, 3, []string{
			"step 2 1/2 round 2: role:incident-manager, person:c, person:d, group:noc", "step 2 2/2 round 2: person:c",
		}},
		{"raised at the last resort", priority.P3, priority.P1, 5, []string{
			"step 0 0/0 round 3: role:incident-manager, group:noc, person:c, person:d, person:lee", "step 0 0/0 round 3: person:lee",
		}},
		{"lowered in the middle of a step", priority.P1, priority.P3, 2, []string{
			"step 1 0/0 round 2: person:b, person:a", "step 2 0/0 round 2: person:b", "step 0 0/0 round 3: person:lee",
		}},
		{"raised within the variant", priority.P2, priority.P1, 1, []string{"step 2 1/2 round 1: group:noc"}},
		{"before it has begun", priority.P3, priority.P1, 0, []string{"step 1 0/0 round 1: person:a, role:incident-manager"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, run, now := strict(), escalation.Run{}, start
			for range tc.after {
				run.Climb(p, escalation.At(tc.from), now)
				now = run.Due(p)
			}
			var got []string
			for n := range tc.then {
				r, _ := run.Climb(p, escalation.At(tc.to), now)
				if r.Number != tc.after+n+1 {
					t.Errorf("rung %d, want %d", r.Number, tc.after+n+1)
				}
				again := p.Rung(run.Variant, run.Begun-run.Shift)
				if again.Step != r.Step || again.Round != r.Round || again.Turn != r.Turn {
					t.Errorf("asked again it is %+v, was %+v", again, r)
				}
				got = append(got, fmt.Sprintf("step %d %d/%d round %d: %s", r.Step, r.Turn, r.Turns, r.Round, escalation.Shown(r.Targets)))
				now = run.Due(p)
			}
			if diff := cmp.Diff(tc.then, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheNextRungIsDueAtOnceWhenOtherStepsHoldForAMorePressingIncident(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*escalation.Run, escalation.Policy)
		to   priority.Priority
		due  int // minutes after the start
	}{
		{"it climbs", func(*escalation.Run, escalation.Policy) {}, priority.P1, 3},
		{"the same steps hold", func(*escalation.Run, escalation.Policy) {}, priority.P4, 15},
		{"it is answered", func(r *escalation.Run, _ escalation.Policy) { r.Acknowledge("kim", after(2)) }, priority.P1, 62},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, run := strict(), escalation.Run{}
			run.Climb(p, escalation.At(priority.P3), start)
			tc.do(&run, p)
			run.Rise(p, escalation.At(tc.to), after(3))
			if due := run.Due(p); !due.Equal(after(tc.due)) {
				t.Errorf("due %s, want %s", due, after(tc.due))
			}
		})
	}
}

func TestPagingStopsWhenAsManyDifferentPeopleHaveAcknowledgedAsTheStepsAskFor(t *testing.T) {
	p := policy()
	p.Steps[0].Acknowledgements = 2
	for _, tc := range []struct {
		name     string
		begun    int
		acks     []string
		answered bool
	}{
		{"one of two", 1, []string{"kim"}, false},
		{"the same twice", 1, []string{"kim", "kim"}, false},
		{"two", 1, []string{"kim", "park"}, true},
		{"a later step that asks for one takes nothing back", 2, []string{"kim"}, false},
		{"nor does the last resort", 5, []string{"kim"}, false},
		{"and two are enough there too", 5, []string{"kim", "lee"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run, now := escalation.Run{}, start
			for range tc.begun {
				run.Climb(p, escalation.At(priority.P3), now)
				now = run.Due(p)
			}
			for _, by := range tc.acks {
				run.Acknowledge(by, now)
			}
			_, climbs := run.Climb(p, escalation.At(priority.P3), now)
			if run.Answered != tc.answered || climbs == tc.answered || !run.Taken() {
				t.Errorf("answered %v, climbs %v, taken %v; want answered %v", run.Answered, climbs, run.Taken(), tc.answered)
			}
		})
	}
}

func TestAskingForHelpKeepsWhoHasAcknowledgedWhileOthersMust(t *testing.T) {
	p, run := policy(), escalation.Run{}
	p.Steps[0].Acknowledgements = 2
	run.Climb(p, escalation.At(priority.P3), start)
	run.Acknowledge("kim", after(1))
	run.Resume(after(2))
	if !run.AckedBy("kim") {
		t.Error("kim is forgotten")
	}
	run.Acknowledge("park", after(3))
	run.Resume(after(4)) // both have taken it, and need somebody else
	if run.AckedBy("kim") || run.Answered {
		t.Errorf("got %+v", run)
	}
}

// An oracle as slow and plain as can be: every rung of a policy, written out.
func writtenOut(p escalation.Policy) (all []string) {
	for range p.Repeats + 1 {
		for n, s := range p.Steps {
			if s.Every == 0 {
				all = append(all, fmt.Sprint(n+1, " ", escalation.Shown(s.Targets), " ", s.Wait))
				continue
			}
			for k, t := range s.Targets {
				wait := s.Every
				if k == len(s.Targets)-1 {
					wait = s.Wait
				}
				all = append(all, fmt.Sprint(n+1, " ", t, " ", wait))
			}
		}
	}
	return append(all, fmt.Sprint(0, " ", escalation.Shown(p.LastResort), " ", p.LastResortEvery))
}

func steps(t *rapid.T, name string) (all []escalation.Step) {
	for n := range rapid.IntRange(1, 4).Draw(t, name+" steps") {
		var who []string
		for k := range rapid.IntRange(1, 4).Draw(t, name+" targets") {
			who = append(who, fmt.Sprintf("person:%s%d%d", name, n, k))
		}
		s := step(time.Duration(rapid.IntRange(1, 20).Draw(t, name+" wait"))*time.Minute, who...)
		s.Acknowledgements = rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(t, name+" acknowledgements")
		if rapid.Bool().Draw(t, name+" in order") {
			s.Every = 2 * time.Minute
		}
		all = append(all, s)
	}
	return all
}

func TestEveryRungIsWhereTheOracleHasIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		p.Steps, p.Repeats = steps(t, "own"), rapid.IntRange(0, 3).Draw(t, "repeats")
		want := writtenOut(p)
		for n := range len(want) + 3 {
			r := p.Rung(0, n+1)
			if got := fmt.Sprint(r.Step, " ", escalation.Shown(r.Targets), " ", r.Wait); got != want[min(n, len(want)-1)] {
				t.Fatalf("rung %d is %q, want %q", n+1, got, want[min(n, len(want)-1)])
			}
		}
	})
}

// Whatever becomes of the priority: what is not answered is due again, a page always climbs, nobody whom the steps that
// hold now would have paged is passed over, and after enough acknowledgements nobody is paged.
func TestAClimbGoesUpWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		p.Steps, p.Repeats = steps(t, "own"), rapid.IntRange(0, 2).Draw(t, "repeats")
		p.Variants = []escalation.Variant{
			{Priorities: []priority.Priority{priority.P1, priority.P2}, Steps: steps(t, "high")},
			{Priorities: []priority.Priority{priority.P5}, Steps: steps(t, "low")},
		}
		run, now, at, height := escalation.Run{}, start, priority.P3, -1
		var paged []escalation.Target
		acked := map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "what happens") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				to := rapid.SampledFrom(priority.All()).Draw(t, "priority")
				if to < at {
					run.Rise(p, escalation.At(to), now)
				}
				at = to
			case 1:
				by := rapid.SampledFrom([]string{"kim", "park", "lee"}).Draw(t, "by")
				run.Acknowledge(by, now)
				acked[by] = true
			default:
				now = run.Due(p)
			}
			r, ok := run.Climb(p, escalation.At(at), now)
			if run.Answered {
				if ok || len(acked) < run.Wanted {
					t.Fatalf("begins %v after %d of %d have acknowledged", ok, len(acked), run.Wanted)
				}
				return
			}
			if due := run.Due(p); !due.After(now) {
				t.Fatalf("at %s the next is due %s", now, due)
			}
			if !ok {
				continue
			}
			paged = append(paged, r.Targets...)
			if r.Step == 0 {
				continue
			}
			if h := (r.Round*100+r.Step)*100 + r.Turn; h <= height {
				t.Fatalf("rung %+v is no higher than %d", r, height)
			} else {
				height = h
			}
			hold := p.Steps
			if v := p.Variant(escalation.At(at)); v > 0 {
				hold = p.Variants[v-1].Steps
			}
			for _, s := range hold[:r.Step-1] {
				for _, who := range s.Targets {
					if !slices.Contains(paged, who) {
						t.Fatalf("%s is passed over by %+v; paged %s", who, r, escalation.Shown(paged))
					}
				}
			}
		}
	})
}

func TestWhoseTurnHadNotComeIsNotPassedOver(t *testing.T) {
	p, run := policy(), escalation.Run{}
	p.Steps = []escalation.Step{inOrder(5*time.Minute, "person:a", "person:b", "person:c")}
	p.Variants = []escalation.Variant{{
		Priorities: []priority.Priority{priority.P1},
		Steps:      []escalation.Step{step(5*time.Minute, "person:c", "person:a"), step(5*time.Minute, "person:d")},
	}}
	run.Climb(p, escalation.At(priority.P3), start) // to person:a
	if r, _ := run.Climb(p, escalation.At(priority.P1), run.Due(p)); escalation.Shown(r.Targets) != "person:c, person:d" {
		t.Errorf("pages %s", escalation.Shown(r.Targets))
	}
}
