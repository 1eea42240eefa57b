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

// What a system posts is read by what stands for a status there: by what is usual, and by what the organisation says over it.
func TestTicketSystemsTellByTheirStates(t *testing.T) {
	t.Setenv("HOOK_SECRET", "s3cret")
	record := func(before, now string) string {
		return `{"sys_id":"a","correlation_id":"INC-7K3M9QX2PA","previous_state":"` + before + `","state":"` + now + `"}`
	}
	journal := func(before, now string) string {
		return `{"type":"issue.updated","data":{"issue":{"id":1,"subject":"(INC-7K3M9QX2PA)"},"journal":{"id":2,"details":[{"property":"attr","prop_key":"status_id",` +
			`"old_value":"` + before + `","value":"` + now + `"}]}}}`
	}
	for name, tt := range map[string]struct {
		tickets, body string
		want          int
	}{
		"resolved":            {"system: servicenow, user: muster", record("2", "6"), 1},
		"closed after that":   {"system: servicenow, user: muster", record("6", "7"), 0},
		"by its own states":   {"system: servicenow, user: muster, statuses: {resolved: 8}", record("2", "8"), 1},
		"a change":            {"system: servicenow, user: muster, table: change_request", record("2", "6"), 0},
		"an issue":            {"system: redmine, project: 7", journal("2", "3"), 1},
		"an issue that waits": {"system: redmine, project: 7, statuses: {mitigated: 3, resolved: 3}", journal("2", "3"), 0},
	} {
		s, err := worker.TicketHook(organisation(t, tt.tickets+", url: \"https://desk.example\", secret: env:NOT_SET_HERE, hook_secret: env:HOOK_SECRET"))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := s.Read([]byte(tt.body)); err != nil || len(got) != tt.want || s.Secret != "s3cret" {
			t.Errorf("%s: told %+v, %v, want %d", name, got, err, tt.want)
		}
	}
	if s, err := worker.TicketHook(organisation(t, "system: local")); s != nil || err != nil {
		t.Errorf("files tell something: %+v, %v", s, err)
	}
}
