package console

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"muster/internal/delivery"
	"muster/internal/link"
	"muster/internal/org"
	"muster/templates"
)

// pages are all pages of one language.
type pages struct {
	html  *template.Template
	words *texttemplate.Template
}

// A page is what every template is given.
type page struct {
	Language     string
	Others       []translation // the same page
	Organisation string
	Style, Icon  string // paths
	Me           string // who is signed in
	Keep         string // what a path within Muster ends in, to keep a language that was asked for
	Name         string // of its words
	Data         any

	template string
}

// A translation is where a page stands in another language.
type translation struct{ Language, Path string }

// A message is the data of a page that only says something.
type message struct{ At, Detail, Again string }

// templateNames lists the templates of whole pages, each with data to try it with.
func templateNames() map[string]any {
	return map[string]any{
		"message": message{}, "link": decision{}, "answer": answering{}, "ballot": deciding{}, "report": reporting{}, "reported": reported{},
		"login": signIn{}, "going": going{}, "home": inbox{}, "runs": runList{}, "calendar": changeCalendar{}, "run": runPage{}, "account": account{}, "token": newToken{},
	}
}

// load parses all pages and tries each once, so that a slip of the pen is found now and not when somebody is paged.
func (c *Console) load() error {
	if err := c.loadFiles(); err != nil {
		return err
	}
	c.pages = map[string]*pages{}
	var faults []error
	for _, language := range c.cfg.Texts.Languages() {
		p, err := loadPages(language)
		if err != nil {
			return fmt.Errorf("load pages in %s: %w", language, err)
		}
		c.pages[language] = p
		for name, data := range templateNames() {
			try := page{Language: language, Name: "no-page", Data: data}
			if err := p.html.ExecuteTemplate(io.Discard, name+".html.tmpl", try); err != nil {
				faults = append(faults, fmt.Errorf("try page in %s: %w", language, err))
			}
		}
	}
	return errors.Join(faults...)
}

func loadPages(language string) (*pages, error) {
	words, err := texttemplate.New("words").ParseFS(templates.FS, "console/words."+language+".tmpl")
	if err != nil {
		return nil, err
	}
	p := &pages{words: words}
	p.html, err = template.New("pages").Funcs(template.FuncMap{"say": p.say, "word": p.word}).
		ParseFS(templates.FS, "console/*.html.tmpl")
	return p, err
}

// say returns the words that have a name. They are text and no HTML, whatever stands in their data.
func (p *pages) say(name string, data ...any) (string, error) {
	var b strings.Builder
	var about any
	if len(data) > 0 {
		about = data[0]
	}
	err := p.words.ExecuteTemplate(&b, name, about)
	return b.String(), err
}

// word returns the word for a value, the value itself where there is none: it may be newer than the words.
func (p *pages) word(axis, value string) (string, error) {
	if p.words.Lookup(axis+"."+value) == nil {
		return value, nil
	}
	return p.say(axis + "." + value)
}

// A file is one that pages load.
type file struct {
	kind    string
	content []byte
}

const (
	styleFile = "style.css"
	iconFile  = "icon.svg"
)

// loadFiles gives every file a path that holds its hash: what has once been loaded never changes.
func (c *Console) loadFiles() error {
	c.files = map[string]file{}
	for name, kind := range map[string]string{styleFile: "text/css; charset=utf-8", iconFile: "image/svg+xml"} {
		content, err := templates.FS.ReadFile("console/" + name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		c.files["/"+hex.EncodeToString(sum[:8])+"/"+name] = file{kind, content}
	}
	return nil
}

// pathOf is where a file is served.
func (c *Console) pathOf(name string) string {
	for p := range c.files {
		if path.Base(p) == name {
			return p
		}
	}
	return ""
}

func (f file) serve(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", f.kind)
	_, _ = w.Write(f.content) // a client that has gone needs no answer
	return nil
}

// page begins a page in the language of a person, or of whoever asks when that is empty.
func (c *Console) page(r *http.Request, template, name, person string) page {
	o := c.cfg.Organisation()
	language, asked := c.language(r, o, person)
	p := page{
		Language: language, Organisation: o.Name, Style: c.pathOf(styleFile), Icon: c.pathOf(iconFile),
		Name: name, template: template,
	}
	if asked {
		p.Keep = "?lang=" + language
	}
	if r.Method == http.MethodPost { // which would be sent again
		return p
	}
	for _, other := range c.cfg.Texts.Languages() {
		if other != language {
			p.Others = append(p.Others, translation{other, p.in(r, other)})
		}
	}
	return p
}

// in is the path of a request, with its page in a language.
func (p page) in(r *http.Request, language string) string {
	query := url.Values{}
	if language != "" {
		query.Set("lang", language)
	}
	if next := local(r.URL.Query().Get("next")); next != "" {
		query.Set("next", next)
	}
	keep(query, r.URL.Query(), []string{"all", "after"}) // of the list of runs
	if r.URL.Path == calendarPath {
		keep(query, r.URL.Query(), calendarQuery())
	}
	u := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
	return u.String()
}

// with is the path of a request with another value in its query.
func (p page) with(r *http.Request, name, value string) string {
	u := url.URL{Path: r.URL.Path}
	query := r.URL.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// here is the path of a request, to be opened again.
func (p page) here(r *http.Request) string { return r.URL.EscapedPath() + p.Keep }

// language chooses the one that is asked for in so many words, then the person's, the browser's and the organisation's.
func (c *Console) language(r *http.Request, o *org.Organisation, person string) (language string, asked bool) {
	known := func(code string) bool { return c.pages[code] != nil }
	if code := r.URL.Query().Get("lang"); known(code) {
		return code, true
	}
	if p, ok := recipient(o, person); ok && known(p.Language) {
		return p.Language, false
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		code, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if base, _, _ := strings.Cut(strings.ToLower(code), "-"); known(base) {
			return base, false
		}
	}
	return cmp.Or(o.Languages[0], c.cfg.Texts.Languages()[0]), false
}

// recipient returns a person, or a customer's contact, as messages reach them.
func recipient(o *org.Organisation, id string) (delivery.Recipient, bool) {
	customer, _, contact := strings.Cut(id, "/")
	if !contact {
		return o.Person(id)
	}
	all, err := o.CustomerContacts(customer)
	n := slices.IndexFunc(all, func(p delivery.Recipient) bool { return p.ID == id })
	if err != nil || n < 0 {
		return delivery.Recipient{}, false
	}
	return all[n], true
}

// show sends a page.
func (c *Console) show(w http.ResponseWriter, r *http.Request, status int, p page) {
	var b bytes.Buffer
	if err := c.pages[p.Language].html.ExecuteTemplate(&b, p.template+".html.tmpl", p); err != nil {
		c.cfg.Log.Error("page not written", "method", r.Method, "path", link.Shown(r.URL.Path), "error", err)
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(http.StatusText(status))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Language)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
}

// local returns a path within Muster as it is, and "" for all that might lead elsewhere.
func local(next string) string {
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || len(next) > 500 || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsFunc(next, odd) {
		return ""
	}
	return next
}
