package org

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/internal/incident"
)

// The ticket systems known to this version.
const (
	LocalTickets      = "local"   // files in the data folder
	WebhookTickets    = "webhook" // a signed HTTP POST
	JiraTickets       = "jira"
	ServiceNowTickets = "servicenow"
	GitHubTickets     = "github"
	GitLabTickets     = "gitlab"
	AzureTickets      = "azure-devops"
	RedmineTickets    = "redmine"
)

// ticketSystem is where tickets are opened.
type ticketSystem struct {
	TicketSystem

	url    address
	secret ref
	hook   ref // what it shows that it may tell us something; zero: it may not
}

// The forms of what only ticket systems have.
var (
	aSystem = oneOf(
		LocalTickets, WebhookTickets, JiraTickets, ServiceNowTickets, GitHubTickets, GitLabTickets, AzureTickets, RedmineTickets,
	)
	aJiraProject   = in("the key of a project, such as OPS", matches(`^[A-Za-z][A-Za-z0-9_]{0,49}$`))
	aTable         = oneOf("incident", "change_request")
	aJournal       = oneOf("work_notes", "comments")
	aRepository    = in("a repository with its owner, such as mirnet/ops", matches(`^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$`))
	aGitLabProject = in("the number or the path of a project, such as 7 or mirnet/ops", matches(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$`))
	aTicketNumber  = in("a number, such as 7", matches(`^[1-9][0-9]{0,9}$`))
	aState         = in("the value of a state, such as 6", matches(`^-?[0-9]{1,3}$`))
	anIssueState   = oneOf("open", "completed", "not_planned")
	aGitLabState   = oneOf("opened", "closed")
	anImpact       = in("impact and urgency, such as 1/2", matches(`^[1-9]/[1-9]$`))
	aLevelOfFour   = oneOf("1", "2", "3", "4")
	aFieldValue    = in("a text, or JSON", func(s string) (any, bool) {
		var v any
		if json.Unmarshal([]byte(s), &v) == nil {
			return v, v != nil
		}
		return s, s != "" && !strings.ContainsRune("{[\"", rune(s[0]))
	})
)

// readTickets reads where tickets are opened. What a key means depends on the system.
func (b *builder) readTickets(o *object) {
	t := &b.tickets
	system, ok := need(o, "system", aSystem)
	if !ok { // whatever else stands there is of a system that we do not know
		for _, f := range o.fields {
			o.field(f.key)
		}
		return
	}
	t.System = system
	switch system {
	case LocalTickets:
		for _, key := range []string{"url", "secret", "hook_secret", "resolves"} {
			o.unused(key, "tickets of the system local are files")
		}
		return
	}
	t.hook = maybe(o, "hook_secret", aRef, ref{})
	if t.Resolves = maybe(o, "resolves", aBool, false); t.Resolves && !o.has("hook_secret") {
		o.fault(o.field("resolves").place, "%s: resolves: want hook_secret too, without which nothing is heard of tickets", o.subject)
	}
	if system == WebhookTickets {
		t.url = o.address("url", aHook)
		t.secret, _ = need(o, "secret", aRef)
		return
	}
	t.HookUser = maybe(o, "hook_user", aName, "")
	if system == JiraTickets && o.has("hook_secret") && t.HookUser == "" {
		o.fault(o.field("hook_secret").place, "%s: hook_user: missing; want Muster's own user there, whose changes are not told: its account ID in Jira Cloud, its name in Jira Data Center", o.subject)
	}
	t.secret, _ = need(o, "secret", aRef)
	if t.System == GitHubTickets || t.System == GitLabTickets { // both have a usual place
		if o.has("url") {
			t.url = o.address("url", aHook)
		}
	} else {
		t.url = o.address("url", aHook)
	}
	states, priorities := aName, aName
	switch t.System {
	case JiraTickets:
		t.User = maybe(o, "user", aName, "")
		t.Project, _ = need(o, "project", aJiraProject)
		t.Type, _ = need(o, "type", aName)
		t.Resolution = maybe(o, "resolution", aName, "")
	case ServiceNowTickets:
		t.User = maybe(o, "user", aName, "")
		t.Table = maybe(o, "table", aTable, "incident")
		t.Journal = maybe(o, "journal", aJournal, "work_notes")
		t.CloseCode = maybe(o, "close_code", aName, "Solution provided")
		states, priorities = aState, anImpact
	case GitHubTickets:
		t.Project, _ = need(o, "repository", aRepository)
		t.Label = maybe(o, "label", aName, "muster")
		states = anIssueState
	case GitLabTickets:
		t.Project, _ = need(o, "project", aGitLabProject)
		states = aGitLabState
	case AzureTickets:
		t.Project, _ = need(o, "project", aName)
		t.Type, _ = need(o, "type", aName)
		priorities = aLevelOfFour
	case RedmineTickets:
		t.Project, _ = need(o, "project", aTicketNumber)
		states, priorities = aTicketNumber, aTicketNumber
	}
	t.States = named(o, "statuses", states, incident.Statuses())
	t.Priorities = named(o, "priorities", priorities, []string{"P1", "P2", "P3", "P4", "P5"})
	t.NoPriority = !maybe(o, "set_priority", aBool, true)
	if t.System != GitHubTickets {
		t.Fields = map[string]any{}
		for _, f := range pairs(o, "fields", aFieldValue, optional) {
			t.Fields[f.key] = f.value
		}
	}
}

// named reads what stands under names that Muster has.
func named[K ~string](o *object, key string, f form[string], names []K) map[string]string {
	all := map[string]string{}
	for _, p := range pairs(o, key, f, optional) {
		if !slices.Contains(names, K(p.key)) {
			known := make([]string, len(names))
			for n, k := range names {
				known[n] = string(k)
			}
			o.fault(o.field(key).place, "%s: unknown key %s; %s", o.about(key), show(p.key), o.hint(p.key, known))
		}
		all[p.key] = p.value
	}
	return all
}

// TicketSystem is where tickets are opened.
type TicketSystem struct {
	System string // LocalTickets, WebhookTickets, …
	URL    Secret // empty: the usual one
	Secret Secret // token, password, API key, or what signs a webhook

	User       string            // whose token or password it is; empty: the token says so itself
	Project    string            // or repository
	Type       string            // of new tickets
	Table      string            // of ServiceNow …
	Journal    string            // … where comments go …
	CloseCode  string            // … and what a record is closed with
	Resolution string            // of Jira
	Label      string            // of GitHub, by which issues are found
	States     map[string]string // by Muster's statuses, where they are not the usual ones
	Priorities map[string]string // by Muster's, likewise
	NoPriority bool              // tickets are given none
	Fields     map[string]any    // others that new tickets need

	HookSecret Secret // by which it shows that it may tell us something
	HookUser   string // Muster's own there, whose changes are not told; empty: what it writes is known by its marks alone
	Resolves   bool   // what is resolved there is resolved here
}

// Tickets returns the ticket system, with references resolved now.
func (o *Organisation) Tickets() (TicketSystem, error) {
	t := o.tickets.TicketSystem
	url, err := o.tickets.url.resolve(o.dir)
	if err != nil {
		return TicketSystem{}, fmt.Errorf("tickets: url %w", err)
	}
	secret, err := o.tickets.secret.optional(o.dir)
	if err != nil {
		return TicketSystem{}, fmt.Errorf("tickets: secret %w", err)
	}
	t.URL, t.Secret = Secret(url), Secret(secret)
	t.States, t.Priorities, t.Fields = maps.Clone(t.States), maps.Clone(t.Priorities), maps.Clone(t.Fields)
	return t, nil
}

// TicketHook returns the ticket system as it tells what is done there, with the secret of that resolved now and no other, and whether it may
// tell anything.
func (o *Organisation) TicketHook() (TicketSystem, bool, error) {
	t := o.tickets.TicketSystem
	secret, err := o.tickets.hook.optional(o.dir)
	if err != nil {
		return TicketSystem{}, false, fmt.Errorf("tickets: hook_secret %w", err)
	}
	t.HookSecret, t.States = Secret(secret), maps.Clone(t.States)
	return t, o.tickets.hook != ref{}, nil
}
