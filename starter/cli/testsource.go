package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/internal/org"
	"muster/starter/ingest"
)

// sourceAsked is what test source was asked for.
type sourceAsked struct {
	folder, id, mail, beat string
	firing, resolved       string // files
	labels                 []string
	label                  map[string]string // the same, by their names
	dry                    bool

	at         time.Time
	source     ingest.Source
	definition heartbeat.Definition // of a source of heartbeats
	samples    []ingest.Sample
}

func (a *app) testSource() *cobra.Command {
	var x sourceAsked
	cmd := &cobra.Command{
		Use: "source ID --org FOLDER", DisableFlagsInUseLine: true,
		Short: "Send a test alert of a source, and then that it is over",
		Long: `Send a test alert to a running Muster as the source would, in its own format and with its own token or signature, and then that it is
over. Its title begins with [TEST]. Customers and status pages hear nothing of it, and nobody reviews it. It takes the way of all alerts: where a route takes it, it opens an incident and pages; --label gives
it the labels by which it goes. With --dry-run nothing is sent, and it is said what would come of it.

What comes with Muster serves for every type but those whose mapping or patterns are the folder's own: for these, --firing and --resolved
name files with what such a source sends. Of a source of type heartbeat, a failure and then a beat of --heartbeat is sent; neither
counts as a sign of life of that job. To a source of type email, mails go to the server that --mail names.

It reads the secrets of the folder, so it needs the environment that the server has.

` + finding,
		Example: `  muster test source alertmanager --org ./org --label service=checkout --label severity=critical
  muster test source alertmanager --org ./org --dry-run
  muster test source jobs --org ./org --heartbeat nightly-backup
  muster test source legacy --org ./org --mail muster.example.com:25`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("ID")(nil, args); err != nil {
				return err
			}
			x.id, x.label = args[0], map[string]string{}
			for _, l := range x.labels {
				name, value, ok := strings.Cut(l, "=")
				if !ok || name == "" {
					return misused("--label %q: want NAME=VALUE", l)
				}
				x.label[name] = value
			}
			if (x.firing == "") != (x.resolved == "") {
				return misused("--firing, --resolved: want both of them, or neither")
			}
			return a.wantOrg(&x.folder)
		},
		RunE: a.shows(func(cmd *cobra.Command, _ []string) error { return a.trySource(cmd.Context(), x) }),
	}
	f := cmd.Flags()
	f.StringArrayVar(&x.labels, "label", nil, "give the alert this label, `NAME=VALUE`; may be given several times")
	f.StringVar(&x.firing, "firing", "", "`FILE` with what the source sends when something is wrong; default: what comes with Muster")
	f.StringVar(&x.resolved, "resolved", "", "`FILE` with what it sends when that is over")
	f.StringVar(&x.beat, "heartbeat", "", "`ID` of the heartbeat that is tried; default: the first one of the source")
	f.StringVar(&x.mail, "mail", "", "`ADDRESS` of the server to which mails go, such as muster.example.com:25")
	f.BoolVar(&x.dry, "dry-run", false, "send nothing, and say what would come of the alert")
	a.orgFlag(cmd, &x.folder, "organisation `FOLDER`; default: MUSTER_ORG")
	a.serverFlags(cmd)
	a.viewFlags(cmd)
	return cmd
}

// A sentSample is what was answered to one sample.
type sentSample struct {
	State  alert.State `json:"state"`
	To     string      `json:"to"`
	Code   int         `json:"code"`   // of HTTP or SMTP; 0: nothing was answered
	Answer string      `json:"answer"` // or why there is none
}

// trySource sends both samples, and stops at the first one that is not taken.
func (a *app) trySource(ctx context.Context, x sourceAsked) error {
	o, err := org.LoadAsOf(x.folder, a.env.Now())
	if err != nil {
		return err
	}
	x.at = a.env.Now()
	if err := a.sample(o, &x); err != nil {
		return err
	}
	if x.dry {
		return a.explainSource(ctx, o, x)
	}
	server := x.mail
	if x.source.Type != alert.Email {
		s, err := a.site(false)
		if err != nil {
			return err
		}
		server = strings.TrimRight(s.url, "/")
	} else if server == "" {
		return misused("--mail: missing; want the address of the server to which the mails of source %s go, such as muster.example.com:25", x.id)
	}
	var sent []sentSample
	taken := true
	for _, one := range x.samples {
		r := send(ctx, server, one)
		sent = append(sent, r)
		if a.view.output == "table" {
			lines(a.env.Stdout, printable(fmt.Sprintf("%s → %s: %s", a.stateWord(r.State), r.To, answered(r))))
		}
		if taken = r.Code/100 == 2; !taken {
			break
		}
	}
	if !taken {
		err = fmt.Errorf("test source %s: %s was not taken", x.id, sent[len(sent)-1].State)
	}
	if a.view.output == "table" {
		return err
	}
	return cmp.Or(a.answer(struct {
		Source string       `json:"source"`
		Type   alert.Format `json:"type"`
		Sent   []sentSample `json:"sent"`
		OK     bool         `json:"ok"`
	}{x.id, x.source.Type, sent, taken}, nil), err)
}

func (a *app) stateWord(s alert.State) string {
	if a.language() == "ko" {
		return map[alert.State]string{alert.Firing: "발생", alert.Resolved: "해결"}[s]
	}
	return string(s)
}

// answered is an answer on one line.
func answered(r sentSample) string {
	text := strings.Join(strings.Fields(r.Answer), " ")
	if r.Code == 0 {
		return text
	}
	return strings.TrimSpace(fmt.Sprint(r.Code, " ", text))
}

// sample makes what is sent.
func (a *app) sample(o *org.Organisation, x *sourceAsked) (err error) {
	n := slices.IndexFunc(o.Sources(), func(s org.Source) bool { return s.ID == x.id })
	if n < 0 {
		return fmt.Errorf("test source %s: not in sources.yaml of the organisation folder", x.id)
	}
	configured := o.Sources()[n]
	x.source = ingest.Configured(configured)
	if x.source.Token, err = o.Token(x.id); err != nil {
		return err
	}
	if x.source.Signature != nil {
		if x.source.Signature.Secret, err = o.SigningSecret(x.id); err != nil {
			return err
		}
	}
	want := ingest.Sampling{At: x.at, ID: strings.ToLower(rand.Text()[:8]), Labels: x.label}
	if configured.Mapping != nil {
		want.Mapping = configured.Mapping.Shipped
	}
	if x.firing != "" {
		if want.Firing, err = readFile(x.firing, ingest.MaxBody); err != nil {
			return err
		}
		if want.Resolved, err = readFile(x.resolved, ingest.MaxBody); err != nil {
			return err
		}
	}
	if x.source.Type == alert.Heartbeat {
		if x.definition, err = heartbeatOf(o, x.id, x.beat); err != nil {
			return err
		}
		want.Heartbeat = x.definition.ID
	}
	x.samples, err = ingest.Samples(x.source, want)
	return err
}

// heartbeatOf is the heartbeat of a source that is meant.
func heartbeatOf(o *org.Organisation, source, id string) (heartbeat.Definition, error) {
	var known []string
	for _, d := range o.Heartbeats() {
		if d.Source != source {
			continue
		}
		if id == "" || d.ID == id {
			return d, nil
		}
		known = append(known, d.ID)
	}
	if id == "" {
		return heartbeat.Definition{}, fmt.Errorf("test source %s: heartbeats.yaml has no heartbeat of it", source)
	}
	return heartbeat.Definition{}, fmt.Errorf("test source %s: --heartbeat %q: want %s", source, id, cmp.Or(strings.Join(known, ", "), "one that heartbeats.yaml has"))
}

// explainSource says what would come of the alert.
func (a *app) explainSource(ctx context.Context, o *org.Organisation, x sourceAsked) error {
	var found []ingest.Case
	var err error
	if x.source.Type == alert.Heartbeat {
		h := heartbeat.Open(x.definition, x.at)
		h.Hear(heartbeat.Beat{Kind: heartbeat.Failed, At: x.at, Text: string(x.samples[0].Body)}, x.at)
		found, err = ingest.ExplainAlert(x.id, h.Trial.Alert, o, x.at)
	} else {
		found, err = ingest.Explain(x.source, x.samples[0].Body, o, x.at)
	}
	if err != nil {
		return fmt.Errorf("test source %s: %w", x.id, err)
	}
	return a.explainCases(ctx, o, found, nil, x.at, 24*time.Hour)
}

// sampleTime is for one sample: the intake commits within a minute.
const sampleTime = time.Minute

// send sends one sample and returns what was answered.
func send(ctx context.Context, server string, s ingest.Sample) sentSample {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	r := sentSample{State: s.State, To: server + s.Path}
	var err error
	if s.Path == "" {
		r.Code, r.Answer, err = sendMail(ctx, server, s)
	} else {
		r.Code, r.Answer, err = postSample(ctx, r.To, s)
	}
	if err != nil {
		r.Answer = err.Error()
	}
	return r
}

func postSample(ctx context.Context, to string, s ingest.Sample) (code int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(s.Body))
	if err != nil {
		return 0, "", err
	}
	req.Header = s.Header.Clone()
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the token goes nowhere else
	resp, err := (&http.Client{CheckRedirect: stay}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 4 << 10
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	return resp.StatusCode, string(text), err
}

// sendMail sends a mail to a server. A refusal of that is an answer.
func sendMail(ctx context.Context, server string, s ingest.Sample) (code int, answer string, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return 0, "", err
	}
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		_ = conn.Close()
		return 0, "", err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		_ = conn.Close()
		return 0, "", err
	}
	defer func() { _ = c.Close() }()
	err = deliver(c, host, conn.RemoteAddr(), s)
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		return refused.Code, refused.Msg, nil
	}
	if err != nil {
		return 0, "", err
	}
	_ = c.Quit() // which changes nothing any more
	const taken = 250
	return taken, "", nil
}

// deliver talks to a server that takes mail. The token stands in the address, so it goes to no other machine in the clear.
func deliver(c *smtp.Client, host string, at net.Addr, s ingest.Sample) error {
	peer, err := netip.ParseAddrPort(at.String())
	switch secure, _ := c.Extension("STARTTLS"); {
	case !secure && strings.Contains(s.To, "+") && (err != nil || !peer.Addr().Unmap().IsLoopback()):
		return errors.New("the server offers no STARTTLS, and the token would go to it in the clear: want muster serve with --mail-cert, or to try it on its own machine")
	case secure:
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if err := c.Mail(s.From); err != nil {
		return err
	}
	if err := c.Rcpt(s.To); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(s.Body); err != nil {
		return err
	}
	return w.Close()
}
