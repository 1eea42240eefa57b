package slack

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

const (
	maxName  = 80  // characters of the name of a channel
	maxTopic = 250 // of its topic
	lists    = 10  // pages of channels that are looked through for a name

	maxMembers = 30
)

// unfit are the characters that the name of a channel may not have.
var unfit = regexp.MustCompile(`[^a-z0-9_-]+`)

// roomName is that of the channel for a thing.
func roomName(key string) string {
	name := strings.Trim(unfit.ReplaceAllString(strings.ToLower(key), "-"), "-")
	return name[:min(len(name), maxName)]
}

// conversation is a channel as Slack has it, as far as we read it.
type conversation struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Creator string `json:"creator"`
	Private bool   `json:"is_private"`
}

// Keep makes a channel for a thing if there is none, invites those who belong there, says what is new and, when it is over, archives it. What
// was done before is not done again: the channel is found by its name, what was said by its identity.
func (s *Sender) Keep(ctx context.Context, r delivery.Room) (ticket.Ref, error) {
	ref := ticket.Ref{ID: r.ID}
	if s.Token == "" {
		return ref, &delivery.Refusal{Detail: "there is no bot: channels in organisation.yaml has no slack"}
	}
	if r.ID == "" {
		made, err := s.open(ctx, r)
		if err != nil {
			return ref, err
		}
		ref = made
	}
	if err := s.invite(ctx, ref.ID, r.Members); err != nil {
		return ref, err
	}
	if r.ID != "" {
		if err := s.say(ctx, ref.ID, r.Said, r.News); err != nil {
			return ref, err
		}
	}
	if !r.Archive {
		return ref, nil
	}
	err := s.call(ctx, "conversations.archive", map[string]string{"channel": ref.ID}, nil)
	if is(err, "already_archived", "channel_not_found") {
		err = nil
	}
	return ref, err
}

// open makes the channel, or finds the one that an attempt before has made, and says there what it is about.
func (s *Sender) open(ctx context.Context, r delivery.Room) (ref ticket.Ref, err error) {
	name := roomName(r.Key)
	var team struct {
		URL  string `json:"url"`
		User string `json:"user_id"`
	}
	if err := s.call(ctx, "auth.test", map[string]string{}, &team); err != nil {
		return ref, err
	}
	var out struct {
		Channel conversation `json:"channel"`
	}
	err = s.call(ctx, "conversations.create", map[string]any{"name": name, "is_private": r.Private}, &out)
	if is(err, "name_taken") {
		out.Channel, err = s.ours(ctx, conversation{Name: name, Creator: team.User, Private: r.Private})
	}
	if err != nil {
		return ref, err
	}
	if out.Channel.ID == "" {
		return ref, s.strange("conversations.create")
	}
	ref.ID = out.Channel.ID
	if u, err := url.Parse(team.URL); err == nil && u.Scheme == "https" {
		ref.URL = strings.TrimSuffix(team.URL, "/") + "/archives/" + ref.ID
	}
	topic := ticket.Cut(outbound.Line(r.Title, maxTopic), maxTopic)
	if n := len(r.Link); n > 0 && n <= maxTopic/2 {
		topic = ticket.Cut(topic, maxTopic-n-1) + " " + r.Link
	}
	if err := s.call(ctx, "conversations.setTopic", map[string]string{"channel": ref.ID, "topic": topic}, nil); err != nil && !delivery.IsRefusal(err) {
		return ref, err // a refused topic keeps nobody from talking
	}
	return ref, s.say(ctx, ref.ID, delivery.ID(r.Key+"/room"), r.Opening)
}

// ours finds the channel that an attempt before has made: with that name, by the bot, and as private as it has to be.
func (s *Sender) ours(ctx context.Context, want conversation) (c conversation, err error) {
	kind := "public_channel"
	if want.Private {
		kind = "private_channel"
	}
	query := url.Values{"types": {kind}, "exclude_archived": {"true"}, "limit": {strconv.Itoa(perPage)}}
	for range lists {
		var out struct {
			Channels []conversation `json:"channels"`
			Next     struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := s.call(ctx, "conversations.list?"+query.Encode(), nil, &out); err != nil {
			return c, err
		}
		for _, c := range out.Channels {
			if want.ID = c.ID; c == want {
				return c, nil
			}
		}
		if out.Next.Cursor == "" {
			break
		}
		query.Set("cursor", out.Next.Cursor)
	}
	return c, &delivery.Refusal{Detail: "Slack: the channel " + want.Name + " is there already, and is not one that the bot has made for this: rename it"}
}

// invite asks members in, one after the other: who is there already, or may not be asked, keeps no other out.
func (s *Sender) invite(ctx context.Context, channel string, members []string) error {
	for _, m := range members[:min(len(members), maxMembers)] {
		err := s.call(ctx, "conversations.invite", map[string]string{"channel": channel, "users": m}, nil)
		if err != nil && !delivery.IsRefusal(err) || is(err, "missing_scope", "not_in_channel", "channel_not_found") {
			return err
		}
	}
	return nil
}

// say writes into the channel what does not stand there yet.
func (s *Sender) say(ctx context.Context, channel string, id delivery.ID, m delivery.Message) error {
	e := delivery.Envelope{ID: id, Message: m}
	there, err := s.find(ctx, channel, e)
	if err == nil && there != nil {
		return nil
	}
	if err != nil && !delivery.IsRefusal(err) {
		return err
	}
	post := compose(e, false)
	post.Channel = channel
	if _, err = s.post(ctx, post); is(err, "is_archived") { // people have done that: they need no more news there
		return nil
	}
	return err
}
