package silence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/internal/alert"
)

// A Match says which alerts are held back: those of any of its sources, of any of its services, and with all of its labels.
type Match struct {
	Sources  []string `json:"sources,omitempty"`  // IDs; any when empty
	Services []string `json:"services,omitempty"` // IDs; any when empty
	Labels   []Label  `json:"labels,omitempty"`
}

// A Label is one that an alert has to have, with any of some values. The empty value is that of a label that it does not have.
type Label struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Bounds of a match.
const (
	MaxLabels = 20
	MaxValues = 50
	maxName   = 200
	maxValue  = 1_000 // characters
)

// Takes tells whether an alert is one of those that are held back, by its source, the service that it is about, and its labels.
func (m *Match) Takes(source, service string, labels alert.Labels) bool {
	if len(m.Sources) > 0 && !slices.Contains(m.Sources, source) || len(m.Services) > 0 && !slices.Contains(m.Services, service) {
		return false
	}
	for n := range m.Labels {
		if !slices.Contains(m.Labels[n].Values, labels.Value(m.Labels[n].Name)) {
			return false
		}
	}
	return true
}

// String shows the match: service shop, env=prod|staging.
func (m *Match) String() string {
	var parts []string
	if len(m.Sources) > 0 {
		parts = append(parts, "source "+strings.Join(m.Sources, "|"))
	}
	if len(m.Services) > 0 {
		parts = append(parts, "service "+strings.Join(m.Services, "|"))
	}
	for _, l := range m.Labels {
		parts = append(parts, l.Name+"="+strings.Join(l.Values, "|"))
	}
	return strings.Join(parts, ", ")
}

// A Fault says what is wrong with a field of what was asked.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

// faults says what is wrong with the match. One that would hold back everything is wrong.
func (m *Match) faults() (all []*Fault) {
	fault := func(field, format string, args ...any) {
		all = append(all, &Fault{field, fmt.Sprintf(format, args...)})
	}
	if len(m.Services)+len(m.Labels) == 0 {
		fault("labels", "missing; want a label or a service at least, so that not every alert is held back")
	}
	for _, f := range []struct {
		field string
		ids   []string
	}{{"sources", m.Sources}, {"services", m.Services}} {
		if len(f.ids) > MaxValues || slices.ContainsFunc(f.ids, func(id string) bool { return id == "" || len(id) > maxName }) {
			fault(f.field, "want at most %d IDs", MaxValues)
		}
	}
	if len(m.Labels) > MaxLabels {
		fault("labels", "%d; want at most %d", len(m.Labels), MaxLabels)
		return all
	}
	for n, l := range m.Labels {
		named := func(o Label) bool { return o.Name == l.Name }
		switch {
		case strings.TrimSpace(l.Name) == "" || len(l.Name) > maxName:
			fault("labels", "name of label %d: want one of at most %d bytes", n+1, maxName)
		case slices.ContainsFunc(m.Labels[:n], named):
			fault("labels", "%s: named twice; want all its values in one", l.Name)
		case len(l.Values) == 0 || len(l.Values) > MaxValues:
			fault("labels", "%s: %d values; want 1 to %d", l.Name, len(l.Values), MaxValues)
		case slices.ContainsFunc(l.Values, func(v string) bool { return len([]rune(v)) > maxValue }):
			fault("labels", "%s: want values of at most %d characters", l.Name, maxValue)
		}
	}
	slices.SortStableFunc(all, func(a, b *Fault) int { return cmp.Compare(a.Field, b.Field) })
	return all
}

// ParseLabels reads labels such as env=prod. Of one that stands there more than once, an alert may have any of the values.
func ParseLabels(written []string) (all []Label, err error) {
	for _, w := range written {
		name, value, ok := strings.Cut(w, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("%q; want a name and a value, such as env=prod", w)
		}
		n := slices.IndexFunc(all, func(l Label) bool { return l.Name == name })
		if n < 0 {
			n = len(all)
			all = append(all, Label{Name: name})
		}
		all[n].Values = append(all[n].Values, value)
	}
	return all, nil
}
