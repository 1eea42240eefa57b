package devserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/server/common/log/tag"
)

// Something else may take a port between our choosing and the server's binding. The server means that to end the
// process.
func TestPortTakenInBetween(t *testing.T) {
	taken, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := open(t, t.TempDir())
	defer f.unlock()
	s := f.store(true)
	if err := createNamespace(s, Options{Namespace: "default", Retention: time.Hour}); err != nil {
		t.Fatal(err)
	}

	tries := 0
	choose := func(n int) ([]int, error) {
		free, err := freePorts(n)
		if tries++; tries < len(free) { // All but the metrics' after the other: each is bound at another place.
			free[tries-1] = taken.Addr().(*net.TCPAddr).Port
		}
		return free, err
	}
	log := newLogger(quiet())
	e, err := startEngine(t.Context(), s, newToken(), 0, 0, log, choose)
	if err != nil {
		t.Fatal(err)
	}
	if tries != startAttempts {
		t.Errorf("attempts: got %d, want %d", tries, startAttempts)
	}
	select {
	case err := <-log.fatal:
		t.Errorf("the started engine reports %v", err)
	default:
	}
	if !e.stop(stopLimit) {
		t.Error("the engine did not stop")
	}
}

func TestFixedPortTaken(t *testing.T) {
	taken, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, opts := range map[string]Options{
		"frontend": {FrontendPort: port},
		"metrics":  {MetricsPort: port},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Folder, opts.Logger = t.TempDir(), quiet()
			_, err := Start(t.Context(), opts)
			if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "listen on "+taken.Addr().String()) {
				t.Errorf("got %v", err)
			}
			open(t, opts.Folder).unlock() // The refused start gave the folder back.
		})
	}
}

func TestFatalReportEndsOneGoroutine(t *testing.T) {
	l := newLogger(quiet())
	for range 2 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.With(tag.String("service", "history")).Fatal("no disk", tag.Error(errors.New("full")))
			t.Error("Fatal returned")
		}()
		<-done
	}
	err := <-l.fatal
	if want := "temporal cannot go on: no disk service=history error=full"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestLoggerWritesWhatMatters(t *testing.T) {
	var out strings.Builder
	l := newLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	tagged := l.With(tag.String("shard", "1"))
	tagged.Info("not this")
	tagged.Error("queue stuck", tag.Error(errors.New("disk full")), tag.SysStackTrace("goroutine 1"))
	tagged.Warn("HTTP API port has not been set. Nexus HTTP endpoints will not be available.")
	tagged.Error("Queue reader unable to retrieve tasks", tag.Error(errors.New("shard status unknown")))
	tagged.Warn("long", tag.String("value", strings.Repeat("ä", 400)))
	for range 3 {
		tagged.Warn("busy")
	}
	l.said.messages["busy"] = message{at: time.Now().Add(-pause), leftOut: 2}
	tagged.Warn("busy")
	l.mute()
	tagged.Error("not this either")
	want := `level=ERROR msg="queue stuck" from=temporal shard=1 error="disk full"` + "\n" +
		`level=WARN msg=long from=temporal shard=1 value=` + strings.Repeat("ä", 250) + "…\n" +
		"level=WARN msg=busy from=temporal shard=1\n" +
		"level=WARN msg=busy from=temporal left-out=2 shard=1\n"
	if out.String() != want {
		t.Errorf("\n got %s\nwant %s", out.String(), want)
	}
}

func TestUntilNamesTheCause(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	cause := errors.New("not serving")
	err := until(ctx, func(context.Context) error { return cause })
	if !errors.Is(err, cause) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
