package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/org"
)

// withPhones is the good folder with these settings, and a person who has these methods.
func withPhones(t *testing.T, settings, methods string) map[string]string {
	t.Helper()
	files := good(t)
	files["organisation.yaml"] += settings
	files["people.yaml"] += "  - {id: choi, name: Choi, language: en, login: Choi@Example.com, methods: [" + methods + "]}\n"
	return files
}

const twilioSettings = "channels: {twilio: {account: AC0123456789abcdef0123456789abcdef, token: env:TWILIO_TOKEN, from: +15005550006}}\n"

func TestPhones(t *testing.T) {
	t.Setenv("TWILIO_TOKEN", "s3cret")
	t.Setenv("TWILIO_AUTH", "pr00f")
	const account = "AC0123456789abcdef0123456789abcdef"
	for settings, want := range map[string]org.Phones{
		"": {},
		twilioSettings: {
			ID: account, Token: "s3cret", Proof: "s3cret", From: "+15005550006", VoiceFrom: "+15005550006", URL: "https://api.twilio.com",
		},
		"channels: {twilio: {account: " + account + ", key: SK0123456789abcdef0123456789abcdef, token: env:TWILIO_TOKEN, from: Mirnet, url: https://sms.example/}}\n": {
			ID: account, Key: "SK0123456789abcdef0123456789abcdef", Token: "s3cret", From: "Mirnet", URL: "https://sms.example",
		},
		"channels: {twilio: {account: " + account + ", key: SK0123456789abcdef0123456789abcdef, token: env:TWILIO_TOKEN, auth_token: env:TWILIO_AUTH, from: MG0123456789abcdef0123456789abcdef, voice_from: +8225550100}}\n": {
			ID: account, Key: "SK0123456789abcdef0123456789abcdef", Token: "s3cret", Proof: "pr00f", From: "MG0123456789abcdef0123456789abcdef",
			VoiceFrom: "+8225550100", URL: "https://api.twilio.com",
		},
	} {
		if got, err := load(t, withPhones(t, settings, "{name: desk, type: console}")).Phones(); err != nil || got != want {
			t.Errorf("%s: got %#v, %v", settings, string(got.Token), err)
		}
	}
	t.Setenv("TWILIO_TOKEN", "")
	if _, err := load(t, withPhones(t, twilioSettings, "{name: desk, type: console}")).Phones(); err == nil ||
		err.Error() != "channels: twilio: token env:TWILIO_TOKEN: not set in the environment of this process" {
		t.Errorf("got %v", err)
	}
}

func TestMethodsThatRing(t *testing.T) {
	t.Setenv("CHOI_PHONE", "+821012345678")
	t.Setenv("CHOI_PD", "0123456789abcdef0123456789abcdef")
	t.Setenv("CHOI_PD_HOOKS", "h00ks")
	o := load(t, withPhones(t, twilioSettings,
		"{name: text, type: sms, address: +821087654321}, {name: call, type: voice, address: env:CHOI_PHONE}, "+
			"{name: pager, type: pagerduty, address: env:CHOI_PD, secret: env:CHOI_PD_HOOKS}"))
	var got []string
	for _, method := range []string{"text", "call", "pager"} {
		c, err := o.Contact("choi", method)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(c.Type, " ", c.Address, " ", c.Secret))
	}
	want := []string{"sms +821087654321 ", "voice +821012345678 ", "pagerduty 0123456789abcdef0123456789abcdef h00ks"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPagerDuty(t *testing.T) {
	t.Setenv("PD_KEY", "k3y")
	t.Setenv("PD_HOOKS", "all")
	t.Setenv("CHOI_PD_HOOKS", "hers")
	const method = "{name: pager, type: pagerduty, address: env:CHOI_PD, secret: env:CHOI_PD_HOOKS}"
	for settings, want := range map[string]org.PagerDuty{
		"": {URL: "https://events.pagerduty.com", API: "https://api.pagerduty.com", Secrets: []org.Signing{{"choi", "hers"}}},
		"channels: {pagerduty: {url: https://events.eu.pagerduty.com, secret: env:PD_HOOKS, api_key: env:PD_KEY}}\n": {
			URL: "https://events.eu.pagerduty.com", API: "https://api.eu.pagerduty.com", Key: "k3y", Secrets: []org.Signing{{"", "all"}, {"choi", "hers"}},
		},
		"channels: {pagerduty: {url: https://pages.example/}}\n": {URL: "https://pages.example", API: "https://pages.example", Secrets: []org.Signing{{"choi", "hers"}}},
	} {
		if got, err := load(t, withPhones(t, settings, method)).PagerDuty(); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %v\n%s", settings, err, cmp.Diff(want, got))
		}
	}
	t.Setenv("PD_HOOKS", "")
	for _, settings := range []string{"channels: {pagerduty: {secret: env:PD_HOOKS}}\n", "channels: {pagerduty: {api_key: env:PD_HOOKS}}\n"} {
		if _, err := load(t, withPhones(t, settings, method)).PagerDuty(); err == nil || !strings.Contains(err.Error(), "env:PD_HOOKS: not set") {
			t.Errorf("%s: got %v", settings, err)
		}
	}
}

func TestPersonByMail(t *testing.T) {
	t.Setenv("CHOI_MAIL", "choi.two@example.com")
	o := load(t, withPhones(t, "", "{name: mail, type: email, address: env:CHOI_MAIL}, {name: ours, type: email, address: KIM@example.com}"))
	for mail, want := range map[string]string{
		"choi@example.com": "choi", "CHOI.two@example.com": "choi", "park@example.com": "park",
		"kim@example.com":    "", // two are reached at it
		"nobody@example.com": "", "": "", "choi": "",
	} {
		if got, ok := o.PersonByMail(mail); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", mail, got, ok)
		}
	}
}

func TestFaultsOfMethodsThatRing(t *testing.T) {
	const reference = "want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder"
	for _, tt := range []struct{ settings, method, want string }{
		{"", "{name: m, type: sms, address: +821012345678}", "person choi: method m: type sms: organisation.yaml says nothing of an account for phones; want channels: twilio there, with account, token and from"},
		{twilioSettings, "{name: m, type: sms, address: 010-1234-5678}", `person choi: method m: address "010-1234-5678": want a phone number with its country, such as +821012345678, or a reference to one`},
		{twilioSettings, "{name: m, type: voice, address: +821012345678, secret: env:X}", "person choi: method m: secret: want none, because the type voice has none of its own"},
		{
			strings.Replace(twilioSettings, "+15005550006", "Mirnet", 1), "{name: m, type: voice, address: +821012345678}",
			"person choi: method m: type voice: organisation.yaml says of no number that calls are from it; want channels: twilio: voice_from there",
		},
		{"", "{name: m, type: pagerduty, address: 0123456789abcdef0123456789abcdef}", "person choi: method m: address <secret>: " + reference},
		{"channels: {twilio: {}}\n", "{name: m, type: console}", "organisation: channels: twilio: account: missing; want the ID of an account or a key, such as AC0123456789abcdef0123456789abcdef"},
		{strings.Replace(twilioSettings, "env:TWILIO_TOKEN", "12345", 1), "{name: m, type: console}", "organisation: channels: twilio: token <secret>: " + reference},
		{
			strings.Replace(twilioSettings, "+15005550006", "Mirnet Operations", 1), "{name: m, type: console}",
			`organisation: channels: twilio: from "Mirnet Operations": want what messages are from: a phone number such as +15005550006, a name of at most 11 letters and digits, or the ID of a messaging service (MG…)`,
		},
		{strings.Replace(twilioSettings, "from:", "auth_token: env:A, from:", 1), "{name: m, type: console}", "organisation: channels: twilio: auth_token: want none without key, because the token is the account's own then"},
		{
			strings.Replace(twilioSettings, "from:", "url: https://x.example/?a=b, from:", 1), "{name: m, type: console}",
			`organisation: channels: twilio: url "https://x.example/?a=b": want where an API answers, a URL that begins with https:// or http://, without ? and #`,
		},
		{"channels: {pagerduty: {region: eu}}\n", "{name: m, type: console}", `organisation: channels: pagerduty: unknown key "region"; known: url, secret, api_key`},
		{"channels: {fax: {}}\n", "{name: m, type: console}", `organisation: channels: unknown key "fax"; known: slack, twilio, pagerduty`},
	} {
		all := faults(t, withPhones(t, tt.settings, tt.method))
		if len(all) == 0 || !strings.HasSuffix(all[0], ": "+tt.want) {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.settings, tt.method, strings.Join(all, "\n"), tt.want)
		}
	}
}

func TestWarningsOfMethodsThatRing(t *testing.T) {
	const alone = "person choi: the types voice and pagerduty are for pages alone, so nothing else reaches them: reminders, roles, reviews; want a method of another type, too"
	for methods, want := range map[string]bool{
		"{name: call, type: voice, address: +821012345678}, {name: pager, type: pagerduty, address: env:CHOI_PD}": true,
		"{name: call, type: voice, address: +821012345678}, {name: text, type: sms, address: +821012345678}":      false,
	} {
		o := load(t, withPhones(t, twilioSettings, methods))
		if got := slices.ContainsFunc(o.Warnings, func(f org.Fault) bool { return f.Text == alone }); got != want {
			t.Errorf("%s: got %v", methods, o.Warnings)
		}
	}
	files := withPhones(t, twilioSettings, "{name: desk, type: console}")
	files["people.yaml"] = strings.Replace(files["people.yaml"], "type: email\n        address: kim@example.com", "type: sms\n        address: +821012345678", 1)
	const broken = "method mail: token env:TWILIO_TOKEN: not set in the environment of this process"
	if o := load(t, files); !slices.ContainsFunc(o.Warnings, func(f org.Fault) bool { return strings.Contains(f.Text, broken) }) {
		t.Errorf("got %v", o.Warnings)
	}
}

// A phone number is nobody's business in a contact list, unless it was given for that.
func TestNumbersOfMethodsAreNotListed(t *testing.T) {
	o := load(t, withPhones(t, twilioSettings, "{name: text, type: sms, address: +821087654321}"))
	if c, err := o.Contact("choi", "text"); err != nil || strings.Contains(fmt.Sprintf("%v %+v %s", c, c, c), "8765") || c.Type != delivery.SMS {
		t.Errorf("got %v, %v", c, err)
	}
}
