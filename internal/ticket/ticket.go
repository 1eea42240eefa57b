// Package ticket describes a ticket in somebody's ticket system, as Muster opens it and keeps it up to date.
package ticket

import "time"

// A Ref names a ticket in its system.
type Ref struct {
	ID  string `json:"id"`
	URL string `json:"url,omitempty"`
}

// A Ticket is everything Muster says in a ticket at one moment. It is written whole: an update with a smaller Revision
// than the one a system already has is old news and changes nothing.
type Ticket struct {
	Key      string    `json:"key"` // idempotency key: opening twice with one key gives one ticket
	Revision int       `json:"revision"`
	At       time.Time `json:"at"`
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Status   string    `json:"status"`
	Priority string    `json:"priority"`
	Service  string    `json:"service"`
	Language string    `json:"language"`
}
