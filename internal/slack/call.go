package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// How much of a conversation is looked through for a message, the newest first.
const (
	pages   = 3
	perPage = 200
)

// answered is what every answer says.
type answered struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"` // a scope
}

// fault is an error that Slack names.
type fault struct {
	code string
	error
}

func (f *fault) Unwrap() error { return f.error }

// gone tells whether a message is not there.
func gone(err error) bool {
	return is(err, "message_not_found", "thread_not_found", "invalid_thread_ts")
}

// is tells whether an error is one of those that Slack names so.
func is(err error, codes ...string) bool {
	f, ok := errors.AsType[*fault](err)
	return ok && slices.Contains(codes, f.code)
}

// passing are the errors that another attempt may not meet.
func passing() []string {
	return []string{
		"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited",
		"external_channel_migrating",
	}
}

// call calls a method: with a body to write, else to read.
func (s *Sender) call(ctx context.Context, method string, body, into any) error {
	api := outbound.API{
		Name: "Slack", Guard: s.Guard, Timeout: s.Timeout, URL: s.URL, Secrets: []string{s.Token},
		Header: map[string]string{"Authorization": "Bearer " + s.Token, "Content-Type": "application/json; charset=utf-8"},
	}
	verb := http.MethodPost
	if body == nil {
		verb = http.MethodGet
	}
	var raw json.RawMessage
	if err := api.Call(ctx, verb, "/"+method, body, &raw); err != nil {
		return err
	}
	var said answered
	if json.Unmarshal(raw, &said) != nil || !said.OK && said.Error == "" {
		return s.strange(named(method))
	}
	if said.OK {
		if into != nil && json.Unmarshal(raw, into) != nil {
			return s.strange(named(method))
		}
		return nil
	}
	code := outbound.Line(said.Error, 60)
	detail := "Slack: " + named(method) + ": " + code
	switch code {
	case "missing_scope":
		detail += ": the app needs the scope " + outbound.Line(said.Needed, 60)
	case "not_in_channel", "channel_not_found":
		detail += ": invite the bot to the channel, or put its right ID here"
	}
	if slices.Contains(passing(), code) {
		after := time.Duration(0)
		if code == "ratelimited" || code == "rate_limited" {
			after = 30 * time.Second
		}
		return &fault{code, &delivery.Unavailable{Detail: detail, After: after}}
	}
	return &fault{code, &delivery.Refusal{Detail: detail}}
}

// named is a method without what is asked of it.
func named(method string) string {
	u, err := url.Parse(method)
	if err != nil {
		return method
	}
	return u.Path
}

// each visits the messages of a conversation, or of one thread in it, of all or after one, until visit has seen enough.
func (s *Sender) each(ctx context.Context, channel, thread, after string, visit func(m *message) bool) error {
	method, query := "conversations.history", url.Values{
		"channel": {channel}, "limit": {strconv.Itoa(perPage)}, "include_all_metadata": {"true"},
	}
	if after != "" {
		query.Set("oldest", after)
	}
	if thread != "" {
		method = "conversations.replies"
		query.Set("ts", thread)
	}
	for range pages {
		var out struct {
			Messages []message `json:"messages"`
			Next     struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := s.call(ctx, method+"?"+query.Encode(), nil, &out); err != nil {
			return err
		}
		for n := range out.Messages {
			if visit(&out.Messages[n]) {
				return nil
			}
		}
		if out.Next.Cursor == "" {
			return nil
		}
		query.Set("cursor", out.Next.Cursor)
	}
	return nil
}

// learn reads a channel, from where it was read before, for the first messages of threads: other workers write there as well.
func (s *Sender) learn(ctx context.Context, channel string) error {
	newest := s.known(&s.read, channel)
	found := map[string]string{}
	err := s.each(ctx, channel, "", newest, func(m *message) bool {
		newest = max(newest, m.TS)
		if m.first() && m.Metadata != nil && m.Metadata.about(m.Metadata.Payload.About) {
			found[thing(channel, m.Metadata.Payload.About)] = m.TS
		}
		return false
	})
	for about, ts := range found {
		if s.known(&s.threads, about) == "" {
			s.keep(&s.threads, about, ts)
		}
	}
	if err == nil {
		s.keep(&s.read, channel, newest)
	}
	return err
}

// find returns the message of a delivery, nil when it is not there.
func (s *Sender) find(ctx context.Context, channel string, e delivery.Envelope) (*message, error) {
	var found, first *message
	of := func(m *message) bool {
		if m.Metadata.of(e.ID) {
			found = m
		}
		return found != nil
	}
	err := s.each(ctx, channel, "", "", func(m *message) bool {
		if first == nil && m.first() && m.Metadata.about(e.Message.Incident) {
			first = m
		}
		return of(m)
	})
	if err != nil || found != nil || first == nil || first.Replies == 0 {
		return found, err
	}
	return found, s.each(ctx, channel, first.TS, "", of)
}
