package runner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/runbook"
)

// mask stands where a secret stood.
const mask = "<secret>"

// A capture takes in output of any length: it keeps the beginning, and counts and hashes all of it. Secrets are masked before
// anything else is done with it.
type capture struct {
	limit   int
	want    string   // text that must stand in it
	secrets []string // in every form in which they may stand there, the longest first

	undecided []byte // the end of what has come, which may be the beginning of a secret
	kept      []byte
	tail      []byte // the end of what was masked, as long as the wanted text but for one byte
	sum       hash.Hash
	size      int64
	found     bool
}

func newCapture(limit int, want string, secrets []runbook.Value) *capture {
	c := &capture{limit: limit, want: want, sum: sha256.New()}
	for _, s := range secrets {
		c.secrets = append(c.secrets, runbook.Written(s.Value)...)
		const worth = 8 // a shorter line of a long secret says nothing
		for line := range strings.Lines(s.Value) {
			if line = strings.TrimSpace(line); len(line) >= worth {
				c.secrets = append(c.secrets, line)
			}
		}
	}
	slices.SortFunc(c.secrets, func(a, b string) int { return len(b) - len(a) })
	return c
}

// Write takes in more output.
func (c *capture) Write(p []byte) (int, error) {
	if len(c.secrets) == 0 {
		c.add(p)
		return len(p), nil
	}
	c.undecided = append(c.undecided, p...)
	c.decide(len(c.secrets[0]) - 1)
	return len(p), nil
}

// end takes in that there is no more.
func (c *capture) end() { c.decide(0) }

// decide masks all but the last bytes, of which the rest may be to come.
func (c *capture) decide(last int) {
	from := 0
	for {
		at, length := c.next(c.undecided[from:])
		if at < 0 || from+at >= len(c.undecided)-last { // a longer secret may begin there, too
			break
		}
		c.add(c.undecided[from : from+at])
		c.add([]byte(mask))
		from += at + length
	}
	if clear := len(c.undecided) - last; clear > from {
		c.add(c.undecided[from:clear])
		from = clear
	}
	c.undecided = slices.Clone(c.undecided[from:])
}

// next finds the first secret, and the longest of those that begin there.
func (c *capture) next(text []byte) (at, length int) {
	at = -1
	for _, s := range c.secrets {
		if n := bytes.Index(text, []byte(s)); n >= 0 && (at < 0 || n < at) {
			at, length = n, len(s)
		}
	}
	return at, length
}

// add takes in output without secrets.
func (c *capture) add(p []byte) {
	c.sum.Write(p)
	c.size += int64(len(p))
	if room := c.limit - len(c.kept); room > 0 {
		c.kept = append(c.kept, p[:min(room, len(p))]...)
	}
	if c.found || c.want == "" {
		return
	}
	joined := append(c.tail, p...)
	c.found = bytes.Contains(joined, []byte(c.want))
	c.tail = slices.Clone(joined[max(0, len(joined)-len(c.want)+1):])
}

// output is what was kept, as text.
func (c *capture) output() string {
	kept := c.kept
	if int64(len(kept)) < c.size { // perhaps in the middle of a character
		for n := 1; n < utf8.UTFMax && n <= len(kept); n++ {
			if last := kept[len(kept)-n:]; utf8.RuneStart(last[0]) {
				if !utf8.FullRune(last) {
					kept = kept[:len(kept)-n]
				}
				break
			}
		}
	}
	text := strings.ToValidUTF8(string(kept), string(utf8.RuneError))
	for len(text) > c.limit {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}

func (c *capture) hash() string { return hex.EncodeToString(c.sum.Sum(nil)) }

// masked is a short text without secrets.
func (c *capture) masked(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, mask)
	}
	return text
}
