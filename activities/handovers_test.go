package activities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
)

// Handover writes what it is about, but to nobody who is called mute.
func (writer) Handover(t handover.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Handover, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

func TestAHandoverIsToldToEverybodyWhomNothingKeepsFromIt(t *testing.T) {
	for _, tc := range []struct {
		name    string
		targets []escalation.Target
		to      string
		detail  string
	}{
		{"each once", persons("kim", "park", "kim"), "kim park", ""},
		{"whoever is on call now", persons("night"), "kim", ""},
		{"a gap names nobody", persons("gap"), "", ""},
		{"a broken target keeps nobody else from it", persons("ghost", "park"), "park", `person "ghost": not found`},
		{"a broken text is sent as bare facts", persons("mute", "park"), "mute park", "write message to mute: text is broken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &activities.Handovers{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
			got, err := perform[incident.Composition](t, h.ComposeHandover, activities.ComposeHandoverInput{
				Telling: handover.Telling{About: handover.Asked, Targets: tc.targets},
			})
			if err != nil {
				t.Fatal(err)
			}
			var to []string
			for _, a := range got.To {
				to = append(to, a.To.ID)
				if a.Message.Subject != "asked" {
					t.Errorf("%s gets %+v, want at least the bare facts", a.To.ID, a.Message)
				}
			}
			if strings.Join(to, " ") != tc.to || got.Detail != tc.detail || got.Folder.Revision != "r2" {
				t.Errorf("to %v of folder %s, detail %q; want %s of r2, %q", to, got.Folder.Revision, got.Detail, tc.to, tc.detail)
			}
		})
	}
}

func TestAHandoverAsksNoOlderFolderUnlessItMust(t *testing.T) {
	h := &activities.Handovers{
		Directory: func() activities.Directory { return directory{older: true} }, Writer: writer{}, Now: func() time.Time { return at },
	}
	in := activities.ComposeHandoverInput{Telling: handover.Telling{Targets: persons("kim")}, Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[incident.Composition](t, h.ComposeHandover, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if got, err := perform[incident.Composition](t, h.ComposeHandover, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want kim", got, err)
	}
}
