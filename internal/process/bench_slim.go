//go:build slim

package process

import (
	"context"

	"muster/starter/cli"
)

// measure is nothing in a build without the engine: there is nothing to measure against.
func measure() (run func(context.Context, cli.Streams, cli.BenchOptions) error, parts []string) {
	return nil, nil
}
