package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/bundle"
	"muster/internal/retention"
)

// grace is for how long a file stays after the log has said that it is taken away: until then a term is put right, or a hold put on it.
const grace = 7 * 24 * time.Hour

// erasesEvery is how often the archive looks for what need not stay.
const erasesEvery = 24 * time.Hour

// A Stay is how long one file of an archive stays.
type Stay struct {
	File string `json:"file"`
	bundle.Facts
	retention.Verdict

	Announced time.Time `json:"announced,omitzero"` // the log says that it is taken away at that instant, or soon after; zero: it does not

	record bundle.Record
}

// Stays says of each file that is in an archive how long it stays by a policy, the one that was archived first comes first. Of what is not
// what it was nothing is said, and the error names it.
func (r *Reader) Stays(ctx context.Context, p retention.Policy) ([]Stay, error) {
	return r.stays(ctx, p, time.Time{}, func(name string) (f bundle.Facts, err error) {
		b, err := r.Bundle(ctx, name)
		if err == nil {
			f = b.Facts
		}
		return f, err
	})
}

// stays is Stays of what may be due at an instant: nothing else is read. Of the zero one it is that of everything.
func (r *Reader) stays(ctx context.Context, p retention.Policy, at time.Time, facts func(string) (bundle.Facts, error)) (all []Stay, err error) {
	there, err := r.present(ctx, bundle.BundlesFolder, bundle.OrganisationsFolder, bundle.RefusalsFolder)
	if err != nil {
		return nil, err
	}
	erased, err := r.erased(ctx)
	if err != nil {
		return nil, err
	}
	var (
		faults []error
		next   time.Time // from which the version of the folder after the one looked at was in use
	)
	for _, rec := range slices.Backward(r.Log.Records()) {
		s, end, isBundle := Stay{File: rec.Name, Announced: erased[rec.Name].after, record: rec}, rec.Until, rec.Kind == bundle.OfBundle
		if !isBundle {
			_, end = spans(rec.Name)
		}
		if rec.Kind == bundle.OfOrganisation && !strings.HasSuffix(rec.Name, ".refused.json") {
			end, next = next, end
		}
		switch {
		case !isBundle && rec.Kind != bundle.OfOrganisation && rec.Kind != bundle.OfRefusals:
			continue // what proves the others stays
		case !there[rec.Name] || end.IsZero(): // it is taken away, or in use
			continue
		case !at.IsZero() && p.Soonest(end).After(at):
			continue
		case isBundle:
			if s.Facts, err = facts(rec.Name); err != nil {
				faults = append(faults, err)
				continue
			}
			s.Verdict = p.Of(s.Customers, end)
		default:
			s.Kind, s.Verdict = string(rec.Kind), p.OfAll(end)
		}
		all = append(all, s)
	}
	slices.Reverse(all)
	return all, errors.Join(faults...)
}

// tidy erases what need not stay, once a day. What goes wrong is told and tried again: a store that lets nobody remove anything keeps all the same.
func (a *Archive) tidy(ctx context.Context, log *bundle.Log, at time.Time) error {
	if a.Retention == nil || at.Sub(a.looked) < erasesEvery {
		return nil
	}
	switch err := a.erase(ctx, log, at); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		a.NotErased(err)
	default:
		a.looked = at
	}
	return nil
}

// erase takes away what need not stay. It says so in the log first, and waits: what a hold is put on meanwhile stays. Runs that go on need
// what they have continued.
func (a *Archive) erase(ctx context.Context, log *bundle.Log, at time.Time) error {
	p := a.Retention()
	if !p.Erases() {
		return nil
	}
	if a.facts == nil {
		a.facts = map[string]bundle.Facts{}
	}
	r := &Reader{Files: a.Files, Log: log}
	all, faults := r.stays(ctx, p, at, func(name string) (bundle.Facts, error) {
		f, known := a.facts[name]
		if known {
			return f, nil
		}
		b, err := r.Bundle(ctx, name)
		if err == nil {
			f, a.facts[name] = b.Facts, b.Facts
		}
		return f, err
	})
	all = slices.DeleteFunc(all, func(s Stay) bool { return !s.Due(at) })
	if len(all) > 0 {
		running, err := a.Exporter.Source.List(ctx, "ExecutionStatus = 'Running'")
		if err != nil {
			return errors.Join(faults, err)
		}
		goesOn := map[string]bool{}
		for _, run := range running {
			goesOn[run.Workflow] = true
		}
		all = slices.DeleteFunc(all, func(s Stay) bool { return goesOn[s.Workflow] })
	}
	e := bundle.Erasure{At: at, After: at.Add(grace), Revision: p.Revision}
	for _, s := range all {
		switch {
		case s.Announced.IsZero():
			e.Files = append(e.Files, bundle.Erased{Name: s.File, SHA256: s.record.SHA256, Keep: s.Keep.String(), Of: s.Of, Until: s.Until})
		case !s.Announced.After(at):
			if err := a.Files.Remove(ctx, s.File); err != nil {
				return errors.Join(faults, err)
			}
			delete(a.facts, s.File)
		}
	}
	for chunk := range slices.Chunk(e.Files, bundle.MaxRecords) {
		part := e
		part.Files = chunk
		name, text, err := part.Encode()
		if err != nil {
			return errors.Join(faults, fmt.Errorf("write erasure: %w", err))
		}
		record, err := a.write(ctx, bundle.OfErasure, name, text, at, at)
		if err == nil {
			err = a.append(ctx, log, record)
		}
		if err != nil {
			return errors.Join(faults, err)
		}
	}
	return faults
}

// A taken file is one that an erasure is of.
type taken struct {
	bundle.Erased

	at, after time.Time
	revision  string
}

// erased are the files that the log says are taken away, by their names. The first time counts.
func (r *Reader) erased(ctx context.Context) (map[string]taken, error) {
	if r.gone != nil {
		return r.gone, nil
	}
	gone := map[string]taken{}
	for _, rec := range r.Log.Records() {
		if rec.Kind != bundle.OfErasure {
			continue
		}
		text, err := r.proven(ctx, rec.Name)
		if err != nil {
			return nil, err
		}
		e, err := bundle.DecodeErasure(rec.Name, text)
		if err != nil {
			return nil, err
		}
		for _, f := range e.Files {
			if _, before := gone[f.Name]; !before {
				gone[f.Name] = taken{f, e.At, e.After, e.Revision}
			}
		}
	}
	r.gone = gone
	return gone, nil
}

// Erased tells how many bundles are taken away, and when the newest of them had ended.
func (r *Reader) Erased(ctx context.Context) (bundles int, newest time.Time, err error) {
	there, err := r.present(ctx, bundle.BundlesFolder)
	if err != nil {
		return 0, newest, err
	}
	erased, err := r.erased(ctx)
	for name := range erased {
		if rec := r.Log.Named(name); rec != nil && rec.Kind == bundle.OfBundle && !there[name] {
			if bundles++; rec.Until.After(newest) {
				newest = rec.Until
			}
		}
	}
	return bundles, newest, err
}

// ErrErased says that a file was taken away because it need not stay any longer.
var ErrErased = errors.New("it was erased")

// why says why a file was taken away.
func (t taken) why() error {
	return fmt.Errorf("%w after %s: its records had to stay for %s, until %s, by version %s of the organisation folder", ErrErased,
		t.after.UTC().Format(time.DateOnly), t.Keep, t.Until.UTC().Format(time.DateOnly), t.revision)
}

// founded tells whether an erasure is one that a term allows.
func (t taken) founded(rec *bundle.Record) bool {
	keep, ok := retention.ParseTerm(t.Keep)
	return ok && rec != nil && rec.SHA256 == t.SHA256 && !t.Until.After(t.at) && !keep.After(rec.Until).After(t.Until) && !t.after.Before(t.at.Add(grace))
}
