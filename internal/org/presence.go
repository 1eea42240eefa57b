package org

import (
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
)

// A Presence is a time in which the same people are meant and are there.
type Presence struct {
	From, Until time.Time
	People      []Present
}

// Present is one of the people who are meant.
type Present struct {
	ID    string
	Name  string
	Away  bool // on leave
	Quiet bool // in quiet hours, in which only what is pressing is for them
}

// Presences returns whom targets mean from one instant until just before another, and who of them is away: on call, as a schedule has
// it; of engineers, those too who stand in. It holds for every instant, not for samples. A channel stands for nobody, unless
// nobody else is behind it.
func (o *Organisation) Presences(targets []escalation.Target, from, until time.Time) []Presence {
	edges := append(o.edges(from, until), until)
	var all []Presence
	for n, at := range edges[:len(edges)-1] {
		p := Presence{From: at, Until: edges[n+1], People: o.presentAt(targets, at)}
		if last := len(all) - 1; last >= 0 && slices.Equal(all[last].People, p.People) {
			all[last].Until = p.Until
			continue
		}
		all = append(all, p)
	}
	return all
}

func (o *Organisation) presentAt(targets []escalation.Target, at time.Time) (all []Present) {
	for _, t := range targets {
		for _, to := range o.meant(t, at) {
			if to.Along || slices.ContainsFunc(all, func(p Present) bool { return p.ID == to.ID }) {
				continue
			}
			all = append(all, o.present(to, at))
		}
	}
	return all
}

func (o *Organisation) present(to delivery.Recipient, at time.Time) Present {
	of := o.people[to.ID]
	return Present{
		ID: to.ID, Name: to.Name, Away: slices.ContainsFunc(of.away, func(a absence) bool { return a.lasts(at) }),
		Quiet: slices.ContainsFunc(of.quiet, func(q quietHours) bool { return q.hours.Open(at) }),
	}
}
