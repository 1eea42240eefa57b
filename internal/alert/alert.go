// Package alert holds what alert sources tell: single alerts, the batches in which they are committed, and the set of all
// alerts that an incident has seen.
package alert

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"muster/internal/priority"
)

// State tells a firing alert from a resolved one.
type State string

// The states of an alert.
const (
	Firing   State = "firing"
	Resolved State = "resolved"
)

// Label is one name and value of an alert.
type Label struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// Labels are sorted by name, each name once.
type Labels []Label

// FromMap sorts a map into Labels.
func FromMap(m map[string]string) Labels {
	ls := make(Labels, 0, len(m))
	for n, v := range m {
		ls = append(ls, Label{n, v})
	}
	sort.Slice(ls, func(i, j int) bool { return ls[i].Name < ls[j].Name })
	return ls
}

// Value returns the value of the named label, empty when there is none.
func (ls Labels) Value(name string) string {
	i := sort.Search(len(ls), func(i int) bool { return ls[i].Name >= name })
	if i < len(ls) && ls[i].Name == name {
		return ls[i].Value
	}
	return ""
}

// An Alert is one signal from a source, identified by the source's fingerprint and the instant at which it began to fire;
// never by its prose.
type Alert struct {
	Fingerprint string    `json:"fp"`
	Name        string    `json:"name"`
	State       State     `json:"state"`
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at,omitzero"` // only when resolved
	Labels      Labels    `json:"labels,omitempty"`
	Annotations Labels    `json:"annotations,omitempty"`
	Generator   string    `json:"generator,omitempty"` // link to the source's own view
	// Until is when a firing alert counts as resolved unless it comes again: its source says only that alerts still fire, and
	// of some never that they do not. Zero: the source says when it is over.
	Until time.Time `json:"until,omitzero"`
	// Bare says that its source tells only that it is over: what it told before stands.
	Bare bool `json:"bare,omitempty"`
}

// After is the alert as it stands where another one of it was known before.
func (a Alert) After(known Alert) Alert {
	if a.Bare {
		known.State, known.EndsAt, known.Until = a.State, a.EndsAt, a.Until
		return known
	}
	return a
}

// Summary is the alert's own sentence about itself: its summary or description annotation, else its name.
func (a Alert) Summary() string {
	for _, name := range []string{"summary", "description", "message"} {
		if v := a.Annotations.Value(name); v != "" {
			return v
		}
	}
	return a.Name
}

// Known is the name of the alert with the thing that it is about, where a label tells of that and the name does not:
// HighErrorRate [web-2].
func (a Alert) Known() string {
	for _, label := range []string{"host", "hostname", "instance", "node", "pod", "device", "resource", "source", "component", "job"} {
		if v := a.Labels.Value(label); v != "" {
			if strings.Contains(a.Name, v) {
				break
			}
			return a.Name + " [" + v + "]"
		}
	}
	return a.Name
}

// Sentences are all that the alert says of itself and nothing else has said: its summary, description and message, then what was measured.
func (a Alert) Sentences(said ...string) (all []string) {
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, name := range []string{"summary", "description", "message", "reason", "measured", "values", "operational_data"} {
		v := strings.TrimSpace(a.Annotations.Value(name))
		if v != "" && !slices.ContainsFunc(said, func(s string) bool { return words(s) == words(v) }) {
			all, said = append(all, v), append(said, v)
		}
	}
	return all
}

// A Received alert is one alert with the number of times it came within one commit.
type Received struct {
	Alert
	Times int `json:"times"`
}

// A Batch is what one commit brings to an incident: the alerts of one group, repeats folded, in order of arrival.
type Batch struct {
	ID         string    `json:"id"` // made once by the intake
	Source     string    `json:"source"`
	ReceivedAt time.Time `json:"received_at"`
	Posts      int       `json:"posts"`               // requests that begin here; a large one goes on in later batches
	Truncated  int       `json:"truncated,omitempty"` // alerts that the source itself left out of a request
	// GroupResolved is what the source says of its whole group after these alerts, if it has left out none.
	GroupResolved bool `json:"group_resolved,omitempty"`
	// Impact and Urgency are those of the most pressing alerts that fire in the requests that it carries, each of its own.
	Impact  priority.Level `json:"impact,omitempty"`
	Urgency priority.Level `json:"urgency,omitempty"`
	Alerts  []Received     `json:"alerts"`
	// Held is the silence that has held these alerts back until now; nil where none has.
	Held *Holder `json:"held,omitempty"`
}

// A Holder is a silence that has held alerts back.
type Holder struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`  // or why it was made
	Since time.Time `json:"since"` // when the first of these alerts came
}

// Size is about what the alerts of the batch take as JSON.
func (b Batch) Size() (n int) {
	for i := range b.Alerts {
		n += size(b.Alerts[i].Alert)
	}
	return n
}

// Common returns the labels that all of some things have with the same value.
func Common[T any](all []T, of func(*T) Labels) Labels {
	common := slices.Clone(of(&all[0]))
	for n := 1; n < len(all) && len(common) > 0; n++ {
		own := of(&all[n])
		common = slices.DeleteFunc(common, func(l Label) bool {
			at, found := slices.BinarySearchFunc(own, l.Name, func(l Label, name string) int { return cmp.Compare(l.Name, name) })
			return !found || own[at].Value != l.Value
		})
	}
	return common
}

// TimesOut tells whether an alert of the batch counts as resolved unless it comes again.
func (b Batch) TimesOut() bool {
	return slices.ContainsFunc(b.Alerts, func(r Received) bool { return !r.Until.IsZero() })
}

// Bare tells whether of an alert of the batch only its end is told.
func (b Batch) Bare() bool {
	return slices.ContainsFunc(b.Alerts, func(r Received) bool { return r.Bare })
}

// Plain is the batch with alerts that fire until their source says that they do not, and of which all is told.
func (b Batch) Plain() Batch {
	b.Alerts = slices.Clone(b.Alerts)
	for n := range b.Alerts {
		b.Alerts[n].Until, b.Alerts[n].Bare = time.Time{}, false
	}
	return b
}
