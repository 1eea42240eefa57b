package oidc_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/oidc"
)

func TestFlowsComeBackAsTheyWere(t *testing.T) {
	part := rapid.StringMatching(`[A-Za-z0-9._~-]{1,128}`)
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(0, 4_000_000_000).Draw(t, "started")
		want := oidc.Flow{
			State: part.Draw(t, "state"), Nonce: part.Draw(t, "nonce"), Verifier: part.Draw(t, "verifier"),
			Started: time.Unix(seconds, 0).UTC(),
		}
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got oidc.Flow
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Fatalf("got %#v, %v; want %#v", got, err, want)
		}
		if len(text) > 1_000 || strings.ContainsAny(string(text), `=+/;," `) {
			t.Fatalf("%d bytes %s: want at most 1000 that fit in a cookie", len(text), text)
		}
	})
}

func TestFlowsThatAreNotWritten(t *testing.T) {
	right := oidc.Flow{State: "s", Nonce: "n", Verifier: "v"}
	for name, change := range map[string]func(*oidc.Flow){
		"no state":                     func(f *oidc.Flow) { f.State = "" },
		"no nonce":                     func(f *oidc.Flow) { f.Nonce = "" },
		"no verifier":                  func(f *oidc.Flow) { f.Verifier = "" },
		"a long state":                 func(f *oidc.Flow) { f.State = strings.Repeat("s", 129) },
		"a verifier of another form":   func(f *oidc.Flow) { f.Verifier = "a b" },
		"a start that no text can say": func(f *oidc.Flow) { f.Started = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		f := right
		change(&f)
		if text, err := f.MarshalText(); err == nil {
			t.Errorf("%s: got %s, want an error", name, text)
		}
	}
	if _, err := right.MarshalText(); err != nil {
		t.Error(err)
	}
}

func TestTextsThatAreNoFlow(t *testing.T) {
	plain := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	const right = `{"s":"s","n":"n","v":"v","t":"2026-11-25T09:00:00Z"}`
	for _, tc := range []struct{ text, want string }{
		{"", "read sign-in: it is not whole"},
		{right, "read sign-in: it is not whole"},
		{plain(right) + "=", "read sign-in: it is not whole"},
		{plain(right)[:20], "read sign-in: it is not whole"},
		{plain(right + right), "read sign-in: it is not whole"},
		{plain("[]"), "read sign-in: it is not whole"},
		{plain(`{"s":1}`), "read sign-in: it is not whole"},
		{plain("{}"), "read sign-in: want a state, a nonce and a verifier"},
		{plain("null"), "read sign-in: want a state, a nonce and a verifier"},
		{plain(`{"s":"s","n":"n","v":""}`), "read sign-in: want a state, a nonce and a verifier"},
		{plain(`{"s":"s","n":"n","v":"` + strings.Repeat("v", 129) + `"}`), "read sign-in: want a state, a nonce and a verifier"},
		{plain(right + strings.Repeat(" ", 1_000)), "read sign-in: want at most 1000 bytes"},
	} {
		f := oidc.Flow{State: "before"}
		if err := f.UnmarshalText([]byte(tc.text)); err == nil || err.Error() != tc.want {
			t.Errorf("%q: got %v, want %s", tc.text, err, tc.want)
		}
		if f.State != "before" {
			t.Errorf("%q: refused, but the flow became %q", tc.text, f.State)
		}
	}
	var f oidc.Flow
	if err := f.UnmarshalText([]byte(plain(right))); err != nil {
		t.Error(err)
	}
}

func TestFlowsExpire(t *testing.T) {
	started := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		after time.Duration
		want  bool
	}{
		{0, false},
		{10*time.Minute - time.Second, false},
		{10 * time.Minute, true},
		{24 * time.Hour, true},
		{-time.Minute, false}, // the clock of another process goes before
		{-5 * time.Minute, true},
	} {
		if got := (oidc.Flow{Started: started}).Expired(started.Add(tc.after)); got != tc.want {
			t.Errorf("after %s: got %v, want %v", tc.after, got, tc.want)
		}
	}
	if !(oidc.Flow{}).Expired(started) {
		t.Error("a flow that was never started: got not expired")
	}
}

func FuzzFlow(f *testing.F) {
	for _, json := range []string{`{"s":"s","n":"n","v":"v","t":"2026-11-25T09:00:00Z"}`, `{"s":"s","n":"n","v":"v"}`, `{`, `null`} {
		f.Add([]byte(base64.RawURLEncoding.EncodeToString([]byte(json))))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second oidc.Flow
		if first.UnmarshalText(text) != nil {
			return
		}
		again, err := first.MarshalText()
		if err != nil {
			t.Fatalf("%s was read, but cannot be written: %v", text, err)
		}
		if err := second.UnmarshalText(again); err != nil {
			t.Fatalf("%s was written, but cannot be read: %v", again, err)
		}
		if !second.Started.Equal(first.Started) {
			t.Fatalf("got started %s, want %s", second.Started, first.Started)
		}
		second.Started = first.Started
		if second != first {
			t.Fatalf("got %q, want %q", second.State, first.State)
		}
	})
}
