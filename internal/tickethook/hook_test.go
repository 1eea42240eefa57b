package tickethook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
	"muster/internal/ticket"
	"muster/internal/tickethook"
)

const (
	key    = "INC-7K3M9QX2PA"
	secret = "correct horse"
)

// at is the time on the 25th of November 2026 in Seoul.
func at(hour, minute, second int, rest time.Duration) time.Time {
	return time.Date(2026, 11, 25, hour-9, minute, second, int(rest), time.UTC)
}

// system is one of a name, as an organisation might have it.
func system(name string) *tickethook.System {
	s := &tickethook.System{Name: name, Secret: secret}
	switch name {
	case org.JiraTickets:
		s.Users = []string{"noc@mirnet.example", "712020:9c0d"}
	case org.ServiceNowTickets:
		s.Users = []string{"muster"}
		s.States = map[string]string{"triggered": "2", "acknowledged": "2", "mitigated": "2", "resolved": "6", "closed": "7", "merged": "6"}
	case org.GitLabTickets:
		s.Users = []string{"project_7_bot_4f2a"}
	case org.RedmineTickets:
		s.States = map[string]string{"triggered": "1", "acknowledged": "2", "mitigated": "2", "resolved": "3", "closed": "5", "merged": "5"}
	}
	return s
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func told(delivery, ref string, d ticket.Deed, by, text string, at time.Time) ticket.Told {
	return ticket.Told{Delivery: delivery + "/" + string(d), Key: key, Ref: ref, Deed: d, By: by, Text: text, At: at}
}

// wanted is what each fixture tells; all others tell nothing. Those that no ID stands in are known by their bytes.
func wanted() map[string][]ticket.Told {
	const kim = "Kim Minsu"
	jira := time.UnixMilli(1764209109000).UTC()
	record, azure, done := "9d385017c611228701d22104cc95c371", at(14, 40, 0, 230*time.Millisecond), at(14, 40, 0, 0)
	commented := at(14, 41, 0, 0)
	one := func(t ticket.Told) []ticket.Told { return []ticket.Told{t} }
	return map[string][]ticket.Told{
		"jira-comment-cloud":        one(told("comment/10010", "OPS-7", ticket.Commented, kim, "The database is back.\nWatching it.", jira)),
		"jira-comment-document":     one(told("comment/10011", "OPS-7", ticket.Commented, kim, "@Lee is on it\nsince noon.\nMore later.", jira)),
		"jira-resolved-cloud":       one(told("change/10124", "OPS-7", ticket.Resolved, kim, "Fixed", jira)),
		"jira-resolved-data-center": one(told("change/10125", "OPS-7", ticket.Resolved, kim, "Fixed", jira)),
		"jira-reopened":             one(told("change/10126", "OPS-7", ticket.Reopened, kim, "", jira)),
		"servicenow-resolved":       one(told(record+"/12", record, ticket.Resolved, kim, "Restarted the database.", done)),
		"servicenow-commented":      one(told(record+"/13", record, ticket.Commented, kim, "The database is back.", done)),
		"servicenow-reopened":       one(told(record+"/14", record, ticket.Reopened, kim, "", done)),
		"github-closed":             one(told("", "7", ticket.Resolved, "kim-minsu", "completed", done)),
		"github-reopened":           one(told("", "7", ticket.Reopened, "kim-minsu", "", done)),
		"github-reopened-before":    one(told("", "7", ticket.Reopened, "kim-minsu", "", done)),
		"github-commented": one(told("comment/492700400", "7", ticket.Commented, "kim-minsu",
			"> resolved, P1\n> muster:INC-7K3M9QX2PA:3:resolved:P1\n\nIt is not.", commented)),
		"gitlab-closed":            one(told("", "23", ticket.Resolved, kim, "", done)),
		"gitlab-reopened":          one(told("", "23", ticket.Reopened, kim, "", done)),
		"gitlab-commented":         one(told("note/1241", "23", ticket.Commented, kim, "The database is back.", commented)),
		"azure-done":               one(told("13/4", "13", ticket.Resolved, kim, "", azure)),
		"azure-reopened":           one(told("13/5", "13", ticket.Reopened, kim, "", azure)),
		"azure-commented":          one(told("13/7", "13", ticket.Commented, kim, "The database\nis back & fine.", azure)),
		"redmine-resolved":         one(told("journal/4711", "31", ticket.Resolved, kim, "Restarted the database.", done)),
		"redmine-reopened":         one(told("journal/4714", "31", ticket.Reopened, kim, "", done)),
		"redmine-plugin-commented": one(told("journal/4715", "31", ticket.Commented, "Minsu Kim", "The database is back.", done)),
		"webhook-commented":        one(told("evt-1", "SHOP-7", ticket.Commented, kim, "Restarted the database.", done)),
		"webhook-resolved":         one(told("evt-2", "SHOP-7", ticket.Resolved, kim, "Restarted the database.", done)),
		"webhook-reopened":         one(told("evt-3", "SHOP-7", ticket.Reopened, kim, "", done)),
	}
}

// of is the name of the system that a fixture is of.
func of(fixture string) string {
	if strings.HasPrefix(fixture, "azure") {
		return org.AzureTickets
	}
	name, _, _ := strings.Cut(fixture, "-")
	return name
}

// fixtures are the names of all.
func fixtures(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return names
}

func TestWhatSystemsTell(t *testing.T) {
	want := wanted()
	for _, name := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			s := system(of(name))
			got, err := s.Read(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			again, _ := s.Read(fixture(t, name))
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("posted again it is something else: %s", diff)
			}
			for n := range got {
				if id, rest, _ := strings.Cut(got[n].Delivery, "/"); len(id) == 32 && len(rest) < 12 && n < len(want[name]) {
					want[name][n].Delivery = got[n].Delivery // a hash
				}
			}
			if diff := cmp.Diff(want[name], got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			delete(want, name)
		})
	}
	for name := range want {
		t.Errorf("no fixture %s", name)
	}
}

// A name that the organisation gives a status goes before what is usual.
func TestStatesOfOnesOwn(t *testing.T) {
	jira := system(org.JiraTickets)
	jira.States = map[string]string{"resolved": "In Review", "acknowledged": "Done", "closed": "done"}
	if got, err := jira.Read(fixture(t, "jira-resolved-cloud")); err != nil || len(got) != 1 || got[0].Deed != ticket.Reopened {
		t.Errorf("what stands for acknowledged too is open: got %+v, %v", got, err)
	}
	azure := system(org.AzureTickets)
	azure.States = map[string]string{"resolved": "Doing", "closed": "Done"}
	if got, err := azure.Read(fixture(t, "azure-done")); err != nil || len(got) != 0 {
		t.Errorf("from resolved to closed nothing is told: got %+v, %v", got, err)
	}
	changes := system(org.ServiceNowTickets)
	changes.States = nil
	if got, err := changes.Read(fixture(t, "servicenow-resolved")); err != nil || len(got) != 0 {
		t.Errorf("the states of changes are not known: got %+v, %v", got, err)
	}
}

func TestWhatIsBounded(t *testing.T) {
	body := `{"type":"ticket.commented","id":"` + strings.Repeat("i", 500) + `","key":"` + key + `","by":"` + strings.Repeat("가 \\n", 500) + `","text":"` + strings.Repeat("가", 5000) + `"}`
	got, err := system(org.WebhookTickets).Read([]byte(body))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	g := got[0]
	if len([]rune(g.Text)) != ticket.LongTold || len([]rune(g.By)) > 200 || len(g.Delivery) > 120 || strings.Contains(g.By, "\n") || !g.At.IsZero() {
		t.Errorf("got %d characters of text, %d of a name, %d of an ID, at %s", len([]rune(g.Text)), len([]rune(g.By)), len(g.Delivery), g.At)
	}
}

func TestMalformed(t *testing.T) {
	for _, tt := range []struct{ system, body, want string }{
		{org.GitHubTickets, "payload=%7B%7D", "want JSON"},
		{org.JiraTickets, "", "want JSON"},
		{org.GitLabTickets, `[]`, "body: want an object, got array"},
		{org.GitLabTickets, `{"object_attributes":{"iid":"x"}}`, "object_attributes.iid: want a number, got string"},
		{org.JiraTickets, `{"issue":{"fields":{"labels":"a"}}}`, "issue.fields.labels: want a list, got string"},
		{org.WebhookTickets, `{"type":"ticket.resolved"}`, "id: missing"},
		{org.WebhookTickets, `{"type":"closed","id":"1"}`, `type "closed": want ticket.commented, ticket.resolved or ticket.reopened`},
		{org.WebhookTickets, `{"type":"ticket.resolved","id":"1","at":"noon"}`, `at "noon": want RFC 3339`},
		{org.LocalTickets, `{}`, "posts nothing"},
	} {
		if got, err := system(tt.system).Read([]byte(tt.body)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: got %+v, %v, want %q", tt.system, tt.body, got, err, tt.want)
		}
	}
}

// fuzz tries that whatever a system posts is read without harm, and names an incident.
func fuzz(f *testing.F, name string) {
	for _, n := range fixtures(f) {
		if of(n) == name {
			f.Add(fixture(f, n))
		}
	}
	s := system(name)
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := s.Read(body)
		if err != nil && len(all) > 0 {
			t.Errorf("told although %v", err)
		}
		for _, g := range all {
			if !strings.HasPrefix(g.Key, "INC-") || g.Delivery == "" || g.Deed == "" || len([]rune(g.Text)) > ticket.LongTold || g.Deed == ticket.Commented && g.Text == "" {
				t.Errorf("told %+v", g)
			}
		}
	})
}

func FuzzJira(f *testing.F)       { fuzz(f, org.JiraTickets) }
func FuzzServiceNow(f *testing.F) { fuzz(f, org.ServiceNowTickets) }
func FuzzGitHub(f *testing.F)     { fuzz(f, org.GitHubTickets) }
func FuzzGitLab(f *testing.F)     { fuzz(f, org.GitLabTickets) }
func FuzzAzure(f *testing.F)      { fuzz(f, org.AzureTickets) }
func FuzzRedmine(f *testing.F)    { fuzz(f, org.RedmineTickets) }
func FuzzOwn(f *testing.F)        { fuzz(f, org.WebhookTickets) }
