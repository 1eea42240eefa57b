package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/time/rate"

	"muster/internal/alert"
	"muster/internal/refusal"
)

// Bounds of what is taken by mail.
const (
	MailConnections = 100 // at a time, and from one address …
	MailFromOne     = 20
	MailPatience    = time.Minute // for a command, and for a whole mail
	MailRate        = 20          // mails a second of one source in the long run …
	MailBurst       = 500         // … and at once

	mostStrangers = 3 // recipients that there are not, before a connection is not listened to any more
)

// A MailListener takes the alerts of sources of type email. It relays nothing and delivers nothing: whatever it takes is an alert.
type MailListener struct {
	intake *Intake
	server *smtp.Server
	life   context.Context // of what it serves

	mu    sync.Mutex
	open  map[string]int // connections by their address
	all   int
	paces map[string]*rate.Limiter // of sources, by their ids
}

// NewMailListener makes one. With a certificate every sender from elsewhere than this machine has to use it.
func NewMailListener(ctx context.Context, in *Intake, name string, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *MailListener {
	m := &MailListener{intake: in, life: context.WithoutCancel(ctx), open: map[string]int{}, paces: map[string]*rate.Limiter{}}
	m.server = smtp.NewServer(smtp.BackendFunc(m.session))
	m.server.Domain, m.server.MaxMessageBytes, m.server.MaxRecipients = name, MaxSigned, 1
	m.server.MaxLineLength = MaxSigned // monitors fold no lines
	m.server.ReadTimeout, m.server.WriteTimeout = MailPatience, MailPatience
	m.server.EnableSMTPUTF8 = true
	m.server.ErrorLog = slog.NewLogLogger(in.commits.log.Handler(), slog.LevelWarn)
	if certificate != nil {
		m.server.TLSConfig = &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12}
	}
	return m
}

// Serve takes mail until Stop.
func (m *MailListener) Serve(l net.Listener) error { return m.server.Serve(doorkeeper{l, m}) }

// Stop takes no more, lets what has begun end until ctx does, and ends the rest.
func (m *MailListener) Stop(ctx context.Context) {
	if m.server.Shutdown(ctx) != nil {
		_ = m.server.Close() // which only ends what the shutdown has left
	}
}

// doorkeeper lets in only so many.
type doorkeeper struct {
	net.Listener

	of *MailListener
}

// Accept returns the next connection that is let in.
func (d doorkeeper) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if from := addressOf(c); d.of.enter(from) {
			return &guest{Conn: c, leave: sync.OnceFunc(func() { d.of.leave(from) })}, nil
		}
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c, "421 4.7.0 too many connections: try again later\r\n")
		_ = c.Close()
	}
}

// A guest is a connection that is counted.
type guest struct {
	net.Conn

	leave func()
}

// Close ends it.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}

func addressOf(c net.Conn) string {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return c.RemoteAddr().String()
	}
	return host
}

func (m *MailListener) enter(from string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all >= MailConnections || m.open[from] >= MailFromOne {
		return false
	}
	m.all++
	m.open[from]++
	return true
}

func (m *MailListener) leave(from string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all--
	if m.open[from]--; m.open[from] == 0 {
		delete(m.open, from)
	}
}

// allow tells whether a source may send one more mail now.
func (m *MailListener) allow(source string, at time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paces[source] == nil {
		m.paces[source] = rate.NewLimiter(MailRate, MailBurst)
	}
	return m.paces[source].AllowN(at, 1)
}

// session begins to talk to a sender.
func (m *MailListener) session(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{of: m, conn: c}, nil
}

// mailSession is one sender.
type mailSession struct {
	of        *MailListener
	conn      *smtp.Conn
	strangers int
	to        *Source // whose mail comes next
}

func said(code int, class, subject, detail int, text string, a ...any) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: fmt.Sprintf(text, a...)}
}

// Mail begins a mail. From whom it says to be proves nothing, so it is asked of the mail itself.
func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if _, secure := s.conn.TLSConnectionState(); !secure && s.of.server.TLSConfig != nil && !s.local() {
		return said(530, 5, 7, 0, "want STARTTLS first")
	}
	return nil
}

// request is the sender as whoever counts guesses knows them.
func (s *mailSession) request() *http.Request {
	return &http.Request{RemoteAddr: s.conn.Conn().RemoteAddr().String(), Header: http.Header{}, URL: &url.URL{Path: "mail"}}
}

// local tells whether the sender is on this machine.
func (s *mailSession) local() bool { return local(s.request()) }

// Rcpt says for which source the mail is. There is no other recipient.
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.strangers >= mostStrangers {
		return said(421, 4, 7, 0, "too many recipients that there are not: nobody listens any more")
	}
	guard := s.of.intake.guard
	found := guard.addressed(to)
	if found == nil {
		s.strangers++
		if _, token := tokenIn(to); token != "" { // else it is but an address that there is not, as mail servers pass on many
			if wait := guard.guess(s.request()); wait > 0 {
				s.strangers = mostStrangers
				return said(421, 4, 7, 0, "too many tokens that are not good: try again later")
			}
		}
		return said(550, 5, 1, 1, "want the address of a source of type email: ID+TOKEN, or its own; nothing is relayed")
	}
	if !s.of.allow(found.ID, s.of.intake.now()) {
		return said(451, 4, 7, 1, "source %s: want at most %d mails a second; try again later", found.ID, MailRate)
	}
	s.to = found
	return nil
}

// addressed returns the source of type email that a mail is for, nil when there is none.
func (g guard) addressed(to string) *Source {
	id, token := tokenIn(to)
	if s := g.source(sha256.Sum256([]byte(token))); s != nil && s.ID == strings.ToLower(id) && s.Type == alert.Email {
		return s
	}
	for n := range g.sources {
		if s := &g.sources[n]; s.Type == alert.Email && s.Mail != nil && s.Mail.Address != "" && strings.EqualFold(s.Mail.Address, to) {
			return s
		}
	}
	return nil
}

// tokenIn returns the id and the token that stand in an address, ID+TOKEN@anything.
func tokenIn(to string) (id, token string) {
	name, _, _ := strings.Cut(to, "@")
	id, token, _ = strings.Cut(name, "+")
	return id, token
}

// Data takes the mail: its answer is 250 when all of it is durable.
func (s *mailSession) Data(r io.Reader) error {
	in := s.of.intake
	body := held{in: in, Reader: r}
	defer body.release()
	buf := in.buffers.Get().(*bytes.Buffer)
	defer func() {
		buf.Reset()
		in.buffers.Put(buf)
	}()
	_, err := buf.ReadFrom(&body)
	if err == nil && s.to == nil {
		err = said(503, 5, 5, 1, "want a recipient first")
	}
	if err == nil {
		err = in.mailed(s.of.life, *s.to, buf.Bytes())
	}
	return in.mailAnswer(err)
}

// mailed makes durable what a mail says.
func (in *Intake) mailed(ctx context.Context, from Source, body []byte) error {
	at := in.now().UTC().Truncate(time.Millisecond)
	m, err := decodeEmail(call{source: from, at: at, fresh: rand.Text}, body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, errWaited)
	defer cancel()
	if len(m.alerts) > 0 {
		if _, err = in.submit(ctx, from.ID, m, at); err != nil {
			return err
		}
	}
	in.accepted.Add(1)
	in.alerts.Add(int64(len(m.alerts)))
	return m.left
}

// mailAnswer says what has come of a mail. Who sends again what is refused with 5xx sends in vain; all else it should send again.
func (in *Intake) mailAnswer(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, smtp.ErrTooLongLine) {
		err = smtp.ErrDataTooLarge
	}
	if own, ok := errors.AsType[*smtp.SMTPError](err); ok {
		in.refused.Add(1)
		return own
	}
	if p, refused := errors.AsType[refusal.Body](err); refused {
		in.refused.Add(1)
		text := p.Detail
		for _, f := range p.Errors {
			text += " " + f.Field + ": " + f.Detail + "."
		}
		return said(554, 5, 6, 0, "%s", clip(strings.Join(strings.Fields(text), " "), 400))
	}
	in.unavailable.Add(1)
	in.commits.log.Warn("mail not committed", "error", err)
	return said(451, 4, 3, 0, "not every alert is durable yet: send it again, which does no harm")
}

// Reset forgets the mail that was begun.
func (s *mailSession) Reset() { s.to = nil }

// Logout ends the talk.
func (s *mailSession) Logout() error { return nil }
