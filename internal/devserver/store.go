package devserver

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	serversql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
	"go.temporal.io/server/schema/sqlite"
)

// historyShards is fixed for the life of a database. Shards spread the queues' limits and locks over cores; on one
// SQLite connection four were as fast as any other number that was measured.
const historyShards = 4

// A store is the two databases as the server's configuration names them. Lists (visibility) have their own, with its own
// connections: writing to its many indexes then never stands between a page and its commit. Rows reach lists through a queue
// in the main database and are written again when a kill came in between; as long as both wait for the disk, neither falls
// behind the other.
type store interface {
	main() *config.SQL
	visibility() *config.SQL
	shards() int32
	// close leaves the databases as a whole, when the server has stopped.
	close()
}

// sqliteStore is two files, or two databases in memory. Side by side on one machine two gave 6 to 16 % more runs per second
// than one.
type sqliteStore struct {
	mainName, visibilityName string            // paths, escaped as in a URI, or names of memory databases
	params                   map[string]string // URI parameters and pragmas
}

func memoryStore() sqliteStore {
	id := uuid.NewString()
	return sqliteStore{mainName: id, visibilityName: id + "-visibility", params: map[string]string{
		"mode": "memory", "cache": "shared", // Shared, or every connection would see a database of its own.
	}}
}

// store names the folder's databases.
func (f *folder) store(normalSync bool) sqliteStore {
	sync := "full" // A commit returns when it is on the disk: an accepted alert survives a power cut.
	if normalSync {
		sync = "normal"
	}
	return sqliteStore{mainName: escape(f.file(databaseName)), visibilityName: escape(f.file(visibilityName)), params: map[string]string{
		"mode": "rw", // Never a new database here: that is made only by create.
		// The default journal is two to three times slower and makes single calls wait for seconds.
		"journal_mode": "wal",
		"synchronous":  sync,
		// Somebody who looks into the file or copies it makes the server wait, not fail.
		"busy_timeout": "5000",
		// The server's pool never closes a connection and finds it again by its parameters. SQLite ignores this one;
		// with it a new folder in an old one's place is not taken for the old one.
		"setup": "folder-" + f.record.ID,
	}}
}

// escape makes a path that SQLite reads as part of a URI: it may contain "?", "#" or "%".
func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }

func (s sqliteStore) main() *config.SQL       { return s.config(s.mainName) }
func (s sqliteStore) visibility() *config.SQL { return s.config(s.visibilityName) }
func (s sqliteStore) shards() int32           { return historyShards }

func (s sqliteStore) config(name string) *config.SQL {
	return &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      name,
		ConnectAttributes: s.params,
		// With more, SQLite answers "database is locked" under load, and was slower.
		MaxConns:     1,
		MaxIdleConns: 1,
	}
}

// createNamespace makes the namespace before the server starts, with its search attributes, so that every service
// knows both from its first moment. A namespace that exists is left alone.
func createNamespace(s store, opts Options) error {
	ns, err := sqlite.NewNamespaceConfig(clusterName, opts.Namespace, false, opts.SearchAttributes)
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", opts.Namespace, err)
	}
	ns.Detail.Config.Retention = durationpb.New(opts.Retention) // It would be a day.
	if err := sqlite.CreateNamespaces(s.main(), ns); err != nil {
		return fmt.Errorf("create namespace %s: %w", opts.Namespace, err)
	}
	return nil
}

// close moves what is in the write-ahead logs into the database files, so that the files alone are a whole copy.
// If it cannot, the next start reads the logs.
func (s sqliteStore) close() {
	for _, of := range []*config.SQL{s.main(), s.visibility()} {
		db, err := serversql.NewSQLAdminDB(sqlplugin.DbKindUnknown, of, resolver.NewNoopResolver(),
			serverlog.NewNoopLogger(), metrics.NoopMetricsHandler)
		if err != nil {
			continue
		}
		_ = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		_ = db.Close()
	}
}

// setUpSchema makes a new database with Temporal's tables, in one transaction: 100 statements, one wait for the disk.
// The server's set-up makes those of both databases; the half that is not used costs nothing.
func setUpSchema(path string) (err error) {
	// SQLite would make the file readable by all, and gives its logs the file's mode.
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	db, err := sql.Open(sqliteplugin.PluginName, "file:"+escape(path))
	if err != nil {
		return fmt.Errorf("create database %s: %w", path, err)
	}
	defer func() {
		if err = errors.Join(err, db.Close()); err != nil {
			err = fmt.Errorf("create database %s: %w", path, err)
		}
	}()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := sqlite.SetupSchemaOnDB(schemaTx{tx: tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// schemaTx is as much of a database as the server's own set-up needs.
type schemaTx struct {
	sqlplugin.AdminDB
	tx *sql.Tx
}

// Exec runs one statement.
func (s schemaTx) Exec(statement string, args ...any) error {
	_, err := s.tx.Exec(statement, args...)
	return err
}

// thisBuild is the record of a folder that this build makes.
func thisBuild() record {
	return record{
		ServerVersion: headers.ServerVersion,
		SchemaVersion: sqlite.Version + "/" + sqlite.VisibilityVersion,
		SchemaSHA256:  schemaSum(schema.Assets()),
		HistoryShards: historyShards,
	}
}

// schemaSum identifies the embedded schema. SQLite files carry no schema version of their own.
func schemaSum(assets fs.FS) string {
	sum := sha256.New()
	for _, name := range []string{"sqlite/v3/temporal/schema.sql", "sqlite/v3/visibility/schema.sql"} {
		text, err := fs.ReadFile(assets, name)
		if err != nil {
			panic(err) // The file is compiled into this binary.
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
