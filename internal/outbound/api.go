package outbound

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
)

// maxAnswer is for lists of a hundred things with all that was said about them.
const maxAnswer = 4 << 20

// API is another system's REST API. Each call is one request that is sent once: whoever calls looks at what is there before they
// change it, so that a further attempt does no harm.
type API struct {
	Name    string // of what speaks it, for people: "Jira"
	Guard   Guard
	Timeout time.Duration     // of one call; 10 s when zero
	URL     string            // before every path
	Header  map[string]string // of every request, over the usual ones
	Secrets []string          // in the header; an answer that repeats one is not quoted
	// Wait says of an answer that is not 2xx, of which it may read the body, whether it means "later", and how much. Nil: 429 and
	// 5xx mean that, as they do anyway.
	Wait func(*http.Response) (time.Duration, bool)
	// Said is what the body of such an answer tells people. Nil: its beginning.
	Said func(body []byte) string
}

// Call makes one request, of a form where the body is one and else of JSON, and reads the answer into a value, unless that is nil. The error is a *delivery.Refusal (final), a
// *delivery.Unavailable (try again later; 409 and 412 too, for then something else was quicker), or wraps context.Canceled.
func (a *API) Call(ctx context.Context, method, path string, body, into any) error {
	base, err := url.Parse(a.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return &delivery.Refusal{Detail: "the address of " + a.Name + " is not a URL that begins with https:// or http://"}
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(a.Timeout, 10*time.Second))
	defer cancel()
	req, err := a.request(limited, method, path, body)
	if err != nil {
		return err
	}
	resp, err := a.Guard.Once(req)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return fmt.Errorf("%s %s: %w", method, origin(base), ctx.Err())
		}
		if u, ok := errors.AsType[*Unanswered](err); ok && u.Denied {
			return &delivery.Refusal{Detail: u.Detail}
		}
		return &delivery.Unavailable{Detail: err.Error()}
	}
	defer resp.Body.Close()
	content, cut := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body = io.NopCloser(bytes.NewReader(content))
	if err := a.judge(base, resp, content); err != nil {
		return err
	}
	switch {
	case into == nil:
		return nil
	case cut != nil:
		return &delivery.Unavailable{Detail: origin(base) + ": the answer was cut off"}
	case len(content) > maxAnswer:
		return &delivery.Refusal{Detail: origin(base) + ": the answer is endless"}
	case json.Unmarshal(content, into) != nil:
		return &delivery.Unavailable{Detail: origin(base) + ": the answer is not what the API of " + a.Name + " says"}
	}
	return nil
}

func (a *API) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content []byte
	var err error
	kind := "application/json"
	if form, ok := body.(url.Values); ok {
		content, kind = []byte(form.Encode()), "application/x-www-form-urlencoded"
	} else if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return nil, &delivery.Refusal{Detail: "the request cannot be written as JSON: " + err.Error()}
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(a.URL, "/")+path, bytes.NewReader(content))
	if err != nil { // the error would show the URL
		return nil, &delivery.Refusal{Detail: "no request can be made for the address of " + a.Name}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "muster")
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	for name, value := range a.Header {
		if name != "Content-Type" || body != nil {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// judge turns the answer into nil or an error that says what the other side said. Paths of an API are no secrets; those of its
// address may be.
func (a *API) judge(base *url.URL, resp *http.Response, content []byte) error {
	if resp.StatusCode == http.StatusNonAuthoritativeInfo { // a page to sign in, where a token is not taken
		return &delivery.Refusal{Detail: answer(base, resp) + ": this is not the API itself; is the token right?"}
	}
	said := ""
	if kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); kind == "text/plain" || strings.HasSuffix(kind, "json") {
		said = string(content)
		if a.Said != nil {
			said = a.Said(content)
		}
		said = Line(said, 300)
	}
	hidden := func(s string) bool { return s != "" && bytes.Contains(content, []byte(s)) }
	if said != "" && !slices.ContainsFunc(a.Secrets, hidden) && !mentions(string(content), base) {
		said = ": " + strconv.Quote(said)
	} else {
		said = ""
	}
	after, later := time.Duration(0), resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusPreconditionFailed
	if a.Wait != nil && resp.StatusCode >= 400 {
		if wait, ok := a.Wait(resp); ok {
			after, later = min(max(wait, 0), maxWait), true
		}
	}
	if later {
		return &delivery.Unavailable{Detail: answer(base, resp) + said, After: after}
	}
	return verdict(base, resp, said)
}
