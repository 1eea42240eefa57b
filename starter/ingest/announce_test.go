package ingest_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/starter"
	"muster/starter/ingest"
)

// What a cloud announces goes to its plan; where that cannot be started, to people; where none is for it, to the log; and where nobody
// knows, it is posted again.
func TestWhatIsAnnounced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		known  bool
		err    error
		status int
		opens  int
	}{
		{"a plan is started", true, nil, http.StatusOK, 0},
		{"there is no plan for it", false, nil, http.StatusOK, 0},
		{"the plan does not fit", true, &org.PlanRefusal{Faults: []org.Fault{{File: "roles.x", Text: "nobody fills it"}}}, http.StatusOK, 1},
		{"the run is refused", true, &starter.RefusedError{Reason: "no"}, http.StatusOK, 1},
		{"the engine is away", true, &starter.UnavailableError{Cause: errors.New("away")}, http.StatusServiceUnavailable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told []alert.Notice
			e := newEngine()
			in := intake(t, e, func(c *ingest.Config) {
				c.Sources = []ingest.Source{{ID: "cloud", Type: alert.EventBridge}}
				c.Announce = func(_ context.Context, source string, n alert.Notice) (bool, error) {
					if source != "cloud" {
						t.Errorf("announced by %s", source)
					}
					told = append(told, n)
					return tt.known, tt.err
				}
			})
			body, err := os.ReadFile("testdata/eventbridge/health-lifecycle.json")
			if err != nil {
				t.Fatal(err)
			}
			w := serve(in, to(t, ingest.Prefix+"eventbridge", string(body)))
			if w.Code != tt.status {
				t.Errorf("got %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if len(told) != 1 || told[0].Title != "EKS: planned lifecycle event" || told[0].Begins.Format("2006-01-02") != "2027-04-01" {
				t.Errorf("announced: %+v", told)
			}
			opened := e.seen()
			if len(opened) != tt.opens {
				t.Fatalf("%d incidents, want %d", len(opened), tt.opens)
			}
			if tt.opens > 0 && !strings.Contains(opened[0].batch.Alerts[0].Annotations.Value("plan_not_started"), tt.err.Error()) {
				t.Errorf("the alert says %+v", opened[0].batch.Alerts[0].Annotations)
			}
		})
	}
}
