package org

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"muster/internal/report"
	"muster/templates"
)

// formsFolder holds the organisation's own forms of reports: forms/result.ko.md.tmpl, and forms/acme/result.ko.md.tmpl for one
// customer.
const formsFolder = "forms"

const formExtension = ".md.tmpl"

// A formKey says for what a form is.
type formKey struct {
	kind     report.FormKind
	customer string // ID; empty: all
	language string
}

// forms returns the files of the forms.
func (f *folder) forms() (names []string) {
	for _, e := range f.entries(formsFolder) {
		name := path.Join(formsFolder, e.Name())
		if !e.IsDir() {
			names = append(names, name)
			continue
		}
		for _, e := range f.entries(name) {
			names = append(names, path.Join(name, e.Name()))
		}
	}
	return names
}

// entries lists a folder within this one, but what is hidden and what explains the rest.
func (f *folder) entries(dir string) []fs.DirEntry {
	found, err := os.ReadDir(filepath.Join(f.dir, filepath.FromSlash(dir)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		f.fault(dir, whyUnread(err))
		return nil
	}
	f.touched(filepath.Join(f.dir, filepath.FromSlash(dir)))
	return slices.DeleteFunc(found, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "README")
	})
}

// texts are what forms are tried against; a folder without forms needs none.
var texts = sync.OnceValues(func() (*report.Texts, error) { return report.New(templates.FS) })

// readForms parses and tries the forms. Their customers are known by now.
func (b *builder) readForms() error {
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		content := b.files[name]
		if !strings.HasPrefix(name, formsFolder+"/") || content == nil { // unread
			continue
		}
		t, err := texts()
		if err != nil {
			return err
		}
		b.readForm(t, name, string(content))
	}
	return nil
}

func (b *builder) readForm(t *report.Texts, name, content string) {
	at := place{file: name}
	folder, file := path.Split(strings.TrimPrefix(name, formsFolder+"/"))
	customer := strings.TrimSuffix(folder, "/")
	known := formNames(t, customer != "")
	switch {
	case slices.Contains(known, file):
	case slices.Contains(formNames(t, false), file):
		b.fault(at, "this report is for no customer alone; want it in %s", formsFolder)
		return
	default:
		b.fault(at, "no such form; %s", b.hint(file, known))
		return
	}
	if customer != "" && !b.knows(at, "folder", "customer", customer) {
		return
	}
	kind, rest, _ := strings.Cut(file, ".")
	key := formKey{report.FormKind(kind), customer, strings.TrimSuffix(rest, formExtension)}
	form, err := t.Form(key.kind, key.language, content)
	if wrong, ok := errors.AsType[*report.FormError](err); ok {
		b.fault(place{name, wrong.Line, wrong.Column}, "%s", wrong.Text)
		return
	}
	b.forms[key] = form
}

// formNames lists the files that may be in a folder of forms.
func formNames(t *report.Texts, ofCustomer bool) (names []string) {
	for _, k := range report.FormKinds() {
		for _, language := range t.Languages() {
			if k.ForOne() || !ofCustomer {
				names = append(names, string(k)+"."+language+formExtension)
			}
		}
	}
	return names
}

// Form returns the organisation's own form of a report: the one for the customer, else the one for all. Nil: the shipped one
// serves.
func (o *Organisation) Form(kind report.FormKind, customer, language string) *report.Form {
	if f := o.forms[formKey{kind, customer, language}]; f != nil {
		return f
	}
	return o.forms[formKey{kind, "", language}]
}
