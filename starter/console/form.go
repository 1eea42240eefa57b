package console

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/store"
	"muster/internal/supportplan"
	"muster/starter"
)

// Bounds of what somebody writes into a form, in characters. A character has four bytes at most.
const (
	maxTitle     = 200
	maxText      = incident.MaxText / 4
	maxReceipt   = 100
	maxNoticedBy = 66
)

// wall is how a browser writes an instant of a clock on the wall, with seconds only when there are some.
const wall = "2006-01-02T15:04"

// formKeys are the keys that forms are given.
var formKeys = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// A choice is one of several in a form.
type choice struct {
	ID, Name string
	Chosen   bool
}

// A reporting is the data of the form by which somebody reports an incident. Faults name the words for what is wrong with a field.
type reporting struct {
	Person    string // whose form it is
	Staff     bool   // reports for customers, and not for itself
	Key       string // of the request: whatever is sent twice under one is one incident
	Zone      string // in which times are read
	Services  []choice
	Customers []choice // that are affected
	Reporters []choice // of whom one has reported it
	Channels  []choice

	Title, Text, Occurred, Received, Receipt, NoticedBy string

	Notice   string            // words for what is wrong with the whole; empty: nothing
	Affected string            // the customers of the chosen service
	Faults   map[string]string // by field
	First    string            // field with a fault

	MaxTitle, MaxText, MaxReceipt, MaxNoticedBy int
}

// A reported is the data of the page that says what was reported, and what can be told back.
type reported struct {
	Person                string // whose form it is
	ID, Receipt, Received string
	Priority, Code        string // for the staff
	Staff                 bool
	Answers               []answerBy
	Again                 string // path of the form
}

// An answerBy is until when somebody answers a customer.
type answerBy struct {
	Customer, Due string
	Begins        string // when its hours open, if they were closed at the receipt
	Late          bool   // that has passed already
}

// openForm shows an empty form.
func (c *Console) openForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := reporting{Key: rand.Text(), Received: c.cfg.Now().In(c.cfg.Organisation().Zone).Format(wall)}
	return c.showForm(w, r, http.StatusOK, v, f, starter.NewIncident{})
}

// sendForm opens the incident that a form reports. The same form sent twice is one incident.
func (c *Console) sendForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	o := c.cfg.Organisation()
	f, asked := filled(r, v, o)
	if !formKeys.MatchString(f.Key) {
		return &refusal{status: http.StatusBadRequest, name: "form"}
	}
	if len(f.Faults) > 0 {
		return c.showForm(w, r, http.StatusUnprocessableEntity, v, f, asked)
	}
	content, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	if c.forms.Wait(v.ID) > 0 {
		f.Notice = "report.often"
		return c.showForm(w, r, http.StatusTooManyRequests, v, f, asked)
	}
	req := starter.Request{ID: "form/" + f.Key + "/" + link.Hash(v.Person, string(content)), By: v.by.Actor, Via: "link:" + v.ID}
	desk := starter.Desk{Incidents: c.cfg.Incidents, Directory: o, Now: c.cfg.Now}
	opened, err := desk.Open(r.Context(), v.by, req, asked)
	c.cfg.Log.Info("form sent", "incident", opened.ID, "service", asked.Service, "actor", v.Person, "link", v.ID, "error", err)
	if denied, ok := errors.AsType[*authority.DeniedError](err); ok {
		return c.deny(r, v, denied)
	}
	if refused, ok := errors.AsType[*starter.RefusedError](err); ok && refused.Field == "receipt" {
		f.fault("receipt", "report.known")
		return c.showForm(w, r, http.StatusConflict, v, f, asked)
	}
	if faulty, ok := errors.AsType[*starter.FaultyError](err); ok {
		for _, fault := range faulty.Faults {
			f.fault(fault.Field, "report.fault."+fault.Field)
		}
		return c.showForm(w, r, http.StatusUnprocessableEntity, v, f, asked)
	}
	if err != nil {
		no := c.refusalOf(r, err)
		if no.status != http.StatusServiceUnavailable {
			return no
		}
		f.Notice = "report.away" // what was written stays on the page, to be sent again under the same key
		return c.showForm(w, r, no.status, v, f, asked)
	}
	c.showReported(w, r, v, opened)
	return nil
}

// deny keeps that somebody may not report, and answers with it.
func (c *Console) deny(r *http.Request, v *visit, err error) error {
	c.note(r, store.AttemptDenied, v.Person, v.ID, string(authority.Open), err.Error())
	return &refusal{status: http.StatusForbidden, name: "link.may-not"}
}

// reportable lists the services of which somebody may report an incident: a customer its own, others those that authority allows.
func reportable(o *org.Organisation, by authority.Subject) []org.Service {
	return slices.DeleteFunc(o.Services(), func(s org.Service) bool {
		about := authority.Object{Kind: authority.Incident, Partners: o.Partners(s.ID)}
		for _, c := range s.Customers {
			about.Customers = append(about.Customers, c.ID)
		}
		return authority.May(by, authority.Open, about) != nil
	})
}

func (f *reporting) fault(field, words string) {
	f.Notice = "report.wrong"
	if f.Faults == nil {
		f.Faults = map[string]string{}
	}
	f.Faults[field] = words
}

// filled reads what somebody has filled in. What only the staff fills in is not read from others.
func filled(r *http.Request, v *visit, o *org.Organisation) (f reporting, asked starter.NewIncident) {
	text := func(field string, most int) string {
		s := tidy(r.PostForm.Get(field))
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
			f.fault(field, "report.fault."+field)
			s = strings.ToValidUTF8(s, "")
		}
		return s
	}
	at := func(field string) (string, time.Time) {
		s := r.PostForm.Get(field)
		if s == "" {
			return "", time.Time{}
		}
		t, err := time.ParseInLocation(wall, s, o.Zone)
		if err != nil {
			t, err = time.ParseInLocation(wall+":05", s, o.Zone)
		}
		if err != nil {
			f.fault(field, "report.fault."+field)
		}
		return s, t
	}
	f.Key = r.PostForm.Get("key")
	f.Title, f.Text, f.NoticedBy = text("title", maxTitle), text("text", maxText), text("noticed_by", maxNoticedBy)
	asked = starter.NewIncident{Service: r.PostForm.Get("service"), Title: f.Title, Text: f.Text, NoticedBy: f.NoticedBy}
	f.Occurred, asked.Occurred = at("occurred")
	if strings.ContainsAny(f.Title, "\n\t") || f.Title == "" {
		f.fault("title", "report.fault.title")
	}
	if !slices.ContainsFunc(reportable(o, v.by), func(s org.Service) bool { return s.ID == asked.Service }) {
		f.fault("service", "report.fault.service")
	}
	if v.by.Kind == authority.Customer {
		return f, asked
	}
	f.Received, asked.Received = at("received")
	f.Receipt = text("receipt", maxReceipt)
	asked.Receipt, asked.Customer, asked.Channel = f.Receipt, r.PostForm.Get("customer"), supportplan.Channel(r.PostForm.Get("channel"))
	if asked.Channel != "" && !slices.Contains(incident.Channels(), asked.Channel) {
		f.fault("channel", "report.fault.channel")
	}
	asked.Customers = r.PostForm["customers"]
	return f, asked
}

// showForm shows a form, with what was filled in and what is wrong with it.
func (c *Console) showForm(w http.ResponseWriter, r *http.Request, status int, v *visit, f reporting, asked starter.NewIncident) error {
	o := c.cfg.Organisation()
	services := reportable(o, v.by)
	if len(services) == 0 {
		return c.deny(r, v, authority.May(v.by, authority.Open, authority.Object{Kind: authority.Incident}))
	}
	p := c.page(r, "report", "report.form", v.Person)
	f.Person, f.Staff = v.by.Actor.Shown(), v.by.Kind != authority.Customer
	f.Zone = o.Zone.String() + " (" + c.cfg.Now().In(o.Zone).Format("MST") + ")"
	f.MaxTitle, f.MaxText, f.MaxReceipt, f.MaxNoticedBy = maxTitle, maxText, maxReceipt, maxNoticedBy
	for _, s := range services {
		f.Services = append(f.Services, choice{s.ID, s.Name, s.ID == asked.Service || len(services) == 1})
		if !f.Staff {
			continue
		}
		for _, customer := range s.Customers {
			if s.ID == asked.Service {
				f.Affected += map[bool]string{true: ", "}[f.Affected != ""] + customer.Name
			}
			if !slices.ContainsFunc(f.Customers, func(c choice) bool { return c.ID == customer.ID }) {
				f.Customers = append(f.Customers, choice{customer.ID, customer.Name, slices.Contains(asked.Customers, customer.ID)})
				f.Reporters = append(f.Reporters, choice{customer.ID, customer.Name, customer.ID == asked.Customer})
			}
		}
	}
	for _, channel := range incident.Channels() {
		f.Channels = append(f.Channels, choice{string(channel), c.cfg.Texts.Channel(channel, p.Language), channel == asked.Channel})
	}
	for _, field := range []string{
		"service", "title", "text", "occurred", "noticed_by", "customer", "customers", "channel", "receipt", "received",
	} {
		if f.First == "" && f.Faults[field] != "" {
			f.First = field
		}
	}
	p.Data = f
	c.show(w, r, status, p)
	return nil
}

// showReported says what can be told back to whoever has reported it.
func (c *Console) showReported(w http.ResponseWriter, r *http.Request, v *visit, opened starter.Opened) {
	p := c.page(r, "reported", "report.done", v.Person)
	zone := c.cfg.Organisation().Zone.String()
	d := reported{
		Person: v.by.Actor.Shown(), ID: string(opened.ID), Receipt: opened.Receipt, Staff: v.by.Kind != authority.Customer,
		Received: c.cfg.Texts.Moment(opened.Received, p.Language, zone), Again: p.here(r),
	}
	if d.Staff {
		d.Priority, d.Code = c.cfg.Texts.Priority(opened.Priority, p.Language), opened.Priority.String()
	}
	for _, by := range opened.RespondBy {
		a := answerBy{Customer: by.Customer, Due: c.cfg.Texts.Moment(by.Due, p.Language, zone), Late: by.Due.Before(c.cfg.Now())}
		if !by.Begins.IsZero() {
			a.Begins = c.cfg.Texts.Moment(by.Begins, p.Language, zone)
		}
		d.Answers = append(d.Answers, a)
	}
	p.Data = d
	c.show(w, r, http.StatusOK, p)
}
