package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/wholefile"
)

// exported is what an export has written.
type exported struct {
	Folder  string   `json:"folder"`
	Bundles []string `json:"bundles"`
	Entries int64    `json:"entries"` // of the log
}

func exportWords(language string) (wrote, verify string) {
	if language == "ko" {
		return "%s: 번들 %d건, 항목 %d건의 로그, 공개 키", "서버 없이 검증:"
	}
	return "%s: %d bundle(s), the log with %d entries, the public key", "to verify them, without a server:"
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
their own machine. Of what else is in the archive, the log has names of files and their SHA-256.`,
		Example: "  muster audit export " + anID + " --out for-the-auditor\n  muster audit export --customer garam --from 2026-10-01 --until 2027-01-01 --out garam-q4",
		Args:    cobra.ArbitraryArgs, DisableFlagsInUseLine: true, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, ids []string) error {
			if out == "" {
				return misused("--out: missing; it names the folder to write")
			}
			if err := f.parse(); err != nil {
				return err
			}
			return a.read(cmd.Context(), v, func(r *audit.Reader) error {
				all, faults := r.List(cmd.Context(), f.Filter)
				x, err := chosen(all, ids)
				for _, id := range ids {
					if why := r.WhyErased(cmd.Context(), id); why != nil && err != nil {
						err = why
					}
				}
				if err != nil {
					return errors.Join(faults, err)
				}
				x.Folder, x.Entries = out, r.Log.Newest().Size
				if err := x.write(cmd.Context(), r, a.vaultKey(v)); err != nil {
					return err
				}
				return errors.Join(faults, a.answer(x, func(w io.Writer) {
					wrote, verify := exportWords(a.language())
					lines(w, fmt.Sprintf(wrote+"\n"+verify+"\n", x.Folder, len(x.Bundles), x.Entries))
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
func chosen(all []audit.Listed, ids []string) (x exported, err error) {
	const look = "muster audit list shows which there are"
	found := map[string]bool{}
	for _, b := range all {
		if len(ids) == 0 || slices.Contains(ids, b.ID) {
			found[b.ID], x.Bundles = true, append(x.Bundles, b.File)
		}
	}
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
			err = once(filepath.Join(x.Folder, filepath.FromSlash(name)), content)
		}
		if err != nil {
			return err
		}
	}
	text, err := bundle.Load(key, mostKey)
	if err != nil {
		return err
	}
	return once(filepath.Join(x.Folder, "archive.pub"), text)
}

// once writes a file, unless it is there as it should be.
func once(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	err := wholefile.Create(file, content, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if before, err := os.ReadFile(file); err != nil || !bytes.Equal(before, content) {
		return errors.Join(err, fmt.Errorf("write %s: there is another file of that name: want an empty folder", file))
	}
	return nil
}
