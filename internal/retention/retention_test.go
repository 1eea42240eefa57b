package retention_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/retention"
)

func TestTerms(t *testing.T) {
	for text, want := range map[string]retention.Term{"5y": {Years: 5}, "1y": {Years: 1}, "90d": {Days: 90}, "100y": {Years: 100}} {
		got, ok := retention.ParseTerm(text)
		if !ok || got != want || got.String() != text {
			t.Errorf("%s is %v (%t), want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "5", "89d", "0y", "0d", "101y", "36501d", "1y6d", "-1y", "5Y", " 5y", "1h"} {
		if got, ok := retention.ParseTerm(text); ok {
			t.Errorf("%q is taken, as %v", text, got)
		}
	}
}

func TestWhoseTermCounts(t *testing.T) {
	end := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	terms := retention.Policy{
		Default:   retention.Rule{Keep: retention.Term{Years: 3}},
		Customers: map[string]retention.Rule{"garam": {Keep: retention.Term{Years: 5}}, "nuri": {}, "sori": {Keep: retention.Term{Days: 100}}},
	}
	held := terms
	held.Customers = map[string]retention.Rule{"garam": {Hold: "dispute 2026-17"}, "nuri": {}, "sori": {Keep: retention.Term{Days: 100}}}
	silent := retention.Policy{Customers: map[string]retention.Rule{"nuri": {}, "sori": {Keep: retention.Term{Days: 100}}}}
	short := retention.Policy{Default: terms.Default, Customers: map[string]retention.Rule{"sori": {Keep: retention.Term{Days: 100}}}}
	all := retention.Policy{Default: retention.Rule{Keep: retention.Term{Days: 90}, Hold: "audit"}, Customers: map[string]retention.Rule{"sori": {}}}
	for name, c := range map[string]struct {
		policy    retention.Policy
		customers []string
		until     string // empty: for ever
		of, hold  string
	}{
		"the customer's own":               {terms, []string{"garam"}, "2029-03-01", "garam", ""}, // 2029 has no 29 February
		"that of the organisation":         {terms, []string{"nuri"}, "2027-03-01", "", ""},
		"of a customer that is gone":       {terms, []string{"gone"}, "2029-03-01", "garam", ""},
		"of one of two that is gone":       {terms, []string{"sori", "gone"}, "2029-03-01", "garam", ""},
		"about nobody":                     {terms, nil, "2029-03-01", "garam", ""},
		"about nobody, for the longest":    {short, nil, "2027-03-01", "", ""},
		"about nobody, held for somebody":  {held, nil, "2027-03-01", "", "garam: dispute 2026-17"},
		"the longest of several":           {terms, []string{"sori", "garam", "nuri"}, "2029-03-01", "garam", ""},
		"shorter than the organisation's":  {terms, []string{"sori"}, "2024-06-08", "sori", ""},
		"held for one of two":              {held, []string{"sori", "garam"}, "2027-03-01", "", "garam: dispute 2026-17"},
		"held for another one":             {held, []string{"sori"}, "2024-06-08", "sori", ""},
		"nothing is said":                  {silent, nil, "", "", ""},
		"for ever is longer than any term": {silent, []string{"sori", "nuri"}, "", "", ""},
		"everything is held":               {all, []string{"sori"}, "2024-05-29", "", "audit"},
	} {
		v := c.policy.Of(c.customers, end)
		until := ""
		if !v.Until.IsZero() {
			until = v.Until.Format(time.DateOnly)
		}
		if until != c.until || v.Of != c.of || v.Hold != c.hold {
			t.Errorf("%s: until %q of %q, hold %q; want %q, %q, %q", name, until, v.Of, v.Hold, c.until, c.of, c.hold)
		}
	}
}

// Whatever a policy says: more customers never make a record go sooner, a hold of any of them holds it, and what may be about anybody stays
// for as long as anything.
func TestNothingGoesSoonerForAnotherCustomer(t *testing.T) {
	terms := []retention.Term{{}, {Days: 90}, {Days: 400}, {Years: 1}, {Years: 5}}
	rapid.Check(t, func(t *rapid.T) {
		term := func(of string) retention.Term { return rapid.SampledFrom(terms).Draw(t, "term of "+of) }
		p := retention.Policy{Default: retention.Rule{Keep: term("all")}, Customers: map[string]retention.Rule{}}
		ids := []string{"a", "b", "c", "d"}
		for _, id := range ids {
			p.Customers[id] = retention.Rule{Keep: term(id), Hold: rapid.SampledFrom([]string{"", "", "held"}).Draw(t, "hold of "+id)}
		}
		end := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "end"), 0)
		of := rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID).Draw(t, "customers")
		at := end.AddDate(rapid.IntRange(0, 6).Draw(t, "years"), 0, 1)
		due := p.Of(of, end).Due(at)
		for _, id := range of {
			alone := p.Of([]string{id}, end)
			if due && !alone.Due(at) {
				t.Fatalf("due for %v, and not for %s alone", of, id)
			}
		}
		if p.Of(nil, end).Due(at) && !due {
			t.Fatalf("what may be about anybody goes before what is about %v", of)
		}
		if erases := p.Erases(); due && !erases {
			t.Fatal("it is said to erase nothing")
		}
		if slices.ContainsFunc(slices.Collect(maps.Values(p.Customers)), func(r retention.Rule) bool { return r.Hold != "" }) && p.Of(nil, end).Due(at) {
			t.Fatal("what may be about anybody goes although something is held")
		}
	})
}
