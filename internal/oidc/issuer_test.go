package oidc_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/internal/oidc"
)

const (
	clientID     = "muster-client"
	clientSecret = "s3cret/of the client"
	redirectURL  = "https://muster.example/sign-in/back"
)

// keyPairs are made once: making one takes longer than any test.
var keyPairs = sync.OnceValue(func() []*rsa.PrivateKey {
	pairs := make([]*rsa.PrivateKey, 2)
	for n := range pairs {
		pair, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		pairs[n] = pair
	}
	return pairs
})

// issuer is a whole OpenID Connect provider with one client. Its fields are set before the request that they are for.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	now       time.Time
	published map[string]*rsa.PrivateKey  // by key id: whose public halves are told
	sign      func(claims object) string  // makes the ID token
	claims    func(claims object)         // changes what the ID token says
	document  func(document object)       // changes the discovery document
	answer    func(query url.Values)      // changes with what the browser is sent back
	instead   map[string]http.HandlerFunc // by path: answers instead of the provider
	codes     map[string]grant
	asked     map[string]int // by path
	lastForm  url.Values     // of the token endpoint
}

type object = map[string]any

type grant struct{ challenge, nonce string }

const (
	discovery = "/tenant/.well-known/openid-configuration"
	authorize = "/tenant/authorize"
	token     = "/tenant/token"
	keys      = "/tenant/keys"
)

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{
		t: t, now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC),
		published: map[string]*rsa.PrivateKey{"first": keyPairs()[0]},
		claims:    func(object) {}, document: func(object) {}, answer: func(url.Values) {},
		instead: map[string]http.HandlerFunc{}, codes: map[string]grant{}, asked: map[string]int{},
	}
	i.sign = func(claims object) string { return signRS256("first", keyPairs()[0], claims) }
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) name() string { return i.URL + "/tenant" }

// client is a configuration that fits the issuer.
func (i *issuer) client() oidc.Config {
	return oidc.Config{
		Issuer: i.name(), ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL,
		LoginClaim: "preferred_username", GroupsClaim: "groups", Now: func() time.Time { return i.now },
	}
}

// count is how often a path was asked.
func (i *issuer) count(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

// replace has a path answered by something else than the provider, or again by the provider.
func (i *issuer) replace(path string, with http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.instead[path] = with
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	instead := i.instead[r.URL.Path]
	i.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch r.URL.Path {
	case discovery:
		i.serveDiscovery(w)
	case authorize:
		i.serveAuthorize(w, r)
	case token:
		i.serveToken(w, r)
	case keys:
		i.serveKeys(w)
	default:
		http.NotFound(w, r)
	}
}

func (i *issuer) serveDiscovery(w http.ResponseWriter) {
	document := object{
		"issuer":                                i.name(),
		"authorization_endpoint":                i.URL + authorize,
		"token_endpoint":                        i.URL + token,
		"jwks_uri":                              i.URL + keys,
		"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email"},
	}
	i.document(document)
	reply(w, http.StatusOK, document)
}

// serveAuthorize stands for the page on which somebody signs in with the provider, and agrees.
func (i *issuer) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": redirectURL, "code_challenge_method": "S256",
	} {
		if got := query.Get(name); got != want {
			i.t.Errorf("the provider was asked with %s=%q, want %q", name, got, want)
		}
	}
	code := rand.Text()
	i.codes[code] = grant{query.Get("code_challenge"), query.Get("nonce")}
	back := url.Values{"code": {code}, "state": {query.Get("state")}, "iss": {i.name()}}
	i.answer(back)
	http.Redirect(w, r, redirectURL+"?"+back.Encode(), http.StatusFound)
}

func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	i.lastForm = r.PostForm
	id, secret, basic := r.BasicAuth()
	if basic { // RFC 6749, 2.3.1: each is form-encoded first
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id != clientID || secret != clientSecret {
		reply(w, http.StatusUnauthorized, object{"error": "invalid_client"})
		return
	}
	code := r.PostForm.Get("code")
	given, ok := i.codes[code]
	delete(i.codes, code)
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case !ok:
		reply(w, http.StatusBadRequest, object{"error": "invalid_grant", "error_description": "the code was used"})
	case encode(sum[:]) != given.challenge:
		reply(w, http.StatusBadRequest, object{"error": "invalid_grant", "error_description": "the verifier does not fit"})
	case r.PostForm.Get("grant_type") != "authorization_code" || r.PostForm.Get("redirect_uri") != redirectURL:
		reply(w, http.StatusBadRequest, object{"error": "invalid_request"})
	default:
		reply(w, http.StatusOK, object{"access_token": "opaque", "token_type": "Bearer", "id_token": i.idToken(given.nonce)})
	}
}

func (i *issuer) idToken(nonce string) string {
	claims := object{
		"iss": i.name(), "sub": "account-17", "aud": clientID, "nonce": nonce,
		"iat": i.now.Unix(), "exp": i.now.Add(time.Hour).Unix(),
		"preferred_username": "park", "name": "박서준", "email": "park@example.com", "email_verified": true,
		"groups": []string{"on-call", "acme/desk"},
	}
	i.claims(claims)
	return i.sign(claims)
}

func (i *issuer) serveKeys(w http.ResponseWriter) {
	set := []object{}
	for _, id := range slices.Sorted(maps.Keys(i.published)) {
		public := i.published[id].PublicKey
		set = append(set, object{
			"kty": "RSA", "use": "sig", "kid": id,
			"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	reply(w, http.StatusOK, object{"keys": set})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// unsigned is what a signature is made over: the header and the claims of an ID token.
func unsigned(algorithm, kid string, claims object) string {
	header, err := json.Marshal(object{"alg": algorithm, "kid": kid, "typ": "JWT"})
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return encode(header) + "." + encode(payload)
}

func signRS256(kid string, key *rsa.PrivateKey, claims object) string {
	text := unsigned("RS256", kid, claims)
	sum := sha256.Sum256([]byte(text))
	return text + "." + signature(key, crypto.SHA256, sum[:])
}

func signRS384(kid string, key *rsa.PrivateKey, claims object) string {
	text := unsigned("RS384", kid, claims)
	sum := sha512.Sum384([]byte(text))
	return text + "." + signature(key, crypto.SHA384, sum[:])
}

func signature(key *rsa.PrivateKey, hash crypto.Hash, sum []byte) string {
	made, err := rsa.SignPKCS1v15(rand.Reader, key, hash, sum)
	if err != nil {
		panic(err)
	}
	return encode(made)
}

// signHS256 takes the public key for a secret: a verifier that lets the token choose its algorithm would believe it.
func signHS256(kid string, key *rsa.PublicKey, claims object) string {
	text := unsigned("HS256", kid, claims)
	mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(key))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// visit goes where a browser is sent, and returns the query with which it comes back.
func visit(t *testing.T, to string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("the provider answers %s and sends nobody back: %v", resp.Status, err)
	}
	return back.Query()
}
