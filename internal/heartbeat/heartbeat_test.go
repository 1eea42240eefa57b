package heartbeat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/internal/incident"
)

var start = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// hourly beats every hour, and has ten minutes of grace.
func hourly() heartbeat.Definition {
	return heartbeat.Definition{
		ID: "sync", Name: "Stock sync", Source: "jobs", Every: time.Hour, Grace: 10 * time.Minute, Language: "en",
		Labels: alert.Labels{{Name: "service", Value: "shop"}}, Folder: incident.Folder{Revision: "r1", Changed: start},
	}
}

// compute ends the spans around the clock.
func compute(h *heartbeat.Heartbeat) {
	var ends []time.Time
	for _, s := range h.Spans {
		ends = append(ends, s.From.Add(s.For))
	}
	if len(ends) > 0 {
		h.Computed(ends, "")
	}
}

func beat(h *heartbeat.Heartbeat, k heartbeat.Kind, minute int) {
	h.Hear(heartbeat.Beat{Kind: k, At: after(minute)}, after(minute))
	compute(h)
}

func look(h *heartbeat.Heartbeat, minute int) {
	h.Advance(after(minute))
	compute(h)
}

// untold is what an incident would hear: the states of the alerts and when they begin and end, in minutes.
func untold(h *heartbeat.Heartbeat) string {
	var all []string
	for _, t := range h.Untold {
		s := fmt.Sprintf("%s %s %d", t.Source, t.Alert.State, int(t.Alert.StartsAt.Sub(start).Minutes()))
		if t.Alert.State == alert.Resolved {
			s += fmt.Sprintf("-%d", int(t.Alert.EndsAt.Sub(start).Minutes()))
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func TestWhatIsMissedAndWhatIsNot(t *testing.T) {
	for _, tc := range []struct {
		name   string
		define func(d *heartbeat.Definition)
		play   func(h *heartbeat.Heartbeat)
		status heartbeat.Status
		due    int // minutes; 0: nothing is
		told   string
	}{
		{"before its first beat nothing is expected", nil, func(h *heartbeat.Heartbeat) { look(h, 10_000) }, heartbeat.New, 0, ""},
		{"unless the folder says within what time", func(d *heartbeat.Definition) { d.FirstWithin = time.Hour }, func(h *heartbeat.Heartbeat) {
			look(h, 59)
			look(h, 60)
		}, heartbeat.Missed, 0, "jobs firing 60"},
		{"beats in time", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 69)
			beat(h, heartbeat.Done, 69)
		}, heartbeat.Beating, 139, ""},
		{"a beat is missed", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 70)
			look(h, 1000)
		}, heartbeat.Missed, 0, "jobs firing 70"},
		{"and comes late", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 70)
			beat(h, heartbeat.Done, 75)
		}, heartbeat.Beating, 145, "jobs firing 70, jobs resolved 70-75"},
		{"one that was on its way when it was missed", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 70)
			beat(h, heartbeat.Done, 68)
		}, heartbeat.Beating, 138, "jobs firing 70, jobs resolved 70-70"},
		{"the job has failed", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Failed, 5)
			look(h, 1000)
			beat(h, heartbeat.Failed, 1001)
			beat(h, heartbeat.Done, 1002)
		}, heartbeat.Beating, 1072, "jobs firing 5, jobs resolved 5-1002"},
		{"a start is no beat", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			beat(h, heartbeat.Started, 60)
		}, heartbeat.Beating, 70, ""},
		{"a job that hangs", func(d *heartbeat.Definition) { d.Lasts = 5 * time.Minute }, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			beat(h, heartbeat.Started, 60)
			look(h, 65)
		}, heartbeat.Missed, 0, "jobs firing 65"},
		{"an old beat that somebody repeats", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 60)
			beat(h, heartbeat.Done, 60)
			beat(h, heartbeat.Done, 30)
		}, heartbeat.Beating, 130, ""},
		{"by a clock that is ahead", nil, func(h *heartbeat.Heartbeat) {
			h.Hear(heartbeat.Beat{Kind: heartbeat.Done, At: after(600)}, after(1))
			compute(h)
		}, heartbeat.Beating, 71, ""},
		{"noticed too late, because nobody could notice it", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 100)
			look(h, 109)
		}, heartbeat.Beating, 110, ""},
		{"and still missing after the grace", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			look(h, 100)
			look(h, 110)
		}, heartbeat.Missed, 0, "jobs firing 110"},
		{"beats are heard again", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(65))
			compute(h)
		}, heartbeat.Beating, 75, ""},
		{"which gives no grace to what is not due soon", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(30))
			compute(h)
			h.Resume(after(61))
			compute(h)
		}, heartbeat.Beating, 71, ""},
		{"and not twice", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(61))
			compute(h)
			h.Resume(after(69))
			compute(h)
			look(h, 71)
		}, heartbeat.Missed, 0, "jobs firing 71"},
		{"a start does not take that grace back", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(65))
			compute(h)
			beat(h, heartbeat.Started, 66)
		}, heartbeat.Beating, 75, ""},
		{"nor does another definition, which may have another grace", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(65))
			compute(h)
			d := hourly()
			d.Every, d.Grace, d.Folder.Changed = 30*time.Minute, 20*time.Minute, after(66)
			h.Define(d, after(66))
			compute(h)
		}, heartbeat.Beating, 85, ""},
		{"a job that began before the outage has it, too", func(d *heartbeat.Definition) { d.Lasts = 20 * time.Minute }, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			beat(h, heartbeat.Started, 45)
			h.Resume(after(63))
			compute(h)
		}, heartbeat.Beating, 73, ""},
		{"and one that begins after it has to be done in time", func(d *heartbeat.Definition) { d.Lasts = 5 * time.Minute }, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Resume(after(65))
			compute(h)
			beat(h, heartbeat.Started, 66)
		}, heartbeat.Beating, 71, ""},
		{"another interval counts at once", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			d := hourly()
			d.Every, d.Folder.Changed = 2*time.Hour, after(1)
			h.Define(d, after(1))
			compute(h)
		}, heartbeat.Beating, 130, ""},
		{"an older folder does not", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			d := hourly()
			d.Every, d.Folder.Changed = 2*time.Hour, after(-1)
			h.Define(d, after(1))
			h.Retire(d.Folder, after(1))
			compute(h)
		}, heartbeat.Beating, 70, ""},
		{"its alert ends with it, in the name of its source", nil, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Failed, 5)
			d := hourly()
			d.Source = "others"
			h.Define(d, after(6))
			h.Retire(d.Folder, after(7))
		}, heartbeat.Retired, 0, "jobs firing 5, jobs resolved 5-7"},
		{"and it may come back before it is over", func(d *heartbeat.Definition) { d.FirstWithin = time.Hour }, func(h *heartbeat.Heartbeat) {
			beat(h, heartbeat.Done, 0)
			h.Retire(hourly().Folder, after(7))
			d := hourly()
			d.FirstWithin = time.Hour
			h.Define(d, after(8))
			compute(h)
		}, heartbeat.New, 68, ""},
	} {
		d := hourly()
		if tc.define != nil {
			tc.define(&d)
		}
		h := heartbeat.Open(d, start)
		compute(h)
		h.Heard = after(-10_000)
		tc.play(h)
		due := 0
		if !h.Due.IsZero() {
			due = int(h.Due.Sub(start).Minutes())
		}
		if h.Status != tc.status || due != tc.due || untold(h) != tc.told {
			t.Errorf("%s: it is %s, due after %d minutes, told %q; want %s, %d, %q", tc.name, h.Status, due, untold(h), tc.status, tc.due, tc.told)
		}
	}
}

// Whoever has closed the incident of what still fires hears of it again.
func TestWhatFiresIsToldAgain(t *testing.T) {
	for _, tc := range []struct {
		every time.Duration
		kind  heartbeat.Kind // what the job says at first
		want  []int          // minutes at which its incident hears of it
	}{
		{time.Hour, heartbeat.Done, []int{70, 130, 190, 250}},
		{time.Hour, heartbeat.Failed, []int{0, 60, 120, 180, 240}},
		{time.Minute, heartbeat.Done, []int{11, 71, 131, 191, 251}},
		{30 * 24 * time.Hour, heartbeat.Failed, []int{0, 1440, 2880}},
	} {
		d := hourly()
		d.Every = tc.every
		h := heartbeat.Open(d, start)
		beat(h, tc.kind, 0)
		var told []int
		last := min(tc.want[len(tc.want)-1]+30, 2_900)
		for minute := range last {
			look(h, minute)
			for _, u := range h.Untold {
				told = append(told, minute)
				if u.Alert.State != alert.Firing || !u.Alert.StartsAt.Equal(after(tc.want[0])) {
					t.Errorf("every %s: after %d minutes it is told %+v", tc.every, minute, u.Alert)
				}
				h.Told()
			}
		}
		if !slices.Equal(told, tc.want) {
			t.Errorf("every %s, %s: told after %v minutes, want %v", tc.every, tc.kind, told, tc.want)
		}
		look(h, last+2*24*60) // of which the incident is told …
		look(h, last+4*24*60) // … and not twice, before it knows of the first time
		if got := len(h.Untold); got != 1 {
			t.Errorf("every %s: %d untold, want one", tc.every, got)
		}
		beat(h, heartbeat.Done, last+5*24*60)
		if over := h.Untold[len(h.Untold)-1].Alert; over.State != alert.Resolved || !h.Again.IsZero() {
			t.Errorf("every %s: in the end it is told %+v, and again at %s", tc.every, over, h.Again)
		}
	}
}

// Two servers hear a job, each by its own clock: what arrives later counts, as long as their clocks are near each other.
func TestServersWhoseClocksDiffer(t *testing.T) {
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	type sign struct {
		kind     heartbeat.Kind
		at, when int // by the clock of the server, and arrival, in seconds
	}
	for _, tc := range []struct {
		name   string
		signs  []sign
		status heartbeat.Status
		fired  int
	}{
		{"one that is behind hears last", []sign{{heartbeat.Done, 100, 100}, {heartbeat.Failed, 80, 110}}, heartbeat.Failing, 1},
		{"both at the same instant", []sign{{heartbeat.Failed, 100, 100}, {heartbeat.Done, 100, 100}}, heartbeat.Beating, 1},
		{"one that is ahead, in one go", []sign{{heartbeat.Done, 300, 100}, {heartbeat.Failed, 301, 100}}, heartbeat.Failing, 1},
		{"by more than clocks differ", []sign{{heartbeat.Done, 100, 100}, {heartbeat.Failed, 39, 110}}, heartbeat.Beating, 0},
		{"fails twice", []sign{{heartbeat.Failed, 100, 100}, {heartbeat.Done, 90, 101}, {heartbeat.Failed, 95, 102}}, heartbeat.Failing, 2},
		{"is missed before what was on its way", []sign{{heartbeat.Done, 0, 0}, {heartbeat.Done, 4_190, 4_205}, {heartbeat.Failed, 4_195, 4_210}}, heartbeat.Failing, 2},
	} {
		h := heartbeat.Open(hourly(), start)
		compute(h)
		for _, s := range tc.signs {
			h.Advance(at(s.when))
			compute(h)
			h.Hear(heartbeat.Beat{Kind: s.kind, At: at(s.at)}, at(s.when))
			compute(h)
		}
		var incident alert.Set
		fired := 0
		for _, u := range h.Untold {
			fired += len(incident.Apply(alert.Batch{Alerts: []alert.Received{{Alert: u.Alert, Times: 1}}}).Fired)
		}
		if h.Status != tc.status || fired != tc.fired || incident.Firing > 0 != (h.Trouble != nil) {
			t.Errorf("%s: it is %s, and its incident has heard of %d; want %s and %d", tc.name, h.Status, fired, tc.status, tc.fired)
		}
	}
}

func TestItIsOverWhenEverythingIsTold(t *testing.T) {
	h := heartbeat.Open(hourly(), start)
	beat(h, heartbeat.Failed, 1)
	h.Retire(hourly().Folder, after(2))
	for want := 2; want > 0; want-- {
		if len(h.Untold) != want || h.Over() {
			t.Fatalf("%d untold, over %t; want %d and not over", len(h.Untold), h.Over(), want)
		}
		h.Told()
	}
	if !h.Over() {
		t.Error("it is not over")
	}
}

func TestWhatItsAlertsSay(t *testing.T) {
	for _, tc := range []struct {
		language string
		play     func(h *heartbeat.Heartbeat)
		want     string
	}{
		{"en", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Done, 0); look(h, 70) }, "Stock sync: not heard of since 2026-11-27 03:00:00 UTC (every 1h, 10m of grace)"},
		{"ko", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Done, 0); look(h, 70) }, "Stock sync: 2026-11-27 03:00:00 UTC 이후 신호 없음 (주기 1h, 유예 10m)"},
		{"en", func(h *heartbeat.Heartbeat) { look(h, 2910) }, "Stock sync: never heard of since it was defined at 2026-11-27 03:00:00 UTC"},
		{"ko", func(h *heartbeat.Heartbeat) {
			h.Hear(heartbeat.Beat{Kind: heartbeat.Done, At: start.In(time.FixedZone("", 9*60*60))}, start)
			compute(h)
			look(h, 70)
		}, "Stock sync: 2026-11-27 12:00:00 +09:00 이후 신호 없음 (주기 1h, 유예 10m)"},
		{"ko", func(h *heartbeat.Heartbeat) { look(h, 2910) }, "Stock sync: 2026-11-27 03:00:00 UTC부터 기다렸으나 신호가 한 번도 없음"},
		{"en", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Started, 1); look(h, 31) }, "Stock sync: began at 2026-11-27 03:01:00 UTC and is not done after 30m"},
		{"ko", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Started, 1); look(h, 31) }, "Stock sync: 2026-11-27 03:01:00 UTC에 시작한 작업이 30m 안에 끝나지 않음"},
		{"en", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Failed, 2) }, "Stock sync: the job said at 2026-11-27 03:02:00 UTC that it failed"},
		{"ko", func(h *heartbeat.Heartbeat) { beat(h, heartbeat.Failed, 2) }, "Stock sync: 2026-11-27 03:02:00 UTC에 작업이 실패를 알림"},
	} {
		d := hourly()
		d.Language, d.Lasts, d.FirstWithin = tc.language, 30*time.Minute, 48*time.Hour+30*time.Minute
		h := heartbeat.Open(d, start)
		compute(h)
		tc.play(h)
		if h.Trouble == nil {
			t.Fatalf("want %q, and nothing fires", tc.want)
		}
		a := h.Trouble.Alert
		if a.Summary() != tc.want {
			t.Errorf("got %q, want %q", a.Summary(), tc.want)
		}
		if names := []string{a.Labels.Value("alertname"), a.Labels.Value("heartbeat"), a.Labels.Value("service")}; !slices.Equal(names, []string{"sync", "sync", "shop"}) {
			t.Errorf("labels %v", a.Labels)
		}
	}
}

// A test is an alert of its own: it is no sign of life, ends no trouble, and hides none.
func TestATestIsNoSignOfLife(t *testing.T) {
	say := func(h *heartbeat.Heartbeat, k heartbeat.Kind, minute int) {
		h.Hear(heartbeat.Beat{Kind: k, At: after(minute), Text: heartbeat.Test + " nothing is wrong"}, after(minute))
		compute(h)
	}
	h := heartbeat.Open(hourly(), start)
	compute(h)
	beat(h, heartbeat.Done, 0)
	due := h.Due
	say(h, heartbeat.Failed, 30)
	say(h, heartbeat.Failed, 31) // it fires already
	if h.Status != heartbeat.Beating || h.Trouble != nil || !h.Due.Equal(due) || len(h.Untold) != 1 || !alert.Trial(h.Untold[0].Alert.Summary()) {
		t.Fatalf("it is %s, due %s, untold %+v", h.Status, h.Due, h.Untold)
	}
	look(h, 70)
	if h.Status != heartbeat.Missed || len(h.Untold) != 2 || alert.Trial(h.Untold[1].Alert.Summary()) {
		t.Fatalf("a miss while a test fires: it is %s, untold %+v", h.Status, h.Untold)
	}
	say(h, heartbeat.Done, 75)
	if h.Status != heartbeat.Missed || h.Trouble == nil || len(h.Untold) != 3 || !alert.Trial(h.Untold[2].Alert.Summary()) || h.Untold[2].Alert.State != alert.Resolved {
		t.Fatalf("the test is over: it is %s, untold %+v", h.Status, h.Untold)
	}
	say(h, heartbeat.Done, 76)
	say(h, heartbeat.Failed, 77) // the one before is not told yet
	if len(h.Untold) != 3 {
		t.Fatalf("untold %+v", h.Untold)
	}
	for h.Told(); len(h.Untold) > 0; h.Told() {
	}
	say(h, heartbeat.Failed, 78)
	h.Retire(h.Definition.Folder, after(80))
	if len(h.Untold) != 3 { // both begin and end nothing more: the test, the trouble that ends, the test that ends
		t.Errorf("retired with %+v", h.Untold)
	}
}

// However beats come and however often it is looked: alerts fire, perhaps again and again, and are resolved in turns, each later than the one
// before, no more than a few are kept for an incident that cannot be told, and no beat is waited for while one is missed.
func TestAlertsComeInTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := hourly()
		d.Lasts = 20 * time.Minute
		h := heartbeat.Open(d, start)
		var told []heartbeat.Telling
		for minute := 1; minute < 2_000; minute += rapid.IntRange(1, 90).Draw(t, "pass") {
			switch rapid.IntRange(0, 6).Draw(t, "do") {
			case 5:
				kind := rapid.SampledFrom([]heartbeat.Kind{heartbeat.Failed, heartbeat.Done, heartbeat.Started}).Draw(t, "test")
				h.Hear(heartbeat.Beat{Kind: kind, At: after(minute), Text: heartbeat.Test}, after(minute))
				compute(h)
			case 0, 1:
				beat(h, heartbeat.Done, minute)
			case 2:
				beat(h, heartbeat.Failed, minute)
			case 3:
				beat(h, heartbeat.Started, minute)
			case 4:
				h.Resume(after(minute))
				compute(h)
			}
			look(h, minute)
			if rapid.Bool().Draw(t, "tell") && len(h.Untold) > 0 {
				told = append(told, h.Untold[0])
				h.Told()
			}
			if len(h.Untold) > 7 || h.Trouble != nil && !h.Due.IsZero() || h.Status == heartbeat.Beating && h.Trouble != nil {
				t.Fatalf("%d untold, it is %s, due %s, trouble %v", len(h.Untold), h.Status, h.Due, h.Trouble)
			}
		}
		told = append(told, h.Untold...)
		before := alert.Alert{State: alert.Resolved}
		tests := 0 // that fire
		for n := range told {
			if alert.Trial(told[n].Alert.Summary()) {
				if tests += map[alert.State]int{alert.Firing: 1, alert.Resolved: -1}[told[n].Alert.State]; tests < 0 || tests > 1 {
					t.Fatalf("alert %d: %d tests fire", n, tests)
				}
				continue
			}
			switch a := told[n].Alert; {
			case a.State == before.State && (a.State == alert.Resolved || !a.StartsAt.Equal(before.StartsAt)): // else it is told again
				t.Fatalf("alert %d is %s since %s, as the one before is since %s", n, a.State, a.StartsAt, before.StartsAt)
			case a.StartsAt.Before(before.StartsAt), a.State == alert.Firing && before.State == alert.Resolved && !a.StartsAt.After(before.StartsAt):
				t.Fatalf("alert %d began not after the one before", n)
			}
			before = told[n].Alert
		}
	})
}
