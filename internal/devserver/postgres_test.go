package devserver_test

import (
	"errors"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"muster/internal/devserver"
	"muster/internal/postgres"
	"muster/internal/postgrestest"
)

func database(t *testing.T, c *postgrestest.Cluster, name string) *postgres.Database {
	t.Helper()
	d, err := postgres.Parse(c.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func execute(t *testing.T, d *postgres.Database, statement string) {
	t.Helper()
	db := d.Open()
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func refuses(t *testing.T, opts devserver.Options, want string) {
	t.Helper()
	s, err := devserver.Start(t.Context(), opts)
	if err == nil {
		s.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// The engine on PostgreSQL: what ran goes on after it, and PostgreSQL, have stopped; nobody else gets into its way.
func TestPostgres(t *testing.T) {
	c := postgrestest.Start(t)
	opts := devserver.Options{
		Folder: t.TempDir(), Database: database(t, c, "a muster"), Namespace: "muster", UIPort: devserver.Off, MetricsPort: devserver.Off,
		SearchAttributes: map[string]enumspb.IndexedValueType{"Customer": keyword},
	}
	away := []string{"level=WARN", "level=ERROR"} // while PostgreSQL is away the engine says so in many words
	first := start(t, opts, away...)
	cl := dial(t, first)
	startRun(t, cl, "one", customer.ValueSet("acme"))
	counts(t, cl, "Customer = 'acme'", 1)

	t.Run("a second engine is refused", func(t *testing.T) {
		other := opts
		other.Folder = t.TempDir()
		refuses(t, other, "one engine runs on a database")
	})
	t.Run("PostgreSQL crashes", func(t *testing.T) {
		if err := errors.Join(c.Stop("immediate"), c.Run()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "describe the run", func() error {
			_, err := cl.DescribeWorkflowExecution(t.Context(), "one", "")
			return err
		})
		eventually(t, "start a run", func() error {
			return tryRun(t, cl, "two", customer.ValueSet("acme"))
		})
		counts(t, cl, "Customer = 'acme'", 2)
	})
	stop(t, first)

	t.Run("without the database the folder is refused", func(t *testing.T) {
		alone := opts
		alone.Database = nil
		refuses(t, alone, "its work is in database a muster on 127.0.0.1")
	})
	t.Run("a folder with work of its own is refused", func(t *testing.T) {
		own := opts
		own.Folder, own.Database = t.TempDir(), nil
		stop(t, start(t, own))
		own.Database = opts.Database
		refuses(t, own, "it has an engine of its own")
	})
	t.Run("a Temporal of several hosts is left alone", func(t *testing.T) {
		execute(t, opts.Database, `INSERT INTO cluster_membership VALUES (0, 'host', '10.0.0.1', 7233, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' + interval '48 hours')`)
		refuses(t, opts, "a Temporal of its own runs on it")
		execute(t, opts.Database, `DELETE FROM cluster_membership`)
	})
	t.Run("a newer schema is refused", func(t *testing.T) {
		execute(t, opts.Database, `UPDATE schema_version SET curr_version = '1.100'`)
		refuses(t, opts, "its schema has version 1.100")
		execute(t, opts.Database, `UPDATE schema_version SET curr_version = '1.19'`)
	})

	// A schema of the user's name comes before Temporal's own.
	execute(t, opts.Database, `CREATE SCHEMA muster; CREATE TABLE muster.schema_version (theirs int); CREATE TABLE muster.executions (theirs int)`)
	second := start(t, opts, away...)
	cl = dial(t, second)
	counts(t, cl, "Customer = 'acme'", 2)
	stop(t, second)
}

// A database that an earlier Muster has set up is brought to the schema of this one.
func TestPostgresSchemaIsRaised(t *testing.T) {
	c := postgrestest.Start(t)
	d := database(t, c, "raised")
	opts := devserver.Options{Folder: t.TempDir(), Database: d, UIPort: devserver.Off, MetricsPort: devserver.Off}
	stop(t, start(t, opts, "level=WARN"))
	// The steps are made so that they can be taken again.
	execute(t, d, `UPDATE schema_version SET curr_version = '1.18'`)
	said := ""
	opts.Progress = func(line string) { said += line + "\n" }
	stop(t, start(t, opts, "level=WARN"))
	if !strings.Contains(said, "bringing database raised on 127.0.0.1") || !strings.Contains(said, "from schema 1.18 to 1.19") {
		t.Errorf("said %q", said)
	}
}

// What is no pair of databases for an engine is refused, and nothing is made or changed beside it.
func TestPostgresRefusesOtherDatabases(t *testing.T) {
	c := postgrestest.Start(t)
	opts := devserver.Options{Folder: t.TempDir(), Database: database(t, c, "work"), UIPort: devserver.Off, MetricsPort: devserver.Off}
	first := start(t, opts, "level=WARN")
	cl := dial(t, first)
	startRun(t, cl, "one")
	counts(t, cl, "WorkflowId = 'one'", 1)
	stop(t, first)
	anew := func(name string) devserver.Options {
		o := opts
		o.Folder, o.Database = t.TempDir(), database(t, c, name)
		return o
	}
	admin := database(t, c, "postgres")

	refuses(t, anew("work_visibility"), "database work_visibility on 127.0.0.1")
	refuses(t, anew("work_visibility"), "has the lists of a Temporal whose work is in another one")
	execute(t, admin, "CREATE DATABASE shop")
	execute(t, database(t, c, "shop"), "CREATE TABLE orders (id int); CREATE TABLE tasks (id int)")
	refuses(t, anew("shop"), "has tables of something else, such as orders: want one of its own")
	for _, name := range []string{"work_visibility_visibility", "shop_visibility"} {
		if there, err := database(t, c, name).There(t.Context()); err != nil || there {
			t.Errorf("database %s: there %t, %v, want that it was not made", name, there, err)
		}
	}

	for _, name := range []string{"work", "work_visibility"} { // each alone
		other := strings.Replace(name, "work", "renamed", 1)
		execute(t, admin, "ALTER DATABASE "+name+" RENAME TO "+other)
		refuses(t, anew("renamed"), "database "+other+" on 127.0.0.1")
		refuses(t, anew("renamed"), "was that of an engine under another name")
		execute(t, admin, "ALTER DATABASE "+other+" RENAME TO "+name)
	}
	execute(t, admin, "ALTER DATABASE work_visibility RENAME TO away_visibility")
	refuses(t, opts, "database work_visibility on 127.0.0.1")
	refuses(t, anew("work"), "which should have its lists, is empty or not there")
	execute(t, admin, "ALTER DATABASE work RENAME TO away")
	refuses(t, opts, "is empty or not there, and the work of this data folder was in it")
	execute(t, admin, "CREATE DATABASE work")
	refuses(t, opts, "is empty or not there, and the work of this data folder was in it")

	execute(t, admin, "ALTER DATABASE away_visibility RENAME TO work_visibility")
	refuses(t, anew("work"), "has lists, and")
	refuses(t, anew("work"), "which should have their work, has none")
	execute(t, admin, "DROP DATABASE work")
	refuses(t, anew("work"), "which should have their work, has none")
	execute(t, admin, "ALTER DATABASE away RENAME TO work")
	stop(t, start(t, opts, "level=WARN"))
}

// A set-up that fails for something that an administrator mends goes on after it.
func TestPostgresSetUpGoesOn(t *testing.T) {
	c := postgrestest.Start(t)
	admin := database(t, c, "postgres")
	execute(t, admin, "CREATE ROLE poor LOGIN PASSWORD 'x'")
	execute(t, admin, "CREATE DATABASE work OWNER poor")
	execute(t, admin, "CREATE DATABASE work_visibility") // the OWNER was forgotten
	lists := database(t, c, "work_visibility")
	execute(t, lists, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	_, host, _ := strings.Cut(c.URL("work"), "@")
	poor, err := postgres.Parse("postgres://poor:x@" + host)
	if err != nil {
		t.Fatal(err)
	}
	opts := devserver.Options{Folder: t.TempDir(), Database: poor, UIPort: devserver.Off, MetricsPort: devserver.Off}
	refuses(t, opts, "set up database work_visibility on 127.0.0.1")
	refuses(t, opts, "permission denied for schema public")
	execute(t, lists, "GRANT CREATE ON SCHEMA public TO poor")
	refuses(t, opts, `permission denied to create extension "btree_gin"`)
	execute(t, lists, "CREATE EXTENSION btree_gin")
	stop(t, start(t, opts, "level=WARN"))
}
