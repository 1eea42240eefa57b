package acceptance_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/internal/incident"
	"muster/internal/twiml"
)

// phones stand in for Twilio and PagerDuty, by the documentation of their APIs: what was said in calls, and which events there were.
type phones struct {
	mu     sync.Mutex
	calls  []string
	events []string
}

const phoneToken = "phone-token"

func (p *phones) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch _, password, _ := r.BasicAuth(); {
	case r.URL.Path == "/v2/enqueue":
		var e struct {
			Action string `json:"event_action"`
			Key    string `json:"dedup_key"`
		}
		_ = json.NewDecoder(r.Body).Decode(&e)
		p.events = append(p.events, e.Action+" "+e.Key)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"success","message":"Event processed"}`)
	case strings.HasPrefix(r.URL.Path, "/2010-04-01/Accounts/AC0123456789/Calls") && password == phoneToken:
		if r.Method == http.MethodPost {
			p.calls = append(p.calls, r.FormValue("Twiml"))
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, `{"sid":"CA1","status":"ringing"}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// heard is what was said in the only call, and where its key goes.
func (p *phones) heard() (said, keys string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) != 1 {
		return "", "", fmt.Errorf("%d calls", len(p.calls))
	}
	var v struct {
		Gather struct {
			Action string `xml:"action,attr"`
			Say    []string
		}
	}
	err = xml.Unmarshal([]byte(p.calls[0]), &v)
	return strings.Join(v.Gather.Say, "\n"), v.Gather.Action, err
}

// told is an error until there was an event.
func (p *phones) told(want string) func() error {
	return func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, e := range p.events {
			if e == want {
				return nil
			}
		}
		return fmt.Errorf("events %q, want %q", p.events, want)
	}
}

// pressKey sends what is sent when somebody who was called presses a key, and returns what they hear.
func pressKey(t *testing.T, s *system, public, keys, key, token string) (int, string) {
	t.Helper()
	form := url.Values{"CallSid": {"CA1"}, "Digits": {key}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+strings.TrimPrefix(keys, public), strings.NewReader(form.Encode()))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", twiml.Signature(token, keys, form))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode, string(text)
}

// A page is an alert in PagerDuty, and a call when that is not answered; a key takes it, and PagerDuty hears of that, and of the end.
func TestAPageThatRingsIsTakenByAKey(t *testing.T) {
	const public = "https://muster.example"
	folder, sink, service := t.TempDir(), newReceiver(t), &phones{}
	org := organise(t, folder, sink.url, map[string]string{"phone-token": phoneToken, "routing": strings.Repeat("a", 32)})
	at := listen(t, "127.0.0.1:0", service)
	settings, err := os.ReadFile(filepath.Join(org, "organisation.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "organisation.yaml"), string(settings)+fmt.Sprintf(`public_url: %s
channels:
  twilio: {account: AC0123456789, token: file:secrets/phone-token, from: +15005550006, url: %q}
  pagerduty: {url: %q}
`, public, at, at))
	people, err := os.ReadFile(filepath.Join(org, "people.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "people.yaml"), strings.Replace(string(people),
		"{name: app, type: webhook, address: file:secrets/ada-app, secret: file:secrets/signing}",
		"{name: pager, type: pagerduty, address: file:secrets/routing}\n      - {name: call, type: voice, address: +821012345678, after: 1s}", 1))
	s := nodeAt(t, folder, sink)
	id := s.open(t, "failing", "rings")
	var key string
	must(t, until(t.Context(), "the page is in PagerDuty", func() (err error) {
		key, err = service.key(string(id))
		return err
	}))
	var said, keys string
	must(t, until(t.Context(), "the phone rings", func() (err error) {
		said, keys, err = service.heard()
		return err
	}))
	if !strings.Contains(said, "The failing: rings") || strings.Contains(said, string(id)) || !strings.HasPrefix(keys, public+"/v1/callbacks/voice/") {
		t.Errorf("it says %q, and asks for a key at %q", said, keys)
	}
	if code, _ := pressKey(t, s, public, keys, "1", "another"); code != http.StatusUnauthorized {
		t.Errorf("with another token: got %d", code)
	}
	for range 2 {
		if code, text := pressKey(t, s, public, keys, "1", phoneToken); code != http.StatusOK || !strings.Contains(text, "you have acknowledged it.") {
			t.Errorf("got %d %s", code, text)
		}
	}
	i := s.state(t, id, "Ada has taken it", func(i *incident.Incident) bool { return len(i.Responders) > 0 })
	if len(i.Responders) != 1 || i.Responders[0].ID != "ada" {
		t.Errorf("taken by %+v", i.Responders)
	}
	must(t, until(t.Context(), "PagerDuty hears that it is taken", service.told("acknowledge "+key)))
	must(t, deliver(t.Context(), s.url, body("failing", "rings", "resolved", 1, "")))
	must(t, until(t.Context(), "PagerDuty hears that it is over", service.told("resolve "+key)))
}

// key is under which the page of an incident is known.
func (p *phones) key(incident string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if key, ok := strings.CutPrefix(e, "trigger "); ok && strings.HasPrefix(key, incident+"/") {
			return key, nil
		}
	}
	return "", fmt.Errorf("events %q, want a trigger of %s", p.events, incident)
}
