package org_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
)

// Thirteen mistakes as people make them, each in another part of the shipped example: one run names all thirteen places.
func TestEveryPlantedFaultIsFoundInOneRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range []struct{ file, old, new, says string }{
		{"calendars.yaml", "country: kr", "country: ko", `country "ko": want kr, us, gb, de or jp`},
		{"customers.yaml", "support_plan: standard", "support_plan: standart", `no such support plan; did you mean standard?`},
		{"escalation-policies.yaml", "person:choi, schedule:primary]", "person:choi, schedule:primry]", `no such schedule; did you mean primary?`},
		{"freezes.yaml", "- {from: 12-20, to: 01-05}", "- {from: 20.12., to: 01-05}", `want a month and a day, such as 12-20`},
		{"groups.yaml", "members: [kim, lee, park]", "members: [kim, lee, lee]", `members "lee": named twice`},
		{"organisation.yaml", "zone: Asia/Seoul", "zone: Asia/Soeul", `want an IANA time zone`},
		{"parties.yaml", "verified: 2026-11-20", "verified: 20.11.2026", `want a date, such as 2026-12-31`},
		{"people.yaml", "    roles: [auditor]", "    rôles: [auditor]", `unknown key "rôles"; did you mean roles?`},
		{"routes.yaml", "service: unassigned", "service: unasigned", `no such service; did you mean unassigned?`},
		{"schedules.yaml", "shift: weekly", "shift: biweekly", `want hourly, daily, weekly, monthly`},
		{"services.yaml", "tier: 1", "tier: 0", `want 1 (most important), 2, 3 or 4`},
		{"support-plans.yaml", "respond: 15m", "respond: 15 min", `want a time of more than 0s`},
		{"support-plans/cloudon.yaml", "column: premium", "column: platinum", `no such cloudon column`},
	} {
		path := filepath.Join(dir, p.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, after, found := strings.Cut(string(text), p.old)
		if !found {
			t.Fatalf("%s has no %q", p.file, p.old)
		}
		if err := os.WriteFile(path, []byte(before+p.new+after), 0o600); err != nil {
			t.Fatal(err)
		}
		want = append(want, place(p.file, strings.Count(before, "\n")+1)+" "+p.says)
	}
	_, err := org.Load(dir)
	refusal, ok := errors.AsType[*org.Refusal](err)
	if !ok {
		t.Fatal(err)
	}
	var got []string
	for n, f := range refusal.Faults {
		line := place(f.File, f.Line)
		if n < len(want) && strings.HasPrefix(want[n], line+" ") && strings.Contains(f.Text, strings.TrimPrefix(want[n], line+" ")) {
			line = want[n]
		} else {
			line += " " + f.Text
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func place(file string, line int) string {
	return org.Fault{File: file, Line: line, Column: 1}.String()
}
