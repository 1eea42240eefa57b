package callback_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/starter/callback"
)

func TestAct(t *testing.T) {
	for _, tt := range []struct {
		name    string
		before  func(p *place)
		person  string
		on      incident.ID
		content string
		action  link.Action
		want    string
		text    string
		noted   int
	}{
		{name: "acknowledged", person: "kim", action: link.Acknowledge, want: "done", text: "INC-7K3M9QX2PA: 확인(ACK)했습니다."},
		{name: "in the language of whoever asks", person: "park", action: link.Escalate, want: "done", text: "INC-7K3M9QX2PA: the next step is being paged."},
		{name: "resolved", person: "kim", action: link.Resolve, want: "done", text: "INC-7K3M9QX2PA: 해결로 처리했습니다."},
		{
			name: "acknowledged elsewhere by the same person", person: "kim", action: link.Acknowledge, want: "done", text: "INC-7K3M9QX2PA: 확인(ACK)했습니다.",
			before: func(p *place) { p.elsewhere("kim", "김민준", incident.Acknowledge{}) },
		},
		{
			name: "taken", person: "kim", action: link.Acknowledge, want: "taken", noted: 1,
			text:   "INC-7K3M9QX2PA: 담당자(이서연)가 이미 확인(ACK)했습니다. 더 하실 일은 없습니다.",
			before: func(p *place) { p.elsewhere("lee", "이서연", incident.Acknowledge{}) },
		},
		{
			name: "over", person: "kim", action: link.Acknowledge, want: "over", noted: 1, text: "INC-7K3M9QX2PA: 이미 끝난 장애입니다. 더 하실 일은 없습니다.",
			before: func(p *place) { p.elsewhere("lee", "이서연", incident.Resolve{Note: "x"}) },
		},
		{name: "gone", person: "kim", on: "INC-0000000000", action: link.Acknowledge, want: "over", text: "이미 끝난 장애입니다. 더 하실 일은 없습니다."},
		{name: "another title", person: "kim", content: link.OfIncident(string(open), "Other", "Seoul platform"), action: link.Acknowledge, want: "changed", noted: 1},
		{name: "a customer's", person: "garam/it-desk", action: link.Acknowledge, want: "denied", noted: 1},
		{name: "nobody", person: "who", action: link.Acknowledge, want: "denied", noted: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			if tt.before != nil {
				tt.before(p)
			}
			on, content := tt.on, tt.content
			if on == "" {
				on = open
			}
			if content == "" {
				content = shown()
			}
			before := len(p.incident.Decided)
			name, text, err := p.Act(httptest.NewRequest(http.MethodPost, "/", nil), "1", tt.person, on, content, tt.action, "button")
			if err != nil {
				t.Fatal(err)
			}
			if name != tt.want || tt.text != "" && text != tt.text || len(p.attempts) != tt.noted {
				t.Errorf("got %s %q with %d attempts noted, want %s %q with %d", name, text, len(p.attempts), tt.want, tt.text, tt.noted)
			}
			if made := len(p.incident.Decided) - before; tt.before == nil && (made == 1) != (tt.want == "done") {
				t.Errorf("%d decisions for %s", made, tt.want)
			}
		})
	}
}

// What a tool sends again is the same decision, whatever has become of the incident.
func TestActAgain(t *testing.T) {
	p := newPlace(t)
	for range 2 {
		if name, _, err := p.Act(httptest.NewRequest(http.MethodPost, "/", nil), "1", "kim", open, shown(), link.Resolve, "button"); err != nil || name != "done" {
			t.Fatalf("got %s, %v", name, err)
		}
	}
	if len(p.attempts) != 0 {
		t.Errorf("noted: %+v", p.attempts)
	}
	p.away = errors.New("away")
	if _, _, err := p.Act(httptest.NewRequest(http.MethodPost, "/", nil), "2", "kim", open, shown(), link.Acknowledge, ""); !errors.Is(err, p.away) {
		t.Errorf("got %v, want that the engine is away", err)
	}
}

func TestRefusedRequests(t *testing.T) {
	p := newPlace(t)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, callback.Prefix + "nothing", http.StatusNotFound},
		{http.MethodPost, callback.Prefix, http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, strings.NewReader("{}")))
		if w.Code != tt.want {
			t.Errorf("%s %s: got %d, want %d: %s", tt.method, tt.path, w.Code, tt.want, w.Body)
		}
	}
}
