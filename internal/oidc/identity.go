package oidc

import (
	"encoding/json"
	"strings"
	"unicode"
)

const (
	maxClaim  = 255 // bytes of a subject, a login, an e-mail address
	maxGroups = 200
	maxGroup  = 200 // bytes
)

// claims is what an ID token says.
type claims map[string]json.RawMessage

// identity reads who somebody is from the claims of an ID token that was verified.
func (c Config) identity(said claims) (Identity, error) {
	var who Identity
	for _, want := range []struct {
		claim string
		into  *string
	}{{"sub", &who.Subject}, {c.LoginClaim, &who.Login}, {"name", &who.Name}, {"email", &who.Email}} {
		text, err := said.text(want.claim)
		if err != nil {
			return Identity{}, err
		}
		*want.into = text
	}
	verified, unverified := said.verified()
	switch {
	case who.Subject == "":
		return Identity{}, missing("sub", "the account")
	case who.Login == "":
		return Identity{}, missing(c.LoginClaim, "the login")
	case c.LoginClaim == "email" && !verified, strings.EqualFold(who.Login, who.Email) && unverified:
		return Identity{}, refuse(Unverified, "the provider does not say that the e-mail address %s is verified", line(who.Login))
	case unverified:
		who.Email = ""
	}
	who.Name = line(who.Name)
	groups, err := said.groups(c.GroupsClaim)
	if err != nil {
		return Identity{}, err
	}
	who.Groups = groups
	for _, exact := range []struct{ claim, text string }{{"sub", who.Subject}, {c.LoginClaim, who.Login}, {"email", who.Email}} {
		if !fit(exact.text, maxClaim) {
			return Identity{}, refuse(Incomplete, "the claim %q: want at most %d bytes, all printable", exact.claim, maxClaim)
		}
	}
	return who, nil
}

func missing(claim, names string) error {
	return refuse(Incomplete, "the provider's ID token has no claim %q, which names %s", claim, names)
}

// verified tells whether the provider says that the e-mail address is verified, or says something else. It may say nothing,
// and some say it as a text.
func (c claims) verified() (yes, no bool) {
	said := strings.Trim(string(c["email_verified"]), `"`)
	yes = said == "true"
	return yes, !yes && said != "" && said != "null"
}

// text returns a claim that is a text, and "" when it is not there.
func (c claims) text(name string) (string, error) {
	raw, ok := c[name]
	if !ok {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return "", refuse(Incomplete, "the claim %q of the provider's ID token is not a text", name)
	}
	return text, nil
}

// groups returns a claim that is a list of groups, or one group as a text. It is all of them or none: a list that was cut
// would take roles away unseen.
func (c claims) groups(name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	var elsewhere map[string]json.RawMessage
	if raw, ok := c["_claim_names"]; ok && json.Unmarshal(raw, &elsewhere) != nil {
		return nil, refuse(Incomplete, "the claim _claim_names of the provider's ID token is not an object")
	}
	if _, ok := elsewhere[name]; ok {
		return nil, refuse(Overage, "this account is in more groups than the provider tells in its ID token: "+
			"have it tell only the groups that are assigned to Muster")
	}
	groups, err := c.list(name)
	if err != nil {
		return nil, err
	}
	if len(groups) > maxGroups {
		return nil, refuse(Overage, "this account is in %d groups: at most %d are taken", len(groups), maxGroups)
	}
	for _, group := range groups {
		if group == "" || !fit(group, maxGroup) {
			return nil, refuse(Incomplete, "the claim %q has a group that is empty, longer than %d bytes or not printable", name, maxGroup)
		}
	}
	return groups, nil
}

// list returns a claim that is a list of texts, or one text.
func (c claims) list(name string) ([]string, error) {
	switch one, err := c.text(name); {
	case err == nil && one == "":
		return nil, nil
	case err == nil:
		return []string{one}, nil
	}
	var many []string
	if json.Unmarshal(c[name], &many) != nil {
		return nil, refuse(Incomplete, "the claim %q of the provider's ID token is no list of texts", name)
	}
	return many, nil
}

// fit tells whether a text can be taken as it is: short, and with nothing in it that people would not see.
func fit(text string, most int) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return len(text) <= most && !strings.ContainsFunc(text, hidden) && strings.TrimSpace(text) == text
}
