package tickethook

import (
	"encoding/json"
	"strings"
	"time"

	"muster/internal/ticket"
)

// jiraHook is a webhook of Jira Cloud and Jira Data Center: jira:issue_updated or comment_created.
type jiraHook struct {
	Event string   `json:"webhookEvent"`
	Time  int64    `json:"timestamp"` // milliseconds since 1970
	User  jiraUser `json:"user"`
	Issue struct {
		Key    string `json:"key"`
		Fields struct {
			Summary string   `json:"summary"`
			Labels  []string `json:"labels"`
			Status  struct {
				Category struct {
					Key string `json:"key"`
				} `json:"statusCategory"`
			} `json:"status"`
		} `json:"fields"`
	} `json:"issue"`
	Comment struct {
		ID     word            `json:"id"`
		Author jiraUser        `json:"author"`
		Body   json.RawMessage `json:"body"`
	} `json:"comment"`
	Changelog struct {
		ID    word `json:"id"`
		Items []struct {
			Field string `json:"field"`
			From  string `json:"fromString"`
			To    string `json:"toString"`
		} `json:"items"`
	} `json:"changelog"`
}

type jiraUser struct {
	AccountID string `json:"accountId"` // Cloud
	Name      string `json:"name"`      // Data Center
	Mail      string `json:"emailAddress"`
	Shown     string `json:"displayName"`
}

func (u jiraUser) names() []string { return []string{u.AccountID, u.Name, u.Mail} }

func readJira(s *System, body []byte) (post, error) {
	var h jiraHook
	if err := decode(body, &h); err != nil {
		return post{}, err
	}
	p := post{ref: h.Issue.Key, title: h.Issue.Fields.Summary, labels: h.Issue.Fields.Labels}
	if h.Time > 0 {
		p.at = time.UnixMilli(h.Time)
	}
	switch h.Event {
	case "comment_created":
		p.by, p.users, p.comment = h.Comment.Author.Shown, h.Comment.Author.names(), jiraText(h.Comment.Body)
		if h.Comment.ID != "" {
			p.id = "comment/" + string(h.Comment.ID)
		}
	case "jira:issue_updated": // a comment that comes along is told by an event of its own
		p.by, p.users = h.User.Shown, h.User.names()
		if h.Changelog.ID != "" {
			p.id = "change/" + string(h.Changelog.ID)
		}
		for _, i := range h.Changelog.Items {
			switch i.Field {
			case "status":
				p.deed = s.jiraDeed(i.From, i.To, h.Issue.Fields.Status.Category.Key == "done")
			case "resolution":
				p.why = i.To
			}
		}
		if p.deed != ticket.Resolved {
			p.why = ""
		}
	}
	return p, nil
}

// jiraDeed is what a change of status means. Of the status before, a body does not tell the category: unless the organisation has named it,
// the change counts as one.
func (s *System) jiraDeed(from, to string, done bool) ticket.Deed {
	if over, known := s.over(to); known {
		done = over
	}
	before, known := s.over(from)
	switch {
	case known && before == done:
		return ""
	case done:
		return ticket.Resolved
	}
	return ticket.Reopened
}

// jiraText is a comment: wiki markup, or a document in the Atlassian Document Format.
func jiraText(body json.RawMessage) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var n jiraNode
	if json.Unmarshal(body, &n) != nil {
		return ""
	}
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// jiraNode is a node of such a document.
type jiraNode struct {
	Type    string     `json:"type"`
	Text    string     `json:"text"`
	Content []jiraNode `json:"content"`
	Attrs   struct {
		Text string `json:"text"` // of who is mentioned
	} `json:"attrs"`
}

func (n jiraNode) write(b *strings.Builder) {
	b.WriteString(n.Text)
	switch n.Type {
	case "mention", "emoji":
		b.WriteString(n.Attrs.Text)
	case "hardBreak":
		b.WriteString("\n")
	}
	for _, c := range n.Content {
		c.write(b)
	}
	if n.Type == "paragraph" || n.Type == "heading" || n.Type == "codeBlock" {
		b.WriteString("\n")
	}
}
