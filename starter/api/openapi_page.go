package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"muster/internal/authority"
	"muster/internal/timeline"
	"muster/templates"
)

// docsLanguages lists the languages of the page.
func docsLanguages() []string { return []string{"en", "ko"} }

// A docsPage is what the template of the page is given. All texts are in its language.
type docsPage struct {
	Language, Title, Version string
	Languages                []string
	Style                    template.CSS
	About                    []string // paragraphs
	Groups                   []docsGroup
	Problems                 []docsAnswer
	Schemas                  []docsSchema
}

// A docsGroup is the operations of one tag.
type docsGroup struct {
	ID, Name, Text string
	Operations     []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Text string
	Open                            bool // needs no token
	Verbs                           []docsVerb
	Parameters                      []docsField
	Body                            *docsBody
	Answers                         []docsAnswer
	Problems                        []docsAnswer
	Example                         string
}

// A docsVerb is what the caller of an operation must be allowed, and to whom it is granted.
type docsVerb struct {
	Name     string
	Grants   []docsGrant
	Machines bool // a machine with the role may, too
}

type docsGrant struct {
	Party string   // names its words
	Roles []string // none: all of them
}

type docsBody struct {
	Type     docsType
	Required bool
}

type docsAnswer struct {
	Code, Name, Text string
	Headers          []docsField
	Contents         []docsContent
}

type docsContent struct {
	Media string
	Type  docsType
}

// A docsField is a parameter, header or property.
type docsField struct {
	Name, In, Text string
	Required       bool
	Type           docsType
}

// A docsType is a type as it is read. A schema with a section of its own has its name in Link.
type docsType struct {
	Link, Text string
	List, Null bool
	Limits     []string
}

type docsSchema struct {
	Name, Text, Example string
	Type                docsType
	Fields              []docsField
}

// renderDocs writes the page in a language.
func renderDocs(root node, language string) ([]byte, error) {
	words := map[string]string{}
	file := "api/words." + language + ".yaml"
	source, err := templates.FS.ReadFile(file)
	if err == nil {
		err = yaml.Load(source, &words)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	style, err := templates.FS.ReadFile("api/style.css")
	if err != nil {
		return nil, err
	}
	t, err := template.New("page.html.tmpl").Funcs(template.FuncMap{"word": func(parts ...string) (string, error) {
		key := strings.Join(parts, ".")
		if words[key] == "" {
			return "", fmt.Errorf("word %q: not in %s", key, file)
		}
		return words[key], nil
	}}).ParseFS(templates.FS, "api/page.html.tmpl")
	if err != nil {
		return nil, err
	}
	page, err := docsReader{root, language}.page()
	if err != nil {
		return nil, err
	}
	page.Style = template.CSS(style)
	var b bytes.Buffer
	err = t.Execute(&b, page)
	return b.Bytes(), err
}

// A docsReader reads the document in a language.
type docsReader struct {
	root     node
	language string
}

func (d docsReader) page() (docsPage, error) {
	info := d.root.at("info")
	page := docsPage{
		Language: d.language, Languages: docsLanguages(), Title: info.at("title").string(), Version: info.at("version").string(),
		About: strings.Split(info.in(d.language, "description"), "\n"),
	}
	for _, tag := range d.root.at("tags").items() {
		group, err := d.group(tag)
		if err != nil {
			return page, err
		}
		page.Groups = append(page.Groups, group)
	}
	for _, e := range d.root.at("components", "responses").entries() {
		page.Problems = append(page.Problems, d.answer(entry{"", e.value}, e.key))
	}
	for _, e := range d.root.at("components", "schemas").entries() {
		schema, err := d.schema(e)
		if err != nil {
			return page, fmt.Errorf("schema %s: %w", e.key, err)
		}
		page.Schemas = append(page.Schemas, schema)
	}
	return page, nil
}

// schema reads a schema, with its first example.
func (d docsReader) schema(e entry) (docsSchema, error) {
	s := docsSchema{Name: e.key, Text: d.text(e.value), Type: d.kind(e.value), Fields: d.properties(e.value)}
	examples := e.value.at("examples").items()
	if len(examples) == 0 {
		return s, nil
	}
	body, err := examples[0].json()
	if err != nil {
		return s, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, body, "", "  ")
	s.Example = b.String()
	return s, err
}

func (d docsReader) text(n node) string { return n.in(d.language, "description") }

// group reads the operations of a tag.
func (d docsReader) group(tag node) (docsGroup, error) {
	g := docsGroup{ID: tag.at("name").string(), Name: tag.in(d.language, "x-name"), Text: d.text(tag)}
	for _, path := range d.root.at("paths").entries() {
		for _, method := range path.value.entries() {
			if tags := method.value.at("tags").items(); len(tags) == 0 || tags[0].string() != g.ID {
				continue
			}
			o, err := d.operation(path, method)
			if err != nil {
				return g, fmt.Errorf("%s %s: %w", method.key, path.key, err)
			}
			g.Operations = append(g.Operations, o)
		}
	}
	return g, nil
}

func (d docsReader) operation(path, method entry) (docsOperation, error) {
	n := method.value
	o := docsOperation{
		ID: n.at("operationId").string(), Method: strings.ToUpper(method.key), Path: path.key,
		Summary: n.in(d.language, "summary"), Text: d.text(n), Open: n.at("security").Node != nil,
	}
	for _, v := range n.at("x-verb").items() {
		o.Verbs = append(o.Verbs, granted(authority.Verb(v.string()), authority.Kind(n.at("x-kind").string())))
	}
	parameters := append(path.value.at("parameters").items(), n.at("parameters").items()...)
	for _, p := range parameters {
		p = p.whole()
		o.Parameters = append(o.Parameters, d.field(p.at("name").string(), p, p.at("schema"), p.at("required").string() == "true"))
	}
	if body := n.at("requestBody"); body.Node != nil {
		o.Body = &docsBody{d.kind(body.at("content", "application/json", "schema")), body.at("required").string() == "true"}
	}
	for _, e := range n.at("responses").entries() {
		if name := e.value.name(); name != "" {
			o.Problems = append(o.Problems, docsAnswer{Code: e.key, Name: name})
			continue
		}
		o.Answers = append(o.Answers, d.answer(e, ""))
	}
	var err error
	o.Example, err = d.example(o, parameters, n.at("requestBody", "content", "application/json", "schema"))
	return o, err
}

// field reads a parameter, header or property, whose schema may stand in it. What it does not say, what it refers to does.
func (d docsReader) field(name string, n, schema node, required bool) docsField {
	f := docsField{Name: name, In: n.at("in").string(), Text: d.text(n), Required: required, Type: d.kind(schema)}
	if f.Text == "" {
		f.Text = d.text(n.whole())
	}
	return f
}

func (d docsReader) properties(schema node) (all []docsField) {
	var required []string
	for _, r := range schema.at("required").items() {
		required = append(required, r.string())
	}
	for _, e := range schema.at("properties").entries() {
		all = append(all, d.field(e.key, e.value, e.value, slices.Contains(required, e.key)))
	}
	return all
}

func (d docsReader) answer(e entry, name string) docsAnswer {
	a := docsAnswer{Code: e.key, Name: name, Text: d.text(e.value)}
	for _, h := range e.value.at("headers").entries() {
		header := h.value.whole()
		a.Headers = append(a.Headers, d.field(h.key, header, header.at("schema"), false))
	}
	for _, c := range e.value.at("content").entries() {
		a.Contents = append(a.Contents, docsContent{c.key, d.kind(c.value.at("schema"))})
	}
	return a
}

// kind reads a type.
func (d docsReader) kind(schema node) docsType {
	if name := schema.name(); name != "" {
		return docsType{Link: name}
	}
	t := docsType{Text: schema.at("type").string()}
	if both := schema.at("type").items(); len(both) > 0 {
		t.Text, t.Null = both[0].string(), true
	}
	if t.Text == "array" {
		item := d.kind(schema.at("items"))
		item.List, item.Null = true, t.Null
		return item
	}
	if of := schema.at("additionalProperties", "type").string(); of != "" {
		t.Text = "{ …: " + of + " }"
	}
	for _, key := range []string{
		"format", "contentEncoding", "default", "minimum", "maximum", "minLength", "maxLength", "pattern",
	} {
		if limit := schema.at(key).string(); limit != "" {
			t.Limits = append(t.Limits, key+" "+limit)
		}
	}
	var values []string
	for _, v := range schema.at("enum").items() {
		values = append(values, v.string())
	}
	if len(values) > 0 {
		t.Limits = append(t.Limits, strings.Join(values, " | "))
	}
	return t
}

// example writes a request for a shell.
func (d docsReader) example(o docsOperation, parameters []node, body node) (string, error) {
	path, headers := o.Path, ""
	for _, p := range parameters {
		p = p.whole()
		name, value := p.at("name").string(), p.at("example").string()
		switch in := p.at("in").string(); {
		case in == "path":
			path = strings.Replace(path, "{"+name+"}", value, 1)
		case in == "header" && value != "":
			headers += fmt.Sprintf(" \\\n  -H '%s: %s'", name, value)
		}
	}
	call := "curl"
	if o.Method != "GET" {
		call += " -X " + o.Method
	}
	call += ` "$MUSTER_URL` + path + `"`
	if !o.Open {
		call += " \\\n  -H \"Authorization: Bearer $MUSTER_TOKEN\""
	}
	call += headers
	examples := body.whole().at("examples").items()
	if len(examples) == 0 {
		return call, nil
	}
	text, err := examples[0].json()
	if err != nil {
		return "", err
	}
	quoted := strings.ReplaceAll(string(text), "'", `'\''`)
	return call + " \\\n  -H 'Content-Type: application/json' \\\n  -d '" + quoted + "'", nil
}

// granted asks authority to whom a verb on a kind of thing is granted, where the thing concerns their party.
func granted(v authority.Verb, k authority.Kind) docsVerb {
	const id = "somebody"
	object := authority.Object{Kind: k, Customers: []string{id}, Partners: []string{id}, Owner: id}
	may := func(actor timeline.ActorKind, p authority.PartyKind, r authority.Role) bool {
		return authority.May(authority.Subject{
			Actor: timeline.Actor{Kind: actor, ID: id}, Party: id, Kind: p, Roles: []authority.Role{r},
		}, v, object) == nil
	}
	verb, party := docsVerb{Name: string(v)}, "party."
	if k == authority.Incident || k == authority.Review || k == authority.PlanRun {
		party = "concerned."
	}
	for _, p := range authority.PartyKinds() {
		grant := docsGrant{Party: party + string(p)}
		for _, r := range authority.Roles() {
			if may(timeline.Person, p, r) {
				grant.Roles = append(grant.Roles, string(r))
			}
			verb.Machines = verb.Machines || may(timeline.Source, p, r)
		}
		switch len(grant.Roles) {
		case 0:
			continue
		case len(authority.Roles()):
			grant.Roles = nil
		}
		verb.Grants = append(verb.Grants, grant)
	}
	return verb
}
