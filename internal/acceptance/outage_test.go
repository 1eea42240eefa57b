package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"muster/internal/incident"
	"muster/starter"
)

// An intake whose Temporal is killed, and then hangs: whatever is posted meanwhile is answered 503 with Retry-After, and
// nothing is lost after it is posted again.
func TestTemporalStopsWhileAlertsArePosted(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.postAll(t, "before", 4, accepted)

	// Killed while posts are under way: each of them is taken or answered with 503.
	var underWay sync.WaitGroup
	underWay.Go(func() { o.postAll(t, "killed", 12, func(r reply) error { return either(accepted(r), toBeRepeated(r)) }) })
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
	o := &outage{folder: t.TempDir(), port: strconv.Itoa(freePort(t)), sink: newReceiver(t), group: map[string]bool{}}
	organise(t, o.folder, o.sink.url, nil)
	o.startEngine(t)
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	o.url = "http://" + address
	start(t, "worker and serve", o.folder, listenEnv+"="+address, "TEMPORAL_ADDRESS=127.0.0.1:"+o.port).awaitReady(t)
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
			r, err := post(t.Context(), o.url, body("till", group, "firing", 1, ""))
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
			posting.Go(func() { faults <- deliver(t.Context(), o.url, body("till", group, "firing", 1, "")) })
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
	c, err := client.Dial(client.Options{HostPort: "127.0.0.1:" + o.port, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	must(t, err)
	defer c.Close()
	incidents := &starter.Incidents{Temporal: c, Namespace: client.DefaultNamespace}
	var found map[string][]incident.ID
	must(t, until(t.Context(), "every group has its incident", func() (err error) {
		if found, err = titles(t.Context(), incidents); err == nil && len(found) < len(o.group) {
			err = fmt.Errorf("%d of %d have", len(found), len(o.group))
		}
		return err
	}))
	for group := range o.group {
		if len(found[group]) != 1 {
			t.Errorf("group %s has the incidents %v, want one", group, found[group])
			continue
		}
		must(t, until(t.Context(), "the first on-call is paged for "+group, func() error {
			page := func(a attempt) bool { return pages("/ann/app")(a) && a.Message.Incident == string(found[group][0]) }
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

// titles lists all incidents by the group that each is about.
func titles(ctx context.Context, incidents *starter.Incidents) (map[string][]incident.ID, error) {
	rows, _, err := incidents.List(ctx, starter.Filter{Limit: 1000})
	if err != nil {
		return nil, err
	}
	found := map[string][]incident.ID{}
	for _, row := range rows {
		i, err := incidents.State(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		found[i.Definition.Title] = append(found[i.Definition.Title], i.ID)
	}
	return found, nil
}
