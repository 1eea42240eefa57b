package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/signature"
	"muster/internal/timeline"
)

// Keys are those of the installation.
type Keys interface {
	// Verify tells whether a seal was made for a statement with one of them. A *signature.UnknownKeyError may be right a
	// little later: keys are on their way from one machine to another.
	Verify(s signature.Statement, seal signature.Seal) error
	// Sign seals a statement. Via says how its actor was authenticated.
	Sign(s signature.Statement, via string) (signature.Seal, error)
}

// A Refusal is a message that was not taken, for the log of refused attempts.
type Refusal struct {
	By                        timeline.Actor // who it claims to come from
	Workflow, Message, Detail string
}

// Admission decides which messages are taken: those that the installation has signed.
type Admission struct {
	Keys    Keys
	Refused func(Refusal) // keeps the log of refused attempts; it is called by several at once
}

// A Claim is a message that wants to be taken.
type Claim struct {
	signature.Statement
	signature.Freshness

	Seal *signature.Seal
}

// AdmitInput asks which of several messages are to be taken. It is never written to a history.
type AdmitInput struct {
	Claims []Claim
	Last   bool // a key that is not known by now is none of ours
}

// Admitted says of each claim why it is not to be taken: empty where it is. A claim that may be right a little later,
// because its key has not arrived yet, is among the unknown.
type Admitted struct {
	Refused []string `json:"refused"`
	Unknown []int    `json:"unknown,omitempty"` // positions of claims
}

// Admit judges messages. What it has said is recorded: keys that rotate, or are revoked, do not change the past.
func (a *Admission) Admit(_ context.Context, in AdmitInput) (Admitted, error) {
	out := Admitted{Refused: make([]string, len(in.Claims))}
	for n, c := range in.Claims {
		err := a.Judge(c)
		if err == nil {
			continue
		}
		out.Refused[n] = err.Error()
		if _, unknown := errors.AsType[*signature.UnknownKeyError](err); unknown && !in.Last {
			out.Unknown = append(out.Unknown, n)
			continue
		}
		a.Refused(Refusal{By: c.By, Workflow: c.Workflow, Message: c.Message, Detail: err.Error()})
	}
	return out, nil
}

// Judge says why a message is not to be taken; nil when it is.
func (a *Admission) Judge(c Claim) error {
	if c.Seal == nil {
		return errors.New("it is not signed: messages come through the API, the intake or a worker of this installation")
	}
	if c.By.Kind == "" {
		return errors.New("actor: missing")
	}
	if err := a.Keys.Verify(c.Statement, *c.Seal); err != nil {
		return err
	}
	return c.Freshness.Check(*c.Seal)
}

// SealInput is what a workflow tells another, or the run that continues it. It is never written to a history.
type SealInput struct {
	Workflow string // to whom
	FirstRun string // of a state that is handed on: the first run of its chain
	Message  string // name of the Signal, or the workflow type of a start
	Body     any
}

// SealMessage signs what a workflow tells another, in Muster's own name: a workflow speaks for nobody else. The body is
// signed as it will be encoded.
func (a *Admission) SealMessage(_ context.Context, in SealInput) (signature.Seal, error) {
	m, err := signature.New(timeline.Muster(), in.Body)
	if err != nil {
		return signature.Seal{}, fmt.Errorf("seal %s to %s: %w", in.Message, in.Workflow, err)
	}
	seal, err := a.Keys.Sign(signature.Statement{
		Workflow: in.Workflow, FirstRun: in.FirstRun, Message: in.Message, Digest: m.Digest(), By: m.By,
	}, "workflow")
	if err != nil {
		return seal, fmt.Errorf("seal %s to %s: %w", in.Message, in.Workflow, err)
	}
	return seal, nil
}

// Tolerance is how long a message may be on its way, and how far two clocks may differ.
const Tolerance = 5 * time.Minute
