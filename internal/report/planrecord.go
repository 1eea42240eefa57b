package report

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/planrun"
	"muster/internal/timeline"
)

// record reads the timeline for what was decided, what went otherwise than planned and what was undone.
func (g *planGatherer) record() {
	log := &g.run.Timeline
	if n := len(log.Entries); n > 0 && !g.Part {
		g.Missing = log.Entries[n-1].Seq - n
	}
	for _, e := range log.Entries {
		if e.Kind == timeline.Sending || e.Kind == timeline.Delivered {
			continue // what has not reached somebody stands there
		}
		g.Timeline = append(g.Timeline, event{At: e.At, Text: g.l.sentence(e, g.Zone)})
		if g.deviates(e) {
			g.Deviations = append(g.Deviations, event{At: e.At, Text: g.l.sentence(e, g.Zone)})
		}
		g.decided(e)
		g.undid(e)
		switch e.Kind {
		case timeline.EvidenceGiven:
			g.earlier(e)
		case timeline.ActionRefused:
			g.Refusals = append(g.Refusals, event{At: e.At, Text: g.l.sentence(e, g.Zone)})
		case timeline.ChangeLeft:
			g.Stays = append(g.Stays, stay{What: "kept", Name: g.called(e.Fact("task"))})
		default: // the timeline itself shows the rest
		}
	}
	if c := g.run.Change; c != nil {
		g.Stays = append(g.Stays, stay{What: "change", Name: c.Reason})
	}
	for _, o := range g.Overrides {
		if o.Outcome == "granted" && o.Ended.IsZero() && !g.Over {
			g.Stays = append(g.Stays, stay{What: "override", Name: o.Environment, Until: o.Until})
		}
	}
	slices.SortStableFunc(g.Evidence, func(a, b evidence) int { return a.At.Compare(b.At) })
	g.Timeline = shorten(g.Timeline)
	g.cut()
}

// trim leaves the newest rows of a table, and returns how many it has left out.
func trim[T any](rows *[]T, most int) (more int) {
	*rows, more = latest(*rows, most)
	return more
}

// cut leaves out the oldest rows of tables that are too long for a report.
func (g *planGatherer) cut() {
	const rows, wide = 200, 50
	g.Cut += trim(&g.Deviations, rows)
	g.Cut += trim(&g.Cast, rows)
	g.Cut += trim(&g.Delegations, wide)
	g.Cut += trim(&g.Decisions, rows)
	g.Cut += trim(&g.Evidence, rows)
	g.Cut += trim(&g.Waivers, wide)
	g.Cut += trim(&g.Overrides, wide)
	g.Cut += trim(&g.Changes, wide)
	g.Cut += trim(&g.Refusals, wide)
	g.Cut += trim(&g.Undone, wide)
	left := rows
	for n := range g.Waves {
		w := &g.Waves[n]
		g.Cut += trim(&w.Targets, left)
		left -= len(w.Targets)
	}
}

// deviates tells whether something went otherwise than planned.
func (g *planGatherer) deviates(e timeline.Entry) bool {
	switch e.Kind {
	case timeline.TaskMoved:
		to := planrun.TaskStatus(e.Fact("to"))
		return to == planrun.Failed || to == planrun.RolledBack || to == planrun.Unclear
	case timeline.PlanMoved:
		to := planrun.Status(e.Fact("to"))
		return to == planrun.Halted || to == planrun.Cancelled || planrun.Status(e.Fact("from")) == planrun.Halted
	case timeline.VoteDecided:
		return e.Fact("outcome") != "approved"
	case timeline.EvidenceChecked:
		return e.Fact("result") == "returned"
	case timeline.ChangeDecided:
		return e.Fact("result") == "applied"
	case timeline.TaskOverdue, timeline.TaskRetried, timeline.TaskSettled, timeline.WaiverGranted, timeline.WaiverExpired, timeline.VoteVoided,
		timeline.WindowOverrun, timeline.OverrideGiven, timeline.RollbackBegun, timeline.RollbackLate, timeline.RollbackEnded, timeline.ChangeLeft:
		return true
	default:
		return false
	}
}

// decided reads one decision.
func (g *planGatherer) decided(e timeline.Entry) {
	by := by(e.Actor)
	on := g.l.word("plan-change", "name")
	if id := e.Fact("task"); id != "" {
		on = g.called(id)
	}
	instant := func(fact string) time.Time {
		at, _ := time.Parse(time.RFC3339, e.Fact(fact)) // a fact that is missing is the zero instant
		return at
	}
	switch e.Kind {
	case timeline.VoteCast:
		row := cast{At: e.At, On: on, Who: name(e.Actor), Choice: e.Fact("choice"), Reason: e.Fact("reason"), SHA256: e.Fact("sha256"), Late: e.Fact("late") != ""}
		if id := e.Fact("for"); id != "" {
			row.For = g.person(id)
		}
		if !row.Late {
			g.void(on, func(earlier cast) bool { return earlier.Who == row.Who })
			g.votes[on] = append(g.votes[on], len(g.Cast))
		}
		g.Cast = append(g.Cast, row)
	case timeline.VoteDelegated:
		g.Delegations = append(g.Delegations, delegation{e.At, on, name(e.Actor), e.Fact("to"), instant("until")})
	case timeline.VoteVoided:
		g.void(on, func(cast) bool { return true })
	case timeline.VoteDecided:
		delete(g.votes, on)
		g.Decisions = append(g.Decisions, decision{e.At, on, e.Fact("outcome"), by})
	case timeline.WaiverAsked:
		g.Waivers = append(g.Waivers, waiver{
			Task: on, Reason: e.Fact("reason"), Control: e.Fact("control"), By: by, Asked: e.At, Until: instant("until"), Outcome: "open",
		})
	case timeline.WaiverGranted, timeline.WaiverRefused, timeline.WaiverExpired:
		w := newest(g.Waivers, func(w *waiver) bool { return w.Task == on })
		if w == nil && g.Part { // who asked for it, and why, is not shown
			g.Waivers = append(g.Waivers, waiver{Task: on, Reason: "–", Control: "–", By: "–", Until: instant("until")})
			w = &g.Waivers[len(g.Waivers)-1]
		}
		if w != nil {
			switch e.Kind {
			case timeline.WaiverExpired:
				w.Outcome, w.Expired = "expired", e.At
			case timeline.WaiverGranted:
				w.Outcome, w.Approver, w.Decided, w.Note = "granted", by, e.At, e.Fact("note")
			default:
				w.Outcome, w.Approver, w.Decided, w.Note = "refused", by, e.At, e.Fact("note")
			}
		}
	case timeline.OverrideAsked:
		g.Overrides = append(g.Overrides, override{
			Environment: g.environmentName(e.Fact("environment")), Freeze: g.freeze(e.Fact("environment"), e.Fact("freeze")), Reason: cmp.Or(e.Fact("reason"), "–"), By: by,
			Asked: e.At, Until: instant("until"), Outcome: "open",
		})
	case timeline.OverrideGiven, timeline.OverrideRefused, timeline.OverrideEnded:
		where := g.environmentName(e.Fact("environment"))
		if o := newest(g.Overrides, func(o *override) bool { return o.Environment == where }); o != nil {
			switch e.Kind {
			case timeline.OverrideEnded:
				if o.Ended = e.At; o.Outcome == "open" {
					o.Outcome = "expired"
				}
			case timeline.OverrideGiven:
				o.Outcome, o.Approver, o.Decided = "granted", by, e.At
			default:
				o.Outcome, o.Approver, o.Decided, o.Note = "refused", by, e.At, e.Fact("note")
			}
		}
	case timeline.ChangeAsked:
		g.Changes = append(g.Changes, planChange{
			By: by, Reason: e.Fact("reason"), What: g.l.differences(e.Fact("changes")), SHA256: e.Fact("sha256"), Asked: e.At,
		})
	case timeline.ChangeDecided:
		delete(g.votes, on)
		if c := newest(g.Changes, func(c *planChange) bool { return c.Decided.IsZero() }); c != nil {
			c.Decided, c.Outcome, c.Applied = e.At, e.Fact("outcome"), e.Fact("result") == "applied"
		}
	default: // no decision
	}
}

// void marks votes on something that is undecided and count no more.
func (g *planGatherer) void(on string, which func(cast) bool) {
	for _, n := range g.votes[on] {
		if which(g.Cast[n]) {
			g.Cast[n].Void = true
		}
	}
}

// freeze is the name of a freeze.
func (g *planGatherer) freeze(environment, id string) string {
	for _, b := range g.run.Environments {
		for _, f := range b.Rules.Freezes {
			if b.ID == environment && f.ID == id {
				return f.Name
			}
		}
	}
	return id
}

// undid reads what has become of a rollback.
func (g *planGatherer) undid(e timeline.Entry) {
	if e.Kind == timeline.RollbackBegun {
		row := undone{Environment: g.environmentName(e.Fact("environment")), Reason: g.l.reason(e.Fact("reason")), Begun: e.At}
		row.By = by(e.Actor)
		g.Undone = append(g.Undone, row)
		return
	}
	u := newest(g.Undone, func(*undone) bool { return true })
	if u == nil {
		return
	}
	task := g.called(e.Fact("task"))
	item := newest(u.Items, func(i *undoneItem) bool { return i.Task == task })
	switch e.Kind {
	case timeline.RollbackEnded:
		u.Ended, u.Took = e.At, e.At.Sub(u.Begun)
	case timeline.RollbackLate:
		if item != nil {
			item.Late = true
		}
	case timeline.RollbackMoved:
		if item == nil {
			u.Items = append(u.Items, undoneItem{Component: e.Fact("component"), Task: task, Begun: e.At})
			item = &u.Items[len(u.Items)-1]
		}
		item.State, item.Ended, item.Note = e.Fact("to"), time.Time{}, g.l.reason(e.Fact("note"))
		item.By = cmp.Or(by(e.Actor), item.By)
		if s := planrun.UndoState(item.State); s == planrun.Undone || s == planrun.Forward {
			item.Ended, item.Took = e.At, e.At.Sub(item.Begun)
		}
	default: // nothing of it
	}
}

// earlier keeps evidence of an attempt that counts no more: the state of its task does not have it.
func (g *planGatherer) earlier(e timeline.Entry) {
	t, def, ok := g.run.Task(e.Fact("task"))
	if !ok || slices.ContainsFunc(t.Evidence, func(x planrun.Given) bool {
		return x.Item == e.Fact("item") && x.At.Equal(e.At) && x.Ref == e.Fact("ref")
	}) {
		return
	}
	row := g.evidence(def, planrun.Given{
		Item: e.Fact("item"), Ref: e.Fact("ref"), SHA256: e.Fact("sha256"), Note: e.Fact("note"), By: e.Actor, At: e.At,
	})
	row.Earlier = true
	g.Evidence = append(g.Evidence, row)
}

// newest returns the last row that is meant, nil when none is.
func newest[T any](rows []T, meant func(*T) bool) *T {
	for n := len(rows) - 1; n >= 0; n-- {
		if meant(&rows[n]) {
			return &rows[n]
		}
	}
	return nil
}
