package period_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// written is a report as a file holds it.
func written(t testing.TB, f *period.Facts) *period.Facts {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	again, err := period.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestVerifySaysWhatDiffers(t *testing.T) {
	records := stored(t, states())
	for _, tc := range []struct {
		name   string
		forge  func(f *period.Facts, archive []period.Record) []period.Record
		differ string // all of one line; empty: nothing differs
	}{
		{"nothing", func(_ *period.Facts, a []period.Record) []period.Record { return a }, ""},
		{"another number", func(f *period.Facts, a []period.Record) []period.Record {
			n := slices.IndexFunc(f.Figures, func(x period.Figure) bool { return x.Key == "incidents.opened" && x.Of == "P2" })
			*f.Figures[n].Value = 1
			return a
		}, "figure incidents.opened of P2: written 1, counted 2 from the 2 bundle(s) that it names"},
		{"a bundle less, with its number", func(f *period.Facts, a []period.Record) []period.Record {
			n := slices.IndexFunc(f.Figures, func(x period.Figure) bool { return x.Key == "incidents.opened" && x.Of == "P2" })
			*f.Figures[n].Value, f.Figures[n].Bundles = 1, f.Figures[n].Bundles[:1]
			return a
		}, "figure incidents.opened of P2: written 1, the whole archive says 2; not counted: INC-0000000P2S.bundle"},
		{"another bundle", func(_ *period.Facts, a []period.Record) []period.Record {
			a[0].SHA256 = strings.Repeat("0", 64)
			return a
		}, "bundle ACT-00000000HE.bundle: its SHA-256 is " + strings.Repeat("0", 64) + "; the report was counted from one with " + records[0].SHA256},
		{
			"no bundle", func(_ *period.Facts, a []period.Record) []period.Record { return a[1:] },
			"bundle ACT-00000000HE.bundle: it is not in the archive",
		},
		{"no figure", func(f *period.Facts, a []period.Record) []period.Record {
			f.Figures = f.Figures[1:]
			return a
		}, "figure incidents.opened of P1: it is not in the report; the archive says 1"},
		{"a figure twice", func(f *period.Facts, a []period.Record) []period.Record {
			f.Figures = append(f.Figures, f.Figures[0])
			return a
		}, "figure incidents.opened of P1: it is there twice"},
		{"a figure of nothing", func(f *period.Facts, a []period.Record) []period.Record {
			one := 1.0
			f.Figures = append(f.Figures, period.Figure{Key: "luck", Unit: period.Count, Value: &one, Bundles: []string{}})
			return a
		}, "figure luck: written 1, counted nothing from the 0 bundle(s) that it names"},
		{"another line", func(f *period.Facts, a []period.Record) []period.Record {
			f.Incidents[0].Title = "Nothing happened"
			return a
		}, "list of incidents: it is not what the archive says"},
	} {
		f := compute(t, records, november(""))
		archive := tc.forge(f, slices.Clone(records))
		got, err := period.Verify(written(t, f), archive, time.LoadLocation)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if tc.differ == "" && len(got) > 0 || tc.differ != "" && !slices.Contains(got, tc.differ) {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, strings.Join(got, "\n"), tc.differ)
		}
	}
}

// However one number is changed, exactly that figure is named.
func TestAnyChangedNumberIsFound(t *testing.T) {
	records := stored(t, states())
	f := compute(t, records, november(""))
	rapid.Check(t, func(rt *rapid.T) {
		g := written(t, f)
		x := &g.Figures[rapid.IntRange(0, len(g.Figures)-1).Draw(rt, "figure")]
		v := float64(rapid.IntRange(-3, 1000).Draw(rt, "value"))
		if x.Value != nil && *x.Value == v {
			return
		}
		x.Value = &v
		got, err := period.Verify(g, records, time.LoadLocation)
		if err != nil || len(got) == 0 {
			rt.Fatalf("%s of %q as %v is not found: %v", x.Key, x.Of, v, err)
		}
		for _, d := range got {
			if name := strings.TrimSuffix("figure "+x.Key+" of "+x.Of, " of ") + ": "; !strings.HasPrefix(d, name) {
				rt.Fatalf("%s of %q was changed, and it says %s", x.Key, x.Of, d)
			}
		}
	})
}

func TestReadRefuses(t *testing.T) {
	for content, want := range map[string]string{
		``:                                 "want what muster report period --format json has written",
		`{"form": 2}`:                      "form 2; want 1",
		`{"form": 1, "mood": "good"}`:      `unknown field "mood"`,
		`{"form": 1} {"form": 1}`:          "something follows it",
		`{"form": 1, "figures": "plenty"}`: "want what muster",
	} {
		if _, err := period.Read([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
	}
}

// An incident that went on in another run has two bundles. What the second one has dropped is counted from the first.
func TestARunThatWentOn(t *testing.T) {
	s := tell("INC-0000000000", "x", "shop", "garam", priority.P1, priority.High, at("11-03 02:00")).page(at("11-03 02:00"), "kim").
		told(at("11-03 02:30"))
	first := *s.i
	first.Timeline.Entries = slices.Clone(first.Timeline.Entries)
	s.told(at("11-03 03:00")).move(incident.Resolved, at("11-03 04:00"))
	s.i.Timeline.Trim(3, 1<<20)
	all := map[string]any{"a.bundle": s.i, "b.bundle": &first}
	f := compute(t, stored(t, all), period.Asked{Period: "2026-11", Zone: "UTC"})
	x, _ := f.Figure("updates.sent", "")
	if *x.Value != 2 || !slices.Equal(x.Bundles, []string{"a.bundle", "b.bundle"}) || len(f.Incomplete) > 0 {
		t.Errorf("got %v from %q, incomplete %q", *x.Value, x.Bundles, f.Incomplete)
	}
	if x, _ := f.Figure("incidents.resolved", "P1"); *x.Value != 1 {
		t.Errorf("%v are resolved", *x.Value)
	}
	delete(all, "b.bundle")
	f = compute(t, stored(t, all), period.Asked{Period: "2026-11", Zone: "UTC"})
	if x, _ := f.Figure("updates.sent", ""); *x.Value != 1 || !slices.Equal(f.Incomplete, []string{"a.bundle"}) {
		t.Errorf("without the first: got %v, incomplete %q", *x.Value, f.Incomplete)
	}
	// A checkpoint of a run that went on adds nothing.
	later := *s.i
	later.Timeline.Entries = append(slices.Clone(later.Timeline.Entries), timeline.Entry{Kind: timeline.Noted, At: at("11-03 05:00")})
	all = map[string]any{"a.bundle": &later, "b.bundle": s.i}
	f = compute(t, stored(t, all), period.Asked{Period: "2026-11", Zone: "UTC"})
	if x, _ := f.Figure("incidents.opened", "P1"); *x.Value != 1 || !slices.Equal(x.Bundles, []string{"a.bundle"}) {
		t.Errorf("with a checkpoint: got %v from %q", *x.Value, x.Bundles)
	}
}

// What was decided before an incident became a part of another one is counted once, with the customer that came with it.
func TestPromisesThatCameWithAMergedIncident(t *testing.T) {
	part := tell("INC-0000000001", "x", "payments", "acme", priority.P2, priority.High, at("11-03 02:00")).
		promise(supportplan.Respond, 15*time.Minute, at("11-03 02:10")).promise(supportplan.Mitigate, 15*time.Minute, at("11-03 02:25")).
		move(incident.Merged, at("11-03 02:30"))
	part.i.MergedInto = &incident.Merging{ID: "INC-0000000000", Taken: at("11-03 02:30")}
	into := tell("INC-0000000000", "x", "shop", "garam", priority.P1, priority.High, at("11-03 01:50")).
		promise(supportplan.Respond, 15*time.Minute, at("11-03 02:00"))
	into.i.Definition.Customers = append(into.i.Definition.Customers, part.i.Definition.Customers...)
	into.i.Clocks = append(into.i.Clocks, part.i.Clocks...)
	all := map[string]any{"part.bundle": part.i, "into.bundle": into.i}
	for customer, want := range map[string]string{"": "2 1", "acme": "1 1", "garam": "1 0"} {
		f := compute(t, stored(t, all), period.Asked{Period: "2026-11", Zone: "UTC", Customer: customer})
		if got := shown(f.Figure("clocks.met", "respond")) + " " + shown(f.Figure("clocks.missed", "mitigate")); got != want {
			t.Errorf("for %q: got %s, want %s", customer, got, want)
		}
	}
}

func TestComputeRefuses(t *testing.T) {
	for _, tc := range []struct {
		asked period.Asked
		want  string
	}{
		{period.Asked{Period: "2026-11", Zone: "Mars/Olympus"}, `zone "Mars/Olympus": want an IANA name`},
		{period.Asked{Period: "soon", Zone: "UTC"}, `period "soon"`},
		{period.Asked{Period: "2026-12", Zone: "UTC", Until: at("11-26 10:00")}, "want one that has begun"},
	} {
		if _, err := period.Compute(nil, tc.asked, time.LoadLocation); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.asked, err, tc.want)
		}
	}
}

// In the middle of a month nothing is counted that is still to come.
func TestAnInterimReport(t *testing.T) {
	a := november("")
	a.Until = at("11-10 00:00")
	f := compute(t, stored(t, states()), a)
	for _, tc := range []struct{ key, of, want string }{
		{"incidents.opened", "P2", "1"},
		{"incidents.opened", "P4", "0"},
		{"changes", "upgrade", "0"},
		{"visits.year", "garam", "5"},
		{"reviews.open", "", "2"},
		{"availability", "garam/shop/2026-11", "99.3287"}, // 87 of 12,960 minutes
	} {
		if got := shown(f.Figure(tc.key, tc.of)); got != tc.want {
			t.Errorf("%s of %q: got %s, want %s", tc.key, tc.of, got, tc.want)
		}
	}
	if !f.Interim() {
		t.Error("it says that the month is over")
	}
}
