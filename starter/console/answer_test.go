package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter"
)

// asking resolves the incident for two customers that are asked whether it is fixed, and returns the link that somebody gets.
func (p *place) asking(who string, change ...func(*link.Link)) string {
	p.t.Helper()
	i := p.incidents[open]
	i.Definition.Customers = append(i.Definition.Customers, incident.Customer{ID: "nuri", Name: "Nuri Trading"})
	for n := range i.Definition.Customers {
		i.Definition.Customers[n].Plan.Confirm = &supportplan.Confirmation{Days: 3}
	}
	p.act(p.t, person("lee", "이서연"), incident.Resolve{Note: "words of the inside"})
	for n := range i.Confirmations {
		i.Confirmations[n].Clock.Due = begin().Add(72 * time.Hour)
	}
	return p.link(who, append([]func(*link.Link){func(l *link.Link) {
		l.Actions = []link.Action{link.Fixed, link.NotFixed}
		l.Content = link.OfResolution(string(open), "Seoul platform", i.Times.Resolved)
	}}, change...)...)
}

func fixed() url.Values { return url.Values{"action": {"fixed"}} }

func notFixed(note string) url.Values { return url.Values{"action": {"not-fixed"}, "reason": {note}} }

// resolvedAgain reopens and resolves it once more, a minute later.
func resolvedAgain(p *place) {
	lee := person("lee", "이서연")
	p.clock = p.clock.Add(time.Minute)
	for id, c := range []incident.Command{incident.Reopen{Reason: "again"}, incident.Resolve{Note: "again"}} {
		if err := p.incidents[open].Do(string(rune('a'+id)), c, lee, p.clock); err != nil {
			p.t.Fatal(err)
		}
	}
}

func closed(p *place) {
	if err := p.incidents[open].Do("close", incident.Close{Note: "said so by telephone"}, person("lee", "이서연"), p.clock); err != nil {
		p.t.Fatal(err)
	}
}

// TestAnswer walks every outcome of a link that asks whether it is fixed.
func TestAnswer(t *testing.T) {
	const who = "nuri/it-manager"
	desk := person("nuri/service-desk", "Nuri Trading service desk")
	for _, tt := range []struct {
		name    string
		arrange func(*place)
		who     string // nuri/it-manager
		change  func(*link.Link)
		form    url.Values
		status  int
		en, ko  string
		answer  incident.FixAnswer // of the customer, afterwards
		after   incident.Status    // resolved
		used    string
		tries   []string
	}{
		{
			name: "fixed", form: fixed(), status: 200, answer: incident.Fixed, used: "fixed",
			en: "You told us at 2026-11-25 Wed 14:05:09 KST that it is fixed. We close it.", ko: "해결되었다고 알려 주셨습니다. 이 건을 종료합니다.",
		},
		{
			name: "fixed, with a remark", form: url.Values{"action": {"fixed"}, "reason": {"thank you"}}, status: 200, answer: incident.Fixed, used: "fixed",
			en: "Thank you", ko: "감사합니다",
		},
		{
			name: "fixed, with too much of a remark", form: url.Values{"action": {"fixed"}, "reason": {strings.Repeat("x", 501)}}, status: 422,
			en: "Write at most 500 characters.", ko: "500자 이내로 적어 주십시오.",
		},
		{
			name: "not fixed", form: notFixed("orders still hang"), status: 200, after: incident.Triggered, used: "not-fixed",
			en: "Our engineers have been called in.", ko: "담당 엔지니어를 호출했습니다.",
		},
		{
			name: "not fixed without a note", form: notFixed(" \r\n"), status: 422,
			en: "Write in short what is not fixed.", ko: "해결되지 않은 점을 짧게 적어 주십시오.",
		},
		{
			name: "answered by a colleague", form: notFixed("x"), status: 409, answer: incident.Fixed,
			arrange: func(p *place) { p.act(t, desk, incident.Answer{Answer: incident.Fixed, Customer: "nuri"}) },
			en:      "Nuri Trading service desk has answered at 2026-11-25 Wed 14:05:09 KST", ko: "Nuri Trading service desk 님이 2026-11-25(수) 14:05:09 KST에",
			tries: []string{"link: answered"},
		},
		{
			name: "answered by the provider for the customer", form: fixed(), status: 409, answer: incident.Fixed,
			arrange: func(p *place) {
				p.act(t, person("lee", "이서연"), incident.Answer{Answer: incident.Fixed, Customer: "nuri"})
			},
			en: "미르넷 매니지드서비스 has answered", ko: "미르넷 매니지드서비스에서", tries: []string{"link: answered"},
		},
		{
			name: "answered by a colleague in the same moment", form: fixed(), status: 409, answer: incident.Fixed,
			arrange: func(p *place) {
				p.racing = func(i *incident.Incident) {
					_ = i.Do("1", incident.Answer{Answer: incident.Fixed, Customer: "nuri"}, desk, begin())
				}
			},
			en: "This was answered already", ko: "이미 답변이 있습니다", tries: []string{"link: answered"},
		},
		{
			name: "another customer has answered", form: fixed(), status: 200, answer: incident.Fixed, used: "fixed",
			arrange: func(p *place) {
				p.act(t, person("garam/it-desk", "x"), incident.Answer{Answer: incident.Fixed, Customer: "garam"})
			},
			en: "Thank you", ko: "감사합니다",
		},
		{
			name: "reopened since", form: fixed(), status: 409, after: incident.Triggered,
			arrange: func(p *place) { p.act(t, person("lee", "이서연"), incident.Reopen{Reason: "words of the inside"}) },
			en:      "미르넷 매니지드서비스 has opened it again at 2026-11-25", ko: "미르넷 매니지드서비스에서 2026-11-25(수) 14:05:09 KST에 다시 열었습니다",
			tries: []string{"link: reopened"},
		},
		{
			name: "reopened and resolved since", form: fixed(), status: 409, arrange: resolvedAgain,
			en: "has changed since the message was sent", ko: "메시지를 보낸 뒤 내용이 바뀌었습니다", tries: []string{"link: changed"},
		},
		{
			name: "closed since", form: notFixed("x"), status: 409, after: incident.Closed, arrange: closed,
			en: "please report it anew and name INC-7K3M9QX2PA", ko: "관리 번호 INC-7K3M9QX2PA", tries: []string{"link: closed"},
		},
		{
			name: "closed in the same moment", form: notFixed("x"), status: 409, after: incident.Closed,
			arrange: func(p *place) {
				p.racing = func(i *incident.Incident) {
					_ = i.Do("1", incident.Close{Note: "x"}, person("lee", "이서연"), begin())
				}
			},
			en: "It is closed", ko: "종료된 건입니다", tries: []string{"link: closed"},
		},
		{
			name: "used for the other answer", form: notFixed("x"), status: 409, used: "fixed",
			arrange: func(p *place) { p.use("page/"+who+"/1", "fixed") },
			en:      "You have told us with it", ko: "이미 사용한 링크입니다", tries: []string{"link: used.fixed"},
		},
		{
			name: "refused by a rule that the page does not know", form: fixed(), status: 409,
			arrange: func(p *place) { p.refuse = &starter.RefusedError{Reason: "not on a Wednesday"} },
			en:      "Your link was not used up.", ko: "링크는 사용되지 않았습니다.", tries: []string{"link: refused"},
		},
		{
			name: "another customer's person", who: "garam/it-desk", form: fixed(), status: 403,
			arrange: func(p *place) { p.incidents[open].Definition.Customers = p.incidents[open].Definition.Customers[1:] },
			en:      "You may not do this", ko: "권한이 없습니다",
			tries: []string{"denied: read incident: want anybody of the provider, or anybody of a customer that it is about, " +
				"or anybody of a partner of its service, or anybody of a vendor of its service"},
		},
		{
			name: "the provider's own person", who: "choi", form: fixed(), status: 403, en: "You may not do this", ko: "권한이 없습니다",
			tries: []string{"denied: acknowledge incident: want a role that allows what the link is for"},
		},
		{
			name: "an action of another link", form: acknowledge(), status: 403, en: "This link does not allow that", ko: "이 링크로는 할 수 없습니다",
			tries: []string{"link: the link does not allow what was asked for"},
		},
		{
			name: "expired", form: fixed(), status: 410, change: func(l *link.Link) { l.Expires = begin() },
			en: "please report it anew", ko: "새로 접수해 주십시오", tries: []string{"link: the link has expired"},
		},
		{
			name: "the person is not in the folder any more", who: "nuri/gone", form: fixed(), status: 403,
			en: "not in the organisation folder", ko: "조직 폴더에 없습니다",
			tries: []string{"denied: the person is not in the organisation folder"},
		},
	} {
		for language, want := range map[string]string{"en": tt.en, "ko": tt.ko} {
			t.Run(tt.name+" "+language, func(t *testing.T) {
				p := newPlace(t)
				holder := who
				if tt.who != "" {
					holder = tt.who
				}
				change := tt.change
				if change == nil {
					change = func(*link.Link) {}
				}
				l := p.asking(holder, change)
				if tt.arrange != nil {
					tt.arrange(p)
				}
				w := p.post(l+"?lang="+language, tt.form)
				body := w.Body.String()
				if w.Code != tt.status || !strings.Contains(body, want) || !strings.Contains(body, `<html lang="`+language+`">`) {
					t.Errorf("got %d, want %d and a page in %s that says %q\n%s", w.Code, tt.status, language, want, body)
				}
				for _, inside := range []string{"Checkout", "HighErrorRate", "이서연", "words of the inside", "가람유통"} {
					if strings.Contains(body, inside) && tt.who == "" {
						t.Errorf("the page says %q", inside)
					}
				}
				i := p.incidents[open]
				var got incident.FixAnswer
				for _, k := range i.Confirmations {
					if k.Clock.Customer == "nuri" {
						got = k.Answer
					}
				}
				if got != tt.answer {
					t.Errorf("answered %q, want %q", got, tt.answer)
				}
				after := tt.after
				if after == "" {
					after = incident.Resolved
				}
				if i.Status != after {
					t.Errorf("the incident is %s, want %s", i.Status, after)
				}
				if used := p.used("page/" + holder + "/1"); used != tt.used {
					t.Errorf("the link was used for %q, want %q", used, tt.used)
				}
				if diff := cmp.Diff(append([]string{}, tt.tries...), p.attempts()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// What the customer has said goes in under its own name, and the page that asks shows what it may see.
func TestTheQuestion(t *testing.T) {
	p := newPlace(t)
	l := p.asking("nuri/it-manager")
	page := p.get(l + "?lang=en").Body.String()
	for _, want := range []string{
		"한소라", "Seoul platform", "INC-7K3M9QX2PA", "2026-11-25 Wed 14:02:09 KST", "2026-11-25 Wed 14:05:09 KST", "2026-11-28 Sat 14:05:09 KST",
		`value="fixed"`, `value="not-fixed"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	p.post(l, notFixed(" orders\r\nhang "))
	want := []starter.Request{{ID: "link/page/nuri/it-manager/1/not-fixed", By: person("nuri/it-manager", "한소라"), Via: "link:page/nuri/it-manager/1"}}
	if diff := cmp.Diff(want, p.calls); diff != "" {
		t.Error(diff)
	}
	e := p.incidents[open].Timeline.Entries
	var said []string
	for _, one := range e {
		if one.Kind == timeline.FixAnswered {
			said = append(said, one.Fact("customer"), one.Fact("answer"), one.Fact("note"))
		}
	}
	if diff := cmp.Diff([]string{"Nuri Trading", "not-fixed", "orders\nhang"}, said); diff != "" {
		t.Error(diff)
	}
}

// After the resolution was looked at anew, the same link answers for it.
func TestAnAnswerToAnotherResolution(t *testing.T) {
	p := newPlace(t)
	l := p.asking("nuri/it-manager")
	resolvedAgain(p)
	now := link.OfResolution(string(open), "Seoul platform", p.incidents[open].Times.Resolved)
	if page := p.get(l).Body.String(); !strings.Contains(page, now) {
		t.Fatalf("the page has no %s\n%s", now, page)
	}
	if w := p.post(l, url.Values{"action": {"fixed"}, "content": {now}}); w.Code != http.StatusOK {
		t.Errorf("got %d, want 200\n%s", w.Code, w.Body)
	}
}

func TestAnAnswerIsGivenOnce(t *testing.T) {
	p := newPlace(t)
	l := p.asking("nuri/it-manager")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if w := p.post(l, fixed()); w.Code != http.StatusOK {
				t.Errorf("got %d, want 200\n%s", w.Code, w.Body)
			}
		})
	}
	wait.Wait()
	if n := p.count(timeline.FixAnswered); n != 1 {
		t.Errorf("answered %d times, want once", n)
	}
	closed(p)
	if w := p.post(l+"?lang=en", fixed()); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Thank you") {
		t.Errorf("after the end: got %d, want 200 and thanks\n%s", w.Code, w.Body)
	}
}

// Somebody who is asked to help takes part by the link although somebody else has taken the incident.
func TestWhoIsSummonedAcknowledges(t *testing.T) {
	p := newPlace(t)
	lee := person("lee", "이서연")
	p.act(t, lee, incident.Acknowledge{})
	l := p.link("kim")
	if w := p.post(l, acknowledge()); w.Code != http.StatusConflict {
		t.Fatalf("who was not asked: got %d, want 409", w.Code)
	}
	if err := p.incidents[open].Do("summon", incident.AddResponder{Person: "kim", Note: "databases"}, lee, begin()); err != nil {
		t.Fatal(err)
	}
	if page := p.get(l).Body.String(); !strings.Contains(page, `value="acknowledge"`) {
		t.Errorf("the page does not offer it\n%s", page)
	}
	if w := p.post(l, acknowledge()); w.Code != http.StatusOK || p.count(timeline.Acknowledged) != 2 || p.incidents[open].Awaits("kim") {
		t.Errorf("got %d, %d acknowledgements, awaited %v", w.Code, p.count(timeline.Acknowledged), p.incidents[open].Awaits("kim"))
	}
}

// A link of a page is none for an answer, and the other way round, whatever its actions say.
func TestALinkOfAnAnswerIsNoOther(t *testing.T) {
	if authority.May(authority.Subject{}, authority.Answer, authority.Object{Kind: authority.Incident}) == nil {
		t.Fatal("nobody may answer")
	}
	p := newPlace(t)
	p.asking("nuri/it-manager")
	if w := p.post(p.link("nuri/it-manager"), fixed()); w.Code != http.StatusForbidden {
		t.Errorf("got %d, want 403", w.Code)
	}
}
