package report_test

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// infect puts s into every text within v that is not one of our own words.
func infect(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(s)
		}
	case reflect.Slice:
		for i := range v.Len() {
			infect(v.Index(i), s)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			infect(v.Elem(), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Type != reflect.TypeFor[time.Time]() && f.Name != "Zone" {
				infect(v.Field(i), s)
			}
		}
	}
}

// infected is the full incident with s wherever people and machines can write.
func infected(s string) *incident.Incident {
	i := full()
	infect(reflect.ValueOf(&i.Definition).Elem(), s)
	infect(reflect.ValueOf(&i.Alerts.Full).Elem(), s)
	infect(reflect.ValueOf(&i.Alerts.Brief).Elem(), s)
	infect(reflect.ValueOf(&i.Responders).Elem(), s)
	infect(reflect.ValueOf(&i.Ticket.Ref).Elem(), s)
	for _, beside := range []any{&i.Notice, &i.Cause, &i.Merged, &i.Related, &i.Cases, &i.Runbooks, &i.Confirmations} {
		infect(reflect.ValueOf(beside).Elem(), s)
	}
	for n := range i.Clocks {
		i.Clocks[n].Reason, i.Clocks[n].State = s, supportplan.Paused
	}
	for n := range i.Timeline.Entries {
		e := &i.Timeline.Entries[n]
		e.Actor.Name = s
		for m := range e.Facts {
			switch e.Facts[m].Name {
			case "what", "delivery", "from", "to", "due", "target":
			default:
				e.Facts[m].Value = s
			}
		}
	}
	return i
}

// own makes an infected incident one of a customer's own.
func own(i *incident.Incident) *incident.Incident {
	i.Definition.Customers = i.Definition.Customers[:1]
	i.Definition.Customers[0].ID, i.Notice.Customer, i.Notice.Received = "daon", "daon", i.Times.Alerted
	for n := range i.Clocks {
		i.Clocks[n].Customer = "daon"
	}
	return i
}

func attacks() []string {
	return []string{
		"plain", "a | b | c", "x\n\n# Owned\n\n| a |\n|---|\n", "<script>alert(1)</script>", "[click](javascript:alert(1))",
		"![x](http://evil.example/a.png)", "`code` **bold** _it_ ~~no~~", "\\", "\\|", "&lt;b&gt; &#124;", "- item", "1. item", "> quote",
		"--> <!-- ", "```\ncode", "    indented", "<http://evil.example>", "'\"></style></td><img src=x onerror=alert(1)>", "{{.ID}}", "$x$", "+ a", "=====",
		"http://evil.example/)|](x", "a\u202eb\x00c\x1bd",
	}
}

// Whatever stands in alerts, names and notes: the Markdown keeps its shape and gains no link, image, code or HTML.
func TestMarkdownKeepsItsShape(t *testing.T) {
	all := texts(t)
	shape := func(s string) string {
		i := infected(s)
		i.Definition.Links, i.Ticket.Ref.URL, i.Definition.Triage.Architecture = nil, "", ""
		out, err := all.Incident(i, report.Edition{Language: "en", Format: report.Markdown, At: after(49 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		result, err := all.Result(own(i), "daon", s, report.Edition{Language: "en", Format: report.Markdown, At: after(49 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return shapeOf(append(append(out, "\n\n"...), result...))
	}
	want := shape("plain")
	for _, s := range attacks() {
		// A quotation has as many lines as the text in it, which are paragraphs of it when empty lines divide them.
		got := strings.ReplaceAll(shape(s), "Blockquote Paragraph Paragraph Paragraph", "Blockquote Paragraph")
		if got != want {
			t.Errorf("%q changes the shape of the report:\n%s\nwant\n%s", s, got, want)
		}
	}
}

// shapeOf lists what a Markdown text is made of.
func shapeOf(markdown []byte) string {
	var b strings.Builder
	doc := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser().Parse(text.NewReader(markdown))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && n.Kind() != ast.KindText && n.Kind() != ast.KindString {
			b.WriteString(n.Kind().String() + " ")
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// The page has no scripts, loads nothing, and every table head says what it heads.
func TestPageIsSelfContained(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		for _, s := range attacks() {
			out, err := all.Incident(infected(s), report.Edition{Language: language, Format: report.HTML, At: after(49 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			result, err := all.Result(own(infected(s)), "daon", s, report.Edition{Language: language, Format: report.HTML, At: after(49 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			selfContained(t, string(out), language, s)
			selfContained(t, string(result), language, s)
		}
	}
}

// selfContained is what TestPageIsSelfContained wants of a page.
func selfContained(t *testing.T, page, language, s string) {
	t.Helper()
	bad := regexp.MustCompile(`(?i)<script|<img|<link|<iframe|<object|\son[a-z]+\s*=|url\(|@import|src=|javascript:|<th>`)
	if found := bad.FindString(markup(page)); found != "" {
		t.Errorf("%q in %s: page contains %q", s, language, found)
	}
	if !strings.HasPrefix(page, "<!DOCTYPE html>\n<html lang=\""+language+"\">") || !utf8.ValidString(page) {
		t.Errorf("%s: page begins %.60q", language, page)
	}
	for _, tag := range []string{"table", "section", "tr", "td", "div", "span", "style", "a"} {
		if strings.Count(page, "<"+tag+">")+strings.Count(page, "<"+tag+" ") != strings.Count(page, "</"+tag+">") {
			t.Errorf("%q in %s: <%s> is not closed", s, language, tag)
		}
	}
}

// markup returns the tags of a page without its text.
func markup(page string) string {
	return strings.Join(regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`).FindAllString(page, -1), "")
}

// A report stays within its limits whatever is in the incident.
func TestLargestReport(t *testing.T) {
	all := texts(t)
	i := infected(strings.Repeat(`"&<`, 1_400))
	for len(i.Timeline.Entries) < 1_000 {
		i.Timeline.Entries = append(i.Timeline.Entries, i.Timeline.Entries...)
	}
	for len(i.Alerts.Full) < 500 {
		i.Alerts.Full = append(i.Alerts.Full, i.Alerts.Full...)
	}
	for len(i.Clocks) < 200 {
		i.Clocks = append(i.Clocks, i.Clocks...)
	}
	for len(i.Definition.Customers) < 60 {
		i.Definition.Customers = append(i.Definition.Customers, i.Definition.Customers...)
	}
	for _, format := range report.Formats() {
		out, err := all.Incident(i, report.Edition{Language: "en", Format: format, At: after(time.Hour)})
		if err != nil || format != report.PDF && !bytes.Contains(out, []byte("entries left out")) {
			t.Errorf("%s: %d bytes, %v", format, len(out), err)
		}
	}
}

// FuzzForeignText: no text, cut or not, makes a line two, a message invalid or its subject unreadable.
func FuzzForeignText(f *testing.F) {
	for _, s := range append(attacks(), "사건이 길어짐", strings.Repeat("가", 400), "\xff\xfe", "👩‍👩‍👧") {
		f.Add(s, 7)
	}
	all := texts(f)
	usual, err := all.Message(tellings()["page"], delivery.Recipient{Language: "ko"})
	if err != nil {
		f.Fatal(err)
	}
	want := strings.Count(usual.Text, "\n")
	f.Fuzz(func(t *testing.T, s string, n int) {
		telling := tellings()["page"]
		telling.Facts.Title, telling.Facts.Alerts, telling.Facts.Said = s, []string{s}, "It says "+strings.Join(strings.Fields(s), " ")+"\nand more"
		m, err := all.Message(telling, delivery.Recipient{Language: "ko"})
		if err != nil || !utf8.ValidString(m.Subject+m.Text) {
			t.Fatalf("%+v, %v", m, err)
		}
		text := m.Text
		if first, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "Payments: ") { // a title that is too long for a subject
			text = rest
		}
		if lines := strings.Count(text, "\n"); lines != want {
			t.Errorf("%d lines, want %d: %q", lines, want, m.Text)
		}
		entry := all.Entry(timeline.Entry{Kind: timeline.Noted, Facts: []timeline.Fact{timeline.F("text", s)}}, "en", s)
		for _, r := range m.Subject + entry {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q has %q", m.Subject+entry, r)
			}
		}
		for name, call := range map[string]any{
			"trunc": report.Funcs()["trunc"], "abbrev": report.Funcs()["abbrev"], "wrap": report.Funcs()["wrap"],
		} {
			valid := strings.ToValidUTF8(s, "")
			got := call.(func(int, string) string)(n%50, valid)
			if !utf8.ValidString(got) || name == "trunc" && utf8.RuneCountInString(got) > max(n%50, -(n%50)) {
				t.Errorf("%s %d %q: got %q", name, n%50, valid, got)
			}
		}
	})
}
