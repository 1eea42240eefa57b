package store_test

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/internal/store"
)

func park(now time.Time) store.Session {
	return store.Session{Person: "park", Name: "박서준", Via: "oidc", Roles: []string{"administrator"}, Expires: now.Add(24 * time.Hour)}
}

func TestSessions(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	want := park(c.now())
	secret, err := s.CreateSession(t.Context(), want)
	must(t, err)
	if random, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(random) != 32 {
		t.Errorf("got %q, %v; want 32 bytes", secret, err)
	}
	want.Created, want.Seen = c.now(), c.now()
	if got, err := s.Session(t.Context(), secret); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	other, err := s.CreateSession(t.Context(), park(c.now()))
	must(t, err)
	if other == secret {
		t.Error("got one secret twice")
	}
	for range 2 {
		must(t, s.EndSession(t.Context(), secret))
		if got, err := s.Session(t.Context(), secret); !errors.Is(err, store.ErrUnknown) || got.Person != "" {
			t.Errorf("got %+v, %v; want %v", got, err, store.ErrUnknown)
		}
	}
	if _, err := s.Session(t.Context(), other); err != nil {
		t.Errorf("another session: got %v", err)
	}
	for _, text := range []string{"", "park", secret[:42], secret + "A", strings.Repeat("A", 43), "+" + secret[1:]} {
		if _, err := s.Session(t.Context(), text); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%q: got %v, want %v", text, err, store.ErrUnknown)
		}
	}
}

func TestCreateSessionChecksFields(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	for _, tc := range []struct {
		name   string
		change func(*store.Session)
		want   []string
	}{
		{"right", func(*store.Session) {}, nil},
		{"a customer's", func(n *store.Session) { n.Person = "garam/it-desk" }, nil},
		{"nobody", func(n *store.Session) { n.Person = "" }, []string{"person"}},
		{"no role", func(n *store.Session) { n.Roles = []string{""} }, []string{"roles"}},
		{"without end", func(n *store.Session) { n.Expires = time.Time{} }, []string{"expires"}},
		{"over", func(n *store.Session) { n.Expires = c.now() }, []string{"expires"}},
		{"all at once", func(n *store.Session) { *n = store.Session{} }, []string{"person", "expires"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := park(c.now())
			tc.change(&n)
			secret, err := s.CreateSession(t.Context(), n)
			wantFaults(t, err, tc.want...)
			if (secret == "") != (len(tc.want) > 0) {
				t.Errorf("got a secret of %d characters, %v", len(secret), err)
			}
		})
	}
}

func TestSessionsEnd(t *testing.T) {
	for _, tc := range []struct {
		name string
		used []time.Duration // after it began
		at   time.Duration
		want error
	}{
		{"new", nil, 0, nil},
		{"idle for just so long", nil, store.Idle, nil},
		{"idle for longer", nil, store.Idle + time.Microsecond, store.ErrExpired},
		{"used in between", []time.Duration{5 * time.Hour}, 13 * time.Hour, nil},
		{"used too long ago", []time.Duration{5 * time.Hour}, 13*time.Hour + time.Microsecond, store.ErrExpired},
		{"used within the minute, which does not count", []time.Duration{59 * time.Second}, store.Idle + time.Second, store.ErrExpired},
		{"used after a minute", []time.Duration{time.Minute}, store.Idle + time.Minute, nil},
		{"busy until the last moment", []time.Duration{8 * time.Hour, 16 * time.Hour}, 24*time.Hour - time.Microsecond, nil},
		{"busy, at the exact end", []time.Duration{8 * time.Hour, 16 * time.Hour}, 24 * time.Hour, store.ErrExpired},
		{"a clock set back", []time.Duration{time.Hour}, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClock()
			start := c.now()
			s := open(t, inFolder(t), c.now)
			secret, err := s.CreateSession(t.Context(), park(start))
			must(t, err)
			for _, at := range tc.used {
				c.move(start.Add(at).Sub(c.now()))
				_, err := s.Session(t.Context(), secret)
				must(t, err)
			}
			c.move(start.Add(tc.at).Sub(c.now()))
			if got, err := s.Session(t.Context(), secret); !errors.Is(err, tc.want) || got.Person != "park" {
				t.Errorf("got %+v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestSessionsThatAreOverAreRemoved(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	start := c.now()
	begin := func(life time.Duration) string {
		n := park(c.now())
		n.Expires = start.Add(life)
		secret, err := s.CreateSession(t.Context(), n)
		must(t, err)
		return secret
	}
	over, idle, busy := begin(store.Idle), begin(24*time.Hour), begin(24*time.Hour)
	c.move(time.Hour)
	_, err := s.Session(t.Context(), busy)
	must(t, err)
	c.move(store.Idle - time.Hour) // idle lives on to the end of this instant
	begin(24 * time.Hour)
	for name, tc := range map[string]struct {
		secret string
		want   error
	}{"over": {over, store.ErrUnknown}, "idle": {idle, nil}, "busy": {busy, nil}} {
		if _, err := s.Session(t.Context(), tc.secret); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	c.move(store.Idle + time.Microsecond)
	begin(24 * time.Hour)
	if n, err := s.EndSessions(t.Context(), "park"); err != nil || n != 1 {
		t.Errorf("got %d left, %v; want the newest alone", n, err)
	}
}

func TestEndSessions(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	secrets := map[string]string{}
	for _, person := range []string{"park", "kim", "garam/park"} {
		for range 2 {
			n := park(c.now())
			n.Person = person
			secret, err := s.CreateSession(t.Context(), n)
			must(t, err)
			secrets[secret] = person
		}
	}
	for _, want := range []int{2, 0} {
		if n, err := s.EndSessions(t.Context(), "park"); err != nil || n != want {
			t.Errorf("got %d ended, %v; want %d", n, err, want)
		}
	}
	for secret, person := range secrets {
		if _, err := s.Session(t.Context(), secret); errors.Is(err, store.ErrUnknown) != (person == "park") {
			t.Errorf("%s: got %v", person, err)
		}
	}
}

func TestASessionThatCannotBeMarkedIsGood(t *testing.T) {
	c := newClock()
	file := inFolder(t)
	s := open(t, file, c.now)
	start := c.now()
	secret, err := s.CreateSession(t.Context(), park(start))
	must(t, err)
	refuse(t, file, "UPDATE ON sessions", "")
	c.move(store.Idle)
	if got, err := s.Session(t.Context(), secret); err != nil || !got.Seen.Equal(start) {
		t.Errorf("got %+v, %v; want it seen at %v", got, err, start)
	}
}
