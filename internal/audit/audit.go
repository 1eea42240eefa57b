// Package audit reads what a run has left behind: it writes histories in one canonical form and replays them against the
// code. Nothing here runs while an incident does.
package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
)

// Encode writes histories, the oldest run first, as a JSON array whose bytes depend on nothing but the histories: Temporal's
// own JSON varies its white space from build to build.
func Encode(w io.Writer, runs []*historypb.History) error {
	var all []any
	for n, h := range runs {
		loose, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(h)
		if err != nil {
			return fmt.Errorf("encode history %d: %w", n+1, err)
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(loose))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("encode history %d: %w", n+1, err)
		}
		all = append(all, v)
	}
	e := json.NewEncoder(w) // sorts the keys
	e.SetEscapeHTML(false)
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("encode histories: %w", err)
	}
	return nil
}

// Decode reads what Encode writes.
func Decode(r io.Reader) ([]*historypb.History, error) {
	var raw []json.RawMessage
	if err := json.NewDecoder(r).Decode(&raw); err != nil {
		return nil, errors.New("decode histories: want a file of muster incident history, whole: a JSON array of histories")
	}
	if len(raw) == 0 {
		return nil, errors.New("decode histories: none in the file")
	}
	runs := make([]*historypb.History, len(raw))
	for n, m := range raw {
		runs[n] = &historypb.History{}
		if err := (temporalproto.CustomJSONUnmarshalOptions{DiscardUnknown: true}).Unmarshal(m, runs[n]); err != nil {
			return nil, fmt.Errorf("decode history %d: %w", n+1, err)
		}
		if len(runs[n].GetEvents()) == 0 {
			return nil, fmt.Errorf("decode history %d: no events", n+1)
		}
	}
	return runs, nil
}
