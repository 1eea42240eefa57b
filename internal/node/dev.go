//go:build !slim

package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"

	"muster/examples"
	"muster/internal/devserver"
	"muster/internal/postgres"
	"muster/starter/api"
	"muster/workflows"
)

// Start switches everything on in this process: Temporal on the data folder, a worker, and the HTTP server.
func Start(ctx context.Context, cfg DevConfig) (r *Running, err error) {
	if cfg.Org == "" {
		cfg.Org = filepath.Join(cfg.Data, "organisation")
		if err := copyExample(cfg.Data, cfg.Org); err != nil {
			return nil, err
		}
	}
	cfg.Archive.Where = filepath.Join(cfg.Data, ArchiveFolder)
	cfg.Store = cfg.Database
	n, err := load(ctx, cfg.Config, true)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			n.stop()
		}
	}()
	if err := n.secrets(true, true); err != nil {
		return nil, err
	}
	n.local = true
	if err := n.takeAll(ctx, cfg); err != nil {
		return nil, cmp.Or(devserver.InUse(cfg.Data), err)
	}
	post, err := n.takeMail(ctx)
	if err != nil {
		return nil, err
	}
	engine, err := n.startEngine(ctx, cfg)
	if err != nil {
		return nil, err
	}
	n.onStop(engine.Stop)
	if engine.UIURL != "" {
		n.cfg.CodecOrigins = append(slices.Clone(n.cfg.CodecOrigins), engine.UIURL, strings.Replace(engine.UIURL, "127.0.0.1", "localhost", 1))
	}
	// The engine holds the data folder now: nobody else writes into it.
	if err := n.admit(ctx); err != nil {
		return nil, err
	}
	effects, err := n.activities(ctx)
	if err != nil {
		return nil, err
	}
	in, err := n.entrance()
	if err != nil {
		return nil, err
	}
	n.follow(ctx, append(workerParts(), entranceParts()...)...)
	if err := n.connect(ctx, engine.ClientOptions()); err != nil {
		return nil, err
	}
	n.look(ctx, "dev", &n.tracker.open)
	n.schedule(ctx)
	n.testing(ctx)
	if err := n.work(ctx, effects); err != nil {
		return nil, err
	}
	handler, err := n.everything(in)
	if err != nil {
		return nil, err
	}
	n.open(ctx, handler)
	n.openMail(ctx, post, in)
	n.listen(ctx)
	n.keepRoutines(ctx)
	return &Running{
		URL: n.door.url, UIURL: engine.UIURL, TemporalURL: engine.HostPort, Temporal: n.temporal, Failed: engine.Failed(), node: n,
	}, nil
}

func (n *Node) startEngine(ctx context.Context, cfg DevConfig) (*devserver.Server, error) {
	attributes := map[string]enumspb.IndexedValueType{}
	for _, k := range workflows.SearchAttributes() {
		attributes[k.GetName()] = k.GetValueType()
	}
	var database *postgres.Database
	if cfg.Database != "" {
		var err error
		if database, err = postgres.Parse(cfg.Database); err != nil {
			return nil, err
		}
	}
	return devserver.Start(ctx, devserver.Options{
		Folder: cfg.Data, Database: database, NormalSync: cfg.NormalSync, SearchAttributes: attributes,
		FrontendPort: cfg.TemporalPort, UIPort: cfg.UIPort, MetricsPort: devserver.Off, UIGate: n.onlyReaders, UICodec: n.uiCodec(), Logger: cfg.Log,
		Progress: func(line string) { fmt.Fprintln(cfg.Out, line) },
	})
}

// uiCodec is where the UI asks for payloads in clear, with the session by which it was let in; empty when they are.
func (n *Node) uiCodec() string {
	if n.payloads == nil {
		return ""
	}
	return n.door.url + strings.TrimSuffix(api.CodecPath, "/")
}

// takeAll takes the node's address and makes sure that the engine will get its own.
func (n *Node) takeAll(ctx context.Context, cfg DevConfig) error {
	for flag, port := range map[string]int{"--temporal-port": cfg.TemporalPort, "--ui-port": cfg.UIPort} {
		if port <= 0 {
			continue
		}
		l, err := listen(ctx, fmt.Sprintf("127.0.0.1:%d", port), flag)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return fmt.Errorf("give port %d to the engine: %w", port, err)
		}
	}
	return n.take(ctx, "--port")
}

// copyExample gives whoever has no organisation folder yet the example to begin with. What is there already stays.
func copyExample(data, folder string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	example, err := fs.Sub(examples.FS, "org")
	if err == nil {
		err = os.CopyFS(folder, example)
	}
	if err != nil {
		return fmt.Errorf("copy example organisation: %w", err)
	}
	return nil
}

// greet says where everything is.
func (r *Running) greet() {
	out := r.node.cfg.Out
	fmt.Fprintf(out, "\n  alerts      %s/v1/alerts/alertmanager\n  API         %s/api/docs\n  health      %s/readyz?verbose\n", r.URL, r.URL, r.URL)
	fmt.Fprintf(out, "  metrics     %s/metrics\n  sign in     %s/login, with the token of %s\n", r.URL, r.URL, filepath.Join(r.node.cfg.Data, api.AdminTokenFile))
	if r.UIURL != "" {
		fmt.Fprintf(out, "  Temporal UI %s, when you have signed in\n", r.UIURL)
	}
	fmt.Fprintf(out, "  Temporal    %s, with the API key of %s and TEMPORAL_TLS=false\n", r.TemporalURL, filepath.Join(r.node.cfg.Data, devserver.TokenFile))
	if r.node.cfg.Store != "" {
		fmt.Fprintf(out, "  database    %s\n", r.node.store)
	}
	fmt.Fprintf(out, "  data        %s\n  definitions %s\n\nCtrl-C stops it; what runs goes on at the next start.\n\n", r.node.cfg.Data, r.node.cfg.Org)
}
