package planrun_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A task whose outcome is action items is not done before there is one, or a word why there is none.
func TestATaskWhoseOutcomeIsActionItems(t *testing.T) {
	talk := manual("talk")
	talk.ActionItems = true
	for _, c := range []struct {
		item bool
		note string
		want string // empty: it is done
	}{
		{false, "", "no action item has come of it yet; want one (muster action open … --of RUN-0000000007), or a note that says why there is none"},
		{false, "  ", "no action item has come of it yet"},
		{false, "nothing to do better", ""},
		{true, "", ""},
	} {
		w := begun(t, small(talk, manual("after", "talk")))
		if c.item {
			w.do(planrun.AddAction{Capacity: as(lena), ID: "ACT-0000000001", Title: "Alert on full pools"}, lena)
		}
		err := w.try(planrun.Complete{Capacity: as(lena), Task: "talk", Note: c.note}, lena)
		if c.want == "" {
			w.stands("talk done, after ready")
		} else if w.stands("talk ready, after waiting"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestARunKeepsItsActionItems(t *testing.T) {
	w := begun(t, small(manual("talk")))
	for n := range 50 {
		w.do(planrun.AddAction{Capacity: as(lena), ID: fmt.Sprintf("ACT-%010d", n), Title: "internal words"}, lena)
	}
	for want, c := range map[string]planrun.AddAction{
		"it has 50":   {ID: "ACT-0000000050", Title: "one more"},
		"id: missing": {Title: "x"},
	} {
		if err := w.try(c, lena); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	w.run.Actions = w.run.Actions[:1]
	if err := w.try(planrun.AddAction{ID: "ACT-0000000000", Title: "x"}, lena); err == nil || !strings.Contains(err.Error(), "it stands there already") {
		t.Errorf("the same once more: %v", err)
	}
	if err := w.try(planrun.AddAction{ID: "ACT-0000000001"}, lena); err == nil || !strings.Contains(err.Error(), "title: missing") {
		t.Errorf("without a title: %v", err)
	}
	if got := w.run.ForReport().Actions; len(got) != 1 || got[0].By != lena || !got[0].At.Equal(start) {
		t.Errorf("a report is given %+v", got)
	}
	seen := w.run.Shown(planrun.Viewer{
		Viewer: incident.Viewer{Own: func(timeline.Actor) bool { return false }}, Kind: authority.Customer,
	})
	if len(seen.Actions) != 0 {
		t.Errorf("the customer sees %+v", seen.Actions)
	}
	for _, e := range seen.Timeline.Entries {
		if e.Kind == timeline.ActionAdded {
			t.Error("the customer sees that one was opened")
		}
	}
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "no need"}, lena)
	if err := w.try(planrun.AddAction{ID: "ACT-0000000001", Title: "x"}, lena); err == nil || !strings.Contains(err.Error(), "it is cancelled since") {
		t.Errorf("of a run that is over: %v", err)
	}
}
