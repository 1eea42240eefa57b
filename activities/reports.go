package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"time"

	"go.temporal.io/sdk/activity"

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
	Archive Archive
	Writer  ReportWriter
	Shelf   Shelf
}

// WriteReportInput is an incident as its report shows it: what a report says can be derived from the history alone.
type WriteReportInput struct {
	Incident *incident.Incident `json:"incident"`
	Revision int                `json:"revision"` // 1, 2, 3 …: an earlier one may have been handed out, and stays
	At       time.Time          `json:"at"`
}

// WrittenReport lists the report's files.
type WrittenReport struct {
	Files []incident.File `json:"files"`
}

// WriteReport renders the report in every language of the organisation, as Markdown and HTML.
func (r *Reports) WriteReport(ctx context.Context, in WriteReportInput) (WrittenReport, error) {
	var out WrittenReport
	i := in.Incident
	if i.Timeline.Dropped > 0 {
		if err := r.complete(ctx, i); err != nil {
			return out, fmt.Errorf("complete timeline of %s: %w", i.ID, err)
		}
	}
	for _, language := range i.Definition.Languages {
		for _, f := range []report.Format{report.Markdown, report.HTML} {
			content, err := r.Writer.Incident(i, language, f, in.At)
			if err != nil {
				return out, refused(fmt.Errorf("render report of %s in %s: %w", i.ID, language, err))
			}
			name := path.Join(string(i.ID), fmt.Sprintf("incident-report-%d.%s.%s", in.Revision, language, f))
			at, err := r.Shelf.Put(ctx, name, content)
			if err != nil {
				return out, fmt.Errorf("keep report %s: %w", name, err)
			}
			sum := sha256.Sum256(content)
			out.Files = append(out.Files, incident.File{Path: at, SHA256: hex.EncodeToString(sum[:])})
		}
	}
	return out, nil
}

// complete reads what earlier runs have recorded. A report with what there is, is better than none in the end.
func (r *Reports) complete(ctx context.Context, i *incident.Incident) error {
	const patience, attempts = 8 * time.Second, 5
	info := activity.GetInfo(ctx)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.Archive.Complete(ctx, info.WorkflowExecution.ID, i); err != nil && info.Attempt < attempts {
		return err
	}
	return nil
}
