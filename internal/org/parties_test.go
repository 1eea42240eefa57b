package org_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/org"
	"muster/internal/timeline"
)

func TestParties(t *testing.T) {
	o := load(t, good(t))
	for _, tt := range []struct {
		id   string
		want org.Party
		ok   bool
	}{
		{"acme", org.Party{ID: "acme", Name: "Acme", Kind: authority.Provider}, true},
		{"shopco", org.Party{ID: "shopco", Name: "ShopCo", Kind: authority.Customer}, true},
		{"hanbit", org.Party{ID: "hanbit", Name: "한빛클라우드", Kind: authority.Partner}, true},
		{"mega", org.Party{ID: "mega", Name: "Mega Hardware", Kind: authority.Vendor}, true},
		{"gone", org.Party{}, false},
		{"", org.Party{}, false},
	} {
		if got, ok := o.Party(tt.id); got != tt.want || ok != tt.ok {
			t.Errorf("party %q: got %+v, %t, want %+v, %t", tt.id, got, ok, tt.want, tt.ok)
		}
	}
}

func TestPartners(t *testing.T) {
	o := load(t, good(t))
	if diff := cmp.Diff([]string{"hanbit", "mega"}, o.Partners("shop")); diff != "" {
		t.Error(diff)
	}
	if got := o.Partners("gone"); got != nil {
		t.Errorf("a service that is not there has the partners %v", got)
	}
	files := good(t)
	change{"services.yaml", "    partners: [hanbit, mega]\n", ""}.in(t, files)
	if got := load(t, files).Partners("shop"); got != nil {
		t.Errorf("a service that names no partners has %v", got)
	}
}

func TestSubjects(t *testing.T) {
	person := func(id, name, party string, kind authority.PartyKind, roles ...authority.Role) authority.Subject {
		return authority.Subject{
			Actor: timeline.Actor{Kind: timeline.Person, ID: id, Name: name}, Party: party, Kind: kind, Roles: roles,
		}
	}
	files := good(t)
	change{"people.yaml", "    party: hanbit\n    roles: [responder]\n", "    party: hanbit\n"}.in(t, files)
	change{"people.yaml", "people:\n", `people:
  - {id: jung, name: 정하윤, language: ko, party: acme, methods: [{name: desk, type: console}], roles: [auditor, member]}
  - {id: song, name: Song, language: en, party: mega, methods: [{name: desk, type: console}]}
`}.in(t, files)
	o := load(t, files)
	for _, want := range []authority.Subject{
		person("kim", "김민수", "acme", authority.Provider, authority.Responder),
		person("park", "Park", "acme", authority.Provider, authority.Administrator, authority.Responder),
		person("jung", "정하윤", "acme", authority.Provider, authority.Auditor, authority.Member),
		person("yoon", "윤서준", "hanbit", authority.Partner, authority.Member),
		person("song", "Song", "mega", authority.Vendor, authority.Member),
		person("han", "Han", "shopco", authority.Customer, authority.Member),
		person("shopco/desk", "Desk", "shopco", authority.Customer, authority.Member),
		person("shopco/boss", "Boss", "shopco", authority.Customer, authority.Responder),
	} {
		got, ok := o.Subject(want.Actor.ID)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("subject %s: %t %s", want.Actor.ID, ok, diff)
		}
	}
	for _, id := range []string{"gone", "desk", "shopco/gone", "acme", ""} {
		if got, ok := o.Subject(id); ok || !cmp.Equal(got, authority.Subject{}) {
			t.Errorf("subject %q: got %+v, want nobody", id, got)
		}
	}
}

// What the folder says reaches the rules: each sees what is theirs.
func TestSubjectsSeeWhatIsTheirs(t *testing.T) {
	o := load(t, good(t))
	for id, want := range map[string]authority.Sight{
		"kim":         {All: true},
		"yoon":        {Partner: "hanbit"},
		"han":         {Customers: []string{"shopco"}, Restricted: true},
		"shopco/desk": {Customers: []string{"shopco"}, Restricted: true},
		"gone":        {},
	} {
		s, _ := o.Subject(id)
		if diff := cmp.Diff(want, authority.Sees(s)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

func TestLogins(t *testing.T) {
	o := load(t, good(t))
	for login, want := range map[string]string{
		"park@example.com": "park", "han@shop.example": "han", "Park@example.com": "", "park": "", "": "",
	} {
		if got, ok := o.PersonByLogin(login); got != want || ok != (want != "") {
			t.Errorf("login %q: got %q, %t, want %q", login, got, ok, want)
		}
	}
}

func TestAPartnersPeopleMayBeOnCall(t *testing.T) {
	files := good(t)
	change{"schedules.yaml", "people: [kim, park]", "people: [yoon]"}.in(t, files)
	change{"escalation-policies.yaml", "last_resort: {targets: [person:park]", "last_resort: {targets: [person:yoon]"}.in(t, files)
	at := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	got, err := load(t, files).Recipients(escalation.Target{Kind: escalation.Schedule, ID: "primary"}, at)
	if err != nil || len(got) != 1 || got[0].ID != "yoon" {
		t.Errorf("on call: got %v, %v, want yoon", got, err)
	}
}

// A folder from before there were parties is as good as it was, and all of its people answer for the organisation.
func TestAFolderWithoutParties(t *testing.T) {
	files := good(t)
	delete(files, "parties.yaml")
	change{"people.yaml", "    party: hanbit\n    roles: [responder]\n", ""}.in(t, files)
	change{"services.yaml", "    partners: [hanbit, mega]\n", ""}.in(t, files)
	o := load(t, files)
	s, ok := o.Subject("yoon")
	if !ok || s.Party != "acme" || s.Kind != authority.Provider || !slices.Equal(s.Roles, []authority.Role{authority.Responder}) {
		t.Errorf("got %+v, want a responder of the organisation", s)
	}
	change{"services.yaml", "customers: [shopco]", "customers: [shopco]\n    partners: [hanbit]"}.in(t, files)
	want := []string{`services.yaml:5:16: service shop: partners "hanbit": no such party; known: acme, shopco`}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

// A link that leads nowhere is not a file that was left out.
func TestALinkToNoParties(t *testing.T) {
	files, dir := good(t), t.TempDir()
	delete(files, "parties.yaml")
	write(t, dir, files)
	if err := os.Symlink("nowhere.yaml", filepath.Join(dir, "parties.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := org.Load(dir)
	want := "load organisation " + dir + ": 1 fault\n" + dir + "/parties.yaml: missing; it must be there, even if its list is empty"
	if shown(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A file that cannot be read is one fault: who was to be defined in it is not missed elsewhere.
func TestUnreadableParties(t *testing.T) {
	for name, want := range map[string]string{
		"parties.yaml":      "parties.yaml: cannot be read: not a regular file",
		"organisation.yaml": "organisation.yaml: cannot be read: not a regular file",
		"customers.yaml":    "customers.yaml: cannot be read: not a regular file",
	} {
		files, dir := good(t), t.TempDir()
		change{"people.yaml", "login: park@example.com", "party: acme"}.in(t, files)
		delete(files, name)
		write(t, dir, files)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := org.Load(dir)
		if want = "load organisation " + dir + ": 1 fault\n" + dir + "/" + want; shown(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestSignIn(t *testing.T) {
	o := loadWithSecrets(t)
	got, ok, err := o.SignIn()
	want := org.SignIn{
		Issuer: "https://login.example.com/acme", ClientID: "muster", ClientSecret: "swordfish-SIGN_IN_SECRET",
		LoginClaim: "preferred_username", GroupsClaim: "teams",
		Roles: []org.GroupRole{{Group: "NOC", Role: authority.Responder}, {Group: "NOC leads", Role: authority.Administrator}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Error(diff, ok, err)
	}
	t.Setenv("SIGN_IN_SECRET", "")
	if got, ok, err := o.SignIn(); ok || !cmp.Equal(got, org.SignIn{}) ||
		shown(err) != "sign_in: client_secret env:SIGN_IN_SECRET: not set in the environment of this process" {
		t.Errorf("without its secret: got %v, %t, %v", got, ok, err)
	}
}

func TestSignInByDefault(t *testing.T) {
	const all = `sign_in:
  issuer: https://login.example.com/acme
  client_id: muster
  client_secret: env:SIGN_IN_SECRET
  login_claim: preferred_username
  groups_claim: teams
  roles:
    - {group: NOC, role: responder}
    - {group: NOC leads, role: administrator}
`
	files := good(t)
	change{"organisation.yaml", all, "sign_in: {issuer: https://login.example.com, client_id: muster}\n"}.in(t, files)
	got, ok, err := load(t, files).SignIn()
	want := org.SignIn{Issuer: "https://login.example.com", ClientID: "muster", LoginClaim: "email", GroupsClaim: "groups"}
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("of a public client: %s %t %v", diff, ok, err)
	}
	files = good(t)
	change{"organisation.yaml", all, ""}.in(t, files)
	if got, ok, err := load(t, files).SignIn(); ok || err != nil || !cmp.Equal(got, org.SignIn{}) {
		t.Errorf("where nobody signs in: got %v, %t, %v", got, ok, err)
	}
}
