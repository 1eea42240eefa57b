package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"muster/internal/report"
)

func drawing() report.Gantt {
	seoul := time.FixedZone("KST", 9*3600)
	at := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, seoul) }
	return report.Gantt{
		Title: "업그레이드 <6.5> & more", Language: "ko", Zone: seoul, From: at(1, 9), To: at(20, 9),
		Legend: report.GanttLegend{Waiting: "대기", Doing: "진행", Held: "변경 불가", Due: "기한", Critical: "주요 경로", Late: "기한 초과"},
		Rows: []report.GanttRow{
			{Group: "계획", Label: "계획 수립", Ready: at(1, 9), Begins: at(1, 10), Ends: at(3, 9), Due: at(4, 9), Critical: true},
			{Group: "계획", Label: "복잡도 평가", Ready: at(1, 9), Begins: at(2, 9), Ends: at(6, 9), Due: at(5, 9), Late: true},
			{Group: "출시", Label: "출시", Ready: at(6, 9), Begins: at(13, 2), Ends: at(13, 4), Held: []report.GanttSpan{{From: at(6, 9), Until: at(13, 2), Why: "연말 <동결>"}}},
			{Group: "출시", Label: "나중"},
		},
	}
}

// What is drawn is one well-formed picture with its title, whatever stands in the texts, and the same bytes each time.
func TestAGanttIsWellFormedAndTheSameEachTime(t *testing.T) {
	g := drawing()
	svg := g.SVG()
	d := xml.NewDecoder(strings.NewReader(svg))
	bars := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					bars[a.Value]++
				}
			}
		}
	}
	// One of each in the legend.
	for class, want := range map[string]int{"critical": 2, "late": 2, "do": 2, "held": 2, "ready": 4} {
		if bars[class] != want {
			t.Errorf("%d bars of %s, want %d", bars[class], class, want)
		}
	}
	if !strings.Contains(svg, ">업그레이드 &lt;6.5&gt; &amp; more</title>") {
		t.Error("it has not its title")
	}
	again := drawing()
	if again.SVG() != svg {
		t.Error("drawn again it is another one")
	}
}

func TestAGanttOfOneHourHasMinutes(t *testing.T) {
	g := drawing()
	g.To = g.From.Add(time.Hour)
	if svg := g.SVG(); !strings.Contains(svg, ">09:30<") {
		t.Error("it has no half hours")
	}
}

// A label stops before the bars, and no date is cut at the edge.
func TestAGanttKeepsItsTextsInTheirPlaces(t *testing.T) {
	g := drawing()
	g.Rows[0].Label = "스테이징 인프라 서비스 업그레이드: 데이터베이스, 캐시, 검색, 큐"
	g.Rows[1].Label = "Assess the complexity: packages, issues and fixes, third-party modules"
	g.To = time.Date(2026, 12, 13, 1, 0, 0, 0, g.Zone)
	svg := g.SVG()
	for _, want := range []string{">스테이징 인프라 서비스 업그레이드: 데이…<", ">Assess the complexity: packages, issues…<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no label %s", want)
		}
	}
	if strings.Contains(svg, ">12-13<") || !strings.Contains(svg, ">12-12<") {
		t.Error("want the day before the last one as the last date that is named")
	}
}

// A page says in tables what it shows, and has headings for whoever hears them.
func TestAGanttHasItsFactsInATable(t *testing.T) {
	g := drawing()
	g.Lead, g.Notes = "작업 4개", []string{"담당자 부재: <변경 관리자>"}
	g.Legend.Tasks, g.Legend.Begins = "작업 일정", "착수"
	g.Rows[2].Note = "변경 불가: 연말 <동결>"
	g.Tables = []report.GanttTable{{Caption: "필요 인력", Head: []string{"작업", "역할"}, Rows: [][]string{{"출시", "배포 & 점검"}}}}
	page := g.HTML()
	for _, want := range []string{
		`<html lang="ko">`, `aria-labelledby="gantt-title gantt-lead"`, `<desc id="gantt-lead">작업 4개</desc>`, "<caption>작업 일정</caption>", `<th scope="col">착수</th>`,
		`<th scope="rowgroup" colspan="7">계획</th>`, `<th scope="row">계획 수립</th><td>2026-12-01 10:00 KST</td><td>2026-12-03 09:00 KST</td><td>2026-12-04 09:00 KST</td>`,
		"<td>변경 불가: 연말 &lt;동결&gt;</td>", `<th scope="row">나중</th><td></td>`, "<li>담당자 부재: &lt;변경 관리자&gt;</li>",
		"<caption>필요 인력</caption>", `<th scope="row">출시</th><td>배포 &amp; 점검</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, tag := range []string{"table", "tbody", "thead", "tr", "div", "ul"} {
		if open, closed := strings.Count(page, "<"+tag+">")+strings.Count(page, "<"+tag+" "), strings.Count(page, "</"+tag+">"); open != closed {
			t.Errorf("%d <%s> and %d ends", open, tag, closed)
		}
	}
}
