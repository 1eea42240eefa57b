// Package starter is the one way to the workflows: it starts them, talks to them and reads them. What stands on top of it
// (intake, API, pages, commands) knows no Temporal.
package starter

import (
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"muster/workflows"
)

// A NotFoundError names what there is not.
type NotFoundError struct{ What string }

// Error says what was not found.
func (e *NotFoundError) Error() string { return e.What + ": not found" }

// A RefusedError is a workflow's own refusal, in its own words.
type RefusedError struct{ Reason string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// An UnavailableError says that Temporal, or a worker, does not answer in time; what was asked may have been done.
type UnavailableError struct{ Cause error }

// Error returns the cause.
func (e *UnavailableError) Error() string { return "temporal does not answer: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// told turns a Temporal error into one of this package's, so that callers decide without knowing Temporal.
func told(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return &NotFoundError{What: what}
	}
	if bad, ok := errors.AsType[*serviceerror.InvalidArgument](err); ok {
		return &RefusedError{Reason: what + ": " + bad.Error()}
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == workflows.RefusedError {
		return &RefusedError{Reason: app.Message()}
	}
	return &UnavailableError{Cause: err}
}
