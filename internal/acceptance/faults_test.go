package acceptance_test

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/postgrestest"
	"muster/internal/timeline"
)

// failing answers the first requests with a status, and takes the rest.
func failing(times, status int, header http.Header) answer {
	return func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > times {
			return true
		}
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		return false
	}
}

// A receiver may answer what it likes: what must be repeated is repeated under the same id until it is taken, what is
// refused moves on, and nothing is lost.
func TestReceiverMisbehaves(t *testing.T) {
	t.Parallel()
	nobody := fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t)) // where nobody listens until later
	s := newSystem(t, map[string]string{"dan-app": "http://" + nobody + "/dan/app"})

	t.Run("500 is repeated until it is taken", func(t *testing.T) {
		t.Parallel()
		s.sink.answer("/ada/app", failing(3, http.StatusInternalServerError, nil))
		id := s.open(t, "failing", "500")
		s.isRepeated(t, id, "/ada/app", 4)
	})

	t.Run("429 is repeated, not before the receiver wants it", func(t *testing.T) {
		t.Parallel()
		const wait = 4
		s.sink.answer("/ben/app", failing(1, http.StatusTooManyRequests, http.Header{"Retry-After": {fmt.Sprint(wait)}}))
		id := s.open(t, "busy", "429")
		got := s.isRepeated(t, id, "/ben/app", 2)
		if waited := got[1].at.Sub(got[0].at); waited < wait*time.Second {
			t.Errorf("it was repeated after %s, want at least %d s", waited, wait)
		}
	})

	t.Run("one that hangs is not waited for, and asked again", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("it hangs for as long as an attempt may take")
		}
		s.sink.answer("/cho/app", func(n int, _ http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				<-r.Context().Done() // until the sender gives up
			}
			return n > 1
		})
		id := s.open(t, "hanging", "hang")
		s.awaitPage(t, "/cho/desk", 1)
		if n := len(s.sink.got(taken(pages("/cho/app")))); n != 0 {
			t.Error("the next contact method was tried only after the first had answered")
		}
		s.isRepeated(t, id, "/cho/app", 2)
	})

	t.Run("one that refuses connections is not waited for, and asked until it is there", func(t *testing.T) {
		t.Parallel()
		id := s.open(t, "absent", "refused")
		s.awaitPage(t, "/dee/app", 1) // the second step, two seconds later
		host, port, err := net.SplitHostPort(nobody)
		must(t, err)
		listen(t, net.JoinHostPort(host, port), s.sink)
		page := s.awaitPage(t, "/dan/app", 1)[0]
		if page.Attempt < 2 || !page.PossiblyRepeated {
			t.Errorf("attempt %d arrived, possibly repeated: %t; want a later one that says so", page.Attempt, page.PossiblyRepeated)
		}
		s.ends(t, id)
	})

	t.Run("404 moves to the next contact method, and then to the next step", func(t *testing.T) {
		t.Parallel()
		s.sink.answer("/eve/app", failing(99, http.StatusNotFound, nil))
		s.sink.answer("/eve/desk", failing(99, http.StatusNotFound, nil))
		id := s.open(t, "gone", "404")
		s.awaitPage(t, "/fay/app", 1) // its step would be due in an hour
		entries := s.ends(t, id)
		var told []string
		for _, e := range entries {
			switch e.Kind {
			case timeline.Sending, timeline.Refused, timeline.NextMethod, timeline.StepFailed, timeline.Delivered:
				if e.Kind == timeline.StepFailed || e.Fact("what") == "page" {
					told = append(told, strings.Join([]string{string(e.Kind), e.Fact("to"), e.Fact("method"), e.Fact("step")}, " "))
				}
			}
		}
		want := []string{
			"delivery.sending Eve app ", "delivery.refused Eve app ", "delivery.next Eve desk ", "delivery.sending Eve desk ",
			"delivery.refused Eve desk ", "escalation.step-failed   1", "delivery.sending Fay app ", "delivery.delivered Fay app ",
		}
		if !slices.Equal(told, want) {
			t.Errorf("the timeline says\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
		for _, path := range []string{"/eve/app", "/eve/desk"} {
			if n := len(s.sink.got(pages(path))); n != 1 {
				t.Errorf("%s was asked %d times, want once: it has refused", path, n)
			}
		}
	})
}

// isRepeated asks that a path gets one page, under one id, in so many attempts of which the last is taken.
func (s *system) isRepeated(t *testing.T, id incident.ID, path string, attempts int) []attempt {
	t.Helper()
	s.awaitPage(t, path, 1)
	entries := s.ends(t, id)
	got := s.sink.got(pages(path))
	if len(got) != attempts || len(ids(got)) != 1 {
		t.Fatalf("%s got %d attempts under the ids %v, want %d under one", path, len(got), ids(got), attempts)
	}
	for n, a := range got {
		if a.Attempt != n+1 || a.PossiblyRepeated != (n > 0) {
			t.Errorf("attempt %d of %s says that it is %d, possibly repeated: %t", n+1, a.ID, a.Attempt, a.PossiblyRepeated)
		}
	}
	delivered := entriesOf(entries, timeline.Delivered, "delivery", string(got[0].ID))
	if len(delivered) != 1 || delivered[0].Fact("attempts") != fmt.Sprint(attempts) {
		t.Errorf("the timeline says %+v of %s, want delivered in %d attempts", delivered, got[0].ID, attempts)
	}
	return got
}

// ends waits until nothing is under way, acknowledges, and checks the timeline and the replay.
func (s *system) ends(t *testing.T, id incident.ID) []timeline.Entry {
	t.Helper()
	s.state(t, id, "every send has its outcome", settled)
	must(t, do(t.Context(), s.api, id, incident.Acknowledge{}, "ends-"+string(id)))
	s.state(t, id, "every send has its outcome", settled)
	entries := checkTimeline(t, s.api, id, s.sink)
	checkReplay(t, s.api, id)
	s.sink.check(t)
	return entries
}
