package preset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strings"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Poster posts messages to a chat.
type Poster struct {
	Client *outbound.Client // Single: a chat cannot tell a repeat
	Chat   *Chat
}

// Send makes one attempt. A chat knows no delivery ids: what is sent again says that it may be there already.
func (p *Poster) Send(ctx context.Context, e delivery.Envelope) error {
	w, ok := p.Chat.way(e.Contact.Address)
	if !ok {
		return &delivery.Refusal{Detail: "the address is none of " + p.Chat.Name}
	}
	to, filled, err := p.place(w, e)
	if err != nil {
		return err
	}
	body, err := filled.body(filled.present(join(p.Chat.Body, w.Body)))
	if err != nil {
		return &delivery.Refusal{Detail: "the message cannot be written: " + err.Error()}
	}
	content, err := json.Marshal(body)
	if err != nil {
		return &delivery.Refusal{Detail: "the message cannot be written as JSON: " + err.Error()}
	}
	r := outbound.Request{URL: to, Body: content, Header: map[string]string{}}
	if e.Contact.Secret != "" && !w.Bare {
		r.Secret = e.Contact.Secret
		for name, value := range p.Chat.Header {
			if r.Header[name], err = (places{"secret": r.Secret}).text(value); err != nil {
				return &delivery.Refusal{Detail: "no request can be made: " + err.Error()}
			}
		}
	}
	reply, err := p.Client.Post(ctx, r)
	if err != nil || reply.Cut != nil { // its status has said that it was taken
		return err
	}
	return p.Chat.taken(w.Answer, reply.Body)
}

// place is where a message goes, and what is filled in for it.
func (p *Poster) place(w way, e delivery.Envelope) (string, places, error) {
	c, m := p.Chat, e.Message
	text := strings.TrimSpace(m.Text)
	if e.Repeated {
		text = outbound.Again(m.Language) + "\n\n" + text
	}
	script := c.script()
	filled := places{
		"title": script.Fit(m.Subject, c.Title), "plain": outbound.Script{Bytes: script.Bytes, Escape: c.Plain}.Fit(m.Subject, c.Title), "text": script.Fit(text, c.Text),
		"link": outbound.Link(m.URL), "tail": "", "open": outbound.Open(m.Language), "priority": cmp.Or(c.Priorities[m.Priority], c.Without),
		"address": e.Contact.Address,
	}
	if filled["link"] != "" && !strings.Contains(filled["text"], filled["link"]) {
		filled["tail"] = "\n" + filled["link"]
	}
	if w.Post != "" {
		return w.Post, filled, nil
	}
	to, err := url.Parse(e.Contact.Address)
	if err != nil || to.Host == "" {
		return "", nil, &delivery.Refusal{Detail: "the address is not a URL that begins with https:// or http://"}
	}
	if w.Of == ofTopic {
		above, topic := cutTopic(to.Path)
		if topic == "" {
			return "", nil, &delivery.Refusal{Detail: "the address names no topic: want a URL such as https://ntfy.example/TOPIC"}
		}
		to.Path, to.RawPath, filled["topic"] = above, "", topic
	}
	query := to.Query()
	for name, value := range w.Query {
		query.Set(name, value)
	}
	if len(w.Query) > 0 {
		to.RawQuery = query.Encode()
	}
	return to.String(), filled, nil
}

// cutTopic cuts the last part off a path.
func cutTopic(path string) (above, topic string) {
	n := strings.LastIndex(path, "/")
	return path[:n+1], path[n+1:]
}

// taken says what is wrong with the answer to a message, if anything is.
func (c *Chat) taken(want proof, body []byte) error {
	body = bytes.TrimSpace(body)
	strange := &delivery.Refusal{Detail: "the answer is not that of " + c.Name + ": is the address right?"}
	switch {
	case want.Text != "":
		if string(body) == want.Text {
			return nil
		}
		return strange
	case len(want.At) == 0:
		if bytes.HasPrefix(body, []byte("<")) { // a page
			return strange
		}
		return nil
	}
	var said any
	if json.Unmarshal(body, &said) != nil {
		return strange
	}
	value := want.At.text(said)
	if yes, is := want.At.in(said).(bool); is && yes {
		value = "true"
	}
	switch {
	case value != "" && (want.Is == "" || want.Is == value):
		return nil
	case want.Why.text(said) != "":
		return &delivery.Refusal{Detail: c.Name + ": " + outbound.Line(want.Why.text(said), 200)}
	}
	return strange
}

// script is how foreign text stands in it.
func (c *Chat) script() outbound.Script {
	s := outbound.Script{Escape: c.Escape, Bytes: c.Count == "bytes"}
	if c.SpareLinks {
		s.Links = func(u string) string { return u }
	}
	return s
}

// present leaves out of a body what is there for a place that is filled with nothing: an object that says so with when, and a key whose
// value is that place.
func (p places) present(v any) any {
	switch v := v.(type) {
	case []any:
		all := []any{}
		for _, x := range v {
			if m, is := x.(map[string]any); is && m["when"] != nil && p[text(m["when"])] == "" {
				continue
			}
			all = append(all, p.present(x))
		}
		return all
	case map[string]any:
		all := maps.Clone(v)
		delete(all, "when")
		for key, x := range all {
			if s := text(x); aPlace.FindString(s) == s && s != "" && p[strings.Trim(s, "{#}")] == "" {
				delete(all, key)
				continue
			}
			all[key] = p.present(x)
		}
		return all
	}
	return v
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
