package alert_test

import (
	"testing"

	"muster/internal/alert"
)

func TestTrial(t *testing.T) {
	for title, want := range map[string]bool{
		"[TEST] Muster checks this source: please ignore (x)":       true,
		"[TEST] PROBLEM: Muster checks its mail, please ignore (x)": true,
		"[TEST] the shop of the test is slow":                       false,
		"Muster checks this source":                                 false,
		"":                                                          false,
	} {
		if got := alert.Trial(title); got != want {
			t.Errorf("%q: got %t", title, got)
		}
	}
}
