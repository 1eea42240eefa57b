package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/store"
)

var secretOf = regexp.MustCompile(`export MUSTER_TOKEN=(muster_[0-9A-Za-z]+)`)

// make has somebody make a token on the page, and returns its secret.
func (p *place) make(form url.Values, cookie []string) string {
	p.t.Helper()
	w := p.post("/account/tokens?lang=en", form, cookie...)
	found := secretOf.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		p.t.Fatalf("got %d, want 200 and a token\n%s", w.Code, w.Body)
	}
	return found[1]
}

func TestMakeAToken(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn()
	secret := p.make(url.Values{"label": {" 노트북 <b> "}, "days": {"365"}}, cookie)
	got, err := p.store.Token(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Token{
		ID: got.ID, Actor: "kim", Name: "김민수", Kind: store.Person, Label: "노트북 <b>", Roles: got.Roles, Scopes: got.Scopes,
		Created: begin(), Expires: begin().AddDate(0, 0, 365), LastUsed: begin(), CreatedBy: "kim",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Roles)+len(got.Scopes) > 0 {
		t.Error(diff)
	}
	page := p.get("/account", cookie...).Body.String()
	if !strings.Contains(page, "노트북 &lt;b&gt;") || strings.Contains(page, secret) || strings.Contains(p.log.String(), secret) {
		t.Errorf("want the label in the page, and the secret neither there nor in the log\n%s\n%s", page, p.log)
	}
}

// What a session has by its sign-in goes into no token, but for the administrator whom only a token knows.
func TestATokenHasTheRolesOfTheFolder(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn(func(t *store.Token) { t.Actor, t.Name, t.Roles = "admin", "Ada", []string{"administrator"} })
	got, err := p.store.Token(t.Context(), p.make(url.Values{"label": {"x"}, "days": {"1"}}, cookie))
	if err != nil || cmp.Diff([]string{"administrator"}, got.Roles) != "" {
		t.Errorf("the data folder's administrator: got %v, %v; want its role", got.Roles, err)
	}
	q, i := signInPlace(t)
	i.groups = []string{"auditors"}
	c := cookieOf(t, q.travel(""), "__Host-muster")
	got, err = q.store.Token(t.Context(), q.make(url.Values{"label": {"x"}, "days": {"1"}}, []string{"Cookie", c.Name + "=" + c.Value}))
	if err != nil || len(got.Roles) > 0 {
		t.Errorf("with a role of a group: got %v, %v; want none", got.Roles, err)
	}
}

// A role that this Muster does not know gives nothing.
func TestWhoMayNotManageTokens(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn(func(t *store.Token) { t.Actor, t.Name, t.Roles = "admin", "Ada", []string{"administrator"} })
	stranger := p.signIn(func(t *store.Token) { t.Actor, t.Name, t.Roles = "sue", "Sue", []string{"something-new"} })
	for path, form := range map[string]url.Values{
		"/account/tokens": {"label": {"x"}, "days": {"1"}}, "/account/tokens/revoke": {"token": {"tok_none"}},
	} {
		if w := p.post(path, form, stranger...); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "권한이 없습니다") {
			t.Errorf("%s: got %d, want 403\n%s", path, w.Code, w.Body)
		}
		if w := p.post(path, form, cookie...); w.Code == http.StatusForbidden {
			t.Errorf("%s as an administrator: got 403", path)
		}
	}
	if w := p.get("/account", stranger...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "something-new") {
		t.Errorf("/account: got %d, want 200 and the role as it is\n%s", w.Code, w.Body)
	}
	denied := "denied: manage-own-tokens token: want the person for whom the token speaks"
	if diff := cmp.Diff([]string{denied, denied}, p.attempts()); diff != "" {
		t.Error(diff)
	}
}

func TestATokenThatCannotBeMade(t *testing.T) {
	const label, days = "Write what the token is for", "Choose a number of days from 1 to 365."
	for _, tt := range []struct{ label, days, says string }{
		{"", "90", label},
		{"  ", "90", label},
		{strings.Repeat("가", 101), "90", label},
		{"two\nlines", "90", label},
		{"\xff", "90", label},
		{"laptop", "", days},
		{"laptop", "0", days},
		{"laptop", "-1", days},
		{"laptop", "366", days},
		{"laptop", "1.5", days},
		{"laptop", "99999999999999999999", days},
		{"laptop", "ninety", days},
	} {
		p := newPlace(t)
		cookie := p.signIn()
		w := p.post("/account/tokens?lang=en", url.Values{"label": {tt.label}, "days": {tt.days}}, cookie...)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%q for %q days: got %d, want 422 and %q\n%s", tt.label, tt.days, w.Code, tt.says, w.Body)
		}
		if all, err := p.store.Tokens(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("%q for %q days: got %d tokens, %v; want the one of before", tt.label, tt.days, len(all), err)
		}
	}
}

func TestRevokeAToken(t *testing.T) {
	p := newPlace(t)
	kim, elsewhere := p.signIn(), p.signIn()
	_, mine := p.token(func(t *store.Token) { t.Label = "old" })
	_, lees := p.token(func(t *store.Token) { t.Actor = "lee" })
	_, bots := p.token(func(t *store.Token) { t.Actor, t.Kind = "kim", store.Machine })
	for id, want := range map[string]int{lees.ID: 404, bots.ID: 404, "tok_none": 404, "": 404} {
		if w := p.post("/account/tokens/revoke", url.Values{"token": {id}}, kim...); w.Code != want {
			t.Errorf("%q: got %d, want %d", id, w.Code, want)
		}
	}
	w := p.post("/account/tokens/revoke", url.Values{"token": {mine.ID}}, kim...)
	c := cookieOf(t, w, "__Host-muster")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/account" || c == nil {
		t.Fatalf("got %d, %q and cookie %v; want 303, /account and a session", w.Code, w.Header().Get("Location"), c)
	}
	all, err := p.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range all {
		if got := !token.Revoked.IsZero(); got != (token.ID == mine.ID) {
			t.Errorf("%s of %s: revoked %t", token.Label, token.Actor, got)
		}
	}
	if w := p.get("/account", elsewhere...); w.Code != http.StatusSeeOther {
		t.Errorf("the other session: got %d, want 303", w.Code)
	}
	if w := p.get("/account", "Cookie", c.Name+"="+c.Value); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "old") {
		t.Errorf("this session: got %d, want 200 and no more of the token\n%s", w.Code, w.Body)
	}
	// A token that this session was begun with takes the session with it.
	secret, last := p.token()
	c = cookieOf(t, p.post("/login", url.Values{"token": {secret}}), "__Host-muster")
	w = p.post("/account/tokens/revoke", url.Values{"token": {last.ID}}, "Cookie", c.Name+"="+c.Value)
	if w.Header().Get("Location") != "/login" {
		t.Errorf("its own token: leads to %q, want /login", w.Header().Get("Location"))
	}
	if w := p.get("/account", "Cookie", c.Name+"="+c.Value); w.Code != http.StatusSeeOther {
		t.Errorf("its own token: afterwards got %d, want 303", w.Code)
	}
}

func TestEndSessions(t *testing.T) {
	p := newPlace(t)
	here, elsewhere := p.signIn(), p.signIn()
	lee := p.signIn(func(t *store.Token) { t.Actor, t.Name = "lee", "이서연" })
	w := p.post("/account/sessions/end", url.Values{}, here...)
	if c := cookieOf(t, w, "__Host-muster"); w.Header().Get("Location") != "/login" || c == nil || c.MaxAge >= 0 {
		t.Errorf("got %q and cookie %v, want /login and none", w.Header().Get("Location"), c)
	}
	for n, tt := range []struct {
		cookie []string
		want   int
	}{{here, 303}, {elsewhere, 303}, {lee, 200}} {
		if w := p.get("/account", tt.cookie...); w.Code != tt.want {
			t.Errorf("session %d: got %d, want %d", n, w.Code, tt.want)
		}
	}
}

// Whoever is not signed in is led to the sign-in, and back.
func TestNobodyIsSignedIn(t *testing.T) {
	p := newPlace(t)
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/", "/login"},
		{"GET", "/?lang=en", "/login?lang=en"},
		{"GET", "/account", "/login?next=%2Faccount"},
		{"HEAD", "/account", "/login?next=%2Faccount"},
		{"GET", "/account?lang=ko", "/login?lang=ko&next=%2Faccount"},
		{"POST", "/account/tokens", "/login?next=%2Faccount"},
		{"POST", "/account/tokens/revoke", "/login?next=%2Faccount"},
		{"POST", "/account/sessions/end", "/login?next=%2Faccount"},
	} {
		w := p.ask(tt.method, tt.path, "")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != tt.want {
			t.Errorf("%s %s: got %d to %q, want 303 to %q", tt.method, tt.path, w.Code, w.Header().Get("Location"), tt.want)
		}
	}
}

func TestAccountShowsWhoIAm(t *testing.T) {
	for _, tt := range []struct {
		who  string
		says []string
	}{
		{"kim", []string{"김민수", "미르넷 매니지드서비스", "서비스 제공사", "대응 담당자"}},
		{"park", []string{"Park Jihoon", "provider", "member"}},
		{"yoon", []string{"윤서준", "한빛클라우드", "파트너", "대응 담당자"}},
		{"garam/it-desk", []string{"가람유통 IT 운영팀", "고객사", "대응 담당자"}},
		{"nuri/it-manager", []string{"한소라", "고객사", "구성원"}},
		{"nuri/service-desk", []string{"Nuri Trading service desk", "customer", "member"}},
	} {
		p := newPlace(t)
		page := p.get("/account", p.signIn(func(t *store.Token) { t.Actor = tt.who })...).Body.String()
		for _, want := range tt.says {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q\n%s", tt.who, want, page)
			}
		}
	}
}

func TestAnExpiredTokenIsShownAsSuch(t *testing.T) {
	p := newPlace(t)
	cookie := p.signIn()
	p.token(func(t *store.Token) { t.Label, t.Expires = "yesterday’s", begin().Add(time.Minute) })
	p.clock = p.clock.Add(time.Minute)
	page := p.get("/account?lang=en", cookie...).Body.String()
	if n := strings.Count(page, ">expired<"); n != 1 {
		t.Errorf("%d tokens are shown as expired, want one\n%s", n, page)
	}
}
