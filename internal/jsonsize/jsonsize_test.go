package jsonsize_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/jsonsize"
)

func TestOfIsNeverTooSmall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		raw, err := json.Marshal(s)
		if err != nil {
			rt.Fatal(err)
		}
		// U+2028 and U+2029 take three bytes more than they have.
		lines := 0
		for _, r := range s {
			if r == '\u2028' || r == '\u2029' {
				lines++
			}
		}
		if got := jsonsize.Of(s) + 3*lines; got < len(raw)-2 {
			rt.Fatalf("Of(%q) = %d, JSON takes %d", s, got, len(raw)-2)
		}
	})
}
