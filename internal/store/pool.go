package store

import (
	"context"
	"database/sql"
	"fmt"
)

// A kind is what is its own of a kind of database. Statements are written for SQLite, with ? for what is filled in.
type kind interface {
	// ready is asked before every statement and change that is not a part of another one. What keeps it from that, the statement
	// says too.
	ready(ctx context.Context) error
	// statement is a statement as this kind of database reads it.
	statement(s string) string
	// begin is what a transaction that writes begins with: from there on no other one does.
	begin(ctx context.Context, tx *transaction) error
	// version is the schema that the database has, 0 when it has none.
	version(ctx context.Context, q querier) (int, error)
}

// A pool is connections to one database.
type pool struct {
	*sql.DB
	kind kind
}

// ExecContext runs a statement that returns nothing.
func (p *pool) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	_ = p.kind.ready(ctx)
	return p.DB.ExecContext(ctx, p.kind.statement(statement), args...)
}

// QueryContext runs a statement that returns rows.
func (p *pool) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	_ = p.kind.ready(ctx)
	return p.DB.QueryContext(ctx, p.kind.statement(statement), args...)
}

// QueryRowContext runs a statement that returns one row.
func (p *pool) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	_ = p.kind.ready(ctx)
	return p.DB.QueryRowContext(ctx, p.kind.statement(statement), args...)
}

// change does all of what a function writes, or nothing.
func (p *pool) change(ctx context.Context, with func(*transaction) error) error {
	if err := p.kind.ready(ctx); err != nil {
		return err
	}
	return p.changeNow(ctx, with)
}

// changeNow does so in a database that is not ready yet.
func (p *pool) changeNow(ctx context.Context, with func(*transaction) error) error {
	begun, err := p.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx := &transaction{begun, p.kind}
	if err = p.kind.begin(ctx, tx); err == nil {
		err = with(tx)
	}
	if err != nil {
		_ = tx.Rollback() // fails only when there is nothing left to undo
		return err
	}
	return tx.Commit()
}

// A transaction is a change that is under way.
type transaction struct {
	*sql.Tx
	kind kind
}

// ExecContext runs a statement that returns nothing.
func (t *transaction) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return t.Tx.ExecContext(ctx, t.kind.statement(statement), args...)
}

// QueryRowContext runs a statement that returns one row.
func (t *transaction) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	return t.Tx.QueryRowContext(ctx, t.kind.statement(statement), args...)
}

// A querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row
}

// raise takes the steps of a schema that a database does not have yet, and marks that it has them. What is not ours is refused before.
func (p *pool) raise(ctx context.Context, schema []string, mark string) error {
	return p.changeNow(ctx, func(tx *transaction) error {
		from, err := p.kind.version(ctx, tx)
		if err != nil || from == len(schema) {
			return err
		}
		for n, step := range schema[from:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("make schema %d: %w", from+n+1, err)
			}
		}
		_, err = tx.ExecContext(ctx, mark)
		return err
	})
}

// known refuses the schema of a newer Muster.
func known(version int, schema []string) error {
	if version > len(schema) {
		return fmt.Errorf("its schema has version %d, and this Muster knows %d: want the newer Muster that has made it", version, len(schema))
	}
	return nil
}
