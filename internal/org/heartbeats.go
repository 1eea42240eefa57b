package org

import (
	"slices"
	"time"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/internal/incident"
)

const maxHeartbeats = 1_000

// anEvery is the form of how often a job beats.
var anEvery = in("a time of at least 1m, such as 5m, 1h30m or 1d, where a day is 24 hours", func(s string) (time.Duration, bool) {
	d, ok := duration(s)
	return d, ok && d >= heartbeat.Least
})

// readHeartbeats reads heartbeats.yaml.
func (b *builder) readHeartbeats(o *object) {
	o.entries("heartbeats", "heartbeat", some, func(o *object, id string) {
		d := heartbeat.Definition{ID: id}
		d.Name = maybe(o, "name", aName, id)
		d.Source, _ = need(o, "source", anIDOf("source"))
		if at := o.field("source"); o.has("source") && b.knows(at.place, o.about("source"), "source", d.Source) {
			if n := slices.IndexFunc(b.sources, func(s source) bool { return s.ID == d.Source }); n >= 0 && b.sources[n].Type != alert.Heartbeat {
				o.fault(at.place, "%s %s: it is of type %s; want one of type %s", o.about("source"), d.Source, b.sources[n].Type, alert.Heartbeat)
			}
		}
		d.Every, _ = need(o, "every", anEvery)
		d.Grace, _ = need(o, "grace", aWait)
		d.FirstWithin = maybe(o, "first_within", aWait, 0)
		d.Lasts = maybe(o, "lasts", aWait, 0)
		if o.has("calendar") {
			cal, _ := need(o, "calendar", anIDOf("calendar"))
			if b.knows(o.field("calendar").place, o.about("calendar"), "calendar", cal) {
				rules := b.calendars[cal]
				d.Calendar = &rules
			}
		}
		labels := map[string]string{}
		for _, p := range pairs(o, "labels", aName, optional) {
			if p.key == heartbeat.NameLabel || p.key == heartbeat.IDLabel {
				o.fault(o.field("labels").place, "%s: %s: want another name, because this label is the id of the heartbeat", o.about("labels"), p.key)
			}
			labels[p.key] = p.value
		}
		d.Labels = alert.FromMap(labels)
		b.heartbeats = append(b.heartbeats, d)
		if len(b.heartbeats) == maxHeartbeats+1 {
			o.fault(o.place, "%s: want at most %d heartbeats", o.subject, maxHeartbeats)
		}
	})
}

// Heartbeats returns what jobs are listened for, in the order of the folder.
func (o *Organisation) Heartbeats() []heartbeat.Definition {
	all := make([]heartbeat.Definition, len(o.heartbeats))
	for n, d := range o.heartbeats {
		all[n] = o.heartbeatOf(d)
	}
	return all
}

// Heartbeat returns the heartbeat with an id.
func (o *Organisation) Heartbeat(id string) (d heartbeat.Definition, ok bool) {
	for _, d := range o.heartbeats {
		if d.ID == id {
			return o.heartbeatOf(d), true
		}
	}
	return d, false
}

func (o *Organisation) heartbeatOf(d heartbeat.Definition) heartbeat.Definition {
	d.Language, d.Folder = o.Languages[0], incident.Folder{Revision: o.Revision, Changed: o.Changed}
	return d
}
