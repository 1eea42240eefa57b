package tickethook

import (
	"strconv"

	"muster/internal/ticket"
)

// gitLabHook is a webhook of GitLab: a work item event of an issue, or a comment event.
type gitLabHook struct {
	Kind string `json:"object_kind"`
	User struct {
		ID       int64  `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"user"`
	Project struct {
		ID   int64  `json:"id"`
		Path string `json:"path_with_namespace"`
	} `json:"project"`
	It struct {
		ID     int64  `json:"id"`
		Number int64  `json:"iid"`
		Action string `json:"action"`

		Title       string `json:"title"`
		Description string `json:"description"`
		Author      int64  `json:"author_id"`
		Updated     string `json:"updated_at"`

		Note    string `json:"note"`
		System  bool   `json:"system"`
		Created string `json:"created_at"`
	} `json:"object_attributes"`
	Issue struct { // that a comment is on
		Number      int64  `json:"iid"`
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"issue"`
}

func readGitLab(_ *System, body []byte) (post, error) {
	var h gitLabHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	p := post{by: h.User.Name, users: []string{h.User.Username}, projects: []string{strconv.FormatInt(h.Project.ID, 10), h.Project.Path}}
	switch h.Kind {
	case "issue", "work_item":
		p.ref, p.title, p.text, p.at = strconv.FormatInt(h.It.Number, 10), h.It.Title, h.It.Description, instant(h.It.Updated)
		p.maker = h.User.ID == h.It.Author
		switch h.It.Action {
		case "close":
			p.deed = ticket.Resolved
		case "reopen":
			p.deed = ticket.Reopened
		}
	case "note":
		p.ref, p.title, p.text, p.at = strconv.FormatInt(h.Issue.Number, 10), h.Issue.Title, h.Issue.Description, instant(h.It.Created)
		if !h.It.System && h.It.Action != "update" { // before 16.11 there was no action, and only new ones were told
			p.id, p.comment = "note/"+strconv.FormatInt(h.It.ID, 10), h.It.Note
		}
	}
	return p, nil
}
