package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// lasting reads a length of time: Go's, or days of 24 hours.
func lasting(given string) (time.Duration, error) {
	days, ok := strings.CutSuffix(given, "d")
	if !ok {
		return time.ParseDuration(given)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * 24 * time.Hour, err
}

// lengthVar is a flag of a command for a length of time, which may be days.
func lengthVar(cmd *cobra.Command, into *time.Duration, name string, usual time.Duration, usage string) {
	*into = usual
	cmd.Flags().Var((*length)(into), name, usage)
}

// A length is a length of time as the value of a flag.
type length time.Duration

// Set reads one.
func (l *length) Set(given string) error {
	d, err := lasting(given)
	if err != nil {
		return errors.New("want a time such as 90m, 12h or 2d")
	}
	*l = length(d)
	return nil
}

// String is empty for none, so that help shows no default.
func (l *length) String() string {
	if *l == 0 {
		return ""
	}
	return time.Duration(*l).String()
}

// Type is what help calls it where the usage does not.
func (*length) Type() string { return "duration" }
