package ticket

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Mark is what Muster leaves in a ticket, to find it again and to know what it says. It is written with the last step of an
// attempt, so an attempt that breaks off before is made again.
type Mark struct {
	Key      string `json:"key"`
	Revision int    `json:"revision"`
	Status   string `json:"status"`
	Priority string `json:"priority"`
}

var (
	safeKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	marks   = regexp.MustCompile(`muster:([A-Za-z0-9][A-Za-z0-9_-]{0,62}):([0-9]{1,9}):([a-z]{0,20}):(P[1-5])?`)
)

// SafeKey tells whether a key fits into searches, marks and paths as it is.
func SafeKey(key string) bool { return safeKey.MatchString(key) }

// Mark is what the ticket leaves of itself.
func (t Ticket) Mark() Mark { return Mark{t.Key, t.Revision, t.Status, t.Priority} }

// String is the mark in a text. It stands in other systems: never changed.
func (m Mark) String() string {
	return fmt.Sprintf("muster:%s:%d:%s:%s", m.Key, m.Revision, m.Status, m.Priority)
}

// LastMark returns the last mark in a text, zero where there is none. Muster's own stands at the end, and before it is what alerts say,
// who may speak of other tickets.
func LastMark(text string) Mark {
	all := marks.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return Mark{}
	}
	last := all[len(all)-1]
	n, _ := strconv.Atoi(last[2]) // nine digits
	return Mark{last[1], n, last[3], last[4]}
}

// FindMark returns the mark of a ticket by its text, zero where that is the ticket of another key or of nobody.
func FindMark(text, key string) Mark {
	if m := LastMark(text); m.Key == key {
		return m
	}
	return Mark{}
}

// Noted tells whether a text is the comment on this revision.
func (m Mark) Noted(text string) bool {
	return strings.Contains(text, fmt.Sprintf("muster:%s:%d:", m.Key, m.Revision))
}

// Told tells whether a ticket with this mark needs a comment to say what t says: people follow status and priority.
func (m Mark) Told(t Ticket) bool {
	return t.Note != "" && (m.Status != t.Status || m.Priority != t.Priority)
}
