package store_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"muster/internal/postgres"
	"muster/internal/postgrestest"
	"muster/internal/store"
)

// clusterEnv holds the URL of a PostgreSQL, with NAME for the name of the database, on which the tests run instead of on files.
const clusterEnv = "MUSTER_STORE_CLUSTER"

// All that holds for a file holds for a database: the tests run again there.
func TestOnPostgres(t *testing.T) {
	if os.Getenv(clusterEnv) != "" {
		t.Skip("the tests run on a database already")
	}
	c := postgrestest.Start(t, "fsync = off", "max_connections = 200")
	self, err := os.Executable()
	must(t, err)
	again := exec.CommandContext(t.Context(), self, "-test.v", "-test.timeout=5m")
	again.Env = append(os.Environ(), clusterEnv+"="+c.URL("NAME"))
	out, err := again.CombinedOutput()
	if n := strings.Count(string(out), "\n--- PASS"); err != nil || n < 25 {
		t.Errorf("%v, %d tests passed:\n%s", err, n, out)
	}
}

// A store opens while PostgreSQL is away, and works when it has come back.
func TestPostgresAway(t *testing.T) {
	ofFiles(t)
	c := postgrestest.Start(t)
	must(t, c.Stop("fast"))
	s := open(t, c.URL("muster"), time.Now)
	if err := s.Err(t.Context()); err == nil || !strings.Contains(err.Error(), "connect to database muster on 127.0.0.1") {
		t.Errorf("got %v, want that there is no connection", err)
	}
	if _, err := s.Token(t.Context(), "muster_x"); err == nil {
		t.Error("somebody is known by a store that is away")
	}
	must(t, c.Run())
	must(t, s.Err(t.Context()))
	secret, _, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	must(t, c.Stop("immediate"))
	if _, err := s.Token(t.Context(), secret); err == nil {
		t.Error("a token is known by a store that is away")
	}
	must(t, c.Run())
	_, err = s.Token(t.Context(), secret)
	must(t, err)
}

// Somebody who hangs with the lock of the store keeps nobody from starting.
func TestPostgresIsLocked(t *testing.T) {
	ofFiles(t)
	c := postgrestest.Start(t)
	d, err := postgres.Parse(c.URL("postgres"))
	must(t, err)
	db := d.Open()
	defer func() { must(t, db.Close()) }()
	ready := open(t, c.URL("postgres"), time.Now)
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "SELECT pg_advisory_xact_lock(x'4d757374'::bigint)")
	must(t, err)
	locked := open(t, c.URL("postgres"), time.Now) // it opens all the same
	for what, s := range map[string]*store.Store{"opened before": ready, "opened meanwhile": locked} {
		err := s.Belongs(t.Context(), []string{"key-a"})
		if err == nil || !store.Away(err) || !strings.HasPrefix(err.Error(), "note whose store postgres on 127.0.0.1") {
			t.Errorf("%s: got %v, want that the store is away, and which", what, err)
		}
	}
	must(t, tx.Rollback())
	must(t, locked.Belongs(t.Context(), []string{"key-a"}))
}

// What is in a database already, stays, and is refused when it is in the way.
func TestOpenPostgresRefuses(t *testing.T) {
	ofFiles(t)
	c := postgrestest.Start(t)
	for _, tc := range []struct{ name, statement, want string }{
		{"theirs", "CREATE SCHEMA muster; CREATE TABLE muster.shops (id int)", "its schema muster is that of something else"},
		{"newer", "UPDATE muster.store_version SET number = 99", "its schema has version 99, and this Muster knows 2: want the newer Muster"},
	} {
		place := c.URL(tc.name)
		if tc.name == "newer" {
			must(t, open(t, place, time.Now).Err(t.Context()))
		} else {
			d, err := postgres.Parse(place)
			must(t, err)
			_, err = d.Ensure(t.Context())
			must(t, err)
		}
		raw(t, place, tc.statement)
		_, err := openStore(t.Context(), place, time.Now)
		if err == nil || !strings.HasPrefix(err.Error(), "open store "+tc.name+" on 127.0.0.1") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
	// Beside the tables of something else there is room.
	place := c.URL("shared")
	d, err := postgres.Parse(place)
	must(t, err)
	_, err = d.Ensure(t.Context())
	must(t, err)
	db := d.Open()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE tokens (theirs int)")
	must(t, err)
	must(t, db.Close())
	_, _, err = open(t, place, time.Now).CreateToken(t.Context(), laptop())
	must(t, err)
}
