package workflows_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/reach"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// ContactTest writes by which method it goes.
func (writer) ContactTest(_, method string, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Test, Language: to.Language, Subject: "[TEST] " + method}, nil
}

func (writer) ContactItem(p *reach.Page, t reach.Test, _, _ string) (title, text string, err error) {
	return fmt.Sprintf("%s of %s: %s", p.Method, p.To.ID, t.Result), cmp.Or(t.Detail, "-"), nil
}

func (writer) ContactMended(string) string { return "it works" }

// A contactBook is a folder in which kim has phone and mail, and park phone: each is tested every 30 days.
type contactBook struct {
	directory

	mu      sync.Mutex // attempts run beside each other
	held    map[string]string
	gone    string // a contact method that the folder has lost
	every   time.Duration
	people  int  // more of them
	unowned bool // nobody mends what does not work
}

func (b *contactBook) ContactTests(time.Time) (all []reach.Candidate, every time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range []reach.Way{{To: "kim", Method: "mail"}, {To: "kim", Method: "phone"}, {To: "park", Method: "phone"}} {
		if w.Method != b.gone {
			all = append(all, reach.Candidate{To: delivery.Recipient{ID: w.To, Name: w.To, Language: "en", Methods: []string{"phone"}}, Method: w.Method, Held: b.held[w.To]})
		}
	}
	for n := range b.people {
		id := fmt.Sprintf("q%03d", n)
		all = append(all, reach.Candidate{To: delivery.Recipient{ID: id, Name: id, Language: "en"}, Method: "phone"})
	}
	return all, b.every
}

func (b *contactBook) HasContact(w reach.Way) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return w.Method != b.gone
}

func (b *contactBook) lose(method string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = method
}

func (b *contactBook) ContactItem(w reach.Way) (action.Asked, bool) {
	return action.Asked{Owner: "choi", Group: "noc", Origin: action.Origin{Kind: action.OfContact, ID: w.To + "/" + w.Method}}, !b.unowned && b.HasContact(w)
}

func (*contactBook) House() (name, language, zone string) { return "Mirnet", "en", "Asia/Seoul" }

func (*contactBook) Action(action.Asked) (action.Pinned, error) {
	return action.Pinned{OwnerName: "Choi"}, nil
}

// items are action items in memory.
type items struct {
	mu     sync.Mutex
	opened []action.Terms
	over   []string
	notes  []string
	away   bool
}

func (i *items) OpenItem(_ context.Context, _ string, terms action.Terms) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.away {
		return "", errors.New("away")
	}
	i.opened = append(i.opened, terms)
	return fmt.Sprint("ACT-", len(i.opened)), nil
}

func (i *items) ItemOpen(_ context.Context, item string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, o := range i.over {
		if o == item {
			return false, nil
		}
	}
	return true, nil
}

func (i *items) NoteItem(_ context.Context, _, item, text string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.notes = append(i.notes, item+": "+text)
	return nil
}

// A trial is a rehearsal of the ledger of contacts.
type trial struct {
	*rehearsal

	book   *contactBook
	items  *items
	handed *reach.Ledger // to the next run
}

func tryContacts(t *testing.T, every time.Duration) *trial {
	t.Helper()
	r := rehearse(t)
	x := &trial{rehearsal: r, book: &contactBook{directory: directory{r}, every: every, held: map[string]string{}}, items: &items{}}
	r.under(workflows.ContactsWorkflowID)
	r.env.RegisterActivity(&activities.Contacts{Directory: func() activities.ContactDirectory { return x.book }, Writer: writer{}, Items: x.items})
	return x
}

// until runs the ledger for so long, then it goes on in the next run.
func (x *trial) until(after time.Duration, before *reach.Ledger) {
	x.Helper()
	x.at(after, func() {
		x.env.SetContinueAsNewSuggested(true)
		x.tried(reach.Try{Way: reach.Way{To: "last", Method: "word"}, Result: reach.Delivered, At: x.env.Now()})
	})
	if before != nil {
		x.env.SetContinuedExecutionRunID("run-before")
	}
	x.env.ExecuteWorkflow(workflows.ContactsWorkflow, sealed(x.rehearsal, workflows.ContactsWorkflow, "", timeline.Muster(), workflows.ContactsInput{State: before}))
	next, ok := errors.AsType[*workflow.ContinueAsNewError](x.env.GetWorkflowError())
	if !ok {
		x.Fatalf("got %v, want that it continues", x.env.GetWorkflowError())
	}
	var in signature.Signed[workflows.ContactsInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil || in.Body.State == nil || in.Seal == nil {
		x.Fatalf("it hands over %+v, %v", in, err)
	}
	x.handed = in.Body.State
}

// tried tells of attempts now, as a worker does.
func (x *trial) tried(tries ...reach.Try) {
	id := fmt.Sprint("tries ", x.env.Now())
	tell(x.rehearsal, &answer{}, id, workflows.RecordTriesUpdate, timeline.Muster(), workflows.Tries{Tries: tries})
}

// asks asks for test pages when so much time has passed.
func (x *trial) asks(after time.Duration, by timeline.Actor, a reach.Ask) *answer {
	got := &answer{}
	x.at(after, func() { tell(x.rehearsal, got, fmt.Sprint("ask ", after), workflows.TestContactsUpdate, by, a) })
	return got
}

// told is what the timeline says of test pages.
func (x *trial) told() (all []string) {
	v, err := x.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		x.Fatal(err)
	}
	var l reach.Ledger
	if err := v.Get(&l); err != nil {
		x.Fatal(err)
	}
	for _, e := range l.Timeline.Entries {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s%s", strings.TrimPrefix(string(e.Kind), "contact."), e.Fact("to"), e.Fact("method"), e.Fact("result"), e.Fact("cause"), e.Fact("item"))))
	}
	return all
}

func (x *trial) wantTold(want ...string) {
	x.Helper()
	if d := gocmp.Diff(want, x.told()); d != "" {
		x.Errorf("told (-want +got):\n%s", d)
	}
}

const month = 30 * 24 * time.Hour

// Nobody gets two test pages at once, and each contact method is tested when its time has come.
func TestTestPagesGoOutByThemselves(t *testing.T) {
	x := tryContacts(t, month)
	x.until(month+3*time.Hour, nil)
	x.wantGot("test kim", "test park", "test kim", "test kim", "test park", "test kim")
	x.wantTold("tests", "tested kim mail delivered", "tested park phone delivered", "tests", "tested kim phone delivered",
		"tests", "tested kim mail delivered", "tested park phone delivered", "tests", "tested kim phone delivered")
	if len(x.items.opened) > 0 || x.handed.Status() != reach.Well || len(x.handed.Timeline.Entries) > 0 || x.handed.Timeline.Dropped != 10 {
		t.Errorf("opened %+v, hands over %+v", x.items.opened, x.handed)
	}
}

func TestNoTestPageGoesOutWhereNoneIsWanted(t *testing.T) {
	x := tryContacts(t, 0)
	x.until(40*24*time.Hour, nil)
	x.wantGot()
	x.wantTold()
}

// A contact method that fails has one action item, is tested every day, and the item says when it works again.
func TestAContactMethodThatFailsIsForSomebodyToMend(t *testing.T) {
	for name, tt := range map[string]struct {
		fails  inmem.Reaction
		result string
	}{
		"refused":     {inmem.Refuse("550 no such user"), "failed"},
		"no answer":   {func(context.Context, delivery.Envelope) error { return context.DeadlineExceeded }, "unknown"},
		"unavailable": {inmem.Fail(0), "unknown"},
		"cut off":     {func(context.Context, delivery.Envelope) error { return errors.New("connection reset") }, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			x := tryContacts(t, month)
			x.sender.On(inmem.Match{Recipient: "park"}, 0, tt.fails)
			x.at(50*time.Hour, x.sender.Clear)
			x.until(80*time.Hour, nil)
			x.wantTold("tests", "tested kim mail delivered", "tested park phone "+tt.result, "item park phone ACT-1",
				"tests", "tested kim phone delivered", "tests", "tested park phone "+tt.result, "tests", "tested park phone "+tt.result,
				"tests", "tested park phone delivered", "mended park phone ACT-1")
			if got := x.items.opened; len(got) != 1 || got[0].Owner != "choi" || got[0].Group != "noc" || got[0].Title != "phone of park: "+tt.result || got[0].Origin.ID != "park/phone" || got[0].OwnerName != "Choi" {
				t.Errorf("opened %+v", got)
			}
			if d := gocmp.Diff([]string{"ACT-1: it works"}, x.items.notes); d != "" {
				t.Errorf("noted (-want +got):\n%s", d)
			}
		})
	}
}

// Whoever closes the item of what still fails gets another one; without rules in the folder there is none, and an outage of action items
// is made up for by the next test.
func TestHowActionItemsOfContactMethodsFollowEachOther(t *testing.T) {
	for name, tt := range map[string]struct {
		do     func(*trial)
		opened int
		item   string
	}{
		"it is left open":          {func(*trial) {}, 1, "ACT-1"},
		"it is closed":             {func(x *trial) { x.at(12*time.Hour, func() { x.items.over = []string{"ACT-1"} }) }, 2, "ACT-2"},
		"nobody is to mend it":     {func(x *trial) { x.book.unowned = true }, 0, ""},
		"the folder loses it":      {func(x *trial) { x.at(12*time.Hour, func() { x.book.lose("phone") }) }, 1, "gone"},
		"action items do not open": {func(x *trial) { x.items.away = true; x.at(12*time.Hour, func() { x.items.away = false }) }, 1, "ACT-1"},
	} {
		t.Run(name, func(t *testing.T) {
			x := tryContacts(t, month)
			x.sender.On(inmem.Match{Recipient: "park"}, 0, inmem.Refuse("no"))
			tt.do(x)
			x.until(30*time.Hour, nil)
			item := "gone"
			if r := x.handed.Find(reach.Way{To: "park", Method: "phone"}); r != nil {
				item = r.Item
			}
			if len(x.items.opened) != tt.opened || item != tt.item {
				t.Errorf("opened %d, the last one is %q; want %d and %q", len(x.items.opened), item, tt.opened, tt.item)
			}
		})
	}
}

// A contact method that the folder loses while its test page is under way is nobody's to mend.
func TestAFolderThatChangesMidway(t *testing.T) {
	x := tryContacts(t, month)
	x.sender.On(inmem.Match{Recipient: "park"}, 0, func(context.Context, delivery.Envelope) error {
		x.book.lose("phone")
		return &delivery.Unavailable{Detail: "not in the organisation folder"}
	})
	x.until(3*time.Hour, nil)
	x.wantTold("tests", "tested kim mail delivered", "tested park phone unknown")
	if len(x.items.opened) > 0 || x.handed.Find(reach.Way{To: "park", Method: "phone"}) != nil {
		t.Errorf("opened %+v, known %+v", x.items.opened, x.handed.Ways)
	}
}

func TestWhoIsAwayIsTestedLater(t *testing.T) {
	x := tryContacts(t, month)
	x.book.held["park"] = reach.HeldByAbsence
	x.at(5*time.Hour, func() {
		x.book.mu.Lock()
		defer x.book.mu.Unlock()
		x.book.held["park"] = ""
	})
	x.until(8*time.Hour, nil)
	x.wantGot("test kim", "test kim", "test park")
}

// A person may ask for test pages whatever the time of day, and once at a time. Who is away is said, and gets none.
func TestTestPagesThatSomebodyAsksFor(t *testing.T) {
	x := tryContacts(t, 0)
	x.book.held = map[string]string{"kim": reach.HeldByHours, "park": reach.HeldByQuietHours}
	first := x.asks(time.Hour, kim, reach.Ask{})
	second := x.asks(time.Hour+time.Second, park, reach.Ask{})
	only := x.asks(2*time.Hour, park, reach.Ask{Person: "kim", Name: "김민수"})
	x.until(3*time.Hour, nil)
	x.wantTold("tests", "skipped park  quiet-hours", "tested kim mail delivered", "tested kim phone delivered",
		"tests 김민수", "tested kim mail delivered", "tested kim phone delivered")
	if first.rejected != nil || only.rejected != nil || second.rejected == nil || !strings.Contains(second.rejected.Error(), "test pages are under way since 2026-11-23T10:00:00Z, by 김민수") {
		t.Errorf("got %v, %v, %v", first.rejected, second.rejected, only.rejected)
	}
}

// A round of many goes out in lots, and goes on in the next run where its history has grown.
func TestARoundOfManyGoesOnInTheNextRun(t *testing.T) {
	x := tryContacts(t, 0)
	x.book.people = 60
	x.asks(time.Hour, kim, reach.Ask{})
	x.until(time.Hour+10*time.Second, nil)
	if n := len(x.sender.Delivered()); n != 50 || x.handed.Round == nil || x.handed.Round.After == nil || *x.handed.Round.After != (reach.Way{To: "q046", Method: "phone"}) {
		t.Fatalf("%d delivered, hands over %+v", n, x.handed.Round)
	}
	next := tryContacts(t, 0)
	next.book.people = 60
	next.until(time.Hour, x.handed)
	if n := len(next.sender.Delivered()); n != 13 || next.handed.Round != nil || len(next.handed.Ways) != 64 {
		t.Errorf("%d delivered, knows %d ways, hands over %+v", n, len(next.handed.Ways), next.handed.Round)
	}
}

// What workers have seen adds up, only they tell it, and Temporal's cancel ends nothing.
func TestTheLedgerKnowsWhatAllWorkersHaveSeen(t *testing.T) {
	x := tryContacts(t, 0)
	phone := reach.Way{To: "kim", Method: "phone"}
	at := func(after time.Duration, result reach.Result) reach.Try {
		return reach.Try{Way: phone, Result: result, At: start.Add(after)}
	}
	x.at(0, func() { x.tried(at(0, reach.Failed)) }) // before it is proven who has opened the ledger
	x.at(time.Minute, x.env.CancelWorkflow)
	x.at(2*time.Minute, func() { x.tried(at(2*time.Minute, reach.Delivered)) })
	x.at(3*time.Minute, func() { x.tried(at(time.Minute, reach.Failed)) }) // late news of another worker
	stranger := &answer{}
	x.at(4*time.Minute, func() {
		tell(x.rehearsal, stranger, "x", workflows.RecordTriesUpdate, kim, workflows.Tries{Tries: []reach.Try{at(4*time.Minute, reach.Failed)}})
	})
	x.until(5*time.Minute, nil)
	if r := x.handed.Find(phone); r == nil || r.Result != reach.Delivered || !r.Arrived.Equal(start.Add(2*time.Minute)) {
		t.Errorf("got %+v", r)
	}
	if stranger.rejected == nil || !strings.Contains(stranger.rejected.Error(), "want Muster itself") {
		t.Errorf("a person may tell it: %v", stranger.rejected)
	}
	x.wantTold("cancel.refused")
}

func TestTheLedgerOfContactsIsOpenedByMusterAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		by    timeline.Actor
		state *reach.Ledger
		want  string
	}{
		"by a person":   {kim, nil, "want Muster itself"},
		"with a ledger": {timeline.Muster(), &reach.Ledger{}, "from the run before"},
	} {
		x := tryContacts(t, 0)
		x.env.ExecuteWorkflow(workflows.ContactsWorkflow, sealed(x.rehearsal, workflows.ContactsWorkflow, "", tt.by, workflows.ContactsInput{State: tt.state}))
		if err := x.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "open contacts: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}
