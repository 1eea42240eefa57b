package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/supportplan"
	"muster/workflows"
)

// Certificate writes which one it is, and the days that are left.
func (writer) Certificate(c supportplan.Certificate, today calendar.Date, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Certificate, Language: to.Language, Subject: fmt.Sprint(c.Name, " ", int(c.Expires-today))}, nil
}

var today = calendar.DateOf(start)

// certified is a folder with the certificates of acme, and one of a customer who is not in it.
type certified struct{ directory }

func (certified) Today(at time.Time) calendar.Date { return calendar.DateOf(at.UTC()) }

func (certified) Contracts() []supportplan.Contract {
	of := func(name string, left calendar.Date, remind ...int) supportplan.Certificate {
		return supportplan.Certificate{Name: name, Expires: today + left, Contact: "desk", Remind: remind}
	}
	return []supportplan.Contract{
		{Customer: "acme", Certificates: []supportplan.Certificate{
			of("shop", 60, 60, 59, 30), of("mail", 0, 30), of("pay", 1, 7), of("vpn", 30, 32, 31, 29), of("old", -1, 7),
		}},
		{Customer: "gone", Certificates: []supportplan.Certificate{of("web", 7, 9)}},
	}
}

func (certified) CustomerContacts(c string) ([]delivery.Recipient, error) {
	if c == "gone" {
		return nil, errors.New("customer gone: not in the organisation folder")
	}
	return []delivery.Recipient{
		{ID: c + "/boss", Name: "boss", Language: "en", Methods: []string{"phone"}},
		{ID: c + "/desk", Name: "desk", Language: "ko", Methods: []string{"hook", "mail"}},
	}, nil
}

// remembering are the real activities, but for a fault of them.
type remembering struct {
	activities.Certificates
	fault error

	mu    sync.Mutex // attempts run beside each other, and beside whoever looks
	asked []activities.RemindersDueInput
}

func (a *remembering) DueReminders(ctx context.Context, in activities.RemindersDueInput) (activities.RemindersDue, error) {
	a.mu.Lock()
	a.asked = append(a.asked, in)
	a.mu.Unlock()
	if a.fault != nil {
		return activities.RemindersDue{}, a.fault
	}
	return a.Certificates.DueReminders(ctx, in)
}

// inputs are those of every attempt so far.
func (a *remembering) inputs() []activities.RemindersDueInput {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// remind runs the reminders so many days after the start, after a run that was done until a day, if one was.
func (r *rehearsal) remind(days int, done *calendar.Date, fault error) (workflows.CertificatesReminded, *remembering, error) {
	r.Helper()
	a := &remembering{fault: fault, Certificates: activities.Certificates{
		Directory: func() activities.CertificateDirectory { return certified{directory{r}} }, Writer: writer{},
	}}
	r.env.RegisterActivity(a)
	r.env.SetStartTime(start.AddDate(0, 0, days))
	if done != nil {
		r.env.SetLastCompletionResult(workflows.CertificatesReminded{Until: done, Folder: incident.Folder{Revision: "r0"}, Delivered: 7})
	}
	r.env.ExecuteWorkflow(workflows.CertificateRemindersWorkflow)
	if !r.env.IsWorkflowCompleted() {
		r.Fatal("the workflow has not completed")
	}
	var out workflows.CertificatesReminded
	err := r.env.GetWorkflowError()
	if err == nil {
		err = r.env.GetWorkflowResult(&out)
	}
	return out, a, err
}

// reminded is what a run says that it has done.
func reminded(until calendar.Date, delivered, undelivered, refused int) workflows.CertificatesReminded {
	return workflows.CertificatesReminded{
		Until: &until, Folder: incident.Folder{Revision: "r1"}, Delivered: delivered, Undelivered: undelivered, Refused: refused,
	}
}

func TestCustomersAreRemindedOfTheirCertificates(t *testing.T) {
	day := func(n int) *calendar.Date { d := today + calendar.Date(n); return &d }
	refuse := func(s *inmem.Sender) { s.On(inmem.Match{Method: "hook"}, 9, inmem.Refuse("gone")) }
	for _, tc := range []struct {
		name  string
		days  int            // after the start
		done  *calendar.Date // the last day that is done
		away  func(*inmem.Sender)
		older int32
		heard string // in any order
		want  workflows.CertificatesReminded
	}{
		{"the first run looks at its own day", 0, nil, nil, 0, "mail 0, shop 60", reminded(today, 2, 0, 0)},
		{"the next run at the next day", 1, day(0), nil, 0, "pay 0, shop 59, vpn 29", reminded(today+1, 3, 0, 0)},
		{"a second run on a day has nothing to say", 0, day(0), nil, 0, "", reminded(today, 0, 0, 0)},
		{
			"after an outage of three days all is made up for, each certificate once, with the days that are left", 1, day(-3), nil, 0,
			"mail -1, old -2, pay 0, shop 59, vpn 29", reminded(today+1, 5, 1, 0),
		},
		{"a day that is done is never done again", 0, day(1), nil, 0, "", reminded(today+1, 0, 0, 0)},
		{"another method follows one that refuses", 0, nil, refuse, 0, "mail 0, shop 60", reminded(today, 2, 0, 2)},
		{
			"nobody hears of what all methods refuse", 0, nil,
			func(s *inmem.Sender) { s.On(inmem.Match{}, 99, inmem.Refuse("gone")) }, 0, "", reminded(today, 0, 2, 4),
		},
		{
			"another method follows one that is away", 0, nil, func(s *inmem.Sender) { s.On(inmem.Match{Method: "hook"}, 999, inmem.Fail(0)) },
			0, "mail 0, shop 60", reminded(today, 2, 0, 2),
		},
		{
			"a mail server that is away for hours loses nothing", 0, nil,
			func(s *inmem.Sender) { refuse(s); s.On(inmem.Match{Method: "mail"}, 1_000, inmem.Fail(0)) }, 0, "mail 0, shop 60", reminded(today, 2, 0, 2),
		},
		{"what has no recipient keeps back nothing else", -2, nil, nil, 0, "vpn 32", reminded(today-2, 1, 1, 0)}, // web has none
		{"a worker that lags behind the folder is waited for", 0, day(-1), nil, 6, "mail 0, shop 60", reminded(today, 2, 0, 0)},
		{"and asked all the same in the end", 0, day(-1), nil, 99, "mail 0, shop 60", reminded(today, 2, 0, 0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rehearse(t)
			r.older.Store(tc.older)
			if tc.away != nil {
				tc.away(r.sender)
			}
			got, a, err := r.remind(tc.days, tc.done, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			var heard []string
			for _, e := range r.sender.Delivered() {
				heard = append(heard, e.Message.Subject)
				if e.Recipient.ID != "acme/desk" || e.Message.Language != "ko" {
					t.Errorf("it went to %s in %s", e.Recipient.ID, e.Message.Language)
				}
			}
			slices.Sort(heard)
			if got := strings.Join(heard, ", "); got != tc.heard {
				t.Errorf("heard %s, want %s", got, tc.heard)
			}
			if tc.done != nil && a.inputs()[0].Seen.Revision != "r0" {
				t.Errorf("asked %+v, want it to name the folder that the last run has seen", a.inputs()[0])
			}
		})
	}
}

// Whoever starts it once more makes the same deliveries again, and none besides.
func TestARepeatedReminderIsTheSameDelivery(t *testing.T) {
	var ids [2][]string
	for n := range ids {
		r := rehearse(t)
		if _, _, err := r.remind(0, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, e := range r.sender.Delivered() {
			ids[n] = append(ids[n], string(e.ID))
		}
		slices.Sort(ids[n])
	}
	want := []string{
		"certificate/acme/mail/2026-11-23/2026-11-23/acme/desk/hook",
		"certificate/acme/shop/2027-01-22/2026-11-23/acme/desk/hook",
	}
	for _, got := range ids {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("delivered (-want +got):\n%s", diff)
		}
	}
}

// A run that cannot find out what is due leaves its days to the next, and so does one that Temporal cancels.
func TestRemindersThatAreNotDoneAreLeftToTheNextRun(t *testing.T) {
	r := rehearse(t)
	if _, a, err := r.remind(0, nil, errors.New("no folder")); err == nil || len(a.inputs()) < 6 || len(r.got()) > 0 {
		t.Errorf("got %v after asking %d times, delivered %v", err, len(a.inputs()), r.got())
	}
	r = rehearse(t)
	r.sender.On(inmem.Match{}, 9_999, inmem.Fail(0))
	r.at(time.Hour, r.env.CancelWorkflow)
	if out, _, err := r.remind(0, nil, nil); err == nil {
		t.Errorf("cancelled, it says that it is done: %+v", out)
	}
}
