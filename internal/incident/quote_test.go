package incident_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/incident"
)

// spoken is an alert that says something of itself.
func spoken(fp string, annotations map[string]string) alert.Received {
	r := firing(fp, start)
	r.Annotations, r.Generator = alert.FromMap(annotations), "https://prometheus.example.com/"+fp
	return r
}

// quoting is an incident of a definition of today.
func quoting(t *testing.T, as ...alert.Received) *incident.Incident {
	t.Helper()
	def := definition()
	def.Quotes, def.Links = true, []incident.Link{{Name: "Wiki", URL: "https://wiki.example.com"}}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, as...), start)
	return i
}

func TestMessagesQuoteTheFirstAlertThatFires(t *testing.T) {
	first := spoken("a", map[string]string{
		"summary": "Checkout is slow", "description": "Half of the requests take 8 s.", "runbook_url": "https://wiki.example.com",
		"dashboard_url": "https://grafana.example.com/d/1", "logs": "https://logs.example.com", "silence_url": "https://grafana.example.com/silence",
	})
	i := quoting(t, first, spoken("b", map[string]string{"description": "Another."}))
	f := i.Facts()
	if f.Said != "Half of the requests take 8 s." {
		t.Errorf("says %q", f.Said)
	}
	want := []incident.Link{
		{Name: "Wiki", URL: "https://wiki.example.com"},
		{Kind: incident.Dashboard, URL: "https://grafana.example.com/d/1"},
		{Kind: incident.AlertSource, URL: "https://prometheus.example.com/a"},
		{Name: "logs", URL: "https://logs.example.com"},
	}
	if !slices.Equal(f.Links, want) {
		t.Errorf("leads to %+v, want %+v", f.Links, want)
	}
	over := resolved("a", start)
	i.Receive(batch(start.Add(time.Minute), over), start.Add(time.Minute))
	if f = i.Facts(); f.Said != "Another." || f.Links[1].URL != "https://prometheus.example.com/b" {
		t.Errorf("after the first is over: says %q, leads to %+v", f.Said, f.Links)
	}
}

func TestQuotesAreBoundedAndLeadToPages(t *testing.T) {
	notes := map[string]string{"summary": strings.Repeat("가", 4000), "runbook_url": "javascript:alert(1)", "panel_url": "https://x.example.com/ and more"}
	for n := range 9 {
		notes[fmt.Sprintf("link_%d", n)] = fmt.Sprintf("https://x.example.com/%d/%s", n, strings.Repeat("x", n*100))
	}
	f := quoting(t, spoken("a", notes)).Facts()
	long, links := 0, f.Links[1:]
	for _, l := range links {
		if long += len(l.URL); !strings.HasPrefix(l.URL, "https://") || strings.Contains(l.URL, " ") {
			t.Errorf("leads to %q", l.URL)
		}
	}
	if len(links) != 5 || long > 1500 || utf8.RuneCountInString(f.Said) != 500 {
		t.Errorf("%d links of %d bytes, %d characters", len(links), long, utf8.RuneCountInString(f.Said))
	}
	notes = map[string]string{"runbook_url": "https://x.example.com/" + strings.Repeat("x", 1500), "logs": "https://logs.example.com"}
	if f = quoting(t, spoken("a", notes)).Facts(); slices.ContainsFunc(f.Links, func(l incident.Link) bool { return l.Kind == incident.Runbook }) || len(f.Links) != 3 {
		t.Errorf("leads to %+v", f.Links)
	}
}

func TestWhatIsNotQuoted(t *testing.T) {
	a := spoken("a", map[string]string{"description": "Half of the requests take 8 s."})
	i := quoting(t, a)
	i.Definition.Kind = incident.SecurityIncident
	if f := i.Facts().Discreet(); f.Said != "" || f.Links != nil {
		t.Errorf("a restricted incident says %q to all, and leads to %+v", f.Said, f.Links)
	}
	i = quoting(t, a)
	i.Definition.Quotes = false // as in old definitions
	if f := i.Facts(); f.Said != "" || len(f.Links) != 1 {
		t.Errorf("by an old definition: says %q, leads to %+v", f.Said, f.Links)
	}
}

func TestWhichIncidentsHaveAResponsePlan(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(i *incident.Incident)
		want   bool
	}{
		"nothing": {func(*incident.Incident) {}, false},
		"a dashboard": {func(i *incident.Incident) {
			i.Definition.Links = []incident.Link{{Kind: incident.Dashboard, URL: "https://d"}}
		}, false},
		"a runbook": {func(i *incident.Incident) {
			i.Definition.Links = []incident.Link{{Kind: incident.Runbook, Runbook: "RUN001"}}
		}, true},
		"a playbook": {func(i *incident.Incident) {
			i.Definition.Links = []incident.Link{{Kind: incident.Playbook, URL: "https://p"}}
		}, true},
		"it does it by itself": {func(i *incident.Incident) { i.Definition.Automatic = automatic(false) }, true},
		"the alert says": {func(i *incident.Incident) {
			i.Alerts.Full[0].Annotations = alert.FromMap(map[string]string{"runbook_url": "https://r.example/down"})
		}, true},
		"the alert says something else": {func(i *incident.Incident) {
			i.Alerts.Full[0].Annotations = alert.FromMap(map[string]string{"runbook_url": "see the wiki", "dashboard_url": "https://d.example"})
		}, false},
	} {
		i := opened(t).i
		i.Definition.Links = nil
		if tt.change(i); i.Planned() != tt.want {
			t.Errorf("%s: got %v, want %v", name, i.Planned(), tt.want)
		}
	}
}
