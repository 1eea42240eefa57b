package activities_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/posting"
)

// board is a status page.
type board struct {
	got posting.Posting
	err error
}

func (b *board) Post(_ context.Context, p posting.Posting) (string, error) {
	b.got = p
	return "i1", b.err
}

func TestPostStatus(t *testing.T) {
	in := activities.PostStatusInput{
		Page: "public", Component: "c1", Ref: "i1", Revision: 3, At: at, Languages: []string{"ko"},
		Telling: incident.Telling{Kind: delivery.StatusPage, Says: incident.Identified, Facts: incident.Facts{ID: "INC-7", Service: "Payments", Impact: "high"}},
	}
	for _, tt := range []struct {
		name           string
		none, err      error
		wantErr, final bool
	}{
		{"posted", nil, nil, false, false},
		{"refused", nil, &delivery.Refusal{Detail: "401"}, true, true},
		{"away", nil, &delivery.Unavailable{Detail: "503"}, true, false},
		{"not in this folder", errors.New("status page \"public\": not found"), nil, true, false}, // the worker may lag behind
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &board{err: tt.err}
			p := &activities.Pages{Page: func(string) (activities.Page, error) { return b, tt.none }, Writer: writer{}}
			ref, err := perform[string](t, p.PostStatus, in)
			if (err != nil) != tt.wantErr || err != nil && final(err) != tt.final || err == nil && ref != "i1" {
				t.Errorf("got %q, %v", ref, err)
			}
			if tt.none != nil {
				return
			}
			languages := []string{}
			for _, w := range b.got.Words {
				languages = append(languages, w.Language)
			}
			if diff := cmp.Diff([]string{"ko", "en"}, languages); diff != "" {
				t.Errorf("its own language first: %s", diff)
			}
			if b.got.Incident != "INC-7" || b.got.Status != "identified" || b.got.Revision != 3 || b.got.Component != "c1" {
				t.Errorf("posted %+v", b.got)
			}
		})
	}
}
