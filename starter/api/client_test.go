package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"muster/internal/incident"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/starter"
	"muster/starter/api"
)

func newClient(t *testing.T, p *place) *api.Client {
	t.Helper()
	s := httptest.NewServer(p.handler)
	t.Cleanup(s.Close)
	c, err := api.NewClient(s.URL+"/", p.person)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientReadsWhatTheServerSays(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	page, err := c.List(t.Context(), api.Filter{Status: incident.Triggered, Open: true, Limit: 3, After: "AG1vcmU"})
	if err != nil || len(page.Incidents) != 1 || page.Incidents[0].ID != open || page.Next != "AG1vcmU" || page.Zone != "Asia/Seoul" {
		t.Errorf("list: got %+v, %v", page, err)
	}
	if want := (api.Filter{Status: incident.Triggered, Open: true, Limit: 3, Ordinary: true, After: "\x00more"}); !reflect.DeepEqual(p.filter, want) {
		t.Errorf("got %+v, want %+v", p.filter, want)
	}
	i, err := c.Incident(t.Context(), open)
	if err != nil || i.Definition.Title != "Checkout answers 500" {
		t.Errorf("show: got %+v, %v", i, err)
	}
	alerts, err := c.Alerts(t.Context(), open, api.AlertFilter{Firing: true, Name: "a&b", Limit: 3, After: "ZjE"})
	if err != nil || len(alerts.Alerts) != 1 || alerts.Alerts[0].Labels["job"] != "checkout" || alerts.Next != "ZjE" || alerts.Lost != 1 {
		t.Errorf("alerts: got %+v, %v", alerts, err)
	}
	if want := (api.AlertFilter{Firing: true, Name: "a&b", Limit: 3, After: "f1"}); p.alerts != want {
		t.Errorf("got %+v, want %+v", p.alerts, want)
	}
	line, err := c.Timeline(t.Context(), open, "en", 1)
	if err != nil || line.Language != "en" || len(line.Entries) == 0 || line.Entries[0].Seq != 2 || line.Entries[0].Fact("name") == "" {
		t.Errorf("timeline: got %+v, %v", line, err)
	}
	if text, err := c.Report(t.Context(), open, report.Markdown, "en"); err != nil || !strings.Contains(string(text), "Checkout") {
		t.Errorf("report: got %s, %v", text, err)
	}
	if text, err := c.History(t.Context(), open); err != nil || string(text) != `[{"events":[]}]`+"\n" {
		t.Errorf("history: got %s, %v", text, err)
	}
	if v, err := c.Version(t.Context()); err != nil || v.Version != "v1.2.3" {
		t.Errorf("version: got %+v, %v", v, err)
	}
	for _, cmd := range []incident.Command{
		incident.Acknowledge{},
		incident.Note{Text: "<&>"},
		incident.Assign{Role: incident.SupportManager, Person: "kim"},
		incident.SetPriority{Impact: "low", Reason: "r"},
		incident.Mitigate{Note: "n"},
		incident.Resolve{Note: "n"},
		incident.Reopen{Reason: "r"},
	} {
		if _, err := c.Do(t.Context(), open, cmd, ""); err != nil {
			t.Errorf("%T: %v", cmd, err)
		}
	}
	if got := p.calls[1].Command; got != (incident.Note{Text: "<&>"}) {
		t.Errorf("got %+v", got)
	}
}

func TestClientSaysWhatTheServerRefuses(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	_, err := c.Do(t.Context(), "INC-NOBODY", incident.Note{Text: "a"}, "")
	var got refusal.Body
	if !errors.As(err, &got) || got.Status != 404 || err.Error() != "incident INC-NOBODY: not found" {
		t.Errorf("got %v", err)
	}
	_, err = c.Do(t.Context(), open, incident.Note{}, "")
	if !errors.As(err, &got) || got.Status != 422 || err.Error() != "text: missing" {
		t.Errorf("got %v", err)
	}
}

// What may have been done is asked for again under the same key.
func TestClientRepeatsUnderOneKey(t *testing.T) {
	p := newPlace(t)
	var keys []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(keys) == 1 {
			p.mu.Lock()
			p.fail = []error{&starter.UnavailableError{Cause: errors.New("down")}}
			p.mu.Unlock()
		}
		p.handler.ServeHTTP(w, r)
	}))
	defer s.Close()
	c, err := api.NewClient(s.URL, p.person)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), open, incident.Note{Text: "a"}, ""); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("got keys %q", keys)
	}
}

// Where asking again does not help, nobody waits for it.
func TestClientDoesNotRepeatWhatCannotGoOn(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	p.fail = []error{&starter.StuckError{What: "incident INC-7K3M9QX2PA", Cause: errors.New("down")}}
	_, err := c.Do(t.Context(), open, incident.Note{Text: "a"}, "")
	var got refusal.Body
	if !errors.As(err, &got) || got.Type != api.StuckRefusal || len(p.calls) > 0 {
		t.Errorf("got %v, and %d calls", err, len(p.calls))
	}
}

func TestClientFindsNoServer(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer page.Close()
	sends := httptest.NewServer(http.RedirectHandler(page.URL, http.StatusTemporaryRedirect))
	defer sends.Close()
	for name, url := range map[string]string{"nobody": gone.URL, "a page": page.URL, "a redirect": sends.URL} {
		c, err := api.NewClient(url, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Incident(t.Context(), open)
		var away *api.UnreachableError
		var p refusal.Body
		switch {
		case errors.As(err, &away):
			if away.Server != url || strings.Contains(err.Error(), "/api/") {
				t.Errorf("%s: got %v", name, err)
			}
		case !errors.As(err, &p) || p.Status != 307:
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://u:p@x", "http://x?a=b"} {
		if _, err := api.NewClient(url, ""); err == nil {
			t.Errorf("%q: taken", url)
		}
	}
}
