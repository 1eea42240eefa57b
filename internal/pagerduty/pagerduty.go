// Package pagerduty pages people through an account of PagerDuty, by its Events API 2: a page is an alert there, which is acknowledged
// and resolved as its incident is. By its REST API it says who somebody there is.
package pagerduty

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Limits of the Events API, in characters.
const (
	longSummary = 1024
	longText    = 20_000 // of 512 kB for all
	longKey     = 255
)

// Sender makes an alert of each page.
type Sender struct {
	Guard     outbound.Guard
	Timeout   time.Duration // of one request
	URL       string        // of the Events API, such as https://events.pagerduty.com
	PublicURL string        // where Muster is reached from outside; empty: alerts have no link to it
}

// An event is what the Events API takes.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Links      []link   `json:"links,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type payload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp,omitempty"`
	Component string  `json:"component,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   details `json:"custom_details"`
}

type details struct {
	Incident         string `json:"incident,omitempty"`
	Priority         string `json:"priority,omitempty"`
	Status           string `json:"status,omitempty"`
	For              string `json:"for"`
	Text             string `json:"text"`
	PossiblyRepeated bool   `json:"possibly_repeated,omitempty"`
}

// Send makes one attempt. What is sent again under the same key is the same alert there.
func (s *Sender) Send(ctx context.Context, e delivery.Envelope) error {
	m := e.Message
	if !m.Kind.Pages() {
		return &delivery.Refusal{Detail: "an alert in PagerDuty is for pages alone"}
	}
	v := event{
		Action: "trigger", DedupKey: key(e), Client: "Muster", ClientURL: s.PublicURL,
		Payload: &payload{
			Summary: outbound.Line(m.Subject, longSummary-1), Source: outbound.Line(m.Service, 200), Severity: severity(m), Component: outbound.Line(m.Service, 200),
			Class: string(m.Kind), Details: details{m.Incident, m.Priority, m.Status, outbound.Line(e.Recipient.Name, 200), text(m), e.Repeated},
		},
	}
	if v.Payload.Source == "" {
		v.Payload.Source = "Muster"
	}
	if !e.Since.IsZero() {
		v.Payload.Timestamp = e.Since.UTC().Format(time.RFC3339)
	}
	if s.PublicURL != "" {
		v.Links = []link{{s.PublicURL, "Muster"}}
	}
	return s.post(ctx, e.Contact.Address, v)
}

// Follow tells of a page what has become of its incident. What PagerDuty does not know of any more, it drops.
func (s *Sender) Follow(ctx context.Context, e delivery.Envelope) error {
	action := map[string]string{
		"acknowledged": "acknowledge", "mitigated": "acknowledge", "resolved": "resolve", "merged": "resolve", "closed": "resolve",
	}[e.Message.Status]
	if action == "" {
		return nil
	}
	return s.post(ctx, e.Contact.Address, event{Action: action, DedupKey: key(e)})
}

// key is by which PagerDuty knows an alert: one for each page. An alert that somebody has acknowledged there stays silent, and a page
// must ring.
func key(e delivery.Envelope) string {
	if r := []rune(e.ID); len(r) > longKey {
		return string(r[:longKey])
	}
	return string(e.ID)
}

func severity(m delivery.Message) string {
	switch {
	case m.Priority == "P1":
		return "critical"
	case m.Priority == "P2", m.Kind == delivery.SelfWatch:
		return "error"
	case m.Priority == "P3":
		return "warning"
	}
	return "info"
}

// text is what the message says without its link, by which whoever opens the alert could decide in the name of the person.
func text(m delivery.Message) string {
	s := m.Text
	if n := strings.LastIndex(strings.TrimRight(s, "\n"), "\n\n"); m.URL != "" && n >= 0 && strings.Contains(s[n:], m.URL) {
		s = s[:n]
	}
	if m.URL != "" {
		s = strings.ReplaceAll(s, m.URL, "")
	}
	if r := []rune(s); len(r) > longText {
		s = string(r[:longText]) + "…"
	}
	return strings.TrimSpace(s)
}

// post sends one event.
func (s *Sender) post(ctx context.Context, routing string, v event) error {
	v.RoutingKey = routing
	api := outbound.API{Name: "PagerDuty", Guard: s.Guard, Timeout: s.Timeout, URL: s.URL, Secrets: []string{routing}}
	var out struct {
		Status string `json:"status"`
	}
	if err := api.Call(ctx, http.MethodPost, "/v2/enqueue", v, &out); err != nil {
		return err
	}
	if out.Status != "success" {
		return &delivery.Unavailable{Detail: "the answer to an event is not what the API of PagerDuty says"}
	}
	return nil
}

// Directory is the REST API of an account.
type Directory struct {
	Guard   outbound.Guard
	Timeout time.Duration
	URL     string // such as https://api.pagerduty.com
	Key     string // secret
}

// Mail returns the mail address of a user.
func (d *Directory) Mail(ctx context.Context, user string) (string, error) {
	var out struct {
		User struct {
			Email string `json:"email"`
		} `json:"user"`
	}
	err := d.call(ctx, "/users/"+url.PathEscape(user), &out)
	return out.User.Email, err
}

// Keys returns the keys of the alerts that an incident there is about.
func (d *Directory) Keys(ctx context.Context, incident string) (keys []string, err error) {
	var out struct {
		Alerts []struct {
			Key string `json:"alert_key"`
		} `json:"alerts"`
	}
	err = d.call(ctx, "/incidents/"+url.PathEscape(incident)+"/alerts?limit=25", &out)
	for _, a := range out.Alerts {
		keys = append(keys, a.Key)
	}
	return keys, err
}

func (d *Directory) call(ctx context.Context, path string, into any) error {
	api := outbound.API{Name: "PagerDuty", Guard: d.Guard, Timeout: d.Timeout, URL: d.URL, Secrets: []string{d.Key}, Header: map[string]string{
		"Authorization": "Token token=" + d.Key, "Accept": "application/vnd.pagerduty+json;version=2",
	}}
	return api.Call(ctx, http.MethodGet, path, nil, into)
}
