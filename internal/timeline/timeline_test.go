package timeline_test

import (
	"fmt"
	"testing"
	"time"

	"muster/internal/timeline"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func filled(n int) timeline.Log {
	var l timeline.Log
	for k := range n {
		l.Add(at, timeline.Noted, timeline.Muster(), timeline.F("text", fmt.Sprint(k)))
	}
	return l
}

func TestRepeatFoldsTheSameThingAndNothingElse(t *testing.T) {
	var l timeline.Log
	for range 3 {
		l.Repeat(at, timeline.AlertRepeated, timeline.Muster())
	}
	l.Repeat(at, timeline.AlertRepeated, timeline.Actor{Kind: timeline.Source, ID: "other"})
	if len(l.Entries) != 2 || l.Entries[0].Times != 3 || l.Entries[1].Times != 0 {
		t.Errorf("got %+v, want three folded and another's apart", l.Entries)
	}
}

func TestWhatWasTrimmedIsJoinedAgainFromTheRunBefore(t *testing.T) {
	for _, tc := range []struct{ total, keep, later int }{
		{1200, 500, 10}, {10, 500, 3}, {500, 500, 0}, {600, 1, 1},
	} {
		before := filled(tc.total)
		after := before
		after.Trim(tc.keep, 1<<20)
		if len(after.Entries) > tc.keep {
			t.Errorf("%+v: %d entries are left", tc, len(after.Entries))
		}
		for range tc.later {
			after.Add(at, timeline.Noted, timeline.Muster())
		}
		whole := timeline.Join(before, after)
		if len(whole.Entries) != tc.total+tc.later || whole.Dropped != 0 {
			t.Fatalf("%+v: joined %d entries, %d dropped", tc, len(whole.Entries), whole.Dropped)
		}
		for n, e := range whole.Entries {
			if e.Seq != n+1 {
				t.Fatalf("%+v: entry %d has number %d", tc, n, e.Seq)
			}
		}
	}
}

func TestALogThatDoesNotReachTheLaterOneIsLeftOut(t *testing.T) {
	before, after := filled(10), filled(20)
	after.Trim(5, 1<<20) // begins with entry 16
	whole := timeline.Join(before, after)
	if len(whole.Entries) != 5 || whole.Dropped != 15 || whole.Entries[0].Seq != 16 {
		t.Errorf("joined %d entries, %d dropped: want the later ones alone", len(whole.Entries), whole.Dropped)
	}
}

// What is kept keeps its numbers, and the log knows about how large it is.
func TestKeep(t *testing.T) {
	var l, want timeline.Log
	for n := range 4 {
		kind := []timeline.Kind{timeline.Noted, timeline.Measured}[n%2]
		l.Add(time.Unix(int64(n), 0), kind, timeline.Muster(), timeline.F("text", "x"))
		if kind == timeline.Noted {
			want.Add(time.Unix(int64(n), 0), kind, timeline.Muster(), timeline.F("text", "x"))
		}
	}
	l.Keep(func(k timeline.Kind) bool { return k == timeline.Noted })
	if len(l.Entries) != 2 || l.Entries[0].Seq != 1 || l.Entries[1].Seq != 3 || l.Bytes != want.Bytes {
		t.Errorf("kept %+v; want the notes, of %d bytes", l, want.Bytes)
	}
}

func TestTrimKeepsTheNewestWithinItsBytes(t *testing.T) {
	l := filled(100)
	l.Trim(100, l.Bytes/2)
	if n := len(l.Entries); n == 0 || n > 51 || l.Entries[n-1].Seq != 100 || l.Dropped != 100-n {
		t.Errorf("%d entries are left, the newest is %d, %d dropped", n, l.Entries[n-1].Seq, l.Dropped)
	}
}
