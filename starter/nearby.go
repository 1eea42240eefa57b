package starter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/workflows"
)

// Bounds of what is looked at for what goes on beside an incident.
const (
	nearbyStale  = 3 * time.Second  // what changes is looked for again after so long: a storm of incidents asks once
	nearbyTime   = 10 * time.Second // for one look
	nearbyWithin = 5 * time.Second  // so long an incident waits for it
	mostChanges  = 200              // and as many runs, the newest
)

// recentChanges are what changes something now, or has a short while before, as it was found a moment ago.
type recentChanges struct {
	mu      sync.Mutex
	found   time.Time
	all     []recentChange
	err     error
	looking chan struct{} // closed when the look that goes on has ended; nil: none goes on
}

// A recentChange touches a service, which is named by its ID.
type recentChange struct {
	incident.Nearby
	of string // ID of the change that a run is for
}

// Nearby returns what goes on at an instant beside an incident of a service, or has ended a short while before: of each kind the newest.
func (s *Incidents) Nearby(ctx context.Context, service incident.Service, around incident.Around, except incident.ID, at time.Time) ([]incident.Nearby, error) {
	var ids []string
	for _, x := range around.Services(service) {
		ids = append(ids, x.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, nearbyWithin)
	defer cancel()
	open, err := s.openOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	changes, err := s.recent(ctx)
	if err != nil {
		return nil, err
	}
	var all []incident.Nearby
	for _, row := range open {
		if row.ID != except && row.Status.Open() {
			all = append(all, incident.Nearby{
				Kind: incident.NearbyIncident, ID: string(row.ID), Title: row.Title, Service: row.Service, Status: string(row.Status), Since: row.OpenedAt,
			})
		}
	}
	for _, c := range changes {
		if !c.Since.After(at) && (c.Until.IsZero() || c.Until.After(at.Add(-incident.Recent))) {
			all = append(all, c.Nearby)
		}
	}
	return place(service, around, all), nil
}

// openOf returns the newest open incidents of services. Whoever asks while somebody looks for those of the same services gets what that look
// finds: the incidents of a storm would keep the engine busy with lists otherwise.
func (s *Incidents) openOf(ctx context.Context, services []string) ([]Summary, error) {
	found := s.looks.DoChan(strings.Join(services, " "), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nearbyTime)
		defer cancel()
		rows, _, err := s.List(ctx, Filter{Open: true, Services: services, Ordinary: true, Limit: 4 * incident.MostNearby})
		return rows, err
	})
	select {
	case f := <-found:
		rows, _ := f.Val.([]Summary)
		return rows, f.Err
	case <-ctx.Done():
		return nil, &UnavailableError{Cause: ctx.Err()}
	}
}

// place keeps what is of the services around an incident: each by the service that is nearest, and the newest of each kind.
func place(service incident.Service, around incident.Around, all []incident.Nearby) (near []incident.Nearby) {
	for _, x := range all {
		if x.Standing, x.Service = around.Stand(service, x.Service); x.Standing != "" {
			near = append(near, x)
		}
	}
	standings := incident.Standings()
	slices.SortStableFunc(near, func(a, b incident.Nearby) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(slices.Index(standings, a.Standing), slices.Index(standings, b.Standing)))
	})
	near = slices.CompactFunc(near, func(a, b incident.Nearby) bool { return a.ID == b.ID })
	kinds := incident.NearbyKinds()
	slices.SortStableFunc(near, func(a, b incident.Nearby) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), b.Since.Compare(a.Since))
	})
	count := map[incident.NearbyKind]int{}
	return slices.DeleteFunc(near, func(x incident.Nearby) bool {
		count[x.Kind]++
		return count[x.Kind] > incident.MostNearby
	})
}

// recent returns what changes something, for each service that it touches. Whoever asks while somebody looks waits for that look, which has a
// time of its own: it ends for all of them, found or not.
func (s *Incidents) recent(ctx context.Context) ([]recentChange, error) {
	c := &s.changing
	c.mu.Lock()
	if c.looking == nil && time.Since(c.found) >= nearbyStale {
		c.looking = make(chan struct{})
		go s.lookForChanges(context.WithoutCancel(ctx), c.looking)
	}
	looking := c.looking
	c.mu.Unlock()
	if looking != nil {
		select {
		case <-looking:
		case <-ctx.Done():
			return nil, &UnavailableError{Cause: ctx.Err()}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, c.err
}

func (s *Incidents) lookForChanges(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, nearbyTime)
	defer cancel()
	all, err := s.findChanges(ctx)
	c := &s.changing
	c.mu.Lock()
	c.found, c.all, c.err, c.looking = time.Now(), all, err, nil
	c.mu.Unlock()
	close(done)
}

func (s *Incidents) findChanges(ctx context.Context) ([]recentChange, error) {
	since := time.Now().Add(-incident.Recent).UTC().Format(time.RFC3339)
	going := fmt.Sprintf("(ExecutionStatus = 'Running' OR CloseTime > '%s')", since)
	changes, err := recentOf(ctx, s, fmt.Sprintf("WorkflowType = '%s' AND %s IN %s AND %s", workflows.ChangeWorkflow, workflows.StatusAttribute.GetName(),
		quoted([]string{string(change.Running), string(change.Done), string(change.Failed)}), going), s.Changes().judge, changedBy)
	if err != nil {
		return nil, err
	}
	runs, err := recentOf(ctx, s, fmt.Sprintf("WorkflowType IN %s AND %s", quoted(planTypes()), going), s.PlanRuns().judge, changedByRun)
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(runs, func(r recentChange) bool { // a change says it better than its run
		return r.of != "" && slices.ContainsFunc(changes, func(c recentChange) bool { return c.ID == r.of })
	})
	return slices.Concat(changes, runs), nil
}

// recentOf asks the runs of a query what they change, some at a time. One that does not answer hides no other.
func recentOf[S any](
	ctx context.Context, s *Incidents, query string, judge func(workflowID string, e *historypb.HistoryEvent) proof, changes func(row Summary, state *S) []recentChange,
) (all []recentChange, err error) {
	rows, _, err := s.proofs.list(ctx, s.Temporal, s.Namespace, "changes", query, mostChanges, "", judge)
	if err != nil {
		return nil, err
	}
	refs, ids := map[string]Ref{}, make([]string, len(rows))
	for n, row := range rows {
		ids[n], refs[row.ref.WorkflowID] = row.ref.WorkflowID, row.ref
	}
	for n, x := range eachState(ctx, ids, func(ctx context.Context, id string) (*S, error) {
		return stateOf[S](ctx, s.Temporal, id, refs[id])
	}) {
		if x.Err == nil {
			all = append(all, changes(rows[n], x.State)...)
		}
	}
	return all, ctx.Err()
}

func changedBy(_ Summary, c *change.Change) (all []recentChange) {
	if c.Began.IsZero() {
		return nil
	}
	for _, service := range c.Services {
		all = append(all, recentChange{Nearby: incident.Nearby{
			Kind: incident.NearbyChange, ID: string(c.ID), Title: c.Title, Service: service, Status: string(c.Status), Since: c.Began, Until: c.Ended,
		}})
	}
	return all
}

func changedByRun(row Summary, r *planrun.Run) (all []recentChange) {
	of := ""
	if r.ForChange != nil {
		of = r.ForChange.ID
	}
	var services []string
	for _, e := range r.Environments {
		services = append(services, e.Services...)
	}
	slices.Sort(services)
	for _, service := range slices.Compact(services) {
		if since, until, some := r.Changing(service); some {
			all = append(all, recentChange{of: of, Nearby: incident.Nearby{
				Kind: incident.NearbyRun, ID: string(r.ID), Title: row.Title, Service: service, Status: string(r.Status), Since: since, Until: until,
			}})
		}
	}
	return all
}
