package delivery_test

import (
	"encoding/json"
	"testing"

	"muster/internal/delivery"
)

// Histories hold messages: what stands there names a document and does not contain it, and old ones stay as they are.
func TestWhatAHistoryHoldsOfAMessage(t *testing.T) {
	carries := delivery.Message{Kind: delivery.CustomerUpdate, Language: "ko", Attachments: []delivery.Attachment{{
		Name: "결과.html", Type: "text/html; charset=utf-8", SHA256: "ab", Path: "INC-1/result-report-1.garam.ko.html",
	}}}
	const plain = `{"kind":"customer-update","language":"ko","subject":"","text":""`
	for want, m := range map[string]delivery.Message{
		plain + `}`: {Kind: carries.Kind, Language: carries.Language},
		plain + `,"attachments":[{"name":"결과.html","type":"text/html; charset=utf-8","sha256":"ab",` +
			`"path":"INC-1/result-report-1.garam.ko.html"}]}`: carries,
	} {
		if got, err := json.Marshal(m); err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
}

func TestTelephone(t *testing.T) {
	for s, want := range map[string]bool{
		"+821012345678": true, "+15005550006": true, "821012345678": false, "+0821012345678": false, "+82 10 1234 5678": false, "+8210": false,
		"+1234567890123456": false, "": false, "+82101234567a": false,
	} {
		if delivery.Telephone(s) != want {
			t.Errorf("%q: got %v", s, !want)
		}
	}
}
