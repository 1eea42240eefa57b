package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Lock keeps others from what a key stands for, in one database. PostgreSQL gives it back when the session that holds it ends, however
// it ends; so it needs a session of its own, and no pool that gives sessions to somebody else between transactions. Of a machine that has
// died without a word the session ends within half a minute.
type Lock struct {
	of     *Database
	key    int64
	said   func(error)
	conn   *pgx.Conn
	pid    uint32    // of its session in PostgreSQL
	since  time.Time // that session is there: a PostgreSQL that starts anew gives the same pids again
	lost   chan error
	cancel context.CancelFunc
	done   chan struct{}
}

// ErrHeld is that somebody else holds a lock.
var ErrHeld = errors.New("held by another process")

const (
	lockPatience = 10 * time.Second // of one attempt to take it
	lockEvery    = 2 * time.Second  // it is looked at
	// lockLimit is how long whoever has a lock goes on while PostgreSQL refuses it a session: connections that are open live on meanwhile.
	lockLimit = 2 * time.Minute
)

// Hold takes a lock or says who has it: an error that is ErrHeld. Held, it is watched until Release: a session that breaks, as when
// PostgreSQL starts anew, is made again. What keeps it from that is said, and nil when it is.
func (d *Database) Hold(ctx context.Context, key int64, said func(error)) (*Lock, error) {
	config := d.config.Copy()
	unheard(config)
	l := &Lock{of: &Database{config}, key: key, said: said, lost: make(chan error, 1), done: make(chan struct{})}
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	go l.watch(life)
	return l, nil
}

// Lost tells why the lock is held no longer: somebody else has it, or PostgreSQL has refused to give it back for too long. It is closed
// when the lock is not watched any more.
func (l *Lock) Lost() <-chan error { return l.lost }

// Release gives the lock back.
func (l *Lock) Release() {
	l.cancel()
	<-l.done
}

func (l *Lock) take(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
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
	var pid uint32
	var since time.Time
	if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1), pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()", l.key).
		Scan(&got, &pid, &since); err != nil {
		return fmt.Errorf("lock database %s: %w", l.of, err)
	}
	if !got {
		return l.held(ctx, c)
	}
	l.conn, l.pid, l.since = c, pid, since
	return nil
}

// held says who has the lock. A session of our own that PostgreSQL has not given up yet is ended: it is nobody else.
func (l *Lock) held(ctx context.Context, c *pgx.Conn) error {
	var own bool
	var name, from string
	err := c.QueryRow(ctx, `SELECT coalesce(a.pid = $2 AND a.backend_start = $3, false), coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'this machine')
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint << 32 | l.objid::bigint = $1
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, l.key, l.pid, l.since).Scan(&own, &name, &from)
	switch {
	case err != nil:
		return fmt.Errorf("database %s: %w", l.of, ErrHeld)
	case own:
		_, err := c.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2", l.pid, l.since)
		return errors.Join(fmt.Errorf("lock database %s: the session before has not ended yet", l.of), err)
	}
	return fmt.Errorf("database %s: %w (%s, from %s)", l.of, ErrHeld, name, from)
}

// watch looks whether the session lives, and takes the lock again where it does not.
func (l *Lock) watch(ctx context.Context) {
	defer close(l.done)
	defer close(l.lost)
	var refused time.Time // since when it has been
	for {
		select {
		case <-ctx.Done():
			if l.conn != nil {
				brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockEvery)
				_ = l.conn.Close(brief) // the end of the process closes it too
				cancel()
			}
			return
		case <-time.After(lockEvery):
		}
		if l.lives(ctx) {
			continue
		}
		err := l.take(ctx)
		switch {
		case ctx.Err() != nil:
			continue
		case err == nil:
			refused = time.Time{}
			l.said(nil)
			continue
		case !errors.Is(err, ErrHeld):
			l.said(err)
			if closed(err) { // nobody else gets in either
				refused = time.Time{}
			} else if refused.IsZero() {
				refused = time.Now()
			}
			if refused.IsZero() || time.Since(refused) < lockLimit {
				continue
			}
		}
		l.lost <- err
		<-ctx.Done()
		return
	}
}

// lives tells whether the session answers.
func (l *Lock) lives(ctx context.Context) bool {
	if l.conn == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if l.conn.Ping(ctx) == nil {
		return true
	}
	_ = l.conn.Close(ctx)
	l.conn = nil
	return false
}
