package workflows_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/org"
	"muster/internal/routine"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/workflows"
)

// exampleWith is the organisation of the example with one routine, in a zone, and with a file changed.
func exampleWith(t *testing.T, zone, routine string, change func(dir string) error) *org.Organisation {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../examples/org")); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		rewrite(filepath.Join(dir, "organisation.yaml"), "zone: Asia/Seoul", "zone: "+zone),
		os.WriteFile(filepath.Join(dir, "routines.yaml"), []byte("routines:\n  - "+routine+"\n"), 0o600),
		change(dir),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func rewrite(path, before, after string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), before) {
		return fmt.Errorf("%s: has no %q", path, before)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), before, after, 1)), 0o600)
}

func asItIs(string) error { return nil }

// A longYear is a rehearsal of a routine over months, with real folders and a real ledger. Its runs are completed a day after they were planned.
type longYear struct {
	*rehearsal

	mu      sync.Mutex // attempts run beside each other
	folder  *org.Organisation
	gone    bool
	ends    map[string]time.Time // of runs that are not completed after a day, by the day for which they were planned
	started []string
	ledger  usage.Ledger
	numbers []string // as which visits they were counted
}

func (x *longYear) Routine(id string, after, now time.Time) routine.Seen {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.folder.Routine(id, after, now)
	s.Folder, s.Gone = directory{x.rehearsal}.Folder(), x.gone
	return s
}

func (x *longYear) VisitsBought(customer string, at time.Time) usage.Window {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.folder.VisitsBought(customer, at)
}

func (x *longYear) wall(at time.Time) time.Time { return at.In(x.folder.Zone) }

func (x *longYear) StartRoutine(_ context.Context, _ string, planned time.Time) (routine.Begun, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.started = append(x.started, x.wall(x.env.Now()).Format("2006-01-02 15:04"))
	return routine.Begun{Run: planned.Format(time.RFC3339)}, nil
}

func (x *longYear) RoutineRun(_ context.Context, run string) (routine.Outcome, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	planned, err := time.Parse(time.RFC3339, run)
	if err != nil {
		return routine.Outcome{}, err
	}
	ended, ok := x.ends[x.wall(planned).Format(time.DateOnly)]
	if !ok {
		ended = planned.Add(aday)
	}
	if x.env.Now().Before(ended) {
		return routine.Outcome{}, nil
	}
	return routine.Outcome{Over: true, Done: true, Ended: ended, Status: "completed"}, nil
}

func (x *longYear) Claim(_ context.Context, c usage.Claim) (usage.Counts, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.ledger.Check(c); err != nil {
		return usage.Counts{}, err
	}
	counts := x.ledger.Claim(c)
	x.numbers = append(x.numbers, fmt.Sprintf("%s: %d of %d in %d", x.wall(c.At).Format("01-02"), counts.Visited+1, c.Visits.Count, c.Visits.From.Year()))
	return counts, nil
}

func (x *longYear) Return(context.Context, string, string) error {
	return fmt.Errorf("no visit is given back")
}

// through plays a routine from one instant to another.
func through(t *testing.T, from, until time.Time, o *org.Organisation, prepare func(x *longYear)) *longYear {
	t.Helper()
	r := rehearse(t)
	r.env.SetStartTime(from)
	x := &longYear{rehearsal: r, folder: o, ends: map[string]time.Time{}, ledger: usage.Ledger{Customer: "garam"}}
	r.under(workflows.RoutineWorkflowID("check"))
	r.env.RegisterActivity(&activities.Routines{
		Directory: func() activities.Directory { return inFolder{directory{r}, x} }, Folder: func() activities.RoutineFolder { return x }, Writer: writer{}, Runs: x, Counter: x, Now: r.env.Now,
	})
	prepare(x)
	r.at(until.Sub(from), x.change(func() { x.gone = true }))
	x.env.ExecuteWorkflow(workflows.RoutineWorkflow, sealed(r, workflows.RoutineWorkflow, "", timeline.Muster(), workflows.RoutineInput{ID: "check"}))
	if err := x.env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	return x
}

// inFolder is a directory whose people are those of the folder as it is then.
type inFolder struct {
	directory

	of *longYear
}

func (d inFolder) Recipients(t escalation.Target, now time.Time) ([]delivery.Recipient, error) {
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	return d.of.folder.Recipients(t, now)
}

func (x *longYear) change(do func()) func() {
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		do()
	}
}

// told is who was told what, in its order.
func (x *longYear) told() (all []string) {
	for _, d := range x.sender.Delivered() {
		about, _, _ := strings.Cut(d.Message.Subject, " ")
		if line := d.Recipient.ID + ": " + about; len(all) == 0 || all[len(all)-1] != line { // by each of the contact methods
			all = append(all, line)
		}
	}
	return all
}

// More than a year of monthly visits: what is due on a holiday of the moon waits for the next working day, what was begun in December and done
// in January counts in the old year, somebody leaves and no longer hears of what is missed, and a request makes the last one too many.
func TestAYearOfVisits(t *testing.T) {
	const visits = "{id: check, plan: preventive-check, customer: garam, hours: [{monthly: [second tue], from: 10:00, to: 18:00}], calendar: business-hours, " +
		"within: 5d, visit: true, tell: [person:moon]}"
	before := exampleWith(t, "Asia/Seoul", visits, asItIs)
	after := exampleWith(t, "Asia/Seoul", strings.Replace(visits, "person:moon", "person:park", 1), withoutMoon)
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 12, 0, 0, 0, before.Zone)
	}
	from := day(2026, 11, 27)
	x := through(t, from, day(2027, 12, 20), before, func(x *longYear) {
		x.ends["2026-12-08"], x.ends["2027-06-08"] = day(2027, 1, 4), day(2027, 6, 20)
		x.at(day(2027, 3, 20).Sub(from), x.change(func() {
			w := x.folder.VisitsBought("garam", day(2027, 3, 20))
			x.ledger.Claim(usage.Claim{Customer: "garam", Request: "REQ-1", Feature: "visit", At: day(2027, 3, 20), Visits: &w, Take: usage.IfLeft})
		}))
		x.at(day(2027, 6, 1).Sub(from), x.change(func() { x.folder = after }))
	})
	if d := gocmp.Diff([]string{
		"2026-12-08 10:00", "2027-01-12 10:00", "2027-02-10 09:00", "2027-03-09 10:00", "2027-04-13 10:00", "2027-05-11 10:00", "2027-06-08 10:00", "2027-07-13 10:00",
		"2027-08-10 10:00", "2027-09-17 09:00", "2027-10-12 10:00", "2027-11-09 10:00", "2027-12-14 10:00",
	}, x.started); d != "" {
		t.Errorf("started (-want +got):\n%s", d)
	}
	if d := gocmp.Diff([]string{
		"12-08: 1 of 12 in 2026", "01-12: 1 of 12 in 2027", "02-10: 2 of 12 in 2027", "03-09: 3 of 12 in 2027", "04-13: 5 of 12 in 2027", "05-11: 6 of 12 in 2027",
		"06-08: 7 of 12 in 2027", "07-13: 8 of 12 in 2027", "08-10: 9 of 12 in 2027", "09-17: 10 of 12 in 2027", "10-12: 11 of 12 in 2027", "11-09: 12 of 12 in 2027",
		"12-14: 13 of 12 in 2027",
	}, x.numbers); d != "" {
		t.Errorf("counted (-want +got):\n%s", d)
	}
	if d := gocmp.Diff([]string{"moon: missed", "park: missed", "park: too-many"}, x.told()); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
}

// withoutMoon takes moon out of the folder.
func withoutMoon(dir string) error {
	path := filepath.Join(dir, "people.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, rest, found := strings.Cut(string(text), "  - id: moon\n")
	moon, _, ends := strings.Cut(rest, "  - id: ")
	if !found || !ends {
		return fmt.Errorf("%s: has no moon", path)
	}
	return rewrite(path, "  - id: moon\n"+moon, "")
}

// In a zone whose clocks are put back in the autumn a visit stays at its time on the wall, and the year begins at the midnight of that wall:
// what begins half an hour after it is one of the new year, though it is still the old one in UTC.
func TestVisitsWhereTheClocksChange(t *testing.T) {
	o := exampleWith(t, "Europe/Berlin", "{id: check, plan: preventive-check, customer: garam, every: 7d, first: 2027-10-16 00:30, within: 6h, visit: true, tell: [person:park]}", asItIs)
	x := through(t, time.Date(2027, 10, 10, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 10, 0, 0, 0, 0, time.UTC), o, func(*longYear) {})
	for _, at := range x.started {
		if !strings.HasSuffix(at, " 00:30") {
			t.Errorf("one begins at %s", at)
		}
	}
	n := len(x.numbers)
	if len(x.started) != 13 || n != 13 || x.numbers[n-3] != "12-25: 11 of 12 in 2027" || x.numbers[n-2] != "01-01: 1 of 12 in 2028" {
		t.Errorf("started %v, counted %v", x.started, x.numbers)
	}
}
