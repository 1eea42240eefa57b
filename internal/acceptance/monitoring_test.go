package acceptance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v4"

	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/starter/api"
)

// What operators get to watch Muster with.
const (
	rulesFile     = "../../deploy/prometheus/rules.yaml"
	ruleTests     = "../../deploy/prometheus/rules_test.yaml"
	dashboardFile = "../../deploy/grafana/muster.json"
	operations    = "../../docs/operations.md"
)

// An alertRule is a rule of Prometheus that records or alerts.
type alertRule struct {
	Alert, Record, Expr, For string
	Labels, Annotations      map[string]string
}

// rulesOf reads the rules.
func rulesOf(t *testing.T) (all []alertRule) {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	must(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []alertRule
		}
	}
	must(t, yaml.Unmarshal(text, &file))
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// Each alert says how bad it is, what has happened, and where somebody reads what to do, which is there. Each is tried.
func TestAlertsSayWhatToDo(t *testing.T) {
	page, err := os.ReadFile(operations)
	must(t, err)
	tried, err := os.ReadFile(ruleTests)
	must(t, err)
	var names []string
	for _, r := range rulesOf(t) {
		if r.Record != "" {
			continue
		}
		names = append(names, r.Alert)
		if !slices.Contains([]string{"critical", "warning", "info", "none"}, r.Labels["severity"]) {
			t.Errorf("%s: its severity is %q", r.Alert, r.Labels["severity"])
		}
		for _, about := range []string{"summary", "description"} {
			if r.Annotations[about] == "" {
				t.Errorf("%s has no %s", r.Alert, about)
			}
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: its runbook is %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if !strings.Contains(string(page), "\n### "+r.Alert+"\n") {
			t.Errorf("%s says nothing of %s", operations, r.Alert)
		}
		if !strings.Contains(string(tried), `ALERTS{alertname="`+r.Alert+`", alertstate="firing", severity=`) {
			t.Errorf("%s does not try %s", ruleTests, r.Alert)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Muster\w+)$`).FindAllStringSubmatch(string(page), -1) {
		if !slices.Contains(names, heading[1]) {
			t.Errorf("%s tells of %s, which is no alert", operations, heading[1])
		}
	}
}

// A dashboard as far as it is looked at here.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct{ Name, Type string }
	}
	Panels []panel
}

type panel struct {
	ID          int
	Type, Title string
	Datasource  *source
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		Datasource *source
		Expr       string
	}
}

type source struct{ Type, UID string }

func dashboardOf(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	must(t, err)
	must(t, json.Unmarshal(text, &d))
	return d
}

// The dashboard asks whichever Prometheus somebody chooses, and its panels stand beside one another.
func TestDashboardFits(t *testing.T) {
	d := dashboardOf(t)
	if d.UID != "muster" || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Name != "datasource" {
		t.Errorf("got uid %q and variables %v", d.UID, d.Templating.List)
	}
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if other, twice := ids[p.ID]; twice {
			t.Errorf("%s and %s have one id", p.Title, other)
		}
		ids[p.ID] = p.Title
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.Y < 0 || g.X+g.W > 24 {
			t.Errorf("%s does not fit: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || len(p.Targets) == 0 || p.Datasource == nil || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %d, %q, has %d targets and the source %v", p.ID, p.Title, len(p.Targets), p.Datasource)
		}
		for _, q := range p.Targets {
			if q.Datasource == nil || q.Datasource.UID != "${datasource}" || q.Expr == "" {
				t.Errorf("%s asks %v for %q", p.Title, q.Datasource, q.Expr)
			}
		}
	}
}

// metricsIn names the metrics of an expression, those of a histogram by its own name.
func metricsIn(expr string) (names []string) {
	expr = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(expr, "")
	for _, name := range regexp.MustCompile(`\b(?:muster|temporal|process|go|instance|part)_?[a-z0-9_:]*\b`).FindAllString(expr, -1) {
		if strings.Contains(name, "_") { // not a label
			names = append(names, strings.TrimSuffix(name, "_bucket"))
		}
	}
	return names
}

// rare are metrics that a node shows only once something has gone wrong with it that is not played here.
var rare = []string{"temporal_workflow_failed_total", "temporal_workflow_task_execution_failed_total", "temporal_sticky_cache_miss_total"}

// What a node that has worked shows is named as Prometheus wants it, and has all that rules and dashboard ask for.
func TestMetricsAreWhatRulesAndDashboardAskFor(t *testing.T) {
	folder, sink := t.TempDir(), newReceiver(t)
	organise(t, folder, sink.url, nil)
	sink.answer("/ann/app", func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n > 1
	})
	first := nodeAt(t, folder, sink)
	id := first.open(t, "shop", "measured")
	first.awaitPage(t, "/ann/app", 1)
	asks(t, first, folder)
	shown := shows(t, first)
	first.running.Stop()
	second := nodeAt(t, folder, sink)
	must(t, do(t.Context(), second.api, id, incident.Acknowledge{}, "one"))
	must(t, deliver(t.Context(), second.url, body("shop", "measured", "resolved", 1, "")))
	second.state(t, id, "it is closed", func(i *incident.Incident) bool { return i.Status == incident.Closed })
	must(t, until(t.Context(), "the end of a run is counted", func() error {
		shown = append(shown, shows(t, second)...)
		if !slices.Contains(shown, "temporal_workflow_completed_total") {
			return fmt.Errorf("shown are %v", shown)
		}
		return nil
	}))

	shown = append(append(shown, rare...), "up")
	want := map[string]string{}
	for _, r := range rulesOf(t) {
		shown = append(shown, r.Record)
		for _, name := range metricsIn(r.Expr) {
			want[name] = r.Alert + r.Record
		}
	}
	for _, p := range dashboardOf(t).Panels {
		for _, q := range p.Targets {
			if found := metricsIn(q.Expr); len(found) == 0 && !strings.Contains(q.Expr, "up{") {
				t.Errorf("%s: no metric in %s", p.Title, q.Expr)
			}
			for _, name := range metricsIn(q.Expr) {
				want[name] = "the panel " + p.Title
			}
		}
	}
	if len(want) < 40 {
		t.Fatalf("rules and dashboard ask for %d metrics: %v", len(want), want)
	}
	for name, by := range want {
		if !slices.Contains(shown, name) {
			t.Errorf("%s is asked for by %s, and nothing shows it", name, by)
		}
	}
}

// asks asks for an incident that is not there, which is a request to Temporal that fails.
func asks(t *testing.T, s *system, folder string) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(folder, "data", api.AdminTokenFile))
	must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/incidents/INC-7K3M9QX2PA", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, resp.Body.Close())
}

// shows returns the names of all metrics that a node shows, which are well made.
func shows(t *testing.T, s *system) (names []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	must(t, err)
	problems, err := promlint.New(bytes.NewReader(page)).Lint()
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			names = append(names, name)
		}
	}
	return names
}

// Prometheus takes the rules, and they do what their tests say.
func TestARealPromtoolTakesTheRules(t *testing.T) {
	promtool := program(t, "promtool", "prometheus")
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", ruleTests}} {
		if said, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, said)
		}
	}
}

// The watchdog of the rules goes by an Alertmanager to a heartbeat, which beats as long as both are there.
func TestARealWatchdogBeats(t *testing.T) {
	alertmanager, prometheus := program(t, "prometheus-alertmanager", "prometheus-alertmanager"), program(t, "prometheus", "prometheus")
	folder, sink := t.TempDir(), newReceiver(t)
	org := organise(t, folder, sink.url, nil)
	write(t, filepath.Join(org, "secrets", "jobs"), "hwz4Kq1mX7cB2vN9tR5yL8sD3fG6pJ0a\n")
	write(t, filepath.Join(org, "sources.yaml"), "sources:\n  - {id: jobs, type: heartbeat, token: file:secrets/jobs}\n")
	write(t, filepath.Join(org, "heartbeats.yaml"), "heartbeats:\n  - {id: monitoring, name: Monitoring, source: jobs, every: 5m, grace: 5m, labels: {service: shop}}\n")
	system := nodeAt(t, folder, sink)

	dir, at := t.TempDir(), freeAddress(t)
	config := write(t, filepath.Join(dir, "alertmanager.yml"), fmt.Sprintf(`route:
  receiver: nobody
  routes:
    - {receiver: watchdog, matchers: [alertname="MusterWatchdog"], group_wait: 0s, group_interval: 1m, repeat_interval: 50s}
receivers:
  - {name: nobody}
  - name: watchdog
    webhook_configs:
      - url: %s/v1/heartbeat/monitoring
        send_resolved: false
        http_config: {authorization: {credentials_file: %s}}
`, system.url, filepath.Join(org, "secrets", "jobs")))
	runs(t, alertmanager, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+at, "--cluster.listen-address=")
	rules, err := filepath.Abs(rulesFile)
	must(t, err)
	config = write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
  - {job_name: muster, static_configs: [{targets: [%q]}]}
alerting:
  alertmanagers: [{static_configs: [{targets: [%q]}]}]
`, rules, strings.TrimPrefix(system.url, "http://"), at))
	runs(t, prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+freeAddress(t))
	must(t, until(t.Context(), "the heartbeat beats", func() error {
		list, err := system.api.Heartbeats(t.Context(), heartbeat.Beating)
		if err == nil && len(list.Heartbeats) == 0 {
			err = errors.New("none does")
		}
		return err
	}))
}
