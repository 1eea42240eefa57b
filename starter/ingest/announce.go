package ingest

import (
	"context"
	"errors"
	"slices"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/starter"
)

// What is announced is a notice, and the alert that it becomes where its plan cannot be started.
type announced struct {
	notice alert.Notice
	as     sized
}

// announce starts plans for what is announced, or tells their runs of news. Where a plan cannot be started, whatever is wrong with it,
// people have to see to it: it is an alert then. What no rule is for is logged.
func (in *Intake) announce(ctx context.Context, m *message, source string) error {
	for _, a := range m.announced {
		known, err := false, error(nil)
		if in.tell != nil {
			known, err = in.tell(ctx, source, a.notice)
		}
		unfit, refused := (*org.PlanRefusal)(nil), (*starter.RefusedError)(nil)
		switch {
		case errors.As(err, &unfit) || errors.As(err, &refused):
			in.commits.log.Error("plan not started for what a source announces: it is an alert", "source", source, "notice", a.notice.ID, "error", err)
			if why := (alert.Label{Name: "plan_not_started", Value: clip(err.Error(), maxValue)}); a.as.State == alert.Firing {
				a.as.Annotations = ordered(append(slices.Clone(a.as.Annotations), why))
			}
			a.as.bound()
			m.alerts = append(m.alerts, a.as)
		case err != nil:
			return err
		case known:
			in.commits.log.Info("notice of an alert source", "source", source, "notice", a.notice.ID, "stage", a.notice.Stage)
		default:
			m.notices = append(m.notices, a.as.Alert)
		}
	}
	return nil
}
