package starter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

func batch(alerts ...alert.Received) alert.Batch {
	return alert.Batch{ID: "b1", Source: "prometheus", Alerts: alerts}
}

func TestAFiringAlertOpensOrJoins(t *testing.T) {
	c, s := one(t)
	b := batch(of("a", alert.Resolved, 1, "over"), of("b", alert.Firing, 1, "not over"))
	if err := s.Deliver(t.Context(), workflowID, definition(), b); err != nil {
		t.Fatal(err)
	}
	by := timeline.Actor{Kind: timeline.Source, ID: "prometheus"}
	told, signed := c.signals[1].(signature.Signed[alert.Batch])
	if !signed || c.signals[0] != workflows.AlertsSignal || !reflect.DeepEqual(told.Body, b) || told.By != by {
		t.Errorf("told %v, want %v", c.signals, b)
	}
	proven(t, s, workflows.AlertsSignal, told)
	o := c.started[0]
	if o.ID != workflowID || o.TaskQueue != workflows.TaskQueue || o.Priority.PriorityKey != 2 || o.Memo["title"] != "결제가 되지 않음" {
		t.Errorf("started with %+v", o)
	}
	// The identity by which lists find the incident is the one that it will have.
	id, _ := o.TypedSearchAttributes.GetKeyword(workflows.IDAttribute)
	def := definition()
	status, _ := o.TypedSearchAttributes.GetKeyword(workflows.StatusAttribute)
	level, _ := o.TypedSearchAttributes.GetInt64(workflows.PriorityAttribute)
	service, _ := o.TypedSearchAttributes.GetKeyword(workflows.ServiceAttribute)
	customers, _ := o.TypedSearchAttributes.GetKeywordList(workflows.CustomersAttribute)
	due, _ := o.TypedSearchAttributes.GetTime(workflows.NextDueAttribute)
	if status != "triggered" || level != 2 || service != def.Service.ID || !slices.Equal(customers, []string{"acme"}) || time.Until(due) <= 0 {
		t.Errorf("lists know status %q, priority %d, service %q, customers %q, next due %s", status, level, service, customers, due)
	}
	in, signed := c.inputs[1].(signature.Signed[workflows.IncidentInput])
	want := workflows.IncidentInput{ID: incident.ID(id), Definition: &def}
	if !strings.HasPrefix(id, "INC-") || !signed || c.inputs[0] != workflows.IncidentWorkflow || !reflect.DeepEqual(in.Body, want) || in.By != by {
		t.Errorf("started %v, want %v", c.inputs, want)
	}
	proven(t, s, workflows.IncidentWorkflow, in)
}

// proven asks that a message to the incident has a seal of this installation.
func proven[T any](t *testing.T, s *starter.Incidents, name string, m signature.Signed[T]) {
	t.Helper()
	by, digest, seal := m.Proof()
	if seal == nil {
		t.Fatalf("%s: not sealed", name)
	}
	if err := s.Keys.Prove(signature.Statement{Workflow: workflowID, Message: name, Digest: digest, By: by}, *seal); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// Temporal refuses a start with a longer search attribute: nobody would be paged.
func TestAServiceWithManyCustomersOpens(t *testing.T) {
	c, s := one(t)
	def := definition()
	for n := range 2_000 {
		def.Customers = append(def.Customers, incident.Customer{ID: fmt.Sprintf("customer-with-a-long-id-%04d", n)})
	}
	if err := s.Deliver(t.Context(), workflowID, def, batch(of("a", alert.Firing, 1, ""))); err != nil {
		t.Fatal(err)
	}
	customers, _ := c.started[0].TypedSearchAttributes.GetKeywordList(workflows.CustomersAttribute)
	if wire, err := json.Marshal(customers); err != nil || len(wire) > 2_048 || len(customers) < 50 {
		t.Errorf("%d customers in %d bytes, %v", len(customers), len(wire), err)
	}
}

// Whatever lists read is never encrypted and nobody guards it: of a security incident no word of its alerts stands there.
func TestASecurityIncidentOpensWithoutItsTitle(t *testing.T) {
	c, s := one(t)
	def := definition()
	def.Kind, def.Title = incident.SecurityIncident, "Admin account of acme stolen"
	if err := s.Deliver(t.Context(), workflowID, def, batch(of("a", alert.Firing, 1, ""))); err != nil {
		t.Fatal(err)
	}
	kind, _ := c.started[0].TypedSearchAttributes.GetKeyword(workflows.KindAttribute)
	if title := c.started[0].Memo["title"]; title != def.Service.Name || kind != "security" {
		t.Errorf("lists know title %q and kind %q", title, kind)
	}
}

func TestALongTitleIsCutInTheMemo(t *testing.T) {
	c, s := one(t)
	def := definition()
	def.Title = strings.Repeat("결", 5_000)
	if err := s.Deliver(t.Context(), workflowID, def, batch(of("a", alert.Firing, 1, ""))); err != nil {
		t.Fatal(err)
	}
	title, _ := c.started[0].Memo["title"].(string)
	if n := utf8.RuneCountInString(title); n != 200 || !utf8.ValidString(title) || !strings.HasSuffix(title, "결…") {
		t.Errorf("got %d runes: %s", n, title)
	}
}

func TestAResolvedAlertOpensNothing(t *testing.T) {
	for _, tc := range []struct {
		name string
		fail error
		away bool
	}{
		{"an open incident is told", nil, false},
		{"without one there is nothing to do", serviceerror.NewNotFound("no such workflow"), false},
		{"it is not durable when nobody answers", serviceerror.NewUnavailable("down"), true},
	} {
		c, s := one(t)
		c.fail = tc.fail
		err := s.Deliver(t.Context(), workflowID, definition(), batch(of("a", alert.Resolved, 1, "")))
		if _, away := errors.AsType[*starter.UnavailableError](err); away != tc.away || err != nil != tc.away {
			t.Errorf("%s: got %v", tc.name, err)
		}
		if len(c.started) > 0 || len(c.signals) != 2 {
			t.Errorf("%s: started %v, told %v", tc.name, c.started, c.signals)
		}
	}
}

func TestWhatHasNoPriorityIsNotDelivered(t *testing.T) {
	c, s := one(t)
	def := definition()
	def.Urgency = "huge"
	if err := s.Deliver(t.Context(), workflowID, def, batch(of("a", alert.Firing, 1, ""))); err == nil || len(c.started) > 0 {
		t.Errorf("got %v, started %v", err, c.started)
	}
}

func TestListSaysWhatTheRunsSay(t *testing.T) {
	c, s := one(t)
	closed := execution("run-9", 3, map[string]any{
		workflows.IDAttribute.GetName():        "INC-9",
		workflows.StatusAttribute.GetName():    incident.Closed,
		workflows.PriorityAttribute.GetName():  priority.P2,
		workflows.ServiceAttribute.GetName():   "checkout",
		workflows.CustomersAttribute.GetName(): []string{"acme", "hanbit"},
		workflows.NextDueAttribute.GetName():   17, // not an instant
		workflows.KindAttribute.GetName():      "security",
	}, map[string]any{"title": "결제가 되지 않음", "other": 1})
	closed.CloseTime = timestamppb.New(minute(5))
	c.listed = []*workflowpb.WorkflowExecutionInfo{c.listed[0], closed}
	c.next = "\x00more"
	rows, next, err := s.List(t.Context(), starter.Filter{Status: incident.Closed, Open: true, After: "\x01here", Limit: 7})
	if err != nil || next != "\x00more" || len(rows) != 2 {
		t.Fatalf("got %v, %q, %v", rows, next, err)
	}
	got := rows[0] // the newest
	if got.ID != "INC-9" || got.Kind != incident.SecurityIncident || got.Title != "결제가 되지 않음" || got.Status != incident.Closed || got.Priority != priority.P2 || got.Service != "checkout" ||
		len(got.Customers) != 2 || !got.NextDue.IsZero() || !got.OpenedAt.Equal(minute(3)) || !got.ClosedAt.Equal(minute(5)) {
		t.Errorf("got %+v", got)
	}
	if rows[1].ID != open || rows[1].Kind != "" || rows[1].Title != "" || !rows[1].ClosedAt.IsZero() {
		t.Errorf("got %+v", rows[1])
	}
	asked := c.lists[0]
	if strings.Contains(asked.GetQuery(), "MusterKind") {
		t.Errorf("asked %s, and no kind was left out", asked.GetQuery())
	}
	if _, _, err := s.List(t.Context(), starter.Filter{Ordinary: true}); err != nil {
		t.Fatal(err)
	}
	const ordinary = " AND (MusterKind IS NULL OR MusterKind != 'security')" // most have none
	if q := c.lists[1].GetQuery(); !strings.HasSuffix(q, ordinary) {
		t.Errorf("asked %s, want %s", q, ordinary)
	}
	for _, want := range []string{"WorkflowType = 'Incident'", "ExecutionStatus != 'ContinuedAsNew'", "MusterStatus = 'closed'", "ExecutionStatus = 'Running'"} {
		if !strings.Contains(asked.GetQuery(), want) {
			t.Errorf("asked %s, without %s", asked.GetQuery(), want)
		}
	}
	if asked.GetPageSize() != 7 || string(asked.GetNextPageToken()) != "\x01here" || asked.GetNamespace() != namespace {
		t.Errorf("asked %+v", asked)
	}
}

// Lists lag behind: whoever has just been told an id finds its incident all the same.
func TestFindLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := one(t)
		c.late = 2
		ref, err := s.Find(t.Context(), open)
		if err != nil || ref != (starter.Ref{WorkflowID: workflowID, RunID: "run-2"}) || len(c.lists) != 3 {
			t.Errorf("got %+v, %v after %d looks", ref, err, len(c.lists))
		}
		_, err = s.Find(t.Context(), "INC-2222222222")
		if _, gone := errors.AsType[*starter.NotFoundError](err); !gone || err.Error() != "incident INC-2222222222: not found" {
			t.Errorf("got %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = s.Find(short, "INC-2222222222")
		if _, away := errors.AsType[*starter.UnavailableError](err); !away {
			t.Errorf("without time: got %v", err)
		}
	})
}

func TestFindAsksForIdentitiesOnly(t *testing.T) {
	c, s := one(t)
	for _, id := range []incident.ID{"", "INC-", "INC-1' OR MusterId != '", "inc-7k3m9qx2pa", "INC-ILOU", "REV-7K3M9QX2PA"} {
		_, err := s.Find(t.Context(), id)
		if _, gone := errors.AsType[*starter.NotFoundError](err); !gone || len(c.lists) > 0 {
			t.Errorf("%q: got %v after %d looks", id, err, len(c.lists))
		}
	}
}

// noted is the timeline of a run that has dropped what came before.
func noted(from, to int) timeline.Log {
	l := timeline.Log{Dropped: from - 1}
	for n := from; n <= to; n++ {
		l.Add(minute(n), timeline.Noted, park(), timeline.F("text", "a"))
	}
	return l
}

func TestTimelineIsJoinedOverTheRuns(t *testing.T) {
	for _, tc := range []struct {
		name    string
		gone    string
		first   int // number of the oldest entry
		dropped int
	}{
		{"all runs are there", "", 1, 0},
		{"the oldest is past its retention", "run-0", 4, 3},
		{"the one before is", "run-1", 7, 6},
	} {
		c, s := one(t)
		i := c.runs["run-2"].state
		i.Runs, i.Timeline = []string{"run-0", "run-1"}, noted(7, 9)
		c.runs["run-0"] = run{state: &incident.Incident{ID: open, Timeline: noted(1, 5)}}
		c.runs["run-1"] = run{state: &incident.Incident{ID: open, Timeline: noted(4, 8)}}
		delete(c.runs, tc.gone)
		got, err := s.Timeline(t.Context(), open)
		if err != nil {
			t.Fatal(err)
		}
		if got.Timeline.Dropped != tc.dropped || len(got.Timeline.Entries) != 9-tc.dropped {
			t.Errorf("%s: got %d entries, %d dropped", tc.name, len(got.Timeline.Entries), got.Timeline.Dropped)
		}
		for n, e := range got.Timeline.Entries {
			if e.Seq != tc.first+n {
				t.Errorf("%s: entry %d has number %d", tc.name, n, e.Seq)
			}
		}
	}
}

// A source says that somebody has taken what it has told of: the incident is taken in its name, if one is open.
func TestASourceAcknowledges(t *testing.T) {
	const running, over = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	for _, tc := range []struct {
		name    string
		status  enumspb.WorkflowExecutionStatus
		fail    error
		forged  bool
		refused string
		away    bool
		asked   int
	}{
		{"open", running, nil, false, "", false, 1},
		{"over", over, nil, false, "no incident is open", false, 0},
		{"somebody else's", running, nil, true, "no incident is open", false, 0},
		{"refused", running, sdk.NewApplicationError("is closed", workflows.RefusedError), false, "is closed", false, 1},
		{"gone meanwhile", running, serviceerror.NewNotFound("over"), false, "no incident is open", false, 1},
		{"no worker", running, serviceerror.NewUnavailable("none"), false, "", true, 1},
	} {
		c, s := one(t)
		c.status, c.fail = tc.status, tc.fail
		if tc.forged {
			c.starts = map[string]*historypb.HistoryEvent{"run-2": started(workflows.IncidentInput{ID: open})}
		}
		refused, err := s.AcknowledgeOpen(t.Context(), workflowID, "pager")
		if refused != tc.refused || (err != nil) != tc.away || len(c.updates) != tc.asked {
			t.Errorf("%s: got %q, %v, %d updates", tc.name, refused, err, len(c.updates))
		}
		if tc.asked == 0 || tc.fail != nil {
			continue
		}
		o := c.updates[0]
		m, signed := o.Args[0].(signature.Signed[incident.Acknowledge])
		if by := (timeline.Actor{Kind: timeline.Source, ID: "pager"}); o.UpdateName != workflows.AcknowledgeUpdate || !signed || m.By != by || o.FirstExecutionRunID != "run-1" {
			t.Errorf("%s: asked %+v", tc.name, o)
		}
	}
}

func TestACommandIsDecidedOnceByItsRequestID(t *testing.T) {
	c, s := one(t)
	before := len(c.runs["run-2"].state.Timeline.Entries)
	for _, id := range []string{"k1", "k1", "k2"} {
		got, err := s.Command(t.Context(), open, starter.Request{ID: id, By: park()}, incident.Note{Text: "롤백함"})
		if err != nil || got.ID != open || got.Status != incident.Triggered {
			t.Fatalf("%s: got %+v, %v", id, got, err)
		}
	}
	notes := c.runs["run-2"].state.Timeline.Entries[before:]
	if len(notes) != 2 || notes[0].Fact("text") != "롤백함" || notes[0].Actor != park() {
		t.Errorf("got %+v", notes)
	}
	// An old link never touches the next incident of the same group.
	if o := c.updates[0]; o.UpdateID != "k1" || o.WorkflowID != workflowID || o.RunID != "" || o.FirstExecutionRunID != "run-1" ||
		o.WaitForStage != client.WorkflowUpdateStageCompleted {
		t.Errorf("asked %+v", o)
	}
}

func TestEachCommandIsItsUpdate(t *testing.T) {
	for _, tc := range []struct {
		command incident.Command
		update  string
	}{
		{incident.Acknowledge{}, "Acknowledge"},
		{incident.Assign{}, "Assign"},
		{incident.Note{}, "Note"},
		{incident.Escalate{}, "Escalate"},
		{incident.SetPriority{}, "SetPriority"},
		{incident.PauseClock{}, "PauseClock"},
		{incident.ResumeClock{}, "ResumeClock"},
		{incident.Mitigate{}, "Mitigate"},
		{incident.Resolve{}, "Resolve"},
		{incident.Reopen{}, "Reopen"},
		{incident.Close{}, "Close"},
		{incident.SendUpdate{}, "SendUpdate"},
	} {
		c, s := one(t)
		c.fail = serviceerror.NewUnavailable("asked, and that is enough")
		_, _ = s.Command(t.Context(), open, starter.Request{ID: "k", By: park()}, tc.command)
		if got := c.updates[0].UpdateName; got != tc.update {
			t.Errorf("got %s, want %s", got, tc.update)
		}
	}
}

// kind names what a caller decides on.
func kind(err error) string {
	switch {
	case errors.As(err, new(*starter.NotFoundError)):
		return "not found"
	case errors.As(err, new(*starter.RefusedError)):
		return "refused"
	case errors.As(err, new(*starter.StuckError)):
		return "stuck"
	case errors.As(err, new(*starter.UnavailableError)):
		return "unavailable"
	}
	return "other"
}

func TestCallersDecideWithoutKnowingTemporal(t *testing.T) {
	timeout := client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded)
	for _, tc := range []struct {
		name  string
		fail  error
		tries int32 // of the workflow task that is pending
		want  string
		asked int // how often Temporal was asked why
	}{
		{"no such run", serviceerror.NewNotFound("x"), 9, "not found", 0},
		{"malformed", serviceerror.NewInvalidArgument("x"), 9, "refused", 0},
		{"refused by the workflow", failure(workflows.RefusedError), 9, "refused", 0},
		{"failed in the workflow", failure("Other"), 0, "unavailable", 1},
		{"engine away", serviceerror.NewUnavailable("x"), 9, "unavailable", 0},
		{"no answer in time, no worker", timeout, 1, "unavailable", 1},
		{"no answer in time, tasks fail", timeout, 2, "stuck", 1},
		{"refused by Temporal, tasks fail", serviceerror.NewWorkflowNotReady("x"), 3, "stuck", 1},
		{"does not replay", serviceerror.NewQueryFailed("x"), 0, "stuck", 0},
	} {
		c, s := one(t)
		c.fail, c.tries, c.runs[""] = tc.fail, tc.tries, run{} // a review is asked in its newest run
		_, err := s.State(t.Context(), open)
		if got := kind(err); got != tc.want || c.described != tc.asked {
			t.Errorf("state: %s: got %s after %d questions (%v), want %s after %d", tc.name, got, c.described, err, tc.want, tc.asked)
		}
		_, err = s.Command(t.Context(), open, starter.Request{ID: "k", By: park()}, incident.Note{Text: "a"})
		if got := kind(err); got != tc.want {
			t.Errorf("command: %s: got %s (%v), want %s", tc.name, got, err, tc.want)
		}
		_, err = (&starter.Reviews{Temporal: c}).State(t.Context(), open)
		if got := kind(err); got != tc.want {
			t.Errorf("review: %s: got %s (%v), want %s", tc.name, got, err, tc.want)
		}
	}
}

func failure(kind string) error { return sdk.NewApplicationError("note INC-1: is closed", kind) }

// Why a run has not answered is asked also when the time of whoever asks is over, and not for whoever has gone.
func TestWhoHasNoTimeLeftIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want string
	}{
		"over": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Unix(0, 0))
		}, "stuck"},
		"gone": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, "unavailable"},
	} {
		c, s := one(t)
		c.fail, c.tries = context.DeadlineExceeded, 5
		ctx, cancel := tc.end(t.Context())
		defer cancel()
		if _, err := s.State(ctx, open); kind(err) != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

func TestHistoryHasEveryRunTheOldestFirst(t *testing.T) {
	c, s := one(t)
	c.tell(history{told(1), told(2)}, history{told(3)})
	runs, err := s.History(t.Context(), open)
	if err != nil || len(runs) != 2 || len(runs[0].GetEvents()) != 2 || len(runs[1].GetEvents()) != 1 {
		t.Errorf("got %v, %v", runs, err)
	}
}

func TestLastIsTheNewestThatHasClosed(t *testing.T) {
	c, s := one(t)
	c.listed = nil
	for n, id := range []string{"INC-1", "INC-3", "INC-2", "INC-9", ""} {
		e := execution("run-"+id, 0, map[string]any{workflows.IDAttribute.GetName(): id}, nil)
		e.CloseTime = timestamppb.New(minute([]int{1, 3, 2, 9, 8}[n]))
		c.listed = append(c.listed, e)
	}
	got, err := s.Last(t.Context(), "incident/o'brien/a", "INC-9")
	if err != nil || got == nil || got.ID != "INC-3" || got.RunID != "run-INC-3" || !got.ClosedAt.Equal(minute(3)) {
		t.Errorf("got %+v, %v", got, err)
	}
	if q := c.lists[0].GetQuery(); !strings.Contains(q, "'incident/o''brien/a'") {
		t.Errorf("asked %s", q)
	}
	c.listed = nil
	if got, err := s.Last(t.Context(), workflowID, ""); err != nil || got != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
