package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/authority"
	"muster/internal/store"
	"muster/starter/console"
)

// TestLoginByToken walks who gets in with which token.
func TestLoginByToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		token   func(*place) string
		arrange func(*place)
		status  int
		en, ko  string
		try     string
	}{
		{name: "one's own", token: kims, status: 303},
		{name: "with blanks around it", token: func(p *place) string { return "  " + kims(p) + "\r\n" }, status: 303},
		{
			name: "none", token: func(*place) string { return "" }, status: 401,
			en: "Nobody is known by this token.", ko: "알 수 없는 토큰입니다.", try: "login: unknown",
		},
		{
			name: "wrong", token: func(*place) string { return "hunter2" }, status: 401,
			en: "Nobody is known by this token.", ko: "알 수 없는 토큰입니다.", try: "login: unknown",
		},
		{
			name: "of another installation", token: func(*place) string { return kims(newPlace(t)) }, status: 401,
			en: "Nobody is known by this token.", ko: "알 수 없는 토큰입니다.", try: "login: unknown",
		},
		{
			name: "a part", token: func(p *place) string { return kims(p)[:40] }, status: 401,
			en: "This token is not whole", ko: "토큰이 온전하지 않습니다", try: "login: part",
		},
		{
			name: "expired", token: kims, arrange: func(p *place) { p.clock = begin().AddDate(0, 0, 90) }, status: 401,
			en: "This token has expired.", ko: "기한이 지난 토큰입니다.", try: "login: expired",
		},
		{
			name: "revoked", token: func(p *place) string {
				secret, made := p.token()
				if _, err := p.store.RevokeToken(t.Context(), made.ID); err != nil {
					t.Fatal(err)
				}
				return secret
			}, status: 401,
			en: "This token was revoked.", ko: "폐기된 토큰입니다.", try: "login: revoked",
		},
		{
			name: "of a machine", token: func(p *place) string {
				secret, _ := p.token(func(t *store.Token) {
					t.Actor, t.Kind, t.Roles = "deploy-bot", store.Machine, []string{"administrator"}
				})
				return secret
			}, status: 403,
			en: "Only people sign in.", ko: "사람만 로그인할 수 있습니다.", try: "login: machine",
		},
		{
			name: "narrowed", token: func(p *place) string {
				secret, _ := p.token(func(t *store.Token) { t.Scopes = []string{"read"} })
				return secret
			}, status: 403,
			en: "allows certain things only", ko: "일부 권한만 있는 토큰", try: "login: narrowed",
		},
		{
			name: "of somebody who is gone", token: kims, arrange: func(p *place) { p.org = organisation(t, "kim") }, status: 403,
			en: "not in the organisation folder any more", ko: "조직 폴더에 없습니다", try: "login: gone",
		},
		{
			name: "of a data folder's administrator", token: func(p *place) string {
				secret, _ := p.token(func(t *store.Token) { t.Actor, t.Name, t.Roles = "admin", "", []string{"administrator"} })
				return secret
			}, status: 303,
		},
	} {
		for language, want := range map[string]string{"en": tt.en, "ko": tt.ko} {
			t.Run(tt.name+" "+language, func(t *testing.T) {
				p := newPlace(t)
				token := tt.token(p)
				if tt.arrange != nil {
					tt.arrange(p)
				}
				w := p.post("/login?lang="+language, url.Values{"token": {token}})
				if w.Code != tt.status || !strings.Contains(w.Body.String(), want) {
					t.Errorf("got %d, want %d and %q\n%s", w.Code, tt.status, want, w.Body)
				}
				c := cookieOf(t, w, "__Host-muster")
				if (c != nil) != (tt.status == http.StatusSeeOther) {
					t.Errorf("got cookie %v with status %d", c, w.Code)
				}
				tries := []string{}
				if tt.try != "" {
					tries = append(tries, tt.try)
				}
				if diff := cmp.Diff(tries, p.attempts()); diff != "" {
					t.Error(diff)
				}
				if token != "" && (strings.Contains(p.log.String(), token) || strings.Contains(w.Body.String(), token)) {
					t.Error("the token stands in the log or in the page")
				}
			})
		}
	}
}

func kims(p *place) string { secret, _ := p.token(); return secret }

// attributes are what a cookie is, but for its value.
func attributes(c *http.Cookie) http.Cookie {
	return http.Cookie{
		Name: c.Name, Path: c.Path, Domain: c.Domain, MaxAge: c.MaxAge, Expires: c.Expires, Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
}

func TestCookies(t *testing.T) {
	p, i := signInPlace(t)
	i.login = "nobody"
	session := cookieOf(t, p.post("/login", url.Values{"token": {kims(p)}}), "__Host-muster")
	flow := cookieOf(t, p.post("/login/start", url.Values{}), "__Host-muster-sign-in")
	out := cookieOf(t, p.post("/logout", url.Values{}), "__Host-muster")
	back := cookieOf(t, p.get("/login/callback"), "__Host-muster-sign-in")
	want := http.Cookie{Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	for _, tt := range []struct {
		got  *http.Cookie
		name string
		age  int
	}{
		{session, "__Host-muster", 0},
		{flow, "__Host-muster-sign-in", 600},
		{out, "__Host-muster", -1},
		{back, "__Host-muster-sign-in", -1},
	} {
		want.Name, want.MaxAge = tt.name, tt.age
		if tt.got == nil {
			t.Errorf("%s: there is no cookie", tt.name)
		} else if diff := cmp.Diff(want, attributes(tt.got)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestNext holds where a sign-in leads: within Muster, or to the first page.
func TestNext(t *testing.T) {
	for next, want := range map[string]string{
		"":                                "/",
		"/account":                        "/account",
		"/l/x?lang=ko":                    "/l/x?lang=ko",
		"/ui/workflows?query=a%20b":       "/ui/workflows?query=a%20b",
		"//evil.example":                  "/",
		"///evil.example":                 "/",
		"/\\evil.example":                 "/",
		"\\/evil.example":                 "/",
		"/\t/evil.example":                "/",
		"/\n/evil.example":                "/",
		" /account":                       "/",
		"https://evil.example/":           "/",
		"https:evil.example":              "/",
		"javascript:alert(1)":             "/",
		"account":                         "/",
		"/%zz":                            "/",
		"/" + strings.Repeat("a", 600):    "/",
		"/a\r\nSet-Cookie: __Host-muster": "/",
	} {
		p := newPlace(t)
		w := p.post("/login", url.Values{"token": {kims(p)}, "next": {next}})
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
		cookie := p.signIn()
		if got := p.get("/login?"+url.Values{"next": {next}}.Encode(), cookie...).Header().Get("Location"); got != want {
			t.Errorf("signed in already: next %q leads to %q, want %q", next, got, want)
		}
		page := p.get("/login?" + url.Values{"next": {next}}.Encode()).Body.String()
		if strings.Contains(page, "evil") || strings.Contains(page, "alert(") {
			t.Errorf("next %q stands in the page", next)
		}
	}
}

func TestSession(t *testing.T) {
	p := newPlace(t)
	ask := func(header ...string) (authority.Subject, bool) {
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		for n := 0; n < len(header); n += 2 {
			r.Header.Set(header[n], header[n+1])
		}
		return p.Session(r)
	}
	if by, ok := ask(); ok {
		t.Errorf("without a cookie: %+v is signed in", by)
	}
	if by, ok := ask("Cookie", "__Host-muster=x"); ok {
		t.Errorf("with a wrong cookie: %+v is signed in", by)
	}
	kim := p.signIn()
	want, _ := p.org.Subject("kim")
	if by, ok := ask(kim...); !ok || cmp.Diff(want, by) != "" {
		t.Errorf("got %+v, %t; want kim as the folder has him", by, ok)
	}
	admin := p.signIn(func(t *store.Token) { t.Actor, t.Name, t.Roles = "admin", "Ada", []string{"administrator"} })
	whole := authority.Subject{Actor: person("admin", "Ada"), Kind: authority.Provider, Roles: []authority.Role{authority.Administrator}}
	if by, ok := ask(admin...); !ok || cmp.Diff(whole, by) != "" {
		t.Errorf("got %+v, %t; want the administrator of the data folder", by, ok)
	}
	raised := p.signIn(func(t *store.Token) { t.Roles = []string{"administrator"} })
	if by, _ := ask(raised...); slices.Contains(by.Roles, authority.Administrator) {
		t.Error("the roles of a token count for somebody who is in the folder")
	}
	p.org = organisation(t, "kim")
	if by, ok := ask(kim...); ok {
		t.Errorf("kim has left the folder: %+v is signed in", by)
	}
	p.org = organisation(t, "")
	p.clock = p.clock.Add(7 * time.Hour)
	if _, ok := ask(kim...); !ok {
		t.Error("after 7 hours: want kim signed in")
	}
	p.clock = p.clock.Add(5 * time.Hour)
	if by, ok := ask(kim...); ok {
		t.Errorf("after 12 hours: %+v is signed in", by)
	}
}

// A session ends with the token that it was begun with.
func TestASessionEndsWithItsToken(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn(func(t *store.Token) { t.Expires = begin().Add(time.Hour) })
	if w := p.get("/account", cookie...); w.Code != http.StatusOK {
		t.Errorf("got %d, want 200", w.Code)
	}
	p.clock = p.clock.Add(time.Hour)
	if w := p.get("/account", cookie...); w.Code != http.StatusSeeOther {
		t.Errorf("an hour later: got %d, want 303", w.Code)
	}
}

func TestSigningInAgainEndsTheOldSession(t *testing.T) {
	p := newPlace(t)
	old := p.signIn()
	w := p.post("/login", url.Values{"token": {kims(p)}}, old...)
	if c := cookieOf(t, w, "__Host-muster"); c == nil || strings.HasSuffix(old[1], c.Value) {
		t.Errorf("got cookie %v, want a new secret", c)
	}
	if w := p.get("/account", old...); w.Code != http.StatusSeeOther {
		t.Errorf("with the old cookie: got %d, want 303", w.Code)
	}
}

func TestLogout(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn()
	if w := p.post("/logout", url.Values{}, cookie...); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
		t.Errorf("got %d to %q, want 303 to /login", w.Code, w.Header().Get("Location"))
	}
	if w := p.get("/account", cookie...); w.Code != http.StatusSeeOther {
		t.Errorf("afterwards: got %d, want 303", w.Code)
	}
}

func signInPlace(t testing.TB) (*place, *issuer) {
	var p *place
	i := newIssuer(t, func() time.Time { return p.clock })
	p = newPlace(t, withProvider(i.provider("https://muster.example/login/callback")))
	return p, i
}

var onward = regexp.MustCompile(`^0; url=(.*)$`)

// travel signs in with the provider as a browser does, and returns the answer to its coming back.
func (p *place) travel(next string) *httptest.ResponseRecorder {
	p.t.Helper()
	w := p.post("/login/start", url.Values{"next": {next}})
	to := onward.FindStringSubmatch(w.Header().Get("Refresh"))
	flow := cookieOf(p.t, w, "__Host-muster-sign-in")
	if w.Code != http.StatusOK || to == nil || flow == nil {
		p.t.Fatalf("start: got %d, %q and cookie %v", w.Code, w.Header().Get("Refresh"), flow)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, to[1], nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := browser.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		p.t.Fatal(err)
	}
	return p.get(back.RequestURI(), "Cookie", flow.Name+"="+flow.Value, "Accept-Language", "en")
}

func TestSignInWithTheProvider(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*place, *issuer)
		status int
		says   string
		who    string
		roles  []authority.Role
		tries  []string
	}{
		{name: "known", status: 303, who: "kim", roles: []authority.Role{authority.Responder}},
		{
			name: "with a group that has a role", status: 303, who: "kim", change: func(_ *place, i *issuer) { i.groups = []string{"auditors", "x"} },
			roles: []authority.Role{authority.Responder, authority.Auditor},
		},
		{
			name: "a partner's groups give nothing", status: 303, who: "yoon", roles: []authority.Role{authority.Responder},
			change: func(_ *place, i *issuer) { i.login, i.groups = "yoon@hanbit.example", []string{"auditors"} },
		},
		{
			name: "unknown", status: 403, says: "Muster does not know you", change: func(_ *place, i *issuer) { i.login = "eve@mirnet.example" },
			tries: []string{"login: nobody in the organisation folder has this login"},
		},
		{
			name: "in another case", status: 403, says: "KIM@mirnet.example", change: func(_ *place, i *issuer) { i.login = "KIM@mirnet.example" },
			tries: []string{"login: nobody in the organisation folder has this login"},
		},
		{
			name: "the provider says no", status: 401, says: "access_denied: not &lt;b&gt;you", change: func(_ *place, i *issuer) { i.denies = true },
			tries: []string{"login: the provider refuses: access_denied: not <b>you</b>"},
		},
		{
			name: "the provider does not know Muster", status: 502, says: "Sign-in is not set up right",
			change: func(_ *place, i *issuer) { i.strict = true },
			tries:  []string{"login: the provider does not take Muster's client id or secret: invalid_client"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, i := signInPlace(t)
			if tt.change != nil {
				tt.change(p, i)
			}
			w := p.travel("/account")
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("got %d, want %d and %q\n%s", w.Code, tt.status, tt.says, w.Body)
			}
			if diff := cmp.Diff(append([]string{}, tt.tries...), p.attempts()); diff != "" {
				t.Error(diff)
			}
			c := cookieOf(t, w, "__Host-muster")
			if tt.who == "" {
				if c != nil {
					t.Error("somebody is signed in")
				}
				return
			}
			if c == nil || w.Header().Get("Location") != "/account" {
				t.Fatalf("got cookie %v and %q, want a session and /account", c, w.Header().Get("Location"))
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(c)
			by, ok := p.Session(r)
			if !ok || by.Actor.ID != tt.who || cmp.Diff(tt.roles, by.Roles) != "" {
				t.Errorf("got %+v, %t; want %s with %v", by, ok, tt.who, tt.roles)
			}
		})
	}
}

// What comes back without having been begun here, or too late, or to nobody who is there, lets nobody in.
func TestSignInThatIsNone(t *testing.T) {
	p, _ := signInPlace(t)
	started := p.post("/login/start", url.Values{"next": {"//evil.example"}})
	flow := cookieOf(t, started, "__Host-muster-sign-in")
	for name, cookie := range map[string]string{
		"no cookie":      "",
		"garbage":        "x",
		"another's":      "eyJzIjoiYSIsIm4iOiJiIiwidiI6ImMiLCJ0IjoiMjAyNi0xMS0yNVQwNTowNTowOVoifQ.",
		"another answer": flow.Value,
	} {
		headers := []string{"Accept-Language", "en"}
		if cookie != "" {
			headers = append(headers, "Cookie", flow.Name+"="+cookie)
		}
		w := p.get("/login/callback?code=once&state=guess", headers...)
		if w.Code != http.StatusUnauthorized || cookieOf(t, w, "__Host-muster") != nil || !strings.Contains(w.Body.String(), "You are not signed in") {
			t.Errorf("%s: got %d, want 401\n%s", name, w.Code, w.Body)
		}
	}
	away, nobody := signInPlace(t)
	nobody.Close()
	if w := away.post("/login/start?lang=en", url.Values{}); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "provider does not answer") ||
		w.Header().Get("Retry-After") == "" {
		t.Errorf("provider away: got %d, want 503\n%s", w.Code, w.Body)
	}
	plain := newPlace(t)
	if w := plain.post("/login/start", url.Values{}); w.Code != http.StatusNotFound {
		t.Errorf("without a provider: start: got %d, want 404", w.Code)
	}
	if w := plain.get("/login/callback?code=x"); w.Code != http.StatusNotFound {
		t.Errorf("without a provider: callback: got %d, want 404", w.Code)
	}
}

// Forms that another site has sent do nothing, whoever is signed in.
func TestCrossSiteForms(t *testing.T) {
	for _, path := range []string{
		"/login", "/login/start", "/logout", "/account/tokens", "/account/tokens/revoke", "/account/sessions/end",
	} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			p, _ := signInPlace(t)
			secret, made := p.token()
			cookie := p.signIn()
			form := url.Values{"token": {secret}, "label": {"x"}, "days": {"1"}}
			if path == "/account/tokens/revoke" {
				form.Set("token", made.ID)
			}
			w := p.post(path+"?lang=en", form, append(headers, cookie...)...)
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "This came from another site") || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s with %v: got %d and cookies %v, want 403", path, headers, w.Code, w.Result().Cookies())
			}
			if w := p.get("/account", cookie...); w.Code != http.StatusOK || strings.Count(w.Body.String(), "<li>") != 2 {
				t.Errorf("%s with %v: something has happened\n%s", path, headers, w.Body)
			}
			if diff := cmp.Diff([]string{"denied: the form was sent by another site"}, p.attempts()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestNewWantsItsParts(t *testing.T) {
	if _, err := console.New(console.Config{}); err == nil || !strings.Contains(err.Error(), "want Links, Incidents, PlanRuns, Inbox, Calendar, Reports, Organisation, Store, Texts and Now") {
		t.Errorf("got %v, want what is missing", err)
	}
}

// Without its store, Muster lets nobody in and decides nothing.
func TestTheStoreIsGone(t *testing.T) {
	p := newPlace(t)
	secret, _ := p.token()
	cookie, l := p.signIn(), p.link("kim")
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		w    *httptest.ResponseRecorder
		want int
	}{
		{p.post(l, acknowledge()), 500},
		{p.post("/login", url.Values{"token": {secret}}), 500},
		{p.post("/logout", url.Values{}, cookie...), 500},
		{p.get("/account", cookie...), 303},
		{p.get(l + "x"), 404},
	} {
		if tt.w.Code != tt.want {
			t.Errorf("got %d, want %d\n%s", tt.w.Code, tt.want, tt.w.Body)
		}
	}
	if len(p.calls) > 0 {
		t.Errorf("got %d commands, want none", len(p.calls))
	}
	for _, want := range []string{"session not looked up", "refused attempt not recorded", "request not answered"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("the log does not say %q\n%s", want, p.log)
		}
	}
}

func FuzzForms(f *testing.F) {
	p := newPlace(f)
	before, err := p.store.Tokens(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/login", "token=muster_x&next=//e", "lang=ko")
	f.Add("/account/tokens", "label=%00&days=1e3", "lang=%ff")
	f.Add("/login/callback", "code=1", "state=2&next=/%09/x")
	f.Fuzz(func(t *testing.T, path, body, query string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#%") || strings.Contains(query, "#") || !printable(path+query) {
			return
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := p.ask(method, path+"?"+query, body)
			if w.Code >= 500 {
				t.Errorf("%s %q with %q: got %d", method, path, body, w.Code)
			}
			if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
				t.Errorf("%s %q leads to %q", method, path, to)
			}
		}
		if after, err := p.store.Tokens(t.Context()); err != nil || len(after) != len(before) || len(p.calls) > 0 {
			t.Errorf("%q with %q: %d tokens, %d commands, %v; want none", path, body, len(after), len(p.calls), err)
		}
	})
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
