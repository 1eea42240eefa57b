package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
)

// How alerts are committed.
const (
	Spacing   = 50 * time.Millisecond // between the starts of two commits of one incident
	Admission = 3 * time.Second       // for so long a commit waits for its turn
	Deadline  = 3 * time.Second       // of one commit; after it the outcome is unknown
	Queue     = 1_024                 // commits that wait for their turn, each of another incident
)

// A post is one request, or the part of one that goes to one incident, that waits until all its alerts are committed.
type post struct {
	message
	source   string
	received time.Time
	impact   priority.Level // of its most pressing alert that fires
	urgency  priority.Level
	next     int // the first alert that no commit has carried yet
	commits  int
	settled  bool
	done     chan error // told when settled; nobody listens when the request has gone
}

// A group is the posts that wait for one incident. It exists only while there are some, and for Spacing after a commit.
type group struct {
	key    Key
	posts  []*post            // in order of arrival
	nobody context.CancelFunc // ends the wait for a turn when the last post has gone
}

// A committer turns posts into durable calls: one at a time for one incident, each carrying all that has come meanwhile.
type committer struct {
	incidents Incidents
	router    Router
	log       *slog.Logger
	gate      gate

	mu     sync.Mutex // of the groups and all in them
	groups map[Key]*group

	commits, failures atomic.Int64
}

// submit returns when all alerts of p are durable, or with an error when that is not known.
func (c *committer) submit(ctx context.Context, key Key, p *post) error {
	c.mu.Lock()
	g := c.groups[key]
	if g == nil {
		g = &group{key: key}
		c.groups[key] = g
		go c.run(context.WithoutCancel(ctx), g) // for more requests than the one that happens to come first
	}
	g.posts = append(g.posts, p)
	c.mu.Unlock()
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		c.withdraw(g, p)
		return context.Cause(ctx)
	}
}

func (c *committer) withdraw(g *group, p *post) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := slices.Index(g.posts, p); at >= 0 {
		g.posts = slices.Delete(g.posts, at, at+1)
	}
	if len(g.posts) == 0 && g.nobody != nil {
		g.nobody()
	}
}

// run commits what comes for a group until, after a commit, nothing has come for a while.
func (c *committer) run(ctx context.Context, g *group) {
	for !c.ended(g) {
		began, err := c.commit(ctx, g)
		if err != nil {
			c.failures.Add(1)
			c.log.Warn("alerts not committed", "incident", g.key, "error", err)
		}
		time.Sleep(time.Until(began.Add(Spacing)))
	}
}

func (c *committer) ended(g *group) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(g.posts) == 0 {
		delete(c.groups, g.key)
	}
	return len(g.posts) == 0
}

// commit makes one durable call and tells the posts that it concerns. It returns when the call began.
func (c *committer) commit(ctx context.Context, g *group) (began time.Time, err error) {
	def, err := c.admit(ctx, g)
	began = time.Now()
	if err != nil {
		if !errors.Is(err, context.Canceled) { // else everybody has gone
			c.settle(g, nil, err)
			return began, err
		}
		return began, nil
	}
	defer c.gate.leave()
	b, carried := c.batch(g)
	if len(carried) == 0 {
		return began, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Deadline)
	defer cancel()
	if err = c.incidents.Deliver(ctx, g.key, def, b); err != nil {
		err = fmt.Errorf("deliver batch %s: %w", b.ID, err)
	} else {
		c.commits.Add(1)
	}
	c.settle(g, carried, err)
	return began, err
}

// admit waits for the turn of a group. What was promised for its incident decides how pressing it is.
func (c *committer) admit(ctx context.Context, g *group) (def incident.Definition, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Admission, errWaited)
	defer cancel()
	first := c.first(g, cancel)
	if first == nil {
		return def, context.Canceled
	}
	if def, err = c.router.Definition(first.source, first.common, first.title, first.each()...); err != nil {
		return def, fmt.Errorf("define incident: %w", err)
	}
	p, err := priority.Of(def.Impact, def.Urgency)
	if err != nil {
		return def, fmt.Errorf("define incident: route %s: %w", def.Route, err)
	}
	return def, c.gate.enter(ctx, p)
}

func (p *post) fires() bool {
	return slices.ContainsFunc(p.alerts, func(a sized) bool { return a.State == alert.Firing })
}

// each returns the labels of every alert that fires, none when there is but one alert, and what the source says is common is all of it.
func (p *post) each() []alert.Labels {
	if len(p.alerts) == 1 && len(p.common) >= len(p.alerts[0].Labels) {
		return nil
	}
	var all []alert.Labels
	for n := range p.alerts {
		if p.alerts[n].State == alert.Firing {
			all = append(all, p.alerts[n].Labels)
		}
	}
	return all
}

// first returns the post that has waited longest, nil when all have gone, and whom to call when they go.
func (c *committer) first(g *group, nobody context.CancelFunc) *post {
	c.mu.Lock()
	defer c.mu.Unlock()
	g.nobody = nobody
	if len(g.posts) == 0 {
		return nil
	}
	return g.posts[0]
}

// settle tells the posts whose last alert a commit has carried, or all of them that it has failed.
func (c *committer) settle(g *group, carried []*post, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if carried == nil {
		carried = g.posts
	}
	for _, p := range carried {
		p.commits++
		if err != nil || p.next == len(p.alerts) {
			p.settled = true
			p.done <- err
		}
	}
	g.posts = slices.DeleteFunc(g.posts, func(p *post) bool { return p.settled })
}
