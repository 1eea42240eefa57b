package starter

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// Announce starts the run of a plan for what a provider announces, on the terms that it asks for, or writes the news into the
// timeline of the run that was started for it before. What it has said last changes nothing, nor does news of a run that is over. It
// says whether there is a run; terms say whether there is a plan. A *RefusedError says that none can be started.
func (s *PlanRuns) Announce(ctx context.Context, source string, n alert.Notice, terms func() (planrun.Terms, bool, error)) (known bool, err error) {
	by := timeline.Actor{Kind: timeline.Source, ID: source}
	req := Request{ID: "notice/" + source + "/" + n.ID, By: by, Via: "intake"}
	id := startedBy(req.ID)
	ref, known, err := s.look(ctx, id)
	if err != nil {
		return false, err
	}
	var run *planrun.Run
	if known {
		run, err = s.state(ctx, runOf(id), ref)
	} else {
		t, planned, refused := terms()
		if refused != nil || !planned || n.Over { // what is over when it is heard of needs nobody
			return planned, refused
		}
		t.Notice = &planrun.Noticed{Source: source, ID: n.ID, Key: link.Hash("notice", source, n.ID), SHA256: n.SHA256()}
		run, err = s.Start(ctx, req, t)
	}
	if _, none := errors.AsType[*NotFoundError](err); none { // a worker has refused its start
		return true, &RefusedError{Reason: runOf(id) + " could not be started"}
	}
	if err != nil {
		return true, err
	}
	return true, s.news(ctx, run, req, n)
}

// news tells a run what its provider says now, unless it has said the same last.
func (s *PlanRuns) news(ctx context.Context, run *planrun.Run, req Request, n alert.Notice) error {
	zone, err := time.LoadLocation(run.Zone)
	if err != nil {
		zone = time.UTC
	}
	text, told, last := ticket.Cut(n.News(zone), planrun.MaxText/utf8.UTFMax), 0, ""
	for _, e := range run.Timeline.Entries {
		if e.Kind == timeline.Noted && e.Actor == req.By {
			told, last = told+1, e.Fact("text")
		}
	}
	if run.Over() || run.Notice == nil || told == 0 && run.Notice.SHA256 == n.SHA256() || told > 0 && last == text {
		return nil
	}
	req.ID = fmt.Sprintf("notice/%d/%s", told+1, n.SHA256())
	err = s.Ask(ctx, run.ID, req, planrun.Note{Text: text})
	if _, over := errors.AsType[*RefusedError](err); over { // it ends at this moment, or its timeline is full
		return nil
	}
	return err
}
