package console_test

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// TestLink walks every outcome of a link: what the page says in both languages, and what has happened then.
func TestLink(t *testing.T) {
	lee := person("lee", "이서연")
	for _, tt := range []struct {
		name    string
		arrange func(*place)
		who     string // kim
		change  func(*link.Link)
		form    url.Values
		status  int
		en, ko  string
		acks    int    // entries of the timeline afterwards
		climbs  int    // escalations of people
		used    string // the link, afterwards
		tries   []string
	}{
		{
			name: "acknowledged", form: acknowledge(), status: 200, acks: 1, used: "acknowledge",
			en: "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "escalated", form: escalate(" no database access\r\n"), status: 200, climbs: 1, used: "escalate",
			en: "You have escalated it", ko: "에스컬레이션하셨습니다",
		},
		{
			name: "escalated without a reason", form: escalate(" \r\n "), status: 422,
			en: "Write a short reason.", ko: "이유를 짧게 적어 주십시오.",
		},
		{
			name: "a reason of 500 characters", form: escalate(strings.Repeat("가", 500)), status: 200, climbs: 1, used: "escalate",
			en: "You have escalated it", ko: "에스컬레이션하셨습니다",
		},
		{
			name: "a reason of 501 characters", form: escalate(strings.Repeat("가", 501)), status: 422,
			en: "Write at most 500 characters.", ko: "500자 이내로 적어 주십시오.",
		},
		{
			name: "a reason that is no text", form: escalate("\xff"), status: 422,
			en: "Write at most 500 characters.", ko: "500자 이내로 적어 주십시오.",
		},
		{
			name: "done before by the same person elsewhere", form: acknowledge(), status: 200, acks: 1,
			arrange: func(p *place) { p.act(t, person("kim", "김민수"), incident.Acknowledge{}) },
			en:      "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "taken by somebody else", form: acknowledge(), status: 409, acks: 1,
			arrange: func(p *place) { p.act(t, lee, incident.Acknowledge{}) },
			en:      "이서연 has acknowledged at 2026-11-25 Wed 14:05:09 KST", ko: "이서연 님이 2026-11-25(수) 14:05:09 KST에 확인(ACK)했습니다",
			tries: []string{"link: taken"},
		},
		{
			name: "escalated although somebody else has taken it", form: escalate("is lee asleep?"), status: 200, acks: 1, climbs: 1, used: "escalate",
			arrange: func(p *place) { p.act(t, lee, incident.Acknowledge{}) },
			en:      "You have escalated it", ko: "에스컬레이션하셨습니다",
		},
		{
			name: "acknowledged when paging goes on although somebody has taken it", form: acknowledge(), status: 200, acks: 2, climbs: 1, used: "acknowledge",
			arrange: func(p *place) {
				p.act(t, lee, incident.Acknowledge{})
				p.act(t, person("choi", "최은영"), incident.Escalate{Reason: "help"})
			},
			en: "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "resolved meanwhile", form: acknowledge(), status: 409,
			arrange: func(p *place) { p.act(t, lee, incident.Resolve{Note: "restarted"}) },
			en:      "Since 2026-11-25 Wed 14:05:09 KST, by 이서연", ko: "처리: 이서연 님, 2026-11-25(수) 14:05:09 KST.",
			tries: []string{"link: over"},
		},
		{
			name: "resolved in the same moment", form: acknowledge(), status: 409,
			arrange: func(p *place) {
				p.racing = func(i *incident.Incident) { _ = i.Do("1", incident.Resolve{Note: "x"}, lee, begin()) }
			},
			en: "It is over: resolved", ko: "이미 끝났습니다: 해결", tries: []string{"link: over"},
		},
		{
			name: "closed in the same moment", form: escalate("help"), status: 409,
			arrange: func(p *place) {
				p.racing = func(i *incident.Incident) {
					_ = i.Do("1", incident.Resolve{Note: "x"}, lee, begin())
					_ = i.Do("2", incident.Close{}, lee, begin())
				}
			},
			en: "It is over: closed", ko: "이미 끝났습니다: 종료", tries: []string{"link: over"},
		},
		{
			name: "refused by a rule that the page does not know", form: acknowledge(), status: 409,
			arrange: func(p *place) { p.refuse = &starter.RefusedError{Reason: "not on a Wednesday"} },
			en:      "Your link was not used up.", ko: "링크는 사용되지 않았습니다.", tries: []string{"link: refused"},
		},
		{
			name: "used for another action", form: escalate("help"), status: 409, used: "acknowledge",
			arrange: func(p *place) { p.use("page/kim/1", "acknowledge") },
			en:      "You have acknowledged with it at 2026-11-25 Wed 14:05:09 KST", ko: "2026-11-25(수) 14:05:09 KST에 확인(ACK)하셨습니다",
			tries: []string{"link: used.acknowledge"},
		},
		{
			name: "used for another action, the other way round", form: acknowledge(), status: 409, used: "escalate",
			arrange: func(p *place) { p.use("page/kim/1", "escalate") },
			en:      "You have escalated with it", ko: "에스컬레이션하셨습니다", tries: []string{"link: used.escalate"},
		},
		{
			name: "claimed, and not done when a process ended", form: acknowledge(), status: 200, acks: 1, used: "acknowledge",
			arrange: func(p *place) { p.use("page/kim/1", "acknowledge") },
			en:      "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "claimed, not done, and over meanwhile", form: acknowledge(), status: 409, used: "acknowledge",
			arrange: func(p *place) {
				p.use("page/kim/1", "acknowledge")
				p.act(t, lee, incident.Resolve{Note: "restarted"})
			},
			en: "It is over: resolved", ko: "이미 끝났습니다: 해결", tries: []string{"link: over"},
		},
		{
			name: "expired", form: acknowledge(), status: 410, change: func(l *link.Link) { l.Expires = begin() },
			en: "It was good until 2026-11-25 Wed 14:05:09 KST", ko: "2026-11-25(수) 14:05:09 KST까지 쓸 수 있었습니다",
			tries: []string{"link: the link has expired"},
		},
		{
			name: "the content has changed", form: acknowledge(), status: 409, change: func(l *link.Link) { l.Content = link.Hash("other") },
			en: "This has changed since the message was sent.", ko: "메시지를 보낸 뒤 내용이 바뀌었습니다.", tries: []string{"link: changed"},
		},
		{
			name: "the content has changed, and was looked at again", status: 200, acks: 1, used: "acknowledge",
			form:   url.Values{"action": {"acknowledge"}, "content": {link.OfIncident(string(open), title, "Seoul platform")}},
			change: func(l *link.Link) { l.Content = link.Hash("other") },
			en:     "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "the content has changed once more", form: url.Values{"action": {"acknowledge"}, "content": {link.Hash("another")}}, status: 409,
			change: func(l *link.Link) { l.Content = link.Hash("other") },
			en:     "This has changed since the message was sent.", ko: "메시지를 보낸 뒤 내용이 바뀌었습니다.", tries: []string{"link: changed"},
		},
		{
			name: "the content has changed, and somebody else has taken it", form: acknowledge(), status: 409, acks: 1,
			arrange: func(p *place) { p.act(t, lee, incident.Acknowledge{}) }, change: func(l *link.Link) { l.Content = "other" },
			en: "Somebody else has acknowledged it", ko: "다른 담당자가 이미 확인(ACK)했습니다", tries: []string{"link: taken"},
		},
		{
			name: "an action that the link does not allow", form: acknowledge(), status: 403, change: only(link.Escalate),
			en: "This link does not allow that", ko: "이 링크로는 할 수 없습니다", tries: []string{"link: the link does not allow what was asked for"},
		},
		{
			name: "an action that there is not", form: url.Values{"action": {"close"}}, status: 403,
			en: "This link does not allow that", ko: "이 링크로는 할 수 없습니다", tries: []string{"link: the link does not allow what was asked for"},
		},
		{
			name: "no action", form: url.Values{"x": {""}}, status: 403,
			en: "This link does not allow that", ko: "이 링크로는 할 수 없습니다", tries: []string{"link: the link does not allow what was asked for"},
		},
		{
			name: "a link of a newer Muster", form: url.Values{"action": {"resolve"}}, status: 403, change: only("resolve"),
			en: "You may not do this", ko: "권한이 없습니다", tries: []string{"denied: acknowledge incident: want a role that allows what the link is for"},
		},
		{
			name: "the person is not in the folder any more", form: acknowledge(), status: 403, arrange: func(p *place) { p.org = organisation(t, "kim") },
			en: "not in the organisation folder", ko: "조직 폴더에 없습니다", tries: []string{"denied: the person is not in the organisation folder"},
		},
		{
			name: "the person may not any more", who: "park", form: acknowledge(), status: 403,
			en: "You may not do this", ko: "권한이 없습니다", tries: []string{"denied: acknowledge incident: want a role that allows what the link is for"},
		},
		{
			name: "a customer's responder may escalate", who: "garam/it-desk", form: escalate("shops are down"), status: 200, climbs: 1, used: "escalate",
			en: "You have escalated it", ko: "에스컬레이션하셨습니다",
		},
		{
			name: "a customer's responder may not acknowledge", who: "garam/it-desk", form: acknowledge(), status: 403,
			en: "You may not do this", ko: "권한이 없습니다",
			tries: []string{"denied: acknowledge incident: want administrator or responder of the provider, or responder of a partner of its service"},
		},
		{
			name: "another customer reads nothing", who: "nuri/it-manager", form: escalate("x"), status: 403,
			en: "You may not do this", ko: "권한이 없습니다",
			tries: []string{"denied: read incident: want anybody of the provider, or anybody of a customer that it is about, " +
				"or anybody of a partner of its service, or anybody of a vendor of its service"},
		},
		{
			name: "a partner's responder", who: "yoon", form: acknowledge(), status: 200, acks: 1, used: "acknowledge",
			en: "You have acknowledged it", ko: "확인(ACK)하셨습니다",
		},
		{
			name: "an incident that is not there any more", form: acknowledge(), status: 404, change: func(l *link.Link) { l.Incident = "INC-0000000000" },
			en: "This link is not valid", ko: "올바르지 않은 링크입니다", tries: []string{"link: there is no such incident"},
		},
	} {
		for language, want := range map[string]string{"en": tt.en, "ko": tt.ko} {
			t.Run(tt.name+" "+language, func(t *testing.T) {
				p := newPlace(t)
				if tt.arrange != nil {
					tt.arrange(p)
				}
				who := "kim"
				if tt.who != "" {
					who = tt.who
				}
				change := tt.change
				if change == nil {
					change = func(*link.Link) {}
				}
				w := p.post(p.link(who, change)+"?lang="+language, tt.form)
				if w.Code != tt.status {
					t.Errorf("got status %d, want %d", w.Code, tt.status)
				}
				if !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `<html lang="`+language+`">`) {
					t.Errorf("want a page in %s that says %q, got\n%s", language, want, w.Body)
				}
				if got := p.count(timeline.Acknowledged); got != tt.acks {
					t.Errorf("acknowledged %d times, want %d", got, tt.acks)
				}
				if got := p.count(timeline.Escalated); got != tt.climbs {
					t.Errorf("escalated %d times, want %d", got, tt.climbs)
				}
				if got := p.used("page/" + who + "/1"); got != tt.used {
					t.Errorf("the link was used for %q, want %q", got, tt.used)
				}
				if diff := cmp.Diff(append([]string{}, tt.tries...), p.attempts()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// use claims a link beside the pages.
func (p *place) use(id, action string) {
	p.t.Helper()
	_, _, err := p.store.UseLink(p.t.Context(), store.Use{Link: id, Person: "kim", Action: action, Expires: begin().Add(time.Hour)})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestWhoActsIsThePersonOfTheLink(t *testing.T) {
	p := newPlace(t)
	p.post(p.link("kim"), acknowledge())
	p.incidents[open].Escalation.Resume(begin())
	p.post(p.link("yoon"), escalate("x"))
	want := []starter.Request{
		{ID: "link/page/kim/1/acknowledge", By: person("kim", "김민수"), Via: "link:page/kim/1"},
		{ID: "link/page/yoon/1/escalate", By: person("yoon", "윤서준"), Via: "link:page/yoon/1"},
	}
	if diff := cmp.Diff(want, p.calls); diff != "" {
		t.Error(diff)
	}
}

// Programs that read mail open links: nothing comes of it, however often.
func TestOpeningALinkChangesNothing(t *testing.T) {
	p := newPlace(t)
	before := snapshot(p.incidents[open])
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		if w := p.ask(method, p.link("kim")+"?action=acknowledge", ""); w.Code != http.StatusOK {
			t.Errorf("%s: got %d, want 200", method, w.Code)
		}
	}
	if diff := cmp.Diff(before.Timeline, p.incidents[open].Timeline); diff != "" || len(p.calls) > 0 {
		t.Errorf("%d commands, and the timeline has changed: %s", len(p.calls), diff)
	}
	if got := p.used("page/kim/1"); got != "" || len(p.attempts()) > 0 {
		t.Errorf("the link was used for %q, and refused: %q", got, p.attempts())
	}
}

// What an opened link shows and offers.
func TestOpenLink(t *testing.T) {
	const ack, climb = `value="acknowledge"`, `value="escalate"`
	for _, tt := range []struct {
		name    string
		arrange func(*place)
		who     string
		change  func(*link.Link)
		status  int
		says    []string
		not     []string
	}{
		{
			name: "both actions", who: "kim", status: 200,
			says: []string{
				"김민수 님께", "INC-7K3M9QX2PA", "Checkout answers 500 &lt;script&gt;", "Seoul platform", "P2 긴급", "발생",
				"2026-11-25(수) 14:02:09 KST", "아직 없음", ack, climb,
			},
			not: []string{"<script"},
		},
		{name: "a reader of English", who: "kim", change: only(link.Acknowledge), status: 200, says: []string{ack}, not: []string{climb}},
		{name: "escalation only", who: "kim", change: only(link.Escalate), status: 200, says: []string{climb}, not: []string{ack}},
		{
			name: "one's own people read what they need first", who: "kim", status: 200,
			says: []string{"먼저 알아 둘 것", "런북 (HighErrorRate)", "https://wiki.mirnet.example/platform", "90일이 지나 다시 확인 필요"},
		},
		{
			name: "a customer is not offered what it may not", who: "garam/it-desk", status: 200,
			says: []string{"가람유통 IT 운영팀 님께", climb}, not: []string{ack, "먼저 알아 둘 것", "mirnet.example/"},
		},
		{
			name: "a partner's responder works on it without what is for the house", who: "yoon", status: 200,
			says: []string{ack}, not: []string{"먼저 알아 둘 것", "wiki.mirnet.example"},
		},
		{
			name: "a customer learns no name", who: "garam/it-desk", status: 200,
			arrange: func(p *place) { p.act(t, person("lee", "이서연"), incident.Acknowledge{}) },
			says:    []string{"미르넷 매니지드서비스에서 2026-11-25(수) 14:05:09 KST에 확인(ACK)했습니다", climb}, not: []string{"이서연", ack},
		},
		{
			name: "a partner's responder learns names", who: "yoon", status: 200,
			arrange: func(p *place) { p.act(t, person("lee", "이서연"), incident.Acknowledge{}) },
			says:    []string{"이서연 님이"}, not: []string{ack},
		},
		{
			name: "taken by oneself", who: "kim", status: 200,
			arrange: func(p *place) { p.act(t, person("kim", "김민수"), incident.Acknowledge{}) },
			says:    []string{"확인(ACK)하셨습니다", climb}, not: []string{ack},
		},
		{
			name: "taken, and paging goes on", who: "kim", status: 200,
			arrange: func(p *place) {
				p.act(t, person("lee", "이서연"), incident.Acknowledge{})
				p.act(t, person("choi", "최은영"), incident.Escalate{Reason: "help"})
			},
			says: []string{"이서연 님", "호출이 계속되고 있습니다", ack, climb},
		},
		{
			name: "the timeline does not go back to the acknowledgement", who: "kim", status: 200,
			arrange: func(p *place) {
				p.act(t, person("lee", "이서연"), incident.Acknowledge{})
				p.incidents[open].Timeline.Trim(0, 0)
			},
			says: []string{"이서연 님이 확인(ACK)했습니다"}, not: []string{ack},
		},
		{
			name: "over by itself", who: "kim", status: 200,
			arrange: func(p *place) {
				p.act(t, person("lee", "이서연"), incident.Resolve{Note: "x"})
				e := p.incidents[open].Timeline.Entries
				e[len(e)-1].Actor = timeline.Muster()
				p.incidents[open].Timeline.Add(begin(), timeline.StatusChanged, timeline.Muster())
			},
			says: []string{"처리: Muster, 2026-11-25"}, not: []string{ack, climb},
		},
		{
			name: "used", who: "kim", status: 200, arrange: func(p *place) { p.use("page/kim/1", "escalate") },
			says: []string{"에스컬레이션하셨습니다"}, not: []string{ack, climb},
		},
		{
			name: "used, and paging has begun again", who: "kim", status: 200,
			arrange: func(p *place) {
				p.post(p.link("kim"), acknowledge())
				p.incidents[open].Escalation.Resume(begin())
			},
			says: []string{"확인(ACK)하셨습니다", "그 뒤 호출이 다시 시작되었습니다"}, not: []string{ack, climb},
		},
		{
			name: "changed since it was sent", who: "kim", status: 200, change: func(l *link.Link) { l.Content = "other" },
			says: []string{"메시지를 보낸 뒤 내용이 바뀌었습니다", ack, link.OfIncident(string(open), title, "Seoul platform")},
		},
		{name: "may not", who: "park", status: 403, says: []string{"You may not do this"}, not: []string{"INC-"}},
		{name: "another customer", who: "nuri/it-manager", status: 403, says: []string{"권한이 없습니다"}, not: []string{"INC-"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			if tt.arrange != nil {
				tt.arrange(p)
			}
			change := tt.change
			if change == nil {
				change = func(*link.Link) {}
			}
			w := p.get(p.link(tt.who, change))
			if w.Code != tt.status {
				t.Errorf("got status %d, want %d", w.Code, tt.status)
			}
			for _, want := range tt.says {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			for _, no := range tt.not {
				if strings.Contains(w.Body.String(), no) {
					t.Errorf("the page says %q", no)
				}
			}
			if t.Failed() {
				t.Log(w.Body)
			}
		})
	}
}

// The link of a page works for whoever was paged, and for nobody who is not involved.
func TestTheLinkOfASecurityIncident(t *testing.T) {
	for _, tt := range []struct {
		involved []string
		status   int
		says     string
	}{
		{[]string{"lee", "kim"}, 200, `<span class="pill">Security incident</span>`},
		{[]string{"lee"}, 403, ""},
	} {
		p := newPlace(t)
		p.incidents[open].Definition.Kind, p.incidents[open].Involved = incident.SecurityIncident, tt.involved
		l := p.link("kim")
		shown, done := p.get(l+"?lang=en"), p.post(l, acknowledge())
		if shown.Code != tt.status || done.Code != tt.status || !strings.Contains(shown.Body.String(), tt.says) {
			t.Errorf("involved %v: got %d and %d, want %d\n%s", tt.involved, shown.Code, done.Code, tt.status, shown.Body)
		}
		if says := strings.Contains(shown.Body.String(), html.EscapeString(title)); says != (tt.status == 200) {
			t.Errorf("involved %v: the page has the title: %t", tt.involved, says)
		}
	}
}

// Whatever is wrong with a token, the page is the same.
func TestATokenThatIsNoneTellsNothing(t *testing.T) {
	p := newPlace(t)
	good := strings.TrimPrefix(p.link("kim"), link.Path)
	other := strings.TrimPrefix(newPlace(t).link("kim"), link.Path) // of another installation
	parts := strings.Split(good, ".")
	var pages []string
	for _, token := range []string{
		"qqq", "q.q.q", other, good + "A", good[:len(good)-1], parts[0] + ".A" + parts[1], "key-0." + parts[1],
		strings.Repeat("a", 5_000),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := p.ask(method, link.Path+url.PathEscape(token), "action=acknowledge", "Accept-Language", "en")
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %.20s…: got %d, want 404", method, token, w.Code)
			}
			pages = append(pages, strings.ReplaceAll(w.Body.String(), url.PathEscape(token), "TOKEN"))
		}
	}
	slices.Sort(pages)
	if got := slices.Compact(pages); len(got) != 2 { // one that was opened, with other languages, and one that was posted
		t.Errorf("got %d pages, want one for each method", len(got))
	}
	if len(p.calls) > 0 {
		t.Errorf("got %d commands, want none", len(p.calls))
	}
	for _, a := range p.attempts() {
		if !strings.HasPrefix(a, "link: link: ") {
			t.Errorf("attempt %q, want the reason of the link", a)
		}
	}
}

func TestALinkIsUsedOnce(t *testing.T) {
	p := newPlace(t)
	l := p.link("kim")
	first := p.post(l, acknowledge())
	p.clock = p.clock.Add(time.Minute)
	again := p.post(l, acknowledge())
	if first.Code != 200 || again.Code != 200 || first.Body.String() != again.Body.String() {
		t.Errorf("got %d and %d, want 200 and the same words\n%s\n%s", first.Code, again.Code, first.Body, again.Body)
	}
	if n := p.count(timeline.Acknowledged); n != 1 {
		t.Errorf("acknowledged %d times, want once", n)
	}
	if w := p.post(l, escalate("x")); w.Code != http.StatusConflict {
		t.Errorf("another action: got %d, want 409", w.Code)
	}
	// The incident goes on without the link, and ends. What was decided stays decided.
	p.act(t, person("lee", "이서연"), incident.Resolve{Note: "x"})
	if err := p.incidents[open].Do("close", incident.Close{}, person("lee", "이서연"), p.clock); err != nil {
		t.Fatal(err)
	}
	if w := p.post(l, acknowledge()); w.Code != http.StatusOK {
		t.Errorf("after the end: got %d, want 200", w.Code)
	}
}

// Who has claimed the link gives it back, while whoever came second takes its decision.
func TestALinkIsUsedWhoeverGivesItBack(t *testing.T) {
	p := newPlace(t)
	p.use("page/kim/1", "acknowledge")
	p.after = func() {
		if err := p.store.ReleaseLink(t.Context(), "page/kim/1"); err != nil {
			t.Error(err)
		}
	}
	w := p.post(p.link("kim"), acknowledge())
	if used := p.used("page/kim/1"); w.Code != http.StatusOK || used != "acknowledge" {
		t.Errorf("got %d, and the link used for %q; want 200 and acknowledge", w.Code, used)
	}
}

func TestConcurrentPostsOfOneLink(t *testing.T) {
	p := newPlace(t)
	l := p.link("kim")
	const each = 8
	var mu sync.Mutex
	got := map[int]int{}
	var wait sync.WaitGroup
	for n := range 2 * each {
		form := acknowledge()
		if n%2 == 1 {
			form = escalate("help")
		}
		wait.Go(func() {
			w := p.post(l, form)
			mu.Lock()
			got[w.Code]++
			mu.Unlock()
		})
	}
	wait.Wait()
	if acks, climbs := p.count(timeline.Acknowledged), p.count(timeline.Escalated); acks+climbs != 1 {
		t.Errorf("acknowledged %d and escalated %d times, want one of both", acks, climbs)
	}
	if got[http.StatusOK] != each || got[http.StatusConflict] != each {
		t.Errorf("got answers %v, want %d of 200 and %d of 409", got, each, each)
	}
}

func TestEngineAway(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		retry string
	}{
		"does not answer": {&starter.UnavailableError{Cause: errors.New("no route")}, "5"},
		"too slow":        {context.DeadlineExceeded, "5"},
		"cannot go on":    {&starter.StuckError{What: "incident"}, "60"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			l := p.link("kim")
			check := func(method string) {
				t.Helper()
				w := p.ask(method, l, acknowledge().Encode())
				if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != tt.retry {
					t.Errorf("%s: got %d, Retry-After %q; want 503 and %s", method, w.Code, w.Header().Get("Retry-After"), tt.retry)
				}
				if !strings.Contains(w.Body.String(), "지금 Muster가 응답하지 않습니다") || !strings.Contains(w.Body.String(), `href="`+l+`"`) {
					t.Errorf("want a page in the person's language that leads back, got\n%s", w.Body)
				}
				if used := p.used("page/kim/1"); used != "" {
					t.Errorf("%s: the link was used for %q, want it given back", method, used)
				}
			}
			p.away = tt.err
			check(http.MethodGet)
			check(http.MethodPost)
			p.away, p.refuse = nil, tt.err // it goes away between the state and the command
			check(http.MethodPost)
			if w := p.post(l, acknowledge()); w.Code != http.StatusOK || p.count(timeline.Acknowledged) != 1 {
				t.Errorf("when it is back: got %d, %d acknowledgements; want 200 and one", w.Code, p.count(timeline.Acknowledged))
			}
			if strings.Contains(p.log.String(), strings.TrimPrefix(l, link.Path)) {
				t.Error("the log holds the link")
			}
		})
	}
}

func TestAnotherFaultIsOurs(t *testing.T) {
	p := newPlace(t)
	p.refuse = errors.New("disk is gone")
	w := p.post(p.link("kim")+"?lang=en", acknowledge())
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "disk") || !strings.Contains(p.log.String(), "disk is gone") {
		t.Errorf("got %d, want 500, and the cause in the log alone\n%s\n%s", w.Code, w.Body, p.log)
	}
	if used := p.used("page/kim/1"); used != "" {
		t.Errorf("the link was used for %q, want it given back", used)
	}
}

// The decision is taken also when the state cannot be had afterwards.
func TestStateAfterwardsIsAway(t *testing.T) {
	p := newPlace(t)
	p.after = func() { p.away = &starter.UnavailableError{Cause: errors.New("gone")} }
	w := p.post(p.link("kim")+"?lang=en", acknowledge())
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "You have acknowledged it") || p.count(timeline.Acknowledged) != 1 {
		t.Errorf("got %d, %d acknowledgements; want 200 and one\n%s", w.Code, p.count(timeline.Acknowledged), w.Body)
	}
}

// A link is answered across sites by its token alone, but not when the browser says that another site has sent the form.
func TestCrossSiteLink(t *testing.T) {
	for site, want := range map[string]int{"same-origin": 200, "none": 200, "": 200, "cross-site": 403, "same-site": 403} {
		p := newPlace(t)
		var headers []string
		if site != "" {
			headers = []string{"Sec-Fetch-Site", site}
		}
		w := p.post(p.link("kim"), acknowledge(), append(headers, "Origin", "null")...)
		if w.Code != want || (p.count(timeline.Acknowledged) == 1) != (want == 200) {
			t.Errorf("%q: got %d and %d acknowledgements, want %d", site, w.Code, p.count(timeline.Acknowledged), want)
		}
		if w := p.get(p.link("kim"), headers...); w.Code != http.StatusOK {
			t.Errorf("%q: opening it: got %d, want 200", site, w.Code)
		}
	}
}

func FuzzLink(f *testing.F) {
	p := newPlace(f)
	good := strings.TrimPrefix(p.link("kim"), link.Path)
	f.Add(good[:len(good)-2], "action=acknowledge")
	f.Add("a.b.c", "action=escalate&reason=%ff&content=x")
	f.Add("%2e%2e/..%2f", "%zz")
	f.Fuzz(func(t *testing.T, token, body string) {
		if token == good {
			return
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := p.ask(method, link.Path+url.PathEscape(token), body)
			if w.Code < 300 || w.Code >= 500 {
				t.Errorf("%s %q: got %d", method, token, w.Code)
			}
		}
		// With the right token and a form that asks for nothing known, nothing is done either.
		form, err := url.ParseQuery(body)
		if action := form.Get("action"); err == nil && (action == "acknowledge" || action == "escalate") {
			return
		}
		if w := p.ask(http.MethodPost, link.Path+good, body); w.Code < 400 || w.Code >= 500 {
			t.Errorf("form %q: got %d", body, w.Code)
		}
		if len(p.calls) > 0 {
			t.Errorf("token %q, form %q: something was asked of the incident", token, body)
		}
	})
}
