package jira

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/delivery"
	"muster/internal/ticket"
)

// transition is a way out of the status that an issue has.
type transition struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	To   status `json:"to"`
}

// move brings an issue into the status that stands for that of the ticket, and tells whether it was in another one.
func (p *Project) move(ctx context.Context, path string, now status, t ticket.Ticket) (bool, error) {
	want, named := p.Statuses[t.Status]
	if named && strings.EqualFold(now.Name, want) || !named && fits(now, t.Status) {
		return false, nil
	}
	var out struct {
		Transitions []transition `json:"transitions"`
	}
	if err := p.call(ctx, http.MethodGet, path+"/transitions", nil, &out); err != nil {
		return false, err
	}
	way, found := p.way(now, out.Transitions, t.Status)
	switch {
	case found:
		return true, p.take(ctx, path, way)
	case !named && now.done() == (category(t.Status) == done): // a project without a status in between
		return false, nil
	case !named:
		want = "a status of the category " + category(t.Status)
	default:
		want = strconv.Quote(want)
	}
	return false, &delivery.Refusal{Detail: fmt.Sprintf("no transition leads from %q to %s; there are %s", now.Name, want, ways(out.Transitions))}
}

// way finds the transition to the status that stands for one of Muster's.
func (p *Project) way(now status, all []transition, muster string) (transition, bool) {
	want, named := p.Statuses[muster]
	for _, way := range all {
		if named && strings.EqualFold(way.To.Name, want) || !named && way.To.Category.Key == category(muster) {
			return way, true
		}
	}
	for _, way := range all { // what is not over may be in any status that says so
		if !named && now.done() && category(muster) != done && !way.To.done() {
			return way, true
		}
	}
	return transition{}, false
}

// category is of the status that stands for one of Muster's, where the organisation does not name one.
func category(muster string) string {
	switch muster {
	case "triggered":
		return "new"
	case "acknowledged", "mitigated":
		return "indeterminate"
	}
	return done
}

// fits tells whether an issue may stay as it is. Somebody who works on it in Jira already is not called back.
func fits(now status, muster string) bool {
	want := category(muster)
	return now.Category.Key == want || want == "new" && now.Category.Key == "indeterminate"
}

func (p *Project) take(ctx context.Context, path string, way transition) error {
	body := map[string]any{"transition": map[string]string{"id": way.ID}}
	if p.Resolution != "" && way.To.done() {
		body["fields"] = map[string]any{"resolution": map[string]string{"name": p.Resolution}}
	}
	return p.call(ctx, http.MethodPost, path+"/transitions", body, nil)
}

func ways(all []transition) string {
	var names []string
	for _, way := range all {
		names = append(names, fmt.Sprintf("%q (to %q)", way.Name, way.To.Name))
	}
	if names == nil {
		return "none that this user may take"
	}
	return strings.Join(names, ", ")
}
