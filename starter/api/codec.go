package api

import (
	"context"
	"net/http"
	"slices"

	"muster/internal/authority"
	"muster/internal/refusal"
)

// CodecPath is where Temporal's UI and CLI ask for payloads in clear: they append decode to it.
const CodecPath = Path + "codec/"

const decodePath = CodecPath + "decode"

// MaxCodecBody bounds the payloads that are asked for at once. Temporal bounds what one event holds to a quarter of it.
const MaxCodecBody = 8 << 20

// A Codec decrypts the payloads in a JSON document of Temporal's codec servers.
type Codec interface {
	DecodeJSON(body []byte) ([]byte, error)
}

// decode answers with payloads in clear. Whoever asks could read every history.
func (s *server) decode(w http.ResponseWriter, r *http.Request) error {
	err := authority.May(visiting(r.Context()).Subject, authority.ReadHistory, authority.Object{Kind: authority.Incident, Restricted: true})
	if err := s.denied(r, authority.ReadHistory, err); err != nil {
		return err
	}
	body, err := s.bodyOf(w, r, MaxCodecBody)
	if err != nil {
		return err
	}
	plain, err := s.Codec.DecodeJSON(body)
	if err != nil {
		return refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: "payloads", Detail: err.Error()})
	}
	return send(w, "application/json", plain)
}

// encode is refused to everybody.
func (s *server) encode(w http.ResponseWriter, _ *http.Request) {
	refusal.Body{
		Title: "Refused", Status: http.StatusForbidden,
		Detail: "nothing is encrypted for others: what goes to a workflow goes through Muster's commands, which ask who may do it and sign it",
	}.Write(w)
}

// shared lets pages of some other origins ask, such as those of Temporal's UI, and refuses those of all others. Whatever asks without a
// page behind it names no origin.
func (s *server) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, h := r.Header.Get("Origin"), w.Header()
		h.Add("Vary", "Origin")
		switch {
		case origin == "":
			next.ServeHTTP(w, r)
			return
		case !slices.Contains(s.CodecOrigins, origin):
			refusal.Body{Status: http.StatusForbidden, Field: "Origin", Detail: "pages of this origin may not ask: --codec-origins names those that may"}.Write(w)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true") // a session of the pages
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", http.MethodPost)
		h.Set("Access-Control-Allow-Headers", "Authorization, Authorization-Extras, Content-Type, X-Namespace")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

// seated lets in, where no token is shown, whoever has a session of the pages.
func (s *server) seated(next http.Handler) http.Handler {
	withToken := s.authenticated(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" && s.Session != nil {
			if by, known := s.Session(r); known {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, visitor{by, "session"})))
				return
			}
		}
		withToken.ServeHTTP(w, r)
	})
}
