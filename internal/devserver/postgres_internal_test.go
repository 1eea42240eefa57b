package devserver

import (
	"errors"
	"testing"

	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/tools/common/schema"
	schematool "go.temporal.io/server/tools/sql"

	"muster/internal/postgres"
	"muster/internal/postgrestest"
)

// dying is a database of a process that is killed after some statements.
type dying struct {
	schema.DB
	left int
}

var errKilled = errors.New("killed")

func (d *dying) Exec(statement string, args ...any) error {
	if d.left--; d.left < 0 {
		return errKilled
	}
	return d.DB.Exec(statement, args...)
}

func (d *dying) UpdateSchemaVersion(now, compatible string) error {
	if d.left--; d.left < 0 {
		return errKilled
	}
	return d.DB.UpdateSchemaVersion(now, compatible)
}

// look reads one text.
func look(t *testing.T, d *postgres.Database, query string) (text string) {
	t.Helper()
	db := d.Open()
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// all is what a schema has.
const all = `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
	SELECT concat_ws(' ', table_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_name, data_type,
		character_maximum_length, column_default, is_nullable, generation_expression)
		FROM information_schema.columns WHERE table_schema = 'public'
	UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
	UNION ALL SELECT version_partition || ' ' || curr_version FROM schema_version
) AS lines (line)`

func databaseOf(t *testing.T, c *postgrestest.Cluster, name string) *postgres.Database {
	t.Helper()
	d, err := postgres.Parse(c.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Wherever a set-up is interrupted, before and after any statement of it, the next start goes on.
func TestPostgresSetUpIsInterrupted(t *testing.T) {
	c := postgrestest.Start(t, "fsync = off")
	whole, err := openPostgres(t.Context(), databaseOf(t, c, "whole"), false, quiet(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.close()
	const name = "killed"
	d := databaseOf(t, c, name)
	again := func() {
		t.Helper()
		s, err := openPostgres(t.Context(), d, false, quiet(), func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		s.close()
	}
	s := &postgresStore{mainDB: d, visibilityDB: d.Beside(name + "_visibility")}
	for n, p := range s.parts() {
		if _, err := p.where.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		conn, err := schematool.NewConnection(p.of, serverlog.NewNoopLogger())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := errors.Join(conn.CreateSchemaVersionTables(), conn.UpdateSchemaVersion(noSchema, noSchema)); err != nil {
			t.Fatal(err)
		}
		deaths, left, before := 0, 0, noSchema
		for {
			err := p.step(&dying{conn, left})
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) && err.Error() != "failed to update schema_version table, err=killed" {
				t.Fatalf("%s, from %s, after %d statements: %v", p.where, before, left, err)
			}
			now, err := conn.ReadSchemaVersion()
			if err != nil {
				t.Fatal(err)
			}
			if before == noSchema || now != before {
				if err := s.fits(t.Context(), false); err != nil {
					t.Fatalf("%s, from %s, after %d statements: the next start is refused: %v", p.where, before, left, err)
				}
			}
			deaths++
			if left++; now != before {
				before, left = now, 0
			}
		}
		if want := whole.parts()[n]; look(t, p.where, all) != look(t, want.where, all) {
			t.Errorf("%s: got\n%s\nwant\n%s", p.where, look(t, p.where, all), look(t, want.where, all))
		}
		if deaths < 50 {
			t.Errorf("%s: it was interrupted %d times, want each statement", p.where, deaths)
		}
	}
	again()
	// As the builds left it that set work up first.
	if err := s.visibilityDB.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again()
	if rows := look(t, d, "SELECT count(*)::text FROM namespace_metadata"); rows != "1" {
		t.Errorf("namespace_metadata has %s rows, want 1", rows)
	}
}
