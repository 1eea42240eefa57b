package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/priority"
	"muster/starter/ingest"
)

// of is an alert of a tenant, whose alerts a route groups, or of none.
func of(tenant string, a object) object {
	labels := object{"alertname": a["labels"].(object)["alertname"], "cluster": "c"}
	if tenant != "" {
		labels["tenant"] = tenant
	}
	a["labels"] = labels
	return a
}

// One post becomes as many incidents as its routes say, and what no route groups stays as the source has grouped it.
func TestAPostIsDividedByRoutes(t *testing.T) {
	e := newEngine()
	in := intake(t, e)
	body := message("g", "critical", of("a", firing("1")), of("", firing("2")), of("b", firing("3")), of("a", firing("4")))
	body["commonAnnotations"] = object{"summary": "all of it"}
	for n, a := range body["alerts"].([]object) {
		a["annotations"] = object{"summary": fmt.Sprint("tenant of ", []string{"1", "", "3", "1"}[n])}
	}
	if w := serve(in, post(t, text(body))); w.Code != 200 || w.Body.String() != `{"status":"accepted","alerts":4,"commits":3}`+"\n" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	type incident struct {
		title  string
		alerts []string
	}
	got := map[string]incident{}
	for _, c := range e.seen() {
		var alerts []string
		for _, a := range c.batch.Alerts {
			alerts = append(alerts, a.Fingerprint)
		}
		got[c.key] = incident{c.def.Title, alerts}
	}
	want := map[string]incident{
		"incident/alertmanager/route tenants[{tenant a}]": {"tenant of 1", []string{"1", "4"}},
		"incident/alertmanager/route tenants[{tenant b}]": {"tenant of 3", []string{"3"}},
		"incident/alertmanager/muster[{alertname g}]":     {"all of it", []string{"2"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(incident{})); diff != "" {
		t.Error(diff)
	}
}

// Whatever groups the source makes, and whoever receives them, the alerts of one tenant are one incident.
func TestTheIncidentOfARouteDoesNotDependOnTheSourcesGroups(t *testing.T) {
	e := newEngine()
	in := intake(t, e)
	for n, group := range []string{"g1", "g2", "g1"} {
		body := message(group, "", of("a", firing(fmt.Sprint(n))))
		body["receiver"] = fmt.Sprint("receiver", n)
		if w := serve(in, post(t, text(body))); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
	}
	for _, c := range e.seen() {
		if c.key != "incident/alertmanager/route tenants[{tenant a}]" {
			t.Errorf("got incident %s", c.key)
		}
	}
}

// What the source says of its group is true of a part of it, and not of a group that is wider than the source's.
func TestOnlyAPartOfTheSourcesGroupIsResolvedWithIt(t *testing.T) {
	for _, tc := range []struct {
		name  string
		group object
		want  bool
	}{
		{"the source groups by nothing", object{}, true},
		{"the source groups by the same", object{"tenant": "a"}, true},
		{"the source groups by more", object{"tenant": "a", "alertname": "g"}, false},
	} {
		e := newEngine()
		body := message("g", "", of("a", resolved("1")))
		body["status"], body["groupLabels"] = "resolved", tc.group
		if w := serve(intake(t, e), post(t, text(body))); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		if got := e.seen()[0].batch.GroupResolved; got != tc.want {
			t.Errorf("%s: resolved %t, want %t", tc.name, got, tc.want)
		}
	}
}

// Each alert comes to the incident that it belongs to, once, in the order of the post, and what a part has in common is what
// each of its alerts has.
func TestDivisionLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := newEngine()
		in := intake(t, e, func(c *ingest.Config) { c.Router = &watched{fail: rt.Fatal} })
		tenants := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c"}), 1, 30).Draw(rt, "tenants")
		want := map[string][]string{}
		var alerts []object
		for n, tenant := range tenants {
			alerts = append(alerts, of(tenant, firing(fmt.Sprintf("%03d", n))))
			k := key("alertmanager", "muster", alert.Labels{{Name: "alertname", Value: "g"}})
			if tenant != "" {
				k = routeKey("alertmanager", "tenants", alert.Labels{{Name: "tenant", Value: tenant}})
			}
			want[k] = append(want[k], fmt.Sprintf("%03d", n))
		}
		if w := serve(in, post(t, text(message("g", "", alerts...)))); w.Code != 200 {
			rt.Fatal(w.Code, w.Body)
		}
		got := map[string][]string{}
		for _, c := range e.seen() {
			for _, a := range c.batch.Alerts {
				got[c.key] = append(got[c.key], a.Fingerprint)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// watched fails a test whose router is asked with something in common that not each alert has.
type watched struct {
	routes

	fail func(args ...any)
}

func (w *watched) Levels(source string, common alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	for _, own := range each {
		for _, l := range common {
			if l.Name == "tenant" && own.Value(l.Name) != l.Value {
				w.fail("in common", common, "of", own)
			}
		}
	}
	return w.routes.Levels(source, common, each...)
}

// A storm over many incidents comes through in one request, and never crowds others out.
func TestAPostOfManyIncidents(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 5 * ms
		in := intake(t, e)
		var alerts []object
		for n := range 3000 {
			alerts = append(alerts, of(fmt.Sprintf("t%04d", n), firing(fmt.Sprintf("%016x", n))))
		}
		most := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 800 {
				time.Sleep(ms)
				most = max(most, in.Stats().Waiting)
			}
		}()
		w := serve(in, post(t, text(message("g", "", alerts...))))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"alerts":3000,"commits":3000`) {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if took := time.Since(e.since); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
		<-done
		if most == 0 || most > ingest.Abreast {
			t.Errorf("%d commits waited at a time, want at most %d", most, ingest.Abreast)
		}
		if s := in.Stats(); s.Accepted != 1 || s.Alerts != 3000 {
			t.Errorf("got %+v", s)
		}
		return in
	})
}

// A part that is not durable fails the request, and holds up none of the others.
func TestAPartThatFails(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		var failures atomic.Int64
		e.fail = func(_ context.Context, call int) error {
			if call == 7 {
				failures.Add(1)
				return errors.New("connection refused")
			}
			return nil
		}
		in := intake(t, e)
		var alerts []object
		for n := range 100 {
			alerts = append(alerts, of(fmt.Sprint("t", n), firing(fmt.Sprint(n))))
		}
		if w := serve(in, post(t, text(message("g", "", alerts...)))); w.Code != 503 {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if s := in.Stats(); len(e.seen()) != 100 || failures.Load() != 1 || s.Commits != 99 || s.Unavailable != 1 {
			t.Errorf("got %d calls, %d failures, %+v", len(e.seen()), failures.Load(), s)
		}
		return in
	})
}

// Of a request with many incidents the most pressing is not the last.
func TestThePressingPartsComeFirst(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = ms
		in := intake(t, e, func(c *ingest.Config) { c.InFlight = 1 })
		var alerts []object
		for n := range 300 {
			a := of(fmt.Sprintf("t%03d", n), firing(fmt.Sprint(n)))
			a["labels"].(object)["severity"] = "info"
			if n == 299 {
				a["labels"].(object)["severity"] = "critical"
			}
			alerts = append(alerts, a)
		}
		if w := serve(in, post(t, text(message("g", "", alerts...)))); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		at := slices.IndexFunc(e.seen(), func(c call) bool { return strings.Contains(c.key, "t299") })
		if at < 0 || at > 1 { // one had its turn before there was a queue
			t.Errorf("the pressing one came as number %d", at)
		}
		return in
	})
}
