package tickethook

import (
	"strconv"

	"muster/internal/ticket"
)

// gitHubHook is a webhook of GitHub: issues or issue_comment.
type gitHubHook struct {
	Action string `json:"action"`
	Issue  *struct {
		Number  int64  `json:"number"`
		Title   string `json:"title"`
		Body    string `json:"body"`
		Updated string `json:"updated_at"`
		Reason  string `json:"state_reason"`
		User    struct {
			Login string `json:"login"`
		} `json:"user"`
	} `json:"issue"`
	Comment *struct {
		ID      int64  `json:"id"`
		Body    string `json:"body"`
		Created string `json:"created_at"`
	} `json:"comment"`
	Repository struct {
		Name string `json:"full_name"`
	} `json:"repository"`
	Sender struct {
		Login string `json:"login"`
	} `json:"sender"`
}

func readGitHub(_ *System, body []byte) (post, error) {
	var h gitHubHook
	if err := decode(body, &h); err != nil || h.Issue == nil {
		return post{}, err
	}
	p := post{
		ref: strconv.FormatInt(h.Issue.Number, 10), title: h.Issue.Title, text: h.Issue.Body, by: h.Sender.Login, users: []string{h.Sender.Login}, maker: h.Sender.Login == h.Issue.User.Login,
		at: instant(h.Issue.Updated), projects: []string{h.Repository.Name},
	}
	switch {
	case h.Comment != nil:
		if h.Action == "created" {
			p.id, p.comment, p.at = "comment/"+strconv.FormatInt(h.Comment.ID, 10), h.Comment.Body, instant(h.Comment.Created)
		}
	case h.Action == "closed":
		p.deed, p.why = ticket.Resolved, h.Issue.Reason
	case h.Action == "reopened":
		p.deed = ticket.Reopened
	}
	return p, nil
}
