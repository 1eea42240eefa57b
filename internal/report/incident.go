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
	v := clean(l.view(i, at))
	var text executor
	switch format {
	case Markdown:
		text, v = l.markdown, marked(v)
	case HTML:
		text = l.page
	default:
		return nil, fmt.Errorf("report on %s: format %q: want %s or %s", i.ID, format, Markdown, HTML)
	}
	out, err := run(text, v, reportLimits())
	if err != nil {
		return nil, fmt.Errorf("report on %s as %s in %s: %w", i.ID, format, l.code, err)
	}
	return []byte(out), nil
}
