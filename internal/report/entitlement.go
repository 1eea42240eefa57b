package report

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"muster/internal/supportplan"
)

// found is what a sentence about a reason or an offer may say.
type found struct {
	Quota      string // "12 a year"
	Used, Left int
	From, Last string // days
	Opens      string // instant, empty when nobody knows
	Columns    string // names
}

// verdictKeys lists the sentences about what a customer is entitled to.
func verdictKeys() (keys []string) {
	for _, k := range supportplan.ReasonKinds() {
		keys = append(keys, "reason."+string(k))
	}
	for _, k := range supportplan.OfferKinds() {
		keys = append(keys, "offer."+string(k))
	}
	return keys
}

// entitlementWords lists the words that support plans need.
func entitlementWords(add func(axis, value string)) {
	for _, o := range supportplan.Outcomes() {
		add("outcome", string(o))
	}
	for _, k := range supportplan.GrantKinds() {
		add("grant", string(k))
	}
	for _, p := range supportplan.Periods() {
		add("per", string(p))
	}
	for _, p := range supportplan.Preventives() {
		add("preventive", string(p))
	}
	for _, e := range supportplan.Engineers() {
		add("engineer", string(e))
	}
	for _, c := range supportplan.Channels() {
		add("channel", string(c))
	}
	for _, h := range []supportplan.Hours{supportplan.AroundTheClock, supportplan.UnknownHours} {
		add("hours", string(h))
	}
	for _, b := range supportplan.Burdens() {
		add("burden", string(b))
	}
}

// loadVerdicts reads the sentences about what a customer is entitled to, and tries each.
func (l *language) loadVerdicts(fsys fs.FS) error {
	file := "entitlements/sentences." + l.code + ".tmpl"
	t, err := l.parse(fsys, file)
	if err != nil {
		return err
	}
	l.verdicts = t
	var faults []error
	known := map[string]bool{file: true}
	for _, key := range verdictKeys() {
		known[key] = true
		one := t.Lookup(key)
		if one == nil {
			faults = append(faults, fmt.Errorf("%s: sentence %q: missing", file, key))
			continue
		}
		for _, data := range []found{{}, filled[found]()} {
			_, err := run(one, data, trialLimits())
			faults = append(faults, err)
		}
	}
	for _, d := range t.Templates() {
		if !known[d.Name()] {
			faults = append(faults, fmt.Errorf("%s: sentence %q: no such reason or offer", file, d.Name()))
		}
	}
	return errors.Join(faults...)
}

// verdict says one sentence. What this version has no sentence for is shown as it is called.
func (l *language) verdict(key string, data found) string {
	if t := l.verdicts.Lookup(key); t != nil {
		if said, err := run(t, data, messageLimits()); err == nil {
			return said
		}
	}
	return key
}

func (l *language) quota(q supportplan.Quota) string {
	form := l.word("per", string(q.Per))
	if !strings.Contains(form, "%d") {
		return q.String()
	}
	return strings.Replace(form, "%d", fmt.Sprint(q.Count), 1)
}

// opens shows an instant that may not be known.
func (l *language) opens(at time.Time, zone string) string {
	if at.IsZero() {
		return ""
	}
	return l.instant(at, zone)
}

// last shows the last day of a period, given the first instant of the next.
func (l *language) last(to time.Time, zone string) string {
	if !to.IsZero() {
		to = to.Add(-time.Nanosecond)
	}
	return l.date(to, zone)
}

// Reason says one reason of a check in a sentence that a customer may read.
func (t *Texts) Reason(r supportplan.Reason, language, zone string) string {
	l := t.in(language)
	return l.verdict("reason."+string(r.Kind), found{
		Quota: l.quota(r.Quota), Used: r.Used, Left: r.Left,
		From: l.date(r.From, zone), Last: l.last(r.To, zone), Opens: l.opens(r.Opens, zone),
	})
}

// Offer says one offer of a check in a sentence that a customer may read. The levels of a table are called by their names.
func (t *Texts) Offer(o supportplan.Offer, table supportplan.Table, language, zone string) string {
	l := t.in(language)
	var names []string
	for _, id := range o.Columns {
		name := id
		if n, ok := table.Column(id); ok {
			name = table.Columns[n].Name.In(l.code)
		}
		names = append(names, line(name))
	}
	return l.verdict("offer."+string(o.Kind), found{Columns: strings.Join(names, ", "), Opens: l.opens(o.Opens, zone)})
}

// Quota returns how often something may be used: "12 a year".
func (t *Texts) Quota(q supportplan.Quota, language string) string { return t.in(language).quota(q) }

// Grant returns what a plan gives of a feature: "included", "12 a year".
func (t *Texts) Grant(g supportplan.Grant, language string) string {
	if g.Kind == supportplan.Limited {
		return t.Quota(g.Quota, language)
	}
	return t.in(language).word("grant", string(g.Kind))
}

// Hours returns when something is served: "around the clock", or the ID of a calendar.
func (t *Texts) Hours(h supportplan.Hours, language string) string {
	return t.in(language).word("hours", string(h))
}

// Outcome returns what a check came to.
func (t *Texts) Outcome(o supportplan.Outcome, language string) string {
	return t.in(language).word("outcome", string(o))
}

// Channel returns the word for a channel.
func (t *Texts) Channel(c supportplan.Channel, language string) string {
	return t.in(language).word("channel", string(c))
}

// Engineer returns who works for the customer.
func (t *Texts) Engineer(e supportplan.Engineer, language string) string {
	return t.in(language).word("engineer", string(e))
}

// Preventive returns how often somebody comes to check.
func (t *Texts) Preventive(p supportplan.Preventive, language string) string {
	return t.in(language).word("preventive", string(p))
}

// Burden returns what a limit leaves to the customer.
func (t *Texts) Burden(b supportplan.Burden, language string) string {
	return t.in(language).word("burden", string(b))
}

// RequestKind returns the word for a kind of request, which is as the folder calls it where the language has none.
func (t *Texts) RequestKind(kind, language string) string {
	return t.in(language).word("request", kind)
}

// Layer returns the word for what an availability is promised of, which is as the folder calls it where the language has
// none.
func (t *Texts) Layer(of, language string) string { return t.in(language).word("layer", of) }
