// Package link makes and reads signed links: by one of them, its receiver may take one decision about one thing, once, in
// time, or report incidents until it ends. A link is a secret, so it is made at the moment of sending and stands in no history.
// The package reads no clock and no key: both are handed in.
package link

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// Where links are answered: such a path and the token are a link's whole path.
const (
	Path      = "/l/"                  // on a page
	VoicePath = "/v1/callbacks/voice/" // by a key on a telephone
)

// Shown is a path as logs may show it: the token of a link is a secret.
func Shown(path string) string {
	for _, p := range []string{Path, VoicePath} {
		if strings.HasPrefix(path, p) {
			return p
		}
	}
	return path
}

// An Action is a decision that a link may allow.
type Action string

// The actions. These strings are signed into links: add, never rename.
const (
	Acknowledge Action = "acknowledge"
	Escalate    Action = "escalate"
	Resolve     Action = "resolve"   // by a tool; no link offers it
	Fixed       Action = "fixed"     // what was resolved is
	NotFixed    Action = "not-fixed" // or not
	Report      Action = "report"    // a new incident, by a form

	Approve       Action = "approve" // in a run of a plan: a vote on what was shown …
	Reject        Action = "reject"
	Abstain       Action = "abstain"
	Ready         Action = "ready"
	ReadyWithRisk Action = "ready-with-risk"
	NotReady      Action = "not-ready"

	GrantWaiver    Action = "grant-waiver" // … whether a task may be skipped …
	RefuseWaiver   Action = "refuse-waiver"
	GrantOverride  Action = "grant-override" // … and whether an environment may be changed although it may not
	RefuseOverride Action = "refuse-override"
)

// A Link is what a token allows.
type Link struct {
	ID       string    `json:"i"`           // of the delivery that carried it: one link, one decision; or of a form
	Person   string    `json:"p"`           // who may use it: "park", or "acme/desk"
	Incident string    `json:"n"`           // about what: an incident's id belongs to one chain of runs for ever; empty: a form, or a run
	Run      string    `json:"r,omitempty"` // of a plan, instead of an incident
	Part     string    `json:"t,omitempty"` // of the run: a task, or an environment; empty: a change of its plan
	Actions  []Action  `json:"a"`           // one of which may be taken
	Content  string    `json:"c,omitempty"` // Hash of what its receiver was told is decided
	Expires  time.Time `json:"e"`
}

// Allows tells whether an action is one of the link's.
func (l Link) Allows(a Action) bool { return slices.Contains(l.Actions, a) }

// Form tells whether it is the link of a form: it leads to no incident and may be used again and again.
func (l Link) Form() bool {
	return l.Incident == "" && l.Run == "" && len(l.Actions) == 1 && l.Actions[0] == Report
}

// Expired tells whether the link's time is over.
func (l Link) Expired(now time.Time) bool { return !now.Before(l.Expires) }

// Hash is the fingerprint of what is decided, over parts that cannot flow into each other.
func Hash(parts ...string) string {
	text, err := json.Marshal(parts)
	if err != nil { // strings always marshal
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// OfIncident is the fingerprint of an incident as a message about it shows it: another title or service is another thing to
// decide about.
func OfIncident(id, title, service string) string { return Hash("incident", id, title, service) }

// OfResolution is the fingerprint of one resolution of an incident: after a reopening there is another to decide about.
func OfResolution(id, service string, resolved time.Time) string {
	return Hash("resolution", id, service, resolved.UTC().Format(time.RFC3339Nano))
}

// OfWaiver is the fingerprint of what somebody asks for who wants a task skipped: another reason or time is another thing to decide
// about.
func OfWaiver(run, task, by, reason, control string, until time.Time) string {
	return Hash("waiver", run, task, by, reason, control, until.UTC().Format(time.RFC3339Nano))
}

// OfOverride is the fingerprint of what somebody asks for who wants an environment changed in a freeze, or outside every window.
func OfOverride(run, environment, freeze, by, reason string, until time.Time) string {
	return Hash("override", run, environment, freeze, by, reason, until.UTC().Format(time.RFC3339Nano))
}

// An InvalidError says why a token is no link of this installation. It tells nothing of what a right one would be.
type InvalidError struct{ Reason string }

// Error returns the reason.
func (e *InvalidError) Error() string { return "link: " + e.Reason }

const (
	domain   = "muster link 2\n" // begins what is signed, so that no other signature is taken for a link's
	maxToken = 2_000             // of a token's characters: more is not ours
	maxLink  = 4_000             // of a link's bytes

	// Links that were sent as three parts, with their content as it is, may be used until they expire.
	earlier = "muster link 1\n"
)

// usual is what most links have in common, so that it takes no room in them: a link fits into a short message. It is on the wire, and
// never changes.
const usual = `"not-fixed""fixed"],"r":"RUN-","t":"","a":["approve","reject","abstain"],"c":"{"i":"INC-/sms/voice/phone/mail","p":"","n":"INC-","a":["acknowledge","escalate"],"c":"","e":"20T:00Z"}`

var encoding = base64.RawURLEncoding.Strict() // one token for one link: no other spelling of it

// Sign makes the token of a link with a private key that has an id.
func Sign(l Link, key string, private ed25519.PrivateKey) string {
	l.Expires = l.Expires.UTC().Truncate(time.Second)
	content, err := json.Marshal(l)
	if err != nil { // texts and an instant within the years that have a text
		panic(err)
	}
	packed := pack(content)
	return key + "." + encoding.EncodeToString(append(packed, ed25519.Sign(private, signed(domain, key, packed))...))
}

func signed(domain, key string, content []byte) []byte {
	return append([]byte(domain+key+"\n"), content...)
}

// pack makes content short.
func pack(content []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, flate.BestCompression, []byte(usual))
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil { // a level that there is, and a buffer that takes everything
		panic(err)
	}
	return b.Bytes()
}

// unpack is the content of what was packed, which may be none of ours.
func unpack(packed []byte) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(packed), []byte(usual)), maxLink))
	if err != nil || len(content) == maxLink {
		return nil, &InvalidError{"it is of another version"}
	}
	return content, nil
}

// Read returns what a token allows, when the key that it names has signed it. Whether it is in time is for the caller, who
// knows the time.
func Read(token string, key func(id string) (ed25519.PublicKey, error)) (Link, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) < 2 || len(parts) > 3 || strings.ContainsAny(token, "\r\n") { // which base64 would overlook
		return Link{}, &InvalidError{"it is not whole"}
	}
	content, err := encoding.DecodeString(parts[1])
	sum, version := []byte(nil), domain
	if len(parts) == 3 {
		var err2 error
		sum, err2 = encoding.DecodeString(parts[2])
		version, err = earlier, errors.Join(err, err2)
	} else if n := len(content) - ed25519.SignatureSize; n > 0 {
		content, sum = content[:n], content[n:]
	}
	if err != nil {
		return Link{}, &InvalidError{"it is not whole"}
	}
	public, err := key(parts[0])
	if err != nil {
		return Link{}, &InvalidError{err.Error()}
	}
	if len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, signed(version, parts[0], content), sum) {
		return Link{}, &InvalidError{"it was changed"}
	}
	if version == domain {
		if content, err = unpack(content); err != nil {
			return Link{}, err
		}
	}
	var l Link
	if err := json.Unmarshal(content, &l); err != nil {
		return Link{}, &InvalidError{"it is of another version"}
	}
	return l, nil
}
