package node

import (
	"context"
	"time"

	"muster/internal/delivery"
	"muster/internal/metrics"
	"muster/internal/reach"
	"muster/internal/selfwatch"
	"muster/worker"
)

// tracker tells the self-watch and the metrics of deliveries.
type tracker struct {
	open   selfwatch.Deliveries
	counts *metrics.Delivery

	reports *reports
}

// UnderWay tells that a delivery is being tried or waits for its next attempt.
func (t *tracker) UnderWay(id delivery.ID, scheduled, until time.Time) {
	t.open.UnderWay(string(id), scheduled, until)
}

// Ended tells that a delivery has its outcome.
func (t *tracker) Ended(id delivery.ID, kind delivery.Kind, result delivery.Result, took time.Duration) {
	t.open.Ended(string(id))
	t.counts.Ended(string(kind), string(result), took)
}

// Tried tells what has come of an attempt to reach somebody. Test pages are in the ledger already.
func (t *tracker) Tried(w reach.Way, kind delivery.Kind, result reach.Result) {
	t.counts.Tried(w.To, w.Method, string(result))
	if kind != delivery.Test {
		t.reports.tried(reach.Try{Way: w, Result: result, At: time.Now()})
	}
}

// fallback tells people of what Muster has seen in itself, through a channel that needs no Temporal.
func (n *Node) fallback(ctx context.Context, text string) error {
	o := n.org.Current()
	to, contact, err := o.Fallback()
	if err != nil {
		return err
	}
	return n.send(ctx, to, contact, delivery.Message{Kind: delivery.SelfWatch, Subject: "Muster", Text: text})
}

// send sends a message by itself, without Temporal.
func (n *Node) send(ctx context.Context, to delivery.Recipient, contact delivery.Contact, m delivery.Message) error {
	m.Language = to.Language
	e := delivery.Envelope{
		ID: delivery.ID(string(m.Kind) + "/" + time.Now().UTC().Format(time.RFC3339Nano)), Attempt: 1, At: time.Now(), Contact: contact,
		Recipient: to, Message: m,
	}
	senders, err := worker.Senders(n.org.Current(), n.cfg.Data, n.cfg.Out)
	if err != nil {
		return err
	}
	return senders[contact.Type].Send(ctx, e)
}
