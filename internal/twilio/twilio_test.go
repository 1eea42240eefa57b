package twilio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/twilio"
)

type sender interface {
	Send(ctx context.Context, e delivery.Envelope) error
}

const (
	public = "https://muster.example"
	signed = public + "/l/key-1.abc"
)

func page() delivery.Envelope {
	return delivery.Envelope{
		ID: "INC-7K3M9QX2PA/3/kim/phone", Attempt: 1, At: time.Now(), Since: time.Now(), Recipient: delivery.Recipient{ID: "kim", Name: "김민준", Language: "ko"},
		Contact: delivery.Contact{Method: "phone", Type: delivery.SMS, Address: kim},
		Message: delivery.Message{
			Kind: delivery.Page, Language: "ko", Subject: "[P1 심각] Shop: 결제 <오류> & (INC-7K3M9QX2PA)", Incident: "INC-7K3M9QX2PA", Priority: "P1",
			Status: "triggered", Service: "Shop", URL: signed, Text: "Shop\n\n확인(ACK)\n" + signed + "\n",
		},
	}
}

// both runs a test for messages and for calls.
func both(t *testing.T, test func(t *testing.T, open func(a *twilio.Account) sender)) {
	t.Run("sms", func(t *testing.T) {
		test(t, func(a *twilio.Account) sender { return &twilio.SMS{Account: a, From: from} })
	})
	t.Run("voice", func(t *testing.T) {
		test(t, func(a *twilio.Account) sender { return &twilio.Voice{Account: a, From: from, PublicURL: public} })
	})
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestWhatArrives(t *testing.T) {
	s := &service{}
	a := accountAt(serve(t, s))
	sms, voice := &twilio.SMS{Account: a, From: from}, &twilio.Voice{Account: a, From: from, PublicURL: public + "/"}
	plain := page()
	plain.Message.URL = ""
	for _, send := range []func() error{
		func() error { return sms.Send(t.Context(), page()) },
		func() error { return voice.Send(t.Context(), page()) },
		func() error { return voice.Send(t.Context(), plain) },
		func() error {
			return (&twilio.SMS{Account: a, From: "MG0123456789abcdef0123456789abcdef"}).Send(t.Context(), plain)
		},
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	asked := `머스터입니다. P1 심각. Shop: 결제 &lt;오류&gt; &amp;. 확인하려면 1번, 다음 단계로 올리려면 2번을 누르십시오.</Say>`
	told := `<Say language="ko-KR">머스터입니다. P1 심각. Shop: 결제 &lt;오류&gt; &amp;.</Say>`
	const head = `<?xml version="1.0" encoding="UTF-8"?><Response>`
	want := []url.Values{
		{"To": {kim}, "From": {from}, "Body": {"[P1 심각] Shop: 결제 <오류> & (INC-7K3M9QX2PA)\n" + signed}},
		{"To": {kim}, "From": {from}, "Twiml": {head +
			`<Gather input="dtmf" numDigits="1" timeout="10" method="POST" language="ko-KR" action="https://muster.example/v1/callbacks/voice/key-1.abc">` +
			`<Say language="ko-KR">` + asked + `<Pause length="1"/><Say language="ko-KR">` + asked + `</Gather>` +
			`<Say language="ko-KR">누르신 번호가 없습니다. 누군가 확인할 때까지 호출은 계속됩니다.</Say></Response>`}},
		{"To": {kim}, "From": {from}, "Twiml": {head + told + `<Pause length="1"/>` + told + `</Response>`}},
		{"To": {kim}, "MessagingServiceSid": {"MG0123456789abcdef0123456789abcdef"}, "Body": {
			"[P1 심각] Shop: 결제 <오류> & (INC-7K3M9QX2PA)\nShop 확인(ACK) " + signed,
		}},
	}
	if diff := cmp.Diff(want, s.forms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatACallIsNotFor(t *testing.T) {
	s := &service{}
	a := accountAt(serve(t, s))
	for _, kind := range []delivery.Kind{delivery.Reminder, delivery.CustomerUpdate, delivery.Handover} {
		e := page()
		e.Message.Kind = kind
		if err := (&twilio.Voice{Account: a, From: from}).Send(t.Context(), e); !delivery.IsRefusal(err) {
			t.Errorf("%s: got %v, want a refusal, so that the next method is tried", kind, err)
		}
		if err := (&twilio.SMS{Account: a, From: from}).Send(t.Context(), e); err != nil {
			t.Errorf("%s by SMS: %v", kind, err)
		}
	}
	watch := page()
	watch.Message.Kind, watch.Message.Language = delivery.SelfWatch, "en"
	if err := (&twilio.Voice{Account: a, From: from, PublicURL: public}).Send(t.Context(), watch); err != nil {
		t.Error(err)
	}
}

// An API key is used with its own secret, in the account's paths.
func TestAnAPIKey(t *testing.T) {
	s := &service{user: "SK0123456789abcdef0123456789abcdef"}
	a := accountAt(serve(t, s))
	a.Key = s.user
	if err := (&twilio.SMS{Account: a, From: from}).Send(t.Context(), page()); err != nil {
		t.Error(err)
	}
}

func TestWhatTheServiceRefuses(t *testing.T) {
	for _, tt := range []struct {
		to    string
		final bool
		after time.Duration
		want  string
	}{
		{invalid, true, 0, `400 Bad Request: "error 21211: The 'To' number the number is not a valid phone number."`},
		{opted, true, 0, "error 21610: Attempt to send to unsubscribed recipient"},
		{crowded, false, 3 * time.Second, "error 21611"},
		{"010-1234-5678", true, 0, "not a phone number such as +821012345678"},
		{"", true, 0, "not a phone number"},
	} {
		both(t, func(t *testing.T, open func(*twilio.Account) sender) {
			e := page()
			e.Contact.Address = tt.to
			err := open(accountAt(serve(t, &service{}))).Send(t.Context(), e)
			if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%s: got %v, want %q, final %v", tt.to, err, tt.want, tt.final)
			}
			if u, ok := errors.AsType[*delivery.Unavailable](err); ok && u.After != tt.after {
				t.Errorf("%s: after %s, want %s", tt.to, u.After, tt.after)
			}
			if digits := strings.TrimPrefix(tt.to, "+"); digits != "" && strings.Contains(err.Error(), digits) {
				t.Errorf("the number is told: %v", err)
			}
		})
	}
	// What becomes of it a moment later counts, too.
	a, e := accountAt(serve(t, &service{})), page()
	e.Contact.Address = filtered
	if err := (&twilio.SMS{Account: a, From: from}).Send(t.Context(), e); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "the message is undelivered: error 30007") {
		t.Errorf("filtered by the carrier: got %v", err)
	}
	e.Contact.Address = taken
	if err := (&twilio.Voice{Account: a, From: from}).Send(t.Context(), e); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "the call is busy") {
		t.Errorf("a busy line: got %v", err)
	}
}

// wire breaks requests on their way.
type wire struct {
	*service

	turn  sync.Mutex                                        // one request at a time: a fault may count them
	fault func(w http.ResponseWriter, r *http.Request) bool // whether it was dealt with
}

func (l *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if l.fault == nil || !l.fault(w, r) {
		l.service.ServeHTTP(w, r)
	}
}

func says(status int, kind, body string, header ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func TestContract(t *testing.T) {
	open := func(with func(a *twilio.Account) sender) func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
		return func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
			a := accountAt(url)
			a.Guard, a.Timeout = guard, timeout
			return with(a), delivery.Contact{Method: "phone", Address: kim}
		}
	}
	t.Run("sms", contract.Channel{
		Room: func() contract.Room { return &service{} }, Once: true, Calls: true,
		Open: open(func(a *twilio.Account) sender { return &twilio.SMS{Account: a, From: from} }),
	}.Run)
	t.Run("voice", contract.Channel{
		Room: func() contract.Room { return &service{} }, Calls: true, Never: []string{"/l/abc_def_123", "INC-"},
		Open: open(func(a *twilio.Account) sender { return &twilio.Voice{Account: a, From: from, PublicURL: public} }),
	}.Run)
}

// What was cut, is endless or strange may have been taken all the same.
func TestStrangeAnswers(t *testing.T) {
	for _, body := range []string{"", "{}", `{"sid":"../../x"}`} {
		both(t, func(t *testing.T, open func(*twilio.Account) sender) {
			l := &wire{service: &service{}, fault: says(201, "application/json", body)}
			if err := open(accountAt(serve(t, l))).Send(t.Context(), page()); err == nil || delivery.IsRefusal(err) || !strings.Contains(err.Error(), "not what the API") {
				t.Errorf("%s: got %v", body, err)
			}
		})
	}
	if err := (&twilio.SMS{Account: &twilio.Account{}}).Send(t.Context(), page()); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "no account") {
		t.Errorf("without an account: got %v", err)
	}
}

// again sends as activities do, until there is an outcome.
func again(t *testing.T, s sender, e delivery.Envelope) error {
	t.Helper()
	err := s.Send(t.Context(), e)
	for range 8 {
		if _, later := errors.AsType[*delivery.Unavailable](err); !later {
			break
		}
		e.Attempt, e.Repeated = e.Attempt+1, true
		err = s.Send(t.Context(), e)
	}
	return err
}

// lose breaks the first request that makes something, before it has arrived or after.
func lose(s *service, arrived bool) *wire {
	left := 1
	l := &wire{service: s}
	l.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if left == 0 || r.Method == http.MethodGet {
			return false
		}
		left--
		if arrived {
			s.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}
	return l
}

func TestNothingIsSentTwice(t *testing.T) {
	earlier := func(s *service, status string, ago time.Duration) { // a page of the same incident, whose text is the same
		body := twilio.Text(page().Message)
		s.made = append(s.made, made{SID: "SM1", kind: "Messages", To: kim, Body: &body, Status: status, DateCreated: time.Now().Add(-ago).UTC().Format(time.RFC1123Z)})
	}
	for _, tt := range []struct {
		name    string
		arrived bool
		before  func(s *service)
		want    int
	}{
		{"lost before it arrived", false, nil, 1},
		{"lost after", true, nil, 1},
		{"in the list later", true, func(s *service) { s.late = 1 }, 1},
		{"on trial", true, func(s *service) { s.trial = true }, 1},
		{"a key that may not look", true, func(s *service) { s.blind = true }, 2},
		{"one of before", false, func(s *service) { earlier(s, "delivered", 5*time.Minute) }, 2},
		{"one that has failed", false, func(s *service) { earlier(s, "failed", 0) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{}
			if tt.before != nil {
				tt.before(s)
			}
			a := accountAt(serve(t, lose(s, tt.arrived)))
			if err := again(t, &twilio.SMS{Account: a, From: from}, page()); err != nil {
				t.Fatal(err)
			}
			if n := len(s.all()); n != tt.want {
				t.Errorf("%d messages, want %d: %v", n, tt.want, s.asked())
			}
		})
	}
}

// A call is not made while one to the same number is: then it is made, for nobody can tell what that one was about.
func TestNoCallIntoACall(t *testing.T) {
	s := &service{}
	l := lose(s, true)
	a := accountAt(serve(t, l))
	v := &twilio.Voice{Account: a, From: from}
	if err := v.Send(t.Context(), page()); err == nil {
		t.Fatal("want it to be unknown")
	}
	e := page()
	e.Repeated, e.Attempt = true, 2
	err := v.Send(t.Context(), e)
	if u, ok := errors.AsType[*delivery.Unavailable](err); !ok || u.After != 20*time.Second {
		t.Fatalf("got %v, want that it waits for the call", err)
	}
	if err := again(t, v, e); err != nil || len(s.all()) != 2 {
		t.Errorf("got %v and %d calls, want a second one when the first is over", err, len(s.all()))
	}
	old := page()
	old.Since, old.Repeated = time.Now().Add(time.Hour), true
	if err := v.Send(t.Context(), old); err != nil {
		t.Errorf("a call of before: %v", err)
	}
}

// A broken or strange list is no reason to send again: it may be there.
func TestAListThatIsNone(t *testing.T) {
	both(t, func(t *testing.T, open func(*twilio.Account) sender) {
		for _, body := range []string{"{}", "[]", "null", "<html>"} {
			s := &service{}
			l := &wire{service: s, fault: func(w http.ResponseWriter, r *http.Request) bool {
				return r.Method == http.MethodGet && says(200, "application/json", body)(w, r)
			}}
			e := page()
			e.Repeated = true
			if err := open(accountAt(serve(t, l))).Send(t.Context(), e); err == nil || delivery.IsRefusal(err) || len(s.all()) != 0 {
				t.Errorf("%s: got %v and %d sent", body, err, len(s.all()))
			}
		}
	})
}

// However long a message is, its text is short, and the link in it is whole.
func TestText(t *testing.T) {
	m := page().Message
	for _, tt := range []struct{ subject, text, url, want string }{
		{"[P1] Shop (INC-1)", "long\nstory", signed, "[P1] Shop (INC-1)\n" + signed},
		{"[P1] Shop (INC-1)", "long\n story ", "", "[P1] Shop (INC-1)\nlong story"},
		{"Shop", "", "", "Shop"},
		{"Shop\u202e\x00x", "", "", "Shop��x"},
		{"Shop", "text", "https://muster.example/" + strings.Repeat("a", 400), "Shop\ntext"},
		{strings.Repeat("a", 500), "", "", strings.Repeat("a", 456) + "..."},
		{strings.Repeat("[", 500), "", "", strings.Repeat("[", 228) + "..."},
		{strings.Repeat("가", 500), "", "", strings.Repeat("가", 332) + "..."},
		{strings.Repeat("가", 500), "", signed, strings.Repeat("가", 332-1-len(signed)) + "...\n" + signed},
	} {
		m.Subject, m.Text, m.URL = tt.subject, tt.text, tt.url
		if got := twilio.Text(m); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m.Subject, m.Text = rapid.String().Draw(t, "subject")+strings.Repeat(rapid.SampledFrom([]string{"a", "{", "가", "🔥"}).Draw(t, "long"), rapid.IntRange(0, 500).Draw(t, "times")), rapid.String().Draw(t, "text")
		m.URL = rapid.SampledFrom([]string{"", signed, "https://muster.example/l/" + strings.Repeat("k", 240)}).Draw(t, "url")
		got := twilio.Text(m)
		if n := len(utf16.Encode([]rune(got))); n > 459 || n > 335 && strings.ContainsFunc(got, func(r rune) bool { return r > '~' }) || !strings.HasSuffix(got, m.URL) {
			t.Fatalf("%d: %q", n, got)
		}
	})
}
