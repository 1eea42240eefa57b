package acceptance_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"

	alerts "muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
	"muster/workflows"
)

// A person holds the alerts of a group back. The node is killed in the middle, and knows it afterwards: nobody is paged until the
// silence ends, what still fires is an incident then, and whoever has made the silence hears what it held back, once.
func TestASilenceOutlivesAKilledNode(t *testing.T) {
	t.Parallel()
	sink := newReceiver(t)
	s, life, now := mortal(t, "node", sink, nil)
	ann := s.as(t, "ann")
	made, err := ann.MakeSilence(t.Context(), api.NewSilence{
		Services: []string{"till"}, Labels: []string{"group=quiet"}, Until: time.Now().Add(24 * time.Hour), Reason: "The disk is replaced",
	}, "k1")
	must(t, err)
	holds := func(count, firing int) {
		t.Helper()
		must(t, until(t.Context(), fmt.Sprintf("%d alerts are held back, %d of which fire", count, firing), func() error {
			x, err := ann.Silence(t.Context(), made.ID)
			if err != nil {
				return err
			}
			if c, f := silence.Counts(x.Held); c != count || f != firing || x.Status != silence.Holding {
				return fmt.Errorf("it is %s with %+v", x.Status, x.Held)
			}
			return nil
		}))
	}
	must(t, deliver(t.Context(), s.url, body("till", "quiet", "firing", 2, "")))
	must(t, deliver(t.Context(), s.url, body("till", "loud", "firing", 1, "")))
	holds(2, 2)
	now.kill()
	now = life()
	now.awaitReady(t)
	must(t, deliver(t.Context(), s.url, body("till", "quiet", "firing", 3, ""))) // one more of them
	must(t, deliver(t.Context(), s.url, body("till", "quiet", "resolved", 1, "")))
	holds(3, 2)
	loud, err := opened(t.Context(), s.api, "loud")
	must(t, err)
	if all, err := byGroup(t.Context(), s.api); err != nil || len(all["quiet"]) > 0 {
		t.Errorf("while it holds there are %+v (%v)", all["quiet"], err)
	}
	lists := func(f api.SilenceFilter, want string) {
		t.Helper()
		must(t, until(t.Context(), "the list says "+want, func() error {
			page, err := ann.Silences(t.Context(), f)
			got := ""
			for _, row := range page.Silences {
				got += fmt.Sprintf("%s %s", row.ID, row.Status)
				if row.Count != nil && row.Firing != nil {
					got += fmt.Sprintf(" %d/%d", *row.Firing, *row.Count)
				}
			}
			if err == nil && got != want {
				err = errors.New("it says " + got)
			}
			return err
		}))
	}
	lists(api.SilenceFilter{Open: true}, string(made.ID)+" holding")
	_, err = ann.EndSilence(t.Context(), made.ID, silence.End{Reason: "it is in"}, "k2")
	must(t, err)
	id, err := opened(t.Context(), s.api, "quiet")
	must(t, err)
	must(t, until(t.Context(), "ann hears what was held back, and somebody is paged", func() error {
		heard := sink.got(taken(func(a attempt) bool { return a.Message.Kind == delivery.Silence && a.path == "/ann/app" }))
		paged := sink.got(taken(func(a attempt) bool { return a.Message.Kind == delivery.Page && a.Message.Incident == string(id) }))
		if len(heard) == 0 || len(paged) == 0 {
			return fmt.Errorf("%d and %d", len(heard), len(paged))
		}
		return nil
	}))
	if heard := sink.got(func(a attempt) bool { return a.Message.Kind == delivery.Silence }); len(ids(heard)) != 1 {
		t.Errorf("what was held back is told %d times", len(ids(heard)))
	}
	lists(api.SilenceFilter{Status: silence.Ended}, string(made.ID)+" ended 2/3")
	lists(api.SilenceFilter{Open: true}, "")
	x, err := ann.Silence(t.Context(), made.ID)
	must(t, err)
	if all := silence.Incidents(x.Held); x.Why != silence.ByHand || len(all) != 1 || all[0] != string(id) {
		t.Errorf("it has ended %s, and what it held is in %v, want %s", x.Why, all, id)
	}
	i, err := s.api.Incident(t.Context(), id)
	must(t, err)
	if got := entriesOf(i.Timeline.Entries, timeline.AlertsWereHeld, "silence", string(made.ID)); len(got) != 1 || i.Alerts.Firing != 2 {
		t.Errorf("its timeline says %d times who has held its alerts back, and %d fire", len(got), i.Alerts.Firing)
	}
	for _, id := range []incident.ID{id, loud} {
		must(t, do(t.Context(), s.api, id, incident.Acknowledge{}, api.NewKey()))
	}
	sink.check(t)
}

// silencing are the terms of a silence of one group, from now on for a time.
func silencing(group string, lasts time.Duration) silence.Terms {
	return silence.Terms{
		Tell: []escalation.Target{{Kind: escalation.Person, ID: "ann"}},
		Asked: silence.Asked{
			Match: silence.Match{Services: []string{"shop"}, Labels: []silence.Label{{Name: "group", Values: []string{group}}}},
			From:  time.Now(), Until: time.Now().Add(lasts), Reason: "The disk is replaced.",
		},
		Pinned: silence.Pinned{Organisation: "Night", Zone: "UTC"},
	}
}

// holding makes a silence of a group and waits until it has taken alerts.
func (e *ends) holding(terms silence.Terms, count int, tell func()) (workflow string, s *silence.Silence) {
	e.Helper()
	made, err := e.incidents.Silences().Make(e.Context(), e.request("ann"), terms)
	must(e.T, err)
	workflow = workflows.AlertSilenceWorkflowID(made.ID)
	becomes(e, workflow, "it has begun", func(s *silence.Silence) bool { return s.Status == silence.Holding })
	tell()
	return workflow, becomes(e, workflow, "it holds alerts back", func(s *silence.Silence) bool {
		held, _ := silence.Counts(s.Held)
		return held == count
	})
}

// silenceEnded is made before it begins, ended by hand, and what it held is an incident that says so.
func (e *ends) silenceEnded() []*historypb.History {
	terms := silencing("held", time.Hour)
	terms.From = time.Now().Add(2 * time.Second)
	workflow, s := e.holding(terms, 1, func() { e.tell(e.T, "shop", "held", alerts.Firing, 1) })
	must(e.T, e.incidents.Silences().End(e.Context(), s.ID, e.request("cat"), silence.End{Reason: "The disk is in."}))
	e.state(e.T, "shop", "held", "it is an incident", func(*incident.Incident) bool { return true })
	e.tell(e.T, "shop", "held", alerts.Resolved, 2)
	keep(e.T, "incident-held", e.ended(e.T, "shop", "held"))
	return e.run(e.T, workflow)
}

// silenceOver is one of the folder, in which all has resolved.
func (e *ends) silenceOver() []*historypb.History {
	own := *e
	own.bare = &bare{temporal: e.temporal, live: e.live, incidents: &starter.Incidents{
		Temporal: e.temporal, Namespace: e.incidents.Namespace, Keys: e.incidents.Keys,
	}}
	terms := silencing("nightly", 4*time.Second)
	terms.From = terms.From.Add(-time.Minute)
	terms.ID, terms.Window, terms.Name = silence.WindowID("nightly", terms.From), "nightly", "Nightly backup"
	own.incidents.Folder = func() starter.Folder { return windows{{Terms: terms}} }
	own.tell(e.T, "shop", "nightly", alerts.Firing, 1)
	own.tell(e.T, "shop", "nightly", alerts.Resolved, 2)
	return e.run(e.T, workflows.AlertSilenceWorkflowID(terms.ID))
}

// windows are the silences of a folder.
type windows []silence.Window

func (w windows) Silences(time.Time) []silence.Window { return w }

func (windows) Definition(string, alerts.Labels, string, ...alerts.Labels) (incident.Definition, error) {
	return incident.Definition{}, errors.New("nothing is divided")
}

// silenceFull has more than it holds.
func (e *ends) silenceFull() []*historypb.History {
	workflow, _ := e.holding(silencing("storm", time.Hour), 101, func() {
		labels := alerts.FromMap(map[string]string{"service": "shop", "group": "storm"})
		def, err := e.live.Current().Definition("alertmanager", labels, "")
		must(e.T, err)
		b := alerts.Batch{ID: "storm", Source: "alertmanager", ReceivedAt: time.Now().UTC(), Posts: 1}
		for n := range 101 {
			b.Alerts = append(b.Alerts, alerts.Received{Times: 1, Alert: alerts.Alert{
				Fingerprint: fmt.Sprint("storm", n), Name: "Trouble", State: alerts.Firing, StartsAt: time.Now().UTC(), Labels: labels,
			}})
		}
		must(e.T, e.incidents.Deliver(e.Context(), groupID("shop", "storm"), def, b))
	})
	return e.run(e.T, workflow)
}

// continuing is the request of a silence that goes on in a new run, by which it is known before it is made.
const continuing = "TestOutcomeHistoriesAsRecorded/silence-continued-1"

func continuingSilence() string {
	digest := sha256.Sum256([]byte("silence " + continuing))
	return workflows.AlertSilenceWorkflowID(silence.NewID(binary.BigEndian.Uint64(digest[:])))
}

// silenceContinued goes on in a new run, with what it holds.
func (e *ends) silenceContinued() []*historypb.History {
	workflow, s := e.holding(silencing("long", time.Hour), 1, func() { e.tell(e.T, "shop", "long", alerts.Firing, 1) })
	if workflow != continuingSilence() {
		e.Fatalf("it is %s, want %s", workflow, continuingSilence())
	}
	for n := range 20 {
		if e.tell(e.T, "shop", "long", alerts.Firing, 2+n); len(e.chain(workflow)) == 2 {
			break
		}
	}
	becomes(e, workflow, "the next run goes on with it", func(s *silence.Silence) bool { return len(s.Held) == 1 })
	must(e.T, e.incidents.Silences().End(e.Context(), s.ID, e.request("ann"), silence.End{}))
	e.run(e.T, workflow)
	return e.chain(workflow)
}
