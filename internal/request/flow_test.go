package request_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

var (
	desk1 = timeline.Actor{Kind: timeline.Person, ID: "garam/desk", Name: "가람 담당"}
	lee   = timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "이정훈"}
)

// needing asks for what engineering needs two things for.
func needing() request.Terms {
	x := terms(included, served)
	for _, id := range []string{"version", "logs"} {
		x.Needs = append(x.Needs, request.Need{ID: id, Name: supportplan.Text{English: id, Korean: id}})
	}
	return x
}

func (d *desk) refused(c request.Command, by timeline.Actor, now time.Time, want string) {
	d.t.Helper()
	if err := d.ask(c, by, now); err == nil || !strings.Contains(err.Error(), want) {
		d.t.Errorf("%T: got %v, want %q", c, err, want)
	}
}

func (d *desk) newest() request.Telling { return d.last[len(d.last)-1] }

// From the front line to engineering, to a vendor, to an answer that is not enough, and to one that is.
func TestARequestGoesItsWay(t *testing.T) {
	d := receive(t, needing())
	d.must(request.Take{Note: "I ask them"}, kim, minute(1))
	d.refused(request.Take{}, kim, minute(1), "김민수 has it")
	d.refused(request.HandOver{Person: "park", Name: "Park", Note: "yours", Engineer: true}, kim, minute(2), "Park is an engineer, who needs version, logs first")
	d.refused(request.Collect{Need: "colour", Text: "red"}, kim, minute(2), `need "colour": want one of: version, logs`)
	d.must(request.Collect{Need: "version", Text: "4.1"}, kim, minute(3))
	d.must(request.Collect{Need: "version", Text: "4.2"}, kim, minute(4)) // they were mistaken
	d.refused(request.HandOver{Person: "park", Name: "Park", Note: "yours", Engineer: true}, kim, minute(4), "who needs logs first")
	d.must(request.HandOver{Person: "lee", Name: "이정훈", Note: "my shift ends"}, kim, minute(5)) // of the front line too
	d.must(request.Collect{Need: "logs", Text: "in the ticket"}, lee, minute(6))
	d.must(request.HandOver{Person: "park", Name: "Park", Note: "yours", Engineer: true}, lee, minute(7))
	if told := d.newest(); told.About != request.Handed || told.Person != "park" || told.Words != "yours" || d.Owner.ID != "park" {
		t.Errorf("told %+v", told)
	}
	d.refused(request.RecordCase{Vendor: "skyhost", Ref: "SR-1", Chase: minute(7)}, park, minute(8), "want an instant that is to come")
	d.must(request.RecordCase{Vendor: "skyhost", Ref: "SR-1", Chase: minute(30)}, park, minute(8))
	if due := d.NextDue(); !due.Equal(minute(30)) {
		t.Errorf("next due %s", due)
	}
	d.goOn(minute(30))
	if told := d.newest(); told.About != request.ChaseDue || told.Person != "park" || told.Case.Ref != "SR-1" {
		t.Errorf("told %+v", told)
	}
	d.refused(request.Judge{Result: request.Complete}, desk1, minute(31), "it is accepted")
	d.must(request.Answer{Text: "It is tuned."}, park, minute(40))
	d.refused(request.Judge{Result: request.Complete}, park, minute(41), "Park has answered it: want the customer or another person")
	d.refused(request.Judge{Result: request.Incomplete}, desk1, minute(41), "note: missing")
	d.refused(request.Judge{Result: "perhaps"}, desk1, minute(41), "want complete or incomplete")
	d.must(request.Judge{Result: request.Incomplete, Note: "still slow at night"}, desk1, minute(42))
	if told := d.newest(); told.About != request.Objected || told.Person != "park" || told.Words != "still slow at night" || d.Status != request.Accepted || !d.Closes.IsZero() {
		t.Errorf("%s, told %+v", d.Status, told)
	}
	d.Closing(minute(43), minute(43)) // of the answer before
	d.must(request.Answer{Text: "At night too."}, park, minute(50))
	d.refused(request.Judge{Result: request.Complete, Score: 6}, desk1, minute(51), "score 6: want 1 to 5")
	d.must(request.Judge{Result: request.Complete, Score: 5, Note: "thanks"}, desk1, minute(52))
	if d.Status != request.Closed || d.Rating == nil || d.Rating.Score != 5 || d.Rating.By != desk1 || !d.Ended.Equal(minute(52)) {
		t.Errorf("got %+v", d.Request)
	}
	if i := slices.IndexFunc(d.Collected, func(c request.Collected) bool { return c.Need == "version" }); len(d.Collected) != 2 || d.Collected[i].Text != "4.2" {
		t.Errorf("collected %+v", d.Collected)
	}
	for _, c := range []request.Command{request.Take{}, request.Judge{Result: request.Complete}, request.Promote{Incident: "INC-1"}} {
		d.refused(c, lee, minute(60), "it is closed")
	}
}

// Nobody works on it: whoever answers for the customer hears that it goes on.
func TestAnObjectionThatNobodyOwns(t *testing.T) {
	d := receive(t, terms(included, served))
	d.must(request.Answer{Text: "So."}, park, minute(1))
	d.must(request.Judge{Result: request.Incomplete, Note: "no"}, desk1, minute(2))
	if told := d.newest(); told.About != request.Objected || told.Person != "" {
		t.Errorf("told %+v", told)
	}
}

func TestARequestBecomesAnIncident(t *testing.T) {
	d := receive(t, terms(included, served))
	d.must(request.Promote{Incident: "INC-1"}, park, minute(1))
	d.must(request.Promote{Incident: "INC-1"}, park, minute(2)) // whoever repeats it
	d.refused(request.Promote{Incident: "INC-2"}, park, minute(3), "it is incident INC-1")
	n := 0
	for _, e := range d.Timeline.Entries {
		if e.Kind == timeline.RequestPromoted {
			n++
		}
	}
	if d.Incident != "INC-1" || n != 1 || d.Status != request.Accepted {
		t.Errorf("%s, %d entries, %s", d.Incident, n, d.Status)
	}
}

// An issue that began with a vendor: the customer is told, nothing is counted or promised, and it says whether that is enough.
func TestTheCustomerIsToldOfAnIssue(t *testing.T) {
	x := terms(monthly(2), served)
	x.Begun = request.WithVendor
	d := receive(t, x)
	d.want(request.Answered, "notice", "confirm")
	if told := d.newest(); told.Words != x.Text || !told.About.Outside() || len(d.Clocks) > 0 || d.Claimed {
		t.Errorf("told %+v, %+v", told, d.Request)
	}
	d.must(request.Judge{Result: request.Incomplete, Note: "since when?"}, desk1, minute(1))
	d.must(request.Answer{Text: "Since noon."}, park, minute(2))
	d.must(request.Judge{Result: request.Complete}, desk1, minute(3))
	d.want(request.Closed, "objected", "answer", "confirm")

	x.Pinned.Confirm = nil // nobody says within which days: it waits
	d = receive(t, x)
	d.goOn(minute(100_000))
	if d.Over() {
		t.Error("it closes although nobody has confirmed it")
	}
	x.Begun = "nobody"
	if _, err := request.Start(x, start); err == nil || !strings.Contains(err.Error(), `begun "nobody": want provider or vendor`) {
		t.Errorf("got %v", err)
	}
}

// What the customer sees has nobody's name and nothing of the vendor.
func TestWhatTheCustomerSeesOfTheWork(t *testing.T) {
	d := receive(t, needing())
	d.must(request.HandOver{Person: "lee", Name: "이정훈", Note: "they are loud"}, kim, minute(1))
	d.must(request.Collect{Need: "logs", Text: "the log"}, lee, minute(2))
	d.must(request.RecordCase{Vendor: "skyhost", Ref: "SR-1", Chase: minute(60)}, lee, minute(3))
	shown := d.Shown(incident.Viewer{Own: func(timeline.Actor) bool { return false }, Instead: timeline.Actor{Kind: timeline.Person, ID: "x", Name: "Mirnet"}})
	if shown.Case != nil || shown.Owner.Name != "Mirnet" || len(shown.Collected) != 1 || len(shown.Needs) != 2 {
		t.Errorf("got %+v", shown)
	}
	for _, e := range shown.Timeline.Entries {
		if e.Kind == timeline.RequestCase || e.Fact("note") != "" || e.Fact("to") != "" || e.Actor.Name == "이정훈" {
			t.Errorf("shows %+v", e)
		}
	}
}

// Whatever is asked in whatever order: what has ended has a reason to, and a closed request was answered.
func TestWhateverIsAskedOfTheWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := receive(t, needing())
		for n := range rapid.IntRange(0, 30).Draw(t, "steps") {
			c := rapid.SampledFrom([]request.Command{
				request.Take{},
				request.HandOver{Person: "lee", Note: "x"},
				request.HandOver{Person: "park", Note: "x", Engineer: true},
				request.Collect{Need: "version", Text: "x"},
				request.Collect{Need: "logs", Text: "x"},
				request.RecordCase{Vendor: "v", Ref: "r", Chase: minute(10_000)},
				request.Answer{Text: "x"},
				request.Judge{Result: request.Complete},
				request.Judge{Result: request.Incomplete, Note: "x"},
				request.Promote{Incident: "INC-1"},
				request.Withdraw{Reason: "x"},
			}).Draw(t, "command")
			missing, over := len(d.Missing()), d.Over()
			err := d.ask(c, rapid.SampledFrom([]timeline.Actor{kim, park, lee, desk1}).Draw(t, "by"), minute(n))
			if h, ok := c.(request.HandOver); ok && h.Engineer && err == nil && missing > 0 {
				t.Fatal("an engineer has it without what engineering needs")
			}
			if over && err == nil {
				t.Fatalf("%T after the end", c)
			}
			if d.Status == request.Closed && d.Answer == "" {
				t.Fatal("closed without an answer")
			}
		}
	})
}

func TestMinutesAreReadByTheCustomerAndNeverChanged(t *testing.T) {
	d := receive(t, needing())
	met := request.Meet{
		At: minute(1), Purpose: "More storage", Who: []string{"Seo", "Kim"}, Text: "The disk fills up.", Decisions: []string{"100 GB more"},
		Next: []string{"Kim, until Friday: a quote"},
	}
	d.must(met, kim, minute(2))
	for want, spoilt := range map[string]func(*request.Meet){
		"purpose: want one line":               func(m *request.Meet) { m.Purpose = " " },
		"who: want the names of those":         func(m *request.Meet) { m.Who = []string{"Seo", ""} },
		"decisions: want at most 30":           func(m *request.Meet) { m.Decisions = make([]string, 31) },
		"next: want at most 30, each one line": func(m *request.Meet) { m.Next = []string{"a\nb"} },
		"text: missing":                        func(m *request.Meet) { m.Text = "" },
		"want an instant between the receipt":  func(m *request.Meet) { m.At = minute(60) },
	} {
		m := met
		spoilt(&m)
		d.refused(m, kim, minute(3), want)
	}
	shown := d.Shown(incident.Viewer{Party: "acme", Own: func(a timeline.Actor) bool { return a.ID == "acme/desk" }, Instead: timeline.Actor{Name: "Hanbit"}})
	if len(shown.Meetings) != 1 || shown.Meetings[0].Text != met.Text || shown.Meetings[0].By.Name != "Hanbit" || d.Meetings[0].By != kim {
		t.Errorf("shown %+v", shown.Meetings)
	}
	d.must(request.Withdraw{Reason: "no"}, kim, minute(4))
	d.refused(met, kim, minute(5), "record a meeting on")
}
