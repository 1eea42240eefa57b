package alert

import (
	"slices"
	"time"

	"muster/internal/jsonsize"
	"muster/internal/priority"
)

// Limits of what a Set keeps, so that the state of an incident stays small however hard a storm blows. Whatever is not
// kept still stands in full in the batches that the run's history records.
const (
	MaxFull       = 500       // alerts kept whole …
	MaxFullBytes  = 128 << 10 // … as long as their text stays under this
	MaxBrief      = 4_500     // further alerts kept as fingerprint, name, count and instants …
	MaxBriefBytes = 768 << 10 // … as long as they stay under this
	MaxNames      = 500       // names of all further ones
)

// A Held alert is one that the set knows by its fingerprint.
type Held struct {
	Alert
	Times int       `json:"times"` // how often it came, at least: a source may repeat what it was not sure of
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// A Brief is a Held alert without its text.
type Brief struct {
	Fingerprint string    `json:"fp"`
	Name        string    `json:"n"`
	Resolved    bool      `json:"r,omitempty"`
	StartsAt    time.Time `json:"s"`
	Times       int       `json:"c"`
	First       time.Time `json:"f"`
	Last        time.Time `json:"l"`
	Until       time.Time `json:"u,omitzero"`
}

// A Tally counts the alerts of one name that are too many to be held one by one.
type Tally struct {
	Name  string    `json:"n"`
	Times int       `json:"c"`
	First time.Time `json:"f"`
	Last  time.Time `json:"l"`
	Until time.Time `json:"u,omitzero"`  // when the last of them counts as resolved; zero: one of them has no such time
	Over  bool      `json:"o,omitempty"` // they all count as resolved
}

// A Set is what an incident knows of its alerts.
type Set struct {
	Full       []Held  `json:"full,omitempty"`
	Brief      []Brief `json:"brief,omitempty"`
	Rest       []Tally `json:"rest,omitempty"`
	Unnamed    int     `json:"unnamed,omitempty"`     // alerts beyond even the tallies
	Firing     int     `json:"firing"`                // held alerts that fire
	Posts      int     `json:"posts"`                 // requests that brought them, at least
	Bytes      int     `json:"bytes"`                 // text held in Full
	BriefBytes int     `json:"brief_bytes,omitempty"` // what Brief takes, about
	Truncated  int     `json:"truncated,omitempty"`   // the most alerts that the source has left out of one request
	// GroupResolved is what the source last said of the whole group. It counts only when there are alerts that are not held.
	GroupResolved bool `json:"group_resolved,omitempty"`
	// Impact and Urgency are the highest that alerts have given so far, whatever people say.
	Impact  priority.Level `json:"impact,omitempty"`
	Urgency priority.Level `json:"urgency,omitempty"`
	// Look is when to look for alerts that have timed out: not later than the first of them does, and often earlier, so that a
	// repeat moves no deadline. Zero: none can.
	Look time.Time `json:"look,omitzero"`

	index map[string]int // fingerprint → position: in Full, then in Brief; never ranged over
}

// Labels returns the labels of the alerts that are kept whole, in the order in which they came.
func (s *Set) Labels() []Labels {
	all := make([]Labels, len(s.Full))
	for n := range s.Full {
		all[n] = s.Full[n].Labels
	}
	return all
}

// A Change says what a batch has brought that was not known.
type Change struct {
	Fired     []Alert // began to fire, or fire again after having been resolved
	Resolved  []Alert // were firing and do so no more
	Repeats   int     // brought nothing new
	Uncertain int     // too many to be held: whether they are new is not known
	// Impact and Urgency are given only where they are higher than all that alerts have given before.
	Impact  priority.Level
	Urgency priority.Level
}

// Distinct is the number of alerts that the set holds by fingerprint.
func (s *Set) Distinct() int { return len(s.Full) + len(s.Brief) }

// AllResolved tells whether nothing fires any more.
func (s *Set) AllResolved() bool {
	if s.Unnamed > 0 || s.Truncated > 0 || slices.ContainsFunc(s.Rest, func(t Tally) bool { return !t.Over }) {
		return s.GroupResolved && s.Firing == 0
	}
	return s.Distinct() > 0 && s.Firing == 0
}

// Apply takes a batch in.
func (s *Set) Apply(b Batch) Change {
	s.build()
	s.Posts += b.Posts
	s.Truncated = max(s.Truncated, b.Truncated)
	s.GroupResolved = b.GroupResolved
	var c Change
	for _, r := range b.Alerts {
		s.take(r, b.ReceivedAt, &c)
	}
	if len(c.Fired) > 0 || c.Uncertain > 0 { // a repeat is no more pressing than it was
		c.Impact, c.Urgency = outdo(&s.Impact, b.Impact), outdo(&s.Urgency, b.Urgency)
	}
	return c
}

// outdo raises the highest level so far, and returns the new one if it is higher.
func outdo(highest *priority.Level, given priority.Level) priority.Level {
	if !given.Exceeds(*highest) {
		return ""
	}
	*highest = given
	return given
}

// Concerning is a batch without the ends of alerts that the set does not know.
func (s *Set) Concerning(b Batch) Batch {
	s.build()
	fired := map[string]bool{}
	b.Alerts = slices.DeleteFunc(slices.Clone(b.Alerts), func(r Received) bool {
		if r.State == Firing {
			fired[r.Fingerprint] = true
		}
		_, known := s.index[r.Fingerprint]
		return !known && !fired[r.Fingerprint]
	})
	return b
}

func (s *Set) build() {
	if s.index != nil {
		return
	}
	s.index = make(map[string]int, s.Distinct())
	for i := range s.Full {
		s.index[s.Full[i].Fingerprint] = i
	}
	for i := range s.Brief {
		s.index[s.Brief[i].Fingerprint] = len(s.Full) + i
	}
}

func (s *Set) take(r Received, at time.Time, c *Change) {
	s.lookBy(r.Until)
	i, known := s.index[r.Fingerprint]
	switch {
	case !known && (s.Distinct() >= MaxFull+MaxBrief || s.BriefBytes >= MaxBriefBytes):
		s.tally(r, at)
		c.Uncertain++
	case !known:
		s.add(r, at)
		s.count(r, "", c)
	case i < len(s.Full):
		h := &s.Full[i]
		h.Times, h.Last = h.Times+r.Times, at
		if news(h.State, h.StartsAt, h.Until, r.Alert) {
			r.Alert = r.After(h.Alert)
			s.count(r, h.State, c)
			s.retell(h, r.Alert)
		} else {
			h.Until = extended(h.State, h.Until, r.Alert)
			c.Repeats++
		}
	default:
		h := &s.Brief[i-len(s.Full)]
		h.Times, h.Last = h.Times+r.Times, at
		if was := state(h.Resolved); news(was, h.StartsAt, h.Until, r.Alert) {
			if r.Bare {
				r.Name = h.Name
			}
			s.count(r, was, c)
			h.Resolved, h.StartsAt, h.Until = r.State == Resolved, r.StartsAt, r.Until
		} else {
			h.Until = extended(was, h.Until, r.Alert)
			c.Repeats++
		}
	}
}

// retell takes the new text of a held alert when there is room for it, else only what has become of the alert.
func (s *Set) retell(h *Held, a Alert) {
	if grown := s.Bytes + size(a) - size(h.Alert); grown <= MaxFullBytes {
		s.Bytes, h.Alert = grown, a
		return
	}
	h.State, h.StartsAt, h.EndsAt, h.Until = a.State, a.StartsAt, a.EndsAt, a.Until
}

// news tells whether a is later than what is known: it began later, or it is the end of what began. Of one that times out
// it is news, too, that it comes again afterwards, but not that it comes again before: its source may not know when it began.
func news(was State, startsAt, until time.Time, a Alert) bool {
	switch {
	case !until.IsZero() && !a.Until.IsZero() && was == Firing:
		return false
	case !until.IsZero() && a.Until.After(until):
		return true
	case a.StartsAt.Equal(startsAt):
		return was == Firing && a.State == Resolved
	}
	return a.StartsAt.After(startsAt)
}

func (s *Set) count(r Received, was State, c *Change) {
	switch {
	case r.State == Firing:
		if was != Firing {
			s.Firing++
		}
		c.Fired = append(c.Fired, r.Alert)
	case was == Firing:
		s.Firing--
		c.Resolved = append(c.Resolved, r.Alert)
	default: // resolved before it was ever seen firing
		c.Repeats++
	}
}

func (s *Set) add(r Received, at time.Time) {
	// Once one alert was too many for Full, all later ones go to Brief: the index counts on that order.
	if n := size(r.Alert); len(s.Brief) == 0 && len(s.Full) < MaxFull && s.Bytes+n <= MaxFullBytes {
		s.index[r.Fingerprint] = len(s.Full)
		s.Full = append(s.Full, Held{Alert: r.Alert, Times: r.Times, First: at, Last: at})
		s.Bytes += n
		return
	}
	s.index[r.Fingerprint] = s.Distinct()
	s.BriefBytes += 160 + jsonsize.Of(r.Fingerprint) + jsonsize.Of(clip(r.Name))
	s.Brief = append(s.Brief, Brief{
		Fingerprint: r.Fingerprint, Name: clip(r.Name), Resolved: r.State == Resolved, StartsAt: r.StartsAt,
		Times: r.Times, First: at, Last: at, Until: r.Until,
	})
}

func (s *Set) tally(r Received, at time.Time) {
	name := clip(r.Name)
	for i := range s.Rest {
		if s.Rest[i].Name == name {
			t := &s.Rest[i]
			t.Times, t.Last, t.Over = t.Times+r.Times, at, false
			if !t.Until.IsZero() {
				t.Until = laterOf(t.Until, r.Until)
			}
			return
		}
	}
	if len(s.Rest) >= MaxNames {
		s.Unnamed += r.Times
		return
	}
	s.Rest = append(s.Rest, Tally{Name: name, Times: r.Times, First: at, Last: at, Until: r.Until})
}

func state(resolved bool) State {
	if resolved {
		return Resolved
	}
	return Firing
}

// clip bounds a name; the source's own limit is far above what helps a reader.
func clip(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	cut := most
	for cut > 0 && name[cut]&0xC0 == 0x80 { // not inside a rune
		cut--
	}
	return name[:cut]
}

// size is about what an alert takes as JSON.
func size(a Alert) int {
	n := jsonsize.Of(a.Fingerprint) + jsonsize.Of(a.Name) + jsonsize.Of(a.Generator) + 120
	for _, ls := range []Labels{a.Labels, a.Annotations} {
		for _, l := range ls {
			n += jsonsize.Of(l.Name) + jsonsize.Of(l.Value) + 20
		}
	}
	return n
}
