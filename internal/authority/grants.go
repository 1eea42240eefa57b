package authority

import "slices"

// A Role is what somebody is for the party that they belong to.
type Role string

// The roles. These strings are in organisation folders and tokens: add, never rename.
const (
	Administrator Role = "administrator"
	Responder     Role = "responder"
	Auditor       Role = "auditor"
	Member        Role = "member"
)

// Roles lists the roles.
func Roles() []Role { return []Role{Administrator, Responder, Auditor, Member} }

// A PartyKind is what a party is to the organisation.
type PartyKind string

// The kinds of parties. These strings are in organisation folders: add, never rename.
const (
	Provider PartyKind = "provider" // the organisation itself, whose Muster it is
	Customer PartyKind = "customer"
	Partner  PartyKind = "partner"
	Vendor   PartyKind = "vendor"
)

// PartyKinds lists the kinds of parties.
func PartyKinds() []PartyKind { return []PartyKind{Provider, Customer, Partner, Vendor} }

// A Kind is what somebody acts on.
type Kind string

// The kinds of things, each with the verbs that there are for it.
const (
	Incident  Kind = "incident"           // read, read-internal, read-history and the commands
	Review    Kind = "review"             // the same, and open, work, approve, publish
	Token     Kind = "token"              // manage-tokens, manage-own-tokens
	Attempts  Kind = "attempts"           // what was refused at the door: read-attempts
	Keys      Kind = "keys"               // with which the installation signs: manage-keys
	Handover  Kind = "handover"           // of a schedule: read, note, hand-over, confirm
	Request   Kind = "request"            // of a customer: read, note, record, work, approve, answer, confirm, withdraw
	Action    Kind = "action-item"        // read, note, open, assign, work, decide, withdraw
	Risk      Kind = "escalation"         // read, note, open, acknowledge, answer, escalate, confirm, assign
	PlanRun   Kind = "plan-run"           // of a plan: read, read-history, start-plan, work, decide
	Heartbeat Kind = "heartbeat"          // of a job: read
	Routine   Kind = "routine"            // work that comes back: read, work
	Response  Kind = "automatic-response" // read, work: switch it off; decide: switch it on
	Silence   Kind = "silence"            // of alerts: read, open, close
	Problem   Kind = "problem"            // behind incidents: read, note, open, assign, link, set-known-error, set-cause, fix, close
	Change    Kind = "change"             // read, note, open, work, decide, withdraw
	Asset     Kind = "asset"              // of a customer: read; open: what its vendor has said
	Contact   Kind = "contact"            // how somebody is reached: read, read-own, test-contacts
)

// Kinds lists the kinds of things.
func Kinds() []Kind {
	return []Kind{Incident, Review, Token, Attempts, Keys, Handover, Request, Action, Risk, PlanRun, Silence, Problem, Change, Contact, Heartbeat, Routine, Response, Asset}
}

// A Verb is what somebody does.
type Verb string

// The verbs beside the commands. These strings are in the scopes of tokens: add, never rename.
const (
	Read            Verb = "read"          // what concerns the reader's own party
	ReadInternal    Verb = "read-internal" // everything: the whole state, the names of other parties
	ReadHistory     Verb = "read-history"  // the engine's own record
	ReadAttempts    Verb = "read-attempts"
	ManageTokens    Verb = "manage-tokens"     // everybody's
	ManageOwnTokens Verb = "manage-own-tokens" // those that speak for whoever manages them
	ManageKeys      Verb = "manage-keys"
	Open            Verb = "open"      // an incident that people report, for what it will be about; an action item
	HandOver        Verb = "hand-over" // a schedule to somebody else, or keep it after all
	Confirm         Verb = "confirm"   // that a schedule was handed over, a risk is in hand, an answer is enough
	Record          Verb = "record"    // what a customer asks for
	Approve         Verb = "approve"   // what the support plan does not cover, or decline it; of a review: a text, or reject it
	Withdraw        Verb = "withdraw"
	MakeForm        Verb = "make-form" // by which somebody reports incidents without signing in
	StartPlan       Verb = "start-plan"
	Work            Verb = "work"   // in a run of a plan, as far as its roles allow it; on an action item or a request; in a review
	Decide          Verb = "decide" // vote, name a substitute, grant a waiver, confirm an override; verify an action item
	Link            Verb = "link"   // an incident to the problem behind it, or take it out
	SetKnownError   Verb = "set-known-error"
	Fix             Verb = "fix"           // a problem for good, or plan it
	ReadOwn         Verb = "read-own"      // how the reader is reached
	TestContacts    Verb = "test-contacts" // whether test pages arrive
	Publish         Verb = "publish"       // a text of a review, which others have approved
)

// The verbs that are commands of an incident. These strings are in the scopes of tokens: add, never rename.
const (
	Acknowledge Verb = "acknowledge"
	Assign      Verb = "assign"
	Note        Verb = "note"
	Escalate    Verb = "escalate"
	SetPriority Verb = "set-priority"
	PauseClock  Verb = "pause-clock"
	ResumeClock Verb = "resume-clock"
	Mitigate    Verb = "mitigate"
	Resolve     Verb = "resolve"
	Reopen      Verb = "reopen"
	Close       Verb = "close"
	SendUpdate  Verb = "send-update"
	Repin       Verb = "repin"

	AddResponder Verb = "add-responder"
	SetCause     Verb = "set-cause"
	RecordCase   Verb = "record-case"
	SetTime      Verb = "set-time"
	SendReport   Verb = "send-report"
	Answer       Verb = "answer" // whether what was resolved is fixed; of a request: what the customer is told
	StartRunbook Verb = "start-runbook"
	EndRunbook   Verb = "end-runbook"
	Merge        Verb = "merge"
	Split        Verb = "split"
	Relate       Verb = "relate"

	ApproveResponse Verb = "approve-response" // of Muster itself
	StopResponse    Verb = "stop-response"
)

// Commands lists the verbs that are commands of an incident.
func Commands() []Verb {
	return []Verb{
		Acknowledge, Assign, Note, Escalate, SetPriority, PauseClock, ResumeClock, Mitigate, Resolve, Reopen, Close, SendUpdate, Repin,
		AddResponder, SetCause, RecordCase, SetTime, SendReport, Answer, StartRunbook, EndRunbook, Merge, Split, Relate, ApproveResponse, StopResponse,
	}
}

// Verbs lists every verb.
func Verbs() []Verb {
	return append([]Verb{
		Read, ReadInternal, ReadHistory, ReadAttempts, ManageTokens, ManageOwnTokens, ManageKeys, Open, HandOver, Confirm,
		Record, Approve, Withdraw, MakeForm, StartPlan, Work, Decide, Link, SetKnownError, Fix, Publish, ReadOwn, TestContacts,
	}, Commands()...)
}

// personal tells what only a person may do: whoever acknowledges or mitigates takes the incident and is called for it, a
// schedule goes from one person to another, a person decides what no plan covers and on what a plan does, and answers for it, no
// machine publishes what a review has found, and a machine that made tokens for itself could never be shut out. Nor does a machine see a
// risk: whoever escalates one says in the end that it is in hand. Where a second person has to agree, the first one is a person too:
// nobody writes by a machine what they then approve themselves. No machine lets another one act. And whoever holds alerts back is told afterwards what they were.
func personal(v Verb, k Kind) bool {
	all := []Verb{Acknowledge, Mitigate, ManageOwnTokens, ReadOwn, HandOver, Confirm, Approve, ApproveResponse, Answer, Decide, Publish}
	return slices.Contains(all, v) || k == Risk && (v == Open || v == Assign) || k == Silence && v == Open || k == Action && v == Work || k == Review && (v == Work || v == Close)
}

// A grant gives some roles of a kind of party some verbs on kinds of things: the provider on all of them, others on those
// that concern them. A hand-over, an escalation and a problem are the provider's alone: they show incidents of every customer.
type grant struct {
	party PartyKind
	roles []Role
	kinds []Kind
	verbs []Verb
}

// grants is the whole of who may do what. A customer, partner or vendor has neither administrators nor auditors of this
// Muster: there, such a role gives what a member has. In a run of a plan anybody may work and decide whom the plan gives a part in
// it: which one that is, the run looks up by itself.
func grants() []grant {
	anybody, work := Roles(), []Kind{Incident, Review}
	commands := Commands()
	partner := slices.DeleteFunc(Commands(), func(v Verb) bool {
		return slices.Contains([]Verb{SetPriority, Close, SendUpdate, Repin, SetTime, SendReport, Answer, Merge, Split, ApproveResponse, StopResponse}, v)
	})
	return []grant{
		{Provider, []Role{Administrator, Responder}, work, append(commands, Read, ReadInternal, ReadHistory)},
		{Provider, []Role{Auditor}, work, []Verb{Read, ReadInternal, ReadHistory}},
		{Provider, []Role{Member}, work, []Verb{Read, ReadInternal, Note}},
		{Provider, []Role{Administrator, Responder, Member}, []Kind{Review}, []Verb{Open, Work, Approve, Publish}},
		{Provider, []Role{Administrator, Responder, Member}, []Kind{Incident}, []Verb{Open, StopResponse}}, // the front line is a member
		{Provider, []Role{Administrator}, []Kind{Incident}, []Verb{MakeForm}},
		{Provider, []Role{Administrator, Auditor}, []Kind{Attempts}, []Verb{ReadAttempts}},
		{Provider, []Role{Administrator}, []Kind{Token}, []Verb{ManageTokens}},
		{Provider, []Role{Administrator}, []Kind{Keys}, []Verb{ManageKeys}},
		{Provider, []Role{Administrator, Responder}, []Kind{Handover}, []Verb{Read, Note, HandOver, Confirm}},
		{Provider, []Role{Auditor}, []Kind{Handover}, []Verb{Read}},
		{Provider, []Role{Member}, []Kind{Handover}, []Verb{Read, Note}},
		{Provider, []Role{Administrator, Responder}, []Kind{Request}, []Verb{Read, Note, Record, Work, Approve, Answer, Confirm, Withdraw}},
		{Provider, []Role{Auditor}, []Kind{Request}, []Verb{Read}},
		{Provider, []Role{Member}, []Kind{Request}, []Verb{Read, Record, Work}},
		{Provider, []Role{Administrator, Responder}, []Kind{Action}, []Verb{Read, Note, Open, Assign, Work, Decide, Withdraw}},
		{Provider, []Role{Auditor}, []Kind{Action}, []Verb{Read}},
		{Provider, []Role{Member}, []Kind{Action}, []Verb{Read, Note, Work, Decide}},                        // who leads the owner withdraws it
		{Provider, anybody, []Kind{Risk}, []Verb{Read, Note, Open, Acknowledge, Answer, Escalate, Confirm}}, // whoever sees one; who may close it, it knows
		{Provider, []Role{Administrator}, []Kind{Risk}, []Verb{Assign}},
		{Provider, []Role{Administrator, Responder}, []Kind{PlanRun}, []Verb{StartPlan, ReadHistory}},
		{Provider, []Role{Auditor}, []Kind{PlanRun}, []Verb{ReadHistory}},
		{Provider, anybody, []Kind{PlanRun}, []Verb{Read, Work, Decide}},
		{Provider, []Role{Administrator, Responder}, []Kind{Silence}, []Verb{Read, Open, Close}},
		{Provider, []Role{Auditor, Member}, []Kind{Silence}, []Verb{Read}},
		{Provider, []Role{Administrator, Responder}, []Kind{Problem}, []Verb{Read, Note, Open, Assign, Link, SetKnownError, SetCause, Fix, Close}},
		{Provider, []Role{Auditor}, []Kind{Problem}, []Verb{Read}},
		{Provider, []Role{Member}, []Kind{Problem}, []Verb{Read, Note}},
		{Provider, []Role{Administrator, Responder, Member}, []Kind{Change}, []Verb{Read, Note, Open, Work, Decide, Withdraw}}, // who may do what, the change knows
		{Provider, []Role{Auditor}, []Kind{Change}, []Verb{Read}},
		{Provider, []Role{Administrator, Responder}, []Kind{Contact}, []Verb{Read, TestContacts}},
		{Provider, []Role{Auditor}, []Kind{Contact}, []Verb{Read}},
		{Provider, anybody, []Kind{Contact}, []Verb{ReadOwn}},
		{Provider, anybody, []Kind{Heartbeat, Routine, Response, Asset}, []Verb{Read}},
		{Provider, []Role{Administrator, Responder}, []Kind{Asset}, []Verb{Open}},
		{Provider, []Role{Administrator, Responder}, []Kind{Routine}, []Verb{Work}},
		{Provider, []Role{Administrator, Responder, Member}, []Kind{Response}, []Verb{Work}}, // whoever sees it go wrong
		{Provider, []Role{Administrator, Responder}, []Kind{Response}, []Verb{Decide}},
		{Provider, anybody, []Kind{Token}, []Verb{ManageOwnTokens}},

		{Customer, anybody, work, []Verb{Read}},
		{Customer, anybody, []Kind{Incident}, []Verb{Open, Answer}},
		{Customer, []Role{Responder}, work, []Verb{Note, Escalate}},
		{Customer, anybody, []Kind{Request}, []Verb{Read, Record, Confirm, Withdraw}},
		{Customer, anybody, []Kind{Action, Asset}, []Verb{Read}},
		{Customer, anybody, []Kind{Change}, []Verb{Read, Open, Withdraw}},
		{Customer, anybody, []Kind{PlanRun}, []Verb{Read, Work, Decide}},
		{Customer, anybody, []Kind{Token}, []Verb{ManageOwnTokens}},

		{Partner, anybody, []Kind{Incident, Asset}, []Verb{Read}},
		{Partner, []Role{Responder}, []Kind{Incident}, append(partner, ReadInternal, Open)},
		{Partner, []Role{Responder}, []Kind{Silence}, []Verb{Read, Open, Close}}, // of services of its own alone
		{Partner, anybody, []Kind{PlanRun}, []Verb{Read, Work, Decide}},
		{Partner, anybody, []Kind{Change}, []Verb{Read, Open, Withdraw}},
		{Partner, anybody, []Kind{Token}, []Verb{ManageOwnTokens}},

		{Vendor, anybody, []Kind{Incident, Asset}, []Verb{Read}},
		{Vendor, anybody, []Kind{PlanRun}, []Verb{Read, Work, Decide}},
		{Vendor, anybody, []Kind{Change}, []Verb{Read, Open, Withdraw}},
		{Vendor, anybody, []Kind{Token}, []Verb{ManageOwnTokens}},
	}
}

// table is what granted looks into, at every call that somebody makes.
var table = grants()

// granted tells whether the table has a grant.
func granted(p PartyKind, r Role, v Verb, k Kind) bool {
	return slices.ContainsFunc(table, func(g grant) bool {
		return g.party == p && slices.Contains(g.roles, r) && slices.Contains(g.kinds, k) && slices.Contains(g.verbs, v)
	})
}
