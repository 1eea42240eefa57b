package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Tickets is a ticket system behind one URL that takes whole tickets by POST.
type Tickets struct {
	Client *outbound.Client
	URL    string // may be secret
	Secret string // signs, when it is not empty
}

// ticketMessage is on the wire: add fields, never rename them.
type ticketMessage struct {
	Type   string        `json:"type"` // "ticket.open" or "ticket.update"
	ID     string        `json:"id"`   // the ticket's key, a slash and its revision
	Ref    *ticket.Ref   `json:"ref,omitempty"`
	Ticket ticket.Ticket `json:"ticket"`
}

// Open asks for a ticket. The receiver may answer {"id": …, "url": …}; without an id, the ticket's key names it.
func (s *Tickets) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	reply, err := s.post(ctx, ticketMessage{Type: "ticket.open", Ticket: t})
	if err != nil {
		return ticket.Ref{}, err
	}
	if reply.Cut != nil { // the id may have been in the rest; asking again under the same key gives the same ticket
		return ticket.Ref{}, &delivery.Unavailable{Detail: "the answer to the new ticket was cut off"}
	}
	return newRef(reply.Body, t.Key), nil
}

// Update sends the whole ticket again. A receiver that already has a newer revision must keep it.
func (s *Tickets) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	_, err := s.post(ctx, ticketMessage{Type: "ticket.update", Ref: &ref, Ticket: t})
	return err
}

func (s *Tickets) post(ctx context.Context, m ticketMessage) (outbound.Reply, error) {
	m.ID = fmt.Sprintf("%s/%d", m.Ticket.Key, m.Ticket.Revision)
	m.Ticket.At = m.Ticket.At.UTC()
	return post(ctx, s.Client, target{s.URL, s.Secret}, m.ID, m)
}

// newRef reads what a receiver calls its ticket. Receivers answer with all kinds of bodies ("ok", a page, nothing), so
// what is not understood is not an error. Only a web address becomes a link that people can follow.
func newRef(body []byte, key string) ticket.Ref {
	var answer struct {
		ID  any    `json:"id"` // text or number
		URL string `json:"url"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	_ = decoder.Decode(&answer)

	ref := ticket.Ref{ID: key}
	id, _ := answer.ID.(string)
	if n, ok := answer.ID.(json.Number); ok {
		id = n.String()
	}
	if id != "" && outbound.Line(id, 200) == id {
		ref.ID = id
	}
	ref.URL = outbound.Link(answer.URL)
	return ref
}
