package ingest

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/internal/org"
)

// A Sample is what a source sends as a test, ready to be sent.
type Sample struct {
	State  alert.State
	Path   string      // to which it is posted; empty: it is a mail
	Header http.Header // of the request
	To     string      // of a mail …
	From   string      // … and its sender
	Body   []byte
}

// Sampling is what is wanted of samples.
type Sampling struct {
	At               time.Time
	ID               string            // made once: no other test has it
	Labels           map[string]string // by which routes take it
	Mapping          string            // name of the shipped mapping of the source; empty: its own, or none
	Heartbeat        string            // of a source of heartbeats: which one
	Firing, Resolved []byte            // what is sent in place of what comes with Muster; nil: that
}

const sampleText = "This alert is a test by muster test source. Nothing is wrong."

// Samples are what a source sends when something is wrong, and then when it is over: harmless, and recognisable as a test. They are read
// as the intake would read them, so that what cannot work is not sent.
func Samples(s Source, want Sampling) (all []Sample, err error) {
	fail := func(format string, a ...any) ([]Sample, error) {
		return nil, fmt.Errorf("test of source "+s.ID+": "+format, a...)
	}
	switch s.Type {
	case alert.Heartbeat:
		return s.beats(want), nil
	case alert.SNS:
		return fail("only Amazon signs for its topics: set an alarm of the topic, such as by aws cloudwatch set-alarm-state")
	default:
	}
	if s, err = s.compiled(); err != nil {
		return fail("%w", err)
	}
	group := ""
	for n, state := range []alert.State{alert.Firing, alert.Resolved} {
		sample := Sample{State: state, Body: [][]byte{want.Firing, want.Resolved}[n]}
		if sample.Body == nil {
			if sample.Body, err = s.sample(want, state); err != nil {
				return fail("%w", err)
			}
		}
		s.address(&sample, want)
		c := call{source: s, at: want.At, fresh: func() string { return want.ID }, header: sample.Header}
		m, err := s.format().decode(c, sample.Body)
		const own = "want --firing FILE and --resolved FILE with what it sends when something is wrong and when it is over"
		switch {
		case err != nil:
			return fail("%w; %s", err, own)
		case len(m.alerts) == 0 || m.alerts[0].State != state:
			return fail("what comes with Muster does not read as %s here; %s", state, own)
		case n > 0 && m.alerts[0].Fingerprint != group:
			return fail("what says that it is over is about another alert; %s", own)
		}
		group = m.alerts[0].Fingerprint
		all = append(all, sample)
	}
	return all, nil
}

// sample is what comes with Muster.
func (s Source) sample(want Sampling, state alert.State) ([]byte, error) {
	if s.Type == alert.Email {
		return s.letter(want, state), nil
	}
	name := string(s.Type)
	switch {
	case s.Type == alert.JSON, s.Type == alert.CloudEvents && s.Data == "":
		if name = want.Mapping; name == "" {
			return nil, fmt.Errorf("its mapping is its own; want --firing FILE and --resolved FILE with what it sends when something is wrong and when it is over")
		}
	case s.Type == alert.CloudEvents:
		name = string(s.Data)
	}
	text, err := org.Sample(name)
	if err != nil {
		return nil, err
	}
	body, err := filled(text, s.Token, want, state)
	if err != nil {
		return nil, err
	}
	if s.Type == alert.CloudEvents {
		body = fmt.Appendf(nil, `{"specversion": "1.0", "id": %q, "source": "/muster/test", "type": "muster.test", "time": %q, "data": %s}`,
			want.ID+string(state), want.At.UTC().Format(time.RFC3339), body)
	}
	return body, nil
}

// either is what a sample says when something is wrong, and when it is over.
var either = regexp.MustCompile(`%([^%|]*)\|([^%|]*)%`)

// carries is where a sample has labels of one's own, and byDefault what it says of its severity where there is none among them.
var (
	carries   = regexp.MustCompile(`%(?:LABELS|TAGS|PAIRS)%`)
	byDefault = regexp.MustCompile(`%SEVERITY=([^%]*)%`)
)

// filled fills a sample. What is put into it stands in JSON texts.
func filled(text, token string, want Sampling, state alert.State) ([]byte, error) {
	n := 1
	if state == alert.Resolved {
		n = 2
	}
	if len(want.Labels) > 0 && !carries.MatchString(text) {
		return nil, fmt.Errorf("--label: want none, because what it sends has no labels of one's own")
	}
	labels := map[string]string{nameLabel: "MusterTest", "severity": "info", "test": want.ID}
	maps.Copy(labels, want.Labels)
	var members, tags, pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		members, tags = append(members, quoted(name)+": "+quoted(labels[name])), append(tags, name+":"+labels[name])
		if _, own := want.Labels[name]; own {
			pairs = append(pairs, `{"tag": `+quoted(name)+`, "value": `+quoted(labels[name])+`}`)
		}
	}
	inside := func(s string) string { s = quoted(s); return s[1 : len(s)-1] }
	at := want.At.UTC().Format("2006-01-02T15:04:05.000Z")
	title := alert.TrialMark + alert.TrialWords + " this source: please ignore (" + want.ID + ")"
	text = byDefault.ReplaceAllStringFunc(text, func(s string) string {
		return cmp.Or(inside(want.Labels["severity"]), byDefault.FindStringSubmatch(s)[1])
	})
	text = either.ReplaceAllStringFunc(text, func(both string) string {
		one := either.FindStringSubmatch(both)[n]
		return strings.NewReplacer("@AT@", at, "@TITLE@", title, "@ID@", want.ID).Replace(one)
	})
	return []byte(strings.NewReplacer(
		"%ID%", want.ID, "%AT%", at, "%MS%", strconv.FormatInt(want.At.UnixMilli(), 10), "%TITLE%", title, "%TEXT%", sampleText, "%TOKEN%", inside(token),
		"%LABELS%", strings.Join(members, ", "), "%TAGS%", inside(strings.Join(tags, ",")), "%PAIRS%", strings.Join(pairs, ", "),
	).Replace(text)), nil
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

// letter is a mail.
func (s Source) letter(want Sampling, state alert.State) []byte {
	word := "PROBLEM"
	if state == alert.Resolved {
		word = "RECOVERY"
	}
	var b bytes.Buffer
	for _, line := range []string{
		"From: Muster <" + s.author() + ">", "To: <" + s.mailbox() + ">", "Date: " + want.At.Format(time.RFC1123Z),
		"Subject: " + alert.TrialMark + word + ": " + alert.TrialWords + " its mail, please ignore (" + want.ID + ")", "Message-ID: <" + want.ID + "." + string(state) + "@muster.test>",
		"Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "", sampleText,
	} {
		b.WriteString(line + "\r\n")
	}
	return b.Bytes()
}

// author is one whom the source may have.
func (s Source) author() string {
	if s.Mail != nil && len(s.Mail.From) > 0 {
		if from := s.Mail.From[0]; strings.HasPrefix(from, "@") {
			return "muster-test" + from
		}
		return s.Mail.From[0]
	}
	return "muster-test@localhost"
}

// mailbox is where the source sends its mails.
func (s Source) mailbox() string {
	if s.Token != "" {
		return s.ID + "+" + s.Token + "@muster.test"
	}
	return s.Mail.Address
}

// address says where a sample goes, and by what it is known.
func (s Source) address(sample *Sample, want Sampling) {
	if s.Type == alert.Email {
		sample.To, sample.From = s.mailbox(), s.author()
		return
	}
	f := s.format()
	sample.Path, sample.Header = f.address(), http.Header{"Content-Type": {"application/json"}}
	if s.Type == alert.CloudEvents {
		sample.Header.Set("Content-Type", structuredEvent)
	}
	if s.Token != "" && f.token == nil {
		sample.Header.Set("Authorization", "Bearer "+s.Token)
	}
	if s.Token == "" && s.Signature != nil {
		sample.Path = Prefix + string(f.name) + "/" + s.ID
	}
	s.sign(sample, want.At)
}

// sign signs a sample as the source does.
func (s Source) sign(sample *Sample, at time.Time) {
	if s.Signature == nil {
		return
	}
	if name := s.Signature.Timestamp; name != "" {
		sample.Header.Set(name, strconv.FormatInt(at.Unix(), 10))
	}
	usual := append(slices.Clone(s.format().signed), "X-Signature")[0]
	sample.Header.Set(cmp.Or(s.Signature.Header, usual), hex.EncodeToString(s.Signature.sum(sample.Header, sample.Body)))
}

// beats are a failure and a beat that say of themselves that they are none.
func (s Source) beats(want Sampling) []Sample {
	header := http.Header{}
	if s.Token != "" {
		header.Set("Authorization", "Bearer "+s.Token)
	}
	path, body := HeartbeatPrefix+want.Heartbeat, []byte(heartbeat.Test+" "+sampleText)
	return []Sample{
		{State: alert.Firing, Path: path + "/" + string(heartbeat.Failed), Header: header, Body: body},
		{State: alert.Resolved, Path: path, Header: header, Body: body},
	}
}
