package org_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
	"muster/internal/report"
)

func TestForms(t *testing.T) {
	files := good(t)
	files["forms/README.md"] = "Ask the office before you change one."
	files["forms/.result.ko.md.tmpl.swp"] = "\xff"
	files["forms/incident.ko.md.tmpl"] = "# {{.ID}}"
	files["forms/result.ko.md.tmpl"] = "# for all {{.ID}}"
	files["forms/shopco/result.ko.md.tmpl"] = "# for one {{.ID}}"
	o := load(t, files)
	all, one := o.Form(report.ResultForm, "other", "ko"), o.Form(report.ResultForm, "shopco", "ko")
	if all == nil || one == nil || all == one {
		t.Errorf("for all %p, for one %p", all, one)
	}
	if o.Form(report.IncidentForm, "", "ko") == nil || o.Form(report.IncidentForm, "", "en") != nil || o.Form(report.ResultForm, "shopco", "en") != nil {
		t.Error("a form that is there is not found, or one that is not")
	}
	if none := load(t, good(t)); none.Form(report.ResultForm, "shopco", "ko") != nil || none.Revision == o.Revision {
		t.Error("a folder without forms has one, or the same revision")
	}
}

func TestFaultsOfForms(t *testing.T) {
	for name, row := range map[string]struct{ content, want string }{
		"forms/result.ko.md.tmpl":          {"# T\n{{.Titel}}", `forms/result.ko.md.tmpl:2:3: .Titel: no value "Titel" here; there are `},
		"forms/result.en.md.tmpl":          {"{{if}}", "forms/result.en.md.tmpl:1:1: missing value for if"},
		"forms/resutl.ko.md.tmpl":          {"x", "forms/resutl.ko.md.tmpl: no such form; did you mean result.ko.md.tmpl?"},
		"forms/result.ko.md":               {"x", "forms/result.ko.md: no such form; known: incident.en.md.tmpl, "},
		"forms/result.fr.md.tmpl":          {"x", "forms/result.fr.md.tmpl: no such form; did you mean result.en.md.tmpl?"},
		"forms/shopco/incident.ko.md.tmpl": {"x", "forms/shopco/incident.ko.md.tmpl: this report is for no customer alone; want it in forms"},
		"forms/shopco/page.ko.md.tmpl":     {"x", "forms/shopco/page.ko.md.tmpl: no such form; known: result.en.md.tmpl, result.ko.md.tmpl"},
		"forms/shpco/result.ko.md.tmpl":    {"x", `forms/shpco/result.ko.md.tmpl: folder "shpco": no such customer; did you mean shopco?`},
		"forms/incident.en.md.tmpl":        {strings.Repeat("x", report.MaxForm+1), "forms/incident.en.md.tmpl: cannot be read: "},
		"forms/incident.ko.md.tmpl":        {"", "forms/incident.ko.md.tmpl: want Markdown in UTF-8, and got none"},
		"forms/shopco/old/result.ko.md":    {"x", "forms/shopco/old: cannot be read: "},
	} {
		files := good(t)
		files[name] = row.content
		if got := faults(t, files); len(got) != 1 || !strings.HasPrefix(got[0], row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

// A form that is changed is taken at once, and one with a fault leaves the last good ones in use.
func TestFormsAreReloaded(t *testing.T) {
	dir, files := t.TempDir(), good(t)
	files["forms/result.ko.md.tmpl"] = "# one"
	write(t, dir, files)
	live, err := org.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	used := func() string { return live.Current().Form(report.ResultForm, "shopco", "ko").SHA256 }
	sums := []string{used()}
	for _, content := range []string{"# two", "{{.Nothing}}"} {
		if err := os.WriteFile(filepath.Join(dir, "forms", "result.ko.md.tmpl"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		changed, err := live.Reload()
		if good := content == "# two"; changed != good || (err == nil) != good {
			t.Errorf("%q: changed %t, %v", content, changed, err)
		}
		sums = append(sums, used())
	}
	if sums[0] == sums[1] || sums[1] != sums[2] {
		t.Errorf("in use: %s", cmp.Diff(sums[:2], sums[1:]))
	}
}
