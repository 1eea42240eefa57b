package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/priority"
	"muster/internal/report"
)

func acting(a action.About, s action.Status) action.Telling {
	return action.Telling{
		About: a, Status: s, Since: start(), By: person("kim", "김민수"),
		Terms: action.Terms{
			ID: "ACT-7K3M9QX2PA", Opener: person("kim", "김민수"),
			Asked: action.Asked{
				Title: "Alert on full connection pools", Text: "Nobody saw it.\n\nSo alert on it.", Kind: action.Detect, Priority: priority.P2,
				Owner: "choi", Group: "platform", Due: after(30 * 24 * time.Hour), Ticket: "OPS-204",
				Origin: action.Origin{Kind: action.OfReview, ID: "INC-7K3M9QX2PA", Customer: "garam", Service: "shop"},
			},
			Pinned: action.Pinned{Organisation: "미르넷", Zone: "Asia/Seoul", OwnerName: "최지우", CustomerName: "가람유통", ServiceName: "쇼핑몰"},
		},
	}
}

func TestActionMessages(t *testing.T) {
	with := func(a action.About, s action.Status, change func(*action.Telling)) action.Telling {
		told := acting(a, s)
		change(&told)
		return told
	}
	done := &action.Evidence{Ref: "https://git.example/1", SHA256: strings.Repeat("ab", 32)}
	owner, lead := delivery.Recipient{ID: "choi", Name: "최지우"}, delivery.Recipient{ID: "lee", Name: "이정훈"}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, tt := range []struct {
			told      action.Telling
			ownerless bool
			to        delivery.Recipient
		}{
			{acting(action.Assigned, action.Open), false, owner},
			{acting(action.Assigned, action.Open), true, lead},
			{acting(action.DueSoon, action.Open), false, owner},
			{acting(action.DueNow, action.Open), false, owner},
			{with(action.TooLate, action.Open, func(x *action.Telling) { x.Round, x.Rounds = 3, 8 }), false, lead},
			{with(action.TooLate, action.Open, func(x *action.Telling) { x.Round, x.Rounds = 8, 8 }), false, owner},
			{with(action.ToVerify, action.Done, func(x *action.Telling) { x.Done, x.Words = done, "It alerts at 80 percent." }), false, lead},
			{with(action.ToCheck, action.Verified, func(x *action.Telling) { x.Done = done }), false, lead},
			{with(action.Again, action.Open, func(x *action.Telling) { x.Words = "It happened again." }), false, owner},
			{with(action.Extended, action.Open, func(x *action.Telling) { x.Words = "Parts are late." }), false, lead},
			{with(action.Ended, action.Cancelled, func(x *action.Telling) { x.Words = "The service is gone." }), false, owner},
			{with(action.Ended, action.Closed, func(x *action.Telling) {
				x.Terms.Text, x.Terms.Ticket, x.Terms.Origin, x.Terms.CustomerName, x.Terms.ServiceName = "", "", action.Origin{}, "", ""
			}), false, lead},
		} {
			tt.to.Language = language
			m, err := all.Action(tt.told, tt.ownerless, tt.to)
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Action || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", tt.told.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s %s to %s\nSubject: %s\n\n%s\n", tt.told.About, tt.told.Status, tt.to.ID, m.Subject, m.Text)
		}
		golden(t, "action."+language+".txt", b.String())
	}
}

// What somebody writes gives no orders to a terminal, and cannot pass for a line of ours.
func TestAnActionMessageIsSafe(t *testing.T) {
	told := acting(action.ToVerify, action.Done)
	told.Terms.Title, told.Done = "a\nSubject: b", &action.Evidence{Ref: "1\nWHAT NEXT\x1b[2J"}
	m, err := texts(t).Action(told, false, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Subject+m.Text, "\x1b") || strings.Contains(m.Text, "1\n") || strings.Contains(m.Subject, "\n") {
		t.Errorf("got %v, %q, %q", err, m.Subject, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestAnActionMessageThatCannotBeWritten(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{{define "subject"}}x{{end}}`)
	for _, a := range action.Abouts() {
		fmt.Fprintf(&b, `{{define %q}}{{if eq .Ticket "OPS-204"}}{{index .Title 700}}{{end}}{{end}}`, a)
	}
	all, err := report.New(overlay(t, "notifications/action.en.tmpl", b.String()))
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.Action(acting(action.DueNow, action.Open), false, delivery.Recipient{Language: "en"})
	if err == nil || m.Text != "ACT-7K3M9QX2PA: due now: Alert on full connection pools" {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
