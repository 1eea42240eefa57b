package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/runbook"
	"muster/internal/timeline"
)

// runWords are the words of one language that stand in a run.
type runWords struct {
	warning string

	stepOf, askRun, askDone, askFailed, didNot, said, output, notRun, noAnswer string // the conversation

	record, by, started, ended, result, step, status, when, code, answered string // the record

	statuses map[runbook.Status]string
}

func runWordsIn(language string) runWords {
	if language == "ko" {
		return runWords{
			warning: "경고: ",
			stepOf:  "%d/%d단계", askRun: "실행 y, 직접 완료 d, 중단 s (뒤에 메모를 적을 수 있습니다):", askDone: "완료 y, 중단 s (뒤에 메모를 적을 수 있습니다):",
			askFailed: "다시 실행 a, 직접 완료 d, 중단 s (뒤에 메모를 적을 수 있습니다):", didNot: "%q: %s 가운데 하나를 입력하십시오", said: "결과: %s", output: "출력",
			notRun: "실행하지 않음", noAnswer: "입력 없음",
			record: "실행 기록", by: "실행자", started: "시작 시각", ended: "끝난 시각", result: "결과", step: "단계", status: "상태", when: "시각",
			code: "종료 코드 %d", answered: "상태 코드 %d",
			statuses: map[runbook.Status]string{
				runbook.Pending: "예정", runbook.Running: "실행 중", runbook.Waiting: "사람 대기", runbook.Done: "완료", runbook.StepFailed: "실패",
				runbook.StepUnknown: "결과 불명", runbook.Skipped: "건너뜀",
			},
		}
	}
	return runWords{
		warning: "warning: ",
		stepOf:  "Step %d of %d", askRun: "Run it y, done by hand d, stop s (a note may follow):", askDone: "Done y, stop s (a note may follow):",
		askFailed: "Run it again a, done by hand d, stop s (a note may follow):", didNot: "%q: want one of %s", said: "Result: %s", output: "Output",
		notRun: "not run", noAnswer: "no answer",
		record: "Record", by: "By", started: "Started", ended: "Ended", result: "Result", step: "Step", status: "Status", when: "When",
		code: "exit code %d", answered: "status %d",
		statuses: map[runbook.Status]string{
			runbook.Pending: "pending", runbook.Running: "running", runbook.Waiting: "waiting", runbook.Done: "done", runbook.StepFailed: "failed",
			runbook.StepUnknown: "unknown", runbook.Skipped: "skipped",
		},
	}
}

func (a *app) runbookRun() *cobra.Command {
	folder, params, yes := "", []string(nil), false
	cmd := &cobra.Command{
		Use: "run RUNBOOK [--param NAME=VALUE]...", DisableFlagsInUseLine: true,
		Short: "Run a runbook on this machine, step by step",
		Long: `Run a runbook on this machine, step by step. Manual steps ask whether they are done; of automatic ones it shows what will run, and
asks unless --yes says so for all of them. A step runs once; what failed, or nobody knows the outcome of, is asked about. What
organisation.yaml does not allow is refused before the first step.

Questions and what steps say go to the standard error, the record at the end to the standard output. It ends in 1 unless every
step was done.`,
		Example: "  muster runbook run --org ./org RUN001 --param host=checkout-2\n  muster runbook run org/runbooks/restart.md --param host=checkout-2 --yes -o json >record.json",
		Args:    wants("RUNBOOK"),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			values, err := parameters(params)
			if err != nil {
				return err
			}
			p, err := a.procedure(args[0], folder)
			if err != nil {
				return err
			}
			return a.runProcedure(cmd.Context(), p, values, yes)
		}),
	}
	a.orgFlag(cmd, &folder, orgUsage)
	cmd.Flags().StringArrayVar(&params, "param", nil, "`NAME=VALUE` of a parameter; once for each")
	cmd.Flags().BoolVar(&yes, "yes", false, "run automatic steps without asking, and stop where one fails")
	return cmd
}

func parameters(given []string) (all []runbook.Value, err error) {
	for _, g := range given {
		name, v, ok := strings.Cut(g, "=")
		if !ok {
			return nil, misused("--param %q: want NAME=VALUE, such as host=web-1", g)
		}
		all = append(all, runbook.Value{ID: name, Value: v})
	}
	return all, nil
}

// A session is one run at a terminal.
type session struct {
	*app
	procedure
	*runbook.Execution

	yes    bool
	agreed int // number of the step that is to run again
	by     timeline.Actor
	in     *bufio.Reader
	say    procedureWords
	out    page // the conversation
}

// ranRecord is what stays of a run.
type ranRecord struct {
	Runbook    string              `json:"runbook"`
	Title      string              `json:"title"`
	SHA256     string              `json:"sha256"`
	Revision   string              `json:"revision,omitempty"` // of the organisation folder
	Parameters []runbook.Value     `json:"parameters"`
	By         timeline.Actor      `json:"by"`
	Started    time.Time           `json:"started"`
	Ended      time.Time           `json:"ended"`
	OK         bool                `json:"ok"` // every step was done
	Steps      []runbook.StepState `json:"steps"`
}

// runProcedure runs all steps, and prints the record whatever has become of them.
func (a *app) runProcedure(ctx context.Context, p procedure, values []runbook.Value, yes bool) error {
	if err := a.mayRun(p, values); err != nil {
		return err
	}
	if a.view.texts == nil { // the record needs no words, the conversation does
		t, err := a.env.Texts()
		if err != nil {
			return err
		}
		a.view.texts = t
	}
	page, say := p.page(a, a.env.Stderr)
	name := cmp.Or(a.env.Getenv("USER"), a.env.Getenv("LOGNAME"), "local")
	s := &session{
		app: a, procedure: p, Execution: runbook.Start(p.Runbook, values), yes: yes, in: bufio.NewReader(a.env.Stdin), say: say, out: page,
		by: timeline.Actor{Kind: timeline.Person, ID: name},
	}
	started := a.env.Now()
	a.note("%s  %s\n%s", p.ID, p.Title, p.Description)
	failed := s.all(ctx)
	_, ok := s.Over()
	r := ranRecord{
		Runbook: p.ID, Title: p.Title, SHA256: p.SHA256, Parameters: slices.Concat([]runbook.Value{}, values), By: s.by, Started: started,
		Ended: a.env.Now(), OK: ok, Steps: s.Steps,
	}
	if p.org != nil {
		r.Revision = p.org.Revision
	}
	return cmp.Or(a.answer(r, func(w io.Writer) { s.show(w, r) }), failed)
}

// mayRun refuses a run that could not come to its end.
func (a *app) mayRun(p procedure, values []runbook.Value) error {
	if broken := p.CheckValues(values); len(broken) > 0 {
		return errors.Join(broken...)
	}
	allowed := runbook.Allowed{}
	if p.org != nil {
		allowed = p.org.Allowed()
	}
	for _, s := range p.Steps {
		if s.Automatic == nil {
			continue
		}
		err := allowed.Check(s.Automatic)
		switch {
		case err == nil && a.env.Process.RunStep == nil:
			err = errors.New("this build has no runners")
		case err == nil:
			_, err = p.org.StepSecrets(s.Automatic.Secrets)
		case p.org == nil:
			err = fmt.Errorf("%w: it belongs to no organisation folder that says so; --org names one", err)
		}
		if err != nil {
			return fmt.Errorf("run %s: step %d: %w", p.Shown(), s.Number, err)
		}
	}
	return nil
}

// all goes through the steps. Its error says where it ended.
func (s *session) all(ctx context.Context) error {
	for {
		does, _, automatic := s.Next(s.env.Now())
		current := s.Current()
		if current == nil {
			if len(s.Causes) > 0 {
				s.out.causes(s.say, s.Causes)
			}
			return nil
		}
		number, err := current.Number, error(nil)
		switch {
		case automatic:
			s.begin(number, does)
			err = s.automatic(ctx, number, does)
		case current.Status == runbook.Waiting:
			s.begin(number, nil)
			err = s.manual(ctx, number)
		default: // failed, or nobody knows
			err = s.settle(ctx, number)
		}
		if err != nil {
			return err
		}
		if over, ok := s.Over(); over && !ok {
			return fmt.Errorf("run %s: ended at step %d", s.procedure.Shown(), number)
		}
	}
}

// manual asks whether somebody has done a step.
func (s *session) manual(ctx context.Context, number int) error {
	said, note := s.ask(ctx, s.say.askDone, "y", "s")
	if said == "y" {
		return s.Do(number, s.by, note, s.env.Now())
	}
	return s.Settle(number, runbook.SettleFailed, s.by, note, s.env.Now())
}

// begin shows a step before anything is done about it.
func (s *session) begin(number int, does *runbook.Automatic) {
	fmt.Fprintf(s.out.w, "\n%s\n", s.out.paint(bold, fmt.Sprintf(s.say.stepOf, number, len(s.Steps))))
	s.out.step(s.say, number, s.Text(number), does)
}

// automatic runs a step, unless somebody does it by hand or stops here.
func (s *session) automatic(ctx context.Context, number int, does *runbook.Automatic) error {
	said, note := "y", ""
	if !s.yes && s.agreed != number {
		said, note = s.ask(ctx, s.say.askRun, "y", "d", "s")
	}
	s.agreed = 0
	if said == "y" {
		result := s.env.Process.RunStep(ctx, s.org, does)
		s.Ran(number, result, s.env.Now())
		s.came(result)
		return nil
	}
	s.Ran(number, runbook.Result{State: runbook.Failed, Detail: s.say.notRun}, s.env.Now())
	what := runbook.SettleFailed
	if said == "d" {
		what = runbook.SettleDone
	}
	return s.Settle(number, what, s.by, note, s.env.Now())
}

// came says what has come of a step.
func (s *session) came(r runbook.Result) {
	shown := s.say.came(r)
	shade := map[runbook.State]colour{runbook.Passed: green, runbook.Failed: red, runbook.Unknown: yellow}[r.State]
	fmt.Fprintln(s.out.w, "   "+fmt.Sprintf(s.say.said, s.out.paint(shade, printable(shown))))
	if r.Output == "" {
		return
	}
	for line := range strings.Lines(r.Output) {
		fmt.Fprintln(s.out.w, "   |", printable(line))
	}
}

// came is a result in a few words.
func (w runWords) came(r runbook.Result) string {
	status := map[runbook.State]runbook.Status{runbook.Passed: runbook.Done, runbook.Failed: runbook.StepFailed}[r.State]
	said := []string{w.statuses[cmp.Or(status, runbook.StepUnknown)]}
	switch {
	case r.Detail != "":
		said = append(said, r.Detail)
	case r.Status != 0:
		said = append(said, fmt.Sprintf(w.answered, r.Status))
	case r.SHA256 != "":
		said = append(said, fmt.Sprintf(w.code, r.Exit))
	}
	return strings.Join(said, ", ")
}

// settle asks what becomes of a step that has failed or is unknown.
func (s *session) settle(ctx context.Context, number int) error {
	said, note := "s", ""
	if !s.yes {
		said, note = s.ask(ctx, s.say.askFailed, "a", "d", "s")
	}
	if said == "a" {
		s.agreed = number
	}
	what := map[string]runbook.Settlement{"a": runbook.SettleAgain, "d": runbook.SettleDone, "s": runbook.SettleFailed}[said]
	return s.Settle(number, what, s.by, note, s.env.Now())
}

// ask asks until one of the letters is said, with a note behind it if they like. Nobody there means stop.
func (s *session) ask(ctx context.Context, question string, letters ...string) (said, note string) {
	for {
		fmt.Fprint(s.out.w, "   "+question+" ")
		line, err := typed(ctx, func() (string, error) { return s.in.ReadString('\n') })
		if _, ok := s.terminal(); !ok { // which would have shown what was typed
			fmt.Fprintln(s.out.w, printable(line))
		}
		said, note, _ = strings.Cut(strings.TrimSpace(line), " ")
		if said = strings.ToLower(said); slices.Contains(letters, said) {
			return said, strings.ToValidUTF8(printable(note[:min(len(note), runbook.MaxText)]), "")
		}
		if err != nil {
			return "s", s.say.noAnswer
		}
		fmt.Fprintln(s.out.w, "   "+printable(fmt.Sprintf(s.say.didNot, said, strings.Join(letters, ", "))))
	}
}

// show writes the record for people.
func (s *session) show(w io.Writer, r ranRecord) {
	p, say := s.procedure.page(s.app, w)
	fmt.Fprintf(w, "%s\n\n", p.paint(bold, printable(say.record+": "+r.Runbook+"  "+r.Title)))
	f := facts{page: p}
	var values []string
	for _, v := range r.Parameters {
		values = append(values, printable(v.ID+"="+v.Value))
	}
	f.add(say.parameters, values...)
	f.add(say.by, printable(r.By.Shown()))
	f.add(say.started, p.view.texts.Moment(r.Started, p.language, p.zone))
	f.add(say.ended, p.view.texts.Moment(r.Ended, p.language, p.zone))
	f.add(say.sha256, r.SHA256)
	p.rows(w, f.rows, text.WrapSoft)
	fmt.Fprintln(w)
	rows := [][]string{{say.step, say.status, say.when, say.result}}
	for _, x := range r.Steps {
		row := []string{fmt.Sprint(x.Number), say.statuses[x.Status], "", ""}
		if !x.At.IsZero() {
			row[2] = p.view.texts.Moment(x.At, p.language, p.zone)
		}
		row[3] = say.line(x)
		rows = append(rows, row)
	}
	p.rows(w, rows, text.WrapSoft)
}

// line is what the record says of a step beside its status.
func (w procedureWords) line(x runbook.StepState) string {
	var said []string
	if x.Result != nil && x.Result.Detail == w.notRun {
		said = append(said, w.notRun)
	} else if x.Result != nil {
		said = append(said, w.came(*x.Result))
		if x.Result.SHA256 != "" {
			said = append(said, fmt.Sprintf("%s: %d B, SHA-256 %s", w.output, x.Result.Size, x.Result.SHA256))
		}
	}
	if x.By.ID != "" {
		said = append(said, strings.TrimSuffix(x.By.Shown()+": "+x.Note, ": "))
	}
	return printable(strings.Join(said, "; "))
}
