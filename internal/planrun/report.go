package planrun

import (
	"slices"

	"muster/internal/runbook"
	"muster/internal/timeline"
)

// reportBytes bounds the timeline that a report is written from: an activity's input has room for no more beside the plan.
const reportBytes = 512 << 10

// ForReport is the run with what its reports show, and nothing else. Of a timeline that is too long, what is no decision is left
// out first, and then the oldest; its entries keep their numbers, so that a report can say how many are missing.
func (r *Run) ForReport() *Run {
	slim := *r
	slim.fresh, slim.Calendars, slim.Undoing = nil, nil, nil // the timeline has every rollback
	slim.Books, slim.Tasks = slices.Clone(r.Books), slices.Clone(r.Tasks)
	for n, b := range slim.Books {
		slim.Books[n].Runbook = runbook.Runbook{ID: b.Runbook.ID, Kind: b.Runbook.Kind, Title: b.Runbook.Title}
	}
	for n := range slim.Tasks {
		t := &slim.Tasks[n]
		if t.Steps = nil; t.Ballot != nil { // the timeline has the votes of every round
			b := *t.Ballot
			b.Past = nil
			t.Ballot = &b
		}
	}
	if r.Change != nil {
		c := *r.Change
		c.Next, c.Ballot = Pinned{SHA256: c.Next.SHA256}, nil
		slim.Change = &c
	}
	slim.Timeline.Entries = slices.Clone(r.Timeline.Entries)
	if slim.Timeline.Bytes > reportBytes {
		slim.Timeline.Keep(telling)
		slim.Timeline.Trim(len(slim.Timeline.Entries), reportBytes)
	}
	return &slim
}

// telling tells whether a report cannot do without entries of a kind.
func telling(k timeline.Kind) bool {
	switch k {
	case timeline.PlanStarted, timeline.PlanMoved, timeline.TaskMoved, timeline.TaskOverdue, timeline.TaskRetried, timeline.TaskSettled,
		timeline.EvidenceGiven, timeline.EvidenceChecked, timeline.DocumentWritten, timeline.TargetEnded,
		timeline.WaiverAsked, timeline.WaiverGranted, timeline.WaiverRefused, timeline.WaiverExpired,
		timeline.VoteCast, timeline.VoteVoided, timeline.VoteDelegated, timeline.VoteDecided,
		timeline.WindowOverrun, timeline.AlertsLet, timeline.OverrideAsked, timeline.OverrideGiven, timeline.OverrideRefused, timeline.OverrideEnded,
		timeline.RollbackBegun, timeline.RollbackMoved, timeline.RollbackLate, timeline.RollbackEnded, timeline.ChangeLeft,
		timeline.ChangeAsked, timeline.ChangeDecided, timeline.ActionRefused, timeline.ActionAdded, timeline.Noted:
		return true
	default:
		return false
	}
}
