package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/org"
)

// coverageAsked is what explain coverage was asked for.
type coverageAsked struct {
	service, at string
	days        int
}

// proof is what explain coverage has found.
type proof struct {
	From  time.Time  `json:"from"`
	To    time.Time  `json:"to"`
	Holes []org.Hole `json:"holes"`
}

func (a *app) explainCoverage() *cobra.Command {
	var x coverageAsked
	cmd := a.explains(&cobra.Command{
		Use:   "coverage",
		Short: "Prove that at every minute somebody answers, or print the holes",
		Long: `Prove for each service and priority that at every minute of the next days somebody of the escalation policy's steps can
answer: is on call, neither away nor in quiet hours, and has a contact method for the priority. What cannot be proved is
printed, and the command ends in 1: the times in which only the last resort would answer, and those in which nobody would.`,
		Example: "  muster explain coverage --org ./org\n  muster explain coverage --org ./org --service garam-shop --days 90",
		Args: func(_ *cobra.Command, args []string) error {
			const most = 366
			if err := wants()(nil, args); err != nil {
				return err
			}
			if x.days < 1 || x.days > most {
				return misused("--days %d: want 1 to %d", x.days, most)
			}
			_, err := instant(x.at, time.Time{}, time.UTC)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, _ []string) error { return a.proveCoverage(o, x) })
	f := cmd.Flags()
	f.StringVar(&x.service, "service", "", "only this service, by `ID`; default: all")
	f.StringVar(&x.at, "at", "", "from this `TIME` on; default: now")
	f.IntVar(&x.days, "days", 30, "for this `NUMBER` of days, at most 366")
	return cmd
}

func (a *app) proveCoverage(o *org.Organisation, x coverageAsked) error {
	from, err := instant(x.at, a.env.Now(), o.Zone)
	if err != nil {
		return err
	}
	from = from.In(o.Zone)
	p := proof{From: from, To: from.AddDate(0, 0, x.days), Holes: []org.Hole{}}
	found, err := o.Holes(x.service, p.From, p.To)
	if err != nil {
		return err
	}
	for _, h := range found {
		h.From, h.To = h.From.In(o.Zone), h.To.In(o.Zone)
		p.Holes = append(p.Holes, h)
	}
	if err := a.answer(p, func(w io.Writer) { a.sheet(w, o).coverage(p) }); err != nil {
		return err
	}
	if n := len(p.Holes); n > 0 {
		return fmt.Errorf("coverage from %s to %s: %s", p.From.Format(time.RFC3339), p.To.Format(time.RFC3339), counted(n, "hole"))
	}
	return nil
}

// coverage shows the holes, or that there are none.
func (s sheet) coverage(p proof) {
	say := coverageLabelsIn(s.language)
	if len(p.Holes) == 0 {
		fmt.Fprintln(s.w, s.paint(green, fmt.Sprintf(say.proved, s.instant(p.From), s.instant(p.To))))
		return
	}
	rows := [][]string{s.head(s.say.service, s.say.priority, s.say.begins, s.say.ends, s.say.lasts, say.answers)}
	for _, h := range p.Holes {
		who := s.paint(red, s.say.nobody)
		if h.LastResort {
			who = s.paint(yellow, say.lastResort)
		}
		rows = append(rows, []string{
			printable(h.Service), s.pressing(h.Priority), s.instant(h.From), s.instant(h.To),
			s.view.texts.Duration(h.To.Sub(h.From), s.language), who,
		})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// coverageLabels are the words of one language for who answers.
type coverageLabels struct{ proved, answers, lastResort string }

func coverageLabelsIn(language string) coverageLabels {
	if language == "ko" {
		return coverageLabels{proved: "%s부터 %s까지 모든 서비스와 우선순위에서 언제나 응답할 사람이 있음", answers: "응답", lastResort: "최종 대상만"}
	}
	return coverageLabels{
		proved: "From %s to %s somebody answers at every minute, for every service and priority", answers: "Answers", lastResort: "only the last resort",
	}
}
