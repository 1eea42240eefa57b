package incident

import (
	"slices"
	"strconv"
	"time"

	"muster/internal/delivery"
	"muster/internal/timeline"
)

// A FollowedPage is a page that still shows where it arrived, or waits there for an answer: it is told what becomes of it. One that was
// taken back while nobody knew whether it had arrived is told too.
type FollowedPage struct {
	ID      delivery.ID        `json:"id"`
	To      delivery.Recipient `json:"to"`
	Method  string             `json:"method"`
	Summons bool               `json:"summons,omitempty"` // somebody was asked to help
	Told    string             `json:"told,omitempty"`    // what it was told last
}

// Bounds of what is followed.
const (
	followedAtOnce = 8
	followedMost   = 64 // beyond that the oldest stay as they are
)

// follows remembers a page that can be told later what has become of it.
func (i *Incident) follows(s Send) {
	to := *s.To
	to.Methods, to.Delays = nil, nil
	i.Pages = append(i.Pages, FollowedPage{ID: s.ID, To: to, Method: s.To.Methods[s.Method], Summons: s.Summons})
	if n := len(i.Pages) - followedMost; n > 0 {
		i.Pages = slices.Delete(i.Pages, 0, n)
	}
}

// became says what a page is to be told now; empty: that it still waits for an answer. Whoever was asked to help is waited for
// although somebody else has taken the incident.
func (i *Incident) became(p FollowedPage) string {
	switch n := len(i.Responders); {
	case !i.Status.Open():
		return string(Resolved) + "/" + strconv.FormatInt(i.Times.Resolved.UnixMilli(), 10)
	case p.Summons:
		if i.Awaits(p.To.ID) {
			return ""
		}
		return string(Acknowledged) + "/" + p.To.ID
	case !i.Escalation.Answered:
		return ""
	case n == 0:
		return string(Acknowledged)
	default:
		return string(Acknowledged) + "/" + i.Responders[n-1].ID
	}
}

// keepFollowed tells pages what has become of them, a few at a time, each by itself: one that cannot be told holds up no other.
func (i *Incident) keepFollowed(now time.Time) {
	under := map[string]bool{}
	for n := range i.Outbox {
		if s := &i.Outbox[n]; s.Work == FollowPage {
			under[s.Page] = true
		}
	}
	for _, p := range i.Pages {
		if now := i.became(p); now == "" || now == p.Told || under[string(p.ID)] || len(under) >= followedAtOnce {
			continue
		}
		under[string(p.ID)] = true
		i.begin(Send{Work: FollowPage, Page: string(p.ID), Content: i.became(p)}, now)
	}
}

// Followed returns the page that a send is for, nil when it is followed no more.
func (i *Incident) Followed(s Send) *FollowedPage {
	for n := range i.Pages {
		if string(i.Pages[n].ID) == s.Page {
			return &i.Pages[n]
		}
	}
	return nil
}

// outdated says why a page is not to be told any more what a send is for.
func (i *Incident) outdated(s *Send) string {
	if p := i.Followed(*s); p == nil || i.became(*p) != s.Content {
		return "superseded"
	}
	return ""
}

// PageTold takes in that a page was told what a send was for, or why it could not be: then it stays as it is. What was taken back was not
// told. With an incident that is over, a page is done with.
func (i *Incident) PageTold(number int, fault string, now time.Time) {
	found := i.Find(number)
	if found == nil {
		return
	}
	s := *found
	s.Withdrawn = i.withdrawn(&s)
	i.drop(number)
	p := i.Followed(s)
	if p == nil || s.Withdrawn != "" {
		return
	}
	if fault != "" {
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FollowPage)), timeline.F("detail", fault))
	}
	if p.Told = s.Content; !i.Status.Open() {
		i.Pages = slices.DeleteFunc(i.Pages, func(x FollowedPage) bool { return x.ID == p.ID })
	}
}
