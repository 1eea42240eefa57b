package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/approval"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter/api"
)

// The third act: the shop is upgraded. A freeze holds it, the first try fails and is rolled back by itself, the second one goes through.

//go:embed upgrade.yaml
var upgradePlan string

//go:embed undo-shop.md
var undoShop string

// shop is the site that is upgraded: it answers unless it is broken, and takes the release of before back.
type shop struct {
	broken atomic.Bool
	undone atomic.Int32
	worn   atomic.Bool // the disks of its servers

	mu   sync.Mutex
	done []string // to its servers
}

// work is what was done to servers, in its order.
func (s *shop) work() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.done, ", ")
}

// server answers for one server: how it is, or what is done to it.
func (s *shop) server(w http.ResponseWriter, server, what string) {
	if what == "" {
		fmt.Fprintf(w, "%s: stuck", server)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done = append(s.done, what+" "+server); what == "restart" && s.worn.Load() {
		http.Error(w, "no disk", http.StatusInternalServerError)
	}
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/undo":
		s.undone.Add(1)
		s.broken.Store(false)
	case strings.HasPrefix(r.URL.Path, "/servers/"):
		server, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/servers/"), "/")
		s.server(w, server, what)
	case s.broken.Load():
		http.Error(w, "out of order", http.StatusInternalServerError)
	}
}

// crew are who works on the upgrade, each with a token of their own.
type crew struct{ lead, deployer, manager, customer *api.Client }

// hire makes the tokens of the crew, as the administrator of the data folder.
func (s *story) hire(ctx context.Context) error {
	for _, part := range []struct {
		actor string
		who   **api.Client
	}{{"park", &s.crew.lead}, {"lee", &s.crew.deployer}, {"choi", &s.crew.manager}, {"seo", &s.crew.customer}} {
		made, err := s.admin.CreateToken(ctx, api.NewToken{Actor: part.actor, Label: "demo"})
		if err != nil {
			return err
		}
		if *part.who, err = api.NewClient(s.url, made.Secret); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) upgrade() []scene {
	frozen := func(r *planrun.Run) bool { return s.taskIs(r, "deploy", planrun.Held) }
	return []scene{
		{"the release manager starts an upgrade from a plan file", s.startsUpgrade},
		{"a second one on the same environment is refused", s.refusesSecond},
		{"the rehearsal is done, and whoever did it may not check its evidence", s.rehearses},
		{"the release manager may not approve their own upgrade", s.refusesSelf},
		{"customer and change manager approve exactly what they were shown", s.approves},
		{"the customer's freeze holds the launch", s.run(frozen)},
		{"two people open the freeze for ten minutes, and one of them alone may not", s.overrides},
		{"the shop fails after the launch, and is rolled back by itself", s.failsOnce},
		{"a second try is a new decision", s.triesAgain},
		{"an alert of what is being changed pages nobody but whoever works there", s.holdsAlert},
		{"it goes through, and the run is complete", s.goesThrough},
		{"the completion report is there as Markdown, page and PDF, in both languages", s.documents},
		{"what was refused stands in the record", s.recordsRefusals},
	}
}

func (s *story) startsUpgrade(ctx context.Context) error {
	if err := s.hire(ctx); err != nil {
		return err
	}
	r, err := s.crew.lead.StartPlanRun(ctx, s.newUpgrade(), "")
	if err == nil {
		s.upgraded = r.ID
	}
	return err
}

func (s *story) newUpgrade() api.NewPlanRun {
	return api.NewPlanRun{
		File: "upgrade.yaml", Content: api.PlanText(upgradePlan), Customer: "garam",
		Environments: map[string]string{"staging": "staging", "production": "production"},
		Parameters:   map[string]string{"release": "6.5.22", "site": s.sink.site()},
	}
}

// refused wants an error of the API that says why.
func refused(err error, want string) error {
	if err == nil {
		return errors.New("it was not refused")
	}
	if !strings.Contains(err.Error(), want) {
		return fmt.Errorf("refused, but not because of %q: %w", want, err)
	}
	return nil
}

func (s *story) refusesSecond(ctx context.Context) error {
	_, err := s.crew.lead.StartPlanRun(ctx, s.newUpgrade(), "")
	return refused(err, string(s.upgraded)+" has it since")
}

// run waits until the run is as it should be.
func (s *story) run(check func(*planrun.Run) bool) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, func() (bool, error) {
			r, err := s.crew.lead.PlanRun(ctx, s.upgraded)
			if err != nil {
				return false, err
			}
			return check(r), nil
		})
	}
}

func (s *story) taskIs(r *planrun.Run, id string, want planrun.TaskStatus) bool {
	t, _, ok := r.Task(id)
	return ok && t.Status == want
}

func (s *story) ask(ctx context.Context, who *api.Client, asked api.PlanAsk) error {
	_, err := who.AskPlanRun(ctx, s.upgraded, asked, "")
	return err
}

// reaches waits until a task stands where it must, and asks something of it then.
func (s *story) reaches(ctx context.Context, task string, want planrun.TaskStatus, who *api.Client, asked api.PlanAsk) error {
	if err := s.run(func(r *planrun.Run) bool { return s.taskIs(r, task, want) })(ctx); err != nil {
		return err
	}
	return s.ask(ctx, who, asked)
}

func (s *story) rehearses(ctx context.Context) error {
	evidence := []api.PlanEvidence{{Item: "record", Ref: "https://files.mirnet.example/rehearsal.txt", Note: "rolled back in 40 seconds"}}
	err := errors.Join(
		s.reaches(ctx, "rehearsal", planrun.Ready, s.crew.deployer, api.PlanBegin{Task: "rehearsal"}),
		s.ask(ctx, s.crew.deployer, api.PlanComplete{Task: "rehearsal", Evidence: evidence}),
	)
	if err != nil {
		return err
	}
	if err := refused(s.ask(ctx, s.crew.deployer, api.PlanCheck{Task: "rehearsal", OK: true}), "Change manager"); err != nil {
		return err
	}
	return s.ask(ctx, s.crew.manager, api.PlanCheck{Task: "rehearsal", OK: true})
}

// shown is the SHA-256 of what the voters are shown, once they may vote.
func (s *story) shown(ctx context.Context) (sum api.PlanShown, err error) {
	err = s.run(func(r *planrun.Run) bool {
		t, _, _ := r.Task("go")
		if t.Status != planrun.Begun || t.Ballot == nil {
			return false
		}
		sum = api.PlanShown(t.Ballot.Shown.SHA256)
		return true
	})(ctx)
	return sum, err
}

func (s *story) refusesSelf(ctx context.Context) error {
	sum, err := s.shown(ctx)
	if err != nil {
		return err
	}
	return refused(s.ask(ctx, s.crew.lead, api.PlanVote{Task: "go", Choice: approval.Approve, Shown: sum}), "has asked for it: want another person")
}

func (s *story) approves(ctx context.Context) error {
	sum, err := s.shown(ctx)
	if err != nil {
		return err
	}
	for _, who := range []*api.Client{s.crew.customer, s.crew.manager} {
		if err := s.ask(ctx, who, api.PlanVote{Task: "go", Choice: approval.Approve, Shown: sum}); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) overrides(ctx context.Context) error {
	asked := api.PlanOverride{
		Environment: "production", Freeze: "garam-year-end", Reason: "the hole that 6.5.22 closes is being used", Until: time.Now().Add(10 * time.Minute),
	}
	if err := s.ask(ctx, s.crew.lead, asked); err != nil {
		return err
	}
	agreed := api.PlanConfirmOverride{Environment: "production", Grant: true}
	if err := refused(s.ask(ctx, s.crew.lead, agreed), "want another person"); err != nil {
		return err
	}
	return s.ask(ctx, s.crew.manager, agreed)
}

func (s *story) failsOnce(ctx context.Context) error {
	s.sink.shop.broken.Store(true)
	err := errors.Join(
		s.reaches(ctx, "deploy", planrun.Ready, s.crew.deployer, api.PlanBegin{Task: "deploy"}),
		s.ask(ctx, s.crew.deployer, api.PlanComplete{Task: "deploy"}),
		s.run(func(r *planrun.Run) bool {
			return r.Status == planrun.Halted && s.taskIs(r, "deploy", planrun.RolledBack)
		})(ctx),
	)
	if n := s.sink.shop.undone.Load(); err == nil && n != 1 {
		err = fmt.Errorf("the release of before was put back %d times, want once", n)
	}
	return err
}

func (s *story) triesAgain(ctx context.Context) error {
	if err := s.ask(ctx, s.crew.lead, api.PlanContinue{Reason: "a setting was missing; it is there now"}); err != nil {
		return err
	}
	return s.approves(ctx)
}

func (s *story) holdsAlert(ctx context.Context) error {
	if err := s.reaches(ctx, "deploy", planrun.Ready, s.crew.deployer, api.PlanBegin{Task: "deploy"}); err != nil {
		return err
	}
	holding := func(r *planrun.Run) bool { return len(r.Silences) == 1 && !r.Silences[0].Begun.IsZero() }
	told := func(r *planrun.Run) bool {
		return slices.ContainsFunc(r.Timeline.Entries, func(e timeline.Entry) bool { return e.Kind == timeline.AlertHeld })
	}
	s.began = time.Now().UTC().Format(time.RFC3339Nano)
	before, err := s.admin.List(ctx, api.Filter{Limit: 100})
	if err == nil {
		err = errors.Join(s.run(holding)(ctx), s.post(ctx, "firing.json"), s.run(told)(ctx), s.post(ctx, "resolved.json"))
	}
	if err != nil {
		return err
	}
	after, err := s.admin.List(ctx, api.Filter{Limit: 100})
	if err == nil && len(after.Incidents) != len(before.Incidents) {
		err = fmt.Errorf("%d incidents, and %d before the alert: it was not held back", len(after.Incidents), len(before.Incidents))
	}
	return err
}

func (s *story) goesThrough(ctx context.Context) error {
	kept := func(r *planrun.Run) bool {
		return len(r.Alerts) > 0 && r.Alerts[0].Resolved && r.Alerts[0].Task == "deploy"
	}
	return errors.Join(
		s.ask(ctx, s.crew.deployer, api.PlanComplete{Task: "deploy"}),
		s.run(kept)(ctx),
		s.run(func(r *planrun.Run) bool { return r.Status == planrun.Completed })(ctx),
	)
}

func (s *story) documents(ctx context.Context) error {
	r, err := s.crew.lead.PlanRun(ctx, s.upgraded)
	if err != nil {
		return err
	}
	t, _, _ := r.Task("completion")
	for _, ending := range []string{".ko.md", ".ko.html", ".ko.pdf", ".en.md", ".en.html", ".en.pdf"} {
		found := false
		for _, g := range t.Evidence {
			found = found || strings.HasSuffix(g.Ref, ending) && len(g.SHA256) == 64
		}
		if !found {
			return fmt.Errorf("no report %s among %+v", ending, t.Evidence)
		}
	}
	return nil
}

func (s *story) recordsRefusals(ctx context.Context) error {
	r, err := s.crew.lead.PlanRun(ctx, s.upgraded)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range r.Timeline.Entries {
		if e.Kind == timeline.ActionRefused {
			n++
		}
	}
	if n < 2 {
		return fmt.Errorf("%d refusals stand in the timeline, want the vote and the override", n)
	}
	return nil
}
