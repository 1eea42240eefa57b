package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/workflows"
)

// ScheduleCertificateReminders makes sure that Temporal starts the reminders of certificates every day at 09:00 in a zone.
func ScheduleCertificateReminders(ctx context.Context, c client.ScheduleClient, zone string) error {
	nine := []client.ScheduleRange{{Start: 9, End: 9, Step: 1}} // as Temporal answers it
	return schedule(ctx, c, workflows.CertificateSchedule, workflows.CertificateRemindersWorkflow,
		client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{Hour: nine}}, TimeZoneName: zone},
		// A run that is late still reminds of all; the next one waits for it. What is missed for longer is made up for by the next.
		client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, CatchupWindow: 7 * 24 * time.Hour},
		func(is *client.ScheduleSpec) bool {
			return is.TimeZoneName == zone && len(is.Calendars) == 1 && slices.Equal(is.Calendars[0].Hour, nine)
		})
}

// ScheduleArchive makes sure that Temporal starts the archive every so often, and now. One that still works is not disturbed: the next one
// does what is left.
func ScheduleArchive(ctx context.Context, c client.ScheduleClient, every time.Duration) error {
	err := schedule(ctx, c, workflows.ArchiveSchedule, workflows.ArchiveWorkflow,
		client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: every},
		func(is *client.ScheduleSpec) bool { return len(is.Intervals) == 1 && is.Intervals[0].Every == every })
	if err != nil {
		return err
	}
	h := c.GetHandle(ctx, workflows.ArchiveSchedule)
	if is, err := h.Describe(ctx); err != nil || is.Schedule.State != nil && is.Schedule.State.Paused { // by a person
		return err
	}
	return h.Trigger(ctx, client.ScheduleTriggerOptions{})
}

// schedule makes sure that Temporal starts a workflow, whose runs are named for the schedule. A schedule that a person has paused stays
// paused. One that is as it should be is left alone: an update drops what an outage has made late.
func schedule(
	ctx context.Context, c client.ScheduleClient, id, workflow string, spec client.ScheduleSpec, policies client.SchedulePolicies,
	same func(*client.ScheduleSpec) bool,
) error {
	action := &client.ScheduleWorkflowAction{ID: id, Workflow: workflow, TaskQueue: workflows.TaskQueue}
	_, err := c.Create(ctx, client.ScheduleOptions{ID: id, Spec: spec, Action: action, Overlap: policies.Overlap, CatchupWindow: policies.CatchupWindow})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = c.GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{
			DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
				is := in.Description.Schedule
				does, starts := is.Action.(*client.ScheduleWorkflowAction)
				if starts && does.Workflow == workflow && does.TaskQueue == action.TaskQueue && is.Policy != nil && *is.Policy == policies &&
					is.Spec != nil && same(is.Spec) {
					return nil, temporal.ErrSkipScheduleUpdate
				}
				is.Spec, is.Policy, is.Action = &spec, &policies, action
				return &client.ScheduleUpdate{Schedule: &is}, nil
			},
		})
	}
	if err != nil {
		return fmt.Errorf("schedule %s: %w", id, err)
	}
	return nil
}
