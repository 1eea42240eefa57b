package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/oncall"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// clockAsked is what explain clock was asked for.
type clockAsked struct {
	plan, priority, target, at, now string
	pauses                          []string
}

// A soughtClock is a promise with its instants.
type soughtClock struct {
	Plan      string             `json:"plan"`
	Priority  priority.Priority  `json:"priority"`
	Target    supportplan.Target `json:"target"`
	Promise   string             `json:"promise"`
	Calendar  string             `json:"calendar,omitempty"` // empty: around the clock
	Started   time.Time          `json:"started"`
	Begins    time.Time          `json:"begins,omitzero"` // when the calendar opens, if it is closed at the start
	RiskAt    time.Time          `json:"risk_at"`
	Due       time.Time          `json:"due"`
	AsOf      time.Time          `json:"as_of"`
	Remaining string             `json:"remaining"` // open time, less than nothing when it is overdue

	promised supportplan.Promise
	left     time.Duration
}

func (a *app) explainClock() *cobra.Command {
	var x clockAsked
	cmd := a.explains(&cobra.Command{
		Use:   "clock --plan PLAN --priority PRIORITY --target TARGET",
		Short: "Say when a promise begins, is at risk and is due",
		Long: `Say when a promise of a support plan begins, is at risk and is due, and how much of its time is left: counted in its calendar,
with the time that it stood still left out.

Targets: ` + joined(supportplan.Targets()) + `.`,
		Example: "  muster explain clock --org ./org --plan standard --priority P2 --target resolve --at \"2026-12-24 16:00\"\n" +
			"  muster explain clock --org ./org --plan standard --priority P2 --target resolve --at \"2026-12-24 10:00\" \\\n" +
			"    --paused \"2026-12-24 11:00/2026-12-28 09:30\" --now \"2026-12-28 17:00\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants()(nil, args); err != nil {
				return err
			}
			return x.check()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, _ []string) error { return a.explainPromise(o, x) })
	f := cmd.Flags()
	f.StringVar(&x.plan, "plan", "", "`ID` of the support plan")
	f.StringVar(&x.priority, "priority", "", "`PRIORITY`, P1 to P5")
	f.StringVar(&x.target, "target", "", "`TARGET` that is promised")
	f.StringVar(&x.at, "at", "", "`TIME` at which the clock is started; default: now")
	f.StringVar(&x.now, "now", "", "`TIME` as of which to say what is left; default: the start")
	f.StringArrayVar(&x.pauses, "paused", nil, "`FROM/TO` between which it stood still; may be given several times, in their order")
	_ = cmd.RegisterFlagCompletionFunc("target", completions(supportplan.Targets()))
	return cmd
}

func (x *clockAsked) check() error {
	switch {
	case x.plan == "" || x.priority == "" || x.target == "":
		return misused("--plan, --priority, --target: want all three")
	case !slices.Contains(supportplan.Targets(), supportplan.Target(x.target)):
		return misused("--target %q: want %s", x.target, joined(supportplan.Targets()))
	}
	if _, err := priority.Parse(x.priority); err != nil {
		return misused("--%s", err)
	}
	for _, given := range []string{x.at, x.now} {
		if _, err := instant(given, time.Time{}, time.UTC); err != nil {
			return err
		}
	}
	_, err := x.spans(time.UTC)
	return err
}

// spans reads when the clock stood still.
func (x *clockAsked) spans(zone *time.Location) (all []supportplan.Span, err error) {
	for _, given := range x.pauses {
		from, to, ok := strings.Cut(given, "/")
		var s supportplan.Span
		if ok {
			s.From, err = instant(strings.TrimSpace(from), time.Time{}, zone)
		}
		if ok && err == nil {
			s.To, err = instant(strings.TrimSpace(to), time.Time{}, zone)
		}
		if !ok || err != nil || !s.From.Before(s.To) || len(all) > 0 && s.From.Before(all[len(all)-1].To) {
			return nil, misused("--paused %q: want two times in their order, such as \"2026-12-24 11:00/2026-12-28 09:30\", after those before", given)
		}
		all = append(all, s)
	}
	return all, nil
}

func (a *app) explainPromise(o *org.Organisation, x clockAsked) error {
	plan, err := o.Plan(x.plan)
	if err != nil {
		return err
	}
	pr, _ := priority.Parse(x.priority)
	p, promised := plan.Promise(pr, supportplan.Target(x.target))
	if !promised {
		return fmt.Errorf("support plan %s promises no %s at %s; muster explain plan %s shows what it does", x.plan, x.target, pr, x.plan)
	}
	at, err := instant(x.at, a.env.Now(), o.Zone)
	if err != nil {
		return err
	}
	now, err := instant(x.now, at, o.Zone)
	if err != nil {
		return err
	}
	c := supportplan.Start("", p, at)
	if c.Pauses, err = x.spans(o.Zone); err != nil {
		return err
	}
	var pinned []calendar.Rules
	if p.Calendar != "" {
		r, err := o.Calendar(p.Calendar)
		if err != nil {
			return err
		}
		pinned = append(pinned, r)
	}
	is := incident.InstantsOf(&c, plan.AtRisk, pinned, time.LoadLocation)
	if is.Fault != "" {
		return fmt.Errorf("clock of support plan %s, started %s: %s", x.plan, at.Format(time.RFC3339), is.Fault)
	}
	open, err := supportplan.OpenTimeOf(p.Calendar, pinned, time.LoadLocation)
	if err != nil {
		return err
	}
	left, err := c.Remaining(open, now)
	if err != nil {
		return err
	}
	s := soughtClock{
		Plan: x.plan, Priority: pr, Target: p.Target, Promise: p.String(), Calendar: p.Calendar, Started: at, Begins: is.Begins,
		RiskAt: is.RiskAt, Due: is.Due, AsOf: now, Remaining: left.String(), promised: p, left: left,
	}
	return a.answer(s, func(w io.Writer) { a.sheet(w, o).clock(s) })
}

// clock shows a promise with its instants.
func (s sheet) clock(c soughtClock) {
	say := alertLabelsIn(s.language)
	f := facts{page: s.page}
	f.add(s.plan, c.Plan)
	f.add(s.say.promise, fmt.Sprintf("%s, %s: %s", s.pressing(c.Priority), s.view.texts.Target(c.Target, s.language),
		s.promise(c.promised, true, supportplan.AroundTheClock)))
	f.add(s.say.started, s.instant(c.Started))
	begins := say.atOnce
	if !c.Begins.IsZero() {
		begins = s.paint(yellow, s.instant(c.Begins))
	}
	f.add(say.begins, begins)
	f.add(s.sheetLabels.atRisk, s.instant(c.RiskAt))
	f.add(s.say.due, s.paint(bold, s.instant(c.Due)))
	left := fmt.Sprintf(s.say.remaining, s.view.texts.Duration(c.left, s.language))
	if c.left < 0 {
		left = s.paint(red, fmt.Sprintf(s.say.over, s.view.texts.Duration(-c.left, s.language)))
	}
	f.add(s.say.left, left+", "+s.instant(c.AsOf))
	s.rows(s.w, f.rows, text.WrapSoft)
}

// A reasonedDuty is who is on call in a schedule, and why.
type reasonedDuty struct {
	duty

	At      time.Time      `json:"at"`
	Reasons []reasonOfDuty `json:"reasons"`
}

// A reasonOfDuty is one layer or override with its say.
type reasonOfDuty struct {
	Layer    string        `json:"layer,omitempty"`
	Idle     oncall.Idle   `json:"idle,omitempty"` // why the layer has nobody
	Override oncall.Change `json:"override,omitempty"`
	Person   string        `json:"person,omitempty"`     // of the override
	Instead  string        `json:"instead_of,omitempty"` // of the override
	Until    time.Time     `json:"until,omitzero"`
	People   []string      `json:"people"` // who is on call as far as this goes
}

func (a *app) explainOncall() *cobra.Command {
	at := ""
	cmd := a.explains(&cobra.Command{
		Use:   "oncall [SCHEDULE]",
		Short: "Say who is on call and why: which layer and which override",
		Long: `Say who is on call in a schedule, or in all of them, and why: the layers from the last one down to the first that has
somebody, and the overrides that apply.`,
		Example: "  muster explain oncall --org ./org primary --at \"2026-12-25 03:00\"",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused("want one schedule, got %q as well", strings.Join(args[1:], " "))
			}
			_, err := instant(at, time.Time{}, time.UTC)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, args []string) error {
		ids := o.Schedules()
		if len(args) > 0 {
			ids = args
		}
		return a.explainDuties(o, ids, at)
	})
	cmd.Flags().StringVar(&at, "at", "", "as of this `TIME`; default: now")
	return cmd
}

func (a *app) explainDuties(o *org.Organisation, ids []string, given string) error {
	found := []reasonedDuty{}
	for _, id := range ids {
		s, err := o.Schedule(id)
		if err != nil {
			return err
		}
		at, err := instant(given, a.env.Now(), s.Zone)
		if err != nil {
			return err
		}
		d := reasonedDuty{duty: newDuty(o, s, s.Current(at)), At: inZone(at, s.Zone)}
		for _, r := range s.Reasons(at) {
			x := reasonOfDuty{Layer: r.Layer, Idle: r.Idle, Until: inZone(r.Until, s.Zone), People: append([]string{}, r.People...)}
			if r.Override != nil {
				x.Override, x.Person, x.Instead = r.Override.Change, r.Override.Person, r.Override.InsteadOf
			}
			d.Reasons = append(d.Reasons, x)
		}
		found = append(found, d)
	}
	return a.answer(found, func(w io.Writer) {
		s := a.sheet(w, o)
		for n, d := range found {
			if n > 0 {
				fmt.Fprintln(w)
			}
			s.reasons(d)
		}
	})
}

// reasons shows who is on call in a schedule, and why.
func (s sheet) reasons(d reasonedDuty) {
	s.zone = d.Zone
	var names []string
	for _, p := range d.People {
		names = append(names, printable(p.Name)+" ("+printable(p.ID)+")")
	}
	who := strings.Join(names, ", ")
	if who == "" {
		who = s.paint(red, s.say.nobody)
	}
	fmt.Fprintf(s.w, "%s, %s: %s\n", s.paint(bold, printable(d.Schedule)), s.instant(d.At), who)
	say := dutyLabelsIn(s.language)
	rows := [][]string{}
	for _, r := range d.Reasons {
		until := ""
		if !r.Until.IsZero() {
			until = fmt.Sprintf(say.until, s.instant(r.Until))
		}
		rows = append(rows, []string{"  " + printable(say.reason(r)), until})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// dutyLabels are the words of one language for why somebody is on call.
type dutyLabels struct {
	until, layer, notBegun, over, closed, replace, substitute, add, remove string
}

func dutyLabelsIn(language string) dutyLabels {
	if language == "ko" {
		return dutyLabels{
			until: "%s까지", layer: "계층 %s: %s", notBegun: "계층 %s: 아직 시작 전", over: "계층 %s: 끝남", closed: "계층 %s: 업무시간 외",
			replace: "대체: %s만", substitute: "대체: %s, %s 대신", add: "추가: %s", remove: "제외: %s",
		}
	}
	return dutyLabels{
		until: "until %s", layer: "layer %s: %s", notBegun: "layer %s: has not begun", over: "layer %s: is over", closed: "layer %s: its calendar is closed",
		replace: "override: %s and nobody else", substitute: "override: %s instead of %s", add: "override: %s too", remove: "override: not %s",
	}
}

func (say dutyLabels) reason(r reasonOfDuty) string {
	switch r.Override {
	case oncall.Replace:
		return fmt.Sprintf(say.replace, r.Person)
	case oncall.Substitute:
		return fmt.Sprintf(say.substitute, r.Person, r.Instead)
	case oncall.Add:
		return fmt.Sprintf(say.add, r.Person)
	case oncall.Remove:
		return fmt.Sprintf(say.remove, r.Person)
	}
	switch r.Idle {
	case oncall.NotBegun:
		return fmt.Sprintf(say.notBegun, r.Layer)
	case oncall.Over:
		return fmt.Sprintf(say.over, r.Layer)
	case oncall.Closed:
		return fmt.Sprintf(say.closed, r.Layer)
	}
	return fmt.Sprintf(say.layer, r.Layer, strings.Join(r.People, ", "))
}
