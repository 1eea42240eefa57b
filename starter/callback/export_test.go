package callback

import (
	"net/http"

	"muster/internal/incident"
	"muster/internal/link"
)

// Act is act with what came of it in the words of whoever asked.
func (c *Callbacks) Act(r *http.Request, id, person string, on incident.ID, content string, action link.Action, why string) (name, text string, err error) {
	a, err := c.act(r, deed{id: id, tool: "tool", person: person, incident: on, content: content, action: action, why: why})
	if err != nil {
		return "", "", err
	}
	return a.name, a.say(c.cfg.Organisation(), person, action), nil
}
