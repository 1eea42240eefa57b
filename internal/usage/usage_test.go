package usage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/usage"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func month(count int) *usage.Window {
	return &usage.Window{Count: count, From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
}

func claim(request string, take usage.Taking, quota, visits *usage.Window) usage.Claim {
	return usage.Claim{Customer: "garam", Request: request, Feature: "visit", At: now, Quota: quota, Visits: visits, Take: take}
}

func TestTheLastUnitGoesToOneRequest(t *testing.T) {
	l := usage.Ledger{Customer: "garam"}
	for _, tc := range []struct {
		claim usage.Claim
		want  usage.Counts
	}{
		{claim("a", usage.Look, month(2), nil), usage.Counts{}},
		{claim("a", usage.IfLeft, month(2), nil), usage.Counts{Taken: true}},
		{claim("a", usage.IfLeft, month(2), nil), usage.Counts{Taken: true}}, // again
		{claim("b", usage.IfLeft, month(2), nil), usage.Counts{Used: 1, Taken: true}},
		{claim("c", usage.IfLeft, month(2), nil), usage.Counts{Used: 2}},
		{claim("a", usage.Look, month(2), nil), usage.Counts{Used: 1, Taken: true}},
		{claim("c", usage.Anyway, month(2), nil), usage.Counts{Used: 2, Taken: true}},
		{claim("d", usage.Look, month(2), nil), usage.Counts{Used: 3}},
		{claim("e", usage.IfLeft, nil, month(1)), usage.Counts{Taken: true}}, // none before was a visit
		{claim("f", usage.IfLeft, nil, month(1)), usage.Counts{Visited: 1}},
		{claim("g", usage.IfLeft, month(9), month(1)), usage.Counts{Used: 4, Visited: 1}}, // both must be left
	} {
		if err := l.Check(tc.claim); err != nil {
			t.Fatal(err)
		}
		if got := l.Claim(tc.claim); got != tc.want {
			t.Errorf("%s %s: got %+v, want %+v", tc.claim.Request, tc.claim.Take, got, tc.want)
		}
	}
	l.Return("a")
	l.Return("nobody")
	if got := l.Claim(claim("h", usage.Look, month(2), nil)); got.Used != 3 {
		t.Errorf("after one was given back: %+v", got)
	}
}

func TestWhatIsOfARoutine(t *testing.T) {
	id, planned, ok := usage.Use{Request: usage.OfRoutine("garam-preventive", now)}.Routine()
	if !ok || id != "garam-preventive" || !planned.Equal(now) {
		t.Errorf("got %s, %s, %t", id, planned, ok)
	}
	for _, request := range []string{"REQ-7K3M9QX2PA", "routine/check", "routine/check/soon"} {
		if _, _, ok := (usage.Use{Request: request}).Routine(); ok {
			t.Errorf("%s is taken for a routine", request)
		}
	}
}

func TestOtherPeriodsAndFeaturesDoNotCount(t *testing.T) {
	l := usage.Ledger{Customer: "garam", Uses: []usage.Use{
		{Request: "first instant", Feature: "visit", At: month(1).From},
		{Request: "before", Feature: "visit", At: month(1).From.Add(-1)},
		{Request: "next", Feature: "visit", At: month(1).To},
		{Request: "other", Feature: "cdn", At: now},
	}}
	if got := l.Claim(claim("x", usage.Look, month(9), nil)); got.Used != 1 {
		t.Errorf("got %+v, want the one at the first instant", got)
	}
}

func TestWhatIsOlderThanTwoYearsIsDropped(t *testing.T) {
	l := usage.Ledger{Customer: "garam", Uses: []usage.Use{
		{Request: "old", Feature: "visit", At: now.AddDate(-2, 0, 0).Add(-1)}, {Request: "young", Feature: "visit", At: now.AddDate(-2, 0, 0)},
	}}
	l.Claim(claim("x", usage.Anyway, month(9), nil))
	if len(l.Uses) != 2 || l.Uses[0].Request != "young" {
		t.Errorf("got %+v", l.Uses)
	}
}

func TestALedgerRefuses(t *testing.T) {
	full := usage.Ledger{Customer: "garam"}
	for n := range usage.MaxUses {
		full.Claim(claim(fmt.Sprint(n), usage.Anyway, month(1), nil))
	}
	stranger := claim("x", usage.Look, nil, nil)
	stranger.Customer = "nuri"
	for _, tc := range []struct {
		claim usage.Claim
		want  string
	}{
		{stranger, "it is of customer nuri; want garam"},
		{claim("", usage.Look, nil, nil), "missing"},
		{claim("x", "perhaps", nil, nil), `take "perhaps": want look, left or anyway`},
		{claim("x", usage.IfLeft, month(1), nil), "2500 uses in 2 years"},
		{claim("x", usage.Look, month(1), nil), ""},
		{claim("7", usage.IfLeft, month(1), nil), ""}, // is counted already
	} {
		err := full.Check(tc.claim)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%+v: got %v, want %q", tc.claim, err, tc.want)
		}
	}
}

// However claims come, are repeated and given back: no more are counted than may be, unless somebody has approved them.
func TestNoMoreIsCountedThanIsLeft(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := usage.Ledger{Customer: "garam"}
		most := rapid.IntRange(1, 4).Draw(rt, "quota")
		counted := map[string]bool{} // the oracle
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			request := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(rt, "request")
			if rapid.Bool().Draw(rt, "returned") {
				l.Return(request)
				delete(counted, request)
				continue
			}
			others := len(counted)
			if counted[request] {
				others--
			}
			taken := counted[request] || others < most
			got := l.Claim(claim(request, usage.IfLeft, month(most), nil))
			if got.Taken != taken || got.Used != others {
				rt.Fatalf("%s: got %+v, want %d before it, taken %v", request, got, others, taken)
			}
			if taken {
				counted[request] = true
			}
			if len(l.Uses) > most {
				rt.Fatalf("%d are counted of %d", len(l.Uses), most)
			}
		}
	})
}
