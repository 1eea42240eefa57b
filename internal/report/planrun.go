package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// planning is what a text on a run of a plan sees.
type planning struct {
	About    string   `text:"code"`
	Outside  bool     // whoever reads it is not of the provider
	Greeting string   // of whoever is outside
	Roles    []string // names of those for which whoever reads it is told; none: as a person

	ID          string // of the run
	Plan        string `text:"line"`
	Status      string `text:"code"`
	Customer    string
	Environment string
	Where       string // its ID in the plan
	Zone        string
	Page        string // where whoever may sign in sees the run; empty: it is not known
	Step        int    // of a runbook
	Freeze      string // its ID: of an override; empty: outside every window

	Task     string // ID; empty: it is about the run as a whole
	Name     string `text:"line"` // of the task
	Detail   string `text:"prose"`
	Kind     string `text:"code"`
	State    string `text:"code"` // of the task
	Changes  bool   // the task changes its environment
	Overrun  string `text:"code"`
	Skips    bool   // the task may be skipped by a waiver
	Waves    bool   // the task is done on one target after the other
	Targets  []string
	Then     []string `text:"line"` // tasks that wait for it
	Wanted   []wanted
	Given    []wanted // to be checked
	Choices  []string `text:"code"` // of a vote
	Approves bool     // a vote that is undecided when it is due counts as approved
	Revision []difference

	By       string
	Reason   string `text:"prose"`
	Control  string `text:"prose"` // of a waiver
	Due      time.Time
	Until    time.Time
	Outcome  string `text:"line"` // a verdict, or why there is none
	Approved bool   // the outcome is a yes
}

// wanted is evidence: what it is to show, or where it is.
type wanted struct {
	ID     string
	What   string `text:"line"`
	SHA256 string `text:"code"`
}

// difference is what a revision of a plan does to a task.
type difference struct {
	Kind string `text:"code"`
	Name string `text:"line"`
	Was  string `text:"line"`
	Is   string `text:"line"`
}

// planKey names the text for a message on a run.
func planKey(a planrun.About) string { return string(delivery.Plan) + "." + string(a) }

// loadPlanMessages reads the messages on runs of plans, which share one file for each language, and tries them.
func (l *language) loadPlanMessages(fsys fs.FS) error {
	file := "notifications/plan." + l.code + ".tmpl"
	t, err := l.parse(fsys, file)
	if err != nil {
		return err
	}
	var faults []error
	for _, a := range planrun.Abouts() {
		m := message{subject: t.Lookup("subject"), text: t.Lookup(string(a))}
		if m.subject == nil || m.text == nil {
			faults = append(faults, fmt.Errorf(`%s: want it to define "subject" and %q`, file, a))
			continue
		}
		l.messages[planKey(a)] = m
		inside := filled[planning]()
		inside.Outside = false
		for _, data := range []planning{{}, filled[planning](), inside} {
			data.About = string(a)
			if _, err := m.try(&data); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	return errors.Join(faults...)
}

// PlanRun writes one message on a run of a plan for one recipient. With an error comes a message of the bare facts that can be
// sent all the same.
func (t *Texts) PlanRun(telling planrun.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Plan, Language: l.code, Incident: string(telling.Run), Status: string(telling.Status)}
	text, known := l.messages[planKey(telling.About)]
	err := fmt.Errorf("no text %q", planKey(telling.About))
	var w written
	if known {
		w, err = text.write(l.seenPlanning(&telling, to))
	}
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s: %s", telling.Run, l.word("plan-message", string(telling.About)), cmp.Or(telling.Name, telling.Plan).In(l.code)))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", planKey(telling.About), l.code, err)
	}
	m.Subject, m.Text, m.Offer = w.subject, w.text, l.offerOnRun(&telling)
	return m, nil
}

// offerOnRun is what somebody may decide by a link who is asked for a vote, a waiver or an override; nil for all other messages.
func (l *language) offerOnRun(t *planrun.Telling) *delivery.Offer {
	label := func() string { return l.word("offer", planKey(t.About)) }
	switch t.About {
	case planrun.VoteWanted, planrun.VoteVoided, planrun.ChangeWanted, planrun.TaskDue:
		if t.Shown == "" || len(t.Choices) == 0 { // no vote is due
			return nil
		}
		return delivery.OfferOfVote(label(), t.Task, t.Shown, t.Choices, t.Due)
	case planrun.WaiverWanted:
		return delivery.OfferOfWaiver(label(), string(t.Run), t.Task, t.By.ID, t.Reason, t.Control, t.Until)
	case planrun.OverrideAsked:
		return delivery.OfferOfOverride(label(), string(t.Run), t.Where, t.Freeze, t.By.ID, t.Reason, t.Until)
	default:
		return nil
	}
}

func (l *language) seenPlanning(t *planrun.Telling, to delivery.Recipient) *planning {
	d := planning{
		About: string(t.About), Outside: outsider(t, to), ID: string(t.Run), Plan: t.Plan.In(l.code), Status: string(t.Status), Customer: t.Customer,
		Environment: t.Environment, Where: t.Where, Zone: cmp.Or(to.Zone, t.Zone), Page: t.Page, Task: t.Task, Name: t.Name.In(l.code), Detail: t.Detail.In(l.code),
		Kind: string(t.Kind), State: string(t.State), Changes: t.Changes, Overrun: string(t.Overrun), Skips: t.Skips, Waves: t.Waves, Step: t.Step, Freeze: t.Freeze, Targets: t.Targets,
		Approves: t.Silence == approval.ApproveOnExpiry, Reason: l.reason(t.Reason), Control: t.Control, Due: t.Due, Until: t.Until, Outcome: t.Outcome,
		Approved: t.Outcome == "granted" || approval.Verdict(t.Outcome).Approves(),
	}
	if t.By.Kind == timeline.Person {
		d.By = name(t.By)
	}
	for _, x := range t.For {
		if !d.Outside || x.Party != authority.Provider {
			d.Roles = append(d.Roles, x.Name.In(l.code))
		}
	}
	if d.Outside {
		d.Greeting = to.Name
		if slices.ContainsFunc(t.For, func(x planrun.Part) bool { return x.Party == authority.Customer }) {
			d.Greeting = t.Customer
		}
		d.By = "" // people of the house have no names outside
		if t.By.Kind != timeline.Person && t.About != planrun.TaskHeld {
			d.Reason = "" // what was measured is the house's own
		}
	}
	d.Then = texted(l, t.Then)
	for _, x := range t.Wanted {
		d.Wanted = append(d.Wanted, wanted{ID: x.ID, What: x.What.In(l.code)})
	}
	for _, g := range t.Given {
		d.Given = append(d.Given, wanted{g.Item, g.Ref, g.SHA256})
	}
	for _, c := range t.Choices {
		d.Choices = append(d.Choices, string(c))
	}
	for _, x := range t.Revision {
		row := difference{string(x.Kind), x.Name.In(l.code), x.Was, x.Is}
		if d.Outside {
			row.Was, row.Is = "", "" // how it is done is the house's own
		}
		if !slices.Contains(d.Revision, row) {
			d.Revision = append(d.Revision, row)
		}
	}
	return clean(&d)
}

func texted(l *language, all []plan.Text) (said []string) {
	for _, x := range all {
		said = append(said, x.In(l.code))
	}
	return said
}

// outsider tells whether whoever reads a message is not of the provider: a contact, or somebody who fills roles of others alone.
func outsider(t *planrun.Telling, to delivery.Recipient) bool {
	ours := func(x planrun.Part) bool { return x.Party == authority.Provider }
	return strings.Contains(to.ID, "/") || len(t.For) > 0 && !slices.ContainsFunc(t.For, ours)
}

// reasons are what Muster itself gives as a reason, each with the word that says it.
var reasons = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`^its waiver has expired$`), "waiver-expired"},
	{regexp.MustCompile(`^the plan has changed$`), "plan-changed"},
	{regexp.MustCompile(`^its runbook has failed$`), "runbook-failed"},
	{regexp.MustCompile(`^step (\d+): failed$`), "step-failed"},
	{regexp.MustCompile(`^step (\d+): unknown$`), "step-unknown"},
	{regexp.MustCompile(`^(\d+) targets have failed; the plan lets (\d+)$`), "targets-failed"},
	{regexp.MustCompile(`^the window has ended while (\S+) was under way$`), "window-ended"},
	{regexp.MustCompile(`^(.*, )?outside$`), "outside"},
	{regexp.MustCompile(`^it needs (\S+)$`), "needs"},
	{regexp.MustCompile(`^(RUN-\S+) is changing it$`), "changing"},
	{regexp.MustCompile(`^another run is changing it$`), "somebody-changing"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+): not among the voters$`), "no-voter"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+) has asked for it: want another person$`), "asked-for-it"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+) implements it: want another person$`), "implements-it"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+) has worked on it: want another person$`), "worked-on-it"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+) was asked to do it, not (.+)$`), "asked-to-do-it"},
	{regexp.MustCompile(`^.* RUN-\S+: (.+) may not; want (.+)$`), "wants-role"},
	{regexp.MustCompile(`^.* RUN-\S+: its environment may not be changed now$`), "held"},
	{regexp.MustCompile(`^.* RUN-\S+: no action item has come of it yet; want one \(muster action open … --of (RUN-\S+)\), or a note that says why there is none$`), "no-items"},
	{regexp.MustCompile(`^evidence ("[^"]*"): no such run; want the id of a completed run of plan (\S+) of (\S+)$`), "no-evidence-run"},
	{regexp.MustCompile(`^evidence (RUN-\S+): it is \S+; want a run that is completed$`), "not-completed"},
	{regexp.MustCompile(`^documents of (\S+) are complete in revision (\S+)$`), "documented"},
	{regexp.MustCompile(`^documents of (\S+) are not complete: (.+)$`), lacking},
	{regexp.MustCompile(`^no owner$`), "no-owner"},
	{regexp.MustCompile(`^no architecture$`), "no-architecture"},
	{regexp.MustCompile(`^no contacts$`), "no-contacts"},
	{regexp.MustCompile(`^no response to alert (.+)$`), "no-response"},
	{regexp.MustCompile(`^no response to the alerts that have none of their own$`), "no-other-response"},
	{regexp.MustCompile(`^no response to any alert$`), "no-responses"},
	{regexp.MustCompile(`^(runbook|playbook) (\S+): was to be reviewed by (\S+)$`), "review-past"},
	{regexp.MustCompile(`^(runbook|playbook) (\S+): was last updated on (\S+), more than (\d+) days ago$`), "out-of-date"},
	{regexp.MustCompile(`^and (\d+) more$`), "and-more"},
}

// lacking is the word of a reason that has others in it, with "; " between them.
const lacking = "undocumented"

// PlanReason writes a reason of a run that Muster has given in a language, and what people have written as it is.
func (t *Texts) PlanReason(why, language string) string { return t.in(language).reason(why) }

// reason writes a reason that Muster has given in the reader's language, and what people have written as it is.
func (l *language) reason(s string) string {
	if w, known := l.words["verdict."+s]; known {
		return w
	}
	for _, r := range reasons {
		if m := r.pattern.FindStringSubmatch(s); m != nil {
			args := make([]any, len(m)-1)
			for n := range args {
				args[n] = m[n+1]
			}
			if r.word == lacking {
				parts := strings.Split(m[2], "; ")
				for n := range parts {
					parts[n] = l.reason(parts[n])
				}
				args[1] = strings.Join(parts, "; ")
			}
			return fmt.Sprintf(l.word("reason", r.word), args...)
		}
	}
	return s
}

// differences writes what has changed, such as "task rehearse changed, runbook deploy gone", with its words in the reader's
// language.
func (l *language) differences(s string) string {
	all := strings.Split(s, ", ")
	for n, one := range all {
		words := strings.Fields(one)
		if last := len(words) - 1; last >= 0 {
			words[0] = l.word("difference", words[0])
			words[last] = l.word("difference", words[last])
		}
		all[n] = strings.Join(words, " ")
	}
	return strings.Join(all, ", ")
}

// planWords lists the words that runs of plans need.
func planWords(add func(axis, value string)) {
	for _, a := range planrun.Abouts() {
		add("plan-message", string(a))
	}
	for _, a := range []planrun.About{planrun.VoteWanted, planrun.VoteVoided, planrun.ChangeWanted, planrun.TaskDue, planrun.WaiverWanted, planrun.OverrideAsked} {
		add("offer", planKey(a))
	}
	for _, s := range planrun.Statuses() {
		add("run", string(s))
	}
	for _, s := range planrun.TaskStatuses() {
		add("task", string(s))
	}
	for _, c := range []approval.Choice{approval.Approve, approval.Reject, approval.Abstain, approval.Ready, approval.ReadyWithRisk, approval.NotReady} {
		add("choice", string(c))
	}
	for _, v := range []approval.Verdict{
		approval.Undecided, approval.Approved, approval.Rejected, approval.ExpiredApproved, approval.ExpiredRejected, approval.Impossible,
	} {
		add("verdict", string(v))
	}
	for _, o := range []plan.Overrun{plan.Finish, plan.Hold, plan.RollBack} {
		add("overrun", string(o))
	}
	for _, s := range []planrun.UndoState{planrun.Needed, planrun.UndoRunning, planrun.Undone, planrun.UndoFail, planrun.Forward} {
		add("undo", string(s))
	}
	for _, r := range reasons {
		add("reason", r.word)
	}
	for _, k := range []plan.ChangeKind{plan.Added, plan.Removed, plan.Moved, plan.ReOwned, plan.ReTimed, plan.Altered} {
		add("difference", string(k))
	}
	for _, k := range []approval.ChangeKind{approval.Changed, approval.Added, approval.Gone} {
		add("difference", string(k))
	}
}
