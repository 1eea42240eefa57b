package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/reach"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/response"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/store"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
	"muster/templates"
)

const (
	open  incident.ID = "INC-7K3M9QX2PA"
	other incident.ID = "INC-8M4N0RY3QB"
)

func instant() time.Time { return time.Date(2026, 11, 22, 5, 5, 9, 0, time.UTC) }

// A house keeps real incidents without an engine.
type house struct {
	mu             sync.Mutex
	incidents      map[incident.ID]*incident.Incident
	now            time.Time
	fail           []error // of the next calls, one each
	filter         api.Filter
	alerts         api.AlertFilter
	calls          []call
	wholes         int // timelines read from all runs
	panics         bool
	reading        func() // called while a history is read
	reviews        review.Review
	handover       *handover.Handover // of primary, from yoon to park
	asked          []string           // requests that it has taken
	opened         map[string]incident.ID
	requests       map[request.ID]*request.Request
	actions        map[action.ID]*action.Action
	soughtActions  []starter.ActionFilter
	risks          map[risk.ID]*risk.Escalation
	soughtRisks    []api.EscalationFilter
	silences       map[silence.ID]*silence.Silence
	soughtSilences []api.SilenceFilter
	routine        *routine.Routine
	guard          *response.Ledger // of the automatic response restart
	ledger         *reach.Ledger
	testing        []reach.Ask
	sought         api.RequestFilter
	problems       map[problem.ID]*problem.Problem
	changes        map[change.ID]*change.Change
	soughtChanges  []api.ChangeFilter
	looked         api.ProblemFilter
	planRuns       map[planrun.ID]*planrun.Run
	planned        api.PlanRunFilter
	told           []planrun.Command // that runs were asked

	reviewing   []incident.ID // whose reviews are open
	manyReviews bool          // and more
	onePage     bool          // lists have no more
}

type call struct {
	ID      incident.ID
	Request string
	By      timeline.Actor
	Command incident.Command
}

func newHouse(t testing.TB) *house {
	h := &house{incidents: map[incident.ID]*incident.Incident{}, now: instant()}
	i, err := incident.Open(open, incident.Definition{
		Zone: "Asia/Seoul", Source: "prometheus", Title: "Checkout answers 500", Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "checkout", Name: "Checkout"}, Impact: priority.High, Urgency: priority.Medium,
		Customers: []incident.Customer{{ID: "acme", Name: "Acme", Plan: supportplan.Plan{
			AtRisk: 75, UpdateBy: supportplan.ByPerson,
			Promises: []supportplan.Promise{{Priority: priority.P2, Target: supportplan.Respond, Within: time.Hour}},
		}}},
		Policy: escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Wait: time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: time.Minute, AckExpires: time.Hour,
			NextMethodAfter: time.Minute,
		},
		ReopenWithin: time.Hour,
		Background:   incident.Background{Tier: 1, Triage: &incident.Triage{Architecture: "https://wiki.example/FOR-THE-HOUSE"}},
	}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(alert.Batch{Source: "prometheus", Posts: 1, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "f1", Name: "HighErrorRate", State: alert.Firing, StartsAt: h.now,
		Labels: alert.Labels{{Name: "job", Value: "checkout"}},
	}}}}, h.now)
	i.Advance(h.now)
	h.incidents[open] = i
	second := i.Definition
	second.Title = "The same, by phone"
	if h.incidents[other], err = incident.Open(other, second, h.now); err != nil {
		t.Fatal(err)
	}
	h.requests = map[request.ID]*request.Request{tuning: waiting(t)}
	h.problems = map[problem.ID]*problem.Problem{leaking: leaked(t, h.now)}
	h.changes = map[change.ID]*change.Change{enlarging: larger(t)}
	h.actions = map[action.ID]*action.Action{pools: improving(t)}
	h.risks = map[risk.ID]*risk.Escalation{restore: atRisk(t)}
	h.routine = checked(h.now)
	h.guard = responded(h.now)
	h.silences = map[silence.ID]*silence.Silence{disk: quiet(t, h.now)}
	h.planRuns = map[planrun.ID]*planrun.Run{upgrading: upgradeRun(t)}
	h.reviews = studied(h.now)
	h.ledger = &reach.Ledger{}
	return h
}

func (h *house) failure() error {
	if h.panics {
		panic("muster_secret in a panic")
	}
	if len(h.fail) == 0 {
		return nil
	}
	err := h.fail[0]
	h.fail = h.fail[1:]
	return err
}

func (h *house) List(_ context.Context, f api.Filter) ([]api.Summary, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.filter = f
	var rows []api.Summary
	for _, i := range h.incidents {
		if i.ID != other && (f.Status == "" || f.Status == i.Status) { // lists have one
			rows = append(rows, api.Summary{ID: i.ID, Title: i.Definition.Title, Status: i.Status, Priority: i.Priority, Service: "checkout", Customers: []string{"acme"}, OpenedAt: i.Times.Started})
		}
	}
	return rows, h.more(), h.failure()
}

// more is what follows the first page of a list.
func (h *house) more() string {
	if h.onePage {
		return ""
	}
	return "\x00more"
}

func (h *house) State(_ context.Context, id incident.ID) (*incident.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	i := h.incidents[id]
	if i == nil {
		return nil, &starter.NotFoundError{What: "incident " + string(id)}
	}
	return i, nil
}

func (h *house) Timeline(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	h.wholes++
	i, err := h.State(ctx, id)
	if err != nil {
		return nil, err
	}
	whole := *i
	whole.Timeline.Dropped = 0
	return &whole, nil
}

func (h *house) Alerts(ctx context.Context, id incident.ID, f api.AlertFilter) (*starter.Alerts, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return nil, err
	}
	h.alerts = f
	a := i.Alerts.Full[0]
	return &starter.Alerts{Incident: i, Next: "f1", Lost: 1, Found: []api.Alert{{
		Fingerprint: a.Fingerprint, Name: a.Name, State: a.State, StartsAt: a.StartsAt, Labels: map[string]string{"job": "checkout"},
		Times: a.Times, First: h.now, Last: h.now,
	}}}, nil
}

func (h *house) History(ctx context.Context, id incident.ID, w io.Writer) error {
	if _, err := h.State(ctx, id); err != nil {
		return err
	}
	if h.reading != nil {
		h.reading()
	}
	_, err := io.WriteString(w, `[{"events":[]}]`+"\n")
	return err
}

func (h *house) Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) (api.Receipt, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return api.Receipt{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, call{id, r.ID, r.By, c})
	if i.Status == incident.Closed { // its workflow has ended
		return api.Receipt{}, &starter.NotFoundError{What: "incident " + string(id)}
	}
	if err := i.Do(r.ID, c, r.By, h.now); err != nil {
		return api.Receipt{}, &starter.RefusedError{Reason: err.Error()}
	}
	return api.Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: i.Timeline.Dropped + len(i.Timeline.Entries)}, nil
}

// Open opens an incident as a workflow does: twice under one request it is the same.
func (h *house) Open(_ context.Context, r starter.Request, def incident.Definition, n incident.Notice) (incident.ID, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return "", false, err
	}
	if id, known := h.opened[r.ID]; known {
		return id, false, nil
	}
	id := incident.ID(fmt.Sprintf("INC-NEW%d", len(h.opened)+1))
	i, err := incident.OpenNoticed(id, def, n, r.By, h.now)
	if err != nil {
		return "", false, err
	}
	if h.opened == nil {
		h.opened = map[string]incident.ID{}
	}
	h.opened[r.ID], h.incidents[id] = id, i
	return id, true, nil
}

// settle lets what an incident tells another one be answered: it is taken in.
func (h *house) settle(t testing.TB) {
	t.Helper()
	i := h.incidents[open]
	for _, s := range i.Advance(h.now) {
		if s.Work == incident.TellMerge {
			i.MergeTold(s.Number, "", h.now)
		}
	}
	i.ReceiveMerge(incident.MergeMessage{Kind: incident.MergeTaken, From: incident.Merging{ID: other}, To: open}, h.now)
	if i.Status != incident.Merged {
		t.Fatalf("it is %s", i.Status)
	}
}

func (h *house) Find(ctx context.Context, id incident.ID) (starter.Ref, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return starter.Ref{}, err
	}
	return starter.Ref{WorkflowID: "incident/" + string(i.ID)}, nil
}

func (h *house) Review(ctx context.Context, id incident.ID) (review.Review, error) {
	if _, err := h.State(ctx, id); err != nil {
		return review.Review{}, err
	}
	return h.reviews, nil
}

// studied is a review of which nobody of the visitors has written anything: ghost has.
func studied(now time.Time) review.Review {
	ghost := timeline.Actor{Kind: timeline.Person, ID: "ghost", Name: "Ghost"}
	r := review.Start(review.Facts{
		Incident: open, Customers: []string{"Acme"}, Record: &review.Record{Customers: []review.Customer{{ID: "acme", Name: "Acme"}}},
	}, &review.Rules{Within: time.Hour}, now.Add(time.Hour), timeline.Muster(), now)
	commands := []review.Command{
		review.AddFactor{Kind: review.Process, Text: "nobody was told"},
		review.SetPattern{Symptom: "slow", Cause: "the pool", Remedy: "a larger pool"},
		review.WriteText{Customer: "acme", Text: customerText},
	}
	for _, k := range review.Wanted() {
		commands = append(commands, review.Write{Section: k, Text: "known"})
	}
	for _, c := range append(commands, review.Submit{}) {
		if err := c.Apply(r, ghost, now); err != nil {
			panic(err)
		}
	}
	for n, side := range []review.Side{review.TechnicalSide, review.OtherSide} {
		by := timeline.Actor{Kind: timeline.Person, ID: []string{"ghoul", "wraith"}[n]}
		if err := (review.Approve{Audience: "acme", SHA256: review.SHA256(customerText), Sides: []review.Side{side}}).Apply(r, by, now); err != nil {
			panic(err)
		}
	}
	return *r
}

const customerText = "## What happened\n\nThe shop was slow for an hour because a pool was too small. It is larger now.\n"

// reviewBodies are commands of a review that are right, by their names.
func reviewBodies() map[string]string {
	asIs := `"audience":"acme","sha256":"` + review.SHA256(customerText) + `"`
	return map[string]string{
		"write": `{"section":"impact","text":"Nobody could pay"}`, "factor": `{"kind":"technical","text":"the pool"}`, "remove-factor": `{"number":1}`,
		"pattern": `{"symptom":"slow","cause":"the pool","remedy":"a larger pool"}`, "invite": `{"vendor":"vane","name":"Ms Vega"}`, "submit": `{}`,
		"meeting": `{"who":["Kim"],"minutes":"agreed"}`, "text": `{"customer":"acme","text":"The shop was slow for an hour, and it is not any more; we are sorry for it."}`,
		"approve": "{" + asIs + "}", "reject": "{" + asIs + `,"reason":"unclear"}`, "publish": "{" + asIs + "}", "note": `{"text":"said"}`,
		"close": `{"text":"done","without":"a drill"}`,
	}
}

func (h *house) StartReview(ctx context.Context, r starter.Request, i *incident.Incident, now time.Time) error {
	if h.reviews.Status == review.Open {
		return &starter.RefusedError{Reason: "review of " + string(i.ID) + ": it is there already"}
	}
	h.calls = append(h.calls, call{i.ID, r.ID, r.By, nil})
	h.reviews = *review.Start(review.FactsOf(i), &review.Rules{}, now.Add(time.Hour), r.By, now)
	return nil
}

func (h *house) AskReview(ctx context.Context, id incident.ID, r starter.Request, c review.Command) error {
	if _, err := h.State(ctx, id); err != nil {
		return err
	}
	if h.reviews.Status == review.Closed {
		return &starter.NotFoundError{What: "review of " + string(id)}
	}
	switch c.(type) {
	case review.Close: // nothing waits any more
		for n := range h.reviews.Texts {
			h.reviews.Texts[n].SHA256 = ""
		}
	case review.Submit: // it has changed since it was submitted last
		h.reviews.Text(review.Internal).SHA256 = ""
	}
	if err := c.Check(&h.reviews, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	if err := c.Apply(&h.reviews, r.By, h.now); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.calls = append(h.calls, call{id, r.ID, r.By, nil})
	return nil
}

func (h *house) Handover(_ context.Context, schedule string) (*handover.Handover, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.handover == nil || h.handover.Schedule != schedule {
		return nil, &starter.NotFoundError{What: "hand-over of " + schedule}
	}
	seen := *h.handover
	return &seen, nil
}

func (h *house) StartHandover(_ context.Context, r starter.Request, terms handover.Terms) (*handover.Handover, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.handover != nil && !h.handover.Over() {
		return nil, &starter.RefusedError{Reason: "hand-over of " + terms.Schedule + ": under way"}
	}
	terms.Request = r.ID
	started, err := handover.Start(terms, h.now)
	h.handover = started
	return started, err
}

func (h *house) AskHandover(ctx context.Context, schedule string, r starter.Request, c handover.Command) error {
	seen, err := h.Handover(ctx, schedule)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "hand-over of " + schedule}
	}
	if err := c.Check(h.handover, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.asked = append(h.asked, r.ID)
	c.Apply(h.handover, r.By, h.now)
	return nil
}

var shipped = sync.OnceValues(func() (*report.Texts, error) { return report.New(templates.FS) })

// freshStore is the file of an empty store: to make one for each place takes longer than what most tests do there.
var freshStore = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "muster-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, store.File)
	s, err := store.Open(context.Background(), file, instant)
	if err == nil {
		err = s.Close()
	}
	fresh, readErr := os.ReadFile(file)
	return fresh, errors.Join(err, readErr, os.RemoveAll(folder))
})

// A place is a server in front of a house, with tokens for a person and a machine.
type place struct {
	*house
	config          api.Config
	handler         http.Handler
	log             *strings.Builder
	store           *store.Store
	keys            *keyring.Ring
	folder          string // of the store and the keys
	people          people
	wait            time.Duration // for which whoever has guessed is shut out
	guesses         int
	person, machine string
	unreached       bool // people cannot reach the server
}

func newPlace(t testing.TB) *place {
	folder := t.TempDir()
	p := &place{house: newHouse(t), log: &strings.Builder{}, people: everybody(), folder: folder}
	fresh, err := freshStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, store.File), fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	if p.store, err = store.Open(t.Context(), filepath.Join(folder, store.File), instant); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	if p.keys, err = keyring.Open(filepath.Join(folder, keyring.File), instant); err != nil {
		t.Fatal(err)
	}
	p.person = p.token(t, store.Token{Actor: "park"})
	p.machine = p.token(t, store.Token{Actor: "deploy-bot", Kind: store.Machine, Roles: []string{"responder"}})
	texts, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	p.config = api.Config{
		Backend: p.house, Store: p.store, Keys: p.keys, Links: p, Directory: func() api.Directory { return p.people }, Texts: texts,
		Guess: func(*http.Request) time.Duration { p.guesses++; return p.wait },
		Codec: reversing{}, CodecOrigins: []string{temporalUI}, Session: func(r *http.Request) (authority.Subject, bool) {
			c, err := r.Cookie("session")
			if err != nil {
				return authority.Subject{}, false
			}
			return p.people.Subject(c.Value)
		},
		Language: "ko", Zone: "Asia/Seoul", Now: instant, Version: api.Version{Version: "v1.2.3", Go: "go"}, Log: logger(p.log),
	}
	if p.handler, err = api.New(p.config); err != nil {
		t.Fatal(err)
	}
	return p
}

// temporalUI is the origin of pages that may ask for payloads in clear.
const temporalUI = "https://temporal.example"

// reversing is a codec that can be seen through.
type reversing struct{}

func (reversing) DecodeJSON(body []byte) ([]byte, error) {
	if bytes.Contains(body, []byte("unknown")) {
		return nil, errors.New("decrypt payload: want another key")
	}
	return bytes.ReplaceAll(body, []byte("encrypted"), []byte("in clear")), nil
}

// Link makes a link as the node does.
func (p *place) Link(l link.Link) (string, error) {
	token, err := p.keys.Link(l)
	if p.unreached {
		return "", err
	}
	return "https://muster.example" + link.Path + token, err
}

// handingOver hands primary over from kim, who leads the incident and speaks with its customer, to somebody.
func (p *place) handingOver(t testing.TB, to string) {
	t.Helper()
	kim, i := p.people["kim"].Actor, p.incidents[open]
	for _, role := range []incident.Role{incident.IncidentManager, incident.SupportManager} {
		if err := i.Do("give "+string(role), incident.Assign{Role: role, Person: kim.ID, Name: kim.Name}, kim, p.now); err != nil {
			t.Fatal(err)
		}
	}
	item, _ := handover.ItemOf(i, "primary", kim.ID)
	var err error
	p.handover, err = handover.Start(handover.Terms{
		Schedule: "primary", Request: "r", Outgoing: kim, Incoming: p.people[to].Actor, Note: "watch the batch", Within: handover.Usual,
		Zone: "Asia/Seoul", Items: []handover.Item{item}, Unseen: 1, LastResort: p.people.LastResorts("primary"),
	}, p.now)
	if err != nil {
		t.Fatal(err)
	}
}

// token makes a token of a person, if nothing else is said, and returns its secret.
func (p *place) token(t testing.TB, token store.Token) string {
	t.Helper()
	token.Kind, token.CreatedBy = cmp.Or(token.Kind, store.Person), cmp.Or(token.CreatedBy, "choi")
	secret, _, err := p.store.CreateToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// as is the Authorization header of somebody.
func (p *place) as(t testing.TB, actor string) string {
	return "Bearer " + p.token(t, store.Token{Actor: actor})
}

// people are an organisation folder. The service of the incident names hanbit as its partner and vane as its vendor, and
// concerns the customer acme.
type people map[string]authority.Subject

func everybody() people {
	all := people{}
	add := func(party string, kind authority.PartyKind, id, name string, roles ...authority.Role) {
		all[id] = authority.Subject{
			Actor: timeline.Actor{Kind: timeline.Person, ID: id, Name: name}, Party: party, Kind: kind, Roles: roles,
		}
	}
	add("mirnet", authority.Provider, "park", "박서준", authority.Responder)
	add("mirnet", authority.Provider, "kim", "김민수", authority.Responder)
	add("mirnet", authority.Provider, "choi", "최은영", authority.Administrator)
	add("mirnet", authority.Provider, "yoon", "윤아름", authority.Auditor)
	add("mirnet", authority.Provider, "min", "민서연", authority.Member)
	add("acme", authority.Customer, "acme/desk", "Acme desk", authority.Member)
	add("acme", authority.Customer, "acme/lead", "Acme lead", authority.Responder)
	add("globex", authority.Customer, "globex/lead", "Globex lead", authority.Responder)
	add("hanbit", authority.Partner, "jung", "정한빛", authority.Responder)
	add("hanbit", authority.Partner, "oh", "오한빛", authority.Member)
	add("dasan", authority.Partner, "seo", "서다산", authority.Responder)
	add("vane", authority.Vendor, "vera", "Vera Vane", authority.Member)
	return all
}

func (all people) Subject(id string) (authority.Subject, bool) {
	s, ok := all[id]
	return s, ok
}

func (all people) Person(id string) (delivery.Recipient, bool) {
	s, ok := all[id]
	language := map[string]string{"yoon": "en"}[id] // the others' is not known
	return delivery.Recipient{ID: id, Name: s.Actor.Name, Language: language}, ok && !strings.Contains(id, "/")
}

// Older knows one folder that is newer.
func (people) Older(revision string, _ time.Time) bool { return revision == "newer" }

// Repinned returns a definition with a longer quiet time.
func (people) Repinned(d incident.Definition, _ []alert.Labels) (incident.Definition, error) {
	if d.Service.ID == "gone" {
		return d, errors.New(`service "gone": not in the organisation folder`)
	}
	d.SHA256, d.Revision, d.Quiet = "new", "newer", d.Quiet+time.Minute
	return d, nil
}

// Reported knows two services: checkout, which acme and globex use, and ledger, which nobody does.
func (people) Reported(r incident.Reported) (incident.Definition, error) {
	plan := supportplan.Plan{ID: "gold", AtRisk: 75, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
		{Priority: priority.P1, Target: supportplan.Respond, Within: 15 * time.Minute}, {Priority: priority.P2, Target: supportplan.Respond, Within: time.Hour},
	}}
	d := incident.Definition{
		Service: incident.Service{ID: r.Service, Name: "Checkout"}, Title: r.Title, Source: "people", Languages: []string{"ko"}, Zone: "Asia/Seoul",
		Impact: cmp.Or(r.Impact, priority.High), Urgency: cmp.Or(r.Urgency, priority.Medium),
	}
	switch r.Service {
	case "checkout":
		d.Customers = []incident.Customer{{ID: "acme", Name: "Acme", Plan: plan}, {ID: "globex", Name: "Globex", Plan: plan}}
	case "ledger":
	default:
		return d, &incident.NoticeFault{Field: "service", Detail: "unknown; want checkout or ledger"}
	}
	for _, id := range r.Customers {
		if !slices.ContainsFunc(d.Customers, func(c incident.Customer) bool { return c.ID == id }) {
			return d, &incident.NoticeFault{Field: "customers", Detail: "unknown; want acme or globex"}
		}
	}
	if len(r.Customers) > 0 {
		d.Customers = slices.DeleteFunc(d.Customers, func(c incident.Customer) bool { return !slices.Contains(r.Customers, c.ID) })
	}
	return d, nil
}

func (people) VendorSupport(id string) (incident.VendorSupport, bool) {
	return incident.VendorSupport{ID: id, Name: "Vane", Reachable: true}, id == "vane"
}

func (people) Vendors() []string { return []string{"vane"} }

func (people) Partners(service string) []string {
	if service == "checkout" {
		return []string{"hanbit", "vane"}
	}
	return nil
}

// Recipients of primary: park is on call. Nobody is in nights, and there is no other schedule.
func (all people) Recipients(t escalation.Target, _ time.Time) ([]delivery.Recipient, error) {
	if p, known := all.Person(t.ID); known && t.Kind == escalation.Person {
		return []delivery.Recipient{p}, nil
	}
	switch t.ID {
	case "primary":
		p, _ := all.Person("park")
		return []delivery.Recipient{p}, nil
	case "leads": // behind the owner of an action item
		p, _ := all.Person("yoon")
		return []delivery.Recipient{p}, nil
	case "nights":
		return nil, nil
	}
	return nil, fmt.Errorf("schedule %q: not in the organisation folder", t.ID)
}

// Team knows the group desk, whose agreement gives it a quarter of an hour, and outsiders, who may acknowledge nothing.
func (people) Team(c incident.AddResponder, asker string, at time.Time) (incident.AddResponder, error) {
	switch c.Team {
	case "group:desk":
		c.Name, c.Members, c.Due = "Desk", []string{"kim", "acme/desk"}, at.Add(15*time.Minute)
		c.Agreement = &incident.Agreement{ID: asker + "-desk", Name: "To the desk"}
		return c, nil
	case "group:outsiders":
		c.Name, c.Members = "Outsiders", []string{"acme/desk"}
		return c, nil
	}
	return c, fmt.Errorf("group %q: not in the organisation folder", c.Team)
}

// Answers knows the engineer of every customer.
func (people) Answers(person, _ string) bool { return person == "choi" }

func (people) Form(report.FormKind, string, string) *report.Form { return nil }

func (people) LastResorts(string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: "choi"}}
}

func (people) PartnerServices(partner string) []string {
	if partner == "hanbit" || partner == "vane" {
		return []string{"checkout"}
	}
	return nil
}

// ask makes a request as the person; a header "" is one that is not sent.
func (p *place) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.person)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

// problemOf reads a problem and checks that it is one.
func problemOf(t *testing.T, w *httptest.ResponseRecorder) refusal.Body {
	t.Helper()
	var p refusal.Body
	if kind := w.Header().Get("Content-Type"); kind != refusal.ContentType {
		t.Fatalf("got %d with content type %q: %s", w.Code, kind, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != w.Code {
		t.Errorf("got status %d in a body with status %d", p.Status, w.Code)
	}
	return p
}
