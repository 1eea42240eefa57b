package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/store"
)

func use(now time.Time) store.Use {
	return store.Use{Link: "dlv-1", Person: "park", Action: "acknowledge", Expires: now.Add(time.Hour)}
}

func TestALinkIsUsedOnce(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	if got, used, err := s.UsedLink(t.Context(), "dlv-1"); err != nil || used || got != (store.Use{}) {
		t.Errorf("got %+v, %v, %v; want not used", got, used, err)
	}
	want := use(c.now())
	first, before, err := s.UseLink(t.Context(), want)
	if err != nil || !first || before != (store.Use{}) {
		t.Errorf("got %v, %+v, %v; want the first use", first, before, err)
	}
	want.At = c.now()
	c.move(time.Minute)
	again := use(c.now())
	again.Person, again.Action = "kim", "escalate"
	if first, before, err := s.UseLink(t.Context(), again); err != nil || first || before != want {
		t.Errorf("got %v, %+v, %v; want %+v before", first, before, err, want)
	}
	if got, used, err := s.UsedLink(t.Context(), "dlv-1"); err != nil || !used || got != want {
		t.Errorf("got %+v, %v, %v; want %+v", got, used, err, want)
	}

	other := use(c.now())
	other.Link, other.At = "dlv-2", c.now().Add(-time.Second)
	if first, _, err := s.UseLink(t.Context(), other); err != nil || !first {
		t.Errorf("another link: got %v, %v", first, err)
	}
	if got, _, err := s.UsedLink(t.Context(), "dlv-2"); err != nil || !got.At.Equal(other.At) {
		t.Errorf("got %+v, %v; want it used at %v", got, err, other.At)
	}
}

func TestALinkIsGivenBack(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	must(t, s.ReleaseLink(t.Context(), "dlv-1")) // nothing to give back
	for range 2 {
		if first, before, err := s.UseLink(t.Context(), use(c.now())); err != nil || !first {
			t.Errorf("got %v, %+v, %v; want the first use", first, before, err)
		}
		must(t, s.ReleaseLink(t.Context(), "dlv-2"))
		if _, used, err := s.UsedLink(t.Context(), "dlv-1"); err != nil || !used {
			t.Errorf("got %v, %v; want it used: another was given back", used, err)
		}
		must(t, s.ReleaseLink(t.Context(), "dlv-1"))
	}
}

func TestUseLinkChecksFields(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	for _, tc := range []struct {
		name   string
		change func(*store.Use)
		want   []string
	}{
		{"no link", func(u *store.Use) { u.Link = "" }, []string{"link"}},
		{"nobody", func(u *store.Use) { u.Person = "" }, []string{"person"}},
		{"nothing", func(u *store.Use) { u.Action = "" }, []string{"action"}},
		{"for ever", func(u *store.Use) { u.Expires = time.Time{} }, []string{"expires"}},
		{"all at once", func(u *store.Use) { *u = store.Use{} }, []string{"link", "person", "action", "expires"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := use(c.now())
			tc.change(&u)
			first, _, err := s.UseLink(t.Context(), u)
			wantFaults(t, err, tc.want...)
			if first {
				t.Error("the link was claimed")
			}
		})
	}
}

func TestUsesAreForgottenADayAfterTheirLinks(t *testing.T) {
	for _, tc := range []struct {
		after time.Duration // the link has expired
		used  bool
	}{
		{0, true},
		{24 * time.Hour, true},
		{24*time.Hour + time.Microsecond, false},
	} {
		c := newClock()
		s := open(t, inFolder(t), c.now)
		u := use(c.now())
		_, _, err := s.UseLink(t.Context(), u)
		must(t, err)
		c.move(u.Expires.Add(tc.after).Sub(c.now()))
		other := use(c.now())
		other.Link = "dlv-2"
		_, _, err = s.UseLink(t.Context(), other)
		must(t, err)
		if _, used, err := s.UsedLink(t.Context(), u.Link); err != nil || used != tc.used {
			t.Errorf("%v after its end: got %v, %v; want %v", tc.after, used, err, tc.used)
		}
	}
}

// However many click at once, and whichever process serves them, one is the first.
func TestOneIsTheFirst(t *testing.T) {
	file := inFolder(t)
	stores := []*store.Store{open(t, file, time.Now), open(t, file, time.Now)}
	u := use(time.Now())
	var firsts atomic.Int32
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			first, before, err := stores[n%2].UseLink(t.Context(), u)
			if err != nil || first == (before.Link == u.Link) {
				t.Errorf("got %v, %+v, %v", first, before, err)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	all.Wait()
	if got := firsts.Load(); got != 1 {
		t.Errorf("got %d firsts, want 1", got)
	}
}
