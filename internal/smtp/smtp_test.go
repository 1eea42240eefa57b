package smtp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"

	"muster/internal/delivery"
	"muster/internal/smtp"
)

// mailbox is a mail server's backend that takes mail, and fails where it is told to.
type mailbox struct {
	mailErr, rcptErr, dataErr, authErr error
	atRcpt                             func() // what it does before it answers

	mu    sync.Mutex
	mails []mailed
}

type mailed struct {
	from, to, user, raw string
	utf8                bool
}

func (b *mailbox) all() []mailed {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}

func (b *mailbox) NewSession(*server.Conn) (server.Session, error) { return &session{box: b}, nil }

type session struct {
	box  *mailbox
	mail mailed
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.box.authErr != nil || password != "s3cret" {
			return s.box.authErr
		}
		s.mail.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, options *server.MailOptions) error {
	s.mail.from, s.mail.utf8 = from, options.UTF8
	return s.box.mailErr
}

func (s *session) Rcpt(to string, _ *server.RcptOptions) error {
	if s.box.atRcpt != nil {
		s.box.atRcpt()
	}
	s.mail.to = to
	return s.box.rcptErr
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if s.box.dataErr != nil {
		return s.box.dataErr
	}
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.mail.raw = string(raw)
	s.box.mails = append(s.box.mails, s.mail)
	return nil
}

func (s *session) Reset() {}

func (s *session) Logout() error { return nil }

// certificate is one for 127.0.0.1, with the pool that vouches for it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return &tls.Config{Certificates: srv.TLS.Certificates}, pool
}

// serve runs a mail server on box and returns a Sender for it, protected as asked.
func serve(t *testing.T, box *mailbox, security smtp.Security) *smtp.Sender {
	t.Helper()
	config, pool := certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sender := newSender(listener)
	sender.RootCAs, sender.Security = pool, security
	srv := server.NewServer(box)
	srv.ErrorLog = log.New(io.Discard, "", 0)
	srv.AllowInsecureAuth, srv.EnableSMTPUTF8 = true, true
	switch security {
	case smtp.TLS:
		listener = tls.NewListener(listener, config)
	case smtp.None:
	default:
		srv.TLSConfig = config
	}
	go srv.Serve(listener)
	t.Cleanup(func() { srv.Close() })
	return sender
}

func newSender(listener net.Listener) *smtp.Sender {
	return &smtp.Sender{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "Muster 당직 <muster@example.com>",
	}
}

func envelope() delivery.Envelope {
	return delivery.Envelope{
		ID: "incident/9f3/run/page/park/1", Attempt: 1, At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Recipient: delivery.Recipient{ID: "park", Name: "박지수", Language: "ko", Methods: []string{"mail"}},
		Contact:   delivery.Contact{Method: "mail", Type: delivery.Email, Address: "jisu@example.com"},
		Message: delivery.Message{
			Kind: delivery.Page, Language: "ko", Subject: "[P1] 장애: 결제 서비스가 응답하지 않습니다. 지금 확인해 주세요",
			Text: "첫 줄\n.\n..둘째 줄 https://muster.example.com/?a=b\n" + strings.Repeat("긴 줄 ", 300) + "\n", Incident: "INC-1", Priority: "P1",
		},
	}
}

func parse(t *testing.T, raw string) (*netmail.Message, string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, raw)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m, strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestSend(t *testing.T) {
	for _, security := range []smtp.Security{"", smtp.STARTTLS, smtp.TLS, smtp.None} {
		t.Run(string(security), func(t *testing.T) {
			box := &mailbox{}
			sender := serve(t, box, security)
			if security != smtp.None {
				sender.User, sender.Password = "muster", "s3cret"
			}
			if err := sender.Send(t.Context(), envelope()); err != nil {
				t.Fatal(err)
			}
			if len(box.all()) != 1 {
				t.Fatalf("%d mails arrived, want 1", len(box.all()))
			}
			got := box.all()[0]
			if got.from != "muster@example.com" || got.to != "jisu@example.com" || got.user != sender.User {
				t.Errorf("from %q to %q as %q", got.from, got.to, got.user)
			}
			m, text := parse(t, got.raw)
			if want := envelope().Message.Text; text != want {
				t.Errorf("text %q\nwant %q", text, want)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if want := envelope().Message.Subject; err != nil || subject != want {
				t.Errorf("subject %q, %v, want %q", subject, err, want)
			}
			for name, want := range map[string]string{
				"Date":                      "Sun, 22 Nov 2026 10:00:00 +0000",
				"Auto-Submitted":            "auto-generated",
				"Muster-Delivery":           "incident/9f3/run/page/park/1",
				"Muster-Possibly-Repeated":  "",
				"User-Agent":                "",
				"X-Mailer":                  "",
				"Content-Type":              "text/plain; charset=UTF-8",
				"Content-Transfer-Encoding": "quoted-printable",
			} {
				if m.Header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, m.Header.Get(name), want)
				}
			}
			to, err := m.Header.AddressList("To")
			if err != nil || len(to) != 1 || *to[0] != (netmail.Address{Name: "박지수", Address: "jisu@example.com"}) {
				t.Errorf("to %v, %v", to, err)
			}
			for line := range strings.Lines(got.raw) {
				if len(line) > 80 {
					t.Errorf("a line of %d bytes: %q", len(line), line)
				}
			}
		})
	}
}

// A document arrives as it was, under its name, beside the text.
func TestSendWithAttachments(t *testing.T) {
	box, e := &mailbox{}, envelope()
	long := strings.Repeat("😀", 100) // the longest name in bytes
	for _, a := range []struct{ name, content string }{
		{"INC-1 장애 결과 보고서.html", "<p>결제가 됩니다.\r\n.\r\n" + strings.Repeat("긴 줄 ", 300)},
		{"report.md", "# Result\n"},
		{"a/b\\c\"\r\nBcc: evil@example.com", ""},
		{long, "x"},
	} {
		e.Attached = append(e.Attached, delivery.Attached{
			Attachment: delivery.Attachment{Name: a.name, Type: "text/html; charset=utf-8", Path: "INC-1/x"}, Content: []byte(a.content),
		})
	}
	if err := serve(t, box, smtp.STARTTLS).Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	raw := box.all()[0].raw
	for line := range strings.Lines(raw) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes, and no server must take more than 1000", len(line))
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("the mail is %s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	text, err := parts.NextPart() // decodes quoted-printable
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(text)
	if got := strings.ReplaceAll(string(said), "\r\n", "\n"); err != nil || got != e.Message.Text {
		t.Errorf("text %q, %v, want %q", got, err, e.Message.Text)
	}
	names := []string{"INC-1 장애 결과 보고서.html", "report.md", "a_b_c\" Bcc: evil@example.com", strings.Repeat("😀", 70) + "…"}
	for i, want := range names {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		kind, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != "text/html" || parameters["charset"] != "utf-8" || parameters["name"] != want {
			t.Errorf("%s: type %s, %v, %v", want, kind, parameters, err)
		}
		kind, parameters, err = mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || kind != "attachment" || parameters["filename"] != want || len(part.Header) != 3 {
			t.Errorf("%s: %s, %v, %v among %v", want, kind, parameters, err, part.Header)
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil || !bytes.Equal(content, e.Attached[i].Content) {
			t.Errorf("%s: content %q, %v", want, content, err)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("there is more: %v", err)
	}
	if !strings.Contains(raw, "filename*=utf-8''INC-1%20%EC%9E%A5%EC%95%A0") {
		t.Errorf("the Korean name is not encoded as RFC 2231 says:\n%.1500s", raw)
	}
}

func TestThreadsAndRepeats(t *testing.T) {
	box := &mailbox{}
	sender := serve(t, box, smtp.STARTTLS)
	first, again, second, other, none := envelope(), envelope(), envelope(), envelope(), envelope()
	again.Repeated, again.Attempt = true, 2
	second.ID = "incident/9f3/run/page/park/2"
	other.ID, other.Message.Incident = "incident/77/run/page/park/1", "INC-2"
	none.ID, none.Message.Incident = "watch/1", ""
	for _, e := range []delivery.Envelope{first, again, second, other, none} {
		if err := sender.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var headers []netmail.Header
	for _, got := range box.all() {
		m, _ := parse(t, got.raw)
		headers = append(headers, m.Header)
	}
	id := func(i int, name string) string { return headers[i].Get(name) }
	if id(0, "Message-Id") != id(1, "Message-Id") || id(1, "Muster-Possibly-Repeated") != "yes" {
		t.Errorf("the repeat is not recognisable: %q, %q", id(0, "Message-Id"), id(1, "Message-Id"))
	}
	if id(0, "Message-Id") == id(2, "Message-Id") || !strings.HasSuffix(id(0, "Message-Id"), "@example.com>") {
		t.Errorf("message ids %q, %q", id(0, "Message-Id"), id(2, "Message-Id"))
	}
	for _, name := range []string{"References", "In-Reply-To"} {
		if id(0, name) == "" || id(0, name) != id(2, name) || id(0, name) == id(3, name) || id(4, name) != "" {
			t.Errorf("%s does not make one thread of one incident: %q, %q, %q, %q", name, id(0, name), id(2, name), id(3, name), id(4, name))
		}
	}
}

func reply(code int, text string) error {
	return &server.SMTPError{Code: code, EnhancedCode: server.NoEnhancedCode, Message: text}
}

func TestRepliesOfTheServer(t *testing.T) {
	tests := map[string]struct {
		box      *mailbox
		final    bool
		wantText string
	}{
		"sender deferred":      {&mailbox{mailErr: reply(451, "try again later")}, false, "451 try again later"},
		"sender refused":       {&mailbox{mailErr: reply(550, "relaying denied")}, true, "550 relaying denied"},
		"recipient greylisted": {&mailbox{rcptErr: reply(450, "greylisted,\nwait 300 s")}, false, "450 greylisted, wait 300 s"},
		"recipient unknown":    {&mailbox{rcptErr: reply(550, "<jisu@example.com>: no such user jisu@example.com")}, true, "550 <address> no such user <address>"},
		"mailbox full":         {&mailbox{dataErr: reply(452, "full")}, false, "452 full"},
		"content refused":      {&mailbox{dataErr: reply(554, "spam\x1b[2J")}, true, "554 spam�[2J"},
		"password wrong":       {&mailbox{authErr: reply(535, "no")}, true, "535 no"},
		"password unchecked":   {&mailbox{authErr: reply(454, "later")}, false, "454 later"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sender := serve(t, tt.box, smtp.STARTTLS)
			sender.User, sender.Password = "muster", "s3cret"
			check(t, sender.Send(t.Context(), envelope()), tt.final, tt.wantText)
			if n := len(tt.box.all()); n != 0 {
				t.Errorf("%d mails were taken", n)
			}
		})
	}
}

func check(t *testing.T, err error, final bool, wantText string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), wantText) || strings.Contains(err.Error(), "jisu@") || strings.Contains(err.Error(), "s3cret") {
		t.Fatalf("got %v, want an error with %q and without the address or password", err, wantText)
	}
	if delivery.IsRefusal(err) != final {
		t.Errorf("got %v, want final: %v", err, final)
	}
	if _, ok := errors.AsType[*delivery.Unavailable](err); ok == final {
		t.Errorf("got %v, want unavailable: %v", err, !final)
	}
}

// listen answers each connection by do alone.
func listen(t *testing.T, do func(net.Conn)) *smtp.Sender {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				do(conn)
			}()
		}
	}()
	return newSender(listener)
}

func TestMisbehavingServers(t *testing.T) {
	tests := map[string]struct {
		do       func(net.Conn)
		final    bool
		wantText string
	}{
		"turns away":  {func(c net.Conn) { io.WriteString(c, "554 not today\r\n") }, true, "554 not today"},
		"is busy":     {func(c net.Conn) { io.WriteString(c, "421 busy\r\n") }, false, "421 busy"},
		"closes":      {func(net.Conn) {}, false, "EOF"},
		"hangs":       {func(c net.Conn) { io.Copy(io.Discard, c) }, false, "no answer in time"},
		"speaks HTTP": {func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, false, ""},
		"has no TLS":  {func(c net.Conn) { io.WriteString(c, "220 hi\r\n250 hi\r\n"); io.Copy(io.Discard, c) }, false, "STARTTLS"},
		"drips":       {func(c net.Conn) { drip(c) }, false, "no answer in time"},
		"breaks TLS":  {breakTLS, false, "tls"},
		"hangs in TLS": {func(c net.Conn) {
			io.WriteString(c, "220 hi\r\n250-hi\r\n250 STARTTLS\r\n220 go\r\n")
			io.Copy(io.Discard, c)
		}, false, "no answer in time"},
		"refuses TLS": {func(c net.Conn) {
			io.WriteString(c, "220 hi\r\n250-hi\r\n250 STARTTLS\r\n454 not now\r\n")
			io.Copy(io.Discard, c)
		}, false, "454 not now"},
		"forgot itself": {func(c net.Conn) {
			io.WriteString(c, "220 hi\r\n500 what?\r\n500 what?\r\n500\r\n")
			io.Copy(io.Discard, c)
		}, true, "500 what?"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender := listen(t, tt.do)
			if tt.wantText == "no answer in time" {
				sender.Timeout = time.Second
			}
			check(t, sender.Send(t.Context(), envelope()), tt.final, tt.wantText)
		})
	}
}

// breakTLS answers the client's hello, by rubbish.
func breakTLS(c net.Conn) {
	io.WriteString(c, "220 hi\r\n250-hi\r\n250 STARTTLS\r\n220 go\r\n")
	buffer := make([]byte, 1<<16)
	for n, err := c.Read(buffer); err == nil; n, err = c.Read(buffer) {
		if bytes.Contains(buffer[:n], []byte{22, 3, 1}) {
			io.WriteString(c, "rubbish, not TLS")
		}
	}
}

func drip(c net.Conn) {
	for {
		if _, err := io.WriteString(c, "220-hi\r\n"); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	check(t, newSender(listener).Send(t.Context(), envelope()), false, "connection refused")
}

func TestServerThatNobodyVouchesFor(t *testing.T) {
	for _, security := range []smtp.Security{smtp.STARTTLS, smtp.TLS} {
		box := &mailbox{}
		sender := serve(t, box, security)
		sender.RootCAs = x509.NewCertPool()
		check(t, sender.Send(t.Context(), envelope()), false, "certificate")
		if len(box.all()) != 0 {
			t.Errorf("%s: the mail was sent all the same", security)
		}
	}
}

func TestTimeOutAndCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	defer close(never)
	sender := serve(t, &mailbox{atRcpt: func() { <-never }}, smtp.STARTTLS)
	sender.Timeout = time.Second
	check(t, sender.Send(ctx, envelope()), false, "no answer in time")

	sender = serve(t, &mailbox{atRcpt: func() { cancel(); <-never }}, smtp.STARTTLS)
	if err := sender.Send(ctx, envelope()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an error that wraps context.Canceled", err)
	}
}

// Once the server has said that it keeps the mail, a broken good-bye must not send it again.
func TestTakenMailIsDelivered(t *testing.T) {
	sender := listen(t, func(c net.Conn) {
		io.WriteString(c, "220 hi\r\n250 hi\r\n250 from\r\n250 to\r\n354 go\r\n")
		buffer := make([]byte, 1<<16)
		for all := ""; !strings.HasSuffix(all, "\r\n.\r\n"); {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			all += string(buffer[:n])
		}
		io.WriteString(c, "250 kept\r\n")
	})
	sender.Security = smtp.None
	if err := sender.Send(t.Context(), envelope()); err != nil {
		t.Errorf("got %v, want delivered", err)
	}
}

func TestMisconfigured(t *testing.T) {
	good := func() *smtp.Sender { return &smtp.Sender{Host: "127.0.0.1", Port: 1, From: "muster@example.com"} }
	tests := map[string]struct {
		change   func(*smtp.Sender, *delivery.Envelope)
		wantText string
	}{
		"nothing configured":     {func(s *smtp.Sender, _ *delivery.Envelope) { *s = smtp.Sender{} }, "no mail server is configured"},
		"no sender address":      {func(s *smtp.Sender, _ *delivery.Envelope) { s.From = "" }, "muster@example.com"},
		"unknown security":       {func(s *smtp.Sender, _ *delivery.Envelope) { s.Security = "ssl" }, `"ssl"`},
		"password in plain text": {func(s *smtp.Sender, _ *delivery.Envelope) { s.Security, s.User = smtp.None, "muster" }, "without TLS"},
		"plain text to anywhere": {func(s *smtp.Sender, _ *delivery.Envelope) { s.Security, s.Host = smtp.None, "203.0.113.1" }, "not 203.0.113.1"},
		"no address":             {func(_ *smtp.Sender, e *delivery.Envelope) { e.Contact.Address = "" }, "not a mail address"},
		"address is a name":      {func(_ *smtp.Sender, e *delivery.Envelope) { e.Contact.Address = "park@" }, "not a mail address"},
		"address is a list":      {func(_ *smtp.Sender, e *delivery.Envelope) { e.Contact.Address = "park@a.com, kim@a.com" }, "not a mail address"},
		"attachment of no type": {func(_ *smtp.Sender, e *delivery.Envelope) {
			e.Attached = []delivery.Attached{{Attachment: delivery.Attachment{Name: "a.html", Type: "a web page"}}}
		}, `attachment a.html: "a web page" is not a media type`},
		"address with a command": {func(_ *smtp.Sender, e *delivery.Envelope) { e.Contact.Address = "park@a.com>\r\nRCPT TO:<kim@a.com" }, "not a mail address"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sender, e := good(), envelope()
			tt.change(sender, &e)
			check(t, sender.Send(t.Context(), e), true, tt.wantText)
		})
	}
}

func TestForeignTextCannotInjectHeaders(t *testing.T) {
	box := &mailbox{}
	sender := serve(t, box, smtp.STARTTLS)
	if err := sender.Send(t.Context(), envelope()); err != nil {
		t.Fatal(err)
	}
	clean, _ := parse(t, box.all()[0].raw)
	for i, evil := range []string{"x\r\nBcc: evil@example.com\r\n\r\nbody", "x\nBcc: evil@example.com", "x\rBcc: e", "가\r\n Bcc: e", "=?utf-8?q?x=0D=0ABcc:_e?=", strings.Repeat("x", 2000)} {
		e := envelope()
		e.ID, e.Message.Incident, e.Message.Subject = delivery.ID(evil), evil, evil
		e.Recipient.Name, e.Recipient.ID = evil, evil
		if err := sender.Send(t.Context(), e); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		got := box.all()[i+1]
		m, text := parse(t, got.raw)
		if want := e.Message.Text; text != want {
			t.Errorf("%q changed the text to %q", evil, text)
		}
		if got, want := names(m.Header), names(clean.Header); got != want {
			t.Errorf("%q: headers %s, want %s", evil, got, want)
		}
		if got.to != "jisu@example.com" {
			t.Errorf("%q: sent to %q", evil, got.to)
		}
	}
}

func names(h netmail.Header) string {
	var all []string
	for name, values := range h {
		all = append(all, fmt.Sprintf("%s×%d", name, len(values)))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A next hop that does not know SMTPUTF8 bounces mail that asks for it, so only an address that needs it may ask.
func TestSMTPUTF8(t *testing.T) {
	for address, want := range map[string]bool{"jisu@example.com": false, "박지수@example.com": true} {
		box := &mailbox{}
		e := envelope()
		e.Contact.Address = address
		if err := serve(t, box, smtp.STARTTLS).Send(t.Context(), e); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if got := box.all()[0]; got.utf8 != want || got.to != address {
			t.Errorf("%s: sent to %s, with SMTPUTF8: %v", address, got.to, got.utf8)
		}
	}
}
