package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"muster/internal/action"
	"muster/internal/handover"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/response"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/store"
)

// A Client talks to a server's API. Its errors are a Refusal where the server has answered, an UnreachableError
// where it has not.
type Client struct {
	base  string
	token string
	http  *http.Client
	own   atomic.Value // the language of whoever asks, as the last answer has said
}

// Language is that of whoever the token speaks for, as the server has said with its last answer; empty before it has.
func (c *Client) Language() string {
	own, _ := c.own.Load().(string)
	return own
}

// NewClient makes a client of the server at a URL such as http://127.0.0.1:8080. Without a token it can ask for the
// version only.
func NewClient(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("server %q: want a URL such as http://127.0.0.1:8080", server)
	}
	if !store.Whole(token) {
		return nil, errors.New("token: is not whole: some of its characters are missing or changed")
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a token goes nowhere else
	return &Client{
		base: strings.TrimRight(u.String(), "/"), token: token,
		http: &http.Client{Timeout: Patience + 10*time.Second, CheckRedirect: stay},
	}, nil
}

// List returns a page of incidents. The filter's After is what the page before said is next.
func (c *Client) List(ctx context.Context, f Filter) (Page, error) {
	q := queryOf("status", string(f.Status), "open", yes(f.Open))
	setPage(q, f.Limit, f.After)
	var p Page
	err := c.read(ctx, Path+"incidents", q, &p)
	return p, err
}

// Open reports an incident, under a key; an empty one means a new one.
func (c *Client) Open(ctx context.Context, n NewIncident, key string) (o Opened, err error) {
	err = c.post(ctx, Path+"incidents", n, key, &o)
	return o, err
}

// MakeForm makes a form by which somebody reports incidents. Its URL is a secret.
func (c *Client) MakeForm(ctx context.Context, asked NewForm) (f Form, err error) {
	return f, c.post(ctx, Path+"forms", asked, "", &f)
}

// queryOf is a query of names, each with its value; what is empty is not asked for.
func queryOf(pairs ...string) url.Values {
	q := url.Values{}
	for n := 0; n+1 < len(pairs); n += 2 {
		if pairs[n+1] != "" {
			q.Set(pairs[n], pairs[n+1])
		}
	}
	return q
}

// yes is the value of a switch, which is left out while it is off.
func yes(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func setPage(q url.Values, limit int, after string) {
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if after != "" {
		q.Set("after", after)
	}
}

// Alerts returns a page of the alerts of an incident. The filter's After is what the page before said is next.
func (c *Client) Alerts(ctx context.Context, id incident.ID, f AlertFilter) (AlertPage, error) {
	q := queryOf("firing", yes(f.Firing), "name", f.Name)
	setPage(q, f.Limit, f.After)
	var p AlertPage
	err := c.read(ctx, of(id)+"/alerts", q, &p)
	return p, err
}

// Incident returns the whole state of an incident.
func (c *Client) Incident(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	var i incident.Incident
	if err := c.read(ctx, of(id), nil, &i); err != nil {
		return nil, err
	}
	return &i, nil
}

// Timeline returns the entries after the one with a number, with sentences in a language; empty means the organisation's.
func (c *Client) Timeline(ctx context.Context, id incident.ID, language string, after int) (Timeline, error) {
	q := url.Values{}
	if language != "" {
		q.Set("lang", language)
	}
	if after > 0 {
		q.Set("after", strconv.Itoa(after))
	}
	var t Timeline
	err := c.read(ctx, of(id)+"/timeline", q, &t)
	return t, err
}

// Report returns the incident report.
func (c *Client) Report(ctx context.Context, id incident.ID, f report.Format, language string) ([]byte, error) {
	q := url.Values{"format": {string(f)}}
	if language != "" {
		q.Set("lang", language)
	}
	return c.get(ctx, of(id)+"/report", q)
}

// UpdateDraft returns what the next update of an incident may say to an audience.
func (c *Client) UpdateDraft(ctx context.Context, id incident.ID, a incident.Audience, language string) (d UpdateDraft, err error) {
	q := url.Values{"audience": {string(a)}}
	if language != "" {
		q.Set("lang", language)
	}
	return d, c.read(ctx, of(id)+"/update-draft", q, &d)
}

// History returns the event histories of every run, for audit.Decode.
func (c *Client) History(ctx context.Context, id incident.ID) ([]byte, error) {
	return c.get(ctx, of(id)+"/history", nil)
}

// Me returns for whom the token speaks.
func (c *Client) Me(ctx context.Context) (Me, error) {
	var m Me
	err := c.read(ctx, Path+"me", nil, &m)
	return m, err
}

// Review returns the state of the review of an incident.
func (c *Client) Review(ctx context.Context, id incident.ID) (review.Review, error) {
	var r review.Review
	err := c.read(ctx, of(id)+"/review", nil, &r)
	return r, err
}

// Reviews lists the reviews that are open.
func (c *Client) Reviews(ctx context.Context, all bool) (ReviewPage, error) {
	var p ReviewPage
	q := queryOf("all", yes(all))
	err := c.read(ctx, Path+"reviews", q, &p)
	return p, err
}

// OpenReview opens the review of an incident, under a key; an empty key means a new one.
func (c *Client) OpenReview(ctx context.Context, id incident.ID, key string) (ReviewReceipt, error) {
	var r ReviewReceipt
	err := c.post(ctx, of(id)+"/review", struct{}{}, key, &r)
	return r, err
}

// ReviewReport returns the report of a review, or its text for a customer.
func (c *Client) ReviewReport(ctx context.Context, id incident.ID, customer string, f report.Format, language string) ([]byte, error) {
	q := url.Values{"format": {string(f)}}
	if language != "" {
		q.Set("lang", language)
	}
	if customer != "" {
		q.Set("customer", customer)
	}
	return c.get(ctx, of(id)+"/review/report", q)
}

// AskReview asks something of the review of an incident, under a key; an empty key means a new one.
func (c *Client) AskReview(ctx context.Context, id incident.ID, cmd review.Command, key string) (ReviewReceipt, error) {
	var r ReviewReceipt
	all := reviewAsks()
	n := slices.IndexFunc(all, func(a reviewAsk) bool { return reflect.TypeOf(a.body) == reflect.TypeOf(cmd) })
	if n < 0 {
		return r, fmt.Errorf("command of the review of %s: the API has no such command", id)
	}
	var body any = cmd
	if yes, ok := cmd.(review.Approve); ok { // for whom somebody speaks is never in a body
		body = map[string]string{"audience": yes.Audience, "sha256": yes.SHA256}
	}
	err := c.post(ctx, of(id)+"/review/"+all[n].name, body, key, &r)
	return r, err
}

// Handover returns the newest hand-over of a schedule.
func (c *Client) Handover(ctx context.Context, schedule string) (handover.Handover, error) {
	var h handover.Handover
	err := c.read(ctx, ofSchedule(schedule), nil, &h)
	return h, err
}

// StartHandover hands a schedule over, under a key; an empty key means a new one.
func (c *Client) StartHandover(ctx context.Context, schedule string, asked NewHandover, key string) (handover.Handover, error) {
	var h handover.Handover
	err := c.post(ctx, ofSchedule(schedule), asked, key, &h)
	return h, err
}

// ConfirmHandover takes a schedule over, under a key; an empty key means a new one.
func (c *Client) ConfirmHandover(ctx context.Context, schedule string, asked handover.Confirm, key string) (HandoverReceipt, error) {
	var r HandoverReceipt
	err := c.post(ctx, ofSchedule(schedule)+"/confirm", asked, key, &r)
	return r, err
}

// DeclineHandover lets a schedule stay with the outgoing person, under a key; an empty key means a new one.
func (c *Client) DeclineHandover(ctx context.Context, schedule, reason, key string) (HandoverReceipt, error) {
	var r HandoverReceipt
	err := c.post(ctx, ofSchedule(schedule)+"/decline", handover.Decline{Reason: reason}, key, &r)
	return r, err
}

// NoteHandover writes into the timeline of a hand-over, under a key; an empty key means a new one.
func (c *Client) NoteHandover(ctx context.Context, schedule, text, key string) (HandoverReceipt, error) {
	var r HandoverReceipt
	err := c.post(ctx, ofSchedule(schedule)+"/note", handover.Note{Text: text}, key, &r)
	return r, err
}

// Requests returns a page of requests. The filter's After is what the page before said is next.
func (c *Client) Requests(ctx context.Context, f RequestFilter) (RequestPage, error) {
	q := queryOf("status", string(f.Status), "open", yes(f.Open), "customer", f.Customer)
	setPage(q, f.Limit, f.After)
	var p RequestPage
	err := c.read(ctx, Path+"requests", q, &p)
	return p, err
}

// Request returns a customer's request.
func (c *Client) Request(ctx context.Context, id request.ID) (request.Request, error) {
	var r request.Request
	err := c.read(ctx, ofRequest(id), nil, &r)
	return r, err
}

// OpenRequest records a customer's request, under a key; an empty key means a new one.
func (c *Client) OpenRequest(ctx context.Context, asked NewRequest, key string) (request.Request, error) {
	var r request.Request
	err := c.post(ctx, Path+"requests", asked, key, &r)
	return r, err
}

// AskRequest asks something of a customer's request, under a key; an empty key means a new one.
func (c *Client) AskRequest(ctx context.Context, id request.ID, cmd request.Command, key string) (RequestReceipt, error) {
	var r RequestReceipt
	name, body := "", any(cmd)
	switch cmd := cmd.(type) {
	case request.Approve:
		name = "approve"
	case request.Decline:
		name = "decline"
	case request.Answer:
		name = "answer"
	case request.Withdraw:
		name = "withdraw"
	case request.Note:
		name = "note"
	case request.Take:
		name = "take"
	case request.HandOver:
		name, body = "hand-over", NewRequestOwner{Person: cmd.Person, Note: cmd.Note}
	case request.Collect:
		name = "collect"
	case request.Meet:
		name = "meeting"
	case request.RecordCase:
		name, body = "case", NewRequestCase{Vendor: cmd.Vendor, Ref: cmd.Ref, Chase: cmd.Chase}
	case request.Judge:
		name = "judge"
	}
	err := c.post(ctx, ofRequest(id)+"/"+name, body, key, &r)
	return r, err
}

// RequestReport returns the report on a request.
func (c *Client) RequestReport(ctx context.Context, id request.ID, f report.Format, language string) ([]byte, error) {
	q := url.Values{"format": {string(f)}}
	if language != "" {
		q.Set("lang", language)
	}
	return c.get(ctx, ofRequest(id)+"/report", q)
}

// Minutes returns those of a meeting on a request, by its number; 0 is the newest.
func (c *Client) Minutes(ctx context.Context, id request.ID, number int, f report.Format, language string) ([]byte, error) {
	q := url.Values{"format": {string(f)}}
	if number > 0 {
		q.Set("number", strconv.Itoa(number))
	}
	if language != "" {
		q.Set("lang", language)
	}
	return c.get(ctx, ofRequest(id)+"/minutes", q)
}

// PromoteRequest opens the incident that a request has become, under a key; an empty key means a new one.
func (c *Client) PromoteRequest(ctx context.Context, id request.ID, asked RequestIncident, key string) (RequestReceipt, error) {
	var r RequestReceipt
	err := c.post(ctx, ofRequest(id)+"/incident", asked, key, &r)
	return r, err
}

// Actions returns a page of action items. The filter's After is what the page before said is next.
func (c *Client) Actions(ctx context.Context, f ActionFilter) (ActionPage, error) {
	q := queryOf("status", string(f.Status), "customer", f.Customer, "service", f.Service, "owner", f.Owner, "origin", f.Origin,
		"open", yes(f.Open), "overdue", yes(f.Overdue))
	setPage(q, f.Limit, f.After)
	var p ActionPage
	err := c.read(ctx, Path+"actions", q, &p)
	return p, err
}

// Action returns an action item.
func (c *Client) Action(ctx context.Context, id action.ID) (action.Action, error) {
	var a action.Action
	err := c.read(ctx, ofAction(id), nil, &a)
	return a, err
}

// OpenAction opens an action item, under a key; an empty key means a new one.
func (c *Client) OpenAction(ctx context.Context, asked NewAction, key string) (action.Action, error) {
	var a action.Action
	err := c.post(ctx, Path+"actions", asked, key, &a)
	return a, err
}

// AskAction asks something of an action item, under a key; an empty key means a new one.
func (c *Client) AskAction(ctx context.Context, id action.ID, cmd action.Command, key string) (ActionReceipt, error) {
	var r ActionReceipt
	name, body := "", any(cmd)
	switch cmd := cmd.(type) {
	case action.Complete:
		name = "done"
	case action.Verify:
		name = "verify"
	case action.CheckEffect:
		name = "effect"
	case action.Extend:
		name = "extend"
	case action.Assign:
		name, body = "assign", NewActionOwner{Owner: cmd.Owner, Group: cmd.Group, Reason: cmd.Reason}
	case action.Cancel:
		name = "cancel"
	case action.Note:
		name = "note"
	}
	err := c.post(ctx, ofAction(id)+"/"+name, body, key, &r)
	return r, err
}

// Escalations returns a page of escalations. The filter's After is what the page before said is next.
func (c *Client) Escalations(ctx context.Context, f EscalationFilter) (EscalationPage, error) {
	q := queryOf("status", string(f.Status), "service", f.Service, "open", yes(f.Open))
	setPage(q, f.Limit, f.After)
	var p EscalationPage
	err := c.read(ctx, Path+"escalations", q, &p)
	return p, err
}

// Escalation returns an escalation.
func (c *Client) Escalation(ctx context.Context, id risk.ID) (risk.Escalation, error) {
	var e risk.Escalation
	err := c.read(ctx, ofEscalation(id), nil, &e)
	return e, err
}

// OpenEscalation escalates a risk, under a key; an empty key means a new one.
func (c *Client) OpenEscalation(ctx context.Context, asked NewEscalation, key string) (risk.Escalation, error) {
	var e risk.Escalation
	err := c.post(ctx, Path+"escalations", asked, key, &e)
	return e, err
}

// AskEscalation asks something of an escalation, under a key; an empty key means a new one.
func (c *Client) AskEscalation(ctx context.Context, id risk.ID, cmd risk.Command, key string) (EscalationReceipt, error) {
	var r EscalationReceipt
	name, body := "", any(cmd)
	switch cmd := cmd.(type) {
	case risk.Take:
		name = "take"
	case risk.Answer:
		name = "answer"
	case risk.Confirm:
		name = "in-hand"
	case risk.Raise:
		name = "raise"
	case risk.Succeed:
		name, body = "originator", NewOriginator{Person: cmd.Person, Reason: cmd.Reason}
	case risk.Note:
		name = "note"
	}
	err := c.post(ctx, ofEscalation(id)+"/"+name, body, key, &r)
	return r, err
}

// Contacts returns how somebody is reached, everybody whom the caller may see where nobody is named.
func (c *Client) Contacts(ctx context.Context, person string) (ContactList, error) {
	q := queryOf("person", person)
	var l ContactList
	err := c.read(ctx, Path+"contacts", q, &l)
	return l, err
}

// TestContacts sends test pages now, under a key; an empty key means a new one.
func (c *Client) TestContacts(ctx context.Context, asked NewContactTest, key string) (ContactTestReceipt, error) {
	var r ContactTestReceipt
	err := c.post(ctx, Path+"contacts/test", asked, key, &r)
	return r, err
}

// Silences returns a page of silences. The filter's After is what the page before said is next.
func (c *Client) Silences(ctx context.Context, f SilenceFilter) (SilencePage, error) {
	q := queryOf("status", string(f.Status), "open", yes(f.Open))
	setPage(q, f.Limit, f.After)
	var p SilencePage
	err := c.read(ctx, Path+"silences", q, &p)
	return p, err
}

// Silence returns a silence.
func (c *Client) Silence(ctx context.Context, id silence.ID) (silence.Silence, error) {
	var s silence.Silence
	err := c.read(ctx, ofSilence(id), nil, &s)
	return s, err
}

// MakeSilence holds alerts back, under a key; an empty key means a new one.
func (c *Client) MakeSilence(ctx context.Context, asked NewSilence, key string) (silence.Silence, error) {
	var s silence.Silence
	err := c.post(ctx, Path+"silences", asked, key, &s)
	return s, err
}

// EndSilence ends a silence before its time, under a key; an empty key means a new one.
func (c *Client) EndSilence(ctx context.Context, id silence.ID, cmd silence.End, key string) (SilenceReceipt, error) {
	var r SilenceReceipt
	err := c.post(ctx, ofSilence(id)+"/end", cmd, key, &r)
	return r, err
}

// Inbox returns everything that waits for the caller, with titles in a language; empty means the organisation's.
func (c *Client) Inbox(ctx context.Context, language string) (Inbox, error) {
	q := queryOf("lang", language)
	var box Inbox
	err := c.read(ctx, Path+"inbox", q, &box)
	return box, err
}

// PlanRuns returns a page of runs of plans. The filter's After is what the page before said is next.
func (c *Client) PlanRuns(ctx context.Context, f PlanRunFilter) (PlanRunPage, error) {
	q := queryOf("kind", string(f.Kind), "status", string(f.Status), "open", yes(f.Open))
	for _, id := range f.Customers {
		q.Set("customer", id)
	}
	setPage(q, f.Limit, f.After)
	var p PlanRunPage
	err := c.read(ctx, Path+"plan-runs", q, &p)
	return p, err
}

// PlanRun returns the whole state of a run of a plan.
func (c *Client) PlanRun(ctx context.Context, id planrun.ID) (*planrun.Run, error) {
	var r planrun.Run
	if err := c.read(ctx, ofPlanRun(id), nil, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// PlanRunReport returns a report on a run, of a kind that report.PlanReports lists.
func (c *Client) PlanRunReport(ctx context.Context, id planrun.ID, kind string, f report.Format, language string) ([]byte, error) {
	q := url.Values{"kind": {kind}, "format": {string(f)}}
	if language != "" {
		q.Set("lang", language)
	}
	return c.get(ctx, ofPlanRun(id)+"/report", q)
}

// PlanRunHistory returns the event history of a run, for audit.Decode.
func (c *Client) PlanRunHistory(ctx context.Context, id planrun.ID) ([]byte, error) {
	return c.get(ctx, ofPlanRun(id)+"/history", nil)
}

// StartPlanRun starts a run of a plan, under a key; an empty key means a new one.
func (c *Client) StartPlanRun(ctx context.Context, asked NewPlanRun, key string) (*planrun.Run, error) {
	var r planrun.Run
	if err := c.post(ctx, Path+"plan-runs", asked, key, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// AskPlanRun asks something of a run of a plan, under a key; an empty key means a new one.
func (c *Client) AskPlanRun(ctx context.Context, id planrun.ID, asked PlanAsk, key string) (PlanRunReceipt, error) {
	var r PlanRunReceipt
	all := planAsks()
	n := slices.IndexFunc(all, func(a planAsk) bool { return reflect.TypeOf(a.body) == reflect.TypeOf(asked) })
	if n < 0 {
		return r, fmt.Errorf("command of %s: the API has no such command", id)
	}
	err := c.post(ctx, ofPlanRun(id)+"/"+all[n].name, asked, key, &r)
	return r, err
}

// Tokens lists the tokens that the caller may manage.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var list Tokens
	err := c.read(ctx, Path+"tokens", nil, &list)
	return list.Tokens, err
}

// CreateToken makes a token and returns it with its secret, which nobody can read again.
func (c *Client) CreateToken(ctx context.Context, asked NewToken) (Token, error) {
	var t Token
	body, err := json.Marshal(asked)
	if err != nil {
		return t, fmt.Errorf("create token: %w", err)
	}
	answer, err := c.call(ctx, http.MethodPost, Path+"tokens", body, "") // without a key: twice would be two
	if err != nil {
		return t, err
	}
	return t, c.decode(answer, &t)
}

// RevokeToken makes a token worthless.
func (c *Client) RevokeToken(ctx context.Context, id string) (Token, error) {
	var t Token
	err := c.delete(ctx, Path+"tokens/"+url.PathEscape(id), &t)
	return t, err
}

// ChangeCalendar returns what is planned.
func (c *Client) ChangeCalendar(ctx context.Context, asked CalendarQuery) (ChangeCalendar, error) {
	q := queryOf("kind", string(asked.Kind), "customer", asked.Customer, "service", asked.Service, "text", asked.Text,
		"from", when(asked.From), "until", when(asked.Until))
	var all ChangeCalendar
	err := c.read(ctx, Path+"change-calendar", q, &all)
	return all, err
}

// Visits returns what has become of the visits of a year: of every customer, or of one. 0 is this year.
func (c *Client) Visits(ctx context.Context, customer string, year int) (VisitList, error) {
	var list VisitList
	q := queryOf("customer", customer)
	if year != 0 {
		q.Set("year", strconv.Itoa(year))
	}
	err := c.read(ctx, Path+"visits", q, &list)
	return list, err
}

// Routines lists the routines of the organisation folder.
func (c *Client) Routines(ctx context.Context) (RoutineList, error) {
	var list RoutineList
	err := c.read(ctx, Path+"routines", nil, &list)
	return list, err
}

// Routine returns how a routine stands.
func (c *Client) Routine(ctx context.Context, id string) (routine.Routine, error) {
	var r routine.Routine
	err := c.read(ctx, ofRoutine(id), nil, &r)
	return r, err
}

// MoveRoutine gives one of the times of a routine another time, under a key; an empty key means a new one.
func (c *Client) MoveRoutine(ctx context.Context, id string, cmd routine.Move, key string) (RoutineReceipt, error) {
	var r RoutineReceipt
	err := c.post(ctx, ofRoutine(id)+"/move", cmd, key, &r)
	return r, err
}

// SkipRoutine leaves out one of the times of a routine, under a key; an empty key means a new one.
func (c *Client) SkipRoutine(ctx context.Context, id string, cmd routine.Skip, key string) (RoutineReceipt, error) {
	var r RoutineReceipt
	err := c.post(ctx, ofRoutine(id)+"/skip", cmd, key, &r)
	return r, err
}

// Responses lists the automatic responses of the organisation folder.
func (c *Client) Responses(ctx context.Context) (ResponseList, error) {
	var list ResponseList
	err := c.read(ctx, Path+"automatic-responses", nil, &list)
	return list, err
}

// Response returns how an automatic response stands.
func (c *Client) Response(ctx context.Context, id string) (ResponseShown, error) {
	var r ResponseShown
	err := c.read(ctx, ofResponse(id), nil, &r)
	return r, err
}

// SwitchResponseOff keeps an automatic response from running, and stops it where it does, under a key; an empty key means a new one.
func (c *Client) SwitchResponseOff(ctx context.Context, id string, cmd response.SwitchOff, key string) (ResponseReceipt, error) {
	var r ResponseReceipt
	err := c.post(ctx, ofResponse(id)+"/off", cmd, key, &r)
	return r, err
}

// SwitchResponseOn lets it run again, under a key; an empty key means a new one.
func (c *Client) SwitchResponseOn(ctx context.Context, id string, cmd response.SwitchOn, key string) (ResponseReceipt, error) {
	var r ResponseReceipt
	err := c.post(ctx, ofResponse(id)+"/on", cmd, key, &r)
	return r, err
}

func ofResponse(id string) string { return Path + "automatic-responses/" + url.PathEscape(id) }

func ofRoutine(id string) string { return Path + "routines/" + url.PathEscape(id) }

// Heartbeats lists the heartbeats of the organisation folder, of one status or of any.
func (c *Client) Heartbeats(ctx context.Context, status heartbeat.Status) (HeartbeatList, error) {
	q := queryOf("status", string(status))
	var list HeartbeatList
	err := c.read(ctx, Path+"heartbeats", q, &list)
	return list, err
}

// Attempts returns a part of the log of what was refused, after the entry with a number.
func (c *Client) Attempts(ctx context.Context, after int64, limit int) (Attempts, error) {
	q := url.Values{}
	setPage(q, limit, "")
	if after > 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	var page Attempts
	err := c.read(ctx, Path+"attempts", q, &page)
	return page, err
}

// Keys lists the keys of the installation.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	var list KeyList
	err := c.read(ctx, Path+"keys", nil, &list)
	return list.Keys, err
}

// RotateKeys adds a key.
func (c *Client) RotateKeys(ctx context.Context) (Key, error) {
	var k Key
	answer, err := c.call(ctx, http.MethodPost, Path+"keys", nil, "")
	if err != nil {
		return k, err
	}
	return k, c.decode(answer, &k)
}

// RevokeKey makes a key believed no more.
func (c *Client) RevokeKey(ctx context.Context, id string) (Key, error) {
	var k Key
	err := c.delete(ctx, Path+"keys/"+url.PathEscape(id), &k)
	return k, err
}

func (c *Client) delete(ctx context.Context, path string, into any) error {
	answer, err := c.call(ctx, http.MethodDelete, path, nil, "")
	if err != nil {
		return err
	}
	return c.decode(answer, into)
}

// Version returns which program the server is.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	err := c.read(ctx, Path+"version", nil, &v)
	return v, err
}

// Ready asks whether the server is ready, and returns what it says of each check.
func (c *Client) Ready(ctx context.Context) (string, error) {
	text, err := c.get(ctx, "/readyz", url.Values{"verbose": {""}})
	if p := (Refusal{}); errors.As(err, &p) && p.Status == http.StatusServiceUnavailable {
		return string(text), errors.New(c.base + " is not ready")
	}
	return string(text), err
}

// Do asks something of an incident, under a key; an empty key means a new one.
func (c *Client) Do(ctx context.Context, id incident.ID, cmd incident.Command, key string) (Receipt, error) {
	var r Receipt
	v, ok := verbOf(cmd)
	if !ok {
		return r, fmt.Errorf("command of %s: the API has no such command", id)
	}
	err := c.post(ctx, of(id)+"/"+v.name, cmd, key, &r)
	return r, err
}

// post asks under a key; an empty key means a new one. While the server says that it is not available, it is asked again
// under the same key, unless asking again does not help.
func (c *Client) post(ctx context.Context, path string, asked any, key string, into any) error {
	body, err := json.Marshal(asked)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	if key == "" {
		key = NewKey()
	}
	const tries = 3
	for try := 1; ; try++ {
		answer, err := c.call(ctx, http.MethodPost, path, body, key)
		if err == nil {
			if into == nil {
				return nil
			}
			return c.decode(answer, into)
		}
		var p Refusal
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests || p.Type == StuckRefusal || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(min(max(p.RetryAfter, time.Second), 5*time.Second)):
		}
	}
}

func ofSchedule(id string) string { return Path + "schedules/" + url.PathEscape(id) + "/handover" }

func ofAction(id action.ID) string { return Path + "actions/" + url.PathEscape(string(id)) }

func ofEscalation(id risk.ID) string { return Path + "escalations/" + url.PathEscape(string(id)) }

func ofSilence(id silence.ID) string { return Path + "silences/" + url.PathEscape(string(id)) }

func ofRequest(id request.ID) string { return Path + "requests/" + url.PathEscape(string(id)) }

func ofPlanRun(id planrun.ID) string { return Path + "plan-runs/" + url.PathEscape(string(id)) }

func of(id incident.ID) string { return Path + "incidents/" + url.PathEscape(string(id)) }

func (c *Client) get(ctx context.Context, path string, q url.Values) ([]byte, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil, "")
}

func (c *Client) read(ctx context.Context, path string, q url.Values, into any) error {
	answer, err := c.get(ctx, path, q)
	if err != nil {
		return err
	}
	return c.decode(answer, into)
}

func (c *Client) decode(answer []byte, into any) error {
	if err := json.Unmarshal(answer, into); err != nil {
		return &UnreachableError{Server: c.base, Cause: errors.New("what answers there is not this API")}
	}
	return nil
}

// call makes one request. What a server says when it refuses comes with the refusal.
func (c *Client) call(ctx context.Context, method, path string, body []byte, key string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.base, err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set(keyHeader, key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		var loose *url.Error
		if errors.As(err, &loose) { // it would repeat the whole URL
			err = loose.Err
		}
		return nil, &UnreachableError{Server: c.base, Cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	c.own.Store(resp.Header.Get(languageHeader))
	const most = 1 << 30 // a history is large, and not without end
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, &UnreachableError{Server: c.base, Cause: err}
	}
	if resp.StatusCode != http.StatusOK {
		return answer, refusalIn(resp, answer)
	}
	return answer, nil
}

// refusalIn reads the refusal of an answer. A proxy's page is one without details.
func refusalIn(resp *http.Response, body []byte) error {
	p := Refusal{}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != refusal.ContentType || json.Unmarshal(body, &p) != nil {
		p = Refusal{Detail: fmt.Sprintf("the server answers %s", resp.Status)}
	}
	p.Status = resp.StatusCode
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(n) * time.Second
	}
	return p
}

// An UnreachableError says that a server did not answer, or that something else did. What was asked may have been done.
type UnreachableError struct {
	Server string
	Cause  error
}

// Error returns the server and the cause.
func (e *UnreachableError) Error() string { return e.Server + " does not answer: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }
