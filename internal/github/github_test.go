package github_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/github"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

const root = "/repos/mirnet/ops/issues"

// desk is a repository as the REST API of 2022-11-28 tells it. Without push access it takes no labels, and does not say so.
type desk struct {
	issues []*issue
	guest  bool
}

type issue struct {
	Number   int              `json:"number"`
	URL      string           `json:"html_url"`
	State    string           `json:"state"`
	Reason   string           `json:"state_reason"`
	Title    string           `json:"title"`
	Body     string           `json:"body"`
	Created  time.Time        `json:"created_at"`
	Labels   []map[string]any `json:"labels"`
	comments []comment
}

type comment struct {
	Body    string    `json:"body"`
	Updated time.Time `json:"updated_at"`
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+contract.Secret {
		say(w, 401, map[string]string{"message": "Bad credentials"})
		return
	}
	if r.Header.Get("X-Github-Api-Version") != "2022-11-28" || r.Header.Get("Accept") != "application/vnd.github+json" {
		say(w, 400, map[string]string{"message": "which version?"})
		return
	}
	number, more, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, root), "/"), "/")
	n, _ := strconv.Atoi(number)
	switch {
	case r.URL.Path == root && r.Method == http.MethodGet:
		say(w, 200, d.list(r))
	case r.URL.Path == root && r.Method == http.MethodPost:
		i := &issue{Number: len(d.issues) + 1, State: "open", Created: time.Now()}
		i.URL = fmt.Sprintf("https://github.example/mirnet/ops/issues/%d", i.Number)
		d.change(w, r, i, 201)
		d.issues = append(d.issues, i)
	case n < 1 || n > len(d.issues):
		say(w, 404, map[string]string{"message": "Not Found"})
	case more == "" && r.Method == http.MethodGet:
		say(w, 200, d.issues[n-1])
	case more == "" && r.Method == http.MethodPatch:
		d.change(w, r, d.issues[n-1], 200)
	case more == "comments" && r.Method == http.MethodPost:
		var c comment
		_ = json.NewDecoder(r.Body).Decode(&c)
		c.Updated = time.Now()
		d.issues[n-1].comments = append(d.issues[n-1].comments, c)
		say(w, 201, c)
	case more == "comments":
		since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
		say(w, 200, slices.DeleteFunc(slices.Clone(d.issues[n-1].comments), func(c comment) bool { return c.Updated.Before(since) }))
	}
}

func (d *desk) list(r *http.Request) []*issue {
	q, all := r.URL.Query(), []*issue{}
	for _, i := range slices.Backward(d.issues) {
		named := slices.ContainsFunc(i.Labels, func(l map[string]any) bool { return l["name"] == q.Get("labels") })
		if named && (q.Get("state") == "all" || i.State == "open") {
			all = append(all, i)
		}
	}
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func (d *desk) change(w http.ResponseWriter, r *http.Request, i *issue, status int) {
	var in struct {
		Title, Body, State *string
		Reason             *string `json:"state_reason"`
		Labels             []string
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if len(*in.Title) == 0 || len([]rune(*in.Title)) > 256 {
		say(w, 422, map[string]string{"message": "Validation Failed"})
		return
	}
	i.Title, i.Body = *in.Title, *in.Body
	if in.State != nil && *in.State != i.State {
		i.State, i.Reason = *in.State, *in.Reason
	}
	if !d.guest {
		i.Labels = nil
		for _, l := range in.Labels {
			i.Labels = append(i.Labels, map[string]any{"name": l})
		}
	}
	say(w, status, i)
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (d *desk) Shown() (all []contract.Shown) {
	for _, i := range d.issues {
		s := contract.Shown{ID: strconv.Itoa(i.Number), Title: i.Title, Text: i.Body, State: i.State}
		if i.State == "closed" {
			s.State = i.Reason
		}
		for _, l := range i.Labels {
			if name := l["name"].(string); strings.HasPrefix(name, "prio-") {
				s.Priority += name
			}
		}
		for _, c := range i.comments {
			s.Comments = append(s.Comments, c.Body)
		}
		all = append(all, s)
	}
	return all
}

func system(url string, guard outbound.Guard, timeout time.Duration) *github.Repository {
	return &github.Repository{
		Guard: guard, Timeout: timeout, URL: url, Token: contract.Secret, Name: "mirnet/ops", Label: "muster", States: github.States(),
		Labels: map[string]string{"P1": "prio-high", "P2": "prio-high", "P3": "prio-low"},
	}
}

func TestContract(t *testing.T) {
	contract.Contract{
		Desk: func() contract.Desk { return &desk{} },
		System: func(url string, guard outbound.Guard, timeout time.Duration) contract.System {
			return system(url, guard, timeout)
		},
		States: map[string]string{"triggered": "open", "acknowledged": "open", "resolved": "completed", "closed": "completed"},
		Sample: "1", High: "prio-high", Low: "prio-low",
	}.Run(t)
}

func serve(t *testing.T, h http.Handler) *github.Repository {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return system(srv.URL, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second)
}

func TestWhatOthersPutOnAnIssueStays(t *testing.T) {
	d := &desk{}
	r := serve(t, d)
	ref, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	d.issues[0].Labels = append(d.issues[0].Labels, map[string]any{"name": "team-db"})
	if err := r.Update(t.Context(), ref, contract.Revision(2, "merged", "P1")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.issues[0].Labels); got != "[map[name:muster] map[name:prio-high] map[name:team-db]]" || d.issues[0].Reason != "not_planned" {
		t.Errorf("labels %s, reason %s", got, d.issues[0].Reason)
	}
	if body := d.issues[0].Body; !strings.HasPrefix(body, "````text\nShop is down <b>") || !strings.Contains(body, "\n````\n\nMuster: https://muster.example/\n\n<!-- muster:") {
		t.Errorf("what alerts say is not quoted: %s", body)
	}
}

func TestAnIssueBehindManyOthers(t *testing.T) {
	d := &desk{}
	r := serve(t, d)
	first, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 250 {
		d.issues = append(d.issues, &issue{Number: n + 2, State: "open", Created: time.Now(), Labels: []map[string]any{{"name": "muster"}}})
	}
	if again, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil || again != first {
		t.Errorf("got %+v, %v, want %+v", again, err, first)
	}
	late := contract.Revision(1, "triggered", "P3")
	late.Key, late.Since = "INC-NEW", time.Now().Add(2*time.Hour)
	if again, err := r.Open(t.Context(), late); err != nil || again.ID != "252" {
		t.Errorf("no issue can be older than its incident: got %+v, %v", again, err)
	}
	for n := range 2000 {
		d.issues = append(d.issues, &issue{Number: n + 253, State: "open", Created: time.Now(), Labels: []map[string]any{{"name": "muster"}}})
	}
	other := contract.Revision(1, "triggered", "P3")
	other.Key = "INC-OTHER"
	if _, err := r.Open(t.Context(), other); !delivery.IsRefusal(err) {
		t.Errorf("got %v, want a refusal: nobody knows whether it is there", err)
	}
}

func TestWithoutPushAccess(t *testing.T) {
	r := serve(t, &desk{guest: true})
	if _, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3")); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "needs to write") {
		t.Errorf("got %v", err)
	}
}

func TestTooManyRequests(t *testing.T) {
	reset := strconv.FormatInt(time.Now().Add(10*time.Minute).Unix(), 10)
	for _, tt := range []struct {
		status int
		header map[string]string
		final  bool
		after  time.Duration // rounded up to minutes
	}{
		{403, nil, true, 0},
		{429, nil, false, time.Minute},
		{403, map[string]string{"X-Test-Says": "You have exceeded a secondary rate limit.", "X-RateLimit-Remaining": "12"}, false, time.Minute},
		{403, map[string]string{"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": reset}, true, 0},
		{403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, false, 10 * time.Minute},
		{429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, false, 10 * time.Minute},
		{403, map[string]string{"Retry-After": "60"}, false, time.Minute},
		{403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, false, 0},
	} {
		r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range tt.header {
				w.Header().Set(k, v)
			}
			say(w, tt.status, map[string]string{"message": cmp.Or(tt.header["X-Test-Says"], "no")})
		}))
		_, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
		if err == nil || delivery.IsRefusal(err) != tt.final {
			t.Errorf("%v: got %v", tt, err)
		}
		if u, ok := errors.AsType[*delivery.Unavailable](err); ok && (u.After+time.Minute-1).Truncate(time.Minute) != tt.after {
			t.Errorf("%v: after %s", tt, u.After)
		}
	}
}

// The list of issues may lag behind: whoever has lost the answer to a new one waits.
func TestALostAnswerIsWaitedFor(t *testing.T) {
	d := &desk{}
	r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		d.ServeHTTP(w, req)
	}))
	_, err := r.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if u, ok := errors.AsType[*delivery.Unavailable](err); !ok || u.After != 30*time.Second {
		t.Errorf("got %v", err)
	}
}

func TestAnIssueThatWasRemovedIsNotMadeAgain(t *testing.T) {
	r := serve(t, &desk{})
	if err := r.Update(t.Context(), ticket.Ref{ID: "7"}, contract.Revision(2, "acknowledged", "P3")); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}
