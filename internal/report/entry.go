package report

import (
	"fmt"
	"strconv"
	"strings"

	"muster/internal/timeline"
)

// Entry writes one entry of a timeline as one line with its instant: "2026-11-22 Sun 14:05:09 KST  Alert HighErrorRate
// fires". A kind that has no sentence yet is shown with its bare facts.
func (t *Texts) Entry(e timeline.Entry, language, zone string) string {
	l := t.in(language)
	return l.moment(e.At, zone) + "  " + l.sentence(e, zone)
}

// sentence says what happened, who did it, and how often.
func (l *language) sentence(e timeline.Entry, zone string) string {
	actor := l.actor(e.Actor)
	facts := map[string]string{}
	for _, f := range e.Facts {
		facts[f.Name] = line(f.Value)
	}
	facts["actor"], facts["zone"] = actor, zone
	said := l.say(string(e.Kind), facts)
	if said == "" {
		said = bare(e)
	}
	if e.Actor.Kind != timeline.Engine && actor != "" && !strings.Contains(said, actor) {
		said += l.say("by", facts)
	}
	if e.Times > 1 {
		facts["times"], facts["last"] = strconv.Itoa(e.Times), l.moment(e.Last, zone)
		said += l.say("repeated", facts)
	}
	return said
}

// say runs one sentence. A sentence that cannot be said is empty: a record is shown whatever becomes of its texts.
func (l *language) say(name string, facts map[string]string) string {
	t := l.sentences.Lookup(name)
	if t == nil {
		return ""
	}
	said, err := run(t, facts, messageLimits())
	if err != nil {
		return ""
	}
	return said
}

func bare(e timeline.Entry) string {
	parts := []string{string(e.Kind)}
	for _, f := range e.Facts {
		parts = append(parts, fmt.Sprintf("%s=%q", f.Name, line(f.Value)))
	}
	return strings.Join(parts, " ")
}
