// Package process is the muster program: it gives the command line the processes that it can start.
package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"muster/internal/demo"
	"muster/internal/metrics"
	"muster/internal/node"
	"muster/internal/org"
	"muster/internal/report"
	"muster/internal/runbook"
	"muster/internal/runner"
	"muster/starter/api"
	"muster/starter/cli"
	"muster/templates"
	"muster/worker"
)

// Run runs one command until it ends or ctx does, and returns its exit code.
func Run(ctx context.Context, build metrics.Build, args []string) int {
	return cli.Run(ctx, cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now,
		Texts:   func() (*report.Texts, error) { return report.New(templates.FS) },
		Process: processes(build),
	}, args)
}

// processes are the commands that are more than a client of the API.
func processes(build metrics.Build) cli.Process {
	bench, parts := measure()
	return cli.Process{
		Version: api.ThisBuild(build.Version, build.Revision),
		Dev: func(ctx context.Context, s cli.Streams, o cli.DevOptions) error {
			return node.Dev(ctx, node.DevConfig{
				Config: node.Config{
					Data: o.Data, Org: o.Org, Listen: fmt.Sprintf("127.0.0.1:%d", o.Port), Build: build, Out: s.Out, Log: logTo(s),
					PayloadKeys: o.PayloadKeys, CodecOrigins: o.CodecOrigins, Archive: node.ArchiveConfig{Encrypted: o.ArchiveEncrypted},
					Mail: node.MailConfig(o.Mail),
				},
				TemporalPort: o.TemporalPort, UIPort: o.UIPort, Database: o.Database,
			})
		},
		Worker: func(ctx context.Context, s cli.Streams, o cli.WorkerOptions) error {
			return node.Worker(ctx, node.Config{
				Data: o.Data, Org: o.Org, Store: o.Store, Listen: o.Listen, Keys: o.Keys, PayloadKeys: o.PayloadKeys,
				Archive:    node.ArchiveConfig{Where: o.Archive, Key: o.ArchiveKey, Encrypted: o.ArchiveEncrypted},
				Deployment: worker.Deployment(o.Deployment),
				Build:      build, Out: s.Out, Log: logTo(s),
			})
		},
		Promote: func(ctx context.Context, s cli.Streams, o cli.DeploymentOptions) (string, error) {
			return node.Promote(ctx, worker.Deployment(o), node.Config{Out: s.Out, Log: logTo(s)})
		},
		Serve: func(ctx context.Context, s cli.Streams, o cli.ServeOptions) error {
			return node.Serve(ctx, node.Config{
				Data: o.Data, Org: o.Org, Store: o.Store, Listen: o.Listen, Keys: o.Keys, Proxies: o.Proxies, Archive: node.ArchiveConfig{Where: o.Archive},
				Mail: node.MailConfig(o.Mail), PayloadKeys: o.PayloadKeys, CodecOrigins: o.CodecOrigins,
				Build: build, Out: s.Out, Log: logTo(s),
			})
		},
		Demo: func(ctx context.Context, s cli.Streams, o cli.DemoOptions) error {
			return demo.Run(ctx, demo.Options{Language: o.Language, Chapter: o.Chapter, Keep: o.Keep, Build: build, Out: s.Out, Log: logTo(s)})
		},
		Bench: bench, BenchParts: parts,
		Tickets: func(o *org.Organisation, data string) (cli.TicketSystem, error) { return node.Tickets(o, data) },
		Send:    node.Send,
		RunStep: runStep,
	}
}

func logTo(s cli.Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func runStep(ctx context.Context, o *org.Organisation, a *runbook.Automatic) runbook.Result {
	r := runner.Runner{House: func() runner.House { return o }}
	return r.Run(ctx, a)
}
