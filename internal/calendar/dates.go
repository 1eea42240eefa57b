package calendar

import (
	"fmt"
	"strings"
)

// Dates are days in their order, each once. They are kept with every promise that runs in their calendar, so they are
// written short: "2026-01-01 02-16/02-18 2027-01-01" names the year where it changes, and days that follow each other as
// the first and the last.
type Dates []Date

// String returns what ParseDates reads.
func (ds Dates) String() string {
	var b strings.Builder
	year := 0
	for n := 0; n < len(ds); n++ {
		first := ds[n]
		if n > 0 {
			b.WriteByte(' ')
		}
		if y := first.Year(); y != year {
			year = y
			fmt.Fprintf(&b, "%04d-", year)
		}
		b.WriteString(first.monthAndDay())
		last := first
		for n+1 < len(ds) && ds[n+1] == last+1 && ds[n+1].Year() == year {
			n, last = n+1, last+1
		}
		if last > first {
			b.WriteString("/" + last.monthAndDay())
		}
	}
	return b.String()
}

func (d Date) monthAndDay() string { return d.String()[len("2006-"):] }

// ParseDates reads "2026-01-01 02-16/02-18". Its error names the part that is wrong.
func ParseDates(s string) (Dates, error) {
	var all Dates
	year := ""
	for _, word := range strings.Fields(s) {
		if len(word) > len("2006-") && word[len("2006")] == '-' {
			year, word = word[:len("2006-")], word[len("2006-"):]
		}
		from, to, isRange := strings.Cut(word, "/")
		if !isRange {
			to = from
		}
		first, err := ParseDate(year + from)
		if err != nil {
			return nil, err
		}
		last, err := ParseDate(year + to)
		switch {
		case err != nil:
			return nil, err
		case last < first || isRange && last == first || len(all) > 0 && first <= all[len(all)-1]:
			return nil, fmt.Errorf("dates %s%s: want days in their order, each once", year, word)
		}
		for d := first; d <= last; d++ {
			all = append(all, d)
		}
	}
	return all, nil
}

// MarshalText writes the dates as String does.
func (ds Dates) MarshalText() ([]byte, error) { return []byte(ds.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (ds *Dates) UnmarshalText(text []byte) (err error) {
	*ds, err = ParseDates(string(text))
	return err
}
