package link_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/link"
)

var (
	noon    = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	private = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
)

func key(id string) (ed25519.PublicKey, error) {
	if id != "key-1" {
		return nil, fmt.Errorf("key %s: unknown", id)
	}
	return private.Public().(ed25519.PublicKey), nil
}

func page() link.Link {
	return link.Link{
		ID: "run-1/7/kim/phone", Person: "garam/it-desk", Incident: "INC-7K3M9QX2PA",
		Actions: []link.Action{link.Acknowledge, link.Escalate}, Content: link.Hash("결제가 되지 않음"), Expires: noon,
	}
}

func TestALinkSaysWhatWasSigned(t *testing.T) {
	got, err := link.Read(link.Sign(page(), "key-1", private), key)
	if err != nil || !reflect.DeepEqual(got, page()) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if !got.Allows(link.Acknowledge) || got.Allows("close") {
		t.Errorf("allows %v", got.Actions)
	}
	if got.Expired(noon.Add(-1)) || !got.Expired(noon) {
		t.Error("want it to expire at noon")
	}
}

func TestTheLinkOfAFormLeadsToNoIncident(t *testing.T) {
	for _, tt := range []struct {
		link link.Link
		want bool
	}{
		{link.Link{Actions: []link.Action{link.Report}}, true},
		{link.Link{Actions: []link.Action{link.Report}, Incident: "INC-1"}, false},
		{link.Link{Actions: []link.Action{link.Report}, Run: "RUN-1"}, false},
		{link.Link{Actions: []link.Action{link.Report, link.Acknowledge}}, false},
		{link.Link{Actions: []link.Action{link.Acknowledge}}, false},
		{link.Link{}, false},
	} {
		if tt.link.Form() != tt.want {
			t.Errorf("%+v: got %v", tt.link, tt.link.Form())
		}
	}
}

func TestNothingElseIsALink(t *testing.T) {
	token := link.Sign(page(), "key-1", private)
	parts := strings.Split(token, ".")
	other := link.Sign(link.Link{ID: "other", Person: "kim", Expires: noon}, "key-1", private)
	for name, bad := range map[string]string{
		"empty":                     "",
		"a half":                    token[:len(token)/2],
		"no key":                    "." + parts[1] + "." + parts[2],
		"another key":               "key-2." + parts[1] + "." + parts[2],
		"more parts":                token + ".x",
		"content of another":        parts[0] + "." + strings.Split(other, ".")[1] + "." + parts[2],
		"changed content":           parts[0] + "." + flip(parts[1]) + "." + parts[2],
		"changed signature":         parts[0] + "." + parts[1] + "." + flip(parts[2]),
		"padding":                   parts[0] + "." + parts[1] + "=." + parts[2],
		"a line break":              parts[0] + "." + parts[1] + "\n." + parts[2],
		"longer than any":           token + strings.Repeat("A", 2_000),
		"signed for something else": parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(parts[1]))),
	} {
		got, err := link.Read(bad, key)
		if _, invalid := errors.AsType[*link.InvalidError](err); !invalid || !reflect.DeepEqual(got, link.Link{}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// flip changes one character in the middle of a text of base64url.
func flip(s string) string {
	b := []byte(s)
	if n := len(b) / 2; b[n] == 'A' {
		b[n] = 'B'
	} else {
		b[n] = 'A'
	}
	return string(b)
}

func TestAHashIsOfThesePartsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.StringMatching(`[ab",]{0,2}`), 0, 3).Draw(t, "a")
		b := rapid.SliceOfN(rapid.StringMatching(`[ab",]{0,2}`), 0, 3).Draw(t, "b")
		if same := reflect.DeepEqual(a, b); (link.Hash(a...) == link.Hash(b...)) != same && len(a)+len(b) > 0 {
			t.Fatalf("%q and %q: same hash %v", a, b, !same)
		}
	})
}

func TestALogShowsNoLink(t *testing.T) {
	for path, want := range map[string]string{"/l/key-1.a.b": "/l/", "/l/": "/l/", "/login": "/login", "/": "/", "": ""} {
		if got := link.Shown(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

// Of all texts only those that were signed are links.
func FuzzRead(f *testing.F) {
	token := link.Sign(page(), "key-1", private)
	f.Add(token)
	f.Add(token[:len(token)-1])
	f.Add("key-1..")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := link.Read(text, key); err == nil && text != token {
			t.Fatalf("%q is taken", text)
		}
	})
}
