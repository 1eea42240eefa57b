package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/supportplan"
)

func passing(a handover.About) handover.Telling {
	return handover.Telling{
		About: a, Opened: start(), Due: after(15 * time.Minute), Ends: after(24 * time.Hour), Round: 2, Status: handover.Open,
		Terms: handover.Terms{
			Schedule: "primary", Outgoing: person("kim", "김민수"), Incoming: person("park", "박지훈"), Zone: "Asia/Seoul", Unseen: 3,
			Note: "The batch at 03:00 may fail.\n\nCall me if it does.",
			Items: []handover.Item{
				{
					Incident: "INC-7K3M9QX2PA", Title: "Authorisations are slow", Service: "Payments", Status: incident.Acknowledged, Priority: priority.P2,
					Roles:  []incident.Role{incident.IncidentManager, incident.CommunicationsManager},
					Next:   &handover.Promise{Customer: "Acme Commerce", Target: supportplan.Resolve, Due: after(time.Hour)},
					Update: &handover.Promise{Customer: "다온몰", Target: supportplan.Update, Due: after(20 * time.Minute)},
					Paused: []handover.Promise{{Customer: "Nuri Trading", Target: supportplan.Mitigate}},
				},
				{Incident: "INC-5D8W1ZR4TC", Title: "Disk fills up", Service: "Archive", Status: incident.Mitigated, Priority: priority.P5, Quiet: start()},
			},
		},
	}
}

func TestHandoverMessages(t *testing.T) {
	empty := passing(handover.Asked)
	empty.Terms.Items, empty.Terms.Unseen, empty.Terms.Note = nil, 0, ""
	ended := func(s handover.Status, by, words, instead string) handover.Telling {
		told := passing(handover.Over)
		told.Status, told.EndedBy, told.Words, told.InsteadOf = s, by, words, instead
		return told
	}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, told := range []handover.Telling{
			passing(handover.Asked), empty, passing(handover.Again), passing(handover.Unconfirmed), passing(handover.Escalated),
			ended(handover.Confirmed, "박지훈", "Good night.", ""), ended(handover.Confirmed, "Lee", "", "박지훈"),
			ended(handover.Declined, "박지훈", "I am ill.", ""), ended(handover.Lapsed, "", "", ""),
		} {
			m, err := all.Handover(told, delivery.Recipient{ID: "park", Name: "박지훈", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Handover || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", told.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s %s\nSubject: %s\n\n%s\n", told.About, told.Status, m.Subject, m.Text)
		}
		golden(t, "handover."+language+".txt", b.String())
	}
}

// What somebody writes gives no orders to a terminal, and cannot pass for a line of ours.
func TestAHandoverMessageIsSafe(t *testing.T) {
	told := passing(handover.Asked)
	told.Terms.Note, told.Terms.Items[0].Title = "a\x1b[2Jb", "slow\nWHAT NEXT"
	m, err := texts(t).Handover(told, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Text, "\x1b") || strings.Contains(m.Text, "slow\n") {
		t.Errorf("got %v, %q", err, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestAHandoverMessageThatCannotBeWritten(t *testing.T) {
	all, err := report.New(overlay(t, "notifications/handover.asked.en.tmpl",
		`{{define "subject"}}x{{end}}{{define "text"}}{{if eq .Schedule "primary"}}{{index .Items 7}}{{end}}{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.Handover(passing(handover.Asked), delivery.Recipient{Language: "en"})
	if err == nil || m.Text != "on-call hand-over: primary: 김민수 → 박지훈" {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
