package supportplan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Period is a part of the calendar in which uses are counted. It begins anew with the month, not with the contract.
type Period string

// The periods. These strings are in definitions: add, never rename.
const (
	Month    Period = "month"
	Quarter  Period = "quarter"
	HalfYear Period = "half-year"
	Year     Period = "year"
)

// Periods lists the periods, the shortest first.
func Periods() []Period { return []Period{Month, Quarter, HalfYear, Year} }

// months is how long a period is, 0 when it is none.
func (p Period) months() int {
	switch p {
	case Month:
		return 1
	case Quarter:
		return 3
	case HalfYear:
		return 6
	case Year:
		return 12
	}
	return 0
}

// Bounds returns the period that holds an instant in a zone: from its first instant until just before to, the first of the
// next one. What is no period has none.
func (p Period) Bounds(at time.Time, zone *time.Location) (from, to time.Time) {
	n := p.months()
	if n == 0 {
		return time.Time{}, time.Time{}
	}
	year, month, _ := at.In(zone).Date()
	first := month - (month-1)%time.Month(n)
	return monthBegins(year, first, zone), monthBegins(year, first+time.Month(n), zone)
}

// monthBegins returns the first instant at which the clock on the wall has reached a month. Where it is put forward at
// midnight that is the instant at which it jumps; where it shows midnight twice, the first.
func monthBegins(year int, month time.Month, zone *time.Location) time.Time {
	const furthest = 15 * time.Hour // no zone is further from UTC
	midnight := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	for at := midnight.Add(-furthest).In(zone); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		reached := midnight.Add(-time.Duration(offset) * time.Second)
		if reached.Before(at) {
			reached = at
		}
		if end.IsZero() || reached.Before(end) {
			return reached.In(zone)
		}
		at = end
	}
}

// A Quota is how often something may be used in each period.
type Quota struct {
	Count int    `json:"count"`
	Per   Period `json:"per"`
}

// ParseQuota reads "12 a year".
func ParseQuota(s string) (Quota, error) {
	number, per, _ := strings.Cut(s, " a ")
	q := Quota{Per: Period(per)}
	n, err := strconv.Atoi(number)
	if q.Count = n; err != nil || q.String() != s || q.Per.months() == 0 || !q.counts() {
		return Quota{}, fmt.Errorf("quota %q: want a number from 1 to 1000 and a period, such as 12 a year or 1 a quarter", s)
	}
	return q, nil
}

func (q Quota) counts() bool { return 1 <= q.Count && q.Count <= 1000 }

// String returns "12 a year".
func (q Quota) String() string { return fmt.Sprintf("%d a %s", q.Count, q.Per) }

// Left returns how many uses are left after some, never less than none.
func (q Quota) Left(used int) int { return max(q.Count-used, 0) }

// A Preventive is how often somebody comes to check before anything breaks.
type Preventive string

// The rhythms of preventive checks. These strings are in definitions: add, never rename.
const (
	Monthly      Preventive = "monthly"
	Quarterly    Preventive = "quarterly"
	HalfYearly   Preventive = "half-yearly"
	Yearly       Preventive = "yearly"
	NoPreventive Preventive = "none"
	UnknownCheck Preventive = "unknown" // nobody can say from the source
)

// Preventives lists the rhythms, the most frequent first.
func Preventives() []Preventive {
	return []Preventive{Monthly, Quarterly, HalfYearly, Yearly, NoPreventive, UnknownCheck}
}

// PerYear is how many checks that is in a year, 0 where none are promised or nobody knows.
func (p Preventive) PerYear() int {
	switch p {
	case Monthly:
		return 12
	case Quarterly:
		return 4
	case HalfYearly:
		return 2
	case Yearly:
		return 1
	case NoPreventive, UnknownCheck:
	}
	return 0
}

// Visits are how often somebody comes to the customer.
type Visits struct {
	PerYear     int        `json:"per_year,omitempty"`
	ByAgreement bool       `json:"by_agreement,omitempty"` // a number stands in the contract; until it is entered, none may be counted on
	Preventive  Preventive `json:"preventive"`
}
