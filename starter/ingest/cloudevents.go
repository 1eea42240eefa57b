package ingest

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"muster/internal/alert"
)

const structuredEvent = "application/cloudevents+json"

// decodeCloudEvents reads an event of the CloudEvents specification, version 1.0, in structured or binary mode. What it carries goes to
// the decoder of another format, or all of it to the mapping of its source, which sees both modes alike.
func decodeCloudEvents(c call, body []byte) (message, error) {
	d := newDecoder(body)
	event, prefix := map[string]any{}, ""
	data := ""
	switch kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type")); {
	case kind != structuredEvent:
		event, prefix = eventOfHeader(c.header), "ce-"
		data = string(body)
		if !json.Valid(body) {
			d.fault("body", "want JSON: "+syntaxError(body))
		}
	case d.begins(body, '{', "an object"):
		data = d.structured(event)
	}
	if len(d.faults) > 0 {
		return message{}, d.refused(0)
	}
	if v, _ := event["specversion"].(string); !strings.HasPrefix(v, "1.") {
		d.fault(prefix+"specversion", `want "1.0", got `+quote(v))
	}
	for _, name := range []string{"id", "source", "type"} {
		if v, _ := event[name].(string); v == "" {
			d.fault(prefix+name, "want a text, got none")
		}
	}
	if len(d.faults) > 0 {
		return message{}, d.refused(0)
	}
	if c.source.Data != "" {
		return Source{Type: c.source.Data}.format().decode(c, []byte(data))
	}
	if data != "" {
		event["data"] = newDecoder([]byte(data)).any()
	}
	if at, _ := event["time"].(string); at != "" { // the same event once more is the same alert
		c.began = d.instant(prefix+"time", at)
	}
	if len(d.faults) > 0 {
		return message{}, d.refused(0)
	}
	return d.mapped(c, event)
}

// structured takes the attributes of an event, and returns what it carries as JSON.
func (d *decoder) structured(event map[string]any) (data string) {
	for name := range d.members() {
		switch name {
		case "data":
			data = d.skip()
		case "data_base64":
			raw, err := base64.StdEncoding.DecodeString(d.str(name))
			if data = string(raw); err != nil || !json.Valid(raw) {
				d.fault(name, "want JSON in base64")
			}
		default:
			event[name] = d.any()
		}
	}
	return data
}

// eventOfHeader are the attributes of an event in binary mode.
func eventOfHeader(h http.Header) map[string]any {
	event := map[string]any{}
	for name, values := range h {
		attribute, is := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !is || len(values) == 0 {
			continue
		}
		value, err := url.PathUnescape(values[0])
		if err != nil {
			value = values[0]
		}
		event[attribute] = clip(value, maxValue)
	}
	return event
}

// greet answers whoever asks, before it sends events, whether it may: CloudEvents' own protection against unwanted senders.
func (in *Intake) greet(w http.ResponseWriter, r *http.Request, f format, named string) error {
	if _, err := in.guard.identify(w, r, f, named); err != nil {
		return err
	}
	w.Header().Set("WebHook-Allowed-Origin", clip(r.Header.Get("WebHook-Request-Origin"), 256))
	w.Header().Set("WebHook-Allowed-Rate", "*")
	w.Header().Set("Allow", http.MethodPost)
	return nil
}

// carried are the formats that an event of CloudEvents may carry.
func carried(f alert.Format) bool {
	for _, known := range formats() {
		if known.name == f {
			return known.prove == nil && known.token == nil && !known.asks && known.apart == ""
		}
	}
	return false
}
