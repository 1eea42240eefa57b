package acceptance_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter/api"
	"muster/starter/ingest"
)

// announce posts what a cloud announces.
func (s *system) announce(t *testing.T, body string) {
	t.Helper()
	must(t, until(t.Context(), "the announcement is taken", func() error {
		resp, err := http.Post(s.url+ingest.Prefix+"eventbridge", "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the intake answers %d", resp.StatusCode)
		}
		return cmp.Or(err, resp.Body.Close())
	}))
}

// What a cloud announces opens one run of a plan, however often it is said and whatever else is announced for that environment; what
// it says later stands in the run's timeline. It opens no incident.
func TestWhatACloudAnnouncesOpensItsPlan(t *testing.T) {
	folder, sink := t.TempDir(), newReceiver(t)
	org := organise(t, folder, sink.url, nil)
	settings, err := os.ReadFile(filepath.Join(org, "organisation.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "organisation.yaml"), string(settings)+
		"  service-engineer: [person:ann]\n  operations-manager: [person:gus]\n")
	customers, err := os.ReadFile(filepath.Join(org, "customers.yaml"))
	must(t, err)
	write(t, filepath.Join(org, "customers.yaml"), strings.Replace(string(customers), "roles: {owner: ", "roles: {customer-owner: [person:sue], owner: ", 1))
	write(t, filepath.Join(org, "sources.yaml"), `sources:
  - id: cloud
    type: eventbridge
    planned: [{match: {category: scheduledChange}, plan: provider-event, customer: globex}]
`)
	s := nodeAt(t, folder, sink)
	fixture := func(name string) string {
		text, err := os.ReadFile("../../starter/ingest/testdata/eventbridge/" + name + ".json")
		must(t, err)
		return string(text)
	}
	lifecycle := fixture("health-lifecycle")
	for range 3 {
		s.announce(t, lifecycle)
	}
	s.announce(t, fixture("health-retirement"))
	s.announce(t, strings.Replace(lifecycle, "01 Apr 2027", "01 Jun 2027", 1))
	s.announce(t, fixture("health-lifecycle-over"))

	titles := map[string]planrun.ID{}
	must(t, until(t.Context(), "both runs are listed", func() error {
		page, err := s.api.PlanRuns(t.Context(), api.PlanRunFilter{Open: true})
		if err != nil {
			return err
		}
		clear(titles)
		for _, row := range page.PlanRuns {
			titles[row.Title] = row.ID
		}
		if len(page.PlanRuns) != 2 || len(titles) != 2 {
			return fmt.Errorf("listed are %+v", page.PlanRuns)
		}
		return nil
	}))
	var about planrun.ID
	for title, id := range titles {
		if strings.Contains(title, "EKS") {
			about = id
		}
	}
	run, err := s.api.PlanRun(t.Context(), about)
	must(t, err)
	var notes []string
	for _, e := range run.Timeline.Entries {
		if e.Kind == timeline.Noted {
			notes = append(notes, e.Fact("text"))
		}
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "2027-06-01 09:00 KST") || !strings.Contains(notes[1], "closed") {
		t.Errorf("the timeline has the news %q, want the new date and that it is closed", notes)
	}
	if run.Starter.ID != "cloud" || run.Starter.Kind != timeline.Source {
		t.Errorf("started by %+v", run.Starter)
	}
	incidents, err := s.api.List(t.Context(), api.Filter{})
	must(t, err)
	if len(incidents.Incidents) != 0 {
		t.Errorf("incidents: %+v", incidents.Incidents)
	}
	must(t, until(t.Context(), "whoever sees to it is told at once", func() error {
		got := sink.got(func(a attempt) bool {
			return a.path == "/ann/app" && strings.Contains(a.text, "EKS: planned lifecycle event")
		})
		if len(got) == 0 {
			return fmt.Errorf("nobody is told")
		}
		return nil
	}))
}
