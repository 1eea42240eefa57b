package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/internal/bundle"
	"muster/internal/encryption"
	"muster/internal/retention"
)

// Files are those of an archive, by names such as bundles/2026/11/incident-INC-7K3M9QX2PA.…tar. Each is written once.
type Files interface {
	// List names all files below a folder, by their names in it.
	List(ctx context.Context, folder string) ([]string, error)
	// Get reads a file of at most so many bytes. Where there is none, its error is fs.ErrNotExist.
	Get(ctx context.Context, name string, most int64) ([]byte, error)
	// Create writes a file whole, or not at all. Where there is one of that name, its error is fs.ErrExist.
	Create(ctx context.Context, name string, content []byte) error
}

// An Archive keeps what Temporal drops after a while. One process at a time writes to it. Its fields must be set.
type Archive struct {
	Files    Store
	Keys     bundle.Keys   // public ones, of its log
	Private  string        // by which its log is signed
	Exporter *Exporter     // with Earlier of this archive
	Margin   time.Duration // of a run that cannot be kept, somebody is told so long before Temporal may drop it
	Settle   time.Duration // for which lists may lag: what has ended since is for the next pass
	Tell     func(Warning)
	Memory   Memory
	Payloads encryption.Keys                // by which bundles that are encrypted are read; nil: none are
	Newest   func() (encryption.Key, error) // with which bundles are encrypted; nil: they are not

	// Retention says how long records stay. Where it is nil, they stay for ever.
	Retention func() (retention.Policy, error)
	NotErased func(error) // is told what of them could not be erased

	looked time.Time               // for what need not stay
	facts  map[string]bundle.Facts // of what may be due, by the name of the file: it never changes
}

// A Store is files of which some are taken away.
type Store interface {
	Files
	// Remove takes a file away. Where there is none, that is no error.
	Remove(ctx context.Context, name string) error
}

// A Memory keeps the newest checkpoint of the log where the owner of the archive does not get at it: a log that was rolled back, or made
// anew, is not gone on with.
type Memory interface {
	Load() ([]byte, error) // empty when there is none
	Save(checkpoint []byte) error
}

// A Warning is that runs may be dropped before they are archived.
type Warning struct {
	Run  bundle.Counted // the first of them
	Left time.Duration  // until Temporal may drop it
}

// Of one pass at most so much is kept, so that it ends while somebody waits; the next one goes on.
const mostKept = 200

// longest is after how long a pass leaves the rest to the next one.
const longest = 10 * time.Minute

// late is for how long a list may show a run too late.
const late = 3 * 24 * time.Hour

// checkpointEvery is how often a run that does not end is kept as it stands.
const checkpointEvery = 7 * 24 * time.Hour

// A Pass is what one pass over the runs that have ended has done.
type Pass struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Kept    int       `json:"kept"`    // bundles
	Logged  int       `json:"logged"`  // entries of the log
	Missing int       `json:"missing"` // runs of which there is no bundle
	More    bool      `json:"more"`    // to be done at once
}

// Pass keeps the runs that had ended at an instant and are not in the archive, with those that run for long, and takes a census when all
// are. Whatever was cut off before is made whole: a bundle that stands there without an entry gets one.
func (a *Archive) Pass(ctx context.Context, at time.Time) (Pass, error) {
	began := time.Now()
	log, err := a.open(ctx, at)
	if err != nil {
		return Pass{}, err
	}
	last, err := a.lastCensus(ctx, log)
	if err != nil {
		return Pass{}, err
	}
	retention, err := a.Exporter.Source.Retention(ctx)
	if err != nil {
		return Pass{}, err
	}
	p := Pass{From: last.Until, Until: at.Add(-a.Settle)}
	if ahead := p.From.Sub(p.Until); ahead > time.Hour {
		return p, fmt.Errorf("the newest census is of %s, which is to come: want the clock that it was taken by, or wait", p.From.UTC().Format(time.RFC3339))
	} else if ahead >= 0 {
		return p, nil
	}
	ended, err := a.ended(ctx, p.From.Add(-min(late, retention)), p.Until)
	if err != nil {
		return p, err
	}
	census, kept := bundle.Census{From: p.From, Until: p.Until}, archived(log)
	records, err := a.spooled(ctx, log)
	if err != nil {
		return p, err
	}
	seen := map[string]bool{}
	for _, run := range slices.Concat(last.Missing, ended) {
		if seen[run.Run] || kept.counted[run.Run] {
			continue
		}
		seen[run.Run] = true
		run.Bundle, run.Detail = kept.ended[run.Run], ""
		if run.Bundle != "" { // by a pass that was cut off, or that had more to do
			census.Runs = append(census.Runs, run)
			continue
		}
		if p.Kept+len(census.Missing)-len(last.Missing) >= mostKept || time.Since(began) > longest {
			p.More = true
			break
		}
		record, err := a.keep(ctx, run, "", at)
		switch {
		case ctx.Err() != nil:
			return p, ctx.Err()
		case err != nil:
			run.Bundle, run.Detail = "", clipped(err.Error())
			census.Missing = append(census.Missing, run)
		default:
			run.Bundle = record.Name
			census.Runs, records = append(census.Runs, run), append(records, record)
			p.Kept++
		}
	}
	if !p.More {
		long, more, err := a.checkpoints(ctx, kept, at, mostKept-p.Kept)
		if err != nil {
			return p, err
		}
		records, p.Kept, p.More = append(records, long...), p.Kept+len(long), more
	}
	p.Missing = len(census.Missing)
	a.warn(census.Missing, at, retention)
	if !p.More && (len(census.Runs)+len(census.Missing) > 0 || p.Until.Sub(p.From) > 24*time.Hour) {
		record, err := a.count(ctx, census)
		if err != nil {
			return p, err
		}
		records = append(records, record)
	}
	p.Logged = len(records)
	if err := a.append(ctx, log, records...); err != nil {
		return p, err
	}
	return p, a.tidy(ctx, log, at)
}

// warn tells of the run that will be dropped first. What is lost already was told of before.
func (a *Archive) warn(missing []bundle.Counted, at time.Time, retention time.Duration) {
	w := Warning{Left: a.Margin}
	for _, run := range missing {
		if left := run.Closed.Add(retention).Sub(at); left >= 0 && left < w.Left {
			w = Warning{run, left}
		}
	}
	if w.Left < a.Margin {
		a.Tell(w)
	}
}

// clipped bounds what a census repeats.
func clipped(detail string) string {
	const most = 500
	if r := []rune(detail); len(r) > most {
		return string(r[:most]) + "…"
	}
	return detail
}

// open reads the log, and asks that it goes on from where this process knows it. Where nobody has begun one, and there is nothing that one
// was about, it begins one with an empty census: so bundles without a log are those of a log that somebody has removed.
func (a *Archive) open(ctx context.Context, at time.Time) (*bundle.Log, error) {
	known, err := a.Memory.Load()
	if err != nil {
		return nil, fmt.Errorf("read the last checkpoint of the archive: %w", err)
	}
	log, err := bundle.Open(ctx, a.logFiles(), a.Keys)
	if errors.Is(err, bundle.ErrNoLog) && len(known) == 0 {
		return a.begin(ctx, at)
	}
	if err != nil || len(known) == 0 {
		return log, err
	}
	old, err := a.Keys.Checkpoint("of the last pass", known)
	if err != nil {
		return nil, err
	}
	return log, log.Continues("of the last pass", old)
}

func (a *Archive) begin(ctx context.Context, at time.Time) (*bundle.Log, error) {
	names, err := a.Files.List(ctx, bundle.BundlesFolder)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("begin the log of the archive: %d bundle(s) are there already, and no log: want the log that they are in, or an empty archive", len(names))
	}
	retention, err := a.Exporter.Source.Retention(ctx)
	if err != nil {
		return nil, err
	}
	from := at.Add(-a.Settle - retention)
	log := bundle.New(a.Keys)
	record, err := a.count(ctx, bundle.Census{From: from, Until: from})
	if err != nil {
		return nil, err
	}
	return log, a.append(ctx, log, record)
}

// append writes records to the log, and remembers what it has come to.
func (a *Archive) append(ctx context.Context, log *bundle.Log, records ...bundle.Record) error {
	for chunk := range slices.Chunk(records, bundle.MaxRecords) {
		c, err := log.Append(ctx, a.logFiles(), a.Private, chunk...)
		if err != nil {
			return err
		}
		if err := a.Memory.Save([]byte(c.Text)); err != nil {
			return fmt.Errorf("keep the checkpoint of the archive: %w", err)
		}
	}
	return nil
}

func (a *Archive) logFiles() bundle.Store { return logFiles{a.Files} }

// logFiles are the files of the log.
type logFiles struct{ Files }

func (l logFiles) List(ctx context.Context) ([]string, error) {
	return l.Files.List(ctx, bundle.LogFolder)
}

func (l logFiles) Get(ctx context.Context, name string) ([]byte, error) {
	return l.Files.Get(ctx, path.Join(bundle.LogFolder, name), bundle.MaxLogFile)
}

func (l logFiles) Create(ctx context.Context, name string, content []byte) error {
	return l.Files.Create(ctx, path.Join(bundle.LogFolder, name), content)
}

// maxOther bounds censuses and what others leave in the archive.
const maxOther = 64 << 20

func (a *Archive) lastCensus(ctx context.Context, log *bundle.Log) (c bundle.Census, err error) {
	all := log.Records()
	for n := len(all) - 1; n >= 0; n-- {
		if all[n].Kind != bundle.OfCensus {
			continue
		}
		r := Reader{Files: a.Files, Log: log}
		return r.census(ctx, all[n].Name)
	}
	return c, nil
}

// ended lists the runs that have ended in an interval.
func (a *Archive) ended(ctx context.Context, from, until time.Time) ([]bundle.Counted, error) {
	instant := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	return a.Exporter.Source.List(ctx, fmt.Sprintf("CloseTime >= '%s' AND CloseTime < '%s'", instant(from), instant(until)))
}

const runningFolder = bundle.BundlesFolder + "/running/"

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameOf names the file of a run: one that still runs by the day too, for it is kept more than once.
func nameOf(run bundle.Counted, id, day string) string {
	const most = 60
	clean := func(text string) string {
		text = strings.Trim(notInNames.ReplaceAllString(text, "-"), "-")
		return text[:min(len(text), most)]
	}
	name := fmt.Sprintf("%s-%s.%s", cmp.Or(clean(strings.ToLower(run.Kind)), "run"), clean(cmp.Or(id, run.Workflow)), clean(run.Run))
	if day != "" {
		return fmt.Sprintf("%s%s.%s.tar", runningFolder, name, day)
	}
	return fmt.Sprintf("%s/%s/%s.tar", bundle.BundlesFolder, run.Closed.UTC().Format("2006/01"), name)
}

// An index tells which runs are in the archive.
type index struct {
	ended   map[string]string // run → bundle
	counted map[string]bool   // runs that were archived before the newest census, which is of them or of those before it
	running map[string]string // run → day of its newest checkpoint
}

func archived(log *bundle.Log) index {
	kept := index{map[string]string{}, map[string]bool{}, map[string]string{}}
	all := log.Records()
	newest := len(all) - 1
	for newest >= 0 && all[newest].Kind != bundle.OfCensus {
		newest--
	}
	for n, r := range all {
		parts := strings.Split(path.Base(r.Name), ".") // who, run, and of one that still ran the day
		switch {
		case r.Kind != bundle.OfBundle || len(parts) < 3:
		case strings.HasPrefix(r.Name, runningFolder):
			kept.running[parts[1]] = max(kept.running[parts[1]], parts[2])
		default:
			kept.ended[parts[1]], kept.counted[parts[1]] = r.Name, n < newest
		}
	}
	return kept
}

// keep makes the bundle of a run and writes it into the archive. Whatever is wrong with one run must keep no other from being kept.
func (a *Archive) keep(ctx context.Context, run bundle.Counted, day string, at time.Time) (record bundle.Record, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			record, err = bundle.Record{}, fmt.Errorf("export run %s of %s: %v", run.Run, run.Workflow, fault)
		}
	}()
	b, err := a.Exporter.Bundle(ctx, run.Workflow, run.Run)
	if err != nil {
		return bundle.Record{}, err
	}
	if a.Newest != nil {
		k, err := a.Newest()
		if err != nil {
			return bundle.Record{}, err
		}
		if b, err = b.Encrypted(k); err != nil {
			return bundle.Record{}, err
		}
	}
	var content bytes.Buffer
	if err := bundle.Write(&content, b); err != nil {
		return bundle.Record{}, err
	}
	until := b.Closed
	if until.IsZero() {
		until = at
	}
	if until.Before(b.Started) { // by another clock
		until = b.Started
	}
	return a.write(ctx, bundle.OfBundle, nameOf(run, b.ID, day), content.Bytes(), b.Started, until)
}

// write writes a file into the archive. One that is there already, of a pass that was cut off, must be the same.
func (a *Archive) write(ctx context.Context, kind bundle.RecordKind, name string, content []byte, from, until time.Time) (bundle.Record, error) {
	err := a.Files.Create(ctx, name, content)
	if errors.Is(err, fs.ErrExist) {
		before, err := a.Files.Get(ctx, name, bundle.MaxSize)
		if err != nil {
			return bundle.Record{}, err
		}
		return bundle.Of(kind, name, before, from, until), a.verified(name, before, content, kind)
	}
	return bundle.Of(kind, name, content, from, until), err
}

// verified tells whether what stands under a name may be taken for what was to be written there. Another version of this program may have
// written the reports of a bundle otherwise, a run that goes on may have gone on, and another key may encrypt now; its histories, and who
// it is, are the same.
func (a *Archive) verified(name string, before, content []byte, kind bundle.RecordKind) error {
	if bytes.Equal(before, content) {
		return nil
	}
	if kind == bundle.OfBundle {
		was, err := a.decrypted(name, before)
		if err != nil {
			return err
		}
		is, err := a.decrypted(name, content)
		if err == nil && was.FirstRun == is.FirstRun && (strings.HasPrefix(name, runningFolder) || bytes.Equal(was.Parts[bundle.HistoriesPart], is.Parts[bundle.HistoriesPart])) {
			return nil
		}
	}
	return fmt.Errorf("write %s: there is another file of that name, with other content, that is not in the log", name)
}

func (a *Archive) decrypted(name string, content []byte) (*bundle.Bundle, error) {
	b, err := bundle.Read(name, content)
	if err != nil {
		return nil, err
	}
	return b.Decrypted(name, a.Payloads)
}

// count writes a census.
func (a *Archive) count(ctx context.Context, c bundle.Census) (bundle.Record, error) {
	name, text, err := c.Encode()
	if err != nil {
		return bundle.Record{}, fmt.Errorf("write census: %w", err)
	}
	return a.write(ctx, bundle.OfCensus, name, text, c.From, c.Until)
}

// checkpoints keeps runs that go on for long as they stand, at most so many.
func (a *Archive) checkpoints(ctx context.Context, kept index, at time.Time, most int) (records []bundle.Record, more bool, err error) {
	before := at.Add(-checkpointEvery)
	running, err := a.Exporter.Source.List(ctx, fmt.Sprintf("ExecutionStatus = 'Running' AND StartTime < '%s'", before.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		return nil, false, err
	}
	const layout = "20060102"
	for _, run := range running {
		if kept.running[run.Run] > before.UTC().Format(layout) {
			continue
		}
		if len(records) >= most {
			return records, true, nil
		}
		record, err := a.keep(ctx, run, at.UTC().Format(layout), at)
		if err != nil { // it goes on, and the next pass tries again
			continue
		}
		records = append(records, record)
	}
	return records, false, nil
}

// spooled are the records of what others have left in the archive: versions of the organisation, refused attempts.
func (a *Archive) spooled(ctx context.Context, log *bundle.Log) (records []bundle.Record, err error) {
	for folder, kind := range map[string]bundle.RecordKind{
		bundle.OrganisationsFolder: bundle.OfOrganisation, bundle.RefusalsFolder: bundle.OfRefusals,
	} {
		names, err := a.Files.List(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			name = path.Join(folder, name)
			if log.Named(name) != nil || !bundle.Recordable(name) {
				continue
			}
			content, err := a.Files.Get(ctx, name, maxOther)
			if err != nil {
				return nil, err
			}
			from, until := spans(name)
			records = append(records, bundle.Of(kind, name, content, from, until))
		}
	}
	slices.SortFunc(records, func(a, b bundle.Record) int { return strings.Compare(a.Name, b.Name) })
	return records, nil
}

// Earlier finds the bundle that holds an earlier run of a chain, for an Exporter.
func (a *Archive) Earlier(ctx context.Context, run string) (*bundle.Bundle, error) {
	log, err := bundle.Open(ctx, a.logFiles(), a.Keys)
	if err != nil {
		return nil, err
	}
	name := archived(log).ended[run]
	if name == "" {
		return nil, nil
	}
	r := Reader{Files: a.Files, Log: log, Payloads: a.Payloads}
	b, err := r.InClear(ctx, name)
	if errors.Is(err, ErrErased) {
		return nil, nil
	}
	return b, err
}

// spans reads which instants a file covers from its name, such as refusals/20261126T000000Z_20261127T000000Z.abc-1-9.json, or of which
// instant it is, such as organisations/20261126T000000Z.abc.json. One that says none covers none.
func spans(name string) (from, until time.Time) {
	const layout = "20060102T150405Z"
	of, _, _ := strings.Cut(path.Base(name), ".")
	first, second, _ := strings.Cut(of, "_")
	from, err := time.Parse(layout, first)
	if err != nil {
		return time.Time{}, time.Time{}
	}
	if until, err = time.Parse(layout, second); err != nil || until.Before(from) {
		until = from
	}
	return from, until
}
