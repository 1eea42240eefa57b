package incident

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Repin takes over the promises and procedures that the organisation folder has now. What has happened stays as it was: impact
// and urgency, who has which role, what was kept and missed.
type Repin struct {
	Reason     string      `json:"reason"`
	Definition *Definition `json:"definition,omitempty"` // filled in by the API from the organisation folder
}

// Check refuses what is closed, what is pinned already, and the definition of another service.
func (c Repin) Check(i *Incident) error {
	switch d := c.Definition; {
	case d == nil:
		return i.refuse("repin", "definition: missing")
	case d.Service.ID != i.Definition.Service.ID:
		return i.refuse("repin", "the definition is of service %q; want that of %q", d.Service.ID, i.Definition.Service.ID)
	case len(Differences(i.Definition, *d)) == 0:
		return i.refuse("repin", "nothing has changed: revision %s of the organisation folder says the same", d.Revision)
	}
	return firstOf(i.wantNotClosed("repin"), i.wantText("repin", "reason", c.Reason, true))
}

// Apply pins the definition and records every difference. Promises that have changed count from when each began; those that
// are gone end.
func (c Repin) Apply(i *Incident, by timeline.Actor, now time.Time) {
	const most = 50 // are told one by one; whoever changes more reads the two revisions
	old := i.Definition
	if i.Status.Open() {
		i.unpromise(c.Definition, now) // while their customers have names here
	}
	i.Definition = *c.Definition
	i.Repinned++
	changes := Differences(old, i.Definition)
	i.record(now, timeline.Repinned, by, timeline.F("from", old.SHA256), timeline.F("definition", i.Definition.SHA256),
		timeline.F("revision", i.Definition.Revision), timeline.F("changes", strconv.Itoa(len(changes))), timeline.F("reason", c.Reason))
	for _, d := range changes[:min(len(changes), most)] {
		i.record(now, timeline.DefinitionChanged, by, timeline.F("what", d.What), timeline.F("before", d.Before), timeline.F("after", d.After))
	}
	if i.Status.Open() {
		i.repromise(now)
	}
}

// unpromise ends the clocks of what a newer definition does not promise any more.
func (i *Incident) unpromise(d *Definition, now time.Time) {
	for n := range i.Clocks {
		c := &i.Clocks[n]
		if _, promised := d.plan(c.Customer).Promise(i.Priority, c.Target); !promised && c.Open() {
			c.Stop(now)
			i.recordClock(now, timeline.ClockStopped, c, timeline.Muster(), timeline.F("cause", "repinned"))
		}
	}
}

// repromise gives every clock what the definition promises now. One that an earlier definition ended goes on as if it had
// never stood still.
func (i *Incident) repromise(now time.Time) {
	for _, cu := range i.Definition.Customers {
		for _, t := range supportplan.Targets() {
			p, promised := cu.Plan.Promise(i.Priority, t)
			switch c := i.clock(cu.ID, t); {
			case !promised:
			case c == nil && t == supportplan.Respond && !i.Times.Engaged.IsZero(): // somebody has responded before it was promised
			case c == nil && !i.done(t):
				i.Clocks = append(i.Clocks, supportplan.Start(cu.ID, p, now))
			case c != nil && c.State == supportplan.Stopped && !i.done(t):
				from := c.Started
				if t == supportplan.Update {
					from = now
				}
				c.Restart(from, p)
			case c != nil && c.Open() && c.State != supportplan.Missed:
				c.Repromise(p)
			}
		}
	}
	i.computeClocks(now)
}

// A Difference is one value that two definitions do not share.
type Difference struct {
	What   string // the path of the value, with the names that definitions have on the wire: "customers.acme.plan.at_risk"
	Before string // empty: none
	After  string
}

// Differences lists what distinguishes two definitions, in the order of their fields: all but their hashes and revisions.
func Differences(before, after Definition) []Difference {
	before.SHA256, before.Revision, before.Changed = after.SHA256, after.Revision, after.Changed
	var all []Difference
	compare("", reflect.ValueOf(before), reflect.ValueOf(after), &all)
	return all
}

// compare goes through two values of one type. An invalid one is none.
func compare(path string, a, b reflect.Value, all *[]Difference) {
	switch kind(a, b) {
	case reflect.Struct:
		t := either(a, b).Type()
		for n := range t.NumField() {
			inner := path
			if !t.Field(n).Anonymous {
				inner = join(path, wireName(t.Field(n)))
			}
			compare(inner, field(a, n), field(b, n), all)
		}
	case reflect.Slice:
		for _, k := range keys(a, b) {
			compare(join(path, k), item(a, k), item(b, k), all)
		}
	case reflect.Pointer:
		compare(path, pointed(a), pointed(b), all)
	default:
		if x, y := text(a), text(b); x != y || a.IsValid() != b.IsValid() && kind(a, b) == reflect.Bool {
			*all = append(*all, Difference{path, clipped(x), clipped(y)})
		}
	}
}

// wireName is the name that a field has in JSON.
func wireName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// pointed is what a pointer points to, none when it is nil.
func pointed(v reflect.Value) reflect.Value {
	if !v.IsValid() {
		return v
	}
	return v.Elem()
}

// kind is how two values are compared: what can say itself in a text is not taken apart.
func kind(a, b reflect.Value) reflect.Kind {
	v := either(a, b)
	if !v.IsValid() {
		return reflect.Invalid
	}
	if _, says := v.Interface().(fmt.Stringer); says {
		return reflect.String
	}
	return v.Kind()
}

func either(a, b reflect.Value) reflect.Value {
	if a.IsValid() {
		return a
	}
	return b
}

func field(v reflect.Value, n int) reflect.Value {
	if !v.IsValid() {
		return v
	}
	return v.Field(n)
}

// keys names the items of two lists, those of the first in their order and then the others.
func keys(a, b reflect.Value) (all []string) {
	for _, v := range []reflect.Value{a, b} {
		for n := 0; v.IsValid() && n < v.Len(); n++ {
			k := key(v.Index(n), n)
			known := false
			for _, x := range all {
				known = known || x == k
			}
			if !known {
				all = append(all, k)
			}
		}
	}
	return all
}

// key names one item: what tells it from the others, or its number.
func key(v reflect.Value, n int) string {
	switch x := v.Interface().(type) {
	case Customer:
		return x.ID
	case calendar.Rules:
		return x.ID
	case supportplan.Promise:
		return x.Priority.String() + " " + string(x.Target)
	case RoleTarget:
		return string(x.Role)
	}
	return strconv.Itoa(n + 1)
}

func item(v reflect.Value, k string) reflect.Value {
	for n := 0; v.IsValid() && n < v.Len(); n++ {
		if x := v.Index(n); key(x, n) == k {
			return x
		}
	}
	return reflect.Value{}
}

// text is a value as a text, empty when there is none.
func text(v reflect.Value) string {
	if !v.IsValid() || v.IsZero() {
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// clipped is what a timeline keeps of a text.
func clipped(s string) string { return clippedTo(200, s) }

func clippedTo(most int, s string) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
