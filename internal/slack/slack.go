// Package slack writes messages in Slack: by a bot, which answers buttons and finds what it has written, or by an incoming webhook. It
// receives nothing.
package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Sender writes to a member or a channel by the bot, or by the incoming webhook that is the contact's address.
type Sender struct {
	Client  *outbound.Client // of webhooks. Single: they cannot tell a repeat
	Guard   outbound.Guard
	Timeout time.Duration // of one call
	URL     string        // before the names of methods
	Token   string        // empty: there is no bot
	Buttons bool          // somebody listens to them

	mu      sync.Mutex
	rooms   map[string]string // conversations with members
	threads map[string]string // the first message of what was written about one thing in one channel
	read    map[string]string // up to which message each channel was read for first messages
	turns   [64]chan struct{} // one writes about one thing in one channel at a time: there is one first message
}

// maxKnown bounds what is kept of either. What is forgotten is asked for again.
const maxKnown = 10_000

// seed spreads things over turns.
var seed = maphash.MakeSeed()

// Send makes one attempt. Of a message that may have arrived the bot asks Slack first.
func (s *Sender) Send(ctx context.Context, e delivery.Envelope) error {
	if strings.Contains(e.Contact.Address, "://") {
		return s.hook(ctx, e)
	}
	if s.Token == "" {
		return &delivery.Refusal{Detail: "the address is an ID, and there is no bot: channels in organisation.yaml has no slack"}
	}
	channel, err := s.channel(ctx, e.Contact.Address)
	if err != nil {
		return err
	}
	m := compose(e, s.Buttons)
	if e.Repeated {
		there, err := s.find(ctx, channel, e)
		switch {
		case err == nil && there != nil:
			return nil
		case delivery.IsRefusal(err): // it may not look
			m = compose(again(e), s.Buttons)
		case err != nil:
			return err
		}
	}
	m.Channel = channel
	if e.Message.Incident == "" || channel != e.Contact.Address { // with one person each message stands by itself: a reply may stay unseen
		_, err := s.post(ctx, m)
		return err
	}
	return s.thread(ctx, m, e)
}

// again says that a message may be there already.
func again(e delivery.Envelope) delivery.Envelope {
	e.Message.Text = outbound.Again(e.Message.Language) + "\n\n" + e.Message.Text
	return e
}

// hook posts to an incoming webhook.
func (s *Sender) hook(ctx context.Context, e delivery.Envelope) error {
	if e.Repeated {
		e = again(e)
	}
	m := compose(e, false)
	m.Metadata = nil // is for bots
	body, err := json.Marshal(m)
	if err != nil {
		return &delivery.Refusal{Detail: "the message cannot be written as JSON: " + err.Error()}
	}
	reply, err := s.Client.Post(ctx, outbound.Request{URL: e.Contact.Address, Body: body})
	if err != nil || reply.Cut != nil { // its status has said that it was taken
		return err
	}
	if strings.TrimSpace(string(reply.Body)) != "ok" {
		return &delivery.Refusal{Detail: "the answer is not that of Slack: is the address right?"}
	}
	return nil
}

// channel returns the conversation with a member; a channel is one already.
func (s *Sender) channel(ctx context.Context, address string) (string, error) {
	if !strings.HasPrefix(address, "U") && !strings.HasPrefix(address, "W") {
		return address, nil
	}
	if known := s.known(&s.rooms, address); known != "" {
		return known, nil
	}
	var out struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	if err := s.call(ctx, "conversations.open", map[string]string{"users": address}, &out); err != nil {
		return "", err
	}
	if out.Channel.ID == "" {
		return "", s.strange("conversations.open")
	}
	s.keep(&s.rooms, address, out.Channel.ID)
	return out.Channel.ID, nil
}

// thread writes about one thing below what was first written about it. What is to be acknowledged is shown in the channel too. A first
// message that cannot be looked for keeps nothing waiting.
func (s *Sender) thread(ctx context.Context, m message, e delivery.Envelope) error {
	about := thing(m.Channel, e.Message.Incident)
	turn := s.turn(about)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait for others that write in the same thread: %w", ctx.Err())
	}
	if m.Thread = s.known(&s.threads, about); m.Thread == "" {
		looked, cancel := context.WithTimeout(ctx, s.Timeout)
		_ = s.learn(looked, m.Channel)
		cancel()
		m.Thread = s.known(&s.threads, about)
	}
	m.Broadcast = m.Thread != "" && e.Message.Kind == delivery.Page
	ts, err := s.post(ctx, m)
	if gone(err) && m.Thread != "" {
		m.Thread, m.Broadcast = "", false
		ts, err = s.post(ctx, m)
	}
	if err != nil {
		return err
	}
	if m.Thread != "" {
		ts = m.Thread
	}
	s.keep(&s.threads, about, ts)
	return nil
}

// turn is a place for one.
func (s *Sender) turn(about string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := maphash.String(seed, about) % uint64(len(s.turns))
	if s.turns[n] == nil {
		s.turns[n] = make(chan struct{}, 1)
	}
	return s.turns[n]
}

func (s *Sender) post(ctx context.Context, m message) (string, error) {
	var out struct {
		TS string `json:"ts"`
	}
	if err := s.call(ctx, "chat.postMessage", m, &out); err != nil {
		return "", err
	}
	if out.TS == "" {
		return "", s.strange("chat.postMessage")
	}
	return out.TS, nil
}

// Follow says below the message of a delivery what has become of it, and takes its buttons away. A message that is not there any more
// needs neither.
func (s *Sender) Follow(ctx context.Context, e delivery.Envelope) error {
	if s.Token == "" || strings.Contains(e.Contact.Address, "://") {
		return nil
	}
	channel, err := s.channel(ctx, e.Contact.Address)
	if err != nil {
		return err
	}
	there, err := s.find(ctx, channel, e)
	if err != nil || there == nil {
		return err
	}
	there.Channel, there.Parse = channel, "none" // else it would read names as mentions
	there.Thread, there.Replies = "", 0
	there.followed(e.Message)
	if err := s.call(ctx, "chat.update", there, nil); !gone(err) {
		return err
	}
	return nil
}

// thing is what one thread is about.
func thing(channel, about string) string { return channel + " " + about }

func (s *Sender) known(of *map[string]string, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (*of)[key]
}

func (s *Sender) keep(of *map[string]string, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *of == nil || len(*of) >= maxKnown {
		s.read = nil // what is forgotten is to be read again
		*of = map[string]string{}
	}
	(*of)[key] = value
}

func (s *Sender) strange(method string) error {
	return &delivery.Unavailable{Detail: fmt.Sprintf("the answer to %s is not what the API of Slack says", method)}
}
