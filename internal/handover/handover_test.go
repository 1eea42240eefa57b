package handover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	lee   = timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "Lee"}
)

// terms hand primary over from kim to park, with one incident that kim leads.
func terms() handover.Terms {
	return handover.Terms{
		Schedule: "primary", Outgoing: kim, Incoming: park, Note: "watch the batch", Within: handover.Usual, Zone: "Asia/Seoul",
		Items:      []handover.Item{{Incident: "INC-1", Roles: []incident.Role{incident.IncidentManager}}},
		LastResort: []escalation.Target{{Kind: escalation.Person, ID: "ceo"}},
	}
}

func begun(t testing.TB, terms handover.Terms) *handover.Handover {
	t.Helper()
	h, err := handover.Start(terms, start)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func after(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// told says who is told what: "asked person:park".
func told(all []handover.Telling) (says []string) {
	for _, t := range all {
		says = append(says, fmt.Sprintf("%s %s", t.About, escalation.Shown(t.Targets)))
	}
	return says
}

func TestAHandoverThatIsNoneIsRefused(t *testing.T) {
	for want, change := range map[string]func(*handover.Terms){
		"schedule, outgoing or incoming: missing": func(t *handover.Terms) { t.Incoming = timeline.Actor{} },
		"want two people":                         func(t *handover.Terms) { t.Incoming = kim },
		"within 59s: want 1m0s to 12h0m0s":        func(t *handover.Terms) { t.Within = 59 * time.Second },
		"within 12h0m1s":                          func(t *handover.Terms) { t.Within = handover.Most + time.Second },
		"note: 4001 bytes; want 4000 at most":     func(t *handover.Terms) { t.Note = strings.Repeat("x", handover.MaxText+1) },
	} {
		bad := terms()
		change(&bad)
		if _, err := handover.Start(bad, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAnUnconfirmedHandoverGoesOnAskingUntilItLapses(t *testing.T) {
	h := begun(t, terms())
	if d := cmp.Diff([]string{"asked person:park"}, told(h.Advance(start))); d != "" {
		t.Errorf("at the start (-want +got):\n%s", d)
	}
	for _, tc := range []struct {
		minute int
		want   []string
	}{
		{7, nil},
		{8, []string{"again person:park"}}, // half-way
		{14, nil},
		{15, []string{"unconfirmed person:kim", "again person:park", "escalated person:ceo"}},
		{29, nil},
		{30, []string{"again person:park", "escalated person:ceo"}},
		{200, []string{"again person:park", "escalated person:ceo"}}, // nothing is made up for
		{214, nil},
		{24*60 - 1, []string{"again person:park", "escalated person:ceo"}},
		{24 * 60, []string{"over person:kim, person:park"}},
		{48 * 60, nil},
	} {
		if d := cmp.Diff(tc.want, told(h.Advance(after(tc.minute)))); d != "" {
			t.Errorf("after %d minutes (-want +got):\n%s", tc.minute, d)
		}
	}
	if h.Status != handover.Lapsed || !h.Over() || !h.NextDue().IsZero() || h.Rounds != 4 {
		t.Errorf("got %+v", h)
	}
}

func TestNobodyIsPagedWhereNoPolicyPagesTheSchedule(t *testing.T) {
	alone := terms()
	alone.LastResort = nil
	h := begun(t, alone)
	h.Advance(start)
	if d := cmp.Diff([]string{"unconfirmed person:kim", "again person:park"}, told(h.Advance(after(15)))); d != "" {
		t.Error(d)
	}
}

func TestWhoMayDoWhatWithAHandover(t *testing.T) {
	confirmed := func(h *handover.Handover) { handover.Confirm{}.Apply(h, park, after(3)) }
	declined := func(h *handover.Handover) { handover.Decline{Reason: "ill"}.Apply(h, park, after(3)) }
	lapsed := func(h *handover.Handover) { h.Advance(after(24 * 60)) }
	for _, tc := range []struct {
		name    string
		before  func(*handover.Handover)
		command handover.Command
		by      timeline.Actor
		want    string // empty: allowed
	}{
		{"the incoming person", nil, handover.Confirm{}, park, ""},
		{"the outgoing person", nil, handover.Confirm{}, kim, "confirm hand-over of primary: it comes from you: want 박서준, or somebody else instead"},
		{"a stranger", nil, handover.Confirm{}, lee, "confirm hand-over of primary: it goes to 박서준; whoever takes it instead says so: instead of park"},
		{"a stranger who says so", nil, handover.Confirm{InsteadOf: "park"}, lee, ""},
		{"instead of somebody else", nil, handover.Confirm{InsteadOf: "kim"}, lee, "instead of kim: it goes to 박서준 (park)"},
		{"the incoming person, needlessly", nil, handover.Confirm{InsteadOf: "park"}, park, ""},
		{"a note without end", nil, handover.Confirm{Note: strings.Repeat("x", 4_001)}, park, "note: 4001 bytes; want 4000 at most"},
		{"twice", confirmed, handover.Confirm{InsteadOf: "park"}, lee, "confirm hand-over of primary: it is confirmed since 2026-11-23T09:03:00Z by 박서준"},
		{"declined before", declined, handover.Confirm{}, park, "it is declined since 2026-11-23T09:03:00Z by 박서준"},
		{"too late", lapsed, handover.Confirm{}, park, "it is lapsed since 2026-11-24T09:00:00Z"},

		{"declined by the incoming person", nil, handover.Decline{Reason: "ill"}, park, ""},
		{"taken back", nil, handover.Decline{Reason: "the wrong person"}, kim, ""},
		{"declined by a stranger", nil, handover.Decline{Reason: "no"}, lee, "decline hand-over of primary: want 박서준 or 김민수"},
		{"declined without a reason", nil, handover.Decline{Reason: " "}, park, "reason: missing"},

		{"a note", nil, handover.Note{Text: "called her"}, lee, ""},
		{"no note", nil, handover.Note{}, lee, "text: missing"},
		{"a note while roles go over", confirmed, handover.Note{Text: "done"}, lee, ""},
		{"a note at the end", lapsed, handover.Note{Text: "done"}, lee, "note hand-over of primary: it is lapsed since"},

		{"roles before it is confirmed", nil, handover.Pass{}, park, "want whoever has confirmed it"},
		{"roles by another", confirmed, handover.Pass{}, kim, "want whoever has confirmed it"},
		{"roles", confirmed, handover.Pass{Roles: 1}, park, ""},
		{"roles that are known", func(h *handover.Handover) { confirmed(h); h.Advance(after(10)) }, handover.Pass{}, park, "it is known already"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := begun(t, terms())
			if tc.before != nil {
				tc.before(h)
			}
			err := tc.command.Check(h, tc.by)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestWhatFollowsFromADecision(t *testing.T) {
	for _, tc := range []struct {
		name    string
		command handover.Command
		by      timeline.Actor
		want    []string
		status  handover.Status
		over    bool
	}{
		{"confirmed", handover.Confirm{Note: "good night"}, park, []string{"over person:kim"}, handover.Confirmed, false}, // a role goes over
		{"taken instead", handover.Confirm{InsteadOf: "park"}, lee, []string{"over person:kim, person:park"}, handover.Confirmed, false},
		{"declined", handover.Decline{Reason: "ill"}, park, []string{"over person:kim"}, handover.Declined, true},
		{"taken back", handover.Decline{Reason: "wrong"}, kim, []string{"over person:park"}, handover.Declined, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := begun(t, terms())
			h.Advance(start)
			tc.command.Apply(h, tc.by, after(3))
			if d := cmp.Diff(tc.want, told(h.Advance(after(3)))); d != "" {
				t.Errorf("told (-want +got):\n%s", d)
			}
			if h.Status != tc.status || h.Over() != tc.over || h.EndedBy != tc.by.Shown() {
				t.Errorf("%s, over %v, by %s", h.Status, h.Over(), h.EndedBy)
			}
			if tc.status == handover.Confirmed && h.Incoming != tc.by {
				t.Errorf("it goes to %s, want whoever has confirmed it", h.Incoming.Shown())
			}
		})
	}
}

func TestTheRolesGoOverOrItIsSaidThatNobodyKnows(t *testing.T) {
	h := begun(t, terms())
	handover.Confirm{}.Apply(h, park, after(3))
	failed := []handover.Failure{{Incident: "INC-1", Role: "incident-manager", Detail: "it is closed"}}
	handover.Pass{Failures: failed}.Apply(h, park, after(4))
	last := h.Timeline.Entries[len(h.Timeline.Entries)-1]
	if !h.Over() || last.Kind != timeline.HandoverPassed || last.Fact("detail") != "INC-1 incident-manager: it is closed" || last.Fact("count") != "0" {
		t.Errorf("over %v, and %+v", h.Over(), last)
	}

	h = begun(t, terms())
	handover.Confirm{}.Apply(h, park, after(3))
	if due := h.NextDue(); due != after(5) {
		t.Errorf("next due %s, want two minutes after the confirmation", due)
	}
	h.Advance(after(5))
	if last := h.Timeline.Entries[len(h.Timeline.Entries)-1]; !h.Over() || last.Kind != timeline.HandoverUnknown {
		t.Errorf("over %v, and %+v", h.Over(), last)
	}

	none := terms()
	none.Items[0].Roles = nil
	h = begun(t, none)
	handover.Confirm{}.Apply(h, park, after(3))
	if !h.Over() {
		t.Error("it waits for roles that do not go over")
	}
}

// Whatever happens, a hand-over that is not over has something due, in the future and before its end; and Advance says the
// same whether it is asked every minute or only now and then.
func TestAnOpenHandoverAlwaysHasSomethingDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begins := terms()
		begins.Within = time.Duration(rapid.Int64Range(int64(handover.Least), int64(handover.Most)).Draw(t, "within"))
		h, err := handover.Start(begins, start)
		if err != nil {
			t.Fatal(err)
		}
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "later")))
			h.Advance(now)
			by := rapid.SampledFrom([]timeline.Actor{kim, park, lee}).Draw(t, "by")
			c := rapid.SampledFrom([]handover.Command{
				handover.Note{Text: "x"},
				handover.Note{},
				handover.Confirm{},
				handover.Confirm{InsteadOf: "park"},
				handover.Decline{Reason: "x"},
				handover.Pass{Roles: 1},
			}).Draw(t, "command")
			if rapid.IntRange(0, 9).Draw(t, "whether") == 0 && c.Check(h, by) == nil {
				c.Apply(h, by, now)
				h.Advance(now)
			}
			due := h.NextDue()
			switch {
			case h.Over() != due.IsZero():
				t.Fatalf("%s, over %v, next due %s", h.Status, h.Over(), due)
			case !due.IsZero() && (!due.After(now) || h.Status == handover.Open && due.After(h.Ends)):
				t.Fatalf("at %s next due %s, ends %s", now, due, h.Ends)
			case h.Status == handover.Open && !now.Before(h.Ends):
				t.Fatalf("open at %s, although it ends at %s", now, h.Ends)
			case h.Status == handover.Open && (h.Rounds > 0) != !now.Before(h.Due):
				t.Fatalf("at %s, due %s: %d rounds", now, h.Due, h.Rounds)
			}
		}
	})
}
