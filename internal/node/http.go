package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"muster/internal/delivery"
	"muster/internal/metrics"
	"muster/starter/api"
	"muster/starter/ingest"
	"muster/workflows"
)

// entrance is what alerts and people come in by.
type entrance struct {
	tokens *api.Tokens
	intake *ingest.Intake
}

// entrance reads who may come in.
func (n *Node) entrance() (entrance, error) {
	if _, err := os.Stat(n.cfg.Tokens); errors.Is(err, fs.ErrNotExist) {
		return entrance{}, fmt.Errorf("tokens %s: there is no such file: make it, with the first token, by\n"+
			"  muster token create --tokens %[1]s --actor PERSON", n.cfg.Tokens)
	}
	tokens, err := api.OpenTokens(n.cfg.Tokens, time.Now, n.cfg.Log)
	if err != nil {
		return entrance{}, err
	}
	sources, err := n.sources()
	if err != nil {
		return entrance{}, err
	}
	intake, err := ingest.New(ingest.Config{
		Sources: sources, Incidents: n.incidents, Router: router{n.org}, Key: workflows.IncidentWorkflowID, Now: time.Now, Log: n.cfg.Log,
	})
	return entrance{tokens, intake}, err
}

// everything mounts all that a node answers over HTTP.
func (n *Node) everything(in entrance) (http.Handler, error) {
	o := n.org.Current()
	rest, err := api.New(api.Config{
		Backend: api.Over(n.incidents), Tokens: in.tokens, Texts: n.texts, Language: o.Languages[0], Zone: o.Zone.String(),
		Person:  func(id string) (delivery.Recipient, bool) { return n.org.Current().Person(id) },
		Version: api.ThisBuild(n.cfg.Build.Version, n.cfg.Build.Revision), Now: time.Now, Log: n.cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	n.metrics.Follow(func() metrics.IntakeStats { return metrics.IntakeStats(in.intake.Stats()) })
	mux := n.healthOnly(api.Check{Name: "tokens", Func: func(context.Context) error { return in.tokens.Err() }, Inform: true})
	mux.Handle(ingest.Path, in.intake)
	mux.Handle("/api/", rest)
	return mux, nil
}

// healthOnly answers what needs no authority: health and metrics.
func (n *Node) healthOnly(more ...api.Check) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", n.metrics.Handler())
	health := api.Health(append(n.checks(), more...)...)
	for _, path := range healthPaths() {
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
		{Name: "organisation", Func: func(context.Context) error { return n.unread() }, Inform: true, Note: n.revision},
		{Name: "keys", Func: func(context.Context) error { return n.keys.Err() }},
		{Name: "settings", Func: func(context.Context) error { return n.settled() }, Inform: true},
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
