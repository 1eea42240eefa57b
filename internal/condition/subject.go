package condition

import (
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"muster/internal/alert"
)

// The variables of a condition.
const (
	labelsVar = "labels"
	sourceVar = "source"
	nameVar   = "name"

	nameLabel = "alertname" // whose value name is
)

// A subject is the alert that a condition is asked about.
type subject struct {
	source string
	labels alert.Labels
}

// ResolveName returns the value of a variable.
func (s *subject) ResolveName(name string) (any, bool) {
	switch name {
	case labelsVar:
		return held(s.labels), true
	case nameVar:
		return types.String(clip(s.labels.Value(nameLabel))), true
	case sourceVar:
		return types.String(s.source), true
	}
	return nil, false
}

// Parent returns nil: there is nothing else.
func (s *subject) Parent() cel.Activation { return nil }

// held are an alert's labels as CEL's map from string to string, in which every label has a value.
type held alert.Labels

var _ traits.Mapper = held(nil)

func (h held) value(key ref.Val) (string, bool) {
	k, ok := key.(types.String)
	return clip(alert.Labels(h).Value(string(k))), ok
}

// Find returns the value of a label, the empty string when there is none.
func (h held) Find(key ref.Val) (ref.Val, bool) {
	v, ok := h.value(key)
	return types.String(v), ok
}

// Get is Find for a key in brackets.
func (h held) Get(key ref.Val) ref.Val {
	v, ok := h.value(key)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key)
	}
	return types.String(v)
}

// Contains tells whether a label says something.
func (h held) Contains(key ref.Val) ref.Val {
	v, _ := h.value(key)
	return types.Bool(v != "")
}

// The other things that can be asked of a map are rare: a plain map answers them.

// ConvertToNative returns the labels as a Go value.
func (h held) ConvertToNative(t reflect.Type) (any, error) { return h.plain().ConvertToNative(t) }

// ConvertToType returns the labels as a value of another type.
func (h held) ConvertToType(t ref.Type) ref.Val { return h.plain().ConvertToType(t) }

// Equal compares with another map.
func (h held) Equal(other ref.Val) ref.Val {
	if o, ok := other.(held); ok {
		other = o.plain()
	}
	return h.plain().Equal(other)
}

// Type returns that of maps.
func (h held) Type() ref.Type { return types.MapType }

// Value returns a Go map.
func (h held) Value() any { return h.plain().Value() }

// Iterator goes through the names of labels.
func (h held) Iterator() traits.Iterator { return h.plain().Iterator() }

// Size counts the labels.
func (h held) Size() ref.Val { return h.plain().Size() }

// plain leaves out what is empty.
func (h held) plain() traits.Mapper {
	m := make(map[string]string, len(h))
	for _, l := range h {
		if l.Value != "" {
			m[l.Name] = clip(l.Value)
		}
	}
	return types.NewStringStringMap(types.DefaultTypeAdapter, m)
}
