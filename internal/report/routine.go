package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/delivery"
	"muster/internal/routine"
)

// comeBack is what a text on a routine sees.
type comeBack struct {
	About    string `text:"code"`
	ID       string
	Name     string `text:"line"`
	Customer string `text:"line"`
	Plan     string
	Zone     string

	Planned, Begins, Due, Ended time.Time
	Run                         string
	Detail                      string `text:"line"`
	Count                       int    // of those that were missed at once
	Last                        time.Time
}

// routineKey names the text for a message on a routine.
func routineKey(a routine.About) string { return string(delivery.Routine) + "." + string(a) }

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
}

// loadRoutineMessages reads the messages on routines, which share one file for each language, and tries them.
func (l *language) loadRoutineMessages(fsys fs.FS) error {
	file := "notifications/routine." + l.code + ".tmpl"
	t, err := l.parse(fsys, file)
	if err != nil {
		return err
	}
	var faults []error
	for _, a := range routine.Abouts() {
		m := message{subject: t.Lookup("subject"), text: t.Lookup(string(a))}
		if m.subject == nil || m.text == nil {
			faults = append(faults, fmt.Errorf(`%s: want it to define "subject" and %q`, file, a))
			continue
		}
		l.messages[routineKey(a)] = m
		for _, data := range []comeBack{{}, filled[comeBack]()} {
			data.About = string(a)
			if _, err := m.write(&data); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	return errors.Join(faults...)
}

// Routine writes one message on a routine for one recipient. With an error comes a message of the bare facts that can be sent all the same.
func (t *Texts) Routine(told routine.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Routine, Language: l.code, Priority: routine.Priority.String(), Status: string(told.About)}
	d, o := &told.Definition, &told.Occurrence
	w, err := l.messages[routineKey(told.About)].write(clean(&comeBack{
		About: string(told.About), ID: d.ID, Name: d.Name, Customer: cmp.Or(d.CustomerName, d.Customer), Plan: d.Plan, Zone: cmp.Or(to.Zone, d.Zone),
		Planned: o.Planned, Begins: o.Begins, Due: o.Due, Ended: o.Ended, Run: o.Run, Detail: o.Detail, Count: told.Count, Last: told.Last,
	}))
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s: %s", d.ID, l.word("routine-message", string(told.About)), o.Planned.UTC().Format(time.RFC3339)))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", routineKey(told.About), l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

// RoutineStatus returns how a routine stands.
func (t *Texts) RoutineStatus(s routine.Status, language string) string {
	return t.in(language).word("routine-status", string(s))
}

// RoutineFate returns what has become of an occurrence.
func (t *Texts) RoutineFate(f routine.Fate, language string) string {
	return t.in(language).word("routine-fate", string(f))
}
