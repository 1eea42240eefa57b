package review_test

import (
	"reflect"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/timeline"
)

func TestAPhaseIsKnownWhenBothItsEndsAre(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 23, 9, minute, 0, 0, time.UTC) }
	took := func(p review.Phase, minutes int) review.Interval {
		return review.Interval{Phase: p, Took: time.Duration(minutes) * time.Minute}
	}
	for _, tc := range []struct {
		name  string
		times incident.Times
		want  []review.Interval
	}{
		{
			"all",
			incident.Times{Started: at(0), Alerted: at(1), Engaged: at(3), Mitigation: at(7), Resolved: at(15)},
			[]review.Interval{took(review.Detect, 1), took(review.Engage, 2), took(review.Diagnose, 4), took(review.Mitigate, 8)},
		},
		{"known at once", incident.Times{Started: at(0), Alerted: at(0)}, []review.Interval{took(review.Detect, 0)}},
		{
			"resolved by itself", // nobody came, so the time until then is no phase of its own
			incident.Times{Started: at(0), Alerted: at(1), Resolved: at(15)},
			[]review.Interval{took(review.Detect, 1)},
		},
		{
			"never mitigated",
			incident.Times{Started: at(0), Alerted: at(1), Engaged: at(3), Resolved: at(15)},
			[]review.Interval{took(review.Detect, 1), took(review.Engage, 2)},
		},
		{
			"resolved, reopened, and resolved by itself",
			incident.Times{Started: at(0), Alerted: at(1), Engaged: at(20), Resolved: at(15)},
			[]review.Interval{took(review.Detect, 1), took(review.Engage, 19)},
		},
		{"nothing known", incident.Times{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			facts := review.FactsOf(&incident.Incident{Times: tc.times})
			if !reflect.DeepEqual(facts.Intervals, tc.want) {
				t.Errorf("got %v, want %v", facts.Intervals, tc.want)
			}
		})
	}
}

// Customers read the review of a security incident too.
func TestTheReviewOfASecurityIncidentHasNoTitleOfItsAlerts(t *testing.T) {
	for kind, want := range map[incident.Kind]string{"": "Account stolen", incident.SecurityIncident: "Shop"} {
		i := &incident.Incident{Definition: incident.Definition{Kind: kind, Title: "Account stolen", Service: incident.Service{Name: "Shop"}}}
		if got := review.FactsOf(i).Title; got != want {
			t.Errorf("kind %q: got title %q, want %q", kind, got, want)
		}
	}
}

func TestWhoWasPagedIsReadFromTheTimeline(t *testing.T) {
	i := &incident.Incident{Definition: incident.Definition{Review: incident.ReviewRule{Stages: &incident.ReviewStages{}}}}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	arrived := func(what, to string, minute int) {
		i.Timeline.Add(at.Add(time.Duration(minute)*time.Minute), timeline.Delivered, timeline.Muster(), timeline.F("what", what), timeline.F("to", to))
	}
	arrived("customer-update", "Acme", 1)
	arrived("page", "Kim", 2)
	arrived("page", "Kim", 3) // by another method
	arrived("page", "Lee", 4)
	i.Timeline.Add(at.Add(5*time.Minute), timeline.Acknowledged, timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "Lee"})
	got := review.FactsOf(i).Record
	if want := []review.Contacted{{Name: "Kim", At: at.Add(2 * time.Minute)}, {Name: "Lee", At: at.Add(4 * time.Minute)}}; !reflect.DeepEqual(got.Paged, want) {
		t.Errorf("paged: got %v, want %v", got.Paged, want)
	}
	if want := []review.Contacted{{Name: "Lee", ID: "lee", At: at.Add(5 * time.Minute)}}; !reflect.DeepEqual(got.Answered, want) {
		t.Errorf("answered: got %v, want %v", got.Answered, want)
	}
}
