package postgres

import (
	"errors"
	"testing"
	"time"

	"muster/internal/postgrestest"
)

// A PostgreSQL that starts anew gives the same pids again: only a session of our pid that is also as old as ours is our own.
func TestASessionOfOurPidIsNotAlwaysOurs(t *testing.T) {
	d, err := Parse(postgrestest.Start(t).URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := d.Hold(t.Context(), 7, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Release()
	pid, since := other.pid, other.since
	db := d.Open()
	defer func() { _ = db.Close() }()
	lives := func() (there bool) {
		const ask = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2)"
		if err := db.QueryRowContext(t.Context(), ask, pid, since).Scan(&there); err != nil {
			t.Fatal(err)
		}
		return there
	}

	before := &Lock{of: d, key: 7, pid: pid, since: since.Add(-time.Hour)}
	if err := before.take(t.Context()); !errors.Is(err, ErrHeld) || !lives() {
		t.Errorf("got %v, the other session lives: %t; want that it is held, and that it does", err, lives())
	}
	own := &Lock{of: d, key: 7, pid: pid, since: since}
	if err := own.take(t.Context()); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("got %v, want that our own session has not ended yet", err)
	}
	for end := time.Now().Add(time.Minute); lives(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("our own session was not ended")
		}
	}
}
