package report

import (
	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/review"
	"muster/internal/runbook"
	"muster/internal/supportplan"
)

// needed lists the words that every language must have. It may have more, such as those for causes.
func needed() []string {
	var all []string
	add := func(axis, value string) { all = append(all, axis+"."+value) }
	for _, s := range incident.Statuses() {
		add("status", string(s))
		add("public", string(s))
	}
	for _, s := range incident.PublicStatuses() {
		add("public", string(s))
	}
	for _, k := range incident.Kinds() {
		add("kind", string(k))
	}
	for _, p := range priority.All() {
		add("priority", p.String())
	}
	for _, l := range []priority.Level{priority.High, priority.Medium, priority.Low} {
		add("impact", string(l))
		add("urgency", string(l))
		add("effect", string(l))
		add("affected", string(l))
	}
	for _, r := range incident.Roles() {
		add("role", string(r))
	}
	for _, t := range supportplan.Targets() {
		add("target", string(t))
	}
	add("worth", "days")
	add("worth", "in")
	for _, c := range supportplan.Causes() {
		add("pause", string(c))
	}
	for _, s := range []supportplan.ClockState{
		supportplan.Running, supportplan.Paused, supportplan.Met, supportplan.Missed, supportplan.Stopped,
	} {
		add("clock", string(s))
	}
	for _, k := range []delivery.Kind{
		delivery.Page, delivery.Reminder, delivery.Assignment, delivery.CustomerUpdate, delivery.AllClear, delivery.ReviewOpened, delivery.ReviewDue,
		delivery.SelfWatch, delivery.VendorCall, delivery.Handover, delivery.Receipt, delivery.ResultReport, delivery.ClosingNotice, delivery.StatusPage,
		delivery.Certificate, delivery.Request, delivery.Problem, delivery.Change, delivery.ChangeNotice, delivery.Action, delivery.Risk, delivery.Plan, delivery.Review, delivery.FollowUp, delivery.Test,
		delivery.Silence, delivery.Routine,
	} {
		add("message", string(k))
	}
	add("offer", string(delivery.Page))
	add("offer", string(delivery.AllClear))
	for _, k := range []escalation.TargetKind{
		escalation.Schedule, escalation.Group, escalation.Person, escalation.Role, escalation.Engineer, escalation.Vendor, escalation.Contact,
	} {
		add("paged", string(k))
	}
	for _, s := range []alert.State{alert.Firing, alert.Resolved} {
		add("alert", string(s))
	}
	for _, s := range []string{"delivered", "refused", "withdrawn"} {
		add("delivery", s)
	}
	for _, p := range []string{"started", "alerted", "engaged", "mitigation", "resolved"} {
		add("point", p)
		add("stage", p)
	}
	serviceWords(add)
	for _, s := range []incident.Standing{incident.Needed, incident.NeededBy} {
		add("nearby", string(s))
	}
	add("message", "nearby")
	add("access", "stale")
	for _, w := range []string{"contact", "missing", "owner", "reach", "restricted", "revision"} {
		add("report", w)
	}
	for _, more := range []func(add func(axis, value string)){
		entitlementWords, requestWords, problemWords, changeWords, periodWords, actionWords, riskWords, silenceWords, routineWords, responseWords, planWords, planReportWords, reviewWords, contactWords,
	} {
		more(add)
	}
	return all
}

// responseWords are those of automatic responses.
func responseWords(add func(axis, value string)) {
	for _, s := range incident.ResponseStates() {
		add("response", string(s))
	}
	for _, w := range incident.ResponseWhys() {
		add("response-why", w)
	}
	for _, s := range []runbook.Status{runbook.Pending, runbook.Running, runbook.Done, runbook.StepFailed, runbook.StepUnknown, runbook.Skipped} {
		add("step", string(s))
	}
	for _, s := range []runbook.State{runbook.Passed, runbook.Failed, runbook.Unknown} {
		add("step", string(s))
	}
	for _, w := range []string{"machine", "approver", "changed"} {
		add("response-denied", w)
	}
}

// reviewWords are those of reviews.
func reviewWords(add func(axis, value string)) {
	for _, deed := range []string{"approve", "reject", "publish"} {
		add("review-deed", deed)
	}
	for _, why := range review.Whys() {
		add("review-why", why)
	}
	for _, p := range review.Phases() {
		add("interval", string(p))
	}
	for _, s := range review.Stages() {
		add("review-stage", string(s))
	}
	for _, k := range review.Keys() {
		add("review-section", string(k))
	}
	for _, k := range review.FactorKinds() {
		add("factor", string(k))
	}
	for _, x := range []string{"symptom", "cause", "remedy"} {
		add("review-pattern", x)
		add("known", x)
	}
	for _, x := range []string{"problem", "error", "workaround", "previous", "review", "nearby"} {
		add("known", x)
	}
	for _, x := range []string{"internal", "published", "rejected", "approved", "lacks"} {
		add("review-text", x)
	}
	for _, s := range []review.Side{review.TechnicalSide, review.OtherSide, "anybody"} {
		add("side", string(s))
	}
	add("void", "changed")
	add("void", "resolved-again")
}

// serviceWords are those of what a responder needs to know of a service.
func serviceWords(add func(axis, value string)) {
	for _, c := range priority.Classes() {
		add("class", string(c))
	}
	for _, v := range incident.Privacies() {
		add("privacy", string(v))
	}
	for _, v := range incident.Securities() {
		add("security", string(v))
	}
	for _, k := range incident.LinkKinds() {
		add("link", string(k))
	}
	for _, tier := range []string{"1", "2", "3", "4"} {
		add("tier", tier)
	}
	for _, what := range []string{"classes", "owner", "tier", "depends-on", "architecture", "components", "data", "contacts", "access"} {
		add("service", what)
	}
}
