package ingest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/refusal"
)

// Limits of what is kept of an alert: whatever a source writes into its labels and annotations, a batch stays small. What
// is cut off or left out is text, never an alert.
const (
	maxKept        = 64 << 10 // JSON of one alert
	maxValue       = 4 << 10  // one label or annotation
	maxName        = 256
	maxTitle       = 256
	maxURL         = 2 << 10
	maxFingerprint = 128 // longer ones are refused: a part of it would not identify
	maxFaults      = 20  // told in one answer

	never = "0001-01-01T00:00:00Z" // how Go writes an instant that is not set
)

// A message is what one webhook body says, checked.
type message struct {
	receiver  string
	group     alert.Labels // what the source groups by
	common    alert.Labels // what all alerts have in common: what routes go by
	title     string
	resolved  bool // the whole group, as far as the source knows
	truncated int
	by        []string      // labels by whose values alerts that no route groups belong together; none: all of them do
	fixed     bool          // the source's own groups stay, whatever routes say: what ends an alert does not have its labels
	notices   []alert.Alert // what the source tells and nobody is paged for
	announced []announced   // what the source announces
	visit     string        // what has to be fetched before it counts
	ended     string        // what sends no more
	taken     bool          // somebody has acknowledged it, says the source
	alerts    []sized
	left      error // what of the body is refused, when all else is durable
}

// A sized alert knows how many bytes of JSON it makes, at most.
type sized struct {
	alert.Alert
	bytes int
}

// decodeAlertmanager reads the body of an Alertmanager webhook, version 4. Whatever it does not know it leaves alone.
// The message shares no memory with the body.
func decodeAlertmanager(body []byte) (message, error) {
	d := newDecoder(body)
	var m message
	if d.begins(body, '{', "an object") {
		m = d.message("4")
	}
	return m, d.refused(len(m.alerts))
}

func newDecoder(body []byte) *decoder { return &decoder{walker: walker{text: string(body)}, at: -1} }

// begins tells whether the body is JSON that begins as it should.
func (d *decoder) begins(body []byte, with byte, what string) bool {
	switch {
	case !json.Valid(body):
		d.fault("body", "want JSON: "+syntaxError(body))
	case d.peek() != with:
		d.fault("body", "want "+what+", got "+d.kind())
	default:
		return true
	}
	return false
}

// refused is the refusal of a body with so many alerts, nil when nothing is wrong with it.
func (d *decoder) refused(alerts int) error {
	switch {
	case len(d.faults) == 0:
		return nil
	case alerts > MaxAlerts:
		return refusal.Of(http.StatusRequestEntityTooLarge, d.faults...)
	}
	return refusal.Of(http.StatusBadRequest, d.faults...)
}

// sifted takes each alert for itself: one that cannot be taken does not keep the others, which may page somebody, from it.
func (d *decoder) sifted(m message) (message, error) {
	refused := d.refused(len(m.alerts))
	if refused == nil || len(d.bad) >= len(m.alerts) || len(m.alerts) > MaxAlerts {
		return m, refused
	}
	good := make([]sized, 0, len(m.alerts)-len(d.bad))
	for n, a := range m.alerts {
		if _, bad := slices.BinarySearch(d.bad, n); !bad {
			good = append(good, a)
		}
	}
	m.alerts, m.left = good, refused
	return m, nil
}

func syntaxError(body []byte) string {
	var raw json.RawMessage
	err := json.Unmarshal(body, &raw)
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		return fmt.Sprintf("%v at byte %d", err, syntax.Offset)
	}
	return fmt.Sprint(err)
}

// A decoder collects what is wrong with a body while it reads it.
type decoder struct {
	walker
	at     int                              // index of the alert that is read, -1 outside
	of     string                           // the array that it is in, if that has a name
	more   func(name string, a *sized) bool // takes what else a format has, of an alert or of the body itself; nil: nothing
	notes  alert.Labels                     // annotations of the alert that is read, beside those that its source calls so
	faults []refusal.Fault
	bad    []int // indices of the alerts that have one, in their order
}

// message takes a body of alerts that belong together, in this version.
func (d *decoder) message(want string) (m message) {
	var status, version string
	var annotations alert.Labels
	routed := false
	for name := range d.members() {
		switch name {
		case "version":
			version = d.str(name)
		case "receiver":
			m.receiver = d.str(name)
		case "status":
			status = d.str(name)
		case "truncatedAlerts":
			m.truncated = d.count(name)
		case "groupLabels":
			m.group = d.labels(name)
		case "commonLabels":
			m.common, routed = d.labels(name), true
		case "commonAnnotations":
			annotations = d.labels(name)
		case "alerts":
			m.alerts = d.alerts(name, d.alert)
		default:
			d.rest(name, nil)
		}
		if len(m.alerts) > MaxAlerts {
			return m // not a byte more of it
		}
	}
	if version != want {
		d.fault("version", fmt.Sprintf(`want %q, got %s`, want, quote(version)))
	}
	if len(m.alerts) == 0 {
		d.fault("alerts", "want at least one alert, got none")
		return m
	}
	if !routed {
		m.common = m.group
	}
	m.resolved = d.state("status", status) == alert.Resolved && m.truncated == 0
	about := alert.Alert{Name: alertName(m.common, leading(m.alerts)), Annotations: annotations}
	m.title = clip(about.Summary(), maxTitle)
	return m
}

// alerts takes an array, each of its elements by a function. Without a name the array is the whole body.
func (d *decoder) alerts(field string, one func() sized) []sized {
	if d.peek() != '[' {
		if d.kind() != "null" {
			d.fault(field, "want an array, got "+d.kind())
		}
		d.skip()
		return nil
	}
	list := make([]sized, 0, 1)
	defer func() { d.at = -1 }()
	for i := range d.elements() {
		if i == MaxAlerts {
			d.at, d.faults = -1, nil // nothing else matters
			d.fault(cmp.Or(field, "body"), fmt.Sprintf("want at most %d alerts in one body", MaxAlerts))
			return append(list, sized{})
		}
		d.at, d.of = i, field
		list = append(list, one())
	}
	return list
}

// each goes through an object; null is an empty one. Its user takes each value.
func (d *decoder) each(field string, take func(name string)) {
	if d.peek() != '{' {
		d.wrongUnlessNull(field, "an object")
		return
	}
	for name := range d.members() {
		take(name)
	}
}

// list goes through an array; null is an empty one. Its user takes each value.
func (d *decoder) list(field string, take func(field string)) {
	if d.peek() != '[' {
		d.wrongUnlessNull(field, "an array")
		return
	}
	for i := range d.elements() {
		take(fmt.Sprintf("%s[%d]", field, i))
	}
}

// dimensions takes an array of objects with name and value.
func (d *decoder) dimensions(field string) (all alert.Labels) {
	d.list(field, func(field string) {
		var l alert.Label
		d.each(field, func(name string) {
			switch name {
			case "name":
				l.Name = d.str(field + "." + name)
			case "value":
				l.Value = d.one()
			default:
				d.skip()
			}
		})
		all = append(all, l)
	})
	return all
}

// texts takes an array of strings.
func (d *decoder) texts(field string) (all []string) {
	d.list(field, func(field string) { all = append(all, d.str(field)) })
	return all
}

// wrongUnlessNull takes a value that is not what it should be.
func (d *decoder) wrongUnlessNull(field, want string) {
	if kind := d.kind(); kind != "null" {
		d.fault(field, "want "+want+", got "+kind)
	}
	d.skip()
}

// object tells whether an object comes next; whatever else it is, it is taken and wrong.
func (d *decoder) object() bool {
	if d.peek() == '{' {
		return true
	}
	d.fault("", "want an object, got "+d.kind())
	d.skip()
	return false
}

// alike takes a field of an alert that Prometheus and Alertmanager write alike, and tells whether it is one.
func (d *decoder) alike(name string, a *sized, starts, ends *string) bool {
	switch name {
	case "labels":
		a.Labels = d.labels(name)
	case "annotations":
		a.Annotations = d.labels(name)
	case "startsAt":
		*starts = d.str(name)
	case "endsAt":
		*ends = d.str(name)
	case "generatorURL":
		a.Generator = d.str(name)
	default:
		return false
	}
	return true
}

func (d *decoder) alert() (a sized) {
	if !d.object() {
		return a
	}
	var status, starts, ends, fingerprint string
	for name := range d.members() {
		switch name {
		case "status":
			status = d.str(name)
		case "fingerprint":
			fingerprint = d.str(name)
		default:
			if !d.alike(name, &a, &starts, &ends) {
				d.rest(name, &a)
			}
		}
	}
	a.State = d.state("status", status)
	a.StartsAt = d.instant("startsAt", starts)
	if a.State == alert.Resolved && ends != "" && ends != never {
		a.EndsAt = d.instant("endsAt", ends)
	}
	a.Fingerprint = d.fingerprint(fingerprint, a.Labels)
	a.Name = alertName(a.Labels, a.Fingerprint)
	a.Annotations, d.notes = merged(a.Annotations, d.notes), d.notes[:0]
	a.bound()
	return a
}

// annotate adds an annotation that says something to the alert that is read.
func (d *decoder) annotate(name, value string) {
	if value != "" {
		d.notes = append(d.notes, alert.Label{Name: name, Value: value})
	}
}

// merged adds labels to those that are there, which stay what they are.
func merged(ls, more alert.Labels) alert.Labels {
	for _, l := range more {
		at, there := slices.BinarySearchFunc(ls, l.Name, func(l alert.Label, name string) int { return strings.Compare(l.Name, name) })
		if !there {
			ls = slices.Insert(ls, at, l)
		}
	}
	return ls
}

// rest takes a member that not every format has.
func (d *decoder) rest(name string, a *sized) {
	if d.more == nil || !d.more(name, a) {
		d.skip()
	}
}

// fingerprint is the alert's own; sources that send none mean its labels, and Alertmanager's hash of them is taken.
func (d *decoder) fingerprint(own string, ls alert.Labels) string {
	switch {
	case len(own) > maxFingerprint:
		d.fault("fingerprint", fmt.Sprintf("want at most %d bytes, got %d", maxFingerprint, len(own)))
	case own == "" && len(ls) == 0:
		d.fault("fingerprint", "want a fingerprint, or labels to make one of; got neither")
	case own == "":
		h := fnv.New64a()
		for _, l := range ls {
			h.Write([]byte(l.Name + "\xff" + l.Value + "\xff"))
		}
		return fmt.Sprintf("%016x", h.Sum64())
	}
	return own
}

// short is an identity that is not too long to be a fingerprint.
func short(id string) string {
	if len(id) <= maxFingerprint {
		return id
	}
	hash := sha256.Sum256([]byte(id))
	return hex.EncodeToString(hash[:])
}

// alertName is the name of an alert with these labels.
func alertName(ls alert.Labels, otherwise string) string {
	return clip(cmp.Or(ls.Value(nameLabel), otherwise), maxName)
}

func (d *decoder) state(field, s string) alert.State {
	if s != string(alert.Firing) && s != string(alert.Resolved) {
		d.fault(field, fmt.Sprintf(`want "firing" or "resolved", got %s`, quote(s)))
	}
	return alert.State(s)
}

func (d *decoder) instant(field, s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC() // in UTC equal instants are equal values
	if year := t.Year(); err != nil || year < 1970 || year > 9999 {
		d.fault(field, fmt.Sprintf(`want an instant from 1970 on, such as "2026-11-22T10:00:00Z"; got %s`, quote(s)))
	}
	return t
}

// str takes a string; null is none.
func (d *decoder) str(field string) string {
	switch d.peek() {
	case '"':
		return d.string()
	case 'n':
	default:
		d.fault(field, "want a string, got "+d.kind())
	}
	d.skip()
	return ""
}

// count takes a whole number; null is none.
func (d *decoder) count(field string) int {
	kind, text := d.kind(), d.skip()
	n, err := strconv.ParseInt(text, 10, 32)
	if kind != "null" && (err != nil || n < 0) {
		d.fault(field, "want a whole number, got "+clip(text, 32))
	}
	return int(n)
}

// labels takes an object of strings, of which the last of one name counts; null is none.
func (d *decoder) labels(field string) alert.Labels {
	if d.peek() != '{' {
		if d.kind() != "null" {
			d.fault(field, "want an object of strings, got "+d.kind())
		}
		d.skip()
		return nil
	}
	ls := make(alert.Labels, 0, 8)
	sorted := true
	for name := range d.members() {
		value := ""
		if d.peek() == '"' {
			value = d.string()
		} else {
			value = d.str(field + "." + clip(name, 64))
		}
		sorted = sorted && (len(ls) == 0 || ls[len(ls)-1].Name < name)
		ls = append(ls, alert.Label{Name: name, Value: value})
	}
	if sorted {
		return ls
	}
	slices.Reverse(ls)
	slices.SortStableFunc(ls, func(a, b alert.Label) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(ls, func(a, b alert.Label) bool { return a.Name == b.Name })
}

func (d *decoder) fault(field, detail string) {
	if d.at >= 0 && (len(d.bad) == 0 || d.bad[len(d.bad)-1] != d.at) {
		d.bad = append(d.bad, d.at)
	}
	if len(d.faults) == maxFaults {
		return
	}
	if d.at >= 0 {
		field = strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", d.of, d.at, field), ".")
	}
	d.faults = append(d.faults, refusal.Fault{Field: field, Detail: detail})
}

// bound keeps the alert within maxKept bytes of JSON and counts them.
func (a *sized) bound() {
	if len(a.Generator) > maxURL {
		a.Generator = "" // half a link leads nowhere
	}
	a.bytes = 200 + encoded(a.Fingerprint) + encoded(a.Name) + encoded(a.Generator)
	a.Labels = a.keep(a.Labels)
	a.Annotations = a.keep(a.Annotations)
}

func (a *sized) keep(ls alert.Labels) alert.Labels {
	for i := range ls {
		ls[i].Value = clip(ls[i].Value, maxValue)
		n := len(`{"n":,"v":},`) + encoded(ls[i].Name) + encoded(ls[i].Value)
		if a.bytes+n > maxKept {
			return ls[:i]
		}
		a.bytes += n
	}
	return ls
}

// encoded is the length of s as a JSON string of encoding/json, or a little more.
func encoded(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '<', c == '>', c == '&':
			n += 5 // \u003c
		case c == '"', c == '\\':
			n++
		case c == 0xE2: // begins U+2028, written as \u2028
			n += 3
		}
	}
	return n
}

// clip cuts s to at most n bytes, the last of them a mark, and not inside a character.
func clip(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	n -= len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}

func quote(s string) string { return strconv.Quote(clip(s, 64)) }
