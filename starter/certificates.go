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

// ScheduleCertificateReminders makes sure that Temporal starts the reminders of certificates every day at 09:00 in a zone. A
// schedule that a person has paused stays paused. One that is as it should be is left alone: an update drops what an outage has
// made late.
func ScheduleCertificateReminders(ctx context.Context, c client.ScheduleClient, zone string) error {
	nine := []client.ScheduleRange{{Start: 9, End: 9, Step: 1}} // as Temporal answers it
	spec := client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{Hour: nine}}, TimeZoneName: zone}
	// A run that is late still reminds of all; the next one waits for it. What is missed for longer is made up for by the next.
	policies := client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, CatchupWindow: 7 * 24 * time.Hour}
	action := &client.ScheduleWorkflowAction{
		ID: workflows.CertificateSchedule, Workflow: workflows.CertificateRemindersWorkflow, TaskQueue: workflows.TaskQueue,
	}
	_, err := c.Create(ctx, client.ScheduleOptions{
		ID: workflows.CertificateSchedule, Spec: spec, Action: action, Overlap: policies.Overlap, CatchupWindow: policies.CatchupWindow,
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = c.GetHandle(ctx, workflows.CertificateSchedule).Update(ctx, client.ScheduleUpdateOptions{
			DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
				is := in.Description.Schedule
				does, starts := is.Action.(*client.ScheduleWorkflowAction)
				if starts && does.Workflow == action.Workflow && does.TaskQueue == action.TaskQueue && is.Policy != nil && *is.Policy == policies &&
					is.Spec != nil && is.Spec.TimeZoneName == zone && len(is.Spec.Calendars) == 1 && slices.Equal(is.Spec.Calendars[0].Hour, nine) {
					return nil, temporal.ErrSkipScheduleUpdate
				}
				is.Spec, is.Policy, is.Action = &spec, &policies, action
				return &client.ScheduleUpdate{Schedule: &is}, nil
			},
		})
	}
	if err != nil {
		return fmt.Errorf("schedule %s: %w", workflows.CertificateSchedule, err)
	}
	return nil
}
