package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"muster/examples"
	"muster/internal/datalock"
	"muster/internal/keyring"
	"muster/internal/node"
	"muster/starter/api"
)

// said is what a node prints or logs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// count is how often something was said.
func (s *said) count(text string) int { return strings.Count(s.String(), text) }

// config describes a node on the example organisation, with a token for an administrator, and what it will say.
func config(t *testing.T) (node.Config, *said) {
	t.Helper()
	folder, words := t.TempDir(), &said{}
	example, err := fs.Sub(examples.FS, "org")
	must(t, err)
	cfg := node.Config{
		Data: filepath.Join(folder, "data"), Org: filepath.Join(folder, "organisation"), Listen: "127.0.0.1:0", Out: words,
		Log: slog.New(slog.NewTextHandler(words, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	must(t, os.CopyFS(cfg.Org, example))
	must(t, os.MkdirAll(cfg.Data, 0o700))
	_, err = keyring.Open(filepath.Join(cfg.Data, keyring.File), time.Now)
	must(t, err)
	return cfg, words
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a process, and returns what stops it and tells how it ended.
func run(t *testing.T, process func(context.Context, node.Config) error, cfg node.Config) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- process(ctx, cfg) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// free returns an address on which nobody listens, outside the range from which the kernel gives ports to clients: a client
// that dials it again and again never meets itself there.
func free(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err == nil {
			must(t, l.Close())
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// get asks a node, as the administrator of a data folder if it has one.
func get(t *testing.T, data, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	token, err := os.ReadFile(filepath.Join(data, api.AdminTokenFile))
	if !errors.Is(err, fs.ErrNotExist) {
		must(t, err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(body)
}

// TestAddressTaken tells at once which address another program has, and which flag chooses another.
func TestAddressTaken(t *testing.T) {
	settings(t, free(t)) // no Temporal: nobody gets as far as to ask for it
	taken := listen(t).Addr().String()
	port := listen(t).Addr().(*net.TCPAddr).Port
	dev := func(change func(*node.DevConfig)) func(context.Context, node.Config) error {
		return func(ctx context.Context, cfg node.Config) error {
			c := node.DevConfig{Config: cfg, UIPort: -1}
			change(&c)
			return node.Dev(ctx, c)
		}
	}
	for name, tt := range map[string]struct {
		process func(context.Context, node.Config) error
		listen  string
		want    string
	}{
		"serve":       {node.Serve, taken, "listen on " + taken + ": bind: address already in use: choose another with --listen"},
		"worker":      {node.Worker, taken, "listen on " + taken + ": bind: address already in use: choose another with --listen"},
		"dev":         {dev(func(*node.DevConfig) {}), taken, "listen on " + taken + ": bind: address already in use: choose another with --port"},
		"Temporal":    {dev(func(c *node.DevConfig) { c.TemporalPort = port }), "127.0.0.1:0", "already in use: choose another with --temporal-port"},
		"Temporal UI": {dev(func(c *node.DevConfig) { c.UIPort = port }), "127.0.0.1:0", "already in use: choose another with --ui-port"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := config(t)
			cfg.Listen = tt.listen
			if err := tt.process(t.Context(), cfg); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(cfg.Data, "engine")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the engine was set up before: %v", err)
			}
		})
	}
}

// TestWaitsForTemporal is started before Temporal is, says so, and takes work when it answers.
func TestWaitsForTemporal(t *testing.T) {
	address := free(t)
	settings(t, address)
	cfg, words := config(t)
	cfg.Listen = free(t)
	stop := run(t, node.Worker, cfg)
	eventually(t, "the worker says that it waits", func() bool { return words.count("waiting for temporal") > 0 })
	for path, want := range map[string]int{"/livez": 200, "/readyz": 503, "/v1/alerts/alertmanager": 503, "/api/v2/alerts": 503, "/v2/enqueue": 503} {
		if got, body := get(t, cfg.Data, "http://"+cfg.Listen+path); got != want {
			t.Errorf("%s while it waits: got %d %s, want %d", path, got, body, want)
		}
	}

	s := newTemporal()
	s.start(t, address)
	<-s.polled
	if got, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz"); got != 200 {
		t.Errorf("/readyz at work: got %d %s, want 200", got, body)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped: got %v, want no error", err)
	}
}

// TestStoppedWhileWaiting ends without an error when it is told to.
func TestStoppedWhileWaiting(t *testing.T) {
	settings(t, free(t))
	for name, process := range map[string]func(context.Context, node.Config) error{"worker": node.Worker, "serve": node.Serve} {
		t.Run(name, func(t *testing.T) {
			cfg, words := config(t)
			stop := run(t, process, cfg)
			eventually(t, "it says that it waits", func() bool { return words.count("waiting for temporal") > 0 })
			if err := stop(); err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

// TestTemporalGoesAwayMeanwhile survives that Temporal answers, and no longer when the worker begins.
func TestTemporalGoesAwayMeanwhile(t *testing.T) {
	s := newTemporal()
	var once sync.Once
	s.describe = func() (err error) {
		once.Do(func() { err = serviceerror.NewDeadlineExceeded("gone") })
		return err
	}
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	stop := run(t, node.Worker, cfg)
	<-s.polled
	if words.count("waiting for temporal") == 0 {
		t.Errorf("it did not say that it waits: %s", words)
	}
	if err := stop(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// TestSearchAttributes takes no work in a namespace in which no workflow could run, and says what to do.
func TestSearchAttributes(t *testing.T) {
	denied := serviceerror.NewPermissionDenied("not yours", "")
	create := func(name, kind string) string {
		return "\n  temporal operator search-attribute create --namespace acme --name " + name + " --type " + kind
	}
	for name, tt := range map[string]struct {
		change func(*operator)
		want   []string
	}{
		"none, and they cannot be added": {func(o *operator) { clear(o.attributes); o.add = denied }, []string{
			"search attributes of namespace acme: MusterId is missing (not yours), ",
			create("MusterId", "Keyword"), create("MusterStatus", "Keyword"), create("MusterPriority", "Int"),
			create("MusterService", "Keyword"), create("MusterCustomers", "KeywordList"), create("MusterNextDue", "Datetime"),
			create("MusterKind", "Keyword"),
		}},
		"one has another type": {func(o *operator) { o.attributes["MusterPriority"] = enumspb.INDEXED_VALUE_TYPE_TEXT }, []string{
			"MusterPriority is of type Text, not Int; no workflow can run there",
			"\n  temporal operator search-attribute remove --namespace acme --name MusterPriority" + create("MusterPriority", "Int"),
		}},
		"no namespace": {func(o *operator) { o.list = serviceerror.NewNamespaceNotFound("acme") }, []string{
			"namespace acme: temporal does not know it", "temporal operator namespace create --namespace acme",
		}},
	} {
		for role, process := range map[string]func(context.Context, node.Config) error{"worker": node.Worker, "serve": node.Serve} {
			t.Run(name+"/"+role, func(t *testing.T) {
				s := newTemporal()
				tt.change(&s.operator)
				s.start(t, "127.0.0.1:0")
				cfg, _ := config(t)
				err := process(t.Context(), cfg)
				for _, want := range tt.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %q in it", err, want)
					}
				}
			})
		}
	}
}

// TestSearchAttributesAdded helps itself where it may.
func TestSearchAttributesAdded(t *testing.T) {
	s := newTemporal()
	clear(s.operator.attributes)
	s.start(t, "127.0.0.1:0")
	cfg, _ := config(t)
	run(t, node.Worker, cfg)
	<-s.polled
	if !s.operator.has(complete()) {
		t.Error("the worker takes work without its search attributes")
	}
}

// TestSearchAttributesLookedFor stops as well where they may not be listed, as in Temporal Cloud.
func TestSearchAttributesLookedFor(t *testing.T) {
	s := newTemporal()
	s.operator.list = serviceerror.NewPermissionDenied("not yours", "")
	s.operator.add = s.operator.list
	delete(s.operator.attributes, "MusterKind")
	s.start(t, "127.0.0.1:0")
	cfg, _ := config(t)
	err := node.Worker(t.Context(), cfg)
	const want = "search attributes of namespace acme: MusterKind is missing (not yours); no workflow can run there before this is done:" +
		"\n  temporal operator search-attribute create --namespace acme --name MusterKind --type Keyword"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestSearchAttributesUnknown goes on, with a warning, where the question is not allowed.
func TestSearchAttributesUnknown(t *testing.T) {
	s := newTemporal()
	s.operator.list = serviceerror.NewPermissionDenied("not yours", "")
	s.uncounted = s.operator.list
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	run(t, node.Worker, cfg)
	<-s.polled
	if words.count("search attributes not checked") != 1 {
		t.Errorf("no warning: %s", words)
	}
}

// TestReadiness shows which organisation folder is in use, what is wrong with it, and what needs a restart.
func TestReadiness(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	run(t, node.Worker, cfg)
	<-s.polled
	shows := func(page, line string) func() bool {
		return func() bool {
			_, body := get(t, cfg.Data, "http://"+cfg.Listen+page)
			return strings.Contains(body, line)
		}
	}
	eventually(t, "a revision is shown", shows("/readyz?verbose", "[+]organisation ok, revision "))
	eventually(t, "nothing needs a restart", shows("/readyz?verbose", "[+]settings ok"))

	file := filepath.Join(cfg.Org, "organisation.yaml")
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, append(text, "own_networks: [10.0.0.0/8]\n"...), 0o600))
	const logged = "the organisation folder has changed where only a restart reads it"
	eventually(t, "a change that needs a restart is shown", shows("/readyz?verbose", "[-]settings changed, read again after a restart: own_networks"))
	eventually(t, "it is logged", func() bool { return words.count(logged) > 0 })

	must(t, os.WriteFile(file, []byte("id: [\n"), 0o600))
	eventually(t, "the fault is shown", shows("/readyz?verbose", "[-]organisation the folder has faults ("))
	eventually(t, "the fault is measured", shows("/metrics", "muster_organisation_ok 0"))
	if n := words.count(logged); n != 1 {
		t.Errorf("said %d times what needs a restart, want once", n)
	}
	if got, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz"); got != 200 {
		t.Errorf("with a faulty folder: got %d %s, want ready", got, body)
	}
}

// A mapping of a source is compiled at each look at the folder: what has not changed is no reason for a restart, and what has is one.
func TestMappingsAreComparedByWhatTheySay(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	sources := filepath.Join(cfg.Org, "sources.yaml")
	shipped, err := os.ReadFile(sources)
	must(t, err)
	own := string(shipped) + "  - {id: z, type: json, mapping: zabbix}\n  - {id: o, type: json, mapping: {fingerprint: alert.id, state: '\"firing\"', labels: {host: alert.host}}}\n"
	must(t, os.WriteFile(sources, []byte(own), 0o600))
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	shows := func(line string) bool {
		_, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz?verbose")
		return strings.Contains(body, line)
	}
	revision := func() string {
		_, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz?verbose")
		_, rest, _ := strings.Cut(body, "[+]organisation ok, revision ")
		line, _, _ := strings.Cut(rest, "\n")
		return line
	}
	before := revision()
	must(t, os.WriteFile(sources, []byte(own+"# the same\n"), 0o600))
	eventually(t, "the folder is read again", func() bool { r := revision(); return r != "" && r != before })
	if !shows("[+]settings ok") {
		t.Error("a comment needs a restart")
	}
	must(t, os.WriteFile(sources, []byte(strings.Replace(own, "alert.host", "alert.name", 1)), 0o600))
	eventually(t, "another expression needs a restart", func() bool { return shows("read again after a restart: sources") })
}

// What is missing is named all at once, before anything begins.
func TestAllMissingSecretsAreNamedAtOnce(t *testing.T) {
	cfg, _ := config(t)
	file := filepath.Join(cfg.Org, "sources.yaml")
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, append(text, "  - {id: a, type: grafana, token: env:NOT_SET_A}\n  - {id: b, type: grafana, token: file:none}\n"...), 0o600))
	err = node.Serve(t.Context(), cfg)
	for _, want := range []string{
		"alert source a: token env:NOT_SET_A: not set in the environment of this process", "alert source b: token file:none: no such file",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestScheduleRefused goes on where the schedule of the reminders may not be made, and says so.
func TestScheduleRefused(t *testing.T) {
	s := newTemporal() // which makes none
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	eventually(t, "it is shown", func() bool {
		got, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz?verbose")
		return got == 200 && strings.Contains(body, "[-]reminders schedule certificates: ")
	})
	if words.count("customers are not reminded of their certificates") != 1 {
		t.Errorf("it did not log it once: %s", words)
	}
}

// TestStopsInOrder answers what has been asked before it lets go of Temporal.
func TestStopsInOrder(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s := newTemporal()
	s.list = func() { close(asked); <-answer }
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	stop := run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	got := make(chan string, 1)
	go func() {
		status, body := get(t, cfg.Data, "http://"+cfg.Listen+"/api/v1/incidents")
		got <- fmt.Sprint(status, " ", body)
	}()
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	eventually(t, "nobody else comes in", func() bool {
		status, _ := get(t, cfg.Data, "http://"+cfg.Listen+"/livez")
		return status == 0
	})
	close(answer)
	if reply := <-got; !strings.HasPrefix(reply, "200 ") {
		t.Errorf("who had asked got %s, want 200", reply)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// TestGuessing shuts out who guesses tokens, tells somebody, and goes on for those who have a good one.
func TestGuessing(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	me, nobody := "http://"+cfg.Listen+"/api/v1/me", t.TempDir()
	for n := range 20 {
		want := 401
		if n == 19 {
			want = 429
		}
		if got, body := get(t, nobody, me); got != want {
			t.Fatalf("guess %d: got %d %s, want %d", n+1, got, body, want)
		}
	}
	if got, body := get(t, cfg.Data, me); got != 200 || !strings.Contains(body, `"administrator"`) {
		t.Errorf("a good token from the same address: got %d %s", got, body)
	}
	if _, body := get(t, cfg.Data, "http://"+cfg.Listen+"/api/v1/attempts"); strings.Count(body, `"kind":"token"`) != 20 || strings.Count(body, `"kind":"lock"`) != 1 {
		t.Errorf("the log has %s", body)
	}
	eventually(t, "somebody is told", func() bool {
		said, err := os.ReadFile(filepath.Join(cfg.Data, "deliveries", "self-watch.jsonl"))
		return err == nil && strings.Contains(string(said), "127.0.0.1에서 유효하지 않은 토큰이나")
	})
}

// TestGuessingLinks tells a person in both languages that he is shut out.
func TestGuessingLinks(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	guess := "http://" + cfg.Listen + "/l/key-1.guess.guess"
	for n := range 19 {
		if got, body := get(t, t.TempDir(), guess); got != 404 || !strings.Contains(body, "<html") {
			t.Fatalf("guess %d: got %d %s, want the page that says so", n+1, got, body)
		}
	}
	got, body := get(t, t.TempDir(), guess)
	if got != 429 || strings.Contains(body, "<html") || !strings.Contains(body, "900초 뒤에") || !strings.Contains(body, "Try again in 900 seconds") {
		t.Errorf("the twentieth: got %d %s", got, body)
	}
	if got, _ := get(t, t.TempDir(), "http://"+cfg.Listen+"/login"); got != 200 {
		t.Errorf("the sign-in page from the same address: got %d", got)
	}
}

// TestWorkerWaitsForKeys makes none of its own: it would take nothing that serve signs.
func TestWorkerWaitsForKeys(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	must(t, os.Remove(filepath.Join(cfg.Data, keyring.File)))
	stop := run(t, node.Worker, cfg)
	eventually(t, "it says that it waits", func() bool { return words.count("waiting for keys") == 1 })
	_, err := keyring.Open(filepath.Join(cfg.Data, keyring.File), time.Now)
	must(t, err)
	<-s.polled
	if err := stop(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// TestKeysThatAreNamedAreThere makes none in their place: what they sign nobody would believe.
func TestKeysThatAreNamedAreThere(t *testing.T) {
	for name, start := range map[string]func(context.Context, node.Config) error{"serve": node.Serve, "worker": node.Worker} {
		cfg, _ := config(t)
		cfg.Keys = filepath.Join(t.TempDir(), "kyes.json")
		want := "open keys " + cfg.Keys + ": not there: copy the file that the other processes have, or make the first one: muster keys signing new " + cfg.Keys
		if err := start(t.Context(), cfg); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if _, err := os.Stat(cfg.Keys); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the file is there, or %v; want none", name, err)
		}
	}
}

// TestTheFolderOfDevIsItsOwn keeps others out: commands would not find it any more.
func TestTheFolderOfDevIsItsOwn(t *testing.T) {
	for name, start := range map[string]func(context.Context, node.Config) error{"serve": node.Serve, "worker": node.Worker} {
		cfg, _ := config(t)
		dev, err := datalock.Take(cfg.Data)
		must(t, err)
		defer dev.Release()
		want := fmt.Sprintf("open data folder %s: in use by another muster (process %d): stop that one, or choose another folder", cfg.Data, os.Getpid())
		if err := start(t.Context(), cfg); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// TestCommandsFindServe writes where it answers and whose token lets its owner in.
func TestCommandsFindServe(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen = free(t)
	must(t, os.Remove(filepath.Join(cfg.Data, keyring.File)))
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	if n := words.count("muster serve has made the keys that sign, " + filepath.Join(cfg.Data, "keys.json")); n != 1 {
		t.Errorf("it said %d times that it has made keys, want once: %s", n, words)
	}
	url, err := os.ReadFile(filepath.Join(cfg.Data, api.URLFile))
	if err != nil || strings.TrimSpace(string(url)) != "http://"+cfg.Listen {
		t.Errorf("got %q, %v", url, err)
	}
	for _, name := range []string{api.URLFile, api.AdminTokenFile, "keys.json", "store.db"} {
		state, err := os.Stat(filepath.Join(cfg.Data, name))
		if err != nil || state.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it for its owner alone", name, state, err)
		}
	}
}
