// Package problem decides what happens to the cause behind incidents from its opening to its end: which incidents belong to it,
// what is known of it, and whether the lasting fix has held. It reads no clock and reaches nobody.
package problem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Priority is that of the messages on problems.
const Priority = priority.P4

// Usual is how long a problem that is fixed is watched, where the organisation folder says nothing else.
const Usual = 30 * 24 * time.Hour

// UsualDays is after how many working days without a move its owner is reminded.
const UsualDays = 5

// ID is the identity of a problem that people see, such as PRB-7K3M9QX2PA.
type ID string

const prefix = "PRB-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where a problem stands.
type Status string

// The statuses of a problem. These strings are in histories: add, never rename.
const (
	Open   Status = "open"
	Known  Status = "known-error" // what goes wrong is written down for the next responder
	Fixed  Status = "fixed"       // the lasting fix is in place, and is watched
	Closed Status = "closed"
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Open, Known, Fixed, Closed} }

// Pinned is what the organisation folder had to say when the problem was opened.
type Pinned struct {
	Revision     string              `json:"revision"`
	Organisation string              `json:"organisation"`
	Zone         string              `json:"zone"` // IANA name, for the instants in messages
	Service      incident.Service    `json:"service"`
	Owner        Owner               `json:"owner"`
	Escalate     []escalation.Target `json:"escalate,omitempty"` // who is told when reminders change nothing
	Watch        time.Duration       `json:"watch"`              // without a recurrence for so long, what is fixed is closed
	Remind       Idle                `json:"remind"`             // so long nobody may move it before its owner is reminded
	Calendars    []calendar.Rules    `json:"calendars,omitempty"`
}

// Idle is a number of working days, or a time where nobody has said what a working day is.
type Idle struct {
	Within   time.Duration `json:"within,omitempty"`
	Days     int           `json:"days,omitempty"`
	Calendar string        `json:"calendar,omitempty"` // ID
}

// An Owner sees to it that a problem is solved.
type Owner struct {
	Targets []escalation.Target `json:"targets"` // a person, a group, or whoever stands behind the service
	Name    string              `json:"name"`
}

// Terms are what a problem begins with.
type Terms struct {
	ID      ID             `json:"id"`
	Request string         `json:"request"` // that has opened it: whoever repeats it finds the same one
	Opener  timeline.Actor `json:"opener"`
	Title   string         `json:"title"`
	Key     Key            `json:"key"`
	// Incidents are those by which it was found.
	Incidents []Occurrence `json:"incidents,omitempty"`
	Rule      *Rule        `json:"rule,omitempty"` // by which it was opened; nil: by hand

	Pinned
}

// A Rule says when the same thing comes so often that it is a problem.
type Rule = incident.Recurrence

// A Link is an incident behind which the problem is.
type Link struct {
	Occurrence

	At time.Time      `json:"at"` // when it was linked
	By timeline.Actor `json:"by"`
}

// A Problem is the state of one problem.
type Problem struct {
	Terms

	Status     Status    `json:"status"`
	Opened     time.Time `json:"opened"`
	Links      []Link    `json:"links"`              // the first one first
	More       int       `json:"more,omitempty"`     // incidents for which there was no place any more
	Unlinked   []string  `json:"unlinked,omitempty"` // IDs of incidents that a person has taken out: they do not come back by themselves
	KnownError string    `json:"known_error,omitempty"`
	Workaround string    `json:"workaround,omitempty"`
	Version    int       `json:"version,omitempty"` // of known error and workaround
	Cause      string    `json:"cause,omitempty"`
	Fix        string    `json:"fix,omitempty"`
	Actions    []string  `json:"actions,omitempty"` // IDs of the action items that are the fix
	FixedAt    time.Time `json:"fixed_at,omitzero"`
	FixedBy    string    `json:"fixed_by,omitempty"` // name
	WatchUntil time.Time `json:"watch_until,omitzero"`
	Reopened   int       `json:"reopened,omitempty"` // how often the fix has not held
	Moved      time.Time `json:"moved"`              // when a person has last moved it, or it has recurred
	RemindAt   time.Time `json:"remind_at,omitzero"`
	Reminders  int       `json:"reminders,omitempty"` // since then
	Reason     string    `json:"reason,omitempty"`    // of whoever has closed it
	EndedBy    string    `json:"ended_by,omitempty"`  // name of that person
	Ended      time.Time `json:"ended,omitzero"`
	Sends      int       `json:"sends"` // messages begun so far

	Timeline timeline.Log `json:"timeline"`

	reckoning int // of the newest reminder whose instant is being computed
	fresh     []Work
}

// Start opens a problem. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Problem, error) {
	switch {
	case !terms.ID.Valid():
		return nil, fmt.Errorf("open problem %q: id: want one such as PRB-7K3M9QX2PA", terms.ID)
	case terms.Service.ID == "" || strings.TrimSpace(terms.Title) == "" || terms.Opener.ID == "" || terms.Key.By == "":
		return nil, fmt.Errorf("open problem %s: service, title, opener or key: missing", terms.ID)
	case len(terms.Title) > MaxTitle:
		return nil, fmt.Errorf("open problem %s: title: %d bytes; want %d at most", terms.ID, len(terms.Title), MaxTitle)
	case len(terms.Owner.Targets) == 0:
		return nil, fmt.Errorf("open problem %s: owner: missing", terms.ID)
	case terms.Watch <= 0 || terms.Remind.Days <= 0 && terms.Remind.Within <= 0:
		return nil, fmt.Errorf("open problem %s: watch or remind: want more than nothing", terms.ID)
	}
	p := &Problem{Terms: terms, Status: Open, Opened: now, Links: []Link{}}
	p.Incidents = nil
	facts := []timeline.Fact{
		timeline.F("problem", string(terms.ID)), timeline.F("service", terms.Service.Name), timeline.F("title", terms.Title),
		timeline.F("same", string(terms.Key.same())), timeline.F("value", terms.Key.shown()), timeline.F("owner", terms.Owner.Name),
	}
	if terms.Rule != nil {
		facts = append(facts, timeline.F("count", fmt.Sprint(len(terms.Incidents))), timeline.F("within", terms.Rule.Within.String()))
	}
	p.record(now, timeline.ProblemOpened, terms.Opener, facts...)
	for _, o := range terms.Incidents {
		p.link(o, terms.Opener, now)
	}
	p.tell(Begun)
	p.moved(now)
	return p, nil
}

// Over tells whether nothing more is decided.
func (p *Problem) Over() bool { return p.Status == Closed }

// Occurred takes in that an incident that may be of this problem has come or is over, and tells what is known for its responders.
// One that began after the fix shows that it has not held.
func (p *Problem) Occurred(o Occurrence, now time.Time) Found {
	if !p.Over() && !slices.Contains(p.Unlinked, string(o.Incident)) {
		p.link(o, timeline.Muster(), now)
	}
	return p.Found()
}

// Found is what the next responder may know of the problem.
func (p *Problem) Found() Found {
	return Found{ID: string(p.ID), Title: p.Title, Status: string(p.Status), KnownError: p.KnownError, Workaround: p.Workaround}
}

// Found is a problem as an incident keeps it.
type Found = incident.KnownProblem

// link makes an incident one of the problem's. One that it has already is brought up to date; where it was reopened after the fix,
// that has not held.
func (p *Problem) link(o Occurrence, by timeline.Actor, now time.Time) {
	if n := p.linked(string(o.Incident)); n >= 0 {
		before := p.Links[n].Reopened
		if !o.Closed.IsZero() || o.Reopened > before {
			p.Links[n].Occurrence = o
		}
		if p.Status == Fixed && o.Reopened > before && o.Closed.IsZero() {
			p.recur(o, now)
		}
		return
	}
	if len(p.Links) >= mostLinks {
		p.More++
	} else {
		p.Links = append(p.Links, Link{o, now, by})
		p.record(now, timeline.ProblemLinked, by, timeline.F("incident", string(o.Incident)), timeline.F("title", o.Title),
			timeline.F("started", at(o.Started)))
	}
	if p.Status == Fixed && o.Started.After(p.FixedAt) {
		p.recur(o, now)
	}
}

// recur reopens it, for its fix has not held.
func (p *Problem) recur(o Occurrence, now time.Time) {
	p.Reopened++
	p.record(now, timeline.ProblemReopened, timeline.Muster(), timeline.F("incident", string(o.Incident)), timeline.F("since", at(p.FixedAt)))
	p.Status, p.FixedAt, p.FixedBy, p.WatchUntil = p.unfixed(), time.Time{}, "", time.Time{}
	p.tell(Recurred)
	p.moved(now)
}

// unfixed is where it stands without a fix.
func (p *Problem) unfixed() Status {
	if p.KnownError != "" {
		return Known
	}
	return Open
}

func (p *Problem) linked(id string) int {
	return slices.IndexFunc(p.Links, func(l Link) bool { return string(l.Incident) == id })
}

// moved begins the time after which its owner is reminded anew.
func (p *Problem) moved(now time.Time) {
	p.Moved, p.Reminders = now, 0
	p.reckon(now)
}

// reckon asks when the next reminder is due.
func (p *Problem) reckon(from time.Time) {
	p.RemindAt = time.Time{}
	p.reckoning++
	if p.Status == Open || p.Status == Known {
		c := supportplan.Start("", supportplan.Promise{Within: p.Remind.Within, Days: p.Remind.Days, Calendar: p.Remind.Calendar}, from)
		p.begin(Work{Do: Reckon, Number: p.reckoning, Clock: c})
	}
}

// Reckoned takes in when a reminder is due. Where nobody can say, every day counts.
func (p *Problem) Reckoned(w Work, due time.Time, detail string, now time.Time) {
	if w.Number != p.reckoning || p.Over() {
		return
	}
	if due.IsZero() {
		p.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", "problem"), timeline.F("detail", detail))
		due = w.Clock.Started.Add(max(p.Remind.Within, time.Duration(p.Remind.Days)*24*time.Hour))
	}
	p.RemindAt = due
}

// Advance brings the problem to now, and returns what has to be done since it was last asked. After an outage it does not make up
// for reminders that were missed.
func (p *Problem) Advance(now time.Time) []Work {
	switch {
	case p.Status == Fixed && !now.Before(p.WatchUntil):
		p.record(now, timeline.ProblemHeld, timeline.Muster(), timeline.F("since", at(p.FixedAt)))
		p.end(now)
		p.tell(Over)
	case !p.Over() && !p.RemindAt.IsZero() && !now.Before(p.RemindAt):
		p.Reminders++
		p.record(now, timeline.ProblemStale, timeline.Muster(), timeline.F("since", at(p.Moved)), timeline.F("round", fmt.Sprint(p.Reminders)))
		p.tell(Stale)
		if p.Reminders > 1 && len(p.Escalate) > 0 {
			p.record(now, timeline.ProblemEscalated, timeline.Muster(), timeline.F("targets", escalation.Shown(p.Escalate)))
			p.tell(Escalated)
		}
		p.reckon(now)
	}
	fresh := p.fresh
	p.fresh = nil
	return fresh
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (p *Problem) NextDue() time.Time {
	switch p.Status {
	case Fixed:
		return p.WatchUntil
	case Closed:
		return time.Time{}
	default:
		return p.RemindAt
	}
}

func (p *Problem) end(now time.Time) {
	p.Status, p.Ended, p.RemindAt = Closed, now, time.Time{}
}

func (p *Problem) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	p.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
