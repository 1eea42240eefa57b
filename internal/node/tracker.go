package node

import (
	"context"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/metrics"
	"muster/internal/selfwatch"
	"muster/worker"
)

// tracker counts deliveries and knows which have no outcome yet.
type tracker struct {
	open   selfwatch.Deliveries
	counts *metrics.Delivery
	began  sync.Map // delivery.ID → time.Time of the first attempt in this process
}

// Began tells that an attempt is made.
func (t *tracker) Began(id delivery.ID, scheduled time.Time) {
	t.began.LoadOrStore(id, scheduled)
	t.open.Began(string(id), scheduled)
	t.open.Attempted(string(id), time.Now())
}

// Ended tells that a delivery has its outcome.
func (t *tracker) Ended(id delivery.ID, kind delivery.Kind, result delivery.Result) {
	t.open.Ended(string(id))
	var took time.Duration
	if at, ok := t.began.LoadAndDelete(id); ok {
		took = time.Since(at.(time.Time))
	}
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
