package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/starter/api"
)

// The last act: what the outage of the shop has taught. Its review is written, approved and published, what is to be done is done and
// verified, and whoever is called for the same alert next knows what helps.

const (
	customer  = "garam"
	narrative = "## What happened\n\nFor some minutes nobody could pay in the shop. A release had left too few connections to the database. We went " +
		"back to the release before it, and every payment has gone through since.\n"
	remedyOfPool = "Go back to the release before, then give the pool more connections."
)

// board are who works on the review, each with a token of their own; the second on-call, who writes it, is the story's.
type board struct{ colleague, outsider, customer *api.Client }

func (s *story) reviewing() []scene {
	return []scene{
		{"the review knows who was paged and answered, what was sent and what was promised", s.knowsFacts},
		{"the second on-call writes it, with several factors and the pattern", s.writesReview},
		{"whoever has written it may not approve it", s.refusesAuthor(review.Internal, "has written it")},
		{"a colleague approves exactly that, and it is published for those who have responded", s.publishesReview},
		{"the engine's draft for the customer has no names, and cannot be published as it is", s.drafts},
		{"a person writes what the customer reads, and may not approve it either", s.writesText},
		{"nothing is published that one technical and one other person have not approved", s.refusesEarly},
		{"both approve, a person publishes it, and it reaches the customer", s.publishesText},
		{"the customer reads its text, and nothing of the review", s.customerReads},
		{"an action item comes of it", s.opensItem},
		{"whoever has done it shows evidence, and may not verify it", s.doesItem},
		{"somebody else verifies it", s.verifiesItem},
		{"the review is closed, and what was refused stands in it", s.closesReview},
		{"the same alert once more: the next responder's page says what helped", s.tellsPattern},
		{"and its review knows what was changed before it", s.knowsChanges},
	}
}

// look waits until the review is as it should be.
func (s *story) look(ctx context.Context, id incident.ID, check func(*review.Review) bool) error {
	return until(ctx, func() (bool, error) {
		r, err := s.api.Review(ctx, id)
		if p := (api.Refusal{}); errors.As(err, &p) && p.Status == 404 {
			return false, nil
		}
		return err == nil && check(&r), err
	})
}

func (s *story) knowsFacts(ctx context.Context) error {
	for _, part := range []struct {
		actor string
		who   **api.Client
	}{{s.first.ID, &s.board.colleague}, {"moon", &s.board.outsider}, {premium, &s.board.customer}} {
		made, err := s.as(ctx, part.actor)
		if err != nil {
			return err
		}
		*part.who = made
	}
	if err := s.look(ctx, s.id, func(r *review.Review) bool {
		return r.Sought && !r.Facts.Times.Closed.IsZero() && r.Text(customer) != nil && r.Text(customer).Draft != ""
	}); err != nil {
		return err
	}
	r, err := s.api.Review(ctx, s.id)
	if err != nil {
		return err
	}
	f := r.Facts.Record
	if len(f.Updates) < 3 || !f.Updates[len(f.Updates)-1].AllClear || len(f.Paged) != 2 || len(f.Answered) != 1 || f.Met == 0 || len(f.Customers) != 1 {
		return fmt.Errorf("it has %d paged, %d answered, %d updates, %d promises met, %d customers", len(f.Paged), len(f.Answered), len(f.Updates), f.Met, len(f.Customers))
	}
	return nil
}

// asks asks several things of the review of the incident, one after the other.
func (s *story) asks(ctx context.Context, by *api.Client, commands ...review.Command) error {
	for _, c := range commands {
		if _, err := by.AskReview(ctx, s.id, c, ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) writesReview(ctx context.Context) error {
	var all []review.Command
	for section, text := range map[review.Key]string{
		review.Impact: "Nobody could pay.", review.DetectSooner: "An alert on the waiting time of the pool would have come two minutes sooner.",
		review.DiagnoseFast: "The dashboard of the pool was not linked.", review.MitigateFast: "Going back took no longer than it has to.",
		review.Prevent: "The release is tested under load.",
	} {
		all = append(all, review.Write{Section: section, Text: text})
	}
	return s.asks(ctx, s.api, append(all,
		review.AddFactor{Kind: review.Technical, Text: "The pool was smaller than before."},
		review.AddFactor{Kind: review.Process, Text: "Nobody tests under load before a release."},
		review.SetPattern{Symptom: "The checkout answers 500.", Cause: "The pool of connections is empty.", Remedy: remedyOfPool},
		review.Submit{})...)
}

// text is the text of an audience as it stands.
func (s *story) text(ctx context.Context, audience string) (*review.Text, error) {
	r, err := s.api.Review(ctx, s.id)
	if err != nil {
		return nil, err
	}
	t := r.Text(audience)
	if t == nil {
		return nil, fmt.Errorf("the review has no text for %s", audience)
	}
	return t, nil
}

func (s *story) refusesAuthor(audience, want string) func(context.Context) error {
	return func(ctx context.Context) error {
		t, err := s.text(ctx, audience)
		if err != nil {
			return err
		}
		return refused(s.asks(ctx, s.api, review.Approve{Audience: audience, SHA256: t.SHA256}), want)
	}
}

func (s *story) publishesReview(ctx context.Context) error {
	t, err := s.text(ctx, review.Internal)
	if err == nil {
		err = s.asks(ctx, s.board.colleague, review.Approve{Audience: review.Internal, SHA256: t.SHA256})
	}
	if err == nil {
		err = s.asks(ctx, s.api, review.HoldMeeting{Who: []string{s.first.Name, s.second.Name}, Minutes: "Agreed, with one action item."},
			review.PublishText{Audience: review.Internal, SHA256: t.SHA256})
	}
	if err != nil {
		return err
	}
	return s.hears(delivery.Review, s.second.ID, "review report")(ctx)
}

// hears waits for a message to somebody that says something.
func (s *story) hears(k delivery.Kind, who, says string) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, func() (bool, error) { return s.sink.said(k, who, says), s.sink.faults() })
	}
}

func (s *story) drafts(ctx context.Context) error {
	t, err := s.text(ctx, customer)
	if err != nil {
		return err
	}
	for _, name := range []string{s.first.Name, s.second.Name} {
		if t.Draft == "" || strings.Contains(t.Draft, name) {
			return fmt.Errorf("the draft names %s, or there is none", name)
		}
	}
	return refused(s.asks(ctx, s.api, review.WriteText{Customer: customer, Text: review.Prose(t.Draft)}), "it is the draft of the engine")
}

func (s *story) writesText(ctx context.Context) error {
	t, err := s.text(ctx, customer)
	if err == nil {
		head, _, _ := strings.Cut(t.Draft, "\n## ")
		err = s.asks(ctx, s.api, review.WriteText{Customer: customer, Text: review.Prose(head + "\n" + narrative)})
	}
	if err != nil {
		return err
	}
	return s.refusesAuthor(customer, "has written it")(ctx)
}

func (s *story) refusesEarly(ctx context.Context) error {
	t, err := s.text(ctx, customer)
	if err != nil {
		return err
	}
	publish := review.PublishText{Audience: customer, SHA256: t.SHA256}
	if err := refused(s.asks(ctx, s.api, publish), "want the approval of a technical or non-technical person"); err != nil {
		return err
	}
	if err := s.asks(ctx, s.board.colleague, review.Approve{Audience: customer, SHA256: t.SHA256}); err != nil {
		return err
	}
	return refused(s.asks(ctx, s.api, publish), "want the approval of a non-technical person")
}

func (s *story) publishesText(ctx context.Context) error {
	t, err := s.text(ctx, customer)
	if err == nil {
		err = s.asks(ctx, s.board.outsider, review.Approve{Audience: customer, SHA256: t.SHA256})
	}
	if err == nil {
		err = s.asks(ctx, s.api, review.PublishText{Audience: customer, SHA256: t.SHA256})
	}
	if err != nil {
		return err
	}
	return s.hears(delivery.Review, premium, "too few connections")(ctx)
}

func (s *story) customerReads(ctx context.Context) error {
	own, err := s.board.customer.ReviewReport(ctx, s.id, "", report.Markdown, s.Language)
	if err != nil {
		return err
	}
	r, err := s.board.customer.Review(ctx, s.id)
	if err != nil {
		return err
	}
	if !strings.Contains(string(own), "too few connections") || len(r.Sections)+len(r.Factors) > 0 || r.Facts.Record != nil || len(r.Texts) != 1 {
		return errors.New("the customer lacks its text, or sees what is not for it")
	}
	return nil
}

func (s *story) opensItem(ctx context.Context) error {
	a, err := s.api.OpenAction(ctx, api.NewAction{
		Title: "Alert on the waiting time of the pool", Kind: action.Detect, Priority: 2, Owner: s.second.ID, Group: "noc", Due: time.Now().Add(14 * 24 * time.Hour),
		OriginKind: action.OfReview, Origin: string(s.id), ProposalFor: action.Checklist, ProposalID: "pool-alert",
		Proposal: "Is there an alert on the waiting time of each pool of connections?",
	}, "")
	if err != nil {
		return err
	}
	s.item = a.ID
	s.say("     %s: %s\n", a.ID, a.Title)
	return s.look(ctx, s.id, func(r *review.Review) bool { return len(r.Actions) == 1 && r.Actions[0].ID == string(a.ID) })
}

func (s *story) doesItem(ctx context.Context) error {
	if _, err := s.api.AskAction(ctx, s.item, action.Complete{Evidence: "https://git.mirnet.example/rules/commit/41", Note: "It fired in the test."}, ""); err != nil {
		return err
	}
	_, err := s.api.AskAction(ctx, s.item, action.Verify{Result: action.Yes}, "")
	return refused(err, "want another person")
}

func (s *story) verifiesItem(ctx context.Context) error {
	if _, err := s.board.colleague.AskAction(ctx, s.item, action.Verify{Result: action.Yes, Note: "I have seen it fire."}, ""); err != nil {
		return err
	}
	a, err := s.api.Action(ctx, s.item)
	if err == nil && (a.Status != action.Verified || a.Verifier.ID != s.first.ID || a.CheckAt.IsZero()) {
		err = fmt.Errorf("it is %s, verified by %s", a.Status, a.Verifier.ID)
	}
	return err
}

func (s *story) closesReview(ctx context.Context) error {
	if err := s.asks(ctx, s.api, review.Close{Text: "One alert more, and a test under load."}); err != nil {
		return err
	}
	r, err := s.api.Review(ctx, s.id)
	if err != nil {
		return err
	}
	var no []string
	for _, e := range r.Timeline.Entries {
		if e.Kind == timeline.ReviewRefused {
			no = append(no, e.Fact("action"))
		}
	}
	if want := []string{"approve", "approve", "publish", "publish"}; !slices.Equal(no, want) || r.Status != review.Closed || r.Ended.IsZero() {
		return fmt.Errorf("it is %s, and refused were %v, not %v", r.Status, no, want)
	}
	s.say("     from the first fact to the last text in %s\n", r.Ended.Sub(r.Opened).Round(time.Second))
	return nil
}

// tellsPattern has the alert fire again. Who is called first may be called before it is found out what came before, so that it is the
// page to the second that has to say it.
func (s *story) tellsPattern(ctx context.Context) error {
	s.began = time.Now().UTC().Format(time.RFC3339Nano)
	if err := s.post(ctx, "firing.json"); err != nil {
		return err
	}
	if err := s.hears(delivery.Page, s.second.ID, remedyOfPool)(ctx); err != nil {
		return err
	}
	page, err := s.api.List(ctx, api.Filter{Open: true})
	if err != nil {
		return err
	}
	if len(page.Incidents) != 1 {
		return fmt.Errorf("%d incidents are open", len(page.Incidents))
	}
	s.again = page.Incidents[0].ID
	_, err = s.api.Do(ctx, s.again, incident.Acknowledge{}, "")
	return err
}

func (s *story) knowsChanges(ctx context.Context) error {
	if err := s.post(ctx, "resolved.json"); err != nil {
		return err
	}
	return s.look(ctx, s.again, func(r *review.Review) bool {
		upgraded := slices.ContainsFunc(r.Changes, func(c review.Change) bool { return c.Run == string(s.upgraded) && c.Task == "deploy" })
		return r.Sought && upgraded == (s.upgraded != "")
	})
}
