package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/org"
	"muster/internal/retention"
)

// retentionWords are the words of one language about how long records stay.
type retentionWords struct{ until, why, id, file, none, forever, organisation, held, keeps, goes string }

func retentionWordsIn(language string) retentionWords {
	if language == "ko" {
		return retentionWords{
			until: "보존 기한", why: "근거", id: "번호", file: "파일", none: "해당하는 파일 없음", forever: "영구", organisation: "조직", held: "법적 보존: %s", keeps: "법적 보존 중", goes: "삭제 예정 %s",
		}
	}
	return retentionWords{
		until: "STAYS UNTIL", why: "WHY", id: "ID", file: "FILE", none: "no such file", forever: "for ever", organisation: "the organisation", held: "legal hold: %s", keeps: "held", goes: "goes %s",
	}
}

func (a *app) auditRetention() *cobra.Command {
	var (
		v    vault
		days int
	)
	cmd := &cobra.Command{
		Use: "retention", Short: "Say how long each file of an archive stays, and what holds it",
		Long: `Say of each file of an archive how long it stays by what an organisation folder says of records: by whose term, which legal hold keeps
it, and what the log has announced to go. With --within, only that whose term is over within so many days: the archive announces it then,
and removes it a week later unless a hold is put on it, or its run still goes on. It changes nothing.`,
		Example: "  muster audit retention --org ./org\n  muster audit retention --org ./org --within 30 -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().IntVar(&days, "within", 0, "only that whose term is over within so many `DAYS`")
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return a.explains(cmd, func(ctx context.Context, o *org.Organisation, _ []string) error {
		if days < 0 || cmd.Flags().Changed("within") && days == 0 {
			return misused("--within %d: want days, from 1 on", days)
		}
		return a.read(ctx, v, func(r *audit.Reader) error {
			all, faults := r.Stays(ctx, o.Retention())
			if days > 0 {
				all = slices.DeleteFunc(all, func(s audit.Stay) bool { return !s.Due(a.env.Now().AddDate(0, 0, days)) })
			}
			err := a.answer(append([]audit.Stay{}, all...), func(w io.Writer) {
				if len(all) == 0 {
					a.note("%s", retentionWordsIn(a.language()).none)
					return
				}
				a.page(w, "", o.Zone.String()).stays(all)
			})
			return errors.Join(err, faults)
		})
	})
}

// stays shows one row for each.
func (p page) stays(all []audit.Stay) {
	say := retentionWordsIn(p.language)
	rows := [][]string{p.head(say.until, say.why, say.id, say.file)}
	for _, s := range all {
		until, why := say.forever, cmp.Or(s.Of, say.organisation)
		if s.Keep != (retention.Term{}) {
			until, why = p.instant(s.Until), why+" "+s.Keep.String()
		}
		if s.Hold != "" {
			until = say.keeps
			why += "; " + fmt.Sprintf(say.held, s.Hold)
		} else if !s.Announced.IsZero() && s.Due(s.Announced) {
			why += "; " + fmt.Sprintf(say.goes, p.instant(s.Announced))
		}
		rows = append(rows, []string{until, printable(why), printable(cmp.Or(s.ID, strings.ToLower(s.Kind))), printable(path.Base(s.File))})
	}
	p.rows(p.w, rows, text.WrapSoft)
}
