package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"muster/internal/delivery"
	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/starter/api"
)

// An act of its own: a month of checks, of which one is missed. What comes back every day elsewhere does so every few seconds here.

const (
	checks  = "month-of-checks"
	monthly = `routines:
  - {id: month-of-checks, name: 시스템 점검, plan: daily-check, customer: garam, every: 6s, first: 2026-01-01 00:00, within: 4s, tell: [person:choi]}
`
)

// month is what has been done of the checks.
type month struct {
	done  []string // runs
	alone string   // the run that nobody works on
}

func (s *story) routine() []scene {
	return []scene{
		{"a routine that comes into the organisation folder starts its first check by itself", s.checksBegin},
		{"three checks are done in time", s.checksAreDone},
		{"nobody does the next one: it is missed, and whoever answers for it hears so", s.checkIsMissed},
		{"the one after it is done, while the missed one still waits for somebody", s.checksGoOn},
		{"the missed one is cancelled, and stands as missed in the record", s.checkIsCancelled},
		{"one that is still to come is moved, and one is left out", s.checksAreMoved},
		{"the routine is taken out of the folder, and ends with its last run", s.checksEnd},
	}
}

func (s *story) routinesFile() string {
	return filepath.Join(s.folder, "organisation", "routines.yaml")
}

// works waits until the routine is as it should be, and does every check that has begun meanwhile, but for the one that is left alone.
func (s *story) works(ctx context.Context, check func(*routine.Routine) bool) error {
	return until(ctx, func() (bool, error) {
		r, err := s.crew.lead.Routine(ctx, checks)
		if err != nil {
			return false, nil // nobody keeps it yet
		}
		for _, o := range r.Running {
			if o.Run == "" || o.Run == s.month.alone || slices.Contains(s.month.done, o.Run) {
				continue
			}
			if err := s.looksAfter(ctx, planrun.ID(o.Run)); err != nil {
				return false, err
			}
			s.month.done = append(s.month.done, o.Run)
		}
		return check(&r), nil
	})
}

// looksAfter does the one task of a check.
func (s *story) looksAfter(ctx context.Context, run planrun.ID) error {
	evidence := []api.PlanEvidence{{Item: "state", Ref: "https://files.mirnet.example/check.txt", Note: "all is well"}}
	_, err := s.crew.lead.AskPlanRun(ctx, run, api.PlanBegin{Task: "look"}, "")
	if err == nil {
		_, err = s.crew.lead.AskPlanRun(ctx, run, api.PlanComplete{Task: "look", Evidence: evidence}, "")
	}
	return err
}

// fates counts what has become of the occurrences.
func fates(r *routine.Routine, f routine.Fate) (n int) {
	for _, o := range r.Past {
		if o.Fate == f {
			n++
		}
	}
	return n
}

func (s *story) checksBegin(ctx context.Context) error {
	if err := s.hire(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(s.routinesFile(), []byte(monthly), 0o600); err != nil {
		return err
	}
	return s.works(ctx, func(r *routine.Routine) bool { return len(r.Running) > 0 && r.Running[0].Run != "" })
}

func (s *story) checksAreDone(ctx context.Context) error {
	return s.works(ctx, func(r *routine.Routine) bool { return fates(r, routine.Done) >= 3 })
}

func (s *story) checkIsMissed(ctx context.Context) error {
	err := until(ctx, func() (bool, error) {
		r, err := s.crew.lead.Routine(ctx, checks)
		for _, o := range r.Running {
			if s.month.alone == "" && !slices.Contains(s.month.done, o.Run) {
				s.month.alone = o.Run
			}
			if o.Run != "" && o.Run == s.month.alone && o.Late {
				return r.Status == routine.Overdue, err
			}
		}
		return false, err
	})
	if err != nil {
		return err
	}
	return until(ctx, func() (bool, error) { return s.sink.said(delivery.Routine, "choi", s.month.alone), nil })
}

func (s *story) checksGoOn(ctx context.Context) error {
	before := len(s.month.done)
	return s.works(ctx, func(*routine.Routine) bool { return len(s.month.done) > before })
}

func (s *story) checkIsCancelled(ctx context.Context) error {
	if _, err := s.crew.manager.AskPlanRun(ctx, planrun.ID(s.month.alone), api.PlanCancel{Reason: "nobody was there"}, ""); err != nil {
		return err
	}
	return s.works(ctx, func(r *routine.Routine) bool { return fates(r, routine.Missed) == 1 })
}

func (s *story) checksAreMoved(ctx context.Context) error {
	r, err := s.crew.lead.Routine(ctx, checks)
	if err != nil {
		return err
	}
	if len(r.Ahead) < routine.MostAhead {
		return fmt.Errorf("%d are known that are still to come, want %d", len(r.Ahead), routine.MostAhead)
	}
	fourth, fifth := r.Ahead[3], r.Ahead[4]
	if _, err := s.crew.lead.MoveRoutine(ctx, checks, routine.Move{Planned: fourth.Planned, To: fifth.Planned, Reason: "too late"}, ""); err == nil || !strings.Contains(err.Error(), "the one after it begins at") {
		return errors.Join(errors.New("one was moved behind the next"), err)
	}
	_, err = s.crew.lead.MoveRoutine(ctx, checks, routine.Move{Planned: fourth.Planned, To: fourth.Planned.Add(fifth.Planned.Sub(fourth.Planned) / 2), Reason: "they come later"}, "")
	if err == nil {
		_, err = s.crew.lead.SkipRoutine(ctx, checks, routine.Skip{Planned: fifth.Planned, Reason: "the system is off"}, "")
	}
	return err
}

func (s *story) checksEnd(ctx context.Context) error {
	if err := os.Remove(s.routinesFile()); err != nil {
		return err
	}
	err := s.works(ctx, func(r *routine.Routine) bool { return r.Over() })
	s.say("     %d checks were begun, %d of them done\n", len(s.month.done)+1, len(s.month.done))
	return err
}
