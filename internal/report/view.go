package report

import "time"

// Bounds of what a report lists; what is left out is counted.
const (
	maxCustomers = 50
	maxPromises  = 200
	maxAlerts    = 50
	maxActions   = 30
	maxUpdates   = 20
	maxPages     = 100
	maxTimeline  = 64 << 10 // bytes
)

// view is what the texts of an incident report see.
type view struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string
	Kind         string `text:"code"` // empty: ordinary
	Title        string `text:"line"`
	Service      string
	Customers    []string

	Status   string `text:"code"`
	Open     bool   // not resolved: the report is an interim one
	Priority string `text:"code"`
	Impact   string `text:"code"`
	Urgency  string `text:"code"`
	Reopened int

	Kinds     []string // names of the first few alerts: what kind of trouble it was
	MoreKinds int
	Source    string
	Route     string
	Domain    string `text:"code"` // where the cause lies
	Vendor    string // whose platform it is, with the domain vendor
	Cause     string `text:"line"` // empty while it is not known
	Noticed   string // who noticed first
	NoticedAt time.Time
	ByPerson  bool   // a person noticed first, not monitoring
	Channel   string `text:"code"` // by which people have reported it
	Receipt   string // number under which that was received
	Received  time.Time
	Handlers  []handler

	Started, Alerted, Engaged, Mitigation, Resolved, Closed time.Time
	Ended                                                   time.Time // resolved, or closed with the incident that it was merged into

	Points    []point
	Intervals []interval
	Rest      int           // of the whole, in thousandths, that is in no known interval
	Lasted    time.Duration // from start to resolution, or until the report was made

	Actions     []deed
	MoreActions int

	Promises             []promise
	MorePromises         int
	Met, Missed, Running int

	Pages       []page
	MorePages   int
	Answers     []answer
	Contacts    []contactRow
	Updates     []update
	MoreUpdates int

	Alerts     []alertRow
	MoreAlerts int
	Distinct   int // alerts known one by one
	Firing     int
	Posts      int
	Uncounted  int // alerts that were too many to be known one by one

	Timeline []event
	Earlier  int // entries that stand in earlier runs

	MergedInto    string
	Merged        []other // those that are a part of this one
	Related       []other
	Cases         []vendorCase
	Runbooks      []runbookUse
	Confirmations []confirmation

	Previous       string // incident
	PreviousClosed time.Time
	Nearby         []string // what else went on
	Ticket         string
	TicketURL      string `text:"link"`
	Review         bool
	ReviewDue      time.Time
	About          []Fact // what a responder needs to know of the service
	Links          []link
	SHA256         string   // of the definition
	Revision       string   // of the organisation folder
	Runs           []string `text:"line"`
}

type handler struct {
	Name  string
	Roles []string `text:"code"` // none: a responder
}

// point is one of the five instants that a review needs.
type point struct {
	Name string `text:"code"`
	At   time.Time
}

// interval is the time between two points.
type interval struct {
	Name  string `text:"code"`
	From  string `text:"code"`
	To    string `text:"code"`
	Took  time.Duration
	Known bool
	Share int // of the whole, in thousandths, at least one
}

type deed struct {
	At   time.Time
	By   string
	Kind string `text:"code"` // "note" or the status that was reached
	Text string `text:"line"`
}

type promise struct {
	Customer              string
	Target                string `text:"code"`
	Within                time.Duration
	Days                  int    // working days, instead of Within
	Calendar              string // in which they run; empty: around the clock
	Started, Due, Ended   time.Time
	Outcome               string        `text:"code"` // a clock's state
	Took                  time.Duration // without pauses
	Margin                time.Duration // before or after it was due
	Reason                string
	Waived                string // why somebody closed the incident without it
	OtherMet, OtherMissed int    // earlier rounds
}

type page struct {
	At       time.Time
	To       string
	Method   string
	Outcome  string `text:"code"` // "delivered", "refused", "withdrawn"; empty: not known
	Detail   string
	Attempts int
	Took     time.Duration
}

type answer struct {
	At    time.Time
	By    string
	After time.Duration // since the alert
}

// contactRow is one line of a contact list (비상연락망).
type contactRow struct {
	Name         string
	Role         string
	Organisation string
	Reach        string `text:"line"`
}

type update struct {
	At       time.Time
	Customer string
	By       string // empty: the engine
	AllClear bool
	Status   string `text:"code"` // the public status; empty where nobody has named one
	Text     string `text:"prose"`
}

type alertRow struct {
	Name    string
	Summary string `text:"line"`
	State   string `text:"code"`
	Started time.Time
	Ended   time.Time
	Times   int
}

// other is another incident.
type other struct {
	ID    string
	Kind  string `text:"code"` // of a relation
	Title string `text:"line"`
	Note  string `text:"line"`
}

// vendorCase is support that was asked of a vendor.
type vendorCase struct {
	Vendor    string
	Reference string
	Opened    time.Time
	Due       time.Time // of the answer; zero where none was promised
	Answered  time.Time
	Late      bool
}

type runbookUse struct {
	Name    string `text:"line"`
	By      string
	Started time.Time
	Ended   time.Time
	Outcome string `text:"code"` // empty while it goes on
}

// confirmation is what a customer says of the resolution.
type confirmation struct {
	Customer string
	Answer   string `text:"code"`
	By       string
	At       time.Time
	Due      time.Time
	Lapsed   bool
}

type event struct {
	At      time.Time
	Text    string `text:"line"`
	Skipped int    // instead of an entry: how many are left out here
}
