package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/starter"
)

// beats are the heartbeats of the organisation folder as it is now.
type beats struct {
	*starter.Heartbeats

	live *org.Live
}

// Heartbeat returns the one with an id.
func (b beats) Heartbeat(id string) (heartbeat.Definition, bool) {
	return b.live.Current().Heartbeat(id)
}

// Beat tells the workflow of a sign of life, at the time of the organisation: what its alert says of it is read there.
func (b beats) Beat(ctx context.Context, d heartbeat.Definition, sign heartbeat.Beat) error {
	sign.At = sign.At.In(b.live.Current().Zone)
	return b.Heartbeats.Beat(ctx, d, sign)
}

// listen keeps what is listened for as the organisation folder says.
func (n *Node) listen(ctx context.Context) {
	k := &listening{live: n.org, to: n.incidents.Heartbeats(), since: time.Now().UTC()}
	n.followFolder(ctx, "heartbeats are not listened for as the organisation folder says", k.follow)
}

// followFolder does something at the start, when the organisation folder changes, and now and then, should somebody else have done
// otherwise. What fails is warned of and tried again.
func (n *Node) followFolder(ctx context.Context, warning string, do func(context.Context) error) {
	const anyway = 10 * time.Minute
	n.beside(ctx, func(ctx context.Context) {
		done, revision := time.Time{}, ""
		for ticker := time.Tick(often); ; {
			if now := n.org.Current().Revision; now != revision || time.Since(done) > anyway {
				if err := do(ctx); err == nil {
					done, revision = time.Now(), now
				} else if ctx.Err() == nil {
					n.cfg.Log.Warn(warning, "error", err)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker:
			}
		}
	})
}

// A listener is told what the organisation folder says of heartbeats.
type listener interface {
	Define(ctx context.Context, d heartbeat.Definition, hears time.Time) error
	Retire(ctx context.Context, id string, f incident.Folder) error
	Running(ctx context.Context) (ids []string, err error)
}

// listening is what this process has told of heartbeats.
type listening struct {
	live  *org.Live
	to    listener
	since time.Time // when this process has begun to hear beats
	said  []heartbeat.Definition
}

// follow tells what has changed. It goes on after an error, so that one heartbeat keeps no other waiting; what is not told is told the next
// time.
func (k *listening) follow(ctx context.Context) error {
	o := k.live.Current()
	all := o.Heartbeats()
	runs, err := k.to.Running(ctx)
	if err != nil {
		return err
	}
	said := k.said[:0:0]
	for _, d := range all {
		at := slices.IndexFunc(k.said, func(s heartbeat.Definition) bool { return s.ID == d.ID })
		hears := k.since
		if at >= 0 {
			hears = time.Time{}
		}
		if at < 0 || !k.said[at].Same(d) || !slices.Contains(runs, d.ID) {
			if e := k.to.Define(ctx, d, hears); e != nil {
				err = errors.Join(err, e)
				continue
			}
		}
		said = append(said, d)
	}
	k.said = said
	for _, id := range runs {
		if !slices.ContainsFunc(all, func(d heartbeat.Definition) bool { return d.ID == id }) {
			err = errors.Join(err, k.to.Retire(ctx, id, incident.Folder{Revision: o.Revision, Changed: o.Changed}))
		}
	}
	return err
}
