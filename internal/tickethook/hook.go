// Package tickethook reads what ticket systems post of their own accord: that somebody has commented, resolved or reopened a ticket
// there. It asks nobody back: to which incident a ticket belongs stands in what is posted, or is not known.
package tickethook

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/ticket"
)

// A System is the ticket system of an organisation, as it posts.
type System struct {
	Name    string            // as package org calls it
	Secret  string            // that it shares with us
	Users   []string          // Muster's own there, by whatever name the system may tell
	Project string            // where its tickets are, where numbers are those of one project alone; empty: anywhere
	States  map[string]string // by Muster's statuses: what stands for it there, where that has a name or a number
}

// A format is how one system posts.
type format struct {
	name, shown string
	proof       proof
	read        func(s *System, body []byte) (post, error)
}

// formats are those of all systems that post.
func formats() []format {
	return []format{
		{org.JiraTickets, "Jira", signedOr("X-Hub-Signature", shared), readJira},
		{org.ServiceNowTickets, "ServiceNow", shared, readServiceNow},
		{org.GitHubTickets, "GitHub", signedOr("X-Hub-Signature-256", nobody), readGitHub},
		{org.GitLabTickets, "GitLab", token, readGitLab},
		{org.AzureTickets, "Azure DevOps", shared, readAzure},
		{org.RedmineTickets, "Redmine", signedOr("X-Redmine-Signature-256", shared), readRedmine},
		{org.WebhookTickets, "", standard, readOwn},
	}
}

// format returns how the system posts; of one that posts nothing, one that proves and reads nothing.
func (s *System) format() format {
	for _, f := range formats() {
		if f.name == s.Name {
			return f
		}
	}
	return format{proof: nobody, read: func(*System, []byte) (post, error) { return post{}, errors.New("this ticket system posts nothing") }}
}

// Shown is the name of the system for people, empty where it has none.
func (s *System) Shown() string { return s.format().shown }

// A post is what a system has posted, in the words that all have in common.
type post struct {
	id       string // of what has happened, the same whenever it is posted; empty: there is none but the body
	ref      string // of the ticket
	title    string // names the incident …
	text     string // … and so does the mark at the end of it, …
	labels   []string
	by       string   // for people
	users    []string // the same person, by every name that the system tells
	maker    bool     // who has made the ticket too, as Muster makes those of incidents
	at       time.Time
	projects []string // in which the ticket is, by every name that the system tells; none: it is not told, or needs not be
	comment  string
	deed     ticket.Deed // what has become of its state, empty: nothing of interest
	why      string      // whoever did that has said
}

// Read returns what a body tells of tickets of incidents: nothing, where it is about anything else, or about what Muster has done itself.
func (s *System) Read(body []byte) ([]ticket.Told, error) {
	p, err := s.format().read(s, body)
	if err != nil {
		return nil, err
	}
	key := p.key()
	if key == "" || s.own(p.users) || s.elsewhere(p.projects) {
		return nil, nil
	}
	if p.id == "" {
		sum := sha256.Sum256(body)
		p.id = hex.EncodeToString(sum[:16])
	}
	mark := ticket.FindMark(p.text, key)
	var all []ticket.Told
	tell := func(d ticket.Deed, text string) {
		t := ticket.Told{
			Delivery: bounded(p.id, 100) + "/" + string(d), Key: key, Ref: bounded(p.ref, 200), Deed: d, By: bounded(p.by, 200),
			Text: strings.TrimSpace(text), At: p.at.UTC(),
		}
		if p.at.IsZero() {
			t.At = time.Time{}
		}
		if !t.Echo(mark, p.maker) {
			t.Text = ticket.Cut(t.Text, ticket.LongTold)
			all = append(all, t)
		}
	}
	if strings.TrimSpace(p.comment) != "" {
		tell(ticket.Commented, p.comment)
	}
	if p.deed != "" {
		tell(p.deed, p.why)
	}
	return all, nil
}

// elsewhere tells whether a ticket is in another project, where others have the numbers of ours.
func (s *System) elsewhere(projects []string) bool {
	return s.Project != "" && len(projects) > 0 && !slices.ContainsFunc(projects, func(p string) bool { return strings.EqualFold(p, s.Project) })
}

// own tells whether one of these names is Muster's.
func (s *System) own(users []string) bool {
	for _, u := range users {
		for _, own := range s.Users {
			if u != "" && strings.EqualFold(u, own) {
				return true
			}
		}
	}
	return false
}

// over tells whether a state stands for one of ours with which nothing is left to do. A state that stands for open ones too is open.
// Known is false where it stands for none.
func (s *System) over(state string) (over, known bool) {
	for status, there := range s.States {
		if !strings.EqualFold(there, state) {
			continue
		}
		if !ticket.Over(status) {
			return false, true
		}
		over, known = true, true
	}
	return over, known
}

// became is the deed by which a ticket has gone from one state to another.
func (s *System) became(from, to string, usual func(state string) bool) ticket.Deed {
	is := func(state string) bool {
		if over, known := s.over(state); known {
			return over
		}
		return usual(state)
	}
	switch before, now := is(from), is(to); {
	case now && !before:
		return ticket.Resolved
	case before && !now:
		return ticket.Reopened
	}
	return ""
}

const labelPrefix = "muster-"

var ids = regexp.MustCompile(`INC-[0-9A-Z]+`)

// key is the incident that a ticket names: by its label, by the mark at the end of its text, or by the last ID in its title. Before those are
// the words of alerts, which may speak of other incidents.
func (p post) key() string {
	for _, l := range p.labels {
		if k, ok := strings.CutPrefix(l, labelPrefix); ok && incident.IsID("INC-", k) {
			return k
		}
	}
	if k := ticket.LastMark(p.text).Key; incident.IsID("INC-", k) {
		return k
	}
	if all := ids.FindAllString(p.title, -1); len(all) > 0 && incident.IsID("INC-", all[len(all)-1]) {
		return all[len(all)-1]
	}
	return ""
}

// decode reads JSON. What else stands in it is none of our business.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return fmt.Errorf("%s: want %s, got %s", cmp.Or(wrong.Field, "body"), kindOf(wrong.Type.Kind().String()), wrong.Value)
	}
	if err != nil {
		return fmt.Errorf("want JSON: %w", err)
	}
	return nil
}

func kindOf(kind string) string {
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	}
	return "a number"
}

// word is a text that some versions of a system write as a number. Anything else is none.
type word string

// UnmarshalJSON takes both.
func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	if json.Unmarshal(b, &s) == nil {
		*w = word(s)
	} else if json.Unmarshal(b, &n) == nil {
		*w = word(n.String())
	}
	return nil
}

// instant reads the forms of time that systems write; what is none is unknown.
func instant(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999-0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// bounded is a text in one line of at most so many characters.
func bounded(s string, most int) string {
	return ticket.Cut(strings.Join(strings.Fields(s), " "), most)
}

var (
	breaks = regexp.MustCompile(`(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6])>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
)

// plain is HTML as text.
func plain(s string) string {
	return strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(breaks.ReplaceAllString(s, "\n"), "")))
}
