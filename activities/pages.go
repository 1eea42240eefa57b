package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/posting"
)

// A Page is a status page. Posting one revision twice is one post, and an older one changes nothing.
type Page interface {
	// Post returns what the page calls the incident. A *delivery.Refusal is final; every other error is worth another attempt.
	Post(ctx context.Context, p posting.Posting) (ref string, err error)
}

// Pages posts on status pages.
type Pages struct {
	Page   func(id string) (Page, error) // as the organisation folder has it now
	Writer Writer
}

// PostStatusInput is what a status page should say.
type PostStatusInput struct {
	Page      string           `json:"page"`
	Component string           `json:"component,omitempty"`
	Ref       string           `json:"ref,omitempty"`
	Revision  int              `json:"revision"`
	At        time.Time        `json:"at"`
	Telling   incident.Telling `json:"telling"`
	Languages []string         `json:"languages"` // the organisation's own first
}

// Posting asks for what a status page should say of an incident.
func Posting(i *incident.Incident, s incident.Send) PostStatusInput {
	page := i.PageOf(s)
	return PostStatusInput{
		Page: page.ID, Component: page.Component, Ref: page.Ref, Revision: s.Revision, At: i.Posted.At, Telling: i.ForPage(page),
		Languages: i.Definition.Languages,
	}
}

// PostStatus makes a status page say it, in every language: its readers are not known.
func (p *Pages) PostStatus(ctx context.Context, in PostStatusInput) (string, error) {
	operation := fmt.Sprintf("post %s on status page %s", in.Telling.Facts.ID, in.Page)
	page, err := p.Page(in.Page)
	if err != nil { // a worker that lags behind the folder, or a secret that is being rotated
		return in.Ref, ended(operation, err)
	}
	out := posting.Posting{
		Incident: string(in.Telling.Facts.ID), Ref: in.Ref, Revision: in.Revision, Status: string(in.Telling.Says),
		Impact: string(in.Telling.Facts.Impact), Component: in.Component, Started: in.Telling.Facts.Times.Started, At: in.At,
	}
	languages := slices.Clone(in.Languages)
	for _, l := range []string{"en", "ko"} {
		if !slices.Contains(languages, l) {
			languages = append(languages, l)
		}
	}
	for _, l := range languages {
		m, err := p.Writer.Message(in.Telling, delivery.Recipient{Language: l})
		if err != nil {
			return in.Ref, refused(fmt.Errorf("%s: %w", operation, err))
		}
		out.Words = append(out.Words, posting.Words{Language: l, Title: m.Subject, Text: m.Text})
	}
	ref, err := page.Post(ctx, out)
	return ref, ended(operation, err)
}
