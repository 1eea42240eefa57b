package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/starter/cli"
)

const whole = `# a comment
current: home
contexts:
- name: home
  url: https://muster.example
  token: muster_1
- {name: dev.2, url: "http://127.0.0.1:8080", token: "2"}
`

func TestContextsAreReadStrictly(t *testing.T) {
	entry := "- name: a\n  url: https://a.example\n  token: s3cret\n"
	for _, tc := range []struct {
		name, text string
		want       string // the faults, each with its line; empty: none
	}{
		{"whole", whole, ""},
		{"nothing", "", ""},
		{"no context", "contexts: []\n", ""},
		{"no current one", "contexts:\n" + entry, ""},
		{"an old mistake: tabs", "contexts:\n\t- name: a\n", "2: not YAML"},
		{"not closed", "contexts: [\n", "2: not YAML"},
		{"another kind", "- a\n", "1: want current, contexts"},
		{"text alone", "s3cret\n", "1: want current, contexts"},
		{"two documents", "contexts: []\n---\ncontexts: []\n", "2: a second document; want one"},
		{"an unknown key", "contexts: []\nsecret: s3cret\n", "2: an unknown key; want current, contexts"},
		{"a key twice", "contexts: []\ncontexts: []\n", "2: contexts: given twice"},
		{"no list", "contexts: s3cret\n", "1: contexts: want a list"},
		{"an entry that is text", "contexts:\n- s3cret\n", "2: want name, url, token|2: name: missing|2: url: missing|2: token: missing"},
		{"nothing in an entry", "contexts:\n- {}\n", "2: name: missing|2: url: missing|2: token: missing"},
		{"a name twice", "contexts:\n" + entry + entry, "5: name: stands there twice"},
		{"a current one that is not there", "current: b\ncontexts:\n" + entry, "1: current: want the name of one of the contexts"},
		{"a current one that is a list", "current: [a]\ncontexts:\n" + entry, "1: current: want text"},
		{
			"a name that is none", "contexts:\n" + strings.Replace(entry, "name: a", "name: ../s3cret", 1),
			"2: name: want at most 63 letters, digits, dots, hyphens and underscores",
		},
		{
			"a token as the URL", "contexts:\n" + strings.Replace(entry, "https://a.example", "s3cret", 1),
			"3: url: want a URL such as https://muster.example",
		},
		{
			"a URL with a password", "contexts:\n" + strings.Replace(entry, "https://", "https://u:s3cret@", 1),
			"3: url: want a URL such as https://muster.example",
		},
		{"a token of two lines", "contexts:\n" + strings.Replace(entry, "s3cret", `"s3cret\nx"`, 1), "4: token: want a token"},
		{"a token that is empty", "contexts:\n" + strings.Replace(entry, "s3cret", `""`, 1), "4: token: want a token"},
		{"a token that is null", "contexts:\n" + strings.Replace(entry, "s3cret", "~", 1), "4: token: want text"},
		{"a tag", "contexts:\n" + strings.Replace(entry, "s3cret", "!!str s3cret", 1), "4: token: want text"},
		{"an anchor", "contexts:\n" + strings.Replace(entry, "s3cret", "&t s3cret", 1), "4: token: want text"},
		{"an alias", "current: &x a\ncontexts:\n" + strings.Replace(entry, "s3cret", "*x", 1), "1: current: want text|5: token: want text"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := cli.DecodeContexts("f.yaml", []byte(tc.text))
			got := ""
			if err != nil {
				got = strings.NewReplacer("read contexts: ", "", "f.yaml:", "", "\n", "|").Replace(err.Error())
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	current, all, err := cli.DecodeContexts("f.yaml", []byte(whole))
	want := "[[home https://muster.example muster_1] [dev.2 http://127.0.0.1:8080 2]]"
	if err != nil || current != "home" || fmt.Sprint(all) != want {
		t.Errorf("got %q, %v, %v; want home and %s", current, all, err, want)
	}
}

// What can be read is written so that it says the same; what cannot be is refused without showing a value.
func FuzzContexts(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("contexts:\n- {name: yes, url: http://x, token: \"0o17\"}\ncurrent: yes\n"))
	f.Add([]byte("contexts: *s3cret"))
	f.Add([]byte("a: &s3cret [*s3cret]"))
	f.Add([]byte("%s3cret\n---\n"))
	f.Add([]byte("\xff\xfes\x003\x00"))
	f.Add([]byte(`"\s3cret"`))
	home := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _, err := cli.DecodeContexts("f", text)
		if err != nil {
			if strings.Contains(err.Error(), "s3cret") {
				t.Fatalf("got %q, which shows what stands there", err)
			}
			return
		}
		if before, after, err := cli.RewriteContexts(home, text); err != nil || before != after {
			t.Errorf("got %q, %v; want %q", after, err, before)
		}
	})
}

// The file is for its owner alone, and what a write that goes wrong has begun does not stay.
func TestContextsAreWrittenWhole(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, ".config", "muster", "contexts.yaml")
	for range 2 {
		if _, _, err := cli.RewriteContexts(home, []byte(whole)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		about, err := os.Stat(path)
		if err != nil || about.Mode().Perm() != want {
			t.Errorf("got %v, %v for %s; want mode %o", about.Mode(), err, path, want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil { // nothing can take its place
		t.Fatal(err)
	}
	if _, _, err := cli.RewriteContexts(home, []byte(whole)); err == nil || !strings.HasPrefix(err.Error(), "write contexts: ") {
		t.Errorf("got %v, want the write refused", err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v; want nothing left of it", entries, err)
	}
}

func TestATokenIsNeverPrinted(t *testing.T) {
	if got := cli.ShowToken("s3cret"); strings.Contains(got, "s3cret") || strings.Contains(got, fmt.Sprintf("%x", "s3cret")) {
		t.Errorf("got %s, want the token hidden", got)
	}
}

func TestExpiry(t *testing.T) {
	for _, tc := range []struct{ given, want string }{
		{"90d", "2027-02-20T05:30:00Z"},
		{"1d", "2026-11-23T05:30:00Z"},
		{"2160h", "2027-02-20T05:30:00Z"},
		{"1h30m", "2026-11-22T07:00:00Z"},
		{"2027-01-31T00:00:00+09:00", "2027-01-30T15:00:00Z"},
		{"never", ""},
	} {
		got, err := cli.Expiry(tc.given, now())
		if err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v; want %q", tc.given, got, err, tc.want)
		}
	}
	for _, given := range []string{
		"", "d", "90", "0d", "-1d", "+1d", "1.5d", "90D", "99999999d", "0s", "-1h", "soon", "Never", "2027-01-31", "2026-11-22T05:30:00Z",
		"2026-11-22T14:30:00+09:00", now().Add(-time.Hour).Format(time.RFC3339), "9999999h999999999h",
	} {
		if got, err := cli.Expiry(given, now()); err == nil {
			t.Errorf("%q: got %q, want it refused", given, got)
		}
	}
}

func TestOneServerHasOneURL(t *testing.T) {
	for _, tc := range []struct{ given, want string }{
		{"https://muster.example", "https://muster.example"},
		{"HTTPS://Muster.Example/", "https://muster.example"},
		{"http://[::1]:8080/x//", "http://[::1]:8080/x"},
		{"https://muster.example/A%2Fb", "https://muster.example/A%2Fb"},
		{"muster.example", ""},
		{"ftp://muster.example", ""},
		{"https://muster.example?x", ""},
		{"https://muster.example#x", ""},
		{"https://me@muster.example", ""},
		{"https://", ""},
		{"", ""},
	} {
		if got := cli.Normal(tc.given); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.given, got, tc.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "127.0.0.1.example": false, "localhost.example": false, "10.0.0.1": false, "0.0.0.0": false, "::": false, "muster.example": false,
	} {
		if got := cli.Loopback(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
