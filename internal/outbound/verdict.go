package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"muster/internal/delivery"
)

// maxWait caps what a receiver may ask for by Retry-After: a longer wait would lose a page in a receiver's mistake.
const maxWait = time.Hour

// answered turns a response into nil, a *delivery.Refusal or a *delivery.Unavailable.
func answered(target *url.URL, resp *http.Response, body []byte, secret string) error {
	if secret != "" && strings.Contains(string(body), secret) {
		return verdict(target, resp, "")
	}
	return verdict(target, resp, quoted(target, resp, body))
}

// answer is a response in a few words.
func answer(target *url.URL, resp *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%s: %d %s", origin(target), resp.StatusCode, http.StatusText(resp.StatusCode)))
}

// verdict is what a response means, with what was said in it.
func verdict(target *url.URL, resp *http.Response, said string) error {
	code, detail := resp.StatusCode, answer(target, resp)
	switch {
	case code >= 200 && code <= 299:
		return nil
	case code >= 300 && code <= 399:
		return &delivery.Refusal{Detail: detail + redirected(resp)}
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooManyRequests:
		after := RetryAfter(resp.Header.Get("Retry-After"), time.Now())
		return &delivery.Unavailable{Detail: detail + said, After: after}
	default:
		return &delivery.Refusal{Detail: detail + said}
	}
}

// redirected says where a redirect that is not followed leads, and what to do about it.
func redirected(resp *http.Response) string {
	to, err := resp.Location()
	switch {
	case err != nil:
		return ""
	case to.Scheme == resp.Request.URL.Scheme && to.Host == resp.Request.URL.Host:
		return ": a redirect that is not followed: use the address it leads to"
	default:
		return ": redirects to " + Line(origin(to), 200) + ", which is not followed: use that address if it is right"
	}
}

// failed turns an error of the HTTP client into a *delivery.Refusal or a *delivery.Unavailable. The error's own text
// stays here: it shows the URL, and sometimes where a redirect led.
func failed(target *url.URL, err error) error {
	detail := origin(target) + ": " + cause(err)
	if final(err) {
		return &delivery.Refusal{Detail: detail}
	}
	return &delivery.Unavailable{Detail: detail}
}

// final tells whether the guard refused to connect.
func final(err error) bool {
	_, ok := errors.AsType[*denied](err)
	return ok
}

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// cause names what broke, in words that cannot contain a URL.
func cause(err error) string {
	if d, ok := errors.AsType[*denied](err); ok {
		return d.Error()
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return "no such host"
	} else if ok {
		return "the host name could not be looked up"
	}
	if timedOut(err) {
		return "no answer in time"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if c, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Line(c.Error(), 200)
	}
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "speaks http, not https"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	}
	return "the connection broke, or the answer was not HTTP"
}

// quoted is the beginning of what a receiver said about its status, for people: only plain text and JSON, and only when
// no part of the URL is in it, because many servers repeat the path that they do not know. A URL with a password is
// never quoted about: a server may repeat it encoded.
func quoted(target *url.URL, resp *http.Response, body []byte) string {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind != "text/plain" && kind != "application/json" && kind != "application/problem+json" {
		return ""
	}
	said := Line(string(body), 200)
	if said == "" || mentions(string(body), target) || mentions(string(body), resp.Request.URL) {
		return ""
	}
	return ": " + strconv.Quote(said)
}

// mentions tells whether text repeats a part of u that may be secret. Parts of one or two letters hide nothing.
func mentions(text string, u *url.URL) bool {
	query, _ := url.QueryUnescape(u.RawQuery)
	parts := strings.ToLower(u.EscapedPath() + "/" + u.Path + "/" + u.RawQuery + "/" + query)
	text = strings.ToLower(text)
	for part := range strings.FieldsFuncSeq(parts, func(r rune) bool { return strings.ContainsRune("/?&=:@#;,", r) }) {
		if len(part) > 2 && strings.Contains(text, part) {
			return true
		}
	}
	return u.User != nil
}

// RetryAfter reads a Retry-After header, which holds seconds or an HTTP date: how long to wait from now, at most an
// hour, and zero for a header that is absent, past or not understood.
func RetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxWait/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxWait)
}
