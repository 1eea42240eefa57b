package api

import (
	"net/http"

	"muster/internal/authority"
)

// Preferred is preferred.
var Preferred = preferred

// Allowed are the values of a type that has only a few, as the bodies of requests are held against them.
var Allowed = allowed

// A Need is what a route asks of whoever calls it, before it is handled.
type Need struct {
	Verb authority.Verb
	Kind authority.Kind
}

// Needs are those of the routes that have one, by "METHOD path".
func Needs() map[string]Need {
	s := &server{Config: Config{Backend: engine{}}}
	all := map[string]Need{}
	for _, r := range s.routes() {
		if r.kind != "" {
			all[r.method+" "+Path+r.path] = Need{r.verb, r.kind}
		}
	}
	return all
}

// A Body is what the body of a request becomes, with the fields that no body has.
type Body struct {
	Value any
	Left  []string
}

// Commands are the bodies of the commands of incidents and runs, by "METHOD path".
func Commands() map[string]Body {
	all := map[string]Body{}
	for _, v := range verbs() {
		all[http.MethodPost+" "+Path+"incidents/{id}/"+v.name] = Body{v.command, v.filled}
	}
	for _, a := range reviewAsks() {
		all[http.MethodPost+" "+Path+"incidents/{id}/review/"+a.name] = Body{a.body, a.filled}
	}
	for _, a := range planAsks() {
		all[http.MethodPost+" "+Path+"plan-runs/{id}/"+a.name] = Body{Value: a.body}
	}
	return all
}
