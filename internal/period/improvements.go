package period

import (
	"slices"
	"time"

	"muster/internal/action"
	"muster/internal/problem"
	"muster/internal/review"
	"muster/internal/timeline"
)

// An ActionLine is an action item that was open in the period.
type ActionLine struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Owner   string    `json:"owner,omitempty"` // name; not in the report of a customer
	Due     time.Time `json:"due"`
	Status  string    `json:"status"` // at the end of the period
	Overdue bool      `json:"overdue,omitempty"`
	Bundles []string  `json:"bundles"`
}

// stands is where an action item stood at an instant, and when it was due then.
func stands(h held[*action.Action], at time.Time) (s action.Status, due time.Time) {
	due = h.state.Due
	first := true
	for _, e := range h.log.Entries {
		if !e.At.Before(at) {
			break
		}
		if d, err := time.Parse(time.RFC3339, e.Fact("due")); err == nil && e.Kind != timeline.ItemOverdue {
			if first || e.Kind != timeline.ItemOpened {
				due, first = d, false
			}
		}
		switch e.Kind {
		case timeline.ItemOpened, timeline.ItemRefuted, timeline.ItemReopened:
			s = action.Open
		case timeline.ItemDone:
			s = action.Done
		case timeline.ItemVerified:
			s = action.Verified
		case timeline.ItemClosed:
			s = action.Closed
		case timeline.ItemCancelled:
			s = action.Cancelled
		default:
		}
	}
	return s, due
}

func (c *counting) countActions() {
	var opened, open, overdue, verified, effective, ineffective tally
	for _, h := range c.actions {
		x := h.state
		for _, e := range h.entries(c.span, timeline.ItemOpened, timeline.ItemVerified, timeline.ItemClosed, timeline.ItemReopened) {
			switch e.Kind {
			case timeline.ItemOpened:
				opened.add(1, h.files...)
			case timeline.ItemVerified:
				verified.add(1, h.files...)
			case timeline.ItemClosed:
				effective.add(1, h.files...)
			default:
				ineffective.add(1, h.files...)
			}
		}
		s, due := stands(h, c.span.To)
		if s == "" || !x.Ended.IsZero() && x.Ended.Before(c.span.From) {
			continue
		}
		l := ActionLine{ID: string(x.ID), Title: x.Title, Due: due.UTC(), Status: string(s), Bundles: h.files}
		if c.Customer == "" {
			l.Owner = x.OwnerName
		}
		if s != action.Closed && s != action.Cancelled {
			open.add(1, h.files...)
		}
		if l.Overdue = s == action.Open && due.Before(c.span.To); l.Overdue {
			overdue.add(1, h.files...)
		}
		c.Actions = append(c.Actions, l)
	}
	slices.SortStableFunc(c.Actions, func(a, b ActionLine) int { return a.Due.Compare(b.Due) })
	c.count("actions.opened", "", &opened)
	c.count("actions.open", "", &open)
	c.count("actions.overdue", "", &overdue)
	c.count("actions.verified", "", &verified)
	c.count("actions.effective", "", &effective)
	c.count("actions.ineffective", "", &ineffective)
}

func (c *counting) countProblems() {
	var opened, closed, open, recurred tally
	for _, h := range c.problems {
		p := h.state
		if c.span.holds(p.Opened) {
			opened.add(1, h.files...)
		}
		if over := p.Status == problem.Closed; over && c.span.holds(p.Ended) {
			closed.add(1, h.files...)
		} else if c.before(p.Opened) && !(over && c.before(p.Ended)) {
			open.add(1, h.files...)
		}
		recurred.add(len(h.entries(c.span, timeline.ProblemReopened)), h.files...)
	}
	c.count("problems.opened", "", &opened)
	c.count("problems.closed", "", &closed)
	c.count("problems.open", "", &open)
	c.count("problems.recurred", "", &recurred)
}

// countReviews counts post-incident reviews by the instant at which they had to be closed.
func (c *counting) countReviews() {
	var opened, onTime, late, open, overdue tally
	for _, h := range c.reviews {
		r := h.state
		if c.span.holds(r.Opened) {
			opened.add(1, h.files...)
		}
		ended := ended(h)
		switch {
		case c.span.holds(ended) && ended.After(r.Due):
			late.add(1, h.files...)
		case c.span.holds(ended):
			onTime.add(1, h.files...)
		case c.before(r.Opened) && !c.before(ended):
			open.add(1, h.files...)
			if c.before(r.Due) {
				overdue.add(1, h.files...)
			}
		}
	}
	c.count("reviews.opened", "", &opened)
	c.count("reviews.on-time", "", &onTime)
	c.count("reviews.late", "", &late)
	c.share("reviews.kept", "", &onTime, &late)
	c.count("reviews.open", "", &open)
	c.count("reviews.overdue", "", &overdue)
}

// ended is when a review was closed. Reviews from before there were stages have it in their timeline alone.
func ended(h held[*review.Review]) time.Time {
	if h.state.Status != review.Closed || !h.state.Ended.IsZero() {
		return h.state.Ended
	}
	for _, e := range h.log.Entries {
		if e.Kind == timeline.ReviewClosed {
			return e.At
		}
	}
	return time.Time{}
}
