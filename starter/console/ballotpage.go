package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/link"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A deciding is the data of the page on which somebody decides in a run of a plan.
type deciding struct {
	Person string // whose link it is; empty: they are signed in
	Run    runFacts
	Matter matter
	Change bool   // the vote is on a change of the plan
	Name   string // of the task, or of the environment
	Detail string

	Asked, Why, Control, AskedUntil string // who asks for it, why, what is done instead, and until when
	Freeze                          string // ID, in which an environment would be changed; empty: outside every window

	Due      string
	Late     bool     // that is past
	Approves bool     // silence is a yes
	Values   []naming // of parameters
	Tasks    []judged
	Diff     []difference
	Lines    []sum
	Sum      string // of all of them
	Short    string // its beginning
	Changes  []difference

	Counted             bool // the votes are no secret before whoever reads it
	Yes, No, Abstained  int
	Waiting             []string
	Verdict             string // what has come of it
	Mine, MineAt        string // what they have said so far
	Void                bool   // what they have said counts no more
	By, At, Outcome     string // who has done what the page says, when, and what
	Human               bool   // By names a person
	Kept                bool   // what they have said stands in the record, and does not count
	Refusal             string // in the words of the run
	Cause               string // names the words for why not
	Choices             []choice
	Places              []choice
	Content, Key        string
	Reason, Fault, Back string
	MaxReason           int
}

// runFacts are what a page says of a run wherever it is about a part of it.
type runFacts struct{ ID, Plan, Customer, Environment, Status, StatusCode string }

// A naming is a name and what it stands for.
type naming struct{ Name, Value string }

// A sum is a part of what is voted on, by the SHA-256 of its content.
type sum struct{ Name, SHA256 string }

// A difference is what has become of something.
type difference struct{ Name, Kind, Was, Is string }

// A judged task is one that voters are shown.
type judged struct {
	Name, Status, StatusCode, Since string
	Evidence                        []shownEvidence
}

// shownEvidence is a piece of evidence as a page shows it.
type shownEvidence struct {
	What, Ref, URL, Note, SHA256, By, At string
	Checked                              string // by whom
	Returned                             bool
}

// teller writes what a run has in the language and zone of whoever reads a page.
type teller struct {
	*Console

	h              *hearing
	language, zone string
}

func (c *Console) teller(h *hearing, language string) teller {
	to, _ := recipient(c.cfg.Organisation(), h.by.Actor.ID)
	return teller{c, h, language, cmp.Or(to.Zone, h.whole.Zone)} // as in the message
}

func (t teller) at(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return t.cfg.Texts.Moment(at, t.language, t.zone)
}

func (t teller) word(axis, code string) string {
	if code == "" {
		return ""
	}
	return t.cfg.Texts.Word(axis, code, t.language)
}

// who is the name of an actor before whoever reads the page, and whether it is a person's.
func (t teller) who(a timeline.Actor) (name string, human bool) {
	viewer := t.h.viewer(t.Console)
	switch {
	case a.ID == "":
		return "", false
	case a == timeline.Muster():
		return "Muster", false
	case t.h.inside() || viewer.Own(a):
		return a.Shown(), a.Kind == timeline.Person
	}
	return t.h.whole.Organisation, false
}

// named is who with the word for people.
func (t teller) named(a timeline.Actor) string {
	name, human := t.who(a)
	if !human {
		return name
	}
	said, err := t.pages[t.language].say("person", name)
	if err != nil {
		return name
	}
	return said
}

func (t teller) run() runFacts {
	r := t.h.run
	return runFacts{
		ID: string(r.ID), Plan: r.Plan.Name.In(t.language), Customer: r.CustomerName, Environment: r.Target().Name,
		Status: t.word("run", string(r.Status)), StatusCode: string(r.Status),
	}
}

func (t teller) evidence(def plan.Task, all []planrun.Given) (shown []shownEvidence) {
	for _, g := range all {
		what := g.Item
		if n := slices.IndexFunc(def.Evidence, func(e plan.Evidence) bool { return e.ID == g.Item }); n >= 0 {
			what = def.Evidence[n].What.In(t.language)
		}
		x := shownEvidence{
			What: what, Ref: g.Ref, Note: g.Note, SHA256: g.SHA256, By: t.named(g.By), At: t.at(g.At), Checked: t.named(g.Checker),
			Returned: !g.Returned.IsZero(),
		}
		if strings.HasPrefix(g.Ref, "https://") || strings.HasPrefix(g.Ref, "http://") {
			x.URL = g.Ref
		}
		shown = append(shown, x)
	}
	return shown
}

// showBallot shows what is decided, how it stands, and what can be said.
func (c *Console) showBallot(w http.ResponseWriter, r *http.Request, status int, h *hearing, s standing, said sentence) {
	person := h.by.Actor.ID
	name, cause := s.name, ""
	if rest, ok := strings.CutPrefix(name, "ballot.refused."); ok {
		name, cause = "ballot.refused", "ballot.cause."+rest
	}
	p := c.page(r, "ballot", name, person)
	t := c.teller(h, p.Language)
	d := deciding{
		Run: t.run(), Matter: h.matter, Change: h.matter == votes && h.part == "", At: t.at(s.at), Kept: s.kept, Refusal: s.detail, Cause: cause, Content: h.content(),
		Reason: said.reason.text, Fault: said.reason.fault, MaxReason: maxWhy,
	}
	if h.link != nil {
		d.Person = h.by.Actor.Shown()
	} else {
		p.Me, d.Key, d.Back = h.by.Actor.Shown(), key(said.key), runPath(h.whole.ID)
	}
	d.By, d.Human = t.who(s.by)
	d.Outcome = t.said(s.outcome)
	for _, a := range s.actions {
		name := t.said(string(a))
		if h.matter != votes {
			name = t.say("say." + string(a))
		}
		d.Choices = append(d.Choices, choice{string(a), name, a == said.action})
	}
	if len(s.places) > 1 {
		for _, e := range s.places {
			d.Places = append(d.Places, choice{e.Person, cmp.Or(e.Name, e.Person), e.Person == said.place})
		}
	}
	for _, x := range s.changes {
		d.Changes = append(d.Changes, difference{Name: t.line(x.Name), Kind: t.word("difference", string(x.Kind))})
	}
	t.matter(&d)
	p.Data = d
	c.show(w, r, status, p)
}

// said is the word for what somebody says, or for what has come of it.
func (t teller) said(code string) string {
	switch link.Action(code) {
	case "":
		return ""
	case link.GrantWaiver, link.GrantOverride:
		code = "granted"
	case link.RefuseWaiver, link.RefuseOverride:
		code = "refused"
	case link.Approve, link.Reject, link.Abstain, link.Ready, link.ReadyWithRisk, link.NotReady:
		return t.word("choice", code)
	default:
	}
	return t.word("verdict", code)
}

// line names a part of what is voted on.
func (t teller) line(name string) string {
	kind, rest, _ := strings.Cut(name, " ")
	id, item, _ := strings.Cut(rest, "/")
	if _, def, ok := t.h.run.Task(id); ok {
		id = def.Name.In(t.language)
		item, _, _ = strings.Cut(item, " ")
		if n := slices.IndexFunc(def.Evidence, func(e plan.Evidence) bool { return e.ID == item }); n >= 0 {
			item = def.Evidence[n].What.In(t.language)
		}
	}
	words := "line." + kind
	if name == "plan so far" {
		words = "line.before"
	}
	said, err := t.pages[t.language].say(words, naming{id, item})
	if err != nil {
		return name
	}
	return said
}

// matter fills in what is decided and how it stands.
func (t teller) matter(d *deciding) {
	r, part := t.h.run, t.h.part
	task, def, ok := r.Task(part)
	if ok {
		d.Name, d.Detail = def.Name.In(t.language), def.Detail.In(t.language)
		if n := slices.IndexFunc(r.Environments, func(b planrun.Bound) bool { return b.ID == def.Environment }); n >= 0 {
			d.Run.Environment = r.Environments[n].Name
		}
	}
	switch t.h.matter {
	case waivers:
		if ok && task.Waiver != nil {
			w := task.Waiver
			d.Asked, d.Why, d.Control, d.AskedUntil = t.named(w.By), w.Reason, w.Control, t.at(w.Until)
		}
	case overrides:
		for _, b := range r.Environments {
			if b.ID == part {
				d.Name, d.Run.Environment = b.Name, b.Name
			}
		}
		if o := t.h.override(); o != nil {
			n := slices.IndexFunc(t.h.whole.Override, func(x planrun.Override) bool { return x == *o })
			seen := r.Override[n]
			d.Asked, d.Why, d.AskedUntil, d.Freeze = t.named(seen.Asked.By), seen.Asked.Reason, t.at(seen.Asked.Until), seen.Asked.Freeze
		}
	case votes:
		t.voting(d, task, def)
	}
}

// voting fills in what is voted on.
func (t teller) voting(d *deciding, task *planrun.Task, def plan.Task) {
	r := t.h.run
	b := t.h.ballot(r)
	if b == nil {
		return
	}
	values := r.Parameters
	if task == nil {
		values = r.Change.Next.Parameters
		d.Asked, d.Why = t.named(r.Change.By), r.Change.Reason
		for _, x := range r.Change.Diff {
			d.Diff = append(d.Diff, difference{x.Name.In(t.language), t.word("difference", string(x.Kind)), x.Was, x.Is})
		}
	}
	for _, v := range values {
		d.Values = append(d.Values, naming{v.ID, cmp.Or(v.Value, strings.Join(v.List, ", "))})
	}
	for _, id := range def.Shows {
		x, what, ok := r.Task(id)
		if !ok {
			continue
		}
		d.Tasks = append(d.Tasks, judged{
			what.Name.In(t.language), t.word("task", string(x.Status)), string(x.Status), t.at(x.Since), t.evidence(what, x.Evidence),
		})
	}
	for _, l := range b.Shown.Lines {
		d.Lines = append(d.Lines, sum{t.line(l.Name), l.SHA256})
	}
	d.Sum, d.Short = b.Shown.SHA256, b.Shown.SHA256[:min(12, len(b.Shown.SHA256))]
	d.Due, d.Late, d.Approves = t.at(b.Due), !b.Due.IsZero() && !t.h.now.Before(b.Due), b.Rule.OnExpiry == approval.ApproveOnExpiry
	d.Verdict = t.word("verdict", string(b.Outcome.Verdict))
	if d.Counted = !r.Partial; d.Counted { // who of others has voted, and how, is theirs
		s := b.Standing(t.h.now)
		d.Yes, d.No, d.Abstained = s.Yes, s.No, s.Abstained
		for _, x := range s.Waiting {
			d.Waiting = append(d.Waiting, cmp.Or(x.Name, x.Person))
		}
	}
	for _, v := range b.Votes {
		if v.By == t.h.by.Actor.ID && v.Fate == approval.Counted {
			d.Mine, d.MineAt = t.said(string(v.Choice)), t.at(v.At)
		}
	}
	d.Void = t.h.used != nil && d.Mine == "" && !b.Outcome.Verdict.Final()
}
