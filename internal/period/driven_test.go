package period_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// A lively incident is decided by the rules themselves, with everybody reached at once: what is counted is what they record.
type lively struct {
	t     *testing.T
	i     *incident.Incident
	now   time.Time
	asked int
}

func (l *lively) settle() {
	l.t.Helper()
	for range 100 {
		begun := l.i.Advance(l.now)
		if len(begun) == 0 {
			return
		}
		for _, s := range begun {
			l.answer(s)
		}
	}
	l.t.Fatalf("still beginning work at %s", l.now)
}

func (l *lively) answer(s incident.Send) {
	switch s.Work {
	case incident.ComputeClocks:
		var all []incident.Instants
		for _, c := range l.i.Running() {
			all = append(all, incident.InstantsOf(c, l.i.AtRisk(c.Customer), l.i.Calendars(), time.LoadLocation))
		}
		l.i.Computed(s.Number, all, l.now)
	case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt:
		to := delivery.Recipient{ID: "kim", Name: "김민수", Methods: []string{"phone"}}
		l.i.Composed(s.Number, incident.Composition{To: []incident.Addressed{{To: to, Message: delivery.Message{Kind: l.i.Telling(s).Kind}}}}, l.now)
	case incident.PagePerson, incident.Tell:
		o := delivery.Outcome{Result: delivery.Delivered, Attempts: 1}
		if s.Withdrawn != "" {
			o.Result = delivery.Withdrawn
		}
		l.i.Told(s.Number, o, l.now)
	case incident.FindPrevious:
		l.i.FoundPrevious(s.Number, nil, l.now)
	default: // tickets, reports and reviews stay in the outbox
	}
}

// until lets the time pass, with all that becomes due on the way.
func (l *lively) until(at time.Time) *lively {
	l.t.Helper()
	for due := l.i.NextDue(); !due.IsZero() && !due.After(at); due = l.i.NextDue() {
		l.now = due
		l.settle()
	}
	l.now = at
	l.settle()
	return l
}

func (l *lively) do(c incident.Command) *lively {
	l.t.Helper()
	l.asked++
	if err := l.i.Do(fmt.Sprint(l.asked), c, person("kim", "김민수"), l.now); err != nil {
		l.t.Fatal(err)
	}
	l.settle()
	return l
}

func TestWhatTheRulesRecordIsCounted(t *testing.T) {
	promise := func(target supportplan.Target, within time.Duration) supportplan.Promise {
		return supportplan.Promise{Priority: priority.P1, Target: target, Within: within}
	}
	i, err := incident.OpenNoticed("INC-7K3M9QX2PA", incident.Definition{
		Title: "Checkout is slow", Zone: "Asia/Seoul", Languages: []string{"ko"}, Service: incident.Service{ID: "shop", Name: "Shop"}, Impact: priority.High,
		Urgency: priority.High, Customers: []incident.Customer{{ID: "garam", Name: "가람 쇼핑몰", Plan: supportplan.Plan{
			ID: "premium", AtRisk: 80, UpdateBy: supportplan.ByPerson, Promises: []supportplan.Promise{
				promise(supportplan.Respond, 15*time.Minute), promise(supportplan.Update, 30*time.Minute), promise(supportplan.Resolve, 4*time.Hour),
			},
		}}}, Policy: escalation.Policy{
			ID: "default", Steps: []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Wait: 10 * time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: 10 * time.Minute, AckExpires: 12 * time.Hour,
		}, Quiet: 5 * time.Minute, ReopenWithin: 24 * time.Hour,
	}, incident.Notice{Channel: supportplan.ByPhone, Customer: "garam", Received: at("11-03 02:00")}, person("park", "박지훈"), at("11-03 02:05"))
	if err != nil {
		t.Fatal(err)
	}
	l := &lively{t: t, i: i, now: at("11-03 02:05")}
	l.settle()
	l.until(at("11-03 02:12")).do(incident.Acknowledge{})                                                                                                // 12 minutes after the receipt
	l.until(at("11-03 02:20")).do(incident.SendUpdate{Text: "We are looking for it."})                                                                   // in time
	l.until(at("11-03 03:00")).do(incident.SendUpdate{Text: "We have found it."})                                                                        // ten minutes late
	l.until(at("11-03 04:00")).do(incident.Resolve{Note: "the pool is larger"}).until(at("11-03 05:00")).do(incident.Reopen{Reason: "it is slow again"}) // an hour away
	l.do(incident.Acknowledge{}).until(at("11-03 05:30")).do(incident.PauseClock{Customer: "garam", Target: supportplan.Resolve, For: supportplan.Vendor, Reason: "the vendor looks"})
	l.until(at("11-03 06:30")).do(incident.ResumeClock{Customer: "garam", Target: supportplan.Resolve}).until(at("11-03 07:00")).do(incident.Resolve{Note: "the pool is larger"})

	a, err := action.Start(action.Terms{
		ID: "ACT-7K3M9QX2PA", Opener: person("park", "박지훈"), Asked: action.Asked{
			Title: "Bound the pool", Kind: action.Prevent, Priority: priority.P3, Owner: "kim", Group: "ops", Due: at("11-20 09:00"),
		}, Pinned: action.Pinned{Zone: "Asia/Seoul", OwnerName: "김민수"},
	}, at("11-04 09:00"))
	if err != nil {
		t.Fatal(err)
	}
	deed := func(c action.Command, by string, now time.Time) {
		actor := person(by, by)
		if err := errors.Join(c.Check(a, actor), c.Apply(a, actor, now)); err != nil {
			t.Fatal(err)
		}
	}
	deed(action.Extend{Due: at("11-25 09:00"), Reason: "more to do"}, "kim", at("11-19 09:00"))
	f := compute(t, stored(t, map[string]any{"incident.bundle": i, "action.bundle": a}), period.Asked{Period: "2026-11", Zone: "Asia/Seoul", Until: at("11-22 09:00")})
	later := compute(t, stored(t, map[string]any{"incident.bundle": i, "action.bundle": a}), period.Asked{Period: "2026-11", Zone: "Asia/Seoul"})
	for _, tc := range []struct{ key, of, want string }{
		{"incidents.opened", "P1", "1"},
		{"incidents.resolved", "P1", "1"},
		{"incidents.reopened", "", "1"},
		{"mtta", "", "12m0s"},
		{"mttr", "", "4h0m0s"}, // five hours, one of which it seemed to be over
		{"mttr.without-pauses", "", "3h0m0s"},
		{"clocks.met", "respond", "2"}, // once more when it was reopened
		{"clocks.max", "respond", "0s"},
		{"clocks.met", "resolve", "1"},
		{"clocks.max", "resolve", "3h0m0s"},
		{"clocks.met", "update", "2"},
		{"clocks.missed", "update", "7"}, // at 2:50, 3:30 and 4:00, and every half hour from 5:30 on
		{"updates.sent", "", "2"},
		{"downtime", "garam/shop/2026-11", "4h0m0s"},
		{"pages", "night", "2"},
		{"pages.person", "김민수", "2"},
		{"actions.open", "", "1"},
		{"actions.overdue", "", "0"},
	} {
		if got := shown(f.Figure(tc.key, tc.of)); got != tc.want {
			t.Errorf("%s of %q: got %s, want %s", tc.key, tc.of, got, tc.want)
		}
	}
	if got := shown(later.Figure("actions.overdue", "")); got != "1" {
		t.Errorf("at the end of the month %s are overdue, want 1", got)
	}
}
