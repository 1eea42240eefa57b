package period

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"muster/internal/action"
	changes "muster/internal/change"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/internal/usage"
)

// A Bundle is the file from which a state is, and its SHA-256.
type Bundle struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// A Record is the state of one run as a bundle holds it. Of a run that goes on in another there is one for each.
type Record struct {
	Bundle
	Kind string // workflow type
	State
}

// A State is what a run has answered to the State query. One of them is set; in the record of a run that is of no interest here,
// none.
type State struct {
	Incident *incident.Incident
	Review   *review.Review
	Action   *action.Action
	Problem  *problem.Problem
	Change   *changes.Change
	Plan     *planrun.Run
	Request  *request.Request
	Usage    *usage.Ledger
}

// Decode reads the state of a run, which is the answer to its State query, by its workflow type. Of a type that has no figures the
// state is empty.
func Decode(kind string, answer []byte) (s State, err error) {
	if string(bytes.TrimSpace(answer)) == "null" { // it was refused at its start
		return s, nil
	}
	var into any
	switch kind {
	case "Incident":
		s.Incident = &incident.Incident{}
		into = s.Incident
	case "Review":
		s.Review = &review.Review{}
		into = s.Review
	case "ActionItem":
		s.Action = &action.Action{}
		into = s.Action
	case "Change":
		s.Change = &changes.Change{}
		into = s.Change
	case "Problem":
		s.Problem = &problem.Problem{}
		into = s.Problem
	case "Upgrade", "GoLive", "Readiness", "Maintenance":
		s.Plan = &planrun.Run{}
		into = s.Plan
	case "Request":
		s.Request = &request.Request{}
		into = s.Request
	case "Usage":
		s.Usage = &usage.Ledger{}
		into = s.Usage
	default:
		return State{}, nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return State{}, fmt.Errorf("read state of %s: %w", kind, err)
	}
	return s, nil
}

// A held thing is the newest state of it, with the files that say so.
type held[T any] struct {
	state T
	log   timeline.Log
	files []string
	// partial says that the oldest entries of its timeline are missing.
	partial bool
}

// newest takes the newest state of each thing, with the whole timeline as far as the others have it, in the order of the IDs. The
// newest is the one whose timeline has come furthest; of equal ones, and where there is no timeline, the later record.
func newest[T any](records []Record, of func(*State) (state T, id string, log timeline.Log, ok bool)) []held[T] {
	type one struct {
		held[T]
		id string
	}
	var all []one
	for n := range records {
		if s, id, log, ok := of(&records[n].State); ok {
			all = append(all, one{held[T]{state: s, log: log, files: []string{records[n].File}}, id})
		}
	}
	reach := func(l timeline.Log) int { return l.Dropped + len(l.Entries) }
	slices.SortStableFunc(all, func(a, b one) int {
		switch {
		case a.id < b.id:
			return -1
		case a.id > b.id:
			return 1
		}
		return reach(a.log) - reach(b.log)
	})
	var out []held[T]
	for n := len(all) - 1; n >= 0; {
		h := all[n].held
		id := all[n].id
		for n--; n >= 0 && all[n].id == id; n-- {
			if older := all[n].log; older.Dropped < h.log.Dropped && reach(older) >= h.log.Dropped {
				h.log = timeline.Join(older, h.log)
				h.files = append(h.files, all[n].files...)
			}
		}
		slices.Sort(h.files)
		h.partial = h.log.Dropped > 0
		out = append(out, h)
	}
	slices.Reverse(out)
	return out
}

// entries are those of some kinds that lie in a span.
func (h *held[T]) entries(in Span, kinds ...timeline.Kind) (all []timeline.Entry) {
	for _, e := range h.log.Entries {
		if slices.Contains(kinds, e.Kind) && in.holds(e.At) {
			all = append(all, e)
		}
	}
	return all
}

// ZonesOf lists the time zones that records name, in order.
func ZonesOf(records []Record) (all []string) {
	for n := range records {
		s := &records[n].State
		switch {
		case s.Incident != nil:
			all = append(all, s.Incident.Definition.Zone)
		case s.Review != nil:
			all = append(all, s.Review.Facts.Zone)
		case s.Action != nil:
			all = append(all, s.Action.Zone)
		case s.Change != nil:
			all = append(all, s.Change.Zone)
		case s.Problem != nil:
			all = append(all, s.Problem.Zone)
		case s.Plan != nil:
			all = append(all, s.Plan.Zone)
		case s.Request != nil:
			all = append(all, s.Request.Zone)
		}
	}
	return told(all)
}

// CustomersOf lists the IDs of the customers that records are about, in order.
func CustomersOf(records []Record) (all []string) {
	for n := range records {
		s := &records[n].State
		switch {
		case s.Incident != nil:
			for _, c := range s.Incident.Definition.Customers {
				all = append(all, c.ID)
			}
		case s.Action != nil:
			all = append(all, s.Action.VisibleTo()...)
		case s.Plan != nil:
			all = append(all, s.Plan.Customer)
		case s.Request != nil:
			all = append(all, s.Request.Customer)
		case s.Usage != nil:
			all = append(all, s.Usage.Customer)
		}
	}
	return told(all)
}

// told are the different texts among some, in order.
func told(all []string) []string {
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
