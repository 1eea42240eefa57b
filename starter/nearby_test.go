package starter_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// A street has incidents, changes and runs of plans side by side.
type street struct {
	temporal

	rows    map[string][]*workflowpb.WorkflowExecutionInfo // by the type of their workflows
	states  map[string]any                                 // by workflow id; others are past their retention
	slow    chan struct{}                                  // answers come when it is closed; nil: at once
	listing sync.Mutex
	listed  chan struct{} // lists come when it is closed; nil: at once
	asked   atomic.Int32  // that have waited for it
	waits   chan struct{} // closed when the first of them does
}

func (s *street) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if s.listed != nil {
		<-s.listed
	}
	s.listing.Lock()
	defer s.listing.Unlock()
	s.lists = append(s.lists, r)
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for typ, rows := range s.rows {
		if strings.Contains(r.GetQuery(), "'"+typ+"'") {
			out.Executions = append(out.Executions, rows...)
		}
	}
	return out, nil
}

// slowly waits where answers are slow.
func (s *street) slowly(ctx context.Context) error {
	if s.slow == nil {
		return nil
	}
	if s.asked.Add(1) == 1 {
		close(s.waits)
	}
	select {
	case <-s.slow:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *street) QueryWorkflow(ctx context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	if err := s.slowly(ctx); err != nil {
		return nil, err
	}
	state, known := s.states[id]
	if !known {
		return nil, serviceerror.NewNotFound("no such run")
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(state)
	return client.NewValue(p), err
}

// add lists what this installation has started, under a workflow id.
func add[T any](t *testing.T, s *street, typ, workflowID, id, status, service string, began int, body T) {
	t.Helper()
	m, err := signature.New(park(), body)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := s.keys.Sign(signature.Statement{Workflow: workflowID, Message: typ, Digest: m.Digest(), By: park()}, "test")
	if err != nil {
		t.Fatal(err)
	}
	m.Seal = &seal
	e := execution(workflowID, began, map[string]any{
		workflows.IDAttribute.GetName(): id, workflows.StatusAttribute.GetName(): status, workflows.ServiceAttribute.GetName(): service,
	}, map[string]any{"title": "Title of " + id})
	e.Execution = &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: workflowID}
	start := started(m)
	start.GetWorkflowExecutionStartedEventAttributes().WorkflowType = &commonpb.WorkflowType{Name: typ}
	s.starts[workflowID] = start
	s.rows[typ] = append(s.rows[typ], e)
}

func (s *street) incident(t *testing.T, id, service string, status incident.Status, began int) {
	t.Helper()
	add(t, s, workflows.IncidentWorkflow, "incident/"+id, id, string(status), service, began, workflows.IncidentInput{ID: incident.ID(id)})
}

func (s *street) change(t *testing.T, id string, began, ended time.Time, services ...string) {
	t.Helper()
	c := change.Change{Terms: change.Terms{ID: change.ID(id)}, Status: change.Done, Began: began, Ended: ended}
	c.Title, c.Services = "Title of "+id, services
	add(t, s, workflows.ChangeWorkflow, "change/"+id, id, string(c.Status), services[0], 1, c.Terms)
	s.states["change/"+id] = c
}

// run has changed the place of a service, for a change when one is named.
func (s *street) run(t *testing.T, id, service, of string, began time.Time) {
	t.Helper()
	terms := planrun.Terms{ID: planrun.ID(id), Environments: []planrun.Bound{{ID: "production", Name: "Production", Services: []string{service, "elsewhere"}}}}
	terms.Plan = plan.Definition{Kind: plan.Upgrade, Phases: []plan.Phase{{ID: "p", Tasks: []plan.Task{{ID: "deploy", Changes: true, Environment: "production"}}}}}
	if of != "" {
		terms.ForChange = &planrun.ForChange{ID: of}
	}
	r := planrun.Run{Terms: terms, Status: planrun.Running, Tasks: []planrun.Task{{ID: "deploy", Status: planrun.Begun}}}
	r.Timeline.Add(began, timeline.TaskMoved, park(), timeline.F("task", "deploy"), timeline.F("to", string(planrun.Begun)))
	add(t, s, workflows.UpgradeWorkflow, "upgrade/"+id, id, string(r.Status), "", 1, terms)
	s.states["upgrade/"+id] = r
}

func newStreet(t *testing.T) (*street, *starter.Incidents) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := &street{
		temporal: temporal{keys: keys, starts: map[string]*historypb.HistoryEvent{}},
		rows:     map[string][]*workflowpb.WorkflowExecutionInfo{}, states: map[string]any{},
	}
	i := &starter.Incidents{Temporal: s, Namespace: namespace, Keys: keys}
	return s, i
}

func TestWhatGoesOnBesideAnIncident(t *testing.T) {
	s, i := newStreet(t)
	now := time.Now().UTC()
	s.incident(t, "INC-SELF", "shop", incident.Triggered, 9)
	s.incident(t, "INC-BASE", "platform", incident.Acknowledged, 3)
	s.incident(t, "INC-NEXT", "till", incident.Triggered, 4)
	s.incident(t, "INC-OVER", "shop", incident.Resolved, 5)
	s.change(t, "CHG-7K3M9QX2PA", now.Add(-3*time.Hour), now.Add(-2*time.Hour), "elsewhere", "till", "shop")
	s.change(t, "CHG-7K3M9QX2PB", now.Add(-time.Hour), time.Time{}, "platform")
	s.change(t, "CHG-7K3M9QX2PC", now.Add(-50*time.Hour), now.Add(-25*time.Hour), "shop") // too long ago
	s.change(t, "CHG-7K3M9QX2PD", now.Add(time.Hour), time.Time{}, "shop")                // after it
	s.change(t, "CHG-7K3M9QX2PE", now.Add(-time.Hour), time.Time{}, "elsewhere")
	s.change(t, "CHG-7K3M9QX2PF", time.Time{}, now, "shop") // never begun
	s.change(t, "CHG-7K3M9QX2PG", now, time.Time{}, "shop")
	delete(s.states, "change/CHG-7K3M9QX2PG") // gone since the list was made
	s.run(t, "RUN-7K3M9QX2PA", "platform", "", now.Add(-2*time.Hour))
	s.run(t, "RUN-7K3M9QX2PB", "platform", "CHG-7K3M9QX2PB", now.Add(-time.Hour)) // the change says it

	own := incident.Service{ID: "shop", Name: "Shop"}
	around := incident.Around{Needs: []incident.Service{{ID: "platform", Name: "Platform"}}, NeededBy: []incident.Service{{ID: "till", Name: "Till"}}}
	want := []incident.Nearby{
		{Kind: incident.NearbyIncident, ID: "INC-NEXT", Title: "Title of INC-NEXT", Service: "Till", Standing: incident.NeededBy, Status: "triggered", Since: minute(4)},
		{Kind: incident.NearbyIncident, ID: "INC-BASE", Title: "Title of INC-BASE", Service: "Platform", Standing: incident.Needed, Status: "acknowledged", Since: minute(3)},
		{Kind: incident.NearbyChange, ID: "CHG-7K3M9QX2PB", Title: "Title of CHG-7K3M9QX2PB", Service: "Platform", Standing: incident.Needed, Status: "done", Since: now.Add(-time.Hour)},
		{
			Kind: incident.NearbyChange, ID: "CHG-7K3M9QX2PA", Title: "Title of CHG-7K3M9QX2PA", Service: "Shop", Standing: incident.Same, Status: "done",
			Since: now.Add(-3 * time.Hour), Until: now.Add(-2 * time.Hour),
		},
		{Kind: incident.NearbyRun, ID: "RUN-7K3M9QX2PA", Title: "Title of RUN-7K3M9QX2PA", Service: "Platform", Standing: incident.Needed, Status: "running", Since: now.Add(-2 * time.Hour)},
	}
	for range 2 {
		got, err := i.Nearby(t.Context(), own, around, "INC-SELF", now)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	if len(s.lists) != 4 { // incidents twice, changes and runs once: a storm asks for these no more often
		t.Errorf("asked for %d lists", len(s.lists))
	}
	query := s.lists[0].GetQuery()
	if !strings.Contains(query, "MusterService IN ('shop', 'platform', 'till')") || !strings.Contains(query, "ExecutionStatus = 'Running'") {
		t.Errorf("asked %s", query)
	}
	for n := range 7 { // one more than anybody reads of
		s.incident(t, "INC-MORE"+string(rune('A'+n)), "shop", incident.Triggered, 10+n)
	}
	got, err := i.Nearby(t.Context(), own, around, "INC-SELF", now)
	if err != nil || len(got) != incident.MostNearby+3 || got[0].ID != "INC-MOREG" {
		t.Errorf("got %d: %+v, %v", len(got), got, err)
	}
}

// Where the engine is slow an incident does not wait for long, and those that ask meanwhile ask no more than the first: what is found in the end
// is there for the next.
func TestASlowLookAtWhatGoesOn(t *testing.T) {
	s, i := newStreet(t)
	now := time.Now().UTC()
	s.slow, s.waits = make(chan struct{}), make(chan struct{})
	s.change(t, "CHG-7K3M9QX2PA", now.Add(-time.Hour), time.Time{}, "shop")
	impatient, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := i.Nearby(impatient, incident.Service{ID: "shop"}, incident.Around{}, "", now); err == nil {
				t.Error("it was found before anybody has answered")
			}
		})
	}
	<-s.waits
	cancel()
	all.Wait()
	close(s.slow)
	got, err := i.Nearby(t.Context(), incident.Service{ID: "shop", Name: "Shop"}, incident.Around{}, "", now)
	if err != nil || len(got) != 1 || got[0].ID != "CHG-7K3M9QX2PA" || s.asked.Load() != 1 {
		t.Errorf("got %+v, %v, asked %d times", got, err, s.asked.Load())
	}
}

// The incidents of a storm look once at a time, each set of services by itself.
func TestAStormLooksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i := newStreet(t)
		now := time.Now().UTC()
		s.incident(t, "INC-7K3M9QX2PA", "shop", incident.Triggered, 1)
		s.listed = make(chan struct{})
		var all sync.WaitGroup
		for n := range 40 {
			service := incident.Service{ID: []string{"shop", "till"}[n%2]}
			all.Go(func() {
				got, err := i.Nearby(t.Context(), service, incident.Around{}, "", now)
				if found := len(got) == 1; err != nil || found != (service.ID == "shop") {
					t.Errorf("beside an incident of %s: got %+v, %v", service.ID, got, err)
				}
			})
		}
		synctest.Wait()
		close(s.listed)
		all.Wait()
		if len(s.lists) != 4 { // incidents of each of the two, changes and runs once
			t.Errorf("asked for %d lists, want 4: %v", len(s.lists), s.lists)
		}
	})
}
