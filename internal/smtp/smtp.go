// Package smtp sends deliveries as e-mail through one mail server. It receives no mail, and it knows no HTML.
package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Security says how the connection to a mail server is protected.
type Security string

// The ways to protect a connection. None is for a relay or a mail catcher at a loopback or private address only.
const (
	STARTTLS Security = "starttls" // mandatory: without it nothing is sent
	TLS      Security = "tls"      // from the first byte
	None     Security = "none"
)

// Sender mails each delivery to its contact's address. The zero value refuses: there is no server.
type Sender struct {
	Host     string // the mail server
	Port     int    // when zero, 587, or 465 with TLS
	From     string // such as "Muster <muster@example.com>"
	User     string // no authentication when empty
	Password string
	Security Security       // STARTTLS when empty
	RootCAs  *x509.CertPool // who may vouch for the server; the system's when nil
	Timeout  time.Duration  // of one Send; 30 s when zero
}

// Send makes one attempt on a connection of its own. Every attempt of a delivery carries the same Message-ID. Once the
// server has taken the mail it is delivered, whatever becomes of the connection.
func (s *Sender) Send(ctx context.Context, e delivery.Envelope) error {
	message, err := s.compose(e)
	if err != nil {
		return &delivery.Refusal{Detail: "smtp: " + err.Error()}
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	err = s.transfer(limited, message)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("mail %s: %w", e.ID, ctx.Err())
	}
	return s.verdict(limited, err)
}

func (s *Sender) port() int {
	if s.Port == 0 && s.Security == TLS {
		return 465
	}
	return cmp.Or(s.Port, 587)
}

func (s *Sender) timeout() time.Duration { return cmp.Or(s.Timeout, 30*time.Second) }

// transfer hands message to the server. The connection ends with ctx, because go-mail only sets deadlines on it.
func (s *Sender) transfer(ctx context.Context, message *mail.Msg) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	client, err := mail.NewClient(s.Host, s.options(conn, message)...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	if err := hand(session, message); err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // good-bye is a courtesy
	_ = session.Quit()
	return nil
}

// connect dials, and where TLS is spoken from the first byte, shakes hands.
func (s *Sender) connect(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	if s.Security == None {
		dialer.ControlContext = near
	}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.port())))
	if err != nil || s.Security != TLS {
		return conn, err
	}
	secure := tls.Client(conn, s.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// near refuses to connect where plain text would cross foreign networks.
func near(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if addr := to.Addr().Unmap(); err != nil || !addr.IsLoopback() && !addr.IsPrivate() {
		return &delivery.Refusal{Detail: "smtp: without TLS only a loopback or private address may be used, not " + addr.String()}
	}
	return nil
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
}

// options makes go-mail use conn. It asks for SMTPUTF8 only where an address needs it: a next hop without it would
// bounce mail that asks.
func (s *Sender) options(conn net.Conn, message *mail.Msg) []mail.Option {
	policy := mail.TLSMandatory
	if s.Security == TLS || s.Security == None {
		policy = mail.NoTLS // no STARTTLS: there is TLS already, or none is wanted
	}
	options := []mail.Option{
		mail.WithPort(s.port()),
		mail.WithTimeout(2 * s.timeout()), // not before the context ends the connection
		mail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
		mail.WithTLSConfig(s.tls()),
		mail.WithTLSPolicy(policy),
	}
	if s.User != "" {
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(s.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	if isASCII(message.GetFrom()[0].Address) && isASCII(message.GetTo()[0].Address) {
		options = append(options, mail.WithoutSMTPUTF8())
	}
	return options
}

// hand gives message to the server and returns nil once the server has said that it keeps it. go-mail's own Send would
// also fail on what comes after.
func hand(session *smtp.Client, message *mail.Msg) error {
	from, err := message.GetSender(false)
	if err != nil {
		return err
	}
	to, err := message.GetRecipients()
	if err != nil {
		return err
	}
	if err := session.Mail(from); err != nil {
		return err
	}
	if err := session.Rcpt(to[0]); err != nil {
		return err
	}
	data, err := session.Data()
	if err != nil {
		return err
	}
	if _, err := message.WriteTo(data); err != nil {
		return err
	}
	return data.Close()
}

// verdict turns what became of a transfer into nil, a *delivery.Refusal or a *delivery.Unavailable.
func (s *Sender) verdict(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if refusal, ok := errors.AsType[*delivery.Refusal](err); ok {
		return refusal
	}
	where := fmt.Sprintf("smtp %s:%d: ", s.Host, s.port())
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		detail := fmt.Sprintf("%s%d %s", where, reply.Code, withoutAddresses(reply.Msg))
		if reply.Code >= 500 {
			return &delivery.Refusal{Detail: detail}
		}
		return &delivery.Unavailable{Detail: detail}
	}
	if ctx.Err() != nil {
		return &delivery.Unavailable{Detail: where + "no answer in time"}
	}
	return &delivery.Unavailable{Detail: where + withoutAddresses(err.Error())}
}

// withoutAddresses quotes a server without the mail addresses that servers like to repeat: what is said here is recorded.
func withoutAddresses(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "<address>"
		}
	}
	return outbound.Line(strings.Join(words, " "), 200)
}

// configured parses From, and says what is missing.
func (s *Sender) configured() (*netmail.Address, error) {
	if s.Host == "" {
		return nil, errors.New("no mail server is configured")
	}
	switch s.Security {
	case "", STARTTLS, TLS:
	case None:
		if s.User != "" {
			return nil, errors.New("a password is never sent without TLS: use starttls or tls, or no user")
		}
	default:
		return nil, fmt.Errorf("security %q is not one of starttls, tls, none", s.Security)
	}
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, errors.New("the sender's address is not one such as Muster <muster@example.com>")
	}
	return from, nil
}
