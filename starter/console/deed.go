package console

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
)

// Bounds of what somebody writes for a deed, in characters. A character has four bytes at most.
const (
	maxTyped = planrun.MaxText / 4
	maxRef   = 500
)

// A deed is something that somebody does in a run by a page.
type deed struct {
	name, task, target string
	text               string // a reason, or a note
	evidence           []planrun.Given
	fault              string // names the words for what is wrong with it
}

// Text is what was written.
func (d deed) Text() string { return d.text }

// Fault names the words for what is wrong with it, and Is tells whether it is a deed of that name.
func (d deed) Fault() string       { return d.fault }
func (d deed) Is(name string) bool { return d.name == name }

// deeds are the names of those that pages offer.
func deeds() []string {
	return []string{"begin", "complete", "fail", "halt", "continue", "decide"}
}

// deedOf reads a deed.
func deedOf(r *http.Request, run *planrun.Run) deed {
	d := deed{name: r.PostForm.Get("deed"), task: r.PostForm.Get("task"), target: r.PostForm.Get("target"), text: tidy(r.PostForm.Get("text"))}
	if !utf8.ValidString(d.text) || utf8.RuneCountInString(d.text) > maxTyped {
		d.text, d.fault = strings.ToValidUTF8(d.text, ""), "deed.text-long"
	}
	if d.text == "" && slices.Contains([]string{"fail", "halt", "continue"}, d.name) {
		d.fault = "reason.missing"
	}
	s, def, ok := run.Task(d.task)
	if d.name != "complete" || !ok || def.Waves != nil {
		return d
	}
	for _, e := range def.Evidence {
		g := planrun.Given{Item: e.ID, Ref: tidy(r.PostForm.Get("ref." + e.ID)), SHA256: strings.ToLower(tidy(r.PostForm.Get("sha256." + e.ID)))}
		given := slices.ContainsFunc(s.Evidence, func(g planrun.Given) bool { return g.Item == e.ID && g.Returned.IsZero() })
		sum, err := hex.DecodeString(g.SHA256)
		switch {
		case g.Ref == "" && g.SHA256 == "" && given:
			continue
		case g.Ref == "" || !utf8.ValidString(g.Ref) || utf8.RuneCountInString(g.Ref) > maxRef:
			d.fault = "deed.evidence-missing"
		case g.SHA256 != "" && (err != nil || len(sum) != sha256.Size):
			d.fault = "deed.evidence-sum"
		}
		d.evidence = append(d.evidence, g)
	}
	return d
}

// command is what a deed asks of a run, nil for one that no page offers.
func (d deed) command(in planrun.Capacity) planrun.Command {
	switch d.name {
	case "begin":
		return planrun.Begin{Capacity: in, Task: d.task}
	case "complete":
		return planrun.Complete{Capacity: in, Task: d.task, Target: d.target, Evidence: d.evidence, Note: d.text}
	case "fail":
		return planrun.Fail{Capacity: in, Task: d.task, Target: d.target, Reason: d.text}
	case "halt":
		return planrun.Halt{Capacity: in, Reason: d.text}
	case "continue":
		return planrun.Continue{Capacity: in, Reason: d.text}
	}
	return nil
}

// doDeed does what whoever is signed in says. The same form sent twice is one deed.
func (c *Console) doDeed(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
	h, err := c.heardIn(r, s, by)
	if err != nil {
		return err
	}
	if err := c.mayIn(r, h, authority.Work); err != nil {
		return err
	}
	d := deedOf(r, h.whole)
	command, form := d.command(h.in), r.PostForm.Get("key")
	if command == nil || !formKeys.MatchString(form) {
		return &refusal{status: http.StatusBadRequest, name: "form"}
	}
	if d.fault != "" {
		c.runPage(w, r, http.StatusUnprocessableEntity, h, runPage{Notice: "deed.wrong", Typed: d})
		return nil
	}
	evidence, err := json.Marshal(d.evidence)
	if err != nil {
		return err
	}
	id := "page/" + form + "/" + link.Hash(by.Actor.ID, string(h.whole.ID), d.name, d.task, d.target, d.text, string(evidence))
	if err = starter.Proven(r.Context(), h.whole, command, c.cfg.PlanRuns.PlanRun); err == nil {
		err = c.cfg.PlanRuns.AskPlanRun(r.Context(), h.whole.ID, starter.Request{ID: id, By: by.Actor, Via: h.via}, command)
	}
	c.cfg.Log.Info("deed on a page", "run", h.whole.ID, "deed", d.name, "task", d.task, "actor", by.Actor.ID, "error", err)
	refused, no := errors.AsType[*starter.RefusedError](err)
	_, gone := errors.AsType[*starter.NotFoundError](err)
	switch {
	case err == nil:
		http.Redirect(w, r, c.done(r, h, d.name), http.StatusSeeOther)
		return nil
	case !no && !gone:
		return err
	}
	h = c.heardAgain(r, h)
	page := runPage{Notice: "deed.refused", Typed: d}
	if no {
		page.Refusal = c.inWords(h, command, refused.Reason)
	} else if why := command.Check(h.run, by.Actor); why != nil { // it has ended
		page.Refusal = why.Error()
	}
	c.runPage(w, r, http.StatusConflict, h, page)
	return nil
}

// done is the page of the run that says that something was done.
func (c *Console) done(r *http.Request, h *hearing, name string) string {
	p := c.page(r, "run", "run", h.by.Actor.ID)
	to := runPath(h.whole.ID) + "?done=" + name
	if p.Keep != "" {
		to += "&" + strings.TrimPrefix(p.Keep, "?")
	}
	return to
}

// mayIn refuses whoever may not do something in runs of plans.
func (c *Console) mayIn(r *http.Request, h *hearing, v authority.Verb) error {
	if err := authority.May(h.by, v, starter.AboutRun(c.cfg.Organisation(), h.whole)); err != nil {
		c.note(r, store.AttemptDenied, h.by.Actor.ID, r.URL.Path, string(v), err.Error())
		return &refusal{status: http.StatusForbidden, name: "deed.may-not"}
	}
	return nil
}

// getReport hands out a document of a run, if it is the one that was written then.
func (c *Console) getReport(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
	h, err := c.heardIn(r, s, by)
	if err != nil {
		return err
	}
	all, name := reportsOf(h.run), r.PathValue("name")
	n := slices.IndexFunc(all, func(g planrun.Given) bool { return path.Base(g.Ref) == name })
	if n < 0 {
		return &refusal{status: http.StatusNotFound, name: "no-page"}
	}
	content, err := c.cfg.Reports.Get(r.Context(), all[n].Ref)
	if sum := sha256.Sum256(content); err == nil && hex.EncodeToString(sum[:]) != all[n].SHA256 {
		err = &delivery.Refusal{Detail: "report " + all[n].Ref + ": it is not what was written: its SHA-256 is another"}
	}
	if err != nil {
		c.cfg.Log.Error("report not handed out", "run", h.whole.ID, "report", all[n].Ref, "error", err)
		return &refusal{status: http.StatusNotFound, name: "no-report"}
	}
	head := w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": string(h.whole.ID) + "-" + name}))
	_, _ = w.Write(content) // a client that has gone needs no answer
	return nil
}
