package worker_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/org"
	"muster/internal/ticket"
	"muster/worker"
)

// organisation is the example with another ticket system, which may be on this machine.
func organisation(t *testing.T, tickets string) *org.Organisation {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "org")
	if err := os.CopyFS(dir, os.DirFS("../examples/org")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "organisation.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "tickets:\n  system: local\n", "own_networks: [127.0.0.1/32]\ntickets: {"+tickets+"}\n", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil || changed == string(text) {
		t.Fatal(err, "the example names no ticket system")
	}
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Every system that an organisation can name asks for its tickets where, and as whom, the organisation says.
func TestTicketSystemsAskWhereTheFolderSays(t *testing.T) {
	t.Setenv("DESK_TOKEN", "t0ken")
	for name, tt := range map[string]struct{ tickets, first, header, value string }{
		"jira cloud":       {"system: jira, user: noc@x.example, project: OPS, type: Incident", "GET /rest/api/3/search/jql", "Authorization", "Basic bm9jQHguZXhhbXBsZTp0MGtlbg=="},
		"jira data center": {"system: jira, project: OPS, type: Incident", "GET /rest/api/2/search", "Authorization", "Bearer t0ken"},
		"servicenow":       {"system: servicenow, user: muster", "GET /api/now/table/incident", "Authorization", "Basic bXVzdGVyOnQwa2Vu"},
		"changes":          {"system: servicenow, table: change_request", "GET /api/now/table/change_request", "Authorization", "Bearer t0ken"},
		"github":           {"system: github, repository: mirnet/ops", "GET /repos/mirnet/ops/issues", "Authorization", "Bearer t0ken"},
		"gitlab":           {"system: gitlab, project: mirnet/ops", "GET /api/v4/projects/mirnet%2Fops/issues", "Private-Token", "t0ken"},
		"azure-devops":     {"system: azure-devops, project: Ops, type: Issue", "POST /Ops/_apis/wit/wiql", "Authorization", "Basic OnQwa2Vu"},
		"redmine":          {"system: redmine, project: 7", "GET /issues.json", "X-Redmine-Api-Key", "t0ken"},
		"webhook":          {"system: webhook", "POST /", "Content-Type", "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, header string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked, header = r.Method+" "+r.URL.EscapedPath(), r.Header.Get(tt.header)
				w.WriteHeader(http.StatusTeapot)
			}))
			defer srv.Close()
			system, err := worker.Tickets(organisation(t, tt.tickets+", url: \""+srv.URL+"\", secret: env:DESK_TOKEN"), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			_, err = system.Open(t.Context(), ticket.Ticket{Key: "INC-1", Revision: 1, At: time.Now(), Status: "triggered", Priority: "P1"})
			if !delivery.IsRefusal(err) || asked != tt.first || header != tt.value {
				t.Errorf("asked %s with %s %q, %v; want %s with %q", asked, tt.header, header, err, tt.first, tt.value)
			}
		})
	}
	t.Setenv("DESK_TOKEN", "")
	if _, err := worker.Tickets(organisation(t, "system: github, repository: a/b, secret: env:DESK_TOKEN"), t.TempDir()); err == nil || !strings.Contains(err.Error(), "env:DESK_TOKEN: not set") {
		t.Errorf("without its token: got %v", err)
	}
}
