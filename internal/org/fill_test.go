package org_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/org"
	"muster/internal/plan"
)

func given(more ...string) map[string]string {
	all := map[string]string{"release": "6.5", "launch": "2026-11-26", "health": "https://shop.example/health"}
	for n := 0; n < len(more); n += 2 {
		all[more[n]] = more[n+1]
	}
	return all
}

func TestAPlanIsFilled(t *testing.T) {
	o := load(t, good(t))
	content := strings.Replace(wholePlan(t), "name: {en: Sizing, ko: 용량 산정}", "name: {en: \"Sizing for {release}\", ko: \"{release} 용량 산정\"}", 1)
	p, before := readPlan(t, content), readPlan(t, content)
	f, err := o.FillPlan(p, given("window-start", "2026-11-26T13:00:00Z", "hosts", " a , b\nc", "urgent", "true"))
	if err != nil {
		t.Fatal(err)
	}
	seoul, _ := time.LoadLocation("Asia/Seoul")
	if diff := cmp.Diff([]org.Value{
		{ID: "release", Type: "text", Text: "6.5"},
		{ID: "launch", Type: "date", Text: "2026-11-26", At: time.Date(2026, 11, 26, 0, 0, 0, 0, seoul)},
		{ID: "window-start", Type: "instant", Text: "2026-11-26T22:00:00+09:00", At: time.Date(2026, 11, 26, 22, 0, 0, 0, seoul)},
		{ID: "hosts", Type: "list", Text: "a, b, c", List: []string{"a", "b", "c"}},
		{ID: "size", Type: "integer", Text: "3", Standard: true},
		{ID: "urgent", Type: "boolean", Text: "true"},
		{ID: "scope", Type: "choice", Text: "minor", Standard: true},
		{ID: "health", Type: "text", Text: "https://shop.example/health"},
	}, f.Values); diff != "" {
		t.Error(diff)
	}
	d := &f.Definition
	if diff := cmp.Diff([]org.Absent{{
		Task: "sizing", Name: plan.Text{En: "Sizing for 6.5", Ko: "6.5 용량 산정"}, When: `parameters.scope == "major" && !environments.pre_production.production`,
	}}, f.Absent); diff != "" {
		t.Error(diff)
	}
	if _, there := d.Task("sizing"); there {
		t.Error("what is not to be done is in the plan")
	}
	if got := task(t, d, "rehearsal").Needs; !slices.Equal(got, []string{"write-plan"}) {
		t.Errorf("needs %v: want what the absent one needed", got)
	}
	goes, bake := task(t, d, "go"), task(t, d, "bake")
	if !slices.Equal(goes.Shows, []string{"rehearsal"}) {
		t.Errorf("shows %v", goes.Shows)
	}
	for _, tc := range [][2]string{
		{d.Name.Ko, "6.5 이전"},
		{task(t, d, "tell").Message.En, "We move to 6.5 on 2026-11-26."},
		{task(t, d, "rehearsal").Evidence[0].What.Ko, "6.5 로그"},
		{bake.Check.HTTP, "https://shop.example/health"},
		{bake.Check.Has, "6.5"},
		{task(t, d, "measure").Check.Query, `sum(rate(errors{job="web"}[5m]))`},
	} {
		if tc[0] != tc[1] {
			t.Errorf("got %q, want %q", tc[0], tc[1])
		}
	}
	if diff := cmp.Diff(before, p); diff != "" {
		t.Errorf("the plan itself is changed: %s", diff)
	}
	if f.SHA256 != p.SHA256 || len(f.ValuesSHA256) != 64 {
		t.Errorf("plan %s, values %s", f.SHA256, f.ValuesSHA256)
	}
	a, b := task(t, &p.Definition, "tell"), task(t, d, "tell")
	c, e := task(t, &p.Definition, "window"), task(t, d, "window")
	if a.SHA256 == b.SHA256 || c.SHA256 != e.SHA256 {
		t.Error("a hash is not that of what stands there now")
	}
}

// The same values have the same hash, however they are written, and others another.
func TestTheHashOfValues(t *testing.T) {
	o := load(t, good(t))
	p := readPlan(t, wholePlan(t))
	fill := func(more ...string) string {
		f, err := o.FillPlan(p, given(more...))
		if err != nil {
			t.Fatal(err)
		}
		return f.ValuesSHA256
	}
	if fill("window-start", "2026-11-26T13:00:00Z", "hosts", "a,b") != fill("window-start", "2026-11-26T22:00:00+09:00", "hosts", "a, b") {
		t.Error("the same values, and two hashes")
	}
	if fill("hosts", "a,b") == fill("hosts", "b,a") {
		t.Error("other values, and the same hash")
	}
}

func TestWhatCannotBeFilled(t *testing.T) {
	o := load(t, good(t))
	p := readPlan(t, wholePlan(t))
	for _, tc := range []struct {
		name  string
		given map[string]string
		want  []string
	}{
		{"nothing", nil, []string{
			"release: missing; want text on one line, of at most 1000 characters",
			"launch: missing; want a date, such as 2026-12-31",
			"health: missing; want text on one line, of at most 1000 characters",
		}},
		{"everything wrong", given("relase", "1", "release", "a\nb", "launch", "26.11.2026", "window-start", "2026-11-26 22:00", "hosts", "a,a",
			"size", "3.5", "urgent", "yes", "scope", "huge"), []string{
			"relase: no such parameter; did you mean release?",
			`release: got "a\nb"; want text on one line, of at most 1000 characters`,
			`launch: got "26.11.2026"; want a date, such as 2026-12-31`,
			`window-start: got "2026-11-26 22:00"; want an instant with its offset, such as 2026-11-26T22:00:00+09:00`,
			`hosts: got "a,a"; want a list of 1 to 500 different items with commas between them, such as web-1, web-2`,
			`size: got "3.5"; want a whole number, such as 3`,
			`urgent: got "yes"; want true or false`,
			`scope: got "huge"; want minor or major`,
		}},
		{"no address", given("health", "ftp://shop"), []string{`: task bake: check: "ftp://shop": want a URL that begins with https:// or http://`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := o.FillPlan(p, tc.given)
			unfilled, ok := errors.AsType[*org.UnfilledError](err)
			if !ok {
				t.Fatal(err)
			}
			var got []string
			for _, f := range unfilled.Faults {
				got = append(got, f.Parameter+": "+f.Text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := o.FillPlan(p, given("size", "x"))
	if want := "fill plan move: 1 fault\nparameter size: got \"x\"; want a whole number, such as 3"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What is left out must not leave a change without what makes it safe.
func TestAPlanThatDoesNotHoldWithItsValues(t *testing.T) {
	o := load(t, good(t))
	p := readPlan(t, strings.Replace(wholePlan(t), "        kind: decision\n", "        kind: decision\n        when: parameters.urgent\n", 1))
	if _, err := o.FillPlan(p, given("urgent", "true")); err != nil {
		t.Error(err)
	}
	_, err := o.FillPlan(p, given())
	if err == nil || !strings.Contains(err.Error(), "task switch: needs: nobody approves it: it changes production") {
		t.Errorf("got %v", err)
	}
}

// Midnight is when the day begins, also where the clock jumps over it.
func TestDatesBeginInTheZoneOfTheOrganisation(t *testing.T) {
	files := good(t)
	files["organisation.yaml"] = strings.Replace(files["organisation.yaml"], "Asia/Seoul", "Africa/Cairo", 1)
	o := load(t, files)
	f, err := o.FillPlan(readPlan(t, wholePlan(t)), given("launch", "2026-04-24")) // summer time begins there at midnight
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Values[1].At.UTC(); !got.Equal(time.Date(2026, 4, 23, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("got %s", got)
	}
}

// Whatever is left out, what is left keeps its order: one task comes before another exactly when it did.
func TestTheOrderSurvivesWhateverIsLeftOut(t *testing.T) {
	o := load(t, good(t))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "tasks")
		var b strings.Builder
		b.WriteString("id: random\nkind: maintenance\nname: Random\nlead: lead\nre_plan: {voters: [lead], count: 1}\n" +
			"roles: [{id: lead, party: provider, name: Lead}]\nenvironments: [{id: test, name: Test}]\nparameters:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {id: p%d, type: boolean, description: P}\n", i)
		}
		b.WriteString("phases:\n  - id: one\n    name: One\n    tasks:\n")
		values, present := map[string]string{}, map[string]bool{}
		order := rapid.Permutation(numbers(n)).Draw(t, "order") // needs may point forward in the file
		for _, i := range order {
			var needs []string
			for j := range i {
				if rapid.Bool().Draw(t, "needs") {
					needs = append(needs, fmt.Sprintf("t%d", j))
				}
			}
			id := fmt.Sprintf("t%d", i)
			present[id] = rapid.Bool().Draw(t, "present")
			values[fmt.Sprintf("p%d", i)] = fmt.Sprint(present[id])
			fmt.Fprintf(&b, "      - {id: %s, kind: manual, name: T, accountable: lead, needs: [%s], when: parameters.p%d}\n", id, strings.Join(needs, ", "), i)
		}
		p, err := org.ReadPlan("random.yaml", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		f, err := o.FillPlan(p, values)
		if !slices.Contains(slices.Collect(maps.Values(present)), true) {
			if err == nil {
				t.Fatal("nothing is left, and it is a plan")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		was, is := connected(&p.Definition), connected(&f.Definition)
		for a, there := range present {
			if _, kept := f.Definition.Task(a); kept != there {
				t.Fatalf("%s: present %t, in the plan %t", a, there, kept)
			}
			for b := range present {
				if there && present[b] && was[[2]string{a, b}] != is[[2]string{a, b}] {
					t.Fatalf("%s before %s: was %t, is %t", a, b, was[[2]string{a, b}], is[[2]string{a, b}])
				}
			}
		}
	})
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// reach tells which task comes before which: Warshall's way, for it is plain to see that it is right.
func connected(d *plan.Definition) map[[2]string]bool {
	before := map[[2]string]bool{}
	all := d.All()
	for _, t := range all {
		for _, n := range t.Needs {
			before[[2]string{n, t.ID}] = true
		}
	}
	for _, k := range all {
		for _, i := range all {
			for _, j := range all {
				if before[[2]string{i.ID, k.ID}] && before[[2]string{k.ID, j.ID}] {
					before[[2]string{i.ID, j.ID}] = true
				}
			}
		}
	}
	return before
}
