package ingest

import (
	"fmt"
	"strconv"
	"strings"
)

// decodeGrafana reads the body of a webhook of Grafana's alerting, version 1: that of an Alertmanager with more to each alert.
func decodeGrafana(_ call, body []byte) (message, error) {
	d := newDecoder(body)
	org := 0
	d.more = func(name string, a *sized) bool {
		switch {
		case a != nil:
			return d.ofGrafana(name)
		case name == "orgId":
			org = d.count(name)
			return true
		}
		return false
	}
	var m message
	if d.begins(body, '{', "an object") {
		m = d.message("1")
	}
	if err := d.refused(len(m.alerts)); err != nil {
		return m, err
	}
	if org > 1 { // each organisation of a Grafana has labels of its own
		prefix := "org" + strconv.Itoa(org) + "/"
		m.receiver = prefix + m.receiver
		for n := range m.alerts {
			a := &m.alerts[n]
			a.Fingerprint, a.bytes = prefix+a.Fingerprint, a.bytes+len(prefix)
			if len(a.Fingerprint) > maxFingerprint {
				d.at, d.of = n, "alerts"
				d.fault("fingerprint", fmt.Sprintf("want at most %d bytes, got %d", maxFingerprint-len(prefix), len(a.Fingerprint)-len(prefix)))
			}
		}
	}
	return m, d.refused(len(m.alerts))
}

// ofGrafana takes what an alert has beside that of an Alertmanager.
func (d *decoder) ofGrafana(name string) bool {
	switch name {
	case "dashboardURL":
		d.annotate("dashboard_url", d.link(name))
	case "panelURL":
		d.annotate("panel_url", d.link(name))
	case "silenceURL":
		d.annotate("silence_url", d.link(name))
	case "imageURL":
		d.annotate("image_url", d.link(name))
	case "values":
		d.annotate("values", d.values())
	default:
		return false
	}
	return true
}

// link takes a URL; half a link leads nowhere.
func (d *decoder) link(field string) string {
	if s := d.str(field); len(s) <= maxURL {
		return s
	}
	return ""
}

// values takes what a rule has computed, by the names of its parts: "A=0.5, B=1".
func (d *decoder) values() string {
	if d.peek() != '{' {
		d.skip()
		return ""
	}
	var b strings.Builder
	for name := range d.members() {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
		b.WriteString("=")
		b.WriteString(d.skip())
	}
	return b.String()
}
