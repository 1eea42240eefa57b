package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"muster/starter/cli"
)

// tries runs a command with a folder whose sources are these, and returns its exit code and what it says.
func tries(t *testing.T, sources, beats string, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Setenv("SHOP", "swordfish")
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../../examples/org")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"sources.yaml": "sources:\n  - {id: alertmanager, type: alertmanager}\n" + sources, "heartbeats.yaml": beats} {
		if text != "" {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var stdout, stderr bytes.Buffer
	code = cli.Run(context.Background(), cli.Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: now, Texts: texts, Home: t.TempDir(),
		Getenv: func(string) string { return "" },
	}, append([]string{"test", "source", "--org", folder, "--lang", "en"}, args...))
	return code, stdout.String(), stderr.String()
}

// A webhook remembers what was posted to it, and answers the second one with a code.
type hook struct {
	code int
	got  []string
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var alerts struct {
		Alerts []struct{ Status string }
	}
	_ = json.Unmarshal(body, &alerts)
	h.got = append(h.got, fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Authorization"), " ", alerts.Alerts))
	if len(h.got) == 2 && h.code != 0 {
		w.WriteHeader(h.code)
	}
	_, _ = io.WriteString(w, `{"status":"said"}`)
}

func TestASourceIsTried(t *testing.T) {
	const bearer = "Bearer swordfish"
	for _, tc := range []struct {
		name, sources, beats string
		args                 []string
		code, answer         int
		got                  []string
		out, err             string
	}{
		{
			"an Alertmanager", "  - {id: shop, type: alertmanager, token: env:SHOP}\n", "",
			[]string{"shop"},
			0, 0,
			[]string{"POST /v1/alerts/alertmanager " + bearer + " [{firing}]", "POST /v1/alerts/alertmanager " + bearer + " [{resolved}]"},
			"firing → URL/v1/alerts/alertmanager: 200 {\"status\":\"said\"}\nresolved → URL/v1/alerts/alertmanager: 200 {\"status\":\"said\"}\n", "",
		},
		{
			"heartbeats", "  - {id: jobs, type: heartbeat, token: env:SHOP}\n",
			"heartbeats:\n  - {id: sync, source: jobs, every: 1h, grace: 1m}\n  - {id: backup, source: jobs, every: 1d, grace: 1m}\n",
			[]string{"jobs", "--heartbeat", "backup"},
			0, 0,
			[]string{"POST /v1/heartbeat/backup/fail " + bearer + " []", "POST /v1/heartbeat/backup " + bearer + " []"},
			"resolved → URL/v1/heartbeat/backup: 200", "",
		},
		{
			"that is not taken", "  - {id: shop, type: alertmanager, token: env:SHOP}\n", "",
			[]string{"shop", "-o", "json"},
			1, 503,
			[]string{"POST /v1/alerts/alertmanager " + bearer + " [{firing}]", "POST /v1/alerts/alertmanager " + bearer + " [{resolved}]"},
			`"code": 503`, "muster: test source shop: resolved was not taken",
		},
		{"a token that is not there", "  - {id: shop, type: alertmanager, token: env:NONE}\n", "", []string{"shop"}, 1, 0, nil, "", "token env:NONE: not set in the environment"},
		{"one that the folder has not", "", "", []string{"shop"}, 1, 0, nil, "", "test source shop: not in sources.yaml"},
		{"another's heartbeat", "  - {id: jobs, type: heartbeat}\n", "heartbeats:\n  - {id: sync, source: jobs, every: 1h, grace: 1m}\n", []string{"jobs", "--heartbeat", "none"}, 1, 0, nil, "", `--heartbeat "none": want sync`},
		{"no heartbeat", "  - {id: jobs, type: heartbeat}\n", "", []string{"jobs"}, 1, 0, nil, "", "heartbeats.yaml has no heartbeat of it"},
		{"a mail without a server", "  - {id: legacy, type: email, token: env:SHOP}\n", "", []string{"legacy"}, 2, 0, nil, "", "--mail: missing"},
		{"half of two files", "", "", []string{"alertmanager", "--firing", "x"}, 2, 0, nil, "", "--firing, --resolved: want both of them"},
		{"a label that is none", "", "", []string{"alertmanager", "--label", "x"}, 2, 0, nil, "", `--label "x": want NAME=VALUE`},
	} {
		h := &hook{code: tc.answer}
		server := httptest.NewServer(h)
		code, out, errs := tries(t, tc.sources, tc.beats, append(tc.args, "--url", server.URL)...)
		server.Close()
		out = strings.ReplaceAll(out, server.URL, "URL")
		if code != tc.code || fmt.Sprint(h.got) != fmt.Sprint(tc.got) || !strings.Contains(out, tc.out) || !strings.Contains(errs, tc.err) {
			t.Errorf("%s: exit code %d, got %q, said %q and %q", tc.name, code, h.got, out, errs)
		}
	}
}

// A dry run sends nothing, and says where the alert would go.
func TestASourceIsExplained(t *testing.T) {
	h := &hook{}
	server := httptest.NewServer(h)
	defer server.Close()
	for _, args := range [][]string{
		{"alertmanager", "--label", "service=garam-shop", "--label", "severity=critical"}, {"jobs"},
	} {
		code, out, errs := tries(t, "  - {id: jobs, type: heartbeat}\n", "heartbeats:\n  - {id: sync, source: jobs, every: 1h, grace: 1m, labels: {service: garam-shop}}\n",
			append(args, "--dry-run", "--url", server.URL)...)
		if code != 0 || len(h.got) > 0 || !strings.HasPrefix(out, "[TEST] ") || !strings.Contains(out, "garam-shop") {
			t.Errorf("%v: exit code %d, got %v, said %q and %q", args, code, h.got, out, errs)
		}
	}
}

// mailbox takes mails, and refuses the second one.
type mailbox struct {
	refuse bool
	got    []string
	to     string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.to = to
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, subject, _ := strings.Cut(string(body), "Subject: ")
	m.got = append(m.got, m.to+": "+strings.SplitN(subject, ":", 2)[0])
	if m.refuse {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not yet"}
	}
	return nil
}

func TestASourceThatSendsMailIsTried(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		m := &mailbox{refuse: refuse}
		server := smtp.NewServer(m)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = server.Serve(l) }()
		code, out, errs := tries(t, "  - {id: legacy, type: email, token: env:SHOP}\n", "", "legacy", "--mail", l.Addr().String())
		_ = server.Close()
		want := "[legacy+swordfish@muster.test: [TEST] PROBLEM legacy+swordfish@muster.test: [TEST] RECOVERY]"
		said := "250"
		if refuse {
			want, said = "[legacy+swordfish@muster.test: [TEST] PROBLEM]", "451 4.3.0 not yet"
		}
		if fmt.Sprint(m.got) != want || (code == 0) == refuse || !strings.Contains(out, said) || strings.Contains(out+errs, "swordfish") {
			t.Errorf("exit code %d, got %v, said %q and %q", code, m.got, out, errs)
		}
	}
}
