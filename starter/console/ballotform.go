package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"muster/internal/authority"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
)

const runsPath = "/plan-runs"

// RunPath is the page of a run.
func RunPath(id planrun.ID) string { return runPath(id) }

// runPath is the page of a run, or of something in it.
func runPath(id planrun.ID, parts ...string) string {
	path, err := url.JoinPath(runsPath+"/"+string(id), parts...)
	if err != nil { // of what is no path no page is made
		return runsPath
	}
	return path
}

// key is that of a form: the one that it came with, else a new one.
func key(given string) string {
	if formKeys.MatchString(given) {
		return given
	}
	return rand.Text()
}

// heardIn looks at the run of a path in the name of whoever is signed in. Who may not read it learns no more than that there is none
// for them.
func (c *Console) heardIn(r *http.Request, s store.Session, by authority.Subject) (*hearing, error) {
	h, err := c.hear(r, by, planrun.ID(r.PathValue("id")))
	if denied, ok := errors.AsType[*authority.DeniedError](err); ok {
		c.note(r, store.AttemptDenied, by.Actor.ID, r.URL.Path, r.Method, denied.Error())
		err = &starter.NotFoundError{}
	}
	if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
		return nil, &refusal{status: http.StatusNotFound, name: "no-run"}
	}
	if err == nil {
		h.via = "session:" + s.Via
	}
	return h, err
}

// on looks at a matter of the run of a path.
func (c *Console) on(r *http.Request, s store.Session, by authority.Subject, m matter) (*hearing, error) {
	h, err := c.heardIn(r, s, by)
	if err != nil {
		return nil, err
	}
	h.matter, h.part = m, r.PathValue("part")
	if h.content() == "" && h.stands().name == "ballot.over" {
		return nil, &refusal{status: http.StatusNotFound, name: "no-page"}
	}
	return h, nil
}

// showMatter shows what is decided to whoever is signed in.
func (c *Console) showMatter(m matter) personal {
	return func(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
		h, err := c.on(r, s, by, m)
		if err != nil {
			return err
		}
		c.showBallot(w, r, http.StatusOK, h, h.stands(), sentence{})
		return nil
	}
}

// decideMatter says in the run what whoever is signed in has said.
func (c *Console) decideMatter(m matter) personal {
	return func(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
		h, err := c.on(r, s, by, m)
		if err != nil {
			return err
		}
		if err := c.mayIn(r, h, authority.Decide); err != nil {
			return err
		}
		said := h.sentenceOf(r)
		if !formKeys.MatchString(said.key) {
			return &refusal{status: http.StatusBadRequest, name: "form"}
		}
		id := "page/" + said.key + "/" + link.Hash(by.Actor.ID, string(h.whole.ID), string(m), h.part, string(said.action), said.content, said.place, said.reason.text)
		h.told = said.content
		is := h.stands()
		switch possible := slices.Contains(is.actions, said.action); {
		case possible && h.changed(said):
			c.showBallot(w, r, http.StatusConflict, h, h.changedTo(is), said)
			return nil
		case possible && said.reason.fault != "":
			c.showBallot(w, r, http.StatusUnprocessableEntity, h, is, said)
			return nil
		}
		h, no, err := c.askRun(r, h, id, h.command(id, said))
		if err != nil {
			return err
		}
		if no != nil {
			c.showBallot(w, r, http.StatusConflict, h, *no, sentence{})
			return nil
		}
		http.Redirect(w, r, c.done(r, h, "decide"), http.StatusSeeOther)
		return nil
	}
}

// deciding are the handlers of the page on which whoever is signed in decides on a matter.
func (c *Console) deciding(m matter) methods {
	return methods{http.MethodGet: c.signedIn(c.showMatter(m)), http.MethodPost: c.ours(c.signedIn(c.decideMatter(m)))}
}
