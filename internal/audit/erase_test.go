package audit_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/retention"
)

const aDay = 24 * time.Hour

// days are a term.
func days(n int) retention.Rule { return retention.Rule{Keep: retention.Term{Days: n}} }

// keeping is a vault of two runs of acme and one of nobody in particular, of which records stay for 90 days.
func keeping(t testing.TB, e *engine) (*vault, *retention.Policy) {
	v := newVault(t, e)
	p := &retention.Policy{Revision: "abc", Default: days(90), Customers: map[string]retention.Rule{"acme": {}}}
	v.Retention = func() (retention.Policy, error) { return *p, nil }
	v.NotErased = func(err error) { v.remarks = append(v.remarks, err.Error()) }
	return v, p
}

// on makes the passes of some days.
func (v *vault) on(days ...int) {
	v.t.Helper()
	for _, d := range days {
		if _, err := v.pass(began.Add(time.Duration(d)*aDay + 12*time.Hour)); err != nil {
			v.t.Fatal(err)
		}
	}
	if len(v.remarks) > 0 {
		v.t.Fatalf("remarks: %v", v.remarks)
	}
}

// kept names what there is of the bundles, by the beginning of their names.
func (v *vault) kept() (kinds []string) {
	for name := range v.files.all {
		if rest, is := strings.CutPrefix(name, "bundles/"); is {
			kind, _, _ := strings.Cut(rest[strings.LastIndex(rest, "/")+1:], "-")
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func (v *vault) want(what string, kinds ...string) {
	v.t.Helper()
	if got := v.kept(); !slices.Equal(got, kinds) {
		v.t.Errorf("%s there are %v, want %v", what, got, kinds)
	}
	c, err := v.reader().Completeness(v.t.Context())
	if err != nil || !c.Whole() || c.Bundles != len(kinds) {
		v.t.Errorf("%s completeness is %+v, %v", what, c, err)
	}
}

func TestWhatNeedNotStayIsErased(t *testing.T) {
	v, _ := keeping(t, recorded(t, "incident-happy", "upgrade-happy", "handover"))
	v.on(0, 89)
	v.want("before it is due", "handover", "incident", "upgrade")
	v.on(92)
	v.want("when it is announced", "handover", "incident", "upgrade")
	v.on(95, 98)
	v.want("within the grace", "handover", "incident", "upgrade")
	v.on(101)
	v.want("after the grace")

	r := v.reader()
	for _, rec := range r.Log.Records() {
		if rec.Kind != bundle.OfBundle {
			continue
		}
		if _, err := r.Bundle(t.Context(), rec.Name); !errors.Is(err, audit.ErrErased) || !strings.Contains(err.Error(), "had to stay for 90d") {
			t.Errorf("%s: %v, want that it was erased, and why", rec.Name, err)
		}
	}
	_, rest, _ := strings.Cut(r.Log.Records()[1].Name, "-")
	id, _, _ := strings.Cut(rest, ".")
	if err := r.WhyErased(t.Context(), id); !errors.Is(err, audit.ErrErased) || !strings.HasPrefix(err.Error(), id+": it was erased after ") {
		t.Errorf("of %s it says %v", id, err)
	}
	if err := r.WhyErased(t.Context(), "INC-0"); err != nil {
		t.Errorf("of another one it says %v", err)
	}
	if all, err := r.List(t.Context(), audit.Filter{}); err != nil || len(all) > 0 {
		t.Errorf("listed are %v, %v", all, err)
	}
	if n, newest, err := r.Erased(t.Context()); err != nil || n != 3 || newest.IsZero() {
		t.Errorf("erased are %d until %s, %v", n, newest, err)
	}
	v.on(102) // what has ended once is not kept again
	v.want("and later")
}

func TestAHoldHolds(t *testing.T) {
	v, p := keeping(t, recorded(t, "incident-happy", "handover"))
	p.Customers["acme"] = retention.Rule{Hold: "dispute 17"}
	v.on(0, 92, 101)
	v.want("while it is held, and what may be about anybody too", "handover", "incident")
	p.Customers["acme"] = retention.Rule{}
	v.on(103)
	p.Customers["acme"] = retention.Rule{Hold: "dispute 18"}
	v.on(115)
	v.want("when it is held once more, after it was announced", "handover", "incident")
	stays, err := v.reader().Stays(t.Context(), *p)
	if err != nil || len(stays) != 2 || stays[0].Hold != "acme: dispute 18" || !stays[0].Announced.IsZero() || stays[0].Due(began.AddDate(9, 0, 0)) {
		t.Errorf("it stays: %+v, %v", stays, err)
	}
	p.Customers["acme"] = days(400)
	v.on(117)
	v.want("when it has another term", "handover", "incident")
	p.Customers["acme"] = retention.Rule{}
	v.on(300)
	v.want("when nothing holds it any more, and the log says so anew", "handover", "incident")
	v.on(306)
	v.want("within the new grace", "handover", "incident")
	v.on(308)
	v.want("after it")
}

// A folder that cannot be read may hold anything.
func TestNothingGoesWithoutAWordOfTheFolder(t *testing.T) {
	v, p := keeping(t, recorded(t, "incident-happy"))
	v.on(0, 92)
	v.Retention = func() (retention.Policy, error) { return *p, errors.New("it has a fault") }
	if _, err := v.pass(began.Add(110 * aDay)); err != nil || len(v.remarks) != 1 || !strings.Contains(v.remarks[0], "it has a fault") {
		t.Fatalf("%v, %v", err, v.remarks)
	}
	v.remarks = nil
	v.want("while it has", "incident")
}

// A file that stays stuck keeps no other from going.
func TestWhatCannotBeRemoved(t *testing.T) {
	v, _ := keeping(t, recorded(t, "incident-happy", "handover", "upgrade-happy"))
	v.files.stuck = "incident"
	v.on(0, 92)
	for _, day := range []int{101, 102} {
		if _, err := v.pass(began.Add(time.Duration(day) * aDay)); err != nil {
			t.Fatal(err)
		}
	}
	if len(v.remarks) != 2 || !strings.Contains(v.remarks[0], "locked") {
		t.Errorf("said was %v, want it once a day", v.remarks)
	}
	v.remarks = nil
	v.want("beside what is stuck", "incident")
}

// Whoever takes a file away that the log says will go is seen until it has gone.
func TestWhatIsStolenAfterItWasAnnounced(t *testing.T) {
	v, p := keeping(t, recorded(t, "incident-happy"))
	v.on(0, 92, 93)
	for name := range v.files.all {
		if strings.HasPrefix(name, "bundles/") {
			delete(v.files.all, name)
		}
	}
	absent := func(what string) {
		t.Helper()
		if c, err := v.reader().Completeness(t.Context()); err != nil || c.Whole() || len(c.Absent) != 1 {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
		if _, err := v.reader().List(t.Context(), audit.Filter{}); err == nil || !strings.Contains(err.Error(), "it was taken away") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	absent("within the grace")
	p.Customers["acme"] = retention.Rule{Hold: "dispute"}
	v.on(94)
	absent("when it is held")
	v.on(110, 111)
	absent("when the announced time is over")
	delete(p.Customers, "acme")
	v.on(120, 130)
	absent("when it would have gone")
}

func TestARunThatGoesOnNeedsWhatItContinues(t *testing.T) {
	v, _ := keeping(t, recorded(t, "handover"))
	v.on(0)
	mine := v.engine.runs[0]
	v.engine.running = []bundle.Counted{mine}
	v.on(92, 101)
	v.want("while it goes on", "handover")
	v.engine.running = nil
	v.on(103, 111)
	v.want("when it has ended")

	v, _ = keeping(t, recorded(t, "handover"))
	v.on(0)
	other := proto.CloneOf(v.engine.byRun[mine.Run])
	other.Events[0].GetWorkflowExecutionStartedEventAttributes().FirstExecutionRunId = "another"
	v.engine.byRun["another"] = other
	v.engine.running = []bundle.Counted{{Workflow: mine.Workflow, Run: "another"}}
	v.on(92, 101)
	v.want("when another run of that name goes on")
}

func TestVersionsOfTheFolderStayWhileTheyAreInUse(t *testing.T) {
	v, _ := keeping(t, recorded(t, "handover"))
	const first, second, refused = "organisations/20261126T000000Z.a.json", "organisations/20270101T000000Z.b.json", "organisations/20261127T000000Z.c.refused.json"
	const attempts, newest = "refusals/20261126T000000Z_20261127T000000Z.abc-1-2.json", "refusals/20261127T000000Z_20261127T000000Z.abc-3-3.json"
	for _, name := range []string{first, second, refused, attempts, newest} {
		v.files.all[name] = []byte("{}\n")
	}
	v.on(0, 92, 101)
	for name, want := range map[string]bool{first: true, second: true, refused: false, attempts: false, newest: true} {
		if _, there := v.files.all[name]; there != want {
			t.Errorf("after 101 days %s is there: %t", name, there)
		}
	}
	v.on(130, 138) // the first one was in use until 1 January
	if _, there := v.files.all[first]; there {
		t.Errorf("%s is there after 138 days", first)
	}
	v.on(1000, 1010)
	if _, there := v.files.all[second]; !there {
		t.Errorf("%s is in use, and erased", second)
	}
}

// Whoever has the key can write any erasure into the log, and one that no term allows is seen.
func TestAnErasureBeforeItsTime(t *testing.T) {
	v, _ := keeping(t, recorded(t, "handover"))
	v.on(0)
	_, log, _ := v.proven()
	n := slices.IndexFunc(log.Records(), func(r bundle.Record) bool { return r.Kind == bundle.OfBundle })
	victim, at := log.Records()[n], began.Add(aDay)
	sound := bundle.Erased{Name: victim.Name, SHA256: victim.SHA256, Keep: "90d", Until: victim.Until.AddDate(0, 0, 90)}
	for name, c := range map[string]struct {
		change func(*bundle.Erased)
		at     time.Time
		after  time.Duration
		hasty  bool
	}{
		"as it should be":        {func(*bundle.Erased) {}, at.AddDate(0, 0, 100), 7 * aDay, false},
		"before the term":        {func(*bundle.Erased) {}, at, 7 * aDay, true},
		"with a shorter term":    {func(e *bundle.Erased) { e.Keep, e.Until = "1d", victim.Until.AddDate(0, 0, 1) }, at.AddDate(0, 0, 100), 7 * aDay, true},
		"with a wrong end":       {func(e *bundle.Erased) { e.Until = victim.Until }, at, 7 * aDay, true},
		"without a grace":        {func(*bundle.Erased) {}, at.AddDate(0, 0, 100), 0, true},
		"of another file":        {func(e *bundle.Erased) { e.SHA256 = strings.Repeat("0", 64) }, at.AddDate(0, 0, 100), 7 * aDay, true},
		"of none that was there": {func(e *bundle.Erased) { e.Name = "bundles/other.tar" }, at.AddDate(0, 0, 100), 7 * aDay, true},
	} {
		all := maps.Clone(v.files.all)
		f := sound
		c.change(&f)
		file, text, err := bundle.Erasure{At: c.at, After: c.at.Add(c.after), Revision: "abc", Files: []bundle.Erased{f}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		v.files.all[file] = text
		mine, err := bundle.Open(t.Context(), logOf{v.files}, v.Keys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mine.Append(t.Context(), logOf{v.files}, v.Private, bundle.Of(bundle.OfErasure, file, text, c.at, c.at)); err != nil {
			t.Fatal(err)
		}
		got, err := v.reader().Completeness(t.Context())
		if err != nil || got.Whole() == c.hasty || len(got.Hasty) > 0 != c.hasty {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		v.files.all = all
	}
}

// However often the process is killed, and whatever the folder says meanwhile: nothing goes before the log has said so for a week, what is
// held when it would go stays, and the archive is whole.
func TestErasingIsCutOff(t *testing.T) {
	e := recorded(t, "incident-happy", "handover", "action")
	rapid.Check(t, func(t *rapid.T) {
		v, p := keeping(&quietTB{t: t}, e)
		v.NotErased = func(error) {}
		said := map[string]time.Time{} // when the log has said of a file that it goes
		at := began.Add(12 * time.Hour)
		for range rapid.IntRange(3, 12).Draw(t, "passes") {
			v.files.left = rapid.SampledFrom([]int{-1, -1, 0, 1, 2, 3, 5}).Draw(t, "writes before it is killed")
			p.Customers["acme"] = rapid.SampledFrom([]retention.Rule{{}, {Hold: "held"}, days(200)}).Draw(t, "rule of acme")
			before := maps.Clone(v.files.all)
			if _, err := v.pass(at); err != nil && !errors.Is(err, errKilled) {
				t.Fatalf("pass at %s: %v", at, err)
			}
			for name := range before {
				if _, there := v.files.all[name]; there {
					continue
				}
				if since, told := said[name]; !told || at.Before(since.Add(7*aDay)) {
					t.Fatalf("%s went at %s, and the log says so since %s", name, at, since)
				}
				if strings.Contains(name, "incident") && p.Customers["acme"].Hold != "" {
					t.Fatalf("%s went while it was held", name)
				}
			}
			if _, ok := v.files.all["log/000000000000.log"]; ok {
				r := v.reader()
				for _, rec := range r.Log.Records() {
					if rec.Kind == bundle.OfErasure {
						announced, err := bundle.DecodeErasure(rec.Name, v.files.all[rec.Name])
						if err != nil {
							t.Fatal(err)
						}
						for _, f := range announced.Files {
							said[f.Name] = announced.At
						}
						for _, name := range announced.Stay {
							delete(said, name)
						}
					}
				}
			}
			at = at.Add(time.Duration(rapid.IntRange(1, 60*24).Draw(t, "hours")) * time.Hour)
		}
		v.files.left = -1
		if _, err := v.pass(at.Add(aDay)); err != nil {
			t.Fatal(err)
		}
		if c, err := v.reader().Completeness(t.Context()); err != nil || !c.Whole() {
			t.Fatalf("it is not whole: %+v, %v", c, err)
		}
	})
}
