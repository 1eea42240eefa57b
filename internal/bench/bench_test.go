package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/priority"
)

// The two sides can only be compared when people, customers, tickets and reports see the same of both. What it costs in
// events does not depend on the machine, those of workflow tasks apart: how many there are is a matter of what happens to
// arrive together.
func TestRawAndOursHaveTheSameEffects(t *testing.T) {
	e, err := startEngine(t.Context(), t.TempDir(), io.Discard, engineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	steps := map[string][]int{}
	seen := map[string]map[string]int{}
	for _, s := range e.sides(0) {
		subjects, err := e.lives(t.Context(), s, "test", 5, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects {
			hs, err := e.histories(t.Context(), s, subject)
			if err != nil {
				t.Fatal(err)
			}
			steps[s.name] = append(steps[s.name], tallyOf(hs[0]).steps()+tallyOf(hs[1]).steps())
		}
		seen[s.name] = e.world.effects(subjects[2])
	}
	want := map[string]int{
		"page kim": 1, "page park": 1, "customer-update acme/desk": 1, "all-clear acme/desk": 1, "review-opened park": 1,
		"ticket triggered": 1, "ticket acknowledged": 1, "ticket mitigated": 1, "ticket resolved": 1, "ticket closed": 1,
		"incident-report.ko.md": 2, "incident-report.ko.html": 2, "incident-report.ko.pdf": 2,
		"incident-report.en.md": 2, "incident-report.en.html": 2, "incident-report.en.pdf": 2,
	}
	for name, got := range seen {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("effects of %s (-want +got):\n%s", name, d)
		}
	}
	t.Logf("events that are not of workflow tasks: %v", steps)
	if raw, ours := median(steps["raw"]), median(steps["ours"]); float64(ours) > 1.12*float64(raw) {
		t.Errorf("a life of ours has %d events that are not of workflow tasks, of raw %d: want at most 1.12 times as many", ours, raw)
	}
}

// What a task costs in events, those of workflow tasks apart, does not depend on the machine either. Both sides lead every kind of plan to its end.
func TestRawAndOursLeadPlansToTheirEnd(t *testing.T) {
	e, err := startEngine(t.Context(), t.TempDir(), io.Discard, engineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	b := &bench{Options: Options{Quick: true}}
	for _, kind := range planKinds() {
		steps := map[string][]float64{}
		for round := range 3 {
			for _, s := range e.planSides(round) {
				p, err := b.roundOfChains(t.Context(), e, s, kind, round)
				if err != nil {
					t.Fatal(err)
				}
				steps[s.name] = append(steps[s.name], p.steps)
			}
		}
		raw, ours := median(steps["raw"]), median(steps["ours"])
		t.Logf("%s: %.1f events of ours, %.1f of raw", kind, ours, raw)
		if raw < 2 || ours > mostTaskEvents*raw {
			t.Errorf("a %s of ours has %.1f events that are not of workflow tasks, of raw %.1f: want at most %.2f times as many", kind, ours, raw, mostTaskEvents)
		}
	}
}

// The storms and the first page run against the real intake; their figures say nothing here.
func TestAQuickRunFillsTheTable(t *testing.T) {
	var out bytes.Buffer
	o := Options{Quick: true, Only: []string{"firstpage", "duplicates", "alerts", "verify"}, Folder: t.TempDir(), Out: &out}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST to page, p99", "posts accepted", "distinct alerts of one group", "kB on average, against a log", "cores ("} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output says nothing of %q:\n%s", want, out.String())
		}
	}
}

func TestRunRefusesWhatItDoesNotKnow(t *testing.T) {
	err := Run(t.Context(), Options{Only: []string{"speed"}})
	if err == nil || !strings.Contains(err.Error(), `measurement "speed": want life, open`) {
		t.Errorf("got %v", err)
	}
}

func TestMissedTargets(t *testing.T) {
	for name, x := range map[string]struct {
		row    row
		strict bool
		fails  bool
	}{
		"a ratio that is met":         {row{kind: ratio, met: true}, true, false},
		"a ratio that is missed":      {row{kind: ratio}, false, true},
		"an absolute that is missed":  {row{kind: absolute}, false, false},
		"the same when strict":        {row{kind: absolute}, true, true},
		"a figure without any target": {row{}, true, false},
	} {
		if err := (&table{rows: []row{x.row}}).missed(x.strict); (err != nil) != x.fails {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestHead(t *testing.T) {
	for text, want := range map[string]struct {
		body, status, length int
		wrong                bool
	}{
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nxx":        {body: 39, status: 200, length: 12},
		"HTTP/1.1 503 Busy\r\nA: b\r\nContent-Length: 0\r\n\r\n": {body: 46, status: 503},
		"HTTP/1.1 200 OK\r\nContent-Le":                          {body: -1},
		"HTTP/1.1 200 OK\r\n\r\n":                                {wrong: true},
		"nonsense\r\n\r\n":                                       {wrong: true},
	} {
		body, status, length, err := head([]byte(text))
		if (err != nil) != want.wrong || err == nil && (body != want.body || status != want.status || length != want.length) {
			t.Errorf("%q: body at %d, status %d, length %d, %v; want %+v", text, body, status, length, err, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	all := []int{5, 1, 4, 2, 3}
	for share, want := range map[float64]int{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(all, share); got != want {
			t.Errorf("%v: got %d, want %d", share, got, want)
		}
	}
	if got := median([]time.Duration(nil)); got != 0 {
		t.Errorf("median of nothing: %v", got)
	}
}

func TestDefinitionsHaveTheirPriority(t *testing.T) {
	for _, want := range []priority.Priority{priority.P1, priority.P4} {
		d := idlePace().definition("x", want)
		if got, err := priority.Of(d.Impact, d.Urgency); got != want || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		if faults := d.Policy.Validate(); len(faults) > 0 {
			t.Error(faults)
		}
	}
}

func TestTheWorldRemembers(t *testing.T) {
	w := newWorld()
	w.delivered("1", "checkout", "INC-1", "page", "kim", time.Now())
	w.delivered("1", "checkout", "INC-1", "page", "kim", time.Now())
	if got := fmt.Sprintf("%v %v %v", w.incident("checkout"), w.subject("INC-1"), w.repeated()); got != "INC-1 checkout 1" {
		t.Error(got)
	}
	if got := w.effects("checkout"); !maps.Equal(got, map[string]int{"page kim": 2}) {
		t.Error(got)
	}
}
