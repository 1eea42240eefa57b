package condition_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/condition"
)

func value(t *testing.T, text string) condition.Value {
	t.Helper()
	v, err := condition.CompileValue(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// What is read of JSON is text: what is not there, or has no answer, is the empty one.
func TestWhatAValueReads(t *testing.T) {
	body := map[string]any{
		"id": int64(9007199254740993), "rate": 0.25, "big": 1.5e21, "up": true, "none": nil, "name": "결제", "list": []any{"a", int64(1), nil, "b"},
		"deep": map[string]any{"er": map[string]any{"x": "y"}},
	}
	for _, tc := range []struct{ give, want string }{
		{"alert.id", "9007199254740993"},
		{"alert.rate", "0.25"},
		{"alert.big", "1500000000000000000000"},
		{"alert.up", "true"},
		{"alert.none", ""},
		{"alert.name", "결제"},
		{"alert.list", "a, 1, b"},
		{"alert.deep", ""},
		{"body.deep.er.x", "y"},
		{"alert.gone", ""},
		{"alert.gone.deeper", ""},
		{"alert.name.gone", ""},
		{`alert.name + "/" + string(alert.id)`, "결제/9007199254740993"},
		{`alert.name + alert.gone`, ""},
		{`alert.name + alert.id`, ""},
		{`has(alert.gone) ? alert.gone : "otherwise"`, "otherwise"},
		{`alert.list[0]`, "a"},
		{`alert.list[9]`, ""},
		{`alert.id > 1 && alert.rate < 0.5 ? "yes" : "no"`, "yes"},
		{`alert.name in ["결제", "x"]`, "true"},
		{`alert.name.matches("^결")`, "true"},
		{`string(size(alert.list))`, "4"},
	} {
		m := condition.Mapping{Fingerprint: value(t, tc.give)}
		got, err := m.Read(body, 1)
		if err != nil || got[0].Fingerprint != tc.want {
			t.Errorf("%s: got %q, %v; want %q", tc.give, got[0].Fingerprint, err, tc.want)
		}
	}
}

func TestLabelsAsToolsWriteThem(t *testing.T) {
	for _, tc := range []struct {
		name string
		give any
		want alert.Labels
	}{
		{"a text", "host:web-1, eu ,url:http://x", alert.Labels{{Name: "host", Value: "web-1"}, {Name: "eu", Value: "true"}, {Name: "url", Value: "http://x"}}},
		{"an object", map[string]any{"b": int64(1), "a": "x"}, alert.Labels{{Name: "a", Value: "x"}, {Name: "b", Value: "1"}}},
		{"texts", []any{"host:web-1", "a,b"}, alert.Labels{{Name: "host", Value: "web-1"}, {Name: "a,b", Value: "true"}}},
		{"pairs", []any{[]any{"a", "b"}, []any{"c"}}, alert.Labels{{Name: "a", Value: "b"}}},
		{
			"objects",
			[]any{map[string]any{"tag": "a", "value": "1"}, map[string]any{"key": "b", "value": true}, map[string]any{"name": "c"}},
			alert.Labels{{Name: "a", Value: "1"}, {Name: "b", Value: "true"}, {Name: "c"}},
		},
		{"a number", int64(1), nil},
		{"nothing", nil, nil},
	} {
		m := condition.Mapping{Tags: []condition.Value{value(t, "alert.tags")}}
		got, err := m.Read(map[string]any{"tags": tc.give}, 1)
		if d := cmp.Diff(append(alert.Labels{{Name: "alertname"}}, tc.want...), got[0].Labels); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", tc.name, err, d)
		}
	}
	many := make([]any, 1_000)
	for n := range many {
		many[n] = "a:b"
	}
	m := condition.Mapping{Tags: []condition.Value{value(t, "alert.tags")}}
	if got, _ := m.Read(map[string]any{"tags": many}, 1); len(got[0].Labels) != 101 {
		t.Errorf("got %d labels of a thousand tags", len(got[0].Labels))
	}
}

func TestAlertsOfAList(t *testing.T) {
	one := func(kind, id string) any { return map[string]any{"kind": kind, "id": id} }
	body := map[string]any{"site": "s", "items": []any{one("alert", "1"), one("news", "2"), one("alert", "3")}}
	m := condition.Mapping{
		Alerts: value(t, "body.items"), When: value(t, `alert.kind == "alert"`), Fingerprint: value(t, `body.site + "/" + alert.id`),
		Labels: []condition.Named{{Name: "empty", Value: value(t, "alert.gone")}, {Name: "id", Value: value(t, "alert.id")}},
	}
	got, err := m.Read(body, 2)
	want := []alert.Found{
		{Fingerprint: "s/1", Labels: alert.Labels{{Name: "alertname"}, {Name: "id", Value: "1"}}, Annotations: alert.Labels{}},
		{Fingerprint: "s/3", Labels: alert.Labels{{Name: "alertname"}, {Name: "id", Value: "3"}}, Annotations: alert.Labels{}},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	if _, err := m.Read(body, 1); !errors.Is(err, alert.ErrTooMany) {
		t.Errorf("got %v of a list that is too long", err)
	}
	if _, err := m.Read(map[string]any{}, 1); err == nil || err.Error() != "want a list of alerts" {
		t.Errorf("got %v of no list", err)
	}
}

func TestWhatIsNoValue(t *testing.T) {
	for _, tc := range []struct{ give, want string }{
		{" ", "nothing; want an expression, such as alert.id"},
		{strings.Repeat("a", 1_001), "1001 characters; want at most 1000"},
		{"labels.x", "line 1, column 1: labels is unknown; a mapping knows body, which is the whole JSON, and alert"},
		{"alert.list.exists(x, x == 1)", "exists is unknown"},
		{"alert.x.matches(alert.y)", "matches() wants its pattern written out"},
		{`alert.x.matches("(")`, "error parsing regexp"},
		{"alert.", "is not expected here"},
	} {
		if _, err := condition.CompileValue(tc.give); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.give, err, tc.want)
		}
	}
}
