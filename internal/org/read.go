package org

import (
	"fmt"
	"slices"
)

// A reader turns nodes into values and collects what is wrong with them. It goes on after every fault, so that one run
// finds them all.
type reader struct {
	faults []Fault
	missed int  // references that nobody can judge, because what they lead to could not be read
	asking bool // to draw a schema: nothing is at fault
	tables map[string]*table
}

// A table knows the ids of one kind of thing.
type table struct {
	ids    []string
	places map[string]place
	barred map[string]string // why a thing that is defined will not do where others refer to one
	unread bool              // its file could not be read: nobody knows what is in it
	vague  map[string]bool   // things of which what others rely on could not be read
}

func (r *reader) fault(at place, format string, args ...any) {
	if r.asking {
		return
	}
	r.faults = append(r.faults, Fault{at.file, at.line, at.column, fmt.Sprintf(format, args...)})
}

// hint helps with a fault, as long as somebody will read it: it takes its time.
func (r *reader) hint(word string, known []string) string {
	if len(r.faults) >= maxFaults {
		return ""
	}
	return hint(word, known)
}

// table returns what is known of a kind of thing: "person", "support plan".
func (r *reader) table(what string) *table {
	if r.tables[what] == nil {
		r.tables[what] = &table{places: map[string]place{}, barred: map[string]string{}, vague: map[string]bool{}}
	}
	return r.tables[what]
}

// define remembers where the id of a thing stands, and makes a fault of one that is taken.
func (r *reader) define(at place, subject, what, id string) {
	if r.asking {
		return
	}
	t := r.table(what)
	if first, taken := t.places[id]; taken {
		r.fault(at, "%s %s: taken by %s:%d", subject, show(id), first.file, first.line)
		return
	}
	t.places[id], t.ids = at, append(t.ids, id)
}

// knows tells whether a thing has been defined and will do, and makes a fault of it when not.
func (r *reader) knows(at place, subject, what, id string) bool {
	if r.asking {
		return true
	}
	t := r.table(what)
	if why := t.barred[id]; why != "" {
		r.fault(at, "%s %s: %s", subject, show(id), why)
		return false
	}
	if _, ok := t.places[id]; ok || t.unread {
		if !ok || t.vague[id] {
			r.missed++
		}
		return ok
	}
	r.fault(at, "%s %s: no such %s; %s", subject, show(id), what, r.hint(id, t.ids))
	return false
}

// trouble grows with everything that could not be read as it was meant.
func (r *reader) trouble() int { return len(r.faults) + r.missed }

// An object is a mapping that is being read.
type object struct {
	*reader
	node
	subject string   // what a fault is about: "person park"
	known   []string // keys that were asked for
	needed  []string // of anything: keys that must be there, unless
	doubted []string // it was asked whether they are
	before  int      // the trouble until it was read
}

// object reads a mapping. Every key that read does not ask for is a fault.
func (r *reader) object(n node, subject string, read func(*object)) {
	o := &object{reader: r, node: n, subject: subject, before: r.trouble()}
	if n.kind == anything {
		n.sketch.takes(mapping)
		read(o)
		n.sketch.visit(slices.DeleteFunc(o.needed, func(key string) bool { return slices.Contains(o.doubted, key) }))
		return
	}
	if n.kind != mapping {
		r.fault(n.place, "%s: %s; want keys and values", subject, n.shown())
		return
	}
	read(o)
	for _, f := range n.fields {
		if !slices.Contains(o.known, f.key) {
			r.fault(f.place, "%s: unknown key %s; %s", o.subject, show(f.key), r.hint(f.key, o.known))
		}
	}
}

// field returns the value of a key, and the place of the object where there is none.
func (o *object) field(key string) node {
	if o.kind == anything {
		return o.sketch.key(key)
	}
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	for _, f := range o.fields {
		if f.key == key {
			if f.value.kind == absent { // the library's place of nothing is far away
				f.value.place = f.place
			}
			return f.value
		}
	}
	return node{place: o.place}
}

// has tells whether a key has a value.
func (o *object) has(key string) bool {
	o.doubted = append(o.doubted, key)
	return o.field(key).kind != absent
}

// is tells which one a value is that may be of another kind than text.
func (n node) is(k kind) bool {
	return n.kind == k || n.kind == anything && n.sketch.choose(2) == 1
}

// all returns the items of a list.
func (n node) all() []node {
	if n.kind == anything {
		return []node{n.sketch.item(list)}
	}
	return n.items
}

// about is the subject of a fault in a key.
func (o *object) about(key string) string { return o.subject + ": " + key }

// shown says what a node is, in the words of whoever wrote it.
func (n node) shown() string {
	switch n.kind {
	case text:
		return "got " + show(n.text)
	case list:
		return "got a list"
	case mapping:
		return "got " + count(len(n.fields), "key")
	case absent, anything:
	}
	return "missing"
}

// value reads one value in its form. It says no when there is a fault, which then has been told.
func value[T any](r *reader, n node, subject string, f form[T]) (v T, ok bool) {
	if n.kind == anything {
		n.sketch.value(f.schema())
		if len(f.all) == 0 {
			return v, false
		}
		return f.all[n.sketch.choose(len(f.all))], true
	}
	if n.kind != text {
		r.fault(n.place, "%s: %s; want %s", subject, n.shown(), f.want)
		return v, false
	}
	if v, ok = f.read(n.text); !ok {
		written := show(n.text)
		if f.secret {
			written = notShown
		}
		r.fault(n.place, "%s %s: want %s", subject, written, f.want)
	}
	return v, ok
}

// need reads the value of a key that must be there.
func need[T any](o *object, key string, f form[T]) (T, bool) {
	o.needed = append(o.needed, key)
	return value(o.reader, o.field(key), o.about(key), f)
}

// maybe reads the value of a key that may be left out.
func maybe[T any](o *object, key string, f form[T], otherwise T) T {
	if !o.has(key) {
		return otherwise
	}
	v, _ := value(o.reader, o.field(key), o.about(key), f)
	return v
}

// size says how long a list must be.
type size int

const (
	optional  size = iota // may be left out
	anyNumber             // must be there, may be empty
	some                  // at least one
)

const maxItems = 2000 // of one list

// items returns the values of a list.
func (o *object) items(key string, want size) []node {
	n := o.field(key)
	if want != optional {
		o.needed = append(o.needed, key)
	}
	switch {
	case n.kind == anything:
		n.sketch.least = int(max(want, anyNumber) - anyNumber)
		return n.all()
	case n.kind == absent && want == optional:
	case n.kind != list:
		o.fault(n.place, "%s: %s; want a list", o.about(key), n.shown())
	case len(n.items) == 0 && want == some:
		o.fault(n.place, "%s: none; want at least one", o.about(key))
	case len(n.items) > maxItems:
		o.fault(n.place, "%s: a list of %d; want at most %d", o.about(key), len(n.items), maxItems)
	}
	if len(n.items) > maxItems {
		return nil
	}
	return n.items
}

// A pair is a key that the folder's author chose, with its value.
type pair[T any] struct {
	key   string
	value T
}

const maxPairs = 50

// pairs reads keys and values whose keys are free.
func pairs[T any](o *object, key string, f form[T], want size) []pair[T] {
	return pairsBy(o, key, want, func(n node, subject string) T {
		v, _ := value(o.reader, n, subject, f)
		return v
	})
}

// choices reads keys whose values are one or a list of some.
func choices[T any](o *object, key string, f form[T], want size) []pair[[]T] {
	return pairsBy(o, key, want, func(n node, subject string) (all []T) {
		if !n.is(list) {
			v, _ := value(o.reader, n, subject, f)
			return []T{v}
		}
		if n.kind == list && (len(n.items) == 0 || len(n.items) > maxPairs) {
			o.fault(n.place, "%s: a list of %d; want 1 to %d values", subject, len(n.items), maxPairs)
			return nil
		}
		for _, item := range n.all() {
			v, _ := value(o.reader, item, subject, f)
			all = append(all, v)
		}
		return all
	})
}

// pairsBy reads keys that are free, with values of any kind.
func pairsBy[T any](o *object, key string, want size, read func(n node, subject string) T) []pair[T] {
	n := o.field(key)
	switch {
	case n.kind == anything:
		read(n.sketch.item(mapping), o.about(key))
		return nil
	case n.kind == absent && want == optional:
		return nil
	case n.kind != mapping || len(n.fields) == 0 || len(n.fields) > maxPairs:
		o.fault(n.place, "%s: %s; want 1 to %d keys with values", o.about(key), n.shown(), maxPairs)
		return nil
	}
	var all []pair[T]
	for _, p := range n.fields {
		all = append(all, pair[T]{p.key, read(p.value, o.about(key)+": "+clip(p.key, 60))})
	}
	return all
}

// each reads what stands under IDs that the folder's author chose.
func (o *object) each(key, what string, read func(o *object, id string)) {
	n := o.field(key)
	if n.kind == absent {
		return
	}
	if n.kind == anything {
		o.object(n.sketch.item(mapping), what, func(o *object) { read(o, what) })
		return
	}
	o.object(n, o.about(key), func(o *object) {
		for _, f := range o.fields {
			if _, ok := anID.read(f.key); !ok {
				o.fault(f.place, "%s: %s: want a %s in %s", o.subject, show(f.key), what, anID.want)
			}
			o.object(o.field(f.key), o.about(clip(f.key, 60)), func(o *object) { read(o, f.key) })
		}
	})
}

// entries reads a list of things that have an id, and remembers the ids.
func (o *object) entries(key, what string, want size, read func(o *object, id string)) {
	if k := o.field(key).kind; k != list && (k != absent || want != optional) {
		o.table(what).unread = true
	}
	for n, item := range o.items(key, want) {
		o.object(item, fmt.Sprintf("%s %d", what, n+1), func(o *object) {
			id, ok := need(o, "id", anID)
			if ok {
				o.subject = what + " " + id
				o.define(o.field("id").place, o.about("id"), what, id)
			}
			read(o, id)
		})
	}
}

// ref reads the id of a thing that has been defined before.
func (o *object) ref(key, what string) (string, bool) {
	id, ok := need(o, key, anIDOf(what))
	return id, ok && o.knows(o.field(key).place, o.about(key), what, id)
}

// refs reads a list of such ids.
func (o *object) refs(key, what string, want size) []string {
	var ids []string
	o.eachRef(key, what, want, func(_ place, id string) { ids = append(ids, id) })
	return ids
}

// eachRef reads a list of such ids, each with its place.
func (o *object) eachRef(key, what string, want size, do func(at place, id string)) {
	for _, n := range o.items(key, want) {
		if id, ok := value(o.reader, n, o.about(key), anIDOf(what)); ok && o.knows(n.place, o.about(key), what, id) {
			do(n.place, id)
		}
	}
}

// once makes a fault of everything that a list names twice.
func (o *object) once(key string) {
	seen := map[string]bool{}
	for _, n := range o.field(key).items {
		if n.kind == text && seen[n.text] {
			o.fault(n.place, "%s %s: named twice", o.about(key), show(n.text))
		}
		seen[n.text] = true
	}
}

// hold makes a fault of every rule that a thing breaks. The forms of the values say most of it sooner and with a better
// place; where anything in the thing itself is at fault already, what is left over would only confuse.
func (o *object) hold(broken []error) {
	if o.trouble() > o.before {
		return
	}
	for _, err := range broken {
		o.fault(o.place, "%s", err)
	}
}
