//go:build !slim

package process

import (
	"context"

	"muster/internal/bench"
	"muster/starter/cli"
)

func measure() func(context.Context, cli.Streams, cli.BenchOptions) error {
	return func(ctx context.Context, s cli.Streams, o cli.BenchOptions) error {
		return bench.Run(ctx, bench.Options{Rounds: o.Rounds, Only: o.Only, Quick: o.Quick, Profile: o.Profile, Out: s.Out})
	}
}
