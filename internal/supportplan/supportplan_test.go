package supportplan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/priority"
	"muster/internal/supportplan"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// running is a clock of 100 minutes whose instants have been computed.
func running() *supportplan.Clock {
	c := &supportplan.Clock{Customer: "acme", Target: supportplan.Update, Within: 100 * time.Minute, Started: start, State: supportplan.Running}
	compute(c)
	return c
}

func compute(c *supportplan.Clock) {
	at := instants(c)
	c.RiskAt, c.Due = at.RiskAt, at.Due
}

// instants are those of a clock that runs around the clock.
func instants(c *supportplan.Clock) supportplan.Instants {
	at, err := c.Instants(supportplan.Always{}, 80)
	if err != nil {
		panic(err)
	}
	return at
}

// promised is a promise of so much time around the clock.
func promised(within time.Duration) supportplan.Promise {
	return supportplan.Promise{Priority: priority.P1, Target: supportplan.Update, Within: within}
}

func TestWhatBecomesOfAClock(t *testing.T) {
	for _, tc := range []struct {
		name  string
		do    func(c *supportplan.Clock)
		state supportplan.ClockState
		open  bool
		due   int // minutes after the start, computed anew; of a clock that runs
	}{
		{"it runs", func(*supportplan.Clock) {}, supportplan.Running, true, 100},
		{"kept in time", func(c *supportplan.Clock) { c.Keep(after(99)) }, supportplan.Met, false, 0},
		{"kept in the moment in which it is due", func(c *supportplan.Clock) { c.Keep(after(100)) }, supportplan.Missed, false, 0},
		{"missed", func(c *supportplan.Clock) { c.Miss() }, supportplan.Missed, true, 0},
		{"missed, and done late", func(c *supportplan.Clock) { c.Miss(); c.Keep(after(120)) }, supportplan.Missed, false, 0},
		{"missed, and stopped", func(c *supportplan.Clock) { c.Miss(); c.Stop(after(120)) }, supportplan.Missed, false, 0},
		{"stopped", func(c *supportplan.Clock) { c.Stop(after(10)) }, supportplan.Stopped, false, 0},
		{"paused", func(c *supportplan.Clock) { c.Pause(after(10), supportplan.Customer, "change window") }, supportplan.Paused, true, 0},
		{"paused and resumed", func(c *supportplan.Clock) { c.Pause(after(10), supportplan.Customer, "x"); c.Resume(after(40)) }, supportplan.Running, true, 130},
		{"paused twice", func(c *supportplan.Clock) {
			c.Pause(after(10), supportplan.Customer, "x")
			c.Resume(after(40))
			c.Pause(after(50), supportplan.Customer, "y")
			c.Resume(after(60))
		}, supportplan.Running, true, 140},
		{"kept while paused, after it would have been due", func(c *supportplan.Clock) { c.Pause(after(10), supportplan.Customer, "x"); c.Keep(after(300)) }, supportplan.Met, false, 0},
		{"reopened", func(c *supportplan.Clock) {
			c.Keep(after(50))
			c.Reopen(supportplan.Span{From: after(50), To: after(110)})
		}, supportplan.Running, true, 160},
		{"ended in a pause, and reopened", func(c *supportplan.Clock) {
			c.Pause(after(10), supportplan.Customer, "x")
			c.Keep(after(50))
			c.Reopen(supportplan.Span{From: after(50), To: after(110)})
		}, supportplan.Running, true, 200},
		{"missed, and reopened", func(c *supportplan.Clock) {
			c.Miss()
			c.Keep(after(120))
			c.Reopen(supportplan.Span{From: after(120), To: after(150)})
		}, supportplan.Missed, true, 0},
		{"the next round", func(c *supportplan.Clock) { c.Keep(after(50)); c.Restart(after(50), promised(30*time.Minute)) }, supportplan.Running, true, 80},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := running()
			tc.do(c)
			if c.State != tc.state || c.Open() != tc.open {
				t.Errorf("is %s, open %v; want %s, %v", c.State, c.Open(), tc.state, tc.open)
			}
			if due := instants(c).Due; c.State == supportplan.Running && !due.Equal(after(tc.due)) {
				t.Errorf("due %s, want %s", due, after(tc.due))
			}
		})
	}
}

func TestAClockIsAtRiskWhenItsShareOfTheTimeIsUsed(t *testing.T) {
	c := running()
	c.Pause(after(10), supportplan.Customer, "x")
	if stood := c.Resume(after(40)); stood != 30*time.Minute {
		t.Errorf("stood for %s, want 30m", stood)
	}
	if at := instants(c); !at.RiskAt.Equal(after(110)) || !at.Due.Equal(after(130)) {
		t.Errorf("at risk %s, due %s; want %s, %s: the pause moves both", at.RiskAt, at.Due, after(110), after(130))
	}
}

func TestTheRoundsOfAPromiseAreCounted(t *testing.T) {
	c := running()
	c.LastSend = 7
	c.Keep(after(50))
	c.Restart(after(50), promised(time.Hour)) // met
	compute(c)
	c.Miss()
	c.Keep(after(200))
	c.Restart(after(200), promised(time.Hour)) // missed
	c.Stop(after(210))
	c.Restart(after(220), promised(time.Hour)) // ended without being due: neither
	if c.EarlierMet != 1 || c.EarlierMissed != 1 || c.LastSend != 7 || c.Late || c.AtRisk {
		t.Errorf("got %+v, want one round met, one missed, and a fresh one", c)
	}
}

func TestAnUpdateIsBegunALittleBeforeItIsDue(t *testing.T) {
	for within, want := range map[time.Duration]time.Duration{
		10 * time.Minute: time.Minute, 50 * time.Minute: 5 * time.Minute, 8 * time.Hour: 5 * time.Minute,
	} {
		if got := (&supportplan.Clock{Within: within}).Lead(); got != want {
			t.Errorf("of %s: %s before it is due, want %s", within, got, want)
		}
	}
}

// However often a clock stands still, it runs for exactly as long as was promised.
func TestPausesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now, ran := running(), start, time.Duration(0)
		for range rapid.IntRange(0, 8).Draw(t, "pauses") {
			run := time.Duration(rapid.IntRange(0, 12).Draw(t, "runs")) * time.Minute
			now, ran = now.Add(run), ran+run
			c.Pause(now, supportplan.Customer, "x")
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "stands")) * time.Minute)
			c.Resume(now)
		}
		if due := instants(c).Due; !due.Equal(now.Add(c.Within - ran)) {
			t.Fatalf("due %s, want %s after it ran for %s: %+v", due, now.Add(c.Within-ran), ran, c.Pauses)
		}
	})
}

func plan() supportplan.Plan {
	return supportplan.Plan{ID: "gold", AtRisk: 80, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
		{Priority: priority.P1, Target: supportplan.Respond, Within: 15 * time.Minute},
	}}
}

func TestAPlanPromisesWhatItNames(t *testing.T) {
	for _, tc := range []struct {
		priority priority.Priority
		target   supportplan.Target
		want     time.Duration
	}{
		{priority.P1, supportplan.Respond, 15 * time.Minute},
		{priority.P1, supportplan.Resolve, 0},
		{priority.P2, supportplan.Respond, 0},
	} {
		if got, promised := plan().Promise(tc.priority, tc.target); got.Within != tc.want || promised != (tc.want > 0) {
			t.Errorf("%s at %s within %s, %v; want %s", tc.target, tc.priority, got.Within, promised, tc.want)
		}
	}
}

func TestAPlanThatCannotBeKeptIsRefused(t *testing.T) {
	if faults := plan().Validate(); faults != nil {
		t.Errorf("a good plan: %v", faults)
	}
	for want, spoil := range map[string]func(*supportplan.Plan){
		"support plan gold: at_risk 0: want a percentage from 1 to 99":   func(p *supportplan.Plan) { p.AtRisk = 0 },
		"support plan gold: at_risk 100: want a percentage from 1 to 99": func(p *supportplan.Plan) { p.AtRisk = 100 },
		`support plan gold: update_by "robot": want engine or person`:    func(p *supportplan.Plan) { p.UpdateBy = "robot" },
		"support plan gold: P1 respond: 0s: want more than 0s":           func(p *supportplan.Plan) { p.Promises[0].Within = 0 },
		"support plan gold: P1 respond: want a time or working days, not both": func(p *supportplan.Plan) {
			p.Promises[0].Days, p.Promises[0].Calendar = 2, "office"
		},
		"support plan gold: P1 respond: working days: want a calendar that says which days are": func(p *supportplan.Plan) {
			p.Promises[0].Within, p.Promises[0].Days = 0, 2
		},
	} {
		p := plan()
		spoil(&p)
		if faults := p.Validate(); len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("got %v, want %q alone", errors.Join(faults...), want)
		}
	}
}
