package node

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/trace"
	"muster/starter/api"
)

// tracing begins to tell the way of requests, where the OTEL_* settings ask for it.
func (n *Node) tracing(ctx context.Context) {
	n.traces = trace.Open(ctx, n.cfg.Build.Version, os.Getenv, n.cfg.Log)
	n.onStop(func() {
		if err := n.traces.Close(ctx); err != nil {
			n.cfg.Log.Warn("traces are lost", "error", err)
		}
	})
}

// messages are the kinds of messages of which alert rules want the first refusal, and endings how they end.
func messages() []string {
	var names []string
	for _, k := range []delivery.Kind{
		delivery.Page, delivery.CustomerUpdate, delivery.AllClear, delivery.Receipt, delivery.ResultReport, delivery.ClosingNotice,
		delivery.VendorCall, delivery.Ticket,
	} {
		names = append(names, string(k))
	}
	return names
}

func endings() []string { return []string{string(delivery.Delivered), string(delivery.Refused)} }

// stood are checks as they were made last, and when.
type stood struct {
	mu sync.Mutex
	at time.Time
	ok map[string]bool
}

// stand makes the checks that need not ask Temporal, for metrics: what the self-watch and the organisation folder say has its own, and a
// worker that waits to be promoted is no fault. However many ask, they are made anew after some seconds only, for some of them write.
func (n *Node) stand(last *stood, checks []api.Check) map[string]bool {
	const patience, fresh = 2 * time.Second, 10 * time.Second
	last.mu.Lock()
	defer last.mu.Unlock()
	if last.ok != nil && time.Since(last.at) < fresh {
		return last.ok
	}
	ctx, cancel := context.WithTimeout(n.life, patience)
	defer cancel()
	out := map[string]bool{}
	for _, c := range checks {
		if c.Name != "temporal" && c.Name != "organisation" && c.Name != "deployment" && !strings.HasPrefix(c.Name, "watch/") {
			out[c.Name] = c.Func(ctx) == nil
		}
	}
	last.at, last.ok = time.Now(), out
	return out
}

// keyAges says since when the keys that sign and encrypt now do.
func (n *Node) keyAges() map[string]time.Time {
	out := map[string]time.Time{}
	now := time.Now()
	for _, k := range n.keys.Keys() {
		if k.Revoked.IsZero() && !k.From.After(now) {
			out["signing"] = k.From
		}
	}
	if n.payloads != nil {
		if k, err := n.payloads.Newest(); err == nil {
			out["payloads"] = k.From
		}
	}
	return out
}
