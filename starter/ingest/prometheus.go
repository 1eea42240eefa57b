package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"muster/internal/alert"
)

// ResolveTimeout is after how long an alert that only comes again is over when it has not, unless its source says otherwise:
// Alertmanager's own default.
const ResolveTimeout = 5 * time.Minute

// decodePrometheus reads what is posted to an Alertmanager's API, version 2, which is how Prometheus posts: alerts of any
// groups, each again and again while it fires. Those of one name belong together.
func decodePrometheus(c call, body []byte) (message, error) {
	d := newDecoder(body)
	if !d.begins(body, '[', "an array of alerts") {
		return message{}, d.refused(0)
	}
	m := message{by: []string{nameLabel}}
	m.alerts = d.alerts("", func() sized { return d.posted(c) })
	return d.sifted(m)
}

const nameLabel = "alertname"

// posted takes one alert. It fires as long as its end lies ahead, and without an end, too; when it began may be left out.
func (d *decoder) posted(c call) (a sized) {
	var starts, ends string
	if !d.object() {
		return a
	}
	for name := range d.members() {
		if !d.alike(name, &a, &starts, &ends) {
			d.skip()
		}
	}
	empty := func(l alert.Label) bool { return l.Value == "" }
	a.Labels = slices.DeleteFunc(a.Labels, empty) // as there: what says nothing does not tell alerts apart
	if len(a.Labels) == 0 {
		d.fault("labels", "want at least one label with a value, got none")
		return a
	}
	begun, end := d.perhaps("startsAt", starts), d.perhaps("endsAt", ends)
	if !begun.IsZero() && !end.IsZero() && end.Before(begun) {
		d.fault("endsAt", fmt.Sprintf("want it not before startsAt %s, got %s", quote(starts), quote(ends)))
	}
	a.State = alert.Firing
	if !end.IsZero() && !end.After(c.at) {
		a.State, a.EndsAt = alert.Resolved, end
	} else if a.Until = c.at.Add(cmp.Or(c.source.ResolveTimeout, ResolveTimeout)); end.After(a.Until) {
		a.Until = end
	}
	if a.StartsAt = begun; begun.IsZero() {
		a.StartsAt = c.at
		if a.State == alert.Resolved {
			a.StartsAt = end
		}
	}
	a.Fingerprint = d.fingerprint("", a.Labels)
	a.Name = alertName(a.Labels, a.Fingerprint)
	a.bound()
	return a
}

// perhaps takes an instant that may be left out, which is zero then.
func (d *decoder) perhaps(field, s string) time.Time {
	if s == "" || s == never {
		return time.Time{}
	}
	return d.instant(field, s)
}
