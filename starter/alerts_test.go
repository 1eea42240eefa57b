package starter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// tell gives the two runs of the incident their events.
func (c *temporal) tell(first, second history) {
	c.runs["run-1"] = run{events: first}
	c.runs["run-2"] = run{state: c.runs["run-2"].state, events: second}
}

// found are the alerts with their state and text.
func found(a *starter.Alerts) string {
	var all []string
	for _, x := range a.Found {
		all = append(all, fmt.Sprintf("%s %s: %s", x.Fingerprint, x.State, x.Summary))
	}
	return strings.Join(all, ", ")
}

func TestAlertsOfEveryRunHaveTheirNewestText(t *testing.T) {
	c, s := one(t)
	labelled := of("b", alert.Firing, 1, "slow")
	labelled.Labels, labelled.Generator = alert.Labels{{Name: "job", Value: "pay"}}, "http://prometheus/graph"
	again := of("a", alert.Firing, 0, "9 %")
	again.Times = 3
	c.tell(history{
		told(1, of("a", alert.Firing, 0, "5 %"), labelled),
		signalled("Other", "what is this?"),
		signalled(workflows.AlertsSignal, "not a batch"),
		{},
	}, history{
		told(2, again, of("c", alert.Firing, 2, "full")),
		told(3, of("c", alert.Resolved, 2, "empty"), of("c", alert.Firing, 1, "before that")),
		told(4, of("c", alert.Firing, 2, "comes late")),
	})
	got, err := s.Alerts(t.Context(), open, starter.AlertFilter{Limit: 9})
	if err != nil {
		t.Fatal(err)
	}
	if want := "a firing: 9 %, b firing: slow, c resolved: empty"; found(got) != want {
		t.Errorf("got  %s\nwant %s", found(got), want)
	}
	if a := got.Found[0]; a.Times != 4 || !a.First.Equal(minute(1)) || !a.Last.Equal(minute(2)) || !a.StartsAt.Equal(minute(0)) {
		t.Errorf("got %+v", a)
	}
	if b := got.Found[1]; b.Labels["job"] != "pay" || b.Annotations["summary"] != "slow" || b.Generator != labelled.Generator {
		t.Errorf("got %+v", b)
	}
	if got.Incident.ID != open || got.Next != "" || got.Lost != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAlertsAreReadPageByPage(t *testing.T) {
	c, s := one(t)
	c.tell(history{told(1, of("a", alert.Firing, 1, "1"), of("b", alert.Resolved, 1, "2"), of("c", alert.Firing, 1, "3"))},
		history{told(2, of("a", alert.Firing, 1, "4"), of("d", alert.Firing, 2, "5"))})
	for _, tc := range []struct {
		filter     starter.AlertFilter
		want, next string
	}{
		{starter.AlertFilter{Limit: 4}, "a firing: 4, b resolved: 2, c firing: 3, d firing: 5", ""},
		{starter.AlertFilter{Limit: 3}, "a firing: 4, b resolved: 2, c firing: 3", "c"},
		{starter.AlertFilter{Limit: 3, After: "c"}, "d firing: 5", ""},
		{starter.AlertFilter{Limit: 3, After: "d"}, "", ""},
		{starter.AlertFilter{Limit: 2, Firing: true}, "a firing: 4, c firing: 3", "c"},
		{starter.AlertFilter{Limit: 2, Firing: true, After: "b"}, "c firing: 3, d firing: 5", ""}, // b has ended meanwhile
		{starter.AlertFilter{Limit: 1, Name: "Nb"}, "b resolved: 2", ""},
		{starter.AlertFilter{Limit: 1, Name: "Nb", Firing: true}, "", ""},
	} {
		got, err := s.Alerts(t.Context(), open, tc.filter)
		if err != nil || found(got) != tc.want || got.Next != tc.next || got.Found == nil {
			t.Errorf("%+v: got %q, next %q, %v; want %q, next %q", tc.filter, found(got), got.Next, err, tc.want, tc.next)
		}
	}
	_, err := s.Alerts(t.Context(), open, starter.AlertFilter{Limit: 1, After: "x"})
	if _, refused := errors.AsType[*starter.RefusedError](err); !refused {
		t.Errorf("after an alert that there is not: got %v", err)
	}
}

func TestAlertsPastRetentionAreMissed(t *testing.T) {
	c, s := one(t)
	c.tell(nil, history{told(1, of("a", alert.Firing, 1, "1"))})
	delete(c.runs, "run-1")
	if got, err := s.Alerts(t.Context(), open, starter.AlertFilter{Limit: 9}); err != nil || len(got.Found) != 1 || got.Lost != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	c.broken = serviceerror.NewUnavailable("down")
	_, err := s.Alerts(t.Context(), open, starter.AlertFilter{Limit: 9})
	if _, away := errors.AsType[*starter.UnavailableError](err); !away {
		t.Errorf("half a history: got %v", err)
	}
}

// A run that takes only what is signed has not taken the rest, whoever has sent it.
func TestAlertsThatTheRunHasNotTakenAreNotShown(t *testing.T) {
	c, s := one(t)
	sealed := func(workflow, says string) *historypb.HistoryEvent {
		m, err := signature.New(timeline.Actor{Kind: timeline.Source, ID: "prometheus"},
			batch(of("a", alert.Firing, 1, says)))
		if err != nil {
			t.Fatal(err)
		}
		seal, err := s.Keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.AlertsSignal, Digest: m.Digest(), By: m.By}, "intake")
		if err != nil {
			t.Fatal(err)
		}
		m.Seal = &seal
		return signalled(workflows.AlertsSignal, m)
	}
	bySeal := signature.Signed[workflows.IncidentInput]{By: park(), Seal: &signature.Seal{}}
	for name, tc := range map[string]struct {
		start any
		want  string
	}{
		"started by a seal":            {bySeal, "a firing: signed"},
		"goes on from such a run":      {signature.Unsigned(workflows.IncidentInput{Signed: true}), "a firing: signed"},
		"from before there were seals": {signature.Unsigned(workflows.IncidentInput{}), "a firing: elsewhere"},
	} {
		c.tell(nil, history{
			started(tc.start), sealed(workflowID, "signed"), told(2, of("a", alert.Firing, 1, "not signed")), sealed("incident/other", "elsewhere"),
		})
		got, err := s.Alerts(t.Context(), open, starter.AlertFilter{})
		if err != nil || found(got) != tc.want {
			t.Errorf("%s: got %s, %v; want %s", name, found(got), err, tc.want)
		}
	}
}

// Whatever is told in whatever order, the state of an incident and its alerts say the same.
func TestAlertsAgreeWithTheState(t *testing.T) {
	draw := func(t *rapid.T, n int) alert.Received {
		r := of(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "fp"),
			rapid.SampledFrom([]alert.State{alert.Firing, alert.Resolved}).Draw(t, "state"), rapid.IntRange(1, 3).Draw(t, "began"), fmt.Sprint(n))
		r.Times = rapid.IntRange(1, 3).Draw(t, "times")
		return r
	}
	c, s := one(t)
	rapid.Check(t, func(t *rapid.T) {
		var set alert.Set
		var runs [2]history
		for n := range rapid.IntRange(1, 12).Draw(t, "batches") {
			b := alert.Batch{ReceivedAt: minute(10 + n), Alerts: []alert.Received{draw(t, n), draw(t, n)}}
			set.Apply(b)
			which := &runs[min(n/6, 1)]
			*which = append(*which, signalled(workflows.AlertsSignal, b))
		}
		c.tell(runs[0], runs[1])
		got, err := s.Alerts(t.Context(), open, starter.AlertFilter{Limit: 9})
		if err != nil || len(got.Found) != len(set.Full) {
			t.Fatalf("got %s, %v", found(got), err)
		}
		type seen struct {
			fingerprint        string
			state              alert.State
			times              int
			began, first, last time.Time
		}
		for n, h := range set.Full {
			a := got.Found[n]
			is, want := seen{a.Fingerprint, a.State, a.Times, a.StartsAt, a.First, a.Last}, seen{h.Fingerprint, h.State, h.Times, h.StartsAt, h.First, h.Last}
			if is != want {
				t.Fatalf("got %+v, want %+v", is, want)
			}
		}
	})
}
