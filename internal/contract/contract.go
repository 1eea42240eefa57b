// Package contract checks what every adapter of a ticket system and of a channel promises, against a server that stands in for it: one
// ticket and one comment whatever breaks, and an error that says whether to try again. Only tests use it.
package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Secret is the token that the stand-ins want. No error may show it.
const Secret = "s3cret-t0ken"

// A System is the adapter.
type System interface {
	Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error)
	Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error
}

// A Desk stands in for a ticket system, as its documentation says.
type Desk interface {
	http.Handler
	// Shown are its tickets as people see them.
	Shown() []Shown
}

// Shown is a ticket of a desk.
type Shown struct {
	ID, Title, Text, State, Priority string

	Comments []string
}

// A Contract is an adapter with its stand-in.
type Contract struct {
	Desk   func() Desk
	System func(url string, guard outbound.Guard, timeout time.Duration) System
	States map[string]string // how the desk calls what Muster calls triggered, acknowledged, resolved and closed
	Again  string            // how it calls triggered after it was resolved, if not the same
	Sample string            // how it may call a ticket
	High   string            // how it calls P1 …
	Low    string            // … and P3
}

// Revision is a ticket as the nth revision says it.
func Revision(n int, status, priority string) ticket.Ticket {
	return ticket.Ticket{
		Key: "INC-7K3M9QX2PA", Revision: n, At: time.Now(), Since: time.Now().Add(-time.Hour), Title: "[" + priority + "] Shop: 결제 장애 (INC-7K3M9QX2PA)",
		Text: fmt.Sprintf("Shop is down <b>\n- revision %d\n```\n/close @all {panel} muster:INC-7K3M9QX2PA:900:closed:P1", n), Status: status, Priority: priority, Service: "Shop",
		Language: "en", Note: status + ", " + priority, URL: "https://muster.example/",
	}
}

// life is an incident that is resolved, reopened and closed. Revision 3 changes nothing that people follow.
func life() []ticket.Ticket {
	return []ticket.Ticket{
		Revision(1, "triggered", "P3"), Revision(2, "acknowledged", "P3"), Revision(3, "acknowledged", "P3"), Revision(5, "acknowledged", "P1"),
		Revision(6, "resolved", "P1"), Revision(7, "triggered", "P1"), Revision(8, "resolved", "P1"), Revision(9, "closed", "P1"),
	}
}

// comments are how many a ticket has after the nth step of that life.
func comments(n int) int { return []int{0, 1, 1, 2, 3, 4, 5, 6}[n] }

// Run checks all of the contract.
func (c Contract) Run(t *testing.T) {
	t.Run("life", c.life)
	t.Run("one break", c.oneBreak)
	t.Run("any breaks", c.anyBreaks)
	t.Run("opened late", c.openedLate)
	t.Run("old news", c.oldNews)
	t.Run("answers", c.answers)
	t.Run("any answers", c.anyAnswers)
	t.Run("names", c.names)
	t.Run("cancelled", c.cancelled)
}

// A line is the way to a desk, on which things break.
type line struct {
	Desk

	mu    sync.Mutex
	asked []string
	fault func(n int, w http.ResponseWriter, r *http.Request) bool // of the nth request, from 0: whether it was dealt with
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.asked)
	l.asked = append(l.asked, r.Method+" "+r.URL.Path)
	if l.fault != nil && l.fault(n, w, r) {
		return
	}
	l.Desk.ServeHTTP(w, r)
}

// lost breaks a request before the desk has it, or the answer after.
func (l *line) lost(before bool, r *http.Request) {
	if !before {
		l.Desk.ServeHTTP(httptest.NewRecorder(), r)
	}
	panic(http.ErrAbortHandler)
}

func (l *line) requests() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

func (c Contract) connect(t interface{ Cleanup(func()) }) (*line, System) {
	l := &line{Desk: c.Desk()}
	srv := httptest.NewServer(l)
	t.Cleanup(srv.Close)
	return l, c.System(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, 5*time.Second)
}

// write makes one attempt after the other until a ticket says what it should. Whatever breaks on the way must be worth trying again.
func write(ctx context.Context, s System, ref *ticket.Ref, x ticket.Ticket) error {
	for range 60 {
		var err error
		if ref.ID == "" {
			*ref, err = s.Open(ctx, x)
		} else {
			err = s.Update(ctx, *ref, x)
		}
		if _, later := errors.AsType[*delivery.Unavailable](err); !later {
			return err
		}
	}
	return errors.New("it never ends")
}

// wrong says what is wrong with the desk's tickets after the nth step of the life.
func (c Contract) wrong(d Desk, n int) string {
	all, want := d.Shown(), life()[n]
	if len(all) != 1 {
		return fmt.Sprintf("%d tickets: %+v", len(all), all)
	}
	got := all[0]
	state := c.States[want.Status]
	if want.Status == "triggered" && n > 0 && c.Again != "" {
		state = c.Again
	}
	priority := map[string]string{"P1": c.High, "P3": c.Low}[want.Priority]
	switch {
	case got.State != state:
		return fmt.Sprintf("state %q, want %q", got.State, state)
	case got.Title != want.Title || !strings.Contains(got.Text, fmt.Sprintf("revision %d", want.Revision)) || !strings.Contains(got.Text, want.URL):
		return fmt.Sprintf("it says %q, %q", got.Title, got.Text)
	case got.Priority != priority:
		return fmt.Sprintf("priority %q, want %q", got.Priority, priority)
	case len(got.Comments) != comments(n):
		return fmt.Sprintf("%d comments, want %d: %q", len(got.Comments), comments(n), got.Comments)
	case n > 0 && !strings.Contains(got.Comments[len(got.Comments)-1], life()[max(n, 1)].Note):
		return fmt.Sprintf("the last comment is %q, want %q", got.Comments[len(got.Comments)-1], want.Note)
	}
	return ""
}

func (c Contract) life(t *testing.T) {
	l, s := c.connect(t)
	ref := ticket.Ref{}
	for n, x := range life() {
		if err := write(t.Context(), s, &ref, x); err != nil {
			t.Fatalf("revision %d: %v", x.Revision, err)
		}
		if w := c.wrong(l.Desk, n); w != "" {
			t.Fatalf("revision %d: %s", x.Revision, w)
		}
	}
	if !strings.HasPrefix(ref.URL, "http") || ref.ID == "" {
		t.Errorf("people find it at %+v", ref)
	}
	if again, err := s.Open(t.Context(), life()[7]); err != nil || again != ref || len(l.Shown()) != 1 {
		t.Errorf("opened again: %+v, %v, want %+v", again, err, ref)
	}
}

// Every request of the life breaks once, before it arrives or after.
func (c Contract) oneBreak(t *testing.T) {
	whole, s := c.connect(t)
	ref := ticket.Ref{}
	for _, x := range life() {
		if err := write(t.Context(), s, &ref, x); err != nil {
			t.Fatal(err)
		}
	}
	for at, what := range whole.requests() {
		for _, before := range []bool{true, false} {
			l, s := c.connect(t)
			l.fault = func(n int, _ http.ResponseWriter, r *http.Request) bool {
				if n == at {
					l.lost(before, r)
				}
				return false
			}
			ref := ticket.Ref{}
			for n, x := range life() {
				if err := write(t.Context(), s, &ref, x); err != nil {
					t.Fatalf("request %d, %s, lost before it arrived: %v: revision %d: %v", at, what, before, x.Revision, err)
				}
				if w := c.wrong(l.Desk, n); w != "" {
					t.Fatalf("request %d, %s, lost before it arrived: %v: revision %d: %s", at, what, before, x.Revision, w)
				}
			}
		}
	}
}

// A worker may die at any request, again and again, and forget what it has not recorded.
func (c Contract) anyBreaks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		breaks := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 40).Draw(r, "breaks") // 0: before, 1: after, else not
		l, s := c.connect(r)
		l.fault = func(n int, _ http.ResponseWriter, req *http.Request) bool {
			if n < len(breaks) && breaks[n] < 2 {
				l.lost(breaks[n] == 0, req)
			}
			return false
		}
		ref := ticket.Ref{}
		for n, x := range life() {
			if err := write(t.Context(), s, &ref, x); err != nil {
				r.Fatal(err)
			}
			if w := c.wrong(l.Desk, n); w != "" {
				r.Fatalf("revision %d: %s", x.Revision, w)
			}
		}
	})
}

// The system was away for so long that the incident is over before its ticket is there.
func (c Contract) openedLate(t *testing.T) {
	l, s := c.connect(t)
	ref := ticket.Ref{}
	if err := write(t.Context(), s, &ref, Revision(9, "closed", "P1")); err != nil {
		t.Fatal(err)
	}
	if all := l.Shown(); len(all) != 1 || all[0].State != c.States["closed"] || len(all[0].Comments) > 1 {
		t.Errorf("got %+v", all)
	}
}

func (c Contract) oldNews(t *testing.T) {
	l, s := c.connect(t)
	ref := ticket.Ref{}
	for _, x := range life()[:4] {
		if err := write(t.Context(), s, &ref, x); err != nil {
			t.Fatal(err)
		}
	}
	before := l.Shown()
	for _, old := range []ticket.Ticket{Revision(5, "acknowledged", "P1"), Revision(4, "resolved", "P3"), Revision(1, "triggered", "P3")} {
		if err := s.Update(t.Context(), ref, old); err != nil {
			t.Error(err)
		}
		if again, err := s.Open(t.Context(), old); err != nil || again != ref {
			t.Errorf("opened again: %+v, %v", again, err)
		}
		if diff := cmp.Diff(before, l.Shown()); diff != "" {
			t.Errorf("revision %d (-before +after):\n%s", old.Revision, diff)
		}
	}
}

// answer makes a break that answers every request with a status and a body.
func answer(status int, header, value, body string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

func (c Contract) answers(t *testing.T) {
	const told = `{"message":"token ` + Secret + ` is not liked"}`
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for _, tt := range []struct {
		name  string
		do    func(int, http.ResponseWriter, *http.Request) bool
		final bool
		after time.Duration
		want  string
	}{
		{"400", answer(400, "", "", told), true, 0, "400"},
		{"401", answer(401, "", "", told), true, 0, "401"},
		{"403", answer(403, "", "", told), true, 0, "403"},
		{"404", answer(404, "", "", told), true, 0, "404"},
		{"409", answer(409, "", "", told), false, 0, "409"},
		{"412", answer(412, "", "", told), false, 0, "412"},
		{"422", answer(422, "", "", told), true, 0, "422"},
		{"422 with a reason", answer(422, "", "", `{"message":"Field 'priority' cannot be set"}`), true, 0, "Field 'priority' cannot be set"},
		{"429", answer(429, "Retry-After", "17", told), false, 17 * time.Second, "429"},
		{"500", answer(500, "", "", told), false, 0, "500"},
		{"503", answer(503, "Retry-After", "90", told), false, 90 * time.Second, "503"},
		{"203", answer(203, "", "", "<html>Sign in"), true, 0, "is the token right?"},
		{"302", answer(302, "Location", elsewhere.URL+"/"+Secret, ""), true, 0, "not followed"},
		{"307", answer(307, "Location", elsewhere.URL+"/"+Secret, ""), true, 0, "not followed"},
		{"a page", answer(200, "", "", "<html>Sign in "+Secret), false, 0, "not what the API"},
		{"nothing", answer(200, "", "", ""), false, 0, "not what the API"},
		{"a number", answer(200, "", "", "7"), false, 0, "not what the API"},
		{"an empty object", answer(200, "", "", "{}"), false, 0, "the answer"},
		{"null", answer(200, "", "", "null"), false, 0, "the answer"},
		{"endless", answer(200, "", "", `{"x":"`+strings.Repeat("x", 5<<20)+`"}`), true, 0, "endless"},
		{"half an answer", func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"id":"`))
			return true
		}, false, 0, "cut off"},
		{"no answer", func(_ int, _ http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) }, false, 0, "closed without an answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, s := c.connect(t)
			ref := ticket.Ref{}
			if err := write(t.Context(), s, &ref, life()[0]); err != nil {
				t.Fatal(err)
			}
			l.mu.Lock()
			l.fault = tt.do
			l.mu.Unlock()
			_, opened := s.Open(t.Context(), Revision(2, "acknowledged", "P3"))
			for _, err := range []error{opened, s.Update(t.Context(), ref, Revision(2, "acknowledged", "P3"))} {
				if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v, want %q, final: %v", err, tt.want, tt.final)
				}
				if u, ok := errors.AsType[*delivery.Unavailable](err); ok && u.After != tt.after {
					t.Errorf("after %s, want %s", u.After, tt.after)
				}
				if strings.Contains(err.Error(), Secret) {
					t.Errorf("the token is told: %v", err)
				}
			}
		})
	}
	t.Run("slow", c.slow)
}

func (c Contract) slow(t *testing.T) {
	l := &line{Desk: c.Desk(), fault: func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices that nobody waits only when it has read all
		<-r.Context().Done()
		return true
	}}
	srv := httptest.NewServer(l)
	defer srv.Close()
	s := c.System(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, 50*time.Millisecond)
	_, err := s.Open(t.Context(), life()[0])
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
	guarded := c.System(srv.URL, outbound.Guard{}, time.Second)
	if _, err := guarded.Open(t.Context(), life()[0]); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("into an own network that is not allowed: got %v", err)
	}
	if _, err := c.System("desk", outbound.Guard{}, time.Second).Open(t.Context(), life()[0]); !delivery.IsRefusal(err) {
		t.Errorf("no URL: got %v", err)
	}
}

// Whatever a system answers, an attempt ends, and asks no more than an attempt should.
func (c Contract) anyAnswers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		keys := rapid.SampledFrom([]string{
			"result", "issues", "issue", "workItems", "value", "id", "iid", "number", "key", "sys_id", "state", "status", "statusCategory", "fields",
			"labels", "properties", "muster", "comments", "transitions", "to", "name", "body", "description", "correlation_id", "rev",
		})
		leaves := rapid.OneOf(
			rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](1), rapid.Just[any](-1.5), rapid.Just[any]("OPS-1"), rapid.Just[any](life()[0].Key),
			rapid.Just[any](strings.Repeat("0", 32)), rapid.Just[any](life()[0].Mark().String()), rapid.Just[any]("x"),
		)
		values := leaves
		for range 4 { // levels
			below := values
			values = rapid.OneOf(
				leaves, rapid.Custom(func(r *rapid.T) any { return rapid.SliceOfN(below, 0, 3).Draw(r, "list") }),
				rapid.Custom(func(r *rapid.T) any { return rapid.MapOfN(keys, below, 0, 6).Draw(r, "object") }),
			)
		}
		l, s := c.connect(r)
		answers := rapid.SliceOfN(values, 1, 12).Draw(r, "answers")
		l.fault = func(n int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answers[n%len(answers)])
			return true
		}
		ref, err := s.Open(t.Context(), life()[1])
		if asked := l.requests(); len(asked) > 30 {
			r.Errorf("%d requests in one attempt", len(asked))
		}
		if err == nil && strings.ContainsAny(ref.ID, "/?#% ") {
			r.Errorf("a ticket is called %q", ref.ID)
		}
		if err := s.Update(t.Context(), ticket.Ref{ID: c.Sample}, life()[1]); err != nil && strings.Contains(err.Error(), Secret) {
			r.Error(err)
		}
	})
}

// Neither a key nor what a system has called its ticket leads anywhere else.
func (c Contract) names(t *testing.T) {
	l, s := c.connect(t)
	for _, key := range []string{"", "a b", "../x", `x" OR project = SECRET`, "x^ORactive=true", "x'", "x:1"} {
		x := life()[0]
		x.Key = key
		if _, err := s.Open(t.Context(), x); !delivery.IsRefusal(err) {
			t.Errorf("key %q: got %v, want a refusal", key, err)
		}
	}
	for _, id := range []string{"", "../../x", "a/b", "1?x=y", "1%2f", "x#y", "1 "} {
		if err := s.Update(t.Context(), ticket.Ref{ID: id}, life()[1]); !delivery.IsRefusal(err) {
			t.Errorf("ticket %q: got %v, want a refusal", id, err)
		}
	}
	if asked := l.requests(); len(asked) != 0 {
		t.Errorf("it was asked all the same: %v", asked)
	}
}

func (c Contract) cancelled(t *testing.T) {
	_, s := c.connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Open(ctx, life()[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
