package console_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// A yard keeps real runs of plans without an engine.
type yard struct {
	t      testing.TB
	org    func() *org.Organisation
	now    func() time.Time
	runs   []*planrun.Run // the newest first
	closed bool           // its environments may not be changed
	away   error          // of whatever is asked
	lost   error          // of the next command, which is done all the same
	racing func()         // happens before the next command
	asked  []starter.Request
	done   map[string]error // by request id, as the engine keeps them
	told   []planrun.Telling
	forged string // behind every report
}

// begun starts a run of the plan of these tests for garam in the name of park, who leads it.
func (y *yard) begun(number uint64) *planrun.Run {
	y.t.Helper()
	content, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		y.t.Fatal(err)
	}
	terms, err := y.org().StartPlan(org.PlanStart{
		File: "plan.yaml", Content: content, Customer: "garam", Parameters: map[string]string{"release": "6.5 <b>"},
	})
	if err != nil {
		y.t.Fatal(err)
	}
	terms.ID, terms.Starter = planrun.NewID(number), person("park", "박지훈")
	r, err := planrun.Start(terms, y.now())
	if err != nil {
		y.t.Fatal(err)
	}
	y.runs = append([]*planrun.Run{r}, y.runs...)
	y.advance(r)
	return r
}

// advance does what a run wants done outside, until there is no more.
func (y *yard) advance(r *planrun.Run) {
	for {
		all := r.Advance(y.now())
		if len(all) == 0 {
			return
		}
		for _, w := range all {
			switch w.Do {
			case planrun.Tell:
				y.told = append(y.told, w.Telling)
			case planrun.ComputeDue:
				r.DueComputed(w.Task, w.Due.From.Add(w.Due.Within).AddDate(0, 0, w.Due.Days), "", y.now())
			case planrun.TakeLock:
				r.LockTaken(w.Number, true, "", "", y.now())
			case planrun.LookWindow:
				l := planrun.Look{Environment: w.Window.Environment, At: y.now(), Open: !y.closed, Until: y.now().Add(4 * time.Hour)}
				if y.closed {
					l.Until = y.now().Add(24 * time.Hour)
					l.Next, l.Why = l.Until, []freeze.Reason{{Kind: freeze.Frozen, ID: "garam-year-end", Name: "연말 성수기"}}
				}
				r.Looked(w.Number, l, "", y.now())
			case planrun.FindVoters:
				if people := y.electors(r, w.Roles); w.Task == "" {
					r.ElectedChange(people, "", y.now())
				} else {
					r.Elected(w.Task, people, "", y.now())
				}
			case planrun.WriteReport:
				sum := fmt.Sprintf("%x", sha256.Sum256([]byte(document)))
				r.Written(w.Number, w.Task, []planrun.Document{
					{Name: string(r.ID) + "/work-plan-1.ko.pdf", SHA256: sum},
					{Name: string(r.ID) + "/work-plan-1.customer.ko.pdf", SHA256: sum, For: authority.Customer},
				}, "", y.now())
			case planrun.MeasureOnce, planrun.RunStep:
				y.t.Fatalf("%s: no plan of these tests does that", w.Do)
			}
		}
	}
}

func (y *yard) electors(r *planrun.Run, roles []string) (all []approval.Elector) {
	for _, id := range roles {
		role, _ := r.Plan.Role(id)
		for _, target := range r.Filled(id) {
			if target.Kind != escalation.Person {
				continue
			}
			who, ok := y.org().Subject(target.ID)
			if !ok {
				continue
			}
			n := slices.IndexFunc(all, func(e approval.Elector) bool { return e.Person == target.ID })
			if n < 0 {
				n, all = len(all), append(all, approval.Elector{Person: target.ID, Name: who.Actor.Name, Party: role.Party})
			}
			all[n].Roles = append(all[n].Roles, id)
		}
	}
	return all
}

func (y *yard) PlanRuns(_ context.Context, f starter.PlanRunFilter) (rows []starter.PlanRunSummary, next string, err error) {
	if y.away != nil {
		return nil, "", y.away
	}
	for _, r := range y.runs {
		if len(f.Customers) > 0 && !slices.Contains(f.Customers, r.Customer) || f.Open && r.Over() {
			continue
		}
		rows = append(rows, starter.PlanRunSummary{
			ID: r.ID, Kind: r.Plan.Kind, Title: r.Plan.Name.En + ", " + r.Target().Name, Status: r.Status, Customer: r.Customer, OpenedAt: r.Opened,
			NextDue: r.NextDue(), EndedAt: r.Ended,
		})
	}
	return rows, "", nil
}

func (y *yard) find(id planrun.ID) *planrun.Run {
	n := slices.IndexFunc(y.runs, func(r *planrun.Run) bool { return r.ID == id })
	if n < 0 {
		return nil
	}
	return y.runs[n]
}

func (y *yard) PlanRun(_ context.Context, id planrun.ID) (*planrun.Run, error) {
	r := y.find(id)
	switch {
	case y.away != nil:
		return nil, y.away
	case r == nil:
		return nil, &starter.NotFoundError{What: "run " + string(id)}
	}
	return r, nil
}

// poolItem is the action item that does answer.
const poolItem action.ID = "ACT-7K3M9QX2PA"

// improved is a run of which two action items have come.
func (y *yard) improved() *planrun.Run {
	r := y.begun(1)
	for _, id := range []action.ID{poolItem, "ACT-0000000002"} {
		y.does(r, "park", func(in planrun.Capacity) planrun.Command {
			return planrun.AddAction{Capacity: in, ID: string(id), Title: "Alert on <full> pools"}
		})
	}
	return r
}

// wants is a run with a task that wants something else.
func (y *yard) wants(task string, change func(*plan.Task)) {
	r := y.begun(1)
	for p := range r.Plan.Phases {
		for n := range r.Plan.Phases[p].Tasks {
			if x := &r.Plan.Phases[p].Tasks[n]; x.ID == task {
				change(x)
			}
		}
	}
}

// Action knows one action item, which is done.
func (y *yard) Action(_ context.Context, id action.ID) (*action.Action, error) {
	if id != poolItem {
		return nil, &starter.NotFoundError{What: "action item " + string(id)}
	}
	return &action.Action{Status: action.Done}, nil
}

func (y *yard) AskPlanRun(_ context.Context, id planrun.ID, req starter.Request, c planrun.Command) error {
	r := y.find(id)
	switch {
	case y.away != nil:
		return y.away
	case r == nil:
		return &starter.NotFoundError{What: "run " + string(id)}
	}
	if y.racing != nil {
		y.racing()
		y.racing = nil
	}
	y.asked = append(y.asked, req)
	if before, ok := y.done[req.ID]; ok {
		return before
	}
	if err := c.Check(r, req.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	err := c.Apply(r, req.By, y.now())
	y.advance(r)
	if err != nil {
		err = &starter.RefusedError{Reason: err.Error()}
	}
	if y.done == nil {
		y.done = map[string]error{}
	}
	y.done[req.ID] = err
	if lost := y.lost; lost != nil {
		y.lost = nil
		return lost
	}
	return err
}

// does has somebody do something beside the pages, with all the roles that they fill.
func (y *yard) does(r *planrun.Run, who string, command func(planrun.Capacity) planrun.Command) {
	y.t.Helper()
	by, _ := y.org().Subject(who)
	c := command(planrun.Capacity{Roles: y.org().PlanRoles(r, who, y.now())})
	if err := c.Check(r, by.Actor); err != nil {
		y.t.Fatal(err)
	}
	if err := c.Apply(r, by.Actor, y.now()); err != nil {
		y.t.Fatal(err)
	}
	y.advance(r)
}

// rehearsed begins a run and does what comes before the first vote: lee has rehearsed it.
func (y *yard) rehearsed() *planrun.Run {
	y.t.Helper()
	r := y.begun(1)
	y.complete(r, "lee", "rehearse", planrun.Given{
		Item: "log", Ref: "https://files.mirnet.example/rehearsal.log?a=1&b=2", SHA256: fmt.Sprintf("%064x", 42), Note: "17 minutes <i>",
	})
	return r
}

func (y *yard) complete(r *planrun.Run, who, task string, evidence ...planrun.Given) {
	y.t.Helper()
	y.does(r, who, func(in planrun.Capacity) planrun.Command {
		return planrun.Complete{Capacity: in, Task: task, Evidence: evidence}
	})
}

// voted has somebody vote beside the pages.
func (y *yard) voted(r *planrun.Run, who, task string, choice approval.Choice, why string) {
	y.t.Helper()
	t, _, _ := r.Task(task)
	y.does(r, who, func(in planrun.Capacity) planrun.Command {
		return planrun.Vote{Capacity: in, ID: "elsewhere/" + who, Task: task, Choice: choice, Reason: why, Shown: t.Ballot.Shown.SHA256}
	})
}

// shownAnew has lee show newer evidence of what is voted on.
func (y *yard) shownAnew(r *planrun.Run) {
	y.t.Helper()
	y.does(r, "lee", func(in planrun.Capacity) planrun.Command {
		return planrun.AddEvidence{Capacity: in, Task: "rehearse", Evidence: []planrun.Given{{Item: "log", Ref: "https://files.mirnet.example/second.log"}}}
	})
}

// cancelled has whoever leads the run end it.
func (y *yard) cancelled(r *planrun.Run) {
	y.t.Helper()
	y.does(r, "park", func(in planrun.Capacity) planrun.Command {
		return planrun.Cancel{Capacity: in, Reason: "The shop is sold."}
	})
}

// decided brings the run to the decision whether to go.
func (y *yard) decided() *planrun.Run {
	y.t.Helper()
	r := y.rehearsed()
	y.complete(r, "kim", "scan")
	y.voted(r, "seo", "approve", approval.Approve, "")
	y.voted(r, "choi", "approve", approval.Approve, "")
	return r
}

// skipping has lee ask for a waiver of the scan.
func (y *yard) skipping() *planrun.Run {
	y.t.Helper()
	r := y.begun(1)
	y.does(r, "lee", func(in planrun.Capacity) planrun.Command {
		return planrun.Skip{Capacity: in, Task: "scan", Reason: "The scanner is broken.", Control: "We read the list of changes.", Until: y.now().Add(7 * 24 * time.Hour)}
	})
	return r
}

// overriding has lee ask to change production although it may not be.
func (y *yard) overriding() *planrun.Run {
	y.t.Helper()
	r := y.begun(1)
	y.does(r, "lee", func(in planrun.Capacity) planrun.Command {
		return planrun.AskOverride{Capacity: in, Environment: "production", Reason: "A hole that is being used.", Until: y.now().Add(24 * time.Hour)}
	})
	return r
}

// ballot signs the link that a message on a run carries for somebody, as messages have it.
func (p *place) ballot(who string, about planrun.About, change ...func(*link.Link)) string {
	p.t.Helper()
	for _, told := range slices.Backward(p.yard.told) {
		if told.About != about {
			continue
		}
		o := p.org
		to, ok := o.Person(who)
		if !ok {
			to.ID, to.Language = who, "ko"
		}
		m, err := p.texts.PlanRun(told, to)
		if err != nil || m.Offer == nil {
			p.t.Fatalf("the message %s offers nothing: %v", about, err)
		}
		l := link.Link{
			ID: fmt.Sprintf("%s/%d/%s", told.Run, told.Number, who), Person: who, Run: m.Incident, Part: m.Offer.Part, Actions: m.Offer.Actions,
			Content: m.Offer.Content, Expires: begin().Add(m.Offer.Lasts),
		}
		for _, c := range change {
			c(&l)
		}
		token, err := p.ring.Link(l)
		if err != nil {
			p.t.Fatal(err)
		}
		return link.Path + token
	}
	p.t.Fatalf("nobody was told %s", about)
	return ""
}

// entries are the entries of a kind in the timeline of the newest run.
func (p *place) entries(kind timeline.Kind) (all []timeline.Entry) {
	for _, e := range p.yard.runs[0].Timeline.Entries {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}

// inbox is what waits for somebody in the runs of the yard, after a page that nobody has answered.
func (y *yard) inbox(_ context.Context, by authority.Subject, language string) (starter.Inbox, error) {
	if y.away != nil {
		return starter.Inbox{}, y.away
	}
	box := starter.Inbox{Items: []starter.InboxItem{{
		Kind: starter.InboxIncident, ID: string(open), Want: "acknowledge", Title: title, Since: y.now(), Command: "muster incident ack " + string(open),
	}}}
	for _, r := range y.runs {
		for _, w := range r.Waits(y.now()) {
			if !w.For(by.Actor.ID, y.org().PlanRoles(r, by.Actor.ID, y.now())) {
				continue
			}
			_, def, _ := r.Task(w.Task)
			box.Items = append(box.Items, starter.InboxItem{
				Kind: starter.InboxPlanRun, ID: string(r.ID), Task: w.Task, Want: string(w.Want), Title: r.Plan.Name.In(language) + ": " + def.Name.In(language),
				Customer: r.CustomerName, Since: w.Since, Due: w.Due, Command: starter.PlanCommand(r, w, language),
			})
		}
	}
	return box, nil
}

// document is what stands in every report of these runs.
const document = "%PDF"

func (y *yard) Get(_ context.Context, name string) ([]byte, error) {
	if y.away != nil {
		return nil, y.away
	}
	return []byte(document + y.forged), nil
}

// failed has lee begin the change of production, and fail it.
func (y *yard) failed() *planrun.Run {
	y.t.Helper()
	r := y.decided()
	y.voted(r, "seo", "go", approval.Ready, "")
	y.voted(r, "choi", "go", approval.Ready, "")
	y.does(r, "lee", func(in planrun.Capacity) planrun.Command { return planrun.Begin{Capacity: in, Task: "deploy"} })
	y.does(r, "lee", func(in planrun.Capacity) planrun.Command {
		return planrun.Fail{Capacity: in, Task: "deploy", Reason: "The disk is <full>."}
	})
	return r
}

// rollingBack has park undo what was changed in production.
func (y *yard) rollingBack() *planrun.Run {
	y.t.Helper()
	r := y.failed()
	y.does(r, "park", func(in planrun.Capacity) planrun.Command {
		return planrun.RollBack{Capacity: in, Environment: "production", Reason: "Back to what worked."}
	})
	return r
}

// halted has park halt a run.
func (y *yard) halted() *planrun.Run {
	y.t.Helper()
	r := y.rehearsed()
	y.does(r, "park", func(in planrun.Capacity) planrun.Command {
		return planrun.Halt{Capacity: in, Reason: "INSIDE knows why."}
	})
	return r
}

// as is the token of somebody else.
func as(who string) func(*store.Token) { return func(t *store.Token) { t.Actor = who } }
