package org

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// slackApp is the app by which a bot writes in Slack.
type slackApp struct {
	url            string
	token, signing ref
	room           *incident.RoomRule // nil: incidents get none
}

// The forms of what only channels have.
var (
	aSlackAddress = form[string]{
		want: "the ID of a member or a channel, such as U024BE7LH or C024BE91L, or an incoming webhook, https://hooks.slack.com/services/…, or a reference to one",
		read: slackAddress, secret: true,
	}
	aTopicURL = form[string]{want: "the URL of a topic, such as https://ntfy.sh/TOPIC, or a reference to one", read: topicURL, secret: true}
	aRoom     = form[string]{
		want: "a mail address, the number of a conversation, or an incoming webhook, https://kakaowork.com/bots/hook/…, or a reference to one", read: kakaoAddress,
		secret: true,
	}
	aSlackID     = matches(`^[UWCGD][A-Z0-9]{2,20}$`)
	aRoomNumber  = matches(`^[1-9][0-9]{0,18}$`)
	aMethodsRoot = in("the address of an API, such as https://slack.com/api", webURL)
)

// withSecret lists the types whose methods have a secret of their own.
func withSecret() []delivery.ContactType {
	return []delivery.ContactType{delivery.Webhook, delivery.Ntfy, delivery.KakaoWork, delivery.PagerDuty}
}

func slackAddress(s string) (string, bool) {
	if _, ok := aSlackID(s); ok {
		return s, true
	}
	_, ok := webURL(s)
	return s, ok && (strings.HasPrefix(s, "https://hooks.slack.com/") || strings.HasPrefix(s, "https://hooks.slack-gov.com/"))
}

func topicURL(s string) (string, bool) {
	_, ok := webURL(s)
	return s, ok && !strings.HasSuffix(s, "/") && strings.Count(s, "/") > 2 && !strings.ContainsAny(s, "?# %")
}

func kakaoAddress(s string) (string, bool) {
	if _, ok := aRoomNumber(s); ok {
		return s, true
	}
	if _, ok := mailAddress(s); ok {
		return s, true
	}
	return webURL(s)
}

// readChannelApps reads by what Muster writes in tools that know it as one app, whoever it writes to.
func (b *builder) readChannelApps(o *object) {
	if n := o.field("slack"); n.kind != absent {
		b.slack = &slackApp{}
		o.object(n, o.about("slack"), func(o *object) {
			b.slack.token, _ = need(o, "token", aRef)
			b.slack.signing = maybe(o, "signing_secret", aRef, ref{})
			b.slack.url = maybe(o, "url", aMethodsRoot, "https://slack.com/api")
			if n := o.field("room"); n.kind != absent {
				b.slack.room = &incident.RoomRule{}
				o.object(n, o.about("room"), func(o *object) { b.slack.room.FromPriority, _ = need(o, "from_priority", aPriority) })
			}
		})
	}
	b.readPhones(o)
}

// readChatMethod reads how somebody is reached in a chat.
func (b *builder) readChatMethod(o *object, m *method) {
	switch m.kind {
	case delivery.Slack:
		m.address = o.address("address", aSlackAddress)
		_, id := aSlackID(string(m.address.plain))
		if id && b.slack == nil && !b.table("organisation").unread {
			o.fault(o.field("address").place, "%s: address: it is an ID, and %s says nothing of channels: slack; want a token there, or an incoming webhook here", o.subject, settingsFile)
		}
	case delivery.Teams:
		m.address = o.address("address", aHook)
		if strings.Contains(string(m.address.plain), ".webhook.office.com/") {
			o.fault(o.field("address").place, "%s: it is that of a connector, which Microsoft has retired; want the URL of a workflow that starts with a webhook request", o.about("address"))
		}
	case delivery.Mattermost, delivery.GoogleChat, delivery.Discord:
		m.address = o.address("address", aHook)
	case delivery.Ntfy:
		m.address = o.address("address", aTopicURL)
		m.secret = maybe(o, "secret", aRef, ref{})
	case delivery.KakaoWork:
		m.address = o.address("address", aRoom)
		m.secret = maybe(o, "secret", aRef, ref{})
		if a := string(m.address.plain); a != "" && !strings.Contains(a, "://") && !o.has("secret") {
			o.fault(o.place, "%s: secret: missing; want a reference to the App Key of the bot, because only an incoming webhook needs none", o.subject)
		}
	default:
	}
}

// SlackApp is the app by which a bot writes in Slack.
type SlackApp struct {
	URL     string
	Token   Secret
	Buttons bool // it can prove who presses them
}

// Slack returns the app, with its reference resolved now; the zero value when there is none.
func (o *Organisation) Slack() (SlackApp, error) {
	if o.slack == nil {
		return SlackApp{}, nil
	}
	token, err := o.slack.token.resolve(o.dir)
	if err != nil {
		return SlackApp{}, fmt.Errorf("channels: slack: token %w", err)
	}
	return SlackApp{URL: o.slack.url, Token: Secret(token), Buttons: o.slack.signing != ref{}}, nil
}

// SlackMembers returns the member IDs of people, of those who have one.
func (o *Organisation) SlackMembers(people []string) (all []string) {
	for _, id := range people {
		for _, m := range o.people[id].methods {
			address, err := m.address.resolve(o.dir)
			if m.kind == delivery.Slack && err == nil && (strings.HasPrefix(string(address), "U") || strings.HasPrefix(string(address), "W")) && !slices.Contains(all, string(address)) {
				all = append(all, string(address))
			}
		}
	}
	return all
}

// room is the rule for rooms of incidents, nil where there are none.
func (b *builder) room() *incident.RoomRule {
	if b.slack == nil {
		return nil
	}
	return b.slack.room
}

// SlackSigning returns the secret by which Slack proves what it sends back, with its reference resolved now; empty when there is none.
func (o *Organisation) SlackSigning() (Secret, error) {
	if o.slack == nil {
		return "", nil
	}
	secret, err := o.slack.signing.optional(o.dir)
	if err != nil {
		return "", fmt.Errorf("channels: slack: signing_secret %w", err)
	}
	return Secret(secret), nil
}

// Reached returns who has an address of a type, when that is one person alone: a room that several have names nobody.
func (o *Organisation) Reached(by delivery.ContactType, address string) (string, bool) {
	found := ""
	for id, p := range o.people {
		for _, m := range p.methods {
			if m.kind != by {
				continue
			}
			a, err := m.address.resolve(o.dir)
			if err != nil || a != address || found == id {
				continue
			}
			if found != "" {
				return "", false
			}
			found = id
		}
	}
	return found, found != ""
}

// Addressed returns whom a name such as kim/slack, group:noc/chat or garam/desk/mail means, and how they are reached, with references
// resolved now. The name fallback is of whoever is told what Muster notices about itself.
func (o *Organisation) Addressed(name string) (delivery.Recipient, delivery.Contact, error) {
	if name == o.fallback.name {
		return o.Fallback()
	}
	n := strings.LastIndex(name, "/")
	if n < 1 {
		return delivery.Recipient{}, delivery.Contact{}, fmt.Errorf("channel %s: want somebody and one of their methods, such as kim/mail, group:noc/chat or fallback", show(name))
	}
	id, by := name[:n], name[n+1:]
	to := o.people[id].Recipient
	if t, err := escalation.ParseTarget(id); err == nil && t.Kind == escalation.Group {
		to = o.groups[t.ID].Recipient
	}
	if to.ID == "" {
		return delivery.Recipient{}, delivery.Contact{}, fmt.Errorf("channel %s: nobody in the organisation folder is %s", show(name), show(id))
	}
	if !slices.Contains(to.Methods, by) {
		return delivery.Recipient{}, delivery.Contact{}, fmt.Errorf("channel %s: %s has the methods %s", show(name), id, strings.Join(to.Methods, ", "))
	}
	c, err := o.Contact(id, by)
	return to, c, err
}

// follows tells whether anybody is reached where a page is told what becomes of it.
func (b *builder) follows() bool {
	reached := func(methods []method) bool {
		return slices.ContainsFunc(methods, func(m method) bool { return m.kind.Follows() })
	}
	for _, p := range b.people {
		if reached(p.methods) {
			return true
		}
	}
	for _, g := range b.groups {
		if reached(g.methods) {
			return true
		}
	}
	return false
}
