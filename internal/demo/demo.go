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
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/metrics"
	"muster/internal/node"
	"muster/internal/org"
	"muster/starter/api"
)

// Options say how to play.
type Options struct {
	Language string // of the timeline that is printed: "en" or "ko"
	Chapter  string // incident, outage, plan, change, response, routine, or review, which follows on incident; empty: all
	Keep     string // folder to play in; empty: a new temporary one. It is kept, for people to look into.
	Build    metrics.Build
	Out      io.Writer
	Log      *slog.Logger
}

// Run plays the demo. An error names what did not happen.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
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
	s.say("Muster plays its main job in %s, with targets of seconds instead of hours.\n", folder)
	running, err := node.Start(ctx, node.DevConfig{
		Config: node.Config{
			Data: data, Org: organisation, Listen: "127.0.0.1:0", Build: o.Build, Out: io.Discard, Log: o.Log,
			Archive: node.ArchiveConfig{Settle: time.Millisecond},
		},
		NormalSync: true, UIPort: -1,
	})
	if err != nil {
		return err
	}
	defer running.Stop()
	s.url, s.temporal = running.URL, running.Temporal
	if err := s.invite(ctx, data); err != nil {
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

// invite makes the token by which the second on-call acts, as the administrator of the data folder.
func (s *story) invite(ctx context.Context, data string) error {
	secret, err := os.ReadFile(filepath.Join(data, api.AdminTokenFile))
	if err != nil {
		return fmt.Errorf("read the administrator's token: %w", err)
	}
	if s.admin, err = api.NewClient(s.url, strings.TrimSpace(string(secret))); err != nil {
		return err
	}
	made, err := s.admin.CreateToken(ctx, api.NewToken{Actor: s.second.ID, Label: "demo"})
	if err != nil {
		return err
	}
	s.api, err = api.NewClient(s.url, made.Secret)
	return err
}
