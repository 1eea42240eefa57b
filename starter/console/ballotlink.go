package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
)

// heardBy looks at what the link asks somebody to decide in a run of a plan.
func (c *Console) heardBy(r *http.Request, v *visit) (*hearing, error) {
	h, err := c.hear(r, v.by, planrun.ID(v.Run))
	if err == nil {
		err = authority.May(v.by, authority.Decide, starter.AboutRun(c.cfg.Organisation(), h.whole))
	}
	if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
		c.note(r, store.AttemptLink, v.Person, v.Run, r.Method, "there is no such run")
		return nil, &refusal{status: http.StatusNotFound, name: "link.invalid"}
	}
	if _, denied := errors.AsType[*authority.DeniedError](err); denied {
		c.note(r, store.AttemptDenied, v.Person, v.Run, r.Method, err.Error())
		return nil, &refusal{status: http.StatusForbidden, name: "link.may-not"}
	}
	if err != nil {
		return nil, err
	}
	h.matter, h.part, h.told, h.link, h.via = matterOf(v.Link), v.Part, v.Content, &v.Link, "link:"+v.ID
	use, used, err := c.cfg.Store.UsedLink(r.Context(), v.ID)
	if used {
		h.used = &use
	}
	return h, err
}

// matterOf is what a link is about.
func matterOf(l link.Link) matter {
	switch {
	case l.Allows(link.GrantWaiver):
		return waivers
	case l.Allows(link.GrantOverride):
		return overrides
	}
	return votes
}

// openBallot shows what is decided. It changes nothing.
func (c *Console) openBallot(w http.ResponseWriter, r *http.Request, v *visit) error {
	h, err := c.heardBy(r, v)
	if err != nil {
		return err
	}
	c.showBallot(w, r, http.StatusOK, h, h.stands(), sentence{})
	return nil
}

// useBallot says what the link's receiver has said. The run is asked also where it will refuse: what an auditor cares about then
// stands in its timeline.
func (c *Console) useBallot(w http.ResponseWriter, r *http.Request, v *visit) error {
	h, err := c.heardBy(r, v)
	if err != nil {
		return err
	}
	said := h.sentenceOf(r)
	if h.used != nil {
		return c.saidAgain(w, r, h, said)
	}
	s := h.stands()
	switch possible := slices.Contains(s.actions, said.action); {
	case possible && h.changed(said):
		return c.refuseBallot(w, r, h, h.changedTo(s))
	case possible && said.reason.fault != "":
		c.showBallot(w, r, http.StatusUnprocessableEntity, h, s, said)
		return nil
	}
	use := store.Use{Link: v.ID, Person: v.Person, Action: string(said.action), At: h.now, Expires: v.Expires}
	first, before, err := c.cfg.Store.UseLink(r.Context(), use)
	if err != nil {
		return err
	}
	if !first { // in the same moment
		h.used = &before
		return c.saidAgain(w, r, h, said)
	}
	h, no, err := c.askByLink(r, h, said)
	if err == nil && no == nil {
		h.used = &use
		c.showBallot(w, r, http.StatusOK, h, h.stands(), sentence{})
		return nil
	}
	if e := c.cfg.Store.ReleaseLink(context.WithoutCancel(r.Context()), v.ID); e != nil {
		c.cfg.Log.Error("link not released", "link", v.ID, "error", e)
	}
	if err != nil {
		return err
	}
	return c.refuseBallot(w, r, h, *no)
}

// askByLink asks the run. An id that lasts an hour lets a link fill no history: what is asked once more in it is answered as before.
func (c *Console) askByLink(r *http.Request, h *hearing, said sentence) (*hearing, *standing, error) {
	if h.cast(said) { // its answer was lost
		return h, nil, nil
	}
	vote := h.voteID(said)
	h.told = said.content
	id := []string{vote, h.now.UTC().Truncate(time.Hour).Format(time.RFC3339), said.place}
	return c.askRun(r, h, strings.Join(id, "/"), h.command(vote, said))
}

// voteID is under which a link casts a vote once.
func (h *hearing) voteID(s sentence) string {
	return "link/" + link.Hash(h.link.ID, string(s.action), s.content)
}

// saidAgain answers whoever uses a link that was used. What was said is said once more if it is not known to have been, in case a
// process ended between the claim and the decision.
func (c *Console) saidAgain(w http.ResponseWriter, r *http.Request, h *hearing, said sentence) error {
	if h.used.Action != string(said.action) {
		return c.refuseBallot(w, r, h, standing{name: "ballot.used", outcome: h.used.Action, by: h.by.Actor, at: h.used.At})
	}
	if use := *h.used; !h.known(said) {
		h.used = nil
		again, no, err := c.askByLink(r, h, said)
		if err != nil {
			return err
		}
		if h = again; no != nil { // the claim is all that was done
			return c.refuseBallot(w, r, h, *no)
		}
		h.used = &use
	}
	c.showBallot(w, r, http.StatusOK, h, h.stands(), sentence{})
	return nil
}

// known tells whether what was said by the link stands in the run, or can stand there no more.
func (h *hearing) known(s sentence) bool {
	if h.matter != votes {
		before := *h
		before.used = nil
		return before.stands().name != "ballot.decide"
	}
	b := h.ballot(h.whole)
	return b == nil || b.Outcome.Verdict.Final() || slices.ContainsFunc(append(slices.Clone(b.Past), b.Round), func(x approval.Round) bool {
		return h.cast(sentence{action: s.action, content: x.Shown.SHA256})
	})
}

// cast tells whether the link has cast a vote on what was shown.
func (h *hearing) cast(s sentence) bool {
	b := h.ballot(h.whole)
	if h.matter != votes || b == nil {
		return false
	}
	return slices.ContainsFunc(append(slices.Clone(b.Past), b.Round), func(x approval.Round) bool {
		return slices.ContainsFunc(x.Votes, func(v approval.Cast) bool { return v.ID == h.voteID(s) && v.Fate != approval.Late })
	})
}

// changedTo is how it stands for somebody who was shown something else.
func (h *hearing) changedTo(s standing) standing {
	s.name, s.changes = "ballot.changed", h.changes()
	return s
}

// refuseBallot answers with how things stand, when that is not as the link or its page has said.
func (c *Console) refuseBallot(w http.ResponseWriter, r *http.Request, h *hearing, s standing) error {
	c.note(r, store.AttemptLink, h.by.Actor.ID, string(h.whole.ID), r.PostForm.Get("action"), strings.TrimPrefix(s.name, "ballot."))
	c.showBallot(w, r, http.StatusConflict, h, s, sentence{})
	return nil
}
