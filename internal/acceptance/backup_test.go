package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"muster/internal/audit"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/incident"
	"muster/internal/node"
	"muster/internal/postgrestest"
	"muster/internal/timeline"
	"muster/workflows"
)

// What was copied as docs/operations.md says goes on elsewhere as if nothing had happened: an open incident is acknowledged and comes to its
// end there, its history replays, tokens let in, and the archive is whole and gone on with.
func TestABackupGoesOnElsewhere(t *testing.T) {
	t.Run("stopped", func(t *testing.T) {
		s := newSystem(t, nil)
		s.restored(t, func(to string) error {
			s.running.Stop()
			return tree(t.Context(), s.folder, to)
		})
		s.sink.check(t)
	})
	// A process that is stopped in the midst of its work leaves what a snapshot of the file system has: all files as they were at one instant.
	t.Run("snapshot", func(t *testing.T) {
		s, _, now := mortal(t, "node", newReceiver(t), nil)
		s.restored(t, func(to string) error {
			defer now.kill()
			return errors.Join(now.freeze(), tree(t.Context(), s.folder, to))
		})
		s.sink.check(t)
	})
}

// The same on PostgreSQL: a base backup is both databases as they were at one instant, and the data folder with the keys may be of another one.
func TestABackupOfPostgresGoesOnElsewhere(t *testing.T) {
	was := postgrestest.Start(t)
	sink, folder := newReceiver(t), t.TempDir()
	organise(t, folder, sink.url, nil)
	in := func(c *postgrestest.Cluster) func(*node.DevConfig) {
		return func(cfg *node.DevConfig) { cfg.Database, cfg.Archive.Settle = c.URL("muster"), time.Second }
	}
	s := nodeAt(t, folder, sink, in(was))
	now := was
	s.restored(t, func(to string) error {
		is, err := was.Backup(t)
		now = is
		return errors.Join(err, tree(t.Context(), s.folder, to), was.Stop("immediate"))
	}, func(c *node.DevConfig) { in(now)(c) })
	// What was sent between the copy and the end goes out again: under one id there may be another text, as docs/operations.md says.
}

// restored has a system work, copies its folders meanwhile, takes the old ones away, and goes on with the copy.
func (s *system) restored(t *testing.T, copied func(to string) error, settings ...func(*node.DevConfig)) {
	t.Helper()
	over := s.open(t, "shop", "ended")
	s.awaitPage(t, "/ann/app", 1)
	must(t, do(t.Context(), s.api, over, incident.Acknowledge{}, "first"))
	must(t, deliver(t.Context(), s.url, body("shop", "ended", "resolved", 1, "")))
	s.state(t, over, "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed && settled(i) })
	open := s.open(t, "shop", "goes on")

	ctx, enough := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for n := range 4 {
		busy.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				_, _ = post(ctx, s.url, body("shop", fmt.Sprintf("busy-%d-%d", n, k%3), "firing", 1, ""))
			}
		})
	}
	must(t, until(ctx, "it is busy", func() error {
		all, err := byGroup(ctx, s.api)
		if err == nil && len(all) < 8 {
			err = fmt.Errorf("%d groups have incidents", len(all))
		}
		return err
	}))
	to := t.TempDir()
	err := copied(to)
	enough()
	busy.Wait()
	must(t, errors.Join(err, os.RemoveAll(filepath.Join(s.folder, "data")), os.RemoveAll(filepath.Join(s.folder, "organisation"))))

	second := nodeAt(t, to, s.sink, append(settings, func(c *node.DevConfig) { c.Archive.Settle = time.Second })...)
	must(t, do(t.Context(), second.api, open, incident.Acknowledge{}, "restored"))
	must(t, deliver(t.Context(), second.url, body("shop", "goes on", "resolved", 1, "")))
	i := second.state(t, open, "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed && settled(i) })
	if first := i.Timeline.Entries[0].Kind; first != timeline.IncidentOpened {
		t.Errorf("the timeline begins with %s", first)
	}
	checkReplay(t, second.api, open)
	second.checkArchive(t, over, open)
}

// tree copies the folders of an installation as they are.
func tree(ctx context.Context, from, to string) error {
	file := filepath.Join(to, "backup.tar")
	for _, args := range [][]string{{"-C", from, "-cf", file, "data", "organisation"}, {"-C", to, "-xpf", file}} {
		if said, err := exec.CommandContext(ctx, "tar", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("tar %s: %w: %s", strings.Join(args, " "), err, said)
		}
	}
	return nil
}

// checkArchive waits until incidents are archived, and proves the archive.
func (s *system) checkArchive(t *testing.T, ids ...incident.ID) {
	t.Helper()
	ctx, data := t.Context(), filepath.Join(s.folder, "data")
	public, err := os.ReadFile(filepath.Join(data, "archive.pub"))
	must(t, err)
	keys, err := bundle.ParseKeys("archive.pub", public)
	must(t, err)
	files, err := bucket.Open(ctx, filepath.Join(data, node.ArchiveFolder))
	must(t, err)
	defer func() { _ = files.Close() }()
	var archive *audit.Reader
	must(t, until(ctx, "all are archived", func() error {
		if err := s.running.Temporal.ScheduleClient().GetHandle(ctx, workflows.ArchiveSchedule).Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
			return err
		}
		if archive, err = audit.OpenArchive(ctx, files, keys); err != nil {
			return err
		}
		for _, id := range ids {
			found, err := archive.List(ctx, audit.Filter{ID: string(id)})
			if err != nil || len(found) == 0 {
				return errors.Join(err, fmt.Errorf("%s is not", id))
			}
		}
		return nil
	}))
	if c, err := archive.Completeness(ctx); err != nil || len(c.Gaps)+len(c.Absent)+len(c.Altered)+len(c.Hasty) > 0 {
		t.Errorf("the archive: %+v, %v", c, err)
	}
}
