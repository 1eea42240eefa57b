package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/period"
	"muster/internal/wholefile"
)

// importOrder is what is handed in, and for what.
type importOrder struct{ kind, customer, period, into, reason string }

// customerIDs may name a folder.
var customerIDs = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (o *importOrder) check() error {
	switch {
	case !slices.Contains(period.ImportKinds(), period.ImportKind(o.kind)):
		return misused("--kind %q: want %s", o.kind, joined(period.ImportKinds()))
	case !customerIDs.MatchString(o.customer):
		return misused("--customer %q: want the ID of a customer: small letters, digits and hyphens", o.customer)
	case o.into == "":
		return misused("--into: missing; it names the folder in which imports are kept")
	}
	if _, err := period.Parse(o.period); err != nil {
		return misused("--period: %s", err)
	}
	return nil
}

func (a *app) reportImport() *cobra.Command {
	var o importOrder
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Hand in what no history holds, for the report of a customer",
		Long: "Check a CSV file with a header, or a JSON list of objects with the same names, and keep it with its SHA-256. The same content once\n" +
			"more changes nothing; other content corrects what is there, and wants a reason. What was corrected stays.\n\n" + importColumns(),
		Example: "  muster report import costs.csv --kind billing --customer garam --period 2026-11 --into ./imports\n" +
			"  muster report import costs.csv --kind billing --customer garam --period 2026-11 --into ./imports --reason \"a credit was missing\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("FILE")(nil, args); err != nil {
				return err
			}
			return o.check()
		},
		RunE: a.shows(func(_ *cobra.Command, args []string) error { return a.keepImport(args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.kind, "kind", "", "`KIND`: "+joined(period.ImportKinds()))
	f.StringVar(&o.customer, "customer", "", "`ID` of the customer")
	f.StringVar(&o.period, "period", "", "`PERIOD` that it is for, such as 2026-11 or 2026-W48")
	f.StringVar(&o.into, "into", "", "`FOLDER` in which imports are kept")
	f.StringVar(&o.reason, "reason", "", "`TEXT`: why it corrects what is there")
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(period.ImportKinds()))
	_ = cmd.MarkFlagDirname("into")
	a.viewFlags(cmd)
	return cmd
}

// importColumns says what each kind wants.
func importColumns() string {
	var b strings.Builder
	b.WriteString("Columns by kind, all of them in this order:\n")
	for _, k := range period.ImportKinds() {
		var names []string
		for _, c := range period.Columns(k) {
			names = append(names, c.Name)
		}
		fmt.Fprintf(&b, "  %-14s %s\n", k, strings.Join(names, ","))
	}
	b.WriteString("Dates are days of the period; numbers have a point and no thousands separators. Units: " + joined(period.Units()) + ".")
	return b.String()
}

// A keptImport is what was handed in, as a command shows it.
type keptImport struct {
	File string `json:"file"`
	Rows int    `json:"rows"`
	Same bool   `json:"same,omitempty"` // it was there already
	*period.Import
}

func (a *app) keepImport(file string, o importOrder) error {
	content, err := readImportFile(file)
	if err != nil {
		return err
	}
	i, err := period.NewImport(period.ImportKind(o.kind), o.customer, o.period, filepath.Base(file), content)
	if err != nil {
		return err
	}
	folder := filepath.Join(o.into, o.customer, o.period)
	before, err := newestImport(folder, i.Kind)
	if err != nil {
		return err
	}
	say := reportLabelsIn(a.language())
	show := func(i *period.Import, same bool, text string, args ...any) error {
		shown := *i
		shown.Content = ""
		return a.answer(keptImport{importFile(folder, i.Kind, i.Revision), len(i.Rows()), same, &shown}, func(w io.Writer) {
			lines(w, numbered(text+"\n", args...))
		})
	}
	if before != nil && before.SHA256 == i.SHA256 {
		return show(before, true, say.again, importFile(folder, i.Kind, before.Revision), i.SHA256)
	}
	if before != nil {
		if err := i.Correct(before, o.reason); err != nil {
			return err
		}
	}
	i.Imported = a.env.Now().UTC()
	if err := writeImport(folder, i); err != nil {
		return err
	}
	path := importFile(folder, i.Kind, i.Revision)
	if before != nil {
		return show(i, false, say.corrected, path, before.Revision, len(i.Rows()), i.SHA256)
	}
	return show(i, false, say.imported, path, len(i.Rows()), i.SHA256)
}

// readImportFile reads no more than an import may be.
func readImportFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, period.MaxImport+1))
}

func importFile(folder string, k period.ImportKind, revision int) string {
	return filepath.Join(folder, fmt.Sprintf("%s.%d.json", k, revision))
}

func writeImport(folder string, i *period.Import) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keep import: %w", err)
	}
	var b bytes.Buffer
	if err := encode(&b, i, "  "); err != nil {
		return fmt.Errorf("keep import: %w", err)
	}
	if err := wholefile.Write(importFile(folder, i.Kind, i.Revision), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("keep import: %w", err)
	}
	return nil
}

// newestImport reads the newest revision of what was handed in, nil where nothing was. All revisions before it must still be there
// as they were.
func newestImport(folder string, k period.ImportKind) (newest *period.Import, err error) {
	for revision := 1; ; revision++ {
		path := importFile(folder, k, revision)
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			later, err := filepath.Glob(filepath.Join(folder, string(k)+".*.json"))
			if err == nil && len(later) >= revision {
				err = fmt.Errorf("%s: missing, and there is %s; what was handed in stays when it is corrected", path, later[len(later)-1])
			}
			return newest, err
		}
		if err != nil {
			return nil, fmt.Errorf("read import: %w", err)
		}
		i, err := period.ReadImport(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i.Kind != k || i.Revision != revision || filepath.Join(i.Customer, i.Period) != filepath.Join(filepath.Base(filepath.Dir(folder)), filepath.Base(folder)) {
			return nil, fmt.Errorf("%s: it is %s of %s for %s, revision %d; it does not belong here", path, i.Kind, i.Customer, i.Period, i.Revision)
		}
		newest = i
	}
}

// importedFor lists the customers for whom something was handed in.
func importedFor(folder string) (customers []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && customerIDs.MatchString(e.Name()) {
			customers = append(customers, e.Name())
		}
	}
	return customers, nil
}

// importsOf reads the newest revisions of what was handed in for a period, and for its months.
func importsOf(folder, customer, of string) (all []period.Import, err error) {
	p, err := period.Parse(of)
	if err != nil {
		return nil, err
	}
	if !customerIDs.MatchString(customer) {
		return nil, fmt.Errorf("customer %q: want the ID of a customer: small letters, digits and hyphens", customer)
	}
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	names := []string{of}
	for _, part := range p.Parts() {
		if part.String() != of {
			names = append(names, part.String())
		}
	}
	for _, name := range names {
		for _, k := range period.ImportKinds() {
			i, err := newestImport(filepath.Join(folder, customer, name), k)
			if err != nil {
				return nil, err
			}
			if i != nil {
				all = append(all, *i)
			}
		}
	}
	return all, nil
}
