package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A team is asked by what the folder says of it, and of nobody else: its name, who of it may answer, and until when.
func TestATeamIsAskedToHelp(t *testing.T) {
	p := newPlace(t)
	for body, want := range map[string]string{
		`{"team":"group:outsiders","note":"x"}`:                         `nobody of \"group:outsiders\" may acknowledge this incident`,
		`{"team":"group:nobody","note":"x"}`:                            `not in the organisation folder`,
		`{"team":"group:desk","person":"kim","note":"x"}`:               `want one of them`,
		`{"team":"group:desk","members":["x"],"note":"x"}`:              `members`,
		`{"team":"group:desk","agreement":{},"note":"x"}`:               `agreement`,
		`{"team":"group:desk","due":"2030-01-01T00:00:00Z","note":"x"}`: `due`,
	} {
		if w := p.ask("POST", at+"/responders", body); w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
	if w := p.ask("POST", at+"/responders", `{"team":"group:desk","note":"take over"}`); w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	all := p.incidents[open].Summons
	if len(all) != 1 || all[0].Team != "group:desk" || all[0].Name != "Desk" || !slices.Equal(all[0].Members, []string{"kim"}) || all[0].Person != "" {
		t.Fatalf("asked %+v", all)
	}
	if a := all[0].Agreement; a == nil || a.ID != "park-desk" || !all[0].Due.Equal(p.now.Add(15*time.Minute)) {
		t.Errorf("by %+v until %s", a, all[0].Due)
	}
}
