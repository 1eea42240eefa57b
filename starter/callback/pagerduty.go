package callback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/refusal"
	"muster/internal/store"
)

// pagerDutyWaits is for how long PagerDuty waits for an answer: five seconds, less the way.
const pagerDutyWaits = 4 * time.Second

// happened is an event of PagerDuty's webhooks, version 3.
type happened struct {
	Event struct {
		ID    string `json:"id"`
		Type  string `json:"event_type"`
		At    string `json:"occurred_at"`
		Agent struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		} `json:"agent"`
		Data struct {
			ID  string `json:"id"`
			Key string `json:"incident_key"`
		} `json:"data"`
	} `json:"event"`
}

// takePagerDuty takes that somebody has acknowledged or resolved a page in PagerDuty: either way they have taken it. What Muster itself
// has told PagerDuty comes back as an event of an integration, and not of a user, and says nothing new. Every event that is proven
// is taken, for PagerDuty stops sending after a few that are not.
func (c *Callbacks) takePagerDuty(w http.ResponseWriter, r *http.Request, body []byte) error {
	ctx, cancel := context.WithTimeout(r.Context(), pagerDutyWaits)
	defer cancel()
	r = r.WithContext(ctx)
	p, err := c.cfg.Organisation().PagerDuty()
	if err != nil {
		return err
	}
	if len(p.Secrets) == 0 {
		return refusal.Body{Status: http.StatusNotFound, Detail: "neither channels in organisation.yaml nor a method has the secret of a webhook of PagerDuty"}
	}
	const signature = "X-PagerDuty-Signature"
	from := signedBy(p.Secrets, r.Header.Get(signature), body)
	if len(from) == 0 {
		return c.unproven(r, signature, "none in it was made with the secret of the webhook")
	}
	var h happened
	if json.Unmarshal(body, &h) != nil || h.Event.ID == "" {
		return refusal.Body{Status: http.StatusBadRequest, Field: "event", Detail: "want an event of a webhook of version 3"}
	}
	if slices.Contains([]string{"incident.acknowledged", "incident.resolved"}, h.Event.Type) && h.Event.Agent.Type == "user_reference" {
		if err := c.taken(r, p, from, h); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// signedBy returns about whose pages a body may speak: one of its signatures was made with the secret of theirs, or of all. There may be
// several of both, while one secret is changed for another.
func signedBy(secrets []org.Signing, header string, body []byte) (of []string) {
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret.Secret))
		mac.Write(body)
		want, ok := []byte("v1="+hex.EncodeToString(mac.Sum(nil))), false
		for s := range strings.SplitSeq(header, ",") {
			ok = hmac.Equal(want, []byte(strings.TrimSpace(s))) || ok
		}
		if ok {
			of = append(of, secret.Of)
		}
	}
	return of
}

// taken acknowledges what a user of PagerDuty has taken there, in the name of the person who has their mail address.
func (c *Callbacks) taken(r *http.Request, p org.PagerDuty, from []string, h happened) error {
	e := h.Event
	var directory Directory
	if p.Key != "" && c.cfg.PagerDuty != nil {
		directory = c.cfg.PagerDuty(p)
	}
	ours, err := pagesOf(r.Context(), directory, from, e.Data.ID, e.Data.Key)
	if err != nil || len(ours) == 0 {
		return err
	}
	person, why, err := c.colleague(r.Context(), directory, e.Agent.ID)
	if err != nil {
		return err
	}
	for _, id := range ours {
		if why != "" {
			c.note(r, store.AttemptCallback, "", string(id), e.Type, why)
			continue
		}
		at, _ := time.Parse(time.RFC3339, e.At) // zero: it is not said
		if _, err := c.act(r, deed{id: e.ID + "/" + string(id), tool: "pagerduty", person: person, incident: id, action: link.Acknowledge, at: at}); err != nil {
			return err
		}
	}
	return nil
}

// colleague is the person who is a user of PagerDuty, or why nobody can say that.
func (c *Callbacks) colleague(ctx context.Context, d Directory, user string) (person, why string, err error) {
	if d == nil {
		return "", "PagerDuty names its users by IDs alone: want an api_key in channels: pagerduty in organisation.yaml", nil
	}
	mail, err := d.Mail(ctx, user)
	if delivery.IsRefusal(err) {
		return "", "PagerDuty does not say who " + user + " is: " + err.Error(), nil
	}
	if err != nil {
		return "", "", err
	}
	person, ok := c.cfg.Organisation().PersonByMail(mail)
	if !ok {
		return "", "the mail address of user " + user + " of PagerDuty is that of nobody, or of several people, in the organisation folder", nil
	}
	return person, "", nil
}

// pagesOf are the incidents of ours that an incident in PagerDuty is about, as far as whoever tells of it may. It has the key of its alert
// itself, or has several alerts.
func pagesOf(ctx context.Context, d Directory, from []string, there, key string) (ours []incident.ID, err error) {
	keys := []string{key}
	if id, _ := ourKey(key); id == "" && d != nil && there != "" {
		keys, err = d.Keys(ctx, there)
		if delivery.IsRefusal(err) {
			return nil, nil
		}
	}
	for _, k := range keys {
		id, to := ourKey(k)
		if may := slices.Contains(from, "") || slices.Contains(from, to); id != "" && may && !slices.Contains(ours, id) {
			ours = append(ours, id)
		}
	}
	return ours, err
}

// ourKey is the incident, and who was paged, of the key of an alert, which is the ID of a delivery: INC-7K3M9QX2PA/5/kim/pager. Both are
// empty where it is none of ours.
func ourKey(key string) (id incident.ID, to string) {
	parts := strings.SplitN(key, "/", 3)
	last := strings.LastIndex(key, "/")
	if len(parts) < 3 || !strings.HasPrefix(key, "INC-") || last < len(key)-len(parts[2]) {
		return "", ""
	}
	return incident.ID(parts[0]), key[len(key)-len(parts[2]) : last]
}
