package trace_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"muster/internal/trace"
)

// Of an activity that fails the kind of its error is told, and not the text, which may quote what was sent.
func TestWhatIsToldOfAnError(t *testing.T) {
	for want, err := range map[string]error{
		"RunActivity:Try STATUS_CODE_UNSET":                                   nil,
		"RunActivity:Try STATUS_CODE_ERROR error.type=Refused":                temporal.NewApplicationError("kim@customer.example", "Refused"),
		"RunActivity:Try STATUS_CODE_ERROR error.type=*errors.errorString":    errors.New("kim@customer.example"),
		"RunActivity:Try STATUS_CODE_UNSET ":                                  context.Canceled,
		"RunActivity:Try STATUS_CODE_UNSET  ":                                 temporal.NewApplicationErrorWithOptions("later", "Later", temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign}),
		"RunActivity:Try STATUS_CODE_ERROR error.type=*internal.TimeoutError": temporal.NewHeartbeatTimeoutError("kim"),
	} {
		spans, _ := sent(t, &heard{}, func(traces *trace.Traces) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{traces.Interceptors()[0].(interceptor.WorkerInterceptor)}})
			try := func(context.Context) error { return err }
			env.RegisterActivityWithOptions(try, activity.RegisterOptions{Name: "Try"})
			if _, got := env.ExecuteActivity("Try"); (got != nil) != (err != nil) {
				t.Errorf("got %v", got)
			}
		})
		if len(spans) != 1 {
			t.Fatalf("%v", spans)
		}
		got := ""
		for _, word := range strings.Fields(spans[0]) {
			if !strings.HasPrefix(word, "temporal") {
				got += " " + word
			}
		}
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
