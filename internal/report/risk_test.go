package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/risk"
)

func escalated(a risk.About, s risk.Status, level int) risk.Telling {
	return risk.Telling{
		About: a, Status: s, Level: level, Levels: 3, Deadline: after(4 * time.Hour), By: person("kim", "김민수"),
		Terms: risk.Terms{
			ID: "ESC-7K3M9QX2PA", Originator: person("choi", "최지우"),
			Asked: risk.Asked{
				Situation: "The restore was never tried.\nNobody knows whether it works.", Importance: "It is our last resort.", Affected: "Every customer.",
				Scale: "Up to a day of data.", Urgency: "At once, should a disk fail.", Remedy: "Try it this week.", Priority: priority.P2, Service: "shop",
			},
			Pinned: risk.Pinned{Organisation: "미르넷", Zone: "Asia/Seoul", ServiceName: "쇼핑몰"},
		},
	}
}

func TestRiskMessages(t *testing.T) {
	with := func(a risk.About, s risk.Status, level int, change func(*risk.Telling)) risk.Telling {
		told := escalated(a, s, level)
		change(&told)
		return told
	}
	taken := func(x *risk.Telling) { x.Taker = person("kim", "김민수") }
	answered := func(x *risk.Telling) { x.Words = "We try it on Friday." }
	originator, lead := delivery.Recipient{ID: "choi", Name: "최지우"}, delivery.Recipient{ID: "lee", Name: "이정훈"}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, tt := range []struct {
			told risk.Telling
			gone bool
			to   delivery.Recipient
		}{
			{escalated(risk.Escalated, risk.Open, 1), false, lead},
			{with(risk.Escalated, risk.Open, 2, func(x *risk.Telling) { x.Why = risk.Untaken }), false, lead},
			{with(risk.Escalated, risk.Open, 3, func(x *risk.Telling) { x.Why, x.Words = risk.Raised, "The answer changes nothing." }), false, lead},
			{with(risk.StillThere, risk.Taken, 3, func(x *risk.Telling) { x.Why = risk.Unanswered; taken(x) }), false, lead},
			{with(risk.HasTaker, risk.Taken, 1, taken), false, originator},
			{with(risk.Climbed, risk.Open, 2, func(x *risk.Telling) { x.Why = risk.Unmanned }), false, originator},
			{with(risk.Unheard, risk.Open, 3, func(x *risk.Telling) { x.Why = risk.Untaken }), false, originator},
			{with(risk.HasAnswer, risk.Answered, 1, answered), false, originator},
			{with(risk.HasAnswer, risk.Answered, 1, answered), true, lead},
			{with(risk.StillAsked, risk.Answered, 1, answered), false, originator},
			{with(risk.Successor, risk.Answered, 1, func(x *risk.Telling) { x.Words = "They have left." }), false, originator},
			{escalated(risk.Settled, risk.InHand, 1), false, lead},
		} {
			tt.to.Language = language
			m, err := all.Risk(tt.told, tt.gone, tt.to)
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Risk || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", tt.told.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s %s to %s\nSubject: %s\n\n%s\n", tt.told.About, tt.told.Status, tt.to.ID, m.Subject, m.Text)
		}
		golden(t, "risk."+language+".txt", b.String())
	}
}

// What somebody writes gives no orders to a terminal.
func TestARiskMessageIsSafe(t *testing.T) {
	told := escalated(risk.Escalated, risk.Open, 1)
	told.Terms.Situation = "a\x1b[2J\nb"
	m, err := texts(t).Risk(told, false, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Subject+m.Text, "\x1b") || strings.Contains(m.Subject, "\n") {
		t.Errorf("got %v, %q, %q", err, m.Subject, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestARiskMessageThatCannotBeWritten(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{{define "subject"}}x{{end}}`)
	for _, a := range risk.Abouts() {
		fmt.Fprintf(&b, `{{define %q}}{{if eq .Scale "Up to a day of data."}}{{index .Title 700}}{{end}}{{end}}`, a)
	}
	all, err := report.New(overlay(t, "notifications/risk.en.tmpl", b.String()))
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.Risk(escalated(risk.HasAnswer, risk.Answered, 1), false, delivery.Recipient{Language: "en"})
	if err == nil || m.Text != "ESC-7K3M9QX2PA: is this enough?: The restore was never tried." {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
