package console_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"muster/internal/oidc"
)

var issuerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// An issuer is a sign-in provider at which everybody is signed in already. Its fields are set between requests.
type issuer struct {
	*httptest.Server
	t      testing.TB
	login  string
	groups []string
	denies bool
	strict bool   // knows no such client
	nonce  string // of the last sign-in
	now    func() time.Time
}

func newIssuer(t testing.TB, now func() time.Time) *issuer {
	i := &issuer{t: t, login: "kim@mirnet.example", now: now}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

// provider is the client that Muster is of the issuer.
func (i *issuer) provider(back string) *oidc.Provider {
	p, err := oidc.New(oidc.Config{
		Issuer: i.URL, ClientID: "muster", LoginClaim: "preferred_username", GroupsClaim: "groups", RedirectURL: back, Now: i.now,
	})
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, err := issuerKey()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		i.reply(w, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case "/authorize":
		q := r.URL.Query()
		i.nonce = q.Get("nonce")
		back := url.Values{"state": {q.Get("state")}, "code": {"once"}}
		if i.denies {
			back = url.Values{"state": {q.Get("state")}, "error": {"access_denied"}, "error_description": {"not <b>you</b>"}}
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	case "/token":
		if i.strict {
			w.WriteHeader(http.StatusUnauthorized)
			i.reply(w, map[string]any{"error": "invalid_client"})
			return
		}
		i.reply(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token(key)})
	case "/keys":
		i.reply(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	default:
		http.NotFound(w, r)
	}
}

func (i *issuer) token(key *rsa.PrivateKey) string {
	head, err1 := json.Marshal(map[string]any{"alg": "RS256", "kid": "1"})
	claims, err2 := json.Marshal(map[string]any{
		"iss": i.URL, "sub": "17", "aud": "muster", "nonce": i.nonce, "iat": i.now().Unix(), "exp": i.now().Add(time.Hour).Unix(),
		"preferred_username": i.login, "groups": i.groups,
	})
	text := encode(head) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	sign, err3 := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			i.t.Error(err)
		}
	}
	return text + "." + encode(sign)
}

func (i *issuer) reply(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		i.t.Error(err)
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
