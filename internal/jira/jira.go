// Package jira keeps tickets as issues of a project in Jira: Cloud by its REST API 3, Data Center by its REST API 2.
package jira

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Project is where issues are opened.
type Project struct {
	Guard      outbound.Guard
	Timeout    time.Duration     // of one request
	URL        string            // of Jira, such as https://mirnet.atlassian.net
	User       string            // whose API token it is; empty: Data Center, with a personal access token
	Token      string            // secret
	Key        string            // of the project, such as OPS
	Type       string            // of issues, such as Incident
	Statuses   map[string]string // by Muster's: a status of the project; without one, the category of the status counts
	Priorities map[string]string // by Muster's; one that is not there sets none
	Resolution string            // to set on the way to what is done; empty: none
	Fields     map[string]any    // others that a new issue needs
}

const (
	rest      = 30 * time.Second // before looking for an issue whose answer was lost: the index needs a moment
	property  = "muster"         // of an issue, with its mark
	longTitle = 255
	longText  = 30_000
)

var (
	safeID  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,49}-[1-9][0-9]{0,17}$`)
	safeKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,49}$`)
)

// Priorities are those that Jira comes with.
func Priorities() map[string]string {
	return map[string]string{"P1": "Highest", "P2": "High", "P3": "Medium", "P4": "Low", "P5": "Lowest"}
}

// SafeKey tells whether a project may be called so.
func SafeKey(key string) bool { return safeKey.MatchString(key) }

type issue struct {
	Key    string `json:"key"`
	Fields struct {
		Status status   `json:"status"`
		Labels []string `json:"labels"`
	} `json:"fields"`
	Properties map[string]json.RawMessage `json:"properties"`
}

type status struct {
	Name     string `json:"name"`
	Category struct {
		Key string `json:"key"` // new, indeterminate or done
	} `json:"statusCategory"`
}

const done = "done"

func (s status) done() bool { return s.Category.Key == done }

func (p *Project) cloud() bool { return p.User != "" }

// Open finds the issue of the ticket, or makes one.
func (p *Project) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	if !SafeKey(p.Key) || !ticket.SafeKey(t.Key) {
		return ticket.Ref{}, &delivery.Refusal{Detail: fmt.Sprintf("project %q or ticket %q cannot be asked for by this name", p.Key, t.Key)}
	}
	key, err := p.find(ctx, t)
	if err == nil && key == "" {
		key, err = p.create(ctx, t)
	}
	if err != nil {
		return ticket.Ref{}, err
	}
	ref := ticket.Ref{ID: key, URL: outbound.Link(strings.TrimRight(p.URL, "/") + "/browse/" + key)}
	return ref, p.Update(ctx, ref, t)
}

// Update brings the issue up to date: its fields, a comment, its status, and then the mark that says so.
func (p *Project) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if !safeID.MatchString(ref.ID) || !ticket.SafeKey(t.Key) {
		return &delivery.Refusal{Detail: fmt.Sprintf("issue %q cannot be asked for by this name", ref.ID)}
	}
	path := "/issue/" + ref.ID
	var there issue
	if err := p.call(ctx, http.MethodGet, path+"?fields=status,labels&properties="+property, nil, &there); err != nil {
		return err
	}
	if there.Key == "" {
		return &delivery.Unavailable{Detail: "the answer to " + ref.ID + " is not what the API of Jira says"}
	}
	var m ticket.Mark
	_ = json.Unmarshal(there.Properties[property], &m) // what is not ours is old
	if m.Revision >= t.Revision {
		return nil
	}
	moved := false
	write := func() error {
		err := p.call(ctx, http.MethodPut, path, map[string]any{"fields": p.fields(t)}, nil)
		if there.Fields.Status.done() && !moved && delivery.IsRefusal(err) {
			return nil // what is done may be locked: then the comment says what is new
		}
		return err
	}
	move := func() (err error) { moved, err = p.move(ctx, path, there.Fields.Status, t); return err }
	note := func() error { return p.comment(ctx, path, m, t) }
	steps := []func() error{write, note, move}
	if there.Fields.Status.done() { // and has to be opened before anything else
		steps = []func() error{move, write, note}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return p.call(ctx, http.MethodPut, path+"/properties/"+property, t.Mark(), nil)
}

// label is by which an issue is found.
func label(t ticket.Ticket) string { return "muster-" + t.Key }

// find looks for the issue by its label, and returns its key.
func (p *Project) find(ctx context.Context, t ticket.Ticket) (string, error) {
	q := url.Values{
		"jql": {fmt.Sprintf(`project = "%s" AND labels = "%s" ORDER BY created ASC`, p.Key, label(t))}, "fields": {"labels"}, "maxResults": {"2"},
	}
	path := "/search?"
	if p.cloud() {
		path = "/search/jql?"
	}
	var out struct {
		Issues *[]issue `json:"issues"`
	}
	if err := p.call(ctx, http.MethodGet, path+q.Encode(), nil, &out); err != nil {
		return "", err
	}
	if out.Issues == nil {
		return "", &delivery.Unavailable{Detail: "the answer to a search is not what the API of Jira says"}
	}
	for _, i := range *out.Issues {
		if safeID.MatchString(i.Key) {
			return i.Key, nil
		}
	}
	return "", nil
}

// create makes the issue, without a mark: the update that follows looks at the status in which it is born.
func (p *Project) create(ctx context.Context, t ticket.Ticket) (string, error) {
	fields := maps.Clone(p.Fields)
	if fields == nil {
		fields = map[string]any{}
	}
	maps.Copy(fields, p.fields(t))
	fields["project"], fields["issuetype"] = map[string]string{"key": p.Key}, map[string]string{"name": p.Type}
	labels := []any{"muster", label(t)}
	if others, ok := p.Fields["labels"].([]any); ok {
		labels = append(labels, others...)
	}
	fields["labels"] = labels
	first := t.Mark()
	first.Revision = 0
	body := map[string]any{"fields": fields, "properties": []any{map[string]any{"key": property, "value": first}}}
	var out issue
	if err := p.call(ctx, http.MethodPost, "/issue", body, &out); err != nil {
		return "", outbound.Later(err, rest)
	}
	if !safeID.MatchString(out.Key) { // it may be there all the same
		return "", &delivery.Unavailable{Detail: "the answer to the new issue does not name it", After: rest}
	}
	return out.Key, nil
}

// fields are those that Muster keeps up to date.
func (p *Project) fields(t ticket.Ticket) map[string]any {
	text := ticket.Cut(t.Text, longText)
	f := map[string]any{"summary": t.Heading(longTitle), "description": p.text(text, t.URL)}
	if name := p.Priorities[t.Priority]; name != "" {
		f["priority"] = map[string]string{"name": name}
	}
	return f
}

// text is foreign text as Jira takes it.
func (p *Project) text(text, link string) any {
	if p.cloud() {
		return document(text, link)
	}
	if text = plain(text); link != "" {
		text += "\n\nMuster: " + link
	}
	return text
}

// comment says what has changed, unless an attempt before has said it.
func (p *Project) comment(ctx context.Context, path string, m ticket.Mark, t ticket.Ticket) error {
	if !m.Told(t) {
		return nil
	}
	var all struct {
		Comments []struct {
			Body json.RawMessage `json:"body"`
		} `json:"comments"`
	}
	if err := p.call(ctx, http.MethodGet, path+"/comment?orderBy=-created&maxResults=50", nil, &all); err != nil {
		return err
	}
	for _, c := range all.Comments {
		if t.Mark().Noted(string(c.Body)) { // the mark is the same in every form of the text
			return nil
		}
	}
	var out struct{}
	return p.call(ctx, http.MethodPost, path+"/comment", map[string]any{"body": p.text(t.Note+"\n"+t.Mark().String(), "")}, &out)
}

func (p *Project) call(ctx context.Context, method, path string, body, into any) error {
	api := outbound.API{Name: "Jira", Guard: p.Guard, Timeout: p.Timeout, URL: p.URL, Secrets: []string{p.Token}}
	version := "/rest/api/2"
	if p.cloud() {
		version = "/rest/api/3"
		both := base64.StdEncoding.EncodeToString([]byte(p.User + ":" + p.Token))
		api.Header, api.Secrets = map[string]string{"Authorization": "Basic " + both}, append(api.Secrets, both)
	} else {
		api.Header = map[string]string{"Authorization": "Bearer " + p.Token}
	}
	return api.Call(ctx, method, version+path, body, into)
}
