package pdf_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/signintech/gopdf"
	"golang.org/x/text/unicode/norm"

	"muster/internal/report/pdf"
)

var update = flag.Bool("update", false, "write the golden files anew")

func document() pdf.Document {
	return pdf.Document{
		Language: "ko", Organisation: "하늘클라우드 주식회사", Identity: "INC-7K3M9QX2PA, 개정 2", Missing: "글꼴에 없는 문자",
		Made: time.Date(2026, 11, 24, 6, 5, 9, 0, time.UTC),
	}
}

const sample = `# 장애처리결과보고서 INC-7K3M9QX2PA

**결제 게이트웨이: 결제 승인 지연**
<!-- sign-off -->
| 담당 | 검토 | 승인 |
|---|---|---|
| | | |
| 일자: | 일자: | 일자: |

## 1. 개요

| | |
|---|---|
| 관리 번호 | INC-7K3M9QX2PA |
| 링크 | [대시보드](https://grafana.example.com/d/pay_%28a%29?x=1) |

벤더의 **스토리지 지연(SkyHost)**이 *원인*이며, ` + "`kubectl get pods`" + `로 확인했다.\
둘째 줄 <b>HTML</b> &lt;아님&gt; \*별표\*

- 첫째
  1. 하나
  2. 둘
- 둘째

  > 인용한 말의
  > 줄은 그대로

---

| Time | Count |
|:--|--:|
| 14:05 | 3 |

` + "```\nSELECT 1\n  FROM dual\n```\n\n    indented\n" + `
### Details

<https://example.com/a> and ![a picture](x.png) and [nowhere](javascript:alert(1))
`

func TestASampleOfEverything(t *testing.T) {
	pages, err := pdf.Pages(document(), sample)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/sample.golden.txt"
	got := pdf.Show(pages)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it is meant to: go test ./internal/report/pdf -update\n%s", file, diff)
	}
}

// The same report is the same file, also when others are written at the same time; and it holds no instant but its own.
func TestTheSameReportIsTheSameFile(t *testing.T) {
	want, err := pdf.Write(document(), []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			if n%2 == 1 {
				if _, err := pdf.Write(document(), fmt.Appendf(nil, "# 다른 글 %d\n\nquite another one", n)); err != nil {
					t.Error(err)
				}
				return
			}
			if got, err := pdf.Write(document(), []byte(sample)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("another file of %d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	for _, part := range []string{
		"%PDF-1.7\n", "/Lang (ko) ", "/CreationDate(D:20261124060509+00'00')", "/URI (https://grafana.example.com/d/pay_%28a%29?x=1)",
		"+Pretendard-Regular\n", "+Pretendard-Bold\n", "startxref",
	} {
		if !bytes.Contains(want, []byte(part)) {
			t.Errorf("the file lacks %q", part)
		}
	}
	if n := bytes.Count(want, []byte("/Type /Page\n")); n != 1 {
		t.Errorf("%d pages, want 1", n)
	}
	for _, part := range []string{"javascript", "/PageMode"} {
		if bytes.Contains(want, []byte(part)) {
			t.Errorf("the file holds %q", part)
		}
	}
	if len(want) > 40_000 {
		t.Errorf("the file has %d bytes: is the whole font in it?", len(want))
	}
}

func TestLinesBreakWhereAReaderExpectsIt(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		ems  float64
		want []string
	}{
		"Latin by words":                {"the storage was slow again", 8, []string{"the storage was", "slow again"}},
		"Hangul between words":          {"결제 승인이 지연되고 있습니다", 7.9, []string{"결제 승인이 지연되", "고 있습니다"}},
		"unless too much stays empty":   {"원인을 확인하여 조치 중이며 다시 안내", 10, []string{"원인을 확인하여 조치", "중이며 다시 안내"}},
		"Hangul between syllables":      {"장애처리결과보고서제출기한", 5, []string{"장애처리결", "과보고서제", "출기한"}},
		"a particle stays at its name":  {"원인은 DB를 쓰는 앱", 5, []string{"원인은", "DB를 쓰는", "앱"}},
		"a unit stays at its number":    {"모두 합하여 123건", 6.6, []string{"모두 합하여", "123건"}},
		"no line begins with a closer":  {"결제승인이(지연)됨", 6.6, []string{"결제승인이(지", "연)됨"}},
		"no line ends with an opener":   {"결제승인이「지연」", 4.9, []string{"결제승인이", "「지연」"}},
		"nor begins with a full stop":   {"가나다라마.", 4.4, []string{"가나다라", "마."}},
		"a hyphen between letters":      {"the post-incident review", 6.5, []string{"the post-", "incident", "review"}},
		"no number is torn":             {"report INC-NQXPA", 8, []string{"report", "INC-NQXPA"}},
		"no hyphen between digits":      {"on 2026-11-22 again", 6.4, []string{"on", "2026-11-22", "again"}},
		"a word longer than the line":   {"id 9b74c9897bac770ffc029102", 6, []string{"id", "9b74c9897b", "ac770ffc029", "102"}},
		"an address after its marks":    {"https://example.com/a/b/c", 7, []string{"https://", "example.com/", "a/b/c"}},
		"lines that somebody has ended": {"가\n나\n\n다", 9, []string{"가", "나", "", "다"}},
		"blanks":                        {"  a   b  ", 9, []string{"a b"}},
		"nothing":                       {" ", 9, nil},
		"letters put together":          {norm.NFD.String("한글"), 9, []string{"한글"}},
		"what cannot be seen":           {"a\u200bb\u00adc\x07d\ufe0f", 9, []string{"abcd"}},
		"what cannot be drawn":          {"漢字 ☑ \u1200 \U00020000", 9, []string{"漢字 ✓ □ □"}},
		"pictures, in words":            {"🔴 down 👍🏽", 40, []string{"[large red circle] down [thumbs up sign]"}},
		"flags":                         {"🇰🇷", 9, []string{"KR"}},
		"wider than the line":           {"가나", 0.1, []string{"가", "나"}},
	} {
		got, err := pdf.Lines(row.text, row.ems)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, row.want)
		}
	}
}

// What a font cannot draw is said once, at the end; and nothing is said where all of it can be drawn.
func TestCharactersThatAreMissing(t *testing.T) {
	for text, want := range map[string]bool{"ሀ 님이 확인": true, "金민수 님이 확인 👍": false, "김민수 님이 확인 ✓ → ₩ ①": false} {
		pages, err := pdf.Pages(document(), text)
		if got := strings.Contains(pdf.Show(pages), "□: 글꼴에 없는 문자"); err != nil || got != want {
			t.Errorf("%q: said %t, %v; want %t", text, got, err, want)
		}
	}
}

// words of a page that are not of its frame.
func within(page []pdf.Text) (texts []pdf.Text) {
	for _, t := range page {
		if t.Y > pdf.Top && t.Y < pdf.Bottom {
			texts = append(texts, t)
		}
	}
	return texts
}

func TestALongTableGoesOnUnderItsHead(t *testing.T) {
	var b strings.Builder
	b.WriteString("## Rows\n\n| 시각 | What happened |\n|---|---|\n")
	for n := range 300 {
		fmt.Fprintf(&b, "| r%d. | %s |\n", n, strings.Repeat("말이 긴 words ", n%17))
	}
	pages, err := pdf.Pages(document(), b.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 10 || len(pages) > 20 {
		t.Errorf("%d pages", len(pages))
	}
	next := 0
	for n, page := range pages {
		texts := within(page)
		if n == 0 {
			texts = texts[1:] // the heading
		}
		if texts[0].Words != "시각" || texts[1].Words != "What happened" || !texts[0].Bold {
			t.Errorf("page %d begins with %q", n+1, texts[0].Words)
		}
		for _, x := range texts {
			if x.X < pdf.Left || x.X+x.Width > pdf.Right {
				t.Errorf("page %d: %q stands beside the page", n+1, x.Words)
			}
			if x.Words == fmt.Sprintf("r%d.", next) {
				next++
			}
		}
	}
	if next != 300 {
		t.Errorf("%d rows in their order, want 300", next)
	}
}

// A cell that is longer than a page goes on on the next one, and nothing of it is lost.
func TestACellLongerThanAPage(t *testing.T) {
	var words []string
	for n := range 3000 {
		words = append(words, fmt.Sprintf("w%d", n))
	}
	pages, err := pdf.Pages(document(), "| a | b |\n|---|---|\n| first | "+strings.Join(words, " ")+" |\n| last | x |\n")
	if err != nil || len(pages) < 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	var got []string
	for _, page := range pages {
		for _, x := range within(page) {
			got = append(got, strings.Fields(x.Words)...)
		}
	}
	got = slices.DeleteFunc(got, func(w string) bool { return !strings.HasPrefix(w, "w") })
	if !slices.Equal(got, words) {
		t.Errorf("%d words in their order, want %d", len(got), len(words))
	}
}

func TestColumnsHoldWhatTheyNeed(t *testing.T) {
	x := func(table, word string) (x float64) {
		pages, err := pdf.Pages(document(), table)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range pages[0] {
			if text.Words == word {
				x = text.X
			}
		}
		if x == 0 {
			t.Fatalf("no %q in\n%s", word, pdf.Show(pages))
		}
		return x
	}
	long := strings.Repeat("결제 승인이 지연되고 있습니다 ", 30)
	moment := "2026-11-22(일) 14:05:09 KST"
	if at := x("| 시각 | B |\n|---|---|\n| "+moment+" | "+long+" |\n", "B"); at < pdf.Left+120 || at > pdf.Left+150 {
		t.Errorf("beside a long text, an instant has %.0f points", at-pdf.Left)
	}
	if at := x("| | |\n|---|---|\n| 라벨 | VALUE |\n", "VALUE"); at < pdf.Left+110 || at > pdf.Left+135 {
		t.Errorf("a label has %.0f points", at-pdf.Left)
	}
	if at := x("| A | B |\n|---|---|\n| "+long+" | "+long+" |\n", "B"); at < pdf.Left+230 || at > pdf.Left+260 {
		t.Errorf("of two long texts, the first one has %.0f points", at-pdf.Left)
	}
	if at := x("| A | R |\n|---|--:|\n| a | r |\n", "r"); at < pdf.Right-12 {
		t.Errorf("what stands at the right begins %.0f points before the edge", pdf.Right-at)
	}
}

// The title stands at the left of the box, the text below it.
func TestTheSignOffBoxIsAtTheUpperRight(t *testing.T) {
	pages, err := pdf.Pages(document(), sample)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]pdf.Text{}
	for _, x := range pages[0] {
		at[x.Words] = x
	}
	box, title, below := at["담당"], at["장애처리결과보고서"], at["1. 개요"]
	if box.X < pdf.Right-200 || box.Y > pdf.Top+20 || title.X != pdf.Left || title.X+title.Width > box.X || title.Y > pdf.Top+40 || below.Y < pdf.Top+70 {
		t.Errorf("box %+v, title %+v, below %+v", box, title, below)
	}
	long, err := pdf.Pages(document(), "# "+strings.Repeat("아주 긴 제목 ", 200)+"\n\n<!-- sign-off -->\n| 담당 |\n|---|\n| |\n\n## 다음\n")
	if err != nil || !strings.Contains(pdf.Show(long), "다음") {
		t.Errorf("under a title that is longer than the page: %v\n%s", err, pdf.Show(long))
	}
}

func TestAHeadingStaysWithWhatItHeads(t *testing.T) {
	for lines := range 60 {
		pages, err := pdf.Pages(document(), strings.Repeat("line\n\n", lines)+"## Heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n")
		if err != nil {
			t.Fatal(err)
		}
		for n, page := range pages {
			texts := within(page)
			if last := texts[len(texts)-1].Words; last == "Heading" || last == "b" {
				t.Errorf("after %d lines, page %d ends with %q", lines, n+1, last)
			}
		}
	}
}

// A part of the font draws its characters as the whole does: also those put together from others, and however many there are.
func TestAPartOfTheFont(t *testing.T) {
	for face, some := range map[string]string{"regular": " Zé가각힣", "bold": " Zé가각힣", "hanja": " 佳漢金"} {
		var every, second []rune
		_, whole, err := pdf.Subset(face, nil)
		if err != nil {
			t.Fatal(err)
		}
		for r := ' '; r < 0xffff; r++ {
			if g, err := whole.CharCodeToGlyphIndex(r); err == nil && g != 0 {
				if every = append(every, r); r%2 == 0 {
					second = append(second, r)
				}
			}
		}
		for name, runes := range map[string][]rune{"every": every, "every second": second, "some": []rune(some), "none": nil} {
			font, whole, err := pdf.Subset(face, runes)
			if err != nil {
				t.Fatal(err)
			}
			var part gopdf.SubsetFontObj
			if err := part.SetTTFData(font); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range runes {
				a, _ := whole.CharCodeToGlyphIndex(r)
				b, err := part.CharCodeToGlyphIndex(r)
				if err != nil || b == 0 || part.GlyphIndexToPdfWidth(b) != whole.GlyphIndexToPdfWidth(a) || !bytes.Equal(outline(whole, a), outline(&part, b)) {
					t.Errorf("%s: %c (%d, now %d) is drawn otherwise, %v", name, r, a, b, err)
				}
			}
			if most := 3_500_000; name == "some" && len(font) > 10_000 || len(font) > most {
				t.Errorf("%s: %d bytes", name, len(font))
			}
		}
	}
}

// outline is how a character is drawn, with the outlines of its parts in the place of their numbers.
func outline(f *gopdf.SubsetFontObj, glyph uint) (all []byte) {
	p := f.GetTTFParser()
	start := p.GetTables()["glyf"].Offset
	data := bytes.Clone(p.FontData()[start+p.LocaTable[glyph] : start+p.LocaTable[glyph+1]])
	if len(data) == 0 || data[0] < 0x80 {
		return data
	}
	for at := 10; ; {
		flags := binary.BigEndian.Uint16(data[at:])
		all = append(all, outline(f, uint(binary.BigEndian.Uint16(data[at+2:])))...)
		data[at+2], data[at+3] = 0, 0
		at += 6 + 2*int(flags&1) + int(flags&8)/4 + int(flags&64)/16 + int(flags&128)/16
		if flags&32 == 0 {
			return append(all, data...)
		}
	}
}

func TestTooLong(t *testing.T) {
	if file, err := pdf.Write(document(), []byte("# "+strings.Repeat("한 😀 ", 200_000))); err != nil || bytes.Contains(file, []byte("1F600")) {
		t.Errorf("a title of 600,000 characters: %d bytes, %v", len(file), err)
	}
	if _, err := pdf.Write(document(), []byte(strings.Repeat("x\n\n", 50_000))); err == nil || err.Error() != "document is longer than 1000 pages" {
		t.Errorf("got %v", err)
	}
}

// FuzzWrite: whatever the Markdown, there is a file, all that is drawn stands on its pages, and a text is whole.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{
		sample, "", "#", "|a|\n|-|", "> > > - 1. x", strings.Repeat("> ", 300) + "x", strings.Repeat("- ", 300) + "가", "| | |\n|-|-|\n| | |",
		"<!-- sign-off -->\n|" + strings.Repeat("a|", 90) + "\n|" + strings.Repeat("-|", 90), strings.Repeat("가", 3000), "\xff\xfe\x00", "***a** b*(x)**가",
		"[x](http://%zz) <mailto:a@b.c> ![](a)", "```\n" + strings.Repeat("한\t", 400), "# 😀\n\n👩‍👩‍👧", "\u202eabc\u200d\u0301", "1000000000. x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 20_000 {
			return
		}
		file, err := pdf.Write(document(), []byte(s))
		if err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) || !bytes.HasSuffix(file, []byte("%%EOF\n")) {
			t.Fatalf("%d bytes, %v", len(file), err)
		}
		pages, err := pdf.Pages(document(), s)
		if err != nil {
			t.Fatal(err)
		}
		for n, page := range pages {
			for _, x := range page {
				if x.Y < 0 || x.Y > 842 || x.X < 0 {
					t.Errorf("page %d: %q stands at %.0f, %.0f", n+1, x.Words, x.X, x.Y)
				}
			}
		}
		plain := strings.Map(func(r rune) rune {
			if r != ' ' && !unicode.IsLetter(r) {
				return -1
			}
			return r
		}, norm.NFC.String(strings.ToValidUTF8(s, "")))
		lines, err := pdf.Lines(plain, 7)
		want := len([]rune(strings.ReplaceAll(plain, " ", "")))
		if got := len([]rune(strings.ReplaceAll(strings.Join(lines, ""), " ", ""))); err != nil || got > want {
			t.Errorf("%d letters, %v; want %d", got, err, want)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	d := document()
	for b.Loop() {
		if _, err := pdf.Write(d, []byte(sample)); err != nil {
			b.Fatal(err)
		}
	}
}
