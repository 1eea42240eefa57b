package report

import (
	"maps"
	"reflect"
	"slices"
	"text/template"
)

// Funcs are the functions that an English text has besides the builtin ones.
func Funcs() template.FuncMap {
	return (&language{locale: locales()[0], zones: &zones{}}).funcs()
}

// Josa is the function of that name.
var Josa = josa

// Frame returns what stands below and above every page of a report.
func Frame(t *Texts, organisation, id, zone, kind string, e Edition) (identity, notice string) {
	d := t.in(e.Language).frame(organisation, id, zone, kind, e)
	return d.Identity, d.Notice
}

// FormValues are the names of all values that forms may show.
func FormValues() (names []string) {
	for _, t := range []reflect.Type{reflect.TypeFor[view](), reflect.TypeFor[result]()} {
		names = slices.Concat(names, slices.Concat(slices.Collect(maps.Values(fields(t)))...))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
