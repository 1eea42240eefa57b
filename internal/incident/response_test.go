package incident_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A machine answers what an automatic response begins. As it is, everything is allowed and passes.
type machine struct {
	claim response.Answer // the zero one allows it
	fault string          // why nobody can say
	step  func(s incident.Send) runbook.Result
	taken func(s incident.Send) bool // a step that was taken back before it began
	ended response.Ended
	told  []response.End
	ran   []string // "look 1", "act 2"
}

func (m *machine) answer(i *incident.Incident, s incident.Send, now time.Time) {
	switch s.Work {
	case incident.ClaimResponse:
		is := m.claim
		if is == (response.Answer{}) && m.fault == "" {
			is.Granted = true
		}
		i.ResponseClaimed(s.Number, is, m.fault, now)
	case incident.EndResponse:
		m.told = append(m.told, i.ResponseEnd())
		i.ResponseTold(s.Number, m.ended, "", now)
	default:
		if m.taken != nil && m.taken(s) {
			i.ResponseStepWithdrawn(s.Number, now)
			return
		}
		book, step := i.ResponseStep(s)
		m.ran = append(m.ran, fmt.Sprintf("%s %d %s", book, s.Revision, strings.Join(step.Command, " ")))
		is := runbook.Result{State: runbook.Passed, Output: "output of " + book, SHA256: "5ha"}
		if m.step != nil {
			is = m.step(s)
		}
		i.ResponseStepped(s.Number, is, now)
	}
}

func book(id string, steps ...string) *incident.Procedure {
	p := &incident.Procedure{SHA256: "sha-of-" + id, Runbook: runbook.Runbook{
		ID: id, Kind: runbook.Procedure, Title: "Book " + id, Parameters: []runbook.Parameter{{ID: "host", Description: "which"}},
	}}
	for n, text := range steps {
		p.Runbook.Steps = append(p.Runbook.Steps, runbook.Step{Number: n + 1, Text: text, Automatic: &runbook.Automatic{
			Runner: runbook.ByCommand, Command: []string{"/bin/do", fmt.Sprint(n + 1), "{{param host}}"}, Timeout: time.Minute,
		}})
	}
	return p
}

// automatic is a response that looks twice, and acts in two steps.
func automatic(asks bool) *incident.AutomaticResponse {
	a := &incident.AutomaticResponse{
		ID: "restart", Name: "Restart checkout", Look: book("LOOK", "Read {{param host}}'s log", "Ask the database"), Act: book("ACT", "Stop it", "Start it"),
		Parameters: []runbook.Value{{ID: "host", Value: "checkout-2"}}, Hold: 4 * time.Minute, PerHour: 2, Failures: 2,
		Tell: []escalation.Target{{Kind: escalation.Group, ID: "noc"}},
	}
	if asks {
		a.Approval = &incident.ResponseVotes{Approvers: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Within: 10 * time.Minute}
		return a
	}
	a.PreApproved = &incident.PreApproval{By: "choi", Name: "최유진", Until: start.AddDate(0, 1, 0)}
	return a
}

// responds opens an incident with an automatic response.
func responds(t *testing.T, a *incident.AutomaticResponse, m machine) *world {
	t.Helper()
	def := definition()
	def.Automatic = a
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start, machine: m}
	i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	return w
}

func (w *world) wantResponse(state response.Outcome, why string) {
	w.t.Helper()
	if r := w.i.Response; r == nil || r.State != incident.ResponseState(state) || r.Why != why || !r.Over() {
		w.t.Fatalf("got %+v, want %s, %q", r, state, why)
	}
}

// paged counts the pages that have gone out since it was last asked.
func (w *world) paged() (n int) {
	for _, told := range w.told {
		if strings.HasPrefix(told, "page ") {
			n++
		}
	}
	w.told = nil
	return n
}

func fails(number int, state runbook.State) func(incident.Send) runbook.Result {
	return func(s incident.Send) runbook.Result {
		if s.Work == incident.ActStep && s.Revision == number {
			return runbook.Result{State: state, Detail: "exit 3", Output: "no such server"}
		}
		return runbook.Result{State: runbook.Passed, Output: "fine"}
	}
}

func TestAResponseThatWorksResolvesTheIncidentAndPagesNobody(t *testing.T) {
	w := responds(t, automatic(false), machine{})
	w.wantResponse(response.Worked, "")
	want := "LOOK 1 /bin/do 1 checkout-2, LOOK 2 /bin/do 2 checkout-2, ACT 1 /bin/do 1 checkout-2, ACT 2 /bin/do 2 checkout-2"
	if got := strings.Join(w.machine.ran, ", "); got != want {
		t.Errorf("ran %s, want %s", got, want)
	}
	if w.i.Status != incident.Resolved || w.i.Times.Resolved != start || !w.i.Times.Engaged.IsZero() {
		t.Errorf("it is %s, %+v", w.i.Status, w.i.Times)
	}
	if n := w.paged(); n > 0 {
		t.Errorf("%d pages", n)
	}
	said := w.i.Timeline.Entries[len(w.i.Timeline.Entries)-1]
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.StatusChanged {
			said = e
		}
	}
	if said.Fact("cause") != "automatic-response" || said.Fact("note") != "ACT Book ACT: Stop it · Start it" || said.Actor != timeline.Muster() {
		t.Errorf("got %+v", said)
	}
	if got := fmt.Sprint(w.machine.told); got != "[{restart INC-TEST worked 2}]" {
		t.Errorf("its ledger was told %s", got)
	}
	f := w.i.Facts().Tried
	if f.Name != "Restart checkout" || len(f.Found) != 2 || f.Found[0].Text != "Read checkout-2's log" || f.Found[0].Output != "output of LOOK" || len(f.Steps) != 2 {
		t.Errorf("messages know %+v", f)
	}
}

// What goes wrong pages at once, and the page says what was tried.
func TestAResponseThatFailsPages(t *testing.T) {
	for state, want := range map[runbook.State]response.Outcome{runbook.Failed: response.Failed, runbook.Unknown: response.Unknown} {
		w := responds(t, automatic(false), machine{step: fails(1, state)})
		w.wantResponse(want, incident.WhyStep)
		if n := w.paged(); n != 1 || w.i.Status != incident.Triggered {
			t.Errorf("%s: %d pages, and it is %s", state, n, w.i.Status)
		}
		steps := w.i.Facts().Tried.Steps
		if len(steps) != 2 || string(steps[0].Status) != string(state) || steps[0].Detail != "exit 3: no such server" || steps[1].Status != runbook.Skipped {
			t.Errorf("%s: messages know %+v", state, steps)
		}
		if got := fmt.Sprint(w.machine.told); got != fmt.Sprintf("[{restart INC-TEST %s 2}]", want) {
			t.Errorf("%s: its ledger was told %s", state, got)
		}
	}
}

// What cannot be found out stops nothing.
func TestWhatCannotBeFoundOutIsSaid(t *testing.T) {
	w := responds(t, automatic(false), machine{step: func(s incident.Send) runbook.Result {
		if s.Work == incident.LookStep && s.Revision == 1 {
			return runbook.Result{State: runbook.Failed, Detail: "no answer in time"}
		}
		return runbook.Result{State: runbook.Passed, Output: strings.Repeat("가", 5_000)}
	}})
	w.wantResponse(response.Worked, "")
	found := w.i.Response.Found
	if found[0].State != runbook.Failed || found[0].Detail != "no answer in time" || len([]rune(found[1].Output)) != 1_001 {
		t.Errorf("got %+v", found)
	}
}

// However long it takes, somebody is paged when the time is over for which pages wait.
func TestPagesWaitForAResponseOnlySoLong(t *testing.T) {
	def := definition()
	def.Automatic = automatic(false)
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	slow := &world{t: t, i: i, now: start, silent: func(s incident.Send) bool { return s.Work == incident.ActStep }}
	i.Receive(batch(start, firing("a", start)), start)
	slow.settle()
	slow.until(start.Add(4*time.Minute - time.Second))
	if n := slow.paged(); n != 0 {
		t.Fatalf("%d pages before the time is over", n)
	}
	slow.until(start.Add(4 * time.Minute))
	if n := slow.paged(); n != 1 || i.Response.Over() {
		t.Errorf("%d pages, and the response is %s; want one, and that it goes on", n, i.Response.State)
	}
}

func TestAResponseThatMayNotRunPagesAtOnce(t *testing.T) {
	off := response.Off{At: start, By: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}, Reason: "it takes both down"}
	for _, tt := range []struct {
		name        string
		change      func(a *incident.AutomaticResponse)
		m           machine
		why, detail string
	}{
		{"off", nil, machine{claim: response.Answer{Refused: response.IsOff, Off: &off}}, "off", "김민수: it takes both down"},
		{"off by itself", nil, machine{claim: response.Answer{Refused: response.IsOff, Off: &response.Off{By: timeline.Muster()}}}, "off", ""},
		{"running", nil, machine{claim: response.Answer{Refused: response.IsRunning, Other: "INC-9"}}, "running", "INC-9"},
		{"too often", nil, machine{claim: response.Answer{Refused: response.TooOften}}, "rate", ""},
		{"nobody knows", nil, machine{fault: "no answer in time"}, incident.WhyUnreachable, "no answer in time"},
		{"parameters", func(a *incident.AutomaticResponse) { a.Fault = "no host" }, machine{}, incident.WhyParameters, "no host"},
		{"expired", func(a *incident.AutomaticResponse) { a.PreApproved.Until = start }, machine{}, incident.WhyExpired, "최유진"},
	} {
		a := automatic(false)
		if tt.change != nil {
			tt.change(a)
		}
		w := responds(t, a, tt.m)
		r := w.i.Response
		if r.State != incident.ResponseRefused || r.Why != tt.why || r.Detail != tt.detail || !r.Over() {
			t.Errorf("%s: got %+v", tt.name, r)
		}
		told := ""
		if tt.m.fault != "" { // it may have been allowed
			told = "{restart INC-TEST unneeded 2}"
		}
		if n := w.paged(); n != 1 || len(w.machine.ran) > 0 || fmt.Sprint(w.machine.told) != "["+told+"]" || w.has(timeline.ResponseRefused) != 1 {
			t.Errorf("%s: %d pages, ran %v, told %v", tt.name, n, w.machine.ran, w.machine.told)
		}
	}
}

func TestAResponseThatAsksActsOnlyWhenItIsApproved(t *testing.T) {
	w := responds(t, automatic(true), machine{})
	r := w.i.Response
	if r.State != incident.ResponseWaiting || !r.Due.Equal(start.Add(10*time.Minute)) || len(w.machine.ran) != 2 {
		t.Fatalf("got %+v, ran %v", r, w.machine.ran)
	}
	w.wantTold("reminder person:kim webhook", "page schedule:primary webhook") // people are needed anyway
	if f := w.i.Facts().Tried; f.SHA256 != r.SHA256 || len(f.Steps) != 2 || f.Steps[1].Text != "Start it" {
		t.Errorf("whoever approves it reads %+v", f)
	}
	for name, tt := range map[string]struct {
		c    incident.ApproveResponse
		by   timeline.Actor
		want string
	}{
		"not asked": {incident.ApproveResponse{SHA256: r.SHA256}, park, "want one of person:kim"},
		"a machine": {incident.ApproveResponse{SHA256: r.SHA256, Approver: true}, timeline.Actor{Kind: timeline.Source, ID: "bot"}, "want a person"},
		"other":     {incident.ApproveResponse{SHA256: r.SHA256[:8], Approver: true}, kim, "it is not that of what waits now"},
		"none":      {incident.ApproveResponse{Approver: true}, kim, "sha256: missing"},
	} {
		if err := w.i.Do(name, tt.c, tt.by, w.now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := w.has(timeline.ResponseDenied); n != 3 {
		t.Errorf("%d refusals in the timeline", n)
	}
	w.do("yes", incident.ApproveResponse{SHA256: r.SHA256, Approver: true}, kim)
	w.wantResponse(response.Worked, "")
	if w.i.Status != incident.Resolved || w.i.Response.Approved.ID != "kim" || w.has(timeline.ResponseApproved) != 1 {
		t.Errorf("it is %s, %+v", w.i.Status, w.i.Response)
	}

	late := responds(t, automatic(true), machine{})
	late.after(10 * time.Minute)
	late.wantResponse(response.Unapproved, "")
	if err := late.i.Do("late", incident.ApproveResponse{SHA256: r.SHA256, Approver: true}, kim, late.now); err == nil || !strings.Contains(err.Error(), "it is unapproved") {
		t.Errorf("got %v", err)
	}
	if len(late.machine.ran) != 2 || fmt.Sprint(late.machine.told) != "[{restart INC-TEST unapproved 2}]" {
		t.Errorf("ran %v, told %v", late.machine.ran, late.machine.told)
	}
}

// The approval is for what was shown: other values are something else.
func TestAnApprovalIsForTheStepsWithTheirValues(t *testing.T) {
	sums := map[string]bool{}
	for _, change := range []func(a *incident.AutomaticResponse){
		func(*incident.AutomaticResponse) {},
		func(a *incident.AutomaticResponse) { a.Parameters[0].Value = "checkout-3" },
		func(a *incident.AutomaticResponse) { a.Act.SHA256 = "another" },
		func(a *incident.AutomaticResponse) { a.ID = "another" },
	} {
		a := automatic(true)
		change(a)
		sums[responds(t, a, machine{}).i.Response.SHA256] = true
	}
	if len(sums) != 4 {
		t.Errorf("got %v, want four different ones", sums)
	}
}

func TestItsAlertsSayWhetherAResponseHasWorked(t *testing.T) {
	a := automatic(false)
	a.Settle = 2 * time.Minute
	w := responds(t, a, machine{})
	w.after(time.Minute)
	if w.i.Response.State != incident.ResponseSettling || w.i.Status != incident.Triggered {
		t.Fatalf("it is %s, and %+v", w.i.Status, w.i.Response)
	}
	w.i.Receive(batch(w.now, resolved("a", start.Add(-time.Minute))), w.now)
	w.settle()
	w.wantResponse(response.Worked, "")
	w.after(w.i.Definition.Quiet)
	said := ""
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.StatusChanged {
			said = e.Fact("cause")
		}
	}
	if w.i.Status != incident.Resolved || said != "automatic-response" || w.paged() != 0 {
		t.Errorf("it is %s by %s", w.i.Status, said)
	}

	w = responds(t, a, machine{})
	w.after(2 * time.Minute)
	w.wantResponse(response.Failed, incident.WhyFires)
	if n := w.paged(); n != 1 || w.i.Status != incident.Triggered {
		t.Errorf("%d pages, and it is %s", n, w.i.Status)
	}
}

// What is over needs no repair; what has begun is brought to its end, for half of a procedure is worse than none.
func TestAResponseIsNotBegunForWhatIsOver(t *testing.T) {
	a := automatic(true)
	w := responds(t, a, machine{})
	w.after(time.Minute)
	w.i.Receive(batch(w.now, resolved("a", start.Add(-time.Minute))), w.now)
	w.settle()
	w.wantResponse(response.Unneeded, "")
	if len(w.machine.ran) != 2 {
		t.Errorf("ran %v", w.machine.ran)
	}

	held := true
	w = &world{t: t, now: start, silent: func(s incident.Send) bool { return held && s.Work == incident.ActStep }}
	def := definition()
	def.Automatic = automatic(false)
	w.i, _ = incident.Open("INC-TEST", def, start)
	w.i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.after(time.Minute)
	w.i.Receive(batch(w.now, resolved("a", start)), w.now)
	w.settle()
	w.after(w.i.Definition.Quiet)
	if w.i.Status != incident.Resolved || w.i.Response.Over() {
		t.Fatalf("it is %s, and its response %s", w.i.Status, w.i.Response.State)
	}
	held = false
	for _, s := range w.i.Outbox {
		if s.Work == incident.ActStep {
			w.answer(s)
		}
	}
	w.settle()
	w.wantResponse(response.Worked, "")
	if got := len(w.machine.ran); got != 4 {
		t.Errorf("%d steps were run, want both of the runbook", got)
	}
}

func TestAnybodyInvolvedStopsAResponse(t *testing.T) {
	begun := 0
	def := definition()
	def.Automatic = automatic(false)
	w := &world{t: t, now: start, silent: func(s incident.Send) bool {
		if s.Work == incident.ActStep {
			begun++
		}
		return s.Work == incident.ActStep
	}}
	w.i, _ = incident.Open("INC-TEST", def, start)
	w.i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	if err := w.i.Do("0", incident.StopResponse{}, park, w.now); err == nil || !strings.Contains(err.Error(), "reason: missing") {
		t.Errorf("got %v", err)
	}
	w.do("1", incident.StopResponse{Reason: "the wrong server"}, park)
	w.wantResponse(response.Stopped, "")
	if n := w.paged(); n != 1 || begun != 1 || w.i.Response.Stopped.ID != "park" || w.i.Facts().Tried.Stopped != "박서준" {
		t.Errorf("%d pages, %d steps begun, %+v", n, begun, w.i.Response)
	}
	var withdrawn incident.Send
	for _, s := range w.i.Outbox {
		if s.Work == incident.ActStep {
			withdrawn = s
		}
	}
	if withdrawn.Withdrawn == "" {
		t.Fatalf("the step is not taken back: %+v", withdrawn)
	}
	w.i.ResponseStepWithdrawn(withdrawn.Number, w.now)
	w.settle()
	for _, s := range w.i.Response.Steps {
		if s.Status != runbook.Skipped {
			t.Errorf("step %d is %s", s.Number, s.Status)
		}
	}
	if err := w.i.Do("2", incident.StopResponse{Reason: "x"}, park, w.now); err == nil || !strings.Contains(err.Error(), "it is over since") {
		t.Errorf("got %v", err)
	}
	if fmt.Sprint(w.machine.told) != "[{restart INC-TEST stopped 2}]" {
		t.Errorf("its ledger was told %v", w.machine.told)
	}
}

// Stopped while it is asked whether it may run, it tells its ledger all the same when it may.
func TestAResponseStoppedWhileItAsksEndsWhatItWasAllowed(t *testing.T) {
	def := definition()
	def.Automatic = automatic(false)
	w := &world{t: t, now: start, silent: func(s incident.Send) bool { return s.Work == incident.ClaimResponse }}
	w.i, _ = incident.Open("INC-TEST", def, start)
	w.i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.do("1", incident.StopResponse{Reason: "x"}, park)
	for _, s := range w.i.Outbox {
		if s.Work == incident.ClaimResponse {
			w.machine.answer(w.i, s, w.now)
		}
	}
	w.settle()
	w.wantResponse(response.Stopped, "")
	if len(w.machine.ran) != 0 || len(w.machine.told) != 1 {
		t.Errorf("ran %v, told %v", w.machine.ran, w.machine.told)
	}
}

func TestWhoHearsThatAResponseIsSwitchedOff(t *testing.T) {
	w := responds(t, automatic(false), machine{step: fails(2, runbook.Failed), ended: response.Ended{SwitchedOff: true, Failed: 2}})
	w.wantTold("page schedule:primary webhook", "reminder group:noc webhook")
	if w.has(timeline.ResponseOff) != 1 {
		t.Error("the timeline does not say so")
	}
}

// What comes back was not repaired: people see to it at once.
func TestAResponseRunsOnceForAnIncident(t *testing.T) {
	w := responds(t, automatic(false), machine{})
	w.i.Receive(batch(w.now, resolved("a", start.Add(-time.Minute))), w.now)
	w.settle()
	w.paged()
	w.after(time.Hour)
	w.i.Receive(batch(w.now, firing("a", w.now)), w.now)
	w.settle()
	if n := w.paged(); n != 1 || len(w.machine.ran) != 4 || w.i.Status != incident.Triggered {
		t.Errorf("%d pages, ran %v, and it is %s", n, w.machine.ran, w.i.Status)
	}
}

func TestAResponseMayOnlyFindOut(t *testing.T) {
	a := automatic(false)
	a.Act, a.PreApproved = nil, nil
	w := responds(t, a, machine{})
	w.wantResponse(response.Worked, incident.WhyFound)
	if n := w.paged(); n != 1 || w.i.Status != incident.Triggered || fmt.Sprint(w.machine.told) != "[{restart INC-TEST worked 0}]" {
		t.Errorf("%d pages, it is %s, told %v", n, w.i.Status, w.machine.told)
	}
}

func TestWhatAMachineCannotRunAlone(t *testing.T) {
	long := book("X", "a").Runbook
	long.Steps[0].Automatic.Timeout = 2 * time.Hour
	for want, rb := range map[string]runbook.Runbook{
		"step 2 is done by a person":            {Steps: []runbook.Step{book("X", "a").Runbook.Steps[0], {Number: 2, Text: "look"}}},
		"it has no step":                        {},
		"21 steps; want 20":                     book("X", strings.Split(strings.Repeat("a", 21), "")...).Runbook,
		"may take 2h0m0s together; want 1h0m0s": long,
	} {
		if err := incident.CheckAutomatic(rb); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := incident.CheckAutomatic(book("X", "a", "b").Runbook); err != nil {
		t.Error(err)
	}
}

// acting opens an incident whose response stops at its second step until release is called.
func acting(t *testing.T) (w *world, release func()) {
	t.Helper()
	held := true
	w = &world{t: t, now: start, silent: func(s incident.Send) bool { return held && s.Work == incident.ActStep && s.Revision == 2 }}
	def := definition()
	def.Automatic = automatic(false)
	var err error
	if w.i, err = incident.Open("INC-TEST", def, start); err != nil {
		t.Fatal(err)
	}
	w.i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	return w, func() {
		held = false
		for _, s := range w.i.Outbox {
			if s.Work == incident.ActStep {
				w.answer(s)
			}
		}
		w.settle()
	}
}

// It resolves only what it alone has repaired: what people are at, what has joined, and what is more than its own, people see to.
func TestAResponseResolvesOnlyWhatIsItsOwnDoing(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world){
		"another alert begins": func(w *world) { w.i.Receive(batch(w.now, firing("b", w.now)), w.now) },
		"the alert comes anew": func(w *world) { w.i.Receive(batch(w.now, firing("a", w.now)), w.now) },
		"somebody is at it":    func(w *world) { w.do("ack", incident.Acknowledge{}, park) },
	} {
		w, release := acting(t)
		w.after(time.Minute)
		meanwhile(w)
		w.settle()
		w.paged()
		release()
		w.wantResponse(response.Worked, "")
		if !w.i.Status.Open() || w.i.Response.Resolved {
			t.Errorf("%s: it is %s", name, w.i.Status)
		}
		if n := w.paged(); n != 1 && w.i.Status == incident.Triggered {
			t.Errorf("%s: %d pages, want one", name, n)
		}
		if fmt.Sprint(w.machine.told) != "[{restart INC-TEST worked 2}]" {
			t.Errorf("%s: its ledger was told %v", name, w.machine.told)
		}
	}
}

// Whoever has resolved it while a step was running has done so, and not the response.
func TestAResponseThatIsOvertaken(t *testing.T) {
	w, release := acting(t)
	w.do("done", incident.Resolve{Note: "by hand"}, park)
	if len(w.machine.told) > 0 {
		t.Errorf("its ledger was told %v while a step is running", w.machine.told)
	}
	release()
	w.wantResponse(response.Overtaken, "")
	if w.i.Status != incident.Resolved || fmt.Sprint(w.machine.told) != "[{restart INC-TEST overtaken 2}]" {
		t.Errorf("it is %s, told %v", w.i.Status, w.machine.told)
	}
}

// Until the last step has an outcome, nothing else may act on the service.
func TestTheLedgerHearsOfAnEndOnlyAfterTheLastStep(t *testing.T) {
	w, release := acting(t)
	w.do("stop", incident.StopResponse{Reason: "the wrong server"}, park)
	w.after(time.Minute)
	w.wantResponse(response.Stopped, "")
	if len(w.machine.told) > 0 {
		t.Errorf("its ledger was told %v while a step is running", w.machine.told)
	}
	release()
	if fmt.Sprint(w.machine.told) != "[{restart INC-TEST stopped 2}]" || w.i.Response.Steps[1].Status != runbook.Done {
		t.Errorf("told %v, %+v", w.machine.told, w.i.Response.Steps)
	}
}

// After its longest time its ledger lets another run begin: no further step of it may.
func TestAResponseThatIsLateDoesNoMore(t *testing.T) {
	def := definition()
	def.Automatic = automatic(false)
	held := true
	w := &world{t: t, now: start, silent: func(s incident.Send) bool { return held && s.Work == incident.ActStep }}
	w.i, _ = incident.Open("INC-TEST", def, start)
	w.i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	w.after(def.Automatic.Longest())
	held = false
	for _, s := range w.i.Outbox {
		if s.Work == incident.ActStep {
			w.answer(s)
		}
	}
	w.settle()
	w.wantResponse(response.Failed, incident.WhyLate)
	if got := strings.Join(w.machine.ran, ", "); !strings.HasSuffix(got, "ACT 1 /bin/do 1 checkout-2") {
		t.Errorf("ran %s", got)
	}
}

// What it has said to be over, and is not, people see to; and it counts as a failure of it.
func TestWhatAResponseHasNotRepairedComesBack(t *testing.T) {
	for name, back := range map[string]func(w *world){
		"an alert fires on":     func(w *world) { w.i.Receive(batch(w.now, firing("a", start.Add(-time.Minute))), w.now) },
		"an alert begins again": func(w *world) { w.i.Receive(batch(w.now, firing("a", w.now)), w.now) },
		"a person reopens it":   func(w *world) { w.do("back", incident.Reopen{Reason: "still down"}, park) },
	} {
		w := responds(t, automatic(false), machine{})
		w.after(w.i.Definition.Quiet)
		w.paged()
		back(w)
		w.settle()
		if n := w.paged(); n != 1 || w.i.Status != incident.Triggered {
			t.Errorf("%s: %d pages, and it is %s", name, n, w.i.Status)
		}
		w.wantResponse(response.Failed, incident.WhyBack)
		if got := fmt.Sprint(w.machine.told); got != "[{restart INC-TEST worked 2} {restart INC-TEST failed 2}]" {
			t.Errorf("%s: its ledger was told %s", name, got)
		}
		if n := len(w.machine.ran); n != 4 {
			t.Errorf("%s: it has run %d steps", name, n)
		}
	}
	w := responds(t, automatic(false), machine{}) // its source takes a while to see it
	w.after(w.i.Definition.Quiet / 2)
	w.i.Receive(batch(w.now, firing("a", start.Add(-time.Minute))), w.now)
	w.settle()
	if w.i.Status != incident.Resolved {
		t.Errorf("a repetition within the quiet time has reopened it: it is %s", w.i.Status)
	}
}

// An approval is for its time, for what still fires, and for what is still allowed.
func TestAnApprovalThatComesTooLate(t *testing.T) {
	w := responds(t, automatic(true), machine{})
	yes := incident.ApproveResponse{SHA256: w.i.Response.SHA256, Approver: true}
	if err := w.i.Do("1", yes, kim, w.i.Response.Due); err == nil || !strings.Contains(err.Error(), "its time was over at 2026-11-23T") {
		t.Errorf("got %v", err)
	}
	w = responds(t, automatic(true), machine{})
	w.i.Receive(batch(w.now, resolved("a", start.Add(-time.Minute))), w.now)
	if err := w.i.Do("1", yes, kim, w.now); err == nil || !strings.Contains(err.Error(), "all its alerts are resolved since") {
		t.Errorf("got %v", err)
	}
	w = responds(t, automatic(true), machine{})
	w.machine.claim = response.Answer{Refused: response.IsOff, Off: &response.Off{By: timeline.Muster()}}
	w.do("1", incident.ApproveResponse{SHA256: w.i.Response.SHA256, Approver: true}, kim)
	if r := w.i.Response; r.State != incident.ResponseRefused || r.Why != string(response.IsOff) || len(w.machine.ran) != 2 {
		t.Errorf("switched off meanwhile, it is %+v, ran %v", r, w.machine.ran)
	}
	if fmt.Sprint(w.machine.told) != "[{restart INC-TEST unneeded 2}]" {
		t.Errorf("its ledger was told %v", w.machine.told)
	}
}

// Whoever was shown something else is not told by the refusal what would be right.
func TestARefusedApprovalGivesNothingAway(t *testing.T) {
	w := responds(t, automatic(true), machine{})
	err := w.i.Do("1", incident.ApproveResponse{SHA256: "00", Approver: true}, kim, w.now)
	if err == nil || strings.Contains(err.Error(), w.i.Response.SHA256) {
		t.Errorf("got %v", err)
	}
}

// However many steps look, and however much they print, the state and messages stay small.
func TestWhatIsKeptOfFindingsIsBounded(t *testing.T) {
	a := automatic(false)
	a.Look = book("LOOK", strings.Split(strings.Repeat("a", 20), "")...)
	w := responds(t, a, machine{step: func(s incident.Send) runbook.Result {
		if s.Work == incident.ActStep {
			return runbook.Result{State: runbook.Failed, Output: strings.Repeat("나", 9_000)}
		}
		return runbook.Result{State: runbook.Passed, Output: strings.Repeat("가", 9_000)}
	}})
	kept, said := 0, 0
	for _, f := range w.i.Response.Found {
		kept += len([]rune(f.Output))
	}
	for _, f := range w.i.Facts().Tried.Found {
		said += len([]rune(f.Output))
	}
	if kept < 3_000 || kept > 4_020 || said < 1_500 || said > 2_020 {
		t.Errorf("keeps %d characters and says %d", kept, said)
	}
	if n := len([]rune(w.i.Response.Steps[0].Result.Output)); n < 1_000 || n > 2_001 {
		t.Errorf("keeps %d characters of what has failed", n)
	}
}

// What only finds out may not ask a server to do something.
func TestWhatOnlyFindsOut(t *testing.T) {
	for method, want := range map[string]string{"GET": "", "HEAD": "", "POST": "step 1: POST; want GET or HEAD"} {
		rb := runbook.Runbook{Steps: []runbook.Step{{Number: 1, Automatic: &runbook.Automatic{
			Runner: runbook.ByHTTP, HTTP: runbook.HTTP{Method: method, URL: "https://db.example/locks"}, Timeout: time.Minute,
		}}}}
		if err := incident.CheckLooking(rb); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", method, err)
		}
	}
	if err := incident.CheckLooking(runbook.Runbook{}); err == nil {
		t.Error("a runbook without a step finds something out")
	}
}
