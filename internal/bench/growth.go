package bench

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"muster/internal/postgres"
)

// size is what an engine with so many open incidents is like.
type size struct {
	open   int
	rate   float64 // incidents opened and paged in a second, the last thousand of them
	memory float64 // live, of this process beyond that of the empty engine: engine, worker and load, in MB
	disk   float64 // of the databases, in MB
	burst  burst   // of a thousand deadlines in one second
}

// growth compares what open incidents cost: each side fills an engine of its own.
func (b *bench) growth(ctx context.Context) error {
	counts := []int{1_000, 10_000, 50_000}
	if b.Quick {
		counts = []int{20, 40, 80}
	}
	due := b.pick(1_000, 20)
	sizes := map[string][]size{}
	for _, name := range []string{"raw", "ours"} {
		err := b.on(ctx, engineOptions{}, func(e *engine) error {
			s := e.raw()
			if name == "ours" {
				s = e.ours()
			}
			empty := liveMemory()
			open, rate := 0, 0.0
			for _, count := range counts {
				for open < count {
					const part = 1_000
					n := min(part, count-open)
					o, err := e.openMany(ctx, s, fmt.Sprintf("grow%d", open), n, func(int) pace { return idlePace() })
					if err != nil {
						return err
					}
					open += n
					rate = o.paged
				}
				if err := pause(ctx, b.span(10*time.Second, time.Second)); err != nil { // tickets and searches of the last ones
					return err
				}
				z := size{open: open, rate: rate, memory: liveMemory() - empty}
				var err error
				if z.disk, err = e.disk(ctx); err != nil {
					return err
				}
				if z.burst, err = e.burst(ctx, s, fmt.Sprintf("due%d", count), due); err != nil {
					return err
				}
				open += due + max(due/10, 10) // they stay open, and those by which the burst was tried
				b.say("  %s, %d open: %.1f/s paged, %.0f MB of memory, %.0f MB on disk, last of %d pages %.2f s after its deadline", name, z.open, z.rate, z.memory,
					z.disk, due, z.burst.last.Seconds())
				sizes[name] = append(sizes[name], z)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for n, ours := range sizes["ours"] {
		raw := sizes["raw"][n]
		at := func(what string) string { return fmt.Sprintf("%d open: %s, to raw", ours.open, what) }
		b.table.show("growth", at("incidents opened and paged"), "%.3f (%.1f/s to %.1f/s)", ours.rate/raw.rate, ours.rate, raw.rate)
		b.table.show("growth", at("memory"), "%.3f (%.0f MB to %.0f MB)", ours.memory/raw.memory, ours.memory, raw.memory)
		b.table.show("growth", at("disk"), "%.3f (%.0f MB to %.0f MB)", ours.disk/raw.disk, ours.disk, raw.disk)
		b.table.show("growth", at(fmt.Sprintf("last of %d pages due in one second", due)), "%.3f (%.2f s to %.2f s)", ours.burst.last.Seconds()/raw.burst.last.Seconds(),
			ours.burst.last.Seconds(), raw.burst.last.Seconds())
	}
	return nil
}

// liveMemory is what objects and stacks of this process take after a collection, in MB. What the operating system has given to it would tell
// of the engines before as well.
func liveMemory() float64 {
	debug.FreeOSMemory() // collects first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc+m.StackInuse) / (1 << 20)
}

// disk is what the databases take, in MB.
func (e *engine) disk(ctx context.Context) (float64, error) {
	var bytes int64
	if e.database != nil {
		for _, d := range []*postgres.Database{e.database, e.database.Beside(e.database.Name() + "_visibility")} {
			db := d.Open()
			var n int64
			err := db.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&n)
			_ = db.Close()
			if err != nil {
				return 0, fmt.Errorf("measure database %s: %w", d, err)
			}
			bytes += n
		}
		return float64(bytes) / (1 << 20), nil
	}
	err := filepath.WalkDir(e.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return float64(bytes) / (1 << 20), err
}
