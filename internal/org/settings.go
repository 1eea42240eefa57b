package org

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/incident"
)

// mailServer is how mail is sent.
type mailServer struct {
	host     string
	port     int
	security string
	from     string
	user     string
	password ref
}

// source sends alerts.
type source struct {
	Source

	token, secret ref
	planned       []noticeRule
}

// settings reads organisation.yaml.
func (b *builder) settings(o *object) {
	o.subject = "organisation"
	id, ok := need(o, "id", anID)
	b.org.ID = id
	b.org.Name, _ = need(o, "name", aName)
	if ok {
		b.addParty(o, Party{id, b.org.Name, authority.Provider})
	}
	b.org.Zone, _ = need(o, "zone", aZone)
	for _, n := range o.items("languages", some) {
		if l, ok := value(o.reader, n, o.about("languages"), aLanguage); ok {
			b.org.Languages = append(b.org.Languages, l)
		}
	}
	o.once("languages")
	b.org.PublicURL = maybe(o, "public_url", aURL, "")
	for _, n := range o.items("own_networks", optional) {
		if p, ok := value(o.reader, n, o.about("own_networks"), aNetwork); ok {
			b.networks = append(b.networks, p)
		}
	}
	if n := o.field("mail"); n.kind != absent {
		b.mail = &mailServer{}
		o.object(n, o.about("mail"), b.readMail)
	}
	if n := o.field("sign_in"); n.kind != absent {
		b.signIn = &signIn{place: n.place}
		o.object(n, o.about("sign_in"), b.readSignIn)
	}
	if n := o.field("runners"); n.kind != absent {
		o.object(n, o.about("runners"), b.readRunners)
	}
	if n := o.field("channels"); n.kind != absent {
		o.object(n, o.about("channels"), b.readChannelApps)
	}
	o.object(o.field("tickets"), o.about("tickets"), b.readTickets)
	b.readStatusPages(o)
	if n := o.field("update_approval"); n.kind != absent {
		b.updateApproval = &incident.ApprovalRule{}
		o.object(n, o.about("update_approval"), func(o *object) { b.updateApproval.Within, _ = need(o, "within", aWait) })
	}
	o.field("roles")
	b.afterwards(func() {
		before := b.trouble()
		b.planRoles = b.readPlanRoles(o, "")
		b.table("organisation").vague[b.org.ID] = b.trouble() > before
	})
	o.field("problems")
	b.afterwards(func() { b.sameProblems(b.readProblems(o)) })
	b.readNeeds(o)
	o.field("risks")
	b.afterwards(func() { b.readRisks(o) })
	o.field("contact_tests")
	b.afterwards(func() { b.readContactTests(o) })
	b.readRecords(o)
	o.object(o.field("fallback"), o.about("fallback"), func(o *object) { b.fallback = b.readMethod(o, "fallback") })
}

func (b *builder) readMail(o *object) {
	m := b.mail
	m.host, _ = need(o, "host", aHost)
	m.port = maybe(o, "port", aPort, 0)
	m.security = maybe(o, "security", aSecurity, "starttls")
	m.from, _ = need(o, "from", aSender)
	m.user = maybe(o, "user", aName, "")
	m.password = maybe(o, "password", aRef, ref{})
	if o.has("user") != o.has("password") {
		o.fault(o.place, "%s: want user and password together, or neither", o.subject)
	}
	if o.has("password") && m.security == "none" {
		o.fault(o.field("security").place, "%s: security none: want starttls or tls, because a password is never sent in plain text", o.subject)
	}
}

// signIn is how people of all parties sign in.
type signIn struct {
	SignIn

	place  place
	secret ref
}

func (b *builder) readSignIn(o *object) {
	s := b.signIn
	s.Issuer, _ = need(o, "issuer", anIssuer)
	s.ClientID, _ = need(o, "client_id", aName)
	s.secret = maybe(o, "client_secret", aRef, ref{})
	s.LoginClaim = maybe(o, "login_claim", aLoginClaim, "email")
	s.GroupsClaim = maybe(o, "groups_claim", aWord, "groups")
	for i, n := range o.items("roles", optional) {
		o.object(n, fmt.Sprintf("%s: role %d", o.subject, i+1), func(o *object) {
			r := GroupRole{}
			r.Group, _ = need(o, "group", aGroup)
			r.Role, _ = need(o, "role", aRole)
			if slices.Contains(s.Roles, r) {
				o.fault(o.place, "%s: group %s has the role %s already", o.subject, show(r.Group), r.Role)
			}
			s.Roles = append(s.Roles, r)
		})
	}
}

// address reads a value in its form, or a reference to it.
func (o *object) address(key string, f form[string]) address {
	if n := o.field(key); n.kind == text {
		if r, ok := parseRef(n.text); ok {
			return address{ref: r}
		}
	}
	plain, _ := need(o, key, f)
	return address{plain: Secret(plain)}
}

func (b *builder) readSources(o *object) {
	o.entries("sources", "source", some, func(o *object, id string) {
		s := source{Source: Source{ID: id}}
		if id == incident.People {
			o.fault(o.place, "%s: want another id: this one stands for what people report", o.subject)
		}
		s.Type, _ = need(o, "type", aSourceType)
		s.token = maybe(o, "token", aRef, ref{})
		if s.TokenInURL = maybe(o, "token_in_url", aBool, false); s.TokenInURL && !o.has("token") {
			o.fault(o.field("token_in_url").place, "%s: token_in_url: want a token, too", o.subject)
		}
		s.ResolveTimeout = maybe(o, "resolve_timeout", aWait, 0)
		o.onlyOf(s.Type, "resolve_timeout", "says itself when an alert is over", alert.Prometheus, alert.JSON, alert.CloudEvents, alert.Email)
		if n := o.field("signature"); n.kind != absent {
			s.Signature = &SourceSignature{}
			o.object(n, o.about("signature"), func(o *object) {
				s.secret, _ = need(o, "secret", aRef)
				s.Signature.Header = maybe(o, "header", aHeader, "")
				s.Signature.Timestamp = maybe(o, "timestamp_header", aHeader, "")
			})
		}
		for _, n := range o.few("topics", maxTopics) {
			topic, _ := value(o.reader, n, o.about("topics"), aTopic)
			s.Topics = append(s.Topics, topic)
		}
		s.Confirm = maybe(o, "confirm", aBool, false)
		for _, key := range []string{"topics", "confirm"} {
			o.onlyOf(s.Type, key, "has no topics", alert.SNS)
		}
		if s.Type == alert.SNS && len(s.Topics) == 0 {
			o.fault(o.place, "%s: topics: none; want the ARNs of the topics whose messages are its own", o.subject)
		}
		o.onlyOf(s.Type, "signature", "does not sign so", alert.Grafana, alert.JSON, alert.CloudEvents)
		if n := o.field("mapping"); n.kind != absent {
			s.Mapping = readMapping(o, n)
		} else if s.Type == alert.JSON {
			o.fault(o.place, "%s: mapping: missing; want one, or the name of a shipped one: %s", o.subject, strings.Join(ShippedMappings(), ", "))
		}
		s.Data = maybe(o, "data", aCarried, "")
		if s.Type == alert.CloudEvents && o.has("mapping") == o.has("data") {
			o.fault(o.place, "%s: want either mapping, or data with what its events carry", o.subject)
		}
		o.onlyOf(s.Type, "data", "has no events that carry something", alert.CloudEvents)
		o.onlyOf(s.Type, "mapping", "has a form of its own", alert.JSON, alert.CloudEvents, alert.Email)
		s.planned = readNoticeRules(o)
		o.onlyOf(s.Type, "planned", "announces nothing", alert.Azure, alert.SNS, alert.EventBridge, alert.CloudEvents)
		b.readSourceMail(o, &s)
		b.sources = append(b.sources, s)
	})
}

// readSourceMail reads what only sources have that send mail.
func (b *builder) readSourceMail(o *object, s *source) {
	m := SourceMail{Address: maybe(o, "address", aMailbox, "")}
	for _, n := range o.few("from", maxTopics) {
		from, _ := value(o.reader, n, o.about("from"), aMailAuthor)
		m.From = append(m.From, from)
	}
	m.Subject, m.Firing, m.Resolved = maybe(o, "subject", aPattern, ""), maybe(o, "firing", aPattern, ""), maybe(o, "resolved", aPattern, "")
	for _, key := range []string{"address", "from", "subject", "firing", "resolved"} {
		o.onlyOf(s.Type, key, "sends no mail", alert.Email)
	}
	if s.Type != alert.Email {
		return
	}
	s.Mail = &m
	if m.Address == "" && !o.has("token") {
		o.fault(o.place, "%s: want a token, which stands in the address to which it sends, or an address of its own and from", o.subject)
	}
	if m.Address != "" && !o.has("token") && len(m.From) == 0 {
		o.fault(o.place, "%s: want from, too: whoever knows the address could send", o.subject)
	}
	for _, other := range b.sources {
		if other.Mail != nil && m.Address != "" && strings.EqualFold(other.Mail.Address, m.Address) {
			o.fault(o.field("address").place, "%s: address %s: taken by source %s", o.subject, m.Address, other.ID)
		}
	}
}

const maxTopics = 50

// onlyOf refuses a key that sources of other types have.
func (o *object) onlyOf(of alert.Format, key, because string, types ...alert.Format) {
	if o.has(key) && !slices.Contains(types, of) {
		o.fault(o.field(key).place, "%s: %s: want none, because a source of type %s %s", o.subject, key, of, because)
	}
}
