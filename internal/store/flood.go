package store

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// most is how many attempts of one source are written within a minute, and sources how many sources are told apart: those
// beyond are one, so that a flood from everywhere fills no disk.
const (
	most    = 60
	sources = 16
)

// A source is what a flood comes from.
type source struct {
	kind   AttemptKind
	remote string
}

// A minute counts the attempts of one source from its first one on.
type minute struct {
	source
	from time.Time
	seen int
}

func (m *minute) end() time.Time { return m.from.Add(time.Minute) }

// A flood knows the minutes that run, in the order in which they began. A clock that was set back lets a later one end sooner.
type flood struct {
	mu    sync.Mutex
	order []*minute
	last  map[source]*minute
}

// ended are the minutes that are over.
func (f *flood) ended(now time.Time) (over []*minute) {
	for _, m := range f.order {
		if !now.Before(m.end()) {
			over = append(over, m)
		}
	}
	return over
}

// minute is the one that runs for an attempt, or a new one that does not count yet.
func (f *flood) minute(a Attempt, now time.Time) *minute {
	of := source{a.Kind, a.Remote}
	if f.last[of] == nil && len(f.order) >= sources {
		of = source{kind: a.Kind}
	}
	if m := f.last[of]; m != nil && now.Before(m.end()) {
		return m
	}
	return &minute{source: of, from: now}
}

// count takes one more attempt into a minute.
func (f *flood) count(m *minute) {
	if m.seen == 0 {
		if f.last == nil {
			f.last = map[source]*minute{}
		}
		f.last[m.source] = m
		f.order = append(f.order, m)
	}
	m.seen++
}

// drop forgets minutes.
func (f *flood) drop(over []*minute) {
	for _, m := range over {
		if f.last[m.source] == m { // a clock that was set back may have let a second minute begin
			delete(f.last, m.source)
		}
	}
	f.order = slices.DeleteFunc(f.order, func(m *minute) bool { return slices.Contains(over, m) })
}

// rests are the entries that say how many attempts of some minutes were counted and not written.
func rests(minutes []*minute, now time.Time) []*Attempt {
	var entries []*Attempt
	for _, m := range minutes {
		if m.seen <= most {
			continue
		}
		at := m.end()
		if now.Before(at) {
			at = now
		}
		detail := fmt.Sprintf("and %d more within a minute", m.seen-most)
		entries = append(entries, &Attempt{At: stored(at), Kind: m.kind, Remote: m.remote, Detail: detail})
	}
	return entries
}
