// Package servicenow keeps tickets as records of a table in ServiceNow, by its Table API.
package servicenow

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Table is where records are opened.
type Table struct {
	Guard      outbound.Guard
	Timeout    time.Duration     // of one request
	URL        string            // of the instance, such as https://mirnet.service-now.com
	User       string            // of basic authentication; empty: the token is a bearer token
	Token      string            // secret: password or token
	Name       string            // Incidents or Changes
	Journal    string            // where comments go: "work_notes", which customers do not see, or "comments"
	States     map[string]string // by Muster's statuses; one that is not there moves nothing
	Priorities map[string]string // by Muster's: impact/urgency, such as "1/2"; one that is not there sets neither
	CloseCode  string            // of a record that is resolved or closed
	Fields     map[string]any    // others that a new record needs
}

// The tables.
const (
	Incidents = "incident"
	Changes   = "change_request"
)

// States are the usual ones of a table. What is triggered again has been worked on: it is in progress, as when somebody reopens it in
// ServiceNow; a new record stays as it is born. The states of a change follow its model and its approvals, so nothing moves it.
func States(table string) map[string]string {
	if table == Incidents {
		return map[string]string{"triggered": "2", "acknowledged": "2", "mitigated": "2", "resolved": "6", "closed": "7", "merged": "6"}
	}
	return nil
}

// Priorities are the usual ones of incidents: ServiceNow makes a priority of impact and urgency.
func Priorities() map[string]string {
	return map[string]string{"P1": "1/1", "P2": "1/2", "P3": "2/2", "P4": "2/3", "P5": "3/3"}
}

const (
	longTitle = 160
	longText  = 4000
)

var safeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// record is a record as the API tells it: every value is a text.
type record struct {
	ID      string `json:"sys_id"`
	Number  string `json:"number"`
	State   string `json:"state"`
	Key     string `json:"correlation_id"`
	Display string `json:"correlation_display"`
}

const fields = "sys_id,number,state,correlation_id,correlation_display"

// Open finds the record of the ticket by its correlation ID, or makes one.
func (s *Table) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	if !ticket.SafeKey(t.Key) {
		return ticket.Ref{}, &delivery.Refusal{Detail: fmt.Sprintf("ticket %q cannot be asked for by this name", t.Key)}
	}
	q := url.Values{"sysparm_query": {"correlation_id=" + t.Key + "^ORDERBYsys_created_on"}, "sysparm_limit": {"1"}, "sysparm_fields": {fields}}
	var all []record
	if err := s.call(ctx, http.MethodGet, "?"+q.Encode(), nil, &all); err != nil {
		return ticket.Ref{}, err
	}
	if all == nil {
		return ticket.Ref{}, &delivery.Unavailable{Detail: "the answer to a search is not what the API of ServiceNow says"}
	}
	if len(all) == 0 {
		made, err := s.create(ctx, t)
		if err != nil {
			return ticket.Ref{}, err
		}
		all = append(all, made)
	}
	there := all[0]
	if !safeID.MatchString(there.ID) || there.Key != t.Key {
		return ticket.Ref{}, &delivery.Unavailable{Detail: "the answer to a search is not what the API of ServiceNow says"}
	}
	ref := ticket.Ref{ID: there.ID, URL: outbound.Link(strings.TrimRight(s.URL, "/") + "/" + s.Name + ".do?sys_id=" + there.ID)}
	return ref, s.bring(ctx, there, t)
}

// Update brings the record up to date.
func (s *Table) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if !safeID.MatchString(ref.ID) || !ticket.SafeKey(t.Key) {
		return &delivery.Refusal{Detail: fmt.Sprintf("record %q cannot be asked for by this name", ref.ID)}
	}
	var there record
	if err := s.call(ctx, http.MethodGet, "/"+ref.ID+"?sysparm_fields="+fields, nil, &there); err != nil {
		return err
	}
	if there.ID != ref.ID {
		return &delivery.Unavailable{Detail: "the answer is about another record than was asked for"}
	}
	return s.bring(ctx, there, t)
}

// create makes the record, in the state in which all are born.
func (s *Table) create(ctx context.Context, t ticket.Ticket) (record, error) {
	want := maps.Clone(s.Fields)
	if want == nil {
		want = map[string]any{}
	}
	maps.Copy(want, s.fields(t))
	m := t.Mark()
	if t.Status != "triggered" {
		m.Revision = 0 // the update that follows moves it
	}
	want["correlation_id"], want["correlation_display"] = t.Key, m.String()
	var made record
	if err := s.call(ctx, http.MethodPost, "?sysparm_fields="+fields, want, &made); err != nil {
		return record{}, err
	}
	if made.ID != "" && (made.Key != t.Key || made.Display != m.String()) { // what a user may not write is left out without a word
		return record{}, &delivery.Refusal{Detail: fmt.Sprintf("%s cannot be found again: the user may not write correlation_id and correlation_display", made.Number)}
	}
	return made, nil
}

// bring makes a record say what t says. ServiceNow takes it all at once or not at all: comment, state and mark.
func (s *Table) bring(ctx context.Context, there record, t ticket.Ticket) error {
	m := ticket.FindMark(there.Display, t.Key)
	if m.Revision >= t.Revision {
		return nil
	}
	want := s.fields(t)
	want["correlation_display"] = t.Mark().String()
	if m.Told(t) {
		want[s.Journal] = t.Note
	}
	state, moves := s.States[t.Status]
	if moves && there.State != state {
		want["state"] = state
		if !open(t.Status) {
			want["close_code"], want["close_notes"] = s.CloseCode, ticket.Cut(t.Title+"\n"+t.Note, longText)
		}
	}
	var now record
	if err := s.call(ctx, http.MethodPatch, "/"+there.ID+"?sysparm_fields="+fields, want, &now); err != nil {
		return err
	}
	switch {
	case now.ID != there.ID:
		return &delivery.Unavailable{Detail: "the answer is about another record than was asked for"}
	case moves && now.State != state:
		return &delivery.Refusal{Detail: fmt.Sprintf("%s stays in state %s, and does not go to %s: a rule of the table does not let this user", now.Number, now.State, state)}
	}
	return nil
}

func open(status string) bool {
	return status == "triggered" || status == "acknowledged" || status == "mitigated"
}

// fields are those that Muster keeps up to date.
func (s *Table) fields(t ticket.Ticket) map[string]any {
	text := ticket.Cut(t.Text, longText)
	if t.URL != "" {
		text += "\n\nMuster: " + t.URL
	}
	f := map[string]any{"short_description": t.Heading(longTitle), "description": text}
	if impact, urgency, ok := strings.Cut(s.Priorities[t.Priority], "/"); ok {
		f["impact"], f["urgency"] = impact, urgency
	}
	return f
}

// call asks for records of the table.
func (s *Table) call(ctx context.Context, method, path string, body, into any) error {
	if s.Name != Incidents && s.Name != Changes {
		return &delivery.Refusal{Detail: "table " + strconv.Quote(s.Name) + " has no tickets"}
	}
	api := outbound.API{Name: "ServiceNow", Guard: s.Guard, Timeout: s.Timeout, URL: s.URL, Secrets: []string{s.Token}}
	if s.User != "" {
		both := base64.StdEncoding.EncodeToString([]byte(s.User + ":" + s.Token))
		api.Header, api.Secrets = map[string]string{"Authorization": "Basic " + both}, append(api.Secrets, both)
	} else {
		api.Header = map[string]string{"Authorization": "Bearer " + s.Token}
	}
	answer := struct {
		Result any `json:"result"`
	}{into}
	if err := api.Call(ctx, method, "/api/now/table/"+s.Name+path, body, &answer); err != nil {
		return err
	}
	if answer.Result == nil {
		return &delivery.Unavailable{Detail: "the answer is not what the API of ServiceNow says"}
	}
	return nil
}
