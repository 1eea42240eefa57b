package runner_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/runbook"
	"muster/internal/runner"
)

const token = `t0ken/"+secret`

// house allows what a test needs.
type house struct {
	allowed    runbook.Allowed
	prometheus string
	secrets    map[string]string
}

func (h house) Allowed() runbook.Allowed { return h.allowed }

func (h house) StepSecrets(names []string) (all []runbook.Value, err error) {
	for _, name := range names {
		if h.secrets[name] == "" {
			return nil, fmt.Errorf("secret %s: env:X: not set", name)
		}
		all = append(all, runbook.Value{ID: name, Value: h.secrets[name]})
	}
	return all, nil
}

func (house) OwnNetworks() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

func (h house) Prometheus() (url, token string, err error) {
	if h.prometheus == "broken" {
		return "", "", errors.New("prometheus: token env:X: not set")
	}
	return h.prometheus, "prom-token", nil
}

func runs(h house) *runner.Runner { return &runner.Runner{House: func() runner.House { return h }} }

// at allows a server, and the shell.
func at(urls ...string) house {
	h := house{allowed: runbook.Allowed{Programs: []string{runbook.Shell, "/bin/true", "/nowhere/program"}}, secrets: map[string]string{"token": token}}
	for _, url := range urls {
		h.allowed.Hosts = append(h.allowed.Hosts, strings.TrimPrefix(url, "http://"))
	}
	return h
}

func get(url string) *runbook.Automatic {
	return &runbook.Automatic{
		Runner: runbook.ByHTTP, HTTP: runbook.HTTP{Method: "GET", URL: url}, Timeout: 10 * time.Second, Output: 100,
		Expect: runbook.Expect{From: 200, To: 299},
	}
}

func post(url, body string) *runbook.Automatic {
	a := get(url)
	a.HTTP.Method, a.HTTP.Body = "POST", body
	return a
}

func script(text string) *runbook.Automatic {
	return &runbook.Automatic{Runner: runbook.ByCommand, Shell: true, Command: []string{text}, Timeout: 10 * time.Second, Output: 100}
}

func server(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

// want compares what matters of a result.
func want(t *testing.T, got runbook.Result, state runbook.State, output, detail string) {
	t.Helper()
	if got.State != state || !strings.Contains(got.Output, output) || !strings.Contains(got.Detail, detail) || detail == "" && got.Detail != "" {
		t.Errorf("got %s %q, detail %q; want %s %q, %q", got.State, got.Output, got.Detail, state, output, detail)
	}
}

func TestARequestSaysAllThatTheStepSays(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s %s %q", r.Method, r.RequestURI, r.Header.Get("X-Why"), r.Header.Get("Authorization"), body)
	})
	a := post(url+"/drain?x=1", `{"n": 1}`)
	a.HTTP.Headers = []runbook.Header{{Name: "X-Why", Value: "deploy"}}
	got := runs(at(url)).Run(t.Context(), a)
	want(t, got, runbook.Passed, `POST /drain?x=1 deploy  "{\"n\": 1}"`, "")
	sum := sha256.Sum256([]byte(got.Output))
	if got.Status != http.StatusCreated || got.SHA256 != hex.EncodeToString(sum[:]) || got.Size != int64(len(got.Output)) {
		t.Errorf("got %+v", got)
	}
}

func TestServersThatMisbehave(t *testing.T) {
	var elsewhere atomic.Int32
	forbidden := server(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	gone := httptest.NewServer(nil)
	gone.Close()
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fails":
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "no disk")
		case "/redirect":
			http.Redirect(w, r, forbidden, http.StatusFound)
		case "/307":
			http.Redirect(w, r, forbidden, http.StatusTemporaryRedirect)
		case "/flood":
			for range 2000 {
				fmt.Fprint(w, strings.Repeat("flood ", 2000))
			}
		case "/ok":
			fmt.Fprint(w, "all is well")
		case "/hangs":
			_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that the client is gone
			<-r.Context().Done()
		case "/breaks":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/closes":
			panic(http.ErrAbortHandler)
		case "/binary":
			_, _ = w.Write([]byte{0xff, 0, 'a'})
		}
	})
	says := func(a *runbook.Automatic, text string) *runbook.Automatic { a.Expect.Has = text; return a }
	soon := func(a *runbook.Automatic) *runbook.Automatic { a.Timeout = time.Second; return a }
	for _, c := range []struct {
		name           string
		a              *runbook.Automatic
		state          runbook.State
		output, detail string
	}{
		{"ok", get(url + "/ok"), runbook.Passed, "all is well", ""},
		{"says it", says(get(url+"/ok"), "is well"), runbook.Passed, "", ""},
		{"does not say it", says(get(url+"/ok"), "is bad"), runbook.Failed, "all is well", `the output has no "is bad"`},
		{"fails", get(url + "/fails"), runbook.Failed, "no disk", "status 500; want 200..299"},
		{"redirects elsewhere", get(url + "/redirect"), runbook.Failed, "", "status 302; want 200..299; a redirect is not followed"},
		{"redirects with the body", post(url+"/307", "x"), runbook.Failed, "", "status 307; want 200..299; a redirect is not followed"},
		{"floods", says(get(url+"/flood"), "no such"), runbook.Failed, "flood flood", `the output has no "no such"; only 16777216 bytes of the answer were read`},
		{"floods and is well", get(url + "/flood"), runbook.Passed, "flood flood", "only 16777216 bytes of the answer were read"},
		{"hangs, and nothing can have changed", soon(get(url + "/hangs")), runbook.Failed, "", "no answer in time"},
		{"hangs, and may have done it", soon(post(url+"/hangs", "x")), runbook.Unknown, "", "no answer in time"},
		{"closes, and may have done it", post(url+"/closes", "x"), runbook.Unknown, "", "closed without an answer"},
		{"breaks off", post(url+"/breaks", "x"), runbook.Passed, "half", "the answer broke off"},
		{"breaks off before it has said it", says(post(url+"/breaks", "x"), "done"), runbook.Unknown, "half", "before what it must say"},
		{"breaks off, and nothing can have changed", says(get(url+"/breaks"), "done"), runbook.Failed, "half", "before what it must say"},
		{"is gone", post(gone.URL, "x"), runbook.Failed, "", "connection refused"},
		{"is not allowed", get(forbidden), runbook.Failed, "", "not allowed; want it in runners: http: allow"},
		{"is inside", get("http://10.1.2.3/"), runbook.Failed, "", "10.1.2.3 is private: want 10.1.2.3/32 under own_networks in organisation.yaml"},
		{"says no text", get(url + "/binary"), runbook.Passed, "\ufffd\x00a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runs(at(url, gone.URL, "10.1.2.3")).Run(t.Context(), c.a)
			want(t, got, c.state, c.output, c.detail)
			if len(got.Output) > c.a.Output {
				t.Errorf("kept %d bytes; want at most %d", len(got.Output), c.a.Output)
			}
		})
	}
	if elsewhere.Load() > 0 {
		t.Errorf("a host that is not allowed got %d requests", elsewhere.Load())
	}
}

func TestCommandsThatMisbehave(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "child")
	soon := func(a *runbook.Automatic) *runbook.Automatic { a.Timeout = time.Second; return a }
	says := func(a *runbook.Automatic, text string) *runbook.Automatic { a.Expect.Has = text; return a }
	exits := func(a *runbook.Automatic, from, to int) *runbook.Automatic {
		a.Expect.From, a.Expect.To = from, to
		return a
	}
	program := func(words ...string) *runbook.Automatic {
		a := script("")
		a.Shell, a.Command = false, words
		return a
	}
	for _, c := range []struct {
		name           string
		a              *runbook.Automatic
		state          runbook.State
		exit           int
		output, detail string
	}{
		{"ends well", script("echo out; echo err >&2"), runbook.Passed, 0, "out\nerr\n", ""},
		{"fails", script("echo no; exit 3"), runbook.Failed, 3, "no\n", "exit code 3; want 0"},
		{"fails as it should", exits(script("exit 3"), 1, 3), runbook.Passed, 3, "", ""},
		{"does not say it", says(script("echo hello"), "bye"), runbook.Failed, 0, "hello", `the output has no "bye"`},
		{"hangs", soon(script("echo begun; sleep 600")), runbook.Unknown, -1, "begun", "took longer than 1s; stopped before it had ended"},
		{"does not listen", soon(script("trap '' TERM; echo begun; while :; do sleep 1; done")), runbook.Unknown, -1, "begun", "took longer than 1s"},
		{"ends late as if all was well", soon(script("trap 'exit 0' TERM; while :; do sleep 0.1; done")), runbook.Unknown, 0, "", "took longer than 1s"},
		{"leaves somebody behind", script("sleep 600 & echo $! >" + mark), runbook.Passed, 0, "", ""},
		{"ends itself", script("kill -9 $$"), runbook.Failed, -1, "", "ended by itself: signal: killed"},
		{"is not there", program("/nowhere/program"), runbook.Failed, 0, "", "start /nowhere/program: no such file or directory"},
		{"is not allowed", program("/bin/echo", "x"), runbook.Failed, 0, "", `program "/bin/echo": not allowed`},
		{"floods", script("yes flood | head -c 30000000; echo the end"), runbook.Passed, 0, "flood\nflood", ""},
		{"floods and says it last", says(script("yes flood | head -c 3000000; echo the end"), "the end"), runbook.Passed, 0, "flood", ""},
		{"has a parameter left", program("/bin/true", "{{param host}}"), runbook.Failed, 0, "", "parameter host: has no value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runs(at()).Run(t.Context(), c.a)
			want(t, got, c.state, c.output, c.detail)
			if got.Exit != c.exit || len(got.Output) > c.a.Output {
				t.Errorf("got exit %d and %d bytes, want exit %d", got.Exit, len(got.Output), c.exit)
			}
		})
	}
	pid, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	var left int
	fmt.Sscan(string(pid), &left)
	// Once it is dead, whoever adopts it may take a moment to bury it.
	if err := syscall.Kill(left, 0); err == nil && !dead(left) {
		t.Errorf("process %d goes on", left)
	}
}

// dead tells whether a process is one only by name.
func dead(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestWholeOutputIsHashedAndOnlyItsBeginningKept(t *testing.T) {
	a := script(`i=0; while [ $i -lt 5000 ]; do echo "line $i 결제"; i=$((i+1)); done`)
	a.Output = 11 // in the middle of a character
	got := runs(at()).Run(t.Context(), a)
	var all strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&all, "line %d 결제\n", n)
	}
	sum := sha256.Sum256([]byte(all.String()))
	if got.SHA256 != hex.EncodeToString(sum[:]) || got.Size != int64(all.Len()) || got.Output != "line 0 결" && got.Output != "line 0 " {
		t.Errorf("got %+v, want %x of %d bytes", got, sum, all.Len())
	}
}

func TestACommandSeesNothingOfUs(t *testing.T) {
	t.Setenv("SMTP_PASSWORD", "hunter2")
	a := script("pwd; ls -A; env; echo $TARGET")
	a.Output = 4096
	a.Environment = []runbook.Pair{{Name: "TARGET", Value: "web 1; $(x)"}}
	got := runs(at()).Run(t.Context(), a)
	want(t, got, runbook.Passed, "web 1; $(x)\n", "")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder, _, _ := strings.Cut(got.Output, "\n")
	if strings.Contains(got.Output, "hunter2") || strings.Contains(got.Output, "HOME=") || folder == here {
		t.Errorf("got %q", got.Output)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was left behind: %v", folder, err)
	}
}

func TestSomebodyStopsACommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	mark := filepath.Join(t.TempDir(), "begun")
	done := make(chan runbook.Result)
	go func() { done <- runs(at()).Run(ctx, script("echo x >"+mark+"; sleep 600")) }()
	for {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	got := <-done
	want(t, got, runbook.Unknown, "", "stopped before it had ended")
	if strings.Contains(got.Detail, "took longer") {
		t.Errorf("got %q", got.Detail)
	}
}

// However a secret comes back, the record has no trace of it.
func TestSecretsAreNeverInTheRecord(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer "+token || !json.Valid(body) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprintf(w, "%s|%s|%s|%s", r.Header.Get("Authorization"), r.URL.Query().Get("key"), r.RequestURI, body)
	})
	a := post(url+"/x?key={{secret token}}", `{"token": "{{secret token}}"}`)
	a.HTTP.Headers = []runbook.Header{{Name: "Authorization", Value: "Bearer {{secret token}}"}, {Name: "Content-Type", Value: "application/json"}}
	a.Secrets, a.Output = []string{"token"}, 4096
	got := runs(at(url)).Run(t.Context(), a)
	want(t, got, runbook.Passed, `Bearer <secret>|<secret>|/x?key=<secret>|{"token": "<secret>"}`, "")
	sum := sha256.Sum256([]byte(got.Output))
	if got.SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("the hash is of something else than what is recorded: it would give a short secret away")
	}

	b := script(`echo "it is $TOKEN"; printf %s "$TOKEN" >&2; exit 1`)
	b.Environment, b.Secrets = []runbook.Pair{{Name: "TOKEN", Value: "{{secret token}}"}}, []string{"token"}
	want(t, runs(at()).Run(t.Context(), b), runbook.Failed, "it is <secret>\n<secret>", "exit code 1")

	lines := at()
	lines.secrets = map[string]string{"token": "-----BEGIN KEY-----\nabcdefghijklmnop\nshort\n-----END KEY-----"}
	b = script(`echo "$TOKEN" | grep abc`)
	b.Environment, b.Secrets = []runbook.Pair{{Name: "TOKEN", Value: "{{secret token}}"}}, []string{"token"}
	want(t, runs(lines).Run(t.Context(), b), runbook.Passed, "<secret>\n", "")

	gone := at()
	gone.secrets = nil
	want(t, runs(gone).Run(t.Context(), b), runbook.Failed, "", "secret token: env:X: not set")

	c := get(url)
	c.HTTP.Headers, c.Secrets = []runbook.Header{{Name: "Authorization", Value: "{{secret token}}"}}, []string{"token"}
	h := at(url)
	h.secrets = lines.secrets
	want(t, runs(h).Run(t.Context(), c), runbook.Failed, "", "header Authorization: its value has more than one line")
}

// A secret may come in pieces, and be cut by what is kept.
func TestNoPieceOfASecretGetsThrough(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ab]{2,6}`), 1, 3).Draw(rt, "secrets")
		text := rapid.StringMatching(`[abc]{0,60}`).Draw(rt, "text")
		limit := rapid.IntRange(1, 80).Draw(rt, "limit")
		got := runner.Captured(secrets, limit, rapid.SliceOf(rapid.IntRange(1, 9)).Draw(rt, "pieces"), text)
		whole := runner.Captured(secrets, 1<<20, nil, text)
		if got != whole[:min(limit, len(whole))] {
			rt.Errorf("in pieces %q, as a whole %q", got, whole)
		}
		for _, piece := range strings.Split(whole, "<secret>") {
			for _, s := range secrets {
				if strings.Contains(piece, s) {
					rt.Errorf("%q of %q has %q", whole, text, s)
				}
			}
		}
	})
}

func TestMeasurements(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			fmt.Fprint(w, "ok v2.1.0")
		case "/hangs":
			_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that the client is gone
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "starting\nup")
		}
	})
	prometheus := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer prom-token" || r.URL.Path != "/p/api/v1/query" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		result := map[string]string{
			"errors":  `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"shop","__name__":"errors"},"value":[1,"0.5"]},{"metric":{"job":"erp"},"value":[1,"3"]}]}}`,
			"one":     `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`,
			"none":    `{"status":"success","data":{"resultType":"vector","result":[]}}`,
			"nan":     `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}`,
			"range":   `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
			"strange": `{"status":"success","data":{"resultType":"vector","result":{"a":1}}}`,
			"odd":     `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}`,
			"wrong":   `{"status":"error","error":"parse error: unexpected end"}`,
		}[r.FormValue("query")]
		fmt.Fprint(w, result)
	})
	less := runbook.Comparison{Operator: "<", Value: 5}
	for _, c := range []struct {
		name string
		m    runbook.Measurement
		want runbook.Outcome
		seen string
	}{
		{"healthy", runbook.Measurement{HTTP: url + "/health"}, runbook.Pass, "status 200: ok v2.1.0"},
		{"the right version", runbook.Measurement{HTTP: url + "/health", Has: "v2.1"}, runbook.Pass, "status 200: ok v2.1.0"},
		{"another version", runbook.Measurement{HTTP: url + "/health", Has: "v2.2"}, runbook.Fail, `the output has no "v2.2": ok v2.1.0`},
		{"not yet", runbook.Measurement{HTTP: url + "/other"}, runbook.Fail, "status 503; want 200: starting up"},
		{"down as it should be", runbook.Measurement{HTTP: url + "/other", Status: 503}, runbook.Pass, "status 503: starting up"},
		{"nothing listens", runbook.Measurement{HTTP: gone.URL}, runbook.Fail, "connection refused"},
		{"no answer", runbook.Measurement{HTTP: url + "/hangs", Timeout: time.Second}, runbook.Inconclusive, "no answer in time"},
		{"not allowed", runbook.Measurement{HTTP: "http://elsewhere.example"}, runbook.Inconclusive, "not allowed"},
		{"a command", runbook.Measurement{Command: []string{runbook.Shell, "-c", "echo fine"}}, runbook.Pass, "fine"},
		{"a command that fails", runbook.Measurement{Command: []string{runbook.Shell, "-c", "echo lag 90; exit 2"}}, runbook.Fail, "exit code 2; want 0: lag 90"},
		{"a command that hangs", runbook.Measurement{Command: []string{runbook.Shell, "-c", "sleep 600"}, Timeout: time.Second}, runbook.Inconclusive, "took longer than 1s"},
		{"no command", runbook.Measurement{Command: []string{"/nowhere/program"}}, runbook.Inconclusive, "start /nowhere/program"},
		{"few errors", runbook.Measurement{Query: "errors", Compare: less}, runbook.Pass, `{job="shop"} 0.5, {job="erp"} 3; want < 5`},
		{"errors of one", runbook.Measurement{Query: "errors", Compare: runbook.Comparison{Operator: "<=", Value: 1}}, runbook.Fail, `{job="erp"} 3, {job="shop"} 0.5; want <= 1`},
		{"a scalar", runbook.Measurement{Query: "one", Compare: runbook.Comparison{Operator: "==", Value: 1}}, runbook.Pass, "1; want == 1"},
		{"no data", runbook.Measurement{Query: "none", Compare: less}, runbook.Inconclusive, "no data"},
		{"no number", runbook.Measurement{Query: "nan", Compare: less}, runbook.Inconclusive, "NaN is no number"},
		{"no number either", runbook.Measurement{Query: "odd", Compare: less}, runbook.Inconclusive, "2 is no number"},
		{"a range", runbook.Measurement{Query: "range", Compare: less}, runbook.Inconclusive, "the query has a matrix"},
		{"a strange answer", runbook.Measurement{Query: "strange", Compare: less}, runbook.Inconclusive, "not that of a query"},
		{"a wrong query", runbook.Measurement{Query: "wrong", Compare: less}, runbook.Inconclusive, "Prometheus refuses the query: parse error"},
		{"no JSON", runbook.Measurement{Query: "?", Compare: less}, runbook.Inconclusive, "status 200, and no answer of Prometheus"},
		{"no comparison", runbook.Measurement{Query: "one"}, runbook.Inconclusive, `comparison "": want one of <`},
		{"nothing", runbook.Measurement{}, runbook.Inconclusive, "want one of http, command and query"},
		{"everything", runbook.Measurement{HTTP: url, Query: "one"}, runbook.Inconclusive, "want one of http, command and query"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.m.Timeout == 0 {
				c.m.Timeout = 10 * time.Second
			}
			h := at(url, gone.URL)
			h.prometheus = prometheus + "/p/"
			got := runs(h).Measure(t.Context(), c.m)
			if got.Outcome != c.want || !strings.Contains(got.Seen, c.seen) {
				t.Errorf("got %+v, want %s %q", got, c.want, c.seen)
			}
		})
	}
	m := runbook.Measurement{Query: "one", Compare: less, Timeout: time.Second}
	for prometheus, seen := range map[string]string{"": "want its URL in runners: prometheus", "broken": "token env:X: not set", gone.URL: "connection refused"} {
		h := at()
		h.prometheus = prometheus
		if got := runs(h).Measure(t.Context(), m); got.Outcome != runbook.Inconclusive || !strings.Contains(got.Seen, seen) {
			t.Errorf("%q: got %+v, want %q", prometheus, got, seen)
		}
	}
}
