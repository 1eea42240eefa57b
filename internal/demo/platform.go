package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/outbound"
	"muster/internal/timeline"
	"muster/starter/api"
)

// The second act: the platform of two customers, who have bought different plans, is down. One of them calls.

const (
	premium  = "garam/it-desk"                                                           // told and asked by the engine
	standard = "nuri/service-desk"                                                       // only people write to this one …
	reader   = "nuri/it-manager"                                                         // … which has a second contact, who reads Korean
	receipt  = "CS-2026-1182"                                                            // under which the call was taken
	remedy   = "A storage node of the platform had failed. It is replaced, and watched." // what the customers are told
)

// phone is what the front line enters while the customer is on the phone.
func (s *story) phone(ctx context.Context) error {
	now := time.Now()
	o, err := s.api.Open(ctx, api.NewIncident{
		Service: "seoul-platform", Title: "The platform does not answer", Customers: []string{"garam", "nuri"}, Customer: "garam", Channel: "phone", Receipt: receipt,
		Received: now.Add(-5 * time.Second), Occurred: now.Add(-time.Minute), NoticedBy: "the floor manager of 가람유통", Text: "nobody can pay",
	}, "")
	if err != nil {
		return err
	}
	s.phoned = o.ID
	if len(o.RespondBy) != 2 || o.Receipt != receipt {
		return fmt.Errorf("the caller is told %+v", o)
	}
	for _, r := range o.RespondBy {
		s.say("     %s: a response by %s\n", r.Customer, r.Due.Local().Format(time.TimeOnly))
	}
	if within := o.RespondBy[0].Due.Sub(o.Received); within != 20*time.Second || !o.RespondBy[1].Due.After(o.RespondBy[0].Due) {
		return fmt.Errorf("the first response is due %s after the receipt, and both are %+v", within, o.RespondBy)
	}
	return nil
}

// lookAt waits until an incident is as it should be.
func (s *story) lookAt(ctx context.Context, id *incident.ID, check func(*incident.Incident) bool) error {
	return until(ctx, func() (bool, error) {
		i, err := s.api.Incident(ctx, *id)
		if err != nil {
			return false, err
		}
		return check(i), nil
	})
}

func (s *story) isLed(ctx context.Context) error {
	return s.lookAt(ctx, &s.phoned, func(i *incident.Incident) bool {
		has := func(r incident.Role, person string) bool {
			return slices.ContainsFunc(i.Holders, func(h incident.Holder) bool { return h.Role == r && h.Person == person })
		}
		return has(incident.CommunicationsManager, "choi") && has(incident.SupportManager, s.second.ID)
	})
}

// firesToo is the alert of the same outage.
func (s *story) firesToo(ctx context.Context) error {
	if err := s.post(ctx, "firing.json"); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		page, err := s.api.List(ctx, api.Filter{Open: true})
		for _, row := range page.Incidents {
			if row.ID != s.phoned && row.ID != s.id && row.Service == "garam-shop" {
				s.alerted = row.ID
			}
		}
		return s.alerted != "", err
	})
}

func (s *story) merges(ctx context.Context) error {
	if _, err := s.api.Do(ctx, s.phoned, incident.Acknowledge{}, ""); err != nil {
		return err
	}
	if _, err := s.api.Do(ctx, s.alerted, incident.Merge{Into: s.phoned, Reason: "the shop runs on the platform"}, ""); err != nil {
		return err
	}
	err := s.lookAt(ctx, &s.alerted, func(i *incident.Incident) bool { return i.Status == incident.Merged })
	if err != nil {
		return err
	}
	return s.lookAt(ctx, &s.phoned, func(i *incident.Incident) bool { return len(i.Merged) == 1 && i.Alerts.Firing == 1 })
}

// passesOn sends one more alert to the group of the merged incident.
func (s *story) passesOn(ctx context.Context) error {
	if err := s.post(ctx, "firing-second.json"); err != nil {
		return err
	}
	return s.lookAt(ctx, &s.phoned, func(i *incident.Incident) bool { return i.Alerts.Firing == 2 })
}

// handsOver gives the incident to the first on-call, who shows up.
func (s *story) handsOver(ctx context.Context) error {
	const note = "The provider of the storage is on the line."
	if _, err := s.api.Do(ctx, s.phoned, incident.Assign{Role: incident.IncidentManager, Person: s.first.ID, Note: note}, ""); err != nil {
		return err
	}
	if err := s.gets(delivery.Assignment, s.first.ID, 1)(ctx); err != nil {
		return err
	}
	colleague, err := s.as(ctx, s.first.ID)
	if err != nil {
		return err
	}
	if _, err := colleague.Do(ctx, s.phoned, incident.Note{Text: "I have it."}, ""); err != nil {
		return err
	}
	return s.lookAt(ctx, &s.phoned, func(i *incident.Incident) bool {
		return slices.ContainsFunc(i.Timeline.Entries, func(e timeline.Entry) bool { return e.Kind == timeline.RoleAccepted && e.Actor.ID == s.first.ID })
	})
}

// as is the API for somebody else.
func (s *story) as(ctx context.Context, actor string) (*api.Client, error) {
	made, err := s.admin.CreateToken(ctx, api.NewToken{Actor: actor, Label: "demo"})
	if err != nil {
		return nil, err
	}
	return api.NewClient(s.url, made.Secret)
}

func (s *story) blames(ctx context.Context) error {
	if _, err := s.api.Do(ctx, s.phoned, incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "a storage node has failed"}, ""); err != nil {
		return err
	}
	if err := s.gets(delivery.VendorCall, "skyhost/support", 1)(ctx); err != nil {
		return err
	}
	_, err := s.api.Do(ctx, s.phoned, incident.RecordCase{Vendor: "skyhost", Reference: "SR-4711", Text: "the node is replaced"}, "")
	return err
}

func (s *story) isOver(ctx context.Context) error {
	_, err := s.api.Do(ctx, s.phoned, incident.Resolve{Note: "The node is replaced, payments work."}, "")
	if err == nil {
		err = s.gets(delivery.AllClear, premium, 2)(ctx) // one of the first act
	}
	if err == nil {
		_, err = s.api.Do(ctx, s.phoned, incident.SendUpdate{Customer: "nuri", Text: "The platform works again."}, "")
	}
	return err
}

// sendsReports checks that each customer has a report of its own, which says nothing of the other.
func (s *story) sendsReports(ctx context.Context) error {
	if _, err := s.api.Do(ctx, s.phoned, incident.SendReport{Text: remedy}, ""); err != nil {
		return err
	}
	for contact, other := range map[string]string{premium: "Nuri", standard: "가람유통", reader: "가람유통"} {
		var got outbound.Delivery
		err := until(ctx, func() (found bool, err error) {
			got, found = s.sink.last(delivery.ResultReport, contact)
			return found && got.Message.Incident == string(s.phoned), nil
		})
		if err != nil {
			return fmt.Errorf("to %s: %w", contact, err)
		}
		if len(got.Attachments) != 1 || !bytes.HasPrefix(got.Attachments[0].Content, []byte("%PDF-")) {
			return fmt.Errorf("to %s: %d documents came along, and not one PDF", contact, len(got.Attachments))
		}
		text, err := s.pageOf(ctx, got.Attachments[0].SHA256)
		if err != nil {
			return fmt.Errorf("to %s: %w", contact, err)
		}
		if !strings.Contains(text, remedy) || strings.Contains(text, other) || strings.Contains(text, s.second.Name) {
			return fmt.Errorf("the report to %s lacks what was done, or holds what is not for it", contact)
		}
		s.say("     %s: %s in %s, SHA-256 %.12s…\n", contact, got.Attachments[0].Name, got.Recipient.Language, got.Attachments[0].SHA256)
	}
	return nil
}

// pageOf reads the page that a result report was written as beside the PDF with a SHA-256.
func (s *story) pageOf(ctx context.Context, sum string) (string, error) {
	i, err := s.api.Incident(ctx, s.phoned)
	if err != nil {
		return "", err
	}
	for _, r := range i.Results {
		for _, f := range r.Files {
			if f.SHA256 == sum {
				page, err := os.ReadFile(filepath.Join(s.folder, "data", "reports", filepath.FromSlash(strings.TrimSuffix(f.Name, ".pdf")+".html")))
				return string(page), err
			}
		}
	}
	return "", fmt.Errorf("no result report has the SHA-256 %s", sum)
}

// isFixed lets the customer that is asked answer. The other one is not asked, so the time for reopening goes by.
func (s *story) isFixed(ctx context.Context) error {
	customer, err := s.as(ctx, premium)
	if err != nil {
		return err
	}
	_, hidden := customer.Incident(ctx, s.alerted)
	if hidden != nil {
		return fmt.Errorf("the customer reads its own incident: %w", hidden)
	}
	seen, err := customer.Incident(ctx, s.phoned)
	if err != nil {
		return err
	}
	if len(seen.Definition.Customers) != 1 || seen.Cause != nil || len(seen.Cases) > 0 {
		return errors.New("the customer sees what is not its own")
	}
	_, err = customer.Do(ctx, s.phoned, incident.Answer{Answer: incident.Fixed}, "")
	return err
}

func (s *story) bothEnd(ctx context.Context) error {
	for _, id := range []*incident.ID{&s.phoned, &s.alerted} {
		if err := s.lookAt(ctx, id, func(i *incident.Incident) bool { return i.Ended() }); err != nil {
			return err
		}
	}
	return s.sink.faults()
}

// platform is the second act.
func (s *story) platform() []scene {
	return []scene{
		{"a customer calls: two customers are affected, and the caller hears until when each gets a response", s.phone},
		{"the customer that called is told that its report was received", s.gets(delivery.Receipt, premium, 1)},
		{"communications and support manager are given to somebody at once", s.isLed},
		{"an alert of the same outage opens an incident of its own", s.firesToo},
		{"it is merged into the one that was reported, which has its alert and is taken already", s.merges},
		{"what still reaches it is passed on", s.passesOn},
		{"its manager hands over to a colleague with a note, who shows up", s.handsOver},
		{"the cause lies with a vendor: it is called, and its answer is recorded", s.blames},
		{"it is resolved, and both customers get the all-clear", s.isOver},
		{"each customer gets an incident result report of its own, and nothing of the other", s.sendsReports},
		{"the customer that is asked says that it is fixed", s.isFixed},
		{"both incidents are closed, and every signature was right", s.bothEnd},
	}
}
