package localpage_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/localpage"
	"muster/internal/posting"
)

var at = time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)

func page(t *testing.T) (*localpage.Page, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "status")
	seoul := time.FixedZone("KST", 9*3600)
	return &localpage.Page{
		Pages: &localpage.Pages{Folder: folder}, Name: "public", Title: "Mirnet <status>", Languages: []string{"ko", "en"}, URL: "https://status.mirnet.example/", Zone: seoul,
	}, filepath.Join(folder, "public")
}

func word(id string, revision int, status, text string) posting.Posting {
	return posting.Posting{
		Incident: id, Revision: revision, Status: status, Impact: "high", Started: at.Add(-time.Hour), At: at.Add(time.Duration(revision) * time.Minute),
		Words: []posting.Words{{Language: "ko", Title: "결제 장애", Text: text}, {Language: "en", Title: "Payments: incident", Text: "in English: " + text}},
	}
}

func post(t *testing.T, p *localpage.Page, all ...posting.Posting) {
	t.Helper()
	for _, w := range all {
		if ref, err := p.Post(t.Context(), w); err != nil || ref != "https://status.mirnet.example/#"+w.Incident {
			t.Fatalf("%s %d: got %q, %v", w.Incident, w.Revision, ref, err)
		}
	}
}

func content(t *testing.T, folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAPageInBothLanguages(t *testing.T) {
	p, folder := page(t)
	post(t, p, word("INC-A", 1, "investigating", "조사 중 <script>alert(1)</script>"), word("INC-A", 2, "monitoring", "관찰 중"),
		word("INC-B", 1, "resolved", "끝"))
	for name, wants := range map[string][]string{
		"index.ko.html": {`<html lang="ko">`, "장애가 진행 중입니다", "결제 장애", "관찰 중", "2026-11-26 13:00 KST", "지난 장애", "Mirnet &lt;status&gt;"},
		"index.en.html": {`<html lang="en">`, "There is a current incident", "Payments: incident", "in English: 관찰 중", `name="viewport"`},
		"index.html":    {`<html lang="ko">`},
	} {
		got := content(t, folder, name)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
		if strings.Contains(got, "<script") || strings.Contains(got, "http://") || strings.Contains(got, " src=") {
			t.Errorf("%s loads or runs something:\n%s", name, got)
		}
		if strings.Index(got, "관찰 중") > strings.Index(got, "조사 중 &lt;") {
			t.Errorf("%s: the newest text is not the first", name)
		}
	}
	var status struct {
		Current bool
		Open    []struct{ Incident, Status string }
		Over    []struct{ Incident string }
	}
	if err := json.Unmarshal([]byte(content(t, folder, "status.json")), &status); err != nil {
		t.Fatal(err)
	}
	if !status.Current || len(status.Open) != 1 || status.Open[0].Status != "monitoring" || len(status.Over) != 1 {
		t.Errorf("status.json: %+v", status)
	}
	var feed struct {
		ID      string `xml:"id"`
		Entries []struct {
			ID    string `xml:"id"`
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(content(t, folder, "feed.ko.atom")), &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 3 || feed.Entries[0].Title != "결제 장애: 관찰 중" || feed.Entries[0].ID != feed.ID+":INC-A:2" {
		t.Errorf("feed: %+v", feed)
	}
}

// The page knows only what was announced: a critical incident may go on of which nobody has said anything.
func TestAPageWithoutCurrentIncidentsSaysNoMoreThanThat(t *testing.T) {
	p, folder := page(t)
	post(t, p, word("INC-A", 1, "identified", "it lasts until six"), word("INC-A", 2, "resolved", "it is over"))
	for name, want := range map[string]string{
		"index.en.html": "No current incident has been announced", "index.ko.html": "진행 중으로 안내된 장애가 없습니다", "status.json": `"current": false`,
	} {
		if got := content(t, folder, name); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
	newest, earlier, _ := strings.Cut(content(t, folder, "index.en.html"), "<details>")
	if !strings.Contains(newest, "it is over") || strings.Contains(newest, "until six") || !strings.Contains(earlier, "until six") {
		t.Error("what was said before it was over does not stand apart")
	}
}

func TestAnEntryIsFoundAtTheAddressOfThePageElseInItsFile(t *testing.T) {
	p, folder := page(t)
	p.URL = ""
	if ref, err := p.Post(t.Context(), word("INC-A", 1, "identified", "x")); err != nil || ref != filepath.Join(folder, "index.html") {
		t.Errorf("got %q, %v", ref, err)
	}
}

func TestPostedTwiceIsOnePost(t *testing.T) {
	p, folder := page(t)
	post(t, p, word("INC-A", 1, "investigating", "first"), word("INC-A", 2, "identified", "second"))
	before := content(t, folder, "status.json")
	post(t, p, word("INC-A", 2, "identified", "second"), word("INC-A", 1, "investigating", "first"))
	if after := content(t, folder, "status.json"); after != before {
		t.Errorf("got\n%s\nwant\n%s", after, before)
	}
}

func TestTheNewestOfWhatIsOverStays(t *testing.T) {
	p, folder := page(t)
	open := word("INC-OPEN", 1, "investigating", "old and open")
	open.At = at.Add(-1000 * time.Hour)
	post(t, p, open)
	for n := range 35 {
		w := word(fmt.Sprintf("INC-%02d", n), 1, "resolved", "over")
		w.At = at.Add(time.Duration(n) * time.Hour)
		post(t, p, w)
	}
	got := content(t, folder, "status.json")
	for id, want := range map[string]bool{"INC-OPEN": true, "INC-34": true, "INC-05": true, "INC-04": false} {
		if strings.Contains(got, `"`+id+`"`) != want {
			t.Errorf("%s on the page: %v, want %v", id, !want, want)
		}
	}
}

// Several incidents change at once, and none may miss on the page.
func TestPostsAtTheSameTime(t *testing.T) {
	p, folder := page(t)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			if _, err := p.Post(t.Context(), word(fmt.Sprintf("INC-%02d", n), 1, "investigating", "x")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := strings.Count(content(t, folder, "index.html"), "<article"); got != 20 {
		t.Errorf("%d incidents on the page, want 20", got)
	}
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	p, _ := page(t)
	for _, bad := range []string{"", "../x", "a/b", ".hidden", "a b"} {
		if _, err := p.Post(t.Context(), word(bad, 1, "investigating", "x")); !delivery.IsRefusal(err) {
			t.Errorf("entry %q: got %v, want a refusal", bad, err)
		}
		q := *p
		q.Name = bad
		if _, err := q.Post(t.Context(), word("INC-A", 1, "investigating", "x")); !delivery.IsRefusal(err) {
			t.Errorf("page %q: got %v, want a refusal", bad, err)
		}
	}
}

func TestAnEntryThatCannotBeRead(t *testing.T) {
	p, folder := page(t)
	post(t, p, word("INC-A", 1, "investigating", "x"))
	if err := os.WriteFile(filepath.Join(folder, "entries", "INC-A.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), word("INC-A", 2, "identified", "y")); err == nil || delivery.IsRefusal(err) {
		t.Errorf("got %v, want an error that another attempt may mend", err)
	}
}

func TestALongIncidentDoesNotStopThePage(t *testing.T) {
	p, folder := page(t)
	long := strings.Repeat("가", 4_000)
	for n := range 46 {
		post(t, p, word("INC-7K3M9QX2PA", n+1, "investigating", long))
	}
	post(t, p, word("INC-7K3M9QX2PA", 47, "resolved", "It is over."))
	if page := content(t, folder, "index.html"); !strings.Contains(page, "It is over.") {
		t.Error("the page does not say that it is over")
	}
}
