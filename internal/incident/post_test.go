package incident_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// onPages is an incident whose service stands on two status pages.
func onPages(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	return talking(t, func(d *incident.Definition) {
		d.Communication.Pages = []incident.StatusPage{{ID: "public", Name: "Payments", Component: "c1"}, {ID: "own", Name: "Payments"}}
		if change != nil {
			change(d)
		}
	})
}

// pages is what stands on a page, the newest last.
func (w *world) pages(id string) (all []string) {
	for _, x := range w.told {
		if said, ok := strings.CutPrefix(x, "status-page "+id+" "); ok {
			all = append(all, said)
		}
	}
	return all
}

func (w *world) wantPage(id string, want ...string) {
	w.t.Helper()
	if got := w.pages(id); !slices.Equal(got, want) {
		w.t.Errorf("page %s says %v, want %v", id, got, want)
	}
}

func TestAPageFollowsFromTheFirstWordToTheAllClear(t *testing.T) {
	w := onPages(t, nil)
	w.asks(incident.SendUpdate{Text: "For our customers."})
	w.wantPage("public") // nobody has said that everybody may read it
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.asks(incident.SendUpdate{Text: "We know the cause.", Status: incident.Identified})
	w.after(2 * time.Hour) // Muster's own updates to customers stay with them
	w.asks(incident.Resolve{Note: "fixed inside"})
	w.asks(incident.Reopen{Reason: "it is back"})
	w.asks(incident.Resolve{Note: "now it is"})
	for _, id := range []string{"public", "own"} {
		w.wantPage(id, "investigating", "identified", "resolved", "investigating", "resolved")
	}
	if w.has(timeline.PagePosted) != 10 {
		t.Errorf("the timeline tells of %d posts", w.has(timeline.PagePosted))
	}
}

func TestWhatOneCustomerIsToldIsOnNoPage(t *testing.T) {
	w := onPages(t, nil)
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.asks(incident.SendUpdate{Text: "For you alone.", Customer: "acme"})
	w.wantPage("public", "investigating")
}

// Where only people write to a customer, only people say on a page that it is over; and at the latest its close does.
func TestPeopleSayThatItIsOver(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w := onPages(t, func(d *incident.Definition) { d.Customers[0].Plan.UpdateBy = supportplan.ByPerson })
		w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
		w.asks(incident.Resolve{Note: "fixed"})
		w.wantPage("public", "investigating")
		if !silent {
			w.asks(incident.SendUpdate{Text: "It is over."})
			w.wantPage("public", "investigating", "resolved")
		}
		w.after(25 * time.Hour)
		if silent { // it does not close by itself then
			w.asks(incident.Close{Without: "Everybody has seen it."})
		}
		if w.i.Status != incident.Closed {
			t.Fatalf("is %s", w.i.Status)
		}
		w.wantPage("public", "investigating", "resolved")
	}
}

func TestAPageThatCannotBeReached(t *testing.T) {
	w := onPages(t, nil)
	w.refuse = func(s incident.Send) bool { return s.Page == "public" && s.Work == incident.PostStatus }
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.wantPage("own", "investigating")
	w.wantPage("public")
	if e := w.last(timeline.PageFailed); e.Fact("page") != "public" || e.Fact("detail") != "401 Unauthorized" {
		t.Errorf("the timeline says %+v", e)
	}
	if got := w.told[len(w.told)-1]; !strings.HasPrefix(got, "reminder ") {
		t.Errorf("nobody is told: %v", w.told)
	}
	w.refuse = nil // with the next word it is tried again
	w.asks(incident.SendUpdate{Text: "More.", Status: incident.Identified})
	w.wantPage("public", "identified")
}

// What has not arrived yet is not worth sending when there is something newer.
func TestANewerWordOvertakes(t *testing.T) {
	w := onPages(t, nil)
	w.silent = func(s incident.Send) bool { return s.Page == "public" }
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.asks(incident.SendUpdate{Text: "More.", Status: incident.Identified})
	var waits []incident.Send
	for _, s := range w.i.Outbox {
		if s.Work == incident.PostStatus {
			waits = append(waits, s)
		}
	}
	if len(waits) != 1 || waits[0].Withdrawn != "superseded" {
		t.Fatalf("waiting: %+v", waits)
	}
	w.silent = nil
	w.i.PageFailed(waits[0].Number, "cancelled", w.now)
	w.settle()
	w.wantPage("public", "identified")
	if w.has(timeline.PageFailed) != 0 {
		t.Error("what was overtaken is told as a failure")
	}
}

func TestWhatMustNotStandOnAPage(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*incident.Definition)
		c      incident.SendUpdate
		want   string
	}{
		{"restricted", func(d *incident.Definition) { d.Kind = incident.SecurityIncident }, incident.SendUpdate{}, "never stands on a status page"},
		{"one customer's", nil, incident.SendUpdate{Customer: "acme"}, "want no customer"},
		{"no page", func(d *incident.Definition) { d.Communication.Pages = nil }, incident.SendUpdate{}, "stands on no status page"},
		{"an old definition", func(d *incident.Definition) { d.Communication = nil }, incident.SendUpdate{}, "stands on no status page"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := onPages(t, tt.change)
			tt.c.Text, tt.c.Public = "Hello.", true
			if err := w.i.May("x", tt.c, w.now); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	w := onPages(t, func(d *incident.Definition) { d.Customers = nil })
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.wantPage("public", "investigating")
}

// Whatever the incident holds, of what is inside nothing may reach a page.
func TestAPageSeesNothingOfTheInside(t *testing.T) {
	w := onPages(t, func(d *incident.Definition) {
		d.Title, d.Service = "SECRET title", incident.Service{ID: "SECRET-id", Name: "SECRET service"}
		d.Customers[0].Name = "SECRET customer"
		d.Links = []incident.Link{{Name: "SECRET", URL: "https://SECRET"}}
	})
	w.asks(incident.Acknowledge{})
	w.asks(incident.SetCause{Domain: incident.CauseOurs, Text: "SECRET cause"})
	w.asks(incident.SendUpdate{Text: "For everybody.", Public: true})
	told, err := json.Marshal(w.i.ForPage(&w.i.Posted.Pages[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{"SECRET", "SlowA", "Slowa", park.Name, park.ID} {
		if strings.Contains(string(told), inside) {
			t.Errorf("a page is told %s: %s", inside, told)
		}
	}
	if !strings.Contains(string(told), "Payments") {
		t.Errorf("told %s", told)
	}
}

// What everybody reads is approved wherever what customers read is: nobody ends it by closing.
func TestAPageIsNotEndedUnapproved(t *testing.T) {
	w := onPages(t, func(d *incident.Definition) {
		d.Customers[0].Plan.UpdateBy = supportplan.ByPerson
		d.Communication.Approval, d.Communication.Settles = &incident.ApprovalRule{Within: time.Hour}, true
	})
	approved := func(c incident.SendUpdate) {
		w.asks(c)
		w.do("approve "+c.Text, incident.ApproveUpdate{SHA256: w.i.Proposed.SHA256}, kim)
	}
	approved(incident.SendUpdate{Text: "For everybody.", Public: true})
	w.asks(incident.Resolve{Note: "fixed"})
	w.wantPage("public", "investigating")
	err := w.i.Do("close", incident.Close{Without: "It did not notice."}, park, w.now)
	if err == nil || !strings.Contains(err.Error(), "while its status page says investigating; send the all-clear to all customers") {
		t.Fatalf("got %v, want it refused because of the page", err)
	}
	approved(incident.SendUpdate{Customer: w.i.Definition.Customers[0].ID, Text: "It is over."}) // the only one
	w.wantPage("public", "investigating", "resolved")
	w.asks(incident.Close{})
}
