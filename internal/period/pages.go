package period

import (
	"time"

	"muster/internal/delivery"
	"muster/internal/timeline"
)

// The hours by which the load of those on call is counted, as the clock on the wall shows them in the zone of the report.
const (
	WorkBegins  = 9 // from Monday to Friday
	WorkEnds    = 18
	NightBegins = 22 // on every day
	NightEnds   = 6
)

// The times of the day, as figures name them.
const (
	Working = "working"
	Night   = "night"
	Other   = "other" // evenings and weekends
)

// timeOfDay tells which one an instant is.
func timeOfDay(at time.Time) string {
	h, weekend := at.Hour(), at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
	switch {
	case h >= NightBegins || h < NightEnds:
		return Night
	case !weekend && h >= WorkBegins && h < WorkEnds:
		return Working
	}
	return Other
}

// countPages counts the pages that have reached somebody, each contact method by itself, and the nights in which one did. A night is
// that of the day on which it begins.
func (c *counting) countPages() {
	times, people, nights := tallies{}, tallies{}, tallies{}
	disturbed := map[string]bool{}
	var broken tally
	for _, h := range c.incidents {
		for _, e := range h.entries(c.span, timeline.Delivered) {
			if e.Fact("what") != string(delivery.Page) {
				continue
			}
			at, who := e.At.In(c.zone), e.Fact("to")
			when := timeOfDay(at)
			times.of(when).add(1, h.files...)
			people.of(who).add(1, h.files...)
			nights.of(who).see(h.files...)
			if when != Night {
				continue
			}
			nights.of(who).add(1, h.files...)
			night := at.Add(-NightEnds * time.Hour).Format(time.DateOnly)
			broken.see(h.files...)
			if !disturbed[night] {
				disturbed[night] = true
				broken.n++
			}
		}
	}
	c.counts("pages", times, Working, Other, Night)
	c.count("pages.nights", "", &broken)
	for _, who := range people.keys() {
		c.count("pages.person", who, people.of(who))
	}
	for _, who := range people.keys() {
		c.count("pages.person.night", who, nights.of(who))
	}
}
