// Package localticket is the ticket system that Muster brings along: one readable JSON file for each ticket in a folder,
// which several processes may use at once.
package localticket

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/ticket"
	"muster/internal/wholefile"
)

const (
	maxHistory = 200          // earlier revisions that a ticket keeps
	lastFile   = "last"       // holds the last number given out, so that a removed ticket's is not given again
	numberForm = "T-%06d"     // what people see
	nameForm   = "%s.%s.json" // a ticket's id, and a hash of its key: any key makes a safe name
)

// Record is a ticket as it is kept, and the content of its file: add fields, never rename them.
type Record struct {
	ID        string          `json:"id"`
	Opened    time.Time       `json:"opened"`
	Ticket    ticket.Ticket   `json:"ticket"`              // as it stands
	History   []ticket.Ticket `json:"history,omitempty"`   // the revisions before, the oldest first, at most 200
	Forgotten int             `json:"forgotten,omitempty"` // how many revisions were older still
}

// Store keeps tickets in a folder. Whatever moment a crash picks, every ticket is there as it was before or after its
// last change.
type Store struct {
	folder string

	mu    sync.Mutex
	last  int               // the last number given out
	names map[string]string // file names by ticket id
	ids   map[string]string // ticket ids by the hash of their key
}

// New opens the store in folder, making the folder where it is missing and clearing away what a crash left unfinished.
func New(folder string) (*Store, error) {
	s := &Store{folder: folder, names: map[string]string{}, ids: map[string]string{}}
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		var release func()
		if release, err = s.hold(nil); err == nil {
			err = s.load()
			release()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open ticket folder %s: %w", folder, err)
	}
	return s, nil
}

// hold keeps all others out of the folder. It waits for them until done is closed; nil is never.
func (s *Store) hold(done <-chan struct{}) (release func(), err error) {
	s.mu.Lock()
	let, err := wholefile.Hold(done, s.folder)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	return func() { let(); s.mu.Unlock() }, nil
}

// load takes in what others have put into the folder, while it is held. What was there before stays under its name.
func (s *Store) load() error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), wholefile.Unfinished) {
			if err := os.Remove(s.path(entry.Name())); err != nil {
				return err
			}
		}
		id, hash, ok := parseName(entry.Name())
		if ok {
			s.names[id], s.ids[hash] = entry.Name(), id
			s.last = max(s.last, number(id))
		}
	}
	written, err := os.ReadFile(s.path(lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(written)))
	if err != nil {
		return fmt.Errorf("read %s, which holds the last ticket number: %w", lastFile, err)
	}
	s.last = max(s.last, last)
	return nil
}

// Open makes a ticket, or finds the one that was opened under the same key.
func (s *Store) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	release, err := s.hold(ctx.Done())
	if err != nil {
		return ticket.Ref{}, fmt.Errorf("open ticket %q: %w", t.Key, err)
	}
	defer release()
	hash := hashOf(t.Key)
	if _, ok := s.ids[hash]; !ok {
		err = s.load()
	}
	if err != nil {
		return ticket.Ref{}, fmt.Errorf("open ticket %q: %w", t.Key, err)
	}
	if id, ok := s.ids[hash]; ok {
		return ticket.Ref{ID: id}, nil
	}
	if err := ctx.Err(); err != nil {
		return ticket.Ref{}, fmt.Errorf("open ticket %q: %w", t.Key, err)
	}
	if err := wholefile.Write(s.path(lastFile), []byte(strconv.Itoa(s.last+1)+"\n"), 0o600); err != nil {
		return ticket.Ref{}, fmt.Errorf("open ticket %q: %w", t.Key, err)
	}
	s.last++
	id := fmt.Sprintf(numberForm, s.last)
	name := fmt.Sprintf(nameForm, id, hash)
	if err := s.save(name, Record{ID: id, Opened: t.At, Ticket: t}); err != nil {
		return ticket.Ref{}, fmt.Errorf("open ticket %q: %w", t.Key, err)
	}
	s.names[id], s.ids[hash] = name, id
	return ticket.Ref{ID: id}, nil
}

// Update keeps t as the ticket's newest revision, unless the store has that one or a newer one already.
func (s *Store) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	release, err := s.hold(ctx.Done())
	if err != nil {
		return fmt.Errorf("update ticket %s: %w", ref.ID, err)
	}
	defer release()
	name, ok, err := s.named(ref.ID)
	if err != nil {
		return fmt.Errorf("update ticket %s: %w", ref.ID, err)
	}
	if !ok || s.ids[hashOf(t.Key)] != ref.ID {
		return &delivery.Refusal{Detail: fmt.Sprintf("there is no ticket %q with key %q in %s", ref.ID, t.Key, s.folder)}
	}
	r, err := s.read(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("update ticket %s: %w", ref.ID, err)
	}
	if t.Revision <= r.Ticket.Revision {
		return nil
	}
	r.History = append(r.History, r.Ticket)
	if over := len(r.History) - maxHistory; over > 0 {
		r.History = slices.Delete(r.History, 0, over)
		r.Forgotten += over
	}
	r.Ticket = t
	if err := s.save(name, r); err != nil {
		return fmt.Errorf("update ticket %s: %w", ref.ID, err)
	}
	return nil
}

// Get reads the ticket with an id such as T-000001; the error wraps fs.ErrNotExist when there is none.
func (s *Store) Get(id string) (Record, error) {
	release, err := s.hold(nil)
	if err != nil {
		return Record{}, fmt.Errorf("read ticket %s: %w", id, err)
	}
	defer release()
	name, ok, err := s.named(id)
	if err != nil {
		return Record{}, fmt.Errorf("read ticket %s: %w", id, err)
	}
	if !ok {
		return Record{}, fmt.Errorf("read ticket %q: %w", id, fs.ErrNotExist)
	}
	r, err := s.read(name)
	if err != nil {
		return Record{}, fmt.Errorf("read ticket %s: %w", id, err)
	}
	return r, nil
}

// List reads all tickets without their histories, by number. A ticket that cannot be read is missing from the list and
// named in the error.
func (s *Store) List() ([]Record, error) {
	release, err := s.hold(nil)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	defer release()
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	var all []Record
	var faults []error
	for id, name := range s.names {
		r, err := s.read(name)
		if err != nil {
			faults = append(faults, fmt.Errorf("read ticket %s: %w", id, err))
			continue
		}
		r.History = nil
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Record) int { return number(a.ID) - number(b.ID) })
	return all, errors.Join(faults...)
}

// named is the file of a ticket, which another process may have made.
func (s *Store) named(id string) (name string, ok bool, err error) {
	if name, ok = s.names[id]; !ok {
		err = s.load()
		name, ok = s.names[id]
	}
	return name, ok, err
}

func (s *Store) path(name string) string { return filepath.Join(s.folder, name) }

func (s *Store) read(name string) (Record, error) {
	var r Record
	content, err := os.ReadFile(s.path(name))
	if err == nil {
		err = json.Unmarshal(content, &r)
	}
	return r, err
}

func (s *Store) save(name string, r Record) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(s.path(name), append(content, '\n'), 0o600)
}

// hashOf is what stands for a key in a file name.
func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%x", sum[:16])
}

// parseName takes a ticket's file name apart.
func parseName(name string) (id, hash string, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 || parts[2] != "json" || number(parts[0]) == 0 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// number is what follows T- in a ticket's id, zero when that is no number.
func number(id string) int {
	digits, ok := strings.CutPrefix(id, "T-")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0
	}
	return max(n, 0)
}
