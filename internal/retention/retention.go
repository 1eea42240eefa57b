// Package retention says how long records stay in the archive: by whose rule, and what a legal hold keeps for longer.
package retention

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Term is for how long a record stays after its end. The zero Term is for ever.
type Term struct{ Years, Days int }

// Least is the shortest term in days: a slip of the pen in a folder must not erase what happened last week.
const Least = 90

var written = regexp.MustCompile(`^(\d{1,5})([yd])$`)

// ParseTerm reads years or days, such as 5y or 400d: from 90 days to 100 years.
func ParseTerm(s string) (Term, bool) {
	const most, year = 100, 365
	parts := written.FindStringSubmatch(s)
	if parts == nil {
		return Term{}, false
	}
	n, _ := strconv.Atoi(parts[1])
	if parts[2] == "y" {
		return Term{Years: n}, 1 <= n && n <= most
	}
	return Term{Days: n}, Least <= n && n <= most*year
}

// String writes what ParseTerm reads, and "for ever".
func (t Term) String() string {
	switch {
	case t.Years > 0:
		return fmt.Sprintf("%dy", t.Years)
	case t.Days > 0:
		return fmt.Sprintf("%dd", t.Days)
	}
	return "for ever"
}

// MarshalText is String.
func (t Term) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// compare tells which of two terms is the longer one, after an instant.
func (t Term) compare(o Term, end time.Time) int {
	switch {
	case t == o:
		return 0
	case t == Term{}:
		return 1
	case o == Term{}:
		return -1
	}
	return t.After(end).Compare(o.After(end))
}

// After is the instant from which a record that had ended at another one need not stay. Of 29 February, a year ends on 1 March.
func (t Term) After(end time.Time) time.Time { return end.UTC().AddDate(t.Years, 0, t.Days) }

// A Rule is what one customer wants, or the organisation for all whose customers say nothing.
type Rule struct {
	Keep Term   // a customer's zero Term is that of the organisation
	Hold string // why nothing is erased, for as long as this stands here; empty where nothing is held
}

// A Policy is what an organisation folder says.
type Policy struct {
	Revision  string // of the folder
	Default   Rule
	Customers map[string]Rule // by ID, all that the folder knows
}

// Erases tells whether anything is ever erased by it.
func (p Policy) Erases() bool {
	if p.Default.Hold != "" {
		return false
	}
	return p.Default.Keep != Term{} || slices.ContainsFunc(slices.Collect(maps.Values(p.Customers)), func(r Rule) bool { return r.Keep != Term{} })
}

// Soonest is the instant before which nothing that had ended at another one is due, whomever it is about. There must be something that
// the policy erases.
func (p Policy) Soonest(end time.Time) time.Time {
	shortest := p.Default.Keep
	for _, r := range p.Customers {
		if r.Keep != (Term{}) && r.Keep.compare(shortest, end) < 0 {
			shortest = r.Keep
		}
	}
	return shortest.After(end)
}

// A Verdict is how long one record stays.
type Verdict struct {
	Keep  Term      `json:"keep"`
	Until time.Time `json:"until,omitzero"` // it need not stay from then on; zero: for ever
	Of    string    `json:"of,omitempty"`   // the customer whose term is the longest; empty: the organisation's
	Hold  string    `json:"hold,omitempty"` // why it stays all the same
}

// Due tells whether a record is to be erased at an instant.
func (v Verdict) Due(at time.Time) bool {
	return v.Hold == "" && !v.Until.IsZero() && !v.Until.After(at)
}

// Of says how long a record stays that is about customers and had ended at an instant: for the longest of their terms, and a hold of any of
// them holds it. What names no customer, or one that the folder does not know any more, may be about anybody: it stays for as long as
// anything.
func (p Policy) Of(customers []string, end time.Time) Verdict {
	unknown := func(c string) bool { _, known := p.Customers[c]; return !known }
	anybody := len(customers) == 0 || slices.ContainsFunc(customers, unknown)
	if anybody {
		customers = slices.Collect(maps.Keys(p.Customers))
	}
	v, holds := Verdict{Keep: p.Default.Keep}, []string{}
	if p.Default.Hold != "" {
		holds = append(holds, p.Default.Hold)
	}
	for n, c := range slices.Sorted(slices.Values(customers)) {
		r, of := p.Customers[c], c
		if r.Keep == (Term{}) {
			r.Keep, of = p.Default.Keep, ""
		}
		if n == 0 && !anybody || r.Keep.compare(v.Keep, end) > 0 {
			v.Keep, v.Of = r.Keep, of
		}
		if r.Hold != "" {
			holds = append(holds, c+": "+r.Hold)
		}
	}
	if v.Hold = strings.Join(holds, "; "); v.Keep != (Term{}) {
		v.Until = v.Keep.After(end)
	}
	return v
}
