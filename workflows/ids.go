package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

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

// ReviewWorkflowID names the review of an incident.
func ReviewWorkflowID(id incident.ID) string { return "review/" + string(id) }

// incidentID makes the identity that people see from the first run: the last 50 bits of its UUID, which are random, in
// letters and digits that cannot be mistaken for each other.
func incidentID(firstRun string) incident.ID {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var bits uint64
	for _, c := range strings.ToLower(firstRun) {
		if n := strings.IndexRune("0123456789abcdef", c); n >= 0 {
			bits = bits<<4 | uint64(n)
		}
	}
	var id [10]byte
	for n := len(id) - 1; n >= 0; n-- {
		id[n] = digits[bits&31]
		bits >>= 5
	}
	return incident.ID("INC-" + string(id[:]))
}
