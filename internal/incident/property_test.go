package incident_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// TestAnIncidentKeepsItsPromisesWhateverHappens drives an incident with random alerts, people, outcomes, time and
// restarts, and checks after every step what must hold at all times.
func TestAnIncidentKeepsItsPromisesWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		def := definition()
		def.Customers[0].Plan.UpdateBy = rapid.SampledFrom([]supportplan.Author{supportplan.ByEngine, supportplan.ByPerson}).Draw(rt, "update by")
		def.Policy, def.Follows = drawn(rt), rapid.Bool().Draw(rt, "follows")
		if rapid.Bool().Draw(rt, "room") {
			def.Room = &incident.RoomRule{FromPriority: priority.P2}
		}
		if rapid.Bool().Draw(rt, "automatic") {
			def.Automatic = automatic(rapid.Bool().Draw(rt, "asks"))
			if rapid.Bool().Draw(rt, "settles") {
				def.Automatic.Settle = 2 * time.Minute
			}
		}
		def.Impact = rapid.SampledFrom([]priority.Level{priority.High, priority.Low}).Draw(rt, "impact")
		if rapid.Bool().Draw(rt, "led") {
			def.Lead = &incident.LeadRule{FromPriority: priority.P2, Within: 10 * time.Minute}
		}
		if rapid.Bool().Draw(rt, "asked") {
			def.Customers[0].Plan.Confirm = &supportplan.Confirmation{Days: 2}
			def.Customers[0].Plan.Promises = append(def.Customers[0].Plan.Promises, supportplan.Promise{Priority: priority.P1, Target: supportplan.ResultReport, Within: 3 * time.Hour})
		}
		i, err := incident.Open("INC-TEST", def, start)
		if rapid.Bool().Draw(rt, "reported by people") {
			i, err = incident.OpenNoticed("INC-TEST", def, incident.Notice{Customer: "acme", Received: start.Add(-time.Minute)}, park, start)
		}
		if err != nil {
			rt.Fatal(err)
		}
		d := &driver{rt: rt, i: i, now: start, ids: map[delivery.ID]string{}}
		d.i.Receive(batch(start, firing("a", start)), start)
		d.advance()
		for n := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			d.step(n)
			d.advance()
			if d.i.Ended() {
				break
			}
		}
	})
}

// drawn is a policy with whatever a policy may have.
func drawn(rt *rapid.T) escalation.Policy {
	p := definition().Policy
	some := func(name string) []escalation.Step {
		steps := slices.Clone(p.Steps)
		for n := range steps {
			steps[n].Targets = append(paged("role:incident-manager", "vendor:skyhost"), steps[n].Targets...)
			steps[n].Acknowledgements = rapid.IntRange(0, 2).Draw(rt, name+" acknowledgements")
			steps[n].Every = time.Duration(rapid.IntRange(0, 2).Draw(rt, name+" every")) * time.Minute
		}
		return steps[:rapid.IntRange(1, len(steps)).Draw(rt, name+" steps")]
	}
	if rapid.Bool().Draw(rt, "plain") {
		return p
	}
	own := some("own")
	if rapid.Bool().Draw(rt, "variants") {
		p.Variants = []escalation.Variant{{Priorities: []priority.Priority{priority.P1, priority.P2}, Steps: some("variant")}}
	}
	p.Steps, p.Repeats = own, rapid.IntRange(0, 1).Draw(rt, "repeats")
	return p
}

type driver struct {
	rt      *rapid.T
	i       *incident.Incident
	now     time.Time
	pending []incident.Send
	ids     map[delivery.ID]string
	height  [2]int // of the newest step: which climb, and how far up
}

func (d *driver) step(n int) {
	at := func(name string, max int) int {
		return rapid.IntRange(0, max).Draw(d.rt, fmt.Sprintf("%s %d", name, n))
	}
	was, said := d.i.Priority, d.i.Alerts.Impact
	switch at("what", 9) {
	case 0:
		r := firing(string(rune('a'+at("alert", 3))), start.Add(time.Duration(at("started", 40))*time.Minute))
		if at("resolved", 1) == 1 {
			r.State = alert.Resolved
		}
		b := batch(d.now, r)
		b.Impact = []priority.Level{"", priority.Low, priority.Medium, priority.High}[at("impact", 3)]
		d.i.Receive(b, d.now)
		if p := d.i.Priority; p > was {
			d.rt.Fatalf("an alert has lowered the priority from %s to %s", was, p)
		} else if p != was && !b.Impact.Exceeds(said) {
			d.rt.Fatalf("an alert of %s impact has raised the priority to %s, %s was said before", b.Impact, p, said)
		}
	case 1, 2:
		d.command(n, at)
	case 3:
		d.now = d.now.Add(time.Duration(at("minutes", 90)) * time.Minute)
	case 4:
		if due := d.i.NextDue(); due.After(d.now) {
			d.now = due
		}
	case 5:
		d.restart()
	default:
		if len(d.pending) > 0 {
			k := at("send", len(d.pending)-1)
			s := d.pending[k]
			d.pending = append(d.pending[:k], d.pending[k+1:]...)
			d.answer(s, at("outcome", 3))
		}
	}
}

func (d *driver) command(n int, at func(string, int) int) {
	by := []timeline.Actor{park, kim}[at("by", 1)]
	commands := []incident.Command{
		incident.Acknowledge{},
		incident.Mitigate{Note: "x"},
		incident.Resolve{Note: "x"},
		incident.Reopen{Reason: "x"},
		incident.Close{},
		incident.Escalate{Reason: "x"},
		incident.Note{Text: "x"},
		incident.SendUpdate{Text: "x"},
		incident.SetPriority{Urgency: []priority.Level{priority.High, priority.Low}[at("urgency", 1)], Reason: "x"},
		incident.PauseClock{Target: supportplan.Targets()[at("target", 2)], Reason: "x"},
		incident.ResumeClock{Target: supportplan.Targets()[at("target'", 2)]},
		incident.Assign{Role: incident.Roles()[at("role", 2)], Person: "lee"},
		incident.AddResponder{Person: []string{"park", "lee"}[at("responder", 1)], Note: "x"},
		incident.SendReport{Text: "x"},
		incident.Answer{Answer: incident.FixAnswers()[at("answer", 1)], Customer: "acme", Note: "x"},
		incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "x", Support: &incident.VendorSupport{
			ID: "skyhost", Reachable: true, Respond: []incident.VendorResponse{{Priority: priority.P1, Within: time.Hour}},
		}},
		incident.RecordCase{Vendor: "skyhost", Text: "x"},
		incident.SetTime{Point: incident.Points()[at("point", 4)], At: d.now.Add(-time.Duration(at("ago", 90)) * time.Minute), Reason: "x"},
		incident.Merge{Into: "INC-OTHER", WorkflowID: "incident/other", Reason: "x"},
		incident.Split{Reason: "x"},
		incident.StopResponse{Reason: "x"},
	}
	if r := d.i.Response; r != nil {
		commands = append(commands, incident.ApproveResponse{SHA256: r.SHA256, Approver: true})
	}
	c := commands[at("command", len(commands)-1)]
	may := d.i.May(fmt.Sprint(n), c, d.now)
	if err := d.i.Do(fmt.Sprint(n), c, by, d.now); (err == nil) != (may == nil) {
		d.rt.Fatalf("%T: May said %v, Do said %v", c, may, err)
	}
}

// restart hands the state to a new run: through JSON, and with every send that has no outcome begun again.
func (d *driver) restart() {
	raw, err := json.Marshal(d.i)
	if err != nil {
		d.rt.Fatal(err)
	}
	next := &incident.Incident{}
	if err := json.Unmarshal(raw, next); err != nil {
		d.rt.Fatal(err)
	}
	want := len(d.i.Outbox)
	next.Resend("run", d.now)
	d.i, d.pending = next, nil
	d.advance()
	if got := len(d.pending); got < want-dropped(d.i, want) {
		d.rt.Fatalf("%d sends had no outcome, %d were begun again", want, got)
	}
}

// dropped counts what was taken out of the outbox instead of being begun again.
func dropped(i *incident.Incident, was int) int { return max(was-len(i.Outbox), 0) }

func (d *driver) answer(s incident.Send, outcome int) {
	switch s.Work {
	case incident.ComputeClocks:
		var at []incident.Instants
		for _, c := range d.i.Running() {
			at = append(at, incident.InstantsOf(c, 80, d.i.Calendars(), time.LoadLocation))
		}
		d.i.Computed(s.Number, at, d.now)
	case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt,
		incident.CloseCustomer, incident.SendResult, incident.CallVendor, incident.Summon, incident.Appoint:
		if outcome == 0 {
			d.i.Composed(s.Number, incident.Composition{Detail: "broken"}, d.now)
			return
		}
		to := []incident.Addressed{
			{
				To:      delivery.Recipient{ID: "park", Name: "x", Methods: []string{"a", "b", "c"}, Delays: []time.Duration{0, 3 * time.Minute}},
				Message: delivery.Message{Kind: delivery.Page},
			},
			{To: delivery.Recipient{ID: "skyhost/desk", Name: "y", Methods: []string{"a"}}, Outside: s.Work == incident.PageStep},
		}
		if outcome == 1 && s.Work == incident.PageStep {
			to[0].To.Methods, to[0].Held = nil, incident.HeldByQuietHours
		}
		d.i.Composed(s.Number, incident.Composition{To: to}, d.now)
	case incident.PagePerson, incident.Tell:
		d.i.Told(s.Number, delivery.Outcome{Result: []delivery.Result{
			delivery.Delivered, delivery.Refused, delivery.Withdrawn, delivery.Delivered,
		}[outcome], Followed: outcome == 3}, d.now)
	case incident.FollowPage:
		d.i.PageTold(s.Number, []string{"", "x"}[outcome%2], d.now)
	case incident.KeepRoom:
		if outcome == 0 {
			d.i.RoomMissed(s.Number, "x", false, d.now)
			return
		}
		d.i.RoomKept(s.Number, ticket.Ref{ID: "C1", URL: "https://chat.example/C1"}, d.now)
	case incident.SyncTicket:
		d.i.TicketRefused(s.Number, "x", d.now)
	case incident.WriteReport:
		d.i.Reported(s.Number, nil, d.now)
	case incident.OpenReview:
		d.i.Reviewed(s.Number, "review", d.now, "", d.now)
	case incident.FindPrevious:
		d.i.FoundPrevious(s.Number, nil, d.now)
	case incident.WriteResult:
		if outcome == 0 {
			d.i.ResultFailed(s.Number, "x", d.now)
			return
		}
		d.i.ResultWritten(s.Number, []incident.ResultFile{{Language: "ko", Name: "r", SHA256: "00"}}, d.now)
	case incident.ClaimResponse, incident.LookStep, incident.ActStep, incident.EndResponse:
		m := machine{
			claim: []response.Answer{{Granted: true}, {Refused: response.IsOff}, {Granted: true}, {Granted: true}}[outcome],
			step: func(incident.Send) runbook.Result {
				return runbook.Result{State: []runbook.State{runbook.Passed, runbook.Failed, runbook.Unknown, runbook.Passed}[outcome]}
			},
			taken: func(incident.Send) bool { return s.Withdrawn != "" && outcome == 3 },
		}
		m.answer(d.i, s, d.now)
	case incident.TellMerge, incident.TellMerged, incident.ForwardAlerts:
		m, other := d.i.MergeMessage(s)
		if other == "" {
			d.i.Dropped(s.Number)
			return
		}
		if outcome == 0 {
			d.i.MergeTold(s.Number, "no such incident", d.now)
			return
		}
		d.i.MergeTold(s.Number, "", d.now)
		answer := incident.MergeMessage{Kind: incident.MergeTaken, From: incident.Merging{ID: m.To, WorkflowID: other}, To: "INC-TEST"}
		switch {
		case m.Kind == incident.MergeAsked && outcome == 1:
			answer.Kind = incident.MergeRefused
		case m.Kind != incident.MergeAsked:
			answer.Kind = incident.MergeOver
		}
		d.i.ReceiveMerge(answer, d.now)
	}
}

func (d *driver) advance() {
	begun := d.i.Advance(d.now)
	for _, s := range begun {
		if key := fmt.Sprint(s.Number); s.ID != "" {
			if was, ok := d.ids[s.ID]; ok && was != key {
				d.rt.Fatalf("delivery id %s belongs to sends %s and %s", s.ID, was, key)
			}
			d.ids[s.ID] = key
		}
		d.wantPaged(s)
		if d.i.Find(s.Number) == nil {
			d.rt.Fatalf("send %d was begun but is not in the outbox", s.Number)
		}
	}
	d.pending = append(d.pending, begun...)
	d.invariants()
}

// wantPaged checks that a page goes to somebody who is still to be paged, and that its step is above the one before.
func (d *driver) wantPaged(s incident.Send) {
	e := d.i.Escalation
	if s.Work == incident.PagePerson && !s.Summons && (e.Answered || e.AckedBy(s.To.ID)) {
		d.rt.Fatalf("paged after enough have acknowledged: %+v", s)
	}
	if s.Work != incident.PageStep || s.Climb != e.Restarts || s.Rung != e.Begun {
		return
	}
	r := d.i.Definition.Policy.Rung(s.Variant, s.Rung-s.Shift)
	at := [2]int{s.Climb, (r.Round*10+r.Step)*10 + r.Turn}
	if r.Step > 0 && at[0] == d.height[0] && at[1] < d.height[1] {
		d.rt.Fatalf("step %+v is below the one before", r)
	}
	d.height = at
}

func (d *driver) invariants() {
	i := d.i
	due := i.NextDue()
	if !due.IsZero() && !due.After(d.now) {
		d.rt.Fatalf("due at %s although it is %s: %s, %+v", due, d.now, i.Status, i.Escalation)
	}
	if i.Status.Open() && due.IsZero() {
		d.rt.Fatalf("an open incident waits for nothing: %s, %+v", i.Status, i.Escalation)
	}
	if i.Status.Open() && i.QuietSince.IsZero() && !i.Escalation.Answered && i.Escalation.NextAt.IsZero() {
		held := i.Response != nil && !i.Response.Over() && i.Escalation.Begun+i.Escalation.Restarts == 0
		if until := start.Add(automatic(false).Hold); !held || due.After(until) {
			d.rt.Fatalf("an unanswered page does not climb until %s", due)
		}
	}
	if again := i.Advance(d.now); len(again) > 0 {
		d.rt.Fatalf("asked twice at one instant, it begins again: %+v", again)
	}
	for n, e := range i.Timeline.Entries {
		if e.Seq != i.Timeline.Dropped+n+1 {
			d.rt.Fatalf("timeline entry %d has number %d", n, e.Seq)
		}
		if from, to := incident.Status(e.Fact("from")), incident.Status(e.Fact("to")); e.Kind == timeline.StatusChanged && !incident.CanMove(from, to) {
			d.rt.Fatalf("went from %s to %s", from, to)
		}
	}
	if i.Status == incident.Closed && i.Times.Closed.IsZero() || i.Status.Open() && i.Reopened == 0 && !i.Times.Resolved.IsZero() {
		d.rt.Fatalf("status %s and times %+v disagree", i.Status, i.Times)
	}
	if i.Status == incident.Resolved && due.IsZero() && len(i.Outbox) == 0 && !waitsForPeople(i) {
		d.rt.Fatal("a resolved incident waits for nothing")
	}
	if i.Status == incident.Merged && (i.MergedInto == nil || i.MergedInto.Taken.IsZero()) {
		d.rt.Fatal("it is merged, and nobody has taken it in")
	}
	if r := i.Response; r != nil && !r.Over() && i.Ended() {
		d.rt.Fatalf("it is over, and its response is %s", r.State)
	}
	if i.Ended() && len(i.Pages) > 0 {
		d.rt.Fatalf("it is over, and pages still wait: %+v", i.Pages)
	}
	for _, c := range i.Clocks {
		if c.Late && c.State == supportplan.Met {
			d.rt.Fatalf("a missed promise counts as met: %+v", c)
		}
	}
}

// waitsForPeople tells whether only people can end what is resolved: a result report is owed, and nobody has sent it.
func waitsForPeople(i *incident.Incident) bool {
	return slices.ContainsFunc(i.Clocks, func(c supportplan.Clock) bool { return c.Target == supportplan.ResultReport && c.Open() })
}
