// Package process is the muster program: it gives the command line the processes that it can start.
package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/log"

	"muster/internal/audit"
	"muster/internal/demo"
	"muster/internal/metrics"
	"muster/internal/node"
	"muster/internal/org"
	"muster/internal/report"
	"muster/starter/api"
	"muster/starter/cli"
	"muster/templates"
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
	return cli.Process{
		Version: api.ThisBuild(build.Version, build.Revision),
		Dev: func(ctx context.Context, s cli.Streams, o cli.DevOptions) error {
			return node.Dev(ctx, node.DevConfig{
				Config: node.Config{
					Data: o.Data, Org: o.Org, Listen: fmt.Sprintf("127.0.0.1:%d", o.Port), Build: build, Out: s.Out, Log: logTo(s),
				},
				TemporalPort: o.TemporalPort, UIPort: o.UIPort,
			})
		},
		Worker: func(ctx context.Context, s cli.Streams, o cli.WorkerOptions) error {
			return node.Worker(ctx, node.Config{Data: o.Data, Org: o.Org, Listen: o.Listen, Keys: o.Keys, Build: build, Out: s.Out, Log: logTo(s)})
		},
		Serve: func(ctx context.Context, s cli.Streams, o cli.ServeOptions) error {
			return node.Serve(ctx, node.Config{
				Data: o.Data, Org: o.Org, Listen: o.Listen, Keys: o.Keys, Build: build, Out: s.Out, Log: logTo(s),
			})
		},
		Demo: func(ctx context.Context, s cli.Streams, o cli.DemoOptions) error {
			return demo.Run(ctx, demo.Options{Language: o.Language, Keep: o.Keep, Build: build, Out: s.Out, Log: logTo(s)})
		},
		Bench:    measure(),
		Validate: validate,
		Replay:   replay,
	}
}

func logTo(s cli.Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func validate(_ context.Context, folder string) (string, error) {
	o, err := org.Load(folder)
	if err != nil {
		return "", err
	}
	summary := fmt.Sprintf("%s (%s): no faults, revision %s", o.Name, o.ID, o.Revision)
	for _, w := range o.Warnings {
		summary += "\nwarning: " + w.String()
	}
	return summary, nil
}

func replay(_ context.Context, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("open history: %w", err)
	}
	defer func() { _ = f.Close() }()
	runs, err := audit.Decode(f)
	if err != nil {
		return "", err
	}
	if err := audit.Replay(runs, log.NewStructuredLogger(slog.New(slog.DiscardHandler))); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d run(s) replayed; this program takes the same decisions", file, len(runs)), nil
}
