package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/approval"
	"muster/internal/planrun"
	"muster/starter/api"
)

// A planDeed is a command that asks something of a run.
type planDeed struct {
	use                  string // its name and its arguments, the first of which is the run
	group                string
	short, long, example string
	next                 []func(*planrun.Run) []string // what may follow the run
	flags                func(cmd *cobra.Command)
	ask                  func(args []string) (api.PlanAsk, error) // args without the run
}

// planDeed makes the command of a deed.
func (a *app) planDeed(d planDeed) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: d.use, GroupID: d.group, Short: d.short, Long: cmp.Or(d.long, d.short+"."),
		Example: "  muster upgrade " + strings.ReplaceAll(d.example, "\n", "\n  muster upgrade "),
		Args:    wants(strings.Fields(d.use)[1:]...), ValidArgsFunction: a.completeRuns(d.next...),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			asked, err := d.ask(args[1:])
			if err != nil {
				return err
			}
			return a.askPlanRun(ctx, c, runID(args), asked, key)
		}),
	}
	keyFlag(cmd, &key)
	if d.flags != nil {
		d.flags(cmd)
	}
	return cmd
}

func (a *app) askPlanRun(ctx context.Context, c *api.Client, id planrun.ID, asked api.PlanAsk, key string) error {
	var r api.PlanRunReceipt
	err := a.once(key, func(key string) (err error) {
		r, err = c.AskPlanRun(ctx, id, asked, key)
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(r, func(w io.Writer) { a.page(w, "", "").planReceipt(r) })
}

const fromStdin = " \"-\" reads it from the standard input."

// planDeeds are the commands that ask something of a run.
func (a *app) planDeeds() []planDeed {
	return slices.Concat(a.leads(), a.changes(), a.works(), a.evidences(), a.settles(), a.decides())
}

// says makes a deed whose last arguments are a text.
func (a *app) says(body func(args []string, text string) api.PlanAsk, before int) func([]string) (api.PlanAsk, error) {
	return func(args []string) (api.PlanAsk, error) {
		text, err := a.text(args[before:])
		if err != nil {
			return nil, err
		}
		return body(args[:before], text), nil
	}
}

// choosing checks that an argument is one of those that there are.
func choosing[S ~string](name, given string, all ...S) (S, error) {
	if !slices.Contains(all, S(given)) {
		return "", misused("%s %q: want %s", name, given, joined(all))
	}
	return S(given), nil
}

// leads are the deeds of whoever leads the run.
func (a *app) leads() []planDeed {
	var note, task string
	return []planDeed{
		{
			use: "assign RUN TASK PERSON", group: "lead", short: "Ask a person to do a task",
			long:    "Ask a person to do a task, instead of whoever fills its roles. They are told.",
			example: "assign " + aRun + " rehearse kim --note \"the window is on Tuesday\"", next: []func(*planrun.Run) []string{taskIDs},
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&note, "note", "", "`TEXT`: what they should know")
			},
			ask: func(args []string) (api.PlanAsk, error) {
				return api.PlanAssign{Task: args[0], Person: args[1], Note: note}, nil
			},
		},
		{
			use: "halt RUN REASON...", group: "lead", short: "Let nothing new begin",
			long:    "Let nothing new begin, and tell everybody why. Anybody with a part in the plan may." + fromStdin,
			example: "halt " + aRun + " \"customers report errors\"",
			ask:     a.says(func(_ []string, text string) api.PlanAsk { return api.PlanHalt{Reason: text} }, 0),
		},
		{
			use: "continue RUN REASON...", group: "lead", short: "Go on after a halt or a rollback",
			long:    "Go on after a halt. After a rollback, what was rolled back is done anew, with the votes that let it begin." + fromStdin,
			example: "continue " + aRun + " \"it was the load balancer\"",
			ask:     a.says(func(_ []string, text string) api.PlanAsk { return api.PlanContinue{Reason: text} }, 0),
		},
		{
			use: "rollback RUN ENVIRONMENT REASON...", group: "lead", short: "Undo what was changed in an environment",
			long:    "Undo what was changed in an environment of the plan, the newest first. Nothing else begins until it is done." + fromStdin,
			example: "rollback " + aRun + " production \"the checkout is slow\"", next: []func(*planrun.Run) []string{environmentIDs},
			ask: a.says(func(args []string, text string) api.PlanAsk {
				return api.PlanRollBack{Environment: args[0], Reason: text}
			}, 1),
		},
		{
			use: "cancel RUN REASON...", group: "lead", short: "End a run",
			long:    "End a run. What was changed and stays is recorded." + fromStdin,
			example: "cancel " + aRun + " \"the customer has postponed it\"",
			ask:     a.says(func(_ []string, text string) api.PlanAsk { return api.PlanCancel{Reason: text} }, 0),
		},
		{
			use: "note RUN TEXT...", group: "act", short: "Write into the timeline of a run",
			long:    "Write into the timeline of a run. Other parties do not see it." + fromStdin,
			example: "note " + aRun + " \"the vendor is informed\" --task deploy",
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&task, "task", "", "`TASK` that it is about")
			},
			ask: a.says(func(_ []string, text string) api.PlanAsk { return api.PlanNote{Task: task, Text: text} }, 0),
		},
	}
}

// changes are the deeds that open what is closed: an environment, or the plan.
func (a *app) changes() []planDeed {
	var (
		freezeID, until string
		vars            []string
	)
	return []planDeed{
		{
			use: "override RUN ENVIRONMENT REASON...", group: "lead", short: "Ask to change an environment although it may not be",
			long: "Ask to change an environment of the plan until a time although a freeze holds, or no window is open. Another person\n" +
				"confirms it. " + times,
			example: "override " + aRun + " production \"a security fix\" --freeze year-end --until \"2026-12-20 06:00\"",
			next:    []func(*planrun.Run) []string{environmentIDs},
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&freezeID, "freeze", "", "`ID` of the freeze; default: outside every window")
				cmd.Flags().StringVar(&until, "until", "", "`TIME` at which it ends, within 7 days")
				_ = cmd.MarkFlagRequired("until")
			},
			ask: func(args []string) (api.PlanAsk, error) {
				at, err := a.clockTime("--until", until)
				if err != nil {
					return nil, err
				}
				text, err := a.text(args[1:])
				return api.PlanOverride{Environment: args[0], Freeze: freezeID, Reason: text, Until: at}, err
			},
		},
		{
			use: "replan RUN FILE REASON...", group: "lead", short: "Change the plan of a run",
			long: "Ask that the run goes on under another revision of its plan, on which those vote whom the plan names for that. What was done\n" +
				"stays done.",
			example: "replan " + aRun + " ./cms-upgrade.yaml \"one more host\" --param hosts=a,b,c",
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringArrayVar(&vars, "param", nil, "`NAME=VALUE` of a parameter that changes, once for each")
			},
			ask: func(args []string) (api.PlanAsk, error) {
				asked := api.PlanReplan{File: args[0]}
				var err error
				if asked.Parameters, err = given("--param", vars); err != nil {
					return nil, err
				}
				if asked.Content, err = planFile(args[0]); err != nil {
					return nil, err
				}
				asked.Reason, err = a.text(args[1:])
				return asked, err
			},
		},
	}
}

// works are the deeds of whoever does a task.
func (a *app) works() []planDeed {
	target, tasks := "", []func(*planrun.Run) []string{taskIDs}
	return []planDeed{
		{
			use: "begin RUN TASK", group: "act", short: "Begin a task", example: "begin " + aRun + " rehearse", next: tasks,
			ask: func(args []string) (api.PlanAsk, error) { return api.PlanBegin{Task: args[0]}, nil },
		},
		{
			use: "fail RUN TASK REASON...", group: "act", short: "Say that a task cannot be done",
			long:    "Say that a task cannot be done, or one target of it. Whoever answers for it says how it goes on." + fromStdin,
			example: "fail " + aRun + " deploy --target web-2 \"the disk is full\"", next: tasks,
			flags: func(cmd *cobra.Command) { targetFlag(cmd, &target) },
			ask: a.says(func(args []string, text string) api.PlanAsk {
				return api.PlanFail{Task: args[0], Target: target, Reason: text}
			}, 1),
		},
		{
			use: "check RUN TASK RESULT [NOTE...]", group: "act", short: "Say whether evidence shows that a task was done",
			long:    "Say whether the evidence shows that the task was done: accept, or return with a note. Whoever has worked on it may not.",
			example: "check " + aRun + " rehearse accept\ncheck " + aRun + " rehearse return \"the log ends at step 3\"",
			next:    append(slices.Clone(tasks), these("accept", "return")),
			ask: func(args []string) (api.PlanAsk, error) {
				result, err := choosing("RESULT", args[1], "accept", "return")
				if err != nil {
					return nil, err
				}
				note, err := a.optionalText(args[2:])
				return api.PlanCheck{Task: args[0], OK: result == "accept", Note: note}, err
			},
		},
		{
			use: "retry RUN TASK REASON...", group: "act", short: "Let a task that has failed be done anew",
			long: "Let a task that has failed be done anew." + fromStdin, example: "retry " + aRun + " deploy \"there is space now\"", next: tasks,
			ask: a.says(func(args []string, text string) api.PlanAsk { return api.PlanRetry{Task: args[0], Reason: text} }, 1),
		},
		{
			use: "step RUN TASK STEP [NOTE...]", group: "act", short: "Say that a step of a runbook is done",
			long:    "Say that the step of a runbook is done that waits for a person, also while it is rolled back.",
			example: "step " + aRun + " deploy 2 \"the page shows the new version\"", next: tasks,
			ask: func(args []string) (api.PlanAsk, error) {
				n, err := strconv.Atoi(args[1])
				if err != nil || n < 1 {
					return nil, misused("STEP %q: want the number of a step", args[1])
				}
				note, err := a.optionalText(args[2:])
				return api.PlanStep{Task: args[0], Step: n, Note: note}, err
			},
		},
	}
}

// evidences are the deeds that show that a task was done.
func (a *app) evidences() []planDeed {
	var (
		target   string
		evidence []string
	)
	tasks := []func(*planrun.Run) []string{taskIDs}
	evidenceFlag := func(cmd *cobra.Command) {
		cmd.Flags().StringArrayVar(&evidence, "evidence", nil, "`ITEM=REF[,SHA256]`, once for each: what shows it, and where that is")
	}
	const ofFile = "\nThe evidence stays where it is: a REF is a URL, or what names it where you keep it, with the SHA-256 of its bytes. Of a file on\n" +
		"this machine only its name and its SHA-256 are noted: Muster does not keep its bytes, so keep it where others find it."
	return []planDeed{
		{
			use: "complete RUN TASK [NOTE...]", group: "act", short: "Say that a task is done, with evidence",
			long:    "Say that a task is done, or one target of it, with the evidence that the plan wants." + ofFile,
			example: "complete " + aRun + " rehearse --evidence log=./rehearsal.log\ncomplete " + aRun + " deploy --target web-1", next: tasks,
			flags: func(cmd *cobra.Command) { targetFlag(cmd, &target); evidenceFlag(cmd) },
			ask: func(args []string) (api.PlanAsk, error) {
				given, err := evidenceOf(evidence)
				if err != nil {
					return nil, err
				}
				note, err := a.optionalText(args[1:])
				return api.PlanComplete{Task: args[0], Target: target, Evidence: given, Note: note}, err
			},
		},
		{
			use: "add-evidence RUN TASK", group: "act", short: "Show more of a task, or newer",
			long:    "Show more of a task, or newer. What is voted on with it is voted on anew." + ofFile,
			example: "add-evidence " + aRun + " rehearse --evidence log=./rehearsal-2.log", next: tasks, flags: evidenceFlag,
			ask: func(args []string) (api.PlanAsk, error) {
				given, err := evidenceOf(evidence)
				if err == nil && len(given) == 0 {
					err = misused("--evidence: missing")
				}
				return api.PlanAddEvidence{Task: args[0], Evidence: given}, err
			},
		},
	}
}

// settles are the deeds that say how it goes on where a task is not done.
func (a *app) settles() []planDeed {
	var control, until string
	tasks := []func(*planrun.Run) []string{taskIDs}
	return []planDeed{
		{
			use: "skip RUN TASK REASON...", group: "act", short: "Ask for a waiver of a task",
			long: "Ask that a task is not done for the time being. Somebody else grants it, and it ends: with --until, or when the plan says.\n" +
				"--control says what is done instead. " + times,
			example: "skip " + aRun + " load-test \"the tool is down\" --control \"we watch the load by hand\" --until \"2026-12-01 09:00\"", next: tasks,
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&control, "control", "", "`TEXT`: what is done instead")
				cmd.Flags().StringVar(&until, "until", "", "`TIME` at which it ends; default: as late as the plan lets it")
				_ = cmd.MarkFlagRequired("control")
			},
			ask: func(args []string) (api.PlanAsk, error) {
				var at time.Time
				if until != "" {
					var err error
					if at, err = a.clockTime("--until", until); err != nil {
						return nil, err
					}
				}
				text, err := a.text(args[1:])
				return api.PlanSkip{Task: args[0], Reason: text, Control: control, Until: at}, err
			},
		},
		{
			use: "settle RUN TASK OUTCOME REASON...", group: "act", short: "Say what has become of what nobody knows",
			long:    "Say what has become of what only a person can know: done, failed, or begun to try it again." + fromStdin,
			example: "settle " + aRun + " deploy done \"I have looked: version 6.5.22 answers\"",
			next:    append(slices.Clone(tasks), these(planrun.Done, planrun.Failed, planrun.Begun)),
			ask: func(args []string) (api.PlanAsk, error) {
				status, err := choosing("OUTCOME", args[1], planrun.Done, planrun.Failed, planrun.Begun)
				if err != nil {
					return nil, err
				}
				text, err := a.text(args[2:])
				return api.PlanSettle{Task: args[0], Status: status, Reason: text}, err
			},
		},
		{
			use: "settle-rollback RUN TASK STATE NOTE...", group: "act", short: "Say what has become of the rollback of a task",
			long: "Say what has become of the rollback of a task: done, failed, running to try it again, or fixed-forward where the plan lets it be\n" +
				"mended instead." + fromStdin,
			example: "settle-rollback " + aRun + " deploy done \"version 6.5.21 answers\"",
			next:    append(slices.Clone(tasks), these(planrun.Undone, planrun.UndoFail, planrun.UndoRunning, planrun.Forward)),
			ask: func(args []string) (api.PlanAsk, error) {
				state, err := choosing("STATE", args[1], planrun.Undone, planrun.UndoFail, planrun.UndoRunning, planrun.Forward)
				if err != nil {
					return nil, err
				}
				text, err := a.text(args[2:])
				return api.PlanSettleRollback{Task: args[0], State: state, Note: text}, err
			},
		},
	}
}

func targetFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "target", "", "`TARGET` of a task that is done on several")
}

// decides are the deeds of whoever decides, besides voting.
func (a *app) decides() []planDeed {
	until := ""
	verdict := func(args []string) (grant bool, note string, err error) {
		answer, err := choosing("ANSWER", args[0], "grant", "refuse")
		if err != nil {
			return false, "", err
		}
		note, err = a.optionalText(args[1:])
		return answer == "grant", note, err
	}
	answers := these("grant", "refuse")
	return []planDeed{
		{
			use: "waive RUN TASK ANSWER [NOTE...]", group: "decide", short: "Grant a waiver, or refuse it",
			long:    "Grant a waiver that somebody has asked for, or refuse it with a note. Whoever has asked for it may not.",
			example: "waive " + aRun + " load-test grant\nwaive " + aRun + " load-test refuse \"the launch is too big\"",
			next:    []func(*planrun.Run) []string{taskIDs, answers},
			ask: func(args []string) (api.PlanAsk, error) {
				grant, note, err := verdict(args[1:])
				return api.PlanWaive{Task: args[0], Grant: grant, Note: note}, err
			},
		},
		{
			use: "confirm-override RUN ENVIRONMENT ANSWER [NOTE...]", group: "decide", short: "Agree to an override, or refuse it",
			long:    "Agree that an environment is changed although it may not be, or refuse it with a note. Whoever has asked for it may not.",
			example: "confirm-override " + aRun + " production grant", next: []func(*planrun.Run) []string{environmentIDs, answers},
			ask: func(args []string) (api.PlanAsk, error) {
				grant, note, err := verdict(args[1:])
				return api.PlanConfirmOverride{Environment: args[0], Grant: grant, Note: note}, err
			},
		},
		{
			use: "delegate RUN TASK PERSON", group: "decide", short: "Let somebody vote for you",
			long:    "Let somebody of your party vote in your place until a time. TASK is - for a change of the plan. " + times,
			example: "delegate " + aRun + " approve choi --until \"2026-12-01 09:00\"", next: []func(*planrun.Run) []string{taskIDs},
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&until, "until", "", "`TIME` at which it ends")
				_ = cmd.MarkFlagRequired("until")
			},
			ask: func(args []string) (api.PlanAsk, error) {
				at, err := a.clockTime("--until", until)
				return api.PlanDelegate{Task: votedOn(args[0]), To: args[1], Until: at}, err
			},
		},
	}
}

// votedOn is the task that is voted on, empty for a change of the plan.
func votedOn(task string) string {
	if task == "-" {
		return ""
	}
	return task
}

// evidenceOf reads evidence of the form ITEM=REF[,SHA256]. Of a file on this machine the hash is computed; one that is given must be
// its. Its folder means nothing to others: its name is kept.
func evidenceOf(options []string) (all []api.PlanEvidence, err error) {
	for _, o := range options {
		item, ref, ok := strings.Cut(o, "=")
		if !ok || item == "" || ref == "" {
			return nil, misused("--evidence %q: want ITEM=REF[,SHA256]", o)
		}
		e := api.PlanEvidence{Item: item, Ref: ref}
		if at := strings.LastIndex(ref, ","); at > 0 && len(ref)-at-1 == hex.EncodedLen(sha256.Size) {
			e.Ref, e.SHA256 = ref[:at], strings.ToLower(ref[at+1:])
		}
		sum, err := sumOf(e.Ref)
		switch {
		case err == nil && e.SHA256 != "" && e.SHA256 != sum:
			return nil, fmt.Errorf("evidence %s: %s has the SHA-256 %s, not %s", item, e.Ref, sum, e.SHA256)
		case err == nil:
			e.Ref, e.SHA256 = filepath.Base(e.Ref), sum
		case isPath(e.Ref) && e.SHA256 == "":
			return nil, fmt.Errorf("evidence %s: %w; want a file that can be read, a URL, or its SHA-256 after a comma", item, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// isPath tells whether a reference means a file on this machine, not a URL or a number of a ticket.
func isPath(ref string) bool {
	return !strings.Contains(ref, "://") && (strings.HasPrefix(ref, "~") || strings.ContainsAny(ref, `/\`) || filepath.Ext(ref) != "")
}

// sumOf is the SHA-256 of a file.
func sumOf(name string) (sum string, err error) {
	about, err := os.Stat(name)
	switch {
	case err != nil:
		return "", err
	case !about.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// A ballotPaper is a vote on its way.
type ballotPaper struct{ reason, sum, instead, key string }

func (v *ballotPaper) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.reason, "reason", "", "`TEXT`: why; whoever rejects says so, or is ready with a risk")
	f.StringVar(&v.sum, "sha256", "", "`SHA256` of what you were shown, for scripts: you are not asked")
	f.StringVar(&v.instead, "for", "", "`PERSON` in whose place you vote, by id")
	keyFlag(cmd, &v.key)
}

const voting = `You are shown what is voted on with its SHA-256, and asked on a terminal whether you mean it. Elsewhere --sha256 says what you
were shown: muster upgrade show RUN has it. What has changed since is refused. TASK is - for a change of the plan.`

func (a *app) vote() *cobra.Command {
	v := &ballotPaper{}
	cmd := &cobra.Command{
		Use: "vote RUN TASK CHOICE", GroupID: "decide",
		Short: "Vote on what is shown",
		Long: "Vote on what is shown. An approval is answered with approve, reject or abstain, a decision whether to go with ready,\n" +
			"ready-with-risk, not-ready or abstain.\n\n" + voting,
		Example: "  muster upgrade vote " + aRun + " approve approve\n  muster upgrade vote " + aRun + " go-no-go ready-with-risk --reason \"the load test is of May\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("RUN", "TASK", "CHOICE")(nil, args); err != nil {
				return err
			}
			_, err := choosing("CHOICE", args[2], approval.Choices()...)
			return err
		},
		ValidArgsFunction: a.completeRuns(taskIDs, these(approval.Choices()...)),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			return a.castVote(ctx, c, args, approval.Choice(args[2]), v)
		}),
	}
	v.flags(cmd)
	return cmd
}

// voteShort is vote with a choice.
func (a *app) voteShort(choice, short string) *cobra.Command {
	v := &ballotPaper{}
	cmd := &cobra.Command{
		Use: choice + " RUN TASK", GroupID: "decide", Short: short, Long: short + ": the same as vote RUN TASK " + choice + ".\n\n" + voting,
		Example: "  muster upgrade " + choice + " " + aRun + " approve --reason \"as discussed\"", Args: wants("RUN", "TASK"),
		ValidArgsFunction: a.completeRuns(taskIDs),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			return a.castVote(ctx, c, args, approval.Choice(choice), v)
		}),
	}
	v.flags(cmd)
	return cmd
}

// castVote votes once the user has seen on what, and has said that it is meant.
func (a *app) castVote(ctx context.Context, c *api.Client, args []string, choice approval.Choice, v *ballotPaper) error {
	id, task := runID(args), votedOn(args[1])
	if v.sum == "" {
		r, err := c.PlanRun(ctx, id)
		if err != nil {
			return err
		}
		b, err := ballotOf(r, task)
		if err != nil {
			return err
		}
		if err := a.showBallot(r, task, b); err != nil {
			return err
		}
		if err := a.meant(ctx, choice); err != nil {
			return err
		}
		v.sum = b.Shown.SHA256
	}
	return a.askPlanRun(ctx, c, id, api.PlanVote{Task: task, For: v.instead, Choice: choice, Reason: v.reason, Shown: api.PlanShown(v.sum)}, v.key)
}

// meant asks on a terminal whether a vote is meant.
func (a *app) meant(ctx context.Context, choice approval.Choice) error {
	if _, ok := a.terminal(); !ok {
		return misused("--sha256: missing; there is no terminal on which you could be asked")
	}
	said := a.view.texts.Word("choice", string(choice), a.language())
	if err := a.confirm(ctx, false, fmt.Sprintf(runLabelsIn(a.language()).sure, said)); err != nil {
		return fmt.Errorf("vote: %w", err)
	}
	return nil
}

// ballotOf finds what is voted on.
func ballotOf(r *planrun.Run, task string) (*approval.Ballot, error) {
	var b *approval.Ballot
	if task == "" {
		if r.Change != nil {
			b = r.Change.Ballot
		}
	} else {
		t, _, ok := r.Task(task)
		if !ok {
			return nil, fmt.Errorf("task %s of %s: there is none", task, r.ID)
		}
		b = t.Ballot
	}
	if b == nil || b.Shown.SHA256 == "" {
		return nil, errors.New("vote on " + cmp.Or(task, "the change of the plan") + " of " + string(r.ID) + ": nobody votes on it now, or you do not")
	}
	return b, nil
}
