package alert_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alert"
)

// until is a firing alert that times out at a minute.
func until(fingerprint string, began, ends int) alert.Received {
	a := of(fingerprint, alert.Firing, began)
	a.Until = minute(ends)
	return a
}

func TestAlertsTimeOutUnlessTheyComeAgain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		give   []alert.Received // each in a batch of its own
		at     int
		over   string
		firing int
		look   time.Time
	}{
		{"not yet", []alert.Received{until("a", 1, 5)}, 4, "", 1, minute(5)},
		{"at the very moment", []alert.Received{until("a", 1, 5)}, 5, "a", 0, time.Time{}},
		{"came again", []alert.Received{until("a", 1, 5), until("a", 1, 6)}, 5, "", 1, minute(6)},
		{"came again as if it had begun anew", []alert.Received{until("a", 1, 5), until("a", 3, 6)}, 5, "", 1, minute(6)},
		{"came again with less", []alert.Received{until("a", 1, 5), until("a", 1, 3)}, 4, "", 1, minute(5)},
		{"is resolved", []alert.Received{until("a", 1, 5), of("a", alert.Resolved, 1)}, 9, "", 0, time.Time{}},
		{"is resolved as if it had begun then", []alert.Received{until("a", 1, 5), of("a", alert.Resolved, 4)}, 9, "", 0, time.Time{}},
		{"without a time-out", []alert.Received{of("a", alert.Firing, 1)}, 1_000, "", 1, time.Time{}},
		{"one of two", []alert.Received{until("a", 1, 5), until("b", 1, 7)}, 5, "a", 1, minute(7)},
		{"never fired", []alert.Received{of("a", alert.Resolved, 1)}, 9, "", 0, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s alert.Set
			for _, a := range tc.give {
				s.Apply(batch(a))
			}
			c := s.Expire(minute(tc.at))
			if names(c.Resolved) != tc.over || s.Firing != tc.firing || !s.Look.Equal(tc.look) {
				t.Errorf("got %s over, %d firing, next look %s", names(c.Resolved), s.Firing, s.Look)
			}
			for _, a := range c.Resolved {
				if a.State != alert.Resolved || !a.EndsAt.Equal(minute(5)) {
					t.Errorf("got %+v, want it resolved when its time was over", a)
				}
			}
			if again := s.Expire(minute(tc.at)); len(again.Resolved) > 0 {
				t.Errorf("it times out twice: %+v", again)
			}
		})
	}
}

func TestWhatTimedOutFiresAgain(t *testing.T) {
	for _, tc := range []struct {
		name  string
		again alert.Received
		fired string
	}{
		{"it went on, unheard", until("a", 1, 20), "a"},
		{"it began anew", until("a", 12, 20), "a"},
		{"a copy from before", until("a", 1, 5), ""},
		{"its end comes late", of("a", alert.Resolved, 1), ""},
	} {
		var s alert.Set
		s.Apply(batch(until("a", 1, 5)))
		s.Expire(minute(9))
		if c := s.Apply(batch(tc.again)); names(c.Fired) != tc.fired || len(c.Resolved) > 0 || s.AllResolved() != (tc.fired == "") {
			t.Errorf("%s: got %+v, all resolved %t", tc.name, c, s.AllResolved())
		}
	}
}

// What is too much to be held one by one is over when the last of a name is.
func TestAStormTimesOut(t *testing.T) {
	s := full()
	var ends []alert.Received
	for i := range alert.MaxFull + alert.MaxBrief {
		ends = append(ends, of(fmt.Sprintf("%04d", i), alert.Resolved, 1))
	}
	s.Apply(batch(ends...))
	if s.Expire(minute(1_000)); s.AllResolved() {
		t.Fatal("an alert without a time-out has timed out")
	}
	s = &alert.Set{}
	var all []alert.Received
	for i := range alert.MaxFull + alert.MaxBrief {
		all = append(all, until(fmt.Sprint("x", i), 1, 5))
	}
	late := until("late", 1, 7)
	late.Name = "late"
	s.Apply(batch(append(all, late, late)...))
	if c := s.Expire(minute(6)); len(c.Resolved) != alert.MaxFull+alert.MaxBrief || s.Firing != 0 || s.AllResolved() {
		t.Fatalf("got %d over, %d firing, all resolved %t", len(c.Resolved), s.Firing, s.AllResolved())
	}
	if c := s.Expire(minute(7)); c.Uncertain != 1 || !s.AllResolved() {
		t.Fatalf("got %+v, all resolved %t", c, s.AllResolved())
	}
	if s.Apply(batch(late)); s.AllResolved() {
		t.Error("all resolved after another one has come")
	}
}

func TestTimeOutsOfWhatWasHeldBack(t *testing.T) {
	var s alert.Set
	held := batch(until("a", 1, 5), of("b", alert.Firing, 1))
	s.Apply(held)
	s.Apply(batch(until("a", 1, 9)))
	out := s.Extended(held)
	if !out.Alerts[0].Until.Equal(minute(9)) || !out.Alerts[1].Until.IsZero() || !held.Alerts[0].Until.Equal(minute(5)) {
		t.Errorf("got %+v of %+v", out.Alerts, held.Alerts)
	}
	if !held.TimesOut() || held.Plain().TimesOut() || !held.TimesOut() {
		t.Error("a lasting batch times out, or has changed the one that it came from")
	}
}

// However alerts come and time passes, what fires is exactly what has come again in time, and nobody looks too late.
func TestNothingIsOverTooEarlyOrTooLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s alert.Set
		ends := map[string]time.Time{}
		now := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now += rapid.IntRange(0, 3).Draw(t, "passes")
			if rapid.Bool().Draw(t, "comes") {
				a := until(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "fp"), now, now+rapid.IntRange(1, 6).Draw(t, "lasts"))
				s.Expire(minute(now))
				s.Apply(batch(a))
				if was := ends[a.Fingerprint]; a.Until.After(was) {
					ends[a.Fingerprint] = a.Until
				}
			} else {
				s.Expire(minute(now))
			}
			firing := 0
			for _, e := range ends {
				if e.After(minute(now)) {
					firing++
					if s.Look.After(e) || s.Look.IsZero() {
						t.Fatalf("the next look is %s, and one times out at %s", s.Look, e)
					}
				}
			}
			if s.Firing != firing {
				t.Fatalf("at %d: %d fire, want %d", now, s.Firing, firing)
			}
			s = reread(t, s)
		}
	})
}

// Who only tells of an end has not told that the rest is gone.
func TestABareEndLeavesWhatWasTold(t *testing.T) {
	for _, name := range []string{"whole", "brief"} {
		s := new(alert.Set)
		if name == "brief" {
			s = full()
		}
		began := of("a", alert.Firing, 1)
		began.Name, began.Labels, began.Generator = "Down", alert.Labels{{Name: "host", Value: "h"}}, "https://example.com"
		if name == "brief" {
			began.Fingerprint = "4999"
			s.Brief[alert.MaxBrief-1].Name = "Down"
		}
		s.Apply(batch(began))
		over := of(began.Fingerprint, alert.Resolved, 3)
		over.Name, over.Bare, over.EndsAt = "a key", true, minute(3)
		c := s.Apply(batch(over))
		if len(c.Resolved) != 1 || c.Resolved[0].Name != "Down" {
			t.Errorf("%s: got %+v", name, c)
		}
		if h := s.Full[0]; name == "whole" && (h.State != alert.Resolved || h.Labels.Value("host") != "h" || h.Generator == "" || h.Bare || !h.EndsAt.Equal(minute(3))) {
			t.Errorf("got %+v", h)
		}
	}
}
