package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"muster/internal/incident"
	"muster/internal/report"
)

// A ReportWriter renders the incident report.
type ReportWriter interface {
	Incident(i *incident.Incident, e report.Edition) ([]byte, error)
	// Result writes the incident result report for one customer, with what a person says in it.
	Result(i *incident.Incident, customer, text string, e report.Edition) ([]byte, error)
}

// A Shelf keeps finished reports. Putting the same name again replaces what was there, whole or not at all.
type Shelf interface {
	Put(ctx context.Context, name string, content []byte) (location string, err error)
}

// Reports writes incident reports.
type Reports struct {
	Archive   Archive
	Writer    ReportWriter
	Shelf     Shelf
	Directory func() Directory // knows in which languages a customer reads
	Forms     func() Forms     // nil: all forms are the shipped ones
}

// Forms are the organisation's own forms of reports, as they are now.
type Forms interface {
	// Form returns the form of a report, nil where the shipped one serves. A report that is for nobody alone has no customer.
	Form(kind report.FormKind, customer, language string) *report.Form
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
	Forms []string        `json:"forms,omitempty"` // SHA-256 of those that are not the shipped ones
}

// WriteReport renders the report in every language of the organisation, in every format.
func (r *Reports) WriteReport(ctx context.Context, in WriteReportInput) (WrittenReport, error) {
	var out WrittenReport
	i := in.Incident
	if i.Timeline.Dropped > 0 {
		if err := r.complete(ctx, i); err != nil {
			return out, fmt.Errorf("complete timeline of %s: %w", i.ID, err)
		}
	}
	for _, language := range i.Definition.Languages {
		form := r.form(report.IncidentForm, "", language, &out.Forms)
		for _, f := range report.Formats() {
			content, err := r.Writer.Incident(i, report.Edition{Language: language, Format: f, Revision: in.Revision, At: in.At, Form: form})
			if err != nil {
				return out, refused(fmt.Errorf("render report of %s in %s: %w", i.ID, language, err))
			}
			name := path.Join(string(i.ID), fmt.Sprintf("incident-report-%d.%s.%s", in.Revision, language, f))
			at, sum, err := r.keep(ctx, name, content)
			if err != nil {
				return out, err
			}
			out.Files = append(out.Files, incident.File{Path: at, SHA256: sum})
		}
	}
	return out, nil
}

// form finds the organisation's own form of a report, and notes which it is.
func (r *Reports) form(kind report.FormKind, customer, language string, used *[]string) *report.Form {
	if r.Forms == nil {
		return nil
	}
	f := r.Forms().Form(kind, customer, language)
	if f != nil {
		*used = append(*used, f.SHA256)
	}
	return f
}

// keep puts a report on the shelf and returns where it lies, and its hash.
func (r *Reports) keep(ctx context.Context, name string, content []byte) (at, sum string, err error) {
	at, err = r.Shelf.Put(ctx, name, content)
	if err != nil {
		return "", "", fmt.Errorf("keep report %s: %w", name, err)
	}
	hash := sha256.Sum256(content)
	return at, hex.EncodeToString(hash[:]), nil
}

// WriteResultInput is an incident as one customer's result report shows it.
type WriteResultInput struct {
	Incident *incident.Incident `json:"incident"`
	Customer string             `json:"customer"` // ID
	Revision int                `json:"revision"`
	Text     string             `json:"text,omitempty"` // what a person says of the cause and of what was done
	At       time.Time          `json:"at"`
}

// WrittenResult lists a result report's files.
type WrittenResult struct {
	Files []incident.ResultFile `json:"files"`
	Forms []string              `json:"forms,omitempty"` // SHA-256 of those that are not the shipped ones
}

// WriteResult renders the result report for one customer, in every language in which its contacts read: as a page, and for
// paper, which is what is sent.
func (r *Reports) WriteResult(ctx context.Context, in WriteResultInput) (WrittenResult, error) {
	var out WrittenResult
	i := in.Incident
	languages := i.Definition.Languages[:1]
	contacts, err := r.Directory().CustomerContacts(in.Customer)
	if err != nil {
		return out, fmt.Errorf("find contacts of customer %s: %w", in.Customer, err)
	}
	for n, c := range contacts {
		if n == 0 {
			languages = nil
		}
		if !slices.Contains(languages, c.Language) {
			languages = append(languages, c.Language)
		}
	}
	for _, language := range languages {
		form := r.form(report.ResultForm, in.Customer, language, &out.Forms)
		for _, f := range []report.Format{report.HTML, report.PDF} {
			e := report.Edition{Language: language, Format: f, Revision: in.Revision, At: in.At, Form: form}
			content, err := r.Writer.Result(i, in.Customer, in.Text, e)
			if err != nil {
				return out, refused(fmt.Errorf("render result report of %s in %s: %w", i.ID, language, err))
			}
			name := path.Join(string(i.ID), fmt.Sprintf("result-report-%d.%s.%s.%s", in.Revision, in.Customer, language, f))
			_, sum, err := r.keep(ctx, name, content)
			if err != nil {
				return out, err
			}
			out.Files = append(out.Files, incident.ResultFile{Language: language, Name: name, SHA256: sum})
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
