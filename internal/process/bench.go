//go:build !slim

package process

import (
	"context"

	"muster/internal/bench"
	"muster/internal/postgres"
	"muster/starter/cli"
)

// measure is what measures, and the names of its parts.
func measure() (run func(context.Context, cli.Streams, cli.BenchOptions) error, parts []string) {
	return func(ctx context.Context, s cli.Streams, o cli.BenchOptions) error {
		var database *postgres.Database
		if o.Database != "" {
			var err error
			if database, err = postgres.Parse(o.Database); err != nil {
				return err
			}
		}
		return bench.Run(ctx, bench.Options{Rounds: o.Rounds, Only: o.Only, Quick: o.Quick, Profile: o.Profile, Database: database, Out: s.Out})
	}, bench.Names()
}
