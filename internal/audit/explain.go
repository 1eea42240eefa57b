package audit

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/timeline"
	"muster/workflows"
)

// An Answer says why something was so: the entries that led to it, in their order, and the one that decides. It is taken from the
// timeline that a replay has derived, and says nothing that is not there.
type Answer struct {
	Entries []timeline.Entry `json:"entries"`
	Decides int              `json:"decides,omitempty"` // number of an entry; 0: nothing has decided
}

// A PageAnswer says why somebody was paged, or was not.
type PageAnswer struct {
	Named bool `json:"named"` // anywhere in the record; else it may be misspelt
	Answer

	Person  string   `json:"person"` // as the timeline calls them, or as they were asked for
	Pages   int      `json:"pages"`  // that were sent to them, contact methods counted one by one
	Reached int      `json:"reached"`
	Others  []string `json:"others,omitempty"` // who was paged, in this order
}

// ExplainPage tells which step of the escalation paged a person, given by ID or name, and what had gone before; or, when none did, every
// step that began, with its targets, and what ended the paging.
func (all *Replayed) ExplainPage(person string) (PageAnswer, error) {
	x := PageAnswer{Person: person}
	if all.Type != workflows.IncidentWorkflow {
		return x, fmt.Errorf("explain page: a run of type %s pages nobody; want an incident", all.Type)
	}
	step, until := 0, 0 // that is under way; the last entry on the person
	for _, e := range all.Timeline {
		x.Named = x.Named || names(e, person)
		switch e.Kind {
		case timeline.IncidentOpened, timeline.PriorityChanged, timeline.AckExpired, timeline.Escalated, timeline.StepEmpty, timeline.StepFailed,
			timeline.StatusChanged, timeline.MergeTaken:
		case timeline.StepStarted, timeline.LastResort:
			step = e.Seq
		case timeline.Acknowledged, timeline.EscalationEnded:
			if x.Pages == 0 { // whoever was not paged until now is not paged any more
				x.Decides = e.Seq
			}
		case timeline.Sending, timeline.Delivered, timeline.Refused, timeline.Withdrawn, timeline.Resent, timeline.NextMethod, timeline.HeldBack:
			if e.Fact("what") != "page" || !x.page(e, person, step) {
				continue
			}
			until = len(x.Entries) + 1
		default:
			continue
		}
		x.Entries = append(x.Entries, e)
	}
	if until > 0 {
		x.Entries = x.Entries[:until]
	}
	return x, nil
}

// names tells whether an entry is about a person or theirs.
func names(e timeline.Entry, person string) bool {
	return e.Actor.ID == person || e.Actor.Name == person || isTo(e, person) ||
		slices.ContainsFunc(e.Facts, func(f timeline.Fact) bool { return f.Value == person })
}

// page counts what becomes of a page, and tells whether it is for the person.
func (x *PageAnswer) page(e timeline.Entry, person string, step int) bool {
	if !isTo(e, person) {
		if to := e.Fact("to"); e.Kind == timeline.Sending && !slices.Contains(x.Others, to) {
			x.Others = append(x.Others, to)
		}
		return false
	}
	x.Person = e.Fact("to")
	if e.Kind == timeline.Delivered {
		x.Reached++
	}
	if e.Kind == timeline.Sending {
		if x.Pages++; x.Pages == 1 {
			x.Decides = step
		}
	}
	return true
}

// isTo tells whether a message is for a person. A delivery is named for its run, its number, the person and the contact method.
func isTo(e timeline.Entry, person string) bool {
	if strings.EqualFold(e.Fact("to"), person) {
		return true
	}
	parts := strings.Split(e.Fact("delivery"), "/")
	return len(parts) > 3 && strings.Join(parts[2:len(parts)-1], "/") == person
}

// ExplainApproval tells how a vote, an approval or a waiver stands and why: of a task, a customer or the SHA-256 of a text, or of all
// where of is empty. What was shown is part of it: an approval is void when that has changed.
func (all *Replayed) ExplainApproval(of string) Answer {
	var x Answer
	var open bool // something is being voted on
	for _, e := range all.Timeline {
		switch e.Kind {
		case timeline.EvidenceGiven, timeline.EvidenceChecked, timeline.TaskRetried, timeline.TextWritten, timeline.DefinitionChanged:
			if !open && !concerns(e, of) {
				continue
			}
		case timeline.TaskMoved:
			if of == "" || !concerns(e, of) {
				continue
			}
		case timeline.VoteOpened, timeline.VoteCast, timeline.VoteDelegated, timeline.VotersUnknown, timeline.ChangeAsked, timeline.WaiverAsked,
			timeline.UpdateProposed, timeline.OverrideAsked, timeline.ActionRefused, timeline.UpdateRefused, timeline.ReviewRefused:
			if !concerns(e, of) {
				continue
			}
			open = true
		case timeline.VoteDecided, timeline.VoteVoided, timeline.VoteImpossible, timeline.ChangeDecided, timeline.WaiverGranted, timeline.WaiverRefused,
			timeline.WaiverExpired, timeline.OverrideGiven, timeline.OverrideRefused, timeline.OverrideEnded, timeline.UpdateApproved, timeline.UpdateRejected,
			timeline.UpdateOvertaken, timeline.UpdateUnapproved, timeline.TextApproved, timeline.TextRejected, timeline.ApprovalsVoid,
			timeline.RequestApproved, timeline.RequestDeclined:
			if !concerns(e, of) {
				continue
			}
			x.Decides = e.Seq
		default:
			continue
		}
		x.Entries = append(x.Entries, e)
	}
	return x
}

// concerns tells whether an entry is about a task, a customer, an environment or a text. Of a text the beginning of its SHA-256 will do.
func concerns(e timeline.Entry, of string) bool {
	const least = 8 // digits that tell texts apart
	return of == "" || slices.ContainsFunc([]string{"task", "customer", "environment"}, func(fact string) bool { return strings.EqualFold(e.Fact(fact), of) }) ||
		len(of) >= least && strings.HasPrefix(e.Fact("sha256"), of)
}

// ExplainStatus tells by which person or rule each status and priority came about. The last change is the one that decides.
func (all *Replayed) ExplainStatus() Answer {
	var x Answer
	for _, e := range all.Timeline {
		switch e.Kind {
		case timeline.StatusChanged, timeline.PriorityChanged, timeline.PlanMoved:
			x.Decides = e.Seq
		case timeline.IncidentOpened, timeline.PlanStarted, timeline.AllAlertsResolved, timeline.QuietBroken, timeline.AckExpired, timeline.Acknowledged,
			timeline.FixAnswered, timeline.FixUnanswered, timeline.ClearWaived, timeline.MergeAsked, timeline.MergeTaken, timeline.MergeTakenBack,
			timeline.RollbackBegun, timeline.RollbackEnded, timeline.ChangeDecided:
		default:
			continue
		}
		x.Entries = append(x.Entries, e)
	}
	return x
}
