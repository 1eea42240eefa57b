package starter_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// A switchboard is a Temporal in which incidents and silences take alerts. What it does not stand in for panics.
type switchboard struct {
	client.Client

	keys    *keyring.Ring
	running map[string]string                  // workflow id → run
	starts  map[string]*historypb.HistoryEvent // by run
	over    []string                           // ids under which nothing is started again
	got     []string                           // "incident/a: +a -b": + fires, - has resolved; ? only if it is known
	held    []workflows.HeldBatch
	fails   string // begin of the workflow ids that take nothing
	full    string // workflow id of one whose history has no room
	lists   int
	made    int
	before  func() // what happens just before a silence of an environment is told something
}

func switching(t testing.TB) (*switchboard, *starter.Incidents) {
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c := &switchboard{keys: keys, running: map[string]string{}, starts: map[string]*historypb.HistoryEvent{}}
	return c, &starter.Incidents{Temporal: c, Namespace: namespace, Keys: keys}
}

// watched looks once which silences there are.
func watched(t testing.TB, i *starter.Incidents) {
	i.WatchSilences(t.Context(), slog.New(slog.DiscardHandler), func(context.Context, func(context.Context)) {})
}

// leaflet is an organisation folder with some silences, in which every alert has the urgency that its label says.
type leaflet []silence.Window

func (f leaflet) Silences(at time.Time) (all []silence.Window) {
	for _, w := range f {
		if w.In(at) {
			all = append(all, w)
		}
	}
	return all
}

func (leaflet) Definition(source string, _ alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	d := definition()
	d.Source, d.Title, d.Urgency = source, title, priority.Low
	for _, ls := range each {
		d.Urgency = priority.Higher(d.Urgency, priority.Level(ls.Value("urgency")))
	}
	return d, nil
}

func (c *switchboard) WorkflowService() workflowservice.WorkflowServiceClient {
	return beginnings{c: c}
}

type beginnings struct {
	workflowservice.WorkflowServiceClient
	c *switchboard
}

func (b beginnings) GetWorkflowExecutionHistory(_ context.Context, r *workflowservice.GetWorkflowExecutionHistoryRequest, _ ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	e := b.c.starts[r.GetExecution().GetRunId()]
	if e == nil {
		return nil, serviceerror.NewNotFound("no such run")
	}
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{e}}}, nil
}

// ListWorkflow lists one run a page.
func (c *switchboard) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if len(r.GetNextPageToken()) == 0 {
		c.lists++
	}
	if strings.HasPrefix("list", c.fails) && c.fails != "" {
		return nil, errors.New("no connection")
	}
	resp := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, id := range slices.Sorted(maps.Keys(c.running)) {
		run := c.running[id]
		typ := c.starts[run].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType()
		if id <= string(r.GetNextPageToken()) || !strings.HasPrefix(id, "alert-silence/") && typ.GetName() != workflows.SilenceWorkflow {
			continue
		}
		if len(resp.Executions) == 1 {
			resp.NextPageToken = []byte(resp.Executions[0].GetExecution().GetWorkflowId())
			break
		}
		resp.Executions = append(resp.Executions, &workflowpb.WorkflowExecutionInfo{Type: typ, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}})
	}
	return resp, nil
}

func (c *switchboard) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	run, open := c.running[id]
	if !open {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}}, nil
}

func (c *switchboard) SignalWorkflow(_ context.Context, id, run, _ string, arg any) error {
	if c.fails != "" && strings.HasPrefix(id, c.fails) {
		return errors.New("no connection")
	}
	if happens := c.before; happens != nil && id == ofChange {
		c.before = nil
		happens()
	}
	if is, open := c.running[id]; !open || run != "" && run != is {
		return serviceerror.NewNotFound("no such run")
	}
	if id == c.full {
		return serviceerror.NewInvalidArgument("exceeded workflow execution limit for signal events")
	}
	c.take(id, arg)
	return nil
}

func (c *switchboard) SignalWithStartWorkflow(_ context.Context, id, _ string, arg any, o client.StartWorkflowOptions, workflow any, in ...any) (client.WorkflowRun, error) {
	if c.fails != "" && strings.HasPrefix(id, c.fails) {
		return nil, errors.New("no connection")
	}
	if _, open := c.running[id]; !open {
		if slices.Contains(c.over, id) && o.WorkflowIDReusePolicy == enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE {
			return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it is over", "", "")
		}
		c.start(id, workflow.(string), in[0])
	}
	c.take(id, arg)
	return ran{id: c.running[id]}, nil
}

// ran is a run that has begun.
type ran struct {
	client.WorkflowRun
	id string
}

func (r ran) GetRunID() string { return r.id }

// start begins a run with an input that is signed.
func (c *switchboard) start(id, workflow string, in any) {
	c.made++
	run := fmt.Sprint("run-", c.made)
	c.running[id] = run
	input, err := payloadsOf(in)
	if err != nil {
		panic(err)
	}
	c.starts[run] = &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowType: &commonpb.WorkflowType{Name: workflow}, TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.TaskQueue}, Input: input,
			FirstExecutionRunId: run,
		},
	}}
}

func (c *switchboard) take(id string, arg any) {
	var b alert.Batch
	maybe := ""
	switch m := arg.(type) {
	case signature.Signed[alert.Batch]:
		b = m.Body
	case signature.Signed[workflows.HeldBatch]:
		b = m.Body.Batch
		c.held = append(c.held, m.Body)
		if m.Body.Ends {
			maybe = "?"
		}
	}
	said := id + maybe + ":"
	for _, r := range b.Alerts {
		said += map[alert.State]string{alert.Firing: " +", alert.Resolved: " -"}[r.State] + r.Fingerprint
	}
	c.got = append(c.got, said)
}

// holds starts a silence that park has made, by whoever signs it.
func (c *switchboard) holds(t testing.TB, id silence.ID, by timeline.Actor, labels ...string) {
	t.Helper()
	match, err := silence.ParseLabels(labels)
	if err != nil {
		t.Fatal(err)
	}
	in, err := signature.New(by, workflows.AlertSilenceInput{Terms: silence.Terms{
		ID: id, By: park(), Tell: []escalation.Target{{Kind: escalation.Person, ID: "park"}},
		Asked: silence.Asked{Match: silence.Match{Labels: match}, From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "r"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	workflow := workflows.AlertSilenceWorkflowID(id)
	seal, err := c.keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.AlertSilenceWorkflow, Digest: in.Digest(), By: by}, "token:tok_1")
	if err != nil {
		t.Fatal(err)
	}
	in.Seal = &seal
	c.start(workflow, workflows.AlertSilenceWorkflow, in)
}

// nightly is a silence of the folder that holds now.
func nightly() silence.Window {
	from := time.Now().Add(-time.Hour).Truncate(time.Second)
	return silence.Window{Terms: silence.Terms{
		ID: silence.WindowID("nightly", from), Window: "nightly", Name: "Nightly", Tell: []escalation.Target{{Kind: escalation.Person, ID: "park"}},
		Asked: silence.Asked{
			Match: silence.Match{Services: []string{"checkout"}, Labels: []silence.Label{{Name: "job", Values: []string{"backup"}}}}, From: from,
			Until: from.Add(3 * time.Hour), Reason: "r",
		},
	}, Condition: func(_ string, ls alert.Labels) bool { return ls.Value("urgency") != "high" }}
}

const (
	disk    = silence.ID("SIL-7K3M9QX2PA")
	ofDisk  = "alert-silence/SIL-7K3M9QX2PA"
	ofAlert = "incident/a"
)

// came is an alert that fires, or has resolved, with labels such as env=prod.
func came(state alert.State, fp string, labels ...string) alert.Received {
	all := map[string]string{}
	for _, l := range labels {
		name, value, _ := strings.Cut(l, "=")
		all[name] = value
	}
	return alert.Received{Times: 1, Alert: alert.Alert{Fingerprint: fp, Name: "Slow", State: state, Labels: alert.FromMap(all)}}
}

func fires(fp string, labels ...string) alert.Received { return came(alert.Firing, fp, labels...) }
func ended(fp string, labels ...string) alert.Received { return came(alert.Resolved, fp, labels...) }

// bare is an end that tells nothing but that it is one.
func bare(fp string) alert.Received {
	r := ended(fp)
	r.Bare = true
	return r
}

func together(alerts ...alert.Received) alert.Batch {
	return alert.Batch{ID: "b", Source: "prometheus", ReceivedAt: time.Now(), Posts: 1, Alerts: alerts}
}

func TestWhereAlertsGoWhileASilenceHolds(t *testing.T) {
	window := nightly()
	ofNight := workflows.AlertSilenceWorkflowID(window.ID)
	for name, tc := range map[string]struct {
		before func(*switchboard, *starter.Incidents)
		def    func(*incident.Definition)
		batch  alert.Batch
		want   []string
	}{
		"one that matches":       {batch: together(fires("a", "env=prod")), want: []string{ofDisk + ": +a"}},
		"one that does not":      {batch: together(fires("a", "env=test")), want: []string{ofAlert + ": +a"}},
		"one of two":             {batch: together(fires("a", "env=prod"), fires("b")), want: []string{ofDisk + ": +a", ofAlert + ": +b"}},
		"with an end":            {batch: together(ended("a", "env=prod"), fires("b", "env=prod")), want: []string{ofDisk + ": -a +b"}},
		"an end":                 {batch: together(ended("a", "env=prod")), want: []string{ofDisk + ": -a"}},
		"an end without labels":  {batch: together(bare("a")), want: []string{ofDisk + ": -a"}},
		"of a break-in, ended":   {def: func(d *incident.Definition) { d.Kind = incident.SecurityIncident }, batch: together(ended("a", "env=prod")), want: nil},
		"an end of another":      {batch: together(ended("a", "env=test")), want: nil},
		"one of the folder":      {batch: together(fires("a", "job=backup")), want: []string{ofNight + ": +a"}},
		"its condition fails":    {batch: together(fires("a", "job=backup", "urgency=high")), want: []string{ofAlert + ": +a"}},
		"of both: people's":      {batch: together(fires("a", "job=backup", "env=prod")), want: []string{ofDisk + ": +a"}},
		"of another service":     {def: func(d *incident.Definition) { d.Service.ID = "erp" }, batch: together(fires("a", "job=backup")), want: []string{ofAlert + ": +a"}},
		"one of a break-in":      {def: func(d *incident.Definition) { d.Kind = incident.SecurityIncident }, batch: together(fires("a", "env=prod")), want: []string{ofAlert + ": +a"}},
		"something was left out": {batch: alert.Batch{Source: "prometheus", ReceivedAt: time.Now(), Truncated: 3, Alerts: []alert.Received{fires("a", "env=prod")}}, want: []string{ofAlert + ": +a"}},
		"the incident is open": {
			before: func(c *switchboard, _ *starter.Incidents) { c.opens() },
			batch:  together(fires("a", "env=prod"), ended("b", "env=prod")), want: []string{ofDisk + ": -b", ofAlert + ": +a -b"},
		},
		"the silence has ended": {
			before: func(c *switchboard, _ *starter.Incidents) { delete(c.running, ofDisk) },
			batch:  together(fires("a", "env=prod"), ended("b", "env=prod")), want: []string{ofAlert + ": +a -b"},
		},
		"it goes on in another run": {
			before: func(c *switchboard, _ *starter.Incidents) {
				c.starts["run-9"], c.running[ofDisk] = c.starts[c.running[ofDisk]], "run-9"
			},
			batch: together(fires("a", "env=prod")), want: []string{ofDisk + ": +a"},
		},
		"it takes nothing": {
			before: func(c *switchboard, _ *starter.Incidents) { c.fails = "alert-silence/" },
			batch:  together(fires("a", "env=prod"), fires("b", "job=backup")), want: []string{ofAlert + ": +a +b"},
		},
		"that of the folder was ended": {
			before: func(c *switchboard, _ *starter.Incidents) { c.over = append(c.over, ofNight) },
			batch:  together(fires("a", "job=backup")), want: []string{ofAlert + ": +a"},
		},
		"somebody else has started that of the folder": {
			before: func(c *switchboard, _ *starter.Incidents) {
				c.start(ofNight, workflows.AlertSilenceWorkflow, signature.Unsigned(workflows.AlertSilenceInput{}))
			},
			batch: together(fires("a", "job=backup")), want: []string{ofNight + ": +a", ofAlert + ": +a"}, // that takes nothing
		},
		"before it began": {batch: alert.Batch{Source: "prometheus", ReceivedAt: time.Now().Add(-2 * time.Hour), Alerts: []alert.Received{fires("a", "env=prod")}}, want: []string{ofAlert + ": +a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, i := switching(t)
			i.Folder = func() starter.Folder { return leaflet{window} }
			c.holds(t, disk, park(), "env=prod", "env=stage")
			c.holds(t, "SIL-0000000001", timeline.Actor{Kind: timeline.Person, ID: "kim"}, "env=test") // signed for another one: kim is not park
			c.holds(t, "SIL-0000000003", park(), "env=test")                                           // under an id for which it was not signed
			c.running["alert-silence/SIL-0000000002"] = c.running["alert-silence/SIL-0000000003"]
			delete(c.running, "alert-silence/SIL-0000000003")
			watched(t, i)
			def := definition()
			if tc.def != nil {
				tc.def(&def)
			}
			if tc.before != nil {
				tc.before(c, i)
			}
			if err := i.Deliver(t.Context(), ofAlert, def, tc.batch); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, c.got); d != "" {
				t.Errorf("delivered (-want +got):\n%s", d)
			}
		})
	}
}

// opens opens the incident.
func (c *switchboard) opens() {
	m, _ := signature.New(timeline.Actor{Kind: timeline.Source, ID: "prometheus"}, workflows.IncidentInput{ID: "INC-1"})
	seal, err := c.keys.Sign(signature.Statement{Workflow: ofAlert, Message: workflows.IncidentWorkflow, Digest: m.Digest(), By: m.By}, "intake")
	if err != nil {
		panic(err)
	}
	m.Seal = &seal
	c.start(ofAlert, workflows.IncidentWorkflow, m)
}

const ofChange = "silence/acme/production"

// changes starts the silence of an environment that a plan changes.
func (c *switchboard) changes(t testing.TB) {
	t.Helper()
	c.change(t, "", workflows.EnvironmentInput{Environment: "production"})
}

// change starts it, in a chain of runs that has begun with another one if there is one.
func (c *switchboard) change(t testing.TB, first string, in workflows.EnvironmentInput) {
	t.Helper()
	m, err := signature.New(timeline.Muster(), in)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := c.keys.Sign(signature.Statement{Workflow: ofChange, FirstRun: first, Message: workflows.SilenceWorkflow, Digest: m.Digest(), By: m.By}, "workflow")
	if err != nil {
		t.Fatal(err)
	}
	m.Seal = &seal
	c.start(ofChange, workflows.SilenceWorkflow, m)
	if first != "" {
		start := c.starts[c.running[ofChange]].GetWorkflowExecutionStartedEventAttributes()
		start.FirstExecutionRunId, start.ContinuedExecutionRunId = first, first
	}
}

// While a plan changes an environment, its silence hears of every end that may be that of an alert which it holds, also of those that
// tell nothing by which their environment is known.
func TestWhereAlertsGoWhileAnEnvironmentIsChanged(t *testing.T) {
	type before func(*testing.T, *switchboard, *starter.Incidents)
	for name, tc := range map[string]struct {
		before before
		known  bool // its labels say from which environment it is
		batch  alert.Batch
		want   []string
		fails  bool
	}{
		"one that fires":              {nil, true, together(fires("a")), []string{ofChange + ": +a"}, false},
		"its end":                     {nil, true, together(ended("a")), []string{ofChange + "?: -a"}, false},
		"both at once":                {nil, true, together(fires("a"), ended("b")), []string{ofChange + ": +a -b"}, false},
		"an end without labels":       {nil, false, together(bare("a")), []string{ofChange + "?: -a"}, false},
		"an end of elsewhere":         {nil, false, together(ended("a", "env=test")), nil, false},
		"one that fires elsewhere":    {nil, false, together(fires("a")), []string{ofAlert + ": +a"}, false},
		"with an end without labels":  {nil, false, together(fires("a"), bare("b")), []string{ofChange + "?: -b", ofAlert + ": +a -b"}, false},
		"people silence it, too":      {peoples, true, together(fires("a"), ended("b", "env=prod")), []string{ofChange + ": +a -b", ofDisk + ": -b"}, false},
		"an end, people silence it":   {peoples, true, together(ended("b", "env=prod")), []string{ofChange + "?: -b", ofDisk + ": -b"}, false},
		"the incident is open":        {opened, true, together(fires("a"), ended("b")), []string{ofChange + "?: -b", ofAlert + ": +a -b"}, false},
		"a bare end, the same":        {opened, false, together(bare("a")), []string{ofChange + "?: -a", ofAlert + ": -a"}, false},
		"it has begun a moment ago":   {lately, false, together(bare("a")), []string{ofChange + "?: -a"}, false},
		"it has ended":                {over, true, together(fires("a"), bare("b")), []string{ofAlert + ": +a -b"}, false},
		"it cannot be told":           {away, true, together(fires("a")), []string{ofAlert + ": +a"}, false},
		"it cannot be told of an end": {away, true, together(ended("a")), nil, true},
		"nor of a bare one":           {away, false, together(bare("a")), nil, true},
		"it goes on in a new run":     {goesOn, true, together(fires("a"), ended("b")), []string{ofChange + ": +a -b"}, false},
		"a new run that is forged":    {forgedNext, true, together(fires("a")), []string{ofAlert + ": +a"}, false},
		"its history has no room":     {full, true, together(fires("a"), bare("b")), []string{ofAlert + ": +a -b"}, false},
		"somebody else started it":    {forged, true, together(fires("a"), bare("b")), []string{ofAlert + ": +a -b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, i := switching(t)
			c.changes(t)
			watched(t, i)
			if tc.before != nil {
				tc.before(t, c, i)
			}
			def := definition()
			if tc.known {
				def.Environments = []incident.Environment{{Customer: "acme", ID: "production"}}
			}
			if err := i.Deliver(t.Context(), ofAlert, def, tc.batch); err != nil != tc.fails {
				t.Fatalf("got %v", err)
			}
			if d := cmp.Diff(tc.want, c.got); d != "" {
				t.Errorf("delivered (-want +got):\n%s", d)
			}
		})
	}
}

func opened(_ *testing.T, c *switchboard, _ *starter.Incidents) { c.opens() }
func over(_ *testing.T, c *switchboard, _ *starter.Incidents)   { delete(c.running, ofChange) }
func away(_ *testing.T, c *switchboard, _ *starter.Incidents)   { c.fails = "silence/" }
func full(_ *testing.T, c *switchboard, _ *starter.Incidents)   { c.full = ofChange }

func goesOn(t *testing.T, c *switchboard, _ *starter.Incidents) {
	c.before = func() {
		c.change(t, c.running[ofChange], workflows.EnvironmentInput{Environment: "production", State: &workflows.SilenceState{}})
	}
}

func forgedNext(t *testing.T, c *switchboard, i *starter.Incidents) {
	c.before = func() { forged(t, c, i) }
}

func peoples(t *testing.T, c *switchboard, i *starter.Incidents) {
	c.holds(t, disk, park(), "env=prod")
	watched(t, i)
}

func lately(t *testing.T, c *switchboard, i *starter.Incidents) {
	over(t, c, i)
	watched(t, i)
	c.changes(t)
}

func forged(_ *testing.T, c *switchboard, _ *starter.Incidents) {
	c.start(ofChange, workflows.SilenceWorkflow, signature.Unsigned(workflows.EnvironmentInput{}))
}

// What was promised for each part follows from its own alerts.
func TestWhatIsHeldBackMakesTheRestNoMorePressing(t *testing.T) {
	c, i := switching(t)
	i.Folder = func() starter.Folder { return leaflet{} }
	c.holds(t, disk, park(), "env=prod")
	watched(t, i)
	def := definition()
	def.Urgency = priority.High
	if err := i.Deliver(t.Context(), ofAlert, def, together(fires("a", "env=prod", "urgency=high"), fires("b", "urgency=medium"))); err != nil {
		t.Fatal(err)
	}
	opened, err := inputOf[workflows.IncidentInput](c.starts[c.running[ofAlert]])
	if err != nil || opened.Definition.Urgency != priority.Medium || c.held[0].Definition.Urgency != priority.High || c.held[0].Batch.Urgency != priority.High || c.held[0].Size == 0 {
		t.Errorf("the incident is opened with %+v (%v), held is %+v", opened.Definition, err, c.held)
	}
}

// The end of an alert that cannot be brought to a silence is not durable, and its source says it once more.
func TestAnEndThatNoSilenceHasTakenIsSaidOnceMore(t *testing.T) {
	c, i := switching(t)
	c.holds(t, disk, park(), "env=prod")
	watched(t, i)
	c.fails = "alert-silence/"
	if err := i.Deliver(t.Context(), ofAlert, definition(), together(ended("a", "env=prod"))); err == nil {
		t.Error("it counts as durable")
	}
}

// Another process has made a silence a moment ago, and has held the alert back.
func TestTheEndOfAnAlertFindsASilenceThatIsNotKnownYet(t *testing.T) {
	c, i := switching(t)
	watched(t, i)
	c.holds(t, disk, park(), "env=prod")
	if err := i.Deliver(t.Context(), ofAlert, definition(), together(fires("a", "env=prod"))); err != nil {
		t.Fatal(err)
	}
	delete(c.running, ofAlert)
	if err := i.Deliver(t.Context(), ofAlert, definition(), together(ended("b", "env=prod"), ended("c"))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{ofAlert + ": +a", ofDisk + ": -b"}, c.got); d != "" {
		t.Error(d)
	}
	c.fails = "list"
	if err := i.Deliver(t.Context(), ofAlert, definition(), together(ended("d"))); err == nil {
		t.Error("nobody knows whether a silence has it, and it counts as durable")
	}
}

// Every alert that fires goes to its incident or to one silence; every end goes to all that may have the alert.
func TestEveryAlertArrives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, i := switching(t)
		window := nightly()
		i.Folder = func() starter.Folder { return leaflet{window} }
		c.holds(t, disk, park(), "env=prod")
		c.holds(t, "SIL-0000000002", park(), "team=web")
		watched(t, i)
		has := map[string]string{} // alert → workflow that has it firing
		for n := range rapid.IntRange(1, 20).Draw(rt, "batches") {
			switch rapid.IntRange(0, 9).Draw(rt, "happens") {
			case 0:
				delete(c.running, ofAlert)
			case 1:
				c.fails = rapid.SampledFrom([]string{"", "alert-silence/"}).Draw(rt, "fails")
			}
			var alerts []alert.Received
			for range rapid.IntRange(1, 4).Draw(rt, "alerts") {
				fp := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "alert")
				state := rapid.SampledFrom([]alert.State{alert.Firing, alert.Resolved}).Draw(rt, "state")
				alerts = append(alerts, came(state, fp, map[string][]string{"a": {"env=prod"}, "b": {"team=web", "env=prod"}, "c": {"job=backup"}, "d": nil}[fp]...))
			}
			before := len(c.got)
			err := i.Deliver(t.Context(), ofAlert, definition(), together(alerts...))
			told := c.got[before:]
			for _, r := range alerts {
				var to []string
				for _, said := range told {
					id, what, _ := strings.Cut(said, ":")
					if slices.Contains(strings.Fields(what), map[alert.State]string{alert.Firing: "+", alert.Resolved: "-"}[r.State]+r.Fingerprint) {
						to = append(to, id)
					}
				}
				switch {
				case r.State == alert.Firing && err == nil && len(to) != 1:
					rt.Fatalf("batch %d: %s fires, and goes to %v", n, r.Fingerprint, to)
				case r.State == alert.Firing && err == nil:
					has[r.Fingerprint] = to[0]
				case r.State == alert.Resolved && err == nil && has[r.Fingerprint] != "" && c.running[has[r.Fingerprint]] != "" && !slices.Contains(to, has[r.Fingerprint]):
					rt.Fatalf("batch %d: %s has resolved, %s has it, and %v hear of it", n, r.Fingerprint, has[r.Fingerprint], to)
				}
			}
		}
	})
}

// Alerts that no silence takes cost as much as without any.
func BenchmarkDeliver(b *testing.B) {
	for name, silences := range map[string]int{"without silences": 0, "100 silences": 100} {
		b.Run(name, func(b *testing.B) {
			c, i := switching(b)
			i.Folder = func() starter.Folder { return leaflet{} }
			for n := range silences {
				c.holds(b, silence.NewID(uint64(n)), park(), "env=prod", fmt.Sprint("team=", n))
			}
			watched(b, i)
			c.opens()
			batch := together(fires("a", "env=test", "job=web", "team=shop"))
			b.ReportAllocs()
			for b.Loop() {
				c.got = c.got[:0]
				if err := i.Deliver(b.Context(), ofAlert, definition(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func payloadsOf(in any) (*commonpb.Payloads, error) {
	return converter.GetDefaultDataConverter().ToPayloads(in)
}

// inputOf is what a run was started with.
func inputOf[T any](e *historypb.HistoryEvent) (T, error) {
	var in signature.Signed[T]
	err := converter.GetDefaultDataConverter().FromPayloads(e.GetWorkflowExecutionStartedEventAttributes().GetInput(), &in)
	return in.Body, err
}
