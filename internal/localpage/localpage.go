// Package localpage keeps a status page as files in a folder of this machine, for any web server to hand out: HTML in two languages,
// JSON and Atom. It serves nothing itself.
package localpage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/posting"
	"muster/internal/wholefile"
	"muster/templates"
)

// Pages are the status pages below a folder. The zero value writes nothing.
type Pages struct {
	Folder string
	mu     sync.Mutex // a page is written from all of its entries
}

// A Page is one of them.
type Page struct {
	Pages *Pages
	Name  string // of its folder below that of all pages
	Title string
	// Languages are those of the organisation, its own first: the page that has no language in its name is in that one.
	Languages []string
	URL       string // where its readers find it, for the feed; may be empty
	Zone      *time.Location
}

const (
	entriesFolder = "entries"
	maxEntry      = 1_000_000 // bytes
	maxSaid       = 100       // texts about one incident
	maxOver       = 30        // incidents that are over and still shown, the newest
)

// entry is one incident on the page, as its file has it.
type entry struct {
	Incident string    `json:"incident"`
	Status   string    `json:"status"`
	Impact   string    `json:"impact"`
	Started  time.Time `json:"started"`
	Updated  time.Time `json:"updated"`
	Revision int       `json:"revision"`
	Said     []said    `json:"said"` // the newest last
}

// said is one text about it.
type said struct {
	Revision int             `json:"revision"`
	Status   string          `json:"status"`
	At       time.Time       `json:"at"`
	Words    []posting.Words `json:"words"`
}

var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// SafeName tells whether a folder below that of all pages may have a name.
func SafeName(name string) bool { return safeName.MatchString(name) }

// Post writes the page anew with one more text. The entry's file comes first: what a crash leaves out of the page comes with the next
// text, or with the next attempt.
func (p *Page) Post(ctx context.Context, post posting.Posting) (string, error) {
	if p.Pages == nil || p.Pages.Folder == "" || !SafeName(p.Name) || !SafeName(post.Incident) {
		return "", &delivery.Refusal{Detail: fmt.Sprintf("status page %q: no folder for entry %q", p.Name, post.Incident)}
	}
	p.Pages.mu.Lock()
	defer p.Pages.mu.Unlock()
	root := filepath.Join(p.Pages.Folder, p.Name)
	if err := os.MkdirAll(filepath.Join(root, entriesFolder), 0o755); err != nil {
		return "", fmt.Errorf("make folder of status page %s: %w", p.Name, err)
	}
	release, err := wholefile.Hold(ctx.Done(), filepath.Join(root, entriesFolder))
	if err != nil {
		return "", fmt.Errorf("status page %s: %w", p.Name, err)
	}
	defer release()
	if err := keep(root, post); err != nil {
		return "", err
	}
	return p.place(root, post.Incident), p.write(root)
}

// place is where an entry is read: at its address, else in its file.
func (p *Page) place(root, incident string) string {
	if p.URL == "" {
		return filepath.Join(root, "index.html")
	}
	return strings.TrimSuffix(p.URL, "/") + "/#" + incident
}

// keep puts a text into the entry's file, unless it is there.
func keep(root string, post posting.Posting) error {
	path := filepath.Join(root, entriesFolder, post.Incident+".json")
	e, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e.Revision >= post.Revision {
		return nil
	}
	e.Incident, e.Status, e.Impact, e.Started, e.Updated, e.Revision = post.Incident, post.Status, post.Impact, post.Started, post.At, post.Revision
	e.Said = append(e.Said, said{post.Revision, post.Status, post.At, post.Words})
	e.Said = e.Said[max(0, len(e.Said)-maxSaid):]
	content, err := json.MarshalIndent(e, "", "  ")
	for ; err == nil && len(content) > maxEntry && len(e.Said) > 1; content, err = json.MarshalIndent(e, "", "  ") { // nobody could read it again
		e.Said = e.Said[1+len(e.Said)/10:]
	}
	if err != nil {
		return fmt.Errorf("write entry %s: %w", post.Incident, err)
	}
	return wholefile.Write(path, content, 0o644)
}

func read(path string) (e entry, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return e, fmt.Errorf("read entry: %w", err)
	}
	if info.Size() > maxEntry {
		return e, fmt.Errorf("read entry %s: %d bytes; want %d at most", path, info.Size(), maxEntry)
	}
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &e)
	}
	if err != nil {
		return e, fmt.Errorf("read entry %s: %w", path, err)
	}
	return e, nil
}

// entries are what the page shows: all that is open, and the newest of what is over. What is older is removed.
func entries(root string) (open, over []entry, err error) {
	files, err := filepath.Glob(filepath.Join(root, entriesFolder, "*.json"))
	if err != nil {
		return nil, nil, fmt.Errorf("list entries: %w", err)
	}
	for _, f := range files {
		e, err := read(f)
		if err != nil {
			return nil, nil, err
		}
		if e.Status == posting.Over {
			over = append(over, e)
		} else {
			open = append(open, e)
		}
	}
	newest := func(a, b entry) int {
		return cmp.Or(b.Updated.Compare(a.Updated), strings.Compare(a.Incident, b.Incident))
	}
	slices.SortFunc(open, newest)
	slices.SortFunc(over, newest)
	for len(over) > maxOver {
		old := over[len(over)-1]
		over = over[:len(over)-1]
		if err := os.Remove(filepath.Join(root, entriesFolder, old.Incident+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("remove entry %s: %w", old.Incident, err)
		}
	}
	return open, over, nil
}

func (p *Page) write(root string) error {
	open, over, err := entries(root)
	if err != nil {
		return err
	}
	updated := time.Time{}
	for _, e := range slices.Concat(open, over) {
		if e.Updated.After(updated) {
			updated = e.Updated
		}
	}
	files := map[string][]byte{}
	own := "en"
	if len(p.Languages) > 0 && slices.Contains(languages(), p.Languages[0]) {
		own = p.Languages[0]
	}
	for _, l := range languages() {
		page, err := p.html(l, updated, open, over)
		if err != nil {
			return err
		}
		feed, err := p.atom(l, updated, slices.Concat(open, over))
		if err != nil {
			return err
		}
		files["index."+l+".html"], files["feed."+l+".atom"] = page, feed
		if l == own {
			files["index.html"] = page
		}
	}
	if files["status.json"], err = p.json(updated, open, over); err != nil {
		return err
	}
	for name, content := range files {
		if err := wholefile.Write(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// languages are those of a page.
func languages() []string { return []string{"en", "ko"} }

// labels are what stands on the page beside what was said.
type labels struct {
	Language, Other, OtherName, Quiet, Bad, Now, Before, Since, Updated, Earlier, Feed string

	Statuses map[string]string
}

func labelsIn(language string) labels {
	if language == "ko" {
		return labels{
			Language: "ko", Other: "en", OtherName: "English", Quiet: "진행 중으로 안내된 장애가 없습니다", Bad: "장애가 진행 중입니다", Now: "진행 중인 장애",
			Before: "지난 장애", Since: "발생 시각", Updated: "마지막 안내", Earlier: "이전 안내", Feed: "Atom 피드",
			Statuses: map[string]string{"investigating": "원인 조사 중", "identified": "원인 파악", "monitoring": "관찰 중", "resolved": "해결"},
		}
	}
	return labels{
		Language: "en", Other: "ko", OtherName: "한국어", Quiet: "No current incident has been announced", Bad: "There is a current incident", Now: "Current incidents",
		Before: "Past incidents", Since: "Since", Updated: "Last update", Earlier: "Earlier updates", Feed: "Atom feed",
		Statuses: map[string]string{"investigating": "investigating", "identified": "cause identified", "monitoring": "monitoring", "resolved": "resolved"},
	}
}

// shown is an entry in one language, its newest text first.
type shown struct {
	ID, Title, Since, Started string
	Newest                    shownText
	Earlier                   string // what those before it are called
	Before                    []shownText
}

type shownText struct{ Word, At, Text string }

func (p *Page) shown(l labels, all []entry) (out []shown) {
	for _, e := range all {
		s := shown{ID: e.Incident, Since: l.Since, Started: p.moment(e.Started), Earlier: l.Earlier}
		for _, x := range slices.Backward(e.Said) {
			w := posting.Posting{Incident: e.Incident, Words: x.Words}.In(l.Language)
			s.Title = cmp.Or(s.Title, w.Title)
			s.Before = append(s.Before, shownText{l.Statuses[x.Status], p.moment(x.At), w.Text})
		}
		if len(s.Before) > 0 {
			s.Newest, s.Before = s.Before[0], s.Before[1:]
		}
		out = append(out, s)
	}
	return out
}

func (p *Page) moment(at time.Time) string {
	return at.In(cmp.Or(p.Zone, time.UTC)).Format("2006-01-02 15:04 MST")
}

func (p *Page) html(language string, updated time.Time, open, over []entry) ([]byte, error) {
	t, err := template.ParseFS(templates.FS, "statuspage/page.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read status page: %w", err)
	}
	l := labelsIn(language)
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Say": l, "Title": p.Title, "Updated": p.moment(updated), "Open": p.shown(l, open), "Over": p.shown(l, over),
	})
	if err != nil {
		return nil, fmt.Errorf("write status page %s: %w", p.Name, err)
	}
	return b.Bytes(), nil
}

func (p *Page) json(updated time.Time, open, over []entry) ([]byte, error) {
	b, err := json.MarshalIndent(struct {
		Title   string    `json:"title"`
		Current bool      `json:"current"` // an incident is announced that is not over: what is not announced stands nowhere here
		Updated time.Time `json:"updated"`
		Open    []entry   `json:"open"`
		Over    []entry   `json:"over"`
	}{p.Title, len(open) > 0, updated, append([]entry{}, open...), append([]entry{}, over...)}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write status page %s: %w", p.Name, err)
	}
	return b, nil
}

type (
	feed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Author  string      `xml:"author>name"`
		Links   []feedLink  `xml:"link"`
		Entries []feedEntry `xml:"entry"`
	}
	feedLink struct {
		Href string `xml:"href,attr"`
		Rel  string `xml:"rel,attr"`
	}
	feedEntry struct {
		ID      string     `xml:"id"`
		Title   string     `xml:"title"`
		Updated string     `xml:"updated"`
		Links   []feedLink `xml:"link"`
		Content string     `xml:"content"`
	}
)

// atom is one entry for every text, the newest first: readers of feeds show each once.
func (p *Page) atom(language string, updated time.Time, all []entry) ([]byte, error) {
	l := labelsIn(language)
	f := feed{
		Lang: language, ID: "urn:muster:status-page:" + p.Name, Title: p.Title, Author: p.Title, Updated: updated.UTC().Format(time.RFC3339),
	}
	link := func() []feedLink {
		if p.URL == "" {
			return nil
		}
		return []feedLink{{strings.TrimSuffix(p.URL, "/") + "/index." + language + ".html", "alternate"}}
	}
	f.Links = link()
	type text struct {
		of   string
		said said
	}
	var texts []text
	for _, e := range all {
		for _, s := range e.Said {
			texts = append(texts, text{e.Incident, s})
		}
	}
	slices.SortStableFunc(texts, func(a, b text) int { return cmp.Or(b.said.At.Compare(a.said.At), b.said.Revision-a.said.Revision) })
	for _, t := range texts[:min(len(texts), maxSaid)] {
		w := posting.Posting{Incident: t.of, Words: t.said.Words}.In(language)
		f.Entries = append(f.Entries, feedEntry{
			ID: fmt.Sprintf("%s:%s:%d", f.ID, t.of, t.said.Revision), Title: w.Title + ": " + l.Statuses[t.said.Status],
			Updated: t.said.At.UTC().Format(time.RFC3339), Links: link(), Content: w.Text,
		})
	}
	b, err := xml.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write feed of status page %s: %w", p.Name, err)
	}
	return append([]byte(xml.Header), b...), nil
}
