package callback_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/starter/callback"
)

const (
	hooks  = "wh00ks"
	paging = "channels: {pagerduty: {secret: env:CALLBACK_TEST_HOOKS, api_key: env:CALLBACK_TEST_KEY}}\n"
	people = "  - {id: yun, name: 윤하준, language: ko, roles: [responder], login: yun@mirnet.example, methods: [{name: desk, type: console}]}\n" +
		"  - {id: desk, name: 가람 상황실, language: ko, party: garam, login: desk@garam.example, methods: [{name: desk, type: console}]}\n"
	eventText = `{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":"TYPE","resource_type":"incident","occurred_at":"2026-11-25T05:06:09.169Z",
"agent":{"html_url":"https://mirnet.pagerduty.com/users/PLH1HKV","id":"PLH1HKV","self":"https://api.pagerduty.com/users/PLH1HKV","summary":"윤하준","type":"AGENT"},
"client":{"name":"PagerDuty"},"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2","number":2,"status":"acknowledged",
"incident_key":KEY,"title":"x","service":{"id":"PF9KMXH","summary":"Muster","type":"service_reference"},"assignees":[],"urgency":"high","resolve_reason":null}}}`
)

// An account of PagerDuty as its REST API shows it.
type account struct {
	mails map[string]string   // by user
	keys  map[string][]string // by incident there
	err   error
	asked int
}

// Mail returns the mail address of a user.
func (a *account) Mail(_ context.Context, user string) (string, error) {
	a.asked++
	if a.err != nil {
		return "", a.err
	}
	if a.mails[user] == "" {
		return "", &delivery.Refusal{Detail: "404 Not Found"}
	}
	return a.mails[user], nil
}

// Keys returns the keys of an incident.
func (a *account) Keys(_ context.Context, id string) ([]string, error) {
	a.asked++
	return a.keys[id], a.err
}

func event(kind, agent, key string) string {
	return strings.NewReplacer("TYPE", kind, "AGENT", agent, "KEY", key).Replace(eventText)
}

func signature(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (p *place) hook(body, header string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, callback.Prefix+"pagerduty", strings.NewReader(body))
	r.Header.Set("X-PagerDuty-Signature", header)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func pager(t testing.TB, settings string, a *account) *place {
	t.Helper()
	t.Setenv("CALLBACK_TEST_HOOKS", hooks)
	t.Setenv("CALLBACK_TEST_KEY", "k3y")
	return in(t, func(cfg *callback.Config) { cfg.PagerDuty = func(org.PagerDuty) callback.Directory { return a } },
		change{"organisation.yaml", "", settings}, change{"people.yaml", "", people})
}

func TestPagerDuty(t *testing.T) {
	const ours, user = `"INC-7K3M9QX2PA/3/kim/pager"`, "user_reference"
	for _, tt := range []struct {
		name, kind, agent, key string
		settings, mail         string
		keys                   []string
		before                 func(p *place, a *account)
		code, asked, noted     int
		by                     string
	}{
		{name: "acknowledged there", kind: "incident.acknowledged", agent: user, key: ours, by: "yun", asked: 1},
		{name: "resolved there", kind: "incident.resolved", agent: user, key: ours, by: "yun", asked: 1},
		{name: "another alert of the same incident", kind: "incident.acknowledged", agent: user, key: `"INC-7K3M9QX2PA/7/kim/pager"`, by: "yun", asked: 1},
		{name: "written otherwise", kind: "incident.acknowledged", agent: user, key: ours, mail: "Yun@Mirnet.example", by: "yun", asked: 1},
		{name: "an incident of several alerts", kind: "incident.acknowledged", agent: user, key: "null", keys: []string{"x", "INC-7K3M9QX2PA/3/kim/pager", "INC-7K3M9QX2PA/4/lee/pager"}, by: "yun", asked: 2},
		{name: "what Muster has said itself", kind: "incident.acknowledged", agent: "inbound_integration_reference", key: ours},
		{name: "what nobody has said", kind: "incident.acknowledged", agent: "", key: ours},
		{name: "something else", kind: "incident.triggered", agent: user, key: ours},
		{name: "a ping", kind: "pagey.ping", agent: "", key: "null"},
		{name: "nothing of ours", kind: "incident.acknowledged", agent: user, key: `"db-1/disk"`, keys: []string{"db-1/disk"}, asked: 1},
		{name: "a stranger", kind: "incident.acknowledged", agent: user, key: ours, mail: "who@example.com", asked: 1, noted: 1},
		{name: "a user who is gone", kind: "incident.acknowledged", agent: user, key: ours, mail: "-", asked: 1, noted: 1},
		{name: "one who may not", kind: "incident.acknowledged", agent: user, key: ours, mail: "desk@garam.example", asked: 1, noted: 1},
		{name: "an incident that there is not", kind: "incident.acknowledged", agent: user, key: `"INC-0000000000/kim"`, asked: 1},
		{
			name: "no key of the API", kind: "incident.acknowledged", agent: user, key: ours, noted: 1,
			settings: "channels: {pagerduty: {secret: env:CALLBACK_TEST_HOOKS}}\n",
		},
		{
			name: "taken", kind: "incident.acknowledged", agent: user, key: ours, asked: 1, noted: 1, by: "lee",
			before: func(p *place, _ *account) { p.elsewhere("lee", "이서연", incident.Acknowledge{}) },
		},
		{
			name: "the engine is away", kind: "incident.acknowledged", agent: user, key: ours, asked: 1, code: 503,
			before: func(p *place, _ *account) { p.away = errors.New("away") },
		},
		{
			name: "PagerDuty is away", kind: "incident.acknowledged", agent: user, key: ours, asked: 1, code: 503,
			before: func(_ *place, a *account) { a.err = &delivery.Unavailable{Detail: "503"} },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.mail == "" {
				tt.mail = "yun@mirnet.example"
			}
			if tt.settings == "" {
				tt.settings = paging
			}
			if tt.code == 0 {
				tt.code = http.StatusAccepted
			}
			a := &account{mails: map[string]string{"PLH1HKV": strings.Trim(tt.mail, "-")}, keys: map[string][]string{"PGR0VU2": tt.keys}}
			p := pager(t, tt.settings, a)
			if tt.before != nil {
				tt.before(p, a)
			}
			body := event(tt.kind, tt.agent, tt.key)
			for range 2 { // it comes at least once
				if w := p.hook(body, signature(hooks, body)); w.Code != tt.code {
					t.Fatalf("got %d %s, want %d", w.Code, w.Body, tt.code)
				}
			}
			by := ""
			for _, r := range p.incident.Responders {
				by += r.ID
			}
			if by != tt.by || a.asked != 2*tt.asked || len(p.attempts) != 2*tt.noted || p.guesses != 0 {
				t.Errorf("acknowledged by %q, asked %d times, noted %+v; want %q, %d and %d", by, a.asked, p.attempts, tt.by, 2*tt.asked, 2*tt.noted)
			}
		})
	}
}

// While a secret is changed for another, a body has signatures of both, and Muster may know either.
func TestSignaturesOfPagerDuty(t *testing.T) {
	body := event("incident.acknowledged", "user_reference", `"INC-7K3M9QX2PA/3/kim/pager"`)
	for header, want := range map[string]int{
		signature(hooks, body):                                    202,
		signature("new", body) + "," + signature(hooks, body):     202,
		signature(hooks, body) + ", " + signature("new", body):    202,
		signature("new", body):                                    401,
		signature(hooks, body+" "):                                401,
		strings.TrimPrefix(signature(hooks, body), "v1="):         401,
		"v0=" + strings.TrimPrefix(signature(hooks, body), "v1="): 401,
		signature("", body):                                       401,
		"":                                                        401,
		",":                                                       401,
	} {
		p := pager(t, paging, &account{mails: map[string]string{"PLH1HKV": "yun@mirnet.example"}})
		if w := p.hook(body, header); w.Code != want || (want == 401) != (p.guesses == 1) || (want == 401) == (len(p.incident.Responders) == 1) {
			t.Errorf("%s: got %d, %d guesses, %v", header, w.Code, p.guesses, p.incident.Responders)
		}
	}
	p := pager(t, paging, &account{})
	for _, bad := range []string{"", "{", "[]", "{}", `{"event":{"id":7}}`} {
		if w := p.hook(bad, signature(hooks, bad)); w.Code != http.StatusBadRequest {
			t.Errorf("%q: got %d, want 400", bad, w.Code)
		}
	}
	if w := newPlace(t).hook(body, signature(hooks, body)); w.Code != http.StatusNotFound {
		t.Errorf("without a secret: got %d, want 404", w.Code)
	}
}

func FuzzPagerDuty(f *testing.F) {
	p := pager(f, paging, &account{mails: map[string]string{"PLH1HKV": "yun@mirnet.example"}})
	f.Add(event("incident.acknowledged", "user_reference", `"INC-7K3M9QX2PA/3/kim/pager"`))
	f.Add(`{"event":{"id":"1","agent":null,"data":null}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if w := p.hook(body, signature(hooks, body)); w.Code != 202 && w.Code != 400 {
			t.Errorf("got %d for %s", w.Code, body)
		}
	})
}
