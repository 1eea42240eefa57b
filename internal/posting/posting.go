// Package posting describes what stands on a status page about one incident. It posts nothing itself.
package posting

import "time"

// A Posting is everything that a page needs for its newest word on an incident. One with a smaller Revision than a page already has
// is old news and changes nothing.
type Posting struct {
	Incident  string    `json:"incident"`            // what people call it, and the marker by which its entry is found again
	Ref       string    `json:"ref,omitempty"`       // what the page calls it; empty: as far as is known it is not there yet
	Revision  int       `json:"revision"`            // 1, 2, 3 …
	Status    string    `json:"status"`              // investigating, identified, monitoring, resolved
	Impact    string    `json:"impact"`              // high, medium, low
	Component string    `json:"component,omitempty"` // the part of the page that it is about, as the page names it
	Started   time.Time `json:"started"`
	At        time.Time `json:"at"`
	Words     []Words   `json:"words"` // the organisation's own language first
}

// Words are what readers of one language see.
type Words struct {
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text"`
}

// Over is the status of what is over.
const Over = "resolved"

// In returns the words of a language, the first ones where there are none.
func (p Posting) In(language string) Words {
	for _, w := range p.Words {
		if w.Language == language {
			return w
		}
	}
	if len(p.Words) == 0 {
		return Words{Language: language, Title: p.Incident}
	}
	return p.Words[0]
}
