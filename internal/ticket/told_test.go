package ticket_test

import (
	"testing"

	"muster/internal/ticket"
)

func TestEchoes(t *testing.T) {
	over, open := ticket.Mark{Key: "INC-1", Revision: 3, Status: "merged", Priority: "P1"}, ticket.Mark{Key: "INC-1", Revision: 4, Status: "triggered", Priority: "P1"}
	for _, tt := range []struct {
		what  string
		told  ticket.Told
		mark  ticket.Mark
		maker bool
		want  bool
	}{
		{"its own comment", ticket.Told{Deed: ticket.Commented, Text: "merged\n<!-- " + over.String() + " -->\n"}, over, true, true},
		{"its own comment, by its mark alone", ticket.Told{Deed: ticket.Commented, Text: over.String()}, ticket.Mark{}, false, true},
		{"one that quotes it", ticket.Told{Deed: ticket.Commented, Text: "> " + over.String() + "\n\nNo."}, over, true, false},
		{"one by the same user", ticket.Told{Deed: ticket.Commented, Text: "No."}, over, true, false},
		{"resolved by it", ticket.Told{Deed: ticket.Resolved}, over, false, true},
		{"resolved by somebody", ticket.Told{Deed: ticket.Resolved}, open, true, false},
		{"resolved, and nobody knows what it said", ticket.Told{Deed: ticket.Resolved}, ticket.Mark{}, true, false},
		{"reopened by it", ticket.Told{Deed: ticket.Reopened}, open, true, true},
		{"reopened by somebody else", ticket.Told{Deed: ticket.Reopened}, open, false, false},
		{"reopened against it", ticket.Told{Deed: ticket.Reopened}, over, true, false},
		{"reopened, and nobody knows what it said", ticket.Told{Deed: ticket.Reopened}, ticket.Mark{}, true, false},
	} {
		if got := tt.told.Echo(tt.mark, tt.maker); got != tt.want {
			t.Errorf("%s: got %t", tt.what, got)
		}
	}
}
