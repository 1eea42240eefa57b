package activities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/silence"
)

// Silence writes why it has ended, but to nobody who is called mute.
func (writer) Silence(t silence.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Silence, Language: to.Language, Subject: string(t.Why)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

func TestWhoIsToldWhatWasHeldBack(t *testing.T) {
	s := &activities.Silences{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	for name, tc := range map[string]struct{ to, want, detail string }{
		"two people":            {"park kim", "park kim", ""},
		"each once":             {"park park", "park", ""},
		"nobody is there":       {"gap", "", ""},
		"nobody knows them":     {"ghost park", "park", `person "ghost": not found`},
		"by a text that breaks": {"mute park", "mute park", "write message to mute: text is broken"},
	} {
		told := silence.Telling{Why: silence.Over}
		for _, id := range strings.Fields(tc.to) {
			told.To = append(told.To, escalation.Target{Kind: escalation.Person, ID: id})
		}
		got, err := perform[incident.Composition](t, s.ComposeSilence, activities.ComposeSilenceInput{Telling: told})
		if err != nil {
			t.Fatal(err)
		}
		var to []string
		for _, a := range got.To {
			if to = append(to, a.To.ID); a.Message.Subject != "over" {
				t.Errorf("%s: %s gets %+v", name, a.To.ID, a.Message)
			}
		}
		if strings.Join(to, " ") != tc.want || got.Detail != tc.detail || got.Folder.Revision != "r2" {
			t.Errorf("%s: got %+v, want it to go to %q", name, got, tc.want)
		}
	}
	s.Directory = func() activities.Directory { return directory{older: true} }
	in := activities.ComposeSilenceInput{Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[incident.Composition](t, s.ComposeSilence, in); err == nil || final(err) {
		t.Errorf("an older folder: got %v, want an error that is worth another attempt", err)
	}
}
