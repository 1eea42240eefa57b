package org

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/raci"
)

// A span is a time, or working days.
type span struct {
	within time.Duration
	days   int
}

// The forms of what stands in tasks.
var (
	aTaskKind   = oneOf(plan.TaskKinds()...)
	anOverrun   = oneOf(plan.Finish, plan.Hold, plan.RollBack)
	aReaction   = oneOf(plan.AskPerson, plan.FailTask, plan.RollBackAll, plan.GoOn)
	aDocument   = oneOf(plan.Reports()...)
	anEach      = oneOf(approval.EachRole, approval.EachParty)
	anExpiry    = oneOf(approval.RejectOnExpiry, approval.ApproveOnExpiry)
	aYes        = oneOf(approval.Ready, approval.ReadyWithRisk)
	anExcluded  = oneOf("requester", "implementers")
	aComparison = oneOf("<", "<=", ">", ">=", "==", "!=")

	aVoteCount = whole("a whole number", 1, approval.MaxElectors)
	aShare     = whole("a percentage", 1, 100)
	aStatus    = whole("a status of HTTP", 100, 599)
	aSpan      = in("a time such as 4h or 90m, or working days such as 3d", aTimeOrDays)
	anArgument = in("one argument, of at most 1000 characters", func(s string) (string, bool) {
		return s, s != "" && utf8.RuneCountInString(s) <= 1000 && !strings.ContainsFunc(s, unprintable)
	})
	anAddress = in("a URL that begins with https:// or http://, in which {ID} may stand for a parameter", fillableURL)
	aFigure   = form[float64]{want: "a number, such as 0.01", read: figure, is: Schema{"type": "number"}}
	aPassage  = in("text of at most 4000 characters", passage)
)

func aTimeOrDays(s string) (span, bool) {
	if n, ok := daysBefore(s); ok {
		return span{days: n}, true
	}
	d, ok := duration(s)
	return span{within: d}, ok && d > 0 && !strings.Contains(s, "d")
}

func figure(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// fillableURL is a URL as far as that can be told while a parameter is not known.
func fillableURL(s string) (string, bool) {
	if strings.HasPrefix(s, "{") {
		s, ok := aLine(s)
		return s, ok && strings.Contains(s, "}")
	}
	_, ok := webURL(placeholders.ReplaceAllString(s, "1"))
	return s, ok
}

// passage is text that keeps its lines.
func passage(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, s != "" && utf8.RuneCountInString(s) <= 4000 && !strings.ContainsFunc(strings.ReplaceAll(s, "\n", ""), unprintable)
}

// readTask reads one task into the last phase.
func (r *planReader) readTask(o *object, id string) {
	before := r.trouble()
	r.task, r.tasks[id] = id, o
	t := plan.Task{ID: id, Name: r.text(o, "name", aName), Source: maybe(o, "source", aProse, "")}
	r.doubt(r.loose, id, func() { t.Kind, _ = need(o, "kind", aTaskKind) })
	if o.has("detail") {
		t.Detail = r.text(o, "detail", aPassage)
	}
	t.Assignment = readAssignment(o)
	if r.told[id] = o.has("needs"); r.told[id] {
		r.doubt(r.loose, id, func() { t.Needs = r.taskRefs(o, "needs") })
	}
	t.When = strings.TrimSpace(maybe(o, "when", aPlanCondition, ""))
	r.timing(o, &t)
	if o.has("environment") {
		t.Environment, _ = o.ref("environment", "environment")
	}
	t.Changes, t.ByHand = maybe(o, "changes", aTrue, false), maybe(o, "by_hand", aTrue, false)
	t.Overrun, t.ActionItems = maybe(o, "overrun", anOverrun, ""), maybe(o, "action_items", aTrue, false)
	r.evidence(o, &t)
	r.handling(o, &t)
	r.content(o, &t)
	if r.trouble() > before {
		r.wrong[id] = true
	}
	last := &r.d.Phases[len(r.d.Phases)-1]
	last.Tasks = append(last.Tasks, t)
}

var aPlanCondition = in("a condition, such as 'parameters.servers > 3'", func(s string) (string, bool) { return s, true })

// readAssignment reads who takes which part.
func readAssignment(o *object) (a raci.Assignment) {
	a.Accountable, _ = o.ref("accountable", "role")
	a.Responsible = o.refs("responsible", "role", optional)
	a.Consulted = o.refs("consulted", "role", optional)
	a.Informed = o.refs("informed", "role", optional)
	return a
}

// timing reads when a task has to be done, and who hears of it when it is not.
func (r *planReader) timing(o *object, t *plan.Task) {
	t.Typical = maybe(o, "typical", aWait, 0)
	r.part(o, "due", func(o *object) {
		within := maybe(o, "within", aSpan, span{})
		t.Due = &plan.Due{Within: within.within, Days: within.days}
		if o.has("after") {
			t.Due.After = r.taskRef(o, "after")
		}
		for _, key := range []string{"date", "before"} {
			if o.has(key) {
				t.Due.Date, _ = o.ref(key, "parameter")
				t.Due.Before = key == "before"
			}
		}
		if !r.asking && o.has("date") && o.has("before") {
			o.fault(o.place, "%s: a date to count from, and one to count back from; want one of them", o.subject)
		}
	})
	for _, n := range o.few("remind", 10) {
		d, _ := value(o.reader, n, o.about("remind"), aWait)
		t.Remind = append(t.Remind, d)
	}
	o.once("remind")
	r.part(o, "escalate", func(o *object) {
		t.Escalate = &plan.Escalate{To: o.refs("to", "role", some)}
		t.Escalate.After, _ = need(o, "after", aDuration)
	})
}

// part reads what a task may have once.
func (r *planReader) part(o *object, key string, read func(*object)) {
	if n := o.field(key); n.kind != absent {
		r.object(n, o.about(key), read)
	}
}

// evidence reads what shows that a task was done.
func (r *planReader) evidence(o *object, t *plan.Task) {
	for i, n := range o.few("evidence", 20) {
		r.object(n, fmt.Sprintf("%s: evidence %d", o.subject, i+1), func(o *object) {
			e := plan.Evidence{What: r.text(o, "what", aProse), Fresh: maybe(o, "fresh", aWait, 0)}
			e.ID, _ = need(o, "id", anID)
			e.Plan = maybe(o, "plan", anID, "")
			if o.has("checked_by") {
				e.CheckedBy, _ = o.ref("checked_by", "role")
			}
			t.Evidence = append(t.Evidence, e)
		})
	}
}

// handling reads what is done when a task cannot be done, or has to be undone, or is done on many targets.
func (r *planReader) handling(o *object, t *plan.Task) {
	r.part(o, "skip", func(o *object) {
		t.Skip = &plan.Skip{Longest: maybe(o, "longest", aWait, 0)}
		t.Skip.Approver, _ = o.ref("approver", "role")
	})
	r.part(o, "rollback", func(o *object) {
		t.Rollback = &plan.Rollback{Runs: maybe(o, "runs", aRunbookID, ""), FixForward: maybe(o, "fix_forward", aTrue, false)}
		t.Rollback.Component, _ = need(o, "component", aName)
		t.Rollback.Within, _ = need(o, "within", aWait)
		if o.has("detail") {
			t.Rollback.Detail = r.text(o, "detail", aPassage)
		}
		if o.has("rehearsed") {
			t.Rollback.Rehearsed = r.taskRef(o, "rehearsed")
		}
	})
	r.part(o, "waves", func(o *object) {
		t.Waves = &plan.Waves{
			Size: maybe(o, "size", aYearly, 0), Percent: maybe(o, "percent", aShare, 0), MaxErrors: maybe(o, "max_errors", aNumber, 0),
			Bake: maybe(o, "bake", aDuration, 0),
		}
		t.Waves.Over, _ = o.ref("over", "parameter")
	})
}

// content reads what belongs to the kind of a task.
func (r *planReader) content(o *object, t *plan.Task) {
	if o.has("vote") {
		rule := r.vote(o, "vote", t.Kind)
		t.Vote = &rule
	}
	t.Shows = r.taskRefs(o, "shows")
	t.Runs = maybe(o, "runs", aRunbookID, "")
	r.part(o, "check", func(o *object) { t.Check = r.check(o) })
	t.For, t.Window = maybe(o, "for", aWait, 0), maybe(o, "window", aTrue, false)
	if o.has("until") {
		t.Until, _ = o.ref("until", "parameter")
	}
	t.Tell = o.refs("tell", "role", optional)
	o.once("tell")
	if o.has("message") {
		t.Message = r.text(o, "message", aPassage)
	}
	t.Writes = maybe(o, "writes", aDocument, "")
}

// check reads what is measured.
func (r *planReader) check(o *object) *plan.Check {
	k := &plan.Check{
		HTTP: maybe(o, "http", anAddress, ""), Status: maybe(o, "status", aStatus, 0), Has: maybe(o, "has", anArgument, ""),
		Query: maybe(o, "query", anArgument, ""), Every: maybe(o, "every", aWait, 0), Failures: maybe(o, "failures", aYearly, 0),
		Documents: maybe(o, "documents", anArgument, ""), Timeout: maybe(o, "timeout", aWait, 0), Inconclusive: maybe(o, "inconclusive", aYearly, 0), OnUnclear: maybe(o, "on_unclear", aReaction, plan.AskPerson),
	}
	r.filled(o.field("http"), o.about("http"))
	r.filled(o.field("has"), o.about("has"))
	r.filled(o.field("documents"), o.about("documents"))
	for _, n := range o.few("command", 50) {
		argument, _ := value(o.reader, n, o.about("command"), anArgument)
		k.Command = append(k.Command, argument)
	}
	r.part(o, "passes", func(o *object) {
		k.Passes = &plan.Comparison{}
		k.Passes.Is, _ = need(o, "is", aComparison)
		k.Passes.Value, _ = need(o, "value", aFigure)
	})
	k.OnFail, _ = need(o, "on_fail", aReaction)
	return k
}

// vote reads how something is approved, or, in a decision, whether to go.
func (r *planReader) vote(o *object, key string, kind plan.TaskKind) (rule approval.Rule) {
	r.object(o.field(key), o.about(key), func(o *object) {
		for _, id := range o.refs("voters", "role", some) {
			rule.Voters = append(rule.Voters, r.voter(id))
		}
		o.once("voters")
		rule.Need = approval.Need{Count: maybe(o, "count", aVoteCount, 0), Percent: maybe(o, "percent", aShare, 0), Each: maybe(o, "each", anEach, "")}
		counted := 0
		for _, key := range []string{"count", "percent", "each"} {
			if o.field(key).kind != absent {
				counted++
			}
		}
		if counted != 1 && !r.asking {
			o.fault(o.place, "%s: %d of count, percent and each; want one of them", o.subject, counted)
		}
		for _, id := range o.refs("required", "role", optional) {
			rule.Required = append(rule.Required, approval.Who{Voter: r.voter(id)})
		}
		for _, n := range o.few("exclude", 2) {
			who, _ := value(o.reader, n, o.about("exclude"), anExcluded)
			rule.Exclude.Requester = rule.Exclude.Requester || who == "requester"
			rule.Exclude.Implementers = rule.Exclude.Implementers || who == "implementers"
		}
		rule.OnExpiry = maybe(o, "on_expiry", anExpiry, "")
		if kind == plan.Decision || r.asking {
			rule.Yes = r.yes(o)
		}
	})
	return rule
}

// yes reads the answers that let a decision be made to go.
func (r *planReader) yes(o *object) []approval.Choice {
	if !o.has("yes") {
		return []approval.Choice{approval.Ready, approval.ReadyWithRisk}
	}
	var all []approval.Choice
	for _, n := range o.items("yes", some) {
		choice, _ := value(o.reader, n, o.about("yes"), aYes)
		all = append(all, choice)
	}
	return all
}

// voter is a role with the party that it belongs to.
func (r *planReader) voter(role string) approval.Voter {
	n := slices.IndexFunc(r.d.Roles, func(x plan.Role) bool { return x.ID == role })
	if n < 0 {
		return approval.Voter{Role: role}
	}
	return approval.Voter{Party: r.d.Roles[n].Party, Role: role}
}
