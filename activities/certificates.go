package activities

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/supportplan"
)

// A CertificateDirectory knows also which certificates customers have to renew.
type CertificateDirectory interface {
	Directory
	// Contracts returns what every customer has bought, with its certificates.
	Contracts() []supportplan.Contract
	// Today returns which day it is for the organisation at an instant.
	Today(at time.Time) calendar.Date
}

// A CertificateWriter writes reminders of certificates. With an error it still returns the bare facts.
type CertificateWriter interface {
	Certificate(c supportplan.Certificate, today calendar.Date, to delivery.Recipient) (delivery.Message, error)
}

// Certificates finds out which customers have to be reminded of a certificate, and writes what they read. It is quick and
// local.
type Certificates struct {
	Directory func() CertificateDirectory
	Writer    CertificateWriter
}

// RemindersDueInput asks for the reminders that are due and have not gone out.
type RemindersDueInput struct {
	Done   *calendar.Date  `json:"done,omitempty"` // until this day they have; nil: until yesterday
	At     time.Time       `json:"at"`
	Seen   incident.Folder `json:"seen"`             // the newest folder that any run has had an answer from
	Anyway bool            `json:"anyway,omitempty"` // takes an older folder too
	After  string          `json:"after,omitempty"`  // ID of the last reminder of the page before
}

// RemindersDue is one page of reminders, in the order of their IDs.
type RemindersDue struct {
	Folder    incident.Folder `json:"folder"`
	Until     calendar.Date   `json:"until"` // the day until which these are all, today
	Reminders []DueReminder   `json:"reminders,omitempty"`
	More      bool            `json:"more,omitempty"`
}

// A DueReminder is for one contact of a customer.
type DueReminder struct {
	// ID is that of the certificate and the day on which the reminder fell due: it stays the same whenever, and however often,
	// somebody asks.
	ID     string             `json:"id"`
	To     incident.Addressed `json:"to"`
	Detail string             `json:"detail,omitempty"` // what is wrong with it

	customer    string
	certificate supportplan.Certificate
}

const (
	// pageOfReminders is how many reminders an answer may have: it stands in the history with their texts.
	pageOfReminders = 50
	// furthestBack is how many days of reminders may be made up for, whoever says that they have not gone out.
	furthestBack = 92
)

// DueReminders returns what customers have to be reminded of. Several reminders of one certificate become the last of them: what
// is late says how many days are left now.
func (c *Certificates) DueReminders(_ context.Context, in RemindersDueInput) (RemindersDue, error) {
	dir := c.Directory()
	out := RemindersDue{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	today := dir.Today(in.At)
	from := today
	if in.Done != nil {
		from = max(*in.Done+1, today-furthestBack)
	}
	out.Until = max(today, from-1) // never back: where the zone has changed, a day is not done twice
	for _, contract := range dir.Contracts() {
		for _, cert := range contract.Certificates {
			due := supportplan.Reminders([]supportplan.Certificate{cert}, from, today+1)
			if len(due) == 0 {
				continue
			}
			r := DueReminder{
				ID:       fmt.Sprintf("certificate/%s/%s/%s/%s", contract.Customer, url.PathEscape(cert.Name), cert.Expires, due[len(due)-1].On),
				customer: contract.Customer, certificate: cert,
			}
			if r.ID > in.After {
				out.Reminders = append(out.Reminders, r)
			}
		}
	}
	slices.SortFunc(out.Reminders, func(a, b DueReminder) int { return cmp.Compare(a.ID, b.ID) })
	if out.More = len(out.Reminders) > pageOfReminders; out.More {
		out.Reminders = out.Reminders[:pageOfReminders]
	}
	for n := range out.Reminders {
		r := &out.Reminders[n]
		if err := c.write(dir, r, today); err != nil {
			r.Detail = err.Error()
		}
	}
	return out, nil
}

// write addresses a reminder and writes it.
func (c *Certificates) write(dir Directory, r *DueReminder, today calendar.Date) error {
	contacts, err := dir.CustomerContacts(r.customer)
	if err != nil {
		return err
	}
	id := r.customer + "/" + r.certificate.Contact
	n := slices.IndexFunc(contacts, func(to delivery.Recipient) bool { return to.ID == id })
	if n < 0 {
		return fmt.Errorf("contact %s: not among those of the customer", id)
	}
	if r.To.To = contacts[n]; len(r.To.To.Methods) == 0 {
		return fmt.Errorf("contact %s: no contact method", id)
	}
	if r.To.Message, err = c.Writer.Certificate(r.certificate, today, r.To.To); err != nil {
		return fmt.Errorf("write message to %s: %w", id, err)
	}
	return nil
}
