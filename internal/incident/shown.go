package incident

import (
	"reflect"
	"slices"
	"strings"

	"muster/internal/calendar"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Viewer is a party beside the provider that reads an incident which concerns it.
type Viewer struct {
	Party   string                    // its ID
	Own     func(timeline.Actor) bool // tells whether an actor is one of its own people
	Instead timeline.Actor            // stands for every other actor: the organisation

	name       string // as the timeline calls it; empty when it cannot be told from another
	restricted bool   // the incident is: its title tells what the alerts say
}

// Shown is the incident as a party beside the provider may see it: how it stands, what this party was promised and told, and
// what its own people said. Nothing of other parties is in it, no name of a person who is not its own, no text that was
// written for the inside. What is not named here is not shown, so a field that comes later stays inside until somebody
// decides.
func (i *Incident) Shown(v Viewer) *Incident {
	mine := func(customer string) bool { return customer == v.Party }
	v.name, v.restricted = i.soleName(v.Party), i.Definition.Restricted()
	return &Incident{
		ID: i.ID, Status: i.Status, Impact: i.Impact, Urgency: i.Urgency, Priority: i.Priority, Times: i.Times, Reopened: i.Reopened, Partial: true,
		Definition: Definition{
			Organisation: i.Definition.Organisation, Zone: i.Definition.Zone, Title: i.Definition.PublicTitle(),
			Service: i.Definition.Service, Impact: i.Definition.Impact, Urgency: i.Definition.Urgency,
			Customers: slices.DeleteFunc(slices.Clone(i.Definition.Customers), func(c Customer) bool { return !mine(c.ID) }),
			Languages: i.Definition.Languages, Calendars: i.calendarsOf(v.Party),
		},
		Clocks:        shownClocks(i.Clocks, mine),
		Notice:        v.notice(i.Notice),
		Confirmations: v.confirmations(i.Confirmations),
		Timeline:      timeline.Log{Entries: v.entries(i.Timeline.Entries), Dropped: i.Timeline.Dropped},
	}
}

// calendarsOf are those in which the promises to a customer run.
func (i *Incident) calendarsOf(customer string) []calendar.Rules {
	used := i.plan(customer).Calendars()
	return slices.DeleteFunc(slices.Clone(i.Definition.Calendars), func(r calendar.Rules) bool { return !slices.Contains(used, r.ID) })
}

// Beside is the incident as those see it who work on it for another party: all of it but what is for the provider's own
// people alone, which a repin may have changed.
func (i *Incident) Beside() *Incident {
	beside := *i
	beside.Definition.Background, beside.Cases, beside.Problem, beside.Proposed, beside.Definition.Automatic, beside.Response, beside.Nearby = Background{}, nil, nil, nil, nil, nil, nil
	beside.Summons = slices.Clone(i.Summons)
	for n := range beside.Summons { // who is in a team, and what teams have agreed, is for the house
		beside.Summons[n].Members, beside.Summons[n].Agreement, beside.Summons[n].Answerer = nil, nil, ""
	}
	if p := i.Previous; p != nil { // what its review has found is about other customers too
		beside.Previous = &Earlier{ID: p.ID, RunID: p.RunID, ClosedAt: p.ClosedAt, Title: p.Title}
	}
	beside.Timeline.Entries = slices.DeleteFunc(slices.Clone(i.Timeline.Entries), func(e timeline.Entry) bool {
		return strings.HasPrefix(string(e.Kind), "response.") || e.Kind == timeline.DefinitionChanged && ofBackground(e.Fact("what")) || e.Kind == timeline.ProblemFound || e.Kind == timeline.NearbyFound || e.Kind == timeline.UpdateProposed
	})
	return &beside
}

// ofBackground tells whether a path of Differences leads to what is for the provider's own people.
func ofBackground(path string) bool {
	first, _, _ := strings.Cut(path, ".")
	t := reflect.TypeFor[Background]()
	for n := range t.NumField() {
		if wireName(t.Field(n)) == first {
			return true
		}
	}
	return false
}

// soleName is the name by which the timeline means a customer and no other one.
func (i *Incident) soleName(customer string) string {
	name, bearers := i.customerName(customer), 0
	for _, c := range i.Definition.Customers {
		if i.customerName(c.ID) == name {
			bearers++
		}
	}
	if bearers != 1 {
		return ""
	}
	return name
}

// shownClocks are those of a customer. Why one stands still was written for the inside.
func shownClocks(all []supportplan.Clock, mine func(string) bool) (shown []supportplan.Clock) {
	for _, c := range all {
		if mine(c.Customer) {
			c.Reason = ""
			shown = append(shown, c)
		}
	}
	return shown
}

// notice is how the incident was reported, when this party has done so: in its own words only.
func (v Viewer) notice(n *Notice) *Notice {
	if n == nil || n.Customer != v.Party {
		return nil
	}
	own := *n
	if !v.Own(n.By) {
		own.By, own.Text = v.Instead, ""
	}
	return &own
}

// confirmations are the questions to this party.
func (v Viewer) confirmations(all []Confirmation) (shown []Confirmation) {
	for _, k := range all {
		if k.Clock.Customer != v.Party {
			continue
		}
		if k.By != nil && !v.Own(*k.By) {
			k.By = &v.Instead
		}
		shown = append(shown, k)
	}
	return shown
}

// entries are those that a party may read, each with the facts that it may. They keep their numbers, so there are gaps.
func (v Viewer) entries(all []timeline.Entry) []timeline.Entry {
	shown := []timeline.Entry{}
	for _, e := range all {
		facts, ok := v.facts(e)
		if !ok {
			continue
		}
		e.Facts = slices.DeleteFunc(slices.Clone(e.Facts), func(f timeline.Fact) bool { return !slices.Contains(facts, f.Name) })
		if !v.Own(e.Actor) && e.Actor.Kind != timeline.Engine {
			e.Actor = v.Instead
		}
		shown = append(shown, e)
	}
	return shown
}

// facts names the facts of an entry that a party may read, and tells whether it may read the entry.
func (v Viewer) facts(e timeline.Entry) (names []string, ok bool) {
	switch e.Kind {
	case timeline.IncidentOpened:
		if v.restricted {
			return []string{"service", "priority", "impact", "urgency"}, true
		}
		return []string{"title", "service", "priority", "impact", "urgency"}, true
	case timeline.StatusChanged:
		return []string{"from", "to"}, true
	case timeline.PriorityChanged:
		return []string{"from", "to", "impact", "urgency"}, true
	case timeline.Noted, timeline.Escalated:
		return []string{"text", "reason"}, v.Own(e.Actor)
	case timeline.ClockStarted, timeline.ClockAtRisk, timeline.ClockMet, timeline.ClockMissed, timeline.ClockPaused,
		timeline.ClockResumed, timeline.ClockMoved, timeline.ClockStopped:
		return []string{"customer", "target", "due", "within", "days", "calendar", "begins", "for", "paused_for"}, v.isTold(e)
	case timeline.UpdateSent, timeline.AllClearSent:
		return []string{"customer", "text", "status", "expected", "workaround"}, v.isTold(e)
	case timeline.NoticeReceived:
		return v.ownWords(e, "text", "receipt", "channel", "customer", "received", "noticed_by"), v.isTold(e)
	case timeline.ReceiptSent, timeline.FixUnanswered, timeline.ClosingTold:
		return []string{"customer"}, v.isTold(e)
	case timeline.FixAnswered:
		return v.ownWords(e, "note", "customer", "answer"), v.isTold(e)
	case timeline.ResultSent:
		return []string{"customer", "revision", "text"}, v.isTold(e)
	default:
		return nil, false
	}
}

// ownWords are facts, and one that only its own people may read what they have written.
func (v Viewer) ownWords(e timeline.Entry, written string, facts ...string) []string {
	if v.Own(e.Actor) {
		return append(facts, written)
	}
	return facts
}

func (v Viewer) isTold(e timeline.Entry) bool { return v.name != "" && e.Fact("customer") == v.name }
