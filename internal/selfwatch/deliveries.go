package selfwatch

import (
	"sync"
	"time"
)

// Deliveries knows the deliveries of this process that have no outcome yet. Activities tell it of each attempt. The
// zero value is ready for use.
type Deliveries struct {
	mu   sync.Mutex
	open map[string]span
}

// A span is one delivery since it was scheduled, and until when this process must have heard of it again.
type span struct{ scheduled, until time.Time }

// margin is how long an attempt may wait for its turn. When all turns are taken for longer, the backlog tells it.
const margin = time.Minute

// UnderWay tells that a delivery, scheduled at an instant, is being tried or waits for its next attempt. One of which
// nothing more is heard by another instant was taken back, or another worker has it: it leaves without a word. Told
// again, as after a new run has sent it again, a delivery keeps its earliest beginning.
func (d *Deliveries) UnderWay(id string, scheduled, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[string]span{}
	}
	if s, known := d.open[id]; known && s.scheduled.Before(scheduled) {
		scheduled = s.scheduled
	}
	d.open[id] = span{scheduled, until}
}

// Ended tells that a delivery has its outcome, whichever.
func (d *Deliveries) Ended(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, id)
}

// Open returns how many deliveries have no outcome and how old the oldest is, and forgets those that did not come back.
func (d *Deliveries) Open(now time.Time) (count int, oldest time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, s := range d.open {
		if now.Sub(s.until) > margin {
			delete(d.open, id)
			continue
		}
		count++
		oldest = max(oldest, now.Sub(s.scheduled))
	}
	return count, oldest
}
