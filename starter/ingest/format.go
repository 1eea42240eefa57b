package ingest

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/refusal"
)

// Prefix begins the path of every format: /v1/alerts/grafana is that of Grafana.
const Prefix = "/v1/alerts/"

// Path is where Alertmanagers post.
const Path = Prefix + string(alert.Alertmanager)

// A call is one request, from a source that is known.
type call struct {
	source Source
	at     time.Time     // when it was received
	fresh  func() string // makes a name for what has none
	header http.Header
	began  time.Time // when what it says began, where that stands around it; zero: it does not
}

// A format is what the sources of one type have in common.
type format struct {
	name   alert.Format
	path   string   // beside the one under Prefix, where the sender wants a certain one
	signed []string // headers of which one has the signature, unless the source names its own; none: it cannot sign
	decode func(c call, body []byte) (message, error)
	apart  string // where its senders reach us that post no bodies of alerts; empty: they do

	media  []string                                                         // content types beside JSON
	asks   bool                                                             // its senders ask before they send
	prove  func(ctx context.Context, in *Intake, c call, body []byte) error // that a source which its path names has sent a body; nil: it cannot
	token  func(body []byte) string                                         // that the body has in place of the header; nil: it has none
	answer func(w http.ResponseWriter, m message, alerts, commits int)      // nil: as most do
	refuse func(w http.ResponseWriter, p refusal.Body)                      // nil: as most do
}

// formats are all that an Intake understands.
func formats() []format {
	return []format{
		{name: alert.Alertmanager, decode: func(_ call, body []byte) (message, error) { return decodeAlertmanager(body) }},
		{name: alert.Prometheus, path: "/api/v2/alerts", decode: decodePrometheus},
		{name: alert.Grafana, decode: decodeGrafana, signed: []string{"X-Grafana-Alerting-Signature", "X-Grafana-Alert-Signature"}},
		{
			name: alert.PagerDuty, path: "/v2/enqueue", decode: decodePagerDuty,
			token: routingKey, answer: answerPagerDuty, refuse: refusePagerDuty,
		},
		{name: alert.Azure, decode: decodeAzure},
		{name: alert.SNS, decode: decodeSNS, prove: proveSNS, media: []string{"text/plain"}},
		{name: alert.EventBridge, decode: decodeEventBridge},
		{name: alert.JSON, decode: decodeJSON},
		{name: alert.CloudEvents, decode: decodeCloudEvents, media: []string{structuredEvent}, asks: true},
		{name: alert.Email, apart: "the address of serve --mail-listen", decode: decodeEmail},
		{name: alert.Heartbeat, apart: HeartbeatPrefix + "NAME"},
	}
}

// Paths returns where an Intake is mounted.
func Paths() []string {
	all := []string{Prefix, HeartbeatPrefix}
	for _, f := range formats() {
		if f.path != "" {
			all = append(all, f.path)
		}
	}
	return all
}

// formatOf returns the format of a path, and the source that it names, if it does.
func formatOf(path string) (f format, source string, err error) {
	var known []string
	for _, f := range formats() {
		if f.apart != "" {
			continue
		}
		if own := Prefix + string(f.name); path == f.path || path == own {
			return f, "", nil
		} else if id, of := strings.CutPrefix(path, own+"/"); of && sourceID.MatchString(id) {
			return f, id, nil
		}
		known = append(known, string(f.name))
	}
	return format{}, "", refusal.Body{
		Status: http.StatusNotFound,
		Detail: fmt.Sprintf("want %s and one of %s; got %s", Prefix, strings.Join(known, ", "), clip(path, 128)),
	}
}

// address is where sources of a format post.
func (f format) address() string {
	if where := cmp.Or(f.apart, f.path); where != "" {
		return where
	}
	return Prefix + string(f.name)
}

// format is that of the source.
func (s Source) format() format {
	for _, f := range formats() {
		if f.name == s.Type {
			return f
		}
	}
	return formats()[0]
}
