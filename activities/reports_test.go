package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/timeline"
)

// scribe writes how much of the timeline it has seen, and cannot write the language that it does not know.
type scribe struct{}

func (scribe) Incident(i *incident.Incident, e report.Edition) ([]byte, error) {
	if e.Language == "fr" {
		return nil, errors.New("no such language")
	}
	return fmt.Appendf(nil, "%s %s %s%s: %d entries", i.ID, e.Language, e.Format, own(e), len(i.Timeline.Entries)), nil
}

// Result says for whom it is, and what a person says.
func (scribe) Result(i *incident.Incident, customer, text string, e report.Edition) ([]byte, error) {
	if text == "unwritable" {
		return nil, errors.New("no such text")
	}
	return fmt.Appendf(nil, "%s %s %s %s%s: %s", i.ID, customer, e.Language, e.Format, own(e), text), nil
}

// own says which revision it is, and whose form it has.
func own(e report.Edition) string {
	if e.Form == nil {
		return fmt.Sprintf(" %d", e.Revision)
	}
	return fmt.Sprintf(" %d by %s", e.Revision, e.Form.SHA256)
}

// forms are the organisation's own: one of the incident report in English, one of the result report for acme alone.
type forms struct{}

func (forms) Form(kind report.FormKind, customer, language string) *report.Form {
	switch {
	case kind == report.IncidentForm && customer == "" && language == "en":
		return &report.Form{SHA256: "f1"}
	case kind == report.ResultForm && customer == "acme":
		return &report.Form{SHA256: "f2"}
	}
	return nil
}

// shelf keeps reports until it is full.
type shelf struct {
	room int
	held map[string]string
}

func (s *shelf) Put(_ context.Context, name string, content []byte) (string, error) {
	if len(s.held) == s.room {
		return "", errors.New("no space left")
	}
	s.held["/reports/"+name] = string(content)
	return "/reports/" + name, nil
}

// past is an archive that knows one earlier run, or nothing any more.
type past struct {
	gone bool
	last *incident.Earlier
	err  error

	beside []incident.Nearby
	unseen error
}

func (p past) Complete(_ context.Context, _ string, i *incident.Incident) error {
	if p.err == nil && !p.gone {
		i.Timeline = timeline.Join(timeline.Log{Entries: []timeline.Entry{{Seq: 1}, {Seq: 2}}}, i.Timeline)
	}
	return p.err
}

func (p past) Last(context.Context, string, incident.ID) (*incident.Earlier, error) {
	return p.last, p.err
}

func (p past) LastOf(_ context.Context, service string, except incident.ID) (*incident.Earlier, error) {
	if p.err == nil && service == "checkout" && except == "INC-1" {
		return p.last, nil
	}
	return nil, p.err
}

func (p past) Nearby(_ context.Context, service incident.Service, around incident.Around, except incident.ID, when time.Time) ([]incident.Nearby, error) {
	if service.ID != "checkout" || len(around.NeededBy) != 1 || except != "INC-1" || !when.Equal(at) {
		return nil, fmt.Errorf("asked for what goes on beside %s of %v, %v at %s", except, service, around, when)
	}
	return p.beside, p.unseen
}

func TestWriteReport(t *testing.T) {
	for _, tc := range []struct {
		name      string
		languages []string
		dropped   int
		archive   past
		room      int
		want      []string // the text of every file
		err       string
		final     bool
	}{
		{
			"every language and format",
			[]string{"ko", "en"},
			0,
			past{},
			9,
			[]string{
				"INC-1 ko md 2: 1 entries", "INC-1 ko html 2: 1 entries", "INC-1 ko pdf 2: 1 entries",
				"INC-1 en md 2: 1 entries", "INC-1 en html 2: 1 entries", "INC-1 en pdf 2: 1 entries",
			},
			"", false,
		},
		{"what earlier runs have recorded", []string{"ko"}, 2, past{}, 9, []string{"INC-1 ko md 2: 3 entries", "INC-1 ko html 2: 3 entries", "INC-1 ko pdf 2: 3 entries"}, "", false},
		{"as much as is left of it", []string{"ko"}, 2, past{gone: true}, 9, []string{"INC-1 ko md 2: 1 entries", "INC-1 ko html 2: 1 entries", "INC-1 ko pdf 2: 1 entries"}, "", false},
		{"earlier runs that do not answer", []string{"ko"}, 2, past{err: errors.New("busy")}, 9, nil, "complete timeline of INC-1: busy", false},
		{"a text that cannot be written", []string{"ko", "fr"}, 0, past{}, 9, nil, "render report of INC-1 in fr: no such language", true},
		{"no room", []string{"ko"}, 0, past{}, 1, nil, "keep report INC-1/incident-report-2.ko.html: no space left", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{room: tc.room, held: map[string]string{}}
			i := &incident.Incident{ID: "INC-1", Definition: incident.Definition{Languages: tc.languages}}
			i.Timeline = timeline.Log{Dropped: tc.dropped, Entries: []timeline.Entry{{Seq: tc.dropped + 1}}}
			got, err := perform[activities.WrittenReport](t, (&activities.Reports{Archive: tc.archive, Writer: scribe{}, Shelf: s}).WriteReport,
				activities.WriteReportInput{Incident: i, Revision: 2, At: at})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || final(err) != tc.final {
					t.Errorf("got %v, final %v; want %q, final %v", err, final(err), tc.err, tc.final)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, f := range got.Files {
				texts = append(texts, s.held[f.Path])
				if sum := sha256.Sum256([]byte(s.held[f.Path])); f.SHA256 != hex.EncodeToString(sum[:]) {
					t.Errorf("%s: SHA-256 %s is not that of %q", f.Path, f.SHA256, s.held[f.Path])
				}
			}
			if !slices.Equal(texts, tc.want) {
				t.Errorf("got %q, want %q", texts, tc.want)
			}
		})
	}
}

func TestWriteResult(t *testing.T) {
	i := &incident.Incident{ID: "INC-1", Definition: incident.Definition{Languages: []string{"ko", "en"}}}
	for _, tc := range []struct {
		name, customer, text string
		room                 int
		err                  string
		final                bool
	}{
		{"each language of its contacts once", "acme", "a leak", 2, "", false},
		{"a customer that is gone", "ghost", "", 1, `find contacts of customer ghost: customer "ghost": not found`, false},
		{"a text that cannot be written", "acme", "unwritable", 1, "render result report of INC-1 in en: no such text", true},
		{"no room", "acme", "", 1, "keep report INC-1/result-report-2.acme.en.pdf: no space left", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{room: tc.room, held: map[string]string{}}
			got, err := perform[activities.WrittenResult](t, (&activities.Reports{Writer: scribe{}, Shelf: s, Directory: open}).WriteResult,
				activities.WriteResultInput{Incident: i, Customer: tc.customer, Revision: 2, Text: tc.text, At: at})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || final(err) != tc.final {
					t.Errorf("got %v, final %v; want %q, final %v", err, final(err), tc.err, tc.final)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want []incident.ResultFile
			for _, format := range []string{"html", "pdf"} {
				name, content := "INC-1/result-report-2.acme.en."+format, "INC-1 acme en "+format+" 2: a leak"
				sum := sha256.Sum256([]byte(content))
				want = append(want, incident.ResultFile{Language: "en", Name: name, SHA256: hex.EncodeToString(sum[:])})
				if s.held["/reports/"+name] != content {
					t.Errorf("%s: got %q, want %q", name, s.held["/reports/"+name], content)
				}
			}
			if !slices.Equal(got.Files, want) {
				t.Errorf("got %+v, want %+v", got.Files, want)
			}
		})
	}
}

// A report is written in the organisation's own form, and the history says which that was.
func TestReportsHaveTheOrganisationsForms(t *testing.T) {
	i := &incident.Incident{ID: "INC-1", Definition: incident.Definition{Languages: []string{"ko", "en"}}}
	s := &shelf{room: 9, held: map[string]string{}}
	r := &activities.Reports{Writer: scribe{}, Shelf: s, Directory: open, Forms: func() activities.Forms { return forms{} }}
	report, err := perform[activities.WrittenReport](t, r.WriteReport, activities.WriteReportInput{Incident: i, Revision: 1, At: at})
	if err != nil || !slices.Equal(report.Forms, []string{"f1"}) {
		t.Errorf("incident report: forms %v, %v", report.Forms, err)
	}
	result, err := perform[activities.WrittenResult](t, r.WriteResult, activities.WriteResultInput{Incident: i, Customer: "acme", Revision: 1, At: at})
	if err != nil || !slices.Equal(result.Forms, []string{"f2"}) {
		t.Errorf("result report: forms %v, %v", result.Forms, err)
	}
	for name, want := range map[string]string{
		"incident-report-1.ko.pdf": "INC-1 ko pdf 1: 0 entries", "incident-report-1.en.pdf": "INC-1 en pdf 1 by f1: 0 entries",
		"result-report-1.acme.en.pdf": "INC-1 acme en pdf 1 by f2: ",
	} {
		if got := s.held["/reports/INC-1/"+name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestFindPrevious(t *testing.T) {
	before := incident.Earlier{ID: "INC-0", RunID: "run-0", ClosedAt: at}
	got, err := perform[*incident.Earlier](t, (&activities.Lookup{Archive: past{last: &before}}).FindPrevious, incident.ID("INC-1"))
	if err != nil || got == nil || *got != before {
		t.Errorf("got %+v, %v; want %+v", got, err, before)
	}
	if got, err := perform[*incident.Earlier](t, (&activities.Lookup{Archive: past{}}).FindPrevious, incident.ID("INC-1")); err != nil || got != nil {
		t.Errorf("got %+v, %v; want nobody before the first", got, err)
	}
	_, err = perform[*incident.Earlier](t, (&activities.Lookup{Archive: past{err: errors.New("no visibility")}}).FindPrevious, incident.ID("INC-1"))
	if err == nil || final(err) || !strings.Contains(err.Error(), "no visibility") {
		t.Errorf("got %v, want an error that is worth another attempt", err)
	}
}

func TestFindNearby(t *testing.T) {
	beside := []incident.Nearby{{Kind: incident.NearbyChange, ID: "CHG-1"}}
	around := func(service string) (a incident.Around) {
		a.NeededBy = []incident.Service{{ID: "needs-" + service}}
		return a
	}
	in := activities.NearbyInput{Self: "INC-1", Service: incident.Service{ID: "checkout"}, At: at}
	got, err := perform[[]incident.Nearby](t, (&activities.Lookup{Archive: past{beside: beside}, Around: around}).FindNearby, in)
	if err != nil || !slices.Equal(got, beside) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = perform[[]incident.Nearby](t, (&activities.Lookup{Archive: past{unseen: errors.New("no list")}, Around: around}).FindNearby, in)
	if err == nil || final(err) || !strings.Contains(err.Error(), "find what goes on beside INC-1: no list") {
		t.Errorf("got %v, want an error that is worth another attempt", err)
	}
}

func TestFindPreviousOfAService(t *testing.T) {
	before, in := incident.Earlier{ID: "INC-0", RunID: "run-0", ClosedAt: at}, activities.PreviousOfInput{Self: "INC-1", Service: "checkout"}
	got, err := perform[*incident.Earlier](t, (&activities.Lookup{Archive: past{last: &before}}).FindPreviousOf, in)
	if err != nil || got == nil || *got != before {
		t.Errorf("got %+v, %v; want %+v", got, err, before)
	}
	_, err = perform[*incident.Earlier](t, (&activities.Lookup{Archive: past{err: errors.New("no visibility")}}).FindPreviousOf, in)
	if err == nil || final(err) || !strings.Contains(err.Error(), "find previous incident of service checkout: no visibility") {
		t.Errorf("got %v, want an error that is worth another attempt", err)
	}
}
