package request

import (
	"slices"

	"muster/internal/incident"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Shown is the request as its customer may see it: what was asked and promised, what the plan says, and what has become of it.
// What was written for the inside, and who has written it, is not in it: what is not named here is not shown.
func (r *Request) Shown(v incident.Viewer) *Request {
	who := func(a timeline.Actor) timeline.Actor {
		if a.ID == "" || v.Own(a) {
			return a
		}
		return v.Instead
	}
	shown := &Request{
		Terms: Terms{ID: r.ID, Recorder: who(r.Recorder), Asked: r.Asked, Pinned: Pinned{
			Organisation: r.Organisation, Zone: r.Zone, CustomerName: r.CustomerName, Plan: r.Plan, Uncounted: r.Uncounted, Promises: r.Promises,
			AtRisk: r.AtRisk, Calendars: r.Calendars, Needs: r.Needs, Entitlement: supportplan.Entitlement{Table: r.Entitlement.Table}, // the names in it
		}}, Status: r.Status, Opened: r.Opened, Verdict: r.Verdict,
		Clocks: r.Clocks, Answer: r.Answer, AnsweredBy: who(r.AnsweredBy), AnsweredAt: r.AnsweredAt, DecidedBy: who(r.DecidedBy),
		Closes: r.Closes, Ended: r.Ended, Owner: who(r.Owner), Collected: r.Collected, Incident: r.Incident, Rating: r.Rating, Meetings: r.shownMeetings(who), Partial: true, Timeline: timeline.Log{Entries: []timeline.Entry{}},
	}
	if r.Status == Declined || r.Status == Withdrawn {
		shown.Reason, shown.Offer = r.Reason, r.Offer
	}
	for _, e := range r.Timeline.Entries {
		facts, ok := public(e.Kind)
		if !ok {
			continue
		}
		e.Facts = slices.DeleteFunc(slices.Clone(e.Facts), func(f timeline.Fact) bool { return !slices.Contains(facts, f.Name) })
		if e.Actor.Kind != timeline.Engine {
			e.Actor = who(e.Actor)
		}
		shown.Timeline.Entries = append(shown.Timeline.Entries, e)
	}
	return shown
}

// public names the facts of a kind of entry that the customer may read, and tells whether it may read such an entry.
func public(k timeline.Kind) (facts []string, ok bool) {
	switch k {
	case timeline.RequestReceived:
		return []string{"request", "customer", "kind", "feature", "channel", "number", "received", "text"}, true
	case timeline.RequestNotified:
		return []string{"request", "customer", "kind", "begun", "number", "text"}, true
	case timeline.RequestTaken, timeline.RequestHandedOver, timeline.RequestComplete:
		return nil, true
	case timeline.RequestMet:
		return []string{"number", "at", "purpose", "who"}, true
	case timeline.RequestCollected:
		return []string{"need", "text"}, true
	case timeline.RequestIncomplete:
		return []string{"reason"}, true
	case timeline.RequestRated:
		return []string{"score", "text"}, true
	case timeline.RequestPromoted:
		return []string{"incident", "received"}, true
	case timeline.RequestJudged:
		return []string{"outcome"}, true
	case timeline.RequestDeclined, timeline.RequestWithdrawn:
		return []string{"reason", "offer"}, true
	case timeline.RequestAnswered:
		return []string{"text"}, true
	case timeline.RequestAccepted, timeline.RequestWaiting, timeline.RequestApproved, timeline.RequestClosed:
		return []string{"since"}, true
	case timeline.ClockStarted, timeline.ClockAtRisk, timeline.ClockMet, timeline.ClockMissed, timeline.ClockStopped:
		return []string{"customer", "target", "due", "within", "calendar", "begins"}, true
	default:
		return nil, false
	}
}
