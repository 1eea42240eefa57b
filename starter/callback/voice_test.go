package callback_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/twiml"
	"muster/starter/callback"
)

const (
	public = "https://muster.example"
	proof  = "t0ken"
	phones = "public_url: " + public + "/\nchannels: {twilio: {account: AC0123456789abcdef0123456789abcdef, token: env:CALLBACK_TEST_TOKEN, from: +15005550006}}\n"
)

// phone is a place whose people are called.
func phone(t testing.TB) *place {
	t.Helper()
	t.Setenv("CALLBACK_TEST_TOKEN", proof)
	return in(t, func(*callback.Config) {}, change{"organisation.yaml", "", phones})
}

func called(person string) link.Link {
	return link.Link{
		ID: "INC-7K3M9QX2PA/3/" + person + "/phone", Person: person, Incident: string(open), Actions: []link.Action{link.Acknowledge, link.Escalate},
		Content: shown(), Expires: begin().Add(12 * time.Hour),
	}
}

// press is what the service sends when somebody has pressed a key.
func (p *place) press(token, digits string, change func(r *http.Request)) *httptest.ResponseRecorder {
	form := url.Values{
		"CallSid": {"CA0123456789abcdef0123456789abcdef"}, "AccountSid": {"AC0123456789abcdef0123456789abcdef"}, "From": {"+15005550006"}, "To": {"+821012345678"},
		"CallStatus": {"in-progress"}, "Direction": {"outbound-api"}, "Digits": {digits}, "msg": {"Gather End"},
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/callbacks/voice/"+token, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiml.Signature(proof, public+"/v1/callbacks/voice/"+token, form))
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name, digits, want string
		link               func(l *link.Link)
		before             func(p *place)
		made, noted        int
	}{
		{name: "acknowledged", digits: "1", want: `<Say language="ko-KR">확인했습니다.</Say><Hangup/>`, made: 1},
		{name: "escalated", digits: "2", want: `<Say language="ko-KR">다음 단계로 올렸습니다.</Say><Hangup/>`, made: 1},
		{name: "another key", digits: "7", want: "1번이나 2번이 아닙니다. 확인하려면 1번"},
		{name: "two keys", digits: "12", want: "1번이나 2번이 아닙니다."},
		{name: "no key", digits: "", want: "1번이나 2번이 아닙니다."},
		{
			name: "in the language of whoever is called", digits: "1", want: `<Say language="en-US">you have acknowledged it.</Say>`, made: 1,
			link: func(l *link.Link) { l.Person = "park" },
		},
		{
			name: "taken", digits: "1", want: "담당자(이서연)가 이미 확인했습니다.", noted: 1,
			before: func(p *place) { p.elsewhere("lee", "이서연", incident.Acknowledge{}) },
		},
		{
			name: "over", digits: "1", want: "이미 끝난 장애입니다.", noted: 1,
			before: func(p *place) { p.elsewhere("lee", "이서연", incident.Resolve{Note: "x"}) },
		},
		{name: "about something else", digits: "1", want: "장애의 제목이나 서비스가 바뀌었습니다.", noted: 1, link: func(l *link.Link) { l.Content = "other" }},
		{name: "too late", digits: "1", want: "시간이 지나", noted: 1, link: func(l *link.Link) { l.Expires = begin() }},
		{name: "nobody", digits: "1", want: `<Say language="en-US">you may not do this in this incident.`, noted: 1, link: func(l *link.Link) { l.Person = "who" }},
		{name: "what the link does not allow", digits: "2", want: "권한이 없습니다.", noted: 1, link: func(l *link.Link) { l.Actions = []link.Action{link.Acknowledge} }},
		{name: "a link to a run", digits: "1", want: "권한이 없습니다.", noted: 1, link: func(l *link.Link) { l.Incident, l.Run = "", "RUN-1" }},
		{name: "the engine is away", digits: "1", want: "지금은 처리하지 못했습니다. 확인하려면 1번", before: func(p *place) { p.away = errors.New("away") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, l := phone(t), called("kim")
			if tt.before != nil {
				tt.before(p)
			}
			if tt.link != nil {
				tt.link(&l)
			}
			before := len(p.incident.Decided)
			w := p.press(link.Sign(l, "key-1", key()), tt.digits, nil)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/xml; charset=utf-8" || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.want)
			}
			if made := len(p.incident.Decided) - before; made != tt.made || len(p.attempts) != tt.noted || p.guesses != 0 {
				t.Errorf("%d decisions and %d attempts noted, want %d and %d: %+v", made, len(p.attempts), tt.made, tt.noted, p.attempts)
			}
		})
	}
}

// A service that sends again what it has sent is told the same, and nothing is decided twice.
func TestAKeyThatIsSentAgain(t *testing.T) {
	p := phone(t)
	token := link.Sign(called("kim"), "key-1", key())
	for range 2 {
		if w := p.press(token, "1", nil); !strings.Contains(w.Body.String(), "확인했습니다.") {
			t.Fatalf("got %s", w.Body)
		}
	}
	if len(p.incident.Decided) != 1 || len(p.attempts) != 0 {
		t.Errorf("%v, %+v", p.incident.Decided, p.attempts)
	}
	if r := p.incident.Responders; len(r) != 1 || r[0].ID != "kim" {
		t.Errorf("responders %+v", r)
	}
}

func TestKeysThatNobodyHasPressed(t *testing.T) {
	token := link.Sign(called("kim"), "key-1", key())
	for name, tt := range map[string]struct {
		token  string
		change func(r *http.Request)
		want   int
	}{
		"no signature":      {token, func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }, 401},
		"another signature": {token, func(r *http.Request) { r.Header.Set("X-Twilio-Signature", twiml.Signature("other", public+"/", nil)) }, 401},
		"another path": {token, func(r *http.Request) {
			r.URL.Path = "/v1/callbacks/voice/" + link.Sign(called("park"), "key-1", key())
		}, 401},
		"a query":          {token, func(r *http.Request) { r.URL.RawQuery = "x=1" }, 401},
		"no link":          {"", nil, 404},
		"another's link":   {link.Sign(called("kim"), "key-2", key()), nil, 404},
		"a link of nobody": {"key-1.abc", nil, 404},
	} {
		p := phone(t)
		w := p.press(tt.token, "1", tt.change)
		if w.Code != tt.want || len(p.incident.Decided) != 0 || len(p.attempts) != 1 {
			t.Errorf("%s: got %d, %v, %+v", name, w.Code, p.incident.Decided, p.attempts)
		}
		for _, a := range p.attempts {
			if strings.Contains(a.Subject+a.Message+a.Detail, "key-1.") {
				t.Errorf("%s: the token is noted: %+v", name, a)
			}
		}
		if (tt.want == http.StatusUnauthorized) != (p.guesses == 1) {
			t.Errorf("%s: %d guesses", name, p.guesses)
		}
	}
	w := httptest.NewRecorder()
	newPlace(t).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/callbacks/voice/"+token, strings.NewReader("Digits=1")))
	if w.Code != http.StatusNotFound {
		t.Errorf("without an account: got %d, want 404", w.Code)
	}
}

func FuzzKeys(f *testing.F) {
	p := phone(f)
	token := link.Sign(called("kim"), "key-1", key())
	f.Add(token, "Digits=1")
	f.Add("key-1.", "%zz")
	f.Fuzz(func(t *testing.T, token, body string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/callbacks/voice/x", strings.NewReader(body))
		r.URL.Path = "/v1/callbacks/voice/" + token
		form, err := url.ParseQuery(body)
		if err == nil {
			r.Header.Set("X-Twilio-Signature", twiml.Signature(proof, public+r.URL.RequestURI(), form))
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 401 && w.Code != 404 {
			t.Errorf("got %d", w.Code)
		}
	})
}
