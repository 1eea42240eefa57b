package problem

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster/internal/incident"
)

// A Sameness is by what two incidents of a service are the same.
type Sameness = incident.Sameness

// A Key is what the incidents of a problem have in common besides their service: one problem at a time is open for it.
type Key struct {
	By    Sameness `json:"by"`
	Value string   `json:"value"` // name of the alert, ID of the runbook, domain of the cause with its vendor, or what has asked for it
}

// same is by what the key is the same, empty where it is by nothing.
func (k Key) same() Sameness {
	if k.By == incident.SameHand {
		return ""
	}
	return k.By
}

// shown is the value as people know it.
func (k Key) shown() string {
	if k.By == incident.SameHand {
		return ""
	}
	return k.Value
}

// An Occurrence is an incident, as far as problems need to know it.
type Occurrence struct {
	Incident incident.ID `json:"incident"`
	Title    string      `json:"title"`
	Started  time.Time   `json:"started"`
	Closed   time.Time   `json:"closed,omitzero"`
	Reopened int         `json:"reopened,omitempty"` // how often
	Keys     []Key       `json:"keys,omitempty"`
}

// The bounds of what an incident has in common with others.
const (
	mostKeys = 10
	maxValue = 200 // bytes
)

// OccurrenceOf is what a problem needs to know of an incident, and whether problems may know it: not a restricted one, which
// others may not read, and not one that is a part of another.
func OccurrenceOf(i *incident.Incident) (o Occurrence, ok bool) {
	o, ok = occurrenceOf(i)
	if rule := i.Definition.Recurrence; ok && rule != nil && rule.Noise != nil { // others do not know noise, and replay as they did
		o.addNoise(i)
	}
	return o, ok
}

// OccurrenceBefore is the same of an incident that came before, whatever rule it had.
func OccurrenceBefore(i *incident.Incident) (o Occurrence, ok bool) {
	if o, ok = occurrenceOf(i); ok {
		o.addNoise(i)
	}
	return o, ok
}

// addNoise adds the alerts of an incident about which nobody had to do anything.
func (o *Occurrence) addNoise(i *incident.Incident) {
	for _, k := range o.Keys {
		if k.By == incident.SameAlert && i.Unneeded() {
			o.Keys = append(o.Keys, Key{incident.SameNoise, k.Value})
		}
	}
}

func occurrenceOf(i *incident.Incident) (o Occurrence, ok bool) {
	if i.Definition.Restricted() || i.MergedInto != nil {
		return Occurrence{}, false
	}
	o = Occurrence{Incident: i.ID, Title: cut(i.Definition.PublicTitle(), MaxTitle), Started: i.Times.Started, Closed: i.Times.Closed, Reopened: i.Reopened}
	add := func(by Sameness, value string) {
		k := Key{by, cut(value, maxValue)}
		if value != "" && len(o.Keys) < mostKeys && !slices.Contains(o.Keys, k) {
			o.Keys = append(o.Keys, k)
		}
	}
	if c := i.Cause; c != nil {
		add(incident.SameCause, CauseValue(c.Domain, c.Vendor))
	}
	for _, r := range i.Runbooks {
		add(incident.SameRunbook, r.Name)
	}
	for _, a := range i.Alerts.Full {
		add(incident.SameAlert, a.Name)
	}
	return o, true
}

// CauseValue is the value of a key by cause.
func CauseValue(d incident.CauseDomain, vendor string) string {
	return strings.TrimSuffix(string(d)+" "+vendor, " ")
}

// Recurs tells by what an incident and the closed ones before it come so often that they are a problem, and which they are, the
// first one first. The narrowest sameness that the rule names counts: of alert, runbook and cause in this order. Where noise has a rule,
// an alert about which nobody had to do anything is that, and its incidents have no other problem behind them (operational excellence,
// OPS08-BP04: alerts fire when somebody is needed, and the others are removed, merged or changed).
func Recurs(rule Rule, o Occurrence, before []Occurrence, now time.Time) (k Key, all []Occurrence, yes bool) {
	if rule.Noise != nil {
		if k, all, yes = recurs(*rule.Noise, incident.SameNoise, o, before, now); yes || o.noise() {
			return k, all, yes
		}
		before = slices.DeleteFunc(slices.Clone(before), func(b Occurrence) bool { return b.noise() })
	}
	if rule.Times == 0 {
		return Key{}, nil, false
	}
	for _, by := range incident.Samenesses() {
		if !slices.Contains(rule.By, by) {
			continue
		}
		if k, all, yes = recurs(incident.Often{Times: rule.Times, Within: rule.Within}, by, o, before, now); yes {
			return k, all, yes
		}
	}
	return Key{}, nil, false
}

func (o *Occurrence) noise() bool {
	return slices.ContainsFunc(o.Keys, func(k Key) bool { return k.By == incident.SameNoise })
}

// recurs is Recurs by one sameness.
func recurs(often incident.Often, by Sameness, o Occurrence, before []Occurrence, now time.Time) (k Key, all []Occurrence, yes bool) {
	since := now.Add(-often.Within)
	for _, k := range o.Keys {
		if k.By != by {
			continue
		}
		all = []Occurrence{o}
		for _, b := range before {
			if b.Incident != o.Incident && !b.Closed.IsZero() && b.Closed.After(since) && slices.Contains(b.Keys, k) {
				all = append(all, b)
			}
		}
		if len(all) >= often.Times {
			slices.SortFunc(all, func(a, b Occurrence) int {
				return cmp.Or(a.Started.Compare(b.Started), strings.Compare(string(a.Incident), string(b.Incident)))
			})
			return k, all, true
		}
	}
	return Key{}, nil, false
}

// cut shortens a text to so many bytes, between two letters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
