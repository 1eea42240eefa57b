package ingest

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"muster/internal/alert"
	"muster/internal/priority"
)

// Abreast is how many incidents of one request are committed to at a time. It leaves room in the queue for other requests.
const Abreast = 64

// A part is what of one message goes to one incident.
type part struct {
	key Key
	message
}

// divide parts a message by the incidents that its alerts belong to. A route that groups decides for its own alerts; the
// others stay together as the source has grouped them.
func (in *Intake) divide(source string, m message) []part {
	if m.fixed {
		return []part{{in.key(source, m.receiver, m.group), m}}
	}
	var parts []part
	at := map[Key]int{}
	rest := m.alerts[:0] // in place: mostly it is all of them
	for _, a := range m.alerts {
		var key Key
		route, values, routed := in.commits.router.GroupKey(source, a.Labels)
		switch {
		case alert.Trial(a.Summary()): // a real alert must not join it, nor it a real incident
			values, routed = alert.Labels{{Name: "trial", Value: a.Fingerprint}}, false
			key = in.key(source, m.receiver, values)
		case routed:
			key = in.routeKey(source, route, values)
		case m.by != nil:
			values = only(a.Labels, m.by)
			key = in.key(source, m.receiver, values)
		default:
			rest = append(rest, a)
			continue
		}
		n, known := at[key]
		if !known {
			n = len(parts)
			at[key] = n
			parts = append(parts, part{key, message{
				receiver: m.receiver, group: values, truncated: m.truncated, resolved: routed && m.resolved && within(m.group, values),
			}})
		}
		parts[n].alerts = append(parts[n].alerts, a)
	}
	for n := range parts {
		parts[n].gather()
	}
	if len(rest) > 0 {
		m.alerts = rest
		parts = append(parts, part{in.key(source, m.receiver, m.group), m})
	}
	return parts
}

// only returns the labels of these names.
func only(ls alert.Labels, names []string) (some alert.Labels) {
	for _, l := range ls {
		if slices.Contains(names, l.Name) {
			some = append(some, l)
		}
	}
	return some
}

// within tells whether a group with these values is but a part of a group of the source: then what the source says of all
// of its group is true of the part. A wider one has alerts of which this source group knows nothing.
func within(group, values alert.Labels) bool {
	return !slices.ContainsFunc(group, func(l alert.Label) bool {
		return !slices.ContainsFunc(values, func(v alert.Label) bool { return v.Name == l.Name })
	})
}

// gather finds what the alerts of a part have in common, and its title.
func (p *part) gather() {
	p.common = alert.Common(p.alerts, func(a *sized) alert.Labels { return a.Labels })
	about := alert.Alert{
		Name:        alertName(p.common, leading(p.alerts)),
		Annotations: alert.Common(p.alerts, func(a *sized) alert.Labels { return a.Annotations }),
	}
	p.title = clip(about.Summary(), maxTitle)
}

// leading is the name of the first alert that fires, or of the first one where none does: what is over names nothing that is not.
func leading(all []sized) string {
	n := slices.IndexFunc(all, func(a sized) bool { return a.State == alert.Firing })
	return all[max(n, 0)].Name
}

// A parcel is a post on its way to an incident.
type parcel struct {
	key Key
	*post
}

// submitAll returns when all alerts of all parcels are durable, or with an error when that is not known. The most pressing
// come first and the others in no order, so that a request with too many for its time gets further each time that it is
// repeated.
func (in *Intake) submitAll(ctx context.Context, parcels []parcel) error {
	if len(parcels) == 1 {
		return in.commits.submit(ctx, parcels[0].key, parcels[0].post)
	}
	rand.Shuffle(len(parcels), func(a, b int) { parcels[a], parcels[b] = parcels[b], parcels[a] })
	slices.SortStableFunc(parcels, func(a, b parcel) int { return cmp.Compare(a.pressing(), b.pressing()) })
	var (
		next   atomic.Int64
		once   sync.Once
		failed error
		all    sync.WaitGroup
	)
	for range min(Abreast, len(parcels)) {
		all.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(parcels) {
					return
				}
				err := context.Cause(ctx)
				if err == nil {
					err = in.commits.submit(ctx, parcels[n].key, parcels[n].post)
				}
				if err != nil { // the others go on: what is durable is so when the request comes again
					once.Do(func() { failed = err })
				}
			}
		})
	}
	all.Wait()
	return failed
}

// pressing is the priority of a post, the least one when it is not known.
func (p *post) pressing() priority.Priority {
	if pr, err := priority.Of(p.impact, p.urgency); err == nil {
		return pr
	}
	return priority.P5
}
