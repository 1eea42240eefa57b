package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/period"
	"muster/internal/report"
)

// archived are the records of the month that package period tells.
func archived(t testing.TB) (all []period.Record) {
	t.Helper()
	files, err := filepath.Glob("../period/testdata/world/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no records: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var kept struct {
			Kind  string
			State json.RawMessage
		}
		if err := json.Unmarshal(b, &kept); err != nil {
			t.Fatal(err)
		}
		s, err := period.Decode(kept.Kind, kept.State)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		all = append(all, period.Record{
			Bundle: period.Bundle{File: strings.TrimSuffix(filepath.Base(file), ".json"), SHA256: hex.EncodeToString(sum[:])}, Kind: kept.Kind, State: s,
		})
	}
	return all
}

// supplied are imports of a month, but for what the platform has told.
func supplied(t testing.TB, of string) (all []period.Import) {
	t.Helper()
	day := func(n int) string { return fmt.Sprintf("%s-%02d", of, n) }
	for _, x := range []struct {
		kind    period.ImportKind
		content string
	}{
		{period.ServerChecks, "date,server,cpu,memory,disk,processes,note\n" + day(1) + ",web-1,41,62.5,70,ok,\n" + day(2) + ",web-1,93,80,71,failed,\"worker <restarted> | again\"\n" + day(1) + ",db-1,12,71,88.5,ok,disk grows\n"},
		{period.Resources, "date,resource,kind,change,note\n" + day(1) + ",web-1,virtual machine,none,\n" + day(10) + ",web-2,virtual machine,added,for the sale\n" + day(20) + ",cache-1,cache,removed,\n"},
		{period.Use, "date,item,quantity,unit\n" + day(29) + ",CDN,1200.5,GB\n" + day(30) + ",CDN,300,GB\n" + day(30) + ",CDN,9000000,requests\n"},
		{period.Billing, "date,item,amount,currency\n" + day(30) + ",Compute,1250000,KRW\n" + day(30) + ",Credit,-50000,KRW\n"},
	} {
		i, err := period.NewImport(x.kind, "garam", of, string(x.kind)+".csv", []byte(x.content))
		if err != nil {
			t.Fatal(err)
		}
		if x.kind == period.Billing {
			i.Revision, i.Reason = 2, "the credit was missing"
		}
		all = append(all, *i)
	}
	return all
}

func factsOf(t testing.TB, a period.Asked) *period.Facts {
	t.Helper()
	a.Zone = "Asia/Seoul"
	f, err := period.Compute(archived(t), a, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ofGaram(of string) period.Asked {
	return period.Asked{
		Period: of, Customer: "garam", Services: []period.Service{{Customer: "garam", ID: "search", Name: "Search"}},
		Promised: []period.Target{{Customer: "garam", Of: "application", Percent: "99.9"}}, Bought: []period.Visits{{Customer: "garam", PerYear: 12}},
	}
}

func TestPeriodReports(t *testing.T) {
	all := texts(t)
	garam := factsOf(t, ofGaram("2026-11"))
	garam.Imports = supplied(t, "2026-11")
	quiet := factsOf(t, period.Asked{Period: "2026-W36", Customer: "garam"})
	interim := ofGaram("2026-Q4")
	interim.Until, interim.Restricted = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC), true
	quarter := factsOf(t, interim)
	quarter.Imports = supplied(t, "2026-11")
	for name, f := range map[string]*period.Facts{
		"period.provider": factsOf(t, period.Asked{Period: "2026-11"}), "period.customer": garam, "period.quiet": quiet, "period.quarter": quarter,
	} {
		for _, language := range all.Languages() {
			for _, format := range []report.Format{report.Markdown, report.HTML} {
				e := report.Edition{Language: language, Format: format, At: time.Date(2026, 12, 1, 0, 30, 0, 0, time.UTC)}
				out, err := all.Period(f, e)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := all.Period(f, e); err != nil || string(again) != string(out) {
					t.Errorf("%s in %s as %s: the second time it is another one; %v", name, language, format, err)
				}
				golden(t, fmt.Sprintf("%s.%s.%s", name, language, format), string(out))
			}
		}
	}
	if out, err := all.Period(garam, report.Edition{Language: "ko", Format: report.PDF, At: time.Unix(0, 0)}); err != nil || !strings.HasPrefix(string(out), "%PDF") {
		t.Errorf("as PDF: %v", err)
	}
}

// All that the monthly report of the source has (004, lines 85 to 141) is there, and what nobody has handed in says so.
func TestTheMonthlyReportOfTheSourceIsWhole(t *testing.T) {
	all := texts(t)
	for _, tc := range []struct {
		language, missing string
		sections          []string
	}{
		{"en", "Not supplied", []string{"Incidents", "Availability", "Changes", "Server checks", "Resources", "Use", "Billing", "Platform events", "Requests and visits"}},
		{"ko", "미제출", []string{"인시던트 처리 현황", "가용성", "변경 작업", "서버 점검", "리소스 현황", "사용량", "비용", "플랫폼 이벤트", "요청과 방문 지원"}},
	} {
		out, err := all.Period(factsOf(t, ofGaram("2026-11")), report.Edition{Language: tc.language, Format: report.Markdown})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range tc.sections {
			if !regexp.MustCompile(`(?m)^## [0-9]+\. ` + s + `$`).MatchString(string(out)) {
				t.Errorf("in %s: no section %q", tc.language, s)
			}
		}
		if n := strings.Count(string(out), tc.missing); n != 5 {
			t.Errorf("in %s: %q %d times, want 5", tc.language, tc.missing, n)
		}
		weekly, err := all.Period(factsOf(t, ofGaram("2026-W46")), report.Edition{Language: tc.language, Format: report.Markdown})
		if err != nil || strings.Count(string(weekly), tc.missing) != 2 {
			t.Errorf("in %s: the weekly report wants resources and events alone; %v", tc.language, err)
		}
	}
}

// Whoever cannot see a chart hears what it is, and no page runs anything.
func TestChartsAreForEverybody(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		out, err := all.Period(factsOf(t, period.Asked{Period: "2026-11"}), report.Edition{Language: language, Format: report.HTML})
		if err != nil {
			t.Fatal(err)
		}
		charts, ids, said := 0, map[string]bool{}, map[string]int{}
		d := xml.NewDecoder(strings.NewReader(string(out)))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			said[n.Name.Local]++
			for _, a := range n.Attr {
				if a.Name.Local == "id" && ids[a.Value] {
					t.Errorf("id %q is there twice", a.Value)
				}
				if ids[a.Value] = ids[a.Value] || a.Name.Local == "id"; a.Name.Local == "aria-labelledby" && n.Name.Local == "svg" {
					charts++
				}
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" {
					t.Errorf("<%s %s=%q>", n.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
		for _, no := range []string{"script", "img", "iframe", "object", "link"} {
			if said[no] > 0 {
				t.Errorf("<%s> in %s", no, language)
			}
		}
		if said["svg"] != charts || said["desc"] != charts || said["title"] != charts+1 { // that of the page
			t.Errorf("%d of %d charts in %s have a name; %d descriptions, %d titles", charts, said["svg"], language, said["desc"], said["title"])
		}
		if charts != 4 {
			t.Errorf("%d charts in %s, want 4", charts, language)
		}
	}
}

// Of an archive without bundles nobody knows whose it is: the report leaves no hole where the name would stand.
func TestAPeriodReportOfNobodyHasNoHoles(t *testing.T) {
	f, err := period.Compute(nil, period.Asked{Period: "2026-11", Zone: "UTC"}, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string][]string{
		"en": {"\n**all customers**\n", "\nWritten by Muster from archived records, "}, "ko": {"\n**전체 고객사**\n", "\n작성: Muster의 증적 보관소에 근거함, "},
	} {
		out, err := texts(t).Period(f, report.Edition{Language: language, Format: report.Markdown, At: f.To})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s: want %q in\n%s", language, w, out)
			}
		}
	}
}
