package org

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Live is an organisation folder that may change while Muster runs. It always has an organisation: a folder that Load
// refuses is reported, and the last good one stays in use. It is safe for concurrent use.
type Live struct {
	dir     string
	current atomic.Pointer[Organisation]

	mu    sync.Mutex // of what follows, and of reloading
	tried string     // the revision that was last read
	fault error      // why that is not in use
	told  func(Version)
}

// Open reads a folder, which must be good.
func Open(dir string) (*Live, error) {
	o, err := Load(dir)
	if err != nil {
		return nil, err
	}
	l := &Live{dir: dir, tried: o.Revision}
	l.current.Store(o)
	return l, nil
}

// Current returns the newest good organisation.
func (l *Live) Current() *Organisation { return l.current.Load() }

// Fault says why the folder as it stands now is not in use; nil when it is.
func (l *Live) Fault() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// Reload reads the folder once. It returns whether another organisation is in use now, and why not where the folder has
// a fault.
func (l *Live) Reload() (changed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := readFolder(l.dir)
	if err != nil {
		l.tried, l.fault = "", err
		return false, err
	}
	if f.revision == l.tried {
		return false, l.fault
	}
	o, err := f.load(time.Now())
	l.tried, l.fault = f.revision, err
	if l.told != nil {
		l.told(f.version(err))
	}
	if err != nil {
		return false, err
	}
	changed = o.Revision != l.Current().Revision
	l.current.Store(o)
	return changed, nil
}

// Follow reloads the folder whenever it has changed, until ctx ends, and logs what came of it. It looks again a moment
// after it has seen a change, so that it does not take a folder that somebody is still writing.
func (l *Live) Follow(ctx context.Context, every time.Duration, log *slog.Logger) {
	const moment = 500 * time.Millisecond
	said := ""
	for before := l.Current().Revision; sleep(ctx, every); {
		for now := l.read(); now != before; now = l.read() {
			before = now
			if !sleep(ctx, min(every, moment)) {
				return
			}
		}
		changed, err := l.Reload()
		switch {
		case err != nil && err.Error() != said:
			logFault(log, err)
			said = err.Error()
		case err == nil && said != "":
			said = ""
			log.Warn("organisation folder is without fault again, and in use", "revision", l.Current().Revision)
		case changed:
			log.Info("organisation folder reloaded", "revision", l.Current().Revision)
		}
	}
}

// read returns the folder's revision as it is now.
func (l *Live) read() string {
	f, err := readFolder(l.dir)
	if err != nil {
		return err.Error()
	}
	return f.revision
}

func logFault(log *slog.Logger, err error) {
	const message = "organisation folder has faults: the last good one stays in use"
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		log.Error(message, "error", err)
		return
	}
	for _, f := range refusal.Faults {
		log.Error(message, "folder", refusal.Dir, "fault", f.String())
	}
}

// sleep waits, and says no when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
