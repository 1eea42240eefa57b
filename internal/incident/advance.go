package incident

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Advance brings the incident to now and returns what has begun since it was last asked: each has to be sent, and stands in
// the outbox until its outcome is told. Stop conditions come first, so nothing begins that no longer matters.
func (i *Incident) Advance(now time.Time) []Send {
	i.settleConfirmations(now)
	i.timeOut(now)
	i.endQuietly(now)
	i.expire(now)
	i.settleClocks(now)
	i.settleCases(now)
	i.settleSummons(now)
	i.settleProposal(now)
	i.respond(now)
	i.climb(now)
	i.keepRoles(now)
	i.tryNextMethods(now)
	i.tellCustomers(now)
	i.askForClear(now)
	i.keepTicket(now)
	i.keepRoom(now)
	i.keepReport(now)
	i.keepPages(now)
	i.withdraw(now)
	i.keepFollowed(now) // last: what was just withdrawn is in the way of no follow-up
	fresh := i.fresh
	i.fresh = nil
	return fresh
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (i *Incident) NextDue() time.Time {
	var next time.Time
	due := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	switch {
	case i.Status == Resolved:
		due(i.closesDue())
		due(i.clearDue())
	case i.Status.Open():
		if i.QuietSince.IsZero() {
			due(i.Escalation.Due(i.Definition.Policy))
			due(i.recallDue())
			due(i.heldUntil())
		} else {
			due(i.QuietSince.Add(i.Definition.Quiet))
		}
	}
	if i.Status != Closed {
		due(i.Alerts.Look)
	}
	for n := range i.Clocks {
		due(i.clockDue(&i.Clocks[n]))
	}
	for n := range i.Cases {
		if c := i.Cases[n].Clock; c != nil && c.Open() && c.State == supportplan.Running {
			due(c.Due)
		}
	}
	due(i.responseDue())
	due(i.leadDue())
	due(i.proposalDue())
	for n := range i.Outbox {
		if s := &i.Outbox[n]; s.hasNextMethod() && i.QuietSince.IsZero() {
			due(i.nextMethodAt(s))
		}
	}
	for n := range i.Later {
		if i.QuietSince.IsZero() {
			due(i.nextMethodAt(&i.Later[n]))
		}
	}
	return next
}

// Ended tells whether nothing is left to do: closed, and every outcome known.
func (i *Incident) Ended() bool { return i.Status == Closed && len(i.Outbox) == 0 && len(i.fresh) == 0 }

// endQuietly resolves an incident whose alerts have all been resolved for the quiet time, and closes one that was not
// reopened in time.
func (i *Incident) endQuietly(now time.Time) {
	if i.Status.Open() && !i.QuietSince.IsZero() && !now.Before(i.QuietSince.Add(i.Definition.Quiet)) {
		cause, note := i.resolution()
		i.resolve(timeline.Muster(), cause, note, now)
	}
	if i.Status != Resolved {
		return
	}
	if cause, over := i.closes(now); over {
		i.close(timeline.Muster(), cause, "", now)
	}
}

// expire starts paging again when whoever has taken the incident gives no sign of life.
func (i *Incident) expire(now time.Time) {
	if !i.Status.Open() || !i.QuietSince.IsZero() || !i.Escalation.Expired(i.Definition.Policy, now) {
		return
	}
	i.record(now, timeline.AckExpired, timeline.Muster(), at("since", i.Escalation.AckedAt))
	i.Escalation.Restart()
	if i.Status == Acknowledged {
		i.move(Triggered, timeline.Muster(), "ack-expired", "", now)
	}
}

func (i *Incident) climb(now time.Time) {
	if i.Status.Open() && i.QuietSince.IsZero() && i.Escalation.Climbs(now) && !i.looks(now) && !now.Before(i.recallDue()) && !now.Before(i.heldUntil()) {
		i.nextRung(nil, "", now)
	}
}

// recallDue is until when the first page waits for the incident before, for the problem behind it and for what else goes on, which are best
// read in the page: for a moment that is bounded, whether or not anybody finds them. Zero when it waits for nothing.
func (i *Incident) recallDue() (due time.Time) {
	if i.Escalation.Begun+i.Escalation.Restarts > 0 || i.Escalation.Answered || i.Definition.Recall == 0 {
		return due
	}
	for n := range i.Outbox {
		if s := &i.Outbox[n]; (s.Work == FindPrevious || s.Work == FindProblem || s.Work == FindNearby) && due.IsZero() {
			due = s.Begun.Add(i.Definition.Recall)
		}
	}
	return due
}

// nextRung begins the next rung of the escalation when it is due. Somebody may have asked for it, with a reason.
func (i *Incident) nextRung(asks *timeline.Actor, reason string, now time.Time) {
	policy := i.Definition.Policy
	before := i.Escalation.Rung(policy)
	rung, ok := i.Escalation.Climb(policy, i.Situation(), now)
	if !ok {
		return
	}
	if rung.Step == 0 {
		if before.Step > 0 { // for the first time: whoever leads should know
			i.begin(Send{Work: Remind, About: AboutNoAnswer, Role: IncidentManager, Targets: i.standsFor(IncidentManager)}, now)
		}
		i.record(now, timeline.LastResort, timeline.Muster(), timeline.F("targets", escalation.Shown(rung.Targets)))
	} else {
		i.record(now, timeline.StepStarted, timeline.Muster(), timeline.F("step", strconv.Itoa(rung.Step)), turn(rung),
			timeline.F("round", strconv.Itoa(rung.Round)), timeline.F("targets", escalation.Shown(rung.Targets)),
			timeline.F("variant", shownPriorities(policy.For(i.Escalation.Variant).Priorities)), hours(policy.For(i.Escalation.Variant)))
	}
	i.begin(Send{
		Work: PageStep, Rung: rung.Number, Climb: i.Escalation.Restarts, Targets: rung.Targets, Author: asks, Text: reason,
		Variant: i.Escalation.Variant, Shift: i.Escalation.Shift,
	}, now)
}

// turn says which turn of a step a rung is, "2/3", empty where the step pages all at once.
func turn(r escalation.Rung) timeline.Fact {
	if r.Turns == 0 {
		return timeline.F("turn", "")
	}
	return timeline.F("turn", strconv.Itoa(r.Turn)+"/"+strconv.Itoa(r.Turns))
}

// hours says within or outside which calendar's hours a variant holds, "out-of:office".
func hours(v escalation.Variant) timeline.Fact {
	switch {
	case v.Calendar == "":
		return timeline.F("hours", "")
	case v.Closed:
		return timeline.F("hours", "out-of:"+v.Calendar)
	}
	return timeline.F("hours", "in:"+v.Calendar)
}

// Situation decides which steps of the policy hold now.
func (i *Incident) Situation() escalation.Situation {
	s := escalation.At(i.Priority)
	if i.Hours != nil {
		s.Open = i.Hours.Open
	}
	return s
}

// looks asks which of the policy's calendars are open, before the next step is chosen, and tells whether that is awaited.
func (i *Incident) looks(now time.Time) bool {
	if len(i.Definition.Policy.Calendars()) == 0 || i.Hours != nil && (i.Hours.Until.IsZero() || now.Before(i.Hours.Until)) {
		return false
	}
	if !i.has(LookHours) {
		i.begin(Send{Work: LookHours}, now)
	}
	return true
}

// Looked takes in which of the policy's calendars are open. What could not be said counts as closed for a while.
func (i *Incident) Looked(number int, h Hours, detail string, now time.Time) {
	if i.Find(number) == nil {
		return
	}
	i.drop(number)
	if detail != "" {
		i.Timeline.Repeat(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(LookHours)), timeline.F("detail", detail))
	}
	i.Hours = &h
}

func shownPriorities(all []priority.Priority) string {
	names := make([]string, len(all))
	for n, p := range all {
		names[n] = p.String()
	}
	return strings.Join(names, ", ")
}

// rung is the rung of the climb that a page belongs to.
func (i *Incident) rung(s *Send) escalation.Rung {
	return i.Definition.Policy.Rung(s.Variant, s.Rung-s.Shift)
}

// Who returns whom a send is for, in terms of the organisation folder: a role is whoever has it now, or who stands for it,
// and engineers are those of each customer.
func (i *Incident) Who(s Send) []escalation.Target { return i.resolved(s.Targets) }

func (i *Incident) resolved(targets []escalation.Target) []escalation.Target {
	var who []escalation.Target
	for _, t := range targets {
		switch {
		case t.Kind == escalation.Role:
			who = append(who, i.resolved(i.standsFor(Role(t.ID)))...)
		case t.Kind == escalation.Engineer && t.ID == "":
			for _, c := range i.Definition.Customers {
				who = append(who, escalation.Target{Kind: escalation.Engineer, ID: c.ID})
			}
		default:
			who = append(who, t)
		}
	}
	return who
}

// tryNextMethods does not wait for a contact method that gives no answer: the next one is tried as well, and so is one that
// follows after a while although the page has arrived. While all alerts are resolved nobody is bothered further.
func (i *Incident) tryNextMethods(now time.Time) {
	if !i.QuietSince.IsZero() {
		return
	}
	for n := range i.Outbox {
		s := i.Outbox[n]
		if !s.hasNextMethod() || i.withdrawn(&s) != "" || now.Before(i.nextMethodAt(&s)) {
			continue
		}
		i.Outbox[n].Hastened = true
		i.nextMethod(s, "no-outcome", now)
	}
	var due, later []Send
	for _, s := range i.Later {
		switch {
		case i.stale(&s) != "":
		case now.Before(i.nextMethodAt(&s)):
			later = append(later, s)
		default:
			due = append(due, s)
		}
	}
	i.Later = later
	for _, s := range due {
		i.nextMethod(s, "no-answer", now)
	}
}

// nextMethodAt returns when the next contact method of a page is tried, unless something comes of the page before.
func (i *Incident) nextMethodAt(s *Send) time.Time {
	return s.Begun.Add(cmp.Or(s.To.Delay(s.Method+1), i.Definition.Policy.NextMethodAfter))
}

// stale says why the next contact method of a page that has arrived need not follow, empty while it must.
func (i *Incident) stale(s *Send) string {
	if !s.Summons && s.Climb != i.Escalation.Restarts {
		return "superseded"
	}
	return i.pointless(s)
}

func (s *Send) hasNextMethod() bool {
	return s.Work == PagePerson && !s.Hastened && s.Withdrawn == "" && s.Method+1 < len(s.To.Methods)
}

func (i *Incident) nextMethod(s Send, cause string, now time.Time) {
	next := s
	next.Method++
	next.Hastened, next.Repeated = false, false
	i.record(now, timeline.NextMethod, timeline.Muster(), timeline.F("what", string(s.Message.Kind)),
		timeline.F("to", s.To.Name), timeline.F("method", next.To.Methods[next.Method]), timeline.F("cause", cause))
	i.beginDelivery(next, now)
}

// settleClocks says what has become of every promise by now.
func (i *Incident) settleClocks(now time.Time) {
	for n := range i.Clocks {
		c := &i.Clocks[n]
		if c.State != supportplan.Running || !c.Open() || c.Due.IsZero() {
			continue
		}
		if !now.Before(c.Due) {
			c.Miss()
			i.recordClock(now, timeline.ClockMissed, c, timeline.Muster())
			i.remind(AboutClockMissed, i.roleFor(c.Target), c, now)
			if i.roleFor(c.Target) != IncidentManager {
				i.remind(AboutClockMissed, IncidentManager, c, now)
			}
			if c.Target == supportplan.Update { // the customer waits all the same
				overslept := i.engineWrites(c) && !c.Sending // Muster was down when it should have begun to write
				i.nextRound(c, now, now)
				if overslept {
					c.Sending = true
					i.begin(Send{Work: UpdateCustomer, Customer: c.Customer}, now)
				}
			}
			if c.Target == supportplan.ResultReport && i.engineWrites(c) && !c.Sending { // Muster was down
				c.Sending = true
				i.writeResult(c.Customer, "", nil, now)
			}
			continue
		}
		if i.engineWrites(c) {
			if !c.Sending && !now.Before(c.Due.Add(-c.Lead())) {
				c.Sending = true
				if c.Target == supportplan.ResultReport {
					i.writeResult(c.Customer, "", nil, now)
					continue
				}
				i.recordClock(now, timeline.UpdateDue, c, timeline.Muster())
				i.begin(Send{Work: UpdateCustomer, Customer: c.Customer}, now)
			}
			continue
		}
		if !c.AtRisk && !now.Before(c.RiskAt) {
			c.AtRisk = true
			i.recordClock(now, timeline.ClockAtRisk, c, timeline.Muster())
			about := AboutClockAtRisk
			switch c.Target {
			case supportplan.Update:
				about = AboutUpdateWanted
			case supportplan.ResultReport:
				about = AboutResultWanted
			default:
			}
			i.remind(about, i.roleFor(c.Target), c, now)
		}
	}
}

func (i *Incident) clockDue(c *supportplan.Clock) time.Time {
	switch {
	case c.State != supportplan.Running || !c.Open() || c.Due.IsZero():
		return time.Time{}
	case i.engineWrites(c) && !c.Sending:
		return c.Due.Add(-c.Lead())
	case !i.engineWrites(c) && !c.AtRisk:
		return c.RiskAt
	}
	return c.Due
}

func (i *Incident) engineWrites(c *supportplan.Clock) bool {
	return (c.Target == supportplan.Update || c.Target == supportplan.ResultReport) && i.writesItself(c.Customer)
}

// roleFor says who answers for a promise.
func (i *Incident) roleFor(t supportplan.Target) Role {
	switch t {
	case supportplan.Respond:
		return SupportManager
	case supportplan.Update, supportplan.ResultReport:
		return CommunicationsManager
	case supportplan.Mitigate, supportplan.Resolve, supportplan.Confirm:
	}
	return IncidentManager
}

func (i *Incident) remind(about About, role Role, c *supportplan.Clock, now time.Time) {
	i.begin(Send{
		Work: Remind, About: about, Role: role, Targets: i.standsFor(role), Customer: c.Customer,
		Target: c.Target, Due: c.Due,
	}, now)
}

// standsFor returns whom to tell for a role: its holder, or who stands for it.
func (i *Incident) standsFor(role Role) []escalation.Target {
	for _, h := range i.Holders {
		if h.Role == role {
			return []escalation.Target{{Kind: escalation.Person, ID: h.Person}}
		}
	}
	return i.namedFor(role)
}

// namedFor returns who stands for a role that nobody has taken.
func (i *Incident) namedFor(role Role) []escalation.Target {
	for _, r := range i.Definition.Roles {
		if r.Role == role {
			return r.Targets
		}
	}
	if n := len(i.Responders); n > 0 {
		return []escalation.Target{{Kind: escalation.Person, ID: i.Responders[n-1].ID}}
	}
	return i.Definition.Policy.LastResort
}

// tellCustomers gives the all-clear, once for every resolution, and says that it is not over, once for every reopening after
// an all-clear.
func (i *Incident) tellCustomers(now time.Time) {
	switch {
	case i.MergedInto != nil && !i.MergedInto.Taken.IsZero() && !i.Status.Open(): // the other incident's customers hear from that one
	case !i.Status.Open() && i.AllClear <= i.Reopened:
		i.AllClear = i.Reopened + 1
		i.announce(ClearCustomer, AboutResolved, now)
	case i.Status.Open() && i.AllClear == i.Reopened && i.NotOver < i.Reopened:
		i.NotOver = i.Reopened
		i.announce(UpdateCustomer, AboutReopened, now)
	}
}

// announce tells every customer what has just happened. Where a machine never writes, a person is asked to: of a restricted
// incident nobody else decides what a customer learns.
func (i *Incident) announce(work Work, about About, now time.Time) {
	for _, c := range i.Definition.Customers {
		s := Send{Work: work, About: about, Customer: c.ID}
		if !i.writesItself(c.ID) {
			s.Work, s.Role, s.Targets = Remind, CommunicationsManager, i.standsFor(CommunicationsManager)
		}
		i.begin(s, now)
	}
}

func (i *Incident) keepTicket(now time.Time) {
	if i.Ticket.Disabled || i.Ticket.Written >= i.Ticket.Wanted || i.has(SyncTicket) {
		return
	}
	i.begin(Send{Work: SyncTicket, Revision: i.Ticket.Wanted}, now)
}

func (i *Incident) keepReport(now time.Time) {
	if i.Report.Written < i.Report.Wanted && !i.has(WriteReport) {
		i.begin(Send{Work: WriteReport, Revision: i.Report.Wanted}, now)
	}
	if i.Review.Wanted && !i.has(OpenReview) {
		i.Review.Wanted = false
		i.begin(Send{Work: OpenReview}, now)
	}
}

// withdraw marks what no longer matters. A delivery that is marked is taken back where it is still possible; its outcome
// says what became of it.
func (i *Incident) withdraw(now time.Time) {
	for n := range i.Outbox {
		s := &i.Outbox[n]
		s.Withdrawn = i.withdrawn(s)
	}
	i.Later = slices.DeleteFunc(i.Later, func(s Send) bool { return i.stale(&s) != "" })
	for n := len(i.fresh) - 1; n >= 0; n-- {
		s := i.fresh[n]
		cause := i.pointless(&s)
		if cause == "" {
			continue
		}
		i.fresh = append(i.fresh[:n], i.fresh[n+1:]...)
		if s.Work == LookStep || s.Work == ActStep {
			i.ResponseStepWithdrawn(s.Number, now)
		}
		i.drop(s.Number)
		if s.ID != "" {
			i.record(now, timeline.Withdrawn, timeline.Muster(), append(s.facts(), timeline.F("cause", cause))...)
		}
	}
}

// withdrawn says why a send was withdrawn or has to be by now, empty while it matters. An outcome may come in the moment
// after an acknowledgement, before Advance has marked anything: nothing may follow from it either.
func (i *Incident) withdrawn(s *Send) string {
	if s.Withdrawn != "" {
		return s.Withdrawn
	}
	return i.pointless(s)
}

// pointless says why a send no longer matters, empty while it does.
func (i *Incident) pointless(s *Send) string {
	kind := s.Work
	if kind == Tell {
		kind = s.For
	}
	switch kind {
	case Summon, PagePerson, PageStep:
		if s.Summons || s.Work == Summon {
			return i.pointlessSummons(s)
		}
		if i.Escalation.Answered || s.To != nil && i.Escalation.AckedBy(s.To.ID) {
			return "acknowledged"
		}
		if !i.Status.Open() {
			return string(i.Status)
		}
	case Remind:
		switch s.About {
		case AboutRole, AboutTakeover, AboutClosed, AboutVendorCase, AboutMergeRefused, AboutStatusPage, AboutUnsent:
		case AboutResponseOff:
		case AboutResponse:
			if i.Response.State != ResponseWaiting {
				return "decided"
			}
		case AboutApproval:
			if i.Proposed == nil || i.Proposed.SHA256 != s.Content {
				return "decided"
			}
		case AboutResolved, AboutTicketReopened:
			if i.Status.Open() {
				return "reopened"
			}
		case AboutResultWanted:
			return i.pointlessResult(s)
		default:
			if s.Target == supportplan.ResultReport {
				return i.pointlessResult(s)
			}
			if !i.Status.Open() {
				return string(i.Status)
			}
		}
	case UpdateCustomer:
		if !i.Status.Open() {
			return string(i.Status)
		}
	case ClearCustomer:
		if i.Status.Open() {
			return "reopened"
		}
	case PostStatus:
		if s.Revision < i.Posted.Revision {
			return "superseded"
		}
	case FollowPage:
		return i.outdated(s)
	case LookStep, ActStep:
		if i.Response.Over() {
			return string(i.Response.State)
		}
	case WriteResult, SendResult:
		return i.pointlessResult(s)
	case CallVendor:
		if !i.Status.Open() {
			return string(i.Status)
		}
	case Appoint:
		if !i.Status.Open() {
			return string(i.Status)
		}
	default: // clocks, ticket, report and review are never pointless
	}
	return ""
}

// begin puts a send into the outbox.
func (i *Incident) begin(s Send, now time.Time) {
	i.Sends++
	s.Number, s.Begun = i.Sends, now
	i.say(&s)
	i.Outbox = append(i.Outbox, s)
	i.fresh = append(i.fresh, s)
}

// beginDelivery puts one message to one recipient into the outbox and records it, under its idempotency key.
func (i *Incident) beginDelivery(s Send, now time.Time) {
	method := s.To.Methods[s.Method]
	s.ID = delivery.ID(string(i.ID) + "/" + strconv.Itoa(i.Sends+1) + "/" + s.To.ID + "/" + method)
	i.record(now, timeline.Sending, timeline.Muster(), s.facts()...)
	i.supersede(s)
	i.begin(s, now)
}

// supersede takes back an older page or customer update that has not reached the same recipient by the same method yet: a
// receiver that comes back after an outage must not be flooded with old news.
func (i *Incident) supersede(s Send) {
	for n := range i.Outbox {
		o := &i.Outbox[n]
		if o.To == nil || o.Withdrawn != "" || o.To.ID != s.To.ID || o.To.Methods[o.Method] != s.To.Methods[s.Method] {
			continue
		}
		if o.Work == PagePerson && s.Work == PagePerson || o.For == UpdateCustomer && s.For == UpdateCustomer {
			o.Withdrawn = "superseded"
		}
	}
	// Whoever is paged anew is paged by every method anew.
	i.Later = slices.DeleteFunc(i.Later, func(o Send) bool {
		return s.Work == PagePerson && o.To.ID == s.To.ID && (o.Rung != s.Rung || o.Climb != s.Climb)
	})
}

func (s *Send) facts() []timeline.Fact {
	return []timeline.Fact{
		timeline.F("what", string(s.Message.Kind)), timeline.F("delivery", string(s.ID)),
		timeline.F("to", s.To.Name), timeline.F("method", s.To.Methods[s.Method]),
	}
}

func (i *Incident) has(w Work) bool {
	for n := range i.Outbox {
		if i.Outbox[n].Work == w {
			return true
		}
	}
	return false
}

// Find returns the send with a number that still waits for its outcome.
func (i *Incident) Find(number int) *Send {
	for n := range i.Outbox {
		if i.Outbox[n].Number == number {
			return &i.Outbox[n]
		}
	}
	return nil
}

func (i *Incident) drop(number int) {
	for n := range i.Outbox {
		if i.Outbox[n].Number == number {
			i.Outbox = append(i.Outbox[:n], i.Outbox[n+1:]...)
			return
		}
	}
}
