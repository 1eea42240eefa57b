package throttle_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/throttle"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func noon() *clock { return &clock{time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)} }

func TestEachHasARateOfItsOwn(t *testing.T) {
	c := noon()
	r := throttle.NewRate(2, 3, c.now)
	for n := range 3 {
		if wait := r.Wait("a"); wait != 0 {
			t.Errorf("request %d of a burst of 3 waits %s", n+1, wait)
		}
	}
	if wait := r.Wait("a"); wait != 500*time.Millisecond {
		t.Errorf("the fourth waits %s, want 500ms", wait)
	}
	if wait := r.Wait("a"); wait != 500*time.Millisecond {
		t.Errorf("a refused request counts: the next waits %s", wait)
	}
	if wait := r.Wait("b"); wait != 0 {
		t.Errorf("another waits %s", wait)
	}
	c.at = c.at.Add(500 * time.Millisecond)
	if wait := r.Wait("a"); wait != 0 {
		t.Errorf("half a second later it waits %s", wait)
	}
}

// However many come and however they come, nobody gets more than the burst and the rate allow.
func TestNobodyGetsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := noon()
		began := c.at
		r := throttle.NewRate(1, 5, c.now)
		taken := map[string]int{}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			c.at = c.at.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond)
			who := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "who")
			if r.Wait(who) == 0 {
				taken[who]++
			}
		}
		for who, n := range taken {
			if most := 5 + int(c.at.Sub(began)/time.Second) + 1; n > most {
				t.Fatalf("%s has %d in %s, want %d at most", who, n, c.at.Sub(began), most)
			}
		}
	})
}

func TestAFloodOfCallersIsBounded(t *testing.T) {
	c := noon()
	r := throttle.NewRate(1, 2, c.now)
	refused := 0
	for n := range 20_000 {
		if r.Wait(fmt.Sprint(n)) > 0 {
			refused++
		}
	}
	if refused < 9_000 {
		t.Errorf("%d of 20,000 new callers at once are refused; want those beyond 10,000, but for a burst", refused)
	}
	c.at = c.at.Add(time.Minute)
	if wait := r.Wait("later"); wait != 0 {
		t.Errorf("when the flood is over, a new caller waits %s", wait)
	}
}

func TestALockShutsOutWhoFailsTooOften(t *testing.T) {
	c := noon()
	l := throttle.NewLock(3, time.Minute, 10*time.Minute, c.now)
	for n, want := range []struct {
		after  time.Duration
		locked time.Duration
		just   bool
	}{
		{0, 0, false},
		{time.Second, 0, false},
		{time.Second, 10 * time.Minute, true},
		{time.Minute, 9 * time.Minute, false}, // who goes on stays locked, and the lock grows no longer
		{9 * time.Minute, 0, false},           // it is over, and counting begins anew
		{30 * time.Second, 0, false},
		{30 * time.Second, 0, false}, // the first one was a minute ago
		{time.Second, 0, false},
		{time.Second, 10 * time.Minute, true},
	} {
		c.at = c.at.Add(want.after)
		if locked, just := l.Fail("a"); locked != want.locked || just != want.just {
			t.Errorf("failure %d: locked for %s, just now %v; want %s, %v", n+1, locked, just, want.locked, want.just)
		}
	}
	if locked, _ := l.Fail("b"); locked != 0 {
		t.Errorf("another is locked for %s", locked)
	}
}

func TestALockForgetsWhoHasStopped(t *testing.T) {
	c := noon()
	l := throttle.NewLock(1, time.Minute, time.Minute, c.now)
	for n := range 10_000 {
		l.Fail(fmt.Sprint(n))
	}
	if _, just := l.Fail("one more"); just {
		t.Error("more than ten thousand are kept in mind")
	}
	c.at = c.at.Add(time.Minute)
	if _, just := l.Fail("one more"); !just {
		t.Error("those who have stopped are not forgotten")
	}
}

func TestAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1234":             "192.0.2.7",
		"[::ffff:192.0.2.7]:1":       "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:9":           "fe80::/64",
		"@":                          "@",
		"somewhere:80":               "somewhere",
	} {
		if got := throttle.Address(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}
