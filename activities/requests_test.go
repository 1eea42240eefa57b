package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/usage"
)

// Request writes what it is about, but to nobody who is called mute.
func (writer) Request(t request.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Request, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute/desk" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

// ledgers know acme.
type ledgers struct{ returned *string }

func (ledgers) Claim(_ context.Context, c usage.Claim) (usage.Counts, error) {
	if c.Customer != "acme" {
		return usage.Counts{}, errors.New("away")
	}
	return usage.Counts{Used: 2, Taken: c.Take == usage.Anyway}, nil
}

func (l ledgers) Return(_ context.Context, customer, request string) error {
	if customer != "acme" {
		return errors.New("away")
	}
	*l.returned = request
	return nil
}

func requesting() *activities.Requests {
	return &activities.Requests{Directory: open, Writer: writer{}, Counter: ledgers{new(string)}, Now: func() time.Time { return at }}
}

// The customer's contacts are told what is theirs, and its engineers the rest: the first who are not away.
func TestWhoIsToldOfARequest(t *testing.T) {
	for _, tc := range []struct {
		about      request.About
		customer   string
		to, detail string
	}{
		{request.Receipt, "acme", "acme/desk acme/boss", ""},
		{request.Decided, "acme", "acme/desk acme/boss", ""},
		{request.AnswerSent, "mute", "mute/desk mute/boss", "write message to mute/desk: text is broken"},
		{request.Arrived, "acme", "lee", ""},
		{request.Missed, "acme", "lee", ""},
		{request.Receipt, "ghost", "", `customer "ghost": not found`},
		{request.Arrived, "ghost", "", `customer "ghost": not found`},
	} {
		got, err := perform[incident.Composition](t, requesting().ComposeRequest, activities.ComposeRequestInput{
			Telling: request.Telling{About: tc.about, Terms: request.Terms{Asked: request.Asked{Customer: tc.customer}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var to []string
		for _, a := range got.To {
			to = append(to, a.To.ID)
			if a.Message.Subject != string(tc.about) {
				t.Errorf("%s gets %+v, want at least the bare facts", a.To.ID, a.Message)
			}
		}
		if strings.Join(to, " ") != tc.to || got.Detail != tc.detail || got.Folder.Revision != "r2" {
			t.Errorf("%s of %s: to %v of folder %s, detail %q; want %s of r2, %q", tc.about, tc.customer, to, got.Folder.Revision, got.Detail, tc.to, tc.detail)
		}
	}
}

// asleep has one engineer, who is away.
type asleep struct{ directory }

func (asleep) Engineers(string, time.Time) ([][]delivery.Recipient, error) {
	return [][]delivery.Recipient{nil, {reader("sleeper")}}, nil
}

func TestAnEngineerWhoIsAwayIsToldBeforeNobodyIs(t *testing.T) {
	r := requesting()
	r.Directory = func() activities.Directory { return asleep{} }
	got, err := perform[incident.Composition](t, r.ComposeRequest, activities.ComposeRequestInput{Telling: request.Telling{About: request.Arrived}})
	if err != nil || len(got.To) != 1 || got.To[0].To.ID != "sleeper" || len(got.To[0].To.Methods) == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestARequestAsksNoOlderFolderUnlessItMust(t *testing.T) {
	r := requesting()
	r.Directory = func() activities.Directory { return directory{older: true} }
	in := activities.ComposeRequestInput{Telling: request.Telling{About: request.Arrived}, Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[incident.Composition](t, r.ComposeRequest, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if got, err := perform[incident.Composition](t, r.ComposeRequest, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want lee", got, err)
	}
}

func TestAUseIsCountedAndGivenBack(t *testing.T) {
	r := requesting()
	got, err := perform[usage.Counts](t, r.ClaimUse, usage.Claim{Customer: "acme", Request: "REQ-1", Take: usage.Anyway})
	if err != nil || got != (usage.Counts{Used: 2, Taken: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := perform[usage.Counts](t, r.ClaimUse, usage.Claim{Customer: "nuri", Request: "REQ-1"}); err == nil || final(err) || !strings.Contains(err.Error(), "count use of REQ-1 by customer nuri: away") {
		t.Errorf("got %v", err)
	}
	back := new(string)
	r.Counter = ledgers{back}
	if _, err := perform[any](t, r.ReturnUse, activities.ReturnUseInput{Customer: "acme", Request: "REQ-1"}); err != nil || *back != "REQ-1" {
		t.Errorf("got %q, %v", *back, err)
	}
	if _, err := perform[any](t, r.ReturnUse, activities.ReturnUseInput{Customer: "nuri", Request: "REQ-1"}); err == nil || final(err) || !strings.Contains(err.Error(), "give back use of REQ-1 by customer nuri: away") {
		t.Errorf("got %v", err)
	}
}

// Whoever works on a request is told instead of the engineers; who has left is not, and they are.
func TestWhoeverWorksOnARequestIsTold(t *testing.T) {
	for person, want := range map[string]string{"park": "park", "gap": "lee", "ghost": "lee"} {
		got, err := perform[incident.Composition](t, requesting().ComposeRequest, activities.ComposeRequestInput{
			Telling: request.Telling{About: request.Objected, Person: person, Terms: request.Terms{Asked: request.Asked{Customer: "acme"}}},
		})
		if err != nil || len(got.To) != 1 || got.To[0].To.ID != want {
			t.Errorf("%s: got %+v, %v; want %s", person, got, err, want)
		}
	}
}
