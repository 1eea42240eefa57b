package cli_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/usage"
	"muster/starter"
	"muster/starter/api"
)

// Request knows acme, whose plan includes enquiries within an hour and one tuning a month. It has had its tuning.
func (people) Request(a request.Asked) (request.Asked, request.Pinned, error) {
	if a.Customer != "acme" {
		return a, request.Pinned{}, &request.Fault{Field: "customer", Detail: fmt.Sprintf("%q; want the id of a customer in the organisation folder", a.Customer)}
	}
	both := func(en, ko string) supportplan.Text { return supportplan.Text{English: en, Korean: ko} }
	e := supportplan.Entitlement{
		Terms: supportplan.Terms{
			Coverage: supportplan.AroundTheClock, Column: "basic",
			Requests: []supportplan.RequestTarget{{Kind: "enquiry", Target: supportplan.Respond, Within: time.Hour}},
		},
		Table: supportplan.Table{
			Columns: []supportplan.Column{{ID: "basic", Name: both("Basic", "베이식")}, {ID: "premium", Name: both("Premium", "프리미엄")}},
			Groups: []supportplan.Group{{Features: []supportplan.Feature{{ID: "tuning", Name: both("Tuning", "성능 튜닝"), In: []supportplan.Grant{
				{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: 1, Per: supportplan.Month}}, {Kind: supportplan.Included},
			}}}}},
		},
	}
	if a.Kind == "tuning" {
		a.Feature = a.Kind
	}
	p := request.Pinned{
		Organisation: "Mirnet", Zone: "Asia/Seoul", CustomerName: "Acme", Plan: "Basic", Entitlement: e, AtRisk: 75, Confirm: &supportplan.Confirmation{Days: 5}, Promises: e.Terms.Promises(a.Kind),
		Uncounted: e.Check(supportplan.Request{
			Kind: a.Kind, Feature: a.Feature, At: a.Received, Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: true},
		}),
	}
	if a.Kind == "enquiry" {
		p.Needs = []request.Need{{ID: "version", Name: both("Version in use", "사용 중인 버전")}, {ID: "logs", Name: both("Logs", "로그")}}
	}
	return a, p, nil
}

func (h *house) Requests(_ context.Context, f api.RequestFilter) (rows []api.RequestSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range slices.Backward(h.requests) {
		if f.Open && q.Over() || f.Status != "" && f.Status != q.Status {
			continue
		}
		rows = append(rows, api.RequestSummary{
			ID: q.ID, Subject: q.Subject(), Status: q.Status, Customer: q.Customer, OpenedAt: q.Opened, NextDue: q.NextDue(), ClosedAt: q.Ended,
		})
	}
	return rows, "", nil
}

func (h *house) requested(id request.ID) (*request.Request, error) {
	n := slices.IndexFunc(h.requests, func(q *request.Request) bool { return q.ID == id })
	if n < 0 {
		return nil, &starter.NotFoundError{What: "request " + string(id)}
	}
	return h.requests[n], nil
}

func (h *house) Request(_ context.Context, id request.ID) (*request.Request, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	q, err := h.requested(id)
	if err != nil {
		return nil, err
	}
	seen := *q
	return &seen, nil
}

func (h *house) StartRequest(_ context.Context, r starter.Request, terms request.Terms) (*request.Request, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.requests {
		if q.Request == r.ID {
			return q, nil
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Recorder = request.NewID(uint64(len(h.requests)+1)), r.ID, r.By
	q, err := request.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.requests = append(h.requests, q)
	h.work(q)
	return q, nil
}

// work does what a request asks for. There is one tuning left for nobody.
func (h *house) work(q *request.Request) {
	for work := q.Advance(now()); len(work) > 0; work = q.Advance(now()) {
		for _, w := range work {
			switch w.Do {
			case request.ComputeClocks:
				q.Computed([]incident.Instants{{Target: supportplan.Respond, RiskAt: now().Add(45 * time.Minute), Due: now().Add(time.Hour)}}, "", now())
			case request.Claim:
				q.Counted(usage.Counts{Used: 1, Taken: w.Claim.Take == usage.Anyway}, "", now())
			case request.Return:
				q.Returned("", now())
			case request.Confirm:
				q.Closing(now().AddDate(0, 0, 5), now())
			case request.Tell:
			}
		}
	}
}

func (h *house) AskRequest(_ context.Context, id request.ID, r starter.Request, c request.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	q, err := h.requested(id)
	switch {
	case err != nil:
		return err
	case q.Over(): // its workflow has ended
		return &starter.NotFoundError{What: "request " + string(id)}
	}
	if err = c.Check(q, r.By); err == nil {
		err = c.Apply(q, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.work(q)
	return nil
}
