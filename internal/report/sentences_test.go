package report_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/timeline"
)

// listed reads the kinds of entries with the facts that their comments list.
func listed(t *testing.T) map[timeline.Kind][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../timeline/kinds.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	// Comments that do not begin with facts.
	otherwise := map[string][]string{
		"AlertRepeated": nil, "QuietBroken": nil, "CancelRefused": nil, "ReviewOverdue": nil, "Escalated": {"reason"},
		"RequestCounted": nil, "RequestReturned": nil, "RequestAccepted": nil, "RequestWaiting": nil,
	}
	found := map[timeline.Kind][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		kind, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		names, odd := otherwise[v.Names[0].Name]
		if !odd {
			before, _, _ := strings.Cut(v.Comment.Text(), ":")
			names = strings.Fields(before)
		}
		found[timeline.Kind(kind)] = names
		return true
	})
	return found
}

// value is what a fact of that name may hold.
func value(name string) string {
	switch name {
	case "due", "expires", "since", "resolves_at", "received":
		return "2031-02-03T04:05:06Z"
	case "within", "paused_for":
		return "3h17m0s"
	case "targets":
		return "person:zoe"
	case "count", "step", "round", "attempts":
		return "83"
	}
	return "Zz" + name
}

// Every kind has a sentence in every language, and every fact that kinds.go lists for it can be seen in it.
func TestEverySentenceSaysEveryFact(t *testing.T) {
	unsaid := map[string]string{
		"delivery": "the idempotency key: what, to and method say the same to people",
		"sha256":   "one for each path: who checks the files reads them from the record",
	}
	all, kinds := texts(t), listed(t)
	for _, k := range timeline.Kinds() {
		names, ok := kinds[k]
		if !ok {
			t.Errorf("%s: not found in kinds.go", k)
		}
		for _, language := range all.Languages() {
			say := func(without string) string {
				e := timeline.Entry{At: start(), Kind: k, Actor: timeline.Muster()}
				for _, n := range names {
					if n != without {
						e.Facts = append(e.Facts, timeline.F(n, value(n)))
					}
				}
				return all.Entry(e, language, "UTC")
			}
			whole := say("")
			if strings.Contains(whole, string(k)+" ") || strings.HasSuffix(whole, string(k)) {
				t.Errorf("%s in %s: no sentence", k, language)
			}
			for _, n := range names {
				if unsaid[n] == "" && say(n) == whole {
					t.Errorf("%s in %s: %s is not said in %q", k, language, n, whole)
				}
			}
			if strings.Contains(whole, "no value") || strings.Contains(whole, "  ") && strings.Count(whole, "  ") > 1 {
				t.Errorf("%s in %s: %q", k, language, whole)
			}
		}
	}
}

// Whoever acted is named, whether the sentence thought of it or not; so is how often it happened.
func TestEveryEntryNamesItsActor(t *testing.T) {
	all := texts(t)
	for _, k := range timeline.Kinds() {
		for language, want := range map[string][]string{
			"en": {"Ann", "×4", "05:09:09 UTC"}, "ko": {"Ann 님", "4회", "05:09:09 UTC"},
		} {
			e := timeline.Entry{At: start(), Kind: k, Actor: person("ann", "Ann"), Times: 4, Last: after(4 * 60e9)}
			got := all.Entry(e, language, "UTC")
			if slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(got, w) }) {
				t.Errorf("%s in %s: got %q, want it to contain %q", k, language, got, want)
			}
		}
	}
}
