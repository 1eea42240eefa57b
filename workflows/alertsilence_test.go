package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/workflows"
)

// Silence writes what can be told apart: why it has ended, and of each name how often it fired, how many still do, and where they are.
func (writer) Silence(t silence.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Silence, Language: to.Language, Subject: string(t.Why)}
	for _, h := range t.Held {
		m.Text += fmt.Sprintf("%s on %s %d/%d %v;", h.Name, h.Service, h.Firing, h.Count, h.Incidents)
	}
	return m, nil
}

// quiet is a silence of kim's for two hours.
func quiet() silence.Terms {
	return silence.Terms{
		ID: "SIL-7K3M9QX2PA", Request: "r", By: kim, Tell: []escalation.Target{{Kind: escalation.Person, ID: "kim"}},
		Asked: silence.Asked{
			Match: silence.Match{Services: []string{"shop"}}, From: start, Until: start.Add(2 * time.Hour), Reason: "The disk is replaced.",
		},
		Pinned: silence.Pinned{Zone: "UTC"},
	}
}

// holds lets alerts of a group arrive at a silence.
func (r *rehearsal) holds(after time.Duration, key string, alerts ...alert.Received) {
	r.holdsOf(after, key, 1_000, alerts...)
}

// holdsOf is holds for a definition of so many bytes.
func (r *rehearsal) holdsOf(after time.Duration, key string, size int, alerts ...alert.Received) {
	r.at(after, func() {
		h := workflows.HeldBatch{
			Key: key, Definition: incident.Definition{Service: incident.Service{ID: "shop", Name: "Shop"}}, Size: size,
			Batch: alert.Batch{ID: "b", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: alerts},
		}
		r.env.SignalWorkflow(workflows.HeldAlertsSignal, sealed(r, workflows.HeldAlertsSignal, "", prometheus, h))
	})
}

// silenced runs a silence to its end and returns it.
func (r *rehearsal) keepsQuiet(terms silence.Terms, by timeline.Actor) *silence.Silence {
	r.Helper()
	r.under(workflows.AlertSilenceWorkflowID(terms.ID))
	r.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow, sealed(r, workflows.AlertSilenceWorkflow, "", by, workflows.AlertSilenceInput{Terms: terms}))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	return r.quietness()
}

func (r *rehearsal) quietness() *silence.Silence {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var s silence.Silence
	if err := v.Get(&s); err != nil {
		r.Fatal(err)
	}
	return &s
}

// went wants these batches to have been let go: "incident/a on shop: a".
func (r *rehearsal) went(want ...string) {
	r.Helper()
	if d := cmp.Diff(want, r.outside.has()); d != "" {
		r.Errorf("let go (-want +got):\n%s", d)
	}
}

func (r *rehearsal) said(want ...string) {
	r.Helper()
	if d := cmp.Diff(want, r.told()); d != "" {
		r.Errorf("told (-want +got):\n%s", d)
	}
}

// happened lists the kinds of a timeline, but for deliveries.
func happened(log timeline.Log) (all []string) {
	for _, e := range log.Entries {
		if e.Kind != timeline.Delivered {
			all = append(all, strings.TrimPrefix(string(e.Kind), "silence."))
		}
	}
	return all
}

func TestASilenceHoldsAlertsAndSaysSo(t *testing.T) {
	r := rehearse(t)
	minute := time.Minute
	r.holds(10*minute, "incident/a", firing("a", 10*minute))
	r.holds(20*minute, "incident/b", firing("b", 20*minute))
	r.holds(30*minute, "incident/b", ended("b", 20*minute))
	r.holds(40*minute, "incident/b", firing("b", 40*minute)) // once more
	r.holds(50*minute, "incident/b", ended("b", 40*minute))
	r.holds(55*minute, "incident/c", ended("c", 50*minute)) // the end of what it never had
	r.at(time.Hour, func() {
		s := r.quietness()
		count, fires := silence.Counts(s.Held)
		if s.Status != silence.Holding || count != 3 || fires != 1 || len(r.outside.has()) > 0 {
			t.Errorf("after an hour it is %s with %+v, and has let %v go", s.Status, s.Held, r.outside.has())
		}
	})
	s := r.keepsQuiet(quiet(), kim)
	r.went("incident/a on shop: a")
	r.said("over Slow on shop 1/3 [INC-A]; → kim")
	if s.Status != silence.Ended || s.Why != silence.Over || !s.Ended.Equal(start.Add(2*time.Hour)) {
		t.Errorf("it is %s (%s) at %s", s.Status, s.Why, s.Ended)
	}
	if d := cmp.Diff([]string{"made", "held", "ended", "let"}, happened(s.Timeline)); d != "" {
		t.Error(d)
	}
	from := r.outside.let[0].batch.Held
	if want := (&alert.Holder{ID: "SIL-7K3M9QX2PA", Name: "The disk is replaced.", Since: start.Add(10 * minute)}); !cmp.Equal(want, from) {
		t.Errorf("the incident hears that %+v has held it, want %+v", from, want)
	}
}

// A body that only says that something is over may be routed otherwise: what still fires goes where it would have gone.
func TestWhatASilenceHeldGoesWhereItFired(t *testing.T) {
	r := rehearse(t)
	r.holds(10*time.Minute, "incident/a", firing("a", 10*time.Minute), firing("b", 10*time.Minute))
	r.at(20*time.Minute, func() {
		r.env.SignalWorkflow(workflows.HeldAlertsSignal, sealed(r, workflows.HeldAlertsSignal, "", prometheus, workflows.HeldBatch{
			Key: "incident/a", Definition: incident.Definition{Service: incident.Service{ID: "unassigned"}}, Size: 1_000,
			Batch: alert.Batch{ID: "c", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: []alert.Received{ended("a", 10*time.Minute)}},
		}))
	})
	r.keepsQuiet(quiet(), kim)
	r.went("incident/a on shop: a b", "incident/a on shop: a")
	r.said("over Slow on shop 1/2 [INC-A]; → kim")
}

// An incident that cannot be reached keeps no other waiting.
func TestWhatASilenceHeldGoesEachByItself(t *testing.T) {
	r := rehearse(t)
	r.outside.stuck, r.outside.loose, r.outside.now = "incident/a", start.Add(4*time.Hour), r.env.Now
	r.holds(10*time.Minute, "incident/a", firing("a", 10*time.Minute))
	r.holds(20*time.Minute, "incident/b", firing("b", 20*time.Minute))
	r.holds(2*time.Hour+time.Second, "incident/c", firing("c", 2*time.Hour)) // the intake does not know yet that it has ended
	r.holds(2*time.Hour+time.Minute, "incident/a", ended("a", 10*time.Minute))
	r.at(3*time.Hour, func() { r.went("incident/b on shop: b", "incident/c on shop: c") })
	r.keepsQuiet(quiet(), kim)
	r.went("incident/b on shop: b", "incident/c on shop: c", "incident/a on shop: a", "incident/a on shop: a")
	r.said("over Slow on shop 2/3 [INC-B INC-C]; → kim")
	if t.Failed() {
		return
	}
	if over := r.outside.let[3].batch.Alerts[0]; over.State != alert.Resolved {
		t.Errorf("the incident hears last that %+v", over)
	}
}

// What came with a start that is refused is not lost: nobody has held it back.
func TestWhatCameWithARefusedSilenceGoesToItsIncidents(t *testing.T) {
	r := rehearse(t)
	late := quiet()
	late.By, late.Request, late.Window, late.Name = timeline.Actor{}, "", "nightly", "Nightly backup"
	late.From, late.Until = start.Add(-time.Hour), start // the alert came in its last moment
	r.outside.fails = 2
	r.holds(0, "incident/a", firing("a", 0))
	r.holds(0, "incident/b", ended("b", 0))
	r.holds(time.Second, "incident/a", ended("a", 0)) // while the first is on its way
	r.at(time.Second, r.env.CancelWorkflow)
	r.under(workflows.AlertSilenceWorkflowID(late.ID))
	r.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow,
		sealed(r, workflows.AlertSilenceWorkflow, "", prometheus, workflows.AlertSilenceInput{Terms: late}))
	if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "want a time that is still to come") {
		t.Errorf("got %v, want that it is refused", err)
	}
	r.went("incident/a on shop: a", "incident/a on shop: a")
	if t.Failed() {
		return
	}
	if from := r.outside.let[0].batch.Held; from != nil {
		t.Errorf("the incident hears that %+v has held it", from)
	}
	r.said()
}

// Nobody else brings alerts to their incidents by a start that is refused.
func TestAForgedSilenceTakesNoAlerts(t *testing.T) {
	r := rehearse(t)
	r.under(workflows.AlertSilenceWorkflowID(quiet().ID))
	r.at(0, func() {
		r.env.SignalWorkflow(workflows.HeldAlertsSignal, signature.Unsigned(workflows.HeldBatch{Key: "incident/a", Batch: alert.Batch{
			ID: "b", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: []alert.Received{firing("a", 0)},
		}}))
	})
	r.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow, signature.Unsigned(workflows.AlertSilenceInput{Terms: quiet()}))
	if err := r.env.GetWorkflowError(); err == nil || len(r.outside.has()) > 0 || len(r.refused) != 2 {
		t.Errorf("got %v, let %v go, refused %+v", err, r.outside.has(), r.refused)
	}
}

func TestASilenceThatHeldNothingTellsNobody(t *testing.T) {
	r := rehearse(t)
	s := r.keepsQuiet(quiet(), kim)
	r.went()
	r.said()
	if d := cmp.Diff([]string{"made", "ended"}, happened(s.Timeline)); d != "" {
		t.Error(d)
	}
}

func TestAFutureSilenceBeginsByItself(t *testing.T) {
	r := rehearse(t)
	terms := quiet()
	terms.From, terms.Until = start.Add(30*24*time.Hour), start.Add(30*24*time.Hour+time.Hour)
	r.at(24*time.Hour, func() {
		if s := r.quietness(); s.Status != silence.Waiting {
			t.Errorf("after a day it is %s", s.Status)
		}
	})
	r.holds(30*24*time.Hour+time.Minute, "incident/a", firing("a", 0))
	s := r.keepsQuiet(terms, kim)
	r.went("incident/a on shop: a")
	if d := cmp.Diff([]string{"made", "begun", "held", "ended", "let"}, happened(s.Timeline)); d != "" {
		t.Error(d)
	}
}

func TestSomebodyEndsASilence(t *testing.T) {
	r := rehearse(t)
	r.holds(10*time.Minute, "incident/a", firing("a", 10*time.Minute))
	var first, second answer
	r.at(20*time.Minute, func() { tell(r, &first, "end1", workflows.EndUpdate, park, silence.End{Reason: "It is done."}) })
	r.outside.fails = 2 // so that it is asked while it still lets go what it has
	r.at(20*time.Minute+time.Second, func() { tell(r, &second, "end2", workflows.EndUpdate, kim, silence.End{}) })
	s := r.keepsQuiet(quiet(), kim)
	r.went("incident/a on shop: a")
	got := r.told()
	slices.Sort(got)
	if d := cmp.Diff([]string{"by-hand Slow on shop 1/1 [INC-A]; → kim", "by-hand Slow on shop 1/1 [INC-A]; → park"}, got); d != "" {
		t.Error(d)
	}
	if s.Why != silence.ByHand || s.EndedBy != park || s.Words != "It is done." || first.failed != nil {
		t.Errorf("it has ended %s by %s: %q (%v)", s.Why, s.EndedBy.Shown(), s.Words, first.failed)
	}
	if second.rejected == nil || !strings.Contains(second.rejected.Error(), "it has ended at") {
		t.Errorf("the second one hears %v", second.rejected)
	}
}

func TestASilenceOfTheFolderIsMadeByTheIntakeAlone(t *testing.T) {
	window := func(n int) silence.Terms {
		terms := quiet()
		terms.By, terms.Request, terms.Window, terms.Name = timeline.Actor{}, "", "nightly", "Nightly backup"
		terms.ID = silence.WindowID("nightly", start.Add(time.Duration(n)*24*time.Hour))
		return terms
	}
	if window(0).ID == window(1).ID {
		t.Error("two nights are one silence")
	}
	for n, key := range []string{"incident/a", "incident/b"} { // one silence each night
		r := rehearse(t)
		r.holds(time.Minute, key, firing("a", 0))
		s := r.keepsQuiet(window(n), prometheus)
		r.went(key + " on shop: a")
		if s.Timeline.Entries[0].Fact("window") != "nightly" {
			t.Errorf("its timeline begins with %+v", s.Timeline.Entries[0])
		}
	}
	for name, tc := range map[string]struct {
		terms silence.Terms
		by    timeline.Actor
		want  string
	}{
		"of the folder, by a person":    {window(0), kim, "want whoever makes it, or the intake"},
		"of a person, by the intake":    {quiet(), prometheus, "want whoever makes it, or the intake"},
		"of a person, by another":       {quiet(), park, "want whoever makes it, or the intake"},
		"in nobody's name":              {silence.Terms{ID: "SIL-7K3M9QX2PA", Asked: quiet().Asked}, timeline.Actor{}, "actor: missing"},
		"for longer than anybody knows": {func() silence.Terms { x := quiet(); x.Until = start.Add(31 * 24 * time.Hour); return x }(), kim, "at most 30 days"},
		"of everything":                 {func() silence.Terms { x := quiet(); x.Match = silence.Match{}; return x }(), kim, "want a label or a service"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.under(workflows.AlertSilenceWorkflowID(tc.terms.ID))
			r.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow,
				sealed(r, workflows.AlertSilenceWorkflow, "", tc.by, workflows.AlertSilenceInput{Terms: tc.terms}))
			if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a refusal that says %q", err, tc.want)
			}
		})
	}
}

func TestASilenceThatIsFullPagesPeople(t *testing.T) {
	r := rehearse(t)
	var storm []alert.Received
	for n := range 101 {
		storm = append(storm, firing(string(rune('A'+n%26))+strings.Repeat("x", n/26), time.Minute))
	}
	r.holds(10*time.Minute, "incident/a", storm...)
	r.at(11*time.Minute, func() {
		if got := r.outside.has(); len(got) != 1 {
			t.Errorf("let go: %v", got)
		}
	})
	s := r.keepsQuiet(quiet(), kim)
	if s.Why != silence.Full || !s.Ended.Equal(start.Add(10*time.Minute)) {
		t.Errorf("it has ended %s at %s", s.Why, s.Ended)
	}
	r.said("full Slow on shop 101/101 [INC-A]; → kim")
}

// What flaps for weeks fills no silence, nor does what comes again every minute.
func TestASilenceForgetsWhatHasResolved(t *testing.T) {
	r := rehearse(t)
	r.env.SetTestTimeout(time.Minute)
	for n := range 200 {
		after := time.Duration(n) * 30 * time.Second
		fp := fmt.Sprint("flaps", n)
		r.holds(after, "incident/flaps", firing(fp, after))
		r.holds(after+10*time.Second, "incident/flaps", ended(fp, after))
		again := firing("stays", 0)
		again.Until = start.Add(after + 5*time.Minute)
		r.holds(after+20*time.Second, "incident/stays", again)
	}
	s := r.keepsQuiet(quiet(), kim)
	if s.Why != silence.Over || len(r.outside.has()) > 0 { // what stays has not come again for 20 minutes
		t.Errorf("it has ended %s and let %v go", s.Why, r.outside.has())
	}
	r.said("over Slow on shop 0/201 []; → kim")
}

// Nor does what is large: by how much there is, and not only by how many there are, what has resolved is forgotten.
func TestASilenceForgetsWhatIsLarge(t *testing.T) {
	r := rehearse(t)
	for n := range 95 {
		after, fp := time.Duration(n)*30*time.Second, fmt.Sprint("large", n)
		r.holdsOf(after, "incident/"+fp, 12_000, firing(fp, after))
		r.holdsOf(after+10*time.Second, "incident/"+fp, 12_000, ended(fp, after))
	}
	if s := r.keepsQuiet(quiet(), kim); s.Why != silence.Over || len(r.outside.has()) > 0 {
		t.Errorf("it has ended %s and let %v go", s.Why, r.outside.has())
	}
}

func TestASilenceGoesOnInANewRun(t *testing.T) {
	r := rehearse(t)
	r.at(20*time.Minute, func() { r.env.SetContinueAsNewSuggested(true) })
	r.holds(10*time.Minute, "incident/a", firing("a", 10*time.Minute))
	r.holds(30*time.Minute, "incident/b", firing("b", 30*time.Minute))
	r.under(workflows.AlertSilenceWorkflowID(quiet().ID))
	r.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow, sealed(r, workflows.AlertSilenceWorkflow, "", kim, workflows.AlertSilenceInput{Terms: quiet()}))
	next, ok := errors.AsType[*workflow.ContinueAsNewError](r.env.GetWorkflowError())
	if !ok {
		t.Fatalf("it does not go on: %v", r.env.GetWorkflowError())
	}
	var handed signature.Signed[workflows.AlertSilenceInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &handed); err != nil {
		t.Fatal(err)
	}
	in := handed.Body
	if in.State == nil || len(in.State.Groups) != 2 || in.ID != quiet().ID {
		t.Fatalf("it goes on with %+v", in)
	}
	later := rehearse(t)
	in.State.Since = start
	later.under(workflows.AlertSilenceWorkflowID(quiet().ID))
	later.env.SetContinuedExecutionRunID("run-before")
	later.holds(40*time.Minute, "incident/a", ended("a", 10*time.Minute))
	later.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow, sealed(later, workflows.AlertSilenceWorkflow, "", timeline.Muster(), in))
	if err := later.env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	later.went("incident/b on shop: b")
	later.said("over Slow on shop 1/2 [INC-B]; → kim")

	forged := rehearse(t)
	forged.under(workflows.AlertSilenceWorkflowID(quiet().ID))
	forged.env.ExecuteWorkflow(workflows.AlertSilenceWorkflow, sealed(forged, workflows.AlertSilenceWorkflow, "", kim, in))
	if err := forged.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "from the run before") {
		t.Errorf("a state from nowhere: %v", err)
	}
}

// Whatever comes in whatever order, also while it ends: what fires in the end fires in its incident, and nothing else does.
func TestNoAlertAndNoEndOfOneIsLostInASilence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rehearse(t)
		r.outside.fails = rapid.IntRange(0, 2).Draw(rt, "fails")
		sources, began, last := map[string]*alert.Set{}, map[string]time.Duration{}, time.Duration(0)
		for range rapid.IntRange(1, 25).Draw(rt, "messages") {
			last += time.Duration(rapid.IntRange(1, 10*60).Draw(rt, "pause")) * time.Second
			last = min(last, 2*time.Hour+2*time.Second) // the last ones while it lets go what it has
			fp, at := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "alert"), last
			key := map[bool]string{true: "incident/x", false: "incident/y"}[fp < "c"]
			a := ended(fp, began[fp])
			if rapid.Bool().Draw(rt, "fires") {
				if began[fp] == 0 || rapid.Bool().Draw(rt, "anew") {
					began[fp] = at
				}
				a = firing(fp, began[fp])
			}
			r.holds(at, key, a)
			r.at(at, func() {
				if r.env.IsWorkflowCompleted() { // then the intake would have been told so
					return
				}
				if sources[key] == nil {
					sources[key] = &alert.Set{}
				}
				sources[key].Apply(alert.Batch{ReceivedAt: start.Add(at), Alerts: []alert.Received{a}})
			})
		}
		if rapid.Bool().Draw(rt, "by hand") {
			r.at(time.Hour, func() { tell(r, &answer{}, "end", workflows.EndUpdate, park, silence.End{}) })
		}
		r.keepsQuiet(quiet(), kim)
		incidents := map[string]*alert.Set{"incident/x": {}, "incident/y": {}}
		for _, d := range r.outside.let {
			incidents[d.key].Apply(d.batch)
		}
		for key, source := range sources {
			for _, a := range source.Full {
				there := slices.ContainsFunc(incidents[key].Full, func(h alert.Held) bool { return h.Fingerprint == a.Fingerprint && h.State == alert.Firing })
				if fires := a.State == alert.Firing; fires != there {
					rt.Fatalf("%s of %s fires at its source: %t, in its incident: %t", a.Fingerprint, key, fires, there)
				}
			}
		}
	})
}
