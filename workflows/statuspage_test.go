package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/posting"
	"muster/internal/timeline"
	"muster/workflows"
)

// page is a status page that remembers.
type page struct {
	away, refuses int // how many more posts fail
	said          []string
}

func (p *page) Post(_ context.Context, post posting.Posting) (string, error) {
	if p.refuses--; p.refuses >= 0 {
		return "", &delivery.Refusal{Detail: "401 Unauthorized"}
	}
	if p.away--; p.away >= 0 {
		return "", &delivery.Unavailable{Detail: "503 Service Unavailable"}
	}
	p.said = append(p.said, fmt.Sprintf("%d %s %q", post.Revision, post.Status, post.Ref))
	return "page-1", nil
}

// public is a definition whose service stands on a status page.
func public() *incident.Definition {
	def := definition()
	def.Communication = &incident.Communication{Pages: []incident.StatusPage{{ID: "public", Name: "Payments"}}}
	return def
}

func TestAStatusPageFollowsTheIncident(t *testing.T) {
	r := rehearse(t)
	r.page.away = 3 // of several attempts one arrives
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 10*time.Minute, workflows.SendUpdateUpdate, park, incident.SendUpdate{Text: "We are at it.", Public: true})
	ask(r, 20*time.Minute, workflows.SendUpdateUpdate, park, incident.SendUpdate{Text: "We know why.", Status: incident.Identified})
	r.alerts(40*time.Minute, ended("a", 0))
	r.run(workflows.IncidentInput{Definition: public()})
	r.wantDone()
	if want := []string{`1 investigating ""`, `2 identified "page-1"`, `3 resolved "page-1"`}; !slices.Equal(r.page.said, want) {
		t.Errorf("the page says %v, want %v", r.page.said, want)
	}
	if got := r.entries(timeline.PagePosted); len(got) != 3 || got[0].Actor != park || got[2].Actor != timeline.Muster() {
		t.Errorf("the timeline says %+v", got)
	}
}

func TestAStatusPageThatRefuses(t *testing.T) {
	r := rehearse(t)
	r.page.refuses = 1
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 10*time.Minute, workflows.SendUpdateUpdate, park, incident.SendUpdate{Text: "We are at it.", Public: true})
	r.look(11*time.Minute, func(i *incident.Incident) {
		if got := r.entries(timeline.PageFailed); len(got) != 1 || i.Status != incident.Acknowledged {
			t.Errorf("the timeline says %+v", got)
		}
		if !slices.Contains(r.got(), "reminder park") {
			t.Errorf("whoever leads is not told: %v", r.got())
		}
	})
	r.alerts(40*time.Minute, ended("a", 0))
	r.run(workflows.IncidentInput{Definition: public()})
	r.wantDone()
	if want := []string{`2 resolved ""`}; !slices.Equal(r.page.said, want) {
		t.Errorf("the page says %v, want %v", r.page.said, want)
	}
}

// A run that takes over posts again what has no outcome, and so does one that begins while a page is behind.
func TestAStatusPageAcrossRuns(t *testing.T) {
	def := public()
	i, err := incident.Open("INC-TEST", *def, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Do("1", incident.SendUpdate{Text: "We are at it.", Public: true}, park, start); err != nil {
		t.Fatal(err)
	}
	i.Advance(start)
	r := rehearse(t)
	ask(r, time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{State: i})
	r.wantDone()
	if want := []string{`1 investigating ""`, `2 resolved "page-1"`}; !slices.Equal(r.page.said, want) {
		t.Errorf("the page says %v, want %v", r.page.said, want)
	}
}

func TestATextWaitsForItsApproval(t *testing.T) {
	def := public()
	def.Communication.Approval = &incident.ApprovalRule{Within: 15 * time.Minute}
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	sent := ask(r, 3*time.Minute, workflows.SendUpdateUpdate, park, incident.SendUpdate{Text: "We are at it.", Public: true})
	own, other := &answer{}, &answer{}
	r.at(4*time.Minute, func() {
		tell(r, own, "own", workflows.ApproveUpdateUpdate, park, incident.ApproveUpdate{SHA256: sent.receipt.Waits})
	})
	r.look(5*time.Minute, func(i *incident.Incident) {
		if len(r.page.said) != 0 || own.rejected != nil || own.failed == nil || len(r.entries(timeline.UpdateRefused)) != 1 {
			t.Errorf("said %v; its author's approval: %+v; the timeline %+v", r.page.said, own, r.entries(timeline.UpdateRefused))
		}
	})
	r.look(19*time.Minute, func(*incident.Incident) { // nobody has decided in 15 minutes
		if len(r.page.said) != 0 || len(r.entries(timeline.UpdateUnapproved)) != 1 {
			t.Errorf("said %v; the timeline %+v", r.page.said, r.entries(timeline.UpdateUnapproved))
		}
	})
	r.at(20*time.Minute, func() {
		tell(r, other, "other", workflows.ApproveUpdateUpdate, kim, incident.ApproveUpdate{SHA256: sent.receipt.Waits})
	})
	r.look(21*time.Minute, func(i *incident.Incident) {
		if want := []string{`1 investigating ""`}; !slices.Equal(r.page.said, want) || other.failed != nil || i.Proposed != nil {
			t.Errorf("said %v, answer %+v", r.page.said, other)
		}
	})
	r.alerts(40*time.Minute, ended("a", 0))
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}
