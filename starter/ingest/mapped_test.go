package ingest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/starter/ingest"
)

// reading is a mapping that has read already.
type reading struct {
	found []alert.Found
	err   error
}

func (r reading) Read(any, int) ([]alert.Found, error) { return r.found, r.err }

func read(t *testing.T, source ingest.Source, body string) (*engine, []string) {
	t.Helper()
	e := newEngine()
	source.ID, source.Type = "own", alert.JSON
	w := serve(intake(t, e, func(c *ingest.Config) { c.Sources = []ingest.Source{source} }), to(t, "/v1/alerts/json", body))
	if w.Code == 200 {
		return e, nil
	}
	p := refused(t, w)
	faults := []string{p.Field + ": " + p.Detail}
	for _, f := range p.Errors {
		faults = append(faults, f.Field+": "+f.Detail)
	}
	return e, faults
}

func TestWhatAMappingMustRead(t *testing.T) {
	good := alert.Found{Fingerprint: "f", State: "firing"}
	with := func(change func(*alert.Found)) ingest.Source {
		f := good
		change(&f)
		return ingest.Source{Mapping: reading{found: []alert.Found{good, f}}}
	}
	for _, tc := range []struct {
		name   string
		source ingest.Source
		body   string
		want   string
	}{
		{"nothing wrong", with(func(*alert.Found) {}), `{}`, ""},
		{"no JSON", with(func(*alert.Found) {}), `{`, "body: want JSON: unexpected end"},
		{"no fingerprint", with(func(f *alert.Found) { f.Fingerprint = "" }), `{}`, "alerts[1].fingerprint: want what tells it apart; the mapping reads none"},
		{"no state", with(func(f *alert.Found) { f.State = "" }), `{}`, `alerts[1].state: want "firing" or "resolved"; the mapping reads ""`},
		{"another state", with(func(f *alert.Found) { f.State = "open" }), `{}`, `alerts[1].state: want "firing" or "resolved"; the mapping reads "open"`},
		{"no instant", with(func(f *alert.Found) { f.StartsAt = "today" }), `{}`, `alerts[1].starts_at: want an instant from 1970 on`},
		{"no list", ingest.Source{Mapping: reading{err: errors.New("want a list of alerts")}}, `{}`, "body: want a list of alerts, as the mapping of source own reads it"},
		{"too many", ingest.Source{Mapping: reading{err: alert.ErrTooMany}}, `{}`, "body: want at most 20000 alerts in one body"},
		{"no mapping", ingest.Source{}, `{}`, ": want a mapping of source own in the organisation folder"},
	} {
		e, faults := read(t, tc.source, tc.body)
		if tc.want == "" {
			if faults != nil || len(e.seen()) == 0 {
				t.Errorf("%s: got %v", tc.name, faults)
			}
			continue
		}
		good := 0 // the other alert counts all the same
		if strings.HasPrefix(tc.want, "alerts[1]") {
			good = 1
		}
		if len(faults) == 0 || !strings.HasPrefix(faults[0], tc.want) || len(e.seen()) != good {
			t.Errorf("%s: got %v and %d commits, want %s and %d", tc.name, faults, len(e.seen()), tc.want, good)
		}
	}
}

// clock is at 10:00:00.123.
func TestInstantsAsToolsWriteThem(t *testing.T) {
	at := clock().UTC().Truncate(time.Millisecond)
	for _, tc := range []struct {
		name, starts, ends, state string
		patience                  time.Duration
		began, ended, until       time.Time
	}{
		{"none", "", "", "firing", 0, at, time.Time{}, time.Time{}},
		{"as everybody does", "2026-11-22T18:59:00+09:00", "", "firing", 0, at.Truncate(time.Minute).Add(-time.Minute), time.Time{}, time.Time{}},
		{"in seconds", "1795341540", "", "firing", 0, time.Unix(1795341540, 0).UTC(), time.Time{}, time.Time{}},
		{"in parts of seconds", "1795341540.5", "", "firing", 0, time.UnixMilli(1795341540500).UTC(), time.Time{}, time.Time{}},
		{"in milliseconds", "1795341540500", "", "firing", 0, time.UnixMilli(1795341540500).UTC(), time.Time{}, time.Time{}},
		{"in nanoseconds", "1795341540500000000", "", "firing", 0, time.UnixMilli(1795341540500).UTC(), time.Time{}, time.Time{}},
		{"by a clock that is ahead", "2026-11-22T10:09:00Z", "", "firing", 0, at, time.Time{}, time.Time{}},
		{"with a time-out", "", "", "firing", time.Minute, at, time.Time{}, at.Add(time.Minute)},
		{"over", "1795341540", "1795341600", "resolved", time.Minute, time.Unix(1795341540, 0).UTC(), time.Unix(1795341600, 0).UTC(), time.Time{}},
		{"over, some time", "1795341540", "", "resolved", 0, time.Unix(1795341540, 0).UTC(), at, time.Time{}},
	} {
		f := alert.Found{Fingerprint: "f", State: tc.state, StartsAt: tc.starts, EndsAt: tc.ends}
		e, faults := read(t, ingest.Source{Mapping: reading{found: []alert.Found{f}}, ResolveTimeout: tc.patience}, `{}`)
		if len(e.seen()) != 1 {
			t.Fatalf("%s: got %v", tc.name, faults)
		}
		if a := e.seen()[0].batch.Alerts[0]; !a.StartsAt.Equal(tc.began) || !a.EndsAt.Equal(tc.ended) || !a.Until.Equal(tc.until) {
			t.Errorf("%s: got %s, %s, %s", tc.name, a.StartsAt, a.EndsAt, a.Until)
		}
	}
}

// Of each tool that a mapping comes with, what ends an alert ends the one that began it.
func TestShippedMappingsEndWhatTheyBegan(t *testing.T) {
	for _, tc := range [][2]string{
		{"datadog-triggered", "datadog-recovered"},
		{"opsgenie-create", "opsgenie-close"},
		{"zabbix-problem", "zabbix-recovery"},
		{"newrelic-activated", "newrelic-closed"},
		{"sentry-issue-alert", "sentry-issue-resolved"},
		{"sentry-metric-alert", "sentry-metric-alert-over"},
		{"uptimerobot-down", "uptimerobot-up"},
	} {
		name, _, _ := strings.Cut(tc[0], "-")
		m, err := org.ShippedMapping(name)
		if err != nil {
			t.Fatal(err)
		}
		e := newEngine()
		in := intake(t, e, func(c *ingest.Config) {
			c.Sources = []ingest.Source{ingest.Configured(org.Source{ID: name, Type: alert.JSON, Mapping: m})}
		})
		wantEnded(t, in, e, "/v1/alerts/json", "json/"+tc[0], "json/"+tc[1])
	}
}
