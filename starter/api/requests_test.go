package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/starter"
	"muster/starter/api"
)

// tuning is a request of acme that waits for a decision, recorded by kim.
const (
	tuning request.ID = "REQ-7K3M9QX2PA"
	tuned             = "/api/v1/requests/" + string(tuning)
)

// asked are bodies that are right, by the last part of their path.
func asked() map[string]string {
	return map[string]string{
		"requests":  `{"customer":"acme","kind":"enquiry","channel":"phone","received":"2026-11-22T14:00:00+09:00","number":"C-1","text":"How?"}`,
		"approve":   `{"reason":"as a favour"}`,
		"decline":   `{"reason":"not in the plan","offer":"premium"}`,
		"answer":    `{"text":"done"}`,
		"withdraw":  `{"reason":"not needed"}`,
		"note":      `{"text":"internal words"}`,
		"take":      `{"note":"internal words"}`,
		"hand-over": `{"person":"kim","note":"internal words"}`,
		"meeting":   `{"purpose":"More storage","who":["Seo"],"text":"The disk fills up"}`,
		"collect":   `{"need":"version","text":"4.2"}`,
		"case":      `{"vendor":"vane","ref":"SR-1182","chase":"2026-12-01T09:00:00+09:00"}`,
		"judge":     `{"result":"complete","note":"they have called"}`,
		"incident":  `{"service":"checkout","title":"Payments are refused"}`,
	}
}

// readied brings the request to where something can be asked of it.
func (p *place) readied(last string) {
	q, kim := p.requests[tuning], timeline.Actor{Kind: timeline.Person, ID: "other", Name: "x"}
	if slices.Contains([]string{"take", "hand-over", "case", "judge"}, last) {
		_ = request.Approve{Reason: "x"}.Apply(q, kim, p.now)
	}
	if last == "minutes" {
		_ = request.Meet{Purpose: "More storage", Who: []string{"Seo"}, Text: "The disk fills up"}.Apply(q, kim, p.now)
	}
	q.Needs = []request.Need{{ID: "version", Name: supportplan.Text{English: "Version", Korean: "버전"}}}
	if last == "judge" {
		q.Terms.Confirm = &supportplan.Confirmation{Days: 3}
		_ = request.Answer{Text: "x"}.Apply(q, kim, p.now)
	}
}

// Request knows acme and globex, whose plan includes enquiries, and a tuning a month only.
func (people) Request(a request.Asked) (request.Asked, request.Pinned, error) {
	name, known := map[string]string{"acme": "Acme", "globex": "Globex"}[a.Customer]
	if !known {
		return a, request.Pinned{}, &request.Fault{Field: "customer", Detail: `"` + a.Customer + `"; want the id of a customer in the organisation folder`}
	}
	e := supportplan.Entitlement{
		Terms: supportplan.Terms{
			Coverage: supportplan.AroundTheClock, Column: "basic", Requests: []supportplan.RequestTarget{{Kind: "enquiry", Target: supportplan.Respond, Within: time.Hour}},
		},
		Table: supportplan.Table{
			Columns: []supportplan.Column{{ID: "basic"}, {ID: "premium"}},
			Groups: []supportplan.Group{{Features: []supportplan.Feature{{ID: "tuning", In: []supportplan.Grant{
				{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: 1, Per: supportplan.Month}}, {Kind: supportplan.Included},
			}}}}},
			Limits: []supportplan.Limit{{Item: supportplan.Text{English: "Licences", Korean: "라이선스"}, Customer: supportplan.Pays, Features: []string{"tuning"}}},
		},
	}
	p := request.Pinned{
		Revision: "newer", Organisation: "Mirnet", Zone: "Asia/Seoul", CustomerName: name, Plan: "Basic", Entitlement: e, AtRisk: 75,
		Promises: e.Terms.Promises(a.Kind),
		Uncounted: e.Check(supportplan.Request{
			Kind: a.Kind, Feature: a.Feature, At: a.Received, Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: true},
		}),
	}
	for n := range p.Promises {
		p.Promises[n].Priority = request.Priority
	}
	return a, p, nil
}

// begin starts a request and knows at once what has been used: all that there is.
func begin(terms request.Terms, now time.Time) (*request.Request, error) {
	q, err := request.Start(terms, now)
	if err != nil {
		return nil, err
	}
	for _, w := range q.Advance(now) {
		switch w.Do {
		case request.ComputeClocks:
			q.Computed([]incident.Instants{{Target: supportplan.Respond, RiskAt: now.Add(45 * time.Minute), Due: now.Add(time.Hour)}}, "", now)
		case request.Claim:
			q.Counted(usage.Counts{Used: 1}, "", now)
		}
	}
	q.Advance(now)
	return q, nil
}

func waiting(t testing.TB) *request.Request {
	a := request.Asked{Customer: "acme", Kind: "tuning", Feature: "tuning", Received: instant(), Text: "It is slow."}
	a, p, err := people{}.Request(a)
	if err != nil {
		t.Fatal(err)
	}
	q, err := begin(request.Terms{ID: tuning, Request: "r", Recorder: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}, Asked: a, Pinned: p}, instant())
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (h *house) Requests(_ context.Context, f api.RequestFilter) ([]api.RequestSummary, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sought = f
	var rows []api.RequestSummary
	for _, q := range h.requests {
		rows = append(rows, api.RequestSummary{ID: q.ID, Subject: q.Subject(), Status: q.Status, Customer: q.Customer, OpenedAt: q.Opened, NextDue: q.NextDue()})
	}
	return rows, h.more(), h.failure()
}

func (h *house) Request(_ context.Context, id request.ID) (*request.Request, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.requests[id] == nil {
		return nil, &starter.NotFoundError{What: "request " + string(id)}
	}
	seen := *h.requests[id]
	return &seen, nil
}

func (h *house) StartRequest(_ context.Context, r starter.Request, terms request.Terms) (*request.Request, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	terms.ID, terms.Request, terms.Recorder = request.NewID(uint64(len(h.requests))), r.ID, r.By
	for _, q := range h.requests {
		if q.Request == r.ID {
			return q, nil
		}
	}
	q, err := begin(terms, h.now)
	if err == nil {
		h.requests[terms.ID] = q
	}
	return q, err
}

func (h *house) AskRequest(ctx context.Context, id request.ID, r starter.Request, c request.Command) error {
	if _, err := h.Request(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.requests[id]
	if q.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "request " + string(id)}
	}
	err := c.Check(q, r.By)
	if err == nil {
		h.asked = append(h.asked, r.ID)
		err = c.Apply(q, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	q.Advance(h.now)
	return nil
}

func TestARequestIsRecordedWithWhatTheFolderPromises(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	asked := api.NewRequest{Customer: "acme", Kind: "enquiry", Channel: supportplan.ByPhone, Received: "2026-11-22T13:00:00+09:00", Number: "C-1", Text: "How?"}
	q, err := c.OpenRequest(t.Context(), asked, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if q.Status != request.Accepted || q.Recorder != p.people["park"].Actor || q.Plan != "Basic" || !q.Received.Equal(instant().Add(-65*time.Minute-9*time.Second)) || q.Clocks[0].Within != time.Hour {
		t.Errorf("got %+v", q)
	}
	again, err := c.OpenRequest(t.Context(), asked, "k1")
	if err != nil || again.ID != q.ID || !strings.HasPrefix(q.Request, "k1/") {
		t.Errorf("the same once more: got %s, %v; want %s", again.ID, err, q.ID)
	}
	read, err := c.Request(t.Context(), q.ID)
	if err != nil || read.ID != q.ID {
		t.Errorf("got %+v, %v", read, err)
	}
	page, err := c.Requests(t.Context(), api.RequestFilter{Status: request.Accepted, Open: true, Customer: "acme", Limit: 7, After: ""})
	if err != nil || len(page.Requests) != 2 || p.sought != (api.RequestFilter{Status: request.Accepted, Open: true, Customer: "acme", Limit: 7}) {
		t.Errorf("got %+v, %v, sought %+v", page, err, p.sought)
	}
	r, err := c.AskRequest(t.Context(), q.ID, request.Answer{Text: "So."}, "k2")
	if err != nil || r != (api.RequestReceipt{ID: q.ID, Status: request.Closed, Zone: "Asia/Seoul"}) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestWhatIsWrongWithARequest(t *testing.T) {
	for body, want := range map[string]string{
		`{"kind":"enquiry","text":"x"}`:                                                      "customer: \"\"; want the id of a customer",
		`{"customer":"nobody","kind":"enquiry","text":"x"}`:                                  `customer: "nobody"; want the id`,
		`{"customer":"acme","text":"x"}`:                                                     "kind: missing",
		`{"customer":"acme","kind":"enquiry"}`:                                               "text: missing",
		`{"customer":"acme","kind":"enquiry","text":"x","channel":"fax"}`:                    `channel: "fax"; want email, phone`,
		`{"customer":"acme","kind":"enquiry","text":"x","received":"soon"}`:                  `received: "soon"; want an instant`,
		`{"customer":"acme","kind":"enquiry","text":"x","received":"2026-11-22T05:05:10Z"}`:  "in the last 31 days",
		`{"customer":"acme","kind":"enquiry","text":"x","received":"2026-10-01T05:05:10Z"}`:  "in the last 31 days",
		`{"customer":"acme","kind":"enquiry","text":"x","recorder":"kim"}`:                   "recorder: unknown",
		`{"customer":"acme","kind":"enquiry","text":"x","entitlement":"all"}`:                "entitlement: unknown",
		fmt.Sprintf(`{"customer":"acme","kind":"enquiry","text":"x","number":%q}`, long(65)): "number: 65 bytes; want 64 at most",
	} {
		p := newPlace(t)
		w := p.ask("POST", "/api/v1/requests", body)
		if got := problemOf(t, w); w.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Error(), want) || len(p.requests) != 1 {
			t.Errorf("%s: got %d %s, want %q", body, w.Code, got.Error(), want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// People of a customer record for their own customer, and say neither when it came nor by which number it is known.
func TestACustomerRecordsItsOwn(t *testing.T) {
	for _, tc := range []struct {
		who, body string
		code      int
	}{
		{"acme/desk", `{"kind":"enquiry","text":"x"}`, 200},
		{"acme/desk", `{"customer":"acme","kind":"enquiry","text":"x"}`, 200},
		{"acme/desk", `{"customer":"globex","kind":"enquiry","text":"x"}`, 403},
		{"acme/desk", `{"kind":"enquiry","text":"x","number":"1"}`, 422},
		{"acme/desk", `{"kind":"enquiry","text":"x","received":"2026-11-22T05:00:00Z"}`, 422},
		{"jung", `{"customer":"acme","kind":"enquiry","text":"x"}`, 403},
	} {
		p := newPlace(t)
		w := p.ask("POST", "/api/v1/requests", tc.body, "Authorization", p.as(t, tc.who))
		if w.Code != tc.code {
			t.Errorf("%s %s: got %d %s, want %d", tc.who, tc.body, w.Code, w.Body, tc.code)
		}
	}
	p := newPlace(t)
	p.ask("GET", "/api/v1/requests?customer=globex", "", "Authorization", p.as(t, "acme/desk"))
	if p.sought.Customer != "acme" {
		t.Errorf("acme sees the list of %q", p.sought.Customer)
	}
}

// Whoever may not read a request gets the same answer as for one that is not there.
func TestNobodyGuessesARequest(t *testing.T) {
	for _, who := range []string{"globex/lead", "jung", "vera"} {
		p := newPlace(t)
		as := p.as(t, who)
		for _, path := range []string{tuned, tuned + "/withdraw", tuned + "/approve"} {
			method, body := "GET", ""
			if path != tuned {
				method, body = "POST", asked()[path[strings.LastIndex(path, "/")+1:]]
			}
			there := p.ask(method, path, body, "Authorization", as)
			gone := p.ask(method, strings.Replace(path, string(tuning), "REQ-0000000000", 1), body, "Authorization", as)
			if there.Code != 404 || gone.Code != 404 || strings.ReplaceAll(there.Body.String(), string(tuning), "REQ-0000000000") != gone.Body.String() {
				t.Errorf("%s as %s: got %d %s, and of none %d %s", path, who, there.Code, there.Body, gone.Code, gone.Body)
			}
		}
	}
}

func TestWhoHasRecordedARequestDoesNotDecide(t *testing.T) {
	p := newPlace(t)
	kim := p.as(t, "kim")
	w := p.ask("POST", tuned+"/approve", asked()["approve"], "Authorization", kim)
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "김민수 has recorded it: want another person") {
		t.Errorf("got %d %s", w.Code, got.Detail)
	}
	if w := p.ask("POST", tuned+"/approve", asked()["approve"]); w.Code != 200 { // park
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	late := p.ask("POST", tuned+"/decline", asked()["decline"], "Authorization", p.as(t, "choi"))
	if got := problemOf(t, late); late.Code != 409 || !strings.Contains(got.Detail, "it is accepted by 박서준") {
		t.Errorf("got %d %s", late.Code, got.Detail)
	}
}

// The customer sees what becomes of its request, and nothing that was written for the inside.
func TestACustomerSeesItsRequest(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", tuned+"/note", asked()["note"])
	p.ask("POST", tuned+"/approve", asked()["approve"])
	desk := p.as(t, "acme/desk")
	w := p.ask("GET", tuned, "", "Authorization", desk)
	var q request.Request
	if err := json.Unmarshal(w.Body.Bytes(), &q); err != nil || w.Code != 200 || q.Status != request.Accepted || !q.Partial {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	for _, secret := range []string{"internal words", "favour", "박서준", "김민수"} {
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("it shows %q: %s", secret, w.Body)
		}
	}
	p.ask("POST", tuned+"/answer", asked()["answer"])
	refused := p.ask("POST", tuned+"/withdraw", asked()["withdraw"], "Authorization", desk)
	if got := problemOf(t, refused); refused.Code != 409 || got.Detail != "request "+string(tuning)+": it is closed" {
		t.Errorf("got %d %s", refused.Code, got.Detail)
	}
}

// What a request goes through: somebody takes it, collects what engineering needs, hands it over, asks a vendor, answers; the customer
// says that it is not enough, and then that it is, and how content it is.
func TestARequestIsWorkedOn(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	p.readied("take")
	ask := func(cmd request.Command) error {
		_, err := c.AskRequest(t.Context(), tuning, cmd, "")
		return err
	}
	must := func(cmd request.Command) {
		t.Helper()
		if err := ask(cmd); err != nil {
			t.Fatalf("%T: %v", cmd, err)
		}
	}
	must(request.Take{})
	if err := ask(request.HandOver{Person: "acme/desk", Note: "x"}); err == nil || !strings.Contains(err.Error(), "want the id of one of the provider's people who may work on it") {
		t.Errorf("to a customer: %v", err)
	}
	must(request.Collect{Need: "version", Text: "4.2"})
	must(request.HandOver{Person: "kim", Note: "yours"})
	if got, _ := p.inboxOf(t, "kim", ""); !slices.Contains(got, "answer request "+string(tuning)) {
		t.Errorf("kim finds %q", got)
	}
	must(request.RecordCase{Vendor: "vane", Ref: "SR-1", Chase: p.now.Add(time.Hour)})
	p.requests[tuning].Terms.Confirm = &supportplan.Confirmation{Days: 3}
	if err := ask(request.Answer{Text: "done"}); err == nil || !strings.Contains(err.Error(), "김민수 works on it: take it first") {
		t.Errorf("whoever does not work on it answers: %v", err)
	}
	must(request.Take{})
	must(request.Answer{Text: "done"})
	if got, _ := p.inboxOf(t, "acme/desk", ""); !slices.Contains(got, "judge request "+string(tuning)) {
		t.Errorf("the customer finds %q", got)
	}
	if err := ask(request.Judge{Result: request.Complete, Score: 5}); err == nil || !strings.Contains(err.Error(), "want it from the customer alone") {
		t.Errorf("the provider is content: %v", err)
	}
	if err := ask(request.Judge{Result: request.Complete}); err == nil || !strings.Contains(err.Error(), "want who of the customer says so") {
		t.Errorf("the provider alone says that it is enough: %v", err)
	}
	if err := ask(request.Judge{Result: request.Complete, Note: "x"}); err == nil || !strings.Contains(err.Error(), "has answered it: want the customer or another person") {
		t.Errorf("whoever has answered: %v", err)
	}
	auth := p.as(t, "acme/desk")
	customer := func(body string, code int, want string) {
		t.Helper()
		if w := p.ask("POST", tuned+"/judge", body, "Authorization", auth); w.Code != code || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %d %s", body, w.Code, w.Body, code, want)
		}
	}
	customer(`{"result":"incomplete"}`, 422, "missing; want what is still to be done")
	customer(`{"result":"complete","score":6}`, 422, "6; want 1 to 5, of what is complete")
	customer(`{"result":"incomplete","note":"still slow"}`, 200, `"accepted"`)
	must(request.Answer{Text: "now it is done"})
	customer(`{"result":"complete","score":4,"note":"thanks"}`, 200, `"closed"`)
	for _, path := range []string{tuned, tuned + "/report"} {
		if w := p.ask("GET", path, "", "Authorization", auth); w.Code != 200 || strings.Contains(w.Body.String(), "SR-1") || strings.Contains(w.Body.String(), "yours") {
			t.Errorf("%s: the customer sees %d %s", path, w.Code, w.Body)
		}
	}
	w := p.ask("GET", tuned, "", "Authorization", auth)
	if body := w.Body.String(); !strings.Contains(body, `"score":4`) || strings.Contains(body, "SR-1") || strings.Contains(body, "yours") {
		t.Errorf("the customer sees %s", body)
	}
	if r := p.requests[tuning].Rating; r == nil || r.Score != 4 || r.By != p.people["acme/desk"].Actor {
		t.Errorf("got %+v", r)
	}
}

// An engineer of the customer takes it only with what that needs.
func TestAnEngineerNeedsSomethingFirst(t *testing.T) {
	p := newPlace(t)
	p.readied("take")
	c := newClient(t, p)
	if _, err := c.AskRequest(t.Context(), tuning, request.HandOver{Person: "choi", Note: "x"}, ""); err == nil || !strings.Contains(err.Error(), " is an engineer, who needs version first") {
		t.Errorf("got %v", err)
	}
	if _, err := c.AskRequest(t.Context(), tuning, request.HandOver{Person: "min", Note: "x"}, ""); err != nil {
		t.Errorf("to the front line: %v", err)
	}
	for _, cmd := range []request.Command{request.Collect{Need: "version", Text: "4.2"}, request.HandOver{Person: "choi", Note: "x"}} {
		if _, err := c.AskRequest(t.Context(), tuning, cmd, ""); err != nil {
			t.Errorf("%T: %v", cmd, err)
		}
	}
}

// The incident that a request has become counts from the receipt, by the number that the customer has. Asked again it is the same one.
func TestARequestBecomesAnIncident(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	p.requests[tuning].Received = instant().Add(-3 * time.Hour)
	asked := api.RequestIncident{Service: "checkout", Title: "Payments are refused"}
	r, err := c.PromoteRequest(t.Context(), tuning, asked, "k1")
	if err != nil || r.Incident == "" || p.requests[tuning].Incident != r.Incident {
		t.Fatalf("got %+v, %v", r, err)
	}
	before := len(p.incidents)
	again, err := c.PromoteRequest(t.Context(), tuning, asked, "another")
	if err != nil || again.Incident != r.Incident || len(p.incidents) != before {
		t.Errorf("once more: %+v, %v", again, err)
	}
	if n := p.incidents[incident.ID(r.Incident)].Notice; n == nil || !n.Received.Equal(instant().Add(-3*time.Hour)) || n.Receipt != string(tuning) || n.Customer != "acme" || n.Text != "It is slow." {
		t.Errorf("got %+v", n)
	}
	p.requests[tuning].Incident = ""
	if _, err := c.PromoteRequest(t.Context(), tuning, api.RequestIncident{Service: "nothing", Title: "x"}, ""); err == nil {
		t.Error("an incident of an unknown service")
	}
}

// The customer is told of an issue that began with a vendor, and says whether that is enough.
func TestACustomerIsToldOfAnIssue(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	asked := api.NewRequest{Customer: "acme", Kind: "enquiry", Text: "The vendor's mail is late.", Begun: request.WithVendor}
	q, err := c.OpenRequest(t.Context(), asked, "")
	if err != nil || q.Status != request.Answered || q.Answer != asked.Text || len(q.Clocks) != 0 {
		t.Fatalf("got %+v, %v", q, err)
	}
	auth := p.as(t, "acme/desk")
	if w := p.ask("POST", "/api/v1/requests", `{"kind":"enquiry","text":"x","begun":"vendor"}`, "Authorization", auth); w.Code != 422 || !strings.Contains(w.Body.String(), "want it from the provider alone") {
		t.Errorf("a customer tells itself: %d %s", w.Code, w.Body)
	}
	if w := p.ask("POST", "/api/v1/requests", `{"customer":"acme","kind":"enquiry","text":"x","begun":"nobody"}`); w.Code != 422 {
		t.Errorf("begun with nobody: %d %s", w.Code, w.Body)
	}
	if w := p.ask("POST", "/api/v1/requests/"+string(q.ID)+"/judge", `{"result":"complete"}`, "Authorization", auth); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
