package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/refusal"
)

const maxDedupKey = 255 // characters, as there

// routingKey is the token that an event has, empty when it has none.
func routingKey(body []byte) string {
	d := newDecoder(body)
	if !d.begins(body, '{', "an object") {
		return ""
	}
	key := ""
	for name := range d.members() {
		if name == "routing_key" && d.peek() == '"' {
			key = d.string()
		} else {
			d.skip()
		}
	}
	return key
}

// event is one of the Events API as it stands there.
type event struct {
	action, dedup string
	about         alert.Labels // of its payload: texts by their names
	notes         alert.Labels
	client, link  string
}

// decodePagerDuty reads an event of PagerDuty's Events API, version 2. Its deduplication key is all that later events say of
// an alert, so each key is an incident of its own, whatever the routes group by. When it began is when it came: a time that a
// sender repeats would make a new alert of an old key look like the old one.
func decodePagerDuty(c call, body []byte) (message, error) {
	d := newDecoder(body)
	var e event
	if d.begins(body, '{', "an object") {
		e = d.event()
	}
	if err := d.refused(1); err != nil {
		return message{}, err
	}
	if e.dedup == "" {
		e.dedup = c.fresh()
	}
	m := message{fixed: true, group: alert.Labels{{Name: "dedup_key", Value: e.dedup}}}
	if e.action == "acknowledge" {
		m.taken = true
		return m, nil
	}
	a := sized{Alert: alert.Alert{State: alert.Firing, StartsAt: c.at, Fingerprint: short(e.dedup), Annotations: e.notes, Labels: e.about}}
	if e.action == "resolve" {
		a.State, a.EndsAt, a.Bare = alert.Resolved, c.at, len(e.about)+len(e.notes) == 0
	}
	a.Name = clip(cmp.Or(e.about.Value("class"), e.notes.Value("summary"), e.dedup), maxName)
	a.Generator = cmp.Or(e.client, e.link)
	a.bound()
	m.common, m.title, m.alerts = a.Labels, clip(a.Summary(), maxTitle), []sized{a}
	return m, nil
}

func (d *decoder) event() (e event) {
	given := false
	for name := range d.members() {
		switch name {
		case "event_action":
			e.action = d.str(name)
		case "dedup_key":
			e.dedup = d.str(name)
		case "payload":
			if given = d.kind() != "null"; d.peek() == '{' {
				d.payload(&e)
			} else {
				d.wrongUnlessNull(name, "an object")
			}
		case "client":
			e.about = append(e.about, alert.Label{Name: name, Value: d.str(name)})
		case "client_url":
			e.client = d.link(name)
		case "links":
			d.links(&e)
		default:
			d.skip()
		}
	}
	switch e.action {
	case "trigger":
		if !given {
			d.fault("payload", "want an object with summary, source and severity, got none")
		}
	case "acknowledge", "resolve":
		if e.dedup == "" {
			d.fault("dedup_key", "want the key of the alert that this is about, got none")
		}
	default:
		d.fault("event_action", `want "trigger", "acknowledge" or "resolve", got `+quote(e.action))
	}
	if n := utf8.RuneCountInString(e.dedup); n > maxDedupKey {
		d.fault("dedup_key", fmt.Sprintf("want at most %d characters, got %d", maxDedupKey, n))
	}
	e.about, e.notes = ordered(e.about), ordered(e.notes)
	return e
}

// payload takes what an event says of its alert. Custom details that are no objects count as labels, for they tell alerts apart
// as often as the rest does.
func (d *decoder) payload(e *event) {
	var details alert.Labels
	summary, origin, severity := "", "", ""
	for name := range d.members() {
		switch name {
		case "summary":
			summary = d.str("payload.summary")
		case "source":
			origin = d.str("payload.source")
		case "severity":
			severity = d.str("payload.severity")
		case "component", "group":
			e.about = append(e.about, alert.Label{Name: name, Value: d.str("payload." + name)})
		case "class":
			class := d.str("payload.class")
			e.about = append(e.about, alert.Label{Name: name, Value: class}, alert.Label{Name: nameLabel, Value: class})
		case "timestamp":
			e.notes = append(e.notes, alert.Label{Name: name, Value: d.str("payload.timestamp")})
		case "custom_details":
			details = d.details(&e.notes, name)
		default:
			d.skip()
		}
	}
	for _, need := range []struct{ field, value string }{{"summary", summary}, {"source", origin}} {
		if need.value == "" {
			d.fault("payload."+need.field, "want a text, got none")
		}
	}
	if !slices.Contains([]string{"critical", "error", "warning", "info"}, severity) {
		d.fault("payload.severity", `want "critical", "error", "warning" or "info", got `+quote(severity))
	}
	e.notes = append(e.notes, alert.Label{Name: "summary", Value: summary})
	e.about = append(e.about, alert.Label{Name: "source", Value: origin}, alert.Label{Name: "severity", Value: severity})
	e.about = append(e.about, details...) // after the others, which therefore stay what they are
}

// details takes what somebody has added: what is one value as labels, links and the rest as annotations, and what pages quote as both.
func (d *decoder) details(notes *alert.Labels, name string) (one alert.Labels) {
	if d.peek() != '{' {
		*notes = append(*notes, alert.Label{Name: name, Value: d.one()})
		return nil
	}
	for name := range d.members() {
		c, value := d.peek(), d.one()
		if c == '{' || c == '[' || strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://") {
			*notes = append(*notes, alert.Label{Name: name, Value: clip(value, maxValue)})
		} else {
			one = append(one, alert.Label{Name: name, Value: value})
			if name == "message" || name == "description" || name == "reason" {
				*notes = append(*notes, alert.Label{Name: name, Value: clip(value, maxValue)})
			}
		}
	}
	return one
}

// links takes the links of an event, each under its words. The first one leads to the sender's own view, if nothing else does.
func (d *decoder) links(e *event) {
	d.list("links", func(field string) {
		href, words := "", ""
		d.each(field, func(name string) {
			switch name {
			case "href":
				href = d.link(field + ".href")
			case "text":
				words = strings.TrimSpace(clip(d.str(field+".text"), maxName))
			default:
				d.skip()
			}
		})
		e.link = cmp.Or(e.link, href)
		if words = cmp.Or(words, field); e.notes.Value(words) != "" { // two of the same words
			words += " " + field
		}
		e.notes = append(e.notes, alert.Label{Name: words, Value: href})
	})
}

// ordered sorts labels, of which the first one of a name counts, and leaves out what says nothing.
func ordered(ls alert.Labels) alert.Labels {
	ls = slices.DeleteFunc(ls, func(l alert.Label) bool { return l.Value == "" || l.Name == "" })
	slices.SortStableFunc(ls, func(a, b alert.Label) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(ls, func(a, b alert.Label) bool { return a.Name == b.Name })
}

// answerPagerDuty says what PagerDuty says.
func answerPagerDuty(w http.ResponseWriter, m message, _, _ int) {
	key, _ := json.Marshal(m.group.Value("dedup_key")) // a string always marshals
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(w, `{"status":"success","message":"Event processed","dedup_key":%s}`+"\n", key)
}

// refusePagerDuty says what is wrong as PagerDuty does.
func refusePagerDuty(w http.ResponseWriter, p refusal.Body) {
	list := []string{p.Error()}
	if len(p.Errors) > 0 {
		list = list[:0]
		for _, f := range p.Errors {
			list = append(list, f.Field+": "+f.Detail)
		}
	}
	body, _ := json.Marshal(struct { // strings always marshal
		Status  string   `json:"status"`
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}{"invalid event", "Event object is invalid", list})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}
