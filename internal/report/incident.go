package report

import (
	"fmt"
	"time"

	"muster/internal/incident"
)

// Format is the form of a document.
type Format string

// The formats of reports; also the extensions of their files.
const (
	Markdown Format = "md"
	HTML     Format = "html" // one page that needs nothing else
)

// Incident writes the incident report (장애처리결과보고서) as of an instant. The same incident and instant give the same
// bytes. It is the provider's own report: it names all customers, alerts and people of the incident.
func (t *Texts) Incident(i *incident.Incident, language string, format Format, at time.Time) ([]byte, error) {
	l := t.in(language)
	out, err := document(clean(l.view(i, at)), l.markdown, l.page, format)
	if err != nil {
		return nil, fmt.Errorf("report on %s in %s: %w", i.ID, l.code, err)
	}
	return out, nil
}

// document writes what was gathered in one of the formats.
func document[T any](v *T, markdown, page executor, format Format) ([]byte, error) {
	text := page
	switch format {
	case Markdown:
		text, v = markdown, marked(v)
	case HTML:
	default:
		return nil, fmt.Errorf("format %q: want %s or %s", format, Markdown, HTML)
	}
	out, err := run(text, v, reportLimits())
	if err != nil {
		return nil, fmt.Errorf("as %s: %w", format, err)
	}
	return []byte(out), nil
}
