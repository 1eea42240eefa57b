package review

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// The bounds of what people write.
const (
	MaxText      = 4_000  // bytes at once
	MaxBody      = 12_000 // bytes of the text for a customer
	maxFactors   = 20
	maxInvited   = 10
	maxAttendees = 50
	maxActions   = 50
	maxTexts     = 50
	maxRefusals  = 50        // that stand in the timeline
	maxTimeline  = 256 << 10 // bytes of a timeline that still takes notes and sections
	leastOwn     = 40        // characters of a customer's text that are not the engine's
)

// A Key names a section. The words of its heading live in the texts.
type Key string

// The sections: the impact, the four questions of the source (003, line 4781) with their sub-questions, what went well, and where
// else the same may happen. These strings are on the wire and in histories: add, never rename.
const (
	Impact        Key = "impact"
	DetectSooner  Key = "detect"         // can it be detected sooner?
	Alerts        Key = "detect.alerts"  // which metrics and alerts would have?
	DiagnoseFast  Key = "diagnose"       // can it be diagnosed sooner?
	ResponsePlans Key = "diagnose.plans" // which response or escalation plan would have brought the right people sooner?
	MitigateFast  Key = "mitigate"       // can it be mitigated sooner?
	RunbookSteps  Key = "mitigate.steps" // which step of a runbook or playbook is to be added or improved?
	Prevent       Key = "prevent"        // can it be kept from happening again?
	WentWell      Key = "went-well"
	SamePattern   Key = "same-pattern" // where the same pattern exists
)

// Keys lists the sections in the order in which they are read.
func Keys() []Key {
	return []Key{
		Impact, DetectSooner, Alerts, DiagnoseFast, ResponsePlans, MitigateFast, RunbookSteps, Prevent, WentWell, SamePattern,
	}
}

// Wanted lists the sections without which a draft is none.
func Wanted() []Key { return []Key{Impact, DetectSooner, DiagnoseFast, MitigateFast, Prevent} }

// A Section is what people have written of one thing.
type Section struct {
	Key  Key            `json:"key"`
	Text string         `json:"text"`
	By   timeline.Actor `json:"by"`
	At   time.Time      `json:"at"`
}

// FactorKind is what a contributing factor has to do with.
type FactorKind string

// The kinds of factors. These strings are on the wire and in histories: add, never rename.
const (
	Technical FactorKind = "technical"
	Process   FactorKind = "process"
	Detection FactorKind = "detection"
	Response  FactorKind = "response"
)

// FactorKinds lists the kinds of factors.
func FactorKinds() []FactorKind { return []FactorKind{Technical, Process, Detection, Response} }

// A Factor has contributed to the incident. There is seldom only one.
type Factor struct {
	Number int            `json:"number"`
	Kind   FactorKind     `json:"kind"`
	Text   string         `json:"text"`
	By     timeline.Actor `json:"by"`
	At     time.Time      `json:"at"`
}

// A Pattern is by what the next responder recognises the same again, and what helps.
type Pattern struct {
	Symptom string         `json:"symptom"`
	Cause   string         `json:"cause"`
	Remedy  string         `json:"remedy"`
	By      timeline.Actor `json:"by"`
	At      time.Time      `json:"at"`
}

// An Invitation went to a vendor whose engineer is to take part.
type Invitation struct {
	Vendor string         `json:"vendor"` // ID
	Name   string         `json:"name"`   // of the engineer
	Note   string         `json:"note,omitempty"`
	By     timeline.Actor `json:"by"`
	At     time.Time      `json:"at"`
}

// A Meeting was held.
type Meeting struct {
	At      time.Time      `json:"at"`
	Who     []string       `json:"who"` // names
	Minutes string         `json:"minutes"`
	By      timeline.Actor `json:"by"`
}

// An Action is an action item that was opened for what the review has found.
type Action struct {
	ID    string         `json:"id"`
	Title string         `json:"title"`
	By    timeline.Actor `json:"by"`
	At    time.Time      `json:"at"`
}

// Internal is the audience of the review itself. Any other audience is the ID of a customer.
const Internal = "internal"

// A Text is what one audience gets to read. The internal one is the review itself, that of a customer is what a person wrote.
type Text struct {
	Audience    string         `json:"audience"`
	Name        string         `json:"name,omitempty"`     // of the customer
	Language    string         `json:"language,omitempty"` // in which the customer reads
	Draft       string         `json:"draft,omitempty"`    // of the engine: facts and headings
	Body        Prose          `json:"body,omitempty"`     // that a person wrote for the customer
	SHA256      string         `json:"sha256,omitempty"`   // of what is approved; empty: there is nothing yet
	Author      timeline.Actor `json:"author,omitzero"`    // of the internal one, who has submitted it
	Authors     []string       `json:"authors,omitempty"`  // IDs of all who have written it
	Written     time.Time      `json:"written,omitzero"`
	Votes       []Vote         `json:"votes,omitempty"` // on exactly this
	Published   time.Time      `json:"published,omitzero"`
	PublishedBy timeline.Actor `json:"published_by,omitzero"`
}

// Prose is what a customer gets to read, of MaxBody bytes at most.
type Prose string

// A Side is for whom somebody speaks who approves a text.
type Side string

// The sides. These strings are in histories: add, never rename.
const (
	TechnicalSide Side = "technical"
	OtherSide     Side = "non-technical"
)

// A Vote is what somebody says of a text.
type Vote struct {
	By     timeline.Actor `json:"by"`
	Sides  []Side         `json:"sides"` // for which they can speak; one of them counts
	Yes    bool           `json:"yes"`
	Reason string         `json:"reason,omitempty"`
	At     time.Time      `json:"at"`
}

// Text returns that of an audience, nil where there is none.
func (r *Review) Text(audience string) *Text {
	for n := range r.Texts {
		if r.Texts[n].Audience == audience {
			return &r.Texts[n]
		}
	}
	return nil
}

// Rejected tells whether somebody has rejected the text as it is.
func (t *Text) Rejected() bool {
	for _, v := range t.Votes {
		if !v.Yes {
			return true
		}
	}
	return false
}

// Lacks says who still has to approve the text before it can be published; with none, it is approved. Of the two sides of a
// customer's text, no person speaks for both.
func (t *Text) Lacks() []Side {
	if t.Audience == Internal {
		if len(t.Votes) > 0 {
			return nil
		}
		return []Side{TechnicalSide}
	}
	var technical, other, both int
	for _, v := range t.Votes {
		switch {
		case v.speaks(TechnicalSide) && v.speaks(OtherSide):
			both++
		case v.speaks(TechnicalSide):
			technical++
		case v.speaks(OtherSide):
			other++
		}
	}
	switch {
	case technical > 0 && other > 0 || both > 1 || both > 0 && technical+other > 0:
		return nil
	case technical > 0:
		return []Side{OtherSide}
	case other > 0 || both > 0:
		return []Side{TechnicalSide}
	}
	return []Side{TechnicalSide, OtherSide}
}

// speaks tells whether a vote counts for a side.
func (v Vote) speaks(s Side) bool {
	for _, x := range v.Sides {
		if x == s {
			return true
		}
	}
	return false
}

// Approved tells whether the text may be published as it is.
func (t *Text) Approved() bool { return t.SHA256 != "" && !t.Rejected() && len(t.Lacks()) == 0 }

// Waits tells whether the text was written and neither published nor rejected.
func (t *Text) Waits() bool { return t.SHA256 != "" && t.Published.IsZero() && !t.Rejected() }

// Section returns what was written of something, empty where nothing was.
func (r *Review) Section(k Key) string {
	for _, s := range r.Sections {
		if s.Key == k {
			return s.Text
		}
	}
	return ""
}

// digest is the SHA-256 of the review as it stands: what whoever approves the internal text approves.
func (r *Review) digest() string {
	var d incident.Digest
	d.Say("facts", string(r.Facts.Incident), instant(r.Facts.Times.Resolved))
	for _, k := range Keys() {
		if text := r.Section(k); text != "" {
			d.Say("section", string(k), text)
		}
	}
	for _, f := range r.Factors {
		d.Say("factor", string(f.Kind), f.Text)
	}
	if p := r.Pattern; p != nil {
		d.Say("pattern", p.Symptom, p.Cause, p.Remedy)
	}
	return d.Sum()
}

// SHA256 is that of a text, as everybody can compute it from a file.
func SHA256[T ~string](text T) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// own counts the characters of a text that are not the engine's draft: of lines that do not stand in it, without headings and space.
func own(text, draft string) (n int) {
	known := map[string]bool{}
	for line := range strings.Lines(draft) {
		known[strings.Join(strings.Fields(line), " ")] = true
	}
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if !known[line] && !strings.HasPrefix(line, "#") {
			n += len([]rune(strings.ReplaceAll(line, " ", "")))
		}
	}
	return n
}
