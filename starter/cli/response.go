package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/response"
	"muster/starter/api"
)

func (a *app) response() *cobra.Command {
	group := &cobra.Command{
		Use: "response COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See and stop what Muster does about incidents by itself",
		Long: `See and stop what Muster does about incidents by itself: the automatic responses of automatic-responses.yaml in the organisation folder.
Which alerts have one, their route says. One that has failed too often switches itself off; anybody may switch one off.`,
		Example: "  muster response list\n  muster response off restart-checkout \"It takes both servers down\"\n  muster response on restart-checkout \"The runbook is mended\"",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.listResponses(), a.showResponse(), a.switchResponse(true), a.switchResponse(false))
	return group
}

// responseLabels are the words of one language that stand beside an automatic response.
type responseLabels struct {
	id, name, state, on, off, running, ended, gone, failed, last, runbook, enrich, asks, approved, until, since, rate, threshold, runs, incident, service, began, outcome, why, by string
}

func responseLabelsIn(language string) responseLabels {
	if language == "ko" {
		return responseLabels{
			id: "자동 대응", name: "이름", state: "상태", on: "켜짐", off: "꺼짐", running: "실행 중", ended: "사전 승인 만료", gone: "조직 폴더에 없음", failed: "연속 실패", last: "최근 실행", runbook: "런북", enrich: "정보 수집", asks: "실행할 때마다 요청",
			approved: "승인", until: "%s 사전 승인, %s 전까지", since: "끈 시각", rate: "서비스별 시간당 한도", threshold: "연속 실패 한도", runs: "실행 이력", incident: "인시던트", service: "서비스", began: "시작", outcome: "결과", why: "사유", by: "변경한 사람",
		}
	}
	return responseLabels{
		id: "Response", name: "Name", state: "State", on: "on", off: "off", running: "running", ended: "pre-approval ended", gone: "not in the organisation folder", failed: "Failed in a row", last: "Last run", runbook: "Runbook", enrich: "Finds out by", asks: "asked for before it acts",
		approved: "Approval", until: "%s, beforehand, until %s", since: "Switched off", rate: "Runs an hour for a service", threshold: "Off after failures in a row", runs: "Runs", incident: "Incident", service: "Service", began: "Began", outcome: "Outcome", why: "Why", by: "By",
	}
}

func (a *app) listResponses() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the automatic responses of the organisation folder",
		Long:    "List the automatic responses of the organisation folder: whether each is on, how often it has failed in a row, and how it ran last.",
		Example: "  muster response list\n  muster response list -o json", Args: wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			list, err := c.Responses(ctx)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				if len(list.Responses) == 0 {
					a.none("no automatic responses", "자동 대응이 없습니다")
					return
				}
				a.page(w, list.Language, list.Zone).responseRows(list.Responses)
			})
		}),
	}
}

// responseRows shows one row for each response.
func (p page) responseRows(all []api.ResponseRow) {
	say := responseLabelsIn(p.language)
	rows := [][]string{p.head(say.id, say.state, say.failed, say.last, say.runbook, say.name)}
	for _, r := range all {
		last, runbook, failed := "", r.Runbook, ""
		if r.Failures > 0 {
			failed = fmt.Sprintf("%d/%d", r.Failed, r.Failures)
		}
		if r.Last != nil {
			last = p.instant(r.Last.At) + " " + p.ranAs(r.Last.Outcome)
		}
		if runbook == "" {
			runbook = say.enrich + " " + r.Enrich
		}
		rows = append(rows, []string{printable(r.ID), p.responseState(&r), failed, last, printable(runbook), printable(r.Name)})
	}
	p.rows(p.w, rows, cut)
}

// responseState says whether it is on, in red where it does not run.
func (p page) responseState(r *api.ResponseRow) string {
	say := responseLabelsIn(p.language)
	switch {
	case r.Detail != "":
		return printable(r.Detail)
	case r.Gone:
		return p.paint(dim, say.gone)
	case r.Off != nil && len(r.Running) > 0:
		return p.paint(red, say.off+", "+say.running+" "+printable(strings.Join(r.Running, ", ")))
	case r.Off != nil:
		return p.paint(red, say.off)
	case !r.Until.IsZero() && !p.env.Now().Before(r.Until):
		return p.paint(red, say.ended)
	case len(r.Running) > 0:
		return p.paint(yellow, say.running+" "+printable(strings.Join(r.Running, ", ")))
	}
	return p.paint(green, say.on)
}

// ranAs is what has come of a run; of one that goes on nothing yet.
func (p page) ranAs(o response.Outcome) string {
	if o == "" {
		return responseLabelsIn(p.language).running
	}
	shade := map[response.Outcome]colour{response.Worked: green, response.Failed: red, response.Unknown: red, response.Stopped: yellow, response.Unneeded: dim, response.Unapproved: dim, response.Overtaken: dim}
	return p.paint(shade[o], printable(p.word("response", string(o))))
}

func (a *app) showResponse() *cobra.Command {
	return &cobra.Command{
		Use: "show RESPONSE", Short: "Show an automatic response on one screen",
		Long:    "Show whether an automatic response is on, who answers for it, its bounds, and its newest runs.",
		Example: "  muster response show restart-checkout\n  muster response show restart-checkout --lang ko", Args: wants("RESPONSE"), ValidArgsFunction: a.completeResponses(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.Response(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) {
				p := a.page(w, r.Language, r.Zone)
				sheet{p, sheetLabelsIn(p.language)}.response(&r)
			})
		}),
	}
}

// response shows one response on one screen.
func (s sheet) response(r *api.ResponseShown) {
	say := responseLabelsIn(s.language)
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s", r.ID, r.Name))))
	fmt.Fprintf(s.w, "%s: %s\n\n", say.state, s.responseState(&r.ResponseRow))
	f := facts{page: s.page}
	if r.Off != nil {
		f.add(say.since, s.instant(r.Off.At)+" "+printable(r.Off.By.Shown()))
		f.add(say.why, printable(r.Off.Reason))
	}
	f.add(say.enrich, printable(r.Enrich))
	f.add(say.runbook, printable(r.Runbook))
	switch {
	case r.Asks:
		f.add(say.approved, say.asks)
	case r.Approved != "":
		f.add(say.approved, fmt.Sprintf(say.until, printable(r.Approved), s.instant(r.Until)))
	}
	if r.PerHour > 0 {
		f.add(say.rate, strconv.Itoa(r.PerHour))
	}
	if r.Failures > 0 {
		f.add(say.threshold, fmt.Sprintf("%d (%s: %d)", r.Failures, say.failed, r.Failed))
	}
	s.rows(s.w, f.rows, text.WrapSoft)
	if len(r.Runs) > 0 {
		s.heading(say.runs)
		rows := [][]string{s.head(say.began, say.outcome, say.incident, say.service)}
		for n := len(r.Runs) - 1; n >= 0; n-- {
			x := r.Runs[n]
			rows = append(rows, []string{s.instant(x.At), s.ranAs(x.Outcome), printable(x.Incident), printable(x.Service)})
		}
		s.rows(s.w, rows, cut)
	}
	s.history(r.Timeline)
}

func (a *app) switchResponse(off bool) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "on RESPONSE REASON...", Short: "Let an automatic response run again",
		Long:    "Let an automatic response run again. The failures until then count no more.",
		Example: "  muster response on restart-checkout \"The runbook is mended\"",
	}
	if off {
		cmd.Use, cmd.Aliases, cmd.Short = "off RESPONSE REASON...", []string{"stop"}, "Keep an automatic response from running, and stop it where it does"
		cmd.Long = "Keep an automatic response from running until somebody switches it on. Where it is running, no further step begins, and people are paged."
		cmd.Example = "  muster response off restart-checkout \"It takes both servers down\""
	}
	cmd.Args, cmd.ValidArgsFunction = wants("RESPONSE", "REASON..."), a.completeResponses()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		reason, err := a.text(args[1:])
		if err != nil {
			return err
		}
		var r api.ResponseReceipt
		if err := a.once(key, func(key string) (err error) {
			if off {
				r, err = c.SwitchResponseOff(ctx, args[0], response.SwitchOff{Reason: reason}, key)
			} else {
				r, err = c.SwitchResponseOn(ctx, args[0], response.SwitchOn{Reason: reason}, key)
			}
			return err
		}); err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", "")
			say := responseLabelsIn(p.language)
			state := p.paint(green, say.on)
			if r.Off {
				state = p.paint(red, say.off)
			}
			fmt.Fprintf(w, "%s: %s\n", printable(r.ID), state)
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// response are the lines on what Muster has done about an incident by itself.
func (f *facts) response(i *incident.Incident) {
	t := i.Tried()
	if t == nil {
		return
	}
	lines := []string{strings.Join(filledIn(printable(t.Name), f.word("response", string(t.State)), f.word("response-why", t.Why), printable(t.Stopped), printable(t.Detail)), ", ")}
	add := func(text, state, detail string) {
		lines = append(lines, strings.Join(filledIn(printable(text), f.word("step", state), printable(detail)), ", "))
	}
	for _, x := range t.Found {
		add(x.Text, string(x.State), strings.Join(filledIn(x.Detail, x.Output), ": "))
	}
	for _, x := range t.Steps {
		add(fmt.Sprintf("%s %d: %s", t.Runbook, x.Number, x.Text), string(x.Status), x.Detail)
	}
	if t.SHA256 != "" {
		lines = append(lines, "SHA-256 "+printable(t.SHA256))
	}
	f.add(f.say.responded, lines...)
}

// completeResponses completes the ID of an automatic response.
func (a *app) completeResponses() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		list, err := c.Responses(ctx)
		for _, r := range list.Responses {
			found = append(found, described(r.ID, r.Name))
		}
		return found, err
	})
}

func (a *app) approveResponse() deed {
	return deed{
		use: "approve-response INCIDENT SHA256", short: "Let Muster act by itself, as it has shown",
		long: "Let an automatic response act that waits for an approval. The SHA-256 is that of the steps and values that you have read in\n" +
			"muster incident show, all 64 characters of it.",
		example: "approve-response " + anID + " " + aSHA256,
		command: func(args []string) (incident.Command, error) { return incident.ApproveResponse{SHA256: args[0]}, nil },
	}
}

func (a *app) stopResponse() deed {
	return deed{
		use: "stop-response INCIDENT REASON...", short: "Stop what Muster does by itself",
		long:    "Stop the automatic response in an incident: no further step begins, and people are paged. A step that a worker has begun goes to its end.",
		example: "stop-response " + anID + ` "the wrong server"`,
		command: a.saying(func(s string) incident.Command { return incident.StopResponse{Reason: s} }),
	}
}
