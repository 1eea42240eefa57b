package console

import (
	"net/http"
	"time"

	"muster/internal/planrun"
	"muster/starter"
)

// An inbox is the data of the first page: what waits for whoever is signed in.
type inbox struct {
	Items []inboxItem
	Away  bool // it could not be found out
	Cut   bool // not all that are open were looked at
}

// An inboxItem is one thing that waits.
type inboxItem struct {
	waiting
	Kind, ID, Customer, Path, Command, Read string
}

// home says what waits for whoever is signed in, and where things are.
func (c *Console) home(w http.ResponseWriter, r *http.Request) error {
	by, ok := c.Session(r)
	if !ok {
		seeOther(w, r, loginPath)
		return nil
	}
	p := c.page(r, "home", "home", by.Actor.ID)
	p.Me = by.Actor.Shown()
	all, err := c.cfg.Inbox(r.Context(), by, p.Language)
	if err != nil {
		c.cfg.Log.Error("inbox not looked up", "actor", by.Actor.ID, "error", err)
	}
	box := inbox{Away: err != nil, Cut: len(all.Cut) > 0}
	to, _ := recipient(c.cfg.Organisation(), by.Actor.ID)
	zone := to.Zone
	if zone == "" {
		zone = c.cfg.Organisation().Zone.String()
	}
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return c.cfg.Texts.Moment(at, p.Language, zone)
	}
	for _, i := range all.Items {
		want, err := c.pages[p.Language].word("want", i.Want)
		if err != nil {
			return err
		}
		box.Items = append(box.Items, inboxItem{
			waiting: waiting{Want: want, About: i.Title, Since: moment(i.Since), Due: moment(i.Due), Late: !i.Due.IsZero() && i.Due.Before(c.cfg.Now())},
			Kind:    string(i.Kind), ID: i.ID, Customer: i.Customer, Path: pathOf(i), Command: i.Command, Read: i.Read,
		})
	}
	p.Data = box
	c.show(w, r, http.StatusOK, p)
	return nil
}

// pathOf is the page on which something that waits is done, empty where no page does it.
func pathOf(i starter.InboxItem) string {
	if i.Kind != starter.InboxPlanRun {
		return ""
	}
	switch id := planrun.ID(i.ID); planrun.Want(i.Want) {
	case planrun.WantVote:
		return matterPath(id, votes, i.Task)
	case planrun.WantWaiver:
		return matterPath(id, waivers, i.Task)
	default:
		return runPath(id)
	}
}
