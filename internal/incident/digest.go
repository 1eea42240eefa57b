package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// A Digest is the SHA-256 of things that were said one after the other, each with values that are told apart whatever they hold.
type Digest struct{ said strings.Builder }

// Say adds one.
func (d *Digest) Say(name string, values ...string) {
	d.said.WriteString(name)
	for _, v := range values {
		d.said.WriteString(" " + strconv.Quote(v))
	}
	d.said.WriteString("\n")
}

// Sum is the digest of all that was said, in hex digits.
func (d *Digest) Sum() string {
	sum := sha256.Sum256([]byte(d.said.String()))
	return hex.EncodeToString(sum[:])
}
