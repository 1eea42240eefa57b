// Package github keeps tickets as issues of a repository on GitHub, by its REST API of 2022-11-28. Searching there lags behind, so an
// issue is found by a label, and by a mark in its text that nobody sees.
package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Repository is where issues are opened.
type Repository struct {
	Guard   outbound.Guard
	Timeout time.Duration     // of one request
	URL     string            // of the API, such as https://api.github.com
	Token   string            // secret
	Name    string            // owner/name
	Label   string            // that every issue of Muster has
	States  map[string]string // by Muster's statuses: Open, or why it is closed, such as Completed
	Labels  map[string]string // by priority; one that is not there sets none
}

// API is where GitHub's own API is.
const API = "https://api.github.com"

// What an issue can be.
const (
	Open       = "open"
	Completed  = "completed"
	NotPlanned = "not_planned"
)

// States are the usual ones.
func States() map[string]string {
	return map[string]string{
		"triggered": Open, "acknowledged": Open, "mitigated": Open, "resolved": Completed, "closed": Completed, "merged": NotPlanned,
	}
}

// Labels are the usual ones of priorities.
func Labels() map[string]string {
	return map[string]string{"P1": "P1", "P2": "P2", "P3": "P3", "P4": "P4", "P5": "P5"}
}

const (
	most      = 100              // issues or comments on a page
	pages     = 20               // of issues, the newest first, that are looked through
	skew      = time.Hour        // by which clocks may differ
	rest      = 30 * time.Second // before looking for an issue whose answer was lost
	longTitle = 256
	longText  = 60_000
)

var (
	safeName   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$`)
	safeNumber = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
)

// issue is an issue as the API tells it.
type issue struct {
	Number  int64     `json:"number"`
	URL     string    `json:"html_url"`
	State   string    `json:"state"`
	Body    string    `json:"body"`
	Created time.Time `json:"created_at"`
	Labels  []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

func (i *issue) ref() ticket.Ref {
	return ticket.Ref{ID: strconv.FormatInt(i.Number, 10), URL: outbound.Link(i.URL)}
}

// Open finds the issue of the ticket, or makes one.
func (r *Repository) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	if !safeName.MatchString(r.Name) || !ticket.SafeKey(t.Key) {
		return ticket.Ref{}, &delivery.Refusal{Detail: fmt.Sprintf("repository %q or ticket %q cannot be asked for by this name", r.Name, t.Key)}
	}
	there, err := r.find(ctx, t)
	if err == nil && there == nil {
		there, err = r.create(ctx, t)
	}
	if err != nil {
		return ticket.Ref{}, err
	}
	return there.ref(), r.bring(ctx, there, t)
}

// Update brings the issue up to date.
func (r *Repository) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if !safeName.MatchString(r.Name) || !safeNumber.MatchString(ref.ID) || !ticket.SafeKey(t.Key) {
		return &delivery.Refusal{Detail: fmt.Sprintf("issue %q cannot be asked for by this name", ref.ID)}
	}
	var there issue
	if err := r.call(ctx, http.MethodGet, "/issues/"+ref.ID, nil, &there); err != nil {
		return err
	}
	if there.ref().ID != ref.ID {
		return &delivery.Unavailable{Detail: "the answer is about another issue than was asked for"}
	}
	return r.bring(ctx, &there, t)
}

// find looks for the issue among those with the label, back to when there can be one.
func (r *Repository) find(ctx context.Context, t ticket.Ticket) (*issue, error) {
	for page := 1; page <= pages; page++ {
		q := url.Values{
			"labels": {r.Label}, "state": {"all"}, "sort": {"created"}, "direction": {"desc"}, "per_page": {strconv.Itoa(most)},
			"page": {strconv.Itoa(page)},
		}
		var all []issue
		if err := r.call(ctx, http.MethodGet, "/issues?"+q.Encode(), nil, &all); err != nil {
			return nil, err
		}
		if all == nil {
			return nil, &delivery.Unavailable{Detail: "the answer to a list is not what the API of GitHub says"}
		}
		for n := range all {
			if ticket.FindMark(all[n].Body, t.Key).Key != "" && all[n].Number > 0 {
				return &all[n], nil
			}
		}
		if len(all) < most || all[len(all)-1].Created.Before(t.Since.Add(-skew)) {
			return nil, nil //nolint:nilnil // none there
		}
	}
	return nil, &delivery.Refusal{Detail: fmt.Sprintf("%d issues with the label %s are newer than the incident, and none is its own", pages*most, r.Label)}
}

// create makes the issue. What it does not say by that alone, its first update does.
func (r *Repository) create(ctx context.Context, t ticket.Ticket) (*issue, error) {
	m := t.Mark()
	if r.States[t.Status] != Open {
		m.Revision = 0
	}
	var out issue
	err := r.call(ctx, http.MethodPost, "/issues", map[string]any{"title": t.Heading(longTitle), "body": text(t, m), "labels": r.labels(nil, t)}, &out)
	if err != nil {
		return nil, outbound.Later(err, rest)
	}
	switch {
	case out.Number <= 0: // it may be there all the same
		return nil, &delivery.Unavailable{Detail: "the answer to the new issue is not what the API of GitHub says", After: rest}
	case !out.has(r.Label): // GitHub takes no labels of those who may not push, and does not say so
		return nil, &delivery.Refusal{Detail: fmt.Sprintf("issue %d has no label %s, by which it is found again: the token needs to write to the repository", out.Number, r.Label)}
	}
	return &out, nil
}

func (i *issue) has(label string) bool {
	for _, l := range i.Labels {
		if strings.EqualFold(l.Name, label) {
			return true
		}
	}
	return false
}

// bring makes an issue say what t says, the mark with the last request.
func (r *Repository) bring(ctx context.Context, i *issue, t ticket.Ticket) error {
	m := ticket.FindMark(i.Body, t.Key)
	if m.Revision >= t.Revision {
		return nil
	}
	path := "/issues/" + strconv.FormatInt(i.Number, 10)
	if m.Told(t) {
		if err := r.comment(ctx, path+"/comments", t); err != nil {
			return err
		}
	}
	want := map[string]any{"title": t.Heading(longTitle), "body": text(t, t.Mark()), "labels": r.labels(i, t)}
	switch state := r.States[t.Status]; {
	case state == Open && i.State != Open:
		want["state"], want["state_reason"] = Open, "reopened"
	case state != Open && i.State == Open:
		want["state"], want["state_reason"] = "closed", state
	}
	var out issue
	return r.call(ctx, http.MethodPatch, path, want, &out)
}

// comment says what has changed, unless an attempt before has said it.
func (r *Repository) comment(ctx context.Context, path string, t ticket.Ticket) error {
	var all []struct {
		Body string `json:"body"`
	}
	q := url.Values{"since": {t.At.Add(-skew).UTC().Format(time.RFC3339)}, "per_page": {strconv.Itoa(most)}}
	if err := r.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &all); err != nil {
		return err
	}
	for _, c := range all {
		if t.Mark().Noted(c.Body) {
			return nil
		}
	}
	var out struct{}
	return r.call(ctx, http.MethodPost, path, map[string]string{"body": outbound.Fenced(t.Note) + hidden(t.Mark())}, &out)
}

// labels are those that an issue should have: ours, and of what others have put there everything that is not another priority.
func (r *Repository) labels(i *issue, t ticket.Ticket) []string {
	all := []string{r.Label}
	if p := r.Labels[t.Priority]; p != "" {
		all = append(all, p)
	}
	if i == nil {
		return all
	}
	for _, l := range i.Labels {
		ours := slices.Contains(all, l.Name)
		for _, p := range r.Labels {
			ours = ours || p == l.Name
		}
		if !ours {
			all = append(all, l.Name)
		}
	}
	return all
}

// text is what an issue says. What comes from alerts is quoted: it names nobody and closes nothing.
func text(t ticket.Ticket, m ticket.Mark) string {
	s := outbound.Fenced(ticket.Cut(t.Text, longText))
	if t.URL != "" {
		s += "\nMuster: " + t.URL + "\n"
	}
	return s + hidden(m)
}

func hidden(m ticket.Mark) string { return "\n<!-- " + m.String() + " -->\n" }

func (r *Repository) call(ctx context.Context, method, path string, body, into any) error {
	api := outbound.API{
		Name: "GitHub", Guard: r.Guard, Timeout: r.Timeout, URL: r.URL, Secrets: []string{r.Token}, Wait: limited,
		Header: map[string]string{
			"Authorization": "Bearer " + r.Token, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
		},
	}
	return api.Call(ctx, method, "/repos/"+r.Name+path, body, into)
}

// limited tells of a 403 whether it only says that there were too many requests.
func limited(resp *http.Response) (time.Duration, bool) {
	h := resp.Header
	switch {
	case resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests:
		return 0, false
	case h.Get("Retry-After") != "":
		return outbound.RetryAfter(h.Get("Retry-After"), time.Now()), true
	case h.Get("X-Ratelimit-Remaining") == "0":
		reset, _ := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64) // seconds since 1970
		return time.Until(time.Unix(reset, 0)), true
	}
	// Of the secondary limits nothing but the text tells, or 429: then at least a minute, says the documentation.
	const most = 64 << 10
	text, _ := io.ReadAll(io.LimitReader(resp.Body, most))
	if resp.StatusCode == http.StatusTooManyRequests || strings.Contains(strings.ToLower(string(text)), "rate limit") {
		return time.Minute, true
	}
	return 0, false
}
