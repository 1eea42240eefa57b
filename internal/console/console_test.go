package console_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/console"
	"muster/internal/delivery"
)

func envelope() delivery.Envelope {
	return delivery.Envelope{
		ID: "incident/9f3/run/page/park/1", Attempt: 1,
		At:        time.Date(2026, 11, 22, 19, 0, 0, 0, time.FixedZone("KST", 9*3600)),
		Recipient: delivery.Recipient{ID: "park", Name: "박지수", Language: "ko"},
		Contact:   delivery.Contact{Method: "file", Address: "park.jsonl", Secret: "s3cret"},
		Message:   delivery.Message{Kind: delivery.Page, Subject: "[P1] shop is down", Text: "결제가 안 됩니다.\n\n  - 확인: muster incident ack INC-1\n"},
	}
}

func TestSend(t *testing.T) {
	plain, repeated, empty, evil := envelope(), envelope(), envelope(), envelope()
	repeated.Repeated = true
	empty.Message.Text = ""
	evil.Recipient.Name = "Kim\x1b]0;title\x07"
	evil.Recipient.ID = "kim\n2026-11-22T10:00:00Z page to nobody"
	evil.Message.Subject = "a\r\nb\u2028c\u0085d"
	evil.Message.Text = "one\r2026-11-22T10:00:00Z page to nobody\n\x1b[2Jtwo\u202e\nthree\x00\xff"
	carries, korean, document := empty, empty, func(name string, size int) delivery.Attached {
		return delivery.Attached{Attachment: delivery.Attachment{Name: name, Path: "INC-1/x"}, Content: make([]byte, size)}
	}
	carries.Attached = []delivery.Attached{document("a\n\x1b[2J.md", 11_001), document("b.html", 1_000_001), document("c", 0)}
	korean.Message.Language = "ko"
	korean.Attached = []delivery.Attached{document("결과.html", 12_000)}
	tests := map[string]struct {
		envelope delivery.Envelope
		want     string
	}{
		"with documents": {carries, "2026-11-22T10:00:00Z page to 박지수 (park): [P1] shop is down\n" +
			"  + attached: a �[2J.md (12 kB)\n  + attached: b.html (1.1 MB)\n  + attached: c (0 kB)\n"},
		"with a document, in Korean": {korean, "2026-11-22T10:00:00Z page to 박지수 (park): [P1] shop is down\n  + 첨부: 결과.html (12 kB)\n"},
		"plain": {plain, "2026-11-22T10:00:00Z page to 박지수 (park): [P1] shop is down\n" +
			"  | 결제가 안 됩니다.\n  |\n  |   - 확인: muster incident ack INC-1\n"},
		"repeated": {repeated, "2026-11-22T10:00:00Z page to 박지수 (park): [P1] shop is down (possibly repeated)\n" +
			"  | 결제가 안 됩니다.\n  |\n  |   - 확인: muster incident ack INC-1\n"},
		"without text": {empty, "2026-11-22T10:00:00Z page to 박지수 (park): [P1] shop is down\n"},
		"hostile": {evil, "2026-11-22T10:00:00Z page to Kim�]0;title� (kim 2026-11-22T10:00:00Z page to nobody): a  b c d\n" +
			"  | one 2026-11-22T10:00:00Z page to nobody\n  | �[2Jtwo�\n  | three��\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := (&console.Sender{W: &out}).Send(t.Context(), tt.envelope); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("got\n%q\nwant\n%q", out.String(), tt.want)
			}
		})
	}
}

// pieces remembers each Write. It is not safe for concurrent use: the race detector watches it.
type pieces struct{ all []string }

func (p *pieces) Write(b []byte) (int, error) {
	p.all = append(p.all, string(b))
	return len(b), nil
}

func TestSendInOnePiece(t *testing.T) {
	out := &pieces{}
	sender := &console.Sender{W: out}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := sender.Send(t.Context(), envelope()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(out.all) != 50 {
		t.Errorf("%d writes, want 50", len(out.all))
	}
	for _, piece := range out.all {
		if strings.Count(piece, "\n") != 4 || !strings.HasSuffix(piece, "\n") {
			t.Fatalf("a write of %q", piece)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestSendWithoutOutput(t *testing.T) {
	if err := new(console.Sender).Send(t.Context(), envelope()); !delivery.IsRefusal(err) {
		t.Errorf("got %v, want a refusal", err)
	}
	err := (&console.Sender{W: broken{}}).Send(t.Context(), envelope())
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok {
		t.Errorf("got %v, want unavailable", err)
	}
}
