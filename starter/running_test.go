package starter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"muster/internal/incident"
	"muster/starter"
)

// What runs is known by its workflow id, and what is under another one is none of it.
func TestWhatIsUnderWay(t *testing.T) {
	c, i := one(t)
	c.next = "more"
	for _, id := range []string{"handover/primary", "review/INC-1", "handover/", "handover/night shift"} {
		e := execution("run", 0, nil, nil)
		e.Execution.WorkflowId = id
		c.listed = append(c.listed, e)
	}
	schedules, more, err := (&starter.Handovers{Temporal: c, Namespace: namespace, Keys: i.Keys}).UnderWay(t.Context(), 7)
	if err != nil || !more || !slices.Equal(schedules, []string{"primary", "night shift"}) {
		t.Errorf("got %q, more: %t, %v", schedules, more, err)
	}
	asked := c.lists[0]
	if asked.PageSize != 7 || asked.Namespace != namespace || asked.Query != "WorkflowType = 'Handover' AND ExecutionStatus = 'Running'" {
		t.Errorf("asked for %+v", asked)
	}
	c.next = ""
	reviews, more, err := (&starter.Reviews{Temporal: c, Namespace: namespace, Keys: i.Keys}).List(t.Context(), true, 7)
	if err != nil || more || !slices.Equal(reviews, []incident.ID{"INC-1"}) || !strings.Contains(c.lists[1].Query, "'Review'") {
		t.Errorf("got %q, more: %t, %v, asked for %+v", reviews, more, err, c.lists[1])
	}
	if _, _, err := (&starter.Reviews{Temporal: c, Namespace: namespace, Keys: i.Keys}).List(t.Context(), false, 7); err != nil || !strings.Contains(c.lists[2].Query, "ExecutionStatus = 'Completed'") {
		t.Errorf("all of them: %v, asked for %+v", err, c.lists[2])
	}
}

// A run whose id cannot be one has no history.
func TestAHistoryIsThatOfARun(t *testing.T) {
	_, i := one(t)
	_, err := i.PlanRuns().History(t.Context(), "RUN-1")
	if _, gone := errors.AsType[*starter.NotFoundError](err); !gone {
		t.Errorf("got %v", err)
	}
}
