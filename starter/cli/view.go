package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter/api"
)

// A page is what is being shown, in one language, with times of one zone.
type page struct {
	*app
	say            labels
	w              io.Writer
	language, zone string
}

// page begins one. The organisation's language is for whoever has set none.
func (a *app) page(w io.Writer, organisations, zone string) page {
	l := cmp.Or(a.language(), organisations)
	return page{app: a, say: labelsIn(l), w: w, language: l, zone: zone}
}

func (p page) instant(at time.Time) string { return p.view.texts.Instant(at, p.language, p.zone) }

// away says how far off an instant is.
func (p page) away(at time.Time, before, after string) string {
	d := at.Sub(p.env.Now())
	if d.Abs() < time.Second {
		return p.say.now
	}
	if d < 0 {
		return fmt.Sprintf(after, p.view.texts.Duration(-d, p.language))
	}
	return fmt.Sprintf(before, p.view.texts.Duration(d, p.language))
}

func (p page) pressing(pr priority.Priority) string {
	c := colour("")
	switch {
	case pr == priority.P1:
		c = red
	case pr == priority.P2:
		c = yellow
	}
	return p.paint(c, p.view.texts.Priority(pr, p.language))
}

func (p page) status(s incident.Status) string {
	c := colour("")
	switch s {
	case incident.Triggered:
		c = red
	case incident.Acknowledged, incident.Mitigated:
		c = yellow
	case incident.Resolved:
		c = green
	case incident.Closed, incident.Merged:
		c = dim
	}
	return p.paint(c, p.view.texts.Status(s, p.language))
}

// head is the first row of a table.
func (p page) head(names ...string) []string {
	for n, name := range names {
		names[n] = p.paint(dim, strings.ToUpper(name))
	}
	return names
}

// list shows one row for each incident.
func (p page) list(all []api.Summary) {
	rows := [][]string{p.head(p.say.incident, p.say.priority, p.say.status, p.say.service, p.say.opened, p.say.next, p.say.customers, p.say.title)}
	for _, s := range all {
		next := ""
		if !s.NextDue.IsZero() && s.ClosedAt.IsZero() {
			next = p.away(s.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(string(s.ID)), p.pressing(s.Priority), p.status(s.Status), printable(s.Service), p.instant(s.OpenedAt), next,
			printable(strings.Join(s.Customers, ", ")), p.named(s.Kind, s.Title),
		})
	}
	p.rows(p.w, rows, cut)
}

// named is a title, with the kind of an incident that is no ordinary one.
func (p page) named(k incident.Kind, title string) string {
	if kind := p.view.texts.IncidentKind(k, p.language); kind != "" {
		title = kind + ": " + title
	}
	return printable(title)
}

// alerts shows one row for each alert.
func (p page) alerts(all []api.Alert) {
	rows := [][]string{p.head(p.say.alert, p.say.status, p.say.started, p.say.last, p.say.times, p.say.summary)}
	for _, a := range all {
		state := p.paint(red, p.say.fires)
		if a.State == alert.Resolved {
			state = p.paint(green, p.say.ended)
		}
		rows = append(rows, []string{
			printable(alert.Alert{Name: a.Name, Labels: alert.FromMap(a.Labels)}.Known()), state, p.instant(a.StartsAt), p.instant(a.Last), strconv.Itoa(a.Times), printable(a.Summary),
		})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// show shows one incident on one screen.
func (p page) show(i *incident.Incident) {
	d := &i.Definition
	title := printable(string(i.ID)) + "  " + p.named(d.Kind, d.Title)
	if width := p.width(); width > 0 {
		title = text.WrapSoft(title, width)
	}
	fmt.Fprintln(p.w, p.paint(bold, title))
	fmt.Fprintf(p.w, "%s, %s (%s, %s)\n\n", p.pressing(i.Priority), p.status(i.Status),
		p.view.texts.Level(report.Impact, i.Impact, p.language), p.view.texts.Level(report.Urgency, i.Urgency, p.language))
	p.rows(p.w, p.facts(i), text.WrapSoft)
	if len(i.Clocks) > 0 {
		fmt.Fprintln(p.w)
		p.promises(i)
	}
	const last = 8
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, p.say.entries))
	var entries []api.Entry
	for _, e := range i.Timeline.Entries[max(0, len(i.Timeline.Entries)-last):] {
		entries = append(entries, api.NewEntry(p.view.texts, e, p.language, p.zone))
	}
	p.timeline(entries)
}

// facts are lines: what each is, and what it is now.
type facts struct {
	page
	rows [][]string
}

// add adds a line for each value, the label before the first. What is not known has no line.
func (f *facts) add(label string, values ...string) {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			f.rows = append(f.rows, []string{f.paint(dim, label), v})
			label = ""
		}
	}
}

// at is an instant and how far off it is, empty when it is not known.
func (p page) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (%s)", p.instant(t), p.away(t, p.say.in, p.say.ago))
}

// facts are the lines at the top of an incident.
func (p page) facts(i *incident.Incident) [][]string {
	f := facts{page: p}
	var customers, links, reports []string
	for _, c := range i.Definition.Customers {
		customers = append(customers, c.Name)
	}
	for _, l := range p.links(i) {
		links = append(links, p.view.texts.Link(l, p.language)+" "+l.Shown())
	}
	f.add(p.say.service, printable(i.Definition.Service.Name))
	f.add(p.say.customers, printable(strings.Join(customers, ", ")))
	f.add(p.say.started, p.at(i.Times.Started))
	if !i.Status.Open() { // else it was resolved once and has been reopened
		f.add(p.say.resolved, p.at(i.Times.Resolved))
	}
	f.add(p.say.closed, p.at(i.Times.Closed))
	f.answers(i)
	if i.Partial { // what follows is hidden, and not none
		return f.rows
	}
	f.whole(i)
	f.add(p.say.responding, p.responder(i)...)
	f.add(p.say.paging, p.climb(i))
	f.add(p.say.roles, p.holders(i)...)
	f.add(p.say.alerts, p.firing(i)...)
	for _, about := range p.view.texts.Service(&i.Definition, p.language, p.env.Now()) {
		value := printable(about.Value)
		if about.Stale {
			value = p.paint(yellow, value)
		}
		f.add(printable(about.Label), value)
	}
	f.add(p.say.ticket, printable(i.Ticket.Ref.ID+" "+i.Ticket.Ref.URL))
	f.add(p.say.room, printable(strings.TrimSpace(i.Room.Ref.URL)))
	for _, file := range i.Report.Files {
		reports = append(reports, file.Path)
	}
	f.add(p.say.report, each(reports)...)
	if i.Review.Opened {
		f.add(p.say.review, fmt.Sprintf("%s, %s %s", printable(i.Review.ID), strings.ToLower(p.say.due), p.instant(i.Review.Due)))
	}
	for _, known := range p.view.texts.Known(i, p.language) {
		f.add(printable(known.Label), paragraphs(known.Value)...)
	}
	f.add(p.say.links, each(links)...)
	return f.rows
}

// firing says how many alerts fire, the names of the first few, and what the first of them says of itself.
func (p page) firing(i *incident.Incident) []string {
	count := fmt.Sprintf(p.say.firing, i.Alerts.Firing, i.Alerts.Distinct())
	names := firingNames(&i.Alerts)
	if len(names) == 0 {
		return []string{count}
	}
	const few = 3
	more := ""
	if n := len(names) - few; n > 0 {
		names, more = names[:few], fmt.Sprintf(p.say.more, n, i.ID)
	}
	out := []string{printable(count + ": " + strings.Join(names, ", ") + more)}
	if first := firstFiring(&i.Alerts); first != nil {
		const most = 300 // columns
		says := cmp.Or(first.Annotations.Value("description"), first.Annotations.Value("summary"))
		out = append(out, cut(printable(says), most))
	}
	return out
}

// firingNames are the names of the alerts that fire and are held, each once.
func firingNames(s *alert.Set) (names []string) {
	add := func(name string, fires bool) {
		if fires && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, h := range s.Full {
		add(h.Known(), h.State == alert.Firing)
	}
	for _, b := range s.Brief {
		add(b.Name, !b.Resolved)
	}
	return names
}

// firstFiring is the first alert that fires and is held with its text.
func firstFiring(s *alert.Set) *alert.Held {
	n := slices.IndexFunc(s.Full, func(h alert.Held) bool { return h.State == alert.Firing })
	if n < 0 {
		return nil
	}
	return &s.Full[n]
}

// links are those of the definition, and those of the first alert that fires where they lead elsewhere and a terminal can show them.
func (p page) links(i *incident.Incident) []incident.Link {
	all := slices.Clone(i.Definition.Links)
	if first := firstFiring(&i.Alerts); first != nil {
		for _, l := range incident.AlertLinks(first.Alert, all) {
			if leads(l.URL) {
				all = append(all, l)
			}
		}
	}
	return all
}

// leads tells whether foreign text is a link that people can follow and a terminal can show as it is.
func leads(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && printable(link) == link &&
		!strings.Contains(link, " ")
}

func each(texts []string) (out []string) {
	for _, t := range texts {
		out = append(out, printable(t))
	}
	return out
}

// responder says who has taken the incident, and until when that counts.
func (p page) responder(i *incident.Incident) []string {
	if len(i.Responders) == 0 {
		if i.Status.Open() {
			return []string{p.paint(red, p.say.nobody)}
		}
		return nil
	}
	names := make([]string, len(i.Responders)) // who has acted last is not who leads: the roles say that
	for n, by := range i.Responders {
		names[n] = fmt.Sprintf(p.say.person, printable(by.Shown()))
	}
	out := []string{strings.Join(names, ", ")}
	if e := i.Escalation; e.Answered && i.Status.Open() {
		out = append(out, fmt.Sprintf(p.say.expires, p.instant(e.Due(i.Definition.Policy))))
	}
	return out
}

// climb says whom the escalation has reached, while nobody has answered.
func (p page) climb(i *incident.Incident) string {
	e, policy := i.Escalation, i.Definition.Policy
	if e.Answered || e.Begun == 0 || !i.Status.Open() || len(policy.Steps) == 0 {
		return ""
	}
	rung := e.Rung(policy)
	names := make([]string, len(rung.Targets))
	for n, t := range rung.Targets {
		names[n] = p.target(t)
	}
	who := strings.Join(names, ", ")
	out := fmt.Sprintf(p.say.lastResort, who)
	if rung.Step > 0 {
		out = fmt.Sprintf(p.say.step, rung.Step, rung.Steps, rung.Round, who)
	}
	if !e.NextAt.IsZero() && i.QuietSince.IsZero() {
		out += fmt.Sprintf(" (%s: %s)", strings.ToLower(p.say.next), p.away(e.NextAt, p.say.in, p.say.over))
	}
	return out
}

// target says whom a step pages.
func (p page) target(t escalation.Target) string {
	id := printable(t.ID)
	switch t.Kind {
	case escalation.Person:
		return fmt.Sprintf(p.say.somebody, id)
	case escalation.Group:
		return fmt.Sprintf(p.say.group, id)
	case escalation.Role:
		return fmt.Sprintf(p.say.part, printable(p.view.texts.Role(incident.Role(t.ID), p.language)))
	case escalation.Engineer:
		return p.say.engineer
	case escalation.Vendor:
		return fmt.Sprintf(p.say.vendor, id)
	case escalation.Contact:
		return fmt.Sprintf(p.say.contact, id)
	case escalation.Schedule:
	}
	return fmt.Sprintf(p.say.schedule, id)
}

// holders says who has which role.
func (p page) holders(i *incident.Incident) (out []string) {
	for _, r := range incident.Roles() {
		for _, h := range i.Holders {
			if h.Role != r {
				continue
			}
			out = append(out, p.view.texts.Role(r, p.language)+": "+fmt.Sprintf(p.say.person, printable(h.Shown())))
		}
	}
	return out
}

// promises shows every clock with the time that is left.
func (p page) promises(i *incident.Incident) {
	names := map[string]string{}
	for _, c := range i.Definition.Customers {
		names[c.ID] = c.Name
	}
	rows := [][]string{p.head(p.say.customer, p.say.promise, p.say.status, p.say.due, p.say.left)}
	for n := range i.Clocks {
		c := &i.Clocks[n]
		state, shade := p.clock(c)
		due, left := "", ""
		if c.State == supportplan.Paused {
			left = p.standing(i, c)
		}
		if !c.Due.IsZero() {
			due = p.instant(c.Due)
			if c.Open() {
				left = p.left(i, c)
			}
		}
		rows = append(rows, []string{
			printable(cmp.Or(names[c.Customer], c.Customer)), p.view.texts.Target(c.Target, p.language), p.paint(shade, state), due, p.paint(shade, left),
		})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// clock says how a clock stands, and in which colour.
func (p page) clock(c *supportplan.Clock) (state string, shade colour) {
	switch {
	case c.Late:
		return p.view.texts.Clock(supportplan.Missed, p.language), red
	case c.State == supportplan.Running && c.AtRisk:
		return p.say.atRisk, yellow
	case c.State == supportplan.Met:
		shade = green
	}
	return p.view.texts.Clock(c.State, p.language), shade
}

// standing says for whom a clock stands still, and how much of its time it has when it runs on.
func (p page) standing(i *incident.Incident, c *supportplan.Clock) string {
	said := []string{printable(c.Reason)}
	if c.Cause != "" {
		said = append([]string{p.view.texts.Pause(c.Cause, p.language)}, said...)
	}
	if h, err := supportplan.OpenTimeOf(c.Calendar, i.Definition.Calendars, time.LoadLocation); err == nil {
		if left, err := c.Remaining(h, p.env.Now()); err == nil && left > 0 {
			said = append(said, fmt.Sprintf(p.say.remaining, p.view.texts.Duration(left, p.language)))
		}
	}
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), ", ")
}

// left says how much of its time a running clock has left: hours of its calendar, or the time until its due instant where they
// are not shown.
func (p page) left(i *incident.Incident, c *supportplan.Clock) string {
	h, err := supportplan.OpenTimeOf(c.Calendar, i.Definition.Calendars, time.LoadLocation)
	if err != nil {
		return p.away(c.Due, p.say.remaining, p.say.over)
	}
	left, err := c.Remaining(h, p.env.Now())
	if err != nil {
		return ""
	}
	said := p.away(p.env.Now().Add(left), p.say.remaining, p.say.over)
	if c.Begins.After(p.env.Now()) {
		said += fmt.Sprintf(p.say.beginsAt, p.instant(c.Begins))
	}
	return said
}

// done says what a command has done, where the status does not.
func (p page) done(c incident.Command, r api.Receipt) string {
	whom := func(customer string) string { return cmp.Or(customer, p.say.everyCustomer) }
	target := func(t supportplan.Target) string { return p.view.texts.Target(t, p.language) }
	switch c := c.(type) {
	case incident.Assign:
		return fmt.Sprintf(p.say.assigned, p.view.texts.Role(c.Role, p.language), c.Person)
	case incident.Note:
		return fmt.Sprintf(p.say.noted, r.Seq)
	case incident.Escalate:
		return p.say.escalated
	case incident.SetPriority:
		var levels []string
		for _, l := range []struct {
			axis  report.Axis
			level priority.Level
		}{{report.Impact, c.Impact}, {report.Urgency, c.Urgency}} {
			if l.level != "" {
				levels = append(levels, p.view.texts.Level(l.axis, l.level, p.language))
			}
		}
		return strings.Join(levels, ", ")
	case incident.PauseClock:
		return fmt.Sprintf(p.say.paused, target(c.Target), whom(c.Customer))
	case incident.ResumeClock:
		return fmt.Sprintf(p.say.resumed, target(c.Target), whom(c.Customer))
	case incident.Repin:
		return fmt.Sprintf(p.say.repinned, r.ID)
	case incident.Resolve, incident.Close:
		if r.Firing > 0 {
			return fmt.Sprintf(p.say.stillFiring, r.Firing)
		}
		return ""
	case incident.SendUpdate:
		if r.Waits != "" {
			return fmt.Sprintf(p.say.waitsFor, r.Waits)
		}
		return fmt.Sprintf(p.say.updated, whom(c.Customer))
	}
	return p.doneWhole(c)
}

// history shows a timeline under its heading, nothing where there is none.
func (p page) history(log timeline.Log) {
	if len(log.Entries) == 0 {
		return
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, p.say.timeline))
	var entries []api.Entry
	for _, e := range log.Entries {
		entries = append(entries, api.NewEntry(p.view.texts, e, p.language, p.zone))
	}
	p.timeline(entries)
}

// timeline shows one line for each entry.
func (p page) timeline(entries []api.Entry) {
	if len(entries) == 0 {
		return
	}
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{p.paint(dim, printable(e.Moment)), printable(e.Sentence)})
	}
	p.rows(p.w, rows, text.WrapSoft)
}
