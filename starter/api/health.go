package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"muster/internal/refusal"
)

// A Check is one thing that a server needs, or that its operators look at. What Func returns is shown to whoever can
// reach the server, so it names no run and no person.
type Check struct {
	Name   string
	Func   func(ctx context.Context) error
	Note   func(ctx context.Context) string // shown beside an ok; nil: nothing is
	Inform bool                             // shown, but no reason not to be ready
}

// Health answers /livez, which depends on nothing, and /readyz, which depends on the checks. With ?verbose both say which.
func Health(checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/livez", health(nil))
	mux.Handle("/readyz", health(checks))
	mux.Handle("/healthz", health(checks)) // the older name
	return mux
}

func health(checks []Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refusal.Body{Status: http.StatusMethodNotAllowed, Detail: "want GET or HEAD"}.Write(w)
			return
		}
		lines, ready := look(r.Context(), checks)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		verdict := "ok\n"
		if !ready {
			verdict = "not ready\n"
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if ready && !r.URL.Query().Has("verbose") {
			lines = nil
		}
		for _, line := range append(lines, verdict) {
			_, _ = fmt.Fprint(w, line)
		}
	})
}

// look makes all checks at once, so that one that hangs does not hide the others.
func look(ctx context.Context, checks []Check) (lines []string, ready bool) {
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	faults, notes := make([]error, len(checks)), make([]string, len(checks))
	var all sync.WaitGroup
	for n, c := range checks {
		all.Go(func() {
			if faults[n] = c.Func(ctx); faults[n] == nil && c.Note != nil {
				notes[n] = ", " + c.Note(ctx)
			}
		})
	}
	all.Wait()
	ready = true
	for n, c := range checks {
		if faults[n] == nil {
			lines = append(lines, "[+]"+c.Name+" ok"+notes[n]+"\n")
			continue
		}
		lines = append(lines, "[-]"+c.Name+" "+faults[n].Error()+"\n")
		ready = ready && c.Inform
	}
	return lines, ready
}
