package selfwatch_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"muster/internal/selfwatch"
)

// TestDeliveries follows deliveries from their beginning to their end, or until they do not come back.
func TestDeliveries(t *testing.T) {
	at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
	tests := []struct {
		name   string
		happen func(d *selfwatch.Deliveries)
		now    time.Time
		count  int
		oldest time.Duration
	}{
		{"nothing", func(*selfwatch.Deliveries) {}, at(0), 0, 0},
		{"one is tried", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(1)) }, at(1), 1, time.Minute},
		{
			"the oldest counts", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(2), at(4)); d.UnderWay("b", at(1), at(4)) },
			at(4), 2, 3 * time.Minute,
		},
		{"it ended", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(4)); d.Ended("a") }, at(4), 0, 0},
		{
			"each attempt keeps it", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(1)); d.UnderWay("a", at(0), at(9)) },
			at(8), 1, 8 * time.Minute,
		},
		{
			"a new run sends it again", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(1)); d.UnderWay("a", at(3), at(4)) },
			at(4), 1, 4 * time.Minute,
		},
		{
			"a receiver wants to be left alone for an hour", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(60)) },
			at(60), 1, time.Hour,
		},
		{"the next attempt waits for its turn", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(1)) }, at(2), 1, 2 * time.Minute},
		{"it was taken back between two attempts", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(1)) }, at(3), 0, 0},
		{
			"the attempt was cut short", func(d *selfwatch.Deliveries) { d.UnderWay("a", at(0), at(9)); d.UnderWay("a", at(0), at(1)) },
			at(3), 0, 0,
		},
		{"ended elsewhere", func(d *selfwatch.Deliveries) { d.Ended("a") }, at(4), 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d selfwatch.Deliveries
			tt.happen(&d)
			if count, oldest := d.Open(tt.now); count != tt.count || oldest != tt.oldest {
				t.Errorf("got %d, the oldest after %s; want %d, %s", count, oldest, tt.count, tt.oldest)
			}
		})
	}
}

// TestForgotten keeps nothing of what did not come back: should it come after all, it has the age that it is told with.
func TestForgotten(t *testing.T) {
	var d selfwatch.Deliveries
	d.UnderWay("a", begin, begin)
	d.Open(begin.Add(2 * time.Minute))
	again := begin.Add(3 * time.Minute)
	d.UnderWay("a", again, again)
	if count, oldest := d.Open(again); count != 1 || oldest != 0 {
		t.Errorf("got %d, the oldest after %s; want 1, 0s", count, oldest)
	}
}

// TestAtOnce tells of many deliveries from many activities.
func TestAtOnce(t *testing.T) {
	var d selfwatch.Deliveries
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 100 {
				id := strconv.Itoa(i) + "/" + strconv.Itoa(j)
				d.UnderWay(id, begin, begin)
				d.Open(begin)
				if j%2 == 0 {
					d.Ended(id)
				}
			}
		})
	}
	all.Wait()
	if count, _ := d.Open(begin); count != 800 {
		t.Errorf("got %d open, want 800", count)
	}
}
