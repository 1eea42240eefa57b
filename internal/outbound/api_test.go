package outbound_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/outbound"
)

func TestCall(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `"`+strings.ReplaceAll(strings.Join([]string{
			r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("Accept"), r.Header.Get("Authorization"), string(body),
		}, " "), `"`, `'`)+`"`)
	}))
	defer srv.Close()
	api := outbound.API{
		Name: "Desk", Guard: loopback(), URL: srv.URL + "/base/",
		Header: map[string]string{"Authorization": "Bearer x", "Accept": "application/desk+json", "Content-Type": "application/patch+json"},
	}
	for want, call := range map[string]func(into any) error{
		"POST /base/x?y=z application/patch+json application/desk+json Bearer x {'n':1}": func(into any) error {
			return api.Call(t.Context(), http.MethodPost, "/x?y=z", map[string]int{"n": 1}, into)
		},
		"PUT /base/ application/patch+json application/desk+json Bearer x a%26=%2B1&b=": func(into any) error {
			return api.Call(t.Context(), http.MethodPut, "/", url.Values{"b": {""}, "a&": {"+1"}}, into)
		},
		"GET /base/a%2Fb  application/desk+json Bearer x ": func(into any) error { return api.Call(t.Context(), http.MethodGet, "/a%2Fb", nil, into) },
	} {
		var got string
		if err := call(&got); err != nil || got != want {
			t.Errorf("got %q, %v\nwant %q", got, err, want)
		}
	}
}

// What the other side says helps whoever set it up, as long as it repeats nothing that is secret.
func TestWhatACallQuotes(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"application/json", `{"errors":{"priority":"Field of issue cannot be set"}}`, `422 Unprocessable Entity: "{\"errors\":{\"priority\":\"Field of issue cannot be set\"}}"`},
		{"application/vnd.desk+json; charset=utf-8", `{"why":"so"}`, `: "{\"why\":\"so\"}"`},
		{"application/json", `{"token":"s3cret"}`, "422 Unprocessable Entity"},
		{"application/json", `{"path":"/Hidden-Base/issue"}`, "422 Unprocessable Entity"},
		{"text/html", "<html>sign in", "422 Unprocessable Entity"},
		{"text/plain", strings.Repeat("가", 400), strings.Repeat("가", 300) + `…"`},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.kind)
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, tt.body)
		}))
		api := outbound.API{Name: "Desk", Guard: loopback(), URL: srv.URL + "/hidden-base", Secrets: []string{"", "s3cret"}}
		err := api.Call(t.Context(), http.MethodGet, "/issue", nil, nil)
		if got, _ := outcomeOf(t, err); got != refused || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.body, err)
		}
		srv.Close()
	}
}

func TestCallWaitsAsLongAsTheSystemSays(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer srv.Close()
	for wait, want := range map[time.Duration]time.Duration{-time.Minute: 0, time.Minute: time.Minute, 48 * time.Hour: time.Hour} {
		api := outbound.API{Name: "Desk", Guard: loopback(), URL: srv.URL, Wait: func(*http.Response) (time.Duration, bool) { return wait, true }}
		if got, after := outcomeOf(t, api.Call(t.Context(), http.MethodGet, "/", nil, nil)); got != unavailable || after != want {
			t.Errorf("%s: got %s after %s", wait, got, after)
		}
	}
}

func TestWhatAnAnswerSays(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type")+"+json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":7,"to":"+821000000000"}`)
	}))
	defer srv.Close()
	api := outbound.API{
		Name: "Desk", Guard: loopback(), URL: srv.URL,
		Wait: func(r *http.Response) (time.Duration, bool) {
			body, err := io.ReadAll(r.Body)
			return time.Minute, err == nil && strings.Contains(string(body), `"code":7`)
		},
		Said: func(body []byte) string { return strings.ReplaceAll(string(body), "+821000000000", "…") },
	}
	err := api.Call(t.Context(), http.MethodPost, "/", url.Values{}, nil)
	if got, after := outcomeOf(t, err); got != unavailable || after != time.Minute || !strings.Contains(err.Error(), `\"code\":7,\"to\":\"…\"`) {
		t.Errorf("got %s after %s: %v", got, after, err)
	}
}

func TestFencedTextStaysInside(t *testing.T) {
	for text, want := range map[string]string{
		"/close @all": "```text\n/close @all\n```\n", "a\n````\n[x](y)\n": "`````text\na\n````\n[x](y)\n`````\n",
	} {
		if got := outbound.Fenced(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLink(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://desk.example/1": true, "http://desk.example": true, "javascript:alert(1)": false, "/1": false, "https://u:p@desk.example": false,
		"https://" + strings.Repeat("x", 2000): false, "": false, "https://%zz": false,
	} {
		if got := outbound.Link(s); (got == s) != ok && s != "" {
			t.Errorf("%.60s: got %q", s, got)
		}
	}
}
