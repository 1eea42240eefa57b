package activities_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

func persons(ids ...string) (all []escalation.Target) {
	for _, id := range ids {
		all = append(all, escalation.Target{Kind: escalation.Person, ID: id})
	}
	return all
}

// People of a partner read nothing of other incidents and changes, nor of what lies behind them.
func TestWhoeverIsBesideReadsNothingOfOthers(t *testing.T) {
	var all []incident.Telling
	c := &activities.Composition{Directory: open, Writer: noting{&all}, Now: func() time.Time { return at }}
	f := incident.Facts{
		ID: "INC-1", Title: "Down", Nearby: []incident.Nearby{{ID: "CHG-1"}}, Problem: &incident.KnownProblem{ID: "PRB-1"}, Learned: &incident.Earlier{ID: "INC-0"},
	}
	_, err := perform[incident.Composition](t, c.Compose, activities.ComposeInput{Targets: persons("kim", "yoon"), Telling: incident.Telling{Kind: delivery.Page, Facts: f}})
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if x := all[0].Facts; len(x.Nearby) != 1 || x.Problem == nil || x.Learned == nil {
		t.Errorf("our own are told %+v", x)
	}
	if x := all[1].Facts; x.Nearby != nil || x.Problem != nil || x.Learned != nil || x.Title != "Down" {
		t.Errorf("a partner is told %+v", x)
	}
}

func TestComposeReachesEverybodyWhomNothingKeepsFromIt(t *testing.T) {
	for _, tc := range []struct {
		name   string
		in     activities.ComposeInput
		to     string
		detail []string
	}{
		{"everybody, each once", activities.ComposeInput{Targets: persons("kim", "park", "kim")}, "kim park", nil},
		{"whoever is on call now", activities.ComposeInput{Targets: persons("night")}, "kim", nil},
		{"a gap names nobody", activities.ComposeInput{Targets: persons("gap")}, "", nil},
		{"a broken target keeps nobody else from it", activities.ComposeInput{Targets: persons("ghost", "park")}, "park", []string{`person "ghost": not found`}},
		{"a broken text is sent as bare facts", activities.ComposeInput{Targets: persons("mute", "park")}, "mute park", []string{"write message to mute: text is broken"}},
		{"both are said", activities.ComposeInput{Targets: persons("ghost", "mute")}, "mute", []string{`person "ghost"`, "write message to mute"}},
		{"a customer's contacts", activities.ComposeInput{Customer: "acme", Targets: persons("kim")}, "acme/desk acme/boss", nil},
		{"an unknown customer", activities.ComposeInput{Customer: "ghost"}, "", []string{`customer "ghost": not found`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &activities.Composition{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
			tc.in.Telling = incident.Telling{Kind: delivery.Page, Facts: incident.Facts{ID: "INC-1"}}
			got, err := perform[incident.Composition](t, c.Compose, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var to []string
			for _, a := range got.To {
				to = append(to, a.To.ID)
				if a.Message.Subject != "INC-1" {
					t.Errorf("%s gets %+v, want at least the bare facts", a.To.ID, a.Message)
				}
			}
			if strings.Join(to, " ") != tc.to || got.Folder.Revision != "r2" {
				t.Errorf("to %v of folder %s, want %s of r2", to, got.Folder.Revision, tc.to)
			}
			if (got.Detail == "") != (tc.detail == nil) {
				t.Errorf("detail %q, want %q", got.Detail, tc.detail)
			}
			for _, want := range tc.detail {
				if !strings.Contains(got.Detail, want) {
					t.Errorf("detail %q, want %q in it", got.Detail, want)
				}
			}
		})
	}
}

func TestWhoeverIsHeldBackGetsNoMessage(t *testing.T) {
	c := &activities.Composition{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	in := activities.ComposeInput{Targets: persons("sleeper", "park"), Telling: incident.Telling{Kind: delivery.Page, Step: 1}}
	got, err := perform[incident.Composition](t, c.Compose, in)
	if err != nil || len(got.To) != 2 || got.Detail != "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if s := got.To[0]; s.To.ID != "sleeper" || s.Held != incident.HeldByQuietHours || !cmp.Equal(s.Message, delivery.Message{}) || len(s.To.Methods) > 0 {
		t.Errorf("got %+v", s)
	}
	if p := got.To[1]; p.To.ID != "park" || p.Held != "" || p.Message.Kind != delivery.Page {
		t.Errorf("got %+v", p)
	}
	in.Telling.Step = 0
	if got, _ := perform[incident.Composition](t, c.Compose, in); len(got.To) != 2 || got.To[0].Held != "" {
		t.Errorf("the last resort: got %+v", got)
	}
}

// What several people read says of a security incident no more than that it is there; whoever is paged reads everything.
func TestSharedChannelsAreToldNothingOfASecurityIncident(t *testing.T) {
	var told []incident.Telling
	c := &activities.Composition{Directory: open, Writer: noting{&told}, Now: func() time.Time { return at }}
	author := timeline.Actor{Kind: timeline.Person, ID: "lee"}
	in := activities.ComposeInput{Targets: persons("kim", "room"), Telling: incident.Telling{
		Kind: delivery.Page, Text: "the vault is open", Author: &author, Facts: incident.Facts{
			ID: "INC-1", Service: "Shop", Title: "Account stolen", Alerts: []string{"StolenAccount"}, Links: []incident.Link{{Name: "StolenAccount"}},
		},
	}}
	for _, kind := range []incident.Kind{"", incident.SecurityIncident} {
		told = nil
		in.Telling.Facts.Kind = kind
		if _, err := perform[incident.Composition](t, c.Compose, in); err != nil || len(told) != 2 {
			t.Fatalf("told %+v, %v", told, err)
		}
		room := in.Telling
		if kind == incident.SecurityIncident {
			room = incident.Telling{Kind: delivery.Page, Facts: incident.Facts{ID: "INC-1", Service: "Shop", Kind: kind}}
		}
		if d := cmp.Diff([]incident.Telling{in.Telling, room}, told); d != "" {
			t.Errorf("kind %q, kim and the room are told (-want +got):\n%s", kind, d)
		}
	}
}

// A customer's channel is told what a person wrote to the customer.
func TestACustomersChannelReadsWhatAPersonWrote(t *testing.T) {
	var told []incident.Telling
	c := &activities.Composition{Directory: open, Writer: noting{&told}, Now: func() time.Time { return at }}
	in := activities.ComposeInput{Customer: "room", Telling: incident.Telling{
		Kind: delivery.CustomerUpdate, Text: "please change your passwords", Facts: incident.Facts{ID: "INC-1", Kind: incident.SecurityIncident},
	}}
	if _, err := perform[incident.Composition](t, c.Compose, in); err != nil || len(told) != 2 || told[0].Text != in.Telling.Text {
		t.Errorf("told %+v, %v", told, err)
	}
}

func TestAnEngineerHasASubstituteAndAPool(t *testing.T) {
	c := &activities.Composition{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	engineer := func(customer string) []escalation.Target {
		return []escalation.Target{{Kind: escalation.Engineer, ID: customer}}
	}
	for _, tc := range []struct {
		name   string
		in     activities.ComposeInput
		to     string
		detail string
	}{
		{"held back", activities.ComposeInput{Targets: engineer("acme"), Telling: incident.Telling{Kind: delivery.Page, Step: 1}}, "sleeper held, lee", ""},
		{"there", activities.ComposeInput{Targets: engineer("acme"), Telling: incident.Telling{Kind: delivery.Reminder}}, "sleeper", ""},
		{"of an unknown customer", activities.ComposeInput{Targets: append(engineer("ghost"), persons("kim")...)}, "kim", `customer "ghost": not found`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[incident.Composition](t, c.Compose, tc.in)
			var to []string
			for _, a := range got.To {
				if to = append(to, a.To.ID); a.Held != "" {
					to[len(to)-1] += " held"
				}
			}
			if strings.Join(to, ", ") != tc.to || got.Detail != tc.detail || err != nil {
				t.Errorf("got %v, %q, %v; want %s", to, got.Detail, err, tc.to)
			}
		})
	}
}

func TestAVendorIsToldInAnotherText(t *testing.T) {
	c := &activities.Composition{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	in := activities.ComposeInput{
		Targets: append(persons("kim"), escalation.Target{Kind: escalation.Vendor, ID: "skyhost"}), Telling: incident.Telling{Kind: delivery.Page, Step: 1},
	}
	got, err := perform[incident.Composition](t, c.Compose, in)
	if err != nil || len(got.To) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if us, them := got.To[0], got.To[1]; us.Outside || us.Message.Kind != delivery.Page || !them.Outside || them.Message.Kind != delivery.VendorCall {
		t.Errorf("got %+v and %+v", us, them)
	}
}

func TestAnOlderFolderReachesNobody(t *testing.T) {
	said := &logbook{}
	d := &activities.Deliveries{
		Directory: func() activities.Directory { return directory{older: true} }, Tracker: said,
		Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: receiver{&delivery.Refusal{Detail: "it was sent"}}},
	}
	in := activities.DeliverInput{ID: "d-1", To: reader("kim"), Method: "phone", Message: delivery.Message{Kind: delivery.Page}, Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[delivery.Outcome](t, d.Deliver, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	if slices.ContainsFunc(said.lines, func(line string) bool { return strings.Contains(line, "by phone") }) {
		t.Errorf("the tracker heard %q, want nothing of the contact method", said.lines)
	}
}

func TestAnOlderFolderNamesNobodyUnlessItMust(t *testing.T) {
	older := func() activities.Directory { return directory{older: true} }
	c := &activities.Composition{Directory: older, Writer: writer{}, Now: func() time.Time { return at }}
	in := activities.ComposeInput{Targets: persons("kim"), Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[incident.Composition](t, c.Compose, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if got, err := perform[incident.Composition](t, c.Compose, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want kim, for telling nobody is worse", got, err)
	}
}

func TestComputeClocksGivesTheInstantsOfEveryClock(t *testing.T) {
	clock := func(customer string, within time.Duration) supportplan.Clock {
		return supportplan.Clock{Customer: customer, Target: supportplan.Resolve, Within: within, Started: at, State: supportplan.Running}
	}
	got, err := perform[[]incident.Instants](t, (&activities.Composition{}).ComputeClocks, activities.ComputeClocksInput{
		Clocks: []activities.ClockInput{{Clock: clock("acme", time.Hour), AtRisk: 80}, {Clock: clock("daon", 10*time.Hour), AtRisk: 50}},
	})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	for n, want := range []incident.Instants{
		{Customer: "acme", Target: supportplan.Resolve, RiskAt: at.Add(48 * time.Minute), Due: at.Add(time.Hour)},
		{Customer: "daon", Target: supportplan.Resolve, RiskAt: at.Add(5 * time.Hour), Due: at.Add(10 * time.Hour)},
	} {
		if got[n] != want {
			t.Errorf("got %+v, want %+v", got[n], want)
		}
	}
}

// The first page goes out before the clocks are computed and recorded, and says the deadlines all the same.
func TestTheFirstPageSaysTheDeadlines(t *testing.T) {
	i, err := incident.Open("INC-1", incident.Definition{
		Impact: "high", Urgency: "high", Service: incident.Service{ID: "shop", Name: "Shop"},
		Customers: []incident.Customer{{ID: "acme", Name: "Acme", Plan: supportplan.Plan{AtRisk: 80, Promises: []supportplan.Promise{
			{Priority: 1, Target: supportplan.Resolve, Within: 4 * time.Hour}, {Priority: 1, Target: supportplan.Respond, Within: 15 * time.Minute},
		}}}},
		Policy: escalation.Policy{Steps: []escalation.Step{{Targets: persons("kim"), Wait: time.Minute}}, LastResort: persons("kim"), LastResortEvery: time.Hour},
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	var page incident.Send
	for _, s := range i.Advance(at) {
		if s.Work == incident.PageStep {
			page = s
		}
	}
	var told incident.Telling
	c := &activities.Composition{Directory: open, Writer: listening{&told}, Now: func() time.Time { return at }}
	if _, err := perform[incident.Composition](t, c.Compose, activities.Composing(i, page)); err != nil {
		t.Fatal(err)
	}
	want := []incident.FactClock{
		{Customer: "Acme", Target: supportplan.Respond, Due: at.Add(15 * time.Minute)}, {Customer: "Acme", Target: supportplan.Resolve, Due: at.Add(4 * time.Hour)},
	}
	if diff := cmp.Diff(want, told.Facts.Clocks); diff != "" {
		t.Error(diff)
	}
}

// listening remembers what it is told to write.
type listening struct{ told *incident.Telling }

func (l listening) Message(t incident.Telling, _ delivery.Recipient) (delivery.Message, error) {
	*l.told = t
	return delivery.Message{Kind: t.Kind}, nil
}
