package ingest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"muster/internal/alert"
	"muster/starter/ingest"
)

// mailHouse takes mail at a free port, as of two sources.
func mailHouse(t *testing.T, e *engine, certificate *tls.Certificate, more ...func(*ingest.Config)) (address string, in *ingest.Intake) {
	t.Helper()
	in = intake(t, e, func(c *ingest.Config) {
		defer func() {
			for _, change := range more {
				change(c)
			}
		}()
		c.Guess = func(r *http.Request) time.Duration { // as a node notes it
			if r.URL.Path != "mail" || r.Header.Get("X-Forwarded-For") != "" || !strings.HasPrefix(r.RemoteAddr, "127.0.0.1:") {
				t.Errorf("a guess by %+v", r)
			}
			return 0
		}
		c.Now = clock // soon after the fixtures were written
		c.Sources = []ingest.Source{
			{ID: "legacy", Type: alert.Email, Token: "swordfish", Mail: &ingest.Mail{}},
			{ID: "plant", Type: alert.Email, Mail: &ingest.Mail{Address: "Plant@muster.example.com", From: []string{"@plant.example.com"}}},
			{ID: "web", Type: alert.JSON, Token: "herring"},
		}
	})
	var get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if certificate != nil {
		get = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	m := ingest.NewMailListener(t.Context(), in, "muster.example.com", get)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		m.Stop(ctx)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), in
}

func dial(t *testing.T, address string) *smtp.Client {
	t.Helper()
	c, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// letter is a fixture, written just now.
func letter(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/email/" + name + ".eml")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// code is that of an answer, 250 when it is none.
func code(err error) int {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e.Code
	}
	if err != nil {
		return -1
	}
	return 250
}

func TestMails(t *testing.T) {
	for _, tc := range []struct {
		name, to, mail string
		fail           bool
		code           int
		says           string
	}{
		{"to a token", "legacy+swordfish@anything.example.com", letter(t, "problem"), false, 250, ""},
		{"to an address of its own", "plant@MUSTER.example.com", "From: Plant <a@plant.example.com>\r\nSubject: pump DOWN\r\n\r\nx\r\n", false, 250, ""},
		{"whose author may not", "plant@muster.example.com", letter(t, "problem"), false, 554, "want one of those of source plant"},
		{"to another token", "legacy+marlin@muster.example.com", "", false, 550, "nothing is relayed"},
		{"to no token", "legacy@muster.example.com", "", false, 550, "nothing is relayed"},
		{"to somebody", "park@example.com", "", false, 550, "nothing is relayed"},
		{"to a source of another type", "web+herring@muster.example.com", "", false, 550, "nothing is relayed"},
		{"to the token of another", "plant+swordfish@muster.example.com", "", false, 550, "nothing is relayed"},
		{"that is no mail", "legacy+swordfish@muster.example.com", "x\r\n", false, 554, "want a mail as RFC 5322 has it"},
		{"that is too large", "legacy+swordfish@muster.example.com", "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("x", 900)+"\r\n", 1<<11), false, 552, ""},
		{"of one long line", "legacy+swordfish@muster.example.com", "Subject: PROBLEM x\r\nFrom: a@b.example.com\r\n\r\n" + strings.Repeat("x", 500_000) + "\r\n", false, 250, ""},
		{"of one line that is too long", "legacy+swordfish@muster.example.com", "Subject: PROBLEM x\r\nFrom: a@b.example.com\r\n\r\n" + strings.Repeat("x", 1<<20+50) + "\r\n", false, 552, ""},
		{"that is not durable", "legacy+swordfish@muster.example.com", letter(t, "problem"), true, 451, "send it again"},
	} {
		e := newEngine()
		if tc.fail {
			e.fail = func(context.Context, int) error { return errors.New("no connection") }
		}
		address, _ := mailHouse(t, e, nil)
		err := dial(t, address).SendMail("nagios@mon.example.com", []string{tc.to}, strings.NewReader(tc.mail))
		if code(err) != tc.code || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v; want %d with %q", tc.name, err, tc.code, tc.says)
		}
		if durable := len(e.seen()) == 1 && !tc.fail; durable != (tc.code == 250) {
			t.Errorf("%s: %d commits", tc.name, len(e.seen()))
		}
	}
}

func TestAMailFiresAndAnotherOneResolves(t *testing.T) {
	e := newEngine()
	address, in := mailHouse(t, e, nil)
	c := dial(t, address)
	for _, name := range []string{"problem", "problem", "recovery"} { // the first one twice, as after an answer that was lost
		if err := c.SendMail("nagios@mon.example.com", []string{"legacy+swordfish@x"}, strings.NewReader(letter(t, name))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var s alert.Set
	var changes []string
	for _, one := range e.seen() {
		if one.key != "incident/legacy/[{mail service alert: web-1/http is}]" {
			t.Errorf("got incident %s", one.key)
		}
		d := s.Apply(one.batch)
		changes = append(changes, fmt.Sprintf("%d fired %d resolved", len(d.Fired), len(d.Resolved)))
	}
	if got := strings.Join(changes, ", "); got != "1 fired 0 resolved, 0 fired 0 resolved, 0 fired 1 resolved" || !s.AllResolved() {
		t.Errorf("got %s", got)
	}
	if got := in.Stats(); got.Accepted != 3 || got.HeldBytes != 0 {
		t.Errorf("got %+v", got)
	}
}

// A certificate is used, and nobody has to guess far.
func TestMailIsGuarded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sheet := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"muster.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, sheet, sheet, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine()
	address, _ := mailHouse(t, e, &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	trusted := x509.NewCertPool()
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted.AddCert(own)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.NewClientStartTLS(conn, &tls.Config{ServerName: "muster.example.com", RootCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SendMail("a@b", []string{"legacy+swordfish@x"}, strings.NewReader(letter(t, "problem"))); err != nil {
		t.Fatal(err)
	}
	for n, want := range []int{550, 550, 550, 421} {
		if err := c.Mail("a@b", nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt(fmt.Sprintf("legacy+guess%d@x", n), nil); code(err) != want {
			t.Errorf("guess %d: got %v, want %d", n, err, want)
		}
	}
	if err := c.Rcpt("legacy+swordfish@x", nil); code(err) != 421 {
		t.Errorf("got %v, want that nobody listens any more", err)
	}
}

// Who shows tokens that are of no source is one who guesses, and shut out for a time as anywhere else. Addresses that there are not are no
// guesses: a mail server passes on many. What is good goes on, for it may come by the same mail server.
func TestWhoGuessesByMailIsShutOut(t *testing.T) {
	guesses := 0
	address, _ := mailHouse(t, newEngine(), nil, func(c *ingest.Config) {
		c.Guess = func(*http.Request) time.Duration {
			if guesses++; guesses > 2 {
				return time.Minute
			}
			return 0
		}
	})
	try := func(c *smtp.Client, to string) int {
		if err := c.Mail("a@b", nil); err != nil {
			t.Fatal(err)
		}
		return code(c.Rcpt(to, nil))
	}
	for _, tc := range []struct {
		to            string
		code, guesses int
	}{
		{"park@example.com", 550, 0},
		{"legacy@x", 550, 0},
		{"legacy+@x", 550, 0},
		{"legacy+guess@x", 550, 1},
		{"nobody+guess@x", 550, 2},
		{"legacy+swordfish@x", 250, 2},
		{"legacy+guess@x", 421, 3},
		{"park@example.com", 550, 3},
		{"legacy+swordfish@x", 250, 3},
	} {
		if got := try(dial(t, address), tc.to); got != tc.code || guesses != tc.guesses {
			t.Errorf("%s: got %d after %d guesses, want %d after %d", tc.to, got, guesses, tc.code, tc.guesses)
		}
	}
	c := dial(t, address)
	if got := []int{try(c, "legacy+guess@x"), try(c, "legacy+swordfish@x")}; got[0] != 421 || got[1] != 421 {
		t.Errorf("one who is shut out hears %v, want that nobody listens any more", got)
	}
}

// So many talk at once, and no more.
func TestMailConnectionsAreBounded(t *testing.T) {
	address, _ := mailHouse(t, newEngine(), nil)
	for range ingest.MailFromOne {
		if err := dial(t, address).Hello("a"); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := smtp.Dial(address); err == nil {
		if err = c.Hello("a"); code(err) != 421 {
			t.Errorf("got %v, want 421", err)
		}
		_ = c.Close()
	}
}
