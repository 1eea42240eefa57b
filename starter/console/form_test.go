package console_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/starter"
)

const (
	aKey       = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	anotherKey = "BBBBBBBBBBBBBBBBBBBBBBBBBB"
)

// form is the link of somebody's form. That of "late" is lee's, and has ended.
func (p *place) form(who string, change ...func(*link.Link)) string {
	p.t.Helper()
	l := link.Link{ID: "form/1", Person: who, Actions: []link.Action{link.Report}, Expires: begin().AddDate(0, 0, 90)}
	if who == "late" {
		l.Person, l.Expires = "lee", begin()
	}
	for _, c := range change {
		c(&l)
	}
	token, err := p.ring.Link(l)
	if err != nil {
		p.t.Fatal(err)
	}
	return link.Path + token
}

// written is a form that is filled in, with other values for some of its fields.
func written(other ...string) url.Values {
	f := url.Values{
		"action": {"report"}, "key": {aKey}, "service": {"seoul-platform"}, "title": {"주문이 멈춤"}, "text": {"since noon\r\nin all shops"},
		"occurred": {"2026-11-25T13:30"}, "noticed_by": {"가람유통 매장"}, "customer": {"garam"}, "customers": {"garam", "nuri"},
		"channel": {"phone"}, "receipt": {""}, "received": {"2026-11-25T14:01"},
	}
	for n := 0; n < len(other); n += 2 {
		f[other[n]] = []string{other[n+1]}
	}
	return f
}

// faultyForm has something wrong in every field.
func faultyForm() url.Values {
	return written("service", "garam-shop", "title", "", "text", strings.Repeat("가", 1_001), "occurred", "2026-11-25T14:02:30", "noticed_by", strings.Repeat("x", 67),
		"customer", "nuri", "channel", "pigeon", "receipt", strings.Repeat("7", 101), "received", "25.11.2026")
}

func TestReport(t *testing.T) {
	p := newPlace(t)
	w := p.post(p.form("lee")+"?lang=en", written("receipt", "R-7"))
	if w.Code != http.StatusOK || len(p.opened) != 1 {
		t.Fatalf("got %d, and %d incidents\n%s", w.Code, len(p.opened), w.Body)
	}
	got := p.opened[0]
	if got.request.By != person("lee", "이서연") || got.request.Via != "link:form/1" || !strings.HasPrefix(got.request.ID, "form/"+aKey+"/") {
		t.Errorf("asked for by %+v", got.request)
	}
	want := incident.Notice{
		Receipt: "R-7", Channel: "phone", Customer: "garam", Received: time.Date(2026, 11, 25, 5, 1, 0, 0, time.UTC),
		Occurred: time.Date(2026, 11, 25, 4, 30, 0, 0, time.UTC), NoticedBy: "가람유통 매장", Text: "since noon\nin all shops",
	}
	if diff := cmp.Diff(want, got.notice, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
	i := p.incidents[got.id]
	if i.Definition.Title != "주문이 멈춤" || len(i.Definition.Customers) != 2 {
		t.Errorf("got %q for %v", i.Definition.Title, i.Definition.Customers)
	}
	for _, says := range []string{ // P1: premium within 15 minutes, standard within an hour
		"R-7", "INC-REPORTED0", "P1 critical", "가람유통: an engineer responds by 2026-11-25 Wed 14:16:00 KST", "Nuri Trading: an engineer responds by 2026-11-25 Wed 15:01:00 KST",
	} {
		if !strings.Contains(w.Body.String(), says) {
			t.Errorf("the page does not say %q\n%s", says, w.Body)
		}
	}
}

// Who is affected when nobody says so: the customer that reports, or all.
func TestWhoIsAffected(t *testing.T) {
	for _, tt := range []struct {
		reporter, affected, want string
	}{{"", "", "garam,nuri"}, {"nuri", "", "nuri"}, {"", "garam", "garam"}, {"garam", "garam", "garam"}} {
		p := newPlace(t)
		f := written("customer", tt.reporter)
		delete(f, "customers")
		if tt.affected != "" {
			f["customers"] = []string{tt.affected}
		}
		if w := p.post(p.form("lee"), f); w.Code != http.StatusOK {
			t.Fatalf("%+v: got %d\n%s", tt, w.Code, w.Body)
		}
		var got []string
		for _, c := range p.incidents[p.opened[0].id].Definition.Customers {
			got = append(got, c.ID)
		}
		if strings.Join(got, ",") != tt.want {
			t.Errorf("%+v: affected are %v", tt, got)
		}
	}
}

// What is wrong with a form stands at its fields, and what was typed is kept.
func TestFormFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		form url.Values
		en   string
		at   string // the field
		keep string
	}{
		{"no title", written("title", " "), "Write what happens in one line", "title", "since noon"},
		{"a title of lines", written("title", "a\r\nb"), "Write what happens in one line", "title", "since noon"},
		{"a long title", written("title", strings.Repeat("가", 201)), "at most 200 characters", "title", strings.Repeat("가", 201)},
		{"no text at all", written("title", "\xff"), "Write what happens in one line", "title", "since noon"},
		{"no service", written("service", ""), "Choose one of the services.", "service", "주문이 멈춤"},
		{"a service that is not there", written("service", "nowhere"), "Choose one of the services.", "service", "주문이 멈춤"},
		{"a customer that does not use it", written("service", "garam-shop"), "Not all of them use this service. It has: 가람유통.", "customers", "주문이 멈춤"},
		{"a reporter that is not affected", written("customer", "nuri", "customers", "garam"), "Choose one of the customers that are affected.", "customer", "주문이 멈춤"},
		{"a channel that is not there", written("channel", "pigeon"), "Choose one of the list.", "channel", "주문이 멈춤"},
		{"a time that is none", written("occurred", "yesterday"), "not after the receipt", "occurred", "yesterday"},
		{"begun after the receipt", written("occurred", "2026-11-25T14:02"), "not after the receipt", "occurred", "2026-11-25T14:02"},
		{"received in the future", written("received", "2026-11-25T14:30"), "not in the future", "received", "2026-11-25T14:30"},
		{"received long ago", written("received", "2026-11-18T14:00", "occurred", ""), "of the last 7 days", "received", "2026-11-18T14:00"},
		{"a time without a zone is the organisation's", written("received", "2026-11-25T05:01Z"), "not in the future", "received", "2026-11-25T05:01Z"},
		{"a long receipt", written("receipt", strings.Repeat("가", 34)), "letters and digits", "receipt", "주문이 멈춤"},
		{"a long text", written("text", strings.Repeat("가", 1_001)), "at most 1000 characters", "text", "주문이 멈춤"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			w := p.post(p.form("lee")+"?lang=en", tt.form)
			body := w.Body.String()
			if w.Code != http.StatusUnprocessableEntity || len(p.opened) > 0 {
				t.Errorf("got %d, and %d incidents; want 422 and none", w.Code, len(p.opened))
			}
			fault := regexp.MustCompile(`id="` + tt.at + `-fault" role="alert">([^<]*)`).FindStringSubmatch(body)
			if fault == nil || !strings.Contains(fault[1], tt.en) || !strings.Contains(body, tt.keep) || strings.Count(body, "-fault\" role") != 1 {
				t.Errorf("at %s: got %q, want %q, and %q kept\n%s", tt.at, fault, tt.en, tt.keep, body)
			}
			if !strings.Contains(body, `name="key" value="`+aKey+`"`) || !strings.Contains(body, "Nothing was reported yet.") {
				t.Error("want the same key, and that nothing was reported")
			}
		})
	}
}

// Whatever is sent twice is one incident: by a double click, by a reload, or in the same moment.
func TestAFormSentTwiceIsOneIncident(t *testing.T) {
	p := newPlace(t)
	l := p.form("lee")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if w := p.post(l, written()); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "INC-REPORTED0") {
				t.Errorf("got %d\n%s", w.Code, w.Body)
			}
		})
	}
	wait.Wait()
	if len(p.opened) != 1 {
		t.Fatalf("got %d incidents, want one", len(p.opened))
	}
	for name, another := range map[string]struct {
		who  string
		form url.Values
	}{
		"a new form": {"lee", written("key", anotherKey)}, "other words": {"lee", written("title", "x")}, "another person": {"choi", written()},
	} {
		before := len(p.opened)
		if w := p.post(p.form(another.who), another.form); w.Code != http.StatusOK || len(p.opened) != before+1 {
			t.Errorf("%s: got %d and %d incidents more, want one", name, w.Code, len(p.opened)-before)
		}
	}
}

func TestAReceiptThatIsKnown(t *testing.T) {
	p := newPlace(t)
	l := p.form("lee") + "?lang=en"
	p.post(l, written("receipt", "R-7"))
	w := p.post(l, written("receipt", " R-7 ", "key", anotherKey))
	if w.Code != http.StatusConflict || len(p.opened) != 1 || !strings.Contains(w.Body.String(), "under this number already") {
		t.Errorf("got %d and %d incidents, want 409 and one\n%s", w.Code, len(p.opened), w.Body)
	}
	if w := p.post(l, written("receipt", "R-7", "key", anotherKey, "customer", "nuri")); w.Code != http.StatusOK {
		t.Errorf("another customer's number: got %d, want 200\n%s", w.Code, w.Body)
	}
}

// A customer reports for itself, and sees and chooses nothing else.
func TestACustomersForm(t *testing.T) {
	p := newPlace(t)
	page := p.get(p.form("garam/it-desk")).Body.String()
	for _, not := range []string{"nuri", "Nuri", "unassigned", `name="customers"`, `name="customer"`, `name="channel"`, `name="receipt"`, `name="received"`} {
		if strings.Contains(page, not) {
			t.Errorf("the form has %q", not)
		}
	}
	for _, want := range []string{`value="garam-shop"`, `value="seoul-platform"`, "가람유통 IT 운영팀"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form has no %q", want)
		}
	}
	for _, other := range []string{"nuri-erp", "unassigned", "nowhere"} {
		w := p.post(p.form("garam/it-desk"), written("service", other))
		if w.Code != http.StatusUnprocessableEntity || len(p.opened) > 0 || !strings.Contains(w.Body.String(), "목록에서 서비스를 선택해 주십시오.") {
			t.Errorf("%s: got %d, and %d incidents\n%s", other, w.Code, len(p.opened), w.Body)
		}
	}
	// What only the staff fills in is not read: the receipt is now, of garam alone.
	w := p.post(p.form("garam/it-desk"), written("customer", "nuri", "receipt", "R-7", "received", "2026-11-24T14:01", "channel", "phone"))
	if w.Code != http.StatusOK || len(p.opened) != 1 {
		t.Fatalf("got %d, and %d incidents\n%s", w.Code, len(p.opened), w.Body)
	}
	n := p.opened[0].notice
	if n.Customer != "garam" || n.Receipt != "" || n.Channel != "" || !n.Received.Equal(begin()) {
		t.Errorf("got %+v", n)
	}
	said := regexp.MustCompile(`href="[^"]*"`).ReplaceAllString(w.Body.String(), "") // what links are signed with may be any letters
	for _, not := range []string{"Nuri", "P1", "pill"} {
		if strings.Contains(said, not) {
			t.Errorf("the answer says %q\n%s", not, said)
		}
	}
	if c := p.incidents[p.opened[0].id].Definition.Customers; len(c) != 1 || c[0].ID != "garam" {
		t.Errorf("affected are %v", c)
	}
}

func TestWhoseFormItIs(t *testing.T) {
	for _, tt := range []struct {
		name, who string
		change    func(*link.Link)
		without   string
		status    int
		says      string
		tries     []string
	}{
		{name: "the front line", who: "park", status: 200},
		{name: "a partner's responder", who: "yoon", status: 200},
		{name: "an auditor", who: "jung", status: 403, says: "You may not do this", tries: []string{"denied: open incident: want administrator or responder or member of the provider, " +
			"or anybody of a customer that it is about, or responder of a partner of its service"}},
		{name: "somebody who has gone", who: "kim", without: "kim", status: 403, says: "This link is for nobody any more", tries: []string{"denied: the person is not in the organisation folder"}},
		{name: "an old form", who: "late", status: 410, says: "This form has expired", tries: []string{"link: the link has expired"}},
		{
			name: "a form that has an incident", who: "lee", change: func(l *link.Link) { l.Incident = string(open) }, status: 403, says: "You may not do this",
			tries: []string{"denied: acknowledge incident: want a role that allows what the link is for"},
		},
		{
			name: "a form that acknowledges, too", who: "lee", change: only(link.Report, link.Acknowledge), status: 404, says: "This link is not valid",
			tries: []string{"link: there is no such incident"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				p := newPlace(t)
				if tt.without != "" {
					p.org = organisation(t, tt.without)
				}
				change := tt.change
				if change == nil {
					change = func(*link.Link) {}
				}
				form := ""
				if method == http.MethodPost {
					form = written("customers", "garam").Encode()
				}
				w := p.ask(method, p.form(tt.who, change)+"?lang=en", form)
				if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || (len(p.opened) == 1) != (method == http.MethodPost && tt.status == 200) {
					t.Errorf("%s: got %d and %d incidents, want %d\n%s", method, w.Code, len(p.opened), tt.status, w.Body)
				}
				if diff := cmp.Diff(append([]string{}, tt.tries...), p.attempts()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// A partner reports of the services on which it works.
func TestAPartnersForm(t *testing.T) {
	p := newPlace(t)
	page := p.get(p.form("yoon")).Body.String()
	if !strings.Contains(page, "seoul-platform") || strings.Contains(page, "garam-shop") {
		t.Errorf("want the platform alone\n%s", page)
	}
	if w := p.post(p.form("yoon"), written("service", "garam-shop", "customers", "garam")); w.Code != http.StatusUnprocessableEntity || len(p.opened) > 0 {
		t.Errorf("got %d, and %d incidents", w.Code, len(p.opened))
	}
}

func TestAFormTakesNoOtherAction(t *testing.T) {
	p := newPlace(t)
	for _, action := range []string{"acknowledge", "fixed", "", "Report"} {
		if w := p.post(p.form("lee"), written("action", action)); w.Code != http.StatusForbidden {
			t.Errorf("%q: got %d, want 403", action, w.Code)
		}
	}
	if w := p.post(p.link("lee"), written()); w.Code != http.StatusForbidden {
		t.Errorf("by the link of a page: got %d, want 403", w.Code)
	}
	for _, key := range []string{"", "short", strings.ToLower(aKey), aKey + "A"} {
		if w := p.post(p.form("lee"), written("key", key)); w.Code != http.StatusBadRequest {
			t.Errorf("key %q: got %d, want 400", key, w.Code)
		}
	}
	if w := p.post(p.form("lee"), written(), "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: got %d, want 403", w.Code)
	}
	if w := p.post(p.form("lee"), written("text", strings.Repeat("x", 17<<10))); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: got %d, want 413", w.Code)
	}
	if len(p.opened) > 0 {
		t.Errorf("got %d incidents, want none", len(p.opened))
	}
}

// Opening a form changes nothing, each has a key of its own, and the link is good for more than one.
func TestAFormIsOpenedAgainAndAgain(t *testing.T) {
	p := newPlace(t)
	l := p.form("lee")
	keys := map[string]bool{}
	for range 3 {
		w := p.get(l)
		key := regexp.MustCompile(`name="key" value="([A-Z2-7]{26})"`).FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || key == nil || keys[key[1]] || !strings.Contains(w.Body.String(), `value="2026-11-25T14:05"`) {
			t.Fatalf("got %d, key %v\n%s", w.Code, key, w.Body)
		}
		keys[key[1]] = true
		if w := p.post(l, written("key", key[1])); w.Code != http.StatusOK {
			t.Errorf("got %d, want 200", w.Code)
		}
	}
	if len(p.opened) != 3 || p.used("form/1") != "" || len(p.attempts()) > 0 {
		t.Errorf("got %d incidents, the link used for %q, refused %v", len(p.opened), p.used("form/1"), p.attempts())
	}
}

// What was typed is not lost while the engine does not answer.
func TestTheEngineIsAwayForAForm(t *testing.T) {
	p := newPlace(t)
	p.away = &starter.UnavailableError{Cause: errors.New("no route")}
	l := p.form("lee") + "?lang=en"
	w := p.post(l, written())
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "주문이 멈춤") || !strings.Contains(w.Body.String(), aKey) ||
		!strings.Contains(w.Body.String(), "Muster does not answer at the moment.") {
		t.Errorf("got %d\n%s", w.Code, w.Body)
	}
	if strings.Contains(p.log.String(), strings.TrimPrefix(p.form("lee"), link.Path)) {
		t.Error("the log holds the link")
	}
	p.away = nil
	if w := p.post(l, written()); w.Code != http.StatusOK || len(p.opened) != 1 {
		t.Errorf("when it is back: got %d and %d incidents", w.Code, len(p.opened))
	}
}

// FuzzForm asks that whatever is sent opens an incident that stands by the rules, or says what is wrong.
func FuzzForm(f *testing.F) {
	p := newPlace(f)
	for _, form := range []url.Values{written(), faultyForm(), {"action": {"report"}, "key": {aKey}}} {
		text, err := json.Marshal(form)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	links := []string{p.form("lee"), p.form("garam/it-desk"), p.form("yoon")}
	f.Fuzz(func(t *testing.T, text string) {
		var form url.Values
		if json.Unmarshal([]byte(text), &form) != nil {
			return
		}
		for _, l := range links {
			before := len(p.opened)
			w := p.post(l, form)
			if more := len(p.opened) - before; w.Code >= 500 || w.Code != http.StatusOK && more > 0 { // what was sent before opens none
				t.Errorf("got %d and %d incidents", w.Code, more)
			}
		}
	})
}
