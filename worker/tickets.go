package worker

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"muster/activities"
	"muster/internal/github"
	"muster/internal/jira"
	"muster/internal/localticket"
	"muster/internal/org"
	"muster/internal/outbound"
	"muster/internal/preset"
	"muster/internal/servicenow"
	"muster/internal/tickethook"
	"muster/internal/webhook"
)

// ticketTimeout is of one request. Some systems take their time; what an attempt has done by its end, the next one finds.
const ticketTimeout = 7 * time.Second

// Tickets is the ticket system of an organisation.
func Tickets(o *org.Organisation, data string) (activities.TicketSystem, error) {
	t, err := o.Tickets()
	if err != nil {
		return nil, fmt.Errorf("ticket system: %w", err)
	}
	guard, url, secret := outbound.Guard{Allow: o.OwnNetworks()}, string(t.URL), string(t.Secret)
	switch t.System {
	case org.LocalTickets:
		return localticket.New(filepath.Join(data, "tickets"))
	case org.WebhookTickets:
		return &webhook.Tickets{Client: guarded(o), URL: url, Secret: secret}, nil
	case org.JiraTickets:
		return &jira.Project{
			Guard: guard, Timeout: ticketTimeout, URL: url, User: t.User, Token: secret, Key: t.Project, Type: t.Type, Statuses: t.States,
			Priorities: priorities(t, jira.Priorities()), Resolution: t.Resolution, Fields: t.Fields,
		}, nil
	case org.ServiceNowTickets:
		return &servicenow.Table{
			Guard: guard, Timeout: ticketTimeout, URL: url, User: t.User, Token: secret, Name: t.Table, Journal: t.Journal, CloseCode: t.CloseCode,
			States: over(servicenow.States(t.Table), t.States), Priorities: priorities(t, servicenow.Priorities()), Fields: t.Fields,
		}, nil
	case org.GitHubTickets:
		return &github.Repository{
			Guard: guard, Timeout: ticketTimeout, URL: cmp.Or(url, github.API), Token: secret, Name: t.Project, Label: t.Label,
			States: over(github.States(), t.States), Labels: priorities(t, github.Labels()),
		}, nil
	}
	p, err := preset.Load(t.System)
	if err != nil {
		return nil, fmt.Errorf("ticket system: %w", err)
	}
	return &preset.Desk{
		Guard: guard, Timeout: ticketTimeout, Preset: p, URL: url, Secret: secret, Settings: map[string]string{"project": t.Project, "type": t.Type},
		States: t.States, Priorities: t.Priorities, NoPriority: t.NoPriority, Fields: t.Fields,
	}, nil
}

// over is what an organisation says over what is usual.
func over(usual, own map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, usual)
	maps.Copy(all, own)
	return all
}

func priorities(t org.TicketSystem, usual map[string]string) map[string]string {
	if t.NoPriority {
		return nil
	}
	return over(usual, t.Priorities)
}

// TicketHook is how the ticket system of an organisation tells what is done to tickets there, nil where it may not.
func TicketHook(o *org.Organisation) (*tickethook.System, error) {
	t, on, err := o.TicketHook()
	if err != nil || !on {
		return nil, err
	}
	s := &tickethook.System{Name: t.System, Secret: string(t.HookSecret), Users: []string{t.User, t.HookUser}, States: t.States}
	switch t.System {
	case org.GitHubTickets, org.GitLabTickets:
		s.Project = t.Project
	case org.ServiceNowTickets:
		s.States = over(servicenow.States(t.Table), t.States)
	case org.RedmineTickets:
		p, err := preset.Load(t.System)
		if err != nil {
			return nil, fmt.Errorf("ticket system: %w", err)
		}
		s.States = over(p.States, t.States)
	}
	return s, nil
}
