package callback

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/refusal"
	"muster/internal/store"
	"muster/internal/twiml"
)

// takeKey takes a key that somebody who was called has pressed. The link in the path says who that is, and what about; the signature,
// that the service which has called them says so.
func (c *Callbacks) takeKey(w http.ResponseWriter, r *http.Request, body []byte) error {
	o := c.cfg.Organisation()
	phones, err := o.Phones()
	if err != nil {
		return err
	}
	if phones.Proof == "" || o.PublicURL == "" {
		return refusal.Body{Status: http.StatusNotFound, Detail: "organisation.yaml has no public_url, or no twilio in channels whose requests can be proven"}
	}
	const signature = "X-Twilio-Signature"
	address := strings.TrimRight(o.PublicURL, "/") + r.URL.RequestURI()
	form, err := url.ParseQuery(string(body))
	if err != nil || !twiml.Signed(string(phones.Proof), address, form, r.Header.Get(signature)) {
		return c.unproven(r, signature, "it was not made with the token of the account, over the public URL and what is sent")
	}
	token, _ := strings.CutPrefix(r.URL.Path, link.VoicePath)
	l, err := c.cfg.Links.ReadLink(token)
	if _, invalid := errors.AsType[*link.InvalidError](err); invalid {
		c.note(r, store.AttemptLink, "", link.VoicePath, r.Method, err.Error())
		return refusal.Body{Status: http.StatusNotFound, Detail: "the path has no link of this installation"}
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, c.pressKey(r, o, l, form.Get("Digits"), address))
	return nil
}

// pressKey does what a key asks for, and says what came of it.
func (c *Callbacks) pressKey(r *http.Request, o *org.Organisation, l link.Link, key, address string) string {
	to, known := o.Person(l.Person)
	if !known {
		to.Language = "en" // as answer.say has it
	}
	said := inCalls(to.Language)
	action := map[string]link.Action{twiml.AcknowledgeKey: link.Acknowledge, twiml.EscalateKey: link.Escalate}[key]
	switch {
	case l.Expired(c.cfg.Now()):
		c.note(r, store.AttemptLink, l.Person, l.Incident, r.Method, "the link has expired")
		return twiml.Say(to.Language, said.expired)
	case action == "":
		return twiml.Again(to.Language, said.other, address)
	case !l.Allows(action) || l.Incident == "":
		c.note(r, store.AttemptLink, l.Person, l.Incident, string(action), "the link does not allow what was asked for")
		return twiml.Say(to.Language, words(to.Language)[denied])
	}
	a, err := c.act(r, deed{
		id: l.ID + "/" + string(action), tool: "voice", person: l.Person, incident: incident.ID(l.Incident), content: l.Content, action: action, why: said.why,
	})
	if err != nil {
		c.cfg.Log.Warn("callback not taken", "tool", "voice", "incident", l.Incident, "action", action, "actor", l.Person, "error", err)
		return twiml.Again(to.Language, said.away, address)
	}
	return twiml.Say(to.Language, twiml.Spoken(a.say(o, l.Person, action)))
}

// call is what is said in calls alone.
type call struct {
	why, other, away, expired string
}

func inCalls(language string) call {
	if language == "ko" {
		return call{
			"전화에서 2번을 누름", "1번이나 2번이 아닙니다.", "지금은 처리하지 못했습니다.", "시간이 지나 이 전화로는 처리할 수 없습니다.",
		}
	}
	return call{
		"pressed 2 in a call", "That was neither 1 nor 2.", "This could not be done now.", "It is too late to do this by this call.",
	}
}
