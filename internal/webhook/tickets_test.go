package webhook_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/ticket"
	"muster/internal/webhook"
)

func aTicket() ticket.Ticket {
	return ticket.Ticket{
		Key: "incident/9f3.1", Revision: 3, At: time.Date(2026, 11, 22, 19, 0, 0, 0, time.FixedZone("KST", 9*3600)),
		Title: "장애", Text: "shop is down", Status: "triggered", Priority: "P1", Service: "shop", Language: "ko",
	}
}

func TestTicketsOpenReadsAnyAnswer(t *testing.T) {
	long := strings.Repeat("x", 201)
	tests := map[string]struct {
		status int
		reply  string
		want   ticket.Ref
	}{
		"id and url":          {201, `{"id":"SHOP-7","url":"https://desk.example.com/SHOP-7"}`, ticket.Ref{ID: "SHOP-7", URL: "https://desk.example.com/SHOP-7"}},
		"more than that":      {200, `{"id":"SHOP-7","self":{"x":1}}`, ticket.Ref{ID: "SHOP-7"}},
		"a number":            {200, `{"id":9007199254740993}`, ticket.Ref{ID: "9007199254740993"}},
		"only a url":          {200, `{"url":"http://desk.example.com/1"}`, ticket.Ref{ID: "incident/9f3.1", URL: "http://desk.example.com/1"}},
		"nothing":             {204, ``, ticket.Ref{ID: "incident/9f3.1"}},
		"text":                {200, `ok`, ticket.Ref{ID: "incident/9f3.1"}},
		"a list":              {200, `[1]`, ticket.Ref{ID: "incident/9f3.1"}},
		"empty id":            {200, `{"id":"","url":""}`, ticket.Ref{ID: "incident/9f3.1"}},
		"id of another type":  {200, `{"id":{"a":1},"url":"https://desk.example.com/"}`, ticket.Ref{ID: "incident/9f3.1", URL: "https://desk.example.com/"}},
		"url of another type": {200, `{"url":7,"id":"A"}`, ticket.Ref{ID: "A"}},
		"endless id":          {200, `{"id":"` + long + `"}`, ticket.Ref{ID: "incident/9f3.1"}},
		"id in two lines":     {200, `{"id":"A\nB"}`, ticket.Ref{ID: "incident/9f3.1"}},
		"url that runs":       {200, `{"id":"A","url":"javascript:alert(1)"}`, ticket.Ref{ID: "A"}},
		"url without host":    {200, `{"id":"A","url":"/tickets/A"}`, ticket.Ref{ID: "A"}},
		"endless body":        {200, `{"id":"A","text":"` + strings.Repeat(long, 1000) + `"}`, ticket.Ref{ID: "incident/9f3.1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url, _ := receiver(t, tt.status, tt.reply)
			got, err := (&webhook.Tickets{Client: client(), URL: url}).Open(t.Context(), aTicket())
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestTicketsOnTheWire(t *testing.T) {
	url, got := receiver(t, http.StatusOK, `{"id":"SHOP-7"}`)
	tickets := &webhook.Tickets{Client: client(), URL: url, Secret: prefixedSecret}
	ref, err := tickets.Open(t.Context(), aTicket())
	if err != nil {
		t.Fatal(err)
	}
	if err := tickets.Update(t.Context(), ref, aTicket()); err != nil {
		t.Fatal(err)
	}
	rest := `"ticket":{"key":"incident/9f3.1","revision":3,"at":"2026-11-22T10:00:00Z","title":"장애","text":"shop is down",` +
		`"status":"triggered","priority":"P1","service":"shop","language":"ko"}}`
	want := []string{
		`{"type":"ticket.open","id":"incident/9f3.1/3",` + rest,
		`{"type":"ticket.update","id":"incident/9f3.1/3","ref":{"id":"SHOP-7"},` + rest,
	}
	if len(got()) != len(want) {
		t.Fatalf("%d requests arrived, want %d", len(got()), len(want))
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(prefixedSecret, "whsec_"))
	for i, r := range got() {
		if string(r.body) != want[i] {
			t.Errorf("got %s\nwant %s", r.body, want[i])
		}
		for _, name := range []string{"Webhook-Id", "Idempotency-Key"} {
			if r.header.Get(name) != "incident/9f3%2E1/3" {
				t.Errorf("%s is %q", name, r.header.Get(name))
			}
		}
		verify(t, key, r)
	}
}

func TestTicketsPassTheVerdictOn(t *testing.T) {
	for status, final := range map[int]bool{http.StatusNotFound: true, http.StatusBadGateway: false} {
		url, _ := receiver(t, status, "")
		tickets := &webhook.Tickets{Client: client(), URL: url}
		_, opened := tickets.Open(t.Context(), aTicket())
		for _, err := range []error{opened, tickets.Update(t.Context(), ticket.Ref{ID: "A"}, aTicket())} {
			if err == nil || delivery.IsRefusal(err) != final {
				t.Errorf("%d: got %v, want final: %v", status, err, final)
			}
		}
	}
}

// A ticket whose name got lost on the way must be asked for again, not given another name.
func TestTicketsOpenWithTheAnswerCutOff(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"id":"SH`)
	}))
	defer srv.Close()
	ref, err := (&webhook.Tickets{Client: client(), URL: srv.URL}).Open(t.Context(), aTicket())
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok || ref != (ticket.Ref{}) {
		t.Errorf("got %+v, %v, want unavailable", ref, err)
	}
	if err := (&webhook.Tickets{Client: client(), URL: srv.URL}).Update(t.Context(), ref, aTicket()); err != nil {
		t.Errorf("update: got %v, although the receiver took it", err)
	}
}

func TestTicketsWithoutURL(t *testing.T) {
	if _, err := (&webhook.Tickets{Client: client()}).Open(t.Context(), aTicket()); !delivery.IsRefusal(err) {
		t.Errorf("got %v, want a refusal", err)
	}
}
