// Package statuspage posts on a status page behind the REST API of Statuspage (v1), or one that speaks it. Subscribers, mail and the
// page itself are that service's.
package statuspage

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/posting"
)

// Page is one hosted page.
type Page struct {
	Guard   outbound.Guard
	Timeout time.Duration // of one request; 10 s when zero
	URL     string        // of the API, without /v1
	ID      string        // of the page
	Key     string        // secret
}

// marker is what Muster leaves in the metadata of an incident on the page, to find it again and to know what it says. It is on the
// wire: never renamed.
type marker struct {
	Incident string `json:"incident"`
	Revision int    `json:"revision"`
}

const markerKey = "muster"

// entry is an incident as the page has it.
type entry struct {
	ID         string                     `json:"id"`
	Metadata   map[string]json.RawMessage `json:"metadata"`
	Components []component                `json:"components"`
}

type component struct {
	ID string `json:"id"`
}

func (e entry) marker() (m marker) {
	_ = json.Unmarshal(e.Metadata[markerKey], &m) // what is not ours names no incident of ours
	return m
}

// wanted is what an incident on the page is to say.
type wanted struct {
	Name         string                     `json:"name,omitempty"`
	Status       string                     `json:"status"`
	Body         string                     `json:"body"`
	Impact       string                     `json:"impact_override,omitempty"`
	ComponentIDs []string                   `json:"component_ids,omitempty"`
	Components   map[string]string          `json:"components,omitempty"`
	Metadata     map[string]json.RawMessage `json:"metadata"`
}

var safeID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// SafeID tells whether a page, component or incident may be called so.
func SafeID(id string) bool { return safeID.MatchString(id) }

// Post creates the incident on the page, or adds an update to it. The API knows no idempotency keys, so what is there is looked at
// first: by what was recorded, else by the marker. Every request is sent once; a further attempt looks again.
func (p *Page) Post(ctx context.Context, post posting.Posting) (ref string, err error) {
	if !SafeID(p.ID) || p.Key == "" {
		return post.Ref, &delivery.Refusal{Detail: "the status page has no page or no key"}
	}
	there, err := p.find(ctx, post)
	if err != nil {
		return post.Ref, err
	}
	if there != nil && there.marker().Revision >= post.Revision {
		return there.ID, nil
	}
	want, err := p.want(ctx, post, there)
	if err != nil {
		return post.Ref, err
	}
	body := map[string]wanted{"incident": want}
	var out entry
	if there != nil {
		return there.ID, p.call(ctx, http.MethodPatch, "/incidents/"+there.ID, body, &out)
	}
	if err := p.call(ctx, http.MethodPost, "/incidents", body, &out); err != nil {
		return post.Ref, err
	}
	if !SafeID(out.ID) { // it may be there all the same: the next attempt finds it
		return post.Ref, &delivery.Unavailable{Detail: "the answer to the new incident does not name it"}
	}
	return out.ID, nil
}

// find returns the incident on the page, nil when there is none. One that somebody has removed from the page stays removed.
func (p *Page) find(ctx context.Context, post posting.Posting) (*entry, error) {
	if post.Ref != "" {
		if !SafeID(post.Ref) {
			return nil, &delivery.Refusal{Detail: "the page has given the incident a name that cannot be asked for"}
		}
		var e entry
		if err := p.call(ctx, http.MethodGet, "/incidents/"+post.Ref, nil, &e); err != nil {
			return nil, err
		}
		if e.ID != post.Ref {
			return nil, &delivery.Unavailable{Detail: "the page answers with another incident than it was asked for"}
		}
		return &e, nil
	}
	var all []entry
	if err := p.call(ctx, http.MethodGet, "/incidents?limit=100", nil, &all); err != nil {
		return nil, err
	}
	for n := range all {
		if all[n].marker().Incident == post.Incident && SafeID(all[n].ID) {
			return &all[n], nil
		}
	}
	return nil, nil //nolint:nilnil // none there
}

// want is what the incident is to say, with what others have left in its metadata.
func (p *Page) want(ctx context.Context, post posting.Posting, there *entry) (w wanted, err error) {
	words := post.Words[:min(1, len(post.Words))]
	if len(words) == 0 {
		return w, &delivery.Refusal{Detail: "there are no words to post"}
	}
	w = wanted{Status: post.Status, Body: words[0].Text, Metadata: map[string]json.RawMessage{}}
	if there == nil {
		w.Name, w.Impact = words[0].Title, map[string]string{"high": "critical", "medium": "major", "low": "minor"}[post.Impact]
	} else {
		for k, v := range there.Metadata {
			w.Metadata[k] = v
		}
	}
	if w.Metadata[markerKey], err = json.Marshal(marker{post.Incident, post.Revision}); err != nil {
		return w, &delivery.Refusal{Detail: "the marker cannot be written: " + err.Error()}
	}
	if post.Component == "" {
		return w, nil
	}
	if !SafeID(post.Component) {
		return w, &delivery.Refusal{Detail: "the component cannot be asked for by this name"}
	}
	status := componentStatus(post)
	if post.Status == posting.Over {
		busy, err := p.busy(ctx, post.Component, there)
		if err != nil {
			return w, err
		}
		if busy { // another incident has it, and says how it is
			return w, nil
		}
	}
	w.ComponentIDs, w.Components = []string{post.Component}, map[string]string{post.Component: status}
	return w, nil
}

// componentStatus is how the component is said to be.
func componentStatus(post posting.Posting) string {
	switch {
	case post.Status == posting.Over:
		return "operational"
	case post.Status == "monitoring", post.Impact == "low":
		return "degraded_performance"
	case post.Impact == "medium":
		return "partial_outage"
	}
	return "major_outage"
}

// busy tells whether another incident that is open has the component.
func (p *Page) busy(ctx context.Context, id string, but *entry) (bool, error) {
	var open []entry
	if err := p.call(ctx, http.MethodGet, "/incidents/unresolved", nil, &open); err != nil {
		return false, err
	}
	for _, e := range open {
		if but != nil && e.ID == but.ID {
			continue
		}
		for _, c := range e.Components {
			if c.ID == id {
				return true, nil
			}
		}
	}
	return false, nil
}

// call makes one request.
func (p *Page) call(ctx context.Context, method, path string, body, into any) error {
	api := outbound.API{
		Name: "a status page", Guard: p.Guard, Timeout: p.Timeout, URL: p.URL, Header: map[string]string{"Authorization": "OAuth " + p.Key},
		Secrets: []string{p.Key},
		Wait: func(resp *http.Response) (time.Duration, bool) { // 420 is how this API says 429
			return outbound.RetryAfter(resp.Header.Get("Retry-After"), time.Now()), resp.StatusCode == 420
		},
	}
	return api.Call(ctx, method, "/v1/pages/"+p.ID+path, body, into)
}
