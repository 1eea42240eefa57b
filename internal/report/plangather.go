package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A planGatherer gathers what reports on a run say.
type planGatherer struct {
	*planView

	l       *language
	run     *planrun.Run
	numbers map[string]string // of the tasks by their IDs
	people  map[string]string // names by IDs, as far as the run has heard of them
	votes   map[string][]int  // on what is undecided: their rows
}

// starter is who has started a run, or for which change.
func starter(r *planrun.Run) string {
	if r.ForChange != nil {
		return r.StartedBy()
	}
	return name(r.Starter)
}

// planView gathers all that a report says about a run as of an instant.
func (l *language) planView(r *planrun.Run, e Edition) *planView {
	at := e.At
	d := &r.Plan
	g := planGatherer{
		l: l, run: r, numbers: map[string]string{}, people: map[string]string{}, votes: map[string][]int{},
		planView: &planView{
			Made: at, Zone: r.Zone, Organisation: r.Organisation, ID: string(r.ID), Name: d.Name.In(l.code), Description: d.Description.In(l.code),
			Kind: string(d.Kind), Customer: r.CustomerName, Target: r.Target().Name, Starter: starter(r), Status: string(r.Status), Over: r.Over(),
			Whole: r.Status == planrun.Completed, Part: r.Partial, Reason: l.reason(r.Reason), Opened: r.Opened, Ended: r.Ended, SHA256: r.SHA256,
			ParametersID: r.ParametersID, Revision: r.Revision, Revised: r.Revised,
		},
	}
	if r.Status == planrun.Running {
		g.Reason = "" // it is that of an earlier halt
	}
	if g.Lasted = at.Sub(r.Opened); r.Over() {
		g.Lasted = r.Ended.Sub(r.Opened)
	}
	g.know()
	g.Lead = g.role(d.Lead)
	for p, ph := range d.Phases {
		for n, t := range ph.Tasks {
			g.numbers[t.ID] = fmt.Sprintf("%d.%d", p+1, n+1)
		}
	}
	for p, ph := range d.Phases {
		row := phase{Number: p + 1, Name: ph.Name.In(l.code)}
		for _, t := range ph.Tasks {
			if s, _, ok := r.Task(t.ID); ok {
				row.Tasks = append(row.Tasks, g.task(t, s))
				g.beside(t, s)
			}
		}
		g.Phases = append(g.Phases, row)
	}
	for _, x := range r.Absent {
		g.Absent = append(g.Absent, absent{x.Name.In(l.code), x.When})
	}
	for _, a := range r.Actions {
		g.Actions = append(g.Actions, actionItem{a.ID, a.Title, a.Status})
	}
	g.given(e.Contacts)
	for n := range r.Environments {
		g.Environments = append(g.Environments, g.environment(&r.Environments[n]))
	}
	g.matrix()
	g.record()
	return g.planView
}

// know learns the names of people.
func (g *planGatherer) know() {
	learn := func(a timeline.Actor) {
		if a.Kind == timeline.Person && a.Name != "" {
			g.people[a.ID] = a.Name
		}
	}
	learn(g.run.Starter)
	for _, e := range g.run.Timeline.Entries {
		learn(e.Actor)
	}
	for _, t := range g.run.Tasks {
		learn(t.Person)
		if t.Ballot != nil {
			for _, e := range t.Ballot.Electors {
				learn(timeline.Actor{Kind: timeline.Person, ID: e.Person, Name: e.Name})
			}
		}
	}
}

// role is the name of a role of the plan.
func (g *planGatherer) role(id string) string {
	role, _ := g.run.Plan.Role(id)
	return role.Name.In(g.l.code)
}

func (g *planGatherer) roles(ids []string) (names []string) {
	for _, id := range ids {
		names = append(names, g.role(id))
	}
	return names
}

// called is the name of a task with its number, the ID of one that the plan has no more.
func (g *planGatherer) called(id string) string {
	t, ok := g.run.Plan.Task(id)
	if !ok {
		return id
	}
	return g.numbers[id] + " " + t.Name.In(g.l.code)
}

func (g *planGatherer) task(t plan.Task, s *planrun.Task) planTask {
	row := planTask{
		Number: g.numbers[t.ID], ID: t.ID, Name: t.Name.In(g.l.code), Detail: t.Detail.In(g.l.code), Kind: string(t.Kind), Doers: g.roles(t.Doers()),
		Accountable: g.role(t.Accountable), Due: g.due(t.ID, t.Due, s.Due), Typical: t.Typical, Runs: t.Runs,
		Status: string(s.Status), Begun: s.Begun, Ended: s.Ended, Attempt: s.Attempt, Reason: g.l.reason(s.Reason), Finished: s.Status.Ended(),
	}
	if s.Person.ID != "" {
		row.Person = name(s.Person)
	}
	row.By = by(s.By)
	if len(s.Hands) > 0 && s.Status != planrun.Skipped { // who has done it, not who has checked it
		var hands []string
		for _, id := range s.Hands {
			hands = append(hands, g.person(id))
		}
		row.By = strings.Join(few(3, hands), ", ")
	}
	if t.Changes {
		row.Environment, row.Overrun = g.environmentName(t.Environment), string(t.Overrun)
	}
	for _, id := range t.Needs {
		if n, ok := g.numbers[id]; ok {
			row.Needs = append(row.Needs, n)
		}
	}
	for _, e := range t.Evidence {
		row.Evidence = append(row.Evidence, wanted{ID: e.ID, What: e.What.In(g.l.code)})
	}
	if t.Skip != nil {
		row.Skip = g.role(t.Skip.Approver)
	}
	if !s.Begun.IsZero() && !s.Ended.IsZero() {
		row.Took = max(0, s.Ended.Sub(s.Begun))
	}
	if end := s.Ended; !s.Due.IsZero() && s.Status != planrun.Skipped {
		if end.IsZero() {
			end = g.Made
		}
		if row.Late = end.After(s.Due); row.Late {
			row.LateBy = end.Sub(s.Due)
		}
	}
	if g.Part && row.By == "" {
		row.By = "–" // it does not show who
	}
	g.count(&row, s)
	return row
}

func (g *planGatherer) count(row *planTask, s *planrun.Task) {
	g.Tasks++
	switch {
	case s.Status == planrun.Done:
		g.Done++
	case s.Status == planrun.Skipped:
		g.Skipped++
	default:
		g.Left++
		g.Stays = append(g.Stays, stay{What: "task", Name: g.called(s.ID), Status: string(s.Status)})
	}
	if row.Late {
		g.Late++
	}
	if s.Attempt > 1 {
		g.Anew++
	}
	if w := s.Waiver; w != nil && s.Status == planrun.Skipped {
		g.Stays = append(g.Stays, stay{What: "waiver", Name: g.called(s.ID), Until: w.Until})
	}
	if s.Due.After(g.Last) {
		g.Last = s.Due
	}
}

func (g *planGatherer) due(task string, rule *plan.Due, at time.Time) planDue {
	d := planDue{At: at, Zone: g.Zone}
	if rule == nil {
		return d
	}
	d.Rule, d.Within, d.Days, d.Before = true, rule.Within, rule.Days, rule.Before
	if d.Begun = rule.After == task; rule.After != "" && !d.Begun {
		d.After = g.called(rule.After)
	}
	if rule.Date != "" {
		d.Date = rule.Date
		for _, p := range g.run.Plan.Parameters {
			if p.ID == rule.Date {
				d.Date = p.Description.In(g.l.code)
			}
		}
	}
	return d
}

// beside gathers what stands in tables of its own.
func (g *planGatherer) beside(t plan.Task, s *planrun.Task) {
	called := g.called(t.ID)
	if t.Vote != nil {
		g.Votes = append(g.Votes, g.voting(called, *t.Vote, g.due(t.ID, t.Due, s.Due)))
	}
	if u := t.Rollback; u != nil {
		row := undoing{
			Task: called, Component: u.Component, Runs: u.Runs, Detail: u.Detail.In(g.l.code), Within: u.Within, Forward: u.FixForward, DecideBy: s.DecideBy,
		}
		for _, look := range g.run.Windows {
			if look.Environment == t.Environment && row.DecideBy.IsZero() && !s.Status.Ended() && look.Open && !look.Until.IsZero() {
				row.DecideBy = look.Until.Add(-u.Within)
			}
		}
		if u.Rehearsed != "" {
			row.Rehearsed = g.called(u.Rehearsed)
		}
		g.Rollbacks = append(g.Rollbacks, row)
	}
	if t.Kind == plan.Notify {
		g.Tells = append(g.Tells, announcement{called, g.roles(t.Tell), t.Message.In(g.l.code)})
	}
	if t.Escalate != nil || len(t.Remind) > 0 {
		row := watch{Task: called, Before: t.Remind}
		if t.Escalate != nil {
			row.After, row.To = t.Escalate.After, g.roles(t.Escalate.To)
		}
		g.Watches = append(g.Watches, row)
	}
	if m := s.Measures; m.Last != "" {
		g.Measures = append(g.Measures, measure{called, m.Passed, m.Failed, m.Unclear, string(m.Last), m.LastAt, g.l.reason(m.LastSeen)})
	}
	for _, a := range g.run.Alerts {
		if a.Task == t.ID {
			g.Alerts = append(g.Alerts, keptAlert{called, a.Name, a.Summary, a.Times, a.First, a.Last, a.Resolved})
		}
	}
	for _, x := range s.Targets {
		if n := len(g.Waves) - 1; n < 0 || g.Waves[n].Task != called || g.Waves[n].Number != x.Wave {
			g.Waves = append(g.Waves, wave{Task: called, Number: x.Wave})
		}
		w := &g.Waves[len(g.Waves)-1]
		w.Targets = append(w.Targets, target{x.Name, string(x.Status), x.By, x.At, g.l.reason(x.Reason)})
	}
	for _, e := range s.Evidence {
		g.Evidence = append(g.Evidence, g.evidence(t, e))
	}
}

func (g *planGatherer) evidence(t plan.Task, e planrun.Given) evidence {
	row := evidence{Task: g.called(t.ID), Item: e.Item, Ref: e.Ref, SHA256: e.SHA256, Note: e.Note, By: name(e.By), At: e.At}
	if e.Checker.ID != "" {
		row.Checker, row.Returned = name(e.Checker), !e.Returned.IsZero()
	}
	if t.Kind == plan.Report {
		row.Item = g.l.word("report", e.Item)
		if e.For != "" && !g.Part {
			row.Item += " (" + g.l.word("party", string(e.For)) + ")"
		}
	}
	for _, x := range t.Evidence {
		if x.ID == e.Item {
			row.Item = x.What.In(g.l.code)
		}
	}
	return row
}

// voting says who votes and how it is decided.
func (g *planGatherer) voting(called string, r approval.Rule, due planDue) votingRule {
	row := votingRule{
		Task: called, Count: r.Need.Count, Percent: r.Need.Percent, Each: string(r.Need.Each), Approves: r.OnExpiry == approval.ApproveOnExpiry,
		Go: len(r.Yes) > 0, Risk: slices.Contains(r.Yes, approval.ReadyWithRisk), Due: due,
	}
	for _, v := range r.Voters {
		row.Voters = append(row.Voters, g.role(v.Role))
	}
	for _, w := range r.Required {
		switch {
		case w.Person != "":
			row.Required = append(row.Required, g.person(w.Person))
		case w.Role != "":
			row.Required = append(row.Required, g.role(w.Role))
		default:
			row.Required = append(row.Required, g.l.word("party", string(w.Party)))
		}
	}
	if r.Exclude.Requester {
		row.Not = append(row.Not, "requester")
	}
	if r.Exclude.Implementers {
		row.Not = append(row.Not, "implementers")
	}
	return row
}

// by is who has done something: a person, or for whoever may not read their name the organisation; empty: Muster itself.
func by(a timeline.Actor) string {
	if a.Kind == timeline.Person || a.Kind == timeline.Engine && a.Name != "" {
		return name(a)
	}
	return ""
}

// person is somebody by name, if the run has heard of them.
func (g *planGatherer) person(id string) string {
	if n, ok := g.people[id]; ok {
		return n
	}
	return id
}

// given gathers the parameters, the runbooks and who fills the roles.
func (g *planGatherer) given(contacts []PlanContact) {
	r := g.run
	for _, v := range r.Parameters {
		row := parameter{ID: v.ID, Name: v.ID, Value: v.Value, Instant: v.At}
		if len(v.List) > 0 {
			row.Value = strings.Join(few(20, v.List), ", ")
		}
		for _, p := range r.Plan.Parameters {
			if p.ID == v.ID {
				row.Name, row.Date = p.Description.In(g.l.code), p.Type == plan.DateType
			}
		}
		g.Parameters = append(g.Parameters, row)
	}
	for _, b := range r.Books {
		g.Books = append(g.Books, book{b.ID, b.Runbook.Title, b.SHA256})
	}
	for _, role := range r.Plan.Roles {
		row := planContact{Role: role.Name.In(g.l.code), Party: string(role.Party)}
		listed := false
		for _, c := range contacts {
			if c.Role == role.ID {
				listed, row.Reach = true, cmp.Or(c.Phone, c.Mail)
				g.Reached = g.Reached || row.Reach != ""
				row.Who = []string{c.Name}
				if c.Of != "" {
					row.Who[0] += " (" + c.Of + ")"
				}
				g.Contacts = append(g.Contacts, row)
			}
		}
		if listed {
			continue
		}
		for _, t := range r.Filled(role.ID) {
			if t.Kind == escalation.Person {
				row.Who = append(row.Who, g.person(t.ID))
			} else {
				row.Who = append(row.Who, g.l.targets(string(t.Kind)+":"+t.ID))
			}
		}
		g.Contacts = append(g.Contacts, row)
	}
}

func (g *planGatherer) environmentName(id string) string {
	for _, b := range g.run.Environments {
		if b.ID == id {
			return b.Name
		}
	}
	return id
}

func (g *planGatherer) environment(b *planrun.Bound) environment {
	row := environment{Name: b.Name, Production: b.Production}
	for _, w := range b.Rules.Windows {
		row.Windows = append(row.Windows, times{Name: w.Name, When: g.when(w.When), Zone: w.Zone})
	}
	for _, f := range b.Rules.Freezes {
		row.Freezes = append(row.Freezes, times{f.Name, f.Reason, f.Owner.Name, g.when(f.When), f.Zone})
	}
	for _, l := range g.run.Windows {
		if l.Environment == b.ID && !l.At.IsZero() {
			row.Known, row.Open, row.At, row.Until, row.Next, row.Why = true, l.Open, l.At, l.Until, l.Next, g.why(l)
		}
	}
	return row
}

// why names what keeps an environment from being changed.
func (g *planGatherer) why(l planrun.Look) string {
	if l.Detail != "" {
		return l.Detail
	}
	var names []string
	for _, r := range l.Why {
		switch {
		case !r.Holds():
		case r.Kind == freeze.Outside:
			names = append(names, fmt.Sprintf(g.l.word("reason", "outside"), ""))
		default:
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}

// when writes the times of a window or a freeze, one line for each.
func (g *planGatherer) when(w freeze.When) (lines []string) {
	l := g.l
	day := func(d calendar.Weekday) string {
		return fmt.Sprintf(l.word("when", "weekday"), l.weekdays[(slices.Index(calendar.Weekdays(), d)+1)%7])
	}
	for _, p := range w.Patterns {
		var days []string
		for _, d := range p.Days {
			days = append(days, day(d))
		}
		for _, m := range p.Monthly {
			n, rest, _ := strings.Cut(m.String(), " ")
			switch {
			case m.Weekday != "":
				days = append(days, fmt.Sprintf(l.word("when", n), day(m.Weekday)))
			case n == "last":
				days = append(days, l.word("when", "last-day"))
			default:
				days = append(days, fmt.Sprintf(l.word("when", "day"), rest))
			}
		}
		days = append(days, dates(g.near(p.Dates))...)
		if len(days) > 0 {
			lines = append(lines, strings.Join(days, ", ")+" "+p.Hours.String())
		}
	}
	for _, y := range w.Yearly {
		lines = append(lines, fmt.Sprintf(l.word("when", "yearly"), y.From, y.To))
	}
	if len(w.Holidays) > 0 {
		lines = append(lines, strings.Join(dates(g.near(w.Holidays)), ", "))
	}
	for _, p := range w.Periods {
		span := p.From.String() + " – " + p.To.String()
		if p.Zone != "" {
			span += " (" + p.Zone + ")"
		}
		lines = append(lines, span)
	}
	if w.From != 0 || w.Until != 0 {
		from, until := "", ""
		if w.From != 0 {
			from = w.From.String()
		}
		if w.Until != 0 {
			until = w.Until.String()
		}
		lines = append(lines, strings.TrimSpace(from+" – "+until))
	}
	return lines
}

// near are the days from the start of the run to its last due time, or for a year; where there are none, the next one after that.
func (g *planGatherer) near(all calendar.Dates) (days calendar.Dates) {
	end := g.Last
	if end.IsZero() {
		end = g.Opened.AddDate(1, 0, 0)
	}
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		return all
	}
	first, last := calendar.DateOf(g.Opened.In(zone)), calendar.DateOf(end.In(zone))
	for _, d := range all {
		if d >= first && (d <= last || len(days) == 0) {
			days = append(days, d)
		}
	}
	return days
}

// dates are the first few of some days.
func dates(all calendar.Dates) []string {
	days := make([]string, len(all))
	for n, d := range all {
		days[n] = d.String()
	}
	return few(10, days)
}

// matrix is who takes which part: tasks in rows, roles in columns.
func (g *planGatherer) matrix() {
	d := &g.run.Plan
	for _, role := range d.Roles {
		g.Roles = append(g.Roles, role.Name.In(g.l.code))
	}
	for _, t := range d.All() {
		if _, _, ok := g.run.Task(t.ID); !ok {
			continue
		}
		row := matrixRow{Number: g.numbers[t.ID], Name: t.Name.In(g.l.code)}
		for _, role := range d.Roles {
			letters := []string{}
			if s := t.Letters(role.ID); s != "" {
				letters = append(letters, s)
			}
			if t.Vote != nil && slices.ContainsFunc(t.Vote.Voters, func(v approval.Voter) bool { return v.Role == role.ID }) {
				letters = append(letters, "V")
			}
			if slices.ContainsFunc(t.Evidence, func(e plan.Evidence) bool { return e.CheckedBy == role.ID }) {
				letters = append(letters, "E")
			}
			row.Letters = append(row.Letters, strings.Join(letters, "/"))
		}
		g.Matrix = append(g.Matrix, row)
	}
}
