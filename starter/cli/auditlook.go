package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/org"
	"muster/internal/timeline"
	"muster/starter/api"
)

// lookWords are the words of one language about what stands out in records.
type lookWords struct {
	when, what, id, file, none          string // exceptions
	left, right, later, sooner          string // diff
	part, kind, shown, times, clean, of string // redact-check
	kinds                               map[audit.PersonalKind]string
}

func lookWordsIn(language string) lookWords {
	if language == "ko" {
		return lookWords{
			when: "일시", what: "내용", id: "번호", file: "파일", none: "예외 없음",
			left: "왼쪽만", right: "오른쪽만", later: "%s 늦음", sooner: "%s 빠름",
			part: "구성 파일", kind: "종류", shown: "내용", times: "횟수", clean: "%s: 찾는 개인정보나 비밀 없음", of: "%s: %d건 발견",
			kinds: map[audit.PersonalKind]string{audit.Mail: "전자우편 주소", audit.Phone: "전화번호", audit.Token: "토큰", audit.Name: "이름"},
		}
	}
	return lookWords{
		when: "WHEN", what: "WHAT", id: "ID", file: "FILE", none: "no exceptions",
		left: "left only", right: "right only", later: "%s later", sooner: "%s sooner",
		part: "PART", kind: "KIND", shown: "TEXT", times: "TIMES", clean: "%s: none of the personal data or secrets that are looked for", of: "%s: %d found",
		kinds: map[audit.PersonalKind]string{audit.Mail: "e-mail address", audit.Phone: "phone number", audit.Token: "token", audit.Name: "name"},
	}
}

func (a *app) auditExceptions() *cobra.Command {
	var (
		v vault
		f narrowed
	)
	cmd := &cobra.Command{
		Use: "exceptions", Short: "List what went another way than the rules do by themselves",
		Long: `List what went another way than the rules do by themselves, the oldest first: waivers, overrides of freezes, promises that were closed
without being kept, promises and plans that were changed under way, and what somebody tried who may not, such as approving their own.`,
		Example: "  muster audit exceptions --from 2026-10-01 --until 2027-01-01 --customer garam\n  muster audit exceptions --person park -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, _ []string) error {
			if err := f.parse(); err != nil {
				return err
			}
			return a.read(cmd.Context(), v, func(r *audit.Reader) error {
				all, faults := r.Exceptions(cmd.Context(), f.Filter)
				err := a.answer(append([]audit.Exception{}, all...), func(w io.Writer) {
					say := lookWordsIn(a.language())
					if len(all) == 0 {
						a.note("%s", say.none)
						return
					}
					p := a.page(w, "", "")
					rows := [][]string{p.head(say.when, say.id, say.what, say.file)}
					for _, x := range all {
						e := api.NewEntry(a.view.texts, x.Entry, p.language, x.Zone)
						rows = append(rows, []string{printable(e.Moment), printable(x.ID), printable(e.Sentence), printable(x.File)})
					}
					p.rows(w, rows, text.WrapSoft)
				})
				return errors.Join(err, faults)
			})
		}),
	}
	f.flags(cmd)
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

func (a *app) auditDiff() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use: "diff " + recordArgument + " " + recordArgument, Short: "Compare what happened in two runs",
		Long: `Compare what happened in two runs, such as a rehearsal and the upgrade: what both have, with how much later after its beginning the
second one came to it, and what only one of them has. Entries are alike that are of one kind, one actor's and about one thing, such as a
promise, a role or a task.`,
		Example: "  muster audit diff RUN-7K3M9QX2PA RUN-5D8W1ZR4TC\n  muster audit diff first.tar second.tar -o json",
		Args:    wants(recordArgument, recordArgument),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			var sides [2]told
			for n, what := range args {
				found, err := a.recordsOf(cmd.Context(), v, what)
				if err != nil {
					return err
				}
				if sides[n], err = toldBy(found[0]); err != nil {
					return err
				}
			}
			steps := audit.Compare(sides[0].Entries, sides[1].Entries)
			return a.answer(append([]audit.Step{}, steps...), func(w io.Writer) { a.page(w, "", sides[0].Zone).steps(steps) })
		}),
	}
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// steps shows one row for each.
func (p page) steps(all []audit.Step) {
	say := lookWordsIn(p.language)
	var rows [][]string
	sentence := func(e *timeline.Entry) string {
		return printable(api.NewEntry(p.view.texts, *e, p.language, p.zone).Sentence)
	}
	for _, s := range all {
		switch {
		case s.Right == nil:
			rows = append(rows, []string{"-", say.left, sentence(s.Left)})
		case s.Left == nil:
			rows = append(rows, []string{"+", say.right, sentence(s.Right)})
		default:
			away := ""
			if s.Later.Abs() >= time.Second {
				say := map[bool]string{true: say.later, false: say.sooner}[s.Later > 0]
				away = fmt.Sprintf(say, p.view.texts.Duration(s.Later.Abs(), p.language))
			}
			rows = append(rows, []string{" ", away, sentence(s.Right)})
		}
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// A checked bundle is one with what was found in it.
type checked struct {
	File  string           `json:"file"`
	Found []audit.Personal `json:"found"`
}

func (a *app) auditRedactCheck() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use: "redact-check FILE...", Short: "Look for personal data and secrets in bundles",
		Long: `Look for e-mail addresses, phone numbers and tokens in bundles, also within the payloads of their histories; in place of a PDF the page
beside it is looked into. Who people are belongs into the organisation folder, and secrets are references. With --org, look for the names of
its people too, which records do hold. It fails where there is any of it.`,
		Example: "  muster audit redact-check archive/bundles/2026/11/*.tar",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misused("FILE: missing; want bundles")
			}
			return nil
		},
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			keys, err := a.decrypts()
			if err != nil {
				return err
			}
			var names []string
			if folder != "" {
				o, err := org.LoadAsOf(folder, a.env.Now())
				if err != nil {
					return err
				}
				names = o.Names()
			}
			var all []checked
			found := 0
			for _, file := range args {
				content, err := bundle.Load(file, bundle.MaxSize)
				if err != nil {
					return fmt.Errorf("read bundle: %w", err)
				}
				b, err := bundle.Read(file, content)
				if err == nil {
					b, err = b.Decrypted(file, keys)
				}
				if err != nil {
					return err
				}
				c := checked{file, append([]audit.Personal{}, audit.FindPersonal(b, names)...)}
				all, found = append(all, c), found+len(c.Found)
			}
			if err := a.answer(all, func(w io.Writer) {
				for _, c := range all {
					a.page(w, "", "").personal(c)
				}
			}); err != nil {
				return err
			}
			if found > 0 {
				return errors.New("audit redact-check: there is what looks like personal data or a secret")
			}
			return nil
		}),
	}
	a.decryptFlag(cmd)
	cmd.Flags().StringVar(&folder, "org", "", "organisation `FOLDER` whose people's names are looked for too")
	_ = cmd.MarkFlagDirname("org")
	a.viewFlags(cmd)
	return cmd
}

// personal shows what was found in one bundle.
func (p page) personal(c checked) {
	say := lookWordsIn(p.language)
	if len(c.Found) == 0 {
		lines(p.w, fmt.Sprintf(say.clean, c.File))
		return
	}
	lines(p.w, fmt.Sprintf(say.of, c.File, len(c.Found)))
	rows := [][]string{p.head(say.part, say.kind, say.shown, say.times)}
	for _, f := range c.Found {
		rows = append(rows, []string{printable(f.Part), say.kinds[f.Kind], printable(strings.TrimSpace(f.Shown)), strconv.Itoa(f.Times)})
	}
	p.rows(p.w, rows, text.WrapSoft)
}
