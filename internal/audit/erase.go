package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	all, _, err := r.stays(ctx, p, time.Time{}, r.facts)
	return all, err
}

// facts is what the manifest of a bundle says.
func (r *Reader) facts(ctx context.Context, name string) (f bundle.Facts, err error) {
	b, err := r.Bundle(ctx, name)
	if err == nil {
		f = b.Facts
	}
	return f, err
}

// stays is Stays of what may be due at an instant, and of what was announced: nothing else is read. Of the zero one it is that of everything.
// Lost is what is missing before its announced time.
func (r *Reader) stays(
	ctx context.Context, p retention.Policy, at time.Time, facts func(context.Context, string) (bundle.Facts, error),
) (all []Stay, lost []string, err error) {
	there, err := r.present(ctx, bundle.BundlesFolder, bundle.OrganisationsFolder, bundle.RefusalsFolder)
	if err != nil {
		return nil, nil, err
	}
	said, err := r.erasures(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(said.files)) {
		if _, over := said.of(name); !over && !there[name] {
			lost = append(lost, name)
		}
	}
	var (
		faults []error
		next   time.Time           // from which the version of the folder after the one looked at was in use
		chains = map[string]bool{} // of refused attempts, whose newest file says how far they are archived
	)
	for _, rec := range slices.Backward(r.Log.Records()) {
		s, end := Stay{File: rec.Name, Announced: said.files[rec.Name].after, record: rec}, rec.Until
		switch rec.Kind {
		case bundle.OfBundle:
		case bundle.OfOrganisation:
			if _, end = spans(rec.Name); !strings.HasSuffix(rec.Name, bundle.RefusedVersion) {
				end, next = next, end
			}
		case bundle.OfRefusals:
			_, of, _ := strings.Cut(rec.Name, ".")
			if chain, _, _ := strings.Cut(of, "-"); !chains[chain] {
				chains[chain], end = true, time.Time{}
			}
		default:
			continue // what proves the others stays
		}
		switch {
		case !there[rec.Name] || end.IsZero(): // it is taken away, or in use
			continue
		case !at.IsZero() && s.Announced.IsZero() && (!p.Erases() || p.Soonest(end).After(at)):
			continue
		case rec.Kind != bundle.OfBundle:
			s.Kind, s.Verdict = string(rec.Kind), p.Of(nil, end)
		default:
			if s.Facts, err = facts(ctx, rec.Name); err != nil {
				faults = append(faults, err)
				continue
			}
			s.Verdict = p.Of(s.Customers, end)
		}
		all = append(all, s)
	}
	slices.Reverse(all)
	return all, lost, errors.Join(faults...)
}

// tidy erases what need not stay, once a day. What goes wrong is told and tried again the next day: a store that lets nobody remove anything
// keeps all the same.
func (a *Archive) tidy(ctx context.Context, log *bundle.Log, at time.Time) error {
	if a.Retention == nil || at.Sub(a.looked) < erasesEvery {
		return nil
	}
	if a.facts == nil {
		a.facts = map[string]bundle.Facts{}
	}
	p, err := a.Retention()
	if err == nil {
		err = a.erase(ctx, log, p, at)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if a.looked = at; err != nil {
		a.NotErased(err)
	}
	return nil
}

// erase takes away what need not stay. It says so in the log first, and waits: what a hold is put on meanwhile stays, and the log says that
// too. Runs that go on need what they have continued.
func (a *Archive) erase(ctx context.Context, log *bundle.Log, p retention.Policy, at time.Time) error {
	r := &Reader{Files: a.Files, Log: log}
	all, lost, err := r.stays(ctx, p, at, func(ctx context.Context, name string) (f bundle.Facts, err error) {
		f, known := a.facts[name]
		if !known {
			if f, err = r.facts(ctx, name); err == nil {
				a.facts[name] = f
			}
		}
		return f, err
	})
	faults := []error{err}
	goesOn, err := a.goingOn(ctx, all, at)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	said, err := r.erasures(ctx)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	e := bundle.Erasure{At: at, After: at.Add(grace), Revision: p.Revision, Stay: lost} // those were stolen, and no erasure hides that
	for _, s := range all {
		switch due, announced := s.Due(at) && !goesOn[s.FirstRun], !s.Announced.IsZero(); {
		case due && !announced:
			e.Files = append(e.Files, bundle.Erased{Name: s.File, SHA256: s.record.SHA256, Keep: s.Keep.String(), Of: s.Of, Until: s.Until})
		case !due && announced:
			e.Stay = append(e.Stay, s.File)
		case due && !s.Announced.After(said.counted):
			if err := a.Files.Remove(ctx, s.File); err != nil {
				faults = append(faults, err)
			}
			delete(a.facts, s.File)
		}
	}
	return errors.Join(append(faults, a.announce(ctx, log, e))...)
}

// announce writes an erasure into the archive and its log, in parts that are not too large.
func (a *Archive) announce(ctx context.Context, log *bundle.Log, e bundle.Erasure) error {
	for files, stay := e.Files, e.Stay; len(files)+len(stay) > 0; {
		n, m := min(len(files), bundle.MaxRecords), min(len(stay), bundle.MaxRecords)
		e.Files, files, e.Stay, stay = files[:n], files[n:], stay[:m], stay[m:]
		name, text, err := e.Encode()
		if err != nil {
			return fmt.Errorf("write erasure: %w", err)
		}
		record, err := a.write(ctx, bundle.OfErasure, name, text, e.At, e.At)
		if err == nil {
			err = a.append(ctx, log, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// goingOn tells of the chains of what is due which ones go on, by their first runs.
func (a *Archive) goingOn(ctx context.Context, all []Stay, at time.Time) (map[string]bool, error) {
	due := map[string]bool{} // workflow ids
	for _, s := range all {
		due[s.Workflow] = due[s.Workflow] || s.Workflow != "" && s.Due(at)
	}
	goesOn := map[string]bool{}
	if !slices.Contains(slices.Collect(maps.Values(due)), true) {
		return goesOn, nil
	}
	running, err := a.Exporter.Source.List(ctx, "ExecutionStatus = 'Running'")
	if err != nil {
		return nil, err
	}
	for _, run := range running {
		if !due[run.Workflow] {
			continue
		}
		h, err := a.Exporter.Source.History(ctx, run.Workflow, run.Run)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		goesOn[h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetFirstExecutionRunId()] = true
	}
	return goesOn, nil
}

// A taken file is one that an erasure is of.
type taken struct {
	bundle.Erased

	at, after time.Time
	revision  string
}

// erasures are what a log says of files that are taken away, until it was written last.
type erasures struct {
	files   map[string]taken // by name; of each the newest word counts
	counted time.Time        // until when the archive has looked at what there is
}

// of is the erasure of a file. It is not over before its announced time: whatever is missing until then was taken by somebody else.
func (e *erasures) of(name string) (t taken, over bool) {
	t, announced := e.files[name]
	return t, announced && !t.after.After(e.counted)
}

func (r *Reader) erasures(ctx context.Context) (*erasures, error) {
	if r.said != nil {
		return r.said, nil
	}
	said := &erasures{files: map[string]taken{}}
	for _, rec := range r.Log.Records() {
		if (rec.Kind == bundle.OfCensus || rec.Kind == bundle.OfErasure) && rec.Until.After(said.counted) {
			said.counted = rec.Until
		}
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
			said.files[f.Name] = taken{f, e.At, e.After, e.Revision}
		}
		for _, name := range e.Stay {
			delete(said.files, name)
		}
	}
	r.said = said
	return said, nil
}

// Erased tells how many bundles are taken away, and when the newest of them had ended.
func (r *Reader) Erased(ctx context.Context) (bundles int, newest time.Time, err error) {
	there, err := r.present(ctx, bundle.BundlesFolder)
	if err != nil {
		return 0, newest, err
	}
	said, err := r.erasures(ctx)
	if err != nil {
		return 0, newest, err
	}
	for name := range said.files {
		_, over := said.of(name)
		if rec := r.Log.Named(name); over && rec != nil && rec.Kind == bundle.OfBundle && !there[name] {
			if bundles++; rec.Until.After(newest) {
				newest = rec.Until
			}
		}
	}
	return bundles, newest, nil
}

// WhyErased says why something that had an ID, such as INC-7K3M9QX2PA, is not there any more; nil where nothing of that ID was erased.
func (r *Reader) WhyErased(ctx context.Context, id string) error {
	said, err := r.erasures(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(said.files)) {
		if t, over := said.of(name); over && strings.Contains(name, "-"+id+".") {
			return fmt.Errorf("%s: %w", id, t.why())
		}
	}
	return nil
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
