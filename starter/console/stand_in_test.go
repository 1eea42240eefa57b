package console_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/examples"
	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/link"
	"muster/internal/oidc"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/console"
	"muster/templates"
)

const open incident.ID = "INC-7K3M9QX2PA"

const title = `Checkout answers 500 <script>alert("x")</script>`

// begin is Wednesday afternoon in Seoul.
func begin() time.Time { return time.Date(2026, 11, 25, 5, 5, 9, 0, time.UTC) }

func person(id, name string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: name}
}

// A house keeps real incidents without an engine.
type house struct {
	mu        sync.Mutex
	incidents map[incident.ID]*incident.Incident
	now       func() time.Time
	away      error                      // of whatever is asked
	refuse    error                      // of the next command
	racing    func(i *incident.Incident) // happens before the next command
	after     func()                     // happens after the next command
	calls     []starter.Request
	opened    []openedHere
}

// openedHere is an incident that was reported.
type openedHere struct {
	request starter.Request
	number  string // of whom
	id      incident.ID
	notice  incident.Notice
}

func newHouse(t testing.TB, now func() time.Time) *house {
	def := incident.Definition{
		Organisation: "mirnet", Zone: "Asia/Seoul", Source: "prometheus", Title: title, Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "seoul-platform", Name: "Seoul platform"}, Impact: priority.High, Urgency: priority.Medium,
		Customers: []incident.Customer{{ID: "garam", Name: "가람유통"}},
		Policy: escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Wait: time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: time.Minute, AckExpires: time.Hour,
			NextMethodAfter: time.Minute,
		},
		ReopenWithin: time.Hour,
		Links: []incident.Link{
			{Name: "HighErrorRate", URL: "https://runbooks.mirnet.example/high-error-rate?a=1&b=2", Kind: incident.Runbook},
			{Name: "Grafana", URL: "https://grafana.mirnet.example/d/platform"},
		},
		Background: incident.Background{
			Classes: []priority.Class{priority.Money}, Tier: 1,
			Owner: &incident.Contact{Target: escalation.Target{Kind: escalation.Group, ID: "noc"}, Name: "관제팀"},
			Triage: &incident.Triage{
				Architecture: "https://wiki.mirnet.example/platform", Components: []string{"<b>kubernetes</b>", "network"}, Privacy: incident.NoPersonalData,
				Security: incident.Internal, AccessVerified: calendar.DateOf(begin().AddDate(0, 0, -91)),
			},
		},
	}
	i, err := incident.Open(open, def, now())
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(alert.Batch{Source: "prometheus", Posts: 1, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "f1", Name: "HighErrorRate", State: alert.Firing, StartsAt: now().Add(-3 * time.Minute),
	}}}}, now())
	return &house{incidents: map[incident.ID]*incident.Incident{open: i}, now: now}
}

func (h *house) State(_ context.Context, id incident.ID) (*incident.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away != nil {
		return nil, h.away
	}
	i := h.incidents[id]
	if i == nil {
		return nil, &starter.NotFoundError{What: "incident " + string(id)}
	}
	return snapshot(i), nil
}

// snapshot is an incident that nobody else changes, as a query returns one.
func snapshot(i *incident.Incident) *incident.Incident {
	s := *i
	s.Timeline.Entries, s.Decided, s.Responders = slices.Clone(i.Timeline.Entries), slices.Clone(i.Decided), slices.Clone(i.Responders)
	s.Confirmations = slices.Clone(i.Confirmations)
	return &s
}

func (h *house) Command(_ context.Context, id incident.ID, r starter.Request, c incident.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r)
	i := h.incidents[id]
	if h.racing != nil {
		h.racing(i)
		h.racing = nil
	}
	if err := h.refuse; err != nil {
		h.refuse = nil
		return err
	}
	if h.away != nil {
		return h.away
	}
	if i.Status == incident.Closed { // its workflow has ended
		return &starter.NotFoundError{What: "incident " + string(id)}
	}
	if err := i.Do(r.ID, c, r.By, h.now()); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	if h.after != nil {
		h.after()
	}
	return nil
}

// Open opens an incident that people report. What comes under one number is one incident.
func (h *house) Open(_ context.Context, r starter.Request, def incident.Definition, n incident.Notice) (incident.ID, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away != nil {
		return "", false, h.away
	}
	number := r.ID
	if n.Receipt != "" {
		number = n.Customer + "/" + n.Receipt
	}
	for _, o := range h.opened {
		switch {
		case o.number != number:
		case o.request.ID != r.ID:
			return "", false, &starter.RefusedError{Reason: "known", Field: "receipt"}
		default:
			return o.id, false, nil
		}
	}
	id := incident.ID(fmt.Sprintf("INC-REPORTED%d", len(h.opened)))
	i, err := incident.OpenNoticed(id, def, n, r.By, h.now())
	if err != nil {
		return "", false, err
	}
	h.incidents[id] = i
	h.opened = append(h.opened, openedHere{r, number, id, n})
	return id, true, nil
}

// act has somebody do something beside the pages.
func (h *house) act(t testing.TB, by timeline.Actor, c incident.Command) {
	t.Helper()
	i := h.incidents[open]
	if err := i.Do(fmt.Sprint("elsewhere/", len(i.Decided)), c, by, h.now()); err != nil {
		t.Fatal(err)
	}
}

var shipped = sync.OnceValues(func() (*report.Texts, error) { return report.New(templates.FS) })

// A place is the pages in front of a house.
type place struct {
	*house
	*console.Console
	t     testing.TB
	clock time.Time
	org   *org.Organisation
	ring  *keyring.Ring
	store *store.Store
	log   *strings.Builder
	texts *report.Texts
	yard  *yard
}

func newPlace(t testing.TB, with ...func(*console.Config)) *place {
	t.Helper()
	p := &place{t: t, clock: begin(), log: &strings.Builder{}}
	now := func() time.Time { return p.clock }
	p.house, p.org = newHouse(t, now), organisation(t, "")
	texts, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	p.texts, p.yard = texts, &yard{t: t, org: func() *org.Organisation { return p.org }, now: now}
	if p.ring, err = keyring.Open(filepath.Join(t.TempDir(), keyring.File), now); err != nil {
		t.Fatal(err)
	}
	if p.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), store.File), now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.store.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := console.Config{
		Links: p.ring, Incidents: p.house, PlanRuns: p.yard, Inbox: p.yard.inbox, Calendar: p.yard.calendar, Reports: p.yard, Organisation: func() *org.Organisation { return p.org }, Store: p.store,
		Texts: texts, Now: now, Log: slog.New(slog.NewTextHandler(p.log, nil)),
	}
	for _, change := range with {
		change(&cfg)
	}
	if p.Console, err = console.New(cfg); err != nil {
		t.Fatal(err)
	}
	return p
}

// organisation is the shipped example with logins and roles, and without a person.
func organisation(t testing.TB, without string) *org.Organisation {
	t.Helper()
	dir := t.TempDir()
	shippedFolder, err := fs.Sub(examples.FS, "org")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, shippedFolder); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "people.yaml"),
		"  - id: kim\n", "  - id: kim\n    login: kim@mirnet.example\n",
		"    name: Park Jihoon\n", "    name: Park Jihoon\n    roles: [member]\n    login: park@mirnet.example\n",
		"    party: hanbit", "    roles: [responder]\n    login: yoon@hanbit.example\n    party: hanbit",
	)
	edit(t, filepath.Join(dir, "customers.yaml"), "      - id: it-desk\n", "      - id: it-desk\n        roles: [responder]\n")
	if without != "" {
		replace(t, dir, without, "somebody-else")
	}
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// replace puts one person in the place of another in every file of a folder.
func replace(t testing.TB, dir, person, by string) {
	t.Helper()
	named := regexp.MustCompile(`([ \[:])` + person + `([,\]}\n])`)
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, named.ReplaceAll(text, []byte("${1}"+by+"${2}")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// edit replaces texts of a file, each of which must be there.
func edit(t testing.TB, file string, oldNew ...string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(oldNew); n += 2 {
		if !strings.Contains(string(text), oldNew[n]) {
			t.Fatalf("%s has no %q", file, oldNew[n])
		}
		text = []byte(strings.Replace(string(text), oldNew[n], oldNew[n+1], 1))
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// link signs a link for a person, for both actions and an hour unless it is changed.
func (p *place) link(who string, change ...func(*link.Link)) string {
	p.t.Helper()
	l := link.Link{
		ID: "page/" + who + "/1", Person: who, Incident: string(open), Actions: []link.Action{link.Acknowledge, link.Escalate},
		Content: link.OfIncident(string(open), title, "Seoul platform"), Expires: begin().Add(time.Hour),
	}
	for _, c := range change {
		c(&l)
	}
	token, err := p.ring.Link(l)
	if err != nil {
		p.t.Fatal(err)
	}
	return link.Path + token
}

func only(actions ...link.Action) func(*link.Link) { return func(l *link.Link) { l.Actions = actions } }

// ask makes a request; a body makes it a form. Headers come in pairs.
func (p *place) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func (p *place) get(path string, headers ...string) *httptest.ResponseRecorder {
	return p.ask(http.MethodGet, path, "", headers...)
}

func (p *place) post(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	return p.ask(http.MethodPost, path, form.Encode(), headers...)
}

func acknowledge() url.Values { return url.Values{"action": {"acknowledge"}} }

func escalate(why string) url.Values {
	return url.Values{"action": {"escalate"}, "reason": {why}}
}

// token makes a token of kim's, unless it is changed, and returns its secret.
func (p *place) token(change ...func(*store.Token)) (secret string, made store.Token) {
	p.t.Helper()
	t := store.Token{Actor: "kim", Name: "김민수", Kind: store.Person, Label: "laptop", Expires: begin().AddDate(0, 0, 90), CreatedBy: "choi"}
	for _, c := range change {
		c(&t)
	}
	secret, made, err := p.store.CreateToken(p.t.Context(), t)
	if err != nil {
		p.t.Fatal(err)
	}
	return secret, made
}

// signIn has somebody sign in, and returns the header by which the session is known.
func (p *place) signIn(change ...func(*store.Token)) (cookie []string) {
	p.t.Helper()
	secret, _ := p.token(change...)
	w := p.post("/login", url.Values{"token": {secret}})
	c := cookieOf(p.t, w, "__Host-muster")
	if w.Code != http.StatusSeeOther || c == nil {
		p.t.Fatalf("sign in: got %d\n%s", w.Code, w.Body)
	}
	return []string{"Cookie", c.Name + "=" + c.Value}
}

// cookieOf returns a cookie that an answer sets, nil when it does not.
func cookieOf(t testing.TB, w *httptest.ResponseRecorder, name string) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// attempts lists what was refused so far: "link: the link has expired".
func (p *place) attempts() []string {
	p.t.Helper()
	all, err := p.store.Attempts(p.t.Context(), 0, 1_000)
	if err != nil {
		p.t.Fatal(err)
	}
	said := []string{}
	for _, a := range all {
		said = append(said, string(a.Kind)+": "+a.Detail)
	}
	return said
}

// used is what a link was used for, empty when it was not.
func (p *place) used(id string) string {
	p.t.Helper()
	u, _, err := p.store.UsedLink(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.Action
}

// count is how many entries of a kind the timeline has.
func (p *place) count(kind timeline.Kind) int {
	n := 0
	for _, e := range p.incidents[open].Timeline.Entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func withProvider(provider *oidc.Provider) func(*console.Config) {
	return func(c *console.Config) {
		c.SignIn = provider
		c.RolesOf = func(groups []string) []authority.Role {
			var roles []authority.Role
			if slices.Contains(groups, "auditors") {
				roles = append(roles, authority.Auditor)
			}
			return roles
		}
	}
}
