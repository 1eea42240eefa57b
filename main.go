// Muster runs the long processes of a managed service as durable workflows. README.md says how to begin.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // schedules need time zones also where the machine has none

	"muster/internal/report"
	"muster/starter/cli"
	"muster/templates"
)

// Set by the linker.
var (
	version  = "dev"
	revision string
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now,
		Texts:   func() (*report.Texts, error) { return report.New(templates.FS) },
		Process: processes(),
	}, os.Args[1:])
	stop()
	os.Exit(code)
}
