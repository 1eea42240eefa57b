package activities_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/supportplan"
)

// Certificate writes which one it is and how many days are left, but to nobody who is called mute.
func (writer) Certificate(c supportplan.Certificate, today calendar.Date, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Certificate, Language: to.Language, Subject: fmt.Sprint(c.Name, " ", int(c.Expires-today))}
	if strings.HasSuffix(to.ID, "/mute") {
		return m, errors.New("text is broken")
	}
	return m, nil
}

// certified is a folder with contracts. Its organisation is in Seoul.
type certified struct {
	directory
	contracts []supportplan.Contract
}

func (c certified) Contracts() []supportplan.Contract { return c.contracts }

func (certified) Today(at time.Time) calendar.Date {
	return calendar.DateOf(at.In(time.FixedZone("KST", 9*60*60)))
}

func (certified) CustomerContacts(c string) ([]delivery.Recipient, error) {
	if c == "ghost" {
		return nil, fmt.Errorf("customer %q: not found", c)
	}
	deaf := reader(c + "/deaf")
	deaf.Methods = nil
	return []delivery.Recipient{reader(c + "/desk"), reader(c + "/mute"), deaf}, nil
}

func certificatesOf(contracts ...supportplan.Contract) *activities.Certificates {
	return &activities.Certificates{
		Directory: func() activities.CertificateDirectory { return certified{contracts: contracts} }, Writer: writer{},
	}
}

var monday = calendar.DateOf(at)

func contract(customer, contact string, names ...string) supportplan.Contract {
	c := supportplan.Contract{Customer: customer}
	for _, n := range names {
		c.Certificates = append(c.Certificates, supportplan.Certificate{Name: n, Expires: monday + 7, Contact: contact, Remind: []int{7}})
	}
	return c
}

func TestAReminderGoesToTheContactOfItsCertificate(t *testing.T) {
	for _, tc := range []struct {
		name     string
		contract supportplan.Contract
		to       string
		detail   string
	}{
		{"the contact", contract("acme", "desk", "shop"), "acme/desk", ""},
		{"a broken text is sent as bare facts", contract("acme", "mute", "shop"), "acme/mute", "write message to acme/mute: text is broken"},
		{"somebody without a contact method", contract("acme", "deaf", "shop"), "acme/deaf", "contact acme/deaf: no contact method"},
		{"nobody", contract("acme", "boss", "shop"), "", "contact acme/boss: not among those of the customer"},
		{"a customer who is gone", contract("ghost", "desk", "shop"), "", `customer "ghost": not found`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[activities.RemindersDue](t, certificatesOf(tc.contract).DueReminders, activities.RemindersDueInput{At: at})
			if err != nil || len(got.Reminders) != 1 || got.More || got.Folder.Revision != "r2" || got.Until != monday {
				t.Fatalf("got %+v, %v", got, err)
			}
			r := got.Reminders[0]
			if r.To.To.ID != tc.to || r.Detail != tc.detail || len(r.To.To.Methods) > 0 && r.To.Message.Subject != "shop 7" {
				t.Errorf("got %+v; want it to %s, %q", r, tc.to, tc.detail)
			}
		})
	}
}

func TestDaysOfReminders(t *testing.T) {
	c := supportplan.Contract{Customer: "acme", Certificates: []supportplan.Certificate{
		{Name: "shop", Expires: monday + 7, Contact: "desk", Remind: []int{9, 8, 7}},
		{Name: "old", Expires: monday - 92, Contact: "desk"},
	}}
	day := func(n int) *calendar.Date { d := monday + calendar.Date(n); return &d }
	late := at.Add(7 * time.Hour) // Tuesday in Seoul
	for _, tc := range []struct {
		name  string
		done  *calendar.Date
		at    time.Time
		until calendar.Date
		want  string
	}{
		{"today alone", nil, at, monday, "shop 7"},
		{"the day is that of the organisation", nil, late, monday + 1, ""},
		{"since the last day", day(-3), at, monday, "shop 7"},
		{"late", day(-1), late, monday + 1, "shop 6"},
		{"done", day(0), at, monday, ""},
		{"done ahead, as before the zone was changed", day(1), at, monday + 1, ""},
		{"for as long as reminders are made up for", day(-93), at, monday, "old -92, shop 7"},
		{"no further back, whatever somebody says", day(-9_999), at.AddDate(0, 0, 1), monday + 1, "shop 6"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[activities.RemindersDue](t, certificatesOf(c).DueReminders, activities.RemindersDueInput{Done: tc.done, At: tc.at})
			if err != nil {
				t.Fatal(err)
			}
			var due []string
			for _, r := range got.Reminders {
				due = append(due, r.To.Message.Subject)
			}
			if s := strings.Join(due, ", "); s != tc.want || got.Until != tc.until {
				t.Errorf("got %q until %s, want %q until %s", s, got.Until, tc.want, tc.until)
			}
		})
	}
}

// However many are due, an answer is small, and the pages together have each reminder once.
func TestPagesOfReminders(t *testing.T) {
	var want []string
	var names []string
	for n := range 101 {
		names = append(names, fmt.Sprintf("한 %03d", n))
		want = append(want, fmt.Sprintf("한 %03d 7", n))
	}
	c := certificatesOf(contract("acme", "desk", names...))
	var got, sizes []string
	in := activities.RemindersDueInput{At: at}
	for more := true; more; {
		page, err := perform[activities.RemindersDue](t, c.DueReminders, in)
		if err != nil || len(page.Reminders) == 0 {
			t.Fatalf("got %+v, %v", page, err)
		}
		sizes = append(sizes, fmt.Sprint(len(page.Reminders)))
		for _, r := range page.Reminders {
			got = append(got, r.To.Message.Subject)
			in.After = r.ID
		}
		more = page.More
	}
	if diff := cmp.Diff(want, got); diff != "" || strings.Join(sizes, " ") != "50 50 1" {
		t.Errorf("pages of %v (-want +got):\n%s", sizes, diff)
	}
	if id := in.After; id != "certificate/acme/%ED%95%9C%20100/2026-11-30/2026-11-23" {
		t.Errorf("the last is %s", id)
	}
}

func TestRemindersAskNoOlderFolderUnlessTheyMust(t *testing.T) {
	c := &activities.Certificates{
		Directory: func() activities.CertificateDirectory { return certified{directory: directory{older: true}} }, Writer: writer{},
	}
	in := activities.RemindersDueInput{At: at, Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[activities.RemindersDue](t, c.DueReminders, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if _, err := perform[activities.RemindersDue](t, c.DueReminders, in); err != nil {
		t.Errorf("got %v", err)
	}
}
