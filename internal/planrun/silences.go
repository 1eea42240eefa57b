package planrun

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/timeline"
)

// A Silence is a time in which the alerts of an environment are held back, because a task is changing it: whoever works there is
// told, and nobody is paged. What still fires when it ends becomes an incident after all.
type Silence struct {
	Environment string    `json:"environment"` // in the plan
	Since       time.Time `json:"since"`
	Begun       time.Time `json:"begun,omitzero"` // when it has begun to hold alerts back
	Tasks       []string  `json:"tasks"`          // that have changed it meanwhile
	Names       []string  `json:"names,omitempty"`
	Work        int       `json:"work"`             // that holds them back
	Ending      bool      `json:"ending,omitempty"` // it was asked to end
	Over        bool      `json:"over,omitempty"`   // it has ended by itself, and the change goes on without one
}

// A HeldAlert is one alert that was held back.
type HeldAlert struct {
	Task     string    `json:"task,omitempty"` // that was changing the environment when the silence ended
	Name     string    `json:"name"`
	Service  string    `json:"service"` // ID
	Summary  string    `json:"summary,omitempty"`
	Times    int       `json:"times"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Resolved bool      `json:"resolved,omitempty"` // else it fired to the end, and has gone to an incident
}

// HeldAlerts are what a silence has held back.
type HeldAlerts struct {
	Alerts []HeldAlert `json:"alerts,omitempty"`
	More   int         `json:"more,omitempty"` // further ones
	Full   bool        `json:"full,omitempty"` // they were too many: it has ended early
}

// quieten begins the silences that are due, and ends those that are due no more.
func (r *Run) quieten(now time.Time) {
	for _, b := range r.Environments {
		n := slices.IndexFunc(r.Silences, func(s Silence) bool { return s.Environment == b.ID })
		tasks := r.changing(b.ID)
		switch {
		case n >= 0 && len(tasks) > 0:
			r.Silences[n].join(tasks)
		case n >= 0 && r.Silences[n].Over:
			r.Silences = slices.Delete(r.Silences, n, n+1)
		case n >= 0 && !r.Silences[n].Ending:
			r.Silences[n].Ending = true
			r.begin(Work{Do: LetAlerts, Environment: b.ID})
		case len(tasks) > 0 && b.Alerts:
			s := Silence{Environment: b.ID, Since: now, Tasks: tasks}
			s.Work = r.begin(Work{Do: HoldAlerts, Environment: b.ID})
			r.Silences = append(r.Silences, s)
		}
	}
}

// join adds tasks that change the environment by now.
func (s *Silence) join(tasks []string) {
	for _, id := range tasks {
		if !slices.Contains(s.Tasks, id) {
			s.Tasks = append(s.Tasks, id)
		}
	}
}

// changing are the tasks that change an environment now, or are being undone there. In a run that is halted, or whose window has
// ended, nobody should be surprised by an alert: none is held back.
func (r *Run) changing(environment string) (tasks []string) {
	if r.Status == RollingBack && r.Undoing.Environment == environment {
		if i := r.Undoing.item(); i != nil && i.State == UndoRunning {
			return []string{i.Task}
		}
		return nil
	}
	if !r.goes() || !r.open(environment) {
		return nil
	}
	for n := range r.Tasks {
		if def := r.def(n); def.Changes && def.Environment == environment && r.Tasks[n].Status == Begun {
			tasks = append(tasks, def.ID)
		}
	}
	return tasks
}

// SilenceBegun takes in that alerts are held back from now on.
func (r *Run) SilenceBegun(number int, now time.Time) {
	n := slices.IndexFunc(r.Silences, func(s Silence) bool { return s.Work == number })
	if n >= 0 {
		r.Silences[n].Begun = now
		r.record(now, timeline.AlertsHolding, timeline.Muster(), timeline.F("environment", r.Silences[n].Environment))
	}
}

// AlertHeld takes in that an alert is being held back. Its people learn of each name once.
func (r *Run) AlertHeld(environment string, a HeldAlert, now time.Time) {
	n := slices.IndexFunc(r.Silences, func(s Silence) bool { return s.Environment == environment })
	if n < 0 || slices.Contains(r.Silences[n].Names, a.Name) || len(r.Silences[n].Names) >= most {
		return
	}
	s := &r.Silences[n]
	s.Names = append(s.Names, a.Name)
	task := s.Tasks[len(s.Tasks)-1]
	r.record(now, timeline.AlertHeld, timeline.Muster(), timeline.F("task", task), timeline.F("environment", environment),
		timeline.F("alert", a.Name), timeline.F("service", a.Service), timeline.F("summary", a.Summary))
	def, _ := r.Plan.Task(task)
	r.write(AlertKept, task, r.with(append(def.Doers(), def.Accountable)...), "", func(x *Telling) {
		x.Reason = a.Name
		if a.Summary != "" && a.Summary != a.Name {
			x.Reason += ": " + a.Summary
		}
	})
}

// maxAlerts bounds how many alerts that were held back a run lists. The timeline counts all of them.
const maxAlerts = 200

// Silenced takes in what a silence has held back, once it has ended. With a detail nothing was held back.
func (r *Run) Silenced(number int, held HeldAlerts, detail string, now time.Time) {
	n := slices.IndexFunc(r.Silences, func(s Silence) bool { return s.Work == number })
	if n < 0 {
		return
	}
	s := r.Silences[n]
	if r.Silences[n].Over = true; s.Ending {
		r.Silences = slices.Delete(r.Silences, n, n+1)
	}
	if len(held.Alerts) == 0 && detail == "" {
		return
	}
	fires := 0
	for _, a := range held.Alerts {
		if !a.Resolved {
			fires++
		}
	}
	r.record(now, timeline.AlertsLet, timeline.Muster(), timeline.F("environment", s.Environment), timeline.F("since", at(s.Since)),
		timeline.F("count", fmt.Sprint(len(held.Alerts)+held.More)), timeline.F("firing", fmt.Sprint(fires)),
		timeline.F("full", either(held.Full, "yes", "")), timeline.F("detail", detail))
	for _, a := range held.Alerts {
		if len(r.Alerts) == maxAlerts {
			break
		}
		a.Task = s.Tasks[len(s.Tasks)-1]
		r.Alerts = append(r.Alerts, a)
	}
}
