package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/oncall"
	"muster/internal/org"
)

func (a *app) oncall() *cobra.Command {
	group := &cobra.Command{
		Use: "oncall COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See who is on call, who is next, and when nobody is; hand a schedule over",
		Long: `See who is on call, who is next, and when nobody is: who, next, gaps and ics read the schedules of an organisation folder, with
their layers, calendars and overrides, and need no server. Hand a schedule over, and take it over: that needs one.`,
		Example: "  muster oncall who --org ./org\n  muster oncall gaps --org ./org --days 90\n" +
			"  muster oncall handover primary --to park \"the batch at 03:00 may fail\"\n  muster oncall confirm primary",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.oncallWho(), a.oncallNext(), a.oncallGaps(), a.oncallICS())
	for _, cmd := range a.handover() {
		a.clientFlags(cmd)
		a.viewFlags(cmd)
		group.AddCommand(cmd)
	}
	return group
}

func (a *app) oncallWho() *cobra.Command {
	var r roster
	cmd := a.rosterCommand(&cobra.Command{
		Use:   "who [SCHEDULE]",
		Short: "Show who is on call",
		Long: `Show who is on call in a schedule, or in all of them, since when and until when. A time without a zone is that of each
schedule's own zone.`,
		Example: "  muster oncall who\n  muster oncall who primary --at '2026-12-24 20:00'\n  muster oncall who --at 2026-12-24T20:00:00+09:00 -o json",
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			return a.duties(r, args, "there are no schedules", func(s *oncall.Schedule) []oncall.Shift {
				return []oncall.Shift{s.Current(a.asOf(r.at, s.Zone))}
			})
		}),
	}, &r)
	a.atFlag(cmd, &r)
	return cmd
}

func (a *app) oncallNext() *cobra.Command {
	var r roster
	cmd := a.rosterCommand(&cobra.Command{
		Use:   "next [SCHEDULE]",
		Short: "Show who is on call next, or when somebody is",
		Long: `Show the next shift of a schedule, or of all of them; with --person, when that person is on call next, whoever else is. It
looks two years ahead.`,
		Example: "  muster oncall next primary\n  muster oncall next --person kim",
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			return a.duties(r, args, "no shift begins in the next two years", func(s *oncall.Schedule) []oncall.Shift {
				f, ok := s.Next(a.asOf(r.at, s.Zone))
				if r.person != "" {
					f, ok = s.NextOf(r.person, a.asOf(r.at, s.Zone))
				}
				if !ok {
					return nil
				}
				return []oncall.Shift{f}
			})
		}),
	}, &r)
	a.atFlag(cmd, &r)
	cmd.Flags().StringVar(&r.person, "person", "", "when the person with this `ID` is")
	_ = cmd.RegisterFlagCompletionFunc("person", cobra.NoFileCompletions)
	return cmd
}

func (a *app) oncallGaps() *cobra.Command {
	var r roster
	cmd := a.rosterCommand(&cobra.Command{
		Use:   "gaps [SCHEDULE]",
		Short: "Show when nobody is on call",
		Long: `Show the times in the next days in which nobody is on call in a schedule, or in any of them. It ends in 1 when there are any,
so that a pipeline which checks the folder stops there.`,
		Example: "  muster oncall gaps\n  muster oncall gaps primary --days 90 -o json",
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			now, count := a.env.Now(), 0
			err := a.duties(r, args, "no gaps in the next "+counted(r.days, "day"), func(s *oncall.Schedule) []oncall.Shift {
				gaps := s.Gaps(now, now.AddDate(0, 0, r.days))
				for n, g := range gaps {
					gaps[n] = s.Current(g.From) // the first and the last are cut off
				}
				count += len(gaps)
				return gaps
			})
			if err == nil && count > 0 {
				err = fmt.Errorf("%s in the next %s", counted(count, "gap"), counted(r.days, "day"))
			}
			return err
		}),
	}, &r)
	daysFlag(cmd, &r, 30)
	return cmd
}

func (a *app) oncallICS() *cobra.Command {
	var r roster
	file := ""
	cmd := &cobra.Command{
		Use:   "ics SCHEDULE",
		Short: "Write the shifts of a schedule as an iCalendar file",
		Long: `Write the shifts of a schedule in the next days as an iCalendar file. A shift is the same event in every such file, so a
calendar that reads another one later does not have it twice.`,
		Example: "  muster oncall ics primary --days 180 --file primary.ics",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(wants("SCHEDULE")(nil, args), a.wantOrg(&r.folder), r.check(cmd))
		},
		ValidArgsFunction: r.complete,
		RunE: a.does(func(_ *cobra.Command, args []string) error {
			o, err := org.LoadAsOf(r.folder, a.env.Now())
			if err != nil {
				return err
			}
			now := a.env.Now()
			content, err := o.ShiftsICS(args[0], now, now.AddDate(0, 0, r.days))
			if err != nil {
				return err
			}
			return a.save(file, content)
		}),
	}
	a.orgFlag(cmd, &r.folder, orgUsage)
	daysFlag(cmd, &r, 90)
	a.fileFlag(cmd, &file)
	return cmd
}

const orgUsage = "organisation `FOLDER`; default: MUSTER_ORG"

// A roster is what a command asks of schedules.
type roster struct {
	folder string // of the organisation
	at     string // an instant, or a time on the wall; empty: now
	days   int    // from now on
	person string // ID; empty: everybody
}

// check says what is wrong with the flags of a command, whatever stands in the folder.
func (r *roster) check(cmd *cobra.Command) error {
	const most = 366
	if cmd.Flags().Lookup("days") != nil && (r.days < 1 || r.days > most) {
		return misused("--days %d: want 1 to %d", r.days, most)
	}
	if _, err := moment(r.at, time.UTC); r.at != "" && err != nil {
		return misused("--at %q: want a time such as 2026-11-02T09:00:00+09:00, or 2026-11-02 09:00 in the zone of the schedule", r.at)
	}
	return nil
}

// complete completes the ID of a schedule.
func (r *roster) complete(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	o, err := org.Load(r.folder)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	for _, id := range o.Schedules() {
		if s, err := o.Schedule(id); err == nil {
			found = append(found, described(id, s.Name))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// rosterCommand makes a command that may name a schedule, or mean all of them.
func (a *app) rosterCommand(cmd *cobra.Command, r *roster) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return misused("want one schedule, got %q as well", strings.Join(args[1:], " "))
		}
		return cmp.Or(a.wantOrg(&r.folder), r.check(cmd))
	}
	cmd.ValidArgsFunction = r.complete
	a.orgFlag(cmd, &r.folder, orgUsage)
	a.viewFlags(cmd)
	return cmd
}

func (a *app) atFlag(cmd *cobra.Command, r *roster) {
	cmd.Flags().StringVar(&r.at, "at", "", "as of this `TIME`, with a zone or in that of the schedule; default: now")
	_ = cmd.RegisterFlagCompletionFunc("at", cobra.NoFileCompletions)
}

func daysFlag(cmd *cobra.Command, r *roster, usual int) {
	cmd.Flags().IntVar(&r.days, "days", usual, "this `NUMBER` of days from now on, at most 366")
}

// asOf is the instant that a flag names, which has been checked.
func (a *app) asOf(given string, zone *time.Location) time.Time {
	at, err := moment(given, zone)
	if err != nil {
		return a.env.Now()
	}
	return at
}

// moment reads an instant, or what the clock on the wall shows in a zone.
func moment(s string, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	w, err := oncall.ParseWallTime(s)
	return w.In(zone), err
}

// A duty is a shift or a gap of a schedule, as JSON shows it. Its times are those of the schedule's zone; one that is left out
// is more than two years away.
type duty struct {
	Schedule string     `json:"schedule"`
	Name     string     `json:"name"`
	Zone     string     `json:"zone"`
	From     time.Time  `json:"from,omitzero"`
	To       time.Time  `json:"to,omitzero"`
	People   []somebody `json:"people"`
}

// somebody is on call.
type somebody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// duties finds shifts in the schedules that are meant, and shows them.
func (a *app) duties(r roster, args []string, none string, find func(s *oncall.Schedule) []oncall.Shift) error {
	o, err := org.LoadAsOf(r.folder, a.env.Now())
	if err != nil {
		return err
	}
	if _, known := o.Person(r.person); r.person != "" && !known {
		return fmt.Errorf("person %q: not in the organisation folder %s", r.person, r.folder)
	}
	ids := o.Schedules()
	if len(args) > 0 {
		ids = args
	}
	found := []duty{}
	for _, id := range ids {
		s, err := o.Schedule(id)
		if err != nil {
			return err
		}
		for _, f := range find(s) {
			found = append(found, newDuty(o, s, f))
		}
	}
	return a.answer(found, func(w io.Writer) {
		if len(found) == 0 {
			a.note("%s", none)
			return
		}
		a.page(w, o.Languages[0], "").duties(found)
	})
}

func newDuty(o *org.Organisation, s *oncall.Schedule, f oncall.Shift) duty {
	d := duty{Schedule: s.ID, Name: s.Name, Zone: s.Zone.String(), From: inZone(f.From, s.Zone), To: inZone(f.To, s.Zone), People: []somebody{}}
	for _, id := range f.People {
		p, _ := o.Person(id)
		d.People = append(d.People, somebody{id, p.Name})
	}
	return d
}

// inZone shows an instant in a zone; none stays none.
func inZone(at time.Time, zone *time.Location) time.Time {
	if at.IsZero() {
		return at
	}
	return at.In(zone)
}

// duties shows one row for each shift or gap, in the zone of its schedule.
func (p page) duties(all []duty) {
	rows := [][]string{p.head(p.say.roster, p.say.onCall, p.say.begins, p.say.ends, p.say.lasts, p.say.named)}
	for _, d := range all {
		p.zone = d.Zone
		var names []string
		for _, s := range d.People {
			names = append(names, printable(s.Name)+" ("+printable(s.ID)+")")
		}
		lasts := ""
		if !d.From.IsZero() && !d.To.IsZero() {
			lasts = p.view.texts.Duration(d.To.Sub(d.From), p.language)
		}
		rows = append(rows, []string{
			printable(d.Schedule), cmp.Or(strings.Join(names, ", "), p.paint(red, p.say.nobody)), p.instant(d.From), p.instant(d.To), lasts,
			printable(d.Name),
		})
	}
	p.rows(p.w, rows, text.WrapSoft)
}
