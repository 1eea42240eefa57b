package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/supportplan"
)

func asking(a request.About, s request.Status, o supportplan.Outcome) request.Telling {
	both := func(en, ko string) supportplan.Text { return supportplan.Text{English: en, Korean: ko} }
	limit := supportplan.Limit{Item: both("Licences", "라이선스"), Customer: supportplan.Provides, Note: both("The customer's own.", "고객사 보유분.")}
	return request.Telling{
		About: a, Status: s, Target: supportplan.Respond, Due: after(time.Hour),
		Verdict: supportplan.Verdict{Outcome: o, Limits: []supportplan.Limit{limit}, Reasons: []supportplan.Reason{
			{
				Kind: supportplan.ReasonQuotaUsedUp, Quota: supportplan.Quota{Count: 2, Per: supportplan.Month}, Used: 2,
				From: time.Date(2026, 10, 31, 15, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC),
			},
			{Kind: supportplan.ReasonInHours},
		}, Offers: []supportplan.Offer{{Kind: supportplan.OfferLevel, Columns: []string{"premium"}}}},
		Terms: request.Terms{
			ID: "REQ-7K3M9QX2PA", Recorder: person("kim", "김민수"),
			Asked: request.Asked{
				Customer: "garam", Kind: "tuning", Feature: "tuning", Channel: supportplan.ByPhone, Received: start(), Number: "C-204", Text: "The shop is slow.\n\nPlease tune it.",
			},
			Pinned: request.Pinned{
				Organisation: "미르넷", Zone: "Asia/Seoul", CustomerName: "가람유통", Plan: "Standard",
				Entitlement: supportplan.Entitlement{Table: supportplan.Table{
					Columns: []supportplan.Column{{ID: "premium", Name: both("Premium", "프리미엄")}},
					Groups:  []supportplan.Group{{Features: []supportplan.Feature{{ID: "tuning", Name: both("Tuning", "성능 튜닝")}}}},
				}},
			},
		},
	}
}

func TestRequestMessages(t *testing.T) {
	said := func(a request.About, s request.Status, o supportplan.Outcome, words, offer string) request.Telling {
		told := asking(a, s, o)
		told.Words, told.Offer = words, offer
		return told
	}
	bare := asking(request.Receipt, request.Accepted, supportplan.Covered)
	bare.Terms.Feature, bare.Terms.Kind, bare.Terms.Number, bare.Due = "", "enquiry", "", time.Time{}
	bare.Verdict.Reasons, bare.Verdict.Offers, bare.Verdict.Limits = nil, nil, nil
	notice := said(request.Notice, request.Answered, supportplan.Covered, "A disk is slow; it is replaced tonight.", "")
	notice.Terms.Begun, notice.Due = request.WithVendor, time.Time{}
	needing := asking(request.Arrived, request.Accepted, supportplan.Covered)
	needing.Terms.Needs = []request.Need{{ID: "version", Name: supportplan.Text{English: "Version in use", Korean: "사용 중인 버전"}}}
	chase := asking(request.ChaseDue, request.Accepted, supportplan.Covered)
	chase.Person, chase.Case = "garam/desk", &request.VendorCase{Vendor: "skyhost", Ref: "SR-1182"}
	answered := said(request.AnswerSent, request.Answered, supportplan.Covered, "We have tuned it.", "")
	answered.Terms.Confirm = &supportplan.Confirmation{Days: 5}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, told := range []request.Telling{
			asking(request.Receipt, request.Accepted, supportplan.Covered), asking(request.Receipt, request.Waiting, supportplan.Outside), bare,
			said(request.Decided, request.Accepted, supportplan.Outside, "They are loud.", ""),
			said(request.Decided, request.Declined, supportplan.Outside, "The plan has no more of it.", "It is included in Premium."),
			said(request.Decided, request.Withdrawn, supportplan.Outside, "Not needed any more.", ""),
			said(request.AnswerSent, request.Answered, supportplan.Covered, "We have tuned it.", ""),
			answered, asking(request.Arrived, request.Accepted, supportplan.Covered), asking(request.Arrived, request.Accepted, supportplan.Outside),
			asking(request.Arrived, request.Waiting, supportplan.Undecided), asking(request.AtRisk, request.Waiting, supportplan.Outside),
			asking(request.Missed, request.Accepted, supportplan.Covered), notice, needing,
			said(request.Handed, request.Accepted, supportplan.Covered, "The log is in the ticket.", ""), said(request.Objected, request.Accepted, supportplan.Covered, "Still slow.", ""), chase,
		} {
			m, err := all.Request(told, delivery.Recipient{ID: "garam/desk", Name: "Desk", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Request || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", told.About, language, m)
			}
			if secret := "김민수"; told.About.Outside() && (strings.Contains(m.Text, secret) || strings.Contains(m.Text, "loud")) {
				t.Errorf("%s in %s tells the customer what is the house's own: %s", told.About, language, m.Text)
			}
			fmt.Fprintf(&b, "======== %s %s %s\nSubject: %s\n\n%s\n", told.About, told.Status, told.Verdict.Outcome, m.Subject, m.Text)
		}
		golden(t, "request."+language+".txt", b.String())
	}
}

// What a customer writes gives no orders to a terminal, and cannot pass for a line of ours.
func TestARequestMessageIsSafe(t *testing.T) {
	told := asking(request.Arrived, request.Waiting, supportplan.Outside)
	told.Terms.Text, told.Terms.Number = "a\x1b[2Jb", "1\nWHAT NEXT"
	m, err := texts(t).Request(told, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Text, "\x1b") || strings.Contains(m.Text, "1\n") {
		t.Errorf("got %v, %q", err, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestARequestMessageThatCannotBeWritten(t *testing.T) {
	all, err := report.New(overlay(t, "notifications/request.receipt.en.tmpl",
		`{{define "subject"}}x{{end}}{{define "text"}}{{if eq .Number "C-204"}}{{index .Reasons 7}}{{end}}{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.Request(asking(request.Receipt, request.Accepted, supportplan.Covered), delivery.Recipient{Language: "en"})
	if err == nil || m.Text != "message on a request: REQ-7K3M9QX2PA" {
		t.Errorf("got %v, %q", err, m.Text)
	}
}
