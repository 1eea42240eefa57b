package escalation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/escalation"
	"muster/internal/priority"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func policy() escalation.Policy {
	return escalation.Policy{
		ID: "std", Repeats: 1, Steps: []escalation.Step{
			{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "primary"}}, Wait: 5 * time.Minute},
			{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Wait: 10 * time.Minute},
		},
		LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: 20 * time.Minute,
		AckExpires: time.Hour, NextMethodAfter: time.Minute,
	}
}

func TestAClimbGoesThroughTheStepsAndEndsWithTheLastResort(t *testing.T) {
	p, run, now := policy(), escalation.Run{}, start
	for n, want := range []struct {
		step, round int
		targets     string
		next        int // minutes after the start
	}{
		{1, 1, "schedule:primary", 5},
		{2, 1, "person:park", 15},
		{1, 2, "schedule:primary", 20},
		{2, 2, "person:park", 30},
		{0, 3, "person:lee", 50},
		{0, 3, "person:lee", 70},
	} {
		rung, ok := run.Climb(p, escalation.At(priority.P3), now)
		if !ok || rung.Number != n+1 || rung.Step != want.step || rung.Round != want.round || escalation.Shown(rung.Targets) != want.targets {
			t.Fatalf("at %s: got %+v, %v; want rung %d: step %d, round %d, %s", now, rung, ok, n+1, want.step, want.round, want.targets)
		}
		if _, again := run.Climb(p, escalation.At(priority.P3), now); again {
			t.Errorf("rung %d begins twice", n+1)
		}
		if due := run.Due(p); !due.Equal(after(want.next)) {
			t.Errorf("after rung %d the next is due %s, want %s", n+1, due, after(want.next))
		}
		now = run.Due(p)
	}
}

func TestWhatBecomesOfAClimb(t *testing.T) {
	p := policy()
	for _, tc := range []struct {
		name    string
		do      func(r *escalation.Run)
		at      int // minutes after the start
		step    int // that begins then, -1 for none
		expired bool
	}{
		{"its wait is not over", func(*escalation.Run) {}, 4, -1, false},
		{"its wait is over", func(*escalation.Run) {}, 5, 2, false},
		{"answered", func(r *escalation.Run) { r.Acknowledge("kim", after(1)) }, 30, -1, false},
		{"answered and forgotten", func(r *escalation.Run) { r.Acknowledge("kim", after(1)) }, 61, -1, true},
		{"hastened", func(r *escalation.Run) { r.Hasten(p, 1, after(2)) }, 2, 2, false},
		{"hastened by a step that is over", func(r *escalation.Run) { r.Hasten(p, 0, after(2)) }, 2, -1, false},
		{"hastened after the answer", func(r *escalation.Run) { r.Acknowledge("kim", after(1)); r.Hasten(p, 1, after(2)) }, 2, -1, false},
		{"asked for help", func(r *escalation.Run) { r.Acknowledge("kim", after(1)); r.Resume(after(2)) }, 2, 2, false},
		{"asked for help long ago", func(r *escalation.Run) { r.Acknowledge("kim", after(1)); r.Resume(after(2)) }, 90, 2, false},
		{"begun anew", func(r *escalation.Run) { r.Acknowledge("kim", after(1)); r.Restart() }, 2, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r escalation.Run
			r.Climb(p, escalation.At(priority.P3), start)
			tc.do(&r)
			if got := r.Expired(p, after(tc.at)); got != tc.expired {
				t.Errorf("expired %v, want %v", got, tc.expired)
			}
			rung, ok := r.Climb(p, escalation.At(priority.P3), after(tc.at))
			if ok != (tc.step >= 0) || ok && rung.Step != tc.step {
				t.Errorf("begins %+v, %v; want step %d", rung, ok, tc.step)
			}
		})
	}
}

func TestTheLastResortIsNeverHastened(t *testing.T) {
	p, r, now := policy(), escalation.Run{}, start
	for range 5 {
		r.Climb(p, escalation.At(priority.P3), now)
		now = r.Due(p)
	}
	if r.Hasten(p, 5, after(31)) || !r.Due(p).Equal(after(50)) {
		t.Errorf("due %s, want the pace of the last resort", r.Due(p))
	}
}

// Whatever happens, somebody is paged again, or somebody has answered and will be asked for a sign of life.
func TestAClimbIsAlwaysDueAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, now := policy(), escalation.Run{}, start
		r.Climb(p, escalation.At(priority.P3), now)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				r.Acknowledge("kim", now)
			case 1:
				r.Resume(now)
			case 2:
				r.Restart()
			case 3:
				r.Hasten(p, r.Begun, now)
			default:
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
			}
			if r.Expired(p, now) {
				r.Restart()
			}
			r.Climb(p, escalation.At(priority.P3), now)
			if due := r.Due(p); !due.After(now) || due.After(now.Add(time.Hour)) {
				t.Fatalf("at %s the next is due %s: %+v", now, due, r)
			}
		}
	})
}

func TestAPolicyThatCouldBeClimbedForEverOrNeverIsRefused(t *testing.T) {
	if faults := policy().Validate(); faults != nil {
		t.Errorf("a good policy: %v", faults)
	}
	for want, spoil := range map[string]func(*escalation.Policy){
		"policy std: steps: none":                               func(p *escalation.Policy) { p.Steps = nil },
		"policy std: step 2: targets: none":                     func(p *escalation.Policy) { p.Steps[1].Targets = nil },
		"policy std: step 1: wait 0s: want more than 0s":        func(p *escalation.Policy) { p.Steps[0].Wait = 0 },
		"policy std: last_resort: none":                         func(p *escalation.Policy) { p.LastResort = nil },
		"policy std: repeats -1: want 0 to 20":                  func(p *escalation.Policy) { p.Repeats = -1 },
		"policy std: repeats 21: want 0 to 20":                  func(p *escalation.Policy) { p.Repeats = 21 },
		"policy std: last_resort_every 0s: want more than 0s":   func(p *escalation.Policy) { p.LastResortEvery = 0 },
		"policy std: ack_expires -1h0m0s: want more than 0s":    func(p *escalation.Policy) { p.AckExpires = -time.Hour },
		"policy std: next_method_after 0s: want more than 0s":   func(p *escalation.Policy) { p.NextMethodAfter = 0 },
		"policy std: step 1: every -1m0s: want no less than 0s": func(p *escalation.Policy) { p.Steps[0].Every = -time.Minute },
		"policy std: step 2: acknowledgements 11: want 0 to 10": func(p *escalation.Policy) { p.Steps[1].Acknowledgements = 11 },
		"policy std: step 1: targets vendor:skyhost: a vendor acknowledges nothing; want somebody of your own as well": func(p *escalation.Policy) {
			p.Steps[0].Targets = targets("vendor:skyhost")
		},
		"policy std: last_resort role:incident-manager: want schedule:ID, group:ID or person:ID": func(p *escalation.Policy) {
			p.LastResort = append(targets("person:lee"), targets("role:incident-manager")...)
		},
		"policy std: variant 1: for every incident; want priorities, in or out_of": func(p *escalation.Policy) {
			p.Variants = []escalation.Variant{{Steps: p.Steps}}
		},
		"policy std: variant 1: steps: none; want at least one": func(p *escalation.Policy) {
			p.Variants = []escalation.Variant{{Priorities: []priority.Priority{priority.P1}}}
		},
		"policy std: variant 2: priorities P1: variant 1 has it already": func(p *escalation.Policy) {
			v := escalation.Variant{Priorities: []priority.Priority{priority.P1}, Steps: p.Steps}
			p.Variants = []escalation.Variant{v, v}
		},
	} {
		p := policy()
		spoil(&p)
		if faults := p.Validate(); len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("got %v, want %q alone", errors.Join(faults...), want)
		}
	}
}

func TestParseTargetReadsWhatStringWrites(t *testing.T) {
	for _, s := range []string{"schedule:primary", "person:park", "person:a:b", "group:noc", "role:incident-manager", "engineer", "vendor:skyhost", "contact:garam/it-desk"} {
		if got, err := escalation.ParseTarget(s); err != nil || got.String() != s {
			t.Errorf("ParseTarget(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "park", "person:", "team:ops", ":park", "engineer:", "engineer:acme", "role:"} {
		if got, err := escalation.ParseTarget(s); err == nil || !strings.Contains(err.Error(), "want schedule:ID, group:ID, person:ID, role:ROLE, engineer, vendor:ID or contact:CUSTOMER/CONTACT") {
			t.Errorf("ParseTarget(%q) = %v, %v; want a refusal", s, got, err)
		}
	}
}
