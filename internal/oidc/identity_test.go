package oidc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"muster/internal/oidc"
)

func names(n int) []string {
	groups := make([]string, n)
	for i := range groups {
		groups[i] = fmt.Sprint("group-", i)
	}
	return groups
}

func TestWhoSomebodyIs(t *testing.T) {
	for name, tc := range map[string]struct {
		login, groups string // names of claims
		claims        object // beside sub
		want          oidc.Identity
	}{
		"no more than a login": {
			"upn", "", object{"upn": "park"}, oidc.Identity{Login: "park"},
		},
		"the account itself as the login": {
			"sub", "", object{}, oidc.Identity{Login: "a-1"},
		},
		"groups as a list": {
			"upn", "roles", object{"upn": "park", "roles": []string{"b", "a"}}, oidc.Identity{Login: "park", Groups: []string{"b", "a"}},
		},
		"one group as a text": {
			"upn", "roles", object{"upn": "park", "roles": "a"}, oidc.Identity{Login: "park", Groups: []string{"a"}},
		},
		"no group": {
			"upn", "roles", object{"upn": "park", "roles": []string{}}, oidc.Identity{Login: "park", Groups: []string{}},
		},
		"no claim of groups": {
			"upn", "roles", object{"upn": "park"}, oidc.Identity{Login: "park"},
		},
		"an empty claim of groups": {
			"upn", "roles", object{"upn": "park", "roles": nil}, oidc.Identity{Login: "park"},
		},
		"groups that nobody asks for": {
			"upn", "", object{"upn": "park", "groups": 7, "_claim_names": object{"groups": "src1"}}, oidc.Identity{Login: "park"},
		},
		"others than the groups elsewhere": {
			"upn", "roles", object{"upn": "park", "_claim_names": object{"groups": "src1"}}, oidc.Identity{Login: "park"},
		},
		"as many groups as are taken": {
			"upn", "roles", object{"upn": "park", "roles": names(200)}, oidc.Identity{Login: "park", Groups: names(200)},
		},
		"a group as long as is taken": {
			"upn", "roles",
			object{"upn": "park", "roles": strings.Repeat("g", 200)},
			oidc.Identity{Login: "park", Groups: []string{strings.Repeat("g", 200)}},
		},
		"a verified address as the login": {
			"email", "",
			object{"email": "p@example.com", "email_verified": true},
			oidc.Identity{Login: "p@example.com", Email: "p@example.com"},
		},
		"an address that is verified in words": {
			"email", "",
			object{"email": "p@example.com", "email_verified": "true"},
			oidc.Identity{Login: "p@example.com", Email: "p@example.com"},
		},
		"an address beside the login, of which nothing is said": {
			"upn", "", object{"upn": "park", "email": "p@example.com"}, oidc.Identity{Login: "park", Email: "p@example.com"},
		},
		"an address beside the login that is not verified": {
			"upn", "", object{"upn": "park", "email": "p@example.com", "email_verified": false}, oidc.Identity{Login: "park"},
		},
		"an address under another name, of which nothing is said": {
			"upn", "",
			object{"upn": "p@example.com", "email": "p@example.com"},
			oidc.Identity{Login: "p@example.com", Email: "p@example.com"},
		},
		"a name that is no line": {
			"upn", "",
			object{"upn": "park", "name": " Park\u202e \n Seo-jun " + strings.Repeat("한", 300)},
			oidc.Identity{Login: "park", Name: "Park Seo-jun " + strings.Repeat("한", 186) + "…"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.claims["sub"], tc.want.Subject = "a-1", "a-1"
			got, err := oidc.Config{LoginClaim: tc.login, GroupsClaim: tc.groups}.Identify(payload(t, tc.claims))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func payload(t *testing.T, claims object) []byte {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestClaimsThatAreRefused(t *testing.T) {
	const verified, fit, group = "is verified", "at most 255 bytes, all printable", "empty, longer than 200 bytes or not printable"
	for name, tc := range map[string]struct {
		login  string
		claims object // changes to those that are right
		reason oidc.Reason
		text   string
	}{
		"no login":                      {"upn", object{"upn": nil}, oidc.Incomplete, `no claim "upn", which names the login`},
		"an empty login":                {"upn", object{"upn": ""}, oidc.Incomplete, `no claim "upn"`},
		"a login of digits":             {"upn", object{"upn": 17}, oidc.Incomplete, `"upn" of the provider's ID token is not a text`},
		"a long login":                  {"upn", object{"upn": strings.Repeat("p", 256)}, oidc.Incomplete, `"upn": want ` + fit},
		"a hidden character":            {"upn", object{"upn": "pa\u200brk"}, oidc.Incomplete, `"upn": want ` + fit},
		"a space at the end":            {"upn", object{"upn": "park "}, oidc.Incomplete, `"upn": want ` + fit},
		"no account":                    {"upn", object{"sub": nil}, oidc.Incomplete, `no claim "sub", which names the account`},
		"a long account":                {"upn", object{"sub": strings.Repeat("p", 256)}, oidc.Incomplete, `"sub": want ` + fit},
		"a long address":                {"upn", object{"email": strings.Repeat("p", 256)}, oidc.Incomplete, `"email": want ` + fit},
		"a name that is none":           {"upn", object{"name": object{}}, oidc.Incomplete, `"name" of the provider's ID token is not a text`},
		"no address":                    {"email", object{"email": nil}, oidc.Incomplete, `no claim "email", which names the login`},
		"nothing said of it":            {"email", object{"email_verified": nil}, oidc.Unverified, verified},
		"not verified":                  {"email", object{"email_verified": false}, oidc.Unverified, "p@example.com " + verified},
		"not verified, spelt":           {"email", object{"email_verified": "false"}, oidc.Unverified, verified},
		"an address under another name": {"upn", object{"upn": "P@example.com", "email_verified": false}, oidc.Unverified, verified},
		"perhaps verified":              {"email", object{"email_verified": 1}, oidc.Unverified, verified},
		"groups of digits":              {"upn", object{"groups": 7}, oidc.Incomplete, `"groups" of the provider's ID token is no list of texts`},
		"a group of digits":             {"upn", object{"groups": []any{"a", 7}}, oidc.Incomplete, "no list of texts"},
		"a group of no name":            {"upn", object{"groups": []any{"a", ""}}, oidc.Incomplete, group},
		"a long group":                  {"upn", object{"groups": []any{strings.Repeat("g", 201)}}, oidc.Incomplete, group},
		"a group of two lines":          {"upn", object{"groups": "a\nb"}, oidc.Incomplete, group},
		"too many groups":               {"upn", object{"groups": names(201)}, oidc.Overage, "in 201 groups: at most 200"},
		"groups elsewhere":              {"upn", object{"_claim_names": object{"groups": "src1"}}, oidc.Overage, "more groups than the provider tells"},
		"elsewhere is nowhere":          {"upn", object{"_claim_names": "groups"}, oidc.Incomplete, "_claim_names"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := object{"sub": "a-1", "upn": "park", "email": "p@example.com", "email_verified": true}
			for claim, value := range tc.claims {
				claims[claim] = value
			}
			_, err := oidc.Config{LoginClaim: tc.login, GroupsClaim: "groups"}.Identify(payload(t, claims))
			wantRefused(t, err, tc.reason, tc.text)
		})
	}
}

// TestRefusedClaimsReachTheCaller goes the whole way with some of them.
func TestRefusedClaimsReachTheCaller(t *testing.T) {
	for name, tc := range map[string]struct {
		login  string
		change func(object)
		reason oidc.Reason
	}{
		"no login":        {"preferred_username", func(c object) { delete(c, "preferred_username") }, oidc.Incomplete},
		"not verified":    {"email", func(c object) { c["email_verified"] = false }, oidc.Unverified},
		"nothing said":    {"email", func(c object) { delete(c, "email_verified") }, oidc.Unverified},
		"too many groups": {"preferred_username", func(c object) { c["groups"] = names(201) }, oidc.Overage},
		"groups elsewhere": {"preferred_username", func(c object) {
			delete(c, "groups")
			c["_claim_names"] = object{"groups": "src1"}
			c["_claim_sources"] = object{"src1": object{"endpoint": "https://graph.example/groups"}}
		}, oidc.Overage},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.claims = tc.change
			cfg := i.client()
			cfg.LoginClaim = tc.login
			_, err := signIn(t, open(t, cfg))
			wantRefused(t, err, tc.reason, "")
		})
	}
}

func FuzzIdentity(f *testing.F) {
	for _, text := range []string{
		`{"sub":"a","upn":"park","name":"Park","email":"p@example.com","email_verified":"true","groups":["a","b"]}`,
		`{"sub":"a","upn":"park","groups":"a"}`, `{"sub":"a","upn":"park","_claim_names":{"groups":"src1"}}`,
		`{"sub":"a"}`, `{"sub":"\u202e","upn":"\ud800"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if !json.Valid(payload) || bytes.TrimSpace(payload)[0] != '{' { // the verifier has refused it
			return
		}
		who, err := oidc.Config{LoginClaim: "upn", GroupsClaim: "groups"}.Identify(payload)
		if err != nil {
			refused, ok := errors.AsType[*oidc.RefusedError](err)
			if !ok || refused.Text == "" || len(refused.Text) > 1_000 {
				t.Fatalf("got %v, want a refusal that is told shortly", err)
			}
			return
		}
		texts := slices.Concat(who.Groups, []string{who.Subject, who.Login, who.Email})
		for _, text := range texts {
			if len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("got %q in %+v, want a short printable text", text, who)
			}
		}
		if who.Login == "" || who.Subject == "" || len(who.Groups) > 200 || len([]rune(who.Name)) > 200 {
			t.Fatalf("got %+v, want a login, an account, at most 200 groups and a name of 200 characters", who)
		}
	})
}
