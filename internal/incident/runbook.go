package incident

import (
	"slices"
	"time"

	"muster/internal/timeline"
)

// A RunbookUse is that somebody works by a runbook.
type RunbookUse struct {
	Name    string         `json:"name"` // as the incident's links have it, or a URL
	By      timeline.Actor `json:"by"`
	Started time.Time      `json:"started"`
	Ended   time.Time      `json:"ended,omitzero"`
	Outcome RunbookOutcome `json:"outcome,omitempty"`
}

// RunbookOutcome is what has come of a runbook.
type RunbookOutcome string

// The outcomes. These strings are in histories: add, never rename.
const (
	RunbookWorked RunbookOutcome = "worked"
	RunbookFailed RunbookOutcome = "failed"
	RunbookLeft   RunbookOutcome = "left" // given up, or not for this
)

// RunbookOutcomes lists the outcomes.
func RunbookOutcomes() []RunbookOutcome {
	return []RunbookOutcome{RunbookWorked, RunbookFailed, RunbookLeft}
}

// The commands about runbooks: others see at once what somebody is doing.
type (
	// StartRunbook says that somebody works by a runbook or playbook.
	StartRunbook struct {
		Runbook string `json:"runbook"`
	}
	// EndRunbook says what has come of it.
	EndRunbook struct {
		Runbook string         `json:"runbook"`
		Outcome RunbookOutcome `json:"outcome"`
		Note    string         `json:"note,omitempty"`
	}
)

const maxRunbook = 500

// Check refuses what is being done already.
func (c StartRunbook) Check(i *Incident) error {
	const action = "start runbook in"
	switch u := i.runbook(c.Runbook); {
	case c.Runbook == "" || len(c.Runbook) > maxRunbook:
		return i.refuse(action, "runbook: want its name or URL, of %d bytes at most", maxRunbook)
	case u != nil:
		return i.refuse(action, "%s works by it since %s", u.By.Shown(), u.Started.UTC().Format(time.RFC3339))
	}
	return i.wantNotClosed(action)
}

// Apply records it.
func (c StartRunbook) Apply(i *Incident, by timeline.Actor, now time.Time) {
	const most = 50 // the timeline has all
	if i.Runbooks = append(i.Runbooks, RunbookUse{Name: c.Runbook, By: by, Started: now}); len(i.Runbooks) > most {
		i.Runbooks = i.Runbooks[1:]
	}
	i.record(now, timeline.RunbookStarted, by, timeline.F("runbook", c.Runbook))
}

// Check refuses what nobody is doing.
func (c EndRunbook) Check(i *Incident) error {
	const action = "end runbook in"
	if !slices.Contains(RunbookOutcomes(), c.Outcome) {
		return i.refuse(action, "outcome %q: want %s", c.Outcome, listed(RunbookOutcomes()))
	}
	if i.runbook(c.Runbook) == nil {
		var open []string
		for _, u := range i.Runbooks {
			if u.Ended.IsZero() {
				open = append(open, u.Name)
			}
		}
		if len(open) == 0 {
			return i.refuse(action, "nobody works by a runbook")
		}
		return i.refuse(action, "nobody works by %q; want %s", c.Runbook, listed(open))
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "note", c.Note, false))
}

// Apply records it.
func (c EndRunbook) Apply(i *Incident, by timeline.Actor, now time.Time) {
	u := i.runbook(c.Runbook)
	u.Ended, u.Outcome = now, c.Outcome
	if c.Outcome == RunbookWorked && i.settles() && i.Times.Mitigation.IsZero() {
		i.Times.Mitigation = u.Started // nobody has said anything else
	}
	i.record(now, timeline.RunbookEnded, by, timeline.F("runbook", c.Runbook), timeline.F("outcome", string(c.Outcome)), timeline.F("note", c.Note))
}

// runbook is the use of a runbook that goes on.
func (i *Incident) runbook(name string) *RunbookUse {
	for n := range i.Runbooks {
		if u := &i.Runbooks[n]; u.Name == name && u.Ended.IsZero() {
			return u
		}
	}
	return nil
}
