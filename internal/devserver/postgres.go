package devserver

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/iancoleman/strcase"
	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/semver"

	"go.temporal.io/server/common/config"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	postgresplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	schematool "go.temporal.io/server/tools/sql"

	"muster/internal/postgres"
)

// postgresShards is how many history shards a database gets that is set up here. It is fixed for the life of the database, which a
// Temporal of several hosts may go on with: there every host needs some.
const postgresShards = 64

// engineLock is the key of the advisory lock that a running engine holds in its database: "Temporal" in ASCII.
const engineLock = 0x54656d706f72616c

// postgresStore is two databases of one PostgreSQL: that of Options.Database, and the one of its name with "_visibility" at the end.
type postgresStore struct {
	mainDB, visibilityDB *postgres.Database
	lock                 *postgres.Lock
}

// openPostgres takes the databases for this process, creates them where they are not there, and brings their schema to that of this
// build. What this build cannot run on is refused before anything is changed, and, where a data folder had its work there, what has no work.
func openPostgres(ctx context.Context, db *postgres.Database, had bool, log *slog.Logger, progress func(string)) (_ *postgresStore, err error) {
	// A name without a schema is looked for in one of the user's name first, and the store's tables are in one: of a user muster it
	// would be the same.
	db = db.Within("public")
	s := &postgresStore{mainDB: db, visibilityDB: db.Beside(db.Name() + "_visibility")}
	if err := s.fits(ctx, had); err != nil {
		return nil, err
	}
	for _, d := range []*postgres.Database{s.mainDB, s.visibilityDB} {
		created, err := d.Ensure(ctx)
		if err != nil {
			return nil, err
		}
		if created {
			progress("database " + d.String() + " was not there, and is created")
		}
	}
	const warnAgain = time.Minute
	var warned time.Time
	if s.lock, err = s.mainDB.Hold(ctx, engineLock, func(err error) {
		if err != nil {
			if time.Since(warned) >= warnAgain {
				warned = time.Now()
				log.Warn("waiting for the engine's lock", "error", err)
			}
			return
		}
		warned = time.Time{}
		log.Warn("the database is back, and with it the engine's lock", "database", s.mainDB.String())
	}); err != nil {
		if errors.Is(err, postgres.ErrHeld) {
			err = fmt.Errorf("%w: one engine runs on a database; stop that one, or use muster worker and muster serve beside a Temporal", err)
		}
		return nil, err
	}
	defer func() {
		if err != nil {
			s.lock.Release()
		}
	}()
	if err := s.alone(ctx); err != nil {
		return nil, err
	}
	for _, raise := range []bool{false, true} { // what is refused is refused before any of it is changed
		for _, p := range s.parts() {
			if err := p.setUp(raise, progress); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// fits refuses databases that cannot be the two of an engine: of something else, one without the other, or none where work should be.
func (s *postgresStore) fits(ctx context.Context, had bool) error {
	const (
		version    = "schema_version" // the first table of both
		work       = "executions"
		visibility = "executions_visibility"
	)
	found, used := map[*postgres.Database][]string{}, map[*postgres.Database]bool{}
	for _, d := range []*postgres.Database{s.mainDB, s.visibilityDB} {
		there, err := d.There(ctx)
		if err == nil && there {
			found[d], err = tables(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	has := func(d *postgres.Database, table string) bool { return slices.Contains(found[d], table) }
	for _, d := range []*postgres.Database{s.mainDB, s.visibilityDB} {
		switch {
		case d == s.mainDB && has(d, visibility):
			return fmt.Errorf("database %s has the lists of a Temporal whose work is in another one: give the name of that one, without _visibility at the end", d)
		case d == s.visibilityDB && has(d, work):
			return fmt.Errorf("database %s has the work of a Temporal, and would have the lists of %s: want a name beside which nothing else is", d, s.mainDB.Name())
		case len(found[d]) > 0 && !has(d, version):
			return fmt.Errorf("database %s has tables of something else, such as %s: want one of its own", d, found[d][0])
		case len(found[d]) == 0 && had:
			return fmt.Errorf("database %s is empty or not there, and the work of this data folder was in it: restore it first, both databases as they were at one instant, or start with a new data folder", d)
		}
	}
	written := map[*postgres.Database]string{s.mainDB: "namespaces", s.visibilityDB: visibility}
	for _, d := range []*postgres.Database{s.mainDB, s.visibilityDB} {
		if !has(d, written[d]) {
			continue
		}
		var named bool
		var err error
		if used[d], named, err = inUse(ctx, d, written[d]); err != nil {
			return err
		}
		if !named { // taken for new, it would lose what early steps of the schema drop
			return fmt.Errorf("database %s was that of an engine under another name, which its table %s says: give it that name again", d, version)
		}
	}
	if used[s.visibilityDB] && !used[s.mainDB] {
		return fmt.Errorf("database %s has lists, and %s, which should have their work, has none: restore both as they were at one instant, or drop the lists too", s.visibilityDB, s.mainDB)
	}
	if used[s.mainDB] && len(found[s.visibilityDB]) == 0 {
		return fmt.Errorf("database %s has work, and %s, which should have its lists, is empty or not there: restore both as they were at one instant", s.mainDB, s.visibilityDB)
	}
	return nil
}

// tables names those of the schema public.
func tables(ctx context.Context, d *postgres.Database) (names []string, err error) {
	db := d.Open()
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
	if err != nil {
		return nil, fmt.Errorf("look at database %s: %w", d, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("look at database %s: %w", d, err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look at database %s: %w", d, err)
	}
	return names, nil
}

// inUse tells whether a table has rows, which an engine writes whose schema is whole, and whether that schema was made under the name that
// the database has: its version is noted before its tables are made.
func inUse(ctx context.Context, d *postgres.Database, table string) (used, named bool, err error) {
	db := d.Open()
	defer func() { _ = db.Close() }()
	err = db.QueryRowContext(ctx, `SELECT used, EXISTS (SELECT FROM schema_version WHERE db_name = $1 AND (curr_version <> $2 OR NOT used))
		FROM (SELECT EXISTS (SELECT FROM `+table+`) AS used) AS rows`, d.Name(), noSchema).Scan(&used, &named)
	if err != nil {
		return false, false, fmt.Errorf("look at database %s: %w", d, err)
	}
	return used, named, nil
}

// A part is one of the two databases, with the schema that it should have.
type part struct {
	of          *config.SQL
	where       *postgres.Database
	name, wants string
}

// parts are in the order in which they are set up: once there is work, there is a place for its lists.
func (s *postgresStore) parts() []part {
	return []part{
		{s.visibility(), s.visibilityDB, "postgresql/v12/visibility", v12.VisibilityVersion},
		{s.main(), s.mainDB, "postgresql/v12/temporal", v12.Version},
	}
}

// alone refuses databases on which a Temporal of its own runs: the hosts of one tell each other that they live in a table there.
func (s *postgresStore) alone(ctx context.Context) error {
	db := s.mainDB.Open()
	defer func() { _ = db.Close() }()
	var there bool
	err := db.QueryRowContext(ctx, "SELECT to_regclass('cluster_membership') IS NOT NULL").Scan(&there)
	var hosts int
	if err == nil && there {
		const lately = "20 seconds" // they say so every 15
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM cluster_membership WHERE last_heartbeat > (now() AT TIME ZONE 'UTC') - $1::interval", lately).
			Scan(&hosts)
	}
	switch {
	case err != nil:
		return fmt.Errorf("look at database %s: %w", s.mainDB, err)
	case hosts > 0:
		return fmt.Errorf("database %s: a Temporal of its own runs on it: stop that one, or point muster worker and muster serve at it by TEMPORAL_ADDRESS", s.mainDB)
	}
	return nil
}

// setUp refuses what a newer version has made, and when it may raise, makes Temporal's tables or brings them from an earlier version to
// this one.
func (p part) setUp(raise bool, progress func(string)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("set up database %s: %w", p.where, err)
		}
	}()
	log := serverlog.NewNoopLogger()
	conn, err := schematool.NewConnection(p.of, log)
	if err != nil {
		return err
	}
	defer conn.Close()
	now, err := conn.ReadSchemaVersion()
	none := errors.Is(err, sql.ErrNoRows) || postgres.HasCode(err, undefinedTable)
	switch {
	case err != nil && !none:
		return err
	case none && !raise:
		return nil
	case none:
		if err := conn.CreateSchemaVersionTables(); err != nil {
			return err
		}
		if err := schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: noSchema}, log).Run(); err != nil {
			return err
		}
		now = noSchema
	}
	switch newer := semver.Compare("v"+now, "v"+p.wants); {
	case newer > 0:
		return fmt.Errorf("its schema has version %s, and this muster knows %s: run the newer muster that has raised it", now, p.wants)
	case newer == 0 || !raise:
		return nil
	}
	progress(fmt.Sprintf("bringing database %s from schema %s to %s", p.where, now, p.wants))
	return p.step(conn)
}

// step takes the steps from the version that the schema has to that of this build.
func (p part) step(conn schema.DB) error {
	said := &lastError{Logger: serverlog.NewNoopLogger()}
	if err := schema.NewUpdateSchemaTask(again{conn}, &schema.UpdateConfig{SchemaName: p.name, TargetVersion: p.wants}, said).Run(); err != nil {
		return cmp.Or(said.err, err)
	}
	return nil
}

// noSchema is the version of a schema before its first step.
const noSchema = "0.0"

// Codes of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	undefinedTable  = "42P01"
	undefinedColumn = "42703"
	undefinedObject = "42704" // such as an index
	uniqueViolation = "23505"
)

// again is a database in which a step of the schema that was interrupted is taken again from its beginning. The server passes over what a
// step would make and is there already; so is passed over what it would drop and is not there any more, and the row that it has inserted.
type again struct{ schema.DB }

// Exec runs a statement of a step.
func (a again) Exec(statement string, args ...any) error {
	err := a.DB.Exec(statement, args...)
	drops, inserts := strings.Contains(statement, "DROP "), strings.HasPrefix(statement, "INSERT ")
	if drops && postgres.HasCode(err, undefinedTable, undefinedColumn, undefinedObject) || inserts && postgres.HasCode(err, uniqueViolation) {
		return nil
	}
	return err
}

// lastError is a logger that remembers the error it was told last.
type lastError struct {
	serverlog.Logger
	err error
}

// Error remembers.
func (l *lastError) Error(_ string, tags ...tag.Tag) {
	for _, t := range tags {
		if err, ok := t.Value().(error); ok {
			l.err = err
		}
	}
}

// Connections of one service of the server. There are five of them, and PostgreSQL lets 100 in when nobody has said otherwise.
const (
	mainConnections       = 10
	visibilityConnections = 4
)

func (s *postgresStore) main() *config.SQL { return postgresConfig(s.mainDB, mainConnections) }
func (s *postgresStore) visibility() *config.SQL {
	return postgresConfig(s.visibilityDB, visibilityConnections)
}
func (s *postgresStore) shards() int32 { return postgresShards }
func (s *postgresStore) close()        { s.lock.Release() }

// postgresConfig gives the server pools that connect as the URL and the standard variables say: what it makes of its own settings knows
// less, and escapes less.
func postgresConfig(db *postgres.Database, connections int) *config.SQL {
	return &config.SQL{
		PluginName: postgresplugin.PluginNamePGX, DatabaseName: db.Name(), User: db.User(), ConnectAddr: db.String(), ConnectProtocol: "tcp",
		Connect: func(*config.SQL) (*sqlx.DB, error) {
			pool := sqlx.NewDb(db.Open(), "pgx")
			pool.SetMaxOpenConns(connections)
			pool.SetMaxIdleConns(connections)
			pool.SetConnMaxLifetime(time.Hour)
			pool.MapperFunc(strcase.ToSnake) // of its rows
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := pool.PingContext(ctx); err != nil {
				_ = pool.Close()
				return nil, err
			}
			return pool, nil
		},
	}
}
