package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"muster/internal/audit"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/node"
	"muster/internal/org"
	"muster/internal/report"
	"muster/internal/timeline"
	"muster/starter/cli"
	"muster/templates"
	"muster/workflows"
)

// vault is what the last act works with: an auditor has the files and the public key, and nothing else.
type vault struct {
	folder string
	public string // file of the key
	files  *bucket.Bucket
	keys   bundle.Keys
	reader *audit.Reader
	all    []audit.Listed
}

func (s *story) auditing() []scene {
	return []scene{
		{"all that has ended is archived, and the archive is whole", s.archives},
		{"each bundle is proven by the log and the public key alone", s.provesAll},
		{"each report that was handed out is in its bundle, byte for byte", s.keepsReports},
		{"each replays offline: the same decisions, timers, inputs, answers and state", s.replaysAll},
		{"who acted is proven by what the bundle of the first incident holds", s.provesActors},
		{"a copy with one byte changed is refused, and the message names the part", s.refusesTampered},
		{"a bundle under the name of another is refused", s.refusesSwapped},
		{"a log from which the newest entries were taken is refused", s.refusesRolledBack},
		{"the report on this month is counted from the bundles, and every figure is recounted", s.reportsMonth},
	}
}

func (s *story) archives(ctx context.Context) error {
	began := time.Now()
	data := filepath.Join(s.folder, "data")
	v := vault{folder: filepath.Join(data, node.ArchiveFolder)}
	pub := filepath.Join(data, strings.TrimSuffix(node.ArchiveKey, ".key")+".pub")
	text, err := os.ReadFile(pub)
	if err == nil {
		v.keys, err = bundle.ParseKeys(pub, text)
	}
	if err == nil {
		v.files, err = bucket.Open(ctx, v.folder)
	}
	if err != nil {
		return err
	}
	v.public = pub
	s.vault = v
	var asked time.Time
	err = until(ctx, func() (bool, error) {
		const often = 2 * time.Second // what has ended last may still be on its way into the lists: a later pass has it
		if time.Since(asked) > often {
			asked = time.Now()
			h := s.temporal.ScheduleClient().GetHandle(ctx, workflows.ArchiveSchedule)
			if err := h.Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
				return false, fmt.Errorf("start the archive: %w", err)
			}
		}
		return s.isWhole(ctx, began) == nil, nil
	})
	if err != nil {
		return errors.Join(err, s.isWhole(ctx, began))
	}
	s.say("     %d bundles, %d entries of the log, in %s\n", len(s.vault.all), s.vault.reader.Log.Newest().Size, v.folder)
	return nil
}

// isWhole asks that there is a census of what had ended when the act began, and nothing is missing.
func (s *story) isWhole(ctx context.Context, began time.Time) (err error) {
	v := &s.vault
	if v.reader, err = audit.OpenArchive(ctx, v.files, v.keys); err != nil {
		return err
	}
	c, err := v.reader.Completeness(ctx)
	if err != nil {
		return err
	}
	if c.Until.Before(began) || !c.Whole() {
		return fmt.Errorf("the censuses end at %s; gaps %+v, absent %v, unlogged %v", c.Until, c.Gaps, c.Absent, c.Unlogged)
	}
	if v.all, err = v.reader.List(ctx, audit.Filter{}); err != nil {
		return err
	}
	_, _, err = s.firstBundle(ctx)
	return err
}

func (s *story) provesAll(ctx context.Context) error {
	began := time.Now()
	for _, b := range s.vault.all {
		if _, err := s.vault.reader.Bundle(ctx, b.File); err != nil {
			return err
		}
	}
	s.say("     %d bundles in %s\n", len(s.vault.all), time.Since(began).Round(time.Millisecond))
	return nil
}

// keepsReports compares the reports in the bundles with those on the shelf.
func (s *story) keepsReports(ctx context.Context) error {
	handedOut := 0
	for _, x := range s.vault.all {
		shelf := filepath.Join(s.folder, "data", "reports", x.ID)
		files, err := os.ReadDir(shelf)
		if errors.Is(err, fs.ErrNotExist) || x.Closed.IsZero() || x.Kind == workflows.ReviewWorkflow { // a review is named as its incident is
			continue
		}
		if err != nil {
			return fmt.Errorf("list reports: %w", err)
		}
		b, err := s.vault.reader.Bundle(ctx, x.File)
		if err != nil {
			return err
		}
		for _, f := range files {
			want, err := os.ReadFile(filepath.Join(shelf, f.Name()))
			if err != nil {
				return fmt.Errorf("read report: %w", err)
			}
			if !bytes.Equal(b.Parts[bundle.ReportsFolder+f.Name()], want) {
				return fmt.Errorf("%s: %s%s is not what %s has", x.File, bundle.ReportsFolder, f.Name(), shelf)
			}
			handedOut++
		}
	}
	s.say("     %d files: Markdown, pages and PDF\n", handedOut)
	return nil
}

func (s *story) replaysAll(context.Context) error {
	began, events := time.Now(), 0
	for _, b := range s.vault.all {
		kept, err := audit.Open(s.vault.path(b.File), nil)
		if err != nil {
			return err
		}
		replayed, err := kept.Replay()
		if err == nil {
			err = replayed.Differences.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.File, err)
		}
		events += replayed.Events
	}
	s.say("     %d events in %s\n", events, time.Since(began).Round(time.Millisecond))
	return nil
}

func (v *vault) path(name string) string { return filepath.Join(v.folder, filepath.FromSlash(name)) }

// firstBundle is that of the first incident, or of the upgrade, the emergency, the last server or the first check where that is all that was played.
func (s *story) firstBundle(ctx context.Context) (name string, b *bundle.Bundle, err error) {
	id := cmp.Or(string(s.id), string(s.phoned), string(s.upgraded), string(s.changes.emergency), string(s.servers.last), strings.Join(s.month.done[:min(1, len(s.month.done))], ""))
	for _, x := range s.vault.all {
		if x.ID == id && x.Kind != workflows.ReviewWorkflow {
			b, err = s.vault.reader.Bundle(ctx, x.File)
			return x.File, b, err
		}
	}
	return "", nil, fmt.Errorf("%s is in no bundle", id)
}

func (s *story) provesActors(ctx context.Context) error {
	_, b, err := s.firstBundle(ctx)
	if err != nil {
		return err
	}
	keys, err := audit.DecodeKeys(bytes.NewReader(b.Parts[bundle.KeysPart]))
	if err != nil {
		return err
	}
	runs, err := audit.Decode(bytes.NewReader(b.Parts[bundle.HistoriesPart]))
	if err != nil {
		return err
	}
	verdicts, err := audit.Actors(runs, keys)
	if err != nil {
		return err
	}
	acted := 0
	for _, v := range verdicts {
		if v.Err != nil && !v.Refused {
			return fmt.Errorf("%s of %s: %w", v.Message, v.By.Shown(), v.Err)
		}
		if v.By.Kind == timeline.Person && v.Err == nil {
			acted++
		}
	}
	if acted == 0 {
		return fmt.Errorf("of %d messages none is by a person", len(verdicts))
	}
	return nil
}

// refusesTampered changes one byte in the timeline of a copy.
func (s *story) refusesTampered(ctx context.Context) error {
	name, b, err := s.firstBundle(ctx)
	if err != nil {
		return err
	}
	content, err := s.vault.files.Get(ctx, name, bundle.MaxSize)
	if err != nil {
		return err
	}
	content[bytes.Index(content, b.Parts[bundle.TimelinePart])+len(b.Parts[bundle.TimelinePart])/2] ^= 1
	copied := filepath.Join(s.folder, "tampered.tar")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		return fmt.Errorf("write tampered copy: %w", err)
	}
	_, err = audit.Open(copied, nil)
	if err == nil || !strings.Contains(err.Error(), bundle.TimelinePart) {
		return fmt.Errorf("got %v, want it refused because of %s", err, bundle.TimelinePart)
	}
	s.say("     %v\n", err)
	return nil
}

// refusesSwapped puts a bundle in the place of another one.
func (s *story) refusesSwapped(ctx context.Context) error {
	name, _, err := s.firstBundle(ctx)
	if err != nil {
		return err
	}
	content, err := s.vault.files.Get(ctx, name, bundle.MaxSize)
	if err != nil {
		return err
	}
	_, err = bundle.Verify("incident-INC-0000000000.tar", content, s.vault.reader.Log)
	if err == nil || !strings.Contains(err.Error(), "under another name") {
		return fmt.Errorf("got %v, want it refused", err)
	}
	return nil
}

// refusesRolledBack takes the newest file of a copy of the log away, and compares it with the checkpoint that somebody has kept.
func (s *story) refusesRolledBack(ctx context.Context) error {
	copied := filepath.Join(s.folder, "rolled-back-log")
	if err := os.CopyFS(copied, os.DirFS(s.vault.path(bundle.LogFolder))); err != nil {
		return fmt.Errorf("copy log: %w", err)
	}
	files, err := os.ReadDir(copied)
	if err != nil {
		return fmt.Errorf("copy log: %w", err)
	}
	if err := os.Remove(filepath.Join(copied, files[len(files)-1].Name())); err != nil {
		return fmt.Errorf("roll log back: %w", err)
	}
	log, err := bundle.Open(ctx, bundle.Folder(copied), s.vault.keys)
	if err != nil {
		return err
	}
	kept := s.vault.reader.Log.Newest()
	if err := log.Continues("kept.txt", kept); err == nil || !strings.Contains(err.Error(), "rolled back") {
		return fmt.Errorf("got %v, want it refused", err)
	}
	return nil
}

// reportsMonth uses the commands as an auditor does.
func (s *story) reportsMonth(ctx context.Context) error {
	organisation := filepath.Join(s.folder, "organisation")
	o, err := org.Load(organisation)
	if err != nil {
		return err
	}
	month := time.Now().In(o.Zone).Format("2006-01")
	counted := filepath.Join(s.folder, month+".json")
	archive := []string{"--archive", s.vault.folder, "--key", s.vault.public, "--lang", s.Language}
	period := append([]string{"report", "period", month, "--org", organisation}, archive...)
	if _, err := s.muster(ctx, append(period, "--format", "json", "--out", counted)...); err != nil {
		return err
	}
	proven, err := s.muster(ctx, append([]string{"report", "verify", counted}, archive...)...)
	if err != nil {
		return err
	}
	text, err := s.muster(ctx, period...)
	if err != nil {
		return err
	}
	for _, kind := range []string{"md", "html"} {
		if _, err := s.muster(ctx, append(period, "--format", kind, "--out", filepath.Join(s.folder, month+"."+kind))...); err != nil {
			return err
		}
	}
	const most = 40
	lines := strings.Split(text, "\n")
	s.say("\n%s\n\n     … all of it: %s\n     %s", strings.Join(lines[:min(most, len(lines))], "\n"), filepath.Join(s.folder, month+".html"), proven)
	return nil
}

// muster runs one command without a server.
func (s *story) muster(ctx context.Context, args ...string) (string, error) {
	var out, faults bytes.Buffer
	code := cli.Run(ctx, cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &faults, Getenv: func(string) string { return "" }, Now: time.Now, Home: s.folder,
		Texts: func() (*report.Texts, error) { return report.New(templates.FS) },
	}, args)
	if code != 0 {
		return "", fmt.Errorf("muster %s: exit code %d: %s", strings.Join(args, " "), code, faults.String())
	}
	return out.String(), nil
}
