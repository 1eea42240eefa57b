package oidc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/oidc"
)

func open(t *testing.T, cfg oidc.Config) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin goes to the provider and comes back.
func begin(t *testing.T, p *oidc.Provider) (oidc.Flow, url.Values) {
	t.Helper()
	to, flow, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return flow, visit(t, to)
}

// signIn goes the whole way.
func signIn(t *testing.T, p *oidc.Provider) (oidc.Identity, error) {
	t.Helper()
	flow, query := begin(t, p)
	return p.Finish(t.Context(), flow, query)
}

// wantRefused asks for a refusal with a reason and with a text that says what is wrong.
func wantRefused(t *testing.T, err error, reason oidc.Reason, text string) {
	t.Helper()
	refused, ok := errors.AsType[*oidc.RefusedError](err)
	if !ok {
		t.Fatalf("got %v, want a refusal that is %s", err, reason)
	}
	if refused.Reason != reason || !strings.Contains(refused.Text, text) {
		t.Errorf("got %s: %q; want %s: %q", refused.Reason, refused.Text, reason, text)
	}
	if strings.Contains(err.Error(), clientSecret) {
		t.Errorf("%q shows the client secret", err)
	}
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*oidc.UnavailableError](err); !ok {
		t.Fatalf("got %v, want that the provider is unavailable", err)
	}
}

func TestSignIn(t *testing.T) {
	park := oidc.Identity{
		Login: "park", Name: "박서준", Email: "park@example.com", Groups: []string{"on-call", "acme/desk"}, Subject: "account-17",
	}
	for name, tc := range map[string]struct {
		cfg    func(*oidc.Config)
		issuer func(*issuer)
	}{
		"as it is usual":                   {},
		"an issuer that signs with two":    {issuer: func(i *issuer) { i.published["second"] = keyPairs()[1] }},
		"several audiences":                {issuer: claim("aud", []string{"other", clientID})},
		"made for this client":             {issuer: claim("azp", clientID)},
		"an answer that names no provider": {issuer: func(i *issuer) { i.answer = func(q url.Values) { q.Del("iss") } }},
		"valid in a moment, for the provider's clock goes before": {issuer: func(i *issuer) {
			i.claims = func(c object) { c["nbf"], c["iat"] = i.now.Add(time.Minute).Unix(), i.now.Add(time.Minute).Unix() }
		}},
		"the secret in the form": {issuer: func(i *issuer) {
			i.document = func(d object) { d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }
		}},
		"a client without a transport": {cfg: func(c *oidc.Config) { c.HTTP = &http.Client{} }},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			cfg := i.client()
			if tc.cfg != nil {
				tc.cfg(&cfg)
			}
			if tc.issuer != nil {
				tc.issuer(i)
			}
			got, err := signIn(t, open(t, cfg))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(park, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// claim sets one claim of the ID token.
func claim(name string, value any) func(*issuer) {
	return func(i *issuer) { i.claims = func(c object) { c[name] = value } }
}

func without(name string) func(*issuer) {
	return func(i *issuer) { i.claims = func(c object) { delete(c, name) } }
}

func TestPublicClientSendsNoSecret(t *testing.T) {
	i := newIssuer(t)
	cfg := i.client()
	cfg.ClientSecret = ""
	_, err := signIn(t, open(t, cfg))
	wantRefused(t, err, oidc.Setup, "invalid_client") // this issuer has given one
	if i.lastForm.Get("client_id") != clientID || i.lastForm.Has("client_secret") || i.lastForm.Get("code_verifier") == "" {
		t.Errorf("the token endpoint was sent %v, want the client id, the verifier and no secret", i.lastForm)
	}
}

func TestBeginAsksForTheGroupsScopeWhereThereIsOne(t *testing.T) {
	for name, tc := range map[string]struct {
		groups string
		known  []string
		want   string
	}{
		"known":          {"groups", []string{"openid", "groups"}, "openid profile email groups"},
		"not known":      {"groups", []string{"openid"}, "openid profile email"},
		"not configured": {"", []string{"openid", "groups"}, "openid profile email"},
		"asked already":  {"profile", []string{"profile"}, "openid profile email"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.document = func(d object) { d["scopes_supported"] = tc.known }
			cfg := i.client()
			cfg.GroupsClaim = tc.groups
			to, _, err := open(t, cfg).Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(to)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Query().Get("scope"); got != tc.want {
				t.Errorf("got scope %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBeginIsDifferentEachTimeAndKeepsTheVerifierBack(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	seen := map[string]bool{}
	for range 50 {
		to, flow, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{flow.State, flow.Nonce, flow.Verifier} {
			if len(part) < 26 || seen[part] { // 26 characters of 5 bits: 128 bits
				t.Fatalf("got %q, which is short or was there before", part)
			}
			seen[part] = true
		}
		if strings.Contains(to, flow.Verifier) {
			t.Fatalf("%s shows the verifier", to)
		}
		if !flow.Started.Equal(i.now) {
			t.Fatalf("got started %s, want %s", flow.Started, i.now)
		}
	}
}

func TestAnswersThatDoNotBelongToTheFlow(t *testing.T) {
	for name, tc := range map[string]struct {
		issuer func(*issuer)
		flow   func(*oidc.Flow)
		query  func(url.Values)
		reason oidc.Reason
		text   string
	}{
		"wrong state":         {query: set("state", "other"), reason: oidc.Mismatched, text: "another sign-in"},
		"no state":            {query: func(q url.Values) { q.Del("state") }, reason: oidc.Mismatched, text: "another sign-in"},
		"no code":             {query: func(q url.Values) { q.Del("code") }, reason: oidc.Mismatched, text: "no code"},
		"two codes":           {query: func(q url.Values) { q.Add("code", "x") }, reason: oidc.Mismatched, text: "more than one code"},
		"two states":          {query: func(q url.Values) { q.Add("state", "x") }, reason: oidc.Mismatched, text: "more than one state"},
		"another provider":    {query: set("iss", "https://evil.example"), reason: oidc.Mismatched, text: "another provider: https://evil.example"},
		"an unnamed provider": {query: set("iss", ""), reason: oidc.Mismatched, text: "another provider"},
		"a provider that names itself always, and does not": {
			issuer: func(i *issuer) {
				i.document = func(d object) { d["authorization_response_iss_parameter_supported"] = true }
			},
			query: func(q url.Values) { q.Del("iss") }, reason: oidc.Mismatched, text: "does not say which provider",
		},
		"no flow":          {flow: func(f *oidc.Flow) { *f = oidc.Flow{} }, query: set("state", ""), reason: oidc.Mismatched, text: "no sign-in was begun"},
		"no nonce kept":    {flow: func(f *oidc.Flow) { f.Nonce = "" }, reason: oidc.Mismatched, text: "no sign-in was begun"},
		"expired":          {flow: func(f *oidc.Flow) { f.Started = f.Started.Add(-10 * time.Minute) }, reason: oidc.Expired, text: "10 minutes"},
		"of the future":    {flow: func(f *oidc.Flow) { f.Started = f.Started.Add(time.Hour) }, reason: oidc.Expired, text: "sign in again"},
		"another nonce":    {flow: func(f *oidc.Flow) { f.Nonce = "other" }, reason: oidc.Untrusted, text: "another sign-in"},
		"another verifier": {flow: func(f *oidc.Flow) { f.Verifier += "x" }, reason: oidc.Denied, text: "invalid_grant: the verifier does not fit"},
		"another code":     {query: set("code", "guessed"), reason: oidc.Denied, text: "invalid_grant: the code was used"},
		"the person says no": {
			query: func(q url.Values) {
				q.Del("code")
				q.Set("error", "access_denied")
				q.Set("error_description", "Park said no")
			},
			reason: oidc.Denied, text: "access_denied: Park said no",
		},
		"a refusal without a word": {query: set("error", "access_denied"), reason: oidc.Denied, text: "refuses: access_denied"},
		"a refusal of another sign-in": {
			query:  func(q url.Values) { q.Set("error", "access_denied"); q.Set("state", "other") },
			reason: oidc.Mismatched, text: "another sign-in",
		},
		"a client that may not": {query: set("error", "unauthorized_client"), reason: oidc.Setup, text: "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			if tc.issuer != nil {
				tc.issuer(i)
			}
			p := open(t, i.client())
			flow, query := begin(t, p)
			if tc.flow != nil {
				tc.flow(&flow)
			}
			if tc.query != nil {
				tc.query(query)
			}
			_, err := p.Finish(t.Context(), flow, query)
			wantRefused(t, err, tc.reason, tc.text)
		})
	}
}

func set(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }

// TestAnotherState is the rule against forged answers: nothing but the state of the flow goes on, and nothing is asked.
func TestAnotherState(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	_, flow, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		state := rapid.OneOf(
			rapid.String(), rapid.Just(flow.State[1:]), rapid.Just(flow.State+"A"), rapid.Just(strings.ToLower(flow.State)),
		).Draw(t, "state")
		_, err := p.Finish(context.Background(), flow, url.Values{"state": {state}, "code": {"code"}})
		if refused, ok := errors.AsType[*oidc.RefusedError](err); !ok || refused.Reason != oidc.Mismatched {
			t.Fatalf("state %q: got %v, want a refusal", state, err)
		}
	})
	if got := i.count(token); got != 0 {
		t.Errorf("the token endpoint was asked %d times, want never", got)
	}
}

func TestACodeServesOnce(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	flow, query := begin(t, p)
	if _, err := p.Finish(t.Context(), flow, query); err != nil {
		t.Fatal(err)
	}
	_, err := p.Finish(t.Context(), flow, query)
	wantRefused(t, err, oidc.Denied, "invalid_grant: the code was used")
}

func TestTokensThatDoNotHold(t *testing.T) {
	for name, tc := range map[string]struct {
		issuer func(*issuer)
		text   string
	}{
		"no nonce":                {without("nonce"), "another sign-in"},
		"another nonce":           {claim("nonce", "other"), "another sign-in"},
		"another audience":        {claim("aud", "other"), "audience"},
		"no audience":             {without("aud"), "audience"},
		"made for another client": {claim("azp", "other"), "another client: other"},
		"another issuer":          {claim("iss", "https://evil.example"), "different provider"},
		"expired": {func(i *issuer) {
			i.claims = func(c object) { c["exp"] = i.now.Add(-time.Second).Unix() }
		}, "expired"},
		"without an end": {without("exp"), "expired"},
		"not yet valid": {func(i *issuer) {
			i.claims = func(c object) { c["nbf"] = i.now.Add(6 * time.Minute).Unix() }
		}, "before the nbf"},
		"issued in the future": {func(i *issuer) {
			i.claims = func(c object) { c["iat"] = i.now.Add(6 * time.Minute).Unix() }
		}, "2026-11-25T09:06:00Z"},
		"not signed": {func(i *issuer) {
			i.sign = func(c object) string { return unsigned("none", "first", c) + "." }
		}, "not valid"},
		"signed with the public key as a secret": {func(i *issuer) {
			i.sign = func(c object) string { return signHS256("first", &keyPairs()[0].PublicKey, c) }
		}, "not valid"},
		"signed with an algorithm that the provider does not use": {func(i *issuer) {
			i.sign = func(c object) string { return signRS384("first", keyPairs()[0], c) }
		}, "not valid"},
		"signed with another key": {func(i *issuer) {
			i.sign = func(c object) string { return signRS256("first", keyPairs()[1], c) }
		}, "verify id token signature"},
		"signed with an unknown key": {func(i *issuer) {
			i.sign = func(c object) string { return signRS256("second", keyPairs()[1], c) }
		}, "verify id token signature"},
		"changed after it was signed": {func(i *issuer) {
			i.sign = func(c object) string {
				_, seal, _ := cutLast(signRS256("first", keyPairs()[0], c))
				c["preferred_username"] = "admin"
				return unsigned("RS256", "first", c) + "." + seal
			}
		}, "verify id token signature"},
		"no token": {func(i *issuer) { i.sign = func(object) string { return "rubbish" } }, "not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			tc.issuer(i)
			who, err := signIn(t, open(t, i.client()))
			wantRefused(t, err, oidc.Untrusted, tc.text)
			if who.Login != "" {
				t.Errorf("the refusal comes with the login %q", who.Login)
			}
		})
	}
}

// cutLast cuts a token before its signature.
func cutLast(text string) (before, after string, found bool) {
	n := strings.LastIndex(text, ".")
	return text[:n], text[n+1:], n > 0
}

func TestOneProcessBeginsAndAnotherFinishes(t *testing.T) {
	i := newIssuer(t)
	flow, query := begin(t, open(t, i.client()))
	another := open(t, i.client())
	i.replace(discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	_, err := another.Finish(t.Context(), flow, query)
	wantUnavailable(t, err)
	i.replace(discovery, nil) // the code was not used up
	if who, err := another.Finish(t.Context(), flow, query); err != nil || who.Login != "park" {
		t.Errorf("got %q, %v; want park", who.Login, err)
	}
}

func TestTheClientOfATokenIsAText(t *testing.T) {
	i := newIssuer(t)
	claim("azp", 7)(i)
	_, err := signIn(t, open(t, i.client()))
	wantRefused(t, err, oidc.Incomplete, `"azp"`)
}

func TestTheSetOfKeysIsFetchedAgainForANewKey(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	for range 2 {
		if _, err := signIn(t, p); err != nil {
			t.Fatal(err)
		}
	}
	if got := i.count(keys); got != 1 {
		t.Errorf("the keys were fetched %d times, want once", got)
	}
	delete(i.published, "first")
	i.published["second"] = keyPairs()[1]
	i.sign = func(c object) string { return signRS256("second", keyPairs()[1], c) }
	if _, err := signIn(t, p); err != nil {
		t.Fatal(err)
	}
	i.sign = func(c object) string { return signRS256("first", keyPairs()[0], c) }
	_, err := signIn(t, p)
	wantRefused(t, err, oidc.Untrusted, "verify id token signature")
	if got := i.count(discovery); got != 1 {
		t.Errorf("the discovery document was fetched %d times, want once", got)
	}
}

func TestTheProviderIsNotWellSetUp(t *testing.T) {
	long := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20+1)) }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	answers := func(path string, with http.HandlerFunc) func(*issuer) {
		return func(i *issuer) { i.instead[path] = with }
	}
	tells := func(name string, value any) func(*issuer) {
		return func(i *issuer) { i.document = func(d object) { d[name] = value } }
	}
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, []byte(text)) }
	}
	for name, tc := range map[string]struct {
		issuer func(*issuer)
		text   string
	}{
		"another issuer's document":     {tells("issuer", "https://evil.example"), "evil.example"},
		"no document":                   {answers(discovery, status(404)), discovery + " answers 404"},
		"a document that is none":       {answers(discovery, body("x")), "cannot be used"},
		"a document of another form":    {tells("scopes_supported", "openid"), "cannot be used"},
		"a huge document":               {answers(discovery, long), "more than 1048576 bytes"},
		"no token endpoint":             {tells("token_endpoint", ""), `the endpoint "": want a URL`},
		"an endpoint that all can read": {tells("token_endpoint", "http://tokens.example/"), "http is for loopback"},
		"a script for an endpoint":      {tells("authorization_endpoint", "javascript:alert(1)"), "want a URL that begins with https://"},
		"keys of a file":                {tells("jwks_uri", "file:///etc/passwd"), "want a URL that begins with https://"},
		"secrets for algorithms":        {tells("id_token_signing_alg_values_supported", []string{"none", "HS256"}), "no asymmetric algorithm"},
		"no algorithms":                 {tells("id_token_signing_alg_values_supported", []string{}), "no asymmetric algorithm"},
		"no secret taken":               {tells("token_endpoint_auth_methods_supported", []string{"private_key_jwt"}), "takes no client secret"},
		"no keys":                       {answers(keys, status(404)), keys + " answers 404"},
		"a huge set of keys":            {answers(keys, long), "more than 1048576 bytes"},
		"a huge token":                  {answers(token, long), "more than 1048576 bytes"},
		"a token endpoint of no words":  {answers(token, status(403)), "token endpoint answers 403"},
		"a token that is none":          {answers(token, body("x")), "gives no token"},
		"no ID token": {answers(token, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusOK, object{"access_token": "opaque", "token_type": "Bearer"})
		}), "no ID token"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			tc.issuer(i)
			p := open(t, i.client())
			to, flow, err := p.Begin(t.Context())
			if err == nil {
				_, err = p.Finish(t.Context(), flow, visit(t, to))
			}
			wantRefused(t, err, oidc.Setup, tc.text)
		})
	}
}

func TestASafeIssuerHasSafeEndpoints(t *testing.T) {
	i := newIssuer(t)
	safe := httptest.NewTLSServer(http.HandlerFunc(i.serve))
	defer safe.Close()
	i.document = func(d object) { d["issuer"] = safe.URL + "/tenant" }
	cfg := i.client()
	cfg.Issuer, cfg.HTTP = safe.URL+"/tenant", safe.Client()
	_, _, err := open(t, cfg).Begin(t.Context())
	wantRefused(t, err, oidc.Setup, "want https, as the issuer has")
}

func TestWrongSecret(t *testing.T) {
	i := newIssuer(t)
	cfg := i.client()
	cfg.ClientSecret = "wrong"
	_, err := signIn(t, open(t, cfg))
	wantRefused(t, err, oidc.Setup, "does not take Muster's client id or secret: invalid_client")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, path := range []string{discovery, token, keys} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(path, status), func(t *testing.T) {
				var led atomic.Int32
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Add(1) }))
				defer elsewhere.Close()
				i := newIssuer(t)
				i.replace(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
				p := open(t, i.client())
				to, flow, err := p.Begin(t.Context())
				if err == nil {
					_, err = p.Finish(t.Context(), flow, visit(t, to))
				}
				wantRefused(t, err, oidc.Setup, "redirect")
				if led.Load() != 0 {
					t.Errorf("a redirect was followed %d times, want never", led.Load())
				}
			})
		}
	}
}

func TestForeignWordsAreCleanedAndCut(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	flow, query := begin(t, p)
	query.Set("error", "access\x1b[31m_denied")
	query.Set("error_description", "no\r\n\u202esee \u2066 "+strings.Repeat("here ", 10_000))
	_, err := p.Finish(t.Context(), flow, query)
	wantRefused(t, err, oidc.Denied, "access [31m_denied: no see here here")
	if text := err.Error(); strings.ContainsAny(text, "\x1b\r\n\u202e\u2066") || len(text) > 500 || !strings.HasSuffix(text, "…") {
		t.Errorf("got %q, want one short line that says it was cut", text)
	}
}

func TestTheProviderIsDownAtFirstAndUpLater(t *testing.T) {
	for _, path := range []string{discovery, token, keys} {
		for _, status := range []int{408, 429, 500, 502, 503, 504} {
			t.Run(fmt.Sprint(path, status), func(t *testing.T) {
				i := newIssuer(t)
				i.replace(path, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
				p := open(t, i.client())
				to, flow, err := p.Begin(t.Context())
				if err == nil {
					_, err = p.Finish(t.Context(), flow, visit(t, to))
				}
				wantUnavailable(t, err)
				if want := fmt.Sprintf("sign in: ask %s: it answers %d", strings.TrimPrefix(i.URL, "http://"), status); err.Error() != want {
					t.Errorf("got %q, want %q", err, want)
				}
				i.replace(path, nil)
				// The library forgets a fetch of keys a moment after it has told that it failed: who asks within it is told so again.
				for tries := 1; ; tries++ {
					if _, err = signIn(t, p); err == nil || tries == 100 {
						break
					}
					time.Sleep(time.Millisecond)
				}
				if err != nil {
					t.Errorf("after it is up again: %v", err)
				}
			})
		}
	}
}

func TestNobodyListens(t *testing.T) {
	i := newIssuer(t)
	i.Close()
	_, _, err := open(t, i.client()).Begin(t.Context())
	wantUnavailable(t, err)
}

func TestAnAnswerBreaksOff(t *testing.T) {
	i := newIssuer(t)
	i.replace(discovery, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("{"))
	})
	_, _, err := open(t, i.client()).Begin(t.Context())
	wantUnavailable(t, err)
}

func TestTheCallerStopsWaiting(t *testing.T) {
	for _, path := range []string{discovery, token, keys} {
		t.Run(path, func(t *testing.T) {
			i := newIssuer(t)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			over := make(chan struct{})
			i.replace(path, func(_ http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm() // who has not read a body does not see its sender leave
				stop()
				select {
				case <-r.Context().Done():
				case <-over: // the set of keys is fetched for everybody, so it goes on without this caller
				}
			})
			defer close(over)
			p := open(t, i.client())
			to, flow, err := p.Begin(ctx)
			if err == nil {
				_, err = p.Finish(ctx, flow, visit(t, to))
			}
			wantUnavailable(t, err)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that it was cancelled", err)
			}
		})
	}
}

func TestOneAsksWhileTheOthersWait(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.client())
	reached, on := make(chan struct{}), make(chan struct{})
	i.replace(discovery, func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-on
		i.mu.Lock()
		defer i.mu.Unlock()
		i.serveDiscovery(w)
	})
	var group sync.WaitGroup
	ask := func() {
		if _, _, err := p.Begin(t.Context()); err != nil {
			t.Error(err)
		}
	}
	group.Go(ask)
	<-reached
	impatient, stop := context.WithCancel(t.Context())
	stop()
	_, _, err := p.Begin(impatient)
	wantUnavailable(t, err)
	for range 20 {
		group.Go(ask)
	}
	close(on)
	group.Wait()
	if got := i.count(discovery); got != 1 {
		t.Errorf("the discovery document was fetched %d times, want once", got)
	}
}

// hanging never answers; it ends when the request does.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAProviderThatHangsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, oidc.Config{
			Issuer: "https://id.example", ClientID: clientID, LoginClaim: "upn", RedirectURL: redirectURL,
			HTTP: &http.Client{Transport: hanging{}},
		})
		began := time.Now() // of the bubble: it passes only when everybody waits
		flow := oidc.Flow{State: "s", Nonce: "n", Verifier: "v", Started: began}
		var group sync.WaitGroup
		for range 3 { // they ask one after another, and yet none waits longer
			for name, call := range map[string]func() error{
				"begin": func() error {
					_, _, err := p.Begin(t.Context())
					return err
				},
				"finish": func() error {
					_, err := p.Finish(t.Context(), flow, url.Values{"state": {"s"}, "code": {"c"}})
					return err
				},
			} {
				group.Go(func() {
					err := call()
					_, unavailable := errors.AsType[*oidc.UnavailableError](err)
					got := time.Since(began)
					if got != 10*time.Second || !unavailable || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: got %v after %s, want that the provider is unavailable after 10s", name, err, got)
					}
				})
			}
		}
		group.Wait()
	})
}

// watching is a transport that counts requests, and those of them that may take for ever.
type watching struct{ all, endless atomic.Int32 }

func (w *watching) RoundTrip(r *http.Request) (*http.Response, error) {
	w.all.Add(1)
	if _, ends := r.Context().Deadline(); !ends {
		w.endless.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestEveryRequestHasAnEnd(t *testing.T) {
	i := newIssuer(t)
	cfg, seen := i.client(), new(watching)
	cfg.HTTP = &http.Client{Transport: seen}
	if _, err := signIn(t, open(t, cfg)); err != nil {
		t.Fatal(err)
	}
	if all, endless := seen.all.Load(), seen.endless.Load(); all != 3 || endless != 0 {
		t.Errorf("got %d requests of which %d may take for ever, want 3 and none", all, endless)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	const https, loopback = "want a URL that begins with https://", "want https: http is for loopback addresses only"
	right := oidc.Config{Issuer: "https://id.example/tenant", ClientID: clientID, LoginClaim: "upn", RedirectURL: redirectURL}
	with := func(change func(*oidc.Config)) oidc.Config {
		c := right
		change(&c)
		return c
	}
	issuer := func(is string) oidc.Config { return with(func(c *oidc.Config) { c.Issuer = is }) }
	back := func(is string) oidc.Config { return with(func(c *oidc.Config) { c.RedirectURL = is }) }
	for _, tc := range []struct {
		cfg  oidc.Config
		want []string // nothing: it is taken
	}{
		{right, nil},
		{issuer("http://127.0.0.1:5556/dex"), nil},
		{issuer("http://localhost"), nil},
		{issuer("http://[::1]:80"), nil},
		{back("http://localhost:8080/back"), nil},
		{issuer(""), []string{"issuer: " + https}},
		{issuer("id.example"), []string{"issuer: " + https}},
		{issuer("ldap://id.example"), []string{"issuer: " + https}},
		{issuer("https://"), []string{"issuer: " + https}},
		{issuer("https://:443"), []string{"issuer: " + https}},
		{issuer("https://%zz"), []string{"issuer: " + https}},
		{issuer("http://id.example"), []string{"issuer: " + loopback}},
		{issuer("http://10.0.0.1"), []string{"issuer: " + loopback}},
		{issuer("http://localhost.evil.example"), []string{"issuer: " + loopback}},
		{issuer("http://127.0.0.1.evil.example"), []string{"issuer: " + loopback}},
		{issuer("https://me:hush@id.example"), []string{"issuer: want no user and no password in it"}},
		{issuer("https://id.example?tenant=1"), []string{"issuer: want no query in it"}},
		{issuer("https://id.example?"), []string{"issuer: want no query in it"}},
		{issuer("https://id.example#x"), []string{"issuer: want no # in it"}},
		{back(""), []string{"redirect URL: " + https}},
		{back("/sign-in/back"), []string{"redirect URL: " + https}},
		{back("http://muster.example/back"), []string{"redirect URL: " + loopback}},
		{back("https://muster.example/#back"), []string{"redirect URL: want no # in it"}},
		{oidc.Config{}, []string{
			"issuer: " + https, "client id: want the one that the provider has given to Muster",
			"login claim: want the name of a claim, such as preferred_username", "redirect URL: " + https,
		}},
	} {
		p, err := oidc.New(tc.cfg)
		if len(tc.want) == 0 {
			if err != nil || p == nil {
				t.Errorf("%s back to %s: got %v, want a provider", tc.cfg.Issuer, tc.cfg.RedirectURL, err)
			}
			continue
		}
		want := "configure OpenID Connect: " + strings.Join(tc.want, "\n")
		if err == nil || err.Error() != want {
			t.Errorf("%s back to %s: got %v\nwant %s", tc.cfg.Issuer, tc.cfg.RedirectURL, err, want)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	i := newIssuer(t)
	cfg := i.client()
	p := open(t, cfg)
	_, flow, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for what, shown := range map[string]struct {
			text string
			want string
		}{
			"configuration": {fmt.Sprintf(verb, cfg), "client muster-client of " + i.name()},
			"provider":      {fmt.Sprintf(verb, p), "client muster-client of " + i.name()},
			"flow":          {fmt.Sprintf(verb, flow), "sign-in started at 2026-11-25T09:00:00Z"},
		} {
			if shown.text != shown.want {
				t.Errorf("%s of the %s: got %q, want %q", verb, what, shown.text, shown.want)
			}
		}
	}
}
