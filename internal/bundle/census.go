package bundle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The folders of an archive, each with files of one kind, besides that of the log.
const (
	LogFolder           = "log"
	BundlesFolder       = "bundles"
	CensusesFolder      = "censuses"
	OrganisationsFolder = "organisations"
	RefusalsFolder      = "refusals"
	ErasuresFolder      = "erasures"
)

// RefusedVersion ends the names of versions of the organisation folder that were refused.
const RefusedVersion = ".refused.json"

// A Census says which runs had ended in an interval, and in which bundle each of them is. The intervals of an archive meet: a run that
// lists showed too late, by no more than days, is in a later one.
type Census struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Runs    []Counted `json:"runs"`
	Missing []Counted `json:"missing,omitempty"` // that no bundle could be made of so far; the next census tries again
}

// A Counted run is one that had ended.
type Counted struct {
	Workflow string    `json:"workflow"` // ID
	Run      string    `json:"run"`      // ID
	Kind     string    `json:"kind"`     // workflow type
	Closed   time.Time `json:"closed,omitzero"`
	Bundle   string    `json:"bundle,omitempty"` // name of the file in the archive
	Detail   string    `json:"detail,omitempty"` // why there is none
}

// Encode writes a census in its one form, and names its file in the archive.
func (c Census) Encode() (name string, text []byte, err error) {
	order := func(a, b Counted) int {
		if by := a.Closed.Compare(b.Closed); by != 0 {
			return by
		}
		return strings.Compare(a.Run, b.Run)
	}
	c.From, c.Until = c.From.UTC(), c.Until.UTC()
	c.Runs, c.Missing = slices.SortedFunc(slices.Values(c.Runs), order), slices.SortedFunc(slices.Values(c.Missing), order)
	text, err = Canonical(c)
	return CensusesFolder + "/" + numbered(c.Until, text), text, err
}

// DecodeCensus reads what Encode writes.
func DecodeCensus(file string, text []byte) (c Census, err error) {
	if err := strict(text, &c); err != nil {
		return c, fmt.Errorf("read census %s: %w", file, err)
	}
	return c, nil
}

// A Gap is a time of which no census says which runs had ended, or a run that had ended and is in no bundle of the log.
type Gap struct {
	From  time.Time `json:"from"` // of the time, or of the first census that has the run
	Until time.Time `json:"until"`
	Run   *Counted  `json:"run,omitempty"` // nil: of all runs
}

// Gaps looks for what is missing in the censuses of an archive, the oldest first. What was missing once and is in a later census is not
// missing any more.
func (l *Log) Gaps(all []Census) (gaps []Gap) {
	kept := map[string]bool{}
	for n, c := range all {
		if n > 0 && !c.From.Equal(all[n-1].Until) {
			gaps = append(gaps, Gap{From: all[n-1].Until, Until: c.From})
		}
		for _, r := range c.Runs {
			_, logged := l.byName[r.Bundle]
			kept[r.Run] = kept[r.Run] || logged
		}
	}
	for _, c := range all {
		for _, r := range slices.Concat(c.Runs, c.Missing) {
			if !kept[r.Run] {
				kept[r.Run] = true // told once
				gaps = append(gaps, Gap{From: c.From, Until: c.Until, Run: &r})
			}
		}
	}
	return gaps
}

// Named returns the entry of the file of a name, nil when the log has none.
func (l *Log) Named(name string) *Record {
	n, there := l.byName[name]
	if !there {
		return nil
	}
	r := l.records[n]
	return &r
}
