package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/org"
	"muster/internal/store"
)

// A spool leaves in the archive what is no run: the versions of the organisation folder that were loaded or refused, and the attempts
// that were refused at the door. The next pass enters it in the log.
type spool struct {
	files *bucket.Bucket
	log   *slog.Logger
	store *store.Store

	mu      sync.Mutex
	waiting []versionAt
}

type versionAt struct {
	org.Version
	at time.Time
}

// version takes a version in. It is written by the next flush: reading the folder does not wait for the archive.
func (s *spool) version(v org.Version, at time.Time) {
	const most = 100 // of a folder that is written all the time
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == most {
		s.log.Error("version of the organisation folder is not archived: too many wait", "revision", v.Revision)
		return
	}
	s.waiting = append(s.waiting, versionAt{v, at})
}

// leaveRefused leaves in the archive the organisation folder without which this process does not begin. The next pass enters it in the log.
func leaveRefused(ctx context.Context, cfg Config, fault error) {
	v, there := org.RefusedVersion(cfg.Org, fault)
	if cfg.Archive.Where == "" || !there {
		return
	}
	const patience = 10 * time.Second // whoever has started it waits to read what is wrong
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	files, err := bucket.Open(ctx, cfg.Archive.Where)
	if err == nil {
		s := &spool{files: files, log: cfg.Log}
		s.version(v, time.Now())
		err = errors.Join(s.versions(ctx), files.Close())
	}
	if err != nil {
		cfg.Log.Error("refused version of the organisation folder is not archived", "revision", v.Revision, "error", err)
	}
}

// flush writes what waits.
func (s *spool) flush(ctx context.Context) error {
	return errors.Join(s.versions(ctx), s.attempts(ctx))
}

// stamp is how the names of such files say when something was.
func stamp(at time.Time) string { return at.UTC().Format("20060102T150405Z") }

func (s *spool) versions(ctx context.Context) error {
	s.mu.Lock()
	waiting := s.waiting
	s.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	names, err := s.files.List(ctx, bundle.OrganisationsFolder)
	if err != nil {
		return err
	}
	// The same version twice in a row is one. One that comes again after another is new: from then on it is in use.
	newest := map[bool]string{} // by whether it was refused
	for _, name := range slices.Sorted(slices.Values(names)) {
		_, of, _ := strings.Cut(name, ".")
		newest[strings.HasSuffix(of, bundle.RefusedVersion)] = of
	}
	for _, v := range waiting {
		of, refused := v.Revision+".json", v.Fault != ""
		if refused {
			of = v.Revision + bundle.RefusedVersion
		}
		if newest[refused] != of {
			if err := s.write(ctx, bundle.OrganisationsFolder+"/"+stamp(v.at)+"."+of, v.Version); err != nil {
				return err
			}
			newest[refused] = of
		}
		s.mu.Lock()
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
	}
	return nil
}

// refusals are refused attempts, in the order of their chain.
type refusals struct {
	Chain    string          `json:"chain"` // hash of its first entry: each store has its own
	Attempts []store.Attempt `json:"attempts"`
}

// attempts writes the refused attempts that are not in the archive yet, so many in a file.
func (s *spool) attempts(ctx context.Context) error {
	const most, digits = 5000, 12
	if s.store == nil {
		return nil
	}
	first, err := s.store.Attempts(ctx, 0, 1)
	if err != nil || len(first) == 0 {
		return err
	}
	chain := first[0].Hash
	names, err := s.files.List(ctx, bundle.RefusalsFolder)
	if err != nil {
		return err
	}
	after := int64(0)
	for _, name := range names { // FROM_UNTIL.CHAIN-FIRST-LAST.json
		_, of, _ := strings.Cut(strings.TrimSuffix(name, ".json"), ".")
		if parts := strings.Split(of, "-"); len(parts) == 3 && parts[0] == chain[:digits] {
			last, err := strconv.ParseInt(parts[2], 10, 64)
			if err == nil {
				after = max(after, last)
			}
		}
	}
	for {
		all, err := s.store.Attempts(ctx, after, most)
		if err != nil || len(all) == 0 {
			return err
		}
		from, until := all[0], all[len(all)-1]
		name := fmt.Sprintf("%s/%s_%s.%s-%d-%d.json", bundle.RefusalsFolder, stamp(from.At), stamp(until.At), chain[:digits], from.Seq, until.Seq)
		if err := s.write(ctx, name, refusals{chain, all}); err != nil {
			return err
		}
		after = until.Seq
	}
}

func (s *spool) write(ctx context.Context, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err = s.files.Create(ctx, name, append(text, '\n')); errors.Is(err, fs.ErrExist) { // by a pass that was cut off, or another worker
		return nil
	}
	return err
}
