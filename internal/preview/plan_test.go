package preview_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/preview"
	"muster/internal/timeline"
)

// forecast previews the shipped upgrade of the example's customer, started on the first of December.
func forecast(t *testing.T, launch string) *preview.Forecast {
	t.Helper()
	return forecastIn(t, "../../examples/org", launch, nil)
}

func forecastIn(t *testing.T, folder, launch string, lengths map[string]plan.Length) *preview.Forecast {
	t.Helper()
	o, err := org.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := o.StartPlan(org.PlanStart{Plan: "upgrade", Customer: "garam", Parameters: map[string]string{
		"release": "6.5.22", "launch-date": launch, "site-address": "https://shop.example/health",
	}})
	if err != nil {
		t.Fatal(err)
	}
	terms.ID, terms.Starter = planrun.NewID(1), timeline.Actor{Kind: timeline.Person, ID: "preview"}
	f, err := preview.Plan(t.Context(), o, terms, time.Date(2026, 12, 1, 9, 0, 0, 0, o.Zone), lengths)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// changed is the example's folder with something else in its files: file, old, new.
func changed(t *testing.T, changes ...[3]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/org")); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		path := filepath.Join(dir, c[0])
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), c[1]) != 1 {
			t.Fatalf("%s has not %q once", c[0], c[1])
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), c[1], c[2], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func wanted(t *testing.T, f *preview.Forecast, role, task string) preview.Wanted {
	t.Helper()
	n := slices.IndexFunc(f.Wanted, func(w preview.Wanted) bool { return w.Role == role && w.Task == task })
	if n < 0 {
		t.Fatalf("%s is not wanted for %s", role, task)
	}
	return f.Wanted[n]
}

func spansOf(spans []preview.Span) string {
	var all []string
	for _, s := range spans {
		const form = "01-02 15:04"
		zone := time.FixedZone("KST", 9*3600)
		all = append(all, s.From.In(zone).Format(form)+" to "+s.Until.In(zone).Format(form))
	}
	return strings.Join(all, ", ")
}

func bar(t *testing.T, f *preview.Forecast, id string) preview.Bar {
	t.Helper()
	n := slices.IndexFunc(f.Tasks, func(b preview.Bar) bool { return b.ID == id })
	if n < 0 {
		t.Fatalf("no task %s", id)
	}
	return f.Tasks[n]
}

func wantAt(t *testing.T, what string, got time.Time, want string) {
	t.Helper()
	if s := got.In(time.FixedZone("KST", 9*3600)).Format("2006-01-02 15:04"); s != want {
		t.Errorf("%s at %s, want %s", what, s, want)
	}
}

// The launch is on a Tuesday, and production may be changed on the second Sunday of a month from two to six.
func TestAPlanWaitsForItsWindow(t *testing.T) {
	f := forecast(t, "2027-03-09")
	wantAt(t, "the wait for the day ends", bar(t, f, "launch-day").Ends, "2027-03-09 00:00")
	wantAt(t, "production is changed", bar(t, f, "production-services").Begins, "2027-03-14 02:00")
	if f.Ends.IsZero() || len(f.Stalls) > 0 {
		t.Errorf("it ends at %s, and stalls %+v", f.Ends, f.Stalls)
	}
	for _, b := range f.Tasks {
		if b.Late || b.Expires {
			t.Errorf("%s is late", b.ID)
		}
	}
	for _, id := range []string{"project-plan", "go", "launch-day", "launch-window", "production-services"} {
		if !slices.Contains(f.Critical, id) {
			t.Errorf("the critical path %v goes past %s", f.Critical, id)
		}
	}
	if !slices.ContainsFunc(f.Wanted, func(w preview.Wanted) bool { return w.Role == "deployer" && w.Task == "production-services" }) {
		t.Errorf("nobody is said to be wanted for the launch: %+v", f.Wanted)
	}
}

// The customer's freeze at the end of the year takes the second Sunday of December away.
func TestAPlanWaitsUntilAFreezeIsOver(t *testing.T) {
	f := forecast(t, "2026-12-21")
	wantAt(t, "production is changed", bar(t, f, "production-services").Begins, "2027-01-10 02:00")
	held := bar(t, f, "launch-window").Held
	if n := slices.IndexFunc(held, func(h preview.Held) bool { return h.Why == "가람유통 연말연시 변경 동결" }); n < 0 {
		t.Errorf("nothing says what holds it: %+v", held)
	} else {
		wantAt(t, "it is held from", held[n].From, "2026-12-21 00:00") // since the task waits, not since the freeze began
		wantAt(t, "it is held until", held[n].Until, "2027-01-06 00:00")
	}
}

// Two weeks of work before a day that is three days away: the vote on whether to go cannot be in time.
func TestAPlanThatCannotBeInTime(t *testing.T) {
	f := forecast(t, "2026-12-03")
	b := bar(t, f, "go")
	if !b.Expires || !b.Late || b.Verdict != approval.ExpiredRejected {
		t.Errorf("the vote: %+v", b)
	}
	wantAt(t, "it is due", b.Due, "2026-12-01 18:00")
	wantAt(t, "it would be decided", b.Decides, "2026-12-07 14:00")
	if !f.Ends.IsZero() || len(f.Stalls) != 1 || f.Stalls[0].Task != "go" || f.Stalls[0].Want != planrun.WantRetry || f.Stalls[0].Roles[0] != "release-manager" {
		t.Errorf("it ends at %s, and stalls %+v", f.Ends, f.Stalls)
	}
}

// A change that does not fit into its window is rolled back, and waits for those who do that.
func TestAPlanThatIsRolledBack(t *testing.T) {
	f := forecastIn(t, "../../examples/org", "2026-12-21", map[string]plan.Length{"launch": {Days: 2}})
	if len(f.Stalls) != 1 || f.Stalls[0].Run != planrun.RollingBack || f.Stalls[0].Want != planrun.WantUndo || !slices.Contains(f.Stalls[0].Roles, "deployer") {
		t.Errorf("it stalls %+v", f.Stalls)
	}
}

// What somebody says of a task goes before what the plan says, and that before what is assumed.
func TestHowLongTasksTake(t *testing.T) {
	f := forecastIn(t, "../../examples/org", "2027-03-09", map[string]plan.Length{
		"code": {Days: 3}, "go": {Within: 30 * time.Minute}, "production-services": {Within: 90 * time.Minute}, "staging-services": {Days: 1},
	})
	for _, tc := range []struct {
		task string
		want preview.Length
		ends string
	}{
		{"project-plan", preview.Length{Length: plan.Length{Within: 4 * time.Hour}, Of: preview.Default}, "2026-12-02 10:00"}, // with two hours for its check
		{"approve-plan", preview.Length{Length: plan.Length{Within: 8 * time.Hour}, Of: preview.Default}, "2026-12-02 18:00"},
		{"staging-services", preview.Length{Length: plan.Length{Within: 24 * time.Hour}, Of: preview.Said}, "2026-12-03 18:00"}, // a change, whatever the hour
		{"code", preview.Length{Length: plan.Length{Days: 3}, Of: preview.Said}, "2026-12-08 09:00"},
		{"staging-code", preview.Length{Length: plan.Length{Within: time.Hour}, Of: preview.Planned}, "2026-12-08 10:00"},
		{"production-services", preview.Length{Length: plan.Length{Within: 90 * time.Minute}, Of: preview.Said}, "2027-03-14 03:30"},
	} {
		b := bar(t, f, tc.task)
		if b.Length == nil || *b.Length != tc.want {
			t.Errorf("%s takes %+v, want %+v", tc.task, b.Length, tc.want)
		}
		wantAt(t, tc.task+" ends", b.Ends, tc.ends)
	}
	if b := bar(t, f, "launch-day"); b.Length != nil {
		t.Errorf("nobody works on a wait, and it takes %+v", b.Length)
	}
}

// Leave counts where it falls into the time in which somebody is wanted; quiet hours are said, and keep nobody away.
func TestWhoIsThereWhenTheyAreWanted(t *testing.T) {
	const leave = "{from: 2027-02-05 18:00, to: 2027-02-15 08:00}"
	f := forecastIn(t, changed(t,
		[3]string{"people.yaml", leave, "{from: 2026-12-02 14:00, to: 2026-12-03 08:00}\n      - {from: 2026-12-05 00:00, to: 2026-12-07 00:00}"},
		[3]string{"people.yaml", "    zone: Asia/Singapore ", "    away: [{from: 2026-12-01 08:00, to: 2026-12-05 08:00}]\n    zone: Asia/Singapore "},
		[3]string{"customers.yaml", "deployer: [person:lee, person:kim]", "deployer: [schedule:primary]"},
		[3]string{"people.yaml", "  - id: kim\n", "  - id: kim\n    quiet: [{from: 22:00, to: 03:00, below: P1}]\n"},
		[3]string{"schedules.yaml", "      - {from: 2026-12-24 18:00", "      - {from: 2026-12-13 00:00, to: 2027-03-01 00:00, person: kim}\n      - {from: 2027-01-10 05:00, to: 2027-01-10 06:00, remove: kim}\n      - {from: 2026-12-24 18:00"},
	), "2026-12-21", nil)

	vote := wanted(t, f, "change-manager", "approve-plan")
	if got := spansOf(vote.Nobody); got != "12-02 14:00 to 12-02 18:00" { // nobody works at night
		t.Errorf("nobody is there to vote from %s", got)
	}
	if got := spansOf(vote.People[0].Away); got != "12-02 14:00 to 12-02 18:00" {
		t.Errorf("choi is away from %s", got)
	}
	if w := wanted(t, f, "change-manager", "go"); w.Nobody != nil { // it lasts over a week end on which they are away
		t.Errorf("nobody is there on a week end: %s", spansOf(w.Nobody))
	}
	work := wanted(t, f, "service-engineer", "complexity")
	if work.Nobody != nil || len(work.People) != 3 { // the group has others
		t.Errorf("got %+v", work)
	}
	for _, p := range work.People {
		if away := p.ID == "park"; away != (spansOf(p.Away) == "12-01 09:00 to 12-01 13:00") {
			t.Errorf("%s is away %s", p.ID, spansOf(p.Away))
		}
	}
	services := wanted(t, f, "deployer", "production-services")
	if len(services.People) != 1 || services.Nobody != nil || spansOf(services.People[0].Quiet) != "01-10 02:00 to 01-10 03:00" {
		t.Errorf("got %+v", services)
	}
	launch := wanted(t, f, "deployer", "launch")
	if got := spansOf(launch.Nobody); got != "01-10 05:00 to 01-10 06:00" {
		t.Errorf("nobody is on call for the launch from %s", got)
	}
	if got := spansOf(launch.People[0].Off); got != "01-10 05:00 to 01-10 06:00" {
		t.Errorf("kim is not on call from %s", got)
	}
}

// A change may be made on a holiday, and whoever makes it should know; work in working time never is.
func TestWorkOnAHoliday(t *testing.T) {
	f := forecastIn(t, changed(t, [3]string{"calendars.yaml", "      - {date: 2026-12-24,", "      - {date: 2027-01-10, closed: true}\n      - {date: 2026-12-24,"}), "2026-12-21", nil)
	day, err := calendar.ParseDate("2027-01-10")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range f.Wanted {
		want := []calendar.Date(nil)
		if w.Task == "production-services" || w.Task == "launch" {
			want = []calendar.Date{day}
		}
		if !slices.Equal(w.Holidays, want) {
			t.Errorf("%s for %s works on %s", w.Role, w.Task, w.Holidays)
		}
	}
	if f.KnownUntil != 0 {
		t.Errorf("holidays of 2027 have been announced, and it says %s", f.KnownUntil)
	}
	if f := forecast(t, "2028-03-01"); f.KnownUntil.String() != "2027-12-31" {
		t.Errorf("holidays of 2028 have not been announced, and it says %s", f.KnownUntil)
	}
}

// What a vendor has said goes its way for the example's customer: it is told at once, those who answer for the asset judge it and act by the day.
func TestAVendorsNoticeGoesItsWay(t *testing.T) {
	o, err := org.Load("../../examples/org")
	if err != nil {
		t.Fatal(err)
	}
	by, err := calendar.ParseDate("2026-12-31")
	if err != nil {
		t.Fatal(err)
	}
	all := o.Concerned(asset.Notice{Vendor: "PostgreSQL", Reference: "CVE-2026-1", Kind: asset.Patch, Product: "PostgreSQL", Versions: []asset.Range{">=16 <16.5"}, Title: "x", By: by})
	if len(all) != 1 || all[0].Customer.ID != "garam" {
		t.Fatalf("it concerns %+v", all)
	}
	terms, err := o.StartPlan(all[0].Start)
	if err != nil {
		t.Fatal(err)
	}
	terms.ID, terms.Starter = planrun.NewID(1), timeline.Actor{Kind: timeline.Person, ID: "preview"}
	terms.Notice = &planrun.Noticed{Source: "vendor/postgresql", ID: "CVE-2026-1", Key: "00"}
	f, err := preview.Plan(t.Context(), o, terms, time.Date(2026, 12, 1, 9, 0, 0, 0, o.Zone), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAt(t, "the customer is told", bar(t, f, "tell-customer").Ends, "2026-12-01 09:00")
	for _, task := range []string{"effect", "measures"} {
		if w := wanted(t, f, "asset-owner", task); w.From.IsZero() {
			t.Errorf("%s: %+v", task, w)
		}
	}
	if f.Ends.IsZero() || len(f.Stalls) > 0 {
		t.Errorf("it ends at %s, and stalls %+v", f.Ends, f.Stalls)
	}
}

// A task whose outcome is action items does not hold a preview up.
func TestAPreviewOfAHandOver(t *testing.T) {
	o, err := org.Load("../../examples/org")
	if err != nil {
		t.Fatal(err)
	}
	terms, err := o.StartPlan(org.PlanStart{Plan: "service-handover", Customer: "garam", Parameters: map[string]string{
		"service": "garam-shop", "from-team": "person:choi", "to-team": "group:noc",
	}})
	if err != nil {
		t.Fatal(err)
	}
	terms.ID, terms.Starter = planrun.NewID(1), timeline.Actor{Kind: timeline.Person, ID: "preview"}
	f, err := preview.Plan(t.Context(), o, terms, time.Date(2026, 12, 1, 9, 0, 0, 0, o.Zone), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Stalls) != 0 || bar(t, f, "release").Status != planrun.Done {
		t.Errorf("it stands still: %+v", f.Stalls)
	}
}
