package acceptance_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// signing is the key that signs what is sent to the receiver.
const signing = "whsec_bXVzdGVyLXN5c3RlbS10ZXN0cy1rZXktMDAwMDAwMDE="

// A receiver is everybody's pager and mailbox. It knows Standard Webhooks by its text, not by our code.
type receiver struct {
	url string

	mu       sync.Mutex
	attempts []attempt
	faults   []string
	answers  map[string]answer // by path; who has none takes everything
	moved    map[string]string // addresses that others have taken the place of
}

// An attempt is one request that reached the receiver.
type attempt struct {
	at    time.Time
	path  string // "/ann/app"
	text  string // its message as JSON, with the recipient
	taken bool   // answered with 200
	outbound.Delivery
}

// An answer replies to the nth request to a path, n from 1, and tells whether the message was taken.
type answer func(n int, w http.ResponseWriter, r *http.Request) bool

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answers: map[string]answer{}}
	r.url = listen(t, "127.0.0.1:0", r)
	return r
}

// listen serves on an address until the test ends.
func listen(t *testing.T, address string, h http.Handler) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// answer sets how a path replies from now on; nil takes everything.
func (r *receiver) answer(path string, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[path] = a
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a, err := read(req)
	if errors.Is(err, errCut) {
		return
	}
	r.mu.Lock()
	if err != nil {
		r.faults = append(r.faults, fmt.Sprintf("%s: %v", req.URL.Path, err))
	}
	n := 1
	for _, before := range r.attempts {
		if before.path == a.path {
			n++
		}
	}
	place := len(r.attempts)
	r.attempts = append(r.attempts, a)
	reply := r.answers[a.path]
	if reply == nil {
		r.attempts[place].taken = true // before the sender can know
	}
	r.mu.Unlock()
	if reply == nil {
		return
	}
	if reply(n, w, req) { // the answer leaves only after this
		r.mu.Lock()
		r.attempts[place].taken = true
		r.mu.Unlock()
	}
}

// errCut is the error of half a request: its sender was killed, and nothing can be said of it.
var errCut = errors.New("the request ends early")

// read checks what every delivery must have: an id, the same everywhere, and a signature over id, time and body.
func read(req *http.Request) (attempt, error) {
	a := attempt{at: time.Now(), path: req.URL.Path}
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		return a, errCut
	}
	if err := json.Unmarshal(body, &a.Delivery); err != nil {
		return a, fmt.Errorf("body: %w", err)
	}
	text, err := json.Marshal([]any{a.Type, a.Recipient, a.Message})
	if err != nil {
		return a, err
	}
	a.text = string(text)
	id, at := req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp")
	// Full stops would end the id in what is signed, so the header has them escaped.
	if plain, err := url.PathUnescape(id); err != nil || a.ID == "" || plain != string(a.ID) || req.Header.Get("Idempotency-Key") != id {
		return a, fmt.Errorf("ids: %q in the body, %q in webhook-id, %q in Idempotency-Key", a.ID, id, req.Header.Get("Idempotency-Key"))
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signing, "whsec_"))
	if err != nil {
		return a, err
	}
	if told := req.Header.Get("Traceparent"); told != "" {
		return a, fmt.Errorf("traceparent: %s is nobody's but ours", told)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+at+"."+string(body))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); req.Header.Get("webhook-signature") != want {
		return a, errors.New("webhook-signature: does not match id, time and body")
	}
	return a, nil
}

// got returns the attempts that a test wants to see, in order of arrival.
func (r *receiver) got(want func(attempt) bool) []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []attempt
	for _, a := range r.attempts {
		if want(a) {
			found = append(found, a)
		}
	}
	return found
}

// pages wants the pages to a path.
func pages(path string) func(attempt) bool {
	return func(a attempt) bool { return a.path == path && a.Message.Kind == delivery.Page }
}

// taken wants what a path has taken as well.
func taken(want func(attempt) bool) func(attempt) bool {
	return func(a attempt) bool { return a.taken && want(a) }
}

// latest is where what goes to a path is sent now: somebody's address may change between two attempts of one delivery.
func (r *receiver) latest(path string) string { return cmp.Or(r.moved[path], path) }

// check says what must never happen: a delivery without its id or signature, or two messages under one id.
func (r *receiver) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		t.Errorf("received: %s", f)
	}
	first := map[delivery.ID]attempt{}
	for _, a := range r.attempts {
		before, known := first[a.ID]
		switch {
		case !known:
			first[a.ID] = a
		case before.text != a.text || r.latest(before.path) != r.latest(a.path):
			t.Errorf("delivery %s came as two messages:\n%s %s\n%s %s", a.ID, before.path, before.text, a.path, a.text)
		}
	}
}

// organise writes the organisation, with everybody's address at the receiver, or where elsewhere says.
func organise(t *testing.T, folder, receiver string, elsewhere map[string]string) string {
	t.Helper()
	const from = "testdata/organisation"
	to := filepath.Join(folder, "organisation")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"signing": signing, "acme-mail": receiver + "/acme/mail", "initech-mail": receiver + "/initech/mail", "watch-hook": receiver + "/watch/hook"}
	for _, person := range []string{"ann", "bob", "cat", "ada", "ben", "cho", "dan", "dee", "eve", "fay", "gus", "sue"} {
		for _, method := range []string{"app", "desk"} {
			secrets[person+"-"+method] = receiver + "/" + person + "/" + method
		}
	}
	for name, url := range elsewhere {
		secrets[name] = url
	}
	if err := os.Mkdir(filepath.Join(to, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range secrets {
		if err := os.WriteFile(filepath.Join(to, "secrets", name), []byte(text), 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	return to
}

// ids lists the delivery ids of attempts, each once.
func ids(as []attempt) []delivery.ID {
	var all []delivery.ID
	for _, a := range as {
		if !slices.Contains(all, a.ID) {
			all = append(all, a.ID)
		}
	}
	return all
}
