package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

const enqueue = "/v2/enqueue"

func pagerDuty(change func(object)) string {
	e := object{
		"routing_key": "of-pager", "event_action": "trigger", "dedup_key": "k1",
		"payload": object{"summary": "It is down", "source": "host-1", "severity": "critical"},
	}
	change(e)
	return text(e)
}

func same(object) {}

func pagerSources(c *ingest.Config) {
	c.Sources = []ingest.Source{{ID: "pager", Type: alert.PagerDuty, Token: "of-pager"}, {ID: "am", Token: "of-am"}}
}

func TestPagerDutysReplies(t *testing.T) {
	type reply struct {
		Status, Message string
		DedupKey        string `json:"dedup_key"`
		Errors          []string
	}
	for _, tc := range []struct {
		name   string
		change func(object)
		status int
		says   string // the key, or the beginning of the first error
	}{
		{"trigger", same, 202, "k1"},
		{"trigger without a key", func(e object) { delete(e, "dedup_key") }, 202, "*"},
		{"resolve", func(e object) { e["event_action"] = "resolve"; delete(e, "payload") }, 202, "k1"},
		{"acknowledge", func(e object) { e["event_action"] = "acknowledge"; delete(e, "payload") }, 202, "k1"},
		{"a key with quotes", func(e object) { e["dedup_key"] = `"k"` }, 202, `"k"`},
		{"another's key", func(e object) { e["routing_key"] = "of-am" }, 400, "routing_key: want the token of a source of type pagerduty"},
		{"nobody's key", func(e object) { e["routing_key"] = "x" }, 400, "routing_key: want the token"},
		{"no key", func(e object) { delete(e, "routing_key") }, 400, "routing_key: want the token"},
		{"a number as key", func(e object) { e["routing_key"] = 5 }, 400, "routing_key: want the token"},
		{"another action", func(e object) { e["event_action"] = "open" }, 400, `event_action: want "trigger", "acknowledge" or "resolve", got "open"`},
		{"no action", func(e object) { delete(e, "event_action") }, 400, `event_action: want "trigger"`},
		{"no payload", func(e object) { delete(e, "payload") }, 400, "payload: want an object with summary, source and severity, got none"},
		{"a text as payload", func(e object) { e["payload"] = "x" }, 400, "payload: want an object, got a string"},
		{"no summary", func(e object) { delete(e["payload"].(object), "summary") }, 400, "payload.summary: want a text, got none"},
		{"no source", func(e object) { e["payload"].(object)["source"] = "" }, 400, "payload.source: want a text, got none"},
		{"another severity", func(e object) { e["payload"].(object)["severity"] = "fatal" }, 400, `payload.severity: want "critical", "error", "warning" or "info", got "fatal"`},
		{"a key too long", func(e object) { e["dedup_key"] = strings.Repeat("값", 256) }, 400, "dedup_key: want at most 255 characters, got 256"},
		{"a key as long as may be", func(e object) { e["dedup_key"] = strings.Repeat("값", 255) }, 202, strings.Repeat("값", 255)},
		{"resolve without a key", func(e object) { e["event_action"] = "resolve"; delete(e, "dedup_key") }, 400, "dedup_key: want the key of the alert that this is about"},
		{"links as object", func(e object) { e["links"] = object{} }, 400, "links: want an array, got an object"},
	} {
		e := newEngine()
		w := serve(intake(t, e, pagerSources), to(t, enqueue, pagerDuty(tc.change)))
		var got reply
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != tc.status {
			t.Errorf("%s: got %d %s, want %d", tc.name, w.Code, w.Body, tc.status)
			continue
		}
		if tc.status == 202 {
			if got.Status != "success" || got.Message != "Event processed" || got.DedupKey == "" || tc.says != "*" && got.DedupKey != tc.says {
				t.Errorf("%s: got %s", tc.name, w.Body)
			}
		} else if got.Status != "invalid event" || got.Message != "Event object is invalid" || len(got.Errors) != 1 || !strings.HasPrefix(got.Errors[0], tc.says) || len(e.seen()) > 0 {
			t.Errorf("%s: got %s, want %s", tc.name, w.Body, tc.says)
		}
	}
}

func TestAllFaultsOfAnEventAreTold(t *testing.T) {
	w := serve(intake(t, newEngine(), pagerSources), to(t, enqueue, `{"routing_key":"of-pager","payload":{}}`))
	if want := `{"status":"invalid event","message":"Event object is invalid","errors":["payload.summary: want a text, got none",` +
		`"payload.source: want a text, got none","payload.severity: want \"critical\", \"error\", \"warning\" or \"info\", got \"\"",` +
		`"event_action: want \"trigger\", \"acknowledge\" or \"resolve\", got \"\""]}` + "\n"; w.Body.String() != want || w.Code != 400 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// What ends an alert has nothing but its key, so the key alone says which incident it is, whatever routes group by.
func TestAResolveFindsItsTrigger(t *testing.T) {
	e := newEngine()
	in := intake(t, e, pagerSources)
	serve(in, to(t, enqueue, pagerDuty(func(e object) { e["payload"].(object)["custom_details"] = object{"tenant": "t1"} })))
	serve(in, to(t, enqueue, `{"routing_key":"of-pager","event_action":"resolve","dedup_key":"k1"}`))
	got := e.seen()
	if len(got) != 2 || got[0].key != got[1].key || got[0].key != "incident/pager/[{dedup_key k1}]" {
		t.Fatalf("got %+v", got)
	}
	began, ended := got[0].batch.Alerts[0], got[1].batch.Alerts[0]
	if began.Labels.Value("tenant") != "t1" || began.Fingerprint != ended.Fingerprint || ended.State != alert.Resolved || ended.EndsAt.IsZero() {
		t.Errorf("got %s and %s", text(began), text(ended))
	}
	if got[0].def.Title != "It is down" || got[0].def.Urgency != "high" {
		t.Errorf("got %+v", got[0].def)
	}
	var s alert.Set
	s.Apply(got[0].batch)
	if c := s.Apply(got[1].batch); len(c.Resolved) != 1 || !s.AllResolved() {
		t.Errorf("got %+v", c)
	}
}

// Without tokens, a key of any kind is taken from this machine.
func TestEventsOfThisMachineNeedNoKey(t *testing.T) {
	e := newEngine()
	in := intake(t, e)
	if w := serve(in, to(t, enqueue, pagerDuty(same))); w.Code != 202 || e.seen()[0].batch.Source != "pagerduty" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	r := to(t, enqueue, pagerDuty(same))
	r.RemoteAddr = "192.0.2.1:40000"
	if w := serve(in, r); w.Code != 403 || !strings.Contains(w.Body.String(), "without a token only clients on the same machine are served") {
		t.Errorf("from elsewhere: got %d %s", w.Code, w.Body)
	}
}

func TestAGuessedRoutingKeyIsTold(t *testing.T) {
	guesses := 0
	in := intake(t, newEngine(), pagerSources, func(c *ingest.Config) { c.Guess = func(*http.Request) time.Duration { guesses++; return 0 } })
	serve(in, to(t, enqueue, pagerDuty(func(e object) { e["routing_key"] = "x" })))
	serve(in, to(t, enqueue, pagerDuty(same)))
	if guesses != 1 {
		t.Errorf("%d guesses were told, want 1", guesses)
	}
}

func TestAnAcknowledgementReachesTheIncident(t *testing.T) {
	body := `{"routing_key":"of-pager","event_action":"acknowledge","dedup_key":"k1"}`
	for _, tc := range []struct {
		name, refused string
		err           error
		status        int
	}{
		{"taken", "", nil, 202}, {"refused", "it is closed", nil, 202}, {"unavailable", "", errors.New("no worker"), 503},
	} {
		e, asked := newEngine(), ""
		in := intake(t, e, pagerSources, func(c *ingest.Config) {
			c.Acknowledge = func(_ context.Context, key ingest.Key, source string) (string, error) {
				asked += key + " by " + source
				return tc.refused, tc.err
			}
		})
		w := serve(in, to(t, enqueue, body))
		if w.Code != tc.status || asked != "incident/pager/[{dedup_key k1}] by pager" || len(e.seen()) > 0 {
			t.Errorf("%s: got %d %s, asked %q, %d commits", tc.name, w.Code, w.Body, asked, len(e.seen()))
		}
		if tc.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: without Retry-After", tc.name)
		}
	}
}
