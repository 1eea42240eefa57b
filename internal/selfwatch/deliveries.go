package selfwatch

import (
	"sync"
	"time"
)

// Deliveries knows the deliveries of this process that have no outcome yet. Activities tell it of each attempt. The
// zero value is ready for use.
type Deliveries struct {
	// Expire is how long a delivery is remembered after its last attempt; 30 min. It must be longer than the longest
	// wait between two attempts. A delivery that another worker goes on with, or that was taken back between two
	// attempts, is never reported as ended here and leaves in this way.
	Expire time.Duration

	mu   sync.Mutex
	open map[string]span
}

// A span is one delivery from its beginning to its last attempt up to now.
type span struct{ began, last time.Time }

// Began tells that a delivery was scheduled at an instant. Told again, at each attempt, it keeps the earliest.
func (d *Deliveries) Began(id string, at time.Time) { d.touch(id, at) }

// Attempted tells that an attempt began or ended at an instant without giving the delivery its outcome.
func (d *Deliveries) Attempted(id string, at time.Time) { d.touch(id, at) }

// touch stretches the span of a delivery so that it holds the instant.
func (d *Deliveries) touch(id string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[string]span{}
	}
	s, known := d.open[id]
	if !known || at.Before(s.began) {
		s.began = at
	}
	if !known || at.After(s.last) {
		s.last = at
	}
	d.open[id] = s
}

// Ended tells that a delivery has its outcome, whichever.
func (d *Deliveries) Ended(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, id)
}

// Open returns how many deliveries have no outcome and how old the oldest is, and forgets those that are no longer
// attempted.
func (d *Deliveries) Open(now time.Time) (count int, oldest time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, s := range d.open {
		if now.Sub(s.last) > or(d.Expire, 30*time.Minute) {
			delete(d.open, id)
			continue
		}
		count++
		oldest = max(oldest, now.Sub(s.began))
	}
	return count, oldest
}
