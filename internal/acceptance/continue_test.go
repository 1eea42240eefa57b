package acceptance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/timeline"
	"muster/starter/api"
)

// A storm makes the run continue as new while every receiver is down: each page that was begun before goes out after it,
// under its own id, and the timeline goes on over both runs.
func TestRunContinuesDuringAnOutage(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	var down atomic.Bool
	down.Store(true)
	away := func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return !down.Load()
	}
	everybody := []string{"/ann/app", "/ann/desk", "/bob/app", "/bob/desk", "/cat/app", "/cat/desk", "/acme/mail", "/gus/app"}
	for _, path := range everybody {
		s.sink.answer(path, away)
	}
	id := s.open(t, "till", "long")
	before := s.state(t, id, "the last resort is asked", func(i *incident.Incident) bool {
		return len(entriesOf(i.Timeline.Entries, timeline.LastResort, "", "")) > 0
	})
	if before.Escalation.Reached || len(before.Runs) != 0 {
		t.Fatalf("somebody was reached, or there are %d runs already", len(before.Runs)+1)
	}

	// More than a run hands over: what is older is read from the run that recorded it.
	for n := range 100 {
		must(t, do(t.Context(), s.api, id, incident.Note{Text: strings.Repeat("What we have seen so far. ", 100)}, fmt.Sprintf("note-%d", n)))
	}

	// Temporal wants a new run after 4 MB of history: twenty batches of 256 kB.
	storm := body("till", "long", "firing", 1_500, strings.Repeat("The same sentence, over and over. ", 100))
	must(t, deliver(t.Context(), s.url, storm))
	first := s.state(t, id, "the run continues as new and knows all alerts", func(i *incident.Incident) bool {
		return len(i.Runs) > 0 && i.Alerts.Distinct() == 1_500
	})
	if first.Timeline.Dropped == 0 {
		t.Error("the new run carries the whole timeline: nothing is read from the run before")
	}
	if first.Escalation.Reached {
		t.Error("somebody was reached in the outage")
	}

	// Whatever was begun in the outage is taken, under the id that it was begun with.
	whole, err := s.api.Timeline(t.Context(), id, "en", 0)
	must(t, err)
	var begun []delivery.ID
	for _, e := range whole.Entries {
		if e.Kind == timeline.Sending && e.Fact("what") == "page" {
			begun = append(begun, delivery.ID(e.Fact("delivery")))
		}
	}
	down.Store(false)
	if len(begun) < 3 {
		t.Fatalf("%d pages were begun in the outage, want those of three steps", len(begun))
	}
	for _, d := range begun {
		must(t, until(t.Context(), fmt.Sprintf("page %s arrives", d), func() error {
			got := s.sink.got(func(a attempt) bool { return a.ID == d })
			if len(got) > 0 && got[len(got)-1].taken {
				return nil
			}
			now, err := s.api.Timeline(t.Context(), id, "en", 0)
			if err == nil && !slices.ContainsFunc(now.Entries, func(e api.Entry) bool { return superseded(e.Entry) && e.Fact("delivery") == string(d) }) {
				err = fmt.Errorf("%d attempts were made", len(got))
			}
			return err
		}))
	}
	if repeats := s.sink.got(taken(func(a attempt) bool { return slices.Contains(begun, a.ID) && a.PossiblyRepeated })); len(repeats) == 0 {
		t.Error("none of these pages says that it may be a repeat")
	}
	must(t, do(t.Context(), s.api, id, incident.Acknowledge{}, "old-link")) // by the id that people have from the first run
	s.state(t, id, "every send has its outcome", settled)
	s.sink.check(t)
	checkReplay(t, s.api, id)
	entries := checkTimeline(t, s.api, id, s.sink)
	runs := entriesOf(entries, timeline.Continued, "", "")
	if len(runs) == 0 || len(entriesOf(entries, timeline.Resent, "what", "page")) == 0 {
		t.Errorf("the timeline says %d times that the run was continued and %d times that a page was sent again", len(runs),
			len(entriesOf(entries, timeline.Resent, "what", "page")))
	}
	for _, e := range entriesOf(entries, timeline.Withdrawn, "what", "page") {
		if slices.Contains(begun, delivery.ID(e.Fact("delivery"))) && !superseded(e) {
			t.Errorf("page %s was withdrawn: %s", e.Fact("delivery"), e.Fact("cause"))
		}
	}
}

// superseded tells whether a page was taken back for a newer one to the same person: the last resort is asked again and again,
// and an outage may last that long.
func superseded(e timeline.Entry) bool {
	return e.Kind == timeline.Withdrawn && e.Fact("cause") == "superseded"
}
