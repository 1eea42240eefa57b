package jira_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/jira"
	"muster/internal/outbound"
)

// desk is a project in Jira, in Cloud (REST API 3) or Data Center (REST API 2), as the documentation tells it.
type desk struct {
	cloud  bool
	locked bool // what is done cannot be edited
	issues []*issue
	ways   map[string][]string // from a status to others
}

type issue struct {
	fields     map[string]any
	status     string
	properties map[string]json.RawMessage
	comments   []any // their bodies
}

func categories() map[string]string {
	return map[string]string{"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Closed": "done", "Backlog": "new"}
}

func usual() map[string][]string {
	return map[string][]string{"To Do": {"In Progress", "Done"}, "In Progress": {"To Do", "Done"}, "Done": {"To Do"}}
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

func faulty(w http.ResponseWriter, field, why string) {
	say(w, 400, map[string]any{"errorMessages": []string{}, "errors": map[string]string{field: why}})
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	root, auth := "/rest/api/2", "Bearer "+contract.Secret
	if d.cloud {
		root, auth = "/rest/api/3", "Basic "+base64.StdEncoding.EncodeToString([]byte("noc@mirnet.example:"+contract.Secret))
	}
	path, ok := strings.CutPrefix(r.URL.Path, root)
	if r.Header.Get("Authorization") != auth || !ok {
		say(w, 401, map[string]any{"errorMessages": []string{"Client must be authenticated to access this resource."}})
		return
	}
	switch {
	case path == map[bool]string{true: "/search/jql", false: "/search"}[d.cloud] && r.Method == http.MethodGet:
		d.search(w, r.URL.Query().Get("jql"))
	case path == "/issue" && r.Method == http.MethodPost:
		d.create(w, r)
	default:
		key, rest, _ := strings.Cut(strings.TrimPrefix(path, "/issue/"), "/")
		n, _ := strconv.Atoi(strings.TrimPrefix(key, "OPS-"))
		if n < 1 || n > len(d.issues) {
			say(w, 404, map[string]any{"errorMessages": []string{"Issue does not exist or you do not have permission to see it."}})
			return
		}
		d.one(w, r, key, d.issues[n-1], rest)
	}
}

func (d *desk) search(w http.ResponseWriter, jql string) {
	all := []any{}
	for n, i := range d.issues {
		for _, l := range i.fields["labels"].([]any) {
			if jql == fmt.Sprintf(`project = "OPS" AND labels = "%s" ORDER BY created ASC`, l) {
				all = append(all, map[string]any{"id": strconv.Itoa(10000 + n), "key": fmt.Sprintf("OPS-%d", n+1), "fields": map[string]any{"labels": i.fields["labels"]}})
			}
		}
	}
	say(w, 200, map[string]any{"issues": all, "isLast": true})
}

func (d *desk) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Fields     map[string]any
		Properties []struct {
			Key   string
			Value json.RawMessage
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if fmt.Sprint(in.Fields["project"], in.Fields["issuetype"]) != "map[key:OPS] map[name:Incident]" {
		faulty(w, "issuetype", "Specify a valid issue type")
		return
	}
	i := &issue{fields: map[string]any{}, status: "To Do", properties: map[string]json.RawMessage{}}
	for _, p := range in.Properties {
		i.properties[p.Key] = p.Value
	}
	if d.edit(w, i, in.Fields) {
		d.issues = append(d.issues, i)
		say(w, 201, map[string]string{"id": strconv.Itoa(9999 + len(d.issues)), "key": fmt.Sprintf("OPS-%d", len(d.issues))})
	}
}

// edit sets fields, if they are what Jira takes.
func (d *desk) edit(w http.ResponseWriter, i *issue, fields map[string]any) bool {
	summary, _ := fields["summary"].(string)
	if summary == "" || len([]rune(summary)) > 255 || strings.Contains(summary, "\n") {
		faulty(w, "summary", "The summary is invalid")
		return false
	}
	if _, err := d.read(fields["description"]); err != nil {
		faulty(w, "description", err.Error())
		return false
	}
	if p, ok := fields["priority"].(map[string]any); ok && !slices.Contains([]any{"Highest", "Medium"}, p["name"]) {
		faulty(w, "priority", "The priority selected is invalid.")
		return false
	}
	for k, v := range fields {
		i.fields[k] = v
	}
	return true
}

// read returns the words of a text: of a document in Cloud, which it checks, as they are in Data Center.
func (d *desk) read(v any) (string, error) {
	s, text := v.(string)
	if text != !d.cloud {
		return "", errors.New("Operation value must be an Atlassian Document (see the Atlassian Document Format)") //nolint:staticcheck // as Jira says it
	}
	if text {
		return s, nil
	}
	return adf(v.(map[string]any))
}

func adf(node map[string]any) (string, error) {
	var b strings.Builder
	switch node["type"] {
	case "text":
		if node["text"] == "" {
			return "", errors.New("empty text")
		}
		return node["text"].(string), nil
	case "hardBreak":
		return "\n", nil
	case "doc", "paragraph":
	default:
		return "", fmt.Errorf("unknown node %v", node["type"])
	}
	for _, c := range node["content"].([]any) {
		s, err := adf(c.(map[string]any))
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String() + "\n", nil
}

func (d *desk) one(w http.ResponseWriter, r *http.Request, key string, i *issue, rest string) {
	var in map[string]json.RawMessage
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	switch r.Method + " " + rest {
	case "GET ":
		say(w, 200, map[string]any{
			"key": key, "fields": map[string]any{"status": state(i.status), "labels": i.fields["labels"]}, "properties": i.properties,
		})
	case "PUT ":
		var fields map[string]any
		_ = json.Unmarshal(in["fields"], &fields)
		if d.locked && categories()[i.status] == "done" {
			faulty(w, "summary", "Field 'summary' cannot be set. It is not on the appropriate screen, or unknown.")
		} else if d.edit(w, i, fields) {
			say(w, 204, nil)
		}
	case "PUT properties/muster":
		i.properties["muster"], _ = json.Marshal(in)
		say(w, 200, nil)
	case "GET transitions":
		ways := []any{}
		for n, to := range d.ways[i.status] {
			ways = append(ways, map[string]any{"id": strconv.Itoa(n + 11), "name": "to " + to, "to": state(to)})
		}
		say(w, 200, map[string]any{"transitions": ways})
	case "POST transitions":
		d.transit(w, i, in)
	case "GET comment":
		all := []any{}
		for _, c := range slices.Backward(i.comments) {
			all = append(all, map[string]any{"body": c})
		}
		say(w, 200, map[string]any{"comments": all[:min(50, len(all))]})
	case "POST comment":
		var body any
		_ = json.Unmarshal(in["body"], &body)
		if _, err := d.read(body); err != nil {
			faulty(w, "comment", err.Error())
			return
		}
		i.comments = append(i.comments, body)
		say(w, 201, map[string]any{"id": "1"})
	default:
		say(w, 405, nil)
	}
}

func (d *desk) transit(w http.ResponseWriter, i *issue, in map[string]json.RawMessage) {
	var way struct{ ID string }
	_ = json.Unmarshal(in["transition"], &way)
	n, _ := strconv.Atoi(way.ID)
	if n -= 11; n < 0 || n >= len(d.ways[i.status]) {
		say(w, 400, map[string]any{"errorMessages": []string{"Transition id is not valid for this issue."}})
		return
	}
	i.status = d.ways[i.status][n]
	var fields map[string]any
	if json.Unmarshal(in["fields"], &fields) == nil {
		i.fields["resolution"] = fields["resolution"]
	}
	say(w, 204, nil)
}

func state(name string) any {
	return map[string]any{"name": name, "statusCategory": map[string]any{"key": categories()[name]}}
}

func (d *desk) Shown() (all []contract.Shown) {
	for n, i := range d.issues {
		text, _ := d.read(i.fields["description"])
		s := contract.Shown{ID: fmt.Sprintf("OPS-%d", n+1), Title: i.fields["summary"].(string), Text: text, State: i.status}
		if p, ok := i.fields["priority"].(map[string]any); ok {
			s.Priority = p["name"].(string)
		}
		for _, c := range i.comments {
			said, _ := d.read(c)
			s.Comments = append(s.Comments, said)
		}
		all = append(all, s)
	}
	return all
}

func project(url string, guard outbound.Guard, timeout time.Duration, cloud bool) *jira.Project {
	p := &jira.Project{
		Guard: guard, Timeout: timeout, URL: url, Token: contract.Secret, Key: "OPS", Type: "Incident",
		Priorities: map[string]string{"P1": "Highest", "P3": "Medium"},
	}
	if cloud {
		p.User = "noc@mirnet.example"
	}
	return p
}

func TestContract(t *testing.T) {
	for name, d := range map[string]desk{
		"cloud": {cloud: true, ways: usual()}, "data center": {ways: usual()}, "what is done is locked": {cloud: true, locked: true, ways: usual()},
	} {
		t.Run(name, func(t *testing.T) {
			contract.Contract{
				Desk: func() contract.Desk { fresh := d; return &fresh },
				System: func(url string, guard outbound.Guard, timeout time.Duration) contract.System {
					p := project(url, guard, timeout, d.cloud)
					if d.locked { // so nothing is written after the last step
						p.Statuses = map[string]string{"triggered": "To Do", "acknowledged": "In Progress", "resolved": "In Progress", "closed": "Done"}
					}
					return p
				},
				States: map[string]string{"triggered": "To Do", "acknowledged": "In Progress", "resolved": map[bool]string{true: "In Progress", false: "Done"}[d.locked], "closed": "Done"},
				Sample: "OPS-1", High: "Highest", Low: "Medium",
			}.Run(t)
		})
	}
}

func serve(t *testing.T, d *desk) *jira.Project {
	t.Helper()
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return project(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second, d.cloud)
}

func TestMoves(t *testing.T) {
	classic := map[string][]string{"To Do": {"In Progress"}, "In Progress": {"Done", "Closed"}, "Done": {"Closed"}, "Closed": {}}
	for name, tt := range map[string]struct {
		ways     map[string][]string
		statuses map[string]string
		from, to string // of the issue, of the incident
		want     string
		refusal  string
	}{
		"worked on already":                    {usual(), nil, "In Progress", "triggered", "In Progress", ""},
		"no status in between":                 {map[string][]string{"To Do": {"Backlog", "Done"}}, nil, "To Do", "acknowledged", "To Do", ""},
		"reopened where only work in progress": {map[string][]string{"Done": {"In Progress"}}, nil, "Done", "triggered", "In Progress", ""},
		"reopened and taken at once":           {usual(), nil, "Done", "acknowledged", "To Do", ""},
		"closed after it was resolved":         {usual(), nil, "Done", "closed", "Done", ""},
		"merged":                               {usual(), nil, "To Do", "merged", "Done", ""},
		"by name":                              {classic, map[string]string{"closed": "closed"}, "In Progress", "closed", "Closed", ""},
		"no way to what is done": {
			classic, nil, "To Do", "resolved", "To Do", `no transition leads from "To Do" to a status of the category done; there are "to In Progress" (to "In Progress")`,
		},
		"no way to that status": {
			classic,
			map[string]string{"resolved": "Fixed"},
			"In Progress", "resolved", "In Progress",
			`no transition leads from "In Progress" to "Fixed"; there are "to Done" (to "Done"), "to Closed" (to "Closed")`,
		},
		"no way at all": {classic, nil, "Closed", "triggered", "Closed", "there are none that this user may take"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{cloud: true, ways: tt.ways}
			p := serve(t, d)
			ref, err := p.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
			if err != nil {
				t.Fatal(err)
			}
			d.issues[0].status = tt.from
			p.Statuses, p.Resolution = tt.statuses, "Fixed"
			err = p.Update(t.Context(), ref, contract.Revision(2, tt.to, "P3"))
			if (err == nil) != (tt.refusal == "") || err != nil && (!delivery.IsRefusal(err) || !strings.Contains(err.Error(), tt.refusal)) {
				t.Errorf("got %v, want %q", err, tt.refusal)
			}
			i := d.issues[0]
			resolved := i.fields["resolution"] != nil
			if i.status != tt.want || resolved != (tt.from != tt.want && categories()[tt.want] == "done") {
				t.Errorf("it is %s, resolution %v, want %s", i.status, i.fields["resolution"], tt.want)
			}
		})
	}
}

func TestWhatANewIssueNeedsBeside(t *testing.T) {
	d := &desk{ways: usual()}
	p := serve(t, d)
	p.Fields = map[string]any{"components": []any{map[string]any{"name": "shop"}}, "labels": []any{"noc"}, "summary": "not this"}
	if _, err := p.Open(t.Context(), contract.Revision(1, "triggered", "P5")); err != nil {
		t.Fatal(err)
	}
	f := d.issues[0].fields
	if fmt.Sprint(f["components"], f["labels"], f["priority"]) != "[map[name:shop]] [muster muster-INC-7K3M9QX2PA noc] <nil>" || !strings.HasPrefix(f["summary"].(string), "[P5]") {
		t.Errorf("got %v", f)
	}
	if text := f["description"].(string); !strings.Contains(text, `\{panel}`) || !strings.HasSuffix(text, "\n\nMuster: https://muster.example/") {
		t.Errorf("what alerts say is not quoted: %s", text)
	}
}

// The index of Jira lags behind: whoever has lost the answer to a new issue waits.
func TestALostAnswerIsWaitedFor(t *testing.T) {
	d := &desk{cloud: true, ways: usual()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		d.ServeHTTP(w, r)
	}))
	defer srv.Close()
	p := project(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second, true)
	_, err := p.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if u, ok := errors.AsType[*delivery.Unavailable](err); !ok || u.After != 30*time.Second {
		t.Errorf("got %v", err)
	}
}

func TestProjectsThatAreNone(t *testing.T) {
	p := serve(t, &desk{})
	for _, key := range []string{"", "a b", `OPS" OR project = "SECRET`, "1OPS", strings.Repeat("A", 51)} {
		p.Key = key
		if _, err := p.Open(t.Context(), contract.Revision(1, "triggered", "P3")); !delivery.IsRefusal(err) {
			t.Errorf("%q: got %v", key, err)
		}
	}
}
