package workflows

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
)

// HeldBatch is a batch of alerts that are held back, with the incident that they would have opened.
type HeldBatch struct {
	Key        string              `json:"key"` // workflow id of the incident
	Definition incident.Definition `json:"definition"`
	Batch      alert.Batch         `json:"batch"`
	Size       int                 `json:"size,omitempty"` // of the definition as JSON, about
	// Ends says that the batch has nothing but ends of alerts that the silence may have: those of others are none of its business.
	Ends bool `json:"ends,omitempty"`
}

// How much a silence holds: beyond it something else is wrong, and people are paged.
const (
	mostHeldAlerts  = 100 // different ones
	mostHeldBatches = 300
	mostHeldBytes   = 1 << 20 // that go from one run to the next
)

// A HeldGroup is what would be one incident.
type HeldGroup struct {
	Key        string              `json:"key"`
	Definition incident.Definition `json:"definition"`
	Size       int                 `json:"size,omitempty"` // of the definition
	Batches    []alert.Batch       `json:"batches"`
	Alerts     alert.Set           `json:"alerts"`

	sent     int         // batches that have gone to the incident
	incident incident.ID // to which they have gone
	leaving  bool        // it is on its way to the incident
	lost     bool        // it never gets there
}

// due tells whether there is something to go to the incident: all of it where something fires, and whatever comes after that.
func (g *HeldGroup) due() bool {
	return !g.lost && g.sent < len(g.Batches) && (g.sent > 0 || !g.Alerts.AllResolved())
}

// over tells whether all that it has is resolved, and was never told.
func (g *HeldGroup) over() bool { return g.sent == 0 && !g.leaving && g.Alerts.AllResolved() }

// holding takes alerts that are held back, and brings what still fires to its incidents.
type holding struct {
	ctx     workflow.Context
	since   time.Time // nothing that was signed long before is taken
	batches workflow.ReceiveChannel
	heard   int
	groups  []HeldGroup
	// fired is told of each alert that began to fire.
	fired func(def *incident.Definition, a alert.Alert, at time.Time)
	// forgets says that it may last for weeks: what has resolved is kept only while there is room, and what only comes again not at all.
	forgets bool
	holder  *alert.Holder // what incidents are told of where their alerts were

	leaving int   // groups that are on their way to their incidents
	left    bool  // one of them is there
	failed  error // why some of them never get there
}

func (h *holding) full() bool { return h.overflows(0) }

// overflows tells whether there is too much with so many alerts more.
func (h *holding) overflows(more int) bool {
	distinct, batches := 0, h.heard
	if h.forgets {
		batches = 0
	}
	for n := range h.groups {
		distinct += h.groups[n].Alerts.Distinct()
		if h.forgets {
			batches += len(h.groups[n].Batches)
		}
	}
	return distinct+more > mostHeldAlerts || batches > mostHeldBatches || h.forgets && h.bytes() > mostHeldBytes
}

// bytes is about how much a new run is given.
func (h *holding) bytes() (all int) {
	for n := range h.groups {
		g := &h.groups[n]
		all += g.Size + g.Alerts.Bytes
		for _, b := range g.Batches {
			all += b.Size()
		}
	}
	return all
}

// receive takes in what has arrived, as soon as it is proven that an intake of this installation has sent it.
func (h *holding) receive() {
	heard := drained[HeldBatch](h.batches)
	if len(heard) == 0 {
		return
	}
	fresh := signature.Freshness{Not: h.since, Within: Tolerance}
	claims := make([]Claim, len(heard))
	for n, m := range heard {
		claims[n] = claim(h.ctx, HeldAlertsSignal, m, fresh)
	}
	admit(h.ctx, claims, func(n int, why string) { // what is refused stands in the log of refused messages
		if why == "" {
			h.take(heard[n].Body)
		}
	})
}

func (h *holding) take(m HeldBatch) {
	m.Batch = readable(h.ctx, m.Batch)
	if h.forgets || m.Ends {
		if m.Batch = h.concerning(m); len(m.Batch.Alerts) == 0 {
			return
		}
	}
	if h.forgets {
		h.makeRoom(len(m.Batch.Alerts))
	}
	n := h.group(m.Key)
	h.heard++
	if n < 0 {
		n = len(h.groups)
		h.groups = append(h.groups, HeldGroup{Key: m.Key})
	}
	g := &h.groups[n]
	c := g.Alerts.Apply(m.Batch)
	if (m.Batch.TimesOut() || h.forgets) && len(c.Fired)+len(c.Resolved)+c.Uncertain == 0 { // they come again every minute, which says only how long they last
		h.heard--
		return
	}
	// An end may tell nothing by which its route is found, and a body that only says what is over may be routed otherwise: it opens nothing.
	if g.Batches = append(g.Batches, m.Batch); !m.Ends && (len(c.Fired) > 0 || !h.forgets || len(g.Batches) == 1) {
		g.Definition, g.Size = m.Definition, m.Size
	}
	for _, a := range c.Fired {
		h.fired(&g.Definition, a, m.Batch.ReceivedAt)
	}
	if h.forgets {
		if g.over() {
			g.Batches = nil
		}
		h.makeRoom(0) // by what has come it may be too much, though there was room for so many alerts
	}
}

func (h *holding) group(key string) int {
	return slices.IndexFunc(h.groups, func(g HeldGroup) bool { return g.Key == key })
}

// concerning is what of a batch a group wants to know: the end of an alert that is not held is none of its business.
func (h *holding) concerning(m HeldBatch) alert.Batch {
	n := h.group(m.Key)
	if n < 0 {
		var none alert.Set
		return none.Concerning(m.Batch)
	}
	g := &h.groups[n]
	g.Alerts.Expire(workflow.Now(h.ctx)) // what comes again after its time fires anew
	return g.Alerts.Concerning(m.Batch)
}

// makeRoom forgets what has resolved. As long as there is room, a late repeat of it is known as such.
func (h *holding) makeRoom(alerts int) {
	for h.overflows(alerts) {
		n := slices.IndexFunc(h.groups, func(g HeldGroup) bool { return g.over() })
		if n < 0 {
			return
		}
		h.groups = slices.Delete(h.groups, n, n+1)
	}
}

// expire resolves what has not come again in time.
func (h *holding) expire() {
	for n := range h.groups {
		h.groups[n].Alerts.Expire(workflow.Now(h.ctx))
	}
}

func (h *holding) unsent() bool {
	return slices.ContainsFunc(h.groups, func(g HeldGroup) bool { return g.due() })
}

// let begins to bring what still fires to its incidents, as it came. Each group goes by itself, so that an incident that cannot be reached
// keeps no other waiting, and waits for nobody here.
func (h *holding) let() {
	h.left = false
	for n := range h.groups {
		g := &h.groups[n]
		if g.leaving || !g.due() {
			continue
		}
		g.leaving = true
		h.leaving++
		key := g.Key // others come and go, so that the group may stand elsewhere afterwards
		workflow.Go(h.ctx, func(ctx workflow.Context) {
			err := h.letGroup(ctx, key)
			g := &h.groups[h.group(key)]
			g.leaving, g.lost = false, err != nil
			h.leaving--
			h.left, h.failed = true, errors.Join(h.failed, err)
		})
	}
}

// giveBack brings all that has come to its incidents, as if nothing had been held back.
func (h *holding) giveBack() error {
	for {
		h.receive()
		h.let()
		if h.batches.Len() == 0 && h.leaving == 0 {
			return h.failed
		}
		if err := workflow.Await(h.ctx, func() bool { return h.batches.Len() > 0 || h.left }); err != nil {
			return err
		}
	}
}

// letInTurn brings one group after the other, and returns when all are there.
func (h *holding) letInTurn() error {
	for n := range h.groups {
		if err := h.letGroup(h.ctx, h.groups[n].Key); err != nil {
			return err
		}
	}
	return nil
}

// letGroup brings what one group has to its incident, for as long as it takes.
func (h *holding) letGroup(ctx workflow.Context, key string) error {
	options := sending(paging, planrun.Priority) // by the workers that start incidents
	options.TaskQueue = TaskQueue
	ctx = workflow.WithActivityOptions(ctx, options)
	for {
		g := &h.groups[h.group(key)]
		if !g.due() {
			return nil
		}
		in := activities.LetAlertsInput{Incident: g.Key, Definition: g.Definition, Batch: g.Alerts.Extended(g.Batches[g.sent])}
		if h.holder != nil && g.sent == 0 {
			from := *h.holder
			from.Since = g.Batches[0].ReceivedAt
			in.Batch.Held = &from
		}
		var id incident.ID
		if err := workflow.ExecuteActivity(ctx, environments.LetAlerts, in).Get(ctx, &id); err != nil {
			return err
		}
		g = &h.groups[h.group(key)]
		g.incident, g.sent = cmp.Or(id, g.incident), g.sent+1
	}
}
