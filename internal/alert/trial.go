package alert

import "strings"

// What stands in the title of every alert by which Muster itself checks a source, whatever its format.
const (
	TrialMark  = "[TEST] "
	TrialWords = "Muster checks"
)

// Trial tells whether a title is that of an alert by which Muster checks a source: people are paged, and nobody outside hears of it.
func Trial(title string) bool {
	return strings.HasPrefix(title, TrialMark) && strings.Contains(title, TrialWords)
}
