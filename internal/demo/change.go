package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/incident"
	"muster/starter/api"
)

// An act of its own: a change that is approved beforehand, the calendar of changes, and one that cannot wait.

// changes is what has been asked for.
type changes struct {
	planned, emergency change.ID
	incident           incident.ID
}

func (s *story) changing() []scene {
	return []scene{
		{"a change that is approved beforehand is used within its scope, and begins approved", s.usesStandard},
		{"outside its scope it is refused, with what would be right", s.refusesStandard},
		{"a change stands in the calendar, with the freeze that it meets", s.plansChange},
		{"a change that cannot wait is begun by whoever manages the incident, and by nobody else", s.beginsEmergency},
		{"whoever has begun it may not approve it", s.refusesOwnVote},
		{"it is done, and another person approves it afterwards", s.approvesAfterwards},
		{"it counts as an emergency, and not as an exception", s.countsEmergency},
	}
}

const restart = "shop-node-restart"

func (s *story) usesStandard(ctx context.Context) error {
	if err := s.hire(ctx); err != nil {
		return err
	}
	c, err := s.crew.deployer.AskForChange(ctx, api.NewChange{Way: change.Standard, Standard: restart, Until: time.Now().Add(time.Hour)}, "")
	if err != nil {
		return err
	}
	if c.Status != change.Approved || c.PreApproved == nil || c.PreApproved.ApprovedBy == "" {
		return fmt.Errorf("it is %s, approved beforehand by %+v", c.Status, c.PreApproved)
	}
	if _, err = s.crew.deployer.AskChange(ctx, c.ID, "start", api.ChangeStart{}, ""); err == nil {
		_, err = s.crew.deployer.AskChange(ctx, c.ID, "done", api.ChangeDone{Note: "one node after the other"}, "")
	}
	if err != nil {
		return err
	}
	return s.changeIs(ctx, c.ID, func(c *change.Change) bool { return c.Status == change.Done })
}

func (s *story) changeIs(ctx context.Context, id change.ID, check func(*change.Change) bool) error {
	return until(ctx, func() (bool, error) {
		c, err := s.crew.lead.Change(ctx, id)
		return err == nil && check(&c), err
	})
}

func (s *story) refusesStandard(ctx context.Context) error {
	_, err := s.crew.deployer.AskForChange(ctx, api.NewChange{
		Way: change.Standard, Standard: restart, Services: []string{"seoul-platform"}, Until: time.Now().Add(time.Hour),
	}, "")
	return refused(err, "garam-shop")
}

// plansChange asks for a change that may run while the customer's environment is frozen.
func (s *story) plansChange(ctx context.Context) error {
	now := time.Now()
	c, err := s.crew.lead.AskForChange(ctx, api.NewChange{
		Title: "A larger pool of connections", Text: "200 instead of 100", Benefit: "no queue at noon", Undo: "100 again", UndoMinutes: 5,
		Services: []string{"garam-shop"}, Until: now.AddDate(0, 0, 364), // the freeze comes every year
	}, "")
	if err != nil {
		return err
	}
	s.changes.planned = c.ID
	all, err := s.crew.lead.ChangeCalendar(ctx, api.CalendarQuery{Filter: changecalendar.Filter{Service: "garam-shop"}, From: now, Until: now.AddDate(0, 0, 365)})
	if err != nil {
		return err
	}
	for _, e := range all.Entries {
		if e.ID == string(c.ID) && slices.ContainsFunc(e.Meets, func(m changecalendar.Meeting) bool { return m.Kind == changecalendar.Freeze }) {
			s.say("     it meets %s\n", e.Meets[0].Title)
			_, err := s.crew.lead.AskChange(ctx, c.ID, "withdraw", api.ChangeWithdrawal{Reason: "after the freeze"}, "")
			return err
		}
	}
	return fmt.Errorf("the calendar has %+v", all.Entries)
}

func (s *story) beginsEmergency(ctx context.Context) error {
	now := time.Now()
	o, err := s.api.Open(ctx, api.NewIncident{Service: "garam-shop", Title: "The pool of connections is used up", Received: now, Occurred: now, Text: "nobody gets through"}, "")
	if err != nil {
		return err
	}
	s.changes.incident = o.ID
	if _, err := s.api.Do(ctx, o.ID, incident.Acknowledge{}, ""); err != nil {
		return err
	}
	begin := api.NewChange{
		Way: change.Emergency, Title: "The pool back to 100", Text: "100 connections as before", Undo: "200 again", Services: []string{"garam-shop"},
		Incident: string(o.ID), Until: now.Add(time.Hour),
	}
	_, err = s.crew.manager.AskForChange(ctx, begin, "")
	if err := refused(err, "manager"); err != nil {
		return err
	}
	if _, err := s.api.Do(ctx, o.ID, incident.Assign{Role: incident.IncidentManager, Person: "park", Note: "You know the shop."}, ""); err != nil {
		return err
	}
	c, err := s.crew.lead.AskForChange(ctx, begin, "")
	if err != nil {
		return err
	}
	s.changes.emergency = c.ID
	return s.changeIs(ctx, c.ID, func(c *change.Change) bool { return c.Ballot != nil && !c.Began.IsZero() && !c.Due.IsZero() })
}

// vote votes for the emergency as it stands.
func (s *story) votes(ctx context.Context, who *api.Client) error {
	c, err := who.Change(ctx, s.changes.emergency)
	if err != nil {
		return err
	}
	if c.Ballot == nil {
		return errors.New("nobody is asked for a vote")
	}
	_, err = who.AskChange(ctx, c.ID, "vote", api.ChangeVote{Choice: approval.Approve, Shown: c.Ballot.Shown.SHA256}, "")
	return err
}

func (s *story) refusesOwnVote(ctx context.Context) error {
	return refused(s.votes(ctx, s.crew.lead), "want another person")
}

func (s *story) approvesAfterwards(ctx context.Context) error {
	if _, err := s.crew.lead.AskChange(ctx, s.changes.emergency, "done", api.ChangeDone{Note: "the queue is gone"}, ""); err != nil {
		return err
	}
	if err := s.votes(ctx, s.crew.manager); err != nil {
		return err
	}
	return s.changeIs(ctx, s.changes.emergency, func(c *change.Change) bool { return c.Status == change.Done && c.Counted && c.Exception == "" })
}

func (s *story) countsEmergency(ctx context.Context) error {
	if _, err := s.api.Do(ctx, s.changes.incident, incident.Resolve{Note: "The pool is as before."}, ""); err != nil {
		return err
	}
	err := s.lookAt(ctx, &s.changes.incident, func(i *incident.Incident) bool { return i.Status == incident.Resolved })
	if err == nil {
		_, err = s.api.Do(ctx, s.changes.incident, incident.Close{Without: "nobody has noticed it"}, "")
	}
	if err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		all, err := s.crew.lead.Changes(ctx, api.ChangeFilter{Way: change.Emergency, Limit: api.MaxRows})
		if err != nil {
			return false, err
		}
		exceptions, err := s.crew.lead.Changes(ctx, api.ChangeFilter{Exceptions: true, Limit: api.MaxRows})
		return len(all.Changes) == 1 && all.Changes[0].ID == s.changes.emergency && len(exceptions.Changes) == 0, err
	})
}
