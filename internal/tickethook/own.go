package tickethook

import (
	"fmt"

	"muster/internal/incident"
	"muster/internal/ticket"
)

// ownHook is what a program of one's own posts. It is on the wire: add fields, never rename them.
type ownHook struct {
	Type string     `json:"type"` // ticket.commented, ticket.resolved or ticket.reopened
	ID   string     `json:"id"`   // the same whenever it is posted
	Key  string     `json:"key"`  // the ticket's, as it was opened with
	Ref  ticket.Ref `json:"ref"`
	By   string     `json:"by"`
	Text string     `json:"text"`
	At   string     `json:"at"`
}

func readOwn(_ *System, body []byte) (post, error) {
	var h ownHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	p := post{id: h.ID, ref: h.Ref.ID, by: h.By, at: instant(h.At)}
	switch {
	case h.ID == "":
		return p, fmt.Errorf("id: missing; want one that is the same whenever this is posted")
	case h.At != "" && p.at.IsZero():
		return p, fmt.Errorf("at %q: want RFC 3339, such as 2026-11-22T10:00:00Z", ticket.Cut(h.At, 40))
	case incident.IsID("INC-", h.Key):
		p.labels = []string{labelPrefix + h.Key}
	}
	switch h.Type {
	case "ticket.commented":
		p.comment = h.Text
	case "ticket.resolved":
		p.deed, p.why = ticket.Resolved, h.Text
	case "ticket.reopened":
		p.deed, p.why = ticket.Reopened, h.Text
	default:
		return p, fmt.Errorf("type %q: want ticket.commented, ticket.resolved or ticket.reopened", ticket.Cut(h.Type, 40))
	}
	return p, nil
}
