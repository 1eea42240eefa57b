package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/refusal"
)

func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	bodies := map[string][]byte{}
	for _, f := range files {
		if bodies[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return bodies
}

// Whatever comes, the decoder answers; and what it takes, it reads as encoding/json does.
func FuzzDecode(f *testing.F) {
	for _, body := range corpus(f) {
		f.Add(body)
		f.Add(bytes.Replace(body, []byte("firing"), []byte(`fi\u0072ing`), 1))
	}
	for _, s := range []string{
		``, `{`, `null`, `[]`, `{"alerts":[{}]}`, `{"alerts":[1,{"labels":{"a":null,"b":1,"a":"x"}}]}`, `{"a":"\\\"}","b":[[{}],{"c":[]}]}`,
		`{"version":"4","status":"firing","alerts":[{"status":"firing","startsAt":"2026-11-22T10:00:00,5+09:00","labels":{"b":"\ud800","a":"` + "\xff" + `"}}]}`,
		`{"version":"4","status":"resolved","truncatedAlerts":1e2,"alerts":[{"status":"resolved","endsAt":"0000-01-01T00:00:00Z"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decodeAlertmanager(body)
		if err != nil {
			var p refusal.Body
			if !errors.As(err, &p) || p.Field == "" || p.Detail == "" || p.Status/100 != 4 {
				t.Fatalf("got refusal %+v", err)
			}
			return
		}
		if want := slowly(t, body); !reflect.DeepEqual(m, want) {
			t.Errorf("got  %+v\nwant %+v", m, want)
		}
	})
}

// slowly reads a body that is known to be good the obvious way.
func slowly(t *testing.T, body []byte) message {
	var top map[string]any
	if err := json.Unmarshal(body, &top); err != nil {
		t.Fatalf("accepted %q: %v", body, err)
	}
	str := func(v any) string { s, _ := v.(string); return s }
	labels := func(v any) alert.Labels {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		m := map[string]string{}
		for name, value := range object {
			m[name] = str(value)
		}
		return alert.FromMap(m)
	}
	count, _ := top["truncatedAlerts"].(float64)
	m := message{
		receiver: str(top["receiver"]), group: labels(top["groupLabels"]), common: labels(top["commonLabels"]),
		truncated: int(count), resolved: top["status"] == "resolved" && count == 0,
	}
	if _, ok := top["commonLabels"]; !ok {
		m.common = m.group
	}
	for _, v := range top["alerts"].([]any) {
		a := v.(map[string]any)
		d := decoder{}
		s := sized{Alert: alert.Alert{
			State: alert.State(str(a["status"])), Labels: labels(a["labels"]), Annotations: labels(a["annotations"]),
			Generator: str(a["generatorURL"]), StartsAt: d.instant("", str(a["startsAt"])),
		}}
		if ends := str(a["endsAt"]); s.State == alert.Resolved && ends != "" && ends != never {
			s.EndsAt = d.instant("", ends)
		}
		s.Fingerprint = d.fingerprint(str(a["fingerprint"]), s.Labels)
		s.Name = alertName(s.Labels, s.Fingerprint)
		s.bound()
		m.alerts = append(m.alerts, s)
	}
	about := alert.Alert{Name: alertName(m.common, m.alerts[0].Name), Annotations: labels(top["commonAnnotations"])}
	m.title = clip(about.Summary(), maxTitle)
	return m
}

// The fingerprints are those that github.com/prometheus/common/model gives these label sets.
func TestFingerprintIsAlertmanagersOwn(t *testing.T) {
	for _, tc := range []struct {
		give alert.Labels
		want string
	}{
		{alert.Labels{{Name: "alertname", Value: "Watchdog"}}, "003b0a0f7d3fa569"},
		{alert.Labels{{Name: "a"}, {Name: "alertname", Value: "Watchdog"}, {Name: "b", Value: "값"}}, "22d2c2a2aa2c90ca"},
	} {
		d := decoder{}
		if got := d.fingerprint("", tc.give); got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.give, got, tc.want)
		}
	}
}

// A size that is too small would make batches too large, one that is far too large would make many of them.
func TestSizeIsThatOfTheJSON(t *testing.T) {
	texts := []string{"", "plain", "결제", "<&>", `"\`, "\u2028\u2029", "\x00\x1f\n\t", "\x7f", "é…", "bad\xffutf8"}
	for i := range 200 {
		var a sized
		a.Fingerprint, a.Name, a.Generator = texts[i%len(texts)], texts[i/2%len(texts)], texts[i/3%len(texts)]
		a.StartsAt, a.EndsAt = time.Unix(int64(i), 123456789).UTC(), time.Unix(int64(i), 1).UTC()
		a.State = alert.Resolved
		for j := range i % 30 {
			a.Labels = append(a.Labels, alert.Label{Name: strconv.Itoa(j), Value: texts[(i+j)%len(texts)]})
		}
		a.bound()
		b, err := json.Marshal(alert.Received{Alert: a.Alert, Times: 1_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if len(b)+1 > a.bytes || a.bytes > len(b)*2+100 {
			t.Errorf("got %d for %d bytes: %s", a.bytes, len(b), b)
		}
	}
}

func TestClipDoesNotCutCharacters(t *testing.T) {
	for _, tc := range []struct {
		give string
		n    int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdefg", 6, "abc…"}, {"결제실패", 12, "결제실패"}, {"결제실패", 11, "결제…"}, {"\x80\x80\x80\x80\x80\x80\x80", 6, "…"},
	} {
		if got := clip(tc.give, tc.n); got != tc.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tc.give, tc.n, got, tc.want)
		}
	}
}
