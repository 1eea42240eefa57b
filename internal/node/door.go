package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"muster/internal/throttle"
	"muster/starter/api"
	"muster/starter/ingest"
)

// A door is the address at which a node answers HTTP. It is taken before anything else starts, so that an address that
// another program has is told at once; until the node opens it, it says that the node is starting.
type door struct {
	url    string
	server *http.Server
	behind atomic.Pointer[http.Handler]
}

// ServeHTTP answers with what is behind the door.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.behind.Load()).ServeHTTP(w, r) }

// take takes the node's address. The flag is the one by which people choose another.
func (n *Node) take(ctx context.Context, flag string) error {
	l, err := listen(ctx, n.cfg.Listen, flag)
	if err != nil {
		return err
	}
	d := &door{url: "http://" + l.Addr().String()}
	starting := starting()
	d.behind.Store(&starting)
	d.server = &http.Server{
		Handler:           throttle.Behind(n.cfg.Proxies, d),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       ingest.BodyTime + 5*time.Second,
		WriteTimeout:      ingest.BodyTime + ingest.Patience + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(n.cfg.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.deaf <- fmt.Errorf("answer at %s: %w", d.url, err)
		}
	}()
	n.door = d
	n.onStop(func() { _ = d.server.Close() })
	return nil
}

// reachable is the URL for whoever is on the same machine: a door that stands open to every address has none of its own.
func (d *door) reachable() string {
	return strings.NewReplacer("//0.0.0.0:", "//127.0.0.1:", "//[::]:", "//127.0.0.1:").Replace(d.url)
}

// open puts what the node answers behind its door, until the node stops.
func (n *Node) open(ctx context.Context, handler http.Handler) {
	n.door.behind.Store(&handler)
	const patience = 15 * time.Second // a post that waits for its commit gets its answer
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if err := n.door.server.Shutdown(ctx); err != nil {
			n.cfg.Log.Warn("http server did not stop in time", "error", err)
		}
	})
}

// starting is what a node answers before it is open: it lives, and whoever wants more should ask again.
func starting() http.Handler {
	mux := http.NewServeMux()
	health := api.Health(api.Check{Name: "temporal", Func: func(context.Context) error { return errors.New("not reached yet") }})
	for _, path := range healthPaths() {
		mux.Handle(path, health)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		http.Error(w, "muster is starting: ask again", http.StatusServiceUnavailable)
	})
	return mux
}

func healthPaths() []string { return []string{"/livez", "/readyz", "/healthz"} }

// listen takes an address, or says which flag chooses another.
func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // it names the address once more
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: choose another with %s", address, err, flag)
	}
	return l, nil
}
