package org

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/condition"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// Folder names what the organisation was read from.
func (o *Organisation) Folder() incident.Folder {
	return incident.Folder{Revision: o.Revision, Changed: o.Changed}
}

// Older tells whether another folder, of this revision and change, is newer than this one. It compares the files' own
// times, so it is a reason to ask somebody else or to ask again, never to ask for ever: a folder that was restored with its
// old times stays older than what it replaced.
func (o *Organisation) Older(revision string, changed time.Time) bool {
	return o.Revision != revision && o.Changed.Before(changed)
}

// Format names the organisation and nothing in it, whatever the verb: some addresses in it are secrets.
func (o Organisation) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "organisation %s, revision %s", o.ID, o.Revision)
}

// missing is the error for what a pinned definition still names and the folder does not any more.
func (o *Organisation) missing(what, id string) error {
	return fmt.Errorf("%s %s: not in the organisation folder of revision %s", what, show(id), o.Revision)
}

// Recipients returns whom a target means at an instant: nobody when nobody is on call. Roles are for an incident to know, and
// engineers for Engineers.
func (o *Organisation) Recipients(t escalation.Target, at time.Time) ([]delivery.Recipient, error) {
	switch t.Kind {
	case escalation.Person:
	case escalation.Group:
		return o.Group(t.ID)
	case escalation.Schedule:
		return o.onCall(t.ID, at)
	case escalation.Vendor:
		v, ok := o.vendors[t.ID]
		if !ok {
			return nil, o.missing("vendor", t.ID)
		}
		return v.Contacts, nil
	case escalation.Contact:
		customer, _, _ := strings.Cut(t.ID, "/")
		all := o.customers[customer].contacts
		n := slices.IndexFunc(all, func(r delivery.Recipient) bool { return r.ID == t.ID })
		if n < 0 {
			return nil, o.missing("contact", t.ID)
		}
		return all[n : n+1], nil
	default:
		return nil, fmt.Errorf("target %s: depends on the incident, not on the organisation folder alone", t)
	}
	p, ok := o.Person(t.ID)
	if !ok {
		return nil, o.missing("person", t.ID)
	}
	return []delivery.Recipient{p}, nil
}

// Names returns the names of all people, of the contacts of customers too.
func (o *Organisation) Names() []string {
	var all []string
	for _, p := range o.people {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Person returns a person of people.yaml, whichever party they belong to. The contacts of customers are none.
func (o *Organisation) Person(id string) (delivery.Recipient, bool) {
	p, ok := o.people[id]
	return p.Recipient, ok && !strings.Contains(id, "/")
}

// CustomerContacts returns whom a customer wants to be told.
func (o *Organisation) CustomerContacts(customer string) ([]delivery.Recipient, error) {
	c, ok := o.customers[customer]
	if !ok {
		return nil, o.missing("customer", customer)
	}
	return c.contacts, nil
}

// Contact returns how a method reaches a recipient, with references resolved now.
func (o *Organisation) Contact(recipient, name string) (delivery.Contact, error) {
	methods, ok := o.methods(recipient)
	if !ok {
		return delivery.Contact{}, o.missing("recipient", recipient)
	}
	n := slices.IndexFunc(methods, func(m method) bool { return m.name == name })
	if n < 0 {
		return delivery.Contact{}, o.missing("contact method of "+recipient, name)
	}
	return o.contact(recipient, methods[n])
}

// methods returns how a person, a customer's contact or a group is reached.
func (o *Organisation) methods(recipient string) ([]method, bool) {
	if t, err := escalation.ParseTarget(recipient); err == nil && t.Kind == escalation.Group {
		g, ok := o.groups[t.ID]
		return g.methods, ok
	}
	p, ok := o.people[recipient]
	return p.methods, ok
}

func (o *Organisation) contact(recipient string, m method) (delivery.Contact, error) {
	address, err := m.address.resolve(o.dir)
	if err != nil {
		return delivery.Contact{}, fmt.Errorf("contact %s by %s: address %w", recipient, m.name, err)
	}
	secret, err := m.secret.optional(o.dir)
	if err != nil {
		return delivery.Contact{}, fmt.Errorf("contact %s by %s: secret %w", recipient, m.name, err)
	}
	return delivery.Contact{Method: m.name, Type: m.kind, Address: address, Secret: secret}, nil
}

// Fallback returns who is told what Muster notices about itself, and how, with references resolved now.
func (o *Organisation) Fallback() (delivery.Recipient, delivery.Contact, error) {
	return o.apart(o.fallback)
}

// apart returns whom a method reaches that stands by itself, and is nobody's.
func (o *Organisation) apart(m method) (delivery.Recipient, delivery.Contact, error) {
	c, err := o.contact(m.name, m)
	return delivery.Recipient{ID: m.name, Name: o.Name, Language: o.Languages[0], Methods: []string{m.name}}, c, err
}

// A Source sends alerts.
type Source struct {
	ID             string
	Type           alert.Format
	TokenInURL     bool          // it cannot send a header
	ResolveTimeout time.Duration // of what only comes again; 0 means the usual one
	Signature      *SourceSignature
	Topics         []string // of SNS, by their ARNs
	Confirm        bool     // it may subscribe to them
	Mapping        *SourceMapping
	Data           alert.Format // what events carry, where no mapping reads them
	Mail           *SourceMail  // of type email
}

// SourceMail is how a source that sends mail is known and read.
type SourceMail struct {
	Address string   // its own; empty: its token stands in the address
	From    []string // who may be its author: addresses, or @ and a domain; none: anybody
	// Regular expressions over the subject; empty: the usual ones.
	Subject, Firing, Resolved string
}

// SourceMapping is how the alerts of a source are read from JSON of its own form.
type SourceMapping struct {
	condition.Mapping

	Shipped string   // name of the shipped one; empty: it stands in the folder
	GroupBy []string // labels by whose values its alerts belong together, unless their route groups
}

// SourceSignature is how a source signs what it sends.
type SourceSignature struct {
	Header    string // that has the signature; empty: the usual one of its type
	Timestamp string // header with when it was signed, which is signed too; empty: it is not said
}

// Sources returns the alert sources in the order of the folder.
func (o *Organisation) Sources() []Source {
	all := make([]Source, len(o.sources))
	for n, s := range o.sources {
		all[n] = s.Source
	}
	return all
}

// Token returns the bearer token of a source, resolved now: empty when the source has none and is served on loopback only.
// A token that is configured and cannot be read, or is empty, is an error.
func (o *Organisation) Token(id string) (string, error) {
	return o.secretOf(id, "token", func(s source) ref { return s.token })
}

// SigningSecret returns the secret with which a source signs, empty when it does not, resolved now as Token is.
func (o *Organisation) SigningSecret(id string) (string, error) {
	return o.secretOf(id, "signing secret", func(s source) ref { return s.secret })
}

func (o *Organisation) secretOf(id, what string, of func(source) ref) (string, error) {
	for _, s := range o.sources {
		if s.ID == id {
			secret, err := of(s).optional(o.dir)
			if err != nil {
				return "", fmt.Errorf("source %s: %s %w", id, what, err)
			}
			return secret, nil
		}
	}
	return "", o.missing("source", id)
}

// OwnNetworks returns the networks of the organisation's own that messages may be sent to, besides the internet.
func (o *Organisation) OwnNetworks() []netip.Prefix { return o.networks }

// MailServer is how mail is sent.
type MailServer struct {
	Host     string
	Port     int    // 0: the usual one
	Security string // "starttls", "tls" or "none"
	From     string
	User     string // no authentication when empty
	Password Secret
}

// Mail returns the mail server, with references resolved now: none has no Host.
func (o *Organisation) Mail() (MailServer, error) {
	m := o.mail
	if m == nil {
		return MailServer{}, nil
	}
	password, err := m.password.optional(o.dir)
	if err != nil {
		return MailServer{}, fmt.Errorf("mail: password %w", err)
	}
	return MailServer{m.host, m.port, m.security, m.from, m.user, Secret(password)}, nil
}

// SignIn is how people sign in with an OpenID Connect provider.
type SignIn struct {
	Issuer       string // an https URL
	ClientID     string
	ClientSecret Secret // empty: Muster is a public client
	LoginClaim   string // whose value PersonByLogin takes: "email", "sub" or "preferred_username"
	GroupsClaim  string // whose values are the groups that somebody is in
	// Roles are for people of the organisation itself only: its groups say nothing of what somebody is for another party.
	Roles []GroupRole
}

// A GroupRole is a role that everybody in a group has.
type GroupRole struct {
	Group string
	Role  authority.Role
}

// SignIn returns how people sign in, with references resolved now, and whether they do. A client secret that is configured
// and cannot be read, or is empty, is an error.
func (o *Organisation) SignIn() (SignIn, bool, error) {
	s := o.signIn
	if s == nil {
		return SignIn{}, false, nil
	}
	secret, err := s.secret.optional(o.dir)
	if err != nil {
		return SignIn{}, false, fmt.Errorf("sign_in: client_secret %w", err)
	}
	resolved := s.SignIn
	resolved.ClientSecret = Secret(secret)
	return resolved, true, nil
}
