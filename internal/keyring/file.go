package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"muster/internal/wholefile"
)

// document is what stands in a file of keys.
type document[K any] struct {
	Keys []K `json:"keys"`
}

func encode[K any](keys ...K) ([]byte, error) {
	text, err := json.MarshalIndent(document[K]{keys}, "", "  ")
	return append(text, '\n'), err
}

// inOrder sorts keys, the oldest first, of which each must be there once.
func inOrder[K any](keys []K, of func(K) (id string, from time.Time)) ([]K, error) {
	if len(keys) == 0 {
		return nil, errors.New("no key: want one at least")
	}
	seen := map[string]bool{}
	for n, k := range keys {
		id, _ := of(k)
		if seen[id] {
			return nil, fmt.Errorf("key %d: its id stands there twice", n+1)
		}
		seen[id] = true
	}
	slices.SortStableFunc(keys, func(a, b K) int {
		_, first := of(a)
		_, second := of(b)
		return first.Compare(second)
	})
	return keys, nil
}

// followed is a file of keys that is read again when it has changed. It is safe for concurrent use.
type followed[K any] struct {
	file   string
	decode func(text []byte) ([]K, error) // its errors show nothing of the text
	follow func(before, now []K) error    // whether one may take the place of the other; nil: always

	mu    sync.Mutex
	keys  []K // the oldest first
	state fs.FileInfo
}

// current are the keys as they are now, which nobody may change.
func (f *followed[K]) current() []K {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.reload() // Err reports it; what was read before is still right
	return f.keys
}

// Err says what is wrong with the file as it is now: a readiness check. The last good keys stay in use.
func (f *followed[K]) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.reload(); err != nil {
		return fmt.Errorf("read keys %s: %w", f.file, err)
	}
	return nil
}

// reload reads the file when it has changed. The caller of an open ring holds the lock.
func (f *followed[K]) reload() error {
	state, err := os.Stat(f.file)
	if err != nil {
		return err
	}
	if f.state != nil && os.SameFile(state, f.state) && state.ModTime().Equal(f.state.ModTime()) && state.Size() == f.state.Size() {
		return nil
	}
	if !private(state.Mode(), owner(state), os.Geteuid()) {
		return fmt.Errorf("others may read it: want it for its owner alone, as after chmod 600 %s", f.file)
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		return err
	}
	keys, err := f.decode(text)
	if err != nil {
		return err
	}
	if f.follow != nil {
		if err := f.follow(f.keys, keys); err != nil {
			return err
		}
	}
	f.keys, f.state = keys, state
	return nil
}

// private tells whether a file of keys is kept from others: its owner alone has it in hand. Root may also own it and let a group read it,
// where another user runs Muster: Kubernetes and systemd hand secrets to a process so, and cannot do otherwise.
func private(mode fs.FileMode, owner, user int) bool {
	others := mode.Perm() & 0o077
	return others == 0 || others == 0o040 && owner == 0 && user != 0
}

func owner(state fs.FileInfo) int {
	if s, ok := state.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}

// ErrFixed is that a file of keys cannot be changed where it is, such as one that Kubernetes has made of a Secret.
var ErrFixed = errors.New("where it is a copy, change the file from which it was copied, with muster keys signing or muster keys payload")

// change reads, changes and writes a file while nobody else does.
func change[K any](file string, decode func([]byte) ([]K, error), with func([]K) ([]K, error)) (err error) {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("change keys: %w", err)
	}
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EISDIR) {
		return fmt.Errorf("change keys: %w: %w", err, ErrFixed)
	}
	if err != nil {
		return fmt.Errorf("change keys: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("change keys: lock %s: %w", lock.Name(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("change keys: %w", err)
	}
	keys, err := decode(text)
	if err != nil {
		return fmt.Errorf("change keys %s: %w", file, err)
	}
	if keys, err = with(keys); err != nil {
		return err
	}
	if text, err = encode(keys...); err != nil {
		return fmt.Errorf("change keys %s: %w", file, err)
	}
	return wholefile.Write(file, text, 0o600)
}
