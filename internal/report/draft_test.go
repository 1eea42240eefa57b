package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/supportplan"
)

// drafted is a telling of a draft with everything in it that is known.
func drafted() incident.Telling {
	f := facts()
	f.Cause = &incident.Cause{Domain: incident.CauseOurs, Text: "SECRET: the pool of pay-api-3 is too small."}
	return incident.Telling{
		Facts: f, Says: incident.Identified, Expected: after(3 * time.Hour), Workaround: "Please pay by bank transfer.", Due: after(61 * time.Minute),
	}
}

func TestDrafts(t *testing.T) {
	all := texts(t)
	early, over := drafted(), drafted()
	early.Says, early.Expected, early.Workaround, early.Due, early.Facts.Cause = incident.Investigating, time.Time{}, "", time.Time{}, nil
	over.Says, over.Facts.Status, over.Facts.Times.Resolved = incident.BackToNormal, incident.Resolved, after(78*time.Minute)
	over.Expected, over.Workaround, over.Due, over.Facts.Clocks = time.Time{}, "", time.Time{}, nil
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, d := range []struct {
			name    string
			telling incident.Telling
		}{{"early", early}, {"known", drafted()}, {"over", over}} {
			for _, a := range incident.Audiences() {
				subject, text, err := all.Draft(d.telling, a, language)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "======== %s for %s\nSubject: %s\n\n%s\n", d.name, a, subject, text)
			}
		}
		golden(t, "drafts."+language+".txt", b.String())
	}
}

// What customers may read has nothing of the inside, whatever is known.
func TestADraftForCustomersHasNoInternalNames(t *testing.T) {
	all := texts(t)
	telling := drafted()
	telling.Facts.Problem = &incident.KnownProblem{ID: "PRB-SECRET", Title: "SECRET", KnownError: "SECRET", Workaround: "SECRET"}
	for _, language := range all.Languages() {
		subject, text, err := all.Draft(telling, incident.ForCustomers, language)
		if err != nil {
			t.Fatal(err)
		}
		for _, inside := range append([]string{"SECRET", "pay-api-3", telling.Facts.Title, telling.Facts.Responder}, append(telling.Facts.Alerts, telling.Facts.Customers...)...) {
			if strings.Contains(subject+text, inside) {
				t.Errorf("%s: tells %q:\n%s", language, inside, text)
			}
		}
	}
	if _, _, err := all.Draft(telling, "press", "en"); err == nil {
		t.Error("a draft for nobody was written")
	}
}

func TestADraftSaysWhatIsKnown(t *testing.T) {
	now := after(time.Hour)
	i := full()
	i.Clocks = append(i.Clocks[:0:0], supportplan.Clock{Customer: "acme", Target: supportplan.Update, State: supportplan.Running, Due: now.Add(time.Minute)})
	i.Status, i.Announced = incident.Acknowledged, &incident.Announcement{Status: incident.Identified, Expected: now.Add(-time.Minute), Workaround: "Wait."}
	d := i.Draft(now)
	if d.Says != incident.Identified || !d.Expected.IsZero() || d.Workaround != "Wait." || !d.Due.Equal(now.Add(time.Minute)) {
		t.Errorf("got %+v", d)
	}
}
