package ingest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/internal/refusal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// received is when all fixtures were.
var received = time.Date(2026, 11, 22, 10, 0, 0, 250e6, time.UTC)

// sample is a request with a fixture: of JSON of any form by the shipped mapping that begins its name.
func sample(f format, fixture string) call {
	s := Source{ID: "sample", Type: f.name}
	if f.name == alert.JSON {
		name, _, _ := strings.Cut(fixture, "-")
		m, err := org.ShippedMapping(name)
		if err != nil {
			panic(err)
		}
		s = Configured(org.Source{ID: "sample", Type: f.name, Mapping: m})
	}
	if f.name == alert.CloudEvents {
		name, _, _ := strings.Cut(fixture, "-")
		s.Data = alert.Format(name)
	}
	if f.name == alert.Email {
		s.Mail = &Mail{From: []string{"nagios@mon.example.com", "@kr.example.com", "alerts@EXAMPLE.com"}}
		if strings.HasPrefix(fixture, "pattern-") {
			s.Mail.Subject = `^\[(?P<priority>P\d)\] (?P<host>\S+) \((?P<region>\w+)\): (?P<what>\w+)`
		}
		if err := s.Mail.compile(); err != nil {
			panic(err)
		}
	}
	return call{header: http.Header{"Content-Type": {structuredEvent}}, source: s, at: received, fresh: func() string { return "fresh" }}
}

// decoders are the formats whose senders post bodies.
func decoders() []format {
	return slices.DeleteFunc(formats(), func(f format) bool { return f.decode == nil })
}

// fixtures are bodies that a format takes.
func fixtures(t testing.TB, f format) map[string][]byte {
	t.Helper()
	if f.name == alert.Alertmanager {
		return corpus(t)
	}
	files, err := filepath.Glob("testdata/" + string(f.name) + "/*.json")
	if f.name == alert.Email {
		files, err = filepath.Glob("testdata/email/*.eml")
	}
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	bodies := map[string][]byte{}
	for _, file := range files {
		if bodies[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return bodies
}

// What becomes of each fixture, as people have read it and found it right.
func TestFixtures(t *testing.T) {
	for _, f := range decoders() {
		if f.name == alert.Alertmanager { // has an oracle
			continue
		}
		for name, body := range fixtures(t, f) {
			t.Run(string(f.name)+"/"+name, func(t *testing.T) {
				m, err := f.decode(sample(f, name), body)
				if err != nil {
					t.Fatal(err)
				}
				golden := "testdata/" + string(f.name) + "/" + strings.TrimSuffix(name, filepath.Ext(name)) + ".golden"
				if *update {
					if err := os.WriteFile(golden, []byte(shown(m)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), shown(m)); d != "" {
					t.Errorf("(-want +got); -update writes it anew:\n%s", d)
				}
			})
		}
	}
}

// shown is a message for people.
func shown(m message) string {
	var b strings.Builder
	in := &Intake{
		key:      func(_, receiver string, group alert.Labels) Key { return fmt.Sprint(receiver, group) },
		routeKey: func(_, route string, values alert.Labels) Key { return fmt.Sprint(route, values) },
		commits:  committer{router: idle(0)},
	}
	for _, a := range m.announced {
		fmt.Fprintf(&b, "announced: %s, %s – %s, over %v\n%s\n", a.notice.ID, a.notice.Begins.Format(time.RFC3339), a.notice.Ends.Format(time.RFC3339), a.notice.Over, a.notice.News(time.UTC))
		m.alerts = append(m.alerts, a.as)
	}
	for _, n := range m.notices {
		fmt.Fprintf(&b, "notice: %s\n", n.Summary())
		m.alerts = append(m.alerts, sized{Alert: n})
	}
	for _, p := range in.divide("sample", m) {
		fmt.Fprintf(&b, "incident %s: %s\n", p.key, p.title)
		for _, a := range p.alerts {
			fmt.Fprintf(&b, "  %s %s [%s] since %s", a.State, a.Name, a.Fingerprint, a.StartsAt.Format(time.RFC3339Nano))
			for _, at := range []struct {
				word string
				at   time.Time
			}{{"ended", a.EndsAt}, {"until", a.Until}} {
				if !at.at.IsZero() {
					fmt.Fprintf(&b, ", %s %s", at.word, at.at.Format(time.RFC3339Nano))
				}
			}
			b.WriteString("\n")
			for _, ls := range []struct {
				what string
				of   alert.Labels
			}{{"label", a.Labels}, {"annotation", a.Annotations}} {
				for _, l := range ls.of {
					fmt.Fprintf(&b, "    %s %s = %q\n", ls.what, l.Name, l.Value)
				}
			}
			if a.Generator != "" {
				fmt.Fprintf(&b, "    link %s\n", a.Generator)
			}
		}
	}
	return b.String()
}

// Whatever comes, a decoder answers, and always the same; what it takes is within all bounds.
func fuzz(f *testing.F, name alert.Format, seeds ...string) {
	form := Source{Type: name}.format()
	for _, body := range fixtures(f, form) {
		f.Add(body)
		f.Add(bytes.ReplaceAll(body, []byte(`"`), []byte(`"\u0000`)))
	}
	for _, s := range append(seeds, ``, `{`, `null`, `[]`, `{}`, `[{}]`, `[[]]`, `1`) {
		f.Add([]byte(s))
	}
	first := "sentry"
	if name == alert.CloudEvents {
		first = "azure"
	}
	c := sample(form, first)
	f.Fuzz(func(t *testing.T, body []byte) {
		given := bytes.Clone(body)
		m, err := form.decode(c, body)
		clear(body) // a message shares no memory with it
		again, errAgain := form.decode(c, given)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || err == nil && !reflect.DeepEqual(m, again) {
			t.Fatalf("got %+v, %v, and then %+v, %v", m, err, again, errAgain)
		}
		if err != nil {
			var p refusal.Body
			if !errors.As(err, &p) || p.Field == "" || p.Detail == "" || p.Status/100 != 4 {
				t.Fatalf("got refusal %+v", err)
			}
			return
		}
		for _, a := range m.alerts {
			switch {
			case a.Fingerprint == "" || len(a.Fingerprint) > maxFingerprint || a.Name == "" || len(a.Name) > maxName:
				t.Errorf("got alert %q, %q", a.Fingerprint, a.Name)
			case a.State != alert.Firing && a.State != alert.Resolved || a.StartsAt.IsZero() || a.bytes > maxKept:
				t.Errorf("got alert %+v", a)
			case a.State == alert.Resolved && !a.Until.IsZero() || a.State == alert.Firing && !a.EndsAt.IsZero():
				t.Errorf("got alert %+v", a)
			}
		}
	})
}

func FuzzPrometheus(f *testing.F) {
	fuzz(f, alert.Prometheus, `[{"labels":{"a":"b"},"startsAt":"2026-11-22T11:00:00Z","endsAt":"2026-11-22T10:00:00Z"},{"labels":{"a":""}},1]`)
}

// No decoder takes more than ten times its input.
func TestDecodersTakeLittle(t *testing.T) {
	if emptiesPools {
		t.Skip("pools are emptied at random here")
	}
	for _, f := range decoders() {
		for name, body := range fixtures(t, f) {
			c := sample(f, name)
			const times = 20
			took := uint64(math.MaxUint64) // the least of all: what others take meanwhile, or a pool that was emptied, is not the decoder's
			for range times {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := f.decode(c, body); err != nil {
					t.Fatalf("%s/%s: %v", f.name, name, err)
				}
				runtime.ReadMemStats(&after)
				took = min(took, after.TotalAlloc-before.TotalAlloc)
			}
			if took > 10*uint64(len(body)) {
				t.Errorf("%s/%s: %d bytes for %d", f.name, name, took, len(body))
			}
		}
	}
}

func BenchmarkFormats(b *testing.B) {
	for _, f := range decoders() {
		for name, body := range fixtures(b, f) {
			b.Run(string(f.name)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				alerts, c := 0, sample(f, name)
				for b.Loop() {
					m, err := f.decode(c, body)
					if err != nil {
						b.Fatal(err)
					}
					alerts += len(m.alerts)
				}
				b.ReportMetric(float64(alerts)/b.Elapsed().Seconds(), "alerts/s")
			})
		}
	}
}

func FuzzGrafana(f *testing.F) {
	fuzz(f, alert.Grafana, `{"version":"1","orgId":2,"status":"firing","alerts":[{"status":"firing","startsAt":"2026-11-22T11:00:00Z","labels":{"a":"b"},"values":[{}],"panelURL":1}]}`)
}

func FuzzPagerDuty(f *testing.F) {
	fuzz(f, alert.PagerDuty, `{"event_action":"trigger","payload":{"summary":"s","source":"h","severity":"info","custom_details":[1],"class":"c"},"links":[{"href":"h"},1]}`,
		`{"event_action":"resolve","dedup_key":"`+strings.Repeat("k", 200)+`"}`)
}

func FuzzAzure(f *testing.F) {
	fuzz(f, alert.Azure, `{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"a","monitorCondition":"Fired","alertTargetIDs":[1]},"alertContext":{"condition":{"allOf":[{"dimensions":[{"name":"n"}]},1]},"labels":{"a":"b"}}}}`)
}

func FuzzSNS(f *testing.F) {
	fuzz(f, alert.SNS, `{"Type":"Notification","Message":"{\"Trigger\":{\"Dimensions\":[{},1]}}"}`, `{"Type":"UnsubscribeConfirmation"}`)
}

func FuzzEventBridge(f *testing.F) {
	fuzz(f, alert.EventBridge, `{"detail-type":"CloudWatch Alarm State Change","resources":["arn:aws:cloudwatch:::alarm:"],"detail":{"configuration":{"metrics":[{"metricStat":{"metric":{"dimensions":{}}}}]}}}`)
}

func FuzzJSON(f *testing.F) {
	fuzz(f, alert.JSON, `{"action":"triggered","data":{"event":{"issue_id":9007199254740993,"title":1.5,"tags":[["a","b"],{"key":"c"},"d:e",1]}}}`,
		`{"action":"critical","data":{"metric_alert":{"id":1e400,"alert_rule":{"name":[{}]}}}}`)
}

func FuzzCloudEvents(f *testing.F) {
	fuzz(f, alert.CloudEvents, `{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"e30="}`, `{"specversion":"1.0","id":1,"data":[]}`)
}

func FuzzEmail(f *testing.F) {
	fuzz(f, alert.Email, "Subject: =?x-none?Q?a?= DOWN\r\nFrom: nagios@mon.example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n< ><p<!--\r\n--b--",
		"Subject: OK\r\nFrom: nagios@mon.example.com\r\nDate: Sun, 22 Nov 2026 18:59:55 +0900\r\nContent-Type: text/plain; charset=iso-2022-kr\r\n\r\n\x0e!!\x0f")
}

// Where each type posts stands in the table of the pages as the code has it; -update writes it.
func TestTheTableOfSourcesSaysWhereTheyPost(t *testing.T) {
	const page = "../../docs/sources/README.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for _, f := range formats() {
		to := f.address()
		if f.prove != nil { // its path names the source
			to += "/ID"
		}
		if strings.HasPrefix(to, "/") {
			to = "`" + to + "`"
		}
		row := regexp.MustCompile("(?m)^(\\| `" + string(f.name) + "` \\| [^|]* \\| )[^|]*( \\| )")
		if !row.MatchString(want) {
			t.Errorf("%s: has no row", f.name)
		}
		want = row.ReplaceAllString(want, "${1}"+to+"${2}")
	}
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s: it is not as the code has it; -update writes it anew", page)
	}
}
