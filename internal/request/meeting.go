package request

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// Bounds of the minutes of a meeting.
const (
	MaxMeetings  = 20
	MaxAttendees = 50
	MaxPoints    = 30 // decisions, or next steps
)

// A Meeting was held on a request: what a service is to become is agreed there (source 004, lines 124 to 134).
type Meeting struct {
	At        time.Time      `json:"at"`
	Purpose   string         `json:"purpose"`
	Who       []string       `json:"who"` // names
	Text      string         `json:"text"`
	Decisions []string       `json:"decisions,omitempty"`
	Next      []string       `json:"next,omitempty"` // steps, with who and until when
	By        timeline.Actor `json:"by"`             // who has written the minutes
}

// Meet records a meeting with its minutes, which the customer may read.
type Meet struct {
	At        time.Time `json:"at,omitzero"` // zero: now
	Purpose   string    `json:"purpose"`
	Who       []string  `json:"who"`
	Text      string    `json:"text"`
	Decisions []string  `json:"decisions,omitempty"`
	Next      []string  `json:"next,omitempty"`
}

// Check wants a purpose, somebody who was there, and what was said.
func (c Meet) Check(r *Request, _ timeline.Actor) error {
	const action = "record a meeting on"
	switch {
	case r.Over():
		return r.stands(action)
	case len(r.Meetings) == MaxMeetings:
		return r.refuse(action, "it has %d", MaxMeetings)
	case !isLine(c.Purpose):
		return r.refuse(action, "purpose: want one line of at most %d bytes", MaxRef)
	case len(c.Who) == 0 || len(c.Who) > MaxAttendees || slices.ContainsFunc(c.Who, isNoLine):
		return r.refuse(action, "who: want the names of those who were there, 1 to %d", MaxAttendees)
	}
	for _, list := range []struct {
		name string
		all  []string
	}{{"decisions", c.Decisions}, {"next", c.Next}} {
		if len(list.all) > MaxPoints || slices.ContainsFunc(list.all, isNoLine) {
			return r.refuse(action, "%s: want at most %d, each one line of at most %d bytes", list.name, MaxPoints, MaxRef)
		}
	}
	return r.wantWords(action, "text", c.Text, true)
}

func isLine(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= MaxRef && !strings.ContainsAny(s, "\r\n")
}

func isNoLine(s string) bool { return !isLine(s) }

// Apply keeps it. Minutes are never changed: who has to correct them records them once more.
func (c Meet) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if c.At.IsZero() {
		c.At = now
	}
	if c.At.After(now.Add(late)) || c.At.Before(r.Received) {
		return r.refuse("record a meeting on", "at %s: want an instant between the receipt of the request and now", at(c.At))
	}
	r.Meetings = append(r.Meetings, Meeting{At: c.At, Purpose: c.Purpose, Who: c.Who, Text: c.Text, Decisions: c.Decisions, Next: c.Next, By: by})
	r.record(now, timeline.RequestMet, by, timeline.F("number", fmt.Sprint(len(r.Meetings))), timeline.F("at", at(c.At)),
		timeline.F("purpose", c.Purpose), timeline.F("who", strings.Join(c.Who, ", ")))
	return nil
}

// shownMeetings are the minutes as another party reads them.
func (r *Request) shownMeetings(who func(timeline.Actor) timeline.Actor) (all []Meeting) {
	for _, m := range r.Meetings {
		m.By = who(m.By)
		all = append(all, m)
	}
	return all
}
