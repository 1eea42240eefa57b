package metrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"muster/internal/metrics"
)

// TestLint counts something everywhere and asks Prometheus's own linter.
func TestLint(t *testing.T) {
	set := used(t)
	families, err := set.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// used returns a set in which every metric has a value.
func used(t *testing.T) *metrics.Set {
	t.Helper()
	set := metrics.New(metrics.Build{Version: "v1.2.3", Revision: "abc"})
	set.Follow(func() metrics.IntakeStats {
		return metrics.IntakeStats{
			Accepted: 1, Refused: 2, Unavailable: 3, Abandoned: 4, Alerts: 5, Commits: 6, Failures: 7, Waiting: 8,
			InFlight: 9, HeldBytes: 10,
		}
	})
	set.FollowOrganisation(func() metrics.OrganisationState {
		return metrics.OrganisationState{Revision: "9f3", Changed: time.Unix(1700000000, 0)}
	})
	set.Delivery.Ended("page", "delivered", time.Second)
	set.Delivery.Tried("park", "mail", "failed")
	set.Watch.Unreachable(3)
	set.Watch.Checked("temporal", true)
	set.Watch.Checked("overdue-runs", false)
	set.Watch.Runs(2, 1)
	set.Watch.Backlog("muster", "workflow", 7, 90*time.Second, 2)
	set.Watch.Deliveries(5, 6*time.Minute)
	set.Watch.Messaged(nil)
	set.Watch.Messaged(errors.New("refused"))
	set.Watch.Ended(time.Unix(1700000000, 0))
	set.FollowChecks(func() map[string]bool { return map[string]bool{"store": false, "keys": true} })
	set.FollowKeys(func() map[string]time.Time { return map[string]time.Time{"signing": time.Unix(1700000000, 0)} })
	set.Archiving(time.Unix(1600000000, 0)).Passed(time.Unix(1700000000, 0))
	set.Delivery.Expect([]string{"delivered", "refused"}, "ticket")
	set.Alarms.Expect("guessed")
	set.Alarms.Told("not-kept", errors.New("refused"))
	answers := set.Requests.Counted("api", http.NotFoundHandler())
	answers.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/secret", nil))

	sdk := set.SDK().WithTags(map[string]string{"namespace": "default"})
	sdk.Counter("temporal_request").Inc(2)
	sdk.Timer("temporal_request_latency").Record(30 * time.Millisecond)
	sdk.Timer("temporal_workflow_endtoend_latency").Record(50 * time.Hour)
	sdk.Gauge("temporal_num_pollers").Update(5)
	return set
}

// TestShown asks for the lines that dashboards and alert rules rest on.
func TestShown(t *testing.T) {
	page := scrape(t, used(t))
	for _, want := range []string{
		`muster_build_info{go_version="go`,
		`revision="abc",version="v1.2.3"} 1`,
		`muster_intake_requests_total{outcome="accepted"} 1`,
		`muster_intake_requests_total{outcome="refused"} 2`,
		`muster_intake_requests_total{outcome="unavailable"} 3`,
		`muster_intake_requests_total{outcome="abandoned"} 4`,
		`muster_intake_alerts_total 5`,
		`muster_contact_deliveries_total{method="mail",recipient="park",result="failed"} 1`,
		`muster_watch_unreachable_people 3`,
		`muster_intake_commits_total{result="ok"} 6`,
		`muster_intake_commits_total{result="failed"} 7`,
		`muster_intake_commits_waiting 8`,
		`muster_intake_commits_in_flight 9`,
		`muster_intake_held_bytes 10`,
		`muster_organisation_ok 0`,
		`muster_organisation_changed_timestamp_seconds 1.7e+09`,
		`muster_organisation_info{revision="9f3"} 1`,
		`muster_delivery_duration_seconds_bucket{kind="page",le="1"} 1`,
		`muster_deliveries_total{kind="page",result="delivered"} 1`,
		`muster_watch_ok{check="overdue-runs"} 0`,
		`muster_watch_ok{check="temporal"} 1`,
		`muster_watch_overdue_runs 2`,
		`muster_watch_problem_runs 1`,
		`muster_task_queue_backlog_tasks{task_queue="muster",task_type="workflow"} 7`,
		`muster_task_queue_backlog_age_seconds{task_queue="muster",task_type="workflow"} 90`,
		`muster_task_queue_pollers{task_queue="muster",task_type="workflow"} 2`,
		`muster_watch_open_deliveries 5`,
		`muster_watch_oldest_delivery_age_seconds 360`,
		`muster_watch_messages_total{result="sent"} 1`,
		`muster_watch_messages_total{result="unsent"} 1`,
		`muster_watch_last_round_timestamp_seconds 1.7e+09`,
		`temporal_request_total{namespace="default"} 2`,
		`temporal_request_latency_seconds_bucket{namespace="default",le="0.05"} 1`,
		`temporal_request_latency_seconds_bucket{namespace="default",le="0.025"} 0`,
		`temporal_workflow_endtoend_latency_seconds_bucket{namespace="default",le="604800"} 1`,
		`temporal_num_pollers{namespace="default"} 5`,
		`muster_check_ok{check="keys"} 1`,
		`muster_check_ok{check="store"} 0`,
		`muster_key_used_since_timestamp_seconds{purpose="signing"} 1.7e+09`,
		`muster_archive_last_pass_timestamp_seconds 1.7e+09`,
		`muster_deliveries_total{kind="ticket",result="refused"} 0`,
		`muster_alarms_total{alarm="guessed",result="unsent"} 0`,
		`muster_alarms_total{alarm="not-kept",result="unsent"} 1`,
		`muster_http_requests_total{code="404",part="api"} 1`,
		`muster_http_request_duration_seconds_count{part="api"} 1`,
		`go_goroutines `,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("not shown: %s", want)
		}
	}
}

// TestTags counts one name under tags that differ from place to place, as the SDK does.
func TestTags(t *testing.T) {
	set := metrics.New(metrics.Build{})
	sdk := set.SDK()
	sdk.Counter("temporal_request").Inc(1)
	sdk.WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(1)
	sdk.WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(1)
	sdk.WithTags(map[string]string{"operation": "Poll", "task_queue": "muster"}).Counter("temporal_request").Inc(1)
	sdk.WithTags(map[string]string{"operation": "Poll"}).WithTags(map[string]string{"operation": "Start"}).
		Counter("temporal_request").Inc(1)
	// What nobody should count by, values that are no text, a counter that goes down, and two kinds of one name.
	sdk.WithTags(map[string]string{"workflow_id": "incident/am/1", "mail": "a@b.c"}).Counter("temporal_request").Inc(1)
	sdk.WithTags(map[string]string{"operation": "\xff"}).Counter("temporal_request").Inc(1)
	sdk.Counter("temporal_request").Inc(-1)
	sdk.Gauge("temporal_request_total").Update(9)

	page := scrape(t, set)
	for _, want := range []string{
		"temporal_request_total 2\n",
		`temporal_request_total{operation="Poll"} 2`,
		`temporal_request_total{operation="Poll",task_queue="muster"} 1`,
		`temporal_request_total{operation="Start"} 1`,
		"temporal_request_total{operation=\"\uFFFD\"} 1",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("not shown: %s\n%s", want, page)
		}
	}
	for _, secret := range []string{"incident/am/1", "a@b.c"} {
		if strings.Contains(page, secret) {
			t.Errorf("shown: %s", secret)
		}
	}
}

// TestTogether counts from many sides at once while somebody scrapes.
func TestTogether(t *testing.T) {
	set := metrics.New(metrics.Build{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				set.SDK().WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(1)
				set.SDK().Timer("temporal_request_latency").Record(time.Millisecond)
			}
		})
	}
	all.Go(func() {
		for range 5 {
			scrape(t, set)
		}
	})
	all.Wait()
	if page, want := scrape(t, set), `temporal_request_total{operation="Poll"} 1600`; !strings.Contains(page, want) {
		t.Errorf("not shown: %s", want)
	}
}

// TestNobodyWatches lets every method of a nil Watch do nothing.
func TestNobodyWatches(*testing.T) {
	var w *metrics.Watch
	w.Checked("temporal", true)
	w.Runs(1, 1)
	w.Backlog("muster", "workflow", 1, time.Second, 1)
	w.Deliveries(1, time.Second)
	w.Messaged(nil)
	w.Ended(time.Time{})
}

// scrape returns what Prometheus would read.
func scrape(t *testing.T, set *metrics.Set) string {
	t.Helper()
	w := httptest.NewRecorder()
	set.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Errorf("got status %d, want 200: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// However many people and contact methods an organisation has had, their counts stay within bounds, and every attempt counts.
func TestContactCountsAreBounded(t *testing.T) {
	set := metrics.New(metrics.Build{})
	for range 2 {
		for n := range 1_500 {
			set.Delivery.Tried(fmt.Sprint("p", n), "mail", "delivered")
		}
	}
	page := scrape(t, set)
	if n := strings.Count(page, "\nmuster_contact_deliveries_total{"); n != 1_001 {
		t.Errorf("%d series, want 1001", n)
	}
	for _, want := range []string{
		`muster_contact_deliveries_total{method="mail",recipient="p999",result="delivered"} 2`,
		`muster_contact_deliveries_total{method="others",recipient="others",result="delivered"} 1000`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in it", want)
		}
	}
}
