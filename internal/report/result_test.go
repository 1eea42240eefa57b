package report_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

const said = "벤더 스토리지의 지연이 원인이었습니다.\n\n벤더가 스위치를 교체했고, 연결 풀의 상한을 높였습니다."

// owed is the full incident while its result report is written: the report itself was promised too.
func owed() *incident.Incident {
	i := full()
	i.Status = incident.Resolved
	i.Times.Alerted = i.Notice.Received // nothing has fired before
	i.Times.Engaged = after(12 * time.Minute)
	i.Clocks = append(i.Clocks, supportplan.Clock{
		Customer: "daon", Target: supportplan.ResultReport, Days: 3, Calendar: "business-hours", Started: after(78 * time.Minute),
		Due: after(74 * time.Hour), State: supportplan.Running,
	})
	i.Timeline.Add(after(30*time.Minute), timeline.UpdateSent, timeline.Muster(), timeline.F("customer", "다온몰"))
	i.Timeline.Add(after(50*time.Minute), timeline.UpdateSent, person("lee", "이서연"), timeline.F("customer", "다온몰"),
		timeline.F("text", "결제 지연의 원인을 확인하여 조치하고 있습니다."))
	slices.SortStableFunc(i.Timeline.Entries, func(a, b timeline.Entry) int { return a.At.Compare(b.At) })
	return i
}

// Whoever reads of a promise that was closed without being kept reads why.
func TestAnIncidentReportSaysWhyAResultReportWasWaived(t *testing.T) {
	i := owed()
	c := &i.Clocks[len(i.Clocks)-1]
	c.Stop(after(79 * time.Minute))
	i.Timeline.Add(after(79*time.Minute), timeline.ResultWaived, person("lee", "이서연"), timeline.F("customer", "다온몰"), timeline.F("reason", "told by phone"))
	for language, want := range map[string]string{
		"en": "| ended without being due; waived: told by phone |", "ko": "| 목표 해제; 생략 사유: told by phone |",
	} {
		e := report.Edition{Language: language, Format: report.Markdown, Revision: 1, At: after(80 * time.Minute)}
		got, err := texts(t).Incident(i, e)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), want) {
			t.Errorf("%s: want %q in\n%s", language, want, got)
		}
		if got, err := texts(t).Incident(owed(), e); err != nil || strings.Contains(string(got), "told by phone") {
			t.Errorf("%s: without a waiver: %v\n%s", language, err, got)
		}
	}
}

func TestResultReports(t *testing.T) {
	all := texts(t)
	at := after(49 * time.Hour)
	for _, language := range all.Languages() {
		for _, format := range report.Formats() {
			for name, row := range map[string]struct {
				i              *incident.Incident
				customer, text string
				pages          int
			}{"full": {owed(), "daon", said, 2}, "bare": {bare(), "acme", "", 2}} {
				e := report.Edition{Language: language, Format: format, Revision: 1, At: at}
				got, err := all.Result(row.i, row.customer, row.text, e)
				if err != nil {
					t.Fatal(err)
				}
				if format == report.PDF {
					onPaper(t, got, language, row.pages)
				} else {
					golden(t, "result."+name+"."+language+"."+string(format), string(got))
				}
				// What an activity is given is enough for it.
				slim, err := all.Result(row.i.ForResult(row.customer), row.customer, row.text, e)
				if err != nil || string(slim) != string(got) {
					t.Errorf("%s.%s.%s: another report from what is made for it (%v)", name, language, format, err)
				}
			}
		}
	}
	if _, err := all.Result(bare(), "acme", "", report.Edition{Language: "en", Format: "doc", At: at}); err == nil {
		t.Error("format doc: got no error")
	}
}

// Whatever is in an incident: a customer's result report has nothing of other customers, alerts, people or what was said inside.
func TestAResultReportIsOfOneCustomer(t *testing.T) {
	all := texts(t)
	for name, change := range map[string]func(n *incident.Notice){
		"another customer's notice": func(*incident.Notice) {},
		"the front line's notice":   func(n *incident.Notice) { n.Customer = "" },
		"its own notice":            func(n *incident.Notice) { n.Customer, n.NoticedBy, n.Receipt = "daon", "Ms Oh", "CS-7" },
	} {
		i := owed()
		infect(reflect.ValueOf(i).Elem(), "SECRET")
		change(i.Notice)
		i.Definition.Organisation, i.Definition.Service.Name, i.Cause.Vendor = "Sky Cloud", "Payments", "SkyHost"
		i.Definition.Customers[1].ID, i.Definition.Customers[1].Name = "daon", "Daon Mall"
		c := &i.Clocks[len(i.Clocks)-1]
		c.Customer = "daon"
		i.Timeline.Add(after(time.Hour), timeline.UpdateSent, person("SECRET", "SECRET"), timeline.F("customer", "Daon Mall"), timeline.F("text", "We are at it."))
		for _, given := range []*incident.Incident{i, i.ForResult("daon")} {
			for _, language := range all.Languages() {
				for _, format := range []report.Format{report.Markdown, report.HTML} {
					got, err := all.Result(given, "daon", "It was the storage.", report.Edition{Language: language, Format: format, At: after(49 * time.Hour)})
					if err != nil {
						t.Fatal(err)
					}
					if strings.Contains(string(got), "SECRET") {
						t.Errorf("%s, %s, %s: a secret is in the report:\n%s", name, language, format, got)
					}
					for _, want := range []string{"Sky Cloud", "Payments", "SkyHost", "Daon Mall", "We are at it.", "It was the storage."} {
						if !strings.Contains(string(got), want) {
							t.Errorf("%s, %s, %s: %q is missing", name, language, format, want)
						}
					}
					if own := name == "its own notice"; own != strings.Contains(string(got), "Ms Oh") || own != strings.Contains(string(got), "CS-7") {
						t.Errorf("%s, %s, %s: who noticed it", name, language, format)
					}
				}
			}
		}
	}
}

// Nobody has said why yet: the report says so, and does not look as if there were nothing to say.
func TestAResultReportWithoutACauseSaysSo(t *testing.T) {
	i := owed()
	i.Cause = nil
	for language, want := range map[string][]string{
		"en": {"| Cause | Still being investigated. |", "are still being investigated"}, "ko": {"| 장애 원인 | 조사 중 |", "현재 조사 중"},
	} {
		got, err := texts(t).Result(i, "daon", "", report.Edition{Language: language, Format: report.Markdown, At: after(49 * time.Hour)})
		for _, w := range want {
			if err != nil || !strings.Contains(string(got), w) {
				t.Errorf("%s: %v, want %q in\n%s", language, err, w, got)
			}
		}
	}
}

// Whoever came first has noticed it: an alert, the customer, or others that the customer does not know.
func TestAResultReportSaysWhoNoticedFirst(t *testing.T) {
	for name, row := range map[string]struct {
		change func(i *incident.Incident)
		want   string
	}{
		"the customer":     {func(*incident.Incident) {}, "다온몰 운영팀 (phone), 2026-11-22 Sun 14:14 KST"},
		"without words":    {func(i *incident.Incident) { i.Notice.NoticedBy = "" }, "다온몰 (phone), 2026-11-22 Sun 14:14 KST"},
		"another customer": {func(i *incident.Incident) { i.Notice.Customer = "acme" }, "a report that reached us, 2026-11-22 Sun 14:14 KST"},
		"an alert before":  {func(i *incident.Incident) { i.Times.Alerted = after(time.Minute) }, "our monitoring, 2026-11-22 Sun 14:06 KST"},
		"alerts alone":     {func(i *incident.Incident) { i.Notice = nil }, "our monitoring, 2026-11-22 Sun 14:14 KST"},
	} {
		i := owed()
		row.change(i)
		got, err := texts(t).Result(i, "daon", said, report.Edition{Language: "en", Format: report.Markdown, At: after(49 * time.Hour)})
		if want := "| First noticed by | " + row.want + " |"; err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: %v, want %q in\n%.900s", name, err, want, got)
		}
	}
}

// A customer gets the report for paper, in its language where there is one; of a report that was written before there was any,
// the page.
func TestWhichFileACustomerGets(t *testing.T) {
	file := func(language, format string) incident.ResultFile {
		return incident.ResultFile{Language: language, Name: "INC-1/result-report-1.daon." + language + "." + format, SHA256: language + format}
	}
	both := []incident.ResultFile{file("ko", "html"), file("ko", "pdf"), file("en", "html"), file("en", "pdf")}
	before := []incident.ResultFile{file("ko", "html"), file("en", "html")}
	for _, row := range []struct {
		files            []incident.ResultFile
		language         string
		name, kind, path string
	}{
		{both, "en", "INC-7K3M9QX2PA.en.pdf", "application/pdf", "INC-1/result-report-1.daon.en.pdf"},
		{both, "ko", "INC-7K3M9QX2PA.ko.pdf", "application/pdf", "INC-1/result-report-1.daon.ko.pdf"},
		{both, "ja", "INC-7K3M9QX2PA.ko.pdf", "application/pdf", "INC-1/result-report-1.daon.ko.pdf"},
		{before, "en", "INC-7K3M9QX2PA.en.html", "text/html; charset=utf-8", "INC-1/result-report-1.daon.en.html"},
		{before, "ja", "INC-7K3M9QX2PA.ko.html", "text/html; charset=utf-8", "INC-1/result-report-1.daon.ko.html"},
	} {
		telling := incident.Telling{Kind: delivery.ResultReport, Facts: facts(), Files: row.files}
		m, err := texts(t).Message(telling, delivery.Recipient{Language: row.language})
		if err != nil || len(m.Attachments) != 1 {
			t.Fatalf("%+v, %v", m.Attachments, err)
		}
		if a := m.Attachments[0]; a.Name != row.name || a.Type != row.kind || a.Path != row.path || !strings.Contains(m.Text, row.name) {
			t.Errorf("in %s: got %+v in %q; want %+v", row.language, a, m.Text, row)
		}
	}
}
