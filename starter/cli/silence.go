package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/silence"
	"muster/starter/api"
)

const aSilence = "SIL-7K3M9QX2PA" // in examples

func (a *app) silence() *cobra.Command {
	group := &cobra.Command{
		Use: "silence COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Hold alerts back for a time in which nobody has to be paged",
		Long: `Hold alerts back for a time in which nobody has to be paged: while a disk is replaced, or while a test makes noise. They open no
incident. When the time is over, what still fires opens its incidents, and you are told what was held back. What has resolved
meanwhile pages nobody. Alerts whose incident is open already are never held back, and neither are those of restricted incidents.
Times that come again and again belong into silences.yaml of the organisation folder.

` + finding,
		Example: "  muster silence create --service checkout --for 2h \"The disk is replaced\"\n  muster silence list\n  muster silence end " + aSilence,
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.createSilence(), a.listSilences(), a.showSilence(), a.endSilence())
	return group
}

// silenceLabels are the words of one language that stand beside a silence.
type silenceLabels struct {
	id, what, alerts, when, from, until, by, folder, reason, held, heldOf, stillFires, nothing, more, name, count, first, last, firing, incidents, ended, endedBy, said, told string
}

func silenceLabelsIn(language string) silenceLabels {
	if language == "ko" {
		return silenceLabels{
			id: "경보 보류", what: "내용", alerts: "경보", when: "조건", from: "시작", until: "끝", by: "만든 사람", folder: "조직 폴더(%s)", reason: "사유", held: "보류",
			heldOf: "%d건", stillFires: "%d건, 미해소 %d건", nothing: "없음", more: "그 밖의 이름으로 %d건", name: "이름", count: "횟수", first: "처음", last: "마지막", firing: "미해소", incidents: "인시던트",
			ended: "종료 시각", endedBy: "끝낸 사람", said: "끝낸 사유", told: "끝난 뒤 알림",
		}
	}
	return silenceLabels{
		id: "Silence", what: "What", alerts: "Alerts", when: "When", from: "From", until: "Until", by: "Made by", folder: "organisation folder (%s)", reason: "Reason", held: "Held back",
		heldOf: "%d", stillFires: "%d, %d not resolved", nothing: "nothing", more: "%d more, of further names", name: "Name", count: "Times", first: "First", last: "Last", firing: "Firing", incidents: "Incidents",
		ended: "Ended", endedBy: "Ended by", said: "Because", told: "Told afterwards",
	}
}

func (a *app) createSilence() *cobra.Command {
	var (
		asked            api.NewSilence
		from, until, key string
		match            []string
		lasts            time.Duration
	)
	cmd := &cobra.Command{
		Use: "create REASON...", Short: "Hold alerts back",
		Long: `Hold the alerts of services, or with labels, back. They have to have all of the labels; of one that is given more than once, any of
the values. It ends at --until, or --for so long after it has begun, within 30 days. A partner names services of its own.

` + times,
		Example: "  muster silence create --service checkout --for 2h \"The disk is replaced\"\n" +
			"  muster silence create --match host=web-3 --for 2d \"It is being rebuilt\"\n" +
			"  muster silence create --match env=staging,job=load --from \"2026-11-30 22:00\" --until \"2026-12-01 04:00\" \"Load test\"",
		Args: func(_ *cobra.Command, args []string) error {
			asked.Labels = labelsGiven(match)
			switch {
			case len(asked.Services)+len(asked.Labels) == 0:
				return misused("--service, --match: missing; want one at least, so that not every alert is held back")
			case until != "" && lasts != 0:
				return misused("--until and --for: want one of them")
			case until == "" && lasts == 0:
				return misused("--until, --for: missing; want when the silence ends")
			case lasts < 0 || lasts > silence.Most:
				return misused("--for %s: want a time up to %dd", lasts, silence.Most/(24*time.Hour))
			}
			return wants("REASON...")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			if asked.Reason, err = a.text(args); err != nil {
				return err
			}
			if from != "" {
				if asked.From, err = a.clockTime("--from", from); err != nil {
					return err
				}
			}
			if until != "" {
				asked.Until, err = a.clockTime("--until", until)
			} else {
				asked.Until = cmp.Or(asked.From, a.env.Now()).Add(lasts)
			}
			if err != nil {
				return err
			}
			var s silence.Silence
			err = a.once(key, func(key string) (err error) {
				s, err = c.MakeSilence(ctx, asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(s, func(w io.Writer) { a.sheetIn(w, s.Zone).silence(&s) })
		}),
	}
	f := cmd.Flags()
	f.StringSliceVar(&asked.Services, "service", nil, "`ID` of a service; any when left out")
	f.StringSliceVar(&asked.Sources, "source", nil, "`ID` of an alert source; any when left out")
	f.StringArrayVar(&match, "match", nil, "`LABEL=VALUE` that alerts have to have, and more of them after commas")
	f.StringVar(&from, "from", "", "`TIME` at which it begins; default: now")
	f.StringVar(&until, "until", "", "`TIME` at which it ends")
	lengthVar(cmd, &lasts, "for", 0, "how long it lasts, as a `DURATION`")
	keyFlag(cmd, &key)
	return cmd
}

// labelsGiven divides what is given of labels at commas, but for those that stand within a value.
func labelsGiven(given []string) (all []string) {
	for _, g := range given {
		for n, part := range strings.Split(g, ",") {
			if n > 0 && !strings.Contains(part, "=") {
				all[len(all)-1] += "," + part
			} else {
				all = append(all, part)
			}
		}
	}
	return all
}

func (a *app) listSilences() *cobra.Command {
	var (
		f      api.SilenceFilter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List silences, the newest first",
		Long: `List silences that have not ended, the newest first: those that people have made, and those of the organisation folder that hold
now, or next within a week. With --all or --status the others too, and what they have held back.`,
		Example: "  muster silence list\n  muster silence list --status holding\n  muster silence list --all -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(silence.Statuses(), silence.Status(status)) {
				return misused("--status %q: want %s", status, joined(silence.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = silence.Status(status), !all && status == ""
			page, err := c.Silences(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Silences)+len(page.Folder) == 0 {
					a.none("no silences", "경보 보류가 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).silenceRows(page.Silences, page.Folder)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(silence.Statuses()))
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(silence.Statuses()))
	return cmd
}

// silenceRows shows one row for each silence. What has begun goes by its id, and what stands in the folder alone by its name there.
func (p page) silenceRows(begun, folder []api.SilenceSummary) {
	say := silenceLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, say.from, say.until, say.held, say.alerts, say.what)}
	for n, r := range slices.Concat(begun, folder) {
		id, held := string(r.ID), ""
		if n >= len(begun) {
			id = r.Window
		}
		switch {
		case r.Count == nil:
		case *r.Count == 0:
			held = say.nothing
		case r.Firing != nil && *r.Firing > 0:
			held = fmt.Sprintf(say.stillFires, *r.Count, *r.Firing)
		default:
			held = fmt.Sprintf(say.heldOf, *r.Count)
		}
		rows = append(rows, []string{
			printable(id), p.silenceStatus(r.Status), p.instant(r.From), p.instant(r.Until), held, printable(r.Match.String()), printable(r.Title),
		})
	}
	p.rows(p.w, rows, cut)
}

func (p page) silenceStatus(s silence.Status) string {
	shade := map[silence.Status]colour{silence.Waiting: dim, silence.Holding: yellow, silence.Ended: dim}
	return p.paint(shade[s], printable(p.view.texts.SilenceStatus(s, p.language)))
}

func (a *app) showSilence() *cobra.Command {
	return &cobra.Command{
		Use: "show SILENCE", Short: "Show a silence on one screen",
		Long:    "Show which alerts a silence holds back, until when, what it has held back so far, and what has become of that.",
		Example: "  muster silence show " + aSilence + "\n  muster silence show " + aSilence + " --lang ko",
		Args:    wants("SILENCE"), ValidArgsFunction: a.completeSilences(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			s, err := c.Silence(ctx, silenceID(args))
			if err != nil {
				return err
			}
			return a.answer(s, func(w io.Writer) { a.sheetIn(w, s.Zone).silence(&s) })
		}),
	}
}

// silence shows one silence on one screen.
func (s sheet) silence(x *silence.Silence) {
	say := silenceLabelsIn(s.language)
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s", x.ID, x.Title()))))
	status := s.silenceStatus(x.Status)
	if x.Why != "" {
		status += " (" + printable(s.view.texts.SilenceEnd(x.Why, s.language)) + ")"
	}
	fmt.Fprintf(s.w, "%s: %s\n\n", s.say.status, status)
	f := facts{page: s.page}
	f.add(say.alerts, printable(x.Match.String()))
	f.add(say.when, printable(x.When))
	f.add(say.from, s.instant(x.From))
	until := s.instant(x.Until)
	if !x.Over() {
		until = s.dueSoon(x.Until)
	}
	f.add(say.until, until)
	by := printable(x.By.Shown())
	if x.Window != "" {
		by = printable(fmt.Sprintf(say.folder, x.Window))
	}
	f.add(say.by, by)
	f.add(say.reason, paragraphs(x.Reason)...)
	var told []string
	for _, t := range x.Tell {
		told = append(told, t.String())
	}
	f.add(say.told, printable(strings.Join(told, ", ")))
	f.add(say.ended, s.at(x.Ended))
	f.add(say.endedBy, printable(x.EndedBy.Shown()))
	f.add(say.said, paragraphs(x.Words)...)
	if len(x.Held) == 0 {
		f.add(say.held, say.nothing)
	}
	s.rows(s.w, f.rows, text.WrapSoft)
	s.heldBack(x, say)
	s.history(x.Timeline)
}

// heldBack shows what a silence has held back.
func (s sheet) heldBack(x *silence.Silence, say silenceLabels) {
	if len(x.Held) == 0 {
		return
	}
	s.heading(say.held)
	rows := [][]string{s.head(say.name, s.say.service, say.count, say.first, say.last, say.firing, say.incidents)}
	for _, h := range x.Held {
		incidents := make([]string, len(h.Incidents))
		for n, id := range h.Incidents {
			incidents[n] = string(id)
		}
		rows = append(rows, []string{
			printable(h.Name), printable(cmp.Or(h.ServiceName, h.Service)), fmt.Sprint(h.Count), s.instant(h.First), s.instant(h.Last), fmt.Sprint(h.Firing),
			printable(strings.Join(incidents, ", ")),
		})
	}
	s.rows(s.w, rows, cut)
	if x.More > 0 {
		fmt.Fprintf(s.w, say.more+"\n", x.More)
	}
}

func (a *app) endSilence() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "end SILENCE [REASON...]", Short: "End a silence before its time",
		Long:    "End a silence before its time. What still fires opens its incidents at once; you and whoever has made it are told what was held back.",
		Example: "  muster silence end " + aSilence + " \"the disk is in\"",
		Args:    wants("SILENCE", "[REASON...]"), ValidArgsFunction: a.completeSilences(),
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
		var end silence.End
		if len(args) > 1 {
			if end.Reason, err = a.text(args[1:]); err != nil {
				return err
			}
		}
		var r api.SilenceReceipt
		err = a.once(key, func(key string) (err error) {
			r, err = c.EndSilence(ctx, silenceID(args), end, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), a.page(w, "", "").silenceStatus(r.Status))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// silenceID is the silence that is meant.
// silenceID is an id, or the name that one has in silences.yaml.
func silenceID(args []string) silence.ID {
	if id := silence.ID(strings.ToUpper(args[0])); id.Valid() {
		return id
	}
	return silence.ID(args[0])
}

// completeSilences completes the identity of a silence that has not ended.
func (a *app) completeSilences() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.Silences(ctx, api.SilenceFilter{Open: true, Limit: api.MaxRows})
		for _, r := range page.Silences {
			found = append(found, described(string(r.ID), fmt.Sprintf("%s: %s", r.Status, r.Title)))
		}
		return found, err
	})
}
