package supportplan

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// A Text says the same in each language that people read here.
type Text struct {
	English string `json:"en"`
	Korean  string `json:"ko"`
}

// In returns the text in a language, in English for one that it is not written in.
func (t Text) In(language string) string {
	if language == "ko" {
		return t.Korean
	}
	return t.English
}

// Terms are what a support plan says beside the targets of incidents. They are read when a request comes in, and the request
// keeps what decides on it.
type Terms struct {
	Source string `json:"source,omitempty"` // where the promises stand
	// Ours says what does not stand there and was added by the provider.
	Ours         Text            `json:"ours,omitzero"`
	Coverage     Hours           `json:"coverage"`           // of every channel that Channels does not name
	Channels     []ChannelHours  `json:"channels,omitempty"` // in the order of Channels
	Requests     []RequestTarget `json:"requests,omitempty"`
	Visits       *Visits         `json:"visits,omitempty"` // nil: it says nothing of visits
	Engineer     Engineer        `json:"engineer,omitempty"`
	Table        string          `json:"entitlements,omitempty"` // ID of an entitlement table
	Column       string          `json:"column,omitempty"`       // of it
	Availability []Availability  `json:"availability,omitempty"`
	Limits       []Limit         `json:"limits,omitempty"`
}

// HoursOf returns when a channel is served.
func (t Terms) HoursOf(c Channel) Hours {
	for _, h := range t.Channels {
		if h.Channel == c {
			return h.Hours
		}
	}
	return t.Coverage
}

// promises tells whether the plan promises something for a kind of request.
func (t Terms) promises(kind string) bool {
	return slices.ContainsFunc(t.Requests, func(r RequestTarget) bool { return r.Kind == kind })
}

// Promises returns what is promised for a kind of request, in the hours of the plan.
func (t Terms) Promises(kind string) (all []Promise) {
	hours, named := t.Coverage.Calendar()
	if !named {
		hours = ""
	}
	for _, r := range t.Requests {
		if r.Kind == kind {
			all = append(all, Promise{Target: r.Target, Within: r.Within, Calendar: hours})
		}
	}
	return all
}

// Hours are when something is served: the ID of a calendar, AroundTheClock or UnknownHours.
type Hours string

// The hours that need no calendar. No calendar has such an ID.
const (
	AroundTheClock Hours = "24x7"
	UnknownHours   Hours = "unknown"
)

// Calendar returns the ID of the calendar, if there is one.
func (h Hours) Calendar() (id string, ok bool) {
	return string(h), h != "" && h != AroundTheClock && h != UnknownHours
}

// A Channel is a way in which a customer and the provider come together.
type Channel string

// The channels. These strings are in definitions: add, never rename.
const (
	ByEmail    Channel = "email"
	ByPhone    Channel = "phone"
	Remote     Channel = "remote"     // somebody works on the customer's systems from afar
	OnSite     Channel = "on-site"    // somebody goes there
	Desk       Channel = "desk"       // the customer centre takes what comes in
	Monitoring Channel = "monitoring" // the provider's staff watch, and see it themselves
)

// Channels lists the channels.
func Channels() []Channel { return []Channel{ByEmail, ByPhone, Remote, OnSite, Desk, Monitoring} }

// ChannelHours are the hours of one channel.
type ChannelHours struct {
	Channel Channel `json:"channel"`
	Hours   Hours   `json:"hours"`
}

// A RequestTarget is a promised time for one kind of request, in the hours of the plan.
type RequestTarget struct {
	Kind   string        `json:"kind"` // "enquiry"
	Target Target        `json:"target"`
	Within time.Duration `json:"within"`
}

// Engineer is who works for the customer.
type Engineer string

// The ways in which engineers are assigned. These strings are in definitions: add, never rename.
const (
	Designated      Engineer = "designated" // one, by name
	Pool            Engineer = "pool"       // whoever is free
	UnknownEngineer Engineer = "unknown"
)

// Engineers lists the ways in which engineers are assigned.
func Engineers() []Engineer { return []Engineer{Designated, Pool, UnknownEngineer} }

// An Availability is promised of one layer.
type Availability struct {
	Of      string `json:"of"`      // "infrastructure"
	Percent string `json:"percent"` // as it is written, such as 99.99: a promise is not rounded
	OnTop   bool   `json:"on_top,omitempty"`
}

// A Burden is what a limit leaves to the customer.
type Burden string

// The burdens. These strings are in definitions: add, never rename.
const (
	Provides Burden = "provides"
	Pays     Burden = "pays"
	Decides  Burden = "decides"
)

// Burdens lists the burdens.
func Burdens() []Burden { return []Burden{Provides, Pays, Decides} }

// A Limit is where a service ends.
type Limit struct {
	Item     Text     `json:"item"`
	Customer Burden   `json:"customer,omitempty"` // empty: nobody does it under this contract
	Note     Text     `json:"note"`
	Features []string `json:"features,omitempty"` // IDs of those that it binds
}

// A Contract is what one customer has bought: a plan, and what was agreed beyond it.
type Contract struct {
	Customer      string        `json:"customer"`
	Plan          string        `json:"plan"`
	VisitsPerYear int           `json:"visits_per_year,omitempty"` // instead of the plan's; 0: none was agreed
	Features      []string      `json:"features,omitempty"`        // IDs of options, add-ons and whatever else was agreed
	Certificates  []Certificate `json:"certificates,omitempty"`
}

// A Certificate is one that the customer owns and renews. Expires is the day on which it ends.
type Certificate struct {
	Name    string        `json:"name"` // "shop.garam.example"
	Expires calendar.Date `json:"expires"`
	Contact string        `json:"contact"` // ID of the customer's contact who is reminded
	Remind  []int         `json:"remind"`  // days before it expires; on that day itself the contact hears of it too
}

// A Reminder is due on a day.
type Reminder struct {
	On          calendar.Date `json:"on"`
	Days        int           `json:"days"` // left on that day; 0: it ends
	Certificate Certificate   `json:"certificate"`
}

// Reminders returns which reminders are due from a day until the one before another, in the order of their days and then of
// the certificates. So days that follow one another remind of everything once.
func Reminders(certificates []Certificate, from, to calendar.Date) []Reminder {
	var due []Reminder
	for _, c := range certificates {
		for _, days := range append(slices.Clone(c.Remind), 0) {
			if on := c.Expires - calendar.Date(days); from <= on && on < to {
				due = append(due, Reminder{On: on, Days: days, Certificate: c})
			}
		}
	}
	slices.SortStableFunc(due, func(a, b Reminder) int { return int(a.On - b.On) })
	return due
}
