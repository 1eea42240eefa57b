package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/timeline"
)

// files is an archive in memory. Writes fail when left is used up: the process that wrote was killed then.
type files struct {
	all   map[string][]byte
	left  int
	stuck string // what is part of the names of files that nobody removes
}

var errKilled = errors.New("killed")

func (f *files) List(_ context.Context, folder string) (names []string, err error) {
	for name := range f.all {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			names = append(names, rest)
		}
	}
	return names, nil
}

func (f *files) Get(_ context.Context, name string, _ int64) ([]byte, error) {
	content, there := f.all[name]
	if !there {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(content), nil
}

func (f *files) Create(_ context.Context, name string, content []byte) error {
	if f.left == 0 {
		return errKilled
	}
	f.left--
	if _, there := f.all[name]; there {
		return fs.ErrExist
	}
	f.all[name] = bytes.Clone(content)
	return nil
}

func (f *files) Remove(_ context.Context, name string) error {
	if f.stuck != "" && strings.Contains(name, f.stuck) {
		return errors.New("it is locked")
	}
	if f.left == 0 {
		return errKilled
	}
	f.left--
	delete(f.all, name)
	return nil
}

// engine has recorded runs, some of which it has dropped, and one that cannot be read.
type engine struct {
	runs    []bundle.Counted
	byRun   map[string]*historypb.History
	dropped map[string]bool
	broken  string
	running []bundle.Counted
}

func (*engine) Retention(context.Context) (time.Duration, error) { return 72 * time.Hour, nil }

func (e *engine) List(_ context.Context, query string) (found []bundle.Counted, err error) {
	var from, until string
	if n, _ := fmt.Sscanf(strings.ReplaceAll(query, "'", ""), "CloseTime >= %s AND CloseTime < %s", &from, &until); n != 2 {
		if strings.Contains(query, "StartTime") {
			return nil, nil // none for long
		}
		return e.running, nil
	}
	after, _ := time.Parse(time.RFC3339Nano, from)
	before, _ := time.Parse(time.RFC3339Nano, until)
	for _, r := range e.runs {
		if !r.Closed.Before(after) && r.Closed.Before(before) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (e *engine) History(_ context.Context, _, run string) (*historypb.History, error) {
	switch {
	case e.dropped[run] || e.byRun[run] == nil:
		return nil, fmt.Errorf("run %s: %w", run, audit.ErrGone)
	case e.broken == run:
		return nil, errors.New("history node is unreadable")
	}
	return proto.CloneOf(e.byRun[run]), nil
}

// recorded is an engine that has run some of the recorded histories, which ended one an hour.
func recorded(t *testing.T, names ...string) *engine {
	t.Helper()
	e := &engine{byRun: map[string]*historypb.History{}, dropped: map[string]bool{}}
	for _, name := range names {
		found, err := filepath.Glob("../../workflows/testdata/histories/unreleased/" + name + ".json")
		if err != nil || len(found) != 1 {
			t.Fatalf("history %s: %v, %v", name, found, err)
		}
		f, err := os.Open(found[0])
		if err != nil {
			t.Fatal(err)
		}
		runs, err := audit.Decode(f)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		for _, h := range runs {
			start := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
			run := start.GetOriginalExecutionRunId()
			e.byRun[run] = h
			e.runs = append(e.runs, bundle.Counted{
				Workflow: start.GetWorkflowId(), Run: run, Kind: start.GetWorkflowType().GetName(), Closed: began.Add(time.Duration(len(e.runs)) * time.Hour),
			})
		}
	}
	return e
}

var began = time.Date(2026, 11, 26, 0, 30, 0, 0, time.UTC)

// vault is an archive that is filled from an engine.
type vault struct {
	*audit.Archive

	t       testing.TB
	engine  *engine
	files   *files
	shelf   shelf // of the reports that the recorded runs have written
	told    []audit.Warning
	memory  memory
	remarks []string
}

// memory keeps a checkpoint.
type memory struct{ text []byte }

func (m *memory) Load() ([]byte, error) { return m.text, nil }

func (m *memory) Save(text []byte) error {
	m.text = text
	return nil
}

func newVault(t testing.TB, e *engine) *vault {
	t.Helper()
	private, public, err := bundle.NewKey("archive.test")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bundle.ParseKeys("archive.test.pub", []byte(public))
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{t: t, engine: e, files: &files{all: map[string][]byte{}, left: -1}, shelf: shelved(t, e, shelf{})}
	v.Archive = &audit.Archive{
		Files: v.files, Keys: keys, Private: private, Margin: 24 * time.Hour, Tell: func(w audit.Warning) { v.told = append(v.told, w) },
		Exporter: &audit.Exporter{
			Source: e, Keys: func() []byte { return []byte(`{"keys":[]}`) },
			Document: v.shelf.Get,
			Remark:   func(run string, err error) { v.remarks = append(v.remarks, fmt.Sprintf("%s: %v", run, err)) },
			Reports: func(kind string, _ json.RawMessage, told []timeline.Entry, at time.Time) (map[string][]byte, error) {
				return map[string][]byte{"report.en.md": fmt.Appendf(nil, "%s: %d entries until %s\n", kind, len(told), at)}, nil
			},
		},
	}
	v.Exporter.Earlier, v.Archive.Memory = v.Archive.Earlier, &v.memory
	return v
}

func (v *vault) pass(at time.Time) (audit.Pass, error) {
	return v.Pass(v.t.Context(), at)
}

// proven reads the archive as somebody else does, and returns which runs its bundles are of.
func (v *vault) proven() (runs []string, log *bundle.Log, censuses []bundle.Census) {
	v.t.Helper()
	store := logOf{v.files}
	log, err := bundle.Open(v.t.Context(), store, v.Keys)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, r := range log.Records() {
		p, err := bundle.Verify(r.Name, v.files.all[r.Name], log)
		if err != nil {
			v.t.Fatal(err)
		}
		switch r.Kind {
		case bundle.OfBundle:
			runs = append(runs, p.Bundle.Runs[len(p.Bundle.Runs)-1])
		case bundle.OfCensus:
			c, err := bundle.DecodeCensus(r.Name, v.files.all[r.Name])
			if err != nil {
				v.t.Fatal(err)
			}
			censuses = append(censuses, c)
		}
	}
	return runs, log, censuses
}

func (v *vault) reader() *audit.Reader {
	v.t.Helper()
	r, err := audit.OpenArchive(v.t.Context(), v.files, v.Keys)
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

type logOf struct{ *files }

func (l logOf) List(ctx context.Context) ([]string, error) {
	return l.files.List(ctx, bundle.LogFolder)
}

func (l logOf) Get(ctx context.Context, name string) ([]byte, error) {
	return l.files.Get(ctx, bundle.LogFolder+"/"+name, bundle.MaxLogFile)
}

func (l logOf) Create(ctx context.Context, name string, content []byte) error {
	return l.files.Create(ctx, bundle.LogFolder+"/"+name, content)
}

func TestWhatEndsIsKeptOnceAndCounted(t *testing.T) {
	v := newVault(t, recorded(t, "incident-happy", "upgrade-happy", "action"))
	for hour := range 5 {
		if _, err := v.pass(began.Add(time.Duration(hour)*time.Hour + time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	runs, log, censuses := v.proven()
	if len(runs) != 3 {
		t.Fatalf("kept are %v, want three runs, each once", runs)
	}
	if gaps := log.Gaps(censuses); len(gaps) > 0 || len(censuses) != 4 {
		t.Errorf("%d censuses, gaps %+v", len(censuses), gaps)
	}
	seen := 0
	for name, content := range v.files.all {
		if strings.Contains(name, "incident-INC-") {
			seen++
			b, err := bundle.Read(name, content)
			if err != nil {
				t.Fatal(err)
			}
			if b.Priority != "P1" || !slices.Equal(b.Customers, []string{"acme"}) || !slices.Contains(b.Services, "shop") || !slices.Contains(b.People, "bob") || b.Outcome != "closed" {
				t.Errorf("its facts are %+v", b.Facts)
			}
			for _, part := range []string{"definitions/definition.json", "reports/report.en.md"} {
				if len(b.Parts[part]) == 0 {
					t.Errorf("part %s is empty", part)
				}
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d bundles are of the incident", seen)
	}
}

// However often the process that writes is killed, the next one makes it whole: nothing is lost, nothing is there twice.
func TestAnArchiveThatIsCutOffIsMadeWhole(t *testing.T) {
	e := recorded(t, "usage", "action", "escalation", "handover")
	rapid.Check(t, func(t *rapid.T) {
		v := newVault(&quietTB{t: t}, e)
		at := began
		for range rapid.IntRange(1, 12).Draw(t, "passes") {
			at = at.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
			v.files.left = rapid.IntRange(0, 6).Draw(t, "writes before it is killed")
			if _, err := v.pass(at); err != nil && !errors.Is(err, errKilled) {
				t.Fatalf("pass at %s: %v", at, err)
			}
		}
		v.files.left = -1
		if _, err := v.pass(began.Add(48 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		runs, log, censuses := v.proven()
		want := slices.Sorted(maps.Keys(e.byRun))
		if got := slices.Sorted(slices.Values(runs)); !slices.Equal(got, want) {
			t.Fatalf("kept are\n%v, want\n%v", got, want)
		}
		if gaps := log.Gaps(censuses); len(gaps) > 0 {
			t.Fatalf("gaps: %+v", gaps)
		}
		if c, err := v.reader().Completeness(t.Context()); err != nil || !c.Whole() {
			t.Fatalf("it is not whole: %+v, %v", c, err)
		}
	})
}

// quietTB lends the test of a property what a vault needs.
type quietTB struct {
	testing.TB
	t *rapid.T
}

func (q *quietTB) Helper()                           {}
func (q *quietTB) Context() context.Context          { return q.t.Context() }
func (q *quietTB) Fatal(args ...any)                 { q.t.Fatal(args...) }
func (q *quietTB) Fatalf(format string, args ...any) { q.t.Fatalf(format, args...) }

// The runs of a chain end one after the other, and Temporal drops each after its own retention.
func TestAChainIsWholeAlthoughItsFirstRunWasDropped(t *testing.T) {
	e := recorded(t, "incident-continued")
	if len(e.runs) < 2 {
		t.Fatal("want a chain")
	}
	v := newVault(t, e)
	for n, r := range e.runs {
		if _, err := v.pass(r.Closed.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			e.dropped[r.Run] = true
		}
	}
	last, found := e.runs[len(e.runs)-1], 0
	for name, content := range v.files.all {
		if !strings.Contains(name, last.Run) {
			continue
		}
		found++
		b, err := bundle.Read(name, content)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := audit.Decode(bytes.NewReader(b.Parts[bundle.HistoriesPart]))
		if err != nil || len(runs) != len(e.runs) || len(b.Runs) != len(e.runs) {
			t.Errorf("it has %d histories, of %v: %v", len(runs), b.Runs, err)
		}
	}
	if found != 1 {
		t.Errorf("%d bundles are of its last run", found)
	}
}

// What cannot be kept is counted as missing, tried again by each pass, and told before Temporal drops it.
// Whose records something is, also where its state does not say it: a legal hold and an export go by that.
func TestWhoseRecordsTheyAre(t *testing.T) {
	v := newVault(t, recorded(t, "environment-lock", "silence", "usage", "action", "handover"))
	if _, err := v.pass(began.Add(10 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	all, err := v.reader().List(t.Context(), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	whose := map[string]string{}
	for _, b := range all {
		whose[b.Kind] = strings.Join(b.Customers, " ")
	}
	for kind, want := range map[string]string{"EnvironmentLock": "globex", "Silence": "globex", "Usage": "globex", "ActionItem": "", "Handover": ""} {
		if got, there := whose[kind]; !there || got != want {
			t.Errorf("%s is of %q (there: %t), want %q", kind, got, there, want)
		}
	}
}

func TestWhatCannotBeKept(t *testing.T) {
	e := recorded(t, "action", "escalation")
	e.broken = e.runs[0].Run
	v := newVault(t, e)
	p, err := v.pass(began.Add(2 * time.Hour))
	if err != nil || p.Missing != 1 || p.Kept != 1 || len(v.told) > 0 {
		t.Fatalf("got %+v, %v, told %v", p, err, v.told)
	}
	if _, err := v.pass(began.Add(50 * time.Hour)); err != nil || len(v.told) != 1 || v.told[0].Run.Run != e.broken {
		t.Fatalf("two days later: %v, told %+v", err, v.told)
	}
	_, log, censuses := v.proven()
	if gaps := log.Gaps(censuses); len(gaps) != 1 || gaps[0].Run.Run != e.broken || !strings.Contains(gaps[0].Run.Detail, "unreadable") {
		t.Errorf("gaps: %+v", gaps)
	}
	e.broken = ""
	if p, err := v.pass(began.Add(51 * time.Hour)); err != nil || p.Missing != 0 || p.Kept != 1 {
		t.Fatalf("when it can be read again: %+v, %v", p, err)
	}
	_, log, censuses = v.proven()
	if gaps := log.Gaps(censuses); len(gaps) > 0 {
		t.Errorf("gaps: %+v", gaps)
	}
}

// The same run gives the same file, whoever writes it and when.
func TestTheSameRunGivesTheSameFile(t *testing.T) {
	e := recorded(t, "incident-reported", "upgrade-rolled-back", "review-published")
	var first map[string][]byte
	for range 3 {
		v := newVault(t, e)
		if _, err := v.pass(began.Add(4 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		bundles := maps.Clone(v.files.all)
		maps.DeleteFunc(bundles, func(name string, _ []byte) bool { return !strings.HasPrefix(name, bundle.BundlesFolder) })
		if first == nil {
			first = bundles
		}
		if !maps.EqualFunc(first, bundles, bytes.Equal) {
			t.Fatal("two archives of the same runs differ")
		}
	}
}

// A pass whose writes do not end fails after the census is written, and is made once more as of the same instant: meanwhile a run can be kept
// that could not. The census of then is a leftover, and the archive is whole.
func TestACensusThatWasCutOffIsTakenAnew(t *testing.T) {
	e := recorded(t, "action", "escalation", "usage")
	v := newVault(t, e)
	if _, err := v.pass(began.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	e.broken = e.runs[1].Run
	v.files.left = 3 // two bundles, the census, and not the log
	at := began.Add(4 * time.Hour)
	if _, err := v.pass(at); !errors.Is(err, errKilled) {
		t.Fatalf("got %v", err)
	}
	e.broken, v.files.left = "", -1
	if _, err := v.pass(at); err != nil {
		t.Fatal(err)
	}
	runs, log, censuses := v.proven()
	c, err := v.reader().Completeness(t.Context())
	if err != nil || !c.Whole() || len(c.Leftover) != 1 || len(runs) != 3 || len(log.Gaps(censuses)) > 0 {
		t.Errorf("got %+v, %v, of %v", c, err, runs)
	}
}

// A list may show a run days late, and a run that could not be kept stands in the list once more: each is kept and counted once.
func TestEachRunIsCountedOnce(t *testing.T) {
	e := recorded(t, "action", "escalation", "usage")
	hidden := e.runs[0]
	e.runs, e.broken = e.runs[1:], e.runs[1].Run
	v := newVault(t, e)
	for n := range 4 {
		if p, err := v.pass(began.Add(3*time.Hour + time.Duration(n)*time.Minute)); err != nil || p.Missing != 1 {
			t.Fatalf("pass %d: %+v, %v", n, p, err)
		}
	}
	e.runs, e.broken = append(e.runs, hidden), ""
	for range 3 {
		if p, err := v.pass(began.Add(40 * time.Hour)); err != nil || p.Missing != 0 {
			t.Fatalf("got %+v, %v", p, err)
		}
	}
	_, log, censuses := v.proven()
	times := map[string]int{}
	for _, c := range censuses {
		for _, r := range c.Runs {
			times[r.Run]++
		}
	}
	if len(log.Gaps(censuses)) > 0 || len(times) != 3 || slices.Max(slices.Collect(maps.Values(times))) > 1 {
		t.Errorf("counted %v, gaps %+v", times, log.Gaps(censuses))
	}
}

// Before the archive was begun, Temporal may have dropped the first runs of a chain: what is left is kept.
func TestAChainWithoutItsFirstRun(t *testing.T) {
	e := recorded(t, "incident-continued")
	e.dropped[e.runs[0].Run] = true
	v := newVault(t, e)
	p, err := v.pass(began.Add(48 * time.Hour))
	if err != nil || p.Missing != 1 || p.Kept != len(e.runs)-1 {
		t.Fatalf("got %+v, %v of %d", p, err, len(e.runs))
	}
	runs, _, _ := v.proven()
	if len(v.remarks) == 0 || !strings.Contains(v.remarks[0], "past its retention, and in no bundle") {
		t.Errorf("nobody hears of it: %v", v.remarks)
	}
	if slices.Contains(runs, e.runs[0].Run) || !slices.Contains(runs, e.runs[len(e.runs)-1].Run) {
		t.Errorf("kept are %v", runs)
	}
}

// Whatever one run does to whoever writes its reports, the others are kept.
func TestARunThatCannotBeWrittenUp(t *testing.T) {
	v := newVault(t, recorded(t, "action", "escalation"))
	v.Exporter.Reports = func(kind string, _ json.RawMessage, _ []timeline.Entry, _ time.Time) (map[string][]byte, error) {
		var none []int
		if kind == "ActionItem" {
			none[len(none)-1]++
		}
		return nil, nil
	}
	p, err := v.pass(began.Add(2 * time.Hour))
	if err != nil || p.Kept != 1 || p.Missing != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Whoever can write to the archive plants no shorter bundle of a run where that of the whole run belongs.
func TestAShorterBundleIsNotTakenForTheRun(t *testing.T) {
	e := recorded(t, "action")
	whole := newVault(t, e)
	if _, err := whole.pass(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	h := e.byRun[e.runs[0].Run]
	short := recorded(t, "action")
	short.byRun[e.runs[0].Run] = &historypb.History{Events: h.GetEvents()[:4]}
	planted := newVault(t, short)
	if _, err := planted.pass(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	v := newVault(t, e)
	if _, err := v.pass(began.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	bundles := func(f *files) (names []string) {
		for name := range f.all {
			if strings.HasPrefix(name, bundle.BundlesFolder) {
				names = append(names, name)
			}
		}
		return names
	}
	found := len(bundles(whole.files)) * len(bundles(planted.files))
	v.files.all[bundles(whole.files)[0]] = planted.files.all[bundles(planted.files)[0]]
	if p, err := v.pass(began.Add(time.Hour)); err != nil || found != 1 || p.Missing != 1 || p.Kept != 0 {
		t.Errorf("got %+v, %v with %d planted, want it missing", p, err, found)
	}
}

// What others leave in the archive comes into the log once; what cannot stand there is left alone.
func TestWhatOthersLeaveComesIntoTheLog(t *testing.T) {
	v := newVault(t, recorded(t))
	v.files.all["refusals/20261126T000000Z_20261126T010000Z.c0ffee-1-2.json"] = []byte("{}")
	v.files.all["organisations/.DS_Store"] = []byte("x")
	for range 2 {
		if _, err := v.pass(began); err != nil {
			t.Fatal(err)
		}
	}
	_, log, _ := v.proven()
	n := slices.IndexFunc(log.Records(), func(r bundle.Record) bool { return r.Kind == bundle.OfRefusals })
	if n < 0 || log.Records()[n].Until.Hour() != 1 {
		t.Errorf("the log has %+v", log.Records())
	}
	if c, err := v.reader().Completeness(t.Context()); err != nil || !slices.Equal(c.Unlogged, []string{"organisations/.DS_Store"}) {
		t.Errorf("got %+v, %v", c, err)
	}
}

// Whoever rolls the log back, or takes it away, does not get it signed anew.
func TestALogThatWasRolledBackIsNotGoneOnWith(t *testing.T) {
	e := recorded(t, "action", "escalation")
	for name, tt := range map[string]struct {
		change func(v *vault)
		want   string
	}{
		"rolled back": {func(v *vault) {
			logs := slices.Sorted(maps.Keys(v.files.all))
			logs = slices.DeleteFunc(logs, func(name string) bool { return !strings.HasPrefix(name, bundle.LogFolder+"/") })
			delete(v.files.all, logs[len(logs)-1])
		}, "it was rolled back"},
		"taken away": {func(v *vault) {
			maps.DeleteFunc(v.files.all, func(name string, _ []byte) bool { return strings.HasPrefix(name, bundle.LogFolder+"/") })
		}, "it holds no log"},
		"taken away, and nobody remembers it": {func(v *vault) {
			maps.DeleteFunc(v.files.all, func(name string, _ []byte) bool { return strings.HasPrefix(name, bundle.LogFolder+"/") })
			v.memory.text = nil
		}, "1 bundle(s) are there already, and no log"},
	} {
		v := newVault(t, e)
		if _, err := v.pass(began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		tt.change(v)
		if _, err := v.pass(began.Add(2 * time.Hour)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// Somebody may have put another file where a bundle belongs, before it was written.
func TestAnotherFileUnderTheNameOfABundle(t *testing.T) {
	e := recorded(t, "action")
	v := newVault(t, e)
	if _, err := v.pass(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for name := range v.files.all {
		if strings.HasPrefix(name, bundle.BundlesFolder) {
			tried++
			forged := newVault(t, e)
			if _, err := forged.pass(began.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			forged.files.all[name] = []byte("something else")
			p, err := forged.pass(began.Add(time.Hour))
			if err != nil || p.Missing != 1 {
				t.Errorf("got %+v, %v, want it missing", p, err)
			}
		}
	}
	if tried != 1 {
		t.Errorf("%d bundles were tried", tried)
	}
}

// An archive is not whole although every file is there, when one is not what it was.
func TestAlteredFilesAreSeen(t *testing.T) {
	v := newVault(t, recorded(t, "handover"))
	v.files.all["refusals/20261126T000000Z_20261126T000000Z.abc-1-1.json"] = []byte("{}\n")
	if _, err := v.pass(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	v.files.all["refusals/20261127T000000Z_20261127T000000Z.abc-2-2.json"] = []byte("{}\n")
	if c, err := v.reader().Completeness(t.Context()); err != nil || !c.Whole() || len(c.Waiting) != 1 {
		t.Fatalf("with a file that waits for the next pass: %+v, %v", c, err)
	}
	whole := maps.Clone(v.files.all)
	for name := range whole {
		if strings.HasPrefix(name, "log/") || strings.Contains(name, "abc-2-2") {
			continue
		}
		v.files.all = maps.Clone(whole)
		v.files.all[name] = append(bytes.Clone(whole[name]), '\n')
		if c, err := v.reader().Completeness(t.Context()); err != nil || c.Whole() || !slices.Equal(c.Altered, []string{name}) {
			t.Errorf("with another byte in %s: %+v, %v", name, c, err)
		}
	}
}
