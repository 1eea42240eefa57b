package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/internal/store"
)

const calendarPath = "/change-calendar"

// calendarSpans are for how many days somebody may look ahead. The first one is usual.
func calendarSpans() []string { return []string{"90", "30", "366"} }

// A changeCalendar is the data of the page of what is planned, day by day.
type changeCalendar struct {
	Text, From string
	Kinds      []picked
	Customers  []picked // none for whoever sees only what concerns a party of its own
	Spans      []picked
	Meeting    bool // only what meets something
	Fault      bool // From is no day
	More       bool // there is more than was looked at
	Days       []calendarDay
}

// picked is something to choose from.
type picked struct {
	ID, Name string
	Chosen   bool
}

// A calendarDay is a day with what begins on it. The one without a name has what began before, or may begin at any time.
type calendarDay struct {
	Name    string
	Entries []calendarEntry
}

// A calendarEntry is one thing that is planned.
type calendarEntry struct {
	Kind, ID, Title, Date, Status string
	From, Until                   string // empty: nobody knows
	Of                            []string
	Path                          string // of the run that it is
	Meets                         []calendarEntry
}

// showCalendar shows what is planned, by the day on which it begins for whoever reads.
func (c *Console) showCalendar(w http.ResponseWriter, r *http.Request, _ store.Session, by authority.Subject) error {
	o, p := c.cfg.Organisation(), c.page(r, "calendar", "calendar", by.Actor.ID)
	p.Me = by.Actor.Shown()
	to, _ := recipient(o, by.Actor.ID)
	zone, err := time.LoadLocation(to.Zone)
	if err != nil || to.Zone == "" {
		zone = o.Zone
	}
	q := r.URL.Query()
	data := changeCalendar{Text: q.Get("text"), From: q.Get("from"), Meeting: q.Get("meeting") != ""}
	from := c.cfg.Now()
	if data.From != "" {
		day, err := time.ParseInLocation(time.DateOnly, data.From, zone)
		if data.Fault = err != nil; err == nil {
			from = day
		}
	}
	days := q.Get("days")
	if !slices.Contains(calendarSpans(), days) {
		days = calendarSpans()[0]
	}
	length, _ := strconv.Atoi(days)
	until := from.In(zone).AddDate(0, 0, length)
	f := changecalendar.Filter{Kind: changecalendar.Kind(q.Get("kind")), Customer: q.Get("customer"), Text: data.Text}
	for _, k := range changecalendar.Kinds() {
		data.Kinds = append(data.Kinds, picked{string(k), "", k == f.Kind})
	}
	for _, d := range calendarSpans() {
		data.Spans = append(data.Spans, picked{d, d, d == days})
	}
	if by.Kind == authority.Provider {
		for _, x := range o.Contracts() {
			party, _ := o.Party(x.Customer)
			data.Customers = append(data.Customers, picked{x.Customer, party.Name, x.Customer == f.Customer})
		}
	}
	all, more, err := c.cfg.Calendar(r.Context(), by, from, until)
	if _, denied := errors.AsType[*authority.DeniedError](err); err != nil && !denied { // else there is nothing for them
		return err
	}
	all = slices.DeleteFunc(all, func(e changecalendar.Entry) bool { return !f.Takes(&e) || data.Meeting && len(e.Meets) == 0 })
	data.More, data.Days = more, calendarWriter{c, p.Language, zone.String()}.days(all, from)
	p.Data = data
	c.show(w, r, http.StatusOK, p)
	return nil
}

// A calendarWriter writes what is planned in a language and a zone.
type calendarWriter struct {
	*Console

	language, zone string
}

// days puts entries, which come in the order in which they begin, under the days on which they do.
func (w calendarWriter) days(all []changecalendar.Entry, from time.Time) (days []calendarDay) {
	for n := range all {
		e, name := &all[n], ""
		if !e.From.Before(from) {
			name = w.cfg.Texts.Day(e.From, w.language, w.zone)
		}
		if len(days) == 0 || days[len(days)-1].Name != name {
			days = append(days, calendarDay{Name: name})
		}
		days[len(days)-1].Entries = append(days[len(days)-1].Entries, w.entry(e))
	}
	return days
}

func (w calendarWriter) entry(e *changecalendar.Entry) calendarEntry {
	x := w.stretch(e.Kind, e.ID, e.Title, e.From, e.Until)
	x.Date, x.Status, x.Of = e.Date, w.status(e), e.Environments
	if len(x.Of) == 0 {
		x.Of = slices.Concat(e.Customers, e.Services)
	}
	for _, m := range e.Meets {
		x.Meets = append(x.Meets, w.stretch(m.Kind, m.ID, m.Title, m.From, m.Until))
	}
	return x
}

// stretch is what is said of an entry and of what it meets alike.
func (w calendarWriter) stretch(kind changecalendar.Kind, id, title string, from, until time.Time) calendarEntry {
	x := calendarEntry{Kind: string(kind), ID: id, Title: title}
	if kind == changecalendar.Plan || kind == changecalendar.Provider {
		x.Path = runPath(planrun.ID(id))
	}
	if !from.IsZero() {
		x.From = w.cfg.Texts.Instant(from, w.language, w.zone)
	}
	if !until.IsZero() && !until.Equal(from) {
		x.Until = w.cfg.Texts.Instant(until, w.language, w.zone)
	}
	return x
}

// status is where an entry stands, in the words of its kind; of a freeze, why there is one.
func (w calendarWriter) status(e *changecalendar.Entry) string {
	switch e.Kind {
	case changecalendar.Change:
		return w.cfg.Texts.ChangeStatus(change.Status(e.Status), w.language)
	case changecalendar.Plan, changecalendar.Provider:
		return w.cfg.Texts.Word("run", e.Status, w.language)
	case changecalendar.Routine:
		return w.cfg.Texts.RoutineFate(routine.Fate(e.Status), w.language)
	case changecalendar.Freeze:
	}
	return e.Status
}

// calendarQuery lists what a path of the calendar keeps in another language.
func calendarQuery() []string { return []string{"text", "kind", "customer", "from", "days", "meeting"} }

// keep copies some values of a query into another.
func keep(to, from url.Values, names []string) {
	for _, name := range names {
		if v := from.Get(name); v != "" {
			to.Set(name, v)
		}
	}
}
