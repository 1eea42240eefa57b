// Package outbound is the way out that adapters share: one guarded HTTP client, the JSON in which a delivery is shown to
// programs, and foreign text made fit to be quoted. It does not decide what is sent, and it keeps nothing.
package outbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"muster/internal/delivery"
)

const (
	maxReply     = 64 << 10 // bytes read of a reply, and bytes allowed in its header
	maxRedirects = 3
)

// Client posts to other systems. The zero value works and reaches the public internet only. It is made for concurrent
// use; its fields must not change after the first Post.
//
// URLs may be secret, so nothing that a Client returns shows more of one than its scheme and host.
type Client struct {
	Guard   Guard
	Timeout time.Duration // of one Post, from dialling to the end of the reply; 15 s when zero
	Single  bool          // who receives cannot tell a repeat: what may have arrived is not sent again in the same Post

	once sync.Once
	http *retryablehttp.Client
}

// Request is what Post sends.
type Request struct {
	URL    string            // http or https; may be secret
	Key    string            // idempotency key, fit for a header: what makes sending r again safe
	Header map[string]string // beside those that every request has
	Body   []byte            // JSON
	Secret string            // in the header; an answer that repeats it is not quoted
}

// Reply is what a receiver said when it took a request.
type Reply struct {
	Body []byte // its first 64 KiB
	Cut  error  // why the rest did not arrive, nil when nothing broke
}

// Post sends r once, and once more when the connection broke before there was an answer: the request carries its
// idempotency key, so a receiver can tell, unless the client is for those that cannot. Long waits are the caller's. The error is a *delivery.Refusal (final), a *delivery.Unavailable
// (try again later), or wraps context.Canceled when ctx was cancelled.
func (c *Client) Post(ctx context.Context, r Request) (Reply, error) {
	target, err := url.Parse(r.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return Reply{}, &delivery.Refusal{Detail: "the address is not a URL that begins with https:// or http://"}
	}
	if c == nil {
		return Reply{}, &delivery.Refusal{Detail: origin(target) + ": no HTTP client is configured"}
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, 15*time.Second))
	defer cancel()
	req, err := retryablehttp.NewRequestWithContext(limited, http.MethodPost, r.URL, r.Body)
	if err != nil { // the error would show the URL
		return Reply{}, &delivery.Refusal{Detail: origin(target) + ": no request can be made for this address"}
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "muster")
	if !c.Single { // net/http too sends again what has one
		req.Header.Set("Idempotency-Key", r.Key)
	}

	c.once.Do(c.build)
	resp, err := c.http.Do(req)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return Reply{}, fmt.Errorf("post to %s: %w", origin(target), ctx.Err())
		}
		return Reply{}, failed(target, err)
	}
	defer resp.Body.Close()
	var reply Reply
	reply.Body, reply.Cut = io.ReadAll(io.LimitReader(resp.Body, maxReply))
	return reply, answered(target, resp, reply.Body, r.Secret)
}

// build makes the HTTP client.
func (c *Client) build() {
	c.http = &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: spanned{c.Guard.transport()}, CheckRedirect: checkRedirect},
		Logger:       nil, // it would log URLs
		RetryMax:     1,
		CheckRetry:   c.checkRetry,
		Backoff:      func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 200 * time.Millisecond },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// transport dials only what the guard permits. HTTP/1.1 only: a connection whose request timed out is closed, so a dead one
// is never used again, and one request gains nothing from HTTP/2.
func (g Guard) transport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: g.Control}
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, behind the guard's back
		DialContext:            dialer.DialContext,
		Protocols:              protocols,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: maxReply,
		DisableCompression:     true, // what is read is what was sent
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           100,
		IdleConnTimeout:        time.Minute,
	}
}

// checkRedirect follows a redirect only where the same message goes to the same place: a 301, 302 or 303 would turn the
// POST into a GET that succeeds without a message.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.Method != first.Method || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host ||
		len(via) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// checkRetry repeats what broke before there was an answer. An answer, whatever it says, goes back to the caller, who
// waits without holding a worker.
func (c *Client) checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	return err != nil && ctx.Err() == nil && !c.Single, nil
}

// origin is all of a URL that may be shown.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
