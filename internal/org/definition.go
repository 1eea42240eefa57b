package org

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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
// the highest that any of them has by the route of its own.
func (o *Organisation) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	r, ok := o.route(source, labels)
	if !ok {
		return incident.Definition{}, fmt.Errorf("define incident of source %s: no route takes it", source)
	}
	d := o.services[r.service]
	d.Revision, d.Organisation, d.Zone, d.Languages = o.Revision, o.Name, o.Zone.String(), o.Languages
	d.Source, d.Route = source, r.id
	d.Impact, d.Urgency = o.Levels(source, labels, each...)
	d.Title = cmp.Or(r.titled(labels), tidy(title), tidy(labels.Value("alertname")), d.Service.Name)
	var err error
	d.SHA256, err = Hash(d)
	return d, err
}

// Repinned returns a pinned definition with the promises and procedures that its service has in this folder. What the alert
// decided stays: source, route, title, impact and urgency.
func (o *Organisation) Repinned(pinned incident.Definition) (incident.Definition, error) {
	d, ok := o.services[pinned.Service.ID]
	if !ok {
		return incident.Definition{}, o.missing("service", pinned.Service.ID)
	}
	d.Revision, d.Organisation, d.Zone, d.Languages = o.Revision, o.Name, o.Zone.String(), o.Languages
	d.Source, d.Route, d.Title = pinned.Source, pinned.Route, pinned.Title
	d.Impact, d.Urgency = pinned.Impact, pinned.Urgency
	var err error
	d.SHA256, err = Hash(d)
	return d, err
}

// Levels returns the impact and urgency that Definition would give, without the work that the rest of it takes.
func (o *Organisation) Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	if len(each) == 0 {
		each = []alert.Labels{labels}
	}
	for _, own := range each {
		r, _ := o.route(source, own)
		service := o.services[r.service]
		impact = priority.Higher(impact, r.impact.of(own, service.Impact))
		urgency = priority.Higher(urgency, r.urgency.of(own, service.Urgency))
	}
	return impact, urgency
}

func (o *Organisation) route(source string, labels alert.Labels) (route, bool) {
	for _, r := range o.routes {
		if r.takes(source, labels) {
			return r, true
		}
	}
	return route{}, false
}

// Hash returns the SHA-256 of a definition in canonical JSON with the field SHA256 empty: UTF-8, no white space between
// values, the keys of every object in the order of their bytes, and in strings nothing escaped but what JSON demands,
// U+2028 and U+2029.
func Hash(d incident.Definition) (string, error) {
	d.SHA256 = ""
	content, err := canonical(d)
	if err != nil {
		return "", fmt.Errorf("hash definition of route %s: %w", d.Route, err)
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
	whole := true
	title := placeholder.ReplaceAllStringFunc(r.title, func(name string) string {
		v := labels.Value(strings.Trim(name, "{}"))
		whole = whole && v != ""
		return v
	})
	if !whole {
		return ""
	}
	return tidy(title)
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
