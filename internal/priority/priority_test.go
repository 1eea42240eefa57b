package priority_test

import (
	"strings"
	"testing"

	"muster/internal/priority"
)

func TestOfIsTheSourcesMatrix(t *testing.T) {
	for _, tc := range []struct {
		impact, urgency priority.Level
		want            priority.Priority
	}{
		{priority.High, priority.High, priority.P1},
		{priority.High, priority.Medium, priority.P2},
		{priority.High, priority.Low, priority.P3},
		{priority.Medium, priority.High, priority.P2},
		{priority.Medium, priority.Medium, priority.P3},
		{priority.Medium, priority.Low, priority.P4},
		{priority.Low, priority.High, priority.P3},
		{priority.Low, priority.Medium, priority.P4},
		{priority.Low, priority.Low, priority.P5},
	} {
		got, err := priority.Of(tc.impact, tc.urgency)
		if err != nil || got != tc.want {
			t.Errorf("Of(%s, %s) = %v, %v; want %v", tc.impact, tc.urgency, got, err, tc.want)
		}
	}
}

func TestOfNamesTheAxisThatIsWrong(t *testing.T) {
	_, err := priority.Of(priority.High, "severe")
	if err == nil || !strings.Contains(err.Error(), `urgency: level "severe": want high, medium or low`) {
		t.Errorf("got %v", err)
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	for _, p := range priority.All() {
		if got, err := priority.Parse(p.String()); err != nil || got != p {
			t.Errorf("Parse(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := priority.Parse("p1"); err == nil {
		t.Error(`Parse("p1") is accepted`)
	}
}

func TestHigher(t *testing.T) {
	const high, medium, low = priority.High, priority.Medium, priority.Low
	for _, tc := range []struct{ a, b, want priority.Level }{
		{high, low, high},
		{low, high, high},
		{medium, medium, medium},
		{"", low, low},
		{low, "", low},
		{low, "severe", low},
		{"", "", ""},
	} {
		if got := priority.Higher(tc.a, tc.b); got != tc.want {
			t.Errorf("Higher(%q, %q) = %q, want %q", tc.a, tc.b, got, tc.want)
		}
	}
}
