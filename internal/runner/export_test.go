package runner

import "muster/internal/runbook"

// Captured is what is kept of a text that comes in pieces.
func Captured(secrets []string, limit int, pieces []int, text string) string {
	var values []runbook.Value
	for _, s := range secrets {
		values = append(values, runbook.Value{Value: s})
	}
	c := newCapture(limit, "", values)
	for _, n := range pieces {
		n = min(n, len(text))
		_, _ = c.Write([]byte(text[:n]))
		text = text[n:]
	}
	_, _ = c.Write([]byte(text))
	c.end()
	return c.output()
}
