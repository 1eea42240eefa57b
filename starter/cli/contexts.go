package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"muster/internal/wholefile"
)

// A secret is shown nowhere.
type secret string

// Format hides the secret, whatever the verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "<secret>") }

// A saved is a server that somebody has logged in to, and the token for it and for no other.
type saved struct {
	Name  string `yaml:"name"`
	URL   string `yaml:"url"`
	Token secret `yaml:"token"`
}

// contexts are what the contexts file holds.
type contexts struct {
	Current  string  `yaml:"current,omitempty"` // the name of one of them; empty: none
	Contexts []saved `yaml:"contexts"`
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// bearer is what can be sent as a token (RFC 6750).
var bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

const wantContextName = "want at most 63 letters, digits, dots, hyphens and underscores"

// find returns the place of a context in the list, -1 when it has none of this name.
func (c *contexts) find(name string) int {
	return slices.IndexFunc(c.Contexts, func(s saved) bool { return s.Name == name })
}

// named returns the context of a name, or says which there are.
func (c *contexts) named(name string) (saved, error) {
	if n := c.find(name); n >= 0 {
		return c.Contexts[n], nil
	}
	there := "there is none: muster login URL makes one"
	if len(c.Contexts) > 0 {
		there = "want one of " + strings.Join(c.names(), ", ")
	}
	return saved{}, fmt.Errorf("context %q: not found; %s", name, there)
}

func (c *contexts) names() (all []string) {
	for _, s := range c.Contexts {
		all = append(all, s.Name)
	}
	return all
}

// without is the list without a context.
func (c *contexts) without(name string) []saved {
	return slices.DeleteFunc(slices.Clone(c.Contexts), func(s saved) bool { return s.Name == name })
}

// contextsFile is where contexts are kept. It is empty where the user has no folder of his own.
func (a *app) contextsFile() string {
	base := a.env.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) { // the specification wants others ignored
		if base = filepath.Join(a.env.Home, ".config"); !filepath.IsAbs(base) {
			return ""
		}
	}
	return filepath.Join(base, "muster", "contexts.yaml")
}

// readContexts reads the contexts file. One that is not there holds none; one that others can read is refused.
func (a *app) readContexts() (contexts, error) {
	file := a.contextsFile()
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return contexts{}, nil
	}
	if err != nil {
		return contexts{}, fmt.Errorf("read contexts: %w", err)
	}
	defer func() { _ = f.Close() }()
	about, err := f.Stat()
	if err != nil {
		return contexts{}, fmt.Errorf("read contexts: %w", err)
	}
	if mode := about.Mode().Perm(); mode&0o077 != 0 {
		return contexts{}, fmt.Errorf("read contexts: %s: has mode %04o, and its tokens are for you alone: chmod 600 %[1]s", file, mode)
	}
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return contexts{}, fmt.Errorf("read contexts: %w", err)
	}
	return decodeContexts(file, text)
}

// writeContexts replaces the contexts file as a whole: a crash leaves the old one or the new one.
func (a *app) writeContexts(c contexts) (err error) {
	file := a.contextsFile()
	if file == "" {
		return errors.New("write contexts: no folder for them: set HOME or XDG_CONFIG_HOME")
	}
	text, err := yaml.Dump(c)
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	text = append([]byte("# muster login writes this file. Its tokens are for you alone.\n"), text...)
	if err := wholefile.Write(file, text, 0o600); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	return nil
}

// decodeContexts reads the text of a contexts file. It finds every fault, with its line, and shows none of the values: one
// of them may be a token in the wrong place.
func decodeContexts(file string, text []byte) (contexts, error) {
	var r contextsReader
	var all contexts
	if doc := r.document(text); doc != nil {
		all = r.contexts(doc)
	}
	if len(r.faults) == 0 {
		return all, nil
	}
	slices.SortStableFunc(r.faults, func(a, b contextsFault) int { return a.line - b.line })
	var faults []error
	for _, f := range r.faults {
		faults = append(faults, fmt.Errorf("%s:%d: %s", file, f.line, f.what))
	}
	return contexts{}, fmt.Errorf("read contexts: %w", errors.Join(faults...))
}

// A contextsReader gathers what is wrong with a contexts file.
type contextsReader struct{ faults []contextsFault }

type contextsFault struct {
	line int
	what string
}

func (r *contextsReader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, contextsFault{line, fmt.Sprintf(format, args...)})
}

// document returns the one document of a text, nil when it has none.
func (r *contextsReader) document(text []byte) *yaml.Node {
	const depth = 8
	l, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(depth))))
	var doc, second yaml.Node
	if err == nil {
		err = l.Load(&doc)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if err = l.Load(&second); err == nil {
			r.fault(second.Line, "a second document; want one")
		} else if errors.Is(err, io.EOF) {
			return doc.Content[0]
		}
	}
	line := 1
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		line = e.Mark.Line
	}
	if err != nil {
		r.fault(line, "not YAML")
	}
	return nil
}

func (r *contextsReader) contexts(doc *yaml.Node) (all contexts) {
	top := r.mapping(doc, "current", "contexts")
	if list := top["contexts"]; list != nil {
		if list.Kind != yaml.SequenceNode {
			r.fault(list.Line, "contexts: want a list")
			return all
		}
		for _, item := range list.Content {
			s := r.saved(item)
			if s.Name != "" && all.find(s.Name) >= 0 {
				r.fault(item.Line, "name: stands there twice")
			}
			all.Contexts = append(all.Contexts, s)
		}
	}
	if current := top["current"]; current != nil {
		name, ok := r.text(current, "current")
		if all.Current = name; ok && all.find(name) < 0 {
			r.fault(current.Line, "current: want the name of one of the contexts")
		}
	}
	return all
}

// saved reads one context.
func (r *contextsReader) saved(n *yaml.Node) (s saved) {
	fields := r.mapping(n, "name", "url", "token")
	for _, f := range []struct {
		name, want string
		right      func(v string) bool
	}{
		{"name", wantContextName, func(v string) bool { s.Name = v; return contextName.MatchString(v) }},
		{"url", wantURL, func(v string) bool { s.URL = v; return normal(v) != "" }},
		{"token", "want a token", func(v string) bool { s.Token = secret(v); return bearer.MatchString(v) }},
	} {
		field := fields[f.name]
		if field == nil {
			r.fault(n.Line, "%s: missing", f.name)
		} else if v, ok := r.text(field, f.name); ok && !f.right(v) {
			r.fault(field.Line, "%s: %s", f.name, f.want)
		}
	}
	return s
}

// mapping returns the fields of a mapping by name.
func (r *contextsReader) mapping(n *yaml.Node, known ...string) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "want %s", strings.Join(known, ", "))
		return fields
	}
	for at := 0; at+1 < len(n.Content); at += 2 {
		key, value := n.Content[at], n.Content[at+1]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			r.fault(key.Line, "an unknown key; want %s", strings.Join(known, ", "))
		case fields[key.Value] != nil:
			r.fault(key.Line, "%s: given twice", key.Value)
		default:
			fields[key.Value] = value
		}
	}
	return fields
}

// text returns the text of a value.
func (r *contextsReader) text(n *yaml.Node, name string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.ShortTag() == "!!null" {
		r.fault(n.Line, "%s: want text", name)
		return "", false
	}
	return n.Value, true
}
