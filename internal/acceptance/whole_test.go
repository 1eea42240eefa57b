package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"

	alerts "muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
	"muster/workflows"
)

// reported plays what a customer reports, with an alert's incident merged into it, to the customer's answer. It returns the
// histories of both.
func (b *bare) reported(t *testing.T) (phone, merged []*historypb.History) {
	t.Helper()
	def, err := b.live.Current().Reported(incident.Reported{Service: "bank"})
	must(t, err)
	n := incident.Notice{Customer: "initech", Channel: "phone", Receipt: "CS-1", Received: time.Now().Add(-time.Minute), Text: "Nobody can pay."}
	var id incident.ID
	for fresh := true; ; fresh = false { // the same request finds what it has opened
		again, first, err := b.incidents.Open(t.Context(), starter.Request{ID: "open", By: bob(), Via: "token:test"}, def, n)
		must(t, err)
		if first != fresh || id != "" && again != id {
			t.Errorf("opened %s, fresh %v; was %s", again, first, id)
		}
		if id = again; !fresh {
			break
		}
	}
	if _, _, err := b.incidents.Open(t.Context(), starter.Request{ID: "another", By: bob()}, def, n); err == nil {
		t.Error("another report under a number that is known was taken")
	}
	b.awaitPage(t, "/ada/app", id)
	alert := b.begin(t, "bank", "merged", "/ada/app")
	ref, err := b.incidents.Find(t.Context(), id)
	must(t, err)
	must(t, command(t.Context(), b, alert, workflows.MergeUpdate, incident.Merge{Into: id, WorkflowID: ref.WorkflowID, Reason: "The same."}))
	b.state(t, "bank", "merged", "it is merged", func(i *incident.Incident) bool { return i.Status == incident.Merged })
	b.tell(t, "bank", "merged", alerts.Firing, 2)
	must(t, command(t.Context(), b, id, workflows.AcknowledgeUpdate, incident.Acknowledge{}))
	must(t, command(t.Context(), b, id, workflows.AddResponderUpdate, incident.AddResponder{Person: "cat", Name: "Cat", Note: "The ledger."}))
	must(t, command(t.Context(), b, id, workflows.SetCauseUpdate, incident.SetCause{Domain: incident.CauseOurs, Text: "A leak."}))
	must(t, command(t.Context(), b, id, workflows.ResolveUpdate, incident.Resolve{Note: "Restarted."}))
	must(t, command(t.Context(), b, id, workflows.SendReportUpdate, incident.SendReport{Text: "We have found and mended a leak."}))
	b.taken(t, delivery.ResultReport)
	must(t, command(t.Context(), b, id, workflows.AnswerUpdate, incident.Answer{Answer: incident.Fixed, Customer: "initech"}))
	merged = b.ended(t, "bank", "merged")
	must(t, until(t.Context(), "the one that was reported is over", func() (err error) {
		if phone, err = b.incidents.History(t.Context(), id); err == nil {
			err = over(phone[len(phone)-1])
		}
		return err
	}))
	return phone, merged
}

// taken waits until the customer has got a message of a kind.
func (b *bare) taken(t *testing.T, k delivery.Kind) {
	t.Helper()
	must(t, until(t.Context(), string(k)+" arrives", func() error {
		if len(b.sink.got(taken(func(a attempt) bool { return a.Message.Kind == k && a.path == "/initech/mail" }))) == 0 {
			return errors.New("it has not")
		}
		return nil
	}))
}

// A node that is killed again and again while what people have reported is merged, resolved, reported on and answered.
func TestKilledNodeLosesNoMergeAndNoReport(t *testing.T) {
	t.Parallel()
	lives, pairs := 12, 6
	if testing.Short() {
		lives, pairs = 3, 2
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 2))
	sink := newReceiver(t)
	sink.slow(dice.Uint64(), "/ada/app", "/initech/mail")
	s, life, now := mortal(t, "node", sink, nil)

	played := make([]pair, pairs)
	over := make(chan error, pairs)
	for n := range played {
		go func() { over <- s.play(t.Context(), fmt.Sprintf("p%02d", n), &played[n]) }()
	}
	for range lives {
		if dice.IntN(4) > 0 {
			now.awaitReady(t)
		}
		time.Sleep(time.Duration(dice.IntN(1500)) * time.Millisecond)
		now.kill()
		now = life()
	}
	now.awaitReady(t)
	for range pairs {
		must(t, <-over)
	}
	sink.check(t)
	for _, p := range played {
		entries := checkTimeline(t, s.api, p.phone, sink)
		if n := len(entriesOf(entries, timeline.ResultSent, "", "")); n != 1 {
			t.Errorf("%s: the result report stands %d times in the timeline, want once", p.phone, n)
		}
		if n := len(entriesOf(entries, timeline.MergeTaken, "from", string(p.alert))); n != 1 {
			t.Errorf("%s: it has taken the other one in %d times, want once", p.phone, n)
		}
		reports := sink.got(taken(func(a attempt) bool {
			return a.Message.Kind == delivery.ResultReport && a.Message.Incident == string(p.phone)
		}))
		if n := len(ids(reports)); n != 1 {
			t.Errorf("%s: %d result reports have arrived, want one", p.phone, n)
		}
		checkReplay(t, s.api, p.phone)
		checkReplay(t, s.api, p.alert)
	}
}

// A pair is what was reported, and the alert's incident that was merged into it.
type pair struct{ phone, alert incident.ID }

// play asks for each step until it is taken.
func (s *system) play(ctx context.Context, name string, p *pair) error {
	key := api.NewKey()
	err := until(ctx, "it is reported", func() error {
		o, err := s.api.Open(ctx, api.NewIncident{Service: "bank", Title: name + " by phone", Customer: "initech", Receipt: name}, key)
		p.phone = o.ID
		return err
	})
	if err == nil {
		err = deliver(ctx, s.url, body("bank", name, "firing", 2, ""))
	}
	if err == nil {
		p.alert, err = opened(ctx, s.api, name)
	}
	steps := []struct {
		of  *incident.ID
		cmd incident.Command
		is  incident.Status // afterwards
	}{
		{&p.phone, incident.Acknowledge{}, incident.Acknowledged},
		{&p.alert, incident.Merge{Into: p.phone, Reason: "The same."}, incident.Merged},
		{&p.phone, incident.Resolve{Note: "Restarted."}, incident.Resolved},
		{&p.phone, incident.SendReport{Text: "We have found and mended a leak."}, ""},
		{&p.phone, incident.Answer{Answer: incident.Fixed}, incident.Closed},
		{&p.alert, nil, incident.Closed},
	}
	for _, step := range steps {
		if err != nil {
			return err
		}
		if step.cmd != nil {
			err = do(ctx, s.api, *step.of, step.cmd, api.NewKey())
		}
		if err == nil && step.is != "" {
			err = until(ctx, fmt.Sprintf("%s is %s", *step.of, step.is), func() error {
				i, err := s.api.Incident(ctx, *step.of)
				if err == nil && (i.Status != step.is || step.is == incident.Closed && !i.Ended()) {
					err = fmt.Errorf("it is %s", i.Status)
				}
				return err
			})
		}
	}
	return err
}
