package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"time"

	"muster/internal/incident"
	"muster/internal/report"
)

// A ReportWriter renders the incident report.
type ReportWriter interface {
	Incident(i *incident.Incident, language string, f report.Format, at time.Time) ([]byte, error)
}

// A Shelf keeps finished reports. Putting the same name again replaces what was there, whole or not at all.
type Shelf interface {
	Put(ctx context.Context, name string, content []byte) (location string, err error)
}

// Reports writes incident reports.
type Reports struct {
	Writer ReportWriter
	Shelf  Shelf
}

// WriteReportInput is an incident as its report shows it.
type WriteReportInput struct {
	Incident *incident.Incident `json:"incident"`
	At       time.Time          `json:"at"`
}

// WrittenReport says where the report is; the hash is of all its files in order.
type WrittenReport struct {
	Paths  []string `json:"paths"`
	SHA256 string   `json:"sha256"`
}

// WriteReport renders the report in every language of the organisation, as Markdown and HTML.
func (r *Reports) WriteReport(ctx context.Context, in WriteReportInput) (WrittenReport, error) {
	var out WrittenReport
	sum := sha256.New()
	for _, language := range in.Incident.Definition.Languages {
		for _, f := range []report.Format{report.Markdown, report.HTML} {
			content, err := r.Writer.Incident(in.Incident, language, f, in.At)
			if err != nil {
				return out, refused(fmt.Errorf("render report of %s in %s: %w", in.Incident.ID, language, err))
			}
			name := path.Join(string(in.Incident.ID), "incident-report."+language+"."+string(f))
			at, err := r.Shelf.Put(ctx, name, content)
			if err != nil {
				return out, fmt.Errorf("keep report %s: %w", name, err)
			}
			sum.Write(content)
			out.Paths = append(out.Paths, at)
		}
	}
	out.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}
