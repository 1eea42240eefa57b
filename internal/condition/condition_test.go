package condition_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/condition"
)

func compile(t testing.TB, text string) condition.Condition {
	t.Helper()
	c, err := condition.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func TestConditions(t *testing.T) {
	full := alert.FromMap(map[string]string{
		"alertname": "DiskFull", "severity": "critical", "host": "web-12", "code": "503", "empty": "", "a.b": "dotted",
	})
	for _, tc := range []struct {
		text string
		want bool
	}{
		{`true`, true},
		{`labels.severity == "critical" || name.startsWith("Disk")`, true},
		{`labels.severity == "critical" && name == "DiskEmpty"`, false},
		{`name == labels.alertname`, true},
		{`name in ["DiskFull", "NodeDown"]`, true},
		{`source == "prometheus"`, true},
		{`!(source == "prometheus")`, false},
		{`labels["a.b"] == "dotted"`, true},
		{`labels.host.matches("^web-[0-9]+$") && labels.host.contains("-") && labels.host.endsWith("12")`, true},
		{`size(labels.host) == 6 && labels.host.size() == 6`, true},
		{`int(labels.code) >= 500`, true},
		{`double(labels.code) < 503.5`, true},
		{`labels.severity == "critical" ? name == "DiskFull" : false`, true},
		// What is missing reads as the empty text, and what is empty counts as missing.
		{`labels.nowhere == ""`, true},
		{`labels["nowhere"] == labels.empty`, true},
		{`labels.nowhere != "x"`, true},
		{`labels.nowhere.startsWith("x")`, false},
		{`has(labels.severity)`, true},
		{`has(labels.nowhere) || has(labels.empty)`, false},
		{`"severity" in labels && !("empty" in labels)`, true},
		{`size(labels) == 5`, true},
		// What cannot be answered is no, and so is its opposite. Where the other side decides, it does.
		{`int(labels.severity) > 1`, false},
		{`!(int(labels.severity) > 1)`, false},
		{`int(labels.severity) > 1 || name == "DiskFull"`, true},
		{`int(labels.nowhere) > 1`, false},
		{`["a"][1] == "a"`, false},
	} {
		if got := compile(t, tc.text).Holds("prometheus", full); got != tc.want {
			t.Errorf("%s: got %t, want %t", tc.text, got, tc.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{" \n", `nothing; want a condition, such as labels.severity == "critical"`},
		{"\xff", `not UTF-8 text`},
		{strings.Repeat("가", 1001), `1001 characters; want at most 1000`},
		{`labels.severity`, `a condition is true or false; this is of type string`},
		{`labels.code > 500`, `line 1, column 13: > does not go with (string, int)`},
		{`labels.severity = "critical"`, `line 1, column 17: "=" begins nothing that a condition knows; put text in quotes`},
		{`labels.severity == "critical" &&`, `line 1, column 33: it ends too early`},
		{"source == 'a' &&\n  (name == 'b'", `line 2, column 15: want ) before "<EOF>"`},
		{"source == 'a' &&\n  nam == 'b'", `line 2, column 3: nam is unknown; did you mean name?`},
		{`severity == "critical"`, `line 1, column 1: severity is unknown; a condition knows labels, source and name, has(labels.x), size, int and double, and of a text contains, startsWith, endsWith and matches`},
		{`name == "a" name == "b"`, `line 1, column 13: "name" is not expected here`},
		{`has(name)`, `line 1, column 5: has() asks for a label, such as has(labels.severity)`},
		{`name.matches("[")`, "line 1, column 14: error parsing regexp: missing closing ]: `[`"},
		{`name.matches(labels.pattern)`, `line 1, column 20: matches() wants its pattern written out, such as matches("^web-[0-9]+$")`},
		// Nothing that loops, reads a clock or makes more of a text than there is.
		{`labels.exists(l, l == "x")`, `line 1, column 14: exists is unknown; a condition knows labels, source and name, has(labels.x), size, int and double, and of a text contains, startsWith, endsWith and matches`},
		{`timestamp(labels.at) < timestamp("2026-01-01T00:00:00Z")`, `line 1, column 10: timestamp is unknown; a condition knows labels, source and name, has(labels.x), size, int and double, and of a text contains, startsWith, endsWith and matches`},
		{`now() == ""`, `line 1, column 4: now is unknown; a condition knows labels, source and name, has(labels.x), size, int and double, and of a text contains, startsWith, endsWith and matches`},
		{`name + name == ""`, `line 1, column 6: + is unknown; a condition knows labels, source and name, has(labels.x), size, int and double, and of a text contains, startsWith, endsWith and matches`},
		{`name.matches("` + strings.Repeat("(a|b)*", 120) + `")`, `it could cost 73747 on one alert; want at most 20000: fewer or shorter patterns`},
		{strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100), `parts of it stand too deep in one another`},
	} {
		_, err := condition.Compile(tc.text)
		f, ok := errors.AsType[*condition.Fault](err)
		if !ok || f.Error() != tc.want {
			t.Errorf("%.60s:\n got %v\nwant %s", tc.text, err, tc.want)
		}
	}
}

func TestNamesThatAConditionPins(t *testing.T) {
	for _, tc := range []struct {
		text   string
		names  []string
		pinned bool
	}{
		{`name == "A"`, []string{"A"}, true},
		{`"A" == labels.alertname`, []string{"A"}, true},
		{`labels["alertname"] in ["B", "A", "B"]`, []string{"A", "B"}, true},
		{`name == "A" || (name == "B" && labels.x == "y")`, []string{"A", "B"}, true},
		{`name in ["A", "B"] && name in ["B", "C"] && has(labels.x)`, []string{"B"}, true},
		{`name == "A" || labels.x == "y"`, nil, false},
		{`name.startsWith("A")`, nil, false},
		{`name != "A"`, nil, false},
		{`!(name == "A")`, nil, false},
		{`name == labels.x`, nil, false},
		{`name in ["A", labels.x]`, nil, false},
		{`labels.x == "A"`, nil, false},
		{`true ? name == "A" : true`, nil, false},
	} {
		names, pinned := compile(t, tc.text).Names()
		if diff := cmp.Diff(tc.names, names); diff != "" || pinned != tc.pinned {
			t.Errorf("%s: pinned %t %s", tc.text, pinned, diff)
		}
	}
}

// Of no alert with a name beside those that it pins does a condition hold.
func TestAPinnedConditionHoldsOfNoOtherName(t *testing.T) {
	known := []string{"A", "B", "C"}
	var expression func(depth int) *rapid.Generator[string]
	expression = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			name := rapid.SampledFrom(known).Draw(t, "name")
			if depth == 0 {
				return rapid.SampledFrom([]string{
					`name == "` + name + `"`, `labels.alertname in ["` + name + `", "A"]`, `name != "` + name + `"`, `has(labels.x)`, `name.startsWith("` + name + `")`,
				}).Draw(t, "leaf")
			}
			a, b := expression(depth-1).Draw(t, "a"), expression(depth-1).Draw(t, "b")
			return rapid.SampledFrom([]string{"(" + a + " && " + b + ")", "(" + a + " || " + b + ")", "!(" + a + ")", a}).Draw(t, "node")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		c, err := condition.Compile(expression(rapid.IntRange(0, 3).Draw(t, "depth")).Draw(t, "expression"))
		if err != nil {
			t.Fatal(err)
		}
		names, pinned := c.Names()
		for _, name := range append(known, "D") {
			for _, x := range []string{"", "1"} {
				holds := c.Holds("s", alert.FromMap(map[string]string{"alertname": name, "x": x}))
				if holds && pinned && !slices.Contains(names, name) {
					t.Fatalf("%s holds of %s, and pins %v", c, name, names)
				}
			}
		}
	})
}

// A value is seen as far as the intake keeps it, and never in the middle of a character.
func TestLongValuesAreSeenInPart(t *testing.T) {
	long := strings.Repeat("가", condition.MaxValue)
	labels := alert.FromMap(map[string]string{"alertname": long, "x": long})
	for _, text := range []string{`labels.x.endsWith("가")`, `name.endsWith("가")`, `size(labels.x) == 1365`} {
		if !compile(t, text).Holds("s", labels) {
			t.Errorf("%s does not hold", text)
		}
	}
}

func TestTheZeroConditionHolds(t *testing.T) {
	var c condition.Condition
	if !c.IsZero() || !c.Holds("s", nil) || c.String() != "" {
		t.Error("nothing was asked, and the answer is no")
	}
	if _, pinned := c.Names(); pinned {
		t.Error("nothing was asked, and names are pinned")
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	c := compile(t, `labels.severity == "critical" && name.matches("^Disk")`)
	var all sync.WaitGroup
	for n := range 8 {
		severity := []string{"critical", "info"}[n%2]
		all.Go(func() {
			labels := alert.FromMap(map[string]string{"alertname": "DiskFull", "severity": severity})
			for range 1000 {
				if c.Holds("s", labels) != (severity == "critical") {
					t.Errorf("%s got the other's answer", severity)
				}
			}
		})
	}
	all.Wait()
}

// Any text is a condition that can be asked, or a fault with a place in it.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		`labels.severity == "critical" || name.startsWith("Disk")`, `has(labels.x)`, `has(labels)`, `name in ["A", "B"]`, `labels["a"]`,
		`name.matches("^(a|b)+$")`, `int(labels.code) > 1 ? true : false`, `"\u0000"`, `b"x" == b"y"`, `{"a": "b"} == labels`, `[1, "a"][0]`,
		`source.foo()`, `labels.a.b`, `a.b.c{d: 1}`, "\n\n  x", "((((", "1u", "-1 < 2", "r'x'", `type(1) == int`, `x ?? y`, "`a.b`", `labels.?x`, `null`,
	} {
		f.Add(text)
	}
	labels := alert.FromMap(map[string]string{"alertname": "A", "severity": "critical"})
	f.Fuzz(func(t *testing.T, text string) {
		c, err := condition.Compile(text)
		if err != nil {
			fault, ok := errors.AsType[*condition.Fault](err)
			if !ok || fault.Text == "" || !utf8.ValidString(fault.Text) || strings.ContainsAny(fault.Text, "\n\r") || utf8.RuneCountInString(fault.Text) > 400 {
				t.Fatalf("%q: %q", text, err)
			}
			if lines := strings.Count(text, "\n") + 1; fault.Line < 0 || fault.Line > lines || fault.Column < 0 || fault.Column > utf8.RuneCountInString(text)+1 {
				t.Errorf("%q: a fault in line %d, column %d", text, fault.Line, fault.Column)
			}
			return
		}
		if c.Holds("s", labels) != c.Holds("s", slices.Clone(labels)) {
			t.Errorf("%q: two answers", text)
		}
		c.Holds("", nil)
	})
}

func BenchmarkHolds(b *testing.B) {
	labels := alert.FromMap(map[string]string{
		"alertname": "NodeDown", "severity": "warning", "host": "web-1", "service": "shop", "cluster": "c", "job": "j", "env": "prod",
	})
	for _, text := range []string{
		`labels.severity == "critical"`, `labels.severity == "critical" || name.startsWith("Disk")`, `name in ["A", "B", "C"]`, `name.matches("^(Disk|Mem).*")`,
	} {
		c := compile(b, text)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Holds("prometheus", labels)
			}
		})
	}
}
