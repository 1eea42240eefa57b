package alert_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alert"
)

var t0 = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }

// of is one alert of a state that began at a minute.
func of(fingerprint string, state alert.State, began int) alert.Received {
	return alert.Received{Times: 1, Alert: alert.Alert{Fingerprint: fingerprint, Name: "N" + fingerprint, State: state, StartsAt: minute(began)}}
}

func batch(alerts ...alert.Received) alert.Batch {
	return alert.Batch{ReceivedAt: t0, Posts: 1, Alerts: alerts}
}

func names(list []alert.Alert) string {
	var s []string
	for _, a := range list {
		s = append(s, a.Fingerprint)
	}
	return strings.Join(s, " ")
}

func TestWhatIsNews(t *testing.T) {
	const firing, resolved = alert.Firing, alert.Resolved
	for _, tc := range []struct {
		name            string
		before          []alert.Received
		give            alert.Received
		fired, resolved string
		repeats, firing int
		allResolved     bool
	}{
		{"first", nil, of("a", firing, 1), "a", "", 0, 1, false},
		{"repeat", []alert.Received{of("a", firing, 1)}, of("a", firing, 1), "", "", 1, 1, false},
		{"end", []alert.Received{of("a", firing, 1)}, of("a", resolved, 1), "", "a", 0, 0, true},
		{"end again", []alert.Received{of("a", resolved, 1)}, of("a", resolved, 1), "", "", 1, 0, true},
		{"end that comes first", nil, of("a", resolved, 1), "", "", 1, 0, true},
		{"beginning after its end", []alert.Received{of("a", resolved, 1)}, of("a", firing, 1), "", "", 1, 0, true},
		{"fires again", []alert.Received{of("a", firing, 1), of("a", resolved, 1)}, of("a", firing, 2), "a", "", 0, 1, false},
		{"fires again, end unseen", []alert.Received{of("a", firing, 1)}, of("a", firing, 2), "a", "", 0, 1, false},
		{"end of a later one", []alert.Received{of("a", firing, 1)}, of("a", resolved, 2), "", "a", 0, 0, true},
		{"end of an earlier one", []alert.Received{of("a", firing, 2)}, of("a", resolved, 1), "", "", 1, 1, false},
		{"an earlier one", []alert.Received{of("a", resolved, 2)}, of("a", firing, 1), "", "", 1, 0, true},
		{"second", []alert.Received{of("a", resolved, 1)}, of("b", firing, 1), "b", "", 0, 1, false},
		{"one of two ends", []alert.Received{of("a", firing, 1), of("b", firing, 1)}, of("a", resolved, 1), "", "a", 0, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s alert.Set
			s.Apply(batch(tc.before...))
			c := s.Apply(batch(tc.give))
			if names(c.Fired) != tc.fired || names(c.Resolved) != tc.resolved || c.Repeats != tc.repeats || c.Uncertain != 0 {
				t.Errorf("got %+v", c)
			}
			if s.Firing != tc.firing || s.AllResolved() != tc.allResolved || s.Posts != 2 {
				t.Errorf("got %d firing, all resolved %t", s.Firing, s.AllResolved())
			}
		})
	}
}

func TestNothingIsNotResolved(t *testing.T) {
	if new(alert.Set).AllResolved() {
		t.Error("a set without alerts is all resolved")
	}
}

// A source that leaves alerts out says "resolved" of those that it names. That is not the whole group.
func TestAlertsThatTheSourceLeavesOutMayFire(t *testing.T) {
	var s alert.Set
	b := batch(of("a", alert.Firing, 1))
	b.Truncated = 4
	s.Apply(b)
	b = batch(of("a", alert.Resolved, 1))
	b.Truncated = 4
	if s.Apply(b); s.AllResolved() {
		t.Error("all resolved while four were left out")
	}
	if s.Apply(batch(of("b", alert.Resolved, 1))); s.AllResolved() {
		t.Error("all resolved before the source says so")
	}
	b = batch(of("c", alert.Resolved, 1))
	b.GroupResolved = true
	if s.Apply(b); !s.AllResolved() {
		t.Error("not all resolved when the source says so of the whole group")
	}
}

// full is a set that holds as many alerts as it can one by one, and one more by its name.
func full() *alert.Set {
	s := new(alert.Set)
	var all []alert.Received
	for i := range alert.MaxFull + alert.MaxBrief + 1 {
		all = append(all, of(fmt.Sprintf("%04d", i), alert.Firing, 1))
	}
	s.Apply(batch(all...))
	return s
}

func TestStormIsHeldInThreeParts(t *testing.T) {
	s := full()
	if len(s.Full) != alert.MaxFull || len(s.Brief) != alert.MaxBrief || len(s.Rest) != 1 || s.Firing != alert.MaxFull+alert.MaxBrief {
		t.Fatalf("got %d + %d + %d, %d firing", len(s.Full), len(s.Brief), len(s.Rest), s.Firing)
	}
	late := of("late", alert.Firing, 1)
	late.Times = 3
	late.Name = strings.Repeat("값", 30) // too long for a tally
	c := s.Apply(batch(late, late, of("0000", alert.Firing, 1), of("4999", alert.Resolved, 1)))
	if c.Uncertain != 2 || c.Repeats != 1 || names(c.Resolved) != "4999" || len(c.Fired) != 0 {
		t.Errorf("got %+v", c)
	}
	if got := s.Rest[1]; got.Times != 6 || got.Name != strings.Repeat("값", 21) || s.Brief[alert.MaxBrief-1].Resolved != true {
		t.Errorf("got %+v", got)
	}
	for i := range alert.MaxNames {
		s.Apply(batch(of(fmt.Sprint("more", i), alert.Firing, 1)))
	}
	if len(s.Rest) != alert.MaxNames || s.Unnamed != 2 {
		t.Errorf("got %d names and %d unnamed", len(s.Rest), s.Unnamed)
	}
}

func TestWhatIsNotHeldIsResolvedWhenTheSourceSaysSo(t *testing.T) {
	s := full()
	ends := batch()
	for i := range alert.MaxFull + alert.MaxBrief {
		ends.Alerts = append(ends.Alerts, of(fmt.Sprintf("%04d", i), alert.Resolved, 1))
	}
	if s.Apply(ends); s.Firing != 0 || s.AllResolved() {
		t.Errorf("%d fire, all resolved %t, while one that is not held may fire", s.Firing, s.AllResolved())
	}
	ends.GroupResolved = true
	if s.Apply(ends); !s.AllResolved() {
		t.Error("not all resolved when the source says so")
	}
	if s.Apply(batch(of("late", alert.Firing, 9))); s.AllResolved() {
		t.Error("all resolved after another one has come")
	}
}

func TestTextIsBounded(t *testing.T) {
	const n = 40
	var s alert.Set
	apply := func(began, size int) {
		for i := range n {
			a := of(fmt.Sprint(i), alert.Firing, began)
			a.Annotations = alert.Labels{{Name: "summary", Value: strings.Repeat("x", size)}}
			s.Apply(batch(a))
		}
	}
	apply(1, 10)
	apply(2, 10_000) // each fires again, with far more to say
	if text, err := json.Marshal(s.Full); err != nil || len(text) > alert.MaxFullBytes*5/4 || s.Bytes > alert.MaxFullBytes {
		t.Errorf("got %d bytes of %d, counted as %d, %v", len(text), alert.MaxFullBytes, s.Bytes, err)
	}
	for _, h := range s.Full {
		if !h.StartsAt.Equal(minute(2)) || h.Times != 2 {
			t.Errorf("%s: got %+v", h.Fingerprint, h)
		}
	}
}

// An oracle remembers everything and counts anew each time.
type oracle struct {
	batches []alert.Batch
}

// now is what the oracle knows of one alert after all batches.
type now struct {
	state       alert.State
	began       time.Time
	times       int
	first, last time.Time
}

func (o *oracle) now(fingerprint string) (n now) {
	for _, b := range o.batches {
		for _, r := range b.Alerts {
			if r.Fingerprint != fingerprint {
				continue
			}
			if n.times == 0 {
				n.first = b.ReceivedAt
			}
			n.times, n.last = n.times+r.Times, b.ReceivedAt
			if r.StartsAt.After(n.began) || r.StartsAt.Equal(n.began) && r.State == alert.Resolved {
				n.state, n.began = r.State, r.StartsAt
			}
		}
	}
	return n
}

// change is what the last batch has brought, found by asking before and after each of its alerts.
func (o *oracle) change() (fired, resolved string) {
	last := o.batches[len(o.batches)-1]
	var f, r []alert.Alert
	for i, a := range last.Alerts {
		at := func(n int) now {
			cut := last
			cut.Alerts = last.Alerts[:n]
			return (&oracle{append(o.batches[:len(o.batches)-1:len(o.batches)-1], cut)}).now(a.Fingerprint)
		}
		before, after := at(i), at(i+1)
		switch {
		case after.state == before.state && after.began.Equal(before.began): // nothing new
		case after.state == alert.Firing:
			f = append(f, a.Alert)
		case before.state == alert.Firing:
			r = append(r, a.Alert)
		}
	}
	return names(f), names(r)
}

func TestSetAgreesWithWhoRemembersEverything(t *testing.T) {
	fingerprints := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	one := rapid.Custom(func(t *rapid.T) alert.Received {
		r := of(rapid.SampledFrom(fingerprints).Draw(t, "fp"), rapid.SampledFrom([]alert.State{alert.Firing, alert.Resolved}).Draw(t, "state"),
			rapid.IntRange(1, 4).Draw(t, "began"))
		r.Times = rapid.IntRange(1, 3).Draw(t, "times")
		r.Annotations = alert.Labels{{Name: "summary", Value: strings.Repeat("x", rapid.SampledFrom([]int{0, 20_000, 60_000}).Draw(t, "size"))}}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		var s alert.Set
		var o oracle
		for i := range rapid.IntRange(1, 12).Draw(t, "batches") {
			b := alert.Batch{ReceivedAt: minute(100 + i), Posts: 1, Alerts: rapid.SliceOfN(one, 1, 5).Draw(t, "alerts")}
			o.batches = append(o.batches, b)
			c := s.Apply(b)
			if fired, resolved := o.change(); names(c.Fired) != fired || names(c.Resolved) != resolved {
				t.Fatalf("got fired %q and resolved %q, want %q and %q", names(c.Fired), names(c.Resolved), fired, resolved)
			}
			if got := len(c.Fired) + len(c.Resolved) + c.Repeats + c.Uncertain; got != len(b.Alerts) {
				t.Fatalf("a change of %d for %d alerts", got, len(b.Alerts))
			}
			compare(t, &s, &o, fingerprints)
			if rapid.Bool().Draw(t, "continue as new") {
				s = reread(t, s)
			}
		}
	})
}

func compare(t *rapid.T, s *alert.Set, o *oracle, fingerprints []string) {
	t.Helper()
	held := map[string]now{}
	for _, h := range s.Full {
		held[h.Fingerprint] = now{h.State, h.StartsAt, h.Times, h.First, h.Last}
	}
	for _, h := range s.Brief {
		state := alert.Firing
		if h.Resolved {
			state = alert.Resolved
		}
		held[h.Fingerprint] = now{state, h.StartsAt, h.Times, h.First, h.Last}
	}
	want, firing := map[string]now{}, 0
	for _, f := range fingerprints {
		if n := o.now(f); n.times > 0 {
			if want[f] = n; n.state == alert.Firing {
				firing++
			}
		}
	}
	if !reflect.DeepEqual(held, want) {
		t.Fatalf("got  %v\nwant %v", held, want)
	}
	if s.Firing != firing || s.AllResolved() != (firing == 0) || s.Distinct() != len(want) || s.Posts != len(o.batches) {
		t.Fatalf("got %d firing of %d, %d posts; want %d of %d, %d", s.Firing, s.Distinct(), s.Posts, firing, len(want), len(o.batches))
	}
	if s.Bytes > alert.MaxFullBytes {
		t.Fatalf("got %d bytes", s.Bytes)
	}
}

// reread is what a continued run gets of a set.
func reread(t *rapid.T, s alert.Set) (back alert.Set) {
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	return back
}
