package api_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"muster/starter/api"
)

func TestHealth(t *testing.T) {
	well := func(context.Context) error { return nil }
	ill := func(context.Context) error { return errors.New("does not answer") }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return errors.New("takes too long") }
	temporal := api.Check{Name: "temporal", Func: well}
	for _, tc := range []struct {
		name   string
		checks []api.Check
		path   string
		status int
		body   string
	}{
		{"live", []api.Check{{Name: "temporal", Func: ill}}, "/livez", 200, "ok\n"},
		{"ready", []api.Check{temporal}, "/readyz", 200, "ok\n"},
		{"older name", []api.Check{temporal}, "/healthz", 200, "ok\n"},
		{"verbose", []api.Check{temporal, {Name: "tokens", Func: well}}, "/readyz?verbose", 200, "[+]temporal ok\n[+]tokens ok\nok\n"},
		{"not ready", []api.Check{temporal, {Name: "tokens", Func: ill}}, "/readyz", 503, "[+]temporal ok\n[-]tokens does not answer\nnot ready\n"},
		{"informs", []api.Check{temporal, {Name: "backlog", Func: ill, Inform: true}}, "/readyz?verbose", 200, "[+]temporal ok\n[-]backlog does not answer\nok\n"},
		{"notes", []api.Check{{Name: "folder", Func: well, Note: func(context.Context) string { return "revision 12" }}}, "/readyz?verbose", 200, "[+]folder ok, revision 12\nok\n"},
		{"a note that hangs", []api.Check{{Name: "folder", Func: well, Note: func(ctx context.Context) string { <-ctx.Done(); return "not read now" }}}, "/readyz?verbose", 200, "[+]folder ok, not read now\nok\n"},
		{"hangs", []api.Check{{Name: "temporal", Func: hangs}, {Name: "tokens", Func: well}}, "/readyz", 503, "[-]temporal takes too long\n[+]tokens ok\nnot ready\n"},
	} {
		w := httptest.NewRecorder()
		api.Health(tc.checks...).ServeHTTP(w, httptest.NewRequest("GET", tc.path, nil))
		if w.Code != tc.status || w.Body.String() != tc.body {
			t.Errorf("%s: got %d %q, want %d %q", tc.name, w.Code, w.Body, tc.status, tc.body)
		}
	}
	w := httptest.NewRecorder()
	if api.Health().ServeHTTP(w, httptest.NewRequest("POST", "/readyz", nil)); w.Code != 405 {
		t.Errorf("POST: got %d", w.Code)
	}
}
