package starter

import (
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
)

// CommandOf is what an action of a link or a button asks of an incident for somebody of a party, and the verb that allows it.
func CommandOf(action link.Action, party, why string) (authority.Verb, incident.Command) {
	switch action {
	case link.Escalate:
		return authority.Escalate, incident.Escalate{Reason: why}
	case link.Resolve:
		return authority.Resolve, incident.Resolve{Note: why}
	case link.Fixed, link.NotFixed:
		return authority.Answer, incident.Answer{Answer: incident.FixAnswer(action), Customer: party, Note: why}
	default:
	}
	return authority.Acknowledge, incident.Acknowledge{}
}
