package workflows

import (
	"muster/internal/incident"
	"muster/internal/priority"
)

// Task queues. Paging has its own, so that no ticket, report or customer update ever stands before a page; so have the steps
// of runbooks, which may take hours.
const (
	TaskQueue        = "muster"
	PagingTaskQueue  = "muster-paging"
	RunbookTaskQueue = "muster-runbooks"
	ArchiveTaskQueue = "muster-archive" // of the workers that write to the archive
)

// Workflow types. The strings of this file are on the wire and in history: add, never rename.
const (
	IncidentWorkflow             = "Incident"
	ReviewWorkflow               = "Review"
	HandoverWorkflow             = "Handover"
	CertificateRemindersWorkflow = "CertificateReminders"
	ArchiveWorkflow              = "Archive"
	RequestWorkflow              = "Request"
	ActionItemWorkflow           = "ActionItem"
	EscalationWorkflow           = "Escalation"
	UsageWorkflow                = "Usage"
	ProblemWorkflow              = "Problem"
	ContactsWorkflow             = "Contacts"
	HeartbeatWorkflow            = "Heartbeat"
	ChangeWorkflow               = "Change"
	AlertSilenceWorkflow         = "AlertSilence"
	RoutineWorkflow              = "Routine"
	AutomaticResponseWorkflow    = "AutomaticResponse"

	// The kinds of plans, each of which is run by PlanRun.
	UpgradeWorkflow     = "Upgrade"
	GoLiveWorkflow      = "GoLive"
	ReadinessWorkflow   = "Readiness"
	MaintenanceWorkflow = "Maintenance"

	// What such a run keeps of an environment.
	EnvironmentLockWorkflow = "EnvironmentLock"
	SilenceWorkflow         = "Silence"
)

// What people ask of an incident. Each takes the command of the same name, signed, and answers with a Receipt.
const (
	AcknowledgeUpdate = "Acknowledge"
	AssignUpdate      = "Assign"
	NoteUpdate        = "Note"
	EscalateUpdate    = "Escalate"
	SetPriorityUpdate = "SetPriority"
	PauseClockUpdate  = "PauseClock"
	ResumeClockUpdate = "ResumeClock"
	MitigateUpdate    = "Mitigate"
	ResolveUpdate     = "Resolve"
	ReopenUpdate      = "Reopen"
	CloseUpdate       = "Close"
	SendUpdateUpdate  = "SendUpdate"
	RepinUpdate       = "Repin"

	AddResponderUpdate = "AddResponder"
	SetCauseUpdate     = "SetCause"
	RecordCaseUpdate   = "RecordCase"
	SetTimeUpdate      = "SetTime"
	SendReportUpdate   = "SendReport"
	AnswerUpdate       = "Answer"
	StartRunbookUpdate = "StartRunbook"
	EndRunbookUpdate   = "EndRunbook"
	MergeUpdate        = "Merge"
	SplitUpdate        = "Split"
	RelateUpdate       = "Relate"

	ApproveUpdateUpdate = "ApproveUpdate"
	RejectUpdateUpdate  = "RejectUpdate"

	ApproveResponseUpdate = "ApproveResponse"
	StopResponseUpdate    = "StopResponse"
)

// What people ask of a hand-over, besides notes. Each takes the command of the same name, signed.
const (
	ConfirmUpdate = "Confirm"
	DeclineUpdate = "Decline"
	PassUpdate    = "Pass"
)

// What people ask of a customer's request, besides taking it, declining it, a vendor's case and notes. Each takes the command of the same name, signed.
const (
	ApproveUpdate  = "Approve"
	WithdrawUpdate = "Withdraw"
	HandOverUpdate = "HandOver"
	CollectUpdate  = "Collect"
	MeetUpdate     = "Meet"
	JudgeUpdate    = "Judge"
	PromoteUpdate  = "Promote"
)

// What people ask of a problem, besides its cause, its owner, its end and notes. Each takes the command of the same name, signed.
const (
	LinkIncidentUpdate   = "LinkIncident"
	UnlinkIncidentUpdate = "UnlinkIncident"
	SetKnownErrorUpdate  = "SetKnownError"
	SetFixUpdate         = "SetFix"
)

// What people ask of a change, besides voting on it, beginning, completing, failing and withdrawing it, and notes. Each takes the command of
// the same name, signed.
const (
	AssessUpdate      = "Assess"
	AnswerCheckUpdate = "AnswerCheck"
)

// OccurUpdate is what incidents ask of a problem: a problem.Occurrence, signed, which is answered with a problem.Found.
const OccurUpdate = "Occur"

// What people ask of an action item, besides completing it, assigning it, cancelling it and notes. Each takes the command of the same
// name, signed.
const (
	VerifyUpdate      = "Verify"
	CheckEffectUpdate = "CheckEffect"
	ExtendUpdate      = "Extend"
)

// What people ask of an escalation, besides answering it, confirming that it is in hand and notes. Each takes the command of the same name, signed.
const (
	TakeUpdate    = "Take"
	RaiseUpdate   = "Raise"
	SucceedUpdate = "Succeed"
)

// MoveUpdate is what people ask of a routine besides skipping one of its times, and of a change: a routine.Move or a change.Move, signed.
const MoveUpdate = "Move"

// EndUpdate is what people ask of a silence: a silence.End, signed; and what incidents tell the ledger of an automatic response, besides
// claiming a run of it: a response.End, signed, which is answered with a response.Ended.
const EndUpdate = "End"

// What people ask of an automatic response. Each takes the command of the same name, signed.
const (
	SwitchOffUpdate = "SwitchOff"
	SwitchOnUpdate  = "SwitchOn"
)

// What people ask of a review, besides approving, notes and closing it. Each takes the command of the same name, signed.
const (
	WriteUpdate        = "Write"
	AddFactorUpdate    = "AddFactor"
	RemoveFactorUpdate = "RemoveFactor"
	SetPatternUpdate   = "SetPattern"
	InviteUpdate       = "Invite"
	SubmitUpdate       = "Submit"
	HoldMeetingUpdate  = "HoldMeeting"
	WriteTextUpdate    = "WriteText"
	RejectUpdate       = "Reject"
	PublishUpdate      = "Publish"
	AddActionUpdate    = "AddAction"
)

// What people ask of a run of a plan, besides assigning its tasks and notes. Each takes the command of the same name, signed.
const (
	BeginUpdate           = "Begin"
	CompleteUpdate        = "Complete"
	FailUpdate            = "Fail"
	CheckEvidenceUpdate   = "CheckEvidence"
	AddEvidenceUpdate     = "AddEvidence"
	SkipUpdate            = "Skip"
	WaiveUpdate           = "Waive"
	RetryUpdate           = "Retry"
	SettleUpdate          = "Settle"
	DoStepUpdate          = "DoStep"
	VoteUpdate            = "Vote"
	DelegateUpdate        = "Delegate"
	HaltUpdate            = "Halt"
	ContinueUpdate        = "Continue"
	RollBackUpdate        = "RollBack"
	SettleUndoUpdate      = "SettleUndo"
	AskOverrideUpdate     = "AskOverride"
	ConfirmOverrideUpdate = "ConfirmOverride"
	RePlanUpdate          = "RePlan"
	CancelUpdate          = "Cancel"
)

// What requests ask of the ledger of their customer.
const (
	ClaimUpdate  = "Claim"  // a usage.Claim, signed; answers with usage.Counts
	ReturnUpdate = "Return" // a UsageReturn, signed
)

// What the ledger of how everybody was reached takes.
const (
	RecordTriesUpdate  = "RecordTries"  // Tries, signed by Muster itself
	TestContactsUpdate = "TestContacts" // a reach.Ask, signed
)

// What systems tell, and what can be looked at.
const (
	AlertsSignal           = "Alerts"           // an alert.Batch for an incident, signed
	MergeSignal            = "Merge"            // an incident.MergeMessage from another incident, signed
	TicketChangedSignal    = "TicketChanged"    // a ticket.Told for an incident from its ticket system, signed
	IncidentResolvedSignal = "IncidentResolved" // a ReviewInput for a review, signed: its incident was resolved once more
	HeldAlertsSignal       = "HeldAlerts"       // a HeldBatch for a silence, signed
	AlertHeldSignal        = "AlertHeld"        // an AlertHeld for a run of a plan from a silence, signed
	BeatSignal             = "Beat"             // a heartbeat.Beat for a heartbeat, signed
	DefinedSignal          = "Defined"          // a HeartbeatDefined for a heartbeat, signed
	RetiredSignal          = "Retired"          // an incident.Folder that has a heartbeat no more, signed
	RunEndedSignal         = "RunEnded"         // a change.RunEnded for a change from its run of a plan, signed
	StateQuery             = "State"            // the whole state: *incident.Incident, review.Review, *handover.Handover, …
)

// RefusedError is the type of the errors by which a workflow refuses what it was asked.
const RefusedError = "Refused"

// A Receipt is where the incident stands after a command.
type Receipt struct {
	ID       incident.ID       `json:"id"`
	Status   incident.Status   `json:"status"`
	Priority priority.Priority `json:"priority"`
	Seq      int               `json:"seq"`             // of the newest timeline entry
	Waits    string            `json:"waits,omitempty"` // SHA-256 of a text to those outside that waits for an approval
}
