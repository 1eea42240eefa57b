package ingest

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // of signature version 1
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/internal/refusal"
)

// How long what belongs to a topic is good for.
const (
	SNSWindow = 2 * time.Hour  // a topic tries for an hour to deliver a message; an older one is a copy
	certTime  = 24 * time.Hour // after so long a certificate is read anew
	mostCerts = 32
)

// A notification is a message of Amazon's Simple Notification Service. All of it but the Subject is always there.
type notification struct {
	Type, TopicArn, Message, Timestamp, SignatureVersion, Signature, SigningCertURL, Token, SubscribeURL string

	MessageID string `json:"MessageId"`
	Subject   *string
}

// readNotification reads a message of a topic. Anything that is not a text where one should be is as good as absent.
func readNotification(body []byte) (n notification, err error) {
	if !json.Valid(body) {
		return n, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "body", Detail: "want JSON: " + syntaxError(body)})
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return n, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "body", Detail: "want a message of SNS: an object of strings"})
	}
	return n, nil
}

// signed is what the topic has signed.
func (n *notification) signed() []byte {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", n.Message)
	add("MessageId", n.MessageID)
	if n.Type == "Notification" {
		if n.Subject != nil {
			add("Subject", *n.Subject)
		}
	} else {
		add("SubscribeURL", n.SubscribeURL)
	}
	add("Timestamp", n.Timestamp)
	if n.Type != "Notification" {
		add("Token", n.Token)
	}
	add("TopicArn", n.TopicArn)
	add("Type", n.Type)
	return []byte(b.String())
}

var (
	snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?$`)
	snsCert = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-zA-Z]+\.pem$`)
)

// ofSNS tells whether a URL leads to Amazon's service and nowhere else.
func ofSNS(address string) (*url.URL, bool) {
	u, err := url.Parse(address)
	return u, err == nil && u.Scheme == "https" && u.User == nil && snsHost.MatchString(u.Host)
}

// certificates are those that topics sign with, by their URLs.
type certificates struct {
	turn  chan struct{} // of one: whoever sends what is not signed makes one request at a time of it
	mu    sync.Mutex
	known map[string]certificate
}

type certificate struct {
	key  *rsa.PublicKey
	good time.Time // until when
}

// errSNS is why a message of a topic cannot be judged now.
var errSNS delay = "the certificate of the topic, or its confirmation, could not be fetched"

// key is that of a certificate. One that is known waits for none that is fetched.
func (cs *certificates) key(ctx context.Context, fetch Fetch, address string, at time.Time) (*rsa.PublicKey, error) {
	if key := cs.look(address, at); key != nil {
		return key, nil
	}
	select {
	case cs.turn <- struct{}{}:
		defer func() { <-cs.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errSNS, context.Cause(ctx))
	}
	if key := cs.look(address, at); key != nil { // somebody was sooner
		return key, nil
	}
	text, err := fetch(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSNS, err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%w: no PEM", errSNS)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSNS, err)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || at.Before(cert.NotBefore) || at.After(cert.NotAfter) {
		return nil, fmt.Errorf("%w: want an RSA key that is good now", errSNS)
	}
	good := at.Add(certTime)
	if cert.NotAfter.Before(good) {
		good = cert.NotAfter
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.known == nil || len(cs.known) >= mostCerts {
		cs.known = map[string]certificate{}
	}
	cs.known[address] = certificate{key, good}
	return key, nil
}

// look is the key of a certificate that is known and good, nil when there is none.
func (cs *certificates) look(address string, at time.Time) *rsa.PublicKey {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c, known := cs.known[address]; known && at.Before(c.good) {
		return c.key
	}
	return nil
}

// proveSNS asks that a message is of a topic of the source, not too old, and signed by Amazon: in that order, so that what is
// forged costs nothing.
func proveSNS(ctx context.Context, in *Intake, c call, body []byte) error {
	n, err := readNotification(body)
	if err != nil {
		return err
	}
	refuse := func(field, detail string) error {
		return refusal.Of(http.StatusForbidden, refusal.Fault{Field: field, Detail: detail})
	}
	if !slices.Contains(c.source.Topics, n.TopicArn) {
		return refuse("TopicArn", fmt.Sprintf("want one of the topics of source %s, got %s", c.source.ID, quote(n.TopicArn)))
	}
	made, err := time.Parse(time.RFC3339, n.Timestamp)
	if err != nil || made.Before(c.at.Add(-SNSWindow)) || made.After(c.at.Add(Window)) {
		return refuse("Timestamp", fmt.Sprintf("want an instant of the last %s, got %s", SNSWindow, quote(n.Timestamp)))
	}
	u, ours := ofSNS(n.SigningCertURL)
	if !ours || !snsCert.MatchString(u.Path) || u.RawQuery != "" {
		return refuse("SigningCertURL", "want a certificate at https://sns.REGION.amazonaws.com, got "+quote(n.SigningCertURL))
	}
	hash := crypto.SHA256
	switch n.SignatureVersion {
	case "1":
		hash = crypto.SHA1
	case "2":
	default:
		return refuse("SignatureVersion", `want "1" or "2", got `+quote(n.SignatureVersion))
	}
	signature, err := base64.StdEncoding.DecodeString(n.Signature)
	if err != nil {
		return refuse("Signature", "want it in base64")
	}
	if in.fetch == nil {
		return errors.New("prove message of SNS: nothing can be fetched")
	}
	key, err := in.certs.key(ctx, in.fetch, n.SigningCertURL, c.at)
	if err != nil {
		return err
	}
	h := hash.New()
	h.Write(n.signed())
	if rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), signature) != nil {
		return refuse("Signature", "want that of its topic: the message was changed, or comes from somebody else")
	}
	return nil
}

// decodeSNS reads a message of a topic: an alarm, or what becomes of the subscription.
func decodeSNS(c call, body []byte) (message, error) {
	n, err := readNotification(body)
	if err != nil {
		return message{}, err
	}
	bad := func(field, detail string) (message, error) {
		return message{}, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: field, Detail: detail})
	}
	switch n.Type {
	case "Notification":
	case "SubscriptionConfirmation":
		if _, ours := ofSNS(n.SubscribeURL); !ours {
			return bad("SubscribeURL", "want one at https://sns.REGION.amazonaws.com, got "+quote(n.SubscribeURL))
		}
		if !c.source.Confirm {
			return message{}, refusal.Of(http.StatusForbidden, refusal.Fault{Field: "Type", Detail: fmt.Sprintf(
				"want confirm: true of source %s in the organisation folder before topic %s is subscribed to", c.source.ID, n.TopicArn)})
		}
		return message{visit: n.SubscribeURL}, nil
	case "UnsubscribeConfirmation":
		return message{ended: n.TopicArn}, nil
	default:
		return bad("Type", `want "Notification", "SubscriptionConfirmation" or "UnsubscribeConfirmation", got `+quote(n.Type))
	}
	d := newDecoder([]byte(n.Message))
	if !json.Valid([]byte(n.Message)) || d.peek() != '{' {
		return bad("Message", "want an alarm of CloudWatch or an event of EventBridge, in JSON")
	}
	var m message
	if strings.Contains(n.Message, `"detail-type"`) {
		m = d.awsEvent("Message.", c.at)
	} else {
		a := d.alarm()
		m = a.message(d)
	}
	return m, d.refused(1)
}
