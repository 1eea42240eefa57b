// Package demo plays the main job from an alert to a closed incident on real parts, and checks that each thing in it has
// happened: the embedded engine, the intake over HTTP, the API as a person uses it, a receiver that verifies signatures.
package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/metrics"
	"muster/internal/node"
	"muster/internal/org"
	"muster/starter"
	"muster/starter/api"
)

// Options say how to play.
type Options struct {
	Language string // of the timeline that is printed: "en" or "ko"
	Keep     string // folder to play in; empty: a new temporary one. It is kept, for people to look into.
	Build    metrics.Build
	Out      io.Writer
	Log      *slog.Logger
}

// Run plays the demo. An error names what did not happen.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	folder := o.Keep
	if folder == "" {
		made, err := os.MkdirTemp("", "muster-demo-")
		if err != nil {
			return fmt.Errorf("make demo folder: %w", err)
		}
		folder = made
	}
	sink, err := newReceiver(ctx)
	if err != nil {
		return err
	}
	defer sink.close()
	organisation := filepath.Join(folder, "organisation")
	if err := writeOrganisation(organisation, sink.url); err != nil {
		return err
	}
	s := &story{Options: o, folder: folder, sink: sink, began: time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)}
	if err := s.cast(organisation); err != nil {
		return err
	}
	data := filepath.Join(folder, "data")
	responder, err := s.invite(data)
	if err != nil {
		return err
	}
	s.say("Muster plays its main job in %s, with targets of seconds instead of hours.\n", folder)
	running, err := node.Start(ctx, node.DevConfig{
		Config: node.Config{
			Data: data, Org: organisation, Listen: "127.0.0.1:0", Build: o.Build, Out: io.Discard, Log: o.Log,
		},
		NormalSync: true, UIPort: -1,
	})
	if err != nil {
		return err
	}
	defer running.Stop()
	s.url, s.reviews = running.URL, &starter.Reviews{Temporal: running.Temporal}
	if s.api, err = api.NewClient(running.URL, responder); err != nil {
		return err
	}
	s.say("Engine, worker, intake and API answer at %s\n", running.URL)
	return s.play(ctx)
}

// cast finds out who is on call.
func (s *story) cast(organisation string) error {
	o, err := org.Load(organisation)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		schedule string
		who      *delivery.Recipient
	}{{"primary", &s.first}, {"secondary", &s.second}} {
		to, err := o.Recipients(escalation.Target{Kind: escalation.Schedule, ID: part.schedule}, time.Now())
		if err != nil || len(to) != 1 {
			return fmt.Errorf("schedule %s: want one person on call, got %d: %w", part.schedule, len(to), err)
		}
		*part.who = to[0]
	}
	return nil
}

// invite makes the token by which the second on-call acts, and returns it.
func (s *story) invite(data string) (string, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", fmt.Errorf("make data folder: %w", err)
	}
	plain := filepath.Join(data, s.second.ID+".token")
	if err := api.EnsureToken(filepath.Join(data, "tokens.yaml"), plain, api.Token{Actor: s.second.ID, Name: s.second.Name, Kind: api.Person}); err != nil {
		return "", err
	}
	token, err := os.ReadFile(plain)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return string(token[:len(token)-1]), nil
}
