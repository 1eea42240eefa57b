package org

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"muster/internal/delivery"
)

// phones is the account by which people are called and get text messages.
type phones struct {
	Phones

	token, proof ref
}

// paging is the account of PagerDuty.
type paging struct {
	url         string
	secret, key ref
}

const (
	pagerDutyURL = "https://events.pagerduty.com"
	twilioURL    = "https://api.twilio.com"
)

// The forms of what only phones and PagerDuty have.
var (
	aTelephone  = in("a phone number with its country, such as +821012345678", telephone)
	anAddressee = in(aTelephone.want+", or a reference to one", telephone)
	anAccount   = in("the ID of an account or a key, such as AC0123456789abcdef0123456789abcdef", matches(`^[A-Za-z0-9-]{8,64}$`))
	aTexter     = in("what messages are from: a phone number such as +15005550006, a name of at most 11 letters and digits, or the ID of a messaging service (MG…)", texter)
	aService    = in("where an API answers, a URL that begins with https:// or http://, without ? and #", func(s string) (string, bool) {
		u, ok := webURL(s)
		return strings.TrimRight(u, "/"), ok && !strings.ContainsAny(s, "?#")
	})
	telephone    = func(s string) (string, bool) { return s, delivery.Telephone(s) }
	aName11      = matches(`^[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}$`)
	aMessagingID = matches(`^MG[0-9a-fA-F]{32}$`)
)

func texter(s string) (string, bool) {
	_, name := aName11(s)
	_, service := aMessagingID(s)
	_, number := telephone(s)
	return s, service || number || name && len(s) <= 11
}

// readPhones reads the accounts by which people are called, and by which pages become alerts in PagerDuty.
func (b *builder) readPhones(o *object) {
	if n := o.field("twilio"); n.kind != absent {
		p := &phones{}
		b.phones = p
		o.object(n, o.about("twilio"), func(o *object) {
			p.ID, _ = need(o, "account", anAccount)
			p.Key = maybe(o, "key", anAccount, "")
			p.token, _ = need(o, "token", aRef)
			p.proof = maybe(o, "auth_token", aRef, ref{})
			p.From, _ = need(o, "from", aTexter)
			p.VoiceFrom = maybe(o, "voice_from", aTelephone, "")
			p.URL = maybe(o, "url", aService, twilioURL)
			if p.proof != (ref{}) && p.Key == "" {
				o.fault(o.field("auth_token").place, "%s: want none without key, because the token is the account's own then", o.about("auth_token"))
			}
		})
		if _, ok := telephone(p.From); ok {
			p.VoiceFrom = cmp.Or(p.VoiceFrom, p.From)
		}
	}
	if n := o.field("pagerduty"); n.kind != absent {
		o.object(n, o.about("pagerduty"), func(o *object) {
			b.paging.url = maybe(o, "url", aService, pagerDutyURL)
			b.paging.secret = maybe(o, "secret", aRef, ref{})
			b.paging.key = maybe(o, "api_key", aRef, ref{})
		})
	}
}

// readPhoneMethod reads how somebody is reached by phone.
func (b *builder) readPhoneMethod(o *object, kind delivery.ContactType) address {
	a, at := o.address("address", anAddressee), o.field("type").place
	switch {
	case b.table("organisation").unread:
	case b.phones == nil:
		o.fault(at, "%s: type %s: %s says nothing of an account for phones; want channels: twilio there, with account, token and from", o.subject, kind, settingsFile)
	case kind == delivery.Voice && b.phones.VoiceFrom == "" && b.phones.From != "":
		o.fault(at, "%s: type voice: %s says of no number that calls are from it; want channels: twilio: voice_from there", o.subject, settingsFile)
	}
	return a
}

// Phones is the account by which people are called and get text messages.
type Phones struct {
	ID        string // empty: there is none
	Key       string // ID of an API key; empty: the token is the account's own
	Token     Secret
	Proof     Secret // with which the service signs what it sends back; empty: that is not taken
	From      string // of text messages: a number, a name or the ID of a messaging service
	VoiceFrom string // number; empty: nobody is called
	URL       string // of the API
}

// Phones returns the account for phones, with references resolved now.
func (o *Organisation) Phones() (Phones, error) {
	if o.phones == nil {
		return Phones{}, nil
	}
	p := o.phones.Phones
	token, err := o.phones.token.resolve(o.dir)
	if err != nil {
		return Phones{}, fmt.Errorf("channels: twilio: token %w", err)
	}
	proof, err := o.phones.proof.optional(o.dir)
	if err != nil {
		return Phones{}, fmt.Errorf("channels: twilio: auth_token %w", err)
	}
	p.Token, p.Proof = Secret(token), Secret(proof)
	if p.Key == "" {
		p.Proof = p.Token
	}
	return p, nil
}

// PagerDuty is where pages become alerts in PagerDuty, and what comes back from there.
type PagerDuty struct {
	URL     string    // of the Events API
	API     string    // of the REST API
	Key     Secret    // of that; empty: it is not asked
	Secrets []Signing // with which webhooks may be signed
}

// A Signing is a secret with which webhooks are signed, and about whose pages: of one recipient, or of all when Of is empty.
type Signing struct {
	Of     string // ID
	Secret Secret
}

// PagerDuty returns the account of PagerDuty, with references resolved now.
func (o *Organisation) PagerDuty() (PagerDuty, error) {
	p := PagerDuty{URL: cmp.Or(o.paging.url, pagerDutyURL)}
	p.API = p.URL
	if u, err := url.Parse(p.URL); err == nil && strings.HasPrefix(u.Host, "events.") { // of the same region
		p.API = u.Scheme + "://api." + strings.TrimPrefix(u.Host, "events.")
	}
	key, err := o.paging.key.optional(o.dir)
	if err != nil {
		return PagerDuty{}, fmt.Errorf("channels: pagerduty: api_key %w", err)
	}
	p.Key = Secret(key)
	add := func(of string, r ref) error {
		secret, err := r.optional(o.dir)
		if secret != "" {
			p.Secrets = append(p.Secrets, Signing{of, Secret(secret)})
		}
		return err
	}
	if err := add("", o.paging.secret); err != nil {
		return PagerDuty{}, fmt.Errorf("channels: pagerduty: secret %w", err)
	}
	for _, of := range slices.Sorted(maps.Keys(o.pagerDutySecrets())) {
		if err := add(of, o.pagerDutySecrets()[of]); err != nil {
			return PagerDuty{}, fmt.Errorf("contact %s by pagerduty: secret %w", of, err)
		}
	}
	return p, nil
}

// pagerDutySecrets are those of methods, by the ID of whose they are.
func (o *Organisation) pagerDutySecrets() map[string]ref {
	all := map[string]ref{}
	add := func(of string, methods []method) {
		for _, m := range methods {
			if m.kind == delivery.PagerDuty {
				all[of] = m.secret
			}
		}
	}
	for id, p := range o.people {
		add(id, p.methods)
	}
	for _, g := range o.groups {
		add(g.Recipient.ID, g.methods)
	}
	return all
}

// PersonByMail returns the ID of the one person who signs in with a mail address, or is reached at it.
func (o *Organisation) PersonByMail(mail string) (id string, ok bool) {
	if _, is := mailAddress(mail); !is {
		return "", false
	}
	found := map[string]bool{}
	for login, person := range o.logins {
		if strings.EqualFold(login, mail) {
			found[person] = true
		}
	}
	for person, p := range o.people {
		for _, m := range p.methods {
			if m.kind != delivery.Email {
				continue
			}
			if a, err := m.address.resolve(o.dir); err == nil && strings.EqualFold(a, mail) {
				found[person] = true
			}
		}
	}
	all := slices.Collect(maps.Keys(found))
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}
