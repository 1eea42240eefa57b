package preview

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"muster/activities"
	"muster/internal/approval"
	"muster/internal/calendar"
	"muster/internal/freeze"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// horizon is how far a preview looks.
const horizon = 3 * 366 * 24 * time.Hour

// A Forecast is how a run of a plan would go if everybody did what they are asked, in the time that it usually takes.
type Forecast struct {
	Run      *planrun.Run `json:"-"`
	Starts   time.Time    `json:"starts"`
	Ends     time.Time    `json:"ends,omitzero"` // zero: it stalls
	Tasks    []Bar        `json:"tasks"`         // in the order of the plan
	Critical []string     `json:"critical"`      // tasks that the end waits for, the first one first
	Stalls   []Stall      `json:"stalls,omitempty"`
	Wanted   []Wanted     `json:"wanted"` // who must be there, and when

	// KnownUntil is set where the forecast goes beyond the day up to which the holidays of its calendar have been announced.
	KnownUntil calendar.Date `json:"holidays_known_until,omitzero"`
}

// A Bar is when one task would be done.
type Bar struct {
	ID      string             `json:"id"`
	Phase   string             `json:"phase"`
	Name    plan.Text          `json:"name"`
	Ready   time.Time          `json:"ready,omitzero"`
	Begins  time.Time          `json:"begins,omitzero"`
	Ends    time.Time          `json:"ends,omitzero"`
	Due     time.Time          `json:"due,omitzero"`
	Length  *Length            `json:"length,omitempty"`  // people work on it
	Late    bool               `json:"late,omitempty"`    // it ends after it is due
	Decides time.Time          `json:"decides,omitzero"`  // of a vote: when everybody would have voted
	Expires bool               `json:"expires,omitempty"` // it would not be decided before it is due, and is
	Verdict approval.Verdict   `json:"verdict,omitempty"` // what a vote that expires comes to
	Held    []Held             `json:"held,omitempty"`
	Status  planrun.TaskStatus `json:"status"` // at the end of the forecast
}

// A Held is a time in which a task waits because its environment may not be changed. A task that waits for its window meets freezes.
type Held struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // zero: for ever
	Why   string    `json:"why"`
}

// A Stall is where the run would stand still, and for whom it would wait.
type Stall struct {
	Task   string             `json:"task,omitempty"` // empty: it is about the run
	Status planrun.TaskStatus `json:"status,omitempty"`
	Run    planrun.Status     `json:"run,omitempty"`  // where it is halted, or rolls back
	Want   planrun.Want       `json:"want,omitempty"` // of whoever fills the roles; empty: nobody can do anything
	Roles  []string           `json:"roles,omitempty"`
	Why    string             `json:"why,omitempty"`
}

// planner simulates a run.
type planner struct {
	run     *planrun.Run
	now     time.Time
	works   *activities.Plans
	open    supportplan.OpenTime
	lengths map[string]plan.Length // by task, as somebody says
	actions []action
	bars    []Bar
	wanted  []Wanted
}

// An action is what somebody does at an instant.
type action struct {
	at time.Time
	do func()
}

// Plan forecasts a run of a plan from an instant on, on the calendars, freezes and schedules of the folder. Lengths are how long
// tasks take, by ID, as somebody says; those of all others are typical, or assumed.
func Plan(ctx context.Context, o *org.Organisation, terms planrun.Terms, start time.Time, lengths map[string]plan.Length) (*Forecast, error) {
	open, err := supportplan.OpenTimeOf(terms.Calendar, terms.Calendars, time.LoadLocation)
	if err != nil {
		return nil, fmt.Errorf("preview plan: %w", err)
	}
	p := &planner{now: start, open: open, lengths: lengths}
	p.works = &activities.Plans{Directory: func() activities.Directory { return o }, Now: func() time.Time { return p.now }}
	if p.run, err = planrun.Start(terms, start); err != nil {
		return nil, fmt.Errorf("preview plan: %w", err)
	}
	for _, phase := range terms.Plan.Phases {
		for _, t := range phase.Tasks {
			b := Bar{ID: t.ID, Phase: phase.ID, Name: t.Name}
			if t.Worked() {
				l := p.length(t)
				b.Length = &l
			}
			p.bars = append(p.bars, b)
		}
	}
	p.play(ctx, start.Add(horizon))
	return p.forecast(o, start), nil
}

// play lets the time run until the run is over, stands still, or the horizon is reached.
func (p *planner) play(ctx context.Context, end time.Time) {
	const most = 100_000 // moments
	for range most {
		for works := p.run.Advance(p.now); len(works) > 0; works = p.run.Advance(p.now) {
			for _, w := range works {
				p.answer(ctx, w)
			}
		}
		p.watch()
		if p.run.Over() {
			return
		}
		next := p.run.NextDue()
		n := -1
		for i, a := range p.actions {
			if next.IsZero() || !a.at.After(next) {
				next, n = a.at, i
			}
		}
		if next.IsZero() || next.After(end) || !p.moves(n) {
			return
		}
		p.now = next
		if n >= 0 {
			do := p.actions[n].do
			p.actions = slices.Delete(p.actions, n, n+1)
			do()
		}
	}
}

// moves tells whether anything but a reminder can still happen: somebody acts, time passes for a task, or a window opens.
func (p *planner) moves(acting int) bool {
	if acting >= 0 || len(p.actions) > 0 {
		return true
	}
	return slices.ContainsFunc(p.run.Tasks, func(t planrun.Task) bool {
		def, _ := p.run.Plan.Task(t.ID)
		return t.Status == planrun.Held || t.Status == planrun.Begun && (def.Window || !t.Until.IsZero() || !t.NextAt.IsZero() || !t.Due.IsZero() && !t.Overdue)
	})
}

// watch keeps what the bars show.
func (p *planner) watch() {
	for n := range p.run.Tasks {
		t, b := &p.run.Tasks[n], &p.bars[n]
		if t.Status != b.Status {
			switch t.Status {
			case planrun.Held:
				b.Held = append(b.Held, Held{From: p.now, Why: t.Reason})
			case planrun.Ready:
				b.Ready = p.now
			default:
			}
			if k := len(b.Held) - 1; k >= 0 && b.Status == planrun.Held {
				b.Held[k].Until = p.now
			}
			b.Status = t.Status
		}
		b.Begins, b.Ends, b.Due = t.Begun, t.Ended, t.Due
		if b.Ready.IsZero() {
			b.Ready = t.Begun
		}
	}
}

// answer does what the run asks for, as the world would.
func (p *planner) answer(ctx context.Context, w planrun.Work) {
	detail := func(err error) string {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	switch w.Do {
	case planrun.ComputeDue:
		due, err := p.works.ComputeDue(ctx, activities.ComputeDueInput{DueOf: w.Due, Calendar: p.run.Calendar, Calendars: p.run.Calendars})
		p.run.DueComputed(w.Task, due, detail(err), p.now)
	case planrun.LookWindow:
		look, err := p.works.LookWindow(ctx, w.Window)
		p.run.Looked(w.Number, look, detail(err), p.now)
	case planrun.TakeLock:
		p.run.LockTaken(w.Number, true, "", "", p.now)
	case planrun.FindVoters:
		p.findVoters(ctx, w)
	case planrun.MeasureOnce:
		p.run.Measured(w.Number, w.Task, planrun.Pass, "", p.now)
	case planrun.RunStep:
		def, _ := p.run.Plan.Task(w.Task)
		p.at(p.now.Add(p.step(def)), func() { p.run.Ran(w.Number, w.Task, runbook.Result{State: runbook.Passed}, p.now) })
	case planrun.WriteReport:
		p.run.Written(w.Number, w.Task, []planrun.Document{{Name: w.Writes}}, "", p.now)
	case planrun.Tell:
		p.told(w.Telling)
	case planrun.FreeLock, planrun.HoldAlerts, planrun.LetAlerts: // nobody else is there
	}
}

func (p *planner) at(when time.Time, do func()) { p.actions = append(p.actions, action{when, do}) }

// work returns when something is done that takes so long, in the working time of the run.
func (p *planner) work(d time.Duration) time.Time {
	at, err := p.open.Add(p.now, d)
	if err != nil { // the calendar ends: people work on
		return p.now.Add(d)
	}
	return at
}

// whoever is somebody who fills some roles, and who has no other part.
func whoever(roles []string) (timeline.Actor, planrun.Capacity) {
	id := "preview"
	for _, r := range roles {
		id += ":" + r
	}
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: id}, planrun.Capacity{Roles: roles}
}

// do asks something of the run as somebody who may. What is refused stands still, and is seen at the end.
func (p *planner) do(roles []string, make func(c planrun.Capacity) planrun.Command) {
	by, capacity := whoever(roles)
	p.doAs(by, make(capacity))
}

func (p *planner) doAs(by timeline.Actor, c planrun.Command) {
	if c.Check(p.run, by) == nil {
		_ = c.Apply(p.run, by, p.now)
	}
}

// told lets whoever is told do what they are asked.
func (p *planner) told(t planrun.Telling) {
	def, _ := p.run.Plan.Task(t.Task)
	switch t.About {
	case planrun.TaskReady:
		p.takesUp(def)
	case planrun.CheckWanted:
		for _, e := range def.Evidence {
			if e.CheckedBy == "" {
				continue
			}
			done := p.work(aCheck)
			p.want([]string{e.CheckedBy}, def, p.now, done, false)
			p.at(done, func() {
				p.do([]string{e.CheckedBy}, func(c planrun.Capacity) planrun.Command {
					return planrun.CheckEvidence{Capacity: c, Task: def.ID, OK: true}
				})
			})
		}
	case planrun.TaskUnclear:
		p.at(p.now.Add(aLook), func() {
			p.do(def.Doers(), func(c planrun.Capacity) planrun.Command {
				return planrun.Settle{Capacity: c, Task: def.ID, Status: planrun.Done, Reason: "preview"}
			})
		})
	default:
	}
}

func (p *planner) want(roles []string, def plan.Task, from, until time.Time, changes bool) {
	for _, role := range roles {
		same := func(w Wanted) bool {
			return w.Role == role && w.Task == def.ID && w.From.Equal(from) && w.Until.Equal(until)
		}
		if !slices.ContainsFunc(p.wanted, same) { // of two things that are checked
			p.wanted = append(p.wanted, Wanted{Role: role, Task: def.ID, From: from, Until: until, changes: changes})
		}
	}
}

// takesUp begins a task and does it: a change when it may be made, everything else in working time.
func (p *planner) takesUp(def plan.Task) {
	begins := p.now
	if at, ok := p.open.NextOpen(p.now); ok && !def.Changes {
		begins = at
	}
	p.at(begins, func() {
		p.do(def.Doers(), func(c planrun.Capacity) planrun.Command { return planrun.Begin{Capacity: c, Task: def.ID} })
		if t, _, _ := p.run.Task(def.ID); t.Status != planrun.Begun {
			return
		}
		if def.Kind == plan.Runbook {
			p.want(def.Doers(), def, p.now, p.now.Add(elapsed(p.length(def).Length)), true)
			p.goThrough(def)
			return
		}
		done := p.done(def, p.length(def).Length)
		p.want(def.Doers(), def, p.now, done, def.Changes)
		p.at(done, func() { p.completes(def) })
	})
}

// completes gives every piece of evidence that is wanted, for every target of the wave on its way.
func (p *planner) completes(def plan.Task) {
	if def.Waves == nil {
		var given []planrun.Given
		for _, e := range def.Evidence {
			given = append(given, planrun.Given{Item: e.ID, Ref: "preview"})
		}
		p.do(def.Doers(), func(c planrun.Capacity) planrun.Command {
			return planrun.Complete{Capacity: c, Task: def.ID, Evidence: given, Note: "preview"} // a word where no action item comes of it
		})
		return
	}
	t, _, _ := p.run.Task(def.ID)
	for _, x := range t.Targets {
		if x.Wave == t.Wave && x.Status == planrun.Waiting {
			p.do(def.Doers(), func(c planrun.Capacity) planrun.Command {
				return planrun.Complete{Capacity: c, Task: def.ID, Target: x.Name}
			})
		}
	}
	if t.Status == planrun.Begun { // the next wave begins after the bake
		done := t.Until.Add(elapsed(p.length(def).Length))
		p.want(def.Doers(), def, t.Until, done, true)
		p.at(done, func() { p.completes(def) })
	}
}

// goThrough does the steps of a runbook that wait for a person, as long as there are any.
func (p *planner) goThrough(def plan.Task) {
	t, _, _ := p.run.Task(def.ID)
	if t.Status != planrun.Begun {
		return
	}
	if t.Steps != nil {
		if s := t.Steps.Current(); s != nil && s.Status == runbook.Waiting {
			p.do(def.Doers(), func(c planrun.Capacity) planrun.Command {
				return planrun.DoStep{Capacity: c, Task: def.ID, Step: s.Number}
			})
		}
	}
	p.at(p.now.Add(p.step(def)), func() { p.goThrough(def) })
}

// findVoters lets everybody who may vote be in favour, after the time that a vote takes.
func (p *planner) findVoters(ctx context.Context, w planrun.Work) {
	var in activities.FindVotersInput
	for _, id := range w.Roles {
		role, _ := p.run.Plan.Role(id)
		in.Roles = append(in.Roles, activities.RoleTargets{Role: id, Party: role.Party, Targets: p.run.Filled(id)})
	}
	found, err := p.works.FindVoters(ctx, in)
	if err != nil {
		p.run.Elected(w.Task, nil, err.Error(), p.now)
		return
	}
	first := false
	if t, _, ok := p.run.Task(w.Task); ok {
		first = t.Ballot == nil
	}
	p.run.Elected(w.Task, found.Electors, "", p.now)
	if !first {
		return
	}
	def, _ := p.run.Plan.Task(w.Task)
	done := p.done(def, p.length(def).Length)
	p.want(w.Roles, def, p.now, done, false)
	if n := slices.IndexFunc(p.bars, func(b Bar) bool { return b.ID == w.Task }); n >= 0 {
		p.bars[n].Decides = done
	}
	for _, e := range found.Electors {
		p.at(done, func() { p.vote(w.Task, e) })
	}
}

func (p *planner) vote(task string, e approval.Elector) {
	t, def, _ := p.run.Task(task)
	if t.Ballot == nil {
		return
	}
	choice := approval.Approve
	if def.Kind == plan.Decision {
		choice = approval.Ready
	}
	p.doAs(timeline.Actor{Kind: timeline.Person, ID: e.Person, Name: e.Name}, planrun.Vote{
		Capacity: planrun.Capacity{Roles: e.Roles}, ID: "preview/" + task + "/" + e.Person + fmt.Sprint(t.Attempt), Task: task, Choice: choice,
		Shown: t.Ballot.Shown.SHA256,
	})
}

// forecast says how it went.
func (p *planner) forecast(o *org.Organisation, start time.Time) *Forecast {
	f := &Forecast{Run: p.run, Starts: start, Tasks: p.bars, Wanted: p.wanted}
	if p.run.Over() {
		f.Ends = p.run.Ended
	}
	for n := range f.Tasks {
		b := &f.Tasks[n]
		t, def, _ := p.run.Task(b.ID)
		b.Late = !b.Due.IsZero() && (b.Ends.After(b.Due) || b.Ends.IsZero() && t.Overdue)
		if b.Expires = t.Ballot != nil && t.Ballot.Outcome.Why == approval.Deadline; b.Expires {
			b.Verdict = t.Ballot.Outcome.Verdict
		}
		if def.Window && !b.Begins.IsZero() {
			b.Held = p.frozen(def.Environment, b.Begins, b.Ends)
		}
	}
	if f.Ends.IsZero() {
		f.Stalls = p.stalls()
	}
	place := func(task string) int { return slices.IndexFunc(p.bars, func(b Bar) bool { return b.ID == task }) }
	slices.SortStableFunc(f.Wanted, func(a, b Wanted) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(place(a.Task), place(b.Task)))
	})
	for n := range f.Wanted {
		p.attend(o, &f.Wanted[n])
	}
	if rules, zone, ok := p.calendar(); ok && rules.KnownUntil != 0 && calendar.DateOf(p.now.In(zone)) > rules.KnownUntil {
		f.KnownUntil = rules.KnownUntil
	}
	f.Critical = p.critical()
	return f
}

// frozen are the freezes of an environment that a task meets which waits until it may be changed.
func (p *planner) frozen(environment string, from, until time.Time) (all []Held) {
	if until.IsZero() {
		until = p.now
	}
	n := slices.IndexFunc(p.run.Environments, func(b planrun.Bound) bool { return b.ID == environment })
	if n < 0 {
		return nil
	}
	times, err := freeze.New(p.run.Environments[n].Rules, nil, time.LoadLocation)
	if err != nil {
		return nil
	}
	for _, r := range times.Spans(from, until) {
		if r.Kind == freeze.Frozen {
			all = append(all, Held{From: calendar.Later(r.From, from), Until: calendar.Earlier(r.Until, until), Why: r.Name})
		}
	}
	return all
}

// stalls are what the run waits for when nobody does anything any more, and what waits for nobody.
func (p *planner) stalls() (all []Stall) {
	for _, w := range p.run.Waits(p.now) {
		s := Stall{Task: w.Task, Want: w.Want, Roles: w.Roles}
		if t, _, ok := p.run.Task(w.Task); ok {
			s.Status, s.Why = t.Status, t.Reason
		}
		if p.run.Status != planrun.Running {
			s.Run, s.Why = p.run.Status, p.run.Reason
		}
		all = append(all, s)
	}
	for _, t := range p.run.Tasks {
		said := slices.ContainsFunc(all, func(s Stall) bool { return s.Task == t.ID })
		if !said && p.run.Status == planrun.Running && !t.Status.Ended() && t.Status != planrun.Waiting {
			all = append(all, Stall{Task: t.ID, Status: t.Status, Why: t.Reason})
		}
	}
	return all
}

// critical are the tasks that the end waits for: from the last one back, always the one among those needed that ended last.
func (p *planner) critical() []string {
	var last *planrun.Task
	for n := range p.run.Tasks {
		if t := &p.run.Tasks[n]; !t.Ended.IsZero() && (last == nil || !t.Ended.Before(last.Ended)) {
			last = t
		}
	}
	var path []string
	for last != nil {
		path = append(path, last.ID)
		def, _ := p.run.Plan.Task(last.ID)
		var before *planrun.Task
		for _, id := range def.Needs {
			if t, _, ok := p.run.Task(id); ok && (before == nil || t.Ended.After(before.Ended)) {
				before = t
			}
		}
		last = before
	}
	slices.Reverse(path)
	return path
}
