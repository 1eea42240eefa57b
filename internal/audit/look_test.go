package audit_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/timeline"
)

// What somebody tried who may not, and what was left out, is found in its time alone.
func TestExceptions(t *testing.T) {
	v := newVault(t, recorded(t, "incident-happy", "review-published", "upgrade-happy"))
	if _, err := v.pass(began.Add(4 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	r, err := audit.OpenArchive(t.Context(), v.files, v.Keys)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Exceptions(t.Context(), audit.Filter{})
	if err != nil || !slices.ContainsFunc(all, func(x audit.Exception) bool { return x.Kind == timeline.ReviewRefused && x.Workflow == "Review" }) {
		t.Fatalf("got %+v, %v, want what the review has refused", all, err)
	}
	if !slices.IsSortedFunc(all, func(a, b audit.Exception) int { return a.At.Compare(b.At) }) {
		t.Error("they are not in their order")
	}
	first, last := all[0].At, all[len(all)-1].At
	if some, err := r.Exceptions(t.Context(), audit.Filter{From: first.Add(1), Until: last.Add(1)}); err != nil || len(some) >= len(all) {
		t.Errorf("after the first: %d of %d, %v", len(some), len(all), err)
	}
	if none, err := r.Exceptions(t.Context(), audit.Filter{Person: "nobody"}); err != nil || len(none) > 0 {
		t.Errorf("of nobody: %+v, %v", none, err)
	}
}

func TestFindPersonal(t *testing.T) {
	payload := func(text string) string {
		return fmt.Sprintf(`[{"events":[{"input":{"data":%q,"metadata":{"encoding":"anNvbi9wbGFpbg=="}}}]}]`, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	for text, want := range map[string]string{
		"write to minsu.kim@mirnet.example now":         "e-mail min**********ple",
		"call 010-1234-5678":                            "phone 010*******678",
		"call 01012345678, at once":                     "phone 010*****678",
		"office 02-555-0100 or mail":                    "phone 02-*****100",
		"from abroad +82 10 1234 5678.":                 "phone +82**********678",
		"Authorization: Bearer abcdefghijklmnop1234":    "token Bea**********234",
		"muster_abcdefghijklmnopqrstuvwxyz":             "token mus**********xyz",
		"-----BEGIN PRIVATE KEY-----":                   "token ---**********---",
		"2026-11-26T09:00:00.123456789+09:00":           "",
		"c09baf9f5aef1e3619b7807a3bd5eea2a17b57ad26459": "",
		"INC-7K3M9QX2PA of 2026-11-26, 99.99 %":         "",
		"ddac448a-debd-49f2-aa1a-195ef14ac15e":          "",
		"park approves release v1.2.3 @ 10:30":          "",
		"approved by 박지훈 at once":                       "name 박지훈",
	} {
		packed := &bundle.Bundle{Parts: map[string][]byte{"reports/incident-report-1.ko.pdf": []byte(text)}}
		if got := audit.FindPersonal(packed, nil); got != nil {
			t.Errorf("%q in a PDF: got %+v", text, got)
		}
		for part, content := range map[string]string{bundle.StatePart: text, bundle.HistoriesPart: payload(text)} {
			got := audit.FindPersonal(&bundle.Bundle{Parts: map[string][]byte{part: []byte(content)}}, []string{"박지훈"})
			var said string
			for _, f := range got {
				said = strings.TrimSpace(fmt.Sprintf("%s %s", f.Kind, f.Shown))
				if f.Part != part || f.Times != 1 {
					t.Errorf("%q in %s: got %+v", text, part, f)
				}
			}
			if said != want || len(got) > 1 {
				t.Errorf("%q in %s: got %+v, want %q", text, part, got, want)
			}
		}
	}
}

// However two timelines differ, each of their entries stands in one step, in its order, and what both begin or end with is alike.
func TestCompareKeepsBothTimelines(t *testing.T) {
	kinds := []timeline.Kind{timeline.Noted, timeline.Acknowledged, timeline.StatusChanged}
	entries := rapid.Custom(func(t *rapid.T) (all []timeline.Entry) {
		at := began
		for n := range rapid.IntRange(0, 30).Draw(t, "length") {
			at = at.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second)
			all = append(all, timeline.Entry{Seq: n + 1, At: at, Kind: rapid.SampledFrom(kinds).Draw(t, "kind")})
		}
		return all
	})
	rapid.Check(t, func(t *rapid.T) {
		left, right := entries.Draw(t, "left"), entries.Draw(t, "right")
		var gotLeft, gotRight []timeline.Entry
		both := 0
		for _, s := range audit.Compare(left, right) {
			if s.Left != nil {
				gotLeft = append(gotLeft, *s.Left)
			}
			if s.Right != nil {
				gotRight = append(gotRight, *s.Right)
			}
			if s.Left != nil && s.Right != nil {
				if both++; s.Left.Kind != s.Right.Kind {
					t.Fatalf("%s and %s are not alike", s.Left.Kind, s.Right.Kind)
				}
			}
		}
		same := func(a, b []timeline.Entry) bool {
			return slices.EqualFunc(a, b, func(x, y timeline.Entry) bool { return x.Seq == y.Seq })
		}
		if !same(gotLeft, left) || !same(gotRight, right) {
			t.Fatal("an entry is lost, or out of its order")
		}
		if longest := longestCommon(left, right, map[[2]int]int{}); both != longest {
			t.Fatalf("%d entries are alike, and %d could be", both, longest)
		}
	})
}

// longestCommon is the length of what both have, found by trying.
func longestCommon(a, b []timeline.Entry, known map[[2]int]int) int {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	at := [2]int{len(a), len(b)}
	if n, ok := known[at]; ok {
		return n
	}
	n := max(longestCommon(a[1:], b, known), longestCommon(a, b[1:], known))
	if a[0].Kind == b[0].Kind {
		n = max(n, 1+longestCommon(a[1:], b[1:], known))
	}
	known[at] = n
	return n
}
