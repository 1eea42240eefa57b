package ingest_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

const (
	topic   = "arn:aws:sns:ap-northeast-2:210987654321:alarms"
	certURL = "https://sns.ap-northeast-2.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)

// amazon signs as SNS does, and remembers what is fetched of it.
type amazon struct {
	key     *rsa.PrivateKey
	pem     []byte
	fetched []string
	fail    error
}

var newAmazonKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newAmazon(t *testing.T, until time.Time) *amazon {
	t.Helper()
	key, err := newAmazonKey()
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: clock().AddDate(0, -1, 0), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *amazon) fetch(_ context.Context, url string) ([]byte, error) {
	a.fetched = append(a.fetched, url)
	return a.pem, a.fail
}

// sign signs a message by the rule of SNS: names and values of these fields, each on a line.
func (a *amazon) sign(t *testing.T, m object) {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var b strings.Builder
	for _, name := range names {
		if value, there := m[name].(string); there {
			b.WriteString(name + "\n" + value + "\n")
		}
	}
	hash, sum := crypto.SHA256, sha256.Sum256([]byte(b.String()))
	digest := sum[:]
	if m["SignatureVersion"] == "1" {
		old := sha1.Sum([]byte(b.String()))
		hash, digest = crypto.SHA1, old[:]
	}
	s, err := rsa.SignPKCS1v15(nil, a.key, hash, digest)
	if err != nil {
		t.Fatal(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(s)
}

func snsMessage(t *testing.T, fixture string) object {
	t.Helper()
	raw, err := os.ReadFile("testdata/sns/" + fixture + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var m object
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func subscription(kind string) object {
	return object{
		"Type": kind, "MessageId": "1", "Token": "t0k", "TopicArn": topic, "Message": "You have chosen …", "Timestamp": "2026-11-22T09:59:00.000Z",
		"SubscribeURL":     "https://sns.ap-northeast-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t0k",
		"SignatureVersion": "1", "SigningCertURL": certURL,
	}
}

func TestWhatATopicSends(t *testing.T) {
	next := clock().AddDate(1, 0, 0)
	for _, tc := range []struct {
		name    string
		message object
		change  func(object) // after it was signed
		status  int
		field   string
		fetched int
	}{
		{"an alarm", snsMessage(t, "alarm"), same, 200, "", 1},
		{"without a subject", snsMessage(t, "no-data"), same, 200, "", 1},
		{"by signature version 1", func() object { m := snsMessage(t, "alarm"); m["SignatureVersion"] = "1"; return m }(), same, 200, "", 1},
		{"another text", snsMessage(t, "alarm"), func(m object) { m["Message"] = strings.Replace(m["Message"].(string), "ALARM", "OK", 1) }, 403, "Signature", 1},
		{"another subject", snsMessage(t, "alarm"), func(m object) { delete(m, "Subject") }, 403, "Signature", 1},
		{"another version", snsMessage(t, "alarm"), func(m object) { m["SignatureVersion"] = "1" }, 403, "Signature", 1},
		{"no signature", snsMessage(t, "alarm"), func(m object) { delete(m, "Signature") }, 403, "Signature", 1},
		{"a signature that is none", snsMessage(t, "alarm"), func(m object) { m["Signature"] = "%" }, 403, "Signature", 0},
		{"version 3", snsMessage(t, "alarm"), func(m object) { m["SignatureVersion"] = "3" }, 403, "SignatureVersion", 0},
		{"another topic", snsMessage(t, "alarm"), func(m object) { m["TopicArn"] = topic + "2" }, 403, "TopicArn", 0},
		{"too old", snsMessage(t, "alarm"), func(m object) { m["Timestamp"] = "2026-11-22T07:59:00Z" }, 403, "Timestamp", 0},
		{"from the future", snsMessage(t, "alarm"), func(m object) { m["Timestamp"] = "2026-11-22T10:06:00Z" }, 403, "Timestamp", 0},
		{"from elsewhere", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = "https://sns.example.com/SimpleNotificationService-1.pem" }, 403, "SigningCertURL", 0},
		{"from a host that looks like it", snsMessage(t, "alarm"), func(m object) {
			m["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com.example.com/SimpleNotificationService-1.pem"
		}, 403, "SigningCertURL", 0},
		{"from a bucket", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = "https://s3.amazonaws.com/SimpleNotificationService-1.pem" }, 403, "SigningCertURL", 0},
		{"from another path", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com/?Action=Publish" }, 403, "SigningCertURL", 0},
		{"in the clear", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = strings.Replace(certURL, "https", "http", 1) }, 403, "SigningCertURL", 0},
		{"with a name in the URL", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = strings.Replace(certURL, "sns.", "x@sns.", 1) }, 403, "SigningCertURL", 0},
		{"from another port", snsMessage(t, "alarm"), func(m object) { m["SigningCertURL"] = strings.Replace(certURL, ".com/", ".com:8443/", 1) }, 403, "SigningCertURL", 0},
		{"a subscription", subscription("SubscriptionConfirmation"), same, 200, "", 2},
		{"a subscription with another token", subscription("SubscriptionConfirmation"), func(m object) { m["Token"] = "x" }, 403, "Signature", 1},
		{"the end of one", subscription("UnsubscribeConfirmation"), same, 200, "", 1},
		{"another type", subscription("Other"), same, 400, "Type", 1},
		{"a subscription elsewhere", func() object {
			m := subscription("SubscriptionConfirmation")
			m["SubscribeURL"] = "https://sns.example.com/"
			return m
		}(), same, 400, "SubscribeURL", 1},
		{"a test", func() object { m := snsMessage(t, "alarm"); m["Message"] = "hello"; return m }(), same, 400, "Message", 1},
		{"no message", object{}, func(m object) { clear(m) }, 403, "TopicArn", 0},
	} {
		a, e, guesses := newAmazon(t, next), newEngine(), 0
		in := intake(t, e, func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "aws", Type: alert.SNS, Topics: []string{topic}, Confirm: true}, {ID: "am", Token: "t"}}
			c.Fetch, c.Guess = a.fetch, func(*http.Request) time.Duration { guesses++; return 0 }
		})
		a.sign(t, tc.message)
		tc.change(tc.message)
		r := to(t, "/v1/alerts/sns/aws", text(tc.message))
		r.RemoteAddr = "192.0.2.1:40000"
		r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
		w := serve(in, r)
		if w.Code != tc.status || len(a.fetched) != tc.fetched || (guesses == 1) != (tc.status == 403) {
			t.Errorf("%s: got %d %s, fetched %v, %d guesses; want %d", tc.name, w.Code, w.Body, a.fetched, guesses, tc.status)
		} else if tc.status != 200 {
			if p := refused(t, w); p.Field != tc.field || len(e.seen()) > 0 {
				t.Errorf("%s: got %s: %s, want %s", tc.name, p.Field, p.Detail, tc.field)
			}
		}
		if strings.Contains(tc.name, "subscription") && tc.status == 200 && a.fetched[1] != tc.message["SubscribeURL"] {
			t.Errorf("%s: fetched %v", tc.name, a.fetched)
		}
	}
}

func TestATopicIsSubscribedToOnlyWhereTheFolderSaysSo(t *testing.T) {
	a := newAmazon(t, clock().AddDate(1, 0, 0))
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Sources, c.Fetch = []ingest.Source{{ID: "aws", Type: alert.SNS, Topics: []string{topic}}}, a.fetch
	})
	m := subscription("SubscriptionConfirmation")
	a.sign(t, m)
	p := refused(t, serve(in, to(t, "/v1/alerts/sns/aws", text(m))))
	if want := "want confirm: true of source aws in the organisation folder before topic " + topic + " is subscribed to"; p.Status != 403 || p.Detail != want || len(a.fetched) != 1 {
		t.Errorf("got %d %s, fetched %v", p.Status, p.Detail, a.fetched)
	}
}

// A certificate is fetched once, not for every message, and again when it is a day old. One that cannot be had is no reason to
// refuse a message for good.
func TestCertificatesOfATopic(t *testing.T) {
	now := clock()
	a := newAmazon(t, clock().AddDate(0, 0, 3))
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Sources, c.Fetch = []ingest.Source{{ID: "aws", Type: alert.SNS, Topics: []string{topic}}}, a.fetch
		c.Now = func() time.Time { return now }
	})
	send := func() int {
		m := snsMessage(t, "alarm")
		m["Timestamp"] = now.UTC().Format(time.RFC3339)
		a.sign(t, m)
		return serve(in, to(t, "/v1/alerts/sns/aws", text(m))).Code
	}
	for _, tc := range []struct {
		name    string
		before  func()
		status  int
		fetched int
	}{
		{"away", func() { a.fail = errors.New("no route") }, 503, 1},
		{"there", func() { a.fail = nil }, 200, 2},
		{"again", func() {}, 200, 2},
		{"away, and known", func() { a.fail = errors.New("no route") }, 200, 2},
		{"a day later", func() { now = now.Add(25 * time.Hour); a.fail = nil }, 200, 3},
		{"past its end", func() { now = now.Add(72 * time.Hour) }, 503, 4},
		{"no certificate", func() { a.pem = []byte("<html>") }, 503, 5},
	} {
		tc.before()
		if got := send(); got != tc.status || len(a.fetched) != tc.fetched {
			t.Errorf("%s: got %d after %d fetches, want %d after %d", tc.name, got, len(a.fetched), tc.status, tc.fetched)
		}
	}
}

// While the certificate is fetched that some message names, messages whose certificate is known wait for nothing.
func TestAKnownCertificateWaitsForNoOther(t *testing.T) {
	a := newAmazon(t, clock().AddDate(0, 0, 3))
	begun, free := make(chan struct{}), make(chan struct{})
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Sources = []ingest.Source{{ID: "aws", Type: alert.SNS, Topics: []string{topic}}}
		c.Fetch = func(ctx context.Context, url string) ([]byte, error) {
			if url != certURL {
				close(begun)
				<-free
				return nil, errors.New("there is none")
			}
			return a.fetch(ctx, url)
		}
	})
	send := func(url string) int {
		m := snsMessage(t, "alarm")
		m["SigningCertURL"] = url
		a.sign(t, m)
		return serve(in, to(t, "/v1/alerts/sns/aws", text(m))).Code
	}
	if got := send(certURL); got != 200 {
		t.Fatalf("got %d", got)
	}
	slow := make(chan int)
	go func() { slow <- send(strings.Replace(certURL, ".pem", "x.pem", 1)) }()
	<-begun
	if got := send(certURL); got != 200 {
		t.Errorf("meanwhile: got %d", got)
	}
	close(free)
	if got := <-slow; got != 503 {
		t.Errorf("got %d", got)
	}
}

func TestAlarmsEnd(t *testing.T) {
	e := newEngine()
	wantEnded(t, intake(t, e), e, "/v1/alerts/eventbridge", "eventbridge/alarm", "eventbridge/ok")
}

func TestWhatEventBridgeIsRefused(t *testing.T) {
	raw, err := os.ReadFile("testdata/eventbridge/alarm.json")
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, now string) string { return strings.Replace(string(raw), old, now, 1) }
	for _, tc := range []struct{ name, body, field, detail string }{
		{"an array", `[]`, "body", "want an object, got an array"},
		{"another event", change("CloudWatch Alarm State Change", "EC2 Instance State-change Notification"), "detail-type", `want "CloudWatch Alarm State Change" or "AWS Health Event", got "EC2 Instance`},
		{"another state", change(`"value": "ALARM"`, `"value": "BAD"`), "detail.state.value", `want "ALARM", "OK" or "INSUFFICIENT_DATA", got "BAD"`},
		{"no instant", change("2026-11-22T09:59:57.302+0000", "now"), "detail.state.timestamp", `got "now"`},
		{"no resource", change(`["arn:aws:cloudwatch:ap-northeast-2:210987654321:alarm:Till queue"]`, `[]`), "resources", "want the ARN of an alarm"},
		{"another resource", change(":alarm:Till queue", ":dashboard:x"), "resources", `got "arn:aws:cloudwatch:ap-northeast-2:210987654321:dashboard:x"`},
	} {
		e := newEngine()
		p := refused(t, serve(intake(t, e), to(t, "/v1/alerts/eventbridge", tc.body)))
		if p.Field != tc.field || !strings.Contains(p.Detail, tc.detail) || p.Status != 400 || len(e.seen()) > 0 {
			t.Errorf("%s: got %d %s: %s; want %s: …%s…", tc.name, p.Status, p.Field, p.Detail, tc.field, tc.detail)
		}
	}
}
