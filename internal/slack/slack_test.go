package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/link"
	"muster/internal/outbound"
	"muster/internal/slack"
)

// A workspace stands in for Slack: the methods that the bot calls, with the limits and the errors of their documentation.
type workspace struct {
	mu       sync.Mutex
	posts    []map[string]any // in the order in which they came
	called   []string
	fails    map[string]string // the error that a method answers with
	perPage  int               // of what is read
	visited  int               // messages that were read
	posted   int
	scopeFor string

	channels []map[string]any // that were made
	members  []string         // who was invited
	topic    string
}

func (s *workspace) Shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, p := range s.posts {
		all = append(all, contract.Texts([]any{p["text"], p["attachments"]}))
	}
	return all
}

func (s *workspace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/services/") {
		s.webhook(w, r)
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	s.called = append(s.called, method)
	answer := func(a map[string]any) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(a)
	}
	no := func(code string) { answer(map[string]any{"ok": false, "error": code, "needed": s.scopeFor}) }
	switch {
	case r.Header.Get("Authorization") != "Bearer "+contract.Secret:
		no("invalid_auth")
	case s.fails[method] != "":
		no(s.fails[method])
	case r.Method == http.MethodGet:
		s.read(method, r, answer, no)
	default:
		body, err := contract.Decode(r.Body)
		if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			no("invalid_json")
			return
		}
		s.write(method, body, answer, no)
	}
}

func (s *workspace) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := contract.Decode(r.Body)
	if err != nil || body["metadata"] != nil || wrong(body) != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("invalid_payload"))
		return
	}
	s.posts = append(s.posts, body)
	_, _ = w.Write([]byte("ok"))
}

// wrong is the error for a body that Slack does not take.
func wrong(body map[string]any) string {
	text, _ := body["text"].(string)
	attachments, _ := body["attachments"].([]any)
	if text == "" || utf8.RuneCountInString(text) > 4000 || len(attachments) == 0 {
		return "no_text"
	}
	for _, a := range attachments {
		blocks, _ := a.(map[string]any)["blocks"].([]any)
		for _, b := range blocks {
			of, _ := b.(map[string]any)
			inside, _ := of["text"].(map[string]any)
			long, _ := inside["text"].(string)
			if of["type"] == "section" && (utf8.RuneCountInString(long) > 3000 || long == "") {
				return "invalid_blocks"
			}
			elements, _ := of["elements"].([]any)
			var ids []any
			for _, e := range elements {
				id := e.(map[string]any)["action_id"]
				if of["type"] == "actions" && (id == nil || slices.Contains(ids, id)) {
					return "invalid_blocks"
				}
				ids = append(ids, id)
			}
		}
	}
	return ""
}

func (s *workspace) write(method string, body map[string]any, answer func(map[string]any), no func(string)) {
	switch method {
	case "conversations.open":
		answer(map[string]any{"ok": true, "channel": map[string]any{"id": "D" + fmt.Sprint(body["users"])[1:]}})
	case "chat.postMessage":
		if code := wrong(body); code != "" {
			no(code)
			return
		}
		if channel := fmt.Sprint(body["channel"]); !strings.HasPrefix(channel, "C") && !strings.HasPrefix(channel, "D") {
			no("channel_not_found")
			return
		}
		if thread := body["thread_ts"]; thread != nil && !slices.ContainsFunc(s.posts, func(p map[string]any) bool { return p["ts"] == thread }) {
			no("thread_not_found")
			return
		}
		s.posted++
		body["ts"] = fmt.Sprintf("17000%05d.000100", s.posted)
		s.posts = append(s.posts, body)
		answer(map[string]any{"ok": true, "channel": body["channel"], "ts": body["ts"]})
	case "auth.test":
		answer(map[string]any{"ok": true, "url": "https://mirnet.slack.com/", "user_id": "UBOT"})
	case "conversations.create":
		name := fmt.Sprint(body["name"])
		if slices.ContainsFunc(s.channels, func(c map[string]any) bool { return c["name"] == name }) {
			no("name_taken")
			return
		}
		c := map[string]any{"id": fmt.Sprintf("C0%d", len(s.channels)), "name": name, "creator": "UBOT", "is_private": body["is_private"]}
		s.channels = append(s.channels, c)
		answer(map[string]any{"ok": true, "channel": c})
	case "conversations.setTopic":
		s.topic = fmt.Sprint(body["topic"])
		answer(map[string]any{"ok": true})
	case "conversations.invite":
		user := fmt.Sprint(body["users"])
		if slices.Contains(s.members, user) || user == "UGONE" {
			no(map[bool]string{true: "user_not_found", false: "already_in_channel"}[user == "UGONE"])
			return
		}
		s.members = append(s.members, user)
		answer(map[string]any{"ok": true})
	case "conversations.archive":
		n := slices.IndexFunc(s.channels, func(c map[string]any) bool { return c["id"] == body["channel"] })
		if n < 0 || s.channels[n]["is_archived"] == true {
			no(map[bool]string{true: "channel_not_found", false: "already_archived"}[n < 0])
			return
		}
		s.channels[n]["is_archived"] = true
		answer(map[string]any{"ok": true})
	case "chat.update":
		n := slices.IndexFunc(s.posts, func(p map[string]any) bool { return p["ts"] == body["ts"] && p["channel"] == body["channel"] })
		if n < 0 {
			no("message_not_found")
			return
		}
		if code := wrong(body); code != "" || body["parse"] != "none" {
			no(code)
			return
		}
		s.posts[n]["text"], s.posts[n]["attachments"], s.posts[n]["metadata"] = body["text"], body["attachments"], body["metadata"]
		answer(map[string]any{"ok": true, "ts": body["ts"]})
	default:
		no("unknown_method")
	}
}

// read answers with what stands in a channel, the newest first, or in a thread, the oldest first.
func (s *workspace) read(method string, r *http.Request, answer func(map[string]any), no func(string)) {
	q := r.URL.Query()
	if method == "conversations.list" {
		private := map[string]bool{"private_channel": true, "public_channel": false}[q.Get("types")]
		all := slices.DeleteFunc(slices.Clone(s.channels), func(c map[string]any) bool { return c["is_private"] != private || c["is_archived"] == true })
		from, _ := strconv.Atoi(q.Get("cursor"))
		to, next := min(from+1, len(all)), "" // one on each page
		if to < len(all) {
			next = strconv.Itoa(to)
		}
		answer(map[string]any{"ok": true, "channels": all[from:to], "response_metadata": map[string]any{"next_cursor": next}})
		return
	}
	var all []map[string]any
	for _, p := range s.posts {
		if p["channel"] != q.Get("channel") {
			continue
		}
		own := map[string]any{}
		for k, v := range p {
			if k != "metadata" || q.Get("include_all_metadata") == "true" {
				own[k] = v
			}
		}
		replies := 0
		for _, other := range s.posts {
			if other["thread_ts"] == p["ts"] {
				replies++
			}
		}
		if replies > 0 {
			own["thread_ts"], own["reply_count"] = p["ts"], replies
		}
		switch method {
		case "conversations.history":
			if p["thread_ts"] == nil || p["reply_broadcast"] == true {
				all = slices.Insert(all, 0, own)
			}
		case "conversations.replies":
			if p["ts"] == q.Get("ts") || p["thread_ts"] == q.Get("ts") {
				all = append(all, own)
			}
		default:
			no("unknown_method")
			return
		}
	}
	all = slices.DeleteFunc(all, func(p map[string]any) bool { return fmt.Sprint(p["ts"]) <= q.Get("oldest") })
	limit, _ := strconv.Atoi(q.Get("limit"))
	if s.perPage > 0 {
		limit = s.perPage
	}
	from, _ := strconv.Atoi(q.Get("cursor"))
	to, next := min(from+limit, len(all)), ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	s.visited += to - min(from, to)
	answer(map[string]any{"ok": true, "messages": all[min(from, to):to], "response_metadata": map[string]any{"next_cursor": next}})
}

func sender(url string, guard outbound.Guard, timeout time.Duration) *slack.Sender {
	return &slack.Sender{
		Client: &outbound.Client{Guard: guard, Timeout: timeout, Single: true}, Guard: guard, Timeout: timeout, URL: url + "/api", Token: contract.Secret, Buttons: true,
	}
}

func TestContract(t *testing.T) {
	never := []string{"<!channel>", "<users/all>", "<at>", "<b>"}
	t.Run("bot", contract.Channel{
		Room: func() contract.Room { return &workspace{} }, Once: true, Never: never,
		Open: func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
			return sender(url, guard, timeout), delivery.Contact{Method: "chat", Type: delivery.Slack, Address: "C024BE91L"}
		},
	}.Run)
	t.Run("webhook", contract.Channel{
		Room: func() contract.Room { return &workspace{} }, Never: never,
		Open: func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
			return sender(url, guard, timeout), delivery.Contact{Method: "chat", Type: delivery.Slack, Address: url + "/services/T0/B0/" + contract.Secret}
		},
	}.Run)
}

// A room is a workspace with a bot in it, which can be started anew.
type room struct {
	*workspace
	*slack.Sender

	url string
}

func open(t *testing.T) *room {
	t.Helper()
	w := &workspace{}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	r := &room{workspace: w, url: srv.URL}
	r.restart()
	return r
}

func (r *room) restart() {
	r.Sender = sender(r.url, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, 5*time.Second)
}

// page is a delivery about an incident.
func page(id delivery.ID, address string, kind delivery.Kind) delivery.Envelope {
	m := contract.Page()
	m.Kind = kind
	return delivery.Envelope{
		ID: id, Attempt: 1, Contact: delivery.Contact{Address: address}, Message: m, Offer: delivery.OfferOfPage("", m.Incident, "Checkout", "Shop"),
	}
}

func (r *room) send(t *testing.T, e delivery.Envelope) {
	t.Helper()
	if err := r.Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// All about one incident stands in one thread of a channel, after a restart too. What is to be acknowledged is shown in the channel.
func TestThread(t *testing.T) {
	r := open(t)
	r.send(t, page("1", "C1A", delivery.Page))
	r.send(t, page("2", "C1A", delivery.Reminder))
	r.restart()
	r.send(t, page("3", "C1A", delivery.Page))
	other := page("4", "C1A", delivery.Page)
	other.Message.Incident = "INC-OTHER"
	r.send(t, other)
	r.send(t, page("5", "C2A", delivery.Page))
	root := r.posts[0]["ts"]
	for n, want := range []struct{ thread, broadcast any }{{nil, nil}, {root, nil}, {root, true}, {nil, nil}, {nil, nil}} {
		if p := r.posts[n]; p["thread_ts"] != want.thread || p["reply_broadcast"] != want.broadcast {
			t.Errorf("message %d: below %v, shown in the channel %v; want %v, %v", n+1, p["thread_ts"], p["reply_broadcast"], want.thread, want.broadcast)
		}
	}
}

// The first message about an incident may be far up, or gone.
func TestThreadFarUp(t *testing.T) {
	r := open(t)
	r.perPage = 2
	r.send(t, page("1", "C1A", delivery.Page))
	for n := range 4 {
		other := page(delivery.ID(fmt.Sprint("x", n)), "C1A", delivery.Page)
		other.Message.Incident = fmt.Sprint("INC-", n)
		r.send(t, other)
	}
	r.restart()
	r.send(t, page("2", "C1A", delivery.Reminder))
	if last := r.posts[5]; last["thread_ts"] != r.posts[0]["ts"] {
		t.Errorf("it stands below %v", last["thread_ts"])
	}
	r.posts = r.posts[1:] // somebody has deleted it
	r.send(t, page("3", "C1A", delivery.Page))
	r.send(t, page("4", "C1A", delivery.Page))
	if n := len(r.posts); r.posts[n-2]["thread_ts"] != nil || r.posts[n-1]["thread_ts"] != r.posts[n-2]["ts"] {
		t.Errorf("they stand below %v and %v", r.posts[n-2]["thread_ts"], r.posts[n-1]["thread_ts"])
	}
}

// Two bots write into one channel. Each reads what is new there alone.
func TestThreadOfAnother(t *testing.T) {
	r := open(t)
	first := r.Sender
	for n := range 3 {
		e := page(delivery.ID(fmt.Sprint("a", n)), "C1A", delivery.Page)
		e.Message.Incident = fmt.Sprint("INC-", n)
		before := r.visited
		if err := first.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if got := r.visited - before; got > 3 {
			t.Errorf("%d messages were read, and 3 were new", got)
		}
		r.restart()
		e.ID += "b"
		r.send(t, e)
		e.ID += "c"
		if err := first.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for n, p := range r.posts {
		if root := r.posts[n/3*3]; n%3 > 0 && p["thread_ts"] != root["ts"] {
			t.Errorf("message %d stands below %v, want %v", n, p["thread_ts"], root["ts"])
		}
	}
}

// Messages about one incident that come at once stand in one thread.
func TestThreadOfMany(t *testing.T) {
	r := open(t)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			if err := r.Send(t.Context(), page(delivery.ID(fmt.Sprint(n)), "C1A", delivery.Page)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, p := range r.posts[1:] {
		if p["thread_ts"] != r.posts[0]["ts"] {
			t.Errorf("one stands below %v", p["thread_ts"])
		}
	}
}

// With one person each message stands by itself, in the conversation with them.
func TestMember(t *testing.T) {
	r := open(t)
	r.send(t, page("1", "U1A", delivery.Page))
	r.send(t, page("2", "U1A", delivery.Page))
	for _, p := range r.posts {
		if p["channel"] != "D1A" || p["thread_ts"] != nil {
			t.Errorf("got %v below %v", p["channel"], p["thread_ts"])
		}
	}
	if want := []string{"conversations.open", "chat.postMessage", "chat.postMessage"}; !slices.Equal(r.called, want) {
		t.Errorf("called %v, want %v", r.called, want)
	}
}

// What may have arrived is looked for by its id, below the first message too.
func TestNothingTwice(t *testing.T) {
	for _, address := range []string{"C1A", "U1A"} {
		r := open(t)
		for _, kind := range []delivery.Kind{delivery.Page, delivery.Reminder, delivery.Page} {
			r.send(t, page(delivery.ID(fmt.Sprint(kind, len(r.posts))), address, kind))
		}
		r.restart()
		for n, kind := range []delivery.Kind{delivery.Page, delivery.Reminder, delivery.Page} {
			e := page(delivery.ID(fmt.Sprint(kind, n)), address, kind)
			e.Repeated = true
			r.send(t, e)
		}
		if len(r.posts) != 3 {
			t.Errorf("%s: %d messages: %q", address, len(r.posts), r.Shown())
		}
	}
}

// Where the bot may not read, a repeat says that it is one; where it cannot read now, it waits.
func TestRepeatWithoutReading(t *testing.T) {
	r := open(t)
	r.fails, r.scopeFor = map[string]string{"conversations.history": "missing_scope"}, "channels:history"
	e := page("1", "C1A", delivery.Page)
	e.Repeated = true
	r.send(t, e)
	if all := r.Shown(); len(all) != 1 || !strings.Contains(all[0], "sent again") {
		t.Errorf("got %q", all)
	}
	r.fails["conversations.history"] = "internal_error"
	if err := r.Send(t.Context(), e); err == nil || delivery.IsRefusal(err) {
		t.Errorf("got %v", err)
	}
	r.send(t, page("2", "C1A", delivery.Page)) // a new one does not
	if len(r.posts) != 2 {
		t.Errorf("%d messages", len(r.posts))
	}
}

// buttons are the elements of the actions of a message, by what they do.
func buttons(t *testing.T, post map[string]any) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	attachments, _ := post["attachments"].([]any)
	for _, a := range attachments {
		blocks, _ := a.(map[string]any)["blocks"].([]any)
		for _, b := range blocks {
			if of, _ := b.(map[string]any); of["type"] == "actions" {
				for _, e := range of["elements"].([]any) {
					button := e.(map[string]any)
					all[fmt.Sprint(button["action_id"])] = button
				}
			}
		}
	}
	return all
}

func TestButtons(t *testing.T) {
	r := open(t)
	e := page("1", "C1A", delivery.Page)
	e.Message.Language = "ko"
	r.send(t, e)
	all := buttons(t, r.posts[0])
	for action, label := range map[link.Action]string{link.Acknowledge: "확인(ACK)", link.Escalate: "에스컬레이션", link.Resolve: "해결", "open": "열기"} {
		b := all[string(action)]
		text, _ := b["text"].(map[string]any)
		if text["text"] != label || action != "open" && b["value"] != slack.Value(e.Message.Incident, e.Offer.Content) {
			t.Errorf("%s: got %v", action, b)
		}
	}
	without := page("2", "C1A", delivery.Page)
	without.Offer = nil
	r.send(t, without)
	r.send(t, page("3", "C1A", delivery.Reminder))
	r.Buttons = false
	r.send(t, page("4", "C1A", delivery.Page))
	for _, p := range r.posts[1:] {
		if got := buttons(t, p); len(got) != 1 || got["open"] == nil {
			t.Errorf("got %v", got)
		}
	}
}

func TestFollow(t *testing.T) {
	for _, address := range []string{"C1A", "U1A"} {
		r := open(t)
		r.send(t, page("1", address, delivery.Page))
		r.send(t, page("2", address, delivery.Page))
		r.restart()
		said := func(text string) delivery.Envelope {
			e := page("1", address, delivery.FollowUp)
			e.Message.Text = text
			return e
		}
		for _, text := range []string{"Kim <@U1> has acknowledged it", "Kim <@U1> has acknowledged it", "Resolved: 14:05"} {
			if err := r.Follow(t.Context(), said(text)); err != nil {
				t.Fatal(err)
			}
			if got := buttons(t, r.posts[0]); len(got) != 1 || got["open"] == nil {
				t.Errorf("buttons that stay: %v", got)
			}
			want := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(text)
			if all := r.Shown(); strings.Count(all[0], want) != 1 || !strings.Contains(all[0], "Shop is down") || strings.Contains(all[1], want) {
				t.Errorf("got %q", all)
			}
		}
		if len(buttons(t, r.posts[1])) != 4 || len(r.posts) != 2 {
			t.Errorf("the other message: %v", r.posts[1])
		}
		if err := r.Follow(t.Context(), page("9", address, delivery.FollowUp)); err != nil {
			t.Errorf("a message that is not there: %v", err)
		}
		r.fails = map[string]string{"chat.update": "message_not_found"}
		if err := r.Follow(t.Context(), said("x")); err != nil {
			t.Errorf("a message that goes away: %v", err)
		}
		r.fails["chat.update"] = "internal_error"
		if err := r.Follow(t.Context(), said("x")); err == nil || delivery.IsRefusal(err) {
			t.Errorf("got %v", err)
		}
	}
	r := open(t)
	if err := r.Follow(t.Context(), page("1", r.url+"/services/T0/B0/x", delivery.FollowUp)); err != nil || len(r.called) != 0 {
		t.Errorf("a webhook cannot: got %v, called %v", err, r.called)
	}
}

// Slack says what is wrong with a status of 200.
func TestErrors(t *testing.T) {
	for code, tt := range map[string]struct {
		final bool
		after time.Duration
		want  string
	}{
		"channel_not_found": {true, 0, "Slack: chat.postMessage: channel_not_found: invite the bot"},
		"not_in_channel":    {true, 0, "invite the bot to the channel"},
		"is_archived":       {true, 0, "is_archived"},
		"invalid_auth":      {true, 0, "invalid_auth"},
		"missing_scope":     {true, 0, "the app needs the scope chat:write"},
		"invalid_blocks":    {true, 0, "invalid_blocks"},
		"ratelimited":       {false, 30 * time.Second, "ratelimited"},
		"internal_error":    {false, 0, "internal_error"},
		"fatal_error":       {false, 0, "fatal_error"},
	} {
		r := open(t)
		r.fails, r.scopeFor = map[string]string{"chat.postMessage": code}, "chat:write"
		err := r.Send(t.Context(), page("1", "C1A", delivery.Page))
		if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q, final: %v", code, err, tt.want, tt.final)
		}
		if u, ok := errors.AsType[*delivery.Unavailable](err); ok && u.After != tt.after {
			t.Errorf("%s: after %s", code, u.After)
		}
	}
	r := open(t)
	r.Token = ""
	if err := r.Send(t.Context(), page("1", "C1A", delivery.Page)); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "there is no bot") {
		t.Errorf("no bot: got %v", err)
	}
}
