package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/store"
	"muster/starter/api"
)

const decoding = "/api/v1/codec/decode"

// Whoever may read every history gets payloads in clear: by a token, as Temporal's CLI shows it, or by a session, as its UI sends it.
func TestPayloadsInClear(t *testing.T) {
	p := newPlace(t)
	guesses := 0
	for _, tt := range []struct {
		name, body string
		header     []string
		code       int
		want       string
	}{
		{"an auditor", `{"payloads":["encrypted"]}`, []string{"Authorization", p.as(t, "yoon"), "X-Namespace", "default"}, 200, `{"payloads":["in clear"]}`},
		{"an administrator", `{"payloads":["encrypted"]}`, []string{"Authorization", p.as(t, "choi")}, 200, "in clear"},
		{"a responder, who may not read what is restricted", `{}`, []string{"Authorization", p.as(t, "park")}, 403, "read-history incident"},
		{"a customer", `{}`, []string{"Authorization", p.as(t, "acme/desk")}, 403, "read-history incident"},
		{"a narrowed token", `{}`, []string{"Authorization", "Bearer " + p.token(t, store.Token{Actor: "yoon", Scopes: []string{"read"}})}, 403, "not narrowed"},
		{"nobody", `{}`, []string{"Authorization", ""}, 401, "want Bearer"},
		{"a bad token, beside a session", `{}`, []string{"Authorization", "Bearer no", "Cookie", "session=yoon"}, 401, "want Bearer"},
		{"an auditor's session", `{"payloads":["encrypted"]}`, []string{"Authorization", "", "Cookie", "session=yoon", "Origin", temporalUI}, 200, "in clear"},
		{"a responder's session", `{}`, []string{"Authorization", "", "Cookie", "session=park", "Origin", temporalUI}, 403, "read-history incident"},
		{"nobody's session", `{}`, []string{"Authorization", "", "Cookie", "session=none", "Origin", temporalUI}, 401, "want Bearer"},
		{"a page of another origin", `{}`, []string{"Authorization", "", "Cookie", "session=yoon", "Origin", "https://evil.example"}, 403, "--codec-origins"},
		{"a key that is not there", `{"payloads":["unknown"]}`, []string{"Authorization", p.as(t, "yoon")}, 422, "decrypt payload: want another key"},
	} {
		w := p.ask(http.MethodPost, decoding, tt.body, tt.header...)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, w.Code, w.Body, tt.code, tt.want)
		}
		if tt.code == 401 {
			guesses++
		}
	}
	if p.guesses != guesses {
		t.Errorf("%d guesses were noted, want %d", p.guesses, guesses)
	}
	// A session opens nothing else.
	if w := p.ask(http.MethodGet, "/api/v1/me", "", "Authorization", "", "Cookie", "session=yoon"); w.Code != 401 {
		t.Errorf("a session reads the rest: got %d", w.Code)
	}
}

func TestNothingIsEncryptedForOthers(t *testing.T) {
	p := newPlace(t)
	w := p.ask(http.MethodPost, "/api/v1/codec/encode", `{"payloads":[]}`, "Authorization", p.as(t, "choi"))
	if w.Code != 403 || !strings.Contains(w.Body.String(), "nothing is encrypted for others") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// A browser asks first whether the page may ask. It shows no token then.
func TestWhichPagesMayAsk(t *testing.T) {
	p := newPlace(t)
	for _, tt := range []struct {
		name, method, origin string
		code                 int
		allowed              string
	}{
		{"the UI asks whether it may", http.MethodOptions, temporalUI, 204, temporalUI},
		{"the UI", http.MethodPost, temporalUI, 200, temporalUI},
		{"another page asks whether it may", http.MethodOptions, "https://evil.example", 403, ""},
		{"another page", http.MethodPost, "https://evil.example", 403, ""},
		{"a page without a name", http.MethodPost, "null", 403, ""},
		{"no page", http.MethodPost, "", 200, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, decoding, strings.NewReader(`{"payloads":[]}`))
		r.Header.Set("Content-Type", "application/json")
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if tt.method == http.MethodPost {
			r.Header.Set("Authorization", p.as(t, "yoon"))
		} else {
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
			r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-namespace")
		}
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, r)
		h := w.Header()
		if w.Code != tt.code || h.Get("Access-Control-Allow-Origin") != tt.allowed || !strings.Contains(strings.Join(h.Values("Vary"), " "), "Origin") {
			t.Errorf("%s: got %d %v", tt.name, w.Code, h)
		}
		if names := h.Get("Access-Control-Allow-Headers"); (tt.code == 204) != strings.Contains(names, "X-Namespace") {
			t.Errorf("%s: may send %q", tt.name, names)
		}
	}
	// No other part of the API is for pages of others.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/api/v1/incidents", nil)
	r.Header.Set("Origin", temporalUI)
	w := httptest.NewRecorder()
	if p.handler.ServeHTTP(w, r); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the rest: got %d %v", w.Code, w.Header())
	}
}

// A program that shows one history asks for each payload of it, at once.
func TestManyPayloadsAreAskedFor(t *testing.T) {
	p := newPlace(t)
	as := p.as(t, "yoon")
	for n := range 300 {
		if w := p.ask(http.MethodPost, decoding, `{"payloads":[]}`, "Authorization", as); w.Code != 200 {
			t.Fatalf("time %d: got %d %s", n, w.Code, w.Body)
		}
	}
	if w := p.ask(http.MethodGet, "/api/v1/me", "", "Authorization", as); w.Code != 200 {
		t.Errorf("the rest waits for it: got %d", w.Code)
	}
}

// Where payloads are not encrypted, there is nothing to ask.
func TestWithoutPayloadKeysThereIsNoCodec(t *testing.T) {
	p := newPlace(t)
	p.config.Codec = nil
	var err error
	if p.handler, err = api.New(p.config); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{decoding, "/api/v1/codec/encode"} {
		if w := p.ask(http.MethodPost, path, `{}`, "Authorization", p.as(t, "choi")); w.Code != 404 {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}
