package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"muster/internal/delivery"
)

// inbox receives webhooks on this machine and marks in the world what has arrived.
type inbox struct {
	server  *http.Server
	buffers sync.Pool
}

// openInbox listens and tells the world where pages go.
func openInbox(ctx context.Context, w *world) (*inbox, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open inbox: %w", err)
	}
	i := &inbox{}
	i.buffers.New = func() any { return new(bytes.Buffer) }
	i.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now() // the head of the request is here
		buf := i.buffers.Get().(*bytes.Buffer)
		defer i.buffers.Put(buf)
		buf.Reset()
		if _, err := buf.ReadFrom(io.LimitReader(r.Body, 1<<20)); err != nil {
			return
		}
		text := buf.Bytes()
		_, to, _ := bytes.Cut(text, []byte(`"recipient":{`))
		w.delivered(delivery.ID(field(text, "id")), field(text, "service"), field(text, "incident"), delivery.Kind(field(text, "kind")),
			field(to, "id"), now)
	})}
	w.pages = "http://" + l.Addr().String() + "/pages"
	go func() {
		if err := i.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // only a broken listener
		}
	}()
	return i, nil
}

// field returns the first string of a name: what we wrote ourselves needs no more of a parser.
func field(text []byte, name string) string {
	_, after, _ := bytes.Cut(text, []byte(`"`+name+`":"`))
	value, _, _ := bytes.Cut(after, []byte(`"`))
	return string(value)
}

func (i *inbox) close() { _ = i.server.Close() }
