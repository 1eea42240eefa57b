package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/workflows"
)

// linkTo is the link of the newest page that somebody got.
func (s *story) linkTo(who string) (string, error) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	for n := len(s.sink.got) - 1; n >= 0; n-- {
		if d := s.sink.got[n]; d.Message.Kind == delivery.Page && d.Recipient.ID == who && d.Message.URL != "" {
			return d.Message.URL, nil
		}
	}
	return "", fmt.Errorf("no page to %s has a link", who)
}

// visit opens a link, or takes a decision by it.
func visit(ctx context.Context, to, action string) (status int, page string, err error) {
	method, body := http.MethodGet, io.Reader(nil)
	if action != "" {
		method, body = http.MethodPost, strings.NewReader(url.Values{"action": {action}}.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return 0, "", fmt.Errorf("open link: %w", err)
	}
	if action != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", fmt.Errorf("open link: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	return resp.StatusCode, string(text), err
}

// wantAnswer asks that a visit is answered with a status, by a page that says something.
func wantAnswer(ctx context.Context, to, action string, want int, says string) error {
	got, page, err := visit(ctx, to, action)
	if err == nil && (got != want || !strings.Contains(page, says)) {
		err = fmt.Errorf("the page answers %d, want %d and %q on it", got, want, says)
	}
	return err
}

func (s *story) opensLink(ctx context.Context) error {
	to, err := s.linkTo(s.second.ID)
	if err != nil {
		return err
	}
	if err := wantAnswer(ctx, to, "", http.StatusOK, string(s.id)); err != nil {
		return err
	}
	i, err := s.api.Incident(ctx, s.id)
	if err == nil && i.Status != incident.Triggered {
		err = fmt.Errorf("the incident is %s", i.Status)
	}
	return err
}

// forges tries to acknowledge in the name of the first on-call, who has not: by the second one's link with another person's name
// in it, and by an Update that no API has signed.
func (s *story) forges(ctx context.Context) error {
	to, err := s.linkTo(s.second.ID)
	if err != nil {
		return err
	}
	changed, err := renamed(to, s.first.ID, string(s.id))
	if err != nil {
		return err
	}
	if err := wantAnswer(ctx, changed, string(link.Acknowledge), http.StatusNotFound, ""); err != nil {
		return fmt.Errorf("by a changed link: %w", err)
	}
	listed, err := s.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("%s = '%s'", workflows.IDAttribute.GetName(), s.id),
	})
	if err != nil || len(listed.GetExecutions()) != 1 {
		return fmt.Errorf("find the workflow: got %d, %w", len(listed.GetExecutions()), err)
	}
	h, err := s.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: "forged", WorkflowID: listed.GetExecutions()[0].GetExecution().GetWorkflowId(), UpdateName: workflows.AcknowledgeUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{map[string]any{"by": timeline.Actor{Kind: timeline.Person, ID: s.first.ID, Name: s.first.Name}, "body": incident.Acknowledge{}}},
	})
	if err == nil {
		err = h.Get(ctx, nil)
	}
	if err == nil || !strings.Contains(err.Error(), "it is not signed") {
		return fmt.Errorf("straight through Temporal: want it refused, got %v", err)
	}
	i, err := s.api.Incident(ctx, s.id)
	if err == nil && i.Status != incident.Triggered {
		err = fmt.Errorf("the incident is %s", i.Status)
	}
	return err
}

// renamed is a link to the same incident in another person's name, which says that the same key has signed it.
func renamed(to, person, about string) (string, error) {
	at := strings.LastIndex(to, "/") + 1
	key, _, whole := strings.Cut(to[at:], ".")
	if !whole {
		return "", errors.New("the link names no key")
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	const lasts = time.Hour
	return to[:at] + link.Sign(link.Link{
		ID: "forged", Person: person, Incident: about, Actions: []link.Action{link.Acknowledge, link.Escalate}, Expires: time.Now().Add(lasts),
	}, key, stranger), nil
}

func (s *story) acknowledges(ctx context.Context) error {
	to, err := s.linkTo(s.second.ID)
	if err != nil {
		return err
	}
	if err := wantAnswer(ctx, to, string(link.Acknowledge), http.StatusOK, string(s.id)); err != nil {
		return err
	}
	return s.state(ctx, func(i *incident.Incident) bool {
		return i.Status == incident.Acknowledged && len(i.Responders) == 1 && i.Responders[0].ID == s.second.ID
	})
}

func (s *story) comesTooLate(ctx context.Context) error {
	to, err := s.linkTo(s.first.ID)
	if err != nil {
		return err
	}
	return wantAnswer(ctx, to, string(link.Acknowledge), http.StatusConflict, s.second.Name)
}

// isLogged asks for the refused attempts of this story, and looks for both.
func (s *story) isLogged(ctx context.Context) error {
	page, err := s.admin.Attempts(ctx, 0, 100)
	if err != nil {
		return err
	}
	found := map[store.AttemptKind]bool{}
	for n, a := range page.Attempts {
		if a.Seq != int64(n+1) || a.Hash == "" {
			return fmt.Errorf("entry %d has number %d", n+1, a.Seq)
		}
		found[a.Kind] = true
	}
	if !found[store.AttemptLink] || !found[store.AttemptMessage] {
		return fmt.Errorf("%d attempts are logged, not both a link and a message", len(page.Attempts))
	}
	return nil
}
