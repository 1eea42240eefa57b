package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	alerts "muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// openedIncident is an incident that an alert has opened, by a definition that a story may have changed.
type openedIncident struct {
	*ends
	service, group, workflow string
	id                       incident.ID
	def                      incident.Definition
	batches                  int
}

func (e *ends) opens(service, group string, change func(*incident.Definition)) *openedIncident {
	e.Helper()
	o := e.groups(service, group)
	change(&o.def)
	o.brings(alerts.Firing, 1)
	o.id = becomes(e, o.workflow, "the incident opens", func(i *incident.Incident) bool { return !i.Ended() }).ID
	must(e.T, until(e.Context(), "lists know it", func() error {
		_, err := e.incidents.Find(e.Context(), o.id)
		return err
	}))
	return o
}

// groups is a group of alerts that has opened nothing yet.
func (e *ends) groups(service, group string) *openedIncident {
	e.Helper()
	o := &openedIncident{ends: e, service: service, group: group, workflow: groupID(service, group)}
	var err error
	o.def, err = e.live.Current().Definition("alertmanager", o.labels(), "")
	must(e.T, err)
	return o
}

func (o *openedIncident) labels() alerts.Labels {
	return alerts.FromMap(map[string]string{"service": o.service, "group": o.group})
}

// brings brings so many of the alerts of the group, all in one state.
func (o *openedIncident) brings(state alerts.State, count int) {
	o.Helper()
	o.batches++
	now := time.Now().UTC()
	batch := alerts.Batch{
		ID: fmt.Sprintf("%s-%d", o.group, o.batches), Source: "alertmanager", ReceivedAt: now, Posts: 1, GroupResolved: state == alerts.Resolved,
	}
	for n := range count {
		a := alerts.Alert{Fingerprint: fmt.Sprintf("f%d", n), Name: "Trouble", State: state, StartsAt: now, Labels: o.labels()}
		if state == alerts.Resolved {
			a.EndsAt = a.StartsAt
		}
		batch.Alerts = append(batch.Alerts, alerts.Received{Times: 1, Alert: a})
	}
	must(o.T, o.incidents.Deliver(o.Context(), o.workflow, o.def, batch))
}

func (o *openedIncident) asks(by string, all ...incident.Command) (receipt workflows.Receipt) {
	o.Helper()
	for _, c := range all {
		var err error
		receipt, err = o.incidents.Command(o.Context(), o.id, o.request(by), c)
		must(o.T, err)
	}
	return receipt
}

func (o *openedIncident) is(what string, ok func(*incident.Incident) bool) *incident.Incident {
	o.Helper()
	return becomes(o.ends, o.workflow, what, func(i *incident.Incident) bool { return i.ID == o.id && ok(i) })
}

// says waits until the timeline has entries of these kinds.
func (o *openedIncident) says(kinds ...timeline.Kind) *incident.Incident {
	o.Helper()
	return o.is(fmt.Sprintf("its timeline has %s", kinds), func(i *incident.Incident) bool {
		for _, k := range kinds {
			if len(entriesOf(i.Timeline.Entries, k, "", "")) == 0 {
				return false
			}
		}
		return true
	})
}

func (o *openedIncident) over() (runs []*historypb.History) {
	o.Helper()
	must(o.T, until(o.Context(), "the incident is over", func() (err error) {
		if runs, err = o.incidents.History(o.Context(), o.id); err == nil {
			err = over(runs[len(runs)-1])
		}
		return err
	}))
	return runs
}

func unreviewed(d *incident.Definition) { d.Review.FromPriority, d.Review.Customers = 0, false }

// incidentSplit comes once more, finds nobody at its first step, is merged into one that is not there, and then into another, of which
// it is split off.
func (e *ends) incidentSplit() []*historypb.History {
	first := e.opens("busy", "split", unreviewed)
	first.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{})
	first.over()
	e.reviewUndated(becomes(e, first.workflow, "it is closed", func(i *incident.Incident) bool { return i.Ended() }))
	_, err := e.incidents.Problems().Open(e.Context(), e.request("bob"), problem.Terms{
		Title: "It hangs", Key: problem.Key{By: incident.SameAlert, Value: "Trouble"},
		Pinned: problem.Pinned{
			Organisation: "Night", Zone: "UTC", Service: incident.Service{ID: "busy", Name: "The busy"}, Watch: 24 * time.Hour,
			Owner: problem.Owner{Name: "Bob", Targets: []escalation.Target{{Kind: escalation.Person, ID: "bob"}}}, Remind: problem.Idle{Within: 24 * time.Hour},
		},
	})
	must(e.T, err)
	whole := e.opens("busy", "whole", unreviewed)
	again := e.opens("busy", "split", func(d *incident.Definition) {
		unreviewed(d)
		d.Recurrence = &incident.Recurrence{Times: 9, Within: 24 * time.Hour, By: []incident.Sameness{incident.SameAlert}}
		d.Policy.Steps = append([]escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "zoe"}}, Wait: time.Hour}}, d.Policy.Steps...)
	})
	again.says(timeline.PreviousFound, timeline.StepEmpty, timeline.ProblemFound)
	again.asks("ann", incident.Relate{To: first.id, Kind: incident.RelatedTo, Note: "As before."})
	again.asks("ann", incident.Merge{Into: "INC-7K3M9QX2PA", WorkflowID: "incident/alertmanager/none", Reason: "The same."})
	again.says(timeline.MergeRefused)
	again.asks("ann", incident.Merge{Into: whole.id, WorkflowID: whole.workflow, Reason: "The same."})
	again.is("it is merged", func(i *incident.Incident) bool { return i.Status == incident.Merged })
	again.asks("ann", incident.Split{Reason: "It is another one."})
	again.is("it goes on by itself", func(i *incident.Incident) bool { return i.Status != incident.Merged })
	again.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{})
	whole.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{})
	keep(e.T, "incident-whole", whole.over())
	return again.over()
}

// incidentNearby opens while another one of its service is open.
func (e *ends) incidentNearby() []*historypb.History {
	other := e.opens("busy", "other", unreviewed)
	o := e.opens("busy", "nearby", unreviewed)
	o.says(timeline.NearbyFound)
	o.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{})
	other.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{})
	return o.over()
}

// incidentVendor is a vendor's, whose answer is late. What is written to customers waits for another person.
func (e *ends) incidentVendor() []*historypb.History {
	o := e.opens("bank", "vendor", func(d *incident.Definition) {
		unreviewed(d)
		d.Quiet, d.Communication = time.Hour, &incident.Communication{Approval: &incident.ApprovalRule{Within: 10 * time.Minute}, Settles: true}
	})
	o.brings(alerts.Firing, 5)
	o.asks("ann", incident.Acknowledge{}, incident.StartRunbook{Runbook: "restart"},
		incident.EndRunbook{Runbook: "restart", Outcome: incident.RunbookFailed},
		incident.SetTime{Point: incident.PointStarted, At: time.Now().Add(-time.Minute), Reason: "As customers say."},
		incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Vendor, Reason: "They look at it."},
		incident.ResumeClock{Target: supportplan.Resolve})
	must(e.T, e.temporal.CancelWorkflow(e.Context(), o.workflow, ""))
	must(e.T, e.temporal.SignalWorkflow(e.Context(), o.workflow, "", workflows.AlertsSignal, alerts.Batch{ID: "forged"}))
	o.says(timeline.CancelRefused, timeline.MessageRefused)
	o.asks("ann", incident.SendUpdate{Text: "We look at it."})
	waits := o.asks("ann", incident.SendUpdate{Text: "Our vendor looks at it."}).Waits
	if _, err := o.incidents.Command(e.Context(), o.id, e.request("ann"), incident.ApproveUpdate{SHA256: waits}); err == nil {
		e.Error("whoever has written it may approve it")
	}
	o.asks("cat", incident.RejectUpdate{SHA256: waits, Reason: "Say which."})
	o.asks("ann", incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "Their network.", Support: &incident.VendorSupport{
		ID: "skyhost", Name: "Skyhost", Plan: "Gold", OpenCase: "by phone", Escalate: "by phone",
		Respond: []incident.VendorResponse{{Priority: priority.P1, Within: 30 * time.Minute}},
	}}, incident.RecordCase{Vendor: "skyhost", Reference: "SR-1"})
	o.is("it is known when the vendor has to answer", func(i *incident.Incident) bool { return !i.Cases[0].Clock.Due.IsZero() })
	o.comes(o.workflow, func() { waits = o.asks("ann", incident.SendUpdate{Text: "Skyhost looks at it."}).Waits }, time.Now().Add(40*time.Minute))
	o.says(timeline.CaseLate, timeline.UpdateUnapproved)
	o.asks("cat", incident.ApproveUpdate{SHA256: waits})
	o.says(timeline.UpdateSent)
	next := o.def
	next.Quiet, next.Revision = 2*time.Hour, "next"
	o.asks("ann", incident.Repin{Reason: "It comes and goes.", Definition: &next})
	o.brings(alerts.Resolved, 5)
	o.says(timeline.AllAlertsResolved)
	o.brings(alerts.Firing, 1)
	o.says(timeline.QuietBroken)
	o.asks("ann", incident.RecordCase{Vendor: "skyhost", Text: "It is mended."}, incident.Resolve{Note: "They have mended it."},
		incident.Close{Without: "The contract has ended."})
	return o.over()
}

// incidentTicket follows its ticket, which is commented, resolved and reopened in its own system.
func (e *ends) incidentTicket() []*historypb.History {
	o := e.opens("bank", "ticket", func(d *incident.Definition) {
		unreviewed(d)
		d.TicketResolves = true
	})
	o.says(timeline.TicketOpened)
	o.asks("ann", incident.Acknowledge{})
	tells := func(delivery string, d ticket.Deed, text string) {
		must(e.T, o.incidents.TicketChanged(e.Context(), ticket.Told{
			Delivery: delivery, Key: string(o.id), Ref: o.says().Ticket.Ref.ID, Deed: d, By: "Kim", Text: text, At: time.Now().UTC(),
		}, timeline.Actor{Kind: timeline.Source, ID: "jira", Name: "Jira"}))
	}
	tells("1", ticket.Commented, "The database is back.")
	tells("1", ticket.Commented, "The database is back.")
	o.says(timeline.TicketCommented)
	tells("2", ticket.Resolved, "Restarted.")
	o.is("it is resolved with its ticket", func(i *incident.Incident) bool { return i.Status == incident.Resolved })
	tells("3", ticket.Reopened, "It is not.")
	o.is("it is open again with its ticket", func(i *incident.Incident) bool { return i.Status == incident.Triggered })
	o.asks("ann", incident.Resolve{Note: "Restarted once more."}, incident.Close{Without: "It is known."})
	return o.over()
}

// A blackboard takes a page, and what has become of it.
type blackboard struct{}

func (blackboard) Send(context.Context, delivery.Envelope) error   { return nil }
func (blackboard) Follow(context.Context, delivery.Envelope) error { return nil }

// incidentChat pages where a page stays, and is told that it is taken, by whom it is taken next, and that it is over.
func (e *ends) incidentChat() []*historypb.History {
	o := e.opens("bank", "chat", func(d *incident.Definition) {
		unreviewed(d)
		d.Follows = true
		d.Policy.Steps = []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "zed"}}, Wait: time.Hour}}
	})
	told := func(what string) {
		o.is("the page says "+what, func(i *incident.Incident) bool { return len(i.Pages) == 1 && i.Pages[0].Told == what })
	}
	o.is("the page has arrived", func(i *incident.Incident) bool { return len(i.Pages) == 1 })
	o.asks("ann", incident.Acknowledge{})
	told("acknowledged/ann")
	o.asks("cat", incident.Acknowledge{})
	told("acknowledged/cat")
	o.asks("cat", incident.Resolve{Note: "Restarted."})
	o.is("it has said that it is over", func(i *incident.Incident) bool { return len(i.Pages) == 0 })
	o.asks("cat", incident.Close{Without: "It is known."})
	return o.over()
}

// A lobby stands in for a chat with rooms: whoever responds cannot be invited once.
type lobby struct{}

func (lobby) Keep(_ context.Context, r delivery.Room) (ticket.Ref, error) {
	if r.ID == "" {
		return ticket.Ref{ID: "C024BE91L", URL: "https://chat.example/archives/C024BE91L"}, nil
	}
	if strings.Contains(string(r.Said), "/acknowledged/") {
		return ticket.Ref{ID: r.ID}, &delivery.Refusal{Detail: "Slack: conversations.invite: missing_scope"}
	}
	return ticket.Ref{ID: r.ID}, nil
}

// incidentRoom has a room in a chat; another one's cannot be kept.
func (e *ends) incidentRoom() []*historypb.History {
	crowded := func(d *incident.Definition) {
		unreviewed(d)
		d.Room = &incident.RoomRule{FromPriority: priority.P5}
	}
	lost := e.opens("bank", "room-lost", crowded)
	lost.says(timeline.RoomOpened)
	lost.asks("ann", incident.Acknowledge{})
	lost.says(timeline.RoomFailed)
	lost.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{Without: "It is known."})
	keep(e.T, "incident-room-lost", lost.over())
	o := e.opens("bank", "room", crowded)
	o.says(timeline.RoomOpened)
	o.asks("ann", incident.Resolve{Note: "Restarted."}, incident.Close{Without: "It is known."})
	o.says(timeline.RoomArchived)
	return o.over()
}

// incidentUnanswered has people who give no sign of life, and a customer that does not say whether it is fixed. Its review is late too.
func (e *ends) incidentUnanswered() []*historypb.History {
	o := e.opens("bank", "unanswered", func(d *incident.Definition) {
		d.Review.Stages = &incident.ReviewStages{
			Draft: 1, Meeting: 2, Publish: 3, Calendar: "weekdays", Edition: review.Edition, Lead: []escalation.Target{{Kind: escalation.Person, ID: "cat"}},
		}
		d.Review.Customers = true
	})
	o.asks("ada", incident.Acknowledge{})
	o.is("others have its roles", func(i *incident.Incident) bool { return len(i.Holders) == 3 })
	o.asks("ada", incident.AddResponder{Person: "dan", Name: "Dan", Note: "The ledger."})
	o.comes(o.workflow, func() { // what is due first is due no more, so that the alarm is set anew
		o.asks("ada", incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Vendor, Reason: "They look at it."})
	}, time.Now().Add(2*time.Hour))
	o.says(timeline.SummonsMissed, timeline.RoleUnanswered, timeline.RoleVacant, timeline.AckExpired)
	o.asks("ada", incident.Assign{Role: incident.CommunicationsManager, Person: "eve", Name: "Eve"})
	o.asks("eve", incident.Note{Text: "I am here."}, incident.Acknowledge{}, incident.Resolve{Note: "Restarted."},
		incident.Reopen{Reason: "It is slow."}, incident.Resolve{Note: "Restarted once more."})
	i := o.is("the customer is asked", func(i *incident.Incident) bool {
		return len(i.Confirmations) == 1 && !i.Confirmations[0].Asked.IsZero() && !i.Confirmations[0].Clock.Due.IsZero()
	})
	o.comes(o.workflow, func() { o.asks("eve", incident.SendReport{Text: "We have found and mended a leak."}) }, i.Confirmations[0].Clock.Due)
	e.reviewLate(o.id)
	return o.over()
}

// reviewLate is late in all its stages, and what is written for the customer is rejected.
func (e *ends) reviewLate(id incident.ID) {
	e.Helper()
	workflow, reviews := workflows.ReviewWorkflowID(id), starter.Reviews{Temporal: e.temporal, Keys: e.incidents.Keys}
	ask := func(by string, all ...review.Command) {
		for _, c := range all {
			must(e.T, reviews.Ask(e.Context(), id, e.request(by), c))
		}
	}
	r := becomes(e, workflow, "it knows its deadlines, and has a draft for the customer", func(r *review.Review) bool {
		return r.Extended > 0 && len(r.Deadlines) == 4 && !r.Deadlines[0].Due.IsZero() && r.Text("initech") != nil && r.Text("initech").Draft != ""
	})
	ask("bob", review.Invite{Vendor: "skyhost", Name: "Sky"})
	e.comes(workflow, func() { ask("bob", review.Note{Text: "Nobody has time."}) }, r.Due.Add(48*time.Hour))
	for _, k := range review.Wanted() {
		ask("bob", review.Write{Section: k, Text: "What is known of " + string(k) + "."})
	}
	ask("bob", review.AddFactor{Kind: review.Technical, Text: "The pool was too small."},
		review.SetPattern{Symptom: "It is slow.", Cause: "The pool is empty.", Remedy: "Restart the pool."}, review.Submit{})
	text := func(audience string) string {
		r, err := reviews.State(e.Context(), id)
		must(e.T, err)
		return r.Text(audience).SHA256
	}
	ask("ann", review.Approve{Audience: review.Internal, SHA256: text(review.Internal), Sides: []review.Side{review.TechnicalSide}})
	ask("bob", review.AddFactor{Kind: review.Process, Text: "Nobody tests under load."}) // which voids it
	own := strings.Repeat("We have enlarged what was too small. ", 10)
	ask("bob", review.WriteText{Customer: "initech", Text: review.Prose(own)})
	ask("ann", review.Reject{Audience: "initech", SHA256: text("initech"), Reason: "Say what."},
		review.Close{Text: "Nobody reads it.", Without: "The customer has left."})
	keep(e.T, "review-late", e.run(e.T, workflow))
}

// reviewUndated is the review of an incident that a person opens by rules whose calendar is lost.
func (e *ends) reviewUndated(i *incident.Incident) {
	e.Helper()
	i.Definition.Review.Stages = &incident.ReviewStages{Draft: 1, Calendar: "lost", Edition: review.Edition}
	reviews, workflow := starter.Reviews{Temporal: e.temporal, Keys: e.incidents.Keys}, workflows.ReviewWorkflowID(i.ID)
	must(e.T, reviews.Start(e.Context(), e.request("bob"), i, time.Now()))
	becomes(e, workflow, "nobody can say when it is due", func(r *review.Review) bool {
		return len(entriesOf(r.Timeline.Entries, timeline.ReviewUndated, "", "")) > 0
	})
	for _, c := range []review.Command{
		review.SetPattern{Symptom: "It is slow.", Cause: "Unknown.", Remedy: "Restart it."}, review.Close{Text: "It is known.", Without: "It is known."},
	} {
		must(e.T, reviews.Ask(e.Context(), i.ID, e.request("bob"), c))
	}
	keep(e.T, "review-undated", e.run(e.T, workflow))
}

// refusedStarts keeps, for each workflow that takes signed starts alone, how it refuses another one.
func (e *ends) refusedStarts() {
	def, err := e.live.Current().Definition("alertmanager", alerts.FromMap(map[string]string{"service": "busy"}), "")
	must(e.T, err)
	bodies := map[string]any{ // of those that look at the body first
		workflows.IncidentWorkflow: workflows.IncidentInput{ID: "INC-7K3M9QX2PA", Definition: &def},
		workflows.ReviewWorkflow:   workflows.ReviewInput{Rules: &review.Rules{}},
	}
	for _, w := range workflows.All() {
		if reflect.TypeOf(w.Function).NumIn() == 1 {
			continue
		}
		name := strings.ToLower(w.Name) + "-unsigned"
		body := bodies[w.Name]
		if body == nil {
			body = struct{}{}
		}
		run, err := e.temporal.ExecuteWorkflow(e.Context(), client.StartWorkflowOptions{ID: unsigned + name, TaskQueue: workflows.TaskQueue}, w.Name, body)
		must(e.T, err)
		wantRefused(e.T, name, run.Get(e.Context(), nil), "it is not signed")
		keep(e.T, name, e.recorded(e.T, run.GetID(), func(h *historypb.History) error {
			if last := h.GetEvents()[len(h.GetEvents())-1]; last.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED {
				return errors.New("it has not failed")
			}
			return nil
		}))
	}
}

// unsigned begins the ids of workflows that are to be refused.
const unsigned = "unsigned/"
