package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"muster/internal/bundle"
	"muster/internal/encryption"
	"muster/workflows"
)

// A Reader reads an archive, and proves by its log all that it reads.
type Reader struct {
	Files    Files
	Log      *bundle.Log
	Payloads encryption.Keys // by which bundles that are encrypted are read; nil: none are

	said *erasures // nil: not read yet
}

// OpenArchive opens an archive to read it.
func OpenArchive(ctx context.Context, files Files, keys bundle.Keys) (*Reader, error) {
	log, err := bundle.Open(ctx, logFiles{files}, keys)
	if err != nil {
		return nil, err
	}
	return &Reader{Files: files, Log: log}, nil
}

// A Filter narrows a list of bundles. Zero values do not.
type Filter struct {
	From, Until time.Time // one that was running then, or has ended
	Kind        string    // workflow type, in any case
	ID          string
	Customer    string
	Service     string
	Person      string
	Outcome     string
}

// Kinds are the types of workflows of which there can be bundles.
func Kinds() []string {
	var all []string
	for _, w := range workflows.All() {
		all = append(all, w.Name)
	}
	slices.Sort(all)
	return all
}

func (f Filter) takes(b bundle.Facts) bool {
	end := b.Closed
	if end.IsZero() {
		end = time.Unix(1<<40, 0) // it goes on
	}
	has := func(all []string, one string) bool { return one == "" || slices.Contains(all, one) }
	return (f.From.IsZero() || !end.Before(f.From)) && (f.Until.IsZero() || b.Started.Before(f.Until)) &&
		(f.Kind == "" || strings.EqualFold(f.Kind, b.Kind)) && (f.ID == "" || f.ID == b.ID) && (f.Outcome == "" || f.Outcome == b.Outcome) &&
		has(b.Customers, f.Customer) && has(b.Services, f.Service) && has(b.People, f.Person)
}

// A Listed bundle is one of an archive, with what its manifest says.
type Listed struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	bundle.Facts
}

// List lists the bundles that a filter takes, of each chain the newest one, the chain that began first comes first. What cannot be proven
// is among the errors, and the rest is listed all the same.
func (r *Reader) List(ctx context.Context, f Filter) (all []Listed, err error) {
	var (
		faults []error
		newest = map[string]Listed{} // by first run
	)
	for _, rec := range r.Log.Records() {
		if rec.Kind != bundle.OfBundle {
			continue
		}
		b, err := r.Bundle(ctx, rec.Name)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		was, known := newest[b.FirstRun]
		if !known || len(b.Runs) > len(was.Runs) || len(b.Runs) == len(was.Runs) && (!b.Closed.IsZero() || was.Closed.IsZero()) {
			newest[b.FirstRun] = Listed{rec.Name, rec.SHA256, b.Facts}
		}
	}
	for _, x := range newest {
		if f.takes(x.Facts) {
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b Listed) int { return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.File, b.File)) })
	return all, errors.Join(faults...)
}

// InClear reads a bundle with its parts in clear.
func (r *Reader) InClear(ctx context.Context, name string) (*bundle.Bundle, error) {
	b, err := r.Bundle(ctx, name)
	if err != nil {
		return nil, err
	}
	return b.Decrypted(name, r.Payloads)
}

// Bundle reads one, which must be the one that was archived; its parts may be encrypted. Of one that need not stay any longer, the error is
// ErrErased.
func (r *Reader) Bundle(ctx context.Context, name string) (*bundle.Bundle, error) {
	content, err := r.Files.Get(ctx, name, bundle.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		said, err := r.erasures(ctx)
		if err != nil {
			return nil, err
		}
		if t, over := said.of(name); over {
			return nil, fmt.Errorf("read bundle %s: %w", name, t.why())
		}
		return nil, fmt.Errorf("read bundle %s: it is in the log, and not in the archive: it was taken away", name)
	}
	if err != nil {
		return nil, err
	}
	p, err := bundle.Verify(name, content, r.Log)
	return p.Bundle, err
}

// Completeness is whether all that had ended is in an archive.
type Completeness struct {
	From     time.Time    `json:"from"` // of the censuses
	Until    time.Time    `json:"until"`
	Censuses int          `json:"censuses"`
	Runs     int          `json:"runs"` // that they count
	Bundles  int          `json:"bundles"`
	Erased   int          `json:"erased"` // files that need not stay any longer, and are taken away
	Gaps     []bundle.Gap `json:"gaps,omitempty"`
	Absent   []string     `json:"absent,omitempty"`   // files that the log has and the archive has not
	Altered  []string     `json:"altered,omitempty"`  // files that are not what was archived
	Unlogged []string     `json:"unlogged,omitempty"` // files that the archive has and the log has not; the newest ones may be in it soon
	Waiting  []string     `json:"waiting,omitempty"`  // what others have left for the next pass
	Hasty    []string     `json:"hasty,omitempty"`    // files that the log says are taken away, although they had to stay
	Leftover []string     `json:"leftover,omitempty"` // of these such as a pass that was cut off leaves, and that nobody needs
}

// Whole tells whether nothing is missing.
func (c Completeness) Whole() bool {
	return len(c.Gaps) == 0 && len(c.Absent) == 0 && len(c.Altered) == 0 && len(c.Unlogged) == 0 && len(c.Hasty) == 0
}

// Completeness compares the censuses, the log and the files, every byte of them.
func (r *Reader) Completeness(ctx context.Context) (c Completeness, err error) {
	files, err := r.present(ctx, bundle.BundlesFolder, bundle.CensusesFolder, bundle.OrganisationsFolder, bundle.RefusalsFolder, bundle.ErasuresFolder)
	if err != nil {
		return c, err
	}
	said, err := r.erasures(ctx)
	if err != nil {
		return c, err
	}
	for name, t := range said.files {
		if !t.founded(r.Log.Named(name)) {
			c.Hasty = append(c.Hasty, name)
		}
	}
	slices.Sort(c.Hasty)
	var (
		all    []bundle.Census
		faults []error
	)
	for _, rec := range r.Log.Records() {
		if !files[rec.Name] {
			if _, over := said.of(rec.Name); over {
				c.Erased++
			} else {
				c.Absent = append(c.Absent, rec.Name)
			}
			continue
		}
		delete(files, rec.Name)
		content, err := r.Files.Get(ctx, rec.Name, bundle.MaxSize)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if _, err := r.Log.Find(rec.Name, content); err != nil {
			c.Altered = append(c.Altered, rec.Name)
			continue
		}
		switch rec.Kind {
		case bundle.OfBundle:
			c.Bundles++
		case bundle.OfCensus:
			one, err := bundle.DecodeCensus(rec.Name, content)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			all = append(all, one)
			c.Runs += len(one.Runs)
		default:
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if bundle.Recordable(name) && (strings.HasPrefix(name, bundle.OrganisationsFolder+"/") || strings.HasPrefix(name, bundle.RefusalsFolder+"/")) {
			c.Waiting = append(c.Waiting, name)
		} else if strings.HasPrefix(name, bundle.CensusesFolder+"/") || strings.HasPrefix(name, bundle.ErasuresFolder+"/") || strings.HasPrefix(name, runningFolder) {
			c.Leftover = append(c.Leftover, name)
		} else {
			c.Unlogged = append(c.Unlogged, name)
		}
	}
	if c.Censuses = len(all); len(all) > 0 {
		c.From, c.Until = all[0].From, all[len(all)-1].Until
	}
	c.Gaps = r.Log.Gaps(all)
	return c, errors.Join(faults...)
}

func (r *Reader) census(ctx context.Context, name string) (bundle.Census, error) {
	text, err := r.proven(ctx, name)
	if err != nil {
		return bundle.Census{}, err
	}
	return bundle.DecodeCensus(name, text)
}

// proven reads a file that is no bundle.
func (r *Reader) proven(ctx context.Context, name string) ([]byte, error) {
	text, err := r.Files.Get(ctx, name, maxOther)
	if err != nil {
		return nil, err
	}
	_, err = r.Log.Find(name, text)
	return text, err
}

// present names the files that are in folders.
func (r *Reader) present(ctx context.Context, folders ...string) (map[string]bool, error) {
	files := map[string]bool{}
	for _, folder := range folders {
		names, err := r.Files.List(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			files[path.Join(folder, name)] = true
		}
	}
	return files, nil
}
