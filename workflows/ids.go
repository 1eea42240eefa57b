package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"muster/internal/alert"
	"muster/internal/incident"
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

// HandoverWorkflowID names the hand-over of a schedule, so that the server lets only one of them run.
func HandoverWorkflowID(schedule string) string { return "handover/" + schedule }

// ReviewWorkflowID names the review of an incident.
func ReviewWorkflowID(id incident.ID) string { return "review/" + string(id) }
