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
	"muster/internal/risk"
	"muster/internal/timeline"
)

// Risk writes what it is about, but to nobody who is called mute.
func (writer) Risk(t risk.Telling, gone bool, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Risk, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	if gone {
		m.Text = "gone"
	}
	return m, nil
}

func escalating() *activities.Risks {
	return &activities.Risks{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
}

// The originator is told what is the originator's alone, and takes nothing; when nobody finds the originator, the last level hears it.
func TestWhoIsToldOfAnEscalation(t *testing.T) {
	for name, tc := range map[string]struct {
		originator   string
		own          bool
		to           string
		want, detail string
		gone, nobody bool
	}{
		"the level":             {originator: "choi", to: "park", want: "park"},
		"not its originator":    {originator: "park", to: "park", nobody: true},
		"nobody is there":       {originator: "choi", to: "gap", nobody: true},
		"nobody knows them":     {originator: "choi", to: "ghost", nobody: true, detail: `person "ghost": not found`},
		"the originator":        {originator: "choi", own: true, want: "choi"},
		"who has left":          {originator: "gap", own: true, want: "kim", gone: true},
		"whom nobody knows":     {originator: "ghost", own: true, want: "kim", gone: true, detail: `person "ghost": not found`},
		"by a text that breaks": {originator: "choi", to: "mute", want: "mute", detail: "write message to mute: text is broken"},
	} {
		told := risk.Telling{
			About: risk.Escalated, Terms: risk.Terms{Originator: timeline.Actor{ID: tc.originator}}, Own: tc.own,
			Instead: []escalation.Target{{Kind: escalation.Person, ID: "kim"}},
		}
		if tc.to != "" {
			told.To = []escalation.Target{{Kind: escalation.Person, ID: tc.to}}
		}
		got, err := perform[activities.RiskComposition](t, escalating().ComposeRisk, activities.ComposeRiskInput{Telling: told})
		if err != nil {
			t.Fatal(err)
		}
		var to []string
		for _, a := range got.To {
			to = append(to, a.To.ID)
			if a.Message.Subject != "escalated" || (a.Message.Text != "") != tc.gone {
				t.Errorf("%s: %s gets %+v", name, a.To.ID, a.Message)
			}
		}
		if strings.Join(to, " ") != tc.want || got.Detail != tc.detail || got.Gone != tc.gone || got.Nobody != tc.nobody || got.Folder.Revision != "r2" {
			t.Errorf("%s: got %+v, want it to go to %q", name, got, tc.want)
		}
	}
}

func TestAnEscalationAsksNoOlderFolderUnlessItMust(t *testing.T) {
	r := escalating()
	r.Directory = func() activities.Directory { return directory{older: true} }
	in := activities.ComposeRiskInput{
		Telling: risk.Telling{Terms: risk.Terms{Originator: timeline.Actor{ID: "choi"}}, Own: true}, Seen: incident.Folder{Revision: "r3"},
	}
	if _, err := perform[activities.RiskComposition](t, r.ComposeRisk, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if got, err := perform[activities.RiskComposition](t, r.ComposeRisk, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want choi", got, err)
	}
}
