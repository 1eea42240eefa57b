package tickethook

import "muster/internal/ticket"

// serviceNowHook is what the Business Rule in docs/tickets/servicenow.md posts. ServiceNow has no format of its own. It is on the wire: add
// fields, never rename them.
type serviceNowHook struct {
	ID      string `json:"sys_id"`
	Key     string `json:"correlation_id"`
	Mark    string `json:"correlation_display"`
	Marked  bool   `json:"correlation_display_changes"` // Muster alone writes it, together with all else that it writes
	Changes word   `json:"sys_mod_count"`
	State   word   `json:"state"`
	Before  word   `json:"previous_state"`
	Comment string `json:"comment"`
	Notes   string `json:"close_notes"`
	User    string `json:"user"`
	By      string `json:"by"`
	At      string `json:"at"`
}

func readServiceNow(s *System, body []byte) (post, error) {
	var h serviceNowHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	if h.Marked {
		return post{}, nil
	}
	p := post{
		ref: h.ID, text: h.Mark, by: h.By, users: []string{h.User}, at: instant(h.At), comment: h.Comment, labels: []string{labelPrefix + h.Key},
		deed: s.became(string(h.Before), string(h.State), func(string) bool { return false }),
	}
	if h.ID != "" && h.Changes != "" {
		p.id = h.ID + "/" + string(h.Changes)
	}
	if p.deed == ticket.Resolved {
		p.why = h.Notes
	}
	return p, nil
}
