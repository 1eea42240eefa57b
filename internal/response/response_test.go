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
		{3, other, response.Worked, response.Answer{Granted: true}},                          // of another service
		{10, claim("INC-2"), response.Unneeded, response.Answer{Granted: true}},              // the one before is lost
		{12, claim("INC-3"), response.Worked, response.Answer{Granted: true}},                // what has done nothing does not count
		{14, claim("INC-4"), "", response.Answer{Refused: response.TooOften, Again: at(60)}}, // INC-1 and INC-3
		{59, claim("INC-4"), "", response.Answer{Refused: response.TooOften, Again: at(60)}}, //
		{60, claim("INC-4"), response.Failed, response.Answer{Granted: true}},                //
		{62, claim("INC-5"), "", response.Answer{Refused: response.TooOften, Again: at(72)}}, // INC-3 and INC-4
		{72, claim("INC-5"), response.Stopped, response.Answer{Granted: true}},               // is no failure
		{140, claim("INC-6"), response.Unknown, response.Answer{Granted: true}},              // the second one in a row
		{150, other, "", response.Answer{Granted: true}},                                     // it was allowed before
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
		want string // why not
	}{
		{response.SwitchOn{Reason: "x"}, "it is on"},
		{response.SwitchOff{}, "reason: missing"},
		{response.SwitchOff{Reason: strings.Repeat("x", response.MaxText+1)}, "want 2000 at most"},
		{response.SwitchOff{Reason: "it takes both servers down"}, ""},
		{response.SwitchOff{Reason: "x"}, "it is off since 2026-11-27T09:00:00Z, by 김민수"},
		{response.SwitchOn{Reason: " "}, "reason: missing"},
		{response.SwitchOn{Reason: "mended"}, ""},
	} {
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
	if l.Off != nil || l.Failed != 0 || len(l.Timeline.Entries) != 2 || len(l.Running(start)) != 1 {
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
					idle := r.over && (r.outcome == response.Unneeded || r.outcome == response.Unasked)
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
				if r.over {
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
