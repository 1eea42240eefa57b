package tickethook

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// azureHook is a service hook of Azure DevOps: workitem.updated, with the fields that have changed and the revision as it is now, or
// workitem.commented, with all fields as they are now.
type azureHook struct {
	Event    string `json:"eventType"`
	Created  string `json:"createdDate"`
	Resource struct {
		ID        int64 `json:"id"`
		WorkItem  int64 `json:"workItemId"` // of an update, whose ID is another one
		Rev       int64 `json:"rev"`
		RevisedBy struct {
			Shown  string `json:"displayName"`
			Unique string `json:"uniqueName"`
		} `json:"revisedBy"`
		Fields   map[string]json.RawMessage `json:"fields"`
		Revision struct {
			Fields map[string]json.RawMessage `json:"fields"`
		} `json:"revision"`
	} `json:"resource"`
}

func readAzure(s *System, body []byte) (post, error) {
	var h azureHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	r := h.Resource
	switch h.Event {
	case "workitem.updated": // a comment that comes along is told by an event of its own
		var state struct {
			Before string `json:"oldValue"`
			Now    string `json:"newValue"`
		}
		_ = json.Unmarshal(r.Fields["System.State"], &state) // a state that has not changed is none
		p := azurePost(r.WorkItem, r.Rev, r.Revision.Fields, h.Created)
		p.by, p.users = r.RevisedBy.Shown, []string{r.RevisedBy.Shown, r.RevisedBy.Unique}
		if state.Now != "" {
			p.deed = s.became(state.Before, state.Now, azureOver)
		}
		return p, nil
	case "workitem.commented":
		p := azurePost(r.ID, r.Rev, r.Fields, h.Created)
		p.comment = plain(azureText(r.Fields["System.History"]))
		return p, nil
	}
	return post{}, nil
}

func azurePost(id, rev int64, fields map[string]json.RawMessage, at string) post {
	p := post{
		id: fmt.Sprintf("%d/%d", id, rev), ref: strconv.FormatInt(id, 10), title: azureText(fields["System.Title"]),
		text: plain(azureText(fields["System.Description"])), at: instant(azureText(fields["System.ChangedDate"])),
	}
	if p.at.IsZero() {
		p.at = instant(at)
	}
	p.maker = azureText(fields["System.ChangedBy"]) == azureText(fields["System.CreatedBy"])
	name, unique, _ := strings.Cut(azureText(fields["System.ChangedBy"]), " <") // "Kim Minsu <kim@mirnet.example>"
	p.by, p.users = name, []string{name, strings.TrimSuffix(unique, ">")}
	return p
}

// azureText is a field: a text, or a person.
func azureText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var person struct {
		Shown string `json:"displayName"`
	}
	_ = json.Unmarshal(raw, &person) // else it is neither
	return person.Shown
}

// azureOver tells whether a state is one of those with which Microsoft's processes end. Its category is not told.
func azureOver(state string) bool {
	switch state {
	case "Resolved", "Closed", "Done", "Completed", "Removed":
		return true
	}
	return false
}
