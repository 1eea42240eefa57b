package preset_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/contract"
)

// redmine is a project in Redmine as its documentation tells it: a status that the workflow does not allow is left out without a word,
// and a change is answered with nothing.
type redmine struct {
	issues []*redmineIssue
	ways   map[int][]int // from a status to others; nil: from each to each
}

type redmineIssue struct {
	Subject, Description string
	Status, Priority     int
	notes                []string
}

func redmineStatuses() map[int]string {
	return map[int]string{1: "New", 2: "In Progress", 3: "Resolved", 4: "Feedback", 5: "Closed", 6: "Rejected"}
}

func (d *redmine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Redmine-API-Key") != contract.Secret {
		w.WriteHeader(401)
		return
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/issues/"), ".json"))
	var in struct{ Issue map[string]any }
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	q := r.URL.Query()
	switch {
	case r.URL.Path == "/issues.json" && r.Method == http.MethodGet:
		all := []any{}
		for n, i := range d.issues {
			if part, contains := strings.CutPrefix(q.Get("subject"), "~"); contains && strings.Contains(i.Subject, part) && q.Get("status_id") == "*" && q.Get("project_id") == "7" {
				all = append(all, d.tell(n+1))
			}
		}
		say(w, 200, map[string]any{"issues": all, "total_count": len(all), "offset": 0, "limit": 100})
	case r.URL.Path == "/issues.json" && r.Method == http.MethodPost:
		i := &redmineIssue{Status: 1}
		if in.Issue["project_id"] != "7" || in.Issue["subject"] == "" || len([]rune(in.Issue["subject"].(string))) > 255 {
			say(w, 422, map[string]any{"errors": []string{"Subject cannot be blank"}})
			return
		}
		d.change(i, in.Issue)
		d.issues = append(d.issues, i)
		say(w, 201, map[string]any{"issue": d.tell(len(d.issues))})
	case n < 1 || n > len(d.issues):
		w.WriteHeader(404)
	case r.Method == http.MethodGet:
		say(w, 200, map[string]any{"issue": d.tell(n)})
	case r.Method == http.MethodPut:
		d.change(d.issues[n-1], in.Issue)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (d *redmine) tell(n int) map[string]any {
	i := d.issues[n-1]
	ways := []any{}
	for id := 1; id <= 6; id++ {
		if d.may(i.Status, id) {
			ways = append(ways, map[string]any{"id": id, "name": redmineStatuses()[id], "is_closed": id > 4})
		}
	}
	return map[string]any{
		"id": n, "subject": i.Subject, "description": i.Description, "allowed_statuses": ways,
		"status": map[string]any{"id": i.Status, "name": redmineStatuses()[i.Status]}, "priority": map[string]any{"id": i.Priority},
	}
}

func (d *redmine) may(from, to int) bool {
	if d.ways == nil || from == to {
		return true
	}
	for _, way := range d.ways[from] {
		if way == to {
			return true
		}
	}
	return false
}

func (d *redmine) change(i *redmineIssue, in map[string]any) {
	i.Subject, i.Description = in["subject"].(string), in["description"].(string)
	if id, ok := in["status_id"].(float64); ok && d.may(i.Status, int(id)) {
		i.Status = int(id)
	}
	if id, ok := in["priority_id"].(float64); ok {
		i.Priority = int(id)
	}
	if note, ok := in["notes"].(string); ok {
		i.notes = append(i.notes, note)
	}
}

func (d *redmine) Shown() (all []contract.Shown) {
	for n, i := range d.issues {
		all = append(all, contract.Shown{
			ID: strconv.Itoa(n + 1), Title: i.Subject, Text: i.Description, State: redmineStatuses()[i.Status], Priority: strconv.Itoa(i.Priority), Comments: i.notes,
		})
	}
	return all
}
