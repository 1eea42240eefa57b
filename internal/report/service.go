package report

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// A Fact is one line about a service: what it is, in words, and what is known of it.
type Fact struct {
	Label string
	Value string
	URL   string `text:"link"` // of what the fact is about; its value then is the same
	Stale bool   // it may no longer be true, as the value says
}

// Service says what a responder needs to know first about the service of an incident, as of an instant: special classes,
// owner, tier, dependencies and the triage record. What is not known has no fact. It is for the house alone.
func (t *Texts) Service(d *incident.Definition, language string, at time.Time) []Fact {
	l := t.in(language)
	return l.service(&d.Background, l.zones.local(at, d.Zone))
}

// Known says what is known of an incident before anybody looks: the problem behind it, the incident before, and what both leave to
// whoever responds. It is for the house alone.
func (t *Texts) Known(i *incident.Incident, language string) (all []Fact) {
	l := t.in(language)
	add := func(name, value string) {
		if value != "" {
			all = append(all, Fact{Label: l.word("known", name), Value: value})
		}
	}
	if p := i.Problem; p != nil {
		add("problem", p.ID+" "+p.Title)
		add("error", p.KnownError)
		add("workaround", p.Workaround)
	}
	if p := i.Previous; p != nil {
		add("previous", string(p.ID))
		add("review", string(p.Review))
		add("symptom", p.Symptom)
		add("cause", p.Cause)
		add("remedy", p.Remedy)
	}
	add("nearby", strings.Join(l.nearby(i.Nearby, i.Definition.Zone), "\n"))
	return all
}

// nearby says in one line each what else goes on.
func (l *language) nearby(all []incident.Nearby, zone string) (lines []string) {
	axes := map[incident.NearbyKind]string{incident.NearbyIncident: "status", incident.NearbyChange: "change-status", incident.NearbyRun: "run"}
	for _, n := range all {
		where, until := n.Service, ""
		if n.Standing != incident.Same {
			where += " (" + l.word("nearby", string(n.Standing)) + ")"
		}
		if !n.Until.IsZero() {
			until = " " + l.instant(n.Until, zone)
		}
		lines = append(lines, line(fmt.Sprintf("%s %s, %s, %s, %s –%s", n.ID, n.Title, l.word(axes[n.Kind], n.Status), where, l.instant(n.Since, zone), until)))
	}
	return lines
}

// Link returns the name of a link: that of a response plan says what it is in words.
func (t *Texts) Link(x incident.Link, language string) string { return t.in(language).link(x) }

func (l *language) link(x incident.Link) string {
	if x.Kind == "" {
		return x.Name
	}
	name := l.word("link", string(x.Kind))
	if x.Name != "" {
		name += " (" + x.Name + ")"
	}
	return name
}

// service says it as of the day that at shows.
func (l *language) service(d *incident.Background, at time.Time) (facts []Fact) {
	add := func(label string, values ...string) {
		var said []string
		for _, v := range values {
			if v != "" {
				said = append(said, v)
			}
		}
		if len(said) > 0 {
			facts = append(facts, Fact{Label: l.word("service", label), Value: strings.Join(said, ", ")})
		}
	}
	var classes, needs []string
	for _, c := range d.Classes {
		classes = append(classes, l.word("class", string(c)))
	}
	for _, s := range d.DependsOn {
		needs = append(needs, s.Name)
	}
	add("classes", classes...)
	if d.Owner != nil {
		add("owner", contact(*d.Owner))
	}
	if d.Tier > 0 {
		add("tier", l.word("tier", strconv.Itoa(d.Tier)))
	}
	add("depends-on", needs...)
	t := d.Triage
	if t == nil {
		return facts
	}
	if t.Architecture != "" {
		facts = append(facts, Fact{Label: l.word("service", "architecture"), Value: t.Architecture, URL: t.Architecture})
	}
	add("components", t.Components...)
	add("data", l.optional("privacy", string(t.Privacy)), l.optional("security", string(t.Security)))
	var contacts []string
	for _, c := range t.Contacts {
		contacts = append(contacts, contact(c))
	}
	add("contacts", contacts...)
	if t.AccessVerified != 0 {
		add("access", t.AccessVerified.String())
		if last := &facts[len(facts)-1]; t.AccessStale(at) {
			last.Stale = true
			last.Value += ": " + l.word("access", "stale")
		}
	}
	return facts
}

// optional is the word for a value, nothing where there is none.
func (l *language) optional(axis, value string) string {
	if value == "" {
		return ""
	}
	return l.word(axis, value)
}

// contact names a group or person, by the ID where there is no name.
func contact(c incident.Contact) string { return cmp.Or(c.Name, c.Target.ID) }

// HeldBack returns the words for why a page is not sent.
func (t *Texts) HeldBack(cause, language string) string { return t.in(language).word("cause", cause) }

// Class returns the word for a special class, nothing for none.
func (t *Texts) Class(c priority.Class, language string) string {
	if c == "" {
		return ""
	}
	return t.in(language).word("class", string(c))
}

var promised = regexp.MustCompile(`^(?:(\d+) working days?|([0-9hms]+))(?: in (\S+))?$`)

// worth writes a value of a definition as people write it: a duration or a promise in words, and everything else as it is.
func (l *language) worth(value string) string {
	m := promised.FindStringSubmatch(value)
	if m == nil {
		return value
	}
	said := ""
	switch d, err := time.ParseDuration(m[2]); {
	case m[1] != "":
		said = fmt.Sprintf(l.word("worth", "days"), m[1])
	case err == nil:
		said = l.duration(d)
	default:
		return value
	}
	if m[3] != "" {
		said = fmt.Sprintf(l.word("worth", "in"), said, m[3])
	}
	return said
}

// Pause returns the words for whom a clock stands still.
func (t *Texts) Pause(c supportplan.Cause, language string) string {
	return t.in(language).word("pause", string(c))
}
