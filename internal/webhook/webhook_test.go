package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/webhook"
)

const prefixedSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// received is one request as a receiver saw it.
type received struct {
	header http.Header
	body   []byte
}

// receiver takes every POST and answers with reply.
func receiver(t *testing.T, status int, reply string) (url string, got func() []received) {
	t.Helper()
	var mu sync.Mutex
	var all []received
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		all = append(all, received{r.Header, body})
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() []received {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func client() *outbound.Client {
	return &outbound.Client{Guard: outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
}

func envelope(url, secret string) delivery.Envelope {
	return delivery.Envelope{
		ID: "incident/9f3/run/page/kim.min/1", Attempt: 1, At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Recipient: delivery.Recipient{ID: "kim.min", Name: "김민", Language: "ko", Methods: []string{"hook"}},
		Contact:   delivery.Contact{Method: "hook", Type: delivery.Webhook, Address: url, Secret: secret},
		Message: delivery.Message{
			Kind: delivery.Page, Language: "ko", Subject: "장애 <shop>", Text: "확인해 주세요", Incident: "INC-1", Priority: "P1",
		},
	}
}

// verify is a receiver's own check, written from the text of Standard Webhooks 1.0.0.
func verify(t *testing.T, key []byte, r received) {
	t.Helper()
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.header.Get("webhook-id") + "." + r.header.Get("webhook-timestamp") + "."))
	mac.Write(r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := r.header.Get("webhook-signature"); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
}

func TestSend(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(prefixedSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		secret string
		key    []byte // nil: unsigned
	}{
		"prefixed secret": {prefixedSecret, key},
		"raw secret":      {"열려라 참깨", []byte("열려라 참깨")},
		"no secret":       {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, got := receiver(t, http.StatusOK, "")
			before := time.Now().Unix()
			if err := (&webhook.Sender{Client: client()}).Send(t.Context(), envelope(url, tt.secret)); err != nil {
				t.Fatal(err)
			}
			after := time.Now().Unix()
			if len(got()) != 1 {
				t.Fatalf("%d requests arrived, want 1", len(got()))
			}
			r := got()[0]
			for name, want := range map[string]string{
				"Content-Type":    "application/json",
				"User-Agent":      "muster",
				"Webhook-Id":      "incident/9f3/run/page/kim%2Emin/1",
				"Idempotency-Key": "incident/9f3/run/page/kim%2Emin/1",
			} {
				if r.header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, r.header.Get(name), want)
				}
			}
			sent, err := strconv.ParseInt(r.header.Get("Webhook-Timestamp"), 10, 64)
			if err != nil || sent < before || sent > after {
				t.Errorf("timestamp %q is not the time of the attempt", r.header.Get("Webhook-Timestamp"))
			}
			if tt.key != nil {
				verify(t, tt.key, r)
			} else if r.header.Values("Webhook-Signature") != nil {
				t.Errorf("signed %q without a secret", r.header.Get("Webhook-Signature"))
			}
			var body outbound.Delivery
			if err := json.Unmarshal(r.body, &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(outbound.NewDelivery(envelope(url, tt.secret)), body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func attached(name, content string) delivery.Attached {
	return delivery.Attached{
		Attachment: delivery.Attachment{Name: name, Type: "text/html; charset=utf-8", SHA256: "ab", Path: "INC-1/x"}, Content: []byte(content),
	}
}

// Documents are part of the signed body, as far as there is room.
func TestSendWithAttachments(t *testing.T) {
	const room = 2_000_000
	large := strings.Repeat("x", room)
	for name, tt := range map[string]struct {
		attached []delivery.Attached
		want     string // the field, JSON
	}{
		"one": {
			[]delivery.Attached{attached("결과 보고서.html", "<p>가")},
			`[{"name":"결과 보고서.html","type":"text/html; charset=utf-8","sha256":"ab","content":"PHA+6rCA"}]`,
		},
		"empty": {
			[]delivery.Attached{attached("empty.html", "")},
			`[{"name":"empty.html","type":"text/html; charset=utf-8","sha256":"ab","content":""}]`,
		},
		"one that is too large, between others": {
			[]delivery.Attached{attached("a", "a"), attached("b", large), attached("c", "c")},
			`[{"name":"a","type":"text/html; charset=utf-8","sha256":"ab","content":"YQ=="},` +
				`{"name":"b","type":"text/html; charset=utf-8","sha256":"ab","omitted":"too large"},` +
				`{"name":"c","type":"text/html; charset=utf-8","sha256":"ab","content":"Yw=="}]`,
		},
		"as much as there is room for": {
			[]delivery.Attached{attached("a", large), attached("b", "b")},
			`[{"name":"a","type":"text/html; charset=utf-8","sha256":"ab","content":"` + base64.StdEncoding.EncodeToString([]byte(large)) + `"},` +
				`{"name":"b","type":"text/html; charset=utf-8","sha256":"ab","omitted":"too large"}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, got := receiver(t, http.StatusOK, "")
			e := envelope(url, prefixedSecret)
			e.Attached = tt.attached
			if err := (&webhook.Sender{Client: client()}).Send(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			var body struct {
				Attachments json.RawMessage `json:"attachments"`
			}
			if err := json.Unmarshal(got()[0].body, &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(body.Attachments)); diff != "" {
				t.Errorf("attachments (-want +got):\n%.1000s", diff)
			}
			key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(prefixedSecret, "whsec_"))
			verify(t, key, got()[0])
		})
	}
}

// The vector with which the libraries of Standard Webhooks test themselves.
func TestSignKnownVector(t *testing.T) {
	got, err := webhook.Sign(prefixedSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// What a receiver keeps to recognise a repeat must be the same for the same delivery, and only for it.
func TestRepeatsAreRecognisable(t *testing.T) {
	url, got := receiver(t, http.StatusOK, "")
	sender := &webhook.Sender{Client: client()}
	ids := []delivery.ID{"a", "a", "a.1", "a%2E1", "a 1", "a\r\n1", "a\n1", "가", "a/1"}
	for _, id := range ids {
		e := envelope(url, prefixedSecret)
		e.ID = id
		if err := sender.Send(t.Context(), e); err != nil {
			t.Fatalf("%q: %v", id, err)
		}
	}
	seen := map[string]delivery.ID{}
	for i, r := range got() {
		id := r.header.Get("Webhook-Id")
		if known, ok := seen[id]; ok && known != ids[i] {
			t.Errorf("%q and %q are both sent as %q", known, ids[i], id)
		}
		seen[id] = ids[i]
		if strings.ContainsAny(id, ". ") {
			t.Errorf("%q is sent as %q", ids[i], id)
		}
	}
	if len(seen) != len(ids)-1 {
		t.Errorf("%d ids arrived, want %d", len(seen), len(ids)-1)
	}
}

func TestSendRefusals(t *testing.T) {
	url, got := receiver(t, http.StatusOK, "")
	tests := map[string]struct {
		client      *outbound.Client
		url, secret string
	}{
		"secret that is not base64": {client(), url, "whsec_s3cret!"},
		"secret without bytes":      {client(), url, "whsec_"},
		"address that is no URL":    {client(), "s3cret", ""},
		"own network":               {new(outbound.Client), url + "/s3cret", ""},
		"no client":                 {nil, url + "/s3cret", ""},
	}
	for name, tt := range tests {
		err := (&webhook.Sender{Client: tt.client}).Send(t.Context(), envelope(tt.url, tt.secret))
		if !delivery.IsRefusal(err) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want a refusal without the secret", name, err)
		}
	}
	if len(got()) != 0 {
		t.Errorf("%d requests arrived", len(got()))
	}
}

func TestSendPassesTheVerdictOn(t *testing.T) {
	gone, _ := receiver(t, http.StatusGone, "")
	if err := (&webhook.Sender{Client: client()}).Send(t.Context(), envelope(gone, "")); !delivery.IsRefusal(err) {
		t.Errorf("410: got %v, want a refusal", err)
	}
	away, _ := receiver(t, http.StatusServiceUnavailable, "")
	err := (&webhook.Sender{Client: client()}).Send(t.Context(), envelope(away, ""))
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok {
		t.Errorf("503: got %v, want unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&webhook.Sender{Client: client()}).Send(ctx, envelope(away, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func FuzzKey(f *testing.F) {
	for _, seed := range []string{"", "raw", prefixedSecret, "whsec_", "whsec_=", "whsec_AA", "whsec_AA==", "whsec_A\nA==", "WHSEC_AA=="} {
		f.Add(seed)
	}
	_, malformed := webhook.Key("whsec_!")
	f.Fuzz(func(t *testing.T, secret string) {
		key, err := webhook.Key(secret)
		_, prefixed := strings.CutPrefix(secret, "whsec_")
		switch {
		case err != nil && prefixed && err.Error() != malformed.Error():
			t.Errorf("error %q depends on the secret", err)
		case err == nil && len(key) == 0:
			t.Errorf("%q signs with nothing", secret)
		case err == nil && !prefixed && string(key) != secret:
			t.Errorf("%q signs with %q", secret, key)
		case err != nil && !prefixed && secret != "":
			t.Errorf("%q: %v", secret, err)
		}
		again, err := webhook.Key("whsec_" + base64.StdEncoding.EncodeToString([]byte("x"+secret)))
		if err != nil || !bytes.Equal(again, []byte("x"+secret)) {
			t.Errorf("%q does not survive its own encoding: %q, %v", secret, again, err)
		}
	})
}

func FuzzSign(f *testing.F) {
	f.Add("secret", "id", int64(1614265330), []byte("{}"))
	f.Fuzz(func(t *testing.T, secret, id string, at int64, body []byte) {
		got, err := webhook.Sign("x"+secret, id, time.Unix(at, 0), body)
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, []byte("x"+secret))
		fmt.Fprint(mac, id, ".", at, ".", string(body))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
