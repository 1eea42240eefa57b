package org

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Everything that knows the YAML library stands in this file: it turns a file into nodes, and nothing that YAML guesses
// about a value survives. A time, a version or a "no" is the text that stands there.

// A place is where something stands in a file of the folder.
type place struct {
	file         string
	line, column int
}

// kind tells apart what a node can be.
type kind int

const (
	absent   kind = iota // nothing, or YAML's null
	text                 // one value
	list                 // values
	mapping              // keys and values
	anything             // whatever is asked for, to draw a schema
)

// A node is one value of a definition file.
type node struct {
	place
	kind   kind
	text   string
	items  []node  // of a list
	fields []field // of a mapping, in the order of the file, each key once
	sketch *sketch // of anything
}

// A field is one key of a mapping with its value.
type field struct {
	place
	key   string
	value node
}

const (
	maxDepth  = 24
	noAnchors = "anchors (&) and aliases (*) are not allowed: write the value out"
)

// parse reads the one YAML document of a file. Anchors, aliases and tags are refused: a reviewer, and a program that
// compares two versions of a line, must see what it means.
func parse(file string, content []byte) (node, []Fault) {
	p := parser{file: file}
	if !utf8.Valid(content) {
		p.fault(0, 0, "not UTF-8 text")
		return node{}, p.faults
	}
	l, err := yaml.NewLoader(bytes.NewReader(content), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		p.fault(0, 0, err.Error())
		return node{}, p.faults
	}
	var doc, second yaml.Node
	switch err := l.Load(&doc); {
	case errors.Is(err, io.EOF):
		return node{place: place{file, 1, 1}}, nil
	case err != nil:
		p.refuse(err)
		return node{}, p.faults
	}
	if err := l.Load(&second); err == nil {
		p.fault(second.Line, second.Column, "a second document begins here; want one per file, without another ---")
	} else if !errors.Is(err, io.EOF) {
		p.refuse(err)
	}
	return p.node(doc.Content[0]), p.faults
}

type parser struct {
	file   string
	faults []Fault
}

func (p *parser) fault(line, column int, text string) {
	p.faults = append(p.faults, Fault{File: p.file, Line: line, Column: column, Text: text})
}

// refuse says in the operator's words what the library could not read.
func (p *parser) refuse(err error) {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		p.fault(0, 0, err.Error())
		return
	}
	words := e.Message
	switch {
	case strings.HasPrefix(words, "mapping values are not allowed"):
		words = `a ":" that begins no value here: put text with a colon in quotes, or check the indentation`
	case strings.HasPrefix(words, "found character that cannot start any token"):
		words = "a character that cannot begin a value: indent with spaces, never tabs, and put such text in quotes"
	case strings.HasPrefix(words, "unknown anchor"):
		p.fault(e.Mark.Line, e.Mark.Column, noAnchors)
		return
	case strings.HasPrefix(words, "exceeded max depth"):
		words = "lists and keys stand too deep in one another"
	}
	p.fault(e.Mark.Line, e.Mark.Column, "not YAML: "+words)
}

func (p *parser) node(y *yaml.Node) node {
	n := node{place: place{p.file, y.Line, y.Column}}
	switch {
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		p.fault(y.Line, y.Column, noAnchors)
	case y.Style&yaml.TaggedStyle != 0:
		p.fault(y.Line, y.Column, "tags (!) are not allowed: write the value alone")
	}
	switch y.Kind {
	case yaml.ScalarNode:
		n.kind, n.text = text, y.Value
		if y.ShortTag() == "!!null" {
			n.kind = absent
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, item := range y.Content {
			n.items = append(n.items, p.node(item))
		}
	case yaml.MappingNode:
		n.kind = mapping
		p.fields(&n, y.Content)
	}
	return n
}

func (p *parser) fields(n *node, pairs []*yaml.Node) {
	first := make(map[string]int, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := pairs[i], p.node(pairs[i+1])
		if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0 {
			p.fault(key.Line, key.Column, "a key that is not plain text")
			continue
		}
		if line, twice := first[key.Value]; twice {
			p.fault(key.Line, key.Column, fmt.Sprintf("key %s: stands in line %d already", show(key.Value), line))
			continue
		}
		first[key.Value] = key.Line
		n.fields = append(n.fields, field{place{p.file, key.Line, key.Column}, key.Value, value})
	}
}
