package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// disk is a silence of park's, of the service checkout.
const (
	disk         silence.ID = "SIL-7K3M9QX2PA"
	quieted                 = "/api/v1/silences/" + string(disk)
	silenceRoute            = "/api/v1/silences/{id}"

	aSilence = `{"services":["checkout"],"labels":["env=prod","env=staging"],"until":"2126-01-01T00:00:00Z","reason":"The disk is replaced"}`
)

// silencing is a body that is right at an instant.
func silencing(now time.Time) string {
	return strings.Replace(aSilence, "2126-01-01T00:00:00Z", now.Add(2*time.Hour).UTC().Format(time.RFC3339), 1)
}

// Silence knows the service checkout.
func (all people) Silence(m silence.Match) (silence.Pinned, error) {
	if len(m.Services) > 0 && m.Services[0] != "checkout" {
		return silence.Pinned{}, &silence.Fault{Field: "services", Detail: `"` + m.Services[0] + `"; want the id of a service in the organisation folder`}
	}
	return silence.Pinned{Revision: "r1", Organisation: "Mirnet", Zone: "Asia/Seoul"}, nil
}

// SilencesBetween has one of every service that holds now, and two nights of one of checkout.
func (all people) SilencesBetween(from, _ time.Time) []silence.Window {
	window := func(id string, after time.Duration, services ...string) silence.Window {
		begin := from.Add(after)
		return silence.Window{Terms: silence.Terms{
			ID: silence.WindowID(id, begin), Window: id, Name: id,
			Asked: silence.Asked{Match: silence.Match{Services: services, Labels: []silence.Label{{Name: "site", Values: []string{"old"}}}}, From: begin, Until: begin.Add(time.Hour)},
		}}
	}
	return []silence.Window{window("move", -time.Minute), window("nightly", time.Hour, "checkout"), window("nightly", 25*time.Hour, "checkout")}
}

func quiet(t testing.TB, now time.Time) *silence.Silence {
	s, err := silence.Start(silence.Terms{
		ID: disk, Request: "r", By: timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}, Tell: []escalation.Target{{Kind: escalation.Person, ID: "park"}},
		Asked: silence.Asked{Match: silence.Match{Services: []string{"checkout"}}, From: now, Until: now.Add(time.Hour), Reason: "The disk is replaced"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(now)
	return s
}

func (h *house) Silences(_ context.Context, f api.SilenceFilter) (rows []api.SilenceSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.soughtSilences = append(h.soughtSilences, f)
	for _, s := range h.silences {
		rows = append(rows, starter.SilenceRow(&s.Terms, s.Status))
	}
	return rows, h.more(), h.failure()
}

func (h *house) Silence(_ context.Context, id silence.ID) (*silence.Silence, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.silences[id] == nil {
		return nil, &starter.NotFoundError{What: "silence " + string(id)}
	}
	seen := *h.silences[id]
	return &seen, nil
}

func (h *house) MakeSilence(_ context.Context, r starter.Request, terms silence.Terms) (*silence.Silence, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	terms.ID, terms.Request, terms.By = silence.NewID(uint64(len(h.silences))), r.ID, r.By
	for _, s := range h.silences {
		if s.Request == r.ID {
			return s, nil
		}
	}
	s, err := silence.Start(terms, h.now)
	if err == nil {
		h.silences[terms.ID] = s
		s.Advance(h.now)
	}
	return s, err
}

func (h *house) EndSilence(ctx context.Context, id silence.ID, r starter.Request, c silence.End) error {
	if _, err := h.Silence(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.silences[id]
	if err := c.Check(s, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.asked = append(h.asked, r.ID)
	return c.Apply(s, r.By, h.now)
}

func TestASilenceIsMadeAndEnded(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	asked := api.NewSilence{Services: []string{"checkout"}, Labels: []string{"env=prod", "tier=1", "env=staging"}, Until: p.now.Add(time.Hour), Reason: "r"}
	s, err := c.MakeSilence(t.Context(), asked, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if s.By != p.people["park"].Actor || s.Status != silence.Holding || s.Match.String() != "service checkout, env=prod|staging, tier=1" || !s.From.Equal(p.now) ||
		len(s.Tell) != 1 || s.Tell[0].String() != "person:park" || s.Zone != "Asia/Seoul" {
		t.Errorf("got %+v", s)
	}
	if again, err := c.MakeSilence(t.Context(), asked, "k1"); err != nil || again.ID != s.ID {
		t.Errorf("the same once more: got %s, %v; want %s", again.ID, err, s.ID)
	}
	if r, err := c.EndSilence(t.Context(), s.ID, silence.End{Reason: "done"}, "k2"); err != nil || r != (api.SilenceReceipt{ID: s.ID, Status: silence.Ended}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := c.EndSilence(t.Context(), s.ID, silence.End{}, "k3"); err == nil || !strings.Contains(err.Error(), "it has ended at") {
		t.Errorf("ended twice: %v", err)
	}
	if read, err := c.Silence(t.Context(), s.ID); err != nil || read.Words != "done" || read.EndedBy != p.people["park"].Actor {
		t.Errorf("got %+v, %v", read, err)
	}
	want := api.SilenceFilter{Open: true, Limit: 7}
	page, err := c.Silences(t.Context(), want)
	if err != nil || len(page.Silences) != 2 || !slices.Contains(p.soughtSilences, want) {
		t.Errorf("got %+v, %v, sought %+v", page, err, p.soughtSilences)
	}
	var folder []string
	for _, row := range page.Folder {
		folder = append(folder, row.Window+" "+string(row.Status))
	}
	if d := cmp.Diff([]string{"move holding", "nightly waiting"}, folder); d != "" {
		t.Error(d)
	}
}

// One of the folder goes by its name. Until it has held something back there is nothing to show or to end, and once somebody has ended it it
// holds no more.
func TestASilenceOfTheFolderGoesByItsName(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	for _, ask := range []func() error{
		func() error { _, err := c.Silence(t.Context(), "move"); return err },
		func() error { _, err := c.EndSilence(t.Context(), "move", silence.End{}, "k"); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), "silence move of the organisation folder has held nothing back yet; want it changed in silences.yaml") {
			t.Errorf("got %v", err)
		}
	}
	if w := p.ask("GET", "/api/v1/silences/move", "", "Authorization", p.as(t, "jung")); w.Code != 404 || strings.Contains(w.Body.String(), "folder") {
		t.Errorf("a partner that may not see it: got %d %s", w.Code, w.Body)
	}
	w := people{}.SilencesBetween(p.now, p.now.Add(time.Hour))[0]
	w.Reason, w.Tell = "moved", []escalation.Target{{Kind: escalation.Person, ID: "park"}}
	begun, err := silence.Start(w.Terms, p.now)
	if err != nil {
		t.Fatal(err)
	}
	begun.Advance(p.now)
	p.silences[w.ID] = begun
	if x, err := c.Silence(t.Context(), "move"); err != nil || x.ID != w.ID {
		t.Errorf("got %+v, %v", x, err)
	}
	if r, err := c.EndSilence(t.Context(), "move", silence.End{}, "k"); err != nil || r.ID != w.ID {
		t.Errorf("got %+v, %v", r, err)
	}
	delete(p.silences, disk)
	page, err := c.Silences(t.Context(), api.SilenceFilter{Open: true})
	if err != nil || slices.ContainsFunc(page.Folder, func(row api.SilenceSummary) bool { return row.Window == "move" }) {
		t.Errorf("it still holds: %+v, %v", page.Folder, err)
	}
}

func TestAPartnerHoldsBackAlertsOfItsOwnServicesAlone(t *testing.T) {
	p := newPlace(t)
	jung, seo, desk := p.as(t, "jung"), p.as(t, "seo"), p.as(t, "acme/lead")
	try := func(auth, method, path, body string, code int, want string) {
		t.Helper()
		if w := p.ask(method, path, body, "Authorization", auth); w.Code != code || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s %s: got %d %s, want %d %s", method, path, w.Code, w.Body, code, want)
		}
	}
	good := silencing(p.now)
	try(jung, "POST", "/api/v1/silences", good, 200, `"holding"`)
	try(jung, "POST", "/api/v1/silences", strings.Replace(good, `"services":["checkout"],`, "", 1), 403, "silence")
	try(jung, "POST", "/api/v1/silences", strings.Replace(good, `["checkout"]`, `["checkout","erp"]`, 1), 403, "silence")
	try(jung, "GET", "/api/v1/silences", "", 200, string(disk))
	try(jung, "POST", quieted+"/end", `{}`, 200, "ended")
	if w := p.ask("GET", "/api/v1/silences", "", "Authorization", jung); strings.Contains(w.Body.String(), `"move"`) || !strings.Contains(w.Body.String(), `"nightly"`) {
		t.Errorf("a partner sees of the folder: %s", w.Body)
	}
	try(seo, "POST", "/api/v1/silences", good, 403, "silence")
	try(seo, "GET", quieted, "", 404, "not found")
	if w := p.ask("GET", "/api/v1/silences", "", "Authorization", seo); w.Code != 200 || strings.Contains(w.Body.String(), "SIL-") {
		t.Errorf("another partner sees %d %s", w.Code, w.Body)
	}
	try(desk, "POST", "/api/v1/silences", good, 403, "silence")
	try(desk, "GET", "/api/v1/silences", "", 403, "silence")
	try(desk, "GET", quieted, "", 404, "not found")
}

func TestWhatIsWrongWithASilence(t *testing.T) {
	p := newPlace(t)
	until := `"until":"` + p.now.Add(2*time.Hour).UTC().Format(time.RFC3339) + `"`
	for change, want := range map[string]string{
		`"services":["checkout"],"labels":["env=prod","env=staging"],→`: "labels: missing; want a label or a service",
		`"env=prod"→"env"`:                                  `labels: "env"; want a name and a value, such as env=prod`,
		`"checkout"→"nothing"`:                              `services: "nothing"; want the id of a service`,
		until + `→"until":"2126-01-01T00:00:00Z"`:           "until: 2126-01-01T00:00:00Z; want at most 30 days after from",
		until + `→"until":"2006-01-01T00:00:00Z"`:           "until: 2006-01-01T00:00:00Z; want a time that is still to come",
		until + `→"until":"tomorrow"`:                       `until: "tomorrow"; want an instant`,
		`"The disk is replaced"→" "`:                        "reason: missing",
		`"reason"→"from":"2146-01-01T00:00:00Z","reason"`:   "until: 2026-11-22T07:05:09Z; want a time that is still to come, after from",
		`"labels":["env=prod","env=staging"]→"label":["x"]`: "label: unknown",
	} {
		from, to, _ := strings.Cut(change, "→")
		body := strings.Replace(silencing(p.now), from, to, 1)
		if w := p.ask("POST", "/api/v1/silences", body); w.Code != 422 || !saysFault(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %q", change, w.Code, w.Body, want)
		}
	}
}
