package cli

import (
	"reflect"
	"slices"
	"testing"

	"muster/internal/report"
	"muster/templates"
)

// Every language that has texts has labels, and all of them.
func TestLabels(t *testing.T) {
	texts, err := report.New(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(languages(), texts.Languages()) {
		t.Errorf("got %v, want %v", languages(), texts.Languages())
	}
	for _, l := range languages() {
		for _, v := range []reflect.Value{reflect.ValueOf(labelsIn(l)), reflect.ValueOf(sheetLabelsIn(l)), reflect.ValueOf(planLabelsIn(l)), reflect.ValueOf(proofWordsIn(l))} {
			for n := range v.NumField() {
				if v.Field(n).String() == "" {
					t.Errorf("%s: %s: no label", l, v.Type().Field(n).Name)
				}
			}
		}
	}
}
