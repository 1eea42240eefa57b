package org

import (
	"fmt"
	"reflect"
	"slices"
)

// A schema of a file is what its reader asks for. So the readers themselves are asked, by a node that has every key and is
// whatever they want it to be: what they take and what the schema says cannot part. A key that is read for some values of
// another one only, such as the address of a contact method, is found by asking once for every value.

// A Schema is a JSON schema (draft 7) of one file of an organisation folder.
type Schema map[string]any

// Files lists the kinds of files of an organisation folder in the order in which they are read. Each file of the folder plans is
// a plan.yaml.
func Files() []string { return append(files(), planFile) }

// SchemaOf returns the schema of a file, by its name.
func SchemaOf(file string) (Schema, error) {
	if known := file + ".yaml"; slices.Contains(Files(), known) {
		file = known
	}
	if !slices.Contains(Files(), file) {
		return nil, fmt.Errorf("schema of %s: not a file of an organisation folder; %s", show(file), hint(file, Files()))
	}
	whole := &sketch{inquiry: &inquiry{passes: 1}}
	for ; whole.pass < whole.passes; whole.pass++ {
		b := newBuilder(&folder{})
		b.asking = true
		for _, p := range append(b.parts(), part{file: planFile, read: newPlanReader(&b.reader).read}) {
			if p.file == file {
				b.object(node{kind: anything, sketch: whole}, "file", p.read)
			}
		}
	}
	s := whole.schema()
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = file + " of an organisation folder"
	return s, nil
}

// A sketch is a part of a schema while the readers are asked.
type sketch struct {
	*inquiry

	kinds    []kind // that the readers have taken here
	keys     map[string]*sketch
	visited  bool
	required []string // keys that were needed whenever the readers came here
	each     *sketch  // item of a list, or value of any key
	least    int      // items of the list
	values   []Schema // what a value may be
}

// An inquiry is what all sketches of a schema have in common: how often the readers have been asked before, and how often they
// have to be.
type inquiry struct{ pass, passes int }

// choose returns which of n things the readers get this time.
func (q *inquiry) choose(n int) int {
	q.passes = max(q.passes, n)
	return q.pass % n
}

// takes says that the readers take a kind of node here.
func (s *sketch) takes(k kind) {
	if !slices.Contains(s.kinds, k) {
		s.kinds = append(s.kinds, k)
	}
}

// key is the value of a key.
func (s *sketch) key(name string) node {
	if s.keys == nil {
		s.keys = map[string]*sketch{}
	}
	if s.keys[name] == nil {
		s.keys[name] = &sketch{inquiry: s.inquiry}
	}
	return node{kind: anything, sketch: s.keys[name]}
}

// item is an item of the list, or the value of any key.
func (s *sketch) item(k kind) node {
	s.takes(k)
	if s.each == nil {
		s.each = &sketch{inquiry: s.inquiry}
	}
	return node{kind: anything, sketch: s.each}
}

// visit says which keys were needed this time.
func (s *sketch) visit(needed []string) {
	if !s.visited {
		s.visited, s.required = true, needed
	}
	s.required = slices.DeleteFunc(s.required, func(key string) bool { return !slices.Contains(needed, key) })
}

// value says what a value may be.
func (s *sketch) value(v Schema) {
	s.takes(text)
	if !slices.ContainsFunc(s.values, func(known Schema) bool { return reflect.DeepEqual(known, v) }) {
		s.values = append(s.values, v)
	}
}

// schema writes the sketch down.
func (s *sketch) schema() Schema {
	var all []Schema
	for _, k := range s.kinds {
		switch k {
		case mapping:
			all = append(all, s.object())
		case list:
			l := Schema{"type": "array", "items": s.each.schema()}
			if s.least > 0 {
				l["minItems"] = s.least
			}
			all = append(all, l)
		case text:
			all = append(all, s.values...)
		case absent, anything:
		}
	}
	switch len(all) {
	case 0:
		return Schema{}
	case 1:
		return all[0]
	}
	return Schema{"anyOf": all}
}

func (s *sketch) object() Schema {
	if s.each != nil {
		return Schema{"type": "object", "additionalProperties": s.each.schema()}
	}
	properties := Schema{}
	for name, c := range s.keys {
		properties[name] = c.schema()
	}
	o := Schema{"type": "object", "additionalProperties": false, "properties": properties}
	if required := slices.Sorted(slices.Values(s.required)); len(required) > 0 {
		o["required"] = slices.Compact(required)
	}
	return o
}
