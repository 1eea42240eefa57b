package incident

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Command is something that a person asks of an incident. Check refuses what cannot be done and changes nothing, so a
// refusal costs no history; Apply does what Check allows.
type Command interface {
	Check(i *Incident) error
	Apply(i *Incident, by timeline.Actor, now time.Time)
}

// The commands. Texts are bounded by MaxText bytes.
type (
	// Acknowledge says: I have taken it. Paging stops, unless the policy wants more people to acknowledge.
	Acknowledge struct{}
	// Assign gives a role to a person, or hands it over, with a note for the new holder.
	Assign struct {
		Role   Role   `json:"role"`
		Person string `json:"person"`
		Name   string `json:"name,omitempty"` // filled in by the API from the organisation folder
		Note   string `json:"note,omitempty"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
	// Escalate pages the next step of the escalation policy at once.
	Escalate struct {
		Reason string `json:"reason"`
	}
	// SetPriority judges impact and urgency anew; an empty one stays. The priority follows from both.
	SetPriority struct {
		Impact  priority.Level `json:"impact,omitempty"`
		Urgency priority.Level `json:"urgency,omitempty"`
		Reason  string         `json:"reason"`
	}
	// PauseClock stops the time of a promise, of all customers or one.
	PauseClock struct {
		Customer string             `json:"customer,omitempty"`
		Target   supportplan.Target `json:"target"`
		For      supportplan.Cause  `json:"for,omitempty"` // one that the support plans allow
		Reason   string             `json:"reason"`
	}
	// ResumeClock lets the time run on.
	ResumeClock struct {
		Customer string             `json:"customer,omitempty"`
		Target   supportplan.Target `json:"target"`
	}
	// Mitigate says that the mitigation has begun, whether or not it works.
	Mitigate struct {
		Note string `json:"note"`
	}
	// Resolve says that normal operation is back.
	Resolve struct {
		Note string `json:"note"`
	}
	// Reopen says that it was not.
	Reopen struct {
		Reason string `json:"reason"`
	}
	// Close ends the incident before the time for reopening is over.
	Close struct {
		Note    string `json:"note,omitempty"`
		Without string `json:"without,omitempty"` // why customers do not get the all-clear, the result report or the time to answer that are due to them
	}
	// SendUpdate tells the customers, or one, how it goes in a person's own words: once it is resolved, that it is over.
	SendUpdate struct {
		Customer   string       `json:"customer,omitempty"`
		Text       string       `json:"text"`
		Status     PublicStatus `json:"status,omitempty"`     // as far as the incident itself tells when empty
		Expected   time.Time    `json:"expected,omitzero"`    // when normal operation will be back
		Workaround string       `json:"workaround,omitempty"` // what they may do meanwhile
		Public     bool         `json:"public,omitempty"`     // it stands on the status pages; everything after it that all customers read does too
	}
)

// MaxText bounds what a person writes in one command, in bytes.
const MaxText = 4_000

// Check refuses an incident that is over.
func (Acknowledge) Check(i *Incident) error { return i.wantOpen("acknowledge") }

// Apply stops paging, or paging of whoever acknowledges where others must too, and makes by a responder.
func (Acknowledge) Apply(i *Incident, by timeline.Actor, now time.Time) {
	again := i.settles() && i.Escalation.Answered && i.leadsOff(by)
	i.Escalation.Acknowledge(by.ID, now)
	if !again { // else it is a sign of life, like all that they do
		i.recordAcknowledgement(by, now)
	}
	if i.Status == Triggered {
		i.move(Acknowledged, by, "", "", now)
	}
	i.engage(by, now)
}

// leadsOff tells whether by is the responder who was heard of last.
func (i *Incident) leadsOff(by timeline.Actor) bool {
	n := len(i.Responders)
	return n > 0 && i.Responders[n-1].Kind == by.Kind && i.Responders[n-1].ID == by.ID
}

// recordAcknowledgement records until when it holds or, while others must acknowledge too, how many have.
func (i *Incident) recordAcknowledgement(by timeline.Actor, now time.Time) {
	var facts []timeline.Fact
	if e := &i.Escalation; e.Wanted > 1 {
		facts = append(facts, timeline.F("count", strconv.Itoa(len(e.Acked))), timeline.F("wanted", strconv.Itoa(e.Wanted)))
	}
	if i.Escalation.Answered {
		facts = append(facts, at("expires", now.Add(i.Definition.Policy.AckExpires)))
	}
	i.record(now, timeline.Acknowledged, by, facts...)
}

// engage makes by a responder: the promise to respond is kept, and the incident has a manager.
func (i *Incident) engage(by timeline.Actor, now time.Time) {
	i.joins(by)
	if i.Times.Engaged.IsZero() {
		i.Times.Engaged = now
	}
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Target == supportplan.Respond && c.Open() {
			i.keepClock(c, by, now)
		}
	}
	if i.holder(IncidentManager) == "" {
		i.assign(IncidentManager, by.ID, by.Shown(), "", by, now)
	}
}

// Check refuses unknown roles and nobody.
func (c Assign) Check(i *Incident) error {
	switch {
	case !c.Role.Valid():
		return i.refuse("assign", "role %q: want %s", c.Role, listed(Roles()))
	case c.Person == "":
		return i.refuse("assign", "person: missing")
	}
	return firstOf(i.wantNotClosed("assign"), i.wantText("assign", "note", c.Note, false))
}

// Apply gives the role and tells the new holder, and the old one.
func (c Assign) Apply(i *Incident, by timeline.Actor, now time.Time) {
	old := i.holder(c.Role)
	i.assign(c.Role, c.Person, c.Name, c.Note, by, now)
	i.tellRole(AboutRole, c.Role, c.Person, c.Note, by, now)
	if old != "" && old != c.Person {
		i.tellRole(AboutTakeover, c.Role, old, c.Note, by, now)
	}
}

// Check refuses an empty note.
func (c Note) Check(i *Incident) error {
	return firstOf(i.wantNotClosed("note"), i.wantText("note", "text", c.Text, true))
}

// Apply writes the note.
func (c Note) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.record(now, timeline.Noted, by, timeline.F("text", c.Text))
}

// Check refuses an incident that is over, and an escalation without a reason.
func (c Escalate) Check(i *Incident) error {
	return firstOf(i.wantOpen("escalate"), i.wantText("escalate", "reason", c.Reason, true))
}

// Apply makes the next step due at once. The pages climb until somebody answers; whoever has asked for them has no
// acknowledgement meanwhile that could expire, for nobody is needed to start them again.
func (c Escalate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.record(now, timeline.Escalated, by, timeline.F("reason", c.Reason))
	i.Escalation.Resume(now)
	i.nextRung(&by, c.Reason, now) // also while all alerts are resolved: a person wants help
}

// Check refuses unknown levels and a change that is none.
func (c SetPriority) Check(i *Incident) error {
	impact, urgency := c.levels(i)
	if _, err := priority.Of(impact, urgency); err != nil {
		return i.refuse("set priority of", "%v", err)
	}
	if impact == i.Impact && urgency == i.Urgency {
		return i.refuse("set priority of", "impact is already %s and urgency %s", impact, urgency)
	}
	return firstOf(i.wantOpen("set priority of"), i.wantText("set priority of", "reason", c.Reason, true))
}

// Apply takes the levels over.
func (c SetPriority) Apply(i *Incident, by timeline.Actor, now time.Time) {
	impact, urgency := c.levels(i)
	i.judge(impact, urgency, by, timeline.F("reason", c.Reason), now)
}

func (c SetPriority) levels(i *Incident) (impact, urgency priority.Level) {
	impact, urgency = i.Impact, i.Urgency
	if c.Impact != "" {
		impact = c.Impact
	}
	if c.Urgency != "" {
		urgency = c.Urgency
	}
	return impact, urgency
}

// Check refuses what does not run.
func (c PauseClock) Check(i *Incident) error {
	running := i.matching(c.Customer, c.Target, supportplan.Running)
	if len(running) == 0 {
		if paused := i.matching(c.Customer, c.Target, supportplan.Paused); len(paused) > 0 {
			k := &i.Clocks[paused[0]]
			return i.refuse("pause clock of", "clock %s stands still since %s: %s", shownClock(k.Customer, k.Target),
				k.Pauses[len(k.Pauses)-1].From.UTC().Format(time.RFC3339), k.Reason)
		}
		return i.refuse("pause clock of", "no running clock %s", shownClock(c.Customer, c.Target))
	}
	for _, n := range running {
		k := &i.Clocks[n]
		switch p := i.plan(k.Customer); {
		case p.MayPause(c.For):
		case len(p.PauseFor) == 0:
			return i.refuse("pause clock of", "clock %s: support plan %s lets no clock stand still", shownClock(k.Customer, k.Target), p.ID)
		case c.For == "":
			return i.refuse("pause clock of", "for: missing; support plan %s of customer %q lets clocks stand still for %s", p.ID, k.Customer,
				listed(p.PauseFor))
		default:
			return i.refuse("pause clock of", "for %q: support plan %s of customer %q lets clocks stand still for %s", c.For, p.ID, k.Customer,
				listed(p.PauseFor))
		}
	}
	return i.wantText("pause clock of", "reason", c.Reason, true)
}

// Apply stops the time.
func (c PauseClock) Apply(i *Incident, by timeline.Actor, now time.Time) {
	for _, n := range i.matching(c.Customer, c.Target, supportplan.Running) {
		k := &i.Clocks[n]
		k.Pause(now, c.For, c.Reason)
		i.recordClock(now, timeline.ClockPaused, k, by, timeline.F("for", string(c.For)), timeline.F("reason", c.Reason))
	}
}

// Check refuses what is not paused.
func (c ResumeClock) Check(i *Incident) error {
	if len(i.matching(c.Customer, c.Target, supportplan.Paused)) == 0 {
		return i.refuse("resume clock of", "no paused clock %s", shownClock(c.Customer, c.Target))
	}
	return nil
}

// Apply lets the time run on; the new due instant is computed and recorded.
func (c ResumeClock) Apply(i *Incident, by timeline.Actor, now time.Time) {
	for _, n := range i.matching(c.Customer, c.Target, supportplan.Paused) {
		k := &i.Clocks[n]
		stood := k.Resume(now)
		i.recordClock(now, timeline.ClockResumed, k, by, timeline.F("paused_for", stood.String()))
	}
	i.computeClocks(now)
}

// Check refuses what is mitigated or over.
func (c Mitigate) Check(i *Incident) error {
	return firstOf(i.wantMove("mitigate", Mitigated), i.wantText("mitigate", "note", c.Note, true))
}

// Apply records the mitigation.
func (c Mitigate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.Times.Mitigation = now
	i.move(Mitigated, by, "", c.Note, now)
	i.engage(by, now)
	for n := range i.Clocks {
		if k := &i.Clocks[n]; k.Target == supportplan.Mitigate && k.Open() {
			i.keepClock(k, by, now)
		}
	}
	if !i.Escalation.Answered {
		i.Escalation.Acknowledge(by.ID, now) // whoever mitigates has taken it
	}
}

// Check refuses what is resolved or closed.
func (c Resolve) Check(i *Incident) error {
	return firstOf(i.wantMove("resolve", Resolved), i.wantText("resolve", "note", c.Note, true))
}

// Apply resolves the incident.
func (c Resolve) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.resolve(by, "person", c.Note, now)
}

// Check refuses what is not resolved.
func (c Reopen) Check(i *Incident) error {
	if i.Status != Resolved {
		return i.refuse("reopen", "is %s; only a resolved incident can be reopened", i.Status)
	}
	return i.wantText("reopen", "reason", c.Reason, true)
}

// Apply opens the incident again; paging starts anew.
func (c Reopen) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.QuietSince = time.Time{}
	i.reopen(by, "person", c.Reason, now)
}

// Check refuses what is not resolved.
func (c Close) Check(i *Incident) error {
	if i.Status == Merged {
		return i.refuse("close", "is merged into %s, and closes with it; split it off first", i.MergedInto.ID)
	}
	return firstOf(i.wantMove("close", Closed), i.wantText("close", "note", c.Note, false), c.wantClear(i))
}

// Apply closes the incident.
func (c Close) Apply(i *Incident, by timeline.Actor, now time.Time) {
	c.waive(i, by, now)
	i.close(by, "person", c.Note, now)
}

// Check refuses customers who are not affected, and an incident that is closed.
func (c SendUpdate) Check(i *Incident) error {
	customers := i.wantCustomers("send update of", c.Customer)
	if c.Public && len(i.Definition.Customers) == 0 { // the page alone is for everybody
		customers = nil
	}
	return firstOf(customers, i.wantNotClosed("send update of"), i.wantText("send update of", "text", c.Text, true), c.saying(i), c.forPages(i))
}

// Apply sends the text, or lets it wait for an approval.
func (c SendUpdate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	if i.waits() {
		i.propose(c, by, now)
		return
	}
	c.send(i, by, now)
}

// send sends the text to every contact of the customers, and to the status pages.
func (c SendUpdate) send(i *Incident, by timeline.Actor, now time.Time) {
	work := UpdateCustomer
	if !i.Status.Open() {
		work = ClearCustomer
	}
	if c.Public || i.Posted != nil && c.Customer == "" {
		i.post(Posted{
			Status: cmp.Or(c.Status, i.SaysNow()), Text: c.Text, Expected: c.Expected, Workaround: c.Workaround, By: by, At: now,
		})
	}
	for _, x := range i.Definition.Customers {
		if c.Customer == "" || c.Customer == x.ID {
			i.begin(Send{
				Work: work, Customer: x.ID, Text: c.Text, Author: &by, Says: c.Status, Expected: c.Expected, Workaround: c.Workaround,
				Alone: c.Customer != "" && len(i.Definition.Customers) > 1,
			}, now)
		}
	}
}

// Do applies a command once: an id that has been decided before changes nothing.
func (i *Incident) Do(id string, c Command, by timeline.Actor, now time.Time) error {
	if i.decided(id) {
		return nil
	}
	if err := i.check(c, now); err != nil {
		return err
	}
	if err := i.deny(c, by, now); err != nil {
		return err
	}
	if by.Kind == timeline.Person && i.Escalation.Answered {
		i.Escalation.AckedAt = now // a sign of life
	}
	i.showsUp(by, now)
	c.Apply(i, by, now)
	i.remember(id)
	return nil
}

// remember keeps the id of a decision.
func (i *Incident) remember(id string) {
	const remembered = 500 // a repeat that is older has long been answered
	if i.Decided = append(i.Decided, id); len(i.Decided) > remembered {
		i.Decided = i.Decided[1:]
	}
}

// May says whether Do would refuse, and changes nothing.
func (i *Incident) May(id string, c Command, now time.Time) error {
	if i.decided(id) {
		return nil
	}
	return i.check(c, now)
}

// check refuses what cannot be done, or not now.
func (i *Incident) check(c Command, now time.Time) error {
	err := c.Check(i)
	if timed, ok := c.(interface {
		CheckAt(i *Incident, now time.Time) error
	}); ok && err == nil {
		err = timed.CheckAt(i, now)
	}
	return err
}

func (i *Incident) decided(id string) bool {
	for _, d := range i.Decided {
		if d == id {
			return true
		}
	}
	return false
}

func (i *Incident) refuse(action, reason string, args ...any) error {
	return &Refusal{Incident: i.ID, Action: action, Reason: fmt.Sprintf(reason, args...)}
}

func (i *Incident) wantOpen(action string) error {
	if !i.Status.Open() {
		return i.refuse(action, "is %s%s", i.Status, i.sinceWhen())
	}
	return nil
}

func (i *Incident) wantNotClosed(action string) error {
	if i.Status == Closed {
		return i.refuse(action, "is closed%s", i.sinceWhen())
	}
	return nil
}

func (i *Incident) wantMove(action string, to Status) error {
	if !CanMove(i.Status, to) {
		return i.refuse(action, "cannot go from %s to %s%s", i.Status, to, i.sinceWhen())
	}
	return nil
}

// sinceWhen tells the loser of a race who won it and when.
func (i *Incident) sinceWhen() string {
	for n := len(i.Timeline.Entries) - 1; n >= 0; n-- {
		if e := i.Timeline.Entries[n]; e.Kind == timeline.StatusChanged {
			return fmt.Sprintf(", by %s at %s", e.Actor.Shown(), e.At.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

func (i *Incident) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return i.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return i.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func listed[T ~string](words []T) string {
	all := make([]string, len(words))
	for n, w := range words {
		all[n] = string(w)
	}
	return strings.Join(all, ", ")
}

func shownClock(customer string, t supportplan.Target) string {
	if customer == "" {
		return fmt.Sprintf("%q", t)
	}
	return fmt.Sprintf("%q of customer %q", t, customer)
}

func (i *Incident) holder(r Role) string {
	for _, h := range i.Holders {
		if h.Role == r {
			return h.Person
		}
	}
	return ""
}

func (i *Incident) assign(r Role, person, name, note string, by timeline.Actor, now time.Time) {
	old := ""
	holders := i.Holders[:0:0]
	for _, h := range i.Holders {
		if h.Role == r {
			old = h.Shown()
			continue
		}
		holders = append(holders, h)
	}
	i.involve(person)
	h := Holder{Role: r, Person: person, Name: name, Since: now}
	if i.Definition.Lead != nil && by.ID != person {
		h.Due = now.Add(i.Definition.Lead.Within)
	}
	i.Holders = append(holders, h)
	i.record(now, timeline.RoleAssigned, by, timeline.F("role", string(r)), timeline.F("person", h.Shown()),
		timeline.F("from", old), timeline.F("note", note))
}

func (i *Incident) tellRole(about About, r Role, person, note string, by timeline.Actor, now time.Time) {
	i.begin(Send{
		Work: Remind, About: about, Role: r, Text: note, Author: &by,
		Targets: []escalation.Target{{Kind: escalation.Person, ID: person}},
	}, now)
}
