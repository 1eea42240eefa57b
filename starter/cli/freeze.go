package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/freeze"
	"muster/internal/org"
)

func (a *app) freeze() *cobra.Command {
	group := &cobra.Command{
		Use: "freeze COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See when changes may run, and why they may not",
		Long: `See when changes may run: in the windows that an environment names, and never in a freeze of the customer, of a partner of its
services or of your own. It needs the organisation folder and nothing else.`,
		Example: "  muster freeze explain garam/production --org ./org --for 2h\n  muster freeze list --org ./org --customer garam\n" +
			"  muster freeze ics --org ./org --customer garam --file garam.ics",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, cmd := range []*cobra.Command{a.freezeList(), a.freezeExplain()} {
		a.viewFlags(cmd)
		group.AddCommand(cmd)
	}
	group.AddCommand(a.freezeICS())
	return group
}

// freezesAsked is what a command asks of windows and freezes.
type freezesAsked struct {
	customer string // empty: all of the folder
	days     int    // from now on
}

func (x *freezesAsked) flags(cmd *cobra.Command, usual int) {
	cmd.Flags().StringVar(&x.customer, "customer", "", "only those of the environments of the customer with this `ID`")
	cmd.Flags().IntVar(&x.days, "days", usual, "this `NUMBER` of days from now on, at most 366")
	_ = cmd.RegisterFlagCompletionFunc("customer", cobra.NoFileCompletions)
}

func (x *freezesAsked) check(_ *cobra.Command, args []string) error {
	const most = 366
	if err := wants()(nil, args); err != nil {
		return err
	}
	if x.days < 1 || x.days > most {
		return misused("--days %d: want 1 to %d", x.days, most)
	}
	return nil
}

func (a *app) freezeList() *cobra.Command {
	var x freezesAsked
	cmd := a.explains(&cobra.Command{
		Use:   "list",
		Short: "List the freezes and windows of the next days",
		Long: `List the freezes and windows of the next days in the order in which they begin, with those that have begun: all of the folder, or
those of one customer's environments.`,
		Example: "  muster freeze list\n  muster freeze list --customer garam --days 30 -o json",
		Args:    x.check, ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, _ []string) error {
		r, err := o.FreezeRules(x.customer)
		if err != nil {
			return err
		}
		times, err := freeze.New(r, nil, time.LoadLocation)
		if err != nil {
			return err
		}
		now := a.env.Now().In(o.Zone)
		found := append([]freeze.Reason{}, times.Spans(now, now.AddDate(0, 0, x.days))...)
		return a.answer(found, func(w io.Writer) {
			if len(found) == 0 {
				a.note("no freezes and no windows in the next %s", counted(x.days, "day"))
				return
			}
			a.sheet(w, o).freezes(found)
		})
	})
	x.flags(cmd, 90)
	return cmd
}

// freezes shows one row for each freeze and window.
func (s sheet) freezes(all []freeze.Reason) {
	say := freezeLabelsIn(s.language)
	rows := [][]string{s.head(say.what, s.say.named, say.of, s.say.begins, s.say.ends, s.say.lasts, say.reason)}
	for _, r := range all {
		lasts, what := "", s.paint(green, say.window)
		if !r.From.IsZero() && !r.Until.IsZero() {
			lasts = s.view.texts.Duration(r.Until.Sub(r.From), s.language)
		}
		if r.Kind == freeze.Frozen {
			what = s.paint(red, say.freeze)
		}
		rows = append(rows, []string{
			what, printable(r.Name) + " (" + printable(r.ID) + ")", printable(r.Owner.Name), s.instant(r.From), s.instant(r.Until), lasts, printable(r.Reason),
		})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

func (a *app) freezeICS() *cobra.Command {
	var x freezesAsked
	folder, file := "", ""
	cmd := &cobra.Command{
		Use:   "ics",
		Short: "Write freezes and windows as an iCalendar file",
		Long: `Write the freezes and windows of the next year as an iCalendar file. Each is the same event in every such file, so a calendar
that reads another one later does not have it twice.`,
		Example: "  muster freeze ics --file freezes.ics\n  muster freeze ics --customer garam --days 90",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(x.check(cmd, args), a.wantOrg(&folder))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.does(func(*cobra.Command, []string) error {
			o, err := org.LoadAsOf(folder, a.env.Now())
			if err != nil {
				return err
			}
			now, say := a.env.Now(), freezeLabelsIn(cmp.Or(a.language(), o.Languages[0]))
			content, err := o.FreezesICS(x.customer, now, now.AddDate(0, 0, x.days), func(r freeze.Reason) string {
				if r.Kind == freeze.Frozen {
					return fmt.Sprintf("%s: %s (%s)", say.freeze, r.Name, r.Owner.Name)
				}
				return say.window + ": " + r.Name
			})
			if err != nil {
				return err
			}
			return a.save(file, content)
		}),
	}
	a.orgFlag(cmd, &folder, orgUsage)
	x.flags(cmd, 366)
	a.fileFlag(cmd, &file)
	return cmd
}

// openness says whether changes may run in an environment, why, and when they may next.
type openness struct {
	Customer    string          `json:"customer"`
	Environment string          `json:"environment"`
	Name        string          `json:"name"`
	Production  bool            `json:"production"`
	At          time.Time       `json:"at"`
	Open        bool            `json:"open"`
	Why         []freeze.Reason `json:"why"`
	Closes      time.Time       `json:"closes,omitzero"` // of one that is open; left out: not in the next two years
	Need        string          `json:"for,omitempty"`
	NextFrom    time.Time       `json:"next_from,omitzero"` // from at on, for as long as needed; left out: not in the next two years
	NextUntil   time.Time       `json:"next_until,omitzero"`

	windows bool // any are needed
	need    time.Duration
}

func (a *app) freezeExplain() *cobra.Command {
	at, need := "", time.Duration(0)
	cmd := a.explains(&cobra.Command{
		Use:   "explain CUSTOMER/ENVIRONMENT",
		Short: "Say whether a change may run, why, and when one may next",
		Long: `Say whether a change may run in an environment: which windows are open and which freezes hold, until when, whose they are and
why; and when a change may run next, without interruption for as long as it needs. It looks two years ahead.`,
		Example: "  muster freeze explain garam/production\n  muster freeze explain garam/production --at \"2026-12-24 03:00\" --for 2h",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("CUSTOMER/ENVIRONMENT")(nil, args); err != nil {
				return err
			}
			if _, _, ok := strings.Cut(args[0], "/"); !ok {
				return misused("%q: want a customer and an environment, such as garam/production", args[0])
			}
			if need < 0 || need > freeze.Horizon {
				return misused("--for %s: want from 0s to two years, such as 2h", need)
			}
			_, err := instant(at, time.Time{}, time.UTC)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, args []string) error {
		at, err := instant(at, a.env.Now(), o.Zone)
		if err != nil {
			return err
		}
		return a.explainFreeze(o, args[0], at.In(o.Zone), need)
	})
	cmd.Flags().StringVar(&at, "at", "", "as of this `TIME`; default: now")
	lengthVar(cmd, &need, "for", 0, "how long the change needs without interruption, as a `DURATION`")
	return cmd
}

func (a *app) explainFreeze(o *org.Organisation, where string, at time.Time, need time.Duration) error {
	customer, id, _ := strings.Cut(where, "/")
	e, ok := o.Environment(customer, id)
	if !ok {
		return fmt.Errorf("environment %q: not in the organisation folder; known: %s", where, strings.Join(environments(o), ", "))
	}
	times, err := freeze.New(e.Rules, nil, time.LoadLocation)
	if err != nil {
		return err
	}
	party, _ := o.Party(customer)
	x := openness{
		Customer: customer, Environment: id, Name: party.Name + ", " + e.Name, Production: e.Production, At: at, windows: len(e.Rules.Windows) > 0, need: need,
	}
	if need > 0 {
		x.Need = need.String()
	}
	open, why := times.Open(at)
	x.Open, x.Why = open, append([]freeze.Reason{}, why...)
	x.Closes, _ = times.CloseAt(at)
	if from, ok := times.NextOpen(at, need); ok {
		x.NextFrom = from
		x.NextUntil, _ = times.CloseAt(from)
	}
	return a.answer(x, func(w io.Writer) { a.sheet(w, o).openness(x) })
}

// environments lists all environments as customer/environment.
func environments(o *org.Organisation) (all []string) {
	for _, c := range o.Contracts() {
		for _, e := range o.Environments(c.Customer) {
			all = append(all, c.Customer+"/"+e.ID)
		}
	}
	return all
}

// openness shows whether changes may run, why, and when they may next.
func (s sheet) openness(x openness) {
	say := freezeLabelsIn(s.language)
	state := s.paint(red, say.closed)
	if x.Open {
		state = s.paint(green, say.open)
	}
	fmt.Fprintf(s.w, "%s, %s: %s\n", s.paint(bold, printable(fmt.Sprintf("%s (%s/%s)", x.Name, x.Customer, x.Environment))), s.instant(x.At), state)
	rows := [][]string{}
	if !x.windows {
		rows = append(rows, []string{"  " + say.anyTime, ""})
	}
	for _, r := range x.Why {
		until := say.endless
		if !r.Until.IsZero() {
			until = fmt.Sprintf(say.until, s.instant(r.Until))
		}
		rows = append(rows, []string{"  " + printable(say.cause(r)), until})
	}
	s.rows(s.w, rows, text.WrapSoft)
	f := facts{page: s.page}
	if x.Open {
		f.add(say.closes, s.orNever(x.Closes))
	}
	if !x.Open || x.need > 0 {
		label, next := say.next, s.paint(red, say.never)
		if x.need > 0 {
			label = fmt.Sprintf(say.nextFor, s.view.texts.Duration(x.need, s.language))
		}
		switch {
		case x.NextFrom.IsZero():
		case x.NextUntil.IsZero():
			next = fmt.Sprintf(say.onwards, s.instant(x.NextFrom))
		default:
			next = fmt.Sprintf(say.span, s.instant(x.NextFrom), s.instant(x.NextUntil), s.view.texts.Duration(x.NextUntil.Sub(x.NextFrom), s.language))
		}
		f.add(label, next)
	}
	s.rows(s.w, f.rows, text.WrapSoft)
}

// orNever is an instant, or that there is none in sight.
func (s sheet) orNever(at time.Time) string {
	if at.IsZero() {
		return freezeLabelsIn(s.language).never
	}
	return s.instant(at)
}

// freezeLabels are the words of one language for when changes may run.
type freezeLabels struct {
	what, of, reason, window, freeze string // of a table

	open, closed, anyTime, inWindow, frozen, outside, until, endless, closes, next, nextFor, span, onwards, never string
}

func freezeLabelsIn(language string) freezeLabels {
	if language == "ko" {
		return freezeLabels{
			what: "구분", of: "지정", reason: "사유", window: "작업 가능 시간", freeze: "변경 동결",
			open: "작업 가능", closed: "작업 불가", anyTime: "정해진 작업 가능 시간 없음: 변경 동결이 아니면 언제나 가능",
			inWindow: "작업 가능 시간: %s (%s)", frozen: "변경 동결: %s (%s), %s 지정: %s", outside: "작업 가능 시간이 아님",
			until: "%s까지", endless: "2년 안에 끝나지 않음", closes: "작업 마감", next: "다음 작업 가능 시간", nextFor: "%s 이상 작업 가능한 시간",
			span: "%s부터 %s까지 (%s)", onwards: "%s부터", never: "앞으로 2년 안에 없음",
		}
	}
	return freezeLabels{
		what: "What", of: "Of", reason: "Reason", window: "window", freeze: "freeze",
		open: "a change may run", closed: "no change may run", anyTime: "no windows: at any time outside freezes",
		inWindow: "window: %s (%s)", frozen: "freeze: %s (%s), of %s: %s", outside: "outside every window",
		until: "until %s", endless: "for two years or more", closes: "Closes", next: "Next open", nextFor: "Next for %s",
		span: "%s to %s (%s)", onwards: "from %s on", never: "not in the next two years",
	}
}

// cause says why a change may run, or may not.
func (say freezeLabels) cause(r freeze.Reason) string {
	switch r.Kind {
	case freeze.InWindow:
		return fmt.Sprintf(say.inWindow, r.Name, r.ID)
	case freeze.Frozen:
		return fmt.Sprintf(say.frozen, r.Name, r.ID, r.Owner.Name, r.Reason)
	case freeze.Outside:
	}
	return say.outside
}
