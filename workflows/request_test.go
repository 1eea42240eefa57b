package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/workflows"
)

// Request writes what can be told apart: what it is about, and where the request stands.
func (writer) Request(t request.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Request, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}, nil
}

// counter keeps one ledger in memory.
type counter struct {
	mu     sync.Mutex
	ledger usage.Ledger
	away   bool
}

func (c *counter) Claim(_ context.Context, claim usage.Claim) (usage.Counts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return usage.Counts{}, errors.New("the ledger is away")
	}
	c.ledger.Customer = claim.Customer
	return c.ledger.Claim(claim), c.ledger.Check(claim)
}

func (c *counter) Return(_ context.Context, _, request string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.Return(request)
	return nil
}

const tuning = request.ID("REQ-7K3M9QX2PA")

// asking asks for a tuning, which the plan includes once a month or not at all, recorded by kim.
func asking(grant supportplan.Grant) request.Terms {
	e := supportplan.Entitlement{
		Terms: supportplan.Terms{Coverage: supportplan.AroundTheClock, Column: "basic"},
		Table: supportplan.Table{Columns: []supportplan.Column{{ID: "basic"}}, Groups: []supportplan.Group{{Features: []supportplan.Feature{
			{ID: "tuning", In: []supportplan.Grant{grant}},
		}}}},
	}
	return request.Terms{
		ID: tuning, Request: "r", Recorder: kim,
		Asked: request.Asked{Customer: "acme", Kind: "tuning", Feature: "tuning", Received: start, Text: "It is slow."},
		Pinned: request.Pinned{
			CustomerName: "Acme", Zone: "UTC", Entitlement: e, AtRisk: 75, Confirm: &supportplan.Confirmation{Days: 2},
			Promises: []supportplan.Promise{{Target: supportplan.Respond, Within: time.Hour}},
			Uncounted: e.Check(supportplan.Request{
				Feature: "tuning", At: start, Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: true},
			}),
		},
	}
}

var (
	once     = supportplan.Grant{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: 1, Per: supportplan.Month}}
	included = supportplan.Grant{Kind: supportplan.Included}
	addOn    = supportplan.Grant{Kind: supportplan.AddOn}
)

// demand asks something of a request when so much time has passed.
func demand[C request.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String()+by.ID, update, by, c) })
	return a
}

// receive runs a request to its end and returns it.
func (r *rehearsal) receive(terms request.Terms) request.Request {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.RequestWorkflow, sealed(r, workflows.RequestWorkflow, "", kim, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var q request.Request
	if err := v.Get(&q); err != nil {
		r.Fatal(err)
	}
	return q
}

// wantTold compares what was delivered, in no order within what was begun at once.
func (r *rehearsal) wantTold(want ...string) {
	r.Helper()
	got := r.heard()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("delivered %v, want %v", got, want)
	}
}

func TestARequestThatThePlanCovers(t *testing.T) {
	r := rehearse(t)
	demand(r, 10*time.Minute, workflows.NoteUpdate, park, request.Note{Text: "looking"})
	done := demand(r, 20*time.Minute, workflows.AnswerUpdate, kim, request.Answer{Text: "Tuned."})
	q := r.receive(asking(included))
	r.wantTold("receipt acme/desk", "arrived choi", "answer acme/desk")
	if done.failed != nil || done.rejected != nil || q.Status != request.Closed || q.Ended != start.Add(20*time.Minute).AddDate(0, 0, 2) {
		t.Errorf("%+v, %s at %s", done, q.Status, q.Ended)
	}
	if c := q.Clocks[0]; c.State != supportplan.Met || !c.Due.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v", c)
	}
}

func TestARequestOutsideThePlanIsDecidedByAnotherPerson(t *testing.T) {
	r := rehearse(t)
	own := demand(r, time.Minute, workflows.ApproveUpdate, kim, request.Approve{Reason: "mine"})
	early := demand(r, 2*time.Minute, workflows.AnswerUpdate, park, request.Answer{Text: "x"})
	demand(r, 3*time.Minute, workflows.ApproveUpdate, park, request.Approve{Reason: "as a favour"})
	lost := demand(r, 4*time.Minute, workflows.DeclineUpdate, yoon, request.Decline{Reason: "no"})
	demand(r, 5*time.Minute, workflows.AnswerUpdate, park, request.Answer{Text: "Tuned."})
	q := r.receive(asking(addOn))
	r.wantTold("receipt acme/desk", "arrived choi", "decided acme/desk", "arrived choi", "answer acme/desk")
	if own.rejected != nil || own.failed == nil || !strings.Contains(own.failed.Error(), "want another person") || count(q.Timeline, timeline.DecisionRefused) != 1 {
		t.Errorf("who has recorded it decides: %+v, want a refusal that stands in the timeline", own)
	}
	for want, a := range map[string]*answer{"it is waiting-for-approval": early, "it is accepted by": lost} {
		if a.rejected == nil || !strings.Contains(a.rejected.Error(), want) {
			t.Errorf("got %v, want %q", a.rejected, want)
		}
	}
	if q.Status != request.Closed || q.DecidedBy != park {
		t.Errorf("%s, decided by %+v", q.Status, q.DecidedBy)
	}
}

func TestADeclinedRequest(t *testing.T) {
	r := rehearse(t)
	demand(r, time.Minute, workflows.DeclineUpdate, park, request.Decline{Reason: "not in the plan", Offer: "Premium"})
	q := r.receive(asking(addOn))
	r.wantTold("receipt acme/desk", "arrived choi", "decided acme/desk")
	if q.Status != request.Declined || q.Offer != "Premium" || q.Clocks[0].State != supportplan.Stopped {
		t.Errorf("got %+v", q)
	}
}

func TestEveryPromiseOfARequestMissed(t *testing.T) {
	r := rehearse(t)
	demand(r, 10*24*time.Hour, workflows.WithdrawUpdate, kim, request.Withdraw{Reason: "too late"})
	q := r.receive(asking(addOn))
	r.wantTold("receipt acme/desk", "arrived choi", "at-risk choi", "missed choi", "decided acme/desk")
	if q.Clocks[0].State != supportplan.Missed {
		t.Errorf("got %+v", q.Clocks)
	}
}

// The engineer who is away is left out, and the substitute is told.
func TestARequestFindsWhoAnswersForTheCustomer(t *testing.T) {
	r := rehearse(t)
	r.asleep = "choi"
	demand(r, time.Minute, workflows.WithdrawUpdate, kim, request.Withdraw{Reason: "x"})
	r.receive(asking(addOn))
	r.wantTold("receipt acme/desk", "arrived jung", "decided acme/desk")
}

func TestTheLastUnitOfAQuota(t *testing.T) {
	r := rehearse(t)
	demand(r, time.Minute, workflows.WithdrawUpdate, kim, request.Withdraw{Reason: "x"})
	if q := r.receive(asking(once)); q.Verdict.Outcome != supportplan.Covered || count(q.Timeline, timeline.RequestCounted) != 1 || q.Claimed || len(r.counter.ledger.Uses) != 0 {
		t.Errorf("got %+v and %+v, want that it is counted and given back", q, r.counter.ledger)
	}

	r = rehearse(t)
	r.counter.ledger = usage.Ledger{Customer: "acme", Uses: []usage.Use{{Request: "another", Feature: "tuning", At: start}}}
	demand(r, time.Minute, workflows.ApproveUpdate, park, request.Approve{Reason: "as a favour"})
	demand(r, 2*time.Minute, workflows.AnswerUpdate, park, request.Answer{Text: "Tuned."})
	if q := r.receive(asking(once)); q.Verdict.Reasons[0].Kind != supportplan.ReasonQuotaUsedUp || len(r.counter.ledger.Uses) != 2 {
		t.Errorf("got %+v and %+v, want that it waited and is counted", q.Verdict, r.counter.ledger)
	}
}

func TestAQuotaThatNobodyCanCount(t *testing.T) {
	r := rehearse(t)
	r.counter.away = true
	r.at(5*time.Minute, func() { r.counter.away = false })
	demand(r, 10*time.Minute, workflows.DeclineUpdate, park, request.Decline{Reason: "x"})
	q := r.receive(asking(once))
	if q.Verdict.Outcome != supportplan.Undecided || count(q.Timeline, timeline.RequestUncounted) != 1 || q.Claimed {
		t.Errorf("got %+v, %+v", q.Verdict, q.Timeline.Entries)
	}
	r.wantTold("receipt acme/desk", "arrived choi", "decided acme/desk")
}

func TestARequestTriesTheNextContactMethodAndSaysWhatIsRefused(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "acme/desk"}, 1, inmem.Refuse("no such hook"))
	demand(r, time.Minute, workflows.WithdrawUpdate, kim, request.Withdraw{Reason: "x"})
	if q := r.receive(asking(addOn)); count(q.Timeline, timeline.Refused) != 1 {
		t.Errorf("got %+v", q.Timeline.Entries)
	}
}

func TestACancelledRequestGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Minute, r.env.CancelWorkflow)
	demand(r, 2*time.Minute, workflows.DeclineUpdate, park, request.Decline{Reason: "x"})
	if q := r.receive(asking(addOn)); count(q.Timeline, timeline.CancelRefused) != 1 || q.Status != request.Declined {
		t.Errorf("got %+v", q)
	}
}

func TestARequestTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":            {func(*rehearsal) any { return asking(included) }, "it is not signed"},
		"by a stranger":         {func(r *rehearsal) any { return as(r, r.stranger(), workflows.RequestWorkflow, asking(included)) }, "none of this installation's"},
		"in another's name":     {func(r *rehearsal) any { return sealed(r, workflows.RequestWorkflow, "", park, asking(included)) }, "김민수 has recorded it, and 박서준 asks for it"},
		"copied from elsewhere": {func(r *rehearsal) any { return sealed(r, workflows.HandoverWorkflow, "", kim, asking(included)) }, "the signature does not fit"},
		"of nothing": {func(r *rehearsal) any {
			return sealed(r, workflows.RequestWorkflow, "", kim, request.Terms{Recorder: kim})
		}, "want one such as"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.RequestWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
	r := rehearse(t)
	unsigned := &answer{}
	r.at(time.Minute, func() { unsigned.to(r, "u1", workflows.ApproveUpdate, request.Approve{Reason: "x"}) })
	demand(r, 2*time.Minute, workflows.DeclineUpdate, park, request.Decline{Reason: "x"})
	if q := r.receive(asking(addOn)); unsigned.rejected == nil || q.Status != request.Declined {
		t.Errorf("unsigned %v, %s", unsigned.rejected, q.Status)
	}
}

// It is taken, handed over, asked of a vendor and chased, answered, found wanting, and answered again.
func TestARequestIsWorkedOn(t *testing.T) {
	r := rehearse(t)
	desk := timeline.Actor{Kind: timeline.Person, ID: "acme/desk", Name: "Desk"}
	terms := asking(supportplan.Grant{Kind: supportplan.Included})
	terms.Needs = []request.Need{{ID: "version"}}
	demand(r, 1*time.Minute, workflows.TakeUpdate, kim, request.Take{})
	early := demand(r, 2*time.Minute, workflows.HandOverUpdate, kim, request.HandOver{Person: "park", Name: "박서준", Note: "x", Engineer: true})
	demand(r, 3*time.Minute, workflows.CollectUpdate, kim, request.Collect{Need: "version", Text: "4.2"})
	demand(r, 4*time.Minute, workflows.HandOverUpdate, kim, request.HandOver{Person: "park", Name: "박서준", Note: "x", Engineer: true})
	demand(r, 5*time.Minute, workflows.RecordCaseUpdate, park, request.RecordCase{Vendor: "skyhost", Ref: "SR-1", Chase: start.Add(20 * time.Minute)})
	demand(r, 30*time.Minute, workflows.AnswerUpdate, park, request.Answer{Text: "So."})
	own := demand(r, 31*time.Minute, workflows.JudgeUpdate, park, request.Judge{Result: request.Complete})
	demand(r, 32*time.Minute, workflows.JudgeUpdate, desk, request.Judge{Result: request.Incomplete, Note: "still slow"})
	demand(r, 33*time.Minute, workflows.PromoteUpdate, park, request.Promote{Incident: "INC-0000000001"})
	demand(r, 40*time.Minute, workflows.AnswerUpdate, park, request.Answer{Text: "Now."})
	demand(r, 41*time.Minute, workflows.JudgeUpdate, desk, request.Judge{Result: request.Complete, Score: 4})
	q := r.receive(terms)
	for _, want := range []string{"handed park", "chase park", "objected park"} {
		if !slices.Contains(r.heard(), want) {
			t.Errorf("heard %q, want %q", r.heard(), want)
		}
	}
	for want, got := range map[string]*answer{"who needs version first": early, "want the customer or another person": own} {
		if got.rejected == nil || !strings.Contains(got.rejected.Error(), want) {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
	if q.Status != request.Closed || !q.Ended.Equal(start.Add(41*time.Minute)) || q.Rating == nil || q.Rating.Score != 4 || q.Incident != "INC-0000000001" || !q.Case.Chased {
		t.Errorf("got %+v", q)
	}
}

// The customer is told of an issue. Its silence is as good as a word, once the days have passed in which it may object.
func TestACustomerIsToldOfAnIssue(t *testing.T) {
	r := rehearse(t)
	terms := asking(supportplan.Grant{Kind: supportplan.Included})
	terms.Begun = request.WithProvider
	q := r.receive(terms)
	if q.Status != request.Closed || len(q.Clocks) != 0 || len(r.heard()) == 0 || !strings.HasPrefix(r.heard()[0], "notice") {
		t.Errorf("heard %q, got %+v", r.heard(), q)
	}
}
