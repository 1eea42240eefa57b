package incident_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// roomed brings an incident to now and answers what its room is told, as a chat that works does. It returns what that was.
func roomed(i *incident.Incident, now time.Time) (told []string) {
	for again := true; again; {
		again = false
		for _, s := range i.Advance(now) {
			if s.Work == incident.KeepRoom {
				told, again = append(told, s.Content), true
				i.RoomKept(s.Number, ticket.Ref{ID: "C1", URL: "https://chat.example/archives/C1"}, now)
			}
		}
	}
	return told
}

// An incident that is pressing enough, or becomes so, has a room that hears who responds and what has become of it, until it closes.
func TestAnIncidentHasARoom(t *testing.T) {
	def := definition()
	def.Room, def.Impact, def.Urgency = &incident.RoomRule{FromPriority: priority.P1}, priority.Low, priority.High
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, firing("a", start)), start)
	if told := roomed(i, start); len(told) > 0 || i.Priority == priority.P1 {
		t.Fatalf("an incident of %s: its room is told %v", i.Priority, told)
	}
	do := func(minute int, c incident.Command, by timeline.Actor) []string {
		t.Helper()
		now := start.Add(time.Duration(minute) * time.Minute)
		if err := i.Do(fmt.Sprint(minute), c, by, now); err != nil {
			t.Fatal(err)
		}
		return roomed(i, now)
	}
	for _, tt := range []struct {
		minute int
		c      incident.Command
		by     timeline.Actor
		want   string
	}{
		{1, incident.SetPriority{Impact: priority.High, Urgency: priority.High, Reason: "x"}, kim, "triggered/P1/0"},
		{2, incident.Acknowledge{}, kim, "acknowledged/P1/1"},
		{3, incident.Note{Text: "x"}, kim, ""},
		{4, incident.Acknowledge{}, park, "acknowledged/P1/2"},
		{5, incident.SetPriority{Impact: priority.Low, Urgency: priority.Low, Reason: "x"}, kim, "acknowledged/P5/2"},
		{6, incident.Resolve{Note: "x"}, kim, "resolved/P5/2"},
		{7, incident.Reopen{Reason: "x"}, kim, "triggered/P5/2"},
		{8, incident.Resolve{Note: "x"}, kim, "resolved/P5/2"},
		{9, incident.Close{Without: "x"}, kim, "closed/P5/2"},
	} {
		if told := do(tt.minute, tt.c, tt.by); strings.Join(told, ", ") != tt.want {
			t.Errorf("minute %d, %T: its room is told %v, want %s", tt.minute, tt.c, told, tt.want)
		}
		if open := tt.minute < 9; (len(i.Facts().Links) > 0 && i.Facts().Links[0].URL == i.Room.Ref.URL) != open || i.Room.Archived == open {
			t.Errorf("minute %d: links %v, archived %t", tt.minute, i.Facts().Links, i.Room.Archived)
		}
	}
	if i.Room.Told != 8 {
		t.Errorf("it was told %d times, want 8", i.Room.Told)
	}
}

// What was under way while the incident closed has not archived its room: it hears of the close next.
func TestARoomHearsOfACloseThatComesBetween(t *testing.T) {
	def := definition()
	def.Room = &incident.RoomRule{FromPriority: priority.P5}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, firing("a", start)), start)
	roomed(i, start)
	var under incident.Send
	for n, c := range []incident.Command{incident.Acknowledge{}, incident.Resolve{Note: "x"}, incident.Close{Without: "x"}} {
		if err := i.Do(fmt.Sprint(n), c, kim, start); err != nil {
			t.Fatal(err)
		}
		for _, s := range i.Advance(start) {
			if s.Work == incident.KeepRoom {
				under = s
			}
		}
	}
	if under.Number == 0 || under.Archives() {
		t.Fatalf("under way is %+v", under)
	}
	i.RoomKept(under.Number, i.Room.Ref, start)
	if i.Room.Archived {
		t.Error("archived by what was said before")
	}
	if told := roomed(i, start); len(told) != 1 || !strings.HasPrefix(told[0], "closed/") || !i.Room.Archived {
		t.Errorf("then it is told %v, archived %t", told, i.Room.Archived)
	}
}

// A chat that is away keeps the incident from nothing: it is told with the next change, and that is said once. One that refuses is not asked
// again.
func TestAChatThatIsAway(t *testing.T) {
	def := definition()
	def.Room = &incident.RoomRule{FromPriority: priority.P5}
	for _, refused := range []bool{false, true} {
		i, err := incident.Open("INC-TEST", def, start)
		if err != nil {
			t.Fatal(err)
		}
		i.Receive(batch(start, firing("a", start)), start)
		tried := 0
		look := func(now time.Time) {
			for _, s := range i.Advance(now) {
				if s.Work == incident.KeepRoom {
					tried++
					i.RoomMissed(s.Number, "away", refused, now)
				}
			}
		}
		look(start)
		look(start)
		if err := i.Do("1", incident.Acknowledge{}, kim, start); err != nil {
			t.Fatal(err)
		}
		look(start)
		said := 0
		for _, e := range i.Timeline.Entries {
			if e.Kind == timeline.RoomFailed && e.Fact("detail") == "away" {
				said++
			}
		}
		if want := map[bool]int{false: 2, true: 1}[refused]; tried != want || said != 1 || i.Room.Disabled != refused {
			t.Errorf("refused %t: tried %d times, said %d times, %+v; want tried %d times", refused, tried, said, i.Room, want)
		}
	}
}
