package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Take takes the alerts of heartbeats: what and since when, in minutes of the test.
func (o *outside) Take(_ context.Context, source string, a alert.Alert) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails--; o.fails >= 0 {
		return errors.New("no connection")
	}
	o.opened = append(o.opened, fmt.Sprintf("%s: %s %s since %d", source, a.Name, a.State, int(a.StartsAt.Sub(start).Minutes())))
	return nil
}

var jobs = timeline.Actor{Kind: timeline.Source, ID: "jobs"}

// beating is a definition of a job that beats every hour with ten minutes of grace. The tests begin on a Monday at 09:00.
func beating() heartbeat.Definition {
	return heartbeat.Definition{
		ID: "sync", Name: "Stock sync", Source: "jobs", Every: time.Hour, Grace: 10 * time.Minute, Language: "en",
		Folder: incident.Folder{Revision: "r1", Changed: start},
	}
}

// listens runs a heartbeat until nothing more comes.
func (r *rehearsal) listens(in workflows.HeartbeatInput) error {
	r.under("heartbeat/sync")
	r.env.ExecuteWorkflow(workflows.HeartbeatWorkflow, sealed(r, workflows.HeartbeatWorkflow, "", timeline.Muster(), in))
	return r.env.GetWorkflowError()
}

// tells sends a heartbeat what is signed in a name.
func tells[B any](r *rehearsal, after time.Duration, name string, by timeline.Actor, body func() B) {
	r.at(after, func() { r.env.SignalWorkflow(name, sealed(r, name, "", by, body())) })
}

func (r *rehearsal) beat(after time.Duration, k heartbeat.Kind) {
	tells(r, after, workflows.BeatSignal, jobs, func() heartbeat.Beat { return heartbeat.Beat{Kind: k, At: r.env.Now(), Text: "exit 1"} })
}

func (r *rehearsal) retire(after time.Duration) {
	tells(r, after, workflows.RetiredSignal, timeline.Muster(), func() incident.Folder { return incident.Folder{Revision: "r9", Changed: r.env.Now()} })
}

func (r *rehearsal) define(after time.Duration, d heartbeat.Definition, hears time.Duration) {
	tells(r, after, workflows.DefinedSignal, timeline.Muster(), func() workflows.HeartbeatDefined {
		d.Folder.Changed = r.env.Now()
		m := workflows.HeartbeatDefined{Definition: d}
		if hears > 0 {
			m.Hears = start.Add(hears)
		}
		return m
	})
}

// pulse is how the heartbeat stands.
func (r *rehearsal) pulse() *heartbeat.Heartbeat {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var h *heartbeat.Heartbeat
	if err := v.Get(&h); err != nil {
		r.Fatal(err)
	}
	return h
}

func TestAJobIsHeardOfOrItsIncidentIs(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for _, tc := range []struct {
		name string
		play func(r *rehearsal, d *heartbeat.Definition)
		want []string // what its incident hears
	}{
		{"beats in time", func(r *rehearsal, _ *heartbeat.Definition) {
			for n := range 10 {
				r.beat(time.Duration(n)*hour, heartbeat.Done)
			}
			r.retire(10 * hour)
		}, nil},
		{"never beats, and nobody has said when it begins", func(r *rehearsal, _ *heartbeat.Definition) { r.retire(1000 * hour) }, nil},
		{"never beats", func(r *rehearsal, d *heartbeat.Definition) {
			d.FirstWithin = 2 * hour
			r.retire(150 * minute)
		}, []string{"jobs: sync firing since 120", "jobs: sync resolved since 120"}},
		{"misses one, and comes late", func(r *rehearsal, _ *heartbeat.Definition) {
			r.beat(0, heartbeat.Done)
			r.beat(75*minute, heartbeat.Done)
			r.retire(2 * hour)
		}, []string{"jobs: sync firing since 70", "jobs: sync resolved since 70"}},
		{"misses two", func(r *rehearsal, _ *heartbeat.Definition) {
			r.outside.fails = 3 // which is tried again
			r.beat(0, heartbeat.Done)
			r.beat(5*hour, heartbeat.Done)
			r.retire(6*hour + 20*minute)
		}, []string{
			"jobs: sync firing since 70", "jobs: sync firing since 70", "jobs: sync firing since 70", "jobs: sync firing since 70", // each hour
			"jobs: sync resolved since 70", "jobs: sync firing since 370", "jobs: sync resolved since 370",
		}},
		{"fails", func(r *rehearsal, _ *heartbeat.Definition) {
			r.beat(0, heartbeat.Done)
			r.beat(50*minute, heartbeat.Failed)
			r.beat(55*minute, heartbeat.Done)
			r.retire(hour)
		}, []string{"jobs: sync firing since 50", "jobs: sync resolved since 50"}},
		{"hangs", func(r *rehearsal, d *heartbeat.Definition) {
			d.Lasts = 5 * minute
			r.beat(0, heartbeat.Done)
			r.beat(50*minute, heartbeat.Started)
			r.retire(hour)
		}, []string{"jobs: sync firing since 55", "jobs: sync resolved since 55"}},
		{"is defined anew", func(r *rehearsal, d *heartbeat.Definition) {
			r.beat(0, heartbeat.Done)
			slower, others := *d, *d
			slower.Every = 2 * hour
			others.Every, others.Source = 30*minute, "others"
			r.define(hour, slower, 0)
			r.beat(2*hour, heartbeat.Done)
			r.define(2*hour+minute, others, 0) // due at 2:40
			r.retire(3 * hour)
		}, []string{"others: sync firing since 160", "others: sync resolved since 160"}},
		{"gets its grace anew when beats are heard again, once", func(r *rehearsal, d *heartbeat.Definition) {
			r.beat(0, heartbeat.Done)
			r.define(65*minute, *d, 65*minute)
			r.define(74*minute, *d, 74*minute)
			r.retire(2 * hour)
		}, []string{"jobs: sync firing since 75", "jobs: sync resolved since 75"}},
		{"keeps it when it begins, or is defined anew", func(r *rehearsal, d *heartbeat.Definition) {
			d.Lasts = hour
			r.beat(0, heartbeat.Done)
			r.define(65*minute, *d, 65*minute)
			r.beat(66*minute, heartbeat.Started)
			faster := *d
			faster.Every = 30 * minute
			r.define(67*minute, faster, 0)
			r.beat(74*minute, heartbeat.Done)
			r.retire(80 * minute)
		}, nil},
		{"is expected in its calendar", func(r *rehearsal, d *heartbeat.Definition) {
			office := calendar.Rules{ID: "office", Zone: "UTC", Weekly: []calendar.Weekly{{Days: []calendar.Weekday{"mon", "tue"}, Hours: calendar.Hours{From: 9 * 60, To: 18 * 60}}}}
			d.Calendar = &office
			r.beat(8*hour+30*minute, heartbeat.Done) // at 17:30, so that the next is due at 09:40 on Tuesday
			r.beat(24*hour+39*minute, heartbeat.Done)
			r.retire(26 * hour)
		}, []string{"jobs: sync firing since 1549", "jobs: sync resolved since 1549"}},
		{"is expected around the clock when its calendar does not answer", func(r *rehearsal, d *heartbeat.Definition) {
			d.Calendar = &calendar.Rules{ID: "none", Zone: "Nowhere/Else"}
			r.beat(0, heartbeat.Done)
			r.at(hour, func() {
				if h := r.pulse(); !strings.Contains(h.Detail, "calendar none") {
					t.Errorf("detail %q", h.Detail)
				}
			})
			r.retire(2 * hour)
		}, []string{"jobs: sync firing since 70", "jobs: sync resolved since 70"}},
		{"cannot be cancelled", func(r *rehearsal, _ *heartbeat.Definition) {
			r.beat(0, heartbeat.Done)
			r.at(minute, r.env.CancelWorkflow)
			r.retire(2 * hour)
		}, []string{"jobs: sync firing since 70", "jobs: sync resolved since 70"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rehearse(t)
			d := beating()
			tc.play(r, &d)
			if err := r.listens(workflows.HeartbeatInput{Definition: &d}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, r.outside.has()); d != "" {
				t.Error(d)
			}
			if h := r.pulse(); h.Status != heartbeat.Retired || len(r.refused) > 0 {
				t.Errorf("it is %s, and refused were %v", h.Status, r.refused)
			}
		})
	}
}

// Beats that come in time move no timer, and a run hands over before its history is long.
func TestAHeartbeatGoesOnInANewRun(t *testing.T) {
	r := rehearse(t)
	r.tally.watch(r)
	d := beating()
	for n := range 500 {
		r.beat(time.Duration(n)*time.Minute, heartbeat.Done)
	}
	err := r.listens(workflows.HeartbeatInput{Definition: &d})
	next, ok := errors.AsType[*workflow.ContinueAsNewError](err)
	if !ok {
		t.Fatalf("got %v, want that it continues", err)
	}
	var in signature.Signed[workflows.HeartbeatInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil || in.Body.State == nil || in.Seal == nil {
		t.Fatalf("it hands over %+v, %v", in, err)
	}
	if timers := r.tally.timers.Load(); timers > 10 {
		t.Errorf("%d timers for 500 beats in 500 minutes: want one an hour", timers)
	}

	second := rehearse(t)
	second.env.SetContinuedExecutionRunID("run-before")
	second.env.SetStartTime(start.Add(500 * time.Minute))
	second.retire(2 * time.Hour)
	if err := second.listens(in.Body); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"jobs: sync firing since 569", "jobs: sync resolved since 569"}, second.outside.has()); d != "" {
		t.Error(d)
	}
}

func TestAnAlertOnItsWayIsToldByTheNextRun(t *testing.T) {
	h := heartbeat.Open(beating(), start)
	h.Hear(heartbeat.Beat{Kind: heartbeat.Failed, At: start}, start)
	r := rehearse(t)
	r.env.SetContinuedExecutionRunID("run-before")
	r.retire(time.Minute)
	if err := r.listens(workflows.HeartbeatInput{State: h, Since: start}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"jobs: sync firing since 0", "jobs: sync resolved since 0"}, r.outside.has()); d != "" {
		t.Error(d)
	}
}

func TestAHeartbeatTakesOnlyWhatIsSigned(t *testing.T) {
	d := beating()
	other := beating()
	other.ID = "backup"
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) signature.Signed[workflows.HeartbeatInput]
		want string
	}{
		"not signed": {func(*rehearsal) signature.Signed[workflows.HeartbeatInput] {
			return signature.Unsigned(workflows.HeartbeatInput{Definition: &d})
		}, "it is not signed"},
		"by a person": {func(r *rehearsal) signature.Signed[workflows.HeartbeatInput] {
			return sealed(r, workflows.HeartbeatWorkflow, "", park, workflows.HeartbeatInput{Definition: &d})
		}, "want Muster itself"},
		"of another": {func(r *rehearsal) signature.Signed[workflows.HeartbeatInput] {
			return sealed(r, workflows.HeartbeatWorkflow, "", timeline.Muster(), workflows.HeartbeatInput{Definition: &other})
		}, "want the definition of heartbeat/sync"},
		"with a state": {func(r *rehearsal) signature.Signed[workflows.HeartbeatInput] {
			return sealed(r, workflows.HeartbeatWorkflow, "", timeline.Muster(), workflows.HeartbeatInput{State: heartbeat.Open(d, start)})
		}, "from the run before"},
	} {
		r := rehearse(t)
		r.under("heartbeat/sync")
		r.env.ExecuteWorkflow(workflows.HeartbeatWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}

	r := rehearse(t)
	r.beat(0, heartbeat.Done)
	r.at(30*time.Minute, func() { // keeps nothing alive
		r.env.SignalWorkflow(workflows.BeatSignal, signature.Unsigned(heartbeat.Beat{Kind: heartbeat.Done, At: r.env.Now()}))
	})
	tells(r, 31*time.Minute, workflows.RetiredSignal, park, func() incident.Folder { return incident.Folder{Changed: r.env.Now()} })
	tells(r, 32*time.Minute, workflows.DefinedSignal, jobs, func() workflows.HeartbeatDefined {
		slow := beating()
		slow.Every, slow.Folder.Changed = 1000*time.Hour, r.env.Now()
		return workflows.HeartbeatDefined{Definition: slow}
	})
	r.retire(2 * time.Hour)
	if err := r.listens(workflows.HeartbeatInput{Definition: &d}); err != nil {
		t.Fatal(err)
	}
	if got := r.outside.has(); !slices.Equal(got, []string{"jobs: sync firing since 70", "jobs: sync resolved since 70"}) || len(r.refused) != 3 {
		t.Errorf("got %v, refused %+v", got, r.refused)
	}
}
