package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/starter/ingest"
)

// MailConfig is how alerts come in by mail. Without an address they do not.
type MailConfig struct {
	Listen    string
	Cert, Key string // files of the certificate with its chain, and of its key; empty: mail comes in clear
}

// takeMail takes the address for mail, before anything else starts.
func (n *Node) takeMail(ctx context.Context) (net.Listener, error) {
	c := n.cfg.Mail
	if c.Listen == "" {
		return nil, nil
	}
	if c.Cert != "" {
		if _, err := c.certificate(nil); err != nil {
			return nil, err
		}
	}
	l, err := listen(ctx, c.Listen, "--mail-listen")
	if err == nil {
		n.onStop(func() { _ = l.Close() })
	}
	return l, err
}

// certificate is read for every sender, so that a renewed one counts at once.
func (c MailConfig) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate for mail: %w", err)
	}
	return &pair, nil
}

// openMail takes mail until the node stops.
func (n *Node) openMail(ctx context.Context, l net.Listener, in *ingest.Intake) {
	if l == nil {
		if sendsMail := func(s org.Source) bool { return s.Type == alert.Email }; slices.ContainsFunc(n.org.Current().Sources(), sendsMail) {
			n.cfg.Log.Warn("no alerts come in by mail: want --mail-listen, because the organisation folder has a source of type email")
		}
		return
	}
	var certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if n.cfg.Mail.Cert != "" {
		certificate = n.cfg.Mail.certificate
	}
	name, err := os.Hostname()
	if err != nil {
		name = "muster"
	}
	m := ingest.NewMailListener(n.life, in, name, certificate)
	go func() {
		if err := m.Serve(l); err != nil {
			n.deaf <- fmt.Errorf("take mail at %s: %w", l.Addr(), err)
		}
	}()
	const patience = 15 * time.Second // a mail that waits for its commit gets its answer
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		m.Stop(ctx)
	})
	fmt.Fprintf(n.cfg.Out, "alerts come in by mail on %s\n", l.Addr())
}
