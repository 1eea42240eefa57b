package reach_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/reach"
	"muster/internal/timeline"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func way(s string) reach.Way {
	to, method, _ := strings.Cut(s, "/")
	return reach.Way{To: to, Method: method}
}

func TestTheNewestAttemptCounts(t *testing.T) {
	type try struct {
		result reach.Result
		after  time.Duration
	}
	for name, tt := range map[string]struct {
		tries   []try
		want    reach.Result
		arrived time.Duration // -1: never
		status  string
	}{
		"it arrived":                         {[]try{{reach.Delivered, 0}}, reach.Delivered, 0, reach.Well},
		"it has failed since":                {[]try{{reach.Delivered, 0}, {reach.Failed, 1}}, reach.Failed, 0, reach.Failing},
		"it works again":                     {[]try{{reach.Failed, 0}, {reach.Delivered, 2}}, reach.Delivered, 2, reach.Well},
		"it never arrived":                   {[]try{{reach.Unknown, 0}}, reach.Unknown, -1, reach.Failing},
		"news of before it worked come late": {[]try{{reach.Delivered, 3}, {reach.Failed, 1}}, reach.Delivered, 3, reach.Well},
		"news of before it failed come late": {[]try{{reach.Failed, 3}, {reach.Delivered, 1}}, reach.Failed, 1, reach.Failing},
	} {
		var l reach.Ledger
		for _, x := range tt.tries {
			l.Tried(reach.Try{Way: way("kim/mail"), Result: x.result, At: noon.Add(x.after)})
		}
		r := l.Find(way("kim/mail"))
		if r == nil || r.Result != tt.want || l.Status() != tt.status || tt.arrived >= 0 != !r.Arrived.IsZero() || tt.arrived >= 0 && !r.Arrived.Equal(noon.Add(tt.arrived)) {
			t.Errorf("%s: got %+v, %s", name, r, l.Status())
		}
	}
}

func TestSomebodyIsUnreachableWhenEveryMethodFails(t *testing.T) {
	var l reach.Ledger
	for at, result := range map[string]reach.Result{
		"kim/mail": reach.Failed, "kim/phone": reach.Unknown, "park/mail": reach.Failed, "park/phone": reach.Delivered, "lee/mail": reach.Failed,
	} {
		l.Tried(reach.Try{Way: way(at), Result: result, At: noon})
	}
	for _, tt := range []struct {
		methods string
		want    bool
	}{
		{"kim/mail kim/phone", true},
		{"kim/mail", true},              // the folder has the other one no more
		{"kim/mail kim/chat", false},    // it has a new one
		{"park/mail park/phone", false}, // one of them works
		{"lee/mail lee/phone", false},   // nobody knows of one of them
		{"choi/mail", false},
		{"", false}, // there is nothing to fail
	} {
		p := reach.Person{}
		for m := range strings.FieldsSeq(tt.methods) {
			p.ID = way(m).To
			p.Methods = append(p.Methods, reach.Method{Name: way(m).Method})
		}
		if got := reach.Unreachable(p, &l); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.methods, got, tt.want)
		}
	}
}

func TestWhichTestPagesAreDue(t *testing.T) {
	const day, month = 24 * time.Hour, 30 * 24 * time.Hour
	tested := func(l *reach.Ledger, at string, result reach.Result, ago time.Duration) {
		l.Tested(&reach.Page{To: delivery.Recipient{ID: way(at).To}, Method: way(at).Method}, reach.Test{Result: result, At: noon.Add(-ago)})
	}
	for name, tt := range map[string]struct {
		known func(*reach.Ledger)
		held  string
		every time.Duration
		want  string
	}{
		"nothing was tested: one for each": {func(*reach.Ledger) {}, "", month, "kim/mail park/phone"},
		"the longest untested comes first": {func(l *reach.Ledger) { tested(l, "kim/mail", reach.Delivered, 40*day) }, "", month, "kim/phone park/phone"},
		"what was tested lately waits": {func(l *reach.Ledger) {
			tested(l, "kim/mail", reach.Delivered, 29*day)
			tested(l, "kim/phone", reach.Delivered, 29*day)
		}, "", month, "park/phone"},
		"what fails is tested every day": {func(l *reach.Ledger) {
			tested(l, "kim/mail", reach.Failed, day)
			tested(l, "kim/phone", reach.Unknown, day-time.Second)
			tested(l, "park/phone", reach.Delivered, day)
		}, "", month, "kim/mail"},
		"or as often as all are":     {func(l *reach.Ledger) { tested(l, "park/phone", reach.Failed, 2*time.Hour) }, "", time.Hour, "kim/mail park/phone"},
		"an attempt is no test page": {func(l *reach.Ledger) { l.Tried(reach.Try{Way: way("park/phone"), Result: reach.Delivered, At: noon}) }, "", month, "kim/mail park/phone"},
		"whoever is held back waits": {func(*reach.Ledger) {}, reach.HeldByAbsence, month, "park/phone"},
	} {
		var l reach.Ledger
		tt.known(&l)
		var all []reach.Candidate
		for _, at := range []string{"kim/mail", "kim/phone", "park/phone"} {
			c := reach.Candidate{To: delivery.Recipient{ID: way(at).To}, Method: way(at).Method}
			if c.To.ID == "kim" {
				c.Held = tt.held
			}
			all = append(all, c)
		}
		var got []string
		for _, c := range reach.Due(all, l.Ways, tt.every, noon) {
			got = append(got, c.To.ID+"/"+c.Method)
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", name, s, tt.want)
		}
	}
}

// Of more ways than a ledger holds, those are forgotten that are well.
func TestALedgerIsBounded(t *testing.T) {
	var l reach.Ledger
	l.Tried(reach.Try{Way: way("kim/mail"), Result: reach.Failed, At: noon.AddDate(-1, 0, 0)})
	for n := range reach.MaxWays + 10 {
		l.Tried(reach.Try{Way: way(fmt.Sprintf("x%04d/mail", n)), Result: reach.Delivered, At: noon.Add(time.Duration(n))})
	}
	if len(l.Ways) != reach.MaxWays || l.Find(way("kim/mail")) == nil || l.Find(way("x0000/mail")) != nil || l.Find(way("x1509/mail")) == nil {
		t.Errorf("%d ways, the first is %+v", len(l.Ways), l.Ways[0])
	}
	if !slices.IsSortedFunc(l.Ways, func(a, b reach.Record) int { return strings.Compare(a.To, b.To) }) {
		t.Error("they are not in order")
	}
}

func TestOneRoundAtATime(t *testing.T) {
	var l reach.Ledger
	by := timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim"}
	if err := (reach.Ask{}).Check(&l, by); err != nil {
		t.Fatal(err)
	}
	if err := (reach.Ask{Person: "park"}).Apply(&l, by, noon); err != nil || !l.Round.Asked() || l.Round.Person != "park" {
		t.Errorf("got %+v, %v", l.Round, err)
	}
	if err := (reach.Ask{}).Check(&l, by); err == nil || !strings.Contains(err.Error(), "under way since 2026-11-23T12:00:00Z, by Kim") {
		t.Errorf("got %v", err)
	}
}
