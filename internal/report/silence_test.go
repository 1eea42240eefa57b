package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/silence"
	"muster/internal/timeline"
)

func silenced(why silence.Why, held ...silence.Held) silence.Telling {
	return silence.Telling{
		Number: 1, Begun: after(0), Ended: after(2 * time.Hour), Why: why, Held: held,
		Terms: silence.Terms{
			ID: "SIL-7K3M9QX2PA", By: person("choi", "최지우"),
			Asked: silence.Asked{
				Match: silence.Match{Services: []string{"shop"}, Labels: []silence.Label{{Name: "env", Values: []string{"prod", "stage"}}}},
				From:  after(0), Until: after(2 * time.Hour), Reason: "디스크 교체",
			},
			Pinned: silence.Pinned{Organisation: "미르넷", Zone: "Asia/Seoul"},
		},
	}
}

func TestSilenceMessages(t *testing.T) {
	with := func(told silence.Telling, change func(*silence.Telling)) silence.Telling {
		change(&told)
		return told
	}
	slow := silence.Held{Name: "Slow", Service: "shop", ServiceName: "쇼핑몰", Count: 4, Firing: 1, First: after(time.Minute), Last: after(time.Hour), Incidents: []incident.ID{"INC-7K3M9QX2PA"}}
	down := silence.Held{Name: "Down", Service: "erp", Count: 2, Firing: 2, First: after(time.Minute), Last: after(time.Minute), Incidents: []incident.ID{"INC-1", "INC-2"}}
	disk := silence.Held{Name: "DiskFull", Service: "shop", ServiceName: "쇼핑몰", Count: 1, First: after(time.Minute), Last: after(time.Minute)}
	var many []silence.Held
	for n := range 25 {
		many = append(many, silence.Held{Name: fmt.Sprint("Alert", n), Service: "shop", Count: 1, First: after(0), Last: after(0)})
	}
	maker, other := delivery.Recipient{ID: "choi", Name: "최지우"}, delivery.Recipient{ID: "lee", Name: "이정훈"}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, tt := range []struct {
			told silence.Telling
			to   delivery.Recipient
		}{
			{silenced(silence.Over, slow, down, disk), maker},
			{silenced(silence.Over, disk), maker},
			{with(silenced(silence.ByHand, down), func(x *silence.Telling) { x.EndedBy, x.Words = person("lee", "이정훈"), "교체 완료" }), other},
			{with(silenced(silence.Full, many...), func(x *silence.Telling) { x.More, x.Rest = 7, 2 }), maker},
			{with(silenced(silence.Over, slow), func(x *silence.Telling) {
				x.Terms.By, x.Terms.Window, x.Terms.Name = timeline.Actor{}, "nightly", "야간 백업"
			}), other},
		} {
			tt.to.Language = language
			m, err := all.Silence(tt.told, tt.to)
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Silence || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", tt.told.Why, language, m)
			}
			fmt.Fprintf(&b, "======== %s to %s\nSubject: %s\n\n%s\n", tt.told.Why, tt.to.ID, m.Subject, m.Text)
		}
		golden(t, "silence."+language+".txt", b.String())
	}
}

// What an alert or a person says gives no orders to a terminal.
func TestASilenceMessageIsSafe(t *testing.T) {
	told := silenced(silence.Over, silence.Held{Name: "a\x1b[2J\nb", Service: "x\x1b[2J", Count: 1})
	told.Terms.Reason = "a\x1b[2J\nb"
	m, err := texts(t).Silence(told, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Subject+m.Text, "\x1b") || strings.Contains(m.Subject, "\n") || strings.Contains(m.Text, "a\nb (") {
		t.Errorf("got %v, %q, %q", err, m.Subject, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestASilenceMessageThatCannotBeWritten(t *testing.T) {
	all, err := report.New(overlay(t, "notifications/silence.en.tmpl", `{{define "subject"}}x{{end}}{{define "text"}}{{if eq .Count 7}}{{index .Title 700}}{{end}}{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.Silence(silenced(silence.Over, silence.Held{Name: "x", Count: 7}), delivery.Recipient{Language: "en"})
	if err == nil || m.Text != "SIL-7K3M9QX2PA: 7 alerts held back, 0 still firing: 디스크 교체" {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
