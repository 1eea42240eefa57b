package workflows_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Review writes what can be told apart: what it is about, and of a reminder which.
func (writer) Review(t review.Telling, to delivery.Recipient) (delivery.Message, error) {
	subject := strings.TrimRight(strings.Join([]string{string(t.About), string(t.Stage), string(t.Notice)}, "-"), "-")
	return delivery.Message{Kind: delivery.Review, Language: to.Language, Subject: subject, Text: t.Text}, nil
}

func (writer) ReviewDraft(f review.Facts, customer, language string) (string, error) {
	return "# " + f.Service + " " + customer + " " + language + "\n\n## What happened\n", nil
}

// changes are what runs of plans have changed.
type changes struct {
	all   []review.Change
	asked activities.FindChangesInput
	fails bool
}

func (c *changes) Changed(_ context.Context, service string, from, until time.Time) ([]review.Change, error) {
	c.asked = activities.FindChangesInput{Service: service, From: from, Until: until}
	if c.fails {
		return nil, errors.New("runs do not answer")
	}
	return c.all, nil
}

// staged is a review that lee owns and choi leads, of an incident that touched Acme, with a deadline of its own for each stage.
func staged() workflows.ReviewInput {
	return workflows.ReviewInput{
		Facts: review.Facts{
			Incident: "INC-TEST", Service: "Shop", Priority: priority.P1, Zone: "UTC",
			Times:  incident.Times{Started: start.Add(-2 * time.Hour), Resolved: start.Add(-time.Hour)},
			Record: &review.Record{ServiceID: "shop", Language: "en", Customers: []review.Customer{{ID: "acme", Name: "Acme"}}, Answered: []review.Contacted{{Name: "Kim", ID: "kim"}}},
		},
		Due: start.Add(20 * 24 * time.Hour),
		Rules: &review.Rules{
			Draft: 2, Meeting: 3, Publish: 4, Calendar: "office", Pinned: []calendar.Rules{officeHours()},
			Owner: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, Lead: []escalation.Target{{Kind: escalation.Person, ID: "choi"}},
		},
	}
}

// study runs a review to its end.
func (r *rehearsal) study(in workflows.ReviewInput) (state review.Review) {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.ReviewWorkflow, sealed(r, workflows.ReviewWorkflow, "", timeline.Muster(), in))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	if err := r.env.GetWorkflowResult(&state); err != nil {
		r.Fatal(err)
	}
	return state
}

// studies asks something of a review when so much time has passed.
func studies[C review.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String()+by.ID, update, by, c) })
	return a
}

// asIs asks something that names the text of an audience as it is then.
func asIs[C review.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, audience string, c func(sha256 string) C) *answer {
	a := &answer{}
	r.at(after, func() {
		v, err := r.env.QueryWorkflow(workflows.StateQuery)
		if err != nil {
			r.Fatal(err)
		}
		var state review.Review
		if err := v.Get(&state); err != nil {
			r.Fatal(err)
		}
		tell(r, a, update+after.String()+by.ID, update, by, c(state.Text(audience).SHA256))
	})
	return a
}

const day = 24 * time.Hour

// write fills in what a draft needs, and the pattern.
func write(r *rehearsal, after time.Duration) {
	for n, k := range review.Wanted() {
		studies(r, after+time.Duration(n)*time.Second, workflows.WriteUpdate, kim, review.Write{Section: k, Text: "what is known of " + string(k)})
	}
	studies(r, after+10*time.Second, workflows.AddFactorUpdate, kim, review.AddFactor{Kind: review.Technical, Text: "a cache without a limit"})
	studies(r, after+11*time.Second, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"})
}

const narrative = "## What happened\n\nThe shop was slow for an hour because a cache had no limit. It has one now.\n"

func approves(audience string, sides ...review.Side) func(string) review.Approve {
	return func(sha256 string) review.Approve {
		return review.Approve{Audience: audience, SHA256: sha256, Sides: sides}
	}
}

func publishes(audience string) func(string) review.PublishText {
	return func(sha256 string) review.PublishText { return review.PublishText{Audience: audience, SHA256: sha256} }
}

func TestAReviewFromItsFactsToAPublishedTextForTheCustomer(t *testing.T) {
	r := rehearse(t)
	deployed := review.Change{Run: "RUN-7K3M9QX2PA", Title: "Upgrade", Environment: "Production", Task: "deploy", At: start.Add(-3 * time.Hour)}
	r.changes.all = []review.Change{deployed}
	write(r, time.Hour)
	studies(r, 2*time.Hour, workflows.InviteUpdate, kim, review.Invite{Vendor: "mega", Name: "Ms Vega"})
	studies(r, 3*time.Hour, workflows.SubmitUpdate, kim, review.Submit{})
	asIs(r, 4*time.Hour, workflows.ApproveUpdate, park, review.Internal, approves(review.Internal, review.TechnicalSide))
	studies(r, 5*time.Hour, workflows.HoldMeetingUpdate, kim, review.HoldMeeting{Who: []string{"Kim", "Park", "Ms Vega"}, Minutes: "agreed"})
	asIs(r, 6*time.Hour, workflows.PublishUpdate, kim, review.Internal, publishes(review.Internal))
	studies(r, 7*time.Hour, workflows.WriteTextUpdate, kim, review.WriteText{Customer: "acme", Text: narrative})
	asIs(r, 8*time.Hour, workflows.ApproveUpdate, park, "acme", approves("acme", review.TechnicalSide))
	asIs(r, 9*time.Hour, workflows.ApproveUpdate, yoon, "acme", approves("acme", review.OtherSide))
	asIs(r, 10*time.Hour, workflows.PublishUpdate, kim, "acme", publishes("acme"))
	studies(r, 11*time.Hour, workflows.AddActionUpdate, kim, review.AddAction{ID: "ACT-1", Title: "limit the cache"})
	studies(r, 12*time.Hour, workflows.CloseUpdate, park, review.Close{Text: "one alert changed"})
	state := r.study(staged())
	r.wantTold("begun lee", "invited mega", "shared lee", "shared kim", "published acme/desk")
	if state.Status != review.Closed || state.Overdue || state.ClosedBy != park || state.Without != "" || len(state.Actions) != 1 {
		t.Errorf("got %+v", state)
	}
	began := start.Add(-2 * time.Hour)
	if want := (activities.FindChangesInput{Service: "shop", From: began.Add(-review.Before), Until: began}); r.changes.asked != want ||
		!state.Sought || len(state.Changes) != 1 || state.Changes[0] != deployed || count(state.Timeline, timeline.ChangeFound) != 1 {
		t.Errorf("asked for %+v, changed before: %+v", r.changes.asked, state.Changes)
	}
	for _, d := range state.Deadlines {
		if d.Due.IsZero() || d.Done.IsZero() || d.Missed() {
			t.Errorf("deadline %+v: want it kept", d)
		}
	}
	if x := state.Text("acme"); x.Draft != "# Shop acme ko\n\n## What happened\n" || x.PublishedBy != kim || x.SHA256 != review.SHA256(narrative) {
		t.Errorf("the text for the customer: %+v", x)
	}
}

func TestAReviewThatNobodyWorksOnIsEscalatedStageByStage(t *testing.T) {
	r := rehearse(t)
	r.changes.fails = true
	studies(r, 30*day, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"})
	studies(r, 30*day+time.Minute, workflows.CloseUpdate, kim, review.Close{Text: "given up", Without: "nobody had time"})
	state := r.study(staged())
	want := []string{"begun lee"}
	for _, stage := range []string{"draft", "meeting", "publish", "close"} {
		about := "reminder-" + stage + "-"
		want = append(want, about+"soon lee", about+"late lee", about+"escalated lee", about+"escalated choi")
	}
	r.wantTold(want...)
	if count(state.Timeline, timeline.ReviewLate) != 3 || count(state.Timeline, timeline.ReviewEscalated) != 4 || !state.Overdue {
		t.Errorf("%d late, %d escalated, overdue %v", count(state.Timeline, timeline.ReviewLate), count(state.Timeline, timeline.ReviewEscalated), state.Overdue)
	}
	if state.Sought || count(state.Timeline, timeline.Undetermined) != 1 {
		t.Errorf("what was changed before is said to be known, though nobody could say")
	}
	seoul := time.FixedZone("KST", 9*60*60)
	for n, want := range []string{"Wed 25 Nov 18:00", "Thu 26 Nov 18:00", "Fri 27 Nov 18:00", "Sun 13 Dec 18:00"} {
		if got := state.Deadlines[n].Due.In(seoul).Format("Mon 2 Jan 15:04"); got != want {
			t.Errorf("%s is due %s, want %s", state.Deadlines[n].Stage, got, want)
		}
	}
}

func TestWhoMayNotApproveOrPublishIsRefusedInTheTimeline(t *testing.T) {
	r := rehearse(t)
	robot := timeline.Actor{Kind: timeline.Source, ID: "robot"}
	studies(r, time.Hour, workflows.WriteTextUpdate, kim, review.WriteText{Customer: "acme", Text: narrative})
	refused := map[string]*answer{
		"Kim has written it: want another person":   asIs(r, 2*time.Hour, workflows.ApproveUpdate, kim, "acme", approves("acme", review.TechnicalSide)),
		"it has changed; read it again":             studies(r, 3*time.Hour, workflows.ApproveUpdate, park, approves("acme", review.TechnicalSide)("00")),
		"approve review INC-TEST: want a person":    asIs(r, 4*time.Hour, workflows.ApproveUpdate, robot, "acme", approves("acme", review.TechnicalSide)),
		"want the approval of a technical":          asIs(r, 5*time.Hour, workflows.PublishUpdate, park, "acme", publishes("acme")),
		"publish review INC-TEST: want a person":    asIs(r, 8*time.Hour, workflows.PublishUpdate, robot, "acme", publishes("acme")),
		"want the approval of a non-technical":      asIs(r, 6*time.Hour+time.Minute, workflows.PublishUpdate, park, "acme", publishes("acme")),
		"acme: sha256 00: it has changed; read it ": studies(r, 9*time.Hour, workflows.PublishUpdate, park, publishes("acme")("00")),
	}
	asIs(r, 6*time.Hour, workflows.ApproveUpdate, park, "acme", approves("acme", review.TechnicalSide))
	asIs(r, 10*time.Hour, workflows.RejectUpdate, yoon, "acme", func(sha256 string) review.Reject {
		return review.Reject{Audience: "acme", SHA256: sha256, Reason: "nobody understands it"}
	})
	refused["it was rejected"] = asIs(r, 11*time.Hour, workflows.PublishUpdate, park, "acme", publishes("acme"))
	studies(r, 12*time.Hour, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"})
	studies(r, 13*time.Hour, workflows.CloseUpdate, kim, review.Close{Text: "done", Without: "a drill"})
	state := r.study(staged())
	for want, a := range refused {
		if a.rejected != nil || a.failed == nil || !strings.Contains(strings.ReplaceAll(a.failed.Error(), "김민수", "Kim"), strings.ReplaceAll(want, "acme:", "Acme:")) {
			t.Errorf("got %+v, want %q", a, want)
		}
	}
	if n := count(state.Timeline, timeline.ReviewRefused); n != len(refused) {
		t.Errorf("%d refusals stand in the timeline, want %d", n, len(refused))
	}
}

func TestAReviewRefusesWhatCannotBeDoneAndRemembersNothingOfIt(t *testing.T) {
	r := rehearse(t)
	at := time.Hour
	refused := func(want string, a *answer) {
		at += time.Minute
		t.Cleanup(func() {
			if a.rejected == nil || !strings.Contains(a.rejected.Error(), want) {
				t.Errorf("got %+v, want it rejected with %q", a, want)
			}
		})
	}
	refused(`section "x": want impact or`, studies(r, at, workflows.WriteUpdate, kim, review.Write{Section: "x", Text: "y"}))
	refused("kind \"x\"", studies(r, at, workflows.AddFactorUpdate, kim, review.AddFactor{Kind: "x", Text: "y"}))
	refused("no such factor", studies(r, at, workflows.RemoveFactorUpdate, kim, review.RemoveFactor{Number: 1}))
	refused("remedy: missing", studies(r, at, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "x", Cause: "y"}))
	refused("name: missing", studies(r, at, workflows.InviteUpdate, kim, review.Invite{Vendor: "mega"}))
	refused("missing: impact, detect", studies(r, at, workflows.SubmitUpdate, kim, review.Submit{}))
	refused("its draft is not submitted", studies(r, at, workflows.HoldMeetingUpdate, kim, review.HoldMeeting{Who: []string{"Kim"}, Minutes: "x"}))
	refused("it is the draft of the engine", studies(r, at, workflows.WriteTextUpdate, kim, review.WriteText{Customer: "acme", Text: "# Shop  acme ko\n\n## What happened\n\n"}))
	refused("the incident has not touched it", studies(r, at, workflows.WriteTextUpdate, kim, review.WriteText{Customer: "nuri", Text: narrative}))
	refused("it is not written yet", studies(r, at, workflows.ApproveUpdate, park, approves("acme", review.OtherSide)("00")))
	refused("it is not written yet", studies(r, at, workflows.PublishUpdate, park, publishes(review.Internal)("00")))
	refused("id: missing", studies(r, at, workflows.AddActionUpdate, kim, review.AddAction{Title: "x"}))
	refused("pattern: missing", studies(r, at, workflows.CloseUpdate, kim, review.Close{Text: "x"}))
	studies(r, at, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"})
	at += time.Minute
	refused("without: missing", studies(r, at, workflows.CloseUpdate, kim, review.Close{Text: "x"}))
	studies(r, at, workflows.WriteTextUpdate, kim, review.WriteText{Customer: "acme", Text: narrative})
	at += time.Minute
	refused("Acme: it waits to be published or rejected", studies(r, at, workflows.CloseUpdate, kim, review.Close{Text: "x", Without: "y"}))
	asIs(r, at, workflows.RejectUpdate, park, "acme", func(sha256 string) review.Reject {
		return review.Reject{Audience: "acme", SHA256: sha256, Reason: "not needed"}
	})
	studies(r, at+time.Minute, workflows.CloseUpdate, park, review.Close{Text: "x", Without: "y"})
	state := r.study(staged())
	if n := count(state.Timeline, timeline.ReviewRefused); n != 0 {
		t.Errorf("%d refusals in the timeline, want none", n)
	}
}

func TestAnIncidentThatIsResolvedOnceMoreExtendsItsReview(t *testing.T) {
	r := rehearse(t)
	write(r, time.Hour)
	studies(r, 3*time.Hour, workflows.SubmitUpdate, kim, review.Submit{})
	asIs(r, 4*time.Hour, workflows.ApproveUpdate, park, review.Internal, approves(review.Internal, review.TechnicalSide))
	asIs(r, 6*time.Hour, workflows.PublishUpdate, kim, review.Internal, publishes(review.Internal))
	again := staged()
	again.Facts.Times.Resolved, again.Facts.Reopened, again.Due = start.Add(day), 1, start.Add(25*day)
	for _, at := range []time.Duration{day, day + time.Hour} { // told twice, it is extended once
		r.at(at, func() {
			r.env.SignalWorkflow(workflows.IncidentResolvedSignal, sealed(r, workflows.IncidentResolvedSignal, "", timeline.Muster(), again))
		})
	}
	studies(r, 2*day, workflows.CloseUpdate, park, review.Close{Text: "done", Without: "the second time needs no text of its own"})
	state := r.study(staged())
	r.wantTold("begun lee", "shared lee", "shared kim", "begun lee")
	if x := state.Text(review.Internal); state.Extended != 1 || !x.Published.IsZero() || len(x.Votes) != 0 {
		t.Errorf("extended %d times; the internal text: %+v", state.Extended, x)
	}
	if len(state.Sections) != len(review.Wanted()) || state.Facts.Reopened != 1 || count(state.Timeline, timeline.ApprovalsVoid) != 1 {
		t.Errorf("%d sections, %d voided; want what was written to stay", len(state.Sections), count(state.Timeline, timeline.ApprovalsVoid))
	}
	if d := state.Deadlines[1]; d.Due.In(time.UTC) != time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC) {
		t.Errorf("the meeting is due %s: want it three working days after the second resolution", d.Due)
	}
}

func TestACancelledStagedReviewGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Hour, r.env.CancelWorkflow)
	studies(r, 2*time.Hour, workflows.SetPatternUpdate, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"})
	studies(r, 3*time.Hour, workflows.CloseUpdate, kim, review.Close{Text: "done", Without: "a drill"})
	if state := r.study(staged()); count(state.Timeline, timeline.CancelRefused) != 1 || state.Status != review.Closed {
		t.Errorf("got %+v", state.Timeline)
	}
}

func TestAReviewThatIsNotSignedDoesNotBegin(t *testing.T) {
	r := rehearse(t)
	r.env.ExecuteWorkflow(workflows.ReviewWorkflow, signature.Unsigned(staged()))
	if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "open review: ") {
		t.Errorf("got %v, want it refused", err)
	}
}
