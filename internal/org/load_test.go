package org_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
)

const example = "../../examples/org"

// good returns the files of a folder without fault.
func good(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(names) != 11 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(content)
	}
	return files
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// faults loads files and returns what is wrong with them.
func faults(t testing.TB, files map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	o, err := org.Load(dir)
	if err == nil {
		return nil
	}
	refusal, ok := errors.AsType[*org.Refusal](err)
	if !ok {
		t.Fatal(err)
	}
	if o != nil {
		t.Error("a refused folder was loaded all the same")
	}
	var all []string
	for _, f := range refusal.Faults {
		all = append(all, f.String())
	}
	return all
}

// load loads files, which must be good.
func load(t testing.TB, files map[string]string) *org.Organisation {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTheExampleIsWithoutFault(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range o.Warnings {
		// which time brings about
		if !strings.Contains(w.Text, "holidays are known until") && !strings.Contains(w.Text, ": certificate ") && !strings.Contains(w.Text, "were last verified on") &&
			!strings.Contains(w.Text, "was to be reviewed by") && !strings.Contains(w.Text, "was last updated on") && !strings.Contains(w.Text, "approved until") {
			t.Error(w)
		}
	}
}

func TestAGoodFolder(t *testing.T) {
	before := time.Now()
	o := load(t, good(t))
	if o.ID != "acme" || o.Name != "Acme" || o.Zone.String() != "Asia/Seoul" || o.PublicURL != "https://muster.example.com" {
		t.Errorf("got %s %s %s %s", o.ID, o.Name, o.Zone, o.PublicURL)
	}
	if diff := cmp.Diff([]string{"ko", "en"}, o.Languages); diff != "" {
		t.Error(diff)
	}
	if o.LoadedAt.Before(before) || o.Changed.IsZero() || len(o.Warnings) > 0 {
		t.Error(o.LoadedAt, o.Changed, o.Warnings)
	}
}

// change is one edit of a good folder.
type change struct{ file, old, new string }

func (c change) in(t testing.TB, files map[string]string) {
	t.Helper()
	if !strings.Contains(files[c.file], c.old) {
		t.Fatalf("%s does not contain %q", c.file, c.old)
	}
	files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
}

// TestFaults plants one fault each. Where several are reported, one slip has several consequences.
func TestFaults(t *testing.T) {
	for _, tt := range faultTable() {
		t.Run(tt.file+" "+tt.old+" to "+tt.new, func(t *testing.T) {
			files := good(t)
			tt.in(t, files)
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), faults(t, files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAllFaultsInOneRun(t *testing.T) {
	all, want := good(t), map[string]bool{}
	for _, c := range []change{
		{"organisation.yaml", "zone: Asia/Seoul", "zone: Asia/Seul"},
		{"organisation.yaml", "port: 587", "port: mail"},
		{"sources.yaml", "id: lab", "id: Lab"},
		{"calendars.yaml", "country: gb", "country: uk"},
		{"calendars.yaml", "days: [fri, sat], from: 09:00", "days: [fri, sam], from: 09:00"},
		{"people.yaml", "language: en", "language: fr"},
		{"people.yaml", "secret: env:PARK_SECRET", "secret: swordfish"},
		{"parties.yaml", "kind: partner", "kind: friend"},
		{"support-plans.yaml", "respond: 15m", "respond: 15 minutes"},
		{"customers.yaml", "support_plan: gold", "support_plan: gould"},
		{"schedules.yaml", "people: [kim, park]", "people: [kim, bark]"},
		{"escalation-policies.yaml", "    last_resort: {targets: [person:park], every: 15m}\n", ""},
		{"services.yaml", "quiet: 5m", "quite: 5m"},
		{"routes.yaml", "label: severity", "lable: severity"},
		{"routes.yaml", "source: prometheus", "source: datadog"},
	} {
		alone := good(t)
		c.in(t, alone)
		c.in(t, all)
		for _, f := range faults(t, alone) {
			want[f] = true
		}
	}
	got := map[string]bool{}
	for _, f := range faults(t, all) {
		got[f] = true
	}
	// Where a line is gone, the ones after it stand one higher.
	if len(want) < 12 || len(got) != len(want) {
		t.Error(cmp.Diff(want, got))
	}
}

// Rules of policies and plans, and the starts of plans that notices ask for, are judged in the same run as the form of everything else.
func TestNoFaultWaitsForAnother(t *testing.T) {
	files := planned(t)
	files["plans/move.yaml"] = wholePlan(t)
	files["sources.yaml"] += "  - id: cloud\n    type: eventbridge\n    token: env:CLOUD\n    planned: [{plan: upgrade, customer: shopco, parameters: {relase: x}}, {plan: move, customer: shopco}]\n"
	files["routines.yaml"] = "routines:\n  - {id: check, plan: preventive, customer: shopco, every: 720h, first: 2026-12-01 10:00, within: 4h, tell: [person:kim]}\n"
	for _, c := range []change{
		{"customers.yaml", "        name: Desk\n", ""},
		{"escalation-policies.yaml", "      - out_of: office\n", "      - out_of: office\n        steps: [{targets: [person:kim], wait: 3m}]\n      - out_of: office\n"},
		{"people.yaml", "language: en", "language: fr"},
		{"plans/move.yaml", "tell: [owner, approver]", "tell: []"},
	} {
		c.in(t, files)
	}
	want := []string{
		`customers.yaml:7:9: customer shopco: contact desk: name: missing; want a name on one line, of at most 200 characters`,
		`escalation-policies.yaml:2:5: policy std: variant 3: never taken, because variant 2 before it holds whenever it would`,
		`people.yaml:15:15: person park: language "fr": want en or ko`,
		`plans/move.yaml:69:15: task tell: tell: missing`,
		`routines.yaml:2:5: routine check: plan: "preventive"; want the id of a plan that muster plan list shows, or a file`,
	}
	const planned = "sources.yaml:11:15: source cloud: planned 1: "
	for _, s := range []string{
		"parameters.relase: no such parameter; did you mean release?",
		"parameters.release: missing; want text on one line, of at most 1000 characters",
		"parameters.launch-date: missing; want a date, such as 2026-12-31",
		"parameters.site-address: missing; want text on one line, of at most 1000 characters",
	} {
		want = append(want, planned+s)
	}
	for _, role := range []string{"customer-approver", "developer", "service-engineer", "release-manager"} {
		want = append(want, planned+"roles."+role+": nobody fills it; want it under roles of environment production, of customer shopco, or of the organisation")
	}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
	// Of roles that could not be read nobody can say who fills them.
	change{"organisation.yaml", "deployer: [person:kim]", "deployer: [person:kimm]"}.in(t, files)
	want = slices.Insert(slices.DeleteFunc(want, func(s string) bool { return strings.Contains(s, "nobody fills it") }), 2,
		`organisation.yaml:32:14: organisation: roles: deployer "kimm": no such person; did you mean kim?`)
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

func TestTheErrorNamesEveryPlace(t *testing.T) {
	files := good(t)
	change{"people.yaml", "language: en", "language: fr"}.in(t, files)
	delete(files, "sources.yaml")
	dir := t.TempDir()
	write(t, dir, files)
	_, err := org.Load(dir)
	want := "load organisation " + dir + ": 2 faults\n" +
		dir + "/people.yaml:15:15: person park: language \"fr\": want en or ko\n" +
		dir + "/sources.yaml: missing; it must be there, even if its list is empty"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestUnreadableFolders(t *testing.T) {
	if _, err := org.Load("testdata/nowhere"); err == nil || err.Error() != "load organisation testdata/nowhere: no such file or directory" {
		t.Error(err)
	}
	long := good(t)
	long["people.yaml"] += "#" + strings.Repeat("x", 1<<20)
	many := good(t)
	many["sources.yaml"] = "sources:\n" + strings.Repeat("  - {id: x}\n", 2001)
	stray := good(t)
	stray["peoples.yaml"], stray["people.yml"], stray["notes.txt"], stray[".#people.yaml"] = "", "", "", ""
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"too long", long, []string{"people.yaml: cannot be read: too large: want at most 1048576 bytes"}},
		{"too many", many, []string{
			`routes.yaml:3:13: route shop: source "prometheus": no such source; there are none`,
			"sources.yaml:2:3: file: sources: a list of 2001; want at most 2000",
		}},
		{"strays", stray, []string{
			"people.yml: not a file of an organisation folder; did you mean people.yaml?",
			"peoples.yaml: not a file of an organisation folder; did you mean people.yaml?",
		}},
		{"empty", nil, func() (all []string) {
			for _, name := range []string{
				"calendars", "customers", "escalation-policies", "organisation", "people", "routes", "schedules", "services", "sources", "support-plans",
			} {
				all = append(all, name+".yaml: missing; it must be there, even if its list is empty")
			}
			return all
		}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, faults(t, tt.files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPipeIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	files := good(t)
	delete(files, "people.yaml")
	write(t, dir, files)
	if err := os.Mkdir(filepath.Join(dir, "people.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := org.Load(dir)
	if err == nil || !strings.Contains(err.Error(), "people.yaml: cannot be read: not a regular file") {
		t.Error(err)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	files := good(t)
	files["people.yaml"] = "people:\n" + strings.Repeat("  - {x: y}\n", 2000)
	got := faults(t, files)
	if last := got[len(got)-1]; len(got) != 501 || !strings.Contains(last, "more faults") {
		t.Errorf("got %d faults, the last: %s", len(got), last)
	}
}

func TestWarnings(t *testing.T) {
	files := good(t)
	change{"schedules.yaml", "start: 2026-03-16 09:00", "start: 9000-03-16 09:00"}.in(t, files)
	change{"services.yaml", "services:\n", "services:\n" + strings.NewReplacer("id: shop", "id: spare", "[shopco]", "[]").Replace(
		strings.TrimPrefix(files["services.yaml"], "services:\n"))}.in(t, files)
	change{"services.yaml", "[shopco]", "[]"}.in(t, files)
	change{"sources.yaml", "    token: env:LAB_TOKEN\n", ""}.in(t, files)
	files["sources.yaml"] += "  - {id: legacy, type: email, address: legacy@alerts.example.com, from: [\"@kr.example.com\"]}\n"
	change{"people.yaml", "    login: park@example.com\n", ""}.in(t, files)
	change{"people.yaml", "    login: han@shop.example\n", ""}.in(t, files)
	change{"people.yaml", "roles: [responder]", "roles: [responder, auditor]"}.in(t, files)
	change{"customers.yaml", "roles: [responder]", "roles: [administrator]"}.in(t, files)
	files["people.yaml"] += "  - {id: song, name: Song, language: en, party: mega, roles: [responder, member], methods: [{name: desk, type: console}]}\n"
	change{"parties.yaml", "parties:\n", "parties:\n  - {id: idle, name: Idle, kind: vendor}\n"}.in(t, files)
	var got []string
	for _, w := range load(t, files).Warnings {
		got = append(got, w.String())
	}
	want := []string{
		"customers.yaml:2:9: customer shopco: no service is for it, so no incident can touch it",
		"customers.yaml:10:13: person shopco/boss: role administrator: of a customer it gives no more than the role member",
		"organisation.yaml:22:3: organisation: sign_in: no person has a login, so nobody can sign in",
		"parties.yaml:2:10: party idle: it is the vendor of no service and has no people",
		"people.yaml:24:9: person yoon: role auditor: of a partner it gives no more than the role member",
		"people.yaml:35:10: person song: role responder: of a vendor it gives no more than the role member",
		"schedules.yaml:2:9: schedule primary: nobody is on call in the next 30 days",
		"services.yaml:2:9: service spare: no route leads to it",
		"sources.yaml:5:9: source lab: has no token while another has one, so nobody can send as it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Windows editors write a byte order mark and carriage returns.
func TestBOMAndCRLF(t *testing.T) {
	files := good(t)
	for name, content := range maps.Clone(files) {
		files[name] = "\ufeff" + strings.ReplaceAll(content, "\n", "\r\n")
	}
	if o := load(t, files); o.Name != "Acme" {
		t.Errorf("got %q", o.Name)
	}
}

func TestRevision(t *testing.T) {
	a, b := load(t, good(t)), load(t, good(t))
	if a.Revision != b.Revision || len(a.Revision) != 12 {
		t.Errorf("the same content in two folders: %s and %s", a.Revision, b.Revision)
	}
	files := good(t)
	files["README.md"] = "not a definition"
	if o := load(t, files); o.Revision != a.Revision {
		t.Error("a README changed the revision")
	}
	files["people.yaml"] += "# a comment\n"
	o := load(t, files)
	if o.Revision == a.Revision {
		t.Error("a definition file did not change the revision")
	}
	for _, tt := range []struct {
		revision string
		changed  time.Time
		want     bool
	}{
		{a.Revision, o.Changed.Add(time.Second), true},
		{a.Revision, o.Changed.Add(-time.Second), false},
		{a.Revision, o.Changed, false},
		{o.Revision, o.Changed.Add(time.Hour), false}, // the same content came to another machine later
	} {
		if got := o.Older(tt.revision, tt.changed); got != tt.want {
			t.Errorf("older than %s of %s: got %t, want %t", tt.revision, tt.changed, got, tt.want)
		}
	}
}

// Taking away the file that changed last makes the folder newer, not older.
func TestAFolderWithoutItsNewestFileIsNewer(t *testing.T) {
	for name, content := range map[string]string{
		"people/night.yaml":              "people:\n  - {id: song, name: Song, language: en, methods: [{name: desk, type: console}]}\n",
		"forms/shopco/result.ko.md.tmpl": "# {{.ID}}",
	} {
		dir := t.TempDir()
		files := good(t)
		files[name] = content
		write(t, dir, files)
		old := parse(t, "2026-03-01T00:00:00Z")
		for _, name := range append(slices.Collect(maps.Keys(files)), ".", filepath.Dir(name), filepath.Dir(filepath.Dir(name))) {
			if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
		newest := filepath.Join(dir, name)
		if err := os.Chtimes(newest, old, old.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		with, err := org.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(newest); err != nil {
			t.Fatal(err)
		}
		without, err := org.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if without.Older(with.Revision, with.Changed) || !with.Older(without.Revision, without.Changed) {
			t.Errorf("%s: with it changed %s, without it %s", name, with.Changed, without.Changed)
		}
	}
}

// A policy that nobody can ever stop is worth a word.
func TestAPolicyThatAsksForMorePeopleThanItHas(t *testing.T) {
	files := good(t)
	change{"escalation-policies.yaml", "wait: 5m}", "wait: 5m, acknowledgements: 10}"}.in(t, files)
	change{"escalation-policies.yaml", "role:incident-manager, person:kim", "person:park, person:kim"}.in(t, files)
	warnings := load(t, files).Warnings
	if !slices.ContainsFunc(warnings, func(w org.Fault) bool {
		return strings.Contains(w.Text, "10 people have to acknowledge, and it can page")
	}) {
		t.Errorf("got %v", warnings)
	}
}

// FuzzLoad puts any text in place of any file: it is refused with a place, or taken, and never breaks anything.
func FuzzLoad(f *testing.F) {
	files := planned(f)
	files["company.ics"] = iCalendar("DTSTART;VALUE=DATE:20260803\r\nDTEND;VALUE=DATE:20260806", "DTSTART:20261224T090000Z\r\nRRULE:FREQ=DAILY")
	change{"calendars.yaml", "country: gb", "country: gb\n      files: [company.ics]"}.in(f, files)
	names := slices.Sorted(maps.Keys(files))
	for n, name := range names {
		f.Add(n, files[name])
		for _, tt := range faultTable() {
			if tt.file == name {
				f.Add(n, strings.Replace(files[tt.file], tt.old, tt.new, 1))
			}
		}
	}
	f.Add(slices.Index(names, "schedules.yaml"), layered)
	for _, tt := range plannedFaults() {
		f.Add(slices.Index(names, tt.file), strings.Replace(files[tt.file], tt.old, tt.new, 1))
	}
	f.Fuzz(func(t *testing.T, n int, content string) {
		if n < 0 || n >= len(names) {
			return
		}
		changed := maps.Clone(files)
		changed[names[n]] = content
		o, err := org.LoadFiles(changed, time.Unix(0, 0))
		if (o == nil) == (err == nil) {
			t.Fatal(o, err)
		}
		if refusal, ok := errors.AsType[*org.Refusal](err); ok {
			for _, fault := range refusal.Faults {
				if text := fault.String(); !strings.Contains(text, ".yaml") && !strings.Contains(text, ".ics") || strings.ContainsAny(text, "\n\x00") || len(text) > 1000 {
					t.Errorf("%q", text)
				}
			}
		}
	})
}
