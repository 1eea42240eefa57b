// Muster runs the long processes of a managed service as durable workflows. README.md says how to begin.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules need time zones also where the machine has none

	"muster/internal/metrics"
	"muster/internal/process"
)

// Set by the linker.
var (
	version  = "dev"
	revision string
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := process.Run(ctx, metrics.Build{Version: version, Revision: revision}, os.Args[1:])
	stop()
	os.Exit(code)
}
