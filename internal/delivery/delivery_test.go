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
