// Package postgres finds and opens databases of PostgreSQL: those of the embedded engine and those of the store. It knows no tables.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A Database is where one database is and how it is reached. Its text form has no password.
type Database struct{ config *pgx.ConnConfig }

const wantURL = "want postgres://USER@HOST:PORT/NAME, or file:PATH or env:NAME of what holds such a URL"

// Parse reads where a database is: postgres://USER@HOST:PORT/NAME, with the parameters of libpq such as ?sslmode=verify-full, or
// file:PATH or env:NAME for a file or a variable that holds such a URL. What the URL does not say, the standard variables do
// (PGPASSWORD, PGPASSFILE, PGSSLMODE, PGSSLROOTCERT and so on).
func Parse(where string) (*Database, error) {
	text, err := referred(where)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", plain(where), err)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("database %s: %s", plain(where), wantURL)
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", plain(where), sayable(err))
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 10*time.Second)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = fmt.Sprintf("muster %d", os.Getpid())
	}
	return &Database{config}, nil
}

// sayable is an error of a URL without the URL, which holds a password perhaps.
func sayable(err error) error {
	if parse, ok := errors.AsType[*pgconn.ParseConfigError](err); ok && parse.Unwrap() != nil {
		return parse.Unwrap()
	}
	return errors.New(wantURL)
}

// referred is the URL to which a reference leads.
func referred(where string) (string, error) {
	if path, ok := strings.CutPrefix(where, "file:"); ok {
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	}
	if name, ok := strings.CutPrefix(where, "env:"); ok {
		text, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("the variable %s is not set", name)
		}
		return text, nil
	}
	return where, nil
}

// plain is a text that names a database, without a password: of what is no reference and no such URL nothing is shown, for it may be one.
func plain(where string) string {
	if strings.HasPrefix(where, "file:") || strings.HasPrefix(where, "env:") {
		return where
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "(not shown)"
	}
	return (&url.URL{Scheme: u.Scheme, User: url.User(u.User.Username()), Host: u.Host, Path: u.Path}).String()
}

// Name is the name of the database.
func (d *Database) Name() string { return d.config.Database }

// User is who connects.
func (d *Database) User() string { return d.config.User }

// String is host, port and name.
func (d *Database) String() string {
	return fmt.Sprintf("%s on %s:%d", d.config.Database, d.config.Host, d.config.Port)
}

// Beside is another database of the same server.
func (d *Database) Beside(name string) *Database {
	config := d.config.Copy()
	config.Database = name
	return &Database{config}
}

// Within is the same database, in which names without a schema are looked for in one.
func (d *Database) Within(schema string) *Database {
	config := d.config.Copy()
	config.RuntimeParams["search_path"] = schema
	return &Database{config}
}

// ReadOnly is the same database, in which nothing can be changed.
func (d *Database) ReadOnly() *Database {
	config := d.config.Copy()
	config.RuntimeParams["default_transaction_read_only"] = "on"
	return &Database{config}
}

// Brief is the same database, for whoever does nothing there that takes long: PostgreSQL ends what hangs in the midst of a transaction, and
// sessions of which nothing more is heard.
func (d *Database) Brief() *Database {
	config := d.config.Copy()
	config.RuntimeParams["statement_timeout"] = "30000"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "10000"
	unheard(config)
	return &Database{config}
}

// unheard lets PostgreSQL end a session within half a minute of which nothing more is heard.
func unheard(config *pgx.ConnConfig) {
	for name, value := range map[string]string{
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000",
	} {
		config.RuntimeParams[name] = value
	}
}

// Open makes a pool that connects when it is used.
func (d *Database) Open() *sql.DB {
	return sql.OpenDB(connector{stdlib.GetConnector(*d.config, stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		// Temporal keeps durations as nanoseconds; the driver would make intervals of them.
		c.TypeMap().RegisterDefaultPgType(time.Duration(0), "int8")
		c.TypeMap().RegisterDefaultPgType((*time.Duration)(nil), "int8")
		return nil
	})), d})
}

// A connector says of which database a connection has failed, in one line.
type connector struct {
	driver.Connector
	of *Database
}

// Connect makes a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.of.failed(err)
	}
	return conn, nil
}

// Codes of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	noSuchDatabase    = "3D000"
	duplicateDatabase = "42P04"
	notPermitted      = "42501"
	alreadyInserted   = "23505" // two who create a database of one name at the same time
)

// HasCode tells whether an error is one of PostgreSQL with one of these codes.
func HasCode(err error, codes ...string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if refused.Code == c {
			return true
		}
	}
	return false
}

// Ensure connects once, and creates the database where it is not there and its user may.
func (d *Database) Ensure(ctx context.Context) (created bool, err error) {
	err = d.ping(ctx)
	if created = HasCode(err, noSuchDatabase); created {
		err = d.create(ctx)
	}
	if err != nil {
		return false, d.failed(err)
	}
	return created, nil
}

// There connects once, and tells whether the database is there.
func (d *Database) There(ctx context.Context) (bool, error) {
	err := d.ping(ctx)
	if HasCode(err, noSuchDatabase) {
		return false, nil
	}
	if err != nil {
		return false, d.failed(err)
	}
	return true, nil
}

func (d *Database) ping(ctx context.Context) error {
	c, err := pgx.ConnectConfig(ctx, d.config)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

func (d *Database) create(ctx context.Context) error {
	c, err := pgx.ConnectConfig(ctx, d.Beside("postgres").config)
	if err == nil {
		_, err = c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{d.config.Database}.Sanitize())
		err = errors.Join(err, c.Close(ctx))
	}
	switch {
	case HasCode(err, duplicateDatabase, alreadyInserted):
		return nil
	case HasCode(err, notPermitted):
		return fmt.Errorf("it is not there, and this user may not create it: let an administrator do CREATE DATABASE %s OWNER %s;",
			pgx.Identifier{d.config.Database}.Sanitize(), pgx.Identifier{d.config.User}.Sanitize())
	}
	return err
}

// Drop removes the database, whoever is connected to it.
func (d *Database) Drop(ctx context.Context) error {
	c, err := pgx.ConnectConfig(ctx, d.Beside("postgres").config)
	if err != nil {
		return d.failed(err)
	}
	_, err = c.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{d.config.Database}.Sanitize()+" WITH (FORCE)")
	if err = errors.Join(err, c.Close(ctx)); err != nil {
		return fmt.Errorf("drop database %s: %w", d, err)
	}
	return nil
}

// failed is the error of a connection, in the words of PostgreSQL or the network without those of the driver around them.
func (d *Database) failed(err error) error { return &ConnectionError{d, err} }

// A ConnectionError says of which database a connection has failed.
type ConnectionError struct {
	of  *Database
	err error
}

// Error says what PostgreSQL or the network says, in one line.
func (e *ConnectionError) Error() string {
	text := e.err.Error()
	if refused, ok := errors.AsType[*pgconn.PgError](e.err); ok {
		text = refused.Message
		const wrongPassword = "28P01"
		if refused.Code == wrongPassword && e.of.config.Password == "" {
			text += "; no password was given: want it in PGPASSWORD, or in a file that PGPASSFILE names"
		}
	} else if failed, ok := errors.AsType[*net.OpError](e.err); ok {
		text = failed.Error()
	} else if errors.Is(e.err, context.DeadlineExceeded) {
		text = "no answer in time"
	} else if lines := strings.Split(text, "\n"); len(lines) > 1 { // one for each address that was tried
		text = strings.TrimSpace(lines[len(lines)-1])
	}
	return fmt.Sprintf("connect to database %s as %s: %s", e.of, e.of.config.User, text)
}

// Unwrap is what has failed.
func (e *ConnectionError) Unwrap() error { return e.err }

// Away tells whether an error is that PostgreSQL does not answer now, and may a little later: it is not there, it starts or stops, it has
// too many connections, or somebody else keeps a statement waiting too long. What it refuses for good is something else.
func Away(err error) bool {
	const (
		lockTimeout      = "55P03"
		statementTimeout = "57014"
	)
	return closed(err) || HasCode(err, lockTimeout, statementTimeout)
}

// closed tells whether an error is that PostgreSQL lets nobody in now.
func closed(err error) bool {
	const (
		connection = "08"    // class of its codes
		stopping   = "57P0"  // by an administrator, by a crash; starting
		tooMany    = "53300" // connections
	)
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if ok {
		return strings.HasPrefix(refused.Code, connection) || strings.HasPrefix(refused.Code, stopping) || refused.Code == tooMany
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[*net.OpError](err) // not net.Error, which every fault of a file is too
	return connecting || network || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF)
}
