package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/workflows"
)

// An Alert is one alert of an incident with the newest text that its source has sent.
type Alert struct {
	Fingerprint string            `json:"fingerprint"`
	Name        string            `json:"name"`
	State       alert.State       `json:"state"`
	Summary     string            `json:"summary"` // the annotation that says it best, else the name
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      time.Time         `json:"ends_at,omitzero"` // only when resolved
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Generator   string            `json:"generator,omitempty"` // link to the source's own view
	Times       int               `json:"times"`               // how often it came, at least
	First       time.Time         `json:"first"`               // when it came first …
	Last        time.Time         `json:"last"`                // … and last
}

// An AlertFilter narrows the alerts of an incident. Zero values do not.
type AlertFilter struct {
	Firing bool
	Name   string
	After  string // the Next of the part before
	Limit  int
}

// Alerts are a part of the alerts of an incident, in the order in which they first came.
type Alerts struct {
	Incident *incident.Incident // as it stands now
	Found    []Alert
	Next     string // asks for what follows, as After; empty at the end
	Lost     int    // earlier runs that are past their retention: their alerts stand in the archive
}

// Alerts reads the alerts of an incident from what its runs have been told. The state of a run holds only so much of a
// storm; its history has all of it.
func (s *Incidents) Alerts(ctx context.Context, id incident.ID, f AlertFilter) (*Alerts, error) {
	ref, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	i, err := s.state(ctx, id, ref.WorkflowID, ref.RunID)
	if err != nil {
		return nil, err
	}
	part, all := &Alerts{Incident: i, Found: []Alert{}}, heard{at: map[string]int{}}
	for _, run := range append(slices.Clone(i.Runs), ref.RunID) {
		err := s.hear(ctx, ref.WorkflowID, run, &all)
		if _, gone := errors.AsType[*NotFoundError](err); gone && run != ref.RunID {
			part.Lost++
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	all.expire(time.Now())
	begin := 0
	if f.After != "" {
		n, known := all.at[f.After]
		if !known {
			return nil, &RefusedError{Reason: fmt.Sprintf("alerts of %s: after: want what the part before said is next", id)}
		}
		begin = n + 1
	}
	for _, h := range all.alerts[begin:] {
		if f.Firing && h.State != alert.Firing || f.Name != "" && h.Name != f.Name {
			continue
		}
		if f.Limit > 0 && len(part.Found) == f.Limit {
			part.Next = part.Found[f.Limit-1].Fingerprint
			break
		}
		part.Found = append(part.Found, shown(h))
	}
	return part, nil
}

// hear takes in every batch that a run has taken, page by page.
func (s *Incidents) hear(ctx context.Context, workflowID, runID string, all *heard) error {
	signed := false // the run takes only what is signed
	events := s.Temporal.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return told(fmt.Sprintf("alerts of %s, run %s", workflowID, runID), err)
		}
		if start := e.GetWorkflowExecutionStartedEventAttributes(); start != nil {
			signed = startedSigned(start.GetInput())
		}
		signal := e.GetWorkflowExecutionSignaledEventAttributes()
		if signal.GetSignalName() != workflows.AlertsSignal {
			continue
		}
		var m signature.Signed[alert.Batch]
		if converter.GetDefaultDataConverter().FromPayloads(signal.GetInput(), &m) == nil && (!signed || s.proven(workflowID, m)) {
			all.take(m.Body)
		} // else the run has not taken it either
	}
	return nil
}

// startedSigned tells whether a run takes only what is signed: all do but those from before there were signatures.
func startedSigned(input *commonpb.Payloads) bool {
	var in signature.Signed[struct {
		Signed bool `json:"signed"`
	}]
	return converter.GetDefaultDataConverter().FromPayloads(input, &in) == nil && (in.Seal != nil || in.Body.Signed)
}

func (s *Incidents) proven(workflowID string, m signature.Signed[alert.Batch]) bool {
	by, digest, seal := m.Proof()
	return seal != nil && s.Keys.Prove(signature.Statement{
		Workflow: workflowID, Message: workflows.AlertsSignal, Digest: digest, By: by,
	}, *seal) == nil
}

// heard is every alert that has been told, in the order in which they first came: as much as there are different ones,
// however often they are repeated.
type heard struct {
	alerts []alert.Held
	at     map[string]int // fingerprint → position
}

func (all *heard) take(b alert.Batch) {
	for _, r := range b.Alerts {
		n, known := all.at[r.Fingerprint]
		if !known {
			all.at[r.Fingerprint] = len(all.alerts)
			all.alerts = append(all.alerts, alert.Held{Alert: r.Alert, Times: r.Times, First: b.ReceivedAt, Last: b.ReceivedAt})
			continue
		}
		h := &all.alerts[n]
		h.Times, h.Last = h.Times+r.Times, b.ReceivedAt
		if again := !h.Until.IsZero() && b.ReceivedAt.Before(h.Until) && r.State == alert.Firing; again {
			r.StartsAt = h.StartsAt // its source may not know when it began
		}
		if !older(r.Alert, h.Alert) {
			h.Alert = r.After(h.Alert)
		}
	}
}

// expire resolves the alerts that have not come again in time.
func (all *heard) expire(now time.Time) {
	for n := range all.alerts {
		if h := &all.alerts[n]; !h.Until.IsZero() && !now.Before(h.Until) {
			h.State, h.EndsAt = alert.Resolved, h.Until
		}
	}
}

// older tells whether a is from before what is known: it began earlier, or has ended since. A repeat is not older, for
// its words may be newer.
func older(a, known alert.Alert) bool {
	if a.StartsAt.Equal(known.StartsAt) {
		return a.State == alert.Firing && known.State == alert.Resolved
	}
	return a.StartsAt.Before(known.StartsAt)
}

func shown(h alert.Held) Alert {
	return Alert{
		Fingerprint: h.Fingerprint, Name: h.Name, State: h.State, Summary: h.Summary(), StartsAt: h.StartsAt, EndsAt: h.EndsAt,
		Labels: mapped(h.Labels), Annotations: mapped(h.Annotations), Generator: h.Generator,
		Times: h.Times, First: h.First, Last: h.Last,
	}
}

func mapped(ls alert.Labels) map[string]string {
	m := make(map[string]string, len(ls))
	for _, l := range ls {
		m[l.Name] = l.Value
	}
	return m
}
