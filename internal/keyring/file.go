package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	reader int                            // the user who reads it

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
	if err := guarded(f.file, state, f.reader); err != nil {
		return err
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

// guarded asks that a file of keys is private.
func guarded(file string, state fs.FileInfo, reader int) error {
	if private(state.Mode(), owner(state), reader) {
		return nil
	}
	return fmt.Errorf("others may read it: want it for its owner alone, as after chmod 600 %s", file)
}

// keeper is for whom this user lists and changes files of keys: root does it for another one, who runs Muster.
func keeper() int {
	if id := os.Geteuid(); id != 0 {
		return id
	}
	return -1
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

// ErrFixed is that this process cannot change a file of keys: it is a copy, such as one that Kubernetes has made of a Secret, or another
// user has to.
var ErrFixed = errors.New("this process cannot change it")

// fixed adds to what has kept the owner of a file, or root, from changing it how it is changed.
func fixed(err error, file string) error {
	at, _ := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EBUSY), errors.Is(err, syscall.EISDIR): // what was mounted keeps its place
		return fmt.Errorf("%w: %w: it is a copy, or mounted to be read: change the file from which it comes, with muster keys signing or muster keys payload", err, ErrFixed)
	case errors.Is(err, syscall.EPERM): // to give the new file to the group of the old one
		return fmt.Errorf("%w: %w", err, barred(file))
	case errors.Is(err, syscall.EACCES) && at != nil && there(at.Path): // the lock
		return fmt.Errorf("%w: %w", err, barred(at.Path))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: %w", err, barred(filepath.Dir(file)))
	}
	return err
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// barred is an ErrFixed that says whose the file or folder is that is in the way, and who has to change the keys.
func barred(path string, may ...string) error {
	whose := "another user"
	if state, err := os.Stat(path); err == nil {
		if s, ok := state.Sys().(*syscall.Stat_t); ok {
			whose = userName(int(s.Uid)) + ":" + groupName(int(s.Gid))
		}
	}
	return fmt.Errorf("%w: %s belongs to %s: run muster keys signing or muster keys payload as %s, or, where it is a copy, change the file from which it comes", ErrFixed, path, whose, strings.Join(append(may, "root"), " or "))
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return strconv.Itoa(id)
}

func groupName(id int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
		return g.Name
	}
	return strconv.Itoa(id)
}

// lockOf is the lock of a file of keys. Whoever owns the file gets it too, also when root was first.
func lockOf(file string, state fs.FileInfo) (*os.File, error) {
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(file+".lock", os.O_RDWR, 0)
	}
	if err == nil && os.Geteuid() == 0 { // never one that was there: it might be a link to something else
		if err = lock.Chown(owner(state), -1); err != nil {
			err = errors.Join(err, lock.Close(), os.Remove(lock.Name()))
		}
	}
	return lock, err
}

// change reads, changes and writes a file while nobody else does. It keeps what the file is besides its text: its place, behind links,
// its mode, its owner and its group. By is the command that makes such a file.
func change[K any](file, by string, decode func([]byte) ([]K, error), with func([]K) ([]K, error)) (err error) {
	state, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("change keys: %w: %s makes it", err, by)
	}
	if err == nil {
		file, err = filepath.EvalSymlinks(file)
	}
	if err != nil {
		return fmt.Errorf("change keys: %w", err)
	}
	if err := guarded(file, state, keeper()); err != nil {
		return fmt.Errorf("change keys %s: %w", file, err)
	}
	if id := os.Geteuid(); id != 0 && id != owner(state) { // the new file would be this user's
		var may []string
		if owner(state) > 0 {
			may = append(may, userName(owner(state)))
		}
		return fmt.Errorf("change keys: %w", barred(file, may...))
	}
	lock, err := lockOf(file, state)
	if err != nil {
		return fmt.Errorf("change keys: %w", fixed(err, file))
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
	return fixed(wholefile.Replace(file, text, state), file)
}
