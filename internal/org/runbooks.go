package org

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/runbook"
)

// runbooksFolder holds one Markdown file for each runbook and playbook. It may be missing.
const runbooksFolder = "runbooks"

const maxRunbookFile = 64 << 10

// kindOfRunbook is what the folder defines in it.
const kindOfRunbook = "runbook"

// Runbook returns a runbook or playbook of the folder by its ID, with the SHA-256 of its file.
func (o *Organisation) Runbook(id string) (rb runbook.Runbook, sha256 string, ok bool) {
	w, ok := o.runbooks[id]
	return w.Runbook, w.sha256, ok
}

// Runbooks returns the runbooks and playbooks of the folder in the order of their IDs.
func (o *Organisation) Runbooks() []runbook.Runbook {
	var all []runbook.Runbook
	for _, w := range o.runbooks {
		all = append(all, w.Runbook)
	}
	slices.SortFunc(all, func(a, b runbook.Runbook) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// ReadRunbook reads one file by itself: what it refers to is not looked up. Its error is a *Refusal with every fault, unless
// the file cannot be read.
func ReadRunbook(path string) (rb runbook.Runbook, sha256 string, err error) {
	content, _, err := readRegular(path, maxRunbookFile)
	if err != nil {
		return runbook.Runbook{}, "", fmt.Errorf("read runbook %s: %w", path, unwrapPath(err))
	}
	r := &reader{tables: map[string]*table{}}
	w := readRunbook(r, filepath.Base(path), content)
	if len(r.faults) > 0 {
		return runbook.Runbook{}, "", &Refusal{Dir: filepath.Dir(path), Faults: sorted(r.faults), file: filepath.Base(path)}
	}
	return w.Runbook, w.sha256, nil
}

// runbookFiles returns the Markdown files of the folder's runbooks. A README is none.
func (f *folder) runbookFiles() (names []string) {
	found, err := os.ReadDir(filepath.Join(f.dir, runbooksFolder))
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			f.fault(runbooksFolder, whyUnread(err))
		}
		return nil
	}
	f.touched(filepath.Join(f.dir, runbooksFolder))
	for _, e := range found {
		name := runbooksFolder + "/" + e.Name()
		switch ext := filepath.Ext(name); {
		case strings.HasPrefix(e.Name(), ".") || strings.EqualFold(e.Name(), "README.md"):
		case e.IsDir():
			f.fault(name, "a folder in a folder is not read; want its files directly in "+runbooksFolder)
		case ext == ".md":
			names = append(names, name)
		case ext == ".markdown" || isYAML(name):
			f.fault(name, "want a name that ends in .md")
		}
	}
	return names
}

// readRunbooks reads all of them. What they refer to stands in files that are read after them.
func (b *builder) readRunbooks(f *folder) {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		if !strings.HasPrefix(name, runbooksFolder+"/") {
			continue
		}
		if f.files[name] == nil {
			b.table(kindOfRunbook).unread = true
			continue
		}
		before := len(b.faults)
		w := readRunbook(&b.reader, name, f.files[name])
		if w.ID == "" { // nobody knows which one it was to be
			b.table(kindOfRunbook).unread = true
			continue
		}
		b.table(kindOfRunbook).vague[w.ID] = len(b.faults) > before
		b.runbooks[w.ID] = w
		b.later = append(b.later, func() { b.checkRunbook(w) })
	}
}

// checkRunbook holds a runbook against the rest of the folder.
func (b *builder) checkRunbook(w written) {
	subject := w.Shown()
	for n, c := range w.Causes {
		if c.Runbook != "" && b.knows(w.causes[n], fmt.Sprintf("%s: cause %s: runbook", subject, show(c.Text)), kindOfRunbook, c.Runbook) {
			b.wantKind(w.causes[n], fmt.Sprintf("%s: cause %s: runbook", subject, show(c.Text)), c.Runbook, runbook.Procedure)
		}
	}
	for n, s := range w.Steps {
		if s.Automatic == nil {
			continue
		}
		at := w.runs[n]
		if err := b.runners.allowed.Check(s.Automatic); err != nil {
			b.fault(at, "%s: step %d: %s, in %s", subject, s.Number, err, settingsFile)
		}
		for _, name := range s.Automatic.Secrets {
			if _, known := b.runners.secret(name); !known {
				b.fault(at, "%s: step %d: secret %s: no such secret; want it in runners: secrets, in %s; %s", subject, s.Number, show(name), settingsFile,
					b.hint(name, b.runners.names()))
			}
		}
	}
}

// wantKind makes a fault of a runbook where a playbook has to be, and the other way round.
func (b *builder) wantKind(at place, subject, id string, kind runbook.Kind) {
	if w, ok := b.runbooks[id]; ok && w.Kind != kind {
		b.fault(at, "%s %s: is a %s; want a %s", subject, show(id), w.Kind, kind)
	}
}

// staleRunbooks warns of what nobody has looked at for too long: a procedure goes out of date with the system it is for.
func (b *builder) staleRunbooks(w *reader, now time.Time) {
	today := calendar.DateOf(now.In(b.org.Zone))
	for id, rb := range b.runbooks {
		at := w.placeOf(kindOfRunbook, id)
		if why := staleRunbook(rb.Runbook, today); why != "" {
			if rb.ReviewBy == 0 || rb.ReviewBy >= today {
				why += "; want somebody to run it and say that it is still right"
			}
			w.fault(at, "%s: %s", rb.Shown(), why)
		} else if rb.Updated > today {
			w.fault(at, "%s: was last updated on %s, which has not come yet", rb.Shown(), rb.Updated)
		}
	}
}

// staleRunbook says why nobody can count on a runbook without looking at it first; empty where they can.
func staleRunbook(rb runbook.Runbook, today calendar.Date) string {
	const most = 365 // days
	switch {
	case rb.ReviewBy != 0 && rb.ReviewBy < today:
		return fmt.Sprintf("was to be reviewed by %s", rb.ReviewBy)
	case rb.Updated < today-most:
		return fmt.Sprintf("was last updated on %s, more than %d days ago", rb.Updated, most)
	}
	return ""
}

// procedure reads where a response plan leads: to a runbook or playbook of the folder, or to a URL.
func (b *builder) procedure(o *object, kind runbook.Kind) incident.Link {
	key := string(kind)
	if !o.has(key) {
		return incident.Link{}
	}
	to, ok := value(o.reader, o.field(key), o.about(key), in("the ID of a "+key+" in "+runbooksFolder+", or a URL that begins with https:// or http://",
		func(s string) (string, bool) {
			_, ok := webURL(s)
			return s, ok || runbook.ValidID(s)
		}))
	switch _, isURL := webURL(to); {
	case isURL:
		return incident.Link{URL: to, Kind: incident.LinkKind(kind)}
	case !ok || !o.knows(o.field(key).place, o.about(key), kindOfRunbook, to):
		return incident.Link{}
	}
	b.wantKind(o.field(key).place, o.about(key), to, kind)
	return incident.Link{Runbook: to, Title: b.runbooks[to].Title, Kind: incident.LinkKind(kind)}
}
