package tickethook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/internal/webhook"
)

// Window is how far the time at which a program of one's own has signed may lie from when its body came.
const Window = 5 * time.Minute

// A proof says what is wrong with what shows that a system has posted a body, empty where nothing is.
type proof func(s *System, r *http.Request, body []byte, now time.Time) string

// Proves says what is wrong with what shows that the system has posted a body, empty where nothing is.
func (s *System) Proves(r *http.Request, body []byte, now time.Time) string {
	if s.Secret == "" { // whoever knows nothing would know it
		return "want a secret"
	}
	return s.format().proof(s, r, body, now)
}

func nobody(*System, *http.Request, []byte, time.Time) string {
	return "want the signature of the body"
}

// signedOr wants an HMAC of SHA-256 in a header. Without that header another proof counts.
func signedOr(header string, other proof) proof {
	return func(s *System, r *http.Request, body []byte, now time.Time) string {
		given := r.Header.Get(header)
		if given == "" {
			if other(s, r, body, now) != "" {
				return "want the signature of the body in " + header
			}
			return ""
		}
		mac := hmac.New(sha256.New, []byte(s.Secret))
		mac.Write(body)
		got, err := hex.DecodeString(strings.TrimPrefix(given, "sha256="))
		if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
			return header + ": not the signature of this body with the secret"
		}
		return ""
	}
}

// token wants the secret in GitLab's header.
func token(s *System, r *http.Request, _ []byte, _ time.Time) string {
	if !equal(r.Header.Get("X-Gitlab-Token"), s.Secret) {
		return "want the secret token in X-Gitlab-Token"
	}
	return ""
}

// shared wants the secret as a bearer token, as the password of any user, or in the address where a system can do nothing else.
func shared(s *System, r *http.Request, _ []byte, _ time.Time) string {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, password, _ := r.BasicAuth()
	for _, given := range []string{bearer, password, r.URL.Query().Get("token")} {
		if given != "" && equal(given, s.Secret) {
			return ""
		}
	}
	return "want the secret as a bearer token, as the password of basic authentication, or as token in the address"
}

// standard wants a signature of Standard Webhooks 1.0.0.
func standard(s *System, r *http.Request, body []byte, now time.Time) string {
	id, stamp := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	at := time.Unix(seconds, 0)
	if id == "" || err != nil || at.Before(now.Add(-Window)) || at.After(now.Add(Window)) {
		return "want webhook-id, and in webhook-timestamp the Unix time at which it was signed, within " + Window.String() + " of now"
	}
	want, err := webhook.Sign(s.Secret, id, at, body)
	if err != nil {
		return "the secret cannot sign"
	}
	for given := range strings.FieldsSeq(r.Header.Get("Webhook-Signature")) {
		if equal(given, want) {
			return ""
		}
	}
	return "webhook-signature: not the signature of this body with the secret"
}

// equal compares without telling by its time how much is right, nor how long it is.
func equal(given, secret string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret))
	return hmac.Equal(a[:], b[:])
}
