package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/activities"
	"muster/internal/audit"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/keyring"
	"muster/internal/metrics"
	"muster/internal/org"
	"muster/internal/retention"
	"muster/internal/wholefile"
	"muster/starter"
	"muster/worker"
)

// An ArchiveConfig says where what has ended is kept.
type ArchiveConfig struct {
	Where string // a folder, or s3://…; empty: nothing is kept
	Key   string // file of the private key that signs its log; the public one is beside it. Empty: one in the data folder, made if there is none

	Every  time.Duration // a pass is made; an hour
	Settle time.Duration // for which lists may lag behind; 30 s

	Encrypted bool // with the payload keys
}

// margin is how long before Temporal may drop what could not be archived somebody is told.
const margin = 3 * 24 * time.Hour

// keeps opens the archive, which only whoever has a key for it writes to.
func (n *Node) keeps(ctx context.Context) (*activities.Archives, error) {
	c := n.cfg.Archive
	if c.Where == "" {
		return nil, nil
	}
	private, public, err := logKey(c.Key, n.cfg.Data)
	if err != nil {
		return nil, err
	}
	b, err := n.bucket(ctx)
	if err != nil {
		return nil, err
	}
	n.archive = &audit.Archive{
		Files: b, Keys: public, Private: private, Margin: margin, Settle: cmp.Or(c.Settle, 30*time.Second),
		Tell:   func(w audit.Warning) { n.alarms.tell(notArchived, w.Run.Workflow) },
		Memory: remembered(filepath.Join(n.cfg.Data, "archive.checkpoint")),
		Retention: func() (retention.Policy, error) {
			if err := n.org.Fault(); err != nil { // it may put a hold on something
				return retention.Policy{}, fmt.Errorf("the organisation folder has a fault, so nothing is erased: %w", err)
			}
			return n.org.Current().Retention(), nil
		},
		NotErased: func(err error) {
			n.cfg.Log.Error("what need not stay is not erased", "error", err)
			n.alarms.tell(notErased, err.Error())
		},
		Exporter: &audit.Exporter{
			Source: &n.runs, Keys: n.publicKeys, Reports: worker.ArchivedReports(n.texts), Document: worker.Reports(n.cfg.Data).Get,
			Remark: func(run string, err error) {
				n.cfg.Log.Warn("archived, and not as it should be", "run", run, "error", err)
			},
		},
	}
	n.archive.Exporter.Earlier = n.archive.Earlier
	if n.payloads != nil {
		n.archive.Payloads = n.payloads
	}
	if c.Encrypted {
		if n.payloads == nil {
			return nil, errors.New("encrypt the archive: want payload keys")
		}
		n.archive.Newest = n.payloads.Newest
	}
	if n.payloads != nil && !c.Encrypted {
		n.cfg.Log.Warn("payloads are encrypted, and what is archived is not: --archive-encrypted encrypts it too")
	}
	n.spool = &spool{files: b, log: n.cfg.Log, store: n.store}
	n.org.EachVersion(func(v org.Version) { n.spool.version(v, time.Now()) })
	now := time.Now()
	return &activities.Archives{Archivist: &archivist{Archive: n.archive, node: n, shown: n.metrics.Archiving(now), done: now}}, nil
}

// remembered keeps the newest checkpoint of the log in the data folder. Copies of it elsewhere prove more.
type remembered string

// Load reads it.
func (file remembered) Load() ([]byte, error) {
	text, err := os.ReadFile(string(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// Save writes it.
func (file remembered) Save(checkpoint []byte) error {
	return wholefile.Write(string(file), checkpoint, 0o644)
}

func (n *Node) bucket(ctx context.Context) (*bucket.Bucket, error) {
	b, err := bucket.Open(ctx, n.cfg.Archive.Where)
	if err != nil {
		return nil, err
	}
	n.onStop(func() {
		if err := b.Close(); err != nil {
			n.cfg.Log.Error("archive not closed", "error", err)
		}
	})
	return b, nil
}

// leaves has a process that writes no log leave in the archive what it has refused, for the worker that writes the log.
func (n *Node) leaves(ctx context.Context) error {
	if n.cfg.Archive.Where == "" {
		return nil
	}
	b, err := n.bucket(ctx)
	if err != nil {
		return err
	}
	s := &spool{files: b, log: n.cfg.Log}
	if n.cfg.Store == "" { // a shared one is read by the worker that writes the archive, and by nobody else
		s.store = n.store
	}
	n.beside(ctx, func(ctx context.Context) {
		for ticker := time.NewTicker(cmp.Or(n.cfg.Archive.Every, time.Hour)); ; {
			if err := s.flush(ctx); err != nil && ctx.Err() == nil {
				n.cfg.Log.Error("refused attempts are not archived", "error", err)
			}
			select {
			case <-ctx.Done():
				ticker.Stop()
				return
			case <-ticker.C:
			}
		}
	})
	return nil
}

// logKey reads the keys of the log. Where no file is named, it is one in the data folder, which is made if there is none.
func logKey(file, data string) (private string, public bundle.Keys, err error) {
	makes := file == ""
	if makes {
		file = filepath.Join(data, ArchiveKey)
	}
	pub := strings.TrimSuffix(file, ".key") + ".pub"
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && makes {
		var half string
		if private, half, err = bundle.NewKey("muster.local"); err == nil {
			// A public half that is there proves an archive that there is: its key is lost, and no other one goes on with it.
			if err = wholefile.Create(pub, []byte(half+"\n"), 0o644); errors.Is(err, fs.ErrExist) {
				return "", public, fmt.Errorf("read key of the archive: %s is not there, and %s proves an archive that was signed by it: want that key back, "+
					"or both that file and the archive elsewhere, and another archive begins", file, pub)
			}
			if err == nil {
				err = wholefile.Create(file, []byte(private+"\n"), 0o600)
			}
		}
		text = []byte(private)
	}
	if err != nil {
		return "", public, fmt.Errorf("read key of the archive: %w; muster audit keygen makes one", err)
	}
	known, err := os.ReadFile(pub)
	if err != nil {
		return "", public, fmt.Errorf("read public key of the archive: %w; want it beside %s", err, file)
	}
	public, err = bundle.ParseKeys(pub, known)
	return strings.TrimSpace(string(text)), public, err
}

// publicKeys are those by which actors' signatures are checked.
func (n *Node) publicKeys() []byte {
	var list struct {
		Keys []keyring.Key `json:"keys"`
	}
	for _, k := range n.keys.Keys() {
		k.Private = nil
		list.Keys = append(list.Keys, k)
	}
	text, err := json.Marshal(list)
	if err != nil {
		n.cfg.Log.Error("public keys not listed", "error", err)
	}
	return text
}

// An archivist makes passes, and tells people when none succeeds for long.
type archivist struct {
	*audit.Archive

	node  *Node
	shown *metrics.Archive
	done  time.Time // of the last one; a worker makes one at a time
}

// Pass makes one.
func (a *archivist) Pass(ctx context.Context, at time.Time) (activities.ArchivedPass, error) {
	const patience = time.Hour
	// Refused attempts that cannot be read now are kept by a later pass: what has ended does not wait for them.
	p, err := a.Archive.Pass(ctx, at)
	err = errors.Join(err, a.node.spool.flush(ctx))
	switch {
	case err == nil:
		a.done = time.Now()
		a.shown.Passed(a.done)
		a.node.anchor(ctx)
	case ctx.Err() == nil && time.Since(a.done) > patience:
		a.node.alarms.tell(notKept, err.Error())
	}
	return activities.ArchivedPass(p), err
}

// archiving makes sure that Temporal starts the archive.
func (n *Node) archiving(ctx context.Context) {
	if n.archive == nil {
		return
	}
	n.runs.Client, n.runs.Namespace = n.temporal, n.namespace
	n.beside(ctx, func(ctx context.Context) {
		// A key that does not fit the log would be noticed when nothing could be archived for an hour.
		if _, err := audit.OpenArchive(ctx, n.archive.Files, n.archive.Keys); err != nil && !errors.Is(err, bundle.ErrNoLog) && ctx.Err() == nil {
			n.cfg.Log.Error("the archive cannot be gone on with", "error", err)
			n.alarms.tell(notUsable, err.Error())
		}
		err := n.await(ctx, func(ctx context.Context) error {
			return starter.ScheduleArchive(ctx, n.temporal.ScheduleClient(), cmp.Or(n.cfg.Archive.Every, time.Hour))
		})
		if err != nil && ctx.Err() == nil {
			n.cfg.Log.Error("nothing is archived: its schedule cannot be made", "error", err)
			n.alarms.tell(notKept, err.Error())
		}
	})
}

// ArchiveFolder is where muster dev keeps what has ended, in its data folder, and ArchiveKey signs the log where no other key is named.
const (
	ArchiveFolder = "archive"
	ArchiveKey    = "archive.key"
)
