package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// A Notice is what a provider announces: work of its own on what its customers use, or the end of something that they use. It is no
// alert, because nothing is wrong yet.
type Notice struct {
	ID     string    `json:"id"` // under which the provider goes on writing about it
	Labels Labels    `json:"labels,omitempty"`
	Title  string    `json:"title"`
	Text   string    `json:"text,omitempty"`
	Link   string    `json:"link,omitempty"`
	Stage  string    `json:"stage,omitempty"` // as the provider calls it, such as Planned or upcoming
	Begins time.Time `json:"begins,omitzero"` // when it has its effect: until then something has to be done about it, if anything has
	Ends   time.Time `json:"ends,omitzero"`   // zero: at once, or it is not said
	Over   bool      `json:"over,omitempty"`  // it has been done, or it will not be done
}

// SHA256 is the fingerprint of all that it says, in hexadecimal: news of the same notice have another.
func (n Notice) SHA256() string {
	text, err := json.Marshal(n)
	if err != nil { // texts and instants within the years that have a text
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// News says in the provider's own words what it says now.
func (n Notice) News() string {
	var lines []string
	for _, line := range []string{n.Title, n.Stage, n.period(), n.Text, n.Link} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func (n Notice) period() string {
	if n.Begins.IsZero() {
		return ""
	}
	text := n.Begins.UTC().Format(time.RFC3339)
	if !n.Ends.IsZero() {
		text += " – " + n.Ends.UTC().Format(time.RFC3339)
	}
	return text
}
