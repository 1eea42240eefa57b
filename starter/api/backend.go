package api

import (
	"context"
	"io"
	"time"

	"muster/internal/action"
	"muster/internal/audit"
	"muster/internal/change"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/reach"
	"muster/internal/request"
	"muster/internal/response"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/starter"
)

// A Backend is where incidents, their reviews, requests, action items, escalations, silences and runs of plans live. Its errors are those of package starter; any other is one of ours.
type Backend interface {
	List(ctx context.Context, f Filter) (rows []Summary, next string, err error)
	State(ctx context.Context, id incident.ID) (*incident.Incident, error)
	// Timeline is State with the entries of every run.
	Timeline(ctx context.Context, id incident.ID) (*incident.Incident, error)
	// Alerts reads a part of the alerts, each with its newest text.
	Alerts(ctx context.Context, id incident.ID, f AlertFilter) (*starter.Alerts, error)
	// History writes the event histories of every run, in bytes that depend on nothing else.
	History(ctx context.Context, id incident.ID, w io.Writer) error
	// Open opens an incident that people report. The same request twice is one incident: then it is not fresh.
	Open(ctx context.Context, r starter.Request, def incident.Definition, n incident.Notice) (id incident.ID, fresh bool, err error)
	// Find returns where an incident lives.
	Find(ctx context.Context, id incident.ID) (starter.Ref, error)
	// Command asks something of an incident. The same request id twice is one decision.
	Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) (Receipt, error)

	Review(ctx context.Context, id incident.ID) (review.Review, error)
	// StartReview opens the review of an incident.
	StartReview(ctx context.Context, r starter.Request, i *incident.Incident, now time.Time) error
	// AskReview asks something of it. The same request id twice is one decision.
	AskReview(ctx context.Context, id incident.ID, r starter.Request, c review.Command) error

	// Reviews returns the incidents that have a review, or an open one, the newest first, and whether there are more.
	Reviews(ctx context.Context, open bool, limit int) (of []incident.ID, more bool, err error)

	// Handovers returns the schedules that are being handed over, and whether there are more.
	Handovers(ctx context.Context, limit int) (schedules []string, more bool, err error)
	// Handover returns the newest hand-over of a schedule.
	Handover(ctx context.Context, schedule string) (*handover.Handover, error)
	// StartHandover begins one. The same request id twice is one.
	StartHandover(ctx context.Context, r starter.Request, terms handover.Terms) (*handover.Handover, error)
	// AskHandover asks something of it. The same request id twice is one decision.
	AskHandover(ctx context.Context, schedule string, r starter.Request, c handover.Command) error

	Requests(ctx context.Context, f RequestFilter) (rows []RequestSummary, next string, err error)
	Request(ctx context.Context, id request.ID) (*request.Request, error)
	// StartRequest receives one, to which it gives an identity. The same request id twice is one.
	StartRequest(ctx context.Context, r starter.Request, terms request.Terms) (*request.Request, error)
	// AskRequest asks something of it. The same request id twice is one decision.
	AskRequest(ctx context.Context, id request.ID, r starter.Request, c request.Command) error

	Problems(ctx context.Context, f ProblemFilter) (rows []ProblemSummary, next string, err error)
	Problem(ctx context.Context, id problem.ID) (*problem.Problem, error)
	// OpenProblem opens one, to which it gives an identity. The same request id twice is one.
	OpenProblem(ctx context.Context, r starter.Request, terms problem.Terms) (*problem.Problem, error)
	// AskProblem asks something of it. The same request id twice is one decision.
	AskProblem(ctx context.Context, id problem.ID, r starter.Request, c problem.Command) error

	Changes(ctx context.Context, f ChangeFilter) (rows []ChangeSummary, next string, err error)
	Change(ctx context.Context, id change.ID) (*change.Change, error)
	// StartChange asks for one, to which it gives an identity. The same request id twice is one.
	StartChange(ctx context.Context, r starter.Request, terms change.Terms) (*change.Change, error)
	// AskChange asks something of it. The same request id twice is one decision.
	AskChange(ctx context.Context, id change.ID, r starter.Request, c change.Command) error
	// ChangeUses counts how often a standard change was used since an instant.
	ChangeUses(ctx context.Context, standard string, since time.Time) (int, error)

	Actions(ctx context.Context, f starter.ActionFilter) (rows []ActionSummary, next string, err error)
	Action(ctx context.Context, id action.ID) (*action.Action, error)
	// StartAction opens one, to which it gives an identity. The same request id twice is one.
	StartAction(ctx context.Context, r starter.Request, terms action.Terms) (*action.Action, error)
	// AskAction asks something of it. The same request id twice is one decision.
	AskAction(ctx context.Context, id action.ID, r starter.Request, c action.Command) error

	// Routines asks routines how they stand. One that nobody keeps is not found.
	Routines(ctx context.Context, ids []string) []starter.KeptRoutine
	Routine(ctx context.Context, id string) (*routine.Routine, error)
	// AskRoutine asks something of one. The same request id twice is one decision.
	AskRoutine(ctx context.Context, id string, r starter.Request, c routine.Command) error
	// Usages asks the ledgers of what customers have used. Who has used nothing has none, which is not found.
	Usages(ctx context.Context, customers []string) []starter.KeptUsage
	// Responses asks automatic responses how they stand. One that has never run is not found.
	Responses(ctx context.Context, ids []string) []starter.StandingResponse
	Response(ctx context.Context, id string) (*response.Ledger, error)
	// AskResponse switches one off or on. The same request id twice is one decision.
	AskResponse(ctx context.Context, id string, r starter.Request, c response.Command) error
	// Heartbeats asks heartbeats how they stand. One that nobody listens for is not found.
	Heartbeats(ctx context.Context, ids []string) []starter.HeardHeartbeat

	Escalations(ctx context.Context, f EscalationFilter) (rows []EscalationSummary, next string, err error)
	Escalation(ctx context.Context, id risk.ID) (*risk.Escalation, error)
	// StartEscalation escalates a risk, to which it gives an identity. The same request id twice is one.
	StartEscalation(ctx context.Context, r starter.Request, terms risk.Terms) (*risk.Escalation, error)
	// AskEscalation asks something of it. The same request id twice is one decision.
	AskEscalation(ctx context.Context, id risk.ID, r starter.Request, c risk.Command) error

	// Contacts returns how everybody was reached lately.
	Contacts(ctx context.Context) (*reach.Ledger, error)
	// TestContacts sends test pages. The same request id twice is one round.
	TestContacts(ctx context.Context, r starter.Request, a reach.Ask) error

	Silences(ctx context.Context, f SilenceFilter) (rows []SilenceSummary, next string, err error)
	Silence(ctx context.Context, id silence.ID) (*silence.Silence, error)
	// MakeSilence makes one, to which it gives an identity. The same request id twice is one.
	MakeSilence(ctx context.Context, r starter.Request, terms silence.Terms) (*silence.Silence, error)
	// EndSilence ends one before its time. The same request id twice is one decision.
	EndSilence(ctx context.Context, id silence.ID, r starter.Request, c silence.End) error

	PlanRuns(ctx context.Context, f PlanRunFilter) (rows []PlanRunSummary, next string, err error)
	PlanRun(ctx context.Context, id planrun.ID) (*planrun.Run, error)
	// PlanRunHistory writes the event history, in bytes that depend on nothing else.
	PlanRunHistory(ctx context.Context, id planrun.ID, w io.Writer) error
	// StartPlanRun starts one, to which it gives an identity. The same request id twice is one.
	StartPlanRun(ctx context.Context, r starter.Request, terms planrun.Terms) (*planrun.Run, error)
	// AskPlanRun asks something of it. The same request id twice is one decision.
	AskPlanRun(ctx context.Context, id planrun.ID, r starter.Request, c planrun.Command) error
}

// Over is the Backend that talks to workflows.
func Over(s *starter.Incidents) Backend {
	return engine{s}
}

type engine struct{ *starter.Incidents }

// History writes what audit replays.
func (e engine) History(ctx context.Context, id incident.ID, w io.Writer) error {
	runs, err := e.Incidents.History(ctx, id)
	if err != nil {
		return err
	}
	return audit.Encode(w, runs)
}

// Command sends an Update.
func (e engine) Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) (Receipt, error) {
	x, err := e.Incidents.Command(ctx, id, r, c)
	return Receipt{ID: x.ID, Status: x.Status, Priority: x.Priority, Seq: x.Seq, Waits: x.Waits}, err
}

// Routines asks the workflows.
func (e engine) Routines(ctx context.Context, ids []string) []starter.KeptRoutine {
	return e.Incidents.Routines().States(ctx, ids)
}

// Usages asks the workflows.
func (e engine) Usages(ctx context.Context, customers []string) []starter.KeptUsage {
	return e.Incidents.Usages().States(ctx, customers)
}

// Routine asks the workflow.
func (e engine) Routine(ctx context.Context, id string) (*routine.Routine, error) {
	return e.Incidents.Routines().State(ctx, id)
}

// Responses asks the workflows.
func (e engine) Responses(ctx context.Context, ids []string) []starter.StandingResponse {
	return e.Incidents.Responses().States(ctx, ids)
}

// Response asks the workflow.
func (e engine) Response(ctx context.Context, id string) (*response.Ledger, error) {
	return e.Incidents.Responses().State(ctx, id)
}

// AskResponse sends an Update; one that is switched off is stopped wherever it is running.
func (e engine) AskResponse(ctx context.Context, id string, r starter.Request, c response.Command) error {
	return e.Incidents.Responses().Ask(ctx, id, r, c)
}

// AskRoutine sends an Update.
func (e engine) AskRoutine(ctx context.Context, id string, r starter.Request, c routine.Command) error {
	return e.Incidents.Routines().Ask(ctx, id, r, c)
}

// Heartbeats asks the workflows.
func (e engine) Heartbeats(ctx context.Context, ids []string) []starter.HeardHeartbeat {
	return e.Incidents.Heartbeats().States(ctx, ids)
}

// reviews are made at each call: the client is there only once the node is connected.
func (e engine) reviews() *starter.Reviews {
	return &starter.Reviews{Temporal: e.Temporal, Namespace: e.Namespace, Keys: e.Keys}
}

// Review asks the workflow.
func (e engine) Review(ctx context.Context, id incident.ID) (review.Review, error) {
	return e.reviews().State(ctx, id)
}

// Reviews asks Temporal.
func (e engine) Reviews(ctx context.Context, open bool, limit int) ([]incident.ID, bool, error) {
	return e.reviews().List(ctx, open, limit)
}

// StartReview starts a workflow.
func (e engine) StartReview(ctx context.Context, r starter.Request, i *incident.Incident, now time.Time) error {
	return e.reviews().Start(ctx, r, i, now)
}

// AskReview sends an Update.
func (e engine) AskReview(ctx context.Context, id incident.ID, r starter.Request, c review.Command) error {
	return e.reviews().Ask(ctx, id, r, c)
}

func (e engine) handovers() *starter.Handovers {
	return &starter.Handovers{Temporal: e.Temporal, Namespace: e.Namespace, Keys: e.Keys}
}

// Handovers asks Temporal.
func (e engine) Handovers(ctx context.Context, limit int) ([]string, bool, error) {
	return e.handovers().UnderWay(ctx, limit)
}

// Handover asks the workflow.
func (e engine) Handover(ctx context.Context, schedule string) (*handover.Handover, error) {
	return e.handovers().State(ctx, schedule)
}

// StartHandover starts a workflow.
func (e engine) StartHandover(ctx context.Context, r starter.Request, terms handover.Terms) (*handover.Handover, error) {
	return e.handovers().Start(ctx, r, terms)
}

// AskHandover sends an Update.
func (e engine) AskHandover(ctx context.Context, schedule string, r starter.Request, c handover.Command) error {
	return e.handovers().Ask(ctx, schedule, r, c)
}

// Requests asks Temporal.
func (e engine) Requests(ctx context.Context, f RequestFilter) ([]RequestSummary, string, error) {
	return e.Incidents.Requests().List(ctx, f)
}

// Request asks the workflow.
func (e engine) Request(ctx context.Context, id request.ID) (*request.Request, error) {
	return e.Incidents.Requests().State(ctx, id)
}

// StartRequest starts a workflow.
func (e engine) StartRequest(ctx context.Context, r starter.Request, terms request.Terms) (*request.Request, error) {
	return e.Incidents.Requests().Start(ctx, r, terms)
}

// AskRequest sends an Update.
func (e engine) AskRequest(ctx context.Context, id request.ID, r starter.Request, c request.Command) error {
	return e.Incidents.Requests().Ask(ctx, id, r, c)
}

// Problems asks Temporal.
func (e engine) Problems(ctx context.Context, f ProblemFilter) ([]ProblemSummary, string, error) {
	return e.Incidents.Problems().List(ctx, f)
}

// Problem asks the workflow.
func (e engine) Problem(ctx context.Context, id problem.ID) (*problem.Problem, error) {
	return e.Incidents.Problems().State(ctx, id)
}

// OpenProblem starts a workflow.
func (e engine) OpenProblem(ctx context.Context, r starter.Request, terms problem.Terms) (*problem.Problem, error) {
	return e.Incidents.Problems().Open(ctx, r, terms)
}

// AskProblem sends an Update.
func (e engine) AskProblem(ctx context.Context, id problem.ID, r starter.Request, c problem.Command) error {
	return e.Incidents.Problems().Ask(ctx, id, r, c)
}

// Changes asks Temporal.
func (e engine) Changes(ctx context.Context, f ChangeFilter) ([]ChangeSummary, string, error) {
	return e.Incidents.Changes().List(ctx, f)
}

// Change asks the workflow.
func (e engine) Change(ctx context.Context, id change.ID) (*change.Change, error) {
	return e.Incidents.Changes().State(ctx, id)
}

// StartChange starts a workflow.
func (e engine) StartChange(ctx context.Context, r starter.Request, terms change.Terms) (*change.Change, error) {
	return e.Incidents.Changes().Start(ctx, r, terms)
}

// AskChange sends an Update.
func (e engine) AskChange(ctx context.Context, id change.ID, r starter.Request, c change.Command) error {
	return e.Incidents.Changes().Ask(ctx, id, r, c)
}

// ChangeUses asks Temporal and the workflows.
func (e engine) ChangeUses(ctx context.Context, standard string, since time.Time) (int, error) {
	return e.Incidents.Changes().Used(ctx, standard, since)
}

// PlanRuns asks Temporal.
func (e engine) PlanRuns(ctx context.Context, f PlanRunFilter) ([]PlanRunSummary, string, error) {
	return e.Incidents.PlanRuns().List(ctx, f)
}

// PlanRun asks the workflow.
func (e engine) PlanRun(ctx context.Context, id planrun.ID) (*planrun.Run, error) {
	return e.Incidents.PlanRuns().State(ctx, id)
}

// PlanRunHistory writes what audit replays.
func (e engine) PlanRunHistory(ctx context.Context, id planrun.ID, w io.Writer) error {
	runs, err := e.Incidents.PlanRuns().History(ctx, id)
	if err != nil {
		return err
	}
	return audit.Encode(w, runs)
}

// StartPlanRun starts a workflow.
func (e engine) StartPlanRun(ctx context.Context, r starter.Request, terms planrun.Terms) (*planrun.Run, error) {
	return e.Incidents.PlanRuns().Start(ctx, r, terms)
}

// AskPlanRun sends an Update.
func (e engine) AskPlanRun(ctx context.Context, id planrun.ID, r starter.Request, c planrun.Command) error {
	return e.Incidents.PlanRuns().Ask(ctx, id, r, c)
}

// Actions asks Temporal.
func (e engine) Actions(ctx context.Context, f starter.ActionFilter) ([]ActionSummary, string, error) {
	return e.Incidents.Actions().List(ctx, f)
}

// Action asks the workflow.
func (e engine) Action(ctx context.Context, id action.ID) (*action.Action, error) {
	return e.Incidents.Actions().State(ctx, id)
}

// StartAction starts a workflow.
func (e engine) StartAction(ctx context.Context, r starter.Request, terms action.Terms) (*action.Action, error) {
	return e.Incidents.Actions().Start(ctx, r, terms)
}

// AskAction sends an Update.
func (e engine) AskAction(ctx context.Context, id action.ID, r starter.Request, c action.Command) error {
	return e.Incidents.Actions().Ask(ctx, id, r, c)
}

// Escalations asks Temporal.
func (e engine) Escalations(ctx context.Context, f EscalationFilter) ([]EscalationSummary, string, error) {
	return e.Incidents.Escalations().List(ctx, f)
}

// Escalation asks the workflow.
func (e engine) Escalation(ctx context.Context, id risk.ID) (*risk.Escalation, error) {
	return e.Incidents.Escalations().State(ctx, id)
}

// StartEscalation starts a workflow.
func (e engine) StartEscalation(ctx context.Context, r starter.Request, terms risk.Terms) (*risk.Escalation, error) {
	return e.Incidents.Escalations().Start(ctx, r, terms)
}

// AskEscalation sends an Update.
func (e engine) AskEscalation(ctx context.Context, id risk.ID, r starter.Request, c risk.Command) error {
	return e.Incidents.Escalations().Ask(ctx, id, r, c)
}

// Contacts asks the workflow.
func (e engine) Contacts(ctx context.Context) (*reach.Ledger, error) {
	return e.Incidents.Contacts().State(ctx)
}

// TestContacts sends an Update.
func (e engine) TestContacts(ctx context.Context, r starter.Request, a reach.Ask) error {
	return e.Incidents.Contacts().Test(ctx, r, a)
}

// Silences asks Temporal.
func (e engine) Silences(ctx context.Context, f SilenceFilter) ([]SilenceSummary, string, error) {
	return e.Incidents.Silences().List(ctx, f)
}

// Silence asks the workflow.
func (e engine) Silence(ctx context.Context, id silence.ID) (*silence.Silence, error) {
	return e.Incidents.Silences().State(ctx, id)
}

// MakeSilence starts a workflow.
func (e engine) MakeSilence(ctx context.Context, r starter.Request, terms silence.Terms) (*silence.Silence, error) {
	return e.Incidents.Silences().Make(ctx, r, terms)
}

// EndSilence sends an Update.
func (e engine) EndSilence(ctx context.Context, id silence.ID, r starter.Request, c silence.End) error {
	return e.Incidents.Silences().End(ctx, id, r, c)
}
