package report_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// worked is a request that has gone its whole way.
func worked(t *testing.T) *request.Request {
	t.Helper()
	terms := asking(request.Receipt, request.Accepted, supportplan.Covered).Terms
	terms.Request, terms.Uncounted = "r", supportplan.Verdict{Outcome: supportplan.Covered}
	terms.Confirm, terms.Revision = &supportplan.Confirmation{Days: 5}, "4f2a"
	terms.Needs = []request.Need{
		{ID: "version", Name: supportplan.Text{English: "Version in use", Korean: "사용 중인 버전"}}, {ID: "logs", Name: supportplan.Text{English: "Logs", Korean: "로그"}},
	}
	r, err := request.Start(terms, after(0))
	if err != nil {
		t.Fatal(err)
	}
	kim, desk := person("kim", "김민수"), timeline.Actor{Kind: timeline.Person, ID: "garam/desk", Name: "가람 담당"}
	for n, x := range []struct {
		by timeline.Actor
		c  request.Command
	}{
		{kim, request.Take{}},
		{kim, request.Collect{Need: "version", Text: "4.2 | beta"}},
		{kim, request.HandOver{Person: "park", Name: "박서준", Note: "yours"}},
		{kim, request.RecordCase{Vendor: "skyhost", Name: "SkyHost", Ref: "SR-1182", Chase: after(48 * time.Hour)}},
		{kim, request.Promote{Incident: "INC-7K3M9QX2PA"}},
		{kim, request.Meet{Purpose: "The nights", Who: []string{"Seo", "Park"}, Text: "It is slow at night.", Decisions: []string{"Tune the batch"}, Next: []string{"Park, until Friday"}}},
		{kim, request.Answer{Text: "We have tuned it."}},
		{desk, request.Judge{Result: request.Incomplete, Note: "Still slow at night."}},
		{kim, request.Answer{Text: "At night too."}},
		{desk, request.Judge{Result: request.Complete, Score: 4, Note: "Thank you."}},
	} {
		now := after(time.Duration(n+1) * time.Minute)
		if err := x.c.Check(r, x.by); err != nil {
			t.Fatal(err)
		}
		if err := x.c.Apply(r, x.by, now); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestRequestReports(t *testing.T) {
	all, whole := texts(t), worked(t)
	told := asking(request.Notice, request.Answered, supportplan.Covered).Terms
	told.Begun = request.WithVendor
	open, err := request.Start(told, after(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range all.Languages() {
		for name, r := range map[string]*request.Request{"request-report": whole, "request-report-open": open} {
			for _, f := range []report.Format{report.Markdown, report.HTML} {
				out, err := all.RequestReport(r, report.Edition{Language: language, Format: f, At: after(3 * time.Hour)})
				if err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+language+map[report.Format]string{report.Markdown: ".md", report.HTML: ".html"}[f], string(out))
			}
		}
	}
	if out, err := all.RequestReport(whole, report.Edition{Language: "ko", Format: report.PDF, At: start()}); err != nil || !strings.HasPrefix(string(out), "%PDF") {
		t.Errorf("got %v, %.20q", err, out)
	}
}

func TestMinutes(t *testing.T) {
	all, r := texts(t), worked(t)
	r.Meetings = []request.Meeting{
		{
			At: after(time.Hour), Purpose: "More storage", Who: []string{"서지우", "Park"}, Text: "The disk | fills up.\n\n# Twice", By: person("kim", "김민수"),
			Decisions: []string{"100 GB more", "none *deleted*"}, Next: []string{"Park, until Friday: a quote"},
		},
		{At: after(2 * time.Hour), Purpose: "The quote", Who: []string{"서지우"}, Text: "It is fine.", By: person("kim", "김민수")},
	}
	for _, language := range all.Languages() {
		for number, name := range map[int]string{1: "minutes", 2: "minutes-short"} {
			for f, ending := range map[report.Format]string{report.Markdown: ".md", report.HTML: ".html"} {
				out, err := all.Minutes(r, number, report.Edition{Language: language, Format: f, At: after(3 * time.Hour)})
				if err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+language+ending, string(out))
			}
		}
	}
	if out, err := all.Minutes(r, 1, report.Edition{Language: "ko", Format: report.PDF, At: start()}); err != nil || !strings.HasPrefix(string(out), "%PDF") {
		t.Errorf("got %v, %.20q", err, out)
	}
	if _, err := all.Minutes(r, 3, report.Edition{Language: "ko", Format: report.Markdown}); err == nil {
		t.Error("there is no third meeting")
	}
}
