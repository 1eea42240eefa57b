package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// Unanswered is why a request that was sent once has no answer.
type Unanswered struct {
	Detail  string // shows no more of the URL than its scheme and host
	Sent    bool   // the receiver may have got it
	Refused bool   // its machine says that nothing listens there
	Denied  bool   // the guard has not let it out
}

// Error returns the detail.
func (u *Unanswered) Error() string { return u.Detail }

// Once sends a request that is no delivery once, on a connection of its own, and follows no redirect. Whatever answers, it is
// the caller who judges the answer and closes its body. The error is a *Unanswered.
func (g Guard) Once(req *http.Request) (*http.Response, error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }}
	t := g.transport()
	t.DisableKeepAlives = true // nor does a request go out again because an idle connection was dead
	resp, err := spanned{t}.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, &Unanswered{
			Detail: origin(req.URL) + ": " + cause(err), Sent: sent.Load(), Refused: errors.Is(err, syscall.ECONNREFUSED),
			Denied: final(err),
		}
	}
	return resp, nil
}

// Fetch gets what a URL has, of at most so many bytes. It follows no redirect, and its error shows no more of the URL than its
// scheme and host.
func (g Guard) Fetch(ctx context.Context, address string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || req.URL.Host == "" {
		return nil, errors.New("fetch: the address is not a URL")
	}
	resp, err := g.Once(req)
	if err != nil {
		return nil, fmt.Errorf("fetch %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: %s", origin(req.URL), resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %s", origin(req.URL), cause(err))
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("fetch %s: want at most %d bytes", origin(req.URL), most)
	}
	return body, nil
}
