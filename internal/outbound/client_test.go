package outbound_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

const secretPath = "/hooks/s3cret-path/T0001?sig=s3cret%2Bquery"

// outcome is what a caller does next, and so all that it must be able to tell.
type outcome string

const (
	taken       outcome = "taken"
	refused     outcome = "refused"
	unavailable outcome = "unavailable"
)

func outcomeOf(t *testing.T, err error) (outcome, time.Duration) {
	t.Helper()
	if err == nil {
		return taken, 0
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %q shows a secret part of the URL", err)
	}
	if delivery.IsRefusal(err) {
		return refused, 0
	}
	away, ok := errors.AsType[*delivery.Unavailable](err)
	if !ok {
		t.Fatalf("error %v is neither a refusal nor unavailable", err)
	}
	return unavailable, away.After
}

func loopback() outbound.Guard {
	return outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
}

func post(t *testing.T, c *outbound.Client, url string) (outbound.Reply, error) {
	t.Helper()
	return c.Post(t.Context(), outbound.Request{URL: url, Key: "key-1", Body: []byte(`{"n":1}`)})
}

// TestStatus is the one table of what each answer means.
func TestStatus(t *testing.T) {
	inHalfAnHour := time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat)
	tests := []struct {
		status     int
		retryAfter string
		want       outcome
		wantAfter  time.Duration // rounded up to ten minutes
	}{
		{200, "", taken, 0},
		{201, "", taken, 0},
		{202, "120", taken, 0},
		{204, "", taken, 0},
		{300, "", refused, 0},
		{304, "", refused, 0},
		{400, "", refused, 0},
		{401, "", refused, 0},
		{403, "600", refused, 0},
		{404, "", refused, 0},
		{408, "", unavailable, 0},
		{409, "", refused, 0},
		{410, "", refused, 0},
		{413, "", refused, 0},
		{429, "", unavailable, 0},
		{429, "600", unavailable, 10 * time.Minute},
		{429, "86400", unavailable, time.Hour},
		{499, "", refused, 0},
		{500, "", unavailable, 0},
		{501, "", unavailable, 0},
		{502, "", unavailable, 0},
		{503, "", unavailable, 0},
		{503, "1200", unavailable, 20 * time.Minute},
		{503, inHalfAnHour, unavailable, 30 * time.Minute},
		{503, "soon", unavailable, 0},
		{504, "", unavailable, 0},
		{599, "", unavailable, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", tt.status, tt.retryAfter), func(t *testing.T) {
			var hits atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hits.Add(1)
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
			}))
			defer srv.Close()

			_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL+secretPath)
			got, after := outcomeOf(t, err)
			if got != tt.want {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
			if rounded := (after + 10*time.Minute - 1).Truncate(10 * time.Minute); rounded != tt.wantAfter {
				t.Errorf("retry after %v, want %v", after, tt.wantAfter)
			}
			if hits.Load() != 1 {
				t.Errorf("the receiver was asked %d times, want 1: an answer is not asked for twice in one attempt", hits.Load())
			}
			if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%s: %d", srv.URL, tt.status)) {
				t.Errorf("error %q does not name %s and %d", err, srv.URL, tt.status)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %s %s %s", r.Method, r.URL, body, r.Header.Get("Content-Type"), r.UserAgent(),
			r.Header.Get("Idempotency-Key"), r.Header.Get("X-Own"))
	}))
	defer srv.Close()

	client := &outbound.Client{Guard: loopback()}
	reply, err := client.Post(t.Context(), outbound.Request{
		URL: srv.URL + "/a?b=c", Key: "key-1", Body: []byte(`{"n":1}`), Header: map[string]string{"X-Own": "own"},
	})
	if err != nil || reply.Cut != nil {
		t.Fatal(err, reply.Cut)
	}
	if got, want := string(reply.Body), `POST /a?b=c {"n":1} application/json muster key-1 own`; got != want {
		t.Errorf("the receiver got %s, want %s", got, want)
	}
}

func TestAddressIsNotAURL(t *testing.T) {
	for _, url := range []string{
		"", "s3cret", "/s3cret", "ftp://example.com/s3cret", "file:///s3cret", "https:s3cret", "https:///s3cret",
		"http://exa mple/s3cret", "https://example.com/%zzs3cret", "gopher://127.0.0.1/s3cret", "://s3cret",
	} {
		_, err := post(t, &outbound.Client{Guard: loopback()}, url)
		if got, _ := outcomeOf(t, err); got != refused {
			t.Errorf("%q: got %v (%v), want refused", url, got, err)
		}
	}
}

func TestNoClient(t *testing.T) {
	_, err := post(t, nil, "https://example.com"+secretPath)
	if got, _ := outcomeOf(t, err); got != refused {
		t.Errorf("got %v (%v), want refused", got, err)
	}
}

func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	tests := map[string]struct {
		location string
		status   int
		want     outcome
		wantHits int32 // at the first host
		wantText string
	}{
		"same host, message kept":       {"/end", 307, taken, 2, ""},
		"same host, for ever":           {"/again", 308, refused, 4, "use the address it leads to"},
		"same host, message lost (301)": {"/end", 301, refused, 1, "use the address it leads to"},
		"same host, message lost (302)": {"/end", 302, refused, 1, "use the address it leads to"},
		"same host, message lost (303)": {"/end", 303, refused, 1, "use the address it leads to"},
		"other host (301)":              {other.URL + "/s3cret", 301, refused, 1, "redirects to " + other.URL + ","},
		"other host (307)":              {other.URL + "/s3cret", 307, refused, 1, "redirects to " + other.URL + ","},
		"other host (308)":              {"//user:s3cret@" + strings.TrimPrefix(other.URL, "http://"), 308, refused, 1, other.URL},
		"no longer a web address":       {"file:///etc/s3cret", 307, refused, 1, ""},
		"to nowhere":                    {"", 307, refused, 1, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var hits atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hits.Add(1)
				body, _ := io.ReadAll(r.Body)
				if r.Method != http.MethodPost || string(body) != `{"n":1}` || r.Header.Get("Idempotency-Key") != "key-1" {
					t.Errorf("%s %s got %q with key %q", r.Method, r.URL, body, r.Header.Get("Idempotency-Key"))
				}
				if r.URL.Path == "/end" {
					return
				}
				if tt.location != "" {
					w.Header().Set("Location", tt.location)
				}
				w.WriteHeader(tt.status)
			}))
			defer srv.Close()

			_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL+secretPath)
			if got, _ := outcomeOf(t, err); got != tt.want {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
			if hits.Load() != tt.wantHits {
				t.Errorf("the first host was asked %d times, want %d", hits.Load(), tt.wantHits)
			}
			if err != nil && !strings.Contains(err.Error(), tt.wantText) {
				t.Errorf("error %q does not say %q", err, tt.wantText)
			}
		})
	}
	if elsewhere.Load() != 0 {
		t.Errorf("the other host was asked %d times", elsewhere.Load())
	}
}

// A location that is no URL breaks inside net/http, whose error shows it.
func TestRedirectToGarbageShowsNothing(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://user:s3cret@exa mple/%zz")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL)
	if got, _ := outcomeOf(t, err); got == taken {
		t.Error("got taken, want an error")
	}
}

// misbehave listens as a server that does with each connection, after it has read the request's head, what do does.
func misbehave(t *testing.T, do func(n int, conn *net.TCPConn)) (url string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	connections = new(atomic.Int32)
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := int(connections.Add(1))
			wg.Go(func() {
				defer conn.Close()
				if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					do(n, conn.(*net.TCPConn))
				}
			})
		}
	})
	return "http://" + listener.Addr().String(), connections
}

func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	conn.Close()
}

// endless writes until the other side has had enough, which must be soon.
func endless(t *testing.T, w io.Writer, piece string, pause time.Duration) {
	for written := 0; ; written += len(piece) {
		if _, err := io.WriteString(w, piece); err != nil {
			if most := 32 << 20; written > most { // what the kernel takes before anybody reads is well below
				t.Errorf("%d bytes were taken, want at most %d", written, most)
			}
			return
		}
		time.Sleep(pause)
	}
}

func TestMisbehavingReceivers(t *testing.T) {
	const ok, broken = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 500 No\r\n"
	tests := map[string]struct {
		timeout         time.Duration
		do              func(n int, conn *net.TCPConn)
		want            outcome
		wantConnections int32
		wantCut         bool
		wantText        string
	}{
		"resets once, then answers": {0, func(n int, conn *net.TCPConn) {
			if n == 1 {
				reset(conn)
				return
			}
			io.WriteString(conn, ok+"Content-Length: 0\r\n\r\n")
		}, taken, 2, false, ""},
		"resets always":         {0, func(_ int, conn *net.TCPConn) { reset(conn) }, unavailable, 2, false, "connection reset by peer"},
		"closes always":         {0, func(int, *net.TCPConn) {}, unavailable, 2, false, "closed without an answer"},
		"speaks something else": {0, func(_ int, conn *net.TCPConn) { io.WriteString(conn, "220 s3cret ESMTP\r\n") }, unavailable, 2, false, "not HTTP"},
		"resets in the body of a 200": {0, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, ok+"Content-Length: 100\r\n\r\n{\"id\"")
			reset(conn)
		}, taken, 1, true, ""},
		"closes in the body of a 500": {0, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, broken+"Content-Length: 100\r\n\r\noops")
		}, unavailable, 1, true, "500"},
		"hangs": {
			time.Second, func(_ int, conn *net.TCPConn) { io.Copy(io.Discard, conn) },
			unavailable, 1, false, "no answer in time",
		},
		"hangs in the body": {time.Second, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, ok+"Content-Length: 100\r\n\r\n")
			io.Copy(io.Discard, conn)
		}, taken, 1, true, ""},
		"drips its head": {time.Second, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, ok+"X: ")
			endless(t, conn, "x", 5*time.Millisecond)
		}, unavailable, 1, false, "no answer in time"},
		"drips its body": {time.Second, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, ok+"Connection: close\r\n\r\n")
			endless(t, conn, "x", 5*time.Millisecond)
		}, taken, 1, true, ""},
		"has an endless head": {0, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, ok)
			endless(t, conn, "X-Header: "+strings.Repeat("x", 1000)+"\r\n", 0)
		}, unavailable, 2, false, ""},
		"has an endless body": {0, func(_ int, conn *net.TCPConn) {
			io.WriteString(conn, broken+"Content-Type: text/plain\r\nConnection: close\r\n\r\n")
			endless(t, conn, strings.Repeat("x", 1000), 0)
		}, unavailable, 1, false, "500"},
		"sends its status in pieces of 1xx": {time.Second, func(_ int, conn *net.TCPConn) {
			endless(t, conn, "HTTP/1.1 102 Processing\r\n\r\n", time.Millisecond)
		}, unavailable, 0, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, connections := misbehave(t, tt.do)
			reply, err := post(t, &outbound.Client{Guard: loopback(), Timeout: tt.timeout}, url+secretPath)
			if got, _ := outcomeOf(t, err); got != tt.want {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
			if tt.wantConnections != 0 && connections.Load() != tt.wantConnections {
				t.Errorf("%d connections, want %d", connections.Load(), tt.wantConnections)
			}
			if (reply.Cut != nil) != tt.wantCut {
				t.Errorf("the reply was cut: %v, want %v", reply.Cut, tt.wantCut)
			}
			if len(reply.Body) > 64<<10 {
				t.Errorf("%d bytes of the reply were read", len(reply.Body))
			}
			if err != nil && (!strings.Contains(err.Error(), tt.wantText) || !strings.Contains(err.Error(), url+":") || len(err.Error()) > 400) {
				t.Errorf("error %q does not say %q about %s, or says too much", err, tt.wantText, url)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL+secretPath)
	if got, _ := outcomeOf(t, err); got != unavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v (%v), want unavailable because the connection was refused", got, err)
	}
}

func TestTLS(t *testing.T) {
	hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	untrusted, plain := httptest.NewUnstartedServer(hello), httptest.NewServer(hello)
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	defer plain.Close()
	for url, wantText := range map[string]string{
		untrusted.URL: "certificate",
		strings.Replace(plain.URL, "http:", "https:", 1): "speaks http, not https",
	} {
		_, err := post(t, &outbound.Client{Guard: loopback()}, url+secretPath)
		if got, _ := outcomeOf(t, err); got != unavailable || !strings.Contains(err.Error(), wantText) {
			t.Errorf("%s: got %v (%v), want unavailable with %q", url, got, err, wantText)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, _ := misbehave(t, func(_ int, conn *net.TCPConn) {
		cancel()
		io.Copy(io.Discard, conn)
	})
	_, err := (&outbound.Client{Guard: loopback()}).Post(ctx, outbound.Request{URL: url + secretPath, Key: "k"})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want an error that wraps context.Canceled without a secret", err)
	}
}

// Many servers repeat what they were asked for in their error pages.
func TestWhatTheReceiverSaysIsQuotedWithoutSecrets(t *testing.T) {
	tests := map[string]struct {
		path, kind, body string
		want             string // after the status; empty when nothing may be quoted
	}{
		"plain":           {"/hooks/T1", "text/plain; charset=utf-8", "no such\n channel\x1b[2J", `: "no such channel�[2J"`},
		"json":            {"/hooks/T1", "application/json", `{"error":"채널 없음"}`, `: "{\"error\":\"채널 없음\"}"`},
		"long":            {"/x", "text/plain", strings.Repeat("장", 300), `: "` + strings.Repeat("장", 200) + `…"`},
		"page":            {"/hooks/T1", "text/html", "<h1>Not Found</h1>", ""},
		"no type":         {"/hooks/T1", "", "Not Found", ""},
		"path repeated":   {"/hooks/s3cret", "text/plain", "Cannot POST /hooks/s3cret", ""},
		"in other case":   {"/hooks/S3cret", "text/plain", "unknown hook s3CRET", ""},
		"decoded":         {"/hooks/s3cret%20x", "text/plain", "unknown hook s3cret x", ""},
		"query repeated":  {"/?sig=s3cret", "application/json", `{"sig":"s3cret"}`, ""},
		"query decoded":   {"/?sig=a%2Bs3cret", "application/json", `{"bad":"a+s3cret"}`, ""},
		"after the quote": {"/hooks/s3cret", "text/plain", strings.Repeat("x", 300) + "s3cret", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = []string{tt.kind}
				w.WriteHeader(http.StatusNotFound)
				io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL+tt.path)
			if got, _ := outcomeOf(t, err); got != refused {
				t.Fatalf("got %v, want refused", got)
			}
			if want := "refused: " + srv.URL + ": 404 Not Found" + tt.want; err.Error() != want {
				t.Errorf("got %s\nwant %s", err, want)
			}
		})
	}
}

func TestPathOfARedirectIsNotQuoted(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/s3cret", http.StatusPermanentRedirect)
			return
		}
		http.Error(w, "cannot post "+r.URL.Path, http.StatusNotFound)
	}))
	defer srv.Close()
	_, err := post(t, &outbound.Client{Guard: loopback()}, srv.URL+"/")
	if got, _ := outcomeOf(t, err); got != refused {
		t.Errorf("got %v (%v), want refused", got, err)
	}
}

func TestPasswordInURLIsSentAndNotShown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		http.Error(w, fmt.Sprintf("%s %s %s", user, password, r.Header.Get("Authorization")), http.StatusUnauthorized)
	}))
	defer srv.Close()
	_, err := post(t, &outbound.Client{Guard: loopback()}, strings.Replace(srv.URL, "http://", "http://user:s3cret@", 1))
	if want := "refused: " + srv.URL + ": 401 Unauthorized"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
