package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Lock keeps others from what a key stands for, in one database. PostgreSQL gives it back when the connection that holds it ends,
// however it ends; so it needs a session of its own, and no pool that gives sessions to somebody else between transactions.
type Lock struct {
	of     *Database
	key    int64
	conn   *pgx.Conn
	lost   chan error
	cancel context.CancelFunc
	done   chan struct{}
}

// ErrHeld is that somebody else holds a lock.
var ErrHeld = errors.New("held by another process")

// Hold takes a lock or says who has it: an error that is ErrHeld. Held, it is watched until Release: a connection that breaks, as when
// PostgreSQL starts anew, is made again.
func (d *Database) Hold(ctx context.Context, key int64) (*Lock, error) {
	l := &Lock{of: d, key: key, lost: make(chan error, 1), done: make(chan struct{})}
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	go l.watch(life)
	return l, nil
}

// Lost tells that somebody else has the lock now. It is closed when the lock is not watched any more.
func (l *Lock) Lost() <-chan error { return l.lost }

// Release gives the lock back.
func (l *Lock) Release() {
	l.cancel()
	<-l.done
}

func (l *Lock) take(ctx context.Context) (err error) {
	c, err := pgx.ConnectConfig(ctx, l.of.config)
	if err != nil {
		return l.of.failed(err)
	}
	defer func() {
		if err != nil {
			_ = c.Close(ctx)
		}
	}()
	var got bool
	if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", l.key).Scan(&got); err != nil {
		return fmt.Errorf("lock database %s: %w", l.of, err)
	}
	if !got {
		return fmt.Errorf("database %s: %w%s", l.of, ErrHeld, l.holder(ctx, c))
	}
	l.conn = c
	return nil
}

// holder says what PostgreSQL knows of whoever has the lock.
func (l *Lock) holder(ctx context.Context, c *pgx.Conn) string {
	var name, from string
	err := c.QueryRow(ctx, `SELECT coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'this machine')
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint << 32 | l.objid::bigint = $1
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, l.key).Scan(&name, &from)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%s, from %s)", name, from)
}

// watch looks whether the connection lives, and takes the lock again where it does not.
func (l *Lock) watch(ctx context.Context) {
	const every = 2 * time.Second
	defer close(l.done)
	defer close(l.lost)
	for {
		select {
		case <-ctx.Done():
			if l.conn != nil {
				brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), every)
				_ = l.conn.Close(brief) // the end of the process closes it too
				cancel()
			}
			return
		case <-time.After(every):
		}
		if l.lives(ctx) {
			continue
		}
		err := l.take(ctx)
		if errors.Is(err, ErrHeld) {
			l.lost <- err
			<-ctx.Done()
			return
		}
	}
}

// lives tells whether the connection answers.
func (l *Lock) lives(ctx context.Context) bool {
	if l.conn == nil {
		return false
	}
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if l.conn.Ping(ctx) == nil {
		return true
	}
	_ = l.conn.Close(ctx)
	l.conn = nil
	return false
}
