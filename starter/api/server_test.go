package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/incident"
	"muster/internal/postgres"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

const (
	at      = "/api/v1/incidents/" + string(open)
	passing = "/api/v1/schedules/primary/handover"
)

// routes are those that are about an incident or list them, with the methods that they allow.
func routes() map[string]string {
	all := map[string]string{
		"/api/v1/incidents": "GET, HEAD, POST", at: "GET, HEAD", at + "/timeline": "GET, HEAD", at + "/report": "GET, HEAD",
		at + "/history": "GET, HEAD", at + "/alerts": "GET, HEAD", at + "/review": "GET, HEAD, POST",
		at + "/review/report": "GET, HEAD", at + "/update-draft": "GET, HEAD",
	}
	for name := range reviewBodies() {
		all[at+"/review/"+name] = "POST"
	}
	for verb := range bodies() {
		all[at+"/"+verb] = "POST"
	}
	return all
}

// others are the other routes for those who have a token.
func others() map[string]string {
	return map[string]string{
		"/api/v1/me": "GET, HEAD", "/api/v1/tokens": "GET, HEAD, POST", "/api/v1/tokens/tok_1": "DELETE",
		passing: "GET, HEAD, POST", passing + "/confirm": "POST", passing + "/decline": "POST", passing + "/note": "POST",
		"/api/v1/reviews": "GET, HEAD", "/api/v1/forms": "POST", "/api/v1/requests": "GET, HEAD, POST", tuned: "GET, HEAD", tuned + "/approve": "POST", tuned + "/decline": "POST",
		tuned + "/answer": "POST", tuned + "/withdraw": "POST", tuned + "/note": "POST",
		"/api/v1/attempts": "GET, HEAD", "/api/v1/keys": "GET, HEAD, POST", "/api/v1/keys/key-1": "DELETE",
	}
}

// asking is a right request of a route: its method and body.
func asking(path string) (method, body string) {
	switch method, _, _ = strings.Cut(routes()[path], ","); {
	case method == "GET":
		return method, ""
	case strings.Contains(path, "/review/"):
		return method, reviewBodies()[path[strings.LastIndex(path, "/")+1:]]
	}
	return method, bodies()[path[strings.LastIndex(path, "/")+1:]]
}

const proposedSHA256 = "1f2a9c61d2c2f4b2a8a3f1f0a2f9c7f8a4f5d2b1c0e9f8a7b6c5d4e3f2a1b0c9"

// propose lets a text of somebody wait for an approval.
func (p *place) propose() {
	p.incidents[open].Proposed = &incident.Proposal{
		Update: incident.SendUpdate{Text: "we are on it"}, SHA256: proposedSHA256, By: timeline.Actor{Kind: timeline.Person, ID: "somebody"}, At: p.now,
	}
}

// bodies are commands that are right.
func bodies() map[string]string {
	return map[string]string{
		"acknowledge":    ``,
		"assign":         `{"role":"support-manager","person":"kim","note":"your turn"}`,
		"note":           `{"text":"원인: 배포"}`,
		"escalate":       `{"reason":"stuck"}`,
		"priority":       `{"impact":"low","reason":"one user"}`,
		"pause":          `{"target":"respond","reason":"waiting"}`,
		"resume":         `{"target":"respond"}`,
		"mitigate":       `{"note":"rolled back"}`,
		"resolve":        `{"note":"fine"}`,
		"reopen":         `{"reason":"it was not"}`,
		"close":          `{}`,
		"update":         `{"text":"we are on it"}`,
		"approve-update": `{"sha256":"` + proposedSHA256 + `"}`,
		"reject-update":  `{"sha256":"` + proposedSHA256 + `","reason":"it names a machine"}`,
		"repin":          `{"reason":"premium since today"}`,

		"responders":       `{"person":"kim","note":"the database"}`,
		"cause":            `{"domain":"vendor","vendor":"vane","text":"their disks"}`,
		"case":             `{"vendor":"vane","reference":"SR-1"}`,
		"time":             `{"point":"started","at":"2026-11-22T05:00:00Z","reason":"by the log"}`,
		"send-report":      `{"text":"it was the pool"}`,
		"answer":           `{"answer":"not-fixed","customer":"acme","note":"still slow"}`,
		"start-runbook":    `{"runbook":"checkout"}`,
		"approve-response": `{"sha256":"` + proposedSHA256 + `"}`,
		"stop-response":    `{"reason":"the wrong server"}`,
		"end-runbook":      `{"runbook":"checkout","outcome":"worked"}`,
		"merge":            `{"into":"` + string(other) + `","reason":"the same"}`,
		"split":            `{"reason":"another cause"}`,
		"relate":           `{"to":"` + string(other) + `","kind":"related"}`,
	}
}

func TestNothingWithoutAToken(t *testing.T) {
	p := newPlace(t)
	paths := []string{"/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/incidents"}
	for path := range routes() {
		paths = append(paths, path)
	}
	for path := range others() {
		paths = append(paths, path)
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"} {
			for _, header := range []string{
				"", "Bearer", "Bearer ", "Bearer muster_x", "Basic " + p.person, p.person, "Bearer " + p.person + "x",
				"Bearer " + p.person[:len(p.person)-1], "Bearer " + strings.ToUpper(p.person),
			} {
				w := p.ask(method, path, `{}`, "Authorization", header)
				if w.Code != http.StatusUnauthorized {
					t.Fatalf("%s %s with %q: got %d", method, path, header, w.Code)
				}
				if w.Header().Get("WWW-Authenticate") == "" {
					t.Errorf("%s %s: does not say how to authenticate", method, path)
				}
			}
		}
	}
	if len(p.calls) > 0 {
		t.Errorf("got through: %v", p.calls)
	}
	if strings.Contains(p.log.String(), p.person[:20]) {
		t.Error("a token stands in the log")
	}
	if w := p.ask("GET", "/api/v1/version", "", "Authorization", ""); w.Code != 200 || w.Body.String() != `{"version":"v1.2.3","modified":false,"go":"go"}`+"\n" {
		t.Errorf("version: got %d %s", w.Code, w.Body)
	}
}

func TestMethods(t *testing.T) {
	p := newPlace(t)
	all := routes()
	maps.Copy(all, others())
	for path, allow := range all {
		p.person = p.token(t, store.Token{Actor: "choi"}) // one makes only so many requests at once
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			w := p.ask(method, path, "")
			if strings.Contains(allow, method) {
				if w.Code == http.StatusMethodNotAllowed {
					t.Errorf("%s %s: refused", method, path)
				}
				continue
			}
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allow {
				t.Errorf("%s %s: got %d, Allow %q; want 405, %q", method, path, w.Code, w.Header().Get("Allow"), allow)
			}
		}
	}
	for _, path := range []string{"/api/", "/api/v1/nothing", "/api/v2/incidents", at + "/explode", at + "/note/x"} {
		for _, method := range []string{"GET", "POST"} {
			if w := newPlace(t).ask(method, path, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s %s: got %d", method, path, w.Code)
			} else {
				problemOf(t, w)
			}
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	p := newPlace(t)
	for _, path := range []string{"/api/v1/version", "/api/v1/incidents", at, at + "/report?format=html", "/api/nothing"} {
		h := p.ask("GET", path, "", "Origin", "https://evil.example").Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s: got %q, want %q", path, name, h.Get(name), want)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: content security policy %q", path, csp)
		}
	}
}

func TestReads(t *testing.T) {
	for _, tc := range []struct{ path, contentType, has string }{
		{"/api/v1/incidents", "application/json", `"incidents":[{"id":"INC-7K3M9QX2PA","title":"Checkout answers 500","status":"triggered","priority":2,"service":"checkout","customers":["acme"],"opened_at":"2026-11-22T05:05:09Z"}],"next":"AG1vcmU","language":"ko","zone":"Asia/Seoul"}`},
		{"/api/v1/incidents?status=closed", "application/json", `{"incidents":[],`},
		{at, "application/json", `"title":"Checkout answers 500"`},
		{at + "/timeline", "application/json", `"language":"ko","zone":"Asia/Seoul"`},
		{at + "/timeline", "application/json", `"moment":"2026-11-22(일) 14:05:09 KST","sentence":"인시던트 발생: Checkout answers 500 (Checkout)`},
		{at + "/timeline?lang=en", "application/json", `"moment":"2026-11-22 Sun 14:05:09 KST","sentence":"Incident opened: Checkout answers 500 (Checkout)`},
		{at + "/timeline?lang=en", "application/json", `"kind":"incident.opened","actor":{"kind":"source","id":"prometheus"},"facts":[{"name":"title","value":"Checkout answers 500"}`},
		{at + "/report?lang=en", "text/markdown; charset=utf-8", "Checkout answers 500"},
		{at + "/report?format=md", "text/markdown; charset=utf-8", "장애"},
		{at + "/report?format=html&lang=en", "text/html; charset=utf-8", "<!"},
		{at + "/report?format=pdf", "application/pdf", "/Lang (ko)"},
		{at + "/history", "application/json", `[{"events":[]}]`},
		{at + "/alerts", "application/json", `{"id":"INC-7K3M9QX2PA","alerts":[{"fingerprint":"f1","name":"HighErrorRate","state":"firing",`},
		{at + "/alerts", "application/json", `"labels":{"job":"checkout"},"times":1,"first":"2026-11-22T05:05:09Z","last":"2026-11-22T05:05:09Z"}],"next":"ZjE","lost":1,"language":"ko","zone":"Asia/Seoul"}`},
	} {
		w := newPlace(t).ask("GET", tc.path, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != tc.contentType || !strings.Contains(w.Body.String(), tc.has) {
			t.Errorf("GET %s: got %d %s %s\nwant %s", tc.path, w.Code, w.Header().Get("Content-Type"), w.Body, tc.has)
		}
	}
}

func TestListNarrows(t *testing.T) {
	p := newPlace(t)
	p.ask("GET", "/api/v1/incidents?status=closed&open=true&limit=7&after=AG1vcmU", "")
	if want := (api.Filter{Status: incident.Closed, Open: true, Limit: 7, Ordinary: true, After: "\x00more"}); !reflect.DeepEqual(p.filter, want) {
		t.Errorf("got %+v, want %+v", p.filter, want)
	}
	p.ask("GET", "/api/v1/incidents", "")
	if want := (api.Filter{Limit: 50, Ordinary: true}); !reflect.DeepEqual(p.filter, want) {
		t.Errorf("got %+v, want %+v", p.filter, want)
	}
	p.ask("GET", at+"/alerts?firing=true&name=HighErrorRate&limit=7&after=ZjE", "")
	if want := (api.AlertFilter{Firing: true, Name: "HighErrorRate", Limit: 7, After: "f1"}); p.alerts != want {
		t.Errorf("got %+v, want %+v", p.alerts, want)
	}
}

func TestTimelineReadsEarlierRunsOnlyWhenAsked(t *testing.T) {
	p := newPlace(t)
	i := p.incidents[open]
	i.Timeline.Trim(1, 1<<20)
	newest := i.Timeline.Entries[0].Seq
	for _, tc := range []struct {
		after   string
		entries int
		wholes  int
	}{
		{"", 1, 1}, {"?after=1", 1, 2}, {"?after=2", 1, 2}, {"?after=99", 0, 2},
	} {
		var got api.Timeline
		w := p.ask("GET", at+"/timeline"+tc.after, "")
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Entries) != tc.entries || p.wholes != tc.wholes {
			t.Errorf("%q: got %d entries and %d looks at all runs, want %d and %d", tc.after, len(got.Entries), p.wholes, tc.entries, tc.wholes)
		}
		if len(got.Entries) > 0 && got.Entries[0].Seq != newest {
			t.Errorf("%q: got entry %d, want %d", tc.after, got.Entries[0].Seq, newest)
		}
	}
}

func TestBadQueries(t *testing.T) {
	for _, tc := range []struct{ path, field string }{
		{"/api/v1/incidents?status=gone", "status"},
		{"/api/v1/incidents?status='%20OR%201=1", "status"},
		{"/api/v1/incidents?open=yes", "open"},
		{"/api/v1/incidents?limit=0", "limit"},
		{"/api/v1/incidents?limit=201", "limit"},
		{"/api/v1/incidents?limit=x", "limit"},
		{"/api/v1/incidents?after=%00", "after"},
		{"/api/v1/incidents?stat=open", "stat"},
		{"/api/v1/incidents?limit=1&limit=2", "limit"},
		{at + "?x=1", "x"},
		{at + "/alerts?firing=1", "firing"},
		{at + "/alerts?limit=0", "limit"},
		{at + "/alerts?after=%00", "after"},
		{at + "/alerts?status=firing", "status"},
		{at + "/timeline?lang=fr", "lang"},
		{at + "/timeline?after=-1", "after"},
		{at + "/report?format=doc", "format"},
		{at + "/report?lang=xx&format=html", "lang"},
		{at + "/history?run=1", "run"},
	} {
		w := newPlace(t).ask("GET", tc.path, "")
		if p := problemOf(t, w); w.Code != http.StatusUnprocessableEntity || p.Field != tc.field {
			t.Errorf("%s: got %d %q, want 422 %q", tc.path, w.Code, p.Field, tc.field)
		}
	}
}

func TestEachCommandIsDone(t *testing.T) {
	for verb, body := range bodies() {
		p := newPlace(t)
		i := p.incidents[open]
		switch verb { // what must have happened before
		case "approve-update", "reject-update":
			p.propose()
		case "approve-response", "stop-response":
			p.responds("park")
		case "resume":
			p.ask("POST", at+"/pause", bodies()["pause"])
		case "reopen", "close", "send-report", "answer":
			p.ask("POST", at+"/resolve", bodies()["resolve"])
		case "case":
			p.ask("POST", at+"/cause", bodies()["cause"])
		case "end-runbook":
			p.ask("POST", at+"/start-runbook", bodies()["start-runbook"])
		case "split":
			p.ask("POST", at+"/merge", bodies()["merge"])
			p.settle(t)
		}
		w := p.ask("POST", at+"/"+verb, body, "Idempotency-Key", "k1")
		if w.Code != 200 {
			t.Errorf("%s: got %d %s", verb, w.Code, w.Body)
			continue
		}
		last := p.calls[len(p.calls)-1]
		if last.ID != open || !strings.HasPrefix(last.Request, "k1/") ||
			last.By != (timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}) {
			t.Errorf("%s: got %+v", verb, last)
		}
		var r api.Receipt
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.ID != open || r.Status != i.Status || r.Seq != len(i.Timeline.Entries) {
			t.Errorf("%s: got %+v, %v", verb, r, err)
		}
		if over := verb == "resolve" || verb == "close"; over != (r.Firing == 1) {
			t.Errorf("%s: says that %d alerts fire", verb, r.Firing)
		}
		if got := w.Header().Get("Idempotency-Key"); got != "k1" {
			t.Errorf("%s: got key %q back", verb, got)
		}
	}
}

func TestAssignTakesTheNameFromTheOrganisation(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", at+"/assign", bodies()["assign"])
	want := incident.Assign{Role: incident.SupportManager, Person: "kim", Name: "김민수", Note: "your turn"}
	if len(p.calls) != 1 || p.calls[0].Command != want {
		t.Errorf("got %+v, want %+v", p.calls, want)
	}
}

// What is pinned comes from the organisation folder, whatever a body says.
func TestRepinTakesTheDefinitionOfTheFolder(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", at+"/repin", bodies()["repin"])
	if len(p.calls) != 1 {
		t.Fatalf("got %+v", p.calls)
	}
	c, ok := p.calls[0].Command.(incident.Repin)
	if !ok || c.Reason != "premium since today" || c.Definition == nil || c.Definition.Revision != "newer" {
		t.Errorf("got %+v", p.calls[0].Command)
	}
	if w := p.ask("POST", at+"/repin", `{"reason":"x","definition":{}}`); w.Code != http.StatusUnprocessableEntity || len(p.calls) != 1 {
		t.Errorf("a definition from outside: %d %s", w.Code, w.Body)
	}
}

func TestNoRepinFromAnOlderFolder(t *testing.T) {
	p := newPlace(t)
	p.incidents[open].Folder = incident.Folder{Revision: "newer", Changed: instant()}
	if w := p.ask("POST", at+"/repin", bodies()["repin"]); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "is older than the one") || len(p.calls) > 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestBadBodies(t *testing.T) {
	long := strings.Repeat("가", incident.MaxText/3+1)
	for _, tc := range []struct {
		verb, body string
		status     int
		field      string
	}{
		{"note", `{`, 400, "body"},
		{"note", `{"text":"a"`, 400, "body"},
		{"note", `{"text":"a"} x`, 400, "body"},
		{"note", `{"text":"a"}{}`, 400, "body"},
		{"note", `[]`, 400, "body"},
		{"note", `null`, 400, "body"},
		{"note", `"text"`, 400, "body"},
		{"note", "{\"text\":\"\xff\"}", 400, "body"},
		{"note", `{"text":"a","text":"b"}`, 400, "body"},
		{"note", `{"text":"` + strings.Repeat("a", api.MaxBody) + `"}`, 413, "body"},
		{"note", `{}`, 422, "text"},
		{"note", ``, 422, "text"},
		{"note", `{"text":" "}`, 422, "text"},
		{"note", `{"text":null}`, 422, "text"},
		{"note", `{"text":1}`, 422, "text"},
		{"note", `{"text":["a"]}`, 422, "text"},
		{"note", `{"text":"` + long + `"}`, 422, "text"},
		{"note", `{"text":"a","by":"kim"}`, 422, "by"},
		{"note", `{"TEXT":"a"}`, 422, "text"},
		{"note", `{"text":"a","actor":{"id":"kim"}}`, 422, "actor"},
		{"acknowledge", `{"note":"a"}`, 422, "note"},
		{"assign", `{"role":"boss","person":"kim"}`, 422, "role"},
		{"assign", `{"role":"support-manager"}`, 422, "person"},
		{"assign", `{"role":"support-manager","person":"kimm"}`, 422, "person"},
		{"assign", `{"role":"support-manager","person":"kim","name":"King"}`, 422, "name"},
		{"priority", `{"impact":"huge","reason":"a"}`, 422, "impact"},
		{"priority", `{"impact":"low"}`, 422, "reason"},
		{"pause", `{"target":"coffee","reason":"a"}`, 422, "target"},
	} {
		p := newPlace(t)
		w := p.ask("POST", at+"/"+tc.verb, tc.body)
		if got := problemOf(t, w); w.Code != tc.status || got.Field != tc.field {
			t.Errorf("%s %.40s: got %d %q (%s), want %d %q", tc.verb, tc.body, w.Code, got.Field, got.Detail, tc.status, tc.field)
		}
		if len(p.calls) > 0 {
			t.Errorf("%s %.40s: got through", tc.verb, tc.body)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	got := problemOf(t, newPlace(t).ask("POST", at+"/pause", `{"target":"x","b":"","a":""}`))
	var fields []string
	for _, f := range got.Errors {
		fields = append(fields, f.Field+" "+f.Detail)
	}
	want := `target "x"; want respond, update, mitigate, resolve or result_report|reason missing|a unknown; want customer, target, for or reason|b unknown; want customer, target, for or reason`
	if s := strings.Join(fields, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestBadHeaders(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		status      int
	}{
		{"Content-Type", "text/plain", 415},
		{"Content-Type", "application/x-www-form-urlencoded", 415},
		{"Idempotency-Key", "", 422},
		{"Idempotency-Key", "a b", 422},
		{"Idempotency-Key", strings.Repeat("a", 65), 422},
	} {
		w := newPlace(t).ask("POST", at+"/note", `{"text":"a"}`, tc.name, tc.value)
		if got := problemOf(t, w); w.Code != tc.status || got.Field != tc.name {
			t.Errorf("%s %q: got %d %q", tc.name, tc.value, w.Code, got.Field)
		}
	}
}

func TestAMachineTakesNoIncident(t *testing.T) {
	p := newPlace(t)
	for verb, want := range map[string]int{"acknowledge": 403, "mitigate": 403, "note": 200, "escalate": 200} {
		w := p.ask("POST", at+"/"+verb, bodies()[verb], "Authorization", "Bearer "+p.machine)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", verb, w.Code, want)
		}
	}
	if by := p.calls[0].By; by != (timeline.Actor{Kind: timeline.Source, ID: "deploy-bot"}) {
		t.Errorf("got actor %+v", by)
	}
}

func TestErrors(t *testing.T) {
	temporal := errors.New("dial tcp 10.0.0.7:7233: refused")
	for _, tc := range []struct {
		name   string
		fail   error
		status int
		detail string
	}{
		{"not found", &starter.NotFoundError{What: "incident INC-1"}, 404, "incident INC-1: not found"},
		{"refused", &starter.RefusedError{Reason: "note INC-1: is closed"}, 409, "note INC-1: is closed"},
		{"unavailable", &starter.UnavailableError{Cause: temporal}, 503, ""},
		{"stuck", &starter.StuckError{What: "incident INC-1", Cause: temporal}, 503, "incident INC-1: cannot go on: its workflow tasks fail or time out; an operator must look, and until then asking again does not help"},
		{"ours", temporal, 500, "an error of ours; the server's log has it"},
	} {
		for path := range routes() {
			p := newPlace(t)
			p.fail = []error{tc.fail, tc.fail}
			method, body := asking(path)
			if tc.status == 404 && strings.Contains(body, string(other)) { // that the other one is not found is another thing
				continue
			}
			w := p.ask(method, path, body)
			got := problemOf(t, w)
			if w.Code != tc.status || tc.detail != "" && got.Detail != tc.detail {
				t.Errorf("%s: %s %s: got %d %q", tc.name, method, path, w.Code, got.Detail)
			}
			if strings.Contains(w.Body.String(), "10.0.0.7") {
				t.Errorf("%s: %s tells clients what only operators may know", tc.name, path)
			}
			if stuck := tc.name == "stuck"; stuck != (got.Type == api.StuckRefusal) || stuck && w.Header().Get("Retry-After") != "60" {
				t.Errorf("%s: %s: got type %q, Retry-After %q", tc.name, path, got.Type, w.Header().Get("Retry-After"))
			}
			if tc.name == "unavailable" {
				if w.Header().Get("Retry-After") != "2" || !strings.Contains(p.log.String(), "10.0.0.7") {
					t.Errorf("%s: Retry-After %q, log %s", path, w.Header().Get("Retry-After"), p.log)
				}
				if may := strings.Contains(got.Detail, "may have been done"); may != (method == "POST") {
					t.Errorf("%s %s: got %q", method, path, got.Detail)
				}
			}
		}
	}
}

// TestAClientThatHasGoneIsNoError keeps the log's errors for operators.
func TestAClientThatHasGoneIsNoError(t *testing.T) {
	p := newPlace(t)
	p.fail = []error{&starter.UnavailableError{Cause: context.Canceled}}
	ctx, gone := context.WithCancel(t.Context())
	gone()
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/incidents", nil)
	r.Header.Set("Authorization", "Bearer "+p.person)
	p.handler.ServeHTTP(httptest.NewRecorder(), r)
	if log := p.log.String(); !strings.Contains(log, "level=INFO msg=\"request not answered\"") || strings.Contains(log, "ERROR") {
		t.Errorf("got the log %s", log)
	}
}

func TestUnknownIncident(t *testing.T) {
	p := newPlace(t)
	for path := range routes() {
		if path == "/api/v1/incidents" {
			continue
		}
		method, body := asking(path)
		path = strings.Replace(path, string(open), "INC-NOBODY", 1)
		if w := p.ask(method, path, body); w.Code != 404 || problemOf(t, w).Detail != "incident INC-NOBODY: not found" {
			t.Errorf("%s %s: got %d %s", method, path, w.Code, w.Body)
		}
	}
}

func TestAPanicShowsNoStack(t *testing.T) {
	p := newPlace(t)
	p.panics = true
	w := p.ask("GET", at, "")
	if got := problemOf(t, w); w.Code != 500 || strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "goroutine") {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(p.log.String(), "goroutine") {
		t.Error("the log has no stack")
	}
}

func TestARepeatIsOneDecision(t *testing.T) {
	p := newPlace(t)
	note := func(token, key, text string) {
		t.Helper()
		if w := p.ask("POST", at+"/note", `{"text":"`+text+`"}`, "Idempotency-Key", key, "Authorization", "Bearer "+token); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	notes := func() (n int) {
		for _, e := range p.incidents[open].Timeline.Entries {
			if e.Kind == timeline.Noted {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		token, key, text string
		want             int
	}{
		{p.person, "k1", "a", 1},
		{p.person, "k1", "a", 1},
		{p.person, "k2", "a", 2},
		{p.person, "k1", "b", 3},  // the same key with other words is something else, and not dropped
		{p.machine, "k1", "a", 4}, // and so is somebody else's
	} {
		note(step.token, step.key, step.text)
		if got := notes(); got != step.want {
			t.Fatalf("after %+v: got %d notes", step, got)
		}
	}
}

func TestAClosedIncidentSaysSo(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", at+"/resolve", bodies()["resolve"])
	for n := range 2 { // the second finds no workflow any more, and is the same decision all the same
		if w := p.ask("POST", at+"/close", `{}`, "Idempotency-Key", "k"); w.Code != 200 || !strings.Contains(w.Body.String(), `"status":"closed"`) {
			t.Errorf("close %d: got %d %s", n+1, w.Code, w.Body)
		}
	}
	w := p.ask("POST", at+"/note", `{"text":"a"}`)
	if got := problemOf(t, w); w.Code != 409 || got.Detail != "note INC-7K3M9QX2PA: is closed, by 박서준 at "+instant().Format(time.RFC3339) {
		t.Errorf("got %d %q", w.Code, got.Detail)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := api.New(api.Config{}); err == nil {
		t.Error("made of nothing")
	}
}

// Whatever a body holds, it is a command that is right or a problem that says why not.
func FuzzCommand(f *testing.F) {
	p := newPlace(f)
	verbs := slices.Sorted(maps.Keys(bodies()))
	for n, verb := range verbs {
		f.Add(n, bodies()[verb])
	}
	f.Add(0, `{"a":[{"b":null}],"a":1e999}`)
	f.Add(2, "{\"text\":\"\\ud800\xff\"}")
	f.Fuzz(func(t *testing.T, n int, body string) {
		w := p.ask("POST", at+"/"+verbs[uint(n)%uint(len(verbs))], body)
		switch w.Code {
		case 200:
		case 400, 409, 413, 415, 422:
			problemOf(t, w)
		default:
			t.Errorf("%q: got %d %s", body, w.Code, w.Body)
		}
	})
}

// Whole histories are large: only two are read at a time.
func TestHistoriesAreReadInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		begun, release := 0, make(chan struct{})
		var mu sync.Mutex
		p.reading = func() {
			mu.Lock()
			begun++
			mu.Unlock()
			<-release
		}
		var all sync.WaitGroup
		codes := make([]int, 3)
		for n := range codes {
			all.Go(func() { codes[n] = p.ask("GET", at+"/history", "").Code })
		}
		synctest.Wait()
		if begun != 2 {
			t.Errorf("%d histories are being read, want 2", begun)
		}
		close(release)
		all.Wait()
		if !slices.Equal(codes, []int{200, 200, 200}) {
			t.Errorf("answered %v, want 200 to each in the end", codes)
		}
	})
}

// While the database of tokens is away nobody is known, which is no fault of theirs and none of ours.
func TestTheDatabaseOfTokensIsAway(t *testing.T) {
	p := newPlace(t)
	db, err := postgres.Parse("postgres://muster@127.0.0.1:1/muster")
	if err != nil {
		t.Fatal(err)
	}
	if p.config.Store, err = store.OpenPostgres(t.Context(), db, instant); err != nil {
		t.Fatal(err)
	}
	if p.handler, err = api.New(p.config); err != nil {
		t.Fatal(err)
	}
	w := p.ask(http.MethodGet, "/api/v1/incidents", "", "Authorization", "Bearer "+p.person)
	if want := "the database of tokens and sessions does not answer: ask again"; w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %s, Retry-After %q, want 503 and %q", w.Code, w.Body, w.Header().Get("Retry-After"), want)
	}
}
