package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/preview"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/silence"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter/ingest"
)

// alertAsked is what explain alert was asked for.
type alertAsked struct {
	file, source, at string
	ahead            time.Duration
}

// An explainedCase is one incident that alerts would lead to.
type explainedCase struct {
	Route     string            `json:"route"`
	Tries     []org.Try         `json:"tries"` // what the labels that all alerts share come to
	Opens     bool              `json:"opens"` // else it could only join an incident that is open
	Kind      incident.Kind     `json:"kind,omitempty"`
	Title     string            `json:"title"`
	Service   incident.Service  `json:"service"`
	Impact    org.LevelReason   `json:"impact"`
	Urgency   org.LevelReason   `json:"urgency"`
	Priority  priority.Priority `json:"priority"`
	Classes   []priority.Class  `json:"classes,omitempty"`
	Customers []string          `json:"customers,omitempty"`
	Clocks    []explainedClock  `json:"clocks,omitempty"`
	Calls     []explainedCall   `json:"pages,omitempty"`
	Held      []explainedHold   `json:"held,omitempty"` // back by silences of the folder, until when it opens an incident
	Links     []incident.Link   `json:"links,omitempty"`
	Automatic string            `json:"automatic,omitempty"` // what Muster would do about it by itself: the ID …
	Unfit     string            `json:"unfit,omitempty"`     // … and why it would not

	several bool // alerts: routes go by what they have in common
}

// An explainedHold is a silence of the folder that holds alerts back.
type explainedHold struct {
	Silence string    `json:"silence"` // ID
	Name    string    `json:"name"`
	Alerts  int       `json:"alerts"` // so many of those that fire …
	Of      int       `json:"of"`
	Until   time.Time `json:"until"`
}

// An explainedClock is a promise with its instants.
type explainedClock struct {
	Customer string             `json:"customer"`
	Target   supportplan.Target `json:"target"`
	Promise  string             `json:"promise"`
	Begins   time.Time          `json:"begins,omitzero"` // when the calendar opens, if it is closed at the start
	RiskAt   time.Time          `json:"risk_at,omitzero"`
	Due      time.Time          `json:"due,omitzero"`

	promised supportplan.Promise
}

// An explainedCall is one step of the escalation, or one page of it.
type explainedCall struct {
	At      time.Time `json:"at"`
	Step    int       `json:"step,omitempty"` // 0: the last resort
	Round   int       `json:"round,omitempty"`
	Targets string    `json:"targets,omitempty"`
	To      string    `json:"to,omitempty"`
	Method  string    `json:"method,omitempty"`
	Held    string    `json:"held,omitempty"`   // why the page is not sent: "quiet-hours", "away", "no-method"
	Detail  string    `json:"detail,omitempty"` // why nobody is reached
	// Of a step: how many people must acknowledge, if more than one, and what whoever is paged may do at once.
	Acknowledgements int      `json:"acknowledgements,omitempty"`
	Mitigations      []string `json:"mitigations,omitempty"`
}

func (a *app) explainAlert() *cobra.Command {
	var x alertAsked
	cmd := a.explains(&cobra.Command{
		Use:   "alert FILE",
		Short: "Say what would come of alerts: route, priority, promises and pages",
		Long: `Say what would come of the alerts in a file, as their source posts them: which route takes them and why, impact, urgency and
priority, the promises with their due instants, and who is paged when. It plays the incident forward as if nobody answered
and every delivery arrived. Of silences it knows those of the folder, not those that people have made.`,
		Example: "  muster explain alert --org ./org firing.json\n  muster explain alert --org ./org firing.json --at \"2026-12-25 03:00\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("FILE")(nil, args); err != nil {
				return err
			}
			if x.ahead <= 0 || x.ahead > 31*24*time.Hour {
				return misused("--ahead %s: want a time up to 744h", x.ahead)
			}
			_, err := instant(x.at, time.Time{}, time.UTC)
			return err
		},
	}, func(ctx context.Context, o *org.Organisation, args []string) error {
		x.file = args[0]
		return a.explainAlerts(ctx, o, x)
	})
	f := cmd.Flags()
	f.StringVar(&x.source, "source", "", "`ID` of the source that sends them; default: the first one of the folder")
	f.StringVar(&x.at, "at", "", "`TIME` at which they arrive; default: now")
	lengthVar(cmd, &x.ahead, "ahead", 24*time.Hour, "how far to look ahead, as a `DURATION`; pages end with the first last resort")
	return cmd
}

func (a *app) explainAlerts(ctx context.Context, o *org.Organisation, x alertAsked) error {
	body, err := readFile(x.file, ingest.MaxBody)
	if err != nil {
		return err
	}
	at, err := instant(x.at, a.env.Now(), o.Zone)
	if err != nil {
		return err
	}
	source, known := ingest.Source{ID: x.source}, x.source == "" || len(o.Sources()) == 0
	for n, configured := range o.Sources() {
		if configured.ID == x.source || x.source == "" && n == 0 {
			source, known = ingest.Configured(configured), true
		}
	}
	if !known {
		return fmt.Errorf("explain alerts of %s: source %q: not in sources.yaml of the organisation folder", x.file, x.source)
	}
	found, err := ingest.Explain(source, body, o, at)
	if wrong, ok := errors.AsType[refusal.Body](err); ok && len(wrong.Errors) > 0 {
		err = faulty(wrong)
	}
	if err != nil {
		return fmt.Errorf("explain alerts of %s: %w", x.file, err)
	}
	announced, err := ingest.Announced(source, body, at)
	if err != nil {
		return fmt.Errorf("explain alerts of %s: %w", x.file, err)
	}
	var notices []explainedNotice
	for _, n := range announced {
		notices = append(notices, explainNotice(o, source.ID, n, at))
	}
	return a.explainCases(ctx, o, found, notices, at, x.ahead)
}

// An explainedNotice is something that a provider announces, and the run of a plan that it would start.
type explainedNotice struct {
	ID           string            `json:"id"`
	Title        string            `json:"title"`
	Begins       time.Time         `json:"begins,omitzero"`
	Over         bool              `json:"over,omitempty"`
	Plan         string            `json:"plan,omitempty"` // empty: no rule of the source is for it
	Customer     string            `json:"customer,omitempty"`
	Environments map[string]string `json:"environments,omitempty"`
	Fault        string            `json:"fault,omitempty"` // why the plan could not be started: then it is an alert
}

func explainNotice(o *org.Organisation, source string, n alert.Notice, at time.Time) explainedNotice {
	e := explainedNotice{ID: n.ID, Title: cmp.Or(n.Title, n.ID), Begins: n.Begins, Over: n.Over}
	start, planned := o.PlanFor(source, n, at)
	if !planned {
		return e
	}
	e.Plan, e.Customer, e.Environments = start.Plan, start.Customer, start.Environments
	if _, err := o.StartPlan(start); err != nil {
		e.Fault = err.Error()
	}
	return e
}

// noticeLabels are the words of one language that stand beside what is announced.
type noticeLabels struct{ announced, begins, starts, none, over, fault string }

func noticeLabelsIn(language string) noticeLabels {
	if language == "ko" {
		return noticeLabels{
			announced: "예고", begins: "시작", starts: "고객사 %[2]s의 계획 %[1]s 실행을 시작함. 같은 예고에는 한 번만 시작하고 이후 소식은 그 실행에 남김",
			none: "이 출처의 planned에 맞는 규칙이 없어 로그에만 남김", over: "이미 끝난 예고라 새로 시작하지 않음. 앞서 시작한 실행이 있으면 그 실행에 남김",
			fault: "계획을 시작할 수 없어 경보로 처리함: %s",
		}
	}
	return noticeLabels{
		announced: "Announced", begins: "Begins", starts: "starts a run of plan %s for customer %s, once; what is said of it later goes into that run",
		none: "no rule under planned of this source is for it: it is a line of the log", over: "it is over: it starts nothing, and a run that it has started before hears of it",
		fault: "the plan cannot be started, so it is an alert: %s",
	}
}

// notice shows what a provider announces.
func (s sheet) notice(n explainedNotice) {
	say, outcome := noticeLabelsIn(s.language), ""
	switch {
	case n.Plan == "":
		outcome = say.none
	case n.Over:
		outcome = say.over
	case n.Fault != "":
		outcome = s.paint(yellow, printable(fmt.Sprintf(say.fault, n.Fault)))
	default:
		outcome = printable(fmt.Sprintf(say.starts, n.Plan, n.Customer))
	}
	fmt.Fprintf(s.w, "%s\n\n", s.paint(bold, printable(n.Title)))
	f := facts{page: s.page}
	f.add(say.announced, printable(n.ID))
	f.add(say.begins, s.at(n.Begins))
	f.add(alertLabelsIn(s.language).outcome, outcome)
	s.rows(s.w, f.rows, text.WrapSoft)
}

// explainCases says what would come of incidents.
func (a *app) explainCases(ctx context.Context, o *org.Organisation, found []ingest.Case, notices []explainedNotice, at time.Time, ahead time.Duration) error {
	var cases []explainedCase
	for _, c := range found {
		e, err := explainCase(ctx, o, c, at, at.Add(ahead))
		if err != nil {
			return err
		}
		cases = append(cases, e)
	}
	return a.answer(struct {
		Incidents []explainedCase   `json:"incidents"`
		Announced []explainedNotice `json:"announced,omitempty"`
	}{cases, notices}, func(w io.Writer) {
		s := a.sheet(w, o)
		for n, c := range cases {
			if n > 0 {
				fmt.Fprintln(w)
			}
			s.alerts(o, c, at)
		}
		if len(cases)+len(notices) == 0 {
			a.none("nothing would come of it", "처리할 내용이 없습니다")
		}
		for n, x := range notices {
			if n+len(cases) > 0 {
				fmt.Fprintln(w)
			}
			s.notice(x)
		}
	})
}

// readFile reads a file that is not too large.
func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	defer func() { _ = f.Close() }()
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("read alerts of %s: want at most %d bytes", path, most)
	}
	return body, nil
}

// faulty lists every fault of a body on a line of its own.
func faulty(p refusal.Body) error {
	all := []error{fmt.Errorf("%d faults", len(p.Errors))}
	for _, f := range p.Errors {
		all = append(all, fmt.Errorf("%s: %s", f.Field, f.Detail))
	}
	return errors.Join(all...)
}

func explainCase(ctx context.Context, o *org.Organisation, c ingest.Case, at, until time.Time) (explainedCase, error) {
	d := &c.Definition
	pr, err := priority.Of(d.Impact, d.Urgency)
	if err != nil {
		return explainedCase{}, err
	}
	tried := c.Labels
	if len(c.Each) == 1 {
		tried = c.Each[0]
	}
	e := explainedCase{
		Route: d.Route, Tries: o.Tries(d.Source, tried), Opens: c.Opens, Kind: d.Kind, Title: d.Title, Service: d.Service, Priority: pr,
		Classes: d.Classes, Links: d.Links, several: len(c.Each) > 1,
	}
	if a := d.Automatic; a != nil && c.Opens {
		e.Automatic, e.Unfit = a.ID, a.Fault
	}
	e.Impact, e.Urgency = decided(o, c)
	for _, cu := range d.Customers {
		e.Customers = append(e.Customers, cu.Name)
	}
	if !c.Opens {
		return e, nil
	}
	e.Held = heldBack(o, c, at)
	i, err := preview.Play(ctx, o, *d, c.Batch, at, at)
	if err != nil {
		return e, err
	}
	for n := range i.Clocks {
		k := &i.Clocks[n]
		e.Clocks = append(e.Clocks, explainedClock{
			Customer: k.Customer, Target: k.Target, Promise: k.Promised().String(), Begins: k.Begins, RiskAt: k.RiskAt, Due: k.Due,
			promised: k.Promised(),
		})
	}
	if i, err = preview.Play(ctx, o, *d, c.Batch, at, until); err == nil {
		e.Calls = calls(i)
	}
	return e, err
}

// heldBack are the silences of the folder that hold alerts back now, each with those that no other one has taken.
func heldBack(o *org.Organisation, c ingest.Case, at time.Time) (all []explainedHold) {
	d := &c.Definition
	if d.Restricted() || c.Batch.Truncated > 0 { // such alerts are never held back
		return nil
	}
	windows := o.Silences(at)
	held, firing := make([]int, len(windows)), 0
	for _, r := range c.Batch.Alerts {
		if r.State != alert.Firing {
			continue
		}
		firing++
		if n := slices.IndexFunc(windows, func(w silence.Window) bool { return w.Holds(d.Source, d.Service.ID, r.Labels) }); n >= 0 {
			held[n]++
		}
	}
	for n, w := range windows {
		if held[n] > 0 {
			all = append(all, explainedHold{w.Window, w.Name, held[n], firing, w.Until})
		}
	}
	return all
}

// decided returns what has decided the levels: of alerts that come together, the highest.
func decided(o *org.Organisation, c ingest.Case) (impact, urgency org.LevelReason) {
	for _, labels := range c.Each {
		i, u := o.Reasons(c.Definition.Source, labels)
		if i.Level.Exceeds(impact.Level) {
			impact = i
		}
		if u.Level.Exceeds(urgency.Level) {
			urgency = u
		}
	}
	return impact, urgency
}

// calls reads the paging plan from the timeline of an incident that was played: up to the first last resort.
func calls(i *incident.Incident) (all []explainedCall) {
	var step explainedCall
	last := false
	for _, e := range i.Timeline.Entries {
		switch e.Kind {
		case timeline.StepStarted, timeline.LastResort:
			if last {
				return all
			}
			last = e.Kind == timeline.LastResort
			step = explainedCall{At: e.At, Targets: e.Fact("targets")}
			step.Step, _ = strconv.Atoi(e.Fact("step"))
			step.Round, _ = strconv.Atoi(e.Fact("round"))
			head := step
			if rung := i.Definition.Policy.StepsFor(i.Situation()); step.Step > 0 && step.Step <= len(rung) {
				head.Acknowledgements = rung[step.Step-1].Acknowledgements
				for _, m := range rung[step.Step-1].Mitigations {
					head.Mitigations = append(head.Mitigations, m.Name)
				}
			}
			all = append(all, head)
		case timeline.Sending:
			if e.Fact("what") == "page" {
				c := step
				c.At, c.To, c.Method = e.At, e.Fact("to"), e.Fact("method")
				all = append(all, c)
			}
		case timeline.HeldBack:
			c := step
			c.At, c.To, c.Held = e.At, e.Fact("to"), e.Fact("cause")
			all = append(all, c)
		case timeline.StepEmpty:
			c := step
			if c.At, c.Detail = e.At, e.Fact("detail"); c.Detail != "" { // else those who are held back say why
				all = append(all, c)
			}
		default: // the rest is no page
		}
	}
	return all
}

// alerts shows what would come of alerts.
func (s sheet) alerts(o *org.Organisation, c explainedCase, at time.Time) {
	say, t, l := alertLabelsIn(s.language), s.view.texts, s.language
	fmt.Fprintf(s.w, "%s\n\n", s.paint(bold, s.named(c.Kind, c.Title)))
	f := facts{page: s.page}
	if !c.Opens {
		f.add(say.outcome, say.joins)
	}
	for _, h := range c.Held {
		held := fmt.Sprintf(say.held, h.Name, h.Silence, s.instant(h.Until))
		if h.Alerts < h.Of {
			held = fmt.Sprintf(say.someHeld, h.Alerts, h.Of, h.Name, h.Silence, s.instant(h.Until))
		}
		f.add(say.outcome, s.paint(yellow, printable(held)))
	}
	f.add(s.say.service, printable(fmt.Sprintf("%s (%s)", c.Service.Name, c.Service.ID)))
	f.add(s.say.priority, s.pressing(c.Priority))
	f.add(say.impact, say.level(t.Level(report.Impact, c.Impact.Level, l), c.Impact, t.Class(c.Impact.Class, l)))
	f.add(say.urgency, say.level(t.Level(report.Urgency, c.Urgency.Level, l), c.Urgency, t.Class(c.Urgency.Class, l)))
	f.add(s.say.customers, each(c.Customers)...)
	var tries []string
	for _, x := range c.Tries {
		tries = append(tries, say.try(x, c.several))
	}
	f.add(say.route, each(tries)...)
	if taken := len(c.Tries) > 0 && c.Tries[len(c.Tries)-1].Route == c.Route; !taken {
		f.add("", fmt.Sprintf(say.agreed, c.Route))
	}
	var links []string
	for _, x := range c.Links {
		links = append(links, t.Link(x, l)+": "+x.Shown())
	}
	f.add(s.say.links, each(links)...)
	if c.Automatic != "" {
		f.add(s.say.responded, strings.Join(filledIn(printable(c.Automatic), s.paint(red, printable(c.Unfit))), ": "))
	}
	s.rows(s.w, f.rows, text.WrapSoft)
	s.clocks(o, c, say)
	s.calls(c, at, say)
}

// clocks shows the promises with their instants.
func (s sheet) clocks(o *org.Organisation, c explainedCase, say alertLabels) {
	if len(c.Clocks) == 0 {
		return
	}
	s.heading(say.promised)
	rows := [][]string{s.head(s.say.customer, s.say.promise, s.lasting, say.begins, s.sheetLabels.atRisk, s.say.due)}
	for _, k := range c.Clocks {
		customer, _ := o.Party(k.Customer)
		begins, due := say.atOnce, say.never
		if !k.Begins.IsZero() {
			begins = s.paint(yellow, s.instant(k.Begins))
		}
		if !k.Due.IsZero() {
			due = s.instant(k.Due)
		}
		risk := ""
		if !k.RiskAt.IsZero() {
			risk = s.instant(k.RiskAt)
		}
		rows = append(rows, []string{
			printable(cmp.Or(customer.Name, k.Customer)), s.view.texts.Target(k.Target, s.language),
			s.promise(k.promised, true, supportplan.AroundTheClock), begins, risk, due,
		})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// calls shows who is paged when.
func (s sheet) calls(c explainedCase, at time.Time, say alertLabels) {
	if !c.Opens {
		return
	}
	s.heading(say.pages)
	var rows [][]string
	for _, x := range c.Calls {
		after := say.atOnce
		if x.At.After(at) {
			after = "+" + s.view.texts.Duration(x.At.Sub(at), s.language)
		}
		switch {
		case x.Held != "":
			held := s.view.texts.HeldBack(x.Held, s.language)
			rows = append(rows, []string{after, s.instant(x.At), "  " + s.paint(yellow, printable(fmt.Sprintf(say.heldBack, x.To, held)))})
		case x.To != "":
			rows = append(rows, []string{after, s.instant(x.At), "  " + printable(fmt.Sprintf(say.page, x.To, x.Method))})
		case x.Detail != "":
			rows = append(rows, []string{after, s.instant(x.At), "  " + s.paint(red, printable(fmt.Sprintf(say.nobody, x.Detail)))})
		case x.Step == 0:
			rows = append(rows, []string{after, s.instant(x.At), s.paint(bold, printable(fmt.Sprintf(say.lastResort, x.Targets)))})
		default:
			step := fmt.Sprintf(say.step, x.Step, x.Round, x.Targets)
			if x.Acknowledgements > 1 {
				step += fmt.Sprintf(say.acknowledgements, x.Acknowledgements)
			}
			rows = append(rows, []string{after, s.instant(x.At), s.paint(bold, printable(step))})
			for _, m := range x.Mitigations {
				rows = append(rows, []string{"", "", "  " + printable(fmt.Sprintf(say.mitigation, m))})
			}
		}
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// alertLabels are the words of one language that stand beside what would come of alerts.
type alertLabels struct {
	outcome, joins, held, someHeld, impact, urgency, route, agreed, promised, begins, atOnce, never, pages, page, heldBack, nobody, step, acknowledgements, mitigation, lastResort string

	byService, byRoute, byLabel, byClass                 string
	taken, ofSource, ofLabel, noLabel, notCommon, unheld string
}

func alertLabelsIn(language string) alertLabels {
	if language == "ko" {
		return alertLabels{
			outcome: "결과", joins: "인시던트를 열지 않음: 발생 중인 경보가 없음", held: "경보 보류: %s(%s), %s까지. 그때까지 해소되지 않으면 아래와 같음", someHeld: "발생 중인 경보 %[2]d건 중 %[1]d건 보류: %[3]s(%[4]s), %[5]s까지", impact: "영향도", urgency: "긴급도", route: "경로",
			agreed: "%s (모든 경보가 이 경로의 서비스로 이어짐)", promised: "목표와 기한", begins: "계산 시작", atOnce: "바로", never: "계산할 수 없음",
			pages: "호출(아무도 확인하지 않고 모든 전송이 도착할 때)", page: "%s, %s", heldBack: "%s: 보내지 않음, %s", acknowledgements: ", %d명 확인(ACK) 필요", mitigation: "사전 승인 조치: %s", nobody: "아무도 없음: %s", step: "%d단계(%d회차) %s", lastResort: "최종 대상 %s, 이후 반복",
			byService: "%s (서비스 기준)", byRoute: "%s (경로 기준)", byLabel: "%s (레이블 %s = %q)", byClass: "%s (특별 분류 %s)",
			taken: "%s: 적용", ofSource: "%s: 아님, 출처 %s만", ofLabel: "%s: 아님, 레이블 %s = %q, 필요한 값 %q", noLabel: "%s: 아님, 레이블 %s 없음, 필요한 값 %q",
			notCommon: "%s: 아님, 모든 경보에 공통된 레이블 %s 없음, 필요한 값 %q",
			unheld:    "%s: 아님, 조건 불일치: %s",
		}
	}
	return alertLabels{
		outcome: "Outcome", joins: "opens no incident: no alert fires", held: "held back by the silence %s (%s) until %s; what still fires then does what follows", someHeld: "%d of %d alerts that fire are held back by the silence %s (%s) until %s", impact: "Impact", urgency: "Urgency", route: "Route",
		agreed: "%s (every alert leads to its service)", promised: "Promises", begins: "Begins", atOnce: "at once", never: "cannot be computed",
		pages: "Pages, if nobody acknowledges and every delivery arrives", page: "%s by %s", heldBack: "%s: held back, %s", acknowledgements: ", until %d people acknowledge", mitigation: "pre-approved: %s", nobody: "nobody: %s", step: "step %d, round %d: %s",
		lastResort: "last resort, again and again: %s",
		byService:  "%s (as the service says)", byRoute: "%s (as the route says)", byLabel: "%s (label %s = %q)", byClass: "%s (special class %s)",
		taken: "%s: takes it", ofSource: "%s: no, only of source %s", ofLabel: "%s: no, label %s is %q; want %q", noLabel: "%s: no, there is no label %s; want %q",
		notCommon: "%s: no, the alerts have no label %s in common; want %q",
		unheld:    "%s: no, its condition does not hold: %s",
	}
}

// level is a level with what has decided it.
func (say alertLabels) level(level string, r org.LevelReason, class string) string {
	switch r.From {
	case org.FromRoute:
		return fmt.Sprintf(say.byRoute, level)
	case org.FromLabel:
		return printable(fmt.Sprintf(say.byLabel, level, r.Label, r.Value))
	case org.FromClass:
		return fmt.Sprintf(say.byClass, level, class)
	case org.FromService:
	}
	return fmt.Sprintf(say.byService, level)
}

// try is one route that alerts have come to.
func (say alertLabels) try(t org.Try, several bool) string {
	switch {
	case t.Taken:
		return fmt.Sprintf(say.taken, t.Route)
	case t.Source != "":
		return fmt.Sprintf(say.ofSource, t.Route, t.Source)
	case t.Label != "" && t.Got == "" && several:
		return fmt.Sprintf(say.notCommon, t.Route, t.Label, t.Want)
	case t.Label != "" && t.Got == "":
		return fmt.Sprintf(say.noLabel, t.Route, t.Label, t.Want)
	case t.Label != "":
		return fmt.Sprintf(say.ofLabel, t.Route, t.Label, t.Got, t.Want)
	}
	return fmt.Sprintf(say.unheld, t.Route, t.When)
}
