package report

import (
	"fmt"

	"muster/internal/delivery"
	"muster/internal/incident"
)

// draftKey names the text of a draft for an audience.
func draftKey(a incident.Audience) string { return "draft." + string(a) }

func draftKeys() (keys []string) {
	for _, a := range incident.Audiences() {
		keys = append(keys, draftKey(a))
	}
	return keys
}

// Draft writes what the next update may say to an audience. What customers read sees nothing that is the house's own, whatever the
// text asks for.
func (t *Texts) Draft(telling incident.Telling, a incident.Audience, language string) (subject, text string, err error) {
	l := t.in(language)
	m, known := l.messages[draftKey(a)]
	if !known {
		return "", "", fmt.Errorf("write draft for %s: no such text", a)
	}
	to := delivery.Recipient{Language: l.code}
	var w written
	if a == incident.ForCustomers {
		w, err = m.write(seenOutside(&telling, to))
	} else {
		w, err = m.write(l.seenInside(&telling, to))
	}
	if err != nil {
		return "", "", fmt.Errorf("write draft for %s in %s: %w", a, l.code, err)
	}
	return w.subject, w.text, nil
}
