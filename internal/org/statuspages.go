package org

import (
	"fmt"
	"slices"

	"muster/internal/incident"
)

// The kinds of status pages known to this version.
const (
	FolderPage = "folder"     // files below the data folder
	HostedPage = "statuspage" // behind the API of Statuspage, or of what speaks it
)

// statusPage is where the public reads how incidents stand.
type statusPage struct {
	id, name, system, url, folder, page string

	api, key address
}

// usualStatuspage is where the API of Statuspage is.
const usualStatuspage = "https://api.statuspage.io"

var (
	aPageSystem = oneOf(FolderPage, HostedPage)
	aPageFolder = in("the name of a folder: letters, digits, - and _, such as status", matches(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`))
	aPageID     = in("what the API calls it: letters, digits, - and _, such as kctbh9vrtdwd", matches(`^[A-Za-z0-9_-]{1,100}$`))
)

// readStatusPages reads which pages there are.
func (b *builder) readStatusPages(o *object) {
	folders := map[string]string{}
	o.entries("status_pages", "status page", optional, func(o *object, id string) {
		p := statusPage{id: id}
		p.name, _ = need(o, "name", aName)
		p.system, _ = need(o, "system", aPageSystem)
		p.url = maybe(o, "url", aURL, "")
		if p.system == HostedPage {
			p.page, _ = need(o, "page", aPageID)
			p.key.ref, _ = need(o, "key", aRef)
			p.api = address{plain: usualStatuspage}
			if o.has("api") {
				p.api = o.address("api", aHook)
			}
			o.unused("folder", "a hosted page is no files")
		} else {
			p.folder, _ = need(o, "folder", aPageFolder)
			if before := folders[p.folder]; before != "" {
				o.fault(o.field("folder").place, "%s %s: status page %s has it", o.about("folder"), show(p.folder), before)
			}
			folders[p.folder] = id
			for _, key := range []string{"page", "key", "api"} {
				o.unused(key, "a page of the system folder is files")
			}
		}
		b.statusPages = append(b.statusPages, p)
	})
}

// unused makes a fault of a key that says nothing here.
func (o *object) unused(key, because string) {
	if n := o.field(key); n.kind != absent && n.kind != anything {
		o.fault(n.place, "%s: want none, because %s", o.about(key), because)
	}
}

// readOnPages reads on which pages a service stands, under the name that everybody may read.
func (b *builder) readOnPages(o *object) (all []incident.StatusPage) {
	for i, n := range o.items("status_pages", optional) {
		o.object(n, fmt.Sprintf("%s: status page %d", o.subject, i+1), func(o *object) {
			s := incident.StatusPage{}
			s.ID, _ = o.ref("page", "status page")
			s.Name, _ = need(o, "name", aName)
			s.Component = maybe(o, "component", aPageID, "")
			if slices.ContainsFunc(all, func(x incident.StatusPage) bool { return x.ID == s.ID }) {
				o.fault(o.field("page").place, "%s %s: named twice", o.about("page"), show(s.ID))
			}
			all = append(all, s)
		})
	}
	return all
}

// StatusPage is a page as it is now.
type StatusPage struct {
	Name   string // as its readers see it
	System string // FolderPage or HostedPage
	URL    string // where its readers find it; may be empty
	Folder string // of files
	Page   string // what the API calls it …
	API    Secret // … where that is …
	Key    Secret // … and the key
}

// StatusPage returns a status page with references resolved now.
func (o *Organisation) StatusPage(id string) (StatusPage, error) {
	n := slices.IndexFunc(o.statusPages, func(p statusPage) bool { return p.id == id })
	if n < 0 {
		return StatusPage{}, o.missing("status page", id)
	}
	p := o.statusPages[n]
	out := StatusPage{Name: p.name, System: p.system, URL: p.url, Folder: p.folder, Page: p.page}
	if p.system == FolderPage {
		return out, nil
	}
	api, err := p.api.resolve(o.dir)
	if err != nil {
		return StatusPage{}, fmt.Errorf("status page %s: api %w", id, err)
	}
	key, err := p.key.ref.resolve(o.dir)
	if err != nil {
		return StatusPage{}, fmt.Errorf("status page %s: key %w", id, err)
	}
	out.API, out.Key = Secret(api), Secret(key)
	return out, nil
}
