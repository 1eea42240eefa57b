package audit

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strconv"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/workflows"
)

// A witness sees what the workflow of a run asks for while it is replayed, and compares it with the record.
type witness struct {
	interceptor.WorkerInterceptorBase

	run      int
	record   record
	found    *Differences
	encoder  encoder
	listener listener
	query    func() json.RawMessage // the state, from the run's own query handler
	state    json.RawMessage        // at its end
}

// InterceptWorkflow lets the witness see a run from both sides.
func (w *witness) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &called{interceptor.WorkflowInboundInterceptorBase{Next: next}, w}
}

// An encoder is the converter that workers use, which remembers what it has encoded last: what a run asks for is encoded by the
// SDK once, and not again to be compared.
type encoder struct{ last *commonpb.Payloads }

// ToPayloads encodes values and remembers them.
func (e *encoder) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	encoded, err := converter.GetDefaultDataConverter().ToPayloads(values...)
	e.last = encoded
	return encoded, err
}

// ToPayload encodes a value.
func (e *encoder) ToPayload(value any) (*commonpb.Payload, error) {
	return converter.GetDefaultDataConverter().ToPayload(value)
}

// FromPayloads decodes values.
func (e *encoder) FromPayloads(p *commonpb.Payloads, into ...any) error {
	return converter.GetDefaultDataConverter().FromPayloads(p, into...)
}

// FromPayload decodes a value.
func (e *encoder) FromPayload(p *commonpb.Payload, into any) error {
	return converter.GetDefaultDataConverter().FromPayload(p, into)
}

// ToStrings shows payloads to people.
func (e *encoder) ToStrings(p *commonpb.Payloads) []string {
	return converter.GetDefaultDataConverter().ToStrings(p)
}

// ToString shows a payload to people.
func (e *encoder) ToString(p *commonpb.Payload) string {
	return converter.GetDefaultDataConverter().ToString(p)
}

// A listener hears which id the SDK gives a timer or an activity: it says so in its log for debugging alone. Were it to stop,
// every timer and activity would be a difference.
type listener struct{ id string }

// Debug hears ids. Of what is begun it hears a string; of what is taken back, as soon as it is begun if its context has ended
// before, something else.
func (l *listener) Debug(_ string, keyvals ...any) {
	for n := 0; n+1 < len(keyvals); n += 2 {
		if key := keyvals[n]; key == "TimerID" || key == "ActivityID" {
			if id, begun := keyvals[n+1].(string); begun {
				l.id = id
			}
		}
	}
}

// Info does nothing.
func (*listener) Info(string, ...any) {}

// Warn does nothing.
func (*listener) Warn(string, ...any) {}

// Error does nothing.
func (*listener) Error(string, ...any) {}

// With keeps the listener: what is added to each line names the run.
func (l *listener) With(...any) log.Logger { return l }

// called is the run as Temporal calls it.
type called struct {
	interceptor.WorkflowInboundInterceptorBase

	*witness
}

// Init lets the witness see what the run asks for.
func (c *called) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return c.Next.Init(&calls{interceptor.WorkflowOutboundInterceptorBase{Next: next}, c.witness})
}

// ExecuteWorkflow compares how a run has ended, and takes its state before the SDK clears up.
func (c *called) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := c.Next.ExecuteWorkflow(ctx, in)
	if c.query != nil {
		c.state = c.query()
	}
	c.ended(result, err)
	return result, err
}

// ended compares the end of a run with the last event.
func (w *witness) ended(result any, err error) {
	last := w.record.last
	at := Difference{Run: w.run, Event: last.GetEventId()}
	goesOn, continued := errors.AsType[*workflow.ContinueAsNewError](err)
	switch last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		if continued {
			at.Kind = HandedOn
			w.found.payloads(at, last.GetWorkflowExecutionContinuedAsNewEventAttributes().GetInput(), goesOn.Input)
			return
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		if err == nil {
			at.Kind = Result
			w.compare(at, last.GetWorkflowExecutionCompletedEventAttributes().GetResult(), result)
			return
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		if err != nil && !continued {
			at.Kind = Failure
			w.found.failures(at, last.GetWorkflowExecutionFailedEventAttributes().GetFailure(), err)
			return
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		if temporal.IsCanceledError(err) {
			return
		}
	default:
	}
	at.Kind, at.Recorded, at.Replayed = Decision, "event "+eventName(last), "the end of the run"
	switch {
	case continued:
		at.Replayed += ", and another that continues it"
	case err != nil:
		at.Replayed += " with an error: " + err.Error()
	}
	w.found.add(at)
}

// ExecuteUpdate compares the answer to an Update. That a running one has no answer yet is no difference.
func (c *called) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	answer, err := c.Next.ExecuteUpdate(ctx, in)
	id := workflow.GetCurrentUpdateInfo(ctx).ID
	e := take(c.record.updates, id)
	if e == nil {
		return answer, err
	}
	at := Difference{Run: c.run, Event: e.GetEventId(), Kind: UpdateAnswer, Of: in.Name + " " + id}
	was := e.GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome()
	switch refused := was.GetFailure(); {
	case refused != nil && err != nil:
		c.found.failures(at, refused, err)
	case refused != nil:
		at.Path, at.Recorded, at.Replayed = "$.message", shown(refused.GetMessage()), ""
		c.found.add(at)
	case err != nil:
		at.Path, at.Recorded, at.Replayed = "$.message", "", shown(err.Error())
		c.found.add(at)
	default:
		c.compare(at, was.GetSuccess(), answer)
	}
	return answer, err
}

// compare encodes what the run answers. The SDK gives nothing for nil.
func (w *witness) compare(at Difference, recorded *commonpb.Payloads, answer any) {
	var encoded *commonpb.Payloads
	if answer != nil {
		var err error
		if encoded, err = converter.GetDefaultDataConverter().ToPayloads(answer); err != nil {
			at.Recorded, at.Replayed = plain(recorded), err.Error()
			w.found.add(at)
			return
		}
	}
	w.found.payloads(at, recorded, encoded)
}

// failures compares what a refusal says, and its type.
func (all *Differences) failures(at Difference, recorded *failurepb.Failure, err error) {
	is := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
	for _, part := range []struct{ path, was, is string }{
		{"$.message", recorded.GetMessage(), is.GetMessage()},
		{"$.type", recorded.GetApplicationFailureInfo().GetType(), is.GetApplicationFailureInfo().GetType()},
	} {
		if part.was != part.is {
			at.Path, at.Recorded, at.Replayed = part.path, shown(part.was), shown(part.is)
			all.add(at)
		}
	}
}

// plain shows payloads as they are.
func plain(p *commonpb.Payloads) string {
	if len(p.GetPayloads()) == 0 {
		return ""
	}
	return string(p.GetPayloads()[0].GetData())
}

// calls are what a run asks Temporal for.
type calls struct {
	interceptor.WorkflowOutboundInterceptorBase

	*witness
}

// NewTimer compares how long a timer is to run.
func (c *calls) NewTimer(ctx workflow.Context, d time.Duration) workflow.Future {
	return c.NewTimerWithOptions(ctx, d, workflow.TimerOptions{})
}

// NewTimerWithOptions compares how long a timer is to run.
func (c *calls) NewTimerWithOptions(ctx workflow.Context, d time.Duration, o workflow.TimerOptions) workflow.Future {
	c.listener.id = ""
	f := c.Next.NewTimerWithOptions(ctx, d, o)
	if d <= 0 { // rings at once and needs no timer
		return f
	}
	e := take(c.record.timers, c.listener.id)
	if e == nil {
		return f // taken back within the same task, or another one than that of the record: the replayer says so
	}
	if was := e.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration(); was != d {
		c.found.add(Difference{
			Run: c.run, Event: e.GetEventId(), Kind: TimerLength, Of: c.listener.id, Recorded: was.String(), Replayed: d.String(),
		})
	}
	return f
}

// ExecuteActivity compares the input of an activity.
func (c *calls) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	c.listener.id = ""
	f := c.Next.ExecuteActivity(ctx, name, args...)
	e := take(c.record.activities, c.listener.id)
	if e == nil {
		return f // as with timers
	}
	was := e.GetActivityTaskScheduledEventAttributes()
	at := Difference{Run: c.run, Event: e.GetEventId(), Kind: ActivityIn, Of: name}
	if recorded := was.GetActivityType().GetName(); recorded != name {
		at.Kind, at.Of, at.Recorded, at.Replayed = Decision, "", "activity "+recorded, "activity "+name
		c.found.add(at)
		return f
	}
	c.found.payloads(at, was.GetInput(), c.encoder.last)
	return f
}

// ExecuteChildWorkflow compares under which id a child is started, and with what.
func (c *calls) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	f := c.Next.ExecuteChildWorkflow(ctx, name, args...)
	input := c.encoder.last
	e := next(&c.record.children)
	if e == nil {
		return f
	}
	was, o := e.GetStartChildWorkflowExecutionInitiatedEventAttributes(), workflow.GetChildWorkflowOptions(ctx)
	at := Difference{Run: c.run, Event: e.GetEventId(), Kind: ChildStart, Of: name}
	for _, part := range []struct{ path, was, is string }{
		{"$.id", was.GetWorkflowId(), o.WorkflowID},
		{"$.parentClosePolicy", was.GetParentClosePolicy().String(), o.ParentClosePolicy.String()},
	} {
		if part.was != part.is {
			at.Path, at.Recorded, at.Replayed = part.path, part.was, part.is
			c.found.add(at)
		}
	}
	at = Difference{Run: c.run, Event: e.GetEventId(), Kind: ChildIn, Of: name}
	c.found.payloads(at, was.GetInput(), input)
	at.Kind = Attributes
	c.tell(at, was.GetSearchAttributes().GetIndexedFields(), named(o.TypedSearchAttributes), 0)
	at.Kind = Memo
	c.tell(at, was.GetMemo().GetFields(), o.Memo, 0)
	return f
}

// SignalExternalWorkflow compares what another workflow is told.
func (c *calls) SignalExternalWorkflow(ctx workflow.Context, id, run, name string, arg any) workflow.Future {
	f := c.Next.SignalExternalWorkflow(ctx, id, run, name, arg)
	if e := next(&c.record.signals); e != nil {
		at := Difference{Run: c.run, Event: e.GetEventId(), Kind: SignalSent, Of: name + " to " + id}
		c.found.payloads(at, e.GetSignalExternalWorkflowExecutionInitiatedEventAttributes().GetInput(), c.encoder.last)
	}
	return f
}

// UpsertTypedSearchAttributes compares what lists are told.
func (c *calls) UpsertTypedSearchAttributes(ctx workflow.Context, attributes ...temporal.SearchAttributeUpdate) error {
	if e := next(&c.record.upserts); e != nil {
		told := named(temporal.NewSearchAttributes(attributes...)) // of those that are taken away it does not tell
		c.tell(Difference{Run: c.run, Event: e.GetEventId(), Kind: Attributes},
			e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields(), told, len(attributes)-len(told))
	}
	return c.Next.UpsertTypedSearchAttributes(ctx, attributes...)
}

// named are search attributes by their names.
func named(attributes temporal.SearchAttributes) map[string]any {
	all := map[string]any{}
	for key, value := range attributes.GetUntypedValues() {
		all[key.GetName()] = value
	}
	return all
}

// UpsertMemo compares what lists are told.
func (c *calls) UpsertMemo(ctx workflow.Context, memo map[string]any) error {
	if e := next(&c.record.memos); e != nil {
		told := maps.Clone(memo)
		maps.DeleteFunc(told, func(_ string, value any) bool { return value == nil })
		c.tell(Difference{Run: c.run, Event: e.GetEventId(), Kind: Memo},
			e.GetWorkflowPropertiesModifiedEventAttributes().GetUpsertedMemo().GetFields(), told, len(memo)-len(told))
	}
	return c.Next.UpsertMemo(ctx, memo)
}

// tell compares fields by their values, and how many are taken away.
func (w *witness) tell(at Difference, recorded map[string]*commonpb.Payload, told map[string]any, away int) {
	if len(recorded) == 0 && len(told) == 0 && away == 0 {
		return
	}
	was, wasAway := map[string]json.RawMessage{}, 0
	for name, p := range recorded {
		if len(p.GetData()) == 0 {
			wasAway++
			continue
		}
		was[name] = p.GetData()
	}
	w.found.texts(at, []byte(shown(was)), []byte(shown(told)))
	if away != wasAway {
		at.Kind = Removed
		at.Recorded, at.Replayed = strconv.Itoa(wasAway), strconv.Itoa(away)
		w.found.add(at)
	}
}

// SetQueryHandler keeps the handler that answers the state.
func (c *calls) SetQueryHandler(ctx workflow.Context, name string, handler any) error {
	c.keep(name, handler)
	return c.Next.SetQueryHandler(ctx, name, handler)
}

// SetQueryHandlerWithOptions keeps the handler that answers the state.
func (c *calls) SetQueryHandlerWithOptions(ctx workflow.Context, name string, handler any, o workflow.QueryHandlerOptions) error {
	c.keep(name, handler)
	return c.Next.SetQueryHandlerWithOptions(ctx, name, handler, o)
}

func (c *calls) keep(name string, handler any) {
	if name != workflows.StateQuery {
		return
	}
	c.query = func() json.RawMessage {
		out := reflect.ValueOf(handler).Call(nil) // a value and an error, or the SDK would not take it
		if err, _ := out[1].Interface().(error); err != nil {
			return nil
		}
		state, err := json.Marshal(out[0].Interface())
		if err != nil {
			return nil
		}
		return state
	}
}
