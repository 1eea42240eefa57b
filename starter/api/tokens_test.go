package api_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/timeline"
	"muster/starter/api"
)

func TestTokensAreScannableAndDiffer(t *testing.T) {
	form := regexp.MustCompile(`^muster_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 200 {
		token, entry := api.NewToken(api.Token{Actor: "park", Kind: api.Person})
		if !form.MatchString(token) || seen[token] || strings.Contains(entry.SHA256, token) || len(entry.SHA256) != 64 {
			t.Fatalf("got %q, %+v", token, entry)
		}
		seen[token] = true
		if _, err := api.NewClient("http://127.0.0.1", token); err != nil {
			t.Fatal(err)
		}
		for _, spoilt := range []string{token[:len(token)-1], token + "x", token[:10] + "-" + token[11:]} {
			if _, err := api.NewClient("http://127.0.0.1", spoilt); err == nil {
				t.Fatalf("%q: taken", spoilt)
			}
		}
	}
}

func TestTokensSpeakForTheirActors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	now := instant()
	first := addToken(t, file, api.Token{Actor: "park", Name: "박서준", Kind: api.Person})
	middle := addToken(t, file, api.Token{Actor: "deploy-bot", Kind: api.Machine})
	last := addToken(t, file, api.Token{Actor: "kim", Kind: api.Person, Expires: now.Add(time.Hour)})
	tokens, err := api.OpenTokens(file, func() time.Time { return now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]timeline.Actor{
		first:  {Kind: timeline.Person, ID: "park", Name: "박서준"},
		middle: {Kind: timeline.Source, ID: "deploy-bot"},
		last:   {Kind: timeline.Person, ID: "kim"},
	} {
		if got, err := tokens.Actor(token); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	now = now.Add(time.Hour)
	if got, err := tokens.Actor(last); err == nil || got != (timeline.Actor{}) {
		t.Errorf("an expired token speaks for %+v", got)
	}
}

func TestTokensAreReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	park := addToken(t, file, api.Token{Actor: "park", Kind: api.Person})
	var log strings.Builder
	tokens, err := api.OpenTokens(file, time.Now, logger(&log))
	if err != nil {
		t.Fatal(err)
	}
	in := func(token string, want bool) {
		t.Helper()
		if _, err := tokens.Actor(token); (err == nil) != want {
			t.Fatalf("got %v", err)
		}
	}
	in(park, true)
	right, _ := os.ReadFile(file)
	kim := addToken(t, file, api.Token{Actor: "kim", Kind: api.Person})
	in(kim, true)
	old := time.Now().Add(-time.Hour) // so that nothing but its size and time tells a change
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		old = old.Add(time.Second)
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	write(string(right))
	in(kim, false)
	in(park, true)

	write("- actor: [") // changes nothing, and is said once
	in(park, true)
	in(park, true)
	if tokens.Err() == nil || strings.Count(log.String(), "tokens not read") != 1 {
		t.Errorf("got %v; log %s", tokens.Err(), &log)
	}
	write(string(right))
	in(park, true)
	if err := tokens.Err(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	in(park, false)
	write(string(right))
	in(park, true)
}

func TestTokenFilesAreStrict(t *testing.T) {
	token, e := api.NewToken(api.Token{})
	hash := "  sha256: " + e.SHA256 + "\n"
	for _, tc := range []struct{ text, want string }{
		{"", "want one YAML list"},
		{"actor: park", "want a YAML list of entries with actor, kind and sha256"},
		{"- " + token, "line 1: want an entry with actor, kind and sha256"},
		{"- actor: park\n  kind: person\n", "line 1: sha256: want the SHA-256 of a token as 64 hexadecimal digits"},
		{"- actor: park\n  kind: person\n  sha256: " + token, "line 1: sha256: want the SHA-256 of a token as 64 hexadecimal digits"},
		{"\n- actor: park\n  kind: robot\n" + hash, "line 2: kind: want person or machine"},
		{"- kind: person\n" + hash, "line 1: actor: want an id of letters, digits, dots, hyphens and underscores"},
		{"- actor: a b\n  kind: person\n" + hash, "line 1: actor: want an id of letters, digits, dots, hyphens and underscores"},
		{"- actor: park\n  actor: kim\n", "line 1: actor: want one value"},
		{"- actor: park\n  name:\n", "line 1: name: want one value"},
		{"- actor: park\n  " + token + ": x\n", "line 1: unknown key; want actor, name, kind, sha256 or expires"},
		{"- actor: park\n  expires: tomorrow\n", "line 1: expires: want an instant such as 2027-01-31T00:00:00+09:00"},
		{"- actor: park\n  kind: person\n" + hash + "- actor: kim\n  kind: person\n" + hash, "line 4: sha256: stands in the list already"},
		{"- *" + token, "line 1: not YAML"},
		{"[]\n---\n[]", "want one YAML list"},
		{"- 1\n- 2\n", "line 1: want an entry with actor, kind and sha256\nline 2: want an entry with actor, kind and sha256"},
	} {
		file := filepath.Join(t.TempDir(), "tokens.yaml")
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := api.OpenTokens(file, time.Now, nil)
		if err == nil || err.Error() != "read tokens "+file+": "+tc.want {
			t.Errorf("%q: got %v\nwant %s", tc.text, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), token[:12]) {
			t.Errorf("the error shows a token: %v", err)
		}
	}
	if _, err := api.OpenTokens(filepath.Join(t.TempDir(), "none"), time.Now, nil); err == nil {
		t.Error("a file that is not there: taken")
	}
}

func TestEnsureTokenMakesOneAndKeepsIt(t *testing.T) {
	dir := t.TempDir()
	file, plain := filepath.Join(dir, "tokens.yaml"), filepath.Join(dir, "admin.token")
	read := func() string {
		t.Helper()
		if err := api.EnsureToken(file, plain, api.Token{Actor: "admin", Name: "관리자", Kind: api.Person}); err != nil {
			t.Fatal(err)
		}
		token, err := os.ReadFile(plain)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(token))
	}
	token := read()
	for _, name := range []string{file, plain} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if read() != token {
		t.Error("a good token was replaced")
	}
	other := addToken(t, file, api.Token{Actor: "kim", Kind: api.Person})
	if err := os.Remove(plain); err != nil {
		t.Fatal(err)
	}
	again := read()
	if again == token {
		t.Error("a lost token came back")
	}
	tokens, err := api.OpenTokens(file, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, token := range map[string]string{"admin": again, "kim": other} {
		if got, err := tokens.Actor(token); err != nil || got.ID != want {
			t.Errorf("%s: got %+v, %v", want, got, err)
		}
	}
	if left, _ := fs.Glob(os.DirFS(dir), "*.*.*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(file, []byte("- broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := api.EnsureToken(file, plain, api.Token{Actor: "admin", Kind: api.Person}); err == nil {
		t.Error("a tokens file that cannot be read was written over")
	}
}

// No bytes but the token's own let anybody in, and none upsets the server.
func FuzzToken(f *testing.F) {
	file := filepath.Join(f.TempDir(), "tokens.yaml")
	token := addToken(f, file, api.Token{Actor: "park", Kind: api.Person})
	tokens, err := api.OpenTokens(file, time.Now, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", token, token[:20], token + " ", "muster_", strings.Repeat("0", 64), "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		by, err := tokens.Actor(given)
		if in := err == nil; in != (given == token) || in != (by.ID == "park") {
			t.Errorf("%q: got %+v, %v", given, by, err)
		}
	})
}

func FuzzTokenFile(f *testing.F) {
	_, e := api.NewToken(api.Token{})
	f.Add("- actor: park\n  kind: person\n  sha256: " + e.SHA256 + "\n")
	f.Add("- actor: park\n  kind: machine\n  expires: 2027-01-01T00:00:00Z\n  sha256: " + e.SHA256 + "\n")
	f.Add("- {}\n- [a: &b]\n- *b\n")
	f.Add("")
	file := filepath.Join(f.TempDir(), "tokens.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tokens, err := api.OpenTokens(file, time.Now, nil)
		if err != nil {
			return
		}
		if by, err := tokens.Actor(""); err == nil {
			t.Errorf("%q lets nobody in as %+v", text, by)
		}
	})
}
