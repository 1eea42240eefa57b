package org

import (
	"fmt"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/internal/freeze"
)

// FreezesICS writes the windows and freezes that touch a time as an iCalendar file (RFC 5545): all of the folder, or those that
// hold in any environment of a customer. Each is one event with its true beginning and end, and the same event in every such file.
// One that begins or ends too far away begins or ends where the time asked for does.
func (o *Organisation) FreezesICS(customer string, from, to time.Time, title func(freeze.Reason) string) ([]byte, error) {
	r, err := o.FreezeRules(customer)
	if err != nil {
		return nil, err
	}
	times, err := freeze.New(r, nil, time.LoadLocation)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if customer != "" {
		name = o.customers[customer].name
	}
	c := published("Freezes", name, o.Zone)
	for _, s := range times.Spans(from, to) {
		uid := s.From.UTC().Format("20060102T150405Z")
		if s.From.IsZero() {
			s.From, uid = from, "begun"
		}
		if s.Until.IsZero() {
			s.Until = to
		}
		e := c.AddEvent(fmt.Sprintf("%s-%s-%s@%s", s.Kind, s.ID, uid, o.ID))
		e.SetDtStampTime(o.Changed)
		e.SetStartAt(s.From)
		e.SetEndAt(s.Until)
		e.SetSummary(title(s))
		if s.Reason != "" {
			e.SetDescription(s.Reason)
		}
		e.SetTimeTransparency(ics.TransparencyTransparent) // people can be invited all the same
	}
	content, err := serialized(c)
	if err != nil {
		return nil, fmt.Errorf("write freezes as iCalendar: %w", err)
	}
	return content, nil
}
