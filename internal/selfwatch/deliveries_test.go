package selfwatch_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"muster/internal/selfwatch"
)

// TestDeliveries follows deliveries from their beginning to their end or until nobody attempts them any more.
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
		{"one began", func(d *selfwatch.Deliveries) { d.Began("a", at(0)) }, at(4), 1, 4 * time.Minute},
		{
			"the oldest counts", func(d *selfwatch.Deliveries) { d.Began("a", at(2)); d.Began("b", at(1)) },
			at(4), 2, 3 * time.Minute,
		},
		{"it ended", func(d *selfwatch.Deliveries) { d.Began("a", at(0)); d.Ended("a") }, at(4), 0, 0},
		{
			"each attempt tells its beginning again",
			func(d *selfwatch.Deliveries) { d.Began("a", at(3)); d.Began("a", at(0)); d.Began("a", at(5)) },
			at(6), 1, 6 * time.Minute,
		},
		{
			"an attempt keeps it in mind", func(d *selfwatch.Deliveries) {
				d.Began("a", at(0))
				d.Attempted("a", at(25))
				d.Attempted("a", at(20))
			},
			at(50), 1, 50 * time.Minute,
		},
		{"nobody attempts it any more", func(d *selfwatch.Deliveries) { d.Began("a", at(0)) }, at(31), 0, 0},
		{
			"taken over from another worker", func(d *selfwatch.Deliveries) { d.Attempted("a", at(3)) },
			at(4), 1, time.Minute,
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

// TestForgotten keeps nothing of what has expired: it does not come back with its old age.
func TestForgotten(t *testing.T) {
	d := selfwatch.Deliveries{Expire: time.Minute}
	d.Began("a", begin)
	d.Open(begin.Add(2 * time.Minute))
	d.Attempted("a", begin.Add(3*time.Minute))
	if count, oldest := d.Open(begin.Add(3 * time.Minute)); count != 1 || oldest != 0 {
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
				d.Began(id, begin)
				d.Attempted(id, begin)
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
