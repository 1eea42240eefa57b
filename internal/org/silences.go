package org

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/alert"
	"muster/internal/condition"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/silence"
)

// A silenced time is a silence of the folder: which alerts are held back, when, and who hears afterwards.
type silenced struct {
	id, name, reason string
	match            silence.Match
	when             condition.Condition // holds of every alert when there is none
	tell             []escalation.Target
	times            *freeze.Times // nil where they have a fault
}

// readSilences reads silences.yaml.
func (b *builder) readSilences(o *object) {
	var cost uint64
	o.entries("silences", "silence", anyNumber, func(o *object, id string) {
		s := silenced{id: id}
		s.name, _ = need(o, "name", aName)
		s.reason, _ = need(o, "reason", aName)
		s.match.Sources = o.refs("sources", "source", optional)
		s.match.Services = o.refs("services", "service", optional)
		for _, p := range choices(o, "match", aLabelValue, optional) {
			s.match.Labels = append(s.match.Labels, silence.Label{Name: p.key, Values: p.value})
		}
		if len(s.match.Labels) > silence.MaxLabels {
			o.fault(o.field("match").place, "%s: %d labels; want at most %d", o.about("match"), len(s.match.Labels), silence.MaxLabels)
		}
		for _, key := range []string{"sources", "services"} {
			if n := map[string]int{"sources": len(s.match.Sources), "services": len(s.match.Services)}[key]; n > silence.MaxValues {
				o.fault(o.field(key).place, "%s: %d; want at most %d", o.about(key), n, silence.MaxValues)
			}
		}
		for _, l := range s.match.Labels {
			if len(l.Values) > silence.MaxValues {
				o.fault(o.field("match").place, "%s: %s: %d values; want at most %d", o.about("match"), l.Name, len(l.Values), silence.MaxValues)
			}
		}
		if !o.has("services") && !o.has("match") {
			o.fault(o.place, "%s: for every alert; want services or match, so that not everything is held back", o.subject)
		}
		s.when = maybeWhen(o)
		if sum := cost + s.when.Cost(); cost <= maxCost && sum > maxCost {
			o.fault(o.place, "%s: its condition and those before it could cost %d on one alert; want at most %d: fewer or shorter ones, or match instead",
				o.subject, sum, maxCost)
		}
		cost += s.when.Cost()
		s.tell = b.targets(o, "tell", aLastTarget)
		s.times = b.readSilenceTimes(o)
		b.silences = append(b.silences, s)
	})
}

// readOwnTimes reads the times that belong to one thing alone, nil where they have a fault.
func (b *builder) readOwnTimes(o *object) *freeze.Times {
	before := len(b.faults)
	when := b.readWhen(o)
	if len(b.faults) > before || len(when.Validate()) > 0 {
		return nil
	}
	t, err := freeze.New(freeze.Rules{Windows: []freeze.Window{{ID: "times", When: when}}}, nil, time.LoadLocation)
	if err != nil {
		o.fault(o.place, "%s: %s", o.subject, err)
		return nil
	}
	return t
}

// readSilenceTimes reads the times of a silence, each of which has to end.
func (b *builder) readSilenceTimes(o *object) *freeze.Times {
	t := b.readOwnTimes(o)
	if t == nil {
		return nil
	}
	from := b.org.LoadedAt
	for _, s := range t.Between(from.Add(-silence.Most), from.Add(freeze.Horizon)) {
		if s.To.Sub(s.From) > silence.Most {
			o.fault(o.place, "%s: it lasts from %s until %s without an end; want at most %d days at a time, because nobody looks at what is held back for longer",
				o.subject, s.From.In(b.org.Zone).Format(time.DateTime), s.To.In(b.org.Zone).Format(time.DateTime), silence.Most/(24*time.Hour))
			return nil
		}
	}
	return t
}

// doubtfulSilences warns of silences that hold nothing back.
func (b *builder) doubtfulSilences(w *reader, now time.Time) {
	for _, s := range b.silences {
		if s.times != nil && len(s.times.Between(now, now.Add(freeze.Horizon))) == 0 {
			w.fault(w.placeOf("silence", s.id), "silence %s: it lies in the past and holds nothing back in the next two years; want other dates, or take it out", s.id)
		}
	}
}

// inForce are the silences of the folder that hold alerts back in a while.
type inForce struct {
	from, until time.Time
	all         []silence.Window
}

// Silences are those of the folder that hold alerts back at an instant. For as long as they stay the same they are found only once.
func (o *Organisation) Silences(at time.Time) []silence.Window {
	if len(o.silences) == 0 {
		return nil
	}
	if known := o.inForce.Load(); known != nil && !at.Before(known.from) && at.Before(known.until) {
		return known.all
	}
	now := &inForce{from: at, until: at.Add(time.Hour)}
	for _, w := range o.SilencesBetween(at, now.until) {
		if w.From.After(at) {
			now.until = earlier(now.until, w.From)
		} else {
			now.all, now.until = append(now.all, w), earlier(now.until, w.Until)
		}
	}
	o.inForce.Store(now)
	return now.all
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// SilencesBetween are those of the folder that hold alerts back in a while, in the order in which they begin.
func (o *Organisation) SilencesBetween(from, to time.Time) (all []silence.Window) {
	for _, s := range o.silences {
		for _, x := range s.times.Between(from.Add(-silence.Most-time.Second), to.Add(silence.Most+time.Second)) {
			if !x.To.After(from) || !x.From.Before(to) || x.To.Sub(x.From) > silence.Most { // else the folder is older than anybody foresaw
				continue
			}
			all = append(all, o.window(&s, x))
		}
	}
	slices.SortStableFunc(all, func(a, b silence.Window) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Window, b.Window)) })
	return all
}

// window is a silence of the folder at one of its times.
func (o *Organisation) window(s *silenced, at freeze.Stretch) silence.Window {
	w := silence.Window{Terms: silence.Terms{
		ID: silence.WindowID(s.id, at.From), Window: s.id, Name: s.name, When: s.when.String(), Tell: s.tell,
		Asked:  silence.Asked{Match: s.match, From: at.From.UTC(), Until: at.To.UTC(), Reason: s.reason},
		Pinned: o.quiet(),
	}}
	if when := s.when; !when.IsZero() {
		w.Condition = func(source string, labels alert.Labels) bool { return when.Holds(source, labels) }
	}
	return w
}

// quiet is what the folder has to say of a silence.
func (o *Organisation) quiet() silence.Pinned {
	return silence.Pinned{Revision: o.Revision, Organisation: o.Name, Zone: o.Zone.String()}
}

// Silence returns what the folder has to say of a silence that people make. What is wrong with it is a *silence.Fault.
func (o *Organisation) Silence(m silence.Match) (silence.Pinned, error) {
	for _, id := range m.Services {
		if _, known := o.services[id]; !known {
			return silence.Pinned{}, &silence.Fault{Field: "services", Detail: show(id) + "; want the id of a service in the organisation folder"}
		}
	}
	for _, id := range m.Sources {
		if !slices.ContainsFunc(o.sources, func(s source) bool { return s.ID == id }) {
			return silence.Pinned{}, &silence.Fault{Field: "sources", Detail: show(id) + "; want the id of an alert source in the organisation folder"}
		}
	}
	return o.quiet(), nil
}
