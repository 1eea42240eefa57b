// Package twilio sends deliveries as text messages and calls through the REST API of Twilio, or of a service that speaks it too. The
// API has no idempotency keys, so what may have been sent is looked for before it is sent again.
package twilio

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// API is where Twilio answers.
const API = "https://api.twilio.com"

// Account is by which messages are sent.
type Account struct {
	Guard   outbound.Guard
	Timeout time.Duration // of one Send; 10 s when zero
	// Settle is how long after it was sent a message is looked at once more: what a carrier refuses at once is refused. Zero: it is not.
	Settle time.Duration
	URL    string // of the API; empty: Twilio's
	ID     string // of the account
	Key    string // ID of an API key; empty: the token is the account's own
	Token  string // secret
}

// skew is how far the clock there may be behind ours.
const skew = time.Minute

// limit bounds one Send.
func (a *Account) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.Timeout <= 0 {
		return context.WithTimeout(ctx, 10*time.Second)
	}
	return context.WithTimeout(ctx, a.Timeout)
}

// failure is what the API says of a request that it does not take.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// passing are the codes of failures that pass, whatever their status is.
func passing() []int {
	return []int{
		10004, // too many calls at once
		20429, // too many requests
		21611, // too many messages wait to be sent from this number
	}
}

// queueFull is the code of a message that was lost because too many waited.
const queueFull = 30001

// call makes one request below the account. What is said of it does not show the number that it is about.
func (a *Account) call(ctx context.Context, method, path, to string, form url.Values, into any) error {
	user := a.Key
	if user == "" {
		user = a.ID
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + a.Token))
	api := outbound.API{
		Name: "Twilio", Guard: a.Guard, Timeout: a.Timeout, URL: a.URL, Header: map[string]string{"Authorization": "Basic " + basic},
		Secrets: []string{a.Token, basic}, Wait: wait, Said: func(body []byte) string { return said(body, to) },
	}
	if api.URL == "" {
		api.URL = API
	}
	var body any
	if form != nil {
		body = form
	}
	return api.Call(ctx, method, "/2010-04-01/Accounts/"+url.PathEscape(a.ID)+path, body, into)
}

func wait(r *http.Response) (time.Duration, bool) {
	var f failure
	if json.NewDecoder(r.Body).Decode(&f) != nil || !slices.Contains(passing(), f.Code) {
		return 0, false
	}
	return outbound.RetryAfter(r.Header.Get("Retry-After"), time.Now()), true
}

func said(body []byte, to string) string {
	var f failure
	text := string(body)
	if json.Unmarshal(body, &f) == nil && f.Message != "" {
		text = f.Message
	}
	if f.Code != 0 {
		text = fmt.Sprintf("error %d: %s", f.Code, text)
	}
	if digits := strings.TrimPrefix(to, "+"); digits != "" {
		text = strings.NewReplacer(to, "the number", digits, "the number").Replace(text)
	}
	return text
}

// A sent is a message or a call as the API shows it.
type sent struct {
	SID       string `json:"sid"`
	Status    string `json:"status"`
	Body      string `json:"body"`
	Created   string `json:"date_created"`
	ErrorCode *int   `json:"error_code"`
}

// verdict says what has become of it: nil as long as it may still arrive.
func (s sent) verdict(what string) error {
	code := ""
	if s.ErrorCode != nil {
		code = fmt.Sprintf(": error %d", *s.ErrorCode)
	}
	switch s.Status {
	case "failed", "undelivered", "canceled", "busy", "no-answer":
		detail := "Twilio: the " + what + " is " + s.Status + code
		if s.ErrorCode != nil && *s.ErrorCode == queueFull {
			return &delivery.Unavailable{Detail: detail}
		}
		return &delivery.Refusal{Detail: detail}
	}
	return nil
}

// since tells whether it can belong to a send that began at an instant.
func (s sent) since(at time.Time) bool {
	created, err := time.Parse(time.RFC1123Z, s.Created)
	return at.IsZero() || err != nil || !created.Before(at.Add(-skew))
}

// create makes a message or a call, and looks once more at what has become of it.
func (a *Account) create(ctx context.Context, kind, what, to string, form url.Values) error {
	var made sent
	if err := a.call(ctx, http.MethodPost, "/"+kind+".json", to, form, &made); err != nil {
		return err
	}
	if made.SID == "" || url.PathEscape(made.SID) != made.SID {
		return &delivery.Unavailable{Detail: "the answer to a new " + what + " is not what the API of Twilio says"}
	}
	if err := made.verdict(what); err != nil || !a.settles(ctx) {
		return err
	}
	if now := (sent{}); a.call(ctx, http.MethodGet, "/"+kind+"/"+made.SID+".json", to, nil, &now) == nil {
		return now.verdict(what)
	}
	return nil // it was taken, whatever keeps us from looking
}

// settles waits a moment, and tells whether there is still time to look.
func (a *Account) settles(ctx context.Context) bool {
	if a.Settle <= 0 {
		return false
	}
	t := time.NewTimer(a.Settle)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// look finds what was sent to a number lately. Where a key may not look, nothing is found: a page that comes twice is better than none.
func (a *Account) look(ctx context.Context, path, to string, of func() *[]sent, into any) ([]sent, error) {
	q := url.Values{"To": {to}, "PageSize": {"50"}}
	if err := a.call(ctx, http.MethodGet, path+"?"+q.Encode(), to, nil, into); delivery.IsRefusal(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if of() == nil {
		return nil, &delivery.Unavailable{Detail: "the answer to a search is not what the API of Twilio says"}
	}
	return *of(), nil
}

// addressed returns the number of a contact.
func (a *Account) addressed(e delivery.Envelope) (string, error) {
	if a.ID == "" {
		return "", &delivery.Refusal{Detail: "this worker has no account for phones"}
	}
	if !delivery.Telephone(e.Contact.Address) {
		return "", &delivery.Refusal{Detail: "the address is not a phone number such as +821012345678"}
	}
	return e.Contact.Address, nil
}
