package acceptance_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	alerts "muster/internal/alert"
	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/org"
	"muster/internal/report"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/ingest"
	"muster/templates"
	"muster/worker"
	"muster/workflows"
)

// bare is an engine with the typed client, and nothing around it: for tests that need their hands on the worker.
type bare struct {
	engine    *devserver.Server
	temporal  client.Client
	incidents *starter.Incidents
	live      *org.Live
	effects   worker.Activities
	sink      *receiver
	folder    string // of the keys
}

func newBare(t *testing.T, sink *receiver, organisation string, o devserver.Options, dial ...grpc.DialOption) *bare {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	o.SearchAttributes = map[string]enumspb.IndexedValueType{}
	for _, k := range workflows.SearchAttributes() {
		o.SearchAttributes[k.GetName()] = k.GetValueType()
	}
	o.UIPort, o.MetricsPort, o.Logger = devserver.Off, devserver.Off, quiet
	b := &bare{sink: sink}
	var err error
	b.engine, err = devserver.Start(t.Context(), o)
	must(t, err)
	t.Cleanup(b.engine.Stop)
	options := b.engine.ClientOptions()
	options.Logger, options.Identity, options.ConnectionOptions.DialOptions = log.NewStructuredLogger(quiet), "muster", dial
	b.temporal, err = client.Dial(options)
	must(t, err)
	t.Cleanup(b.temporal.Close)
	if b.folder = o.Folder; b.folder == "" {
		b.folder = t.TempDir()
	}
	keys, err := keyring.Open(filepath.Join(b.folder, keyring.File), time.Now)
	must(t, err)
	b.incidents = &starter.Incidents{Temporal: b.temporal, Namespace: b.engine.Namespace, Keys: keys}
	b.live, err = org.Open(organisation)
	must(t, err)
	texts, err := report.New(templates.FS)
	must(t, err)
	own, err := ingest.New(ingest.Config{
		Incidents: b.incidents, Router: b.live.Current(), Key: workflows.IncidentWorkflowID, RouteKey: workflows.RouteIncidentWorkflowID, Now: time.Now,
	})
	must(t, err)
	b.effects, err = worker.NewActivities(worker.Options{
		Intake:       own,
		Organisation: b.live, Texts: texts, Archive: b.incidents, Counter: b.incidents.Usages(), Responses: b.incidents.Responses(), Items: b.incidents.Contacts(), Recurrences: b.incidents.Problems(), ChangeRuns: b.incidents.Changes(), Changes: b.incidents, Incidents: b.incidents, Locks: b.incidents, Data: filepath.Join(t.TempDir(), "data"), Out: io.Discard,
		Keys: keys, Refused: func(r worker.Refusal) {
			t.Errorf("%s of %s refused: %s", r.Message, r.By.ID, r.Detail)
		},
	})
	must(t, err)
	return b
}

// workAs runs a worker whose incidents are another function's.
func (b *bare) workAs(t *testing.T, f func(workflow.Context, signature.Signed[workflows.IncidentInput]) error) (stop func()) {
	t.Helper()
	all := sdkworker.New(b.temporal, workflows.TaskQueue, sdkworker.Options{
		Interceptors: []interceptor.WorkerInterceptor{b.effects.Admission.Interceptor()},
	})
	paging := sdkworker.New(b.temporal, workflows.PagingTaskQueue, sdkworker.Options{DisableWorkflowWorker: true})
	all.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: workflows.IncidentWorkflow})
	e := b.effects
	for _, a := range []any{e.Composition, e.Deliveries, e.Tickets, e.Reports, e.Lookup} {
		all.RegisterActivity(a)
	}
	paging.RegisterActivity(e.Deliveries)
	must(t, all.Start())
	must(t, paging.Start())
	return func() { all.Stop(); paging.Stop() }
}

// groupID is the workflow id of a group, as the intake makes it.
func groupID(service, group string) string {
	return workflows.IncidentWorkflowID("alertmanager", "muster", labelled(service, group))
}

func labelled(service, group string) alerts.Labels {
	return alerts.FromMap(map[string]string{"service": service, "group": group})
}

// tell brings one alert of a group to its incident.
func (b *bare) tell(t *testing.T, service, group string, state alerts.State, n int) {
	t.Helper()
	b.tellUntil(t, service, group, state, n, time.Time{})
}

// tellUntil is tell of an alert that counts as resolved unless it comes again.
func (b *bare) tellUntil(t *testing.T, service, group string, state alerts.State, n int, until time.Time) {
	t.Helper()
	b.tellBy(t, b.live.Current(), service, group, state, n, until)
}

// tellBy is tellUntil by somebody with a folder of their own.
func (b *bare) tellBy(t *testing.T, folder *org.Organisation, service, group string, state alerts.State, n int, until time.Time) {
	t.Helper()
	labels := labelled(service, group)
	def, err := folder.Definition("alertmanager", labels, "")
	must(t, err)
	began := time.Now().UTC().Truncate(time.Second)
	a := alerts.Alert{
		Fingerprint: group, Name: "Trouble", State: state, StartsAt: began, Labels: labels, Until: until,
		Annotations: alerts.FromMap(map[string]string{"summary": "trouble in " + group}),
	}
	if state == alerts.Resolved {
		a.EndsAt = began
	}
	must(t, b.incidents.Deliver(t.Context(), groupID(service, group), def, alerts.Batch{
		ID: fmt.Sprintf("%s-%d", group, n), Source: "alertmanager", ReceivedAt: time.Now().UTC(), Posts: 1,
		GroupResolved: state == alerts.Resolved, Alerts: []alerts.Received{{Alert: a, Times: 1}},
	}))
}

// state waits until the incident of a group is as a test wants it.
func (b *bare) state(t *testing.T, service, group, what string, ok func(*incident.Incident) bool) *incident.Incident {
	t.Helper()
	var i *incident.Incident
	must(t, until(t.Context(), what, func() error {
		v, err := b.temporal.QueryWorkflow(t.Context(), groupID(service, group), "", workflows.StateQuery)
		if err != nil {
			return err
		}
		i = &incident.Incident{}
		if err := v.Get(i); err != nil {
			return err
		}
		if !ok(i) {
			return fmt.Errorf("%s is %s, %d sends have no outcome", i.ID, i.Status, len(i.Outbox))
		}
		return nil
	}))
	return i
}

// command asks something of an incident as somebody.
func command[C incident.Command](ctx context.Context, b *bare, id incident.ID, update string, c C) error {
	_, err := b.incidents.Command(ctx, id, starter.Request{
		ID: update + "-" + fmt.Sprint(time.Now().UnixNano()), By: bob(),
	}, c)
	return err
}

func bob() timeline.Actor { return timeline.Actor{Kind: timeline.Person, ID: "bob", Name: "Bob"} }
