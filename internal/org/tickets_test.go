package org_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/org"
)

const webhookTickets = "tickets:\n  system: webhook\n  url: env:TICKETS_URL\n  secret: file:secrets/tickets\n"

// ticketed is an organisation with another ticket system.
func ticketed(t *testing.T, tickets string) map[string]string {
	t.Helper()
	files := good(t)
	change{"organisation.yaml", webhookTickets, "tickets:\n  " + strings.ReplaceAll(strings.TrimSpace(tickets), "\n", "\n  ") + "\n"}.in(t, files)
	return files
}

func TestTicketSystems(t *testing.T) {
	t.Setenv("DESK_SECRET", "swordfish")
	none := map[string]string{}
	for name, tt := range map[string]struct {
		yaml string
		want org.TicketSystem
	}{
		"local": {"system: local", org.TicketSystem{System: org.LocalTickets}},
		"jira cloud": {
			`system: jira
url: https://acme.atlassian.net
user: noc@acme.example
secret: env:DESK_SECRET
project: OPS
type: "[System] Incident"
statuses: {acknowledged: In Progress, closed: Closed}
priorities: {P1: Blocker}
resolution: Done
fields: {components: '[{"name": "shop"}]', customfield_10020: 7, environment: prod}`,
			org.TicketSystem{
				System: org.JiraTickets, URL: "https://acme.atlassian.net", User: "noc@acme.example", Secret: "swordfish", Project: "OPS",
				Type: "[System] Incident", Resolution: "Done", States: map[string]string{"acknowledged": "In Progress", "closed": "Closed"},
				Priorities: map[string]string{"P1": "Blocker"},
				Fields:     map[string]any{"components": []any{map[string]any{"name": "shop"}}, "customfield_10020": 7.0, "environment": "prod"},
			},
		},
		"jira data center": {
			"system: jira\nurl: env:DESK_SECRET\nsecret: env:DESK_SECRET\nproject: OPS\ntype: Bug\nset_priority: false",
			org.TicketSystem{
				System: org.JiraTickets, URL: "swordfish", Secret: "swordfish", Project: "OPS", Type: "Bug", NoPriority: true, States: none,
				Priorities: none, Fields: map[string]any{},
			},
		},
		"jira that tells": {
			"system: jira\nurl: https://acme.example\nsecret: env:DESK_SECRET\nproject: OPS\ntype: Bug\nhook_secret: env:HOOK\nhook_user: muster\nresolves: true",
			org.TicketSystem{
				System: org.JiraTickets, URL: "https://acme.example", Secret: "swordfish", Project: "OPS", Type: "Bug", States: none, Priorities: none,
				Fields: map[string]any{}, HookUser: "muster", Resolves: true,
			},
		},
		"servicenow": {
			"system: servicenow\nurl: https://acme.service-now.com\nuser: muster\nsecret: env:DESK_SECRET\nstatuses: {closed: 7}\npriorities: {P2: 2/1}\nfields: {assignment_group: Network}",
			org.TicketSystem{
				System: org.ServiceNowTickets, URL: "https://acme.service-now.com", User: "muster", Secret: "swordfish", Table: "incident", Journal: "work_notes",
				CloseCode: "Solution provided", States: map[string]string{"closed": "7"}, Priorities: map[string]string{"P2": "2/1"},
				Fields: map[string]any{"assignment_group": "Network"},
			},
		},
		"servicenow changes": {
			"system: servicenow\nurl: https://acme.service-now.com\nsecret: env:DESK_SECRET\ntable: change_request\njournal: comments\nclose_code: successful\nstatuses: {closed: -4}",
			org.TicketSystem{
				System: org.ServiceNowTickets, URL: "https://acme.service-now.com", Secret: "swordfish", Table: "change_request", Journal: "comments",
				CloseCode: "successful", States: map[string]string{"closed": "-4"}, Priorities: none, Fields: map[string]any{},
			},
		},
		"github": {
			"system: github\nsecret: env:DESK_SECRET\nrepository: acme/ops\nstatuses: {resolved: open, merged: not_planned}",
			org.TicketSystem{
				System: org.GitHubTickets, Secret: "swordfish", Project: "acme/ops", Label: "muster",
				States: map[string]string{"resolved": "open", "merged": "not_planned"}, Priorities: none,
			},
		},
		"gitlab": {
			"system: gitlab\nurl: https://gitlab.acme.example\nsecret: env:DESK_SECRET\nproject: acme/team/ops\nstatuses: {resolved: opened}\nfields: {confidential: true}",
			org.TicketSystem{
				System: org.GitLabTickets, URL: "https://gitlab.acme.example", Secret: "swordfish", Project: "acme/team/ops",
				States: map[string]string{"resolved": "opened"}, Priorities: none, Fields: map[string]any{"confidential": true},
			},
		},
		"azure-devops": {
			"system: azure-devops\nurl: https://dev.azure.com/acme\nsecret: env:DESK_SECRET\nproject: Acme Ops\ntype: Issue\npriorities: {P5: 3}",
			org.TicketSystem{
				System: org.AzureTickets, URL: "https://dev.azure.com/acme", Secret: "swordfish", Project: "Acme Ops", Type: "Issue", States: none,
				Priorities: map[string]string{"P5": "3"}, Fields: map[string]any{},
			},
		},
		"redmine": {
			"system: redmine\nurl: https://redmine.acme.example\nsecret: env:DESK_SECRET\nproject: 7\nstatuses: {closed: 5}\npriorities: {P1: 7}",
			org.TicketSystem{
				System: org.RedmineTickets, URL: "https://redmine.acme.example", Secret: "swordfish", Project: "7", States: map[string]string{"closed": "5"},
				Priorities: map[string]string{"P1": "7"}, Fields: map[string]any{},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := ticketed(t, tt.yaml)
			got, err := load(t, files).Tickets()
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
			if printed := fmt.Sprintf("%v %+v", got, got); strings.Contains(printed, "swordfish") {
				t.Errorf("it prints its secret: %s", printed)
			}
			if err := schema(t, "organisation.yaml").Validate(tree(t, files["organisation.yaml"])); err != nil {
				t.Errorf("the schema does not take it: %v", err)
			}
		})
	}
}

func TestFaultsOfTicketSystems(t *testing.T) {
	const jira = "system: jira\nurl: https://acme.atlassian.net\nsecret: env:X\nproject: OPS\ntype: Incident\n"
	const snow = "system: servicenow\nurl: https://acme.service-now.com\nsecret: env:X\n"
	for yaml, want := range map[string]string{
		"system: jira": `organisation.yaml:15:3: organisation: tickets: project: missing; want the key of a project, such as OPS`,
		strings.Replace(jira, "env:X", "hunter2", 1):                           "tickets: secret <secret>: want a reference to a secret",
		strings.Replace(jira, "OPS", "my project", 1):                          `tickets: project "my project": want the key of a project, such as OPS`,
		jira + "statuses: {solved: Done}":                                      `tickets: statuses: unknown key "solved"; did you mean resolved?`,
		jira + "priorities: {high: Highest}":                                   `tickets: priorities: unknown key "high"; known: P1, P2, P3, P4, P5`,
		jira + "priorities: Highest":                                           `tickets: priorities: got "Highest"; want 1 to 50 keys with values`,
		jira + "fields: {components: '[{]'}":                                   `tickets: fields: components "[{]": want a text, or JSON`,
		jira + "set_priority: no":                                              `tickets: set_priority "no": want true or false`,
		jira + "table: incident":                                               `tickets: unknown key "table"`,
		snow + "table: problem":                                                `tickets: table "problem": want incident or change_request`,
		snow + "statuses: {resolved: Resolved}":                                `statuses: resolved "Resolved": want the value of a state, such as 6`,
		snow + "priorities: {P1: 1}":                                           `priorities: P1 "1": want impact and urgency, such as 1/2`,
		"system: github\nsecret: env:X\nrepository: ops":                       `repository "ops": want a repository with its owner, such as mirnet/ops`,
		"system: github\nsecret: env:X\nrepository: ../x/y":                    `repository "../x/y": want a repository`,
		"system: github\nsecret: env:X\nrepository: a/b\nfields: {}":           `tickets: unknown key "fields"`,
		"system: gitlab\nsecret: env:X\nproject: a//b":                         `project "a//b": want the number or the path of a project`,
		"system: redmine\nurl: https://r.example\nsecret: env:X\nproject: ops": `project "ops": want a number, such as 7`,
		"system: azure-devops\nsecret: env:X\nproject: a\ntype: Issue":         `tickets: url: missing`,
		jira + "hook_secret: env:X":                                            `organisation.yaml:20:16: organisation: tickets: hook_user: missing; want Muster's own user there`,
		jira + "hook_user: muster\nhook_secret: hunter2":                       "tickets: hook_secret <secret>: want a reference to a secret",
		snow + "resolves: true":                                                `tickets: resolves: want hook_secret too`,
		"system: local\nresolves: true":                                        `tickets: resolves: want none, because tickets of the system local are files`,
		"system: jura\nproject: OPS\ntype: Incident":                           `system "jura": want local, webhook, jira, servicenow, github, gitlab, azure-devops or redmine`,
	} {
		got := faults(t, ticketed(t, yaml))
		if all := strings.Join(got, "\n"); !strings.Contains(all, want) || strings.Contains(all, "hunter2") || strings.HasPrefix(yaml, "system: jura") && len(got) != 1 {
			t.Errorf("%s:\ngot %s\nwant %s", yaml, all, want)
		}
	}
}

// What the pages about ticket systems say to put into the folder is what Muster takes, with all that may be added and without.
func TestPagesOfTicketSystems(t *testing.T) {
	pages, err := filepath.Glob("../../docs/tickets/*.md")
	if err != nil || len(pages) != 9 {
		t.Fatal(pages, err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var whole []string
		for _, b := range blocks.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(b[1], "  ") {
				whole = append(whole, whole[0]+b[1])
			} else {
				whole = append(whole, b[1])
			}
		}
		if len(whole) == 0 && filepath.Base(page) != "README.md" {
			t.Errorf("%s: no YAML", page)
		}
		for _, w := range whole {
			files := good(t)
			change{"organisation.yaml", webhookTickets, w}.in(t, files)
			load(t, files)
		}
	}
}

func TestTheSecretOfAHook(t *testing.T) {
	const hooked = "system: gitlab\nsecret: env:X\nproject: \"7\"\nhook_secret: env:HOOK_SECRET"
	if _, on, err := load(t, ticketed(t, "system: local")).TicketHook(); on || err != nil {
		t.Errorf("files tell something: %v", err)
	}
	o := load(t, ticketed(t, hooked))
	if _, _, err := o.TicketHook(); err == nil || !strings.Contains(err.Error(), "tickets: hook_secret env:HOOK_SECRET: not set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("HOOK_SECRET", "swordfish")
	if hook, on, err := o.TicketHook(); hook.HookSecret != "swordfish" || hook.System != org.GitLabTickets || !on || err != nil {
		t.Errorf("got %+v, %t, %v", hook, on, err)
	}
}
