package callback_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/starter/callback"
)

const signing = "8f742231b10e8888abcd99yyyzzz85a5"

// A workspace sends what people press in it, and keeps what they are told.
type workspace struct {
	*place

	t    testing.TB
	told []string
	urls []string
}

// inSlack has Kim in Slack, as U0KIM, and Lee, as U0LEE.
func inSlack(t testing.TB) *workspace {
	t.Helper()
	t.Setenv("SLACK_TOKEN", "xoxb-1")
	t.Setenv("SLACK_SIGNING", signing)
	w := &workspace{t: t}
	w.place = in(t, func(cfg *callback.Config) {
		cfg.Tell = func(_ context.Context, to string, body []byte) error {
			var m struct{ Text string }
			if err := json.Unmarshal(body, &m); err != nil {
				w.t.Error(err)
			}
			w.told, w.urls = append(w.told, m.Text), append(w.urls, to)
			return nil
		}
	}, change{"organisation.yaml", "\ntickets:", "\nchannels:\n  slack: {token: env:SLACK_TOKEN, signing_secret: env:SLACK_SIGNING}\n\ntickets:"},
		change{"people.yaml", "      - {name: app, type: file, address: kim.jsonl}\n", "      - {name: app, type: slack, address: U0KIM}\n"},
		change{"people.yaml", "      - {name: app, type: file, address: lee.jsonl}\n", "      - {name: app, type: slack, address: U0LEE}\n"})
	return w
}

// press is the request of Slack for a button, signed.
func (w *workspace) press(member string, action link.Action, value string) *http.Request {
	payload := fmt.Sprintf(`{"type":"block_actions","user":{"id":%q},"response_url":"https://hooks.slack.com/actions/T/1/x","actions":[{"action_id":%q,"value":%q,"action_ts":"1700000000.1"}]}`,
		member, action, value)
	return w.signed(url.Values{"payload": {payload}}.Encode(), w.clock)
}

func (w *workspace) signed(body string, at time.Time) *http.Request {
	w.t.Helper()
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(signing))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	r := httptest.NewRequest(http.MethodPost, callback.Prefix+"slack", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

func (w *workspace) send(r *http.Request) int {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer.Code
}

func value() string { return string(open) + " " + shown() }

func TestButtonsOfSlack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		member string
		action link.Action
		value  string
		before func(w *workspace)
		want   string
		status incident.Status
		noted  int
	}{
		{"acknowledge", "U0KIM", link.Acknowledge, value(), nil, "INC-7K3M9QX2PA: 확인(ACK)했습니다.", incident.Acknowledged, 0},
		{"escalate", "U0KIM", link.Escalate, value(), nil, "INC-7K3M9QX2PA: 다음 단계로 올렸습니다.", incident.Triggered, 0},
		{"resolve", "U0KIM", link.Resolve, value(), nil, "INC-7K3M9QX2PA: 해결로 처리했습니다.", incident.Resolved, 0},
		{
			"taken", "U0KIM", link.Acknowledge, value(), func(w *workspace) { w.elsewhere("lee", "이<서>연", incident.Acknowledge{}) },
			"INC-7K3M9QX2PA: 담당자(이&lt;서&gt;연)가 이미 확인(ACK)했습니다. 더 하실 일은 없습니다.", incident.Acknowledged, 1,
		},
		{
			"another title", "U0KIM", link.Acknowledge, string(open) + " 0123", nil,
			"INC-7K3M9QX2PA: 이 메시지를 보낸 뒤 장애의 제목이나 서비스가 바뀌었습니다. 내용을 다시 보고 결정하십시오.", incident.Triggered, 1,
		},
		{
			"nobody", "U0WHO", link.Acknowledge, value(), nil,
			"Muster가 모르는 Slack 구성원입니다. people.yaml에서 본인의 methods에 다음을 넣으십시오: {name: slack, type: slack, address: U0WHO}", incident.Triggered, 1,
		},
		{
			"the engine is away", "U0KIM", link.Acknowledge, value(), func(w *workspace) { w.away = errors.New("away") },
			"INC-7K3M9QX2PA: 지금은 처리하지 못했습니다. 잠시 뒤 버튼을 다시 누르십시오.", incident.Triggered, 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := inSlack(t)
			if tt.before != nil {
				tt.before(w)
			}
			if code := w.send(w.press(tt.member, tt.action, tt.value)); code != http.StatusOK {
				t.Errorf("got %d", code)
			}
			if len(w.told) != 1 || w.told[0] != tt.want || w.urls[0] != "https://hooks.slack.com/actions/T/1/x" {
				t.Errorf("told %q at %q, want %q", w.told, w.urls, tt.want)
			}
			if w.incident.Status != tt.status || len(w.attempts) != tt.noted {
				t.Errorf("it is %s, and noted %+v", w.incident.Status, w.attempts)
			}
		})
	}
}

// What Slack sends again, or somebody else does, is the same decision.
func TestButtonAgain(t *testing.T) {
	w := inSlack(t)
	for range 2 {
		if code := w.send(w.press("U0KIM", link.Escalate, value())); code != http.StatusOK {
			t.Fatalf("got %d", code)
		}
	}
	if len(w.incident.Decided) != 1 || len(w.told) != 2 || w.told[0] != w.told[1] {
		t.Errorf("%d decisions, told %q", len(w.incident.Decided), w.told)
	}
}

// A link is a button too, and decides nothing; nor does anything else that people do in Slack.
func TestOtherDeedsInSlack(t *testing.T) {
	w := inSlack(t)
	for _, r := range []*http.Request{
		w.press("U0KIM", "open", ""),
		w.signed(url.Values{"payload": {`{"type":"shortcut","user":{"id":"U0KIM"}}`}}.Encode(), w.clock),
	} {
		if code := w.send(r); code != http.StatusOK || len(w.told) != 0 || len(w.incident.Decided) != 0 {
			t.Errorf("got %d, told %q", code, w.told)
		}
	}
	elsewhere := `{"type":"block_actions","user":{"id":"U0KIM"},"response_url":"http://10.0.0.1/","actions":[{"action_id":"acknowledge","value":"` + value() + `","action_ts":"1"}]}`
	if code := w.send(w.signed(url.Values{"payload": {elsewhere}}.Encode(), w.clock)); code != http.StatusOK || len(w.told) != 0 {
		t.Errorf("got %d, told at %q", code, w.urls)
	}
}

func TestSlackProvesItself(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *workspace, r *http.Request) *http.Request
		want   int
	}{
		"no signature": {func(_ *workspace, r *http.Request) *http.Request { r.Header.Del("X-Slack-Signature"); return r }, 401},
		"another signature": {func(_ *workspace, r *http.Request) *http.Request {
			r.Header.Set("X-Slack-Signature", "v0=00")
			return r
		}, 401},
		"no time": {func(_ *workspace, r *http.Request) *http.Request { r.Header.Del("X-Slack-Request-Timestamp"); return r }, 401},
		"another time": {func(w *workspace, r *http.Request) *http.Request {
			r.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(w.clock.Unix()+1))
			return r
		}, 401},
		"old": {func(w *workspace, _ *http.Request) *http.Request {
			return w.signed("payload={}", w.clock.Add(-301*time.Second))
		}, 401},
		"of later": {func(w *workspace, _ *http.Request) *http.Request {
			return w.signed("payload={}", w.clock.Add(301*time.Second))
		}, 401},
		"in time": {func(w *workspace, _ *http.Request) *http.Request {
			return w.signed("payload={}", w.clock.Add(-299*time.Second))
		}, 200},
		"no payload": {func(w *workspace, _ *http.Request) *http.Request { return w.signed("x=1", w.clock) }, 400},
		"no JSON":    {func(w *workspace, _ *http.Request) *http.Request { return w.signed("payload=x", w.clock) }, 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := inSlack(t)
			if code := w.send(tt.change(w, w.press("U0KIM", link.Acknowledge, value()))); code != tt.want {
				t.Errorf("got %d, want %d", code, tt.want)
			}
			if refused := tt.want == 401; (w.guesses == 1) != refused || (len(w.attempts) == 1) != refused || len(w.incident.Decided) != 0 {
				t.Errorf("%d guesses, noted %+v, decided %v", w.guesses, w.attempts, w.incident.Decided)
			}
		})
	}
	p := newPlace(t)
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, callback.Prefix+"slack", strings.NewReader("payload={}")))
	if answer.Code != http.StatusNotFound {
		t.Errorf("without channels: got %d", answer.Code)
	}
}

// Whatever Slack signs, it falls over nothing, and decides nothing that no button of the incident says.
func FuzzSlack(f *testing.F) {
	for _, payload := range []string{
		"", "{}", "null", `{"type":"block_actions","actions":[{}]}`, `{"type":"block_actions","user":{"id":"U0KIM"},"actions":[{"action_id":"resolve","value":"INC-1 x"}]}`,
	} {
		f.Add(payload)
	}
	w := inSlack(f)
	f.Fuzz(func(t *testing.T, payload string) {
		w.t = t
		code := w.send(w.signed(url.Values{"payload": {payload}}.Encode(), w.clock))
		if code != http.StatusOK && code != http.StatusBadRequest || len(w.incident.Decided) > 0 && !strings.Contains(payload, string(open)) {
			t.Errorf("got %d, decided %v", code, w.incident.Decided)
		}
	})
}
