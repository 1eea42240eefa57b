package report

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/report/pdf"
)

// Format is the form of a document.
type Format string

// The formats of reports; also the extensions of their files.
const (
	Markdown Format = "md"
	HTML     Format = "html" // one page that needs nothing else
	PDF      Format = "pdf"  // for paper
)

// Formats lists the formats of reports.
func Formats() []Format { return []Format{Markdown, HTML, PDF} }

// Type returns the media type of a document.
func (f Format) Type() string {
	switch f {
	case HTML:
		return "text/html; charset=utf-8"
	case PDF:
		return "application/pdf"
	default:
		return "text/markdown; charset=utf-8"
	}
}

// An Edition is how somebody wants to have a report.
type Edition struct {
	Language string
	Format   Format
	Revision int       // of a report that is kept; 0: only to be looked at
	At       time.Time // of which it is
	Form     *Form     // takes the place of the shipped one; nil: none does

	Contacts []PlanContact // of a report on a run of a plan
}

// Incident writes the incident report (장애처리결과보고서) as of an instant. The same incident and edition give the same bytes. It
// is the provider's own report: it names all customers, alerts and people of the incident.
func (t *Texts) Incident(i *incident.Incident, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	v := clean(l.view(i, e.At))
	out, err := document(l, v, l.incident, e, l.frame(v.Organisation, v.ID, v.Zone, v.Kind, e))
	if err != nil {
		return nil, fmt.Errorf("report on %s in %s: %w", i.ID, l.code, err)
	}
	return out, nil
}

// shipped are the texts of a report that come with Muster.
type shipped struct{ markdown, page executor }

// document writes what was gathered in one of the formats. What is for paper comes from the Markdown, and so does the page of
// a form, which is Markdown alone.
func document[T any](l *language, v *T, s shipped, e Edition, d pdf.Document) ([]byte, error) {
	if !slices.Contains(Formats(), e.Format) {
		return nil, fmt.Errorf("format %q: want one of %q", e.Format, Formats())
	}
	text := s.markdown
	if e.Form != nil {
		text = e.Form.text
	}
	var out []byte
	var err error
	switch {
	case e.Format == HTML && e.Form == nil:
		out, err = whole(s.page, v)
	default:
		out, err = whole(text, marked(v))
	}
	switch {
	case err != nil:
	case e.Format == PDF:
		out, err = pdf.Write(d, out)
	case e.Format == HTML && e.Form != nil:
		out, err = l.fromMarkdown(out)
	}
	if err != nil {
		return nil, fmt.Errorf("as %s: %w", e.Format, err)
	}
	return out, nil
}

// frame is what stands around the pages of a report on paper.
func (l *language) frame(organisation, id, zone, kind string, e Edition) pdf.Document {
	d := pdf.Document{
		Language: l.code, Organisation: organisation, Identity: id, Missing: l.word("report", "missing"), Made: e.At,
	}
	if e.Revision > 0 {
		d.Identity += ", " + fmt.Sprintf(l.word("report", "revision"), e.Revision)
	}
	d.Identity += ", " + l.moment(e.At, zone)
	if kind != "" {
		d.Notice = l.word("kind", kind) + ": " + l.word("report", "restricted")
	}
	return d
}
