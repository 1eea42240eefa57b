package report_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/report"
)

const ownForm = `# {{.Organisation}} 장애 보고 {{.ID}}

{{template "sign-off"}}

**{{.Service}}(장애)**입니다.

| | |
|---|---|
| 고객사 | {{.Customer}} |
| 기간 | {{duration .Lasted}} |

{{.Text}}
`

func TestAFormTakesThePlaceOfTheShippedOne(t *testing.T) {
	all := texts(t)
	form, err := all.Form(report.ResultForm, "ko", ownForm)
	if err != nil || len(form.SHA256) != 64 {
		t.Fatalf("%+v, %v", form, err)
	}
	at := after(49 * time.Hour)
	for _, format := range report.Formats() {
		e := report.Edition{Language: "ko", Format: format, At: at, Form: form}
		got, err := all.Result(owed(), "daon", said, e)
		if err != nil {
			t.Fatal(err)
		}
		if format == report.PDF {
			onPaper(t, got, "ko", 1)
			continue
		}
		golden(t, "form.ko."+string(format), string(got))
	}
	e := report.Edition{Language: "ko", Format: report.HTML, At: at, Form: form}
	for _, s := range attacks() {
		got, err := all.Result(own(infected(s)), "daon", s, e)
		if err != nil {
			t.Fatal(err)
		}
		selfContained(t, string(got), "ko", s)
	}
}

// Whoever writes a form is told where it is wrong and what is, in words that are not those of Go.
func TestWhatIsWrongWithAForm(t *testing.T) {
	all := texts(t)
	for name, row := range map[string]struct {
		kind         report.FormKind
		source       string
		line, column int
		want         string
	}{
		"no such value":           {report.ResultForm, "# T\n\n{{.Nonsense}}\n", 3, 3, `.Nonsense: no value "Nonsense" here; there are Made, Zone, Organisation, ID, Customer`},
		"of the other report":     {report.ResultForm, "{{.Title}}", 1, 3, `.Title: no value "Title" here`},
		"none in a loop":          {report.ResultForm, "{{range .Promises}}\n{{.Name}}\n{{end}}", 2, 3, `.Name: no value "Name" here; there are Customer, Target, Within`},
		"none in a text":          {report.IncidentForm, "{{.Service.ID}}", 1, 11, `.Service.ID: no value "ID" here: it is a text`},
		"none in an instant":      {report.IncidentForm, "{{.Made.Yer}}", 1, 8, `.Made.Yer: no value "Yer" here: it is an instant`},
		"another kind of value":   {report.ResultForm, "{{josa .Made \"은/는\"}}", 1, 8, `.Made: want a text, got an instant`},
		"a loop over a text":      {report.ResultForm, "{{range .ID}}{{end}}", 1, 9, ".ID: want a list"},
		"a number of values":      {report.ResultForm, "{{duration}}", 1, 3, "duration: wrong number of args for duration: want 1 got 0"},
		"a function of the world": {report.ResultForm, "\n\n{{env \"HOME\"}}", 3, 1, `function "env" not defined`},
		"no end":                  {report.ResultForm, "a\n{{if .ID}}\nb", 3, 1, "unexpected EOF"},
		"no part":                 {report.ResultForm, "{{template \"contcts\" .}}", 1, 12, `template "contcts": not defined`},
		"a loop over a number":    {report.ResultForm, "{{range 1000000000}}{{end}}", 1, 9, "range over a number"},
		"only with everything":    {report.IncidentForm, "{{range .Handlers}}{{.Nope}}{{end}}", 1, 22, `.Nope: no value "Nope" here; there are Name, Roles`},
		"too long a text":         {report.ResultForm, "{{$x := \"xxxxxxxxxx\"}}" + strings.Repeat("{{$x = print $x $x $x $x $x $x $x $x $x $x}}", 12), 1, 0, "value is too long"},
		"for ever":                {report.ResultForm, `{{define "loop"}}{{template "loop"}}{{end}}{{template "loop"}}`, 1, 0, "exceeded maximum template depth"},
		"nothing":                 {report.ResultForm, " \n", 0, 0, "want Markdown in UTF-8, and got none"},
		"not a text":              {report.ResultForm, "\xff", 0, 0, "want Markdown in UTF-8, and got none"},
		"too large":               {report.ResultForm, strings.Repeat("x", report.MaxForm+1), 0, 0, "65537 bytes; want at most 65536"},
	} {
		_, err := all.Form(row.kind, "en", row.source)
		got, ok := errors.AsType[*report.FormError](err)
		if !ok || got.Line != row.line || row.column > 0 && got.Column != row.column || !strings.Contains(got.Text, row.want) {
			t.Errorf("%s: got %+v; want %d:%d: %s", name, got, row.line, row.column, row.want)
		}
		if ok && regexp.MustCompile(`report\.|time\.|reflect|interface`).MatchString(got.Text) {
			t.Errorf("%s: %q speaks of Go", name, got.Text)
		}
	}
}

// The page on forms names every value that a form may show, and its example is a form.
func TestThePageOnForms(t *testing.T) {
	page, err := os.ReadFile("../../docs/forms.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range report.FormValues() {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("docs/forms.md does not name %s", name)
		}
	}
	for name := range report.Funcs() {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("docs/forms.md does not name the function %s", name)
		}
	}
	examples := regexp.MustCompile("(?s)```\n(.*?)```").FindAllSubmatch(page, -1)
	if len(examples) == 0 {
		t.Error("docs/forms.md has no example")
	}
	for _, x := range examples {
		if _, err := texts(t).Form(report.ResultForm, "ko", string(x[1])); err != nil {
			t.Errorf("the example of docs/forms.md: %v", err)
		}
	}
	if !reflect.DeepEqual(report.FormKinds(), []report.FormKind{"incident", "result"}) {
		t.Error("there is a new kind of form: docs/forms.md should name it")
	}
}

// FuzzForm: whatever a form says, it is taken or refused with a reason, and ends soon.
func FuzzForm(f *testing.F) {
	for _, s := range []string{
		ownForm, "{{range .Promises}}{{template \"contacts\" .}}{{end}}", "{{define \"sign-off\"}}{{template \"sign-off\"}}{{end}}{{template \"sign-off\"}}",
		"{{with $x := .Text}}{{range $x}}{{end}}{{end}}", "{{.}}", "{{printf \"%v%s\" . .Made}}", "{{index .Points 9}}", "{{block \"x\" .}}{{end}}", "{{/*",
		"{{call .Made}}", "{{.Made.Format .ID}}", "{{slice .ID 1 99}}", "{{break}}", "{{$ := 1}}",
	} {
		f.Add(s)
	}
	all := texts(f)
	f.Fuzz(func(t *testing.T, source string) {
		for _, kind := range report.FormKinds() {
			form, err := all.Form(kind, "ko", source)
			wrong, refused := errors.AsType[*report.FormError](err)
			if (form == nil) != refused || refused && strings.TrimSpace(wrong.Text) == "" {
				t.Fatalf("%+v, %v", form, err)
			}
		}
	})
}
