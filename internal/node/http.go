package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"

	"muster/internal/delivery"
	"muster/internal/metrics"
	"muster/starter/api"
	"muster/starter/ingest"
)

// handler mounts everything that this node answers over HTTP.
func (n *Node) handler() (http.Handler, error) {
	tokens, err := api.OpenTokens(n.cfg.Tokens, time.Now, n.cfg.Log)
	if err != nil {
		return nil, err
	}
	intake, err := n.intake()
	if err != nil {
		return nil, err
	}
	o := n.org.Current()
	rest, err := api.New(api.Config{
		Backend: api.Over(n.incidents), Tokens: tokens, Texts: n.texts, Language: o.Languages[0], Zone: o.Zone.String(),
		Person:  func(id string) (delivery.Recipient, bool) { return n.org.Current().Person(id) },
		Version: api.ThisBuild(n.cfg.Build.Version, n.cfg.Build.Revision), Now: time.Now, Log: n.cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	n.metrics.Follow(func() metrics.IntakeStats { return metrics.IntakeStats(intake.Stats()) })
	tokensRight := api.Check{Name: "tokens", Func: func(context.Context) error { return tokens.Err() }, Inform: true}
	mux := n.healthOnly(tokensRight)
	mux.Handle(ingest.Path, intake)
	mux.Handle("/api/", rest)
	return mux, nil
}

// healthOnly answers what needs no authority: health and metrics.
func (n *Node) healthOnly(more ...api.Check) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", n.metrics.Handler())
	health := api.Health(append(n.checks(), more...)...)
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		mux.Handle(path, health)
	}
	return mux
}

// checks are the lines of /readyz?verbose.
func (n *Node) checks() []api.Check {
	checks := []api.Check{
		{Name: "temporal", Func: func(ctx context.Context) error {
			_, err := n.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		}},
		{Name: "organisation", Func: func(context.Context) error { return n.org.Fault() }, Inform: true},
	}
	if n.watch == nil {
		return checks
	}
	for _, name := range n.watch.Checks() {
		checks = append(checks, api.Check{Name: "watch/" + name, Inform: true, Func: func(context.Context) error {
			for _, c := range n.watch.Status().Checks {
				if c.Name == name && !c.OK {
					return errors.New(c.Text)
				}
			}
			return nil
		}})
	}
	return checks
}

// sources are the alert sources with their tokens.
func (n *Node) sources() ([]ingest.Source, error) {
	o := n.org.Current()
	var all []ingest.Source
	for _, s := range o.Sources() {
		token, err := o.Token(s.ID)
		if err != nil {
			return nil, fmt.Errorf("alert source %s: %w", s.ID, err)
		}
		if token != "" {
			all = append(all, ingest.Source{ID: s.ID, Token: token})
		}
	}
	return all, nil
}
