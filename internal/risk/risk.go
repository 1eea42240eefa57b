// Package risk decides what happens to a risk that somebody has escalated: who is told at which level, how long that level has, when the
// next one is told, and who says that the risk is in hand. It reads no clock and reaches nobody.
package risk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// ID is the identity of an escalation that people see, such as ESC-7K3M9QX2PA.
type ID string

const prefix = "ESC-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where an escalation stands.
type Status string

// The statuses of an escalation. These strings are in histories: add, never rename.
const (
	Open     Status = "open"     // nobody of the level has taken it
	Taken    Status = "taken"    // somebody has, and says what is done
	Answered Status = "answered" // the originator says whether that is enough
	InHand   Status = "in-hand"  // the originator is confident
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Open, Taken, Answered, InHand} }

// Asked is what somebody escalates: six parts, all of which those need who decide.
type Asked struct {
	Situation  string            `json:"situation"`  // and what the risk is
	Importance string            `json:"importance"` // of the situation
	Affected   string            `json:"affected"`   // who or what
	Scale      string            `json:"scale"`      // of the impact
	Urgency    string            `json:"urgency"`    // should the impact occur
	Remedy     string            `json:"remedy"`     // proposed, and what would lessen it
	Priority   priority.Priority `json:"priority"`   // of the messages
	Service    string            `json:"service,omitempty"`
}

// A Part is one of the six.
type Part struct{ Name, Text string }

// Parts are the six in their order.
func (a *Asked) Parts() []Part {
	return []Part{
		{"situation", a.Situation}, {"importance", a.Importance}, {"affected", a.Affected}, {"scale", a.Scale}, {"urgency", a.Urgency}, {"remedy", a.Remedy},
	}
}

// Title is the first line of the situation.
func (a *Asked) Title() string {
	const most = 100
	first, _, _ := strings.Cut(strings.TrimSpace(a.Situation), "\n")
	if r := []rune(strings.TrimSpace(first)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.TrimSpace(first)
}

// A Level is told together, and has so long to take the risk, and then to answer.
type Level struct {
	Targets []escalation.Target `json:"targets"`
	Wait    time.Duration       `json:"wait"`
}

// Pinned is what the organisation folder had to say when it was escalated.
type Pinned struct {
	Revision     string  `json:"revision"`
	Organisation string  `json:"organisation"`
	Zone         string  `json:"zone"` // IANA name, for the instants in messages
	ServiceName  string  `json:"service_name,omitempty"`
	Policy       string  `json:"policy"` // ID of the escalation policy whose levels they are
	Levels       []Level `json:"levels"` // the last one is told again and again
}

// Levels are those of an escalation policy. A risk belongs to no incident, so whoever has a role in one is none of them.
func Levels(p escalation.Policy) (all []Level) {
	for _, s := range p.Steps {
		l := Level{Wait: s.Wait}
		for _, t := range s.Targets {
			if t.Kind == escalation.Schedule || t.Kind == escalation.Group || t.Kind == escalation.Person {
				l.Targets = append(l.Targets, t)
			}
		}
		if len(l.Targets) > 0 {
			all = append(all, l)
		}
	}
	return append(all, Level{p.LastResort, p.LastResortEvery})
}

// Terms are what an escalation begins with.
type Terms struct {
	ID         ID             `json:"id"`
	Request    string         `json:"request"` // that has started it: whoever repeats it finds the same one
	Originator timeline.Actor `json:"originator"`

	Asked
	Pinned
}

// Bounds and rules.
const (
	MaxText = 2_000 // bytes that a person writes at once, in each of the six parts too
	MaxRef  = 400

	day          = 24 * time.Hour
	knocks       = 30 // how often the last level is told again
	asks         = 8  // how often the originator is asked whether an answer is enough
	maxTimeline  = 256 << 10
	maxRefusals  = 20  // that are recorded
	maxDecisions = 200 // so that one history holds them all
)

// An Escalation is the state of one risk that somebody has escalated.
type Escalation struct {
	Terms

	Status     Status         `json:"status"`
	Opened     time.Time      `json:"opened"`
	Since      time.Time      `json:"since"`             // when it came to where it stands
	Level      int            `json:"level"`             // 0 is the first
	Deadline   time.Time      `json:"deadline,omitzero"` // at which the next level is told, or the same people again
	Round      int            `json:"round,omitempty"`   // how often those people were told again
	Gone       bool           `json:"gone,omitempty"`    // the originator could not be found at the last send
	Taker      timeline.Actor `json:"taker,omitzero"`
	Answer     string         `json:"answer,omitempty"` // the newest one: what is done
	AnsweredBy timeline.Actor `json:"answered_by,omitzero"`
	AnsweredAt time.Time      `json:"answered_at,omitzero"`
	Words      string         `json:"words,omitempty"` // of whoever has decided last
	DecidedBy  timeline.Actor `json:"decided_by,omitzero"`
	Decisions  int            `json:"decisions,omitempty"`
	Refusals   int            `json:"refusals,omitempty"`
	Ended      time.Time      `json:"ended,omitzero"`
	Sends      int            `json:"sends"`

	Timeline timeline.Log `json:"timeline"`

	fresh []Telling
}

// A Fault says what is wrong with a field of what was asked.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

// Faults says what is wrong with what was asked.
func (a *Asked) Faults() (all []*Fault) {
	for _, p := range a.Parts() {
		switch {
		case strings.TrimSpace(p.Text) == "":
			all = append(all, &Fault{p.Name, "missing; want all six parts"})
		case len(p.Text) > MaxText:
			all = append(all, &Fault{p.Name, fmt.Sprintf("%d bytes; want %d at most", len(p.Text), MaxText)})
		}
	}
	if !a.Priority.Valid() {
		all = append(all, &Fault{"priority", fmt.Sprintf("%d; want 1 to 5", int(a.Priority))})
	}
	if len(a.Service) > MaxRef {
		all = append(all, &Fault{"service", fmt.Sprintf("%d bytes; want %d at most", len(a.Service), MaxRef)})
	}
	return all
}

// Start escalates a risk to the first level. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Escalation, error) {
	if !terms.ID.Valid() {
		return nil, fmt.Errorf("escalate risk %q: id: want one such as ESC-7K3M9QX2PA", terms.ID)
	}
	if terms.Originator.ID == "" || terms.Originator.Kind != timeline.Person {
		return nil, fmt.Errorf("escalate risk %s: originator: want a person, who says in the end that it is in hand", terms.ID)
	}
	if faults := terms.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("escalate risk %s: %w", terms.ID, faults[0])
	}
	if len(terms.Levels) == 0 || slices.ContainsFunc(terms.Levels, func(l Level) bool { return len(l.Targets) == 0 || l.Wait <= 0 }) {
		return nil, fmt.Errorf("escalate risk %s: levels: want at least one, each with somebody and a wait", terms.ID)
	}
	e := &Escalation{Terms: terms, Opened: now}
	facts := []timeline.Fact{timeline.F("escalation", string(terms.ID)), timeline.F("service", terms.ServiceName)}
	for _, p := range terms.Parts() {
		facts = append(facts, timeline.F(p.Name, p.Text))
	}
	e.record(now, timeline.RiskOpened, terms.Originator, facts...)
	e.reach(0, "", timeline.Muster(), now)
	return e, nil
}

// Why a level is left. These strings are in histories: add, never rename.
const (
	Untaken    = "untaken"    // nobody took it in time
	Unanswered = "unanswered" // somebody took it, and did not answer in time
	Unmanned   = "unmanned"   // nobody was found there
	Raised     = "raised"     // somebody wants it higher
)

// Leaving lists why a level is left.
func Leaving() []string { return []string{Untaken, Unanswered, Unmanned, Raised} }

// reach tells a level, which has to take it.
func (e *Escalation) reach(level int, why string, by timeline.Actor, now time.Time) {
	before := e.Taker
	e.Level, e.Taker = level, timeline.Actor{}
	e.stand(Open, now)
	e.record(now, timeline.RiskLevel, by, timeline.F("level", fmt.Sprint(level+1)), timeline.F("of", fmt.Sprint(len(e.Levels))),
		timeline.F("targets", escalation.Shown(e.level().Targets)), timeline.F("why", why), timeline.F("until", at(e.Deadline)),
		timeline.F("words", e.wordsOf(why)))
	t := e.telling(Escalated, why)
	if before.ID != "" { // who had it hears that somebody else has to
		t.To = append(t.To, escalation.Target{Kind: escalation.Person, ID: before.ID})
	}
	e.tell(t)
	if why != "" {
		e.tell(e.telling(Climbed, why))
	}
}

func (e *Escalation) wordsOf(why string) string {
	if why == Raised {
		return e.Words
	}
	return ""
}

func (e *Escalation) level() Level { return e.Levels[e.Level] }

func (e *Escalation) last() bool { return e.Level == len(e.Levels)-1 }

// stand brings it to a status, and says when somebody is told next.
func (e *Escalation) stand(s Status, now time.Time) {
	e.Status, e.Since, e.Round = s, now, 0
	switch s {
	case Open, Taken:
		e.Deadline = now.Add(e.level().Wait)
	case Answered:
		e.Deadline = now.Add(day)
	default:
		e.Deadline, e.Ended = time.Time{}, now
	}
}

// Advance brings the escalation to now, and returns what has to be told since it was last asked.
func (e *Escalation) Advance(now time.Time) []Telling {
	if !e.Deadline.IsZero() && !e.Deadline.After(now) {
		e.due(now)
	}
	fresh := e.fresh
	e.fresh = nil
	return fresh
}

// due does what the deadline is for. However late it is, one level is told at once: the next one has its time too.
func (e *Escalation) due(now time.Time) {
	why := map[Status]string{Open: Untaken, Taken: Unanswered}[e.Status]
	switch {
	case e.Status == Answered:
		e.Round++
		e.tell(e.telling(StillAsked, ""))
		e.Deadline = until(e.Round < asks, now.Add(7*day))
	case !e.last():
		e.reach(e.Level+1, why, timeline.Muster(), now)
	default:
		if e.Round++; e.Round == 1 {
			e.record(now, timeline.RiskUnheard, timeline.Muster(), timeline.F("targets", escalation.Shown(e.level().Targets)), timeline.F("why", why))
			e.tell(e.telling(Unheard, why))
		}
		t := e.telling(StillThere, why)
		if e.Taker.ID != "" {
			t.To = append(t.To, escalation.Target{Kind: escalation.Person, ID: e.Taker.ID})
		}
		e.tell(t)
		e.Deadline = until(e.Round < knocks, now.Add(slower(e.level().Wait, e.Round)))
	}
}

// slower is the wait before the next time: twice as long each time, until it is a day.
func slower(wait time.Duration, round int) time.Duration {
	for ; round > 0 && wait < day; round-- {
		wait = min(2*wait, day)
	}
	return wait
}

// until is an instant, or none.
func until(more bool, at time.Time) time.Time {
	if !more {
		return time.Time{}
	}
	return at
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (e *Escalation) NextDue() time.Time { return e.Deadline }

// Over tells whether nothing more is decided.
func (e *Escalation) Over() bool { return e.Status == InHand }

// Nobody takes in that a level has nobody. Nobody waits for it: the next one is told at once.
func (e *Escalation) Nobody(level int, now time.Time) {
	if e.Status != Open || level != e.Level {
		return
	}
	if !e.last() {
		e.reach(level+1, Unmanned, timeline.Muster(), now)
	}
}

// Found takes in whether the originator was found at a send.
func (e *Escalation) Found(found bool, now time.Time) {
	if !found && !e.Gone {
		e.record(now, timeline.RiskOrphaned, timeline.Muster(), timeline.F("originator", e.Originator.Shown()),
			timeline.F("targets", escalation.Shown(e.Levels[len(e.Levels)-1].Targets)))
	}
	e.Gone = !found
}

// Waits returns whom the escalation waits for, who have to take it; nobody when it has been taken.
func (e *Escalation) Waits() []escalation.Target {
	if e.Status != Open {
		return nil
	}
	return e.level().Targets
}

func (e *Escalation) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	e.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
