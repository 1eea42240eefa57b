package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/plan"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

func (w *periodWriter) incidents() {
	s := w.section("incidents")
	t := periodTable{Caption: w.say("caption.by-priority"), Head: w.head("priority", "opened", "resolved", "carried"), Numbers: true}
	chart := w.chart("incidents", legend{"do", w.say("head.opened")})
	for _, p := range priority.All() {
		of, name := p.String(), w.word("priority", p.String())
		t.Rows = append(t.Rows, row(name, w.value("incidents.opened", of), w.value("incidents.resolved", of), w.value("incidents.carried", of)))
		opened := w.number("incidents.opened", of)
		chart.bar(name, w.value("incidents.opened", of), segment{opened, "do"})
	}
	t.Rows = append(t.Rows, row(w.say("all"), decimal(w.f.Sum("incidents.opened")), decimal(w.f.Sum("incidents.resolved")), decimal(w.f.Sum("incidents.carried"))))
	s.Charts = append(s.Charts, chart.drawn())
	s.table(t)
	w.figures(s, "incidents.reopened", "incidents.merged", "incidents.acknowledged", "incidents.unacknowledged")
	list := periodTable{Caption: w.say("caption.incidents"), Head: w.head("incident", "service", "priority", "alerted", "resolved")}
	if w.f.Customer == "" {
		list.Head = append(list.Head, w.say("head.cause"))
	}
	for _, x := range w.f.Incidents {
		r := periodRow{Cells: []periodCell{
			foreign(x.ID + ": " + x.Title), foreign(x.Service), {Text: w.word("priority", x.Priority)}, {Text: w.at(x.Alerted)}, {Text: w.at(x.Resolved)},
		}}
		if x.Security {
			r.Cells[2].Text += ", " + w.word("kind", string(incident.SecurityIncident))
		}
		switch {
		case x.Into != "":
			r.Cells[4] = periodCell{Text: w.sayf("merged-into", x.Into)}
		case x.Resolved.IsZero():
			r.Cells[4] = periodCell{Text: w.say("open")}
		case x.Reopened > 0:
			r.Cells[4].Text += ", " + w.sayf("reopened", x.Reopened)
		}
		if w.f.Customer == "" {
			cause := periodCell{Text: "–"}
			if x.Cause != "" {
				cause.Text = w.word("domain", x.Cause)
			}
			r.Cells = append(r.Cells, cause)
		}
		list.Rows = append(list.Rows, r)
	}
	s.table(list)
	w.alerts(s)
}

// alerts are the loudest ones: those that are in many incidents, and those of which nobody had to do anything.
func (w *periodWriter) alerts(s *periodSection) {
	const most = 20
	if w.f.Customer != "" || len(w.f.Alerts) == 0 {
		return
	}
	t := periodTable{Caption: w.say("caption.alerts"), Head: w.head("alert", "incidents", "times", "alone", "reopened", "unplanned"), Numbers: true}
	for _, x := range w.f.Alerts[:min(len(w.f.Alerts), most)] {
		t.Rows = append(t.Rows, periodRow{Cells: []periodCell{
			foreign(x.Name + " (" + x.Service + ")"),
			{Text: strconv.Itoa(x.Incidents)},
			{Text: strconv.Itoa(x.Times)},
			{Text: strconv.Itoa(x.Alone)},
			{Text: strconv.Itoa(x.Reopened)},
			{Text: strconv.Itoa(x.Unplanned)},
		}})
	}
	s.table(t)
	s.note(w.say("note.alerts"))
}

// promises are those of incidents.
func (w *periodWriter) promises() {
	s := w.section("promises")
	w.kept(s, "clocks", w.say("caption.promises"), supportplan.Targets()...)
	w.figures(s, "mtta", "mttr", "mttr.without-pauses", "updates.sent", "all-clears.sent", "all-clears.waived", "results.waived")
	s.note(w.say("note.took"))
	s.note(w.say("note.mtta"))
	s.note(w.say("note.mttr"))
}

// kept says what has become of promises under a prefix.
func (w *periodWriter) kept(s *periodSection, prefix, caption string, targets ...supportplan.Target) {
	t := periodTable{Caption: caption, Head: w.head("target", "met", "missed", "kept", "p50", "p90", "max"), Numbers: true}
	chart := w.chart("promises", legend{"good", w.say("head.met")}, legend{"bad", w.say("head.missed")})
	for _, target := range targets {
		of, name := string(target), w.word("target", string(target))
		cells := []string{name}
		for _, figure := range []string{".met", ".missed", ".kept", ".p50", ".p90", ".max"} {
			cells = append(cells, w.value(prefix+figure, of))
		}
		t.Rows = append(t.Rows, row(cells...))
		chart.bar(name, w.value(prefix+".kept", of), segment{w.number(prefix+".met", of), "good"}, segment{w.number(prefix+".missed", of), "bad"})
	}
	if prefix == "clocks" {
		s.Charts = append(s.Charts, chart.drawn())
	}
	s.table(t)
}

func (w *periodWriter) availability() {
	s := w.section("availability")
	t := periodTable{Caption: w.say("caption.availability"), Head: w.head("service", "month", "availability", "promised", "downtime", "planned", "degraded", "left"), Numbers: true}
	chart := w.chart("downtime", legend{"bad", w.say("head.downtime")}, legend{"held", w.say("head.planned")})
	declared := false
	for _, x := range w.f.Figures {
		if x.Key != "availability" {
			continue
		}
		service, month := w.used(x.Of)
		promised, left := w.say("no-target"), "–"
		if _, known := w.f.Figure("availability.target", x.Of); known {
			declared = true
			promised, left = w.value("availability.target", x.Of), w.value("downtime.left", x.Of)
			if over := w.number("downtime.left", x.Of); over < 0 {
				left = w.sayf("exceeded", w.lasted(-over))
			}
		}
		r := row("", month, w.value("availability", x.Of), promised, w.value("downtime", x.Of), w.value("downtime.planned", x.Of), w.value("degraded", x.Of), left)
		r.Cells[0] = foreign(service)
		t.Rows = append(t.Rows, r)
		name := service
		if len(w.parts) > 1 {
			name += " " + month
		}
		chart.bar(name, w.value("availability", x.Of), segment{w.number("downtime", x.Of), "bad"}, segment{w.number("downtime.planned", x.Of), "held"})
	}
	if len(t.Rows) > 0 {
		s.Charts = append(s.Charts, chart.drawn())
		s.note(w.say("note.availability"))
		if !declared {
			s.note(w.say("note.no-target"))
		}
	}
	s.table(t)
	list := periodTable{Caption: w.say("caption.maintenance"), Head: w.head("run", "environment", "begins", "ends")}
	for _, x := range w.f.Maintenance {
		list.Rows = append(list.Rows, periodRow{Cells: []periodCell{
			foreign(x.Run + ": " + x.Title.In(w.code)), foreign(x.Environment), {Text: w.at(x.From)}, {Text: w.at(x.To)},
		}})
	}
	s.table(list)
}

// used reads of what an availability is: a service, with its customer in the provider's own report, and the part of the period.
func (w *periodWriter) used(of string) (service, month string) {
	parts := strings.Split(of, "/")
	service, month = period.Called(w.f.ServiceNames, parts[len(parts)-2]), parts[len(parts)-1]
	if len(parts) > 2 && w.f.Customer == "" {
		service += ", " + period.Called(w.f.CustomerNames, parts[0])
	}
	return service, month
}

func (w *periodWriter) changes() {
	s := w.section("changes")
	t := periodTable{Caption: w.say("caption.by-kind"), Head: w.head("kind", "number"), Numbers: true}
	for _, k := range plan.Kinds() {
		t.Rows = append(t.Rows, row(w.word("plan-kind", string(k)), w.value("changes", string(k))))
	}
	s.table(t)
	w.figures(s, "changes.failed", "changes.failure-rate", "changes.rollbacks", "changes.emergency", "overrides.freeze", "overrides.window")
	if w.f.Customer == "" {
		w.figures(s, "change-requests.addition", "change-requests.change", "change-requests.exception", "change-requests.standard", "change-requests.emergency",
			"change-requests.exceptions")
	}
	list := periodTable{Caption: w.say("caption.changes"), Head: w.head("run", "customer", "environment", "began", "ended", "result")}
	for _, x := range w.f.Changes {
		result := []string{w.word("run", x.Status)}
		if x.RolledBack > 0 {
			result = append(result, w.sayf("rolled-back", x.RolledBack))
		} else if x.Failed {
			result = append(result, w.say("failed"))
		}
		if x.Emergency {
			result = append(result, w.say("emergency"))
		}
		class := "met"
		if x.Failed {
			class = "missed"
		}
		list.Rows = append(list.Rows, periodRow{Cells: []periodCell{
			foreign(x.Run + ": " + x.Title.In(w.code)), foreign(x.Customer), foreign(x.Environment),
			{Text: w.at(x.Began)},
			{Text: w.at(x.Ended)},
			{Text: strings.Join(result, ", "), Class: class},
		}})
	}
	s.table(list)
	s.note(w.say("note.changes"))
}

// improvements are what is done so that it does not happen again.
func (w *periodWriter) improvements() {
	s := w.section("improvements")
	w.figures(s, "actions.opened", "actions.open", "actions.overdue", "actions.verified", "actions.effective", "actions.ineffective")
	if w.f.Customer == "" {
		w.figures(s, "reviews.opened", "reviews.on-time", "reviews.late", "reviews.kept", "reviews.open", "reviews.overdue",
			"problems.opened", "problems.closed", "problems.open", "problems.recurred")
	}
	list := periodTable{Caption: w.say("caption.actions"), Head: w.head("action", "owner", "due", "status")}
	if w.f.Customer != "" {
		list.Head = w.head("action", "due", "status")
	}
	for _, x := range w.f.Actions {
		status := periodCell{Text: w.word("action-status", x.Status)}
		if x.Overdue {
			status = periodCell{Text: w.word("action-status", "overdue"), Class: "missed"}
		}
		r := periodRow{Cells: []periodCell{foreign(x.ID + ": " + x.Title), foreign(x.Owner), {Text: w.at(x.Due)}, status}}
		if w.f.Customer != "" {
			r.Cells = slices.Delete(r.Cells, 1, 2)
		}
		list.Rows = append(list.Rows, r)
	}
	s.table(list)
}

func (w *periodWriter) requests() {
	s := w.section("requests")
	w.figures(s, "requests.received", "requests.told", "requests.answered", "requests.declined", "requests.withdrawn", "requests.open",
		"requests.rated", "requests.satisfaction")
	w.kept(s, "requests", w.say("caption.request-promises"), supportplan.Respond, supportplan.Resolve)
	list := periodTable{Caption: w.say("caption.requests"), Head: w.head("request", "customer", "received", "answered", "status")}
	for _, x := range w.f.Requests {
		name := x.Name.In(w.code)
		if name == "" {
			name = w.texts.RequestKind(x.Subject, w.code)
		}
		list.Rows = append(list.Rows, periodRow{Cells: []periodCell{
			foreign(x.ID + ": " + name), foreign(x.Customer), {Text: w.at(x.Received)}, {Text: w.at(x.Answered)}, {Text: w.word("request-status", x.Status)},
		}})
	}
	s.table(list)
	visits := periodTable{Caption: w.say("caption.visits"), Head: w.head("customer", "used", "year", "bought", "remaining"), Numbers: true}
	for _, x := range w.f.Figures {
		if x.Key != "visits.used" {
			continue
		}
		r := row("", w.value("visits.used", x.Of), w.value("visits.year", x.Of), w.value("visits.bought", x.Of), w.value("visits.left", x.Of))
		r.Cells[0] = foreign(period.Called(w.f.CustomerNames, x.Of))
		visits.Rows = append(visits.Rows, r)
	}
	s.table(visits)
}

// load is how often those on call were paged.
func (w *periodWriter) load() {
	s := w.section("load")
	times := periodTable{Caption: w.say("caption.pages"), Head: w.head("time", "pages"), Numbers: true}
	for _, when := range []string{period.Working, period.Other, period.Night} {
		times.Rows = append(times.Rows, row(w.say("time."+when), w.value("pages", when)))
	}
	people := periodTable{Caption: w.say("caption.people"), Head: w.head("person", "pages", "night"), Numbers: true}
	chart := w.chart("pages", legend{"do", w.say("by-day")}, legend{"night", w.say("time.night")})
	for _, x := range w.f.Figures {
		if x.Key != "pages.person" {
			continue
		}
		night := w.number("pages.person.night", x.Of)
		r := row("", w.value("pages.person", x.Of), w.value("pages.person.night", x.Of))
		r.Cells[0] = foreign(x.Of)
		people.Rows = append(people.Rows, r)
		chart.bar(x.Of, w.value("pages.person", x.Of), segment{*x.Value - night, "do"}, segment{night, "night"})
	}
	if len(people.Rows) > 0 {
		s.Charts = append(s.Charts, chart.drawn())
	}
	s.table(times)
	w.figures(s, "pages.nights")
	s.table(people)
	s.note(w.sayf("note.pages", period.WorkBegins, period.WorkEnds, period.NightBegins, period.NightEnds))
}

// deliveries are how messages have arrived, by contact method.
func (w *periodWriter) deliveries() {
	s := w.section("deliveries")
	t := periodTable{Caption: w.say("caption.methods"), Head: w.head("method", "delivered", "refused", "resent", "arrived"), Numbers: true}
	for _, x := range w.f.Figures {
		if x.Key != "deliveries.delivered" {
			continue
		}
		r := row("", w.value(x.Key, x.Of), w.value("deliveries.refused", x.Of), w.value("deliveries.resent", x.Of), w.value("deliveries.arrived", x.Of))
		r.Cells[0] = foreign(x.Of)
		t.Rows = append(t.Rows, r)
	}
	s.table(t)
	s.note(w.say("note.deliveries"))
}

// sources say from what everything was counted.
func (w *periodWriter) sources() {
	s := w.section("sources")
	s.Small = true
	s.note(w.say("note.sources"))
	if n := len(w.f.Incomplete); n > 0 {
		s.Notes = append(s.Notes, periodNote{Text: w.sayf("note.incomplete", n), Foreign: strings.Join(w.f.Incomplete, ", ")})
	}
	if w.f.Customer == "" {
		s.note(w.say("note.imports"))
	}
	numbers := map[string]int{}
	bundles := periodTable{Caption: w.say("caption.bundles"), Head: w.head("no", "bundle", "sha256")}
	for n, b := range w.f.Bundles {
		numbers[b.File] = n + 1
		r := row(fmt.Sprint(n+1), "", b.SHA256)
		r.Cells[1] = foreign(b.File)
		bundles.Rows = append(bundles.Rows, r)
	}
	figures := periodTable{Caption: w.say("caption.figures"), Head: w.head("figure", "of", "value", "bundles")}
	for _, x := range w.f.Figures {
		if len(x.Bundles) == 0 {
			continue
		}
		var from []int
		for _, b := range x.Bundles {
			from = append(from, numbers[b])
		}
		r := row(w.named(x.Key), "", w.value(x.Key, x.Of), ranges(from))
		r.Cells[1] = w.of(&x)
		figures.Rows = append(figures.Rows, r)
	}
	s.table(figures)
	s.table(bundles)
}

// named is what a figure is called, with the key by which it is found in the other formats.
func (w *periodWriter) named(key string) string {
	var words []string
	if _, known := w.words["period.figure."+key]; known {
		words = []string{"figure." + key}
	} else {
		words = figureWords()[key]
	}
	if group, part, ok := strings.Cut(key, "."); ok && len(words) == 0 {
		words = append(figureWords()[group], "head."+part)
	}
	for n := range words {
		words[n] = w.say(words[n])
	}
	return strings.Join(words, ", ") + " (" + key + ")"
}

// figureWords are the words of figures that have no line of their own, by their key or what it begins with.
func figureWords() map[string][]string {
	return map[string][]string{
		"incidents": {"tile.incidents"}, "clocks": {"chart.promises"}, "requests": {"caption.request-promises"}, "visits": {"caption.visits"},
		"visits.left": {"caption.visits", "head.remaining"}, "changes": {"tile.changes"},
		"availability": {"head.availability"}, "availability.target": {"head.availability", "head.promised"},
		"downtime": {"head.downtime"}, "downtime.planned": {"head.planned"}, "downtime.left": {"head.left"}, "degraded": {"head.degraded"},
		"pages": {"head.pages"}, "pages.person": {"caption.people"}, "pages.person.night": {"caption.people", "head.night"},
	}
}

// of is for what a figure is counted, in words, with its code.
func (w *periodWriter) of(x *period.Figure) periodCell {
	group, _, _ := strings.Cut(x.Key, ".")
	axes := map[string]string{"incidents": "priority", "clocks": "target", "requests": "target", "changes": "plan-kind"}
	named := x.Of
	switch group {
	case "availability", "downtime", "degraded":
		service, month := w.used(x.Of)
		named = service + ", " + month
	case "visits":
		named = period.Called(w.f.CustomerNames, x.Of)
	case "pages":
		if x.Key == "pages" {
			return periodCell{Text: w.say("time."+x.Of) + " (" + x.Of + ")"}
		}
	default:
		if word := w.word(axes[group], x.Of); x.Of != "" && word != x.Of {
			return periodCell{Text: word + " (" + x.Of + ")"}
		}
	}
	if named != x.Of {
		named += " (" + x.Of + ")"
	}
	return foreign(named)
}

// ranges writes numbers in order: "1–3, 7".
func ranges(numbers []int) string {
	slices.Sort(numbers)
	var out []string
	for n := 0; n < len(numbers); {
		last := n
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		if last == n {
			out = append(out, fmt.Sprint(numbers[n]))
		} else {
			out = append(out, fmt.Sprintf("%d–%d", numbers[n], numbers[last]))
		}
		n = last + 1
	}
	return strings.Join(out, ", ")
}
