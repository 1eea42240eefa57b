package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/audit"
)

func (a *app) auditExplain() *cobra.Command {
	group := &cobra.Command{
		Use: "explain COMMAND", DisableFlagsInUseLine: true, Short: "Say why something in a recorded history was so",
		Long: `Replay the histories in a bundle or an export, or what an archive has of an ID, and say why something was so: the entries of the
timeline that led to it, as this program derives them, and the one that decides. It needs no server.`,
		Example: "  muster audit explain page kim " + anID + ".json\n  muster audit explain approval " + aRun + ".json go\n  muster audit explain status " + anID + ".json",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.viewFlags(group)
	var v vault
	for _, cmd := range []*cobra.Command{a.explainPage(&v), a.explainApproval(&v), a.explainStatus(&v)} {
		a.vaultFlags(cmd, &v)
		group.AddCommand(cmd)
	}
	return group
}

func (a *app) explainPage(v *vault) *cobra.Command {
	return &cobra.Command{
		Use:   "page PERSON " + recordArgument,
		Short: "Say why somebody was paged, or was not",
		Long: `Say which step of the escalation has paged a person, given by id or name, and what had gone before; or, where none has, which steps
had begun and what ended the paging.`,
		Example: "  muster audit explain page kim " + anID + ".json",
		Args:    wants("PERSON", recordArgument),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			var x audit.PageAnswer
			r, err := a.derived(cmd.Context(), *v, args[1], func(r *audit.Replayed) (err error) {
				x, err = r.ExplainPage(args[0])
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) {
				a.because(w, r, x.Answer)
				lines(w, answersIn(a.language()).page(x))
			})
		}),
	}
}

func (a *app) explainApproval(v *vault) *cobra.Command {
	return &cobra.Command{
		Use:   "approval " + recordArgument + " [OF]",
		Short: "Say how an approval stands, and why",
		Long: `Say what was voted, approved, waived or made void, and what had changed before: of everything, or of one task, customer or environment,
or of the text whose SHA-256 begins so.`,
		Example: "  muster audit explain approval " + aRun + ".json\n  muster audit explain approval " + aRun + ".json go",
		Args:    wants(recordArgument, "[OF]"),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			var x audit.Answer
			of := strings.Join(args[1:], "")
			r, err := a.derived(cmd.Context(), *v, args[0], func(r *audit.Replayed) error {
				if x = r.ExplainApproval(of); len(x.Entries) == 0 {
					return fmt.Errorf("explain approval %s: nothing of that was to be approved", of)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) {
				a.because(w, r, x)
				words := answersIn(a.language())
				lines(w, words.decided(words.approval, words.undecided, x))
			})
		}),
	}
}

func (a *app) explainStatus(v *vault) *cobra.Command {
	return &cobra.Command{
		Use:     "status " + recordArgument,
		Short:   "Say which person or rule has changed status and priority",
		Example: "  muster audit explain status " + anID + ".json",
		Args:    wants(recordArgument),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			var x audit.Answer
			r, err := a.derived(cmd.Context(), *v, args[0], func(r *audit.Replayed) error {
				if x = r.ExplainStatus(); len(x.Entries) == 0 {
					return fmt.Errorf("explain status: a run of type %s has none; want an incident or a run of a plan", r.Type)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) {
				a.because(w, r, x)
				words := answersIn(a.language())
				lines(w, words.decided(words.status, words.unchanged, x))
			})
		}),
	}
}

// derived replays a file, or what an archive has of an ID, for its timeline, and returns the first that has an answer. Where the program
// differs from the record, what it says holds for the program.
func (a *app) derived(ctx context.Context, v vault, what string, answered func(*audit.Replayed) error) (*audit.Replayed, error) {
	all, err := a.replays(ctx, v, what)
	for _, r := range all {
		if r.State == nil {
			err = errors.New("this program cannot follow it; muster audit replay says where")
		} else {
			err = answered(r.Replayed)
		}
		if err == nil {
			if len(r.Differences.Listed) > 0 {
				a.note(answersIn(a.language()).differs, r.File)
			}
			return r.Replayed, nil
		}
		err = fmt.Errorf("%s: %w", r.File, err)
	}
	return nil, err
}

// because prints the entries that led to something, with the one that decides set off.
func (a *app) because(w io.Writer, r *audit.Replayed, x audit.Answer) {
	var rows [][]string
	for _, e := range x.Entries {
		mark, said := "", a.view.texts.Entry(e, a.language(), r.Zone)
		if e.Seq == x.Decides {
			mark = "→"
		}
		rows = append(rows, []string{mark, strconv.Itoa(e.Seq), printable(said)})
	}
	if len(rows) > 0 {
		a.rows(w, rows, text.WrapSoft)
	}
}

// answers say what an explanation comes to.
type answers struct{ unnamed, paged, because, unpaged, stopped, others, approval, undecided, status, unchanged, differs string }

func answersIn(language string) answers {
	if language == "ko" {
		return answers{
			unnamed: ", 이 기록에 그런 사람은 없음", paged: "%s: 호출 %d회, 전달 %d회", because: ", 근거는 %d번 기록", unpaged: "%s: 호출되지 않음", stopped: ", %d번 기록에서 호출이 멈춤", others: ". 호출된 사람: %s",
			approval: "%d번 기록으로 결정됨", undecided: "아직 결정되지 않음", status: "마지막 변경은 %d번 기록", unchanged: "변경된 적 없음",
			differs: "%s: 기록과 이 프로그램의 동작이 다릅니다(muster audit replay). 아래는 이 프로그램이 도출한 내용입니다.",
		}
	}
	return answers{
		unnamed: "; the record names nobody so called", paged: "%s was paged %d time(|s), and reached %d time(|s)", because: ", because of entry %d", unpaged: "%s was not paged", stopped: "; entry %d stopped the paging", others: ". Paged: %s",
		approval: "entry %d decides", undecided: "nothing is decided", status: "entry %d is the last change", unchanged: "it has never changed",
		differs: "%s: this program differs from the record (muster audit replay). What follows is what this program derives.",
	}
}

func (words answers) page(x audit.PageAnswer) string {
	said, reason := fmt.Sprintf(words.unpaged, x.Person), words.stopped
	if x.Pages > 0 {
		said, reason = numbered(words.paged, x.Person, x.Pages, x.Reached), words.because
	}
	if x.Decides > 0 {
		said += fmt.Sprintf(reason, x.Decides)
	}
	if !x.Named {
		said += words.unnamed
	}
	if x.Pages == 0 && len(x.Others) > 0 {
		said += fmt.Sprintf(words.others, strings.Join(x.Others, ", "))
	}
	return said
}

func (answers) decided(decided, not string, x audit.Answer) string {
	if x.Decides == 0 {
		return not
	}
	return fmt.Sprintf(decided, x.Decides)
}
