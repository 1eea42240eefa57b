package preset_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"muster/internal/contract"
)

// azure is a project in Azure DevOps with the process Agile, as its documentation tells it.
type azure struct{ items []*azureItem }

type azureItem struct {
	Revision int            `json:"rev"`
	Fields   map[string]any `json:"fields"`
	ID       int            `json:"id"`
	history  []string
}

var wiql = regexp.MustCompile(`^SELECT \[System\.Id\] FROM WorkItems WHERE \[System\.TeamProject\] = @project AND \[System\.Title\] CONTAINS '([^']+)' ORDER BY \[System\.Id\]$`)

func (a *azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+contract.Secret)) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNonAuthoritativeInfo)
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/Mirnet%20Ops/_apis/wit/")
	if !ok || r.URL.Query().Get("api-version") != "7.1" {
		say(w, 404, map[string]string{"message": "The project does not exist"})
		return
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(path, "workitems/"))
	switch {
	case path == "wiql" && r.Method == http.MethodPost:
		a.query(w, r)
	case path == "workitemtypes/Issue/states":
		say(w, 200, map[string]any{"count": 3, "value": []any{
			map[string]string{"name": "New", "category": "Proposed"},
			map[string]string{"name": "Active", "category": "InProgress"},
			map[string]string{"name": "Resolved", "category": "Resolved"},
			map[string]string{"name": "Closed", "category": "Completed"},
		}})
	case path == "workitems/$Issue" && r.Method == http.MethodPost:
		i := &azureItem{ID: len(a.items) + 1, Fields: map[string]any{"System.State": "New"}}
		if i.patch(w, r) {
			a.items = append(a.items, i)
		}
	case n < 1 || n > len(a.items):
		say(w, 404, map[string]string{"message": "TF401232: Work item does not exist, or you do not have permissions to read it."})
	case r.Method == http.MethodGet:
		say(w, 200, a.items[n-1])
	case r.Method == http.MethodPatch:
		a.items[n-1].patch(w, r)
	}
}

func (a *azure) query(w http.ResponseWriter, r *http.Request) {
	var in struct{ Query string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	asked := wiql.FindStringSubmatch(in.Query)
	if asked == nil {
		say(w, 400, map[string]string{"message": "TF51005: The query references a field that does not exist."})
		return
	}
	all := []any{}
	for _, i := range a.items {
		if strings.Contains(i.Fields["System.Title"].(string), asked[1]) {
			all = append(all, map[string]any{"id": i.ID, "url": "https://dev.azure.example/_apis/wit/workItems/" + strconv.Itoa(i.ID)})
		}
	}
	say(w, 200, map[string]any{"queryType": "flat", "workItems": all})
}

// patch does all of a JSON patch or nothing.
func (i *azureItem) patch(w http.ResponseWriter, r *http.Request) bool {
	var in []struct {
		Op, Path string
		Value    any
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || r.Header.Get("Content-Type") != "application/json-patch+json" {
		say(w, 400, map[string]string{"message": "You must pass a valid patch document in the body of the request."})
		return false
	}
	changed := map[string]any{}
	for _, op := range in {
		field, ok := strings.CutPrefix(op.Path, "/fields/")
		switch {
		case op.Op == "test" && op.Path == "/rev" && op.Value != float64(i.Revision):
			say(w, 412, map[string]string{"message": "VS403208: the test operation failed"})
			return false
		case op.Op == "add" && ok:
			changed[field] = op.Value
		}
	}
	if t := changed["System.Title"].(string); t == "" || len([]rune(t)) > 255 {
		say(w, 400, map[string]string{"message": "TF401320: Rule Error for field Title."})
		return false
	}
	if _, ok := changed["Microsoft.VSTS.Common.Priority"].(float64); !ok {
		say(w, 400, map[string]string{"message": "The priority is no number"})
		return false
	}
	for k, v := range changed {
		if k == "System.History" {
			i.history = append(i.history, v.(string))
			continue
		}
		i.Fields[k] = v
	}
	i.Revision++
	say(w, 200, i)
	return true
}

func (a *azure) Shown() (all []contract.Shown) {
	for _, i := range a.items {
		all = append(all, contract.Shown{
			ID: strconv.Itoa(i.ID), Title: i.Fields["System.Title"].(string), Text: i.Fields["System.Description"].(string),
			State: i.Fields["System.State"].(string), Priority: fmt.Sprint(i.Fields["Microsoft.VSTS.Common.Priority"]), Comments: i.history,
		})
	}
	return all
}
