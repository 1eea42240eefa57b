package callback_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"muster/internal/org"
	"muster/internal/tickethook"
	"muster/internal/timeline"
	"muster/internal/webhook"
	"muster/starter/callback"
)

const hookSecret = "correct horse battery"

// A desk is a ticket system with how it proves itself, and fixtures of its own.
type desk struct {
	system                               tickethook.System
	prove                                func(p *place, r *http.Request, body []byte, secret string)
	commented, resolved, echo, elsewhere string
}

func desks() map[string]desk {
	signed := func(header string) func(*place, *http.Request, []byte, string) {
		return func(_ *place, r *http.Request, body []byte, secret string) {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			r.Header.Set(header, "sha256="+hex.EncodeToString(mac.Sum(nil)))
		}
	}
	basic := func(_ *place, r *http.Request, _ []byte, secret string) { r.SetBasicAuth("hook", secret) }
	return map[string]desk{
		"jira cloud": {
			tickethook.System{Name: org.JiraTickets, Users: []string{"712020:9c0d"}},
			signed("X-Hub-Signature"),
			"jira-comment-cloud", "jira-resolved-cloud", "jira-resolved-own", "jira-foreign",
		},
		"jira data center": {
			tickethook.System{Name: org.JiraTickets, Users: []string{"noc"}},
			func(_ *place, r *http.Request, _ []byte, secret string) {
				r.URL.RawQuery = "token=" + strings.ReplaceAll(secret, " ", "%20")
			},
			"jira-comment-document", "jira-resolved-data-center", "jira-comment-own", "jira-foreign",
		},
		"servicenow": {
			tickethook.System{Name: org.ServiceNowTickets, Users: []string{"muster"}, States: map[string]string{"acknowledged": "2", "resolved": "6"}},
			basic,
			"servicenow-commented", "servicenow-resolved", "servicenow-own-user", "servicenow-foreign",
		},
		"github": {
			tickethook.System{Name: org.GitHubTickets},
			signed("X-Hub-Signature-256"),
			"github-commented", "github-closed", "github-closed-own", "github-foreign",
		},
		"gitlab": {
			tickethook.System{Name: org.GitLabTickets, Users: []string{"project_7_bot_4f2a"}},
			func(_ *place, r *http.Request, _ []byte, secret string) { r.Header.Set("X-Gitlab-Token", secret) },
			"gitlab-commented", "gitlab-closed", "gitlab-closed-own", "gitlab-foreign",
		},
		"azure devops": {
			tickethook.System{Name: org.AzureTickets},
			basic,
			"azure-commented", "azure-done", "azure-commented-own", "azure-foreign",
		},
		"redmine": {
			tickethook.System{Name: org.RedmineTickets, States: map[string]string{"acknowledged": "2", "resolved": "3"}},
			signed("X-Redmine-Signature-256"),
			"redmine-plugin-commented", "redmine-resolved", "redmine-resolved-own", "redmine-foreign",
		},
		"webhook": {
			tickethook.System{Name: org.WebhookTickets},
			func(p *place, r *http.Request, body []byte, secret string) {
				signature, err := webhook.Sign(secret, "evt", p.clock, body)
				if err != nil {
					p.t.Fatal(err)
				}
				r.Header.Set("Webhook-Id", "evt")
				r.Header.Set("Webhook-Timestamp", strconv.FormatInt(p.clock.Unix(), 10))
				r.Header.Set("Webhook-Signature", signature)
			},
			"webhook-commented", "webhook-resolved", "webhook-commented-own", "webhook-foreign",
		},
	}
}

func posted(t testing.TB, fixture string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../internal/tickethook/testdata", fixture+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTicketSystemsTell(t *testing.T) {
	for name, d := range desks() {
		t.Run(name, func(t *testing.T) {
			s := d.system
			s.Secret = hookSecret
			p := newPlaceWith(t, &s)
			post := func(body []byte, secret string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodPost, callback.Prefix+"tickets", bytes.NewReader(body))
				d.prove(p, r, body, secret)
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				return w
			}
			wants := func(what string, body []byte, secret string, status, told int, says string) {
				t.Helper()
				before := len(p.told)
				if w := post(body, secret); w.Code != status || !strings.Contains(w.Body.String(), says) || len(p.told)-before != told || strings.Contains(w.Body.String(), hookSecret) {
					t.Errorf("%s: got %d %s, told %+v, want %d %s, told %d", what, w.Code, w.Body, p.told[before:], status, says, told)
				}
			}
			told, err := s.Read(posted(t, d.commented))
			if err != nil || len(told) != 1 {
				t.Fatalf("read %+v, %v", told, err)
			}
			p.incident.Ticket.Ref.ID = told[0].Ref
			wants("commented", posted(t, d.commented), hookSecret, http.StatusOK, 1, `{"told":1}`)
			wants("the wrong secret", posted(t, d.commented), "wrong", http.StatusUnauthorized, 0, "signature")
			if p.guesses != 1 || len(p.attempts) != 1 || strings.Contains(p.attempts[0].Subject+p.attempts[0].Detail, "wrong") {
				t.Errorf("%d guesses, noted %+v", p.guesses, p.attempts)
			}
			wants("resolved", posted(t, d.resolved), hookSecret, http.StatusOK, 1, `{"told":1}`)
			wants("resolved, posted again", posted(t, d.resolved), hookSecret, http.StatusOK, 1, `{"told":1}`)
			if n := len(p.incident.Timeline.Entries); n < 2 || count(p, timeline.TicketResolved) != 1 || count(p, timeline.TicketCommented) != 1 {
				t.Errorf("the incident has heard %d resolutions and %d comments", count(p, timeline.TicketResolved), count(p, timeline.TicketCommented))
			}
			wants("an echo", posted(t, d.echo), hookSecret, http.StatusOK, 0, `{"told":0}`)
			wants("another ticket", posted(t, d.elsewhere), hookSecret, http.StatusOK, 0, `{"told":0}`)
			other := bytes.ReplaceAll(posted(t, d.commented), []byte(open), []byte("INC-7K3M9QX2PB"))
			wants("an incident that is not there", other, hookSecret, http.StatusOK, 0, `{"told":0}`)
			wants("no JSON", []byte("payload=%7B%7D"), hookSecret, http.StatusBadRequest, 0, "want JSON")
			wants("too much", bytes.Repeat([]byte(" "), callback.MaxBody+1), hookSecret, http.StatusRequestEntityTooLarge, 0, "want at most")
			p.away = errors.New("away")
			wants("the engine is away", posted(t, d.commented), hookSecret, http.StatusServiceUnavailable, 0, "send it again")
		})
	}
}

func count(p *place, k timeline.Kind) (n int) {
	for _, e := range p.incident.Timeline.Entries {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// Where the organisation has shared no secret there is nothing to find.
func TestTicketsThatMayTellNothing(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := httptest.NewRecorder()
		newPlace(t).ServeHTTP(w, httptest.NewRequest(method, callback.Prefix+"tickets", strings.NewReader("{}")))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d", method, w.Code)
		}
	}
}
