package bundle

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Store keeps the files of a log. Each is written once, and never changed or removed: a bucket with object lock is a good
// one.
type Store interface {
	// List names all files, in any order.
	List(context.Context) ([]string, error)
	Get(ctx context.Context, name string) ([]byte, error)
	// Create writes a file whole, or not at all. Where there is one of that name, its error is fs.ErrExist.
	Create(ctx context.Context, name string, content []byte) error
}

// Bounds of a log's files.
const (
	MaxRecords = 1000 // in one file
	MaxLogFile = 1 << 20
)

// A RecordKind tells what an entry of the log is about.
type RecordKind string

// The kinds. These strings are in the log: add, never rename.
const (
	OfBundle       RecordKind = "bundle"
	OfCensus       RecordKind = "census"       // which runs had closed in an interval
	OfOrganisation RecordKind = "organisation" // a version of the folder that was loaded, or refused
	OfRefusals     RecordKind = "refusals"     // attempts that were refused
	OfErasure      RecordKind = "erasure"      // which files are taken away
)

// A Record is one entry of the log: which file was archived.
type Record struct {
	Kind   RecordKind `json:"kind"`
	Name   string     `json:"name"`   // of the file in the archive, with its folders
	SHA256 string     `json:"sha256"` // of the whole file
	Size   int64      `json:"size"`
	From   time.Time  `json:"from"` // the instants that the file covers
	Until  time.Time  `json:"until"`
}

var recordName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// Recordable tells whether the log may have a file of a name.
func Recordable(name string) bool { return len(name) <= maxText && recordName.MatchString(name) }

// Of returns the record of a file that covers some instants.
func Of(kind RecordKind, name string, content []byte, from, until time.Time) Record {
	return Record{kind, name, sum(content), int64(len(content)), from, until}.utc()
}

func (r Record) utc() Record {
	r.From, r.Until = r.From.UTC(), r.Until.UTC()
	return r
}

// line is the record as it stands in the log.
func (r Record) line() (string, error) {
	digest, err := hex.DecodeString(r.SHA256)
	switch {
	case !slices.Contains([]RecordKind{OfBundle, OfCensus, OfOrganisation, OfRefusals, OfErasure}, r.Kind):
		return "", fmt.Errorf("kind %.40q: want bundle, census, organisation, refusals or erasure", r.Kind)
	case !Recordable(r.Name):
		return "", fmt.Errorf("name %.40q: want the path of a file: at most %d letters, digits, hyphens, low lines and dots", r.Name, maxText)
	case err != nil || len(digest) != tlog.HashSize || hex.EncodeToString(digest) != r.SHA256:
		return "", fmt.Errorf("sha256 %.80q: want 64 hexadecimal digits, letters in lower case", r.SHA256)
	case r.Size < 0 || r.Until.Before(r.From):
		return "", fmt.Errorf("size %d, from %s until %s: want none below zero, and no end before its beginning", r.Size, r.From, r.Until)
	}
	text, err := Canonical(r.utc())
	return strings.TrimSuffix(string(text), "\n"), err
}

func parseRecord(line string) (r Record, err error) {
	if err := strict([]byte(line), &r); err != nil {
		return r, err
	}
	again, err := r.line()
	if err == nil && again != line {
		err = errors.New("not as Muster writes it: want sorted keys, instants in UTC, no spaces")
	}
	return r, err
}

// A Log is a Merkle tree (RFC 6962) over the lines of its records. Its files are in a store: one for each time that something
// was appended, with the new records and a signed checkpoint of the log with them. So there is no moment at which records are
// there and their checkpoint is not, and no file is ever written a second time.
type Log struct {
	keys     Keys
	records  []Record
	hashes   []tlog.Hash // as tlog numbers them
	newest   Checkpoint
	byDigest map[string][]int64
	byName   map[string]int64
}

// New begins a log: the first Append writes its first file.
func New(k Keys) *Log {
	return &Log{keys: k, byDigest: map[string][]int64{}, byName: map[string]int64{}}
}

// ErrNoLog says that a store holds nothing. Whoever knows of no log that was there before begins one.
var ErrNoLog = errors.New("it holds no log")

// Open reads a whole log and proves it: that each file follows the one before it, that its records give the root that its
// checkpoint says, and that one of the keys has signed it. Its error is ErrNoLog where there is nothing to read.
func Open(ctx context.Context, s Store, k Keys) (*Log, error) {
	l := New(k)
	names, err := s.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if want := l.next(); name != want {
			return nil, fmt.Errorf("open log: %w", astray(name, want))
		}
		content, err := s.Get(ctx, name)
		if err == nil {
			err = l.take(content)
		}
		if err != nil {
			return nil, fmt.Errorf("open log: file %s: %w", name, err)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("open log: %w", ErrNoLog)
	}
	return l, nil
}

// next names the file that would go on with the log: by the index of its first record, so that two who append at once collide.
func (l *Log) next() string { return fmt.Sprintf("%012d.log", len(l.records)) }

var fileName = regexp.MustCompile(`^[0-9]{12}\.log$`)

// astray says what is wrong where the files of a log go on with another name.
func astray(name, want string) error {
	if fileName.MatchString(name) && name > want {
		return fmt.Errorf("file %s: missing; the next one that is there is %s", want, name)
	}
	return fmt.Errorf("file %s: does not belong to the log, which goes on with %s", name, want)
}

// take adds a file to the log, if it is right.
func (l *Log) take(content []byte) error {
	if len(content) > MaxLogFile {
		return fmt.Errorf("%d bytes, want at most %d", len(content), MaxLogFile)
	}
	text, rest, found := bytes.Cut(content, []byte("\n\n"))
	if !found {
		return errors.New("cut off: want lines of records, an empty line, a signed checkpoint")
	}
	c, err := l.keys.checkpoint(rest)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	first := int64(len(l.records))
	if want := first + int64(len(lines)); len(lines) > MaxRecords || c.Size != want {
		return fmt.Errorf("it has %d record(s) after the %d before it, and its checkpoint is of %d: want these to agree, and at most %d in one file",
			len(lines), first, c.Size, MaxRecords)
	}
	for n, line := range lines {
		r, err := parseRecord(line)
		if err == nil {
			err = l.add(line, r)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	root, err := l.root(c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		return fmt.Errorf("its records give the root %s, and %s is signed: they are not those that were archived, or not in that order", root, c.Root)
	}
	l.newest = c
	return nil
}

func (l *Log) add(line string, r Record) error {
	n := int64(len(l.records))
	if before, taken := l.byName[r.Name]; taken {
		return fmt.Errorf("name %s: entry %d has it already", r.Name, before)
	}
	hashes, err := tlog.StoredHashes(n, []byte(line), l)
	if err != nil {
		return err
	}
	l.records, l.hashes = append(l.records, r), append(l.hashes, hashes...)
	l.byName[r.Name], l.byDigest[r.SHA256] = n, append(l.byDigest[r.SHA256], n)
	return nil
}

// ReadHashes is what tlog asks for.
func (l *Log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, n := range indexes {
		all = append(all, l.hashes[n])
	}
	return all, nil
}

// root is the root hash over the first entries.
func (l *Log) root(size int64) (tlog.Hash, error) { return tlog.TreeHash(size, l) }

// Newest is the newest checkpoint.
func (l *Log) Newest() Checkpoint { return l.newest }

// Records are all entries, the oldest first. An entry goes by its index.
func (l *Log) Records() []Record { return slices.Clone(l.records) }

// Continues asks that this is the log that an older checkpoint is of: with all the entries of then, in the order of then. file
// names the checkpoint in errors.
func (l *Log) Continues(file string, old Checkpoint) error {
	if old.Size > l.newest.Size {
		return fmt.Errorf("compare log with checkpoint %s: it is of %d entries, and the log has %d: it was rolled back; file %s is missing",
			file, old.Size, l.newest.Size, l.next())
	}
	root, err := l.root(old.Size)
	if err != nil {
		return fmt.Errorf("compare log with checkpoint %s: %w", file, err)
	}
	if root != old.Root {
		return fmt.Errorf("compare log with checkpoint %s: its root over the first %d entries is %s, and theirs in the log is %s: entries were changed, "+
			"dropped or put in another order, and signed anew", file, old.Size, old.Root, root)
	}
	return nil
}

// Find returns the entry of a file: of its very bytes, under its name.
func (l *Log) Find(file string, content []byte) (int64, error) {
	digest, base := sum(content), filepath.Base(file)
	named := func(n int64) bool { return path.Base(l.records[n].Name) == base }
	if all := l.byDigest[digest]; len(all) > 0 {
		if n := slices.IndexFunc(all, named); n >= 0 {
			return all[n], nil
		}
		return 0, fmt.Errorf("find %s in the log: entry %d is this file under another name, %s: it was renamed, or took the place of another", file,
			all[0], l.records[all[0]].Name)
	}
	for n, r := range l.records {
		if named(int64(n)) {
			return 0, fmt.Errorf("find %s in the log: entry %d is of a file of this name with %d bytes and SHA-256 %s; this one has %d bytes and SHA-256 %s",
				file, n, r.Size, r.SHA256, len(content), digest)
		}
	}
	return 0, fmt.Errorf("find %s in the log: none of its %d entries is of this file, or of one of its name", file, len(l.records))
}

// Append adds records, at most MaxRecords, and signs the log with them. Those that it has already are left out: whoever does not know whether they
// were written opens the log anew and appends them again. Where somebody else has appended since it was opened, nothing is
// written, and the error is fs.ErrExist.
func (l *Log) Append(ctx context.Context, s Store, private string, records ...Record) (Checkpoint, error) {
	signer, err := note.NewSigner(strings.TrimSpace(private))
	if err != nil {
		return l.newest, errors.New("append to log: private key: want what muster audit keygen has written") // it is not quoted
	}
	if _, err := l.keys.known.Verifier(signer.Name(), signer.KeyHash()); err != nil {
		return l.newest, fmt.Errorf("append to log: private key %s: its public half is not among those of the log", keyID(signer.Name(), signer.KeyHash()))
	}
	next := l.clone()
	var lines strings.Builder
	for _, r := range records {
		r = r.utc()
		if n, there := next.byName[r.Name]; there && next.records[n] == r {
			continue
		}
		line, err := r.line()
		if err == nil {
			err = next.add(line, r)
		}
		if err != nil {
			return l.newest, fmt.Errorf("append to log: record of %s: %w", r.Name, err)
		}
		lines.WriteString(line + "\n")
	}
	size := int64(len(next.records))
	if size == int64(len(l.records)) {
		return l.newest, nil
	}
	root, err := next.root(size)
	if err == nil {
		next.newest, err = Checkpoint{Log: l.keys.log, Size: size, Root: root}.sign(signer)
	}
	if err != nil {
		return l.newest, fmt.Errorf("append to log: %w", err)
	}
	content := []byte(lines.String() + "\n" + next.newest.Text)
	if err := l.clone().take(content); err != nil { // what could not be read later is not written
		return l.newest, fmt.Errorf("append to log: %w", err)
	}
	err = s.Create(ctx, l.next(), content)
	if errors.Is(err, fs.ErrExist) {
		return l.newest, fmt.Errorf("append to log: file %s: somebody else has appended since the log was read: read it anew: %w", l.next(), err)
	}
	if err != nil {
		return l.newest, fmt.Errorf("append to log: %w", err)
	}
	*l = *next
	return l.newest, nil
}

func (l *Log) clone() *Log {
	c := New(l.keys)
	c.newest, c.records, c.hashes = l.newest, slices.Clone(l.records), slices.Clone(l.hashes)
	for n, r := range c.records {
		c.byName[r.Name], c.byDigest[r.SHA256] = int64(n), append(c.byDigest[r.SHA256], int64(n))
	}
	return c
}
