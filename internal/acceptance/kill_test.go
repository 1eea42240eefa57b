package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/postgrestest"
	"muster/internal/timeline"
	"muster/starter/api"
)

// A group of alerts in the killed node, and what its people do about it.
type killed struct {
	name     string
	answers  bool // somebody acknowledges after the first page
	resolves bool // and its alerts are resolved then

	id       incident.ID
	answered time.Time // when the acknowledgement was confirmed
}

// The whole node, killed again and again in the middle of incidents: whoever should be paged is, and what it says of
// itself is true.
func TestKilledNodeLosesNothing(t *testing.T) {
	t.Parallel()
	lives, groups := 20, 12
	if testing.Short() {
		lives, groups = 4, 4
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))

	sink := newReceiver(t)
	sink.slow(dice.Uint64())
	s, life, now := mortal(t, "node", sink, nil)

	all := make([]*killed, groups)
	faults := make([]error, groups)
	var acting sync.WaitGroup
	for n := range all {
		all[n] = &killed{name: fmt.Sprintf("g%02d", n), answers: n%2 == 0, resolves: n%4 == 0}
	}
	act := func(n int) { acting.Go(func() { faults[n] = s.act(t.Context(), all[n]) }) }

	begun := 0
	for n := range lives {
		for ; begun < groups*(n+1)/lives; begun++ {
			act(begun)
		}
		point := time.Duration(dice.IntN(1500)) * time.Millisecond
		if dice.IntN(4) > 0 { // else while it starts, or soon after
			now.awaitReady(t)
		}
		select {
		case <-time.After(point):
		case <-now.ended:
			t.Fatalf("life %d ended by itself: %v", n+1, now.state)
		}
		now.kill()
		now = life()
	}
	for ; begun < groups; begun++ {
		act(begun)
	}
	now.awaitReady(t)
	acting.Wait()
	must(t, errors.Join(faults...))
	s.climbsToTheEnd(t, all)
	s.checkKilled(t, all)
}

// mortal is a system of one node, which life starts anew at the same address and over the same data after it was killed. A site is
// what its runbooks may reach, if there is one.
func mortal(t *testing.T, role string, sink *receiver, site *site) (s *system, life func() *child, now *child) {
	t.Helper()
	folder := t.TempDir()
	organisation := organise(t, folder, sink.url, nil)
	if site != nil {
		equip(t, organisation, site.url)
	}
	address := fmt.Sprintf("127.0.0.1:%d", postgrestest.FreePort(t))
	life = func() *child { return start(t, role, folder, listenEnv+"="+address) }
	now = life()
	now.awaitReady(t)
	return &system{url: "http://" + address, sink: sink, api: administrator(t, "http://"+address, folder+"/data"), folder: folder}, life, now
}

// slow makes everybody answer late, and sometimes with 503, so that a kill finds sends under way.
func (r *receiver) slow(seed uint64, more ...string) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 1))
	late := func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		wait, away := time.Duration(dice.IntN(1000))*time.Millisecond, dice.IntN(10) == 0
		mu.Unlock()
		time.Sleep(wait)
		if away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return !away
	}
	for _, path := range append([]string{"/ann/app", "/ann/desk", "/bob/app", "/bob/desk", "/cat/app", "/cat/desk", "/acme/mail", "/gus/app"}, more...) {
		r.answer(path, late)
	}
}

// act is what happens around one group: its alerts are posted until they are taken, repeated, and somebody reacts.
func (s *system) act(ctx context.Context, k *killed) error {
	firing := body("till", k.name, "firing", 2, "")
	if k.resolves {
		firing = body("shop", k.name, "firing", 2, "")
	}
	if err := errors.Join(deliver(ctx, s.url, firing), deliver(ctx, s.url, firing)); err != nil {
		return err
	}
	var err error
	if k.id, err = opened(ctx, s.api, k.name); err != nil || !k.answers {
		return err
	}
	if err := until(ctx, "the first on-call is paged for "+k.name, func() error {
		if len(s.sink.got(taken(k.pages("/ann/")))) == 0 {
			return errors.New("no page yet")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := do(ctx, s.api, k.id, incident.Acknowledge{}, api.NewKey()); err != nil {
		return err
	}
	k.answered = time.Now()
	if !k.resolves {
		return nil
	}
	return deliver(ctx, s.url, body("shop", k.name, "resolved", 2, ""))
}

// pages wants the pages of a group that go to somebody; "/" is anybody.
func (k *killed) pages(to string) func(attempt) bool {
	return func(a attempt) bool {
		return pages(a.path)(a) && strings.HasPrefix(a.path, to) && a.Message.Incident == string(k.id)
	}
}

// climbsToTheEnd waits until what nobody has answered has reached the last resort, again and again, answers it, and waits
// until nothing is under way any more.
func (s *system) climbsToTheEnd(t *testing.T, all []*killed) {
	for _, k := range all {
		if k.answers {
			continue
		}
		for _, rung := range []struct {
			path  string
			times int
		}{{"/ann/", 1}, {"/bob/", 1}, {"/cat/", 2}} {
			must(t, until(t.Context(), fmt.Sprintf("%s of group %s is paged", rung.path, k.name), func() error {
				if n := len(ids(s.sink.got(taken(k.pages(rung.path))))); n < rung.times {
					return fmt.Errorf("%d pages were taken, want %d", n, rung.times)
				}
				return nil
			}))
		}
		must(t, do(t.Context(), s.api, k.id, incident.Acknowledge{}, api.NewKey()))
		k.answered = time.Now()
	}
	for _, k := range all {
		s.state(t, k.id, "every send of "+k.name+" has its outcome", func(i *incident.Incident) bool {
			return settled(i) && (!k.resolves || i.Status == incident.Closed)
		})
	}
}

func (s *system) checkKilled(t *testing.T, all []*killed) {
	s.sink.check(t)
	every := s.sink.got(func(attempt) bool { return true })
	t.Logf("%d attempts of %d deliveries arrived, %d of them possibly repeated", len(every), len(ids(every)),
		len(s.sink.got(func(a attempt) bool { return a.PossiblyRepeated })))
	states, err := byGroup(t.Context(), s.api)
	must(t, err)
	if len(states) != len(all) {
		t.Errorf("%d groups have incidents, want %d", len(states), len(all))
	}
	for _, k := range all {
		if n := len(states[k.name]); n != 1 {
			t.Errorf("group %s has %d incidents, want 1", k.name, n)
			continue
		}
		if i := states[k.name][0]; i.Alerts.Distinct() != 2 || i.Alerts.Full[0].Times < 2 {
			t.Errorf("group %s: %d alerts are known, the first came %d times; want 2 and at least 2", k.name, i.Alerts.Distinct(), i.Alerts.Full[0].Times)
		}
		entries := checkTimeline(t, s.api, k.id, s.sink)
		checkReplay(t, s.api, k.id)
		s.checkAnswered(t, k, entries)
	}
}

// checkAnswered asks that the first step was delivered, and that an acknowledgement has ended the paging: nothing new is
// begun, and what was under way arrives at most once more.
func (s *system) checkAnswered(t *testing.T, k *killed, entries []timeline.Entry) {
	if len(s.sink.got(taken(k.pages("/ann/")))) == 0 {
		t.Errorf("group %s: nobody of the first step was paged", k.name)
	}
	acks := entriesOf(entries, timeline.Acknowledged, "", "")
	if len(acks) != 1 {
		t.Errorf("group %s was acknowledged %d times, want 1", k.name, len(acks))
		return
	}
	for _, e := range entriesOf(entries, timeline.Sending, "what", "page") {
		if e.Seq > acks[0].Seq {
			t.Errorf("group %s: entry %d begins a page after entry %d acknowledged", k.name, e.Seq, acks[0].Seq)
		}
	}
	late := s.sink.got(func(a attempt) bool { return k.pages("/")(a) && a.at.After(k.answered) })
	for n, a := range late {
		if slices.ContainsFunc(late[:n], func(b attempt) bool { return a.ID == b.ID }) {
			t.Errorf("group %s: page %s was repeated after the acknowledgement", k.name, a.ID)
		}
	}
}
