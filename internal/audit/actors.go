package audit

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"muster/internal/signature"
	"muster/internal/timeline"
)

// PublicKeys are the public halves of an installation's keys, by their ids.
type PublicKeys map[string]PublicKey

// A PublicKey is one of them. From the instant of its revocation on it proves nothing; zero: it is not revoked.
type PublicKey struct {
	Key     ed25519.PublicKey
	Revoked time.Time
}

// DecodeKeys reads a list of keys, as the API answers it and as the keys file of an installation holds it. Private halves
// are not looked at.
func DecodeKeys(r io.Reader) (PublicKeys, error) {
	var list struct {
		Keys []struct {
			ID      string    `json:"id"`
			Public  []byte    `json:"public"`
			Revoked time.Time `json:"revoked"`
		} `json:"keys"`
	}
	if err := json.NewDecoder(r).Decode(&list); err != nil {
		return nil, errors.New("decode keys: want the JSON of muster keys list -o json")
	}
	keys := PublicKeys{}
	for n, k := range list.Keys {
		if k.ID == "" || len(k.Public) != ed25519.PublicKeySize || keys[k.ID].Key != nil {
			return nil, fmt.Errorf("decode keys: key %d: want an id of its own and a public key of Ed25519", n+1)
		}
		keys[k.ID] = PublicKey{k.Public, k.Revoked}
	}
	if len(keys) == 0 {
		return nil, errors.New("decode keys: none in the list")
	}
	return keys, nil
}

// A Verdict is what the record and the keys say of one message that a run was sent.
type Verdict struct {
	At      time.Time
	Message string // name of the Update or Signal, or the workflow type of a start
	By      timeline.Actor
	Via     string // how the actor was authenticated: "token:tok_1", "link:…", "intake", "workflow"
	Err     error  // nil: this installation has signed it for this actor and this run
	// Refused tells that a run that takes only what is signed has not taken it: nothing has followed from it.
	Refused bool
}

// Errors of a verdict, beside signature.ErrForged.
var (
	ErrUnsigned = errors.New("nobody has signed it")
	ErrNoKey    = errors.New("its key is not among those given")
	ErrRevoked  = errors.New("its key was revoked before")
)

// Actors checks who is behind every message that the runs of one chain were sent, without a clock, a network or a server. It
// wants the whole chain, from its first run on: what is left out cannot be told from what never was.
func Actors(runs []*historypb.History, keys PublicKeys) ([]Verdict, error) {
	var all []Verdict
	for n, h := range runs {
		start := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		if err := follows(runs[:n], start); err != nil {
			return nil, fmt.Errorf("check history %d: %w", n+1, err)
		}
		takesSigned := false
		for _, e := range h.GetEvents() {
			s := signature.Statement{Workflow: start.GetWorkflowId()}
			input := sent(e, start, &s)
			if input == nil {
				continue
			}
			v, err := check(input, s, keys)
			if err != nil {
				return nil, fmt.Errorf("check history %d, event %d: %w", n+1, e.GetEventId(), err)
			}
			if e == h.GetEvents()[0] {
				takesSigned = v.Err == nil
			}
			v.At, v.Refused = e.GetEventTime().AsTime(), v.Err != nil && takesSigned && e.GetWorkflowExecutionSignaledEventAttributes() != nil
			all = append(all, v)
		}
	}
	return all, nil
}

// follows asks that a run is the first of its chain, or continues the one before.
func follows(before []*historypb.History, start *historypb.WorkflowExecutionStartedEventAttributes) error {
	own, first := start.GetOriginalExecutionRunId(), start.GetFirstExecutionRunId()
	if start.GetWorkflowId() == "" || own == "" || first == "" {
		return errors.New("its first event does not name the workflow and its runs")
	}
	if len(before) == 0 {
		if own != first {
			return fmt.Errorf("it begins with run %s, and the chain with run %s: want all of them", own, first)
		}
		return nil
	}
	last := before[len(before)-1].GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	if start.GetWorkflowId() != last.GetWorkflowId() || first != last.GetFirstExecutionRunId() ||
		start.GetContinuedExecutionRunId() != last.GetOriginalExecutionRunId() {
		return fmt.Errorf("run %s does not continue run %s", own, last.GetOriginalExecutionRunId())
	}
	return nil
}

// sent is what an event says that its run was sent, with how it was called; nil when it says nothing of the kind.
func sent(e *historypb.HistoryEvent, run *historypb.WorkflowExecutionStartedEventAttributes, s *signature.Statement) *commonpb.Payloads {
	if e.GetWorkflowExecutionStartedEventAttributes() != nil {
		if s.Message = run.GetWorkflowType().GetName(); run.GetContinuedExecutionRunId() != "" {
			s.FirstRun = run.GetFirstExecutionRunId() // the state of the run before
		}
		return run.GetInput()
	}
	if signal := e.GetWorkflowExecutionSignaledEventAttributes(); signal != nil {
		s.Message = signal.GetSignalName()
		return signal.GetInput()
	}
	if update := e.GetWorkflowExecutionUpdateAcceptedEventAttributes(); update != nil {
		asked := update.GetAcceptedRequest()
		s.Message, s.FirstRun, s.ID = asked.GetInput().GetName(), run.GetFirstExecutionRunId(), asked.GetMeta().GetUpdateId()
		return asked.GetInput().GetArgs()
	}
	return nil
}

func check(input *commonpb.Payloads, s signature.Statement, keys PublicKeys) (Verdict, error) {
	v := Verdict{Message: s.Message}
	if len(input.GetPayloads()) != 1 {
		return v, errors.New("want one payload")
	}
	var m signature.Signed[json.RawMessage]
	if err := json.Unmarshal(input.GetPayloads()[0].GetData(), &m); err != nil {
		return v, fmt.Errorf("want JSON that is not encrypted: %w", err)
	}
	v.By = m.By
	if m.Seal == nil {
		v.Err = ErrUnsigned
		return v, nil
	}
	v.Via = m.Seal.Via
	key, known := keys[m.Seal.Key]
	if !known {
		v.Err = ErrNoKey
		return v, nil
	}
	s.By, s.Digest = m.By, m.Digest()
	if v.Err = signature.Check(s, *m.Seal, key.Key); v.Err == nil && !key.Revoked.IsZero() && !m.Seal.At.Before(key.Revoked) {
		v.Err = ErrRevoked
	}
	return v, nil
}
