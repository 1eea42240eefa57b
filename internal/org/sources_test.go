package org_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/org"
)

func TestSources(t *testing.T) {
	files := good(t)
	files["sources.yaml"] = `sources:
  - {id: prometheus, type: prometheus, token: env:A, token_in_url: true, resolve_timeout: 10m}
  - {id: lab, type: alertmanager}
  - {id: shop, type: grafana, signature: {secret: env:SHOP_SECRET, header: X-Shop, timestamp_header: X-Time}}
  - {id: till, type: grafana, signature: {secret: env:NO_SUCH_SECRET}}
  - {id: aws, type: sns, topics: [arn:aws:sns:eu-west-1:123456789012:alarms], confirm: true}
`
	want := []org.Source{
		{ID: "prometheus", Type: alert.Prometheus, TokenInURL: true, ResolveTimeout: 10 * time.Minute},
		{ID: "lab", Type: alert.Alertmanager},
		{ID: "shop", Type: alert.Grafana, Signature: &org.SourceSignature{Header: "X-Shop", Timestamp: "X-Time"}},
		{ID: "till", Type: alert.Grafana, Signature: &org.SourceSignature{}},
		{ID: "aws", Type: alert.SNS, Topics: []string{"arn:aws:sns:eu-west-1:123456789012:alarms"}, Confirm: true},
	}
	o := load(t, files)
	if d := cmp.Diff(want, o.Sources()); d != "" {
		t.Error(d)
	}
	t.Setenv("SHOP_SECRET", "swordfish")
	for id, want := range map[string]string{"lab": "", "shop": "swordfish"} {
		if got, err := o.SigningSecret(id); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", id, got, err, want)
		}
	}
	if _, err := o.SigningSecret("till"); err == nil || err.Error() != "source till: signing secret env:NO_SUCH_SECRET: not set in the environment of this process" {
		t.Errorf("got %v", err)
	}
}

// Whatever comes with Muster is right.
func TestShippedMappings(t *testing.T) {
	if len(org.ShippedMappings()) < 6 {
		t.Errorf("got %v", org.ShippedMappings())
	}
	for _, name := range org.ShippedMappings() {
		if m, err := org.ShippedMapping(name); err != nil || len(m.GroupBy) == 0 {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := org.ShippedMapping("datadogg"); err == nil || err.Error() != `mapping "datadogg": no such mapping; did you mean datadog?` {
		t.Errorf("got %v", err)
	}
}

func TestFaultsOfSources(t *testing.T) {
	for _, tc := range []struct{ give, want string }{
		{"{id: a, type: nagios}", `sources.yaml:2:19: source a: type "nagios": want ` + want(alert.Formats())},
		{"{id: a, type: alertmanager, token_in_url: true}", "sources.yaml:2:47: source a: token_in_url: want a token, too"},
		{
			"{id: a, type: alertmanager, resolve_timeout: 1m}",
			"sources.yaml:2:50: source a: resolve_timeout: want none, because a source of type alertmanager says itself when an alert is over",
		},
		{"{id: a, type: alertmanager, signature: {secret: env:A}}", "sources.yaml:2:44: source a: signature: want none, because a source of type alertmanager does not sign so"},
		{"{id: a, type: grafana, signature: {header: X}}", "sources.yaml:2:39: source a: signature: secret: missing; want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder"},
		{"{id: a, type: sns}", "sources.yaml:2:5: source a: topics: none; want the ARNs of the topics whose messages are its own"},
		{"{id: a, type: sns, topics: [alarms]}", `sources.yaml:2:33: source a: topics "alarms": want the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:alarms`},
		{"{id: a, type: json}", "sources.yaml:2:5: source a: mapping: missing; want one, or the name of a shipped one: datadog, newrelic, opsgenie, sentry, uptimerobot, zabbix"},
		{"{id: a, type: json, mapping: nagios}", `sources.yaml:2:34: source a: mapping "nagios": want datadog, newrelic, opsgenie, sentry, uptimerobot or zabbix`},
		{"{id: a, type: grafana, mapping: sentry}", "sources.yaml:2:37: source a: mapping: want none, because a source of type grafana has a form of its own"},
		{"{id: a, type: json, mapping: {fingerprint: alert.id}}", "sources.yaml:2:34: source a: mapping: state: missing; want an expression, such as alert.id"},
		{
			"{id: a, type: json, mapping: {fingerprint: alrt.id, state: alert.state, labels: {x: alert.}, colour: red}}",
			`sources.yaml:2:48: source a: mapping: fingerprint "alrt.id": line 1, column 1: alrt is unknown; did you mean alert?
sources.yaml:2:89: source a: mapping: labels: x "alert.": line 1, column 7: "." is not expected here
sources.yaml:2:98: source a: mapping: unknown key "colour"; known: alerts, when, fingerprint, state, name, link, starts_at, ends_at, labels, annotations, tags, group_by`,
		},
		{"{id: a, type: cloudevents}", "sources.yaml:2:5: source a: want either mapping, or data with what its events carry"},
		{"{id: a, type: cloudevents, mapping: sentry, data: azure}", "sources.yaml:2:5: source a: want either mapping, or data with what its events carry"},
		{"{id: a, type: cloudevents, data: sns}", `sources.yaml:2:38: source a: data "sns": want alertmanager, prometheus, grafana, azure or eventbridge`},
		{"{id: a, type: azure, data: azure}", "sources.yaml:2:32: source a: data: want none, because a source of type azure has no events that carry something"},
		{"{id: a, type: email}", "sources.yaml:2:5: source a: want a token, which stands in the address to which it sends, or an address of its own and from"},
		{"{id: a, type: email, address: a@b.example}", "sources.yaml:2:5: source a: want from, too: whoever knows the address could send"},
		{"{id: a, type: email, token: env:A, from: [b.example]}", `sources.yaml:2:47: source a: from "b.example": want a mail address, such as nagios@example.com, or all of a domain, such as @example.com`},
		{"{id: a, type: email, token: env:A, subject: '('}", `sources.yaml:2:49: source a: subject "(": want a regular expression in the syntax of RE2, of at most 500 characters`},
		{"{id: a, type: azure, from: [a@b.example]}", "sources.yaml:2:32: source a: from: want none, because a source of type azure sends no mail"},
		{"{id: a, type: azure, confirm: true}", "sources.yaml:2:35: source a: confirm: want none, because a source of type azure has no topics"},
		{"{id: a, type: prometheus, resolve_timeout: 0s}", `sources.yaml:2:48: source a: resolve_timeout "0s": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
	} {
		files := good(t)
		files["sources.yaml"] = "sources:\n  - " + tc.give + "\n"
		files["routes.yaml"] = strings.ReplaceAll(files["routes.yaml"], "source: prometheus", "source: a")
		if d := cmp.Diff(tc.want, strings.Join(faults(t, files), "\n")); d != "" {
			t.Errorf("%s:\n%s", tc.give, d)
		}
	}
}

func want(all []alert.Format) string {
	names := make([]string, len(all))
	for n, f := range all {
		names[n] = string(f)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// What a page tells to put into sources.yaml is right there, and every type has a page, which the first one names.
func TestThePagesOfSources(t *testing.T) {
	block := regexp.MustCompile("(?ms)^```yaml\n(sources:\n.*?)^```$")
	pages, err := filepath.Glob("../../docs/sources/*.md")
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile("../../docs/sources/README.md")
	if err != nil {
		t.Fatal(err)
	}
	has := map[alert.Format]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if row := "](" + filepath.Base(page) + ") |"; strings.Contains(string(first), row) && !strings.Contains(string(text), "muster test source ") {
			t.Errorf("%s: want how to try it with muster test source", page)
		}
		for _, m := range block.FindAllSubmatch(text, -1) {
			if strings.Contains(string(m[1]), "\n    planned:") { // which needs whom plans need
				if _, err := announcing(t, string(m[1])+"  - {id: alertmanager, type: alertmanager}\n"); err != nil {
					t.Errorf("%s: %v", page, err)
				}
				continue
			}
			files := good(t)
			files["sources.yaml"] = string(m[1])
			for name := range files {
				files[name] = regexp.MustCompile(`(?m)^ +source: prometheus\n`).ReplaceAllString(files[name], "")
			}
			for _, s := range load(t, files).Sources() {
				has[s.Type] = true
			}
		}
	}
	for _, f := range alert.Formats() {
		if !has[f] || !strings.Contains(string(first), "\n| `"+string(f)+"` |") {
			t.Errorf("type %s: want a page in docs/sources with what to put into sources.yaml, and a row in its README.md", f)
		}
	}
}

const forNotices = `sources:
  - id: cloud
    type: eventbridge
    planned:
      - {match: {service: EKS}, plan: provider-event, customer: garam, environments: {production: production}}
      - {plan: provider-event, customer: nuri}
  - {id: alertmanager, type: alertmanager}
`

func announcing(t *testing.T, sources string) (*org.Organisation, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sources.yaml"), []byte(sources), 0o600); err != nil {
		t.Fatal(err)
	}
	return org.Load(dir)
}

func TestThePlanForANotice(t *testing.T) {
	o, err := announcing(t, forNotices)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		source   string
		notice   alert.Notice
		customer string
		given    map[string]string
	}{
		{
			"the first that fits", "cloud",
			alert.Notice{ID: "x", Title: "End of a version", Labels: alert.Labels{{Name: "service", Value: "EKS"}}, Begins: at.AddDate(0, 4, 0)},
			"garam",
			map[string]string{"event": "End of a version", "detail": "End of a version", "reference": "x", "link": "", "begins": "2027-03-22T10:00:00Z", "ends": "2027-03-22T10:00:00Z"},
		},
		{
			"what says little", "cloud",
			alert.Notice{ID: "y", Text: "many\n\nlines"},
			"nuri",
			map[string]string{"event": "y", "detail": "many lines", "reference": "y", "link": "", "begins": "2026-11-22T10:00:00Z", "ends": "2026-11-22T10:00:00Z"},
		},
		{"another source", "clouds", alert.Notice{ID: "y"}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, known := o.PlanFor(tt.source, tt.notice, at)
			if known != (tt.customer != "") || s.Customer != tt.customer || !maps.Equal(s.Parameters, tt.given) {
				t.Fatalf("got %v %+v", known, s)
			}
			if !known {
				return
			}
			if terms, err := o.StartPlan(s); err != nil || terms.Target().Environment != "production" {
				t.Errorf("cannot be started: %+v, %v", terms.Environments, err)
			}
		})
	}
}

func TestAPlanForNoticesIsTriedBefore(t *testing.T) {
	for _, tt := range []struct{ sources, want string }{
		{strings.Replace(forNotices, "plan: provider-event, customer: nuri", "plan: provider-evnt, customer: nuri", 1), `source cloud: planned 2: plan: "provider-evnt"; want the id of a plan`},
		{strings.Replace(forNotices, "customer: nuri", "customer: nobody", 1), `source cloud: planned 2: customer: "nobody"; want the id of a customer`},
		{strings.Replace(forNotices, "plan: provider-event, customer: nuri", "plan: upgrade, customer: nuri", 1), "source cloud: planned 2: parameters.release: missing"},
		{strings.Replace(forNotices, "eventbridge", "grafana", 1), "source cloud: planned: want none, because a source of type grafana announces nothing"},
	} {
		_, err := announcing(t, tt.sources)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
}
