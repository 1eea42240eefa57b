package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/store"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// inboxOf is what somebody finds, as "want kind id task".
func (p *place) inboxOf(t *testing.T, who, query string) (lines []string, box api.Inbox) {
	t.Helper()
	w := p.ask("GET", "/api/v1/inbox"+query, "", "Authorization", p.as(t, who))
	if err := json.Unmarshal(w.Body.Bytes(), &box); err != nil || w.Code != 200 {
		t.Fatalf("%s: got %d %s", who, w.Code, w.Body)
	}
	for _, i := range box.Items {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", i.Want, i.Kind, i.ID, i.Task)))
	}
	return lines, box
}

// crowded is a place in which something waits for everybody.
func crowded(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.handingOver(t, "park")
	i := p.incidents[open]
	i.Clocks = []supportplan.Clock{{Customer: "acme", Target: supportplan.Respond, State: supportplan.Running, Due: p.now.Add(50 * time.Minute)}}
	i.Holders = append(i.Holders, incident.Holder{Role: incident.CommunicationsManager, Person: "min", Since: p.now})
	i.Definition.Communication = &incident.Communication{Approval: &incident.ApprovalRule{Within: time.Hour}}
	i.Proposed = &incident.Proposal{Update: incident.SendUpdate{Text: "We are at it."}, SHA256: "5d1e", At: p.now, Due: p.now.Add(20 * time.Minute)}
	i.Proposed.By = timeline.Actor{Kind: timeline.Person, ID: "choi"}
	i.Definition.Review.Owner = incident.IncidentManager
	p.reviewing, p.onePage = []incident.ID{open}, true
	p.reviews.Facts, p.reviews.Status, p.reviews.Due, p.reviews.Opened = review.FactsOf(i), review.Open, p.now.Add(time.Hour), p.now
	return p
}

func TestWhatWaitsForWhom(t *testing.T) {
	p := crowded(t)
	run := " plan-run " + string(upgrading)
	for who, want := range map[string][]string{
		"park": {
			"acknowledge incident " + string(open), "confirm handover primary", "begin" + run + " brief", "complete" + run + " stage", "settle" + run + " odd",
			"step" + run + " book", "retry" + run + " broken", "approve request " + string(tuning), "take escalation " + string(restore),
		},
		"kim": {
			"promise incident " + string(open), "review review " + string(open), "begin" + run + " extra", "begin" + run + " later", "retry" + run + " broken",
			"settle" + run + " odd", "solve problem " + string(leaking),
		},
		"min": {"promise incident " + string(open), "approve-text incident " + string(open), "act action-item ACT-7K3M9QX2PA", "vote" + run + " approve", "check" + run + " proof", "waive" + run + " later", "confirm-override" + run},
		"choi": {
			"begin" + run + " brief", "begin" + run + " extra", "begin" + run + " later", "check" + run + " proof", "complete" + run + " stage", "retry" + run + " broken", "settle" + run + " odd",
			"step" + run + " book", "vote" + run + " approve", "waive" + run + " later", "confirm-override" + run, "approve request " + string(tuning), "assess change " + string(enlarging),
		},
		"acme/lead":   {"vote" + run + " approve", "confirm-override" + run},
		"acme/desk":   nil,
		"globex/lead": nil,
		"yoon":        nil,
		"vera":        nil,
	} {
		got, box := p.inboxOf(t, who, "")
		if slices.Contains([]string{"park", "choi", "kim", "min"}, who) { // who works for the provider, and has not written it
			want = append(want, "approve-text review "+string(open)+" internal")
		}
		for _, x := range want {
			if !contains(got, x) {
				t.Errorf("%s does not find %q in %q", who, x, got)
			}
		}
		for _, x := range got {
			if !contains(want, x) {
				t.Errorf("%s finds %q, want %q", who, x, want)
			}
		}
		if len(box.Cut) > 0 {
			t.Errorf("%s: cut %v", who, box.Cut)
		}
	}
}

func contains(all []string, one string) bool {
	for _, x := range all {
		if x == one {
			return true
		}
	}
	return false
}

// The first due comes first, and each says what to do about it, in the language that is asked for.
func TestAnInboxSaysWhatToDo(t *testing.T) {
	p := crowded(t)
	_, box := p.inboxOf(t, "park", "?lang=en")
	var last time.Time
	found := map[string]api.InboxItem{}
	for _, i := range box.Items {
		if !i.Due.IsZero() && i.Due.Before(last) || i.Due.IsZero() && i.Since.IsZero() {
			t.Errorf("%s is due at %s, after %s", i.ID, i.Due, last)
		}
		if !i.Due.IsZero() {
			last = i.Due
		}
		found[i.Want+" "+i.Task] = i
	}
	for key, want := range map[string]api.InboxItem{
		"acknowledge ": {Title: "Checkout answers 500", Command: "muster incident ack " + string(open), Due: p.now.Add(time.Minute)},
		"confirm ":     {Title: "김민수", Command: "muster oncall confirm primary", Due: p.now.Add(15 * time.Minute)},
		"begin brief":  {Title: "Small upgrade: Brief", Customer: "Acme", Command: "muster upgrade begin " + string(upgrading) + " brief", Due: p.now.AddDate(0, 0, 2)},
		"step book":    {Title: "Small upgrade: Book: 2. look", Customer: "Acme", Command: "muster upgrade step " + string(upgrading) + " book 2"},
		"approve ":     {Customer: "Acme", Command: "muster request approve|decline " + string(tuning) + ` "REASON"`, Read: "muster request show " + string(tuning)},
	} {
		got := found[key]
		if got.Title != want.Title || got.Customer != want.Customer || got.Command != want.Command || want.Read != "" && got.Read != want.Read || !got.Due.Equal(want.Due) {
			t.Errorf("%s: got %+v, want %+v", key, got, want)
		}
	}
	if _, box := p.inboxOf(t, "min", ""); !slices.ContainsFunc(box.Items, func(i api.InboxItem) bool { return i.Title == "Small upgrade 작업: Approve 작업" }) {
		t.Errorf("in the language of the organisation: %+v", box.Items)
	}
	if w := p.ask("GET", "/api/v1/inbox?lang=fr", ""); w.Code != 422 {
		t.Errorf("lang=fr: got %d %s", w.Code, w.Body)
	}
}

// What was not looked at is told, and what cannot be listed is no empty inbox.
func TestAnInboxIsWholeOrSaysSo(t *testing.T) {
	p := crowded(t)
	p.manyReviews = true
	if _, box := p.inboxOf(t, "park", ""); len(box.Cut) != 1 || box.Cut[0] != api.InboxReview {
		t.Errorf("cut %v", box.Cut)
	}
	p.fail = []error{&starter.UnavailableError{Cause: errors.New("no engine")}} // of whichever asks first
	w := p.ask("GET", "/api/v1/inbox", "")
	var box api.Inbox
	if err := json.Unmarshal(w.Body.Bytes(), &box); w.Code != 503 && (err != nil || len(box.Cut) == 0) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	narrow := "Bearer " + p.token(t, store.Token{Actor: "park", Scopes: []string{"note"}})
	if w := p.ask("GET", "/api/v1/inbox", "", "Authorization", narrow); w.Code != 403 {
		t.Errorf("a token for notes: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", "/api/v1/inbox", "", "Authorization", "Bearer "+p.machine); w.Code != 200 || !strings.Contains(w.Body.String(), `"items":[]`) {
		t.Errorf("a machine: got %d %s", w.Code, w.Body)
	}
}

// Of a security incident only who may read it finds anything.
func TestAnInboxKeepsSecurityIncidents(t *testing.T) {
	p := crowded(t)
	p.restrict("kim")
	if got, _ := p.inboxOf(t, "park", ""); strings.Contains(strings.Join(got, " "), string(open)) {
		t.Errorf("park finds %q", got)
	}
}

// A text of a review is read before it is decided on, and decided on as it was read.
func TestATextIsReadBeforeItIsApproved(t *testing.T) {
	p := crowded(t)
	_, box := p.inboxOf(t, "min", "")
	n := slices.IndexFunc(box.Items, func(i api.InboxItem) bool { return i.Kind == api.InboxReview && i.Want == api.WantText })
	if n < 0 {
		t.Fatalf("min finds %+v", box.Items)
	}
	sum := p.reviews.Text(review.Internal).SHA256
	want := "muster review approve " + string(open) + " internal --sha256 " + sum
	if i := box.Items[n]; i.Read != "muster review report "+string(open) || i.Command != want {
		t.Errorf("got %q, then %q; want %q", i.Read, i.Command, want)
	}
}

// A customer is asked what it alone can say, and nobody else is.
func TestWhatWaitsForACustomer(t *testing.T) {
	p := crowded(t)
	i := p.incidents[open]
	i.Status = incident.Resolved
	i.Confirmations = []incident.Confirmation{{Clock: supportplan.Clock{Customer: "acme", Due: p.now.Add(time.Hour)}, Asked: p.now}}
	got, box := p.inboxOf(t, "acme/desk", "?lang=en")
	if !contains(got, "fixed incident "+string(open)) {
		t.Fatalf("acme finds %q", got)
	}
	for _, item := range box.Items {
		if want := "muster incident answer " + string(open) + ` fixed|not-fixed "NOTE"`; item.Want == api.WantFixed && (item.Command != want || !item.Due.Equal(p.now.Add(time.Hour))) {
			t.Errorf("got %+v, want %q", item, want)
		}
	}
	if got, _ := p.inboxOf(t, "globex/lead", ""); contains(got, "fixed incident "+string(open)) {
		t.Errorf("another customer finds %q", got)
	}
}

// A vendor's case waits for whoever files it, and once the vendor is late for whoever leads.
func TestAVendorsCaseWaitsForSomebody(t *testing.T) {
	p := newPlace(t)
	i := p.incidents[open]
	i.Holders = []incident.Holder{{Role: incident.IncidentManager, Person: "kim", Since: p.now}}
	clock := supportplan.Start("vendor:skyhost", supportplan.Promise{Target: supportplan.Respond, Within: time.Hour}, p.now)
	clock.Due = p.now.Add(time.Hour)
	i.Cases = []incident.VendorCase{{
		Support: incident.VendorSupport{ID: "skyhost", Name: "SkyHost", Notify: []escalation.Target{{Kind: escalation.Person, ID: "min"}}}, Opened: p.now, Clock: &clock,
	}}
	wants := func(when, who, want string, there bool) {
		t.Helper()
		got, box := p.inboxOf(t, who, "")
		n := slices.Index(got, want+" incident "+string(open)+" skyhost")
		if (n >= 0) != there {
			t.Errorf("%s: %s finds %q, want %s: %v", when, who, got, want, there)
		}
		if n >= 0 && (!box.Items[n].Due.Equal(clock.Due) || !strings.HasPrefix(box.Items[n].Command, "muster incident case "+string(open)+" skyhost ")) {
			t.Errorf("%s: %s finds %+v", when, who, box.Items[n])
		}
	}
	wants("at first", "min", "file-case", true)
	wants("at first", "kim", "file-case", false)
	i.Cases[0].Reference = "SR-7"
	wants("once it is filed", "min", "file-case", false)
	i.Cases[0].Clock.Miss()
	wants("once it is late", "kim", "late-case", true)
	i.Cases[0].Answered = p.now
	wants("once it is answered", "kim", "late-case", false)
}

// Who had a role in an incident that was merged still answers to its customers, whose promises the other one has now.
func TestPromisesThatWereMergedWaitForWhoeverMadeThem(t *testing.T) {
	p := newPlace(t)
	from, into := p.incidents[open], p.incidents[other]
	from.Status, from.MergedInto = incident.Merged, &incident.Merging{ID: other, Taken: p.now}
	from.Holders = []incident.Holder{{Role: incident.SupportManager, Person: "kim", Since: p.now}}
	into.Clocks = []supportplan.Clock{
		{Customer: "nobody", Target: supportplan.Respond, State: supportplan.Running, Due: p.now.Add(time.Minute)},
		{Customer: "acme", Target: supportplan.Update, State: supportplan.Running, Due: p.now.Add(time.Hour)},
	}
	want := "promise incident " + string(other)
	got, box := p.inboxOf(t, "kim", "")
	if n := slices.Index(got, want); n < 0 || box.Items[n].Customer != "Acme" || !box.Items[n].Due.Equal(p.now.Add(time.Hour)) {
		t.Errorf("kim finds %q: %+v", got, box.Items)
	}
	if got, _ = p.inboxOf(t, "min", ""); contains(got, want) {
		t.Errorf("min, who had no role, finds %q", got)
	}
}
