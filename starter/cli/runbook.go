package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/runbook"
)

func (a *app) runbook() *cobra.Command {
	group := &cobra.Command{
		Use: "runbook COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Look at runbooks and playbooks, check one, run one step by step",
		Long: `Look at the runbooks and playbooks of an organisation folder, check one that you write, and run one on this machine. It needs the
folder and no server.

RUNBOOK is an ID of the folder, or a file whose name ends in .md. A file in a folder runbooks belongs to the organisation folder
around it, unless --org names another.`,
		Example: "  muster runbook list --org ./org\n  muster runbook lint org/runbooks/restart.md\n" +
			"  muster runbook run org/runbooks/restart.md --param host=web-1",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.viewFlags(group)
	group.AddCommand(a.runbookList(), a.runbookShow(), a.runbookLint(), a.runbookRun())
	return group
}

// procedureWords are the words of one language that stand beside runbooks.
type procedureWords struct {
	id, title, kind, updated, reviewBy, steps, runbook, playbook, none string

	outcome, tools, permissions, author, escalation, stakeholders, communication, parameters, causes, escalate, sha256 string

	timeout, expect, exit, has, faultless string

	runWords
}

func procedureWordsIn(language string) procedureWords {
	if language == "ko" {
		return procedureWords{
			id: "ID", title: "제목", kind: "종류", updated: "최종 수정일", reviewBy: "검토 기한", steps: "단계", runbook: "런북",
			playbook: "플레이북", none: "런북이 없습니다",
			outcome: "목적과 결과", tools: "사용 도구", permissions: "특수 권한", author: "작성자", escalation: "에스컬레이션 담당자",
			stakeholders: "이해관계자", communication: "커뮤니케이션 계획", parameters: "매개변수", causes: "원인", escalate: "에스컬레이션",
			sha256:  "SHA-256",
			timeout: "제한 시간 %s", expect: "기대 상태 %s", exit: "기대 종료 코드 %s", has: "출력에 %q 포함", faultless: "%s (%s): 문제 없음, %d단계 가운데 자동 %d단계",
			runWords: runWordsIn(language),
		}
	}
	return procedureWords{
		id: "ID", title: "Title", kind: "Kind", updated: "Last updated", reviewBy: "Review by", steps: "Steps", runbook: "runbook",
		playbook: "playbook", none: "there are no runbooks",
		outcome: "Outcome", tools: "Tools used", permissions: "Special permissions", author: "Author", escalation: "Escalation POC",
		stakeholders: "Stakeholders", communication: "Communication plan", parameters: "Parameters", causes: "Causes", escalate: "escalate",
		sha256:  "SHA-256",
		timeout: "within %s", expect: "wants status %s", exit: "wants exit code %s", has: "wants %q in the output",
		faultless: "%s (%s): no faults, %d step(|s), %d of them automatic",
		runWords:  runWordsIn(language),
	}
}

// named is the kind of a runbook in words.
func (w procedureWords) named(k runbook.Kind) string {
	if k == runbook.Investigation {
		return w.playbook
	}
	return w.runbook
}

func (a *app) runbookList() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use: "list", Short: "List the runbooks and playbooks of an organisation folder",
		Example: "  muster runbook list --org ./org\n  muster runbook list -o json",
		Args: func(_ *cobra.Command, args []string) error {
			return cmp.Or(wants()(nil, args), a.wantOrg(&folder))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(*cobra.Command, []string) error {
			o, err := org.LoadAsOf(folder, a.env.Now())
			if err != nil {
				return err
			}
			all := o.Runbooks()
			return a.answer(append([]runbook.Runbook{}, all...), func(w io.Writer) {
				p := a.page(w, o.Languages[0], o.Zone.String())
				say := procedureWordsIn(p.language)
				if len(all) == 0 {
					fmt.Fprintln(w, say.none)
					return
				}
				rows := [][]string{{say.id, say.kind, say.steps, say.updated, say.reviewBy, say.title}}
				for _, rb := range all {
					rows = append(rows, []string{
						rb.ID, say.named(rb.Kind), fmt.Sprint(len(rb.Steps)), rb.Updated.String(), rb.ReviewBy.String(), printable(rb.Title),
					})
				}
				a.rows(w, rows, cut)
			})
		}),
	}
	a.orgFlag(cmd, &folder, orgUsage)
	return cmd
}

// A procedure is a runbook with what is known of it.
type procedure struct {
	runbook.Runbook

	SHA256 string `json:"sha256"`

	org *org.Organisation // nil: it stands by itself, and nothing is allowed to it
}

// procedure finds a runbook by its ID or its file.
func (a *app) procedure(name, folder string) (procedure, error) {
	isFile := strings.HasSuffix(name, ".md")
	if folder == "" && isFile {
		folder = around(name)
	}
	p := procedure{}
	var err error
	switch {
	case folder != "":
		if p.org, err = org.LoadAsOf(folder, a.env.Now()); err != nil {
			return p, err
		}
	case !isFile:
		return p, misused("--org: missing; it names the organisation folder, in which %q is a runbook", name)
	}
	if isFile {
		p.Runbook, p.SHA256, err = org.ReadRunbook(name)
		return p, err
	}
	var ok bool
	if p.Runbook, p.SHA256, ok = p.org.Runbook(name); !ok {
		return p, fmt.Errorf("runbook %q: not in the organisation folder; muster runbook list shows what is", name)
	}
	return p, nil
}

// around is the organisation folder of a file in its folder runbooks, empty when there is none.
func around(file string) string {
	runbooks := filepath.Dir(file)
	if absolute, err := filepath.Abs(runbooks); err != nil || filepath.Base(absolute) != "runbooks" {
		return ""
	}
	folder := filepath.Join(runbooks, "..")
	if _, err := os.Stat(filepath.Join(folder, "organisation.yaml")); err != nil {
		return ""
	}
	return folder
}

// page begins a page about it, in the organisation's language and zone where there is one.
func (p procedure) page(a *app, w io.Writer) (page, procedureWords) {
	language, zone := "en", "UTC"
	if p.org != nil {
		language, zone = p.org.Languages[0], p.org.Zone.String()
	}
	page := a.page(w, language, zone)
	return page, procedureWordsIn(page.language)
}

func (a *app) runbookShow() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use: "show RUNBOOK", Short: "Show a runbook with what its automatic steps do",
		Example: "  muster runbook show --org ./org RUN001\n  muster runbook show org/runbooks/restart.md",
		Args:    wants("RUNBOOK"),
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			p, err := a.procedure(args[0], folder)
			if err != nil {
				return err
			}
			return a.answer(p, func(w io.Writer) { p.show(a, w) })
		}),
	}
	a.orgFlag(cmd, &folder, orgUsage)
	return cmd
}

// show writes a runbook for people.
func (p procedure) show(a *app, w io.Writer) {
	page, say := p.page(a, w)
	fmt.Fprintf(w, "%s\n\n", page.paint(bold, printable(p.ID+"  "+p.Title)))
	f := facts{page: page}
	f.add(say.outcome, printable(p.Description))
	f.add(say.tools, printable(p.Tools))
	f.add(say.permissions, printable(p.Permissions))
	f.add(say.author, printable(p.Author))
	f.add(say.updated, p.Updated.String())
	f.add(say.reviewBy, p.ReviewBy.String())
	f.add(say.escalation, printable(p.Escalation))
	f.add(say.stakeholders, printable(p.Stakeholders))
	f.add(say.communication, printable(p.Communication))
	f.add(say.sha256, p.SHA256)
	var parameters []string
	for _, x := range p.Parameters {
		parameters = append(parameters, printable(x.ID+": "+x.Description))
	}
	f.add(say.parameters, parameters...)
	page.rows(w, f.rows, text.WrapSoft)
	for _, s := range p.Steps {
		fmt.Fprintln(w)
		page.step(say, s.Number, s.Text, s.Automatic)
	}
	if len(p.Causes) > 0 {
		page.causes(say, p.Causes)
	}
	if p.Notes != "" {
		fmt.Fprintln(w)
		lines(w, p.Notes)
	}
}

// causes shows what there is to do once the cause is known.
func (p page) causes(say procedureWords, all []runbook.Cause) {
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, say.causes))
	rows := [][]string{}
	for _, c := range all {
		rows = append(rows, []string{printable(c.Text), cmp.Or(c.Runbook, say.escalate)})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// step shows a step, and what a runner does for it.
func (p page) step(say procedureWords, number int, written string, does *runbook.Automatic) {
	mark := fmt.Sprintf("%d. ", number)
	for line := range strings.Lines(written) {
		fmt.Fprintln(p.w, printable(mark+line))
		mark = strings.Repeat(" ", len(mark))
	}
	if does == nil {
		return
	}
	var rules []string
	if does.Runner == runbook.ByHTTP {
		fmt.Fprintln(p.w, "   >", printable(does.HTTP.Method+" "+does.HTTP.URL))
		for _, h := range does.HTTP.Headers {
			fmt.Fprintln(p.w, "   >", printable(h.Name+": "+h.Value))
		}
		if does.HTTP.Body != "" {
			fmt.Fprintln(p.w, "   >")
		}
		for line := range strings.Lines(does.HTTP.Body) {
			fmt.Fprintln(p.w, "   >", printable(line))
		}
		rules = append(rules, fmt.Sprintf(say.expect, span(does.Expect)))
	} else {
		for _, v := range does.Environment {
			fmt.Fprintln(p.w, "   >", printable(v.Name+"="+v.Value))
		}
		words := does.Command
		if does.Shell {
			words = []string{runbook.Shell + " -c " + does.Command[0]}
		}
		for _, word := range words {
			for line := range strings.Lines(word) {
				fmt.Fprintln(p.w, "   >", printable(line))
			}
		}
		rules = append(rules, fmt.Sprintf(say.exit, span(does.Expect)))
	}
	if does.Expect.Has != "" {
		rules = append(rules, fmt.Sprintf(say.has, does.Expect.Has))
	}
	rules = append(rules, fmt.Sprintf(say.timeout, p.view.texts.Duration(does.Timeout, p.language)))
	fmt.Fprintln(p.w, "   "+p.paint(dim, printable(strings.Join(rules, ", "))))
}

// span writes the codes that are a success.
func span(e runbook.Expect) string {
	if e.From == e.To {
		return fmt.Sprint(e.From)
	}
	return fmt.Sprintf("%d..%d", e.From, e.To)
}

func (a *app) runbookLint() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use: "lint FILE", Short: "Check a runbook while you write it",
		Long: `Check a runbook while you write it, and say all that is wrong with it: each fault with its line, and what would be right. A file of
an organisation folder is held against the rest of it: what runners may do, secrets, and the runbooks that it names.`,
		Example: "  muster runbook lint org/runbooks/restart.md\n  muster runbook lint draft.md -o json",
		Args:    wants("FILE"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return []cobra.Completion{"md"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: a.shows(func(_ *cobra.Command, args []string) error { return a.lint(args[0], cmp.Or(folder, around(args[0]))) }),
	}
	a.orgFlag(cmd, &folder, "organisation `FOLDER`; default: MUSTER_ORG, else that around the file")
	return cmd
}

// lintedRunbook is what lint says of a file.
type lintedRunbook struct {
	File     string      `json:"file"`
	Runbook  string      `json:"runbook,omitempty"`
	Faults   []org.Fault `json:"faults"`
	Warnings []org.Fault `json:"warnings"`
}

func (a *app) lint(file, folder string) error {
	p := procedure{}
	found := lintedRunbook{File: file, Faults: []org.Fault{}, Warnings: []org.Fault{}}
	var err error
	refusal, refused := (*org.Refusal)(nil), false
	if p.Runbook, p.SHA256, err = org.ReadRunbook(file); err != nil {
		if refusal, refused = errors.AsType[*org.Refusal](err); !refused {
			return err
		}
		found.Faults = append(found.Faults, refusal.Faults...)
	} else if inside, ok := within(folder, file); ok {
		p.org, err = org.LoadAsOf(folder, a.env.Now())
		if refusal, refused = errors.AsType[*org.Refusal](err); err != nil && !refused {
			return err
		}
		of := func(all []org.Fault) []org.Fault {
			return slices.DeleteFunc(slices.Clone(all), func(f org.Fault) bool { return f.File != inside })
		}
		if refused {
			found.Faults = append(found.Faults, of(refusal.Faults)...)
		} else {
			found.Warnings = append(found.Warnings, of(p.org.Warnings)...)
		}
	}
	for n := range found.Faults {
		found.Faults[n].File = file
	}
	for n := range found.Warnings {
		found.Warnings[n].File = file
	}
	found.Runbook = p.ID
	if err := a.answer(found, func(w io.Writer) { p.lints(a, w, found) }); err != nil || len(found.Faults) == 0 {
		return err
	}
	summary := fmt.Sprintf("lint %s: %s", file, counted(len(found.Faults), "fault"))
	for _, f := range found.Faults {
		if a.view.output == "table" {
			summary += "\n" + f.String()
		}
	}
	return errors.New(summary)
}

// lints says that there are no faults, and what looks like a mistake.
func (p procedure) lints(a *app, w io.Writer, found lintedRunbook) {
	if len(found.Faults) > 0 {
		return // the error says it all
	}
	_, say := p.page(a, w)
	automatic := 0
	for _, s := range p.Steps {
		if s.Automatic != nil {
			automatic++
		}
	}
	lines(w, numbered(say.faultless, p.Title, p.ID, len(p.Steps), automatic))
	for _, f := range found.Warnings {
		lines(w, say.warning+f.String())
	}
}

// within is the name that a file has in an organisation folder.
func within(folder, file string) (string, bool) {
	if folder == "" {
		return "", false
	}
	runbooks, err := filepath.Abs(filepath.Join(folder, "runbooks"))
	path, also := filepath.Abs(file)
	if err != nil || also != nil || filepath.Dir(path) != runbooks {
		return "", false
	}
	return "runbooks/" + filepath.Base(path), true
}
