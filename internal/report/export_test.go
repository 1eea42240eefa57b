package report

import "text/template"

// Funcs are the functions that an English text has besides the builtin ones.
func Funcs() template.FuncMap {
	return (&language{locale: locales()[0], zones: &zones{}}).funcs()
}

// Josa is the function of that name.
var Josa = josa
