package incident

import (
	"slices"
	"strconv"
	"time"

	"muster/internal/delivery"
	"muster/internal/timeline"
)

// Posted is what the status pages should say of the incident, and how far each does.
type Posted struct {
	Revision   int            `json:"revision"` // 1, 2, 3 …
	Status     PublicStatus   `json:"status"`
	Text       string         `json:"text,omitempty"` // what a person wrote; empty when the engine writes
	Expected   time.Time      `json:"expected,omitzero"`
	Workaround string         `json:"workaround,omitempty"`
	Reopened   bool           `json:"reopened,omitempty"` // it says that it is not over
	By         timeline.Actor `json:"by"`
	At         time.Time      `json:"at"`
	Pages      []PostedPage   `json:"pages"`
}

// A PostedPage is how far one status page is.
type PostedPage struct {
	StatusPage

	Ref     string `json:"ref,omitempty"`     // what the page calls the incident
	Written int    `json:"written,omitempty"` // newest revision that it has
	Failed  int    `json:"failed,omitempty"`  // newest revision that it has refused
}

// statusPages are those on which the incident may stand: a restricted one never does.
func (i *Incident) statusPages() []StatusPage {
	if i.Definition.Communication == nil || i.Definition.Restricted() {
		return nil
	}
	return i.Definition.Communication.Pages
}

// forPages refuses what must not stand on a status page.
func (c SendUpdate) forPages(i *Incident) error {
	const action = "send update of"
	switch {
	case !c.Public:
		return nil
	case i.Definition.Restricted():
		return i.refuse(action, "public: it is a %s incident, which never stands on a status page", i.Definition.Kind)
	case c.Customer != "":
		return i.refuse(action, "public: what one customer is told is not for everybody; want no customer")
	case len(i.statusPages()) == 0:
		return i.refuse(action, "public: service %s stands on no status page", i.Definition.Service.ID)
	}
	return nil
}

// post puts something onto the status pages. Once an incident stands there, every update to all customers does: what two channels say
// of it must not differ.
func (i *Incident) post(p Posted) {
	before := i.Posted
	if before == nil {
		before = &Posted{}
		for _, page := range i.statusPages() {
			before.Pages = append(before.Pages, PostedPage{StatusPage: page})
		}
	}
	p.Revision, p.Pages = before.Revision+1, before.Pages
	i.Posted = &p
}

// keepPages brings the status pages up to date. What stands there open ends when customers get the all-clear, and at the latest when
// the incident is closed; what stands there as over is taken back when it is reopened. Where a machine writes to no customer, a
// person says both: the page ends when people have told every customer.
func (i *Incident) keepPages(now time.Time) {
	p := i.Posted
	if p == nil {
		return
	}
	writes := i.writesToAll()
	switch over := p.Status == BackToNormal; {
	case !over && (i.Status == Closed || i.Status == Resolved && (writes || i.settles() && len(i.unclear()) == 0)):
		i.post(Posted{Status: BackToNormal, By: timeline.Muster(), At: now})
	case over && i.Status.Open() && writes:
		i.post(Posted{Status: Investigating, Reopened: true, By: timeline.Muster(), At: now})
	}
	p = i.Posted
	for n := range p.Pages {
		page := &p.Pages[n]
		if max(page.Written, page.Failed) < p.Revision && !i.posting(page.ID) {
			i.begin(Send{Work: PostStatus, Page: page.ID, Revision: p.Revision, Says: p.Status}, now)
		}
	}
}

// writesToAll tells whether a machine writes to every customer.
func (i *Incident) writesToAll() bool {
	return !slices.ContainsFunc(i.Definition.Customers, func(c Customer) bool { return !i.writesItself(c.ID) })
}

// posting tells whether something is on its way to a page.
func (i *Incident) posting(page string) bool {
	return slices.ContainsFunc(i.Outbox, func(s Send) bool { return s.Work == PostStatus && s.Page == page })
}

// PageOf is how far the status page of a send is; nil when the incident has none of that name.
func (i *Incident) PageOf(s Send) *PostedPage {
	if i.Posted == nil {
		return nil
	}
	for n := range i.Posted.Pages {
		if p := &i.Posted.Pages[n]; p.ID == s.Page {
			return p
		}
	}
	return nil
}

// ForPage is what the words on a status page are written from: nothing of customers, of alerts, of people, and of the incident only
// what everybody may know.
func (i *Incident) ForPage(page *PostedPage) Telling {
	p := i.Posted
	return Telling{
		Kind: delivery.StatusPage, Text: p.Text, Says: p.Status, Expected: p.Expected, Workaround: p.Workaround, About: aboutPost(p),
		Facts: Facts{
			ID: i.ID, Service: page.Name, Status: i.Status, Impact: i.Impact, Zone: i.Definition.Zone,
			Times: Times{Started: i.Times.Started, Resolved: i.Times.Resolved},
		},
	}
}

func aboutPost(p *Posted) About {
	if p.Reopened {
		return AboutReopened
	}
	return ""
}

// PagePosted takes in that a status page says what it should.
func (i *Incident) PagePosted(number int, ref string, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	page, revision, says := i.PageOf(*s), s.Revision, s.Says
	i.drop(number)
	page.Ref, page.Written = ref, max(page.Written, revision)
	if p := i.Posted; p.Revision == revision {
		i.Announced = &Announcement{Status: p.Status, At: now, Expected: p.Expected, Workaround: p.Workaround}
	}
	i.record(now, timeline.PagePosted, i.Posted.By, timeline.F("page", page.ID), timeline.F("status", string(says)),
		timeline.F("revision", strconv.Itoa(revision)), timeline.F("ref", ref))
}

// PageFailed takes in that a status page does not say what it should. Whoever answers for what customers hear is told: it may say
// what is not true any more.
func (i *Incident) PageFailed(number int, detail string, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	page, revision, says := i.PageOf(*s), s.Revision, s.Says
	withdrawn := s.Withdrawn != ""
	i.drop(number)
	if withdrawn { // something newer follows
		return
	}
	page.Failed = max(page.Failed, revision)
	i.record(now, timeline.PageFailed, timeline.Muster(), timeline.F("page", page.ID), timeline.F("status", string(says)), timeline.F("detail", detail))
	i.begin(Send{
		Work: Remind, About: AboutStatusPage, Role: CommunicationsManager, Targets: i.standsFor(CommunicationsManager),
		Text: page.ID + ": " + detail, Page: page.ID,
	}, now)
}
