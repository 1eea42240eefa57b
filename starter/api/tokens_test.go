package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/authority"
	"muster/internal/keyring"
	"muster/internal/review"
	"muster/internal/store"
	"muster/starter/api"
)

// made reads the token that an answer holds.
func (p *place) made(t *testing.T, as, body string) api.Token {
	t.Helper()
	w := p.ask("POST", "/api/v1/tokens", body, "Authorization", as)
	var made api.Token
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: got %d %s", body, w.Code, w.Body)
	}
	return made
}

func TestATokenLetsItsActorIn(t *testing.T) {
	p := newPlace(t)
	admin := p.as(t, "choi")
	for body, want := range map[string]api.Me{
		`{"label":"laptop"}`:      {ID: "choi", Name: "최은영", Kind: "person", Party: "mirnet", Of: "provider", Roles: []authority.Role{"administrator"}},
		`{"actor":"kim"}`:         {ID: "kim", Name: "김민수", Kind: "person", Party: "mirnet", Of: "provider", Roles: []authority.Role{"responder"}},
		`{"actor":"acme/desk"}`:   {ID: "acme/desk", Name: "Acme desk", Kind: "person", Party: "acme", Of: "customer", Roles: []authority.Role{"member"}},
		`{"scopes":"read, note"}`: {ID: "choi", Name: "최은영", Kind: "person", Party: "mirnet", Of: "provider", Roles: []authority.Role{"administrator"}, Scopes: []authority.Verb{"read", "note"}},
		`{"actor":"bot","kind":"machine","name":"Deploys","roles":"member,auditor"}`: {ID: "bot", Name: "Deploys", Kind: "source", Of: "provider", Roles: []authority.Role{"member", "auditor"}},
	} {
		made := p.made(t, admin, body)
		w := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer "+made.Secret)
		want.Language, want.Zone = "ko", "Asia/Seoul"
		var got api.Me
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %d %s, want %+v", body, w.Code, w.Body, want)
		}
		if made.CreatedBy != "choi" || !made.Created.Equal(instant()) {
			t.Errorf("%s: got %+v", body, made)
		}
	}
}

// Commands without a language of their own take what the server says of whoever asks.
func TestEveryAnswerSaysTheLanguageOfWhoeverAsks(t *testing.T) {
	p := newPlace(t)
	for who, want := range map[string]string{"kim": "ko", "yoon": "en"} {
		w := p.ask("GET", at+"/timeline", "", "Authorization", p.as(t, who))
		var got api.Timeline
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Language != want || w.Header().Get("Muster-Language") != want {
			t.Errorf("%s: timeline in %q, header %q, want %s; %v", who, got.Language, w.Header().Get("Muster-Language"), want, err)
		}
	}
}

func TestABadTokenIsNotMade(t *testing.T) {
	p := newPlace(t)
	for _, tc := range []struct{ body, field, detail string }{
		{`{"kind":"robot"}`, "kind", `"robot"; want person or machine`},
		{`{"kind":"machine","roles":"member"}`, "actor", "missing; want the id of the machine"},
		{`{"actor":"bot","kind":"machine"}`, "roles", "missing; want what the machine may: some of administrator, responder, auditor or member"},
		{`{"actor":"bot","kind":"machine","roles":"king"}`, "roles", `"king"; want some of administrator, responder, auditor or member`},
		{`{"actor":"kim","roles":"administrator"}`, "roles", "given; the roles of a person stand in the organisation folder"},
		{`{"actor":"kim","name":"King"}`, "name", "given; the name of a person stands in the organisation folder"},
		{`{"actor":"nobody"}`, "actor", `"nobody"; want the id of a person in the organisation folder`},
		{`{"actor":"kim","kind":"machine","roles":"member"}`, "actor", `"kim"; want an id of the machine's own: a person has this one`},
		{`{"scopes":"everything"}`, "scopes", `"everything"; want some of read, `},
		{`{"expires":"tomorrow"}`, "expires", `"tomorrow"; want an instant such as`},
		{`{"expires":"2026-11-22T05:05:09Z"}`, "expires", ""}, // now
		{`{"label":"` + strings.Repeat("가", 101) + `"}`, "label", ""},
		{`{"token":"muster_x"}`, "token", "unknown; want actor, kind"},
	} {
		w := p.ask("POST", "/api/v1/tokens", tc.body, "Authorization", p.as(t, "choi"))
		if got := problemOf(t, w); w.Code != 422 || got.Field != tc.field || !strings.Contains(got.Detail, tc.detail) {
			t.Errorf("%s: got %d %q %q, want %q %q", tc.body, w.Code, got.Field, got.Detail, tc.field, tc.detail)
		}
	}
}

// Nobody gives what he has not.
func TestANarrowTokenMakesNoWiderOne(t *testing.T) {
	p := newPlace(t)
	narrow := "Bearer " + p.token(t, store.Token{Actor: "park", Scopes: []string{"manage-own-tokens", "note"}})
	for body, status := range map[string]int{
		`{}`: 422, `{"scopes":"read"}`: 422, `{"scopes":"note,read"}`: 422, `{"scopes":"note"}`: 200, `{"scopes":"note,manage-own-tokens"}`: 200,
	} {
		if w := p.ask("POST", "/api/v1/tokens", body, "Authorization", narrow); w.Code != status {
			t.Errorf("%s: got %d %s, want %d", body, w.Code, w.Body, status)
		}
	}
}

func TestATokenThatIsNotGoodAnyMore(t *testing.T) {
	p := newPlace(t)
	expiring := p.token(t, store.Token{Actor: "kim", Expires: instant().Add(time.Hour)})
	revoked := p.token(t, store.Token{Actor: "kim"})
	gone := p.token(t, store.Token{Actor: "lee"})                                    // nobody of this name is in the folder
	if _, err := p.store.RevokeToken(t.Context(), p.tokenID(t, "kim")); err != nil { // the newer one
		t.Fatal(err)
	}
	for secret, want := range map[string]string{
		revoked:                             "the token was revoked: want a new one",
		gone:                                "the person of the token is not in the organisation folder any more",
		"muster_" + strings.Repeat("0", 49): "want Bearer and a token that the server knows",
	} {
		w := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer "+secret)
		if got := problemOf(t, w); w.Code != 401 || got.Detail != want {
			t.Errorf("got %d %q, want %q", w.Code, got.Detail, want)
		}
	}
	if w := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer "+expiring); w.Code != 200 {
		t.Errorf("one that expires in an hour: got %d %s", w.Code, w.Body)
	}
	if p.guesses != 3 || p.noted(t, store.AttemptToken) != 3 {
		t.Errorf("%d guesses, %d noted; want 3", p.guesses, p.noted(t, store.AttemptToken))
	}
}

func TestWhoGoesOnGuessingIsShutOut(t *testing.T) {
	p := newPlace(t)
	p.wait = 90 * time.Second
	w := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer muster_guess")
	if problemOf(t, w); w.Code != 429 || w.Header().Get("Retry-After") != "90" {
		t.Errorf("got %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := p.ask("GET", "/api/v1/me", ""); w.Code != 200 {
		t.Errorf("a good token from the same address: got %d", w.Code)
	}
}

func TestATokenHasItsRate(t *testing.T) {
	p := newPlace(t)
	codes := map[int]int{}
	var last *string
	for range 210 {
		w := p.ask("GET", "/api/v1/me", "")
		codes[w.Code]++
		after := w.Header().Get("Retry-After")
		last = &after
	}
	if codes[200] != 200 || codes[429] != 10 || *last != "1" {
		t.Errorf("got %v, Retry-After %q; want 200 and then to wait", codes, *last)
	}
	if w := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer "+p.machine); w.Code != 200 {
		t.Errorf("another token: got %d", w.Code)
	}
	if p.noted(t, store.AttemptRate) != 10 {
		t.Errorf("%d are noted", p.noted(t, store.AttemptRate))
	}
}

func TestRevokingATokenEndsTheSessionsOfItsPerson(t *testing.T) {
	p := newPlace(t)
	as := p.as(t, "kim")
	session, err := p.store.CreateSession(t.Context(), store.Session{Person: "kim", Via: "token:tok_1", Expires: instant().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if w := p.ask("DELETE", "/api/v1/tokens/"+p.tokenID(t, "kim"), "", "Authorization", as); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if _, err := p.store.Session(t.Context(), session); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("the session goes on: %v", err)
	}
}

func TestTokensAreListedToWhoMayManageThem(t *testing.T) {
	p := newPlace(t)
	list := func(who string) (actors []string) {
		w := p.ask("GET", "/api/v1/tokens", "", "Authorization", p.as(t, who))
		var tokens api.Tokens
		if err := json.Unmarshal(w.Body.Bytes(), &tokens); err != nil || w.Code != 200 {
			t.Fatalf("%s: got %d %s", who, w.Code, w.Body)
		}
		for _, k := range tokens.Tokens {
			actors = append(actors, k.Actor)
			if k.Secret != "" {
				t.Errorf("%s shows its secret", k.ID)
			}
		}
		slices.Sort(actors)
		return actors
	}
	if got := list("acme/desk"); !slices.Equal(got, []string{"acme/desk"}) {
		t.Errorf("a customer sees the tokens of %v", got)
	}
	if got := list("choi"); !slices.Equal(got, []string{"acme/desk", "choi", "deploy-bot", "park"}) {
		t.Errorf("an administrator sees the tokens of %v", got)
	}
}

func TestTheAdministratorOfADataFolder(t *testing.T) {
	p := newPlace(t)
	file := filepath.Join(t.TempDir(), api.AdminTokenFile)
	for range 2 {
		if err := api.EnsureAdmin(t.Context(), p.store, file, 0); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := os.Stat(file); err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", state.Mode(), err)
	}
	as := "Bearer " + strings.TrimSpace(string(secret))
	if w := p.ask("GET", "/api/v1/keys", "", "Authorization", as); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	made := p.made(t, as, `{"label":"elsewhere"}`)
	if w := p.ask("GET", "/api/v1/keys", "", "Authorization", "Bearer "+made.Secret); w.Code != 200 {
		t.Errorf("a token that it has made for itself: got %d %s", w.Code, w.Body)
	}
	if _, err := p.store.RevokeToken(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	admins := func() (n int) {
		all, err := p.store.Tokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			if k.Actor == "admin" {
				n++
			}
		}
		return n
	}
	if n := admins(); n != 2 {
		t.Errorf("%d tokens of the administrator, want that of the file and the one made by it", n)
	}
	all, err := p.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Actor == "admin" {
			if _, err := p.store.RevokeToken(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := api.EnsureAdmin(t.Context(), p.store, file, 0); err != nil || admins() != 3 {
		t.Errorf("revoked: %v, %d tokens; want a new one", err, admins())
	}
	// In a store that outlives the folder it is renewed in time.
	short := filepath.Join(t.TempDir(), "admin.token")
	for _, tt := range []struct {
		lasts time.Duration
		want  int
	}{{time.Hour, 4}, {time.Hour, 4}, {3 * time.Hour, 5}} {
		if err := api.EnsureAdmin(t.Context(), p.store, short, tt.lasts); err != nil || admins() != tt.want {
			t.Errorf("for %s: %v, %d tokens, want %d", tt.lasts, err, admins(), tt.want)
		}
	}
	if err := api.EnsureAdmin(t.Context(), p.store, filepath.Join(t.TempDir(), "missing", "x"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

func TestKeysRotateThroughTheAPI(t *testing.T) {
	p := newPlace(t)
	as := p.as(t, "choi")
	keys := func() []api.Key {
		w := p.ask("GET", "/api/v1/keys", "", "Authorization", as)
		var list api.KeyList
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || strings.Contains(w.Body.String(), "private") {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		return list.Keys
	}
	first := keys()[0]
	var made api.Key
	if err := json.Unmarshal(p.ask("POST", "/api/v1/keys", "", "Authorization", as).Body.Bytes(), &made); err != nil || !made.From.Equal(instant().Add(keyring.Lead)) {
		t.Errorf("got %+v, %v", made, err)
	}
	w := p.ask("DELETE", "/api/v1/keys/"+first.ID, "", "Authorization", as)
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "no other key signs yet") {
		t.Errorf("revoke the only key that signs: got %d %q", w.Code, got.Detail)
	}
	if all := keys(); len(all) != 2 || all[1].ID != made.ID {
		t.Errorf("got %+v", all)
	}
	if w := p.ask("DELETE", "/api/v1/keys/"+made.ID, "", "Authorization", as); w.Code != 200 || keys()[1].Revoked.IsZero() {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAttemptsAreReadPageByPage(t *testing.T) {
	p := newPlace(t)
	for n := range 3 {
		p.ask("GET", fmt.Sprintf("/api/v1/%d", n), "", "Authorization", "Bearer muster_secret")
	}
	as := p.as(t, "yoon")
	var first, second api.Attempts
	for path, into := range map[string]*api.Attempts{"?limit=2": &first, "?after=2&limit=2": &second} {
		if err := json.Unmarshal(p.ask("GET", "/api/v1/attempts"+path, "", "Authorization", as).Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	if len(first.Attempts) != 2 || first.Next != 2 || len(second.Attempts) != 1 || second.Next != 0 {
		t.Errorf("got %+v and %+v", first, second)
	}
	a := first.Attempts[0]
	if a.Kind != store.AttemptToken || a.Subject != "/api/v1/0" || a.Remote != "192.0.2.1" || a.Message != "GET" || a.Detail == "" || len(a.Hash) != 64 {
		t.Errorf("got %+v", a)
	}
	if text := fmt.Sprint(first, second); strings.Contains(text, "secret") {
		t.Error("a token stands in the log")
	}
	if w := p.ask("GET", "/api/v1/attempts?after=-1", "", "Authorization", as); w.Code != 422 {
		t.Errorf("after=-1: got %d", w.Code)
	}
}

func TestAReviewTakesWordsAndAnEnd(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	if _, err := c.AskReview(t.Context(), open, review.Note{Text: "we met"}, "k1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AskReview(t.Context(), open, review.Close{Text: "done", Without: "a drill"}, ""); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Review(t.Context(), open); err != nil || r.Status != "closed" || r.ClosedBy.ID == "" || len(r.Facts.Customers) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	if last := p.calls[0]; !strings.HasPrefix(last.Request, "k1/") || last.By.ID != "park" {
		t.Errorf("got %+v", last)
	}
	err := func() error { _, err := c.AskReview(t.Context(), open, review.Note{Text: "late"}, ""); return err }()
	if refused := (api.Refusal{}); !errors.As(err, &refused) || refused.Status != 409 || !strings.Contains(refused.Detail, "it is closed") {
		t.Errorf("a note to a closed review: got %v", err)
	}
	// A customer reads when it is due, and nothing that was written for the inside.
	w := p.ask("GET", at+"/review", "", "Authorization", p.as(t, "acme/desk"))
	if w.Code != 200 || strings.Contains(w.Body.String(), "we met") || strings.Contains(w.Body.String(), "customers") {
		t.Errorf("a customer reads %d %s", w.Code, w.Body)
	}
	for body, field := range map[string]string{`{}`: "text", `{"text":" "}`: "text", `{"text":"a","by":"kim"}`: "by"} {
		if w := p.ask("POST", at+"/review/note", body); w.Code != 422 || problemOf(t, w).Field != field {
			t.Errorf("%s: got %d %s", body, w.Code, w.Body)
		}
	}
}

func TestTheClientManages(t *testing.T) {
	p := newPlace(t)
	p.person = p.token(t, store.Token{Actor: "choi"})
	c := newClient(t, p)
	if me, err := c.Me(t.Context()); err != nil || me.ID != "choi" {
		t.Errorf("me: got %+v, %v", me, err)
	}
	made, err := c.CreateToken(t.Context(), api.NewToken{Label: "ci"})
	if err != nil || made.Secret == "" {
		t.Fatalf("create: got %+v, %v", made, err)
	}
	if all, err := c.Tokens(t.Context()); err != nil || all[0].ID != made.ID || all[0].Label != "ci" {
		t.Errorf("list: got %+v, %v", all, err)
	}
	if gone, err := c.RevokeToken(t.Context(), made.ID); err != nil || gone.Revoked.IsZero() {
		t.Errorf("revoke: got %+v, %v", gone, err)
	}
	if keys, err := c.Keys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("keys: got %+v, %v", keys, err)
	}
	k, err := c.RotateKeys(t.Context())
	if err != nil || k.ID == "" {
		t.Errorf("rotate: got %+v, %v", k, err)
	}
	if k, err = c.RevokeKey(t.Context(), k.ID); err != nil || k.Revoked.IsZero() {
		t.Errorf("revoke key: got %+v, %v", k, err)
	}
	if page, err := c.Attempts(t.Context(), 0, 10); err != nil || page.Attempts == nil {
		t.Errorf("attempts: got %+v, %v", page, err)
	}
	_, err = c.RevokeToken(t.Context(), "tok_none/../x")
	if p := (api.Refusal{}); !errors.As(err, &p) || p.Status != 404 {
		t.Errorf("revoke what there is not: got %v", err)
	}
}
