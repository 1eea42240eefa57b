package org_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
)

var update = flag.Bool("update", false, "write the golden files anew")

// published loads a folder whose files last changed at a known instant.
func published(t *testing.T, files map[string]string) *org.Organisation {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	changed := parse(t, "2026-03-01T00:00:00Z")
	for _, name := range append(slices.Collect(maps.Keys(files)), ".") {
		if err := os.Chtimes(filepath.Join(dir, name), changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// event is what the reader of a calendar sees.
type event struct{ uid, from, to, summary string }

func events(t *testing.T, content []byte) (all []event) {
	t.Helper()
	c, err := ics.ParseCalendar(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Events() {
		from, err := e.GetStartAt()
		if err != nil {
			t.Fatal(err)
		}
		to, err := e.GetEndAt()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event{e.Id(), from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), e.GetProperty(ics.ComponentPropertySummary).Value})
	}
	return all
}

func shiftsICS(t *testing.T, o *org.Organisation, schedule, from, to string) []byte {
	t.Helper()
	content, err := o.ShiftsICS(schedule, parse(t, from), parse(t, to))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestShiftsICS(t *testing.T) {
	files := good(t)
	files["schedules.yaml"] = layered
	o := published(t, files)
	content := shiftsICS(t, o, "primary", "2026-03-20T12:00:00Z", "2026-03-31T00:00:00Z")
	golden := filepath.Join("testdata", "primary.golden.ics")
	if *update {
		if err := os.WriteFile(golden, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(content)); diff != "" {
		t.Error(diff)
	}
	again := shiftsICS(t, published(t, files), "primary", "2026-03-20T12:00:00Z", "2026-03-31T00:00:00Z")
	if !bytes.Equal(content, again) {
		t.Error("the same folder gave other bytes")
	}
	if _, err := o.ShiftsICS("gone", time.Time{}, time.Time{}); err == nil {
		t.Error("a schedule that is not there was written")
	}
}

// Whenever and for how long somebody exports a schedule, a shift is the same event.
func TestAShiftIsTheSameEventInEveryExport(t *testing.T) {
	o := published(t, good(t))
	const kim, park = "김민수 (First)", "Park (First)"
	whole := []event{
		{"primary-20260316T090000Z@acme", "2026-03-16T09:00:00Z", "2026-03-18T09:00:00Z", kim},
		{"primary-20260318T090000Z@acme", "2026-03-18T09:00:00Z", "2026-03-19T09:00:00Z", park},
		{"primary-20260319T090000Z@acme", "2026-03-19T09:00:00Z", "2026-03-23T09:00:00Z", kim},
		{"primary-20260323T090000Z@acme", "2026-03-23T09:00:00Z", "2026-03-30T08:00:00Z", park}, // the clock is put forward
	}
	for _, tt := range []struct {
		from, to string
		want     []event
	}{
		{"2026-03-01T00:00:00Z", "2026-03-30T08:00:00Z", whole},
		{"2026-03-16T12:00:00Z", "2026-03-25T00:00:00Z", whole},
		{"2026-03-18T09:00:00Z", "2026-03-18T09:00:01Z", whole[1:2]},
		{"2026-03-20T00:00:00Z", "2026-03-21T00:00:00Z", whole[2:3]},
		{"2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", nil},
		{"2026-03-20T00:00:00Z", "2026-03-20T00:00:00Z", nil},
	} {
		if diff := cmp.Diff(tt.want, events(t, shiftsICS(t, o, "primary", tt.from, tt.to)), cmp.AllowUnexported(event{})); diff != "" {
			t.Errorf("from %s to %s: %s", tt.from, tt.to, diff)
		}
	}
}

// Somebody who is alone on call for years has one event, which begins and ends where the export does.
func TestAShiftWithoutEndIsCutOff(t *testing.T) {
	files := good(t)
	change{"schedules.yaml", "people: [kim, park]", "people: [kim]"}.in(t, files)
	o := published(t, files)
	got := events(t, shiftsICS(t, o, "primary", "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"))
	want := []event{{"primary-begun@acme", "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z", "김민수 (First)"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
		t.Error(diff)
	}
}

func TestICSEscapesAndFolds(t *testing.T) {
	name := `Park, "P;J" \n ` + strings.Repeat("아주긴이름", 20) + " end"
	files := good(t)
	change{"people.yaml", "name: Park", `name: '` + name + `'`}.in(t, files)
	content := shiftsICS(t, published(t, files), "primary", "2026-03-23T09:00:00Z", "2026-03-24T09:00:00Z")
	got := events(t, content)
	if len(got) != 1 || got[0].summary != name+" (First)" {
		t.Errorf("got %q, want %q", got, name)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(content), "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%d bytes: %q", len(line), line)
		}
	}
}
