// Package console writes deliveries where somebody at this machine sees them: on a terminal, or in a file of a folder. It
// reaches nobody further away.
package console

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Sender writes each delivery as readable lines to W, in one piece.
type Sender struct {
	W io.Writer

	mu sync.Mutex
}

// Send writes one attempt: a line with who and why, then the text, every line of it marked, and the names of attachments.
// Foreign text can neither begin a line of its own nor reach the terminal as a control sequence.
func (s *Sender) Send(_ context.Context, e delivery.Envelope) error {
	if s.W == nil {
		return &delivery.Refusal{Detail: "console: no output is configured"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.W, lines(e)); err != nil {
		return &delivery.Unavailable{Detail: "console: " + err.Error()}
	}
	return nil
}

func lines(e delivery.Envelope) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s to %s (%s): %s", e.At.UTC().Format(time.RFC3339), outbound.Printable(string(e.Message.Kind)),
		outbound.Printable(e.Recipient.Name), outbound.Printable(e.Recipient.ID), outbound.Printable(e.Message.Subject))
	if e.Repeated {
		b.WriteString(" (possibly repeated)")
	}
	for line := range strings.Lines(strings.TrimSpace(e.Message.Text)) {
		b.WriteString(strings.TrimRight("\n  | "+outbound.Printable(line), " "))
	}
	for _, a := range e.Attached {
		fmt.Fprintf(&b, "\n  + %s: %s (%s)", attached(e.Message.Language), outbound.Printable(a.Name), size(len(a.Content)))
	}
	b.WriteByte('\n')
	return b.String()
}

func attached(language string) string {
	if language == "ko" {
		return "첨부"
	}
	return "attached"
}

// size says how large a document is as people say it, rounded up.
func size(bytes int) string {
	if bytes < 1_000_000 {
		return fmt.Sprintf("%d kB", (bytes+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", math.Ceil(float64(bytes)/100_000)/10)
}
