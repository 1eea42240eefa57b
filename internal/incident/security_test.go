package incident_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// secured is a security incident that has just been opened.
func secured(t *testing.T) *world {
	t.Helper()
	def := definition()
	def.Kind = incident.SecurityIncident
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	i.Receive(batch(start, firing("a", start)), start)
	return w
}

// Whoever is paged, told, assigned or acknowledges is involved: a channel is not, and nobody is in an ordinary incident.
func TestWhoIsInvolved(t *testing.T) {
	w := secured(t)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		room := to[0]
		room.To.ID, room.To.Shared = "group:noc", true
		return append(to, room)
	}
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Assign{Role: incident.SupportManager, Person: "yoon"}, kim)
	want := []string{"schedule:primary", "park", "yoon", "person:yoon"} // as the world names whom it tells
	if !slices.Equal(w.i.Involved, want) {
		t.Errorf("involved: %q, want %q", w.i.Involved, want)
	}
	w.do("3", incident.SendUpdate{Text: "We are looking."}, park)
	if slices.Contains(w.i.Involved, "acme") {
		t.Errorf("a customer who is written to is involved: %q", w.i.Involved)
	}
	ordinary := opened(t)
	ordinary.do("1", incident.Acknowledge{}, park)
	if ordinary.i.Involved != nil {
		t.Errorf("an ordinary incident keeps %q", ordinary.i.Involved)
	}
}

func TestTheInvolvedAreBounded(t *testing.T) {
	w := secured(t)
	w.settle()
	for n := range 300 {
		w.do(fmt.Sprint(n), incident.Assign{Role: incident.SupportManager, Person: fmt.Sprint("p", n)}, kim)
	}
	if len(w.i.Involved) != 200 || !slices.Contains(w.i.Involved, "p299") || slices.Contains(w.i.Involved, "p0") {
		t.Errorf("%d are involved: %q", len(w.i.Involved), w.i.Involved)
	}
}

func TestThePagedStayInvolvedWhenTheTimelineIsTrimmed(t *testing.T) {
	w := secured(t)
	w.settle()
	w.after(6 * time.Minute)
	w.i.Timeline.Trim(1, 1)
	if want := []string{"schedule:primary", "schedule:secondary"}; !slices.Equal(w.i.Involved, want) {
		t.Errorf("involved: %q, want %q", w.i.Involved, want)
	}
}

// The plan lets Muster write to the customer, but of a security incident only people do: they are asked to.
func TestOnlyPeopleWriteToCustomersOfASecurityIncident(t *testing.T) {
	w := secured(t)
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	w.after(2 * time.Hour)
	w.do("2", incident.Resolve{Note: "shut out"}, park)
	w.do("3", incident.Reopen{Reason: "back again"}, park)
	asked := 0
	for _, told := range w.told {
		if strings.HasPrefix(told, string(delivery.CustomerUpdate)) || strings.HasPrefix(told, string(delivery.AllClear)) {
			t.Errorf("Muster wrote by itself: %s", told)
		}
		if strings.HasPrefix(told, string(delivery.Reminder)) {
			asked++
		}
	}
	if asked < 3 { // for an update, the all-clear and that it is not over
		t.Errorf("people were asked only %d times: %q", asked, w.told)
	}
	before := len(w.told)
	w.do("4", incident.SendUpdate{Text: "Please change your passwords."}, park)
	if got := w.told[before:]; !slices.Contains(got, "customer-update acme webhook") {
		t.Errorf("what a person wrote was not sent: %q", got)
	}
}

func TestACustomerIsShownNoWordOfASecurityIncident(t *testing.T) {
	i := busy("Globex")
	i.Definition.Kind, i.Definition.Title, i.Involved = incident.SecurityIncident, inside, []string{inside}
	i.Timeline.Add(start, timeline.IncidentOpened, timeline.Actor{Kind: timeline.Source, ID: inside}, timeline.F("title", inside), timeline.F("service", "Shop"))
	s, text := shown(t, i, "acme")
	if text = strings.ReplaceAll(text, inside+" Acme", "to"); strings.Contains(strings.ReplaceAll(text, inside+" Globex", "to"), inside) {
		t.Errorf("shows what the alerts say: %s", text)
	}
	if s.Definition.Title != "Shop" || s.Definition.Kind != "" {
		t.Errorf("shows title %q and kind %q", s.Definition.Title, s.Definition.Kind)
	}
}
