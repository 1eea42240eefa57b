package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"muster/internal/postgrestest"
	"muster/internal/timeline"
	"muster/starter/api"
)

// A cluster is Muster as it runs beyond one machine, from real programs on loopback: PostgreSQL, a Temporal server, some workers, and
// serve twice behind one address.
type cluster struct {
	folder   string
	postgres *postgrestest.Cluster
	programs string   // folder of what was built
	address  string   // of Temporal
	env      []string // of the programs of Muster
	temporal *child
	serves   [2]*served
	system   *system
}

// A served is one muster serve.
type served struct {
	name, address string
	now           *child
}

// newCluster builds the programs and starts all but the workers.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{folder: t.TempDir(), postgres: postgrestest.Start(t), programs: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))}
	c.build(t, "temporal-server", "go.temporal.io/server/cmd/server")
	c.build(t, "temporal-sql-tool", "go.temporal.io/server/cmd/tools/sql")
	c.build(t, "muster-v1", "muster", "-tags", "slim", "-ldflags", "-s -w -X main.version=v1.0.0")
	c.build(t, "muster-v2", "muster", "-tags", "slim", "-ldflags", "-s -w -X main.version=v2.0.0")

	sink := newReceiver(t)
	organise(t, c.folder, sink.url, nil)
	store := write(t, filepath.Join(c.folder, "store-url"), c.postgres.URL("muster"))
	c.env = append(os.Environ(),
		"TEMPORAL_ADDRESS="+c.address, "TEMPORAL_NAMESPACE=muster", "TEMPORAL_CONFIG_FILE="+filepath.Join(c.folder, "none.toml"),
		"MUSTER_STORE=file:"+store, "TEMPORAL_DEPLOYMENT_NAME=muster",
		"MUSTER_LANG=en",
	)
	c.schema(t)
	c.configure(t, "temporal")
	c.startTemporal(t)
	c.namespace(t)
	if out, err := exec.CommandContext(t.Context(), c.program("muster-v1"), "keys", "signing", "new", c.keys()).CombinedOutput(); err != nil {
		t.Fatalf("make keys: %v\n%s", err, out)
	}
	for n := range c.serves {
		c.serves[n] = &served{name: fmt.Sprintf("serve-%d", n+1), address: fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))}
		c.serve(t, c.serves[n], "muster-v1")
		c.serves[n].now.awaitReady(t)
	}
	front := c.front(t)
	c.system = &system{url: front, sink: sink, api: administrator(t, front, filepath.Join(c.folder, "serve-1"))}
	return c
}

// build builds a program from this module.
func (c *cluster) build(t *testing.T, name, what string, flags ...string) {
	t.Helper()
	args := append(append([]string{"build"}, flags...), "-o", c.program(name), what)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
}

func (c *cluster) program(name string) string { return filepath.Join(c.programs, name) }

// schema makes Temporal's databases as deploy/temporal/schema.sh does.
func (c *cluster) schema(t *testing.T) {
	t.Helper()
	at, err := url.Parse(c.postgres.URL(""))
	must(t, err)
	password, _ := at.User.Password()
	for _, db := range []string{"temporal", "temporal_visibility"} {
		for _, args := range [][]string{
			{"create"}, {"setup-schema", "-v", "0.0"}, {"update-schema", "--schema-name", "postgresql/v12/" + strings.TrimPrefix(db, "temporal_")},
		} {
			cmd := exec.CommandContext(t.Context(), c.program("temporal-sql-tool"), append([]string{
				"--plugin", "postgres12", "--ep", at.Hostname(), "--port", at.Port(), "--user", at.User.Username(), "--db", db,
			}, args...)...)
			cmd.Env = append(os.Environ(), "SQL_PASSWORD="+password)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("temporal-sql-tool %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
}

// configure writes the settings of the Temporal server on a database and that of its lists. The dynamic ones are those of docker-compose.yml.
func (c *cluster) configure(t *testing.T, database string) {
	t.Helper()
	at, err := url.Parse(c.postgres.URL(""))
	must(t, err)
	password, _ := at.User.Password()
	dynamic, err := filepath.Abs("../../deploy/temporal/dynamicconfig.yaml")
	must(t, err)
	store := func(db string, connections int) string {
		return fmt.Sprintf("{sql: {pluginName: postgres12_pgx, databaseName: %s, connectAddr: %q, connectProtocol: tcp, user: muster, password: %q, maxConns: %d, maxIdleConns: %[4]d}}",
			db, at.Host, password, connections)
	}
	var services strings.Builder
	_, frontend, _ := strings.Cut(c.address, ":")
	for _, name := range []string{"frontend", "history", "matching", "worker"} {
		port := frontend
		if name != "frontend" {
			port = fmt.Sprint(postgrestest.FreePort(t))
		}
		fmt.Fprintf(&services, "  %s: {rpc: {grpcPort: %s, membershipPort: %d, bindOnLocalHost: true}}\n", name, port, postgrestest.FreePort(t))
	}
	write(t, filepath.Join(c.folder, "temporal.yaml"), `log: {stdout: true, level: warn}
persistence:
  defaultStore: main
  visibilityStore: visibility
  numHistoryShards: 64
  datastores:
    main: `+store(database, 12)+`
    visibility: `+store(database+"_visibility", 4)+`
global: {membership: {maxJoinDuration: 30s, broadcastAddress: 127.0.0.1}}
clusterMetadata:
  failoverVersionIncrement: 10
  masterClusterName: active
  currentClusterName: active
  clusterInformation: {active: {enabled: true, initialFailoverVersion: 1, rpcAddress: `+c.address+`}}
dcRedirectionPolicy: {policy: noop}
publicClient: {hostPort: `+c.address+`}
dynamicConfigClient: {filepath: `+dynamic+`, pollInterval: 60s}
services:
`+services.String())
}

func (c *cluster) startTemporal(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.program("temporal-server"), "--config-file", filepath.Join(c.folder, "temporal.yaml"), "start")
	c.temporal = launch(t, cmd, filepath.Join(c.folder, "temporal.log"), "no such words")
}

// namespace makes Muster's namespace and waits until all of Temporal knows it; the search attributes are made by whoever comes first.
func (c *cluster) namespace(t *testing.T) {
	t.Helper()
	cl, err := client.NewLazyClient(client.Options{HostPort: c.address, Namespace: "muster", Logger: quiet{}})
	must(t, err)
	defer cl.Close()
	must(t, until(t.Context(), "the namespace is made", func() error {
		_, err := cl.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
			Namespace: "muster", WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
		})
		if _, there := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); there {
			err = nil
		}
		return err
	}))
	must(t, until(t.Context(), "the namespace is known", func() error {
		_, err := cl.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "muster"})
		return err
	}))
}

// quiet is a logger of the SDK that says nothing: what is not there yet is asked for again.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func (c *cluster) keys() string { return filepath.Join(c.folder, "keys.json") }

// serve starts a muster serve of a version.
func (c *cluster) serve(t *testing.T, s *served, version string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.program(version), "serve", "--org", filepath.Join(c.folder, "organisation"),
		"--data", filepath.Join(c.folder, s.name), "--keys", c.keys(), "--listen", s.address)
	cmd.Env = c.env
	s.now = launch(t, cmd, filepath.Join(c.folder, s.name+".log"), "muster serve listens on")
}

// worker starts a muster worker of a version on an organisation folder, with the archive or without.
func (c *cluster) worker(t *testing.T, m *member) *child {
	t.Helper()
	data := filepath.Join(c.folder, m.name)
	must(t, os.MkdirAll(data, 0o700))
	tickets := filepath.Join(c.folder, "tickets") // the one part of the data folders that workers must share, or have a ticket system for
	must(t, os.MkdirAll(tickets, 0o700))
	if err := os.Symlink(tickets, filepath.Join(data, "tickets")); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	args := []string{"worker", "--org", m.organisation, "--data", data, "--keys", c.keys()}
	if m.archives {
		args = append(args, "--archive", filepath.Join(c.folder, "archive"))
	}
	cmd := exec.CommandContext(t.Context(), c.program(m.version), args...)
	cmd.Env = c.env
	return launch(t, cmd, filepath.Join(c.folder, m.name+".log"), "muster worker takes work from")
}

// front is the one address of both serves. Who does not answer is not asked again for a moment.
func (c *cluster) front(t *testing.T) string {
	t.Helper()
	var turn atomic.Int64
	return listen(t, "127.0.0.1:0", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: c.serves[turn.Add(1)%2].address})
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
}

// A member is a worker that is killed and comes back.
type member struct {
	name, version, organisation string
	archives                    bool
	now                         *child
}

func (c *cluster) members(t *testing.T, version, organisation string, names ...string) (all []*member) {
	t.Helper()
	for _, name := range names {
		m := &member{name: name, version: version, organisation: organisation, archives: strings.HasSuffix(name, "-archive")}
		m.now = c.worker(t, m)
		all = append(all, m)
	}
	for _, m := range all {
		m.now.awaitReady(t)
	}
	return all
}

// A campaign is the load on a cluster, and what is counted of it.
type campaign struct {
	t      *testing.T
	c      *cluster
	dice   *rand.Rand
	acting sync.WaitGroup
	mu     sync.Mutex
	all    []*killed
	faults []error
	kills  int
}

// load begins some groups of alerts, a little apart. What becomes of them goes on beside the campaign.
func (a *campaign) load(groups int) (begun []*killed) {
	for range groups {
		a.mu.Lock()
		n := len(a.all)
		k := &killed{name: fmt.Sprintf("g%02d", n), answers: n%2 == 0, resolves: n%4 == 0}
		a.all = append(a.all, k)
		a.mu.Unlock()
		begun = append(begun, k)
		a.acting.Go(func() {
			if err := a.c.system.act(a.t.Context(), k); err != nil {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.faults = append(a.faults, err)
			}
		})
		a.wait(600)
	}
	return begun
}

// wait lets at most so many milliseconds pass: what is hit next is in the middle of something.
func (a *campaign) wait(most int) {
	select {
	case <-a.t.Context().Done():
	case <-time.After(time.Duration(a.dice.IntN(most)) * time.Millisecond):
	}
}

// kill ends a process as a power cut would.
func (a *campaign) kill(c *child) {
	select {
	case <-c.ended:
		a.t.Errorf("%s ended by itself: %v", filepath.Base(c.log), c.state)
	default:
	}
	c.kill()
	a.kills++
}

// Muster on a Temporal server and a PostgreSQL, several processes of each kind: whatever of it dies or hangs, one after the other and
// under load, everybody who should be paged is, nobody twice, and what it says of itself is true.
func TestARealClusterLosesNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := newCluster(t)
	c.system.sink.slow(seed, "/ann/new")
	a := &campaign{t: t, c: c, dice: rand.New(rand.NewPCG(seed, 2))}
	folder := filepath.Join(c.folder, "organisation")
	behind := filepath.Join(c.folder, "organisation-before")
	must(t, os.CopyFS(behind, os.DirFS(folder)))

	old := append(c.members(t, "muster-v1", folder, "worker-archive", "worker-b"), c.members(t, "muster-v1", behind, "worker-c")...)
	a.load(4)

	t.Log("workers are killed one by one")
	for _, m := range old {
		a.kill(m.now)
		a.load(2)
		m.now = c.worker(t, m)
		a.wait(1000)
	}

	t.Log("one worker has an older folder than the others")
	moved := a.move(folder)
	t.Log("workers of a newer version come beside them")
	young := c.members(t, "muster-v2", folder, "worker-d", "worker-e")
	a.load(3)
	if said, err := a.promote(); err == nil || !strings.Contains(said, "its workers do not ask for task queue muster-archive, as those of version v1.0.0 do") {
		t.Errorf("promoted without a worker for the archive: %v, said %q", err, said)
	}
	young = append(young, c.members(t, "muster-v2", folder, "young-archive")...)
	must(t, until(t.Context(), "the newer version gets the work", func() error {
		said, err := a.promote()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		if want := "deployment muster: version v2.0.0 has the work now, v1.0.0 had it before\n"; said != want {
			t.Errorf("promote says %q, want %q", said, want)
		}
		return nil
	}))
	a.load(3)
	for _, m := range old {
		a.kill(m.now)
	}
	a.load(2)

	t.Log("both serves are replaced")
	for _, s := range c.serves {
		a.kill(s.now)
		a.load(1)
		c.serve(t, s, "muster-v2")
		s.now.awaitReady(t)
	}
	must(t, c.serves[0].now.cmd.Process.Signal(syscall.SIGTERM))
	<-c.serves[0].now.ended
	c.serve(t, c.serves[0], "muster-v2")

	t.Log("PostgreSQL is away for a minute")
	must(t, c.postgres.Stop("immediate"))
	away := time.After(time.Minute)
	a.load(4)
	<-away
	must(t, c.postgres.Run())
	a.load(2)

	t.Log("Temporal is killed")
	a.kill(c.temporal)
	a.load(2)
	c.startTemporal(t)
	a.kill(young[0].now)
	young[0].now = c.worker(t, young[0])

	a.acting.Wait()
	must(t, errors.Join(a.faults...))
	c.system.climbsToTheEnd(t, a.all)
	c.system.checkKilled(t, a.all)
	for _, k := range moved {
		if stale := c.system.sink.got(k.pages("/ann/app")); len(stale) > 0 {
			t.Errorf("group %s: %d pages went to an address that the folder has no more: by a worker with an older one", k.name, len(stale))
		}
	}
	c.checkTickets(t, a.all)
	c.checkStore(t)
	t.Logf("%d groups of alerts, %d processes killed, PostgreSQL away for a minute", len(a.all), a.kills)
}

// move gives somebody another address in the folder, waits until all who read it know it, and begins some groups.
func (a *campaign) move(folder string) []*killed {
	a.t.Helper()
	before := make([]string, len(a.c.serves))
	for n, s := range a.c.serves {
		var err error
		before[n], err = a.c.revision(a.t.Context(), s)
		must(a.t, err)
	}
	file := filepath.Join(folder, "people.yaml")
	text, err := os.ReadFile(file)
	must(a.t, err)
	write(a.t, filepath.Join(folder, "secrets", "ann-new"), a.c.system.sink.url+"/ann/new")
	changed := strings.Replace(string(text), "file:secrets/ann-app", "file:secrets/ann-new", 1)
	if changed == string(text) {
		a.t.Fatal("the folder has no such address: this proves nothing")
	}
	a.c.system.sink.mu.Lock()
	a.c.system.sink.moved = map[string]string{"/ann/app": "/ann/new"}
	a.c.system.sink.mu.Unlock()
	must(a.t, os.WriteFile(file, []byte(changed), 0o600))
	for n, s := range a.c.serves {
		must(a.t, until(a.t.Context(), s.name+" reads the folder", func() error {
			now, err := a.c.revision(a.t.Context(), s)
			if err == nil && now == before[n] {
				err = errors.New("it has the folder as it was")
			}
			return err
		}))
	}
	return a.load(4)
}

// revision is that of the organisation folder which a serve has.
func (c *cluster) revision(ctx context.Context, s *served) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	found := regexp.MustCompile(`muster_organisation_info\{revision="([^"]+)"\} 1`).FindSubmatch(text)
	if err == nil && found == nil {
		err = errors.New("it does not say which folder it has")
	}
	if err != nil {
		return "", err
	}
	return string(found[1]), nil
}

// promote gives the work to the newer version, as somebody who deploys does.
func (a *campaign) promote() (said string, err error) {
	cmd := exec.CommandContext(a.t.Context(), a.c.program("muster-v2"), "worker", "promote")
	cmd.Env = a.c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// checkTickets asks that each incident has one ticket, which no worker has refused to bring up to date.
func (c *cluster) checkTickets(t *testing.T, all []*killed) {
	t.Helper()
	numbers := map[string]string{}
	for _, k := range all {
		i, err := c.system.api.Incident(t.Context(), k.id)
		must(t, err)
		if failed := entriesOf(i.Timeline.Entries, timeline.TicketFailed, "", ""); len(failed) > 0 {
			t.Errorf("the ticket of group %s: %v", k.name, failed)
		}
		if other, taken := numbers[i.Ticket.Ref.ID]; taken || i.Ticket.Ref.ID == "" {
			t.Errorf("groups %s and %s have the ticket %q", k.name, other, i.Ticket.Ref.ID)
		}
		numbers[i.Ticket.Ref.ID] = k.name
	}
}

// checkStore asks that what one serve knows the other one knows too.
func (c *cluster) checkStore(t *testing.T) {
	t.Helper()
	for _, s := range c.serves {
		s.now.awaitReady(t)
	}
	for n := range c.serves {
		for _, s := range c.serves {
			if _, err := administrator(t, "http://"+s.address, filepath.Join(c.folder, c.serves[n].name)).List(t.Context(), api.Filter{Limit: 1}); err != nil {
				t.Errorf("the token of %s at %s: %v", c.serves[n].name, s.name, err)
			}
		}
	}
}
