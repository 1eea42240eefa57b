package change

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// atRisk is after which percentage of its time an emergency's voters are reminded.
const atRisk = 75

// AtRisk is that percentage of what is reckoned.
func (w Work) AtRisk() int { return map[bool]int{true: atRisk}[w.Do == ReckonDue] }

// pollEvery is how often it is found out anew who may vote: people come and leave.
const pollEvery = 12 * time.Hour

// Advance brings the change to now, and returns what has to be done since it was last asked. After an outage it does not make up for
// reminders that were missed.
func (c *Change) Advance(now time.Time) []Work {
	if c.lapses() && !now.Before(c.Until) {
		c.record(now, timeline.ChangeLapsed, timeline.Muster(), timeline.F("since", at(c.Until)), timeline.F("status", string(c.Status)))
		c.end(Lapsed, timeline.Muster(), now)
		c.tell(Over)
		c.callOff(now)
	}
	if !c.Over() {
		c.count(now)
		c.announce(now)
		c.mayBegin(now)
		c.remind(now)
	}
	fresh := c.fresh
	c.fresh = nil
	return fresh
}

// lapses tells whether it has to begin before its time is over.
func (c *Change) lapses() bool {
	return c.Status == Requested || c.Status == Assessed || c.Status == Approved
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (c *Change) NextDue() time.Time {
	if c.Over() {
		return time.Time{}
	}
	var next time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if c.lapses() {
		sooner(c.Until)
	}
	if c.voted() {
		if !c.Polling {
			sooner(c.PollAt)
		}
		sooner(c.Due)
		sooner(c.RiskAt)
	}
	if c.Status == Approved && c.Auto && !c.Tried && len(c.Unmet()) == 0 {
		sooner(c.From)
	}
	sooner(c.announceDue())
	sooner(c.RemindAt)
	return next
}

// voted tells whether it is voted on now.
func (c *Change) voted() bool {
	return !c.Counted && (c.Status == Assessed || c.Way == Emergency)
}

// Lines are what those who vote are shown, each part by the SHA-256 of its content, so that whatever changes is named.
func (c *Change) Lines() []approval.Line {
	asked := append([]string{
		string(c.Way), string(c.Kind), c.Title, c.Text, c.Benefit, fmt.Sprint(c.Reversible), c.Undo, c.UndoWithin.String(), at(c.From), at(c.Until),
		fmt.Sprint(c.Auto), c.Incident, "services",
	}, c.Services...)
	for _, n := range c.CustomerNames {
		asked = append(asked, "customer", n.ID)
	}
	for _, id := range c.Assets {
		asked = append(asked, "asset", id)
	}
	if c.announces() {
		asked = append(asked, "effect", c.Effect.En, c.Effect.Ko, "action", c.Action.En, c.Action.Ko)
	}
	lines := []approval.Line{{Name: "request", SHA256: digest(asked...)}, {Name: "risk", SHA256: digest(c.Risk, c.Judgement)}}
	if c.Plan != nil {
		where := []string{c.Plan.ID, c.Plan.Customer}
		for _, e := range c.Plan.Environments {
			where = append(where, e.ID, e.Value)
		}
		lines = append(lines, approval.Line{Name: "where", SHA256: digest(where...)})
		lines = append(lines, c.Plan.Lines...)
	}
	return lines
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (c *Change) shown() approval.Shown {
	s, err := approval.Show(c.Lines()...)
	if err != nil { // its plan has no hash: nothing can be voted on
		return approval.Shown{}
	}
	return s
}

// poll asks who may vote now.
func (c *Change) poll() {
	c.Polling = true
	c.start(Work{Do: FindVoters})
}

// Elected takes in who may vote. The vote opens with the first answer. With a detail it is not known.
func (c *Change) Elected(people []approval.Elector, detail string, now time.Time) {
	if c.Polling = false; !c.voted() || c.Over() {
		return
	}
	e := approval.Electorate{Requester: c.Requester.ID, Electors: people}
	b, err, was := c.Ballot, error(nil), approval.Verdict("")
	switch {
	case detail != "":
		err = errors.New(detail)
	case b != nil:
		was = b.Outcome.Verdict
		err = b.Resolve(e, now)
	default:
		b, err = approval.Open(c.Voting().Rule, e, c.shown(), now)
	}
	if err != nil {
		c.PollAt = now.Add(min(time.Minute<<min(c.Tries, 10), pollEvery))
		c.Tries++
		c.Timeline.Repeat(now, timeline.VotersUnknown, timeline.Muster(), timeline.F("change", string(c.ID)), timeline.F("detail", err.Error()))
		return
	}
	c.PollAt, c.Tries = now.Add(pollEvery), 0
	if c.Ballot == nil || c.Way != Emergency && b.Due.IsZero() { // opened, or opened anew
		c.Ballot, b.Due = b, c.until()
		voters := len(people)
		if c.Timely && c.Voting().Rule.Exclude.Requester && slices.ContainsFunc(people, func(x approval.Elector) bool { return x.Person == c.Requester.ID }) {
			voters--
		}
		c.record(now, timeline.VoteOpened, timeline.Muster(), timeline.F("change", string(c.ID)), timeline.F("sha256", b.Shown.SHA256),
			timeline.F("voters", fmt.Sprint(voters)))
		c.tell(VoteWanted)
	}
	if b.Outcome.Verdict == approval.Impossible && was != approval.Impossible {
		c.record(now, timeline.VoteImpossible, timeline.Muster(), timeline.F("change", string(c.ID)))
		c.tell(Impossible)
	}
}

// until is when its vote is due: a change whose time is over lapses, and an emergency becomes an exception.
func (c *Change) until() time.Time {
	if c.Way == Emergency {
		return c.Due
	}
	return c.Until
}

// count ends a vote when it is decided or its time has come, and asks again who may vote.
func (c *Change) count(now time.Time) {
	if !c.voted() {
		return
	}
	if c.Way == Emergency && !c.RiskAt.IsZero() && !now.Before(c.RiskAt) {
		c.RiskAt = time.Time{}
		if c.Ballot != nil && now.Before(c.Due) {
			c.tell(DueSoon)
		}
	}
	if !c.Polling && !c.PollAt.IsZero() && !now.Before(c.PollAt) && (c.Due.IsZero() || now.Before(c.Due)) {
		c.poll()
	}
	if c.Ballot != nil {
		c.Ballot.Expire(now)
		if c.Ballot.Outcome.Verdict.Final() {
			c.decide(now)
			return
		}
	}
	if c.Way == Emergency && !c.Due.IsZero() && !now.Before(c.Due) { // nobody could even say who votes
		c.except(TooLate, now)
	}
}

// decide takes in what the votes have come to.
func (c *Change) decide(now time.Time) {
	c.Counted = true
	o := c.Ballot.Outcome
	by := timeline.Muster()
	if o.By != "" {
		by = timeline.Actor{Kind: timeline.Person, ID: o.By, Name: o.Name}
	}
	c.record(now, timeline.VoteDecided, by, timeline.F("change", string(c.ID)), timeline.F("outcome", string(o.Verdict)))
	c.RemindAt = time.Time{}
	switch {
	case c.Way == Emergency && o.Verdict.Approves():
		c.tell(Decided)
	case c.Way == Emergency && o.Why == approval.Deadline:
		c.except(TooLate, now)
	case c.Way == Emergency:
		c.except(Refused, now)
	case o.Verdict.Approves():
		c.Status = Approved
		c.moved(now)
		c.tell(Decided)
		c.askChecks()
	default:
		for n := len(c.Ballot.Votes) - 1; n >= 0 && c.Reason == ""; n-- {
			c.Reason = c.Ballot.Votes[n].Reason
		}
		c.end(Rejected, by, now)
		c.tell(Decided)
		c.callOff(now)
	}
}

// except makes an emergency an exception, of which somebody is told.
func (c *Change) except(why Missed, now time.Time) {
	c.Exception, c.Counted = why, true
	c.record(now, timeline.ChangeExcepted, timeline.Muster(), timeline.F("cause", string(why)), timeline.F("due", at(c.Due)))
	c.tell(Excepted)
}

// mayBegin starts it by itself when it may and should.
func (c *Change) mayBegin(now time.Time) {
	if c.Status == Approved && c.Auto && !c.Tried && len(c.Unmet()) == 0 && !now.Before(c.From) {
		c.Tried = true
		c.begin(timeline.Muster(), now)
	}
}

// begin says that it runs. Its plan is started outside.
func (c *Change) begin(by timeline.Actor, now time.Time) {
	c.Status, c.Began, c.BegunBy = Running, now, by
	c.record(now, timeline.ChangeStarted, by, timeline.F("incident", c.Incident))
	if c.Starting = c.Plan != nil; c.Starting {
		c.start(Work{Do: StartRun})
	} else {
		c.notify(Beginning, now)
	}
	c.moved(now)
}

// Started takes in that its plan runs. With a detail it could not be started: a person sees to that.
func (c *Change) Started(run planrun.ID, detail string, now time.Time) {
	c.Starting = false
	if c.Status != Running || c.Run != "" {
		return
	}
	if detail == "" {
		c.Run = run
		c.record(now, timeline.ChangeRuns, timeline.Muster(), timeline.F("run", string(run)))
		c.notify(Beginning, now)
		return
	}
	c.record(now, timeline.ChangeUnstarted, timeline.Muster(), timeline.F("detail", detail))
	c.Reason = detail
	if c.Way != Emergency { // which goes on, and is done by hand
		c.Status, c.Began, c.BegunBy = Approved, time.Time{}, timeline.Actor{}
	}
	c.tell(Unstarted)
	c.Reason = ""
	c.moved(now)
}

// RunOver takes in how its run of a plan has ended.
func (c *Change) RunOver(e RunEnded, now time.Time) {
	if c.Status != Running || c.Plan == nil || c.Run != "" && c.Run != e.Run {
		return
	}
	c.Run, c.How = e.Run, e.How
	s := Failed
	if e.How == planrun.EndedDone {
		s = Done
	}
	c.finish(s, timeline.Muster(), "", 0, now)
}

// finish ends what runs.
func (c *Change) finish(s Status, by timeline.Actor, note string, outage time.Duration, now time.Time) {
	c.Reason, c.Outage = note, outage
	lasted := ""
	if outage > 0 {
		lasted = outage.String()
	}
	c.record(now, timeline.ChangeEnded, by, timeline.F("status", string(s)), timeline.F("run", string(c.Run)), timeline.F("how", string(c.How)),
		timeline.F("note", note), timeline.F("outage", lasted))
	c.end(s, by, now)
	c.tell(Over)
	if c.Known {
		c.notify(Ending, now)
	}
}

// moved begins the time after which whoever has to move it is reminded.
func (c *Change) moved(now time.Time) {
	c.Moved, c.Reminders = now, 0
	c.reckon(now)
}

// reckon asks when the next reminder is due. Of what runs its plan reminds.
func (c *Change) reckon(from time.Time) {
	c.RemindAt = time.Time{}
	c.reckoning++
	if c.lapses() {
		if c.Patient && c.Status == Approved && from.Before(c.From) { // until then there is nothing to move
			from = c.From
		}
		p := supportplan.Promise{Within: c.Remind.Within, Days: c.Remind.Days, Calendar: c.Remind.Calendar}
		c.start(Work{Do: Reckon, Number: c.reckoning, Clock: supportplan.Start("", p, from)})
	}
}

// reckonDue asks until when an emergency has to be approved.
func (c *Change) reckonDue(now time.Time) {
	p := supportplan.Promise{Within: c.Afterwards.Within, Calendar: c.Afterwards.Calendar}
	c.start(Work{Do: ReckonDue, Clock: supportplan.Start("", p, now)})
}

// Reckoned takes in when something is due. Where nobody can say, every hour counts.
func (c *Change) Reckoned(w Work, i incident.Instants, now time.Time) {
	if c.Over() || w.Do == Reckon && w.Number != c.reckoning {
		return
	}
	if i.Due.IsZero() {
		c.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", "change"), timeline.F("detail", i.Fault))
		within := max(w.Clock.Within, time.Duration(w.Clock.Days)*24*time.Hour)
		i.Due, i.RiskAt = w.Clock.Started.Add(within), w.Clock.Started.Add(within*atRisk/100)
	}
	if w.Do == Reckon {
		c.RemindAt = c.timely(i.Due, now)
		return
	}
	c.Due, c.RiskAt = i.Due, i.RiskAt
	if c.Ballot != nil {
		c.Ballot.Due = i.Due
	}
}

// timely brings the first reminder forward that would come when the time of the change is over: to when a quarter of it is left.
func (c *Change) timely(due, now time.Time) time.Time {
	if !c.Timely || c.Reminders > 0 || due.Before(c.Until) {
		return due
	}
	from := now
	if c.Status == Approved && c.From.After(now) {
		from = c.From
	}
	return from.Add(c.Until.Sub(from) * 3 / 4)
}

// remind reminds whoever has to move it.
func (c *Change) remind(now time.Time) {
	if !c.lapses() || c.RemindAt.IsZero() || now.Before(c.RemindAt) {
		return
	}
	c.Reminders++
	c.record(now, timeline.ChangeStale, timeline.Muster(), timeline.F("since", at(c.Moved)), timeline.F("round", fmt.Sprint(c.Reminders)),
		timeline.F("status", string(c.Status)))
	c.tell(Stale)
	if c.Status == Approved {
		c.askChecks()
	}
	c.reckon(now)
}

func differences(changes []approval.Change) string {
	all := make([]string, len(changes))
	for n, d := range changes {
		all[n] = d.Name + " " + string(d.Kind)
	}
	return strings.Join(slices.Clip(all), ", ")
}
