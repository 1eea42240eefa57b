package incident

import (
	"slices"
	"strconv"
	"time"

	"muster/internal/delivery"
	"muster/internal/timeline"
)

// A FollowedPage is a page that still shows where it arrived, or waits there for an answer: once it is over, that is told.
type FollowedPage struct {
	ID     delivery.ID        `json:"id"`
	To     delivery.Recipient `json:"to"`
	Method string             `json:"method"`
	Told   string             `json:"told,omitempty"` // what was told of it last
}

// Bounds of what is followed: an adapter makes a request or two for each page.
const (
	followedAtOnce = 8
	followedMost   = 64 // beyond that the oldest stay as they are
)

// follows remembers a page that has arrived where it can be followed up.
func (i *Incident) follows(s Send) {
	to := *s.To
	to.Methods, to.Delays = nil, nil
	i.Pages = append(i.Pages, FollowedPage{ID: s.ID, To: to, Method: s.To.Methods[s.Method]})
	if n := len(i.Pages) - followedMost; n > 0 {
		i.Pages = slices.Delete(i.Pages, 0, n)
	}
}

// stands says what is to be told of pages now; empty: that they still wait for an answer.
func (i *Incident) stands() string {
	switch {
	case !i.Status.Open():
		return string(Resolved) + "/" + strconv.FormatInt(i.Times.Resolved.UnixMilli(), 10)
	case i.Escalation.Answered:
		n := len(i.Responders)
		if n == 0 {
			return string(Acknowledged)
		}
		return string(Acknowledged) + "/" + i.Responders[n-1].ID
	}
	return ""
}

// keepFollowed tells of pages what has become of the incident, a few at a time.
func (i *Incident) keepFollowed(now time.Time) {
	if len(i.Pages) > 0 && !i.has(FollowPages) && len(i.ToFollow()) > 0 {
		i.begin(Send{Work: FollowPages, Content: i.stands()}, now)
	}
}

// ToFollow are the pages of which the next is told.
func (i *Incident) ToFollow() (all []FollowedPage) {
	for _, p := range i.Pages {
		if at := i.stands(); at != "" && p.Told != at && len(all) < followedAtOnce {
			all = append(all, p)
		}
	}
	return all
}

// Followed takes in that pages were told what a send was for, or why they could not be: then they stay as they are. With an incident
// that is over they are done with.
func (i *Incident) Followed(number int, pages []FollowedPage, fault string, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	told := s.Content
	i.drop(number)
	if fault != "" {
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FollowPages)), timeline.F("detail", fault))
	}
	for n := range i.Pages {
		if slices.ContainsFunc(pages, func(p FollowedPage) bool { return p.ID == i.Pages[n].ID }) {
			i.Pages[n].Told = told
		}
	}
	if at := i.stands(); !i.Status.Open() && len(i.ToFollow()) == 0 {
		i.Pages = slices.DeleteFunc(i.Pages, func(p FollowedPage) bool { return p.Told == at })
	}
}
