package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shipped are the texts as they come with Muster, which nothing changes.
var shipped = sync.OnceValues(func() (*report.Texts, error) { return report.New(templates.FS) })

func texts(t testing.TB) *report.Texts {
	t.Helper()
	all, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it is meant to: go test ./internal/report -update\n%s", name, diff)
	}
}

func TestMessages(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(tellings())) {
			telling := tellings()[name]
			m, err := all.Message(telling, delivery.Recipient{ID: "park", Name: "박지훈", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != telling.Kind || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", name, language, m)
			}
			fmt.Fprintf(&b, "======== %s\nSubject: %s\n\n%s\n", name, m.Subject, m.Text)
		}
		golden(t, "messages."+language+".txt", b.String())
	}
}

func TestMessageCarriesTheFacts(t *testing.T) {
	got, err := texts(t).Message(tellings()["page"], delivery.Recipient{Language: "fr"})
	if err != nil {
		t.Fatal(err)
	}
	offer, about := got.Offer, tellings()["page"].Facts
	if offer == nil || offer.Label != "Take it or escalate without a command:" || offer.Content != link.OfIncident(string(about.ID), about.Title, about.Service) {
		t.Errorf("got offer %+v", offer)
	}
	got.Subject, got.Text, got.Offer = "", "", nil
	want := delivery.Message{
		Kind: delivery.Page, Language: "en", Incident: "INC-7K3M9QX2PA", Priority: "P2", Status: "acknowledged", Service: "Payments",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// A page says what, why me and what next, in this order, with the command, the runbook and where the alert leads, and its title once.
func TestPageOrder(t *testing.T) {
	for language, want := range map[string][]string{
		"en": {"Payments: Authorisations are slow", "P2 urgent (high impact, medium urgency)", "PaymentLatencyHigh:\n  The p99 of POST /authorize is 8.4 s.\n  The threshold", "WHY YOU", "schedule secondary", "WHAT NEXT", "muster incident ack INC-7K3M9QX2PA", "https://runbooks.example.com/payments", "Dashboard: https://grafana.example.com/d/pay", "Alert source: https://prometheus"},
		"ko": {"Payments: Authorisations are slow", "P2 긴급 (영향도 높음, 긴급도 중간)", "PaymentLatencyHigh:\n  The p99 of POST /authorize is 8.4 s.\n  The threshold", "호출 이유", "당직표 secondary", "할 일", "muster incident ack INC-7K3M9QX2PA", "https://runbooks.example.com/payments", "대시보드: https://grafana.example.com/d/pay", "경보 출처: https://prometheus"},
	} {
		m, err := texts(t).Message(tellings()["page"], delivery.Recipient{Language: language})
		if err != nil {
			t.Fatal(err)
		}
		rest := m.Subject + "\n" + m.Text
		if n := strings.Count(rest, "Authorisations are slow"); n != 1 {
			t.Errorf("%s: the title stands there %d times:\n%s", language, n, rest)
		}
		for _, w := range want {
			_, after, ok := strings.Cut(rest, w)
			if !ok {
				t.Errorf("%s: %q is missing or out of order in:\n%s", language, w, m.Text)
				break
			}
			rest = after
		}
		if strings.Contains(m.Text, "javascript:") {
			t.Errorf("%s: a link that is no web page is shown", language)
		}
	}
}

// What has been reopened is not resolved, whatever it was before.
func TestATicketOfWhatIsReopenedIsNotResolved(t *testing.T) {
	for status, want := range map[incident.Status]int{incident.Resolved: 1, incident.Acknowledged: 0} {
		telling := tellings()["ticket"]
		telling.Facts.Status, telling.Facts.Times.Resolved = status, after(time.Hour)
		m, err := texts(t).Message(telling, delivery.Recipient{Language: "en"})
		if err != nil || strings.Count(m.Text, "Resolved:") != want {
			t.Errorf("%s: %v\n%s", status, err, m.Text)
		}
	}
}

// An incident may be called like its alert, or have a title that no subject and no chat has room for.
func TestPageSaysTheTitleOnceAndWhole(t *testing.T) {
	for title, alone := range map[string]bool{"HighErrorRate": true, strings.Repeat("하", 120): true, strings.Repeat("하", 240): false} {
		telling := tellings()["page"]
		telling.Facts.Title, telling.Facts.Alerts, telling.Facts.Firing = title, []string{title}, 1
		for _, language := range texts(t).Languages() {
			m, err := texts(t).Message(telling, delivery.Recipient{Language: language})
			if err != nil {
				t.Fatal(err)
			}
			// The name of the alert is cut, so that a long title is not found in it.
			if inText := strings.Contains(m.Text, title); inText == alone || strings.Contains(m.Subject, title) != alone {
				t.Errorf("%s: %q: in the text: %t\n%s\n%s", language, title, inText, m.Subject, m.Text)
			}
		}
	}
}

// Everybody reads times where they are; who has said nothing reads them where the organisation is.
func TestTimesAreShownInTheReadersZone(t *testing.T) {
	for zone, want := range map[string]string{
		"": "Since 2026-11-22 Sun 14:05 KST", "Europe/London": "Since 2026-11-22 Sun 05:05 GMT", "America/Chicago": "Since 2026-11-21 Sat 23:05 CST",
	} {
		for _, name := range []string{"page", "customer-update"} {
			m, err := texts(t).Message(tellings()[name], delivery.Recipient{Language: "en", Zone: zone})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(m.Text, "Since: ", "Since "); !strings.Contains(got, want) {
				t.Errorf("%s in %q: want %q in:\n%s", name, zone, want, m.Text)
			}
		}
	}
}

// Whatever a text for customers asks for, the house's own names are not in its data.
func TestCustomersSeeNothingInternal(t *testing.T) {
	all := texts(t)
	secret := person("SECRET", "SECRET")
	for _, kind := range []delivery.Kind{
		delivery.CustomerUpdate, delivery.AllClear, delivery.VendorCall, delivery.Receipt, delivery.ResultReport, delivery.ClosingNotice,
	} {
		for _, status := range incident.Statuses() {
			f := facts()
			f.Title, f.Responder, f.Previous, f.Status = "SECRET", "SECRET", "SECRET", status
			f.Customers, f.Alerts, f.Said = []string{"SECRET"}, []string{"SECRET"}, "SECRET"
			f.Links = []incident.Link{{Name: "SECRET", URL: "https://SECRET"}}
			f.Clocks = []incident.FactClock{{Customer: "SECRET", Target: "SECRET"}}
			f.Notice = &incident.Notice{Receipt: "SECRET", Channel: "SECRET", Customer: "SECRET", NoticedBy: "SECRET", Text: "SECRET", Received: start()}
			f.Cause = &incident.Cause{Domain: "SECRET", Vendor: "SECRET", Text: "SECRET", By: secret}
			f.Tried = &incident.Tried{Name: "SECRET", Detail: "SECRET", Found: []incident.Finding{{Text: "SECRET", Output: "SECRET"}}, Steps: []incident.TriedStep{{Text: "SECRET"}}}
			f.Merged, f.Into = []incident.Merging{{ID: "SECRET", Title: "SECRET"}}, &incident.Merging{ID: "SECRET"}
			for _, text := range []string{"", "All is being done."} {
				telling := incident.Telling{
					Kind: kind, Facts: f, Why: "SECRET", Role: "SECRET", Target: "SECRET", Author: &secret, Text: text, Customer: "Acme", CustomerID: "acme",
					Vendor: &incident.VendorSupport{ID: "SECRET", Name: "SECRET", Plan: "SECRET", OpenCase: "SECRET", Escalate: "SECRET"},
					Files:  []incident.ResultFile{{Language: "en", Name: "SECRET", SHA256: "SECRET"}}, Next: &supportplan.Clock{Customer: "SECRET"},
				}
				switch kind {
				case delivery.VendorCall:
					telling.Customer, telling.Text, text = "SECRET", "SECRET", "" // neither who suffers nor what people write
				case delivery.Receipt, delivery.ClosingNotice:
					telling.Text, text = "SECRET", "" // nobody writes in them
				default: // what people write to customers stands in it
				}
				for _, language := range all.Languages() {
					m, err := all.Message(telling, delivery.Recipient{Language: language})
					if err != nil || strings.Contains(m.Subject+m.Text, "SECRET") || !strings.Contains(m.Text, text) {
						t.Errorf("%s, %s, %s: %v\n%s", kind, status, language, err, m.Text)
					}
				}
			}
		}
	}
	broken := overlay(t, "notifications/customer-update.en.tmpl", `{{define "subject"}}{{.Title}}{{end}}{{define "text"}}{{end}}`)
	if _, err := report.New(broken); err == nil {
		t.Error("a customer's text that shows the title: got no error")
	}
}

func TestMessageWithoutTextIsStillSent(t *testing.T) {
	m, err := texts(t).Message(incident.Telling{Kind: "carrier-pigeon", Facts: facts()}, delivery.Recipient{Language: "ko"})
	if err == nil || !strings.Contains(m.Text, "INC-7K3M9QX2PA") || !strings.Contains(m.Subject, "P2") {
		t.Errorf("got %+v, %v; want the bare facts and an error", m, err)
	}
}

func TestEntries(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, e := range append(fullTimeline().Entries, learned()...) {
			b.WriteString(all.Entry(e, language, "Asia/Seoul") + "\n")
		}
		golden(t, "timeline."+language+".txt", b.String())
	}
}

func TestEntryIsOneCleanLine(t *testing.T) {
	e := timeline.Entry{At: start(), Kind: timeline.Noted, Actor: person("eve", "Eve\n2026-11-22 resolved"), Facts: []timeline.Fact{
		timeline.F("text", "a\r\nb\x1b[31m\u202egnp.exe\u2028c\u200b"),
	}}
	want := "2026-11-22 Sun 14:05:09 KST  Eve 2026-11-22 resolved notes: a b[31mgnp.exe c"
	if got := texts(t).Entry(e, "en", "Asia/Seoul"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEntryNobodyWroteASentenceFor(t *testing.T) {
	e := timeline.Entry{At: start(), Kind: "moon.rose", Actor: person("ann", "Ann"), Facts: []timeline.Fact{timeline.F("phase", "full")}}
	want := `2026-11-22 Sun 05:05:09 UTC  moon.rose phase="full" (by Ann)`
	if got := texts(t).Entry(e, "en", "Nowhere/Land"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncidentReports(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		for name, i := range map[string]*incident.Incident{"full": full(), "bare": bare()} {
			for _, format := range report.Formats() {
				e := report.Edition{Language: language, Format: format, Revision: 2, At: after(49 * time.Hour)}
				got, err := all.Incident(i, e)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := all.Incident(i, e)
				if string(got) != string(again) {
					t.Errorf("%s.%s.%s: not the same twice", name, language, format)
				}
				if format == report.PDF {
					onPaper(t, got, language, map[string]int{"full": 5, "bare": 2}[name])
					continue
				}
				golden(t, "incident."+name+"."+language+"."+string(format), string(got))
			}
		}
	}
	if _, err := all.Incident(bare(), report.Edition{Language: "en", Format: "doc", At: start()}); err == nil || !strings.HasSuffix(err.Error(), `format "doc": want one of ["md" "html" "pdf"]`) {
		t.Errorf("format doc: got %v", err)
	}
}

// onPaper is what every PDF of an incident has: its language, the instant of which it is, and so many pages.
func onPaper(t *testing.T, file []byte, language string, pages int) {
	t.Helper()
	for _, want := range []string{"%PDF-1.7", "/Lang (" + language + ")", "/CreationDate(D:20261124060509+00'00')"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Errorf("%s: the PDF lacks %q", language, want)
		}
	}
	if n := bytes.Count(file, []byte("/Type /Page\n")); n != pages {
		t.Errorf("%s: %d pages, want %d", language, n, pages)
	}
}

// What stands around the pages says which report it is, and who may read it.
func TestTheFrameOfAPage(t *testing.T) {
	e := report.Edition{Language: "ko", Revision: 3, At: after(49 * time.Hour)}
	for name, row := range map[string]struct {
		edition report.Edition
		kind    string
		want    [2]string
	}{
		"a revision":           {e, "", [2]string{"INC-7, 개정 3, 2026-11-24(화) 15:05:09 KST", ""}},
		"of a closed circle":   {e, "security", [2]string{"INC-7, 개정 3, 2026-11-24(화) 15:05:09 KST", "보안 인시던트: 관계자 외 열람 금지"}},
		"only to be looked at": {report.Edition{Language: "en", At: after(0)}, "", [2]string{"INC-7, 2026-11-22 Sun 14:05:09 KST", ""}},
	} {
		if identity, notice := report.Frame(texts(t), "Sky", "INC-7", "Asia/Seoul", row.kind, row.edition); [2]string{identity, notice} != row.want {
			t.Errorf("%s: got %q, %q; want %q", name, identity, notice, row.want)
		}
	}
}

func TestTheReportOfASecurityIncidentSaysSo(t *testing.T) {
	for language, want := range map[string]string{"en": "Security incident: only for those who are involved", "ko": "보안 인시던트: 관계자 외 열람 금지"} {
		for _, format := range []report.Format{report.Markdown, report.HTML} {
			for kind, says := range map[incident.Kind]bool{"": false, incident.SecurityIncident: true} {
				i := full()
				i.Definition.Kind = kind
				got, err := texts(t).Incident(i, report.Edition{Language: language, Format: format, At: after(49 * time.Hour)})
				if err != nil || strings.Contains(string(got), want) != says {
					t.Errorf("%s.%s of kind %q says so: %t, %v", language, format, kind, !says, err)
				}
			}
		}
	}
}

// While an incident is open again, its earlier resolution is none.
func TestReopenedIncidentIsNotResolved(t *testing.T) {
	i := full()
	i.Status = incident.Triggered
	got, err := texts(t).Incident(i, report.Edition{Language: "en", Format: report.Markdown, At: after(3 * time.Hour)})
	if err != nil || !strings.Contains(string(got), "| Resolution | not recorded |") || !strings.Contains(string(got), "to now (3 h)") {
		t.Errorf("%v\n%.900s", err, got)
	}
}

// What people have said of an incident stands in its report; where nobody has named the cause, a note may have.
func TestReportsSayWhoKnowsWhat(t *testing.T) {
	for name, row := range map[string]struct {
		change func(i *incident.Incident)
		want   string
	}{
		"an alert came first":   {func(*incident.Incident) {}, "| First noticed by | prometheus (monitoring), 2026-11-22 Sun 14:05 KST |"},
		"a customer came first": {func(i *incident.Incident) { i.Times.Alerted = i.Notice.Received }, "| First noticed by | 다온몰 운영팀, 2026-11-22 Sun 14:14 KST |"},
		"a cause in a note":     {func(i *incident.Incident) { i.Cause = nil }, "| Cause | 배포 4.12의 연결 누수(트랜잭션 미종료) |"},
		"merged":                {func(i *incident.Incident) { i.MergedInto = &incident.Merging{ID: "INC-2", Taken: start()} }, "| Merged into | INC-2 |"},
		"merged, and over": {
			func(i *incident.Incident) { i.Times.Resolved, i.Times.Closed = time.Time{}, after(2*time.Hour) },
			"| Date | 2026-11-22 Sun 14:05 KST to 2026-11-22 Sun 16:05 KST (2 h) |",
		},
		"merged, and not over": {func(i *incident.Incident) { i.Status = incident.Merged }, "| Date | 2026-11-22 Sun 14:05 KST to now (2 d 1 h) |"},
	} {
		i := full()
		row.change(i)
		got, err := texts(t).Incident(i, report.Edition{Language: "en", Format: report.Markdown, At: after(49 * time.Hour)})
		if err != nil || !strings.Contains(string(got), row.want) {
			t.Errorf("%s: %v, want %q in\n%.1500s", name, err, row.want, got)
		}
	}
	asked := full()
	asked.MergedInto = &incident.Merging{ID: "INC-2"}
	if got, err := texts(t).Incident(asked, report.Edition{Language: "en", Format: report.Markdown, At: after(49 * time.Hour)}); err != nil || strings.Contains(string(got), "| Merged into |") {
		t.Errorf("%v: an incident that nobody has taken in yet says that it is merged", err)
	}
}

// Rendering reads a copy: the incident stays as it was.
func TestReportChangesNothing(t *testing.T) {
	all, i := texts(t), full()
	i.Definition.Links[0].Name = "*bold*"
	i.Runs = []string{"_run_"}
	for _, format := range report.Formats() {
		if _, err := all.Incident(i, report.Edition{Language: "en", Format: format, At: start()}); err != nil {
			t.Fatal(err)
		}
	}
	if i.Definition.Links[0].Name != "*bold*" || i.Runs[0] != "_run_" {
		t.Error("the incident was changed")
	}
}

func TestWords(t *testing.T) {
	all := texts(t)
	for _, row := range []struct{ got, want string }{
		{all.Status(incident.Acknowledged, "ko"), "확인"},
		{all.Status("unheard-of", "ko"), "unheard-of"},
		{all.Priority(priority.P2, "ko"), "P2 긴급"},
		{all.Priority(priority.P4, "ko"), "P4 보통"},
		{all.Priority(priority.P1, "en-GB"), "P1 critical"},
		{all.Level(report.Impact, priority.High, "ko"), "영향도 높음"},
		{all.Level(report.Urgency, priority.High, "ko-KR"), "긴급도 높음"},
		{all.Level(report.Urgency, priority.Low, "en"), "low urgency"},
		{all.Role(incident.IncidentManager, "ko"), "인시던트 총괄"},
		{all.Target(supportplan.Update, "en"), "customer update"},
		{all.Clock(supportplan.Missed, "ko"), "초과"},
		{all.Kind(delivery.AllClear, "ko"), "정상화 안내"},
		{all.Duration(75*time.Minute, "ko"), "1시간 15분"},
		{all.Duration(75*time.Minute, "en"), "1 h 15 min"},
		{all.Duration(24*time.Hour, "en"), "24 h"},
		{all.Duration(50*time.Hour, "ko"), "2일 2시간"},
		{all.Duration(90*time.Second, "en"), "1 min 30 s"},
		{all.Duration(-3*time.Second, "en"), "-3 s"},
		{all.Duration(0, "ko"), "1초 미만"},
		{all.Instant(start(), "ko", "Asia/Seoul"), "2026-11-22(일) 14:05 KST"},
		{all.Instant(start(), "en", "Asia/Seoul"), "2026-11-22 Sun 14:05 KST"},
		{all.Moment(start(), "en", "America/New_York"), "2026-11-22 Sun 00:05:09 EST"},
		{all.Instant(start(), "en", "America/Sao_Paulo"), "2026-11-22 Sun 02:05 UTC-03"},
		{all.Instant(start(), "en", "Mars/Olympus"), "2026-11-22 Sun 05:05 UTC"},
		{all.Instant(start(), "en", "Local"), "2026-11-22 Sun 05:05 UTC"},
		{all.Instant(time.Time{}, "en", "UTC"), "–"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

// overlay is the shipped texts with one file changed, as an organisation might.
func overlay(t testing.TB, name, text string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(templates.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(templates.FS, path)
		files[path] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files[name] = &fstest.MapFile{Data: []byte(text)}
	return files
}

func BenchmarkMessage(b *testing.B) {
	all, telling, to := texts(b), tellings()["page"], delivery.Recipient{Name: "박지훈", Language: "ko"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := all.Message(telling, to); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEntry(b *testing.B) {
	all, e := texts(b), fullTimeline().Entries[0]
	for b.Loop() {
		all.Entry(e, "ko", "Asia/Seoul")
	}
}

func BenchmarkIncident(b *testing.B) {
	all, i := texts(b), full()
	for b.Loop() {
		if _, err := all.Incident(i, report.Edition{Language: "ko", Format: report.HTML, At: start()}); err != nil {
			b.Fatal(err)
		}
	}
}
