package incident_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// reported is an incident that a customer has reported by phone: it was received some time before it is entered.
func reported(t *testing.T, change func(*incident.Definition), n incident.Notice) *world {
	t.Helper()
	def := definition()
	def.Source = "people"
	if change != nil {
		change(&def)
	}
	i, err := incident.OpenNoticed("INC-TEST", def, n, kim, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	w.settle()
	return w
}

func byPhone(ago time.Duration) incident.Notice {
	return incident.Notice{
		Receipt: "CS-1182", Channel: supportplan.ByPhone, Customer: "acme", Received: start.Add(-ago), Occurred: start.Add(-time.Hour),
		NoticedBy: "the shop's floor manager", Text: "nobody can pay",
	}
}

func TestPromisesRunFromTheReceipt(t *testing.T) {
	w := reported(t, nil, byPhone(10*time.Minute))
	if got, want := w.clock(supportplan.Respond).Due, start.Add(5*time.Minute); !got.Equal(want) {
		t.Errorf("respond by %s, want %s", got, want)
	}
	if got := w.i.Times; !got.Alerted.Equal(start.Add(-10*time.Minute)) || !got.Started.Equal(start.Add(-time.Hour)) {
		t.Errorf("times %+v", got)
	}
	w.wantTold("receipt acme webhook", "page schedule:primary webhook")
	if w.has(timeline.ReceiptSent) != 1 {
		t.Error("the timeline does not say that the receipt was confirmed")
	}
	for _, e := range w.i.Timeline.Entries[:2] {
		if e.Actor != kim {
			t.Errorf("%s by %+v", e.Kind, e.Actor)
		}
	}
	w.after(5 * time.Minute)
	if !w.clock(supportplan.Respond).Late {
		t.Error("the response was late, and nobody says so")
	}
}

func TestWhatIsReceivedWithoutANumberHasItsOwn(t *testing.T) {
	n := byPhone(0)
	n.Receipt, n.Occurred = " ", time.Time{}
	w := reported(t, nil, n)
	if w.i.Notice.Receipt != "INC-TEST" || !w.i.Times.Started.Equal(start) {
		t.Errorf("receipt %q, started %s", w.i.Notice.Receipt, w.i.Times.Started)
	}
}

func TestAReceiptIsNotConfirmedByAMachineWhereOnlyPeopleWrite(t *testing.T) {
	w := reported(t, func(d *incident.Definition) { d.Customers[0].Plan.UpdateBy = supportplan.ByPerson }, byPhone(0))
	w.wantTold("reminder person:lee webhook", "page schedule:primary webhook")
}

func TestAPersonSaysWhenAReportedIncidentIsOver(t *testing.T) {
	w := reported(t, nil, byPhone(0))
	w.do("1", incident.Acknowledge{}, park)
	w.i.Receive(batch(start, firing("a", start)), w.now)
	w.settle()
	w.told = nil
	w.i.Receive(batch(start, resolved("a", start)), w.now)
	w.settle()
	w.wantTold("reminder person:park webhook")
	w.after(20 * time.Minute)
	if w.i.Status != incident.Acknowledged {
		t.Errorf("it is %s", w.i.Status)
	}
}

func TestANoticeIsChecked(t *testing.T) {
	for _, tc := range []struct {
		change func(*incident.Notice)
		want   string
	}{
		{func(*incident.Notice) {}, ""},
		{func(n *incident.Notice) { n.Received = time.Time{} }, "received: missing; want when it was received"},
		{func(n *incident.Notice) { n.Received = start.Add(6 * time.Minute) }, "received: 2026-11-23T09:06:00Z is in the future; want a time until now"},
		{func(n *incident.Notice) { n.Received = start.Add(4 * time.Minute) }, ""}, // two clocks differ
		{func(n *incident.Notice) { n.Received = start.Add(-8 * 24 * time.Hour) }, "is more than 7 days ago"},
		{func(n *incident.Notice) { n.Occurred = start.Add(time.Hour) }, "occurred: 2026-11-23T10:00:00Z is after it was received"},
		{func(n *incident.Notice) { n.Channel = supportplan.Monitoring }, `channel: "monitoring"; want phone, email, desk, on-site`},
		{func(n *incident.Notice) { n.Receipt = strings.Repeat("x", 101) }, "receipt: 101 bytes; want 100 at most"},
		{func(n *incident.Notice) { n.NoticedBy = strings.Repeat("x", 201) }, "noticed_by: 201 bytes; want 200 at most"},
		{func(n *incident.Notice) { n.Text = strings.Repeat("x", 4001) }, "text: 4001 bytes; want 4000 at most"},
	} {
		n := byPhone(0)
		tc.change(&n)
		faults := n.Faults(start)
		if tc.want == "" && len(faults) > 0 || tc.want != "" && (len(faults) == 0 || !strings.Contains(faults[0].Error(), tc.want)) {
			t.Errorf("got %v, want %q", faults, tc.want)
		}
	}
}

func TestSomethingWrongWithLevelsOpensNothing(t *testing.T) {
	def := definition()
	def.Impact = priority.Level("huge")
	if _, err := incident.OpenNoticed("INC-TEST", def, byPhone(0), kim, start); err == nil {
		t.Error("it was opened")
	}
}
