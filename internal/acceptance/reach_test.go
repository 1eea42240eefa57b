package acceptance_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"muster/internal/incident"
	"muster/internal/reach"
	"muster/internal/timeline"
	"muster/starter/api"
)

// Whoever a page finds that nothing reaches is named over the fallback, in the timeline and by the API, until a test page arrives.
func TestWhomNothingReachesIsSaid(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the self-watch takes its time")
	}
	s := newSystem(t, nil)
	s.sink.answer("/eve/app", failing(1_000, http.StatusGone, nil))
	s.sink.answer("/eve/desk", failing(1_000, http.StatusGone, nil))
	id := s.open(t, "gone", "unreachable")
	s.state(t, id, "it says whom nothing reaches", func(i *incident.Incident) bool {
		return len(entriesOf(i.Timeline.Entries, timeline.Unreachable, "to", "Eve")) == 1
	})
	said := func(what string) {
		t.Helper()
		must(t, until(t.Context(), "the fallback says "+what, func() error {
			if len(s.sink.got(func(a attempt) bool { return a.path == "/watch/hook" && strings.Contains(a.text, what) })) == 0 {
				return errors.New("it does not")
			}
			return nil
		}))
	}
	said("PROBLEM reach: 1 on call or in a policy cannot be reached")
	said("Eve (eve)")
	l, err := s.api.Contacts(t.Context(), "eve")
	must(t, err)
	if eve := l.Contacts[0]; !eve.Unreachable || !eve.Answers || eve.Methods[0].Result != reach.Failed || eve.Methods[1].Result != reach.Failed {
		t.Errorf("got %+v", eve)
	}
	s.sink.answer("/eve/desk", nil)
	must(t, until(t.Context(), "test pages go out", func() error {
		_, err := s.api.TestContacts(t.Context(), api.NewContactTest{Person: "eve"}, "again")
		return err
	}))
	must(t, until(t.Context(), "a test page has arrived", func() error {
		l, err := s.api.Contacts(t.Context(), "eve")
		if err == nil && (l.Contacts[0].Unreachable || l.Contacts[0].Methods[1].Test == nil) {
			err = fmt.Errorf("it has not: %+v", l.Contacts[0].Methods)
		}
		return err
	}))
	if got := s.sink.got(func(a attempt) bool { return a.path == "/eve/desk" && strings.Contains(a.text, "[TEST]") }); len(got) != 1 {
		t.Errorf("%d test pages by desk, want 1", len(got))
	}
	said("ALL CLEAR reach: ok")
}
