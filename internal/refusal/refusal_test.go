package refusal_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"muster/internal/refusal"
)

func TestWriteFollowsRFC9457(t *testing.T) {
	for _, tc := range []struct {
		name       string
		give       refusal.Body
		status     int
		body       string
		retryAfter string
	}{
		{"zero", refusal.Body{}, 500, `{"title":"Internal Server Error","status":500}`, ""},
		{
			"whole",
			refusal.Body{Type: "https://example.com/p", Title: "T", Status: 409, Detail: "d", Field: "f"},
			409,
			`{"type":"https://example.com/p","title":"T","status":409,"detail":"d","field":"f"}`, "",
		},
		{"retry", refusal.Body{Status: 503, RetryAfter: 1100 * time.Millisecond}, 503, `{"title":"Service Unavailable","status":503}`, "2"},
		{"no fault", refusal.Of(400), 400, `{"title":"Bad Request","status":400}`, ""},
		{"one fault", refusal.Of(400, refusal.Fault{"a", "x"}), 400, `{"title":"Bad Request","status":400,"detail":"x","field":"a"}`, ""},
		{
			"two faults", refusal.Of(400, refusal.Fault{"a", "x"}, refusal.Fault{"b", "y"}), 400,
			`{"title":"Bad Request","status":400,"detail":"x","field":"a","errors":[{"field":"a","detail":"x"},{"field":"b","detail":"y"}]}`, "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tc.give.Write(w)
			if w.Code != tc.status || w.Header().Get("Retry-After") != tc.retryAfter {
				t.Errorf("got %d, Retry-After %q; want %d, %q", w.Code, w.Header().Get("Retry-After"), tc.status, tc.retryAfter)
			}
			if got := w.Header().Get("Content-Type"); got != refusal.ContentType {
				t.Errorf("got content type %q", got)
			}
			if w.Body.String() != tc.body {
				t.Errorf("got  %s\nwant %s", w.Body, tc.body)
			}
			var back refusal.Body
			if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil {
				t.Fatal(err)
			}
			if tc.give.Errors != nil && !reflect.DeepEqual(back.Errors, tc.give.Errors) {
				t.Errorf("a client reads %v, want %v", back.Errors, tc.give.Errors)
			}
		})
	}
}

func TestErrorSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		give refusal.Body
		want string
	}{
		{refusal.Body{Status: http.StatusConflict}, "Conflict"},
		{refusal.Body{Detail: "d"}, "d"},
		{refusal.Of(400, refusal.Fault{"a", "x"}, refusal.Fault{"b", "y"}), "a: x"},
	} {
		if got := tc.give.Error(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
