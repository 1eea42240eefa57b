package review

import (
	"fmt"
	"slices"
	"strings"
)

// A Step is something that is still to be done before a review can be closed.
type Step string

// The steps, by the command that does them. These strings are on the wire: add, never rename.
const (
	ToWrite   Step = "write"   // a section; of a text that was rejected, any
	ToFactor  Step = "factor"  // a contributing factor
	ToPattern Step = "pattern" // what the next responder has to know
	ToSubmit  Step = "submit"
	ToApprove Step = "approve" // by somebody else
	ToMeet    Step = "meeting"
	ToText    Step = "text" // of a customer, which was rejected
	ToPublish Step = "publish"
	ToClose   Step = "close"
)

// Steps lists the steps.
func Steps() []Step {
	return []Step{ToWrite, ToFactor, ToPattern, ToSubmit, ToApprove, ToMeet, ToText, ToPublish, ToClose}
}

// A Next is a step, and the section or the audience that it is about.
type Next struct {
	Step  Step   `json:"step"`
	About string `json:"about,omitempty"`
}

// Next lists what is still to be done, in the order in which it is done. Of a review from before there were stages it is the end alone.
func (r *Review) Next() (all []Next) {
	add := func(s Step, about string) { all = append(all, Next{s, about}) }
	t := r.Text(Internal)
	switch {
	case r.Status != Open:
		return nil
	case r.Rules == nil || t == nil:
		return []Next{{Step: ToClose}}
	}
	for _, k := range Wanted() {
		if r.Section(k) == "" {
			add(ToWrite, string(k))
		}
	}
	if len(r.Factors) == 0 {
		add(ToFactor, "")
	}
	if r.Pattern == nil {
		add(ToPattern, "")
	}
	switch {
	case t.SHA256 == "":
		add(ToSubmit, "")
		add(ToApprove, Internal)
	case t.Rejected():
		add(ToWrite, "")
		add(ToSubmit, "")
		add(ToApprove, Internal)
	case t.Published.IsZero() && !t.Approved():
		add(ToApprove, Internal)
	}
	if slices.ContainsFunc(r.Deadlines, func(d Deadline) bool { return d.Stage == Meet && d.Done.IsZero() }) {
		add(ToMeet, "")
	}
	if t.Published.IsZero() {
		add(ToPublish, Internal)
	}
	for n := range r.Texts {
		switch t := &r.Texts[n]; {
		case t.Audience == Internal || t.SHA256 == "" || !t.Published.IsZero():
		case t.Rejected():
			add(ToText, t.Audience)
		case t.Approved():
			add(ToPublish, t.Audience)
		default:
			add(ToApprove, t.Audience)
		}
	}
	add(ToClose, "")
	return all
}

// Command is the command that does a step of a review, with a word in the place of what only somebody can say.
func (n Next) Command(incident, text string) string {
	said := fmt.Sprintf("%q", text)
	words := []string{"muster", "review", string(n.Step), incident}
	switch n.Step {
	case ToWrite:
		if n.About == "" {
			n.About = listedOr(Wanted())
		}
		words = append(words, n.About, said)
	case ToFactor:
		words = append(words, listedOr(FactorKinds()), said)
	case ToPattern:
		words = append(words, "--symptom", said, "--cause", said, "--remedy", said)
	case ToMeet:
		words = append(words, said, "--who", said)
	case ToText:
		words = append(words, n.About, said)
	case ToClose:
		words = append(words, said)
	case ToApprove, ToPublish:
		words = append(words, n.About)
	case ToSubmit:
	}
	return strings.Join(words, " ")
}

func listedOr[T ~string](all []T) string {
	words := make([]string, len(all))
	for n, x := range all {
		words[n] = string(x)
	}
	return strings.Join(words, "|")
}
