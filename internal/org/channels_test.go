package org_test

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"muster/internal/delivery"
	"muster/internal/priority"
)

// park is what the good folder says of one method, which the tests replace.
const parkHook = "{name: desk, type: console}"

const slackApp = "channels:\n  slack: {token: env:SLACK_TOKEN, signing_secret: env:SLACK_SIGNING}\ntickets:\n"

func TestMethodsOfChats(t *testing.T) {
	t.Setenv("CHAT", "k3y")
	for method, want := range map[string]delivery.Contact{
		"type: slack, address: U024BE7LH":                                            {Type: delivery.Slack, Address: "U024BE7LH"},
		"type: slack, address: https://hooks.slack.com/services/T0/B0/x":             {Type: delivery.Slack, Address: "https://hooks.slack.com/services/T0/B0/x"},
		"type: teams, address: https://x.api.powerplatform.com/1?sig=x":              {Type: delivery.Teams, Address: "https://x.api.powerplatform.com/1?sig=x"},
		"type: mattermost, address: env:CHAT":                                        {Type: delivery.Mattermost, Address: "k3y"},
		"type: google-chat, address: https://chat.googleapis.com/v1/spaces/A?token=": {Type: delivery.GoogleChat, Address: "https://chat.googleapis.com/v1/spaces/A?token="},
		"type: discord, address: https://discord.com/api/webhooks/1/x":               {Type: delivery.Discord, Address: "https://discord.com/api/webhooks/1/x"},
		"type: ntfy, address: https://ntfy.sh/mirnet, secret: env:CHAT":              {Type: delivery.Ntfy, Address: "https://ntfy.sh/mirnet", Secret: "k3y"},
		"type: ntfy, address: https://ntfy.sh/mirnet":                                {Type: delivery.Ntfy, Address: "https://ntfy.sh/mirnet"},
		"type: kakaowork, address: 4711, secret: env:CHAT":                           {Type: delivery.KakaoWork, Address: "4711", Secret: "k3y"},
		"type: kakaowork, address: kim@mirnet.example, secret: env:CHAT":             {Type: delivery.KakaoWork, Address: "kim@mirnet.example", Secret: "k3y"},
		"type: kakaowork, address: https://kakaowork.com/bots/hook/x":                {Type: delivery.KakaoWork, Address: "https://kakaowork.com/bots/hook/x"},
	} {
		files := good(t)
		change{"people.yaml", parkHook, "{name: desk, " + method + "}"}.in(t, files)
		change{"organisation.yaml", "tickets:\n", slackApp}.in(t, files)
		got, err := load(t, files).Contact("park", "desk")
		want.Method = "desk"
		if err != nil || got != want {
			t.Errorf("%s: got %#v, %v", method, got, err)
		}
	}
}

func TestFaultsOfChats(t *testing.T) {
	for method, want := range map[string]string{
		"type: slack, address: U024BE7LH":                        `people.yaml:21:44: person park: method desk: address: it is an ID, and organisation.yaml says nothing of channels: slack`,
		"type: slack, address: kim":                              `address <secret>: want the ID of a member or a channel, such as U024BE7LH or C024BE91L, or an incoming webhook`,
		"type: slack, address: https://evil.example/hunter2":     `address <secret>: want the ID of a member`,
		"type: slack, address: U024BE7LH, secret: env:X":         `secret: want none, because the type slack has none of its own`,
		"type: teams, address: kim":                              `address <secret>: want a URL`,
		"type: ntfy, address: https://ntfy.sh/":                  `address <secret>: want the URL of a topic, such as https://ntfy.sh/TOPIC`,
		"type: kakaowork, address: hunter2, secret: env:X":       `address <secret>: want a mail address, the number of a conversation, or an incoming webhook`,
		"type: kakaowork, address: 4711":                         `secret: missing; want a reference to the App Key of the bot`,
		"type: mattermost, address: http://x/y, secret: hunter2": `secret: want none, because the type mattermost has none of its own`,
	} {
		files := good(t)
		change{"people.yaml", parkHook, "{name: desk, " + method + "}"}.in(t, files)
		if all := strings.Join(faults(t, files), "\n"); !strings.Contains(all, want) || strings.Contains(all, "hunter2") {
			t.Errorf("%s:\ngot %s\nwant %s", method, all, want)
		}
	}
}

func TestSlackApp(t *testing.T) {
	files := good(t)
	if app, err := load(t, files).Slack(); err != nil || app.URL != "" {
		t.Errorf("without channels: got %+v, %v", app, err)
	}
	change{"organisation.yaml", "tickets:\n", slackApp}.in(t, files)
	o := load(t, files)
	if _, err := o.Slack(); err == nil || !strings.Contains(err.Error(), "channels: slack: token env:SLACK_TOKEN: not set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("SLACK_TOKEN", "xoxb-1")
	if app, err := o.Slack(); err != nil || app.URL != "https://slack.com/api" || app.Token != "xoxb-1" || !app.Buttons {
		t.Errorf("got %v, %v", app, err)
	}
	if _, err := o.SlackSigning(); err == nil || !strings.Contains(err.Error(), "channels: slack: signing_secret env:SLACK_SIGNING: not set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("SLACK_SIGNING", "s1gn")
	if secret, err := o.SlackSigning(); err != nil || secret != "s1gn" {
		t.Errorf("got %v", err)
	}
}

func TestReached(t *testing.T) {
	files := good(t)
	change{"organisation.yaml", "tickets:\n", slackApp}.in(t, files)
	change{"people.yaml", parkHook, "{name: desk, type: slack, address: U024BE7LH}\n      - {name: room, type: slack, address: C024BE91L}"}.in(t, files)
	o := load(t, files)
	for address, want := range map[string]string{"U024BE7LH": "park", "C024BE91L": "park", "U0": "", "": ""} {
		if got, ok := o.Reached(delivery.Slack, address); got != want || ok != (want != "") {
			t.Errorf("%s: got %q", address, got)
		}
	}
	change{"people.yaml", "type: webhook", "type: slack"}.in(t, files)
	change{"people.yaml", "        secret: env:KIM_SECRET\n", ""}.in(t, files)
	t.Setenv("KIM_URL", "C024BE91L")
	if got, ok := load(t, files).Reached(delivery.Slack, "C024BE91L"); ok {
		t.Errorf("two have it, and it is %s's", got)
	}
}

func TestAddressed(t *testing.T) {
	t.Setenv("KIM_URL", "https://chat.example/kim")
	t.Setenv("KIM_SECRET", "s")
	o := load(t, good(t))
	for name, want := range map[string]string{
		"kim/chat": "kim webhook https://chat.example/kim", "shopco/desk/mail": "shopco/desk email desk@shop.example", "fallback": "fallback email noc@example.com",
	} {
		to, c, err := o.Addressed(name)
		if got := strings.Join([]string{to.ID, string(c.Type), c.Address}, " "); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		"kim": "want somebody and one of their methods", "/x": "want somebody", "": "want somebody", "who/chat": `nobody in the organisation folder is "who"`,
		"kim/fax": "kim has the methods chat, mail", "group:who/chat": `nobody in the organisation folder is "group:who"`,
	} {
		if _, _, err := o.Addressed(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// What the pages of channels tell to put into the folder is right there, and every type has a page, which the first one names.
func TestPagesOfChannels(t *testing.T) {
	first, err := os.ReadFile("../../docs/channels/README.md")
	if err != nil {
		t.Fatal(err)
	}
	settings, methods := regexp.MustCompile("(?s)```yaml\n# organisation.yaml\n(.*?)```"), regexp.MustCompile("(?s)```yaml\n# people.yaml\n(.*?)```")
	for _, kind := range delivery.ContactTypes() {
		page, err := os.ReadFile("../../docs/channels/" + string(kind) + ".md")
		row := regexp.MustCompile("(?m)^\\| `" + string(kind) + "` \\| \\[[^|]*\\]\\(" + string(kind) + "\\.md\\) \\|[^|]*\\| ([^|]*) \\|").FindSubmatch(first)
		if err != nil || row == nil {
			t.Errorf("type %s: want a page in docs/channels and a row in its README.md: %v", kind, err)
			continue
		}
		files, found := good(t), 0
		for _, m := range settings.FindAllSubmatch(page, -1) {
			if strings.HasPrefix(string(m[1]), "mail:") { // the folder has one
				files["organisation.yaml"] = regexp.MustCompile(`(?m)^mail:\n(  .*\n)*`).ReplaceAllString(files["organisation.yaml"], "")
			}
			change{"organisation.yaml", "tickets:\n", string(m[1]) + "tickets:\n"}.in(t, files)
		}
		for _, m := range methods.FindAllSubmatch(page, -1) {
			for line := range strings.Lines(string(m[1])) {
				found++
				o := maps.Clone(files)
				change{"people.yaml", "- " + parkHook, strings.TrimSpace(line)}.in(t, o)
				load(t, o)
				if !strings.Contains(line, "type: "+string(kind)+",") && !strings.Contains(line, "type: "+string(kind)+"}") || strings.Contains(line, "secret:") && string(row[1]) == "–" {
					t.Errorf("type %s: its row or its page is of another one: %s", kind, line)
				}
			}
		}
		if found == 0 {
			t.Errorf("type %s: its page has no method", kind)
		}
	}
}

// Incidents from a priority on get a room, by the bot alone.
func TestRoomsOfIncidents(t *testing.T) {
	with := func(slack string) map[string]string {
		files := good(t)
		files["organisation.yaml"] = strings.Replace(files["organisation.yaml"], "tickets:\n", "channels:\n  slack: {"+slack+"}\ntickets:\n", 1)
		return files
	}
	files := with("token: env:SLACK_TOKEN, room: {from_priority: P2}")
	o := load(t, files)
	d, err := o.Definition("alertmanager", nil, "")
	if err != nil || d.Room == nil || d.Room.FromPriority != priority.P2 {
		t.Errorf("got %+v, %v", d.Room, err)
	}
	if d, err := load(t, with("token: env:SLACK_TOKEN")).Definition("alertmanager", nil, ""); err != nil || d.Room != nil {
		t.Errorf("without a room: %+v, %v", d.Room, err)
	}
	for give, want := range map[string]string{
		"token: env:SLACK_TOKEN, room: {}":                  "room: from_priority: missing",
		"token: env:SLACK_TOKEN, room: {from_priority: P9}": `from_priority "P9"`,
		"room: {from_priority: P1}":                         "token: missing",
	} {
		if got := faults(t, with(give)); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want %q", give, got, want)
		}
	}
}
