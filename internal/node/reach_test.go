package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/reach"
)

// A worker tells the ledger what has changed, and else no more than once an hour; nothing is lost while the ledger does not answer.
func TestTheLedgerIsToldOfWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReports()
		var (
			told []string
			away error
		)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.run(ctx, func(_ context.Context, tries []reach.Try) error {
				if away == nil {
					for _, x := range tries {
						told = append(told, fmt.Sprintf("%s/%s %s", x.To, x.Method, x.Result))
					}
				}
				return away
			})
		}()
		try := func(method string, result reach.Result) {
			r.tried(reach.Try{Way: reach.Way{To: "kim", Method: method}, Result: result, At: time.Now()})
			time.Sleep(time.Minute)
		}
		want := func(lines ...string) {
			t.Helper()
			synctest.Wait()
			if !slices.Equal(told, lines) {
				t.Errorf("told %q, want %q", told, lines)
			}
			told = nil
		}
		try("mail", reach.Delivered)
		try("mail", reach.Delivered)
		try("phone", reach.Failed)
		try("mail", reach.Failed)
		want("kim/mail delivered", "kim/phone failed", "kim/mail failed")
		away = errors.New("no worker")
		try("mail", reach.Delivered)
		try("mail", reach.Unknown)
		want()
		away = nil
		time.Sleep(time.Minute)
		want("kim/mail delivered", "kim/mail unknown")
		try("mail", reach.Unknown)
		want()
		time.Sleep(time.Hour)
		try("mail", reach.Unknown)
		want("kim/mail unknown")
		cancel()
		<-done
	})
}

// A ledger that is away for long costs no more than so much memory, and the newest attempts stay.
func TestWhatWaitsForTheLedgerIsBounded(t *testing.T) {
	r := newReports()
	for n := range mostWaiting + 7 {
		r.tried(reach.Try{Way: reach.Way{To: fmt.Sprint(n)}, Result: reach.Failed})
		if n == mostWaiting-1 {
			first := r.next()
			defer func() {
				r.arrived(first) // of which the oldest were dropped meanwhile
				if len(r.waiting) != mostWaiting-(mostReported-7) || r.waiting[0].To != fmt.Sprint(mostReported) {
					t.Errorf("%d wait, the first of %s", len(r.waiting), r.waiting[0].To)
				}
			}()
		}
	}
	if len(r.waiting) != mostWaiting || r.waiting[0].To != "7" {
		t.Errorf("%d wait, the first of %s", len(r.waiting), r.waiting[0].To)
	}
}
