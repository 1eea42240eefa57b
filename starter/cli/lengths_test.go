package cli

import (
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestALengthMayBeDays(t *testing.T) {
	for given, want := range map[string]time.Duration{"90m": 90 * time.Minute, "2d": 48 * time.Hour, "1h30m": 90 * time.Minute, "-5m": -5 * time.Minute, "2": 0, "d": 0, "1.5d": 0, "-1d": 0, "99999999d": 0} {
		var got time.Duration
		cmd := &cobra.Command{}
		lengthVar(cmd, &got, "for", 0, "how long")
		err := cmd.ParseFlags([]string{"--for=" + given})
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %s, %v; want %s", given, got, err, want)
		}
	}
}
