// Package refusal is the body of a refusal over HTTP (RFC 9457). It decides nothing: whoever refuses says why.
package refusal

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of the body of a refusal.
const ContentType = "application/problem+json"

// A Body says why a request was refused and what would be right. The zero Status is 500, the zero Title the name of
// the status.
type Body struct {
	Type   string  `json:"type,omitempty"` // URI of a page about this kind of refusal; none means about:blank
	Title  string  `json:"title"`          // the same for all refusals of this kind
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

// Of makes a refusal of faults: the first one speaks for all of them.
func Of(status int, faults ...Fault) Body {
	b := Body{Status: status}
	if len(faults) > 0 {
		b.Field, b.Detail = faults[0].Field, faults[0].Detail
	}
	if len(faults) > 1 {
		b.Errors = faults
	}
	return b
}

// Error returns the detail, with the field when there is one.
func (b Body) Error() string {
	b = b.filled()
	switch {
	case b.Detail == "":
		return b.Title
	case b.Field == "":
		return b.Detail
	}
	return b.Field + ": " + b.Detail
}

// Write answers a request with the refusal. Headers that are set already, such as Allow, go out with it.
func (b Body) Write(w http.ResponseWriter) {
	b = b.filled()
	body, err := json.Marshal(b)
	if err != nil { // strings and numbers alone always marshal
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if b.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((b.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(b.Status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

func (b Body) filled() Body {
	if b.Status == 0 {
		b.Status = http.StatusInternalServerError
	}
	if b.Title == "" {
		b.Title = http.StatusText(b.Status)
	}
	return b
}
