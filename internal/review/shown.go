package review

import (
	"slices"

	"muster/internal/timeline"
)

// Shown is the review as a party beside the provider sees it: the instants of the incident, and the text that was published for it.
// What is not named here is not shown.
func (r *Review) Shown(party string) *Review {
	f := r.Facts
	f.Customers, f.Record = nil, nil
	s := &Review{
		Facts: f, Opened: r.Opened, Due: r.Due, Status: r.Status, Overdue: r.Overdue, Timeline: timeline.Log{Entries: []timeline.Entry{}}, Partial: true,
	}
	if t := r.published(party); t != nil {
		s.Texts = []Text{{Audience: t.Audience, Name: t.Name, Language: t.Language, Body: t.Body, SHA256: t.SHA256, Published: t.Published}}
	}
	return s
}

// published is the text of a customer that it may read, nil where there is none.
func (r *Review) published(customer string) *Text {
	if t := r.Text(customer); t != nil && customer != Internal && !t.Published.IsZero() {
		return t
	}
	return nil
}

// Wants tells whether somebody who speaks for some sides could still bring the text forward by approving it.
func (t *Text) Wants(person string, sides []Side) bool {
	if !t.Waits() || slices.Contains(t.Authors, person) || slices.ContainsFunc(t.Votes, func(v Vote) bool { return v.By.ID == person }) {
		return false
	}
	lacks := t.Lacks()
	return t.Audience == Internal && len(lacks) > 0 || slices.ContainsFunc(sides, func(s Side) bool { return slices.Contains(lacks, s) })
}
