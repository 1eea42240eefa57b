package incident_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/timeline"
)

const within = 15 * time.Minute

// approved is an incident of which another person approves what people write to those outside. Park leads it.
func approved(t *testing.T) *world {
	t.Helper()
	w := onPages(t, func(d *incident.Definition) { d.Communication.Approval = &incident.ApprovalRule{Within: within} })
	w.asks(incident.Acknowledge{})
	w.told = nil
	return w
}

// Whoever has written what is not sent would else believe that customers have read it.
func TestTheAuthorHearsThatATextIsNotSent(t *testing.T) {
	for name, tt := range map[string]struct {
		settles bool
		end     func(w *world)
		want    []string
	}{
		"rejected": {true, func(w *world) {
			w.do("r", incident.RejectUpdate{SHA256: w.i.Proposed.SHA256, Reason: "too much of the inside"}, kim)
		}, []string{"reminder person:park webhook"}},
		"taken back by its author": {true, func(w *world) { w.asks(incident.RejectUpdate{SHA256: w.i.Proposed.SHA256, Reason: "a typo"}) }, nil},
		"resolved meanwhile":       {true, func(w *world) { w.do("r", incident.Resolve{Note: "fixed"}, kim) }, []string{"reminder person:park webhook"}},
		"a newer one":              {true, func(w *world) { w.asks(incident.SendUpdate{Text: "We know more."}) }, nil},
		"a definition from before": {false, func(w *world) {
			w.do("r", incident.RejectUpdate{SHA256: w.i.Proposed.SHA256, Reason: "no"}, kim)
		}, nil},
	} {
		w := approved(t)
		w.i.Definition.Communication.Settles = tt.settles
		w.asks(incident.SendUpdate{Text: "We are at it."})
		w.told = nil
		tt.end(w)
		got := slices.DeleteFunc(slices.Clone(w.told), func(s string) bool { return s != "reminder person:park webhook" })
		if len(got) != len(tt.want) {
			t.Errorf("%s: the author is told %v, want %v; all: %v", name, got, tt.want, w.told)
		}
	}
}

// outside is what has left the house.
func (w *world) outside() (all []string) {
	for _, x := range w.told {
		if !strings.HasPrefix(x, "reminder") && !strings.HasPrefix(x, "page") {
			all = append(all, x)
		}
	}
	return all
}

func TestATextWaitsForAnotherPerson(t *testing.T) {
	w := approved(t)
	w.asks(incident.SendUpdate{Text: "We are at it.", Public: true})
	p := w.i.Proposed
	if p == nil || len(w.outside()) != 0 {
		t.Fatalf("waits: %+v; told %v", p, w.told)
	}
	if len(w.told) != 1 || w.told[0] == "reminder person:park webhook" {
		t.Errorf("asked: %v, want somebody but the author", w.told)
	}
	for _, tt := range []struct {
		by   timeline.Actor
		sha  string
		want string
	}{
		{park, p.SHA256, "has written it: want another person"},
		{kim, "00", "sha256 00: it has changed"},
		{timeline.Actor{Kind: timeline.Source, ID: "bot"}, p.SHA256, "want a person"},
	} {
		err := w.i.Do("x"+tt.want, incident.ApproveUpdate{SHA256: tt.sha}, tt.by, w.now)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.by.ID, err, tt.want)
		}
		if e := w.last(timeline.UpdateRefused); e.Actor != tt.by || !strings.Contains(e.Fact("detail"), tt.want) {
			t.Errorf("the timeline says %+v", e)
		}
	}
	w.settle()
	if len(w.outside()) != 0 {
		t.Fatalf("sent without an approval: %v", w.told)
	}
	w.do("ok", incident.ApproveUpdate{SHA256: p.SHA256}, kim)
	if got := w.outside(); !slices.Contains(got, "customer-update acme webhook") || !slices.Contains(got, "status-page public investigating") {
		t.Errorf("sent: %v", got)
	}
	if e := w.last(timeline.UpdateSent); e.Actor != park {
		t.Errorf("under the name of %+v", e.Actor)
	}
	if e := w.last(timeline.UpdateApproved); e.Actor != kim || e.Fact("sha256") != p.SHA256 {
		t.Errorf("approved: %+v", e)
	}
	if err := w.i.May("again", incident.ApproveUpdate{SHA256: p.SHA256}, w.now); err == nil {
		t.Error("approved twice")
	}
}

// Whoever is told, and however late it is: a text that nobody has approved is never sent.
func TestATextThatNobodyApproves(t *testing.T) {
	w := approved(t)
	w.refuse = func(s incident.Send) bool { return s.For == incident.UpdateCustomer } // of those that Muster writes
	w.asks(incident.SendUpdate{Text: "We are at it."})
	w.told = nil
	w.after(2 * within)
	if w.has(timeline.UpdateUnapproved) != 2 {
		t.Errorf("%d escalations", w.has(timeline.UpdateUnapproved))
	}
	if !slices.Contains(w.told, "reminder person:lee webhook") {
		t.Errorf("the last resort is not told: %v", w.told)
	}
	w.after(90 * time.Minute)
	if w.has(timeline.UpdateUnapproved) != 2 || w.i.Proposed == nil {
		t.Errorf("%d escalations, waits: %+v", w.has(timeline.UpdateUnapproved), w.i.Proposed)
	}
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.UpdateSent && e.Fact("text") != "" {
			t.Errorf("sent: %+v", e)
		}
	}
}

func TestTextsThatAreNotSent(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *world)
		kind timeline.Kind
	}{
		{"rejected", func(w *world) {
			w.do("r", incident.RejectUpdate{SHA256: w.i.Proposed.SHA256, Reason: "names a machine"}, kim)
		}, timeline.UpdateRejected},
		{"taken back", func(w *world) { w.do("r", incident.RejectUpdate{SHA256: w.i.Proposed.SHA256, Reason: "wrong"}, park) }, timeline.UpdateRejected},
		{"a newer one", func(w *world) { w.asks(incident.SendUpdate{Text: "Newer."}) }, timeline.UpdateOvertaken},
		{"resolved meanwhile", func(w *world) { w.asks(incident.Resolve{Note: "fixed"}) }, timeline.UpdateOvertaken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := approved(t)
			w.asks(incident.SendUpdate{Text: "Old."})
			old := w.i.Proposed.SHA256
			tt.do(w)
			if e := w.last(tt.kind); e.Fact("sha256") != old || e.Fact("author") != park.Name {
				t.Errorf("the timeline says %+v", e)
			}
			if err := w.i.Do("late", incident.ApproveUpdate{SHA256: old}, kim, w.now); err == nil {
				t.Error("approved all the same")
			}
			w.settle()
			for _, e := range w.i.Timeline.Entries {
				if (e.Kind == timeline.UpdateSent || e.Kind == timeline.AllClearSent) && e.Fact("text") == "Old." {
					t.Errorf("sent: %+v", e)
				}
			}
		})
	}
}

// A text that has become untrue while it waited is not sent as it is.
func TestATextThatHasBecomeUntrue(t *testing.T) {
	w := approved(t)
	w.asks(incident.SendUpdate{Text: "Soon.", Expected: w.now.Add(10 * time.Minute)})
	sha := w.i.Proposed.SHA256
	w.after(11 * time.Minute)
	if err := w.i.May("a", incident.ApproveUpdate{SHA256: sha}, w.now); err == nil || !strings.Contains(err.Error(), "is over") {
		t.Errorf("got %v", err)
	}
	other := incident.SendUpdate{Text: "Soon.", Expected: w.now.Add(10 * time.Minute)}
	w.asks(other)
	if w.i.Proposed.SHA256 == sha {
		t.Error("another expected recovery is the same text")
	}
}

// What somebody approves is what its readers get: nobody else, with no other status, and on no other page.
func TestATextWithOtherReadersIsAnotherOne(t *testing.T) {
	for name, change := range map[string]func(*incident.Incident){
		"a customer more": func(i *incident.Incident) {
			more := i.Definition.Customers[0]
			more.ID, more.Name = "nuri", "Nuri"
			i.Definition.Customers = append(i.Definition.Customers, more)
		},
		"a page more": func(i *incident.Incident) {
			i.Definition.Communication.Pages = append(i.Definition.Communication.Pages, incident.StatusPage{ID: "more", Name: "More"})
		},
	} {
		w := talking(t, func(d *incident.Definition) {
			d.Communication = &incident.Communication{
				Pages: []incident.StatusPage{{ID: "public", Name: "Checkout"}}, Approval: &incident.ApprovalRule{Within: time.Hour},
			}
		})
		w.asks(incident.SendUpdate{Text: "It is slow.", Public: true})
		if p := w.i.Proposed; p == nil || p.Update.Status != incident.Investigating {
			t.Fatalf("%s: waiting is %+v", name, p)
		}
		change(w.i)
		w.settle()
		if w.i.Proposed != nil || w.last(timeline.UpdateOvertaken).Fact("cause") != "other-readers" {
			t.Errorf("%s: it still waits", name)
		}
	}
}

// Who approves a text must have read all of it, and the timeline says in the reader's language why somebody may not.
func TestAnApprovalOfAnotherTextSaysWhatIsWrong(t *testing.T) {
	for _, settles := range []bool{true, false} {
		w := approved(t)
		w.i.Definition.Communication.Settles = settles
		w.asks(incident.SendUpdate{Text: "We are at it."})
		before := w.i.Proposed.SHA256
		w.asks(incident.SendUpdate{Text: "We know more."})
		waits := w.i.Proposed.SHA256
		for n, tc := range []struct{ sha, want, why string }{
			{before, "it has changed to " + waits, "changed"},
			{waits[:12] + "…", "want all of it: " + waits, "part"},
			{"abc", "no text has it; that of the text that waits is " + waits, "unknown"},
		} {
			err := w.i.Do(fmt.Sprint("approve", n), incident.ApproveUpdate{SHA256: tc.sha}, kim, w.now)
			if !settles {
				tc.want, tc.why = "it has changed to "+waits, ""
			}
			if _, refused := errors.AsType[*incident.Refusal](err); !refused || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q", tc.sha, err, tc.want)
			}
			if e := w.last(timeline.UpdateRefused); e.Fact("why") != tc.why || (e.Fact("detail") == "") != settles {
				t.Errorf("%s: recorded is %+v", tc.sha, e.Facts)
			}
		}
	}
}
