package org

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"muster/internal/condition"
	"muster/templates"
)

const mappingsFolder = "sources"

var aMappingExpression = in("an expression, such as alert.id", func(s string) (string, bool) { return s, true })

// ShippedMappings are the names of the mappings that come with Muster.
func ShippedMappings() (names []string) {
	files, _ := fs.Glob(templates.FS, path.Join(mappingsFolder, "*.yaml")) // of what is embedded
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	return names
}

// ShippedMapping returns the mapping with a name that comes with Muster.
func ShippedMapping(name string) (*SourceMapping, error) {
	file := path.Join(mappingsFolder, name+".yaml")
	content, err := templates.FS.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: no such mapping; %s", show(name), hint(name, ShippedMappings()))
	}
	n, faults := parse(file, content)
	r := &reader{faults: faults, tables: map[string]*table{}}
	var m *SourceMapping
	r.object(n, "mapping "+name, func(o *object) { m = mappingOf(o) })
	if len(r.faults) > 0 {
		return nil, &Refusal{Faults: sorted(r.faults)}
	}
	return m, nil
}

// Sample returns what a source of a type, or a tool with a shipped mapping, sends as a test, with what is to be filled in.
func Sample(name string) (string, error) {
	content, err := templates.FS.ReadFile(path.Join(mappingsFolder, "samples", name+".json"))
	if err != nil {
		return "", fmt.Errorf("no sample of %s comes with Muster", show(name))
	}
	return string(content), nil
}

// readMapping reads a mapping, or the name of a shipped one.
func readMapping(o *object, n node) (m *SourceMapping) {
	if n.kind == text {
		name, ok := value(o.reader, n, o.about("mapping"), oneOf(ShippedMappings()...))
		if !ok {
			return nil
		}
		m, err := ShippedMapping(name)
		if err == nil {
			m.Shipped = name
		} else {
			o.fault(n.place, "%s: %v", o.about("mapping"), err)
		}
		return m
	}
	o.object(n, o.about("mapping"), func(o *object) { m = mappingOf(o) })
	return m
}

func mappingOf(o *object) *SourceMapping {
	m := &SourceMapping{}
	m.Alerts, m.When = expression(o, "alerts"), expression(o, "when")
	m.Fingerprint, m.State = needed(o, "fingerprint"), needed(o, "state")
	m.Name, m.Link = expression(o, "name"), expression(o, "link")
	m.StartsAt, m.EndsAt = expression(o, "starts_at"), expression(o, "ends_at")
	m.Labels, m.Annotations = expressions(o, "labels"), expressions(o, "annotations")
	for _, n := range o.few("tags", maxPairs) {
		m.Tags = append(m.Tags, compiled(o, n, o.about("tags")))
	}
	for _, n := range o.few("group_by", maxGroupBy) {
		name, _ := value(o.reader, n, o.about("group_by"), aName)
		m.GroupBy = append(m.GroupBy, name)
	}
	o.once("group_by")
	return m
}

func needed(o *object, key string) condition.Value {
	if !o.has(key) {
		_, _ = need(o, key, aMappingExpression) // says that it is missing
		return condition.Value{}
	}
	return expression(o, key)
}

func expression(o *object, key string) condition.Value {
	if !o.has(key) {
		return condition.Value{}
	}
	return compiled(o, o.field(key), o.about(key))
}

func expressions(o *object, key string) (all []condition.Named) {
	n := o.field(key)
	for _, p := range pairs(o, key, aMappingExpression, optional) {
		for _, f := range n.fields {
			if f.key == p.key {
				all = append(all, condition.Named{Name: p.key, Value: compiled(o, f.value, o.about(key)+": "+p.key)})
			}
		}
	}
	return all
}

func compiled(o *object, n node, subject string) condition.Value {
	written, ok := value(o.reader, n, subject, aMappingExpression)
	if !ok {
		return condition.Value{}
	}
	v, err := condition.CompileValue(written)
	if fault, is := errors.AsType[*condition.Fault](err); is {
		o.fault(n.place, "%s %s: %s", subject, show(written), fault)
	}
	return v
}
