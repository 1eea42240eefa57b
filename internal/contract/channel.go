package contract

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// A Sender is the adapter of a contact type.
type Sender interface {
	Send(ctx context.Context, e delivery.Envelope) error
}

// A Room stands in for what a channel leads to, as its documentation says.
type Room interface {
	http.Handler
	// Shown are the messages that people have got there, each with all that they see of it.
	Shown() []string
}

// A Channel is an adapter with its stand-in.
type Channel struct {
	Room func() Room
	// Open makes the adapter for a stand-in at a URL, and the contact whom it reaches there.
	Open   func(url string, guard outbound.Guard, timeout time.Duration) (Sender, delivery.Contact)
	Once   bool     // what was sent again is there once, whatever broke
	Status bool     // that a message was taken, only the status says
	Calls  bool     // a call or a short message: it has room for little, and says nothing of what it may not say
	Never  []string // what no message may have in it, however a foreign text is made
}

// Page is a page whose texts try what foreign texts can.
func Page() delivery.Message {
	return delivery.Message{
		Kind: delivery.Page, Language: "en", Subject: "[P1] Shop: 결제 장애 @all <!channel> (INC-7K3M9QX2PA)", Incident: "INC-7K3M9QX2PA", Priority: "P1",
		Status: "triggered", Service: "Shop", URL: "https://muster.example/l/abc_def_123",
		Text: "Shop is down @everyone @here <users/all> <at>everyone</at> ```\n*now* _and_ [here](https://evil.example) <b>\n\nAcknowledge\n" +
			"https://muster.example/l/abc_def_123\n",
	}
}

// Run checks all of the contract.
func (c Channel) Run(t *testing.T) {
	t.Run("message", c.message)
	t.Run("answers", c.answers)
	t.Run("slow", c.slow)
	t.Run("broken", c.broken)
	t.Run("long", c.long)
	t.Run("cancelled", c.cancelled)
}

func (c Channel) envelope(to delivery.Contact) delivery.Envelope {
	return delivery.Envelope{
		ID: "incident/x/1/0/kim/chat", Attempt: 1, At: time.Now(), Contact: to, Message: Page(),
		Recipient: delivery.Recipient{ID: "kim", Name: "김민준", Language: "en", Methods: []string{"chat"}},
	}
}

// A wire is the way to a room, on which things break.
type wire struct {
	Room

	mu    sync.Mutex
	fault func(w http.ResponseWriter, r *http.Request) bool // whether it was dealt with
	url   string
}

func (l *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil || !l.fault(w, r) {
		l.Room.ServeHTTP(w, r)
	}
}

func (l *wire) breaks(fault func(w http.ResponseWriter, r *http.Request) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
}

func (c Channel) connect(t *testing.T, timeout time.Duration) (*wire, Sender, delivery.Contact) {
	l := &wire{Room: c.Room()}
	srv := httptest.NewServer(l)
	t.Cleanup(srv.Close)
	l.url = srv.URL
	s, to := c.Open(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, timeout)
	return l, s, to
}

func (c Channel) message(t *testing.T) {
	l, s, to := c.connect(t, 5*time.Second)
	if err := s.Send(t.Context(), c.envelope(to)); err != nil {
		t.Fatal(err)
	}
	all := l.Shown()
	if len(all) != 1 {
		t.Fatalf("%d messages: %q", len(all), all)
	}
	want := []string{"P1", "Shop"}
	if !c.Calls {
		want = append(want, "결제 장애", "INC-7K3M9QX2PA", "Shop is down", "https://muster.example/l/abc_def_123")
	}
	for _, part := range want {
		if !strings.Contains(all[0], part) {
			t.Errorf("it lacks %q: %s", part, all[0])
		}
	}
	for _, part := range c.Never {
		if strings.Contains(all[0], part) {
			t.Errorf("it has %q in it: %s", part, all[0])
		}
	}
	e := c.envelope(to)
	e.ID, e.Message.URL, e.Message.Priority, e.Message.Incident, e.Message.Text = "other", "", "", "", "Shop"
	e.Message.Kind = delivery.SelfWatch
	if err := s.Send(t.Context(), e); err != nil {
		t.Errorf("with no more than it must have: %v", err)
	}
}

func says(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func (c Channel) answers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	const told = `{"message":"` + Secret + ` is not liked"}`
	for _, tt := range []struct {
		name  string
		do    func(http.ResponseWriter, *http.Request) bool
		final bool
		after time.Duration
		want  string
	}{
		{"400", says(400, told), true, 0, "400"},
		{"401", says(401, told), true, 0, "401"},
		{"403", says(403, told), true, 0, "403"},
		{"404", says(404, told), true, 0, "404"},
		{"422", says(422, told), true, 0, "422"},
		{"422 with a reason", says(422, `{"message":"no such room"}`), true, 0, "no such room"},
		{"429", says(429, told, "Retry-After", "17"), false, 17 * time.Second, "429"},
		{"500", says(500, told), false, 0, "500"},
		{"503", says(503, told, "Retry-After", "90"), false, 90 * time.Second, "503"},
		{"302", says(302, "", "Location", elsewhere.URL+"/"+Secret), true, 0, "302"},
		{"307", says(307, "", "Location", elsewhere.URL+"/"+Secret), true, 0, "not followed"},
		{"no answer", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, false, 0, "closed without an answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, s, to := c.connect(t, 5*time.Second)
			l.breaks(tt.do)
			err := s.Send(t.Context(), c.envelope(to))
			if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q, final: %v", err, tt.want, tt.final)
			}
			if u, ok := errors.AsType[*delivery.Unavailable](err); ok && u.After != tt.after {
				t.Errorf("after %s, want %s", u.After, tt.after)
			} else if !ok && !tt.final {
				t.Errorf("%v is neither final nor worth another attempt", err)
			}
			c.quiet(t, err, to)
		})
	}
	t.Run("409", func(t *testing.T) { // some say so when they have it, and some when two came at once
		l, s, to := c.connect(t, 5*time.Second)
		l.breaks(says(409, told))
		c.quiet(t, s.Send(t.Context(), c.envelope(to)), to)
	})
	for name, body := range map[string]string{
		"a page": "<html>Sign in " + Secret, "nothing": "", "a number": "7", "an empty object": "{}", "null": "null", "a list": "[[]]",
		"huge": `{"x":"` + strings.Repeat("x", 6<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			l, s, to := c.connect(t, 5*time.Second)
			l.breaks(says(200, body))
			err := s.Send(t.Context(), c.envelope(to))
			if !c.Status && err == nil {
				t.Error("it counts as taken")
			}
			c.quiet(t, err, to)
		})
	}
}

// quiet checks that an error tells no secret: neither the contact's nor what its address holds beside the host.
func (c Channel) quiet(t *testing.T, err error, to delivery.Contact) {
	t.Helper()
	if err == nil {
		return
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(to.Address, "https://"), "http://"), "/")
	if strings.Contains(err.Error(), Secret) || path != "" && strings.Contains(err.Error(), path) {
		t.Errorf("a secret is told: %v", err)
	}
	if len(err.Error()) > 1000 {
		t.Errorf("%d bytes of an error", len(err.Error()))
	}
}

func (c Channel) slow(t *testing.T) {
	l, s, to := c.connect(t, 50*time.Millisecond)
	l.breaks(func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices that nobody waits only when it has read all
		<-r.Context().Done()
		return true
	})
	err := s.Send(t.Context(), c.envelope(to))
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
	c.quiet(t, err, to)
	guarded, to := c.Open(l.url, outbound.Guard{}, time.Second)
	if err := guarded.Send(t.Context(), c.envelope(to)); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("into an own network that is not allowed: got %v", err)
	}
}

// broken loses a request, or the answer to it, and sends again as activities do.
func (c Channel) broken(t *testing.T) {
	for name, arrived := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			l, s, to := c.connect(t, 5*time.Second)
			left := 1
			l.breaks(func(_ http.ResponseWriter, r *http.Request) bool {
				if left == 0 || r.Method == http.MethodGet {
					return false
				}
				left--
				if arrived {
					l.Room.ServeHTTP(httptest.NewRecorder(), r)
				}
				panic(http.ErrAbortHandler)
			})
			e := c.envelope(to)
			err := s.Send(t.Context(), e)
			for range 5 {
				if _, later := errors.AsType[*delivery.Unavailable](err); !later {
					break
				}
				e.Attempt, e.Repeated = e.Attempt+1, true
				err = s.Send(t.Context(), e)
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(l.Shown()); n < 1 || c.Once && n > 1 || n > 2 {
				t.Errorf("%d messages: %q", n, l.Shown())
			}
		})
	}
	t.Run("in the answer", func(t *testing.T) {
		l, s, to := c.connect(t, 5*time.Second)
		l.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"ok":`))
			return true
		})
		if err := s.Send(t.Context(), c.envelope(to)); delivery.IsRefusal(err) {
			t.Errorf("half an answer is final: %v", err)
		}
	})
}

// long sends more than any of them takes, in letters that have three bytes.
func (c Channel) long(t *testing.T) {
	l, s, to := c.connect(t, 5*time.Second)
	e := c.envelope(to)
	e.Message.Text, e.Message.Subject = strings.Repeat("장애 <&>*", 20_000), strings.Repeat("결제 장애 ", 300)
	if err := s.Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if all := l.Shown(); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
}

func (c Channel) cancelled(t *testing.T) {
	_, s, to := c.connect(t, 5*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ctx, c.envelope(to)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Texts returns the texts of a JSON value, in no order: what a stand-in shows of a body.
func Texts(v any) string {
	var all []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Decode reads a JSON body.
func Decode(r io.Reader) (map[string]any, error) {
	var body map[string]any
	err := json.NewDecoder(r).Decode(&body)
	return body, err
}
