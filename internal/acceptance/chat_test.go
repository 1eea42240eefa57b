package acceptance_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/incident"
)

// A slack stands in for Slack, by the documentation of its methods: what was written to its channels, the newest first.
type slack struct {
	mu       sync.Mutex
	messages []map[string]any
}

const slackSecret = "signing-secret"

func (s *slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var m map[string]any
	_ = json.Unmarshal(body, &m)
	out := map[string]any{"ok": true}
	switch strings.TrimPrefix(r.URL.Path, "/") {
	case "conversations.open":
		out["channel"] = map[string]any{"id": "D" + m["users"].(string)[1:]}
	case "chat.postMessage":
		m["ts"] = fmt.Sprintf("%d.000100", 1_700_000_000+len(s.messages))
		out["ts"] = m["ts"]
		s.messages = append([]map[string]any{m}, s.messages...)
	case "conversations.history", "conversations.replies":
		out["messages"] = s.messages
	case "chat.update":
		for n := range s.messages {
			if s.messages[n]["ts"] == m["ts"] {
				s.messages[n] = m
			}
		}
	default:
		out = map[string]any{"ok": false, "error": "unknown_method"}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// shows is all that there is to read, as JSON.
func (s *slack) shows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := json.Marshal(s.messages)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// button is the value of a button of the newest message.
func (s *slack) button(action string) string {
	var found string
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["action_id"] == action {
				found, _ = v["value"].(string)
			}
			for _, x := range v {
				look(x)
			}
		case []any:
			for _, x := range v {
				look(x)
			}
		}
	}
	var all any
	_ = json.Unmarshal([]byte(s.shows()), &all)
	look(all)
	return found
}

// press sends what Slack sends when a member presses a button.
func press(t *testing.T, system *system, member, action, value, secret string) int {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]any{"id": member}, "response_url": "https://hooks.slack.com/actions/nowhere",
		"actions": []any{map[string]any{"action_id": action, "value": value, "action_ts": "1764200000.123456"}},
	})
	must(t, err)
	body, at := []byte(url.Values{"payload": {string(payload)}}.Encode()), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + at + ":"))
	mac.Write(body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, system.url+"/v1/callbacks/slack", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", at)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode
}

// A page in Slack is taken by its button, in the name of whoever has pressed it, and the message says so until the end.
func TestAPageInAChatIsTakenByItsButton(t *testing.T) {
	folder, sink, chat := t.TempDir(), newReceiver(t), &slack{}
	org := organise(t, folder, sink.url, map[string]string{"slack-token": "xoxb-1", "slack-signing": slackSecret})
	settings, err := os.ReadFile(filepath.Join(org, "organisation.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "organisation.yaml"), string(settings)+fmt.Sprintf(
		"channels: {slack: {token: file:secrets/slack-token, signing_secret: file:secrets/slack-signing, url: %q}}\n", listen(t, "127.0.0.1:0", chat)))
	people, err := os.ReadFile(filepath.Join(org, "people.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "people.yaml"), strings.Replace(string(people),
		"{name: app, type: webhook, address: file:secrets/ann-app, secret: file:secrets/signing}", "{name: app, type: slack, address: U0ANN}", 1))
	s := nodeAt(t, folder, sink)
	id := s.open(t, "till", "buttons")
	var value string
	must(t, until(t.Context(), "the page stands in the chat", func() error {
		if value = chat.button("acknowledge"); value == "" {
			return fmt.Errorf("it shows %s", chat.shows())
		}
		return nil
	}))
	if code := press(t, s, "U0ANN", "acknowledge", value, "another"); code != http.StatusUnauthorized {
		t.Errorf("with another secret: got %d", code)
	}
	for range 2 { // Slack sends again what it has no answer to
		if code := press(t, s, "U0ANN", "acknowledge", value, slackSecret); code != http.StatusOK {
			t.Errorf("got %d", code)
		}
	}
	i := s.state(t, id, "Ann has taken it", func(i *incident.Incident) bool { return len(i.Responders) > 0 })
	if len(i.Responders) != 1 || i.Responders[0].ID != "ann" {
		t.Errorf("taken by %+v", i.Responders)
	}
	must(t, until(t.Context(), "the message says who has it", func() error {
		if text := chat.shows(); !strings.Contains(text, "Ann has acknowledged it") || chat.button("acknowledge") != "" {
			return fmt.Errorf("it shows %s", text)
		}
		return nil
	}))
	must(t, deliver(t.Context(), s.url, body("till", "buttons", "resolved", 1, "")))
	must(t, until(t.Context(), "the message says that it is over", func() error {
		if text := chat.shows(); !strings.Contains(text, "Resolved: ") {
			return fmt.Errorf("it shows %s", text)
		}
		return nil
	}))
}
