// Package ticket describes a ticket in somebody's ticket system, as Muster opens it and keeps it up to date.
package ticket

import (
	"strings"
	"time"
	"unicode/utf8"
)

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
	Note     string    `json:"note,omitempty"` // what a comment says when the status or the priority is another one
	URL      string    `json:"url,omitempty"`  // where people find Muster, when it has a public address
	Since    time.Time `json:"since,omitzero"` // the ticket is not older than that
}

// Heading is the title in at most so many characters. It always names the key, by which systems can be searched.
func (t Ticket) Heading(most int) string {
	named, rest := t.Title, ""
	if !strings.Contains(t.Title, t.Key) || utf8.RuneCountInString(t.Title) > most {
		rest = " (" + t.Key + ")"
		named = strings.TrimSuffix(named, rest)
	}
	return strings.TrimSpace(Cut(named, most-utf8.RuneCountInString(rest)) + rest)
}

// Cut is text in at most so many characters.
func Cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:max(most-1, 0)]) + "…"
}
