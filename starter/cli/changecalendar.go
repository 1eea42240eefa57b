package cli

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/org"
	"muster/internal/routine"
	"muster/starter/api"
)

// calendarLabels are the words of one language that stand beside what is planned.
type calendarLabels struct {
	name, kind, id, from, until, what, of, meets, anyTime, open string
	kinds                                                       map[changecalendar.Kind]string
}

func calendarLabelsIn(language string) calendarLabels {
	if language == "ko" {
		return calendarLabels{
			name: "변경 일정표", kind: "구분", id: "번호", from: "시작", until: "끝", what: "내용", of: "대상", meets: "겹치는 일정", anyTime: "가능할 때", open: "미정",
			kinds: map[changecalendar.Kind]string{
				changecalendar.Change: "변경", changecalendar.Plan: "계획", changecalendar.Provider: "공급자 예고", changecalendar.Routine: "정기 업무", changecalendar.Freeze: "변경 동결",
			},
		}
	}
	return calendarLabels{
		name: "Change calendar", kind: "Kind", id: "ID", from: "From", until: "Until", what: "What", of: "Of", meets: "Meets", anyTime: "when it may", open: "open",
		kinds: map[changecalendar.Kind]string{
			changecalendar.Change: "change", changecalendar.Plan: "plan", changecalendar.Provider: "provider", changecalendar.Routine: "routine", changecalendar.Freeze: "freeze",
		},
	}
}

func (a *app) changeCalendar() *cobra.Command {
	const usual, most = 90, 366
	var (
		asked      api.CalendarQuery
		from, file string
		days       int
		meeting    bool
	)
	cmd := &cobra.Command{
		Use: "calendar", Short: "Show what is planned, and what meets",
		Long: `Show what is planned in the next days in the order in which it begins: changes that were asked for, the dates that plans were given, what
providers have announced, work that comes back, and the freezes. Beside each stands what meets it: two changes of one environment at
the same time, or of one service where no environment is named, and a change in a freeze. --search finds a word in any of it.

` + times,
		Example: "  muster change calendar\n  muster change calendar --customer garam --days 30\n  muster change calendar --meeting --search erp\n  muster change calendar --ics changes.ics",
		Args: func(_ *cobra.Command, args []string) error {
			if asked.Kind != "" && !slices.Contains(changecalendar.Kinds(), asked.Kind) {
				return misused("--kind %q: want %s", asked.Kind, joined(changecalendar.Kinds()))
			}
			if days < 1 || days > most {
				return misused("--days %d: want 1 to %d", days, most)
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) (err error) {
			asked.From = a.env.Now()
			if from != "" {
				if asked.From, err = a.clockTime("--from", from); err != nil {
					return err
				}
			}
			asked.Until = asked.From.AddDate(0, 0, days)
			all, err := c.ChangeCalendar(ctx, asked)
			if err != nil {
				return err
			}
			if meeting {
				all.Entries = slices.DeleteFunc(all.Entries, func(e changecalendar.Entry) bool { return len(e.Meets) == 0 })
			}
			if file != "" {
				return a.saveCalendar(file, all)
			}
			return a.answer(all, func(w io.Writer) {
				if len(all.Entries) == 0 {
					a.none("nothing is planned", "예정된 일정이 없습니다")
					return
				}
				a.page(w, all.Language, all.Zone).calendarRows(all.Entries)
				if all.More {
					a.none("more changes or plans are open than are looked at: the newest ones stand here", "진행 중인 변경이나 계획이 살펴보는 수보다 많아 최근 것만 표시합니다")
				}
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar((*string)(&asked.Kind), "kind", "", "only what is of this `KIND`: "+joined(changecalendar.Kinds()))
	f.StringVar(&asked.Customer, "customer", "", "only what concerns the customer with this `ID`")
	f.StringVar(&asked.Service, "service", "", "only what concerns the service with this `ID`")
	f.StringVar(&asked.Text, "search", "", "only what has this `TEXT` in it")
	f.BoolVar(&meeting, "meeting", false, "only what meets something else")
	f.StringVar(&from, "from", "", "`TIME` from which on; default: now")
	f.IntVar(&days, "days", usual, "this `NUMBER` of days, at most 366")
	f.StringVar(&file, "ics", "", "write it as an iCalendar `FILE`")
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(changecalendar.Kinds()))
	return cmd
}

func (a *app) saveCalendar(file string, all api.ChangeCalendar) error {
	zone, err := time.LoadLocation(all.Zone)
	if err != nil {
		zone = time.UTC
	}
	say := calendarLabelsIn(cmp.Or(a.language(), all.Language))
	content, err := org.ChangesICS(say.name, zone, a.env.Now(), all.Entries, func(e *changecalendar.Entry) string { return say.kinds[e.Kind] + ": " + titleOf(e) })
	if err != nil {
		return err
	}
	return a.save(file, content)
}

// titleOf is the title of an entry, with the date of a plan that it is.
func titleOf(e *changecalendar.Entry) string {
	if e.Date != "" {
		return e.Title + " (" + e.Date + ")"
	}
	return e.Title
}

// calendarRows shows one row for each entry.
func (p page) calendarRows(all []changecalendar.Entry) {
	say := calendarLabelsIn(p.language)
	rows := [][]string{p.head(say.from, say.until, say.kind, say.id, p.say.status, say.of, say.what, say.meets)}
	for n := range all {
		e := &all[n]
		from, until := say.anyTime, say.open
		if !e.From.IsZero() {
			from = p.instant(e.From)
		}
		switch {
		case e.Until.Equal(e.From) && !e.From.IsZero():
			until = ""
		case !e.Until.IsZero():
			until = p.instant(e.Until)
		}
		var meets []string
		for _, m := range e.Meets {
			meets = append(meets, say.kinds[m.Kind]+" "+m.ID)
		}
		about := e.Environments
		if len(about) == 0 {
			about = slices.Concat(e.Customers, e.Services)
		}
		rows = append(rows, []string{
			from, until, say.kinds[e.Kind], printable(e.ID), printable(p.calendarStatus(e)), printable(strings.Join(about, ", ")), printable(titleOf(e)),
			p.paint(yellow, printable(strings.Join(meets, ", "))),
		})
	}
	p.rows(p.w, rows, cut)
}

// calendarStatus is where an entry stands, in the words of its kind. Why there is a freeze stands there, too.
func (p page) calendarStatus(e *changecalendar.Entry) string {
	switch e.Kind {
	case changecalendar.Change:
		return p.view.texts.ChangeStatus(change.Status(e.Status), p.language)
	case changecalendar.Plan, changecalendar.Provider:
		return p.word("run", e.Status)
	case changecalendar.Routine:
		return p.view.texts.RoutineFate(routine.Fate(e.Status), p.language)
	case changecalendar.Freeze:
	}
	return e.Status
}
