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
	ID string `json:"id"` // under which the provider goes on writing about it
	// Reference is how the provider itself calls it; empty: by the ID.
	Reference string    `json:"reference,omitempty"`
	Labels    Labels    `json:"labels,omitempty"`
	Title     string    `json:"title"`
	Text      string    `json:"text,omitempty"`
	Link      string    `json:"link,omitempty"`
	Stage     string    `json:"stage,omitempty"` // as the provider calls it, such as Planned or upcoming
	Begins    time.Time `json:"begins,omitzero"` // when it has its effect: until then something has to be done about it, if anything has
	Ends      time.Time `json:"ends,omitzero"`   // zero: at once, or it is not said
	Over      bool      `json:"over,omitempty"`  // it has been done, or it will not be done
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

// News says in the provider's own words what it says now, with its times in a zone.
func (n Notice) News(zone *time.Location) string {
	var lines []string
	for _, line := range []string{n.Title, n.Stage, n.period(zone), n.Text, n.Link} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func (n Notice) period(zone *time.Location) string {
	if n.Begins.IsZero() {
		return ""
	}
	const form = "2006-01-02 15:04 MST"
	text := n.Begins.In(zone).Format(form)
	if !n.Ends.IsZero() {
		text += " – " + n.Ends.In(zone).Format(form)
	}
	return text
}
