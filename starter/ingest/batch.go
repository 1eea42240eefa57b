package ingest

import (
	"crypto/rand"
	"time"

	"muster/internal/alert"
	"muster/internal/priority"
)

// Limits of one batch.
const (
	BatchAlerts = 500
	BatchBytes  = 256 << 10 // of JSON

	batchFrame = 512 // JSON of a batch beside its alerts, at most
)

// A signal is what a repeat repeats: one alert's beginning or end.
type signal struct {
	fingerprint string
	startsAt    time.Time
	state       alert.State
}

// batch takes as much off the posts of a group as one commit can carry, in order of arrival. The posts it returns stay in
// the group until they are settled; only the last of them may have alerts left.
func (c *committer) batch(g *group) (b alert.Batch, carried []*post) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes, at := batchFrame, map[signal]int{}
	for _, p := range g.posts {
		begun := p.next
		for ; p.next < len(p.alerts); p.next++ {
			a := &p.alerts[p.next]
			s := signal{a.Fingerprint, a.StartsAt, a.State}
			if i, repeat := at[s]; repeat {
				b.Alerts[i].Times++
				if a.Until.After(b.Alerts[i].Until) {
					b.Alerts[i].Until = a.Until
				}
				continue
			}
			if bytes += a.bytes; len(b.Alerts) == BatchAlerts || bytes > BatchBytes {
				break
			}
			at[s] = len(b.Alerts)
			b.Alerts = append(b.Alerts, alert.Received{Alert: a.Alert, Times: 1})
		}
		if p.next == begun {
			break
		}
		carried = append(carried, p)
		if begun == 0 {
			b.Posts++
		}
		b.Truncated = max(b.Truncated, p.truncated)
		b.Impact, b.Urgency = priority.Higher(b.Impact, p.impact), priority.Higher(b.Urgency, p.urgency)
		b.GroupResolved = p.resolved && p.next == len(p.alerts)
		if p.next < len(p.alerts) {
			break
		}
	}
	if len(carried) > 0 {
		b.ID, b.Source, b.ReceivedAt = rand.Text(), carried[0].source, carried[0].received
	}
	return b, carried
}
