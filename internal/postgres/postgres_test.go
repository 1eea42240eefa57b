package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"muster/internal/postgres"
	"muster/internal/postgrestest"
)

func parse(t *testing.T, where string) *postgres.Database {
	t.Helper()
	d, err := postgres.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("postgres://muster:secret@db.example.com:6432/work?sslmode=disable\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("THE_URL", "postgresql://muster:secret@db.example.com/work")
	for _, row := range []struct{ where, want, fault string }{
		{where: "postgres://muster@db.example.com/work", want: "work on db.example.com:5432"},
		{where: "file:" + file, want: "work on db.example.com:6432"},
		{where: "env:THE_URL", want: "work on db.example.com:5432"},
		{where: "env:NO_URL", fault: "database env:NO_URL: the variable NO_URL is not set"},
		{where: "file:" + file + "x", fault: "no such file"},
		{where: "postgres://muster:secret@db.example.com", fault: "database postgres://muster@db.example.com: want postgres://"},
		{where: "mysql://db.example.com/work", fault: "database (not shown): want postgres://"},
		{where: "host=db password=secret dbname=work", fault: "database (not shown): want postgres://"},
		{where: "postgress://muster:secret@db/work", fault: "database (not shown): want postgres://"},
		{where: "muster:secret@db/work", fault: "database (not shown): want postgres://"},
		{where: "postgres://muster:secret@db.example.com:x/work", fault: "want postgres://"},
		{where: "postgres://muster:secret@db.example.com/work?sslmode=perhaps", fault: "sslmode"},
	} {
		d, err := postgres.Parse(row.where)
		switch {
		case row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: got %v, want %q and no secret", row.where, err, row.fault)
		case row.fault == "" && (err != nil || d.String() != row.want):
			t.Errorf("%s: got %v, %v; want %s", row.where, d, err, row.want)
		}
	}
}

// What an administrator must be asked for is said in the words that they need.
func TestEnsure(t *testing.T) {
	c := postgrestest.Start(t)
	d := parse(t, c.URL("a database"))
	for _, first := range []bool{true, false} {
		if created, err := d.Ensure(t.Context()); err != nil || created != first {
			t.Fatalf("got created %v, %v; want %v", created, err, first)
		}
	}
	db := d.Open()
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE USER poor PASSWORD 'x'"); err != nil {
		t.Fatal(err)
	}
	poor := strings.Replace(c.URL("other"), strings.Split(strings.TrimPrefix(c.URL("other"), "postgres://"), "@")[0], "poor:x", 1)
	_, err := parse(t, poor).Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), `CREATE DATABASE "other" OWNER "poor";`) {
		t.Errorf("got %v, want what an administrator should do", err)
	}
	wrong := strings.Replace(poor, "poor:x", "poor:secret", 1)
	_, err = parse(t, wrong).Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "password authentication failed") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want that the password is wrong, without it", err)
	}
	const none = "no password was given: want it in PGPASSWORD"
	if err != nil && strings.Contains(err.Error(), none) {
		t.Errorf("got %v, and there was one", err)
	}
	t.Setenv("PGPASSFILE", filepath.Join(t.TempDir(), "none"))
	if _, err = parse(t, strings.Replace(poor, "poor:x", "poor", 1)).Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), none) {
		t.Errorf("got %v, want that there was none", err)
	}
}

// One holds a lock at a time; it comes back when PostgreSQL does, unless somebody else was faster.
func TestLock(t *testing.T) {
	c := postgrestest.Start(t)
	d := parse(t, c.URL("postgres"))
	back := make(chan struct{}, 1)
	first, err := d.Hold(t.Context(), 7, func(err error) {
		if err != nil {
			return
		}
		select {
		case back <- struct{}{}:
		default: // it has come back twice, and Release waits for whoever says so
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Hold(t.Context(), 7, quiet)
	if !errors.Is(err, postgres.ErrHeld) || !strings.Contains(err.Error(), "muster ") {
		t.Errorf("got %v, want that it is held, and by whom", err)
	}
	other, err := d.Hold(t.Context(), 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	other.Release()

	if err := errors.Join(c.Stop("immediate"), c.Run()); err != nil {
		t.Fatal(err)
	}
	db := d.Open()
	defer func() { _ = db.Close() }()
	granted := func(ctx context.Context) bool {
		var n int
		return db.QueryRowContext(ctx, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted").Scan(&n) == nil && n == 1
	}
	await(t, "the lock is taken again", granted)
	select {
	case <-back: // and somebody is told
	case <-time.After(time.Minute):
		t.Fatal("nobody is told that the lock is back")
	}
	select {
	case err := <-first.Lost():
		t.Fatalf("the lock was lost: %v", err)
	default:
	}

	defer first.Release()

	// A connection that somebody ends while another waits for the lock.
	rival := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(t.Context(), "SELECT pg_advisory_lock(7), pg_sleep(20)")
		rival <- err
	}()
	await(t, "a rival waits for the lock", func(ctx context.Context) bool {
		var n int
		return db.QueryRowContext(ctx, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&n) == nil && n == 1
	})
	if _, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-first.Lost():
		if !errors.Is(err, postgres.ErrHeld) {
			t.Errorf("got %v, want that it is held", err)
		}
	case err := <-rival:
		t.Errorf("the rival ended: %v", err)
	}
}

func quiet(error) {}

// What passes by itself is waited for; what somebody must mend is said.
func TestAway(t *testing.T) {
	for _, row := range []struct {
		err  error
		want bool
	}{
		{&pgconn.PgError{Code: "57P03"}, true},  // it starts
		{&pgconn.PgError{Code: "53300"}, true},  // too many connections
		{&pgconn.PgError{Code: "55P03"}, true},  // lock_timeout
		{&pgconn.PgError{Code: "57014"}, true},  // statement_timeout
		{&pgconn.PgError{Code: "28P01"}, false}, // the password is wrong
		{&pgconn.PgError{Code: "42501"}, false}, // not permitted
		{context.DeadlineExceeded, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{&fs.PathError{Op: "open", Path: "keys.json", Err: syscall.EACCES}, false},
		{errors.New("its schema is newer"), false},
	} {
		if got := postgres.Away(fmt.Errorf("open: %w", row.err)); got != row.want {
			t.Errorf("%v: got %t, want %t", row.err, got, row.want)
		}
	}
}

// Something between forgets a connection, and PostgreSQL does not know: the session before is our own, and nobody else's.
func TestLockOfAConnectionThatIsForgotten(t *testing.T) {
	c := postgrestest.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var first sync.Once
	forget := make(chan struct{})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.Port))
			if err != nil {
				return
			}
			forgets := false
			first.Do(func() { forgets = true })
			go func() { _, _ = io.Copy(out, in) }()
			go func() {
				if forgets { // the client's end is closed, and the server's stays
					go func() { <-forget; _ = in.Close() }()
				}
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := parse(t, strings.Replace(c.URL("postgres"), fmt.Sprint(":", c.Port), ":"+port, 1)+"?sslmode=disable")
	held, err := d.Hold(t.Context(), 7, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	direct := parse(t, c.URL("postgres")).Open()
	defer func() { _ = direct.Close() }()
	owner := func() (pid int) {
		_ = direct.QueryRowContext(t.Context(), "SELECT coalesce(max(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND granted").Scan(&pid)
		return pid
	}
	before := owner()
	close(forget)
	await(t, "another session has the lock", func(context.Context) bool { now := owner(); return now != 0 && now != before })
	select {
	case err := <-held.Lost():
		t.Errorf("the lock was lost: %v", err)
	default:
	}
}

func await(t *testing.T, what string, ok func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !ok(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: did not happen", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
