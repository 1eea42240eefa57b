package change

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// announces tells whether customers are told of it.
func (c *Change) announces() bool { return !c.Effect.Empty() }

// announce tells customers of what is planned when the time for that has come: once, however many of its times have passed. Where none is
// to come any more, or the folder has none, they are told as soon as it is approved.
func (c *Change) announce(now time.Time) {
	if c.Status != Approved || !c.announces() {
		return
	}
	if passed := c.passed(now); passed > c.Announced || !c.Known && len(c.Announce) == 0 {
		c.Announced = passed
		c.notify(Coming, now)
	}
}

// passed is how many of the times have passed at which it is announced.
func (c *Change) passed(now time.Time) (n int) {
	for n < len(c.Announce) && !now.Before(c.From.Add(-c.Announce[n])) {
		n++
	}
	return n
}

// announceDue is when it is announced next, zero when it is not.
func (c *Change) announceDue() time.Time {
	if c.Status != Approved || !c.announces() || c.Announced >= len(c.Announce) {
		return time.Time{}
	}
	return c.From.Add(-c.Announce[c.Announced])
}

// notify tells each customer whom it concerns, and those whose services need one of its own.
func (c *Change) notify(a About, now time.Time) {
	if !c.announces() {
		return
	}
	c.Known = true
	for _, x := range c.CustomerNames {
		t := c.telling(a, nil)
		t.Customer, t.Customers, t.Effect, t.Action = x.ID, x.Name, c.Effect, c.Action
		c.start(Work{Do: Tell, Telling: t})
	}
	c.write(a, c.Neighbours, func(t *Telling) { t.Effect, t.Action = c.Effect, c.Action })
	c.record(now, timeline.ChangeAnnounced, timeline.Muster(), timeline.F("about", string(a)), timeline.F("customers", names(c.CustomerNames)),
		timeline.F("targets", escalation.Shown(c.Neighbours)))
}

// callOff tells those who know of it that it does not happen.
func (c *Change) callOff(now time.Time) {
	if c.Known {
		c.notify(CalledOff, now)
	}
}

// Move gives a change that has not begun another time. What was approved was another time, so it is voted on anew; a standard change stays
// approved within its scope.
type Move struct {
	Capacity
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

const move = "move"

// Check refuses what has begun, and a time that is none.
func (x Move) Check(c *Change, _ timeline.Actor) error {
	switch {
	case !c.lapses():
		return c.stands(move)
	case x.Until.IsZero():
		return c.refuse(move, "until: missing; want by when it has to have begun")
	case x.From.Equal(c.From) && x.Until.Equal(c.Until):
		return c.refuse(move, "it has that time already")
	}
	return c.wantRoom(move, "reason", x.Reason, true)
}

// Apply moves it.
func (x Move) Apply(c *Change, by timeline.Actor, now time.Time) error {
	if !x.mayRun(c, by) {
		return c.deny(move, by, "want whoever has asked for it, or an owner: "+c.OwnerNames, now)
	}
	a := c.Asked
	a.From, a.Until = x.From, x.Until
	if err := a.Check(now); err != nil {
		return c.refuse(move, "%s", err)
	}
	if c.Way == Standard {
		if why := c.PreApproved.Outside(&a, 0, now); why != "" {
			return c.deny(move, by, why, now)
		}
	}
	c.record(now, timeline.ChangeMoved, by, timeline.F("from", at(x.From)), timeline.F("until", at(x.Until)), timeline.F("before", at(c.From)),
		timeline.F("reason", x.Reason))
	c.From, c.Until, c.Tried = x.From, x.Until, false
	c.Announced = c.passed(now)
	if c.Known {
		c.notify(Rescheduled, now)
	}
	if c.Way == Normal && c.Status != Requested {
		if c.Ballot != nil {
			c.record(now, timeline.VoteVoided, timeline.Muster(), timeline.F("change", string(c.ID)), timeline.F("changed", "request changed"))
		}
		c.Status, c.Ballot, c.Counted = Assessed, nil, false
		if !c.Polling {
			c.poll()
		}
	}
	c.moved(now)
	return nil
}
