package report

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"muster/internal/request"
)

// minutesView is what the minutes of a meeting see.
type minutesView struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string // of the request
	Customer     string
	Subject      string
	Number       int // of the meeting on that request
	At           time.Time
	Purpose      string `text:"line"`
	Who          []string
	Text         string   `text:"prose"`
	Decisions    []string `text:"line"`
	Next         []string `text:"line"`
	Writer       string
}

// loadMinutes reads the text of minutes, and tries it.
func (l *language) loadMinutes(fsys fs.FS) (err error) {
	if l.minutes, err = l.parse(fsys, "reports/minutes."+l.code+".md.tmpl"); err != nil {
		return err
	}
	for _, try := range []any{&minutesView{}, new(filled[minutesView]())} {
		if _, err := run(l.minutes, try, reportLimits()); err != nil {
			return err
		}
	}
	return nil
}

// Minutes writes those of a meeting on a request (회의록), by its number: purpose, content, participants, decisions and next steps
// (source 004, lines 127 to 132).
func (t *Texts) Minutes(r *request.Request, number int, e Edition) ([]byte, error) {
	if number < 1 || number > len(r.Meetings) {
		return nil, fmt.Errorf("minutes on %s: meeting %d: there are %d", r.ID, number, len(r.Meetings))
	}
	l, m := t.in(e.Language), &r.Meetings[number-1]
	v := clean(&minutesView{
		Made: e.At, Zone: r.Zone, Organisation: r.Organisation, ID: string(r.ID), Customer: r.CustomerName, Subject: t.RequestSubject(&r.Terms, l.code),
		Number: number, At: m.At, Purpose: m.Purpose, Who: slices.Clone(m.Who), Text: m.Text,
		Decisions: slices.Clone(m.Decisions), Next: slices.Clone(m.Next), Writer: name(m.By),
	})
	out, err := whole(l.minutes, marked(v))
	if err == nil {
		out, err = l.printed(out, l.frame(v.Organisation, v.ID, v.Zone, "", e), e)
	}
	if err != nil {
		return nil, fmt.Errorf("minutes of meeting %d on %s in %s: %w", number, r.ID, l.code, err)
	}
	return out, nil
}
