package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"muster/internal/approval"
	"muster/internal/org"
	"muster/internal/plan"
)

// A planSheet is a page about one plan.
type planSheet struct {
	page

	l  planLabels
	of org.Plan
}

func (a *app) planSheet(w io.Writer, p org.Plan, language string) planSheet {
	page := a.page(w, language, "UTC")
	return planSheet{page, planLabelsIn(page.language), p}
}

func (s planSheet) in(t plan.Text) string { return printable(t.In(s.language)) }

func (s planSheet) lasts(d time.Duration) string { return s.view.texts.Duration(d, s.language) }

// whole shows all of the plan.
func (s planSheet) whole() {
	d := &s.of.Definition
	fmt.Fprintf(s.w, "%s\n\n", s.paint(bold, s.in(d.Name)+"  "+d.ID))
	f := facts{page: s.page}
	f.add(s.l.kind, s.l.word(string(d.Kind)))
	f.add(s.l.description, s.in(d.Description))
	f.add(s.l.source, printable(s.l.word(d.Source)))
	f.add(s.l.comesFrom, s.l.from(s.of))
	f.add("SHA-256", s.of.SHA256)
	f.add(s.l.lead, s.roleNames(d.Lead))
	f.add(s.l.rePlan, s.rule(&d.RePlan))
	var environments []string
	for _, e := range d.Environments {
		name := s.in(e.Name)
		if e.Production {
			name = fmt.Sprintf(s.l.production, name)
		}
		environments = append(environments, name)
	}
	if d.Apart {
		environments = append(environments, s.l.apart)
	}
	f.add(s.l.environments, strings.Join(environments, ", "))
	s.rows(s.w, f.rows, text.WrapSoft)
	s.params()
	s.people()
	for _, p := range d.Phases {
		s.title(s.in(p.Name))
		for n := range p.Tasks {
			s.shown(&p.Tasks[n])
		}
	}
}

func (s planSheet) title(what string) { fmt.Fprintf(s.w, "\n%s\n", s.paint(bold, what)) }

func (s planSheet) params() {
	if len(s.of.Definition.Parameters) == 0 {
		return
	}
	s.title(s.l.parameters)
	rows := [][]string{s.head(s.l.parameter, s.l.typ, s.l.standard, s.l.meaning)}
	for _, x := range s.of.Definition.Parameters {
		standard := cmp.Or(x.Default, s.l.wanted)
		if x.Default == "" && x.Optional {
			standard = s.l.mayBeEmpty
		}
		typ := s.l.word(string(x.Type))
		if len(x.Values) > 0 {
			typ += ": " + strings.Join(x.Values, ", ")
		}
		rows = append(rows, []string{x.ID, printable(typ), printable(standard), s.in(x.Description)})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

func (s planSheet) people() {
	s.title(s.l.roles)
	rows := [][]string{s.head(s.l.role, s.l.party, s.l.name)}
	for _, r := range s.of.Definition.Roles {
		name := s.in(r.Name)
		if r.FilledBy != "" {
			name += printable(fmt.Sprintf(s.l.filledBy, r.FilledBy))
		}
		rows = append(rows, []string{r.ID, s.l.word(string(r.Party)), name})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// roleNames are roles as people call them.
func (s planSheet) roleNames(ids ...string) string {
	names := make([]string, len(ids))
	for n, id := range ids {
		r, _ := s.of.Definition.Role(id)
		names[n] = s.in(r.Name)
	}
	return strings.Join(names, ", ")
}

func (s planSheet) environment(id string) string {
	for _, e := range s.of.Definition.Environments {
		if e.ID == id {
			return s.in(e.Name)
		}
	}
	return ""
}

// shown shows one task.
func (s planSheet) shown(t *plan.Task) {
	fmt.Fprintf(s.w, "  %s\n", s.paint(bold, s.in(t.Name)+"  "+t.ID))
	f := facts{page: s.page}
	add := func(label string, values ...string) { f.add("    "+label, values...) }
	add(s.l.kind, s.l.word(string(t.Kind)))
	add(s.l.description, s.in(t.Detail))
	add(s.l.who, s.assignment(t)...)
	add(s.l.due, s.dueBy(t.Due))
	add(s.l.needs, cmp.Or(printable(strings.Join(t.Needs, ", ")), s.l.nothing))
	add(s.l.when, printable(t.When))
	add(s.l.typical, s.long(t.Typical, "%s"))
	s.changing(t, add)
	s.voting(t, add)
	add(s.l.runs, t.Runs)
	add(s.l.check, s.measured(t.Check))
	add(s.l.waits, s.waiting(t))
	add(s.l.tells, s.roleNames(t.Tell...))
	add(s.l.says, s.in(t.Message))
	if t.Writes != "" {
		add(s.l.writes, s.l.word(t.Writes))
	}
	s.chasing(t, add)
	add(s.l.source, printable(s.l.word(t.Source)))
	s.rows(s.w, f.rows, text.WrapSoft)
}

// long is a time in a sentence, and nothing where there is none.
func (s planSheet) long(d time.Duration, sentence string) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(sentence, s.lasts(d))
}

// assignment says who takes which part: a line for each letter.
func (s planSheet) assignment(t *plan.Task) (all []string) {
	for _, part := range []struct {
		letter string
		roles  []string
	}{{t.Letters(t.Accountable), []string{t.Accountable}}, {"R", t.Responsible}, {"C", t.Consulted}, {"I", t.Informed}} {
		others := part.roles
		if part.letter == "R" {
			others = slices.DeleteFunc(slices.Clone(others), func(r string) bool { return r == t.Accountable })
		}
		if len(others) > 0 {
			all = append(all, part.letter+" "+s.roleNames(others...))
		}
	}
	return all
}

func (s planSheet) dueBy(d *plan.Due) string {
	if d == nil {
		return ""
	}
	length := s.l.workingDay
	switch {
	case d.Days > 1:
		length = fmt.Sprintf(s.l.workingDays, d.Days)
	case d.Within > 0:
		length = s.lasts(d.Within)
	}
	switch {
	case d.Within == 0 && d.Days == 0:
		return fmt.Sprintf(s.l.onDate, d.Date)
	case d.Before:
		return fmt.Sprintf(s.l.beforeDate, length, d.Date)
	case d.Date != "":
		return fmt.Sprintf(s.l.afterDate, length, d.Date)
	case d.After != "":
		return fmt.Sprintf(s.l.afterTask, length, d.After)
	}
	return fmt.Sprintf(s.l.afterStart, length)
}

// changing says what a task changes, how it is undone, and on how much at once it is done.
func (s planSheet) changing(t *plan.Task, add func(string, ...string)) {
	if t.Changes {
		what := fmt.Sprintf(s.l.changesWhat, s.environment(t.Environment))
		switch t.Overrun {
		case plan.Finish, plan.Hold:
			what += "; " + s.l.word(string(t.Overrun))
		case plan.RollBack:
			what += "; " + s.l.word("overrun-roll-back")
		}
		add(s.l.changes, what)
	}
	if t.ByHand {
		add(s.l.byHand, s.l.byHandIs)
	}
	if r := t.Rollback; r != nil {
		parts := []string{fmt.Sprintf(s.l.back, printable(r.Component), s.lasts(r.Within))}
		if r.Runs != "" {
			parts = append(parts, fmt.Sprintf(s.l.backRuns, r.Runs))
		}
		if r.Rehearsed != "" {
			parts = append(parts, fmt.Sprintf(s.l.rehearsed, r.Rehearsed))
		}
		if r.FixForward {
			parts = append(parts, s.l.fixForward)
		}
		all := []string{strings.Join(parts, "; ")}
		if !r.Detail.Empty() {
			all = append(all, fmt.Sprintf(s.l.backByHand, s.in(r.Detail)))
		}
		add(s.l.rollback, all...)
	}
	if w := t.Waves; w != nil {
		size := fmt.Sprintf(s.l.waveSize, w.Over, w.Size)
		if w.Percent > 0 {
			size = fmt.Sprintf(s.l.wavePercent, w.Over, w.Percent)
		}
		add(s.l.waves, size+fmt.Sprintf(s.l.waveErrors, w.MaxErrors)+s.long(w.Bake, s.l.waveBake))
	}
}

// voting says who decides, on what.
func (s planSheet) voting(t *plan.Task, add func(string, ...string)) {
	if t.Vote != nil {
		add(s.l.vote, s.rule(t.Vote))
		add(s.l.shows, strings.Join(t.Shows, ", "))
	}
	var evidence []string
	for _, e := range t.Evidence {
		line := s.in(e.What)
		if e.CheckedBy != "" {
			line += fmt.Sprintf(s.l.checkedBy, s.roleNames(e.CheckedBy))
		}
		if e.Plan != "" {
			line += printable(fmt.Sprintf(s.l.runOf, e.Plan))
		}
		evidence = append(evidence, line+s.long(e.Fresh, s.l.fresh))
	}
	if t.ActionItems {
		evidence = append(evidence, s.l.items)
	}
	add(s.l.evidence, evidence...)
}

// rule says how a vote is decided.
func (s planSheet) rule(r *approval.Rule) string {
	var voters, required []string
	for _, v := range r.Voters {
		voters = append(voters, v.Role)
	}
	for _, w := range r.Required {
		required = append(required, w.Role)
	}
	who := s.roleNames(voters...)
	parts := []string{fmt.Sprintf(s.l.eachRole, who)}
	switch {
	case r.Need.Count > 0:
		parts[0] = fmt.Sprintf(s.l.count, r.Need.Count, who)
	case r.Need.Percent > 0:
		parts[0] = fmt.Sprintf(s.l.percent, r.Need.Percent, who)
	case r.Need.Each == approval.EachParty:
		parts[0] = fmt.Sprintf(s.l.eachParty, who)
	}
	if len(required) > 0 {
		parts = append(parts, fmt.Sprintf(s.l.required, s.roleNames(required...)))
	}
	if r.Exclude.Requester {
		parts = append(parts, s.l.notRequester)
	}
	if r.Exclude.Implementers {
		parts = append(parts, s.l.notImplementers)
	}
	if r.OnExpiry == approval.ApproveOnExpiry {
		parts = append(parts, s.l.approvesOnExpiry)
	}
	if len(r.Yes) == 1 {
		parts = append(parts, s.l.riskIsNo)
	}
	return strings.Join(parts, "; ")
}

// measured says what is measured, how often, and what follows.
func (s planSheet) measured(k *plan.Check) string {
	if k == nil {
		return ""
	}
	said := cmp.Or(k.HTTP, strings.Join(k.Command, " "))
	if k.Documents != "" {
		said = fmt.Sprintf(s.l.documents, k.Documents)
	}
	if k.Query != "" {
		said += " " + k.Query
	}
	if k.Passes != nil {
		said += fmt.Sprintf(s.l.passes, k.Passes.Is, k.Passes.Value)
	}
	if k.Status != 0 {
		said += fmt.Sprintf(s.l.status, k.Status)
	}
	if k.Has != "" {
		said += fmt.Sprintf(s.l.has, k.Has)
	}
	said += s.long(k.Every, s.l.every1)
	if k.Failures > 1 {
		said += fmt.Sprintf(s.l.failures, k.Failures)
	}
	return printable(said + fmt.Sprintf(s.l.onFail, s.l.word(string(k.OnFail))) + fmt.Sprintf(s.l.onUnclear, s.l.word(string(k.OnUnclear))))
}

func (s planSheet) waiting(t *plan.Task) string {
	switch {
	case t.Until != "":
		return fmt.Sprintf(s.l.until, t.Until)
	case t.Window:
		return fmt.Sprintf(s.l.window, s.environment(t.Environment))
	}
	return s.long(t.For, s.l.forTime)
}

// chasing says who hears of a task that is not done, and who may let it be skipped.
func (s planSheet) chasing(t *plan.Task, add func(string, ...string)) {
	var before []string
	for _, d := range t.Remind {
		before = append(before, fmt.Sprintf(s.l.remindBefore, s.lasts(d)))
	}
	add(s.l.remind, strings.Join(before, ", "))
	if e := t.Escalate; e != nil {
		to := s.roleNames(e.To...)
		said := fmt.Sprintf(s.l.escalateAtOnce, to)
		if e.After > 0 {
			said = fmt.Sprintf(s.l.escalateAfter, s.lasts(e.After), to)
		}
		add(s.l.escalate, said)
	}
	if k := t.Skip; k != nil {
		add(s.l.skip, fmt.Sprintf(s.l.skipBy, s.roleNames(k.Approver))+s.long(k.Longest, s.l.skipLongest))
	}
}
