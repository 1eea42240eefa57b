package preset_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/preset"
	"muster/templates"
)

// shipped are the presets with what an organisation says beside, and how their stand-ins call things.
func shipped() map[string]contract.Contract {
	return map[string]contract.Contract{
		"gitlab": {
			Desk:   func() contract.Desk { return &gitlab{} },
			States: map[string]string{"triggered": "opened", "acknowledged": "opened", "resolved": "closed", "closed": "closed"}, High: "P1", Low: "P3",
		},
		"azure-devops": {
			Desk:   func() contract.Desk { return &azure{} },
			States: map[string]string{"triggered": "New", "acknowledged": "Active", "resolved": "Resolved", "closed": "Closed"}, High: "1", Low: "3",
		},
		"redmine": {
			Desk:   func() contract.Desk { return &redmine{} },
			States: map[string]string{"triggered": "New", "acknowledged": "In Progress", "resolved": "Resolved", "closed": "Closed"}, High: "5", Low: "3",
		},
	}
}

func desk(t testing.TB, name, url string, guard outbound.Guard, timeout time.Duration) *preset.Desk {
	t.Helper()
	p, err := preset.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	d := &preset.Desk{Guard: guard, Timeout: timeout, Preset: p, URL: url, Secret: contract.Secret}
	switch name {
	case "gitlab":
		d.Settings = map[string]string{"project": "mirnet/ops"}
	case "azure-devops":
		d.Settings = map[string]string{"project": "Mirnet Ops", "type": "Issue"}
	case "redmine":
		d.Settings, d.Priorities = map[string]string{"project": "7"}, map[string]string{"P1": "5", "P2": "4", "P3": "3"}
	}
	return d
}

func TestContract(t *testing.T) {
	names, err := preset.Names()
	if err != nil {
		t.Fatal(err)
	}
	all := shipped()
	if len(names) != len(all) {
		t.Errorf("%v ship, and not all of them have a stand-in", names)
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			c.Sample = "1"
			c.System = func(url string, guard outbound.Guard, timeout time.Duration) contract.System {
				return desk(t, name, url, guard, timeout)
			}
			c.Run(t)
		})
	}
}

func serve(t *testing.T, name string, d contract.Desk) *preset.Desk {
	t.Helper()
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return desk(t, name, srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second)
}

func TestWhatAlertsSayStaysText(t *testing.T) {
	for name, want := range map[string]string{
		"gitlab":       "````text\nShop is down <b>",
		"azure-devops": "<p>Shop is down &lt;b&gt;<br>",
		"redmine":      "<pre>\nShop is down <b>",
	} {
		d := shipped()[name].Desk()
		if _, err := serve(t, name, d).Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil {
			t.Fatal(err)
		}
		if got := d.Shown()[0].Text; !strings.HasPrefix(got, want) || !strings.Contains(got, "{panel}") {
			t.Errorf("%s: %q", name, got)
		}
	}
	d := &redmine{}
	x := contract.Revision(1, "triggered", "P3")
	x.Text = "a </pre> !https://evil.example/x.png!"
	if _, err := serve(t, "redmine", d).Open(t.Context(), x); err != nil || strings.Count(d.issues[0].Description, "</pre>") != 1 {
		t.Errorf("%v: %q", err, d.issues[0].Description)
	}
}

func TestTicketsThatMayNotMove(t *testing.T) {
	d := &redmine{ways: map[int][]int{1: {2, 6}, 2: {3}, 3: {5}}}
	s := serve(t, "redmine", d)
	ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), ref, contract.Revision(2, "resolved", "P3"))
	if want := "stays in state 1, and does not go to 3; it may go to New, In Progress, Rejected"; !delivery.IsRefusal(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	s.States = map[string]string{"closed": "6"}
	if err := s.Update(t.Context(), ref, contract.Revision(3, "closed", "P3")); err != nil || d.issues[0].Status != 6 {
		t.Errorf("as the organisation says: %v, %d", err, d.issues[0].Status)
	}
}

func TestStatesByTheirKind(t *testing.T) {
	a := &azure{}
	s := serve(t, "azure-devops", a)
	ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	s.Preset.Kinds.Of["merged"] = []string{"Removed"}
	if err := s.Update(t.Context(), ref, contract.Revision(2, "merged", "P3")); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "there are Active, Closed, New, Resolved: name one in states") {
		t.Errorf("got %v", err)
	}
	s.States = map[string]string{"merged": "Resolved"}
	if err := s.Update(t.Context(), ref, contract.Revision(3, "merged", "P3")); err != nil || a.Shown()[0].State != "Resolved" {
		t.Errorf("got %v, %+v", err, a.Shown())
	}
}

func TestWhatANewTicketNeedsBeside(t *testing.T) {
	a := &azure{}
	s := serve(t, "azure-devops", a)
	s.Fields = map[string]any{"System.AreaPath": `Mirnet Ops\Shop {title}`, "Custom.Load": 0.5}
	if _, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil || a.items[0].Fields["System.AreaPath"] != `Mirnet Ops\Shop {title}` {
		t.Errorf("got %v, %v", err, a.items)
	}
	d := &redmine{}
	s = serve(t, "redmine", d)
	s.Fields, s.NoPriority = map[string]any{"priority_id": 9.0, "subject": "not this"}, true
	if _, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil || d.issues[0].Priority != 9 || !strings.HasPrefix(d.issues[0].Subject, "[P3]") {
		t.Errorf("got %v, %+v", err, d.issues[0])
	}
}

func TestTicketsInWhichPeopleSpeakOfIt(t *testing.T) {
	g := &gitlab{}
	s := serve(t, "gitlab", g)
	for n := range 16 {
		g.issues = append(g.issues, &gitlabIssue{IID: n + 1, Title: "see INC-7K3M9QX2PA", State: "opened"})
	}
	if _, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "16 tickets speak of INC-7K3M9QX2PA") {
		t.Errorf("got %v", err)
	}
	g.issues = g.issues[:14]
	for range 2 {
		if ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil || ref.ID != "15" {
			t.Errorf("got %+v, %v", ref, err)
		}
	}
}

// Whatever is filled in stays where it was put: in its part of the path, in its value of the query.
func TestPlacesLeadNowhereElse(t *testing.T) {
	var asked *url.URL
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL
		w.WriteHeader(http.StatusTeapot)
	}))
	defer srv.Close()
	d := desk(t, "gitlab", srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second)
	rapid.Check(t, func(r *rapid.T) {
		project := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./?#%&={}a-z\\-]{1,12}`)).Draw(r, "project")
		d.Settings = map[string]string{"project": project}
		if _, err := d.Open(t.Context(), contract.Revision(1, "triggered", "P3")); !delivery.IsRefusal(err) {
			r.Fatal(err)
		}
		parts := strings.Split(asked.EscapedPath(), "/")
		if got, err := url.PathUnescape(parts[min(4, len(parts)-1)]); len(parts) != 6 || err != nil || got != project || asked.Query().Get("search") != "INC-7K3M9QX2PA" {
			r.Errorf("project %q: asked %s", project, asked)
		}
	})
}

func TestLabelsOfOtherPrioritiesGo(t *testing.T) {
	g := &gitlab{}
	s := serve(t, "gitlab", g)
	ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	g.issues[0].Labels = append(g.issues[0].Labels, "team-db")
	if err := s.Update(t.Context(), ref, contract.Revision(2, "triggered", "P1")); err != nil {
		t.Fatal(err)
	}
	slices.Sort(g.issues[0].Labels)
	if got := strings.Join(g.issues[0].Labels, " "); got != "P1 muster team-db" {
		t.Errorf("labels %s", got)
	}
}

func TestPresetsThatAreWrong(t *testing.T) {
	good, err := templates.FS.ReadFile("tickets/redmine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ was, is, want string }{
		{"/issues/{id}.json?include", "/issues/{ident}.json?include", "nobody knows {ident}"},
		{`"{note}\n\n{mark}"`, `"{env}"`, "nobody knows {env}"},
		{`{secret}`, `{title}`, "nobody knows {title}"},
		{"silent: true", "silence: true", "silence"},
		{"title: 255", "title: 5", "no room"},
		{"name: Redmine", "name: [", ""},
	} {
		text := strings.Replace(string(good), tt.was, tt.is, 1)
		_, err := preset.LoadFrom(fstest.MapFS{"tickets/x.yaml": {Data: []byte(text)}}, "x")
		if text == string(good) || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.is, err, tt.want)
		}
	}
	if _, err := preset.Load("none"); err == nil {
		t.Error("a preset that does not ship was loaded")
	}
}
