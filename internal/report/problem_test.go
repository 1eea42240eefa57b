package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/report"
	"muster/internal/timeline"
)

// solved is a problem with a whole life behind it: it has recurred once after its fix, and is fixed anew.
func solved(t *testing.T) *problem.Problem {
	t.Helper()
	occurs := func(id incident.ID, day int) problem.Occurrence {
		return problem.Occurrence{
			Incident: id, Title: "Checkout | errors", Started: start().AddDate(0, 0, day), Closed: start().AddDate(0, 0, day).Add(2 * time.Hour),
			Keys: []problem.Key{{By: incident.SameAlert, Value: "ShopCheckoutErrors"}},
		}
	}
	p, err := problem.Start(problem.Terms{
		ID: "PRB-7K3M9QX2PA", Request: "r", Opener: timeline.Muster(), Title: "Checkout | errors",
		Key:       problem.Key{By: incident.SameAlert, Value: "ShopCheckoutErrors"},
		Incidents: []problem.Occurrence{occurs("INC-0000000001", -20), occurs("INC-0000000002", -9), occurs("INC-0000000003", 0)},
		Rule:      &problem.Rule{Times: 3, Within: 30 * 24 * time.Hour, By: incident.Samenesses()},
		Pinned: problem.Pinned{
			Revision: "abc123", Organisation: "미르넷", Zone: "Asia/Seoul", Service: incident.Service{ID: "shop", Name: "가람 쇼핑몰"},
			Owner:    problem.Owner{Targets: []escalation.Target{{Kind: escalation.Group, ID: "noc"}}, Name: "관제팀"},
			Escalate: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}, Watch: problem.Usual,
			Remind: problem.Idle{Days: 5, Calendar: "office"},
		},
	}, after(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	kim, day := person("kim", "김민수"), func(n int) time.Time { return start().AddDate(0, 0, n) }
	for n, c := range []problem.Command{
		problem.SetKnownError{Text: "The pool of connections runs dry."},
		problem.SetKnownError{Text: "The pool of connections runs dry when the cache is cold.", Workaround: "1. Drain the node.\n2. Restart it | wait."},
		problem.SetCause{Text: "Connections are not given back after a time-out."},
		problem.SetFix{Text: "Give them back.", Actions: []string{"ACT-0000000001", "ACT-0000000002"}, Planned: true},
		problem.SetFix{Text: "They are given back."},
	} {
		if err := c.Check(p, kim); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(p, kim, day(n+1)); err != nil {
			t.Fatal(err)
		}
	}
	p.Occurred(occurs("INC-0000000004", 8), day(8))
	fix := problem.SetFix{Text: "They are given back, by the timer too."}
	if err := fix.Apply(p, kim, day(9)); err != nil {
		t.Fatal(err)
	}
	p.Advance(day(39))
	return p
}

func TestProblemReports(t *testing.T) {
	all, whole := texts(t), solved(t)
	bare, err := problem.Start(problem.Terms{
		ID: "PRB-0000000001", Opener: person("kim", "김민수"), Title: "It is slow", Key: problem.Key{By: incident.SameHand, Value: "x"},
		Pinned: problem.Pinned{
			Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"}, Watch: time.Hour, Remind: problem.Idle{Within: time.Hour},
			Owner: problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Name: "Kim"},
		},
	}, start())
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range all.Languages() {
		for _, f := range []report.Format{report.Markdown, report.HTML} {
			for name, p := range map[string]*problem.Problem{"problem": whole, "problem.bare": bare} {
				out, err := all.ProblemReport(p, report.Edition{Language: language, Format: f, At: start().AddDate(0, 0, 40)})
				if err != nil {
					t.Fatal(err)
				}
				golden(t, fmt.Sprintf("%s.%s.%s", name, language, f), string(out))
			}
		}
		if out, err := all.ProblemReport(whole, report.Edition{Language: language, Format: report.PDF, At: start()}); err != nil || !strings.HasPrefix(string(out), "%PDF") {
			t.Errorf("as PDF in %s: %v", language, err)
		}
	}
}

func TestProblemMessages(t *testing.T) {
	telling := func(a problem.About, s problem.Status) problem.Telling {
		return problem.Telling{
			About: a, ID: "PRB-7K3M9QX2PA", Title: "Checkout errors", Service: "가람 쇼핑몰", Owner: "관제팀", Zone: "Asia/Seoul", Status: s,
			Same: incident.SameAlert, Value: "ShopCheckoutErrors", Incidents: 4, Last: "INC-0000000004", Error: "The pool runs dry.", Since: start(),
			Round: 2, Watched: problem.Usual,
		}
	}
	byHand := telling(problem.Begun, problem.Open)
	byHand.Same, byHand.Value, byHand.Incidents, byHand.Last, byHand.Error = "", "", 0, "", ""
	noise := telling(problem.Begun, problem.Open)
	noise.Same, noise.Error = incident.SameNoise, ""
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, x := range []problem.Telling{
			telling(problem.Begun, problem.Open), byHand, noise, telling(problem.Recurred, problem.Known), telling(problem.Stale, problem.Known),
			telling(problem.Escalated, problem.Known), telling(problem.Over, problem.Closed),
		} {
			m, err := all.Problem(x, delivery.Recipient{ID: "kim", Name: "Kim", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Problem || strings.ContainsAny(m.Subject, "\n\r") {
				t.Errorf("%s in %s: got %+v", x.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s %s\nSubject: %s\n\n%s\n", x.About, x.Status, m.Subject, m.Text)
		}
		golden(t, "problem."+language+".txt", b.String())
	}
}

// Whoever is paged reads what is known of the problem behind the incident.
func TestAPageTellsTheKnownProblem(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		m, err := all.Message(incident.Telling{Kind: delivery.Page, Step: 1, Facts: incident.Facts{
			ID: "INC-0000000004", Title: "Checkout errors", Service: "Shop", Problem: &incident.KnownProblem{
				ID: "PRB-7K3M9QX2PA", Title: "The pool", Status: "known-error", KnownError: "The pool runs dry.", Workaround: "Restart the node.\nThen wait.",
			},
		}}, delivery.Recipient{Language: language})
		if err != nil || !strings.Contains(m.Text, "PRB-7K3M9QX2PA, The pool\n  The pool runs dry.\n") || !strings.Contains(m.Text, "\n  Restart the node.\n  Then wait.\n") {
			t.Errorf("in %s: %v, %s", language, err, m.Text)
		}
	}
}
