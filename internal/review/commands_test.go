package review_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/review"
	"muster/internal/timeline"
)

var (
	began = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim"}
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "Park"}
	yoon  = timeline.Actor{Kind: timeline.Person, ID: "yoon", Name: "Yoon"}
	robot = timeline.Actor{Kind: timeline.Source, ID: "robot"}
)

const (
	engineDraft = "# Shop\n\n| No. | INC-7 |\n\n## What happened\n"
	narrative   = "## What happened\n\nThe shop was slow for an hour because a cache had no limit. It has one now.\n"
)

// open is a review of an incident that touched Acme and Nuri, with deadlines of 2, 3 and 4 working days.
func open() *review.Review {
	r := review.Start(review.Facts{
		Incident: "INC-7", Service: "Shop", Priority: priority.P1, Times: incident.Times{Started: began.Add(-time.Hour), Resolved: began},
		Record: &review.Record{Customers: []review.Customer{{ID: "acme", Name: "Acme"}, {ID: "nuri", Name: "Nuri"}}},
	}, &review.Rules{
		Draft: 2, Meeting: 3, Publish: 4, Calendar: "office", Owner: []escalation.Target{{Kind: escalation.Person, ID: "lee"}},
		Lead: []escalation.Target{{Kind: escalation.Person, ID: "choi"}},
	}, began.Add(20*24*time.Hour), timeline.Muster(), began)
	r.Drafted(0, []review.Drafted{{Customer: "acme", Language: "en", Text: engineDraft}}, "", began)
	return r
}

// do asks as the workflow does: what Check refuses is not applied.
func do(r *review.Review, by timeline.Actor, c review.Command) error {
	if err := c.Check(r, by); err != nil {
		return err
	}
	return c.Apply(r, by, began.Add(time.Hour))
}

func must(t interface {
	Helper()
	Fatal(args ...any)
}, r *review.Review, by timeline.Actor, all ...review.Command,
) {
	t.Helper()
	for _, c := range all {
		if err := do(r, by, c); err != nil {
			t.Fatal(err)
		}
	}
}

// drafted has what a draft needs.
func drafted() (all []review.Command) {
	for _, k := range review.Wanted() {
		all = append(all, review.Write{Section: k, Text: "known"})
	}
	return append(all, review.AddFactor{Kind: review.Process, Text: "nobody was asked"}, review.Submit{})
}

func TestTwoSidesApproveTheTextForACustomer(t *testing.T) {
	technical, other, both := []review.Side{review.TechnicalSide}, []review.Side{review.OtherSide}, []review.Side{review.TechnicalSide, review.OtherSide}
	for name, tc := range map[string]struct {
		votes [][]review.Side
		want  bool
	}{
		"nobody":                      {nil, false},
		"a technical person":          {[][]review.Side{technical}, false},
		"two technical people":        {[][]review.Side{technical, technical}, false},
		"one of each":                 {[][]review.Side{technical, other}, true},
		"somebody who could be both":  {[][]review.Side{both}, false},
		"that, and a technical one":   {[][]review.Side{both, technical}, true},
		"two who could be both":       {[][]review.Side{both, both}, true},
		"two others, in either order": {[][]review.Side{other, other}, false},
	} {
		r := open()
		must(t, r, kim, review.WriteText{Customer: "acme", Text: narrative})
		for n, sides := range tc.votes {
			must(t, r, []timeline.Actor{park, yoon}[n], review.Approve{Audience: "acme", SHA256: review.SHA256(narrative), Sides: sides})
		}
		if got := r.Text("acme").Approved(); got != tc.want {
			t.Errorf("%s: approved %v, want %v", name, got, tc.want)
		}
		err := do(r, kim, review.PublishText{Audience: "acme", SHA256: review.SHA256(narrative)})
		if (err == nil) != tc.want {
			t.Errorf("%s: publish: %v", name, err)
		}
	}
}

func TestTheDraftOfTheEngineIsNoText(t *testing.T) {
	for text, want := range map[string]bool{
		engineDraft: false,
		"\n" + strings.ReplaceAll(engineDraft, " ", "  ") + "\n":       false,
		engineDraft + "\n## And another long heading by a person ##\n": false,
		engineDraft + "It was slow.":                                   false,
		engineDraft + narrative:                                        true,
		"전자상거래 화면이 한 시간 동안 느렸습니다. 캐시의 크기를 제한하지 않은 것이 원인이었고, 지금은 제한되어 있습니다. 불편을 드려 죄송합니다.": true,
	} {
		if err := do(open(), kim, review.WriteText{Customer: "acme", Text: review.Prose(text)}); (err == nil) != want {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestAnyChangeVoidsWhatWasApproved(t *testing.T) {
	for name, change := range map[string]review.Command{
		"a section":    review.Write{Section: review.WentWell, Text: "the page came at once"},
		"a factor":     review.AddFactor{Kind: review.Detection, Text: "no alert"},
		"one less":     review.RemoveFactor{Number: 1},
		"the pattern":  review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "restart"},
		"taken out":    review.Write{Section: review.Impact},
		"another text": review.Write{Section: review.Impact, Text: "known better"},
	} {
		r := open()
		must(t, r, kim, drafted()...)
		sha256 := r.Text(review.Internal).SHA256
		must(t, r, park, review.Approve{Audience: review.Internal, SHA256: sha256, Sides: []review.Side{review.OtherSide}})
		must(t, r, kim, review.PublishText{Audience: review.Internal, SHA256: sha256}, change)
		x := r.Text(review.Internal)
		if x.Approved() || !x.Published.IsZero() || len(x.Votes) > 0 || x.SHA256 != "" {
			t.Errorf("%s: %+v; want it void", name, x)
		}
	}
	r := open()
	must(t, r, kim, review.WriteText{Customer: "acme", Text: narrative})
	must(t, r, park, review.Approve{Audience: "acme", SHA256: review.SHA256(narrative), Sides: []review.Side{review.OtherSide}})
	must(t, r, yoon, review.WriteText{Customer: "acme", Text: narrative + "Sorry."})
	if x := r.Text("acme"); len(x.Votes) > 0 || !slices.Equal(x.Authors, []string{"kim", "yoon"}) {
		t.Errorf("got %+v, want the vote void and both authors", x)
	}
	for _, author := range []timeline.Actor{kim, yoon} {
		err := do(r, author, review.Approve{Audience: "acme", SHA256: r.Text("acme").SHA256, Sides: []review.Side{review.OtherSide}})
		if err == nil || !strings.Contains(err.Error(), author.Name+" has written it") {
			t.Errorf("%s: %v", author.ID, err)
		}
	}
}

func TestDeadlines(t *testing.T) {
	hour := func(n int) time.Time { return began.Add(time.Duration(n) * time.Hour) }
	at := func() (all []incident.Instants) {
		for n := range 3 {
			all = append(all, incident.Instants{RiskAt: hour(10*n + 5), Due: hour(10*n + 8)}, incident.Instants{Due: hour(10*n + 9)})
		}
		return all
	}
	told := func(work []review.Work) (all []string) {
		for _, w := range work {
			if t := w.Telling; w.Do == review.Tell && t.About == review.Reminder {
				all = append(all, string(t.Stage)+" "+string(t.Notice)+" "+t.Targets[0].ID)
			}
		}
		return all
	}
	r := open()
	if len(r.Clocks()) != 6 || !r.NextDue().Equal(began.Add(15*24*time.Hour)) {
		t.Fatalf("%d clocks, next due %s", len(r.Clocks()), r.NextDue())
	}
	r.Computed(7, at(), "", began) // of another round
	if !r.Deadlines[0].Due.IsZero() {
		t.Error("a computation of another round was taken in")
	}
	r.Computed(0, at(), "", began)
	for n, tc := range []struct {
		at   int
		want []string
	}{
		{4, nil},
		{5, []string{"draft soon lee"}},
		{8, []string{"draft late lee"}},
		{30, []string{ // the worker was away: each once, and what is most pressing
			"draft escalated lee", "draft escalated choi", "meeting escalated lee", "meeting escalated choi", "publish escalated lee", "publish escalated choi",
		}},
		{31, nil},
	} {
		if got := told(r.Advance(hour(tc.at))); !slices.Equal(got, tc.want) {
			t.Errorf("%d: after %d hours: got %v, want %v", n, tc.at, got, tc.want)
		}
	}
	done := open()
	done.Computed(0, at(), "", began)
	must(t, done, kim, drafted()...)
	if got := told(done.Advance(hour(9))); len(got) > 0 || done.Deadlines[0].Missed() {
		t.Errorf("a draft in time: told %v", got)
	}
	blind := open()
	blind.Computed(0, nil, "no time zones", began)
	if got := blind.Timeline.Entries; got[len(got)-1].Kind != timeline.ReviewUndated || !blind.NextDue().Equal(began.Add(15*24*time.Hour)) {
		t.Errorf("nobody can say: %+v", got)
	}
}

// Whatever people and machines try, nothing is published that one other person of each side has not approved as it is, nor by
// a machine, and a review that is closed has its pattern.
func TestNothingIsPublishedUnapproved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := open()
		actors := []timeline.Actor{kim, park, yoon, robot, {Kind: timeline.Person, ID: "han"}}
		sides := map[string][]review.Side{
			"kim": {review.TechnicalSide}, "park": {review.TechnicalSide}, "yoon": {review.OtherSide}, "robot": {review.TechnicalSide, review.OtherSide},
			"han": {review.TechnicalSide, review.OtherSide},
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			by := rapid.SampledFrom(actors).Draw(t, "by")
			audience := rapid.SampledFrom([]string{review.Internal, "acme", "nuri"}).Draw(t, "audience")
			sha256 := rapid.SampledFrom([]string{r.Text(audience).SHA256, review.SHA256("x")}).Draw(t, "sha256")
			text := narrative + rapid.SampledFrom([]string{"", "Sorry.", "Thank you."}).Draw(t, "text")
			all := append([]review.Command{
				review.WriteText{Customer: audience, Text: review.Prose(text)},
				review.Approve{Audience: audience, SHA256: sha256, Sides: sides[by.ID]},
				review.Approve{Audience: audience, SHA256: sha256, Sides: sides[by.ID]},
				review.PublishText{Audience: audience, SHA256: sha256},
				review.Reject{Audience: audience, SHA256: sha256, Reason: "no"},
				review.SetPattern{Symptom: text, Cause: "y", Remedy: "z"},
				review.Close{Text: "done", Without: rapid.SampledFrom([]string{"", "a drill"}).Draw(t, "without")},
			}, drafted()...)
			_ = do(r, by, rapid.SampledFrom(all).Draw(t, "command"))
			if rapid.IntRange(0, 30).Draw(t, "again") == 0 {
				f := r.Facts
				f.Times.Resolved = f.Times.Resolved.Add(time.Minute)
				r.Extend(f, r.Rules, r.Due, began)
			}
			for n := range r.Texts {
				x := &r.Texts[n]
				seen := map[string]bool{}
				for _, v := range x.Votes {
					if seen[v.By.ID] || v.By.Kind != timeline.Person || slices.Contains(x.Authors, v.By.ID) {
						t.Fatalf("vote of %s on the text of %v for %s", v.By.ID, x.Authors, x.Audience)
					}
					seen[v.By.ID] = true
				}
				if !x.Published.IsZero() && (!x.Approved() || x.PublishedBy.Kind != timeline.Person) {
					t.Fatalf("published: %+v", x)
				}
				if x.Audience != review.Internal && !x.Published.IsZero() && (len(x.Votes) < 2 || x.SHA256 != review.SHA256(x.Body)) {
					t.Fatalf("published for a customer: %+v", x)
				}
			}
			if r.Status == review.Closed && (r.Pattern == nil || r.Text(review.Internal).Published.IsZero() && r.Without == "") {
				t.Fatalf("closed: %+v", r)
			}
		}
	})
}

func TestADraftIsNotSubmittedTwice(t *testing.T) {
	r := open()
	for _, c := range drafted() {
		if err := do(r, kim, c); err != nil {
			t.Fatal(err)
		}
	}
	sum := r.Text(review.Internal).SHA256
	if err := do(r, park, review.Approve{Audience: review.Internal, SHA256: sum, Sides: []review.Side{review.TechnicalSide}}); err != nil {
		t.Fatal(err)
	}
	if err := do(r, park, review.Submit{}); err == nil || !strings.Contains(err.Error(), "it is submitted since") {
		t.Errorf("somebody who has approved it submits it once more: got %v", err)
	}
	if x := r.Text(review.Internal); !x.Approved() || !slices.Equal(x.Authors, []string{kim.ID}) {
		t.Errorf("got %+v", x)
	}
}

func TestTheEndOfTheIncidentCompletesTheFacts(t *testing.T) {
	r := open()
	for _, c := range drafted() {
		if err := do(r, kim, c); err != nil {
			t.Fatal(err)
		}
	}
	sum, due := r.Text(review.Internal).SHA256, r.Due
	f := r.Facts
	f.Times.Closed = began.Add(time.Hour)
	for range 2 { // told twice
		r.Extend(f, r.Rules, r.Due.Add(time.Hour), began.Add(time.Hour))
	}
	if !r.Facts.Times.Closed.Equal(f.Times.Closed) || r.Text(review.Internal).SHA256 != sum || !r.Due.Equal(due) || r.Extended != 0 {
		t.Errorf("got facts %+v, due %s, extended %d times", r.Facts.Times, r.Due, r.Extended)
	}
	if last := r.Timeline.Entries[len(r.Timeline.Entries)-1]; last.Kind != timeline.ReviewCompleted {
		t.Errorf("the last entry is %s", last.Kind)
	}
}

func TestWhoeverHasWrittenAPartOfTheReviewDoesNotApproveIt(t *testing.T) {
	r := open()
	all := drafted()
	for _, c := range all[:len(all)-1] {
		if err := do(r, kim, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := do(r, park, review.Submit{}); err != nil {
		t.Fatal(err)
	}
	sum := r.Text(review.Internal).SHA256
	if err := do(r, kim, review.Approve{Audience: review.Internal, SHA256: sum, Sides: []review.Side{review.TechnicalSide}}); err == nil {
		t.Error("kim has written it all, and approves it because park has submitted it")
	}
	f := r.Facts
	f.Times.Resolved = f.Times.Resolved.Add(time.Hour)
	r.Extend(f, r.Rules, r.Due, began.Add(2*time.Hour))
	if err := do(r, yoon, review.Approve{Audience: review.Internal, SHA256: sum, Sides: []review.Side{review.TechnicalSide}}); err == nil {
		t.Error("what was submitted before the incident was resolved once more can still be approved")
	}
}

// What is left to do is named in its order, and ends with the end.
func TestWhatIsNext(t *testing.T) {
	r := open()
	r.Rules.Edition = review.Edition
	next := func() (all []string) {
		for _, n := range r.Next() {
			all = append(all, strings.TrimSpace(string(n.Step)+" "+n.About))
		}
		return all
	}
	want := func(all ...string) {
		t.Helper()
		if got := next(); !slices.Equal(got, all) {
			t.Errorf("got %q, want %q", got, all)
		}
	}
	want("write impact", "write detect", "write diagnose", "write mitigate", "write prevent", "factor", "pattern", "submit", "approve internal", "meeting",
		"publish internal", "close")
	draft := drafted()
	must(t, r, kim, slices.DeleteFunc(draft, func(c review.Command) bool { _, submits := c.(review.Submit); return submits })...)
	want("pattern", "submit", "approve internal", "meeting", "publish internal", "close")
	if err := do(r, kim, review.Submit{}); err == nil || !strings.HasSuffix(err.Error(), "missing: the pattern") {
		t.Errorf("without the pattern it is submitted: %v", err)
	}
	must(t, r, kim, review.SetPattern{Symptom: "slow", Cause: "cache", Remedy: "limit"}, review.Submit{})
	want("approve internal", "meeting", "publish internal", "close")
	if err := do(r, kim, review.Approve{Audience: review.Internal, SHA256: r.Text(review.Internal).SHA256, Sides: []review.Side{review.TechnicalSide}}); err == nil {
		t.Error("its author approves it")
	}
	refused := r.Timeline.Entries[len(r.Timeline.Entries)-1]
	if refused.Kind != timeline.ReviewRefused || refused.Fact("why") != "wrote-it" || refused.Fact("detail") != "" || !slices.Contains(review.Whys(), refused.Fact("why")) {
		t.Errorf("the timeline says %+v", refused)
	}
	must(t, r, park, review.Reject{Audience: review.Internal, SHA256: r.Text(review.Internal).SHA256, Reason: "too short"})
	want("write", "submit", "approve internal", "meeting", "publish internal", "close")
	if err := do(r, park, review.Approve{Audience: review.Internal, SHA256: r.Text(review.Internal).SHA256, Sides: []review.Side{review.TechnicalSide}}); err == nil ||
		!strings.Contains(err.Error(), "Park has rejected it already") {
		t.Errorf("got %v", err)
	}
	must(t, r, kim, review.Close{Text: "done", Without: "a drill"})
	want()
	for _, n := range []review.Next{{Step: review.ToWrite, About: "impact"}, {Step: review.ToApprove, About: "acme"}, {Step: review.ToSubmit}} {
		if got := n.Command("INC-7", "TEXT"); !strings.HasPrefix(got, "muster review "+string(n.Step)+" INC-7") {
			t.Errorf("got %q", got)
		}
	}
}
