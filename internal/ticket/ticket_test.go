package ticket_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"muster/internal/ticket"
)

func TestHeading(t *testing.T) {
	for _, tt := range []struct {
		title string
		most  int
		want  string
	}{
		{"[P1] Shop is down (INC-1)", 100, "[P1] Shop is down (INC-1)"},
		{"[P1] Shop is down", 100, "[P1] Shop is down (INC-1)"},
		{"[P1] Shop is down (INC-1)", 20, "[P1] Shop i… (INC-1)"},
		{"[P1] 결제 서비스 장애 (INC-1)", 18, "[P1] 결제 서… (INC-1)"},
		{"", 100, "(INC-1)"},
	} {
		got := ticket.Ticket{Key: "INC-1", Title: tt.title}.Heading(tt.most)
		if got != tt.want || utf8.RuneCountInString(got) > tt.most {
			t.Errorf("%q in %d: got %q, want %q", tt.title, tt.most, got, tt.want)
		}
	}
}

func TestSafeKey(t *testing.T) {
	for key, want := range map[string]bool{
		"INC-7K3M9QX2PA": true, "MUSTER-TEST-20261126T101500Z": true, "": false, "a b": false, "a/b": false, "a\"b": false, "a:b": false,
		"-a": false, "a^b": false, "인시던트": false, strings.Repeat("a", 64): false, "a\n": false,
	} {
		if got := ticket.SafeKey(key); got != want {
			t.Errorf("%q: got %v", key, got)
		}
	}
}

// What is written is read again, whatever stands before it, another mark of the same key included.
func TestMarksComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := ticket.Mark{
			Key: rapid.StringMatching(`[A-Z0-9][A-Z0-9-]{0,40}`).Draw(r, "key"), Revision: rapid.IntRange(0, 999_999_999).Draw(r, "revision"),
			Status:   rapid.SampledFrom([]string{"triggered", "resolved", "merged"}).Draw(r, "status"),
			Priority: rapid.SampledFrom([]string{"P1", "P5", ""}).Draw(r, "priority"),
		}
		forged := ticket.Mark{Key: m.Key, Revision: 999_999_999, Status: "closed", Priority: "P1"}
		before := rapid.SampledFrom([]string{"", forged.String(), "muster:", "muster:X:1:"}).Draw(r, "before") + rapid.String().Draw(r, "text")
		if got := ticket.FindMark(before+"\n<!-- "+m.String()+" -->", m.Key); got != m {
			r.Fatalf("got %+v, want %+v", got, m)
		}
		if got := ticket.FindMark("\n"+m.String(), m.Key+"-2"); got != (ticket.Mark{}) {
			r.Fatalf("the mark of another key was taken: %+v", got)
		}
		other := ticket.Mark{Key: m.Key + "-2", Revision: 1, Status: "triggered", Priority: "P1"}
		if got := ticket.FindMark(m.String()+"\n"+other.String(), m.Key); got != (ticket.Mark{}) {
			r.Fatalf("the ticket of another key that speaks of this one was taken: %+v", got)
		}
	})
}

func TestWhatACommentIsAbout(t *testing.T) {
	now := ticket.Ticket{Key: "INC-1", Revision: 12, Status: "acknowledged", Priority: "P1", Note: "acknowledged"}
	for _, tt := range []struct {
		mark ticket.Mark
		want bool
	}{
		{ticket.Mark{"INC-1", 3, "acknowledged", "P1"}, false},
		{ticket.Mark{"INC-1", 3, "triggered", "P1"}, true},
		{ticket.Mark{"INC-1", 3, "acknowledged", "P2"}, true},
		{ticket.Mark{}, true},
	} {
		if got := tt.mark.Told(now); got != tt.want {
			t.Errorf("%+v: got %v", tt.mark, got)
		}
	}
	if (ticket.Mark{}).Told(ticket.Ticket{Status: "triggered"}) {
		t.Error("a comment of no words")
	}
	for text, want := range map[string]bool{"x muster:INC-1:12:acknowledged:P1": true, "muster:INC-1:1:triggered:P1": false, "muster:INC-1:121:closed:P1": false} {
		if got := now.Mark().Noted(text); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
