package incident

import (
	"slices"
	"strings"

	"muster/internal/alert"
	"muster/internal/ticket"
)

// Bounds of what messages quote of an alert.
const (
	quotedMost = 500  // characters of all that it says
	linksMost  = 5    // links …
	linksLong  = 1500 // … and their bytes together: what is too long is left out, for half a link leads nowhere
)

// quoted is the alert that messages quote: the first one that fires and is held with its text, nil when there is none.
func (i *Incident) quoted() *alert.Alert {
	if !i.Definition.Quotes {
		return nil
	}
	n := slices.IndexFunc(i.Alerts.Full, func(h alert.Held) bool { return h.State == alert.Firing })
	if n < 0 {
		return nil
	}
	return &i.Alerts.Full[n].Alert
}

// quote is what the quoted alert says of itself and the title does not.
func (i *Incident) quote() string {
	a := i.quoted()
	if a == nil {
		return ""
	}
	return ticket.Cut(strings.Join(a.Sentences(i.Definition.Title), "\n"), quotedMost)
}

// links are what a page shows: the room first, at the end where the quoted alert leads and nothing else does.
func (i *Incident) links() []Link {
	var all []Link
	if i.Room.Ref.URL != "" && !i.Room.Archived {
		all = append(all, Link{Name: "Slack", URL: i.Room.Ref.URL})
	}
	all = append(all, i.Definition.Links...)
	if a := i.quoted(); a != nil {
		all = append(all, AlertLinks(*a, all)...)
	}
	return all
}

// Planned tells whether there was a response plan for it: a runbook or playbook of its service or of one of its alerts, or something that
// Muster does by itself.
func (i *Incident) Planned() bool {
	plan := func(l Link) bool { return l.Kind == Runbook || l.Kind == Playbook }
	return i.Definition.Automatic != nil || slices.ContainsFunc(i.Definition.Links, plan) || slices.ContainsFunc(i.Alerts.Full, func(h alert.Held) bool {
		return slices.ContainsFunc(AlertLinks(h.Alert, nil), plan)
	})
}

// AlertLinks are where an alert leads that the known links do not: its runbook, dashboard and panel, where its source shows it, and then
// whatever else it calls by a link.
func AlertLinks(a alert.Alert, known []Link) []Link {
	found := []Link{
		{Kind: Runbook, URL: a.Annotations.Value("runbook_url")},
		{Kind: Dashboard, URL: a.Annotations.Value("dashboard_url")},
		{Kind: Panel, URL: a.Annotations.Value("panel_url")},
		{Kind: AlertSource, URL: a.Generator},
	}
	for _, l := range a.Annotations {
		if l.Name != "silence_url" { // it would hide the alert where it comes from
			found = append(found, Link{Name: l.Name, URL: l.Value})
		}
	}
	var all []Link
	long := 0
	for _, l := range found {
		same := func(k Link) bool { return k.URL == l.URL }
		if len(all) == linksMost || long+len(l.URL) > linksLong || !leads(l.URL) || slices.ContainsFunc(known, same) || slices.ContainsFunc(all, same) {
			continue
		}
		all, long = append(all, l), long+len(l.URL)
	}
	return all
}

// leads tells whether a text looks like a link to a web page and nothing else. Whoever shows it looks whether it is one: reading a URL is
// not for workflows.
func leads(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' })
}
