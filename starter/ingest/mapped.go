package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"muster/internal/alert"
	"muster/internal/refusal"
)

// A Mapping reads the alerts of a source from JSON of its own form.
type Mapping interface {
	// Read returns the alerts of JSON, which is of nil, bool, int64, float64, string, []any and map[string]any. Its error is
	// alert.ErrTooMany where there are more than most, and else says what the JSON should be.
	Read(body any, most int) ([]alert.Found, error)
}

// decodeJSON reads JSON of any form as the mapping of its source says.
func decodeJSON(c call, body []byte) (message, error) {
	d := newDecoder(body)
	if !json.Valid(body) {
		d.fault("body", "want JSON: "+syntaxError(body))
		return message{}, d.refused(0)
	}
	return d.mapped(c, d.any())
}

// mapped reads what a body says as the mapping of its source says.
func (d *decoder) mapped(c call, body any) (message, error) {
	if c.source.Mapping == nil {
		return message{}, refusal.Body{
			Status: http.StatusForbidden, Detail: fmt.Sprintf("want a mapping of source %s in the organisation folder", c.source.ID),
		}
	}
	found, err := c.source.Mapping.Read(body, MaxAlerts)
	switch {
	case err == nil:
	case errors.Is(err, alert.ErrTooMany):
		return message{}, refusal.Of(http.StatusRequestEntityTooLarge, refusal.Fault{
			Field: "body", Detail: fmt.Sprintf("want at most %d alerts in one body", MaxAlerts),
		})
	default:
		d.fault("body", fmt.Sprintf("%v, as the mapping of source %s reads it", err, c.source.ID))
		return message{}, d.refused(0)
	}
	m := message{by: []string{nameLabel}}
	if len(c.source.GroupBy) > 0 {
		m.by = c.source.GroupBy
	}
	for n := range found {
		d.at, d.of = n, "alerts"
		m.alerts = append(m.alerts, d.foundAlert(c, found[n]))
	}
	return d.sifted(m)
}

// foundAlert checks what was read of one alert.
func (d *decoder) foundAlert(c call, f alert.Found) (a sized) {
	if f.Fingerprint == "" {
		d.fault("fingerprint", "want what tells it apart; the mapping reads none")
	}
	a.State = alert.State(f.State)
	begun, end := d.whenever("starts_at", f.StartsAt), d.whenever("ends_at", f.EndsAt)
	switch a.State {
	case alert.Firing:
		if begun.After(c.at) { // by a clock that is ahead: its end might come before
			begun = c.at
		}
		if c.source.ResolveTimeout > 0 {
			a.Until = c.at.Add(c.source.ResolveTimeout)
		}
	case alert.Resolved:
		if a.EndsAt = end; end.IsZero() {
			a.EndsAt = c.at
		}
	default:
		d.fault("state", fmt.Sprintf(`want "firing" or "resolved"; the mapping reads %s`, quote(f.State)))
	}
	if a.StartsAt = begun; begun.IsZero() {
		a.StartsAt = c.at
		if !c.began.IsZero() && c.began.Before(c.at) {
			a.StartsAt = c.began
		}
	}
	if len(f.Link) <= maxURL {
		a.Generator = f.Link
	}
	a.Fingerprint = short(f.Fingerprint)
	a.Labels = ordered(f.Labels)
	a.Annotations = ordered(f.Annotations)
	a.Name = clip(cmp.Or(a.Labels.Value(nameLabel), a.Fingerprint), maxName)
	a.bound()
	return a
}

// whenever takes an instant as tools write them: as everybody does, or in seconds or milliseconds since 1970. None is zero.
func (d *decoder) whenever(field, s string) time.Time {
	if s == "" || s == never {
		return time.Time{}
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 {
		const seconds = 100_000_000_000 // later than any, and earlier than milliseconds of our time
		switch {
		case n < seconds:
			return time.UnixMilli(int64(n * 1_000)).UTC()
		case n < seconds*1_000:
			return time.UnixMilli(int64(n)).UTC()
		case n < seconds*1_000_000_000:
			return time.UnixMicro(int64(n / 1_000)).UTC()
		}
	}
	return d.instant(field, s)
}
