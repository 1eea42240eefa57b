package response_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/response"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
)

func claim(incident string) response.Claim {
	return response.Claim{Response: "restart", Incident: incident, Service: "shop", PerHour: 2, Longest: 10 * time.Minute}
}

func end(incident string, o response.Outcome) response.End {
	return response.End{Response: "restart", Incident: incident, Outcome: o, Failures: 2}
}

func TestHowOftenAResponseMayRun(t *testing.T) {
	l := &response.Ledger{ID: "restart"}
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	other := claim("INC-9")
	other.Service = "erp"
	for _, tt := range []struct {
		minute int
		claim  response.Claim
		end    response.Outcome // of it, a minute later
		want   response.Answer
	}{
		{0, claim("INC-1"), "", response.Answer{Granted: true}},
		{1, claim("INC-1"), "", response.Answer{Granted: true}}, // the same again
		{2, claim("INC-2"), "", response.Answer{Refused: response.IsRunning, Other: "INC-1"}},
		{3, other, response.Worked, response.Answer{Granted: true}},             // of another service
		{10, claim("INC-2"), response.Unneeded, response.Answer{Granted: true}}, // the one before is lost
		{12, claim("INC-3"), response.Worked, response.Answer{Granted: true}},   // what has done nothing does not count
		{14, claim("INC-4"), "", response.Answer{Refused: response.TooOften}},   // INC-1 and INC-3
		{59, claim("INC-4"), "", response.Answer{Refused: response.TooOften}},   //
		{60, claim("INC-4"), response.Failed, response.Answer{Granted: true}},   //
		{62, claim("INC-5"), "", response.Answer{Refused: response.TooOften}},   // INC-3 and INC-4
		{72, claim("INC-5"), response.Stopped, response.Answer{Granted: true}},  // is no failure
		{140, claim("INC-6"), "", response.Answer{Granted: true}},
		{140, claim("INC-6"), response.Unknown, response.Answer{Granted: true}}, // the same; it is the second failure in a row
		{150, claim("INC-6"), "", response.Answer{Refused: response.IsOff, Off: &response.Off{At: at(141), By: timeline.Muster()}}},
		{150, claim("INC-7"), "", response.Answer{Refused: response.IsOff, Off: &response.Off{At: at(141), By: timeline.Muster()}}},
	} {
		if err := l.Check(tt.claim); err != nil {
			t.Fatal(err)
		}
		got := l.Claim(tt.claim, at(tt.minute))
		if fmt.Sprintf("%+v %+v", got, got.Off) != fmt.Sprintf("%+v %+v", tt.want, tt.want.Off) && (got.Off == nil || *got.Off != *tt.want.Off) {
			t.Errorf("minute %d, %s: got %+v, want %+v", tt.minute, tt.claim.Incident, got, tt.want)
		}
		if tt.end == "" {
			continue
		}
		done := l.End(end(tt.claim.Incident, tt.end), at(tt.minute+1))
		if again := l.End(end(tt.claim.Incident, response.Worked), at(tt.minute+2)); again != done {
			t.Errorf("%s: the end is told again: %+v, and was %+v", tt.claim.Incident, again, done)
		}
		if want := tt.end == response.Unknown; done.SwitchedOff != want {
			t.Errorf("%s: got %+v, want it to be off: %v", tt.claim.Incident, done, want)
		}
	}
}

func TestWhatPeopleAskOfAResponse(t *testing.T) {
	l := &response.Ledger{ID: "restart"}
	l.Claim(claim("INC-1"), start)
	for _, tt := range []struct {
		c    response.Command
		ends bool   // what runs, before
		want string // why not
	}{
		{response.SwitchOn{Reason: "x"}, false, "it is on"},
		{response.SwitchOff{}, false, "reason: missing"},
		{response.SwitchOff{Reason: strings.Repeat("x", response.MaxText+1)}, false, "want 2000 at most"},
		{response.SwitchOff{Reason: "it takes both servers down"}, false, ""},
		{response.SwitchOff{Reason: "and stop what runs"}, false, ""},
		{response.SwitchOff{Reason: "x"}, true, "it is off since 2026-11-27T09:00:00Z, by 김민수"},
		{response.SwitchOn{Reason: " "}, false, "reason: missing"},
		{response.SwitchOn{Reason: "mended"}, false, ""},
	} {
		if tt.ends {
			l.End(end("INC-1", response.Stopped), start)
		}
		err := tt.c.Check(l, kim)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.c, err, tt.want)
		}
		if err == nil {
			if err := tt.c.Apply(l, kim, start); err != nil {
				t.Error(err)
			}
		}
	}
	if l.Off != nil || l.Failed != 0 || len(l.Timeline.Entries) != 4 || len(l.Running(start)) != 0 {
		t.Errorf("got %+v", l)
	}
	if err := l.Check(response.Claim{Response: "other", Incident: "INC-1"}); err == nil {
		t.Error("a claim for another response was taken")
	}
}

// Whatever is asked and however it ends: never two runs of a service at once, never more in an hour than it may, nothing while it is off,
// and off when as many as it may have failed one after another.
func TestTheGuardHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, now := &response.Ledger{ID: "restart"}, start
		type run struct {
			id, service string
			at          time.Time
			over        bool
			outcome     response.Outcome
		}
		var runs []*run
		failed := 0
		for n := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 25).Draw(rt, "minutes")) * time.Minute)
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1, 2:
				c := claim(fmt.Sprint("INC-", n))
				c.Service = rapid.SampledFrom([]string{"shop", "erp"}).Draw(rt, "service")
				off, busy, recent := l.Off != nil, false, 0
				for _, r := range runs {
					if r.service != c.Service {
						continue
					}
					busy = busy || !r.over && now.Before(r.at.Add(c.Longest))
					idle := r.over && (r.outcome == response.Unneeded || r.outcome == response.Unapproved)
					if !idle && now.Sub(r.at) < time.Hour {
						recent++
					}
				}
				got := l.Claim(c, now)
				if want := !off && !busy && recent < c.PerHour; got.Granted != want {
					rt.Fatalf("got %+v; off %v, busy %v, %d in the last hour", got, off, busy, recent)
				}
				if got.Granted {
					runs = append(runs, &run{id: c.Incident, service: c.Service, at: now})
				}
			case 3, 4:
				if len(runs) == 0 {
					continue
				}
				r := rapid.SampledFrom(runs).Draw(rt, "run")
				o := rapid.SampledFrom(response.Outcomes()).Draw(rt, "outcome")
				was := l.Off != nil
				got := l.End(end(r.id, o), now)
				if r.over && (r.outcome != response.Worked || o != response.Failed) { // it has come back
					continue
				}
				r.over, r.outcome = true, o
				switch o {
				case response.Worked:
					failed = 0
				case response.Failed, response.Unknown:
					failed++
				default:
				}
				if want := !was && failed >= 2; got.SwitchedOff != want || (l.Off != nil) != (was || want) {
					rt.Fatalf("%d have failed: got %+v and %+v", failed, got, l.Off)
				}
			default:
				if (response.SwitchOn{Reason: "x"}).Check(l, kim) == nil {
					_ = response.SwitchOn{Reason: "x"}.Apply(l, kim, now)
					failed = 0
				}
			}
		}
	})
}

// A run whose incident came back counts as a failure, once.
func TestWhatComesBackHasFailed(t *testing.T) {
	l := &response.Ledger{ID: "restart"}
	for n, at := range []time.Time{start, start.Add(2 * time.Hour)} {
		id := fmt.Sprint("INC-", n)
		l.Claim(claim(id), at)
		l.End(end(id, response.Worked), at)
		first := l.End(end(id, response.Failed), at.Add(time.Hour))
		if again := l.End(end(id, response.Failed), at.Add(time.Hour)); again != first || l.Failed != 1 {
			t.Errorf("%s: got %+v, then %+v; %d have failed", id, first, again, l.Failed)
		}
	}
}

// However many runs there are, what may count is kept, and what is kept is bounded.
func TestWhatALedgerForgets(t *testing.T) {
	l := &response.Ledger{ID: "restart"}
	now := start
	for n := range 2_000 {
		c := claim(fmt.Sprint("INC-", n))
		c.Service = fmt.Sprint("service-", n%150)
		now = now.Add(time.Minute)
		if got := l.Claim(c, now); !got.Granted {
			t.Fatalf("run %d: got %+v", n, got)
		}
		l.End(end(c.Incident, response.Worked), now)
	}
	if n := len(l.Runs); n != 101 || l.Runs[n-1].Incident != "INC-1999" {
		t.Errorf("keeps %d runs, want the latest one and 100 before", n)
	}
	refused := 0
	now = now.Add(2 * time.Hour)
	for n := range 600 { // all at once: none may be forgotten
		c := claim(fmt.Sprint("STORM-", n))
		c.Service = c.Incident
		if l.Claim(c, now).Refused == response.TooOften {
			refused++
		}
	}
	if len(l.Runs) != 500 || refused != 100 {
		t.Errorf("keeps %d runs and has refused %d", len(l.Runs), refused)
	}
	if got := l.Unended(); len(got) != 500 || got[0] != "STORM-0" {
		t.Errorf("%d have not ended: %v …", len(got), got[:1])
	}
}

// Whoever may not read an incident does not hear of it by way of another.
func TestARestrictedRunIsNotNamed(t *testing.T) {
	l := &response.Ledger{ID: "restart"}
	secret := claim("INC-1")
	secret.Restricted = true
	l.Claim(secret, start)
	if got := l.Claim(claim("INC-2"), start); got != (response.Answer{Refused: response.IsRunning}) || got.Detail() != "" {
		t.Errorf("got %+v", got)
	}
}
