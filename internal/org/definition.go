package org

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
)

// Definition returns what was promised for the incident that an alert opens: the first route that takes it decides the
// service, and with it everything else. Every alert has a route, also one of a source that the folder does not name. The
// same folder, source, labels and title always give the same definition.
//
// Labels are what all alerts of the incident have in common. Where each one's own labels follow, impact and urgency are
// the highest that any of them has by the route of its own, and the special classes those of all; and where each by itself
// leads to one and the same service, the incident is that service's, whatever they have in common.
func (o *Organisation) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	common := o.route(source, labels)
	if common == nil {
		return incident.Definition{}, fmt.Errorf("define incident of source %s: no route takes it", source)
	}
	if len(each) == 0 {
		each = []alert.Labels{labels}
	}
	w, taken := o.weigh(source, each)
	r := agreed(common, taken)
	s := o.services[r.service]
	d := s.Definition
	d.Revision, d.Organisation, d.Zone, d.Languages = o.Revision, o.Name, o.Zone.String(), o.Languages
	d.Source, d.Route, d.Kind = source, r.id, cmp.Or(r.kind, w.kind)
	d.Impact, d.Urgency, d.Classes = w.impact, w.urgency, w.inOrder()
	d.Title = cmp.Or(r.titled(labels), tidy(title), tidy(labels.Value(nameLabel)), d.Service.Name)
	d.Links = s.linksFor(each)
	d.Environments = o.changedWith(&d, labels)
	d.Automatic = o.automatically(r, labels)
	if alert.Trial(title) { // people are paged, and nobody outside hears of it
		d.Customers, d.Review, d.Communication, d.Environments, d.Automatic = nil, incident.ReviewRule{}, nil, nil, nil
	}
	var err error
	d.SHA256, err = Hash(d)
	d.Changed = o.Changed
	return d, err
}

// Repinned returns a pinned definition with the promises and procedures that its service has in this folder. What the alerts
// decided stays: source, route, kind, title, impact, urgency and classes. The response plan is that of the alerts, by their labels.
func (o *Organisation) Repinned(pinned incident.Definition, alerts []alert.Labels) (incident.Definition, error) {
	s, ok := o.services[pinned.Service.ID]
	if !ok {
		return incident.Definition{}, o.missing("service", pinned.Service.ID)
	}
	d := s.Definition
	d.Revision, d.Organisation, d.Zone, d.Languages = o.Revision, o.Name, o.Zone.String(), o.Languages
	d.Source, d.Route, d.Kind, d.Title = pinned.Source, pinned.Route, pinned.Kind, pinned.Title
	d.Impact, d.Urgency, d.Classes = pinned.Impact, pinned.Urgency, pinned.Classes
	d.Links = s.linksFor(alerts)
	d.Environments, d.Automatic = pinned.Environments, pinned.Automatic
	if pinned.Source == incident.People { // people have said who is affected
		d.Customers = slices.DeleteFunc(slices.Clone(d.Customers), func(c incident.Customer) bool {
			return !slices.ContainsFunc(pinned.Customers, func(p incident.Customer) bool { return p.ID == c.ID })
		})
	}
	var err error
	d.SHA256, err = Hash(d)
	d.Changed = o.Changed
	return d, err
}

// Reported returns what was promised for an incident that people report. Its error is a *incident.NoticeFault.
func (o *Organisation) Reported(r incident.Reported) (incident.Definition, error) {
	s, ok := o.services[r.Service]
	if !ok {
		return incident.Definition{}, &incident.NoticeFault{Field: "service", Detail: fmt.Sprintf("%s; want the ID of a service in the organisation folder", show(r.Service))}
	}
	d := s.Definition
	var known []string
	for _, c := range d.Customers {
		known = append(known, c.ID)
	}
	for _, id := range r.Customers {
		if !slices.Contains(known, id) {
			return incident.Definition{}, &incident.NoticeFault{
				Field: "customers", Detail: fmt.Sprintf("%s; want customers of service %s: %s", show(id), r.Service, cmp.Or(strings.Join(known, ", "), "it has none")),
			}
		}
	}
	if len(r.Customers) > 0 {
		d.Customers = slices.DeleteFunc(slices.Clone(d.Customers), func(c incident.Customer) bool { return !slices.Contains(r.Customers, c.ID) })
	}
	d.Revision, d.Organisation, d.Zone, d.Languages = o.Revision, o.Name, o.Zone.String(), o.Languages
	d.Source = incident.People
	d.Impact, d.Urgency = cmp.Or(r.Impact, d.Impact), cmp.Or(r.Urgency, d.Urgency)
	d.Title = cmp.Or(tidy(r.Title), d.Service.Name)
	d.Links = s.linksFor([]alert.Labels{nil})
	var err error
	d.SHA256, err = Hash(d)
	d.Changed = o.Changed
	return d, err
}

// Levels returns the impact and urgency that Definition would give, without the work that the rest of it takes.
func (o *Organisation) Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	if len(each) == 0 {
		each = []alert.Labels{labels}
	}
	w, _ := o.weigh(source, each)
	return w.impact, w.urgency
}

// GroupKey returns the route of an alert and the values of the labels by which it groups, and whether it groups at all: all
// alerts of a source that share both are one incident. The others stay in the groups that their source makes.
func (o *Organisation) GroupKey(source string, labels alert.Labels) (route string, values alert.Labels, ok bool) {
	if !o.grouping {
		return "", nil, false // without a look at any route
	}
	r := o.route(source, labels)
	if r == nil || len(r.groupBy) == 0 {
		return "", nil, false
	}
	return r.id, r.group(labels), true
}

// route returns the first route that takes an alert.
func (o *Organisation) route(source string, labels alert.Labels) *route {
	for n := range o.routes {
		if r := &o.routes[n]; r.takes(source, labels) {
			return r
		}
	}
	return nil
}

// weigh weighs alerts that come together, each by its own route, and returns those routes as well, each once.
func (o *Organisation) weigh(source string, each []alert.Labels) (w weight, taken []*route) {
	for _, own := range each {
		r := o.route(source, own)
		if r == nil {
			continue
		}
		s := o.services[r.service]
		w.add(r, source, own, s.Impact, s.Urgency)
		if !slices.Contains(taken, r) {
			taken = append(taken, r)
		}
	}
	return w, taken
}

// agreed returns the route of an incident: the one that all its alerts take, else that of what they have in common, unless
// every single one of them leads to one other service; then the first route of the folder among theirs.
func agreed(common *route, taken []*route) *route {
	if len(taken) == 0 || slices.ContainsFunc(taken, func(r *route) bool { return r.service != taken[0].service }) {
		return common
	}
	if len(taken) > 1 && taken[0].service == common.service {
		return common
	}
	return slices.MinFunc(taken, func(a, b *route) int { return a.number - b.number })
}

// Hash returns the SHA-256 of a definition in canonical JSON with the field SHA256 empty and without Changed, which is a
// time of files: UTF-8, no white space between
// values, the keys of every object in the order of their bytes, and in strings nothing escaped but what JSON demands,
// U+2028 and U+2029.
func Hash(d incident.Definition) (string, error) {
	d.SHA256, d.Changed = "", time.Time{}
	sum, err := hashOf(d)
	if err != nil {
		return "", fmt.Errorf("hash definition of route %s: %w", d.Route, err)
	}
	return sum, nil
}

// hashOf is the SHA-256 over the canonical JSON of a value.
func hashOf(v any) (string, error) {
	content, err := canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

func canonical(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	// Read again as maps, which are written in the order of their keys. Numbers stay as they are: a duration is longer
	// than a float64 is exact.
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var placeholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_]*\}`)

// titled writes the route's title with the values of the labels that it names, empty when one of them is missing.
func (r route) titled(labels alert.Labels) string {
	title, missing := placed(r.title, labels)
	if len(missing) > 0 {
		return ""
	}
	return tidy(title)
}

// placed writes a text with the values of the labels that it names, and says which of those are missing.
func placed(text string, labels alert.Labels) (whole string, missing []string) {
	whole = placeholder.ReplaceAllStringFunc(text, func(name string) string {
		name = strings.Trim(name, "{}")
		v := labels.Value(name)
		if v == "" {
			missing = append(missing, name)
		}
		return v
	})
	return whole, missing
}

// tidy makes one short line of text that came from outside.
func tidy(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, clip(s, 4*most))
	return clip(strings.Join(strings.Fields(s), " "), most)
}
