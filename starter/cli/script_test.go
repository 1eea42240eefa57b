package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/console"
	"muster/internal/delivery"
	"muster/internal/keyring"
	"muster/internal/link"
	"muster/internal/localticket"
	"muster/internal/org"
	"muster/internal/report"
	"muster/internal/runbook"
	"muster/internal/runner"
	"muster/internal/store"
	"muster/internal/ticket"
	"muster/starter/api"
	"muster/starter/cli"
	"muster/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"muster": func() {
		os.Exit(cli.Run(context.Background(), cli.Env{
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: clock, Texts: texts, Process: process(),
		}, os.Args[1:]))
	}})
}

// clock is when a command of a script runs: at now, unless the script says otherwise.
func clock() time.Time {
	if at, err := time.Parse(time.RFC3339, os.Getenv("CLOCK")); err == nil {
		return at
	}
	return now()
}

func texts() (*report.Texts, error) { return report.New(templates.FS) }

// process says how each process command was called.
func process() cli.Process {
	return cli.Process{
		Version: api.Version{Version: "v1.2.3", Revision: "0123abc", Go: "go1.26"},
		Dev:     says[cli.DevOptions], Worker: says[cli.WorkerOptions], Serve: says[cli.ServeOptions], Promote: func(_ context.Context, _ cli.Streams, o cli.DeploymentOptions) (string, error) {
			return map[string]string{"muster/v2": "v1", "ops/muster/v3": "v3", "ops/muster/": "v3"}[o.Name+"/"+o.BuildID], nil
		}, Demo: says[cli.DemoOptions], BenchParts: []string{"life", "growth"},
		RunStep: func(ctx context.Context, o *org.Organisation, a *runbook.Automatic) runbook.Result {
			r := runner.Runner{House: func() runner.House { return o }}
			return r.Run(ctx, a)
		},
		Tickets: func(_ *org.Organisation, data string) (cli.TicketSystem, error) {
			if d := os.Getenv("DESK"); d != "" {
				return ticketDesk{d}, nil
			}
			return localticket.New(filepath.Join(data, "tickets"))
		},
		Send: func(ctx context.Context, _ *org.Organisation, data string, out io.Writer, e delivery.Envelope) error {
			switch {
			case os.Getenv("DESK") == "wrong":
				return &delivery.Unavailable{Detail: "https://chat.example: 503 Service Unavailable"}
			case e.Contact.Type == delivery.File:
				return (&console.File{Folder: filepath.Join(data, "deliveries")}).Send(ctx, e)
			}
			return (&console.Sender{W: out}).Send(ctx, e)
		},
	}
}

// ticketDesk takes tickets until they are to be closed, or none where its token is wrong.
type ticketDesk struct{ token string }

func (d ticketDesk) Open(context.Context, ticket.Ticket) (ticket.Ref, error) {
	if d.token == "wrong" {
		return ticket.Ref{}, &delivery.Refusal{Detail: "https://jira.example: 401 Unauthorized"}
	}
	return ticket.Ref{ID: "OPS-7", URL: "https://jira.example/browse/OPS-7"}, nil
}

func (d ticketDesk) Update(_ context.Context, _ ticket.Ref, t ticket.Ticket) error {
	if t.Status == "closed" {
		return &delivery.Refusal{Detail: `no transition leads from "Done" to "Closed"; there are "Reopen" (to "To Do")`}
	}
	return nil
}

func says[O any](_ context.Context, s cli.Streams, o O) error {
	_, err := fmt.Fprintf(s.Out, "%+v\n", o)
	return err
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error { return furnish(t, e) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "down": down, "stuck": stuck, "heard": heard, "mode": mode, "first": first,
			"archive": archive, "vault": vault, "states": states, "poke": poke,
		},
	})
}

var shipped = sync.OnceValues(texts)

// furnish gives a script a server of its own, with a data folder by which muster finds it, and a token of each person in a
// file of its own. The one in the data folder is that of park.
func furnish(t *testing.T, e *testscript.Env) error {
	data, tokens := filepath.Join(e.WorkDir, "data"), filepath.Join(e.WorkDir, "tokens")
	for _, folder := range []string{data, tokens} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
	}
	for into, from := range map[string]string{"shipped": "../../examples/org", "histories": "../../workflows/testdata/histories"} {
		if err := os.CopyFS(filepath.Join(e.WorkDir, into), os.DirFS(from)); err != nil {
			return err
		}
	}
	db, err := store.Open(t.Context(), filepath.Join(data, store.File), now)
	if err != nil {
		return err
	}
	e.Defer(func() { _ = db.Close() })
	for _, holder := range holders() {
		secret, _, err := db.CreateToken(t.Context(), holder)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tokens, holder.Label), []byte(secret+"\n"), 0o600); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(tokens, "data"), filepath.Join(data, api.AdminTokenFile)); err != nil {
		return err
	}
	keys, err := keyring.Open(filepath.Join(data, keyring.File), now)
	if err != nil {
		return err
	}
	h := newHouse(t)
	handler, err := serve(h, db, keys)
	if err != nil {
		return err
	}
	s, other := httptest.NewServer(handler), &listener{}
	e.Defer(s.Close)
	elsewhere := httptest.NewServer(other)
	e.Defer(elsewhere.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	e.Values[houseKey{}], e.Values[listenerKey{}] = h, other
	e.Setenv("MUSTER_DATA", data)
	e.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each command waits for a second when races are looked for
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
	e.Setenv("SERVER", s.URL)
	e.Setenv("OTHER", elsewhere.URL)
	e.Setenv("GONE", gone.URL)
	return os.WriteFile(filepath.Join(data, api.URLFile), []byte(s.URL+"\n"), 0o600)
}

// holders are those who have tokens, each in a file that is named like its label.
func holders() []store.Token {
	token := func(label, actor string, scopes ...string) store.Token {
		return store.Token{Label: label, Actor: actor, Kind: store.Person, CreatedBy: "choi", Scopes: scopes}
	}
	return []store.Token{
		token("data", "park"), token("kim", "kim"), token("choi", "choi"), token("yoon", "yoon"), token("acme", "acme/lead"), token("narrow", "choi", "read", "note"),
		{Label: "bot", Actor: "deploy-bot", Name: "Deployments", Kind: store.Machine, Roles: []string{"responder"}, CreatedBy: "choi"},
	}
}

// A listener is a server elsewhere. It keeps what it is sent as proof of who asks.
type listener struct {
	mu    sync.Mutex
	heard []string
}

type listenerKey struct{}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if shown := r.Header.Get("Authorization"); shown != "" {
		l.heard = append(l.heard, shown)
	}
	http.Error(w, "not Muster", http.StatusTeapot)
}

// heard tells what the server elsewhere has been sent so far: heard FILE wants the token in a file and no other, ! heard
// wants none.
func heard(ts *testscript.TestScript, neg bool, args []string) {
	l := ts.Value(listenerKey{}).(*listener)
	l.mu.Lock()
	defer l.mu.Unlock()
	want := []string{}
	if !neg {
		want = append(want, "Bearer "+strings.TrimSpace(ts.ReadFile(args[0])))
	}
	if fmt.Sprint(l.heard) != fmt.Sprint(want) {
		ts.Fatalf("the server elsewhere was sent %q, want %q", l.heard, want)
	}
}

// mode wants the permissions of files: mode 600 FILE.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("want mode OCTAL FILE")
	}
	about, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", about.Mode().Perm()); got != args[0] {
		ts.Fatalf("got mode %s of %s, want %s", got, args[1], args[0])
	}
}

// first keeps the first match of an expression in the last output: first NAME EXPRESSION FILE.
func first(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("want first NAME EXPRESSION FILE")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindString(ts.ReadFile(args[2]))
	if found == "" {
		ts.Fatalf("%s has no %s", args[2], args[1])
	}
	ts.Setenv(args[0], found)
}

// serve puts the API and health before a house.
func serve(h *house, db *store.Store, keys *keyring.Ring) (http.Handler, error) {
	t, err := shipped()
	if err != nil {
		return nil, err
	}
	rest, err := api.New(api.Config{
		Backend: h, Store: db, Keys: keys, Links: linker{keys}, Directory: func() api.Directory { return everybody() }, Texts: t,
		Language: "ko", Zone: "Asia/Seoul", Now: now, Version: api.Version{Version: "v9", Go: "go"},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", rest)
	mux.Handle("/", api.Health(api.Check{Name: "temporal", Func: func(context.Context) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.down > 0 {
			return errors.New("does not answer")
		}
		return nil
	}}))
	return mux, nil
}

// code runs a command and wants an exit code: code 2 muster incident ack.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("want code NUMBER COMMAND")
	}
	got := cli.OK
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("got exit code %d, want %s", got, args[0])
	}
}

// down lets a number of commands go unanswered: down 2.
func down(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	h := ts.Value(houseKey{}).(*house)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = n
}

// stuck lets no command be answered any more, for its run cannot go on.
func stuck(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(houseKey{}).(*house)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stuck = true
}

type houseKey struct{}

// A linker makes links to where people reach the server.
type linker struct{ *keyring.Ring }

func (l linker) Link(made link.Link) (string, error) {
	token, err := l.Ring.Link(made)
	return "https://muster.example" + link.Path + token, err
}
