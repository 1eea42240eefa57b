package report

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/request"
	"muster/internal/supportplan"
)

// requestView is what the report on a request sees.
type requestView struct {
	Made         time.Time
	Zone         string
	Organisation string
	Revision     string // of the organisation folder; empty to a customer

	ID       string
	Customer string
	Plan     string
	Subject  string
	Status   string `text:"code"`
	Begun    string `text:"code"`
	Outcome  string `text:"code"`
	Recorder string
	Channel  string `text:"code"`
	Number   string
	Received time.Time
	Ended    time.Time
	Lasted   time.Duration // from the receipt to the end, or until the report was made
	Text     string        `text:"prose"`

	Owner     string
	Decided   string
	Judged    string // who has said whether the answer is enough
	Reason    string `text:"prose"`
	Offer     string `text:"prose"`
	Answer    string `text:"prose"`
	Answerer  string
	Incident  string
	Vendor    string
	Ref       string
	Chase     time.Time
	Score     int
	Comment   string `text:"prose"` // of whoever has said whether the answer is enough
	Promises  []requestPromise
	Collected []requestPart
	Missing   []string `text:"line"`
	Meetings  []requestMeeting
	Timeline  []event
}

// requestPromise is one thing that was promised.
type requestPromise struct {
	Target string `text:"code"`
	State  string `text:"code"`
	Due    time.Time
}

// requestPart is something that was collected.
type requestPart struct {
	Name string `text:"line"`
	Text string `text:"line"`
}

// requestMeeting is a meeting with its minutes.
type requestMeeting struct {
	At        time.Time
	Purpose   string `text:"line"`
	Who       []string
	Text      string   `text:"prose"`
	Decisions []string `text:"line"`
	Next      []string `text:"line"`
}

// RequestForm is the report on a request.
const RequestForm FormKind = "request"

// RequestReport writes the report on a request as of an instant: as much of it as there is, for a customer what that may see. The same
// request and edition give the same bytes.
func (t *Texts) RequestReport(r *request.Request, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	out, err := document(l, clean(t.requestView(l, r, e.At)), l.request, e, l.frame(r.Organisation, string(r.ID), r.Zone, "", e))
	if err != nil {
		return nil, fmt.Errorf("report on %s in %s: %w", r.ID, l.code, err)
	}
	return out, nil
}

func (t *Texts) requestView(l *language, r *request.Request, at time.Time) *requestView {
	v := &requestView{
		Made: at, Zone: r.Zone, Organisation: r.Organisation, Revision: r.Revision, ID: string(r.ID), Customer: r.CustomerName, Plan: r.Plan,
		Subject: t.RequestSubject(&r.Terms, l.code), Status: string(r.Status), Begun: string(r.Begun), Outcome: string(r.Verdict.Outcome),
		Recorder: name(r.Recorder), Channel: string(r.Channel), Number: r.Number, Received: r.Received, Ended: r.Ended, Lasted: at.Sub(r.Received),
		Text: r.Text, Owner: r.Owner.Shown(), Decided: r.Decided().Shown(), Judged: r.Judged().Shown(), Reason: r.Reason, Offer: r.Offer, Answer: r.Answer,
		Answerer: r.AnsweredBy.Shown(), Incident: r.Incident,
	}
	if r.Over() {
		v.Lasted = r.Ended.Sub(r.Received)
	}
	if c := r.Case; c != nil {
		v.Vendor, v.Ref, v.Chase = c.Shown(), c.Ref, c.Chase
	}
	if x := r.Rating; x != nil {
		v.Score = x.Score
	}
	if r.ReasonJudges() {
		v.Comment, v.Reason = r.Reason, ""
	}
	for n := range r.Clocks {
		c := &r.Clocks[n]
		state := c.State
		if c.Late {
			state = supportplan.Missed
		}
		v.Promises = append(v.Promises, requestPromise{string(c.Target), string(state), c.Due})
	}
	names := map[string]string{}
	for _, n := range r.Needs {
		names[n.ID] = n.Name.In(l.code)
	}
	for _, c := range r.Collected {
		v.Collected = append(v.Collected, requestPart{names[c.Need], c.Text})
	}
	for _, n := range r.Missing() {
		v.Missing = append(v.Missing, names[n.ID])
	}
	for _, m := range r.Meetings {
		v.Meetings = append(v.Meetings, requestMeeting{m.At, m.Purpose, slices.Clone(m.Who), m.Text, slices.Clone(m.Decisions), slices.Clone(m.Next)})
	}
	for _, e := range r.Timeline.Entries {
		v.Timeline = append(v.Timeline, event{At: e.At, Text: l.sentence(e, v.Zone)})
	}
	v.Timeline = shorten(v.Timeline)
	return v
}
