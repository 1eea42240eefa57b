package ingest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/internal/refusal"
)

// Window is how far the time at which a source has signed may lie from when its body came: what is copied is worth nothing later.
const Window = 5 * time.Minute

// A Signature is how a source signs its bodies: an HMAC of SHA-256 in hex, of the body, or of when it was signed, a colon and the
// body.
type Signature struct {
	Secret    string `json:"-"`
	Header    string // that has it; empty: the usual one of the source's format
	Timestamp string // header with the Unix time at which it was made; empty: that is not said, and a copy is as good
}

// limit is how large a body of the source may be.
func (s Source) limit(f format) int64 {
	if f.token != nil || s.Token == "" && (s.Signature != nil || f.prove != nil) {
		return MaxSigned
	}
	return MaxBody
}

// proves returns what is wrong with the signature of a body, nil when nothing is, or the source does not sign.
func (s Source) proves(h http.Header, body []byte, at time.Time) *refusal.Fault {
	if s.Signature == nil {
		return nil
	}
	if name := s.Signature.Timestamp; name != "" {
		seconds, err := strconv.ParseInt(h.Get(name), 10, 64)
		if signed := time.Unix(seconds, 0); err != nil || signed.Before(at.Add(-Window)) || signed.After(at.Add(Window)) {
			return &refusal.Fault{Field: name, Detail: fmt.Sprintf(
				"want the Unix time at which it was signed, within %s of %d; got %s", Window, at.Unix(), quote(h.Get(name)))}
		}
	}
	header := s.Signature.Header
	for _, usual := range s.format().signed {
		if header == "" || s.Signature.Header == "" && h.Get(header) == "" {
			header = usual
		}
	}
	got, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(h.Get(header)), "sha256="))
	if err != nil || !hmac.Equal(got, s.Signature.sum(h, body)) {
		return &refusal.Fault{Field: cmp.Or(header, "signature"), Detail: fmt.Sprintf("want the signature of source %s: HMAC-SHA256 of what it sends, in hex", s.ID)}
	}
	return nil
}

// sum is what a body is signed with, among the headers that come with it.
func (s *Signature) sum(h http.Header, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	if s.Timestamp != "" {
		mac.Write([]byte(h.Get(s.Timestamp) + ":"))
	}
	mac.Write(body)
	return mac.Sum(nil)
}
