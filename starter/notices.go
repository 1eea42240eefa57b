package starter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"muster/internal/alert"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// Announce starts the run of a plan for what a provider announces, on the terms that it asks for, or writes the news into the
// timeline of the run that it has started before. What was said already changes nothing, nor does news of a run that is over.
func (s *PlanRuns) Announce(ctx context.Context, source string, n alert.Notice, terms func() (planrun.Terms, error)) error {
	req := Request{ID: "notice/" + source + "/" + n.ID, By: timeline.Actor{Kind: timeline.Source, ID: source}, Via: "intake"}
	id := startedBy(req.ID)
	ref, known, err := s.look(ctx, id)
	if err != nil {
		return err
	}
	var run *planrun.Run
	if known {
		run, err = s.state(ctx, runOf(id), ref)
	} else if n.Over { // there was nothing to see to
		return nil
	} else {
		var t planrun.Terms
		if t, err = terms(); err != nil {
			return err
		}
		t.Notice = &planrun.Noticed{Source: source, ID: n.ID, Key: keyed(source, n.ID), SHA256: n.SHA256()}
		run, err = s.Start(ctx, req, t)
	}
	if err != nil || run.Over() || run.Notice == nil || run.Notice.SHA256 == n.SHA256() {
		return err
	}
	req.ID = "notice/" + n.SHA256()
	return s.Ask(ctx, run.ID, req, planrun.Note{Text: cut(n.News(), planrun.MaxText)})
}

// keyed is a hash of texts that cannot flow into each other.
func keyed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// cut is a text in at most so many bytes, of whole characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}
