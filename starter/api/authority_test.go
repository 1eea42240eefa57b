package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/incident"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	handoverRoute = "/api/v1/schedules/{id}/handover"
	requestRoute  = "/api/v1/requests/{id}"
)

// A try is one request with which a route is tried: right in everything but who makes it.
type try struct{ route, method, path, body string }

// tries has one for every route. Own and another's tokens are named in the paths.
func tries() []try {
	all := []try{
		{"GET /api/v1/me", "GET", "/api/v1/me", ""},
		{"GET /api/v1/tokens", "GET", "/api/v1/tokens", ""},
		{"POST /api/v1/tokens", "POST", "/api/v1/tokens", `{"label":"own"}`},
		{"POST /api/v1/tokens", "POST", "/api/v1/tokens", `{"actor":"kim"}`},
		{"POST /api/v1/tokens", "POST", "/api/v1/tokens", `{"actor":"bot","kind":"machine","roles":"responder"}`},
		{"DELETE /api/v1/tokens/{id}", "DELETE", "/api/v1/tokens/OWN", ""},
		{"DELETE /api/v1/tokens/{id}", "DELETE", "/api/v1/tokens/KIMS", ""},
		{"POST /api/v1/forms", "POST", "/api/v1/forms", `{"person":"park"}`},
		{"GET /api/v1/attempts", "GET", "/api/v1/attempts", ""},
		{"GET /api/v1/contacts", "GET", "/api/v1/contacts?person=min", ""},
		{"GET /api/v1/contacts", "GET", "/api/v1/contacts?person=park", ""},
		{"POST /api/v1/contacts/test", "POST", "/api/v1/contacts/test", `{"person":"park"}`},
		{"GET /api/v1/keys", "GET", "/api/v1/keys", ""},
		{"POST /api/v1/keys", "POST", "/api/v1/keys", ""},
		{"POST /api/v1/codec/decode", "POST", "/api/v1/codec/decode", `{"payloads":[]}`},
		{"DELETE /api/v1/keys/{id}", "DELETE", "/api/v1/keys/none", ""},
		{"GET " + handoverRoute, "GET", passing, ""},
		{"POST " + handoverRoute, "POST", passing, `{"to":"kim","note":"watch the batch"}`},
		{"POST " + handoverRoute + "/confirm", "POST", passing + "/confirm", `{}`},
		{"POST " + handoverRoute + "/decline", "POST", passing + "/decline", `{"reason":"ill"}`},
		{"POST " + handoverRoute + "/note", "POST", passing + "/note", `{"text":"on the train"}`},
		{"POST /api/v1/incidents", "POST", incidents, `{"service":"checkout","title":"nobody can pay"}`},
		{"GET /api/v1/requests", "GET", "/api/v1/requests", ""},
		{"GET /api/v1/reviews", "GET", "/api/v1/reviews", ""},
		{"POST /api/v1/incidents/{id}/review", "POST", at + "/review", ""},
		{"POST /api/v1/requests", "POST", "/api/v1/requests", `{"customer":"acme","kind":"enquiry","text":"How?"}`},
		{"GET " + requestRoute, "GET", tuned, ""},
		{"GET " + requestRoute + "/report", "GET", tuned + "/report", ""},
		{"GET " + requestRoute + "/minutes", "GET", tuned + "/minutes", ""},
		{"GET /api/v1/actions", "GET", "/api/v1/actions", ""},
		{"POST /api/v1/actions", "POST", "/api/v1/actions", acting()["actions"]},
		{"GET " + actionRoute, "GET", pooled, ""},
		{"GET /api/v1/heartbeats", "GET", "/api/v1/heartbeats", ""},
		{"GET /api/v1/escalations", "GET", "/api/v1/escalations", ""},
		{"POST /api/v1/escalations", "POST", "/api/v1/escalations", escalating()["escalations"]},
		{"GET " + escalationRoute, "GET", restored, ""},
		{"GET /api/v1/assets", "GET", "/api/v1/assets", ""},
		{"GET " + assetRoute, "GET", "/api/v1/assets/db", ""},
		{"POST /api/v1/vendor-notices", "POST", "/api/v1/vendor-notices", noticeBody},
		{"GET /api/v1/routines", "GET", "/api/v1/routines", ""},
		{"GET " + routineRoute, "GET", checking, ""},
		{"GET /api/v1/visits", "GET", "/api/v1/visits", ""},
		{"POST " + routineRoute + "/move", "POST", checking + "/move", routineBodies(instant())["move"]},
		{"POST " + routineRoute + "/skip", "POST", checking + "/skip", routineBodies(instant())["skip"]},
		{"GET /api/v1/automatic-responses", "GET", "/api/v1/automatic-responses", ""},
		{"GET " + responseRoute, "GET", respondingAt, ""},
		{"POST " + responseRoute + "/off", "POST", respondingAt + "/off", `{"reason":"x"}`},
		{"POST " + responseRoute + "/on", "POST", respondingAt + "/on", `{"reason":"x"}`},
		{"GET /api/v1/silences", "GET", "/api/v1/silences", ""},
		{"POST /api/v1/silences", "POST", "/api/v1/silences", silencing(instant())},
		{"GET " + silenceRoute, "GET", quieted, ""},
		{"POST " + silenceRoute + "/end", "POST", quieted + "/end", `{"reason":"done"}`},
	}
	for _, verb := range []string{"take", "answer", "in-hand", "raise", "originator", "note"} {
		all = append(all, try{"POST " + escalationRoute + "/" + verb, "POST", restored + "/" + verb, escalating()[verb]})
	}
	for _, verb := range []string{"done", "verify", "effect", "extend", "assign", "cancel", "note"} {
		all = append(all, try{"POST " + actionRoute + "/" + verb, "POST", pooled + "/" + verb, acting()[verb]})
	}
	for _, verb := range []string{"approve", "decline", "answer", "withdraw", "note", "take", "hand-over", "collect", "meeting", "case", "judge", "incident"} {
		all = append(all, try{"POST " + requestRoute + "/" + verb, "POST", tuned + "/" + verb, asked()[verb]})
	}
	all = append(all, try{"GET /api/v1/inbox", "GET", "/api/v1/inbox", ""}, try{"GET /api/v1/plan-runs", "GET", "/api/v1/plan-runs", ""},
		try{"POST /api/v1/plan-runs", "POST", "/api/v1/plan-runs", `{"plan":"small","customer":"acme","environments":{"production":"prod"}}`},
		try{"GET " + planRoute, "GET", upgraded, ""}, try{"GET " + planRoute + "/history", "GET", upgraded + "/history", ""},
		try{"GET " + planRoute + "/report", "GET", upgraded + "/report?kind=decisions", ""})
	for name, body := range planBodies() {
		all = append(all, try{"POST " + planRoute + "/" + name, "POST", upgraded + "/" + name, body})
	}
	all = append(all, try{"GET /api/v1/problems", "GET", "/api/v1/problems", ""}, try{"POST /api/v1/problems", "POST", "/api/v1/problems", problemBodies()["problems"]},
		try{"GET " + problemRoute, "GET", leak, ""}, try{"GET " + problemRoute + "/report", "GET", leak + "/report", ""})
	for name, body := range problemBodies() {
		if name != "problems" {
			all = append(all, try{"POST " + problemRoute + "/" + name, "POST", leak + "/" + name, body})
		}
	}
	all = append(all, try{"GET /api/v1/changes", "GET", "/api/v1/changes", ""}, try{"POST /api/v1/changes", "POST", "/api/v1/changes", newChange(instant())},
		try{"GET /api/v1/standard-changes", "GET", "/api/v1/standard-changes", ""},
		try{"GET /api/v1/change-calendar", "GET", "/api/v1/change-calendar", ""}, try{"GET " + changeRoute, "GET", enlarged, ""})
	for _, name := range changeNames() {
		all = append(all, try{"POST " + changeRoute + "/" + name, "POST", enlarged + "/" + name, ""})
	}
	for path := range routes() {
		method, body := asking(path)
		all = append(all, try{method + " " + strings.Replace(path, string(open), "{id}", 1), method, path, body})
	}
	slices.SortStableFunc(all, func(a, b try) int { return strings.Compare(a.path, b.path) })
	return all
}

// visitors are one of each role of each party, by ID, with machines and tokens that are narrowed.
func visitors() map[string]store.Token {
	all := map[string]store.Token{
		"01 administrator, provider":         {Actor: "choi"},
		"02 responder, provider":             {Actor: "park"},
		"03 auditor, provider":               {Actor: "yoon"},
		"04 member, provider":                {Actor: "min"},
		"05 responder, its customer":         {Actor: "acme/lead"},
		"06 member, its customer":            {Actor: "acme/desk"},
		"07 responder, another customer":     {Actor: "globex/lead"},
		"08 responder, its partner":          {Actor: "jung"},
		"09 member, its partner":             {Actor: "oh"},
		"10 responder, another partner":      {Actor: "seo"},
		"11 member, its vendor":              {Actor: "vera"},
		"12 machine, responder":              {Actor: "bot", Kind: store.Machine, Roles: []string{"responder"}},
		"13 machine, auditor":                {Actor: "bot", Kind: store.Machine, Roles: []string{"auditor"}},
		"14 machine without a role":          {Actor: "bot", Kind: store.Machine},
		"15 responder, narrowed to read":     {Actor: "park", Scopes: []string{"read"}},
		"16 responder, narrowed to note":     {Actor: "park", Scopes: []string{"note"}},
		"17 member, narrowed to acknowledge": {Actor: "min", Scopes: []string{"acknowledge"}},
		"18 administrator of a data folder":  {Actor: "admin", Roles: []string{"administrator"}},
	}
	return all
}

// TestWhoMayDoWhat tries every route with one of each role of each party, and compares the answers with what people have read
// and found right: 403 and 404 are denials.
func TestWhoMayDoWhat(t *testing.T) {
	var b strings.Builder
	b.WriteString("How each route answers whom, by a right request. A denial is 403, or 404 where who asks may not know that it is there;\n" +
		"409 was let in, and refused by what it is about: the incident is not resolved, there is no such key, the hand-over is not\n" +
		"that person's, one is under way, nobody has accepted the request, or the plan gives that part to somebody else.\n")
	names := make([]string, 0, len(visitors()))
	for name := range visitors() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, try := range tries() {
		whose := map[bool]string{true: "of one's own"}[strings.HasSuffix(try.path, "OWN")] + map[bool]string{true: "of another"}[strings.HasSuffix(try.path, "KIMS")] +
			map[bool]string{true: strings.TrimPrefix(try.path, "/api/v1/contacts?")}[strings.HasPrefix(try.path, "/api/v1/contacts?")]
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(try.route+" "+try.body+whose))
		codes := map[int][]string{}
		for _, name := range names {
			p := newPlace(t)
			if try.route != "POST "+handoverRoute {
				p.handingOver(t, "park")
			}
			who := visitors()[name]
			p.person = p.token(t, who)
			path := strings.Replace(try.path, "OWN", p.tokenID(t, who.Actor), 1)
			if strings.Contains(path, "KIMS") {
				p.token(t, store.Token{Actor: "kim"})
				path = strings.Replace(path, "KIMS", p.tokenID(t, "kim"), 1)
			}
			body := try.body
			if name := path[strings.LastIndex(path, "/")+1:]; strings.HasPrefix(path, upgraded) && try.method == "POST" {
				body = p.planBody(t, name)
			}
			if strings.HasPrefix(path, tuned+"/") {
				p.readied(path[strings.LastIndex(path, "/")+1:])
			}
			if strings.HasPrefix(path, pooled+"/") {
				body = p.actionBody(path[strings.LastIndex(path, "/")+1:])
			}
			if strings.HasPrefix(path, enlarged+"/") {
				body = p.changeBody(path[strings.LastIndex(path, "/")+1:])
			}
			w := p.ask(try.method, path, body)
			codes[w.Code] = append(codes[w.Code], name[3:])
			if denied := w.Code == 403 || w.Code == 404; denied != (p.noted(t, store.AttemptDenied) == 1) && who.Kind != "" {
				t.Errorf("%s as %s: %d, and %d denials are noted", try.route, name, w.Code, p.noted(t, store.AttemptDenied))
			}
			if (w.Code == 403 || w.Code == 404) && len(p.calls)+len(p.told) > 0 {
				t.Errorf("%s as %s: denied, and done", try.route, name)
			}
		}
		for _, code := range []int{200, 409, 403, 404} {
			if len(codes[code]) > 0 {
				fmt.Fprintf(&b, "  %d: %s\n", code, strings.Join(codes[code], "; "))
				delete(codes, code)
			}
		}
		if len(codes) > 0 {
			t.Errorf("%s: got %v", try.route, codes)
		}
	}
	for _, route := range api.Routes() {
		if !slices.ContainsFunc(tries(), func(one try) bool { return one.route == route }) {
			t.Errorf("%s is not tried", route)
		}
	}
	const file = "testdata/routes.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("who may do what has changed (-want +got); -update writes it anew:\n%s", d)
	}
}

// tokenID is that of the newest token of somebody.
func (p *place) tokenID(t *testing.T, actor string) string {
	t.Helper()
	all, err := p.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(all, func(t store.Token) bool { return t.Actor == actor })
	if n < 0 {
		t.Fatalf("%s has no token", actor)
	}
	return all[n].ID
}

// noted counts the refused attempts of a kind.
func (p *place) noted(t *testing.T, k store.AttemptKind) (n int) {
	t.Helper()
	all, err := p.store.Attempts(t.Context(), 0, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Kind == k {
			n++
		}
	}
	return n
}

// Whoever may not read an incident gets the same answer as for one that is not there.
func TestNobodyGuessesAnIncident(t *testing.T) {
	for _, who := range []string{"globex/lead", "seo"} {
		p := newPlace(t)
		as := p.as(t, who)
		for path := range routes() {
			if path == "/api/v1/incidents" {
				continue
			}
			method, body := asking(path)
			there := p.ask(method, path, body, "Authorization", as)
			gone := p.ask(method, strings.Replace(path, string(open), "INC-NOBODY", 1), body, "Authorization", as)
			if there.Code != 404 || gone.Code != 404 || strings.ReplaceAll(there.Body.String(), string(open), "INC-NOBODY") != gone.Body.String() {
				t.Errorf("%s %s as %s: got %d %s, and of none %d %s", method, path, who, there.Code, there.Body, gone.Code, gone.Body)
			}
		}
	}
}

// A party beside the provider sees of an incident what concerns it, and nothing of others or of the inside.
func TestAPartySeesItsOwn(t *testing.T) {
	p := newPlace(t)
	i := p.incidents[open]
	i.Definition.Customers = append(i.Definition.Customers, incident.Customer{ID: "globex", Name: "Globex"})
	i.Timeline.Add(p.now, timeline.Noted, p.people["park"].Actor, timeline.F("text", "internal words"))
	i.Timeline.Add(p.now, timeline.Noted, p.people["acme/lead"].Actor, timeline.F("text", "our words"))
	i.Timeline.Add(p.now, timeline.StatusChanged, p.people["park"].Actor, timeline.F("from", "triggered"), timeline.F("to", "acknowledged"), timeline.F("note", "internal note"))
	i.Timeline.Add(p.now, timeline.UpdateSent, p.people["park"].Actor, timeline.F("customer", "Acme"), timeline.F("text", "told to Acme"))
	i.Timeline.Add(p.now, timeline.UpdateSent, p.people["park"].Actor, timeline.F("customer", "Globex"), timeline.F("text", "told to Globex"))
	i.Timeline.Add(p.now, timeline.AlertFired, timeline.Muster(), timeline.F("name", "InternalAlert"))
	for _, tc := range []struct {
		who           string
		shows, hidden string
	}{
		{"acme/desk", "Checkout answers 500|our words|told to Acme|Acme lead", "internal|Globex|globex|박서준|InternalAlert|prometheus|person:park"},
		{"oh", "Checkout answers 500", "internal|Globex|globex|Acme|acme|words|told|박서준|InternalAlert|prometheus"},
		{"jung", "Checkout answers 500|internal words|our words|told to Acme|told to Globex|박서준|InternalAlert", "nothing is hidden"},
		{"park", "Checkout answers 500|internal words|our words|told to Acme|told to Globex|박서준|InternalAlert", "nothing is hidden"},
	} {
		as := p.as(t, tc.who)
		text := ""
		for _, path := range []string{at, at + "/timeline", "/api/v1/incidents", at + "/review"} {
			w := p.ask("GET", path, "", "Authorization", as)
			if w.Code != 200 && !(strings.HasSuffix(path, "/review") && (tc.who == "oh" || tc.who == "jung")) {
				t.Errorf("%s as %s: got %d %s", path, tc.who, w.Code, w.Body)
			}
			text += w.Body.String()
		}
		for _, want := range strings.Split(tc.shows, "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not see %q", tc.who, want)
			}
		}
		for _, not := range strings.Split(tc.hidden, "|") {
			if strings.Contains(text, not) {
				t.Errorf("%s sees %q in %s", tc.who, not, text)
			}
		}
	}
}

// restrict makes the incident one of security, in which nobody is involved but whoever was paged.
func (p *place) restrict(involved ...string) {
	i := p.incidents[open]
	i.Definition.Kind, i.Involved = incident.SecurityIncident, involved
	i.Timeline.Add(p.now, timeline.AlertFired, timeline.Muster(), timeline.F("name", "StolenAccount"))
}

// Whoever may not read a security incident gets the same answer as for one that is not there, whatever is asked.
func TestNobodyGuessesASecurityIncident(t *testing.T) {
	for _, who := range []string{"park", "min", "jung", "oh", "vera"} {
		p := newPlace(t)
		p.restrict("kim")
		as := p.as(t, who)
		for path := range routes() {
			if path == "/api/v1/incidents" {
				continue
			}
			method, body := asking(path)
			there := p.ask(method, path, body, "Authorization", as)
			gone := p.ask(method, strings.Replace(path, string(open), "INC-NOBODY", 1), body, "Authorization", as)
			if there.Code != 404 || gone.Code != 404 || strings.ReplaceAll(there.Body.String(), string(open), "INC-NOBODY") != gone.Body.String() {
				t.Errorf("%s %s as %s: got %d %s, and of none %d %s", method, path, who, there.Code, there.Body, gone.Code, gone.Body)
			}
		}
		if len(p.calls) > 0 {
			t.Errorf("%s is denied, and has done %v", who, p.calls)
		}
	}
}

// Whoever may read a security incident sees of it and may do what the roles give; a customer learns no word of the alerts.
func TestWhoReadsASecurityIncident(t *testing.T) {
	for _, tc := range []struct {
		who           string
		shows, hidden string
		acknowledges  int
	}{
		{"choi", "Checkout answers 500|StolenAccount|security", "nothing is hidden", 200},
		{"yoon", "Checkout answers 500|StolenAccount|security", "nothing is hidden", 403},
		{"park", "Checkout answers 500|StolenAccount|security", "nothing is hidden", 200},
		{"min", "Checkout answers 500|StolenAccount|security", "nothing is hidden", 403},
		{"jung", "Checkout answers 500|StolenAccount|security", "FOR-THE-HOUSE", 200},
		{"oh", `"title":"Checkout"`, "answers 500|StolenAccount|security|involved", 403},
		{"acme/desk", `"title":"Checkout"`, "answers 500|StolenAccount|security|involved", 403},
	} {
		p := newPlace(t)
		p.restrict("park", "min", "jung", "oh")
		as := p.as(t, tc.who)
		text := ""
		for _, path := range []string{at, at + "/timeline"} {
			w := p.ask("GET", path, "", "Authorization", as)
			if w.Code != 200 {
				t.Errorf("%s as %s: got %d %s", path, tc.who, w.Code, w.Body)
			}
			text += w.Body.String()
		}
		for _, want := range strings.Split(tc.shows, "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not see %q in %s", tc.who, want, text)
			}
		}
		for _, not := range strings.Split(tc.hidden, "|") {
			if strings.Contains(text, not) {
				t.Errorf("%s sees %q in %s", tc.who, not, text)
			}
		}
		if w := p.ask("POST", at+"/acknowledge", "", "Authorization", as); w.Code != tc.acknowledges {
			t.Errorf("%s acknowledges: got %d %s, want %d", tc.who, w.Code, w.Body, tc.acknowledges)
		}
	}
}

// Whoever gets a role in it may read it, and no machine may for having the same name.
func TestAnAssignmentOpensASecurityIncident(t *testing.T) {
	p := newPlace(t)
	p.restrict()
	as := p.as(t, "park")
	bot := "Bearer " + p.token(t, store.Token{Actor: "park", Kind: store.Machine, Roles: []string{"responder"}})
	if w := p.ask("POST", at+"/assign", `{"role":"incident-manager","person":"park"}`, "Authorization", p.as(t, "choi")); w.Code != 200 {
		t.Fatalf("assign: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", at, "", "Authorization", as); w.Code != 200 {
		t.Errorf("read by its manager: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", at, "", "Authorization", bot); w.Code != 404 {
		t.Errorf("read by a machine of that name: got %d %s", w.Code, w.Body)
	}
}

func TestAListIsOfWhatOneMayRead(t *testing.T) {
	for _, tc := range []struct {
		who  string
		want api.Filter
		asks bool
	}{
		{"park", api.Filter{Limit: 50, Ordinary: true}, true},
		{"choi", api.Filter{Limit: 50}, true},
		{"yoon", api.Filter{Limit: 50}, true},
		{"acme/desk", api.Filter{Limit: 50, Customers: []string{"acme"}}, true},
		{"globex/lead", api.Filter{Limit: 50, Customers: []string{"globex"}}, true},
		{"oh", api.Filter{Limit: 50, Services: []string{"checkout"}, Ordinary: true}, true},
		{"seo", api.Filter{}, false}, // no service names its party
	} {
		p := newPlace(t)
		w := p.ask("GET", "/api/v1/incidents", "", "Authorization", p.as(t, tc.who))
		var page api.Page
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: got %d %s", tc.who, w.Code, w.Body)
		}
		if d := cmp.Diff(tc.want, p.filter); d != "" || (len(page.Incidents) > 0) != tc.asks {
			t.Errorf("%s: %d rows, asked (-want +got):\n%s", tc.who, len(page.Incidents), d)
		}
	}
}
