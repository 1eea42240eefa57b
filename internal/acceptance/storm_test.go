package acceptance_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"muster/internal/incident"
)

// The same body at a thousand connections at once is one incident that counts a thousand.
func TestThousandTimesTheSameAlertIsOneIncident(t *testing.T) {
	t.Parallel()
	const times = 1_000
	s := newSystem(t, nil)
	same := body("till", "flood", "firing", 1, "")
	replies, faults := make([]reply, times), make([]error, times)
	var posting sync.WaitGroup
	begin := make(chan struct{})
	for n := range times {
		posting.Go(func() {
			<-begin
			replies[n], faults[n] = post(t.Context(), s.url, same)
		})
	}
	close(begin)
	posting.Wait()
	posts, again := 0, 0
	for n := range times {
		switch {
		case faults[n] == nil && replies[n].status == http.StatusOK:
			posts++
		case faults[n] == nil && replies[n].status == http.StatusServiceUnavailable && replies[n].retryAfter != "":
			again++
			must(t, deliver(t.Context(), s.url, same))
			posts++
		default:
			t.Fatalf("post %d: got %+v, %v", n, replies[n], faults[n])
		}
	}
	if again > 0 {
		t.Logf("%d posts had to be made again", again)
	}

	id, err := opened(t.Context(), s.api, "flood")
	must(t, err)
	i := s.state(t, id, "all posts are counted", func(i *incident.Incident) bool { return i.Alerts.Full[0].Times >= posts && i.Alerts.Posts >= posts })
	// What was answered 503 may have been durable all the same: then counts are "at least".
	exact := i.Alerts.Full[0].Times == posts && i.Alerts.Posts == posts
	if again == 0 && !exact || i.Alerts.Distinct() != 1 || i.Alerts.Firing != 1 {
		t.Errorf("%d alerts, %d firing, counted %d times in %d posts; want 1, 1, %d and %d", i.Alerts.Distinct(), i.Alerts.Firing,
			i.Alerts.Full[0].Times, i.Alerts.Posts, posts, posts)
	}
	all, err := byGroup(t.Context(), s.api)
	must(t, err)
	if len(all) != 1 || len(all["flood"]) != 1 {
		t.Errorf("incidents by group: %v; want one", fmt.Sprint(all))
	}
	s.awaitPage(t, "/ann/app", 1)
	if n := len(ids(s.sink.got(pages("/ann/app")))); n != 1 {
		t.Errorf("the first on-call got %d pages, want 1", n)
	}
	s.sink.check(t)
	checkReplay(t, s.api, id)
}
