package bench

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// kind tells what a row's target is.
type kind int

const (
	plain    kind = iota // no target: shown
	absolute             // holds for a machine
	ratio                // ours to raw: holds anywhere
)

// A row is one figure.
type row struct {
	measurement, what string
	target, measured  string
	kind              kind
	met               bool
}

// table collects what was measured.
type table struct{ rows []row }

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// show adds a figure without a target.
func (t *table) show(measurement, what, format string, args ...any) {
	t.add(row{measurement: measurement, what: what, measured: fmt.Sprintf(format, args...)})
}

func (r row) verdict() string {
	switch {
	case r.kind == plain:
		return ""
	case r.met:
		return "met"
	}
	return "missed"
}

func (t *table) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "measurement\twhat\ttarget\tmeasured\tverdict")
	for _, r := range t.rows {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", r.measurement, r.what, r.target, r.measured, r.verdict())
	}
	return out.Flush()
}

// missed returns an error that names the missed targets.
func (t *table) missed(strict bool) error {
	var names []string
	for _, r := range t.rows {
		if r.verdict() == "missed" && (r.kind == ratio || strict) {
			names = append(names, fmt.Sprintf("%s: %s: %s, want %s", r.measurement, r.what, r.measured, r.target))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return errors.New("bench: targets missed:\n  " + strings.Join(names, "\n  "))
}
