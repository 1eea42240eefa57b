package period

import (
	"math"
	"slices"
	"time"

	"muster/internal/request"
	"muster/internal/supportplan"
)

// A RequestLine is a request of a customer that was open in the period.
type RequestLine struct {
	ID       string    `json:"id"`
	Customer string    `json:"customer"`      // name
	Subject  string    `json:"subject"`       // ID of a feature, or a kind
	Name     Title     `json:"name,omitzero"` // of the feature
	Received time.Time `json:"received"`
	Answered time.Time `json:"answered,omitzero"`
	Status   string    `json:"status"`
	Begun    string    `json:"begun,omitempty"` // the customer was told of an issue
	Bundles  []string  `json:"bundles"`
}

// countRequests counts what customers have asked. What they were told of unasked promises nothing, and is counted by itself.
func (c *counting) countRequests() {
	k := kept{tallies{}, tallies{}, tallies{}}
	var received, told, answered, declined, withdrawn, open, rated tally
	scores := 0
	for _, h := range c.requests {
		r := h.state
		for n := range r.Clocks {
			x := &r.Clocks[n]
			k.decided(x, x.Due, c.span, h.files)
			k.ran(x, c.span, c.zones, r.Calendars, h.files)
		}
		if r.Rating != nil && c.span.holds(r.Rating.At) {
			rated.add(1, h.files...)
			scores += r.Rating.Score
		}
		if !c.before(r.Received) || !r.Ended.IsZero() && r.Ended.Before(c.span.From) {
			continue
		}
		l := RequestLine{
			ID: string(r.ID), Customer: r.CustomerName, Subject: r.Subject(), Received: r.Received.UTC(), Status: string(r.Status), Begun: string(r.Begun),
			Bundles: h.files,
		}
		if feature, known := r.Entitlement.Table.Feature(r.Feature); known {
			l.Name = Title{feature.Name.English, feature.Name.Korean}
		}
		if c.before(r.AnsweredAt) {
			l.Answered = r.AnsweredAt.UTC()
		}
		c.Requests = append(c.Requests, l)
		switch {
		case r.Begun != "":
			if c.span.holds(r.Received) {
				told.add(1, h.files...)
			}
			continue
		case c.span.holds(r.Received):
			received.add(1, h.files...)
		}
		switch {
		case c.span.holds(r.AnsweredAt):
			answered.add(1, h.files...)
		case r.Status == request.Declined && c.span.holds(r.Ended):
			declined.add(1, h.files...)
		case r.Status == request.Withdrawn && c.span.holds(r.Ended):
			withdrawn.add(1, h.files...)
		case !c.before(r.AnsweredAt) && !c.before(r.Ended):
			open.add(1, h.files...)
		}
	}
	slices.SortStableFunc(c.Requests, func(a, b RequestLine) int { return a.Received.Compare(b.Received) })
	c.count("requests.received", "", &received)
	c.count("requests.told", "", &told)
	c.count("requests.answered", "", &answered)
	c.count("requests.declined", "", &declined)
	c.count("requests.withdrawn", "", &withdrawn)
	c.count("requests.open", "", &open)
	k.put(c.Facts, "requests", []string{string(supportplan.Respond), string(supportplan.Resolve)})
	c.count("requests.rated", "", &rated)
	var satisfied *float64
	if rated.n > 0 {
		v := math.Floor(100*float64(scores)/float64(rated.n)) / 100
		satisfied = &v
	}
	c.put("requests.satisfaction", "", Score, satisfied, rated.files)
}

// countVisits counts what was used of what customers have bought, in years of the calendar.
func (c *counting) countVisits() {
	var year Span
	year.From, _ = supportplan.Year.Bounds(c.span.From, c.zone)
	year.To = c.span.To
	for _, h := range c.ledgers {
		used, sofar := 0, 0
		for _, u := range h.state.Uses {
			if u.Visit && c.span.holds(u.At) {
				used++
			}
			if u.Visit && year.holds(u.At) {
				sofar++
			}
		}
		of := h.state.Customer
		c.put("visits.used", of, Count, whole(used), h.files)
		c.put("visits.year", of, Count, whole(sofar), h.files)
		for _, b := range c.Bought {
			if b.Customer == of {
				c.put("visits.bought", of, Count, whole(b.PerYear), h.files)
				c.put("visits.left", of, Count, whole(max(b.PerYear-sofar, 0)), h.files)
			}
		}
	}
}
