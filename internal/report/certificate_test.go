package report_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/report"
	"muster/internal/supportplan"
)

// shop expires on a Tuesday.
func shop(t *testing.T) supportplan.Certificate {
	t.Helper()
	day, err := calendar.ParseDate("2027-11-30")
	if err != nil {
		t.Fatal(err)
	}
	return supportplan.Certificate{Name: "shop.garam.example", Expires: day}
}

func TestCertificateMessages(t *testing.T) {
	all, c := texts(t), shop(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, left := range []calendar.Date{60, 1, 0, -1, -3} {
			m, err := all.Certificate(c, c.Expires-left, delivery.Recipient{ID: "garam/it-desk", Name: "가람유통 IT 운영팀", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Certificate || m.Incident != "" {
				t.Errorf("%d left in %s: got %+v", left, language, m)
			}
			fmt.Fprintf(&b, "======== %d\nSubject: %s\n\n%s\n", left, m.Subject, m.Text)
		}
		golden(t, "certificate."+language+".txt", b.String())
	}
}

func TestACertificateMessageIsSafe(t *testing.T) {
	c := shop(t)
	c.Name = "shop\x1b[2J\nWe renew it"
	m, err := texts(t).Certificate(c, c.Expires, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Text, "\x1b") || strings.Contains(m.Text, "\nWe renew it") {
		t.Errorf("got %v, %q", err, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestACertificateMessageThatCannotBeWritten(t *testing.T) {
	all, err := report.New(overlay(t, "notifications/certificate.ko.tmpl",
		`{{define "subject"}}x{{end}}{{define "text"}}{{if eq .Left 7}}{{index .Name 999}}{{end}}{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := shop(t)
	m, err := all.Certificate(c, c.Expires-7, delivery.Recipient{Language: "ko"})
	if err == nil || m.Text != "인증서 갱신 안내: shop.garam.example, 2027-11-30" {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
