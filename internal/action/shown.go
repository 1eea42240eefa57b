package action

import (
	"slices"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// VisibleTo returns the customers who may see it: the one that it is about, where it is public.
func (a *Action) VisibleTo() []string {
	if !a.Public || a.Origin.Customer == "" {
		return nil
	}
	return []string{a.Origin.Customer}
}

// Shown is the action item as the customer that it is about may see it: what is done and how far it is. Who does it and what was
// written for the inside is not in it: what is not named here is not shown.
func (a *Action) Shown(v incident.Viewer) *Action {
	shown := &Action{
		Terms: Terms{ID: a.ID, Opener: v.Instead, Asked: Asked{
			Title: a.Title, Kind: a.Kind, Priority: a.Priority, Due: a.Due, Origin: Origin{Customer: a.Origin.Customer}, Public: true,
		}, Pinned: Pinned{Organisation: a.Organisation, Zone: a.Zone, CustomerName: a.CustomerName}},
		Status: a.Status, Opened: a.Opened, Since: a.Since, Late: a.Late, Ended: a.Ended, Partial: true,
		Timeline: timeline.Log{Entries: []timeline.Entry{}},
	}
	for _, e := range a.Timeline.Entries {
		facts, ok := public(e.Kind)
		if !ok {
			continue
		}
		e.Facts = slices.DeleteFunc(slices.Clone(e.Facts), func(f timeline.Fact) bool { return !slices.Contains(facts, f.Name) })
		if e.Actor.Kind != timeline.Engine {
			e.Actor = v.Instead
		}
		shown.Timeline.Entries = append(shown.Timeline.Entries, e)
	}
	return shown
}

// public names the facts of a kind of entry that the customer may read, and tells whether it may read such an entry.
func public(k timeline.Kind) (facts []string, ok bool) {
	switch k {
	case timeline.ItemOpened:
		return []string{"item", "title", "kind", "due"}, true
	case timeline.ItemExtended, timeline.ItemRefuted, timeline.ItemReopened, timeline.ItemOverdue:
		return []string{"due"}, true
	case timeline.ItemDone, timeline.ItemVerified, timeline.ItemClosed, timeline.ItemCancelled:
		return nil, true
	default:
		return nil, false
	}
}
