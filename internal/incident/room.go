package incident

import (
	"fmt"
	"strings"
	"time"

	"muster/internal/priority"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// A RoomRule says which incidents get a room in a chat, where those who respond to them talk.
type RoomRule struct {
	FromPriority priority.Priority `json:"from_priority"` // that priority and every more pressing one
}

// Room is where those who respond talk, and what was last said there.
type Room struct {
	Ref      ticket.Ref `json:"ref,omitzero"`
	Said     string     `json:"said,omitempty"`     // what was tried last …
	Told     int        `json:"told,omitempty"`     // … and how often anything was: the same may come again
	Failed   bool       `json:"failed,omitempty"`   // that stands in the timeline already
	Disabled bool       `json:"disabled,omitempty"` // the chat has refused it for good
	Archived bool       `json:"archived,omitempty"`
}

// keepRoom makes the room when the incident is pressing enough, and tells it what has become of the incident and who responds. A room that
// there is stays although the incident becomes less pressing.
func (i *Incident) keepRoom(now time.Time) {
	rule := i.Definition.Room
	if rule == nil || i.Room.Disabled || i.Room.Archived || i.has(KeepRoom) {
		return
	}
	if i.Room.Ref.ID == "" && (i.Priority > rule.FromPriority || !i.Status.Open()) {
		return
	}
	if state := i.roomState(); state != i.Room.Said {
		i.begin(Send{Work: KeepRoom, Content: state}, now)
	}
}

// roomState is what a room is told of.
func (i *Incident) roomState() string {
	return fmt.Sprintf("%s/%s/%d", i.Status, i.Priority, len(i.Responders))
}

// Archives tells whether a room is done with once it has heard what a send is for.
func (s *Send) Archives() bool {
	return s.Work == KeepRoom && strings.HasPrefix(s.Content, string(Closed)+"/")
}

// RoomKept takes in that the room knows what a send was for.
func (i *Incident) RoomKept(number int, ref ticket.Ref, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	archived := s.Archives()
	i.Room.Said, i.Room.Told = s.Content, i.Room.Told+1
	i.drop(number)
	if i.Room.Ref.ID == "" {
		i.Room.Ref = ref
		i.record(now, timeline.RoomOpened, timeline.Muster(), timeline.F("room", ref.ID), timeline.F("url", ref.URL))
	}
	if archived { // else it has closed meanwhile, which the room hears next
		i.Room.Archived = true
		i.record(now, timeline.RoomArchived, timeline.Muster(), timeline.F("room", i.Room.Ref.ID))
	}
}

// RoomMissed takes in that the room could not be told, for a long time or, when it was refused, for good. Else it is tried again with the next
// change. The incident goes on without.
func (i *Incident) RoomMissed(number int, detail string, refused bool, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	i.Room.Said, i.Room.Told, i.Room.Disabled = s.Content, i.Room.Told+1, refused
	i.drop(number)
	if !i.Room.Failed || refused {
		i.Room.Failed = true
		i.record(now, timeline.RoomFailed, timeline.Muster(), timeline.F("room", i.Room.Ref.ID), timeline.F("detail", detail))
	}
}
