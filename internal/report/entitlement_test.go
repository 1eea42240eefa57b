package report_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/templates"
)

func TestReasonsInBothLanguages(t *testing.T) {
	all := texts(t)
	year := supportplan.Quota{Count: 12, Per: supportplan.Year}
	seoul := time.FixedZone("KST", 9*60*60)
	period := func(k supportplan.ReasonKind, used, left int) supportplan.Reason {
		return supportplan.Reason{
			Kind: k, Quota: year, Used: used, Left: left,
			From: time.Date(2026, 1, 1, 0, 0, 0, 0, seoul), To: time.Date(2027, 1, 1, 0, 0, 0, 0, seoul),
		}
	}
	opens := time.Date(2026, 11, 30, 9, 0, 0, 0, seoul)
	for _, tc := range []struct {
		reason supportplan.Reason
		en, ko string
	}{
		{
			supportplan.Reason{Kind: supportplan.ReasonIncluded},
			"The support plan includes it.", "지원 등급에 포함되어 있습니다.",
		},
		{
			period(supportplan.ReasonVisitsLeft, 9, 3),
			"Visits, 12 a year: 9 used, 3 left (2026-01-01 Thu to 2026-12-31 Thu).",
			"방문 지원은 연 12회이며 9회 사용, 3회 남았습니다(2026-01-01(목)부터 2026-12-31(목)까지).",
		},
		{
			period(supportplan.ReasonQuotaUncounted, 0, 0),
			"The support plan includes 12 a year, and it is unknown how many are used (2026-01-01 Thu to 2026-12-31 Thu).",
			"지원 등급에 연 12회 포함되어 있으나 사용 횟수를 알 수 없습니다(2026-01-01(목)부터 2026-12-31(목)까지).",
		},
		{
			supportplan.Reason{Kind: supportplan.ReasonOutOfHours, Opens: opens},
			"It came outside the support hours. They begin at 2026-11-30 Mon 09:00 KST.",
			"지원 시간 외에 접수되었습니다. 지원 시간은 2026-11-30(월) 09:00 KST에 시작합니다.",
		},
		{
			supportplan.Reason{Kind: supportplan.ReasonOutOfHours},
			"It came outside the support hours.", "지원 시간 외에 접수되었습니다.",
		},
		{supportplan.Reason{Kind: "news"}, "reason.news", "reason.news"},
	} {
		for language, want := range map[string]string{"en": tc.en, "ko": tc.ko} {
			if got := all.Reason(tc.reason, language, "Asia/Seoul"); got != want {
				t.Errorf("%s in %s:\ngot  %s\nwant %s", tc.reason.Kind, language, got, want)
			}
		}
	}
	table := supportplan.Table{Columns: []supportplan.Column{
		{ID: "premium", Name: supportplan.Text{English: "Premium", Korean: "프리미엄"}}, {ID: "gold", Name: supportplan.Text{English: "Gold\x1b[31m", Korean: "골드"}},
	}}
	offer := supportplan.Offer{Kind: supportplan.OfferLevel, Columns: []string{"premium", "gold", "gone"}}
	for language, want := range map[string]string{"en": "It is included in Premium, Gold[31m, gone.", "ko": "프리미엄, 골드, gone에 포함되어 있습니다."} {
		if got := all.Offer(offer, table, language, "Asia/Seoul"); got != want {
			t.Errorf("%s: got %s, want %s", language, got, want)
		}
	}
}

// Every reason and every offer has a sentence of its own in each language.
func TestEveryReasonHasASentence(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		seen := map[string]string{}
		say := func(key, sentence string) {
			if before, twice := seen[sentence]; twice || strings.HasPrefix(sentence, "reason.") || strings.HasPrefix(sentence, "offer.") {
				t.Errorf("%s: %s: %q; %s says the same", language, key, sentence, before)
			}
			seen[sentence] = key
		}
		for _, k := range supportplan.ReasonKinds() {
			say(string(k), all.Reason(supportplan.Reason{Kind: k}, language, "UTC"))
		}
		for _, k := range supportplan.OfferKinds() {
			say(string(k), all.Offer(supportplan.Offer{Kind: k}, supportplan.Table{}, language, "UTC"))
		}
	}
}

func TestTheWordsOfGrants(t *testing.T) {
	all := texts(t)
	for written, want := range map[string][2]string{
		"included": {"included", "포함"}, "add-on": {"add-on", "추가 계약(Add-On)"}, "unknown": {"unknown", "알 수 없음"},
		"12 a year": {"12 a year", "연 12회"}, "1 a quarter": {"1 a quarter", "분기 1회"}, "2 a half-year": {"2 in half a year", "반기 2회"},
	} {
		g, err := supportplan.ParseGrant(written)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{all.Grant(g, "en"), all.Grant(g, "ko")}; got != want {
			t.Errorf("%s: %q, want %q", written, got, want)
		}
	}
	if got := all.Hours("weekdays-9-17", "ko"); got != "weekdays-9-17" {
		t.Errorf("a calendar is called %q", got)
	}
}

// A sentence that is missing, that no reason has, or that asks for what there is not, is found when the texts are read.
func TestFaultsOfSentencesOfEntitlement(t *testing.T) {
	const file = "entitlements/sentences.en.tmpl"
	content, err := fs.ReadFile(templates.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	misspelt := strings.Replace(string(content), `{{define "reason.unknown"}}`, `{{define "reason.unknwon"}}`, 1)
	for _, tc := range []struct{ file, text, want string }{
		{file, misspelt, `sentence "reason.unknown": missing`},
		{file, misspelt, `sentence "reason.unknwon": no such reason or offer`},
		{file, strings.Replace(string(content), "{{.Columns}}", "{{.Price}}", 1), "can't evaluate field Price"},
		{"entitlements/sentences.fr.tmpl", string(content), "entitlements/sentences.fr.tmpl: no such text"},
	} {
		if _, err := report.New(overlay(t, tc.file, tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}
