package console

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"muster/internal/authority"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
)

const (
	runsShown = 25 // of one page of the list: each is asked
	atOnce    = 8
	waitsOf   = 3 // of one run in the list
)

// A runList is the data of the page of all runs of plans.
type runList struct {
	Runs []runRow
	All  bool   // those that are over too
	Next string // path of what comes after
}

// A runRow is one run in a list.
type runRow struct {
	runFacts
	Path   string
	Due    string
	Late   bool
	Waits  []waiting
	More   int // things for which it waits beside those
	Opened string
}

// waiting is one thing for which a run waits.
type waiting struct {
	Want, About, Who, Since, Due string
	Late                         bool
}

// listRuns shows the runs that whoever is signed in may read, the newest first. A page may be short: which ones concern somebody is
// found among all.
func (c *Console) listRuns(w http.ResponseWriter, r *http.Request, _ store.Session, by authority.Subject) error {
	q := r.URL.Query()
	list := runList{All: q.Get("all") != ""}
	f := starter.PlanRunFilter{Open: !list.All, After: q.Get("after"), Limit: runsShown}
	if by.Kind == authority.Customer {
		f.Customers = []string{by.Party}
	}
	rows, after, err := c.cfg.PlanRuns.PlanRuns(r.Context(), f)
	if err != nil {
		return err
	}
	heard, faults := make([]*hearing, len(rows)), make([]error, len(rows))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for n, row := range rows {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			heard[n], faults[n] = c.hear(r, by, row.ID)
		})
	}
	all.Wait()
	p := c.page(r, "runs", "runs", by.Actor.ID)
	p.Me = by.Actor.Shown()
	for n, h := range heard {
		_, gone := errors.AsType[*starter.NotFoundError](faults[n])
		_, denied := errors.AsType[*authority.DeniedError](faults[n])
		switch {
		case gone || denied:
			continue
		case faults[n] != nil:
			return faults[n]
		}
		list.Runs = append(list.Runs, c.teller(h, p.Language).row(rows[n]))
	}
	if after != "" {
		list.Next = p.with(r, "after", after)
	}
	p.Data = list
	c.show(w, r, http.StatusOK, p)
	return nil
}

func (t teller) row(s starter.PlanRunSummary) runRow {
	r := runRow{runFacts: t.run(), Path: runPath(s.ID), Opened: t.at(s.OpenedAt)}
	var due time.Time // of a task: a run has deadlines of its own too, at which it asks anew
	for _, x := range t.h.run.Tasks {
		if !x.Due.IsZero() && !x.Status.Ended() && (due.IsZero() || x.Due.Before(due)) {
			due = x.Due
		}
	}
	if !t.h.run.Over() {
		r.Due, r.Late = t.at(due), t.late(due)
	}
	all := t.waits()
	r.Waits, r.More = all[:min(len(all), waitsOf)], max(0, len(all)-waitsOf)
	return r
}

// waits are the things for which the run waits, as whoever reads may see them.
func (t teller) waits() (all []waiting) {
	r := t.h.run
	for _, w := range r.Waits(t.h.now) {
		x := waiting{
			Want: t.say("want." + string(w.Want)), About: t.about(w), Who: t.doers(w.Roles), Since: t.at(w.Since), Due: t.at(w.Due), Late: t.late(w.Due),
		}
		if len(w.People) > 0 {
			x.Who = ""
			for _, a := range w.People {
				x.Who = listed(x.Who, t.named(a))
			}
		}
		all = append(all, x)
	}
	return all
}

func listed(all, more string) string {
	switch {
	case all == "":
		return more
	case more == "":
		return all
	}
	return all + ", " + more
}

// about is what a run waits for: a task, an environment, a change of the plan, or the run itself.
func (t teller) about(w planrun.Wait) string {
	if _, def, ok := t.h.run.Task(w.Task); ok {
		return def.Name.In(t.language)
	}
	for _, e := range t.h.run.Environments {
		if e.ID == w.Environment {
			return e.Name
		}
	}
	if w.Want == planrun.WantVote {
		return t.say("run.change")
	}
	return ""
}

// doers are the names of roles.
func (t teller) doers(ids []string) (all string) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if role, ok := t.h.run.Plan.Role(id); ok {
			all = listed(all, role.Name.In(t.language))
		}
	}
	return all
}
