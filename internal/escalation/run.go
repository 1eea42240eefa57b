package escalation

import (
	"slices"
	"time"
)

// Run is the state of one climb. The zero Run is due at once.
type Run struct {
	Restarts int       `json:"restarts"`           // how often paging started again from the first step
	Begun    int       `json:"begun"`              // rungs begun so far in this climb, steps and last resorts together
	Reached  bool      `json:"reached,omitempty"`  // a page of the newest rung was delivered
	NextAt   time.Time `json:"next_at,omitzero"`   // when the next one follows; zero: at once
	Answered bool      `json:"answered,omitempty"` // as many have taken it as the steps ask for
	AckedAt  time.Time `json:"acked_at,omitzero"`  // last sign of life of whoever has

	Variant int      `json:"variant,omitempty"` // whose steps the newest rung is of, from 1; 0 for the policy's own
	Shift   int      `json:"shift,omitempty"`   // rung n of this climb is number n-Shift of that variant
	Wanted  int      `json:"wanted,omitempty"`  // most acknowledgements that a step begun in this climb asks for, if more than one
	Acked   []string `json:"acked,omitempty"`   // different people who have acknowledged, if more than one must
}

// A Rung is one part of a climb that comes due as a whole: a step, or one turn of a step that pages in order.
type Rung struct {
	Number      int // 1, 2, 3 … over the whole climb
	Step        int // 1 … Steps; 0 for the last resort
	Steps       int // of the variant
	Round       int // 1 for the first time through the steps
	Turn, Turns int // of a step that pages in order: 1 … Turns; else 0
	Targets     []Target
	Wait        time.Duration // until the next one

	Acknowledgements int
	Mitigations      []Mitigation
}

// Variant returns the number of the first variant for a situation, from 1; 0 where the policy's own steps hold.
func (p Policy) Variant(at Situation) int {
	return 1 + slices.IndexFunc(p.Variants, func(v Variant) bool { return v.holds(at) })
}

// For returns a variant, the zero one for the policy's own steps.
func (p Policy) For(variant int) Variant {
	if variant < 1 || variant > len(p.Variants) {
		return Variant{}
	}
	return p.Variants[variant-1]
}

// steps returns the steps of a variant, and the policy's own for 0.
func (p Policy) steps(variant int) []Step {
	if variant < 1 || variant > len(p.Variants) {
		return p.Steps
	}
	return p.Variants[variant-1].Steps
}

// StepsFor returns the steps that hold in a situation.
func (p Policy) StepsFor(at Situation) []Step { return p.steps(p.Variant(at)) }

// rungs counts what a climb goes through in one round of some steps.
func rungs(steps []Step) (n int) {
	for _, s := range steps {
		n += len(s.turns())
	}
	return n
}

// Rung returns the nth rung of a climb by the steps of a variant, n from 1.
func (p Policy) Rung(variant, n int) Rung {
	steps := p.steps(variant)
	each := rungs(steps)
	if n > each*(p.Repeats+1) {
		return Rung{Number: n, Steps: len(steps), Round: p.Repeats + 2, Targets: p.LastResort, Wait: p.LastResortEvery}
	}
	r := Rung{Number: n, Steps: len(steps), Round: (n-1)/each + 1}
	for left := (n - 1) % each; ; r.Step++ {
		s := steps[r.Step]
		turns := s.turns()
		if left >= len(turns) {
			left -= len(turns)
			continue
		}
		r.Step++
		r.Targets, r.Wait, r.Acknowledgements, r.Mitigations = turns[left], s.Wait, s.Acknowledgements, s.Mitigations
		if s.Every > 0 {
			r.Turn, r.Turns = left+1, len(turns)
		}
		if r.Turn < r.Turns {
			r.Wait = s.Every
		}
		return r
	}
}

// after returns the number of the first rung by the steps of a variant that is higher than a rung by other steps: of a
// later step, or of a later round.
func (p Policy) after(variant int, at Rung) int {
	steps := p.steps(variant)
	each := rungs(steps)
	switch {
	case at.Step == 0:
		return each*(p.Repeats+1) + 1
	case at.Step >= len(steps):
		return each*at.Round + 1
	}
	return each*(at.Round-1) + rungs(steps[:at.Step]) + 1
}

// passed returns the steps of a variant that lie below or at the height of a rung.
func (p Policy) passed(variant int, at Rung) []Step {
	steps := p.steps(variant)
	if at.Step == 0 || at.Round > 1 {
		return steps
	}
	return steps[:min(at.Step, len(steps))]
}

// paged returns whom a climb by one variant has paged when it has come to a rung.
func (p Policy) paged(variant int, at Rung) (all []Target) {
	for n, s := range p.passed(variant, at) {
		turns := s.turns()
		if at.Round == 1 && n+1 == at.Step && at.Turn > 0 {
			turns = turns[:at.Turn]
		}
		for _, t := range turns {
			all = append(all, t...)
		}
	}
	return all
}

// Climb begins the next rung when it is due, by the steps for the situation that there is now.
func (r *Run) Climb(p Policy, at Situation, now time.Time) (Rung, bool) {
	if !r.Climbs(now) {
		return Rung{}, false
	}
	missed := r.change(p, p.Variant(at))
	r.Begun++
	r.Reached = false
	rung := p.Rung(r.Variant, r.Begun-r.Shift)
	rung.Number = r.Begun
	missed = slices.DeleteFunc(missed, func(t Target) bool { return slices.Contains(rung.Targets, t) })
	if len(missed) > 0 {
		rung.Targets = append(missed, rung.Targets...)
	}
	r.want(rung.Acknowledgements)
	r.NextAt = now.Add(rung.Wait)
	return rung, true
}

// Climbs tells whether the next rung is due.
func (r *Run) Climbs(now time.Time) bool { return !r.Answered && !now.Before(r.NextAt) }

// Rung returns the newest rung, the zero Rung while none has begun.
func (r *Run) Rung(p Policy) Rung {
	if r.Begun == 0 {
		return Rung{}
	}
	rung := p.Rung(r.Variant, r.Begun-r.Shift)
	rung.Number = r.Begun
	return rung
}

// Paged returns whom the climb has paged up to now.
func (r *Run) Paged(p Policy) []Target {
	if r.Begun == 0 {
		return nil
	}
	at := r.Rung(p)
	all := p.paged(r.Variant, at)
	if at.Step == 0 {
		all = append(all, p.LastResort...)
	}
	return all
}

// change goes over to the steps of another variant, at the height that the climb has come to. It returns whom these would
// have paged by now and the others have not: they are paged with the next rung, so that nobody is passed over.
func (r *Run) change(p Policy, variant int) (missed []Target) {
	if variant == r.Variant {
		return nil
	}
	was, at := r.Variant, r.Rung(p)
	r.Variant = variant
	if r.Begun == 0 {
		return nil
	}
	known := p.paged(was, at)
	for _, s := range p.passed(variant, at) {
		r.want(s.Acknowledgements)
		for _, t := range s.Targets {
			if !slices.Contains(known, t) {
				known, missed = append(known, t), append(missed, t)
			}
		}
	}
	r.Shift = r.Begun + 1 - p.after(variant, at)
	return missed
}

// want remembers the most acknowledgements that were asked for.
func (r *Run) want(acknowledgements int) {
	if acknowledgements > 1 {
		r.Wanted = max(r.Wanted, acknowledgements)
	}
}

// Hasten makes the next rung due at once, when rung n is the one that is being waited for. A last resort is never
// hastened: it has nobody behind it, and an outage must not turn it into a storm.
func (r *Run) Hasten(p Policy, n int, now time.Time) bool {
	if r.Answered || n != r.Begun || r.Rung(p).Step == 0 {
		return false
	}
	r.NextAt = now
	return true
}

// Rise makes the next rung due at once when the incident has become more pressing and other steps hold for it now: the wait
// that runs was meant for something that could wait.
func (r *Run) Rise(p Policy, at Situation, now time.Time) {
	if !r.Answered && r.Begun > 0 && p.Variant(at) != r.Variant && now.Before(r.NextAt) {
		r.NextAt = now
	}
}

// Acknowledge takes in that somebody has acknowledged, and stops the climb when as many different people have as its steps
// ask for. Until then it goes on to those who have not.
func (r *Run) Acknowledge(by string, now time.Time) {
	if r.Wanted > 1 && !r.Answered {
		if !r.AckedBy(by) {
			r.Acked = append(r.Acked, by)
		}
		if len(r.Acked) < r.Wanted {
			return
		}
	}
	r.Answered, r.AckedAt, r.NextAt = true, now, time.Time{}
}

// AckedBy tells whether somebody has acknowledged in this climb, which asks for more than one.
func (r *Run) AckedBy(person string) bool { return slices.Contains(r.Acked, person) }

// Taken tells whether somebody has acknowledged, although paging may go on until others have too.
func (r *Run) Taken() bool { return r.Answered || len(r.Acked) > 0 }

// Restart climbs again from the first step.
func (r *Run) Restart() { *r = Run{Restarts: r.Restarts + 1} }

// Resume climbs on from where the climb was answered. The answer is gone with it: what climbs has none that could go stale.
// A climb that waits for more people to acknowledge keeps those who have.
func (r *Run) Resume(now time.Time) {
	if r.Answered {
		r.Acked = nil
	}
	r.Answered, r.AckedAt, r.NextAt = false, time.Time{}, now
}

// Expired tells whether an answer has gone stale.
func (r *Run) Expired(p Policy, now time.Time) bool {
	return r.Answered && !now.Before(r.AckedAt.Add(p.AckExpires))
}

// Due returns the next instant at which Climb or Expired will say yes.
func (r *Run) Due(p Policy) time.Time {
	if r.Answered {
		return r.AckedAt.Add(p.AckExpires)
	}
	return r.NextAt
}
