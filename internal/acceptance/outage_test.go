package acceptance_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/postgrestest"
)

// An intake whose Temporal is killed, and then hangs: whatever is posted meanwhile is answered 503 with Retry-After, and
// nothing is lost after it is posted again.
func TestTemporalStopsWhileAlertsArePosted(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.postAll(t, "before", 4, accepted)
	must(t, until(t.Context(), "the worker works", func() error {
		if n := len(ids(o.sink.got(taken(pages("/ada/app"))))); n < 4 {
			return fmt.Errorf("%d pages were taken", n)
		}
		return nil
	}))

	// Killed while posts are under way: each of them is taken or answered with 503.
	var underWay sync.WaitGroup
	underWay.Go(func() {
		o.postAll(t, "killed", 8, func(r reply) error { return either(accepted(r), toBeRepeated(r)) })
	})
	must(t, until(t.Context(), "the first of them is durable", func() error {
		if o.taken("killed-") == 0 {
			return errors.New("none is")
		}
		return nil
	}))
	o.engine.kill()
	underWay.Wait()
	o.postAll(t, "away", 24, toBeRepeated)
	o.startEngine(t)
	o.repeat(t)

	// It takes connections and says nothing: the outcome of what is posted is unknown.
	must(t, o.engine.freeze())
	o.postAll(t, "frozen", 20, toBeRepeated)
	must(t, o.engine.thaw())
	o.repeat(t)
	o.check(t)
}

// outage is a Temporal in one process, worker and serve in another, and who posts and is paged here.
type outage struct {
	folder, url string
	port        string
	engine      *child
	sink        *receiver

	mu    sync.Mutex
	group map[string]bool // every group that was posted: whether it was taken
}

func newOutage(t *testing.T) *outage {
	t.Helper()
	o := &outage{folder: t.TempDir(), port: strconv.Itoa(postgrestest.FreePort(t)), sink: newReceiver(t), group: map[string]bool{}}
	organise(t, o.folder, o.sink.url, nil)
	serve := filepath.Join(o.folder, "serve")
	must(t, os.Mkdir(serve, 0o700))
	_, err := keyring.New(filepath.Join(o.folder, keyring.File), time.Now())
	must(t, err)
	o.startEngine(t)
	address := fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))
	o.url = "http://" + address
	token, err := os.ReadFile(filepath.Join(o.folder, "engine", devserver.TokenFile))
	must(t, err)
	start(t, "worker and serve", o.folder, listenEnv+"="+address, "TEMPORAL_ADDRESS=127.0.0.1:"+o.port,
		"TEMPORAL_API_KEY="+strings.TrimSpace(string(token)), "TEMPORAL_TLS=false").awaitReady(t)
	return o
}

func (o *outage) startEngine(t *testing.T) {
	t.Helper()
	o.engine = start(t, "engine", o.folder, portEnv+"="+o.port)
	o.engine.awaitReady(t)
}

// postAll posts new groups at once, each once, and asks that each is answered as wanted.
func (o *outage) postAll(t *testing.T, name string, groups int, want func(reply) error) {
	var posting sync.WaitGroup
	for n := range groups {
		posting.Go(func() {
			group := fmt.Sprintf("%s-%02d", name, n)
			r, err := post(t.Context(), o.url, body("failing", group, "firing", 1, ""))
			if err == nil {
				err = want(r)
			}
			if err != nil {
				t.Errorf("post of %s: %v", group, err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			o.group[group] = r.status == http.StatusOK
		})
	}
	posting.Wait()
}

func accepted(r reply) error {
	if r.status != http.StatusOK {
		return fmt.Errorf("got %+v, want 200", r)
	}
	return nil
}

func toBeRepeated(r reply) error {
	if r.status != http.StatusServiceUnavailable || r.retryAfter == "" || r.kind != "application/problem+json" {
		return fmt.Errorf("got %+v, want 503 with Retry-After and a problem", r)
	}
	return nil
}

func either(a, b error) error {
	if a == nil {
		return nil
	}
	return b
}

// taken counts the groups whose name begins so that were taken.
func (o *outage) taken(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for group, ok := range o.group {
		if ok && strings.HasPrefix(group, name) {
			n++
		}
	}
	return n
}

// repeat posts what was not taken until it is.
func (o *outage) repeat(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var posting sync.WaitGroup
	faults := make(chan error, len(o.group))
	for group, ok := range o.group {
		if !ok {
			posting.Go(func() { faults <- deliver(t.Context(), o.url, body("failing", group, "firing", 1, "")) })
			o.group[group] = true
		}
	}
	posting.Wait()
	close(faults)
	for err := range faults {
		must(t, err)
	}
}

// check asks that every group has one incident and that its first on-call was paged.
func (o *outage) check(t *testing.T) {
	t.Helper()
	c := administrator(t, o.url, filepath.Join(o.folder, "serve"))
	var found map[string][]*incident.Incident
	must(t, until(t.Context(), "every group has its incident", func() (err error) {
		if found, err = byGroup(t.Context(), c); err == nil && len(found) < len(o.group) {
			err = fmt.Errorf("%d of %d have", len(found), len(o.group))
		}
		return err
	}))
	for group := range o.group {
		if len(found[group]) != 1 {
			t.Errorf("group %s has %d incidents, want one", group, len(found[group]))
			continue
		}
		must(t, until(t.Context(), "the first on-call is paged for "+group, func() error {
			page := func(a attempt) bool { return pages("/ada/app")(a) && a.Message.Incident == string(found[group][0].ID) }
			if len(o.sink.got(taken(page))) == 0 {
				return errors.New("no page was taken")
			}
			return nil
		}))
	}
	if len(found) != len(o.group) {
		t.Errorf("%d groups have incidents, want %d", len(found), len(o.group))
	}
	o.sink.check(t)
}
