package oidc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	openid "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A site is the provider as discovery has found it.
type site struct {
	client      oauth2.Config
	keys        openid.KeySet
	algorithms  []string // asymmetric ones only
	tellsIssuer bool     // every answer of the provider names it: RFC 9207
}

// document is what is read of a discovery document.
type document struct {
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	KeysURL     string   `json:"jwks_uri"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	Methods     []string `json:"token_endpoint_auth_methods_supported"`
	Scopes      []string `json:"scopes_supported"`
	TellsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
}

// discover returns the site. One caller at a time asks for it; the others wait, each as long as its context lets it.
func (p *Provider) discover(ctx context.Context) (*site, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, &UnavailableError{p.cfg.Issuer, ctx.Err()}
	}
	if p.found == nil {
		found, err := p.ask(ctx)
		if err != nil {
			return nil, err
		}
		p.found = found
	}
	return p.found, nil
}

// ask fetches the discovery document and checks it.
func (p *Provider) ask(ctx context.Context) (*site, error) {
	ctx = openid.ClientContext(ctx, p.client)
	provider, err := openid.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, explain(err, Setup, "the provider's discovery document cannot be used")
	}
	var d document
	if err := provider.Claims(&d); err != nil {
		return nil, explain(err, Setup, "the provider's discovery document cannot be used")
	}
	for _, endpoint := range []string{d.AuthURL, d.TokenURL, d.KeysURL} {
		if err := p.checkEndpoint(endpoint); err != nil {
			return nil, refuse(Setup, "the provider's discovery document has the endpoint %q: %v", line(endpoint), err)
		}
	}
	algorithms := asymmetric(d.Algorithms)
	if len(algorithms) == 0 {
		return nil, refuse(Setup, "the provider signs ID tokens with no asymmetric algorithm, such as RS256")
	}
	style, err := p.style(d.Methods)
	if err != nil {
		return nil, err
	}
	return &site{
		client: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, RedirectURL: p.cfg.RedirectURL, Scopes: p.scopes(d.Scopes),
			Endpoint: oauth2.Endpoint{AuthURL: d.AuthURL, TokenURL: d.TokenURL, AuthStyle: style},
		},
		keys:        openid.NewRemoteKeySet(ctx, d.KeysURL),
		algorithms:  algorithms,
		tellsIssuer: d.TellsIssuer,
	}, nil
}

// checkEndpoint asks of an endpoint what is asked of the issuer, and that it is not less safe.
func (p *Provider) checkEndpoint(endpoint string) error {
	u, err := address(endpoint)
	if err == nil && u.Scheme == "http" && strings.HasPrefix(strings.ToLower(p.cfg.Issuer), "https:") {
		err = errors.New("want https, as the issuer has")
	}
	return err
}

// asymmetric lists the algorithms that an ID token may be signed with, as far as the provider uses them. With any other, who
// can read a token or the provider's public keys could make one.
func asymmetric(offered []string) []string {
	return slices.DeleteFunc(slices.Clone(offered), func(name string) bool {
		return !slices.Contains([]string{
			openid.RS256, openid.RS384, openid.RS512, openid.ES256, openid.ES384, openid.ES512,
			openid.PS256, openid.PS384, openid.PS512, openid.EdDSA,
		}, name)
	})
}

// style is how the token endpoint is told who asks. It is never tried out: a code that came with a wrong try is used up.
func (p *Provider) style(methods []string) (oauth2.AuthStyle, error) {
	switch {
	case p.cfg.ClientSecret == "":
		return oauth2.AuthStyleInParams, nil
	case len(methods) == 0, slices.Contains(methods, "client_secret_basic"): // none named means this one
		return oauth2.AuthStyleInHeader, nil
	case slices.Contains(methods, "client_secret_post"):
		return oauth2.AuthStyleInParams, nil
	}
	return 0, refuse(Setup, "the provider takes no client secret: want client_secret_basic or client_secret_post among its methods")
}

// scopes is what is asked for. Some providers tell groups only when a scope of that name is asked for, and say that they
// have it; others refuse a scope that they do not know.
func (p *Provider) scopes(known []string) []string {
	scopes := []string{openid.ScopeOpenID, openid.ScopeProfile, openid.ScopeEmail}
	if p.cfg.GroupsClaim != "" && slices.Contains(known, p.cfg.GroupsClaim) && !slices.Contains(scopes, p.cfg.GroupsClaim) {
		scopes = append(scopes, p.cfg.GroupsClaim)
	}
	return scopes
}

// watched remembers what the key set ran into, of which the verifier passes on no more than the text.
type watched struct {
	keys openid.KeySet
	err  error
}

// VerifySignature asks the key set.
func (w *watched) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := w.keys.VerifySignature(ctx, jwt)
	w.err = err
	return payload, err
}

const maxAnswer = 1 << 20 // bytes of an answer's body

// bounded is the way to the provider: it takes answers that are whole, in time, not too long, and from who was asked. It
// follows no redirect, for a redirect could lead a secret away.
type bounded struct{ next http.RoundTripper }

// RoundTrip returns an answer with its whole body in memory. Its errors are of this package.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	resp, err := b.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, &UnavailableError{req.URL.Host, err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, &UnavailableError{req.URL.Host, err}
	}
	if err := judge(req, resp.StatusCode, len(body)); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// judge returns why an answer is not taken. What a token endpoint refuses with 4xx is for its reader.
func judge(req *http.Request, status, size int) error {
	switch {
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return &UnavailableError{req.URL.Host, fmt.Errorf("it answers %d", status)}
	case size > maxAnswer:
		return refuse(Setup, "%s answers with more than %d bytes", req.URL.Host, maxAnswer)
	case status >= 300 && status < 400:
		return refuse(Setup, "%s answers with a redirect, which is not followed", req.URL.Host)
	case req.Method == http.MethodGet && status != http.StatusOK:
		return refuse(Setup, "%s%s answers %d", req.URL.Host, req.URL.Path, status)
	}
	return nil
}
