//go:build !slim

package node_test

import (
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/audit"
	"muster/internal/node"
	"muster/starter"
	"muster/workflows"
)

// TestCertificateSchedule makes one schedule of the reminders, leaves it alone from then on, and follows the organisation's
// zone. What Temporal starts by it is done, and replays.
func TestCertificateSchedule(t *testing.T) {
	cfg, _ := config(t)
	ctx := t.Context()
	r, err := node.Start(ctx, node.DevConfig{Config: cfg, UIPort: -1, NormalSync: true})
	must(t, err)
	defer r.Stop()
	schedules := r.Temporal.ScheduleClient()
	h := schedules.GetHandle(ctx, workflows.CertificateSchedule)
	describe := func() *client.ScheduleDescription {
		is, err := h.Describe(ctx)
		must(t, err)
		return is
	}
	eventually(t, "there is a schedule", func() bool { _, err := h.Describe(ctx); return err == nil })
	if next := describe().Info.NextActionTimes; len(next) == 0 || next[0].UTC().Format("15:04:05") != "00:00:00" {
		t.Errorf("it starts at %v, want 09:00 in Seoul", next)
	}

	must(t, h.Trigger(ctx, client.ScheduleTriggerOptions{}))
	eventually(t, "a run is done", func() bool {
		is := describe()
		return len(is.Info.RecentActions) == 1 && len(is.Info.RunningWorkflows) == 0
	})
	run := describe().Info.RecentActions[0].StartWorkflowResult
	var done workflows.CertificatesReminded
	must(t, r.Temporal.GetWorkflow(ctx, run.WorkflowID, run.FirstExecutionRunID).Get(ctx, &done))
	if done.Until == nil || done.Folder.Revision == "" || done.Undelivered > 0 {
		t.Errorf("got %+v", done)
	}
	history := &historypb.History{}
	for events := r.Temporal.GetWorkflowHistory(ctx, run.WorkflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		must(t, err)
		history.Events = append(history.Events, e)
	}
	replayed, err := audit.Replay([]*historypb.History{history})
	must(t, err)
	must(t, replayed.Differences.Err())

	must(t, h.Pause(ctx, client.SchedulePauseOptions{Note: "the texts are being rewritten"}))
	before := describe()
	must(t, starter.ScheduleCertificateReminders(ctx, schedules, "Asia/Seoul"))
	if is := describe(); !is.Info.LastUpdateAt.Equal(before.Info.LastUpdateAt) {
		t.Errorf("made twice, it was updated at %s", is.Info.LastUpdateAt)
	}
	must(t, starter.ScheduleCertificateReminders(ctx, schedules, "Europe/Berlin"))
	if is := describe(); is.Schedule.Spec.TimeZoneName != "Europe/Berlin" || len(is.Schedule.Spec.Calendars) != 1 || !is.Schedule.State.Paused {
		t.Errorf("after the organisation has moved: %+v, %+v", is.Schedule.Spec, is.Schedule.State)
	}
}
