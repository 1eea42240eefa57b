package period_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// someYear is a year of incidents and changes in which anything may straddle anything.
func someYear(rt *rapid.T) map[string]any {
	minute := func(label string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(rt, label)) * time.Minute
	}
	begins := at("01-01 00:00").Add(-40 * 24 * time.Hour)
	const year = 440 * 24 * 60
	levels := []priority.Level{priority.High, priority.Medium, priority.Low}
	all := map[string]any{}
	for n := range rapid.IntRange(1, 12).Draw(rt, "incidents") {
		now := begins.Add(minute("opened", year))
		customer := rapid.SampledFrom([]string{"garam", "acme"}).Draw(rt, "customer")
		s := tell(fmt.Sprintf("INC-%010d", n), "x", rapid.SampledFrom([]string{"shop", "payments"}).Draw(rt, "service"), customer,
			rapid.SampledFrom(priority.All()).Draw(rt, "priority"), rapid.SampledFrom(levels).Draw(rt, "impact"), now)
		later := func(most int) time.Time {
			now = now.Add(time.Minute + minute("later", most))
			return now
		}
		s.page(now, "kim").told(later(600))
		if rapid.Bool().Draw(rt, "acknowledged") {
			s.move(incident.Acknowledged, later(60))
			s.promise(supportplan.Respond, 30*time.Minute, now)
			s.i.Times.Engaged = now
		}
		if rapid.Bool().Draw(rt, "raised") {
			s.i.Impact = rapid.SampledFrom(levels).Draw(rt, "raised to")
			s.add(later(600), timeline.PriorityChanged, timeline.F("impact", string(s.i.Impact)))
		}
		if rapid.IntRange(0, 4).Draw(rt, "resolved") > 0 {
			s.move(incident.Resolved, later(60*24*20))
			if rapid.Bool().Draw(rt, "reopened") {
				s.move(incident.Triggered, later(60*24*3)).move(incident.Resolved, later(60*24*20))
			}
			s.promise(supportplan.Resolve, 8*time.Hour, now)
		}
		all[string(s.i.ID)+".bundle"] = s.i
	}
	for n := range rapid.IntRange(0, 5).Draw(rt, "changes") {
		now := begins.Add(minute("began", year))
		r := changing(fmt.Sprintf("RUN-%010d", n), rapid.SampledFrom(plan.Kinds()).Draw(rt, "kind"), plan.Text{En: "x"},
			rapid.SampledFrom([]string{"garam", "acme"}).Draw(rt, "whose"), rapid.SampledFrom([]string{"shop", "payments"}).Draw(rt, "of"), now)
		r.task(now, planrun.Begun)
		end := rapid.SampledFrom([]planrun.TaskStatus{planrun.Done, planrun.Failed, planrun.Begun}).Draw(rt, "end")
		if now = now.Add(time.Minute + minute("took", 60*24*3)); end != planrun.Begun {
			r.task(now, end)
		}
		all[string(r.r.ID)+".bundle"] = r.end(now, planrun.Completed)
	}
	return all
}

// adds lists the figures of which those of twelve months add up to that of the year.
func adds(key string) bool {
	return slices.Contains([]string{
		"incidents.opened", "incidents.resolved", "incidents.reopened", "incidents.merged", "incidents.acknowledged", "incidents.unacknowledged",
		"clocks.met", "clocks.missed", "updates.sent", "all-clears.sent", "all-clears.waived", "results.waived", "changes", "changes.failed", "changes.rollbacks",
		"changes.emergency", "change-requests.addition", "change-requests.change", "change-requests.exception", "change-requests.standard", "change-requests.emergency",
		"change-requests.exceptions", "overrides.freeze", "overrides.window", "pages", "deliveries.delivered", "deliveries.refused", "deliveries.resent", "actions.opened", "actions.verified", "requests.received",
		"requests.answered", "requests.met", "requests.missed", "requests.rated", "reviews.on-time", "reviews.late", "problems.opened",
		"problems.closed", "visits.used",
	}, key)
}

func TestTwelveMonthsAreAYear(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, records []period.Record, zone string) {
		months := map[string]float64{}
		carried := 0.0
		for n := range 12 {
			f, err := period.Compute(records, period.Asked{Period: fmt.Sprintf("2026-%02d", n+1), Zone: zone}, time.LoadLocation)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			for _, x := range f.Figures {
				if adds(x.Key) {
					months[x.Key+" "+x.Of] += *x.Value
				}
			}
			// What was open before, and what has come, is resolved or still open.
			if now := f.Sum("incidents.carried"); n > 0 && now != carried+f.Sum("incidents.opened")-f.Sum("incidents.resolved") {
				t.Errorf("%s: %v were open, %v came, %v went, and %v are open", f.Period, carried, f.Sum("incidents.opened"), f.Sum("incidents.resolved"), now)
			}
			carried = f.Sum("incidents.carried")
		}
		year, err := period.Compute(records, period.Asked{Period: "2026", Zone: zone}, time.LoadLocation)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		for _, x := range year.Figures {
			if adds(x.Key) && months[x.Key+" "+x.Of] != *x.Value {
				t.Errorf("%s of %q: %v in twelve months, %v in the year", x.Key, x.Of, months[x.Key+" "+x.Of], *x.Value)
			}
		}
		if year.Sum("incidents.carried") != carried {
			t.Errorf("%v are open at the end of December, %v at the end of the year", carried, year.Sum("incidents.carried"))
		}
	}
	check(t, stored(t, states()), "Asia/Seoul")
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, stored(t, someYear(rt)), rapid.SampledFrom([]string{"Asia/Seoul", "Europe/Berlin", "America/New_York"}).Draw(rt, "zone"))
	})
}

// The oracle looks at every minute: was an incident with a high impact on the service open then, and was no work planned?
func TestAvailabilityMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := someYear(rt)
		a := period.Asked{
			Period: rapid.SampledFrom([]string{"2026-03", "2026-10", "2026-W13", "2026-06"}).Draw(rt, "period"), Zone: "Europe/Berlin",
			Services: []period.Service{{Customer: "garam", ID: "shop"}},
		}
		f := compute(t, stored(t, all), a)
		var minutes, down, planned int
		for now := f.From; now.Before(f.To); now = now.Add(time.Minute) {
			works := false
			hurt := false
			for _, s := range all {
				switch s := s.(type) {
				case *planrun.Run:
					works = works || s.Customer == "garam" && s.Environments[0].Services[0] == "shop" && underWay(s, now)
				case *incident.Incident:
					hurt = hurt || s.Definition.Customers[0].ID == "garam" && s.Definition.Service.ID == "shop" && downAt(s, now)
				}
			}
			minutes++
			if works {
				planned++
			} else if hurt {
				down++
			}
		}
		name := "garam/shop/" + a.Period
		if got := f.Sum("downtime.planned"); got < 0 {
			rt.Fatal(got)
		}
		for key, want := range map[string]int{"downtime": down, "downtime.planned": planned} {
			x, known := f.Figure(key, name)
			if !known || *x.Value != float64(want*60) {
				rt.Fatalf("%s: got %s, want %d minutes", key, shown(x, known), want)
			}
		}
		x, _ := f.Figure("availability", name)
		if agreed := minutes - planned; agreed > 0 {
			want := float64(agreed-down) / float64(agreed) * 100
			if x.Value == nil || *x.Value > want || *x.Value < want-0.0002 {
				rt.Fatalf("availability: got %s, want %v rounded down", shown(x, true), want)
			}
		} else if x.Value != nil {
			rt.Fatalf("availability: got %v of no time", *x.Value)
		}
	})
}

func downAt(i *incident.Incident, now time.Time) bool {
	if now.Before(i.Times.Started) {
		return false
	}
	open, impact := true, i.Definition.Impact
	for _, e := range i.Timeline.Entries {
		if e.At.After(now) {
			break
		}
		switch e.Kind {
		case timeline.PriorityChanged:
			impact = priority.Level(e.Fact("impact"))
		case timeline.StatusChanged:
			open = incident.Status(e.Fact("to")).Open()
		default:
		}
	}
	return open && impact == priority.High
}

func underWay(r *planrun.Run, now time.Time) bool {
	doing := false
	for _, e := range r.Timeline.Entries {
		if e.Kind == timeline.TaskMoved && !e.At.After(now) {
			doing = e.Fact("to") == string(planrun.Begun)
		}
	}
	return doing
}

// Percentiles are found by sorting; nothing is made up between two values.
func TestPercentilesBySorting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		took := rapid.SliceOfN(rapid.IntRange(1, 500), 1, 60).Draw(rt, "minutes")
		all := map[string]any{}
		for n, minutes := range took {
			s := tell(fmt.Sprintf("INC-%010d", n), "x", "shop", "garam", priority.P2, priority.Low, at("11-10 00:00"))
			s.promise(supportplan.Respond, time.Hour, at("11-10 00:00").Add(time.Duration(minutes)*time.Minute))
			all[string(s.i.ID)] = s.i
		}
		f := compute(t, stored(t, all), period.Asked{Period: "2026-11", Zone: "UTC"})
		slices.Sort(took)
		for key, p := range map[string]int{"clocks.p50": 50, "clocks.p90": 90, "clocks.max": 100} {
			want := 0
			for _, candidate := range took { // the smallest that so many do not exceed
				notAbove := 0
				for _, x := range took {
					if x <= candidate {
						notAbove++
					}
				}
				if 100*notAbove >= p*len(took) {
					want = candidate
					break
				}
			}
			x, _ := f.Figure(key, "respond")
			if *x.Value != float64(want*60) {
				rt.Fatalf("%s of %v: got %s, want %d minutes", key, took, shown(x, true), want)
			}
		}
	})
}

// Whatever a figure was counted from says the same when nothing else is there.
func TestEveryFigureNamesItsBundles(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, records []period.Record, a period.Asked) {
		f, err := period.Compute(records, a, time.LoadLocation)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		if differences, err := period.Verify(f, records, time.LoadLocation); err != nil || len(differences) > 0 {
			t.Errorf("%v; it differs:\n%s", err, strings.Join(differences, "\n"))
		}
	}
	for _, customer := range []string{"", "garam", "acme"} {
		for _, p := range []string{"2026-11", "2026-10", "2026-Q4", "2026-W46", "2026"} {
			a := november(customer)
			a.Period = p
			check(t, stored(t, states()), a)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, stored(t, someYear(rt)), period.Asked{Period: rapid.SampledFrom([]string{"2026-05", "2026-Q2", "2026-W20"}).Draw(rt, "period"), Zone: "Asia/Seoul"})
	})
}
