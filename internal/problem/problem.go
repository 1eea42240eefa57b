// Package problem is the body of a refusal over HTTP (RFC 9457). It decides nothing: whoever refuses says why.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem body.
const ContentType = "application/problem+json"

// A Problem says why a request was refused and what would be right. The zero Status is 500, the zero Title the name of
// the status.
type Problem struct {
	Type   string  `json:"type,omitempty"` // URI of a page about this kind of problem; none means about:blank
	Title  string  `json:"title"`          // the same for all problems of this kind
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty"` // this one, with what would be right
	Field  string  `json:"field,omitempty"`  // which part of the request is wrong, such as alerts[3].startsAt
	Errors []Fault `json:"errors,omitempty"` // every fault, when there are several

	RetryAfter time.Duration `json:"-"` // sent as a header in whole seconds, rounded up
}

// A Fault is one field that is wrong.
type Fault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Of makes a problem of faults: the first one speaks for all of them.
func Of(status int, faults ...Fault) Problem {
	p := Problem{Status: status}
	if len(faults) > 0 {
		p.Field, p.Detail = faults[0].Field, faults[0].Detail
	}
	if len(faults) > 1 {
		p.Errors = faults
	}
	return p
}

// Error returns the detail, with the field when there is one.
func (p Problem) Error() string {
	p = p.filled()
	switch {
	case p.Detail == "":
		return p.Title
	case p.Field == "":
		return p.Detail
	}
	return p.Field + ": " + p.Detail
}

// Write answers a request with the problem. Headers that are set already, such as Allow, go out with it.
func (p Problem) Write(w http.ResponseWriter) {
	p = p.filled()
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers alone always marshal
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

func (p Problem) filled() Problem {
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	return p
}
