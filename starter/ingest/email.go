package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/refusal"
)

// Mail is how a source of type email is known and read.
type Mail struct {
	Address string   // its own; empty: it is known by its token alone
	From    []string // who may be its author: an address, or @ and a domain; none: anybody
	// Regular expressions over the subject. The groups of Subject that have names are labels, and tell its alerts apart.
	Subject, Firing, Resolved string

	subject, firing, resolved *regexp.Regexp // nil: the usual ones
}

// compile reads the regular expressions.
func (m *Mail) compile() (err error) {
	for _, one := range []struct {
		text string
		to   **regexp.Regexp
	}{{m.Subject, &m.subject}, {m.Firing, &m.firing}, {m.Resolved, &m.resolved}} {
		if one.text != "" && err == nil {
			*one.to, err = regexp.Compile(one.text)
		}
	}
	return err
}

// The words by which monitors say in a subject whether something is wrong. Those in capitals of the language of ASCII stand alone; a Korean one
// may have an ending.
const (
	firingWords = `\b(?:problem|firing|triggered|trigger|alerting|alarm|critical|warning|emergency|error|failed|failure|down|unreachable)\b(?::\d+)?|장애|위험|경고|발생|실패|오류|중단|다운|긴급|심각`
	overWords   = `\b(?:recovery|recovered|resolved|cleared|closed|fixed|normal|ok|up)\b(?: in (?:\d+[a-z]+ ?)+\b)?(?::\d+)?|(?:복구|해소|해제|정상)(?:화)?(?:됨|되었습니다| ?완료)?`
)

var (
	firingWord = regexp.MustCompile(`(?i)` + firingWords)
	overWord   = regexp.MustCompile(`(?i)` + overWords)
	beginsOver = regexp.MustCompile(`(?i)^(?:\[[^\]]{1,40}\]\s*)*[\[(*# ]*(?:` + overWords + `)(?:$|\s*[\])}:*,–-])`)
	endsOver   = regexp.MustCompile(`(?i)(?:` + overWords + `)$`)
	mended     = regexp.MustCompile(`(?:장애|경보|알람|오류|경고|위험|다운|중단)[이가]?\s?(복구|해소|해제|정상)`) // names what is over
	denied     = regexp.MustCompile(`(?i)\b(?:not|never|isn't|no longer) \S*$|[비미불] ?(?:정상|복구|해소|해제)(?:됨|되었습니다| ?완료)?$`)
	stateWords = regexp.MustCompile(`(?i)` + firingWords + `|` + overWords)
	severe     = regexp.MustCompile(`(?i)\b(?:critical|emergency|down|unreachable)\b|위험|다운|긴급|심각|중단`)
	mild       = regexp.MustCompile(`(?i)\bwarning\b|경고`)
	answered   = regexp.MustCompile(`(?i)^(?:\s*(?:re|fw|fwd|aw|회신|전달)\s*:)+`)
	around     = regexp.MustCompile(`\[\s*\]|\(\s*\)|[\s*]+`)
	edges      = regexp.MustCompile(`^[^\pL\pN\[(]+|[^\pL\pN\])]+$`)
)

// A letter is a mail as it was read.
type letter struct {
	header        mail.Header
	subject, from string // decoded; the address alone
	text          string
	date          time.Time // when it was written, as far as that can be believed
}

// decodeEmail reads the mail of a monitor. Who it is from and where it goes was seen before.
func decodeEmail(c call, body []byte) (message, error) {
	l, err := readLetter(body, c.at)
	if err != nil {
		return message{}, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "mail", Detail: "want a mail as RFC 5322 has it: " + clip(err.Error(), 200)})
	}
	how := c.source.Mail
	if how == nil {
		how = &Mail{}
	}
	if !how.allows(l.from) {
		return message{}, refusal.Of(http.StatusForbidden, refusal.Fault{
			Field: "From", Detail: fmt.Sprintf("want one of those of source %s in the organisation folder, got %s", c.source.ID, quote(l.from)),
		})
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(l.header.Get("Auto-Submitted"))), "auto-replied") {
		return message{}, refusal.Of(http.StatusForbidden, refusal.Fault{Field: "Auto-Submitted", Detail: "want no automatic reply"})
	}
	state := how.stateOf(l.subject)
	if c.source.Mapping != nil {
		return mappedLetter(c, l, how, state)
	}
	labels, key := how.identity(l.subject)
	if key == "" {
		return message{}, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "Subject", Detail: "want one that says what the mail is about"})
	}
	if labels.Value("severity") == "" {
		switch {
		case severe.MatchString(l.subject):
			labels = append(labels, alert.Label{Name: "severity", Value: "critical"})
		case mild.MatchString(l.subject):
			labels = append(labels, alert.Label{Name: "severity", Value: "warning"})
		}
	}
	a := sized{Alert: alert.Alert{
		Fingerprint: short(key), State: state, StartsAt: l.date,
		Annotations: ordered(alert.Labels{{Name: "summary", Value: l.subject}, {Name: "description", Value: l.text}, {Name: "from", Value: l.from}}),
	}}
	if state == alert.Resolved { // its subject may have none of the labels of the one that it ends
		a.EndsAt, a.Bare = l.date, true
	} else if c.source.ResolveTimeout > 0 {
		a.Until = c.at.Add(c.source.ResolveTimeout)
	}
	a.Labels = ordered(append(labels, alert.Label{Name: nameLabel, Value: key}))
	a.Name = clip(a.Labels.Value(nameLabel), maxName)
	a.bound()
	return message{
		fixed: true, group: alert.Labels{{Name: "mail", Value: key}}, common: a.Labels, title: clip(a.Summary(), maxTitle), alerts: []sized{a},
	}, nil
}

// mappedLetter reads a mail as the mapping of its source says.
func mappedLetter(c call, l letter, how *Mail, state alert.State) (message, error) {
	groups, headers := map[string]any{}, map[string]any{}
	if how.subject != nil {
		for _, g := range groupsOf(how.subject, l.subject) {
			groups[g.Name] = g.Value
		}
	}
	for name := range l.header {
		headers[strings.ToLower(name)] = clip(decodedHeader(l.header.Get(name)), maxValue)
	}
	return newDecoder(nil).mapped(c, map[string]any{
		"subject": clip(l.subject, maxValue), "from": l.from, "text": l.text, "date": l.date.Format(time.RFC3339), "state": string(state),
		"groups": groups, "headers": headers,
	})
}

// readLetter reads a mail, and believes its date unless it lies ahead or is older than mail is kept.
func readLetter(body []byte, at time.Time) (l letter, err error) {
	header, content := parted(body)
	r := readers.Get().(*bufio.Reader)
	defer readers.Put(r)
	r.Reset(bytes.NewReader(header))
	m, err := mail.ReadMessage(r)
	if err != nil {
		return l, err
	}
	l.header, l.date = m.Header, at
	const kept = 5 * 24 * time.Hour
	if date, err := dateOf(m.Header); err == nil && !date.After(at) && at.Sub(date) < kept {
		l.date = date.UTC()
	}
	const longest = 1_000 // longer ones say nothing that tells alerts apart
	l.subject = strings.Join(strings.Fields(clip(decodedHeader(bare(m.Header, "Subject")), longest)), " ")
	l.from = authorOf(m.Header.Get("From"))
	l.text = textOf(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), content, 0)
	return l, nil
}

// dateOf is the date of a mail. Nearly all are written in one way.
func dateOf(h mail.Header) (time.Time, error) {
	text, _, _ := strings.Cut(h.Get("Date"), " (")
	if at, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", text); err == nil {
		return at, nil
	}
	return h.Date()
}

// readers are those of headers, which are shorter than what a reader takes for itself.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// parted cuts a mail after the empty line that ends its header.
func parted(body []byte) (header, content []byte) {
	for at := 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		if end < 0 {
			break
		}
		line := body[at : at+end]
		at += end + 1
		if len(bytes.TrimRight(line, "\r")) == 0 {
			return body[:at], body[at:]
		}
	}
	return body, nil
}

// authorOf is the address of the author; of several, of the first.
func authorOf(from string) string {
	parser := mail.AddressParser{WordDecoder: wordDecoder()}
	if all, err := parser.ParseList(from); err == nil && len(all) > 0 {
		return strings.ToLower(all[0].Address)
	}
	return strings.ToLower(clip(from, maxName))
}

func wordDecoder() *mime.WordDecoder { return &mime.WordDecoder{CharsetReader: charsetReader} }

// bare is a header in UTF-8 that some monitors write in the charset of the mail without saying so; where nothing is said, in that of Korea.
func bare(h mail.Header, name string) string {
	s := h.Get(name)
	if utf8.ValidString(s) {
		return s
	}
	_, params, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return inUTF8(cmp.Or(params["charset"], "euc-kr"), []byte(s))
}

// decodedHeader is a header in UTF-8. One that cannot be decoded stays as it is.
func decodedHeader(s string) string {
	if text, err := wordDecoder().DecodeHeader(s); err == nil {
		s = text
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// allows tells whether a source may have an author.
func (m *Mail) allows(from string) bool {
	return len(m.From) == 0 || slices.ContainsFunc(m.From, func(one string) bool {
		one = strings.ToLower(one)
		return one == from || strings.HasPrefix(one, "@") && strings.HasSuffix(from, one)
	})
}

// stateOf is what a subject says. What the organisation folder says of it comes first, and of that a pattern of what is wrong. Else a word at its
// very beginning decides that stands by itself there; else a word that something is wrong outweighs one at the end that it is over. What says
// neither is wrong, too: a page too many is better than one too few.
func (m *Mail) stateOf(subject string) alert.State {
	switch {
	case m.firing != nil && m.firing.MatchString(subject):
		return alert.Firing
	case m.resolved != nil && m.resolved.MatchString(subject):
		return alert.Resolved
	case m.resolved != nil:
		return alert.Firing
	}
	said := mended.ReplaceAllString(strings.TrimRight(answered.ReplaceAllString(subject, ""), "*# ])!."), "$1")
	if m.subject != nil && m.subject.MatchString(subject) && overWord.MatchString(said) && !firingWord.MatchString(said) {
		return alert.Resolved // its monitor writes in this form, and not whatever people would
	}
	if beginsOver.MatchString(said) || endsOver.MatchString(said) && !denied.MatchString(said) && !firingWord.MatchString(beforeEnd(said)) {
		return alert.Resolved
	}
	return alert.Firing
}

// beforeEnd is a subject without the word at its end.
func beforeEnd(said string) string { return said[:endsOver.FindStringIndex(said)[0]] }

// identity is what tells the alert of a subject apart, and its labels: the groups of the pattern that have names, but for those that only say how
// bad it is; without a pattern, or where it does not fit, the subject without the words that say its state.
func (m *Mail) identity(subject string) (labels alert.Labels, key string) {
	if m.subject != nil && m.subject.MatchString(subject) {
		labels = groupsOf(m.subject, subject)
		var parts []string
		for _, l := range labels {
			if l.Name != "severity" && l.Name != "state" && l.Value != "" {
				parts = append(parts, l.Name+"="+l.Value)
			}
		}
		if len(parts) > 0 {
			return labels, strings.Join(parts, " ")
		}
	}
	s := answered.ReplaceAllString(subject, "")
	for _, words := range []*regexp.Regexp{m.firing, m.resolved} {
		if words != nil {
			s = words.ReplaceAllString(s, " ")
		}
	}
	s = stateWords.ReplaceAllString(s, " ")
	for range 3 { // what is within brackets may have been a word, and what is left of them again
		s = strings.TrimSpace(edges.ReplaceAllString(around.ReplaceAllString(s, " "), ""))
	}
	return labels, strings.ToLower(cmp.Or(s, strings.TrimSpace(subject)))
}

// groupsOf are the groups with names that fit in a text, sorted.
func groupsOf(pattern *regexp.Regexp, text string) (all alert.Labels) {
	found := pattern.FindStringSubmatch(text)
	for n, name := range pattern.SubexpNames() {
		if n < len(found) && name != "" {
			all = append(all, alert.Label{Name: name, Value: strings.TrimSpace(found[n])})
		}
	}
	return ordered(all)
}
