// Package report writes what people read: messages, timeline lines and incident reports, in the reader's language and
// time zone, from the texts in templates/. It decides nothing, sends nothing and keeps nothing.
package report

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// Texts are all texts of all languages, parsed and tried. They are safe for concurrent use.
type Texts struct {
	languages []*language // the first one serves readers of unknown languages
}

// New parses the texts in fsys, which has the layout of package templates, and runs each once with nothing and once with
// everything in its data, so that a slip of the pen is found now and not while somebody has to be paged. The error joins
// all that is wrong.
func New(fsys fs.FS) (*Texts, error) {
	var t Texts
	var faults []error
	zones := &zones{}
	for _, lc := range locales() {
		l := &language{locale: lc, zones: zones}
		t.languages = append(t.languages, l)
		faults = append(faults, l.load(fsys))
	}
	faults = append(faults, strangers(fsys, t.languages))
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("load texts: %w", err)
	}
	return &t, nil
}

// Languages lists the codes of the languages that texts are written in.
func (t *Texts) Languages() []string {
	codes := make([]string, len(t.languages))
	for i, l := range t.languages {
		codes[i] = l.code
	}
	return codes
}

// in returns the reader's language, English when there are no texts in it. Regions make no difference: "ko-KR" is "ko".
func (t *Texts) in(code string) *language {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(code), "_", "-"), "-")
	for _, l := range t.languages {
		if l.code == base {
			return l
		}
	}
	return t.languages[0]
}

// Status returns the word for a status.
func (t *Texts) Status(s incident.Status, language string) string {
	return t.in(language).word("status", string(s))
}

// IncidentKind returns the word for a kind of incidents, empty for the ordinary one.
func (t *Texts) IncidentKind(k incident.Kind, language string) string {
	if k == "" {
		return ""
	}
	return t.in(language).word("kind", string(k))
}

// Priority returns a priority with its code: "P2 urgent".
func (t *Texts) Priority(p priority.Priority, language string) string {
	return t.in(language).word("priority", p.String())
}

// Axis is what a level measures.
type Axis string

// The axes of the priority matrix.
const (
	Impact  Axis = "impact"
	Urgency Axis = "urgency"
)

// Level returns a level with its axis, without which it would say nothing: "high impact".
func (t *Texts) Level(a Axis, l priority.Level, language string) string {
	return t.in(language).word(string(a), string(l))
}

// Role returns the word for a role.
func (t *Texts) Role(r incident.Role, language string) string {
	return t.in(language).word("role", string(r))
}

// Target returns the word for what was promised.
func (t *Texts) Target(target supportplan.Target, language string) string {
	return t.in(language).word("target", string(target))
}

// Clock returns the word for where a promise stands.
func (t *Texts) Clock(s supportplan.ClockState, language string) string {
	return t.in(language).word("clock", string(s))
}

// Kind returns the word for what a message is for.
func (t *Texts) Kind(k delivery.Kind, language string) string {
	return t.in(language).word("message", string(k))
}

// Word returns the word for one of the codes of an axis, such as "domain" and "vendor"; the code itself where there is none.
func (t *Texts) Word(axis, code, language string) string { return t.in(language).word(axis, code) }

// Duration returns a duration for people: "1 h 15 min".
func (t *Texts) Duration(d time.Duration, language string) string { return t.in(language).duration(d) }

// Instant returns an instant to the minute with weekday and zone: "2026-11-22 Sun 14:05 KST". A zone that is not known
// gives UTC.
func (t *Texts) Instant(at time.Time, language, zone string) string {
	return t.in(language).instant(at, zone)
}

// Day returns the day on which an instant is in a zone, with its weekday: "2026-11-22 Sun".
func (t *Texts) Day(at time.Time, language, zone string) string { return t.in(language).date(at, zone) }

// Moment is Instant to the second.
func (t *Texts) Moment(at time.Time, language, zone string) string {
	return t.in(language).moment(at, zone)
}

// sample fills every field of v with something, for trying a text.
func sample(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		sample(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		sample(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0)))
			return
		}
		for i := range v.NumField() {
			sample(v.Field(i))
			if v.Type().Field(i).Name == "Zone" { // looking for one that is not there takes long
				v.Field(i).SetString("UTC")
			}
		}
	default: // what texts are given has no other kinds
	}
}

// filled returns a T with something in every field.
func filled[T any]() T {
	var v T
	sample(reflect.ValueOf(&v).Elem())
	return v
}
