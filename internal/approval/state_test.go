package approval_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/approval"
	"muster/internal/authority"
)

var update = flag.Bool("update", false, "write the golden files anew")

// halfway is a ballot in the middle of everything: a round that is history, votes of each fate, a named substitute.
func halfway(t *testing.T) *approval.Ballot {
	t.Helper()
	e := team()
	e.Implementers = []string{"yoon"}
	e.Substitutes = []approval.Substitute{{For: "choi", Person: "han", Name: "Han", Party: authority.Provider, From: monday, Until: after(60)}}
	b := open(t, rule(func(r *approval.Rule) {
		r.Need, r.Required = approval.Need{Percent: 100}, []approval.Who{{Person: "kim"}, {Voter: guard}}
		r.Exclude, r.OnExpiry = approval.Exclusion{Requester: true, Implementers: true}, approval.RejectOnExpiry
		r.Yes = []approval.Choice{approval.Ready, approval.ReadyWithRisk}
	}), e)
	votes(t, b, "kim no")
	b.Due = after(10)
	refused(t, vote(b, 10, "lee yes"))
	b.Reshown(shown(t, "plan", "c", "evidence", "d"), after(12))
	b.Due = after(50)
	if err := b.Delegate("lee", approval.Substitute{Person: "seo", Name: "Seo", Party: authority.Provider, Until: after(45)}, after(13)); err != nil {
		t.Fatal(err)
	}
	for n, text := range []string{"kim risk", "lee yes", "seo yes for lee", "lee risk", "han risk"} {
		err := vote(b, 20+n, text)
		if want := text == "seo yes for lee"; (err != nil) != want {
			t.Fatalf("%s: %v", text, err)
		}
	}
	resolve(t, b, func(e *approval.Electorate) { e.Implementers = append(e.Implementers, "han") })
	return b
}

// TestAStateFromAFileGoesOnEqually restores a ballot whose JSON is frozen, as histories hold it, and goes on with it and with
// one that has never left memory.
func TestAStateFromAFileGoesOnEqually(t *testing.T) {
	const name = "testdata/ballot.json"
	b := halfway(t)
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	if *update {
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	frozen, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frozen, raw) {
		t.Errorf("%s differs (-want +got); histories hold the old form: only add to it\n%s", name, cmp.Diff(string(frozen), string(raw)))
	}
	restored := &approval.Ballot{}
	if err := json.Unmarshal(frozen, restored); err != nil {
		t.Fatal(err)
	}
	steps := []func(*approval.Ballot) error{
		func(b *approval.Ballot) error { return vote(b, 24, "han risk") }, // again
		func(b *approval.Ballot) error { return vote(b, 31, "han yes") },
		func(b *approval.Ballot) error { return vote(b, 32, "seo yes") },
		func(b *approval.Ballot) error { return vote(b, 33, "choi yes") },
		func(b *approval.Ballot) error { return vote(b, 34, "park yes") },
		func(b *approval.Ballot) error { return vote(b, 35, "park no") },
		func(b *approval.Ballot) error { b.Reshown(shown(t, "plan", "e"), after(36)); return nil },
		func(b *approval.Ballot) error { b.Due = after(37); b.Expire(after(38)); return nil },
		func(b *approval.Ballot) error { return vote(b, 39, "kim yes") },
	}
	for n, step := range steps {
		one, other := step(b), step(restored)
		if diff := cmp.Diff(one, other); diff != "" {
			t.Fatalf("step %d: answers differ:\n%s", n, diff)
		}
		if diff := cmp.Diff(b, restored); diff != "" {
			t.Fatalf("step %d: states differ:\n%s", n, diff)
		}
	}
	if got := b.Past[1].Outcome.Verdict; got != approval.Approved {
		t.Errorf("the second round was %s, want it approved, so that these steps lead through everything", got)
	}
}
