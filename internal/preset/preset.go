// Package preset keeps tickets in systems, and posts messages to chats, that are described by data: which requests find, make and change
// a ticket there, and which post a message. The data ships in templates/tickets and templates/channels. It has places that are filled
// in, and no code.
package preset

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"muster/templates"
)

// Preset describes a system.
type Preset struct {
	Name   string            `yaml:"name"`   // for people
	URL    string            `yaml:"url"`    // the usual one; empty: every organisation has its own
	Needs  []string          `yaml:"needs"`  // what the organisation has to say, by names that places have
	Header map[string]string `yaml:"header"` // of every request
	Title  int               `yaml:"title"`  // so long may a title be, in characters …
	Text   int               `yaml:"text"`   // … and a text

	Find     find     `yaml:"find"`
	Read     read     `yaml:"read"`
	Create   create   `yaml:"create"`
	Update   update   `yaml:"update"`
	Comments *comment `yaml:"comments"` // nil: the update carries them
	Kinds    *kinds   `yaml:"kinds"`    // nil: states are named

	States     map[string]string `yaml:"states"`     // by Muster's statuses: where none is named, nothing moves
	Events     map[string]string `yaml:"events"`     // by states: what leads there
	Priorities map[string]string `yaml:"priorities"` // by Muster's: where none is named, none is set
}

// where says where in an answer something stands: key by key.
type where []string

type request struct {
	Get   string `yaml:"get"`
	Post  string `yaml:"post"`
	Put   string `yaml:"put"`
	Patch string `yaml:"patch"`
	Type  string `yaml:"type"` // of the body, if it is not application/json
	Body  any    `yaml:"body"`
}

// find lists the tickets that may be the one.
type find struct {
	request `yaml:",inline"`

	Items where `yaml:"items"`
	ID    where `yaml:"id"`
}

// read is a ticket as it is now.
type read struct {
	Get      string `yaml:"get"`
	ID       where  `yaml:"id"`
	Revision where  `yaml:"revision"` // of the system; it may have none
	Text     where  `yaml:"text"`
	State    where  `yaml:"state"`
	Ways     where  `yaml:"ways"` // list of the states that may follow, each with a name
	Way      where  `yaml:"way"`
	Link     where  `yaml:"link"` // where people see it: as the answer says …
	Page     string `yaml:"page"` // … or made of places
}

type create struct {
	request `yaml:",inline"`

	ID          where `yaml:"id"`
	Prioritised any   `yaml:"prioritised"` // added to the body when there is a priority to set
	Under       where `yaml:"under"`       // where in the body other fields stand …
	Each        any   `yaml:"each"`        // … or what one of a {name} adds to it, beside its value
}

type update struct {
	request `yaml:",inline"`

	Silent      bool `yaml:"silent"` // the answer is empty
	Prioritised any  `yaml:"prioritised"`
	Moved       any  `yaml:"moved"` // added when the state is another one
	Noted       any  `yaml:"noted"` // added when something has changed that people follow
}

// comment is for systems in which a comment is a request of its own.
type comment struct {
	Get   string `yaml:"get"`
	Items where  `yaml:"items"`
	Text  where  `yaml:"text"`
	Post  string `yaml:"post"`
	Body  any    `yaml:"body"`
}

// kinds are states that every installation calls otherwise, each of a kind.
type kinds struct {
	Get   string              `yaml:"get"`
	Items where               `yaml:"items"`
	Name  where               `yaml:"name"`
	Kind  where               `yaml:"kind"`
	Of    map[string][]string `yaml:"of"` // by Muster's statuses, the best one first
}

const folder = "tickets"

// Names lists the ticket systems that ship.
func Names() ([]string, error) { return names(folder) }

func names(folder string) ([]string, error) {
	entries, err := fs.ReadDir(templates.FS, folder)
	if err != nil {
		return nil, fmt.Errorf("list presets: %w", err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return all, nil
}

// Load reads a preset that ships.
func Load(name string) (*Preset, error) { return LoadFrom(templates.FS, name) }

// LoadFrom reads a preset, and tries each of its places.
func LoadFrom(shipped fs.FS, name string) (*Preset, error) {
	content, err := fs.ReadFile(shipped, path.Join(folder, name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("load preset %s: %w", name, err)
	}
	p := &Preset{}
	if err := yaml.Load(content, p, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("load preset %s: %w", name, err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("load preset %s: %w", name, err)
	}
	return p, nil
}

// check fills in every place once: one that nobody knows is an error.
func (p *Preset) check() error {
	known := places{}
	for _, name := range slices.Concat(p.Needs, []string{
		"url", "name", "key", "id", "revision", "title", "markdown", "html", "pre", "note", "htmlnote", "mark", "priority", "others", "state", "event",
	}) {
		known[name] = "1"
	}
	for _, path := range []string{p.Find.path(), p.Read.Get, p.Read.Page, p.Create.path(), p.Update.path()} {
		if _, err := known.path(path); err != nil {
			return err
		}
	}
	bodies := []any{p.Find.Body, p.Create.Body, p.Create.Prioritised, p.Create.Each, p.Update.Body, p.Update.Prioritised, p.Update.Moved, p.Update.Noted}
	if c := p.Comments; c != nil {
		bodies = append(bodies, c.Body, c.Get, c.Post)
	}
	if k := p.Kinds; k != nil {
		bodies = append(bodies, k.Get)
	}
	for _, body := range bodies {
		if _, err := known.body(body); err != nil {
			return err
		}
	}
	secrets := places{"secret": "1", "basic": "1"}
	for _, value := range p.Header {
		if _, err := secrets.text(value); err != nil {
			return err
		}
	}
	if p.Title < 80 || p.Text < 1000 || p.Name == "" {
		return fmt.Errorf("it has no name, or no room: title %d, text %d", p.Title, p.Text)
	}
	return nil
}

func (r request) method() string {
	switch {
	case r.Post != "":
		return http.MethodPost
	case r.Put != "":
		return http.MethodPut
	case r.Patch != "":
		return http.MethodPatch
	}
	return http.MethodGet
}

func (r request) path() string { return r.Get + r.Post + r.Put + r.Patch }
