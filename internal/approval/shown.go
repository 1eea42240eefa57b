package approval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// A Line is one part of what is shown to those who vote, such as the revision of a plan or an evidence.
type Line struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Shown is what a vote is about. Show makes one.
type Shown struct {
	SHA256 string `json:"sha256"` // of "<SHA-256>  <name>\n" for each line, as sha256sum writes them
	Lines  []Line `json:"lines"`  // by name
}

// Show binds the lines together, in whatever order they come.
func Show(lines ...Line) (Shown, error) {
	s := Shown{Lines: slices.SortedFunc(slices.Values(lines), func(a, b Line) int { return cmp.Compare(a.Name, b.Name) })}
	if len(lines) == 0 {
		return Shown{}, fault("lines", "nothing is shown; want one line at least")
	}
	var text strings.Builder
	for n, l := range s.Lines {
		switch raw, err := hex.DecodeString(l.SHA256); {
		case l.Name == "" || strings.ContainsAny(l.Name, "\n\r"):
			return Shown{}, fault("lines.name", "%q; want a name in one line", l.Name)
		case n > 0 && l.Name == s.Lines[n-1].Name:
			return Shown{}, fault("lines.name", "%q stands there twice", l.Name)
		case err != nil || len(raw) != sha256.Size || strings.ToLower(l.SHA256) != l.SHA256:
			return Shown{}, fault("lines.sha256", "%q of %s; want 64 lower-case hexadecimal digits", l.SHA256, l.Name)
		}
		text.WriteString(l.SHA256 + "  " + l.Name + "\n")
	}
	sum := sha256.Sum256([]byte(text.String()))
	s.SHA256 = hex.EncodeToString(sum[:])
	return s, nil
}

// A Change is what has become of a line.
type Change struct {
	Name string     `json:"name"`
	Kind ChangeKind `json:"kind"`
}

// ChangeKind says what has become of it.
type ChangeKind string

// What becomes of a line. These strings are in histories: add, never rename.
const (
	Changed ChangeKind = "changed"
	Added   ChangeKind = "added"
	Gone    ChangeKind = "gone"
)

// Changes names the lines in which a later showing differs, by name.
func (s Shown) Changes(later Shown) []Change {
	var all []Change
	for _, l := range s.Lines {
		switch n := slices.IndexFunc(later.Lines, func(x Line) bool { return x.Name == l.Name }); {
		case n < 0:
			all = append(all, Change{l.Name, Gone})
		case later.Lines[n].SHA256 != l.SHA256:
			all = append(all, Change{l.Name, Changed})
		}
	}
	for _, l := range later.Lines {
		if !slices.ContainsFunc(s.Lines, func(x Line) bool { return x.Name == l.Name }) {
			all = append(all, Change{l.Name, Added})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
