package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // openapi.yaml
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"muster/internal/refusal"
)

//go:embed openapi.yaml
var openapi []byte

// A document is the description of the API in all its forms.
type document struct {
	json   text
	pages  map[string]text // by language
	policy string          // of the pages: the Content-Security-Policy
}

// A text is one form of the document, with its entity tag.
type text struct {
	body []byte
	tag  string
}

func newText(body []byte) text {
	sum := sha256.Sum256(body)
	return text{body, strconv.Quote(hex.EncodeToString(sum[:16]))}
}

// documents returns the description for a version. It is made when somebody first asks for it: few processes are asked.
func documents(version string) func() (*document, error) {
	return sync.OnceValues(func() (*document, error) {
		d, err := newDocument(openapi, version)
		if err != nil {
			return nil, fmt.Errorf("describe the API: %w", err)
		}
		return d, nil
	})
}

func newDocument(source []byte, version string) (*document, error) {
	var y yaml.Node
	if err := yaml.Load(source, &y); err != nil {
		return nil, err
	}
	root := node{Node: y.Content[0], root: y.Content[0]}
	root.at("info", "version").Value = cmp.Or(version, "dev")
	body, err := root.json()
	if err != nil {
		return nil, err
	}
	d := &document{json: newText(body), pages: map[string]text{}}
	for _, language := range docsLanguages() {
		page, err := renderDocs(root, language)
		if err != nil {
			return nil, err
		}
		d.pages[language] = newText(page)
		d.policy = "default-src 'none'; style-src '" + styleHash(page) + "'; " +
			"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	}
	return d, nil
}

// styleHash names the one style of a page, as a Content-Security-Policy does.
func styleHash(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// describe answers with the document as JSON.
func (s *server) describe(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	d, err := s.document()
	if err != nil {
		return err
	}
	return d.json.answer(w, r, "application/json")
}

// docs answers with the document as a page, in the language that is asked for, else in the one that the visitor's browser
// prefers, else in English.
func (s *server) docs(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	var faults []refusal.Fault
	language := q.Get("lang")
	switch {
	case language == "":
		language = cmp.Or(preferred(r.Header.Get("Accept-Language"), docsLanguages()), "en")
	case !slices.Contains(docsLanguages(), language):
		faults = []refusal.Fault{{Field: "lang", Detail: fmt.Sprintf("%q; want %s", clip(language), oneOf(docsLanguages()))}}
	}
	if err := queryFaults(q, faults, "lang"); err != nil {
		return err
	}
	d, err := s.document()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Language", language)
	h.Set("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", d.policy)
	return d.pages[language].answer(w, r, "text/html; charset=utf-8")
}

// answer sends a text to whoever does not have it yet.
func (t text) answer(w http.ResponseWriter, r *http.Request, contentType string) error {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", t.tag)
	for have := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if have = strings.TrimPrefix(strings.TrimSpace(have), "W/"); have == t.tag || have == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return send(w, contentType, t.body)
}

// preferred returns which of some languages an Accept-Language header likes best, empty when it names none of them.
func preferred(header string, have []string) (language string) {
	most := 0.0
	for choice := range strings.SplitSeq(header, ",") {
		tag, weight, weighted := strings.Cut(choice, ";")
		base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if weighted {
			value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			var err error
			if q, err = strconv.ParseFloat(value, 64); !ok || err != nil || q > 1 {
				continue
			}
		}
		if q > most && slices.Contains(have, base) {
			most, language = q, base
		}
	}
	return language
}

// A node is one place in the document. Its zero value is a place that is not there.
type node struct {
	*yaml.Node
	root *yaml.Node
}

// An entry is one of a mapping, in the order in which they are written.
type entry struct {
	key   string
	value node
}

func (n node) entries() (all []entry) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, entry{n.Content[i].Value, node{n.Content[i+1], n.root}})
	}
	return all
}

func (n node) items() (all []node) {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, y := range n.Content {
		all = append(all, node{y, n.root})
	}
	return all
}

// at goes down by keys.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		all := n.entries()
		i := slices.IndexFunc(all, func(e entry) bool { return e.key == key })
		if i < 0 {
			return node{}
		}
		n = all[i].value
	}
	return n
}

// string is the scalar that stands there, empty when there is none.
func (n node) string() string {
	if n.Node == nil {
		return ""
	}
	return n.Value
}

// in is what the document says under a key in a language: English under the key itself, others beside it.
func (n node) in(language, key string) string {
	if language != "en" {
		key = "x-" + strings.TrimPrefix(key, "x-") + "-" + language
	}
	return n.at(key).string()
}

// name is the last part of what the node refers to, empty where it stands for itself.
func (n node) name() string {
	ref := n.at("$ref").string()
	return ref[strings.LastIndex(ref, "/")+1:]
}

// whole is what the node refers to, or the node itself.
func (n node) whole() node {
	ref, ok := strings.CutPrefix(n.at("$ref").string(), "#/")
	if !ok {
		return n
	}
	return node{n.root, n.root}.at(strings.Split(ref, "/")...)
}

// json writes the node with all its keys in their order.
func (n node) json() ([]byte, error) {
	var parts [][]byte
	switch n.Kind {
	case yaml.MappingNode:
		for _, e := range n.entries() {
			key, err := json.Marshal(e.key)
			if err != nil {
				return nil, err
			}
			value, err := e.value.json()
			if err != nil {
				return nil, err
			}
			parts = append(parts, append(append(key, ':'), value...))
		}
		return fmt.Appendf(nil, "{%s}", bytes.Join(parts, []byte(","))), nil
	case yaml.SequenceNode:
		for _, item := range n.items() {
			value, err := item.json()
			if err != nil {
				return nil, err
			}
			parts = append(parts, value)
		}
		return fmt.Appendf(nil, "[%s]", bytes.Join(parts, []byte(","))), nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
