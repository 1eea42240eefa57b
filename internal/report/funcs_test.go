package report_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/report"
)

// write renders one expression with a page's data, as an organisation's own text would.
func write(t testing.TB, expression string, telling incident.Telling) (string, error) {
	t.Helper()
	all, err := report.New(overlay(t, "notifications/page.en.tmpl", `{{define "subject"}}s{{end}}{{define "text"}}`+expression+`{{end}}`))
	if err != nil {
		return "", err
	}
	telling.Kind = delivery.Page
	m, err := all.Message(telling, delivery.Recipient{Name: "박지훈"})
	return m.Text, err
}

func TestFunctions(t *testing.T) {
	for _, row := range []struct{ expression, want string }{
		{`{{trunc 3 "결제 지연"}}`, "결제 "},
		{`{{trunc -2 "결제 지연"}}`, "지연"},
		{`{{trunc 9 "결제"}}`, "결제"},
		{`{{abbrev 5 "사건이 길어짐"}}`, "사건이…"},
		{`{{abbrev 7 "사건이 길어짐"}}`, "사건이 길어짐"},
		{`{{substr 1 3 "가나다라"}}`, "나다"},
		{`{{substr 2 -1 "가나다라"}}`, "다라"},
		{`{{substr 9 99 "가나다라"}}`, ""},
		{`{{wrap 5 "가나다 라마 바사아자차카타"}}`, "가나다\n라마\n바사아자차카타"},
		{`{{indent 2 "a\nb"}}`, "  a\n  b"},
		{`{{nindent 2 "a"}}`, "\n  a"},
		{`{{indent 4000 "a"}}`, strings.Repeat(" ", 40) + "a"},
		{`{{replace "a" "b" "banana"}}`, "bbnbnb"},
		{`{{duration "1h15m0s"}} {{duration "soon"}}`, "1 h 15 min soon"},
		{`{{instant "2026-11-22T05:05:09.5Z" "Asia/Seoul"}}`, "2026-11-22 Sun 14:05 KST"},
		{`{{date "2026-11-22T20:05:09Z" "Asia/Seoul"}}`, "2026-11-23 Mon"},
		{`{{moment "later" "UTC"}}`, "later"},
		{`{{targets "schedule:primary, person:park"}}`, "schedule primary, person park"},
		{`{{.Zone | default "UTC" | upper}} {{ternary "yes" "no" (eq .Step 0)}} {{add 1 2}}`, "UTC yes 3"},
		{`{{printf "%03d" 7}}`, "007"},
	} {
		got, err := write(t, row.expression, incident.Telling{})
		if err != nil || got != row.want {
			t.Errorf("%s: got %q, %v; want %q", row.expression, got, err, row.want)
		}
	}
}

// Each of these would fill the memory, run for ever or read what is none of a text's business.
func TestTextsAreKeptWithinBounds(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`{{range 1000000000}}{{end}}`, "range over a number"},
		{`{{range (1000000000)}}{{end}}`, "range over a number"},
		{`{{range $i := 1000000000}}{{end}}`, "range over a number"},
		{`{{with .ID}}{{else}}{{range 9}}{{end}}{{end}}`, "range over a number"},
		{`{{$n := 1000000000}}{{range $n}}{{end}}`, "too long"},
		{`{{range mul 1000000 1000000}}{{end}}`, "too long"},
		{`{{define "loop"}}{{template "loop"}}{{end}}{{template "loop"}}`, ""},
		{strings.Repeat("x", 40<<10), "longer than 32768 bytes"},
		{`{{$x := "xxxxxxxxxx"}}` + strings.Repeat(`{{$x = print $x $x $x $x $x $x $x $x $x $x}}`, 12), "too long"},
		{`{{$x := "\\"}}` + strings.Repeat(`{{$x = quote $x}}`, 60), "too long"},
		{`{{$x := "\\"}}` + strings.Repeat(`{{$x = js $x}}`, 60), "too long"},
		{`{{$x := "a"}}` + strings.Repeat(`{{$x = replace "a" "aaaaaaaaaa" $x}}`, 12), "too long"},
		{`{{printf "%999999999d" 1}}`, "width"},
		{`{{printf "%*d" 999999999 1}}`, "width"},
		{`{{.Nothing}}`, "Nothing"},
		{`{{template "nowhere"}}`, "not defined"},
		{`{{template "nowhere" .}}`, "not defined"},
		{`{{if .ID}}{{template "nowhere"}}{{end}}`, "not defined"},
		{`{{div 1 0}}`, "divide by zero"},
	} {
		_, err := report.New(overlay(t, "notifications/page.en.tmpl", `{{define "subject"}}{{end}}{{define "text"}}`+row.text+`{{end}}`))
		if strings.HasPrefix(row.text, "{{define") {
			_, err = report.New(overlay(t, "notifications/page.en.tmpl", `{{define "subject"}}{{end}}`+strings.Replace(row.text, "{{end}}", `{{end}}{{define "text"}}`, 1)+`{{end}}`))
		}
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%.60s: got %v, want %q", row.text, err, row.want)
		}
	}
}

// Every function of sprig has been judged in testdata/sprig.txt: "+" is offered, "=" is offered but is our own, the rest is
// refused. What a later sprig adds fails here until somebody has looked at it.
func TestSprig(t *testing.T) {
	b, err := os.ReadFile("testdata/sprig.txt")
	if err != nil {
		t.Fatal(err)
	}
	judged := strings.Fields(string(b))
	offered := report.Funcs()
	for name := range sprig.TxtFuncMap() {
		switch _, ok := offered[name]; {
		case slices.Contains(judged, "+"+name), slices.Contains(judged, "="+name):
			if !ok {
				t.Errorf("%s is judged fit and not offered", name)
			}
		case ok:
			t.Errorf("%s is offered and not judged fit", name)
		case !slices.Contains(judged, name):
			t.Errorf("sprig has a new function %s: judge it", name)
		}
	}
	banned := strings.Fields("env expandenv getHostByName now ago date_modify toDate htmlDate randInt randAlpha randBytes shuffle " +
		"uuidv4 genPrivateKey genCA genSelfSignedCert genSignedCert buildCustomCert bcrypt htpasswd derivePassword encryptAES " +
		"decryptAES repeat until untilStep seq set unset merge mergeOverwrite list dict append concat fail cat regexReplaceAll")
	for _, name := range banned {
		if offered[name] != nil {
			t.Errorf("%s must never be offered", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, row := range []struct{ file, text, want string }{
		{"notifications/pgae.en.tmpl", "", "notifications/pgae.en.tmpl: no such text"},
		{"notifications/page.fr.tmpl", "", "notifications/page.fr.tmpl: no such text"},
		{"notifications/page.en.tmpl", `{{define "subject"}}{{end}}`, `"text"`},
		{"notifications/page.en.tmpl", `{{define "subject"`, "page.en.tmpl"},
		{"timeline/words.ko.tmpl", "", `word "status.triggered": missing`},
		{"timeline/sentences.en.tmpl", `{{define "alert.fierd"}}{{end}}`, `"alert.fierd": no such kind`},
		{"reports/incident.en.md.tmpl", "{{.Nonsense}}", "Nonsense"},
		{"reports/incident.ko.html.tmpl", "<a href={{.Nonsense}}>", "Nonsense"},
		{"reports/incident.ko.html.tmpl", "<a href='{{.ID}}", "ends in a non-text context"},
	} {
		if _, err := report.New(overlay(t, row.file, row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.file, err, row.want)
		}
	}
	if _, err := report.New(os.DirFS(t.TempDir())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: got %v", err)
	}
}
