package twilio_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/internal/contract"
	"muster/internal/outbound"
	"muster/internal/twilio"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = contract.Secret
	from    = "+15005550006"
	kim     = "+821012345678"

	// Numbers for which the service has an answer of its own.
	invalid  = "+15005550001"
	opted    = "+15005550004"
	filtered = "+15005550009" // by the carrier, a moment later
	crowded  = "+15005550003"
	taken    = "+15005550005" // whose line is busy
)

// A service answers as the documentation of Twilio's REST API says. The names are those of its JSON.
type service struct {
	mu       sync.Mutex
	user     string // of the basic authentication; empty: the account
	trial    bool   // an account that has paid nothing yet
	blind    bool   // the key may not look
	late     int    // how many looks it takes until what was made is in a list
	made     []made
	requests []string
	forms    []url.Values
}

type made struct {
	SID         string  `json:"sid"`
	AccountSID  string  `json:"account_sid"`
	To          string  `json:"to"`
	From        *string `json:"from"`
	Body        *string `json:"body,omitempty"`
	Status      string  `json:"status"`
	Direction   string  `json:"direction"`
	DateCreated string  `json:"date_created"`
	DateSent    *string `json:"date_sent"`
	ErrorCode   *int    `json:"error_code"`
	NumSegments string  `json:"num_segments,omitempty"`

	kind  string
	twiml string
}

// ServeHTTP answers one request.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	user, password, _ := r.BasicAuth()
	want := s.user
	if want == "" {
		want = account
	}
	path, ours := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/"+account+"/")
	if user != want || password != token {
		s.fail(w, 401, 20003, "Authenticate")
		return
	}
	kind, sid, one := strings.Cut(strings.TrimSuffix(path, ".json"), "/")
	switch {
	case !ours || kind != "Messages" && kind != "Calls" || !strings.HasSuffix(path, ".json"):
		s.fail(w, 404, 20404, "The requested resource "+r.URL.Path+" was not found")
	case r.Method == http.MethodPost && !one:
		s.create(w, r, kind)
	case s.blind:
		s.fail(w, 403, 20003, "Permission denied")
	case one:
		s.show(w, kind, sid)
	default:
		s.list(w, r, kind)
	}
}

func (s *service) fail(w http.ResponseWriter, status, code int, message string) {
	s.answer(w, status, map[string]any{"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
}

func (s *service) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *service) create(w http.ResponseWriter, r *http.Request, kind string) {
	if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.fail(w, 400, 21604, "A 'To' phone number is required.")
		return
	}
	f := r.PostForm
	s.forms = append(s.forms, f)
	to, sender := f.Get("To"), f.Get("From")
	switch {
	case to == invalid:
		s.fail(w, 400, 21211, fmt.Sprintf("The 'To' number %s is not a valid phone number.", to))
		return
	case to == opted:
		s.fail(w, 400, 21610, "Attempt to send to unsubscribed recipient")
		return
	case to == crowded:
		w.Header().Set("Retry-After", "3")
		s.fail(w, 400, 21611, "This 'From' number has exceeded the maximum number of queued messages")
		return
	case sender == "" && f.Get("MessagingServiceSid") == "":
		s.fail(w, 400, 21603, "A 'From' phone number is required.")
		return
	}
	m := made{
		SID: fmt.Sprintf("%s%032x", map[string]string{"Messages": "SM", "Calls": "CA"}[kind], len(s.made)+1), AccountSID: account, To: to, Status: "queued",
		Direction: "outbound-api", DateCreated: time.Now().UTC().Format(time.RFC1123Z), kind: kind, twiml: f.Get("Twiml"),
	}
	if sender != "" {
		m.From = &sender
	}
	if kind == "Messages" {
		body := f.Get("Body")
		if s.trial {
			body = "Sent from your Twilio trial account - " + body
		}
		m.Body, m.NumSegments = &body, "1"
	} else {
		m.Direction = "outbound-api"
	}
	s.made = append(s.made, m)
	s.answer(w, 201, m)
}

// show looks at one, which goes on a little by each look.
func (s *service) show(w http.ResponseWriter, kind, sid string) {
	n := slices.IndexFunc(s.made, func(m made) bool { return m.SID == sid && m.kind == kind })
	if n < 0 {
		s.fail(w, 404, 20404, "The requested resource was not found")
		return
	}
	s.goOn(&s.made[n])
	s.answer(w, 200, s.made[n])
}

func (s *service) goOn(m *made) {
	next := map[string]string{"queued": "sent", "sent": "delivered"}
	if m.kind == "Calls" {
		next = map[string]string{"queued": "ringing", "ringing": "in-progress", "in-progress": "completed"}
	}
	if to, ok := next[m.Status]; ok {
		m.Status = to
	}
	switch {
	case m.To == filtered && m.kind == "Messages":
		code := 30007
		m.Status, m.ErrorCode = "undelivered", &code
	case m.To == taken:
		m.Status = "busy"
	}
}

func (s *service) list(w http.ResponseWriter, r *http.Request, kind string) {
	all := []made{}
	s.late--
	for _, m := range slices.Backward(s.made) {
		if m.kind == kind && m.To == r.URL.Query().Get("To") && s.late < 0 {
			all = append(all, m)
		}
	}
	for n := range s.made {
		s.goOn(&s.made[n])
	}
	s.answer(w, 200, map[string]any{strings.ToLower(kind): all, "page": 0, "page_size": 50, "next_page_uri": nil})
}

// asked are the requests so far.
func (s *service) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// all is what was made.
func (s *service) all() []made {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.made)
}

// Shown is what people have got: texts, and what was said to them.
func (s *service) Shown() (texts []string) {
	for _, m := range s.all() {
		if m.Body != nil {
			texts = append(texts, *m.Body)
		} else {
			texts = append(texts, m.twiml)
		}
	}
	return texts
}

func accountAt(address string) *twilio.Account {
	return &twilio.Account{
		Guard: outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, Timeout: 5 * time.Second, Settle: time.Millisecond,
		URL: address, ID: account, Token: token,
	}
}
