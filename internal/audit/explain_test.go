package audit_test

import (
	"slices"
	"strings"
	"testing"

	"muster/internal/audit"
	"muster/internal/timeline"
)

// kinds are those of the entries of an answer; the one that decides has a star.
func kinds(x audit.Answer) string {
	var all []string
	for _, e := range x.Entries {
		kind := string(e.Kind)
		if e.Seq == x.Decides {
			kind += "*"
		}
		all = append(all, kind)
	}
	return strings.Join(all, " ")
}

func TestWhySomebodyWasPaged(t *testing.T) {
	incident := replay(t, audit.Kept{Runs: open(t, of("incident-refused"))})
	for _, tc := range []struct {
		person         string
		pages, reached int
		others         []string
		want           string
	}{
		{"eve", 2, 0, nil, "incident.opened escalation.step* delivery.sending delivery.refused delivery.next delivery.sending delivery.refused"},
		{"Fay", 1, 1, []string{"Eve"}, "incident.opened escalation.step escalation.step-failed escalation.step* delivery.sending delivery.delivered"},
		{"cat", 1, 1, []string{"Eve", "Fay"}, "incident.opened escalation.step escalation.step-failed escalation.step escalated escalation.last-resort* delivery.sending delivery.delivered"},
		// One who is only reminded is not paged, and a contact method is nobody.
		{"gus", 0, 0, []string{"Eve", "Fay", "Cat"}, "incident.opened escalation.step escalation.step-failed escalation.step escalated escalation.last-resort escalation.ended* status.changed status.changed"},
		{"app", 0, 0, []string{"Eve", "Fay", "Cat"}, "incident.opened escalation.step escalation.step-failed escalation.step escalated escalation.last-resort escalation.ended* status.changed status.changed"},
	} {
		x, err := incident.ExplainPage(tc.person)
		if tc.pages > 0 {
			x.Others = x.Others[:min(len(x.Others), len(tc.others))] // whoever was paged after
		}
		if err != nil || x.Pages != tc.pages || x.Reached != tc.reached || !slices.Equal(x.Others, tc.others) || kinds(x.Answer) != tc.want {
			t.Errorf("%s: got %v, %d pages, %d reached, others %v\n%s\nwant %d, %d, %v\n%s",
				tc.person, err, x.Pages, x.Reached, x.Others, kinds(x.Answer), tc.pages, tc.reached, tc.others, tc.want)
		}
	}
	if _, err := replay(t, audit.Kept{Runs: open(t, of("usage"))}).ExplainPage("eve"); err == nil {
		t.Error("a ledger pages nobody, and no error says so")
	}
}

func TestWhyAnApprovalStands(t *testing.T) {
	run := &audit.Replayed{}
	for _, e := range []timeline.Entry{
		{Kind: timeline.EvidenceGiven, Facts: []timeline.Fact{timeline.F("task", "rehearsal")}}, // before anything was shown
		{Kind: timeline.VoteOpened, Facts: []timeline.Fact{timeline.F("task", "go"), timeline.F("sha256", "0123456789")}},
		{Kind: timeline.VoteCast, Facts: []timeline.Fact{timeline.F("task", "go")}},
		{Kind: timeline.VoteCast, Facts: []timeline.Fact{timeline.F("task", "stay")}},
		{Kind: timeline.VoteDecided, Facts: []timeline.Fact{timeline.F("task", "go")}},
		{Kind: timeline.EvidenceGiven, Facts: []timeline.Fact{timeline.F("task", "rehearsal")}},
		{Kind: timeline.Noted},
		{Kind: timeline.VoteVoided, Facts: []timeline.Fact{timeline.F("task", "go"), timeline.F("changed", "rehearsal")}},
		{Kind: timeline.TaskMoved, Facts: []timeline.Fact{timeline.F("task", "go")}},
		{Kind: timeline.VoteDecided, Facts: []timeline.Fact{timeline.F("task", "stay")}},
	} {
		e.Seq = len(run.Timeline) + 1
		run.Timeline = append(run.Timeline, e)
	}
	for of, want := range map[string]string{
		"go":       "vote.opened vote.cast vote.decided evidence.given vote.voided* task.status",
		"stay":     "vote.cast evidence.given vote.decided*",
		"01234567": "vote.opened evidence.given",
		"nothing":  "",
	} {
		if got := kinds(run.ExplainApproval(of)); got != want {
			t.Errorf("%s: got %s, want %s", of, got, want)
		}
	}
	if got := kinds(run.ExplainApproval("")); !strings.HasSuffix(got, "vote.voided vote.decided*") || strings.Contains(got, "note") {
		t.Errorf("of all: got %s", got)
	}
	review := replay(t, audit.Kept{Runs: open(t, of("review-published"))})
	if got := kinds(review.ExplainApproval("")); !strings.Contains(got, "review.refused") || !strings.HasSuffix(got, "review.text-approved*") {
		t.Errorf("of a review: got %s, want that its author was refused, and another person has approved", got)
	}
}

func TestWhichRuleHasChangedTheStatus(t *testing.T) {
	for name, want := range map[string]string{
		"incident-happy":   "incident.opened escalation.acknowledged status.changed status.changed alerts.all-resolved status.changed status.changed*",
		"upgrade-happy":    "plan.started plan.status*",
		"incident-refused": "incident.opened status.changed status.changed*",
		"usage":            "",
	} {
		if got := kinds(replay(t, audit.Kept{Runs: open(t, of(name))}).ExplainStatus()); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
