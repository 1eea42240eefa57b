package activities

import (
	"context"
	"fmt"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/reach"
)

// A ContactDirectory knows also by which contact methods test pages go.
type ContactDirectory interface {
	Directory
	// ContactTests returns by which contact methods test pages may go, in the order of their names, and how often they do by
	// themselves: 0 when they do not.
	ContactTests(at time.Time) (all []reach.Candidate, every time.Duration)
	// HasContact tells whether somebody has a contact method.
	HasContact(w reach.Way) bool
	// ContactItem is what an action item for a contact method that fails begins with, but for its words. It says no where none is wanted.
	ContactItem(w reach.Way) (action.Asked, bool)
	// House is what a text says of the organisation: its name, language and zone.
	House() (name, language, zone string)
	// Action returns what the folder has to say of an action item.
	Action(a action.Asked) (action.Pinned, error)
}

// A ContactWriter writes test pages, and what is said of those that do not arrive.
type ContactWriter interface {
	// ContactTest writes a test page. With an error it still returns the bare facts.
	ContactTest(organisation, method string, to delivery.Recipient) (delivery.Message, error)
	ContactItem(p *reach.Page, t reach.Test, language, zone string) (title, text string, err error)
	ContactMended(language string) string
}

// ContactItems are action items, asked in Muster's name. The same id twice is one decision.
type ContactItems interface {
	// OpenItem opens one and returns its identity.
	OpenItem(ctx context.Context, id string, terms action.Terms) (string, error)
	// ItemOpen tells whether one is still to be done.
	ItemOpen(ctx context.Context, item string) (bool, error)
	// NoteItem writes into one. One that is over is left alone.
	NoteItem(ctx context.Context, id, item, text string) error
}

// Contacts has the effects of test pages.
type Contacts struct {
	Directory func() ContactDirectory
	Writer    ContactWriter
	Items     ContactItems
}

// DueTestPagesInput asks which test pages are due.
type DueTestPagesInput struct {
	Round  reach.Round     `json:"round"`
	Ways   []reach.Record  `json:"ways"` // what is known of all
	At     time.Time       `json:"at"`
	Seen   incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway bool            `json:"anyway,omitempty"` // takes an older folder too
}

// DueTestPages is one lot of test pages.
type DueTestPages struct {
	Folder  incident.Folder `json:"folder"`
	Pages   []reach.Page    `json:"pages,omitempty"`
	Skipped []Skipped       `json:"skipped,omitempty"` // who was asked for, and is not tested now
	Gone    []reach.Way     `json:"gone,omitempty"`    // ways that the folder does not have any more
	After   *reach.Way      `json:"after,omitempty"`   // the last way of this lot, when there may be more
	Next    time.Duration   `json:"next"`              // after which it is to be looked again what is due by itself
}

// Skipped is somebody who is not tested now.
type Skipped struct {
	Name  string `json:"name"`
	Cause string `json:"cause"`
}

const (
	lotOfTestPages = 50            // stands in the history with their texts
	lookOften      = time.Hour     // when test pages go out by themselves …
	lookSeldom     = 6 * time.Hour // … and when they do not, should the folder want them meanwhile
)

// DueTestPages returns to whom a test page goes now: in a round that a person has asked for, to everybody whom that means; else where
// one is due.
func (c *Contacts) DueTestPages(_ context.Context, in DueTestPagesInput) (DueTestPages, error) {
	dir := c.Directory()
	out := DueTestPages{Folder: dir.Folder(), Next: lookOften}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	all, every := dir.ContactTests(in.At)
	if every == 0 {
		out.Next = lookSeldom
	}
	for _, r := range in.Ways {
		if !dir.HasContact(r.Way) {
			out.Gone = append(out.Gone, r.Way)
		}
	}
	switch {
	case in.Round.Asked():
		all = c.asked(&out, in.Round, all)
	case every == 0:
		return out, nil
	default:
		all = reach.Due(all, in.Ways, every, in.At)
	}
	if len(all) > lotOfTestPages {
		all = all[:lotOfTestPages]
		last := all[lotOfTestPages-1]
		out.After = &reach.Way{To: last.To.ID, Method: last.Method}
	}
	name, _, _ := dir.House()
	for _, candidate := range all {
		p := reach.Page{To: candidate.To, Method: candidate.Method}
		p.Message, _ = c.Writer.ContactTest(name, p.Method, p.To) // with an error come the bare facts
		out.Pages = append(out.Pages, p)
	}
	return out, nil
}

// asked are those whom a round means that a person has asked for. Who is away or sleeps is skipped; the time of day is theirs who ask.
func (c *Contacts) asked(out *DueTestPages, r reach.Round, all []reach.Candidate) (meant []reach.Candidate) {
	skipped := ""
	for _, candidate := range all {
		w := reach.Way{To: candidate.To.ID, Method: candidate.Method}
		held := candidate.Held != "" && candidate.Held != reach.HeldByHours
		switch {
		case r.Person != "" && r.Person != w.To || r.After != nil && !r.After.Before(w):
		case held && skipped != w.To:
			skipped = w.To
			out.Skipped = append(out.Skipped, Skipped{candidate.To.Name, candidate.Held})
		case !held:
			meant = append(meant, candidate)
		}
	}
	return meant
}

// SettleTestPageInput is what has come of a test page.
type SettleTestPageInput struct {
	ID   string     `json:"id"` // of the delivery
	Page reach.Page `json:"page"`
	Test reach.Test `json:"test"`
	Item string     `json:"item,omitempty"` // the action item for the way, if there is one
}

// SettleTestPage opens an action item for a contact method that fails, unless one is open, and notes in it when it works again. It
// returns the one that is open now.
func (c *Contacts) SettleTestPage(ctx context.Context, in SettleTestPageInput) (item string, err error) {
	dir := c.Directory()
	_, language, zone := dir.House()
	if in.Test.Result == reach.Delivered {
		if in.Item == "" {
			return "", nil
		}
		if err := c.Items.NoteItem(ctx, in.ID, in.Item, c.Writer.ContactMended(language)); err != nil {
			return in.Item, fmt.Errorf("note in action item %s: %w", in.Item, err)
		}
		return "", nil
	}
	asked, wanted := dir.ContactItem(in.Page.Way())
	if !wanted { // the folder wants none, or has lost the contact method meanwhile
		return in.Item, nil
	}
	if in.Item != "" {
		if open, err := c.Items.ItemOpen(ctx, in.Item); err != nil || open {
			return in.Item, err
		}
	}
	const within = 7 * 24 * time.Hour
	asked.Kind, asked.Priority, asked.Due = action.Respond, priority.P3, in.Test.At.Add(within)
	if asked.Title, asked.Text, err = c.Writer.ContactItem(&in.Page, in.Test, language, zone); err != nil {
		return in.Item, err
	}
	terms := action.Terms{Asked: asked}
	if terms.Pinned, err = dir.Action(asked); err != nil {
		return in.Item, fmt.Errorf("open action item for contact method %s of %s: %w", in.Page.Method, in.Page.To.ID, err)
	}
	return c.Items.OpenItem(ctx, in.ID, terms)
}
