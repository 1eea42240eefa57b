package twiml_test

import (
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/twiml"
)

func TestSpoken(t *testing.T) {
	for text, want := range map[string]string{
		"[P1 심각] 서울 플랫폼: 결제 오류 (INC-7K3M9QX2PA)":    "P1 심각. 서울 플랫폼: 결제 오류",
		"[P2 urgent] Security incident: Shop (web)": "P2 urgent. Security incident: Shop (web)",
		"INC-7K3M9QX2PA: 확인(ACK)했습니다.":              "확인했습니다.",
		"INC-7K3M9QX2PA: it is resolved.":           "it is resolved.",
		"Muster: 3 deliveries wait":                 "Muster: 3 deliveries wait",
		"":                                          "",
	} {
		if got := twiml.Spoken(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	const want = `<?xml version="1.0" encoding="UTF-8"?><Response>` +
		`<Gather input="dtmf" numDigits="1" timeout="10" method="POST" language="ko-KR" action="https://m.example/v1/callbacks/voice/k.a?x=1&amp;y=2">` +
		`<Say language="ko-KR">머스터입니다. P1 심각. A &amp; B &lt;/Say&gt;. 확인하려면 1번, 다음 단계로 올리려면 2번을 누르십시오.</Say><Pause length="1"/>` +
		`<Say language="ko-KR">머스터입니다. P1 심각. A &amp; B &lt;/Say&gt;. 확인하려면 1번, 다음 단계로 올리려면 2번을 누르십시오.</Say></Gather>` +
		`<Say language="ko-KR">누르신 번호가 없습니다. 누군가 확인할 때까지 호출은 계속됩니다.</Say></Response>`
	if got := twiml.Page("ko", "P1 심각. A & B </Say>", "https://m.example/v1/callbacks/voice/k.a?x=1&y=2"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const told = `<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">This is Muster. X.</Say><Pause length="1"/>` +
		`<Say language="en-US">This is Muster. X.</Say></Response>`
	if got := twiml.Page("en", "X", ""); got != told {
		t.Errorf("got  %s\nwant %s", got, told)
	}
	if got := twiml.Again("en", "No.", "https://m.example/"); !strings.Contains(got, "No. Press 1") || !strings.Contains(got, `action="https://m.example/"`) {
		t.Errorf("got %s", got)
	}
	if got := twiml.Say("en", "Done."); !strings.HasSuffix(got, `<Say language="en-US">Done.</Say><Hangup/></Response>`) {
		t.Errorf("got %s", got)
	}
}

// Whatever a text has in it, what comes of it is XML of a length that a call takes, with nothing but the verbs in it that are ours.
func TestAnyTextIsSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page := twiml.Page("ko", rapid.String().Draw(t, "text")+strings.Repeat(`"<`, rapid.IntRange(0, 300).Draw(t, "quotes")), "https://muster.example/"+strings.Repeat("a", 250))
		if len([]rune(page)) > 4_000 {
			t.Fatalf("%d characters", len([]rune(page)))
		}
		verbs, d := 0, xml.NewDecoder(strings.NewReader(page))
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v: %s", err, page)
			}
			if _, ok := tok.(xml.StartElement); ok {
				verbs++
			}
		}
		if verbs != 6 {
			t.Fatalf("%d verbs: %s", verbs, page)
		}
	})
}

// The example of the documentation on how requests are signed.
func TestSignature(t *testing.T) {
	const address, token = "https://example.com/myapp.php?foo=1&bar=2", "12345"
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675310"}, "Digits": {"1234"}, "From": {"+14158675310"}, "To": {"+18005551212"}}
	const signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="
	if got := twiml.Signature(token, address, form); got != signature {
		t.Errorf("got %s, want %s", got, signature)
	}
	for _, tt := range []struct {
		token, address, signature string
		digits                    string
		want                      bool
	}{
		{token, address, signature, "1234", true},
		{token, "https://example.com:443/myapp.php?foo=1&bar=2", signature, "1234", true},
		{token, "https://example.com:8443/myapp.php?foo=1&bar=2", signature, "1234", true},
		{token, "http://example.com/myapp.php?foo=1&bar=2", signature, "1234", false},
		{token, "https://other.example/myapp.php?foo=1&bar=2", signature, "1234", false},
		{token, "https://example.com/myapp.php?foo=1&bar=3", signature, "1234", false},
		{token, address, signature, "2", false},
		{"54321", address, signature, "1234", false},
		{"", address, signature, "1234", false},
		{token, address, "", "1234", false},
		{token, address, "L/OH5YylLD5NRKLltdqwSvS0BnV=", "1234", false},
		{token, "::", signature, "1234", false},
	} {
		form.Set("Digits", tt.digits)
		if got := twiml.Signed(tt.token, tt.address, form, tt.signature); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
	if twiml.Signed("", address, form, twiml.Signature("", address, form)) {
		t.Error("without a token everybody can sign")
	}
}
