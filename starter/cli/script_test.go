package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/delivery"
	"muster/internal/report"
	"muster/starter/api"
	"muster/starter/cli"
	"muster/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"muster": func() {
		os.Exit(cli.Run(context.Background(), cli.Env{
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: now, Texts: texts, Process: process(),
		}, os.Args[1:]))
	}})
}

func texts() (*report.Texts, error) { return report.New(templates.FS) }

// process says how each process command was called.
func process() cli.Process {
	return cli.Process{
		Version: api.Version{Version: "v1.2.3", Revision: "0123abc", Go: "go1.26"},
		Dev:     says[cli.DevOptions], Worker: says[cli.WorkerOptions], Serve: says[cli.ServeOptions], Demo: says[cli.DemoOptions],
		Validate: func(_ context.Context, folder string) (string, error) {
			if folder == "bad" {
				return "", errors.New("people.yaml:3: kim: no contact method\nroutes.yaml:1: service \"x\": not defined")
			}
			return folder + ": valid, revision 0123abc\nwarning: people.yaml:9: lee: nobody asks for them", nil
		},
		Replay: func(_ context.Context, file string) (string, error) {
			if _, err := os.Stat(file); err != nil {
				return "", err
			}
			return file + ": 1 history replayed", nil
		},
	}
}

func says[O any](_ context.Context, s cli.Streams, o O) error {
	_, err := fmt.Fprintf(s.Out, "%+v\n", o)
	return err
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error { return furnish(t, e) },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"code": code, "down": down, "stuck": stuck},
	})
}

var shipped = sync.OnceValues(texts)

// furnish gives a script a server of its own, with a data folder by which muster finds it.
func furnish(t *testing.T, e *testscript.Env) error {
	data := filepath.Join(e.WorkDir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	tokens := filepath.Join(data, api.TokensFile)
	if err := api.EnsureToken(tokens, filepath.Join(data, api.AdminTokenFile), api.Token{Actor: "park", Name: "박서준", Kind: api.Person}); err != nil {
		return err
	}
	h := newHouse(t)
	e.Values[houseKey{}] = h
	handler, err := serve(h, tokens)
	if err != nil {
		return err
	}
	s := httptest.NewServer(handler)
	e.Defer(s.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	e.Setenv("MUSTER_DATA", data)
	e.Setenv("SERVER", s.URL)
	e.Setenv("GONE", gone.URL)
	return os.WriteFile(filepath.Join(data, api.URLFile), []byte(s.URL+"\n"), 0o600)
}

// serve puts the API and health before a house.
func serve(h *house, file string) (http.Handler, error) {
	tokens, err := api.OpenTokens(file, time.Now, nil)
	if err != nil {
		return nil, err
	}
	t, err := shipped()
	if err != nil {
		return nil, err
	}
	rest, err := api.New(api.Config{
		Backend: h, Tokens: tokens, Texts: t, Language: "ko", Zone: "Asia/Seoul", Now: now, Version: api.Version{Version: "v9", Go: "go"},
		Person: func(id string) (delivery.Recipient, bool) {
			return delivery.Recipient{ID: id, Name: "Kim Min-su"}, id == "kim"
		},
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
