package org_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
)

// Whatever is a list may stand in several files: services/shop.yaml beside, or instead of, services.yaml.
func TestAFileMayBeSplit(t *testing.T) {
	whole := load(t, good(t))
	files := good(t)
	files["parties/all.yaml"], files["schedules/all.yaml"] = files["parties.yaml"], files["schedules.yaml"]
	delete(files, "parties.yaml")
	delete(files, "schedules.yaml")
	files["people/more.yaml"] = "people:\n  - {id: lim, name: 임가온, language: ko, methods: [{name: desk, type: console}]}\n"
	o := load(t, files)
	if _, ok := o.Person("lim"); !ok {
		t.Error("nobody has read people/more.yaml")
	}
	if diff := cmp.Diff(len(whole.Sources()), len(o.Sources())); diff != "" {
		t.Error(diff)
	}
	if o.Revision == whole.Revision {
		t.Error("another file, and the same revision")
	}
}

func TestFaultsOfSplitFiles(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"one id in two files", map[string]string{
			"people/more.yaml": "people:\n  - {id: kim, name: Kim, language: ko, methods: [{name: desk, type: console}]}\n",
		}, []string{`people/more.yaml:2:10: person kim: id "kim": taken by people.yaml:2`}},
		{"routes have an order", map[string]string{"routes/more.yaml": "routes: []"}, []string{"routes/more.yaml: want all of it in routes.yaml"}},
		{"a slip in the name", map[string]string{"people/more.yml": "people: []"}, []string{"people/more.yml: want a name that ends in .yaml"}},
		{"another kind's list", map[string]string{"people/more.yaml": "services: []"}, []string{
			`people/more.yaml:1:1: file: people: missing; want a list`,
			`people/more.yaml:1:1: file: unknown key "services"; known: people`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := good(t)
			for name, content := range tc.files {
				files[name] = content
			}
			got := faults(t, files)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The order of the files decides nothing but the order in which faults are told.
func TestSplitFilesAreReadInTheOrderOfTheirNames(t *testing.T) {
	files := good(t)
	for _, name := range []string{"sources/b.yaml", "sources/a.yaml"} {
		files[name] = "sources:\n  - {id: " + name[len("sources/"):len(name)-len(".yaml")] + ", type: alertmanager}\n"
	}
	o, err := org.LoadFiles(files, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range o.Sources() {
		ids = append(ids, s.ID)
	}
	if want := []string{"prometheus", "lab", "a", "b"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}
