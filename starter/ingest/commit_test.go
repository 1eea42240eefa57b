package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/priority"
	"muster/starter/ingest"
)

const ms = time.Millisecond

// one is a post of one alert of a group.
func one(group, fingerprint string) string { return text(message(group, "", firing(fingerprint))) }

func TestFirstPostIsCommittedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 7 * ms
		in := intake(t, e)
		if w := serve(in, post(t, one("g", "f1"))); w.Code != 200 || time.Since(e.since) != 7*ms {
			t.Errorf("got %d after %s", w.Code, time.Since(e.since))
		}
		if got := e.starts(""); !reflect.DeepEqual(got, []time.Duration{0}) {
			t.Errorf("got commits at %s", got)
		}
		return in
	})
}

func TestStormIsSpacedAndFolded(t *testing.T) {
	for _, tc := range []struct{ takes, apart time.Duration }{
		{10 * ms, 50 * ms},
		{49 * ms, 50 * ms},
		{120 * ms, 120 * ms}, // one at a time, even when the engine is slow
	} {
		bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
			e.takes = tc.takes
			in := intake(t, e)
			var all sync.WaitGroup
			for range 1000 { // for a second
				all.Go(func() {
					began := time.Now()
					w := serve(in, post(t, one("g", "f1")))
					if took := time.Since(began); w.Code != 200 || took < tc.takes || took > tc.apart+tc.takes {
						t.Errorf("got %d after %s", w.Code, took)
					}
				})
				time.Sleep(ms)
			}
			all.Wait()
			starts := e.starts("")
			for i := range starts[1:] {
				if got := starts[i+1] - starts[i]; got != tc.apart {
					t.Errorf("commits %d and %d are %s apart, want %s", i, i+1, got, tc.apart)
				}
			}
			posts := 0
			for _, c := range e.seen() {
				if posts += c.batch.Posts; len(c.batch.Alerts) != 1 || c.batch.Alerts[0].Times != c.batch.Posts {
					t.Errorf("got batch %+v", c.batch)
				}
			}
			if s := in.Stats(); posts != 1000 || s.Accepted != 1000 || s.Alerts != 1000 || s.Commits != int64(len(starts)) {
				t.Errorf("got %d posts in commits, %+v", posts, s)
			}
			return in
		})
	}
}

func TestGroupThatFallsSilentStartsAtOnceAgain(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		in := intake(t, e)
		for _, pause := range []time.Duration{0, 20 * ms, 51 * ms, time.Hour} {
			time.Sleep(pause)
			serve(in, post(t, one("g", "f1")))
		}
		// The second waits until 50; what comes 51 ms after it, and an hour later, does not.
		if got, want := e.starts(""), []time.Duration{0, 50 * ms, 101 * ms, time.Hour + 101*ms}; !reflect.DeepEqual(got, want) {
			t.Errorf("got commits at %s, want %s", got, want)
		}
		return in
	})
}

func TestWhatFoldsAndWhatDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 10 * ms
		in := intake(t, e)
		again := firing("f1")
		again["startsAt"] = "2026-11-22T10:07:00Z"
		zone := firing("f1")
		zone["startsAt"] = "2026-11-22T19:00:00.000+09:00" // the same instant
		go serve(in, post(t, one("g", "f0")))
		time.Sleep(ms)
		m := message("g", "", firing("f1"), resolved("f1"), firing("f1"), again, zone, firing("f2"))
		m["truncatedAlerts"] = 4
		go serve(in, post(t, text(m)))
		time.Sleep(ms)
		last := message("g", "", resolved("f2"), resolved("f1"))
		last["status"] = "resolved"
		serve(in, post(t, text(last)))
		b := e.seen()[1].batch
		var got []string
		for _, a := range b.Alerts {
			got = append(got, fmt.Sprintf("%s %s %s ×%d", a.Fingerprint, a.State, a.StartsAt.Format("15:04"), a.Times))
		}
		want := []string{"f1 firing 10:00 ×3", "f1 resolved 10:00 ×2", "f1 firing 10:07 ×1", "f2 firing 10:00 ×1", "f2 resolved 10:00 ×1"}
		if !slices.Equal(got, want) || b.Posts != 2 || b.Truncated != 4 || !b.GroupResolved {
			t.Errorf("got %q, %+v; want %q", got, b, want)
		}
		return in
	})
}

func TestResolvedGroupIsNotBelievedWhileAlertsAreLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		in := intake(t, e)
		m := message("g", "", resolved("f1"))
		m["status"], m["truncatedAlerts"] = "resolved", 1 // Alertmanager cuts first and says "resolved" of the rest
		serve(in, post(t, text(m)))
		if b := e.seen()[0].batch; b.GroupResolved || b.Truncated != 1 {
			t.Errorf("got %+v", b)
		}
		return in
	})
}

func TestLargePostGoesInSeveralCommits(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 10 * ms
		in := intake(t, e)
		m := message("g", "", many(1201, resolved)...)
		m["status"] = "resolved"
		w := serve(in, post(t, text(m)))
		if got := w.Body.String(); got != `{"status":"accepted","alerts":1201,"commits":3}`+"\n" || time.Since(e.since) != 110*ms {
			t.Errorf("got %s after %s", got, time.Since(e.since))
		}
		next, ids := 0, map[string]bool{}
		for i, c := range e.seen() {
			b := c.batch
			ids[b.ID] = true
			last := i == 2
			if want := []int{500, 500, 201}[i]; len(b.Alerts) != want || b.GroupResolved != last || (b.Posts == 1) != (i == 0) {
				t.Errorf("commit %d: got %d alerts, %d posts, resolved %t", i, len(b.Alerts), b.Posts, b.GroupResolved)
			}
			for _, a := range b.Alerts {
				if a.Fingerprint != fmt.Sprintf("%016x", next) {
					t.Fatalf("commit %d: got %s, want %016x", i, a.Fingerprint, next)
				}
				next++
			}
		}
		if len(ids) != 3 || next != 1201 || in.Stats().Commits != 3 {
			t.Errorf("got %d ids, %d alerts, %+v", len(ids), next, in.Stats())
		}
		return in
	})
}

func TestBatchEdges(t *testing.T) {
	fat := func(fingerprint string) object { // makes about 60 kB of JSON, whatever its characters cost
		a := firing(fingerprint)
		notes := object{}
		for i := range 12 {
			notes[fmt.Sprint("a", i)] = strings.Repeat([]string{"x", "<", `"`, "\u2028", "값", "\x01"}[i%6], 700)
		}
		for i := range 8 {
			notes[fmt.Sprint("b", i)] = strings.Repeat("y", 4000)
		}
		a["annotations"] = notes
		return a
	}
	for _, tc := range []struct {
		name    string
		alerts  []object
		commits int
	}{
		{"500", many(500, firing), 1},
		{"501", many(501, firing), 2},
		{"500 and repeats", append(many(500, firing), many(500, firing)...), 1},
		{"bytes", many(40, fat), 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
				in := intake(t, e)
				serve(in, post(t, text(message("g", "", tc.alerts...))))
				if len(e.seen()) != tc.commits {
					t.Errorf("got %d commits, want %d", len(e.seen()), tc.commits)
				}
				return in
			})
		})
	}
}

func TestLaterCommitThatFails(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 10 * ms
		e.fail = func(_ context.Context, call int) error {
			if call == 2 {
				return errors.New("away")
			}
			return nil
		}
		in := intake(t, e)
		var large, small int
		var all sync.WaitGroup
		all.Go(func() { large = serve(in, post(t, text(message("g", "", many(1201, firing)...)))).Code })
		time.Sleep(ms)
		all.Go(func() { small = serve(in, post(t, one("g", "f1"))).Code })
		all.Wait()
		// The rest of the large one is not tried: it is posted again as a whole. The other one has its own commit.
		if large != 503 || small != 200 || len(e.seen()) != 3 || len(e.seen()[2].batch.Alerts) != 1 {
			t.Errorf("got %d, %d and %d commits", large, small, len(e.seen()))
		}
		return in
	})
}

func TestEveryPostOfAFailedCommitIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.fail = func(ctx context.Context, call int) error {
			<-ctx.Done() // the outcome is unknown
			return ctx.Err()
		}
		in := intake(t, e)
		answers := storm(t, in, one("g", "f1"), one("g", "f1"), one("g", "f2"))
		if got := codes(answers); !slices.Equal(got, []int{503}) || time.Since(e.since) > 2*ingest.Deadline {
			t.Errorf("got %d after %s", got, time.Since(e.since))
		}
		return in
	})
}

func TestParallelIdenticalPosts(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 20 * ms
		in := intake(t, e)
		bodies := slices.Repeat([]string{one("g", "f1")}, 1000)
		if got := codes(storm(t, in, bodies...)); !slices.Equal(got, []int{200}) {
			t.Errorf("got %d", got)
		}
		if got := e.times(); len(e.seen()) > 2 || got["f1 firing"] != 1000 {
			t.Errorf("got %d commits of %v", len(e.seen()), got)
		}
		return in
	})
}

func TestGroupsDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 20 * ms
		in := intake(t, e)
		var bodies []string
		for i := range 16 {
			bodies = append(bodies, one(fmt.Sprint("g", i), "f1"))
		}
		storm(t, in, bodies...)
		if time.Since(e.since) != 20*ms || e.most != 16 {
			t.Errorf("got %d at a time, %s", e.most, time.Since(e.since))
		}
		return in
	})
}

func TestAtMostSixteenCallsInFlight(t *testing.T) {
	for _, limit := range []int{0, 3} {
		bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
			e.takes = 20 * ms
			in := intake(t, e, func(c *ingest.Config) { c.InFlight = limit })
			var bodies []string
			for i := range 200 {
				bodies = append(bodies, one(fmt.Sprint("g", i), "f1"))
			}
			got := codes(storm(t, in, bodies...))
			want := map[int]int{0: 16, 3: 3}[limit]
			if !slices.Equal(got, []int{200}) || e.most != want {
				t.Errorf("got %d, %d at a time, want %d", got, e.most, want)
			}
			return in
		})
	}
}

func narrow(c *ingest.Config) { c.InFlight = 1 }

func TestPressingIncidentsGoFirst(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 100 * ms
		in := intake(t, e, narrow)
		for i, severity := range []string{"", "", "critical", "warning", "", "critical", "warning"} {
			go serve(in, post(t, text(message(fmt.Sprint("g", i), severity, firing("f1")))))
			time.Sleep(ms)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var got []string
		for _, c := range e.seen() {
			got = append(got, c.def.Title)
		}
		if want := []string{"g0", "g2", "g5", "g3", "g6", "g1", "g4"}; !slices.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
		return in
	})
}

func TestABatchIsAsPressingAsTheMostPressingOfItsPosts(t *testing.T) {
	for _, tc := range []struct {
		name            string
		posts           []object
		impact, urgency priority.Level
	}{
		{"one", []object{message("g", "warning", firing("f1"))}, priority.Medium, priority.Medium},
		{"the later one", []object{message("g", "", firing("f1")), message("g", "critical", firing("f2"))}, priority.High, priority.High},
		{"the earlier one", []object{message("g", "critical", firing("f1")), message("g", "", firing("f2"))}, priority.High, priority.High},
		{"each level of its own", []object{message("g", "warning", firing("f1")), message("g", "urgent", firing("f2"))}, priority.Medium, priority.High},
		{"what ends is not pressing", []object{message("g", "", firing("f1")), message("g", "critical", resolved("f2"))}, priority.Low, priority.Low},
		{"nothing fires", []object{message("g", "critical", resolved("f1"))}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
				e.takes = 10 * ms
				in := intake(t, e)
				go serve(in, post(t, one("g", "f0")))
				for _, p := range tc.posts { // they wait for one commit
					time.Sleep(ms)
					go serve(in, post(t, text(p)))
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if b := e.seen()[1].batch; b.Posts != len(tc.posts) || b.Impact != tc.impact || b.Urgency != tc.urgency {
					t.Errorf("got impact %q, urgency %q in %+v; want %q, %q", b.Impact, b.Urgency, b, tc.impact, tc.urgency)
				}
				return in
			})
		})
	}
}

// Whatever a source says is common, the levels are those of the alerts, and what is explained is what becomes of them.
func TestLabelsThatOnlyTheAlertsHaveDecideAsIsExplained(t *testing.T) {
	labelled := func(fingerprint string) object {
		a := firing(fingerprint)
		a["labels"] = object{"alertname": "N", "severity": "warning"}
		return a
	}
	for name, alerts := range map[string][]object{"one": {labelled("f1")}, "two": {labelled("f1"), labelled("f2")}} {
		for _, common := range []any{nil, object{}, object{"alertname": "N"}} {
			m := message("g", "", alerts...)
			m["commonLabels"] = common
			cases, err := ingest.Explain(ingest.Source{ID: "prometheus"}, []byte(text(m)), routes{}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
				in := intake(t, e)
				serve(in, post(t, text(m)))
				got, want := e.seen()[0], cases[0]
				if got.def.Impact != priority.Medium || got.batch.Impact != got.def.Impact || got.def.Impact != want.Definition.Impact || got.def.Urgency != want.Definition.Urgency {
					t.Errorf("%s with %v in common: got %s and %s, explained are %s and %s; want medium", name, common, got.def.Impact, got.batch.Impact, want.Definition.Impact, want.Definition.Urgency)
				}
				if severity := want.Each[0].Value("severity"); severity != "warning" {
					t.Errorf("%s with %v in common: explained by severity %q", name, common, severity)
				}
				return in
			})
		}
	}
}

func TestTurnThatDoesNotComeInTime(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.fail = func(context.Context, int) error { time.Sleep(10 * time.Second); return nil }
		in := intake(t, e, narrow)
		go serve(in, post(t, one("g1", "f1")))
		time.Sleep(ms)
		w := serve(in, post(t, one("g2", "f1")))
		if p := refused(t, w); w.Code != 503 || !strings.HasPrefix(p.Detail, "no turn came in time") || time.Since(e.since) != ingest.Admission+ms {
			t.Errorf("got %d %+v after %s", w.Code, p, time.Since(e.since))
		}
		time.Sleep(10 * time.Second)
		return in
	})
}

func TestCrowdGivesWayToThePressing(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.fail = func(context.Context, int) error { time.Sleep(time.Second); return errors.New("away") }
		in := intake(t, e, narrow)
		go serve(in, post(t, one("first", "f1")))
		time.Sleep(ms)
		for i := range ingest.Queue {
			go serve(in, post(t, one(fmt.Sprint("g", i), "f1")))
		}
		time.Sleep(ms)
		// No better than the others, and last: it is told at once. A pressing one takes the place of one of the others.
		w := serve(in, post(t, one("late", "f1")))
		if p := refused(t, w); w.Code != 503 || !strings.HasPrefix(p.Detail, "too many incidents") || time.Since(e.since) != 2*ms {
			t.Errorf("got %d %+v after %s", w.Code, p, time.Since(e.since))
		}
		go serve(in, post(t, text(message("urgent", "critical", firing("f1")))))
		time.Sleep(time.Second)
		synctest.Wait()
		if s := in.Stats(); e.seen()[1].def.Title != "urgent" || s.Waiting != ingest.Queue-1 || s.Unavailable != 3 {
			t.Errorf("got %s next, %+v", e.seen()[1].def.Title, s)
		}
		time.Sleep(20 * time.Second)
		return in
	})
}

// leaving posts and goes away after a while.
func leaving(t *testing.T, in http.Handler, body string, after time.Duration) {
	r := post(t, body)
	ctx, cancel := context.WithTimeout(r.Context(), after)
	go func() {
		defer cancel()
		if w := serve(in, r.WithContext(ctx)); w.Code == 200 {
			t.Errorf("a request that has gone was answered %d", w.Code)
		}
	}()
}

func TestWhoGoesLeavesNoTrace(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = time.Second
		in := intake(t, e, narrow)
		go serve(in, post(t, one("g1", "f1")))
		time.Sleep(ms)
		leaving(t, in, one("g1", "f2"), 10*ms) // waits behind the first commit of its group
		leaving(t, in, one("g2", "f3"), 10*ms) // waits for a turn
		leaving(t, in, one("g2", "f4"), 20*ms)
		time.Sleep(11 * ms)
		synctest.Wait()
		if s := in.Stats(); s.Waiting != 1 {
			t.Errorf("got %d waiting while one is left", s.Waiting)
		}
		time.Sleep(10 * ms)
		synctest.Wait()
		if s := in.Stats(); s.Waiting != 0 || s.Abandoned != 3 {
			t.Errorf("got %d waiting when all have gone, %+v", s.Waiting, s)
		}
		if w := serve(in, post(t, one("g2", "f5"))); w.Code != 200 {
			t.Errorf("the next of the group got %d", w.Code)
		}
		if got, want := e.times(), map[string]int{"f1 firing": 1, "f5 firing": 1}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		return in
	})
}

func TestWhoGoesDoesNotEndTheCommitOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 100 * ms
		in := intake(t, e)
		leaving(t, in, text(message("g", "", many(1201, firing)...)), 10*ms) // its first 500 are under way
		time.Sleep(ms)
		if w := serve(in, post(t, one("g", "f1"))); w.Code != 200 || len(e.seen()) != 2 || len(e.seen()[1].batch.Alerts) != 1 {
			t.Errorf("got %d and %d commits", w.Code, len(e.seen()))
		}
		return in
	})
}

func TestPatienceEnds(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 2 * time.Second
		in := intake(t, e)
		w := serve(in, post(t, text(message("g", "", many(8_000, firing)...))))
		if p := refused(t, w); w.Code != 503 || time.Since(e.since) != ingest.Patience {
			t.Errorf("got %d %+v after %s", w.Code, p, time.Since(e.since))
		}
		time.Sleep(e.takes)
		return in
	})
}

func TestTooManyBytesWait(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		in, body := intake(t, e), one("g", "f1")
		others := ingest.MaxHeld - int64(len(body))
		in.Hold(others)
		if w := serve(in, post(t, body)); w.Code != 200 {
			t.Errorf("what just has room got %d", w.Code)
		}
		in.Hold(1)
		w := serve(in, post(t, body))
		if p := refused(t, w); w.Code != 503 || !strings.HasPrefix(p.Detail, "too many bytes") {
			t.Errorf("got %d %+v", w.Code, p)
		}
		in.Hold(-1 - others)
		return in
	})
}

func TestFailureIsLoggedOnceAndSaysWhich(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.fail = func(context.Context, int) error { return errors.New("connection refused") }
		var log strings.Builder
		in := intake(t, e, func(c *ingest.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		storm(t, in, one("g", "f1"))
		synctest.Wait()
		got := log.String()
		if strings.Count(got, "\n") != 1 || !strings.Contains(got, "incident/alertmanager/muster") || !strings.Contains(got, "connection refused") {
			t.Errorf("got %s", got)
		}
		return in
	})
}

func TestReceivedAtIsTheFirstArrival(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		e.takes = 10 * ms
		in := intake(t, e, func(c *ingest.Config) { c.Now = time.Now })
		go serve(in, post(t, one("g", "f1")))
		time.Sleep(20 * ms)
		go serve(in, post(t, one("g", "f2")))
		time.Sleep(20 * ms)
		serve(in, post(t, one("g", "f3")))
		if got, want := e.seen()[1].batch.ReceivedAt, e.since.Add(20*ms); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("got %s, want %s", got, want)
		}
		return in
	})
}

// Whatever comes in whatever order, from whoever stays or goes, and whether or not the engine answers: what was
// accepted was delivered, and nothing was delivered that was not posted.
func TestAcceptedIsDelivered(t *testing.T) {
	for seed := range uint64(6) {
		bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
			r := rand.New(rand.NewPCG(seed, 0))
			e.takes = time.Duration(r.IntN(80)) * ms
			e.fail = func(_ context.Context, call int) error {
				if call%7 == 3 {
					return errors.New("away")
				}
				return nil
			}
			in := intake(t, e, func(c *ingest.Config) { c.InFlight = 1 + r.IntN(4) })
			posted, accepted := map[string]int{}, map[string]int{}
			var mu sync.Mutex
			var all sync.WaitGroup
			for range 60 {
				group := fmt.Sprint("g", r.IntN(5))
				var alerts []object
				for range 1 + r.IntN(1+r.IntN(700)) {
					alerts = append(alerts, firing(fmt.Sprint(group, r.IntN(2000))))
				}
				ctx, cancel := context.WithCancel(t.Context())
				if r.IntN(4) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(200))*ms)
				}
				req := post(t, text(message(group, []string{"", "critical", "warning"}[r.IntN(3)], alerts...))).WithContext(ctx)
				all.Go(func() {
					defer cancel()
					w := serve(in, req)
					mu.Lock()
					defer mu.Unlock()
					for _, a := range alerts {
						posted[a["fingerprint"].(string)+" firing"]++
						if w.Code == 200 {
							accepted[a["fingerprint"].(string)+" firing"]++
						}
					}
				})
				time.Sleep(time.Duration(r.IntN(20)) * ms)
			}
			all.Wait()
			time.Sleep(time.Second) // for commits that nobody waits for
			synctest.Wait()
			delivered := e.times()
			for f, n := range accepted {
				if delivered[f] < n {
					t.Errorf("seed %d: %s accepted %d times, delivered %d", seed, f, n, delivered[f])
				}
			}
			for f, n := range delivered {
				if posted[f] < n {
					t.Errorf("seed %d: %s delivered %d times, posted %d", seed, f, n, posted[f])
				}
			}
			return in
		})
	}
}
