package callback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/refusal"
	"muster/internal/store"
)

// slackWithin is how old a request of Slack may be.
const slackWithin = 5 * time.Minute

// pressed is what Slack tells when somebody has pressed a button.
type pressed struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Actions []struct {
		ID    string `json:"action_id"`
		Value string `json:"value"` // as slack.Value makes it
		At    string `json:"action_ts"`
	} `json:"actions"`
	ResponseURL string `json:"response_url"`
}

// takeSlack takes the buttons of Slack. Slack wants its answer within three seconds, so it has that before anything is decided; whoever
// has pressed is told what came of it where Slack says.
func (c *Callbacks) takeSlack(w http.ResponseWriter, r *http.Request, body []byte) error {
	o := c.cfg.Organisation()
	secret, err := o.SlackSigning()
	if err != nil {
		return err
	}
	if secret == "" {
		return refusal.Body{Status: http.StatusNotFound, Detail: "channels in organisation.yaml has no slack with a signing_secret"}
	}
	if field, why := c.fromSlack(r, body, string(secret)); why != "" {
		return c.unproven(r, field, why)
	}
	form, err := url.ParseQuery(string(body))
	var p pressed
	if err != nil || json.Unmarshal([]byte(form.Get("payload")), &p) != nil {
		return refusal.Body{Status: http.StatusBadRequest, Field: "payload", Detail: "want the JSON of an interaction"}
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // where it cannot be flushed it goes out with the last deed
	if p.Type != "block_actions" {
		return nil
	}
	r = r.WithContext(context.WithoutCancel(r.Context())) // Slack does not wait any more
	for _, a := range p.Actions {
		action := link.Action(a.ID)
		id, content, _ := strings.Cut(a.Value, " ")
		switch action {
		case link.Acknowledge, link.Escalate, link.Resolve:
			d := deed{
				id: a.At + "/" + p.User.ID + "/" + a.ID, tool: "slack", incident: incident.ID(id), content: content, action: action,
			}
			c.tellSlack(r.Context(), p.ResponseURL, c.press(r, o, p.User.ID, d))
		default: // a link
		}
	}
	return nil
}

// fromSlack says why a request is not one of Slack's: empty when it is.
func (c *Callbacks) fromSlack(r *http.Request, body []byte, secret string) (field, why string) {
	const stamp, signature = "X-Slack-Request-Timestamp", "X-Slack-Signature"
	seconds, err := strconv.ParseInt(r.Header.Get(stamp), 10, 64)
	if err != nil {
		return stamp, "want the seconds since 1970"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + r.Header.Get(stamp) + ":"))
	mac.Write(body)
	if !hmac.Equal([]byte(r.Header.Get(signature)), []byte("v0="+hex.EncodeToString(mac.Sum(nil)))) {
		return signature, "it was not made with the signing secret of the app"
	}
	if c.cfg.Now().Sub(time.Unix(seconds, 0)).Abs() > slackWithin {
		return stamp, "want an instant within five minutes of now: an old request was sent again, or a clock is wrong"
	}
	return "", ""
}

// press does what a member asks by a button, and says what came of it.
func (c *Callbacks) press(r *http.Request, o *org.Organisation, member string, d deed) string {
	person, known := o.Reached(delivery.Slack, member)
	if !known {
		c.note(r, store.AttemptCallback, "", string(d.incident), string(d.action), "nobody in the organisation folder is the member "+member+" of Slack")
		return nobody(o.Languages[0], member)
	}
	to, _ := o.Person(person)
	d.person, d.why = person, strings.ReplaceAll(words(to.Language)[byButton], "{tool}", "Slack")
	a, err := c.act(r, d)
	if err != nil {
		c.cfg.Log.Warn("callback not taken", "tool", d.tool, "incident", d.incident, "action", d.action, "actor", person, "error", err)
		return string(d.incident) + ": " + words(to.Language)[away]
	}
	return a.say(o, person, d.action)
}

// nobody says what to do that a member of Slack may act.
func nobody(language, member string) string {
	entry := "{name: slack, type: slack, address: " + member + "}"
	if language == "ko" {
		return "Muster가 모르는 Slack 구성원입니다. people.yaml에서 본인의 methods에 다음을 넣으십시오: " + entry
	}
	return "Muster does not know this member of Slack. Put this among your methods in people.yaml: " + entry
}

// tellSlack tells whoever has pressed a button, and nobody else.
func (c *Callbacks) tellSlack(ctx context.Context, to, text string) {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return
	}
	body, err := json.Marshal(map[string]any{
		"response_type": "ephemeral", "replace_original": false, "text": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text),
	})
	if err == nil {
		err = c.cfg.Tell(ctx, to, body)
	}
	if err != nil {
		c.cfg.Log.Warn("answer to a button not told", "tool", "slack", "error", err)
	}
}
