package devserver

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestTokenIsNotShown(t *testing.T) {
	token := newToken()
	s := &Server{Token: token, HostPort: "127.0.0.1:7233"}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("started", "token", token, "server", s)
	shown := map[string]string{
		"json": string(text), "slog": log.String(), "String": token.String(),
		"client options": fmt.Sprintf("%+v", s.ClientOptions()),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown[verb] = fmt.Sprintf(verb, token)
		shown["server "+verb] = fmt.Sprintf(verb, s)
	}
	for how, got := range shown {
		if strings.Contains(got, string(token)) || strings.Contains(got, fmt.Sprintf("%x", string(token))) {
			t.Errorf("%s shows the token: %s", how, got)
		}
		if !strings.Contains(got, "secret>") && !strings.Contains(got, `secret\u003e`) {
			t.Errorf("%s: got %s, want <secret> in it", how, got)
		}
	}
}

func TestEveryTokenIsAnother(t *testing.T) {
	seen := map[Token]bool{}
	for range 100 {
		token := newToken()
		if got, err := parseToken([]byte(string(token) + "\n")); err != nil || got != token {
			t.Fatalf("a new token does not read: %v", err)
		}
		seen[token] = true
	}
	if len(seen) != 100 {
		t.Errorf("different tokens: got %d, want 100", len(seen))
	}
}

// Whatever is taken for a token is the one spelling of 32 bytes, and what is not is never shown.
func FuzzParseToken(f *testing.F) {
	token := string(newToken())
	for _, seed := range []string{
		token + "\n", token, token + "\r\n", " " + token, token[:42], token + "A", token[:20] + "\n" + token[20:], token + "=", "", "\n",
		strings.Repeat("_", 43), strings.Repeat("-", 42) + "8", strings.Repeat("+", 43), "Bearer " + token,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		token, err := parseToken(text)
		if err != nil {
			if token != "" || err.Error() != "want 32 random bytes as base64url on one line" {
				t.Errorf("refused %q: got token %q and %v", text, string(token), err)
			}
			return
		}
		if len(token) != 43 || strings.Trim(string(token), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("taken for a token: %q", string(token))
		}
		if strings.TrimRight(string(text), "\r\n") != string(token) {
			t.Errorf("read %q out of %q", string(token), text)
		}
	})
}
