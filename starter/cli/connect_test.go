package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/authority"
	"muster/internal/refusal"
	"muster/starter/api"
	"muster/starter/cli"
)

// A gate is a server that lets everybody in and keeps what they have shown.
type gate struct {
	*httptest.Server
	mu    sync.Mutex
	shown []string
}

func newGate(t testing.TB) *gate {
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.shown = append(g.shown, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		_ = json.NewEncoder(w).Encode(api.Me{ID: "park", Kind: "person", Of: "provider"})
	}))
	t.Cleanup(g.Close)
	return g
}

// taken returns what was shown since it was asked last.
func (g *gate) taken() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	shown := g.shown
	g.shown = nil
	return shown
}

// A desk is a machine on which somebody works: two servers in reach, contexts a and b for them with a as the current one, and
// a data folder whose server is a third one. Each of the three has its own token.
type desk struct {
	a, b, local *gate
	home        string
}

func newDesk(t testing.TB, current string) *desk {
	d := &desk{a: newGate(t), b: newGate(t), local: newGate(t), home: t.TempDir()}
	d.write(t, "data/url", d.local.URL)
	d.write(t, "data/admin.token", "local-token")
	d.write(t, "flag.token", "flag-token")
	d.write(t, "env.token", "env-file-token")
	text := fmt.Sprintf("contexts:\n- {name: a, url: %q, token: a-token}\n- {name: b, url: %q, token: b-token}\n", d.a.URL, d.b.URL)
	if current != "" {
		text += "current: " + current + "\n"
	}
	d.write(t, ".config/muster/contexts.yaml", text)
	return d
}

func (d *desk) write(t testing.TB, name, text string) {
	file := filepath.Join(d.home, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a command line. A, B, LOCAL and HOME stand for what they name.
func (d *desk) run(t testing.TB, env []string, args ...string) (code int, stdout, stderr string) {
	full := strings.NewReplacer("A/", d.a.URL, "B/", d.b.URL, "LOCAL/", d.local.URL, "HOME/", d.home+"/")
	vars := map[string]string{"MUSTER_DATA": filepath.Join(d.home, "data")}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = full.Replace(value)
	}
	for n := range args {
		args[n] = full.Replace(args[n])
	}
	var out, said bytes.Buffer
	code = cli.Run(t.Context(), cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Home: d.home, Now: now, Texts: texts,
		Getenv: func(name string) string { return vars[name] },
	}, args)
	return code, out.String(), said.String()
}

// shown says which server was shown which token.
func (d *desk) shown() string {
	var all []string
	for _, g := range []struct {
		name string
		*gate
	}{{"a", d.a}, {"b", d.b}, {"local", d.local}} {
		for _, token := range g.taken() {
			all = append(all, g.name+" "+token)
		}
	}
	return strings.Join(all, ", ")
}

func TestWhichServerAndWhichTokenWins(t *testing.T) {
	for _, tc := range []struct {
		name, current string
		env, args     []string
		want          string // who was shown what; empty: nobody anything
		refused       string // part of the error
	}{
		{"nothing is said", "", nil, nil, "local local-token", ""},
		{"the current context goes before this machine", "a", nil, nil, "a a-token", ""},
		{"a context by the environment goes before the current one", "a", []string{"MUSTER_CONTEXT=b"}, nil, "b b-token", ""},
		{"a context by flag goes before one by the environment", "a", []string{"MUSTER_CONTEXT=a"}, []string{"--context", "b"}, "b b-token", ""},
		{"a data folder by flag leaves no context", "a", []string{"MUSTER_CONTEXT=b"}, []string{"--data", "HOME/data"}, "local local-token", ""},
		{"MUSTER_URL goes before a context", "a", []string{"MUSTER_URL=B/", "MUSTER_TOKEN=env-token"}, nil, "b env-token", ""},
		{"--url goes before MUSTER_URL", "", []string{"MUSTER_URL=B/", "MUSTER_TOKEN=env-token"}, []string{"--url", "A/"}, "a env-token", ""},
		{"MUSTER_TOKEN goes before MUSTER_TOKEN_FILE", "a", []string{"MUSTER_TOKEN=env-token", "MUSTER_TOKEN_FILE=HOME/env.token"}, nil, "a env-token", ""},
		{"MUSTER_TOKEN_FILE goes before a context", "a", []string{"MUSTER_TOKEN_FILE=HOME/env.token"}, nil, "a env-file-token", ""},
		{"--token-file goes before the environment", "a", []string{"MUSTER_TOKEN=env-token"}, []string{"--token-file", "HOME/flag.token"}, "a flag-token", ""},
		{"the token of a context is for its URL, whoever names it", "a", []string{"MUSTER_URL=A/"}, nil, "a a-token", ""},
		{"and however it is written", "a", nil, []string{"--url", "A//"}, "a a-token", ""},
		{"the token of the folder is for its URL, whoever names it", "a", []string{"MUSTER_URL=LOCAL/"}, nil, "local local-token", ""},

		{"the token of a context goes nowhere else by flag", "a", nil, []string{"--url", "B/"}, "", "the token of context a is for http"},
		{"nor by the environment", "a", []string{"MUSTER_URL=B/"}, nil, "", "the token of context a is for http"},
		{"nor where the context is named", "", []string{"MUSTER_URL=B/"}, []string{"--context", "a"}, "", "the token of context a is for http"},
		{"nor does the folder's step in for a named one", "", nil, []string{"--url", "LOCAL/", "--context", "a"}, "", "the token of context a is for http"},
		{"the token of the folder goes nowhere else", "", nil, []string{"--url", "A/"}, "", "none: give --token-file"},
		{"two servers by flag", "", nil, []string{"--context", "a", "--data", "HOME/data"}, "", "--context, --data: want one of them"},
		{"a context that is not there", "", []string{"MUSTER_CONTEXT=c"}, nil, "", `context "c": not found; want one of a, b`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, tc.current)
			code, _, stderr := d.run(t, tc.env, append([]string{"whoami"}, tc.args...)...)
			if got := d.shown(); got != tc.want {
				t.Errorf("got %q shown, want %q; stderr %s", got, tc.want, stderr)
			}
			if (code == cli.OK) != (tc.refused == "") || !strings.Contains(stderr, tc.refused) {
				t.Errorf("got code %d and %q, want %q", code, stderr, tc.refused)
			}
		})
	}
}

// Whatever flags, environment and contexts say: a token that belongs to a server is shown to no other.
func TestATokenIsShownToItsOwnServerAlone(t *testing.T) {
	desks := map[string]*desk{}
	for _, current := range []string{"", "a", "b"} {
		desks[current] = newDesk(t, current)
	}
	urls := rapid.SampledFrom([]string{"", "A/", "B/", "LOCAL/", "A//"})
	names := rapid.SampledFrom([]string{"", "a", "b"})
	tokens := rapid.SampledFrom([]string{"", "", "", "HOME/flag.token"})
	data := rapid.SampledFrom([]string{"", "", "", "HOME/data"})
	commands := rapid.SampledFrom([]string{
		"whoami", "token list", "keys list", "attempts", "incident list", "review show INC-1", "version --server", "health",
		"__complete token revoke",
	})
	rapid.Check(t, func(rt *rapid.T) {
		d := desks[names.Draw(rt, "current")]
		env := []string{"MUSTER_URL=" + urls.Draw(rt, "MUSTER_URL"), "MUSTER_CONTEXT=" + names.Draw(rt, "MUSTER_CONTEXT")}
		env = append(env, "MUSTER_TOKEN_FILE="+tokens.Draw(rt, "MUSTER_TOKEN_FILE"))
		args := strings.Fields(commands.Draw(rt, "command"))
		for flag, value := range map[string]string{"--url": urls.Draw(rt, "--url"), "--context": names.Draw(rt, "--context"), "--data": data.Draw(rt, "--data")} {
			if value != "" {
				args = append(args, flag, value)
			}
		}
		if args[0] == "__complete" {
			args = append(args, "")
		}
		d.run(t, env, args...)
		for _, server := range []struct {
			*gate
			own string
		}{{d.a, "a-token"}, {d.b, "b-token"}, {d.local, "local-token"}} {
			for _, token := range server.taken() {
				if token != "" && token != "flag-token" && token != server.own {
					rt.Errorf("%v %v: the server of %s was shown %q", env, args, server.own, token)
				}
			}
		}
	})
}

// A server that sends a command elsewhere does not send its token there.
func TestATokenDoesNotFollowARedirect(t *testing.T) {
	d := newDesk(t, "")
	away := httptest.NewServer(http.RedirectHandler(d.b.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	if code, _, stderr := d.run(t, nil, "whoami", "--url", away.URL, "--token-file", "HOME/flag.token"); code != cli.Failed {
		t.Errorf("got code %d and %q, want it to fail", code, stderr)
	}
	if got := d.shown(); got != "" {
		t.Errorf("got %q shown elsewhere, want nothing", got)
	}
}

// What the server refuses comes with what its user can do.
func TestRefusalsAreExplained(t *testing.T) {
	for _, tc := range []struct {
		name   string
		refuse api.Refusal
		known  bool // the server says who it is
		want   string
	}{
		{"a token that is not good", api.Refusal{Status: 401, Detail: "want a token"}, true, "muster: want a token (the token is from context a)"},
		{
			"somebody who may not",
			api.Refusal{Status: 403, Detail: "want administrator"},
			true,
			"muster: want administrator (you are 박서준 (park), responder of mirnet (provider); the token is from context a)",
		},
		{"somebody of whom nothing is known", api.Refusal{Status: 403, Detail: "want administrator"}, false, "muster: want administrator"},
		{"too many requests", api.Refusal{Status: 429, Detail: "ask again later", RetryAfter: 90e9}, true, "muster: ask again later (you may ask again in 1m30s)"},
		{"too many, and nobody says until when", api.Refusal{Status: 429, Detail: "ask again later"}, true, "muster: ask again later"},
		{
			"several faults", refusal.Of(422, refusal.Fault{Field: "a", Detail: "x"}, refusal.Fault{Field: "b", Detail: "y"}), true,
			"muster: a: x\nmuster: b: y",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, "a")
			d.a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tc.known && r.URL.Path == api.Path+"me" {
					_ = json.NewEncoder(w).Encode(api.Me{ID: "park", Name: "박서준", Kind: "person", Party: "mirnet", Of: "provider", Roles: []authority.Role{authority.Responder}})
					return
				}
				tc.refuse.Write(w)
			})
			code, stdout, stderr := d.run(t, nil, "token", "list")
			if code != cli.Failed || stdout != "" || strings.TrimSpace(stderr) != tc.want {
				t.Errorf("got code %d, %q and %q, want %q", code, stdout, stderr, tc.want)
			}
		})
	}
}

// Everything is read, however many parts it has; a server that goes round in circles is not followed.
func TestAllAttemptsAreRead(t *testing.T) {
	for _, tc := range []struct {
		name  string
		next  map[string]int64 // after which entry the server says what
		calls int
		want  string
	}{
		{"one part", map[string]int64{"": 0}, 1, "[1]"},
		{"three parts", map[string]int64{"": 200, "200": 400, "400": 0}, 3, "[1 201 401]"},
		{"a circle", map[string]int64{"": 200, "200": 200}, 2, "[1 201]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, calls := newDesk(t, "a"), 0
			d.a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				after, page := r.URL.Query().Get("after"), api.Attempts{}
				first := int64(1)
				if after != "" {
					_, _ = fmt.Sscan(after, &first)
					first++
				}
				page.Attempts, page.Next = []api.Attempt{{Seq: first}}, tc.next[after]
				_ = json.NewEncoder(w).Encode(page)
			})
			code, stdout, stderr := d.run(t, nil, "attempts", "--all", "-o", "json")
			var got api.Attempts
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != cli.OK {
				t.Fatalf("got code %d, %v and %q", code, err, stderr)
			}
			var seqs []int64
			for _, a := range got.Attempts {
				seqs = append(seqs, a.Seq)
			}
			if fmt.Sprint(seqs) != tc.want || calls != tc.calls {
				t.Errorf("got %v in %d calls, want %s in %d", seqs, calls, tc.want, tc.calls)
			}
		})
	}
}

// Somebody without a folder of his own has no contexts, and can keep none: never one in the folder where he happens to be.
func TestWithoutAHomeThereAreNoContexts(t *testing.T) {
	d := newDesk(t, "a")
	t.Chdir(d.home)
	run := func(stdin string, args ...string) (int, string) {
		var said bytes.Buffer
		code := cli.Run(t.Context(), cli.Env{
			Stdin: strings.NewReader(stdin), Stdout: io.Discard, Stderr: &said, Now: now, Texts: texts,
			Getenv: func(name string) string {
				return map[string]string{"MUSTER_DATA": "data", "XDG_CONFIG_HOME": ".config"}[name]
			},
		}, args)
		return code, said.String()
	}
	if code, said := run("", "whoami"); code != cli.OK || d.shown() != "local local-token" {
		t.Errorf("got code %d and %q, want the server of the data folder asked", code, said)
	}
	if code, said := run("some-token", "login", d.b.URL); code != cli.Failed || !strings.Contains(said, "no folder for them: set HOME or XDG_CONFIG_HOME") {
		t.Errorf("got code %d and %q, want it to say that there is no folder", code, said)
	}
}

// Whoever is asked and stops the command need not answer first.
func TestAQuestionEndsWithItsCommand(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	silent := make(chan struct{})
	defer close(silent)
	text, err := cli.Typed(ctx, func() (string, error) {
		stop()
		<-silent
		return "too late", nil
	})
	if text != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v; want nothing, and that it was stopped", text, err)
	}
}
