package report

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	"text/template"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// A language has all texts of one language.
type language struct {
	locale
	zones     *zones
	words     map[string]string
	messages  map[string]message
	sentences *template.Template
	verdicts  *template.Template
	incident  shipped
	result    shipped
	review    *template.Template // the report of a review …
	draft     *template.Template // … and the draft of its text for a customer
	minutes   *template.Template
	plans     map[string]shipped // by kind of report
	problem   shipped
	request   shipped
	period    shipped
	formPage  *htmltemplate.Template
	formParts []byte // what forms share with the shipped reports
}

// A message is the text of one kind of message.
type message struct{ subject, text *template.Template }

// messageKeys lists the messages: kinds, and reminders and assignments with what they are about.
func messageKeys() []string {
	keys := []string{
		string(delivery.Page), string(delivery.CustomerUpdate), string(delivery.AllClear), string(delivery.ReviewOpened),
		string(delivery.ReviewDue), string(delivery.SelfWatch), string(delivery.Ticket), string(delivery.StatusPage),
		string(delivery.VendorCall), string(delivery.Receipt), string(delivery.ResultReport), string(delivery.ClosingNotice),
		string(delivery.Certificate), string(delivery.FollowUp), key(delivery.Ticket, incident.AboutChange),
	}
	for _, a := range incident.Abouts() {
		keys = append(keys, key(delivery.Reminder, a))
	}
	return slices.Concat(keys, draftKeys(), handoverKeys(), requestKeys(), reviewKeys(), contactKeys())
}

// handoverKeys lists the messages on hand-overs.
func handoverKeys() []string {
	return []string{
		handoverKey(handover.Asked), handoverKey(handover.Unconfirmed), handoverKey(handover.Escalated), handoverKey(handover.Over),
	}
}

// key names the text for a kind of message.
func key(k delivery.Kind, a incident.About) string {
	switch {
	case a == incident.AboutRole || a == incident.AboutTakeover:
		return string(delivery.Assignment) + "." + string(a)
	case k == delivery.Assignment:
		return string(delivery.Assignment) + "." + string(incident.AboutRole)
	case k == delivery.Ticket && a != "":
		return string(delivery.Ticket) + "." + string(a)
	case k == delivery.Reminder:
		return string(delivery.Reminder) + "." + string(a)
	}
	return string(k)
}

// forOthers tells whether a message leaves the house.
func forOthers(key string) bool {
	return slices.Contains([]string{
		string(delivery.CustomerUpdate), string(delivery.AllClear), string(delivery.VendorCall), string(delivery.Receipt),
		string(delivery.ResultReport), string(delivery.ClosingNotice), string(delivery.StatusPage), draftKey(incident.ForCustomers),
	}, key)
}

func (l *language) load(fsys fs.FS) error {
	return errors.Join(l.loadWords(fsys), l.loadSentences(fsys), l.loadVerdicts(fsys), l.loadMessages(fsys), l.loadPlanMessages(fsys), l.loadProblemMessages(fsys), l.loadChangeMessages(fsys), l.loadActionMessages(fsys), l.loadRiskMessages(fsys), l.loadSilenceMessage(fsys), l.loadRoutineMessages(fsys), l.loadReports(fsys))
}

// template is an empty text.
func (l *language) template(name string) *template.Template {
	return template.New(name).Option("missingkey=error").Funcs(l.funcs())
}

// parse reads files into one set of templates. The first file gives the set its name and body.
func (l *language) parse(fsys fs.FS, files ...string) (*template.Template, error) {
	t := l.template(files[0])
	for i, file := range files {
		b, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		into := t
		if i > 0 {
			into = t.New(file)
		}
		if _, err := into.Parse(string(b)); err != nil {
			return nil, err
		}
	}
	return t, guarded(t)
}

// guarded keeps a set of templates within its limits.
func guarded(t *template.Template) error {
	for _, d := range t.Templates() {
		if err := guard(d.Tree, func(name string) bool { return t.Lookup(name) != nil }); err != nil {
			return err
		}
	}
	return nil
}

func (l *language) loadWords(fsys fs.FS) error {
	l.words = map[string]string{}
	file, more := "timeline/words."+l.code+".tmpl", "timeline/period."+l.code+".tmpl"
	t, err := l.parse(fsys, file, more)
	if err != nil {
		return err
	}
	var faults []error
	for _, d := range t.Templates() {
		if d.Name() == file || d.Name() == more {
			continue
		}
		l.words[d.Name()], err = run(d, nil, trialLimits())
		faults = append(faults, err)
	}
	for _, w := range needed() {
		if l.words[w] == "" {
			faults = append(faults, fmt.Errorf("%s: word %q: missing", file, w))
		}
	}
	return errors.Join(faults...)
}

func (l *language) loadSentences(fsys fs.FS) error {
	file := "timeline/sentences." + l.code + ".tmpl"
	t, err := l.parse(fsys, file)
	if err != nil {
		return err
	}
	// A record can be older or newer than the texts, so a sentence must do without any of its facts, and a kind without a
	// sentence is shown bare.
	l.sentences = t.Option("missingkey=zero")
	kinds := []string{"by", "repeated", "attempts"}
	for _, k := range timeline.Kinds() {
		kinds = append(kinds, string(k))
	}
	var faults []error
	for _, d := range t.Templates() {
		if d.Name() != file && !slices.Contains(kinds, d.Name()) {
			faults = append(faults, fmt.Errorf("%s: sentence %q: no such kind of entry", file, d.Name()))
		}
		_, err := run(d, map[string]string{}, trialLimits())
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func (l *language) loadMessages(fsys fs.FS) error {
	l.messages = map[string]message{}
	var faults []error
	for _, k := range messageKeys() {
		file := "notifications/" + k + "." + l.code + ".tmpl"
		t, err := l.parse(fsys, file, "notifications/parts."+l.code+".tmpl")
		if err != nil {
			faults = append(faults, err)
			continue
		}
		m := message{subject: t.Lookup("subject"), text: t.Lookup("text")}
		if m.subject == nil || m.text == nil {
			faults = append(faults, fmt.Errorf(`%s: want it to define "subject" and "text"`, file))
			continue
		}
		l.messages[k] = m
		tries := []any{&inside{}, new(filled[inside]())}
		switch {
		case forOthers(k):
			tries = []any{&outside{}, new(filled[outside]())}
		case slices.Contains(handoverKeys(), k):
			tries = []any{&passing{}, new(filled[passing]())}
		case k == string(delivery.Certificate):
			tries = []any{&renewal{}, new(filled[renewal]())}
		case slices.Contains(contactKeys(), k):
			tries = []any{&trying{}, new(filled[trying]())}
		case slices.Contains(requestKeys(), k):
			tries = []any{&asking{}, new(filled[asking]())}
		case slices.Contains(reviewKeys(), k):
			tries = []any{&reviewing{}, new(filled[reviewing]())}
		}
		for _, data := range tries {
			if _, err := m.try(data); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	return errors.Join(faults...)
}

func (l *language) loadReports(fsys fs.FS) error {
	var err error
	if l.incident, err = l.loadReport(fsys, IncidentForm, &view{}, new(filled[view]())); err != nil {
		return err
	}
	if l.result, err = l.loadReport(fsys, ResultForm, &result{}, new(filled[result]())); err != nil {
		return err
	}
	if err = l.loadMinutes(fsys); err != nil {
		return err
	}
	if err = l.loadReview(fsys); err != nil {
		return err
	}
	if err = l.loadPlanReports(fsys); err != nil {
		return err
	}
	if l.problem, err = l.loadReport(fsys, ProblemForm, &problemView{}, new(filled[problemView]())); err != nil {
		return err
	}
	if l.request, err = l.loadReport(fsys, RequestForm, &requestView{}, new(filled[requestView]())); err != nil {
		return err
	}
	if l.period, err = l.loadReport(fsys, PeriodForm, &periodView{}, new(filled[periodView]())); err != nil {
		return err
	}
	if l.formPage, err = l.loadPage(fsys, "reports/form.html.tmpl"); err != nil {
		return err
	}
	l.formParts, err = fs.ReadFile(fsys, "reports/parts."+l.code+".md.tmpl")
	return err
}

// loadPlanReports reads the reports on runs of plans, which share their parts.
func (l *language) loadPlanReports(fsys fs.FS) error {
	l.plans = map[string]shipped{}
	var faults []error
	for _, kind := range PlanReports() {
		s, err := l.loadReport(fsys, FormKind(kind), &planView{}, new(filled[planView]()))
		l.plans[kind], faults = s, append(faults, err)
	}
	return errors.Join(faults...)
}

// loadReport reads a report as Markdown and as a page, and tries both.
func (l *language) loadReport(fsys fs.FS, kind FormKind, tries ...any) (s shipped, err error) {
	name := "reports/" + string(kind) + "." + l.code
	markdown, page := []string{name + ".md.tmpl", "reports/parts." + l.code + ".md.tmpl"}, []string{name + ".html.tmpl"}
	if slices.Contains(PlanReports(), string(kind)) { // these share more
		markdown = append(markdown, "reports/plan-parts."+l.code+".md.tmpl")
		page = append(page, "reports/plan-parts."+l.code+".html.tmpl")
	}
	if s.markdown, err = l.parse(fsys, markdown...); err != nil {
		return s, err
	}
	if s.page, err = l.loadPage(fsys, page...); err != nil {
		return s, err
	}
	var faults []error
	for _, data := range tries {
		for _, t := range []executor{s.markdown, s.page} {
			_, err := run(t, data, reportLimits())
			faults = append(faults, err)
		}
	}
	return s, errors.Join(faults...)
}

func (l *language) loadPage(fsys fs.FS, files ...string) (*htmltemplate.Template, error) {
	parsed, err := l.parse(fsys, append(files, "reports/style.html.tmpl")...)
	if err != nil {
		return nil, err
	}
	page := htmltemplate.New("").Option("missingkey=error").Funcs(l.funcs())
	for _, d := range parsed.Templates() {
		if _, err := page.AddParseTree(d.Name(), d.Tree); err != nil {
			return nil, err
		}
	}
	return page.Lookup(parsed.Name()), nil
}

// strangers says which files of fsys are no texts of ours: a misspelt override must not be passed over in silence.
func strangers(fsys fs.FS, languages []*language) error {
	known := []string{"reports/style.html.tmpl", "reports/form.html.tmpl"}
	for _, l := range languages {
		for _, name := range append(messageKeys(), "parts", string(delivery.Plan), string(delivery.Problem), string(delivery.Change), string(delivery.ChangeNotice), string(delivery.Action), string(delivery.Risk), string(delivery.Silence), string(delivery.Routine)) {
			known = append(known, "notifications/"+name+"."+l.code+".tmpl")
		}
		for _, pattern := range []string{
			"timeline/words.%s.tmpl", "timeline/period.%s.tmpl", "timeline/sentences.%s.tmpl", "entitlements/sentences.%s.tmpl", "reports/incident.%s.md.tmpl",
			"reports/incident.%s.html.tmpl", "reports/result.%s.md.tmpl", "reports/result.%s.html.tmpl", "reports/parts.%s.md.tmpl",
			"reports/review.%s.md.tmpl", "reports/minutes.%s.md.tmpl", "reports/review-draft.%s.md.tmpl",
		} {
			known = append(known, fmt.Sprintf(pattern, l.code))
		}
		for _, name := range append(PlanReports(), "plan-parts", string(ProblemForm), string(RequestForm), string(PeriodForm)) {
			known = append(known, "reports/"+name+"."+l.code+".md.tmpl", "reports/"+name+"."+l.code+".html.tmpl")
		}
	}
	var faults []error
	for _, folder := range []string{"notifications", "timeline", "entitlements", "reports"} {
		files, err := fs.ReadDir(fsys, folder)
		faults = append(faults, err)
		for _, f := range files {
			if name := folder + "/" + f.Name(); !slices.Contains(known, name) {
				faults = append(faults, fmt.Errorf("%s: no such text; known: %s", name, strings.Join(known, ", ")))
			}
		}
	}
	return errors.Join(faults...)
}

// word returns the word for a value, the value itself where there is none: it may be newer than the texts.
func (l *language) word(axis, value string) string {
	if w, ok := l.words[axis+"."+value]; ok {
		return w
	}
	return value
}

func (l *language) person(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(l.addressed, name)
}

// actor names who did something. Only people are addressed as people.
func (l *language) actor(a timeline.Actor) string {
	if a.Kind == timeline.Person {
		return l.person(name(a))
	}
	return name(a)
}

// name is the actor's name without any address, as formal reports write it.
func name(a timeline.Actor) string {
	if a == timeline.Muster() {
		return "Muster"
	}
	return line(a.Shown())
}

// targets shows escalation targets as definitions write them, "schedule:primary, person:park".
func (l *language) targets(s string) string {
	all := strings.Split(s, ", ")
	for i, t := range all {
		kind, id, ok := strings.Cut(t, ":")
		switch {
		case ok && kind == string(escalation.Role):
			all[i] = l.word("paged", kind) + " " + l.word("role", id)
		case ok:
			all[i] = l.word("paged", kind) + " " + id
		default: // engineers have no id
			all[i] = l.word("paged", kind)
		}
	}
	return strings.Join(all, ", ")
}

// messageLimits are those of one message or sentence. It is written within two seconds of a workflow task: what takes longer goes out as
// bare facts.
func messageLimits() limits {
	return limits{bytes: 32 << 10, writes: 1 << 20, within: 1500 * time.Millisecond}
}

// trialLimits are those of the same when it is tried at a start, for which nobody waits.
func trialLimits() limits {
	l := messageLimits()
	l.within = reportLimits().within
	return l
}

func reportLimits() limits { return limits{bytes: 4 << 20, writes: 16 << 20, within: 30 * time.Second} }
