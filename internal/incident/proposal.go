package incident

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// An ApprovalRule says that what people write to those outside waits for another person.
type ApprovalRule struct {
	Within time.Duration `json:"within"` // when nobody has decided for so long, the incident manager is told, and then the last resort
}

// A Proposal is a text to those outside that waits for somebody other than its author. It is never sent by itself.
type Proposal struct {
	Update SendUpdate     `json:"update"`
	SHA256 string         `json:"sha256"`         // of all that readers would see of it, and of who they are
	Over   bool           `json:"over,omitempty"` // it would be the all-clear
	By     timeline.Actor `json:"by"`
	At     time.Time      `json:"at"`
	Due    time.Time      `json:"due,omitzero"`   // when somebody more is told; zero: everybody has been
	Told   int            `json:"told,omitempty"` // how often that was
}

// ApproveUpdate sends a text that waits, under its author's name.
type ApproveUpdate struct {
	SHA256 string `json:"sha256"`
}

// RejectUpdate takes it back. Its author may, too.
type RejectUpdate struct {
	SHA256 string `json:"sha256"`
	Reason string `json:"reason"`
}

// digest is the SHA-256 of a text with all that makes it another one: who reads it, too.
func (i *Incident) digest(c SendUpdate) string {
	var d Digest
	var readers []string
	for _, x := range i.Definition.Customers {
		if c.Customer == "" || c.Customer == x.ID {
			readers = append(readers, x.ID)
		}
	}
	slices.Sort(readers)
	d.Say("customers", readers...)
	if c.Public && i.Definition.Communication != nil {
		for _, p := range i.Definition.Communication.Pages {
			d.Say("page", p.ID)
		}
	}
	d.Say("status", string(c.Status))
	if !c.Expected.IsZero() {
		d.Say("expected", c.Expected.UTC().Format(time.RFC3339))
	}
	d.Say("workaround", c.Workaround)
	d.Say("text", c.Text)
	return d.Sum()
}

// waits tells whether what people write has to be approved.
func (i *Incident) waits() bool {
	return i.Definition.Communication != nil && i.Definition.Communication.Approval != nil
}

// settles tells what the definition says of texts that are not sent, and of the ends of status pages. It may have been repinned away.
func (i *Incident) settles() bool {
	return i.Definition.Communication != nil && i.Definition.Communication.Settles
}

// propose lets a text wait, with the status that it says and the pages on which it is as they are now. The one before is overtaken:
// readers would hear old news.
func (i *Incident) propose(c SendUpdate, by timeline.Actor, now time.Time) {
	i.overtake("newer", now)
	c.Status, c.Public = cmp.Or(c.Status, i.SaysNow()), c.Public || i.Posted != nil && c.Customer == ""
	p := &Proposal{
		Update: c, SHA256: i.digest(c), Over: !i.Status.Open(), By: by, At: now, Due: now.Add(i.Definition.Communication.Approval.Within),
	}
	i.Proposed = p
	i.record(now, timeline.UpdateProposed, by, timeline.F("sha256", p.SHA256), timeline.F("customer", i.customerName(c.Customer)),
		timeline.F("status", string(c.Status)), timeline.F("text", c.Text), timeline.F("workaround", c.Workaround), at("due", p.Due))
	i.askApproval(CommunicationsManager, i.othersFor(CommunicationsManager), now)
}

// overtake ends the waiting of a text that makes no sense any more.
func (i *Incident) overtake(cause string, now time.Time) {
	if p := i.Proposed; p != nil {
		i.Proposed = nil
		i.record(now, timeline.UpdateOvertaken, timeline.Muster(), timeline.F("sha256", p.SHA256), timeline.F("author", p.By.Shown()), timeline.F("cause", cause))
		if cause != "newer" {
			i.tellAuthor(p, nil, "", now)
		}
	}
}

// tellAuthor tells whoever has written a text that it is not sent: who has rejected it and why, or nobody when it no longer fits.
func (i *Incident) tellAuthor(p *Proposal, rejected *timeline.Actor, reason string, now time.Time) {
	if i.settles() && p.By.Kind == timeline.Person && (rejected == nil || rejected.ID != p.By.ID) {
		author := escalation.Target{Kind: escalation.Person, ID: p.By.ID}
		i.begin(Send{
			Work: Remind, About: AboutUnsent, Targets: []escalation.Target{author}, Customer: p.Update.Customer, Text: reason, Author: rejected, Content: p.SHA256,
		}, now)
	}
}

// askApproval asks somebody to decide on the text that waits.
func (i *Incident) askApproval(role Role, targets []escalation.Target, now time.Time) {
	p := i.Proposed
	i.begin(Send{
		Work: Remind, About: AboutApproval, Role: role, Targets: targets, Customer: p.Update.Customer, Text: p.Update.Text, Author: &p.By, Content: p.SHA256,
		Due: p.Due,
	}, now)
}

// othersFor returns whom to ask for a role who is not the author: its holder, else whoever leads, else the last resort.
func (i *Incident) othersFor(role Role) []escalation.Target {
	author := i.Proposed.By.ID
	for _, r := range []Role{role, IncidentManager} {
		var others []escalation.Target
		for _, t := range i.standsFor(r) {
			if t.Kind != escalation.Person || t.ID != author {
				others = append(others, t)
			}
		}
		if len(others) > 0 {
			return others
		}
	}
	return i.Definition.Policy.LastResort
}

// settleProposal tells somebody more when nobody decides, and takes back what no longer fits: a text of an open incident is no
// all-clear.
func (i *Incident) settleProposal(now time.Time) {
	p := i.Proposed
	switch {
	case p == nil:
	case p.Over == i.Status.Open() || i.Status == Closed:
		i.overtake(string(i.Status), now)
	case i.digest(p.Update) != p.SHA256: // it would reach others than its author and whoever approves it think
		i.overtake("other-readers", now)
	case !p.Due.IsZero() && !now.Before(p.Due):
		if p.Told++; p.Told > 1 {
			p.Due = time.Time{}
		} else {
			p.Due = now.Add(i.within())
		}
		targets := i.approvers()
		i.record(now, timeline.UpdateUnapproved, timeline.Muster(), timeline.F("sha256", p.SHA256), timeline.F("targets", escalation.Shown(targets)))
		i.askApproval(IncidentManager, targets, now)
	}
}

// within is how long a text waits until somebody more is told. The rule may have been repinned away meanwhile.
func (i *Incident) within() time.Duration {
	const usual = 15 * time.Minute
	if i.waits() {
		return i.Definition.Communication.Approval.Within
	}
	return usual
}

// proposalDue is when settleProposal has something to do, zero when it depends on people.
func (i *Incident) proposalDue() time.Time {
	if i.Proposed == nil {
		return time.Time{}
	}
	return i.Proposed.Due
}

// Check refuses where no text waits, and one that cannot be sent any more.
func (c ApproveUpdate) Check(i *Incident) error {
	if err := i.wantProposed("approve update of", c.SHA256); err != nil {
		return err
	}
	return i.Proposed.Update.Check(i)
}

// CheckAt refuses what has become untrue while it waited.
func (c ApproveUpdate) CheckAt(i *Incident, now time.Time) error {
	return i.Proposed.Update.CheckAt(i, now)
}

// Deny refuses whoever may not approve: the author, a machine, and whoever has read another text.
func (c ApproveUpdate) Deny(i *Incident, by timeline.Actor) error {
	const action = "approve update of"
	switch p := i.Proposed; {
	case by.Kind != timeline.Person:
		return &denial{i.refuse(action, "want a person"), "machine"}
	case by.ID == p.By.ID:
		return &denial{i.refuse(action, "%s has written it: want another person", by.Shown()), "author"}
	case c.SHA256 != p.SHA256:
		return i.otherText(action, c.SHA256)
	}
	return nil
}

// A denial is a refusal with the word for it that the timeline has.
type denial struct {
	error

	why string
}

// Unwrap returns the refusal.
func (d *denial) Unwrap() error { return d.error }

// otherText refuses the SHA-256 of a text that is not the one that waits. A part of the right one will not do: it could be made to
// fit another text.
func (i *Incident) otherText(action, sha string) error {
	waits := i.Proposed.SHA256
	switch {
	case !i.settles() || i.proposed(sha):
		return &denial{i.refuse(action, "sha256 %s: it has changed to %s; read it again", clipped(sha), waits), "changed"}
	case strings.HasPrefix(waits, strings.TrimRight(sha, ".…")):
		return &denial{i.refuse(action, "sha256 %s: want all of it: %s", clipped(sha), waits), "part"}
	}
	return &denial{i.refuse(action, "sha256 %s: no text has it; that of the text that waits is %s", clipped(sha), waits), "unknown"}
}

// proposed tells whether a text has waited, as far as the timeline reaches.
func (i *Incident) proposed(sha string) bool {
	return slices.ContainsFunc(i.Timeline.Entries, func(e timeline.Entry) bool {
		return e.Kind == timeline.UpdateProposed && e.Fact("sha256") == sha
	})
}

// Apply sends it.
func (c ApproveUpdate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	p := i.Proposed
	i.Proposed = nil
	i.record(now, timeline.UpdateApproved, by, timeline.F("sha256", p.SHA256), timeline.F("author", p.By.Shown()))
	p.Update.send(i, p.By, now)
}

// Check refuses where no text waits.
func (c RejectUpdate) Check(i *Incident) error {
	return firstOf(i.wantProposed("reject update of", c.SHA256), i.wantText("reject update of", "reason", c.Reason, true))
}

// Deny refuses whoever has read another text.
func (c RejectUpdate) Deny(i *Incident, _ timeline.Actor) error {
	if c.SHA256 != i.Proposed.SHA256 {
		return i.otherText("reject update of", c.SHA256)
	}
	return nil
}

// Apply takes it back.
func (c RejectUpdate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	p := i.Proposed
	i.Proposed = nil
	i.record(now, timeline.UpdateRejected, by, timeline.F("sha256", p.SHA256), timeline.F("author", p.By.Shown()), timeline.F("reason", c.Reason))
	i.tellAuthor(p, &by, c.Reason, now)
}

// Approvers are who was asked last to decide on the text that waits; none when no text waits.
func (i *Incident) Approvers() []escalation.Target { return i.resolved(i.approvers()) }

func (i *Incident) approvers() []escalation.Target {
	switch p := i.Proposed; {
	case p == nil:
		return nil
	case p.Told == 0:
		return i.othersFor(CommunicationsManager)
	case p.Told == 1:
		return i.othersFor(IncidentManager)
	default:
		return i.Definition.Policy.LastResort
	}
}

func (i *Incident) wantProposed(action, sha string) error {
	switch {
	case i.Proposed == nil:
		return i.refuse(action, "no text waits for an approval")
	case i.Proposed.Over == i.Status.Open():
		return i.refuse(action, "is %s%s; the text was written before", i.Status, i.sinceWhen())
	case sha == "":
		return i.refuse(action, "sha256: missing; want that of the text that waits: %s", i.Proposed.SHA256)
	}
	return nil
}

// deny says in the timeline who has tried what they may not.
func (i *Incident) deny(c Command, by timeline.Actor, now time.Time) error {
	d, ok := c.(interface {
		Deny(i *Incident, by timeline.Actor) error
	})
	if !ok {
		return nil
	}
	err := d.Deny(i, by)
	if err == nil {
		return nil
	}
	fact := timeline.F("detail", err.Error())
	if why, ok := errors.AsType[*denial](err); ok && i.settles() { // in words of the reader's language
		fact = timeline.F("why", why.why)
	}
	kind := timeline.UpdateRefused
	if own, ok := c.(interface{ Denied() timeline.Kind }); ok {
		kind = own.Denied()
	}
	i.Timeline.Repeat(now, kind, by, fact)
	return err
}
