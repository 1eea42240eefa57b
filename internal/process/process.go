// Package process is the muster program: it gives the command line the processes that it can start.
package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/audit"
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
					PayloadKeys: o.PayloadKeys, CodecOrigins: o.CodecOrigins, Archive: node.ArchiveConfig{Encrypted: o.ArchiveEncrypted},
				},
				TemporalPort: o.TemporalPort, UIPort: o.UIPort,
			})
		},
		Worker: func(ctx context.Context, s cli.Streams, o cli.WorkerOptions) error {
			return node.Worker(ctx, node.Config{
				Data: o.Data, Org: o.Org, Listen: o.Listen, Keys: o.Keys, PayloadKeys: o.PayloadKeys,
				Archive: node.ArchiveConfig{Where: o.Archive, Key: o.ArchiveKey, Encrypted: o.ArchiveEncrypted},
				Build:   build, Out: s.Out, Log: logTo(s),
			})
		},
		Serve: func(ctx context.Context, s cli.Streams, o cli.ServeOptions) error {
			return node.Serve(ctx, node.Config{
				Data: o.Data, Org: o.Org, Listen: o.Listen, Keys: o.Keys, Proxies: o.Proxies, Archive: node.ArchiveConfig{Where: o.Archive},
				PayloadKeys: o.PayloadKeys, CodecOrigins: o.CodecOrigins,
				Build: build, Out: s.Out, Log: logTo(s),
			})
		},
		Demo: func(ctx context.Context, s cli.Streams, o cli.DemoOptions) error {
			return demo.Run(ctx, demo.Options{Language: o.Language, Chapter: o.Chapter, Keep: o.Keep, Build: build, Out: s.Out, Log: logTo(s)})
		},
		Bench:   measure(),
		Tickets: func(o *org.Organisation, data string) (cli.TicketSystem, error) { return node.Tickets(o, data) },
		RunStep: runStep,
		Actors:  actors,
	}
}

func logTo(s cli.Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func runStep(ctx context.Context, o *org.Organisation, a *runbook.Automatic) runbook.Result {
	r := runner.Runner{House: func() runner.House { return o }}
	return r.Run(ctx, a)
}

func histories(file string) ([]*historypb.History, error) {
	kept, err := audit.Open(file, nil)
	return kept.Runs, err
}

// actors says of every message in the histories of a file who is behind it.
func actors(_ context.Context, file, keys string) (string, error) {
	runs, err := histories(file)
	if err != nil {
		return "", err
	}
	f, err := os.Open(keys)
	if err != nil {
		return "", fmt.Errorf("open keys: %w", err)
	}
	defer func() { _ = f.Close() }()
	known, err := audit.DecodeKeys(f)
	if err != nil {
		return "", err
	}
	verdicts, err := audit.Actors(runs, known)
	if err != nil {
		return "", err
	}
	var summary strings.Builder
	bad, refused := 0, 0
	for _, v := range verdicts {
		how := "signed, by " + v.Via
		switch {
		case v.Refused:
			how, refused = "not taken by the run: "+v.Err.Error(), refused+1
		case v.Err != nil:
			how, bad = "NOT PROVEN: "+v.Err.Error(), bad+1
		}
		who := fmt.Sprintf("%s %s", v.By.Kind, v.By.ID)
		fmt.Fprintf(&summary, "%s  %-18s %-24s %s\n", v.At.UTC().Format(time.RFC3339), v.Message, who, how)
	}
	fmt.Fprintf(&summary, "%s: %d message(s) were taken, %d of them proven; %d were not taken",
		file, len(verdicts)-refused, len(verdicts)-refused-bad, refused)
	switch {
	case len(verdicts) == refused:
		err = fmt.Errorf("%s: nobody has started it", file)
	case bad > 0:
		err = fmt.Errorf("%s: %d message(s) prove nobody", file, bad)
	}
	return summary.String(), err
}
