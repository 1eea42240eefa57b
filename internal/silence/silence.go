// Package silence decides about times in which alerts are held back, because people or the organisation folder have said so: which
// alerts, from when until when, what ends it, and what is told afterwards. It reads no clock and reaches nobody.
package silence

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// ID is the identity of a silence that people see, such as SIL-7K3M9QX2PA.
type ID string

const prefix = "SIL-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where a silence stands.
type Status string

// The statuses of a silence. These strings are in histories: add, never rename.
const (
	Waiting Status = "waiting" // it has not begun
	Holding Status = "holding"
	Ended   Status = "ended"
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Waiting, Holding, Ended} }

// Why is what has ended a silence.
type Why string

// What ends silences. These strings are in histories: add, never rename.
const (
	Over   Why = "over"    // its time is over
	ByHand Why = "by-hand" // somebody has ended it
	Full   Why = "full"    // more came than a silence explains
)

// Whys lists what ends silences.
func Whys() []Why { return []Why{Over, ByHand, Full} }

// Bounds.
const (
	Most     = 30 * 24 * time.Hour  // that a silence lasts
	Ahead    = 366 * 24 * time.Hour // that one is made before
	MaxText  = 2_000                // bytes that a person writes at once
	MostHeld = 100                  // names that are listed
)

// Asked is what people ask for.
type Asked struct {
	Match  Match     `json:"match"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// Faults says what is wrong with what was asked.
func (a *Asked) Faults(now time.Time) []*Fault {
	all := a.Match.faults()
	fault := func(field, format string, args ...any) {
		all = append(all, &Fault{field, fmt.Sprintf(format, args...)})
	}
	switch {
	case a.Until.IsZero():
		fault("until", "missing; want when the silence ends")
	case !a.Until.After(a.From) || !a.Until.After(now):
		fault("until", "%s; want a time that is still to come, after from", at(a.Until))
	case a.Until.Sub(a.From) > Most:
		fault("until", "%s; want at most %d days after from, %s", at(a.Until), Most/(24*time.Hour), at(a.From))
	case a.From.Sub(now) > Ahead:
		fault("from", "%s; want a time within a year", at(a.From))
	}
	switch {
	case strings.TrimSpace(a.Reason) == "":
		fault("reason", "missing; want why nobody has to be paged")
	case len(a.Reason) > MaxText:
		fault("reason", "%d bytes; want %d at most", len(a.Reason), MaxText)
	}
	return all
}

// Pinned is what the organisation folder had to say.
type Pinned struct {
	Revision     string `json:"revision"`
	Organisation string `json:"organisation"`
	Zone         string `json:"zone"` // IANA name, for the instants in messages
}

// Terms are what a silence begins with.
type Terms struct {
	ID      ID                  `json:"id"`
	Request string              `json:"request,omitempty"` // that has made it: whoever repeats it finds the same one
	By      timeline.Actor      `json:"by,omitzero"`       // who has made it; nobody where the folder has
	Window  string              `json:"window,omitempty"`  // ID of the silence in the folder; empty where people have made it
	Name    string              `json:"name,omitempty"`    // of it
	When    string              `json:"when,omitempty"`    // its condition, which the intake asks
	Tell    []escalation.Target `json:"tell"`              // who hears afterwards

	Asked
	Pinned
}

// Title is its name, or the first line of the reason.
func (t *Terms) Title() string {
	const most = 100
	first, _, _ := strings.Cut(strings.TrimSpace(cmp.Or(t.Name, t.Reason)), "\n")
	if r := []rune(strings.TrimSpace(first)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.TrimSpace(first)
}

// In tells whether an instant is between its begin and its end.
func (t *Terms) In(at time.Time) bool { return !at.Before(t.From) && at.Before(t.Until) }

// A Window is a silence of the organisation folder at one of its times.
type Window struct {
	Terms

	Condition func(source string, labels alert.Labels) bool // nil: there is none
}

// Holds tells whether an alert is held back.
func (w *Window) Holds(source, service string, labels alert.Labels) bool {
	return w.Match.Takes(source, service, labels) && (w.Condition == nil || w.Condition(source, labels))
}

// WindowID is the identity of a silence of the folder that begins at an instant: every intake gives it the same.
func WindowID(window string, begin time.Time) ID {
	digest := sha256.Sum256([]byte("silence of the folder " + window + " " + at(begin)))
	return NewID(binary.BigEndian.Uint64(digest[:]))
}

// A Held are the alerts of one name and service that were held back.
type Held struct {
	Name        string        `json:"name"`
	Service     string        `json:"service"`      // ID
	ServiceName string        `json:"service_name"` // of it
	Summary     string        `json:"summary,omitempty"`
	Count       int           `json:"count"` // how often one began to fire
	First       time.Time     `json:"first"`
	Last        time.Time     `json:"last"`             // began to fire
	Firing      int           `json:"firing,omitempty"` // how many have not resolved
	Incidents   []incident.ID `json:"incidents,omitempty"`
}

// A Silence is the state of one.
type Silence struct {
	Terms

	Status  Status         `json:"status"`
	Opened  time.Time      `json:"opened"`
	Begun   time.Time      `json:"begun,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Why     Why            `json:"why,omitempty"`
	EndedBy timeline.Actor `json:"ended_by,omitzero"` // before its time
	Words   string         `json:"words,omitempty"`   // of whoever has ended it
	Held    []Held         `json:"held,omitempty"`    // in the order in which they came
	More    int            `json:"more,omitempty"`    // how often one of further names began to fire
	Rest    int            `json:"rest,omitempty"`    // how many of those have not resolved
	Sends   int            `json:"sends"`

	Timeline timeline.Log `json:"timeline"`
}

// A Telling is what is told when a silence has ended.
type Telling struct {
	Number  int                 `json:"number"`
	To      []escalation.Target `json:"to"`
	Terms   Terms               `json:"terms"`
	Begun   time.Time           `json:"begun"`
	Ended   time.Time           `json:"ended"`
	Why     Why                 `json:"why"`
	EndedBy timeline.Actor      `json:"ended_by,omitzero"`
	Words   string              `json:"words,omitempty"`
	Held    []Held              `json:"held"`
	More    int                 `json:"more,omitempty"`
	Rest    int                 `json:"rest,omitempty"`
}

// Start makes a silence. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Silence, error) {
	if !terms.ID.Valid() {
		return nil, fmt.Errorf("make silence %q: id: want one such as SIL-7K3M9QX2PA", terms.ID)
	}
	if (terms.Window == "") != (terms.By.Kind == timeline.Person && terms.By.ID != "") {
		return nil, fmt.Errorf("make silence %s: want a person who makes it, or the one in the organisation folder that it is", terms.ID)
	}
	if len(terms.Tell) == 0 {
		return nil, fmt.Errorf("make silence %s: tell: want somebody who hears afterwards what was held back", terms.ID)
	}
	before := now // one that was asked for in time may have waited for a worker
	if terms.Until.Before(now) {
		before = terms.From
	}
	if faults := terms.Faults(before); len(faults) > 0 {
		return nil, fmt.Errorf("make silence %s: %w", terms.ID, faults[0])
	}
	s := &Silence{Terms: terms, Opened: now, Status: Waiting}
	by := terms.By
	if terms.Window != "" {
		by = timeline.Muster()
	}
	s.record(now, timeline.SilenceMade, by, timeline.F("silence", string(terms.ID)), timeline.F("window", terms.Window),
		timeline.F("name", terms.Name), timeline.F("match", terms.Match.String()), timeline.F("when", terms.When),
		timeline.F("from", at(terms.From)), timeline.F("until", at(terms.Until)), timeline.F("reason", terms.Reason))
	return s, nil
}

// Advance brings the silence to now.
func (s *Silence) Advance(now time.Time) {
	if s.Status == Waiting && !now.Before(s.From) {
		s.Status, s.Begun = Holding, now
		if s.From.After(s.Opened) {
			s.record(now, timeline.SilenceBegun, timeline.Muster(), timeline.F("until", at(s.Until)))
		}
	}
	if s.Status == Holding && !now.Before(s.Until) {
		s.end(Over, timeline.Muster(), "", now)
	}
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (s *Silence) NextDue() time.Time {
	switch s.Status {
	case Waiting:
		return s.From
	case Holding:
		return s.Until
	case Ended:
	}
	return time.Time{}
}

// Over tells whether it holds nothing back any more.
func (s *Silence) Over() bool { return s.Status == Ended }

// Hold takes in that an alert that began to fire is held back.
func (s *Silence) Hold(service incident.Service, name, summary string, came, now time.Time) {
	n := slices.IndexFunc(s.Held, func(h Held) bool { return h.Name == name && h.Service == service.ID })
	switch {
	case n < 0 && len(s.Held) == MostHeld:
		s.More++
		return
	case n < 0:
		n = len(s.Held)
		s.Held = append(s.Held, Held{Name: name, Service: service.ID, ServiceName: service.Name, Summary: clip(summary), First: came})
		s.record(now, timeline.SilenceHeld, timeline.Muster(), timeline.F("alert", name), timeline.F("service", service.Name), timeline.F("summary", clip(summary)))
	}
	s.Held[n].Count++
	s.Held[n].Last = came
}

// clip keeps what an alert says of itself short.
func clip(text string) string {
	const most = 300
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// Fires takes in that of some that were held back one has not resolved, and to which incident it has gone, if it has.
func (s *Silence) Fires(service, name string, to incident.ID) {
	n := slices.IndexFunc(s.Held, func(h Held) bool { return h.Name == name && h.Service == service })
	if n < 0 {
		s.Rest++
		return
	}
	h := &s.Held[n]
	h.Firing++
	if to != "" && !slices.Contains(h.Incidents, to) {
		h.Incidents = append(slices.Clip(h.Incidents), to)
	}
}

// Overflow ends it, because more came than it explains.
func (s *Silence) Overflow(now time.Time) {
	if !s.Over() {
		s.end(Full, timeline.Muster(), "", now)
	}
}

func (s *Silence) end(why Why, by timeline.Actor, words string, now time.Time) {
	s.Status, s.Why, s.Words, s.Ended = Ended, why, words, now
	if by != timeline.Muster() {
		s.EndedBy = by
	}
	s.record(now, timeline.SilenceEnded, by, timeline.F("why", string(why)), timeline.F("reason", words))
}

// Settle returns what has to be told once all has gone where it goes: nothing where nothing was held.
func (s *Silence) Settle(now time.Time) (t Telling, wanted bool) {
	if len(s.Held) == 0 {
		return t, false
	}
	count, firing := Counts(s.Held)
	s.record(now, timeline.SilenceLet, timeline.Muster(), timeline.F("count", fmt.Sprint(count+s.More)), timeline.F("firing", fmt.Sprint(firing+s.Rest)),
		timeline.F("incidents", strings.Join(Incidents(s.Held), ", ")))
	s.Sends++
	to := slices.Clone(s.Tell)
	if ender := (escalation.Target{Kind: escalation.Person, ID: s.EndedBy.ID}); s.EndedBy.Kind == timeline.Person && !slices.Contains(to, ender) {
		to = append(to, ender)
	}
	return Telling{
		Number: s.Sends, To: to, Terms: s.Terms, Begun: s.Begun, Ended: s.Ended, Why: s.Why, EndedBy: s.EndedBy, Words: s.Words,
		Held: slices.Clone(s.Held), More: s.More, Rest: s.Rest,
	}, true
}

// Counts are how often alerts began to fire, and how many of them have not resolved.
func Counts(held []Held) (count, firing int) {
	for _, h := range held {
		count, firing = count+h.Count, firing+h.Firing
	}
	return count, firing
}

// Incidents are those to which alerts have gone, each once.
func Incidents(held []Held) (all []string) {
	for _, h := range held {
		for _, id := range h.Incidents {
			if !slices.Contains(all, string(id)) {
				all = append(all, string(id))
			}
		}
	}
	return all
}

// End ends it before its time.
type End struct {
	Reason string `json:"reason,omitempty"`
}

// Check refuses it once it has ended.
func (c End) Check(s *Silence, _ timeline.Actor) error {
	if s.Over() {
		by := ""
		if s.EndedBy.ID != "" {
			by = " by " + s.EndedBy.Shown()
		}
		return fmt.Errorf("end silence %s: it has ended at %s%s", s.ID, at(s.Ended), by)
	}
	if len(c.Reason) > MaxText {
		return fmt.Errorf("end silence %s: reason: %d bytes; want %d at most", s.ID, len(c.Reason), MaxText)
	}
	return nil
}

// Apply ends it.
func (c End) Apply(s *Silence, by timeline.Actor, now time.Time) error {
	s.end(ByHand, by, c.Reason, now)
	return nil
}

func (s *Silence) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	s.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
