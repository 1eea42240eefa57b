package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// maxWhy is how many characters the reason of a vote has at most: in every script, it then fits into what a run takes.
const maxWhy = approval.MaxReason / 4

// A matter is what somebody decides on in a run of a plan.
type matter string

// The matters. They stand in paths of pages.
const (
	votes     matter = "votes" // on a task, or else on a change of the plan
	waivers   matter = "waivers"
	overrides matter = "overrides"
)

// A hearing is one look at what somebody is asked to decide in a run of a plan.
type hearing struct {
	by     authority.Subject
	via    string
	in     planrun.Capacity
	now    time.Time
	whole  *planrun.Run // as it is
	run    *planrun.Run // as whoever decides may see it
	matter matter
	part   string     // task, or environment; empty: a change of the plan
	told   string     // fingerprint of what they were shown; empty: nothing yet
	link   *link.Link // by which they have come; nil: they are signed in
	used   *store.Use // what the link was used for; nil: nothing yet
}

// hear looks at a run in somebody's name. A *starter.NotFoundError is that there is none, an *authority.DeniedError that it is not
// for them.
func (c *Console) hear(r *http.Request, by authority.Subject, id planrun.ID) (*hearing, error) {
	whole, err := c.cfg.PlanRuns.PlanRun(r.Context(), id)
	if err != nil {
		return nil, err
	}
	o, now := c.cfg.Organisation(), c.cfg.Now()
	if err := authority.May(by, authority.Read, starter.AboutRun(o, whole)); err != nil {
		return nil, err
	}
	return &hearing{
		by: by, in: starter.CapacityIn(o, whole, by.Actor, now), now: now, whole: whole, run: starter.RunAsSeen(o, whole, by, now),
	}, nil
}

// heardAgain is the hearing with its run as it is now, or as it was when that cannot be had.
func (c *Console) heardAgain(r *http.Request, h *hearing) *hearing {
	is, err := c.hear(r, h.by, h.whole.ID)
	if err != nil {
		c.cfg.Log.Warn("state after a decision not read", "run", h.whole.ID, "error", err)
		return h
	}
	now := *h
	now.whole, now.run, now.now = is.whole, is.run, is.now
	return &now
}

// A standing is how what is decided stands for somebody.
type standing struct {
	name    string        // of the words that say so
	actions []link.Action // that can be taken now
	by      timeline.Actor
	at      time.Time
	outcome string            // of what is decided
	changes []approval.Change // of what is voted on, since they were shown it
	places  []approval.Elector
	detail  string // a refusal in the words of the run
	kept    bool   // what they have said stands in the record, and does not count
}

// ballot is what is voted on, nil when nothing is.
func (h *hearing) ballot(r *planrun.Run) *approval.Ballot {
	if h.part == "" {
		if r.Change == nil {
			return nil
		}
		return r.Change.Ballot
	}
	t, _, ok := r.Task(h.part)
	if !ok {
		return nil
	}
	return t.Ballot
}

// content is the fingerprint of what is decided now, empty when nothing is.
func (h *hearing) content() string {
	run := string(h.whole.ID)
	switch h.matter {
	case waivers:
		if t, _, ok := h.whole.Task(h.part); ok && t.Waiver != nil {
			w := t.Waiver
			return link.OfWaiver(run, h.part, w.By.ID, w.Reason, w.Control, w.Until)
		}
	case overrides:
		if o := h.override(); o != nil {
			return link.OfOverride(run, h.part, o.Asked.Freeze, o.Asked.By.ID, o.Asked.Reason, o.Asked.Until)
		}
	case votes:
		if b := h.ballot(h.whole); b != nil {
			return b.Shown.SHA256
		}
	}
	return ""
}

// override is the one of the environment that waits, else the newest one; nil when nobody has asked.
func (h *hearing) override() (newest *planrun.Override) {
	for n := range h.whole.Override {
		o := &h.whole.Override[n]
		if o.Environment != h.part {
			continue
		}
		if newest = o; waits(o) {
			break
		}
	}
	return newest
}

func waits(o *planrun.Override) bool { return o.Asked.Approver.ID == "" && !o.Refused && !o.Over }

// actions are what may be said in the matter.
func (h *hearing) actions() (all []link.Action) {
	switch h.matter {
	case waivers:
		all = []link.Action{link.GrantWaiver, link.RefuseWaiver}
	case overrides:
		all = []link.Action{link.GrantOverride, link.RefuseOverride}
	case votes:
		for _, c := range h.ballot(h.whole).Rule.Choices() {
			all = append(all, link.Action(c))
		}
	}
	if h.link != nil {
		all = slices.DeleteFunc(all, func(a link.Action) bool { return !h.link.Allows(a) })
	}
	return all
}

// stands says what can be decided now, and why not what cannot.
func (h *hearing) stands() standing {
	if h.used != nil {
		return standing{name: "ballot.done", outcome: h.used.Action, by: h.by.Actor, at: h.used.At}
	}
	var s standing
	switch h.matter {
	case waivers:
		s = h.waiver()
	case overrides:
		s = h.overriding()
	case votes:
		s = h.vote()
	}
	if s.name == "" {
		s.name, s.actions = "ballot.decide", h.actions()
		if h.told != "" && h.told != h.content() {
			s.name, s.changes = "ballot.changed", h.changes()
		}
	}
	return s
}

// try is what a ballot would say to a vote now.
func (h *hearing) try(vote approval.Vote) error {
	b := *h.ballot(h.whole)
	b.Votes = slices.Clone(b.Votes)
	vote.ID, vote.By, vote.Choice, vote.Reason = "try", h.by.Actor.ID, b.Rule.Choices()[0], "try"
	return b.Cast(vote, h.now)
}

// changes names what is different from what they were shown.
func (h *hearing) changes() []approval.Change {
	if h.matter != votes {
		return nil
	}
	if stale, ok := errors.AsType[*approval.Refusal](h.try(approval.Vote{Shown: h.told, For: h.places()[0].Person})); ok {
		return stale.Changes
	}
	return nil
}

// places are the electors whose vote they may cast now: their own first.
func (h *hearing) places() (all []approval.Elector) {
	b := h.ballot(h.whole)
	for _, e := range b.Electors {
		if h.try(approval.Vote{For: e.Person, Shown: b.Shown.SHA256}) == nil {
			all = append(all, e)
		}
	}
	if own := slices.IndexFunc(all, func(e approval.Elector) bool { return e.Person == h.by.Actor.ID }); own > 0 {
		all[0], all[own] = all[own], all[0]
	}
	return all
}

func (h *hearing) vote() standing {
	b := h.ballot(h.whole)
	if b == nil {
		if h.part == "" {
			return h.entry(timeline.ChangeDecided, "")
		}
		return standing{name: "ballot.over"}
	}
	t, _, _ := h.whole.Task(h.part)
	switch {
	case b.Outcome.Verdict.Final():
		return decidedBy(b.Outcome)
	case h.whole.Over() || t != nil && t.Status != planrun.Begun:
		return standing{name: "ballot.over"}
	}
	if places := h.places(); len(places) > 0 {
		return standing{places: places}
	}
	no, ok := errors.AsType[*approval.Refusal](h.try(approval.Vote{Shown: b.Shown.SHA256}))
	switch {
	case !ok: // no fault of theirs
		return standing{name: "ballot.refused"}
	case no.Cause == approval.Decided || no.Cause == approval.Expired:
		return decidedBy(no.Outcome)
	}
	return standing{
		name: "ballot.refused." + string(no.Cause), at: no.Earlier.At,
		by: timeline.Actor{Kind: timeline.Person, ID: no.Earlier.By, Name: no.Earlier.Name},
	}
}

func decidedBy(o approval.Outcome) standing {
	s := standing{name: "ballot.decided", outcome: string(o.Verdict), at: o.At}
	if o.By != "" {
		s.by = timeline.Actor{Kind: timeline.Person, ID: o.By, Name: o.Name}
	}
	return s
}

// entry is what has become of the part by its newest entry of a kind, which says so itself where it is no outcome that is given.
func (h *hearing) entry(k timeline.Kind, outcome string) standing {
	for _, e := range slices.Backward(h.whole.Timeline.Entries) {
		if e.Kind == k && cmp.Or(e.Fact("task"), e.Fact("environment")) == h.part {
			if outcome == "" {
				outcome = map[bool]string{true: "granted", false: "refused"}[e.Fact("result") == "applied"]
			}
			return standing{name: "ballot.decided", outcome: outcome, by: e.Actor, at: e.At}
		}
	}
	return standing{name: "ballot.over"}
}

func (h *hearing) waiver() standing {
	t, def, ok := h.whole.Task(h.part)
	switch {
	case !ok || t.Waiver == nil:
		return standing{name: "ballot.over"}
	case !t.Waiver.Granted.IsZero():
		return standing{name: "ballot.decided", outcome: "granted", by: t.Waiver.Approver, at: t.Waiver.Granted}
	case !t.Waiver.Refused.IsZero():
		return standing{name: "ballot.decided", outcome: "refused", by: t.Waiver.Approver, at: t.Waiver.Refused}
	case h.whole.Over() || def.Skip == nil:
		return standing{name: "ballot.over"}
	case t.Waiver.By.ID == h.by.Actor.ID:
		return standing{name: "ballot.refused.requester"}
	case !slices.Contains(h.in.Roles, def.Skip.Approver):
		return standing{name: "ballot.refused.not-a-voter"}
	}
	return standing{}
}

func (h *hearing) overriding() standing {
	o := h.override()
	switch {
	case o == nil:
		return standing{name: "ballot.over"}
	case o.Refused:
		return h.entry(timeline.OverrideRefused, "refused")
	case o.Asked.Approver.ID != "":
		s := h.entry(timeline.OverrideGiven, "granted")
		s.name, s.outcome, s.by = "ballot.decided", "granted", o.Asked.Approver
		return s
	case !waits(o) || h.whole.Over():
		return standing{name: "ballot.over"}
	case o.Asked.By.ID == h.by.Actor.ID:
		return standing{name: "ballot.refused.requester"}
	}
	mine := func(w planrun.Wait) bool {
		return w.Want == planrun.WantOverride && w.Environment == h.part && w.For(h.by.Actor.ID, h.in.Roles)
	}
	if !slices.ContainsFunc(h.whole.Waits(h.now), mine) {
		return standing{name: "ballot.refused.not-a-voter"}
	}
	return standing{}
}

// A sentence is what somebody says in a matter.
type sentence struct {
	action  link.Action
	content string // fingerprint of what they were shown
	place   string // ID of the person in whose place they vote
	key     string // of the form: whatever is sent twice under one is one decision
	reason  reason
}

// sentenceOf reads what somebody says.
func (h *hearing) sentenceOf(r *http.Request) sentence {
	s := sentence{action: link.Action(r.PostForm.Get("action")), content: r.PostForm.Get("content"), place: r.PostForm.Get("place"), key: r.PostForm.Get("key")}
	if is := h.content(); s.content != is && s.content != h.told { // what no page has shown is what the message did
		s.content = cmp.Or(h.told, s.content)
	}
	if b := h.ballot(h.whole); h.matter != votes || b == nil || !slices.ContainsFunc(b.Electors, func(e approval.Elector) bool { return e.Person == s.place }) {
		s.place = ""
	}
	s.reason = reason{action: s.action, text: tidy(r.PostForm.Get("reason"))}
	switch {
	case s.reason.text == "" && against(s.action):
		s.reason.fault = "ballot.reason-missing"
	case !utf8.ValidString(s.reason.text) || utf8.RuneCountInString(s.reason.text) > maxWhy || len(s.reason.text) > approval.MaxReason:
		s.reason.fault = "ballot.reason-long"
	}
	return s
}

// against tells whether whoever says it has to say why.
func against(a link.Action) bool {
	return slices.Contains([]link.Action{link.Reject, link.NotReady, link.ReadyWithRisk, link.RefuseWaiver, link.RefuseOverride}, a)
}

// command is what somebody asks of the run who says it, under an id under which a vote is cast once.
func (h *hearing) command(id string, s sentence) planrun.Command {
	switch h.matter {
	case waivers:
		c := planrun.Waive{Capacity: h.in, Task: h.part, Grant: s.action == link.GrantWaiver, Note: s.reason.text}
		if t, _, ok := h.whole.Task(h.part); ok && t.Waiver != nil { // whose fingerprint was compared
			c.Asked = t.Waiver.Asked
		}
		return c
	case overrides:
		c := planrun.ConfirmOverride{Capacity: h.in, Environment: h.part, Grant: s.action == link.GrantOverride, Note: s.reason.text}
		if o := h.override(); o != nil && waits(o) {
			c.Asked = o.Asked.From
		}
		return c
	case votes:
	}
	return planrun.Vote{
		Capacity: h.in, ID: id, Task: h.part, For: s.place, Choice: approval.Choice(s.action), Reason: s.reason.text, Shown: s.content,
	}
}

// changed tells whether a waiver or an override is not the one that they were shown: of a vote, the run itself says so.
func (h *hearing) changed(s sentence) bool { return h.matter != votes && s.content != h.content() }

// askRun asks the run, and says how it stands then when it has refused.
func (c *Console) askRun(r *http.Request, h *hearing, id string, command planrun.Command) (*hearing, *standing, error) {
	err := c.cfg.PlanRuns.AskPlanRun(r.Context(), h.whole.ID, starter.Request{ID: id, By: h.by.Actor, Via: h.via}, command)
	c.cfg.Log.Info("decided on a page", "run", h.whole.ID, "matter", h.matter, "part", h.part, "actor", h.by.Actor.ID, "error", err)
	refused, no := errors.AsType[*starter.RefusedError](err)
	_, gone := errors.AsType[*starter.NotFoundError](err)
	if err != nil && !no && !gone { // it may have been done: asked again, it is the same decision
		return h, nil, err
	}
	h = c.heardAgain(r, h)
	if err == nil {
		return h, nil, nil
	}
	s := h.stands()
	s.kept = no && h.matter == votes && s.name == "ballot.decided"
	if s.name == "ballot.decide" {
		if s.name = "ballot.refused"; no {
			s.detail = c.inWords(h, command, refused.Reason)
		}
	}
	return h, &s, nil
}

// inWords is a refusal of a run as whoever was refused may read it.
func (c *Console) inWords(h *hearing, command planrun.Command, why string) string {
	if h.inside() {
		return why
	}
	return h.whole.Refusal(h.viewer(c), command, h.by.Actor, why)
}

// viewer is whoever decides, as one that sees a part of the run.
func (h *hearing) viewer(c *Console) planrun.Viewer {
	return starter.PlanViewer(c.cfg.Organisation(), h.whole, h.by, h.now)
}

// inside tells whether they see all of the run.
func (h *hearing) inside() bool { return h.by.Kind == authority.Provider }
