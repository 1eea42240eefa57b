package slack

import (
	"strings"

	"muster/internal/delivery"
	"muster/internal/link"
	"muster/internal/outbound"
)

// message is one as Slack has it, as far as we write it.
type message struct {
	Channel     string       `json:"channel,omitempty"`
	TS          string       `json:"ts,omitempty"`
	Text        string       `json:"text"`
	Attachments []attachment `json:"attachments"`
	Metadata    *metadata    `json:"metadata,omitempty"`
	Thread      string       `json:"thread_ts,omitempty"`
	Replies     int          `json:"reply_count,omitempty"` // as it is read
	Broadcast   bool         `json:"reply_broadcast,omitempty"`
	Parse       string       `json:"parse,omitempty"`
	UnfurlLinks *bool        `json:"unfurl_links,omitempty"`
	UnfurlMedia *bool        `json:"unfurl_media,omitempty"`
}

// attachment has a colour at its side.
type attachment struct {
	Color    string  `json:"color,omitempty"`
	Fallback string  `json:"fallback,omitempty"`
	Blocks   []block `json:"blocks"`
}

type block struct {
	Type     string    `json:"type"`
	ID       string    `json:"block_id,omitempty"`
	Text     *text     `json:"text,omitempty"`
	Elements []element `json:"elements,omitempty"`
}

// text stands in a block. Verbatim: Slack makes nothing of what it finds in it.
type text struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

// An element is a button, or a text of a context.
type element struct {
	Confirm  *confirm `json:"confirm,omitempty"` // what is asked before it is sent
	Type     string   `json:"type"`
	Text     any      `json:"text,omitempty"` // of a button an object
	Verbatim bool     `json:"verbatim,omitempty"`
	Action   string   `json:"action_id,omitempty"`
	Value    string   `json:"value,omitempty"`
	Style    string   `json:"style,omitempty"`
	URL      string   `json:"url,omitempty"`
}

// confirm is a question of Slack.
type confirm struct {
	Title text `json:"title"`
	Text  text `json:"text"`
	Yes   text `json:"confirm"`
	No    text `json:"deny"`
}

// metadata is what people do not see, by which a message is found again.
type metadata struct {
	Type    string `json:"event_type"`
	Payload struct {
		Delivery string `json:"delivery"`
		About    string `json:"about"`
	} `json:"event_payload"`
}

const eventType = "muster_message"

func (m *metadata) of(id delivery.ID) bool {
	return m != nil && m.Type == eventType && m.Payload.Delivery == string(id)
}

func (m *metadata) about(thing string) bool {
	return m != nil && m.Type == eventType && thing != "" && m.Payload.About == thing
}

// first tells whether others may stand below m.
func (m *message) first() bool { return m.Thread == "" || m.Thread == m.TS }

// Lengths that Slack allows, with room to spare.
const (
	maxTitle = 300
	maxText  = 2900 // of 3000 in a section
)

// The blocks that are told apart.
const (
	buttonsBlock = "muster-buttons"
	followBlock  = "muster-follow-up"
)

// script is text of Slack: with these characters escaped, and read verbatim, nothing in it mentions anybody. A character of no width keeps
// the others from being a format.
func script() outbound.Script {
	return outbound.Script{
		Escape: map[string]string{
			"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "\u200b*", "_": "\u200b_", "~": "\u200b~", "`": "\u200b`",
		},
		Links: func(u string) string { return "<" + strings.ReplaceAll(u, "&", "&amp;") + ">" },
	}
}

// colours are those of priorities.
func colours() map[string]string {
	return map[string]string{"P1": "#d62828", "P2": "#f77f00", "P3": "#fcbf49", "P4": "#2a9d8f"}
}

// compose writes a message.
func compose(e delivery.Envelope, buttons bool) message {
	m := e.Message
	title := outbound.Script{Escape: script().Escape}.Fit(outbound.Line(m.Subject, maxTitle), maxTitle)
	colour, ok := colours()[m.Priority]
	if !ok {
		colour = "#8d99ae"
	}
	a := attachment{Color: colour, Fallback: title, Blocks: []block{
		{Type: "section", Text: &text{"mrkdwn", script().Fit(strings.TrimSpace(m.Text), maxText), true}},
	}}
	if all := elements(e, buttons); len(all) > 0 {
		a.Blocks = append(a.Blocks, block{Type: "actions", ID: buttonsBlock, Elements: all})
	}
	out := message{
		Text: "*" + title + "*", Attachments: []attachment{a}, Metadata: &metadata{Type: eventType}, UnfurlLinks: new(bool), UnfurlMedia: new(bool),
	}
	out.Metadata.Payload.Delivery, out.Metadata.Payload.About = string(e.ID), m.Incident
	return out
}

// elements are the buttons of a message: what a page asks for, and a way to where it is shown.
func elements(e delivery.Envelope, buttons bool) []element {
	var all []element
	label := func(s string) text { return text{Type: "plain_text", Text: s} }
	if buttons && e.Message.Kind == delivery.Page && e.Offer != nil {
		say := words(e.Message.Language)
		for _, action := range []link.Action{link.Acknowledge, link.Escalate, link.Resolve} {
			b := element{Type: "button", Text: label(say[action]), Action: string(action), Value: Value(e.Message.Incident, e.Offer.Content)}
			switch action {
			case link.Acknowledge:
				b.Style = "primary"
			case link.Resolve: // customers may be told
				b.Confirm = &confirm{label(say[action]), label(asked(e.Message.Language)), label(say[action]), label(refused(e.Message.Language))}
			default:
			}
			all = append(all, b)
		}
	}
	if u := outbound.Link(e.Message.URL); u != "" {
		all = append(all, element{Type: "button", Text: label(outbound.Open(e.Message.Language)), Action: "open", URL: u})
	}
	return all
}

// Value is what a button sends back: the incident, and the fingerprint of what was shown of it.
func Value(incident, content string) string { return incident + " " + content }

func words(language string) map[link.Action]string {
	if language == "ko" {
		return map[link.Action]string{link.Acknowledge: "확인(ACK)", link.Escalate: "에스컬레이션", link.Resolve: "해결"}
	}
	return map[link.Action]string{link.Acknowledge: "Acknowledge", link.Escalate: "Escalate", link.Resolve: "Resolve"}
}

// asked is what is asked before an incident is resolved by a button.
func asked(language string) string {
	if language == "ko" {
		return "이 인시던트를 해결로 처리할까요? 고객사에 정상화가 안내될 수 있습니다."
	}
	return "Is the incident over? Customers may be told so."
}

func refused(language string) string {
	if language == "ko" {
		return "취소"
	}
	return "Cancel"
}

// followed takes the buttons away that decide something, and says what has become of it.
func (m *message) followed(of delivery.Message) {
	for n := range m.Attachments {
		a := &m.Attachments[n]
		a.Color = "#8d99ae" // it does not call anybody any more
		var kept []block
		for _, b := range a.Blocks {
			switch b.ID {
			case followBlock:
				continue
			case buttonsBlock:
				var links []element
				for _, e := range b.Elements {
					if e.URL != "" {
						links = append(links, e)
					}
				}
				if b.Elements = links; len(links) == 0 {
					continue
				}
			}
			kept = append(kept, b)
		}
		a.Blocks = kept
	}
	if len(m.Attachments) == 0 {
		m.Attachments = []attachment{{}}
	}
	last := &m.Attachments[len(m.Attachments)-1]
	last.Blocks = append(last.Blocks, block{Type: "context", ID: followBlock, Elements: []element{
		{Type: "mrkdwn", Text: script().Fit(strings.TrimSpace(of.Text), maxText), Verbatim: true},
	}})
}
