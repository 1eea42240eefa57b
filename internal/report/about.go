package report

import (
	"errors"
	"fmt"
	"io/fs"

	"muster/internal/delivery"
)

// aboutKey names the text of a kind of message that says one of several things.
func aboutKey[A ~string](k delivery.Kind, a A) string { return string(k) + "." + string(a) }

// loadAbouts reads the messages of one kind, which share one file for each language with a subject for all and a text for each thing that they
// say, and tries them.
func loadAbouts[A ~string, D any](l *language, fsys fs.FS, k delivery.Kind, abouts []A, about func(*D) *string) error {
	t, err := l.parse(fsys, "notifications/"+string(k)+"."+l.code+".tmpl")
	if err != nil {
		return err
	}
	var faults []error
	for _, a := range abouts {
		m := message{subject: t.Lookup("subject"), text: t.Lookup(string(a))}
		if m.subject == nil || m.text == nil {
			faults = append(faults, fmt.Errorf(`%s: want it to define "subject" and %q`, t.Name(), a))
			continue
		}
		l.messages[aboutKey(k, a)] = m
		for _, data := range []D{*new(D), filled[D]()} {
			*about(&data) = string(a)
			if _, err := m.try(&data); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	return errors.Join(faults...)
}

// fill gives a message its subject and text under a key. With an error it has the bare facts, which can be sent all the same.
func (l *language) fill(m delivery.Message, key, bare string, seen any) (delivery.Message, error) {
	text, known := l.messages[key]
	err := fmt.Errorf("no text %q", key)
	var w written
	if known {
		w, err = text.write(seen)
	}
	if err != nil {
		m.Subject = line(bare)
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", key, l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}
