package preset_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/internal/contract"
)

// gitlab is a project in GitLab as its documentation tells it. A line of a text that begins with a quick action is done, outside of code.
type gitlab struct{ issues []*gitlabIssue }

type gitlabIssue struct {
	IID         int      `json:"iid"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	State       string   `json:"state"`
	URL         string   `json:"web_url"`
	Labels      []string `json:"labels"`
	notes       []string
}

var code = regexp.MustCompile("(?s)````text\n.*?\n````\n|```text\n.*?\n```\n")

func quick(text string) bool {
	return strings.Contains("\n"+code.ReplaceAllString(text, ""), "\n/close")
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (g *gitlab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("PRIVATE-TOKEN") != contract.Secret {
		say(w, 401, map[string]string{"message": "401 Unauthorized"})
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/v4/projects/mirnet%2Fops/issues")
	number, more, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	n, _ := strconv.Atoi(number)
	var in map[string]string
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&in) != nil {
		say(w, 400, map[string]string{"message": "400 Bad request"})
		return
	}
	switch {
	case !ok || n > len(g.issues):
		say(w, 404, map[string]string{"message": "404 Not found"})
	case path == "" && r.Method == http.MethodGet:
		all := []*gitlabIssue{}
		for _, i := range g.issues {
			if q := r.URL.Query().Get("search"); strings.Contains(i.Title, q) || strings.Contains(i.Description, q) {
				all = append(all, i)
			}
		}
		say(w, 200, all)
	case path == "" && r.Method == http.MethodPost:
		i := &gitlabIssue{IID: len(g.issues) + 1, State: "opened", URL: fmt.Sprintf("https://gitlab.example/mirnet/ops/-/issues/%d", len(g.issues)+1)}
		g.issues = append(g.issues, i)
		i.change(in)
		say(w, 201, i)
	case more == "" && r.Method == http.MethodGet:
		say(w, 200, g.issues[n-1])
	case more == "" && r.Method == http.MethodPut:
		g.issues[n-1].change(in)
		say(w, 200, g.issues[n-1])
	case more == "notes" && r.Method == http.MethodGet:
		all := []any{}
		for _, c := range slices.Backward(g.issues[n-1].notes) {
			all = append(all, map[string]string{"body": c})
		}
		say(w, 200, all)
	case more == "notes" && r.Method == http.MethodPost:
		g.issues[n-1].notes = append(g.issues[n-1].notes, in["body"])
		say(w, 201, in)
	}
}

func (i *gitlabIssue) change(in map[string]string) {
	if in["title"] != "" {
		i.Title, i.Description = in["title"], in["description"]
	}
	for _, l := range strings.Split(in["labels"]+","+in["add_labels"], ",") {
		if l != "" && !slices.Contains(i.Labels, l) {
			i.Labels = append(i.Labels, l)
		}
	}
	gone := strings.Split(in["remove_labels"], ",")
	i.Labels = slices.DeleteFunc(i.Labels, func(l string) bool { return slices.Contains(gone, l) })
	if in["state_event"] == "close" || quick(in["description"]) {
		i.State = "closed"
	} else if in["state_event"] == "reopen" {
		i.State = "opened"
	}
}

func (g *gitlab) Shown() (all []contract.Shown) {
	for _, i := range g.issues {
		s := contract.Shown{ID: strconv.Itoa(i.IID), Title: i.Title, Text: i.Description, State: i.State, Comments: i.notes}
		for _, l := range i.Labels {
			if l != "muster" {
				s.Priority += l
			}
		}
		all = append(all, s)
	}
	return all
}
