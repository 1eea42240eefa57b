package link_test

import (
	"bytes"
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

// A link that was sent before links were packed may be used until it expires; so may this one when packing has changed.
func TestALinkOfEarlier(t *testing.T) {
	for _, token := range []string{
		"key-1.eyJpIjoicnVuLTEvNy9raW0vcGhvbmUiLCJwIjoiZ2FyYW0vaXQtZGVzayIsIm4iOiJJTkMtN0szTTlRWDJQQSIsImEiOlsiYWNrbm93bGVkZ2UiLCJlc2NhbGF0ZSJdLCJjIjoi" +
			"MzIyZWM1OGJjN2E0NWM3ZWVhYjQ2MzVmYzY4MjhhMTQiLCJlIjoiMjAyNi0xMS0yNVQxMjowMDowMFoifQ" +
			".LQdFKkSLeEj1T9znWMCn2rZrgG839cy_w8uzOMihfc-twj7JD2Oueq5sOFa45KiL29s2mZsUltuQyGhTkTXdBA",
		"key-1.glhTVJqna6hvrp-dmQuxA2p8emJRYq5-ZoluSmpxNpJd5t7GvpaBEUYBjsTZamxklJpsapGUbJ5oYppsnpqamGRiZmyalmxmYWSRaGgCd5WRma6hoa" +
			"6RaYihkZWBAcSJgAAAAP__WWnMCu1tCUgAyMJtGShuqgrTE06tl881djH03lfLFOvzQ8uikda16qEQxhl2UBXAyc_3jqc5UGqlqk8O7RPaBQ",
	} {
		if got, err := link.Read(token, key); err != nil || !reflect.DeepEqual(got, page()) {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := link.Read(flip(token), key); err == nil {
			t.Error("a changed one is taken")
		}
	}
}

// With it a short message has room for what it is about.
func TestALinkIsShort(t *testing.T) {
	l := page()
	l.ID, l.Person = "INC-7K3M9QX2PA/113/kim/phone", "kim"
	if n := len(link.Sign(l, "key-0123456789ab", private)); n > 230 {
		t.Errorf("%d characters", n)
	}
}

func TestNothingElseIsALink(t *testing.T) {
	token := link.Sign(page(), "key-1", private)
	_, content, _ := strings.Cut(token, ".")
	whole, err := base64.RawURLEncoding.DecodeString(content)
	if err != nil {
		t.Fatal(err)
	}
	n := len(whole) - ed25519.SignatureSize
	other, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(link.Sign(link.Link{ID: "other", Person: "kim", Expires: noon}, "key-1", private), "key-1."))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":                     "",
		"a key alone":               "key-1",
		"a key and nothing":         "key-1.",
		"a half":                    token[:len(token)/2],
		"no key":                    "." + content,
		"another key":               "key-2." + content,
		"more parts":                token + ".x",
		"many parts":                token + ".x.y",
		"content of another":        tokenOf(other[:len(other)-ed25519.SignatureSize], whole[n:]),
		"changed content":           "key-1." + flip(content[:n]) + content[n:],
		"changed signature":         tokenOf(whole[:n], other[len(other)-ed25519.SignatureSize:]),
		"no content":                tokenOf(whole[n:]),
		"padding":                   token + "=",
		"a line break":              token + "\n",
		"longer than any":           token + strings.Repeat("A", 2_000),
		"signed for something else": tokenOf(whole[:n], ed25519.Sign(private, whole[:n])),
		"signed, but not packed":    tokenOf([]byte("{}"), ed25519.Sign(private, []byte("muster link 2\nkey-1\n{}"))),
	} {
		got, err := link.Read(bad, key)
		if _, invalid := errors.AsType[*link.InvalidError](err); !invalid || !reflect.DeepEqual(got, link.Link{}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// tokenOf is a token with these bytes.
func tokenOf(parts ...[]byte) string {
	return "key-1." + base64.RawURLEncoding.EncodeToString(bytes.Join(parts, nil))
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
	for path, want := range map[string]string{"/l/key-1.a.b": "/l/", "/v1/callbacks/voice/key-1.a": "/v1/callbacks/voice/", "/l/": "/l/", "/login": "/login", "/": "/", "": ""} {
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
