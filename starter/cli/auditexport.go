package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/wholefile"
)

// exported is what an export has written.
type exported struct {
	Folder  string   `json:"folder"`
	Bundles []string `json:"bundles"`
	Entries int64    `json:"entries"`          // of the log
	Others  []string `json:"others,omitempty"` // customers whom bundles are about too, where those of one were asked for
}

// exportLabels are the words of one language about an export.
type exportLabels struct{ wrote, verify, others string }

func exportWordsIn(language string) exportLabels {
	if language == "ko" {
		return exportLabels{
			wrote: "%s: 번들 %d건, 항목 %d건의 로그, 공개 키", verify: "서버 없이 검증:",
			others: "주의: 번들에는 다른 고객사의 내용과 내부 기록도 들어 있음: %s",
		}
	}
	return exportLabels{
		wrote: "%s: %d bundle(|s), the log with %d (entry|entries), the public key", verify: "to verify them, without a server:",
		others: "take care: these bundles also hold what is about other customers, and what is internal: %s",
	}
}

func (a *app) auditExport() *cobra.Command {
	var (
		v   vault
		f   narrowed
		out string
	)
	cmd := &cobra.Command{
		Use: "export [ID...] --out FOLDER", Short: "Take bundles out of an archive, with what proves them",
		Long: `Take bundles out of an archive into a folder, with what proves them: a copy of the log, and its public key. Of what has these IDs, or of
all that the flags leave, the newest bundle of each. Whoever gets the folder verifies it on
their own machine. A bundle is whole: what is about several customers says of each what it says, and it has what is internal. Of what else
is in the archive, the log has names of files and their SHA-256; so the folder is no whole archive for list and completeness. Encrypted
bundles stay so, and their reader needs the payload keys.`,
		Example: "  muster audit export " + anID + " --out for-the-auditor\n  muster audit export --customer garam --from 2026-10-01 --until 2027-01-01 --out garam-q4",
		Args:    cobra.ArbitraryArgs, DisableFlagsInUseLine: true, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, ids []string) error {
			if out == "" {
				return misused("--out: missing; it names the folder to write")
			}
			if err := f.parse(); err != nil {
				return err
			}
			if err := emptyFolder(out); err != nil {
				return err
			}
			return a.read(cmd.Context(), v, func(r *audit.Reader) error {
				all, faults := r.List(cmd.Context(), f.Filter)
				x, err := chosen(all, ids, f.Customer)
				if err != nil {
					var why error
					for _, id := range ids {
						why = errors.Join(why, r.WhyErased(cmd.Context(), id))
					}
					return errors.Join(faults, cmp.Or(why, err))
				}
				x.Folder, x.Entries = out, r.Log.Newest().Size
				if err := x.write(cmd.Context(), r, a.vaultKey(v)); err != nil {
					return err
				}
				if len(x.Others) > 0 {
					a.note(exportWordsIn(a.language()).others, strings.Join(x.Others, " "))
				}
				return errors.Join(faults, a.answer(x, func(w io.Writer) {
					say := exportWordsIn(a.language())
					lines(w, numbered(say.wrote+"\n"+say.verify+"\n", x.Folder, len(x.Bundles), int(x.Entries)))
					fmt.Fprintf(w, "  find \"%[1]s/bundles\" -name '*.tar' -exec muster audit verify --log \"%[1]s/log\" --key \"%[1]s/archive.pub\" {} +\n", printable(out))
				}))
			})
		}),
	}
	cmd.Flags().StringVar(&out, "out", "", "`FOLDER` to write into; made if it is not there")
	_ = cmd.MarkFlagDirname("out")
	f.flags(cmd)
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// chosen are the bundles that have some ids, or all where there are none.
func chosen(all []audit.Listed, ids []string, customer string) (x exported, err error) {
	const look = "muster audit list shows which there are"
	found := map[string]bool{}
	for _, b := range all {
		if len(ids) == 0 || slices.Contains(ids, b.ID) {
			found[b.ID], x.Bundles = true, append(x.Bundles, b.File)
			if customer != "" {
				x.Others = append(x.Others, b.Customers...)
			}
		}
	}
	slices.Sort(x.Others)
	x.Others = slices.DeleteFunc(slices.Compact(x.Others), func(c string) bool { return c == customer })
	for _, id := range ids {
		if !found[id] {
			return x, fmt.Errorf("%s: in no bundle of the archive that the flags leave; %s", printable(id), look)
		}
	}
	if len(x.Bundles) == 0 {
		return x, errors.New("audit export: the flags leave no bundle of the archive; " + look)
	}
	return x, nil
}

// write copies the bundles, the log and its key.
func (x exported) write(ctx context.Context, r *audit.Reader, key string) error {
	names, err := r.Files.List(ctx, bundle.LogFolder)
	if err != nil {
		return err
	}
	next := fmt.Sprintf("%012d", x.Entries) // what was appended since the log was read is none of this
	names = slices.DeleteFunc(names, func(name string) bool { return name >= next })
	for n := range names {
		names[n] = path.Join(bundle.LogFolder, names[n])
	}
	for _, name := range slices.Concat(names, x.Bundles) {
		content, err := r.Files.Get(ctx, name, bundle.MaxSize)
		if err == nil {
			err = whole(filepath.Join(x.Folder, filepath.FromSlash(name)), content)
		}
		if err != nil {
			return err
		}
	}
	text, err := bundle.Load(key, mostKey)
	if err != nil {
		return err
	}
	return whole(filepath.Join(x.Folder, "archive.pub"), text)
}

// emptyFolder asks that nothing is in a folder, or that there is none: what is in it may be for somebody else.
func emptyFolder(folder string) error {
	there, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("audit export: something is in folder %s already: want a new or empty one", folder)
	}
	return err
}

// whole writes a file, and the folders above it.
func whole(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return wholefile.Create(file, content, 0o600)
}
