package preset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"muster/templates"
)

// Chat describes where messages are posted.
type Chat struct {
	Name   string            `yaml:"name"`   // for people
	Header map[string]string `yaml:"header"` // of every request, where there is a secret
	Title  int               `yaml:"title"`  // so long may a title be …
	Text   int               `yaml:"text"`   // … and a text …
	Count  string            `yaml:"count"`  // … in "bytes", or else in characters
	Ways   []way             `yaml:"ways"`   // by what an address is
	Body   any               `yaml:"body"`

	Escape     map[string]string `yaml:"escape"`      // what would mention somebody, or be read as more than text: each of one character
	Plain      map[string]string `yaml:"plain"`       // of a title that is read as it stands: what would mention somebody all the same
	SpareLinks bool              `yaml:"spare_links"` // which would not be followed if they were escaped
	Priorities map[string]string `yaml:"priorities"`  // by Muster's: a colour, a level …
	Without    string            `yaml:"without"`     // … and what stands for none
}

// A way is what a message to one form of address adds.
type way struct {
	Of     addressForm       `yaml:"of"`
	Post   string            `yaml:"post"`  // where to; empty: to the address itself
	Query  map[string]string `yaml:"query"` // over that of the address
	Body   any               `yaml:"body"`
	Bare   bool              `yaml:"bare"` // the secret is for another way
	Answer proof             `yaml:"answer"`
}

// addressForm is what an address is.
type addressForm string

const (
	ofURL    addressForm = "url"
	ofTopic  addressForm = "topic" // a URL whose last part names what its server takes by its root
	ofMail   addressForm = "mail"
	ofNumber addressForm = "number"
)

// proof is what the answer to a message that was taken says beside its status. There are pages to sign in with the best of statuses.
type proof struct {
	Text string `yaml:"text"` // all of it
	At   where  `yaml:"at"`   // where JSON has something …
	Is   string `yaml:"is"`   // … and what, if only one thing will do
	Why  where  `yaml:"why"`  // where it says why not
}

const chatFolder = "channels"

// Chats lists those that ship, by the types of contact methods.
func Chats() ([]string, error) { return names(chatFolder) }

// LoadChat reads one that ships.
func LoadChat(name string) (*Chat, error) { return LoadChatFrom(templates.FS, name) }

// LoadChatFrom reads one, and tries each of its places.
func LoadChatFrom(shipped fs.FS, name string) (*Chat, error) {
	content, err := fs.ReadFile(shipped, path.Join(chatFolder, name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("load channel %s: %w", name, err)
	}
	c := &Chat{}
	if err := yaml.Load(content, c, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("load channel %s: %w", name, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("load channel %s: %w", name, err)
	}
	return c, nil
}

// check fills in every place once: one that nobody knows is an error.
func (c *Chat) check() error {
	known := places{}
	for _, name := range []string{"title", "plain", "text", "tail", "link", "open", "priority", "address", "topic"} {
		known[name] = "1"
	}
	bodies := []any{c.Body}
	for _, w := range c.Ways {
		bodies = append(bodies, w.Body)
		if !slices.Contains([]addressForm{ofURL, ofTopic, ofMail, ofNumber}, w.Of) || (w.Post == "") != (w.Of == ofURL || w.Of == ofTopic) {
			return fmt.Errorf("a way of %q, to %q", w.Of, w.Post)
		}
	}
	for _, b := range bodies {
		if _, err := known.body(b); err != nil {
			return err
		}
	}
	for _, value := range c.Header {
		if _, err := (places{"secret": "1"}).text(value); err != nil {
			return err
		}
	}
	for _, escape := range []map[string]string{c.Escape, c.Plain} {
		for from := range escape {
			if len([]rune(from)) != 1 {
				return fmt.Errorf("escape %q: want one character", from)
			}
		}
	}
	if c.Title < 80 || c.Text < 1000 || c.Name == "" || c.Body == nil || len(c.Ways) == 0 || (c.Count != "" && c.Count != "bytes") {
		return errors.New("it has no name, no body, no way, no room, or counts what nobody knows")
	}
	return nil
}

// way returns the way to an address.
func (c *Chat) way(address string) (way, bool) {
	of := ofURL
	switch {
	case strings.Contains(address, "://"):
	case strings.Contains(address, "@"):
		of = ofMail
	case address != "" && strings.Trim(address, "0123456789") == "":
		of = ofNumber
	}
	n := slices.IndexFunc(c.Ways, func(w way) bool { return w.Of == of || of == ofURL && w.Of == ofTopic })
	if n < 0 {
		return way{}, false
	}
	return c.Ways[n], true
}
