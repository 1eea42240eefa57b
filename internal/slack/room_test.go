package slack_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/ticket"
)

// war is the room of an incident as it should be.
func war(id string) delivery.Room {
	opening, news := contract.Page(), contract.Page()
	opening.Subject, news.Subject = "[P1] Shop is down", "It is acknowledged"
	return delivery.Room{
		ID: id, Key: "INC-7K3M9QX2PA", Title: "[P1] Shop is down", Link: "https://muster.example/incidents/INC-7K3M9QX2PA", Opening: opening, News: news,
		Said: "INC-7K3M9QX2PA/room/acknowledged/P1/1", Members: []string{"U1", "UGONE", "U2"},
	}
}

func (r *room) keeps(t *testing.T, want delivery.Room) ticket.Ref {
	t.Helper()
	ref, err := r.Keep(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// said are the subjects in a channel, in their order.
func (r *room) said(channel string) (all []string) {
	for _, p := range r.posts {
		if p["channel"] == channel {
			all = append(all, strings.Trim(p["text"].(string), "*"))
		}
	}
	return all
}

// A room is made, says what it is about and what is new, has those who are there in it, and is archived when it is over. Done twice, or cut off
// anywhere, it is the same.
func TestARoomIsKept(t *testing.T) {
	methods := []string{
		"conversations.create", "auth.test", "conversations.setTopic", "conversations.history", "chat.postMessage", "conversations.invite", "conversations.archive",
	}
	for _, cut := range append(methods, "") {
		t.Run("cut off at "+cut, func(t *testing.T) {
			r := open(t)
			r.channels = []map[string]any{{"id": "C09", "name": "general", "creator": "U1", "is_private": false}}
			try := func(want delivery.Room) ticket.Ref {
				t.Helper()
				if cut != "" {
					r.fails = map[string]string{cut: "internal_error"}
					if _, err := r.Keep(t.Context(), want); err != nil && delivery.IsRefusal(err) {
						t.Fatalf("cut off at %s: %v; want one that is tried again", cut, err)
					}
					r.fails = nil
				}
				r.restart()
				return r.keeps(t, want)
			}
			ref := try(war(""))
			if again := r.keeps(t, war("")); ref != again || ref != (ticket.Ref{ID: "C01", URL: "https://mirnet.slack.com/archives/C01"}) {
				t.Errorf("got %+v, and once more %+v", ref, again)
			}
			try(war(ref.ID))
			over := war(ref.ID)
			over.Archive, over.Said, over.News.Subject = true, "INC-7K3M9QX2PA/room/closed/P1/1", "It is closed"
			try(over)
			if got := r.said(ref.ID); !slices.Equal(got, []string{"[P1] Shop is down", "It is acknowledged", "It is closed"}) {
				t.Errorf("it says %q", got)
			}
			made := r.channels[1]
			if len(r.channels) != 2 || made["name"] != "inc-7k3m9qx2pa" || made["is_private"] != false || made["is_archived"] != true || !slices.Equal(r.members, []string{"U1", "U2"}) {
				t.Errorf("made %v with %v", r.channels, r.members)
			}
			if r.topic != "[P1] Shop is down https://muster.example/incidents/INC-7K3M9QX2PA" {
				t.Errorf("its topic is %q", r.topic)
			}
		})
	}
}

// An address that is too long for a topic is left out.
func TestTheTopicOfARoom(t *testing.T) {
	for _, n := range []int{100, 130, 300} {
		r := open(t)
		long := war("")
		long.Title, long.Link = strings.Repeat("장", 400), "https://muster.example/"+strings.Repeat("x", n)
		r.keeps(t, long)
		if got := utf8.RuneCountInString(r.topic); got > 250 || got < 200 || strings.Contains(r.topic, long.Link) != (n == 100) {
			t.Errorf("with an address of %d bytes more its topic has %d characters", n, got)
		}
	}
}

func TestWhatKeepsARoomFromBeingMade(t *testing.T) {
	for name, tt := range map[string]struct {
		before  func(r *room)
		refused bool
		want    string
	}{
		"a scope is missing": {func(r *room) {
			r.fails, r.scopeFor = map[string]string{"conversations.create": "missing_scope"}, "channels:manage"
		}, true, "the app needs the scope channels:manage"},
		"too many calls": {func(r *room) { r.fails = map[string]string{"conversations.create": "ratelimited"} }, false, "ratelimited"},
		"another one's channel": {func(r *room) {
			r.channels = []map[string]any{{"id": "C09", "name": "inc-7k3m9qx2pa", "creator": "U1", "is_private": false}}
		}, true, "inc-7k3m9qx2pa is there already, and is not one that the bot has made"},
		"a private one of the bot": {func(r *room) {
			r.channels = []map[string]any{{"id": "C09", "name": "inc-7k3m9qx2pa", "creator": "UBOT", "is_private": true}}
		}, true, "inc-7k3m9qx2pa is there already"},
		"no bot": {func(r *room) { r.Token = "" }, true, "there is no bot"},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			tt.before(r)
			_, err := r.Keep(t.Context(), war(""))
			if err == nil || delivery.IsRefusal(err) != tt.refused || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
