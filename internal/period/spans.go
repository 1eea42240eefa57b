package period

import (
	"slices"
	"time"
)

// A Span is from one instant until just before another.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (s Span) empty() bool { return !s.From.Before(s.To) }

// within is the part of a span that lies in another.
func (s Span) within(o Span) Span {
	if s.From.Before(o.From) {
		s.From = o.From
	}
	if o.To.Before(s.To) {
		s.To = o.To
	}
	return s
}

// joined are the times that any of some spans has, in their order and none twice.
func joined(all []Span) (out []Span) {
	all = slices.DeleteFunc(slices.Clone(all), Span.empty)
	slices.SortFunc(all, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// common are the times that both have.
func common(a, b []Span) (out []Span) {
	a, b = joined(a), joined(b)
	for _, s := range a {
		for _, o := range b {
			if both := s.within(o); !both.empty() {
				out = append(out, both)
			}
		}
	}
	return out
}

// without are the times of a that b does not have.
func without(a, b []Span) []Span {
	out := joined(a)
	for _, hole := range joined(b) {
		var left []Span
		for _, s := range out {
			for _, rest := range []Span{{s.From, earlier(s.To, hole.From)}, {later(s.From, hole.To), s.To}} {
				if !rest.empty() {
					left = append(left, rest)
				}
			}
		}
		out = left
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lasted is how long some spans are together.
func lasted(all []Span) (sum time.Duration) {
	for _, s := range joined(all) {
		sum += s.To.Sub(s.From)
	}
	return sum
}
