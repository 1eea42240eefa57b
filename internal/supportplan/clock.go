package supportplan

import "time"

// ClockState is where a clock stands.
type ClockState string

// The states of a clock.
const (
	Running ClockState = "running"
	Paused  ClockState = "paused"
	Met     ClockState = "met"
	Missed  ClockState = "missed"  // still runs on in silence: it can be met late, which changes nothing
	Stopped ClockState = "stopped" // the promise ended without being due
)

// A Span is a time in which a clock stood still.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero while it lasts
}

// A Clock is one promise to one customer on its way.
type Clock struct {
	Customer  string        `json:"customer"`
	Target    Target        `json:"target"`
	Within    time.Duration `json:"within"`
	Days      int           `json:"days,omitempty"`     // working days, instead of Within
	Calendar  string        `json:"calendar,omitempty"` // in which it runs; empty: around the clock
	Started   time.Time     `json:"started"`
	Begins    time.Time     `json:"begins,omitzero"` // when its calendar opens, if it was closed at the start
	Due       time.Time     `json:"due,omitzero"`    // zero until it is computed: instants are computed once and recorded
	RiskAt    time.Time     `json:"risk_at,omitzero"`
	State     ClockState    `json:"state"`
	AtRisk    bool          `json:"at_risk,omitempty"`   // has been said
	Sending   bool          `json:"sending,omitempty"`   // of an update: the engine has begun to send it
	Late      bool          `json:"late,omitempty"`      // was missed, whatever came after
	Announced bool          `json:"announced,omitempty"` // its first due instant is in the timeline, or that there is none
	EndedAt   time.Time     `json:"ended_at,omitzero"`
	Pauses    []Span        `json:"pauses,omitempty"`
	Cause     Cause         `json:"cause,omitempty"`  // for whom it stands still
	Reason    string        `json:"reason,omitempty"` // why it does
	// A promise that comes round again, such as the customer update, counts its earlier rounds here.
	EarlierMet    int `json:"earlier_met,omitempty"`
	EarlierMissed int `json:"earlier_missed,omitempty"`
	LastSend      int `json:"last_send,omitempty"` // number of the send that last kept it
}

// Start begins the clock of a promise to a customer.
func Start(customer string, p Promise, now time.Time) Clock {
	c := Clock{Customer: customer, Target: p.Target, Started: now, State: Running}
	c.promise(p)
	return c
}

func (c *Clock) promise(p Promise) { c.Within, c.Days, c.Calendar = p.Within, p.Days, p.Calendar }

// Promised is what the clock runs for.
func (c *Clock) Promised() Promise {
	return Promise{Target: c.Target, Within: c.Within, Days: c.Days, Calendar: c.Calendar}
}

// Open tells whether what was promised is still to be done, late or not.
func (c *Clock) Open() bool { return c.EndedAt.IsZero() }

// Pause stops the time.
func (c *Clock) Pause(now time.Time, cause Cause, reason string) {
	c.State, c.Cause, c.Reason, c.Sending = Paused, cause, reason, false
	c.Pauses = append(c.Pauses, Span{From: now})
	c.forget()
}

// forget leaves the instants to be computed anew.
func (c *Clock) forget() { c.Begins, c.Due, c.RiskAt = time.Time{}, time.Time{}, time.Time{} }

// Resume lets the time run on and returns for how long it stood. The due instant has to be computed anew.
func (c *Clock) Resume(now time.Time) time.Duration {
	c.State, c.Cause, c.Reason = Running, "", ""
	return c.endPause(now)
}

// endPause ends the pause that lasts, if one does, and returns how long it was.
func (c *Clock) endPause(now time.Time) time.Duration {
	if n := len(c.Pauses); n > 0 && c.Pauses[n-1].To.IsZero() {
		c.Pauses[n-1].To = now
		return now.Sub(c.Pauses[n-1].From)
	}
	return 0
}

// Miss says that the due instant has passed.
func (c *Clock) Miss() { c.State, c.Late = Missed, true }

// Keep ends the clock at now, because what was promised has been done. A deadline already past counts as missed.
func (c *Clock) Keep(now time.Time) {
	if c.State == Running && !c.Due.IsZero() && !now.Before(c.Due) {
		c.Miss()
	}
	c.endPause(now)
	c.EndedAt = now
	if !c.Late {
		c.State = Met
	}
}

// Stop ends the clock at now without anything having been due.
func (c *Clock) Stop(now time.Time) {
	c.endPause(now)
	c.EndedAt = now
	if !c.Late {
		c.State = Stopped
	}
}

// Reopen lets the clock go on where it ended. The time in which what was promised was true does not count.
func (c *Clock) Reopen(away Span) {
	c.EndedAt = time.Time{}
	c.forget()
	if !c.Late {
		c.State = Running
	}
	c.Pauses = append(c.Pauses, away)
}

// Change lets the clock run for what is promised now, counted from where it began.
func (c *Clock) Change(p Promise) {
	c.Repromise(p)
	c.AtRisk = false
}

// Repromise lets a running clock run for what is promised now, counted from where it began. What has been said of its risk stays
// said.
func (c *Clock) Repromise(p Promise) {
	c.promise(p)
	c.forget()
}

// Continue lets a clock that was stopped run on for what is promised now, as if it had never been stopped.
func (c *Clock) Continue(p Promise) {
	c.State, c.EndedAt = Running, time.Time{}
	c.Repromise(p)
}

// Restart begins the next round of the promise at now. What is promised may have changed.
func (c *Clock) Restart(now time.Time, p Promise) {
	met, missed := c.EarlierMet, c.EarlierMissed
	switch {
	case c.Late:
		missed++
	case c.State == Met:
		met++
	}
	last := c.LastSend
	*c = Start(c.Customer, p, now)
	c.EarlierMet, c.EarlierMissed, c.LastSend = met, missed, last
}

// Lead is how long before it is due the engine begins to send an update, so that it arrives in time: a tenth of the
// promised time, five minutes at most.
func (c *Clock) Lead() time.Duration {
	const most = 5 * time.Minute
	if c.Days > 0 {
		return most
	}
	return min(c.Within/10, most)
}
