package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"muster/internal/action"
	"muster/internal/alert"
	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/risk"
	"muster/internal/silence"
)

// IncidentWorkflowID names the incident of one alert group, so that the server lets only one of them run. It depends on the
// receiver and the group's labels but not on the source's own group key, which changes with its routing.
func IncidentWorkflowID(source, receiver string, group alert.Labels) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(receiver), receiver)
	for _, l := range group {
		fmt.Fprintf(h, "%d:%s%d:%s", len(l.Name), l.Name, len(l.Value), l.Value)
	}
	return "incident/" + source + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// RouteIncidentWorkflowID names the incident of all alerts that one route takes and that have the same values of the labels
// by which it groups, whatever the source's own groups are.
func RouteIncidentWorkflowID(source, route string, values alert.Labels) string {
	h := sha256.New()
	fmt.Fprintf(h, "route %d:%s", len(route), route) // no receiver begins so: it begins with its length
	for _, l := range values {
		fmt.Fprintf(h, "%d:%s%d:%s", len(l.Name), l.Name, len(l.Value), l.Value)
	}
	return "incident/" + source + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// NoticedIncidentWorkflowID names the incident that people have reported under a number of a customer's, or of ours where no
// customer has reported it, or else by a request: what is reported twice under one number is one incident.
func NoticedIncidentWorkflowID(n incident.Notice, request string) string {
	h := sha256.New()
	if n.Receipt != "" {
		fmt.Fprintf(h, "receipt %d:%s%d:%s", len(n.Customer), n.Customer, len(n.Receipt), n.Receipt)
	} else {
		fmt.Fprintf(h, "request %d:%s", len(request), request)
	}
	return "incident/reported/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// HandoverWorkflowID names the hand-over of a schedule, so that the server lets only one of them run.
func HandoverWorkflowID(schedule string) string { return "handover/" + schedule }

// CertificateSchedule names the schedule by which Temporal starts the reminders of certificates, and begins their ids.
const CertificateSchedule = "certificates"

// ArchiveSchedule names the schedule by which Temporal starts the archive, and begins its ids.
const ArchiveSchedule = "archive"

// ContactsWorkflowID names the ledger of how everybody was reached, so that the server lets only one of them run.
const ContactsWorkflowID = "contacts"

// ReviewWorkflowID names the review of an incident.
func ReviewWorkflowID(id incident.ID) string { return "review/" + string(id) }

// ActionWorkflowID names an action item.
func ActionWorkflowID(id action.ID) string { return "action/" + string(id) }

// EscalationWorkflowID names a risk that somebody has escalated.
func EscalationWorkflowID(id risk.ID) string { return "escalation/" + string(id) }

// RequestWorkflowID names a customer's request.
func RequestWorkflowID(id request.ID) string { return "request/" + string(id) }

// ChangeWorkflowID names a change.
func ChangeWorkflowID(id change.ID) string { return "change/" + string(id) }

// ProblemWorkflowID names the problem behind the incidents of a service that have something in common, so that the server lets only
// one of them run.
func ProblemWorkflowID(service string, k problem.Key) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d:%s", k.By, len(k.Value), k.Value)
	return "problem/" + service + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// PlanRunWorkflowID names the run of a kind of plan on an environment of a customer, so that the server lets only one of them run.
func PlanRunWorkflowID(k plan.Kind, customer, environment string) string {
	return string(k) + "/" + customer + "/" + environment
}

// PlanRunWorkflowIDOf is PlanRunWorkflowID for the terms of a run. One that a provider's notice or a routine has started is beside all
// others: there may be any number of them at a time, and each is seen to by itself. So is one of a plan that stands apart, for its parameters.
func PlanRunWorkflowIDOf(t *planrun.Terms) string {
	id := PlanRunWorkflowID(t.Plan.Kind, t.Customer, t.Target().Environment)
	switch {
	case t.Notice != nil:
		id += "/" + t.Notice.Key
	case t.Routine != nil:
		id += "/" + t.Routine.ID + "/" + t.Routine.Planned.UTC().Format("20060102T150405Z")
	case t.Plan.Apart:
		id += "/" + t.Plan.ID + "/" + t.ParametersID
	}
	return id
}

// EnvironmentLockWorkflowID names the right to change an environment of a customer, which one run of a plan at a time has.
func EnvironmentLockWorkflowID(customer, environment string) string {
	return "environment/" + customer + "/" + environment
}

// SilenceWorkflowID names the silence of an environment of a customer.
func SilenceWorkflowID(customer, environment string) string {
	return "silence/" + customer + "/" + environment
}

// AlertSilenceWorkflowID names a silence that people, or the organisation folder, have made.
func AlertSilenceWorkflowID(id silence.ID) string { return "alert-silence/" + string(id) }

// PlanRunWorkflow is the type of the workflow that runs a kind of plan.
func PlanRunWorkflow(k plan.Kind) string {
	switch k {
	case plan.Upgrade:
		return UpgradeWorkflow
	case plan.GoLive:
		return GoLiveWorkflow
	case plan.Readiness:
		return ReadinessWorkflow
	default:
		return MaintenanceWorkflow
	}
}

// HeartbeatWorkflowID names the heartbeat with an id in the organisation folder, so that the server lets only one of them run.
func HeartbeatWorkflowID(id string) string { return "heartbeat/" + id }

// AutomaticResponseWorkflowID names the ledger of the automatic response with an id in the organisation folder, so that the server lets only
// one of them run.
func AutomaticResponseWorkflowID(id string) string { return "automatic-response/" + id }

// RoutineWorkflowID names the routine with an id in the organisation folder, so that the server lets only one of them run.
func RoutineWorkflowID(id string) string { return "routine/" + id }

// UsageWorkflowID names the ledger of what a customer has used of its quotas, so that the server lets only one of them run.
func UsageWorkflowID(customer string) string { return "usage/" + customer }

// CustomerIn is the customer that the ID of a workflow names whose state does not: of a lock, a silence, a ledger of use. Others name none.
func CustomerIn(workflowID string) string {
	parts := strings.Split(workflowID, "/")
	if len(parts) < 2 {
		return ""
	}
	customer := parts[1]
	rest := strings.Join(parts[2:], "/")
	if slices.Contains([]string{EnvironmentLockWorkflowID(customer, rest), SilenceWorkflowID(customer, rest), UsageWorkflowID(customer)}, workflowID) {
		return customer
	}
	return ""
}
