package workflows_test

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/workflows"
)

// reviewing is a review that lee owns, due in three days.
func reviewing() workflows.ReviewInput {
	return workflows.ReviewInput{
		Facts: review.Facts{Incident: "INC-TEST", Priority: priority.P1}, Brief: incident.Facts{ID: "INC-TEST"},
		Due: start.Add(72 * time.Hour), Owner: []escalation.Target{{Kind: escalation.Person, ID: "lee"}},
	}
}

// says asks something of a review when so much time has passed.
func (r *rehearsal) says(after time.Duration, update, text string) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String(), update, park, workflows.ReviewWords{Text: text}) })
	return a
}

func (r *rehearsal) review(in workflows.ReviewInput) (state review.Review) {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.ReviewWorkflow, sealed(r, workflows.ReviewWorkflow, "", timeline.Muster(), in))
	if err := r.env.GetWorkflowError(); err != nil {
		r.Fatal(err)
	}
	if err := r.env.GetWorkflowResult(&state); err != nil {
		r.Fatal(err)
	}
	return state
}

func TestAReviewTellsItsOwnerAndEndsByAPerson(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "lee", Method: "phone"}, 1, inmem.Refuse("no such number"))
	r.says(100*time.Hour, workflows.CloseUpdate, "done")
	if state := r.review(reviewing()); state.Status != review.Closed || !state.Overdue {
		t.Errorf("the review is %s, overdue %v", state.Status, state.Overdue)
	}
	r.wantGot("review-opened lee", "review-due lee")
}

func TestAReviewIsPatientWithAWorkerThatLagsBehind(t *testing.T) {
	r := rehearse(t)
	r.older.Store(9) // three attempts each, three times
	r.says(time.Hour, workflows.CloseUpdate, "done")
	r.review(reviewing())
	r.wantGot("review-opened lee")
}

func TestAReviewTellsTheSelfWatchWhenItIsDue(t *testing.T) {
	r := rehearse(t)
	due, again := start.Add(72*time.Hour), start.Add(96*time.Hour)
	for _, updates := range [][]temporal.SearchAttributeUpdate{
		{workflows.StatusAttribute.ValueSet("open"), workflows.PriorityAttribute.ValueSet(1), workflows.NextDueAttribute.ValueSet(due)},
		{workflows.NextDueAttribute.ValueSet(again)}, // it was resolved once more
		{workflows.NextDueAttribute.ValueUnset()},    // overdue: its owner was told
		{workflows.StatusAttribute.ValueSet("closed")},
	} {
		r.env.OnUpsertTypedSearchAttributes(temporal.NewSearchAttributes(updates...)).Return(nil).Once()
	}
	r.at(24*time.Hour, func() {
		in := reviewing()
		in.Due = again
		r.env.SignalWorkflow(workflows.IncidentResolvedSignal, sealed(r, workflows.IncidentResolvedSignal, "", timeline.Muster(), in))
	})
	r.says(30*time.Hour, workflows.NoteUpdate, "met with the customer")
	r.says(100*time.Hour, workflows.CloseUpdate, "done")
	r.review(reviewing())
	r.env.AssertExpectations(t)
}

func TestAReviewTakesNotesUntilItsTimelineIsFull(t *testing.T) {
	r := rehearse(t)
	long := strings.Repeat("<", incident.MaxText)
	var notes []*answer
	for n := range 100 {
		notes = append(notes, r.says(time.Minute+time.Duration(n)*time.Second, workflows.NoteUpdate, long))
	}
	closed := r.says(time.Hour, workflows.CloseUpdate, long)
	state := r.review(reviewing())
	if notes[0].rejected != nil || closed.rejected != nil {
		t.Errorf("note: %v, close: %v; want both taken", notes[0].rejected, closed.rejected)
	}
	if last := notes[99].rejected; last == nil || !strings.Contains(last.Error(), "its timeline is full") {
		t.Errorf("the hundredth note: %v, want it refused", last)
	}
	if state.Timeline.Bytes > 600<<10 {
		t.Errorf("the timeline holds %d bytes", state.Timeline.Bytes)
	}
}

func TestACancelledReviewGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Hour, r.env.CancelWorkflow)
	r.says(2*time.Hour, workflows.CloseUpdate, "done")
	state := r.review(reviewing())
	refused := 0
	for _, e := range state.Timeline.Entries {
		if e.Kind == timeline.CancelRefused {
			refused++
		}
	}
	if refused != 1 || state.Status != review.Closed {
		t.Errorf("the cancel stands %d times in the timeline, the review is %s", refused, state.Status)
	}
}
