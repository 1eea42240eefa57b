package signature_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/signature"
	"muster/internal/timeline"
)

var (
	noon    = time.Date(2026, 11, 25, 12, 0, 0, 123_456_789, time.UTC)
	private = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	public  = private.Public().(ed25519.PublicKey)
	park    = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
)

func statement() signature.Statement {
	return signature.Statement{
		Workflow: "incident/a", FirstRun: "run-1", Message: "Acknowledge", ID: "k1", Digest: [32]byte{1}, By: park,
	}
}

func TestASealFitsItsStatementAlone(t *testing.T) {
	seal := signature.Sign(statement(), "key-1", private, noon, "token:tok_1")
	if err := signature.Check(statement(), seal, public); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(s *signature.Statement, seal *signature.Seal){
		"another workflow":    func(s *signature.Statement, _ *signature.Seal) { s.Workflow = "incident/b" },
		"another run":         func(s *signature.Statement, _ *signature.Seal) { s.FirstRun = "run-2" },
		"another message":     func(s *signature.Statement, _ *signature.Seal) { s.Message = "Close" },
		"another request":     func(s *signature.Statement, _ *signature.Seal) { s.ID = "k2" },
		"other content":       func(s *signature.Statement, _ *signature.Seal) { s.Digest[31] = 1 },
		"another person":      func(s *signature.Statement, _ *signature.Seal) { s.By.ID = "kim" },
		"another name":        func(s *signature.Statement, _ *signature.Seal) { s.By.Name = "김민수" },
		"another kind":        func(s *signature.Statement, _ *signature.Seal) { s.By.Kind = timeline.Source },
		"another key":         func(_ *signature.Statement, seal *signature.Seal) { seal.Key = "key-2" },
		"another time":        func(_ *signature.Statement, seal *signature.Seal) { seal.At = noon.Add(1) },
		"another way in":      func(_ *signature.Statement, seal *signature.Seal) { seal.Via = "token:tok_2" },
		"a changed signature": func(_ *signature.Statement, seal *signature.Seal) { seal.Signature[0] ^= 1 },
		"no signature":        func(_ *signature.Statement, seal *signature.Seal) { seal.Signature = nil },
		"a field that has flowed over": func(s *signature.Statement, _ *signature.Seal) {
			s.Workflow, s.FirstRun = "incident/arun-", "1"
		},
	} {
		s, changed := statement(), signature.Sign(statement(), "key-1", private, noon, "token:tok_1")
		change(&s, &changed)
		if err := signature.Check(s, changed, public); !errors.Is(err, signature.ErrForged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := signature.Check(statement(), seal, nil); !errors.Is(err, signature.ErrForged) {
		t.Errorf("without a key: got %v", err)
	}
}

// No two statements have the same seal.
func TestNoFieldFlowsIntoTheNext(t *testing.T) {
	text := rapid.StringMatching(`[a-b/]{0,3}`)
	draw := func(t *rapid.T, name string) signature.Statement {
		return signature.Statement{
			Workflow: text.Draw(t, name+" workflow"), FirstRun: text.Draw(t, name+" run"), Message: text.Draw(t, name+" message"),
			ID: text.Draw(t, name+" id"), By: timeline.Actor{Kind: timeline.Person, ID: text.Draw(t, name+" by"), Name: text.Draw(t, name+" name")},
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		err := signature.Check(b, signature.Sign(a, "key-1", private, noon, ""), public)
		if (err == nil) != (a == b) {
			t.Fatalf("sealed %+v, checked %+v: %v", a, b, err)
		}
	})
}

func TestFreshness(t *testing.T) {
	within := 5 * time.Minute
	for _, tc := range []struct {
		name  string
		fresh signature.Freshness
		at    time.Time
		want  string
	}{
		{"whenever", signature.Freshness{}, time.Time{}, ""},
		{"just now", signature.Freshness{Around: noon, Within: within}, noon, ""},
		{"at the edge before", signature.Freshness{Around: noon, Within: within}, noon.Add(-within), ""},
		{"over the edge before", signature.Freshness{Around: noon, Within: within}, noon.Add(-within - 1), "signed at 2026-11-25T11:55:00Z; want within 5m0s of"},
		{"at the edge after", signature.Freshness{Around: noon, Within: within}, noon.Add(within), ""},
		{"over the edge after", signature.Freshness{Around: noon, Within: within}, noon.Add(within + 1), "a clock is wrong"},
		{"hours after it began", signature.Freshness{Not: noon, Within: within}, noon.Add(10 * time.Hour), ""},
		{"before, as clocks differ", signature.Freshness{Not: noon, Within: within}, noon.Add(-within), ""},
		{"from another incident", signature.Freshness{Not: noon, Within: within}, noon.Add(-within - 1), "before 2026-11-25T12:00:00Z: an old message"},
	} {
		err := tc.fresh.Check(signature.Seal{At: tc.at})
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

type words struct {
	Text string `json:"text"`
}

func TestAMessageIsReadAsItWasSigned(t *testing.T) {
	m, err := signature.New(park, words{Text: "<b> & \u2028 a"})
	if err != nil {
		t.Fatal(err)
	}
	seal := signature.Sign(signature.Statement{Digest: m.Digest(), By: park}, "key-1", private, noon, "link:1")
	m.Seal = &seal
	wire, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got signature.Signed[words]
	if err := json.Unmarshal(wire, &got); err != nil || got.By != park || got.Body != m.Body {
		t.Fatalf("got %+v, %v from %s", got, err, wire)
	}
	by, digest, proof := got.Proof()
	if err := signature.Check(signature.Statement{Digest: digest, By: by}, *proof, public); err != nil {
		t.Errorf("%s: %v", wire, err)
	}
	again, err := json.Marshal(got)
	if err != nil || string(again) != string(wire) {
		t.Errorf("written again %s, %v; want %s", again, err, wire)
	}
	// Content that means the same in other bytes is not what was signed.
	changed := strings.Replace(string(wire), `"body":{"text"`, `"body":{ "text"`, 1)
	if err := json.Unmarshal([]byte(changed), &got); err != nil || changed == string(wire) {
		t.Fatal(err)
	}
	_, digest, proof = got.Proof()
	if err := signature.Check(signature.Statement{Digest: digest, By: park}, *proof, public); err == nil {
		t.Errorf("%s: taken", changed)
	}
}

func TestWhatWasWrittenBeforeSignaturesIsRead(t *testing.T) {
	for name, tc := range map[string]struct {
		wire string
		want signature.Signed[words]
	}{
		"a command":         {`{"by":{"kind":"person","id":"park","name":"박서준"},"command":{"text":"a"}}`, signature.Signed[words]{By: park, Body: words{"a"}}},
		"plain content":     {`{"text":"a"}`, signature.Signed[words]{Body: words{"a"}}},
		"words to a review": {`{"by":{"kind":"person","id":"park","name":"박서준"},"text":"a"}`, signature.Signed[words]{By: park, Body: words{"a"}}},
		"a seal where there was none yet is no seal": {
			`{"by":{"kind":"person","id":"park","name":"박서준"},"command":{"text":"a"},"seal":{"key":"key-1"}}`, signature.Signed[words]{By: park, Body: words{"a"}},
		},
	} {
		var got signature.Signed[words]
		if err := json.Unmarshal([]byte(tc.wire), &got); err != nil || got.By != tc.want.By || got.Body != tc.want.Body || got.Seal != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	wire, err := json.Marshal(signature.Unsigned(words{"a"}))
	if err != nil || string(wire) != `{"text":"a"}` {
		t.Errorf("content without a seal is written as %s, %v", wire, err)
	}
}

// Whatever arrives is an error, or a message that is written as it was read.
func FuzzSigned(f *testing.F) {
	f.Add([]byte(`{"by":{"kind":"person","id":"park"},"body":{"text":"a"},"seal":{"key":"k","at":"2026-11-25T12:00:00Z","signature":"AAAA"}}`))
	f.Add([]byte(`{"by":{"kind":"person"},"command":{"text":"a"}}`))
	f.Add([]byte(`{"text":"a"}`))
	f.Add([]byte(`{"body":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m signature.Signed[words]
		if json.Unmarshal(data, &m) != nil {
			return
		}
		wire, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%s is read, but not written: %v", data, err)
		}
		var again signature.Signed[words]
		if err := json.Unmarshal(wire, &again); err != nil || again.Body != m.Body || again.By != m.By {
			t.Fatalf("%s became %s: %+v, %v", data, wire, again, err)
		}
	})
}
