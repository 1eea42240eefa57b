package devserver

import (
	"log/slog"
	"math/rand/v2"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// What Temporal acknowledged before kill -9 is there afterwards: killed twice, the second time on what the first left.
func TestKilledProcessLosesNothing(t *testing.T) {
	folder := t.TempDir()
	var acknowledged []string
	for round := range 2 {
		lines, kill := startChild(t, "serve", folder)
		enough := 30 + rand.IntN(100)
		n := 0
		for lines.Scan() { // Until the child is dead and the pipe is empty.
			acknowledged = append(acknowledged, lines.Text())
			if n++; n == enough {
				kill()
			}
		}
		if n < enough {
			t.Fatalf("round %d: the child ended by itself after %d starts", round, n)
		}
	}

	s, err := Start(t.Context(), Options{Folder: folder, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	dial := s.ClientOptions()
	dial.Logger = sdklog.NewStructuredLogger(quiet())
	c, err := client.Dial(dial)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, id := range acknowledged {
		got, err := c.DescribeWorkflowExecution(t.Context(), id, "")
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if status := got.GetWorkflowExecutionInfo().GetStatus(); status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			t.Errorf("%s: got %s, want running", id, status)
		}
	}
	t.Logf("%d acknowledged starts checked", len(acknowledged))
}
