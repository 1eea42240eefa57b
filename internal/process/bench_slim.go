//go:build slim

package process

import (
	"context"

	"muster/starter/cli"
)

// measure is nothing in a build without the engine: there is nothing to measure against.
func measure() func(context.Context, cli.Streams, cli.BenchOptions) error { return nil }
