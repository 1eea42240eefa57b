package oncall

import "time"

// A Rotation hands over from one shift to the next, for ever.
//
// Shifts of days, weeks and months hand over at the time of day of Start, as the clock on the wall shows it. A monthly
// hand-off on the 29th, 30th or 31st falls on the last day of a month that has no such day. Shifts of hours of which some
// make a whole day, or which are made of whole days, hand over at times of day too: where shifts of 12 hours begin at 09:00,
// they do so at 09:00 and 21:00, also on days of 23 or 25 hours. Other shifts of hours last so long, whatever the clock shows.
type Rotation struct {
	Start  WallTime // the first hand-off; before it nobody is on call
	Shift  Length
	People [][]string // of the first shift, the second and so on, and then of the first again; those of one are on call together
}

// A Length is how long the shifts of a rotation are.
type Length struct {
	N    int // at least 1
	Unit Unit
}

// A Unit is what lengths are counted in.
type Unit int

// The units.
const (
	Hours Unit = iota + 1
	Days
	Weeks
	Months
)

const (
	hoursOfDay    = 24
	daysOfWeek    = 7
	monthsOfYear  = 12
	secondsOfHour = 60 * 60
)

// onTheWall tells whether shifts of hours hand over at times of day.
func (l Length) onTheWall() bool { return hoursOfDay%l.N == 0 || l.N%hoursOfDay == 0 }

// handOff returns when shift n begins, counted from 0.
func (r Rotation) handOff(n int, zone *time.Location) time.Time {
	n *= r.Shift.N
	switch r.Shift.Unit {
	case Hours:
		if !r.Shift.onTheWall() {
			return time.Unix(r.Start.In(zone).Unix()+int64(n)*secondsOfHour, 0).In(zone)
		}
		return r.Start.addHours(n).In(zone)
	case Days:
		return r.Start.addDays(n).In(zone)
	case Weeks:
		return r.Start.addDays(n * daysOfWeek).In(zone)
	case Months:
		return r.Start.addMonths(n).In(zone)
	}
	return r.Start.In(zone)
}

// turn returns the number of the shift that lasts at t, which is not before the first.
func (r Rotation) turn(t time.Time, zone *time.Location) int {
	n := max(r.passed(t, zone)/r.Shift.N, 0)
	// The calendar names the shift but for its edges: the hand-off of today may still be to come, and where the clock was
	// put back over midnight the hand-off of tomorrow has already been.
	for r.handOff(n, zone).After(t) {
		n--
	}
	for !r.handOff(n+1, zone).After(t) {
		n++
	}
	return n
}

// passed returns about how many hours, days, weeks or months have passed from the start to t.
func (r Rotation) passed(t time.Time, zone *time.Location) int {
	switch r.Shift.Unit {
	case Hours:
		if !r.Shift.onTheWall() {
			return int((t.Unix() - r.Start.In(zone).Unix()) / secondsOfHour)
		}
		return r.Start.hoursUntil(t.In(zone))
	case Days:
		return r.Start.daysUntil(t.In(zone))
	case Weeks:
		return r.Start.daysUntil(t.In(zone)) / daysOfWeek
	case Months:
		return r.Start.monthsUntil(t.In(zone))
	}
	return 0
}
