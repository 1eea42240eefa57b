package node

import (
	"context"
	"time"

	"muster/internal/delivery"
	"muster/internal/metrics"
	"muster/internal/selfwatch"
	"muster/worker"
)

// tracker tells the self-watch and the metrics of deliveries.
type tracker struct {
	open   selfwatch.Deliveries
	counts *metrics.Delivery
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

// fallback tells people of what Muster has seen in itself, through a channel that needs no Temporal.
func (n *Node) fallback(ctx context.Context, text string) error {
	o := n.org.Current()
	to, contact, err := o.Fallback()
	if err != nil {
		return err
	}
	e := delivery.Envelope{
		ID: delivery.ID("self-watch/" + time.Now().UTC().Format(time.RFC3339Nano)), Attempt: 1, At: time.Now(), Contact: contact,
		Recipient: to, Message: delivery.Message{Kind: delivery.SelfWatch, Language: to.Language, Subject: "Muster", Text: text},
	}
	senders, err := worker.Senders(o, n.cfg.Data, n.cfg.Out)
	if err != nil {
		return err
	}
	return senders[contact.Type].Send(ctx, e)
}
