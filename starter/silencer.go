package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/workflows"
)

// A Folder is the organisation folder, as far as what is held back depends on it.
type Folder interface {
	// Silences are those of the folder that hold alerts back at an instant.
	Silences(at time.Time) []silence.Window
	// Definition returns what was promised for the incident that an alert opens.
	Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error)
}

// How the silences that there are are known without asking for every alert.
const (
	lookEvery = 3 * time.Second
	lookStale = 30 * time.Second // what was not looked at for longer holds nothing back
	mostOnIt  = 500              // silences of one page of the list …
	mostPages = 20               // … and pages: of more it is not known which hold
)

// runningSilences are the silences that run, as they were found a moment ago.
type runningSilences struct {
	known atomic.Pointer[[]standing]
	plans atomic.Pointer[[]Ref] // those of environments that plans change
	fresh atomic.Int64          // when they were looked for, in nanoseconds

	looking sync.Mutex
	began   time.Time // when the last look that succeeded began

	mu     sync.Mutex
	starts map[string]silence.Terms // by run: the start of a run never changes
}

// A standing silence runs: it waits, holds alerts back, or lets go what it has.
type standing struct {
	ref   Ref
	terms silence.Terms
	ended bool
}

func (b *runningSilences) proven(run string) (silence.Terms, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, known := b.starts[run]
	return t, known
}

func (b *runningSilences) prove(run string, t silence.Terms) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.starts == nil || len(b.starts) >= mostProofs {
		b.starts = map[string]silence.Terms{}
	}
	b.starts[run] = t
}

// ended takes in that a silence holds nothing back any more.
func (b *runningSilences) ended(id silence.ID) {
	b.looking.Lock()
	defer b.looking.Unlock()
	all := slices.Clone(b.standing())
	for n := range all {
		all[n].ended = all[n].ended || all[n].terms.ID == id
	}
	b.known.Store(&all)
}

func (b *runningSilences) standing() []standing {
	if all := b.known.Load(); all != nil {
		return *all
	}
	return nil
}

// changing are the silences of environments that run.
func (b *runningSilences) changing() []Ref {
	if all := b.plans.Load(); all != nil {
		return *all
	}
	return nil
}

// trusted tells whether what is known may hold alerts back.
func (b *runningSilences) trusted() bool { return time.Since(time.Unix(0, b.fresh.Load())) < lookStale }

// refresh looks which silences run, unless somebody has begun to look since it was asked.
func (s *Silences) refresh(ctx context.Context) error {
	asked := time.Now()
	s.running.looking.Lock()
	defer s.running.looking.Unlock()
	if s.running.began.After(asked) {
		return nil
	}
	began := time.Now()
	var known []standing
	var plans []Ref
	for n, after := 0, ""; n == 0 || after != ""; n++ {
		if n == mostPages {
			return fmt.Errorf("list silences: more than %d run", mostPages*mostOnIt)
		}
		resp, err := s.executions(ctx, fmt.Sprintf("WorkflowType IN ('%s', '%s') AND ExecutionStatus = 'Running'", workflows.AlertSilenceWorkflow,
			workflows.SilenceWorkflow), mostOnIt, after)
		if err != nil {
			return err
		}
		after = string(resp.GetNextPageToken())
		for _, e := range resp.GetExecutions() {
			if e.GetType().GetName() == workflows.SilenceWorkflow {
				plans = append(plans, refOf(e))
				continue
			}
			x, ours, err := s.listed(ctx, e)
			if err != nil {
				return err
			}
			if ours {
				known = append(known, standing{ref: x.ref, terms: x.terms, ended: x.row.Status == silence.Ended})
			}
		}
	}
	s.running.known.Store(&known)
	s.running.plans.Store(&plans)
	s.running.fresh.Store(began.UnixNano())
	s.running.began = began
	return nil
}

// WatchSilences looks which silences run, for a moment before it returns, and then again and again until ctx ends, beside whoever has
// asked. Without it nothing that people have said is held back.
func (s *Incidents) WatchSilences(ctx context.Context, log *slog.Logger, beside func(context.Context, func(context.Context))) {
	const patience = 3 * time.Second
	look := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := s.Silences().refresh(ctx); err != nil && ctx.Err() == nil {
			log.Warn("silences not found: alerts page people", "error", err)
		}
	}
	look(ctx)
	beside(ctx, func(ctx context.Context) {
		every := time.NewTicker(lookEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				look(ctx)
			}
		}
	})
}

// A silencer is a silence with what of a batch goes to it.
type silencer struct {
	workflow string
	run      string          // empty: it is not known to run
	match    *silence.Match  // of it
	window   *silence.Window // of the folder, which holds now; nil otherwise
	holds    bool
	alerts   []alert.Received
	fires    bool
}

// takes tells whether an alert goes to the silence: one that fires where it is held back, and the end of one wherever it may have been,
// also by what the folder said before.
func (x *silencer) takes(source, service string, r *alert.Received) bool {
	if r.State == alert.Resolved && r.Bare { // it does not tell the labels that it fired with
		return x.run != ""
	}
	if r.State == alert.Resolved {
		return x.match.Takes(source, service, r.Labels) || x.window != nil && x.window.Match.Takes(source, service, r.Labels)
	}
	if x.window != nil {
		return x.holds && x.window.Holds(source, service, r.Labels)
	}
	return x.holds && x.match.Takes(source, service, r.Labels)
}

// silencers are the silences that may want something of a batch.
func (s *Incidents) silencers(service string, b *alert.Batch) (all []silencer) {
	concerns := func(m *silence.Match) bool {
		return slices.ContainsFunc(b.Alerts, func(r alert.Received) bool {
			return m.Takes(b.Source, service, r.Labels) || r.State == alert.Resolved && r.Bare
		})
	}
	known := s.silenced.standing()
	trusted := len(known) > 0 && s.silenced.trusted()
	for n := range known {
		if x := &known[n]; concerns(&x.terms.Match) {
			all = append(all, silencer{
				workflow: x.ref.WorkflowID, run: x.ref.RunID, match: &x.terms.Match,
				holds: trusted && !x.ended && x.terms.Window == "" && x.terms.In(b.ReceivedAt),
			})
		}
	}
	if s.Folder == nil {
		return all
	}
	windows := s.Folder().Silences(b.ReceivedAt)
	for n := range windows {
		w := &windows[n]
		if !concerns(&w.Match) {
			continue
		}
		id := workflows.AlertSilenceWorkflowID(w.ID)
		over := slices.ContainsFunc(known, func(x standing) bool { return x.ended && x.ref.WorkflowID == id })
		at := slices.IndexFunc(all, func(x silencer) bool { return x.workflow == id })
		if at < 0 {
			at = len(all)
			all = append(all, silencer{workflow: id, match: &w.Match})
		}
		all[at].window, all[at].holds = w, !over
	}
	return all
}

// silence gives to silences what they take of a batch, and returns the rest, which goes on: also every end of an alert. Whatever keeps
// one that fires from being held back lets people be paged. What a source has left out of a request may be anything, so such a batch
// is not held back, and neither is one that not everybody may read of.
func (s *Incidents) silence(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) (incident.Definition, alert.Batch, error) {
	all := s.silencers(def.Service.ID, &b)
	if len(all) == 0 {
		return def, b, nil
	}
	to := make([]int, len(b.Alerts)) // silencer of each that is held back, from 1
	var wanted, told bool
	for n := range b.Alerts {
		r := &b.Alerts[n]
		if def.Restricted() || r.State == alert.Firing && b.Truncated > 0 {
			continue
		}
		for k := range all {
			if !all[k].takes(b.Source, def.Service.ID, r) {
				continue
			}
			if told = true; r.State == alert.Firing {
				wanted, to[n] = true, k+1
				break
			}
		}
	}
	if !told {
		return def, b, nil
	}
	if wanted {
		if _, open, err := s.running(ctx, workflowID); err != nil || open {
			to = make([]int, len(b.Alerts))
		}
	}
	for n := range b.Alerts {
		r := &b.Alerts[n]
		for k := range all {
			if to[n] == k+1 || r.State == alert.Resolved && all[k].takes(b.Source, def.Service.ID, r) {
				all[k].alerts, all[k].fires = append(all[k].alerts, *r), all[k].fires || r.State == alert.Firing
			}
		}
	}
	for k := range all {
		if len(all[k].alerts) == 0 {
			continue
		}
		taken, err := s.give(ctx, &all[k], workflowID, def, b)
		if err != nil && slices.ContainsFunc(all[k].alerts, func(r alert.Received) bool { return r.State == alert.Resolved }) {
			return def, b, err // so that the source says once more that it is over
		}
		for n := range to {
			if to[n] == k+1 && !taken {
				to[n] = 0
			}
		}
	}
	return s.rest(def, b, func(n int) bool { return to[n] > 0 })
}

// give brings to a silence what it takes of a batch, and tells whether it has taken it. One of the folder begins with the first alert
// that it holds back, and not again once it has ended.
func (s *Incidents) give(ctx context.Context, x *silencer, workflowID string, def incident.Definition, b alert.Batch) (taken bool, err error) {
	whole := len(x.alerts) == len(b.Alerts)
	if b.Alerts = x.alerts; !whole && x.fires {
		def, b = s.redefine(def, b)
	}
	raw, err := json.Marshal(def)
	if err != nil {
		return false, fmt.Errorf("hold alerts back: %w", err)
	}
	by := timeline.Actor{Kind: timeline.Source, ID: b.Source}
	m, err := seal(s.Keys, signature.Statement{Workflow: x.workflow, Message: workflows.HeldAlertsSignal, By: by}, "intake",
		workflows.HeldBatch{Key: workflowID, Definition: def, Batch: b, Size: len(raw)})
	if err != nil {
		return false, fmt.Errorf("hold alerts back: %w", err)
	}
	switch {
	case !x.fires: // whichever run has the alerts now
		err = s.Temporal.SignalWorkflow(ctx, x.workflow, "", workflows.HeldAlertsSignal, m)
	case x.window != nil:
		err = s.begin(ctx, x.window.Terms, by, m)
	default:
		err = s.Temporal.SignalWorkflow(ctx, x.workflow, x.run, workflows.HeldAlertsSignal, m)
		if _, gone := errors.AsType[*serviceerror.NotFound](err); gone && s.next(ctx, x) {
			err = s.Temporal.SignalWorkflow(ctx, x.workflow, x.run, workflows.HeldAlertsSignal, m)
		}
	}
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone { // it has ended, and what it had has gone to its incidents
		return false, nil
	}
	return err == nil, told("silence "+x.workflow, err)
}

// next finds the run that goes on with a silence, and tells whether there is one.
func (s *Incidents) next(ctx context.Context, x *silencer) bool {
	if s.Silences().refresh(ctx) != nil {
		return false
	}
	all := s.silenced.standing()
	n := slices.IndexFunc(all, func(y standing) bool { return y.ref.WorkflowID == x.workflow && y.ref.RunID != x.run && !y.ended })
	if n >= 0 {
		x.run = all[n].ref.RunID
	}
	return n >= 0
}

// begin gives alerts to a silence of the folder, which begins with them if it has not.
func (s *Incidents) begin(ctx context.Context, terms silence.Terms, by timeline.Actor, held signature.Signed[workflows.HeldBatch]) error {
	o := silenceOptions(terms)
	o.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	in, err := seal(s.Keys, signature.Statement{Workflow: o.ID, Message: workflows.AlertSilenceWorkflow, By: by}, "intake",
		workflows.AlertSilenceInput{Terms: terms})
	if err != nil {
		return fmt.Errorf("make silence: %w", err)
	}
	run, err := s.Temporal.SignalWithStartWorkflow(ctx, o.ID, workflows.HeldAlertsSignal, held, o, workflows.AlertSilenceWorkflow, in)
	if _, over := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); over {
		return serviceerror.NewNotFound("it has ended")
	}
	if err != nil {
		return err
	}
	_, ours, err := s.Silences().terms(ctx, Ref{WorkflowID: o.ID, RunID: run.GetRunID()})
	if err == nil && !ours {
		err = fmt.Errorf("%s was started by somebody else", o.ID)
	}
	return err
}

// rest is what of a batch was not held back.
func (s *Incidents) rest(def incident.Definition, b alert.Batch, held func(n int) bool) (incident.Definition, alert.Batch, error) {
	var rest []alert.Received
	for n := range b.Alerts {
		if !held(n) {
			rest = append(rest, b.Alerts[n])
		}
	}
	whole := len(rest) == len(b.Alerts)
	if b.Alerts = rest; !whole && fires(b) {
		def, b = s.redefine(def, b)
	}
	return def, b, nil
}

// redefine says what was promised for the alerts of a part of a batch by themselves: what is held back makes the rest no more pressing.
func (s *Incidents) redefine(def incident.Definition, b alert.Batch) (incident.Definition, alert.Batch) {
	if s.Folder == nil {
		return def, b
	}
	var each []alert.Labels
	for n := range b.Alerts {
		if b.Alerts[n].State == alert.Firing {
			each = append(each, b.Alerts[n].Labels)
		}
	}
	common := alert.Common(b.Alerts, func(r *alert.Received) alert.Labels { return r.Labels })
	own, err := s.Folder().Definition(b.Source, common, def.Title, each...)
	if err != nil || own.Restricted() != def.Restricted() { // the folder has changed: what was promised a moment ago holds
		return def, b
	}
	b.Impact, b.Urgency = own.Impact, own.Urgency
	return own, b
}

// askOthers brings the ends of alerts that no incident has to silences that another process, or a plan, may have begun a moment ago.
func (s *Incidents) askOthers(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) error {
	if s.silenced.fresh.Load() == 0 { // nobody looks here
		return nil
	}
	before, plans := s.silenced.standing(), s.silenced.changing()
	if err := s.Silences().refresh(ctx); err != nil {
		return err
	}
	for _, x := range s.silenced.standing() {
		if slices.ContainsFunc(before, func(y standing) bool { return y.ref == x.ref }) {
			continue
		}
		to := silencer{workflow: x.ref.WorkflowID, run: x.ref.RunID, match: &x.terms.Match}
		for n := range b.Alerts {
			if to.takes(b.Source, def.Service.ID, &b.Alerts[n]) {
				to.alerts = append(to.alerts, b.Alerts[n])
			}
		}
		if len(to.alerts) > 0 {
			if _, err := s.give(ctx, &to, workflowID, def, b); err != nil {
				return err
			}
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(s.silenced.changing()), func(ref Ref) bool { return slices.Contains(plans, ref) })
	return s.endsIn(ctx, fresh, workflowID, def, b)
}
