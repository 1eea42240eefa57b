package planrun

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// The commands of those who vote.
type (
	// Vote says what somebody thinks of what they were shown.
	Vote struct {
		Capacity
		ID     string          `json:"id"`             // under which it is cast once
		Task   string          `json:"task,omitempty"` // empty: a change of the plan
		For    string          `json:"for,omitempty"`  // ID of the person in whose place it is cast
		Choice approval.Choice `json:"choice"`
		Reason string          `json:"reason,omitempty"`
		Shown  string          `json:"shown"` // SHA-256 of what they were shown
	}
	// Delegate gives somebody's vote to a substitute until an instant.
	Delegate struct {
		Capacity
		Task string              `json:"task,omitempty"`
		To   approval.Substitute `json:"to"`
	}
)

// pollEvery is how often it is found out anew who may vote: people come and leave.
const pollEvery = 12 * time.Hour

// Lines are what the voters of a task are shown: each part by the SHA-256 of its content, so that whatever changes is named.
func (r *Run) Lines(task string) []approval.Line {
	lines := []approval.Line{{Name: "plan", SHA256: r.SHA256}, {Name: "parameters", SHA256: r.ParametersID}}
	for _, b := range r.Books {
		lines = append(lines, approval.Line{Name: "runbook " + b.ID, SHA256: b.SHA256})
	}
	def, _ := r.Plan.Task(task)
	for _, id := range def.Shows {
		t := r.task(id)
		if t == nil {
			continue
		}
		lines = append(lines, approval.Line{Name: "task " + id, SHA256: digest(string(t.Status), at(t.Since))})
		for n, g := range t.Evidence {
			lines = append(lines, approval.Line{
				Name: fmt.Sprintf("evidence %s/%s %d", id, g.Item, n+1), SHA256: digest(g.Ref, g.SHA256, g.Note),
			})
		}
	}
	return lines
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// shown binds together what voters are shown.
func shown(lines []approval.Line) approval.Shown {
	s, err := approval.Show(lines...)
	if err != nil { // what is pinned has no hash: nothing can be voted on
		return approval.Shown{}
	}
	return s
}

// doersAround are the people who have done what is voted on, and those who were asked to do what it lets begin.
func (r *Run) doersAround(def plan.Task) []string {
	var people []string
	for _, id := range def.Shows {
		if t := r.task(id); t != nil {
			people = append(people, t.Hands...)
		}
	}
	for _, o := range r.Plan.All() {
		if t := r.task(o.ID); o.Changes && t != nil && slices.Contains(r.Plan.Gates(o.ID), def.ID) && t.Person.ID != "" {
			people = append(people, t.Person.ID)
		}
	}
	return people
}

// poll asks who may vote now.
func (r *Run) poll(t *Task, def plan.Task) {
	t.Polling = true
	r.begin(Work{Do: FindVoters, Task: t.ID, Roles: voters(*def.Vote)})
}

// voters are the roles that vote.
func voters(rule approval.Rule) []string {
	roles := make([]string, len(rule.Voters))
	for n, v := range rule.Voters {
		roles[n] = v.Role
	}
	return roles
}

// later is how long it takes until what could not be found out is asked again: about as long as it has not been known, so that an
// outage of weeks does not fill the history.
func later(tries int) time.Duration {
	const first = time.Minute
	return min(first<<min(tries-1, 10), pollEvery)
}

// Elected takes in who may vote. The vote opens with the first answer. With a detail it is not known.
func (r *Run) Elected(task string, people []approval.Elector, detail string, now time.Time) {
	t, def, ok := r.Task(task)
	if !ok || !t.Polling {
		return
	}
	t.Polling = false
	if t.Status != Begun {
		return
	}
	e := approval.Electorate{Requester: r.asker().ID, Implementers: r.doersAround(def), Electors: people}
	was, were := approval.Undecided, []approval.Elector(nil)
	b, err := t.Ballot, error(nil)
	switch {
	case detail != "":
		err = errors.New(detail)
	case b != nil:
		was, were = b.Outcome.Verdict, b.Electors
		err = b.Resolve(e, now)
	default:
		b, err = approval.Open(*def.Vote, e, shown(r.Lines(task)), now)
	}
	if err != nil {
		t.Tries++
		t.PollAt = now.Add(later(t.Tries))
		r.Timeline.Repeat(now, timeline.VotersUnknown, timeline.Muster(), timeline.F("task", task), timeline.F("detail", err.Error()))
		return
	}
	t.PollAt, t.Tries = now.Add(pollEvery), 0
	if t.Ballot != nil {
		r.askNewcomers(VoteWanted, task, were, b)
	} else {
		b.Due = t.Due
		t.Ballot = b
		r.record(now, timeline.VoteOpened, timeline.Muster(), timeline.F("task", task), timeline.F("sha256", b.Shown.SHA256),
			timeline.F("voters", fmt.Sprint(len(people))))
		r.askVotes(VoteWanted, task, voters(*def.Vote), "")
	}
	if b.Outcome.Verdict == approval.Impossible && was != approval.Impossible {
		r.record(now, timeline.VoteImpossible, timeline.Muster(), timeline.F("task", task))
		r.write(VoteImpossible, task, r.with(def.Accountable), "", nil)
	}
}

// askVotes asks some roles, or one person, to vote: on a task, or else on the change of the plan.
func (r *Run) askVotes(a About, task string, roles []string, person string) {
	r.write(a, task, roles, person, func(x *Telling) {
		if task == "" && r.Change != nil {
			r.describeChange(x)
		}
		if b, _, err := r.ballot("ask for votes on", task); err == nil {
			x.Shown = b.Shown.SHA256
		}
	})
}

// remindVoters reminds those who have not voted yet.
func (r *Run) remindVoters(a About, t *Task, now time.Time) {
	for _, w := range t.Ballot.Standing(now).Waiting {
		r.askVotes(a, t.ID, nil, w.Person)
	}
}

// askNewcomers asks whoever may vote now and could not before.
func (r *Run) askNewcomers(a About, task string, were []approval.Elector, b *approval.Ballot) {
	for _, e := range b.Electors {
		same := func(x approval.Elector) bool { return x.Person == e.Person }
		if !b.Outcome.Verdict.Final() && !slices.ContainsFunc(were, same) {
			r.askVotes(a, task, nil, e.Person)
		}
	}
}

// count ends a vote when it is decided or its time has come, and asks again who may vote.
func (r *Run) count(t *Task, def plan.Task, now time.Time) {
	if !t.Polling && !t.PollAt.IsZero() && !now.Before(t.PollAt) {
		r.poll(t, def)
	}
	b := t.Ballot
	if b == nil {
		return
	}
	b.Expire(now)
	if !b.Outcome.Verdict.Final() {
		return
	}
	by := decider(b)
	r.record(now, timeline.VoteDecided, by, timeline.F("task", t.ID), timeline.F("outcome", string(b.Outcome.Verdict)))
	s := Failed
	if b.Outcome.Verdict.Approves() {
		s = Done
	}
	r.put(t, s, by, string(b.Outcome.Verdict), now)
	roles := r.with(append(slices.Clone(def.Informed), def.Accountable)...)
	r.write(VoteDecided, t.ID, roles, "", func(x *Telling) { x.Outcome, x.Reason = string(b.Outcome.Verdict), lastReason(b) })
}

// decider is whose vote made it certain, or the engine.
func decider(b *approval.Ballot) timeline.Actor {
	if b.Outcome.By == "" {
		return timeline.Muster()
	}
	return timeline.Actor{Kind: timeline.Person, ID: b.Outcome.By, Name: b.Outcome.Name}
}

// lastReason is what whoever made it certain has said.
func lastReason(b *approval.Ballot) string {
	for n := len(b.Votes) - 1; n >= 0; n-- {
		if v := b.Votes[n]; v.By == b.Outcome.By && v.Fate == approval.Counted {
			return v.Reason
		}
	}
	return ""
}

// reshow finds out whether something that is voted on has changed: whoever has voted does so anew, and whoever has a hand in it by now
// does not.
func (r *Run) reshow(now time.Time) {
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if t.Ballot != nil && t.Status == Done && !r.goneOn(t.ID) {
			r.revoke(t, def, now)
		}
		if t.Status != Begun || t.Ballot == nil || t.Ballot.Outcome.Verdict.Final() || r.unready(def) != "" { // until then nobody may vote
			continue
		}
		t.Ballot.Implementers = r.doersAround(def)
		changes := t.Ballot.Reshown(shown(r.Lines(t.ID)), now)
		if len(changes) == 0 {
			continue
		}
		t.Ballot.Due = t.Due
		r.record(now, timeline.VoteVoided, timeline.Muster(), timeline.F("task", t.ID), timeline.F("changed", names(changes)))
		r.askVotes(VoteVoided, t.ID, voters(*def.Vote), "")
	}
}

// revoke takes a decision back when what it was about has changed before anything has followed from it.
func (r *Run) revoke(t *Task, def plan.Task, now time.Time) {
	changes := t.Ballot.Shown.Changes(shown(r.Lines(t.ID)))
	if len(changes) == 0 {
		return
	}
	r.record(now, timeline.VoteVoided, timeline.Muster(), timeline.F("task", t.ID), timeline.F("changed", names(changes)))
	r.reset(t, names(changes), now)
	r.askVotes(VoteVoided, t.ID, voters(*def.Vote), "")
}

// goneOn tells whether something that waits for a task has begun.
func (r *Run) goneOn(task string) bool {
	return slices.ContainsFunc(r.Plan.Following(task), func(id string) bool {
		t := r.task(id)
		return t != nil && (!t.Begun.IsZero() || t.Status.Ended() || t.Status == Failed)
	})
}

// unready returns the first task that a vote needs or shows and that has not ended any more, empty where there is none.
func (r *Run) unready(def plan.Task) string {
	if id := r.needs(def); id != "" {
		return id
	}
	for _, id := range def.Shows {
		if t := r.task(id); t != nil && !t.Status.Ended() {
			return id
		}
	}
	return ""
}

func names(changes []approval.Change) string {
	all := make([]string, len(changes))
	for n, c := range changes {
		all[n] = c.Name + " " + string(c.Kind)
	}
	return strings.Join(all, ", ")
}

// ballot is the one that a vote is about.
func (r *Run) ballot(action, task string) (*approval.Ballot, plan.Task, error) {
	if r.Over() {
		return nil, plan.Task{}, r.stands(action)
	}
	if task == "" {
		if r.Change == nil || r.Change.Ballot == nil {
			return nil, plan.Task{}, r.refuse(action, "nobody has asked for a change of the plan")
		}
		return r.Change.Ballot, plan.Task{}, nil
	}
	t, def, ok := r.Task(task)
	switch {
	case !ok:
		return nil, def, r.refuseTask(action, task, "there is none")
	case def.Vote == nil:
		return nil, def, r.refuseTask(action, task, "it is a %s: nobody votes on it", def.Kind)
	case t.Ballot == nil:
		return nil, def, r.refuseTask(action, task, "it is %s: nobody votes on it yet", t.Status)
	case t.Status != Begun && !t.Ballot.Outcome.Verdict.Final():
		return nil, def, r.refuseTask(action, task, "it is %s: nobody votes on it any more", t.Status)
	}
	return t.Ballot, def, nil
}

// refuseVote says why a vote on a task, or on the change of the plan, is not taken.
func (r *Run) refuseVote(action, task string, why error) error {
	if task == "" {
		return r.refuse(action+" the change of", "%s", why)
	}
	return r.refuseTask(action, task, "%s", why)
}

// Check refuses what cannot be taken at all. What an auditor cares about is refused by Apply.
func (c Vote) Check(r *Run, by timeline.Actor) error {
	b, _, err := r.ballot("vote on", c.Task)
	if err != nil {
		return err
	}
	if err := b.Rule.CheckVote(c.vote(by)); err != nil {
		return r.refuseVote("vote on", c.Task, err)
	}
	return nil
}

func (c Vote) vote(by timeline.Actor) approval.Vote {
	return approval.Vote{ID: c.ID, By: by.ID, For: c.For, Choice: c.Choice, Reason: c.Reason, Shown: c.Shown}
}

// Apply takes the vote.
func (c Vote) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.reshow(now)
	b, def, _ := r.ballot("vote on", c.Task)
	if id := r.unready(def); id != "" && !b.Outcome.Verdict.Final() {
		return r.deny("vote", c.Task, by, r.refuseTask("vote on", c.Task, "task %s is %s again", id, r.task(id).Status), now)
	}
	against := c.Choice == approval.Reject || c.Choice == approval.NotReady || c.Choice == approval.Abstain
	if old := r.stale(def, now); old != "" && !against && !b.Outcome.Verdict.Final() {
		return r.deny("vote", c.Task, by, r.refuseTask("vote on", c.Task, "%s", old), now)
	}
	err := b.Cast(c.vote(by), now)
	var refusal *approval.Refusal
	late := ""
	if errors.As(err, &refusal) && (refusal.Cause == approval.Decided || refusal.Cause == approval.Expired) {
		late = "yes"
	}
	if err == nil || late != "" {
		r.record(now, timeline.VoteCast, by, timeline.F("task", c.Task), timeline.F("choice", string(c.Choice)), timeline.F("reason", c.Reason),
			timeline.F("for", c.For), timeline.F("sha256", c.Shown), timeline.F("late", late))
	}
	if err == nil {
		if t := r.task(c.Task); t != nil { // what it decides is decided, whatever comes in the same moment
			r.count(t, def, now)
		}
		return nil
	}
	why := r.refuseVote("vote on", c.Task, err)
	if refusal != nil && late == "" {
		return r.deny("vote", c.Task, by, why, now)
	}
	return why
}

// stale names evidence that is too old to be voted on, empty where none is.
func (r *Run) stale(def plan.Task, now time.Time) string {
	for _, id := range def.Shows {
		t, shown, ok := r.Task(id)
		if !ok || t.Status == Skipped {
			continue
		}
		for _, e := range shown.Evidence {
			if e.Fresh == 0 {
				continue
			}
			newest := time.Time{}
			for _, g := range t.Evidence {
				if g.Item == e.ID && g.At.After(newest) {
					newest = g.At
				}
			}
			if now.Sub(newest) > e.Fresh {
				return fmt.Sprintf("evidence %s of task %s is of %s; want it no older than %s: show it anew", e.ID, id, at(newest), e.Fresh)
			}
		}
	}
	return ""
}

// Check refuses it where nothing is voted on.
func (c Delegate) Check(r *Run, by timeline.Actor) error {
	if _, _, err := r.ballot("delegate vote on", c.Task); err != nil {
		return err
	}
	if c.To.Person == "" || c.To.Person == by.ID || c.To.Until.IsZero() {
		return r.refuseVote("delegate vote on", c.Task, errors.New("want another person, and until when"))
	}
	return nil
}

// Apply gives the vote to the substitute.
func (c Delegate) Apply(r *Run, by timeline.Actor, now time.Time) error {
	b, _, _ := r.ballot("delegate vote on", c.Task)
	c.To.For, c.To.From = by.ID, now
	if !c.To.Until.After(now) {
		return r.deny("delegate", c.Task, by, r.refuseVote("delegate vote on", c.Task, fmt.Errorf("until %s: that is past", at(c.To.Until))), now)
	}
	if err := b.Delegate(by.ID, c.To, now); err != nil {
		return r.deny("delegate", c.Task, by, r.refuseVote("delegate vote on", c.Task, err), now)
	}
	r.record(now, timeline.VoteDelegated, by, timeline.F("task", c.Task), timeline.F("to", c.To.Name), timeline.F("until", at(c.To.Until)))
	a := VoteWanted
	if c.Task == "" {
		a = ChangeWanted
	}
	r.askVotes(a, c.Task, nil, c.To.Person)
	return nil
}
