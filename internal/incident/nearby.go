package incident

import (
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// Around says which services stand around that of an incident: what goes on with them may be why it fails.
type Around struct {
	Needs    []Service // it cannot do without them
	NeededBy []Service // they cannot do without it
}

// A NearbyKind is what goes on beside an incident.
type NearbyKind string

// What can go on. These strings are in histories: add, never rename.
const (
	NearbyIncident NearbyKind = "incident" // that is open
	NearbyChange   NearbyKind = "change"   // that runs, or has ended a short while before
	NearbyRun      NearbyKind = "run"      // of a plan, that changes an environment, or has changed it a short while before
)

// NearbyKinds lists them in the order in which people read of them.
func NearbyKinds() []NearbyKind { return []NearbyKind{NearbyIncident, NearbyChange, NearbyRun} }

// A Standing says how a service stands to that of an incident.
type Standing string

// How it can stand. These strings are in histories: add, never rename.
const (
	Same     Standing = "same"
	Needed   Standing = "needed"    // the incident's service needs it
	NeededBy Standing = "needed-by" // it needs the incident's service
)

// Standings lists them, the nearest first.
func Standings() []Standing { return []Standing{Same, Needed, NeededBy} }

// A Nearby thing went on beside an incident when that opened. Source: collect data about related resources and attach them to the
// incident (operational excellence, OPS10-BP07).
type Nearby struct {
	Kind     NearbyKind `json:"kind"`
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Service  string     `json:"service"` // name
	Standing Standing   `json:"standing"`
	Status   string     `json:"status"` // of its kind, as of then
	Since    time.Time  `json:"since"`
	Until    time.Time  `json:"until,omitzero"` // zero: it went on
}

// Recent is how long a change has to be over before nobody is told of it any more.
const Recent = 24 * time.Hour

// MostNearby is of how many things of each kind people are told.
const MostNearby = 5

// Services are all of them, the incident's own first.
func (a Around) Services(own Service) []Service {
	return slices.Concat([]Service{own}, a.Needs, a.NeededBy)
}

// Stand says how a service stands to that of the incident, and what it is called; empty for one that does not stand around it.
func (a Around) Stand(own Service, id string) (Standing, string) {
	if id == own.ID {
		return Same, own.Name
	}
	for _, s := range a.Needs {
		if s.ID == id {
			return Needed, s.Name
		}
	}
	for _, s := range a.NeededBy {
		if s.ID == id {
			return NeededBy, s.Name
		}
	}
	return "", ""
}

// lookAround looks what else goes on, where the definition says so.
func (i *Incident) lookAround(now time.Time) {
	if i.Definition.Around {
		i.begin(Send{Work: FindNearby}, now)
	}
}

// FoundNearby takes in what goes on beside the incident, or why nobody can say that.
func (i *Incident) FoundNearby(number int, all []Nearby, detail string, now time.Time) {
	i.drop(number)
	if detail != "" {
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FindNearby)), timeline.F("detail", detail))
	}
	if len(all) == 0 || i.Nearby != nil {
		return
	}
	i.Nearby = all
	var facts []timeline.Fact
	for _, k := range NearbyKinds() {
		var ids []string
		for _, n := range all {
			if n.Kind == k {
				ids = append(ids, n.ID)
			}
		}
		facts = append(facts, timeline.F(string(k)+"s", strings.Join(ids, ", ")))
	}
	i.record(now, timeline.NearbyFound, timeline.Muster(), facts...)
}
