package incident

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// An AutomaticResponse is what Muster does about an incident by itself, because its route says so: it finds out, and then it acts, each by
// a runbook whose steps are all automatic.
type AutomaticResponse struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Look       *Procedure      `json:"look,omitempty"` // what is found out and attached; it changes nothing
	Act        *Procedure      `json:"act,omitempty"`
	Parameters []runbook.Value `json:"parameters,omitempty"` // of both, from the alerts
	Fault      string          `json:"fault,omitempty"`      // why they will not do: it does not run
	// PreApproved is until when it may act without being asked for; otherwise Approval is there.
	PreApproved *PreApproval        `json:"pre_approved,omitempty"`
	Approval    *ResponseVotes      `json:"approval,omitempty"`
	Hold        time.Duration       `json:"hold"`             // for so long at most the first page waits for what comes of it
	Settle      time.Duration       `json:"settle,omitempty"` // in so long after its last step its alerts have to be resolved; 0: its steps say it
	PerHour     int                 `json:"per_hour"`         // so many runs for one service
	Failures    int                 `json:"failures"`         // so many one after another switch it off
	Tell        []escalation.Target `json:"tell"`             // who hears that it is switched off
}

// A Procedure is a runbook as it is when the incident opens.
type Procedure struct {
	Runbook runbook.Runbook `json:"runbook"` // without what only readers need
	SHA256  string          `json:"sha256"`  // of its file
}

// Name is how people call it.
func (p *Procedure) Name() string { return p.Runbook.ID + " " + p.Runbook.Title }

// A PreApproval says who answers for it that nobody is asked.
type PreApproval struct {
	By    string    `json:"by"`    // ID of the person
	Name  string    `json:"name"`  // and their name
	Until time.Time `json:"until"` // just before which it ends
}

// ResponseVotes says who is asked before it acts.
type ResponseVotes struct {
	Approvers []escalation.Target `json:"approvers"`
	Within    time.Duration       `json:"within"` // after which it does nothing
}

// Longest is how long a run can take.
func (a *AutomaticResponse) Longest() time.Duration {
	const each = 2 * time.Minute // what a step can wait for, beyond its own time
	sum := a.Settle
	if a.Approval != nil {
		sum += a.Approval.Within
	}
	for _, p := range []*Procedure{a.Look, a.Act} {
		for n := 0; p != nil && n < len(p.Runbook.Steps); n++ {
			sum += p.Runbook.Steps[n].Automatic.Timeout + each
		}
	}
	return sum + each
}

// ValuesFor are those of the parameters that a procedure has.
func (a *AutomaticResponse) ValuesFor(p *Procedure) (values []runbook.Value) {
	for _, v := range a.Parameters {
		if slices.ContainsFunc(p.Runbook.Parameters, func(x runbook.Parameter) bool { return x.ID == v.ID }) {
			values = append(values, v)
		}
	}
	return values
}

// ResponseState is where a response stands.
type ResponseState string

// The states. These strings are in histories: add, never rename. Those of what is over are its outcomes.
const (
	ResponseAsking   ResponseState = "asking"   // whether it may run
	ResponseLooking  ResponseState = "looking"  // finds out
	ResponseWaiting  ResponseState = "waiting"  // for an approval
	ResponseActing   ResponseState = "acting"   // by the steps of its runbook
	ResponseSettling ResponseState = "settling" // has done its steps, and waits for its alerts to be resolved
	ResponseRefused  ResponseState = "refused"  // it has not run; Why says why
)

// Why a response was refused beside what its ledger says, or has failed. These strings are in histories: add, never rename.
const (
	WhyParameters  = "parameters"  // its alerts do not say what it needs
	WhyExpired     = "expired"     // nobody answers for it any more
	WhyUnreachable = "unreachable" // it could not be found out whether it may run
	WhyStep        = "step"        // a step has failed, or nobody knows whether it has happened
	WhyFires       = "fires"       // its steps are done, and its alerts fire all the same
	WhyBack        = "back"        // it had worked, and its alerts have come back
	WhyLate        = "late"        // it has taken longer than it can: something else may be at work by now
	WhyFound       = "found"       // there was nothing to do but to find out
)

// ResponseStates lists the states, the outcomes among them.
func ResponseStates() []ResponseState {
	all := []ResponseState{ResponseAsking, ResponseLooking, ResponseWaiting, ResponseActing, ResponseSettling, ResponseRefused}
	for _, o := range response.Outcomes() {
		all = append(all, ResponseState(o))
	}
	return all
}

// ResponseWhys lists why one was refused or has failed.
func ResponseWhys() []string {
	return []string{
		string(response.IsOff), string(response.IsRunning), string(response.TooOften), WhyParameters, WhyExpired, WhyUnreachable, WhyStep, WhyFires, WhyBack, WhyLate, WhyFound,
	}
}

// A Response is what an automatic response has done about the incident.
type Response struct {
	State    ResponseState       `json:"state"`
	Why      string              `json:"why,omitempty"`
	Detail   string              `json:"detail,omitempty"`
	SHA256   string              `json:"sha256,omitempty"` // of what an approval is for: the runbook with its parameters
	Asked    time.Time           `json:"asked"`
	Begun    time.Time           `json:"begun,omitzero"` // its first step that acts
	Ended    time.Time           `json:"ended,omitzero"`
	Due      time.Time           `json:"due,omitzero"`       // of an approval, or for its alerts to be resolved
	Approved *timeline.Actor     `json:"approved,omitempty"` // who has let it act
	Stopped  *timeline.Actor     `json:"stopped,omitempty"`
	Resolved bool                `json:"resolved,omitempty"` // its steps alone have resolved the incident
	Joined   bool                `json:"joined,omitempty"`   // another alert has begun to fire since: it cannot know whether it has repaired that
	Claimed  bool                `json:"claimed,omitempty"`  // its ledger may count on it …
	Told     bool                `json:"told,omitempty"`     // … and has begun to be told of its end
	Found    []Finding           `json:"found,omitempty"`    // by looking, in the order of the steps
	Steps    []runbook.StepState `json:"steps,omitempty"`    // of its runbook
}

// A Finding is what one step has found out.
type Finding struct {
	Number int           `json:"number"`
	Text   string        `json:"text"` // what the step is
	State  runbook.State `json:"state"`
	Output string        `json:"output,omitempty"` // its beginning
	SHA256 string        `json:"sha256,omitempty"` // of all of it
	Detail string        `json:"detail,omitempty"` // why it is no success
}

// Bounds of what is kept of each step: all of it stands in the state and in messages.
const (
	maxFinding  = 1_000 // characters
	maxFindings = 4_000 // of all together
	maxStep     = 200
	maxShown    = 2_000 // of all together, in messages
)

// Over tells whether it does nothing more.
func (r *Response) Over() bool { return !r.Ended.IsZero() }

// acted tells whether something may have been done.
func (r *Response) acted() bool { return !r.Begun.IsZero() }

// execution is the run of the runbook. What becomes of its steps becomes of those of the response.
func (i *Incident) execution() *runbook.Execution {
	a := i.Definition.Automatic
	if a == nil || a.Act == nil || i.Response == nil {
		return nil
	}
	return &runbook.Execution{Runbook: a.Act.Runbook, Parameters: a.ValuesFor(a.Act), Steps: i.Response.Steps}
}

// respond goes on with the automatic response, and tells its ledger when it is over.
func (i *Incident) respond(now time.Time) {
	a, r := i.Definition.Automatic, i.Response
	switch {
	case a == nil:
		return
	case r == nil:
		i.startResponse(now)
		return
	case r.Over():
	case !r.acted() && (!i.Status.Open() || !i.QuietSince.IsZero()):
		i.endResponse(ResponseState(response.Unneeded), "", now)
	case r.State == ResponseLooking && len(r.Found) == len(a.Look.Runbook.Steps):
		i.looked(now)
	case r.State == ResponseWaiting && !now.Before(r.Due):
		i.endResponse(ResponseState(response.Unapproved), "", now)
	case r.State == ResponseActing:
		i.act(now)
	case r.State == ResponseSettling:
		i.settleResponse(now)
	}
	i.tellLedger(now)
}

// tellLedger tells the ledger what has come of it, once, and not before the last step has an outcome: until then nothing else may act on the
// service.
func (i *Incident) tellLedger(now time.Time) {
	if r := i.Response; r.Over() && r.Claimed && !r.Told && !i.has(ActStep) && !i.has(ClaimResponse) {
		r.Told = true
		i.begin(Send{Work: EndResponse}, now)
	}
}

// startResponse asks whether it may run, once for an incident: what comes back has not been repaired by it.
func (i *Incident) startResponse(now time.Time) {
	a := i.Definition.Automatic
	if i.Status != Triggered || i.Escalation.Begun+i.Escalation.Restarts > 0 || !i.QuietSince.IsZero() || i.Alerts.Firing == 0 {
		return
	}
	i.Response = &Response{State: ResponseAsking, Asked: now}
	switch {
	case a.Fault != "":
		i.refuseResponse(WhyParameters, a.Fault, now)
	case a.PreApproved != nil && !now.Before(a.PreApproved.Until):
		i.refuseResponse(WhyExpired, a.PreApproved.Name, now)
	default:
		i.begin(Send{Work: ClaimResponse}, now)
	}
}

func (i *Incident) refuseResponse(why, detail string, now time.Time) {
	r := i.Response
	r.State, r.Why, r.Detail, r.Ended = ResponseRefused, why, clipped(detail), now
	i.Ticket.Wanted++
	i.record(now, timeline.ResponseRefused, timeline.Muster(), timeline.F("response", i.Definition.Automatic.Name), timeline.F("why", why),
		timeline.F("detail", r.Detail))
}

// ResponseClaim is what is asked of the ledger of the response.
func (i *Incident) ResponseClaim() response.Claim {
	a := i.Definition.Automatic
	return response.Claim{
		Response: a.ID, Incident: string(i.ID), Service: i.Definition.Service.ID, PerHour: a.PerHour, Longest: a.Longest(), Restricted: i.Definition.Restricted(),
		Approved: i.Response.Approved != nil,
	}
}

// ResponseClaimed takes in whether it may run. What could not be asked may not.
func (i *Incident) ResponseClaimed(number int, is response.Answer, fault string, now time.Time) {
	if i.Find(number) == nil {
		return
	}
	i.drop(number)
	r := i.Response
	r.Claimed = r.Claimed || is.Granted || fault != "" // it may have been allowed although nobody has heard so
	switch {
	case r.Over(): // it was stopped meanwhile
		return
	case fault != "":
		i.refuseResponse(WhyUnreachable, fault, now)
		return
	case !is.Granted:
		i.refuseResponse(string(is.Refused), is.Detail(), now)
		return
	case r.Approved != nil: // it had found out before it was approved
		i.startActing(now)
		return
	}
	a := i.Definition.Automatic
	name, sha := "", ""
	if a.Act != nil {
		name, sha = a.Act.Name(), a.Act.SHA256
	}
	i.record(now, timeline.ResponseBegun, timeline.Muster(), timeline.F("response", a.Name), timeline.F("runbook", name), timeline.F("sha256", sha))
	if a.Look == nil {
		i.looked(now)
		return
	}
	r.State = ResponseLooking
	for _, s := range a.Look.Runbook.Steps { // all at once: none changes anything
		i.begin(Send{Work: LookStep, Revision: s.Number}, now)
	}
}

// looked goes on when all is found out.
func (i *Incident) looked(now time.Time) {
	a, r := i.Definition.Automatic, i.Response
	switch {
	case a.Act == nil:
		i.endResponse(ResponseState(response.Worked), WhyFound, now)
	case a.Approval != nil:
		r.State, r.SHA256, r.Due = ResponseWaiting, i.responseDigest(), now.Add(a.Approval.Within)
		i.record(now, timeline.ResponseWaits, timeline.Muster(), timeline.F("response", a.Name), timeline.F("sha256", r.SHA256),
			timeline.F("targets", escalation.Shown(a.Approval.Approvers)), at("due", r.Due))
		i.begin(Send{Work: Remind, About: AboutResponse, Targets: a.Approval.Approvers, Content: r.SHA256, Due: r.Due}, now)
	default:
		i.startActing(now)
	}
}

// responseDigest is the SHA-256 of what is approved: which steps with which values, on what was found.
func (i *Incident) responseDigest() string {
	a := i.Definition.Automatic
	var d Digest
	d.Say("response", a.ID, string(i.ID))
	d.Say("runbook", a.Act.Runbook.ID, a.Act.SHA256)
	for _, v := range a.ValuesFor(a.Act) {
		d.Say("parameter", v.ID, v.Value)
	}
	for _, f := range i.Response.Found { // by which they decide
		d.Say("found", strconv.Itoa(f.Number), string(f.State), f.SHA256, f.Output)
	}
	return d.Sum()
}

func (i *Incident) startActing(now time.Time) {
	r, a := i.Response, i.Definition.Automatic
	r.State, r.Due, r.Begun = ResponseActing, time.Time{}, now
	r.Steps = runbook.Start(a.Act.Runbook, a.ValuesFor(a.Act)).Steps
	i.act(now)
}

// act begins the next step, or says what has come of all of them.
func (i *Incident) act(now time.Time) {
	r, e := i.Response, i.execution()
	if over, ok := e.Over(); over && ok {
		i.stepsDone(now)
		return
	}
	switch s := e.Current(); {
	case s != nil && s.Status == runbook.StepFailed:
		i.endResponse(ResponseState(response.Failed), WhyStep, now)
	case s != nil && s.Status == runbook.StepUnknown:
		i.endResponse(ResponseState(response.Unknown), WhyStep, now)
	case s != nil && s.Status == runbook.Pending && !now.Before(r.Asked.Add(i.Definition.Automatic.Longest())):
		i.endResponse(ResponseState(response.Failed), WhyLate, now)
	case s != nil && s.Status == runbook.Pending:
		s.Status, s.At = runbook.Running, now
		s.Attempts++
		i.begin(Send{Work: ActStep, Revision: s.Number}, now)
	}
	r.Steps = e.Steps
}

// stepsDone waits for the alerts to be resolved, where that says whether it has worked.
func (i *Incident) stepsDone(now time.Time) {
	r, a := i.Response, i.Definition.Automatic
	switch {
	case !i.Status.Open():
		i.endResponse(i.without(), "", now)
	case a.Settle > 0:
		r.State, r.Due = ResponseSettling, now.Add(a.Settle)
		i.settleResponse(now)
	default:
		i.endResponse(ResponseState(response.Worked), "", now)
		if r.Resolved = i.ownDoing(); r.Resolved {
			i.resolve(timeline.Muster(), causeResponse, i.deeds(), now)
		} // else people see to the rest
	}
}

// cameBack takes in that the incident is open again although the response had worked: it has failed, then.
func (i *Incident) cameBack(now time.Time) {
	r := i.Response
	if r == nil || r.State != ResponseState(response.Worked) || !r.acted() {
		return
	}
	r.State, r.Why, r.Told = ResponseState(response.Failed), WhyBack, false
	i.record(now, timeline.ResponseEnded, timeline.Muster(), timeline.F("response", i.Definition.Automatic.Name), timeline.F("outcome", string(r.State)),
		timeline.F("why", r.Why))
}

// stillFires tells whether an alert fires on for longer than the quiet time after the steps of a response have said that it is over.
func (i *Incident) stillFires(now time.Time) bool {
	r := i.Response
	return i.Status == Resolved && r != nil && r.Resolved && i.Alerts.Firing > 0 && !now.Before(i.Settled.Add(i.Definition.Quiet))
}

// ownDoing tells whether the response alone has brought the incident to its end: no person is at it, nothing else has begun to fire, it is
// about no other incident, and it has not come back.
func (i *Incident) ownDoing() bool {
	return i.Reopened == 0 && len(i.Responders) == 0 && len(i.Merged) == 0 && !i.Response.Joined
}

// without is its outcome where the incident has come to its end meanwhile: by its alerts, or otherwise than by it.
func (i *Incident) without() ResponseState {
	if i.Alerts.Firing > 0 {
		return ResponseState(response.Overtaken)
	}
	return ResponseState(response.Worked)
}

// causeResponse is the cause of a resolution by an automatic response.
const causeResponse = "automatic-response"

// settleResponse says whether it has worked by whether the alerts are over. Their quiet time goes on as it always does.
func (i *Incident) settleResponse(now time.Time) {
	switch r := i.Response; {
	case !i.Status.Open():
		i.endResponse(i.without(), "", now)
	case !i.QuietSince.IsZero():
		i.endResponse(ResponseState(response.Worked), "", now)
	case !now.Before(r.Due):
		i.endResponse(ResponseState(response.Failed), WhyFires, now)
	}
}

// endResponse ends it: what has not begun of it never will.
func (i *Incident) endResponse(outcome ResponseState, why string, now time.Time) {
	r := i.Response
	r.State, r.Why, r.Ended, r.Due = outcome, why, now, time.Time{}
	for n := range r.Steps {
		if s := &r.Steps[n]; s.Status == runbook.Pending {
			s.Status, s.At = runbook.Skipped, now
		}
	}
	i.Ticket.Wanted++
	by := timeline.Muster()
	if r.Stopped != nil {
		by = *r.Stopped
	}
	i.record(now, timeline.ResponseEnded, by, timeline.F("response", i.Definition.Automatic.Name), timeline.F("outcome", string(outcome)),
		timeline.F("why", why), timeline.F("detail", r.Detail))
}

// ResponseEnd is what its ledger is told of it.
func (i *Incident) ResponseEnd() response.End {
	a := i.Definition.Automatic
	e := response.End{Response: a.ID, Incident: string(i.ID), Outcome: response.Outcome(i.Response.State)}
	if i.Response.State == ResponseRefused { // after all: it was off, or nobody could say
		e.Outcome = response.Unneeded
	}
	if a.Act != nil {
		e.Failures = a.Failures
	}
	return e
}

// ResponseTold takes in what follows from it: who is to hear that it is switched off.
func (i *Incident) ResponseTold(number int, is response.Ended, fault string, now time.Time) {
	if i.Find(number) == nil {
		return
	}
	i.drop(number)
	a := i.Definition.Automatic
	if fault != "" { // it counts as running until its longest time is over
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(EndResponse)), timeline.F("detail", fault))
	}
	if is.SwitchedOff {
		i.record(now, timeline.ResponseOff, timeline.Muster(), timeline.F("response", a.Name), timeline.F("failed", strconv.Itoa(is.Failed)))
		i.begin(Send{Work: Remind, About: AboutResponseOff, Targets: a.Tell, Text: a.ID}, now)
	}
}

// ResponseStep is the step that a send is for, with its parameters in their places.
func (i *Incident) ResponseStep(s Send) (book string, automatic *runbook.Automatic) {
	a := i.Definition.Automatic
	p := a.Act
	if s.Work == LookStep {
		p = a.Look
	}
	n := slices.IndexFunc(p.Runbook.Steps, func(x runbook.Step) bool { return x.Number == s.Revision })
	return p.Runbook.ID, p.Runbook.Steps[n].Automatic.WithParameters(a.ValuesFor(p))
}

// ResponseStepped takes in what has come of a step.
func (i *Incident) ResponseStepped(number int, is runbook.Result, now time.Time) {
	found := i.Find(number)
	if found == nil {
		return
	}
	s := *found
	i.drop(number)
	r, a := i.Response, i.Definition.Automatic
	p, kind := a.Act, timeline.ResponseStepped
	if s.Work == LookStep {
		p, kind = a.Look, timeline.ResponseLooked
	}
	is.Output, is.Detail = clippedTo(outputOf(p, is.State, s.Work), strings.TrimSpace(is.Output)), clipped(is.Detail)
	text := i.stepText(p, s.Revision)
	i.record(now, kind, timeline.Muster(), timeline.F("step", strconv.Itoa(s.Revision)), timeline.F("text", text), timeline.F("state", string(is.State)),
		timeline.F("output", clipped(is.Output)), timeline.F("sha256", is.SHA256), timeline.F("detail", is.Detail))
	if s.Work == LookStep {
		r.Found = append(r.Found, Finding{Number: s.Revision, Text: text, State: is.State, Output: is.Output, SHA256: is.SHA256, Detail: is.Detail})
		slices.SortFunc(r.Found, func(x, y Finding) int { return x.Number - y.Number })
		return
	}
	e := i.execution()
	e.Ran(s.Revision, is, now)
	r.Steps = e.Steps
}

// outputOf is how much of the output of a step is kept: all of it stands in the state and in messages.
func outputOf(p *Procedure, state runbook.State, w Work) int {
	if w == ActStep && state == runbook.Passed {
		return maxStep
	}
	return max(maxStep, min(maxFinding, maxFindings/len(p.Runbook.Steps)))
}

// ResponseStepWithdrawn takes in that a step was taken back before a worker had begun it.
func (i *Incident) ResponseStepWithdrawn(number int, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	if s.Work == ActStep {
		for n := range i.Response.Steps {
			if x := &i.Response.Steps[n]; x.Number == s.Revision {
				x.Status, x.At = runbook.Skipped, now
			}
		}
	}
	i.drop(number)
}

// stepText is the first line of what a step is.
func (i *Incident) stepText(p *Procedure, number int) string {
	e := runbook.Execution{Runbook: p.Runbook, Parameters: i.Definition.Automatic.ValuesFor(p)}
	line, _, _ := strings.Cut(strings.TrimSpace(e.Text(number)), "\n")
	return clippedTo(maxStep, line)
}

// Stepping tells whether a step of an automatic response is under way, which no other run may begin again.
func (i *Incident) Stepping() bool { return i.has(LookStep) || i.has(ActStep) }

// heldUntil is until when the first page waits for what comes of the response: not while a person is asked, for then people are needed
// anyway. Zero when it waits for nothing.
func (i *Incident) heldUntil() time.Time {
	a, r := i.Definition.Automatic, i.Response
	if a == nil || r == nil || r.Over() || r.State == ResponseWaiting || i.Escalation.Begun+i.Escalation.Restarts > 0 || i.Escalation.Answered {
		return time.Time{}
	}
	return r.Asked.Add(a.Hold)
}

// responseDue is when respond has something to do by time alone.
func (i *Incident) responseDue() time.Time {
	if i.Response == nil || i.Response.Over() {
		return time.Time{}
	}
	return i.Response.Due
}

// deeds says which steps were done, for the record of a resolution.
func (i *Incident) deeds() string {
	a := i.Definition.Automatic
	var all []string
	for _, s := range i.Response.Steps {
		if s.Status == runbook.Done {
			all = append(all, i.stepText(a.Act, s.Number))
		}
	}
	return clippedTo(maxFinding, a.Act.Name()+": "+strings.Join(all, " · "))
}

// resolution is by what an incident is resolved whose alerts are over: the response, where it has worked since they began.
func (i *Incident) resolution() (cause, note string) {
	const alone = "alerts-resolved"
	if r := i.Response; r == nil || r.State != ResponseState(response.Worked) || !r.acted() || i.QuietSince.After(r.Ended) || !i.ownDoing() {
		return alone, ""
	}
	return causeResponse, i.deeds()
}

// The commands about an automatic response.
type (
	// ApproveResponse lets it act.
	ApproveResponse struct {
		SHA256   string `json:"sha256"`
		Approver bool   `json:"approver,omitempty"` // filled in by the API: one of those who were asked, or who stands for them
	}
	// StopResponse ends it: what has not begun of it never will.
	StopResponse struct {
		Reason string `json:"reason"`
	}
)

// Check refuses where nothing waits for an approval.
func (c ApproveResponse) Check(i *Incident) error {
	const action = "approve response in"
	switch r := i.Response; {
	case r == nil:
		return i.refuse(action, "there is none")
	case r.State != ResponseWaiting:
		return i.refuse(action, "it is %s%s; want one that waits for an approval", r.State, by(r.Stopped, r.Approved))
	case c.SHA256 == "":
		return i.refuse(action, "sha256: missing; want that of what you have read in muster incident show")
	}
	return i.wantOpen(action)
}

// CheckAt refuses what comes too late: an approval is for its time, and for what still fires.
func (ApproveResponse) CheckAt(i *Incident, now time.Time) error {
	const action = "approve response in"
	switch r := i.Response; {
	case !now.Before(r.Due):
		return i.refuse(action, "its time was over at %s", r.Due.UTC().Format(time.RFC3339))
	case !i.QuietSince.IsZero():
		return i.refuse(action, "all its alerts are resolved since %s", i.QuietSince.UTC().Format(time.RFC3339))
	}
	return nil
}

// Deny refuses whoever was not asked, and whoever was shown something else.
func (c ApproveResponse) Deny(i *Incident, by timeline.Actor) error {
	const action = "approve response in"
	switch r := i.Response; {
	case by.Kind != timeline.Person:
		return &denial{i.refuse(action, "want a person"), "machine"}
	case !c.Approver:
		return &denial{i.refuse(action, "want one of %s", escalation.Shown(i.Definition.Automatic.Approval.Approvers)), "approver"}
	case c.SHA256 != r.SHA256:
		return &denial{i.refuse(action, "sha256 %s: it is not that of what waits now: read it again", clipped(c.SHA256)), "changed"}
	}
	return nil
}

// Denied is the entry of a refusal.
func (ApproveResponse) Denied() timeline.Kind { return timeline.ResponseDenied }

// Apply lets it act.
func (c ApproveResponse) Apply(i *Incident, by timeline.Actor, now time.Time) {
	r := i.Response
	r.State, r.Approved, r.Due = ResponseAsking, &by, time.Time{} // anew: it may have been switched off meanwhile
	i.record(now, timeline.ResponseApproved, by, timeline.F("response", i.Definition.Automatic.Name), timeline.F("sha256", c.SHA256))
	i.begin(Send{Work: ClaimResponse}, now)
}

// Check refuses where nothing goes on.
func (c StopResponse) Check(i *Incident) error {
	const action = "stop response in"
	switch r := i.Response; {
	case r == nil:
		return i.refuse(action, "there is none")
	case r.Over():
		return i.refuse(action, "it is over since %s: %s", r.Ended.UTC().Format(time.RFC3339), r.State)
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "reason", c.Reason, true))
}

// Apply stops it.
func (c StopResponse) Apply(i *Incident, by timeline.Actor, now time.Time) {
	r := i.Response
	r.Stopped, r.Detail = &by, clipped(c.Reason)
	i.endResponse(ResponseState(response.Stopped), "", now)
}

// by names the first of those who are there.
func by(all ...*timeline.Actor) string {
	for _, a := range all {
		if a != nil {
			return ", by " + a.Shown()
		}
	}
	return ""
}

// ResponseApprovers are who was asked whether the response may act, in terms of the organisation folder; none while nobody is.
func (i *Incident) ResponseApprovers() []escalation.Target {
	if i.Response == nil || i.Response.State != ResponseWaiting || i.Definition.Automatic == nil {
		return nil
	}
	return i.resolved(i.Definition.Automatic.Approval.Approvers)
}

// A Tried is what messages say of an automatic response.
type Tried struct {
	Name    string        `json:"name"`
	State   ResponseState `json:"state"`
	Why     string        `json:"why,omitempty"`
	Detail  string        `json:"detail,omitempty"`
	Runbook string        `json:"runbook,omitempty"`
	Stopped string        `json:"stopped,omitempty"` // who has stopped it
	SHA256  string        `json:"sha256,omitempty"`  // of what waits for an approval
	Found   []Finding     `json:"found,omitempty"`
	Steps   []TriedStep   `json:"steps,omitempty"`
}

// A TriedStep is one step of its runbook.
type TriedStep struct {
	Number int            `json:"number"`
	Text   string         `json:"text"`
	Status runbook.Status `json:"status"`
	Detail string         `json:"detail,omitempty"` // why it is no success, or what it has printed
}

// Tried is what messages say of the response, nil where there is none.
func (i *Incident) Tried() *Tried {
	a, r := i.Definition.Automatic, i.Response
	if a == nil || r == nil {
		return nil
	}
	t := &Tried{Name: a.Name, State: r.State, Why: r.Why, Detail: r.Detail}
	for _, f := range r.Found {
		f.Text, f.Output = clippedTo(maxStep/2, f.Text), clippedTo(maxShown/len(r.Found), f.Output)
		t.Found = append(t.Found, f)
	}
	if a.Act != nil {
		t.Runbook = a.Act.Name()
	}
	if r.Stopped != nil {
		t.Stopped = r.Stopped.Shown()
	}
	steps := r.Steps
	if r.State == ResponseWaiting { // whoever approves them reads them
		t.SHA256, steps = r.SHA256, runbook.Start(a.Act.Runbook, a.ValuesFor(a.Act)).Steps
		for n := range steps {
			_, step := i.ResponseStep(Send{Work: ActStep, Revision: steps[n].Number})
			steps[n].Result = &runbook.Result{Detail: does(step)}
		}
	}
	for _, s := range steps {
		x := TriedStep{Number: s.Number, Text: clippedTo(maxStep/2, i.stepText(a.Act, s.Number)), Status: s.Status}
		if s.Result != nil && s.Status != runbook.Done {
			x.Detail = clipped(strings.Join(slices.DeleteFunc([]string{s.Result.Detail, s.Result.Output}, func(s string) bool { return s == "" }), ": "))
		}
		t.Steps = append(t.Steps, x)
	}
	return t
}

// does says what a step does, for whoever has to approve it: secrets stand in it by their names.
func does(a *runbook.Automatic) string {
	if a.Runner == runbook.ByHTTP {
		return strings.TrimSpace(a.HTTP.Method + " " + a.HTTP.URL + " " + a.HTTP.Body)
	}
	return strings.Join(a.Command, " ")
}

// CheckLooking says what keeps a runbook from being one that only finds out. What commands do, the organisation folder answers for.
func CheckLooking(rb runbook.Runbook) error {
	for _, s := range rb.Steps {
		if a := s.Automatic; a != nil && a.Runner == runbook.ByHTTP && a.HTTP.Method != "GET" && a.HTTP.Method != "HEAD" {
			return fmt.Errorf("step %d: %s; want GET or HEAD, for what finds out changes nothing", s.Number, a.HTTP.Method)
		}
	}
	return CheckAutomatic(rb)
}

// CheckAutomatic says what keeps a runbook from being run by a machine alone.
func CheckAutomatic(rb runbook.Runbook) error {
	const most, longest = 20, time.Hour
	var sum time.Duration
	for _, s := range rb.Steps {
		if s.Automatic == nil {
			return fmt.Errorf("step %d is done by a person; want all steps automatic", s.Number)
		}
		sum += s.Automatic.Timeout
	}
	switch {
	case len(rb.Steps) == 0:
		return errors.New("it has no step")
	case len(rb.Steps) > most:
		return fmt.Errorf("%d steps; want %d at most", len(rb.Steps), most)
	case sum > longest:
		return fmt.Errorf("its steps may take %s together; want %s at most", sum, longest)
	}
	return nil
}
