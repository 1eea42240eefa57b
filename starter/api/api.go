// Package api is the REST API of Muster under /api/v1, and the client that commands use. Every request but those for the
// version, the document of the API and the health of the server carries a bearer token, and the token says who acts: never
// the body. What somebody may do follows from authority, for every route and every incident anew.
//
// An incident is answered as its workflow keeps it. There, instants are RFC 3339 in UTC and durations (within, wait, quiet,
// reopen_within …) whole nanoseconds. Its alerts are short, for there can be many: fp is the fingerprint, n and v are the
// name and value of a label; in brief and rest n is the alert's name, r says that it is resolved, s when it began, c how
// often it came, f and l when first and last. The alerts of an incident have a resource of their own that needs no such key.
// In a timeline, the facts of an entry hold instants in the same form and durations in Go's ("1h30m0s").
package api

import (
	"runtime"
	"runtime/debug"
	"strings"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/timeline"
	"muster/starter"
)

// Path is where the API is mounted. Later versions stand beside it.
const Path = "/api/v1/"

// root is below which everything that is not there is answered by a refusal.
const root = "/api/"

// keyHeader names the request: the same request sent twice under one key is one decision.
const keyHeader = "Idempotency-Key"

// A Summary is one row of a list of incidents, an Alert one of a list of alerts; filters narrow the lists.
type (
	Summary     = starter.Summary
	Filter      = starter.Filter
	Alert       = starter.Alert
	AlertFilter = starter.AlertFilter
)

// A Refusal is why the server refused a request (RFC 9457).
type Refusal = refusal.Body

// StuckRefusal is the type of the refusal that a run cannot go on before an operator has looked.
const StuckRefusal = "urn:muster:problem:run-cannot-go-on"

// A Page is a part of a list, the newest incident first.
type Page struct {
	Incidents []Summary `json:"incidents"`
	Next      string    `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language  string    `json:"language"`       // in which the organisation reads …
	Zone      string    `json:"zone"`           // … and its IANA zone
}

// An AlertPage is a part of the alerts of an incident, in the order in which they first came.
type AlertPage struct {
	ID       incident.ID `json:"id"`
	Alerts   []Alert     `json:"alerts"`
	Next     string      `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Lost     int         `json:"lost,omitempty"` // earlier runs past their retention: their alerts are not shown
	Language string      `json:"language"`       // in which the organisation reads …
	Zone     string      `json:"zone"`           // … and its IANA zone
}

// A Timeline is what happened in an incident, the oldest entry first.
type Timeline struct {
	ID       incident.ID     `json:"id"`
	Status   incident.Status `json:"status"`
	Language string          `json:"language"`          // of the sentences
	Zone     string          `json:"zone"`              // of their instants
	Dropped  int             `json:"dropped,omitempty"` // the oldest entries, which no run holds any more
	Entries  []Entry         `json:"entries"`
}

// An Entry is one thing that happened: its facts, and the same as a sentence for people.
type Entry struct {
	timeline.Entry
	Moment   string `json:"moment"` // when, with weekday and zone
	Sentence string `json:"sentence"`
}

// NewEntry says an entry in a language, with the times of a zone.
func NewEntry(t *report.Texts, e timeline.Entry, language, zone string) Entry {
	moment := t.Moment(e.At, language, zone)
	return Entry{Entry: e, Moment: moment, Sentence: strings.TrimPrefix(t.Entry(e, language, zone), moment+"  ")}
}

// A Receipt says where an incident stands after a command.
type Receipt struct {
	ID       incident.ID       `json:"id"`
	Status   incident.Status   `json:"status"`
	Priority priority.Priority `json:"priority"`
	Seq      int               `json:"seq"`              // of the newest entry of the timeline
	Waits    string            `json:"waits,omitempty"`  // SHA-256 of a text to those outside that waits for an approval
	Firing   int               `json:"firing,omitempty"` // alerts that fire although it was resolved or closed
}

// Files of a data folder by which commands on the same machine find a server.
const (
	URLFile        = "url"         // where it answers
	AdminTokenFile = "admin.token" // lets its reader in
)

// A Version says which program answers.
type Version struct {
	Version  string `json:"version"`            // "v0.2.0" or "dev"
	Revision string `json:"revision,omitempty"` // the commit
	Modified bool   `json:"modified"`           // built from more than the commit
	Go       string `json:"go"`
}

// ThisBuild is the version of the running program. What is not said of its commit is read from what Go has recorded.
func ThisBuild(version, revision string) Version {
	v := Version{Version: version, Revision: revision, Modified: strings.HasSuffix(version, "-dirty"), Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok || revision != "" {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
