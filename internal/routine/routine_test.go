package routine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/routine"
	"muster/internal/timeline"
)

var start = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

func after(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }

var kim = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim"}

// daily is what a folder says of a routine that comes back every day at the 24th, 48th … hour, and is due four hours later.
func daily(past, now time.Time) routine.Seen {
	s := routine.Seen{Definition: routine.Definition{ID: "check", Name: "Daily check", Customer: "nuri", Plan: "daily-check"}}
	for at := after(24); len(s.Slots) < routine.MostAhead || !s.Slots[len(s.Slots)-routine.MostAhead].Begins.After(now); at = at.AddDate(0, 0, 1) {
		if at.After(past) {
			s.Slots = append(s.Slots, routine.Slot{Begins: at, Due: at.Add(4 * time.Hour)})
		}
	}
	if n := len(s.Slots) - routine.MostAhead - routine.MostAtOnce; n > 0 {
		s.Slots, s.More = s.Slots[n:], n
	}
	return s
}

// A house plays what is outside: its folder answers at once, and what a run does is said by the test.
type house struct {
	r       *routine.Routine
	started []string // instants for which runs were started, in hours
	told    []string
	refuses string // why no run can be started
	runs    map[string]routine.Outcome
	visits  int      // how many were bought for a year; 0: it is no visit
	away    bool     // the ledger does not answer
	counted []string // visits in the ledger, in hours
}

func open() *house {
	h := &house{r: routine.Open("check", start), runs: map[string]routine.Outcome{}}
	h.at(start)
	return h
}

func hour(t time.Time) int { return int(t.Sub(start).Hours()) }

// at brings the routine to an instant, as a workflow does.
func (h *house) at(now time.Time) {
	for work := h.r.Advance(now); len(work) > 0; work = h.r.Advance(now) {
		for _, w := range work {
			o := w.Occurrence
			switch w.Do {
			case routine.Look:
				s := daily(h.r.After, now)
				s.Definition.Visit = h.visits > 0
				h.r.Seen(s, now.Add(time.Hour), now)
			case routine.Start:
				if h.refuses != "" {
					h.r.Started(o.Planned, "", h.refuses, now)
					continue
				}
				h.started = append(h.started, fmt.Sprint(hour(o.Planned)))
				h.r.Started(o.Planned, fmt.Sprint("RUN-", hour(o.Planned)), "", now)
			case routine.Check:
				h.r.Checked(o.Planned, h.runs[o.Run], "", now)
			case routine.Count:
				h.count(o, now)
			case routine.Tell:
				h.told = append(h.told, fmt.Sprintf("%s %d×%d", w.Telling.About, hour(w.Telling.Occurrence.Planned), w.Telling.Count))
			}
		}
	}
}

// A deadline that has come into the folder for another day begins at once where its plan should have begun before the last one did; what has
// been seen to does not begin again.
func TestADeadlineThatIsRenewedBeginsAlthoughItIsLate(t *testing.T) {
	r := routine.Open("db-licence", start)
	says := func(begins, due int, now time.Time) string {
		r.Advance(now)
		r.Seen(routine.Seen{
			Definition: routine.Definition{ID: "db-licence", Asset: "db", Customer: "nuri", Plan: "renew"}, Slots: []routine.Slot{{Begins: after(begins), Due: after(due)}},
		}, now.Add(time.Hour), now)
		r.Advance(now)
		var all []int
		for _, o := range r.Running {
			all = append(all, hour(o.Planned))
		}
		return fmt.Sprintf("ahead %d, running %v, past %d", len(r.Ahead), all, len(r.Past))
	}
	for _, step := range []struct {
		begins, due, now int
		want             string
	}{
		{24, 48, 0, "ahead 1, running [], past 0"},
		{24, 48, 24, "ahead 0, running [24], past 0"},
		{24, 48, 31, "ahead 0, running [], past 1"}, // its run is over, and it is not planned once more
		{12, 500, 33, "ahead 0, running [12], past 1"},
	} {
		if got := says(step.begins, step.due, after(step.now)); got != step.want {
			t.Errorf("at hour %d: %s, want %s", step.now, got, step.want)
		}
		if step.now == 24 {
			r.Started(after(24), "RUN-1", "", after(24))
			r.Checked(after(24), routine.Outcome{Over: true, Done: true, Ended: after(30), Status: "completed"}, "", after(30))
		}
	}
}

func (h *house) count(o routine.Occurrence, now time.Time) {
	if h.away {
		h.r.Counted(o.Planned, routine.Visit{}, "no connection", now)
		return
	}
	h.counted = append(h.counted, fmt.Sprint(hour(o.Planned)))
	h.r.Counted(o.Planned, routine.Visit{Number: len(h.counted), Bought: h.visits, Year: 2026}, "", now)
}

// until plays every deadline until an instant.
func (h *house) until(end time.Time) {
	for due := h.r.NextDue(); !due.IsZero() && !due.After(end); due = h.r.NextDue() {
		h.at(due)
	}
	h.at(end)
}

func (h *house) fates() string {
	var all []string
	for _, o := range h.r.Past {
		f := fmt.Sprintf("%d %s", hour(o.Planned), o.Fate)
		if o.Late {
			f += " late"
		}
		all = append(all, f)
	}
	return strings.Join(all, ", ")
}

func do(t *testing.T, h *house, now time.Time, c routine.Command) {
	t.Helper()
	if err := c.Apply(h.r, kim, now); err != nil {
		t.Fatal(err)
	}
}

func TestWhatBecomesOfARoutine(t *testing.T) {
	done := func(at int) routine.Outcome {
		return routine.Outcome{Over: true, Done: true, Ended: after(at), Status: "completed"}
	}
	for name, tc := range map[string]struct {
		play    func(t *testing.T, h *house)
		status  routine.Status
		started string
		past    string
		told    string
	}{
		"it waits for its first time": {
			func(_ *testing.T, h *house) { h.until(after(23)) }, routine.Waiting, "", "", "",
		},
		"its run is done in time": {func(_ *testing.T, h *house) {
			h.runs["RUN-24"] = done(26)
			h.until(after(30))
		}, routine.Waiting, "24", "24 done", ""},
		"its run is late, and done after all": {func(_ *testing.T, h *house) {
			h.until(after(29))
			h.runs["RUN-24"] = done(30)
			h.until(after(40))
		}, routine.Waiting, "24", "24 done late", "missed 24×0"},
		"one is not done, and the next begins beside it": {func(_ *testing.T, h *house) {
			h.until(after(49))
		}, routine.Overdue, "24 48", "", "missed 24×0"},
		"its run is cancelled": {func(_ *testing.T, h *house) {
			h.runs["RUN-24"] = routine.Outcome{Over: true, Ended: after(25), Status: "cancelled"}
			h.until(after(30))
		}, routine.Overdue, "24", "24 missed", "ended 24×0"},
		"what was missed is forgotten when the next is done": {func(_ *testing.T, h *house) {
			h.runs["RUN-24"] = routine.Outcome{Over: true, Ended: after(25), Status: "cancelled"}
			h.runs["RUN-48"] = done(49)
			h.until(after(53))
		}, routine.Waiting, "24 48", "24 missed, 48 done", "ended 24×0"},
		"no run can be started until it is due": {func(_ *testing.T, h *house) {
			h.refuses = "no environment"
			h.until(after(30))
		}, routine.Overdue, "", "24 missed late", "blocked 24×0, not-begun 24×0"},
		"a run can be started late": {func(_ *testing.T, h *house) {
			h.refuses = "no environment"
			h.until(after(26))
			h.refuses, h.runs["RUN-24"] = "", done(27)
			h.until(after(30))
		}, routine.Waiting, "24", "24 done", "blocked 24×0"},
		"Muster was out for three days: what was missed is said once, what is not due yet is begun": {func(_ *testing.T, h *house) {
			h.at(after(97))
		}, routine.Overdue, "96", "24 missed late, 48 missed late, 72 missed late", "caught-up 24×3"},
		"one is moved": {func(t *testing.T, h *house) {
			do(t, h, after(1), routine.Move{Planned: after(24), To: after(30), Reason: "Holiday"})
			h.until(after(33))
		}, routine.Running, "24", "", ""},
		"one is moved, and what it was due moves with it": {func(t *testing.T, h *house) {
			do(t, h, after(1), routine.Move{Planned: after(24), To: after(30), Reason: "Holiday"})
			h.until(after(35))
		}, routine.Overdue, "24", "", "missed 24×0"},
		"one is begun at once": {func(t *testing.T, h *house) {
			do(t, h, after(2), routine.Move{Planned: after(24), To: after(2), Reason: "They are here"})
			h.runs["RUN-24"] = done(3)
			h.until(after(26))
		}, routine.Waiting, "24", "24 done", ""},
		"one is left out": {func(t *testing.T, h *house) {
			do(t, h, after(1), routine.Skip{Planned: after(24), Reason: "The system is off"})
			h.until(after(30))
		}, routine.Waiting, "", "24 skipped", ""},
		"nobody does any of them": {
			func(_ *testing.T, h *house) {
				h.until(after(24 * 22))
			}, routine.Overdue, "24 48 72 96 120 144 168 192 216 240 264 288 312 336 360 384 408 432 456 480", "504 missed late, 528 missed late",
			"missed 24×0, missed 48×0, missed 72×0, missed 96×0, missed 120×0, missed 144×0, missed 168×0, missed 192×0, missed 216×0, missed 240×0, " +
				"missed 264×0, missed 288×0, missed 312×0, missed 336×0, missed 360×0, missed 384×0, missed 408×0, missed 432×0, missed 456×0, missed 480×0, " +
				"not-begun 504×0, not-begun 528×0",
		},
		"the folder has it no more": {func(_ *testing.T, h *house) {
			h.until(after(25))
			h.r.Seen(routine.Seen{Gone: true}, after(26), after(25))
			h.runs["RUN-24"] = done(26)
			h.until(after(60))
		}, routine.Retired, "24", "24 done", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open()
			tc.play(t, h)
			if h.r.Status != tc.status || h.fates() != tc.past || strings.Join(h.started, " ") != tc.started || strings.Join(h.told, ", ") != tc.told {
				t.Errorf("%s; started %v; %s; told %v\nwant %s; %s; %s; %s", h.r.Status, h.started, h.fates(), h.told, tc.status, tc.started, tc.past, tc.told)
			}
		})
	}
}

// What is done is counted once, late or not; what was missed or left out is not. While the ledger does not answer nothing is lost.
func TestVisitsAreCountedOnce(t *testing.T) {
	done := func(at int) routine.Outcome {
		return routine.Outcome{Over: true, Done: true, Ended: after(at), Status: "completed"}
	}
	for name, tc := range map[string]struct {
		bought  int
		play    func(t *testing.T, h *house)
		counted string
		told    string
		said    []timeline.Kind
	}{
		"it is no visit": {0, func(_ *testing.T, h *house) {
			h.runs["RUN-24"] = done(26)
			h.until(after(47))
		}, "", "", nil},
		"one is done, one late": {2, func(_ *testing.T, h *house) {
			h.runs["RUN-24"] = done(26)
			h.until(after(53))
			h.runs["RUN-48"] = done(54)
			h.until(after(60))
		}, "24 48", "missed 48×0", []timeline.Kind{timeline.RoutineCounted, timeline.RoutineCounted}},
		"one was missed, one is left out": {2, func(t *testing.T, h *house) {
			h.runs["RUN-24"] = routine.Outcome{Over: true, Ended: after(25), Status: "cancelled"}
			do(t, h, after(1), routine.Skip{Planned: after(48), Reason: "They are away"})
			h.until(after(60))
		}, "", "ended 24×0", nil},
		"the second is one more than was bought": {1, func(_ *testing.T, h *house) {
			h.runs["RUN-24"], h.runs["RUN-48"] = done(26), done(50)
			h.until(after(71))
		}, "24 48", "too-many 48×0", []timeline.Kind{timeline.RoutineCounted, timeline.RoutineCounted}},
		"the ledger is out for hours": {1, func(_ *testing.T, h *house) {
			h.away, h.runs["RUN-24"] = true, done(26)
			h.until(after(40))
			h.away = false
			h.until(after(41))
		}, "24", "", []timeline.Kind{timeline.RoutineUncounted, timeline.RoutineCounted}},
		"the folder has it no more before the ledger answers": {1, func(_ *testing.T, h *house) {
			h.away, h.runs["RUN-24"] = true, done(26)
			h.until(after(30))
			h.r.Seen(routine.Seen{Gone: true}, after(31), after(30))
			if h.r.Over() {
				t.Error("it is over while a visit is not counted")
			}
			h.away = false
			h.until(after(32))
			if !h.r.Over() {
				t.Error("it is not over though all is counted")
			}
		}, "24", "", []timeline.Kind{timeline.RoutineUncounted, timeline.RoutineCounted}},
		"it becomes one while its run goes on": {0, func(_ *testing.T, h *house) {
			h.until(after(25))
			h.visits = 9
			h.runs["RUN-24"], h.runs["RUN-48"] = done(27), done(50)
			h.until(after(71))
		}, "48", "", []timeline.Kind{timeline.RoutineCounted}},
	} {
		t.Run(name, func(t *testing.T) {
			h := open()
			h.visits = tc.bought
			h.r.Look = start
			h.at(start)
			tc.play(t, h)
			var said []timeline.Kind
			for _, e := range h.r.Timeline.Entries {
				if e.Kind == timeline.RoutineCounted || e.Kind == timeline.RoutineUncounted {
					said = append(said, e.Kind)
				}
			}
			if strings.Join(h.counted, " ") != tc.counted || strings.Join(h.told, ", ") != tc.told || !slices.Equal(said, tc.said) {
				t.Errorf("counted %v, told %v, said %v; want %s, %s, %v", h.counted, h.told, said, tc.counted, tc.told, tc.said)
			}
		})
	}
}

func TestWhatCannotBeAskedOfARoutine(t *testing.T) {
	h := open()
	do(t, h, after(1), routine.Skip{Planned: after(72), Reason: "Off"})
	for want, c := range map[string]routine.Command{
		"reason: missing": routine.Move{Planned: after(24), To: after(25)},
		"to: missing":     routine.Move{Planned: after(24), Reason: "x"},
		"the one after it begins at 2026-11-29T03:00:00Z": routine.Move{Planned: after(24), To: after(48), Reason: "x"},
		"the one before it begins at":                     routine.Move{Planned: after(48), To: after(24), Reason: "x"},
		"that is over":                                    routine.Move{Planned: after(24), To: after(-4), Reason: "x"},
		"want one of 2026-11-28T03:00:00Z, 2026-11-29":    routine.Skip{Planned: after(25), Reason: "x"},
		"is left out, by Kim":                             routine.Move{Planned: after(72), To: after(73), Reason: "x"},
		"is left out already, by Kim":                     routine.Skip{Planned: after(72), Reason: "x"},
		"want 2000 at most":                               routine.Skip{Planned: after(24), Reason: strings.Repeat("x", 2001)},
	} {
		if err := c.Apply(h.r, kim, after(2)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v; want %q", c, err, want)
		}
	}
}

// Whatever happens, no occurrence is lost, none is begun twice, and what is due is always known.
func TestNoOccurrenceIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := open()
		h.visits, h.r.Look = 3, start
		h.at(start)
		now := start
		for n := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 6).Draw(rt, fmt.Sprint("what ", n)) {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, fmt.Sprint("hours ", n))) * time.Hour)
				h.at(now)
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, fmt.Sprint("played hours ", n))) * time.Hour)
				h.until(now)
			case 2:
				h.refuses = rapid.SampledFrom([]string{"", "no"}).Draw(rt, fmt.Sprint("refuses ", n))
			case 3:
				if k := len(h.r.Running); k > 0 {
					o := h.r.Running[rapid.IntRange(0, k-1).Draw(rt, fmt.Sprint("run ", n))]
					h.runs[o.Run] = routine.Outcome{Over: true, Done: rapid.Bool().Draw(rt, fmt.Sprint("done ", n)), Ended: now}
				}
			case 4:
				if k := len(h.r.Ahead); k > 0 {
					o := h.r.Ahead[rapid.IntRange(0, k-1).Draw(rt, fmt.Sprint("ahead ", n))]
					to := o.Begins.Add(time.Duration(rapid.IntRange(-30, 30).Draw(rt, fmt.Sprint("to ", n))) * time.Hour)
					_ = routine.Move{Planned: o.Planned, To: to, Reason: "x"}.Apply(h.r, kim, now) // it may be refused
					h.at(now)
				}
			case 5:
				h.away = !h.away
			case 6:
				raw, err := json.Marshal(h.r)
				if err != nil {
					rt.Fatal(err)
				}
				h.r = &routine.Routine{}
				if err := json.Unmarshal(raw, h.r); err != nil {
					rt.Fatal(err)
				}
				h.r.Resume()
				h.at(now)
			}
			if due := h.r.NextDue(); due.IsZero() || !due.After(now) {
				rt.Fatalf("at %d: next due %s", hour(now), due)
			}
		}
		var seen []int
		for _, o := range slices.Concat(h.r.Past, h.r.Running, h.r.Ahead) {
			seen = append(seen, hour(o.Planned))
		}
		slices.Sort(seen)
		for n := 1; n < len(seen); n++ {
			if seen[n]-seen[n-1] != 24 && len(h.r.Past) < 24 {
				rt.Fatalf("occurrences at %v: one is lost or stands twice", seen)
			}
		}
		sorted := slices.Clone(h.started)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != len(h.started) {
			rt.Fatalf("begun twice: %v", h.started)
		}
		h.away = false
		h.until(now.Add(time.Hour))
		var done []string
		for _, o := range h.r.Past {
			if o.Fate == routine.Done && len(h.r.Past) < 24 {
				done = append(done, fmt.Sprint(hour(o.Planned)))
			}
		}
		if counted := slices.Sorted(slices.Values(h.counted)); len(done) > 0 && !slices.Equal(slices.Sorted(slices.Values(done)), counted) {
			rt.Fatalf("done %v, counted %v", done, h.counted)
		}
	})
}
