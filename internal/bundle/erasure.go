package bundle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Erasure announces which files of an archive are taken away, and by which rule, and which of those that were announced stay after all: of
// a file the newest word counts. The log keeps its entry, so what is not there any more, and why, stays proven.
type Erasure struct {
	At       time.Time `json:"at"`
	After    time.Time `json:"after"`    // until which a hold can still be put on them
	Revision string    `json:"revision"` // of the organisation folder that says how long they stay
	Files    []Erased  `json:"files"`
	Stay     []string  `json:"stay,omitempty"` // names of files that were announced, and stay
}

// An Erased file is one of an archive that is taken away.
type Erased struct {
	Name   string    `json:"name"`
	SHA256 string    `json:"sha256"`
	Keep   string    `json:"keep"`         // how long it had to stay, such as 5y
	Of     string    `json:"of,omitempty"` // the customer whose rule that is; empty: the organisation's
	Until  time.Time `json:"until"`
}

// Encode writes an erasure in its one form, and names its file in the archive.
func (e Erasure) Encode() (name string, text []byte, err error) {
	e.At, e.After = e.At.UTC(), e.After.UTC()
	e.Files = slices.SortedFunc(slices.Values(e.Files), func(a, b Erased) int { return strings.Compare(a.Name, b.Name) })
	e.Stay = slices.Sorted(slices.Values(e.Stay))
	text, err = Canonical(e)
	return ErasuresFolder + "/" + numbered(e.At, text), text, err
}

// DecodeErasure reads what Encode writes.
func DecodeErasure(file string, text []byte) (e Erasure, err error) {
	if err := strict(text, &e); err != nil {
		return e, fmt.Errorf("read erasure %s: %w", file, err)
	}
	return e, nil
}

// numbered names a file by an instant and by what is in it: one that was cut off before it came into the log, and is written anew with other
// content, has another name.
func numbered(at time.Time, text []byte) string {
	const digits = 12
	return at.UTC().Format("20060102T150405.000000000Z") + "-" + sum(text)[:digits] + ".json"
}
