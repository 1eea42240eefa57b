package timeline

// Kind says what happened. Every kind has its sentence in every language in templates/timeline.
type Kind string

// The kinds of entries, with the facts that each carries. These strings are in histories: add, never rename.
const (
	IncidentOpened    Kind = "incident.opened"     // title service priority impact urgency customers definition revision previous
	PreviousFound     Kind = "incident.previous"   // previous: the last incident of the same alert group
	NearbyFound       Kind = "incident.nearby"     // incidents changes runs: that went on beside it
	AlertFired        Kind = "alert.fired"         // name fingerprint
	AlertsFired       Kind = "alerts.fired"        // count names: many in one commit
	AlertRepeated     Kind = "alert.repeated"      // nothing new in it
	AlertResolved     Kind = "alert.resolved"      // name fingerprint
	AlertsResolved    Kind = "alerts.resolved"     // count
	AlertsTimedOut    Kind = "alerts.timed-out"    // count names: they have not come again
	AlertsWereHeld    Kind = "alerts.were-held"    // silence name since: a silence has let them go
	AllAlertsResolved Kind = "alerts.all-resolved" // resolves_at: unless one fires again before
	QuietBroken       Kind = "alerts.quiet-broken" // an alert fired again within the quiet time

	StatusChanged   Kind = "status.changed"   // from to cause note
	PriorityChanged Kind = "priority.changed" // from to impact urgency reason cause
	Noted           Kind = "note"             // text
	RoleAssigned    Kind = "role.assigned"    // role person from note
	Escalated       Kind = "escalated"        // by a person: reason

	StepStarted     Kind = "escalation.step"         // step turn round targets variant hours
	StepEmpty       Kind = "escalation.step-empty"   // step turn targets detail: nobody to reach, so the next step follows at once
	StepFailed      Kind = "escalation.step-failed"  // step turn: nobody of it could be reached, so the next step follows at once
	LastResort      Kind = "escalation.last-resort"  // targets
	Acknowledged    Kind = "escalation.acknowledged" // expires count wanted
	AckExpired      Kind = "escalation.ack-expired"  // since: no sign of life, so paging starts again
	EscalationEnded Kind = "escalation.ended"        // cause

	Sending      Kind = "delivery.sending"     // what delivery to method
	Delivered    Kind = "delivery.delivered"   // what delivery to method attempts
	Refused      Kind = "delivery.refused"     // what delivery to method attempts detail
	Withdrawn    Kind = "delivery.withdrawn"   // what delivery to method cause
	Resent       Kind = "delivery.resent"      // what delivery to method: outcome unknown, possibly repeated
	NextMethod   Kind = "delivery.next"        // what to method cause: the next contact method is tried
	HeldBack     Kind = "delivery.held-back"   // what to cause: by what was promised to whoever it is for
	Unreachable  Kind = "delivery.unreachable" // what to: every contact method has refused
	Undetermined Kind = "delivery.nobody"      // what detail: recipients or text could not be determined

	ClockStarted Kind = "clock.started" // customer target due within days calendar begins
	ClockAtRisk  Kind = "clock.at-risk" // customer target due
	ClockMet     Kind = "clock.met"     // customer target due
	ClockMissed  Kind = "clock.missed"  // customer target due
	ClockPaused  Kind = "clock.paused"  // customer target for reason
	ClockResumed Kind = "clock.resumed" // customer target due paused_for
	ClockMoved   Kind = "clock.moved"   // customer target due within days calendar begins cause
	ClockStopped Kind = "clock.stopped" // customer target cause
	ClockUnknown Kind = "clock.unknown" // customer target detail: no due instant can be computed

	UpdateDue    Kind = "update.due"       // customer due: the engine writes and sends it
	UpdateSent   Kind = "update.sent"      // customer by text status expected workaround
	AllClearSent Kind = "all-clear.sent"   // customer text
	ClearWaived  Kind = "all-clear.waived" // customer reason: it is closed without one

	UpdateProposed   Kind = "update.proposed"   // sha256 customer status text workaround due: it waits for an approval
	UpdateApproved   Kind = "update.approved"   // sha256 author
	UpdateRejected   Kind = "update.rejected"   // sha256 author reason
	UpdateOvertaken  Kind = "update.overtaken"  // sha256 author cause: it makes no sense any more
	UpdateUnapproved Kind = "update.unapproved" // sha256 targets: nobody has decided in time
	UpdateRefused    Kind = "update.refused"    // why detail: somebody may not approve; old runs have the detail, new ones the why

	PagePosted Kind = "status-page.posted" // page status revision ref: the status page says so
	PageFailed Kind = "status-page.failed" // page status detail: it does not

	NoticeReceived Kind = "notice.received"  // receipt channel customer received noticed_by text: people have reported the incident
	ReceiptSent    Kind = "notice.confirmed" // customer: it was told that its notice was received
	CauseSet       Kind = "cause.set"        // domain vendor text
	TimeSet        Kind = "time.set"         // point at before reason
	FixAnswered    Kind = "fix.answered"     // customer answer note: whether what was resolved is fixed
	FixUnanswered  Kind = "fix.unanswered"   // customer: it has not answered in time
	FixWaived      Kind = "fix.waived"       // customer reason: it is closed before the customer has answered
	ClosingTold    Kind = "fix.closing-told" // customer: it was told that the incident is closed
	ResultWritten  Kind = "result.written"   // customer revision paths sha256
	ResultFailed   Kind = "result.failed"    // customer detail
	ResultSent     Kind = "result.sent"      // customer revision text: the incident result report has reached its contact
	ResultWaived   Kind = "result.waived"    // customer reason: it is closed without one

	CaseOpened   Kind = "case.opened"   // vendor plan open_case
	CaseFiled    Kind = "case.filed"    // vendor reference
	CaseAnswered Kind = "case.answered" // vendor reference text
	CaseLate     Kind = "case.late"     // vendor due escalate

	Summoned       Kind = "summons.asked"   // person team agreement due note: somebody was asked to help
	SummonsMissed  Kind = "summons.missed"  // person team agreement
	RoleAccepted   Kind = "role.accepted"   // role
	RoleUnanswered Kind = "role.unanswered" // role person: no sign of life
	RoleVacant     Kind = "role.vacant"     // role detail: nobody can be found for it

	RunbookStarted Kind = "runbook.started" // runbook
	RunbookEnded   Kind = "runbook.ended"   // runbook outcome note

	MergeAsked     Kind = "merge.asked"      // into title reason
	MergeTaken     Kind = "merge.taken"      // from title customers by reason: another incident is a part of this one now
	MergeRefused   Kind = "merge.refused"    // into detail
	MergeTakenBack Kind = "merge.taken-back" // from customers by reason: it goes on by itself
	Related        Kind = "related"          // to relation title note

	TicketOpened  Kind = "ticket.opened"  // ticket url
	TicketUpdated Kind = "ticket.updated" // ticket status
	TicketFailed  Kind = "ticket.failed"  // detail

	TicketCommented Kind = "ticket.commented" // ticket by text: in its own system, as the two after it
	TicketResolved  Kind = "ticket.resolved"  // ticket by text refused: why it does not resolve the incident, where it should
	TicketReopened  Kind = "ticket.reopened"  // ticket by text refused

	ReportWritten Kind = "report.written" // paths sha256: both in the same order
	ReportFailed  Kind = "report.failed"  // detail
	ReviewOpened  Kind = "review.opened"  // review due
	ReviewFailed  Kind = "review.failed"  // detail
	ReviewOverdue Kind = "review.overdue" // its due instant has passed
	ReviewClosed  Kind = "review.closed"  // note without

	ReviewExtended  Kind = "review.extended"       // due: its incident was resolved once more
	ReviewDated     Kind = "review.dated"          // stage due
	ReviewUndated   Kind = "review.undated"        // stage detail: nobody can say when it is due
	ReviewLate      Kind = "review.late"           // stage due
	ReviewEscalated Kind = "review.escalated"      // stage due: its owner's lead is told
	ReviewWritten   Kind = "review.written"        // section text
	FactorAdded     Kind = "review.factor-added"   // number kind text
	FactorRemoved   Kind = "review.factor-removed" // number text
	PatternSet      Kind = "review.pattern"        // symptom cause remedy
	EngineerInvited Kind = "review.invited"        // vendor person note
	DraftSubmitted  Kind = "review.submitted"      // sha256
	MeetingHeld     Kind = "review.meeting"        // at who minutes
	ReviewCompleted Kind = "review.completed"      // : its incident is closed, and it has the facts of the end
	ChangeFound     Kind = "review.change-found"   // run title environment task at: a change before the incident began
	TextDrafted     Kind = "review.text-drafted"   // customer language: by the engine, facts and headings alone
	TextWritten     Kind = "review.text-written"   // customer sha256
	TextApproved    Kind = "review.text-approved"  // customer sha256: without a customer, the internal text
	TextRejected    Kind = "review.text-rejected"  // customer reason sha256
	TextPublished   Kind = "review.text-published" // customer sha256
	ApprovalsVoid   Kind = "review.approvals-void" // customer cause
	ActionAdded     Kind = "review.action"         // action title
	ReviewRefused   Kind = "review.refused"        // action audience detail: what another person has to do, or what has changed

	HandoverOpened    Kind = "handover.opened"    // schedule to count due note
	HandoverEscalated Kind = "handover.escalated" // round targets
	HandoverConfirmed Kind = "handover.confirmed" // from instead_of note
	HandoverPassed    Kind = "handover.passed"    // count detail: roles that have gone over, and those that have not
	HandoverUnknown   Kind = "handover.unknown"   // since: nobody has said whether the roles have gone over
	HandoverDeclined  Kind = "handover.declined"  // from reason
	HandoverLapsed    Kind = "handover.lapsed"    // from: nobody has confirmed it

	RequestReceived   Kind = "request.received"    // request customer kind feature channel number received text
	RequestJudged     Kind = "request.judged"      // outcome: what the support plan says of it
	RequestUncounted  Kind = "request.uncounted"   // detail: nobody can say how often it has been used, or it could not be counted
	RequestCounted    Kind = "request.counted"     // its use is counted
	RequestReturned   Kind = "request.returned"    // its use is given back
	RequestAccepted   Kind = "request.accepted"    // by the plan
	RequestWaiting    Kind = "request.waiting"     // for the decision of a person
	RequestApproved   Kind = "request.approved"    // reason
	RequestDeclined   Kind = "request.declined"    // reason offer
	RequestAnswered   Kind = "request.answered"    // text
	RequestWithdrawn  Kind = "request.withdrawn"   // reason
	RequestClosed     Kind = "request.closed"      // since: when it was answered
	RequestNotified   Kind = "request.notified"    // request customer kind begun number text: the customer is told of an issue
	RequestTaken      Kind = "request.taken"       // from note
	RequestHandedOver Kind = "request.handed-over" // to from note
	RequestMet        Kind = "request.met"         // number at purpose who
	RequestCollected  Kind = "request.collected"   // need text
	RequestCase       Kind = "request.case"        // vendor ref chase
	RequestChase      Kind = "request.chase"       // vendor ref: the vendor is to be asked again
	RequestComplete   Kind = "request.complete"    // note: the answer is enough
	RequestIncomplete Kind = "request.incomplete"  // reason: it is not
	RequestRated      Kind = "request.rated"       // score text
	RequestPromoted   Kind = "request.promoted"    // incident received
	DecisionRefused   Kind = "decision.refused"    // action: whoever has recorded something does not decide on it

	ItemOpened    Kind = "item.opened"    // item title kind owner group due origin ticket text: an action item
	ItemOverdue   Kind = "item.overdue"   // due
	ItemOwnerless Kind = "item.ownerless" // owner group: the owner could not be found, so whoever stands behind is told
	ItemAssigned  Kind = "item.assigned"  // owner from group reason
	ItemExtended  Kind = "item.extended"  // due before count reason
	ItemDone      Kind = "item.done"      // evidence sha256 note
	ItemVerified  Kind = "item.verified"  // until note
	ItemRefuted   Kind = "item.refuted"   // reason due: it is not done, as somebody has said
	ItemChecked   Kind = "item.checked"   // since: it is asked whether it has helped
	ItemReopened  Kind = "item.reopened"  // reason due: it has not helped
	ItemClosed    Kind = "item.closed"    // note: it has helped
	ItemCancelled Kind = "item.cancelled" // reason
	ItemRefused   Kind = "item.refused"   // action reason: what another person has to do

	RiskOpened    Kind = "risk.opened"    // escalation service situation importance affected scale urgency remedy: somebody escalates a risk
	RiskLevel     Kind = "risk.level"     // level of targets why until words: who has to take it now
	RiskTaken     Kind = "risk.taken"     // until note
	RiskAnswered  Kind = "risk.answered"  // text: what is done
	RiskUnheard   Kind = "risk.unheard"   // targets why: the last level does not answer
	RiskOrphaned  Kind = "risk.orphaned"  // originator targets: the originator could not be found
	RiskSucceeded Kind = "risk.succeeded" // originator from reason
	RiskSettled   Kind = "risk.settled"   // note: it is in hand
	RiskRefused   Kind = "risk.refused"   // action why

	RoomOpened   Kind = "room.opened"   // room url: those who respond have a room in a chat
	RoomArchived Kind = "room.archived" // room
	RoomFailed   Kind = "room.failed"   // room detail

	ResponseBegun    Kind = "response.begun"    // response runbook sha256: Muster begins to do something about it by itself
	ResponseRefused  Kind = "response.refused"  // response why detail: it may not run
	ResponseLooked   Kind = "response.looked"   // step text state output sha256 detail: something was found out
	ResponseWaits    Kind = "response.waits"    // response sha256 targets due: for an approval
	ResponseApproved Kind = "response.approved" // response sha256
	ResponseDenied   Kind = "response.denied"   // why detail: somebody may not approve it
	ResponseStepped  Kind = "response.stepped"  // step text state output sha256 detail: something was done
	ResponseEnded    Kind = "response.ended"    // response outcome why detail
	ResponseRan      Kind = "response.ran"      // incident outcome: of the response itself
	ResponseOff      Kind = "response.off"      // response failed reason
	ResponseOn       Kind = "response.on"       // reason

	RoutineBegun   Kind = "routine.begun"   // planned due run: work that comes back begins
	RoutineDone    Kind = "routine.done"    // planned run ended late
	RoutineMissed  Kind = "routine.missed"  // planned due run ended why detail
	RoutineUnseen  Kind = "routine.unseen"  // count: more than are looked at at once were missed in an outage
	RoutineBlocked Kind = "routine.blocked" // planned detail: its run cannot be started, and it is tried again
	RoutineMoved   Kind = "routine.moved"   // planned begins due reason
	RoutineSkipped Kind = "routine.skipped" // planned reason: somebody has left it out
	RoutineRetired Kind = "routine.retired"

	RoutineCounted   Kind = "routine.counted"   // planned number bought year beyond: it was one of the customer's visits
	RoutineUncounted Kind = "routine.uncounted" // planned detail: it cannot be counted among the customer's visits, and it is tried again

	SilenceMade  Kind = "silence.made"  // silence window name match when from until reason: alerts are held back, by a person or the folder
	SilenceBegun Kind = "silence.begun" // until: one that was made before
	SilenceHeld  Kind = "silence.held"  // alert service summary: the first of its name
	SilenceEnded Kind = "silence.ended" // why reason
	SilenceLet   Kind = "silence.let"   // count firing incidents: what was held back, and what has become of it

	PlanStarted      Kind = "plan.started"        // run plan sha256 customer environment revision tasks change
	TaskAbsent       Kind = "task.absent"         // task when: its condition does not hold
	PlanMoved        Kind = "plan.status"         // from to reason
	TaskMoved        Kind = "task.status"         // task from to reason attempt
	TaskAssigned     Kind = "task.assigned"       // task person note
	TaskDue          Kind = "task.due"            // task due
	TaskDueUnknown   Kind = "task.due-unknown"    // task detail
	TaskOverdue      Kind = "task.overdue"        // task due
	TaskEscalated    Kind = "task.escalated"      // task to
	TaskRetried      Kind = "task.retried"        // task reason
	TaskSettled      Kind = "task.settled"        // task outcome reason
	EvidenceGiven    Kind = "evidence.given"      // task item ref sha256 note
	EvidenceChecked  Kind = "evidence.checked"    // task result note
	WaiverAsked      Kind = "waiver.asked"        // task reason control until
	WaiverGranted    Kind = "waiver.granted"      // task until note
	WaiverRefused    Kind = "waiver.refused"      // task note
	WaiverExpired    Kind = "waiver.expired"      // task: it has to be done after all
	VoteOpened       Kind = "vote.opened"         // task change sha256 voters
	VoteImpossible   Kind = "vote.impossible"     // task change: too few may vote
	VotersUnknown    Kind = "vote.voters-unknown" // task change detail
	VoteCast         Kind = "vote.cast"           // task change choice reason for sha256 late
	VoteVoided       Kind = "vote.voided"         // task change changed: what was voted on
	VoteDelegated    Kind = "vote.delegated"      // task to until
	VoteDecided      Kind = "vote.decided"        // task change outcome
	WindowLooked     Kind = "window.looked"       // environment state until why detail
	WindowOverrun    Kind = "window.overrun"      // task policy
	LockTaken        Kind = "lock.taken"          // environment
	LockRefused      Kind = "lock.refused"        // environment run detail: another run changes it
	LockFreed        Kind = "lock.freed"          // environment
	LockLost         Kind = "lock.lost"           // environment: it was taken from outside
	AlertsHolding    Kind = "alerts.holding"      // environment
	AlertHeld        Kind = "alert.held"          // task environment alert service summary
	AlertsLet        Kind = "alerts.let"          // environment since count firing full detail
	OverrideAsked    Kind = "override.asked"      // environment freeze reason until
	OverrideGiven    Kind = "override.given"      // environment reason until
	OverrideRefused  Kind = "override.refused"    // environment note
	OverrideEnded    Kind = "override.ended"      // environment
	StepBegun        Kind = "step.begun"          // task step rollback
	StepEnded        Kind = "step.ended"          // task step state detail sha256 rollback
	WaveBegun        Kind = "wave.begun"          // task wave waves
	WaveEnded        Kind = "wave.ended"          // task wave until
	TargetEnded      Kind = "wave.target"         // task target state wave reason
	Measured         Kind = "check.measured"      // task verdict seen
	DocumentWritten  Kind = "document.written"    // task report paths
	RollbackBegun    Kind = "rollback.begun"      // environment reason components
	RollbackMoved    Kind = "rollback.status"     // task component from to note
	RollbackLate     Kind = "rollback.late"       // task component due
	RollbackDecideBy Kind = "rollback.decide-by"  // task until
	RollbackEnded    Kind = "rollback.ended"      // environment since
	ChangeLeft       Kind = "rollback.left"       // task environment
	ChangeAsked      Kind = "replan.asked"        // reason sha256 changes
	ChangeDecided    Kind = "replan.decided"      // result outcome sha256
	ActionRefused    Kind = "action.refused"      // action task reason: what another person has to do, or what has changed

	ProblemFound      Kind = "problem.found"       // problem title text workaround: of an incident
	ProblemOpened     Kind = "problem.opened"      // problem service title same value owner count within
	ProblemLinked     Kind = "problem.linked"      // incident title started
	ProblemUnlinked   Kind = "problem.unlinked"    // incident reason
	ProblemKnown      Kind = "problem.known"       // version text workaround
	ProblemCaused     Kind = "problem.caused"      // text
	ProblemFixPlanned Kind = "problem.fix-planned" // text actions
	ProblemFixed      Kind = "problem.fixed"       // text actions until
	ProblemHeld       Kind = "problem.held"        // since: the fix has held, and the problem is closed
	ProblemReopened   Kind = "problem.reopened"    // incident since: the fix has not held
	ProblemAssigned   Kind = "problem.assigned"    // from to
	ProblemStale      Kind = "problem.stale"       // since round: nobody has moved it
	ProblemEscalated  Kind = "problem.escalated"   // targets
	ProblemClosed     Kind = "problem.closed"      // reason

	ChangeRequested   Kind = "change.requested"    // change way kind title class services customers from until plan text benefit undo incident
	ChangePreApproved Kind = "change.pre-approved" // standard by on until
	ChangeRefused     Kind = "change.refused"      // action standard detail: who may not do what
	ChangeAssessed    Kind = "change.assessed"     // class from note
	ChangeChecked     Kind = "change.checked"      // check holds evidence sha256 note
	ChangeStarted     Kind = "change.started"      // incident
	ChangeRuns        Kind = "change.runs"         // run: of its plan
	ChangeUnstarted   Kind = "change.unstarted"    // detail: its plan could not be started
	ChangeEnded       Kind = "change.ended"        // status run how note outage
	ChangeAnnounced   Kind = "change.announced"    // about customers targets: those whom it concerns are told
	ChangeMoved       Kind = "change.moved"        // from until before reason
	ChangeWithdrawn   Kind = "change.withdrawn"    // reason
	ChangeLapsed      Kind = "change.lapsed"       // since status: its time is over and it has not begun
	ChangeStale       Kind = "change.stale"        // since round status: nobody has moved it
	ChangeExcepted    Kind = "change.excepted"     // cause due: an emergency was not approved afterwards

	ContactTests   Kind = "contact.tests"   // to: test pages go out; to one person alone where to is said
	ContactTested  Kind = "contact.tested"  // to method result attempts detail
	ContactSkipped Kind = "contact.skipped" // to cause: no test page goes to somebody now
	ContactItem    Kind = "contact.item"    // to method item: an action item for a contact method that fails
	ContactMended  Kind = "contact.mended"  // to method item: it works again

	MessageRefused    Kind = "message.refused"     // message detail: it is not proven that this installation has sent it
	CancelRefused     Kind = "cancel.refused"      // Temporal's own cancel: an incident ends by being closed
	Repinned          Kind = "definition.repinned" // from definition revision changes reason: promises and procedures of a newer folder
	DefinitionChanged Kind = "definition.changed"  // what before after: one difference of a definition that was pinned anew

	Continued Kind = "run.continued" // run: the history goes on in a new run
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		IncidentOpened, PreviousFound, NearbyFound, AlertFired, AlertsFired, AlertRepeated, AlertResolved, AlertsResolved, AlertsTimedOut, AlertsWereHeld,
		AllAlertsResolved, QuietBroken, StatusChanged, PriorityChanged, Noted, RoleAssigned, Escalated, StepStarted,
		StepEmpty, StepFailed, LastResort, Acknowledged, AckExpired, EscalationEnded, Sending, Delivered, Refused,
		Withdrawn, Resent, NextMethod, HeldBack, Unreachable, Undetermined, ClockStarted, ClockAtRisk, ClockMet, ClockMissed, ClockPaused,
		ClockResumed, ClockMoved, ClockStopped, ClockUnknown, UpdateDue, UpdateSent, AllClearSent, ClearWaived, UpdateProposed, UpdateApproved, UpdateRejected, UpdateOvertaken,
		UpdateUnapproved, UpdateRefused, PagePosted, PageFailed, TicketOpened, TicketUpdated,
		TicketFailed, TicketCommented, TicketResolved, TicketReopened, ReportWritten, ReportFailed, ReviewOpened, ReviewFailed, ReviewOverdue, ReviewClosed,
		ReviewExtended, ReviewDated, ReviewUndated, ReviewLate, ReviewEscalated, ReviewWritten, FactorAdded, FactorRemoved, PatternSet,
		EngineerInvited, DraftSubmitted, MeetingHeld, ReviewCompleted, ChangeFound, TextDrafted, TextWritten, TextApproved, TextRejected, TextPublished, ApprovalsVoid,
		ActionAdded, ReviewRefused,
		NoticeReceived, ReceiptSent, CauseSet, TimeSet, FixAnswered, FixUnanswered, FixWaived, ClosingTold, ResultWritten, ResultFailed, ResultSent, ResultWaived,
		CaseOpened, CaseFiled, CaseAnswered, CaseLate, Summoned, SummonsMissed, RoleAccepted, RoleUnanswered, RoleVacant,
		RunbookStarted, RunbookEnded, MergeAsked, MergeTaken, MergeRefused, MergeTakenBack, Related,
		HandoverOpened, HandoverEscalated, HandoverConfirmed, HandoverPassed, HandoverUnknown, HandoverDeclined, HandoverLapsed,
		PlanStarted, TaskAbsent, PlanMoved, TaskMoved, TaskAssigned, TaskDue, TaskDueUnknown, TaskOverdue,
		TaskEscalated, TaskRetried, TaskSettled, EvidenceGiven, EvidenceChecked, WaiverAsked, WaiverGranted, WaiverRefused,
		WaiverExpired, VoteOpened, VoteImpossible, VotersUnknown, VoteCast, VoteVoided, VoteDelegated, VoteDecided,
		WindowLooked, WindowOverrun, LockTaken, LockRefused, LockFreed, LockLost, AlertsHolding, AlertHeld, AlertsLet, OverrideAsked, OverrideGiven, OverrideRefused, OverrideEnded, StepBegun, StepEnded,
		WaveBegun, WaveEnded, TargetEnded, Measured, DocumentWritten, RollbackBegun, RollbackMoved, RollbackLate,
		RollbackDecideBy, RollbackEnded, ChangeLeft, ChangeAsked, ChangeDecided, ActionRefused,
		RequestReceived, RequestJudged, RequestUncounted, RequestCounted, RequestReturned, RequestAccepted, RequestWaiting,
		RequestApproved, RequestDeclined, RequestAnswered, RequestWithdrawn, RequestClosed, RequestNotified, RequestTaken, RequestHandedOver,
		RequestMet, RequestCollected, RequestCase, RequestChase, RequestComplete, RequestIncomplete, RequestRated, RequestPromoted, DecisionRefused,
		ProblemFound, ProblemOpened, ProblemLinked, ProblemUnlinked, ProblemKnown, ProblemCaused, ProblemFixPlanned, ProblemFixed, ProblemHeld,
		ProblemReopened, ProblemAssigned, ProblemStale, ProblemEscalated, ProblemClosed,
		ChangeRequested, ChangePreApproved, ChangeRefused, ChangeAssessed, ChangeChecked, ChangeStarted, ChangeRuns, ChangeUnstarted, ChangeEnded, ChangeAnnounced, ChangeMoved,
		ChangeWithdrawn, ChangeLapsed, ChangeStale, ChangeExcepted,
		ItemOpened, ItemOverdue, ItemOwnerless, ItemAssigned, ItemExtended, ItemDone, ItemVerified, ItemRefuted, ItemChecked, ItemReopened,
		ItemClosed, ItemCancelled, ItemRefused,
		RiskOpened, RiskLevel, RiskTaken, RiskAnswered, RiskUnheard, RiskOrphaned, RiskSucceeded, RiskSettled, RiskRefused,
		ContactTests, ContactTested, ContactSkipped, ContactItem, ContactMended,
		RoomOpened, RoomArchived, RoomFailed,
		ResponseBegun, ResponseRefused, ResponseLooked, ResponseWaits, ResponseApproved, ResponseDenied, ResponseStepped, ResponseEnded, ResponseRan, ResponseOff, ResponseOn,
		RoutineBegun, RoutineDone, RoutineMissed, RoutineUnseen, RoutineBlocked, RoutineMoved, RoutineSkipped, RoutineRetired, RoutineCounted, RoutineUncounted,
		SilenceMade, SilenceBegun, SilenceHeld, SilenceEnded, SilenceLet,
		MessageRefused, CancelRefused, Repinned, DefinitionChanged, Continued,
	}
}
