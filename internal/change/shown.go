package change

import (
	"slices"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// Shown is the change as a party beside the provider may see it: what is asked for, when, and what has become of it. What was written
// for the inside, who has voted how, and which other customers it concerns, is not in it: what is not named here is not shown.
func (c *Change) Shown(v incident.Viewer) *Change {
	who := func(a timeline.Actor) timeline.Actor {
		if a.ID == "" || v.Own(a) {
			return a
		}
		return v.Instead
	}
	own := func(n Named) bool { return n.ID != v.Party }
	shown := &Change{
		Terms: Terms{
			ID: c.ID, Requester: who(c.Requester),
			Asked: Asked{
				Way: c.Way, Kind: c.Kind, Title: c.Title, Reversible: c.Reversible, Services: c.Services, From: c.From, Until: c.Until,
				Standard: c.Standard, Effect: c.Effect, Action: c.Action,
			},
			Pinned: Pinned{
				Organisation: c.Organisation, Zone: c.Zone, ServiceNames: c.ServiceNames, CustomerNames: slices.DeleteFunc(slices.Clone(c.CustomerNames), own),
				Classes: []Class{}, Remind: c.Remind,
			},
		},
		Status: c.Status, Opened: c.Opened, Began: c.Began, Ended: c.Ended, Moved: c.Moved, Partial: true, Timeline: timeline.Log{Entries: []timeline.Entry{}},
	}
	if v.Own(c.Requester) { // its own words
		shown.Text, shown.Benefit, shown.Undo, shown.UndoWithin = c.Text, c.Benefit, c.Undo, c.UndoWithin
	}
	if c.Status == Rejected || c.Status == Withdrawn {
		shown.Reason = c.Reason
	}
	for _, e := range c.Timeline.Entries {
		facts, ok := public(e.Kind)
		if !ok {
			continue
		}
		e.Facts = slices.DeleteFunc(slices.Clone(e.Facts), func(f timeline.Fact) bool { return !slices.Contains(facts, f.Name) })
		if e.Actor.Kind != timeline.Engine {
			e.Actor = who(e.Actor)
		}
		shown.Timeline.Entries = append(shown.Timeline.Entries, e)
	}
	return shown
}

// public names the facts of a kind of entry that a party beside the provider may read, and tells whether it may read such an entry.
func public(k timeline.Kind) (facts []string, ok bool) {
	switch k {
	case timeline.ChangeRequested:
		return []string{"change", "way", "kind", "title", "services", "from", "until"}, true
	case timeline.ChangeStarted:
		return nil, true
	case timeline.ChangeEnded:
		return []string{"status"}, true
	case timeline.ChangeMoved:
		return []string{"from", "until", "before", "reason"}, true
	case timeline.ChangeWithdrawn:
		return []string{"reason"}, true
	case timeline.ChangeLapsed:
		return []string{"since"}, true
	default:
		return nil, false
	}
}
