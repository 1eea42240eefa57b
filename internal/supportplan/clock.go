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
	Started   time.Time     `json:"started"`
	Due       time.Time     `json:"due,omitzero"` // zero until it is computed: instants are computed once and recorded
	RiskAt    time.Time     `json:"risk_at,omitzero"`
	State     ClockState    `json:"state"`
	AtRisk    bool          `json:"at_risk,omitempty"`   // has been said
	Sending   bool          `json:"sending,omitempty"`   // of an update: the engine has begun to send it
	Late      bool          `json:"late,omitempty"`      // was missed, whatever came after
	Announced bool          `json:"announced,omitempty"` // its first due instant is in the timeline
	EndedAt   time.Time     `json:"ended_at,omitzero"`
	Pauses    []Span        `json:"pauses,omitempty"`
	Reason    string        `json:"reason,omitempty"` // why it stands still
	// A promise that comes round again, such as the customer update, counts its earlier rounds here.
	EarlierMet    int `json:"earlier_met,omitempty"`
	EarlierMissed int `json:"earlier_missed,omitempty"`
	LastSend      int `json:"last_send,omitempty"` // number of the send that last kept it
}

// Open tells whether what was promised is still to be done, late or not.
func (c *Clock) Open() bool { return c.EndedAt.IsZero() }

// Pause stops the time.
func (c *Clock) Pause(now time.Time, reason string) {
	c.State, c.Reason, c.Sending = Paused, reason, false
	c.Pauses = append(c.Pauses, Span{From: now})
	c.Due, c.RiskAt = time.Time{}, time.Time{}
}

// Resume lets the time run on and returns for how long it stood. The due instant has to be computed anew.
func (c *Clock) Resume(now time.Time) time.Duration {
	c.State, c.Reason = Running, ""
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

// Instants returns when the clock is at risk and when it is due. The time that it stood still is added to both.
func (c *Clock) Instants(atRisk int) (risk, due time.Time) {
	var stood time.Duration
	for _, p := range c.Pauses {
		if !p.To.IsZero() {
			stood += p.To.Sub(p.From)
		}
	}
	due = c.Started.Add(c.Within + stood)
	return due.Add(-c.Within * time.Duration(100-atRisk) / 100), due
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
	c.EndedAt, c.Due, c.RiskAt = time.Time{}, time.Time{}, time.Time{}
	if !c.Late {
		c.State = Running
	}
	c.Pauses = append(c.Pauses, away)
}

// Restart begins the next round of the promise at now, with a time that may have changed.
func (c *Clock) Restart(now time.Time, within time.Duration) {
	met, missed := c.EarlierMet, c.EarlierMissed
	switch {
	case c.Late:
		missed++
	case c.State == Met:
		met++
	}
	*c = Clock{
		Customer: c.Customer, Target: c.Target, Within: within, Started: now, State: Running,
		EarlierMet: met, EarlierMissed: missed, LastSend: c.LastSend,
	}
}

// Lead is how long before it is due the engine begins to send an update, so that it arrives in time: a tenth of the
// promised time, five minutes at most.
func (c *Clock) Lead() time.Duration { return min(c.Within/10, 5*time.Minute) }
