package incident_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

func skyhost() *incident.VendorSupport {
	return &incident.VendorSupport{
		ID: "skyhost", Name: "SkyHost", Plan: "Enterprise", OpenCase: "https://support.skyhost.example", Escalate: "call the TAM",
		Notify: paged("group:noc"), Reachable: true, Respond: []incident.VendorResponse{{Priority: priority.P1, Within: 15 * time.Minute}},
	}
}

func blamed(t *testing.T) *world {
	t.Helper()
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.told = nil
	w.do("cause", incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "their disks are slow", Support: skyhost()}, park)
	return w
}

func TestAVendorsFaultOpensACaseWithIt(t *testing.T) {
	w := blamed(t)
	w.wantTold("vendor-call vendor:skyhost webhook", "reminder group:noc webhook")
	if c := w.i.Cause; c.Domain != incident.CauseVendor || c.Vendor != "SkyHost" || c.Text != "their disks are slow" || c.By != park {
		t.Errorf("cause %+v", c)
	}
	w.do("again", incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "their network, not the disks", Support: skyhost()}, park)
	w.wantTold()
	if len(w.i.Cases) != 1 || w.i.Cause.Text != "their network, not the disks" {
		t.Errorf("cases %+v, cause %+v", w.i.Cases, w.i.Cause)
	}
}

func TestAVendorThatDoesNotAnswerInTimeIsSaid(t *testing.T) {
	w := blamed(t)
	w.do("filed", incident.RecordCase{Vendor: "skyhost", Reference: "SR-7"}, park)
	w.told = nil
	w.after(15 * time.Minute)
	w.wantTold("reminder person:park webhook")
	if e := w.last(timeline.CaseLate); e.Fact("vendor") != "SkyHost" || e.Fact("escalate") != "call the TAM" {
		t.Errorf("got %+v", e)
	}
	w.do("answer", incident.RecordCase{Vendor: "skyhost", Text: "they replace a switch"}, park)
	if k := w.i.Cases[0]; k.Answered.IsZero() || k.Reference != "SR-7" || !k.Clock.Late || k.Clock.Open() {
		t.Errorf("got %+v, clock %+v", k, k.Clock)
	}
}

func TestAVendorThatAnswersInTimeIsNotReminded(t *testing.T) {
	w := blamed(t)
	w.do("answer", incident.RecordCase{Vendor: "skyhost", Text: "they replace a switch"}, park)
	w.told = nil
	w.after(time.Hour)
	w.wantTold()
}

func TestAVendorsClockRunsInItsOwnCalendar(t *testing.T) {
	v := skyhost()
	v.Calendar = &calendar.Rules{ID: "theirs", Zone: "UTC", Weekly: []calendar.Weekly{{
		Days: calendar.Weekdays(), Hours: calendar.Hours{From: calendar.TimeOfDay(10 * 60), To: calendar.TimeOfDay(18 * 60)},
	}}}
	w := begun(t, nil)
	w.settle()
	w.do("cause", incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "x", Support: v}, park)
	if got, want := w.i.Cases[0].Clock.Due, start.Add(75*time.Minute); !got.Equal(want) { // 9:00, and they open at 10:00
		t.Errorf("due at %s, want %s", got, want)
	}
}

func TestWhoHandlesItFollowsFromTheCause(t *testing.T) {
	for domain, want := range map[incident.CauseDomain][]string{
		incident.CauseOurs:     nil,
		incident.CauseCustomer: {"reminder person:park webhook"}, // for the support manager
	} {
		w := begun(t, nil)
		w.settle()
		w.do("ack", incident.Acknowledge{}, park)
		w.told = nil
		w.do("cause", incident.SetCause{Domain: domain, Text: "x"}, park)
		w.wantTold(want...)
	}
}

func TestCausesAndCasesThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		give incident.Command
		want string
	}{
		{incident.SetCause{Domain: "fate", Text: "x"}, `domain "fate": want ours, vendor, customer`},
		{incident.SetCause{Domain: incident.CauseOurs}, "text: missing"},
		{incident.SetCause{Domain: incident.CauseVendor, Text: "x"}, "vendor: missing"},
		{incident.SetCause{Domain: incident.CauseVendor, Vendor: "skyhost", Text: "x"}, "its support record is missing"},
		{incident.SetCause{Domain: incident.CauseOurs, Vendor: "skyhost", Text: "x"}, "want none with the domain ours"},
		{incident.RecordCase{Vendor: "skyhost", Text: "x"}, "no case is open; the cause of domain vendor opens one"},
	} {
		w := begun(t, nil)
		w.settle()
		if err := w.i.Do("x", tc.give, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
	w := blamed(t)
	for _, tc := range []struct {
		give incident.RecordCase
		want string
	}{
		{incident.RecordCase{Vendor: "other", Text: "x"}, "want skyhost"},
		{incident.RecordCase{Vendor: "skyhost"}, "reference, text: want one of them at least"},
		{incident.RecordCase{Vendor: "skyhost", Reference: strings.Repeat("x", 101)}, "want 100 at most"},
	} {
		if err := w.i.Do("x", tc.give, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
}

func TestTheFivePointsMayBeSetRight(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.after(30 * time.Minute)
	w.do("ack", incident.Acknowledge{}, park)
	w.do("1", incident.SetTime{Point: incident.PointEngaged, At: start.Add(4 * time.Minute), Reason: "by phone"}, park)
	if !w.i.Times.Engaged.Equal(start.Add(4 * time.Minute)) {
		t.Errorf("engaged at %s", w.i.Times.Engaged)
	}
	if e := w.last(timeline.TimeSet); e.Fact("before") == "" || e.Fact("reason") != "by phone" {
		t.Errorf("got %+v", e)
	}
	for _, tc := range []struct {
		give incident.SetTime
		want string
	}{
		{incident.SetTime{Point: "lunch", At: start, Reason: "x"}, `point "lunch": want started, alerted`},
		{incident.SetTime{Point: incident.PointStarted, Reason: "x"}, "at: missing"},
		{incident.SetTime{Point: incident.PointStarted, At: start.Add(-time.Minute)}, "reason: missing"},
		{incident.SetTime{Point: incident.PointStarted, At: start.Add(time.Minute), Reason: "x"}, "is after alerted at"},
		{incident.SetTime{Point: incident.PointEngaged, At: start.Add(-time.Hour), Reason: "x"}, "is before started at"},
		{incident.SetTime{Point: incident.PointMitigation, At: w.now.Add(time.Second), Reason: "x"}, "is in the future"},
		{incident.SetTime{Point: incident.PointResolved, At: w.now, Reason: "x"}, "only what is resolved has a time of that"},
	} {
		if err := w.i.Do("x", tc.give, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
}

func TestATimeOfTheResolutionThatIsSetRightDoesNotCloseTheIncident(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.after(25 * time.Hour)
	w.do("ack", incident.Acknowledge{}, park)
	w.do("over", incident.Resolve{Note: "x"}, park)
	w.do("1", incident.SetTime{Point: incident.PointEngaged, At: start.Add(time.Minute), Reason: "x"}, park)
	w.do("2", incident.SetTime{Point: incident.PointResolved, At: start.Add(time.Hour), Reason: "it was over long before"}, park)
	if w.i.Status != incident.Resolved {
		t.Fatalf("it is %s", w.i.Status)
	}
	w.after(24 * time.Hour)
	if w.i.Status != incident.Closed {
		t.Errorf("it is %s a day later", w.i.Status)
	}
}

func TestOthersSeeWhoWorksByWhichRunbook(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("1", incident.StartRunbook{Runbook: "checkout"}, park)
	if err := w.i.Do("x", incident.StartRunbook{Runbook: "checkout"}, kim, w.now); err == nil || !strings.Contains(err.Error(), "박서준 works by it since") {
		t.Errorf("got %v", err)
	}
	if err := w.i.Do("x", incident.EndRunbook{Runbook: "other", Outcome: incident.RunbookWorked}, kim, w.now); err == nil || !strings.Contains(err.Error(), "want checkout") {
		t.Errorf("got %v", err)
	}
	if err := w.i.Do("x", incident.EndRunbook{Runbook: "checkout", Outcome: "fine"}, kim, w.now); err == nil || !strings.Contains(err.Error(), "want worked, failed, left") {
		t.Errorf("got %v", err)
	}
	w.do("2", incident.EndRunbook{Runbook: "checkout", Outcome: incident.RunbookWorked}, kim)
	if u := w.i.Runbooks[0]; u.By != park || u.Outcome != incident.RunbookWorked || u.Ended.IsZero() {
		t.Errorf("got %+v", u)
	}
	w.do("3", incident.StartRunbook{Runbook: "checkout"}, kim) // once more
}
