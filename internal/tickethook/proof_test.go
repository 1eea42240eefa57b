package tickethook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/org"
	"muster/internal/tickethook"
	"muster/internal/webhook"
)

func hexed(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Each system proves itself in its own way, and in no other's.
func TestProofs(t *testing.T) {
	const body = `{"a":1}`
	now := at(14, 0, 0, 0)
	sign := func(key, id string, at time.Time) func(*http.Request) {
		return func(r *http.Request) {
			signature, err := webhook.Sign(key, id, at, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Webhook-Id", id)
			r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
			r.Header.Set("Webhook-Signature", "v1,bm9uZQ== "+signature)
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth("muster", password) }
	}
	query := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = "token=" + strings.ReplaceAll(token, " ", "+") }
	}
	both := func(a, b func(*http.Request)) func(*http.Request) { return func(r *http.Request) { a(r); b(r) } }
	proofs := map[string]func(*http.Request){
		"nothing":        func(*http.Request) {},
		"jira":           header("X-Hub-Signature", hexed(secret, body)),
		"github":         header("X-Hub-Signature-256", hexed(secret, body)),
		"redmine":        header("X-Redmine-Signature-256", hexed(secret, body)),
		"gitlab":         header("X-Gitlab-Token", secret),
		"bearer":         header("Authorization", "Bearer "+secret),
		"basic":          basic(secret),
		"query":          query(secret),
		"standard":       sign(secret, "evt-1", now.Add(-4*time.Minute)),
		"too old":        sign(secret, "evt-1", now.Add(-6*time.Minute)),
		"too early":      sign(secret, "evt-1", now.Add(6*time.Minute)),
		"wrong jira":     header("X-Hub-Signature", hexed("wrong", body)),
		"other body":     both(header("X-Hub-Signature", hexed(secret, "{}")), query(secret)),
		"no hex":         header("X-Hub-Signature-256", "sha256=zz"),
		"empty token":    header("X-Gitlab-Token", ""),
		"wrong token":    header("X-Gitlab-Token", "wrong"),
		"wrong bearer":   header("Authorization", "Bearer wrong"),
		"empty bearer":   header("Authorization", "Bearer "),
		"wrong basic":    basic("wrong"),
		"wrong query":    query("wrong"),
		"wrong standard": sign("wrong", "evt-1", now),
	}
	taken := map[string][]string{
		org.JiraTickets: {"jira", "bearer", "basic", "query"}, org.ServiceNowTickets: {"bearer", "basic", "query", "other body"}, org.GitHubTickets: {"github"},
		org.GitLabTickets: {"gitlab"}, org.AzureTickets: {"bearer", "basic", "query", "other body"}, org.RedmineTickets: {"redmine", "bearer", "basic", "query", "other body"},
		org.WebhookTickets: {"standard"}, org.LocalTickets: nil,
	}
	for name, good := range taken {
		for how, prove := range proofs {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			prove(r)
			why := system(name).Proves(r, []byte(body), now)
			want := false
			for _, g := range good {
				want = want || g == how
			}
			if (why == "") != want || strings.Contains(why, secret) {
				t.Errorf("%s by %s: %q, want taken: %t", name, how, why, want)
			}
			if why := (&tickethook.System{Name: name}).Proves(r, []byte(body), now); why == "" {
				t.Errorf("%s without a secret takes %s", name, how)
			}
		}
	}
}
