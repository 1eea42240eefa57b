package cli

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"muster/internal/audit"
	"muster/internal/report"
	"muster/templates"
)

// Every language that has texts has labels, and all of them.
func TestLabels(t *testing.T) {
	texts, err := report.New(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(languages(), texts.Languages()) {
		t.Errorf("got %v, want %v", languages(), texts.Languages())
	}
	for _, l := range languages() {
		for _, v := range []reflect.Value{reflect.ValueOf(labelsIn(l)), reflect.ValueOf(sheetLabelsIn(l)), reflect.ValueOf(planLabelsIn(l)), reflect.ValueOf(proofWordsIn(l))} {
			for n := range v.NumField() {
				if v.Field(n).String() == "" {
					t.Errorf("%s: %s: no label", l, v.Type().Field(n).Name)
				}
			}
		}
	}
}

// What archives hold is called as everywhere else, in the language of whoever reads.
func TestWhatHasBecomeOfARunIsSaidAsElsewhere(t *testing.T) {
	texts, err := report.New(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ workflow, outcome, en, ko string }{
		{"Incident", "closed", "Incident closed", "인시던트 종료"},
		{"GoLive", "rolling-back", "GoLive rolling-back", "오픈 롤백 중"},
		{"Upgrade", "cancelled", "Upgrade cancelled", "업그레이드 취소"},
		{"EnvironmentLock", "canceled", "EnvironmentLock canceled", "변경 권한 취소"},
		{"Handover", "lapsed", "Handover lapsed", "인수인계 만료"},
		{"Request", "waiting-for-approval", "Request waiting-for-approval", "요청 승인 대기"},
		{"Tomorrow", "odd", "Tomorrow odd", "Tomorrow odd"},
	} {
		for language, want := range map[string]string{"en": tc.en, "ko": tc.ko} {
			p := page{app: &app{view: view{texts: texts}}, language: language}
			if got := p.workflowKind(tc.workflow) + " " + p.outcome(tc.workflow, tc.outcome); got != want {
				t.Errorf("%s: got %q, want %q", language, got, want)
			}
		}
	}
}

func TestReplayWritesTheLengthsOfTimersForPeople(t *testing.T) {
	texts, err := report.New(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		kind           audit.Kind
		recorded, want string
	}{
		{audit.TimerLength, "1m17s", "1분 17초"},
		{audit.TimerLength, "2h0m0s", "2시간"},
		{audit.TimerLength, "2h0m1s", "2h0m1s"},
		{audit.TimerLength, "1.5s", "1.5s"},
		{audit.TimerLength, "", "없음"},
		{audit.Attributes, "1m17s", "1m17s"},
	} {
		words := replayWordsIn("ko")
		words.duration = func(d time.Duration) string { return texts.Duration(d, "ko") }
		if got := words.value(tc.kind, tc.recorded); got != tc.want {
			t.Errorf("%s %q: got %q, want %q", tc.kind, tc.recorded, got, tc.want)
		}
	}
}

func TestWordsFollowTheNumberBeforeThem(t *testing.T) {
	for _, tc := range []struct {
		format string
		args   []any
		want   string
	}{
		{"%d census(|es) of %d run(|s)", []any{1, 2}, "1 census of 2 runs"},
		{"%d census(|es) of %d run(|s)", []any{0, 1}, "0 censuses of 1 run"},
		{"%s: %d entr(y|ies) (is|are) gone (%s)", []any{"a(|s)", 1, "(x|y)"}, "a(|s): 1 entry is gone ((x|y))"},
		{"실행 %d회(%s)", []any{1, "a"}, "실행 1회(a)"},
	} {
		if got := numbered(tc.format, tc.args...); got != tc.want {
			t.Errorf("%q with %v: got %q, want %q", tc.format, tc.args, got, tc.want)
		}
	}
}

// Every kind of workflow that leaves bundles has a Korean word.
func TestKindsOfBundlesInKorean(t *testing.T) {
	for _, kind := range audit.Kinds() {
		if archiveWordsIn("ko").kinds[kind] == "" {
			t.Errorf("%s: no word", kind)
		}
	}
}

// What a run has not taken proves nothing and harms nothing; what it has taken must be proven.
func TestWhoHasActed(t *testing.T) {
	x := actedBy("a.tar", []audit.Verdict{
		{Message: "Open"}, {Message: "Note", Err: audit.ErrUnsigned}, {Message: "Close", Err: audit.ErrNoKey, Refused: true},
	})
	if x.Taken != 2 || x.Proven != 1 || len(x.Messages) != 3 || x.Messages[0].Fault != "" || x.Messages[1].Fault == "" || x.Messages[2].Taken {
		t.Errorf("got %+v", x)
	}
}
