package preview_test

import (
	"slices"
	"testing"
	"time"

	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/preview"
	"muster/internal/timeline"
)

// forecast previews the shipped upgrade of the example's customer, started on the first of December.
func forecast(t *testing.T, launch string) *preview.Forecast {
	t.Helper()
	o, err := org.Load("../../examples/org")
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
	f, err := preview.Plan(t.Context(), o, terms, time.Date(2026, 12, 1, 9, 0, 0, 0, o.Zone))
	if err != nil {
		t.Fatal(err)
	}
	return f
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
}

// Two weeks of work before a day that is three days away: the vote on whether to go cannot be in time.
func TestAPlanThatCannotBeInTime(t *testing.T) {
	f := forecast(t, "2026-12-03")
	if b := bar(t, f, "go"); !b.Expires || !b.Late {
		t.Errorf("the vote: %+v", b)
	}
	if !f.Ends.IsZero() || len(f.Stalls) != 1 || f.Stalls[0].Task != "go" || f.Stalls[0].Roles[0] != "release-manager" {
		t.Errorf("it ends at %s, and stalls %+v", f.Ends, f.Stalls)
	}
}
