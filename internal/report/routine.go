package report

import (
	"cmp"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/delivery"
	"muster/internal/routine"
	"muster/internal/visit"
)

// comeBack is what a text on a routine sees.
type comeBack struct {
	About      string `text:"code"`
	ID         string
	Name       string `text:"line"`
	Customer   string `text:"line"`
	CustomerID string
	Plan       string
	Zone       string

	Planned, Begins, Due, Ended time.Time
	Run                         string
	Detail                      string `text:"line"`
	Count                       int    // of those that were missed at once
	Last                        time.Time
	Number, Bought, Year        int // as which visit it was counted
}

// routineWords lists the words that routines need.
func routineWords(add func(axis, value string)) {
	for _, s := range routine.Statuses() {
		add("routine-status", string(s))
	}
	for _, f := range routine.Fates() {
		add("routine-fate", string(f))
	}
	for _, a := range routine.Abouts() {
		add("routine-message", string(a))
	}
	for _, s := range visit.States() {
		add("visit", string(s))
	}
}

// loadRoutineMessages reads the messages on routines.
func (l *language) loadRoutineMessages(fsys fs.FS) error {
	return loadAbouts(l, fsys, delivery.Routine, routine.Abouts(), func(x *comeBack) *string { return &x.About })
}

// Routine writes one message on a routine for one recipient. With an error comes a message of the bare facts that can be sent all the same.
func (t *Texts) Routine(told routine.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Routine, Language: l.code, Priority: routine.Priority.String(), Status: string(told.About)}
	d, o := &told.Definition, told.Occurrence
	if told.About == routine.EndedBadly { // it says how its run stands
		o.Detail = l.word("run", o.Detail)
	}
	bare := fmt.Sprintf("%s: %s: %s", d.ID, l.word("routine-message", string(told.About)), o.Planned.UTC().Format(time.RFC3339))
	return l.fill(m, aboutKey(delivery.Routine, told.About), bare, clean(&comeBack{
		About: string(told.About), ID: d.ID, Name: d.Name, Customer: cmp.Or(d.CustomerName, d.Customer), CustomerID: d.Customer, Plan: d.Plan, Zone: cmp.Or(to.Zone, d.Zone),
		Planned: o.Planned, Begins: o.Begins, Due: o.Due, Ended: o.Ended, Run: o.Run, Detail: o.Detail, Count: told.Count, Last: told.Last,
		Number: told.Visit.Number, Bought: told.Visit.Bought, Year: told.Visit.Year,
	}))
}

// RoutineStatus returns how a routine stands.
func (t *Texts) RoutineStatus(s routine.Status, language string) string {
	return t.in(language).word("routine-status", string(s))
}

// VisitState returns how a visit stands.
func (t *Texts) VisitState(s visit.State, language string) string {
	return t.in(language).word("visit", string(s))
}

// RoutineDetail returns why an occurrence could not begin, or how its run has ended.
func (t *Texts) RoutineDetail(o *routine.Occurrence, language string) string {
	if o.Fate == routine.Missed && o.Run != "" {
		return t.in(language).word("run", o.Detail)
	}
	return o.Detail
}

// RoutineFate returns what has become of an occurrence.
func (t *Texts) RoutineFate(f routine.Fate, language string) string {
	return t.in(language).word("routine-fate", string(f))
}
