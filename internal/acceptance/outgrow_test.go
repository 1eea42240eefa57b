package acceptance_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"

	"muster/internal/incident"
	"muster/internal/node"
	"muster/internal/postgrestest"
)

// What muster dev has begun on PostgreSQL goes on with a Temporal server on the same databases, and with a serve and a worker on the same
// data folder, as docs/deployment.md says.
func TestAnInstallationOutgrowsItsMachine(t *testing.T) {
	c := &cluster{folder: t.TempDir(), postgres: postgrestest.Start(t), programs: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))}
	c.build(t, "temporal-server", "go.temporal.io/server/cmd/server")
	sink, database := newReceiver(t), c.postgres.URL("muster")
	organise(t, c.folder, sink.url, nil)
	small := nodeAt(t, c.folder, sink, func(cfg *node.DevConfig) { cfg.Database = database })
	id := small.open(t, "shop", "outgrows")
	small.awaitPage(t, "/ann/app", 1)
	small.running.Stop()

	c.configure(t, "muster")
	c.startTemporal(t)
	t.Setenv("TEMPORAL_ADDRESS", c.address)
	t.Setenv("TEMPORAL_NAMESPACE", "default")
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(c.folder, "none.toml"))
	said := newJournal(t)
	cfg := node.Config{
		Data: filepath.Join(c.folder, "data"), Org: filepath.Join(c.folder, "organisation"), Store: database, Out: io.Discard, Log: said.logger(),
	}
	ctx, stop := context.WithCancel(t.Context())
	var both sync.WaitGroup
	t.Cleanup(func() { stop(); both.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))
	both.Go(func() {
		serve := cfg
		serve.Listen = address
		if err := node.Serve(ctx, serve); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	both.Go(func() {
		worker := cfg
		worker.Archive.Where = filepath.Join(cfg.Data, node.ArchiveFolder)
		if err := node.Worker(ctx, worker); err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	large := &system{url: "http://" + address, sink: sink, folder: c.folder}
	large.api = administrator(t, large.url, cfg.Data)
	must(t, until(t.Context(), "serve answers with the old token", func() error {
		_, err := large.api.Incident(t.Context(), id)
		return err
	}))
	must(t, do(t.Context(), large.api, id, incident.Acknowledge{}, "large"))
	must(t, deliver(t.Context(), large.url, body("shop", "outgrows", "resolved", 1, "")))
	large.state(t, id, "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed && settled(i) })
	checkReplay(t, large.api, id)
	sink.check(t)
}
