package activities

import (
	"context"
	"fmt"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/ticket"
)

// A RoomKeeper keeps rooms in a chat. The same room twice is one.
type RoomKeeper interface {
	// Keep makes the room if there is none, brings it up to date, and says where it is.
	Keep(ctx context.Context, r delivery.Room) (ticket.Ref, error)
}

// Rooms has the rooms of incidents.
type Rooms struct {
	Keeper  RoomKeeper
	Members func(people []string) []string // their identities in the chat, of those who have one
	Writer  Writer
	Page    func(incident.ID) string // where people find an incident, empty when they cannot; nil: nobody knows
}

// KeepRoomInput is how an incident stands that has a room.
type KeepRoomInput struct {
	Ref        ticket.Ref     `json:"ref"`     // empty: it has none yet
	Content    string         `json:"content"` // by which what is said is told apart
	Facts      incident.Facts `json:"facts"`
	Language   string         `json:"language"`
	Responders []string       `json:"responders,omitempty"` // IDs
	Archive    bool           `json:"archive,omitempty"`
}

// KeepRoom makes one attempt.
func (r *Rooms) KeepRoom(ctx context.Context, in KeepRoomInput) (ticket.Ref, error) {
	telling, to := incident.Telling{Kind: delivery.Ticket, Facts: in.Facts.Discreet()}, delivery.Recipient{Language: in.Language}
	opening, err := r.Writer.Message(telling, to)
	if err != nil {
		return in.Ref, refused(fmt.Errorf("write for the room of %s: %w", in.Facts.ID, err))
	}
	telling.About = incident.AboutChange
	news, err := r.Writer.Message(telling, to)
	if err != nil {
		return in.Ref, refused(fmt.Errorf("write news for the room of %s: %w", in.Facts.ID, err))
	}
	room := delivery.Room{
		ID: in.Ref.ID, Key: string(in.Facts.ID), Title: opening.Subject, Private: in.Facts.Kind != "", Opening: opening, News: news,
		Said: delivery.ID(string(in.Facts.ID) + "/room/" + in.Content), Members: r.Members(in.Responders), Archive: in.Archive,
	}
	if r.Page != nil {
		room.Link = r.Page(in.Facts.ID)
	}
	ref, err := r.Keeper.Keep(ctx, room)
	return ref, ended(fmt.Sprintf("keep room of %s", in.Facts.ID), err)
}
