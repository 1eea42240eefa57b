package tickethook

import (
	"strconv"
	"strings"
)

// redmineHook is a webhook of Redmine 7, or of a plugin for Redmine before that: both tell the issue and the journal entry that was made.
type redmineHook struct {
	Type    string       `json:"type"` // of Redmine 7: issue.updated
	Data    redmineEvent `json:"data"`
	Payload redmineEvent `json:"payload"` // of the plugins
}

type redmineEvent struct {
	Action string `json:"action"` // of the plugins: updated
	Issue  struct {
		ID          int64  `json:"id"`
		Subject     string `json:"subject"`
		Description string `json:"description"`
		Author      struct {
			ID int64 `json:"id"`
		} `json:"author"`
	} `json:"issue"`
	Journal *struct {
		ID      int64  `json:"id"`
		Created string `json:"created_on"`
		Notes   string `json:"notes"`
		User    struct {
			ID   int64  `json:"id"`
			Name string `json:"name"`
		} `json:"user"`
		Author struct { // of the plugins
			ID    int64  `json:"id"`
			Login string `json:"login"`
			First string `json:"firstname"`
			Last  string `json:"lastname"`
		} `json:"author"`
		Details []struct {
			Property string `json:"property"`
			Key      string `json:"prop_key"`
			Before   word   `json:"old_value"`
			Now      word   `json:"value"`
		} `json:"details"`
	} `json:"journal"`
}

func readRedmine(s *System, body []byte) (post, error) {
	var h redmineHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	e := h.Data
	if h.Type == "" {
		e = h.Payload
	}
	j := e.Journal
	if j == nil || h.Type != "issue.updated" && e.Action != "updated" {
		return post{}, nil
	}
	p := post{
		id: "journal/" + strconv.FormatInt(j.ID, 10), ref: strconv.FormatInt(e.Issue.ID, 10), title: e.Issue.Subject, text: e.Issue.Description,
		by: j.User.Name, at: instant(j.Created), comment: j.Notes,
	}
	if p.by == "" {
		p.by = strings.TrimSpace(j.Author.First + " " + j.Author.Last)
	}
	p.users, p.maker = []string{p.by, j.Author.Login}, e.Issue.Author.ID == j.User.ID+j.Author.ID // one of the two is there
	for _, d := range j.Details {
		if d.Property == "attr" && d.Key == "status_id" {
			p.deed = s.became(string(d.Before), string(d.Now), func(string) bool { return false })
		}
	}
	if p.deed != "" {
		p.comment, p.why = "", j.Notes
	}
	return p, nil
}
