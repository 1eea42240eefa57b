package org

import (
	"slices"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/us"

	"muster/internal/calendar"
)

// The years of national holidays. They are the same at any time, so that the same folder gives the same definitions. Up to
// knownYear the dates have been announced; those after it follow from the rules as they are now, which may change, and
// lack what is decided for one year alone, such as the day of an election.
const (
	firstYear = 2024
	knownYear = 2027
	lastYear  = 2035
)

// aCountry is a country whose holidays are known: those of the whole country, in the United Kingdom of England and Wales.
var aCountry = oneOf("kr", "us", "gb", "de", "jp")

// nationalHolidays has the holidays of each country, in their order. The library is asked once and by one at a time, for
// it changes variables of its own as it answers.
var nationalHolidays = sync.OnceValue(func() map[string][]calendar.Date {
	return map[string][]calendar.Date{
		"kr": korea(),
		"us": national(us.Holidays),
		"gb": national(gb.Holidays),
		"de": national(de.Holidays),
		"jp": national(jp.Holidays),
	}
})

// national returns the days of holidays, and those on which they are observed instead.
func national(holidays []*cal.Holiday) []calendar.Date {
	var all []calendar.Date
	for year := firstYear; year <= lastYear+1; year++ { // the New Year of the next may be observed in this one
		for _, h := range holidays {
			actual, observed := h.Calc(year)
			for _, t := range []time.Time{actual, observed} {
				if !t.IsZero() && firstYear <= t.Year() && t.Year() <= lastYear {
					all = append(all, calendar.DateOf(t))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// endOf returns the last day of a year.
func endOf(year int) calendar.Date {
	return calendar.DateOf(time.Date(year, time.December, 31, 0, 0, 0, 0, time.UTC))
}
