package preset_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/preset"
)

// A chat stands in for one: it refuses what its documentation says it refuses, and answers as that says.
type chat struct {
	take func(r *http.Request, body map[string]any) (status int, answer string)

	mu    sync.Mutex
	shown []string
}

func (c *chat) Shown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := contract.Decode(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	status, answer := c.take(r, body)
	if strings.HasPrefix(answer, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	if status < 300 {
		c.mu.Lock()
		c.shown = append(c.shown, contract.Texts(body))
		c.mu.Unlock()
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(answer))
}

// at finds what stands at a path of a body such as attachments.0.title.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var n int
			if _, err := fmt.Sscan(key, &n); err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func length(v any) int {
	s, _ := v.(string)
	return utf8.RuneCountInString(s)
}

func size(v any) int {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	return b.Len()
}

var color = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// A place is where a chat takes messages.
type place struct {
	path   string // of the address
	secret string
	never  []string // what its messages may not have in them
	status bool     // its status is all that it says
	take   func(r *http.Request, body map[string]any) (int, string)
}

// stands are the chats, by the types of contact methods.
func stands() map[string]place {
	return map[string]place{
		"mattermost": {"/hooks/" + contract.Secret, "", []string{"@all", "@everyone", "@here", "[here]", " *now*"}, false, func(r *http.Request, b map[string]any) (int, string) {
			text, _ := at(b, "attachments.0.color").(string)
			if r.URL.Path != "/hooks/"+contract.Secret || length(at(b, "attachments.0.text")) > 16383 || length(at(b, "attachments.0.fallback")) == 0 || !color.MatchString(text) {
				return 400, `{"id":"web.incoming_webhook.text.app_error","message":"No text specified."}`
			}
			return 200, "ok"
		}},
		"discord": {"/api/webhooks/1/" + contract.Secret, "", []string{"[here]", " *now*"}, false, func(r *http.Request, b map[string]any) (int, string) {
			parse, _ := at(b, "allowed_mentions.parse").([]any)
			title, text, colour := at(b, "embeds.0.title"), at(b, "embeds.0.description"), at(b, "embeds.0.color")
			number, _ := colour.(float64)
			if parse == nil || len(parse) > 0 || length(title) > 256 || length(text) > 4096 || length(title)+length(text) > 6000 || number == 0 || r.URL.Query().Get("wait") != "true" {
				return 400, `{"code":50035,"message":"Invalid Form Body"}`
			}
			return 200, `{"id":"1","channel_id":"2"}`
		}},
		"google-chat": {"/v1/spaces/AAA/messages?key=k&token=" + contract.Secret, "", []string{"<users/all>", "<b>"}, false, func(r *http.Request, b map[string]any) (int, string) {
			if r.URL.Query().Get("token") != contract.Secret || size(b) > 32_000 || at(b, "cardsV2.0.cardId") == nil || length(at(b, "cardsV2.0.card.sections.0.widgets.0.textParagraph.text")) == 0 {
				return 400, `{"error":{"code":400,"message":"Message cannot be empty.","status":"INVALID_ARGUMENT"}}`
			}
			return 200, `{"name":"spaces/AAA/messages/1"}`
		}},
		"teams": {"/workflows/1/triggers/manual/paths/invoke?sig=" + contract.Secret, "", []string{"[here]", " *now*", "<at>"}, true, func(r *http.Request, b map[string]any) (int, string) {
			card := at(b, "attachments.0.content")
			style, _ := at(card, "body.0.style").(string)
			if r.URL.Query().Get("sig") != contract.Secret || b["type"] != "message" || at(b, "attachments.0.contentType") != "application/vnd.microsoft.card.adaptive" || size(b) > 28<<10 ||
				at(card, "type") != "AdaptiveCard" || !strings.Contains("default emphasis good attention warning accent", style) {
				return 400, `{"error":{"code":"TriggerInputSchemaMismatch"}}`
			}
			return 202, ""
		}},
		"ntfy": {"/" + "t0pic", contract.Secret, nil, false, func(r *http.Request, b map[string]any) (int, string) {
			priority, _ := b["priority"].(float64)
			message, _ := b["message"].(string)
			if r.Header.Get("Authorization") != "Bearer "+contract.Secret {
				return 403, `{"code":40301,"http":403,"error":"forbidden"}`
			}
			if r.URL.Path != "/" || b["topic"] != "t0pic" || priority < 1 || priority > 5 || len(message) > 4096 || message == "" {
				return 400, `{"code":40009,"http":400,"error":"invalid request"}`
			}
			return 200, `{"id":"hwQ2YpKdmg","event":"message","topic":"t0pic"}`
		}},
		"kakaowork": {"/bots/hook/" + contract.Secret, "", nil, true, func(r *http.Request, b map[string]any) (int, string) {
			if r.Header.Get("Authorization") != "" || length(b["text"]) == 0 {
				return 400, ""
			}
			return 200, `{"success":true}`
		}},
	}
}

func TestChats(t *testing.T) {
	all, err := preset.Chats()
	if err != nil || len(all) != len(stands()) {
		t.Fatalf("got %v, %v", all, err)
	}
	for _, name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, stand := loaded(t, name), stands()[name]
			contract.Channel{
				Room: func() contract.Room { return &chat{take: stand.take} }, Status: stand.status, Never: stand.never,
				Open: func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
					return &preset.Poster{Client: &outbound.Client{Guard: guard, Timeout: timeout, Single: true}, Chat: c}, delivery.Contact{
						Method: "chat", Type: delivery.ContactType(name), Address: url + stand.path, Secret: stand.secret,
					}
				},
			}.Run(t)
		})
	}
}

func loaded(t *testing.T, name string) *preset.Chat {
	t.Helper()
	c, err := preset.LoadChat(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a bot of KakaoWork is asked, and what its answers mean.
func TestBotOfKakaoWork(t *testing.T) {
	said := `{"success":true,"error":null}`
	var got []string
	room := &chat{take: func(r *http.Request, b map[string]any) (int, string) {
		got = append(got, fmt.Sprint(r.URL.Path, " ", r.Header.Get("Authorization"), " ", b["email"], " ", b["conversation_id"]))
		return 200, said
	}}
	c, client := loaded(t, "kakaowork"), stand(t, room)
	for n := range c.Ways {
		c.Ways[n].Post = strings.Replace(c.Ways[n].Post, "https://api.kakaowork.com", client.url, 1)
	}
	p := &preset.Poster{Client: client.Client, Chat: c}
	send := func(address string) error {
		return p.Send(t.Context(), delivery.Envelope{ID: "1", Contact: delivery.Contact{Address: address, Secret: "key"}, Message: contract.Page()})
	}
	for _, address := range []string{"kim@mirnet.example", "4711"} {
		if err := send(address); err != nil {
			t.Error(err)
		}
	}
	if want := "/v1/messages.send_by_email Bearer key kim@mirnet.example <nil>|/v1/messages.send Bearer key <nil> 4711"; strings.Join(got, "|") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, "|"), want)
	}
	said = `{"success":false,"error":{"code":"user_not_found","message":"no such user"}}`
	if err := send("kim@mirnet.example"); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("got %v", err)
	}
	if err := send("kim"); !delivery.IsRefusal(err) {
		t.Errorf("no address of it: got %v", err)
	}
}

func TestSentAgain(t *testing.T) {
	c := loaded(t, "mattermost")
	room := &chat{take: func(*http.Request, map[string]any) (int, string) { return 200, "ok" }}
	client := stand(t, room)
	for language, want := range map[string]string{"en": "(This is sent again, and may be here already.)", "ko": "(이미 도착했을 수 있는 메시지를 다시 보냅니다.)"} {
		m := contract.Page()
		m.Language = language
		e := delivery.Envelope{ID: "1", Repeated: true, Contact: delivery.Contact{Address: client.url + "/hooks/x"}, Message: m}
		if err := (&preset.Poster{Client: client.Client, Chat: c}).Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if all := room.Shown(); !strings.Contains(all[len(all)-1], want) {
			t.Errorf("got %s, want %s", all[len(all)-1], want)
		}
	}
}

// A topic needs a name.
func TestNoTopic(t *testing.T) {
	c := loaded(t, "ntfy")
	for _, address := range []string{"https://ntfy.example/", "https://ntfy.example", "https:///x", "ntfy"} {
		e := delivery.Envelope{ID: "1", Contact: delivery.Contact{Address: address}, Message: contract.Page()}
		if err := (&preset.Poster{Client: &outbound.Client{}, Chat: c}).Send(t.Context(), e); !delivery.IsRefusal(err) {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

func TestFaultsOfChats(t *testing.T) {
	const good = "name: X\ntitle: 100\ntext: 1000\nways: [{of: url}]\nbody: {text: \"{text}\"}\n"
	for content, want := range map[string]string{
		strings.Replace(good, "{text}", "{txt}", 1):           "nobody knows {txt}",
		strings.Replace(good, "of: url", "of: pigeon", 1):     `a way of "pigeon"`,
		strings.Replace(good, "of: url", "of: mail", 1):       `a way of "mail", to ""`,
		good + "escape: {ab: c}\n":                            `escape "ab": want one character`,
		good + "header: {X: \"{title}\"}\n":                   "nobody knows {title}",
		good + "colour: red\n":                                "colour",
		strings.Replace(good, "text: 1000", "text: 10", 1):    "no room",
		strings.Replace(good, "body: {text", "bdy: {text", 1): "bdy",
	} {
		_, err := preset.LoadChatFrom(fstest.MapFS{"channels/x.yaml": {Data: []byte(content)}}, "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %s", content, err, want)
		}
	}
	if _, err := preset.LoadChatFrom(fstest.MapFS{"channels/x.yaml": {Data: []byte(good)}}, "x"); err != nil {
		t.Error(err)
	}
}

// stood is a way to a stand-in that runs.
type stood struct {
	*outbound.Client

	url string
}

func stand(t *testing.T, room http.Handler) stood {
	t.Helper()
	srv := httptest.NewServer(room)
	t.Cleanup(srv.Close)
	return stood{&outbound.Client{Guard: outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, Single: true}, srv.URL}
}
