package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/routine"
)

func TestRoutineMessages(t *testing.T) {
	said := func(a routine.About, change func(*routine.Telling)) routine.Telling {
		x := routine.Telling{
			About:      a,
			Definition: routine.Definition{ID: "garam-preventive", Name: "월간 예방 점검", Customer: "garam", CustomerName: "가람유통", Plan: "preventive-check", Zone: "Asia/Seoul"},
			Occurrence: routine.Occurrence{Planned: after(0), Begins: after(0), Due: after(48 * time.Hour)},
		}
		change(&x)
		return x
	}
	run := func(x *routine.Telling) { x.Occurrence.Run = "RUN-7K3M9QX2PA" }
	blocked := func(x *routine.Telling) { x.Occurrence.Detail = "nobody fills the role service-engineer" }
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, told := range []routine.Telling{
			said(routine.WasMissed, run),
			said(routine.WasMissed, func(x *routine.Telling) { run(x); x.Occurrence.Begins = after(3 * time.Hour) }),
			said(routine.WasNotBegun, blocked),
			said(routine.IsBlocked, blocked),
			said(routine.EndedBadly, func(x *routine.Telling) { run(x); x.Occurrence.Detail = "cancelled" }),
			said(routine.OneTooMany, func(x *routine.Telling) {
				run(x)
				x.Visit = routine.Visit{Number: 13, Bought: 12, Year: 2026}
			}),
			said(routine.CaughtUp, func(x *routine.Telling) { x.Count, x.Last = 1, after(0) }),
			said(routine.CaughtUp, func(x *routine.Telling) { x.Count, x.Last = 7, after(168*time.Hour) }),
		} {
			m, err := all.Routine(told, delivery.Recipient{Language: language})
			if err != nil {
				t.Fatal(err)
			}
			if m.Language != language || m.Kind != delivery.Routine || strings.ContainsAny(m.Subject, "\n\r") || m.Subject == "" {
				t.Errorf("%s in %s: got %+v", told.About, language, m)
			}
			fmt.Fprintf(&b, "======== %s\nSubject: %s\n\n%s\n", told.About, m.Subject, m.Text)
		}
		golden(t, "routine."+language+".txt", b.String())
	}
	m, err := all.Routine(routine.Telling{About: "new", Definition: routine.Definition{ID: "check"}}, delivery.Recipient{Language: "en"})
	if err == nil || !strings.HasPrefix(m.Subject, "check: ") || m.Text != m.Subject {
		t.Errorf("without a text: got %+v, %v", m, err)
	}
}
