package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// What a responder needs first is for the provider's own people: not for whoever works with them, nor for customers.
func TestWhoReadsTheTriageRecord(t *testing.T) {
	own := map[string]bool{"01": true, "02": true, "03": true, "04": true, "12": true, "13": true, "18": true}
	seen := 0
	for name, token := range visitors() {
		for _, path := range []string{"", "/report", "/report?format=html"} {
			p := newPlace(t)
			p.person = p.token(t, token)
			w := p.ask(http.MethodGet, "/api/v1/incidents/"+string(open)+path, "")
			if w.Code != http.StatusOK {
				continue
			}
			seen++
			if got := strings.Contains(w.Body.String(), "FOR-THE-HOUSE"); got != own[name[:2]] {
				t.Errorf("%s reads it in %q: %t", name, path, got)
			}
		}
	}
	if seen < 25 {
		t.Errorf("only %d answers were looked at", seen)
	}
}
