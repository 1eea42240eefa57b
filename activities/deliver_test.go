package activities_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/link"
	"muster/internal/reach"
)

// A receiver answers every attempt in the same way.
type receiver struct{ err error }

func (r receiver) Send(context.Context, delivery.Envelope) error { return r.err }

// book is a directory in which everybody has one contact method.
type book struct{ activities.Directory }

func (book) Contact(_, method string) (delivery.Contact, error) {
	return delivery.Contact{Method: method, Type: delivery.Webhook}, nil
}

// A logbook keeps what a tracker is told.
type logbook struct{ lines []string }

func (l *logbook) UnderWay(id delivery.ID, scheduled, until time.Time) {
	l.lines = append(l.lines, fmt.Sprintf("%s under way, ahead %v", id, until.After(scheduled)))
}

func (l *logbook) Ended(id delivery.ID, kind delivery.Kind, result delivery.Result, took time.Duration) {
	l.lines = append(l.lines, fmt.Sprintf("%s ended, %s %s, measured %v", id, kind, result, took > 0))
}

func (l *logbook) Tried(w reach.Way, _ delivery.Kind, result reach.Result) {
	l.lines = append(l.lines, fmt.Sprintf("%s by %s: %s", w.To, w.Method, result))
}

func TestDeliverIsTracked(t *testing.T) {
	const underWay = "d-1 under way, ahead true"
	for name, tt := range map[string]struct {
		answer error
		want   []string
		fails  bool
		kind   delivery.Kind // empty: a page
	}{
		"delivered":   {nil, []string{underWay, "park by phone: delivered", "d-1 ended, page delivered, measured true"}, false, ""},
		"refused":     {&delivery.Refusal{Detail: "gone"}, []string{underWay, "park by phone: failed", "d-1 ended, page refused, measured true"}, false, ""},
		"unavailable": {&delivery.Unavailable{Detail: "busy", After: time.Hour}, []string{underWay, "park by phone: unknown", underWay}, true, ""},
		"broken":      {errors.New("no space"), []string{underWay, "park by phone: unknown", underWay}, true, ""},
		"a reminder of a certificate may take its time": {
			&delivery.Unavailable{Detail: "busy"}, []string{"park by phone: unknown"}, true, delivery.Certificate,
		},
		"and counts when it ends": {nil, []string{"park by phone: delivered", "d-1 ended, certificate delivered, measured true"}, false, delivery.Certificate},
	} {
		t.Run(name, func(t *testing.T) {
			said := &logbook{}
			d := &activities.Deliveries{
				Directory: func() activities.Directory { return book{} }, Tracker: said,
				Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: receiver{tt.answer}},
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(d)
			_, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
				ID: "d-1", To: delivery.Recipient{ID: "park"}, Method: "phone", Message: delivery.Message{Kind: cmp.Or(tt.kind, delivery.Page)},
			})
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one %v", err, tt.fails)
			}
			if !slices.Equal(said.lines, tt.want) {
				t.Errorf("the tracker heard %q, want %q", said.lines, tt.want)
			}
		})
	}
}

// What is refused because of the message, and not because of who gets it, says nothing of a contact method; nor does a document that is not
// what it was.
func TestWhatSaysNothingOfAContactMethod(t *testing.T) {
	for name, tt := range map[string]struct {
		kind     delivery.Kind
		attached []delivery.Attachment
		want     []reach.Result
	}{
		"a call is for pages alone":  {delivery.Reminder, nil, nil},
		"a page that a call refuses": {delivery.Page, nil, []reach.Result{reach.Failed}},
		"a test page":                {delivery.Test, nil, []reach.Result{reach.Failed}},
		"a document is not there":    {delivery.Page, []delivery.Attachment{{Name: "report.pdf"}}, nil},
	} {
		said := &results{}
		d := &activities.Deliveries{
			Directory: func() activities.Directory { return phonebook{} }, Tracker: said,
			Senders: map[delivery.ContactType]activities.Sender{delivery.Voice: receiver{&delivery.Refusal{Detail: "no"}}},
		}
		env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
		env.RegisterActivity(d)
		_, _ = env.ExecuteActivity(d.Deliver, activities.DeliverInput{
			ID: "d-1", To: delivery.Recipient{ID: "park"}, Method: "phone", Message: delivery.Message{Kind: tt.kind, Attachments: tt.attached},
		})
		if !slices.Equal(said.all, tt.want) {
			t.Errorf("%s: told %v, want %v", name, said.all, tt.want)
		}
	}
}

// phonebook is a directory in which everybody is called.
type phonebook struct{ activities.Directory }

func (phonebook) Contact(_, method string) (delivery.Contact, error) {
	return delivery.Contact{Method: method, Type: delivery.Voice}, nil
}

// results are what has come of attempts.
type results struct{ all []reach.Result }

func (*results) UnderWay(delivery.ID, time.Time, time.Time)                       {}
func (*results) Ended(delivery.ID, delivery.Kind, delivery.Result, time.Duration) {}
func (r *results) Tried(_ reach.Way, _ delivery.Kind, result reach.Result) {
	r.all = append(r.all, result)
}

// A mailbox keeps what it is sent.
type mailbox struct{ got []delivery.Message }

func (b *mailbox) Send(_ context.Context, e delivery.Envelope) error {
	b.got = append(b.got, e.Message)
	return nil
}

// A linker answers every link alike, and keeps what it was asked for.
type linker struct {
	url   string
	err   error
	asked []link.Link
}

func (l *linker) Link(of link.Link) (string, error) {
	l.asked = append(l.asked, of)
	return l.url, l.err
}

// linked is the link that is asked for when a message is delivered.
func linked(t *testing.T, begun time.Time, m delivery.Message) link.Link {
	t.Helper()
	links := &linker{url: "https://muster.example/l/x"}
	d := &activities.Deliveries{
		Directory: func() activities.Directory { return book{} }, Links: links,
		Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: &mailbox{}},
	}
	env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	env.RegisterActivity(d)
	if _, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
		ID: "d-1", To: delivery.Recipient{ID: "acme/desk"}, Method: "mail", Begun: begun, Message: m,
	}); err != nil {
		t.Fatal(err)
	}
	return links.asked[0]
}

// A question waits for days, and so does its link; a page is for now.
func TestALinkLastsAsLongAsItsAnswerIsWaitedFor(t *testing.T) {
	begun := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct{ until, expires time.Time }{
		"until an instant": {begun.AddDate(0, 0, 5), begun.AddDate(0, 0, 6)},
		"nobody knows":     {time.Time{}, begun.Add(12 * time.Hour)},
	} {
		if l := linked(t, begun, delivery.Message{Kind: delivery.AllClear, Incident: "INC-1", Offer: delivery.OfferOfAnswer("Is it fixed?", "INC-1", "Shop", begun, tt.until)}); !l.Expires.Equal(tt.expires) || !l.Allows(link.Fixed) || !l.Allows(link.NotFixed) ||
			l.Content != link.OfResolution("INC-1", "Shop", begun) {
			t.Errorf("%s: asked for %+v, want %s", name, l, tt.expires)
		}
	}
}

// A link that asks for a decision in a run of a plan leads to that run, and answers long after it was to be decided.
func TestALinkLeadsToARun(t *testing.T) {
	begun := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	choices := []string{"approve", "reject", "abstain"}
	for name, tt := range map[string]struct {
		offer   *delivery.Offer
		want    link.Link
		allowed link.Action
	}{
		"a vote": {
			delivery.OfferOfVote("Vote:", "approve-plan", "5e", choices, begun.AddDate(0, 0, 5)),
			link.Link{Part: "approve-plan", Content: "5e", Expires: begun.AddDate(0, 0, 35)},
			link.Abstain,
		},
		"a change of the plan": {delivery.OfferOfVote("Vote:", "", "5e", choices, time.Time{}), link.Link{Content: "5e", Expires: begun.AddDate(0, 0, 30)}, link.Reject},
		"a waiver": {
			delivery.OfferOfWaiver("Decide:", "RUN-1", "scan", "lee", "broken", "a list", begun),
			link.Link{Part: "scan", Content: link.OfWaiver("RUN-1", "scan", "lee", "broken", "a list", begun), Expires: begun.AddDate(0, 0, 30)},
			link.RefuseWaiver,
		},
		"an override": {
			delivery.OfferOfOverride("Decide:", "RUN-1", "production", "season", "lee", "a hole", begun.AddDate(0, 0, 1)),
			link.Link{
				Part: "production", Content: link.OfOverride("RUN-1", "production", "season", "lee", "a hole", begun.AddDate(0, 0, 1)), Expires: begun.AddDate(0, 0, 31),
			},
			link.GrantOverride,
		},
	} {
		got := linked(t, begun, delivery.Message{Kind: delivery.Plan, Incident: "RUN-1", Offer: tt.offer})
		if !got.Allows(tt.allowed) || got.Form() {
			t.Errorf("%s: it allows %v", name, got.Actions)
		}
		tt.want.ID, tt.want.Person, tt.want.Run, got.Actions = "d-1", "acme/desk", "RUN-1", nil
		if !reflect.DeepEqual(tt.want, got) {
			t.Errorf("%s: asked for %+v, want %+v", name, got, tt.want)
		}
	}
}

// A link is made at the moment of sending, and a message goes out whether or not it can be made.
func TestAMessageCarriesTheLinkThatItOffers(t *testing.T) {
	const url = "https://muster.example/l/x"
	begun := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	offer := delivery.OfferOfPage("Take it:", "INC-1", "Slow", "Shop")
	park := delivery.Recipient{ID: "park"}
	for name, tt := range map[string]struct {
		links *linker
		offer *delivery.Offer
		to    delivery.Recipient
		text  string
		url   string
		asked int
	}{
		"offered":            {&linker{url: url}, offer, park, "Page.\n\nTake it:\n" + url + "\n", url, 1},
		"a group's channel":  {&linker{url: url}, offer, delivery.Recipient{ID: "group:noc", Shared: true}, "Page.\n", "", 0},
		"nothing is offered": {&linker{url: url}, nil, park, "Page.\n", "", 0},
		"no public address":  {&linker{}, offer, park, "Page.\n", "", 1},
		"no key":             {&linker{err: errors.New("no key signs now")}, offer, park, "Page.\n", "", 1},
		"no linker":          {nil, offer, park, "Page.\n", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			box := &mailbox{}
			d := &activities.Deliveries{
				Directory: func() activities.Directory { return book{} },
				Senders:   map[delivery.ContactType]activities.Sender{delivery.Webhook: box},
			}
			if tt.links != nil {
				d.Links = tt.links
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(d)
			if _, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
				ID: "d-1", To: tt.to, Method: "phone", Begun: begun,
				Message: delivery.Message{Kind: delivery.Page, Incident: "INC-1", Text: "Page.\n", Offer: tt.offer},
			}); err != nil {
				t.Fatal(err)
			}
			want := delivery.Message{Kind: delivery.Page, Incident: "INC-1", Text: tt.text, URL: tt.url}
			if !gocmp.Equal(box.got, []delivery.Message{want}) {
				t.Errorf("sent %+v, want %+v", box.got, want)
			}
			if tt.links == nil {
				return
			}
			if len(tt.links.asked) != tt.asked {
				t.Fatalf("%d links, want %d", len(tt.links.asked), tt.asked)
			}
			for _, l := range tt.links.asked {
				if l.ID != "d-1" || l.Person != "park" || l.Incident != "INC-1" || l.Content != link.OfIncident("INC-1", "Slow", "Shop") ||
					!l.Allows(link.Acknowledge) || !l.Allows(link.Escalate) || !l.Expires.Equal(begun.Add(12*time.Hour)) {
					t.Errorf("asked for %+v", l)
				}
			}
		})
	}
}

// A bookcase has reports by their names. It never hands out what is called forbidden.
type bookcase map[string]string

func (b bookcase) Get(_ context.Context, name string) ([]byte, error) {
	if name == "forbidden" {
		return nil, &delivery.Refusal{Detail: "report forbidden: too large"}
	}
	content, ok := b[name]
	if !ok {
		return nil, fmt.Errorf("read report %s: not there", name)
	}
	return []byte(content), nil
}

func attachment(name, content string) delivery.Attachment {
	sum := sha256.Sum256([]byte(content))
	return delivery.Attachment{
		Name: name + " 보고서.html", Type: "text/html; charset=utf-8", SHA256: hex.EncodeToString(sum[:]), Path: name,
	}
}

// What a message carries is read and checked at the attempt; nobody gets a message without it, or with something else.
func TestAMessageCarriesItsDocuments(t *testing.T) {
	full := bookcase{"a": "<p>가", "b": "# b"}
	a, b, gone, changed := attachment("a", "<p>가"), attachment("b", "# b"), attachment("gone", "x"), attachment("b", "# B")
	for name, tt := range map[string]struct {
		reports activities.Bookcase
		carries []delivery.Attachment
		want    []string // contents that arrive; nil when the message does not go out
		refused string
		err     string
	}{
		"one":             {full, []delivery.Attachment{a}, []string{"<p>가"}, "", ""},
		"several":         {full, []delivery.Attachment{b, a}, []string{"# b", "<p>가"}, "", ""},
		"none":            {nil, nil, []string{}, "", ""},
		"missing":         {full, []delivery.Attachment{a, gone}, nil, "", "unavailable: attachment gone 보고서.html: read report gone: not there"},
		"no shelf":        {nil, []delivery.Attachment{a}, nil, "", "unavailable: attachment a 보고서.html: this worker has no shelf of reports"},
		"changed":         {full, []delivery.Attachment{a, changed}, nil, "attachment b 보고서.html: the content of report b has changed", ""},
		"never to be had": {full, []delivery.Attachment{attachment("forbidden", "")}, nil, "report forbidden: too large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sender := &inmem.Sender{}
			d := &activities.Deliveries{
				Directory: open, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: sender}, Reports: tt.reports,
			}
			out, err := perform[delivery.Outcome](t, d.Deliver, activities.DeliverInput{
				ID: "d-1", To: reader("kim"), Method: "phone", Message: delivery.Message{Kind: delivery.Page, Attachments: tt.carries},
			})
			if (err != nil) != (tt.err != "") || err != nil && (final(err) || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("got %v, want an error worth another attempt with %q", err, tt.err)
			}
			if !strings.HasPrefix(out.Detail, tt.refused) || (out.Result == delivery.Refused) != (tt.refused != "") {
				t.Errorf("got %+v, want a refusal with %q", out, tt.refused)
			}
			if sent := sender.Attempts(); (len(sent) == 1) != (tt.want != nil) {
				t.Fatalf("%d messages went out, want one: %v", len(sent), tt.want != nil)
			}
			for _, e := range sender.Delivered() {
				var attached []delivery.Attached
				for i, content := range tt.want {
					attached = append(attached, delivery.Attached{Attachment: tt.carries[i], Content: []byte(content)})
				}
				if diff := gocmp.Diff(attached, e.Attached); diff != "" {
					t.Errorf("attached (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestPause says as Temporal does when the next attempt comes.
func TestPause(t *testing.T) {
	policy := &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}
	broken := errors.New("no space")
	for _, tt := range []struct {
		name    string
		err     error
		policy  *temporal.RetryPolicy
		attempt int
		want    time.Duration
	}{
		{"first", broken, policy, 1, time.Second},
		{"doubled", broken, policy, 3, 4 * time.Second},
		{"at most", broken, policy, 6, 30 * time.Second},
		{"after a month", broken, policy, 100_000, 30 * time.Second},
		{"the receiver's wish", fmt.Errorf("deliver: %w", &delivery.Unavailable{After: time.Hour}), policy, 1, time.Hour},
		{"no wish", &delivery.Unavailable{}, policy, 2, 2 * time.Second},
		{"no policy", broken, nil, 1, 0},
	} {
		if got := activities.Pause(tt.err, tt.policy, tt.attempt); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Whoever proves who they are may decide without a link: also where several people read, who get none.
func TestOfferGoesAlong(t *testing.T) {
	for _, shared := range []bool{false, true} {
		box := &envelopes{}
		d := &activities.Deliveries{
			Directory: func() activities.Directory { return book{} }, Links: &linker{url: "https://muster.example/l/x"},
			Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: box},
		}
		env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
		env.RegisterActivity(d)
		offer := delivery.OfferOfPage("Acknowledge:", "INC-1", "Checkout", "Shop")
		if _, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
			ID: "d-1", To: delivery.Recipient{ID: "park", Shared: shared}, Method: "chat", Message: delivery.Message{Kind: delivery.Page, Incident: "INC-1", Offer: offer},
		}); err != nil {
			t.Fatal(err)
		}
		got := box.got[0]
		if got.Offer == nil || got.Offer.Content != offer.Content || got.Message.Offer != nil || (got.Message.URL == "") != shared {
			t.Errorf("shared %v: got %+v and %+v", shared, got.Offer, got.Message)
		}
	}
}

// envelopes keeps what it is handed.
type envelopes struct{ got []delivery.Envelope }

func (b *envelopes) Send(_ context.Context, e delivery.Envelope) error {
	b.got = append(b.got, e)
	return nil
}
