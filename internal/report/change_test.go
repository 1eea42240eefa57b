package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/plan"
)

// changing is a message on a change of the shop.
func changing(a change.About, s change.Status) change.Telling {
	return change.Telling{
		About: a, ID: "CHG-7K3M9QX2PA", Way: change.Normal, Kind: change.Changed, Title: "연결 풀 확대", Services: "쇼핑몰", Customers: "가람유통", Requester: "김민수",
		Class: "보통", Zone: "Asia/Seoul", Status: s, From: after(time.Hour), Until: after(48 * time.Hour), Since: after(0), Round: 2, Shown: strings.Repeat("ab", 32),
	}
}

func TestChangeMessages(t *testing.T) {
	with := func(a change.About, s change.Status, fill func(*change.Telling)) change.Telling {
		x := changing(a, s)
		fill(&x)
		return x
	}
	emergency := func(x *change.Telling) {
		x.Way, x.Incident, x.Due, x.From, x.Until = change.Emergency, "INC-7K3M9QX2PA", after(8*time.Hour), time.Time{}, time.Time{}
	}
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, told := range []change.Telling{
			changing(change.Arrived, change.Requested),
			changing(change.VoteWanted, change.Assessed),
			with(change.VoteWanted, change.Running, emergency),
			with(change.CheckWanted, change.Approved, func(x *change.Telling) { x.Check, x.Text = "undo-tried", "되돌리는 절차를 실행해 보았음" }),
			changing(change.Decided, change.Approved),
			with(change.Decided, change.Rejected, func(x *change.Telling) { x.Reason = "Not in December." }),
			with(change.PreApprovedUse, change.Approved, func(x *change.Telling) { x.Way, x.Standard = change.Standard, "노드 재기동" }),
			with(change.EmergencyBegun, change.Running, emergency),
			with(change.Unstarted, change.Approved, func(x *change.Telling) { x.Reason = "RUN-7K3M9QX2PA has the environment." }),
			with(change.Over, change.Failed, func(x *change.Telling) { x.Reason, x.Run = "It was rolled back.", "RUN-7K3M9QX2PA" }),
			changing(change.Stale, change.Requested),
			changing(change.Stale, change.Assessed),
			changing(change.Stale, change.Approved),
			with(change.DueSoon, change.Done, emergency),
			with(change.Excepted, change.Done, func(x *change.Telling) { emergency(x); x.Exception = change.TooLate }),
			changing(change.Impossible, change.Assessed),
		} {
			m, err := all.Change(told, delivery.Recipient{Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Change || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", told.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s %s\nSubject: %s\n\n%s\n", told.About, told.Status, m.Subject, m.Text)
		}
		golden(t, "change."+language+".txt", b.String())
	}
}

// Customers and the owners of neighbouring services read when, what they notice, and what they have to do, each in their language.
func TestChangeNotices(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, customer := range []string{"garam", ""} {
			for _, a := range change.Notices() {
				told := changing(a, change.Done)
				told.Customer, told.Effect, told.Action = customer, plan.Text{En: "A minute of errors.", Ko: "1분간 오류가 날 수 있습니다."}, plan.Text{En: "Try again."}
				m, err := all.ChangeNotice(told, delivery.Recipient{Language: language})
				if err != nil {
					t.Fatal(err)
				}
				if m.Kind != delivery.ChangeNotice || customer != "" && strings.Contains(m.Text, "muster ") || strings.Contains(m.Text, "김민수") {
					t.Errorf("%s in %s: got %+v", a, language, m)
				}
				fmt.Fprintf(&b, "======== %s %s\nSubject: %s\n\n%s\n", a, customer, m.Subject, m.Text)
			}
		}
		failed := changing(change.Ending, change.Failed)
		failed.Customer = "garam"
		m, err := all.ChangeNotice(failed, delivery.Recipient{Language: language})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "======== failed\nSubject: %s\n\n%s\n", m.Subject, m.Text)
		golden(t, "change-notice."+language+".txt", b.String())
	}
}

// A message of the bare facts comes even where there is no text.
func TestAChangeMessageWithoutText(t *testing.T) {
	m, err := texts(t).Change(changing("other", change.Approved), delivery.Recipient{Language: "en"})
	if err == nil || !strings.Contains(m.Text, "CHG-7K3M9QX2PA") {
		t.Errorf("got %v, %q", err, m.Text)
	}
}

// Whoever is asked for a check that wants a run of a plan reads so.
func TestAMessageOnACheckThatWantsARun(t *testing.T) {
	told := changing(change.CheckWanted, change.Approved)
	told.Check, told.Plan = "premortem", "pre-mortem"
	for language, want := range map[string]string{
		"en": "- Say so, with a completed run of plan pre-mortem: muster change check CHG-7K3M9QX2PA premortem holds --evidence RUN-ID\n",
		"ko": "- 계획 pre-mortem의 완료된 실행과 함께 확인 결과 기록: muster change check CHG-7K3M9QX2PA premortem holds --evidence RUN-ID\n",
	} {
		m, err := texts(t).Change(told, delivery.Recipient{Language: language})
		if err != nil || !strings.Contains(m.Text, want) {
			t.Errorf("got %v, %q; want %q", err, m.Text, want)
		}
	}
}
