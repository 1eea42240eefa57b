package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
	"muster/starter/api"
)

const (
	planWeeks   = 4
	tasksOfWeek = 50
	rolledBack  = 2  // week in which production is changed, rolled back, and changed anew
	changed     = 4  // week in which it is changed at the first try
	firstBook   = 16 // task of a week: a runbook, …
	books       = 8  // … as are those after it
)

// largePlan is a plan of so many weeks with 50 tasks each, whose times are seconds, for three parties. Each week begins with a pause
// and ends with a decision. What runs by itself stands beside, so that one that is lost keeps nothing waiting but the end of the run.
func largePlan(weeks int) string {
	var b strings.Builder
	_, _ = b.WriteString(`id: large
kind: upgrade
name: Large
parameters:
  - {id: site, type: text, description: Where it all is}
  - {id: hosts, type: list, default: [one, two], description: Its hosts}
roles:
  - {id: owner, party: customer, name: Owner}
  - {id: integrator, party: partner, name: Integrator}
  - {id: lead, party: provider, name: Lead}
  - {id: deployer, party: provider, name: Deployer}
  - {id: tester, party: provider, name: Tester}
  - {id: manager, party: provider, name: Manager}
environments:
  - {id: staging, name: Staging}
  - {id: production, name: Production, production: true}
lead: lead
re_plan: {voters: [owner, manager], each: party, exclude: [requester]}
phases:
`)
	const three = "vote: {voters: [owner, integrator, manager], each: party, exclude: [requester]}"
	for w := 1; w <= weeks; w++ {
		_, _ = fmt.Fprintf(&b, "  - id: week-%d\n    name: Week %d\n    tasks:\n", w, w)
		id := func(k int) string { return fmt.Sprintf("w%d-%02d", w, k) }
		k := 0
		add := func(needs, rest string) {
			if !strings.Contains(rest, "accountable:") {
				rest += ", accountable: lead"
			}
			_, _ = fmt.Fprintf(&b, "      - {id: %s, name: Task %s, needs: [%s], %s}\n", id(k), id(k), needs, rest)
			k++
		}
		if w == 1 {
			add("", "kind: wait, for: 1s")
		} else {
			add(fmt.Sprintf("w%d-%02d", w-1, tasksOfWeek-1), "kind: wait, for: 1s")
		}
		gate := []string{}
		const evidence = ", evidence: [{id: log, what: The log, checked_by: manager}]"
		for _, rest := range []string{
			"accountable: deployer" + evidence,
			"accountable: integrator" + evidence,
			"accountable: tester, due: {within: 1s, after: %s}, escalate: {after: 1s, to: [owner]}",
			"accountable: owner, skip: {approver: manager}",
			"accountable: lead, responsible: [owner], consulted: [manager], informed: [integrator], due: {within: 1h, after: %s}",
		} {
			gate = append(gate, id(k))
			add(id(0), "kind: manual, "+strings.ReplaceAll(rest, "%s", id(k)))
		}
		add(id(0), "kind: notify, tell: [owner, integrator], message: It goes on")
		gate = append(gate, id(k), id(k+3), id(k+4))
		add(id(0), "kind: manual, accountable: tester, waves: {over: hosts, size: 1, bake: 1s}")
		rehearsal := id(k)
		add(id(0), "kind: manual, accountable: deployer, environment: staging, changes: true, overrun: finish, "+
			"evidence: [{id: record, what: The record, checked_by: manager}]")
		add(rehearsal, "kind: approval, accountable: manager, shows: ["+rehearsal+"], due: {within: 1h, after: "+id(k)+"}, "+three)
		change := "kind: manual, accountable: deployer, environment: staging, changes: true, overrun: finish"
		if w == rolledBack || w == changed {
			change = strings.Replace(change, "staging", "production", 1) +
				", rollback: {component: shop, runs: undo-" + id(k) + ", within: 1h, rehearsed: " + rehearsal + "}"
		}
		add(id(k-1), change)
		if w == weeks {
			add(id(k-1), "kind: report, writes: completion-report")
		} else {
			add(id(k-1), "kind: wait, for: 1s")
		}
		for k < tasksOfWeek-1 {
			aside := `kind: check, check: {http: "{site}/ok", timeout: 1s, on_fail: fail, on_unclear: ask}`
			switch {
			case k < firstBook:
			case k < firstBook+books:
				aside = "kind: runbook, accountable: deployer, runs: run-" + id(k)
			default:
				aside = fmt.Sprintf("kind: wait, for: %ds", 1+k%3)
			}
			add(id(0), aside)
		}
		add(strings.Join(gate, ", "), "kind: decision, accountable: manager, "+strings.Replace(three, "exclude", "yes: [ready], exclude", 1))
	}
	return b.String()
}

// equip lets the runbooks of the large plan reach a site, and nothing else.
func equip(t *testing.T, organisation, site string) {
	t.Helper()
	const book = "# %[1]s\n\n| Runbook ID | Description | Tools Used | Special Permissions | Runbook Author | Last Updated | Escalation POC |\n" +
		"|---|---|---|---|---|---|---|\n| %[1]s | It is done once. | none | none | Ben | 2026-11-20 | group:noc |\n\n## Steps\n\n" +
		"1. Do it.\n\n   ```http timeout=2s expect=200\n   POST %[2]s/%[1]s\n   ```\n"
	folder := filepath.Join(organisation, "runbooks")
	must(t, os.MkdirAll(folder, 0o700))
	for w := 1; w <= planWeeks; w++ {
		ids := []string{fmt.Sprintf("undo-w%d-10", w)}
		for k := firstBook; k < firstBook+books; k++ {
			ids = append(ids, fmt.Sprintf("run-w%d-%02d", w, k))
		}
		for _, id := range ids {
			must(t, os.WriteFile(filepath.Join(folder, id+".md"), fmt.Appendf(nil, book, id, site), 0o600))
		}
	}
	settings := filepath.Join(organisation, "organisation.yaml")
	text, err := os.ReadFile(settings)
	must(t, err)
	allow := fmt.Sprintf("runners: {http: {allow: [%q]}}\n", strings.TrimPrefix(site, "http://"))
	must(t, os.WriteFile(settings, append(text, allow...), 0o600))
}

// A site is what runbooks work on. It counts what is done to it.
type site struct {
	url  string
	slow time.Duration // until it answers what is done to it

	mu   sync.Mutex
	done map[string]int // by the ID of the runbook
}

func newSite(t *testing.T, slow time.Duration) *site {
	s := &site{slow: slow, done: map[string]int{}}
	s.url = listen(t, "127.0.0.1:0", s)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		_, _ = io.WriteString(w, "ok")
		return
	}
	s.mu.Lock()
	s.done[strings.TrimPrefix(r.URL.Path, "/")]++
	s.mu.Unlock()
	time.Sleep(s.slow)
}

// times says how often the step of a runbook has been done: what a person sees who looks.
func (s *site) times(book string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[book]
}

// A crew works on a run of the large plan, each with a token of their own. What they do they do under a key that says what it is, so
// that it is done once, however often it is asked for.
type crew struct {
	run  planrun.ID
	site *site
	as   map[string]*api.Client // by role
	saw  func(*planrun.Run)
}

// A deed is something that somebody does in a run.
type deed struct {
	role string
	asks api.PlanAsk
	key  string
}

func (s *system) hire(t *testing.T, site *site) *crew {
	t.Helper()
	c := &crew{site: site, as: map[string]*api.Client{}, saw: func(*planrun.Run) {}}
	for role, person := range map[string]string{"owner": "sue", "integrator": "kay", "lead": "ben", "deployer": "ann", "tester": "bob", "manager": "cat"} {
		c.as[role] = s.as(t, person)
	}
	return c
}

// begins starts the plan of so many weeks.
func (c *crew) begins(ctx context.Context, weeks int) error {
	return until(ctx, "the plan is started", func() error {
		r, err := c.as["lead"].StartPlanRun(ctx, api.NewPlanRun{
			File: "large.yaml", Content: api.PlanText(largePlan(weeks)), Customer: "globex",
			Environments: map[string]string{"staging": "staging", "production": "production"}, Parameters: map[string]string{"site": c.site.url},
		}, "start-the-large-plan")
		if err == nil {
			c.run = r.ID
		}
		return err
	})
}

// works does whatever there is to do, until the run is over.
func (c *crew) works(ctx context.Context) (r *planrun.Run, err error) {
	for {
		if err := until(ctx, "the run shows itself", func() (err error) {
			r, err = c.as["lead"].PlanRun(ctx, c.run)
			return err
		}); err != nil {
			return nil, err
		}
		c.saw(r)
		if r.Over() {
			return r, nil
		}
		deeds := c.deeds(r)
		if len(deeds) == 0 {
			select {
			case <-time.After(500 * time.Millisecond):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		faults := make([]error, len(deeds))
		var all sync.WaitGroup
		for n, d := range deeds[:min(len(deeds), 8)] {
			all.Go(func() {
				faults[n] = until(ctx, fmt.Sprintf("%T of %s is taken", d.asks, d.key), func() error {
					_, err := c.as[d.role].AskPlanRun(ctx, c.run, d.asks, d.key)
					return err
				})
			})
		}
		all.Wait()
		if err := errors.Join(faults...); err != nil {
			return nil, err
		}
	}
}

// deeds are what the crew has to do as the run stands.
func (c *crew) deeds(r *planrun.Run) (all []deed) {
	if r.Status == planrun.Halted {
		return []deed{{"lead", api.PlanContinue{Reason: "mended"}, "continue"}}
	}
	if r.Status == planrun.RollingBack {
		return c.undoes(r)
	}
	for n := range r.Tasks {
		t, def, _ := r.Task(r.Tasks[n].ID)
		do := func(role string, asks api.PlanAsk, more ...any) {
			all = append(all, deed{role, asks, fmt.Sprintf("%T-%s-%d-%s%v", asks, t.ID, t.Attempt, role, more)})
		}
		switch t.Status {
		case planrun.Ready:
			c.ready(t, def, do)
		case planrun.Begun:
			c.begun(t, def, do)
		case planrun.InCheck:
			do("manager", api.PlanCheck{Task: t.ID, OK: true})
		case planrun.Unclear:
			as := planrun.Begun
			if c.site.times(def.Runs) > 0 {
				as = planrun.Done
			}
			do("lead", api.PlanSettle{Task: t.ID, Status: as, Reason: "its worker was lost"},
				len(entriesOf(r.Timeline.Entries, timeline.TaskSettled, "task", t.ID)))
		default:
		}
	}
	if n := slices.IndexFunc(all, func(d deed) bool { _, ok := d.asks.(api.PlanRollBack); return ok }); n >= 0 {
		return all[n : n+1] // nothing else is taken until it is over
	}
	return all
}

// doing makes a deed of what somebody asks about a task; what comes after tells it from others of that kind.
type doing func(role string, asks api.PlanAsk, more ...any)

// ready is what is done about a task that may begin.
func (c *crew) ready(t *planrun.Task, def plan.Task, do doing) {
	role := def.Doers()[0]
	switch {
	case t.Waiver.Open():
		do(def.Skip.Approver, api.PlanWaive{Task: t.ID, Grant: true})
	case def.Skip != nil:
		do(role, api.PlanSkip{Task: t.ID, Reason: "not this week", Control: "a look each day"})
	case def.Changes, def.Waves != nil:
		do(role, api.PlanBegin{Task: t.ID})
	case def.Escalate != nil && !t.Escalated: // they are late
	default:
		c.completes(t, def, do)
	}
}

func (c *crew) completes(t *planrun.Task, def plan.Task, do doing) {
	done := api.PlanComplete{Task: t.ID}
	for _, e := range def.Evidence {
		done.Evidence = append(done.Evidence, api.PlanEvidence{Item: e.ID, Ref: "https://files.example/" + t.ID})
	}
	do(def.Doers()[0], done)
}

// begun is what is done about a task that has begun.
func (c *crew) begun(t *planrun.Task, def plan.Task, do doing) {
	switch {
	case def.Vote != nil && t.Ballot != nil:
		choice := approval.Approve
		if def.Kind == plan.Decision {
			choice = approval.Ready
		}
		for n, v := range def.Vote.Voters {
			if n == len(def.Vote.Voters)-1 && n > len(t.Ballot.Votes) { // whose vote decides it does not depend on chance
				break
			}
			do(v.Role, api.PlanVote{Task: t.ID, Choice: choice, Shown: api.PlanShown(t.Ballot.Shown.SHA256)})
		}
	case def.Kind != plan.Manual:
	case def.Waves != nil:
		for _, x := range t.Targets {
			if x.Wave == t.Wave && !x.Status.Ended() && t.Until.IsZero() {
				do(def.Doers()[0], api.PlanComplete{Task: t.ID, Target: x.Name}, x.Name)
			}
		}
	case def.Rollback != nil && t.Attempt == 1 && strings.HasPrefix(t.ID, fmt.Sprintf("w%d-", rolledBack)):
		do("lead", api.PlanRollBack{Environment: "production", Reason: "it is slow"})
	default:
		c.completes(t, def, do)
	}
}

// undoes settles a rollback of whose step nobody knows.
func (c *crew) undoes(r *planrun.Run) (all []deed) {
	for _, i := range r.Undoing.Items {
		if i.State != planrun.UndoFail || i.Steps == nil || i.Steps.Current() == nil || i.Steps.Current().Status != runbook.StepUnknown {
			continue
		}
		as := planrun.UndoRunning
		if c.site.times("undo-"+i.Task) > 0 {
			as = planrun.Undone
		}
		key := fmt.Sprintf("undo-%s-%d", i.Task, len(entriesOf(r.Timeline.Entries, timeline.RollbackMoved, "task", i.Task)))
		all = append(all, deed{"lead", api.PlanSettleRollback{Task: i.Task, State: as, Note: "its worker was lost"}, key})
	}
	return all
}
