package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/examples"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/org"
)

// ears remember what they were told, and who is listened for.
type ears struct {
	told  []string
	runs  []string
	fault error // of the first heartbeat
}

func (e *ears) Define(_ context.Context, d heartbeat.Definition, hears time.Time) error {
	e.told = append(e.told, fmt.Sprintf("%s every %s, new %t", d.ID, d.Every, !hears.IsZero()))
	if d.ID == "a" && e.fault != nil {
		return e.fault
	}
	if !slices.Contains(e.runs, d.ID) {
		e.runs = append(e.runs, d.ID)
	}
	return nil
}

func (e *ears) Retire(_ context.Context, id string, f incident.Folder) error {
	e.told = append(e.told, "no "+id)
	e.runs = slices.DeleteFunc(e.runs, func(run string) bool { return run == id })
	return nil
}

func (e *ears) Running(context.Context) ([]string, error) { return slices.Clone(e.runs), nil }

func TestWhatIsListenedForIsWhatTheFolderSays(t *testing.T) {
	dir := t.TempDir()
	must(t, os.CopyFS(dir, examples.FS))
	dir = filepath.Join(dir, "org")
	sources, err := os.ReadFile(filepath.Join(dir, "sources.yaml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "sources.yaml"), append(sources, "  - {id: jobs, type: heartbeat}\n"...), 0o600))
	write := func(text string) {
		must(t, os.WriteFile(filepath.Join(dir, "heartbeats.yaml"), []byte("heartbeats:\n"+text), 0o600))
	}
	a, b := "  - {id: a, source: jobs, every: 1h, grace: 1m}\n", "  - {id: b, source: jobs, every: 1h, grace: 1m}\n"
	write(a + b)
	live, err := org.Open(dir)
	must(t, err)
	e := &ears{fault: errors.New("no connection"), runs: []string{"old"}}
	k := &listening{live: live, to: e, since: time.Now()}
	follows := func(what string, fails bool, want ...string) {
		t.Helper()
		e.told = nil
		_, err := live.Reload()
		must(t, err)
		if err := k.follow(t.Context()); (err != nil) != fails {
			t.Errorf("%s: got %v", what, err)
		}
		if d := cmp.Diff(want, e.told); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	follows("at the start, and one is not told", true, "a every 1h0m0s, new true", "b every 1h0m0s, new true", "no old")
	e.fault = nil
	follows("again", false, "a every 1h0m0s, new true")
	follows("nothing is new", false)
	write(a + "  - {id: b, source: jobs, every: 2h, grace: 1m}\n")
	follows("one has changed", false, "b every 2h0m0s, new false")
	e.runs = []string{"b"}
	follows("somebody has ended one", false, "a every 1h0m0s, new false")
	write(a)
	follows("one is gone", false, "no b")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
