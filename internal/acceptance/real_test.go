package acceptance_test

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// realEnv is set to required where the real programs have to be there: make acceptance does it. Elsewhere what is missing is left out.
const realEnv = "MUSTER_REAL"

// program finds a program of somebody else's. The package is the Debian one that brings it.
func program(t *testing.T, name, from string) string {
	t.Helper()
	for _, try := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(try); err == nil {
			return path
		}
	}
	if os.Getenv(realEnv) == "required" {
		t.Fatalf("%s is not there: apt-get install %s", name, from)
	}
	t.Skipf("%s is not there", name)
	return ""
}

// runs starts a program until the test ends, and shows what it said if the test has failed.
func runs(t *testing.T, name string, args ...string) {
	t.Helper()
	said := filepath.Join(t.TempDir(), "said")
	out, err := os.Create(said)
	must(t, err)
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = out.Close()
		if text, err := os.ReadFile(said); err == nil && t.Failed() {
			t.Logf("%s said:\n%s", name, text[max(0, len(text)-4<<10):])
		}
	})
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return l.Addr().String()
}

// write writes a file of a test.
func write(t *testing.T, path, text string) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// A shop tells a Prometheus whether it is down.
type shop struct{ down atomic.Bool }

func (s *shop) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(w, "shop_down %d\n", map[bool]int{true: 1}[s.down.Load()])
}

// watch runs a real Prometheus that watches a shop, and tells of it at an address.
func (s *shop) watch(t *testing.T, alertmanager string) {
	t.Helper()
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.yml"), `groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: shop_down == 1
        labels: {service: shop, group: real}
        annotations: {summary: The shop is down}
`)
	config := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
  - {job_name: shop, metrics_path: /, static_configs: [{targets: [%q]}]}
alerting:
  alertmanagers: [{static_configs: [{targets: [%q]}]}]
`, rules, strings.TrimPrefix(listen(t, "127.0.0.1:0", s), "http://"), alertmanager))
	runs(t, program(t, "prometheus", "prometheus"), "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+freeAddress(t), "--rules.alert.resend-delay=2s")
}

// follow waits until the shop's trouble is an incident that somebody is paged for, has the shop come back, and waits until the
// incident is closed.
func (s *shop) follow(t *testing.T, system *system) {
	t.Helper()
	s.down.Store(true)
	page := system.awaitPage(t, "/ann/app", 1)[0]
	if !strings.Contains(page.text, "real") {
		t.Errorf("the page says %s", page.text)
	}
	s.down.Store(false)
	i := system.state(t, incident.ID(page.Message.Incident), "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed })
	found := map[timeline.Kind]bool{}
	for _, e := range i.Timeline.Entries {
		found[e.Kind] = true
	}
	for _, k := range []timeline.Kind{timeline.AlertFired, timeline.AlertResolved, timeline.Delivered} {
		if !found[k] {
			t.Errorf("the timeline has no entry of the kind %s", k)
		}
	}
}

// A Prometheus fires, its Alertmanager groups and tells, somebody is paged, and what is over there is closed here.
func TestARealAlertmanagerDrivesAnIncident(t *testing.T) {
	alertmanager, s := program(t, "prometheus-alertmanager", "prometheus-alertmanager"), &shop{}
	program(t, "prometheus", "prometheus")
	system := newSystem(t, nil)
	dir, at := t.TempDir(), freeAddress(t)
	config := write(t, filepath.Join(dir, "alertmanager.yml"), fmt.Sprintf(`route: {receiver: muster, group_by: [service, group], group_wait: 1s, group_interval: 1s}
receivers:
  - name: muster
    webhook_configs: [{url: "%s/v1/alerts/alertmanager", send_resolved: true}]
`, system.url))
	runs(t, alertmanager, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+at, "--cluster.listen-address=")
	s.watch(t, at)
	s.follow(t, system)
}

// The same without an Alertmanager: the Prometheus posts here as it would there.
func TestARealPrometheusDrivesAnIncident(t *testing.T) {
	program(t, "prometheus", "prometheus")
	folder, sink, s := t.TempDir(), newReceiver(t), &shop{}
	org := organise(t, folder, sink.url, nil)
	write(t, filepath.Join(org, "sources.yaml"), "sources:\n  - {id: prometheus, type: prometheus}\n")
	system := nodeAt(t, folder, sink)
	s.watch(t, strings.TrimPrefix(system.url, "http://"))
	s.follow(t, system)
}

// A real mail server takes a page, and keeps it as it was written.
func TestARealMailServerTakesAPage(t *testing.T) {
	exim := program(t, "exim4", "exim4-daemon-light")
	if os.Getuid() != 0 {
		t.Skip("the mail server wants to be started by root")
	}
	dir, err := os.MkdirTemp("/tmp", "muster-mail") // whoever the mail server becomes reaches it
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	box, spool := filepath.Join(dir, "box"), filepath.Join(dir, "spool")
	for _, open := range []string{box, spool} {
		must(t, os.Mkdir(open, 0o777))
		must(t, os.Chmod(open, 0o777))
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	must(t, err)
	config := write(t, filepath.Join(dir, "exim.conf"), fmt.Sprintf(`primary_hostname = mail.trial.example
spool_directory = %[1]s/spool
log_file_path = %[1]s/spool/%%slog
daemon_smtp_ports = %[2]s
local_interfaces = 127.0.0.1
host_lookup =
keep_environment =
deliver_drop_privilege = true
tls_advertise_hosts =
acl_smtp_rcpt = take
begin acl
take:
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  create_directory
  directory = %[1]s/box
`, dir, port))
	runs(t, exim, "-bdf", "-C", config, "-oP", filepath.Join(dir, "pid"))

	must(t, until(t.Context(), "the mail server answers", func() error {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			err = c.Close()
		}
		return err
	}))

	folder, sink := t.TempDir(), newReceiver(t)
	org := organise(t, folder, sink.url, nil)
	settings, err := os.ReadFile(filepath.Join(org, "organisation.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "organisation.yaml"), string(settings)+fmt.Sprintf(
		"mail: {host: 127.0.0.1, port: %s, security: none, from: 관제 <noc@trial.example>}\n", port))
	people, err := os.ReadFile(filepath.Join(org, "people.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "people.yaml"), strings.Replace(string(people),
		"{name: app, type: webhook, address: file:secrets/ann-app, secret: file:secrets/signing}", "{name: app, type: email, address: ann@trial.example}", 1))
	system := nodeAt(t, folder, sink)
	must(t, deliver(t.Context(), system.url, body("shop", "우편", "firing", 1, "어떤 글")))
	var text string
	must(t, until(t.Context(), "the mail server has the page", func() error {
		found, err := filepath.Glob(filepath.Join(box, "new", "*"))
		if err != nil || len(found) == 0 {
			return fmt.Errorf("%d mails: %w", len(found), cmp.Or(err, fs.ErrNotExist))
		}
		text, err = readMail(found[0])
		return err
	}))
	link := regexp.MustCompile(`http://\S+/l/\S+`).FindString(text)
	if !strings.Contains(text, "우편") || link == "" {
		t.Fatalf("the mail says:\n%s", text)
	}
	resp, err := http.PostForm(link, url.Values{"action": {"acknowledge"}})
	must(t, err)
	must(t, resp.Body.Close())
	id, err := opened(t.Context(), system.api, "우편")
	must(t, err)
	system.state(t, id, "Ann has taken it", func(i *incident.Incident) bool { return len(i.Responders) == 1 && i.Responders[0].ID == "ann" })
}

// readMail returns the subject and the text of a mail in a file.
func readMail(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	m, err := mail.ReadMessage(f)
	if err != nil {
		return "", err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	return subject + "\n" + string(text), err
}
