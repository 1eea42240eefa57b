package org_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/org"
)

// secrets sets everything that testdata/good refers to; each value has "swordfish" in it.
func secrets(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"SMTP_PASSWORD", "TICKETS_URL", "PROMETHEUS_TOKEN", "LAB_TOKEN", "KIM_URL", "KIM_SECRET", "PARK_SECRET", "SIGN_IN_SECRET"} {
		t.Setenv(name, "swordfish-"+name)
	}
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"secrets/tickets": "swordfish-tickets\r\n"})
}

func loadWithSecrets(t *testing.T) *org.Organisation {
	t.Helper()
	dir := t.TempDir()
	secrets(t, dir)
	write(t, dir, good(t))
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRecipients(t *testing.T) {
	o := load(t, good(t))
	kim := delivery.Recipient{ID: "kim", Name: "김민수", Language: "ko", Methods: []string{"chat", "mail"}}
	park := delivery.Recipient{ID: "park", Name: "Park", Language: "en", Methods: []string{"hook", "desk", "log"}}
	for _, tt := range []struct {
		target, at string
		want       []delivery.Recipient
		err        string
	}{
		{"person:park", "2020-01-01T00:00:00Z", []delivery.Recipient{park}, ""},
		{"schedule:primary", "2026-03-16T08:59:59Z", nil, ""},
		{"schedule:primary", "2026-03-16T09:00:00Z", []delivery.Recipient{kim}, ""},
		{"schedule:primary", "2026-03-18T12:00:00Z", []delivery.Recipient{park}, ""},
		{"schedule:primary", "2026-03-30T08:00:00Z", []delivery.Recipient{kim}, ""},
		{"schedule:gone", "2026-03-16T09:00:00Z", nil, `schedule "gone": not in the organisation folder of revision ` + o.Revision},
		{"person:gone", "2026-03-16T09:00:00Z", nil, `person "gone": not in the organisation folder of revision ` + o.Revision},
		{"person:shopco/desk", "2026-03-16T09:00:00Z", nil, `person "shopco/desk": not in the organisation folder of revision ` + o.Revision},
	} {
		t.Run(tt.target+" "+tt.at, func(t *testing.T) {
			target, err := escalation.ParseTarget(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := o.Recipients(target, at)
			if diff := cmp.Diff(tt.want, got); diff != "" || shown(err) != tt.err {
				t.Error(diff, err)
			}
		})
	}
}

func shown(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCustomerContacts(t *testing.T) {
	o := load(t, good(t))
	got, err := o.CustomerContacts("shopco")
	want := []delivery.Recipient{
		{ID: "shopco/desk", Name: "Desk", Language: "ko", Methods: []string{"mail"}},
		{ID: "shopco/boss", Name: "Boss", Language: "en", Methods: []string{"mail"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := o.CustomerContacts("gone"); err == nil {
		t.Error("a customer that is not there has contacts")
	}
}

func TestContact(t *testing.T) {
	o := loadWithSecrets(t)
	for _, tt := range []struct {
		recipient, method string
		want              delivery.Contact
		err               string
	}{
		{"kim", "chat", delivery.Contact{Method: "chat", Type: delivery.Webhook, Address: "swordfish-KIM_URL", Secret: "swordfish-KIM_SECRET"}, ""},
		{"kim", "mail", delivery.Contact{Method: "mail", Type: delivery.Email, Address: "kim@example.com"}, ""},
		{"park", "hook", delivery.Contact{Method: "hook", Type: delivery.Webhook, Address: "https://hooks.example.com/very-secret", Secret: "swordfish-PARK_SECRET"}, ""},
		{"park", "desk", delivery.Contact{Method: "desk", Type: delivery.Console}, ""},
		{"park", "log", delivery.Contact{Method: "log", Type: delivery.File, Address: "park.jsonl"}, ""},
		{"shopco/boss", "mail", delivery.Contact{Method: "mail", Type: delivery.Email, Address: "boss@shop.example"}, ""},
		{"gone", "mail", delivery.Contact{}, `recipient "gone": not in the organisation folder of revision ` + o.Revision},
		{"kim", "fax", delivery.Contact{}, `contact method of kim "fax": not in the organisation folder of revision ` + o.Revision},
	} {
		got, err := o.Contact(tt.recipient, tt.method)
		if diff := cmp.Diff(tt.want, got); diff != "" || shown(err) != tt.err {
			t.Error(tt.recipient, tt.method, diff, err)
		}
	}
}

// References are read when they are used, so that a new secret counts at once and a lost one is noticed.
func TestReferencesAreResolvedAtUse(t *testing.T) {
	dir := t.TempDir()
	secrets(t, dir)
	files := good(t)
	change{"people.yaml", "env:PARK_SECRET", "file:secrets/park"}.in(t, files)
	write(t, dir, files)
	o, err := org.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	secret := func() (string, error) {
		c, err := o.Contact("park", "hook")
		return c.Secret, err
	}
	if _, err := secret(); shown(err) != "contact park by hook: secret file:secrets/park: no such file or directory" {
		t.Error(err)
	}
	for content, want := range map[string]string{"one\n": "one", "two": "two"} {
		write(t, dir, map[string]string{"secrets/park": content})
		if got, err := secret(); got != want || err != nil {
			t.Errorf("got %q, want %q: %v", got, want, err)
		}
	}
	for content, want := range map[string]string{
		"\n":                          "contact park by hook: secret file:secrets/park: empty",
		strings.Repeat("x", 64<<10+1): "contact park by hook: secret file:secrets/park: too large: want at most 65536 bytes",
	} {
		write(t, dir, map[string]string{"secrets/park": content})
		if _, err := secret(); shown(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	t.Setenv("KIM_URL", "")
	if _, err := o.Contact("kim", "chat"); shown(err) != "contact kim by chat: address env:KIM_URL: not set in the environment of this process" {
		t.Error(err)
	}
	t.Setenv("PROMETHEUS_TOKEN", "")
	if token, err := o.Token("prometheus"); token != "" || shown(err) != "source prometheus: token env:PROMETHEUS_TOKEN: not set in the environment of this process" {
		t.Error(err)
	}
}

func TestSourcesAndTokens(t *testing.T) {
	o := loadWithSecrets(t)
	if diff := cmp.Diff([]org.Source{{ID: "prometheus", Type: "alertmanager"}, {ID: "lab", Type: "alertmanager"}}, o.Sources()); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]string{"prometheus": "swordfish-PROMETHEUS_TOKEN", "lab": "swordfish-LAB_TOKEN"} {
		if got, err := o.Token(id); got != want || err != nil {
			t.Errorf("token of %s: got %q, %v", id, got, err)
		}
	}
	files := good(t)
	change{"sources.yaml", "    token: env:LAB_TOKEN\n", ""}.in(t, files)
	if token, err := load(t, files).Token("lab"); token != "" || err != nil {
		t.Errorf("a source without a token: got %q, %v", token, err)
	}
	if _, err := o.Token("gone"); err == nil {
		t.Error("a source that is not there has a token")
	}
}

func TestSettings(t *testing.T) {
	o := loadWithSecrets(t)
	tickets, err := o.Tickets()
	if diff := cmp.Diff(org.TicketSystem{System: org.WebhookTickets, URL: "swordfish-TICKETS_URL", Secret: "swordfish-tickets"}, tickets); diff != "" || err != nil {
		t.Error(diff, err)
	}
	mail, err := o.Mail()
	if diff := cmp.Diff(org.MailServer{
		Host: "mail.example.com", Port: 587, Security: "starttls", From: "Muster <muster@example.com>", User: "muster",
		Password: "swordfish-SMTP_PASSWORD",
	}, mail); diff != "" || err != nil {
		t.Error(diff, err)
	}
	to, contact, err := o.Fallback()
	if diff := cmp.Diff(delivery.Recipient{ID: "fallback", Name: "Acme", Language: "ko", Methods: []string{"fallback"}}, to); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if diff := cmp.Diff(delivery.Contact{Method: "fallback", Type: delivery.Email, Address: "noc@example.com"}, contact); diff != "" {
		t.Error(diff)
	}
	if got := o.OwnNetworks(); len(got) != 1 || got[0] != netip.MustParsePrefix("10.0.0.0/8") {
		t.Error(got)
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	o := loadWithSecrets(t)
	tickets, err := o.Tickets()
	if err != nil {
		t.Fatal(err)
	}
	mail, err := o.Mail()
	if err != nil {
		t.Fatal(err)
	}
	signIn, _, err := o.SignIn()
	if err != nil {
		t.Fatal(err)
	}
	live, err := org.Open("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{o, *o, live, tickets, &tickets, []any{tickets}, mail, &mail, mail.Password, signIn, &signIn, o.Sources()} {
		printed := fmt.Sprintf("%v|%+v|%#v|%s|%q|%x|%d", v, v, v, v, v, v, v)
		marshalled, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("a", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("a", "v", v)
		for _, text := range []string{printed, string(marshalled), logged.String()} {
			for _, secret := range []string{"swordfish", "73776f7264", "very-secret"} {
				if strings.Contains(text, secret) {
					t.Errorf("%T prints a secret: %s", v, text)
				}
			}
		}
	}
	if got := fmt.Sprint(mail.Password); got != "<secret>" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(o); got != "organisation acme, revision "+o.Revision {
		t.Errorf("got %s", got)
	}
}
