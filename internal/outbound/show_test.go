package outbound_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

func TestNewDelivery(t *testing.T) {
	e := delivery.Envelope{
		ID: "incident/1/page/2", Attempt: 2, Repeated: true,
		At:        time.Date(2026, 11, 22, 19, 0, 0, 0, time.FixedZone("KST", 9*3600)),
		Recipient: delivery.Recipient{ID: "park", Name: "박지수", Language: "ko", Methods: []string{"hook"}},
		Contact:   delivery.Contact{Method: "hook", Address: "https://s3cret.example.com/s3cret", Secret: "s3cret"},
		Message: delivery.Message{
			Kind: delivery.Page, Language: "ko", Subject: "장애", Text: "확인해 주세요", Incident: "INC-1", Priority: "P1",
			Status: "triggered", Service: "shop", URL: "https://muster.example.com/i/INC-1",
		},
	}
	got, err := json.MarshalIndent(outbound.NewDelivery(e), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "type": "delivery.page",
  "id": "incident/1/page/2",
  "attempt": 2,
  "possibly_repeated": true,
  "at": "2026-11-22T10:00:00Z",
  "recipient": {
    "id": "park",
    "name": "박지수",
    "language": "ko"
  },
  "message": {
    "kind": "page",
    "language": "ko",
    "subject": "장애",
    "text": "확인해 주세요",
    "incident": "INC-1",
    "priority": "P1",
    "status": "triggered",
    "service": "shop",
    "url": "https://muster.example.com/i/INC-1"
  }
}`
	if string(got) != want { // receivers depend on every byte of these names
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A receiver learns what comes along, but not where it lies with us.
func TestNewDeliveryNamesAttachments(t *testing.T) {
	a := delivery.Attachment{Name: "결과.html", Type: "text/html; charset=utf-8", SHA256: "ab", Path: "INC-1/s3cret.html"}
	d := outbound.NewDelivery(delivery.Envelope{
		Message:  delivery.Message{Attachments: []delivery.Attachment{a}},
		Attached: []delivery.Attached{{Attachment: a, Content: []byte("<p>")}},
	})
	got, err := json.Marshal(d)
	if err != nil || strings.Contains(string(got), "s3cret") {
		t.Errorf("got %s, %v", got, err)
	}
	const want = `,"attachments":[{"name":"결과.html","type":"text/html; charset=utf-8","sha256":"ab"}]}`
	if !strings.HasSuffix(string(got), want) {
		t.Errorf("got %s\nwant %s at its end", got, want)
	}
}

func TestLine(t *testing.T) {
	tests := []struct {
		text  string
		limit int
		want  string
	}{
		{"", 5, ""},
		{"plain", 5, "plain"},
		{"longer", 5, "longe…"},
		{"장애가 났습니다", 3, "장애가…"},
		{"  a\r\n\tb\u2028c\u00a0d  ", 20, "a b c d"},
		{"\x1b[31mred\x07", 20, "�[31mred�"},
		{"gpj.\u202eexe", 20, "gpj.�exe"}, // reversed reading
		{"bad \xff utf-8", 20, "bad � utf-8"},
		{"c1 \u009b31m", 20, "c1 �31m"},
	}
	for _, tt := range tests {
		if got := outbound.Line(tt.text, tt.limit); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\nb\x1b[2J\u202e\xff", 5)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := outbound.Line(text, limit)
		if strings.ContainsAny(got, "\n\r\x1b\u2028\u202e") || len([]rune(got)) > limit+1 || outbound.Printable(got) != got {
			t.Errorf("%q: got %q", text, got)
		}
	})
}
