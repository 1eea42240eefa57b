// Package bench measures Muster against raw: the same incident written by hand on the same engine, without state, rules
// or texts. Both run in this process, on one embedded Temporal with SQLite and full sync or with PostgreSQL, on the same task
// queues, in the same workers; rounds of the two alternate, so that whatever else the machine does meets both alike. Figures are medians
// over the rounds. What is compared is a ratio and holds on any machine; what is absolute holds for the machine that the
// output describes.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/internal/postgres"
)

// Options say what is measured, and how long for.
type Options struct {
	Rounds  int      // rounds of raw and of ours that alternate; 0 means 5
	Quick   bool     // small numbers: shows in a minute that everything runs, says nothing about speed
	Only    []string // names of measurements, see Names; empty for all
	Strict  bool     // a missed target that is no ratio is an error as well
	Folder  string   // for databases; empty for a temporary one. What a run makes there it removes
	Profile string   // folder for CPU profiles, one for each measurement and side; empty for none
	// Database of PostgreSQL; nil for SQLite. Databases whose names begin with its own are made and removed beside it.
	Database *postgres.Database
	Out      io.Writer // for the tables and what is under way
}

// A measurement fills in rows.
type measurement struct {
	name  string
	run   func(*bench, context.Context) error
	asked bool // it takes so long that it runs only when it is named
}

func measurements() []measurement {
	return []measurement{
		{name: "life", run: (*bench).life},
		{name: "open", run: (*bench).open},
		{name: "firstpage", run: (*bench).firstPage},
		{name: "duplicates", run: (*bench).duplicates},
		{name: "alerts", run: (*bench).distinctAlerts},
		{name: "groups", run: (*bench).distinctGroups},
		{name: "deadlines", run: (*bench).deadlines},
		{name: "priority", run: (*bench).priority},
		{name: "plans", run: (*bench).plans},
		{name: "verify", run: (*bench).verify},
		{name: "replay", run: (*bench).replay},
		{name: "workers", run: (*bench).workers, asked: true},
		{name: "growth", run: (*bench).growth, asked: true},
	}
}

// Names lists the measurements in the order in which they run.
func Names() []string {
	var names []string
	for _, m := range measurements() {
		names = append(names, m.name)
	}
	return names
}

// bench is one run of measurements.
type bench struct {
	Options
	table   table
	engines int // that were started
}

// Run measures and prints. Its error names the targets that were missed: ratios always, absolute ones when Strict.
func Run(ctx context.Context, o Options) error {
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("bench: measurement %q: want %s", name, strings.Join(Names(), ", "))
		}
	}
	own, err := os.MkdirTemp(o.Folder, "muster-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = os.RemoveAll(own) }()
	o.Folder = own
	o.Rounds = cmp.Or(o.Rounds, 5)
	if o.Quick {
		o.Rounds = 1
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	b := &bench{Options: o}
	b.say("%s", machine(own))
	if o.Database != nil {
		b.say("PostgreSQL: %s; processor time is that of the whole machine, its own included", o.Database)
	}
	began := start()
	for _, m := range measurements() {
		if named := slices.Contains(o.Only, m.name); !named && (m.asked || len(o.Only) > 0) {
			continue
		}
		b.say("measuring %s", m.name)
		if err := m.run(b, ctx); err != nil {
			return fmt.Errorf("bench: measure %s: %w", m.name, err)
		}
	}
	whole := began.end()
	b.say("took %s; meanwhile other programs used %.2f of %d cores\n", whole.wall.Round(time.Second), whole.others, cores())
	if err := b.table.print(o.Out); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return b.table.missed(o.Strict)
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.Out, format+"\n", args...) }

// pick returns the full number, or the small one of a quick run.
func (b *bench) pick(full, quick int) int {
	if b.Quick {
		return quick
	}
	return full
}

func (b *bench) span(full, quick time.Duration) time.Duration {
	return time.Duration(b.pick(int(full), int(quick)))
}

// on runs a measurement on an engine of its own, in a folder of its own.
func (b *bench) on(ctx context.Context, o engineOptions, measure func(*engine) error) error {
	folder, err := os.MkdirTemp(b.Folder, "engine-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if b.Database != nil {
		b.engines++
		o.database = b.Database.Beside(fmt.Sprintf("%s_bench_%d_%d", b.Database.Name(), os.Getpid(), b.engines))
		defer func() {
			for _, name := range []string{o.database.Name(), o.database.Name() + "_visibility"} {
				if err := o.database.Beside(name).Drop(context.WithoutCancel(ctx)); err != nil {
					b.say("%v", err)
				}
			}
		}()
	}
	e, err := startEngine(ctx, filepath.Join(folder, "data"), b.Out, o)
	if err != nil {
		return err
	}
	defer e.stop()
	return measure(e)
}
